"""Requests in which a rule speaks, and which others speak there: most pairs need no proof."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from policy_engine.lint.containment import text_that_breaks
from policy_engine.lint.proof.choices import unlike
from policy_engine.lint.proof.decided import decided
from policy_engine.lint.proof.formula import Formula, Term
from policy_engine.lint.proof.scene import Scene
from policy_engine.lint.subject import PlacedCondition

__all__ = ["spoken_with"]

_MOST: Final = 6
"""So many requests are decided for one rule."""


def spoken_with(found: PlacedCondition, when: Formula, scene: Scene) -> Iterator[frozenset[str]]:
    """Go through what speaks in some requests in which a rule does; none where none was found.

    Args:
        found: The rule.
        when: When it matches.
        scene: Where it is looked at.
    """
    text = text_that_breaks(found.placed.rule) if found.stage != "tool_call" else None
    place: Term = ("result",) if found.stage == "tool_result" else ("text",)
    fixed = None if text is None else {place: text}
    for draft in islice(scene.requests(when, fixed=fixed, choices=unlike), _MOST):
        decision = decided(scene.subject, draft.witness(""))
        names = frozenset(reason.rule for reason in decision.reasons) if decision else frozenset()
        if found.compiled.name in names:
            yield names
