"""kill -9 under idempotent retries, $OUTDIAL_KILLS times (default 50).

Clients send each POST under an Idempotency-Key of its own until they have an answer, whatever happens to
the daemon meanwhile, and then once more. The daemon is killed at random moments. At the end:
  - no key has made two resources, whatever was sent how often, and none that was answered is lost;
  - every answer to a key is the first one: once it is known, it is given again, also after the kills;
  - a program that was launched under a key has one execution.

The seed is printed; $OUTDIAL_SEED sets it (threads still race, so a run is not repeated exactly).
"""

import collections
import http.client
import os
import random
import threading
import time
import unittest

from outdial_daemon import NOTHING, Daemon, Organisation, wait_until

KILLS = int(os.environ.get("OUTDIAL_KILLS", "50"))
SEED = int(os.environ.get("OUTDIAL_SEED", random.SystemRandom().randrange(1 << 32)))
UNREACHABLE = (OSError, http.client.HTTPException)  # nothing is known about the request
CONTACTS = 1500  # more than a slice: a launch is answered batches after its first one


class Retrier(threading.Thread):
    """A client that never takes silence for an answer."""

    def __init__(self, org, number, program, stop):
        super().__init__(name=f"retrier {number}", daemon=True)
        self.org, self.number, self.program, self.stop = org, number, program, stop
        self.api = org.api.clone()
        self.random = random.Random(SEED * 100 + number)
        self.failure = None
        self.counts = collections.Counter()
        self.first = {}  # key -> (path, body, the answer)

    def run(self):
        step = 0
        try:
            while not self.stop.is_set():
                step += 1
                self.one(f"{self.number}-{step}")
        except Exception as error:  # pylint: disable=broad-except
            self.failure = f"{self.name}: {error!r}"

    def ask(self, path, body, key):
        """Until it is answered, or the test is over (None)."""
        while not self.stop.is_set():
            self.counts["sent"] += 1
            try:
                response = self.api.post(path, body, headers={"Idempotency-Key": key})
            except UNREACHABLE:
                self.counts["unknown"] += 1
                self.stop.wait(0.005)
                continue
            if response.status != 503:
                return response
            self.counts["unavailable"] += 1
        return None

    def one(self, key):
        path, body = self.random.choice((
            ("/api/audiences", {"name": key}), ("/api/flows", {"name": key}),
            ("/api/custom-attributes", {"name": "a" + key.replace("-", "_"), "type": "number"}),
            ("/api/contacts", {"primaryPhone": self.org.daemon.phone(), "firstName": key}),
            ("/api/programs", {**self.program, "name": key})))
        made = self.again(path, body, key)
        if made is not None and path == "/api/programs":
            self.again(f"/api/programs/{made['id']}/launch", NOTHING, "launch-" + key)

    def again(self, path, body, key):
        """Twice: the same is said."""
        response = self.ask(path, body, key)
        if response is None:
            return None
        if response.status != 201:
            raise AssertionError(f"{path} {key}: {response.status} {response.json}")
        self.counts["answered"] += 1
        self.counts["replayed first"] += response.headers["Idempotent-Replayed"] == "true"
        self.first[key] = (path, body, response.json)
        second = self.ask(path, body, key)
        if second is not None and (second.json != response.json or
                                   second.headers["Idempotent-Replayed"] != "true"):
            raise AssertionError(f"{path} {key}: {response.json}, then {second.json}")
        return response.json


class IdempotentRetries(unittest.TestCase):
    def setUp(self):
        print(f"seed {SEED}, {KILLS} kills", flush=True)
        self.random = random.Random(SEED)
        self.daemon = Daemon(test_clock=None).start()
        self.stop = threading.Event()
        self.retriers = []
        self.addCleanup(self.close)
        orgs = [Organisation(self.daemon) for _ in range(2)]
        programs = [org.program_body(CONTACTS, startAt="2999-01-01T00:00:00Z") for org in orgs]
        self.retriers = [Retrier(orgs[n % 2], n, programs[n % 2], self.stop) for n in range(4)]

    def close(self):
        self.stop.set()
        for retrier in self.retriers:
            if retrier.is_alive():
                retrier.join(30)
        self.daemon.close()

    def check_failures(self):
        self.assertEqual([r.failure for r in self.retriers if r.failure is not None], [])

    def answered(self):
        return sum(retrier.counts["answered"] for retrier in self.retriers)

    def test_a_retry_never_makes_a_second_resource(self):
        for retrier in self.retriers:
            retrier.start()
        for number in range(KILLS):
            time.sleep(self.random.uniform(0.01, 0.25))
            self.daemon.kill9()
            if self.random.random() < 0.2:
                self.daemon.check_store()
            self.daemon.start()
            self.check_failures()
            if number % 10 == 9:
                before = self.answered()
                wait_until(lambda known=before: self.answered() > known, "an answer")
        self.stop.set()
        for retrier in self.retriers:
            retrier.join(60)
            self.assertFalse(retrier.is_alive(), retrier.name)
        self.check_failures()
        self.verify()
        self.daemon.restart()
        self.verify()
        counts = sum((retrier.counts for retrier in self.retriers), collections.Counter())
        print(f"{KILLS} kills, {dict(counts)}, none made twice", flush=True)
        self.assertGreater(counts["answered"], KILLS)

    def verify(self):
        for org in {retrier.org for retrier in self.retriers}:
            for path, word in (("/api/audiences", "name"), ("/api/flows", "name"),
                               ("/api/custom-attributes", "name"), ("/api/contacts", "firstName"),
                               ("/api/programs", "name")):
                rows = org.api.pages(path)
                named = [row[word] for row in rows if row[word]]
                self.assertEqual([name for name, count in collections.Counter(named).items()
                                  if count > 1], [], f"{path}: made twice")
                ids = {row["id"] for row in rows}
                for retrier in self.retriers:
                    if retrier.org is org:
                        lost = [key for key, (where, _, answer) in retrier.first.items()
                                if where == path and answer["id"] not in ids]
                        self.assertEqual(lost, [], f"{path}: an acknowledged one is lost")
        for retrier in self.retriers:
            for key, (path, body, answer) in retrier.first.items():
                self.verify_answer(retrier.org, key, path, body, answer)

    def verify_answer(self, org, key, path, body, answer):
        again = org.api.post(path, body, headers={"Idempotency-Key": key})
        self.assertEqual((again.status, again.json), (201, answer), f"{path} {key}")
        self.assertEqual(again.headers["Idempotent-Replayed"], "true")
        if path.endswith("/launch"):
            executions = org.api.read(path.replace("/launch", "/executions"))["data"]
            self.assertEqual([row["id"] for row in executions], [answer["executionId"]])


if __name__ == "__main__":
    unittest.main(verbosity=2)
