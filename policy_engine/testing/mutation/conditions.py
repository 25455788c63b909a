"""Conditions that are wrong in one place: a clause dropped, a bound moved, a list changed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from policy_engine.cel import BOOL, STRING, TIMESTAMP
from policy_engine.cel.nodes import (
    And,
    Bind,
    Call,
    Conditional,
    Entry,
    Has,
    Index,
    ListItems,
    Literal,
    Loop,
    LoopKind,
    MapEntries,
    Node,
    Not,
    OptionalMap,
    Or,
    Select,
    children,
)
from policy_engine.testing.mutation.comparisons import changed_call
from policy_engine.testing.mutation.lists import Listed, longer, shorter, written_in
from policy_engine.testing.mutation.wording import changed_at, quoted, shown

__all__ = ["ChangedCondition", "changed_conditions"]


@dataclass(frozen=True, slots=True)
class ChangedCondition:
    """A condition with one change."""

    tree: Node
    what: str
    at: int
    """Where in the text of the condition, in code points."""
    texts: tuple[str, str] | None = None
    """The pattern before and after, where that is what is changed."""


_Changes: TypeAlias = Iterator[tuple[Node, str]]
_VALUES: Final[Mapping[type[Node | Entry], tuple[str, ...]]] = {
    Call: ("arguments",),
    Select: ("operand",),
    Has: ("operand",),
    Index: ("operand", "key"),
    ListItems: ("items",),
    MapEntries: ("entries",),
    Entry: ("key", "value"),
    OptionalMap: ("operand", "body"),
    Conditional: ("test", "then", "otherwise"),
    Loop: ("range", "condition", "result"),
    Bind: ("value", "body"),
}
"""Where a value holds others."""
_ZONED: Final = frozenset(
    f"get{part}"
    for part in (
        *("FullYear", "Month", "Date", "DayOfMonth", "DayOfWeek", "DayOfYear"),
        *("Hours", "Minutes", "Seconds", "Milliseconds"),
    )
)
_FAR: Final = ("Etc/GMT+12", "Etc/GMT-12")
"""Time zones of which one is far away from any."""


def changed_conditions(tree: Node, text: str, listed: Listed) -> Iterator[ChangedCondition]:
    """Yield a condition's tree with each single change, and what it is.

    Args:
        tree: The checked tree.
        text: What it was read from.
        listed: Returns the values that the policy lists for what a node reads, if any.
    """
    before = list(_patterns(tree))
    told: set[str] = set()
    for changed, what in _Changer(text, listed).changes(tree, matches=True):
        pairs = zip(before, _patterns(changed), strict=False)
        texts = next(((old, new) for old, new in pairs if old != new), None)
        at = changed_at(tree, changed)
        clear = f"{what} (at character {at + 1} of the condition)" if what in told else what
        if clear not in told:
            told.add(clear)
            yield ChangedCondition(changed, clear, at, texts)


def _patterns(node: Node) -> Iterator[str]:
    """Yield the patterns that a condition matches texts with."""
    match node:
        case Call(function="matches", arguments=(_, Literal(value=str(pattern)))):
            yield pattern
    for child in children(node):
        yield from _patterns(child)


@dataclass(frozen=True, slots=True)
class _Changer:
    text: str
    listed: Listed

    def changes(self, node: Node, *, matches: bool) -> _Changes:
        """Yield changes of a boolean part.

        `matches` says whether the rule matches more often where this part is true.
        """
        match node:
            case And() | Or():
                yield from self._clauses(node, matches=matches)
            case Not(operand=operand):
                yield operand, f"`{shown(operand, self.text)}` is not negated"
                for changed, what in self.changes(operand, matches=not matches):
                    yield replace(node, operand=changed), what
            case Conditional():
                yield from self._choice(node, matches=matches)
            case Loop(condition=condition) if condition is not None:
                yield from self._loop(node, condition, matches=matches)
            case Bind(body=body):
                for changed, what in self.changes(body, matches=matches):
                    yield replace(node, body=changed), what
                yield from self._at(node, "value")
            case Call():
                yield from changed_call(node, self.text, self.listed, matches=matches)
                yield from self._at(node, "arguments")
            case _:
                yield from self._inside(node)

    def _clauses(self, node: And | Or, *, matches: bool) -> _Changes:
        terms = node.terms
        for i, term in enumerate(terms):
            rest = (*terms[:i], *terms[i + 1 :])
            whole = rest[0] if len(rest) == 1 else replace(node, terms=rest)
            yield whole, f"the clause `{shown(term, self.text)}` is gone"
            for changed, what in self.changes(term, matches=matches):
                yield replace(node, terms=(*terms[:i], changed, *terms[i + 1 :])), what

    def _choice(self, node: Conditional, *, matches: bool) -> _Changes:
        test = shown(node.test, self.text)
        yield node.then, f"the test `{test}` always holds"
        yield node.otherwise, f"the test `{test}` never holds"
        for changed, what in self._either(node.test):
            yield replace(node, test=changed), what
        for changed, what in self.changes(node.then, matches=matches):
            yield replace(node, then=changed), what
        for changed, what in self.changes(node.otherwise, matches=matches):
            yield replace(node, otherwise=changed), what

    def _loop(self, node: Loop, condition: Node, *, matches: bool) -> _Changes:
        """Change all(), exists() and exists_one(), or what they ask of each element."""
        if node.kind == "exists" and matches:
            yield replace(node, kind="all"), "`exists` is `all`"
        elif node.kind == "all" and not matches:
            yield replace(node, kind="exists"), "`all` is `exists`"
        elif node.kind == "exists_one":
            kind: LoopKind = "all" if matches else "exists"
            yield replace(node, kind=kind), f"`exists_one` is `{kind}`"
        inner = (
            self.changes(condition, matches=matches)
            if node.kind in ("all", "exists")
            else self._either(condition)
        )
        for changed, what in inner:
            yield replace(node, condition=changed), what
        yield from self._range(node, matches=matches)

    def _range(self, node: Loop, *, matches: bool) -> _Changes:
        """Change a list that is written out and gone over, so that the rule matches less."""
        found = list(written_in(node.range))
        if not found:
            yield from self._at(node, "range")
        elif node.kind in ("exists", "all"):
            change = shorter if (node.kind == "exists") is matches else longer
            for written in found:
                for changed, what in change(written):
                    yield replace(node, range=changed), what

    def _either(self, node: Node) -> _Changes:
        """Yield changes of a boolean part whose part in the whole is not known."""
        seen = set()
        for matches in (True, False):
            for changed, what in self.changes(node, matches=matches):
                if what not in seen:
                    seen.add(what)
                    yield changed, what

    def _at(self, node: Any, name: str) -> _Changes:
        """Change the conditions somewhere in a value that another node holds."""
        held = getattr(node, name)
        if isinstance(held, tuple):
            for i, below in enumerate(held):
                for changed, what in self._value(below):
                    yield replace(node, **{name: (*held[:i], changed, *held[i + 1 :])}), what
        elif isinstance(held, Node):
            for changed, what in self._value(held):
                yield replace(node, **{name: changed}), what

    def _value(self, node: Any) -> _Changes:
        """Change the conditions, and the time zones, that a value is made of."""
        if getattr(node, "type", None) == BOOL:
            yield from self._either(node)
            return
        match node:
            case Conditional(test=test):
                written = shown(test, self.text)
                yield node.then, f"the test `{written}` always holds"
                yield node.otherwise, f"the test `{written}` never holds"
            case Loop(kind="filter", range=over):
                yield over, f"`{shown(node, self.text)}` leaves nothing out"
            case Call(function=function) if function in _ZONED:
                yield from self._zone(node)
        yield from self._inside(node)

    def _inside(self, node: Any) -> _Changes:
        for name in _VALUES.get(type(node), ()):
            yield from self._at(node, name)

    def _zone(self, node: Call) -> _Changes:
        """Let an hour, or a day, be that of somewhere else."""
        first, *rest = node.arguments
        written = rest[0].value if rest and isinstance(rest[0], Literal) else None
        if getattr(first, "type", None) == TIMESTAMP and (written is not None or not rest):
            other = next(zone for zone in _FAR if zone != written)
            zone = Literal(node.start, node.end, other, STRING)
            what = f"`{shown(node, self.text)}` is that of {quoted(other)}"
            yield replace(node, arguments=(first, zone)), what
