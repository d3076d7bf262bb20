"""api.md, "Operations": the contract as a document, and the page that shows it."""

import copy
import json
import random
import re
import unittest

import contract
import jsonschema
from outdial_daemon import Story, expect, main, read_response


class Reference(Story):
    share_daemon = True

    def setUp(self):
        super().setUp()
        self.anybody = self.daemon.client()

    def test_the_contract_is_served_to_anybody(self):
        response = self.anybody.get("/api/openapi.json")
        served = expect(response, 200)
        self.assertEqual(response.headers["Content-Type"], "application/json; charset=utf-8")
        self.assertEqual(served["openapi"], "3.1.0")
        self.assertEqual(served, json.loads(json.dumps(contract.source())))

    def test_each_schema_and_example_is_good(self):
        count = 0
        for path, item in contract.document()["paths"].items():
            for method, operation in item.items():
                if method == "parameters":
                    continue
                for status, response in operation["responses"].items():
                    content = contract.resolve(response).get("content", {})
                    for media in content.values():
                        count += contract.check_examples(f"{method} {path} {status}", media)
                for media in operation.get("requestBody", {}).get("content", {}).values():
                    count += contract.check_examples(f"{method} {path}", media)
        self.assertGreater(count, 300)

    def test_a_client_that_has_it_is_told_so(self):
        for path in ("/api/openapi.json", "/docs", "/docs/viewer.js"):
            for encoding in (None, "gzip"):
                with self.subTest(path=path, encoding=encoding):
                    first = self.anybody.get(path, headers={"Accept-Encoding": encoding})
                    etag = first.headers["ETag"]
                    again = self.anybody.get(path, headers={
                        "Accept-Encoding": encoding, "If-None-Match": f'"other", {etag}'})
                    self.assertEqual((again.status, again.json), (304, None))
                    self.assertEqual(again.headers["ETag"], etag)
                    other = self.anybody.get(path, headers={"If-None-Match": '"other"'})
                    self.assertEqual(other.status, 200)

    def test_compressed_where_the_client_takes_it(self):
        for path in ("/api/openapi.json", "/docs", "/docs/viewer.js", "/docs/docs.css"):
            with self.subTest(path=path):
                plain = self.anybody.get(path)
                packed = self.anybody.get(path, headers={"Accept-Encoding": "br, gzip;q=0.5"})
                refused = self.anybody.get(path, headers={"Accept-Encoding": "gzip;q=0"})
                self.assertIsNone(plain.headers["Content-Encoding"])
                self.assertIsNone(refused.headers["Content-Encoding"])
                self.assertEqual(packed.headers["Content-Encoding"], "gzip")
                self.assertEqual(packed.json, plain.json)
                self.assertLess(int(packed.headers["Content-Length"]),
                                int(plain.headers["Content-Length"]))
                self.assertNotEqual(packed.headers["ETag"], plain.headers["ETag"])
                for response in (plain, packed):
                    self.assertEqual(response.headers["Vary"], "Accept-Encoding")
                    self.assertEqual(response.headers["X-Content-Type-Options"], "nosniff")

    def test_the_page_has_all_it_needs_from_this_host(self):
        page = self.anybody.get("/docs")
        self.assertEqual(page.headers["Content-Type"], "text/html; charset=utf-8")
        self.assertEqual(page.headers["Cache-Control"], "no-cache")
        policy = dict(rule.strip().split(" ", 1)
                      for rule in page.headers["Content-Security-Policy"].split(";"))
        self.assertEqual(policy["default-src"], "'none'")
        self.assertLessEqual({source for rule in policy.values() for source in rule.split()},
                             {"'none'", "'self'", "data:"})
        self.assertEqual(policy["script-src"], "'self'")
        self.assertNotIn("http:", page.json)
        self.assertNotIn("https:", page.json)
        loaded = re.findall(r'(?:src|href)="(/docs/[^"]+)"', page.json)
        self.assertEqual(len(loaded), 3, page.json)
        for path in loaded:
            file = self.anybody.get(path)
            self.assertEqual(file.status, 200)
            self.assertEqual(file.headers["Cache-Control"], "public, max-age=31536000, immutable")
            self.assertIn(file.headers.get_content_type(), ("text/javascript", "text/css"))
        self.assertNotIn("@import", self.anybody.get("/docs/docs.css").json)

    def test_a_file_of_another_version_is_not_kept(self):
        file = self.anybody.get("/docs/docs.js?v=0123456789abcdef0123456789abcdef")
        self.assertEqual(file.headers["Cache-Control"], "no-cache")
        self.invalid(self.anybody.get("/docs/docs.js?w=1"), "w")

    def test_they_are_only_read(self):
        for path in ("/api/openapi.json", "/docs", "/docs/viewer.js"):
            response = self.anybody.post(path, {})
            self.fails(response, 405, "MethodNotAllowedError")
            self.assertEqual(response.headers["Allow"], "GET")
        self.fails(self.anybody.get("/docs/other.js"), 404, "RouteNotFoundError")

    def test_a_client_that_reads_nothing_harms_nobody(self):
        with self.daemon.connect() as connection:
            connection.sendall(b"GET /docs/viewer.js HTTP/1.1\r\nHost: x\r\n\r\n" * 8)
            expect(self.admin.get("/api/test-clock"), 200)
            first = read_response(connection, "GET")
            self.assertEqual(first.status, 200)


class Contract(Story):
    """The check of every response can fail."""

    share_daemon = True

    def breach(self, text, status=200, body=None, path="/api/test-clock", **headers):
        sent = {"X-Request-Id": "a", "Content-Type": "application/json; charset=utf-8", **headers}
        with self.assertRaisesRegex(contract.Breach, text):
            contract.check("GET", path, status, sent, body)

    def test_a_response_that_is_not_in_the_contract_is_a_breach(self):
        now = {"now": "2026-11-23T09:00:00.000Z"}
        self.breach(r"GET /api/test-clock: 202 is not in the contract", 202, now)
        self.breach(r"200: \$: .*more", body={**now, "more": 1})
        self.breach(r"200: \$: 'now' is a required property", body={})
        self.breach(r"200: \$\.now: .*does not match", body={"now": "2026-11-23T09:00:00Z"})
        self.breach(r"Content-Type", body=now, **{"Content-Type": "text/plain"})
        self.breach(r"Content-Type", body=now, **{"Content-Type": "application/json"})
        self.breach(r"X-Request-Id", body=now, **{"X-Request-Id": "a b"})
        self.breach(r"Retry-After is missing", 503, {
            "statusCode": 503, "error": "UnavailableError", "message": "x", "requestId": "a"})
        self.breach(r"404", 404, {
            "statusCode": 404, "error": "ContactNotFoundError", "message": "x", "requestId": "a"})
        self.breach(r"404 is not in the contract|RouteNotFoundError", 404, {
            "statusCode": 404, "error": "ContactNotFoundError", "message": "x", "requestId": "a"},
            path="/api/nothing")

    def test_a_client_of_these_tests_looks_at_every_response(self):
        document = contract.document()["paths"]["/api/test-clock"]["get"]["responses"]
        kept = document.pop("200")
        contract.forget()
        try:
            with self.assertRaises(contract.Breach):
                self.admin.get("/api/test-clock")
        finally:
            document["200"] = kept
            contract.forget()
        expect(self.admin.get("/api/test-clock"), 200)


TEXTS = ("", "x", "x" * 300, "GET", "monday", "2026-11-23", "2026-11-23T09:00:00.000Z", "+3225000001", "a b",
         "0f8fad5b-d9cb-469f-a165-70867728950e", "3", "\U0001f600")
VALUES = (*TEXTS, None, True, False, 0, 1, -1, 1.0, 1.5, 10 ** 6, 2 ** 53, [], {}, ["x", "x"], [1, 1.0],
          [True, 1], {"x": 1}, {"advanced": []})


class Samples:
    """Values that a schema allows, or nearly."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def of(self, node):
        if isinstance(node, bool):
            return self.random.choice(VALUES)
        if "const" in node or "enum" in node:
            return copy.deepcopy(self.random.choice(node.get("enum", [node.get("const")])))
        made = {}
        for part in (*node.get("allOf", ()), *(self.random.choice(node[key]) for key in ("oneOf", "anyOf")
                                               if key in node)):
            value = self.of(part)
            if not isinstance(value, dict):
                return value
            made.update(value)
        kinds = node.get("type", "object" if made or "properties" in node else "any")
        kind = self.random.choice(kinds) if isinstance(kinds, list) else kinds
        return self.of_kind(kind, node, made)

    def of_kind(self, kind, node, made):
        if kind == "object":
            for name, part in node.get("properties", {}).items():
                if name in node.get("required", ()) or self.random.random() < 0.8:
                    made[name] = self.of(part)
            return made
        if kind == "array":
            return [self.of(node.get("items", True))
                    for _ in range(max(node.get("minItems", 0), self.random.randint(0, 2)))]
        if kind == "string":
            fitting = [text for text in TEXTS if re.search(node.get("pattern", ""), text)
                       and len(text) >= node.get("minLength", 0)]
            return self.random.choice(fitting or TEXTS)
        if kind in ("integer", "number"):
            return self.random.choice([node.get("minimum", 1), node.get("maximum", 2), 1, 2.0])
        return {"null": None, "boolean": self.random.random() < 0.5}.get(
            kind, self.random.choice(VALUES))

    def changed(self, value):
        """The value with something else at one place."""
        value = copy.deepcopy(value)
        node = value
        while isinstance(node, (dict, list)) and node:
            key = self.random.choice(list(node) if isinstance(node, dict) else range(len(node)))
            if self.random.random() < 0.4 or not isinstance(node[key], (dict, list)):
                what = self.random.randrange(4)
                if what == 0:
                    del node[key]
                elif what == 1 and isinstance(node, dict):
                    node["unknown"] = node[key]
                else:
                    node[key] = self.random.choice(VALUES)
                return value
            node = node[key]
        return self.random.choice(VALUES)


class Judges(unittest.TestCase):
    """What judges the responses (fastjsonschema, of an older draft) is of one mind with jsonschema."""

    def agree(self, validator, slow, value):
        is_valid = validator.is_valid(value)
        self.assertEqual(is_valid, slow.is_valid(value), (validator.schema, value))
        return is_valid

    def test_on_every_schema_of_the_contract(self):
        samples = Samples(1)
        validators = contract.validators()
        self.assertGreater(len(validators), 100)
        good = bad = barren = 0
        for validator in validators:
            jsonschema.Draft202012Validator.check_schema(validator.schema)
            slow = validator.slow()
            verdicts = []
            for _ in range(5):
                value = samples.of(validator.schema)
                verdicts.append(self.agree(validator, slow, value))
                verdicts += [self.agree(validator, slow, samples.changed(value)) for _ in range(4)]
            good, bad = good + verdicts.count(True), bad + verdicts.count(False)
            barren += True not in verdicts
        self.assertGreater(good, 500)
        self.assertGreater(bad, 500)
        self.assertLess(barren, len(validators) / 5)


if __name__ == "__main__":
    main()
