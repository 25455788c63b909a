"""What a tool was when it was attached: what acts for it is not exchanged unnoticed."""

import copy
from typing import Any, Final

__all__ = ["Seal", "kept"]

_HELD: Final = (dict, list)
"""Values that may be changed in place."""
_PLAIN: Final = (str, bytes, int, float, *_HELD)
"""Values that are the same where they are equal."""


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
