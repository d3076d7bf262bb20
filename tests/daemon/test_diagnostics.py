"""api.md, "Executions": GET …/diagnostics. Each reason is brought about and read."""

from outdial_daemon import Story, later, main, released, unknown_id

RETRY = {"type": "fixed_delay", "delayMinutes": 10, "maxRetries": 2}
SMALL_OFFER = """[calls]
default_gateway = worker
[gateway worker]
max_calls = 5
max_offered = 2
[gateway simulator]
"""
NO_WORKER = "[calls]\ndefault_gateway = simulator\n[gateway simulator]\n"


class Case(Story):
    def setUp(self):
        super().setUp()
        self.one = self.org()
        self.workers = self.worker()

    def path(self, execution):
        return f"/api/program-executions/{execution}/diagnostics"

    def look(self, execution):
        """The diagnostics at rest; nextDialAt is the execution's."""
        self.daemon.settle()
        found = self.one.api.read(self.path(execution))
        self.assertEqual(set(found), {"dialling", "blockedBy", "nextDialAt"})
        for reason in found["blockedBy"]:
            self.assertEqual(set(reason), {"reason", "contacts", "until", "limit"})
        self.assertEqual(found["nextDialAt"], self.one.execution(execution)["nextDialAt"])
        return found

    def reasons(self, execution):
        return [reason["reason"] for reason in self.look(execution)["blockedBy"]]

    def assert_blocked(self, execution, *reasons):
        """Nothing but these keeps it from dialling: (reason, contacts, until, limit)."""
        found = self.look(execution)
        self.assertFalse(found["dialling"], found)
        self.assertEqual(found["blockedBy"], [
            dict(zip(("reason", "contacts", "until", "limit"), reason)) for reason in reasons])


class Reasons(Case):
    def test_nothing_is_in_its_way(self):
        self.workers.claim_none()
        execution = self.one.launch(3)
        found = self.look(execution)
        self.assertTrue(found["dialling"])
        self.assertEqual(found["blockedBy"], [])

    def test_not_running_before_the_start(self):
        start = later(self.daemon.now(), hours=1)
        execution = self.one.launch(self.one.program(3, startAt=start))
        self.assert_blocked(execution, ("not_running", 3, start, None))
        self.assertEqual(self.look(execution)["nextDialAt"], start)

    def test_not_running_while_paused_and_after_the_end(self):
        self.workers.claim_none()
        execution = self.one.launch(self.one.program(3, pacing={"maxConcurrentCalls": 1}))
        call = self.workers.claim_one()
        self.one.pause(execution)
        self.workers.finish(call)
        self.assert_blocked(execution, ("not_running", 2, None, None))
        self.one.cancel(execution)
        self.assert_blocked(execution, ("not_running", 0, None, None))
        done = self.one.launch(1)
        self.workers.finish(self.workers.claim_one())
        self.one.wait_status(done, "completed")
        self.assert_blocked(done, ("not_running", 0, None, None))

    def test_pause_window(self):
        end = later(self.daemon.now(), hours=2)
        windows = {"monday": [{"startAt": {"hour": 8, "minute": 0},
                               "endAt": {"hour": 10, "minute": 0}}],
                   "advanced": [{"startAt": later(self.daemon.now(), minutes=30), "endAt": end}]}
        execution = self.one.launch(self.one.program(4, pauseWindows=windows))
        self.assert_blocked(execution, ("pause_window", 4, end, None))
        self.workers.claim_none()
        self.daemon.advance_to(end)
        self.workers.claim_exactly(4)
        self.assertNotIn("pause_window", self.reasons(execution))

    def test_a_window_keeps_calls_back_that_were_on_offer(self):
        self.workers.claim_none()
        start = later(self.daemon.now(), minutes=1)
        end = later(start, minutes=5)
        execution = self.one.launch(self.one.program(
            2, pauseWindows={"advanced": [{"startAt": start, "endAt": end}]}))
        self.assertEqual(self.reasons(execution), [])
        self.assertIsNone(self.look(execution)["nextDialAt"])
        self.daemon.advance_to(start)
        self.workers.claim_none()
        self.assert_blocked(execution, ("pause_window", 2, end, None))
        self.assertEqual(self.look(execution)["nextDialAt"], end)

    def test_a_window_of_an_execution_that_is_paused(self):
        end = later(self.daemon.now(), hours=2)
        start = later(self.daemon.now(), hours=1)
        self.workers.claim_none()
        execution = self.one.launch(self.one.program(
            3, pacing={"maxConcurrentCalls": 1},
            pauseWindows={"advanced": [{"startAt": start, "endAt": end}]}))
        self.workers.finish(self.workers.claim_one())
        self.workers.claim_exactly(1)
        self.one.pause(execution)
        self.assertNotIn("pause_window", self.reasons(execution))
        self.daemon.advance_to(start)
        self.assertEqual(self.reasons(execution)[:2], ["not_running", "pause_window"])

    def test_retry_not_due(self):
        execution = self.one.launch(self.one.program(3, retryStrategy=RETRY))
        first = self.daemon.now()
        calls = self.workers.claim_exactly(3)
        self.workers.start_all(calls)
        self.workers.result(calls[0], "busy")
        self.daemon.advance(60)
        self.workers.result(calls[1], "busy")
        self.workers.result(calls[2], "answered")
        due = later(first, minutes=10)
        self.assert_blocked(execution, ("retry_not_due", 2, due, None))
        self.assertEqual(self.look(execution)["nextDialAt"], due)
        self.daemon.advance_to(due)
        self.workers.claim_exactly(1)
        self.assert_blocked(execution, ("retry_not_due", 1, later(due, minutes=1), None))

    def test_some_may_be_called_while_others_are_not_due(self):
        execution = self.one.launch(self.one.program(
            5, retryStrategy=RETRY, pacing={"callsPerSecond": 1}))
        self.workers.finish(self.workers.claim_one(), "busy")
        self.daemon.advance(1)
        self.daemon.settle()
        found = self.look(execution)
        reasons = {reason["reason"]: reason for reason in found["blockedBy"]}
        self.assertEqual(reasons["retry_not_due"]["contacts"], 1)
        self.assertEqual(reasons["calls_per_second"]["contacts"], 3)

    def test_no_did(self):
        self.workers.claim_none()
        did = self.one.did()
        execution = self.one.launch(self.one.program(
            3, didPool=[did["id"]], pacing={"maxConcurrentCalls": 1}))
        self.workers.claim_one()
        self.admin.change(f"/api/dids/{did['id']}", {"status": "inactive"})
        self.daemon.settle()
        self.assertEqual(self.one.execution(execution)["statusReason"], "empty_did_pool")
        found = {r["reason"]: r for r in self.look(execution)["blockedBy"]}
        self.assertEqual(found["no_did"]["contacts"], 2)
        self.assertIn("not_running", found)
        self.admin.change(f"/api/dids/{did['id']}", {"status": "active"})
        self.assertNotIn("no_did", self.reasons(execution))

    def test_no_credits(self):
        self.workers.claim_none()
        self.one = self.org(credits=2)
        execution = self.one.launch(5)
        self.one.wait_status(execution, "paused_no_credits")
        self.assert_blocked(execution, ("not_running", 3, None, None),
                            ("no_credits", 3, None, None))
        self.workers.finish_all(self.workers.claim_exactly(2))
        credits = f"/api/organizations/{self.one.id}/credits"
        self.admin.create(credits, {"delta": 3}, 200)
        self.assertEqual(self.reasons(execution), ["not_running", "no_credits"])
        self.one.resume(execution)
        self.assertEqual(self.reasons(execution), [])
        self.workers.finish_all(self.workers.claim_exactly(3))
        self.one.wait_status(execution, "completed")
        self.assertEqual(self.reasons(execution), ["not_running"])

    def test_max_concurrent_calls(self):
        execution = self.one.launch(self.one.program(5, pacing={"maxConcurrentCalls": 2}))
        calls = self.workers.claim_exactly(2)
        self.assert_blocked(execution, ("max_concurrent_calls", 3, None, 2))
        self.workers.finish(calls[0])
        self.workers.claim_exactly(1)
        self.assert_blocked(execution, ("max_concurrent_calls", 2, None, 2))

    def test_calls_per_second(self):
        execution = self.one.launch(self.one.program(5, pacing={"callsPerSecond": 0.5}))
        begin = self.daemon.now()
        self.workers.claim_exactly(1)
        self.assert_blocked(execution, ("calls_per_second", 4, later(begin, seconds=2), 0.5))
        self.assertEqual(self.look(execution)["nextDialAt"], later(begin, seconds=2))

    def test_organization_limit(self):
        capped = self.one = self.org(maxConcurrentCalls=2)
        execution = capped.launch(3)
        calls = self.workers.claim_exactly(2)
        self.assert_blocked(execution, ("organization_limit", 1, None, 2))
        other = capped.launch(2)
        self.assert_blocked(other, ("organization_limit", 2, None, 2))
        self.workers.finish_all(calls)
        self.workers.claim_exactly(2)
        self.assertEqual(self.reasons(execution), [])

    def test_organization_limit_by_its_pace(self):
        self.one = self.org(callsPerSecond=1)
        execution = self.one.launch(3)
        begin = self.daemon.now()
        self.workers.claim_exactly(1)
        self.assert_blocked(execution, ("organization_limit", 2, later(begin, seconds=1), 1))
        self.assertEqual(self.look(execution)["nextDialAt"], later(begin, seconds=1))

    def test_gateway_busy_while_it_backs_off(self):
        execution = self.one.launch(self.one.program(5, pacing={"maxConcurrentCalls": 2}))
        calls = self.workers.claim_exactly(2)
        begin = self.daemon.now()
        self.workers.tell(released(calls[0], retryAfterSeconds=30))
        found = {r["reason"]: r for r in self.look(execution)["blockedBy"]}
        self.assertEqual(found["gateway_busy"],
                         {"reason": "gateway_busy", "contacts": 4,
                          "until": later(begin, seconds=30), "limit": None})
        self.assertEqual(self.look(execution)["nextDialAt"], later(begin, seconds=30))
        self.daemon.advance(30)
        self.workers.claim_exactly(1)
        self.assertNotIn("gateway_busy", self.reasons(execution))

    def test_gateway_absent_when_nobody_claims(self):
        execution = self.one.launch(3)
        self.assert_blocked(execution, ("gateway_absent", 3, None, None))
        self.assertEqual(len(self.workers.claim(max=1)), 1)
        self.assertTrue(self.look(execution)["dialling"])
        self.daemon.advance(59)
        self.assertEqual(self.reasons(execution), [])
        self.daemon.advance(1)
        # The lease of the call that was claimed is over: all three wait.
        self.assert_blocked(execution, ("gateway_absent", 3, None, None))

    def test_several_at_once(self):
        self.one = self.org(maxConcurrentCalls=1)
        execution = self.one.launch(self.one.program(
            4, pacing={"maxConcurrentCalls": 1, "callsPerSecond": 1}))
        self.workers.claim_exactly(1)
        self.assertEqual(self.reasons(execution),
                         ["max_concurrent_calls", "calls_per_second", "organization_limit"])

    def test_more_contacts_than_are_counted_at_once(self):
        """The due index is counted in slices from both of its ends."""
        contacts = 2600
        execution = self.one.launch(self.one.program(
            contacts, gateway="simulator", pacing={"maxConcurrentCalls": 1}))
        self.one.pause(execution)
        self.assertEqual(self.look(execution)["blockedBy"][0]["contacts"], contacts - 1)
        busy = self.one.launch(self.one.program(contacts, retryStrategy=RETRY))
        called = 0
        while called < contacts:
            calls = self.workers.claim(max=1000, wait_ms=1000)
            self.assertTrue(calls)
            self.workers.tell(*[{"callId": call["callId"], "type": "result", "outcome": "busy"}
                                for call in calls])
            called += len(calls)
        due = later(self.daemon.now(), minutes=10)
        self.assert_blocked(busy, ("retry_not_due", contacts, due, None))

    def test_it_is_nobody_elses(self):
        execution = self.one.launch(1)
        self.fails(self.org().api.get(self.path(execution)), 404, "ExecutionNotFoundError")
        self.fails(self.one.api.get(self.path(unknown_id())), 404, "ExecutionNotFoundError")
        self.invalid(self.one.api.get(self.path(execution) + "?deep=1"), "deep")


class SmallOffer(Case):
    config = SMALL_OFFER

    def test_gateway_busy_when_enough_is_on_offer(self):
        self.workers.claim_none()
        execution = self.one.launch(9)
        self.assert_blocked(execution, ("gateway_busy", 7, None, 2))

    def test_gateway_busy_with_all_its_calls_under_way(self):
        execution = self.one.launch(9)
        self.workers.claim_exactly(5)
        self.assert_blocked(execution, ("gateway_busy", 4, None, 5))


class WithoutItsGateway(Case):
    def test_gateway_absent_when_it_is_no_longer_configured(self):
        execution = self.one.launch(self.one.program(5, pacing={"maxConcurrentCalls": 2}))
        self.workers.claim_exactly(2)
        self.daemon.config = NO_WORKER
        self.daemon.restart()
        found = {r["reason"]: r for r in self.look(execution)["blockedBy"]}
        self.assertEqual(found["gateway_absent"]["limit"], None)
        self.assertEqual(found["gateway_absent"]["until"], None)
        self.assertGreaterEqual(found["gateway_absent"]["contacts"], 3)


if __name__ == "__main__":
    main()
