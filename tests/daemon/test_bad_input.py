"""Bad input: whatever a body is, the answer is a 400 or a 413 that names each fault by its path, nothing has
changed, and the daemon goes on. Every operation of the contract that takes a body is in here by itself."""

import json
import os
import re

import contract
from operations import Document
from outdial_daemon import Organisation, Story, expect, later, main

DEEP = 100_000
LIMIT = 8 * 1024 * 1024

SCALAR_FAULTS = {  # what stands for a value -> whether JSON has it at all
    b"1e400": "no double has it",
    b"-1e400": "no double has it",
    b"1" + b"0" * 400: "no integer has it",
    b"123456789012345678901234567890": "no integer has it",
    b'"a\\u0000b"': "NUL",
    b'"a\x00b"': "NUL",
    b'"\xff\xfe"': "bad UTF-8",
    b'"\xc0\xaf"': "overlong",
    b'"\xed\xa0\x80"': "a surrogate in UTF-8",
    b'"\\ud800"': "a lone surrogate",
    b'"\\udc00\\ud800"': "surrogates the wrong way round",
    b'"\\ud800\\u0041"': "half a pair",
    b'"\\uD83D"': "a lone surrogate",
    b'"a\nb"': "a line break in a string",
    b'"\\q"': "no escape",
    b"NaN": "no JSON", b"Infinity": "no JSON", b"undefined": "no JSON", b"0x10": "no JSON",
    b"[" * DEEP: "depth", b'{"a":' * DEEP: "depth",
    b"[" * DEEP + b"]" * DEEP: "depth",
    b"[" * 33 + b"]" * 33: "depth",
    b'{"a":' * 33 + b"1" + b"}" * 33: "depth",
    b'{"a": 1, "a": 1}': "a key twice",
    b'{"a": 1, "\\u0061": 2}': "a key twice",
    b'{"a": {"b": [{"c": 1, "c": 2}]}}': "a key twice",
    b'{"a\\u0000": 1}': "NUL in a key",
    b'{"\xff": 1}': "bad UTF-8 in a key",
    b"[" + b"1," * 200_001 + b"1]": "tokens",
    b"[" + b"{}," * 200_001 + b"{}]": "tokens",
}


def bodies_of(example):
    """Whole bodies that are none, made from a good one."""
    good = json.dumps(example).encode()
    inside = good[1:-1]
    yield "empty", b""
    yield "blank", b" \r\n\t"
    yield "a NUL", b"\x00"
    yield "bytes", bytes(range(256))
    yield "deep array", b"[" * DEEP
    yield "deep object", b'{"a":' * DEEP
    yield "deep and closed", b"[" * DEEP + b"]" * DEEP
    yield "an array", b"[" + good + b"]"
    yield "null", b"null"
    yield "a string", json.dumps("x" * 1000).encode()
    yield "two", good + good
    yield "cut off", good[:-1]
    yield "with a BOM", b"\xef\xbb\xbf" + good
    yield "UTF-16", good.decode().encode("utf-16")
    yield "a comma too many", b"{" + inside + (b"," if inside else b'"x":,') + b"}"
    yield "a comment", b"{/* */" + inside + b"}"
    yield "one quote", b"{'a': 1}"
    yield "an unknown key", b'{"\xf0\x9f\x98\x80": 1' + (b"," if inside else b"") + inside + b"}"
    yield "the prototype", b'{"__proto__": {}' + (b"," if inside else b"") + inside + b"}"
    yield "10,000 unknown keys", b"{" + b",".join(
        b'"x%d":1' % number for number in range(10_000)) + b"}"
    if inside:
        yield "every key twice", b"{" + inside + b", " + inside + b"}"
    yield "over the limit", b"{" + inside + b" " * LIMIT + b"}"


def values_in(node, path=()):
    """The way to every value in a body, and to itself."""
    yield path
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(
        node, list) else ()
    for key, value in pairs:
        yield from values_in(value, path + (key,))


MARK = "PUT-IT-HERE"


def with_value(example, path, raw):
    """The body's text with the raw bytes where the value at `path` was."""
    copy = json.loads(json.dumps(example))
    node = copy
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = MARK
    return json.dumps(copy).encode().replace(f'"{MARK}"'.encode(), raw)


def shown(path):
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else ("." if text else "") + key
    return text


class Case(Story):
    share_daemon = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        try:
            cls.document = Document(cls.daemon)
            cls.one = Organisation(cls.daemon)
            cls.fill()
        except BaseException:
            cls.tearDownClass()
            raise

    @classmethod
    def fill(cls):
        """Something behind every id, and bodies that name what there is."""
        one = cls.one
        attribute = one.api.create("/api/custom-attributes",
                                   {"name": "renewal_date", "type": "date"})
        one.api.create("/api/custom-attributes", {"name": "score", "type": "number"})
        contact, flow, did = one.contact(), one.flow(nodes=[
            {"id": "greet", "type": "say"}, {"id": "bye", "type": "hangup"},
            {"id": "complaint", "type": "menu"}]), one.did()
        audience = one.audience([contact])
        program = one.program(audienceId=audience["id"], flowId=flow["id"], didPool=[did["id"]],
                              startAt=later(cls.daemon.now(), days=30))
        execution = one.launch(program)
        live = one.program(audienceId=audience["id"], flowId=flow["id"], didPool=[did["id"]],
                           mode="live", triggerCondition={"attributeName": "renewal_date"})
        cls.live = live["id"]
        cls.ids = {"organizations": one.id, "contacts": contact["id"], "flows": flow["id"],
                   "dids": did["id"], "audiences": audience["id"], "programs": program["id"],
                   "program_executions": execution, "custom_attributes": attribute["id"]}
        cls.bodies = {
            "POST /api/audiences/{id}/contacts": {"contactIds": [contact["id"]]},
            "DELETE /api/audiences/{id}/contacts": {"contactIds": [contact["id"]]},
            "POST /api/dids": {"number": "+3225999999", "organizationId": one.id,
                               "status": "active"},
            "POST /api/contacts": {
                "primaryPhone": "+32470123456", "firstName": "Ada", "lastName": "L",
                "fullName": "Ada L", "primaryEmail": "a@b.org", "timezone": "Europe/Brussels",
                "doNotCall": False, "customAttributes": {"renewal_date": "2027-03-01", "score": 3}},
            "POST /api/contacts/upsert": {"data": [
                {"primaryPhone": "+32470123456", "customAttributes": {"score": 3}},
                {"primaryPhone": "+32470123457", "firstName": "Ada"}]},
            "POST /api/flows": {"name": "x", "startNode": "a", "nodes": [
                {"id": "a", "type": "say", "free": {"deep": [{"er": 1}], "text": "x", "n": 1.5}}]},
            "PATCH /api/flows/{id}": {"name": "x", "startNode": "a", "nodes": [
                {"id": "a", "type": "say", "free": {"deep": [{"er": 1}], "text": "x"}}]},
            "POST /api/programs": {**cls.program(flow, audience, did), "mode": "batch"},
            "PATCH /api/programs/{id}": {**cls.program(flow, audience, did), "status": "archived"},
        }

    @classmethod
    def program(cls, flow, audience, did):
        at = {"hour": 12, "minute": 0}
        return {
            "name": "x", "flowId": flow["id"], "didPool": [did["id"]],
            "audienceId": audience["id"], "startAt": "2027-01-01T00:00:00Z",
            "stopAt": "2027-02-01T00:00:00Z",
            "retryStrategy": {"type": "fixed_delay", "delayMinutes": 5, "maxRetries": 2},
            "pauseWindows": {"monday": [{"startAt": at, "endAt": {"hour": 14, "minute": 0}}],
                             "advanced": [{"startAt": "2027-01-02T00:00:00Z",
                                           "endAt": "2027-01-03T00:00:00Z"}]},
            "pacing": {"maxConcurrentCalls": 2, "callsPerSecond": 1.5}, "gateway": "worker"}

    def setUp(self):
        super().setUp()
        self.before = self.everything()
        self.log_size = os.path.getsize(self.daemon.log_path)

    def tearDown(self):
        self.assertEqual(self.everything(), self.before)
        with open(self.daemon.log_path, "rb") as file:
            file.seek(self.log_size)
            log = file.read()
        self.assertNotIn(b'"level":"error"', log)
        self.assertNotIn(b"PUT-IT-HERE", log)
        super().tearDown()

    def everything(self):
        """What there is, as far as a body can change it."""
        seen = {}
        for operation in self.document.operations:
            client = self.client(operation)
            if operation.is_json_read() and operation.roles and "test-clock" not in operation.path \
                    and "api-keys" not in operation.collections and client is not None:
                try:
                    path = operation.fill(**self.ids)
                except KeyError:
                    continue
                answer = client.get(path)
                seen[path] = {key: value for key, value in (answer.json or {}).items()
                              if key != "requestId"}
        return seen

    def client(self, operation):
        for role, client in (("org", self.one.api), ("admin", self.admin),
                             ("worker", self.daemon.client(self.daemon.worker_key()))):
            if role in operation.roles:
                return client
        return None

    def with_bodies(self):
        """(operation, client, path, a good body) of each operation that takes JSON."""
        for operation in self.document.operations:
            if operation.takes_json():
                example = self.bodies.get(
                    operation.name, operation.bodies["application/json"]["example"])
                yield operation, self.client(operation), operation.fill(**self.ids), example

    def send(self, client, operation, path, raw):
        return client.request(operation.method, path, raw=raw)

    def refused(self, response, *paths):
        """400, or 413 for what is too large. Nothing of the program, the machine or the body is in it."""
        if response.status == 413:
            body = self.fails(response, 413, "PayloadTooLargeError")
        else:
            body = self.invalid(response, *paths)
        text = json.dumps(body)
        self.assertLess(len(text), 300_000)
        for leak in (r"/work|/tmp|/home|/usr", r"\.[ch]\b", r"0x[0-9a-f]{6,}", r"jansson|lmdb|mdb_",
                     r"errno|assert|Segmentation"):
            self.assertNotRegex(text, leak)
        return body


class Hostile(Case):
    def test_whole_bodies(self):
        count = 0
        for operation, client, path, example in self.with_bodies():
            for name, raw in bodies_of(example):
                if name == "empty" and not self.needs_body(operation):
                    continue
                with self.subTest(operation.name, body=name):
                    response = self.send(client, operation, path, raw)
                    self.refused(response)
                    count += 1
                    if len(raw) > LIMIT:
                        self.assertEqual(response.status, 413)
        self.assertGreater(count, 400)

    def needs_body(self, operation):
        node = self.document.json["paths"][operation.path][operation.method.lower()]
        return self.document.resolve(node["requestBody"]).get("required", False)

    def test_every_value_of_every_body(self):
        count = 0
        for operation, client, path, example in self.with_bodies():
            for place in values_in(example):
                if not place:
                    continue
                for raw, why in SCALAR_FAULTS.items():
                    with self.subTest(operation.name, place=shown(place), why=why, raw=raw[:40]):
                        if operation.path == "/api/call-events" and len(place) > 2 and \
                                not self.is_malformed(raw):
                            continue  # one bad event does not harm the others
                        self.refused(self.send(client, operation, path,
                                               with_value(example, place, raw)))
                        count += 1
        self.assertGreater(count, 2500)

    def is_malformed(self, raw):
        return SCALAR_FAULTS[raw] != "depth" or len(raw) > 1000

    def test_a_wrong_type_of_every_value_is_named_by_its_path(self):
        for operation, client, path, example in self.with_bodies():
            if operation.path == "/api/call-events":
                continue  # test_worker.py: a bad event is a result, and no fault
            for place in values_in(example):
                if not place or "free" in place or operation.name == "POST /api/contacts/import":
                    continue
                for wrong in self.wrong_for(example, place):
                    with self.subTest(operation.name, place=shown(place), wrong=wrong):
                        self.refused(self.send(client, operation, path, with_value(
                            example, place, json.dumps(wrong).encode())), shown(place))

    def wrong_for(self, example, place):
        value = example
        for key in place:
            value = value[key]
        if isinstance(value, (dict, list)):
            yield from (3, "x", True)
        if not isinstance(value, dict):
            yield {}
        if not isinstance(value, list):
            yield []
        if isinstance(value, str):
            yield from (3, True)
        elif isinstance(value, bool):
            yield from (0, "true")
        elif isinstance(value, (int, float)):
            yield from ("3", True)
            if "customAttributes" not in place:  # which may be any number
                yield from (-1e300, 1e300)

    def faults(self, operation, client, path, body):
        """The faults of a body that a fault of the query keeps from being taken."""
        response = client.request(operation.method, f"{path}?dry=1", body)
        named = [detail["path"] for detail in self.invalid(response, "dry")["details"]]
        return [name for name in named if name != "dry"]

    def test_the_bodies_are_good_but_for_what_is_put_in(self):
        for operation, client, path, example in self.with_bodies():
            with self.subTest(operation.name):
                self.assertEqual(self.faults(operation, client, path, example), [])
                validator = contract.request_validator(operation.method, operation.path)
                self.assertIsNone(validator.fault(example))

    def test_the_contracts_schemas_and_the_daemon_are_of_one_mind(self):
        judged = 0
        for operation, client, path, example in self.with_bodies():
            validator = contract.request_validator(operation.method, operation.path)
            for place in values_in(example):
                if not place or operation.path == "/api/call-events":
                    continue
                for wrong in self.variants(example, place):
                    judged += 1
                    body = json.loads(with_value(example, place, json.dumps(wrong).encode()))
                    is_good = validator.is_valid(body)
                    named = self.faults(operation, client, path, body)
                    with self.subTest(operation.name, place=shown(place), value=str(wrong)[:60]):
                        if not is_good:
                            self.assertNotEqual(named, [])
                        elif not self.is_beyond_schemas(place, wrong):
                            self.assertEqual(named, [])
        self.assertGreater(judged, 1000)

    def variants(self, example, place):
        value = example
        for key in place:
            value = value[key]
        yield from (None, "", 0, -1, 1.0, 1.5, 2 ** 53 - 1, 2 ** 53, 10 ** 6, "x" * 300, {}, [],
                    True, [1], {"x": 1}, "2026-11-23", "2026-11-23T00:00:00")
        if isinstance(value, list) and value:
            yield from (value * 2, value * 1001)
        if isinstance(value, dict):
            yield {**value, "unknown": 1}
            yield from ({**value, key: None} for key in value)
            yield from ({k: v for k, v in value.items() if k != key} for key in value)

    def is_beyond_schemas(self, place, wrong):
        """What only stored rows, the configuration or another property can tell, and the formats of texts."""
        return (isinstance(wrong, str) or "customAttributes" in place or "nodes" in place
                or place[-1] in ("audienceId", "seconds", "autoPauseRules"))

    def test_all_faults_are_named_at_once(self):
        """Every value of a body is wrong; each is in `details`."""
        for operation, client, path, example in self.with_bodies():
            if operation.path == "/api/call-events":
                continue
            leaves = [place for place in values_in(example)
                      if place and "free" not in place and not self.is_tree(example, place)]
            body = json.loads(json.dumps(example))
            for place in leaves:
                node = body
                for key in place[:-1]:
                    node = node[key]
                node[place[-1]] = [[]]
            with self.subTest(operation.name):
                if leaves:
                    self.refused(client.request(operation.method, path, body),
                                 *self.expected(operation, leaves))

    def is_tree(self, example, place):
        for key in place:
            example = example[key]
        return isinstance(example, (dict, list))

    def expected(self, operation, leaves):
        # Of a retry strategy whose type is none of them nothing else can be said.
        return [shown(place) for place in leaves
                if not (place[0] == "retryStrategy" and place[-1] != "type")]

    def test_free_values_of_flow_nodes_come_back_as_they_went(self):
        free = {"deep": [[[[{"a": [1, -2.5, 1e15, True, None, "é \U0001f600 \\ \" \u2028"]}]]]],
                "": "", "big": 9007199254740991, "small": -9007199254740991, "zero": 0.0,
                "long": "x" * 10_000}
        flow = self.one.flow(nodes=[{"id": "a", "type": "say", **free}])
        read = self.one.api.read(f"/api/flows/{flow['id']}")
        self.assertEqual(read["nodes"], [{"id": "a", "type": "say", **free}])
        self.one.api.remove(f"/api/flows/{flow['id']}")

    def test_the_imports_rows(self):
        """A bad row is told by its number, and harms no other."""
        for kind, good in (("application/x-ndjson", b'{"primaryPhone": "+32479123123"}\n'),
                           ("text/csv", b"primaryPhone,firstName\n+32479123123,Ada\n")):
            for raw, why in SCALAR_FAULTS.items():
                if b"\n" in raw or (kind == "text/csv" and b"\x00" not in raw and b"\xff" not in raw):
                    continue
                line = (b'{"primaryPhone": "+32479123124", "customAttributes": {"score": ' + raw
                        + b"}}\n") if kind.endswith("ndjson") else b"+32479123124," + raw + b"\n"
                with self.subTest(kind, why=why, raw=raw[:40]):
                    response = self.one.api.request(
                        "POST", "/api/contacts/import", raw=good + line,
                        headers={"Content-Type": kind})
                    done = expect(response, 200)
                    self.assertEqual((done["rows"], done["rejected"]), (2, 1), done)
                    self.assertEqual([error["row"] for error in done["errors"]], [2])
        for contact in self.one.api.pages("/api/contacts"):
            if contact["id"] != self.ids["contacts"]:
                self.one.api.remove(f"/api/contacts/{contact['id']}")

    def test_memory_does_not_grow(self):
        def resident():
            with open(f"/proc/{self.daemon.process.pid}/status", encoding="ascii") as file:
                return int(re.search(r"VmRSS:\s+(\d+) kB", file.read())[1])

        hostile = [b"[" * DEEP, b'{"a":' * DEEP, b"[" + b"{}," * 200_000 + b"{}]",
                   b'{"x": "' + b"a" * (LIMIT - 100) + b'"}', b'{"a": [' + b"1e400," * 1000 + b"1]}",
                   b"{" + b",".join(b'"x%d":1' % n for n in range(50_000)) + b"}"]

        def rounds(count):
            for _ in range(count):
                for raw in hostile:
                    self.invalid(self.one.api.request("POST", "/api/contacts", raw=raw))

        rounds(10)
        before = resident()
        rounds(40)
        self.assertLess(resident() - before, 20_000, "kB after 240 hostile bodies")


class Queries(Case):
    def test_every_parameter_of_every_operation(self):
        hostile = ["%00", "%ff", "%c0%af", "%ed%a0%80", "%", "%2", "%zz", "x" * 4000, "1e400", "-1",
                   "%27%20OR%201=1", "..%2f..%2fetc%2fpasswd", "[]", "null", "%0d%0aX-A:%20b"]
        for operation in self.document.operations:
            if not operation.roles or operation.method != "GET":
                continue
            if "text/event-stream" in operation.answers or "keyId" in operation.path:
                continue
            client = self.client(operation)
            path = operation.fill(**{**self.ids, "programs": self.live})
            for name in [*operation.parameters, "unknown"]:
                for value in hostile:
                    with self.subTest(operation.name, parameter=name, value=value):
                        response = client.get(f"{path}?{name}={value}")
                        if name == "primaryPhone" and response.status == 200:
                            self.assertEqual(response.json["data"], [])
                            continue
                        body = self.invalid(response)
                        self.assertNotIn("X-A", response.headers)
                        self.assertTrue(body["details"])
                with self.subTest(operation.name, parameter=name):
                    self.assertEqual(
                        client.get(f"{path}?{name}=1&{name}=2&{name}=3").status, 400)


if __name__ == "__main__":
    main()
