"""Which parts of a limit go together."""

from collections.abc import Iterator
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo, available_timezones

from policy_engine.errors import Fault
from policy_engine.policy import Limit, LoadedPolicy
from policy_engine.policy.words import did_you_mean
from policy_engine.source import Path

__all__ = ["limit_faults"]

_Said: TypeAlias = tuple[Path, str, str, str]
"""Where in the limit, the code, the message and the hint."""
_USAGE: Final = frozenset({"tokens", "cost_usd"})


def limit_faults(loaded: LoadedPolicy) -> Iterator[Fault]:
    """Find limits that could never do what they say."""
    for i, limit in enumerate(loaded.policy.limits):
        for key, code, message, hint in _said(limit):
            yield loaded.document.fault(("limits", i, *key), code, message, hint=hint)


def _said(limit: Limit) -> Iterator[_Said]:
    yield from _counts(limit)
    yield from _keys(limit)
    if limit.max == 0 or (limit.of == "calls" and limit.max < 1):
        hint = "deny it in a rule or an entry instead"
        yield ("max",), "PE020", f'a "max" of {limit.max:g} permits nothing at all', hint
    if "timezone" in limit.model_fields_set:
        if limit.per != "day":
            yield ("timezone",), "PE021", '"timezone" goes with "per: day" only', "remove it"
        if (instead := _unknown_zone(limit.timezone)) is not None:
            message = f'there is no time zone "{limit.timezone}"'
            yield ("timezone",), "PE009", message, instead


def _counts(limit: Limit) -> Iterator[_Said]:
    if limit.tools is not None and limit.stage is not None:
        hint = "name the tools, or the stage where it is about all of them"
        yield ("stage",), "PE021", '"tools" and "stage" do not go together', hint
    elif limit.of in _USAGE:
        if limit.tools is not None or limit.stage not in {None, "model_request"}:
            key = "tools" if limit.tools is not None else "stage"
            message = f'"{limit.of}" is counted where models are called, not elsewhere'
            yield (key,), "PE021", message, f"remove `{key}`"
    elif limit.of == "calls":
        if limit.tools is None and limit.stage is None:
            hint = "add `tools: [...]`, `stage: handoff` or `stage: model_request`"
            yield (), "PE021", "the limit does not say which calls it counts", hint
    elif limit.tools is None:
        hint = "add `tools`: the names of the tools that have it"
        yield ("of",), "PE021", f'"{limit.of}" is an argument, and the limit names no tools', hint


def _keys(limit: Limit) -> Iterator[_Said]:
    calls = limit.tools is not None or limit.stage == "tool_call"
    for i, key in enumerate(limit.by):
        if key == "tool" and not calls:
            hint = "it goes with `tools` or `stage: tool_call`"
            yield ("by", i), "PE021", 'there is no "tool" in what the limit counts', hint
        if key.startswith("args.") and limit.tools is None:
            hint = "add `tools`: the names of the tools that have it"
            yield ("by", i), "PE021", f'"{key}" is an argument, and the limit names no tools', hint
        if key == "global" and len(limit.by) > 1:
            hint = "leave it out, or let it stand alone"
            yield ("by", i), "PE021", '"global" does not go with other keys', hint
        if key in limit.by[:i]:
            yield ("by", i), "PE021", f'"{key}" stands twice', "once is enough"


def _unknown_zone(name: str) -> str | None:
    """Return a hint if there is no such time zone."""
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        zones = available_timezones()
        near = did_you_mean(name, zones) or did_you_mean(
            name, [zone for zone in zones if zone.endswith(f"/{name.rpartition('/')[2]}")]
        )
        return near or "zones are written such as Europe/Berlin or America/New_York"
    return None
