"""Texts and addresses that a condition looks for, one step off."""

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_network
from typing import Final, TypeAlias

from policy_engine.cel import STRING
from policy_engine.cel.nodes import Call, Literal, Node
from policy_engine.testing.mutation.patterns import loosened_pattern, tightened_pattern
from policy_engine.testing.mutation.wording import quoted, shown
from policy_engine.testing.search.sample import OTHER

__all__ = ["AFFIXES", "NETWORKS", "affix", "network", "pattern", "unfolded"]

AFFIXES: Final = frozenset({"startsWith", "endsWith", "contains"})
NETWORKS: Final = frozenset({"containsIP", "containsCIDR"})
_FOLDING: Final = frozenset({"lowerAscii", "upperAscii", "trim", "replace"})
_Changes: TypeAlias = Iterator[tuple[Node, str]]


def affix(node: Call, text: str, *, matches: bool) -> _Changes:
    """Shorten, or lengthen, what a text must begin with, end with or contain, or seek elsewhere."""
    sought = node.arguments[1]
    at_end = node.function == "endsWith"
    if matches:
        yield _longer(node, sought, text, at_end=at_end)
        elsewhere: tuple[str, ...] = (
            ("startsWith", "endsWith") if node.function == "contains" else ()
        )
    else:
        yield from _shorter(node, sought, at_end=at_end)
        elsewhere = () if node.function == "contains" else ("contains",)
    for function in elsewhere:
        what = f"`{shown(node, text)}` is asked with {function}"
        yield replace(node, function=function), what


def _longer(node: Call, sought: Node, text: str, *, at_end: bool) -> tuple[Node, str]:
    more = Literal(sought.start, sought.end, OTHER, STRING)
    if isinstance(sought, Literal):
        before = str(sought.value)
        after = f"{OTHER}{before}" if at_end else f"{before}{OTHER}"
        changed: Node = replace(sought, value=after)
        return _with(node, changed), _told(node, before, after)
    both = (more, sought) if at_end else (sought, more)
    changed = Call(sought.start, sought.end, "+", both, type=STRING)
    written = shown(sought, text)
    plus = f'"{OTHER}" + {written}' if at_end else f'{written} + "{OTHER}"'
    return _with(node, changed), f"{node.function}({written}) is {node.function}({plus})"


def _shorter(node: Call, sought: Node, *, at_end: bool) -> _Changes:
    place, inner = _outermost(sought, at_end=at_end)
    if inner is None or not isinstance(inner.value, str) or not inner.value:
        return
    before = inner.value
    after = before[1:] if at_end else before[:-1]
    changed = _put(sought, place, replace(inner, value=after))
    yield _with(node, changed), _told(node, before, after)


def _told(node: Call, before: str, after: str) -> str:
    name = node.function
    return f"{name}({quoted(before)}) is {name}({quoted(after)})"


def _with(node: Call, sought: Node) -> Node:
    return replace(node, arguments=(node.arguments[0], sought))


def _outermost(node: Node, *, at_end: bool) -> tuple[tuple[int, ...], Literal | None]:
    """Find the literal that a text made of several pieces begins with, or ends with."""
    if isinstance(node, Literal):
        return (), node
    if isinstance(node, Call) and node.function == "+":
        for at in (0, 1) if at_end else (1, 0):
            place, found = _outermost(node.arguments[at], at_end=at_end)
            if found is not None:
                return (at, *place), found
    return (), None


def _put(node: Node, place: tuple[int, ...], new: Node) -> Node:
    if not place:
        return new
    assert isinstance(node, Call)  # noqa: S101 - that is where the place was found
    at, rest = place[0], place[1:]
    arguments = (
        *node.arguments[:at],
        _put(node.arguments[at], rest, new),
        *node.arguments[at + 1 :],
    )
    return replace(node, arguments=arguments)


def pattern(node: Call, *, matches: bool) -> _Changes:
    """Loosen the pattern that a text must match, or tighten one that it may not."""
    value, sought = node.arguments
    if isinstance(sought, Literal) and isinstance(sought.value, str):
        change = tightened_pattern if matches else loosened_pattern
        for after, what in change(sought.value):
            if after:
                yield replace(node, arguments=(value, replace(sought, value=after))), what


def network(node: Call, *, matches: bool) -> _Changes:
    """Halve, or double, a range of addresses."""
    match node.arguments[0]:
        case Call(function="cidr", arguments=(Literal(value=str(before)) as written,)) as made:
            base, _, length = before.partition("/")
            after = int(length) + (1 if matches else -1)
            if 0 <= after <= ip_network(before, strict=False).max_prefixlen:
                wide = f"{base}/{after}"
                changed = replace(made, arguments=(replace(written, value=wide),))
                yield (
                    replace(node, arguments=(changed, *node.arguments[1:])),
                    f'the range "{before}" is "{wide}"',
                )


def unfolded(node: Call, text: str) -> _Changes:
    """Take what a text is folded by before it is compared away."""
    for i, argument in enumerate(node.arguments):
        for changed, what in _bare(argument, text):
            rest = (*node.arguments[:i], changed, *node.arguments[i + 1 :])
            yield replace(node, arguments=rest), what


def _bare(node: Node, text: str) -> _Changes:
    if isinstance(node, Call) and node.function in _FOLDING:
        first, *others = node.arguments
        yield first, f"`{node.function}()` of `{shown(first, text)}` is gone"
        for changed, what in _bare(first, text):
            yield replace(node, arguments=(changed, *others)), what
