"""product.md, promise 8: one tenant cannot see another. A matrix: every operation of the contract as the daemon
serves it, with the ids of another organisation in every place that takes one. The answer is that of an id
that does not exist, and nothing that either of the two can read changes. A new operation is in the matrix
by itself; a new place for an id that nobody has thought of fails the test."""

import json

from operations import Document
from outdial_daemon import (
    MONDAY_NINE, Organisation, Story, Worker, expect, later, main, unknown_id)
from test_events import Stream

def tenant(daemon):
    """An organisation with something in every collection, and ids: collection -> [id, …]. Of each there
    are at least two, so that every list has a cursor."""
    org = Organisation(daemon)
    api = org.api
    attributes = [api.create("/api/custom-attributes", {"name": name, "type": kind})["id"]
                  for name, kind in (("renewal", "date"), ("score", "number"))]
    contacts = org.contacts(5, customAttributes={"renewal": "2026-12-24"}, firstName="Ada")
    audiences = [org.audience(contacts), org.audience(contacts[:2])]
    flows = [org.flow(nodes=[{"id": "a", "type": "say"}]), org.flow()]
    dids = [org.did(), org.did()]
    common = {"audienceId": audiences[0]["id"], "flowId": flows[0]["id"],
              "didPool": [did["id"] for did in dids]}
    calling = org.program(pacing={"maxConcurrentCalls": 2}, **common)
    executions = [org.launch(calling)]
    org.wait_counts(executions[0], total=5, inProgress=2)
    org.cancel(executions[0])
    executions.append(org.launch(calling))
    org.wait_counts(executions[1], total=5, inProgress=2)
    scheduled = org.program(startAt=later(MONDAY_NINE, days=1), **common)
    executions.append(org.launch(scheduled))
    pausing = org.program(pacing={"maxConcurrentCalls": 1}, **common)
    executions.append(org.launch(pausing))
    org.wait_counts(executions[3], total=5, inProgress=1)
    org.pause(executions[3])
    live = org.program(mode="live", triggerCondition={"attributeName": "renewal"}, **common)
    executions.append(org.launch(live))
    draft = org.program(**common)
    daemon.admin.create(f"/api/organizations/{org.id}/api-keys", {"name": "second", "role": "org"})
    keys = daemon.admin.pages(f"/api/organizations/{org.id}/api-keys")
    org.contact_phone = contacts[0]["primaryPhone"]
    org.execution_ids = dict(zip(("cancelled", "running", "scheduled", "paused", "live"), executions))
    org.program_ids = {"calling": calling["id"], "live": live["id"], "draft": draft["id"]}
    org.ids = {
        "organizations": [org.id],
        "api-keys": [key["id"] for key in keys],
        "dids": [did["id"] for did in dids],
        "custom-attributes": attributes,
        "contacts": [contact["id"] for contact in contacts[:2]],
        "audiences": [audience["id"] for audience in audiences],
        "flows": [flow["id"] for flow in flows],
        "programs": [program["id"] for program in (calling, draft, live, scheduled, pausing)],
        "program-executions": executions,
    }
    return org


def first(org, operation):
    """The operation's path with the first id of each of its collections, in lists the one with most."""
    best = {"program-executions": org.execution_ids["running"],
            "programs": org.program_ids["live" if "triggers" in operation.path else "calling"]}
    return operation.fill(**{name.replace("-", "_"): best.get(name, org.ids[name][0])
                             for name in operation.collections})


class Case(Story):
    """Two tenants on one daemon: the victim, and the thief whose keys are used."""

    share_daemon = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        try:
            cls.document = Document(cls.daemon)
            cls.victim, cls.thief = tenant(cls.daemon), tenant(cls.daemon)
            cls.worker = Worker(cls.daemon)
            calls = cls.worker.claim_exactly(10)
            cancelled = [org.execution_ids["cancelled"] for org in (cls.victim, cls.thief)]
            cls.worker.finish_all([c for c in calls if c["executionId"] in cancelled])
            cls.call = next(c for c in calls
                            if c["executionId"] == cls.victim.execution_ids["running"])
            cls.daemon.settle()
        except BaseException:
            cls.tearDownClass()
            raise

    def setUp(self):
        super().setUp()
        self.before = self.everything()
        self.acting = self.admin.for_organisation(self.thief.id)

    def tearDown(self):
        after = self.everything()
        for place, seen in self.before.items():
            self.assertEqual(after[place], seen, f"{place} has changed")
        super().tearDown()

    def operations(self, role=None):
        return [o for o in self.document.operations if role is None or role in o.roles]

    def everything(self):
        """All that the two can read, and an admin of them: (organisation, path) -> rows."""
        seen = {}
        for name, org in (("victim", self.victim), ("thief", self.thief)):
            for operation in self.operations():
                if operation.is_json_read() and "org" in operation.roles:
                    self.read(seen, name, org.api, org, operation)
                elif operation.is_json_read() and "organizations" in operation.collections:
                    self.read(seen, name, self.admin, org, operation)
        return seen

    def read(self, seen, name, client, org, operation):
        for ids in self.id_sets(org, operation):
            path = operation.fill(**ids)
            if "status" in operation.parameters and path.endswith("/program-executions"):
                words = self.document.resolve(operation.parameters["status"].get("items", {}))["enum"]
                path += "?" + "&".join(f"status={word}" for word in words)
            if "cursor" in operation.parameters:
                response = client.get(path)
                if response.status == 400:  # triggers of a program that has none
                    seen[name, path] = response.json["error"]
                    continue
                seen[name, path] = client.pages(path)
                if "text/csv" in operation.answers:
                    seen[name, path, "csv"] = expect(client.get(
                        path, headers={"Accept": "text/csv"}), 200)
            else:
                seen[name, path] = client.read(path)

    def id_sets(self, org, operation):
        """Arguments of Operation.fill for each of the organisation's ids."""
        sets = [{}]
        for collection in operation.collections:
            sets = [{**made, collection.replace("-", "_"): identity}
                    for made in sets for identity in org.ids[collection]]
        return sets

    def ask(self, client, operation, path, options):
        if "text/event-stream" in operation.answers:
            client = client.clone()
            client.timeout = 5  # a stream that opens does not end by itself
        return client.request(operation.method, path, **options)

    def told(self, response, *ids):
        """What an answer says, without the ids that were asked for."""
        body = dict(response.json) if isinstance(response.json, dict) else {"": response.json}
        body.pop("requestId", None)
        text = json.dumps(body)
        for identity in ids:
            text = text.replace(identity, "ID")
        return response.status, text


class Ids(Case):
    def hostile_bodies(self, operation):
        """The document's example, and bodies that are wrong in all ways."""
        options = [operation.example(kind) for kind in operation.bodies] or [{}]
        if operation.takes_json():
            json_type = {"Content-Type": "application/json"}
            options += [{}, {"body": {}}, {"body": {"nonsense": 1}}, {"body": []},
                        {"raw": b"{", "headers": json_type},
                        {"raw": b"x", "headers": {"Content-Type": "text/plain"}}]
        return options

    def test_every_path_with_the_ids_of_another(self):
        looked = 0
        for operation in self.operations("org"):
            if not operation.collections:
                continue
            for ids in self.id_sets(self.victim, operation):
                path = operation.fill(**ids)
                nobody = {name: unknown_id() for name in ids}
                absent_path = operation.fill(**nobody)
                for client in (self.thief.api, self.acting):
                    for options in self.hostile_bodies(operation):
                        looked += 1
                        foreign = self.ask(client, operation, path, options)
                        absent = self.ask(client, operation, absent_path, options)
                        with self.subTest(operation.name, path=path, options=options):
                            self.assertEqual(self.told(foreign, *ids.values()),
                                             self.told(absent, *nobody.values()))
                            self.assertEqual(foreign.status, 404, foreign.json)
                    with self.subTest(operation.name, path=path):
                        self.fails(self.ask(client, operation, path, operation.example()),
                                   404, operation.not_found()[0])
        self.assertGreater(looked, 500)

    def test_every_path_with_every_query_that_it_takes(self):
        for operation in self.operations("org"):
            for name, schema in operation.parameters.items():
                schema = self.document.resolve(schema.get("items", schema))
                values = schema.get("enum", ["1", "nonsense"])
                for value in [values[0], "nonsense"] if operation.collections else []:
                    for ids in self.id_sets(self.victim, operation):
                        with self.subTest(operation.name, parameter=name, value=value):
                            path = f"{operation.fill(**ids)}?{name}={value}"
                            self.fails(self.ask(self.thief.api, operation, path,
                                                operation.example()),
                                       404, operation.not_found()[0])

    def test_every_path_that_asks_for_csv(self):
        for operation in self.operations("org"):
            if "text/csv" in operation.answers and operation.collections:
                path = first(self.victim, operation)
                self.fails(self.thief.api.get(path, headers={"Accept": "text/csv"}),
                           404, operation.not_found()[0])

    def test_two_ids_of_one_path_belong_together(self):
        mixed = 0
        for operation in self.operations("admin"):
            if len(operation.collections) < 2:
                continue
            mixed += 1
            outer, inner = (name.replace("-", "_") for name in operation.collections)
            for of_outer, of_inner in ((self.thief, self.victim), (self.victim, self.thief)):
                path = operation.fill(**{outer: of_outer.ids[operation.collections[0]][0],
                                         inner: of_inner.ids[operation.collections[1]][0]})
                self.fails(self.ask(self.admin, operation, path, operation.example()),
                           404, operation.not_found()[1])
        self.assertGreater(mixed, 0)
        for key in self.victim.ids["api-keys"]:  # nor is it one of the platform's
            self.fails(self.admin.delete(f"/api/api-keys/{key}"), 404, "ApiKeyNotFoundError")

    def test_an_id_of_another_collection_is_none(self):
        """An organisation's own ids in the wrong place."""
        for operation in self.operations("org"):
            if len(operation.collections) != 1 or "dids" in operation.collections:
                continue
            for collection, ids in self.victim.ids.items():
                if collection in operation.collections:
                    continue
                path = operation.fill(**{operation.collections[0].replace("-", "_"): ids[0]})
                with self.subTest(operation.name, collection=collection):
                    self.fails(self.ask(self.victim.api, operation, path, operation.example()),
                               404, operation.not_found()[0])


class OtherPlaces(Case):
    """Ids in bodies and queries, cursors, event ids, idempotency keys."""

    def elsewhere(self):
        """(operation, place) -> attempts of the thief: (method, path, options, status, error or answer)."""
        victim, thief = self.victim.ids, self.thief.ids
        own_audience = f"/api/audiences/{thief['audiences'][0]}/contacts"
        own_program = f"/api/programs/{self.thief.program_ids['draft']}"
        body = {"name": "x", "gateway": "worker", "flowId": thief["flows"][0],
                "didPool": [thief["dids"][0]], "audienceId": thief["audiences"][0]}
        import_path = f"/api/contacts/import?audienceId={victim['audiences'][0]}"
        places = {}
        for kind, text in (("application/x-ndjson", '{"primaryPhone": "+32479000001"}\n'),
                           ("text/csv", "primaryPhone\n+32479000001\n")):
            places.setdefault(("POST /api/contacts/import", "?audienceId"), []).append(
                ("POST", import_path, {"raw": text.encode(), "headers": {"Content-Type": kind}},
                 404, "AudienceNotFoundError"))
        for contact_ids in (victim["contacts"], [thief["contacts"][0], victim["contacts"][0]]):
            places.setdefault(("POST /api/audiences/{id}/contacts", "contactIds[]"), []).append(
                ("POST", own_audience, {"body": {"contactIds": contact_ids}},
                 404, "ContactNotFoundError"))
        places["DELETE /api/audiences/{id}/contacts", "contactIds[]"] = [
            ("DELETE", own_audience, {"body": {"contactIds": victim["contacts"]}},
             200, {"removed": 0})]
        for name, wrong, status, error in (
                ("flowId", victim["flows"][0], 404, "FlowNotFoundError"),
                ("audienceId", victim["audiences"][0], 404, "AudienceNotFoundError"),
                ("didPool", [victim["dids"][0]], 400, "DidNotAccessibleError"),
                ("didPool", [thief["dids"][0], victim["dids"][0]], 400, "DidNotAccessibleError")):
            place = name + ("[]" if isinstance(wrong, list) else "")
            places.setdefault(("POST /api/programs", place), []).append(
                ("POST", "/api/programs", {"body": {**body, name: wrong}}, status, error))
            places.setdefault(("PATCH /api/programs/{id}", place), []).append(
                ("PATCH", own_program, {"body": {name: wrong}}, status, error))
        running = self.thief.execution_ids["running"]
        places["GET /api/program-executions/{id}/calls", "?contactId"] = [
            ("GET", f"/api/program-executions/{running}/calls?contactId={victim['contacts'][0]}",
             {}, 200, {"data": [], "nextCursor": None})]
        return places

    def test_every_place_that_takes_an_id_is_looked_at(self):
        wanted = {(operation.name, place) for operation in self.operations("org")
                  for place in self.document.ids_of(operation)}
        self.assertEqual(set(self.elsewhere()), wanted)

    def test_ids_in_bodies_and_queries(self):
        for (name, place), attempts in self.elsewhere().items():
            for client in (self.thief.api, self.acting):
                for method, path, options, status, error in attempts:
                    with self.subTest(name, place=place, path=path):
                        response = client.request(method, path, **options)
                        if status == 200:
                            self.assertEqual(expect(response, 200), error)
                        else:
                            self.fails(response, status, error)

    def test_names_and_numbers_of_another(self):
        phone = self.victim.contact_phone
        found = self.thief.api.read(f"/api/contacts?primaryPhone={phone.replace('+', '%2B')}")
        self.assertEqual(found["data"], [])
        # A number that another organisation has is free, and what is made is another contact.
        made = self.thief.api.create("/api/contacts/upsert", {"data": [
            {"primaryPhone": phone, "firstName": "Eve"}]}, 200)
        self.assertEqual((made["created"], made["updated"]), (1, 0))
        self.assertNotIn(made["contacts"][0]["id"], self.victim.ids["contacts"])
        self.thief.api.remove(f"/api/contacts/{made['contacts'][0]['id']}")
        self.daemon.settle()

    def test_a_cursor_of_another_leads_nowhere(self):
        lists = [o for o in self.operations() if "cursor" in o.parameters
                 and ("org" in o.roles or o.collections)]
        self.assertGreaterEqual(len(lists), 12)
        for operation in lists:
            of_victim = self.victim.api if "org" in operation.roles else self.admin
            of_thief = self.thief.api if "org" in operation.roles else self.admin
            theirs, own = first(self.victim, operation), first(self.thief, operation)
            cursor = of_victim.read(f"{theirs}?limit=1")["nextCursor"]
            with self.subTest(operation.name):
                self.assertIsNotNone(cursor, "a list of one row has no cursor to steal")
                self.invalid(of_thief.get(f"{own}?cursor={cursor}"), "cursor")
                self.assertEqual(of_victim.get(f"{theirs}?cursor={cursor}").status, 200)

    def test_a_cursor_of_one_list_is_none_of_another(self):
        lists = [o for o in self.operations("org") if "cursor" in o.parameters]
        cursors = {o.name: self.thief.api.read(f"{first(self.thief, o)}?limit=1")["nextCursor"]
                   for o in lists}
        for operation in lists:
            for name, cursor in cursors.items():
                if name != operation.name:
                    with self.subTest(operation.name, cursor_of=name):
                        self.invalid(self.thief.api.get(
                            f"{first(self.thief, operation)}?cursor={cursor}"), "cursor")

    def test_an_event_id_of_another(self):
        with_header = [o.name for o in self.operations("org") if "Last-Event-ID" in o.headers]
        self.assertEqual(with_header, ["GET /api/program-executions/{id}/events", "GET /api/events"])
        last = Stream(self.daemon, self.victim.key, last_id="0").open()
        told = last.next("status")
        last.close()
        for path in ("/api/events",
                     f"/api/program-executions/{self.thief.execution_ids['paused']}/events"):
            stream = Stream(self.daemon, self.thief.key, path, last_id=told.id).open()
            seen = [stream.next() for _ in range(2 if path == "/api/events" else 1)]
            stream.close()
            for event in seen:
                self.assertIsNotNone(event)
                for identity in [self.victim.id, *self.victim.ids["program-executions"],
                                 *self.victim.ids["programs"]]:
                    self.assertNotIn(identity, event.text)

    def test_an_idempotency_key_of_another(self):
        """The victim has used a key; the thief sends the very same request under it."""
        posts = [o for o in self.operations("org") if o.method == "POST"]
        requests, answers = [], []
        for operation in posts:
            self.assertIn("Idempotency-Key", operation.headers)
            options = operation.example()
            options["headers"]["Idempotency-Key"] = f"of-the-victim:{operation.path}"
            requests.append((operation, first(self.victim, operation), options))
            for _ in range(2):
                answers.append(self.ask(self.victim.api, *requests[-1]))
        kept = [answer for answer in answers if "Idempotent-Replayed" in answer.headers]
        self.assertGreaterEqual(len(kept), 6)
        self.daemon.settle()
        self.before = self.everything()
        for request in requests:
            response = self.ask(self.thief.api, *request)
            with self.subTest(request[0].name):
                self.assertNotIn("Idempotent-Replayed", response.headers)
                self.assertNotEqual(response.status, 422)
                if request[0].collections:
                    self.fails(response, 404, request[0].not_found()[0])
                for answer in answers:
                    if "id" in answer.json:
                        self.assertNotIn(answer.json["id"], str(response.json))
        self.before = {place: seen for place, seen in self.before.items() if place[0] == "victim"}


class Roles(Case):
    def options(self, operation, **headers):
        made = operation.example()
        made["headers"] = {**made.get("headers", {}), **headers}
        return made

    def paths(self, operation):
        """With ids that there are, and that there are not: a refusal of a role tells neither."""
        nobody = {name.replace("-", "_"): unknown_id() for name in operation.collections}
        return {first(self.victim, operation), operation.fill(**nobody)}

    def test_each_operation_of_another_role_is_403(self):
        clients = {"org": self.thief.api, "worker": self.worker.api, "admin": self.admin}
        refused = 0
        for operation in self.operations():
            for role, client in clients.items():
                # An admin acts on the data of organisations, which a header names.
                if not operation.roles or role in operation.roles or \
                        (role == "admin" and "org" in operation.roles):
                    continue
                for path in self.paths(operation):
                    with self.subTest(operation.name, role=role, path=path):
                        refused += 1
                        self.fails(self.ask(client, operation, path, self.options(operation)),
                                   403, "ForbiddenError")
                        self.fails(self.ask(client, operation, path, self.options(
                            operation, **{"X-Organization-Id": self.victim.id})),
                            403, "ForbiddenError")
        self.assertGreater(refused, 60)

    def test_without_a_key_that_is_known_it_is_401(self):
        bare = self.daemon.client()
        revoked = {}
        for role, path in (("org", f"/api/organizations/{self.thief.id}/api-keys"),
                           ("admin", "/api/api-keys"), ("worker", "/api/api-keys")):
            made = self.admin.create(path, {"name": "for a while", "role": role})
            self.admin.remove(f"{path}/{made['id']}")
            revoked[role] = made["key"]
        for operation in self.operations():
            for key in (None, "nobody", "od_" + "0" * 40, self.thief.key[:-1], *revoked.values()):
                for name in ("X-API-Key", "Authorization"):
                    value = key if name == "X-API-Key" or key is None else f"Bearer {key}"
                    path = first(self.thief, operation)
                    response = bare.request(operation.method, path,
                                            **self.options(operation, **{name: value}))
                    with self.subTest(operation.name, key=key):
                        if operation.roles:
                            self.fails(response, 401, "UnauthorizedError")
                            self.assertEqual(response.headers["WWW-Authenticate"].split()[0],
                                             "Bearer")
                        else:
                            self.assertEqual(response.status, 200)

    def test_an_admin_must_name_an_organisation_that_there_is(self):
        for operation in self.operations("org"):
            path = first(self.victim, operation)
            for other in (unknown_id(), "nobody", self.victim.id + "0", self.victim.id[:-1], ""):
                with self.subTest(operation.name, other=other):
                    self.fails(self.ask(self.admin, operation, path, self.options(
                        operation, **{"X-Organization-Id": other})),
                        404, "OrganizationNotFoundError")
            if "admin" not in operation.roles:
                with self.subTest(operation.name):
                    self.invalid(self.ask(self.admin, operation, path, self.options(operation)),
                                 "X-Organization-Id")

    def test_the_header_leads_no_org_key_elsewhere(self):
        for operation in self.operations("org"):
            path = first(self.victim, operation)
            for other in (self.victim.id, unknown_id(), "nobody"):
                with self.subTest(operation.name, other=other):
                    self.fails(self.ask(self.thief.api, operation, path, self.options(
                        operation, **{"X-Organization-Id": other})),
                        404, "OrganizationNotFoundError")

    def test_an_admin_reads_what_the_header_names(self):
        acting = self.admin.for_organisation(self.victim.id)
        for operation in self.operations("org"):
            if operation.is_json_read():
                path = first(self.victim, operation)
                with self.subTest(operation.name):
                    self.assertEqual(acting.read(path), self.victim.api.read(path))

    def test_lists_show_nothing_of_another(self):
        theirs = str({place: seen for place, seen in self.before.items() if place[0] == "thief"})
        own = str({place: seen for place, seen in self.before.items() if place[0] == "victim"})
        for collection, ids in self.victim.ids.items():
            for identity in [*ids, self.victim.contact_phone]:
                self.assertIn(identity, own, collection)
                self.assertNotIn(identity, theirs, collection)

    def test_an_org_key_cannot_report_on_calls(self):
        for client in (self.thief.api, self.victim.api):
            self.fails(client.post("/api/call-events", {"events": [
                {"callId": self.call["callId"], "type": "result", "outcome": "answered"}]}),
                403, "ForbiddenError")
            self.fails(client.post("/api/calls/claim", {"max": 1, "waitMs": 0,
                                                        "gateway": "worker"}),
                       403, "ForbiddenError")


if __name__ == "__main__":
    main()
