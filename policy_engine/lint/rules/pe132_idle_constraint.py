"""A rule about arguments that nothing breaks, or that everything does.

What it does:
    Reports an argument under a rule's `args` whose schema every accepted call fits, because the
    entry asks for as much already, and one that no accepted call fits.

Why:
    A rule with `args` speaks where they are broken. One that cannot be broken restricts nothing,
    and the day somebody widens the entry it turns out to be wider than anybody meant. One that is
    always broken stops every call.

Fails:
    tools:
      refund: {args: {amount: {type: number, minimum: 0, maximum: 100}}}
    rules:
      - {id: small, tools: [refund], args: {amount: {type: number, maximum: 1000}}, effect: deny}
    ---
    tools:
      refund: {args: {amount: {type: number, minimum: 0, maximum: 100}}}
    rules:
      - {id: large, tools: [refund], args: {amount: {type: number, minimum: 500}}, effect: deny}

Passes:
    tools:
      refund: {args: {amount: {type: number, minimum: 0, maximum: 100}}}
    rules:
      - {id: small, tools: [refund], args: {amount: {type: number, maximum: 50}}, effect: deny}

Fix:
    Narrow the schema to what is meant, or remove the rule.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.lint.proof.formula import Formula, opposite
from policy_engine.lint.proof.matching import fitting
from policy_engine.lint.proof.scene import Scene, scenes
from policy_engine.lint.proof.solve import is_impossible
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import PlacedCondition, Subject

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        if found.compiled.constraint is None:
            continue
        places = scenes(subject, found)
        if not places or not all(place.args for place in places):
            continue  # some tool takes any arguments
        for argument in found.compiled.constraint.schemas:
            fits = [fitting(found, place, argument) for place in places]
            if _never(places, [opposite(one) for one in fits]):
                yield _found(found, argument, places[0], holds=True)
            elif _never(places, fits):
                yield _found(found, argument, places[0], holds=False)


def _never(places: list[Scene], wanted: list[Formula]) -> bool:
    return all(
        is_impossible(one, base=place.base) for place, one in zip(places, wanted, strict=True)
    )


def _found(found: PlacedCondition, argument: str, scene: Scene, *, holds: bool) -> Found:
    rule, name = found.placed.rule.id, found.compiled.name
    alone = len(found.compiled.constraint.schemas) == 1 if found.compiled.constraint else False
    message = (
        f'every accepted call fits this, so "{argument}" never makes "{rule}" speak'
        if holds
        else f'no accepted call fits this, so "{rule}" speaks of every call'
    )
    shows = "accepted, and the rule has nothing to say" if holds else "stopped, like every call"
    return Found(
        found.policy,
        (*found.placed.path, "args", argument),
        message,
        "narrow it to what is meant, or remove it" if holds else "widen it to what is meant",
        on_key=True,
        witness=scene.show(
            shows=shows,
            silent=(name,) if holds and alone else (),
            speaks=() if holds else (name,),
        ),
        severity=None if holds else "error",
    )


RULE: Final = LintRule("PE132", "idle-constraint", "warning", __doc__ or "", _find, proves=True)
