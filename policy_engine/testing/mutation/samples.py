"""Requests around a mutated place: the values of tests, with others put in single places."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from policy_engine.cel.nodes import ListItems, Literal, Node, children
from policy_engine.compiler import Chain, Compiled
from policy_engine.compiler.limit import counter_key
from policy_engine.decision import Calls, Count, Facts, Request, Session
from policy_engine.testing.mutation.conditions import OTHER

__all__ = ["Sample", "around", "values_of"]

_PICTURE: Final = {"type": "image", "source": {"type": "base64", "data": "AAAA"}}
_ABSENT: Final = object()
_MOST: Final = 20_000


@dataclass(frozen=True, slots=True)
class Sample:
    """A request and what is known when it is decided."""

    request: Request
    facts: Facts


def around(sample: Sample, chain: Chain, compiled: Compiled) -> Iterator[Sample]:
    """Yield a sample and those that differ from it in one respect, then in two."""
    yield sample
    literals = list(dict.fromkeys(_literals(chain)))
    single = list(_variations(sample, chain, compiled, literals))
    yield from single
    for first in single[:40]:
        yield from _facts_of(first, compiled, literals)
        yield from _session_of(first, compiled)


def _variations(
    sample: Sample, chain: Chain, compiled: Compiled, literals: list[Any]
) -> Iterator[Sample]:
    yield from _session_of(sample, compiled)
    yield from _arguments_of(sample, chain, literals)
    yield from _facts_of(sample, compiled, literals)
    yield from _texts_of(sample)
    yield from _counts_of(sample, chain)
    yield from _people_of(sample, compiled)


def _arguments_of(sample: Sample, chain: Chain, literals: list[Any]) -> Iterator[Sample]:
    args = sample.request.args
    if not isinstance(args, dict):
        return
    declared: dict[str, list[Any]] = {}
    for constraint in (*chain.constraints, *(r.constraint for r in chain.rules if r.constraint)):
        for name, schema in constraint.schemas.items():
            declared.setdefault(name, []).append(schema)
    for name in dict.fromkeys((*declared, *args)):
        candidates = [_ABSENT]
        for schema in declared.get(name, [{}]):
            candidates.extend(values_of(schema, args.get(name)))
        candidates.extend(_near(args.get(name), literals))
        for value in candidates:
            changed = {key: item for key, item in args.items() if key != name}
            if value is not _ABSENT:
                changed[name] = value
            yield replace(sample, request=replace(sample.request, args=changed))
    changed = {**args, "another": OTHER}
    yield replace(sample, request=replace(sample.request, args=changed))


def values_of(schema: Any, value: Any) -> list[Any]:
    """Return values about the bounds of a schema."""
    if not isinstance(schema, Mapping):
        return []
    found: list[Any] = list(schema.get("enum") or ())
    found.extend((OTHER, {"unlike": [1]}, [], True, 7, None))
    for key in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
        if key in schema:
            bound = schema[key]
            found.extend((bound, bound - 1, bound + 1, bound - 0.5, bound + 0.5))
    if schema.get("enum") and all(isinstance(v, int | float) for v in schema["enum"]):
        found.append(max(schema["enum"]) + 1)
    if schema.get("type") == "string":
        found.extend(_strings(schema, value))
    if schema.get("type") == "array":
        found.extend(_lists(schema, value))
    if schema.get("type") == "object" and isinstance(value, dict):
        found.append({**value, "another": OTHER})
        for name, below in (schema.get("properties") or {}).items():
            rest = {key: item for key, item in value.items() if key != name}
            found.append(rest)
            found.extend({**value, name: item} for item in values_of(below, value.get(name)))
    return found


def _strings(schema: Mapping[str, Any], value: Any) -> Iterator[str]:
    text = value if isinstance(value, str) else "a"
    yield ""
    for key in ("minLength", "maxLength", "maxBytes"):
        bound = schema.get(key)
        if isinstance(bound, int) and bound <= _MOST:
            for length in (bound - 1, bound, bound + 1):
                if length >= 0:
                    yield _sized(text, length)
                    yield "a" * length
    for tail in ("!", "\n", " x", text[-1:]):
        yield text + tail
    for head in ("!", "\n", "x ", text[:1]):
        yield head + text
    yield text[:-1]
    yield text[1:]


def _sized(text: str, length: int) -> str:
    """Return a text of a length by repeating a character in its middle."""
    if len(text) >= length or not text:
        return text[:length]
    middle = len(text) // 2
    return text[:middle] + text[middle] * (length - len(text)) + text[middle:]


def _lists(schema: Mapping[str, Any], value: Any) -> Iterator[list[Any]]:
    items = value if isinstance(value, list) and value else ["a"]
    for key in ("minItems", "maxItems"):
        bound = schema.get(key)
        if isinstance(bound, int) and bound <= 2000:
            for length in (bound - 1, bound, bound + 1):
                if length >= 0:
                    yield (items * (length // len(items) + 1))[:length]
    yield [*items, items[0]]
    for item in values_of(schema.get("items"), items[0]):
        yield [item, *items[1:]]
        yield [*items, item]


def _near(value: Any, literals: list[Any]) -> Iterator[Any]:
    """Yield the constants of conditions where they could stand, and values next to them."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    for one in literals:
        if number and isinstance(one, int | float) and not isinstance(one, bool):
            yield from (one, one - 1, one + 1, one + 0.5, one - 0.5)
        elif isinstance(value, str) and isinstance(one, str):
            yield from (one, value + one, one + value, "https://" + one, "https://" + one + "/x")
            yield from (value + one[1:], one[:-1] + value)
        elif isinstance(value, list) and isinstance(one, str):
            yield [one]
            yield [*value, one]
    if isinstance(value, bool):
        yield not value
    if isinstance(value, str):
        yield OTHER
        yield value.upper()


def _facts_of(sample: Sample, compiled: Compiled, literals: list[Any]) -> Iterator[Sample]:
    answers = dict(sample.facts.answers)
    args = sample.request.args if isinstance(sample.request.args, dict) else {}
    principal = sample.request.principal or {}
    own = [v for v in (*args.values(), principal.get("id")) if isinstance(v, str | int | float)]
    for loaded in compiled.policies.policies:
        for name, fact in loaded.policy.facts.items():
            value = answers.get(name)
            candidates = [*values_of(fact.schema_, value), *_near(value, literals)]
            if isinstance(value, Mapping):
                for key, item in value.items():
                    near = [*_near(item, [*literals, *own]), *own]
                    if isinstance(item, list):
                        near.extend(([*item, OTHER], [], list(own)))
                    candidates.extend({**value, key: other} for other in near)
            elif isinstance(value, list):
                candidates.extend(([*value, *own], [one for one in value if one not in own]))
            for other in candidates:
                yield replace(sample, facts=replace(sample.facts, answers={**answers, name: other}))
            rest = {key: item for key, item in answers.items() if key != name}
            yield replace(sample, facts=replace(sample.facts, answers=rest))


def _session_of(sample: Sample, compiled: Compiled) -> Iterator[Sample]:
    session = sample.facts.session
    if session is None:
        return
    labels = {
        label
        for loaded in compiled.policies.policies
        for entry in (loaded.policy.tools or {}).values()
        for label in entry.labels
    }
    for label in sorted(labels):
        changed = session.labels ^ {label}
        yield replace(
            sample,
            facts=replace(sample.facts, session=replace(session, labels=frozenset(changed))),
        )
    yield replace(sample, facts=replace(sample.facts, session=Session(started=session.started)))
    for tool in session.calls:
        calls = Calls({name: n for name, n in session.calls.items() if name != tool})
        yield replace(sample, facts=replace(sample.facts, session=replace(session, calls=calls)))
    yield replace(sample, facts=replace(sample.facts, session=None))


def _texts_of(sample: Sample) -> Iterator[Sample]:
    request = sample.request
    for part in ("text", "result"):
        value = getattr(request, part)
        if isinstance(value, str):
            for other in (value.upper(), value + " x", "x " + value, [_PICTURE]):
                yield replace(sample, request=replace(request, **{part: other}))  # type: ignore[arg-type]


def _counts_of(sample: Sample, chain: Chain) -> Iterator[Sample]:
    for limit in chain.limits:
        key = counter_key(limit.by, limit.keys, sample.request, sample.facts)
        if key is None:
            continue
        for used in (limit.max, limit.max - 1, limit.max + 1, limit.max - 0.5):
            counters = {**sample.facts.counters, (limit.name, key): Count(max(0.0, used))}
            yield replace(sample, facts=replace(sample.facts, counters=counters))


def _people_of(sample: Sample, compiled: Compiled) -> Iterator[Sample]:
    request = sample.request
    for agent in (None, OTHER):
        yield replace(sample, request=replace(request, agent=agent))
    principal = dict(request.principal or {})
    for key, value in (("roles", [OTHER]), ("roles", None), ("tenant", OTHER), ("tenant", None)):
        changed = {**principal, key: value}
        yield replace(sample, request=replace(request, principal=changed))
    yield replace(sample, request=replace(request, principal=None))
    for name, now in ((h, sample.facts.now) for h in range(24)):
        if now is not None:
            yield replace(sample, facts=replace(sample.facts, now=now.replace(hour=name)))
    for loaded in compiled.policies.policies:
        for key, schema in loaded.policy.attrs.items():
            attrs = dict(principal.get("attrs") or {})
            for value in values_of(schema, attrs.get(key)):
                changed = {**principal, "attrs": {**attrs, key: value}}
                yield replace(sample, request=replace(request, principal=changed))
        for key, schema in loaded.policy.context.items():
            context = dict(request.context or {})
            for value in values_of(schema, context.get(key)):
                yield replace(sample, request=replace(request, context={**context, key: value}))


def _literals(chain: Chain) -> Iterator[Any]:
    for rule in chain.rules:
        if rule.condition is not None:
            yield from _of_tree(rule.condition.tree)


def _of_tree(node: Node) -> Iterator[Any]:
    if isinstance(node, Literal) and isinstance(node.value, str | int | float):
        yield node.value
    elif isinstance(node, Literal) and isinstance(node.value, list):
        yield from (one for one in node.value if isinstance(one, str | int | float))
    elif isinstance(node, ListItems):
        for item in node.items:
            yield from _of_tree(item)
    for child in children(node):
        yield from _of_tree(child)
