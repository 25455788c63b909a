"""Reads the requests of one test, each as a step, and makes cases of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from policy_engine.decision.wire import Given
from policy_engine.errors import Location
from policy_engine.source import Path
from policy_engine.testing.case import Case, Step
from policy_engine.testing.reading.expectations import read_expected
from policy_engine.testing.reading.fields import MAX_REPEAT, Fields
from policy_engine.testing.reading.names import Names
from policy_engine.testing.reading.requests import Requests
from policy_engine.testing.reading.unfit import strange_arguments
from policy_engine.testing.reading.unmet import impossible, unnamed
from policy_engine.testing.replay import Usage

__all__ = ["Reader"]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads what stands below one test."""

    fields: Fields
    names: Names
    requests: Requests
    path: Path
    name: str
    start: datetime
    """Where the clock of the test begins."""

    @property
    def location(self) -> Location:
        """Where the test stands."""
        return self.fields.document.at(self.path)

    def case(self, name: str, steps: Sequence[Step], location: Location | None = None) -> Case:
        """Make a case of steps."""
        return Case(name, location or self.location, tuple(steps), self.start)

    def checked(self, path: Path, step: Step) -> Step | None:
        """Return a step; None, and a fault, where it passes under no policy, or under any.

        Args:
            path: Where its request stands.
            step: The request, and what is expected of it.
        """
        count = len(self.fields.faults)
        unnamed(self.fields, path, step, self.names)
        strange_arguments(self.fields, path, step, self.names)
        return step if len(self.fields.faults) == count else None

    def step(
        self,
        path: Path,
        own: Mapping[str, Any],
        extras: Mapping[str, Any],
        *,
        whole: bool = True,
    ) -> Step | None:
        """Read a request and what goes with it; not `whole` where it had unknown keys."""
        fields = self.fields
        count = len(fields.faults)
        given = self.requests.read(path, own, whole=whole)
        beside = path if path[-1] != "request" else path[:-1]
        expected = None
        if "expect" in extras:
            place = (*beside, "expect")
            expected = read_expected(fields, place, extras["expect"], self.names)
            if expected is not None and given is not None:
                impossible(fields, place, expected, given.request.stage)
        repeat = 1
        if "repeat" in extras:
            repeat = fields.whole((*beside, "repeat"), extras["repeat"], 1, MAX_REPEAT) or 1
        after = 0.0
        if "after" in extras:
            after = fields.duration((*beside, "after"), extras["after"]) or 0.0
        step = None
        if given is not None:
            at = fields.document.at(path)
            step = Step(given, expected, at, repeat, self._usage(beside, given, extras))
            step = replace(step, answered=self._answered(beside, extras), after=after)
            step = self.checked(path, step) if "expect" not in extras or expected else step
        return None if len(fields.faults) > count else step

    def _answered(self, beside: Path, extras: Mapping[str, Any]) -> dict[str, str]:
        """Read what approvers said, rule by rule."""
        answered: dict[str, str] = {}
        for key in ("approved", "rejected"):
            if key not in extras:
                continue
            place = (*beside, key)
            for i, name in enumerate(self.fields.texts(place, extras[key], "a rule")):
                self.fields.name((*place, i), name, self.names.approvals, "rule that asks")
                if name in answered:
                    message = f'"{name}" is answered twice'
                    self.fields.fault((*place, i), "PE010", message, "keep one of the two")
                answered[name] = key
        return answered

    def _usage(self, beside: Path, given: Given, extras: Mapping[str, Any]) -> Usage | None:
        if "usage" not in extras:
            return None
        fields = self.fields
        place = (*beside, "usage")
        keys = ("model", "input_tokens", "output_tokens")
        value = fields.mapping(place, extras["usage"], keys, keys[1:])
        if given.request.stage != "model_request":
            message = '"usage" belongs to the stage model_request'
            fields.fault(place, "PE021", message, "remove it", on_key=True)
        counts = [
            fields.whole((*place, key), value[key], 0, 1 << 53) if key in value else None
            for key in keys[1:]
        ]
        model = fields.text((*place, "model"), value["model"]) if "model" in value else None
        return Usage(model, counts[0] or 0, counts[1] or 0)
