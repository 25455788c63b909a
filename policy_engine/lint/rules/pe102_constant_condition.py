"""A condition that every request meets.

What it does:
    Reports a `when` that is true whatever the request says.

Why:
    Mostly `||` stands where `&&` was meant: `args.env != "dev" || args.env != "test"` is true of
    every value. The rule then stops, or asks about, every single call.

Fails:
    tools:
      deploy:
        args: {env: {type: string, maxLength: 20}}
        rules:
          - {id: only-safe, when: 'args.env != "dev" || args.env != "test"', effect: deny}

Passes:
    tools:
      deploy:
        args: {env: {type: string, maxLength: 20}}
        rules:
          - {id: only-safe, when: 'args.env != "dev" && args.env != "test"', effect: deny}

Fix:
    Use `&&`, or say it without a condition: put the effect on the entry.
"""

from collections.abc import Iterator
from functools import partial
from typing import Final

from policy_engine.lint.proof.alike import unlike_scenes
from policy_engine.lint.proof.formula import Formula, formula
from policy_engine.lint.proof.resting import RESTS, rests
from policy_engine.lint.proof.scene import Scene
from policy_engine.lint.proof.solve import is_impossible
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        condition = found.compiled.condition
        if condition is None:
            continue
        never = formula(condition.tree, holds=False)
        places = unlike_scenes(subject, found)
        if places and all(is_impossible(never, base=place.base) for place in places):
            name = found.compiled.name
            alone = found.compiled.check is None
            resting = rests(places, partial(_is_proved, never))
            yield Found(
                found.policy,
                found.path,
                f'this condition is always true, so "{found.placed.rule.id}" '
                + ("speaks of everything" if alone else "is its check alone")
                + (RESTS if resting else ""),
                "use `&&` where all was meant; without a condition, put the effect on the entry",
                witness=places[0].show(
                    shows=f'"{name}" speaks of a request like any other', speaks=(name,)
                )
                if alone
                else None,
            )


def _is_proved(never: Formula, place: Scene) -> bool:
    return is_impossible(never, base=place.base)


RULE: Final = LintRule("PE102", "constant-condition", "warning", __doc__ or "", _find, proves=True)
