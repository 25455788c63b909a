"""A tool whose rules together deny every call, or a limit too low for any.

What it does:
    Reports an entry that grants a tool where each of several rules denies some calls, and
    together they deny all of them. (One rule that denies everything is PE102.) Reports a limit of
    an argument's sum that the least which the tool accepts already exceeds.

Why:
    Each rule is right, and between them nothing is left: above 50 is denied by one, up to 50 by
    another. The agent is told that it may call the tool, and never can.

Fails:
    tools:
      pay:
        args: {amount: {type: number, minimum: 0, maximum: 100}}
        rules:
          - {id: large, when: args.amount > 50, effect: deny}
          - {id: small, when: args.amount <= 50, effect: deny}
    ---
    tools:
      pay: {args: {amount: {type: number, minimum: 10, maximum: 100}}}
    limits:
      - {id: paid, tools: [pay], of: args.amount, max: 5, per: day, by: [principal]}

Passes:
    tools:
      pay:
        args: {amount: {type: number, minimum: 0, maximum: 100}}
        rules:
          - {id: large, when: args.amount > 50, effect: deny}
          - {id: none, when: args.amount == 0, effect: deny}
    ---
    tools:
      pay: {args: {amount: {type: number, minimum: 10, maximum: 100}}}
    limits:
      - {id: paid, tools: [pay], of: args.amount, max: 500, per: day, by: [principal]}

Fix:
    Move one of the bounds, raise the limit, or deny the tool in its entry.
"""

from collections.abc import Iterator
from functools import partial
from itertools import islice, permutations
from typing import Final

from policy_engine.cel.nodes import Node
from policy_engine.compiler.names import is_glob
from policy_engine.lint.finding import Witness
from policy_engine.lint.proof.formula import Atom, Clause, Formula, opposite
from policy_engine.lint.proof.matching import matching
from policy_engine.lint.proof.resting import RESTS, rests
from policy_engine.lint.proof.scene import Scene, call_scene
from policy_engine.lint.proof.single import plain
from policy_engine.lint.proof.solve import is_impossible
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Entry, PlacedCondition, Subject, named_by
from policy_engine.lint.together import applies_with, covers_name
from policy_engine.policy import Limit, LoadedPolicy

__all__ = ["RULE"]

_TRIES: Final = 6
_MOST: Final = 12
"""More rules are not looked at together."""


def _find(subject: Subject) -> Iterator[Found]:
    yield from _limited(subject)
    for entry in subject.entries:
        if entry.block.effect == "deny":
            continue
        name = named_by(entry.name)
        rules = [
            found
            for found in subject.rules_of(name)
            if found.compiled.effect == "deny"
            and found.compiled.enforced
            and found.placed.rule.check is None
            and applies_with(found.policy, entry.policy)
        ]
        if 1 < len(rules) <= _MOST:
            scene = call_scene(subject, entry.policy, name)
            together = _together(rules, scene)
            if together:
                yield _found(entry, together, scene)


def _limited(subject: Subject) -> Iterator[Found]:
    """Find limits that not even the first call stays below."""
    for loaded in subject.policies:
        for index, limit in enumerate(loaded.policy.limits):
            summed = limit.of.startswith("args.") and "enforce" == limit.mode == loaded.policy.mode
            for entry in subject.entries_about(limit.tools or ()) if summed else ():
                covers = any(covers_name(name, entry.name) for name in limit.tools or ())
                if covers and entry.block.effect != "deny" and applies_with(loaded, entry.policy):
                    scene = call_scene(subject, entry.policy, named_by(entry.name))
                    if _is_too_low(limit, scene):
                        yield _below(loaded, index, entry, scene)
                        break


def _is_too_low(limit: Limit, scene: Scene) -> bool:
    term = tuple(limit.of.split("."))
    stays = Clause(Atom(term, "<=", limit.max, "number"), True, Node(0, 0))
    is_known = not scene.base(term).is_empty
    return is_known and is_impossible(stays, base=scene.base)


def _below(loaded: LoadedPolicy, index: int, entry: Entry, scene: Scene) -> Found:
    limit = loaded.policy.limits[index]
    what = "a tool like this" if is_glob(entry.name) else f'"{entry.name}"'
    resting = rests([scene], partial(_is_too_low, limit))
    term = tuple(limit.of.split("."))
    least, is_open = scene.base(term).lowest
    return Found(
        loaded,
        ("limits", index, "max"),
        f'no call of {what} can pass: each counts more towards "{limit.id}" than it permits'
        + (RESTS if resting else ""),
        "raise it above the least that a call counts, or deny the tool in its entry",
        witness=scene.show(
            shows=f'"{limit.id}" is exceeded by the first call',
            effect="deny",
            speaks=(f"{loaded.policy.policy}/{limit.id}",),
            fixed={} if is_open else {term: plain(least)},
        ),
        severity="warning" if resting else None,
    )


def _together(rules: list[PlacedCondition], scene: Scene) -> list[PlacedCondition]:
    """Return rules that deny everything together; none where one alone does, or they do not."""
    quiet: list[Formula] = [opposite(matching(found, scene)) for found in rules]
    if any(is_impossible(one, base=scene.base) for one in quiet):
        return []
    if not is_impossible(*quiet, base=scene.base):
        return []
    left = list(zip(rules, quiet, strict=True))
    for pair in list(left):
        fewer = [one for one in left if one is not pair]
        if is_impossible(*(one for _, one in fewer), base=scene.base):
            left = fewer
    return [found for found, _ in left]


def _is_proved(rules: list[PlacedCondition], place: Scene) -> bool:
    quiet: list[Formula] = [opposite(matching(found, place)) for found in rules]
    return is_impossible(*quiet, base=place.base)


def _found(entry: Entry, rules: list[PlacedCondition], scene: Scene) -> Found:
    named = ", ".join(f'"{found.placed.rule.id}"' for found in rules)
    resting = rests([scene], partial(_is_proved, rules))
    what = "a tool like this" if is_glob(entry.name) else f'"{entry.name}"'
    return Found(
        entry.policy,
        entry.path,
        f"no call of {what} can pass: {named} deny every one between them"
        + (RESTS if resting else ""),
        "move a bound, or deny the tool in its entry",
        on_key=True,
        witness=_witness(rules, scene),
        severity="warning" if resting else None,
    )


def _witness(rules: list[PlacedCondition], scene: Scene) -> Witness | None:
    """Return a call that one of the rules lets through, and another denies."""
    for first, second in islice(permutations(rules, 2), _TRIES):
        passes, denies = first.placed.rule.id, second.placed.rule.id
        shown = scene.show(
            opposite(matching(first, scene)),
            shows=f'"{passes}" lets it through, and "{denies}" denies it',
            effect="deny",
            speaks=(second.compiled.name,),
            silent=(first.compiled.name,),
        )
        if shown is not None:
            return shown
    return scene.show(shows="denied, as any other", effect="deny")


RULE: Final = LintRule("PE134", "nothing-passes", "error", __doc__ or "", _find, proves=True)
