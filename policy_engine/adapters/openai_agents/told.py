"""Calls whose result is what the policies told the model: in this process alone, and bounded."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, Final

from agents import FunctionToolResult, RunContextWrapper
from agents.tool_context import ToolContext

from policy_engine.adapters.openai_agents.texts import field_of

__all__ = ["note_told", "was_told"]

_KEPT: Final = 1_000
_TOLD: Final[OrderedDict[tuple[int, str], None]] = OrderedDict()


def note_told(context: object) -> None:
    """Remember that the call of a context has a message of the policies as its result."""
    if isinstance(context, ToolContext):
        _TOLD[id(context.usage), context.tool_call_id] = None
        if len(_TOLD) > _KEPT:
            _TOLD.popitem(last=False)


def was_told(
    context: RunContextWrapper[Any], results: Iterable[FunctionToolResult], output: object
) -> bool:
    """Whether an output is such a message."""
    for one in results:
        call_id = None if one.run_item is None else field_of(one.run_item.raw_item, "call_id")
        if one.output is output and (id(context.usage), call_id) in _TOLD:
            return True
    return False
