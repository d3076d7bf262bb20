"""kill -9 while triggers of a live program fire, $OUTDIAL_KILLS times (default 25).

The test clock moves on in steps while contacts are created, imported, changed, cleared and deleted, a
worker dials those that fire, and the daemon is killed at random moments. Each request is repeated
unchanged until it is answered. What a contact was told is kept in a ledger, with what the clock was
known to have reached before it was sent and could have reached by its answer. At the end:
  - each date that a contact has kept, and each that came due before it was taken back, has fired once and
    not early; one that was taken back before the clock could reach it has not; none has fired twice;
  - each firing is one entry, which has ended by the one call that is listed, or was skipped as the contact
    was deleted, and the counters add up;
  - no callId was dialled twice, and no acknowledged contact, change, instant or result is lost.

The seed is printed; $OUTDIAL_SEED sets it (threads still race, so a run is not repeated exactly).
"""

import collections
import http.client
import json
import os
import random
import threading
import time
import unittest
from typing import NamedTuple, Optional

from outdial_daemon import (
    MONDAY_NINE, Daemon, Organisation, Worker, check_counters, later, parse_time, released, result,
    started, wait_until)

KILLS = int(os.environ.get("OUTDIAL_KILLS", "25"))
SEED = int(os.environ.get("OUTDIAL_SEED", random.SystemRandom().randrange(1 << 32)))
CONFIG = """[calls]
lease_seconds = 60
lease_limit = 20
call_timeout_seconds = 86400
[log]
level = warn
"""
UNREACHABLE = (OSError, http.client.HTTPException)  # nothing is known about the request
CONTACTS = 3000  # to begin with
TICK = 20  # seconds of the test clock: most dates are multiples of it, as an instant takes a commit
ROUND = 5 * TICK  # from one kill to the next
LAST = (KILLS + 10) * ROUND  # every date is before it; all instants are seconds after MONDAY_NINE
ATTRIBUTE = "due"


class Step(NamedTuple):
    """What a contact was told: a date, or None when it has none any more."""
    date: Optional[int]
    reached: int  # by the clock, acknowledged before this was first sent
    reachable: int  # by the clock when this was acknowledged: no later instant had been asked for


def faults(steps, fired):
    """What is wrong with the firings of a contact: (due instant, how often it fired)."""
    found = [f"{date} has fired, which it never had" for date in fired
             if date not in {step.date for step in steps}]
    for step, after in zip(steps, list(steps[1:]) + [None]):
        if step.date is None:
            continue
        count = fired[step.date]
        if count > 1:
            found.append(f"{step.date} has fired {count} times")
        elif count == 0 and (after is None or step.reachable < step.date <= after.reached):
            found.append(f"{step.date} is lost")
        if count > 0 and after is not None and step.date > after.reachable:
            found.append(f"{step.date} has fired, but was taken back before")
    return found


class Faults(unittest.TestCase):
    """What the ledger finds, and what it lets pass."""

    def check(self, steps, fired, *words):
        found = faults([Step(*step) for step in steps], collections.Counter(fired))
        self.assertEqual(len(found), len(words), found)
        for text, word in zip(found, words):
            self.assertIn(word, text)

    def test_a_date_that_was_kept(self):
        self.check([(10, 0, 0)], [10])
        self.check([(10, 0, 0)], [], "lost")
        self.check([(10, 0, 0)], [10, 10], "2 times")
        self.check([(10, 0, 0)], [10, 11], "never had")
        self.check([(10, 12, 12)], [], "lost")  # past when it was told: it fires at once

    def test_a_date_that_was_taken_back(self):
        for date in (None, 40):
            kept = [] if date is None else [date]
            self.check([(20, 0, 0), (date, 10, 19)], kept)
            self.check([(20, 0, 0), (date, 10, 19)], [20] + kept, "taken back")
            self.check([(20, 0, 0), (date, 10, 20)], kept)  # the clock was on its way: either
            self.check([(20, 0, 0), (date, 10, 20)], [20] + kept)
            self.check([(20, 0, 0), (date, 20, 20)], [20] + kept)
            self.check([(20, 0, 0), (date, 20, 20)], kept, "lost")
            self.check([(20, 0, 20), (date, 20, 20)], kept)  # reached while it was told


class Shared:
    """What the threads know together."""

    def __init__(self):
        self.stop, self.callers_stop, self.abort = (threading.Event() for _ in range(3))
        self.lock = threading.Lock()
        self.failures = []
        self.counts = collections.Counter()
        self.reached, self.asked = 0, 0  # by the clock: acknowledged, and asked for
        self.limit = 0  # of the clock until the next kill
        self.contacts = {}  # id -> [Step]
        self.dials = collections.Counter()  # callId
        self.results = {}  # callId -> outcome, acknowledged


class Actor(threading.Thread):
    """A thread that talks to a daemon which comes and goes, and never takes silence for an answer."""

    def __init__(self, shared, name, api, stopping):
        super().__init__(name=name, daemon=True)
        self.shared, self.api, self.stopping = shared, api.clone(), stopping
        self.random = random.Random(f"{SEED} {name}")

    def run(self):
        try:
            while not self.stopping.is_set():
                self.step()
        except Exception as error:  # pylint: disable=broad-except
            self.shared.failures.append(f"{self.name}: {error!r}")

    def step(self):
        raise NotImplementedError

    def count(self, what, number=1):
        with self.shared.lock:
            self.shared.counts[what] += number

    def ask(self, method, path, allowed, *body, **options):
        """The answer, and whether the request had been sent before."""
        again = False
        while not self.shared.abort.is_set():
            try:
                response = self.api.request(method, path, *body, **options)
            except UNREACHABLE:
                self.count("unknown")
                again = True
                self.shared.abort.wait(0.005)
                continue
            if response.status == 503:
                self.count("unavailable")
                continue
            if response.status not in allowed:
                raise AssertionError(f"{method} {path}: {response.status} {response.json}")
            return response.json, again
        raise AssertionError("given up, as the test has failed")


class Clock(Actor):
    """Moves on, up to the limit of the round."""

    def step(self):
        left = self.shared.limit - self.shared.reached
        if left <= 0:
            self.stopping.wait(0.002)
            return
        self.move(self.shared.reached + min(left, self.random.randint(1, 2 * TICK)))

    def move(self, instant):
        self.shared.asked = instant
        self.ask("POST", "/api/test-clock/advance", (200,), {"to": instant_text(instant)})
        self.shared.reached = instant
        self.count("steps of the clock")


def instant_text(instant):
    return later(MONDAY_NINE, seconds=instant)


def instant_of(text):
    return int((parse_time(text) - parse_time(MONDAY_NINE)).total_seconds())


class Changer(Actor):
    """Creates contacts and changes its own ones, which no one else does."""

    def __init__(self, shared, name, org):
        super().__init__(shared, name, org.api, shared.stop)
        self.org = org
        self.mine = {}  # id -> phone, of those that are there
        self.gone = set()

    def date(self, known=()):
        """A date that the contact never had: mostly soon, now and then past."""
        while True:
            now, kind = self.shared.asked, self.random.random()
            if kind < 0.1 and now > 1:
                date = self.random.randint(1, now)
            else:
                date = (now // TICK + self.random.randint(1, 15)) * TICK
            if 0 < date < LAST and date not in known:
                return date

    def known(self, contact):
        return {step.date for step in self.shared.contacts[contact]}

    def told(self, contact, date, reached):
        self.shared.contacts.setdefault(contact, []).append(
            Step(date, reached, self.shared.asked))

    def rows(self, dates):
        return [{"primaryPhone": phone, "customAttributes": {ATTRIBUTE: instant_text(date)}}
                for phone, date in dates.items()]

    def upsert(self, dates):
        """New contacts and known ones by phone; a repetition makes none twice and fires none twice."""
        reached = self.shared.reached
        answer, _ = self.ask("POST", "/api/contacts/upsert", (200,), {"data": self.rows(dates)})
        for contact in answer["contacts"]:
            self.mine[contact["id"]] = contact["primaryPhone"]
            self.told(contact["id"], dates[contact["primaryPhone"]], reached)
        self.count("upserted", len(dates))

    def chosen(self, number):
        return self.random.sample(sorted(self.mine), min(number, len(self.mine)))

    def step(self):
        kind = self.random.random()
        if kind < 0.25 or len(self.mine) < 20:
            self.upsert({self.org.daemon.phone(): self.date() for _ in range(8)})
        elif kind < 0.4:
            self.move_many(self.chosen(10))
        else:
            self.change(self.chosen(1)[0], self.random.random())
        self.stopping.wait(0.005)

    def move_many(self, contacts):
        dates = {contact: self.date(self.known(contact)) for contact in contacts}
        by_phone = {self.mine[contact]: date for contact, date in dates.items()}
        if self.random.random() < 0.5:
            self.upsert(by_phone)
            return
        reached = self.shared.reached
        text = "".join(json.dumps(row) + "\n" for row in self.rows(by_phone))
        answer, _ = self.ask("POST", "/api/contacts/import", (200,), raw=text.encode(),
                             headers={"Content-Type": "application/x-ndjson"})
        if (answer["rows"], answer["rejected"]) != (len(dates), 0):
            raise AssertionError(f"import: {answer}")
        for contact, date in dates.items():
            self.told(contact, date, reached)
        self.count("imported", len(dates))

    def change(self, contact, kind):
        path, reached = f"/api/contacts/{contact}", self.shared.reached
        if kind < 0.25:
            answer, again = self.ask("DELETE", path, (204, 404))
            if not again and answer is not None:
                raise AssertionError(f"{path} is lost: {answer}")
            del self.mine[contact]
            self.gone.add(contact)
            date = None
        else:
            date = None if kind < 0.45 else self.date(self.known(contact))
            value = None if date is None else instant_text(date)
            self.ask("PATCH", path, (200,), {"customAttributes": {ATTRIBUTE: value}})
        self.told(contact, date, reached)
        self.count("deleted" if kind < 0.25 else "cleared" if date is None else "moved")


class Caller(Actor):
    """A worker that keeps the contract."""

    def __init__(self, shared, name, worker):
        super().__init__(shared, name, worker.api, shared.callers_stop)

    def tell(self, events):
        if not events:
            return []
        answer, _ = self.ask("POST", "/api/call-events", (200,), {"events": events})
        if [row["callId"] for row in answer["results"]] != [event["callId"] for event in events]:
            raise AssertionError(f"results are not those of the events: {answer}")
        return [row["status"] for row in answer["results"]]

    def step(self):
        answer, _ = self.ask("POST", "/api/calls/claim", (200,), {
            "max": self.random.randint(1, 200), "waitMs": 20, "gateway": "worker"})
        calls = answer["calls"]
        back, reports = [], []
        for call, status in zip(calls, self.tell([started(call) for call in calls])):
            if status != "accepted":
                self.count(f"started: {status}")
            if status == "accepted":
                self.shared.dials[call["callId"]] += 1
                reports.append(result(call, self.random.choice(("answered", "busy"))))
            elif status == "duplicate":  # the answer was lost: it did not ring
                back.append(released(call, retryAfterSeconds=0))
            elif status not in ("stale", "refused"):
                raise AssertionError(f"started: {status}")
        self.tell(back)
        for event, status in zip(reports, self.tell(reports)):
            if status not in ("accepted", "duplicate"):
                raise AssertionError(f"result: {status}")
            self.shared.results[event["callId"]] = event["outcome"]


class LiveTriggers(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        print(f"seed {SEED}, {KILLS} kills", flush=True)
        self.random = random.Random(SEED)
        self.daemon = Daemon(config=CONFIG).start()
        self.shared = Shared()
        self.threads = []
        self.addCleanup(self.close)
        self.org = Organisation(self.daemon)
        self.org.api.create("/api/custom-attributes", {"name": ATTRIBUTE, "type": "date"})
        self.changers = [Changer(self.shared, f"changer {n}", self.org) for n in range(2)]
        self.populate(0)
        self.program = self.org.api.create("/api/programs", {
            "name": "live", "mode": "live", "flowId": self.org.flow()["id"], "gateway": "worker",
            "didPool": [self.org.did()["id"]], "triggerCondition": {"attributeName": ATTRIBUTE}})
        self.execution = self.org.launch(self.program)
        self.populate(1)  # these come to a program that runs
        self.clock = Clock(self.shared, "clock", self.daemon.admin, self.shared.stop)
        self.caller = Caller(self.shared, "caller", Worker(self.daemon))
        self.threads = self.changers + [self.clock, self.caller]
        self.total = 0

    def populate(self, number):
        for _ in range(CONTACTS // 1000):
            self.changers[number].upsert({
                self.daemon.phone(): self.random.randint(1, 5 * KILLS + 5) * TICK for _ in range(500)})

    def close(self):
        for event in (self.shared.stop, self.shared.callers_stop, self.shared.abort):
            event.set()
        for thread in self.threads:
            if thread.is_alive():
                thread.join(30)
        self.daemon.close()

    def check_now(self):
        """Whatever has died, no instant is lost, no firing, and the counters add up."""
        self.assertEqual(self.shared.failures, [])
        reached = self.shared.reached
        self.assertGreaterEqual(instant_of(self.daemon.now()), reached)
        execution = self.org.execution(self.execution)
        self.assertGreaterEqual(execution["totalContacts"], self.total)
        self.total = execution["totalContacts"]

    def test_each_trigger_fires_once(self):
        begun = time.monotonic()
        for thread in self.threads:
            thread.start()
        for number in range(KILLS):
            self.shared.limit = (number + 1) * ROUND
            self.shared.stop.wait(self.random.uniform(0, 0.15))
            self.check_now()
            self.daemon.kill9()
            if self.random.random() < 0.1:
                self.daemon.check_store()
            self.daemon.start()
            if number % 5 == 4:  # what is left of a round is of the next; here they meet
                wait_until(self.at_limit, "the clock has come to the limit")
        self.finish()
        self.daemon.restart(kill=True)
        self.verify()
        self.assertGreater(self.total, CONTACTS // 2)
        print(f"{KILLS} kills, {len(self.shared.contacts)} contacts, {self.total} firings, "
              f"{len(self.shared.dials)} dials, {dict(self.shared.counts)}: none lost, none twice; "
              f"{time.monotonic() - begun:.0f} s", flush=True)

    def at_limit(self):
        self.assertEqual(self.shared.failures, [])
        return self.shared.reached == self.shared.limit

    def join(self, threads):
        for thread in threads:
            thread.join(60)
            self.assertFalse(thread.is_alive(), thread.name)
        self.check_now()

    def finish(self):
        """All dates come due, and every call comes to its end."""
        self.shared.stop.set()
        self.join(self.changers + [self.clock])
        self.clock.move(LAST)
        moment = [LAST]

        def ended():
            execution = self.org.execution(self.execution)
            if not execution["contactsPending"] and not execution["contactsInProgress"]:
                return True
            self.assertEqual(self.shared.failures, [])
            moment[0] += 1  # leases of claims whose answer was lost end
            self.clock.move(moment[0])
            self.shared.abort.wait(0.02)
            return False
        wait_until(ended, "every call has ended")
        self.shared.callers_stop.set()
        self.join([self.caller])

    def verify(self):
        self.check_now()
        self.verify_contacts()
        fired = self.verify_triggers()
        self.verify_entries(fired)

    def verify_contacts(self):
        there = {row["id"]: row["customAttributes"].get(ATTRIBUTE)
                 for row in self.org.api.pages("/api/contacts")}
        wanted = {contact: self.shared.contacts[contact][-1].date
                  for changer in self.changers for contact in changer.mine}
        self.assertEqual({contact: value and instant_of(value) for contact, value in there.items()},
                         wanted, "an acknowledged change is lost, or one was made that nobody asked for")

    def verify_triggers(self):
        """How often each contact has fired."""
        fired = collections.defaultdict(collections.Counter)
        for row in self.org.api.pages(f"/api/programs/{self.program['id']}/triggers"):
            self.assertIn(row["status"], ("fired", "cancelled"), row)
            if row["status"] == "fired":
                self.assertGreaterEqual(row["firedAt"], row["dueAt"], "fired early")
                fired[row["contactId"]][instant_of(row["dueAt"])] += 1
        wrong = [(contact, found, steps, dict(fired[contact]))
                 for contact, steps in self.shared.contacts.items()
                 for found in [faults(steps, fired[contact])] if found]
        self.assertEqual(wrong[:3], [], f"{len(wrong)} contacts")
        self.assertLessEqual(set(fired), set(self.shared.contacts), "contacts that nobody made")
        return {contact: sum(dates.values()) for contact, dates in fired.items() if dates}

    def verify_entries(self, fired):
        entries = self.org.entries(self.execution)
        self.assertEqual(dict(collections.Counter(row["contactId"] for row in entries)), fired,
                         "entries are not the firings")
        statuses = collections.Counter(row["status"] for row in entries)
        execution = check_counters(self.org.execution(self.execution))
        self.assertEqual(
            (len(entries), statuses["completed"], statuses["failed"], statuses["skipped"], 0, 0),
            tuple(execution[name] for name in (
                "totalContacts", "contactsCompleted", "contactsFailed", "contactsSkipped",
                "contactsPending", "contactsInProgress")))
        gone = set().union(*(changer.gone for changer in self.changers))
        self.assertEqual([row for row in entries
                          if row["status"] == "skipped" and row["contactId"] not in gone], [])
        self.assertEqual([row for row in entries
                          if row["status"] != "skipped" and row["attempts"] != 1], [])
        calls = {call["callId"]: call for call in self.org.calls(self.execution)}
        self.assertEqual([call for call, count in self.shared.dials.items() if count > 1], [],
                         "dialled twice")
        self.assertEqual({call_id: call["outcome"] for call_id, call in calls.items()
                          if call_id in self.shared.dials or call["outcome"] is not None},
                         self.shared.results, "results are not those that were acknowledged")
        called = collections.Counter(call["contactId"] for call in calls.values()
                                     if call["outcome"] is not None)
        self.assertEqual(called, collections.Counter(
            row["contactId"] for row in entries if row["status"] != "skipped"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
