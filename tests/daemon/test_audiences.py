"""api.md, "An organisation's data": audiences."""

from outdial_daemon import Story, expect, main, unknown_id


class Shared(Story):
    share_daemon = True

    def setUp(self):
        super().setUp()
        self.one = self.org()
        self.api = self.one.api


class Audiences(Shared):
    def test_create_read_change(self):
        made = expect(self.api.post("/api/audiences", {"name": "Customers"}), 201)
        self.assertEqual(set(made), {"id", "name", "contactCount", "createdAt", "updatedAt"})
        self.assertEqual((made["name"], made["contactCount"]), ("Customers", 0))
        path = f"/api/audiences/{made['id']}"
        self.assertEqual(self.api.read(path), made)
        self.daemon.advance(1)
        changed = self.api.change(path, {"name": "Leads"})
        self.assertEqual(changed["name"], "Leads")
        self.assertGreater(changed["updatedAt"], made["updatedAt"])
        self.assertEqual(self.api.pages("/api/audiences"), [changed])

    def test_faults(self):
        self.invalid(self.api.post("/api/audiences", {"name": "", "contactIds": []}),
                     "name", "contactIds")
        self.invalid(self.api.post("/api/audiences", {}), "name")
        audience = self.one.audience()
        path = f"/api/audiences/{audience['id']}"
        self.invalid(self.api.patch(path, {"name": None}), "name")
        self.invalid(self.api.patch(path, {"name": 3}), "name")
        self.invalid(self.api.patch(path, {"contactCount": 3}), "contactCount")

    def test_delete(self):
        audience = self.one.audience(2)
        path = f"/api/audiences/{audience['id']}"
        self.api.remove(path)
        for response in (self.api.get(path), self.api.delete(path),
                         self.api.get(path + "/contacts"), self.api.patch(path, {"name": "x"})):
            self.fails(response, 404, "AudienceNotFoundError")
        self.assertEqual(len(self.api.pages("/api/contacts")), 2)  # its contacts stay

    def test_delete_while_a_program_uses_it_is_409(self):
        audience = self.one.audience(1)
        program = self.one.program(audienceId=audience["id"])
        path = f"/api/audiences/{audience['id']}"
        self.fails(self.api.delete(path), 409, "ConflictError")
        self.assertEqual(self.api.read(path)["contactCount"], 1)
        self.api.remove(f"/api/programs/{program['id']}")
        self.api.remove(path)

    def test_a_program_may_turn_to_another(self):
        first, second = self.one.audience(1), self.one.audience(1)
        program = self.one.program(audienceId=first["id"])
        self.api.change(f"/api/programs/{program['id']}", {"audienceId": second["id"]})
        self.api.remove(f"/api/audiences/{first['id']}")
        self.fails(self.api.delete(f"/api/audiences/{second['id']}"), 409, "ConflictError")


class Members(Shared):
    def setUp(self):
        super().setUp()
        self.audience = self.one.audience()
        self.path = f"/api/audiences/{self.audience['id']}/contacts"

    def count(self):
        return self.api.read(f"/api/audiences/{self.audience['id']}")["contactCount"]

    def test_add_and_remove(self):
        ids = [contact["id"] for contact in self.one.contacts(5)]
        self.assertEqual(self.api.create(self.path, {"contactIds": ids[:3]}, 200),
                         {"added": 3, "alreadyPresent": 0})
        self.assertEqual(self.api.create(self.path, {"contactIds": ids[2:]}, 200),
                         {"added": 2, "alreadyPresent": 1})
        self.assertEqual(self.count(), 5)
        self.assertEqual({row["id"] for row in self.api.pages(self.path, limit=2)}, set(ids))
        removed = self.api.delete(self.path, {"contactIds": ids[:2] + [self.one.contact()["id"]]})
        self.assertEqual(expect(removed, 200), {"removed": 2})
        self.assertEqual(self.count(), 3)
        self.assertEqual({row["id"] for row in self.api.pages(self.path)}, set(ids[2:]))

    def test_its_contacts_are_shown_whole(self):
        contact = self.one.contact(firstName="Ada")
        self.api.create(self.path, {"contactIds": [contact["id"]]}, 200)
        self.assertEqual(self.api.pages(self.path), [contact])

    def test_one_contact_twice_in_a_body_is_added_once(self):
        contact = self.one.contact()["id"]
        answer = self.api.post(self.path, {"contactIds": [contact, contact]})
        if answer.status == 200:
            self.assertEqual(answer.json, {"added": 1, "alreadyPresent": 1})
            self.assertEqual(self.count(), 1)
        else:
            self.invalid(answer)

    def test_an_unknown_contact_is_404_and_nothing_is_added(self):
        ids = [contact["id"] for contact in self.one.contacts(2)]
        foreign = self.org().contact()["id"]
        for wrong in (unknown_id(), foreign):
            self.fails(self.api.post(self.path, {"contactIds": [ids[0], wrong, ids[1]]}),
                       404, "ContactNotFoundError")
        self.assertEqual(self.count(), 0)
        self.assertEqual(self.api.pages(self.path), [])

    def test_1_to_1000(self):
        ids = [contact["id"] for contact in self.one.contacts(1001)]
        for method in ("POST", "DELETE"):
            self.invalid(self.api.request(method, self.path, {"contactIds": []}), "contactIds")
            self.invalid(self.api.request(method, self.path, {"contactIds": ids}), "contactIds")
            self.invalid(self.api.request(method, self.path, {"contactIds": [3, ids[0]]}),
                         "contactIds[0]")
            self.invalid(self.api.request(method, self.path, {"contactIds": "x", "y": 1}),
                         "contactIds", "y")
            self.invalid(self.api.request(method, self.path))
        self.assertEqual(self.api.create(self.path, {"contactIds": ids[:1000]}, 200)["added"], 1000)
        self.assertEqual(self.count(), 1000)

    def test_a_contact_may_be_in_many_audiences(self):
        contact = self.one.contact()
        for audience in (self.one.audience([contact]), self.one.audience([contact])):
            rows = self.api.pages(f"/api/audiences/{audience['id']}/contacts")
            self.assertEqual(rows, [contact])


if __name__ == "__main__":
    main()
