"""api.md, "Conventions": what holds for every route."""

import json
import os
import re
import socket

from outdial_daemon import (
    Client, Organisation, Story, expect, later, main, parse_time, read_response, unknown_id)

RESOURCES = {  # what an id in a path of the organisation's data names
    "/api/contacts/{}": "ContactNotFoundError",
    "/api/audiences/{}": "AudienceNotFoundError",
    "/api/audiences/{}/contacts": "AudienceNotFoundError",
    "/api/flows/{}": "FlowNotFoundError",
    "/api/dids/{}": "DidNotFoundError",
    "/api/programs/{}": "ProgramNotFoundError",
    "/api/programs/{}/executions": "ProgramNotFoundError",
    "/api/programs/{}/triggers": "ProgramNotFoundError",
    "/api/program-executions/{}": "ExecutionNotFoundError",
    "/api/program-executions/{}/contacts": "ExecutionNotFoundError",
    "/api/program-executions/{}/calls": "ExecutionNotFoundError",
}


class Shared(Story):
    share_daemon = True

    def setUp(self):
        super().setUp()
        self.one = self.org()
        self.api = self.one.api


class Authentication(Shared):
    def test_a_key_is_taken_from_either_header(self):
        bare = self.daemon.client()
        bearer = bare.get("/api/organization", headers={"Authorization": f"Bearer {self.one.key}"})
        self.assertEqual(expect(bearer, 200)["id"], self.one.id)
        header = bare.get("/api/organization", headers={"X-API-Key": self.one.key})
        self.assertEqual(expect(header, 200)["id"], self.one.id)

    def test_no_key_or_an_unknown_one_is_401_with_a_challenge(self):
        bare = self.daemon.client()
        for headers in ({}, {"X-API-Key": "nobody"}, {"Authorization": "Bearer nobody"},
                        {"Authorization": "Bearer "}, {"Authorization": "Basic YTpi"},
                        {"X-API-Key": ""}, {"X-API-Key": self.one.key[:-1]},
                        {"X-API-Key": self.one.key + "0"}):
            for method, path in (("GET", "/api/contacts"), ("POST", "/api/contacts"),
                                 ("POST", "/api/calls/claim"), ("GET", "/api/organizations")):
                with self.subTest(headers=headers, path=path):
                    response = bare.request(method, path, headers=headers)
                    self.fails(response, 401, "UnauthorizedError")
                    self.assertTrue(response.headers["WWW-Authenticate"].startswith("Bearer"))

    def test_a_revoked_key_is_401(self):
        keys = f"/api/organizations/{self.one.id}/api-keys"
        made = self.admin.create(keys, {"name": "for a while", "role": "org"})
        client = self.daemon.client(made["key"])
        client.read("/api/contacts")
        self.admin.remove(f"{keys}/{made['id']}")
        self.fails(client.get("/api/contacts"), 401, "UnauthorizedError")

    def test_a_revoked_worker_key_is_401(self):
        made = self.admin.create("/api/api-keys", {"name": "for a while", "role": "worker"})
        client = self.daemon.client(made["key"])
        claim = {"max": 1, "waitMs": 0, "gateway": "worker"}
        expect(client.post("/api/calls/claim", claim), 200)
        self.admin.remove(f"/api/api-keys/{made['id']}")
        self.fails(client.post("/api/calls/claim", claim), 401, "UnauthorizedError")

    def test_only_a_hash_of_a_key_is_stored(self):
        made = self.admin.create("/api/api-keys", {"name": "seen once", "role": "worker"})
        key = made["key"].encode()
        self.assertGreaterEqual(len(key), 32)
        for folder, _, names in os.walk(self.daemon.data):
            for name in names:
                if name == "admin.key":
                    continue
                with open(os.path.join(folder, name), "rb") as file:
                    content = file.read()
                self.assertNotIn(key, content, name)
                self.assertNotIn(self.one.key.encode(), content, name)

    def test_each_role_has_its_own_routes(self):
        worker = self.daemon.client(self.daemon.worker_key())
        claim = {"max": 1, "waitMs": 0, "gateway": "worker"}
        forbidden = [
            (self.api, "GET", "/api/organizations", None),
            (self.api, "POST", "/api/organizations", {"name": "x"}),
            (self.api, "PATCH", f"/api/organizations/{self.one.id}", {"name": "x"}),
            (self.api, "POST", f"/api/organizations/{self.one.id}/api-keys",
             {"name": "x", "role": "org"}),
            (self.api, "GET", f"/api/organizations/{self.one.id}/api-keys", None),
            (self.api, "POST", "/api/api-keys", {"name": "x", "role": "worker"}),
            (self.api, "POST", "/api/dids", {"number": "+32251234567"}),
            (self.api, "POST", "/api/test-clock/advance", {"seconds": 1}),
            (self.api, "POST", "/api/calls/claim", claim),
            (self.api, "POST", "/api/call-events", {"events": []}),
            (worker, "GET", "/api/contacts", None),
            (worker, "GET", "/api/organization", None),
            (worker, "POST", "/api/contacts", {"primaryPhone": "+32251234567"}),
            (worker, "GET", "/api/program-executions", None),
            (worker, "GET", "/api/organizations", None),
            (worker, "POST", "/api/dids", {"number": "+32251234567"}),
            (self.admin, "POST", "/api/calls/claim", claim),
        ]
        for client, method, path, body in forbidden:
            with self.subTest(method=method, path=path):
                raw = None if body is None else json.dumps(body).encode()
                self.fails(client.request(method, path, raw=raw), 403, "ForbiddenError")

    def test_an_admin_acts_on_an_organisation_that_a_header_names(self):
        acting = self.admin.for_organisation(self.one.id)
        self.assertEqual(acting.read("/api/organization")["id"], self.one.id)
        contact = acting.create("/api/contacts", {"primaryPhone": self.daemon.phone()})
        self.assertEqual(self.api.read(f"/api/contacts/{contact['id']}")["id"], contact["id"])
        for other in (unknown_id(), "nobody", self.one.id + "0"):
            self.fails(self.admin.for_organisation(other).get("/api/contacts"),
                       404, "OrganizationNotFoundError")

    def test_an_admin_without_the_header_has_no_organisation(self):
        response = self.admin.get("/api/contacts")
        self.assertIn((response.status, response.json["error"]),
                      ((400, "ValidationError"), (403, "ForbiddenError")))

    def test_the_header_does_not_lead_an_org_key_into_another_organisation(self):
        other = self.org()
        other.contact()
        response = self.api.get("/api/contacts", headers={"X-Organization-Id": other.id})
        if response.status == 200:
            self.assertEqual(response.json["data"], [])
        else:
            self.assertIn(response.status, (400, 403, 404))


class Times(Shared):
    def program(self, **fields):
        return self.api.post("/api/programs", self.one.program_body(**fields))

    def test_any_offset_comes_in_and_utc_with_milliseconds_goes_out(self):
        for given, shown in {
                "2026-11-23T20:53:57.123Z": "2026-11-23T20:53:57.123Z",
                "2026-11-23T20:53:57Z": "2026-11-23T20:53:57.000Z",
                "2026-11-23T21:53:57.5+01:00": "2026-11-23T20:53:57.500Z",
                "2026-11-24T00:00:00.000-05:30": "2026-11-24T05:30:00.000Z",
                "2026-12-01T00:30:00.001+14:00": "2026-11-30T10:30:00.001Z",
                "2028-02-29T12:00:00+00:00": "2028-02-29T12:00:00.000Z",
        }.items():
            with self.subTest(given=given):
                program = expect(self.program(startAt=given), 201)
                self.assertEqual(program["startAt"], shown)

    def test_a_time_without_an_offset_or_none_at_all_is_a_fault(self):
        for given in ("2026-11-23T20:53:57", "2026-11-23T20:53:57.123", "2026-11-23", "tomorrow",
                      "", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-11-23T25:00:00Z",
                      "2026-11-23T20:60:00Z", "2026-11-23T20:53:57+99:00", 1795463637, True, {},
                      "2026-11-23T20:53:57Z ", "99999-01-01T00:00:00Z"):
            with self.subTest(given=given):
                self.invalid(self.program(startAt=given), "startAt")

    def test_records_carry_their_times(self):
        now = self.daemon.now()
        contact = self.one.contact()
        self.assertEqual((contact["createdAt"], contact["updatedAt"]), (now, now))
        self.daemon.advance(1)
        changed = self.api.change(f"/api/contacts/{contact['id']}", {"firstName": "Ada"})
        self.assertEqual(changed["createdAt"], now)
        self.assertEqual((parse_time(changed["updatedAt"]) - parse_time(now)).total_seconds(), 1)


class Ids(Shared):
    def test_an_unknown_or_malformed_id_is_the_404_of_its_resource(self):
        for path, error in RESOURCES.items():
            for wrong in (unknown_id(), "1", "nonsense", "0" * 36, unknown_id() + "0",
                          "%2e%2e", "a" * 300):
                with self.subTest(path=path, id=wrong):
                    told = self.fails(self.api.get(path.format(wrong)), 404, error)["message"]
                    self.assertRegex(told, rf"^[A-Za-z ]+ {re.escape(wrong[:64])} not found$")

    def test_the_same_with_every_method(self):
        for wrong in (unknown_id(), "nonsense"):
            for method, path, body, error in (
                    ("PATCH", "contacts/{}", {"firstName": "x"}, "ContactNotFoundError"),
                    ("DELETE", "contacts/{}", None, "ContactNotFoundError"),
                    ("PATCH", "audiences/{}", {"name": "x"}, "AudienceNotFoundError"),
                    ("DELETE", "audiences/{}", None, "AudienceNotFoundError"),
                    ("POST", "audiences/{}/contacts", {"contactIds": [unknown_id()]},
                     "AudienceNotFoundError"),
                    ("DELETE", "audiences/{}/contacts", {"contactIds": [unknown_id()]},
                     "AudienceNotFoundError"),
                    ("PATCH", "flows/{}", {"name": "x"}, "FlowNotFoundError"),
                    ("DELETE", "flows/{}", None, "FlowNotFoundError"),
                    ("DELETE", "custom-attributes/{}", None, "CustomAttributeNotFoundError"),
                    ("PATCH", "programs/{}", {"name": "x"}, "ProgramNotFoundError"),
                    ("DELETE", "programs/{}", None, "ProgramNotFoundError"),
                    ("POST", "programs/{}/launch", None, "ProgramNotFoundError"),
                    ("PATCH", "program-executions/{}/pause", None, "ExecutionNotFoundError"),
                    ("PATCH", "program-executions/{}/resume", None, "ExecutionNotFoundError"),
                    ("DELETE", "program-executions/{}", None, "ExecutionNotFoundError")):
                with self.subTest(method=method, path=path, id=wrong):
                    raw = None if body is None else json.dumps(body).encode()
                    self.fails(self.api.request(method, "/api/" + path.format(wrong), raw=raw),
                               404, error)

    def test_ids_are_made_by_the_server(self):
        self.assert_id(self.one.contact()["id"])
        self.invalid(self.api.post("/api/contacts", {
            "id": unknown_id(), "primaryPhone": self.daemon.phone()}), "id")


class Bodies(Shared):
    def raw(self, text, path="/api/contacts", method="POST", **options):
        data = text if isinstance(text, bytes) else text.encode()
        return self.api.request(method, path, raw=data, **options)

    def test_unknown_properties_are_named(self):
        self.invalid(self.api.post("/api/contacts", {
            "primaryPhone": self.daemon.phone(), "nickname": "Ada", "PrimaryPhone": "+32251111111"}),
            "nickname", "PrimaryPhone")
        self.invalid(self.api.post("/api/programs", self.one.program_body(
            pacing={"callsPerMinute": 3})), "pacing.callsPerMinute")
        self.invalid(self.api.post("/api/contacts/upsert", {"data": [
            {"primaryPhone": self.daemon.phone()},
            {"primaryPhone": self.daemon.phone(), "nickname": "Ada"}]}), "data[1].nickname")
        contact = self.one.contact()
        self.invalid(self.api.patch(f"/api/contacts/{contact['id']}", {"age": 3}), "age")

    def test_duplicate_keys_are_refused(self):
        phone = self.daemon.phone()
        self.invalid(self.raw(f'{{"primaryPhone": "{phone}", "primaryPhone": "{phone}"}}'))
        self.invalid(self.raw(
            f'{{"primaryPhone": "{phone}", "customAttributes": {{"a": 1, "\\u0061": 2}}}}'))

    def test_text_must_be_utf8_without_nul(self):
        phone = self.daemon.phone().encode()
        for bad in (b"\xff", b"\xc3", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x00",
                    b"\\u0000", b"\\ud800", b"a\nb", b"\\x"):
            with self.subTest(bad=bad):
                self.invalid(self.raw(
                    b'{"primaryPhone": "' + phone + b'", "firstName": "' + bad + b'"}'))
        good = self.raw(b'{"primaryPhone": "' + phone
                        + b'", "firstName": "Zo\xc3\xab \\ud83d\\ude00 \xf0\x9f\x98\x80"}')
        self.assertEqual(expect(good, 201)["firstName"], "Zoë 😀 😀")

    def test_numbers_must_be_in_range(self):
        for bad in ("1e400", "-1e999", "99999999999999999999", "1e3", "1.5", "0", "-1", "100001",
                    "01", "+1", "NaN", "Infinity", ".5", "1.", '"1"', "true", "null"):
            with self.subTest(number=bad):
                body = json.dumps(self.one.program_body())[:-1]
                response = self.raw(
                    body + f', "pacing": {{"maxConcurrentCalls": {bad}}}}}', "/api/programs")
                if bad == "null":  # an optional one that is not given
                    expect(response, 201)
                elif bad == "1e3":  # an integer, however it is written
                    self.assertEqual(
                        expect(response, 201)["pacing"]["maxConcurrentCalls"], 1000)
                else:
                    self.invalid(response)

    def nested(self, depth):
        """A flow whose body nests so deep: the body, nodes, the node, and arrays in it."""
        inner = "[" * (depth - 3) + "]" * (depth - 3)
        return f'{{"name": "deep", "nodes": [{{"id": "a", "type": "say", "x": {inner}}}]}}'

    def test_nesting_deeper_than_32_is_refused(self):
        expect(self.raw(self.nested(32), "/api/flows"), 201)
        self.invalid(self.raw(self.nested(33), "/api/flows"))
        self.invalid(self.raw("[" * 33 + "]" * 33))
        self.invalid(self.raw("[" * 100000))

    def test_a_body_must_be_there_and_be_an_object(self):
        for text in ("", " ", "[]", "null", "3", '"x"', "true", "{", "}", "{]", "{} {}", "{},",
                     "{'a': 1}", '{"a" 1}', '{"a": }', '{"a": 1,}', "// x\n{}", "\ufeff{}"):
            with self.subTest(body=text):
                self.invalid(self.raw(text))
        self.invalid(self.api.post("/api/contacts"))
        self.invalid(self.api.post("/api/organizations") if self.api is self.admin
                     else self.admin.post("/api/organizations"))

    def test_every_fault_is_listed_at_once(self):
        self.invalid(self.api.post("/api/programs", {
            "name": "", "flowId": 3, "didPool": [], "mode": "manual", "startAt": "soon",
            "retryStrategy": {"type": "fixed_delay", "delayMinutes": 0, "maxRetries": 21},
            "pauseWindows": {"funday": [], "monday": [
                {"startAt": {"hour": 24, "minute": 0}, "endAt": {"hour": 1, "minute": 60}}]},
            "pacing": {"maxConcurrentCalls": 0, "callsPerSecond": 0}, "extra": 1}),
            "name", "flowId", "didPool", "mode", "startAt", "retryStrategy.delayMinutes",
            "retryStrategy.maxRetries", "pauseWindows.funday",
            "pauseWindows.monday[0].startAt.hour", "pauseWindows.monday[0].endAt.minute",
            "pacing.maxConcurrentCalls", "pacing.callsPerSecond", "extra")
        self.invalid(self.api.post("/api/contacts/upsert", {"data": [
            {"primaryPhone": "x"}, {"primaryPhone": self.daemon.phone()}, {"firstName": 3}]}),
            "data[0].primaryPhone", "data[2].primaryPhone", "data[2].firstName")

    def test_patch_changes_what_is_present_and_null_clears(self):
        contact = self.one.contact(firstName="Ada", lastName="Lovelace", primaryEmail="ada@x.org")
        path = f"/api/contacts/{contact['id']}"
        changed = self.api.change(path, {"firstName": "Augusta", "primaryEmail": None})
        self.assertEqual((changed["firstName"], changed["lastName"], changed["primaryEmail"]),
                         ("Augusta", "Lovelace", None))
        self.assertEqual(self.api.read(path), changed)
        self.invalid(self.api.patch(path, {"primaryPhone": None}), "primaryPhone")
        same = self.api.change(path, {})
        self.assertEqual({**same, "updatedAt": 0}, {**changed, "updatedAt": 0})

    def test_a_failed_patch_changes_nothing(self):
        contact = self.one.contact(firstName="Ada")
        path = f"/api/contacts/{contact['id']}"
        self.invalid(self.api.patch(path, {"firstName": "Eve", "lastName": 3}), "lastName")
        self.assertEqual(self.api.read(path), contact)

    def test_a_body_over_the_limit_is_413(self):
        head = (f"POST /api/contacts HTTP/1.1\r\nHost: x\r\nX-API-Key: {self.one.key}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {8 * 1024 * 1024 + 1}\r\n\r\n")
        self.fails(self.daemon.raw(head.encode()), 413, "PayloadTooLargeError")
        filler = " " * (8 * 1024 * 1024 - 200)
        expect(self.raw(f'{{"primaryPhone": "{self.daemon.phone()}"{filler}}}'), 201)

    def test_a_body_that_is_not_json_is_415(self):
        body = json.dumps({"primaryPhone": self.daemon.phone()})
        for kind in ("text/plain", "application/x-www-form-urlencoded", "application/xml",
                     "multipart/form-data; boundary=x", "text/csv", "application/jsonp"):
            with self.subTest(type=kind):
                self.fails(self.raw(body, headers={"Content-Type": kind}),
                           415, "UnsupportedMediaTypeError")
        for kind in ("application/json", "application/json; charset=utf-8",
                     "application/JSON;charset=UTF-8"):
            with self.subTest(type=kind):
                expect(self.raw(json.dumps({"primaryPhone": self.daemon.phone()}),
                                headers={"Content-Type": kind}), 201)

    def test_a_body_with_a_content_encoding_is_415(self):
        body = json.dumps({"primaryPhone": self.daemon.phone()})
        for coding in ("gzip", "deflate", "br", "identity, gzip"):
            with self.subTest(coding=coding):
                self.fails(self.raw(body, headers={"Content-Encoding": coding}),
                           415, "UnsupportedMediaTypeError")
                self.fails(self.raw("primaryPhone\n", path="/api/contacts/import", headers={
                    "Content-Type": "text/csv", "Content-Encoding": coding}),
                    415, "UnsupportedMediaTypeError")
        expect(self.raw(body, headers={"Content-Encoding": "Identity"}), 201)


class Lists(Shared):
    def test_newest_first_with_twenty_to_a_page(self):
        made = [self.one.contact()["id"] for _ in range(23)]
        first = self.api.read("/api/contacts")
        self.assertEqual([row["id"] for row in first["data"]], made[:2:-1])
        self.assertEqual(set(first), {"data", "nextCursor"})
        second = self.api.read(f"/api/contacts?cursor={first['nextCursor']}")
        self.assertEqual([row["id"] for row in second["data"]], made[2::-1])
        self.assertIsNone(second["nextCursor"])

    def test_an_empty_list(self):
        self.assertEqual(self.api.read("/api/programs"), {"data": [], "nextCursor": None})

    def test_the_last_page_may_be_full(self):
        made = [self.one.flow()["id"] for _ in range(4)]
        rows = self.api.pages("/api/flows", limit=2)
        self.assertEqual([row["id"] for row in rows], made[::-1])

    def test_limit_is_1_to_100(self):
        self.one.contacts(101)
        self.assertEqual(len(self.api.read("/api/contacts?limit=1")["data"]), 1)
        self.assertEqual(len(self.api.read("/api/contacts?limit=100")["data"]), 100)
        for bad in ("0", "101", "-1", "x", "", "1.5", "1e1", "99999999999999999999", "1%20"):
            with self.subTest(limit=bad):
                self.invalid(self.api.get(f"/api/contacts?limit={bad}"), "limit")

    def test_a_cursor_stays_valid_while_rows_are_added_and_removed(self):
        made = [self.one.contact()["id"] for _ in range(10)]
        first = self.api.read("/api/contacts?limit=3")
        self.assertEqual([row["id"] for row in first["data"]], made[:6:-1])
        self.api.remove(f"/api/contacts/{made[7]}")  # the row on which the cursor stands
        self.api.remove(f"/api/contacts/{made[5]}")  # one that is still to come
        self.api.remove(f"/api/contacts/{made[9]}")  # one that has been shown
        self.one.contact()
        second = self.api.read(f"/api/contacts?limit=3&cursor={first['nextCursor']}")
        self.assertEqual([row["id"] for row in second["data"]], [made[6], made[4], made[3]])
        for gone in (made[3], made[2]):
            self.api.remove(f"/api/contacts/{gone}")
        third = self.api.read(f"/api/contacts?limit=3&cursor={second['nextCursor']}")
        self.assertEqual([row["id"] for row in third["data"]], [made[1], made[0]])
        # A cursor can be used again.
        again = self.api.read(f"/api/contacts?limit=3&cursor={first['nextCursor']}")
        self.assertEqual([row["id"] for row in again["data"]], [made[6], made[4], made[1]])

    def test_a_page_of_much_ends_early_and_goes_on(self):
        windows = {"advanced": [{"startAt": later("2026-11-01T00:00:00.000Z", hours=hour),
                                 "endAt": later("2026-11-01T00:00:00.000Z", hours=hour + 1)}
                                for hour in range(1000)]}
        made = [self.one.program(pauseWindows=windows)["id"] for _ in range(5)]
        first = self.api.read("/api/programs?limit=100")
        self.assertIn(len(first["data"]), range(1, 5))
        self.assertIsNotNone(first["nextCursor"])
        self.assertEqual([program["id"] for program in self.api.pages("/api/programs")],
                         made[::-1])

    def test_a_bad_cursor_is_a_fault(self):
        self.one.contacts(3)
        good = self.api.read("/api/contacts?limit=1")["nextCursor"]
        flipped = good[:-1] + ("A" if good[-1] != "A" else "B")
        for bad in ("x", "", "%01", "AAAA", good[:-1], good + "A", flipped, "a" * 5000):
            with self.subTest(cursor=bad):
                self.invalid(self.api.get(f"/api/contacts?cursor={bad}"), "cursor")

    def test_every_list_pages_the_same_way(self):
        dids = [self.one.did()["id"] for _ in range(2)]
        audience = self.one.audience(3)
        for _ in range(3):
            self.one.audience()
            self.one.flow()
            self.one.program(audienceId=audience["id"], didPool=dids)
            self.api.create("/api/custom-attributes",
                            {"name": f"a{self.daemon.phone()[1:]}", "type": "string"})
        keys = f"/api/organizations/{self.one.id}/api-keys"
        for _ in range(2):
            self.admin.create(keys, {"name": "x", "role": "org"})
        programs = self.api.pages("/api/programs")
        for program in programs[:2]:
            execution = self.one.launch(program)
            self.one.wait_counts(execution, total=3)
            self.one.cancel(execution)
        execution = self.one.launch(programs[2])
        self.one.wait_counts(execution, total=3)
        for client, path, at_least in (
                (self.api, "/api/contacts", 3), (self.api, "/api/audiences", 4),
                (self.api, f"/api/audiences/{audience['id']}/contacts", 3),
                (self.api, "/api/flows", 3), (self.api, "/api/dids", 2),
                (self.api, "/api/custom-attributes", 3), (self.api, "/api/programs", 3),
                (self.api, "/api/program-executions", 1),
                (self.api, "/api/program-executions?status=cancelled", 2),
                (self.api, f"/api/programs/{programs[2]['id']}/executions", 1),
                (self.api, f"/api/program-executions/{execution}/contacts", 3),
                (self.admin, "/api/organizations", 2), (self.admin, keys, 3)):
            with self.subTest(path=path):
                whole = client.pages(path)
                self.assertGreaterEqual(len(whole), at_least)
                self.assertEqual(client.pages(path, limit=1)[:20], whole[:20])
                mark = "&" if "?" in path else "?"
                self.invalid(client.get(f"{path}{mark}cursor=nonsense"), "cursor")
                self.invalid(client.get(f"{path}{mark}limit=0"), "limit")

    def test_an_unknown_query_parameter_is_a_fault(self):
        self.invalid(self.api.get("/api/contacts?page=2"), "page")
        self.invalid(self.api.get("/api/programs?status=nonsense"), "status")
        self.invalid(self.api.get("/api/programs?mode=nonsense"), "mode")
        self.invalid(self.api.get("/api/program-executions?status=nonsense"), "status")


class RequestIds(Shared):
    def test_every_response_has_one(self):
        seen = set()
        for response in (self.api.get("/api/contacts"), self.api.get("/api/nowhere"),
                         self.daemon.client().get("/api/contacts"),
                         self.daemon.client().get("/healthz"), self.api.post("/api/contacts")):
            self.assertTrue(response.headers["X-Request-Id"])
            seen.add(response.headers["X-Request-Id"])
        self.assertEqual(len(seen), 5)

    def test_a_sane_one_of_the_client_is_kept(self):
        for sane in ("abc", "A-1_b.2", "x" * 64):
            response = self.api.get("/api/nowhere", headers={"X-Request-Id": sane})
            self.assertEqual(response.headers["X-Request-Id"], sane)
            self.assertEqual(response.json["requestId"], sane)

    def test_an_insane_one_is_replaced(self):
        for insane in ("", "a b", "x" * 65, "a;b", 'a"b', "é".encode().decode("latin-1"), "<x>"):
            with self.subTest(id=insane):
                response = self.api.get("/api/contacts", headers={"X-Request-Id": insane})
                self.assertNotEqual(response.headers["X-Request-Id"], insane)
                self.assertRegex(response.headers["X-Request-Id"], r"^[A-Za-z0-9_.-]{1,64}$")


class Routes(Shared):
    def test_an_unknown_path_is_404(self):
        for path in ("/api/nowhere", "/api", "/api/", "/nowhere", "/", "/api/contacts/",
                     "/api/contacts/a/b/c", "/api/Contacts", "/api/organization/x"):
            with self.subTest(path=path):
                self.fails(self.api.get(path), 404, "RouteNotFoundError")

    def test_another_method_is_405_and_allow_tells_which(self):
        for method, path, allowed in (
                ("PUT", "/api/contacts", {"GET", "POST"}),
                ("DELETE", "/api/contacts", {"GET", "POST"}),
                ("PATCH", "/api/contacts", {"GET", "POST"}),
                ("POST", f"/api/contacts/{unknown_id()}", {"GET", "PATCH", "DELETE"}),
                ("PUT", f"/api/contacts/{unknown_id()}", {"GET", "PATCH", "DELETE"}),
                ("GET", "/api/calls/claim", {"POST"}),
                ("GET", f"/api/programs/{unknown_id()}/launch", {"POST"}),
                ("POST", f"/api/program-executions/{unknown_id()}/pause", {"PATCH"}),
                ("POST", f"/api/program-executions/{unknown_id()}", {"GET", "DELETE"}),
                ("POST", "/healthz", {"GET"})):
            with self.subTest(method=method, path=path):
                response = self.api.request(method, path)
                self.fails(response, 405, "MethodNotAllowedError")
                named = {word.strip() for word in response.headers["Allow"].split(",")}
                self.assertEqual(named - {"HEAD", "OPTIONS"}, allowed)

    def test_answers_are_json(self):
        for response in (self.api.get("/api/contacts"), self.api.get("/api/nowhere"),
                         self.api.post("/api/audiences", {"name": "x"})):
            self.assertEqual(response.headers["Content-Type"], "application/json; charset=utf-8")

    def test_an_answer_of_204_has_no_body(self):
        contact = self.one.contact()
        response = self.api.delete(f"/api/contacts/{contact['id']}")
        self.assertEqual((response.status, response.json), (204, None))


class Wire(Shared):
    """Requests as bytes: what no client library would send."""

    def ask(self, text):
        return self.daemon.raw(text.replace("KEY", self.one.key).encode("latin-1"))

    def test_two_requests_on_one_connection_are_answered_in_order(self):
        request = (f"GET /api/organization HTTP/1.1\r\nHost: x\r\nX-API-Key: {self.one.key}\r\n"
                   "X-Request-Id: {}\r\n\r\n")
        with self.daemon.connect() as connection:
            connection.sendall((request.format("first") + request.format("second")).encode())
            file = connection.makefile("rb")
            text = b""
            while text.count(b'"createdAt"') < 2:
                line = file.read1(65536)
                self.assertTrue(line, text)
                text += line
        self.assertLess(text.index(b"first"), text.index(b"second"))

    def test_a_request_may_come_byte_by_byte(self):
        body = json.dumps({"primaryPhone": self.daemon.phone()})
        text = (f"POST /api/contacts HTTP/1.1\r\nHost: x\r\nX-API-Key: {self.one.key}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}")
        with self.daemon.connect() as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for letter in text.encode():
                connection.sendall(bytes([letter]))
            expect(read_response(connection), 201)

    def test_what_could_be_smuggled_is_refused(self):
        for name, text in {
                "two lengths": "Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}",
                "a length that is none": "Content-Length: +2\r\n\r\n{}",
                "a length with a space inside": "Content-Length: 1 2\r\n\r\n{}",
                "two keys": "Content-Length: 0\r\nX-API-Key: other\r\n\r\n",
                "a space before the colon": "X-Thing : 1\r\nContent-Length: 0\r\n\r\n",
                "a folded header": "X-Thing: 1\r\n 2\r\nContent-Length: 0\r\n\r\n",
                "a NUL in a header": "X-Thing: a\0b\r\nContent-Length: 0\r\n\r\n",
        }.items():
            with self.subTest(name):
                response = self.ask("POST /api/audiences HTTP/1.1\r\nHost: x\r\nX-API-Key: KEY\r\n"
                                    "Content-Type: application/json\r\n" + text)
                self.assertEqual(response.status, 400, response.json)
                self.assertIn("error", response.json)
        self.assertEqual(self.api.read("/api/audiences")["data"], [])

    def test_a_nul_in_the_target_is_refused(self):
        for path in ("/api/contacts/%00", "/api/contacts?limit=1%00", "/%00", "/api/%00/contacts"):
            with self.subTest(path=path):
                response = self.api.get(path)
                self.assertEqual(response.status, 400)
                self.assertIn("error", response.json)

    def test_a_request_without_a_host_is_refused(self):
        response = self.ask("GET /api/organization HTTP/1.1\r\nX-API-Key: KEY\r\n\r\n")
        self.assertEqual(response.status, 400)

    def test_a_chunked_body_is_read(self):
        body = json.dumps({"name": "chunked"})
        response = self.ask(
            "POST /api/audiences HTTP/1.1\r\nHost: x\r\nX-API-Key: KEY\r\n"
            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            f"{len(body):x}\r\n{body}\r\n0\r\n\r\n")
        self.assertEqual(response.status, 201)

    def test_a_chunk_size_without_an_end_is_cut_off(self):
        response = self.ask(
            "POST /api/audiences HTTP/1.1\r\nHost: x\r\nX-API-Key: KEY\r\n"
            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + "1" * 10000)
        self.assertIn(response.status, (400, 413))

    def test_a_client_that_expects_100_continue(self):
        body = json.dumps({"name": "large"})
        with self.daemon.connect() as connection:
            connection.sendall((
                f"POST /api/audiences HTTP/1.1\r\nHost: x\r\nX-API-Key: {self.one.key}\r\n"
                f"Expect: 100-continue\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n").encode())
            self.assertTrue(connection.recv(1000).startswith(b"HTTP/1.1 100 "))
            connection.sendall(body.encode())
            expect(read_response(connection), 201)

    def test_an_unknown_method_gets_an_error_in_json(self):
        response = self.ask("PROPFIND /api/contacts HTTP/1.1\r\nHost: x\r\nX-API-Key: KEY\r\n\r\n")
        self.assertIn(response.status, (400, 405, 501))
        self.assertIn("error", response.json)

    def test_headers_without_end_are_refused(self):
        response = self.ask("GET /api/contacts HTTP/1.1\r\nHost: x\r\n" + "X-A: b\r\n" * 20000)
        self.assertIn(response.status, (400, 413, 431))

    def test_more_than_100_headers_are_refused(self):
        response = self.ask("GET /api/contacts HTTP/1.1\r\nHost: x\r\n" + "a:\r\n" * 100 + "\r\n")
        self.assertEqual(response.status, 431)


class TwoClients(Shared):
    def test_many_connections_at_once(self):
        clients = [Client(self.daemon, self.one.key) for _ in range(100)]
        for client in clients:
            self.assertEqual(client.read("/api/organization")["id"], self.one.id)
        for client in clients:
            client.close()

    def test_organisations_of_one_daemon_do_not_mix(self):
        other = Organisation(self.daemon)
        contact = self.one.contact()
        self.fails(other.api.get(f"/api/contacts/{contact['id']}"), 404, "ContactNotFoundError")


if __name__ == "__main__":
    main()
