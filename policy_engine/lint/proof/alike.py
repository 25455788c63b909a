"""Tools that declare the same, of which one stands for all."""

import json

from policy_engine.lint.proof.scene import Scene, scenes
from policy_engine.lint.subject import PlacedCondition, Subject

__all__ = ["unlike_scenes"]


def unlike_scenes(subject: Subject, found: PlacedCondition) -> list[Scene]:
    """Return where a rule's condition is looked at, of tools that declare the same only one."""
    every = scenes(subject, found)
    if len(every) < 2 or found.stage == "handoff" or _asks_for_tool(found):
        return every
    found_already: dict[str, Scene] = {}
    for one in every:
        found_already.setdefault(json.dumps(one.args, default=str), one)
    return list(found_already.values())


def _asks_for_tool(found: PlacedCondition) -> bool:
    condition = found.compiled.condition
    return condition is not None and any(path[0] == "tool" for path in condition.reads)
