"""What becomes the final output without a model, because a tool returned it: judged as output."""

import inspect
from dataclasses import dataclass
from typing import Any

from agents import FunctionToolResult, RunContextWrapper, ToolsToFinalOutputResult

from policy_engine.adapters.openai_agents.judge import enforce
from policy_engine.adapters.openai_agents.scope import about, session_for
from policy_engine.guard import Denied, Guard

__all__ = ["Ending"]


@dataclass(frozen=True, slots=True, eq=False)
class Ending:
    """A tool-use behaviour that asks the policies."""

    guard: Guard
    agent: str
    behavior: Any
    """The agent's own."""

    async def __call__(
        self, context: RunContextWrapper[Any], results: list[FunctionToolResult]
    ) -> ToolsToFinalOutputResult:
        """Say whether the run ends here, and with what may be said."""
        found = await self._chosen(context, results)
        if not found.is_final_output:
            return found
        session = session_for(self.guard, self.agent, context)
        output = found.final_output
        text = output if isinstance(output, str) else str(output)
        try:
            decision = await enforce(self.guard, session, about(session, "output", text=text))
        except Denied as denied:
            return ToolsToFinalOutputResult(is_final_output=True, final_output=denied.message)
        if decision.effect == "redact":
            output = decision.request.text
        return ToolsToFinalOutputResult(is_final_output=True, final_output=output)

    async def _chosen(
        self, context: RunContextWrapper[Any], results: list[FunctionToolResult]
    ) -> ToolsToFinalOutputResult:
        """Return what the agent's own behaviour makes of the results of a turn."""
        behavior = self.behavior
        if callable(behavior):
            found = behavior(context, results)
            result: ToolsToFinalOutputResult = await found if inspect.isawaitable(found) else found
            return result
        names = behavior.get("stop_at_tool_names", []) if isinstance(behavior, dict) else None
        for one in results:
            if names is None or one.tool.name in names or one.tool.qualified_name in names:
                return ToolsToFinalOutputResult(is_final_output=True, final_output=one.output)
        return ToolsToFinalOutputResult(is_final_output=False, final_output=None)
