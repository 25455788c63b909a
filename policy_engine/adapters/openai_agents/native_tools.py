"""Shell, patches, custom tools and computers: judged at the last moment, around what acts.

The SDK has no guardrails for these. The road is the object that acts: the executor, the editor,
the function, the computer. It is wrapped, so that the final arguments are judged right before.
"""

import copy
import dataclasses
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Final

from agents import (
    ApplyPatchTool,
    AsyncComputer,
    Computer,
    ComputerTool,
    CustomTool,
    LocalShellTool,
    RunContextWrapper,
    ShellTool,
)
from agents.editor import ApplyPatchOperation, ApplyPatchResult

from policy_engine.adapters.openai_agents.calls import patch_args, shell_args
from policy_engine.adapters.openai_agents.judge import ask, call
from policy_engine.adapters.openai_agents.parts import as_read
from policy_engine.adapters.openai_agents.reread import packed, refuse_packed
from policy_engine.adapters.openai_agents.scope import about, session_for
from policy_engine.adapters.openai_agents.written import as_written
from policy_engine.decision import Decision
from policy_engine.guard import Denied, Guard
from policy_engine.guard.unjudgeable import UnjudgeableError
from policy_engine.guard.values import replaced, snapshot

__all__ = [
    "guarded_computer",
    "guarded_custom",
    "guarded_local_shell",
    "guarded_patch",
    "guarded_shell",
]

_ACTIONS: Final = (
    "screenshot",
    "click",
    "double_click",
    "scroll",
    "type",
    "wait",
    "move",
    "keypress",
    "drag",
)


@dataclasses.dataclass(frozen=True, slots=True)
class _Tool:
    """A tool as policies know it."""

    guard: Guard
    agent: str
    name: str

    async def call(
        self, context: object, args: dict[str, Any], call_id: str | None, act: Callable[..., Any]
    ) -> Any:
        """Make a call by the arguments that are permitted.

        Raises:
            Denied: It is not permitted.
        """
        session = session_for(self.guard, self.agent, context)
        args = as_written(self.guard, session, self.name, args)
        request = about(session, "tool_call", tool=self.name, args=args, call_id=call_id)

        async def run(decision: Decision) -> Any:
            found = act(decision.request.args)
            result = await found if inspect.isawaitable(found) else found
            try:
                form, kept = snapshot(result)
            except UnjudgeableError:
                form = kept = result = str(result)
            read = await as_read(self.guard, session, decision.request, form)
            return result if read is form else _as_made(kept, form, read)

        await refuse_packed(self.guard, session, request)
        return await call(self.guard, session, request, run)

    def asks(self, author: Any, args_of: Callable[[Any], dict[str, Any]]) -> Any:
        """Return the `needs_approval` of a tool: people are asked where the policies say so."""

        async def needs_approval(
            context: RunContextWrapper[Any], action: Any, call_id: str
        ) -> bool:
            session = session_for(self.guard, self.agent, context)
            args = as_written(self.guard, session, self.name, args_of(action))
            request = about(session, "tool_call", tool=self.name, args=args, call_id=call_id)
            if await packed(self.guard, session, request) is not None:
                return False
            try:
                asked = await ask(self.guard, session, request)
            except Denied:
                return False
            if not asked.decision.permitted:
                return asked.decision.effect == "require_approval"
            if isinstance(author, bool):
                return author
            wanted = author(context, action, call_id)
            return bool(await wanted if inspect.isawaitable(wanted) else wanted)

        return needs_approval


def _as_made(kept: Any, form: Any, read: Any) -> Any:
    """Return a result as its tool makes it, with what it reads as; else what it reads as."""
    try:
        return replaced(kept, form, read)
    except UnjudgeableError:
        return read


def guarded_shell(tool: ShellTool, guard: Guard, agent: str) -> ShellTool:
    """Return a local shell tool whose commands are judged: `commands`, `timeout_ms`."""
    asked = _Tool(guard, agent, tool.name)
    execute = tool.executor
    if execute is None:
        raise TypeError("a hosted shell runs on the provider's side")

    async def executor(request: Any) -> Any:
        data = request.data

        def act(args: dict[str, Any]) -> Any:
            action = dataclasses.replace(data.action, commands=args["commands"])
            changed = dataclasses.replace(data, action=action)
            return execute(dataclasses.replace(request, data=changed))

        try:
            return await asked.call(request.ctx_wrapper, shell_args(data.action), data.call_id, act)
        except Denied as denied:
            return denied.message

    return dataclasses.replace(
        tool, executor=executor, needs_approval=asked.asks(tool.needs_approval, shell_args)
    )


def guarded_local_shell(tool: LocalShellTool, guard: Guard, agent: str) -> LocalShellTool:
    """Return the older shell tool likewise: `command`, `env`, `working_directory`, `user`."""
    asked = _Tool(guard, agent, tool.name)

    async def executor(request: Any) -> Any:
        action = request.data.action
        args = {
            name: value
            for name in ("command", "env", "working_directory", "user", "timeout_ms")
            if (value := getattr(action, name, None)) is not None
        }

        def act(permitted: dict[str, Any]) -> Any:
            changed = request.data.model_copy(
                update={"action": action.model_copy(update=permitted)}
            )
            return tool.executor(dataclasses.replace(request, data=changed))

        call_id = request.data.call_id
        try:
            return await asked.call(request.ctx_wrapper, args, call_id, act)
        except Denied as denied:
            return denied.message

    return dataclasses.replace(tool, executor=executor)


def guarded_custom(tool: CustomTool, guard: Guard, agent: str) -> CustomTool:
    """Return a custom tool whose text is judged as the argument `input`."""
    asked = _Tool(guard, agent, tool.name)

    async def invoke(context: Any, text: str) -> Any:
        def act(args: dict[str, Any]) -> Any:
            return tool.on_invoke_tool(context, args["input"])

        try:
            return await asked.call(context, {"input": text}, context.tool_call_id, act)
        except Denied as denied:
            return denied.message

    changed = copy.copy(tool)
    changed.on_invoke_tool = invoke
    changed.needs_approval = asked.asks(tool.needs_approval, lambda text: {"input": text})
    return changed


def guarded_patch(tool: ApplyPatchTool, guard: Guard, agent: str) -> ApplyPatchTool:
    """Return a patch tool whose operations are judged: `type`, `path`, `diff`, `move_to`."""
    asked = _Tool(guard, agent, tool.name)
    return dataclasses.replace(
        tool,
        editor=_Editor(tool.editor, asked),
        needs_approval=asked.asks(tool.needs_approval, patch_args),
    )


def guarded_computer(tool: ComputerTool[Any], guard: Guard, agent: str) -> ComputerTool[Any] | None:
    """Return a computer each of whose actions is judged; None where it is made at run time."""
    if not isinstance(tool.computer, Computer | AsyncComputer):
        return None
    return dataclasses.replace(
        tool, computer=_computer(tool.computer, _Tool(guard, agent, tool.name))
    )


class _Editor:
    """An editor that asks the policies before it edits."""

    def __init__(self, inner: Any, asked: _Tool) -> None:
        self._inner = inner
        self._asked = asked

    async def create_file(self, operation: ApplyPatchOperation) -> Any:
        return await self._edit(operation, self._inner.create_file)

    async def update_file(self, operation: ApplyPatchOperation) -> Any:
        return await self._edit(operation, self._inner.update_file)

    async def delete_file(self, operation: ApplyPatchOperation) -> Any:
        return await self._edit(operation, self._inner.delete_file)

    async def _edit(self, operation: ApplyPatchOperation, edit: Callable[..., Any]) -> Any:
        def act(args: dict[str, Any]) -> Any:
            return edit(dataclasses.replace(operation, **args))

        try:
            # One call of the SDK may hold several operations, so it has no id here.
            return await self._asked.call(operation.ctx_wrapper, patch_args(operation), None, act)
        except Denied as denied:
            return ApplyPatchResult(status="failed", output=denied.message)


def _computer(inner: Computer | AsyncComputer, asked: _Tool) -> AsyncComputer:
    """Return a computer that acts as another after each action was judged."""

    def action(name: str) -> Callable[..., Awaitable[Any]]:
        method = getattr(inner, name)
        signature = inspect.signature(method)

        async def acted(_: object, *args: Any, **kwargs: Any) -> Any:
            taken = {k: v for k, v in kwargs.items() if k in signature.parameters}
            bound = signature.bind(*args, **taken)
            judged = {"action": name, **snapshot(dict(bound.arguments))[0]}

            def act(permitted: dict[str, Any]) -> Any:
                changed = {k: v for k, v in permitted.items() if k != "action"}
                return method(**changed)

            return await asked.call(None, judged, None, act)

        return acted

    namespace: dict[str, Any] = {name: action(name) for name in _ACTIONS}
    namespace["environment"] = property(lambda _: inner.environment)
    namespace["dimensions"] = property(lambda _: inner.dimensions)
    made: AsyncComputer = type("GuardedComputer", (AsyncComputer,), namespace)()
    return made
