"""api.md: "`details` is present for `ValidationError`, and lists every fault found, not only the
first": those of the query, of the cursor, of the body and of what only stored rows can tell come in
one answer."""

from outdial_daemon import Story, main


class EveryFault(Story):
    share_daemon = True

    def setUp(self):
        super().setUp()
        self.one = self.org()
        self.api = self.one.api

    def named(self, response):
        """The paths of all faults, each once."""
        body = self.invalid(response)
        return sorted(detail["path"] for detail in body["details"])

    def test_of_a_contact_and_its_attributes(self):
        for name, kind in (("age", "number"), ("born", "date"), ("city", "string"),
                           ("vip", "boolean")):
            self.api.create("/api/custom-attributes", {"name": name, "type": kind})
        bad = {"primaryPhone": "12", "firstName": "x" * 65, "shoe": 4, "timezone": "Mars/Olympus",
               "customAttributes": {"age": "old", "born": "someday", "city": 3, "vip": "yes",
                                    "gone": 1, "list": [], "n" * 70: None}}
        paths = ["customAttributes." + name
                 for name in ("age", "born", "city", "gone", "list", "n" * 70, "vip")]
        paths += ["firstName", "primaryPhone", "shoe", "timezone"]
        self.assertEqual(self.named(self.api.post("/api/contacts", bad)), sorted(paths))
        contact = self.one.contact()
        self.assertEqual(self.named(self.api.patch(f"/api/contacts/{contact['id']}", bad)),
                         sorted(paths))
        good = {"primaryPhone": "+212600000001", "customAttributes": {"age": 3}}
        self.assertEqual(
            self.named(self.api.post("/api/contacts/upsert", {"data": [good, bad], "more": 1})),
            sorted([f"data[1].{path}" for path in paths] + ["more"]))
        self.assertEqual(self.api.read("/api/contacts?primaryPhone=%2B212600000001")["data"], [])

    def test_an_attribute_has_the_same_fault_alone_and_beside_others(self):
        self.api.create("/api/custom-attributes", {"name": "age", "type": "number"})
        for value in ({"age": "old"}, {"gone": 1}):
            alone = self.invalid(self.api.post(
                "/api/contacts", {"primaryPhone": self.daemon.phone(), "customAttributes": value}))
            beside = self.invalid(self.api.post(
                "/api/contacts", {"primaryPhone": "1", "customAttributes": value}))
            self.assertEqual(len(alone["details"]), 1)
            self.assertIn(alone["details"][0], beside["details"])
            self.assertEqual(len(beside["details"]), 2)

    def test_another_organisations_attribute_is_unknown(self):
        self.org().api.create("/api/custom-attributes", {"name": "theirs", "type": "number"})
        self.assertEqual(
            self.named(self.api.post("/api/contacts", {"customAttributes": {"theirs": 1}})),
            ["customAttributes.theirs", "primaryPhone"])

    def test_of_a_list(self):
        self.assertEqual(
            self.named(self.api.get("/api/contacts?cursor=nonsense&limit=0&page=2")),
            ["cursor", "limit", "page"])
        self.assertEqual(
            self.named(self.api.get("/api/contacts?primaryPhone=1&cursor=nonsense&limit=x")),
            ["cursor", "limit", "primaryPhone"])
        self.assertEqual(
            self.named(self.api.get("/api/programs?status=a&mode=b&limit=0&cursor=nonsense&x=")),
            ["cursor", "limit", "mode", "status", "x"])
        self.assertEqual(
            self.named(self.api.get("/api/program-executions?status=a&cursor=nonsense&limit=101")),
            ["cursor", "limit", "status"])
        self.assertEqual(
            self.named(self.admin.get("/api/dids?limit=0&cursor=nonsense")), ["cursor", "limit"])

    def test_a_good_cursor_is_not_called_bad_beside_other_faults(self):
        program = self.one.program(contacts=2)
        for _ in range(2):
            execution = self.one.launch(program)
            self.one.wait_counts(execution, total=2)
            self.one.cancel(execution)
        cursor = self.api.read("/api/program-executions?status=cancelled&limit=1")["nextCursor"]
        self.assertEqual(
            self.named(self.api.get(f"/api/program-executions?status=x&cursor={cursor}")),
            ["status"])
        cursor = self.api.read("/api/contacts?limit=1")["nextCursor"]
        self.assertEqual(self.named(self.api.get(f"/api/contacts?limit=0&cursor={cursor}")),
                         ["limit"])

    def test_of_an_executions_lists(self):
        execution = self.one.launch(self.one.program(contacts=2))
        path = f"/api/program-executions/{execution}"
        self.assertEqual(
            self.named(self.api.get(f"{path}/contacts?status=x&limit=0&cursor=nonsense&y=1")),
            ["cursor", "limit", "status", "y"])
        self.assertEqual(
            self.named(self.api.get(
                f"{path}/calls?outcome=x&contactId=y&limit=0&cursor=nonsense&z=1")),
            ["contactId", "cursor", "limit", "outcome", "z"])

    def test_of_query_and_body_together(self):
        self.assertEqual(
            self.named(self.api.post("/api/audiences?dry=1&limit=5", {"name": "", "more": 1})),
            ["dry", "limit", "more", "name"])
        self.assertEqual(self.named(self.api.post("/api/audiences?dry=1", raw=b"{")), ["", "dry"])
        self.assertEqual(self.named(self.api.post("/api/audiences?dry=1", {"name": "x"})), ["dry"])
        self.assertEqual(self.api.read("/api/audiences")["data"], [])

    def test_of_a_query_where_there_is_no_body(self):
        contact = self.one.contact()
        path = f"/api/contacts/{contact['id']}"
        self.assertEqual(self.named(self.api.get(f"{path}?a=1&b=2")), ["a", "b"])
        self.assertEqual(self.named(self.api.delete(f"{path}?a=1")), ["a"])
        self.api.read(path)  # it is still there
        program = self.one.program(contacts=1)
        self.assertEqual(self.named(self.api.post(f"/api/programs/{program['id']}/launch?a=1")),
                         ["a"])
        execution = self.one.launch(program)
        self.assertEqual(
            self.named(self.api.patch(f"/api/program-executions/{execution}/pause?a=1")), ["a"])
        self.assertEqual(
            self.named(self.api.patch(f"/api/program-executions/{execution}/pause?a=1", {"b": 1})),
            ["a", "b"])

    def test_of_a_program(self):
        self.assertEqual(
            self.named(self.api.post("/api/programs", {
                "name": "", "didPool": ["x", "x"], "startAt": "2026-11-24T10:00:00Z",
                "stopAt": "2026-11-24T09:00:00Z", "gateway": "nowhere", "extra": 1,
                "retryStrategy": {"type": "fixed_delay", "delayMinutes": 0, "more": 1},
                "pacing": {"maxConcurrentCalls": 0, "callsPerSecond": -1},
                "triggerCondition": {},
                "pauseWindows": {"someday": [], "monday": [{"startAt": {"hour": 24}}],
                                 "advanced": [{"startAt": "2026-11-24T10:00:00Z",
                                               "endAt": "2026-11-24T10:00:00Z"}]}})),
            sorted(["name", "flowId", "didPool[0]", "didPool[1]", "audienceId", "stopAt", "gateway",
                    "extra", "retryStrategy.delayMinutes", "retryStrategy.maxRetries",
                    "retryStrategy.more", "pacing.maxConcurrentCalls", "pacing.callsPerSecond",
                    "triggerCondition", "pauseWindows.someday",
                    "pauseWindows.monday[0].startAt.hour", "pauseWindows.monday[0].startAt.minute",
                    "pauseWindows.monday[0].endAt", "pauseWindows.advanced[0].endAt"]))

    def test_of_a_programs_patch_and_what_is_stored(self):
        program = self.one.program(contacts=1, startAt="2026-11-24T10:00:00Z",
                                   stopAt="2026-11-24T12:00:00Z")
        path = f"/api/programs/{program['id']}"
        self.assertEqual(self.named(self.api.patch(path, {"stopAt": "2026-11-24T09:00:00Z"})),
                         ["stopAt"])
        self.assertEqual(
            self.named(self.api.patch(path, {"stopAt": "2026-11-24T09:00:00Z", "name": 1})),
            ["name", "stopAt"])
        self.assertEqual(
            self.named(self.api.patch(path, {"startAt": "2026-11-24T13:00:00Z", "mode": "live"})),
            ["mode", "stopAt"])
        self.assertEqual(
            self.named(self.api.patch(path, {"startAt": None, "mode": "live"})), ["mode"])

    def test_of_a_flow(self):
        self.assertEqual(
            self.named(self.api.post("/api/flows", {
                "name": "x" * 256, "startNode": "nowhere", "more": 1,
                "nodes": [{"id": "a", "type": "say"}, {"id": "", "type": 3}, 4, {"id": "b"}]})),
            ["more", "name", "nodes[1].id", "nodes[1].type", "nodes[2]", "nodes[3].type",
             "startNode"])
        flow = self.one.flow()
        self.assertEqual(
            self.named(self.api.patch(f"/api/flows/{flow['id']}", {"name": None, "startNode": "x"})),
            ["name", "startNode"])

    def test_of_the_platform(self):
        self.assertEqual(
            self.named(self.admin.post("/api/organizations", {
                "timezone": "Nowhere", "credits": -1, "maxConcurrentCalls": 0,
                "callsPerSecond": 0, "more": 1})),
            ["callsPerSecond", "credits", "maxConcurrentCalls", "more", "name", "timezone"])
        self.assertEqual(
            self.named(self.admin.post("/api/api-keys?a=1", {"role": "org", "more": 1})),
            ["a", "more", "name", "role"])
        self.assertEqual(
            self.named(self.admin.post("/api/dids", {
                "number": "1", "status": "on", "organizationId": "x", "more": 1})),
            ["more", "number", "organizationId", "status"])

    def test_of_a_claim_events_and_the_test_clock(self):
        worker = self.daemon.client(self.daemon.worker_key())
        self.assertEqual(
            self.named(worker.post("/api/calls/claim?a=1", {
                "max": 0, "waitMs": 30001, "gateway": "nowhere", "more": 1})),
            ["a", "gateway", "max", "more", "waitMs"])
        self.assertEqual(self.named(worker.post("/api/call-events?a=1", {"events": [], "more": 1})),
                         ["a", "events", "more"])
        before = self.daemon.now()
        self.assertEqual(
            self.named(self.admin.post("/api/test-clock/advance?a=1",
                                       {"seconds": -1, "to": "yesterday", "more": 1})),
            ["", "a", "more", "seconds", "to"])
        self.assertEqual(self.daemon.now(), before)


if __name__ == "__main__":
    main()
