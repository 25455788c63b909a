"""Handoffs and agents as tools: cycles, denials with a message, limits, targets unknown."""

import asyncio
import gc
import re

import pytest
from agents import (
    Agent,
    AgentHooks,
    Handoff,
    MaxTurnsExceeded,
    Runner,
    SQLiteSession,
    function_tool,
    handoff,
)
from agents.extensions.handoff_filters import remove_all_tools
from openai_desk import agent_of, call, desk_of, outputs, refund_tool, say, scripted
from pydantic import BaseModel, Field

from policy_engine.adapters.openai_agents import UnmediatedError, guard_agent
from policy_engine.guard import Denied

HANDOFFS = {
    "tools": {
        "ask": "allow",
        "refund": {
            "args": {
                "order": {"type": "string"},
                "amount": {"type": "number", "maximum": 10, "message": "At most 10."},
                "note": {"type": "string"},
            }
        },
    },
    "handoffs": {
        "billing": "allow",
        "triage": "allow",
        "legal": {
            "rules": [
                {
                    "id": "office",
                    "when": 'agent != "counsel"',
                    "effect": "deny",
                    "message": "Ask counsel first.",
                }
            ]
        },
    },
    "limits": [{"id": "handoffs", "stage": "handoff", "max": 3, "by": ["session"]}],
}


def handed(result):
    """Return what the model read of each handoff."""
    return [
        item.raw_item["output"] for item in result.new_items if item.type == "handoff_output_item"
    ]


def test_a_handoff_goes_to_the_guarded_target(tmp_path):
    calls, desk = [], desk_of(tmp_path, HANDOFFS)
    step = call("refund", {"order": "A", "amount": 90, "note": ""})
    billing = agent_of(scripted(step, say("sorry")), name="billing", tools=[refund_tool(calls)])
    result = desk.run(agent_of(scripted(call("transfer_to_billing")), handoffs=[billing]))
    assert calls == []
    assert result.last_agent.name == "billing"
    assert outputs(result) == ["At most 10."]
    assert ("handoff", "billing", "allow") in desk.decisions()


@pytest.mark.parametrize("made", [lambda agent: agent, handoff], ids=["an agent", "a handoff"])
def test_a_denied_handoff_stays_and_says_why(tmp_path, made):
    desk = desk_of(tmp_path, HANDOFFS)
    legal = agent_of(scripted(say("never")), name="legal")
    model = scripted(call("transfer_to_legal"), say("then not"))
    result = desk.run(agent_of(model, handoffs=[made(legal)]))
    assert result.last_agent.name == "triage"
    assert result.final_output == "then not"
    assert handed(result) == ["Ask counsel first."]


def test_a_filter_does_not_take_the_denial_away(tmp_path):
    desk = desk_of(tmp_path, HANDOFFS)
    legal = agent_of(scripted(say("never")), name="legal")
    model = scripted(call("transfer_to_legal"), say("then not"))
    result = desk.run(
        agent_of(model, handoffs=[handoff(legal, input_filter=remove_all_tools)]), "help me"
    )
    assert "Ask counsel first." in str(model.calls[1].input)
    assert handed(result) == ["Ask counsel first."]


def both_ways(desk, agent, *, is_streamed, **settings):
    if is_streamed:
        return desk.stream(agent, "help me", **settings)[0]
    return desk.run(agent, "help me", **settings)


FOLDING = {
    "by the run": ({"nest_handoff_history": True}, {}),
    "by the handoff": ({}, {"nest_handoff_history": True}),
    "by both": ({"nest_handoff_history": True}, {"nest_handoff_history": True}),
}


@pytest.mark.parametrize("is_streamed", [False, True], ids=["at once", "streamed"])
@pytest.mark.parametrize("folded", FOLDING)
def test_a_conversation_is_not_folded_for_the_agent_that_stays(tmp_path, folded, is_streamed):
    run, made = FOLDING[folded]
    desk = desk_of(tmp_path, HANDOFFS)
    legal = agent_of(scripted(say("never")), name="legal")
    last = scripted(say("billing here"))
    billing = agent_of(last, name="billing")
    model = scripted(
        call("transfer_to_legal"), call("transfer_to_billing"), call("transfer_to_legal"), say("x")
    )
    agent = agent_of(model, handoffs=[handoff(legal, **made), handoff(billing, **made)])
    both_ways(desk, agent, is_streamed=is_streamed, config=desk.config(**run))
    [asked, made_call, denial] = model.calls[1].input
    assert asked == {"content": "help me", "role": "user"}
    assert (made_call["type"], made_call["name"]) == ("function_call", "transfer_to_legal")
    assert (denial["type"], denial["output"]) == ("function_call_output", "Ask counsel first.")
    # A handoff that is permitted is folded, also after one that was denied.
    assert "<CONVERSATION HISTORY>" in str(last.calls[0].input)


@pytest.mark.parametrize("is_streamed", [False, True], ids=["at once", "streamed"])
def test_an_agents_hooks_are_told_of_no_handoff_that_was_denied(tmp_path, is_streamed):
    seen = []

    class Hooks(AgentHooks):
        async def on_handoff(self, context, agent, source):
            seen.append((source.name, agent.name))

    desk = desk_of(tmp_path, HANDOFFS)
    legal = agent_of(scripted(say("never")), name="legal")
    billing = agent_of(scripted(say("billing here")), name="billing")
    model = scripted(call("transfer_to_legal"), call("transfer_to_billing"))
    agent = agent_of(model, handoffs=[legal, billing], hooks=Hooks())
    both_ways(desk, agent, is_streamed=is_streamed)
    assert seen == [("triage", "billing")]


@pytest.mark.parametrize("is_streamed", [False, True], ids=["at once", "streamed"])
@pytest.mark.parametrize("filtered", [None, remove_all_tools], ids=["plain", "filtered"])
def test_a_session_keeps_a_denied_handoff_once(tmp_path, filtered, is_streamed):
    desk, memory = desk_of(tmp_path, HANDOFFS), SQLiteSession("s", tmp_path / "memory.db")
    legal = agent_of(scripted(say("never")), name="legal")
    model = scripted(call("transfer_to_legal"), say("then not"))
    agent = agent_of(model, handoffs=[handoff(legal, input_filter=filtered)])
    both_ways(desk, agent, is_streamed=is_streamed, session=memory)
    kept = asyncio.run(memory.get_items())
    kinds = [item.get("type") or item.get("role") for item in kept]
    assert kinds == ["user", "function_call", "function_call_output", "message"]


def test_a_filter_works_where_the_handoff_is_permitted(tmp_path):
    desk = desk_of(tmp_path, HANDOFFS)
    last = scripted(say("hello"))
    billing = agent_of(last, name="billing")
    model = scripted(call("transfer_to_billing"))
    desk.run(agent_of(model, handoffs=[handoff(billing, input_filter=remove_all_tools)]), "help me")
    assert "transfer_to" not in str(last.calls[0].input)


def test_a_cycle_is_walked_once_and_limited(tmp_path):
    desk = desk_of(tmp_path, HANDOFFS)
    there = scripted(*(call("transfer_to_triage") for _ in range(9)))
    back = scripted(*(call("transfer_to_billing") for _ in range(2)), say("enough"))
    triage = agent_of(back, name="triage")
    billing = agent_of(there, name="billing", handoffs=[triage])
    triage.handoffs = [billing]
    guarded = guard_agent(triage, desk.guard)
    assert guarded.handoffs[0].agent.handoffs[0].agent is guarded
    with pytest.raises(MaxTurnsExceeded):
        asyncio.run(Runner.run(guarded, "go", run_config=desk.config(), max_turns=6))
    permitted = [d for d in desk.decisions("handoff") if d[2] == "allow"]
    denied = [d for d in desk.decisions("handoff") if d[2] == "deny"]
    assert len(permitted) == 3
    assert denied


def test_a_handoff_that_is_never_permitted_is_hidden(tmp_path):
    desk = desk_of(tmp_path, HANDOFFS)
    other = agent_of(scripted(), name="stranger")
    model = scripted(say("hello"))
    desk.run(agent_of(model, handoffs=[other]))
    assert model.calls[0].handoffs == []


def test_a_target_that_nobody_knows_is_refused_and_can_be_named(tmp_path):
    desk = desk_of(tmp_path, HANDOFFS)
    billing = agent_of(scripted(say("billing here")), name="billing")

    async def invoke(context, text):
        return billing

    made = Handoff(
        tool_name="to_billing",
        tool_description="",
        input_json_schema={},
        on_invoke_handoff=invoke,
        agent_name="billing",
        strict_json_schema=False,
    )
    triage = agent_of(scripted(call("to_billing")), handoffs=[made])
    with pytest.raises(UnmediatedError, match=r"to_billing.*agents="):
        guard_agent(triage, desk.guard)
    guarded = guard_agent(triage, desk.guard, agents=[billing])
    result = asyncio.run(Runner.run(guarded, "x", run_config=desk.config()))
    assert result.final_output == "billing here"


def test_a_handoff_that_leads_elsewhere_stays(tmp_path):
    desk = desk_of(tmp_path, HANDOFFS)
    billing = agent_of(scripted(), name="billing")
    stranger = Agent(name="billing", model=scripted(say("unguarded")))

    async def invoke(context, text):
        return stranger

    made = Handoff(
        tool_name="to_billing",
        tool_description="",
        input_json_schema={},
        on_invoke_handoff=invoke,
        agent_name="billing",
        strict_json_schema=False,
    )
    triage = agent_of(scripted(call("to_billing"), say("here")), handoffs=[made])
    guarded = guard_agent(triage, desk.guard, agents=[billing])
    result = asyncio.run(Runner.run(guarded, "x", run_config=desk.config()))
    assert result.final_output == "here"


def test_agents_as_tools_are_guarded_by_the_same_line(tmp_path):
    calls, desk = [], desk_of(tmp_path, HANDOFFS)
    step = call("refund", {"order": "A", "amount": 90, "note": ""})
    inner_model = scripted(step, say("was told: at most"))
    inner = agent_of(inner_model, name="inner", tools=[refund_tool(calls)])
    model = scripted(call("ask", {"input": "refund it"}), say("done"))
    result = desk.run(agent_of(model, tools=[inner.as_tool("ask", "asks")]))
    assert calls == []
    assert "At most 10." in str(inner_model.calls[1].input)
    assert outputs(result) == ["was told: at most"]
    assert ("tool_call", "ask", "allow") in desk.decisions()
    assert {r["agent"] for r in desk.records if r["kind"] == "decision"} == {"triage", "inner"}


def test_the_options_of_an_agent_as_tool_stay(tmp_path):
    desk = desk_of(tmp_path, HANDOFFS)
    inner = agent_of(scripted(say("hello")), name="inner")

    async def loud(result):
        return str(result.final_output).upper()

    tool = inner.as_tool("ask", "asks", custom_output_extractor=loud, max_turns=3)
    model = scripted(call("ask", {"input": "x"}), say("done"))
    assert outputs(desk.run(agent_of(model, tools=[tool]))) == ["HELLO"]


def test_a_failure_behind_a_tool_reaches_its_author_and_a_denial_the_model(tmp_path):
    desk = desk_of(tmp_path, HANDOFFS)
    inner = agent_of(scripted(RuntimeError("broken")), name="inner")
    tool = inner.as_tool("ask", "asks", failure_error_function=lambda c, e: f"author: {e}")
    model = scripted(call("ask", {"input": "x"}), say("done"))
    assert outputs(desk.run(agent_of(model, tools=[tool]))) == ["author: broken"]


class Question(BaseModel):
    about: str
    count: int = Field(description="How many answers.")


def asked_for(options):
    return f"please: {options['params']['about']}"


async def asked_for_later(options):
    return [{"role": "user", "content": f"later: {options['params']['about']}"}]


def put(options):
    return f"put: {options['params']['input']}"


BUILT = {
    "parameters": ({"parameters": Question}, "How many answers."),
    "the schema too": ({"parameters": Question, "include_input_schema": True}, "$defs|properties"),
    "a builder": ({"parameters": Question, "input_builder": asked_for}, "please: x"),
    "an async builder": ({"parameters": Question, "input_builder": asked_for_later}, "later: x"),
    "a builder alone": ({"input_builder": put}, "put: x"),
}


@pytest.mark.parametrize("streamed", [False, True], ids=["at once", "streamed"])
@pytest.mark.parametrize("kind", BUILT)
def test_an_agent_as_tool_keeps_how_its_input_is_built(tmp_path, kind, streamed):
    options, wanted = BUILT[kind]
    rule = {
        "id": "r",
        "tools": ["ask"],
        "check": {"terms": {"any": ["acme"]}},
        "effect": "redact",
    }
    desk = desk_of(tmp_path, {"tools": {"ask": "allow"}, "rules": [rule]})
    args = {"about": "x of acme", "count": 2} if "parameters" in options else {"input": "x of acme"}

    def told(*, guarded):
        inner_model = scripted(say("hello"))
        tool = agent_of(inner_model, name="inner").as_tool("ask", "asks", **options)
        agent = agent_of(scripted(call("ask", args), say("done")), tools=[tool])
        if not guarded:
            result = asyncio.run(Runner.run(agent, "hello"))
        else:
            result = desk.stream(agent)[0] if streamed else desk.run(agent)
        assert outputs(result) == ["hello"]
        return inner_model.calls[0].input

    before, after = told(guarded=False), told(guarded=True)
    assert re.search(wanted, str(after))
    assert "acme" in str(before)
    assert "acme" not in str(after)
    assert str(after) == str(before).replace("acme", "<TERM>")


def test_the_arguments_of_an_agent_as_tool_are_judged(tmp_path):
    args = {
        "about": {"type": "string"},
        "count": {"type": "integer", "maximum": 3, "message": "At most 3."},
    }
    desk = desk_of(tmp_path, {"tools": {"ask": {"args": args}}})
    inner = agent_of(scripted(say("never")), name="inner")
    tool = inner.as_tool("ask", "asks", parameters=Question)
    model = scripted(call("ask", {"about": "x", "count": 9}), say("done"))
    assert outputs(desk.run(agent_of(model, tools=[tool]))) == ["At most 3."]


def test_an_agent_as_tool_whose_options_cannot_be_told_is_refused(tmp_path):
    # Its author put another function in its place, so what it was made with is nowhere to be read.
    desk = desk_of(tmp_path, HANDOFFS)
    inner = agent_of(scripted(say("hello")), name="inner")
    tool = inner.as_tool("ask", "asks", parameters=Question)
    asks = tool.on_invoke_tool

    async def noted(context, text):
        return await asks(context, text)

    tool.on_invoke_tool = noted
    with pytest.raises(UnmediatedError) as caught:
        guard_agent(agent_of(scripted(), tools=[tool]), desk.guard)
    assert str(caught.value).splitlines()[0] == (
        'the agent "triage": "ask" runs an agent: guard that agent first, '
        "guard_agent(inner, guard).as_tool(…)"
    )
    made = guard_agent(inner, desk.guard).as_tool("ask", "asks", parameters=Question)
    model = scripted(call("ask", {"about": "x", "count": 1}), say("done"))
    assert outputs(desk.run(agent_of(model, tools=[made]))) == ["hello"]


def test_what_happens_behind_a_tool_counts_for_the_session(tmp_path):
    policy = {
        "tools": {"ask": "allow"},
        "limits": [{"id": "turns", "stage": "model_request", "max": 2, "by": ["session"]}],
    }
    desk = desk_of(tmp_path, policy)
    inner = agent_of(scripted(say("hello")), name="inner")
    model = scripted(call("ask", {"input": "x"}), say("one too many"))
    with pytest.raises(Denied):
        desk.run(agent_of(model, tools=[inner.as_tool("ask", "asks")]))


def test_a_graph_outlives_the_original(tmp_path):
    desk = desk_of(tmp_path, HANDOFFS)

    def build():
        billing = agent_of(scripted(say("billing here")), name="billing")
        return guard_agent(
            agent_of(scripted(call("transfer_to_billing")), handoffs=[billing]), desk.guard
        )

    guarded = build()
    gc.collect()
    result = asyncio.run(Runner.run(guarded, "x", run_config=desk.config()))
    assert result.final_output == "billing here"


def test_a_function_that_denies_by_itself_reads_as_a_denial(tmp_path):
    desk = desk_of(tmp_path, HANDOFFS)

    @function_tool(failure_error_function=None)
    def ask() -> str:
        desk.guard.check_output("x")
        return "unreached" if False else "fine"

    assert outputs(desk.run(agent_of(scripted(call("ask"), say("ok")), tools=[ask]))) == ["fine"]
