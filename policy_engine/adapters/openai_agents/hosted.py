"""Tools that run on the provider's side: nothing stands between the model and them.

They are offered to the model or they are not. Offered are those that the policies permit by
their names alone, for every call of this agent; what a response says of their use is judged
and recorded after the fact, and a use of any other ends the run.
"""

import inspect
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from agents import (
    CodeInterpreterTool,
    FileSearchTool,
    HostedMCPTool,
    ImageGenerationTool,
    MCPToolApprovalRequest,
    Tool,
    ToolSearchTool,
    WebSearchTool,
)
from agents.tool import ShellTool

from policy_engine.adapters.openai_agents.arguments import read_arguments
from policy_engine.adapters.openai_agents.judge import enforce, foresee
from policy_engine.adapters.openai_agents.scope import about, session_for
from policy_engine.decision import Request
from policy_engine.errors import RequestError
from policy_engine.guard import Denied, Guard, GuardSession

__all__ = [
    "guarded_hosted_mcp",
    "hosted_name",
    "hosted_names",
    "hosted_uses",
    "is_offered",
    "offered",
]

_HOSTED: Final = (WebSearchTool, FileSearchTool, CodeInterpreterTool, ImageGenerationTool)
_USES: Final[Mapping[str, str]] = {
    "web_search_call": "web_search",
    "file_search_call": "file_search",
    "code_interpreter_call": "code_interpreter",
    "image_generation_call": "image_generation",
}
"""The type of an output item -> the tool that was used."""


def hosted_name(tool: Tool) -> str | None:
    """Return what policies call a tool of the provider's; None for any other."""
    if isinstance(tool, _HOSTED):
        return str(tool.name)
    if isinstance(tool, ShellTool) and tool.executor is None:
        return tool.name
    return tool.name if isinstance(tool, ToolSearchTool) else None


def hosted_names() -> tuple[str, ...]:
    """Return what policies call the tools that a provider may have."""
    return (*_USES.values(), "shell")


def is_offered(guard: Guard, name: str, agent: str) -> bool:
    """Whether names alone permit every call of a tool, and nothing else is asked of them."""
    engine = guard.engine
    return (
        all(
            engine.is_quiet(Request(stage=stage, agent=agent, tool=name, args={}, result=""))
            for stage in ("tool_call", "tool_result")
        )
        and not engine.decide(Request(agent=agent, tool=name, args={})).labels
    )


async def offered(guard: Guard, session: GuardSession, tools: Iterable[Tool]) -> list[Tool]:
    """Return the tools that the model may be shown in this request."""
    kept: list[Tool] = []
    for tool in tools:
        name = hosted_name(tool)
        if name is not None:
            request = about(session, "tool_call", tool=name, args={})
            if not (await foresee(guard, session, request)).permitted:
                continue
        kept.append(tool)
    return kept


def hosted_uses(output: Iterable[Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the uses of the provider's tools that a response tells of, with what was asked."""
    found: list[tuple[str, dict[str, Any]]] = []
    for item in output:
        kind = str(getattr(item, "type", ""))
        if kind in _USES:
            found.append((_USES[kind], {}))
        elif kind == "mcp_call":
            label, name = getattr(item, "server_label", ""), getattr(item, "name", "")
            if not getattr(item, "approval_request_id", None):
                found.append((f"{label}/{name}", _json(getattr(item, "arguments", ""))))
        elif kind in ("shell_call_output", "tool_search_call"):
            found.append((kind.removesuffix("_output").removesuffix("_call"), {}))
    return found


def guarded_hosted_mcp(tool: HostedMCPTool, guard: Guard, agent: str) -> HostedMCPTool:
    """Return a hosted MCP server each of whose calls is asked for first."""
    label = str(tool.tool_config.get("server_label", "mcp"))

    async def approve(request: MCPToolApprovalRequest) -> Any:
        session = session_for(guard, agent, request.ctx_wrapper)
        name = f"{label}/{request.data.name}"
        try:
            args = read_arguments(request.data.arguments, {})
        except RequestError as error:
            return {"approve": False, "reason": f"The arguments could not be read: {error}."}
        asked = about(session, "tool_call", tool=name, args=args, call_id=request.data.id)
        judged = Request(stage="tool_result", agent=agent, tool=name, args=args, result="")
        if not guard.engine.is_quiet(judged):
            return {"approve": False, "reason": "What this tool returns cannot be judged here."}
        try:
            decision = await enforce(guard, session, asked)
        except Denied as denied:
            return {"approve": False, "reason": denied.message}
        if decision.effect == "redact":
            return {"approve": False, "reason": "Parts of the arguments may not be sent there."}
        # It runs out of sight: its labels hold from here on.
        guard.returned(decision)
        if tool.on_approval_request is None:
            return {"approve": True}
        said: Any = tool.on_approval_request(request)
        return await said if inspect.isawaitable(said) else said

    config = {**tool.tool_config, "require_approval": "always"}
    return HostedMCPTool(tool_config=config, on_approval_request=approve)  # type: ignore[arg-type]


def _json(text: object) -> dict[str, Any]:
    try:
        found = json.loads(text) if isinstance(text, str) and text else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
