#!/usr/bin/env python3
"""The wall clock of a running daemon is set, and the time-zone database under it is exchanged
(reliability.md 4, row 13): nobody is permitted inside a window, by the clock and the rules of that
moment, and leases, which go by another clock, are left alone.

The daemon runs in real time. tests/shims/stepping_clock.c sets its wall clock, as the kernel would tell
it."""

import datetime
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from outdial_daemon import (
    Daemon, Story, format_time, later, main, parse_time, result, started, wait_until)
from shims import SteppingClock

HOUR = 3600
MONDAY = "2026-11-23T09:00:00.000Z"
ZIC = "/usr/sbin/zic"


class Case(Story):
    environment = {}

    def setUp(self):
        self.daemon = Daemon(test_clock=None)
        self.addCleanup(self.daemon.close)
        self.clock = SteppingClock(self.daemon.folder)
        self.daemon.environment = {**self.clock.environment, **self.environment}
        self.daemon.start()
        self.admin = self.daemon.admin
        self.one = self.org()
        self.workers = self.worker()
        self.steps = 0

    def step(self, seconds):
        """Sets the clock; comes back when the daemon has seen it."""
        self.clock.step(seconds)
        self.steps += 1
        wait_until(lambda: self.daemon.log_tail(1_000_000).count("the wall clock was set") >= self.steps,
                   "the daemon sees that its clock was set")

    def step_to(self, text):
        self.step(round(parse_time(text).timestamp() - time.time() - self.clock.offset))

    def now(self):
        """The daemon's wall clock."""
        return format_time(datetime.datetime.fromtimestamp(
            time.time() + self.clock.offset, datetime.timezone.utc))

    def launch(self, contacts=3, **fields):
        self.execution = self.one.launch(self.one.program(contacts, **fields))
        self.one.wait_counts(self.execution, total=contacts)

    def window(self, begin, end):
        """Of seconds from now on."""
        return {"advanced": [{"startAt": later(self.now(), seconds=begin),
                              "endAt": later(self.now(), seconds=end)}]}

    def is_paused(self):
        return self.one.execution(self.execution)["inPauseWindow"]

    def assert_refused(self, call):
        answer = self.workers.started(call)
        self.assertEqual((answer["status"], answer["message"]), ("refused", "pause_window"))

    def assert_open(self, calls):
        """A window is open: no call is handed out, and these are not permitted."""
        self.assertTrue(self.is_paused())
        self.workers.claim_none()
        for call in calls:
            self.assert_refused(call)
        self.workers.claim_none()


class Steps(Case):
    def test_forward_into_a_window_and_back_out_of_it(self):
        self.launch(pauseWindows=self.window(HOUR // 2, 2 * HOUR))
        first, second, third = self.workers.claim_exactly(3)
        self.workers.start_all([first])
        self.step(HOUR)
        self.assert_open([second])
        self.assertEqual(self.workers.result(first)["status"], "accepted")  # it was permitted
        self.step(-HOUR)
        self.assertFalse(self.is_paused())
        # The one that was refused is there again; the other's lease has gone on all the time.
        again = self.workers.claim_one()
        self.assertEqual(again["callId"], second["callId"])
        self.workers.finish(again)
        self.workers.finish(third)
        self.one.wait_status(self.execution, "completed")

    def test_back_into_a_window_and_forward_out_of_it(self):
        self.launch(pauseWindows=self.window(-2 * HOUR, -HOUR // 2))
        first, second, third = self.workers.claim_exactly(3)
        self.step(-HOUR)
        self.assert_open([first, second])
        self.step(HOUR)
        self.workers.finish_all(self.workers.claim_exactly(2))
        self.workers.finish(third)
        self.one.wait_status(self.execution, "completed")

    def test_leases_and_permitted_calls_are_unharmed(self):
        self.launch(4)
        calls = self.workers.claim_exactly(4)
        self.workers.start_all(calls[:2])
        for seconds in (HOUR, -2 * HOUR, 3 * HOUR, -HOUR):
            self.step(seconds)
            self.workers.claim_none()
            self.assertEqual(self.one.execution(self.execution)["contactsInProgress"], 4)
        self.assertEqual(
            [answer["status"] for answer in self.workers.tell(
                *[started(call) for call in calls[2:]], *[result(call) for call in calls])],
            ["accepted"] * 6)

    def test_a_start_and_a_stop_come_with_the_clock(self):
        self.launch(1, startAt=later(self.now(), seconds=HOUR),
                    stopAt=later(self.now(), seconds=3 * HOUR))
        self.assertEqual(self.one.execution(self.execution)["status"], "scheduled")
        self.workers.claim_none()
        self.step(2 * HOUR)
        self.one.wait_status(self.execution, "running")
        call = self.workers.claim_one()
        self.step(-2 * HOUR)  # what has begun goes on
        self.assertEqual(self.one.execution(self.execution)["status"], "running")
        self.step(4 * HOUR)
        self.one.wait_status(self.execution, "stopped")
        self.assertEqual(self.workers.result(call)["status"], "accepted")

    def test_a_retry_is_due_by_the_clock(self):
        self.launch(1, retryStrategy={"type": "fixed_delay", "delayMinutes": 30, "maxRetries": 1})
        self.workers.finish(self.workers.claim_one(), "busy")
        self.step(-HOUR)
        self.workers.claim_none()
        self.step(HOUR + 31 * 60)
        self.assertEqual(self.workers.claim_one()["attempt"], 2)

    def test_steps_amid_permissions(self):
        """Many, while workers ask: each permission was given outside of the window by the clock of
        its moment, or of the step that was under way."""
        self.launch(300, pauseWindows=self.window(HOUR // 2, 2 * HOUR))
        stopping, wrong, permitted = threading.Event(), [], []
        state = {"inside": False, "changes": 0}

        def dial(worker):
            while not stopping.is_set():
                for call in worker.claim(max=3, wait_ms=20):
                    before = dict(state)
                    answer = worker.started(call)["status"]
                    if answer == "accepted":
                        permitted.append(call)
                        if before["inside"] and state == before:
                            wrong.append(call)
                        worker.result(call)

        threads = [threading.Thread(target=dial, args=(self.workers.clone(),)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(6):
            known = len(permitted)
            wait_until(lambda: len(permitted) >= known + 5, "calls are permitted")
            state["changes"] += 1
            self.step(HOUR)
            self.assertTrue(wait_until(self.is_paused, "the window is open"))
            state.update(inside=True)
            for _ in range(5):
                self.assertTrue(self.is_paused())
            state["changes"] += 1
            state.update(inside=False)
            self.step(-HOUR)
        stopping.set()
        for thread in threads:
            thread.join(30)
        self.assertEqual(wrong, [])
        self.assertLess(len(permitted), 300)


class Zones(Case):
    """SIGHUP after another tzdata: windows that are said by the hour are others from then on."""

    folder = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not os.path.exists(ZIC):
            raise cls.skipTest(cls, f"there is no {ZIC}")
        cls.folder = tempfile.mkdtemp(prefix="outdial-zones-")
        cls.environment = {"TZDIR": cls.folder}
        cls.rules("0:00")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)
        super().tearDownClass()

    @classmethod
    def rules(cls, offset):
        """The database has one zone, of this offset; each is another version of it."""
        cls.version = getattr(cls, "version", 0) + 1
        text = f"Zone Test/Home {offset} - XXT\n"
        subprocess.run([ZIC, "-d", cls.folder, "-"], input=text, text=True, check=True)
        path = os.path.join(cls.folder, "tzdata.zi")
        with open(path + ".new", "w", encoding="ascii") as file:
            file.write(f"# version {cls.version}\nZ Test/Home {offset} - XXT\n")
        os.replace(path + ".new", path)
        os.utime(path, (1_700_000_000 + cls.version,) * 2)

    def exchange(self, offset):
        changes = self.daemon.log_tail(1_000_000).count("the time-zone database has changed")
        self.rules(offset)
        self.daemon.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.daemon.log_tail(1_000_000).count(
            "the time-zone database has changed") > changes, "the daemon reads it")

    def test_the_rules_change_while_calls_are_claimed(self):
        self.step_to(MONDAY)
        self.one = self.org(timezone="Test/Home")
        self.launch(pauseWindows={"monday": [{"startAt": {"hour": 11, "minute": 0},
                                              "endAt": {"hour": 14, "minute": 0}}]})
        first, second, third = self.workers.claim_exactly(3)  # at 9
        self.workers.finish(first)
        self.exchange("3:00")  # it is 12
        self.assert_open([second])
        self.exchange("6:00")  # it is 15
        self.assertFalse(self.is_paused())
        self.workers.finish(self.workers.claim_one())
        self.exchange("3:00")
        self.assert_open([third])
        self.step(-2 * HOUR)  # it is 10
        self.workers.finish(self.workers.claim_one())
        self.one.wait_status(self.execution, "completed")


if __name__ == "__main__":
    main()
