"""api.md, "An organisation's data": contacts."""

from urllib.parse import quote

from outdial_daemon import Story, expect, main


class Shared(Story):
    share_daemon = True

    def setUp(self):
        super().setUp()
        self.one = self.org()
        self.api = self.one.api

    def attribute(self, name, kind):
        self.api.create("/api/custom-attributes", {"name": name, "type": kind})


class Create(Shared):
    def test_a_phone_is_enough(self):
        phone = self.daemon.phone()
        made = expect(self.api.post("/api/contacts", {"primaryPhone": phone}), 201)
        self.assert_id(made["id"])
        self.assertEqual(
            {key: made.get(key) for key in ("primaryPhone", "firstName", "lastName", "fullName",
                                            "primaryEmail", "timezone", "doNotCall",
                                            "customAttributes")},
            {"primaryPhone": phone, "firstName": None, "lastName": None, "fullName": None,
             "primaryEmail": None, "timezone": None, "doNotCall": False, "customAttributes": {}})
        self.assertEqual(self.api.read(f"/api/contacts/{made['id']}"), made)

    def test_with_everything(self):
        for name, kind in (("score", "number"), ("vip", "boolean"), ("note", "string"),
                           ("due", "date"), ("seen", "date")):
            self.attribute(name, kind)
        body = {
            "primaryPhone": self.daemon.phone(), "firstName": "Ada", "lastName": "Lovelace",
            "fullName": "Ada Lovelace", "primaryEmail": "ada@example.org",
            "timezone": "Europe/London", "doNotCall": True,
            "customAttributes": {"score": 1.5, "vip": True, "note": "Zoë 😀", "due": "2027-01-31",
                                 "seen": "2026-11-23T20:53:57.123Z"}}
        made = expect(self.api.post("/api/contacts", body), 201)
        self.assertEqual({key: made[key] for key in body}, body)
        self.assertEqual(self.api.read(f"/api/contacts/{made['id']}"), made)

    def test_the_phone_is_normalised_to_e164(self):
        for given, shown in (("+1 (212) 555-01.99", "+12125550199"), ("+1234567", "+1234567"),
                             ("+123456789012345", "+123456789012345"),
                             (" +32-25 99.99 99 ", "+3225999999")):
            with self.subTest(given=given):
                made = expect(self.api.post("/api/contacts", {"primaryPhone": given}), 201)
                self.assertEqual(made["primaryPhone"], shown)

    def test_a_phone_that_is_none(self):
        for bad in ("", "+", "12125550199", "+123456", "+1234567890123456", "+1212555O199",
                    "+1 212 555 0199 ext 3", "tel:+12125550199", "+1+2125550199", "１２３４５６７８",
                    12125550199, None, [], {}):
            with self.subTest(given=bad):
                self.invalid(self.api.post("/api/contacts", {"primaryPhone": bad}), "primaryPhone")

    def test_a_duplicate_phone_is_409(self):
        phone = self.daemon.phone()
        expect(self.api.post("/api/contacts", {"primaryPhone": phone}), 201)
        spaced = phone[:4] + " (" + phone[4:7] + ") " + phone[7:]
        self.fails(self.api.post("/api/contacts", {"primaryPhone": spaced}), 409, "ConflictError")
        self.assertEqual(len(self.api.pages("/api/contacts")), 1)
        # Another organisation may know the same person.
        expect(self.org().api.post("/api/contacts", {"primaryPhone": phone}), 201)

    def test_names_are_at_most_64_characters(self):
        expect(self.api.post("/api/contacts", {
            "primaryPhone": self.daemon.phone(), "firstName": "é" * 64, "lastName": "😀" * 64}), 201)
        self.invalid(self.api.post("/api/contacts", {
            "primaryPhone": self.daemon.phone(), "firstName": "x" * 65, "lastName": "é" * 65}),
            "firstName", "lastName")

    def test_types(self):
        self.invalid(self.api.post("/api/contacts", {
            "primaryPhone": self.daemon.phone(), "firstName": 3, "lastName": [], "fullName": {},
            "primaryEmail": True, "timezone": "Mars/Olympus", "doNotCall": "no",
            "customAttributes": []}),
            "firstName", "lastName", "fullName", "primaryEmail", "timezone", "doNotCall",
            "customAttributes")

    def test_custom_attributes_must_exist_and_have_their_type(self):
        for name, kind in (("score", "number"), ("vip", "boolean"), ("note", "string"),
                           ("due", "date")):
            self.attribute(name, kind)
        self.invalid(self.api.post("/api/contacts", {
            "primaryPhone": self.daemon.phone(),
            "customAttributes": {"score": "1", "vip": 1, "note": 3, "due": "soon", "shoe": 44}}),
            "customAttributes.score", "customAttributes.vip", "customAttributes.note",
            "customAttributes.due", "customAttributes.shoe")
        for bad in ("2026-02-29", "2026-1-1", "2026-01-01T00:00:00", "20260101", "", 20260101):
            with self.subTest(date=bad):
                self.invalid(self.api.post("/api/contacts", {
                    "primaryPhone": self.daemon.phone(), "customAttributes": {"due": bad}}),
                    "customAttributes.due")

    def test_a_date_may_be_of_any_year(self):
        self.attribute("born", "date")
        for date, kept in (("1960-02-29", "1960-02-29"), ("0001-01-01", "0001-01-01"),
                           ("1960-02-29T10:00:00+02:00", "1960-02-29T08:00:00.000Z"),
                           ("1970-01-01T00:30:00+01:00", "1969-12-31T23:30:00.000Z")):
            with self.subTest(date=date):
                contact = expect(self.api.post("/api/contacts", {
                    "primaryPhone": self.daemon.phone(), "customAttributes": {"born": date}}), 201)
                self.assertEqual(contact["customAttributes"], {"born": kept})
                self.assertEqual(self.api.read(f"/api/contacts/{contact['id']}"), contact)


class Find(Shared):
    def test_by_phone(self):
        contacts = [self.one.contact() for _ in range(3)]
        for contact in contacts:
            page = self.api.read(f"/api/contacts?primaryPhone={quote(contact['primaryPhone'])}")
            self.assertEqual(page, {"data": [contact], "nextCursor": None})
        nobody = self.api.read("/api/contacts?primaryPhone=%2B9990000000")
        self.assertEqual(nobody, {"data": [], "nextCursor": None})

    def test_not_those_of_others(self):
        contact = self.org().contact()
        page = self.api.read(f"/api/contacts?primaryPhone={quote(contact['primaryPhone'])}")
        self.assertEqual(page["data"], [])


class Change(Shared):
    def test_a_new_phone(self):
        contact, other = self.one.contact(), self.one.contact()
        path = f"/api/contacts/{contact['id']}"
        phone = self.daemon.phone()
        self.assertEqual(self.api.change(path, {"primaryPhone": phone})["primaryPhone"], phone)
        found = self.api.read(f"/api/contacts?primaryPhone={quote(phone)}")["data"]
        self.assertEqual([row["id"] for row in found], [contact["id"]])
        old = self.api.read(f"/api/contacts?primaryPhone={quote(contact['primaryPhone'])}")["data"]
        self.assertEqual(old, [])
        self.fails(self.api.patch(path, {"primaryPhone": other["primaryPhone"]}),
                   409, "ConflictError")
        self.api.change(path, {"primaryPhone": phone})  # its own is no duplicate

    def test_do_not_call(self):
        contact = self.one.contact()
        path = f"/api/contacts/{contact['id']}"
        self.assertTrue(self.api.change(path, {"doNotCall": True})["doNotCall"])
        self.assertFalse(self.api.change(path, {"doNotCall": False})["doNotCall"])
        self.invalid(self.api.patch(path, {"doNotCall": 1}), "doNotCall")

    def test_null_clears_optional_properties(self):
        self.attribute("score", "number")
        contact = self.one.contact(
            firstName="A", lastName="B", fullName="C", primaryEmail="d@e.org", timezone="UTC",
            customAttributes={"score": 3})
        cleared = self.api.change(f"/api/contacts/{contact['id']}", {
            "firstName": None, "lastName": None, "fullName": None, "primaryEmail": None,
            "timezone": None, "customAttributes": None})
        self.assertEqual(
            [cleared[key] for key in ("firstName", "lastName", "fullName", "primaryEmail",
                                      "timezone", "customAttributes")],
            [None, None, None, None, None, {}])

    def test_a_custom_attribute_is_changed_and_cleared(self):
        for name in ("a", "b"):
            self.attribute(name, "number")
        contact = self.one.contact(customAttributes={"a": 1, "b": 2})
        path = f"/api/contacts/{contact['id']}"
        changed = self.api.change(path, {"customAttributes": {"a": None, "b": 3}})
        self.assertEqual(changed["customAttributes"], {"b": 3})
        self.invalid(self.api.patch(path, {"customAttributes": {"c": 1, "b": "x"}}),
                     "customAttributes.c", "customAttributes.b")


class Delete(Shared):
    def test_it_is_gone_and_its_phone_is_free(self):
        contact = self.one.contact()
        path = f"/api/contacts/{contact['id']}"
        self.api.remove(path)
        self.fails(self.api.get(path), 404, "ContactNotFoundError")
        self.fails(self.api.delete(path), 404, "ContactNotFoundError")
        self.fails(self.api.patch(path, {"firstName": "x"}), 404, "ContactNotFoundError")
        again = self.api.create("/api/contacts", {"primaryPhone": contact["primaryPhone"]})
        self.assertNotEqual(again["id"], contact["id"])


class Upsert(Shared):
    def upsert(self, *contacts):
        return self.api.post("/api/contacts/upsert", {"data": list(contacts)})

    def test_new_and_known_ones(self):
        known = self.one.contact(firstName="Ada", lastName="Byron")
        fresh = self.daemon.phone()
        answer = expect(self.upsert({"primaryPhone": fresh, "firstName": "Grace"},
                                    {"primaryPhone": known["primaryPhone"], "lastName": "King"}),
                        200)
        self.assertEqual((answer["created"], answer["updated"]), (1, 1))
        self.assertEqual([row["primaryPhone"] for row in answer["contacts"]],
                         [fresh, known["primaryPhone"]])
        self.assertEqual(answer["contacts"][1]["id"], known["id"])
        self.assertEqual(set(answer["contacts"][0]), {"id", "primaryPhone"})
        changed = self.api.read(f"/api/contacts/{known['id']}")
        self.assertEqual(changed["lastName"], "King")
        made = self.api.read(f"/api/contacts/{answer['contacts'][0]['id']}")
        self.assertEqual((made["primaryPhone"], made["firstName"]), (fresh, "Grace"))

    def test_all_or_nothing(self):
        known = self.one.contact(firstName="Ada")
        self.invalid(self.upsert({"primaryPhone": known["primaryPhone"], "firstName": "Eve"},
                                 {"primaryPhone": self.daemon.phone()},
                                 {"primaryPhone": "nonsense"}), "data[2].primaryPhone")
        self.assertEqual(self.api.pages("/api/contacts"), [known])

    def test_1_to_1000(self):
        self.invalid(self.upsert(), "data")
        many = [{"primaryPhone": self.daemon.phone()} for _ in range(1001)]
        self.invalid(self.upsert(*many), "data")
        answer = expect(self.upsert(*many[:1000]), 200)
        self.assertEqual((answer["created"], answer["updated"]), (1000, 0))
        answer = expect(self.upsert(*many[:1000]), 200)
        self.assertEqual((answer["created"], answer["updated"]), (0, 1000))
        self.assertEqual(len(self.api.pages("/api/contacts")), 1000)

    def test_faults(self):
        self.invalid(self.api.post("/api/contacts/upsert", {}), "data")
        self.invalid(self.api.post("/api/contacts/upsert", {"data": {}, "x": 1}), "data", "x")
        self.invalid(self.upsert(3, {}, {"primaryPhone": self.daemon.phone(), "age": 3}),
                     "data[0]", "data[1].primaryPhone", "data[2].age")


class Audiences(Shared):
    def test_a_deleted_contact_leaves_its_audiences(self):
        contacts = self.one.contacts(3)
        audience = self.one.audience(contacts)
        self.api.remove(f"/api/contacts/{contacts[1]['id']}")
        path = f"/api/audiences/{audience['id']}"
        self.assertEqual(self.api.read(path)["contactCount"], 2)
        left = {row["id"] for row in self.api.pages(path + "/contacts")}
        self.assertEqual(left, {contacts[0]["id"], contacts[2]["id"]})
        self.fails(self.api.post(path + "/contacts", {"contactIds": [contacts[1]["id"]]}),
                   404, "ContactNotFoundError")


if __name__ == "__main__":
    main()
