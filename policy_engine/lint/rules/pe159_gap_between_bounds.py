"""A number between two bounds that neither of them takes.

What it does:
    Reports two rules about calls of one tool, of which one speaks up to a number and the other
    from that number on, where the number itself, or what lies between two whole ones, is free:
    `args.amount < 500` beside `args.amount > 500`, and `<= 500` beside `>= 501` of a number.

Why:
    Below 500 somebody is asked, and above it the call is denied. At exactly 500 neither rule
    speaks, and that is the number which people, and models, choose.

Fails:
    tools:
      pay:
        args: {amount: {type: number, exclusiveMinimum: 0, maximum: 1000}}
        rules:
          - id: asks
            when: args.amount > 100 && args.amount < 500
            effect: require_approval
            approval: {approvers: [finance], expires: 1h}
          - {id: never, when: args.amount > 500, effect: deny}
    ---
    tools:
      open_door:
        args: {door: {enum: [front, back]}}
        rules:
          - id: morning
            when: now.getHours("UTC") >= 9 && now.getHours("UTC") < 12
            effect: require_approval
            approval: {approvers: [porter], expires: 10m}
          - {id: afternoon, when: now.getHours("UTC") > 12, effect: deny}
    ---
    tools:
      pay:
        args: {amount: {type: number, exclusiveMinimum: 0, maximum: 9000}}
        rules:
          - id: asks
            when: args.amount > 100 && args.amount <= 500
            effect: require_approval
            approval: {approvers: [finance], expires: 1h}
          - {id: never, when: args.amount > 5000, effect: deny}

Passes:
    tools:
      pay:
        args: {amount: {type: number, exclusiveMinimum: 0, maximum: 1000}}
        rules:
          - id: asks
            when: args.amount > 100 && args.amount < 500
            effect: require_approval
            approval: {approvers: [finance], expires: 1h}
          - {id: never, when: args.amount >= 500, effect: deny}

Fix:
    Give the number to one of the rules: write `<=` or `>=`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from policy_engine.lint.finding import Witness
from policy_engine.lint.pieces import RESTRICTING
from policy_engine.lint.proof.decided import decided
from policy_engine.lint.proof.formula import Clause, Term, clauses, formula
from policy_engine.lint.proof.scene import Draft, Scene, scenes
from policy_engine.lint.proof.schema import ELEMENT
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import PlacedCondition, Subject
from policy_engine.lint.words import AMOUNTS, names_in, words_of

__all__ = ["RULE"]

_AMOUNTS: Final = AMOUNTS | names_in("rows count limit replicas days copies seats records")
_ABOUT_ALL: Final = ("args.", "entry.", "limit.exceeded", "request.invalid")
"""How codes of reasons begin that may be about a value, whatever rule they name."""
_TRIES: Final = 4
_NEAREST: Final = 3
"""So many rules that may leave a gap with another are looked at, those next to it first."""
_MOST: Final = 60
"""So many pairs without a gap are looked at."""


@dataclass(frozen=True, slots=True)
class _End:
    """Where a rule begins or ends to speak."""

    found: PlacedCondition
    clause: Clause
    number: float
    is_upper: bool
    is_open: bool
    """Whether it does not speak of the number itself."""

    @property
    def is_integer(self) -> bool:
        return self.clause.atom.type == "integer"

    @property
    def inside(self) -> tuple[float, ...]:
        """Numbers of which it speaks, the nearest first."""
        if not self.is_open:
            return (self.number,)
        steps = (1,) if self.is_integer else (0.01, 1)
        return tuple(self.number + (-step if self.is_upper else step) for step in steps)


def _find(subject: Subject) -> Iterator[Found]:
    every = _ends(subject)
    left = _MOST
    for listed in every:
        for at, lower in enumerate(listed):
            near = sorted(
                (abs(number - at), number)
                for number, upper in enumerate(listed)
                if not lower.is_upper and upper.is_upper and _is_near(upper, lower, listed)
            )
            for _, number in near[:_NEAREST]:
                shown = _shown(subject, listed[number], lower) if left > 0 else None
                if shown is not None:
                    yield _found(listed[number], lower, *shown)
                    break
                left -= 1
    for listed in every:
        yield from _wide(subject, listed)


def _ends(subject: Subject) -> list[list[_End]]:
    """Return where rules about calls begin and end to speak, by what they compare."""
    ends: dict[Term, list[_End]] = {}
    for found in subject.conditions:
        condition = found.compiled.condition
        if condition is None or found.stage != "tool_call":
            continue
        if found.compiled.effect in RESTRICTING:
            for clause in clauses(formula(condition.tree)):
                if clause.atom.kind in {"<", "<="} and ELEMENT not in clause.atom.term:
                    ends.setdefault(clause.atom.term, []).append(_end(found, clause))
    return list(ends.values())


def _wide(subject: Subject, listed: list[_End]) -> Iterator[Found]:
    """Find rules that ask about amounts up to a number, above which nothing speaks."""
    for upper in listed:
        found, term = upper.found, upper.clause.atom.term
        is_asking = upper.is_upper and found.compiled.effect == "require_approval"
        if not is_asking or term[0] != "args" or _AMOUNTS.isdisjoint(words_of(term[-1])):
            continue
        if not any(
            one.found is found and not one.is_upper and 0 < one.number < upper.number
            for one in listed
        ):
            continue
        for scene in scenes(subject, found)[:1]:
            witness = _beyond(scene, upper)
            if witness is not None:
                message = f"nothing asks above {upper.number:g}, and nothing denies it"
                part = (upper.clause.node.start, upper.clause.node.end)
                hint = "take this bound away, or let the next rule begin here"
                yield Found(found.policy, found.path, message, hint, part=part, witness=witness)


def _beyond(scene: Scene, upper: _End) -> Witness | None:
    """Return a call of more than a rule speaks of, where nothing about the amount stops it."""
    condition, term = upper.found.compiled.condition, upper.clause.atom.term
    if condition is None:
        return None
    more = (upper.number + 1, upper.number * 2, upper.number * 10)
    inside = next(filter(scene.base(term).admits, upper.inside), None)
    wanted = formula(condition.tree)
    for number in filter(scene.base(term).admits, more) if inside is not None else ():
        asked = scene.requests(wanted, fixed={term: inside})
        free = scene.requests(wanted, fixed={term: number})
        for draft, beyond in islice(zip(asked, free, strict=False), _TRIES):
            witness = beyond.witness(
                "not stopped: it is above both bounds", silent=(upper.found.compiled.name,)
            )
            if _speaks(scene, upper, draft) and _is_free(scene, witness, term):
                return witness
    return None


def _end(found: PlacedCondition, clause: Clause) -> _End:
    is_upper, is_closed = clause.holds, (clause.atom.kind == "<=") is clause.holds
    return _End(found, clause, clause.atom.operand, is_upper, not is_closed)


def _is_near(upper: _End, lower: _End, listed: list[_End]) -> bool:
    """Whether nothing but a number, or less than one, can lie between two ends of two rules."""
    between = lower.number - upper.number
    if upper.found is lower.found or between not in {0, 1, 2}:
        return False
    if between == 0 and upper.number == 0:
        return False  # below and above zero are two directions, and zero is neither
    if between == 0 and not (upper.is_open and lower.is_open):
        return False
    if between == 1 and upper.is_integer and not (upper.is_open or lower.is_open):
        return False  # 4 and 5 are neighbours
    if between == 2 and (not upper.is_integer or upper.is_open or lower.is_open):
        return False
    if upper.found.compiled.effect != lower.found.compiled.effect:
        return True
    # Both deny: `< 5` and `> 5` leave one value on purpose, unless one of them has two ends.
    return any(
        other.found is one.found and other.is_upper is not one.is_upper
        for one in (upper, lower)
        for other in listed
    )


def _shown(subject: Subject, upper: _End, lower: _End) -> tuple[float, Witness] | None:
    """Return a number that is free, where those on both sides of it are not."""
    names = set(subject.covered(lower.found))
    scene = next((one for one in scenes(subject, upper.found) if one.name in names), None)
    if scene is None:
        return None
    values = scene.base(upper.clause.atom.term)
    number = next(filter(values.admits, _between(upper, lower)), None)
    below = next(filter(values.admits, upper.inside), None)
    above = next(filter(values.admits, lower.inside), None)
    if number is None or below is None or above is None:
        return None
    witness = _stepped(scene, upper, lower, (below, number, above))
    return None if witness is None else (number, witness)


def _between(upper: _End, lower: _End) -> Iterator[float]:
    for end in (upper, lower):
        if end.is_open:
            yield end.number
    middle = (upper.number + lower.number) / 2
    yield int(middle) if middle == int(middle) else middle


def _stepped(
    scene: Scene, upper: _End, lower: _End, numbers: tuple[float, float, float]
) -> Witness | None:
    """Return the middle one of three calls, where only it is left alone."""
    term = upper.clause.atom.term
    for end in (upper, lower):
        condition = end.found.compiled.condition
        if condition is None:
            return None
        wanted = formula(condition.tree)
        first, second, third = (scene.requests(wanted, fixed={term: number}) for number in numbers)
        drafts = zip(first, second, third, strict=False)
        for below, middle, above in islice(drafts, _TRIES):
            if not _speaks(scene, upper, below) or not _speaks(scene, lower, above):
                continue
            shows = "not stopped: it lies between the two rules"
            silent = (upper.found.compiled.name, lower.found.compiled.name)
            witness = middle.witness(shows, silent=silent)
            if _is_free(scene, witness, term):
                return witness
    return None


def _speaks(scene: Scene, end: _End, draft: Draft) -> bool:
    decision = decided(scene.subject, draft.witness(""))
    return decision is not None and any(
        reason.rule == end.found.compiled.name for reason in decision.reasons
    )


def _is_free(scene: Scene, witness: Witness, term: Term) -> bool:
    """Whether no rule that reads a value stops a call, and nothing about its arguments."""
    decision = decided(scene.subject, witness)
    if decision is None:
        return False
    root = term[1:] if term[0] == "size" else term
    about = {
        found.compiled.name
        for found in scene.subject.rules_of(str(scene.name))
        if found.compiled.condition is None
        or any(read[:2] == root[: len(read)][:2] for read in found.compiled.condition.reads)
    }
    return not any(
        reason.rule in about or reason.code.startswith(_ABOUT_ALL)
        for reason in decision.reasons
        if reason.effect != "allow"
    )


def _found(upper: _End, lower: _End, number: float, witness: Witness) -> Found:
    name = upper.found.compiled.name.rpartition("/")[2]
    part = (lower.clause.node.start, lower.clause.node.end)
    return Found(
        lower.found.policy,
        lower.found.path,
        f'{number:g} is left free between this rule and "{name}"',
        "write `>=` here, or `<=` there",
        part=part,
        witness=witness,
    )


RULE: Final = LintRule("PE159", "gap-between-bounds", "warning", __doc__ or "", _find)
