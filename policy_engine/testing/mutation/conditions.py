"""Conditions that are wrong in one place: a bound moved, a clause dropped, a list changed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from policy_engine.cel.nodes import (
    And,
    Call,
    Conditional,
    ListItems,
    Literal,
    Loop,
    Node,
    Not,
    Or,
)

__all__ = ["OTHER", "ChangedCondition", "changed_conditions"]

OTHER: Final = "mallory"
"""A value that no policy lists."""
_STRICT: Final = {">=": ">", "<=": "<"}
_LOOSE: Final = {">": ">=", "<": "<="}
_AFFIXES: Final = frozenset({"startsWith", "endsWith", "contains", "matches"})
_MIRRORED: Final = {">": "<", "<": ">", ">=": "<=", "<=": ">="}


@dataclass(frozen=True, slots=True)
class ChangedCondition:
    """A condition with one change."""

    tree: Node
    what: str


_Changes: TypeAlias = Iterator[tuple[Node, str]]


def changed_conditions(tree: Node, text: str) -> Iterator[ChangedCondition]:
    """Yield a condition's tree with each single change, and what it is."""
    for changed, what in _changes(tree, text, matches=True):
        yield ChangedCondition(changed, what)


def _changes(node: Node, text: str, *, matches: bool) -> _Changes:
    """Yield changes of a boolean part.

    `matches` says whether the rule matches more often where this part is true.
    """
    match node:
        case And() | Or():
            yield from _clauses(node, text, matches=matches)
        case Not(operand=operand):
            for changed, what in _changes(operand, text, matches=not matches):
                yield replace(node, operand=changed), what
        case Conditional():
            yield from _choice(node, text, matches=matches)
        case Loop(condition=condition) if condition is not None:
            yield from _loop(node, condition, text, matches=matches)
        case Call():
            yield from _call(node, text, matches=matches)


def _clauses(node: And | Or, text: str, *, matches: bool) -> _Changes:
    terms = node.terms
    for i, term in enumerate(terms):
        rest = (*terms[:i], *terms[i + 1 :])
        whole = rest[0] if len(rest) == 1 else replace(node, terms=rest)
        yield whole, f"the clause `{_text(term, text)}` is gone"
        for changed, what in _changes(term, text, matches=matches):
            yield replace(node, terms=(*terms[:i], changed, *terms[i + 1 :])), what


def _choice(node: Conditional, text: str, *, matches: bool) -> _Changes:
    test = _text(node.test, text)
    yield node.then, f"the test `{test}` always holds"
    yield node.otherwise, f"the test `{test}` never holds"
    for changed, what in _changes(node.then, text, matches=matches):
        yield replace(node, then=changed), what
    for changed, what in _changes(node.otherwise, text, matches=matches):
        yield replace(node, otherwise=changed), what


def _loop(node: Loop, condition: Node, text: str, *, matches: bool) -> _Changes:
    """Change all() and exists(), or what they ask of each element."""
    if node.kind == "exists" and matches:
        yield replace(node, kind="all"), "`exists` is `all`"
    elif node.kind == "all" and not matches:
        yield replace(node, kind="exists"), "`all` is `exists`"
    if node.kind in ("all", "exists"):
        for changed, what in _changes(condition, text, matches=matches):
            yield replace(node, condition=changed), what


def _call(node: Call, text: str, *, matches: bool) -> _Changes:
    if node.function in _MIRRORED:
        yield from _comparison(node, text, matches=matches)
    elif node.function == "in":
        item, over = node.arguments
        yield from _listed(node, item, over, matches=matches)
    elif node.function in _AFFIXES and not matches:
        yield from _affix(node)


def _comparison(node: Call, text: str, *, matches: bool) -> _Changes:
    """Move a bound so that the rule matches less: by one, or over its own value."""
    function = node.function
    first, second = node.arguments
    swap = (_STRICT if matches else _LOOSE).get(function)
    if swap is not None:
        yield replace(node, function=swap), f"`{_text(node, text)}` compares with {swap}"
        return
    if _is_number(second):
        greater = function[0] == ">"
        moved = _moved(second, up=greater is matches)
        yield replace(node, arguments=(first, moved)), _bound(second, moved)
    elif _is_number(first):
        greater = _MIRRORED[function][0] == ">"
        moved = _moved(first, up=greater is matches)
        yield replace(node, arguments=(moved, second)), _bound(first, moved)


def _is_number(node: Node) -> bool:
    return isinstance(node, Literal) and type(node.value) in (int, float)


def _moved(node: Node, *, up: bool) -> Literal:
    assert isinstance(node, Literal)  # noqa: S101 - asked before
    return replace(node, value=node.value + (1 if up else -1))  # type: ignore[operator]


def _bound(before: Node, after: Node) -> str:
    assert isinstance(before, Literal)  # noqa: S101 - asked before
    assert isinstance(after, Literal)  # noqa: S101 - asked before
    return f"the bound {before.value} is {after.value}"


def _listed(node: Call, item: Node, over: Node, *, matches: bool) -> _Changes:
    """Change a list so that the rule matches less."""
    match over:
        case ListItems(items=items) if not over.optionals:
            pass
        case _:
            return
    literals = [one for one in items if isinstance(one, Literal)]
    if matches and len(items) > 1:
        for i, one in enumerate(items):
            rest = (*items[:i], *items[i + 1 :])
            shown = json.dumps(one.value) if isinstance(one, Literal) else "an item"
            yield (
                replace(node, arguments=(item, replace(over, items=rest))),
                f"{shown} is not in the list",
            )
    if not matches and literals and isinstance(literals[0].value, str):
        more = (*items, replace(literals[0], value=OTHER))
        yield (
            replace(node, arguments=(item, replace(over, items=more))),
            f'"{OTHER}" is in the list',
        )


def _affix(node: Call) -> _Changes:
    """Shorten what a text must begin or end with, or loosen the pattern that it must match."""
    function, (value, sought) = node.function, node.arguments
    inner = sought.arguments[0] if isinstance(sought, Call) and sought.function == "+" else sought
    if not isinstance(inner, Literal) or not isinstance(inner.value, str) or not inner.value:
        return
    before = inner.value
    if function == "matches":
        loosened = [before.removeprefix("^"), before.removesuffix("$")]
    else:
        loosened = [before[1:] if function == "endsWith" else before[:-1]]
    for after in loosened:
        if after != before:
            literal = replace(inner, value=after)
            changed: Node = literal
            if inner is not sought and isinstance(sought, Call):
                changed = replace(sought, arguments=(literal, *sought.arguments[1:]))
            yield (
                replace(node, arguments=(value, changed)),
                f"{function}({json.dumps(before)}) is {function}({json.dumps(after)})",
            )


def _text(node: Node, text: str) -> str:
    shown = " ".join(text[node.start : node.end].split())
    return shown if len(shown) <= 60 else shown[:59] + "…"
