"""A corpus of a test: every line is a request of its own."""

from collections.abc import Iterator, Mapping
from typing import Any

from policy_engine.errors import Fault
from policy_engine.testing.case import Case, Expected, Step
from policy_engine.testing.reading.corpus import read_corpus
from policy_engine.testing.reading.misnomers import hints_of_request
from policy_engine.testing.reading.reader import Reader
from policy_engine.testing.reading.requests import REQUEST_KEYS
from policy_engine.testing.reading.titles import short
from policy_engine.testing.reading.unmet import never

__all__ = ["read_texts"]


def read_texts(test: Reader, given: Mapping[str, Any]) -> Iterator[Case]:
    """Read a test of many texts."""
    path = (*test.path, "request")
    own: dict[str, Any] = {"stage": "input"}
    if "request" in given:
        hints = hints_of_request(given["request"], test.names, {})
        own = test.fields.mapping(path, given["request"], REQUEST_KEYS, elsewhere=hints)
    stage = own.get("stage") or ("tool_call" if "tool" in own else "input")
    part = {"tool_call": "args", "tool_result": "result"}.get(str(stage), "text")
    count = len(test.fields.faults)
    argument = _argument(test, given, own, part)
    if len(test.fields.faults) > count:
        return
    place = path if "request" in given else test.path
    for line in read_corpus(test.fields, (*test.path, "texts"), given["texts"], test.names):

        def placed(text: str) -> Any:
            return {**(own.get("args") or {}), argument: text} if part == "args" else text

        read = test.requests.read(place, {**own, part: placed(line.text)})
        if read is None:
            return
        values = {} if line.redacted is None else {part: placed(line.redacted)}
        expected = Expected(
            line.location,
            line.effect,
            rules=line.rules,
            cannot_tell=line.cannot_tell,
            values=values,
        )
        said = never(line.effect, read.request.stage)
        if said is not None:
            at = line.location
            fault = Fault(at, "PE017", *said, test.fields.document.line(at.line))
            test.fields.faults.append(fault)
            continue
        step = test.checked(place, Step(read, expected, line.location))
        if step is not None:
            title = f"{test.name}: {short(line.text)}"
            yield test.case(title, [step], line.location)


def _argument(
    test: Reader, given: Mapping[str, Any], own: Mapping[str, Any], part: str
) -> str | None:
    """Return the argument that holds the text."""
    fields, place = test.fields, (*test.path, "in")
    if "in" not in given:
        if part == "args":
            message = "the test does not say which argument holds the text"
            fields.fault(test.path, "PE007", message, "add `in: args.NAME`")
        return None
    text = fields.text(place, given["in"])
    if text is None:
        return None
    if part != "args":
        message = '"in" goes with a call of a tool'
        fields.fault(place, "PE021", message, "remove it", on_key=True)
        return None
    argument = text.removeprefix("args.")
    declared = test.names.declared(str(own.get("tool")))
    if declared:
        fields.name(place, argument, declared, "argument")
    return argument
