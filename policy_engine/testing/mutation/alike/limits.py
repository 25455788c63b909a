"""Proves of a limit that it stops the same calls, by what it counts and by whose calls."""

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from policy_engine.compiler import Compiled
from policy_engine.compiler.names import globs_overlap, is_glob
from policy_engine.decision import decimal
from policy_engine.policy import Limit, ToolBlock
from policy_engine.policy.words import number
from policy_engine.testing.mutation.alike.pairs import granted
from policy_engine.testing.mutation.mutant import Mutant

__all__ = ["of_limit"]


def of_limit(mutant: Mutant, base: Compiled) -> str | None:
    """Say why a limit stops the same calls as before; None without a proof.

    Args:
        mutant: What was changed.
        base: The policy set.
    """
    policy = base.parts[mutant.index].loaded.policy
    known = granted(base)
    match mutant.unit:
        case ("limits", int(i)) if len(mutant.policy.limits) == len(policy.limits):
            old, new = policy.limits[i], mutant.policy.limits[i]
        case _:
            return None
    if known is None or (old.tools is None and old.stage != "tool_call"):
        return None
    counted = [
        (name, entry)
        for name, entry in known
        if any(globs_overlap(glob, name) for glob in old.tools or ("*",))
    ]
    return _of_sum(old, new, counted) or _of_tool(old, new, counted)


def _of_sum(old: Limit, new: Limit, counted: Sequence[tuple[str, ToolBlock]]) -> str | None:
    """Prove that no sum comes between two bounds."""
    if not old.of.startswith("args.") or new != old.model_copy(update={"max": new.max}):
        return None
    step = 0
    for _, entry in counted:
        name = old.of.removeprefix("args.")
        if entry.args is None:
            return None
        if name in entry.args:
            found = _step(entry.args[name])
            if found is None:
                return None
            step = math.gcd(step, found)
    if step == 0 or _told(old, step) != _told(new, step):
        return None
    return f"each amount is a multiple of {number(step)}, and no sum comes between the two"


def _of_tool(old: Limit, new: Limit, counted: Sequence[tuple[str, ToolBlock]]) -> str | None:
    """Prove that only the calls of one tool count."""
    names = {name for name, _ in counted}
    by = tuple(part for part in old.by if part != "global")
    if new != old.model_copy(update={"by": (*by, "tool")}) or len(names) != 1:
        return None
    (name,) = names
    return (
        None if is_glob(name) else f'only calls of "{name}" are permitted of those that it counts'
    )


def _told(limit: Limit, step: int) -> tuple[int, int | None]:
    """Return after how many steps a limit is used up, and after how many it alerts."""
    most = decimal(limit.max)
    alert = None if limit.alert_at is None else decimal(limit.alert_at) * most
    return math.floor(most / step), None if alert is None else math.ceil(Fraction(alert) / step)


def _step(schema: Any) -> int | None:
    if not isinstance(schema, Mapping):
        return None
    listed = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if isinstance(listed, list | tuple):
        numbers = [
            one for one in listed if isinstance(one, int | float) and not isinstance(one, bool)
        ]
        if not numbers or not all(float(one).is_integer() for one in numbers):
            return None
        return math.gcd(*map(int, numbers)) or None
    if schema.get("type") != "integer":
        return None
    step = schema.get("multipleOf", 1)
    return step if isinstance(step, int) and not isinstance(step, bool) and step > 0 else None
