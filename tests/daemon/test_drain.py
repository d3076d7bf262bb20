#!/usr/bin/env python3
"""SIGTERM amid everything: the daemon ends by itself with 0, whoever waits gets an answer, and what was
acknowledged is there (reliability.md 4, row 15)."""

import contextlib
import http.client
import json
import os
import resource
import signal
import threading

from outdial_daemon import (
    Story, Worker, expect, main, read_response, result, started, wait_until)

UNREACHABLE = (OSError, http.client.HTTPException)
GATEWAYS = """
[gateway worker]
kind = worker
[gateway idle]
kind = worker
[calls]
default_gateway = worker
"""


def post(key, path, body, *headers):
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: x", f"X-API-Key: {key}",
                        "Content-Type: application/json", f"Content-Length: {len(text)}",
                        *headers, "", ""]).encode() + text


class Drain(Story):
    def connection(self):
        connection = self.daemon.connect()
        self.addCleanup(connection.close)
        return connection

    def under_way(self, api, path, body, key):
        """A connection whose request is known to be under way."""
        connection = self.connection()
        connection.sendall(post(api.key, path, body, f"Idempotency-Key: {key}"))
        # Another request under its key is 422 from then on.
        wait_until(lambda: api.post(
            f"{path}?x=1", {}, headers={"Idempotency-Key": key}).status == 422, path)
        return connection

    def waiting_claim(self, number, gateway="idle"):
        """A connection whose claim is known to wait."""
        return self.under_way(self.worker().api, "/api/calls/claim",
                              {"max": 1, "waitMs": 30000, "gateway": gateway}, f"claim-{number}")


class LongWork(Drain):
    config = GATEWAYS

    def test_a_launch_of_many_contacts_is_answered(self):
        """Its snapshot takes twenty messages, of which the last one answers."""
        one = self.org()
        program = one.program(10000)["id"]
        connection = self.under_way(one.api, f"/api/programs/{program}/launch", {}, "launch")
        self.daemon.stop(patience=60)
        answer = read_response(connection)
        self.assertEqual(answer.status, 201, answer.json)
        self.daemon.start()
        one.wait_counts(answer.json["executionId"], total=10000)


class UnderLoad(Drain):
    config = GATEWAYS

    def setUp(self):
        super().setUp()
        self.one = self.org()
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.contacts, self.launched, self.results, self.failures = [], [], {}, []

    def load(self, work, *arguments):
        def run():
            try:
                while not self.stopping.is_set():
                    work(*arguments)
            except UNREACHABLE:
                pass
            except Exception as error:  # pylint: disable=broad-except
                self.failures.append(repr(error))

        thread = threading.Thread(target=run)
        thread.start()
        self.threads.append(thread)

    def good(self, response, status):
        """The body; a daemon that stops may say so, and then this load is over."""
        if response.status == 503:
            raise ConnectionError("it stops")
        return expect(response, status)

    def create(self, api):
        made = self.good(api.post("/api/contacts", {"primaryPhone": self.daemon.phone()}), 201)
        with self.lock:
            self.contacts.append(made["id"])

    def launch(self, api, program):
        program = program()
        if program is None:  # all have been launched
            self.stopping.wait(0.01)
            return
        made = self.good(api.post(f"/api/programs/{program}/launch"), 201)
        with self.lock:
            self.launched.append(made["executionId"])

    def dial(self, worker):
        calls = self.good(worker.api.post("/api/calls/claim", {
            "max": 5, "waitMs": 200, "gateway": "worker"}), 200)["calls"]
        events = [started(call) for call in calls] + [result(call, "answered") for call in calls]
        if not events:
            return
        answers = self.good(worker.api.post("/api/call-events", {"events": events}), 200)["results"]
        with self.lock:
            for call, answer in zip(calls, answers[len(calls):]):
                if answer["status"] == "accepted":
                    self.results[call["callId"]] = call["executionId"]

    def program(self, audience):
        return self.one.program(audienceId=audience)["id"]

    def stream(self):
        connection = self.connection()
        connection.sendall(f"GET /api/events HTTP/1.1\r\nHost: x\r\nX-API-Key: {self.one.key}\r\n\r\n"
                           .encode())
        self.assertIn(b" 200 ", connection.recv(4096))
        return connection

    def importing(self):
        """An import that goes on: its head and some rows are there, and more come."""
        connection = self.connection()
        connection.sendall("\r\n".join([
            "POST /api/contacts/import HTTP/1.1", "Host: x", f"X-API-Key: {self.one.key}",
            "Content-Type: application/x-ndjson", "Transfer-Encoding: chunked", "", ""]).encode())

        def feed():
            rows = b"".join(b'{"primaryPhone": "%s"}\n' % self.daemon.phone().encode()
                            for _ in range(200))
            connection.sendall(b"%x\r\n%s\r\n" % (len(rows), rows))
            self.stopping.wait(0.002)

        self.load(feed)
        return connection

    def ended(self, connection):
        """What came until the daemon closed it."""
        seen = b""
        with contextlib.suppress(ConnectionError):
            while more := connection.recv(65536):
                seen += more
        return seen

    def test_everything_acknowledged_is_there_and_everybody_is_answered(self):
        self.threads = []
        worker = Worker(self.daemon)
        audience = self.one.audience(2000)["id"]
        programs = iter([self.program(audience) for _ in range(15)])
        claims = [self.waiting_claim(number) for number in range(5)]
        streams = [self.stream() for _ in range(3)]
        imports = [self.importing() for _ in range(2)]
        for _ in range(2):
            self.load(self.create, self.one.api.clone())
            self.load(self.dial, worker.clone())
        self.load(self.launch, self.one.api.clone(), lambda: next(programs, None))
        wait_until(lambda: len(self.contacts) > 30 and len(self.results) > 30 and self.launched,
                   "a load")
        try:
            self.daemon.stop(patience=60)  # by itself, with 0
        finally:
            self.stopping.set()
            for thread in self.threads:
                thread.join(30)
        self.assertEqual(self.failures, [])
        for connection in claims:
            answer = read_response(connection)
            self.assertEqual((answer.status, answer.json), (200, {"calls": []}))
        for connection in streams:
            self.assertTrue(self.ended(connection).endswith(b"0\r\n\r\n"), "a stream was cut off")
        told = [read_response(connection) for connection in imports]
        self.assertEqual({answer.status for answer in told}, {503})
        self.daemon.start()
        self.assert_kept()

    def assert_kept(self):
        listed = {row["id"] for row in self.one.api.pages("/api/contacts")}
        self.assertLessEqual(set(self.contacts), listed)
        for execution in self.launched:
            self.one.wait_counts(execution, total=2000)
        calls = {}
        for call_id, execution in self.results.items():
            if execution not in calls:
                calls[execution] = {call["callId"]: call for call in self.one.calls(execution)}
            self.assertEqual(calls[execution][call_id]["outcome"], "answered")


class FailedCommit(Drain):
    """The last commits of a daemon that stops may fail, too: nobody is left without an answer."""

    config = GATEWAYS

    LIMIT = 12288  # bytes of a file: the log fits, and pages of the store do not

    def requests(self):
        """What waits for a commit, of every kind."""
        contact = {"primaryPhone": self.daemon.phone()}
        key = self.one.key
        yield post(key, "/api/contacts", contact)
        yield post(key, "/api/contacts", contact, "Idempotency-Key: twin")  # two, one behind the other
        yield post(key, "/api/contacts", contact, "Idempotency-Key: twin")
        yield post(key, "/api/contacts/upsert", {"data": [contact]}, "Idempotency-Key: upsert")
        yield post(key, f"/api/programs/{self.program}/launch", {})
        yield post(self.worker().api.key, "/api/call-events", {
            "events": [started(self.call), {"callId": "x"}, result(self.call, "busy")]})
        yield post(self.worker().api.key, "/api/call-events", {"events": [started(self.call)]},
                   "Idempotency-Key: event")
        yield post(self.daemon.admin.key, "/api/test-clock/advance", {"seconds": 1})

    def stop_and_fill(self):
        """Requests and SIGTERM arrive at one moment, and the disk is full."""
        claims = [self.waiting_claim(number) for number in range(3)]
        posts = [self.connection() for _ in range(8)]
        for connection in posts:  # known to be accepted
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertEqual(read_response(connection, "GET").status, 200)
        process = self.daemon.process
        process.send_signal(signal.SIGSTOP)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (self.LIMIT, resource.RLIM_INFINITY))
        for connection, request in zip(posts, self.requests()):
            connection.sendall(request)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGCONT)
        return claims, posts

    def test_whoever_waits_is_told(self):
        self.one = self.org()
        self.one.launch(1)
        self.call = self.worker().claim_one()
        self.program = self.one.program(1)["id"]
        failed = 0
        for _ in range(6):  # who comes first, the request or the signal, is a matter of chance
            os.truncate(self.daemon.log_path, 0)
            before = len(self.one.api.pages("/api/contacts"))
            claims, posts = self.stop_and_fill()
            code = self.daemon.process.wait(60)
            self.daemon.process = None
            self.assertEqual(code, 0, self.daemon.log_tail())
            for connection in posts:
                self.fails(read_response(connection), 503, "UnavailableError")
            for connection in claims:
                answer = read_response(connection)
                self.assertIn(answer.status, (200, 503))
            failed += "takes no writes" in self.daemon.log_tail()
            self.daemon.check_store()
            self.daemon.start()
            self.assertEqual(len(self.one.api.pages("/api/contacts")), before)
        self.assertGreater(failed, 0, "no commit has failed in a drain")


if __name__ == "__main__":
    main()
