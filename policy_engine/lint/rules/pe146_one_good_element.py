"""A list that one good element lets through.

What it does:
    Reports a rule that stops a call only where every element of a list is bad, and one that looks
    at a single element of a list: `!args.to.exists(t, t.endsWith("@acme.com"))` is silent as soon
    as one address is ours, whoever else is among them. Where another rule stops the mixed list,
    nothing is reported.

Why:
    "Only to our own people" asks every element. Who wants to send to a stranger adds one of us.

Fails:
    tools:
      mail:
        args: {to: {type: array, minItems: 1, maxItems: 9, items: {type: string, format: email}}}
        rules:
          - {id: ours, when: '!args.to.exists(t, t.endsWith("@acme.com"))', effect: deny}
    ---
    tools:
      mail:
        args: {to: {type: array, minItems: 1, maxItems: 9, items: {type: string, format: email}}}
        rules:
          - {id: ours, when: '!args.to[0].endsWith("@acme.com")', effect: deny}

Passes:
    tools:
      mail:
        args: {to: {type: array, minItems: 1, maxItems: 9, items: {type: string, format: email}}}
        rules:
          - {id: ours, when: '!args.to.all(t, t.endsWith("@acme.com"))', effect: deny}

Fix:
    Write `!list.all(x, good)`, or `list.exists(x, bad)`.
"""

from collections.abc import Iterator
from itertools import islice, product
from typing import Any, Final

from policy_engine.cel.nodes import Call, Index, Literal, Loop, VariableRead
from policy_engine.lint.finding import Witness
from policy_engine.lint.pieces import RESTRICTING, slips_through
from policy_engine.lint.places import nodes, replaced
from policy_engine.lint.proof.formula import (
    Atom,
    Clause,
    Formula,
    Term,
    TooManyError,
    clauses,
    constant,
    formula,
    opposite,
    term,
)
from policy_engine.lint.proof.scene import Draft, Scene, scenes
from policy_engine.lint.proof.schema import ELEMENT, sampled
from policy_engine.lint.proof.solve import cases
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import PlacedCondition, Subject
from policy_engine.lint.words import kind_of

__all__ = ["RULE"]

_TRIES: Final = 6
_SAID: Final = frozenset({"<", ">", "=="})
"""Comparisons that a part which is not understood says, rather than their opposite."""
_NONE: Final = frozenset({("==", 0), ("<", 1), ("<=", 0)})
_SOME: Final = frozenset({("!=", 0), (">", 0), (">=", 1)})
"""What the size of a filtered list is compared with."""


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        condition = found.compiled.condition
        if condition is None or found.compiled.effect not in RESTRICTING:
            continue
        if found.stage != "tool_call":
            continue
        for clause in clauses(formula(condition.tree)):
            yield from _asked(subject, found, clause)


def _asked(subject: Subject, found: PlacedCondition, clause: Clause) -> Iterator[Found]:
    part = (clause.node.start, clause.node.end)
    every = _every(clause)
    if every is not None:
        witness = _witness(subject, found, every)
        if witness is not None:
            name = every.atom.term[-1]
            message = f'one element of "{name}" that passes lets all the others through'
            yield Found(found.policy, found.path, message, _HINT, part=part, witness=witness)
    elif clause.atom.kind == "other":
        single = _single(subject, found, clause)
        witness = None if single is None else _witness(subject, found, single)
        if single is not None and witness is not None:
            message = f'only one element of "{single.atom.term[-1]}" is looked at'
            yield Found(found.policy, found.path, message, _HINT, part=part, witness=witness)


def _every(clause: Clause) -> Clause | None:
    """Return what the rule asks of every element of a list of an argument, as a test."""
    if clause.atom.kind == "every":
        return clause if clause.holds and clause.atom.term[:1] == ("args",) else None
    match clause.node:
        case Call(
            function=operator,
            arguments=(Call(function="size", arguments=(Loop(kind="filter") as loop,)), right),
        ):
            wanted = (operator, constant(right))
        case _:
            return None
    settled = _NONE if _holds(clause) else _SOME
    if wanted not in settled:
        return None
    exists = Loop(loop.start, loop.end, "exists", loop.range, loop.variables, loop.condition, None)
    none = formula(exists, holds=False)
    if isinstance(none, Clause) and none.atom.kind == "every" and none.atom.term[:1] == ("args",):
        return Clause(none.atom, none.holds, clause.node)
    return None


def _holds(clause: Clause) -> bool:
    """Whether the part itself is true where its clause is met."""
    node = clause.node
    if not isinstance(node, Call) or node.function not in {"<", "<=", ">", ">=", "==", "!="}:
        return clause.holds
    return clause.holds is (node.function in _SAID)


def _single(subject: Subject, found: PlacedCondition, clause: Clause) -> Clause | None:
    """Return what the rule asks of one element, as if it asked it of every one."""
    for node in nodes(clause.node):
        if not isinstance(node, Index) or not isinstance(node.key, Literal):
            continue
        listed = term(node.operand)
        if not isinstance(node.key.value, int) or listed is None or listed[:1] != ("args",):
            continue
        if not _is_plain_list(subject, found, listed):
            continue
        element = VariableRead(node.start, node.end, ".".join((*listed, ELEMENT)), None, node.type)
        inner = formula(replaced(clause.node, node, element), holds=_holds(clause))
        if not isinstance(inner, Clause) or inner.atom.kind != "other":
            return Clause(Atom(listed, "every", inner, "list"), True, clause.node)
    return None


def _is_plain_list(subject: Subject, found: PlacedCondition, listed: Term) -> bool:
    """Whether the elements of a list are alike, rather than a command and its arguments."""
    if kind_of(listed[-1]) in {"shell", "code"}:
        return False
    schemas: list[Any] = [one for scene in scenes(subject, found) for one in scene.schemas(listed)]
    return not any(isinstance(schema, dict) and "prefixItems" in schema for schema in schemas)


def _witness(subject: Subject, found: PlacedCondition, every: Clause) -> Witness | None:
    """Return a call with a good and a bad element that nothing stops."""
    drafts = (draft for scene in scenes(subject, found)[:2] for draft in _mixed(scene, every))
    return slips_through(
        subject, found, every.atom.term, drafts, "not stopped: one of them is good"
    )


def _mixed(scene: Scene, every: Clause) -> Iterator[Draft]:
    """Go through requests with a list that has a good element in front of a bad one."""
    bad: Formula = every.atom.operand
    path = every.atom.term
    pairs = product(_elements(scene, path, opposite(bad)), _elements(scene, path, bad))
    for pair in islice(pairs, _TRIES):
        yield scene.plain({path: list(pair)})
    some_bad = Clause(Atom(path, "every", opposite(bad), "list"), False, every.node)
    some_good = Clause(every.atom, False, every.node)
    yield from islice(scene.requests(some_good, some_bad), _TRIES)


def _elements(scene: Scene, path: Term, wanted: Formula) -> Iterator[Any]:
    """Go through elements of a list that meet a formula."""
    inner = (*path, ELEMENT)
    usual = sampled(scene.schemas(inner))
    try:
        found = list(islice(cases(wanted, base=scene.base), 2))
    except TooManyError:
        return
    for case in found:
        values = case.values.get(inner)
        if values is not None:
            yield from (one for one in (usual,) if values.admits(one))
            yield from islice(values.candidates(), 2)


_HINT: Final = "write `!list.all(x, good)`, or `list.exists(x, bad)`"

RULE: Final = LintRule("PE146", "one-good-element", "warning", __doc__ or "", _find)
