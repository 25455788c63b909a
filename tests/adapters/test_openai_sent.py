"""What a model is sent that no guarded model said and no guarded tool returned: judged, once."""

import asyncio
import json

import pytest
from agents import (
    ComputerTool,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    RunConfig,
    Runner,
    RunState,
    SessionSettings,
    ShellTool,
    SQLiteSession,
    ToolOutputImage,
    ToolOutputText,
    function_tool,
    handoff,
)
from agents.extensions.tool_output_trimmer import ToolOutputTrimmer
from agents.handoffs import get_conversation_history_wrappers
from agents.run import ModelInputData
from agents.testing import assistant_message, function_call
from openai import AsyncOpenAI
from openai.types.responses import ResponseReasoningItem, ResponseToolSearchOutputItem
from openai.types.responses.response_reasoning_item import Summary
from openai_desk import WHO, agent_of, call, desk_of, refund_tool, say, scripted, whole
from pydantic import BaseModel
from test_openai_native import Screen, click, shell_call
from test_openai_runs import api, named, tokens, used  # noqa: F401 - `api` is a fixture

from policy_engine.adapters.openai_agents import (
    UnmediatedError,
    apply_approvals,
    guard_agent,
    said,
)
from policy_engine.adapters.openai_agents.said import KEPT, note_said, was_said
from policy_engine.guard import Denied

OPEN = {"tools": {"*": "allow"}, "handoffs": {"*": "allow"}}
DENY = {
    "id": "attack",
    "check": {"terms": {"any": ["hunter2"]}},
    "effect": "deny",
    "message": "Please do not.",
}
REDACT = {"id": "names", "check": {"terms": {"any": ["acme"]}}, "effect": "redact"}
RULES = {**OPEN, "input": [DENY, REDACT]}
BOTH = pytest.mark.parametrize("streamed", [False, True], ids=["at once", "streamed"])
ASK = {"role": "user", "content": "go on"}


def go(desk, agent, given, *, streamed=False, config=None, **settings):
    """Run a guarded agent to its end."""

    async def run():
        made = desk.config() if config is None else config
        if not streamed:
            return await Runner.run(agent, given, run_config=made, **settings)
        running = Runner.run_streamed(agent, given, run_config=made, **settings)
        async for _ in running.stream_events():
            pass
        return running

    return asyncio.run(run())


def sent(model, number=-1):
    """Return what a model was sent beside what the user asks."""
    return [item for item in model.calls[number].input if item != ASK]


def requests(desk):
    """Return the effects of the decisions about requests."""
    return [effect for stage, _, effect in desk.decisions("model_request")]


def called(text):
    return {"type": "function_call", "call_id": "c", "name": "f", "arguments": text}


CALL = called("{}")


def items(text):
    """Return items that hold a text, by what they are."""
    part = {"type": "output_text", "text": text, "annotations": []}
    summary = {"type": "summary_text", "text": text}
    chunk = {"stdout": text, "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}
    shell = {"type": "shell_call", "call_id": "s", "action": {"commands": ["ls"]}}
    search = {"type": "web_search_call", "id": "w", "status": "completed"}
    code = {"type": "code_interpreter_call", "id": "i", "container_id": "x", "code": "1"}
    mcp = {"type": "mcp_call", "id": "m", "server_label": "far", "name": "act", "arguments": "{}"}
    return {
        "an answer": [{"role": "assistant", "content": text}],
        "an answer in parts": [
            {
                "type": "message",
                "id": "msg_1",
                "role": "assistant",
                "status": "completed",
                "content": [{**part, "text": "Well. "}, part],
            }
        ],
        "a refusal": [
            {"role": "assistant", "content": [{"type": "refusal", "refusal": f"No: {text}"}]}
        ],
        "a call": [called(json.dumps({"note": text}))],
        "a call that is no JSON": [called(text)],
        "a call with escapes": [called(json.dumps({"note": text}).replace("a", "\\u0061"))],
        "a result": [CALL, {"type": "function_call_output", "call_id": "c", "output": text}],
        "a result in parts": [
            CALL,
            {
                "type": "function_call_output",
                "call_id": "c",
                "output": [{"type": "input_text", "text": text}],
            },
        ],
        "a thought": [{"type": "reasoning", "id": "r", "summary": [summary]}],
        "a custom call": [
            {"type": "custom_tool_call", "call_id": "c", "name": "q", "input": text},
        ],
        "a custom result": [
            {"type": "custom_tool_call", "call_id": "c", "name": "q", "input": "x"},
            {"type": "custom_tool_call_output", "call_id": "c", "output": text},
        ],
        "a shell's output": [
            shell,
            {"type": "shell_call_output", "call_id": "s", "output": [chunk]},
        ],
        "a search": [{**search, "action": {"type": "search", "query": text}}],
        "code": [{**code, "code": text, "outputs": []}],
        "what code prints": [{**code, "outputs": [{"type": "logs", "logs": text}]}],
        "a hosted call": [{**mcp, "output": text}],
    }


KINDS = list(items(""))


@BOTH
@pytest.mark.parametrize("kind", KINDS)
def test_a_history_made_by_hand_is_redacted(tmp_path, kind, streamed):
    desk, model = desk_of(tmp_path, RULES), scripted(say("ok"))
    guarded = guard_agent(agent_of(model), desk.guard)
    result = go(desk, guarded, [*items("for acme")[kind], ASK], streamed=streamed)
    assert result.final_output == "ok"
    text = json.dumps(sent(model))
    assert "acme" not in text
    assert "<TERM>" in text
    assert len(sent(model)) == len(items("x")[kind])
    assert sorted(requests(desk)) in (["allow", "redact"], ["allow", "allow", "redact"])


@BOTH
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_denied_of_a_history_is_withheld(tmp_path, kind, streamed):
    desk, model = desk_of(tmp_path, RULES), scripted(say("ok"))
    guarded = guard_agent(agent_of(model), desk.guard)
    given = items("it is hunter2")[kind]
    result = go(desk, guarded, [*given, ASK], streamed=streamed)
    assert result.final_output == "ok"
    assert "hunter2" not in json.dumps(sent(model))
    kinds = [(item.get("type"), item.get("call_id")) for item in given]
    assert [(item.get("type"), item.get("call_id")) for item in sent(model)] == kinds
    assert requests(desk) == ["allow", "deny"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_no_rule_speaks_of_stays_as_it_is(tmp_path, kind):
    desk, model = desk_of(tmp_path, RULES), scripted(say("ok"))
    go(desk, guard_agent(agent_of(model), desk.guard), [*items("fine")[kind], ASK])
    assert sent(model) == items("fine")[kind]
    assert requests(desk) == ["allow"]


def test_without_rules_about_input_nothing_is_asked(tmp_path):
    desk, model = desk_of(tmp_path, OPEN), scripted(say("ok"))
    given = items("acme hunter2")["a result"]
    go(desk, guard_agent(agent_of(model), desk.guard), [*given, ASK])
    assert sent(model) == given


def test_a_limit_of_size_is_about_one_thing(tmp_path):
    rule = {"id": "long", "check": {"size": {"max_chars": 50}}, "effect": "deny"}
    desk, model = desk_of(tmp_path, {**OPEN, "input": [rule]}), scripted(say("ok"))
    given = [{"role": "assistant", "content": "word " * n} for n in (8, 9, 7, 99)]
    go(desk, guard_agent(agent_of(model), desk.guard), [*given, ASK])
    assert sent(model) == [*given[:3], {"role": "assistant", "content": "[withheld]"}]


def test_an_image_that_nobody_judged_is_withheld(tmp_path):
    url = "data:image/png;base64,Qk0x"
    part = {"type": "input_image", "image_url": url}
    given = [
        CALL,
        {"type": "function_call_output", "call_id": "c", "output": [part]},
        {
            "type": "computer_call_output",
            "call_id": "k",
            "output": {"type": "computer_screenshot", "image_url": url},
        },
        {"type": "image_generation_call", "id": "i", "status": "completed", "result": "Qk0x"},
    ]
    for unread in ({}, {"unread": "allow"}):
        policy = {**OPEN, "input": [{**DENY, **unread}]}
        desk, model = desk_of(tmp_path, policy), scripted(say("ok"))
        go(desk, guard_agent(agent_of(model), desk.guard), [*given, ASK])
        assert ("Qk0x" in json.dumps(sent(model))) is bool(unread)
        assert len(sent(model)) == 4


@pytest.mark.parametrize("text", ["hunter2", "acme"])
def test_a_name_that_may_not_be_read_is_another(tmp_path, text):
    # A provider takes letters alone for the name of a tool.
    desk, model = desk_of(tmp_path, RULES), scripted(say("ok"))
    go(desk, guard_agent(agent_of(model), desk.guard), [{**CALL, "name": text}, ASK])
    assert sent(model) == [{**CALL, "name": "withheld"}]


def test_the_names_of_the_agents_own_tools_are_its_authors(tmp_path):
    @function_tool(name_override="acme")
    def own() -> str:
        return "x"

    desk, model = desk_of(tmp_path, RULES), scripted(say("ok"))
    billing = handoff(agent_of(scripted(), name="b"), tool_name_override="hunter2")
    agent = guard_agent(agent_of(model, tools=[own], handoffs=[billing]), desk.guard)
    given = [{**CALL, "name": "acme"}, {**CALL, "name": "hunter2", "call_id": "d"}]
    go(desk, agent, [*given, ASK])
    assert sent(model) == given


def test_a_condition_reads_what_stands_in_a_conversation_as_a_text(tmp_path):
    rule = {"id": "long", "when": 'text.contains("hunter2")', "effect": "deny"}
    # A request without instructions of its own has no text, and then this cannot be told.
    settings = {"instructions": lambda context, agent: "Be kind."}
    for kind in ("an answer", "a call", "a result", "a result in parts", "a thought"):
        for text in ("fine", "it is hunter2"):
            desk, model = desk_of(tmp_path, {**OPEN, "input": [rule]}), scripted(say("ok"))
            agent = guard_agent(agent_of(model, **settings), desk.guard)
            go(desk, agent, [*items(text)[kind], ASK])
            assert (sent(model) == items(text)[kind]) is (text == "fine")
            assert "hunter2" not in json.dumps(sent(model))


def test_what_a_rule_would_do_that_is_only_observed_is_recorded(tmp_path):
    policy = {**OPEN, "input": [{**DENY, "mode": "observe"}]}
    desk, model = desk_of(tmp_path, policy), scripted(say("ok"))
    given = items("hunter2")["a result"]
    go(desk, guard_agent(agent_of(model), desk.guard), [*given, ASK])
    assert sent(model) == given
    would = [r.get("would", r["effect"]) for r in desk.records if r.get("stage") == "model_request"]
    assert would == ["allow", "deny"]


TOOLS = {
    "additional_tools": {"role": "developer", "tools": [{"type": "web_search"}]},
    "configuration_update": {"text": {"format": {"type": "text"}}},
}


@pytest.mark.parametrize("kind", TOOLS)
def test_tools_do_not_come_with_the_conversation(tmp_path, kind):
    desk, model = desk_of(tmp_path, OPEN), scripted(say("never"))
    with pytest.raises(UnmediatedError, match=f'"{kind}" stands in the conversation'):
        go(desk, guard_agent(agent_of(model), desk.guard), [{"type": kind, **TOOLS[kind]}, ASK])
    assert model.calls == ()


MCP = {"type": "mcp", "server_label": "far", "server_url": "http://x"}
LOADED = {"type": "function", "name": "f", "parameters": {}}


@pytest.mark.parametrize("policy", [OPEN, RULES], ids=["no rules", "rules"])
def test_tools_of_the_provider_that_nobody_loaded_are_left_out(tmp_path, policy):
    desk, model = desk_of(tmp_path, policy), scripted(say("ok"))
    given = {"type": "tool_search_output", "call_id": "t", "tools": [LOADED, MCP, "odd"]}
    go(desk, guard_agent(agent_of(model), desk.guard), [given, ASK])
    assert sent(model) == [{**given, "tools": [LOADED]}]


@pytest.mark.parametrize("policy", [OPEN, RULES], ids=["no rules", "rules"])
def test_tools_that_a_guarded_model_loaded_stay(tmp_path, policy):
    desk = desk_of(tmp_path, policy)
    loaded = ResponseToolSearchOutputItem.model_validate(
        {
            "type": "tool_search_output",
            "id": "t",
            "call_id": None,
            "execution": "server",
            "status": "completed",
            "tools": [LOADED, MCP],
        }
    )
    model = scripted(whole([loaded, *say("one")]), say("two"))
    agent = guard_agent(agent_of(model), desk.guard)
    result = go(desk, agent, "go on", streamed=True)
    go(desk, agent, [*result.to_input_list(), {"role": "user", "content": "and?"}])
    found = next(item for item in model.calls[-1].input if item.get("tools"))
    assert [tool["type"] for tool in found["tools"]] == ["function", "mcp"]


def test_a_tool_of_the_provider_does_not_slip_into_what_was_loaded(tmp_path):
    desk = desk_of(tmp_path, RULES)
    loaded = {"type": "tool_search_output", "id": "t", "call_id": None, "execution": "server"}
    loaded = {**loaded, "status": "completed", "tools": [LOADED]}
    search = ResponseToolSearchOutputItem.model_validate(loaded)
    model = scripted(whole([search, *say("one")]), say("two"))
    agent = guard_agent(agent_of(model), desk.guard)
    result = go(desk, agent, "go on", streamed=True)
    given = result.to_input_list()
    for item in given:
        if "tools" in item:
            item["tools"] = [*item["tools"], {"type": "web_search"}]
    go(desk, agent, [*given, {"role": "user", "content": "and?"}])
    found = next(item for item in model.calls[-1].input if item.get("tools"))
    assert [tool["type"] for tool in found["tools"]] == ["function"]


@BOTH
def test_what_is_redacted_before_it_is_kept_is_recorded(tmp_path, streamed):
    desk, model = desk_of(tmp_path, RULES), scripted(say("ok"))
    memory = SQLiteSession("s", tmp_path / "memory.db")
    agent = guard_agent(agent_of(model), desk.guard)
    go(desk, agent, "Where is acme?", streamed=streamed, session=memory)
    assert ("input", None, "redact") in desk.decisions("input")
    assert "acme" not in json.dumps(asyncio.run(memory.get_items()))


def test_an_item_that_cannot_be_read_is_refused(tmp_path):
    desk, model = desk_of(tmp_path, OPEN), scripted(say("never"))
    with pytest.raises(UnmediatedError, match='"list" stands in the conversation'):
        go(desk, guard_agent(agent_of(model), desk.guard), [[("role", "user")], ASK])


# What filters, mappers and handoffs put there


@BOTH
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_filter_adds_is_judged(tmp_path, kind, streamed):
    desk, model = desk_of(tmp_path, RULES), scripted(say("ok"))

    def add(data):
        given = [*items("for acme")[kind], *items("hunter2")[kind], *data.model_data.input]
        return ModelInputData(input=given, instructions=None)

    config = desk.config(call_model_input_filter=add)
    go(desk, guard_agent(agent_of(model), desk.guard), "go on", streamed=streamed, config=config)
    assert "acme" not in json.dumps(sent(model))
    assert "hunter2" not in json.dumps(sent(model))


@function_tool
def look() -> str:
    return "a page of acme, hunter2"


@BOTH
def test_what_a_filter_edits_is_judged(tmp_path, streamed):
    desk = desk_of(tmp_path, RULES)
    model = scripted(call("look"), say("ok"))

    def edit(data):
        for item in data.model_data.input:
            if "output" in item:
                item["output"] += " and more"
        return data.model_data

    guarded = guard_agent(agent_of(model, tools=[look]), desk.guard)
    config = desk.config(call_model_input_filter=edit)
    go(desk, guarded, "go on", streamed=streamed, config=config)
    assert sent(model)[-1]["output"] == "[withheld]"


def test_a_filter_that_trims_the_results_of_tools_works(tmp_path):
    @function_tool
    def read() -> str:
        return "a long page of acme " * 100

    desk = desk_of(tmp_path, RULES)
    steps = [call("read"), say("one"), say("two"), say("three")]
    model = scripted(*steps)
    guarded = guard_agent(agent_of(model, tools=[read]), desk.guard)
    trim = ToolOutputTrimmer(recent_turns=1, max_output_chars=100, preview_chars=40)
    config = desk.config(call_model_input_filter=trim)
    result = go(desk, guarded, "go on", config=config)
    assert "acme" in json.dumps(sent(model, 1))
    for _ in range(2):
        given = [*result.to_input_list(), {"role": "user", "content": "and?"}]
        result = go(desk, guarded, given, config=config)
    shown = next(item for item in model.calls[-1].input if "output" in item)["output"]
    assert "<TERM>" in shown
    assert "acme" not in shown


def test_what_a_handoff_filter_puts_there_is_judged(tmp_path):
    def tell(data):
        note = {"role": "assistant", "content": "memory: acme, hunter2"}
        return data.clone(input_history=(note, *data.input_history))

    desk = desk_of(tmp_path, RULES)
    last = scripted(say("bye"))
    billing = handoff(agent_of(last, name="billing"), input_filter=tell)
    model = scripted(call("transfer_to_billing"))
    guarded = guard_agent(agent_of(model, handoffs=[billing]), desk.guard)
    assert go(desk, guarded, [{"role": "user", "content": "hi"}]).final_output == "bye"
    assert sent(last)[0] == {"role": "assistant", "content": "[withheld]"}


@BOTH
def test_what_a_history_mapper_writes_is_judged(tmp_path, streamed):
    def mapped(transcript):
        told = "; ".join(str(item.get("content")) for item in transcript)
        return [{"role": "assistant", "content": f"They said: {told}"}]

    desk = desk_of(tmp_path, RULES)
    last = scripted(say("bye"))
    model = scripted(call("transfer_to_billing"))
    agent = agent_of(model, handoffs=[agent_of(last, name="billing")])
    config = desk.config(nest_handoff_history=True, handoff_history_mapper=mapped)
    go(desk, guard_agent(agent, desk.guard), "I am from acme", streamed=streamed, config=config)
    assert sent(last)[0]["content"].startswith("They said: I am from <TERM>")


def nested(desk, given, *steps, tools=()):
    """Hand over with a nested history; return what the last model was sent."""
    last = scripted(say("bye"))
    model = scripted(*steps, call("transfer_to_billing"))
    agent = agent_of(model, handoffs=[agent_of(last, name="billing")], tools=list(tools))
    go(desk, guard_agent(agent, desk.guard), given, config=desk.config(nest_handoff_history=True))
    return sent(last)[0]["content"]


def test_a_nested_history_is_judged_as_what_it_is_made_of(tmp_path):
    desk = desk_of(tmp_path, RULES)
    found = nested(desk, "I am from acme", call("look", text="one moment"), tools=[look])
    # What the tool returned was judged when it did; what the user said is redacted.
    assert "user: I am from <TERM>" in found
    assert "a page of acme, hunter2" in found
    assert "one moment" in found
    assert requests(desk) == ["allow", "allow", "allow"]


@pytest.mark.parametrize("kind", ["an answer", "an answer in parts", "a call", "a result"])
def test_a_history_made_by_hand_is_judged_where_it_is_nested(tmp_path, kind):
    found = nested(desk_of(tmp_path, RULES), [*items("for acme")[kind], ASK])
    assert "acme" not in found
    assert "<TERM>" in found
    found = nested(desk_of(tmp_path, RULES), [*items("hunter2")[kind], ASK])
    assert "hunter2" not in found
    assert "go on" in found


@pytest.mark.parametrize(
    "line",
    [
        "acme",
        "1. assistant: acme",
        "acme {",
        '1. tool: {"x": "acme"}',
        '{"role": "assistant"} acme',
    ],
)
def test_what_only_looks_like_a_nested_history_is_judged(tmp_path, line):
    desk, model = desk_of(tmp_path, RULES), scripted(say("ok"))
    text = f"<CONVERSATION HISTORY>\n{line}\n</CONVERSATION HISTORY>"
    given = [{"role": "assistant", "content": text}, ASK]
    go(desk, guard_agent(agent_of(model), desk.guard), given)
    assert sent(model)[0]["content"] == text.replace("acme", "<TERM>")


def test_a_text_over_several_lines_of_a_false_history_is_one(tmp_path):
    rule = {"id": "r", "check": {"pattern": {"any": ["hun\\s*ter"]}}, "effect": "deny"}
    desk, model = desk_of(tmp_path, {**OPEN, "input": [rule]}), scripted(say("ok"))
    text = "<CONVERSATION HISTORY>\nhun\nter\n</CONVERSATION HISTORY>"
    go(
        desk,
        guard_agent(agent_of(model), desk.guard),
        [{"role": "assistant", "content": text}, ASK],
    )
    assert "ter" not in sent(model)[0]["content"]


# What was judged before is not judged again


class Page(BaseModel):
    about: str


RESULTS = {
    "text": "acme, hunter2",
    "a mapping": {"about": "acme, hunter2", "n": 2},
    "a list": ["acme", "hunter2"],
    "parts": [ToolOutputText(text="acme"), ToolOutputText(text="hunter2")],
    "an object": Page(about="acme, hunter2"),
    "an image": ToolOutputImage(image_url="data:image/png;base64,AAAA"),
    "nothing": None,
}


@BOTH
@pytest.mark.parametrize("kind", RESULTS)
def test_what_a_tool_returned_is_not_judged_as_input(tmp_path, kind, streamed):
    @function_tool
    def read() -> object:
        return RESULTS[kind]

    desk, plain = desk_of(tmp_path, RULES), scripted(call("read", call_id="c1"), say("ok"))
    model = scripted(call("read", call_id="c1"), say("ok"), say("later"))
    guarded = guard_agent(agent_of(model, tools=[read]), desk.guard)
    asyncio.run(Runner.run(agent_of(plain, tools=[read]), "go on", run_config=RunConfig()))
    result = go(desk, guarded, "go on", streamed=streamed)
    assert sent(model) == sent(plain)
    # Nor in the next run of the session, whoever keeps the conversation.
    given = [*result.to_input_list(), {"role": "user", "content": "and?"}]
    go(desk, guarded, given, streamed=streamed)
    assert sent(model)[: len(sent(plain))] == sent(plain)
    assert set(requests(desk)) == {"allow"}


def test_what_a_shell_and_a_computer_showed_is_not_judged_as_input(tmp_path):
    shell = ShellTool(executor=lambda request: "acme, hunter2")
    screen = ComputerTool(computer=Screen())
    steps = [shell_call("ls"), click({"type": "screenshot"}, "k"), say("ok")]
    desk = desk_of(tmp_path, RULES)
    model, plain = scripted(*steps), scripted(*steps)
    go(desk, guard_agent(agent_of(model, tools=[shell, screen]), desk.guard), "go on")
    agent = agent_of(plain, tools=[shell, screen])
    asyncio.run(Runner.run(agent, "go on", run_config=RunConfig()))
    assert sent(model) == sent(plain)
    assert set(requests(desk)) == {"allow"}


@BOTH
def test_what_a_model_said_is_not_judged_as_input(tmp_path, streamed):
    desk = desk_of(tmp_path, RULES)
    thought = ResponseReasoningItem(
        id="r1", type="reasoning", summary=[Summary(text="acme, hunter2", type="summary_text")]
    )
    step = [thought, assistant_message("acme"), function_call("look", "{}", call_id="c1")]
    model = scripted(step, say("hunter2"), say("bye"))
    guarded = guard_agent(agent_of(model, tools=[look]), desk.guard)
    memory = SQLiteSession("s", tmp_path / "memory.db")
    go(desk, guarded, "go on", streamed=streamed, session=memory)
    go(desk, guarded, "and?", streamed=streamed, session=memory)
    said_then = json.dumps(sent(model))
    assert said_then.count("acme") == 3
    assert said_then.count("hunter2") == 3
    assert set(requests(desk)) == {"allow"}


def test_what_was_redacted_when_it_was_said_stays_known(tmp_path):
    policy = {**RULES, "output": [{**REDACT, "id": "o"}]}
    policy["tools"] = {"look": {"result": [{**REDACT, "id": "r"}]}}
    desk = desk_of(tmp_path, policy)
    model = scripted(call("look", text="for acme"), say("ok"))
    go(desk, guard_agent(agent_of(model, tools=[look]), desk.guard), "go on")
    assert sent(model)[-1]["output"] == "a page of <TERM>, hunter2"
    assert set(requests(desk)) == {"allow"}


def test_what_the_policies_tell_a_model_is_not_judged_as_input(tmp_path):
    note = {"type": "string", "maxLength": 3, "message": "Never write hunter2 there."}
    tools = {"refund": {"args": {"order": {"type": "string"}, "amount": {}, "note": note}}}
    handoffs = {"billing": {"effect": "deny", "message": "Not to hunter2."}, "sales": "allow"}
    desk = desk_of(tmp_path, {"tools": tools, "handoffs": handoffs, "input": [DENY]})
    args = {"order": "A", "amount": 1, "note": "long"}
    model = scripted(call("refund", args), call("gone"), say("ok"))
    agent = agent_of(model, tools=[refund_tool([])])
    go(desk, guard_agent(agent, desk.guard), "go on")
    assert "Never write hunter2 there." in json.dumps(sent(model))
    assert set(requests(desk)) == {"allow"}


def test_a_handoff_to_an_agent_with_an_odd_name_is_not_judged_as_input(tmp_path):
    desk = desk_of(tmp_path, RULES)
    last = scripted(say("bye"))
    model = scripted(call("transfer_to_hunter2"))
    agent = agent_of(model, handoffs=[agent_of(last, name="hunter2")])
    assert go(desk, guard_agent(agent, desk.guard), "go on").final_output == "bye"
    assert '{"assistant": "hunter2"}' in [item.get("output") for item in sent(last)]


def test_what_an_agent_behind_a_tool_said_is_known_to_the_one_that_asked(tmp_path):
    desk = desk_of(tmp_path, RULES)
    inner = agent_of(scripted(say("for acme")), name="inner")
    model = scripted(call("ask", {"input": "x"}), say("ok"))
    agent = agent_of(model, tools=[inner.as_tool("ask", "asks")])
    go(desk, guard_agent(agent, desk.guard), "go on")
    assert sent(model)[-1]["output"] == "for acme"


@pytest.mark.parametrize("other", [{"session": "s2"}, {"principal": {"id": "u2"}}], ids=str)
def test_what_somebody_else_was_told_is_not_known(tmp_path, other):
    desk = desk_of(tmp_path, RULES)
    model = scripted(call("look"), say("ok"), say("ok"))
    guarded = guard_agent(agent_of(model, tools=[look]), desk.guard)
    result = go(desk, guarded, "go on")
    given = [*result.to_input_list(), ASK]
    go(desk, guarded, given, config=desk.config(**other))
    assert "[withheld]" in json.dumps(sent(model))


def test_what_is_remembered_is_bounded(tmp_path, monkeypatch):
    desk = desk_of(tmp_path, RULES)
    session = desk.guard.session("s1")
    monkeypatch.setattr(said, "KEPT", 100)
    for number in range(150):
        note_said(desk.guard, session, f"text {number}")
        assert was_said(desk.guard, session, "text 0") is True
    assert not was_said(desk.guard, session, "text 40")
    assert was_said(desk.guard, session, "text 149")
    assert len(said._SAID[desk.guard]) == 100
    assert KEPT == 50_000


# What another process wrote, or nobody knows who


def later(desk, tmp_path):
    """Return a desk of the same policies in which nothing is remembered."""
    said._SAID.pop(desk.guard)
    return desk


@BOTH
def test_what_a_session_hands_back_was_judged_when_it_was_said(tmp_path, streamed):
    desk = desk_of(tmp_path, RULES)
    model = scripted(call("look", text="for acme"), say("ok"), say("later"), say("last"))
    guarded = guard_agent(agent_of(model, tools=[look]), desk.guard)
    memory = SQLiteSession("s", tmp_path / "memory.db")
    go(desk, guarded, "by acme", streamed=streamed, session=memory)
    later(desk, tmp_path)
    for text in ("and?", "and then?"):
        go(desk, guarded, text, streamed=streamed, session=memory)
        read = json.dumps(sent(model))
        assert "for acme" in read
        assert "a page of acme, hunter2" in read
        assert "[withheld]" not in read
        # What users say is redacted wherever it stands.
        assert "by <TERM>" in read
        assert "by acme" not in read
    assert requests(desk) == ["allow"] * 4


@BOTH
@pytest.mark.parametrize("who", [{}, {"session": None}, {"session": None, "principal": None}])
def test_a_history_is_known_where_nobody_names_a_session(tmp_path, who, streamed):
    desk = desk_of(tmp_path, RULES)
    model = scripted(call("look"), say("for acme"), say("later"))
    guarded = guard_agent(agent_of(model, tools=[look]), desk.guard)
    memory = SQLiteSession("s", tmp_path / "memory.db")
    for text in ("go on", "and?"):
        config = desk.config(**who)
        go(desk, guarded, text, streamed=streamed, session=memory, config=config)
    assert "a page of acme, hunter2" in json.dumps(sent(model))
    assert "for acme" in json.dumps(sent(model))


def remembered(tmp_path, *added):
    """Return a session in which stands what was written before any guard was there."""
    memory = SQLiteSession("s", tmp_path / "memory.db")
    asyncio.run(memory.add_items([{"role": "user", "content": "by acme"}, *added]))
    return memory


@BOTH
@pytest.mark.parametrize("kind", KINDS)
def test_what_stands_in_a_session_is_old(tmp_path, kind, streamed):
    desk, model = desk_of(tmp_path, RULES), scripted(say("ok"))
    memory = remembered(tmp_path, *items("hunter2 acme")[kind])
    go(desk, guard_agent(agent_of(model), desk.guard), "go on", streamed=streamed, session=memory)
    text = json.dumps(sent(model))
    if "call" not in kind and "a custom" not in kind:
        # The SDK leaves calls without a result out.
        assert "hunter2" in text or "\\u0068" in text
    assert "withheld" not in text
    assert text.count("<TERM>") == 1


def test_a_session_with_a_limit_hands_back_what_it_was_told(tmp_path):
    desk, model = desk_of(tmp_path, RULES), scripted(say("ok"))
    old = [item for text in ("one acme", "two acme") for item in items(text)["an answer"]]
    memory = remembered(tmp_path, *old)
    guarded = guard_agent(agent_of(model), desk.guard)
    config = desk.config(session_settings=SessionSettings(limit=1))
    go(desk, guarded, "go on", session=memory, config=config)
    assert sent(model) == old[1:]


@BOTH
def test_what_a_callback_edits_of_a_history_is_judged(tmp_path, streamed):
    def edited(history, new):
        added = {"role": "assistant", "content": "added acme"}
        history[1]["content"] = "edited acme"
        return [*history, added, *new]

    desk, model = desk_of(tmp_path, RULES), scripted(say("ok"))
    memory = remembered(tmp_path, *items("first acme")["an answer"], *items("acme")["an answer"])
    config = desk.config(session_input_callback=edited)
    guarded = guard_agent(agent_of(model), desk.guard)
    go(desk, guarded, "go on", streamed=streamed, session=memory, config=config)
    read = [item["content"] for item in sent(model)]
    assert read == ["by <TERM>", "edited <TERM>", "acme", "added <TERM>"]


def test_what_a_filter_edits_of_a_history_is_judged(tmp_path):
    def edited(data):
        changed = [*data.model_data.input]
        changed[1] = {**changed[1], "content": "edited acme"}
        return ModelInputData(changed, data.model_data.instructions)

    desk, model = desk_of(tmp_path, RULES), scripted(say("ok"))
    memory = remembered(tmp_path, *items("first acme")["an answer"])
    config = desk.config(call_model_input_filter=edited)
    go(desk, guard_agent(agent_of(model), desk.guard), "go on", session=memory, config=config)
    assert sent(model)[1]["content"] == "edited <TERM>"


@BOTH
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("text", "mark"), [("acme", "<TERM>"), ("hunter2", "[withheld]")])
def test_what_is_given_by_hand_beside_a_session_is_kept_as_it_may_be_read(
    tmp_path, text, mark, kind, streamed
):
    desk, model = desk_of(tmp_path, RULES), scripted(say("ok"), say("later"))
    guarded = guard_agent(agent_of(model), desk.guard)
    memory = SQLiteSession("s", tmp_path / "memory.db")
    go(desk, guarded, [*items(text)[kind], ASK], streamed=streamed, session=memory)
    later(desk, tmp_path)
    go(desk, guarded, "and?", streamed=streamed, session=memory)
    kept = json.dumps([sent(model, 0), sent(model, 1), asyncio.run(memory.get_items())])
    assert text not in kept
    assert mark in kept or "call" in kind


def test_a_history_is_known_however_long_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(said, "KEPT", 20)
    desk, model = desk_of(tmp_path, RULES), scripted(call("look"), say("ok"))
    old = [item for number in range(100) for item in items(f"acme {number}")["an answer"]]
    memory = remembered(tmp_path, *old)
    go(desk, guard_agent(agent_of(model, tools=[look]), desk.guard), "go on", session=memory)
    assert sent(model)[1:101] == old
    assert sent(model)[-1]["output"] == "a page of acme, hunter2"


def test_tools_of_the_provider_do_not_come_with_a_session(tmp_path):
    desk, model = desk_of(tmp_path, RULES), scripted(say("ok"))
    loaded = {"type": "tool_search_output", "call_id": None, "execution": "server"}
    tools = [{"type": "web_search"}, {"type": "function", "name": "f", "description": "of acme"}]
    search = {"type": "tool_search_call", "call_id": None, "execution": "server", "arguments": {}}
    memory = remembered(tmp_path, search, {**loaded, "status": "completed", "tools": tools})
    go(desk, guard_agent(agent_of(model), desk.guard), "go on", session=memory)
    assert [tool["type"] for tool in sent(model)[-1]["tools"]] == ["function"]


def test_a_nested_history_in_a_session_is_old_but_for_its_users(tmp_path):
    lines = [
        "user: by acme",
        "assistant: for acme",
        '{"type": "function_call_output", "call_id": "c", "output": "hunter2"}',
        "acme over two",
        "lines",
    ]
    numbered = [f"{n}. {line}" for n, line in enumerate(lines[:3], 1)] + lines[3:]
    start, end = get_conversation_history_wrappers()
    history = {"role": "assistant", "content": "\n".join([start, *numbered, end])}
    desk, model = desk_of(tmp_path, RULES), scripted(say("ok"))
    memory = remembered(tmp_path, history)
    go(desk, guard_agent(agent_of(model), desk.guard), "go on", session=memory)
    read = sent(model)[1]["content"]
    assert read == history["content"].replace("by acme", "by <TERM>")


def test_a_rule_may_be_about_what_users_say_alone(tmp_path):
    rule = {**DENY, "when": 'stage == "input"'}
    desk, model = desk_of(tmp_path, {**OPEN, "input": [rule]}), scripted(say("ok"))
    given = items("hunter2")["a result"]
    go(desk, guard_agent(agent_of(model), desk.guard), [*given, ASK])
    assert sent(model) == given


APPROVE = {
    "tools": {
        "look": "allow",
        "pay": {"effect": "require_approval", "approval": {"approvers": ["f"], "expires": "1h"}},
    },
    "input": [DENY, REDACT],
}


@function_tool
def pay() -> str:
    return "paid to acme"


def paused(desk, tmp_path, given, *, inner=False, **settings):
    """Run until people are asked, who answer; return the agent, its model and the written state."""
    model = scripted(call("look"), call("pay"), say("done"))
    agent = agent_of(model, tools=[look, pay])
    if inner:
        steps = call("ask", {"input": "x"}), say("out")
        agent = agent_of(scripted(*steps), name="outer", tools=[agent.as_tool("ask", "asks")])
    guarded = guard_agent(agent, desk.guard)
    state = go(desk, guarded, given, **settings).to_state().to_string()
    for one in desk.guard.approvals.pending():
        desk.guard.approvals.approve(one.id, by={"id": "f1", "roles": ["f"]})
    return guarded, model, state


def resumed(desk, guarded, state, *, apart=False, applied=True, **settings):
    """Go on with a run that waits; its approvals may be applied in a task of their own."""

    async def resume():
        found = await RunState.from_string(guarded, state)
        if applied:
            applying = apply_approvals(found, desk.guard, session="s1", principal=WHO)
            await (asyncio.create_task(applying) if apart else applying)
        else:
            found.approve(found.get_interruptions()[0])
        return await Runner.run(guarded, found, run_config=desk.config(), **settings)

    return asyncio.run(resume())


READ = ["a page of acme, hunter2", "paid to acme"]


def told(item):
    """Return the text of a message, in whatever form the state has it."""
    content = item["content"]
    return content if isinstance(content, str) else content[0]["text"]


@pytest.mark.parametrize("apart", [False, True], ids=["in one task", "in two"])
@pytest.mark.parametrize("inner", [False, True], ids=["", "behind a tool"])
@pytest.mark.parametrize("place", ["here", "elsewhere"])
def test_what_a_paused_run_holds_was_judged_when_it_was_said(tmp_path, place, inner, apart):
    policy = {**APPROVE, "tools": {**APPROVE["tools"], "ask": "allow"}}
    desk = desk_of(tmp_path, policy)
    guarded, model, state = paused(desk, tmp_path, "go on", inner=inner)
    if place == "elsewhere":
        later(desk, tmp_path)
    assert resumed(desk, guarded, state, apart=apart).final_output == ("out" if inner else "done")
    assert [item["output"] for item in sent(model) if "output" in item] == READ


def test_a_state_that_nobody_applied_approvals_to_is_read_as_made_by_hand(tmp_path):
    desk = desk_of(tmp_path, APPROVE)
    guarded, model, state = paused(desk, tmp_path, "go on")
    later(desk, tmp_path)
    resumed(desk, guarded, state, applied=False)
    read = [item["output"] for item in sent(model) if "output" in item]
    assert read == ["[withheld]", "paid to acme"]


def test_the_history_of_a_session_stays_old_in_a_run_that_is_resumed(tmp_path):
    desk = desk_of(tmp_path, APPROVE)
    memory = remembered(tmp_path, *items("for acme")["an answer"])
    guarded, model, state = paused(desk, tmp_path, "go on", session=memory)
    later(desk, tmp_path)
    resumed(desk, guarded, state, session=memory)
    assert [told(item) for item in sent(model)[:2]] == ["by <TERM>", "for acme"]
    assert [item["output"] for item in sent(model) if "output" in item] == READ


def test_a_history_made_by_hand_stays_judged_in_a_run_that_is_resumed(tmp_path):
    desk = desk_of(tmp_path, APPROVE)
    given = [*items("hunter2")["an answer"], *items("for acme")["an answer"], ASK]
    guarded, model, state = paused(desk, tmp_path, given)
    later(desk, tmp_path)
    resumed(desk, guarded, state)
    assert [told(item) for item in sent(model)[:2]] == ["[withheld]", "for <TERM>"]
    assert [item["output"] for item in sent(model) if "output" in item] == READ


@BOTH
def test_a_filter_and_a_callback_may_run_agents_of_their_own(tmp_path, streamed):
    desk = desk_of(tmp_path, RULES)
    steps = [step for _ in range(4) for step in (call("look"), say("short"))]
    inner = agent_of(scripted(*steps), name="inner", tools=[look])
    inner = guard_agent(inner, desk.guard)

    async def summed(data):
        await Runner.run(inner, "sum it up", run_config=desk.config(session="other"))
        return data.model_data

    async def joined(history, new):
        await Runner.run(inner, "and this", run_config=desk.config(session="other"))
        return [*history, *new]

    model = scripted(call("look"), say("ok"))
    guarded = guard_agent(agent_of(model, tools=[look]), desk.guard)
    config = desk.config(call_model_input_filter=summed, session_input_callback=joined)
    memory = SQLiteSession("s", tmp_path / "memory.db")
    go(desk, guarded, "from acme", streamed=streamed, config=config, session=memory)
    assert "acme" not in json.dumps(sent(model, 0))
    assert sent(model)[-1]["output"] == "a page of acme, hunter2"
    who = {(r["agent"], r["session"]) for r in desk.records if r["kind"] == "decision"}
    assert who == {("triage", "s1"), ("inner", "other")}


# Counting


def test_what_is_judged_with_a_request_counts_once(tmp_path):
    limit = {"id": "turns", "stage": "model_request", "max": 2, "by": ["session"]}
    budget = {"id": "tokens", "of": "tokens", "max": 100, "by": ["session"]}
    desk = desk_of(tmp_path, {**RULES, "limits": [limit, budget]})
    model = scripted(used(10, *call("look")), used(10, *say("ok")), used(10, *say("never")))
    guarded = guard_agent(agent_of(model, tools=[look]), desk.guard)
    given = [item for kind in KINDS[:4] for item in items("for acme")[kind]]
    go(desk, guarded, [*given, *items("hunter2")["a result"], ASK])
    assert len(model.calls) == 2
    assert tokens(desk) == [20.0]
    with pytest.raises(Denied, match="would be exceeded"):
        go(desk, guarded, [*items("of acme")["a result"], ASK])
    assert len(model.calls) == 2


def test_a_model_that_is_not_permitted_is_asked_nothing(tmp_path):
    desk = desk_of(tmp_path, {**RULES, "models": {"small": "allow"}})
    model = named(scripted(say("never")), "large")
    with pytest.raises(Denied, match="model"):
        go(desk, guard_agent(agent_of(model), desk.guard), [*items("acme")["a result"], ASK])
    assert requests(desk) == ["deny"]


@BOTH
def test_a_request_that_says_nothing_new_breaks_no_rule_about_text(tmp_path, streamed):
    """Instructions that stand in the agent are its author's, and the user's words were judged."""
    plain = {"id": "plain", "when": '!text.matches("^[a-z ]+$")', "effect": "deny"}
    desk = desk_of(tmp_path, {**OPEN, "input": [plain]})
    agent = agent_of(scripted(call("look"), say("done")), tools=[look], instructions="Be kind! 1.")
    guarded = guard_agent(agent, desk.guard)
    assert go(desk, guarded, "go on", streamed=streamed).final_output == "done"
    with pytest.raises(Denied):
        go(desk, guarded, "Go on!", streamed=streamed)


# Over HTTP, with the SDK's own models


@BOTH
@pytest.mark.parametrize("kind", ["chat", "responses"])
def test_nothing_of_it_is_on_the_wire(tmp_path, api, kind, streamed):  # noqa: F811
    desk = desk_of(tmp_path, RULES)
    api.steps.extend([("look", {}), "done"])
    given = [*items("acme")["an answer"], *items("hunter2 acme")["a result"], ASK]

    async def talk():
        url = f"http://127.0.0.1:{api.server_port}/v1"
        client = AsyncOpenAI(api_key="none", base_url=url, max_retries=0)
        made = OpenAIChatCompletionsModel if kind == "chat" else OpenAIResponsesModel
        guarded = guard_agent(agent_of(made("small", client), tools=[look]), desk.guard)
        try:
            if not streamed:
                return await Runner.run(guarded, given, run_config=desk.config())
            running = Runner.run_streamed(guarded, given, run_config=desk.config())
            async for _ in running.stream_events():
                pass
            return running
        finally:
            await client.close()

    assert asyncio.run(talk()).final_output == "done"
    first, second = map(json.dumps, api.bodies)
    assert "acme" not in first
    assert "hunter2" not in first
    assert "<TERM>" in first
    assert "[withheld]" in first
    # What the guarded tool returned is sent as it is, and what it was sent before is not.
    assert second.count("acme") == second.count("a page of acme, hunter2") == 1
