"""What becomes the final output without a model, because a tool returned it: judged as output."""

import inspect
from dataclasses import dataclass
from typing import Any, Final

from agents import FunctionToolResult, RunContextWrapper, ToolsToFinalOutputResult

from policy_engine.adapters.openai_agents.guardrails import ended
from policy_engine.adapters.openai_agents.judge import enforce, refuse
from policy_engine.adapters.openai_agents.parts import decided
from policy_engine.adapters.openai_agents.scope import TURN, about, session_for
from policy_engine.adapters.openai_agents.told import was_told
from policy_engine.adapters.openai_agents.typed import is_typed, unfit
from policy_engine.guard import Denied, Guard
from policy_engine.guard.unjudgeable import UnjudgeableError
from policy_engine.guard.values import replaced, snapshot

__all__ = ["Ending"]

_UNREAD: Final = "This output has no JSON form that could be judged."


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
        agent = next((one.run_item.agent for one in results if one.run_item is not None), None)
        if not is_typed(agent):
            output = await self._text(context, found.final_output)
        elif was_told(context, results, found.final_output):
            # The message is the model's to read, and it may still answer with what was promised.
            return ToolsToFinalOutputResult(is_final_output=False, final_output=None)
        else:
            output = await self._typed(context, agent, found.final_output)
        turn = TURN.get()
        if turn is not None:
            turn.ended = output
        return ToolsToFinalOutputResult(is_final_output=True, final_output=output)

    async def _text(self, context: RunContextWrapper[Any], output: Any) -> Any:
        """Return an output as it may be said; the message of its denial where it may not."""
        session = session_for(self.guard, self.agent, context)
        try:
            form, kept = snapshot(output)
        except UnjudgeableError:
            form = kept = output = str(output)
        try:
            _, permitted = await decided(self.guard, session, "output", form, enforce)
            return output if permitted is form else replaced(kept, form, permitted)
        except Denied as denied:
            return denied.message
        except UnjudgeableError:
            return str(permitted)

    async def _typed(self, context: RunContextWrapper[Any], agent: Any, output: Any) -> Any:
        """Return an output of a type as it may be said.

        Raises:
            OutputDenied: It may not, or what is left of it would be no more than a text.
        """
        session = session_for(self.guard, self.agent, context)
        try:
            form, kept = snapshot(output)
        except UnjudgeableError:
            request = about(session, "output", text=None)
            unread = await refuse(self.guard, session, request, "guard.unjudgeable", _UNREAD)
            raise ended(self.guard, agent, output, unread) from None
        try:
            decision, permitted = await decided(self.guard, session, "output", form, enforce)
        except Denied as denied:
            raise ended(self.guard, agent, output, denied) from denied
        if permitted is form:
            return output
        try:
            return replaced(kept, form, permitted)
        except UnjudgeableError:
            refused = await unfit(self.guard, session, decision, type(output).__name__)
            raise ended(self.guard, agent, output, refused) from None

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
