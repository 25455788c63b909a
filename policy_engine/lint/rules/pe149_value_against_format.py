"""A value that its own format excludes.

What it does:
    Reports a value of `enum` or `const`, or one that a condition compares with, that cannot be
    what `format` says: `alice` of a mail address, `2026-1-5` of a date.

Why:
    What the schema accepts never equals it. `!(args.to in ["alice", "bob"])` denies every mail,
    `args.to == "alice"` none; and dates are put in order letter by letter.

Fails:
    tools:
      mail:
        args: {to: {type: string, format: email}}
        rules:
          - {id: known, when: '!(args.to in ["alice", "bob"])', effect: deny}
    ---
    tools:
      book: {args: {day: {type: string, format: date, enum: ['2026-1-5', '2026-01-06']}}}

Passes:
    tools:
      mail:
        args: {to: {type: string, format: email}}
        rules:
          - {id: known, when: '!(args.to in ["alice@acme.com", "bob@acme.com"])', effect: deny}

Fix:
    Write the value as the format has it.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from policy_engine.cel.nodes import Call
from policy_engine.checks.schema import FORMATS, compile_schema
from policy_engine.lint.pieces import every_clause
from policy_engine.lint.places import nodes, schemas
from policy_engine.lint.proof.formula import Term, constant, formula, term
from policy_engine.lint.proof.scene import scenes
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import PlacedCondition, Subject
from policy_engine.policy.words import quoted

__all__ = ["RULE"]

_ORDERED: Final = frozenset({"<", "<=", ">", ">="})
_BEGINS: Final = {"date-time": "date"}
"""Format -> one with which its values begin, so that they can be put in order with it."""


def _find(subject: Subject) -> Iterator[Found]:
    for place in schemas(subject):
        name = place.schema.get("format")
        listed = place.schema.get("enum")
        values: list[tuple[tuple[str | int, ...], Any]] = [
            (("enum", index), value)
            for index, value in enumerate(listed if isinstance(listed, list) else ())
        ]
        if "const" in place.schema:
            values.append((("const",), place.schema["const"]))
        for steps, value in values:
            if isinstance(name, str) and not _fits(name, value):
                yield Found(place.policy, (*place.path, *steps), _said(value, name), _HINT)
    for found in subject.conditions:
        if found.compiled.condition is not None:
            yield from _compared(subject, found)


def _compared(subject: Subject, found: PlacedCondition) -> Iterator[Found]:
    assert found.compiled.condition is not None  # noqa: S101 - asked before
    tree = found.compiled.condition.tree
    for clause in every_clause(formula(tree)):
        atom = clause.atom
        if atom.kind not in {"==", "in"} or not atom.term:
            continue
        listed = atom.operand if atom.kind == "in" else (atom.operand,)
        wrong = [value for value in listed if isinstance(value, str)]
        name = _format(subject, found, atom.term) if wrong else None
        wrong = [value for value in wrong if name is not None and not _fits(name, value)]
        if wrong and name is not None:
            part = (clause.node.start, clause.node.end)
            yield Found(found.policy, found.path, _said(wrong[0], name), _HINT, part=part)
    for node in nodes(tree):
        if not isinstance(node, Call) or node.function not in _ORDERED:
            continue
        for read, written in (node.arguments, node.arguments[::-1]):
            path, value = term(read), constant(written)
            name = None if path is None else _format(subject, found, path)
            if name is None or not isinstance(value, str) or _fits(name, value):
                continue
            if not _fits(_BEGINS.get(name, name), value):
                part = (node.start, node.end)
                yield Found(found.policy, found.path, _said(value, name), _HINT, part=part)


def _format(subject: Subject, found: PlacedCondition, path: Term) -> str | None:
    """Return the format that a value certainly has."""
    names: set[str | None] = set()
    for scene in scenes(subject, found):
        declared = [one for one in scene.schemas(path) if isinstance(one, dict)]
        names.add(next((one["format"] for one in declared if "format" in one), None))
    return names.pop() if len(names) == 1 else None


def _fits(name: str, value: object) -> bool:
    return name not in FORMATS or not isinstance(value, str) or _is_of(name, value)


@lru_cache(maxsize=1024)
def _is_of(name: str, value: str) -> bool:
    return compile_schema({"type": "string", "format": name}).fits(value)


def _said(value: object, name: str) -> str:
    return f'{quoted(value)} is no "{name}"'


_HINT: Final = "write it as the format has it"

RULE: Final = LintRule("PE149", "value-against-format", "error", __doc__ or "", _find)
