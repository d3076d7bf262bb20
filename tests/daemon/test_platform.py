"""api.md, "Platform": organisations, keys and DIDs, by an admin."""

from outdial_daemon import Story, expect, main, unknown_id


class Shared(Story):
    share_daemon = True


class Organizations(Shared):
    def test_a_name_is_enough(self):
        response = self.admin.post("/api/organizations", {"name": "Acme"})
        made = expect(response, 201)
        self.assert_id(made["id"])
        self.assert_stamp(made["createdAt"])
        self.assert_stamp(made["updatedAt"])
        self.assertEqual(
            {key: made[key] for key in
             ("name", "timezone", "credits", "maxConcurrentCalls", "callsPerSecond")},
            {"name": "Acme", "timezone": "UTC", "credits": None, "maxConcurrentCalls": None,
             "callsPerSecond": None})
        self.assertEqual(self.admin.read(f"/api/organizations/{made['id']}"), made)

    def test_with_everything(self):
        made = self.admin.create("/api/organizations", {
            "name": "Acme", "timezone": "Africa/Casablanca", "credits": 100,
            "maxConcurrentCalls": 30, "callsPerSecond": 2.5})
        self.assertEqual(
            [made[key] for key in ("timezone", "credits", "maxConcurrentCalls", "callsPerSecond")],
            ["Africa/Casablanca", 100, 30, 2.5])

    def test_the_time_zone_is_an_iana_name(self):
        for good in ("UTC", "America/New_York", "Europe/Paris", "Asia/Kathmandu",
                     "America/Argentina/Buenos_Aires"):
            with self.subTest(timezone=good):
                made = self.admin.create("/api/organizations", {"name": "x", "timezone": good})
                self.assertEqual(made["timezone"], good)
        for bad in ("Mars/Olympus", "", "utc ", "AAA+1", "../UTC", "/etc/localtime", "posix/UTC",
                    "Europe/Paris/", "Europe", ":Europe/Paris", "+01:00", 3, True, []):
            with self.subTest(timezone=bad):
                self.invalid(self.admin.post("/api/organizations", {"name": "x", "timezone": bad}),
                             "timezone")

    def test_faults(self):
        self.invalid(self.admin.post("/api/organizations", {
            "timezone": "Mars", "credits": 1.5, "maxConcurrentCalls": 0, "callsPerSecond": -1,
            "plan": "gold"}),
            "name", "timezone", "credits", "maxConcurrentCalls", "callsPerSecond", "plan")
        self.invalid(self.admin.post("/api/organizations", {"name": ""}), "name")
        self.invalid(self.admin.post("/api/organizations", {"name": 3, "credits": -1}),
                     "name", "credits")

    def test_change(self):
        made = self.admin.create("/api/organizations", {
            "name": "Acme", "maxConcurrentCalls": 5, "callsPerSecond": 1})
        path = f"/api/organizations/{made['id']}"
        changed = self.admin.change(path, {"name": "Ajax", "timezone": "Asia/Tokyo",
                                           "maxConcurrentCalls": None, "callsPerSecond": 0.5})
        self.assertEqual(
            [changed[key] for key in ("name", "timezone", "maxConcurrentCalls", "callsPerSecond")],
            ["Ajax", "Asia/Tokyo", None, 0.5])
        self.assertEqual(self.admin.read(path), changed)
        self.invalid(self.admin.patch(path, {"name": None}), "name")
        self.invalid(self.admin.patch(path, {"timezone": "Mars"}), "timezone")

    def test_unknown(self):
        for wrong in (unknown_id(), "x"):
            path = f"/api/organizations/{wrong}"
            self.fails(self.admin.get(path), 404, "OrganizationNotFoundError")
            self.fails(self.admin.patch(path, {"name": "x"}), 404, "OrganizationNotFoundError")
            self.fails(self.admin.post(path + "/api-keys", {"name": "x", "role": "org"}),
                       404, "OrganizationNotFoundError")
            self.fails(self.admin.get(path + "/api-keys"), 404, "OrganizationNotFoundError")
            self.fails(self.admin.delete(f"{path}/api-keys/{unknown_id()}"),
                       404, "OrganizationNotFoundError")

    def test_an_organisation_sees_itself(self):
        org = self.org(timezone="Europe/Paris")
        self.assertEqual(org.api.read("/api/organization"), org.record)


class ApiKeys(Shared):
    def test_a_key_of_an_organisation_is_shown_once(self):
        org = self.org()
        path = f"/api/organizations/{org.id}/api-keys"
        made = self.admin.create(path, {"name": "crm", "role": "org"})
        self.assertEqual(set(made), {"id", "name", "role", "key", "createdAt"})
        self.assertEqual((made["name"], made["role"]), ("crm", "org"))
        rows = self.admin.pages(path)
        self.assertEqual(rows[0], {key: made[key] for key in ("id", "name", "role", "createdAt")})
        self.assertEqual(len(rows), 2)
        self.assertEqual(self.daemon.client(made["key"]).read("/api/organization")["id"], org.id)

    def test_keys_differ(self):
        org = self.org()
        keys = {self.admin.create(f"/api/organizations/{org.id}/api-keys",
                                  {"name": "same", "role": "org"})["key"] for _ in range(5)}
        self.assertEqual(len(keys), 5)

    def test_revoke(self):
        org, other = self.org(), self.org()
        made = self.admin.create(f"/api/organizations/{org.id}/api-keys",
                                 {"name": "x", "role": "org"})
        self.fails(self.admin.delete(f"/api/organizations/{other.id}/api-keys/{made['id']}"),
                   404, "ApiKeyNotFoundError")
        path = f"/api/organizations/{org.id}/api-keys/{made['id']}"
        self.admin.remove(path)
        self.fails(self.admin.delete(path), 404, "ApiKeyNotFoundError")
        self.fails(self.admin.delete(f"/api/organizations/{org.id}/api-keys/x"),
                   404, "ApiKeyNotFoundError")
        self.assertEqual(len(self.admin.pages(f"/api/organizations/{org.id}/api-keys")), 1)

    def test_keys_of_the_platform(self):
        for role in ("admin", "worker"):
            made = self.admin.create("/api/api-keys", {"name": f"my {role}", "role": role})
            self.assertEqual((made["name"], made["role"]), (f"my {role}", role))
            listed = [row for row in self.admin.pages("/api/api-keys") if row["id"] == made["id"]]
            self.assertEqual(len(listed), 1)
            self.assertNotIn("key", listed[0])
            if role == "admin":
                self.daemon.client(made["key"]).read("/api/organizations")
            self.admin.remove(f"/api/api-keys/{made['id']}")
            self.fails(self.admin.delete(f"/api/api-keys/{made['id']}"), 404, "ApiKeyNotFoundError")

    def test_roles_have_their_place(self):
        org = self.org()
        for role in ("admin", "worker", "boss", None, 1):
            self.invalid(self.admin.post(f"/api/organizations/{org.id}/api-keys",
                                         {"name": "x", "role": role}), "role")
        for role in ("org", "boss", None):
            self.invalid(self.admin.post("/api/api-keys", {"name": "x", "role": role}), "role")
        self.invalid(self.admin.post("/api/api-keys", {}), "name", "role")
        self.invalid(self.admin.post("/api/api-keys", {"name": "x", "role": "worker", "key": "me"}),
                     "key")


class Dids(Shared):
    def make(self, **fields):
        return self.admin.post("/api/dids", {"number": self.daemon.phone(), **fields})

    def test_a_shared_did(self):
        made = expect(self.make(), 201)
        self.assertEqual(set(made),
                         {"id", "number", "status", "organizationId", "createdAt", "updatedAt"})
        self.assertEqual((made["status"], made["organizationId"]), ("active", None))
        for org in (self.org(), self.org()):
            self.assertEqual(org.api.read(f"/api/dids/{made['id']}"), made)
            self.assertIn(made, org.api.pages("/api/dids"))

    def test_a_did_of_one_organisation(self):
        org, other = self.org(), self.org()
        made = expect(self.make(organizationId=org.id, status="inactive"), 201)
        self.assertEqual((made["status"], made["organizationId"]), ("inactive", org.id))
        self.assertEqual(org.api.read(f"/api/dids/{made['id']}"), made)
        self.fails(other.api.get(f"/api/dids/{made['id']}"), 404, "DidNotFoundError")
        self.assertNotIn(made["id"], [row["id"] for row in other.api.pages("/api/dids")])

    def test_own_and_shared_dids_are_one_list_newest_first(self):
        org = self.org()
        made = [org.did(shared=i % 2 == 0)["id"] for i in range(6)]
        for limit in (1, 4, 100):
            rows = org.api.pages("/api/dids", limit=limit)
            self.assertEqual([row["id"] for row in rows][:6], made[::-1])

    def test_the_number_is_normalised_and_unique(self):
        made = expect(self.make(number="+32 (25) 99-00.01"), 201)
        self.assertEqual(made["number"], "+3225990001")
        self.fails(self.make(number="+3225990001"), 409, "ConflictError")
        self.fails(self.make(number="+32-2599-0001", organizationId=self.org().id),
                   409, "ConflictError")

    def test_a_deleted_number_is_free_again(self):
        made = expect(self.make(), 201)
        self.admin.remove(f"/api/dids/{made['id']}")
        again = expect(self.make(number=made["number"]), 201)
        self.assertNotEqual(again["id"], made["id"])

    def test_faults(self):
        for number in ("", "32251234567", "+123456", "+1234567890123456", "+0123456789", "+32x5", 3,
                       None, "++3225123456", "+32/25123456"):
            with self.subTest(number=number):
                self.invalid(self.make(number=number), "number")
        self.invalid(self.admin.post("/api/dids", {"status": "asleep", "organizationId": 3, "x": 1}),
                     "number", "status", "organizationId", "x")
        response = self.make(organizationId=unknown_id())
        self.fails(response, 404, "OrganizationNotFoundError")

    def test_change_and_delete(self):
        org = self.org()
        did = org.did()
        path = f"/api/dids/{did['id']}"
        self.daemon.advance(1)
        changed = self.admin.change(path, {"status": "inactive"})
        self.assertEqual(changed["status"], "inactive")
        self.assertGreater(changed["updatedAt"], did["updatedAt"])
        self.assertEqual(org.api.read(path), changed)
        self.assertEqual(self.admin.change(path, {"status": "active"})["status"], "active")
        self.invalid(self.admin.patch(path, {"status": "gone"}), "status")
        self.invalid(self.admin.patch(path, {"status": None}), "status")
        self.admin.remove(path)
        self.fails(self.admin.delete(path), 404, "DidNotFoundError")
        self.fails(self.admin.patch(path, {"status": "active"}), 404, "DidNotFoundError")
        self.fails(org.api.get(path), 404, "DidNotFoundError")

    def test_an_organisation_may_only_look(self):
        org = self.org()
        did = org.did()
        self.fails(org.api.patch(f"/api/dids/{did['id']}", {"status": "inactive"}),
                   403, "ForbiddenError")
        self.fails(org.api.delete(f"/api/dids/{did['id']}"), 403, "ForbiddenError")
        self.assertEqual(org.api.read(f"/api/dids/{did['id']}"), did)


if __name__ == "__main__":
    main()
