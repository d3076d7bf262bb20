"""api.md, "Executions": from the launch to the end, by the worker gateway and the test clock.

Every read of an execution here checks the equation of its counters."""

from outdial_daemon import (
    MONDAY_NINE, Story, expect, later, main, node_executed, parse_time, released, result, started,
    unknown_id)

FAILURES = ("voicemail", "busy", "no_answer", "rejected", "error", "timeout")


def retries(count, minutes=10):
    return {"type": "fixed_delay", "delayMinutes": minutes, "maxRetries": count}


class Case(Story):
    def setUp(self):
        super().setUp()
        self.one = self.org()
        self.api = self.one.api
        self.workers = self.worker()

    def path(self, execution, end=""):
        return f"/api/program-executions/{execution}{end}"

    def refuses(self, response):
        self.fails(response, 400, "InvalidExecutionStateError")


class ToTheEnd(Case):
    def test_counters_hold_at_every_step(self):
        execution = self.one.launch(self.one.program(4, retryStrategy=retries(1)))
        counts = self.one.wait_counts
        counts(execution, total=4, inProgress=4, pending=0)
        calls = self.workers.claim_exactly(4)
        counts(execution, inProgress=4)
        self.workers.start_all(calls)
        counts(execution, inProgress=4, completed=0)
        self.workers.result(calls[0], "answered")
        counts(execution, inProgress=3, completed=1)
        self.workers.result(calls[1], "busy")
        counts(execution, inProgress=2, completed=1, pending=1)
        self.workers.result(calls[2], "no_answer")
        counts(execution, inProgress=1, completed=1, pending=2)
        self.workers.result(calls[3], "answered")
        counts(execution, inProgress=0, completed=2, pending=2)
        self.assertEqual(self.one.execution(execution)["status"], "running")
        self.daemon.advance(600)
        counts(execution, inProgress=2, completed=2, pending=0)
        second = self.workers.claim_exactly(2)
        self.workers.finish(second[0], "answered")
        counts(execution, inProgress=1, completed=3)
        self.workers.finish(second[1], "busy")
        done = self.one.wait_status(execution, "completed")
        self.assertEqual([done["contacts" + part] for part in
                          ("Completed", "Failed", "Pending", "InProgress", "Skipped")],
                         [3, 1, 0, 0, 0])
        self.assertEqual(done["actualEndAt"], self.daemon.now())
        self.workers.claim_none()

    def test_statuses_of_a_contact(self):
        contacts = self.one.contacts(2)
        program = self.one.program(audienceId=self.one.audience(contacts)["id"],
                                   pacing={"maxConcurrentCalls": 1}, retryStrategy=retries(1))
        execution = self.one.launch(program)
        self.one.wait_counts(execution, inProgress=1, pending=1)
        call = self.workers.claim_one()
        (waiting,) = [c for c in contacts if c["id"] != call["contactId"]]
        contact = {"id": call["contactId"]}

        def statuses():
            return [self.one.entry(execution, c)["status"] for c in (contact, waiting)]

        self.assertEqual(statuses(), ["queued", "pending"])
        self.workers.started(call)
        self.assertEqual(statuses(), ["in_call", "pending"])
        self.workers.result(call, "busy")
        self.one.wait_counts(execution, inProgress=1, pending=1)
        self.assertEqual(statuses(), ["pending_retry", "queued"])
        entry = self.one.entry(execution, contact)
        self.assertEqual(
            {key: entry[key] for key in ("primaryPhone", "attempts", "lastOutcome",
                                         "nextAttemptAt", "completedAt")},
            {"primaryPhone": call["to"], "attempts": 1, "lastOutcome": "busy",
             "nextAttemptAt": later(MONDAY_NINE, minutes=10), "completedAt": None})
        self.workers.finish(self.workers.claim_one(), "answered")
        self.assertEqual(statuses(), ["pending_retry", "completed"])
        now = self.daemon.advance(600)
        self.workers.finish(self.workers.claim_one(), "rejected")
        self.assertEqual(statuses(), ["failed", "completed"])
        entry = self.one.entry(execution, contact)
        self.assertEqual(set(entry), {"contactId", "primaryPhone", "status", "attempts",
                                      "lastOutcome", "nextAttemptAt", "completedAt"})
        self.assertEqual(
            [entry[key] for key in ("attempts", "lastOutcome", "nextAttemptAt", "completedAt")],
            [2, "rejected", None, now])

    def test_lists_can_be_filtered(self):
        contacts = self.one.contacts(6)
        execution = self.one.launch(self.one.program(
            audienceId=self.one.audience(contacts)["id"], pacing={"maxConcurrentCalls": 4}))
        calls = self.workers.claim_exactly(4)
        self.workers.finish(calls[0], "answered")
        self.workers.finish(calls[1], "busy")
        self.one.wait_counts(execution, inProgress=4, pending=0, completed=1, failed=1)
        self.workers.started(calls[2])

        def ids(query):
            return {row["contactId"] for row in self.one.entries(execution, query)}

        self.assertEqual(ids("?status=completed"), {calls[0]["contactId"]})
        self.assertEqual(ids("?status=failed"), {calls[1]["contactId"]})
        self.assertEqual(ids("?status=in_call"), {calls[2]["contactId"]})
        self.assertEqual(len(ids("?status=queued")), 3)
        self.assertEqual(ids("?status=pending"), set())
        self.invalid(self.api.get(self.path(execution, "/contacts?status=asleep")), "status")

        def call_ids(query):
            return [row["callId"] for row in self.one.calls(execution, query)]

        self.assertEqual(call_ids("?outcome=busy"), [calls[1]["callId"]])
        self.assertEqual(call_ids("?outcome=answered"), [calls[0]["callId"]])
        self.assertEqual(call_ids(f"?contactId={calls[1]['contactId']}"), [calls[1]["callId"]])
        self.assertEqual(
            call_ids(f"?contactId={calls[1]['contactId']}&outcome=answered"), [])
        self.invalid(self.api.get(self.path(execution, "/calls?outcome=bored")), "outcome")

    def test_a_call_is_listed_with_its_story(self):
        execution = self.one.launch(1)
        call = self.workers.claim_one()
        self.workers.tell({"callId": call["callId"], "type": "started",
                           "claimId": call["claimId"]})
        self.daemon.advance(30)
        self.workers.result(call, "answered", durationSeconds=30, detail="said yes")
        row = self.one.call(execution, call["callId"])
        self.assertEqual(
            {key: row.get(key) for key in ("callId", "contactId", "attempt", "to", "from",
                                           "outcome", "detail", "durationSeconds")},
            {"callId": call["callId"], "contactId": call["contactId"], "attempt": 1,
             "to": call["to"], "from": call["from"], "outcome": "answered", "detail": "said yes",
             "durationSeconds": 30})
        self.assertFalse(row.get("inDoubt"))
        self.assertIsNone(row.get("lateOutcome"))

    def test_active_ones_are_listed_and_others_when_asked_for(self):
        running, paused, cancelled, completed = [
            self.one.launch(self.one.program(1, didPool=[self.one.did()["id"]])) for _ in range(4)]
        scheduled = self.one.launch(self.one.program(1, startAt=later(MONDAY_NINE, days=1)))
        for call in self.workers.claim_exactly(4):
            if call["executionId"] == completed:
                self.workers.finish(call)
        self.one.wait_status(completed, "completed")
        self.one.pause(paused)
        self.one.cancel(cancelled)

        def ids(query=""):
            return [row["id"] for row in self.api.pages(f"/api/program-executions{query}")]

        self.assertEqual(ids(), [scheduled, paused, running])
        self.assertEqual(ids("?status=completed"), [completed])
        self.assertEqual(ids("?status=completed&status=cancelled"), [completed, cancelled])
        self.assertEqual(ids("?status=running&status=paused&status=scheduled"),
                         [scheduled, paused, running])
        self.assertEqual(ids("?status=stopped"), [])

    def test_every_pause_is_active_and_what_has_stopped_is_not(self):
        rules = [{"nodeId": "menu", "threshold": 1}]
        threshold = self.one.launch(self.one.program(1, autoPauseRules=rules))
        call = self.workers.claim_one()
        self.workers.tell(started(call), node_executed(call, "menu", 1))
        stopped = self.one.launch(self.one.program(
            1, startAt=later(MONDAY_NINE, minutes=1), stopAt=later(MONDAY_NINE, minutes=2)))
        self.daemon.advance(120)
        self.admin.change(f"/api/organizations/{self.one.id}", {"credits": 0})
        penniless = self.one.launch(1)
        self.one.wait_status(penniless, "paused_no_credits")

        def ids(query=""):
            return [row["id"] for row in self.api.pages(f"/api/program-executions{query}")]

        self.assertEqual(ids(), [penniless, threshold])
        self.assertEqual(ids("?status=paused_no_credits"), [penniless])
        self.assertEqual(ids("?status=paused_threshold"), [threshold])
        self.assertEqual(ids("?status=stopped"), [stopped])
        self.assertEqual(ids("?status=stopped&status=paused_threshold"), [stopped, threshold])
        self.invalid(self.api.get("/api/program-executions?status=asleep"), "status")

    def test_contacts_are_listed_by_each_status(self):
        execution = self.one.launch(self.one.program(
            4, pacing={"maxConcurrentCalls": 1}, retryStrategy=retries(1)))
        retrying = self.workers.claim_one()
        self.workers.finish(retrying, "busy")
        queued = self.workers.claim_one()

        def ids(query):
            return {row["contactId"] for row in self.one.entries(execution, query)}

        self.assertEqual(ids("?status=pending_retry"), {retrying["contactId"]})
        pending = ids("?status=pending")
        self.assertEqual(len(pending), 2)
        self.assertFalse(pending & {retrying["contactId"], queued["contactId"]})
        self.one.cancel(execution)
        self.one.wait_counts(execution, skipped=3)
        self.assertEqual(ids("?status=skipped"), pending | {retrying["contactId"]})
        self.assertEqual(ids("?status=queued"), {queued["contactId"]})


class Retries(Case):
    def test_fixed_delay(self):
        execution = self.one.launch(self.one.program(1, retryStrategy=retries(2, 10)))
        seen = set()
        for attempt, outcome in enumerate(("busy", "voicemail", "no_answer"), 1):
            call = self.workers.claim_one()
            self.assertEqual(call["attempt"], attempt)
            self.assertFalse(call["redelivered"])
            seen.add(call["callId"])
            self.daemon.advance(7)  # a while in the call: the delay counts from its end
            self.workers.finish(call, outcome)
            if attempt == 3:
                break
            entry = self.one.entries(execution)[0]
            self.assertEqual((entry["status"], entry["attempts"], entry["lastOutcome"]),
                             ("pending_retry", attempt, outcome))
            due = later(self.daemon.now(), minutes=10)
            self.assertEqual(entry["nextAttemptAt"], due)
            self.assertEqual(self.one.execution(execution)["nextDialAt"], due)
            self.daemon.advance_to(later(due, seconds=-0.001))
            self.workers.claim_none()
            self.daemon.advance_to(due)
        self.assertEqual(len(seen), 3)
        done = self.one.wait_status(execution, "completed")
        self.assertEqual((done["contactsFailed"], done["contactsCompleted"]), (1, 0))
        self.assertEqual({call["callId"] for call in self.one.calls(execution)}, seen)
        self.daemon.advance(86400)
        self.workers.claim_none()

    def test_none(self):
        execution = self.one.launch(1)
        self.workers.finish(self.workers.claim_one(), "busy")
        self.assertEqual(self.one.wait_status(execution, "completed")["contactsFailed"], 1)
        self.daemon.advance(86400)
        self.workers.claim_none()

    def test_answered_completes_and_everything_else_is_a_failed_attempt(self):
        execution = self.one.launch(self.one.program(
            len(FAILURES) + 1, retryStrategy=retries(1)))
        calls = self.workers.claim_exactly(len(FAILURES) + 1)
        for call, outcome in zip(calls, FAILURES + ("answered",)):
            self.workers.finish(call, outcome)
        self.one.wait_counts(execution, completed=1, pending=len(FAILURES))
        self.daemon.advance(600)
        again = self.workers.claim_exactly(len(FAILURES))
        self.assertEqual({call["contactId"] for call in again},
                         {call["contactId"] for call in calls[:-1]})
        self.assertEqual({call["attempt"] for call in again}, {2})
        self.workers.finish_all(again)
        self.assertEqual(self.one.wait_status(execution, "completed")["contactsCompleted"],
                         len(FAILURES) + 1)

    def test_scheduled(self):
        one, two, three = (later(MONDAY_NINE, minutes=n) for n in (10, 30, 50))
        execution = self.one.launch(self.one.program(
            1, retryStrategy={"type": "scheduled", "retryDates": [one, two, three]}))
        self.daemon.advance(60)
        self.workers.finish(self.workers.claim_one(), "busy")
        self.assertEqual(self.one.entries(execution)[0]["nextAttemptAt"], one)
        self.daemon.advance_to(later(one, seconds=-0.001))
        self.workers.claim_none()
        self.daemon.advance_to(one)
        # A failure at the very moment of a date is not earlier than it.
        self.workers.finish(self.workers.claim_one(), "busy")
        self.assertEqual(self.one.entries(execution)[0]["nextAttemptAt"], two)
        self.daemon.advance_to(two)
        call = self.workers.claim_one()
        self.workers.started(call)
        self.daemon.advance_to(later(three, seconds=1))  # longer than the last date
        self.workers.result(call, "busy")
        done = self.one.wait_status(execution, "completed")
        self.assertEqual(done["contactsFailed"], 1)
        self.assertEqual(self.one.entries(execution)[0]["attempts"], 3)

    def test_no_date_is_left_at_the_first_failure(self):
        execution = self.one.launch(self.one.program(1, retryStrategy={
            "type": "scheduled", "retryDates": ["2026-01-01T00:00:00Z"]}))
        self.workers.finish(self.workers.claim_one(), "busy")
        self.assertEqual(self.one.wait_status(execution, "completed")["contactsFailed"], 1)

    def test_a_released_call_uses_up_no_attempt(self):
        execution = self.one.launch(1)
        call = self.workers.claim_one()
        self.workers.tell(released(call))
        entry = self.one.entries(execution)[0]
        self.assertEqual((entry["attempts"], entry["lastOutcome"]), (0, None))
        again = self.workers.claim_one()
        self.assertEqual((again["callId"], again["attempt"]), (call["callId"], 1))

    def test_one_live_call_a_contact(self):
        execution = self.one.launch(self.one.program(1, retryStrategy=retries(20, 1)))
        for _ in range(5):
            call = self.workers.claim_one()
            self.workers.started(call)
            self.daemon.advance(120)
            self.workers.claim_none()
            self.workers.result(call, "busy")
            self.workers.claim_none()
            self.daemon.advance(60)
        self.one.wait_counts(execution, total=1, inProgress=1)


class PauseAndResume(Case):
    def test_calls_go_on_but_no_new_contact_is_taken(self):
        execution = self.one.launch(self.one.program(
            5, pacing={"maxConcurrentCalls": 2}, retryStrategy=retries(1)))
        queued = self.workers.claim_exactly(2)
        self.workers.started(queued[0])
        answer = self.one.pause(execution)
        self.assertEqual((answer["id"], answer["status"]), (execution, "paused"))
        self.assertEqual(self.workers.started(queued[1])["status"], "accepted")
        self.workers.result(queued[0], "answered")
        self.workers.result(queued[1], "busy")
        self.one.wait_counts(execution, completed=1, pending=4, inProgress=0)
        retrying = self.one.entry(execution, {"id": queued[1]["contactId"]})
        self.assertEqual(retrying["status"], "pending_retry")
        self.daemon.advance(3600)
        self.workers.claim_none()
        self.assertIsNone(self.one.execution(execution)["nextDialAt"])
        self.assertEqual(self.one.resume(execution)["status"], "running")
        again = self.workers.claim_exactly(2)
        self.workers.finish_all(again)
        self.workers.finish_all(self.workers.claim_exactly(2))
        done = self.one.wait_status(execution, "completed")
        self.assertEqual(done["contactsCompleted"], 5)

    def test_a_queued_call_that_nobody_has_claimed_goes_on(self):
        execution = self.one.launch(self.one.program(3, pacing={"maxConcurrentCalls": 1}))
        self.one.wait_counts(execution, inProgress=1, pending=2)
        self.one.pause(execution)
        call = self.workers.claim_one()
        self.workers.finish(call)
        self.one.wait_counts(execution, completed=1, pending=2)
        self.workers.claim_none()

    def test_only_from_the_right_status(self):
        scheduled = self.one.launch(self.one.program(1, startAt=later(MONDAY_NINE, days=1)))
        self.refuses(self.api.patch(self.path(scheduled, "/pause")))
        self.refuses(self.api.patch(self.path(scheduled, "/resume")))
        self.one.cancel(scheduled)
        running = self.one.launch(1)
        self.refuses(self.api.patch(self.path(running, "/resume")))
        self.one.pause(running)
        self.refuses(self.api.patch(self.path(running, "/pause")))
        self.assertEqual(self.one.execution(running)["status"], "paused")
        self.one.resume(running)
        self.workers.finish(self.workers.claim_one())
        self.one.wait_status(running, "completed")
        for ended in (running, scheduled):
            for verb in ("/pause", "/resume"):
                self.refuses(self.api.patch(self.path(ended, verb)))
        for verb in ("/pause", "/resume"):
            self.fails(self.api.patch(self.path(unknown_id(), verb)), 404, "ExecutionNotFoundError")

    def test_the_last_calls_of_a_paused_execution_may_end_it_or_not_but_resume_does(self):
        execution = self.one.launch(1)
        call = self.workers.claim_one()
        self.one.pause(execution)
        self.workers.finish(call)
        self.one.wait_counts(execution, completed=1, inProgress=0)
        if self.one.execution(execution)["status"] == "paused":
            self.one.resume(execution)
        self.one.wait_status(execution, "completed")

    def test_only_a_running_one_completes(self):
        execution = self.one.launch(2)
        first, second = self.workers.claim_exactly(2)
        self.one.pause(execution)
        self.workers.finish(first)
        self.workers.finish(second, "busy")
        self.daemon.advance(3600)
        paused = self.one.wait_counts(execution, completed=1, failed=1)
        self.assertEqual((paused["status"], paused["actualEndAt"]), ("paused", None))
        self.one.resume(execution)
        done = self.one.wait_status(execution, "completed")
        self.assertEqual(done["actualEndAt"], self.daemon.now())

    def test_dialling_keeps_the_snapshot_when_the_program_changes(self):
        did = self.one.did()
        program = self.one.program(4, didPool=[did["id"]], retryStrategy=retries(1),
                                   pacing={"maxConcurrentCalls": 1})
        execution = self.one.launch(program)
        self.workers.finish(self.workers.claim_one())
        flow = self.one.flow()["id"]
        self.api.change(f"/api/programs/{program['id']}", {
            "flowId": flow, "didPool": [self.one.did()["id"]], "gateway": "simulator",
            "retryStrategy": {"type": "none"}, "pacing": {"maxConcurrentCalls": 9},
            "audienceId": self.one.audience(1)["id"], "stopAt": later(MONDAY_NINE, minutes=5),
            "pauseWindows": {"advanced": [{"startAt": MONDAY_NINE,
                                           "endAt": later(MONDAY_NINE, days=1)}]}})
        for restarts in (False, True):
            if restarts:
                self.daemon.restart(kill=True)
            call = self.workers.claim_one()  # one at a time, and of the worker gateway
            self.assertEqual((call["didId"], call["flowId"]), (did["id"], program["flowId"]))
            self.workers.finish(call, "busy")
        self.workers.finish(self.workers.claim_one())
        self.one.wait_counts(execution, completed=2, pending=2)
        self.daemon.advance(600)
        for _ in range(2):
            call = self.workers.claim_one()
            self.assertEqual((call["attempt"], call["didId"]), (2, did["id"]))
            self.workers.finish(call)
        self.assertEqual(self.one.wait_status(execution, "completed")["contactsCompleted"], 4)

    def test_a_failure_while_paused_schedules_its_retry_from_its_own_moment(self):
        execution = self.one.launch(self.one.program(1, retryStrategy=retries(1)))
        call = self.workers.claim_one()
        self.workers.started(call)
        self.one.pause(execution)
        self.daemon.advance(60)
        self.workers.result(call, "busy")
        due = later(self.daemon.now(), minutes=10)
        self.assertEqual(self.one.entries(execution)[0]["nextAttemptAt"], due)
        self.one.resume(execution)
        self.daemon.advance_to(later(due, seconds=-0.001))
        self.workers.claim_none()
        self.daemon.advance_to(due)
        self.assertEqual(self.workers.claim_one()["attempt"], 2)

    def test_pause_and_resume_many_times(self):
        execution = self.one.launch(self.one.program(30, pacing={"maxConcurrentCalls": 3}))
        done = 0
        while done < 30:
            calls = self.workers.claim(max=3, wait_ms=2000)
            self.assertTrue(calls)
            self.one.pause(execution)
            self.workers.finish_all(calls)
            done += len(calls)
            if done < 30:
                self.one.resume(execution)
        if self.one.execution(execution)["status"] == "paused":
            self.one.resume(execution)
        self.assertEqual(self.one.wait_status(execution, "completed")["contactsCompleted"], 30)


class Cancel(Case):
    def test_pending_are_skipped_and_calls_under_way_are_counted(self):
        execution = self.one.launch(self.one.program(
            6, pacing={"maxConcurrentCalls": 3}, retryStrategy=retries(3)))
        calls = self.workers.claim_exactly(3)
        self.workers.started(calls[0])
        self.daemon.advance(5)
        now = self.daemon.now()
        self.one.cancel(execution)
        seen = self.one.wait_counts(execution, skipped=3, pending=0, inProgress=3)
        self.assertEqual((seen["status"], seen["actualEndAt"]), ("cancelled", now))
        self.assertEqual(self.workers.started(calls[1])["status"], "accepted")
        self.daemon.advance(5)
        self.workers.result(calls[0], "answered")
        self.workers.result(calls[1], "busy")
        self.workers.result(calls[2], "no_answer")
        ended = self.one.wait_counts(execution, total=6, skipped=3, completed=1, failed=2,
                                     pending=0, inProgress=0)
        self.assertEqual((ended["status"], ended["actualEndAt"]), ("cancelled", now))
        self.daemon.advance(86400)
        self.workers.claim_none()
        statuses = sorted(row["status"] for row in self.one.entries(execution))
        self.assertEqual(statuses, ["completed", "failed", "failed"] + ["skipped"] * 3)

    def test_again_is_204_and_after_the_end_it_is_refused(self):
        execution = self.one.launch(2)
        self.one.cancel(execution)
        self.one.cancel(execution)
        completed = self.one.launch(1)
        for call in self.workers.claim_exactly(3):
            self.workers.finish(call)
        self.one.wait_status(completed, "completed")
        self.refuses(self.api.delete(self.path(completed)))
        self.one.cancel(execution)
        self.fails(self.api.delete(self.path(unknown_id())), 404, "ExecutionNotFoundError")

    def test_scheduled_and_paused_ones(self):
        scheduled = self.one.launch(self.one.program(4, startAt=later(MONDAY_NINE, days=1)))
        self.one.cancel(scheduled)
        seen = self.one.wait_counts(scheduled, total=4, skipped=4)
        self.assertEqual((seen["status"], seen["actualStartAt"]), ("cancelled", None))
        self.daemon.advance(2 * 86400)
        self.workers.claim_none()
        paused = self.one.launch(self.one.program(4, pacing={"maxConcurrentCalls": 1}))
        self.one.wait_counts(paused, inProgress=1)
        self.one.pause(paused)
        self.one.cancel(paused)
        self.assertEqual(self.one.wait_counts(paused, skipped=3)["status"], "cancelled")

    def test_waiting_retries_are_skipped(self):
        execution = self.one.launch(self.one.program(2, retryStrategy=retries(3)))
        for call in self.workers.claim_exactly(2):
            self.workers.finish(call, "busy")
        self.one.wait_counts(execution, pending=2)
        self.one.cancel(execution)
        self.one.wait_counts(execution, skipped=2, pending=0)
        for row in self.one.entries(execution):
            self.assertEqual((row["status"], row["attempts"], row["nextAttemptAt"]),
                             ("skipped", 1, None))

    def test_a_late_redelivery_goes_on_after_cancel(self):
        execution = self.one.launch(1)
        self.workers.claim_one()
        self.one.cancel(execution)
        self.daemon.advance(60)  # the lease ends: the queued call is on offer again
        self.workers.finish(self.workers.claim_one())
        self.one.wait_counts(execution, completed=1, inProgress=0)


class Stop(Case):
    def test_stop_at(self):
        stop = later(MONDAY_NINE, minutes=30)
        execution = self.one.launch(self.one.program(
            5, stopAt=stop, pacing={"maxConcurrentCalls": 2}, retryStrategy=retries(3)))
        self.assertEqual(self.one.execution(execution)["scheduledStopAt"], stop)
        calls = self.workers.claim_exactly(2)
        self.workers.start_all(calls)
        self.daemon.advance_to(later(stop, seconds=-0.001))
        self.assertEqual(self.one.execution(execution)["status"], "running")
        self.daemon.advance_to(stop)
        seen = self.one.wait_counts(execution, skipped=3, pending=0, inProgress=2)
        self.assertEqual((seen["status"], seen["actualEndAt"]), ("stopped", stop))
        self.daemon.advance(10)
        self.workers.result(calls[0], "answered")
        self.workers.result(calls[1], "busy")
        self.one.wait_counts(execution, completed=1, failed=1, skipped=3, inProgress=0)
        self.assertEqual(self.one.execution(execution)["actualEndAt"], stop)
        for verb in ("/pause", "/resume"):
            self.refuses(self.api.patch(self.path(execution, verb)))
        self.refuses(self.api.delete(self.path(execution)))

    def test_from_paused(self):
        stop = later(MONDAY_NINE, hours=1)
        execution = self.one.launch(self.one.program(
            3, stopAt=stop, pacing={"maxConcurrentCalls": 1}))
        self.one.wait_counts(execution, inProgress=1)
        self.one.pause(execution)
        self.daemon.advance(7200)
        seen = self.one.wait_counts(execution, skipped=2)
        self.assertEqual((seen["status"], seen["actualEndAt"]), ("stopped", stop))

    def test_start_and_stop_in_one_step_of_the_clock(self):
        start, stop = later(MONDAY_NINE, hours=1), later(MONDAY_NINE, hours=2)
        execution = self.one.launch(self.one.program(3, startAt=start, stopAt=stop,
                                                     pacing={"maxConcurrentCalls": 1}))
        self.daemon.advance(86400)
        seen = self.one.wait_counts(execution, total=3, skipped=2, inProgress=1)
        self.assertEqual([seen[key] for key in ("status", "actualStartAt", "actualEndAt")],
                         ["stopped", start, stop])

    def test_it_leaves_a_completed_one_alone(self):
        execution = self.one.launch(self.one.program(1, stopAt=later(MONDAY_NINE, hours=1)))
        self.workers.finish(self.workers.claim_one())
        done = self.one.wait_status(execution, "completed")
        self.daemon.advance(86400)
        self.assertEqual(self.one.execution(execution), done)

    def test_a_retry_after_the_stop_is_not_made(self):
        stop = later(MONDAY_NINE, minutes=5)
        execution = self.one.launch(self.one.program(1, stopAt=stop, retryStrategy=retries(3, 10)))
        self.workers.finish(self.workers.claim_one(), "busy")
        self.daemon.advance(3600)
        seen = self.one.wait_counts(execution, skipped=1)
        self.assertEqual((seen["status"], seen["actualEndAt"]), ("stopped", stop))
        self.workers.claim_none()


class NotToBeCalled(Case):
    def launch_two(self, **fields):
        """Two contacts, one call at a time: (execution, the call, the contact that waits)."""
        contacts = self.one.contacts(2)
        execution = self.one.launch(self.one.program(
            audienceId=self.one.audience(contacts)["id"], pacing={"maxConcurrentCalls": 1},
            **fields))
        self.one.wait_counts(execution, inProgress=1, pending=1)
        call = self.workers.claim_one()
        (waiting,) = [c for c in contacts if c["id"] != call["contactId"]]
        return execution, call, waiting

    def test_do_not_call_after_the_launch(self):
        execution, call, waiting = self.launch_two()
        self.api.change(f"/api/contacts/{waiting['id']}", {"doNotCall": True})
        self.workers.finish(call)
        done = self.one.wait_status(execution, "completed")
        self.assertEqual((done["contactsCompleted"], done["contactsSkipped"]), (1, 1))
        self.assertEqual(self.one.entry(execution, waiting)["status"], "skipped")
        self.workers.claim_none()

    def test_deleted_after_the_launch(self):
        execution, call, waiting = self.launch_two()
        self.api.remove(f"/api/contacts/{waiting['id']}")
        self.workers.finish(call)
        done = self.one.wait_status(execution, "completed")
        self.assertEqual((done["contactsCompleted"], done["contactsSkipped"]), (1, 1))
        self.assertEqual(self.one.entry(execution, waiting)["status"], "skipped")

    def test_do_not_call_before_a_retry(self):
        contact = self.one.contact()
        execution = self.one.launch(self.one.program(
            audienceId=self.one.audience([contact])["id"], retryStrategy=retries(3)))
        self.workers.finish(self.workers.claim_one(), "busy")
        self.api.change(f"/api/contacts/{contact['id']}", {"doNotCall": True})
        self.daemon.advance(600)
        self.assertEqual(self.one.wait_status(execution, "completed")["contactsSkipped"], 1)
        entry = self.one.entry(execution, contact)
        self.assertEqual((entry["status"], entry["attempts"]), ("skipped", 1))

    def test_deleted_before_a_retry(self):
        contact = self.one.contact()
        execution = self.one.launch(self.one.program(
            audienceId=self.one.audience([contact])["id"], retryStrategy=retries(3)))
        self.workers.finish(self.workers.claim_one(), "busy")
        self.api.remove(f"/api/contacts/{contact['id']}")
        self.daemon.advance(600)
        self.assertEqual(self.one.wait_status(execution, "completed")["contactsSkipped"], 1)
        self.workers.claim_none()
        entry = self.one.entry(execution, contact)
        self.assertEqual((entry["status"], entry["attempts"], entry["lastOutcome"]),
                         ("skipped", 1, "busy"))

    def test_in_a_call_it_goes_on_and_is_counted(self):
        contacts = self.one.contacts(2)
        execution = self.one.launch(self.one.program(
            audienceId=self.one.audience(contacts)["id"], retryStrategy=retries(3)))
        calls = self.workers.claim_exactly(2)
        self.workers.start_all(calls)
        self.api.change(f"/api/contacts/{calls[0]['contactId']}", {"doNotCall": True})
        self.api.remove(f"/api/contacts/{calls[1]['contactId']}")
        self.assertEqual([self.workers.result(call)["status"] for call in calls], ["accepted"] * 2)
        self.assertEqual(self.one.wait_status(execution, "completed")["contactsCompleted"], 2)

    def test_do_not_call_between_queueing_and_the_permit(self):
        for change, message in ((lambda path: self.api.change(path, {"doNotCall": True}),
                                 "do_not_call"),
                                (self.api.remove, "contact_deleted")):
            with self.subTest(message):
                contact = self.one.contact()
                execution = self.one.launch(self.one.program(
                    audienceId=self.one.audience([contact])["id"]))
                call = self.workers.claim_one()
                change(f"/api/contacts/{contact['id']}")
                answer = self.workers.started(call)
                self.assertEqual((answer["status"], answer.get("message")), ("refused", message))
                done = self.one.wait_status(execution, "completed")
                self.assertEqual((done["contactsSkipped"], done["contactsInProgress"]), (1, 0))
                self.workers.claim_none()

    def test_it_is_taken_back_in_time(self):
        execution, call, waiting = self.launch_two()
        path = f"/api/contacts/{waiting['id']}"
        self.api.change(path, {"doNotCall": True})
        self.api.change(path, {"doNotCall": False})
        self.workers.finish(call)
        self.workers.finish(self.workers.claim_one())
        self.assertEqual(self.one.wait_status(execution, "completed")["contactsCompleted"], 2)

    def test_the_phone_that_is_dialled_is_the_contacts_present_one(self):
        execution, call, waiting = self.launch_two()
        phone = self.daemon.phone()
        self.api.change(f"/api/contacts/{waiting['id']}", {"primaryPhone": phone})
        self.workers.finish(call)
        call = self.workers.claim_one()
        self.assertEqual(call["to"], phone)
        self.workers.finish(call)
        self.one.wait_status(execution, "completed")


class Dids(Case):
    def launch(self, dids, contacts, **fields):
        return self.one.launch(self.one.program(
            contacts, didPool=[did["id"] for did in dids],
            **{"pacing": {"maxConcurrentCalls": 1}, **fields}))

    def test_they_are_used_in_turn(self):
        dids = [self.one.did(), self.one.did(shared=True), self.one.did()]
        self.launch(dids, 7)
        used = []
        for _ in range(7):
            call = self.workers.claim_one()
            used.append((call["didId"], call["from"]))
            self.workers.finish(call)
        turn = [(did["id"], did["number"]) for did in dids]
        self.assertEqual(used, turn + turn + turn[:1])

    def test_one_that_goes_away_is_passed_over(self):
        dids = [self.one.did() for _ in range(3)]
        self.launch(dids, 8)
        used = []

        def dial(count):
            for _ in range(count):
                call = self.workers.claim_one()
                used.append(call["from"])
                self.workers.finish(call)

        dial(2)  # the third is queued with the third number by now
        self.admin.change(f"/api/dids/{dids[1]['id']}", {"status": "inactive"})
        dial(3)
        self.admin.change(f"/api/dids/{dids[1]['id']}", {"status": "active"})
        self.admin.remove(f"/api/dids/{dids[0]['id']}")
        dial(3)
        numbers = [did["number"] for did in dids]
        self.assertEqual(used[:5], [numbers[i] for i in (0, 1, 2, 0, 2)])
        self.assertNotIn(numbers[0], used[6:])
        self.assertEqual(set(used[6:]), {numbers[1], numbers[2]})

    def test_when_none_is_left_the_execution_pauses(self):
        for vanish in (lambda did: self.admin.change(f"/api/dids/{did['id']}",
                                                     {"status": "inactive"}),
                       lambda did: self.admin.remove(f"/api/dids/{did['id']}")):
            dids = [self.one.did() for _ in range(2)]
            execution = self.launch(dids, 3)
            call = self.workers.claim_one()
            for did in dids:
                vanish(did)
            self.assertEqual(self.workers.started(call)["status"], "accepted")
            self.workers.result(call)
            paused = self.one.wait_status(execution, "paused")
            self.assertEqual(paused["statusReason"], "empty_did_pool")
            self.assertEqual((paused["contactsPending"], paused["contactsCompleted"]), (2, 1))
            self.workers.claim_none()
            self.one.cancel(execution)

    def test_resume_goes_on_when_one_is_back_and_pauses_again_when_not(self):
        did = self.one.did()
        execution = self.launch([did], 3)
        call = self.workers.claim_one()
        self.admin.change(f"/api/dids/{did['id']}", {"status": "inactive"})
        self.workers.finish(call)
        self.one.wait_status(execution, "paused")
        expect(self.api.patch(self.path(execution, "/resume")), 200)
        self.assertEqual(self.one.wait_status(execution, "paused")["statusReason"],
                         "empty_did_pool")
        self.workers.claim_none()
        self.admin.change(f"/api/dids/{did['id']}", {"status": "active"})
        self.workers.claim_none()
        resumed = self.one.resume(execution)
        self.assertEqual((resumed["status"], resumed["statusReason"]), ("running", None))
        for _ in range(2):
            self.workers.finish(self.workers.claim_one())
        self.one.wait_status(execution, "completed")


class Pacing(Case):
    def test_concurrent_calls(self):
        execution = self.one.launch(self.one.program(10, pacing={"maxConcurrentCalls": 3}))
        calls = self.workers.claim_exactly(3)
        self.one.wait_counts(execution, total=10, inProgress=3, pending=7)
        for left in range(6, -1, -1):
            self.workers.finish(calls.pop(0), "busy")
            calls += self.workers.claim_exactly(1)
            self.one.wait_counts(execution, inProgress=3, pending=left)
        self.workers.finish_all(calls)
        self.one.wait_status(execution, "completed")

    def test_calls_per_second(self):
        start = self.one.launch(self.one.program(100, pacing={"callsPerSecond": 2}))
        self.one.wait_counts(start, total=100)
        times = []
        for _ in range(100):  # steps of 0.1 s: 10 s
            calls = self.workers.claim(max=100)
            times += [self.daemon.now()] * len(calls)
            self.daemon.advance_to(later(self.daemon.now(), seconds=0.1))
        self.assertIn(len(times), (20, 21))
        moments = [parse_time(at) for at in times]
        for first, second in zip(moments, moments[1:]):
            self.assertGreaterEqual((second - first).total_seconds(), 0.4)

    def test_a_slow_rate(self):
        execution = self.one.launch(self.one.program(5, pacing={"callsPerSecond": 0.1}))
        self.workers.claim_one()
        self.daemon.advance(9)
        self.workers.claim_none()
        self.daemon.advance(1)
        self.workers.claim_one()
        self.one.wait_counts(execution, inProgress=2, pending=3)

    def test_no_burst_is_saved_up(self):
        execution = self.one.launch(self.one.program(50, pacing={"callsPerSecond": 1}))
        self.workers.finish(self.workers.claim_one())
        self.one.pause(execution)
        self.daemon.advance(3600)
        self.one.resume(execution)
        self.daemon.settle()
        self.assertLessEqual(len(self.workers.claim(max=50)), 1)
        self.daemon.advance(2)
        self.assertLessEqual(len(self.workers.claim(max=50)), 3)

    def test_an_organisations_cap_holds_for_all_its_executions(self):
        capped = self.org(maxConcurrentCalls=4)
        for _ in range(3):
            capped.launch(5)
        free = self.one.launch(3)
        calls = self.workers.claim_exactly(7)
        self.assertEqual(len([c for c in calls if c["organizationId"] == capped.id]), 4)
        self.assertEqual(len([c for c in calls if c["executionId"] == free]), 3)
        mine = [c for c in calls if c["organizationId"] == capped.id]
        self.workers.finish(mine[0])
        self.assertEqual(self.workers.claim_one()["organizationId"], capped.id)
        self.admin.change(f"/api/organizations/{capped.id}", {"maxConcurrentCalls": None})
        self.workers.claim_exactly(15 - 5)

    def test_an_organisations_rate_holds_for_all_its_executions(self):
        capped = self.org(callsPerSecond=1)
        for _ in range(3):
            capped.launch(10)
        total = 0
        for _ in range(10):
            self.daemon.settle()
            total += len(self.workers.claim(max=100))
            self.daemon.advance(1)
        self.assertIn(total, (10, 11))


class TheSimulator(Case):
    """The built-in gateway, on the test clock: a week in a second."""

    def test_it_runs_a_campaign_to_its_end(self):
        execution = self.one.launch(self.one.program(
            200, gateway="simulator", retryStrategy=retries(3, 60),
            pauseWindows={"monday": [{"startAt": {"hour": 0, "minute": 0},
                                      "endAt": {"hour": 12, "minute": 0}}]}))
        self.one.wait_counts(execution, total=200, pending=200)
        self.daemon.advance(7 * 86400)
        done = self.one.execution(execution)
        self.assertEqual(done["status"], "completed")
        self.assertEqual(done["contactsCompleted"] + done["contactsFailed"], 200)
        entries = self.one.entries(execution)
        calls = self.one.calls(execution)
        self.assertEqual(sum(row["attempts"] for row in entries), len(calls))
        self.assertEqual(len({call["callId"] for call in calls}), len(calls))
        for row in entries:
            self.assertIn(row["status"], ("completed", "failed"))
            self.assertEqual(row["status"] == "completed", row["lastOutcome"] == "answered")
            self.assertEqual(row["status"] == "failed",
                             row["attempts"] == 4 and row["lastOutcome"] != "answered")

    def test_its_calls_are_not_for_workers(self):
        self.one.launch(self.one.program(5, gateway="simulator"))
        self.workers.claim_none()


class LateResults(Case):
    def test_the_counters_do_not_move(self):
        execution = self.one.launch(self.one.program(1, retryStrategy=retries(1)))
        call = self.workers.claim_one()
        self.workers.finish(call, "busy")
        before = self.one.wait_counts(execution, pending=1)
        self.assertEqual(self.workers.tell(result(call, "answered"))[0]["status"], "stale")
        after = self.one.execution(execution)
        self.assertEqual({**after, "updatedAt": 0}, {**before, "updatedAt": 0})
        self.assertEqual(self.one.call(execution, call["callId"])["lateOutcome"], "answered")


if __name__ == "__main__":
    main()
