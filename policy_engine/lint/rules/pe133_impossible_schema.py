"""A schema, or a part of one, that no value fits.

What it does:
    Reports an argument, a property or an element that no value fits, because its keywords
    exclude each other; a value of `enum` that the keywords beside it exclude; and an alternative
    of `anyOf`, `oneOf` or `if` that can never be taken. (Bounds that exclude each other within
    one schema keep a policy from loading: PE020.)

Why:
    Where nothing fits, every call is denied. An alternative that cannot be taken reads like a
    case that somebody has thought about.

Fails:
    tools:
      pay: {args: {amount: {type: number, allOf: [{minimum: 10}, {maximum: 5}]}}}
    ---
    tools:
      deploy: {args: {env: {type: string, enum: [dev-1, prod], pattern: '^dev-'}}}
    ---
    tools:
      pay:
        args: {amount: {type: number, maximum: 10, anyOf: [{minimum: 50}, {multipleOf: 5}]}}

Passes:
    tools:
      pay: {args: {amount: {type: number, allOf: [{minimum: 5}, {maximum: 10}]}}}

Fix:
    Correct the keyword that is wrong, or remove what cannot be.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policy_engine.lint.accepted import refused
from policy_engine.lint.alternatives import is_within, part_of, without
from policy_engine.lint.places import SchemaAt, schemas
from policy_engine.lint.proof.scene import call_scene
from policy_engine.lint.proof.schema import values_of
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject, named_by
from policy_engine.policy.words import quoted
from policy_engine.source import Path

__all__ = ["RULE"]

_PARTS: Final = ("anyOf", "oneOf")


def _find(subject: Subject) -> Iterator[Found]:
    roots: dict[tuple[Path, str], Mapping[str, Any]] = {}
    for place in schemas(subject):
        key = (place.path[: place.path.index(place.argument, 2) + 1], place.argument)
        root = roots.setdefault(key, place.schema)
        if _values(place.schema, root).is_empty:
            yield _empty(subject, place)
            continue
        yield from _enumerated(subject, place, root)
        for name in _PARTS:
            yield from _alternatives(subject, place, name, root)
        yield from _conditional(place, root)


def _values(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Any:
    return values_of({**schema, **({"$defs": root["$defs"]} if "$defs" in root else {})})


def _empty(subject: Subject, place: SchemaAt) -> Found:
    witness = None
    entry = place.entry
    if entry is not None and entry.block.effect != "deny":
        scene = call_scene(subject, entry.policy, named_by(entry.name))
        witness = scene.show(shows="denied, like every call with it", effect="deny")
    return Found(
        place.policy,
        place.path,
        f'no value of "{place.name}" fits: its keywords exclude each other',
        "correct the keyword that is wrong",
        on_key=not isinstance(place.path[-1], int),
        severity="error",
        witness=witness,
    )


def _enumerated(subject: Subject, place: SchemaAt, root: Mapping[str, Any]) -> Iterator[Found]:
    listed = place.schema.get("enum")
    if not isinstance(listed, list) or len(listed) < 2:
        return
    rest = _values(without(place.schema, "enum"), root)
    for index, value in enumerate(listed):
        if not rest.admits(value):
            message = f"{quoted(value)} never fits: the keywords beside it exclude it"
            witness = refused(subject, place, value, "denied, though it is listed")
            path = (*place.path, "enum", index)
            yield Found(place.policy, path, message, _HINT, witness=witness)


def _alternatives(
    subject: Subject, place: SchemaAt, name: str, root: Mapping[str, Any]
) -> Iterator[Found]:
    branches = place.schema.get(name)
    rest = without(place.schema, name)
    parts = [part_of(rest, branch, root) for branch in (branches or ())]
    for index, part in enumerate(parts):
        others = [*parts[:index], *parts[index + 1 :]] if name == "oneOf" else []
        if values_of(rest, part).is_empty:
            why = "can never be taken"
        elif any(is_within(part, other) for other in others):
            why = "is never the only one that fits"
        else:
            continue
        value = next(values_of(part).candidates(), None)
        yield Found(
            place.policy,
            (*place.path, name, index),
            f'this alternative of "{place.name}" {why}',
            _HINT,
            witness=refused(subject, place, value, "denied, though this alternative takes it"),
        )


def _conditional(place: SchemaAt, root: Mapping[str, Any]) -> Iterator[Found]:
    if "if" not in place.schema:
        return
    rest = without(place.schema, "if", "then", "else")
    test = part_of(rest, place.schema["if"], root)
    for holds, one in ((True, test), (False, part_of(rest, {"not": test}, root))):
        if values_of(rest, one).is_empty:
            said = "never" if holds else "always"
            message = f'the "if" of "{place.name}" {said} holds'
            yield Found(place.policy, (*place.path, "if"), message, _HINT, on_key=True)


_HINT: Final = "correct it, or remove it"

RULE: Final = LintRule("PE133", "impossible-schema", "warning", __doc__ or "", _find, proves=True)
