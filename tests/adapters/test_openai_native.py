"""Shell, patches, custom tools, computers, MCP servers and the provider's own tools."""

import asyncio
import json

import pytest
from agents import (
    ApplyPatchTool,
    AsyncComputer,
    CodeInterpreterTool,
    ComputerTool,
    CustomTool,
    FileSearchTool,
    HostedMCPTool,
    ImageGenerationTool,
    LocalShellTool,
    RunConfig,
    Runner,
    ShellTool,
    WebSearchTool,
)
from agents.editor import ApplyPatchResult
from agents.mcp import MCPServer
from agents.sandbox import SandboxAgent
from mcp.types import CallToolResult, TextContent
from mcp.types import Tool as McpTool
from openai.types.responses import (
    ResponseApplyPatchToolCall,
    ResponseComputerToolCall,
    ResponseCustomToolCall,
    ResponseFunctionShellToolCall,
    ResponseFunctionWebSearch,
)
from openai.types.responses.response_output_item import McpApprovalRequest
from openai_desk import WHO, agent_of, call, desk_of, outputs, say, scripted

from policy_engine.adapters.openai_agents import UnmediatedError, apply_approvals, guard_agent
from policy_engine.adapters.openai_agents.unpublished import knows_mcp_names
from policy_engine.guard import Denied

FINANCE = {"id": "f1", "roles": ["finance"]}
SHELL = {
    "tools": {
        "shell": {
            "args": {
                "commands": {
                    "type": "array",
                    "items": {"type": "string", "pattern": "^(ls|cat|rm)( .*)?$"},
                    "message": "Only ls and cat.",
                },
                "timeout_ms": {"type": "integer", "optional": True},
            },
            "rules": [
                {
                    "id": "remove",
                    "when": 'args.commands.exists(c, c.startsWith("rm"))',
                    "effect": "require_approval",
                    "approval": {"approvers": ["finance"], "expires": "1h"},
                    "message": "Removing needs an approval.",
                }
            ],
            "result": [{"id": "s", "check": {"terms": {"any": ["hunter2"]}}, "effect": "redact"}],
        }
    }
}


def shell_call(*commands, call_id="s1"):
    item = ResponseFunctionShellToolCall.model_validate(
        {
            "id": "sh_" + call_id,
            "type": "shell_call",
            "call_id": call_id,
            "status": "completed",
            "action": {"commands": list(commands)},
        }
    )
    return [item]


def shell_of(ran):
    def execute(request):
        ran.append(list(request.data.action.commands))
        return "files and hunter2"

    return ShellTool(executor=execute)


def test_a_shell_runs_what_was_judged_and_says_what_may_be_said(tmp_path):
    ran, desk = [], desk_of(tmp_path, SHELL)
    model = scripted(shell_call("ls -l"), shell_call("curl x", call_id="s2"), say("done"))
    found = outputs(desk.run(agent_of(model, tools=[shell_of(ran)])))
    assert ran == [["ls -l"]]
    assert found[0].startswith("files and")
    assert "hunter2" not in found[0]
    assert "Only ls and cat." in found[1]


def test_a_shell_call_waits_for_an_approval_and_runs_after_it(tmp_path):
    ran, desk = [], desk_of(tmp_path, SHELL)
    model = scripted(shell_call("rm x"), say("done"))
    guarded = guard_agent(agent_of(model, tools=[shell_of(ran)]), desk.guard)

    async def go():
        result = await Runner.run(guarded, "x", run_config=desk.config())
        assert len(result.interruptions) == 1
        state = result.to_state()
        state.approve(result.interruptions[0])
        early = await Runner.run(guarded, state, run_config=desk.config())
        assert ran == []
        return early

    early = asyncio.run(go())
    assert "approval" in outputs(early)[0]


def test_an_approved_shell_call_runs_in_the_session_that_asked(tmp_path):
    ran, desk = [], desk_of(tmp_path, SHELL)
    model = scripted(shell_call("rm x"), say("done"))
    guarded = guard_agent(agent_of(model, tools=[shell_of(ran)]), desk.guard)

    async def go():
        with desk.guard.session("s1", principal=WHO):
            result = await Runner.run(guarded, "x", run_config=desk.config())
            for waiting in desk.guard.approvals.pending():
                desk.guard.approvals.approve(waiting.id, by=FINANCE)
            state = result.to_state()
            assert (await apply_approvals(state, desk.guard)).approved == ("s1",)
            return await Runner.run(guarded, state, run_config=desk.config())

    assert asyncio.run(go()).final_output == "done"
    assert ran == [["rm x"]]


def test_a_local_shell_is_judged(tmp_path):
    from openai.types.responses.response_output_item import LocalShellCall

    ran = []
    policy = {
        "tools": {
            "local_shell": {
                "rules": [{"id": "r", "when": 'args.command[0] != "ls"', "effect": "deny"}],
                "args": {
                    "command": {"type": "array", "items": {"type": "string"}},
                    "env": {"type": "object", "additionalProperties": True},
                },
            }
        }
    }
    desk = desk_of(tmp_path, policy)

    def local(command, call_id):
        action = {"type": "exec", "command": command, "env": {}}
        return [
            LocalShellCall.model_validate(
                {
                    "id": call_id,
                    "type": "local_shell_call",
                    "call_id": call_id,
                    "status": "completed",
                    "action": action,
                }
            )
        ]

    tool = LocalShellTool(executor=lambda request: ran.append(request.data.action.command) or "ok")
    model = scripted(local(["ls"], "a"), local(["rm"], "b"), say("done"))
    desk.run(agent_of(model, tools=[tool]))
    assert ran == [["ls"]]


def test_patches_are_judged_one_by_one(tmp_path):
    edited = []

    class Editor:
        def create_file(self, operation):
            edited.append(operation.path)
            return ApplyPatchResult(status="completed", output="ok")

        update_file = delete_file = create_file

    policy = {
        "tools": {
            "apply_patch": {
                "args": {
                    "type": {"type": "string"},
                    "path": {"type": "string", "pattern": "^src/", "message": "Only below src."},
                    "diff": {"type": "string", "optional": True},
                }
            }
        }
    }
    desk = desk_of(tmp_path, policy)

    def patch(path, call_id):
        operation = {"type": "create_file", "path": path, "diff": "+x"}
        return [
            ResponseApplyPatchToolCall.model_validate(
                {
                    "type": "apply_patch_call",
                    "id": call_id,
                    "call_id": call_id,
                    "status": "completed",
                    "operation": operation,
                }
            )
        ]

    model = scripted(patch("src/a.py", "p1"), patch("etc/passwd", "p2"), say("done"))
    result = desk.run(agent_of(model, tools=[ApplyPatchTool(editor=Editor())]))
    assert edited == ["src/a.py"]
    assert "Only below src." in outputs(result)[1]


def test_a_custom_tool_is_judged(tmp_path):
    ran = []

    async def invoke(context, text):
        ran.append(text)
        return "ok"

    policy = {
        "tools": {
            "query": {
                "args": {
                    "input": {"type": "string", "pattern": "^SELECT", "message": "Only reads."}
                }
            }
        }
    }
    desk = desk_of(tmp_path, policy)

    def custom(text, call_id):
        return [
            ResponseCustomToolCall(
                type="custom_tool_call", call_id=call_id, name="query", input=text
            )
        ]

    tool = CustomTool(name="query", description="", on_invoke_tool=invoke)
    model = scripted(custom("SELECT 1", "q1"), custom("DROP TABLE x", "q2"), say("done"))
    found = outputs(desk.run(agent_of(model, tools=[tool])))
    assert ran == ["SELECT 1"]
    assert found == ["ok", "Only reads."]


class Screen(AsyncComputer):
    """A computer that notes what it did."""

    environment = "browser"
    dimensions = (10, 10)

    def __init__(self):
        self.done = []

    async def screenshot(self):
        return "AAAA"

    async def click(self, x, y, button):
        self.done.append(("click", x, y))

    async def type(self, text):
        self.done.append(("type", text))

    async def double_click(self, x, y): ...
    async def scroll(self, x, y, scroll_x, scroll_y): ...
    async def wait(self): ...
    async def move(self, x, y): ...
    async def keypress(self, keys): ...
    async def drag(self, path): ...


def click(action, call_id):
    return [
        ResponseComputerToolCall.model_validate(
            {
                "id": call_id,
                "type": "computer_call",
                "call_id": call_id,
                "status": "completed",
                "action": action,
                "pending_safety_checks": [],
            }
        )
    ]


def test_each_action_of_a_computer_is_judged_and_a_denial_ends_the_run(tmp_path):
    policy = {
        "tools": {"computer*": "allow"},
        "rules": [
            {
                "id": "no-passwords",
                "tools": ["computer*"],
                "check": {"terms": {"any": ["hunter2"]}},
                "effect": "deny",
                "message": "Not there.",
            }
        ],
    }
    desk, screen = desk_of(tmp_path, policy), Screen()
    model = scripted(
        click({"type": "click", "x": 1, "y": 2, "button": "left"}, "k1"),
        click({"type": "type", "text": "hunter2"}, "k2"),
        say("never"),
    )
    with pytest.raises(Denied, match="Not there"):
        desk.run(agent_of(model, tools=[ComputerTool(computer=screen)]))
    assert screen.done == [("click", 1, 2)]


class Shop(MCPServer):
    """A local MCP server in this process."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.called = []

    name = "shop"

    async def connect(self): ...
    async def cleanup(self): ...

    async def list_tools(self, run_context=None, agent=None):
        schema = {
            "type": "object",
            "properties": {"item": {"type": "string"}, "count": {"type": "integer", "default": 1}},
            "required": ["item"],
        }
        return [McpTool(name=name, inputSchema=schema) for name in ("buy", "steal")]

    async def call_tool(self, tool_name, arguments, meta=None):
        self.called.append((tool_name, arguments))
        return CallToolResult(content=[TextContent(type="text", text="bought, hunter2")])

    async def list_prompts(self): ...
    async def get_prompt(self, name, arguments=None): ...


SHOP = {
    "tools": {
        "shop/buy": {
            "args": {
                "item": {"type": "string"},
                "count": {"type": "integer", "maximum": 3, "message": "At most 3."},
            },
            "rules": [
                {
                    "id": "gold",
                    "when": 'args.item == "gold"',
                    "effect": "require_approval",
                    "approval": {"approvers": ["finance"], "expires": "1h"},
                }
            ],
            "result": [{"id": "s", "check": {"terms": {"any": ["hunter2"]}}, "effect": "redact"}],
        }
    }
}


@pytest.mark.parametrize("prefixed", [False, True], ids=["plain names", "the server in the names"])
def test_a_local_mcp_server_is_judged(tmp_path, prefixed):
    desk, shop = desk_of(tmp_path, SHOP), Shop()
    name = "buy"
    config = {"include_server_in_tool_names": True} if prefixed else {}
    if prefixed and not knows_mcp_names():
        with pytest.raises(UnmediatedError, match="include_server_in_tool_names"):
            guard_agent(agent_of(scripted(), mcp_servers=[shop], mcp_config=config), desk.guard)
        return
    if prefixed:
        probe = scripted(say("x"))
        desk.run(agent_of(probe, mcp_servers=[shop], mcp_config=config))
        name = probe.calls[0].tools[0].name
    model = scripted(
        call(name, {"item": "tea"}), call(name, {"item": "tea", "count": 9}), say("done")
    )
    result = desk.run(agent_of(model, mcp_servers=[shop], mcp_config=config))
    assert [tool.name for tool in model.calls[0].tools] == [name]
    assert shop.called == [("buy", {"item": "tea", "count": 1})]
    assert "hunter2" not in str(outputs(result)[0])
    assert outputs(result)[1] == "At most 3."


def test_a_hidden_tool_of_a_server_is_refused_by_name(tmp_path):
    desk, shop = desk_of(tmp_path, SHOP), Shop()
    model = scripted(call("steal", {"item": "tea"}), say("sorry"))
    desk.run(agent_of(model, mcp_servers=[shop]))
    assert shop.called == []


def test_a_call_of_a_server_waits_for_an_approval(tmp_path):
    desk, shop = desk_of(tmp_path, SHOP), Shop()
    model = scripted(call("buy", {"item": "gold"}, "c1"), say("done"))
    guarded = guard_agent(agent_of(model, mcp_servers=[shop]), desk.guard)

    async def go():
        result = await Runner.run(guarded, "x", run_config=desk.config())
        assert [item.call_id for item in result.interruptions] == ["c1"]
        for waiting in desk.guard.approvals.pending():
            desk.guard.approvals.approve(waiting.id, by=FINANCE)
        state = result.to_state()
        applied = await apply_approvals(state, desk.guard, session="s1", principal=WHO)
        assert applied.approved == ("c1",)
        return await Runner.run(guarded, state, run_config=desk.config())

    assert asyncio.run(go()).final_output == "done"
    assert shop.called == [("buy", {"item": "gold", "count": 1})]


def _late(*, run_context):
    return Screen()


def hosted():
    config = {"type": "mcp", "server_label": "far", "server_url": "https://far.example/mcp"}
    return {
        "web_search": WebSearchTool(),
        "file_search": FileSearchTool(vector_store_ids=["v"]),
        "code_interpreter": CodeInterpreterTool(
            tool_config={"type": "code_interpreter", "container": {"type": "auto"}}
        ),
        "image_generation": ImageGenerationTool(tool_config={"type": "image_generation"}),
        "shell": ShellTool(environment={"type": "container_auto"}),
        "far": HostedMCPTool(tool_config={**config, "require_approval": "never"}),
    }


def test_what_cannot_be_mediated_is_refused_all_at_once(tmp_path):
    names = ["web_search", "file_search", "code_interpreter", "image_generation", "shell"]
    judged = {
        name: {"rules": [{"id": f"r{n}", "when": 'principal.id != "u1"', "effect": "deny"}]}
        for n, name in enumerate(names)
    }
    desk = desk_of(tmp_path, {"tools": {**judged, "computer*": "allow"}})
    tools = [hosted()[name] for name in names]
    computer = ComputerTool(computer=_late)
    with pytest.raises(UnmediatedError) as caught:
        guard_agent(agent_of(scripted(), tools=[*tools, computer]), desk.guard)
    assert {gap.what for gap in caught.value.gaps} == {*names, computer.name}
    assert str(caught.value).endswith("6 gaps: no agent was guarded")


def test_what_cannot_be_mediated_may_be_denied_outright(tmp_path):
    desk = desk_of(tmp_path, {"tools": {"nothing": "allow"}})
    tools = hosted()
    del tools["far"]
    computer = ComputerTool(computer=_late)
    model = scripted(say("hello"))
    desk.run(agent_of(model, tools=[*tools.values(), computer]))
    assert model.calls[0].tools == []


def searched():
    return ResponseFunctionWebSearch.model_validate(
        {
            "id": "w1",
            "type": "web_search_call",
            "status": "completed",
            "action": {"type": "search", "query": "x"},
        }
    )


def test_a_tool_of_the_provider_is_offered_where_its_name_is_enough(tmp_path):
    desk = desk_of(tmp_path, {"tools": {"web_search": "allow"}})
    model = scripted([searched(), *say("found")])
    desk.run(agent_of(model, tools=[WebSearchTool()]))
    assert [tool.name for tool in model.calls[0].tools] == ["web_search"]
    assert ("tool_call", "web_search", "allow") in desk.decisions()


def test_a_halted_tool_of_the_provider_is_not_offered(tmp_path):
    desk = desk_of(tmp_path, {"tools": {"web_search": "allow"}})
    desk.guard.halt("tool", "web_search", reason="costs")
    model = scripted(say("hello"))
    desk.run(agent_of(model, tools=[WebSearchTool()]))
    assert model.calls[0].tools == []


def test_a_use_of_a_tool_that_the_agent_does_not_have_ends_the_run(tmp_path):
    desk = desk_of(tmp_path, {"tools": {"nothing": "allow"}})
    with pytest.raises(Denied):
        desk.run(agent_of(scripted([searched(), *say("found")])))


def test_a_hosted_mcp_server_asks_before_each_call(tmp_path):
    desk = desk_of(
        tmp_path,
        {
            "tools": {
                "far/read": {"args": {"page": {"type": "string", "maxLength": 3}}},
                "far/far/read": "allow",
                "far/send": {
                    "result": [{"id": "s", "check": {"terms": {"any": ["x"]}}, "effect": "deny"}]
                },
            }
        },
    )
    guarded = guard_agent(agent_of(scripted(), tools=[hosted()["far"]]), desk.guard)
    tool = guarded.tools[0]
    assert tool.tool_config["require_approval"] == "always"

    async def asked(name, arguments):
        from agents import MCPToolApprovalRequest, RunContextWrapper

        data = McpApprovalRequest(
            id=f"{name}-{arguments}",
            type="mcp_approval_request",
            name=name,
            arguments=json.dumps(arguments),
            server_label="far",
        )
        with desk.guard.session("s1", principal=WHO):
            return await tool.on_approval_request(
                MCPToolApprovalRequest(RunContextWrapper(context=None), data)
            )

    assert asyncio.run(asked("read", {"page": "a"})) == {"approve": True}
    assert not asyncio.run(asked("read", {"page": "abcd"}))["approve"]
    assert not asyncio.run(asked("burn", {}))["approve"]
    assert asyncio.run(asked("far/read", {"page": "a"})) == {
        "approve": False,
        "reason": "A tool whose own name has a slash could be taken for another server's.",
    }
    # What it returns is judged when it comes in.
    assert asyncio.run(asked("send", {})) == {"approve": True}


def test_a_sandbox_agent_is_refused(tmp_path):
    desk = desk_of(tmp_path, {"tools": {"*": "allow"}})
    with pytest.raises(UnmediatedError, match="makes its tools when it runs"):
        guard_agent(SandboxAgent(name="box"), desk.guard)


def test_who_ran_before_in_this_task_does_not_answer_for_a_resumed_shell(tmp_path):
    ran, desk = [], desk_of(tmp_path, SHELL)
    model = scripted(shell_call("rm x"))
    guarded = guard_agent(agent_of(model, tools=[shell_of(ran)]), desk.guard)

    async def go():
        result = await Runner.run(guarded, "x", run_config=desk.config())
        for waiting in desk.guard.approvals.pending():
            desk.guard.approvals.approve(waiting.id, by=FINANCE)
        state = result.to_state()
        state.approve(result.interruptions[0])
        model.enqueue(say("done"))
        return await Runner.run(guarded, state, run_config=RunConfig())

    asyncio.run(go())
    assert ran == []
