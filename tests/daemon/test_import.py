#!/usr/bin/env python3
"""POST /api/contacts/import: rows, formats, what is refused, and how the body comes (api.md)."""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import threading
import time
import unittest

from outdial_daemon import Organisation, Story, expect, main, read_response, unknown_id, wait_until

NDJSON = "application/x-ndjson"
CSV = "text/csv"
PATH = "/api/contacts/import"


class Case(Story):
    share_daemon = True

    def setUp(self):
        super().setUp()
        self.one = Organisation(self.daemon)
        self.api = self.one.api

    def send(self, text, kind=NDJSON, query="", **headers):
        data = text if isinstance(text, bytes) else text.encode()
        return self.api.request("POST", PATH + query, raw=data,
                                headers={"Content-Type": kind, **headers})

    def done(self, text, kind=NDJSON, query=""):
        return expect(self.send(text, kind, query), 200)

    def lines(self, *contacts):
        return "".join(json.dumps(contact) + "\n" for contact in contacts)

    def contacts(self):
        return {contact["primaryPhone"]: contact for contact in self.api.pages("/api/contacts")}

    def head(self, *headers, query="", kind=NDJSON):
        return "\r\n".join([
            f"POST {PATH}{query} HTTP/1.1", "Host: x", f"X-API-Key: {self.one.key}",
            f"Content-Type: {kind}", *headers, "", ""]).encode()

    def attribute(self, name, kind):
        self.api.create("/api/custom-attributes", {"name": name, "type": kind})


class Rows(Case):
    def test_ndjson_creates_and_updates(self):
        self.one.contact(primaryPhone="+12125550101", firstName="old", lastName="kept")
        answer = self.done(self.lines({"primaryPhone": "+1 (212) 555-0101", "firstName": "new"},
                                      {"primaryPhone": "+12125550102", "doNotCall": True}))
        self.assertEqual(answer,
                         {"rows": 2, "created": 1, "updated": 1, "rejected": 0, "errors": []})
        made = self.contacts()
        self.assertEqual((made["+12125550101"]["firstName"], made["+12125550101"]["lastName"]),
                         ("new", "kept"))
        self.assertIs(made["+12125550102"]["doNotCall"], True)

    def test_a_later_row_of_the_same_number_updates_the_earlier_one(self):
        answer = self.done(self.lines({"primaryPhone": "+12125550101", "firstName": "a"},
                                      {"primaryPhone": "+12125550101", "lastName": "b"}))
        self.assertEqual((answer["created"], answer["updated"]), (1, 1))
        contact = self.contacts()["+12125550101"]
        self.assertEqual((contact["firstName"], contact["lastName"]), ("a", "b"))

    def test_bad_rows_are_told_by_their_number_and_good_ones_kept(self):
        self.attribute("age", "number")
        text = "\n".join([
            '{"primaryPhone": "+12125550101"}',
            "nonsense",
            "",
            '["+12125550102"]',
            '{"primaryPhone": "12"}',
            '{"firstName": "x"}',
            '{"primaryPhone": "+12125550103", "customAttributes": {"age": "old", "nope": 1}}',
            '{"primaryPhone": "+12125550104", "shoe": 1}',
            '{"primaryPhone": "+12125550104", "primaryPhone": "+12125550105"}',
            '{"primaryPhone": "+12125550106", "timezone": "Mars/Olympus"}',
            '{"primaryPhone": "+12125550107", "customAttributes": {"age": 3}}'])
        answer = self.done("\ufeff" + text)
        self.assertEqual((answer["rows"], answer["created"], answer["rejected"]), (10, 2, 8))
        self.assertEqual([e["row"] for e in answer["errors"]], list(range(2, 10)))
        for error, word in zip(answer["errors"], (
                "JSON", "object", "primaryPhone", "primaryPhone is required", "age must be a number",
                "shoe", "duplicate", "timezone")):
            self.assertEqual(set(error), {"row", "message"})
            self.assertIn(word, error["message"])
        self.assertIn("nope", answer["errors"][4]["message"])
        self.assertEqual(sorted(self.contacts()), ["+12125550101", "+12125550107"])

    def test_the_first_hundred_errors_are_told_in_order(self):
        rows = []
        for i in range(2000):
            good = {"primaryPhone": f"+1312555{i:04d}"}
            if i % 10 == 3:
                good["customAttributes"] = {"nope": 1}  # found out by the directory
            rows.append("bad" if i % 10 == 7 else json.dumps(good))
        answer = self.done("\n".join(rows))
        self.assertEqual((answer["rows"], answer["created"], answer["rejected"]),
                         (2000, 1600, 400))
        self.assertEqual([e["row"] for e in answer["errors"]],
                         [i + 1 for i in range(500) if i % 10 in (3, 7)])

    def test_hostile_lines_are_bad_rows(self):
        long = json.dumps({"primaryPhone": "+12125550101", "firstName": "x" * 70000})
        answer = self.done("\n".join([
            long, "[" * 60000, '{"primaryPhone": "+12125550102", "firstName": "\\u0000"}',
            '{"primaryPhone": "+12125550103", "lastName": 1e400}',
            '{"primaryPhone": "+12125550104"}', long]))
        self.assertEqual((answer["rows"], answer["created"]), (6, 1))
        self.assertEqual([e["row"] for e in answer["errors"]], [1, 2, 3, 4, 6])
        self.assertIn("64 KiB", answer["errors"][0]["message"])
        answer = self.done(b'{"primaryPhone": "+12125550105", "firstName": "\xff"}\n')
        self.assertEqual(answer["rejected"], 1)

    def test_nothing_is_no_rows(self):
        self.assertEqual(self.done(""),
                         {"rows": 0, "created": 0, "updated": 0, "rejected": 0, "errors": []})


class Csv(Case):
    def test_properties_and_attributes_by_name(self):
        for name, kind in (("city", "string"), ("balance", "number"), ("vip", "boolean"),
                           ("since", "date"), ("firstNames", "string")):
            self.attribute(name, kind)
        answer = self.done(
            "\ufeffprimaryPhone,firstName,lastName,doNotCall,city,customAttributes.balance,vip,"
            "since\r\n"
            '+1 (212) 555-0101,Zoë,"O\'Brien, Jr.",TRUE,"a ""b""\r\nc",-12.50,yes,2026-01-02\r\n'
            "\r\n"
            "+12125550102,,, false , x ,,,", CSV)
        self.assertEqual((answer["rows"], answer["created"]), (2, 1))
        self.assertEqual(answer["errors"][0]["row"], 2)
        self.assertIn("doNotCall", answer["errors"][0]["message"])
        contact = self.contacts()["+12125550101"]
        self.assertEqual(
            (contact["firstName"], contact["lastName"], contact["doNotCall"],
             contact["customAttributes"]),
            ("Zoë", "O'Brien, Jr.", True, {"city": 'a "b"\r\nc', "balance": -12.5, "vip": True,
                                           "since": "2026-01-02"}))

    def test_an_empty_cell_changes_nothing_and_spaces_are_kept(self):
        self.one.contact(primaryPhone="+12125550101", firstName="old")
        self.done("primaryPhone,firstName,lastName\n+12125550101,, x \n", CSV)
        contact = self.contacts()["+12125550101"]
        self.assertEqual((contact["firstName"], contact["lastName"]), ("old", " x "))

    def test_damaged_rows_are_told_and_not_guessed_at(self):
        self.attribute("balance", "number")
        answer = self.done(
            b"primaryPhone,firstName,balance\n"
            b"+12125550101,too few\n"
            b"+12125550102,one,2,too many\n"
            b'+12125550103,a "stray" quote,1\n'
            b'+12125550104,"closed"x,1\n'
            b"+12125550105,\xff,1\n"
            b"+12125550106,a\0b,1\n"
            b"+12125550107,x,0x10\n"
            b"+12125550108,x,nan\n"
            b"+12125550109,a\rb,1\n"
            b'+12125550110,"fine, really",1e2\n'
            b'+12125550111,"no end,1\n'
            b"+12125550112,x,1\n", CSV)
        self.assertEqual((answer["rows"], answer["created"]), (11, 1))
        self.assertEqual([e["row"] for e in answer["errors"]], [1, 2, 3, 4, 5, 6, 7, 8, 9, 11])
        for error, word in zip(answer["errors"], (
                "2 cells", "4 cells", "quote", "quote", "UTF-8", "UTF-8", "balance", "balance",
                "carriage return", "within quotes")):
            self.assertIn(word, error["message"])
        self.assertEqual(list(self.contacts()), ["+12125550110"])

    def test_a_quote_that_is_never_closed_costs_64_kib_and_no_more(self):
        rows = "".join(f"+1312555{i:04d},{'x' * 60}\n" for i in range(2000))
        answer = self.done('primaryPhone,firstName\n+12125550101,"open\n' + rows, CSV)
        self.assertEqual(answer["rejected"], 1)
        self.assertEqual(answer["errors"][0]["row"], 1)
        self.assertIn("too long", answer["errors"][0]["message"])
        self.assertGreater(answer["created"], 2000 - 65536 // 70)

    def test_a_header_that_will_not_do_refuses_the_whole(self):
        for text, path in (("primaryPhone,shoe size\n+12125550101,43\n", "shoe size"),
                           ("phone\n+12125550101\n", "primaryPhone"),
                           ("primaryPhone,firstName,firstName\n", "firstName"),
                           ("primaryPhone,\n", "header"), ("", "header"), ('"primaryPhone', "header"),
                           ("primaryPhone\n+12125550101\n".encode("utf-16"), "header"),
                           ("primaryPhone," * 2000 + "\n", "header")):
            with self.subTest(text=text[:40]):
                body = self.invalid(self.send(text, CSV))
                self.assertIn(path, [detail["path"] for detail in body["details"]])
        self.assertEqual(self.contacts(), {})

    def test_every_unknown_column_is_named(self):
        self.invalid(self.send("a,primaryPhone,b,customAttributes.c\n", CSV),
                     "a", "b", "customAttributes.c")


class Audience(Case):
    def test_the_contacts_join_it_once(self):
        audience = self.one.audience([self.one.contact(primaryPhone="+12125550101")])
        text = self.lines(*({"primaryPhone": f"+121255501{i:02d}"} for i in (1, 2, 3, 2)))
        for created in (2, 0):
            answer = self.done(text + "bad\n", query=f"?audienceId={audience['id']}")
            self.assertEqual((answer["created"], answer["rejected"]), (created, 1))
            self.assertEqual(
                self.api.read(f"/api/audiences/{audience['id']}")["contactCount"], 3)
        self.assertEqual(len(self.api.pages(f"/api/audiences/{audience['id']}/contacts")), 3)

    def test_an_unknown_one_is_404_before_a_row_is_read(self):
        text = self.lines({"primaryPhone": "+12125550101"})
        self.fails(self.send(text, query=f"?audienceId={unknown_id()}"), 404,
                   "AudienceNotFoundError")
        other = Organisation(self.daemon).audience()
        self.fails(self.send(text, query=f"?audienceId={other['id']}"), 404,
                   "AudienceNotFoundError")
        self.invalid(self.send(text, query="?audienceId=7"), "audienceId")
        self.invalid(self.send(text, query="?audience=7"), "audience")
        self.assertEqual(self.contacts(), {})


class Refusals(Case):
    def test_other_types_are_415(self):
        for kind in ("application/json", "text/plain", "text/csv; charset=latin1", None):
            with self.subTest(kind=kind):
                self.fails(self.send("primaryPhone\n", kind), 415, "UnsupportedMediaTypeError")
        self.done("primaryPhone\n", "text/csv; charset=UTF-8; header=present")

    def test_the_key_and_its_role_come_first(self):
        worker = self.daemon.client(self.daemon.worker_key())
        headers = {"Content-Type": "text/nothing"}
        self.fails(worker.request("POST", PATH, raw=b"x" * 100000, headers=headers), 403,
                   "ForbiddenError")
        nobody = self.daemon.client("od_wrong")
        self.fails(nobody.request("POST", PATH, raw=b"x" * 100000, headers=headers), 401,
                   "UnauthorizedError")

    def test_a_large_body_is_not_read_for_who_may_not_send_it(self):
        """The answer comes while the body is on its way, and is not lost to a reset."""
        with self.daemon.connect() as connection:
            connection.sendall(self.head("Content-Length: 100000000", kind="text/plain"))
            response = read_response(connection)
            self.fails(response, 415, "UnsupportedMediaTypeError")
            self.assertEqual(response.headers["Connection"], "close")
            connection.settimeout(30)
            with contextlib.suppress(OSError):
                while True:
                    connection.sendall(b"x" * 65536)
        self.assertTrue(self.api.read("/api/organization"))


class Idempotency(Case):
    """The body is a part of the request, though it is not held."""

    def test_the_same_again_is_answered_and_not_done(self):
        text = self.lines({"primaryPhone": "+12125550101", "firstName": "a"}) + "bad\n"
        first = self.send(text, **{"Idempotency-Key": "one"})
        self.assertEqual((expect(first, 200)["created"], first.json["rejected"]), (1, 1))
        contact = self.contacts()["+12125550101"]
        self.api.change(f"/api/contacts/{contact['id']}", {"firstName": "b"})
        for _ in range(2):
            again = self.send(text, **{"Idempotency-Key": "one"})
            self.assertEqual(again.headers["Idempotent-Replayed"], "true")
            self.assertEqual((again.status, again.json), (200, first.json))
        self.assertEqual(self.contacts()["+12125550101"]["firstName"], "b")

    def test_another_body_under_the_key_is_422_and_not_taken(self):
        expect(self.send(self.lines({"primaryPhone": "+12125550101"}),
                         **{"Idempotency-Key": "two"}), 200)
        self.fails(self.send(self.lines({"primaryPhone": "+12125550102"}),
                             **{"Idempotency-Key": "two"}), 422, "IdempotencyKeyReusedError")
        self.assertEqual(list(self.contacts()), ["+12125550101"])

    def test_a_key_that_is_none(self):
        self.invalid(self.send("", **{"Idempotency-Key": "x" * 256}), "Idempotency-Key")

    def test_a_refusal_is_not_kept(self):
        self.invalid(self.send("phone\n", CSV, **{"Idempotency-Key": "three"}))
        expect(self.send("primaryPhone\n", CSV, **{"Idempotency-Key": "three"}), 200)

    @contextlib.contextmanager
    def begun(self, text, key):
        """An import of which one half has been sent. Gives what sends the other one."""
        half = len(text) // 2
        with self.daemon.connect() as connection:
            connection.sendall(self.head(f"Content-Length: {len(text)}", f"Idempotency-Key: {key}")
                               + text[:half])
            wait_until(lambda: len(self.contacts()) > 0, "the first rows")

            def finish():
                connection.sendall(text[half:])
                return read_response(connection)

            yield finish

    def rows(self, count):
        return self.lines(*({"primaryPhone": f"+1212556{i:04d}"} for i in range(count))).encode()

    @contextlib.contextmanager
    def sent(self, text, key):
        """An import that the daemon has begun with, and whose body has been sent."""
        with self.daemon.connect() as connection:
            connection.sendall(self.head(f"Content-Length: {len(text)}", f"Idempotency-Key: {key}",
                                         "Expect: 100-continue"))
            interim = b""
            while not interim.endswith(b"\r\n\r\n"):
                interim += connection.recv(1)
            self.assertTrue(interim.startswith(b"HTTP/1.1 100 "), interim)
            connection.sendall(text)
            yield connection

    def test_the_same_while_the_first_is_under_way_waits_and_is_not_done(self):
        text = self.rows(40)
        with self.begun(text, "five") as finish, self.sent(text, "five") as second, \
                self.sent(self.rows(3), "five") as third:
            self.fails(self.api.post("/api/audiences", {"name": "x"},
                                     headers={"Idempotency-Key": "five"}),
                       422, "IdempotencyKeyReusedError")
            self.assertLess(len(self.contacts()), 40)
            first = finish()
            self.assertEqual((expect(first, 200)["created"], first.json["updated"]), (40, 0))
            again = read_response(second)
            self.assertEqual((again.status, again.json), (200, first.json))
            self.assertEqual(again.headers["Idempotent-Replayed"], "true")
            self.fails(read_response(third), 422, "IdempotencyKeyReusedError")

    def test_when_the_first_is_cut_off_the_second_is_503_and_the_key_may_be_used_again(self):
        text = self.rows(40)
        with contextlib.ExitStack() as first:
            first.enter_context(self.begun(text, "six"))
            with self.sent(text, "six") as second:
                first.close()
                self.fails(read_response(second), 503, "UnavailableError")
        taken = len(self.contacts())
        self.assertIn(taken, range(1, 21))
        answer = expect(self.send(text, **{"Idempotency-Key": "six"}), 200)
        self.assertEqual((answer["created"], answer["updated"]), (40 - taken, taken))


class Wire(Case):
    """How the body comes."""

    def chunked(self, *pieces, end=b"0\r\n\r\n"):
        return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + end

    def test_chunks_may_fall_anywhere(self):
        text = self.lines(*({"primaryPhone": f"+1312555{i:04d}"} for i in range(300))).encode()
        for size in (1, 7, 4096, len(text)):
            with self.subTest(size=size):
                pieces = [text[i:i + size] for i in range(0, len(text), size)]
                with self.daemon.connect() as connection:
                    connection.sendall(self.head("Transfer-Encoding: chunked")
                                       + self.chunked(*pieces))
                    answer = expect(read_response(connection), 200)
                self.assertEqual(answer["rows"], 300)
        self.assertEqual(len(self.contacts()), 300)

    def test_byte_by_byte(self):
        text = self.lines({"primaryPhone": "+12125550101"}, {"primaryPhone": "+12125550102"})
        with self.daemon.connect() as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in self.head("Transfer-Encoding: chunked") + self.chunked(text.encode()):
                connection.sendall(bytes([byte]))
            self.assertEqual(expect(read_response(connection), 200)["created"], 2)

    def test_requests_before_and_behind_are_answered_in_order(self):
        get = (f"GET /api/organization HTTP/1.1\r\nHost: x\r\nX-API-Key: {self.one.key}\r\n"
               "X-Request-Id: {}\r\n\r\n")
        text = self.lines({"primaryPhone": "+12125550101"}).encode()
        bodies = [(self.head("Transfer-Encoding: chunked"), self.chunked(text)),
                  (self.head(f"Content-Length: {len(text)}"), text)]
        data = get.format("first").encode()
        for i, (head, body) in enumerate(bodies):
            data += head[:-2] + f"X-Request-Id: import-{i}\r\n\r\n".encode() + body
        data += get.format("last").encode()
        with self.daemon.connect() as connection:
            connection.sendall(data)
            seen = b""
            while seen.count(b"\r\n\r\n") < 4 or seen.count(b'"createdAt"') < 2:
                more = connection.recv(65536)
                self.assertTrue(more, seen)
                seen += more
        places = [seen.index(word) for word in (b"first", b"import-0", b"import-1", b"last")]
        self.assertEqual(places, sorted(places))
        self.assertEqual(seen.count(b"200 OK"), 4)
        self.assertIn(b'"created":1,"updated":0', seen)
        self.assertIn(b'"created":0,"updated":1', seen)

    def test_a_kept_connection_serves_on(self):
        for i in range(3):
            self.assertEqual(self.done(self.lines({"primaryPhone": f"+1212555010{i}"}))["rows"], 1)
            self.assertTrue(self.api.read("/api/organization"))

    def test_expect_is_answered_when_all_but_the_body_is_good(self):
        text = self.lines({"primaryPhone": "+12125550101"}).encode()
        for headers, body in (((f"Content-Length: {len(text)}",), text),
                              (("Transfer-Encoding: chunked",), self.chunked(text))):
            with self.daemon.connect() as connection:
                connection.sendall(self.head("Expect: 100-continue", *headers))
                self.assertTrue(connection.recv(1000).startswith(b"HTTP/1.1 100 "))
                connection.sendall(body)
                self.assertEqual(expect(read_response(connection), 200)["rows"], 1)
        with self.daemon.connect() as connection:
            connection.sendall(self.head("Expect: 100-continue", "Content-Length: 9", kind="a/b"))
            self.fails(read_response(connection), 415, "UnsupportedMediaTypeError")

    def test_broken_chunks_end_it_and_good_rows_are_kept(self):
        text = self.lines({"primaryPhone": "+12125550101"}).encode()
        for i, bad in enumerate((b"x\r\n", b"5\r\nabcdefg\r\n", b"\r\n", b"-1\r\n", b"0x5\r\n",
                                 b"1" * 20 + b"\r\n", b"5;" + b"a" * 300 + b"\r\n", b"5\n",
                                 b"0\r\nbad trailer\r\n\r\n", b"0\r\n" + b"a: b\r\n" * 1000)):
            with self.subTest(bad=bad[:20]):
                response = self.daemon.raw(self.head("Transfer-Encoding: chunked")
                                           + self.chunked(text, end=bad))
                self.assertIn(response.status, (400, 431))
                self.assertIn("error", response.json)
                self.assertEqual(list(self.contacts()), ["+12125550101"], i)

    def test_extensions_and_trailers_are_dropped(self):
        text = self.lines({"primaryPhone": "+12125550101"}).encode()
        response = self.daemon.raw(
            self.head("Transfer-Encoding: chunked")
            + b'%x;name="value"\r\n%s\r\n0\r\nX-Checksum: 1\r\n\r\n' % (len(text), text))
        self.assertEqual(expect(response, 200)["created"], 1)

    def test_a_client_that_goes_leaves_what_was_taken(self):
        text = self.lines(*({"primaryPhone": f"+1312555{i:04d}"} for i in range(1000))).encode()
        with self.daemon.connect() as connection:
            connection.sendall(self.head("Content-Length: 100000000") + text)
            self.wait_contacts(1000)
        with self.daemon.connect() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.sendall(self.head("Transfer-Encoding: chunked")
                               + self.chunked(b'{"primaryPhone": "+12125550199"}\n', end=b""))
            self.wait_contacts(1001)
        self.assertTrue(self.api.read("/api/organization"))

    def wait_contacts(self, count):
        wait_until(lambda: len(self.contacts()) == count, f"{count} contacts")

    def test_rows_of_a_slow_client_do_not_wait_for_the_next_ones(self):
        with self.daemon.connect() as connection:
            connection.sendall(self.head("Transfer-Encoding: chunked"))
            for i in range(1, 4):
                connection.sendall(self.chunked(
                    f'{{"primaryPhone": "+1212555010{i}"}}\n'.encode(), end=b""))
                self.wait_contacts(i)
            connection.sendall(b"0\r\n\r\n")
            self.assertEqual(expect(read_response(connection), 200)["created"], 3)

    def test_a_client_that_ends_its_half_behind_the_body_gets_its_answer(self):
        text = self.lines({"primaryPhone": "+12125550101"}).encode()
        with self.daemon.connect() as connection:
            connection.sendall(self.head(f"Content-Length: {len(text)}") + text)
            connection.shutdown(socket.SHUT_WR)
            self.assertEqual(expect(read_response(connection), 200)["created"], 1)


class Large(Case):
    measures_memory = True

    def rows(self, count, width):
        row = '{"primaryPhone": "+1312%07d", "firstName": "' + "x" * width + '"}\n'
        return (row % (i % 5000) for i in range(count))

    def post(self, rows):
        connection = http.client.HTTPConnection("127.0.0.1", self.daemon.port, timeout=120)
        with contextlib.closing(connection):
            connection.request("POST", PATH, body=(row.encode() for row in rows),
                               headers={"X-API-Key": self.one.key, "Content-Type": NDJSON},
                               encode_chunked=True)
            answer = connection.getresponse()
            self.assertEqual(answer.status, 200)
            return json.loads(answer.read())

    def test_memory_does_not_grow_with_the_length(self):
        """Every row is of a contact that is there already, so the store does not grow either."""
        self.post(self.rows(5000, 40))
        before = self.daemon.memory()
        answer = self.post(self.rows(40000, 40))
        self.assertEqual((answer["rows"], answer["updated"]), (40000, 40000))
        self.assertLess(self.daemon.memory() - before, 8 * 1024)

    def test_a_body_above_the_limit_of_others(self):
        """12 MiB where other bodies may have 8; bad rows, so that it is fast."""
        text = (b"x" * 1023 + b"\n") * (12 * 1024)
        answer = self.done(text)
        self.assertEqual((answer["rows"], answer["rejected"]), (12 * 1024, 12 * 1024))

    def test_who_sends_faster_than_the_disk_is_held_up(self):
        """Others are served meanwhile, and what is not written yet is not held here."""
        with self.daemon.connect() as connection:
            connection.sendall(self.head("Transfer-Encoding: chunked"))
            piece = "".join(self.rows(500, 40)).encode()
            chunk = b"%x\r\n%s\r\n" % (len(piece), piece)
            stop = threading.Event()
            before = self.daemon.memory()

            def send():
                with contextlib.suppress(OSError):
                    while not stop.is_set():
                        connection.sendall(chunk)
                    connection.sendall(b"0\r\n\r\n")

            sender = threading.Thread(target=send)
            sender.start()
            try:
                worst, end = 0.0, time.monotonic() + 2
                while time.monotonic() < end:
                    begun = time.monotonic()
                    self.api.read("/api/organization")
                    worst = max(worst, time.monotonic() - begun)
                grown = self.daemon.memory() - before
            finally:
                stop.set()
                sender.join()
            answer = expect(read_response(connection), 200)
        self.assertGreater(answer["rows"], 500)
        self.assertEqual(answer["rejected"], 0)
        self.assertLess(worst, 1.0)
        self.assertLess(grown, 16 * 1024)


class Drain(Story):
    def test_a_drain_answers_503_and_keeps_what_was_taken(self):
        one = Organisation(self.daemon)
        with self.daemon.connect() as connection:
            connection.sendall(
                (f"POST {PATH} HTTP/1.1\r\nHost: x\r\nX-API-Key: {one.key}\r\n"
                 f"Content-Type: {NDJSON}\r\nContent-Length: 1000000\r\n\r\n"
                 '{"primaryPhone": "+12125550101"}\n').encode())
            wait_until(lambda: one.api.read("/api/contacts")["data"], "the first row")
            stopper = threading.Thread(target=self.daemon.stop)
            stopper.start()
            response = read_response(connection)
            self.fails(response, 503, "UnavailableError")
            self.assertEqual(response.headers["Retry-After"], "1")
            stopper.join()
        self.daemon.start()
        self.assertEqual(len(one.api.read("/api/contacts")["data"]), 1)


@unittest.skipUnless(os.path.exists("/usr/bin/curl"), "curl is not installed")
class Curl(Case):
    def test_curl_sends_a_file(self):
        text = self.lines(*({"primaryPhone": f"+1312555{i:04d}"} for i in range(5000)))
        for how in (["--data-binary", "@-"], ["-T", "-", "-X", "POST"]):
            done = subprocess.run(
                ["curl", "-sS", *how, "-H", f"Authorization: Bearer {self.one.key}",
                 "-H", f"Content-Type: {NDJSON}", f"http://127.0.0.1:{self.daemon.port}{PATH}"],
                input=text, capture_output=True, text=True, check=True, timeout=60)
            self.assertEqual(json.loads(done.stdout)["rows"], 5000)


if __name__ == "__main__":
    main()
