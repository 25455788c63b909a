"""Steps of a test: requests of one session, one after the other."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from policy_engine.source import Path
from policy_engine.testing.case import Case, Step
from policy_engine.testing.reading.misnomers import hints_of_request
from policy_engine.testing.reading.reader import Reader
from policy_engine.testing.reading.requests import REQUEST_KEYS

__all__ = ["STEP_KEYS", "read_steps"]

STEP_KEYS: Final = ("expect", "repeat", "usage", "approved", "rejected", "after")
"""What goes with a request in a step."""
_ELSEWHERE: Final = {"request": "a step is a request itself: write `{tool: …, args: …, expect: …}`"}
_LATER: Final = "write how much later the step is, such as `after: 61m`"


def read_steps(test: Reader, given: Mapping[str, Any]) -> Iterator[Case]:
    """Read a test of several steps."""
    path = (*test.path, "steps")
    count = len(test.fields.faults)
    steps: list[Step] = []
    clock = test.start
    for i, value in enumerate(test.fields.items(path, given["steps"], "a request")):
        place = (*path, i)
        step = _step(test, place, value)
        if step is not None:
            clock = _clock(test, place, step, clock if steps else None) or clock
            steps.append(step)
    if len(test.fields.faults) > count:
        return
    if all(step.expected is None for step in steps):
        message = "the test expects nothing"
        test.fields.fault(test.path, "PE007", message, "add `expect: {effect: deny}` to a step")
    elif steps[-1].expected is None:
        message = "the last step expects nothing, and nothing comes after it"
        hint = "add `expect: {effect: allow}`, or remove it"
        test.fields.fault((*path, len(steps) - 1), "PE007", message, hint)
    else:
        yield test.case(test.name, steps)


def _step(test: Reader, place: Path, value: Any) -> Step | None:
    fields = test.fields
    count = len(fields.faults)
    known = (*REQUEST_KEYS, *STEP_KEYS)
    hints = hints_of_request(value, test.names, _ELSEWHERE)
    read = fields.mapping(place, value, known, elsewhere=hints)
    own = {key: item for key, item in read.items() if key not in STEP_KEYS}
    if not own:
        if len(fields.faults) == count:
            fields.fault(place, "PE007", "the step asks for nothing", "give it a `tool`")
        return None
    if "after" in read and "now" in own:
        message = '"after" does not go with "now"'
        fields.fault((*place, "after"), "PE021", message, "keep one of the two", on_key=True)
    return test.step(place, own, read, whole=read == value)


def _clock(test: Reader, place: Path, step: Step, before: datetime | None) -> datetime | None:
    """Return what the clock shows at a step; it never runs backwards."""
    now = step.given.now
    if now is None:
        try:
            return (before or test.start) + timedelta(seconds=step.after)
        except OverflowError:
            message = "the clock has no time so far in the future"
            test.fields.fault((*place, "after"), "PE009", message, "shorten it")
            return None
    if before is not None and now < before:
        message = f"the clock of the test runs backwards: it stands at {before.isoformat()} here"
        test.fields.fault((*place, "now"), "PE009", message, _LATER)
    return now
