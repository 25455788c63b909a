"""The table of roads: tried with the real SDK, written beside the adapter."""

import asyncio
import json
import os
from importlib.resources import files

import pytest
from agents import (
    ApplyPatchTool,
    ComputerTool,
    CustomTool,
    FunctionTool,
    InputGuardrailTripwireTriggered,
    LocalShellTool,
    MCPToolApprovalRequest,
    RunContextWrapper,
    ShellTool,
)
from agents.editor import ApplyPatchResult
from openai.types.responses import (
    ResponseApplyPatchToolCall,
    ResponseCustomToolCall,
)
from openai.types.responses.response_output_item import LocalShellCall, McpApprovalRequest
from openai_desk import agent_of, call, desk_of, say, scripted
from test_openai_native import Screen, Shop, click, hosted, searched, shell_call

from policy_engine.adapters.openai_agents import UnmediatedError, guard_agent
from policy_engine.guard import Denied

YES, NO = "yes", "no"
ENDS = "no: the run ends"
REFUSED = "asked for, refused until then"
SAID = "Not like this."


def tool_policy(name, effect):
    """Return policies by which a call of a tool meets this effect."""
    rule = {"id": "r", "tools": [name], "effect": effect, "message": SAID}
    if effect == "redact":
        rule |= {"check": {"terms": {"any": ["acme"]}}}
        del rule["message"]
    if effect == "require_approval":
        rule["approval"] = {"approvers": ["finance"], "expires": "1h"}
    if effect != "redact":
        rule["when"] = "tool.size() > 0"
    return {"tools": {name: "allow"}, "rules": [rule]}


def function(seen):
    async def invoke(context, text):
        seen.append(text)
        return "ok"

    schema = {"type": "object", "properties": {"text": {"type": "string"}}}
    tool = FunctionTool("act", "", schema, invoke, strict_json_schema=False)
    return {"tools": [tool]}, call("act", {"text": "for acme"})


def behind(seen):
    async def note(result):
        return "ok"

    class Heard(type(scripted())):
        async def get_response(self, *args, **kwargs):
            seen.append(json.dumps(kwargs["input"]))
            return await super().get_response(*args, **kwargs)

    inner = agent_of(Heard([say("ok")]), name="inner")
    return {"tools": [inner.as_tool("act", "")]}, call("act", {"input": "for acme"})


def server(seen):
    class Watched(Shop):
        async def call_tool(self, tool_name, arguments, meta=None):
            seen.append(json.dumps(arguments))
            return await super().call_tool(tool_name, arguments, meta)

    return {"mcp_servers": [Watched()]}, call("buy", {"item": "for acme"})


def shell(seen):
    def execute(request):
        seen.append(json.dumps(request.data.action.commands))
        return "ok"

    return {"tools": [ShellTool(executor=execute, name="act")]}, shell_call("ls acme")


def local_shell(seen):
    def execute(request):
        seen.append(json.dumps(request.data.action.command))
        return "ok"

    action = {"type": "exec", "command": ["ls", "acme"], "env": {}}
    item = {"id": "a", "type": "local_shell_call", "call_id": "a", "status": "completed"}
    step = [LocalShellCall.model_validate({**item, "action": action})]
    return {"tools": [LocalShellTool(executor=execute)]}, step


def patch(seen):
    class Editor:
        def create_file(self, operation):
            seen.append(operation.diff)
            return ApplyPatchResult(status="completed", output="ok")

        update_file = delete_file = create_file

    item = {"type": "apply_patch_call", "id": "p", "call_id": "p", "status": "completed"}
    operation = {"type": "create_file", "path": "a", "diff": "+acme"}
    step = [ResponseApplyPatchToolCall.model_validate({**item, "operation": operation})]
    return {"tools": [ApplyPatchTool(editor=Editor())]}, step


def custom(seen):
    async def invoke(context, text):
        seen.append(text)
        return "ok"

    tool = CustomTool(name="act", description="", on_invoke_tool=invoke)
    step = [ResponseCustomToolCall(type="custom_tool_call", call_id="q", name="act", input="acme")]
    return {"tools": [tool]}, step


def computer(seen):
    class Watched(Screen):
        async def type(self, text):
            seen.append(text)

    step = click({"type": "type", "text": "acme"}, "k")
    return {"tools": [ComputerTool(computer=Watched())]}, step


TOOLS = [
    ("function tool", "act", function, "a copy with `on_invoke_tool` wrapped"),
    ("agent as tool", "act", behind, "made again of the guarded agent, then as a function tool"),
    ("tool of a local MCP server", "shop/buy", server, "`get_mcp_tools`, then as a function tool"),
    ("shell, local", "act", shell, "`executor` wrapped, `needs_approval`"),
    ("local shell", "local_shell", local_shell, "`executor` wrapped"),
    ("apply_patch", "apply_patch", patch, "`editor` wrapped, `needs_approval`"),
    ("custom tool", "act", custom, "`on_invoke_tool` wrapped, `needs_approval`"),
    ("computer", "computer*", computer, "the computer wrapped, action by action"),
]


def tool_row(tmp_path, name, build):
    """Try a road with each effect; return what became of deny, redact and approve."""
    found = []
    for effect in ("deny", "redact", "require_approval"):
        seen = []
        parts, step = build(seen)
        model = scripted(step, say("done"))
        desk = desk_of(tmp_path, {**tool_policy(name, effect), "handoffs": {"*": "allow"}})
        try:
            result = desk.run(agent_of(model, **parts))
        except Denied:
            assert seen == []
            found.append(ENDS)
            continue
        if effect == "redact":
            assert len(seen) == 1
            assert "acme" not in seen[0]
            found.append(YES)
        elif result.interruptions:
            assert seen == []
            assert effect == "require_approval"
            found.append("pauses the run")
        else:
            assert seen == []
            assert SAID in str(model.calls[1].input)
            found.append(YES if effect == "deny" else REFUSED)
    deny, redact, approve = found
    return deny, redact, REFUSED if approve == ENDS else approve


def handoff_row(tmp_path):
    for effect in ("deny", "require_approval"):
        entry = {"effect": effect, "message": SAID}
        if effect != "deny":
            entry["approval"] = {"approvers": ["finance"], "expires": "1h"}
        else:
            entry = {"rules": [{"id": "r", "when": "true", "effect": "deny", "message": SAID}]}
        desk = desk_of(tmp_path, {"handoffs": {"billing": entry}})
        model = scripted(call("transfer_to_billing"), say("done"))
        billing = agent_of(scripted(say("never")), name="billing")
        desk.run(agent_of(model, handoffs=[billing]))
        assert SAID in str(model.calls[1].input)
    assert len(desk.guard.approvals.pending()) == 1
    return YES, "no: there is nothing to redact", REFUSED


def hosted_mcp_row(tmp_path):
    said = {}
    for effect in ("deny", "redact", "require_approval"):
        desk = desk_of(tmp_path, tool_policy("far/act", effect))
        guarded = guard_agent(agent_of(scripted(), tools=[hosted()["far"]]), desk.guard)
        data = McpApprovalRequest(
            id="m",
            type="mcp_approval_request",
            name="act",
            arguments='{"text": "acme"}',
            server_label="far",
        )
        request = MCPToolApprovalRequest(RunContextWrapper(context=None), data)
        said[effect] = asyncio.run(guarded.tools[0].on_approval_request(request))
    assert not any(answer["approve"] for answer in said.values())
    assert said["deny"]["reason"] == SAID
    return YES, "no: refused", REFUSED


def provider_row(tmp_path):
    tools = hosted()
    del tools["far"]
    desk = desk_of(tmp_path, {"tools": dict.fromkeys(tools, "deny")})
    model = scripted(say("done"))
    desk.run(agent_of(model, tools=list(tools.values())))
    assert model.calls[0].tools == []
    with pytest.raises(Denied):
        desk.run(agent_of(scripted([searched()])))
    for effect in ("redact", "require_approval"):
        desk = desk_of(tmp_path, tool_policy("web_search", effect))
        with pytest.raises(UnmediatedError):
            guard_agent(agent_of(scripted(), tools=[tools["web_search"]]), desk.guard)
    return "no: not offered", "no: refused at attachment", "no: refused at attachment"


def text_policy(effect):
    rule = {"id": "r", "check": {"terms": {"any": ["acme"]}}, "effect": effect}
    if effect == "deny":
        rule["message"] = SAID
    return rule


def input_row(tmp_path):
    desk = desk_of(tmp_path, {"input": [text_policy("deny")]})
    model = scripted(say("never"))
    with pytest.raises(InputGuardrailTripwireTriggered):
        desk.run(agent_of(model), "from acme")
    assert model.calls == ()
    desk = desk_of(tmp_path, {"input": [text_policy("redact")]})
    model = scripted(say("done"))
    desk.run(agent_of(model), "from acme")
    assert "acme" not in str(model.calls[0].input)
    return ENDS, YES, NO


def response_row(tmp_path, *, streamed):
    desk = desk_of(tmp_path, {"output": [text_policy("deny")]})
    agent = agent_of(scripted(say("to acme")))
    with pytest.raises(Denied):
        (desk.stream if streamed else desk.run)(agent)
    desk = desk_of(tmp_path, {"output": [text_policy("redact")]})
    agent = agent_of(scripted(say("to acme")))
    if streamed:
        result, events = desk.stream(agent)
        assert "acme" not in repr(events)
    else:
        result = desk.run(agent)
    assert "acme" not in result.final_output
    return ENDS, YES, NO


def model_row(tmp_path):
    desk = desk_of(tmp_path, {"models": {"small": "deny"}})
    model = scripted(say("never"))
    model.model = "small"
    with pytest.raises(Denied):
        desk.run(agent_of(model))
    assert model.calls == ()
    return ENDS, YES, NO


def rows(tmp_path):
    for title, name, build, road in TOOLS:
        yield (title, road, *tool_row(tmp_path, name, build))
    yield ("handoff", "`on_invoke_handoff` wrapped: stays with its agent", *handoff_row(tmp_path))
    yield ("hosted MCP server", "approval forced for every call", *hosted_mcp_row(tmp_path))
    yield (
        "web search, file search, code interpreter, images, hosted shell",
        "offered to the model or not; its use judged afterwards",
        *provider_row(tmp_path),
    )
    yield ("input", "blocking guardrail; session callback; the model wrapped", *input_row(tmp_path))
    yield ("model request", "the model wrapped", *model_row(tmp_path))
    yield ("model response", "the model wrapped", *response_row(tmp_path, streamed=False))
    yield (
        "model response, streamed",
        "the model wrapped: each response is held until it is judged",
        *response_row(tmp_path, streamed=True),
    )


INTRODUCTION = """\
# Roads of the OpenAI Agents SDK

What each road is mediated by, whether a denial reaches the model as a message, whether parts can
be redacted (of the arguments, where it is a call), and how people are asked. This file is written
by `tests/adapters/test_openai_roads.py`, which tries every cell with the SDK itself.

| road | mediated by | deny with a message | redact | approve |
|---|---|---|---|---|
"""


def test_the_table_of_roads_is_true(tmp_path):
    table = INTRODUCTION + "".join(f"| {' | '.join(row)} |\n" for row in rows(tmp_path))
    path = files("policy_engine.adapters.openai_agents") / "ROADS.md"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(table)
    assert path.read_text() == table
