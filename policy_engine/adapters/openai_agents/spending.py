"""What a request to a model used: as it was reported, or as much as it may have used.

Theory of operation. A response reports its usage. A request that failed reports it where the
error or the last event of its stream does. Where nothing does, and the provider may have worked
nevertheless, an estimate is counted, so that no budget is evaded by provoking errors: what was
sent, where the provider answered with an error; and where it may have gone on (a timeout, a line
that broke, a run that was cancelled) also what came back, or all that `max_tokens` allowed. Where
nobody worked on the request, nothing was used. Nothing stays owed, so a retry is decided by the
budget and not held up by the attempt before it; and each attempt is a request, which limits count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["Sent", "spent", "usage_of"]

_BYTES_PER_TOKEN: Final = 3
"""Of UTF-8: less than a token has in any script that models are used with much."""
_DEEPEST: Final = 20
_TOLD_OF_TOOLS: Final = (
    "name",
    "description",
    "params_json_schema",
    "tool_name",
    "tool_description",
    "input_json_schema",
)
_TURNED_AWAY: Final = frozenset({401, 403, 404, 405, 410, 413, 415, 429})
"""HTTP statuses of requests that nobody worked on."""
_LATE: Final = frozenset({408, 504})
"""HTTP statuses of requests that somebody may still be working on."""
_UNSENT: Final = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout"})
"""What HTTP clients raise where no connection was made; there is more than one that does."""
_NO_TEXT: Final = frozenset({"data", "file_data", "image_url", "result", "screenshot"})
"""Fields that hold no text that is counted by its length."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that was made."""

    instructions: str | None
    prompt: Any
    items: Any
    tools: list[Any]
    handoffs: list[Any]
    max_tokens: int | None
    """The most that the model may say."""
    is_kept: bool = False
    """Whether the provider keeps the conversation."""

    @property
    def tokens(self) -> int:
        """Roughly how many tokens it has, rather more than fewer."""
        told = [
            [getattr(tool, name, None) for name in _TOLD_OF_TOOLS]
            for tool in (*self.tools, *self.handoffs)
        ]
        return _tokens([self.instructions, self.prompt, self.items, told])


def usage_of(found: object) -> tuple[int, int] | None:
    """Return the tokens that were read and written, where a response or an error tells them."""
    for _ in range(_DEEPEST):
        if found is None:
            return None
        for holder in (found, getattr(found, "completion", None), getattr(found, "response", None)):
            told = _told(getattr(holder, "usage", None))
            if told is not None:
                return told
        found = getattr(found, "__cause__", None)
    return None


def spent(sent: Sent, error: BaseException | None, received: list[Any]) -> tuple[int, int]:
    """Return the tokens that a request without a response is counted for.

    Args:
        sent: The request.
        error: What was raised; None where a stream ended early.
        received: What came back of a stream.
    """
    told = usage_of(error)
    if told is not None:
        return told
    status = _status(error)
    if not received and (status in _TURNED_AWAY or _is_unsent(error)):
        return 0, 0
    if not received and status is not None and status not in _LATE:
        return sent.tokens, 0
    said = _tokens([getattr(event, "delta", None) for event in received])
    return sent.tokens, max(said, sent.max_tokens or 0)


def _told(usage: object) -> tuple[int, int] | None:
    read = getattr(usage, "input_tokens", getattr(usage, "prompt_tokens", None))
    written = getattr(usage, "output_tokens", getattr(usage, "completion_tokens", None))
    if type(read) is not int or type(written) is not int or not (read or written):
        return None
    return read, written


def _status(error: BaseException | None) -> int | None:
    """Return the HTTP status that an error tells of."""
    for _ in range(_DEEPEST):
        if error is None:
            return None
        found = getattr(error, "status_code", None)
        if type(found) is int:
            return found
        error = error.__cause__
    return None


def _is_unsent(error: BaseException | None) -> bool:
    """Whether a request never left."""
    for _ in range(_DEEPEST):
        if error is None or type(error).__name__ in _UNSENT:
            break
        error = error.__cause__
    return type(error).__name__ in _UNSENT


def _tokens(value: object) -> int:
    size = sum(len(text.encode("utf-8", "replace")) for text in _strings(value, _DEEPEST))
    return -(-size // _BYTES_PER_TOKEN)


def _strings(value: object, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth and isinstance(value, Mapping):
        for name, item in value.items():
            if name not in _NO_TEXT:
                yield from _strings(item, depth - 1)
    elif depth and isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item, depth - 1)
