"""Records of ended executions, of events and of responses are kept for a while and then removed, in
slices (docs/operations.md, "Retention")."""

import re
import subprocess
import threading
import time

from outdial_daemon import Story, expect, main, program_path, wait_until
from test_live import Live

DAY = 86400


class Retention(Story):
    config = None

    def setUp(self):
        super().setUp()
        self.organisation = self.org()

    def ended(self, program=2, outcome="answered"):
        """An execution that has completed, with its calls: of a program, or of a new one with so
        many contacts."""
        org, worker = self.organisation, self.worker()
        execution = org.launch(program)
        contacts = org.execution(execution)["totalContacts"]
        worker.finish_all(worker.claim_exactly(contacts), outcome)
        org.wait_status(execution, "completed")
        return execution

    def rows(self):
        """The number of rows of the store at rest, as the tool counts them."""
        self.daemon.stop()
        count = self.rows_at_rest()
        self.daemon.start()
        return count

    def rows_at_rest(self):
        tool = program_path("OUTDIALCTL")
        done = subprocess.run([tool, "check", "--data-dir", self.daemon.data],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        return int(re.search(r"([\d,]+) rows", done.stdout).group(1).replace(",", ""))

    def gone(self, execution):
        path = f"/api/program-executions/{execution}"
        for tail in ("", "/contacts", "/calls", "/events"):
            self.fails(self.organisation.api.get(path + tail), 404, "ExecutionNotFoundError")
        for answer in (self.organisation.api.patch(path + "/pause"),
                       self.organisation.api.delete(path)):
            self.fails(answer, 404, "ExecutionNotFoundError")


class WhatIsKept(Retention):
    def test_an_ended_execution_is_kept_for_90_days_and_then_gone(self):
        org = self.organisation
        program = org.program(2)
        self.daemon.worker_key()
        before = self.rows()
        execution = self.ended(program)
        call = org.calls(execution)[0]
        self.daemon.advance(90 * DAY - 1)
        self.assertEqual(org.execution(execution)["contactsCompleted"], 2)
        self.daemon.advance(1)
        self.gone(execution)
        self.assertEqual(org.api.pages(f"/api/programs/{program['id']}/executions"), [])
        self.assertEqual(org.api.pages("/api/program-executions?status=completed"), [])
        late = self.worker().tell({"callId": call["callId"], "type": "result",
                                   "outcome": "busy"})[0]
        self.assertEqual(late["status"], "unknown")
        # Two rows stay: the last number of an execution, and of an event.
        self.assertEqual(self.rows(), before + 2)
        # The program is there and can be launched anew.
        self.assertNotEqual(org.launch(program), execution)

    def test_one_that_goes_on_is_kept(self):
        org = self.organisation
        execution = org.launch(1)
        self.daemon.advance(200 * DAY)
        self.assertEqual(org.execution(execution)["status"], "running")

    def test_days_count_from_the_end(self):
        org = self.organisation
        execution = org.launch(org.program(pauseWindows={"advanced": [
            {"startAt": "2026-11-01T00:00:00Z", "endAt": "2030-11-01T00:00:00Z"}]}))
        self.daemon.advance(100 * DAY)
        org.cancel(execution)
        self.daemon.advance(90 * DAY - 1)
        self.assertEqual(org.execution(execution)["status"], "cancelled")
        self.daemon.advance(1)
        self.gone(execution)

    def test_a_deleted_program_does_not_stop_it(self):
        org = self.organisation
        execution = self.ended()
        org.api.remove(f"/api/programs/{org.execution(execution)['programId']}")
        self.daemon.advance(91 * DAY)
        self.gone(execution)

    def test_only_what_is_due_goes(self):
        first = self.ended()
        self.daemon.advance(50 * DAY)
        second = self.ended()
        self.daemon.advance(50 * DAY)
        self.gone(first)
        self.assertEqual(len(self.organisation.calls(second)), 2)
        self.daemon.advance(50 * DAY)
        self.gone(second)

    def test_a_removed_number_is_not_given_again(self):
        """A call's id is made of its execution's number: that of a removed one stays taken."""
        org = self.organisation
        execution = self.ended(1)
        old = org.calls(execution)[0]["callId"]
        self.daemon.advance(91 * DAY)
        self.gone(execution)
        for kill in (False, True):
            self.daemon.restart(kill=kill)
        self.ended(1)
        new = org.calls(org.api.pages("/api/program-executions?status=completed")[0]["id"])[0]
        # The first 48 bits of a call id are the number (base/id.h).
        self.assertNotEqual(new["callId"][:13], old[:13])

    def test_responses_go_after_a_day(self):
        before = self.rows()
        expect(self.organisation.api.post("/api/audiences", {"name": "a"},
                                          headers={"Idempotency-Key": "k"}), 201)
        self.daemon.advance(DAY - 1)
        self.assertEqual(self.rows(), before + 3)  # the audience, the response, its place
        self.daemon.advance(1)
        self.assertEqual(self.rows(), before + 1)

    def test_a_restart_finds_what_came_due_meanwhile(self):
        execution = self.ended()
        now = self.daemon.now()
        self.daemon.stop()
        year = str(int(now[:4]) + 1)
        self.daemon.test_clock = year + now[4:]
        self.daemon.start()
        self.daemon.settle()
        self.gone(execution)


class LiveMode(Retention):
    """Triggers are kept as long as their execution."""

    def setUp(self):
        super().setUp()
        self.organisation = Live(self.daemon)

    def ended_live(self, program):
        """One that has been called, and has fired, missed and pending triggers at its end."""
        org, worker = self.organisation, self.worker()
        execution = org.launch(program)
        self.daemon.advance(2 * DAY)
        worker.finish_all(worker.claim_exactly(1), "answered")
        org.wait_counts(execution, total=1, completed=1)
        org.cancel(execution)
        return execution

    def test_a_live_execution_goes_with_its_triggers(self):
        org = self.organisation
        for date in ("2026-11-24", "1958-01-01", "2026-01-01", "2031-01-01", None):
            org.person(date)
        program = org.live_program()
        path = f"/api/programs/{program['id']}/triggers"
        self.daemon.worker_key()
        before = self.rows()
        execution = self.ended_live(program)
        self.daemon.advance(90 * DAY - 1)
        self.assertEqual([row["status"] for row in org.triggers(program)],
                         ["missed", "missed", "fired", "cancelled"])
        self.daemon.advance(1)
        self.gone(execution)
        for query in ("", "?status=fired", "?status=pending", "?limit=1"):
            self.assertEqual(org.api.read(path + query), {"data": [], "nextCursor": None})
        # Two rows stay as in batch mode, and the contact is a member of the audience (two rows).
        self.assertEqual(self.rows(), before + 4)
        self.assertNotEqual(org.launch(program), execution)
        self.assertEqual(len(org.triggers(program)), 4)

    def test_only_the_triggers_of_that_execution_go(self):
        org = self.organisation
        org.person("2026-11-24")
        org.person("2030-01-01")
        program, other = org.live_program(), org.live_program()
        first = self.ended_live(program)
        org.launch(other)
        self.daemon.advance(50 * DAY)
        second = org.launch(program)
        org.cancel(second)
        third = org.launch(program)
        self.daemon.advance(41 * DAY)
        self.gone(first)
        self.assertEqual([(row["executionId"], row["status"]) for row in org.triggers(program)],
                         [(second, "missed"), (third, "missed"),
                          (second, "cancelled"), (third, "pending")])
        self.assertEqual([row["status"] for row in org.triggers(other)], ["missed", "pending"])
        self.daemon.advance(50 * DAY)
        self.gone(second)
        self.assertEqual({row["executionId"] for row in org.triggers(program)}, {third})

    def test_one_that_has_not_ended_keeps_its_triggers(self):
        org = self.organisation
        person = org.person("1990-11-24")
        program = org.live_program({"recurrence": "yearly"})
        org.launch(program)
        self.daemon.advance(2 * 365 * DAY)
        self.assertEqual([row["status"] for row in org.triggers(program)],
                         ["fired"] * 2 + ["pending"])
        org.api.remove(f"/api/contacts/{person['id']}")
        self.daemon.advance(200 * DAY)
        self.assertEqual([row["status"] for row in org.triggers(program)],
                         ["fired"] * 2 + ["cancelled"])

    def test_a_deleted_program_and_a_deleted_contact_do_not_stop_it(self):
        org = self.organisation
        people = [org.person("2026-11-24"), org.person("2031-01-01")]
        program = org.live_program()
        execution = self.ended_live(program)
        org.api.remove(f"/api/programs/{program['id']}")
        for person in people:
            org.api.remove(f"/api/contacts/{person['id']}")
        self.daemon.advance(91 * DAY)
        self.gone(execution)
        self.fails(org.api.get(f"/api/programs/{program['id']}/triggers"),
                   404, "ProgramNotFoundError")


class Settings(Retention):
    config = "[retention]\nexecutions_days = 2\nevents_days = 30\n[gateway worker]\n" \
             "kind = worker\n[calls]\ndefault_gateway = worker\n"

    def test_days_are_configured(self):
        execution = self.ended()
        self.daemon.advance(2 * DAY - 1)
        self.organisation.execution(execution)
        self.daemon.advance(1)
        self.gone(execution)
        before = self.rows()
        self.daemon.advance(28 * DAY)  # events are kept longer, and mind nothing
        self.assertEqual(self.rows(), before - 6)  # three of them, and their places


class ForEver(Retention):
    config = "[retention]\nexecutions_days = 0\n[gateway worker]\nkind = worker\n[calls]\n" \
             "default_gateway = worker\n"

    def test_nothing_is_removed(self):
        execution = self.ended()
        self.daemon.advance(3650 * DAY)
        self.assertEqual(len(self.organisation.calls(execution)), 2)


class Large(Retention):
    """A removal of many slices, with the simulator that answers at once."""

    config = "[gateway simulator]\nkind = simulator\nanswer_instantly = true\n" \
             "answered = 0\nbusy = 100\n[calls]\ndefault_gateway = simulator\n"
    contacts = 5000  # with 21 calls each
    program = None

    def make_program(self):
        self.program = self.organisation.program(self.contacts, gateway="simulator", retryStrategy={
            "type": "fixed_delay", "delayMinutes": 1, "maxRetries": 20})

    def ended_large(self):
        org = self.organisation
        if self.program is None:
            self.make_program()
        execution = org.launch(self.program)
        self.daemon.advance(20 * 60)
        org.wait_status(execution, "completed")
        return execution

    def advance_in_background(self, seconds):
        """The clock is moved by a request whose answer may never come."""
        def move():
            try:
                self.admin.clone().post("/api/test-clock/advance", {"seconds": seconds})
            except OSError:
                pass
        thread = threading.Thread(target=move)
        thread.start()
        return thread

    def test_a_kill_in_the_middle_goes_on_after_the_next_start(self):
        self.make_program()
        before = self.rows()
        execution = self.ended_large()
        left = []
        for _ in range(3):
            thread = self.advance_in_background(91 * DAY)
            wait_until(lambda: self.organisation.api.get(
                f"/api/program-executions/{execution}").status == 404, "it is not found")
            self.daemon.kill9()
            thread.join()
            left.append(self.rows_at_rest())  # what is left is sound
            self.daemon.start()
        self.assertGreater(left[0], before + 10, "it was not killed in the middle")
        self.daemon.settle()
        self.gone(execution)
        self.assertEqual(self.rows(), before + 2)

    def test_a_kill_in_the_middle_of_a_live_one(self):
        org = self.organisation = Live(self.daemon)
        for day in ("2026-11-24", "1969-11-24", "2031-01-01"):
            org.contacts(10_000, customAttributes={"birthday": day})
        program = org.live_program(gateway="simulator")
        path = f"/api/programs/{program['id']}/triggers"
        execution = org.launch(program)
        org.cancel(execution)
        other = org.launch(program)
        left = []
        self.daemon.advance(1)
        for _ in range(3):
            thread = self.advance_in_background(91 * DAY)
            wait_until(lambda: org.api.get(
                f"/api/program-executions/{execution}").status == 404, "it is not found")
            shown = {row["executionId"] for row in org.api.read(path + "?limit=20")["data"]}
            self.assertLessEqual(shown, {other})
            self.daemon.kill9()
            thread.join()
            left.append(self.rows_at_rest())  # what is left is sound
            self.daemon.start()
        self.daemon.settle()
        self.gone(execution)
        self.assertGreater(left[0], self.rows() + 10, "it was not killed in the middle")
        self.assertEqual(len({row["contactId"] for row in org.triggers(program)}), 30_000)

    def test_others_are_answered_in_between(self):
        execution = self.ended_large()
        thread = self.advance_in_background(91 * DAY)
        slowest = answers = 0
        while thread.is_alive():
            began = time.monotonic()
            self.organisation.contact()
            slowest = max(slowest, time.monotonic() - began)
            answers += 1
        thread.join()
        self.gone(execution)
        self.assertGreater(answers, 3)
        self.assertLess(slowest, 1)

    def test_room_is_used_again(self):
        def bytes_used():
            for line in self.admin.get("/metrics").json.splitlines():
                if line.startswith("outdial_store_bytes "):
                    return float(line.split()[1])
            raise AssertionError("no such metric")

        self.ended_large()
        before = bytes_used()
        self.daemon.advance(91 * DAY)
        self.ended_large()
        # A second one of the same size, with its contacts, took the first one's pages.
        self.assertLess(bytes_used(), before * 1.6)


if __name__ == "__main__":
    main()
