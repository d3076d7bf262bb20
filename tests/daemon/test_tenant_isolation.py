"""product.md, promise 8: one tenant cannot see another. Every route that takes an id is asked for the ids
of another organisation: the answer is the 404 of an id that does not exist, and nothing changes."""

from outdial_daemon import MONDAY_NINE, Story, expect, later, main, unknown_id


class Isolation(Story):
    share_daemon = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        try:
            cls.fill()
        except BaseException:
            cls.tearDownClass()
            raise

    @classmethod
    def fill(cls):
        from outdial_daemon import Organisation, Worker  # pylint: disable=import-outside-toplevel
        cls.victim = victim = Organisation(cls.daemon)
        cls.thief = Organisation(cls.daemon)
        cls.attribute = victim.api.create("/api/custom-attributes",
                                          {"name": "score", "type": "number"})
        cls.contacts = victim.contacts(5)
        cls.contact = cls.contacts[0]
        cls.audience = victim.audience(cls.contacts)
        cls.flow = victim.flow(nodes=[{"id": "a", "type": "say"}])
        cls.did = victim.did()
        common = {"audienceId": cls.audience["id"], "flowId": cls.flow["id"],
                  "didPool": [cls.did["id"]]}
        cls.program = victim.program(pacing={"maxConcurrentCalls": 2}, **common)
        cls.draft = victim.program(startAt=later(MONDAY_NINE, days=1), **common)
        cls.execution = victim.launch(cls.program)
        victim.wait_counts(cls.execution, total=5, inProgress=2)
        cls.paused = victim.launch(victim.program(pacing={"maxConcurrentCalls": 1}, **common))
        victim.wait_counts(cls.paused, total=5, inProgress=1)
        victim.pause(cls.paused)
        worker = Worker(cls.daemon)
        cls.call = [c for c in worker.claim_exactly(3) if c["executionId"] == cls.execution][0]
        cls.daemon.settle()

    def everything(self, org):
        seen = {"organization": org.api.read("/api/organization")}
        for path in ("/api/contacts", "/api/audiences", "/api/flows", "/api/custom-attributes",
                     "/api/dids", "/api/programs", "/api/program-executions",
                     "/api/program-executions?status=cancelled&status=completed",
                     f"/api/audiences/{self.audience['id']}/contacts",
                     f"/api/programs/{self.program['id']}/executions",
                     f"/api/program-executions/{self.execution}/contacts",
                     f"/api/program-executions/{self.execution}/calls"):
            response = org.api.get(path)
            if response.status == 200:
                seen[path] = org.api.pages(path)
        seen["keys"] = self.admin.pages(f"/api/organizations/{org.id}/api-keys")
        return seen

    def routes(self):
        """(method, path, body, error) of each route with an id, or with an id in its body."""
        contact, audience, flow = self.contact["id"], self.audience["id"], self.flow["id"]
        program, draft, execution = self.program["id"], self.draft["id"], self.execution
        mine = self.thief.audience(1)["id"]
        own = self.thief.program_body()
        return [
            ("GET", f"/api/contacts/{contact}", None, "ContactNotFoundError"),
            ("PATCH", f"/api/contacts/{contact}", {"firstName": "Eve"}, "ContactNotFoundError"),
            ("DELETE", f"/api/contacts/{contact}", None, "ContactNotFoundError"),
            ("GET", f"/api/audiences/{audience}", None, "AudienceNotFoundError"),
            ("PATCH", f"/api/audiences/{audience}", {"name": "Eve"}, "AudienceNotFoundError"),
            ("DELETE", f"/api/audiences/{audience}", None, "AudienceNotFoundError"),
            ("GET", f"/api/audiences/{audience}/contacts", None, "AudienceNotFoundError"),
            ("POST", f"/api/audiences/{audience}/contacts", {"contactIds": [contact]},
             "AudienceNotFoundError"),
            ("DELETE", f"/api/audiences/{audience}/contacts", {"contactIds": [contact]},
             "AudienceNotFoundError"),
            ("POST", f"/api/audiences/{mine}/contacts", {"contactIds": [contact]},
             "ContactNotFoundError"),
            ("DELETE", f"/api/custom-attributes/{self.attribute['id']}", None,
             "CustomAttributeNotFoundError"),
            ("GET", f"/api/flows/{flow}", None, "FlowNotFoundError"),
            ("PATCH", f"/api/flows/{flow}", {"name": "Eve"}, "FlowNotFoundError"),
            ("DELETE", f"/api/flows/{flow}", None, "FlowNotFoundError"),
            ("GET", f"/api/dids/{self.did['id']}", None, "DidNotFoundError"),
            ("GET", f"/api/programs/{program}", None, "ProgramNotFoundError"),
            ("PATCH", f"/api/programs/{program}", {"name": "Eve"}, "ProgramNotFoundError"),
            ("PATCH", f"/api/programs/{draft}", {"status": "archived"}, "ProgramNotFoundError"),
            ("DELETE", f"/api/programs/{draft}", None, "ProgramNotFoundError"),
            ("POST", f"/api/programs/{draft}/launch", None, "ProgramNotFoundError"),
            ("GET", f"/api/programs/{program}/executions", None, "ProgramNotFoundError"),
            ("GET", f"/api/programs/{program}/triggers", None, "ProgramNotFoundError"),
            ("POST", "/api/programs", {**own, "flowId": flow}, "FlowNotFoundError"),
            ("POST", "/api/programs", {**own, "audienceId": audience}, "AudienceNotFoundError"),
            ("GET", f"/api/program-executions/{execution}", None, "ExecutionNotFoundError"),
            ("PATCH", f"/api/program-executions/{execution}/pause", None, "ExecutionNotFoundError"),
            ("PATCH", f"/api/program-executions/{self.paused}/resume", None,
             "ExecutionNotFoundError"),
            ("DELETE", f"/api/program-executions/{execution}", None, "ExecutionNotFoundError"),
            ("GET", f"/api/program-executions/{execution}/contacts", None,
             "ExecutionNotFoundError"),
            ("GET", f"/api/program-executions/{execution}/calls", None, "ExecutionNotFoundError"),
        ]

    def ask(self, client, method, path, body):
        return client.request(method, path) if body is None else client.request(method, path, body)

    def test_every_route_with_the_ids_of_another(self):
        routes = self.routes()
        victim, thief = self.everything(self.victim), self.everything(self.thief)
        for client, who in ((self.thief.api, "key of another organisation"),
                            (self.admin.for_organisation(self.thief.id), "admin for another")):
            for method, path, body, error in routes:
                with self.subTest(who, method=method, path=path, body=body):
                    self.fails(self.ask(client, method, path, body), 404, error)
        self.assertEqual(self.everything(self.victim), victim)
        self.assertEqual(self.everything(self.thief), thief)

    def test_the_answer_is_that_of_an_id_that_does_not_exist(self):
        routes = self.routes()
        ids = [self.contact["id"], self.audience["id"], self.flow["id"], self.did["id"],
               self.program["id"], self.draft["id"], self.execution, self.paused,
               self.attribute["id"]]
        for method, path, body, _ in routes:
            for known in ids:
                if known not in path:
                    continue
                nobody = unknown_id()
                foreign = self.ask(self.thief.api, method, path, body)
                absent = self.ask(self.thief.api, method, path.replace(known, nobody), body)
                with self.subTest(method=method, path=path):
                    self.assertEqual(foreign.status, absent.status)
                    foreign.json.pop("requestId")
                    absent.json.pop("requestId")
                    self.assertEqual(str(foreign.json).replace(known, "ID"),
                                     str(absent.json).replace(nobody, "ID"))

    def test_a_did_of_another_is_not_accessible(self):
        before = self.everything(self.victim)
        body = self.thief.program_body(didPool=[self.did["id"]])
        self.fails(self.thief.api.post("/api/programs", body), 400, "DidNotAccessibleError")
        own = self.thief.program()
        self.fails(self.thief.api.patch(f"/api/programs/{own['id']}", {"didPool": [self.did["id"]]}),
                   400, "DidNotAccessibleError")
        self.assertEqual(self.everything(self.victim), before)

    def test_lists_show_nothing_of_another(self):
        theirs = str(self.everything(self.thief))
        for identity in (self.contact["id"], self.audience["id"], self.flow["id"], self.did["id"],
                         self.program["id"], self.execution, self.victim.id,
                         self.contact["primaryPhone"]):
            self.assertNotIn(identity, theirs)

    def test_a_cursor_of_another_leads_nowhere(self):
        for path in ("/api/contacts", "/api/programs", "/api/audiences"):
            cursor = self.victim.api.read(f"{path}?limit=1")["nextCursor"]
            if cursor is None:
                continue
            response = self.thief.api.get(f"{path}?cursor={cursor}")
            if response.status == 200:
                for row in response.json["data"]:
                    self.assertEqual(self.thief.api.get(f"{path}/{row['id']}").status, 200)
            else:
                self.invalid(response, "cursor")

    def test_a_filter_by_an_id_of_another_finds_nothing(self):
        self.thief.contact()
        execution = self.thief.launch(self.thief.program(1, startAt=later(MONDAY_NINE, days=9)))
        rows = self.thief.calls(execution, f"?contactId={self.contact['id']}")
        self.assertEqual(rows, [])

    def test_an_upsert_never_touches_the_contact_of_another(self):
        contact = self.contacts[4]
        before = self.victim.api.read(f"/api/contacts/{contact['id']}")
        answer = expect(self.thief.api.post("/api/contacts/upsert", {"data": [
            {"primaryPhone": contact["primaryPhone"], "firstName": "Eve"}]}), 200)
        self.assertEqual((answer["created"], answer["updated"]), (1, 0))
        self.assertNotEqual(answer["contacts"][0]["id"], contact["id"])
        self.assertEqual(self.victim.api.read(f"/api/contacts/{contact['id']}"), before)

    def test_keys_of_another_organisation(self):
        path = f"/api/organizations/{self.victim.id}/api-keys"
        for client in (self.thief.api, self.daemon.client(self.daemon.worker_key())):
            self.fails(client.get(path), 403, "ForbiddenError")
            self.fails(client.post(path, {"name": "x", "role": "org"}), 403, "ForbiddenError")
            self.fails(client.get(f"/api/organizations/{self.victim.id}"), 403, "ForbiddenError")
            self.fails(client.patch(f"/api/organizations/{self.victim.id}", {"name": "x"}),
                       403, "ForbiddenError")

    def test_an_org_key_cannot_report_on_calls(self):
        before = self.everything(self.victim)
        for client in (self.thief.api, self.victim.api):
            self.fails(client.post("/api/call-events", {"events": [
                {"callId": self.call["callId"], "type": "result", "outcome": "answered"}]}),
                403, "ForbiddenError")
            self.fails(client.post("/api/calls/claim", {"max": 1, "waitMs": 0,
                                                        "gateway": "worker"}),
                       403, "ForbiddenError")
        self.assertEqual(self.everything(self.victim), before)

    def test_a_worker_key_reads_no_data(self):
        worker = self.daemon.client(self.daemon.worker_key())
        for method, path, body, _ in self.routes():
            with self.subTest(method=method, path=path):
                self.fails(self.ask(worker, method, path, body), 403, "ForbiddenError")


if __name__ == "__main__":
    main()
