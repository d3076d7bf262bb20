"""api.md, "Conventions", held against every operation of the contract as the daemon serves it. What single
resources do in the same matter is in test_conventions.py."""

import json
import os
import re

from outdial_daemon import MONDAY_NINE, NOTHING, Story, expect, main, unknown_id
from test_bad_input import Case

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
SANE = "req-1.A_b"


class EveryOperation(Case):
    def each(self):
        """(operation, client, path) of all operations that need a key."""
        for operation in self.document.operations:
            if operation.roles:
                ids = {**self.ids, "api_keys": unknown_id()}
                if operation.path.endswith("/triggers"):
                    ids["programs"] = self.live
                yield operation, self.client(operation), operation.fill(**ids)

    def options(self, operation):
        if not operation.takes_json():
            return operation.example()
        body = self.bodies.get(operation.name, operation.bodies["application/json"]["example"])
        return {"raw": json.dumps(body).encode(), "headers": {}}

    def test_another_method_is_405_and_allow_tells_which(self):
        allowed = {}
        for operation in self.document.operations:
            allowed.setdefault(operation.path, set()).add(operation.method)
        paths = {o.path: (self.client(o) or self.one.api, o) for o in self.document.operations}
        for path, methods in allowed.items():
            client, operation = paths[path]
            target = operation.fill(**{**self.ids, "api_keys": unknown_id()})
            for method in METHODS:
                if method in methods:
                    continue
                for body in (NOTHING, {"name": "x"}):
                    with self.subTest(path, method=method):
                        response = client.request(method, target, body)
                        self.fails(response, 405, "MethodNotAllowedError")
                        named = {word.strip() for word in response.headers["Allow"].split(",")}
                        self.assertEqual(named, methods)

    def test_a_malformed_id_is_the_404_of_its_resource(self):
        for operation, client, _ in self.each():
            for number, collection in enumerate(operation.collections):
                for wrong in ("1", "nonsense", "0" * 36, unknown_id() + "0", unknown_id()[:-1],
                              "{" + unknown_id() + "}", "%2e%2e", "a" * 300, "%F0%9F%98%80",
                              unknown_id().replace("-", "")):
                    ids = {**self.ids, "api_keys": unknown_id(),
                           collection.replace("-", "_"): wrong}
                    with self.subTest(operation.name, id=wrong):
                        self.fails(client.request(operation.method, operation.fill(**ids),
                                                  **self.options(operation)),
                                   404, operation.not_found()[number])

    def test_a_body_of_another_type_is_415(self):
        for operation, client, path in self.each():
            for kind in ("text/plain", "application/xml", "application/x-www-form-urlencoded",
                         "application/json; charset=latin1", "application/merge-patch+json", ""):
                if operation.bodies:
                    with self.subTest(operation.name, type=kind):
                        options = {"raw": b'{"name": "x"}', "headers": {"Content-Type": kind}}
                        self.fails(client.request(operation.method, path, **options),
                                   415, "UnsupportedMediaTypeError")

    def test_an_unknown_parameter_is_a_fault_and_nothing_is_done(self):
        for operation, client, path in self.each():
            if "api-keys" in operation.collections:
                continue
            with self.subTest(operation.name):
                self.invalid(client.request(operation.method, f"{path}?page=2&x",
                                            **self.options(operation)), "page", "x")

    def test_limit_and_cursor(self):
        lists = 0
        for operation, client, path in self.each():
            if "limit" not in operation.parameters:
                continue
            lists += 1
            with self.subTest(operation.name):
                for good in ("1", "100"):
                    page = expect(client.get(f"{path}?limit={good}"), 200)
                    self.assertEqual(set(page), {"data", "nextCursor"})
                    self.assertLessEqual(len(page["data"]), int(good))
                for bad in ("0", "101", "-1", "x", "", "1.5", "4294967297", "18446744073709551617"):
                    self.invalid(client.get(f"{path}?limit={bad}"), "limit")
                for bad in ("", "x", "A" * 60, "%00", "null"):
                    if bad != "%00":
                        self.invalid(client.get(f"{path}?cursor={bad}"), "cursor")
                self.invalid(client.get(f"{path}?limit=0&cursor=x"), "limit", "cursor")
        self.assertGreaterEqual(lists, 14)

    def test_a_key_of_idempotency_that_is_none(self):
        posts = 0
        for operation, client, path in self.each():
            if operation.method != "POST":
                continue
            posts += 1
            for bad in ("", "a b", "x" * 256, "\u00e9".encode().decode("latin-1"), "a\tb"):
                options = self.options(operation)
                options["headers"] = {**options.get("headers", {}), "Idempotency-Key": bad}
                with self.subTest(operation.name, key=bad):
                    self.invalid(client.request("POST", path, **options), "Idempotency-Key")
        self.assertGreaterEqual(posts, 14)

    def test_every_answer_has_the_clients_request_id(self):
        for operation, client, path in self.each():
            if "text/event-stream" in operation.answers:
                continue
            absent = operation.fill(**{**{name: unknown_id() for name in self.ids},
                                       "api_keys": unknown_id()})
            targets = [f"{path}?unknown=1"] + ([path] if operation.method == "GET" else [])
            targets += [absent] if operation.collections else []
            for target in targets:
                for who in (client, self.daemon.client()):
                    options = self.options(operation)
                    options["headers"] = {**options.get("headers", {}), "X-Request-Id": SANE}
                    with self.subTest(operation.name, target=target):
                        response = who.request(operation.method, target, **options)
                        self.assertEqual(response.headers["X-Request-Id"], SANE)
                        if response.status >= 400:
                            self.assertEqual(response.json["requestId"], SANE)

    def test_ids_are_uuids_in_either_case(self):
        for operation, client, path in self.each():
            if operation.is_json_read() and operation.collections and \
                    "api-keys" not in operation.collections:
                upper = re.sub("[0-9a-f-]{36}", lambda match: match[0].upper(), path)
                with self.subTest(operation.name):
                    self.assertEqual(client.get(upper).json.get("error"),
                                     client.get(path).json.get("error"))


class Made(Story):
    """What a 201 tells: the resource as it is read afterwards, and where."""

    share_daemon = True
    test_clock = MONDAY_NINE

    def test_location_leads_to_what_was_made(self):
        one = self.org()
        flow, did, audience = one.flow(), one.did(), one.audience(1)
        program = one.program_body(flowId=flow["id"], didPool=[did["id"]],
                                   audienceId=audience["id"])
        for client, path, body in (
                (self.admin, "/api/organizations", {"name": "x"}),
                (self.admin, "/api/dids", {"number": self.daemon.phone()}),
                (one.api, "/api/contacts", {"primaryPhone": self.daemon.phone()}),
                (one.api, "/api/audiences", {"name": "x"}),
                (one.api, "/api/flows", {"name": "x"}),
                (one.api, "/api/programs", program)):
            with self.subTest(path):
                response = client.post(path, body)
                made = expect(response, 201)
                self.assertEqual(response.headers["Location"], f"{path}/{made['id']}")
                self.assertEqual(client.read(response.headers["Location"]), made)
                self.assertEqual(client.pages(path)[0], made)
        made = one.api.pages("/api/programs")[0]
        response = one.api.post(f"/api/programs/{made['id']}/launch")
        execution = expect(response, 201)["executionId"]
        self.assertEqual(response.headers["Location"], f"/api/program-executions/{execution}")
        self.assertEqual(one.api.read(response.headers["Location"])["programId"], made["id"])


class Defects(Story):
    """A damaged row: a 500 that tells nothing internal, and all else goes on."""

    def flip(self, text):
        """Damages the row that has the text (or mends it again) while the daemon runs: it refuses
        to start on a store that is damaged."""
        with open(os.path.join(self.daemon.data, "data.mdb"), "r+b") as file:
            content = file.read()
            places = [match.start() for match in re.finditer(text, content)]
            self.assertTrue(places)
            for place in places:
                file.seek(place)
                file.write(bytes([content[place] ^ 1]))

    def test_an_internal_error_tells_nothing_internal(self):
        one = self.org()
        good, bad = one.contact(), one.contact(firstName="Unmistakable")
        self.flip(b"Unmistakable")
        for path in (f"/api/contacts/{bad['id']}", "/api/contacts"):
            body = self.fails(one.api.get(path), 500, "InternalError")
            self.assertNotRegex(body["message"], r"[a-z]+_[a-z]+|\.[ch]\b|/|row|store|corrupt|"
                                r"checksum|0x|" + bad["id"])
        self.assertEqual(one.api.read(f"/api/contacts/{good['id']}"), good)
        self.assertIn("cannot be read", self.daemon.log_tail())
        self.flip(b"Tnmistakable")
        self.assertEqual(one.api.read(f"/api/contacts/{bad['id']}"), bad)


if __name__ == "__main__":
    main()
