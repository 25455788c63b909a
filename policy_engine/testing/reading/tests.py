"""The tests of a file: single requests, steps, corpora and matrices, each as cases."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from policy_engine.source import Path
from policy_engine.testing.case import Case
from policy_engine.testing.reading.arguments import read_arguments
from policy_engine.testing.reading.fields import Fields
from policy_engine.testing.reading.matrix import read_matrix
from policy_engine.testing.reading.misnomers import OF_PEOPLE, OF_TESTS, hints_of_request
from policy_engine.testing.reading.names import Names
from policy_engine.testing.reading.reader import Reader
from policy_engine.testing.reading.requests import (
    BESIDE,
    DEFAULTS,
    REQUEST_KEYS,
    Requests,
    check_defaults,
    check_given,
)
from policy_engine.testing.reading.steps import STEP_KEYS, read_steps
from policy_engine.testing.reading.texts import read_texts

__all__ = ["KINDS", "START", "STEP_KEYS", "read_test"]

START: Final = datetime(2026, 1, 5, 10, tzinfo=UTC)
"""The clock of a test that sets none: a Monday."""
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
_SAYS: Final[Mapping[str, str]] = {
    "steps": "each step says it for itself",
    "texts": "each line says what is expected of its text",
    "matrix": "the matrix says what is expected",
}
"""What makes a test -> where that says what goes with a single request."""
_VARYING: Final = frozenset({"accepts", "accepts_without", "refuses", "refuses_without"})
_NAMES: Final = frozenset({"name", "case", "id", "test", "title"})
"""Keys that name a test; but for `name`, they are faults."""
_ALL: Final = (*_SHARED, *dict.fromkeys(k for kind, keys in KINDS.items() for k in (kind, *keys)))


def read_test(
    fields: Fields, path: Path, value: Any, names: Names, defaults: Mapping[str, Any]
) -> Iterator[Case]:
    """Read one test of a file as cases; a test with faults has none."""
    required = ["name"] if isinstance(value, dict) and not value.keys() & _NAMES else ()
    given = fields.mapping(path, value, _ALL, required, OF_TESTS)
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
            hint = "make two tests of it" if other in KINDS else _SAYS.get(kind, "remove it")
            fields.fault((*path, other), "PE021", message, hint, on_key=True)
    own: dict[str, Any] = {}
    if "defaults" in given:
        own = fields.mapping((*path, "defaults"), given["defaults"], DEFAULTS, elsewhere=OF_PEOPLE)
        check_given(fields, (*path, "defaults"), own, ("now",))
        check_defaults(fields, (*path, "defaults"), own, names)
    shared: list[tuple[Path, Mapping[str, Any]]] = [(("defaults",), defaults)]
    if own:
        shared.append(((*path, "defaults"), own))
    requests = Requests(fields, names, tuple(shared))
    place = (*path, "defaults") if "now" in own else ("defaults",)
    start = _start(requests, place, {**defaults, **own})
    yield from _KINDS[kind](Reader(fields, names, requests, path, name or "", start), given)


def _start(requests: Requests, path: Path, defaults: Mapping[str, Any]) -> datetime:
    """Return where the clock of a test starts."""
    if defaults.get("now") is None:
        return START
    clock = Requests(requests.fields, requests.names, ())
    given = clock.read(path, {"stage": "input", "text": "", "now": defaults["now"]})
    return START if given is None or given.now is None else given.now


def _single(test: Reader, given: Mapping[str, Any]) -> Iterator[Case]:
    path = (*test.path, "request")
    count = len(test.fields.faults)
    hints = hints_of_request(given["request"], test.names, BESIDE)
    own = test.fields.mapping(path, given["request"], REQUEST_KEYS, elsewhere=hints)
    if "expect" in (given["request"] if isinstance(given["request"], dict) else {}):
        return  # it says what it expects, only not where
    if "expect" not in given and not given.keys() & _VARYING:
        message = "the test expects nothing"
        test.fields.fault(test.path, "PE007", message, "add `expect: {effect: deny}`")
    if not own:
        if len(test.fields.faults) == count:
            test.fields.fault(path, "PE007", "the request asks for nothing", "give it a `tool`")
        return
    step = test.step(path, own, given, whole=own == given["request"])
    if step is None:
        return
    yield test.case(test.name, [step])
    yield from read_arguments(test, step, given)


_KINDS: Final[Mapping[str, Callable[[Reader, Mapping[str, Any]], Iterator[Case]]]] = {
    "request": _single,
    "steps": read_steps,
    "texts": read_texts,
    "matrix": read_matrix,
}
