"""Tools that run on the provider's side: nothing stands between the model and them.

They are offered to the model or they are not. Offered are those that the policies permit by
their names alone, for every call of this agent, and whose results can be seen where a rule is
about them. `used` says what becomes of their use.
"""

import inspect
from collections.abc import Iterable
from typing import Any, Final

from agents import (
    Agent,
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
from policy_engine.adapters.openai_agents.reread import refuse_packed
from policy_engine.adapters.openai_agents.scope import about, session_for
from policy_engine.decision import Request
from policy_engine.errors import RequestError
from policy_engine.guard import Denied, Guard, GuardSession

__all__ = [
    "guarded_hosted_mcp",
    "hosted_gap",
    "hosted_name",
    "hosted_names",
    "is_offered",
    "offered",
]

_HOSTED: Final = (WebSearchTool, FileSearchTool, CodeInterpreterTool, ImageGenerationTool)
_NAMES: Final = ("web_search", "file_search", "code_interpreter", "image_generation", "shell")
_SLASH: Final = "A tool whose own name has a slash could be taken for another server's."
_RESULTS: Final = "file_search_call.results"
_OUTPUTS: Final = "code_interpreter_call.outputs"
_CONDITIONS: Final = (
    "runs on the provider's side, where no call can be judged: permit every call of it by its "
    "name alone, or deny it"
)
_NO_RESULTS: Final = (
    "keeps what it finds from the rules of its `result`: make it with "
    "FileSearchTool(include_search_results=True), leave the rules out, or deny it"
)
_NO_OUTPUTS: Final = (
    "keeps what its code prints from the rules of its `result`: give the agent "
    f'ModelSettings(response_include=["{_OUTPUTS}"]), leave the rules out, or deny it'
)
_NO_PAGES: Final = (
    "shows the pages that it finds to the model alone, and to no rule of its `result`: leave the "
    "rules out, deny it, or search with a function tool"
)


def hosted_name(tool: Tool) -> str | None:
    """Return what policies call a tool of the provider's; None for any other."""
    if isinstance(tool, _HOSTED):
        return str(tool.name)
    if isinstance(tool, ShellTool) and tool.executor is None:
        return tool.name
    return tool.name if isinstance(tool, ToolSearchTool) else None


def hosted_names() -> tuple[str, ...]:
    """Return what policies call the tools that a provider may have."""
    return _NAMES


def is_offered(guard: Guard, name: str, agent: str) -> bool:
    """Whether names alone permit every call of a tool, and nothing is asked of its results."""
    return _is_open(guard, name, agent) and not _has_results_judged(guard, name, agent)


def hosted_gap(tool: Tool, guard: Guard, agent: Agent[Any]) -> str | None:
    """Return why a tool of the provider's cannot be offered, and what to do; None where it can."""
    name = hosted_name(tool) or ""
    if not _is_open(guard, name, agent.name):
        return _CONDITIONS
    if not _has_results_judged(guard, name, agent.name):
        return None
    shown = agent.model_settings.response_include or ()
    if isinstance(tool, FileSearchTool):
        return None if tool.include_search_results or _RESULTS in shown else _NO_RESULTS
    if isinstance(tool, CodeInterpreterTool):
        return None if _OUTPUTS in shown else _NO_OUTPUTS
    return _NO_PAGES if isinstance(tool, WebSearchTool) else None


def _is_open(guard: Guard, name: str, agent: str) -> bool:
    return guard.engine.is_quiet(Request(agent=agent, tool=name, args={}))


def _has_results_judged(guard: Guard, name: str, agent: str) -> bool:
    return not guard.engine.is_result_quiet(Request(agent=agent, tool=name, args={}))


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


def guarded_hosted_mcp(tool: HostedMCPTool, guard: Guard, agent: str) -> HostedMCPTool:
    """Return a hosted MCP server each of whose calls is asked for first."""
    label = str(tool.tool_config.get("server_label", "mcp"))

    async def approve(request: MCPToolApprovalRequest) -> Any:
        session = session_for(guard, agent, request.ctx_wrapper)
        name = f"{label}/{request.data.name}"
        if "/" in request.data.name:
            return {"approve": False, "reason": _SLASH}
        try:
            args = read_arguments(request.data.arguments, {})
        except RequestError as error:
            return {"approve": False, "reason": f"The arguments could not be read: {error}."}
        asked = about(session, "tool_call", tool=name, args=args, call_id=request.data.id)
        try:
            await refuse_packed(guard, session, asked)
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
