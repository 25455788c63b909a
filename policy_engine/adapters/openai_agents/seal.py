"""What a tool was when it was looked at: what acts for it is not exchanged unnoticed."""

import copy
import operator
from typing import Any, Final

__all__ = ["Known", "Seal", "kept"]

_HELD: Final = (dict, list)
"""Values that may be changed in place."""
_PLAIN: Final = (str, bytes, int, float, *_HELD)
"""Values that are the same where they are equal."""


class Known:
    """A function tool that was looked at, and is not again while nothing of it is exchanged.

    Args:
        tool: The tool.
        name: What policies call it.
        is_guarded: Whether it asks them itself.
    """

    __slots__ = ("_parts", "is_guarded", "name", "tool")

    def __init__(self, tool: object, name: str, *, is_guarded: bool) -> None:
        self.tool = tool
        self.name = name
        self.is_guarded = is_guarded
        self._parts = tuple(vars(tool).values())

    def holds(self) -> bool:
        """Whether the tool is what it was, but for what is changed in place."""
        now = vars(self.tool)
        return len(now) == len(self._parts) and all(map(operator.is_, now.values(), self._parts))


class Seal:
    """A tool that is no function tool, and what it was made of.

    Args:
        tool: As the policies stand in front of it.
    """

    __slots__ = ("_fields", "tool")

    def __init__(self, tool: object) -> None:
        self.tool = tool
        self._fields = {name: kept(value) for name, value in vars(tool).items()}

    def holds(self) -> bool:
        """Whether the tool is what it was."""
        now = vars(self.tool)
        return now.keys() == self._fields.keys() and all(
            _is_same(value, now[name]) for name, value in self._fields.items()
        )


def kept(value: Any) -> Any:
    """Return a value, or a copy where it may be changed in place."""
    if not isinstance(value, _HELD):
        return value
    try:
        made = copy.deepcopy(value)
    except Exception:  # noqa: BLE001 - whatever it holds
        return value
    return made if made == value else value


def _is_same(then: Any, now: Any) -> bool:
    return then is now or (
        isinstance(then, _PLAIN) and type(then) is type(now) and bool(then == now)
    )
