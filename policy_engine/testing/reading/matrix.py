"""A matrix of principals and tools, in which what is not listed must be denied."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from policy_engine.compiler.names import matching
from policy_engine.decision import Effect
from policy_engine.source import Path
from policy_engine.testing.case import Case, Expected, Step
from policy_engine.testing.reading.reader import Reader
from policy_engine.testing.reading.requests import DEFAULTS, check_defaults
from policy_engine.testing.reading.unfit import unfit_arguments

__all__ = ["read_matrix"]

_GRANTING: Final[tuple[Effect, ...]] = ("allow", "redact", "require_approval")

_ELSEWHERE: Final = {"deny": "what is not listed must be denied: remove it"}
_OF_PEOPLE: Final = {
    key: f"write `principal: {{{key}: …}}`" for key in ("id", "roles", "tenant", "attrs")
}


def read_matrix(test: Reader, given: Mapping[str, Any]) -> Iterator[Case]:
    """Read a test of every tool for every principal."""
    path = (*test.path, "matrix")
    known = ("principals", "tools", *_GRANTING)
    value = test.fields.mapping(path, given["matrix"], known, known[:2], _ELSEWHERE)
    if not value.keys() >= {"principals", "tools"}:
        return
    who = test.fields.named((*path, "principals"), value["principals"], "a principal")
    tools = test.fields.named((*path, "tools"), value["tools"], "a tool")
    if not (who and tools):
        return
    effects = _granted(test, value, who, tools)
    faulty: set[str] = set()
    for name, fields in who.items():
        place = (*path, "principals", name)
        own = test.fields.mapping(place, fields, DEFAULTS, elsewhere=_OF_PEOPLE)
        check_defaults(test.fields, place, own, test.names)
        whole = replace(test.requests, defaults=(*test.requests.defaults, (place, own)))
        clock = {"now": own["now"]} if "now" in own else {}
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
