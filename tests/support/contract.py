"""Holds responses against the contract, api/openapi.yaml: a status that the operation has, its content
type, its required headers, and a body that its schema allows.

    contract.check("GET", "/api/contacts?limit=1", 200, headers, body)

raises Breach with the operation, the status and the place. Schemas are compiled once, when first used,
into functions (fastjsonschema): a test run holds some hundred thousand responses against them. What these
refuse, jsonschema explains. As each test is a process of its own, $OUTDIAL_CONTRACT may name the contract as
JSON, which is read in a hundredth of the time.
"""

import functools
import json
import os
import re

import fastjsonschema

SOURCE = os.path.join(os.path.dirname(__file__), "..", "..", "api", "openapi.yaml")


class Breach(AssertionError):
    """A response that the contract does not have."""


def source():
    """The contract as it is written."""
    import yaml  # pylint: disable=import-outside-toplevel

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(loader):  # pylint: disable=too-many-ancestors
        """A time is a text, as in YAML 1.2."""

    Loader.add_constructor("tag:yaml.org,2002:timestamp",
                           lambda self, node: self.construct_scalar(node))
    with open(SOURCE, encoding="utf-8") as file:
        return yaml.load(file, Loader)


@functools.lru_cache(None)
def document():
    made = os.environ.get("OUTDIAL_CONTRACT")
    if not made:
        return source()
    with open(made, encoding="utf-8") as file:
        return json.load(file)


def resolve(node):
    """What a {"$ref": "#/…"} points to; anything else is itself."""
    while isinstance(node, dict) and "$ref" in node and set(node) == {"$ref"}:
        target = document()
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


# ---------------------------------------------------------------------------------------- paths


@functools.lru_cache(None)
def _paths():
    """[(pattern, path item)], those without parameters first."""
    table = []
    for path, item in document()["paths"].items():
        pattern = re.sub(r"\{\w+\}", "[^/]+", re.escape(path).replace(r"\{", "{").replace(r"\}", "}"))
        table.append((path.count("{"), re.compile(pattern + "$"), path, item))
    return sorted(table, key=lambda row: row[0])


@functools.lru_cache(4096)
def _operation(method, path):
    """(the operation or None, the name to show, whether the path is known)"""
    known = None
    for _, pattern, name, item in _paths():
        if pattern.match(path):
            if method.lower() in item:
                return item[method.lower()], f"{method} {name}"
            known = known or name
            if "{" not in name:
                break  # "/api/contacts/upsert" is never a contact
    return None, f"{method} {known or path}"


# --------------------------------------------------------------------------------------- schemas


class _Response:
    """One status of one operation, ready to judge."""

    def __init__(self, response):
        response = resolve(response)
        self.types = {}
        for content_type, media in response.get("content", {}).items():
            self.types[content_type] = _validator(json.dumps(media.get("schema", {})))
        self.headers = {}
        for name, header in response.get("headers", {}).items():
            header = resolve(header)
            self.headers[name] = (header.get("required", False),
                                  _validator(json.dumps(header.get("schema", {}))))


def request_validator(method, path):
    """A validator of the JSON body of an operation, by the path that the document has for it."""
    body = resolve(document()["paths"][path][method.lower()]["requestBody"])
    return _validator(json.dumps(body["content"]["application/json"]["schema"]))


NOTES = {"description", "title", "default", "example", "examples", "format", "discriminator"}


def _as_draft_7(node, is_map=False):
    """The schema in the words of the draft that fastjsonschema knows, without those that judge nothing."""
    if isinstance(node, list):
        return [_as_draft_7(item) for item in node]
    if not isinstance(node, dict):
        return node
    made = {}
    for name, value in node.items():
        if is_map:
            made[name] = _as_draft_7(value)
        elif name == "dependentRequired":
            made["dependencies"] = value
        elif name in ("const", "enum"):
            made[name] = value
        elif name not in NOTES:
            made[name] = _as_draft_7(value, is_map=name == "properties")
    return made


class Validator:
    """A schema without $ref, ready to judge."""

    def __init__(self, inlined):
        self.schema = inlined
        self.judge = fastjsonschema.compile(_as_draft_7(inlined))

    def is_valid(self, value):
        try:
            self.judge(value)
        except fastjsonschema.JsonSchemaValueException:
            return False
        return True

    def slow(self):
        """The judge of jsonschema, which can say what is wrong."""
        import jsonschema  # pylint: disable=import-outside-toplevel

        return jsonschema.Draft202012Validator(self.schema)

    def fault(self, value):
        """Nothing, or the first fault as (path, message), the innermost where there is a choice."""
        if self.is_valid(value):
            return None
        import jsonschema  # pylint: disable=import-outside-toplevel

        error = jsonschema.exceptions.best_match(self.slow().iter_errors(value))
        return (error.json_path, error.message) if error else None


@functools.lru_cache(None)
def _validator(text):
    """A validator of a schema, given as JSON so that equal ones are compiled once."""
    return Validator(_inline(json.loads(text)))


def validators():
    """Those of every schema that a request or a response of the contract has."""
    found = {}

    def walk(node):
        if isinstance(node, list):
            for item in node:
                walk(item)
        elif isinstance(node, dict):
            if "$ref" in node:
                walk(resolve({"$ref": node["$ref"]}))
            for name, value in node.items():
                if name == "schema":
                    found[json.dumps(value)] = None
                else:
                    walk(value)

    walk([document()["paths"], document()["x-refusals"]])
    return [_validator(text) for text in found]


def _inline(node):
    """The schema with each $ref replaced by what it points to, as following them costs the most of a
    validation. No schema of the contract is within itself."""
    if isinstance(node, list):
        return [_inline(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        beside = {name: value for name, value in node.items() if name != "$ref"}
        return {**_inline(resolve({"$ref": node["$ref"]})), **_inline(beside)}
    return {name: _inline(value) for name, value in node.items()}


@functools.lru_cache(None)
def _response(operation_key, status):
    operation = OPERATIONS[operation_key]
    response = operation.get(str(status))
    return None if response is None else _Response(response)


OPERATIONS = {}  # name -> responses; keys of the cache above


def _responses(method, path):
    operation, name = _operation(method, path)
    OPERATIONS.setdefault(name, operation["responses"] if operation else document()["x-refusals"])
    return name, operation is not None


def forget():
    """Drops what was compiled, for a test that changes the document."""
    _response.cache_clear()
    _operation.cache_clear()


def check_examples(place, media):
    """Raises Breach for an example that its own schema does not allow; returns how many there are."""
    validator = _validator(json.dumps(media.get("schema", {})))
    examples = [resolve(example)["value"] for example in media.get("examples", {}).values()]
    examples += [media["example"]] if "example" in media else []
    for example in examples:
        fault = validator.fault(example)
        if fault:
            raise Breach(f"{place}: an example: {fault[0]}: {fault[1]}")
    return len(examples)


# ----------------------------------------------------------------------------------------- check


def check(method, target, status, headers, body):
    """`headers` as http.client gives them; `body` decoded, None when there is none."""
    path = target.split("?", 1)[0]
    if path.startswith("/docs/"):
        return  # files of the page, which are no contract
    name, is_operation = _responses(method, path)
    place = f"{name}: {status}"
    response = _response(name, status)
    if response is None and is_operation and _is_refusal(status, headers):
        name = "x-refusals"
        OPERATIONS.setdefault(name, document()["x-refusals"])
        response = _response(name, status)
    if response is None:
        raise Breach(f"{place} is not in the contract: {body!r:.500}")
    _check_headers(place, response, headers)
    if method != "HEAD":  # an answer to it never has one
        _check_body(place, response, headers, body)


def _is_refusal(status, headers):
    """HTTP that is broken is refused, whatever the operation, and the connection closed."""
    return status in (400, 413, 431, 501, 503) and headers.get("Connection") == "close"


def _check_headers(place, response, headers):
    for name, (required, validator) in response.headers.items():
        value = headers.get(name)
        if value is None:
            if required:
                raise Breach(f"{place}: the header {name} is missing")
            continue
        fault = validator.fault(value)
        if fault:
            raise Breach(f"{place}: the header {name}: {fault[1]}")


def _check_body(place, response, headers, body):
    given = headers.get("Content-Type")
    if not response.types:
        if body is not None:
            raise Breach(f"{place}: a body, where the contract has none: {body!r:.500}")
        return
    content_type = (given or "").split(";")[0].strip().lower()
    if content_type not in response.types:
        raise Breach(f"{place}: Content-Type {given!r}, and not one of {sorted(response.types)}")
    if content_type == "application/json" and given != "application/json; charset=utf-8":
        raise Breach(f"{place}: Content-Type {given!r}")
    fault = response.types[content_type].fault(body)
    if fault:
        raise Breach(f"{place}: {fault[0]}: {fault[1]:.1000}\n{json.dumps(body):.2000}")
