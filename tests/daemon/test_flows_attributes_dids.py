"""api.md, "An organisation's data": flows, custom attributes, and the DIDs that it may use."""

from outdial_daemon import Story, expect, main, wait_until

NODES = [{"id": "hello", "type": "say", "text": "Hi", "next": "ask"},
         {"id": "ask", "type": "menu", "choices": {"1": "bye"}}, {"id": "bye", "type": "hangup"}]


class Shared(Story):
    share_daemon = True

    def setUp(self):
        super().setUp()
        self.one = self.org()
        self.api = self.one.api


class Flows(Shared):
    def test_without_nodes_it_is_known_to_the_gateway_only(self):
        made = expect(self.api.post("/api/flows", {"name": "Welcome"}), 201)
        self.assert_id(made["id"])
        self.assertEqual(made["name"], "Welcome")
        self.assertFalse(made.get("nodes"))
        self.assertEqual(self.api.read(f"/api/flows/{made['id']}"), made)

    def test_nodes_are_kept_as_they_are(self):
        made = self.api.create("/api/flows",
                               {"name": "Menu", "nodes": NODES, "startNode": "hello"})
        self.assertEqual((made["nodes"], made["startNode"]), (NODES, "hello"))
        self.assertEqual(self.api.read(f"/api/flows/{made['id']}"), made)
        self.assertEqual(self.api.pages("/api/flows"), [made])

    def test_faults(self):
        self.invalid(self.api.post("/api/flows", {"name": "", "nodes": {}, "x": 1}),
                     "name", "nodes", "x")
        self.invalid(self.api.post("/api/flows", {"name": "x", "nodes": [{"id": "a"}, {"type": "say"},
                                                                         3]}),
                     "nodes[0].type", "nodes[1].id", "nodes[2]")
        self.invalid(self.api.post("/api/flows", {"name": "x", "nodes": NODES,
                                                  "startNode": "nowhere"}), "startNode")
        self.invalid(self.api.post("/api/flows", {"name": "x", "nodes": [NODES[0], NODES[0]]}))

    def test_change(self):
        made = self.one.flow(nodes=NODES, startNode="hello")
        path = f"/api/flows/{made['id']}"
        changed = self.api.change(path, {"name": "Other", "startNode": "ask"})
        self.assertEqual((changed["name"], changed["startNode"], changed["nodes"]),
                         ("Other", "ask", NODES))
        cleared = self.api.change(path, {"nodes": None, "startNode": None})
        self.assertFalse(cleared.get("nodes"))
        self.invalid(self.api.patch(path, {"name": None}), "name")

    def test_delete(self):
        made = self.one.flow()
        path = f"/api/flows/{made['id']}"
        self.api.remove(path)
        self.fails(self.api.get(path), 404, "FlowNotFoundError")
        self.fails(self.api.delete(path), 404, "FlowNotFoundError")

    def test_delete_while_in_use_is_409(self):
        made = self.one.flow()
        program = self.one.program(flowId=made["id"])
        path = f"/api/flows/{made['id']}"
        self.fails(self.api.delete(path), 409, "ConflictError")
        other = self.one.flow()
        self.api.change(f"/api/programs/{program['id']}", {"flowId": other["id"]})
        self.api.remove(path)
        self.api.remove(f"/api/programs/{program['id']}")
        self.api.remove(f"/api/flows/{other['id']}")

    def test_an_active_execution_uses_its_flow_when_its_program_has_another_one(self):
        flow, other = self.one.flow(), self.one.flow()
        program = self.one.program(contacts=1, flowId=flow["id"])
        execution = self.one.launch(program)
        self.api.change(f"/api/programs/{program['id']}", {"flowId": other["id"]})
        path = f"/api/flows/{flow['id']}"
        self.fails(self.api.delete(path), 409, "ConflictError")
        self.assertEqual(self.api.read(f"/api/program-executions/{execution}")["flowId"],
                         flow["id"])
        self.one.cancel(execution)
        self.api.remove(path)
        self.fails(self.api.delete(f"/api/flows/{other['id']}"), 409, "ConflictError")


class CustomAttributes(Shared):
    def make(self, name, kind="string", **more):
        return self.api.post("/api/custom-attributes", {"name": name, "type": kind, **more})

    def test_each_type(self):
        for kind in ("string", "number", "boolean", "date"):
            made = expect(self.make(f"my_{kind}", kind), 201)
            self.assert_id(made["id"])
            self.assertEqual((made["name"], made["type"]), (f"my_{kind}", kind))
        rows = self.api.pages("/api/custom-attributes")
        self.assertEqual([row["type"] for row in rows], ["date", "boolean", "number", "string"])

    def test_a_duplicate_is_409(self):
        expect(self.make("score"), 201)
        self.fails(self.make("score", "number"), 409, "ConflictError")
        expect(self.make("Score"), 201)
        other = self.org()
        other.api.create("/api/custom-attributes", {"name": "score", "type": "number"})

    def test_names(self):
        for good in ("a", "_", "_a1", "A" * 64):
            expect(self.make(good), 201)
        for bad in ("", "1a", "a-b", "a b", "é", "A" * 65, "a.b", 3, None):
            with self.subTest(name=bad):
                self.invalid(self.make(bad), "name")

    def test_faults(self):
        self.invalid(self.make("1", "text", unique=True), "name", "type", "unique")
        self.invalid(self.api.post("/api/custom-attributes", {}), "name", "type")

    def test_delete(self):
        made = expect(self.make("score", "number"), 201)
        path = f"/api/custom-attributes/{made['id']}"
        self.api.remove(path)
        self.fails(self.api.delete(path), 404, "CustomAttributeNotFoundError")
        self.invalid(self.api.post("/api/contacts", {
            "primaryPhone": self.daemon.phone(), "customAttributes": {"score": 1}}),
            "customAttributes.score")
        expect(self.make("score", "string"), 201)

    def test_its_values_go_with_it(self):
        """Another one of its name begins without values, whatever its type."""
        made, kept = expect(self.make("score", "number"), 201), expect(self.make("plan"), 201)
        self.one.contacts(1200, customAttributes={"score": 7, "plan": "gold"})
        self.api.remove(f"/api/custom-attributes/{made['id']}")
        for contact in self.api.pages("/api/contacts"):
            self.assertEqual(contact["customAttributes"], {"plan": "gold"})
        again = expect(self.make("score", "date"), 201)
        self.assertEqual([row["id"] for row in self.api.pages("/api/custom-attributes")],
                         [again["id"], kept["id"]])
        path = f"/api/contacts/{contact['id']}"
        self.assertEqual(self.api.change(path, {"customAttributes": {"score": None}})
                         ["customAttributes"], {"plan": "gold"})
        self.assertEqual(self.api.change(path, {"customAttributes": {"score": "2026-01-01"}})
                         ["customAttributes"], {"plan": "gold", "score": "2026-01-01"})


class AttributeRemoval(Story):
    def test_it_goes_on_after_a_crash(self):
        one = self.org()
        made = one.api.create("/api/custom-attributes", {"name": "score", "type": "number"})
        one.contacts(12000, customAttributes={"score": 7})  # many batches
        request = (f"DELETE /api/custom-attributes/{made['id']} HTTP/1.1\r\nHost: x\r\n"
                   f"X-API-Key: {one.key}\r\n\r\n").encode()

        def values():
            return sum("score" in c["customAttributes"] for c in one.api.pages("/api/contacts"))

        with self.daemon.connect() as connection:
            connection.sendall(request)
            wait_until(lambda: one.api.get("/api/custom-attributes").json["data"] == [],
                       "the attribute's end")
            self.daemon.kill9()
        self.daemon.start()
        wait_until(lambda: values() == 0, "the end of its values")
        wait_until(lambda: one.api.post("/api/custom-attributes", {"name": "score", "type": "date"})
                   .status == 201, "its name is free")


class Dids(Shared):
    def test_those_that_it_may_use(self):
        own, shared = self.one.did(), self.one.did(shared=True)
        foreign = self.org().did()
        listed = [row["id"] for row in self.api.pages("/api/dids")]
        self.assertIn(own["id"], listed)
        self.assertIn(shared["id"], listed)
        self.assertNotIn(foreign["id"], listed)
        self.assertEqual(self.api.read(f"/api/dids/{own['id']}"), own)
        self.assertEqual(self.api.read(f"/api/dids/{shared['id']}"), shared)
        self.fails(self.api.get(f"/api/dids/{foreign['id']}"), 404, "DidNotFoundError")


if __name__ == "__main__":
    main()
