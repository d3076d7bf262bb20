#!/usr/bin/env python3
"""Memory that runs out at any moment (reliability.md 4, row 11): for each piece of memory that a set of
requests asks for, the daemon answers 503 or 500, or ends with status 70 and a line that says so. What
was acknowledged is there after the next start, and `outdialctl check` is content.

$OUTDIAL_POINTS is the number of points that are tried, spread over all of them, each once and from
then on by turns (default 20); `all` tries every one in both ways, which takes long."""

import http.client
import os
import random
import re
import resource
import unittest

from outdial_daemon import (
    Daemon, Organisation, Story, Worker, main, node_executed, result, started, wait_until)
from shims import FailingMalloc

POINTS = os.environ.get("OUTDIAL_POINTS", "20")
SEED = int(os.environ.get("OUTDIAL_SEED", random.SystemRandom().randrange(1 << 32)))
UNREACHABLE = (OSError, http.client.HTTPException)
REASON = re.compile(r"out of memory|Cannot allocate memory|failed to allocate", re.IGNORECASE)
EXIT_STATUS = 70


class Script:
    """The requests, and what their answers have promised."""

    def __init__(self, daemon, org, worker):
        self.daemon, self.org, self.worker = daemon, org, worker
        self.contacts, self.executions, self.results = [], [], {}
        self.flow, self.did = org.flow()["id"], org.did()["id"]
        self.audience = org.audience(2)["id"]
        self.number = 0
        self.answers = self.lost = 0

    def ask(self, client, method, path, body=None, **options):
        """The body of a good answer, or None: it was refused for want of memory, or nobody knows."""
        if body is not None:
            options["body"] = body
        client.close()  # each on a connection of its own
        try:
            response = client.request(method, path, **options)
        except UNREACHABLE:
            self.lost += 1
            return None
        self.answers += 1
        if response.status in (500, 503):
            if response.json["statusCode"] != response.status:
                raise AssertionError(f"{method} {path}: {response.json}")
            return None
        if response.status >= 400 and "bad" not in options.get("headers", {}):
            raise AssertionError(f"{method} {path}: {response.status} {response.json}")
        return response.json if response.json is not None else {}

    def run(self):
        api, worker = self.org.api, self.worker.api
        self.number += 1
        made = self.ask(api, "POST", "/api/contacts", {
            "primaryPhone": self.daemon.phone(), "firstName": "Ada"},
            headers={"Idempotency-Key": f"key-{self.number}"})
        self.contacts += [made["id"]] if made else []
        made = self.ask(api, "POST", "/api/contacts/upsert", {
            "data": [{"primaryPhone": self.daemon.phone()} for _ in range(20)]})
        self.contacts += [contact["id"] for contact in made["contacts"]] if made else []
        self.ask(api, "POST", "/api/contacts/import", headers={"Content-Type": "application/x-ndjson"},
                 raw=b"".join(b'{"primaryPhone": "%s"}\n' % self.daemon.phone().encode()
                              for _ in range(5)))
        self.ask(api, "POST", "/api/contacts", {"primaryPhone": "1", "shoe": [{}] * 50},
                 headers={"bad": "1"})
        self.ask(api, "POST", "/api/contacts", headers={"bad": "1"}, raw=b"[" * 60)
        made = self.ask(api, "POST", "/api/programs", {
            "name": self.daemon.name("program"), "flowId": self.flow, "didPool": [self.did],
            "audienceId": self.audience, "gateway": "worker",
            "pauseWindows": {"monday": [{"startAt": {"hour": 2, "minute": 0},
                                         "endAt": {"hour": 3, "minute": 0}}]}})
        if made:
            made = self.ask(api, "POST", f"/api/programs/{made['id']}/launch")
            self.executions += [made["executionId"]] if made else []
        self.call(worker)
        for path in ("/api/contacts?limit=5", "/api/program-executions?limit=5", "/api/organization",
                     *[f"/api/program-executions/{self.executions[-1]}{part}"
                       for part in ("", "/calls", "/report", "/diagnostics") if self.executions]):
            self.ask(api, "GET", path)
        self.ask(api, "GET", "/api/contacts", headers={"Accept": "text/csv"})
        self.ask(api, "GET", "/metrics")

    def call(self, worker):
        made = self.ask(worker, "POST", "/api/calls/claim", {
            "max": 2, "waitMs": 200, "gateway": "worker"})
        for call in made["calls"] if made else []:
            told = self.ask(worker, "POST", "/api/call-events", {"events": [
                started(call), node_executed(call, "menu", 1), result(call, "answered")]})
            if told and told["results"][2]["status"] == "accepted":
                self.results[call["callId"]] = call["executionId"]

    def check(self):
        """What was acknowledged is there; forgotten afterwards, so that a check stays short."""
        for contact in self.contacts[-25:]:
            self.org.api.read(f"/api/contacts/{contact}")
        for execution in self.executions[-2:]:
            self.org.execution(execution)
        for call_id, execution in list(self.results.items())[-2:]:
            call = self.org.call(execution, call_id)
            if call["outcome"] != "answered":
                raise AssertionError(f"an acknowledged result: {call}")
        self.contacts, self.results = [], {}


class EveryPiece(unittest.TestCase):
    def setUp(self):
        print(f"seed {SEED}", flush=True)
        self.daemon = Daemon(config="[calls]\nlease_seconds = 5\n[store]\nmap_size_bytes = 268435456\n")
        self.addCleanup(self.daemon.close)
        self.malloc = FailingMalloc(self.daemon.folder)
        self.daemon.environment = self.malloc.environment
        self.daemon.start()
        self.script = Script(self.daemon, Organisation(self.daemon), Worker(self.daemon))

    def count(self):
        """How many pieces the requests ask for, once everything is warm."""
        for _ in range(2):
            self.malloc.arm(0)
            self.script.run()
            asked = self.malloc.disarm()
            self.script.check()
        return asked

    def points(self, asked):
        if POINTS == "all":
            return [(n, count) for n in range(1, asked + 1) for count in (1, FailingMalloc.EVER)]
        wanted = int(POINTS)
        chosen = sorted(random.Random(SEED).sample(range(1, asked + 1), min(wanted, asked)))
        return [(n, (1, FailingMalloc.EVER)[i % 2]) for i, n in enumerate(chosen)]

    def is_well(self):
        try:
            return self.daemon.client().get("/healthz").status == 200
        except UNREACHABLE:
            return False

    def fail_at(self, number, count):
        """Runs the requests while this piece is refused. Returns whether the daemon has ended."""
        before = os.path.getsize(self.daemon.log_path)
        self.script.lost = 0
        self.malloc.arm(number, count)
        try:
            self.script.run()
        finally:
            self.malloc.disarm()
        if self.script.lost == 0 and self.is_well():
            return False
        code = self.daemon.process.wait(60)  # a client that gets no answer: the process has ended
        self.daemon.process = None
        with open(self.daemon.log_path, encoding="utf-8", errors="replace") as log:
            log.seek(before)
            said = log.read()
        self.assertEqual(code, EXIT_STATUS, f"piece {number} of {count}: exit {code}\n{said}")
        self.assertRegex(said, REASON, f"piece {number}")
        # A commit that fails for want of memory says so, and so may the way out.
        self.assertLessEqual(len([line for line in said.splitlines() if REASON.search(line)]), 2, said)
        return True

    def test_is_refused_or_ends_the_process_by_name(self):
        asked = self.count()
        ended = survived = 0
        points = self.points(asked)
        for number, count in points:
            if self.fail_at(number, count):
                ended += 1
                self.daemon.check_store()
                self.daemon.start()
            else:
                survived += 1
            self.script.check()
        print(f"{asked} pieces, {len(points)} points: {ended} ended it, {survived} did not; "
              f"{self.script.answers} answers", flush=True)
        self.assertGreater(ended, 0)


class AddressSpace(Story):
    """RLIMIT_AS: the daemon lives with what it is given, or names what it lacks."""

    config = "[store]\nmap_size_bytes = 67108864\n[log]\nformat = text\n"

    def setUp(self):
        if "ASAN_OPTIONS" in os.environ or "TSAN_OPTIONS" in os.environ:
            self.skipTest("a sanitizer needs all of the address space")
        super().setUp()

    def limit(self, mib):
        with open(f"/proc/{self.daemon.process.pid}/statm", encoding="ascii") as file:
            used = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        size = used + mib * 1024 * 1024
        resource.prlimit(self.daemon.process.pid, resource.RLIMIT_AS, (size, size))

    def test_too_little_for_large_requests(self):
        one = self.org()
        self.limit(6)
        body = b'{"data": [' + b",".join(
            b'{"primaryPhone": "+1212%07d", "firstName": "%s"}' % (i, b"x" * 60)
            for i in range(1000)) + b"]}"
        kept = []
        for _ in range(40):  # the largest body, and one that is all memory
            for raw in (body, b'{"data": [' + b'"' + b"x" * 8_000_000 + b'"]}'):
                try:
                    response = one.api.post("/api/contacts/upsert", raw=raw)
                except UNREACHABLE:
                    continue
                self.assertIn(response.status, (200, 400, 413, 500, 503))
                if response.status == 200:
                    kept = response.json["contacts"]
        if self.daemon.process.poll() is not None:
            self.assertEqual(self.daemon.process.returncode, EXIT_STATUS, self.daemon.log_tail())
            self.assertRegex(self.daemon.log_tail(), REASON)
            self.daemon.process = None
            self.daemon.check_store()
            self.daemon.start()
        for contact in kept[:10]:
            wait_until(lambda c=contact: one.api.get(f"/api/contacts/{c['id']}").status == 200,
                       "an acknowledged contact")


if __name__ == "__main__":
    main()
