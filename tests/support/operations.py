"""Every operation of the contract, as the daemon itself serves it (GET /api/openapi.json), so that a test that
goes through all of them cannot leave out a new one.

    for operation in operations(daemon):
        client.request(operation.method, operation.fill(contacts=contact_id), **operation.example())
"""

import json
import re
from typing import NamedTuple

COLLECTIONS = {  # what the id behind this segment of a path names
    "organizations": "OrganizationNotFoundError",
    "api-keys": "ApiKeyNotFoundError",
    "dids": "DidNotFoundError",
    "custom-attributes": "CustomAttributeNotFoundError",
    "contacts": "ContactNotFoundError",
    "audiences": "AudienceNotFoundError",
    "flows": "FlowNotFoundError",
    "programs": "ProgramNotFoundError",
    "program-executions": "ExecutionNotFoundError",
    "calls": "CallNotFoundError",
}


class Operation(NamedTuple):
    method: str
    path: str  # with {id}
    roles: frozenset  # empty: no key is needed
    collections: tuple  # of the path's ids, in order
    parameters: dict  # of the query: name -> schema
    headers: frozenset  # parameters that are headers
    bodies: dict  # media type -> {"schema", "example"}
    answers: frozenset  # media types of its 2xx

    @property
    def name(self):
        return f"{self.method} {self.path}"

    def not_found(self):
        """The error of each id of the path."""
        return [COLLECTIONS[collection] for collection in self.collections]

    def fill(self, **ids):
        """The path with an id for each of its collections."""
        return re.sub(r"([^/]+)/\{\w+\}", lambda m: f"{m[1]}/{ids[m[1].replace('-', '_')]}",
                      self.path)

    def example(self, media_type=None):
        """The options of Client.request for the document's own example of a body."""
        if not self.bodies:
            return {}
        media_type = media_type or next(iter(self.bodies))
        example = self.bodies[media_type]["example"]
        text = example if isinstance(example, str) else json.dumps(example)
        return {"raw": text.encode(), "headers": {"Content-Type": media_type}}

    def takes_json(self):
        return "application/json" in self.bodies

    def is_json_read(self):
        return self.method == "GET" and "application/json" in self.answers


class Document:
    def __init__(self, daemon):
        self.json = daemon.client().read("/api/openapi.json")
        self.operations = [self._operation(method, path, item, item[method])
                           for path, item in self.json["paths"].items()
                           for method in ("get", "post", "put", "patch", "delete") if method in item]

    def resolve(self, node):
        while isinstance(node, dict) and "$ref" in node:
            target = self.json
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node

    def _roles(self, name, node):
        if node.get("security") == []:
            return frozenset()
        said = re.match(r"Roles? ((?:`\w+`(?:, | and )?)+)\.", node.get("description", ""))
        if said is None:
            raise AssertionError(f"{name}: the description does not begin with its roles")
        return frozenset(re.findall(r"`(\w+)`", said[1]))

    def _operation(self, method, path, item, node):
        name = f"{method.upper()} {path}"
        parameters = [self.resolve(p) for p in item.get("parameters", []) + node.get("parameters", [])]
        bodies = self.resolve(node.get("requestBody", {})).get("content", {})
        answers = {kind for status, answer in node["responses"].items() if status.startswith("2")
                   for kind in self.resolve(answer).get("content", {})}
        return Operation(
            method.upper(), path, self._roles(name, node),
            tuple(re.findall(r"([^/]+)/\{\w+\}", path)),
            {p["name"]: self.resolve(p.get("schema", {})) for p in parameters if p["in"] == "query"},
            frozenset(p["name"] for p in parameters if p["in"] == "header"),
            bodies, frozenset(answers))

    def properties(self, schema, path=""):
        """Yields (path, schema) of every property in a schema: ("didPool[]", {…})."""
        schema = self.resolve(schema)
        if path:
            yield path, schema
        for words in ("allOf", "oneOf", "anyOf"):
            for part in schema.get(words, []):
                yield from self.properties(part, path)
        for name, part in schema.get("properties", {}).items():
            yield from self.properties(part, f"{path}.{name}" if path else name)
        if "items" in schema:
            yield from self.properties(schema["items"], f"{path}[]")

    def ids_of(self, operation):
        """The places of an operation, besides its path, that take an id: "?contactId", "didPool[]"."""
        places = {f"?{name}" for name, schema in operation.parameters.items()
                  if schema.get("format") == "uuid"}
        for media in operation.bodies.values():
            places |= {path for path, schema in self.properties(media.get("schema", {}))
                       if schema.get("format") == "uuid"}
        return places
