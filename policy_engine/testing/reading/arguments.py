"""Other values in the place of single arguments: those it takes, those it refuses."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from policy_engine.errors import Location
from policy_engine.source import Path
from policy_engine.testing.case import Case, Expected, Step
from policy_engine.testing.reading.reader import Reader
from policy_engine.testing.reading.titles import short
from policy_engine.testing.reading.unmet import misspelt

__all__ = ["read_arguments"]


def read_arguments(test: Reader, step: Step, given: Mapping[str, Any]) -> Iterator[Case]:
    """Put other values in the place of single arguments: those it takes, those it refuses."""
    args, tool = step.given.request.args, step.given.request.tool
    for key in ("accepts", "refuses"):
        place = (*test.path, key)
        without = f"{key}_without"
        if (key in given or without in given) and (args is None or tool is None):
            message = f'"{key}" goes with a call of a tool'
            test.fields.fault(place, "PE021", message, "remove it", on_key=True)
            continue
        values = test.fields.named(place, given[key], "an argument") if key in given else {}
        for name, listed in values.items():
            _misspelt(test, (*place, name), name, tool or "")
            for i, value in enumerate(
                test.fields.items((*place, name), listed, "the values to try")
            ):
                at = test.fields.document.at((*place, name, i))
                title = f"{test.name}: {name} = {short(value)}"
                changed = {**(args or {}), name: value}
                yield test.case(title, [_varied(test, step, key, name, changed, at)], at)
        if without in given:
            spot = (*test.path, without)
            for i, name in enumerate(test.fields.texts(spot, given[without], "an argument")):
                test.fields.name((*spot, i), name, args or {}, "argument in the request")
                at = test.fields.document.at((*spot, i))
                changed = {other: item for other, item in (args or {}).items() if other != name}
                title = f"{test.name}: without {name}"
                yield test.case(title, [_varied(test, step, key, name, changed, at)], at)


def _misspelt(test: Reader, place: Path, name: str, tool: str) -> None:
    """Note a fault for a name much like that of an argument: any other value of it is refused."""
    declared = test.names.declared(tool)
    near = misspelt(name, declared) if name not in declared else None
    if near is not None:
        message = f'"{tool}" has no argument "{name}"'
        test.fields.fault(place, "PE011", message, near, on_key=True)


def _varied(
    test: Reader, step: Step, key: str, name: str, args: dict[str, Any], at: Location
) -> Step:
    request = replace(step.given.request, args=args)
    # Another value may be one that no approver is asked about.
    step = replace(step, given=replace(step.given, request=request), strict=False, location=at)
    if key == "accepts":
        effect = None if step.expected is None else step.expected.effect
        return replace(step, expected=Expected(at, effect or "allow"))
    rules = test.names.refusing(request.tool or "", name)
    return replace(step, expected=Expected(at, "deny", any_of=rules))
