"""Conditions whose terms tell what they say: each side of `&&`, `||` and `? :`, each element.

Theory of operation. A condition is compiled once more by the same generator, with every term
wrapped in a function that notes its outcome. Both sides of `&&` and `||` are asked whatever the
other says, since either may decide; so is every element of a macro. Of `? :` only the side that
the test chooses is asked.
"""

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Final

from policy_engine.cel import BOOL, Condition, Environment, Variable
from policy_engine.cel.code import call, choose, thunk
from policy_engine.cel.expression import compile_by
from policy_engine.cel.generate import Generator
from policy_engine.cel.nodes import (
    And,
    Conditional,
    Has,
    Index,
    Literal,
    Loop,
    Node,
    Not,
    Or,
    Select,
    VariableRead,
    children,
)
from policy_engine.cel.problems import EvaluationError
from policy_engine.compiler import CompiledRule
from policy_engine.decision import Facts, Request
from policy_engine.testing.coverage.item import Outcome

__all__ = ["Terms", "text_of"]

_PLACES: Final = Environment(
    {"request": Variable(BOOL, ("request",)), "facts": Variable(BOOL, ("facts",))}
)
"""What the function of a condition takes."""


class Terms:
    """The terms of a rule's condition, asked all at once.

    Args:
        rule: The rule.
        condition: Its condition.
    """

    def __init__(self, rule: CompiledRule, condition: Condition) -> None:
        self._guards = {_guarded(guard.place, guard.name): guard for guard in rule.guards}
        self._failing: frozenset[tuple[str, ...]] = frozenset()
        self._noted: list[tuple[int, Outcome]] = []
        alone = _bare(condition.tree) if rule.check is None else None
        found = [node for node in _terms(condition.tree) if node is not alone]
        self.nodes: tuple[Node, ...] = tuple(found)
        """What is asked; a condition that is one term has none of its own."""
        self._function: Callable[..., object] | None = None
        if found:
            generator = _Noting(
                {id(node): i for i, node in enumerate(found)},
                self._guards.keys(),
                self._note,
                self._check,
            )
            self._function = compile_by(generator, condition.tree, _PLACES, None)

    def outcomes(self, request: Request, facts: Facts) -> Sequence[tuple[int, Outcome]]:
        """Return what the terms say of a request, each by its position in `nodes`."""
        if self._function is None:
            return ()
        self._noted = []
        self._failing = frozenset(
            path for path, guard in self._guards.items() if not guard.holds(request, facts)
        )
        self._function(request, facts)
        return self._noted

    def _note(self, number: int, ask: Callable[[], object]) -> bool:
        try:
            value = ask()
            if not isinstance(value, bool):
                raise EvaluationError("not a bool")  # noqa: TRY301 - it is noted as all others
        except Exception:
            self._noted.append((number, Outcome.CANNOT_TELL))
            raise
        self._noted.append((number, Outcome.MATCH if value else Outcome.NO_MATCH))
        return value

    def _check(self, path: tuple[str, ...], ask: Callable[[], object]) -> object:
        """Read a declared value; one that does not fit its schema cannot be told."""
        if path in self._failing:
            raise EvaluationError("not of the declared form")
        return ask()


def text_of(condition: Condition, node: Node) -> str:
    """Return the text of a term, on one line."""
    end = node.end
    while condition.text.count("(", node.start, end) > condition.text.count(")", node.start, end):
        closing = condition.text.find(")", end)  # what stands in brackets does not have the last
        if closing < 0:
            break
        end = closing + 1
    return " ".join(condition.text[node.start : end].split())


def _guarded(place: str, name: str) -> tuple[str, ...]:
    return ("principal", "attrs", name) if place == "attrs" else (place, name)


def _bare(node: Node) -> Node:
    while isinstance(node, Not):
        node = node.operand
    return node


def _terms(node: Node) -> Iterator[Node]:
    """Yield the terms of a condition, and those within them."""
    match node:
        case And(terms=terms) | Or(terms=terms):
            for term in terms:
                yield from _terms(term)
        case Not(operand=operand):
            yield from _terms(operand)
        case Conditional(test=test, then=then, otherwise=otherwise):
            yield from _terms(test)
            for part in (then, otherwise):
                yield from _terms(part) if node.type == BOOL else _within(part)
        case Literal():
            return
        case _:
            yield node
            yield from _within(node)


def _within(node: Node) -> Iterator[Node]:
    """Yield the terms in a value."""
    match node:
        case And() | Or() | Conditional():
            yield from _terms(node)
        case Not(operand=And() | Or() | Conditional() as operand):
            yield from _terms(operand)
        case Loop(range=over, condition=condition, result=result):
            yield from _within(over)
            yield from () if condition is None else _terms(condition)
            yield from () if result is None else _within(result)
        case _:
            for child in children(node):
                yield from _within(child)


class _Noting(Generator):
    """Makes code that notes what terms say, and asks all of them."""

    def __init__(
        self,
        terms: Mapping[int, int],
        guards: Iterable[tuple[str, ...]],
        note: Callable[[int, Callable[[], object]], bool],
        check: Callable[[tuple[str, ...], Callable[[], object]], object],
    ) -> None:
        super().__init__(absorbing=True)
        self._terms = terms
        self._guards = frozenset(guards)
        self._note = note
        self._check = check
        # In place of what stops as soon as the outcome is known.
        self.constants.update(_ASKING_ALL)

    def boolean(self, node: Node) -> ast.expr:
        """Return code for a bool, noted where it is a term."""
        code = super().boolean(node)
        number = self._terms.get(id(node))
        if number is None:
            return code
        return call(self.hold(partial(self._note, number)), thunk(code))

    def _conditional(self, node: Conditional) -> ast.expr:
        read = self.boolean if node.type == BOOL else self.value
        return choose(self.boolean(node.test), read(node.then), read(node.otherwise))

    def _select(self, node: Select, *, comparing: bool) -> ast.expr:
        return self._guarded(node, super()._select(node, comparing=comparing))

    def _has(self, node: Has) -> ast.expr:
        return self._guarded(node, super()._has(node))

    def _index(self, node: Index) -> ast.expr:
        return self._guarded(node, super()._index(node))

    def _guarded(self, node: Node, code: ast.expr) -> ast.expr:
        path = _path(node)
        if path not in self._guards:
            return code
        return call(self.hold(partial(self._check, path)), thunk(code))


def _path(node: Node) -> tuple[str, ...] | None:
    """Return the path that a node reads from a variable, or None for anything else."""
    match node:
        case VariableRead(name=text):
            return tuple(text.split("."))
        case Select(operand=operand, field=text) | Has(operand=operand, field=text):
            before = _path(operand)
        case Index(operand=operand, key=Literal(value=str(text))):
            before = _path(operand)
        case _:
            return None
    return None if before is None else (*before, text)


def _every(*terms: Callable[[], bool]) -> bool:
    """Ask all terms; a false one outweighs errors."""
    said, failed = _asked(terms)
    if failed is not None and False not in said:
        raise failed
    return False not in said


def _any(*terms: Callable[[], bool]) -> bool:
    """Ask all terms; a true one outweighs errors."""
    said, failed = _asked(terms)
    if failed is not None and True not in said:
        raise failed
    return True in said


def _every_row(rows: Sequence[object], test: Callable[[object], bool]) -> bool:
    return _every(*(partial(test, row) for row in rows))


def _any_row(rows: Sequence[object], test: Callable[[object], bool]) -> bool:
    return _any(*(partial(test, row) for row in rows))


def _one_row(rows: Sequence[object], test: Callable[[object], bool]) -> bool:
    """Ask of all rows whether exactly one passes."""
    return len(_kept_rows(rows, test)) == 1


def _kept_rows(rows: Sequence[object], test: Callable[[object], bool]) -> Sequence[object]:
    """Ask all rows, and return those that pass; an error outweighs everything."""
    kept: list[object] = []
    failed: Exception | None = None
    for row in rows:
        try:
            kept.extend([row] if test(row) else ())
        except Exception as error:  # noqa: BLE001 - raised once all are asked
            failed = error
    if failed is not None:
        raise failed
    return kept


def _asked(terms: Sequence[Callable[[], bool]]) -> tuple[set[bool], Exception | None]:
    said: set[bool] = set()
    failed: Exception | None = None
    for term in terms:
        try:
            said.add(term())
        except Exception as error:  # noqa: BLE001 - any error may be outweighed
            failed = error
    return said, failed


_ASKING_ALL: Final[Mapping[str, object]] = MappingProxyType(
    {
        "_absorb_and": _every,
        "_absorb_or": _any,
        "_absorb_all": _every_row,
        "_absorb_exists": _any_row,
        "_loop_exists_one": _one_row,
        "_loop_filter": _kept_rows,
    }
)
