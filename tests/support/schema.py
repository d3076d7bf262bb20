"""Judges of JSON: a schema made into functions, which say in microseconds what jsonschema says in
milliseconds. A test run holds some hundred thousand responses against their schemas.

    is_valid = schema.judge({"type": "object", "required": ["id"]})
    is_valid({})  # False

It knows the keywords of draft 2020-12 that the contract uses, without $ref, and refuses any other.
test_reference.py holds it against jsonschema, on every schema of the contract.
"""

import re

_ANNOTATIONS = {"description", "title", "default", "example", "examples", "format", "deprecated",
                "readOnly", "writeOnly", "discriminator", "$comment"}
_BESIDE = {"then", "else"}  # judged with "if"


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_TYPES = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "number": _is_number,
    "integer": lambda value: _is_number(value) and (
        isinstance(value, int) or value.is_integer()),
}


def _same(one, other):
    """Equal as JSON: true is not 1, and 1.0 is."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    return one == other


def _type(wanted, _):
    if isinstance(wanted, str):
        return _TYPES[wanted]
    judges = [_TYPES[name] for name in wanted]
    return lambda value: any(judge_one(value) for judge_one in judges)


def _const(wanted, _):
    return lambda value: _same(value, wanted)


def _enum(wanted, _):
    if all(isinstance(one, str) for one in wanted):
        texts = frozenset(wanted)
        return lambda value: isinstance(value, str) and value in texts
    return lambda value: any(_same(value, one) for one in wanted)


def _only(kind, holds):
    """What says nothing about values of another type."""
    return lambda value: not isinstance(value, kind) or holds(value)


def _bound(holds):
    return lambda limit, _: lambda value: not _is_number(value) or holds(value, limit)


def _size(kind, holds):
    return lambda limit, _: _only(kind, lambda value: holds(len(value), limit))


def _pattern(pattern, _):
    search = re.compile(pattern).search
    return _only(str, lambda value: search(value) is not None)


def _items(schema, _):
    is_item = judge(schema)
    return _only(list, lambda value: all(map(is_item, value)))


def _unique(wanted, _):
    if not wanted:
        return lambda value: True
    return _only(list, lambda value: not any(
        _same(one, other) for at, one in enumerate(value) for other in value[:at]))


def _properties(schemas, _):
    judges = [(name, judge(schema)) for name, schema in schemas.items()]

    def holds(value):
        for name, is_property in judges:
            if name in value and not is_property(value[name]):
                return False
        return True

    return _only(dict, holds)


def _additional(schema, beside):
    known = frozenset(beside.get("properties", ()))
    if schema is False:
        return _only(dict, known.issuperset)
    is_other = judge(schema)
    return _only(dict, lambda value: all(
        is_other(one) for name, one in value.items() if name not in known))


def _required(names, _):
    wanted = frozenset(names)
    return _only(dict, lambda value: wanted <= value.keys())


def _dependent(names, _):
    return _only(dict, lambda value: all(
        set(others) <= value.keys() for name, others in names.items() if name in value))


def _names(schema, _):
    is_name = judge(schema)
    return _only(dict, lambda value: all(map(is_name, value)))


def _all_of(schemas, _):
    judges = [judge(schema) for schema in schemas]
    return lambda value: all(one(value) for one in judges)


def _any_of(schemas, _):
    judges = [judge(schema) for schema in schemas]
    return lambda value: any(one(value) for one in judges)


def _one_of(schemas, _):
    judges = [judge(schema) for schema in schemas]
    return lambda value: sum(one(value) for one in judges) == 1


def _not(schema, _):
    is_it = judge(schema)
    return lambda value: not is_it(value)


def _if(schema, beside):
    is_it = judge(schema)
    then, otherwise = judge(beside.get("then", True)), judge(beside.get("else", True))
    return lambda value: then(value) if is_it(value) else otherwise(value)


_KEYWORDS = {
    "type": _type, "const": _const, "enum": _enum, "pattern": _pattern,
    "minimum": _bound(lambda value, limit: value >= limit),
    "maximum": _bound(lambda value, limit: value <= limit),
    "exclusiveMinimum": _bound(lambda value, limit: value > limit),
    "exclusiveMaximum": _bound(lambda value, limit: value < limit),
    "minLength": _size(str, lambda size, limit: size >= limit),
    "maxLength": _size(str, lambda size, limit: size <= limit),
    "minItems": _size(list, lambda size, limit: size >= limit),
    "maxItems": _size(list, lambda size, limit: size <= limit),
    "minProperties": _size(dict, lambda size, limit: size >= limit),
    "maxProperties": _size(dict, lambda size, limit: size <= limit),
    "items": _items, "uniqueItems": _unique, "required": _required,
    "additionalProperties": _additional, "properties": _properties,
    "dependentRequired": _dependent, "propertyNames": _names,
    "allOf": _all_of, "anyOf": _any_of, "oneOf": _one_of, "not": _not, "if": _if,
}


def judge(schema):
    """A function of a value (as json.loads gives it) that says whether the schema allows it."""
    if isinstance(schema, bool):
        return lambda value: schema
    judges = []
    for keyword, wanted in schema.items():
        if keyword in _KEYWORDS:
            judges.append(_KEYWORDS[keyword](wanted, schema))
        elif keyword not in _ANNOTATIONS and keyword not in _BESIDE:
            raise ValueError(f"schema.py does not know the keyword {keyword!r}")
    if len(judges) == 1:
        return judges[0]

    def is_valid(value):
        for one in judges:
            if not one(value):
                return False
        return True

    return is_valid
