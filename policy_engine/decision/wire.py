"""Requests as JSON: the form on the command line, in JSON lines and over HTTP."""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Final, NoReturn

from policy_engine.decision.misnomers import written
from policy_engine.decision.request import Request
from policy_engine.decision.words import STAGES, Stage
from policy_engine.errors import RequestError

__all__ = ["COMMON_FIELDS", "MAX_DEPTH", "STAGE_FIELDS", "Given", "parse_json", "read_request"]

MAX_DEPTH: Final = 100
"""How deep the objects and lists of a request may nest."""

COMMON_FIELDS: Final = ("id", "stage", "agent", "principal", "session", "context", "facts", "now")
"""The fields that a request of any stage may have."""

STAGE_FIELDS: Final[Mapping[Stage, Mapping[str, bool]]] = MappingProxyType(
    {
        "input": {"text": True},
        "tool_call": {"tool": True, "args": True, "call_id": False},
        "tool_result": {"tool": True, "args": True, "result": True, "call_id": False},
        "handoff": {"target": True, "call_id": False},
        "model_request": {"model": True, "text": False, "call_id": False},
        "model_response": {"model": True, "text": True, "call_id": False},
        "output": {"text": True},
    }
)
"""Stage -> the fields of its own, and whether each must be there."""

_PRINCIPAL: Final = ("id", "roles", "tenant", "attrs")


@dataclass(frozen=True, slots=True)
class Given:
    """A request, and what a test or a command line gives beside it."""

    request: Request
    answers: Mapping[str, Any] | None = None
    """The facts by name; None where the request has no `facts`."""
    now: datetime | None = None


def read_request(value: object) -> Given:
    """Read a request from its JSON form; null is the same as absent, but for `result`.

    Args:
        value: What `parse_json` returned.

    Raises:
        RequestError: It is not of the documented form; the message names every field at fault.
    """
    if not isinstance(value, dict):
        raise RequestError(f"a request is an object, not {_kind(value)}")
    problems: list[str] = []
    stage = _stage(value, problems)
    _unknown_fields(value, stage, problems)
    _missing_fields(value, stage, problems)
    for name, read in _READERS.items():
        if value.get(name) is not None:
            read(name, value[name], problems)
    now = _time(value.get("now"), problems)
    if problems or stage is None:
        raise RequestError("; ".join(problems))
    fields = {name: value.get(name) for name in _REQUEST_FIELDS if name in value}
    return Given(Request(stage=stage, **fields), value.get("facts"), now)


def _stage(value: Mapping[str, Any], problems: list[str]) -> Stage | None:
    stage = value.get("stage")
    if stage is None:
        if value.get("tool") is not None:
            return "tool_call"
        problems.append('"stage" is missing: only a request with "tool" does without it')
        return None
    for known in STAGES:
        if known == stage:
            return known
    if isinstance(stage, str):
        problems.append(f'"stage" is not a stage{_near(stage, STAGES)}')
    else:
        problems.append(f'"stage" is a string, not {_kind(stage)}')
    return None


def _unknown_fields(value: Mapping[str, Any], stage: Stage | None, problems: list[str]) -> None:
    for name in value:
        if name in COMMON_FIELDS:
            continue
        if name not in _ALL_FIELDS:
            form = written(name, value)
            hint = _near(name, _ALL_FIELDS) if form is None else f": write {_as_json(form)}"
            problems.append(f"{_quoted(name)} is not a field of a request{hint}")
        elif stage is not None and name not in STAGE_FIELDS[stage]:
            owners = ", ".join(known for known in STAGES if name in STAGE_FIELDS[known])
            problems.append(
                f'"{name}" does not belong to the stage {stage}: it belongs to {owners}'
            )


def _missing_fields(value: Mapping[str, Any], stage: Stage | None, problems: list[str]) -> None:
    forms = [written(name, value) or "" for name in value if name not in _ALL_FIELDS]
    for name, required in STAGE_FIELDS[stage].items() if stage is not None else ():
        if any(form.startswith(f"{name}:") for form in forms):
            continue  # it is there under another name, which is said already
        if not required or value.get(name) is not None or (name == "result" and name in value):
            continue
        hint = ': a call without arguments has "args": {}' if name == "args" else ""
        problems.append(f'"{name}" is missing, which the stage {stage} needs{hint}')


def _read_string(name: str, value: object, problems: list[str]) -> None:
    if not isinstance(value, str):
        problems.append(f'"{name}" is a string, not {_kind(value)}')


def _read_object(name: str, value: object, problems: list[str]) -> None:
    if not isinstance(value, dict):
        problems.append(f'"{name}" is an object, not {_kind(value)}')


def _read_text(name: str, value: object, problems: list[str]) -> None:
    if isinstance(value, list):
        for index, part in enumerate(value):
            if not isinstance(part, dict | str):
                problems.append(f'"{name}[{index}]" is a content part, not {_kind(part)}')
    elif not isinstance(value, str):
        problems.append(f'"{name}" is a string or a list of content parts, not {_kind(value)}')


def _read_principal(name: str, value: object, problems: list[str]) -> None:
    if not isinstance(value, dict):
        problems.append(f'"{name}" is an object, not {_kind(value)}')
        return
    problems.extend(
        f"{_quoted(key)} is not a field of the principal{_near(key, _PRINCIPAL)}"
        for key in value
        if key not in _PRINCIPAL
    )
    for key in ("id", "tenant"):
        if value.get(key) is not None:
            _read_string(f"{name}.{key}", value[key], problems)
    if value.get("attrs") is not None:
        _read_object(f"{name}.attrs", value["attrs"], problems)
    roles = value.get("roles")
    if roles is None:
        return
    if not isinstance(roles, list):
        problems.append(f'"{name}.roles" is a list of strings, not {_kind(roles)}')
        return
    for index, role in enumerate(roles):
        _read_string(f"{name}.roles[{index}]", role, problems)


_READERS: Final[Mapping[str, Callable[[str, object, list[str]], None]]] = MappingProxyType(
    {
        **dict.fromkeys(
            ("id", "agent", "session", "tool", "target", "model", "call_id"), _read_string
        ),
        **dict.fromkeys(("args", "context", "facts"), _read_object),
        "text": _read_text,
        "principal": _read_principal,
    }
)
_REQUEST_FIELDS: Final = (*(name for name in _READERS if name != "facts"), "result")
_ALL_FIELDS: Final = (
    *COMMON_FIELDS,
    *(name for name in _REQUEST_FIELDS if name not in COMMON_FIELDS),
)

_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?"
    r"(?P<offset>[Zz]|[+-][0-9]{2}:[0-9]{2})?"
)


def _time(value: object, problems: list[str]) -> datetime | None:
    if value is None:
        return None
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        problems.append('"now" is a time such as 2026-01-05T10:00:00Z')
        return None
    if match["offset"] is None:
        problems.append('"now" lacks its offset from UTC: 2026-01-05T10:00:00Z')
        return None
    try:
        return datetime.fromisoformat(match[0].upper().replace(" ", "T"))
    except ValueError:
        problems.append('"now" is no time of the calendar')
        return None


def _near(name: object, names: tuple[str, ...]) -> str:
    near = get_close_matches(name[:40], names, 1, 0.7) if isinstance(name, str) else []
    return f': did you mean "{near[0]}"?' if near else ""


def _as_json(form: str) -> str:
    """Write fields as JSON has them, which are written as YAML has them."""
    return re.sub(r"[a-z_]+", r'"\g<0>"', form)


def _quoted(name: object) -> str:
    if not isinstance(name, str):
        return f"a key that is {_kind(name)}"
    return json.dumps(name if len(name) <= 40 else name[:40] + "…")


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    for kind, words in ((str, "a string"), (dict, "an object"), (list, "a list")):
        if isinstance(value, kind):
            return words
    return "a number" if isinstance(value, int | float) else "something that JSON has no word for"


# Reading JSON. The standard library finds most problems; where it does not know the place of one,
# the text is walked once more, so that valid text pays nothing for it.


class _ProblemError(Exception):
    """The text is JSON to the standard library, and not to us."""


def parse_json(text: str) -> Any:
    """Read one JSON value: no duplicate keys, no NaN, bounded nesting, exact integers.

    Raises:
        RequestError: The text is not such a value; the message says line and column.
    """
    if text.startswith("\ufeff"):
        raise _error(text, 0, "it begins with a byte order mark")
    if text.count("{") + text.count("[") > MAX_DEPTH:
        _refuse_depth(text)
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise _error(text, error.pos, _reworded(error.msg)) from None
    except _ProblemError as error:
        _refuse_token(text)
        raise RequestError(str(error)) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _ProblemError("a key stands twice in one object")
    return value


def _constant(name: str) -> NoReturn:
    raise _ProblemError(f"{name} is not a JSON number")


def _float(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise _ProblemError("a number is too large")
    return value


def _int(digits: str) -> int:
    try:
        return int(digits)
    except ValueError:
        raise _ProblemError("a number has too many digits") from None


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_int
)
_TOKEN: Final = re.compile(
    r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?+|[\[\]{},:]|-?[0-9][0-9.eE+-]*+|-?[A-Za-z]++', re.DOTALL
)


def _refuse_depth(text: str) -> None:
    depth = 0
    for match in _TOKEN.finditer(text):
        if match[0] in ("{", "["):
            depth += 1
            if depth > MAX_DEPTH:
                raise _error(text, match.start(), f"nested deeper than {MAX_DEPTH} levels")
        elif match[0] in ("}", "]"):
            depth -= 1


def _refuse_token(text: str) -> None:
    """Raise for the first token that only we refuse, with its place."""
    keys: list[set[str] | None] = []
    expects_key = False
    for match in _TOKEN.finditer(text):
        piece = match[0]
        if piece in ("{", "["):
            keys.append(set() if piece == "{" else None)
        elif piece in ("}", "]"):
            keys.pop()
        elif expects_key and piece[0] == '"' and keys[-1] is not None:
            key = json.loads(piece)
            if key in keys[-1]:
                raise _error(text, match.start(), f"key {_quoted(key)} stands twice in one object")
            keys[-1].add(key)
        elif piece[0] not in '",:' and piece not in ("true", "false", "null"):
            try:
                _judge_number(piece)
            except _ProblemError as error:
                raise _error(text, match.start(), str(error)) from None
        expects_key = piece == "{" or (piece == "," and keys[-1] is not None)


def _judge_number(piece: str) -> None:
    if piece in ("NaN", "Infinity", "-Infinity"):
        _constant(piece)
    if piece.lstrip("-").isdigit():
        _int(piece)
    else:
        _float(piece)


def _error(text: str, position: int, message: str) -> RequestError:
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    return RequestError(f"line {line}, column {column}: {message}")


def _reworded(message: str) -> str:
    return message[:1].lower() + message[1:].removesuffix(" at").removesuffix(" starting")
