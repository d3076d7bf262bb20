"""Credits: an organisation's balance, reserved at dispatch, spent or returned (docs/api.md)."""

from outdial_daemon import Story, main, released, result, started, unknown_id, wait_until

HOUR = 3600
CONFIG = """[gateway simulator]
answered = 100
voicemail = 0
busy = 0
no_answer = 0
rejected = 0
error = 0
[gateway worker]
kind = worker
[calls]
lease_seconds = 10
lease_limit = 2
call_timeout_seconds = 600
"""
OTHERS = ("voicemail", "busy", "no_answer", "rejected", "error", "timeout")


class Balance(Story):
    """What may be said of a balance."""

    share_daemon = True

    def change(self, org, delta):
        return self.admin.post(f"/api/organizations/{org.id}/credits", {"delta": delta})

    def test_delta_changes_the_balance(self):
        org = self.org(credits=5)
        for delta, balance in ((3, 8), (-8, 0), (0, 0), (7, 7)):
            answer = self.change(org, delta)
            self.assertEqual((answer.status, answer.json), (200, {"credits": balance}))
            self.assertEqual(self.admin.read(f"/api/organizations/{org.id}")["credits"], balance)
            self.assertEqual(org.api.read("/api/organization")["credits"], balance)
        listed = self.admin.pages("/api/organizations")
        self.assertEqual([row["credits"] for row in listed if row["id"] == org.id], [7])

    def test_a_repeated_request_is_done_once(self):
        body, key = {"name": "Acme", "credits": 12}, {"Idempotency-Key": self.daemon.phone()}
        made = [self.admin.post("/api/organizations", body, headers=key) for _ in range(2)]
        self.assertEqual([answer.json["credits"] for answer in made], [12, 12])
        path = f"/api/organizations/{made[0].json['id']}"
        key = {"Idempotency-Key": self.daemon.phone()}
        for _ in range(3):
            answer = self.admin.post(f"{path}/credits", {"delta": 5}, headers=key)
            self.assertEqual((answer.status, answer.json), (200, {"credits": 17}))
        self.assertEqual(self.admin.read(path)["credits"], 17)

    def test_below_zero_is_a_conflict_and_changes_nothing(self):
        org = self.org(credits=5)
        self.fails(self.change(org, -6), 409, "ConflictError")
        self.assertEqual(org.api.read("/api/organization")["credits"], 5)

    def test_more_than_can_be_counted_is_a_conflict(self):
        org = self.org(credits=5)
        self.fails(self.change(org, 2 ** 53 - 1), 409, "ConflictError")
        self.assertEqual(self.change(org, 2 ** 53 - 6).json, {"credits": 2 ** 53 - 1})

    def test_unlimited_has_no_balance_to_change(self):
        org = self.org()
        self.fails(self.change(org, 5), 409, "ConflictError")
        self.assertIsNone(org.api.read("/api/organization")["credits"])

    def test_patch_sets_and_clears_it(self):
        org = self.org()
        path = f"/api/organizations/{org.id}"
        self.assertEqual(self.admin.change(path, {"credits": 4})["credits"], 4)
        self.assertEqual(self.admin.change(path, {"name": "other"})["credits"], 4)
        self.assertEqual(self.change(org, 1).json, {"credits": 5})
        self.assertEqual(self.admin.change(path, {"credits": 0})["credits"], 0)
        self.assertIsNone(self.admin.change(path, {"credits": None})["credits"])
        self.fails(self.change(org, 1), 409, "ConflictError")
        self.assertEqual(self.admin.change(path, {"credits": 2})["credits"], 2)

    def test_every_fault_is_named(self):
        org = self.org(credits=5)
        path = f"/api/organizations/{org.id}/credits"
        for body, *faults in (({}, "delta"), ({"delta": "1"}, "delta"), ({"delta": 1.5}, "delta"),
                              ({"delta": None}, "delta"), ({"delta": 2 ** 53}, "delta"),
                              ({"delta": -2 ** 53}, "delta"), ({"delta": 1, "why": "x"}, "why")):
            answer = self.invalid(self.admin.post(path, body), *faults)
            self.assertEqual(len(answer["details"]), len(faults))
        self.invalid(self.admin.post(path))
        self.assertEqual(org.api.read("/api/organization")["credits"], 5)

    def test_it_is_the_platforms(self):
        org = self.org(credits=5)
        path = f"/api/organizations/{org.id}/credits"
        self.fails(org.api.post(path, {"delta": 1}), 403, "ForbiddenError")
        self.fails(self.worker().api.post(path, {"delta": 1}), 403, "ForbiddenError")
        self.fails(self.admin.post(f"/api/organizations/{unknown_id()}/credits", {"delta": 1}),
                   404, "OrganizationNotFoundError")
        self.fails(self.admin.get(path), 405, "MethodNotAllowedError")


class Spending(Story):
    """What calls do to a balance."""

    config = CONFIG

    def credits(self, org):
        return org.api.read("/api/organization")["credits"]

    def add(self, org, delta):
        return self.admin.create(
            f"/api/organizations/{org.id}/credits", {"delta": delta}, 200)["credits"]

    def test_a_call_reserves_one_when_it_is_queued(self):
        org = self.org(credits=10)
        org.wait_counts(org.launch(3), inProgress=3)
        self.assertEqual(self.credits(org), 7)
        calls = self.worker().claim_exactly(3)
        self.worker().start_all(calls)
        self.assertEqual(self.credits(org), 7)

    def test_answered_spends_it_and_every_other_outcome_returns_it(self):
        org = self.org(credits=10)
        execution = org.launch(7)
        worker = self.worker()
        calls = worker.claim_exactly(7)
        self.assertEqual(self.credits(org), 3)
        worker.finish(calls[0], "answered")
        self.assertEqual(self.credits(org), 3)
        for n, (call, outcome) in enumerate(zip(calls[1:], OTHERS)):
            worker.finish(call, outcome)
            self.assertEqual(self.credits(org), 4 + n, outcome)
        self.assertEqual(org.execution(execution)["status"], "completed")
        self.assertEqual(self.credits(org), 9)

    def test_a_retry_reserves_anew(self):
        org = self.org(credits=1)
        execution = org.launch(org.program(1, retryStrategy={
            "type": "fixed_delay", "delayMinutes": 5, "maxRetries": 2}))
        worker = self.worker()
        worker.finish(worker.claim_one(), "busy")
        self.assertEqual(self.credits(org), 1)
        self.daemon.advance(300)
        self.assertEqual(self.credits(org), 0)
        worker.finish(worker.claim_one(), "answered")
        self.assertEqual(self.credits(org), 0)
        self.assertEqual(org.execution(execution)["status"], "completed")

    def test_a_result_counts_once(self):
        org = self.org(credits=2)
        org.launch(2)
        worker = self.worker()
        first, second = worker.claim_exactly(2)
        statuses = [a["status"] for a in worker.tell(
            started(first), result(first, "busy"), result(first, "busy"),
            result(first, "answered"), result(second), result(second, "busy"))]
        self.assertEqual(statuses, ["accepted", "accepted", "duplicate", "stale", "accepted", "stale"])
        self.assertEqual(self.credits(org), 1)

    def test_a_timeout_returns_it_and_a_late_answer_spends_nothing(self):
        org = self.org(credits=1)
        org.launch(1)
        worker = self.worker()
        call = worker.claim_one()
        worker.start_all([call])
        self.daemon.advance(600)
        self.assertEqual(self.credits(org), 1)
        self.assertEqual(worker.result(call)["status"], "stale")
        self.assertEqual(self.credits(org), 1)

    def test_a_call_that_is_given_back_keeps_it_and_an_undeliverable_one_returns_it(self):
        org = self.org(credits=1)
        org.launch(1)
        worker = self.worker()
        call = worker.claim_one()
        worker.tell(started(call), released(call))
        self.assertEqual(self.credits(org), 0)
        worker.claim_one()
        self.daemon.advance(10)
        self.assertEqual(self.credits(org), 0)
        worker.claim_one()
        self.daemon.advance(10)
        self.assertEqual(self.credits(org), 1)

    def test_a_contact_that_is_skipped_at_the_permission_returns_it(self):
        org = self.org(credits=1)
        contact, = org.contacts(1)
        execution = org.launch(org.program(audienceId=org.audience([contact])["id"]))
        worker = self.worker()
        call = worker.claim_one()
        org.api.change(f"/api/contacts/{contact['id']}", {"doNotCall": True})
        self.assertEqual(worker.started(call)["status"], "refused")
        self.assertEqual(self.credits(org), 1)
        self.assertEqual(org.execution(execution)["contactsSkipped"], 1)

    def test_none_left_pauses_and_resume_goes_on_or_pauses_again(self):
        org = self.org(credits=2)
        execution = org.launch(5)
        worker = self.worker()
        calls = worker.claim_exactly(2)
        paused = org.wait_status(execution, "paused_no_credits")
        self.assertEqual((paused["contactsPending"], paused["contactsInProgress"]), (3, 2))
        self.assertEqual(self.credits(org), 0)
        worker.finish_all(calls)  # calls under way go on to their end
        org.resume(execution)
        org.wait_status(execution, "paused_no_credits")
        worker.claim_none()
        self.assertEqual(self.add(org, 2), 2)
        worker.claim_none()  # new credits alone resume nothing
        self.assertEqual(org.execution(execution)["status"], "paused_no_credits")
        self.assertEqual(org.resume(execution)["status"], "running")
        worker.finish_all(worker.claim_exactly(2))
        org.wait_status(execution, "paused_no_credits")
        self.add(org, 1)
        org.resume(execution)
        worker.finish(worker.claim_one())
        self.assertEqual(org.execution(execution)["status"], "completed")
        self.assertEqual(self.credits(org), 0)

    def test_returned_credits_resume_nothing(self):
        org = self.org(credits=1)
        execution = org.launch(2)
        worker = self.worker()
        call = worker.claim_one()
        org.wait_status(execution, "paused_no_credits")
        worker.finish(call, "busy")
        self.assertEqual(self.credits(org), 1)
        worker.claim_none()
        self.assertEqual(org.execution(execution)["status"], "paused_no_credits")
        org.resume(execution)
        worker.finish(worker.claim_one())

    def test_exactly_enough_does_not_pause(self):
        org = self.org(credits=3)
        execution = org.launch(3)
        worker = self.worker()
        worker.finish_all(worker.claim_exactly(3))
        self.assertEqual(org.execution(execution)["status"], "completed")
        self.assertEqual(self.credits(org), 0)

    def test_no_balance_at_all(self):
        org = self.org(credits=0)
        execution = org.launch(1)
        org.wait_status(execution, "paused_no_credits")
        self.fails(org.api.patch(f"/api/program-executions/{execution}/pause"),
                   400, "InvalidExecutionStateError")
        org.cancel(execution)
        self.assertEqual(org.execution(execution)["status"], "cancelled")

    def test_stop_and_cancel_from_it(self):
        org = self.org(credits=0)
        stopped = org.launch(org.program(1, stopAt="2026-11-23T10:00:00Z"))
        org.wait_status(stopped, "paused_no_credits")
        self.daemon.advance(2 * HOUR)
        self.assertEqual(org.execution(stopped)["status"], "stopped")

    def test_who_may_not_be_called_needs_no_credit(self):
        org = self.org(credits=0)
        contacts = org.contacts(3)
        program = org.program(audienceId=org.audience(contacts)["id"],
                              startAt="2026-11-23T10:00:00Z")
        execution = org.launch(program)
        for contact in contacts:
            org.api.change(f"/api/contacts/{contact['id']}", {"doNotCall": True})
        self.daemon.advance(HOUR)
        seen = org.wait_status(execution, "completed")
        self.assertEqual(seen["contactsSkipped"], 3)

    def test_in_a_pause_window_or_with_nobody_due_it_does_not_pause(self):
        org = self.org(credits=1)
        waiting = org.launch(org.program(1, pauseWindows={"advanced": [
            {"startAt": "2026-11-23T08:00:00Z", "endAt": "2026-11-23T10:00:00Z"}]}))
        self.admin.change(f"/api/organizations/{org.id}", {"credits": 0})
        self.daemon.advance(1800)
        self.assertEqual(org.execution(waiting)["status"], "running")
        self.daemon.advance(1800)
        org.wait_status(waiting, "paused_no_credits")
        other = self.org(credits=1)
        retrying = other.launch(other.program(1, retryStrategy={
            "type": "fixed_delay", "delayMinutes": 5, "maxRetries": 2}))
        worker = self.worker()
        worker.finish(worker.claim_one(), "busy")
        self.add(other, -1)
        self.daemon.advance(299)
        self.assertEqual(other.execution(retrying)["status"], "running")
        self.daemon.advance(1)
        other.wait_status(retrying, "paused_no_credits")

    def test_executions_of_an_organisation_share_its_balance(self):
        org, rich, free = self.org(credits=7), self.org(credits=100), self.org()
        start = "2026-11-23T10:00:00Z"
        launched = [org.launch(org.program(5, startAt=start)) for _ in range(2)]
        others = [each.launch(each.program(5, startAt=start)) for each in (rich, free)]
        self.daemon.advance(HOUR)
        for execution in launched:
            org.wait_status(execution, "paused_no_credits")
        self.assertEqual(self.credits(org), 0)
        seen = [org.execution(execution)["contactsInProgress"] for execution in launched]
        self.assertEqual(sorted(seen), [3, 4])
        worker = self.worker()
        calls = worker.claim_exactly(17)
        self.assertEqual((self.credits(rich), self.credits(free)), (95, None))
        worker.finish_all([call for call in calls if call["executionId"] in launched], "busy")
        self.assertEqual(self.credits(org), 7)
        worker.finish_all([call for call in calls if call["executionId"] in others])
        self.assertEqual((self.credits(rich), self.credits(free)), (95, None))

    def test_pushed_calls_spend_too(self):
        org = self.org(credits=3)
        execution = org.launch(org.program(5, gateway="simulator"))
        org.wait_status(execution, "paused_no_credits")
        self.daemon.advance(HOUR)
        seen = org.execution(execution)
        self.assertEqual((seen["contactsCompleted"], seen["contactsPending"]), (3, 2))
        self.assertEqual(self.credits(org), 0)

    def test_a_restart_forgets_nothing(self):
        org = self.org(credits=5)
        execution = org.launch(7)
        org.wait_status(execution, "paused_no_credits")
        worker = self.worker()
        calls = worker.claim_exactly(5)
        worker.finish(calls[0])
        worker.finish(calls[1], "busy")
        for kill in (True, False):
            self.daemon.restart(kill=kill)
            self.assertEqual(self.credits(org), 1)
            self.assertEqual(org.execution(execution)["status"], "paused_no_credits")
        worker.finish(calls[2], "busy")
        worker.finish(calls[3])
        self.assertEqual(self.credits(org), 2)
        org.resume(execution)
        org.wait_counts(execution, inProgress=3, pending=0)
        self.assertEqual(self.credits(org), 0)
        self.daemon.restart(kill=True)
        self.assertEqual(self.credits(org), 0)
        worker.finish(calls[4], "busy")
        self.assertEqual(self.credits(org), 1)

    def test_a_call_that_was_queued_without_a_credit_returns_none(self):
        org = self.org()
        org.launch(2)
        worker = self.worker()
        first, second = worker.claim_exactly(2)
        self.admin.change(f"/api/organizations/{org.id}", {"credits": 5})
        worker.finish(first, "busy")
        worker.finish(second)
        self.assertEqual(self.credits(org), 5)

    def test_a_balance_that_is_set_while_credits_are_reserved(self):
        org = self.org(credits=4)
        org.launch(4)
        worker = self.worker()
        calls = worker.claim_exactly(4)
        path = f"/api/organizations/{org.id}"
        self.assertEqual(self.admin.change(path, {"credits": 10})["credits"], 10)
        worker.finish(calls[0], "busy")
        self.assertEqual(self.credits(org), 11)
        self.admin.change(path, {"credits": None})
        worker.finish(calls[1], "busy")
        worker.finish(calls[2])
        self.assertIsNone(self.credits(org))
        self.admin.change(path, {"credits": 1})
        self.daemon.restart(kill=True)
        worker.finish(calls[3], "busy")
        self.assertEqual(self.credits(org), 2)

    def test_unlimited_never_pauses(self):
        org = self.org()
        execution = org.launch(org.program(50, gateway="simulator"))
        self.daemon.advance(HOUR)
        wait_until(lambda: org.execution(execution)["status"] == "completed", "the end")
        self.assertIsNone(self.credits(org))

    def test_a_gateway_that_is_no_longer_configured(self):
        org = self.org(credits=2)
        org.launch(org.program(2, gateway="worker"))
        worker = self.worker()
        calls = worker.claim_exactly(2)
        self.assertEqual(self.credits(org), 0)
        self.daemon.config = CONFIG.replace("gateway worker", "gateway other")
        self.daemon.restart(kill=True)
        self.assertEqual(worker.result(calls[0], "busy")["status"], "accepted")
        self.assertEqual(self.credits(org), 1)
        self.assertEqual(worker.result(calls[1])["status"], "accepted")
        self.assertEqual(self.credits(org), 1)


if __name__ == "__main__":
    main()
