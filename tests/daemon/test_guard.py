#!/usr/bin/env python3
"""What stands between the network and the daemon: deadlines, limits, and requests that no client
library would send. All over raw sockets."""

import contextlib
import json
import os
import resource
import socket
import threading
import time

from outdial_daemon import (Client, Organisation, Story, expect, main, read_response, wait_until)

SHORT = """[server]
idle_timeout_seconds = 1
header_timeout_seconds = 1
body_timeout_seconds = 1
import_timeout_seconds = 1
response_timeout_seconds = 1
"""


def seconds_until_closed(connection, feed=None):
    """How long the daemon keeps it; `feed` is called again and again meanwhile."""
    begun = time.monotonic()
    connection.settimeout(0.2)
    while time.monotonic() - begun < 30:
        with contextlib.suppress(TimeoutError):
            try:
                if feed is not None:
                    feed()
                if not connection.recv(65536):
                    return time.monotonic() - begun
            except (ConnectionError, BrokenPipeError):
                return time.monotonic() - begun
    raise AssertionError("the daemon keeps the connection")


class Case(Story):
    share_daemon = True

    def setUp(self):
        super().setUp()
        self.daemon.admin.close()  # it may have been idle for too long
        self.one = Organisation(self.daemon)
        self.api = self.one.api

    def head(self, line, *headers):
        return "\r\n".join([line, "Host: x", f"X-API-Key: {self.one.key}",
                            "Content-Type: application/json", *headers, "", ""]).encode()

    def alive(self):
        self.assertEqual(Client(self.daemon, self.one.key).read("/api/organization")["id"],
                         self.one.id)


class Deadlines(Case):
    """Each phase has its own, and bytes that dribble do not put it off."""

    config = SHORT

    def test_without_a_request(self):
        with self.daemon.connect() as connection:
            self.assertGreater(seconds_until_closed(connection), 0.9)
        with self.daemon.connect() as connection:
            connection.sendall(self.head("GET /api/organization HTTP/1.1"))
            expect(read_response(connection), 200)
            seconds_until_closed(connection)

    def test_of_headers(self):
        with self.daemon.connect() as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ")
            self.assertLess(seconds_until_closed(connection, lambda: connection.sendall(b"a")), 5)
        self.alive()

    def test_of_a_body(self):
        for headers in (["Content-Length: 1000"], ["Transfer-Encoding: chunked"]):
            with self.subTest(headers=headers), self.daemon.connect() as connection:
                connection.sendall(self.head("POST /api/audiences HTTP/1.1", *headers))
                feed = b"1\r\na\r\n" if "chunked" in headers[0] else b"a"
                self.assertLess(
                    seconds_until_closed(connection, lambda: connection.sendall(feed)), 6)
        self.alive()

    def test_of_an_import_that_stands_still(self):
        with self.daemon.connect() as connection:
            connection.sendall(self.head("POST /api/contacts/import HTTP/1.1",
                                         "Transfer-Encoding: chunked").replace(
                                             b"application/json", b"application/x-ndjson"))
            row = b'{"primaryPhone": "+12125550101"}\n'
            end = time.monotonic() + 3
            while time.monotonic() < end:  # while it moves it is kept
                connection.sendall(b"%x\r\n%s\r\n" % (len(row), row))
                threading.Event().wait(0.1)
            self.assertLess(seconds_until_closed(connection), 5)
        self.alive()

    def test_of_a_client_that_does_not_take_its_response(self):
        """It asks for so much that the buffers of both sockets are full, and reads nothing."""
        for i in range(0, 300, 100):
            self.api.create("/api/contacts/upsert", {"data": [
                {"primaryPhone": f"+1312555{i + j:04d}", "firstName": "x" * 64,
                 "lastName": "y" * 64, "fullName": "z" * 64} for j in range(100)]}, 200)
        request = self.head("GET /api/contacts?limit=100 HTTP/1.1")
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", self.daemon.port))
            connection.settimeout(0.2)
            end, sent = time.monotonic() + 30, 0
            with contextlib.suppress(ConnectionError):
                while time.monotonic() < end:
                    with contextlib.suppress(TimeoutError):
                        sent += connection.send(request)
                    threading.Event().wait(0.01)
                raise AssertionError(f"the daemon waits for ever after {sent} bytes")
        self.alive()

    def test_of_a_client_that_does_not_take_the_pieces_of_a_list(self):
        self.many_contacts()
        with self.slow_connection() as connection:
            connection.sendall(self.head("GET /api/contacts HTTP/1.1", "Accept: text/csv"))
            wait_until(lambda: self.connections() > 1, "it is there")
            wait_until(lambda: self.connections() == 1, "the daemon cuts it off")
        self.alive()

    def test_of_a_piece_begins_anew_with_each(self):
        """It takes longer than the deadline of one piece for all of them, and each piece in time."""
        self.many_contacts()
        with self.slow_connection() as connection:
            connection.sendall(self.head("GET /api/contacts HTTP/1.1", "Accept: text/csv"))
            begun, content, bytes_per_second = time.monotonic(), b"", 500_000
            while not content.endswith(b"0\r\n\r\n"):
                piece = connection.recv(4096)
                self.assertTrue(piece, f"cut off after {len(content)} bytes")
                content += piece
                ahead = len(content) / bytes_per_second - (time.monotonic() - begun)
                threading.Event().wait(max(0, ahead))
            self.assertGreater(time.monotonic() - begun, 4, f"{len(content)} bytes in all")
        self.alive()

    def many_contacts(self):
        """3 MB of them: more than the buffers of both sockets hold."""
        for thousand in range(6):
            self.api.create("/api/contacts/upsert", {"data": [
                {"primaryPhone": f"+1313{thousand}{j:06d}", "firstName": "x" * 64,
                 "lastName": "y" * 64, "fullName": "z" * 64,
                 "primaryEmail": "e" * 240 + "@example.org"} for j in range(1000)]}, 200)

    def slow_connection(self):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(30)
        connection.connect(("127.0.0.1", self.daemon.port))
        self.api.close()
        return connection

    def connections(self):
        """That the daemon has, with the one that asks."""
        text = Client(self.daemon).get("/metrics").json
        return int(next(line.split()[1] for line in text.splitlines()
                        if line.startswith("outdial_http_connections")))

    def test_a_claim_that_waits_is_not_cut(self):
        worker = self.worker()
        begun = time.monotonic()
        self.assertEqual(worker.claim(wait_ms=3000), [])
        self.assertGreater(time.monotonic() - begun, 2.5)


class Limits(Case):
    config = "[server]\nmax_connections = 60\nmax_connections_per_address = 20\n"

    def test_connections_of_one_address(self):
        with contextlib.ExitStack() as stack:
            open_ones = [stack.enter_context(self.daemon.connect()) for _ in range(19)]
            for connection in open_ones[:-1]:
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertEqual(read_response(connection).status, 200)
            last = stack.enter_context(self.daemon.connect())
            more = stack.enter_context(self.daemon.connect())
            for connection in (last, more):
                with contextlib.suppress(OSError):
                    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            self.fails(read_response(more), 503, "UnavailableError")
            with socket.socket() as other:  # another address has a count of its own
                other.bind(("127.0.0.2", 0))
                other.connect(("127.0.0.1", self.daemon.port))
                other.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertEqual(read_response(other).status, 200)
        wait_until(lambda: self.api.get("/api/organization").status == 200, "room again")


class Descriptors(Story):
    def test_when_they_are_used_up_the_listener_rests_and_comes_back(self):
        one = Organisation(self.daemon)
        process = self.daemon.process.pid
        lines = self.daemon.log_tail(1 << 20).count("\n")
        self.assertLess(len(os.listdir(f"/proc/{process}/fd")), 64)
        resource.prlimit(process, resource.RLIMIT_NOFILE, (64, 64))
        with contextlib.ExitStack() as stack:
            for _ in range(200):
                stack.enter_context(self.daemon.connect())

            def cpu():
                with open(f"/proc/{process}/stat", encoding="ascii") as file:
                    fields = file.read().rsplit(")", 1)[1].split()
                return int(fields[11]) + int(fields[12])

            wait_until(lambda: "no connection can be accepted" in self.daemon.log_tail(),
                       "the log tells of it")
            before, begun = cpu(), time.monotonic()
            threading.Event().wait(1)
            self.assertLess((cpu() - before) / 100 / (time.monotonic() - begun), 0.2)
        wait_until(lambda: Client(self.daemon, one.key).get("/api/organization").status == 200,
                   "it serves again")
        self.assertLess(self.daemon.log_tail(1 << 20).count("no connection can be accepted"), 5)
        self.assertLessEqual(self.daemon.log_tail(1 << 20).count("\n") - lines, 10)


class Requests(Case):
    """Each is one error in JSON, and the connection ends; nothing is taken as a second request."""

    def ask(self, data):
        return self.daemon.raw(data if isinstance(data, bytes) else data.encode("latin-1"))

    def test_what_could_be_read_in_two_ways(self):
        smuggled = "GET /api/organization HTTP/1.1\r\nHost: x\r\n\r\n"
        line = "POST /api/audiences HTTP/1.1\r\nHost: x\r\n"
        for name, text in {
                "two equal lengths": "Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
                "length and chunks": "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "chunks and length": "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
                "two codings": "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n",
                "a list of lengths": "Content-Length: 0, 0\r\n\r\n",
                "a folded length": "Content-Length:\r\n 0\r\n\r\n",
                "a space before the colon": "Content-Length : 0\r\n\r\n",
                "a bare LF": "X-A: b\nContent-Length: 0\r\n\r\n",
                "a bare CR": "X-A: b\rContent-Length: 0\r\n\r\n",
                "an empty name": ": x\r\n\r\n",
                "a NUL": "X-A: \0\r\n\r\n",
                "two hosts": "Host: y\r\n\r\n",
                "a length that is too long": "Content-Length: 99999999999999999999999\r\n\r\n",
        }.items():
            with self.subTest(name), self.daemon.connect() as connection:
                connection.sendall((line + text + smuggled).encode("latin-1"))
                seen = b""
                with contextlib.suppress(ConnectionError):
                    while more := connection.recv(65536):
                        seen += more
                self.assertEqual(seen.count(b"HTTP/1.1 "), 1, seen)
                self.assertIn(b"Connection: close\r\n", seen)
                body = json.loads(seen.split(b"\r\n\r\n", 1)[1])
                self.assertIn(body["statusCode"], (400, 413))
        self.alive()

    def test_other_codings_are_501(self):
        self.fails(self.ask(self.head("POST /api/audiences HTTP/1.1",
                                      "Transfer-Encoding: gzip, chunked")),
                   501, "NotImplementedError")

    def test_targets_that_evhttp_would_answer_itself(self):
        for target in ("/a\"b", "/a<b", "/a|b", "/a\\b", "/%zz", "/%", "/[", "/a?b=[", "/{}", "/^`",
                       "/:80", "/@", "/a:b", "/;", "/?", "/??", "/%2f%2e%2e/x"):
            with self.subTest(target=target):
                response = self.ask(self.head(f"GET {target} HTTP/1.1"))
                self.assertEqual(response.headers["Content-Type"],
                                 "application/json; charset=utf-8")
                self.assertIn(response.status, (400, 404))
                self.assertIn("error", response.json)

    def test_a_post_without_a_length_that_is_kept_alive(self):
        """evhttp takes "Connection: keep-alive" without a length for a defect."""
        response = self.ask(self.head("POST /api/audiences HTTP/1.1", "Connection: keep-alive"))
        self.fails(response, 400, "ValidationError")

    def test_methods(self):
        for method in ("PROPFIND", "FOO", "CONNECT", "OPTIONS", "TRACE", "HEAD", "get"):
            with self.subTest(method=method), self.daemon.connect() as connection:
                connection.sendall(self.head(f"{method} /api/contacts HTTP/1.1"))
                response = read_response(connection, method)
                self.assertIn(response.status, (405, 501))

    def test_chunks_are_read_by_every_route(self):
        body = json.dumps({"name": "chunked"}).encode()
        for size in (1, 5, len(body)):
            chunks = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + size]), body[i:i + size])
                              for i in range(0, len(body), size))
            response = self.ask(self.head("POST /api/audiences HTTP/1.1",
                                          "Transfer-Encoding: chunked") + chunks + b"0\r\n\r\n")
            self.assertEqual(expect(response, 201)["name"], "chunked")
        response = self.ask(self.head("POST /api/audiences HTTP/1.1",
                                      "Transfer-Encoding: chunked") + b"0\r\n\r\n")
        self.fails(response, 400, "ValidationError")

    def test_chunks_have_the_limit_of_other_bodies(self):
        with self.daemon.connect() as connection:
            connection.sendall(self.head("POST /api/audiences HTTP/1.1",
                                         "Transfer-Encoding: chunked"))
            chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
            with contextlib.suppress(OSError):
                for _ in range(9):
                    connection.sendall(chunk)
            response = read_response(connection)
            self.fails(response, 413, "PayloadTooLargeError")
            self.assertEqual(response.headers["Connection"], "close")
        self.alive()

    def test_chunks_after_100_continue(self):
        with self.daemon.connect() as connection:
            connection.sendall(self.head("POST /api/audiences HTTP/1.1", "Expect: 100-continue",
                                         "Transfer-Encoding: chunked"))
            self.assertTrue(connection.recv(1000).startswith(b"HTTP/1.1 100 "))
            connection.sendall(b'e\r\n{"name": "abc"\r\n1\r\n}\r\n0\r\n\r\n')
            expect(read_response(connection), 201)

    def test_many_requests_in_one_piece(self):
        """Of all framings, in order, on one connection."""
        body = b'{"name": "%d"}'
        data, count = b"", 60
        for i in range(count):
            text = body % (1000 + i)
            if i % 3 == 0:
                data += self.head("POST /api/audiences HTTP/1.1",
                                  "Transfer-Encoding: chunked") + b"%x\r\n%s\r\n0\r\n\r\n" % (
                                      len(text), text)
            elif i % 3 == 1:
                data += self.head("POST /api/audiences HTTP/1.1",
                                  f"Content-Length: {len(text)}") + text
            else:
                data += self.head("GET /api/organization HTTP/1.1")
        for piece in (len(data), 997, 61):
            with self.daemon.connect() as connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

                def send(connection=connection, piece=piece):
                    for i in range(0, len(data), piece):
                        connection.sendall(data[i:i + piece])

                sender = threading.Thread(target=send)
                sender.start()
                seen = b""
                while seen.count(b'"createdAt"') < count:
                    more = connection.recv(65536)
                    self.assertTrue(more, seen[-500:])
                    seen += more
                sender.join()
            names = [seen.index(b'"name":"%d"' % (1000 + i)) for i in range(count) if i % 3 < 2]
            self.assertEqual(names, sorted(names))
            self.assertEqual(seen.count(b"HTTP/1.1 201"), count * 2 // 3)


class LargeBodies(Case):
    """Those of 64 KiB and more are parsed beside the reactor."""

    def upsert(self, count, width=30):
        for i in range(width):
            self.api.create("/api/custom-attributes", {"name": f"a{i}", "type": "string"})
        return {"data": [{"primaryPhone": f"+1312555{i:04d}",
                          "customAttributes": {f"a{j}": f"value {i} {j}" for j in range(width)}}
                         for i in range(count)]}

    def test_a_large_body_is_read_as_any_other(self):
        body = self.upsert(1000)
        answer = self.api.create("/api/contacts/upsert", body, 200)
        self.assertEqual((answer["created"], len(answer["contacts"])), (1000, 1000))
        contact = self.api.read(f"/api/contacts/{answer['contacts'][7]['id']}")
        self.assertEqual(contact["customAttributes"], body["data"][7]["customAttributes"])
        body["data"][999]["customAttributes"]["nope"] = 1
        body["data"][3]["primaryPhone"] = "x"
        self.invalid(self.api.post("/api/contacts/upsert", body), "data[3].primaryPhone",
                     "data[999].customAttributes.nope")
        self.invalid(self.api.post("/api/contacts/upsert?a=b", body), "a", "data[3].primaryPhone")
        self.invalid(self.api.request("POST", "/api/contacts/upsert", raw=b"[" + b"1," * 50000
                                      + b"1]"))
        response = self.api.request("POST", "/api/contacts/upsert", raw=b" " * 100000,
                                    headers={"Content-Type": "text/plain"})
        self.fails(response, 415, "UnsupportedMediaTypeError")

    def test_with_an_idempotency_key(self):
        body = self.upsert(300)
        first = self.api.post("/api/contacts/upsert", body, headers={"Idempotency-Key": "k"})
        self.assertEqual(expect(first, 200)["created"], 300)
        again = self.api.post("/api/contacts/upsert", body, headers={"Idempotency-Key": "k"})
        self.assertEqual((again.json, again.headers["Idempotent-Replayed"]), (first.json, "true"))

    def test_with_a_key_it_is_done_when_its_client_has_gone(self):
        """It is read in slices: the client goes while there are some left, or before the first."""
        body = self.upsert(1000)
        data = json.dumps(body).encode()
        for number in range(5):
            key = f"gone-{number}"
            with self.daemon.connect() as connection:
                connection.sendall(self.head("POST /api/contacts/upsert HTTP/1.1",
                                             f"Content-Length: {len(data)}",
                                             f"Idempotency-Key: {key}") + data)
            again = self.api.request("POST", "/api/contacts/upsert", raw=data,
                                     headers={"Idempotency-Key": key})
            self.assertEqual(len(expect(again, 200)["contacts"]), 1000)

    def test_many_at_once_and_some_whose_clients_go(self):
        body = json.dumps(self.upsert(200)).encode()
        good = self.head("POST /api/contacts/upsert HTTP/1.1", f"Content-Length: {len(body)}") + body
        bad = good.replace(b'"primaryPhone"', b'"primaryPhonE"')
        with contextlib.ExitStack() as stack:
            open_ones = []
            for i in range(30):
                connection = stack.enter_context(self.daemon.connect())
                connection.sendall(bad if i % 3 == 1 else good)
                if i % 3 == 2:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                          b"\1\0\0\0\0\0\0\0")
                    connection.close()
                else:
                    open_ones.append((connection, 400 if i % 3 == 1 else 200))
            for connection, status in open_ones:
                self.assertEqual(read_response(connection).status, status)
        self.alive()

    def test_a_stop_while_they_are_parsed(self):
        body = json.dumps(self.upsert(1000)).encode()
        daemon = self.start_daemon()
        one = Organisation(daemon)
        with contextlib.ExitStack() as stack:
            for _ in range(10):
                connection = stack.enter_context(daemon.connect())
                connection.sendall(
                    f"POST /api/contacts/upsert HTTP/1.1\r\nHost: x\r\nX-API-Key: {one.key}\r\n"
                    f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                    + body)
            daemon.stop()
            daemon.start()


class Bodies(Case):
    """Hostile JSON is a 400 or a 413, at once, and leaves nothing behind."""

    measures_memory = True

    def test_hostile_bodies(self):
        deep = b"[" * 100000
        cases = {
            "depth": deep, "depth of objects": b'{"a":' * 100000,
            "tokens": b'{"a":[' + b"{}," * 2000000 + b"{}]}",
            "duplicate keys": b'{"name": "a", "name": "b"}',
            "NUL": b'{"name": "a\0"}', "escaped NUL": b'{"name": "\\u0000"}',
            "bad UTF-8": b'{"name": "\xff"}', "half a surrogate": b'{"name": "\\ud800"}',
            "1e400": b'{"name": 1e400}', "-1e400": b'{"name": -1e400}',
            "a long number": b'{"name": ' + b"9" * 100000 + b"}",
            "a long key": b'{"' + b"k" * 1000000 + b'": 1}',
            "no end of a string": b'{"name": "' + b"x" * 1000000,
            "text behind": b'{"name": "a"}x', "BOM": b'\xef\xbb\xbf{"name": "a"}',
            "9 MiB": b" " * (9 << 20),
        }
        for name, body in cases.items():
            with self.subTest(name):
                response = self.api.request("POST", "/api/audiences", raw=body)
                if name == "9 MiB":
                    self.fails(response, 413, "PayloadTooLargeError")
                else:
                    self.invalid(response)
        self.assertEqual(self.api.read("/api/audiences")["data"], [])

    def test_nothing_of_them_stays(self):
        bodies = [b'{"a":[' + b"{}," * 60000 + b"{}]}", b"[" * 1000000,
                  b'{"name": "' + b"x" * 4000000]
        for _ in range(3):
            for body in bodies:
                self.invalid(self.api.request("POST", "/api/audiences", raw=body))
        before = self.daemon.memory()
        for _ in range(20):
            for body in bodies:
                self.invalid(self.api.request("POST", "/api/audiences", raw=body))
        self.assertLess(self.daemon.memory() - before, 24 * 1024)


if __name__ == "__main__":
    main()
