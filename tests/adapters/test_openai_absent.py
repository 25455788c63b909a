"""Calls of tools that the agent does not have: recorded, counted nowhere, asked of nobody."""

import asyncio
import json

import pytest
from agents import Agent, Runner, function_tool
from agents.testing import function_call
from openai_desk import WHO, agent_of, call, desk_of, outputs, say, scripted

from policy_engine import Request
from policy_engine.adapters.openai_agents import apply_approvals, guard_agent

FINANCE = {"id": "f1", "roles": ["finance"]}
APPROVAL = {
    "effect": "require_approval",
    "approval": {"approvers": ["finance"], "expires": "5m"},
}
ABSENT = "This tool is not available now."

streamed = pytest.mark.parametrize("is_streamed", [False, True], ids=["at once", "streamed"])


def go(desk, agent, *, is_streamed, **settings):
    if is_streamed:
        return desk.stream(agent, **settings)[0]
    return desk.run(agent, **settings)


def reasons(desk):
    return [
        (r["effect"], r["codes"])
        for r in desk.records
        if r["kind"] == "decision" and r["stage"] == "tool_call"
    ]


@streamed
def test_a_call_of_a_tool_that_its_author_hides_uses_up_no_limit(tmp_path, is_streamed):
    limit = {"id": "once", "tools": ["look"], "max": 1, "by": ["session"]}
    desk = desk_of(tmp_path, {"tools": {"look": "allow"}, "limits": [limit]})
    shown = []

    @function_tool(is_enabled=lambda context, agent: bool(shown))
    def look(x: str) -> str:
        return f"looked at {x}"

    model = scripted(
        call("look", {"x": "0"}, "c1"), say("no"), call("look", {"x": "1"}, "c2"), say("ok")
    )
    agent = agent_of(model, tools=[look])
    first = go(desk, agent, is_streamed=is_streamed)
    assert outputs(first) == [ABSENT]
    assert reasons(desk) == [("deny", ["guard.absent"])]
    shown.append(True)
    assert outputs(go(desk, agent, is_streamed=is_streamed)) == ["looked at 1"]
    assert [r["status"] for r in desk.records if r["kind"] == "outcome"] == ["returned"]


@streamed
def test_nobody_is_asked_about_a_tool_that_is_not_there(tmp_path, is_streamed):
    desk = desk_of(tmp_path, {"tools": {"deploy": APPROVAL, "look": "allow"}})

    @function_tool
    def look() -> str:
        return "looked"

    model = scripted(call("deploy", {"env": "prod"}, "c1"), say("no"))
    result = go(desk, agent_of(model, tools=[look]), is_streamed=is_streamed)
    assert outputs(result) == [f'{ABSENT} There are: "look".']
    assert list(desk.guard.approvals.pending()) == []
    assert result.interruptions == []
    assert reasons(desk) == [("deny", ["guard.absent"])]


def test_what_is_recorded_is_the_call_that_the_model_made(tmp_path):
    desk = desk_of(tmp_path, {"tools": {"look": "allow"}})
    desk.run(agent_of(scripted(call("look", {"x": "1"}, "c1"), say("no"))))
    [record] = [r for r in desk.records if r["kind"] == "decision" and r["stage"] == "tool_call"]
    assert record["call_id"] == "c1"
    made = {"stage": "tool_call", "agent": "triage", "principal": WHO, "session": "s1"}
    with desk.guard.session("s1", agent="triage", principal=WHO):
        asked = desk.guard.decide(Request(**made, tool="look", args={"x": "1"}))
        other = desk.guard.decide(Request(**made, tool="look", args={}))
    assert record["fingerprint"] == asked.fingerprint != other.fingerprint


@pytest.mark.parametrize("arguments", ["[1]", "{", ""], ids=["a list", "no JSON", "nothing"])
def test_arguments_that_cannot_be_read_are_left_out(tmp_path, arguments):
    desk = desk_of(tmp_path, {"tools": {"look": "allow"}})
    step = [function_call("look", arguments, call_id="c1")]
    result = desk.run(agent_of(scripted(step, say("no"))))
    assert outputs(result) == [ABSENT]
    assert reasons(desk) == [("deny", ["guard.absent"])]


def test_only_what_the_model_can_call_is_named_and_by_its_names(tmp_path):
    @function_tool
    def read_file() -> str:
        return "read"

    @function_tool(is_enabled=False)
    def read_mail() -> str:
        return "mail"

    policy = {
        "tools": {"read_file": "allow", "read_mail": "allow", "files/read": "allow"},
        "handoffs": {"*": "allow"},
    }
    desk = desk_of(tmp_path, policy)
    agent = agent_of(
        scripted(call("read"), call("files/read"), say("no")),
        tools=[read_file, read_mail],
        handoffs=[Agent(name="billing", model=scripted())],
    )
    there = 'There are: "read_file", "transfer_to_billing".'
    assert outputs(desk.run(agent)) == [
        f"This tool is not permitted. {there}",
        f"{ABSENT} {there}",
    ]


def test_of_many_tools_those_that_are_written_alike_are_named_first(tmp_path):
    desk = desk_of(tmp_path, {"tools": {"*": "allow"}})

    def tool(number):
        return function_tool(lambda: "", name_override=f"t{number}", description_override="a tool")

    agent = agent_of(scripted(call("t27_"), say("no")), tools=[tool(n) for n in range(30)])
    [told] = outputs(desk.run(agent))
    assert told.startswith(f'{ABSENT} There are: "t27", ')
    assert told.endswith(", and others.")
    assert told.count('"') == 2 * 20


def test_a_rule_that_denies_a_hidden_tool_by_its_name_says_so(tmp_path):
    policy = {
        "tools": {
            "look": "allow",
            "wipe": {"effect": "deny", "message": "Only people may wipe."},
        }
    }
    desk = desk_of(tmp_path, policy)

    @function_tool
    def wipe() -> str:
        return "gone"

    config = desk.config(tool_error_formatter=lambda args: "of the author")
    model = scripted(call("wipe"), say("no"))
    result = desk.run(agent_of(model, tools=[wipe]), config=config)
    assert outputs(result) == ["Only people may wipe."]
    assert reasons(desk) == [("deny", ["entry.deny"])]


@pytest.mark.parametrize("text", ["of the author", None])
def test_a_formatter_of_the_application_words_it(tmp_path, text):
    desk = desk_of(tmp_path, {"tools": {"*": "allow"}})
    config = desk.config(tool_error_formatter=lambda args: text)
    result = desk.run(agent_of(scripted(call("gone"), say("no"))), config=config)
    assert outputs(result) == [text or ABSENT]
    assert reasons(desk) == [("deny", ["guard.absent"])]


def test_what_is_told_of_it_is_not_judged_as_input(tmp_path):
    # It is the policies' own message, as it stands in the next request.
    rule = {"id": "no", "check": {"terms": {"any": ["not available"]}}, "effect": "deny"}
    desk = desk_of(tmp_path, {"tools": {"*": "allow"}, "input": [rule]})
    model = scripted(call("gone"), say("ok"))
    assert desk.run(agent_of(model)).final_output == "ok"
    assert ABSENT in json.dumps(model.calls[1].input, default=str)


@streamed
def test_a_tool_of_another_agent_is_not_there(tmp_path, is_streamed):
    @function_tool
    def refund() -> str:
        return "refunded"

    desk = desk_of(tmp_path, {"tools": {"refund": "allow"}, "handoffs": {"*": "allow"}})
    billing = Agent(name="billing", model=scripted(call("refund"), say("done")), tools=[refund])
    model = scripted(call("refund"), call("transfer_to_billing"))
    result = go(desk, agent_of(model, handoffs=[billing]), is_streamed=is_streamed)
    assert outputs(result) == [f'{ABSENT} There are: "transfer_to_billing".', "refunded"]
    assert [effect for effect, _ in reasons(desk)] == ["deny", "allow"]


def test_a_paused_call_whose_tool_is_gone_when_it_is_resumed(tmp_path):
    shown, calls = [True], []

    @function_tool(is_enabled=lambda context, agent: bool(shown))
    def deploy(env: str) -> str:
        calls.append(env)
        return "deployed"

    desk = desk_of(tmp_path, {"tools": {"deploy": APPROVAL}})
    model = scripted(call("deploy", {"env": "prod"}, "c1"), say("no"))
    agent = guard_agent(agent_of(model, tools=[deploy]), desk.guard)

    async def talk():
        paused = await Runner.run(agent, "x", run_config=desk.config())
        [waiting] = desk.guard.approvals.pending()
        desk.guard.approvals.approve(waiting.id, by=FINANCE)
        state = paused.to_state()
        await apply_approvals(state, desk.guard, session="s1", principal=WHO)
        shown.clear()
        return await Runner.run(agent, state, run_config=desk.config())

    result = asyncio.run(talk())
    assert calls == []
    assert outputs(result)[-1].startswith(ABSENT)
