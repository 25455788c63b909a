"""An argument that is only checked when it is there.

What it does:
    Reports an argument of an entry whose name says whether, where or for whom something is done
    (`confirm`, `dry_run`, `env`, `tenant`, `role`...), whose values are restricted, and which is
    `optional: true`.

Why:
    Who leaves it out passes the check, and the tool's own default decides: `confirm` must be
    true, but need not be given.

Fails:
    tools:
      wipe: {args: {confirm: {type: boolean, const: true, optional: true}}}

Passes:
    tools:
      wipe: {args: {confirm: {type: boolean, const: true}}}

Fix:
    Remove `optional: true`; where a tool has a harmless default, let the model state it.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.lint.places import arguments
from policy_engine.lint.proof.scene import call_scene
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject, named_by
from policy_engine.lint.words import GUARDS

__all__ = ["RULE"]


_RESTRICTING: Final = ("enum", "const", "pattern", "maximum", "minimum", "check")


def _find(subject: Subject) -> Iterator[Found]:
    for place in arguments(subject):
        if place.schema.get("optional") is not True or place.name.lower() not in GUARDS:
            continue
        if not any(key in place.schema for key in _RESTRICTING) or place.entry is None:
            continue
        scene = call_scene(subject, place.policy, named_by(place.entry.name))
        yield Found(
            place.policy,
            (*place.path, "optional"),
            f'"{place.name}" is restricted, but may be left out',
            "remove `optional: true`",
            on_key=True,
            witness=scene.show(shows="accepted without it", silent=(place.rule,)),
        )


RULE: Final = LintRule("PE206", "optional-guard", "warning", __doc__ or "", _find)
