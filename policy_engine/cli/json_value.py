"""JSON given as an option: as it is, from a file with `@`, or from the standard input."""

import sys
from pathlib import Path
from typing import Any, Final

from policy_engine.cli.ending import CannotRunError
from policy_engine.decision.wire import parse_json
from policy_engine.errors import RequestError

__all__ = ["json_object", "read_text"]

_EXAMPLE: Final = """; write an object, such as '{"name": "value"}'"""
_MAX_BYTES: Final = 64 * 1024 * 1024


def json_object(given: str, option: str) -> dict[str, Any]:
    """Return the object that an option gives.

    Raises:
        CannotRunError: It is no JSON object; the message names the option.
    """
    try:
        value = parse_json(read_text(given, option))
    except RequestError as error:
        raise CannotRunError(f"{option} is not JSON: {error}{_EXAMPLE}") from None
    if not isinstance(value, dict):
        raise CannotRunError(f"{option} is not a JSON object{_EXAMPLE}")
    return value


def read_text(given: str, option: str) -> str:
    """Return the text of an option: itself, that of `@FILE`, or that of `-`."""
    if given == "-":
        return _decoded(sys.stdin.buffer.read(_MAX_BYTES + 1), option)
    if given.startswith("@"):
        with Path(given[1:]).open("rb") as file:
            return _decoded(file.read(_MAX_BYTES + 1), option)
    return given


def _decoded(data: bytes, option: str) -> str:
    if len(data) > _MAX_BYTES:
        raise CannotRunError(f"{option} is larger than {_MAX_BYTES // 1024 // 1024} MB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CannotRunError(f"{option} is not UTF-8 at byte {error.start + 1}") from None
