"""A rule about arguments that nothing breaks, or that everything does.

What it does:
    Reports an argument under a rule's `args` whose schema every accepted call fits, because the
    entry asks for as much already, and one that no accepted call fits. With `--tools`, what the
    tool's own schema takes counts too.

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
    ---
    # tools.json: [{"name": "pay", "inputSchema": {"type": "object", "required": ["amount"],
    # tools.json: "properties": {"amount": {"type": "number", "maximum": 1000}}}}]
    tools: {pay: allow}
    rules:
      - {id: large, tools: [pay], args: {amount: {type: number, maximum: 2000}}, effect: deny}

Passes:
    tools:
      refund: {args: {amount: {type: number, minimum: 0, maximum: 100}}}
    rules:
      - {id: small, tools: [refund], args: {amount: {type: number, maximum: 50}}, effect: deny}

Fix:
    Narrow the schema to what is meant, or remove the rule.
"""

from collections.abc import Iterator
from functools import partial
from typing import Final

from policy_engine.lint.proof.formula import Formula, opposite
from policy_engine.lint.proof.matching import fitting
from policy_engine.lint.proof.resting import RESTS, rests
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
                resting = rests(places, partial(_is_proved, found, argument, holds=True))
                yield _found(found, argument, places[0], holds=True, resting=resting)
            elif _never(places, fits):
                resting = rests(places, partial(_is_proved, found, argument, holds=False))
                yield _found(found, argument, places[0], holds=False, resting=resting)


def _never(places: list[Scene], wanted: list[Formula]) -> bool:
    return all(
        is_impossible(one, base=place.base) for place, one in zip(places, wanted, strict=True)
    )


def _is_proved(found: PlacedCondition, argument: str, place: Scene, *, holds: bool) -> bool:
    fits = fitting(found, place, argument)
    return is_impossible(opposite(fits) if holds else fits, base=place.base)


def _found(
    found: PlacedCondition, argument: str, scene: Scene, *, holds: bool, resting: bool
) -> Found:
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
        message + (RESTS if resting else ""),
        "narrow it to what is meant, or remove it" if holds else "widen it to what is meant",
        on_key=True,
        witness=scene.show(
            *(_others(found, scene) if holds else ()),
            shows=shows,
            silent=(name,) if holds and alone else (),
            speaks=() if holds else (name,),
        ),
        severity=None if holds or resting else "error",
    )


def _others(found: PlacedCondition, scene: Scene) -> list[Formula]:
    """Return that no other rule about arguments is broken."""
    return [
        fitting(one, scene)
        for one in scene.subject.rules_of(scene.name or "")
        if one is not found and one.compiled.constraint is not None
    ]


RULE: Final = LintRule("PE132", "idle-constraint", "warning", __doc__ or "", _find, proves=True)
