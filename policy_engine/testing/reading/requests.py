"""Requests of test files, with the file's defaults and a place for every fault."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from policy_engine.decision.wire import COMMON_FIELDS, STAGE_FIELDS, Given, read_request
from policy_engine.errors import RequestError
from policy_engine.policy.words import choices
from policy_engine.source import Path
from policy_engine.testing.reading.declared import check_names
from policy_engine.testing.reading.fields import Fields
from policy_engine.testing.reading.names import Names

__all__ = ["BESIDE", "DEFAULTS", "REQUEST_KEYS", "Requests", "check_defaults", "check_given"]

DEFAULTS: Final = ("agent", "principal", "session", "context", "facts", "now")
"""What the requests of a file may share."""
REQUEST_KEYS: Final = (
    *COMMON_FIELDS,
    *dict.fromkeys(name for fields in STAGE_FIELDS.values() for name in fields),
)
BESIDE: Final = {"expect": 'it stands beside "request", not in it'}
"""Keys that are looked for in a request -> where they stand."""
SESSION: Final = "test"
"""The session of a request that names none."""
_FIELD: Final = re.compile(r'"([a-z_]+)')


@dataclass(frozen=True, slots=True)
class Requests:
    """Reads the requests of one test."""

    fields: Fields
    names: Names
    defaults: tuple[tuple[Path, Mapping[str, Any]], ...]
    """Where each mapping of defaults stands, the nearest last."""

    def read(self, path: Path, own: Mapping[str, Any], *, whole: bool = True) -> Given | None:
        """Read a request; None where it has faults.

        Args:
            path: Where it stands.
            own: Its fields.
            whole: Whether these are all; nothing is missing where some have another name.
        """
        count = len(self.fields.faults)
        merged: dict[str, Any] = {"session": SESSION}
        places: dict[str, Path] = {}
        for place, values in (*self.defaults, (path, own)):
            for key, value in values.items():
                merged[key] = value
                places[key] = (*place, key)
        check_defaults(self.fields, path, own, self.names)
        # The clock of a test runs on: a time of the defaults is where it starts.
        if "now" not in own:
            merged.pop("now", None)
        try:
            given = read_request(merged)
        except RequestError as error:
            for problem in str(error).split("; "):
                if whole or "is missing" not in problem:
                    self._problem(path, problem, places)
            return None
        return given if len(self.fields.faults) == count else None

    def _problem(self, path: Path, problem: str, places: Mapping[str, Path]) -> None:
        message, _, hint = problem.partition(": ")
        field = _FIELD.match(message)
        name = "" if field is None else field[1]
        if "is missing" in message or name not in places:
            self.fields.fault(path, "PE007", message, hint or None)
            return
        unknown = "is not a field" in message or "does not belong" in message
        code = "PE006" if unknown else "PE008"
        if name == "stage" and not hint:
            hint = f"one of: {choices(STAGE_FIELDS)}"
        below = tuple(re.findall(r"\.([A-Za-z_]+)", message.split('"')[1]))
        self.fields.fault((*places[name], *below), code, message, hint or None, on_key=unknown)


def check_given(fields: Fields, path: Path, given: Mapping[str, Any], keys: Sequence[str]) -> None:
    """Note a fault for each of some keys without a value: it would say nothing."""
    for key in keys:
        if key in given and given[key] is None:
            message = f'"{key}" has no value'
            fields.fault((*path, key), "PE008", message, "give it a value, or remove it")


def check_defaults(fields: Fields, path: Path, given: Mapping[str, Any], names: Names) -> None:
    """Note a fault for each fact, attribute and name of the context that no policy declares."""
    check_names(fields, path, given, names.declared_values)
