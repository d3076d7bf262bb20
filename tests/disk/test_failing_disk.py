"""Each system call on data.mdb fails in turn: with EIO, with ENOSPC, or as a short write, once or for good,
under a short load. Whichever it is,

  - a request is answered as it should be, with 503, or not at all, and what got 503 has not happened;
  - the daemon goes on by itself (ENOSPC: read-only until the disk takes a row), or ends with status 70
    and a line that says why;
  - afterwards the store is sound, and holds everything that was acknowledged.

$OUTDIAL_POINTS (default 24) is how many points the sweep has; "all" is every call of the load, in every way.
"""

import http.client
import itertools
import os
import random
import subprocess
import unittest

from outdial_daemon import Organisation, Worker, expect, result, started, wait_until
from shim import EIO, ENOSPC, SHORT, Control, ShimDaemon

POINTS = os.environ.get("OUTDIAL_POINTS", "24")
SEED = int(os.environ.get("OUTDIAL_SEED", "5"))
LOST = (OSError, http.client.HTTPException)  # nothing is known about the request
WAYS = {EIO: "EIO", ENOSPC: "ENOSPC", SHORT: "short"}


class Load:
    """Requests one after the other, and what became of them."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.org = Organisation(daemon)
        self.worker = Worker(daemon)
        self.flow, self.did = self.org.flow()["id"], self.org.did()["id"]
        self.audience = self.org.audience(3)["id"]
        self.execution = self.org.launch(1500)
        self.made, self.refused = [], []  # paths of things; phones that got 503
        self.results = {}  # callId -> outcome
        self.permitted = set()
        self.is_lost = False

    def ask(self, client, method, path, body, *wanted):
        """The answer's body; None: 503, or nothing is known."""
        if self.is_lost:
            return None
        try:
            response = client.request(method, path, body)
        except LOST:
            self.is_lost = True
            return None
        if response.status == 503:
            return None
        if response.status not in wanted:
            raise AssertionError(f"{method} {path}: {response.status} {response.json}")
        return response.json if response.json is not None else {}

    def run(self):
        api, calls = self.org.api, self.worker.api
        self.is_lost = False
        for _ in range(3):
            self.contact()
        program = self.ask(api, "POST", "/api/programs", {
            "name": "p", "flowId": self.flow, "didPool": [self.did], "gateway": "worker",
            "audienceId": self.audience}, 201)
        if program is not None:
            self.made.append(f"/api/programs/{program['id']}")
            launched = self.ask(api, "POST", f"/api/programs/{program['id']}/launch", {}, 201)
            if launched is not None:
                self.made.append(f"/api/program-executions/{launched['executionId']}")
        path = f"/api/program-executions/{self.execution}"
        paused = self.ask(api, "PATCH", f"{path}/pause", {}, 200, 400)
        if paused is not None:
            self.expect_status("paused")
        claimed = self.ask(calls, "POST", "/api/calls/claim", {
            "max": 2, "waitMs": 0, "gateway": "worker"}, 200)
        claimed = claimed["calls"] if claimed is not None else []
        self.tell([started(call) for call in claimed])
        self.tell([result(call) for call in claimed])
        self.ask(api, "PATCH", f"{path}/resume", {}, 200, 400)

    def contact(self):
        phone = self.daemon.phone()
        made = self.ask(self.org.api, "POST", "/api/contacts", {"primaryPhone": phone}, 201)
        if made is not None:
            self.made.append(f"/api/contacts/{made['id']}")
        elif not self.is_lost:
            self.refused.append(phone)

    def expect_status(self, status):
        seen = self.ask(self.org.api, "GET", f"/api/program-executions/{self.execution}",
                        None, 200)
        if seen is not None and seen["status"] != status:
            raise AssertionError(f"answered {status}, and is {seen['status']}")

    def tell(self, events):
        answer = self.ask(self.worker.api, "POST", "/api/call-events", {"events": events}, 200) \
            if events else None
        for event, told in zip(events, answer["results"] if answer is not None else []):
            if event["type"] == "started" and told["status"] == "accepted":
                if event["callId"] in self.permitted:
                    raise AssertionError(f"{event['callId']}: permitted twice")
                self.permitted.add(event["callId"])
            elif event["type"] == "result" and told["status"] == "accepted":
                self.results[event["callId"]] = event["outcome"]

    def verify(self, since):
        """All that was acknowledged, from the made thing number `since` on, is there."""
        api = self.org.api
        for path in self.made[since:]:
            expect(api.get(path), 200)
        for phone in self.refused:
            seen = api.read(f"/api/contacts?primaryPhone=%2B{phone[1:]}")["data"]
            if seen:
                raise AssertionError(f"{phone}: answered 503, and is there")
        self.refused = []
        outcomes = {call["callId"]: call["outcome"] for call in self.org.calls(self.execution)}
        missing = {call: outcome for call, outcome in self.results.items()
                   if outcomes.get(call, outcome) != outcome}
        if missing:
            raise AssertionError(f"results that were acknowledged: {missing}")


class FailingDisk(unittest.TestCase):
    def setUp(self):
        self.daemon = ShimDaemon()
        self.addCleanup(self.daemon.close)
        self.control = Control(os.path.join(self.daemon.folder, "control"))
        self.addCleanup(self.control.close)
        self.daemon.use(control=self.control.path)
        self.daemon.start()
        self.load = Load(self.daemon)

    def points(self, calls):
        """(how many calls ahead, how it fails, for good): a share of all that there are."""
        every = list(itertools.product(range(calls), WAYS, (False, True)))
        if POINTS == "all":
            return every
        count = min(len(every), int(POINTS))
        first = random.Random(SEED).random()  # evenly, so that each kind of call is among them
        return [every[int((number + first) * len(every) / count)] for number in range(count)]

    def test_each_call_fails_in_turn(self):
        self.load.run()
        before = self.control.get("calls")
        self.load.run()
        calls = self.control.get("calls") - before
        self.assertGreater(calls, 20)
        seen = set()
        for ahead, failure, for_good in self.points(calls):
            with self.subTest(ahead=ahead, failure=WAYS[failure], for_good=for_good):
                seen.add(self.point(ahead, failure, for_good))
        # A share may pass by a kind of call each time, or by every write that finds no room: it goes on
        # until each has been seen.
        kinds, ends = {"write", "head", "sync"}, {"503", "70"}
        for ahead in range(calls):
            missing = kinds - {kind for kind, _ in seen}
            if not missing and ends <= {end for _, end in seen}:
                break
            failure = EIO if missing else ENOSPC
            with self.subTest(further=ahead, failure=WAYS[failure]):
                seen.add(self.point(ahead, failure, False))
        print(sorted(seen), flush=True)
        self.assertLessEqual(kinds, {kind for kind, _ in seen})
        self.assertLessEqual(ends, {end for _, end in seen})

    def point(self, ahead, failure, for_good):
        since = len(self.load.made)
        self.control.fail(ahead, failure, for_good)
        self.load.run()
        kind, end = self.control.failed_call(), "nothing"
        # A head that was not written leaves LMDB without a state that it knows.
        if kind != "none" and (failure != ENOSPC or kind == "head"):
            self.assertEqual(self.daemon.process.wait(10), 70, self.daemon.log_tail())
            self.daemon.process = None
            self.assertRegex(self.daemon.log_tail(2000), r"cannot be trusted|cannot be used again")
            self.assertIn('"reason":"', self.daemon.log_tail(2000))
            end = "70"
        elif kind != "none":
            self.assertFalse(self.load.is_lost)
            self.assertIsNone(self.daemon.process.poll())
            end = "503"
        self.control.heal()
        if self.daemon.process is None:
            self.daemon.start()
        wait_until(lambda: self.daemon.client().get("/readyz").status == 200, "it takes work", 5)
        self.load.verify(since)
        self.daemon.check_store()
        return kind, end

    def test_the_first_calls_of_the_first_start_fail_in_turn(self):
        """They make the store: the start is refused with the reason, and the next one goes on."""
        for ahead, failure in itertools.product(range(3), (EIO, ENOSPC)):
            with self.subTest(ahead=ahead, failure=WAYS[failure]):
                daemon = ShimDaemon()
                self.addCleanup(daemon.close)
                control = Control(os.path.join(daemon.folder, "control"))
                daemon.use(control=control.path)
                control.fail(ahead, failure)
                process = subprocess.run(
                    daemon.command(0), capture_output=True, text=True, env=daemon.environ(),
                    timeout=10, check=False)
                self.assertIn(process.returncode, (1, 70))
                self.assertIn('"message":"cannot start","reason":"store ', process.stderr)
                control.heal()
                control.close()
                daemon.start()
                Organisation(daemon).contact()


if __name__ == "__main__":
    unittest.main(verbosity=2)
