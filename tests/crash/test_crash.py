"""kill -9 under load, $OUTDIAL_KILLS times (default 50).

While clients create, launch, pause and resume, and workers dial, the daemon is killed at random moments,
now and then while it starts. The clients log what they were told: ok, failed or unknown; nothing is ever
concluded from unknown. The workers append each callId to a ledger, on disk before they "dial".

After each kill the store at rest is checked and the daemon goes on; at the end everything is brought to
its end, and:
  - no callId was dialled twice, and each that was dialled is known to the store;
  - every contact of every execution has ended once, by the calls that are listed;
  - the counters add up at every read;
  - everything that was acknowledged is there: contacts, programs, launches, pauses, results;
  - each acknowledged node event was counted once, looked at while no worker has a request open;
  - an organisation's credits are those that it was given, less one for each call that was answered.

The seed is printed; $OUTDIAL_SEED sets it (threads still race, so a run is not repeated exactly).
"""

import collections
import datetime
import http.client
import os
import random
import subprocess
import threading
import time
import unittest

from outdial_daemon import (
    Daemon, Organisation, Worker, check_counters, format_time, free_port, node_executed, released,
    result, started)

KILLS = int(os.environ.get("OUTDIAL_KILLS", "50"))
SEED = int(os.environ.get("OUTDIAL_SEED", random.SystemRandom().randrange(1 << 32)))
CONFIG = """[calls]
lease_seconds = 1
lease_limit = 20
call_timeout_seconds = 3
dial_by_seconds = 1
[log]
level = warn
"""
ENDED = ("completed", "stopped", "cancelled")
PAUSES = ("paused", "paused_no_credits", "paused_threshold")
ACTIVE_MAX = 8  # executions
NODES = ("menu", "bye", "menu")  # of an answered call, in order
UNREACHABLE = (OSError, http.client.HTTPException)  # nothing is known about the request


class Stop(Exception):
    """The test is over, or has failed elsewhere."""


class Shared:
    """What the threads know together."""

    def __init__(self):
        self.lock = threading.Lock()
        self.clients_stop, self.callers_stop = threading.Event(), threading.Event()
        self.finishing = threading.Event()  # workers: no more mischief, everything to its end
        self.failures = []
        self.counts = collections.Counter()
        self.contacts, self.programs = [], []  # acknowledged
        self.executions = {}  # id -> Organisation, acknowledged or listed
        self.results = {}  # callId -> outcome, acknowledged as accepted
        self.nodes = collections.defaultdict(collections.Counter)  # executionId -> nodeId, acknowledged

    def fail(self, text):
        with self.lock:
            self.failures.append(text)
        self.stop()

    def stop(self):
        self.clients_stop.set()
        self.callers_stop.set()

    def count(self, what):
        with self.lock:
            self.counts[what] += 1


class Actor(threading.Thread):
    """A thread that talks to a daemon which comes and goes."""

    def __init__(self, shared, name, seed, stopping):
        super().__init__(name=name, daemon=True)
        self.shared, self.stopping = shared, stopping
        self.random = random.Random(seed)

    def run(self):
        try:
            while not self.stopping.is_set():
                self.step()
        except Stop:
            pass
        except Exception as error:  # pylint: disable=broad-except
            self.shared.fail(f"{self.name}: {error!r}")

    def step(self):
        raise NotImplementedError

    def once(self, ask, *arguments):
        """One try: the response, or None when nothing is known."""
        try:
            response = ask(*arguments)
        except UNREACHABLE:
            self.shared.count("unknown")
            time.sleep(0.01)
            return None
        if response.status == 503:
            self.shared.count("unavailable")
            return None
        self.shared.count("ok" if response.status < 300 else "failed")
        return response

    def until_answered(self, ask, *arguments):
        while True:
            response = self.once(ask, *arguments)
            if response is not None:
                return response
            if self.stopping.is_set():
                raise Stop


class Caller(Actor):
    """A worker that keeps the contract, but loses calls, is slow, and reports late, on purpose."""

    def __init__(self, shared, name, seed, worker, ledger):
        super().__init__(shared, name, seed, shared.callers_stop)
        self.worker, self.ledger = worker, ledger
        self.turn = threading.Lock()  # taken by others: no request of this one is open

    def step(self):
        with self.turn:
            self.claim()
        time.sleep(0.001)  # others get their turn

    def claim(self):
        response = self.once(self.worker.api.post, "/api/calls/claim", {
            "max": self.random.randint(1, 20), "waitMs": self.random.choice((0, 50, 300)),
            "gateway": "worker"})
        if response is None:
            return
        if response.status != 200:
            raise AssertionError(f"claim: {response.json}")
        if response.json["calls"]:
            self.handle(response.json["calls"])

    def tell(self, events):
        """Repeats the events unchanged until they are acknowledged: (statuses, asked before)."""
        tries = 0
        while events:
            response = self.once(self.worker.api.post, "/api/call-events", {"events": events})
            if response is not None:
                if response.status != 200:
                    raise AssertionError(f"{events}: {response.json}")
                answers = response.json["results"]
                if [a["callId"] for a in answers] != [e["callId"] for e in events]:
                    raise AssertionError(f"results are not those of the events: {answers}")
                return [answer["status"] for answer in answers], tries > 0
            tries += 1
            if self.stopping.is_set():
                raise Stop
        return [], False

    def handle(self, calls):
        # What becomes of each: below 0.05 it is lost before `started`, and so on.
        tame = self.shared.finishing.is_set()
        fates = {call["callId"]: 1.0 if tame else self.random.random() for call in calls}
        asked = [call for call in calls if fates[call["callId"]] >= 0.08]
        self.tell([released(call, reason="no trunk") for call in calls
                   if 0.05 <= fates[call["callId"]] < 0.08])
        statuses, _ = self.tell([started(call) for call in asked])
        back, reports, nodes = [], [], []
        for call, status in zip(asked, statuses):
            fate = fates[call["callId"]]
            if status == "duplicate":
                back.append(released(call, reason="the answer was lost"))  # it did not ring
            elif status == "accepted" and fate < 0.11:
                back.append(released(call, reason="503"))
            elif status == "accepted":
                self.ledger.dial(call["callId"])
                nodes += [(call["executionId"], node_executed(call, node, seq))
                          for seq, node in enumerate(NODES, 1)]
                if fate >= 0.13:  # else it is never heard of again: timeout, in doubt
                    reports.append(result(call, self.outcome(), durationSeconds=1))
            elif status not in ("stale", "refused"):
                raise AssertionError(f"started: {status}")
        self.tell(back)
        self.report_nodes(nodes)
        statuses, again = self.tell(reports)
        for event, status in zip(reports, statuses):
            if status == "duplicate" and not again:
                raise AssertionError(f"{event}: duplicate at the first report")
            if status in ("accepted", "duplicate"):
                with self.shared.lock:
                    self.shared.results[event["callId"]] = event["outcome"]
            elif status != "stale":
                raise AssertionError(f"result: {status}")
        late = [{**event, "outcome": "rejected" if event["outcome"] != "rejected" else "busy"}
                for event in reports if fates[event["callId"]] < 0.16]
        for status in self.tell(late)[0]:
            if status != "stale":
                raise AssertionError(f"a second, different result: {status}")

    def report_nodes(self, nodes):
        statuses, again = self.tell([event for _, event in nodes])
        for (execution, event), status in zip(nodes, statuses):
            if status == "duplicate" and not again:
                raise AssertionError(f"{event}: duplicate at the first report")
            if status in ("accepted", "duplicate"):
                with self.shared.lock:
                    self.shared.nodes[execution][event["nodeId"]] += 1
            elif status != "stale":  # it has timed out meanwhile
                raise AssertionError(f"node_executed: {status}")

    def outcome(self):
        return "answered" if self.random.random() < 0.6 else self.random.choice(
            ("busy", "no_answer", "voicemail", "rejected", "error"))


class Ledger:
    def __init__(self, path):
        self.file = open(path, "ab")  # pylint: disable=consider-using-with
        self.lock = threading.Lock()
        self.dials = collections.Counter()

    def dial(self, call_id):
        with self.lock:
            self.file.write(f"{call_id}\n".encode())
            self.file.flush()
            os.fsync(self.file.fileno())
            self.dials[call_id] += 1


class Creator(Actor):
    """Makes contacts, now and then a campaign of them, and launches it."""

    def __init__(self, shared, name, seed, org):
        super().__init__(shared, name, seed, shared.clients_stop)
        self.org = org
        self.api = org.api.clone()
        self.fresh = []
        self.flow = org.flow()["id"]
        self.dids = [org.did()["id"] for _ in range(3)]

    def contact(self):
        return {"primaryPhone": self.org.daemon.phone(), "firstName": self.name}

    def step(self):
        if self.random.random() < 0.7:
            response = self.once(self.api.post, "/api/contacts", self.contact())
            made = [response.json] if response is not None and response.status == 201 else []
        else:
            response = self.once(self.api.post, "/api/contacts/upsert", {
                "data": [self.contact() for _ in range(40)]})
            made = response.json["contacts"] if response is not None and response.status == 200 else []
        if response is not None and not made:
            raise AssertionError(f"contacts: {response.json}")
        self.fresh += [contact["id"] for contact in made]
        with self.shared.lock:
            self.shared.contacts += [(self.org, contact["id"]) for contact in made]
        if len(self.fresh) >= 100 and self.active() < ACTIVE_MAX:
            self.campaign(self.fresh[:300])
            self.fresh = []

    def active(self):
        response = self.once(self.api.get, "/api/program-executions?limit=100")
        return len(response.json["data"]) if response is not None else ACTIVE_MAX

    def campaign(self, contacts):
        made = self.once(self.api.post, "/api/audiences", {"name": self.name})
        if made is None:
            return
        audience = made.json["id"]
        added = self.until_answered(self.api.post, f"/api/audiences/{audience}/contacts",
                                    {"contactIds": contacts})
        if added.status != 200 or sum(added.json.values()) != len(contacts):
            raise AssertionError(f"members: {added.json}")
        now = datetime.datetime.now(datetime.timezone.utc)
        dates = [format_time(now + datetime.timedelta(seconds=n)) for n in range(1, 21)]
        made = self.once(self.api.post, "/api/programs", {
            "name": self.name, "flowId": self.flow, "didPool": self.dids, "audienceId": audience,
            "gateway": "worker", "retryStrategy": {"type": "scheduled", "retryDates": dates},
            "pacing": {"maxConcurrentCalls": self.random.choice((5, 20, 100))},
            "autoPauseRules": [{"nodeId": "menu", "threshold": 1000000},
                               {"nodeId": "bye", "threshold": self.random.choice((20, 1000000))}]})
        if made is None:
            return
        if made.status != 201:
            raise AssertionError(f"program: {made.json}")
        with self.shared.lock:
            self.shared.programs.append((self.org, made.json["id"]))
        response = self.once(self.api.post, f"/api/programs/{made.json['id']}/launch")
        if response is not None:
            if response.status != 201:
                raise AssertionError(f"launch: {response.json}")
            with self.shared.lock:
                self.shared.executions[response.json["executionId"]] = self.org


class Controller(Actor):
    """Pauses and resumes, now and then cancels; what was answered must hold."""

    def __init__(self, shared, name, seed, org):
        super().__init__(shared, name, seed, shared.clients_stop)
        self.org = org
        self.api = org.api.clone()

    def read(self, execution):
        return check_counters(self.until_answered(
            self.api.get, f"/api/program-executions/{execution}").json)

    def step(self):
        response = self.once(self.api.get, "/api/program-executions?limit=100")
        if response is None:
            return
        for execution in response.json["data"]:
            check_counters(execution)
            with self.shared.lock:
                self.shared.executions[execution["id"]] = self.org
        for row in response.json["data"]:
            if row["status"] in PAUSES[1:]:
                self.shared.count(row["status"])
                self.resume(row["id"])
        running = [row["id"] for row in response.json["data"] if row["status"] == "running"]
        if not running:
            time.sleep(0.02)
            return
        chosen = self.random.choice(running)
        path = f"/api/program-executions/{chosen}"
        if self.random.random() < 0.05:
            response = self.once(self.api.delete, path)
            if response is not None and response.status == 204:
                self.expect(chosen, ("cancelled",))
            return
        response = self.once(self.api.patch, path + "/pause")
        if response is None:
            self.resume(chosen)  # it may be paused
            return
        if response.status != 200:
            return
        check_counters(response.json)
        pending = response.json["contactsPending"]
        end = time.monotonic() + self.random.uniform(0, 0.5)
        while time.monotonic() < end:
            seen = self.expect(chosen, ("paused", "paused_threshold", "completed"))
            if seen["contactsPending"] < pending:
                raise AssertionError(
                    f"paused, but contacts were taken: {pending} to {seen['contactsPending']}")
            pending = seen["contactsPending"]
            time.sleep(0.02)
        self.resume(chosen)

    def resume(self, execution):
        """Until it is known to have been resumed: asking again is no harm."""
        while True:
            response = self.until_answered(
                self.api.patch, f"/api/program-executions/{execution}/resume")
            if response.status == 200 or self.read(execution)["status"] not in PAUSES:
                return

    def expect(self, execution, statuses):
        seen = self.read(execution)
        if seen["status"] not in statuses:
            raise AssertionError(f"acknowledged {statuses}, but it is {seen['status']}")
        return seen


class Crash(unittest.TestCase):
    def setUp(self):
        print(f"seed {SEED}, {KILLS} kills", flush=True)
        self.random = random.Random(SEED)
        self.daemon = Daemon(test_clock=None, config=CONFIG).start()
        self.shared = Shared()
        self.ledger = Ledger(os.path.join(self.daemon.folder, "ledger"))
        self.callers, self.clients = [], []
        self.addCleanup(self.close)
        self.orgs = [Organisation(self.daemon, credits=500) for _ in range(2)]
        self.granted = {org.id: 500 for org in self.orgs}
        seeds = iter(self.random.sample(range(1 << 30), 20))
        worker = Worker(self.daemon)
        self.callers = [
            Caller(self.shared, f"caller {n}", next(seeds), worker.clone(), self.ledger)
            for n in range(3)]
        self.clients = [
            actor(self.shared, f"{actor.__name__.lower()} {n}", next(seeds), org)
            for n, org in enumerate(self.orgs) for actor in (Creator, Controller)]

    def close(self):
        self.shared.stop()
        if self.daemon.process is not None and self.daemon.process.poll() is not None:
            self.daemon.process = None
        for actor in self.callers + self.clients:
            if actor.is_alive():
                actor.join(30)
        self.ledger.file.close()
        if self.shared.failures:
            print(self.daemon.log_tail(), flush=True)
        self.daemon.close()

    def check_failures(self):
        self.assertEqual(self.shared.failures, [])
        twice = [call_id for call_id, count in list(self.ledger.dials.items()) if count > 1]
        self.assertEqual(twice, [], "dialled twice")

    def kill(self):
        # Now and then long enough for what a kill has cost to be over: leases, silent calls.
        time.sleep(self.random.uniform(*((0.02, 0.5) if self.random.random() < 0.8 else (1.2, 3))))
        if self.daemon.process.poll() is not None:
            self.fail(f"it ended by itself: {self.daemon.process.returncode}")
        self.daemon.kill9()
        self.daemon.check_log()
        if self.random.random() < 0.3:
            self.daemon.check_store()
        while self.random.random() < 0.15:  # once more, while it starts
            port = free_port()
            with open(self.daemon.log_path, "ab") as log:
                starting = subprocess.Popen(self.daemon.command(port), stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, env=self.daemon.environ())
            time.sleep(self.random.uniform(0, 0.08))
            starting.kill()
            starting.wait()
        self.daemon.start()

    def grant(self, credits):
        """More credits, now and then fewer; only this thread kills, so the answer comes."""
        for org in self.orgs:
            delta = credits or self.random.choice((0, 20, 200, -10))
            path = f"/api/organizations/{org.id}/credits"
            response = self.daemon.admin.post(path, {"delta": delta})
            if response.status == 200:
                self.granted[org.id] += delta
            else:
                self.assertEqual((response.status, delta < 0), (409, True), response.json)

    def check_nodes(self):
        """While no worker has a request open, the counters are the events that were acknowledged."""
        for caller in self.callers:
            caller.turn.acquire()
        try:
            rows = [execution for _, execution in self.everything()
                    if execution["status"] not in ENDED]
        finally:
            for caller in self.callers:
                caller.turn.release()
        for execution in rows:
            seen = self.shared.nodes[execution["id"]]
            self.assertEqual(execution["nodeCounters"], {node: seen[node] for node in set(NODES)})
            self.shared.count("counters looked at")

    def everything(self):
        """All executions of all organisations, their counters checked."""
        rows = []
        for org in self.orgs:
            query = "".join(f"&status={status}" for status in (
                "scheduled", "running", "paused", "paused_no_credits", "paused_threshold") + ENDED)
            for execution in org.api.pages(f"/api/program-executions?{query[1:]}"):
                rows.append((org, check_counters(execution)))
        return rows

    def test_kill_9_under_load(self):
        begun = time.monotonic()
        for actor in self.callers + self.clients:
            actor.start()
        for number in range(KILLS):
            self.kill()
            self.check_failures()
            self.everything()
            self.grant(0)
            if number % 5 == 4:
                self.check_nodes()
            if (number + 1) % 10 == 0:
                counts = dict(self.shared.counts)
                print(f"{number + 1} kills in {time.monotonic() - begun:.0f} s: "
                      f"{len(self.ledger.dials)} dials, {counts}", flush=True)
        self.finish()
        self.verify()
        self.daemon.restart()
        self.verify()
        print(f"{KILLS} kills, {len(self.ledger.dials)} dials, "
              f"{len(self.shared.executions)} executions, 0 dialled twice, 0 lost; "
              f"{time.monotonic() - begun:.0f} s", flush=True)

    def finish(self):
        """Everything is brought to its end."""
        self.shared.finishing.set()
        self.shared.clients_stop.set()
        for actor in self.clients:
            actor.join(30)
            self.assertFalse(actor.is_alive(), actor.name)
        self.grant(1000000)
        end = time.monotonic() + 120
        while True:
            self.check_failures()
            rows = self.everything()
            for org, execution in rows:
                if execution["status"] == "paused":
                    self.assertIsNone(execution["statusReason"])
                if execution["status"] in PAUSES:
                    org.api.patch(f"/api/program-executions/{execution['id']}/resume")
            left = [row for _, row in rows
                    if row["status"] not in ENDED or row["contactsInProgress"] > 0]
            if not left:
                break
            self.assertLess(time.monotonic(), end, f"not ended: {left[:3]}")
            time.sleep(0.1)
        self.shared.callers_stop.set()
        for actor in self.callers:
            actor.join(30)
            self.assertFalse(actor.is_alive(), actor.name)
        self.check_failures()

    def verify(self):
        rows = self.everything()
        self.assertLessEqual(set(self.shared.executions), {row["id"] for _, row in rows},
                             "an acknowledged launch is lost")
        calls = {}
        answered = collections.Counter()
        for org, execution in rows:
            mine = self.verify_execution(org, execution)
            answered[org.id] += sum(call["outcome"] == "answered" for call in mine.values())
            self.assertEqual(execution["nodeCounters"], {})
            calls.update(mine)
        for org in self.orgs:
            self.assertEqual(org.api.read("/api/organization")["credits"],
                             self.granted[org.id] - answered[org.id])
        self.assertLessEqual(set(self.ledger.dials), set(calls), "a dial that the store forgot")
        for call_id, outcome in self.shared.results.items():
            self.assertEqual(calls[call_id]["outcome"], outcome, "an acknowledged result is lost")
        for call_id, call in calls.items():
            if call["outcome"] == "answered":
                self.assertIn(call_id, self.ledger.dials)
            if call["inDoubt"]:
                self.assertEqual(call["outcome"], "timeout")
        for path, acknowledged in (("/api/contacts", self.shared.contacts),
                                   ("/api/programs", self.shared.programs)):
            for org in self.orgs:
                listed = {row["id"] for row in org.api.pages(path)}
                mine = {identity for owner, identity in acknowledged if owner is org}
                self.assertLessEqual(mine, listed, f"acknowledged {path} are lost")

    def verify_execution(self, org, execution):
        """Each contact has ended once, by the calls that are listed. Returns these by id."""
        entries = org.entries(execution["id"])
        calls = org.calls(execution["id"])
        by_contact = collections.defaultdict(list)
        for call in calls:
            by_contact[call["contactId"]].append(call)
        self.assertEqual(len({call["callId"] for call in calls}), len(calls))
        self.assertEqual(len({row["contactId"] for row in entries}), len(entries))
        statuses = collections.Counter(row["status"] for row in entries)
        self.assertEqual(
            (len(entries), statuses["completed"], statuses["failed"], statuses["skipped"]),
            tuple(execution[name] for name in ("totalContacts", "contactsCompleted",
                                               "contactsFailed", "contactsSkipped")))
        for row in entries:
            mine = sorted(by_contact.pop(row["contactId"], []), key=lambda call: call["attempt"])
            self.assertEqual([call["attempt"] for call in mine],
                             list(range(1, row["attempts"] + 1)))
            outcomes = [call["outcome"] for call in mine]
            self.assertNotIn(None, outcomes)
            self.assertNotIn("answered", outcomes[:-1])
            self.assertEqual(row["status"] == "completed", outcomes[-1:] == ["answered"])
            self.assertEqual(row["lastOutcome"], outcomes[-1] if outcomes else None)
        self.assertEqual(dict(by_contact), {}, "calls of nobody")
        return {call["callId"]: call for call in calls}


if __name__ == "__main__":
    unittest.main(verbosity=2)
