"""A matrix of principals and tools, in which what is not listed must be denied."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from policy_engine.compiler.names import matching
from policy_engine.decision import Effect
from policy_engine.source import Path
from policy_engine.testing.case import Case, Expected, Step
from policy_engine.testing.reading.misnomers import OF_PEOPLE
from policy_engine.testing.reading.reader import Reader
from policy_engine.testing.reading.requests import DEFAULTS, Requests, check_defaults
from policy_engine.testing.reading.unfit import unfit_arguments

__all__ = ["read_matrix"]

_GRANTING: Final[tuple[Effect, ...]] = ("allow", "redact", "require_approval")

_ELSEWHERE: Final = {
    "deny": "what is not listed must be denied: remove it; "
    'tools that no entry names are listed under "unknown"'
}


def read_matrix(test: Reader, given: Mapping[str, Any]) -> Iterator[Case]:
    """Read a test of every tool for every principal."""
    path = (*test.path, "matrix")
    known = ("principals", "tools", "unknown", *_GRANTING)
    written = given["matrix"]
    only_unknown = isinstance(written, dict) and "unknown" in written and "tools" not in written
    required = known[:1] if only_unknown else known[:2]
    value = test.fields.mapping(path, written, known, required, _ELSEWHERE)
    if not value.keys() >= set(required):
        return
    who = test.fields.named((*path, "principals"), value["principals"], "a principal")
    tools: dict[str, Any] = {}
    if not only_unknown:
        tools = test.fields.named((*path, "tools"), value["tools"], "a tool")
    unknown = _unknown(test, value, tools)
    if not who or not (tools or unknown):
        return
    effects = _granted(test, value, who, tools)
    faulty: set[str] = set()
    for name, fields in who.items():
        place = (*path, "principals", name)
        own = test.fields.mapping(place, fields, DEFAULTS, elsewhere=OF_PEOPLE)
        check_defaults(test.fields, place, own, test.names)
        whole = replace(test.requests, defaults=(*test.requests.defaults, (place, own)))
        clock = {"now": own["now"]} if "now" in own else {}
        yield from _denied(test, whole, clock, name, unknown)
        for tool, args in tools.items():
            if tool in faulty:
                continue
            effect, where = effects.get((name, tool), ("deny", (*path, "tools", tool)))
            spot = (*path, "tools", tool)
            read = whole.read(spot, {**clock, "tool": tool, "args": args})
            if read is None:
                return
            if unfit_arguments(test.fields, spot, read.request, test.names):
                faulty.add(tool)
                continue
            at = test.fields.document.key_at(where)
            step = test.checked(spot, Step(read, Expected(at, effect), at))
            if step is not None:
                yield test.case(f"{test.name}: {name}, {tool}", [step], at)


def _unknown(test: Reader, value: Mapping[str, Any], tools: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the tools that are said to be named by no entry."""
    if "unknown" not in value:
        return ()
    place = (*test.path, "matrix", "unknown")
    listed = test.fields.texts(place, value["unknown"], "a tool that no entry names")
    for i, tool in enumerate(listed):
        if tool in tools or tool in listed[:i]:
            message = f'"{tool}" is listed twice'
            test.fields.fault((*place, i), "PE010", message, "keep one of the two")
    return listed


def _denied(
    test: Reader, requests: Requests, clock: Mapping[str, Any], name: str, unknown: tuple[str, ...]
) -> Iterator[Case]:
    """Yield a case for each tool that no entry names: what is denied by default."""
    for i, tool in enumerate(unknown):
        place = (*test.path, "matrix", "unknown", i)
        read = requests.read(place, {**clock, "tool": tool, "args": {}})
        if read is None:
            return
        at = test.fields.document.at(place)
        expected = Expected(at, "deny", any_of=test.names.defaults)
        yield test.case(f"{test.name}: {name}, {tool}", [Step(read, expected, at)], at)


def _granted(
    test: Reader, value: Mapping[str, Any], who: Mapping[str, Any], tools: Mapping[str, Any]
) -> dict[tuple[str, str], tuple[Effect, Path]]:
    """Return what is not denied: (principal, tool) -> the effect, and where it is listed."""
    effects: dict[tuple[str, str], tuple[Effect, Path]] = {}
    for effect in _GRANTING:
        whole = (*test.path, "matrix", effect)
        listing = test.fields.named(whole, value[effect], "a principal") if effect in value else {}
        for name, listed in listing.items():
            place = (*whole, name)
            test.fields.name(place, name, who, "principal in the matrix", on_key=True)
            for i, glob in enumerate(test.fields.texts(place, listed, "a tool")):
                found = matching(glob, tools)
                if not found:
                    test.fields.name((*place, i), glob, tools, "tool in the matrix")
                for tool in found:
                    if (name, tool) in effects:
                        message = f'"{tool}" is listed twice for "{name}"'
                        test.fields.fault((*place, i), "PE010", message, "keep one of the two")
                    effects[name, tool] = (effect, (*place, i))
    return effects
