"""api.md, "Programs": the template of a campaign (batch mode)."""

import concurrent.futures

from outdial_daemon import (
    MONDAY_NINE, Organisation, Story, Worker, expect, later, main, unknown_id)

NOON = {"hour": 12, "minute": 0}
TWO = {"hour": 14, "minute": 30}


class Shared(Story):
    share_daemon = True

    def setUp(self):
        super().setUp()
        self.one = self.org()
        self.api = self.one.api

    def make(self, **fields):
        return self.api.post("/api/programs", self.one.program_body(**fields))

    def without(self, *names):
        body = self.one.program_body()
        for name in names:
            del body[name]
        return self.api.post("/api/programs", body)


class Create(Shared):
    def test_the_least(self):
        did = self.one.did()
        body = self.one.program_body(didPool=[did["id"]])
        del body["gateway"]
        response = self.api.post("/api/programs", body)
        made = expect(response, 201)
        self.assertEqual(response.headers["Location"], f"/api/programs/{made['id']}")
        self.assert_id(made["id"])
        self.assert_stamp(made["createdAt"])
        self.assertEqual(
            {key: made.get(key) for key in ("name", "flowId", "audienceId", "didPool", "mode",
                                            "status", "organizationId", "startAt", "stopAt",
                                            "retryStrategy")},
            {"name": body["name"], "flowId": body["flowId"], "audienceId": body["audienceId"],
             "didPool": [{"id": did["id"], "number": did["number"], "status": "active"}],
             "mode": "batch", "status": "draft", "organizationId": self.one.id, "startAt": None,
             "stopAt": None, "retryStrategy": {"type": "none"}})
        self.assertEqual(self.api.read(f"/api/programs/{made['id']}"), made)

    def test_everything(self):
        windows = {"monday": [{"startAt": NOON, "endAt": TWO}],
                   "saturday": [{"startAt": {"hour": 0, "minute": 0},
                                 "endAt": {"hour": 23, "minute": 59}}],
                   "advanced": [{"startAt": "2026-12-24T12:00:00+01:00",
                                 "endAt": "2026-12-27T00:00:00Z"}]}
        fields = {"mode": "batch", "startAt": later(MONDAY_NINE, days=1),
                  "stopAt": later(MONDAY_NINE, days=9),
                  "retryStrategy": {"type": "fixed_delay", "delayMinutes": 30, "maxRetries": 2},
                  "pacing": {"maxConcurrentCalls": 7, "callsPerSecond": 1.5}, "gateway": "worker"}
        made = expect(self.make(pauseWindows=windows, **fields), 201)
        self.assertEqual({key: made[key] for key in fields}, fields)
        windows["advanced"][0]["startAt"] = "2026-12-24T11:00:00.000Z"
        windows["advanced"][0]["endAt"] = "2026-12-27T00:00:00.000Z"
        shown = {day: value for day, value in made["pauseWindows"].items() if value}
        self.assertEqual(shown, windows)

    def test_what_is_required(self):
        self.invalid(self.api.post("/api/programs", {}), "name", "flowId", "didPool", "audienceId")
        self.invalid(self.without("audienceId"), "audienceId")

    def test_name(self):
        self.assertEqual(expect(self.make(name="é" * 255), 201)["name"], "é" * 255)
        for bad in ("", "x" * 256, 3, None):
            self.invalid(self.make(name=bad), "name")

    def test_flow(self):
        self.fails(self.make(flowId=unknown_id()), 404, "FlowNotFoundError")
        self.fails(self.make(flowId=self.org().flow()["id"]), 404, "FlowNotFoundError")
        gone = self.one.flow()
        self.api.remove(f"/api/flows/{gone['id']}")
        self.fails(self.make(flowId=gone["id"]), 404, "FlowNotFoundError")

    def test_audience(self):
        self.fails(self.make(audienceId=unknown_id()), 404, "AudienceNotFoundError")
        self.fails(self.make(audienceId=self.org().audience()["id"]), 404, "AudienceNotFoundError")

    def test_did_pool(self):
        good = self.one.did()["id"]
        inactive = self.one.did(status="inactive")["id"]
        foreign = self.org().did()["id"]
        self.fails(self.make(didPool=[good, unknown_id()]), 404, "DidNotFoundError")
        self.fails(self.make(didPool=[good, inactive]), 400, "DidNotActiveError")
        self.fails(self.make(didPool=[good, foreign]), 400, "DidNotAccessibleError")
        self.invalid(self.make(didPool=[]), "didPool")
        self.invalid(self.make(didPool=[good, good]))
        self.invalid(self.make(didPool=[good, 3, "x"]), "didPool[1]", "didPool[2]")
        self.invalid(self.make(didPool="x"), "didPool")
        shared = self.one.did(shared=True)["id"]
        made = expect(self.make(didPool=[shared, good]), 201)
        self.assertEqual([did["id"] for did in made["didPool"]], [shared, good])

    def test_a_pool_of_1000(self):
        def make(count):
            admin = self.admin.clone()
            return [admin.create("/api/dids", {"number": self.daemon.phone()})["id"]
                    for _ in range(count)]

        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            dids = [did for made in pool.map(make, [50] * 20) for did in made]
        made = expect(self.make(didPool=dids), 201)
        self.assertEqual([did["id"] for did in made["didPool"]], dids)
        self.invalid(self.make(didPool=dids + [self.one.did()["id"]]), "didPool")

    def test_start_and_stop(self):
        soon, late = later(MONDAY_NINE, days=300), later(MONDAY_NINE, days=301)
        self.invalid(self.make(startAt=late, stopAt=soon), "stopAt")
        self.invalid(self.make(startAt=soon, stopAt=soon), "stopAt")
        expect(self.make(startAt=soon, stopAt=late), 201)
        expect(self.make(startAt="2020-01-01T00:00:00Z"), 201)

    def test_retry_strategy(self):
        for good in ({"type": "none"},
                     {"type": "fixed_delay", "delayMinutes": 1, "maxRetries": 1},
                     {"type": "fixed_delay", "delayMinutes": 43200, "maxRetries": 20},
                     {"type": "scheduled", "retryDates": ["2026-11-24T09:00:00.000Z"]},
                     {"type": "scheduled", "retryDates": [
                         later(MONDAY_NINE, hours=n) for n in range(1, 21)]}):
            with self.subTest(strategy=good):
                self.assertEqual(expect(self.make(retryStrategy=good), 201)["retryStrategy"], good)
        for bad, path in (
                ({}, "type"), ({"type": "sometimes"}, "type"), ({"type": None}, "type"),
                ({"type": "none", "maxRetries": 3}, "maxRetries"),
                ({"type": "fixed_delay", "delayMinutes": 1}, "maxRetries"),
                ({"type": "fixed_delay", "maxRetries": 1}, "delayMinutes"),
                ({"type": "fixed_delay", "delayMinutes": 0, "maxRetries": 1}, "delayMinutes"),
                ({"type": "fixed_delay", "delayMinutes": 43201, "maxRetries": 1}, "delayMinutes"),
                ({"type": "fixed_delay", "delayMinutes": 1.5, "maxRetries": 1}, "delayMinutes"),
                ({"type": "fixed_delay", "delayMinutes": 1, "maxRetries": 0}, "maxRetries"),
                ({"type": "fixed_delay", "delayMinutes": 1, "maxRetries": 21}, "maxRetries"),
                ({"type": "scheduled"}, "retryDates"),
                ({"type": "scheduled", "retryDates": []}, "retryDates"),
                ({"type": "scheduled", "retryDates": ["soon"]}, "retryDates[0]"),
                ({"type": "scheduled", "retryDates": [
                    later(MONDAY_NINE, hours=n) for n in range(1, 22)]}, "retryDates"),
                ({"type": "scheduled", "retryDates": [
                    "2026-11-25T09:00:00Z", "2026-11-24T09:00:00Z"]}, "retryDates[1]"),
                ({"type": "scheduled", "retryDates": ["2026-11-25T09:00:00Z"],
                  "delayMinutes": 3}, "delayMinutes")):
            with self.subTest(strategy=bad):
                self.invalid(self.make(retryStrategy=bad), f"retryStrategy.{path}")

    def test_pause_windows(self):
        for bad, path in (
                ({"monday": {}}, "monday"), ({"noday": []}, "noday"),
                ({"monday": [{"startAt": NOON}]}, "monday[0].endAt"),
                ({"monday": [{"startAt": NOON, "endAt": {"hour": 12}}]}, "monday[0].endAt.minute"),
                ({"sunday": [{"startAt": {"hour": -1, "minute": 0}, "endAt": NOON}]},
                 "sunday[0].startAt.hour"),
                ({"sunday": [{"startAt": {"hour": 24, "minute": 0}, "endAt": NOON}]},
                 "sunday[0].startAt.hour"),
                ({"friday": [{"startAt": NOON, "endAt": {"hour": 13, "minute": 60}}]},
                 "friday[0].endAt.minute"),
                ({"friday": [{"startAt": NOON, "endAt": {"hour": 13, "minute": 0, "second": 3}}]},
                 "friday[0].endAt.second"),
                ({"advanced": [{"startAt": NOON, "endAt": "2026-12-27T00:00:00Z"}]},
                 "advanced[0].startAt"),
                ({"advanced": [{"startAt": "2026-12-27T00:00:00Z",
                                "endAt": "2026-12-27T00:00:00Z"}]}, "advanced[0].endAt")):
            with self.subTest(windows=bad):
                self.invalid(self.make(pauseWindows=bad), f"pauseWindows.{path}")

    def test_pacing(self):
        for good in ({"maxConcurrentCalls": 1}, {"maxConcurrentCalls": 100000},
                     {"callsPerSecond": 0.001}, {"callsPerSecond": 100000}):
            made = expect(self.make(pacing=good), 201)
            self.assertEqual({key: value for key, value in made["pacing"].items()
                              if value is not None}, good)
        for bad, path in (({"maxConcurrentCalls": 0}, "maxConcurrentCalls"),
                          ({"maxConcurrentCalls": 100001}, "maxConcurrentCalls"),
                          ({"maxConcurrentCalls": 1.5}, "maxConcurrentCalls"),
                          ({"callsPerSecond": 0}, "callsPerSecond"),
                          ({"callsPerSecond": 100000.5}, "callsPerSecond"),
                          ({"callsPerSecond": "1"}, "callsPerSecond")):
            with self.subTest(pacing=bad):
                self.invalid(self.make(pacing=bad), f"pacing.{path}")

    def test_gateway(self):
        for good in ("worker", "simulator"):
            self.assertEqual(expect(self.make(gateway=good), 201)["gateway"], good)
        for bad in ("nowhere", "", 3):
            self.invalid(self.make(gateway=bad), "gateway")

    def test_without_a_gateway_it_has_the_configured_default(self):
        body = self.one.program_body()
        del body["gateway"]
        self.assertEqual(expect(self.api.post("/api/programs", body), 201)["gateway"], "simulator")
        daemon = self.start_daemon(config="[calls]\ndefault_gateway = other\n"
                                          "[gateway other]\nkind = worker\n")
        org = Organisation(daemon)
        body = org.program_body()
        del body["gateway"]
        program = org.api.create("/api/programs", body)
        self.assertEqual(program["gateway"], "other")
        execution = org.launch(program)
        call = Worker(daemon, "other").claim_one()
        self.assertEqual(call["executionId"], execution)

    def test_a_batch_has_no_trigger_condition(self):
        self.invalid(self.make(triggerCondition={"attributeName": "x"}), "triggerCondition")

    def test_status_and_ids_are_not_given(self):
        self.invalid(self.make(id=unknown_id(), organizationId=self.one.id, createdAt=MONDAY_NINE),
                     "id", "organizationId", "createdAt")


class List(Shared):
    def test_by_status_and_mode(self):
        draft, active, archived = [self.one.program() for _ in range(3)]
        self.one.cancel(self.one.launch(active))
        self.api.change(f"/api/programs/{archived['id']}", {"status": "archived"})

        def ids(query=""):
            return [row["id"] for row in self.api.pages(f"/api/programs{query}")]

        self.assertEqual(ids(), [archived["id"], active["id"], draft["id"]])
        self.assertEqual(ids("?status=draft"), [draft["id"]])
        self.assertEqual(ids("?status=active"), [active["id"]])
        self.assertEqual(ids("?status=archived"), [archived["id"]])
        self.assertEqual(len(ids("?mode=batch")), 3)
        self.assertEqual(ids("?mode=live"), [])
        self.assertEqual(ids("?mode=batch&status=draft"), [draft["id"]])

    def test_a_filter_that_is_none(self):
        self.invalid(self.api.get("/api/programs?status=running"), "status")
        self.invalid(self.api.get("/api/programs?mode=lively&status="), "mode", "status")


class Change(Shared):
    def test_each_property(self):
        program = self.one.program()
        path = f"/api/programs/{program['id']}"
        did = self.one.did()
        fields = {"name": "New", "flowId": self.one.flow()["id"],
                  "audienceId": self.one.audience(1)["id"], "startAt": "2027-01-01T00:00:00.000Z",
                  "stopAt": "2027-02-01T00:00:00.000Z", "gateway": "simulator",
                  "retryStrategy": {"type": "fixed_delay", "delayMinutes": 5, "maxRetries": 3},
                  "pacing": {"maxConcurrentCalls": 3, "callsPerSecond": 2}}
        for name, value in fields.items():
            with self.subTest(name):
                self.assertEqual(self.api.change(path, {name: value})[name], value)
        changed = self.api.change(path, {"didPool": [did["id"]], "pauseWindows": {
            "monday": [{"startAt": NOON, "endAt": TWO}]}})
        self.assertEqual([row["id"] for row in changed["didPool"]], [did["id"]])
        self.assertEqual(changed["pauseWindows"]["monday"], [{"startAt": NOON, "endAt": TWO}])
        self.assertEqual(self.api.read(path), changed)

    def test_null_clears_the_optional_ones(self):
        program = self.one.program(
            startAt="2027-01-01T00:00:00Z", stopAt="2027-02-01T00:00:00Z",
            retryStrategy={"type": "fixed_delay", "delayMinutes": 5, "maxRetries": 3},
            pauseWindows={"monday": [{"startAt": NOON, "endAt": TWO}]},
            pacing={"maxConcurrentCalls": 3})
        path = f"/api/programs/{program['id']}"
        cleared = self.api.change(path, {"startAt": None, "stopAt": None, "retryStrategy": None,
                                         "pauseWindows": None, "pacing": None, "gateway": None})
        self.assertEqual((cleared["startAt"], cleared["stopAt"]), (None, None))
        self.assertEqual(cleared["retryStrategy"], {"type": "none"})
        self.assertFalse(any((cleared["pauseWindows"] or {}).values()))
        self.assertFalse(any((cleared["pacing"] or {}).values()))
        for name in ("name", "flowId", "didPool", "audienceId"):
            self.invalid(self.api.patch(path, {name: None}), name)

    def test_the_errors_of_post(self):
        program = self.one.program()
        path = f"/api/programs/{program['id']}"
        other = self.org()
        for body, status, error in (
                ({"didPool": [unknown_id()]}, 404, "DidNotFoundError"),
                ({"didPool": [self.one.did(status="inactive")["id"]]}, 400, "DidNotActiveError"),
                ({"didPool": [other.did()["id"]]}, 400, "DidNotAccessibleError"),
                ({"audienceId": other.audience()["id"]}, 404, "AudienceNotFoundError"),
                ({"flowId": unknown_id()}, 404, "FlowNotFoundError")):
            with self.subTest(error):
                self.fails(self.api.patch(path, body), status, error)
        self.invalid(self.api.patch(path, {"stopAt": "2027-01-01T00:00:00Z",
                                           "startAt": "2027-01-02T00:00:00Z"}), "stopAt")
        self.assertEqual(self.api.read(path), program)

    def test_stop_is_after_start_whichever_changes(self):
        program = self.one.program(startAt="2027-01-10T00:00:00Z", stopAt="2027-01-20T00:00:00Z")
        path = f"/api/programs/{program['id']}"
        self.invalid(self.api.patch(path, {"startAt": "2027-01-20T00:00:00Z"}))
        self.invalid(self.api.patch(path, {"stopAt": "2027-01-10T00:00:00Z"}))

    def test_a_did_that_has_gone_since_is_no_obstacle(self):
        dids = [self.one.did()["id"] for _ in range(2)]
        program = self.one.program(1, didPool=dids)
        path = f"/api/programs/{program['id']}"
        self.admin.change(f"/api/dids/{dids[1]}", {"status": "inactive"})
        changed = self.api.change(path, {"name": "New"})
        self.assertEqual([(row["id"], row["status"]) for row in changed["didPool"]],
                         [(dids[0], "active"), (dids[1], "inactive")])
        self.admin.remove(f"/api/dids/{dids[0]}")
        self.api.change(path, {"name": "Newer"})

    def test_not_the_mode(self):
        program = self.one.program()
        self.invalid(self.api.patch(f"/api/programs/{program['id']}", {"mode": "live"}), "mode")

    def test_status_goes_to_archived(self):
        program = self.one.program()
        path = f"/api/programs/{program['id']}"
        self.assertEqual(self.api.change(path, {"status": "archived"})["status"], "archived")
        for other in ("running", "draft", "active"):
            self.invalid(self.api.patch(path, {"status": other}), "status")
        self.assertEqual(self.api.read(path)["status"], "archived")
        self.invalid(self.api.patch(path, {"status": None}), "status")

    def test_a_change_moves_updated_at_alone(self):
        program = self.one.program()
        path = f"/api/programs/{program['id']}"
        now = self.daemon.advance(5)
        self.assertEqual(self.api.change(path, {"name": "New"}),
                         {**program, "name": "New", "updatedAt": now})
        self.assertNotEqual(program["updatedAt"], now)

    def test_a_running_execution_keeps_its_snapshot(self):
        first = self.one.did()
        program = self.one.program(
            5, didPool=[first["id"]], pacing={"maxConcurrentCalls": 1}, gateway="worker",
            retryStrategy={"type": "fixed_delay", "delayMinutes": 5, "maxRetries": 3})
        execution = self.one.launch(program)
        before = self.one.wait_counts(execution, total=5)
        self.api.change(f"/api/programs/{program['id']}", {
            "name": "Other", "flowId": self.one.flow()["id"], "didPool": [self.one.did()["id"]],
            "audienceId": self.one.audience(1)["id"], "retryStrategy": None,
            "pacing": {"maxConcurrentCalls": 5}, "stopAt": "2030-01-01T00:00:00Z",
            "pauseWindows": {"advanced": [{"startAt": "2026-01-01T00:00:00Z",
                                           "endAt": "2029-01-01T00:00:00Z"}]}})
        self.daemon.advance(1)
        after = self.one.execution(execution)
        for seen in (before, after):
            del seen["nextDialAt"]  # is now
        self.assertEqual(after, before)
        self.one.cancel(execution)


class Delete(Shared):
    def test_its_executions_stay_readable(self):
        program = self.one.program(2)
        execution = self.one.launch(program)
        path = f"/api/programs/{program['id']}"
        self.fails(self.api.delete(path), 409, "ProgramStatusConflictError")
        self.one.cancel(execution)
        self.api.remove(path)
        for response in (self.api.get(path), self.api.delete(path),
                         self.api.patch(path, {"name": "x"}), self.api.post(path + "/launch")):
            self.fails(response, 404, "ProgramNotFoundError")
        self.assertEqual(self.one.execution(execution)["programId"], program["id"])
        self.one.entries(execution)
        self.assertEqual(self.api.pages("/api/programs"), [])
        self.assertIn(execution, [row["id"] for row in
                                  self.api.pages("/api/program-executions?status=cancelled")])

    def test_an_execution_that_is_scheduled_or_in_any_pause_is_active(self):
        poor = self.org(credits=0)
        scheduled = self.one.program(1, startAt=later(self.daemon.now(), days=1))
        by_hand, penniless = self.one.program(1), poor.program(1)
        cases = [(self.one, scheduled, self.one.launch(scheduled), "scheduled"),
                 (self.one, by_hand, self.one.launch(by_hand), "paused"),
                 (poor, penniless, poor.launch(penniless), "paused_no_credits")]
        self.one.pause(cases[1][2])
        for org, program, execution, status in cases:
            with self.subTest(status):
                org.wait_status(execution, status)
                path = f"/api/programs/{program['id']}"
                self.fails(org.api.delete(path), 409, "ProgramStatusConflictError")
                org.api.read(path)
                self.fails(org.api.post(path + "/launch"), 400, "ExecutionAlreadyRunningError")
                org.cancel(execution)
                org.api.remove(path)

    def test_calls_under_way_are_counted_after_it(self):
        program = self.one.program(2, gateway="worker")
        execution = self.one.launch(program)
        worker = self.worker()
        calls = [call for call in worker.claim(wait_ms=2000) if call["executionId"] == execution]
        self.one.cancel(execution)
        self.api.remove(f"/api/programs/{program['id']}")
        worker.finish_all(calls)
        self.one.wait_counts(execution, completed=len(calls), inProgress=2 - len(calls))

    def test_a_draft(self):
        program = self.one.program()
        self.api.remove(f"/api/programs/{program['id']}")
        self.fails(self.api.get(f"/api/programs/{program['id']}"), 404, "ProgramNotFoundError")


if __name__ == "__main__":
    main()
