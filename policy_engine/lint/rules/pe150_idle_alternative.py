"""An alternative that makes another one idle.

What it does:
    Reports an alternative of `anyOf` whose values another one takes as well, such as a list of
    values next to any text, and a text with `if` and `then` but without `else`, where whatever
    does not fit `if` is free.

Why:
    A value needs to fit one of them. The alternative with the restrictions reads like a check,
    and the free one next to it takes everything that fails it.

Fails:
    tools:
      pay:
        args:
          to: {anyOf: [{type: string, pattern: '^DE[0-9]{20}$'}, {type: string, maxLength: 40}]}
    ---
    tools:
      pay:
        args:
          to: {type: string, maxLength: 40, if: {pattern: ^DE}, then: {pattern: '^DE[0-9]{20}$'}}

Passes:
    tools:
      pay:
        args:
          to: {anyOf: [{type: string, pattern: '^DE[0-9]{20}$'}, {enum: [cash, voucher]}]}
    ---
    tools:
      pay:
        args:
          to:
            type: string
            maxLength: 40
            if: {pattern: ^DE}
            then: {pattern: '^DE[0-9]{20}$'}
            else: {pattern: '^FR[0-9]{20}$'}

Fix:
    Restrict every alternative, and give `if` an `else`; `else: false` refuses the rest.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from policy_engine.lint.accepted import accepted
from policy_engine.lint.alternatives import is_within, part_of, without
from policy_engine.lint.places import SchemaAt, schemas
from policy_engine.lint.proof.schema import values_of
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.policy.words import quoted
from policy_engine.source import Path

__all__ = ["RULE"]

_NARROW: Final = frozenset(
    {"enum", "const", "pattern", "format", "check", "anyOf", "oneOf", "$ref"}
)
_ODD: Final = ("; drop table users", "x", "../x", "0", "evil.example")
_MOST: Final = 12
"""More alternatives are not compared."""


def _find(subject: Subject) -> Iterator[Found]:
    roots: dict[tuple[Path, str], Mapping[str, Any]] = {}
    for place in schemas(subject):
        key = (place.path[: place.path.index(place.argument, 2) + 1], place.argument)
        root = roots.setdefault(key, place.schema)
        yield from _alternatives(subject, place, root)
        yield from _conditional(subject, place)


def _alternatives(subject: Subject, place: SchemaAt, root: Mapping[str, Any]) -> Iterator[Found]:
    branches = place.schema.get("anyOf")
    if not isinstance(branches, list) or not 1 < len(branches) <= _MOST:
        return
    rest = without(place.schema, "anyOf")
    parts = [part_of(rest, branch, root) for branch in branches]
    for index, part in enumerate(parts):
        wider = next(
            (
                other
                for at, other in enumerate(parts)
                if at != index
                and is_within(part, other)
                and not (at > index and is_within(other, part))
            ),
            None,
        )
        if wider is None or values_of(rest, part).is_empty:
            continue
        named = parts.index(wider) + 1
        yield Found(
            place.policy,
            (*place.path, "anyOf", index),
            f'this alternative of "{place.name}" restricts nothing: number {named} takes '
            "whatever it takes, and more",
            "restrict the other one, or remove this one",
            witness=_outside(subject, place, part, wider),
        )


def _outside(subject: Subject, place: SchemaAt, part: Any, wider: Any) -> Any:
    """Show a value that the restricted alternative refuses and the other one takes."""
    tried = [*_ODD, *islice(values_of(wider).candidates(), 4)]
    for value in tried:
        if not values_of(part).admits(value) and values_of(wider).admits(value):
            witness = accepted(subject, place, value, "accepted by the other alternative")
            if witness is not None:
                return witness
    return None


def _conditional(subject: Subject, place: SchemaAt) -> Iterator[Found]:
    schema = place.schema
    if "then" not in schema or schema.get("else", True) not in (True, {}):
        return
    if schema.get("type") != "string" or not _NARROW.isdisjoint(schema):
        return
    shows = 'accepted: it does not fit "if", and nothing else is asked'
    for value in _ODD:
        witness = accepted(subject, place, value, shows)
        if witness is not None:
            yield Found(
                place.policy,
                (*place.path, "if"),
                f'whatever does not fit "if" is free: {quoted(value)} is accepted',
                "add an `else`; `else: false` refuses the rest",
                on_key=True,
                witness=witness,
            )
            return


RULE: Final = LintRule("PE150", "idle-alternative", "warning", __doc__ or "", _find, proves=True)
