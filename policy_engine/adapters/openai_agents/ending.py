"""What becomes the final output without a model, because a tool returned it: judged as output."""

import inspect
from dataclasses import dataclass
from typing import Any

from agents import FunctionToolResult, RunContextWrapper, ToolsToFinalOutputResult

from policy_engine.adapters.openai_agents.judge import enforce
from policy_engine.adapters.openai_agents.parts import decided
from policy_engine.adapters.openai_agents.scope import session_for
from policy_engine.guard import Denied, Guard
from policy_engine.guard.unjudgeable import UnjudgeableError
from policy_engine.guard.values import replaced, snapshot

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
        try:
            form, kept = snapshot(output)
        except UnjudgeableError:
            form = kept = output = str(output)
        try:
            _, permitted = await decided(self.guard, session, "output", form, enforce)
            if permitted is not form:
                output = replaced(kept, form, permitted)
        except Denied as denied:
            output = denied.message
        except UnjudgeableError:
            output = str(permitted)
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
