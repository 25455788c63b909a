"""The tests of a file: single requests, steps, corpora and matrices, each as cases."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from policy_engine.compiler.names import matching
from policy_engine.decision.wire import Given
from policy_engine.errors import Location
from policy_engine.source import Path
from policy_engine.testing.case import Case, Expected, Step
from policy_engine.testing.reading.corpus import read_corpus
from policy_engine.testing.reading.expectations import read_expected
from policy_engine.testing.reading.fields import MAX_REPEAT, Fields
from policy_engine.testing.reading.names import Names
from policy_engine.testing.reading.requests import DEFAULTS, REQUEST_KEYS, Requests
from policy_engine.testing.replay import Usage

__all__ = ["KINDS", "START", "STEP_KEYS", "read_test"]

START: Final = datetime(2026, 1, 5, 10, tzinfo=UTC)
"""The clock of a test that sets none: a Monday."""
STEP_KEYS: Final = ("expect", "repeat", "usage", "approved", "rejected", "after")
_SHARED: Final = ("name", "description", "defaults")
KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "request": (
        "expect",
        "repeat",
        "usage",
        "approved",
        "rejected",
        "accepts",
        "accepts_without",
        "refuses",
        "refuses_without",
    ),
    "steps": (),
    "texts": ("request", "in"),
    "matrix": (),
}
"""What makes a test -> the keys that go with it."""
_ALL: Final = (*_SHARED, *dict.fromkeys(k for kind, keys in KINDS.items() for k in (kind, *keys)))


@dataclass(frozen=True, slots=True)
class _Test:
    fields: Fields
    names: Names
    requests: Requests
    path: Path
    name: str
    start: datetime

    @property
    def location(self) -> Location:
        return self.fields.document.at(self.path)

    def case(self, name: str, steps: Sequence[Step], location: Location | None = None) -> Case:
        return Case(name, location or self.location, tuple(steps), self.start)

    def step(self, path: Path, own: Mapping[str, Any], extras: Mapping[str, Any]) -> Step | None:
        """Read a request and what goes with it."""
        fields = self.fields
        count = len(fields.faults)
        given = self.requests.read(path, own)
        beside = path if path[-1] != "request" else path[:-1]
        expected = None
        if "expect" in extras:
            expected = read_expected(fields, (*beside, "expect"), extras["expect"], self.names)
        repeat = 1
        if "repeat" in extras:
            repeat = fields.whole((*beside, "repeat"), extras["repeat"], 1, MAX_REPEAT) or 1
        after = 0.0
        if "after" in extras:
            after = fields.duration((*beside, "after"), extras["after"]) or 0.0
        answered: dict[str, str] = {}
        for key in ("approved", "rejected"):
            if key in extras:
                place = (*beside, key)
                for i, name in enumerate(fields.texts(place, extras[key], "a rule")):
                    fields.name((*place, i), name, self.names.approvals, "rule that asks")
                    answered[name] = key
        usage = _usage(fields, beside, given, extras)
        if given is None or len(fields.faults) > count:
            return None
        return Step(given, expected, fields.document.at(path), repeat, usage, answered, after)


def read_test(
    fields: Fields, path: Path, value: Any, names: Names, defaults: Mapping[str, Any]
) -> Iterator[Case]:
    """Read one test of a file as cases; a test with faults has none."""
    given = fields.mapping(path, value, _ALL, ["name"] if isinstance(value, dict) else ())
    if not given or given.keys() != value.keys():
        return
    name = fields.text((*path, "name"), given["name"]) if "name" in given else None
    kinds = [kind for kind in KINDS if kind in given]
    kind = "texts" if "texts" in kinds else kinds[0] if kinds else None
    if kind is None:
        hint = f"add one of: {', '.join(KINDS)}"
        fields.fault(path, "PE007", "the test asks for nothing", hint)
        return
    for other in given:
        if other not in (*_SHARED, kind, *KINDS[kind]):
            message = f'"{other}" does not go with "{kind}"'
            hint = "make two tests of it" if other in KINDS else f'"{kind}" says it'
            fields.fault((*path, other), "PE021", message, hint, on_key=True)
    own: dict[str, Any] = {}
    if "defaults" in given:
        own = fields.mapping((*path, "defaults"), given["defaults"], DEFAULTS)
    shared: list[tuple[Path, Mapping[str, Any]]] = [(("defaults",), defaults)]
    if own:
        shared.append(((*path, "defaults"), own))
    requests = Requests(fields, names, tuple(shared))
    place = (*path, "defaults") if "now" in own else ("defaults",)
    start = _start(requests, place, {**defaults, **own})
    yield from _KINDS[kind](_Test(fields, names, requests, path, name or "", start), given)


def _start(requests: Requests, path: Path, defaults: Mapping[str, Any]) -> datetime:
    """Return where the clock of a test starts."""
    if defaults.get("now") is None:
        return START
    clock = Requests(requests.fields, requests.names, ())
    given = clock.read(path, {"stage": "input", "text": "", "now": defaults["now"]})
    return START if given is None or given.now is None else given.now


def _usage(
    fields: Fields, path: Path, given: Given | None, extras: Mapping[str, Any]
) -> Usage | None:
    if "usage" not in extras:
        return None
    place = (*path, "usage")
    keys = ("model", "input_tokens", "output_tokens")
    value = fields.mapping(place, extras["usage"], keys, keys[1:])
    if given is not None and given.request.stage != "model_request":
        message = '"usage" belongs to the stage model_request'
        fields.fault(place, "PE021", message, "remove it", on_key=True)
    counts = [
        fields.whole((*place, key), value[key], 0, 1 << 53) if key in value else None
        for key in keys[1:]
    ]
    model = fields.text((*place, "model"), value["model"]) if "model" in value else None
    return Usage(model, counts[0] or 0, counts[1] or 0)


def _single(test: _Test, given: Mapping[str, Any]) -> Iterator[Case]:
    path = (*test.path, "request")
    own = test.fields.mapping(path, given["request"], REQUEST_KEYS)
    if "expect" not in given and not given.keys() & {"accepts", "refuses"}:
        message = "the test expects nothing"
        test.fields.fault(test.path, "PE007", message, "add `expect: {effect: deny}`")
    if not own:
        return
    step = test.step(path, own, given)
    if step is None:
        return
    yield test.case(test.name, [step])
    yield from _arguments(test, step, given)


def _arguments(test: _Test, step: Step, given: Mapping[str, Any]) -> Iterator[Case]:
    """Put other values in the place of single arguments: those it takes, those it refuses."""
    args, tool = step.given.request.args, step.given.request.tool
    for key in ("accepts", "refuses"):
        place = (*test.path, key)
        without = f"{key}_without"
        if (key in given or without in given) and (args is None or tool is None):
            message = f'"{key}" goes with a call of a tool'
            test.fields.fault(place, "PE021", message, "remove it", on_key=True)
            continue
        values = test.fields.named(place, given[key], "arguments") if key in given else {}
        for name, listed in values.items():
            for i, value in enumerate(
                test.fields.items((*place, name), listed, "the values to try")
            ):
                at = test.fields.document.at((*place, name, i))
                title = f"{test.name}: {name} = {_short(value)}"
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


def _varied(
    test: _Test, step: Step, key: str, name: str, args: dict[str, Any], at: Location
) -> Step:
    request = replace(step.given.request, args=args)
    given = replace(step.given, request=request)
    if key == "accepts":
        effect = None if step.expected is None else step.expected.effect
        return replace(step, given=given, expected=Expected(at, effect or "allow"), location=at)
    rules = test.names.refusing(request.tool or "", name)
    expected = Expected(at, "deny", any_of=rules)
    return replace(step, given=given, expected=expected, location=at)


def _steps(test: _Test, given: Mapping[str, Any]) -> Iterator[Case]:
    path = (*test.path, "steps")
    steps: list[Step | None] = []
    for i, value in enumerate(test.fields.items(path, given["steps"], "a request")):
        place = (*path, i)
        read = test.fields.mapping(place, value, (*REQUEST_KEYS, *STEP_KEYS))
        own = {key: item for key, item in read.items() if key not in STEP_KEYS}
        steps.append(test.step(place, own, read) if own else None)
    if steps and all(step is not None and step.expected is None for step in steps):
        message = "the test expects nothing"
        test.fields.fault(test.path, "PE007", message, "add `expect: {effect: deny}` to a step")
    if steps and None not in steps:
        yield test.case(test.name, [step for step in steps if step is not None])


def _texts(test: _Test, given: Mapping[str, Any]) -> Iterator[Case]:
    path = (*test.path, "request")
    own: dict[str, Any] = {"stage": "input"}
    if "request" in given:
        own = test.fields.mapping(path, given["request"], REQUEST_KEYS)
    stage = own.get("stage") or ("tool_call" if "tool" in own else "input")
    part = {"tool_call": "args", "tool_result": "result"}.get(str(stage), "text")
    argument = None
    if "in" in given:
        argument = test.fields.text((*test.path, "in"), given["in"])
        argument = None if argument is None else argument.removeprefix("args.")
    if part == "args" and argument is None:
        hint = "add `in: args.NAME`"
        message = "the test does not say which argument holds the text"
        test.fields.fault(test.path, "PE007", message, hint)
        return
    for line in read_corpus(test.fields, (*test.path, "texts"), given["texts"], test.names):

        def placed(text: str) -> Any:
            return {**(own.get("args") or {}), argument: text} if part == "args" else text

        read = test.requests.read(
            path if "request" in given else test.path, {**own, part: placed(line.text)}
        )
        if read is None:
            return
        values = {} if line.redacted is None else {part: placed(line.redacted)}
        expected = Expected(line.location, line.effect, rules=line.rules, values=values)
        title = f"{test.name}: {_short(line.text)}"
        yield test.case(title, [Step(read, expected, line.location)], line.location)


def _matrix(test: _Test, given: Mapping[str, Any]) -> Iterator[Case]:
    path = (*test.path, "matrix")
    granting = ("allow", "redact", "require_approval")
    known = ("principals", "tools", *granting)
    value = test.fields.mapping(path, given["matrix"], known, known[:2])
    who = test.fields.named((*path, "principals"), value.get("principals"), "principals")
    tools = test.fields.named((*path, "tools"), value.get("tools"), "tools")
    effects: dict[tuple[str, str], tuple[str, Path]] = {}
    for effect in granting:
        for name, listed in (value.get(effect) or {}).items():
            place = (*path, effect, name)
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
    for name, fields in who.items():
        place = (*path, "principals", name)
        own = test.fields.mapping(place, fields, DEFAULTS)
        for tool, args in tools.items():
            effect, where = effects.get((name, tool), ("deny", (*path, "tools", tool)))
            read = test.requests.read((*path, "tools", tool), {**own, "tool": tool, "args": args})
            if read is None:
                return
            at = test.fields.document.key_at(where)
            expected = Expected(at, effect)  # type: ignore[arg-type]
            title = f"{test.name}: {name}, {tool}"
            yield test.case(title, [Step(read, expected, at)], at)


_KINDS: Final[Mapping[str, Callable[[_Test, Mapping[str, Any]], Iterator[Case]]]] = {
    "request": _single,
    "steps": _steps,
    "texts": _texts,
    "matrix": _matrix,
}


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:39] + "…"
