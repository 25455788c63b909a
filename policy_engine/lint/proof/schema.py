"""From a JSON Schema to the values that it admits, and to one of them.

Alternatives (`anyOf`, `oneOf`, `if`, several types) become boxes of their own; what a keyword
says that no box can hold is left out, which only makes more values possible.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice, product
from typing import Any, Final, TypeAlias

from policy_engine.checks.arguments import compile_arguments
from policy_engine.errors import PolicyEngineError
from policy_engine.lint.proof.box import Box
from policy_engine.lint.proof.values import Values
from policy_engine.text import Patterns

__all__ = ["ELEMENT", "KINDS", "at", "boxes_of", "is_required", "sampled", "values_of"]

ELEMENT: Final = "[]"
"""The step from a list to any of its elements."""
KINDS: Final[Mapping[str, str]] = {
    "number": "number",
    "integer": "integer",
    "string": "string",
    "boolean": "bool",
    "null": "null",
    "array": "array",
    "object": "object",
}
"""A type of JSON Schema -> the kind of a box."""
_MOST: Final = 48
"""So many boxes are told apart."""

Boxes: TypeAlias = list[Box]
_FORMATS: Final = {
    "date": "2026-01-05",
    "date-time": "2026-01-05T10:00:00Z",
    "duration": "PT1H",
    "email": "someone@example.com",
    "hostname": "example.com",
    "idn-email": "someone@example.com",
    "idn-hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "iri": "https://example.com/",
    "iri-reference": "https://example.com/",
    "json-pointer": "/a",
    "regex": "a",
    "relative-json-pointer": "0",
    "time": "10:00:00Z",
    "uri": "https://example.com/",
    "uri-reference": "https://example.com/",
    "uri-template": "https://example.com/{a}",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_DEPTH: Final = 6


def values_of(*schemas: Any) -> Values:
    """Return the values that schemas admit together; one that says nothing admits any."""
    boxes = [Box()]
    for schema in schemas:
        boxes = _meet(boxes, boxes_of(schema, schema))
    return Values(boxes=boxes)


def _meet(ours: Boxes, theirs: Boxes) -> Boxes:
    if len(ours) * len(theirs) > _MOST:
        return ours
    met = [one.meet(other) for one, other in product(ours, theirs)]
    if len(met) == 1:
        return met
    left = [box for box in met if not box.is_empty]
    return left or met[:1] or [_nothing()]


def _nothing() -> Box:
    return Box(chosen=[])


def boxes_of(schema: Any, root: Any, depth: int = 0) -> Boxes:
    """Return the values that a schema admits, one box for each alternative.

    Args:
        schema: The schema.
        root: What references lead into.
        depth: How deep it stands.
    """
    if schema is False:
        return [_nothing()]
    if not isinstance(schema, Mapping) or depth > _DEPTH:
        return [Box()]
    boxes = [_narrowed(Box(kind), schema) for kind in _kinds(schema)]
    for alternatives in _parts(schema, root, depth + 1):
        boxes = _meet(boxes, alternatives)
    # A part may have said of which kind the value is, of which the keywords beside it speak.
    speaking = [schema, *(part for part in schema.get("allOf") or () if isinstance(part, Mapping))]
    for part in speaking:
        boxes = [_narrowed(box, part) for box in boxes]
    return boxes


def _kinds(schema: Mapping[str, Any]) -> list[str]:
    names = schema.get("type")
    listed = names if isinstance(names, list) else [names]
    return [KINDS.get(name, "any") if isinstance(name, str) else "any" for name in listed]


def _narrowed(box: Box, schema: Mapping[str, Any]) -> Box:
    """Leave only what the keywords of one schema admit that speak of single values."""
    made = box.copy()
    if "const" in schema:
        made.choose([schema["const"]])
    if isinstance(schema.get("enum"), list):
        made.choose(schema["enum"])
    if made.kind in {"number", "integer"}:
        for key, is_low, is_open in _BOUNDS:
            bound = schema.get(key)
            if isinstance(bound, int | float) and not isinstance(bound, bool):
                made.bound(**{"low" if is_low else "high": bound}, is_open=is_open)
        if "multipleOf" in schema and schema["multipleOf"] not in made.steps:
            made.steps = (*made.steps, schema["multipleOf"])
    if made.kind == "string":
        made.shortest = max(made.shortest, int(schema.get("minLength", 0)))
        for key in ("maxLength", "maxBytes"):
            made.longest = min(made.longest, schema.get(key, made.longest))
        pattern = ("fits", schema.get("pattern"))
        if isinstance(pattern[1], str) and pattern not in made.met:
            _test(made, *pattern, holds=True)
    return made


def _test(box: Box, kind: str, operand: Any, *, holds: bool) -> None:
    """Test a value that need not be there."""
    present = box.present
    box.test(kind, operand, holds=holds)
    box.present = present


_BOUNDS: Final = (
    ("minimum", True, False),
    ("exclusiveMinimum", True, True),
    ("maximum", False, False),
    ("exclusiveMaximum", False, True),
)


def _parts(schema: Mapping[str, Any], root: Any, depth: int) -> Iterator[Boxes]:
    """Go through what the schemas inside of one admit of the same value."""
    for part in schema.get("allOf") or ():
        yield boxes_of(_typed(part, schema), root, depth)
    for key in ("anyOf", "oneOf"):
        if schema.get(key):
            yield _either(schema, key, root, depth)
    if "not" in schema:
        yield _outside(schema["not"], schema, root, depth)
    if "if" in schema:
        test = _typed(schema["if"], schema)
        then, otherwise = (_typed(schema.get(key, True), schema) for key in ("then", "else"))
        yes = _meet(boxes_of(test, root, depth), boxes_of(then, root, depth))
        no = _meet(_outside(schema["if"], schema, root, depth), boxes_of(otherwise, root, depth))
        yield [*yes, *no]
    reference = schema.get("$ref")
    if isinstance(reference, str) and isinstance(root, Mapping):
        named = (root.get("$defs") or {}).get(reference.removeprefix("#/$defs/"))
        yield boxes_of(named, root, depth)


def _typed(part: Any, schema: Mapping[str, Any]) -> Any:
    """Say the type of a part that leaves it to the schema round it."""
    if isinstance(part, Mapping) and "type" not in part and "type" in schema:
        return {"type": schema["type"], **part}
    return part


def _either(schema: Mapping[str, Any], key: str, root: Any, depth: int) -> Boxes:
    """Return what one of some alternatives admits; of `oneOf`, exactly one."""
    branches, made = schema[key], []
    for index, branch in enumerate(branches):
        boxes = boxes_of(_typed(branch, schema), root, depth)
        if key == "oneOf":
            for other in (*branches[:index], *branches[index + 1 :]):
                boxes = _meet(boxes, _outside(other, schema, root, depth))
        made.extend(boxes)
    left = [box for box in made if not box.is_empty]
    return (left or made[:1]) if len(left) <= _MOST else [Box()]


def _outside(part: Any, schema: Any, root: Any, depth: int) -> Boxes:
    """Return what a part of a schema does not admit; any value where that cannot be said."""
    if isinstance(part, bool):
        return [_nothing()] if part else [Box()]
    if not isinstance(part, Mapping) or depth > _DEPTH:
        return [Box()]
    made: Boxes = []
    whole = _typed(part, schema)
    for key, value in part.items():
        if key == "type" and isinstance(schema, Mapping) and value == schema.get("type"):
            continue  # what is of another type is not admitted round it either
        found = _without(key, value, whole, root, depth)
        if found is None:
            return [Box()]
        made.extend(found)
    return made or [_nothing()]


def _without(
    key: str, value: Any, schema: Mapping[str, Any], root: Any, depth: int
) -> Boxes | None:
    """Return the values that break a keyword of a schema; None where that cannot be said."""
    kinds = _kinds(schema)
    match key:
        case _ if key in _SILENT:
            return []
        case "type":
            others = [kind for kind in _DISJOINT if kind not in kinds]
            if "integer" in kinds and "number" not in kinds:
                return None
            return [Box(kind) for kind in others]
        case "enum" | "const":
            return [Box(excluded=list(value) if key == "enum" else [value])]
        case "not":
            return boxes_of(_typed(value, schema), root, depth + 1)
        case "anyOf":
            boxes = [Box()]
            for part in value:
                boxes = _meet(boxes, _outside(part, schema, root, depth + 1))
            return boxes
        case "allOf":
            return [box for part in value for box in _outside(part, schema, root, depth + 1)]
    return list(_breaking(key, value, kinds)) if key in _TESTED else None


def _breaking(key: str, value: Any, kinds: list[str]) -> Iterator[Box]:
    """Go through the kinds of values that a bound speaks of, and leave what breaks it."""
    test, holds, bounded = _TESTED[key]
    for kind in [kind for kind in kinds if kind in bounded] or bounded[:1]:
        box = Box(kind)
        _test(box, test, value, holds=holds)
        yield box


_SILENT: Final = frozenset({"title", "description", "default", "examples", "deprecated", "message"})
_NUMBERS: Final = ("number", "integer")
_TESTED: Final[Mapping[str, tuple[str, bool, tuple[str, ...]]]] = {
    "minimum": ("<", True, _NUMBERS),
    "exclusiveMinimum": ("<=", True, _NUMBERS),
    "maximum": ("<=", False, _NUMBERS),
    "exclusiveMaximum": ("<", False, _NUMBERS),
    "minLength": ("shortest", False, ("string",)),
    "maxLength": ("longest", False, ("string",)),
    "pattern": ("fits", False, ("string",)),
}
"""Keyword -> the test that a value which breaks it passes, or fails, and its kinds."""
_DISJOINT: Final = ("number", "string", "bool", "null", "array", "object")


def at(schema: Any, path: Iterable[str]) -> Any:
    """Return the schema of a property or an element below one; None where nothing is said of it."""
    root = schema
    for step in path:
        found = [
            below
            for part in _every(schema, root, 0)
            for below in (*_below(part, step), *_below_either(part, step, root))
        ]
        if not found:
            return None
        schema = found[0] if len(found) == 1 else {"allOf": found}
    if isinstance(schema, Mapping) and isinstance(root, Mapping) and "$defs" in root:
        return {**schema, "$defs": root["$defs"]}
    return schema


def _every(schema: Any, root: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    """Go through a schema and those that a value must fit with it."""
    if not isinstance(schema, Mapping) or depth > _DEPTH:
        return
    yield schema
    for part in schema.get("allOf") or ():
        yield from _every(part, root, depth + 1)
    reference = schema.get("$ref")
    if isinstance(reference, str) and isinstance(root, Mapping):
        named = (root.get("$defs") or {}).get(reference.removeprefix("#/$defs/"))
        yield from _every(named, root, depth + 1)


def _below(schema: Mapping[str, Any], step: str) -> Iterator[Any]:
    if step == ELEMENT:
        if "items" in schema and "prefixItems" not in schema:
            yield schema["items"]
        return
    properties = schema.get("properties")
    if isinstance(properties, Mapping) and step in properties:
        yield properties[step]


def _below_either(schema: Mapping[str, Any], step: str, root: Any) -> Iterator[Any]:
    """Go through what lists of alternatives say of a property or an element."""
    for key in ("anyOf", "oneOf"):
        listed: list[Any] = []
        for branch in schema.get(key) or ():
            typed = _typed(branch, schema)
            if _has_none(typed, step):
                continue
            found = [below for part in _every(typed, root, 1) for below in _below(part, step)]
            if not found:
                listed = []
                break  # an alternative that says nothing of it
            listed.append(found[0] if len(found) == 1 else {"allOf": found})
        if listed:
            yield listed[0] if len(listed) == 1 else {"anyOf": listed}


def _has_none(schema: Any, step: str) -> bool:
    """Whether what fits a schema certainly has no such property or element."""
    if not isinstance(schema, Mapping):
        return schema is False
    kinds = schema.get("type")
    listed = kinds if isinstance(kinds, list) else [kinds]
    if kinds is not None and ("array" if step == ELEMENT else "object") not in listed:
        return True
    if step == ELEMENT or kinds != "object" or not set(schema) <= _CLOSED:
        return False
    return step not in (schema.get("properties") or {})


_CLOSED: Final = frozenset({"type", "properties", "required", "title", "description", "message"})
"""The keywords of an object that has no properties but those that are named."""


def is_required(schema: Any, name: str) -> bool:
    """Whether every object that fits a schema certainly has a property, and not null."""
    for part in _every(schema, schema, 0):
        below = (part.get("properties") or {}).get(name)
        if part.get("type") != "object" or below is None:
            continue
        required = part.get("required")
        optional = isinstance(below, Mapping) and below.get("optional") is True
        if (name in required) if required is not None else not optional:
            return True
    return False


def sampled(schemas: Sequence[Any], values: Values | None = None, depth: int = 0) -> Any:
    """Return a plain value that schemas probably admit together, within some values if given."""
    described = [schema for schema in schemas if isinstance(schema, Mapping)]
    if values is None and depth < _DEPTH and any(_JOINED & set(one) for one in described):
        ways = islice(_ways(described), _WAYS)
        made = [_plain(way, None, depth) for way in ways]
        tried = chain(made, islice(values_of(*described).candidates(), _WAYS))
        return next((one for one in tried if _fits_all(described, one)), made[0])
    return _plain(described, values, depth)


_JOINED: Final = frozenset({"allOf", "anyOf", "oneOf", "if", "not", "$ref"})
_WAYS: Final = 24
"""So many ways to fit alternatives are tried."""


def _ways(schemas: Sequence[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """Go through the schemas of which a value fits all, if it takes one alternative of each."""
    options = [list(islice(_written_out(schema, schema, 0), _WAYS)) for schema in schemas]
    for way in product(*options):
        yield [part for parts in way for part in parts]


def _written_out(schema: Any, root: Any, depth: int) -> Iterator[list[Mapping[str, Any]]]:
    """Go through the alternatives of a schema, each as schemas without any."""
    if not isinstance(schema, Mapping) or depth > _DEPTH:
        yield []
        return
    rest = {key: value for key, value in schema.items() if key not in _JOINED}
    rest = dict(_rooted(rest, root)) if rest else rest
    joined: list[list[Any]] = [[part] for part in schema.get("allOf") or ()]
    joined.extend(list(schema[key]) for key in ("anyOf", "oneOf") if schema.get(key))
    if "if" in schema:
        both = {"allOf": [schema["if"], schema.get("then", True)]}
        joined.append([schema.get("else", True), both])
    reference = schema.get("$ref")
    if isinstance(reference, str) and isinstance(root, Mapping):
        joined.append([(root.get("$defs") or {}).get(reference.removeprefix("#/$defs/"))])
    for chosen in product(*joined):
        inner = [list(islice(_written_out(part, root, depth + 1), _WAYS)) for part in chosen]
        for way in product(*inner):
            yield [*([rest] if rest else []), *(part for parts in way for part in parts)]


def _rooted(part: Any, whole: Any) -> Any:
    """Return a part of a schema with the definitions that its references lead into."""
    if not isinstance(part, Mapping) or not isinstance(whole, Mapping) or "$defs" not in whole:
        return part
    return {**part, "$defs": whole["$defs"]}


def _fits_all(schemas: Sequence[Mapping[str, Any]], value: Any) -> bool:
    """Whether the validator takes a value."""
    try:
        return all(
            compile_arguments({"v": schema}, closed=True, patterns=Patterns()).fits({"v": value})
            for schema in schemas
        )
    except (PolicyEngineError, ValueError):  # a reference may lead nowhere from a part alone
        return False


def _plain(described: Sequence[Mapping[str, Any]], values: Values | None, depth: int) -> Any:
    """Return a value of schemas whose alternatives are not looked at."""
    kinds = {schema["type"] for schema in described if isinstance(schema.get("type"), str)}
    if "array" in kinds and depth < _DEPTH:
        return _array(described, depth)
    if "object" in kinds and depth < _DEPTH:
        return _object(described, depth)
    formats = [schema["format"] for schema in described if schema.get("format") in _FORMATS]
    left = values_of(*described) if values is None else values
    if formats and (values is None or left.admits(_FORMATS[formats[0]])):
        return _FORMATS[formats[0]]
    return next(left.candidates(), None if "null" in kinds else "x")


def _array(schemas: Sequence[Mapping[str, Any]], depth: int) -> list[Any]:
    least = max((schema.get("minItems", 0) for schema in schemas), default=0)
    first = [one for one in schemas if "prefixItems" in one]
    if first:
        listed = [_rooted(item, first[0]) for item in first[0]["prefixItems"]]
        return [sampled([item], depth=depth + 1) for item in listed]
    items = [_rooted(schema["items"], schema) for schema in schemas if "items" in schema]
    wanted = [_rooted(schema["contains"], schema) for schema in schemas if "contains" in schema]
    most = min((schema.get("maxItems", 1) for schema in schemas), default=1)
    count = max(least, min(1, most), len(wanted))
    made = [sampled(items + wanted[i : i + 1], depth=depth + 1) for i in range(min(count, 50))]
    if len(made) > 1 and any(schema.get("uniqueItems") is True for schema in schemas):
        return _unlike(made, items)
    return made


def _unlike(made: list[Any], items: Sequence[Any]) -> list[Any]:
    """Put other values in the places of those that a list has already, where there are any."""
    others = values_of(*items).candidates()
    found: list[Any] = []
    for value in made:
        new = value if value not in found else next((v for v in others if v not in found), value)
        found.append(new)
    return found


def _object(schemas: Sequence[Mapping[str, Any]], depth: int) -> dict[str, Any]:
    names: dict[str, list[Any]] = {}
    for schema in schemas:
        for name, below in (schema.get("properties") or {}).items():
            names.setdefault(name, []).append(_rooted(below, schema))
    return {
        name: sampled(below, depth=depth + 1)
        for name, below in names.items()
        if not any(isinstance(b, Mapping) and b.get("optional") is True for b in below)
    }
