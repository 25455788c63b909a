"""Limits that count less, or later, and prices that are too low."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from policy_engine.compiler.names import is_glob
from policy_engine.policy import Limit, LoadedPolicy, Policy
from policy_engine.policy.words import number
from policy_engine.testing.mutation.globs import narrower
from policy_engine.testing.mutation.mutant import Aim, Mutant, Site

__all__ = ["limit_mutants", "price_mutants"]

_HALF_A_DAY: Final = 43_200.0
_FAR: Final = "Etc/GMT+12"
_NEAR: Final = "Etc/GMT-12"


def limit_mutants(index: int, loaded: LoadedPolicy) -> Iterator[Mutant]:
    """Yield what could be wrong with the limits of a policy; observed ones stop nothing."""
    for i, limit in enumerate(loaded.policy.limits):
        if limit.mode == "observe":
            continue
        site = Site(index, loaded, ("limits", i), f"{loaded.policy.policy}/{limit.id}")
        yield site.without((), f'the limit "{limit.id}" is gone')
        yield site.mutant(("mode",), "observe", f'the limit "{limit.id}" only observes')
        more = limit.max + 1
        yield site.mutant(("max",), more, f"max {number(limit.max)} is {number(more)}", at=("max",))
        yield from _window(site, limit)
        yield from _key(site, limit, loaded.policy)
        yield from _tools(site, limit)
        if limit.of != "calls" and limit.max >= 1:
            yield site.mutant((), _of_calls(limit), f'"{limit.of}" is "calls"', at=("of",))
        if limit.alert_at is not None:
            yield site.mutant(("alert_at",), None, "nobody is alerted", at=("alert_at",))


def _of_calls(limit: Limit) -> Limit:
    """Return the limit counting calls, where it counts what they use or hold."""
    changed: dict[str, Any] = {"of": "calls"}
    if limit.tools is None:
        changed["stage"] = "model_request"
    return limit.model_copy(update=changed)


def _of_hours(limit: Limit) -> Limit:
    """Return a limit of a day with a window of half a day, which begins in no time zone."""
    changed = limit.model_copy(update={"per": _HALF_A_DAY})
    changed.model_fields_set.discard("timezone")
    return changed


def _window(site: Site, limit: Limit) -> Iterator[Mutant]:
    if isinstance(limit.per, float):
        yield site.mutant(("per",), limit.per / 2, "the window is half as long", at=("per",))
    elif limit.per == "day":
        yield site.mutant((), _of_hours(limit), "the window is 12 hours", at=("per",))
        other = _NEAR if limit.timezone == _FAR else _FAR
        what = f'the day begins as in "{other}"'
        at = ("timezone",) if "timezone" in limit.model_fields_set else ("per",)
        yield site.mutant(("timezone",), other, what, at=at)
    else:
        yield site.mutant(("per",), "day", "it begins anew every day")


def _key(site: Site, limit: Limit, policy: Policy) -> Iterator[Mutant]:
    """Let requests that share a counter count apart."""
    parts = {"session": "each session"}
    if not {"session", "principal"} & set(limit.by):
        parts["principal"] = "each principal"
        if "tenant" not in limit.by and _are_several(policy, "tenants"):
            parts["tenant"] = "each tenant"
    if _are_several(policy, "agents"):
        parts["agent"] = "each agent"
    tools = limit.tools or ()
    if limit.stage == "tool_call" or len(tools) > 1 or any(map(is_glob, tools)):
        parts["tool"] = "each tool"
    for part, whose in parts.items():
        if part not in limit.by:
            by = (part,) if limit.by == ("global",) else (*limit.by, part)
            yield site.mutant(("by",), by, f"{whose} counts apart", at=("by",))


def _are_several(policy: Policy, key: str) -> bool:
    """Whether a policy is for more than one agent, or tenant."""
    names = None if policy.applies_to is None else getattr(policy.applies_to, key)
    return names is None or len(names) > 1 or any(map(is_glob, names))


def _tools(site: Site, limit: Limit) -> Iterator[Mutant]:
    tools = limit.tools or ()
    for i, item in enumerate(tools):
        if len(tools) > 1:
            dropped = site.without(("tools", i), f'"{item}" does not count')
            yield replace(dropped, aim=Aim("only", item))
        for glob in narrower(item):
            aim = Aim("tool", item, glob, item)
            what = f'"{item}" is "{glob}" in `tools`'
            yield site.mutant(("tools", i), glob, what, at=("tools", i), aim=aim)


def price_mutants(index: int, loaded: LoadedPolicy) -> Iterator[Mutant]:
    """Yield prices that are half of what they should be."""
    for model, price in loaded.policy.prices.items():
        for part in ("input", "output"):
            before = getattr(price, part)
            if before > 0:
                site = Site(index, loaded, ("prices", model), None)
                less = number(before / 2)
                what = f'the price of the {part} of "{model}" is {less}, not {number(before)}'
                aim = Aim("prices", model, part)
                unit = ("prices",)
                yield site.mutant((part,), before / 2, what, at=(part,), unit=unit, aim=aim)
