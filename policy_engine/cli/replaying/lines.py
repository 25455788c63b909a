"""The lines of a JSON Lines file, one at a time; nothing is skipped."""

import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from policy_engine.cli.replaying.step import Line, read_line
from policy_engine.decision.wire import parse_json
from policy_engine.errors import RequestError

__all__ = ["LineError", "read_lines"]

MAX_BYTES: Final = 64 * 1024 * 1024
"""How long a line may be."""

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_JSON_PLACE: Final = re.compile(r"line 1, column ([0-9]+): (.*)", re.DOTALL)


class LineError(Exception):
    """A line that cannot be read.

    Args:
        number: Which line, from 1.
        column: Which character, from 1, where that is known.
        message: What is wrong.
    """

    def __init__(self, number: int, column: int | None, message: str) -> None:
        super().__init__(number, column, message)
        self.number = number
        self.column = column
        self.message = message

    def __str__(self) -> str:
        column = "" if self.column is None else f"{self.column}:"
        return f"{self.number}:{column} {self.message}"


def read_lines(file: BinaryIO) -> Iterator[tuple[int, int, Line | LineError]]:
    """Yield each line's number, its size in bytes and what it says, or why it says nothing."""
    number = 0
    while data := file.readline(MAX_BYTES + 1):
        number += 1
        size = len(data)
        if size > MAX_BYTES:
            yield number, size, LineError(number, None, "the line is larger than 64 MB")
            return
        if number == 1:
            data = data.removeprefix(_BYTE_ORDER_MARK)
        try:
            yield number, size, _line(number, data.rstrip(b"\r\n"))
        except LineError as error:
            yield number, size, error


def _line(number: int, data: bytes) -> Line:
    if not data.strip():
        raise LineError(number, 1, "the line is empty")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        column = len(data[: error.start].decode("utf-8")) + 1
        raise LineError(number, column, "the line is not UTF-8") from None
    try:
        value = parse_json(text)
    except RequestError as error:
        place = _JSON_PLACE.fullmatch(str(error))
        if place is None:
            raise LineError(number, None, str(error)) from None
        raise LineError(number, int(place[1]), place[2]) from None
    try:
        return read_line(value)
    except RequestError as error:
        raise LineError(number, None, str(error)) from None
