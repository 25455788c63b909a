"""Lists of a condition that hold one thing more, or one less."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from policy_engine.cel import INT, ListType, MapType
from policy_engine.cel.nodes import Call, Entry, Index, ListItems, Literal, MapEntries, Node
from policy_engine.cel.values import List, Map
from policy_engine.testing.mutation.wording import quoted
from policy_engine.testing.search.sample import OTHER

__all__ = [
    "Listed",
    "Written",
    "longer",
    "membership",
    "other_than",
    "shorter",
    "tables",
    "written_in",
]

Listed: TypeAlias = Callable[[Node], Sequence[Any]]
"""Returns the values that a policy lists for what a node reads; empty where it lists none."""
Put: TypeAlias = Callable[[Node], Node]
_Changes: TypeAlias = Iterator[tuple[Node, str]]
_NUMBERS: Final = (int, float)


@dataclass(frozen=True, slots=True)
class Written:
    """A list, or the keys of a map, that is written out or is one of the policy's constants."""

    node: Node
    put: Put
    """Returns the whole with something else in place of the list."""
    of: str = ""
    """Whose list it is, where a constant has several."""

    @property
    def items(self) -> tuple[Node, ...]:
        """What it holds."""
        match self.node:
            case ListItems(items=items):
                return items
            case MapEntries(entries=entries):
                return tuple(entry.key for entry in entries)
            case Literal(value=List() | Map() as values):
                return tuple(self._constant(one) for one in values)
        return ()

    def _constant(self, value: object) -> Literal:
        node = self.node
        assert isinstance(node, Literal)  # noqa: S101 - only constants have values
        kind = getattr(node.type, "element", getattr(node.type, "key", node.type))
        return Literal(node.start, node.end, value, kind)

    def without(self, i: int) -> Node:
        """Return the whole without one of the items."""
        match self.node:
            case ListItems(items=items):
                return self.put(replace(self.node, items=_cut(items, i)))
            case MapEntries(entries=entries):
                return self.put(replace(self.node, entries=_cut(entries, i)))
            case Literal(value=List() as values):
                return self.put(replace(self.node, value=List(_cut(values, i))))
            case Literal(value=Map() as values):
                kept = Map(one for n, one in enumerate(values.items()) if n != i)
                return self.put(replace(self.node, value=kept))
        raise TypeError(self.node)

    def with_more(self, item: Literal) -> Node:
        """Return the whole with an item more."""
        match self.node:
            case ListItems(items=items):
                return self.put(replace(self.node, items=(*items, item)))
            case MapEntries(entries=entries):
                entry = Entry(item, entries[-1].value)
                return self.put(replace(self.node, entries=(*entries, entry)))
            case Literal(value=List() as values):
                return self.put(replace(self.node, value=List((*values, item.value))))
            case Literal(value=Map() as values):
                more = Map({**values, item.value: next(iter(values.values()))})
                return self.put(replace(self.node, value=more))
        raise TypeError(self.node)


def _cut(items: tuple[Any, ...], i: int) -> tuple[Any, ...]:
    return (*items[:i], *items[i + 1 :])


def written_in(over: Node) -> Iterator[Written]:
    """Yield the lists that are written out in what something is looked for in."""
    match over:
        case ListItems(optionals=optionals) if optionals:
            return
        case ListItems() | MapEntries() | Literal(value=List() | Map()):
            yield Written(over, lambda new: new)
        case Call(function="+", arguments=(left, right)):
            for one in written_in(left):
                yield replace(
                    one,
                    put=lambda new, put=one.put: replace(over, arguments=(put(new), right)),  # type: ignore[misc]
                )
            for one in written_in(right):
                yield replace(
                    one,
                    put=lambda new, put=one.put: replace(over, arguments=(left, put(new))),  # type: ignore[misc]
                )
        case Index():
            for key, node, put in tables(over):
                if isinstance(node.value, List):
                    yield Written(node, put, f" of {key}")


def tables(node: Node) -> Iterator[tuple[str, Literal, Put]]:
    """Yield what a constant map holds, from which one thing is taken: key, value, how to put it."""
    match node:
        case Index(operand=Literal(value=Map() as held, type=MapType(value=kind)) as table):
            for key, value in held.items():

                def put(new: Node, key: object = key) -> Node:
                    assert isinstance(new, Literal)  # noqa: S101 - constants hold constants
                    changed = Map({**held, key: new.value})
                    return replace(node, operand=replace(table, value=changed))

                yield quoted(key), Literal(node.start, node.end, value, kind), put


def membership(node: Call, listed: Listed, *, matches: bool) -> _Changes:
    """Change what something is looked for in, so that a rule matches less."""
    item, over = node.arguments
    known = listed(item)
    found = list(written_in(over))
    for one in found:
        changes = shorter(one, beside=len(found) > 1) if matches else longer(one, known)
        for changed, what in changes:
            yield replace(node, arguments=(item, changed)), what
    if not found and not matches and isinstance(item, Literal):
        kind = getattr(over, "type", None)
        if isinstance(kind, ListType | MapType):
            size = Call(over.start, over.end, "size", (over,), type=INT)
            zero = Literal(node.start, node.end, 0, INT)
            yield (
                Call(node.start, node.end, ">", (size, zero), type=node.type),
                f"anything is let through like {quoted(item.value)}",
            )


def other_than(values: Sequence[Any], known: Sequence[Any], made: Any) -> Any:
    """Return another value of those that are known; None where there is none.

    Args:
        values: What it must not be: texts, or numbers.
        known: What a policy lists; empty where it lists nothing.
        made: What it is where nothing is listed.
    """
    is_text = isinstance(made, str)
    same = [one for one in known if (isinstance(one, str) if is_text else type(one) in _NUMBERS)]
    return next((one for one in same if one not in values), None if same else made)


def shorter(written: Written, *, beside: bool = False) -> _Changes:
    """Yield what a list is in without one of its items; all may go where there are lists beside."""
    items = written.items
    for i, one in enumerate(items if len(items) > 1 or beside else ()):
        what = quoted(one.value) if isinstance(one, Literal) else f"item {i + 1}"
        yield written.without(i), f"{what} is not in the list{written.of}"


def longer(written: Written, known: Sequence[Any] = ()) -> _Changes:
    """Yield what a list is in with one item more, which is among those that are known."""
    items = written.items
    literals = [one for one in items if isinstance(one, Literal)]
    values = [one.value for one in literals]
    other: Any = None
    if literals and all(isinstance(one, str) for one in values):
        other = other_than(values, known, OTHER)
    elif literals and all(type(one) in _NUMBERS for one in values):
        other = other_than(values, known, max(values) + 1)  # type: ignore[type-var,operator]
    if other is not None:
        more = written.with_more(replace(literals[0], value=other))
        yield more, f"{quoted(other)} is in the list{written.of}"
