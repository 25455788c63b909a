"""A line of a replay: a request, or a session of steps, and what is expected of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from policy_engine.decision import EFFECTS, Effect
from policy_engine.decision.wire import Given, read_request
from policy_engine.errors import RequestError
from policy_engine.report.printable import clipped
from policy_engine.testing.replay import Usage

__all__ = ["MAX_REPEAT", "Expected", "Line", "Step", "read_line"]

MAX_REPEAT: Final = 1_000_000

_REPLAY_KEYS: Final = ("expect", "repeat", "usage")
_SESSION_KEYS: Final = ("session", "steps", "expect", "repeat")
_DEFAULTS: Final = ("session", "agent", "principal", "context", "now", "facts")


@dataclass(frozen=True, slots=True)
class Expected:
    """What a line says of its decision."""

    effect: Effect | None
    rules: tuple[str, ...]
    """Rules that must have spoken, among others."""

    def __str__(self) -> str:
        rules = ", ".join(self.rules)
        if self.effect is None:
            return rules
        return f"{self.effect} by {rules}" if rules else self.effect


@dataclass(frozen=True, slots=True)
class Step:
    """One request of a replay."""

    given: Given
    expected: Expected | None
    repeat: int
    usage: Usage | None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a replay."""

    steps: tuple[Step, ...]
    is_session: bool
    expected: Expected | None = None
    """For a session: its strictest effect, and the rules that spoke in any of its steps."""
    repeat: int = 1


def read_line(value: object) -> Line:
    """Read a line from its JSON value.

    Raises:
        RequestError: It is not of the documented form; the message says which step.
    """
    if not isinstance(value, dict):
        raise RequestError("a line is an object: a request, or a session with steps")
    if "steps" not in value:
        return Line((_step(value, {}),), is_session=False)
    known = (*_SESSION_KEYS, *_DEFAULTS)
    for key in value:
        if key not in known:
            raise RequestError(f"{_quoted(key)} is not a field of a session{_near(key, known)}")
    if not isinstance(value.get("session"), str):
        raise RequestError('a line with "steps" has a "session", which is a string')
    steps = value["steps"]
    if not isinstance(steps, list):
        raise RequestError('"steps" is a list of requests')
    defaults = {key: value[key] for key in _DEFAULTS if key in value}
    read = []
    for index, step in enumerate(steps, 1):
        try:
            read.append(_step(step, defaults))
        except RequestError as error:
            raise RequestError(f"step {index}: {error}") from None
    return Line(
        tuple(read),
        is_session=True,
        expected=_expected(value.get("expect")),
        repeat=_repeat(value.get("repeat")),
    )


def _step(value: object, defaults: Mapping[str, Any]) -> Step:
    if not isinstance(value, dict):
        raise RequestError("a step is an object: a request")
    if value.get("session", defaults.get("session")) != defaults.get("session") and defaults:
        raise RequestError('"session" is not that of its line')
    request = {key: item for key, item in value.items() if key not in _REPLAY_KEYS}
    given = read_request({**defaults, **request})
    usage = _usage(value.get("usage"))
    if usage is not None and given.request.stage != "model_request":
        raise RequestError('"usage" belongs to the stage model_request')
    return Step(given, _expected(value.get("expect")), _repeat(value.get("repeat")), usage)


def _expected(value: object) -> Expected | None:
    if value is None:
        return None
    if not isinstance(value, dict) or not value:
        raise RequestError('"expect" is an object with "effect", "rules" or both')
    for key in value:
        if key not in ("effect", "rules"):
            raise RequestError(f'{_quoted(key)} is not "effect" or "rules", which "expect" has')
    wanted = value.get("effect")
    effect = next((name for name in EFFECTS if name == wanted), None)
    if wanted is not None and effect is None:
        near = _near(wanted, EFFECTS)
        raise RequestError(f'"expect.effect" is one of {", ".join(EFFECTS)}{near}')
    rules = value.get("rules", [])
    if not isinstance(rules, list) or not all(isinstance(rule, str) for rule in rules):
        raise RequestError('"expect.rules" is a list of the names of rules')
    if effect is None and not rules:
        raise RequestError('"expect" says nothing: give it "effect", "rules" or both')
    return Expected(effect, tuple(rules))


def _repeat(value: object) -> int:
    if value is None:
        return 1
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_REPEAT:
        raise RequestError(f'"repeat" is a whole number from 1 to {MAX_REPEAT:,}')
    return value


def _usage(value: object) -> Usage | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise RequestError('"usage" is an object with "input_tokens" and "output_tokens"')
    known = ("model", "input_tokens", "output_tokens")
    for key in value:
        if key not in known:
            raise RequestError(f"{_quoted(key)} is not a field of usage{_near(key, known)}")
    model = value.get("model")
    if model is not None and not isinstance(model, str):
        raise RequestError('"usage.model" is a string')
    return Usage(model, _tokens(value, "input_tokens"), _tokens(value, "output_tokens"))


def _tokens(value: Mapping[str, Any], key: str) -> int:
    count = value.get(key)
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count < 1 << 53:
        raise RequestError(f'"usage.{key}" is a whole number, 0 or more')
    return count


def _quoted(key: str) -> str:
    return f'"{clipped(key, 40)}"'


def _near(word: object, words: tuple[str, ...]) -> str:
    near = get_close_matches(word, words, 1, 0.7) if isinstance(word, str) else []
    return f': did you mean "{near[0]}"?' if near else ""
