#!/usr/bin/env python3
"""A backup that is restored: calls that were under way when it was made are in doubt, and no call id
that the store has ever given comes again (reliability.md 3, "Double dial")."""

import os
import shutil
import subprocess

from outdial_daemon import (
    Daemon, Story, Worker, main, node_executed, program_path, released, result, started)

TIMES = {"type": "fixed_delay", "maxRetries": 2, "delayMinutes": 10}


def backup(daemon, path):
    subprocess.run([program_path("OUTDIALCTL"), "backup", path, "--data-dir", daemon.data],
                   check=True, capture_output=True)


class Restored(Story):
    def setUp(self):
        super().setUp()
        self.one = self.org()
        self.workers = self.worker()
        self.given = set()  # call ids, by the store that was lost

    def claim(self, count):
        """So many calls, claimed from the store that will be lost."""
        calls = self.workers.claim(max=count)
        self.assertEqual(len(calls), count)
        self.given |= {call["callId"] for call in calls}
        return calls

    def under_way(self, **fields):
        """An execution of six contacts: two calls are permitted, two claimed, two on offer."""
        self.program = self.one.program(6, **fields)
        self.execution = self.one.launch(self.program)
        self.one.wait_counts(self.execution, inProgress=6)
        self.daemon.settle()
        self.permitted, self.claimed = self.claim(2), self.claim(2)
        self.workers.start_all(self.permitted)
        self.given |= {call["callId"] for call in self.one.calls(self.execution)}
        self.assertEqual(len(self.given), 6)

    def copy(self):
        path = os.path.join(self.daemon.folder, "backup.mdb")
        backup(self.daemon, path)
        return path

    def restore(self, path):
        """The daemon is stopped, and its folder is the backup's; it is not started yet."""
        if self.daemon.process is not None:
            self.daemon.stop()
        for name in ("data.mdb", "lock.mdb", "lock"):
            os.remove(os.path.join(self.daemon.data, name))
        shutil.copy(path, os.path.join(self.daemon.data, "data.mdb"))
        self.daemon.check_store()

    def calls(self, status):
        return [call for call in self.one.calls(self.execution) if call["status"] == status]

    def assert_all_in_doubt(self, count):
        self.one.wait_counts(self.execution, inProgress=0)
        ended = self.calls("ended")
        self.assertEqual(len(ended), count)
        for call in ended:
            self.assertEqual((call["outcome"], call["inDoubt"]), ("timeout", True), call)
        self.assertLessEqual({call["callId"] for call in ended}, self.given)

    def told(self):
        """How often the log says that a backup was restored."""
        return self.daemon.log_tail(1_000_000).count("a backup was restored")

    def test_what_was_under_way_is_in_doubt_and_is_not_offered_again(self):
        self.under_way(retryStrategy=TIMES)
        path = self.copy()
        self.workers.finish_all(self.claim(2))  # on offer in the backup, dialled since
        self.workers.result(self.permitted[0])
        self.restore(path)
        self.daemon.start()
        self.assert_all_in_doubt(6)
        self.assertEqual(self.told(), 1)
        self.workers.claim_none()
        self.one.wait_counts(self.execution, pending=6)
        # What workers say of them is late: nobody dials, and an outcome is kept.
        self.assertEqual(
            [answer["status"] for answer in self.workers.tell(
                started(self.claimed[0]), started(self.permitted[1]), released(self.claimed[1]),
                node_executed(self.permitted[1], "menu", 1), result(self.permitted[1], "busy"))],
            ["stale", "stale", "stale", "stale", "stale"])
        self.assertEqual(
            self.one.call(self.execution, self.permitted[1]["callId"])["lateOutcome"], "busy")
        self.daemon.advance(600)
        again = self.workers.claim_exactly(6)
        self.assertEqual({call["attempt"] for call in again}, {2})
        self.assertEqual(self.given & {call["callId"] for call in again}, set())
        self.assertEqual({call["redelivered"] for call in again}, {False})
        self.workers.finish_all(again)
        self.assertEqual(self.one.wait_status(self.execution, "completed")["contactsCompleted"], 6)

    def test_contacts_who_were_called_after_the_backup_get_other_call_ids(self):
        """The store knows nothing of those calls; so they are made again, as others."""
        self.execution = self.one.launch(self.one.program(
            4, pacing={"maxConcurrentCalls": 1}, retryStrategy=TIMES))
        first = self.claim(1)[0]
        path = self.copy()
        self.workers.finish(first)
        for _ in range(3):
            lost = self.workers.claim_one()
            self.given.add(lost["callId"])
            self.workers.finish(lost)
        self.one.wait_status(self.execution, "completed")
        for _ in range(2):  # twice: each time it is another time
            self.restore(path)
            self.daemon.start()
            self.one.wait_counts(self.execution, total=4)
            # An answer to what the lost store asked for does not count for who is called now.
            self.assertEqual(self.workers.tell(result(lost))[0]["status"], "unknown")
            for _ in range(3):
                call = self.workers.claim_one()
                self.assertNotIn(call["callId"], self.given)
                self.assertEqual(call["attempt"], 1)
                self.given.add(call["callId"])
                self.workers.finish(call)
            self.assertEqual(self.one.wait_counts(self.execution, completed=3)["contactsPending"], 1)
            self.assertEqual(self.one.call(self.execution, first["callId"])["outcome"], "timeout")

    def test_a_second_start_is_an_ordinary_one(self):
        self.under_way(retryStrategy=TIMES)
        self.restore(self.copy())
        self.daemon.start()
        self.assert_all_in_doubt(6)
        self.daemon.advance(600)
        calls = self.workers.claim_exactly(6)
        self.workers.start_all(calls[:3])
        self.daemon.restart(kill=True)
        self.daemon.restart()
        self.assertEqual(self.told(), 1)
        self.one.wait_counts(self.execution, inProgress=6)
        self.assertEqual([answer["status"] for answer in self.workers.tell(
            *[result(call) for call in calls[:3]], *[started(call) for call in calls[3:]])],
            ["accepted"] * 6)

    def test_an_execution_that_is_paused_or_cancelled(self):
        self.under_way()
        self.one.pause(self.execution)
        other = self.one.launch(self.one.program(1))
        call = self.workers.claim_exactly(3)[-1]
        self.given.add(call["callId"])
        self.one.cancel(other)
        self.restore(self.copy())
        self.daemon.start()
        self.assert_all_in_doubt(6)
        seen = self.one.execution(self.execution)
        self.assertEqual((seen["status"], seen["contactsFailed"]), ("paused", 6))
        seen = self.one.wait_counts(other, inProgress=0)
        self.assertEqual((seen["status"], seen["contactsFailed"]), ("cancelled", 1))
        self.workers.claim_none()

    def test_credits_that_were_reserved_come_back(self):
        self.one = self.org(credits=10)
        self.under_way()
        self.restore(self.copy())
        self.daemon.start()
        self.assert_all_in_doubt(6)
        credits = self.one.api.read("/api/organization")
        self.assertEqual(credits["credits"], 10)

    def test_many_calls_and_a_crash_in_the_middle(self):
        """More of them than one message ends; the daemon is killed as soon as it serves, twice."""
        self.program = self.one.program(1200, retryStrategy=TIMES)
        self.execution = self.one.launch(self.program)
        self.one.wait_counts(self.execution, inProgress=1200)
        path = self.copy()
        self.given = {call["callId"] for call in self.one.calls(self.execution)}
        self.assertEqual(len(self.given), 1200)
        self.restore(path)
        self.daemon.start()
        self.daemon.restart(kill=True)
        self.daemon.kill9()
        self.daemon.check_store()
        self.daemon.start()
        self.assert_all_in_doubt(1200)
        self.workers.claim_none()
        self.daemon.advance(600)
        again = self.workers.claim_exactly(1200)
        self.assertEqual(self.given & {call["callId"] for call in again}, set())

    def test_a_backup_of_a_restored_store_is_restored_anew(self):
        self.under_way(retryStrategy=TIMES)
        self.restore(self.copy())
        self.daemon.start()
        self.assert_all_in_doubt(6)
        self.daemon.advance(600)
        calls = self.workers.claim_exactly(6)
        self.given |= {call["callId"] for call in calls}
        os.remove(os.path.join(self.daemon.folder, "backup.mdb"))
        self.restore(self.copy())
        self.daemon.start()
        self.assertEqual(self.told(), 2)
        self.assert_all_in_doubt(12)

    def test_the_store_that_was_copied_goes_on_as_before(self):
        self.under_way()
        self.copy()
        self.daemon.restart()
        self.assertEqual(self.told(), 0)
        self.assertEqual([answer["status"] for answer in self.workers.tell(
            *[result(call) for call in self.permitted], *[started(call) for call in self.claimed])],
            ["accepted"] * 4)


class OfTheSimulator(Story):
    """Its calls, too: nothing that a push gateway was asked for is asked for again."""

    def test_calls_end_in_doubt_and_the_execution_completes(self):
        one = self.org()
        execution = one.launch(one.program(20, gateway="simulator"))
        one.wait_counts(execution, inProgress=20)
        path = os.path.join(self.daemon.folder, "backup.mdb")
        backup(self.daemon, path)
        copy = Daemon()
        self.addCleanup(copy.close)
        shutil.copy(path, os.path.join(copy.data, "data.mdb"))
        shutil.copy(os.path.join(self.daemon.data, "admin.key"), copy.data)
        copy.start()
        restored = type(one).__new__(type(one))
        restored.__dict__.update(one.__dict__, daemon=copy, api=copy.client(one.key))
        seen = restored.wait_status(execution, "completed")
        self.assertEqual(seen["contactsFailed"], 20)
        self.assertEqual({call["inDoubt"] for call in restored.calls(execution)}, {True})
        self.assertEqual(Worker(copy).claim(), [])


if __name__ == "__main__":
    main()
