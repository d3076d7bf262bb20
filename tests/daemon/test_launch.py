"""api.md, "Programs": launching, and what an execution is made of."""

import threading

from outdial_daemon import MONDAY_NINE, NOTHING, Story, check_counters, expect, later, main, unknown_id

PROPERTIES = {
    "id", "programId", "organizationId", "audienceId", "flowId", "mode", "status", "statusReason",
    "totalContacts", "contactsCompleted", "contactsFailed", "contactsPending",
    "contactsInProgress", "contactsSkipped", "retryStrategy", "pauseWindows", "autoPauseRules",
    "nodeCounters", "scheduledStartAt", "scheduledStopAt", "actualStartAt", "actualEndAt",
    "inPauseWindow", "nextDialAt", "createdAt", "updatedAt"}


class Launch(Story):
    def setUp(self):
        super().setUp()
        self.one = self.org()
        self.api = self.one.api

    def launch(self, program):
        return self.api.post(f"/api/programs/{program['id']}/launch")

    def test_it_answers_the_execution(self):
        program = self.one.program(3)
        response = self.launch(program)
        answer = expect(response, 201)
        self.assertEqual(set(answer), {"executionId"})
        self.assert_id(answer["executionId"])
        execution = self.one.wait_counts(answer["executionId"], total=3)
        self.assertEqual(set(execution), PROPERTIES)
        self.assertEqual(
            {key: execution[key] for key in (
                "id", "programId", "organizationId", "audienceId", "flowId", "mode", "status",
                "statusReason", "retryStrategy", "nodeCounters", "scheduledStartAt",
                "scheduledStopAt", "actualStartAt", "actualEndAt", "inPauseWindow", "createdAt")},
            {"id": answer["executionId"], "programId": program["id"],
             "organizationId": self.one.id, "audienceId": program["audienceId"],
             "flowId": program["flowId"], "mode": "batch", "status": "running",
             "statusReason": None, "retryStrategy": {"type": "none"}, "nodeCounters": {},
             "scheduledStartAt": None, "scheduledStopAt": None, "actualStartAt": MONDAY_NINE,
             "actualEndAt": None, "inPauseWindow": False, "createdAt": MONDAY_NINE})

    def test_the_program_becomes_active_and_lists_it(self):
        program = self.one.program(1)
        path = f"/api/programs/{program['id']}"
        self.assertEqual(self.api.pages(path + "/executions"), [])
        first = self.one.launch(program)
        self.assertEqual(self.api.read(path)["status"], "active")
        self.one.cancel(first)
        second = self.one.launch(program)
        self.assertEqual([(row["id"], row["status"]) for row in self.api.pages(path + "/executions")],
                         [(second, "running"), (first, "cancelled")])
        self.fails(self.api.get(f"/api/programs/{unknown_id()}/executions"),
                   404, "ProgramNotFoundError")

    def test_unknown(self):
        self.fails(self.api.post(f"/api/programs/{unknown_id()}/launch"),
                   404, "ProgramNotFoundError")

    def test_an_empty_audience(self):
        self.fails(self.launch(self.one.program(0)), 400, "AudienceEmptyError")
        contacts = self.one.contacts(1)
        audience = self.one.audience(contacts)
        program = self.one.program(audienceId=audience["id"])
        self.api.remove(f"/api/contacts/{contacts[0]['id']}")
        self.fails(self.launch(program), 400, "AudienceEmptyError")
        self.assertEqual(self.api.read(f"/api/programs/{program['id']}")["status"], "draft")
        self.assertEqual(self.api.pages(f"/api/programs/{program['id']}/executions"), [])

    def test_no_did_is_left(self):
        dids = [self.one.did() for _ in range(2)]
        program = self.one.program(1, didPool=[did["id"] for did in dids])
        self.admin.change(f"/api/dids/{dids[0]['id']}", {"status": "inactive"})
        self.admin.remove(f"/api/dids/{dids[1]['id']}")
        self.fails(self.launch(program), 400, "EmptyDidPoolError")
        self.admin.change(f"/api/dids/{dids[0]['id']}", {"status": "active"})
        expect(self.launch(program), 201)

    def test_one_did_is_enough(self):
        dids = [self.one.did() for _ in range(3)]
        program = self.one.program(4, didPool=[did["id"] for did in dids])
        self.admin.change(f"/api/dids/{dids[0]['id']}", {"status": "inactive"})
        self.admin.remove(f"/api/dids/{dids[2]['id']}")
        self.one.launch(program)
        calls = self.worker().claim_exactly(4)
        self.assertEqual({call["from"] for call in calls}, {dids[1]["number"]})

    def test_one_execution_at_a_time(self):
        program = self.one.program(2, pacing={"maxConcurrentCalls": 1})
        execution = self.one.launch(program)
        self.fails(self.launch(program), 400, "ExecutionAlreadyRunningError")
        self.one.pause(execution)
        self.fails(self.launch(program), 400, "ExecutionAlreadyRunningError")
        self.one.cancel(execution)
        second = self.one.launch(program)
        self.assertNotEqual(second, execution)
        worker = self.worker()
        for _ in range(3):  # the one that was queued when the first was cancelled, and two
            worker.finish(worker.claim(max=1, wait_ms=5000)[0])
        self.one.wait_status(second, "completed")
        third = self.one.launch(program)
        self.assertEqual(self.one.execution(third)["status"], "running")

    def test_a_scheduled_execution_is_active_too(self):
        program = self.one.program(1, startAt=later(MONDAY_NINE, hours=1))
        self.one.launch(program)
        self.fails(self.launch(program), 400, "ExecutionAlreadyRunningError")

    def test_of_two_launches_at_once_one_wins(self):
        for _ in range(10):
            program = self.one.program(1)
            answers = []
            threads = [
                threading.Thread(target=lambda client=self.api.clone(): answers.append(
                    client.post(f"/api/programs/{program['id']}/launch")))
                for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(sorted(answer.status for answer in answers), [201, 400, 400, 400])
            self.assertEqual(len(self.api.pages(f"/api/programs/{program['id']}/executions")), 1)

    def test_an_archived_program(self):
        program = self.one.program(1)
        self.api.change(f"/api/programs/{program['id']}", {"status": "archived"})
        self.fails(self.launch(program), 409, "ProgramStatusConflictError")

    def test_once_stop_has_passed(self):
        program = self.one.program(1, stopAt=later(MONDAY_NINE, hours=1))
        self.daemon.advance(3600)
        self.invalid(self.launch(program))
        self.assertEqual(self.api.read(f"/api/programs/{program['id']}")["status"], "draft")

    def test_what_a_program_uses_stays(self):
        program = self.one.program(1)
        self.one.launch(program)
        self.fails(self.api.delete(f"/api/audiences/{program['audienceId']}"), 409, "ConflictError")
        self.fails(self.api.delete(f"/api/flows/{program['flowId']}"), 409, "ConflictError")
        self.fails(self.api.delete(f"/api/programs/{program['id']}"),
                   409, "ProgramStatusConflictError")

    def test_a_start_in_the_past_means_at_once(self):
        execution = self.one.launch(self.one.program(1, startAt=later(MONDAY_NINE, days=-3)))
        self.assertEqual(self.one.execution(execution)["status"], "running")
        self.worker().claim_one()

    def test_a_start_in_the_future(self):
        at = later(MONDAY_NINE, hours=2)
        stop = later(MONDAY_NINE, hours=5)
        execution = self.one.launch(self.one.program(2, startAt=at, stopAt=stop))
        seen = self.one.wait_counts(execution, total=2, pending=2)
        self.assertEqual(
            [seen[key] for key in ("status", "scheduledStartAt", "scheduledStopAt",
                                   "actualStartAt", "actualEndAt")],
            ["scheduled", at, stop, None, None])
        worker = self.worker()
        worker.claim_none()
        self.daemon.advance_to(later(at, seconds=-0.001))
        worker.claim_none()
        self.assertEqual(self.one.execution(execution)["status"], "scheduled")
        self.daemon.advance_to(at)
        started = self.one.execution(execution)
        self.assertEqual((started["status"], started["actualStartAt"]), ("running", at))
        worker.claim_exactly(2)

    def test_the_snapshot_leaves_out_who_must_not_be_called(self):
        contacts = self.one.contacts(3) + self.one.contacts(2, doNotCall=True)
        audience = self.one.audience(contacts)
        execution = self.one.launch(self.one.program(audienceId=audience["id"]))
        self.daemon.settle()
        self.assertEqual(self.one.execution(execution)["totalContacts"], 3)
        self.assertEqual({row["contactId"] for row in self.one.entries(execution)},
                         {contact["id"] for contact in contacts[:3]})

    def test_an_audience_of_nobody_who_may_be_called_is_not_empty(self):
        audience = self.one.audience(self.one.contacts(2, doNotCall=True))
        execution = self.one.launch(self.one.program(audienceId=audience["id"]))
        done = self.one.wait_status(execution, "completed")
        self.assertEqual((done["totalContacts"], done["actualEndAt"]), (0, self.daemon.now()))
        self.assertEqual(self.one.entries(execution), [])

    def test_members_that_come_or_go_later_change_nothing(self):
        contacts = self.one.contacts(3)
        audience = self.one.audience(contacts)
        execution = self.one.launch(self.one.program(
            audienceId=audience["id"], pacing={"maxConcurrentCalls": 1}))
        self.one.wait_counts(execution, total=3)
        path = f"/api/audiences/{audience['id']}/contacts"
        self.api.create(path, {"contactIds": [self.one.contact()["id"]]}, 200)
        expect(self.api.delete(path, {"contactIds": [contacts[2]["id"]]}), 200)
        worker = self.worker()
        for _ in range(3):
            worker.finish(worker.claim_one())
        done = self.one.wait_status(execution, "completed")
        self.assertEqual((done["totalContacts"], done["contactsCompleted"]), (3, 3))

    def test_a_large_audience_is_taken_in_slices(self):
        execution = self.one.launch(self.one.program(5000, pacing={"maxConcurrentCalls": 10}))
        worker = self.worker()
        worker.finish_all(worker.claim_exactly(10))  # before or while it is taken in
        self.one.wait_counts(execution, total=5000, completed=10, inProgress=10, pending=4980)
        self.assertEqual(len(self.one.entries(execution)), 5000)
        self.one.cancel(execution)
        self.one.wait_counts(execution, total=5000, completed=10, inProgress=10, skipped=4980)

    def test_a_launch_that_is_cancelled_in_the_middle(self):
        audience = self.one.audience(5000)
        for _ in range(3):
            program = self.one.program(audienceId=audience["id"],
                                       pacing={"maxConcurrentCalls": 1})
            execution = self.one.launch(program)
            self.one.cancel(execution)
            self.daemon.settle()
            ended = check_counters(self.api.read(f"/api/program-executions/{execution}"))
            self.assertEqual((ended["status"], ended["contactsPending"]), ("cancelled", 0))

    def test_no_body_is_needed_and_an_empty_object_does_no_harm(self):
        program = self.one.program(1)
        execution = expect(self.api.post(f"/api/programs/{program['id']}/launch", NOTHING), 201)
        self.one.cancel(execution["executionId"])
        expect(self.api.post(f"/api/programs/{program['id']}/launch", {}), 201)


if __name__ == "__main__":
    main()
