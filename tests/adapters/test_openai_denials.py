"""What an application catches where something is denied: one exception, on every road."""

import asyncio
import copy
import pickle
import traceback

import pytest
from agents import (
    Agent,
    ComputerTool,
    FunctionTool,
    InputGuardrailTripwireTriggered,
    OutputGuardrailTripwireTriggered,
    RunContextWrapper,
    RunErrorHandlerResult,
    Runner,
    SQLiteSession,
    function_tool,
)
from agents.exceptions import AgentsException
from agents.testing import assistant_message
from openai.types.responses import ResponseOutputRefusal
from openai_desk import agent_of, call, desk_of, outputs, say, scripted, whole
from pydantic import BaseModel
from test_openai_native import Screen, click

from policy_engine.adapters.openai_agents import (
    guard_agent,
    input_guardrail,
    output_guardrail,
    tool_guardrails,
)
from policy_engine.guard import Denied

SAID = "Not like this."
OPEN = {"tools": {"*": "allow"}, "handoffs": {"*": "allow"}}
RULE = {"id": "r", "check": {"terms": {"any": ["acme"]}}, "effect": "deny", "message": SAID}


@function_tool
def ping() -> str:
    return "pong"


def given(tmp_path):
    return desk_of(tmp_path, {**OPEN, "input": [RULE]}), agent_of(scripted()), "for acme", {}


def given_with_a_session(tmp_path):
    desk, agent, text, _ = given(tmp_path)
    return desk, agent, text, {"session": SQLiteSession("s", tmp_path / "memory.db")}


def instructed(tmp_path):
    desk = desk_of(tmp_path, {**OPEN, "input": [RULE]})
    agent = agent_of(scripted(), instructions=lambda context, agent: "for acme")
    return desk, agent, "hello", {}


def with_a_model(tmp_path):
    model = scripted()
    model.model = "small"
    entry = {"effect": "deny", "message": SAID}
    return desk_of(tmp_path, {**OPEN, "models": {"small": entry}}), agent_of(model), "hello", {}


def with_a_budget(tmp_path):
    limit = {"id": "turns", "stage": "model_request", "max": 2, "by": ["session", "agent"]}
    desk = desk_of(tmp_path, {**OPEN, "limits": [{**limit, "message": SAID}]})
    return desk, agent_of(scripted(call("ping"), call("ping")), tools=[ping]), "hello", {}


def said(tmp_path):
    desk = desk_of(tmp_path, {**OPEN, "output": [RULE]})
    return desk, agent_of(scripted(say("for acme"))), "hello", {}


def put_out(tmp_path):
    desk = desk_of(tmp_path, {**OPEN, "output": [RULE]})

    def handler(data):
        return RunErrorHandlerResult(final_output="for acme")

    agent = agent_of(scripted(call("ping"), call("ping")), tools=[ping])
    return desk, agent, "hello", {"max_turns": 1, "error_handlers": {"max_turns": handler}}


def handled(tmp_path):
    desk = desk_of(tmp_path, {**OPEN, "output": [RULE]})
    refused = assistant_message("")
    refused.content = [ResponseOutputRefusal(type="refusal", refusal="I will not.")]
    settings = {"error_handlers": {"model_refusal": lambda data: "for acme"}}
    return desk, agent_of(scripted([refused])), "hello", settings


class Found(BaseModel):
    name: str


@function_tool
def find() -> Found:
    return Found(name="acme")


def typed(tmp_path):
    desk = desk_of(tmp_path, {**OPEN, "output": [RULE]})
    ends = {"tool_use_behavior": "stop_on_first_tool", "output_type": Found}
    return desk, agent_of(scripted(call("find")), tools=[find], **ends), "hello", {}


def clicked(tmp_path, *, streamed=False):
    rule = {"id": "r", "tools": ["computer*"], "when": "true", "effect": "deny", "message": SAID}
    desk = desk_of(tmp_path, {**OPEN, "rules": [rule]})
    step = click({"type": "type", "text": "x"}, "k")
    step = whole(step) if streamed else step
    return desk, agent_of(scripted(step), tools=[ComputerTool(computer=Screen())]), "hello", {}


RAISED = [
    ("input", given, InputGuardrailTripwireTriggered, "input"),
    (
        "input of a run with an SDK session",
        given_with_a_session,
        InputGuardrailTripwireTriggered,
        "input",
    ),
    ("instructions that are made for a request", instructed, None, "model_request"),
    ("the model that is asked", with_a_model, None, "model_request"),
    ("a budget or a limit of requests", with_a_budget, None, "model_request"),
    ("what a model says", said, None, "model_response"),
    ("an output that no model said", put_out, OutputGuardrailTripwireTriggered, "output"),
    (
        "what an error handler says for a refusal",
        handled,
        OutputGuardrailTripwireTriggered,
        "output",
    ),
    (
        "an output of a type that a tool returned",
        typed,
        OutputGuardrailTripwireTriggered,
        "output",
    ),
    ("an action of a computer", clicked, None, "tool_call"),
]
"""What is denied, how, what else is raised there, and the stage of the decision."""


def raised(tmp_path, build, *, streamed):
    """Run what is denied; return what is raised."""
    known = {"streamed": streamed} if build is clicked else {}
    desk, agent, text, settings = build(tmp_path, **known)
    with pytest.raises(Denied) as caught:
        (desk.stream if streamed else desk.run)(agent, text, **settings)
    return caught.value


@pytest.mark.parametrize("streamed", [False, True], ids=["at once", "streamed"])
@pytest.mark.parametrize(
    ("build", "also", "stage"), [row[1:] for row in RAISED], ids=[row[0] for row in RAISED]
)
def test_denied_is_what_is_caught(tmp_path, build, also, stage, streamed):
    denied = raised(tmp_path, build, streamed=streamed)
    assert denied.message.startswith(SAID) or stage == "model_request"
    assert str(denied) == denied.message
    assert denied.decision.effect == "deny"
    assert denied.decision.asked.stage == stage
    assert "p0/" in denied.decision.reasons[0].rule
    if also is None:
        assert not isinstance(denied, AgentsException)
        return
    assert isinstance(denied, also)
    told = denied.guardrail_result.output.output_info
    assert told["message"] == denied.message
    assert told["rules"] == [reason.rule for reason in denied.decision.reasons]
    assert denied.guardrail_result.guardrail.get_name() == "policy-engine"


def tool(tmp_path):
    rule = {"id": "r", "tools": ["ping"], "when": "true", "effect": "deny", "message": SAID}
    desk = desk_of(tmp_path, {**OPEN, "rules": [rule]})
    return desk, agent_of(scripted(call("ping"), say("done")), tools=[ping])


def result(tmp_path):
    rule = {**RULE, "check": {"terms": {"any": ["pong"]}}}
    desk = desk_of(tmp_path, {"tools": {"ping": {"result": [rule]}}})
    return desk, agent_of(scripted(call("ping"), say("done")), tools=[ping])


def absent(tmp_path):
    entry = {"effect": "deny", "message": SAID}
    desk = desk_of(tmp_path, {"tools": {"ping": "allow", "wipe": entry}})
    return desk, agent_of(scripted(call("wipe"), say("done")), tools=[ping])


def handoff(tmp_path):
    rule = {"id": "r", "stage": "handoff", "when": "true", "effect": "deny", "message": SAID}
    desk = desk_of(tmp_path, {**OPEN, "rules": [rule]})
    other = agent_of(scripted(), name="other")
    return desk, agent_of(scripted(call("transfer_to_other"), say("done")), handoffs=[other])


def behind(build):
    def nested(tmp_path):
        desk, inner, text, settings = build(tmp_path)
        inner.name = "inner"
        model = scripted(call("ask", {"input": "x"}), say("done"))
        if build is given:
            model = scripted(call("ask", {"input": text}), say("done"))
        made = inner.as_tool("ask", "asks", max_turns=settings.get("max_turns", 10))
        return desk, agent_of(model, tools=[made])

    return nested


def ending(tmp_path):
    rule = {**RULE, "check": {"terms": {"any": ["pong"]}}}
    desk = desk_of(tmp_path, {**OPEN, "output": [rule]})
    agent = agent_of(scripted(call("ping")), tools=[ping], tool_use_behavior="stop_on_first_tool")
    return desk, agent


TOLD = [
    ("a call of a tool", tool, "the model reads the message in place of the result"),
    ("a result of a tool", result, "the model reads the message in place of the result"),
    (
        "a call of a tool that the agent does not have",
        absent,
        "the model reads that, and which tools there are",
    ),
    ("a handoff", handoff, "the model reads the message and goes on"),
    ("input of an agent behind a tool", behind(given), "the outer model reads the message"),
    ("what an agent behind a tool says", behind(said), "the outer model reads the message"),
    (
        "a budget of an agent behind a tool",
        behind(with_a_budget),
        "the outer model reads the message",
    ),
    ("an output that a tool returned, of no type", ending, "the message is the output"),
]
"""What is denied, how, and who is told."""


@pytest.mark.parametrize("streamed", [False, True], ids=["at once", "streamed"])
@pytest.mark.parametrize("build", [row[1] for row in TOLD], ids=[row[0] for row in TOLD])
def test_what_a_model_can_act_on_raises_nothing(tmp_path, build, streamed):
    desk, agent = build(tmp_path)
    found = desk.stream(agent)[0] if streamed else desk.run(agent)
    assert SAID in (str(found.final_output) if build is ending else repr(found.new_items))
    assert "deny" in {effect for _, _, effect in desk.decisions()}


# Placed by hand, on agents that nobody guarded


def test_guardrails_that_are_placed_by_hand_raise_denied_too(tmp_path):
    desk = desk_of(tmp_path, {"input": [RULE]}, {"output": [RULE]})
    first = Agent(name="a", model=scripted(), input_guardrails=[input_guardrail(desk.guard)])
    with pytest.raises(Denied) as caught:
        asyncio.run(Runner.run(first, "for acme"))
    assert isinstance(caught.value, InputGuardrailTripwireTriggered)
    last = Agent(
        name="a", model=scripted(say("for acme")), output_guardrails=[output_guardrail(desk.guard)]
    )
    with pytest.raises(Denied) as caught:
        asyncio.run(Runner.run(last, "hello"))
    assert isinstance(caught.value, OutputGuardrailTripwireTriggered)
    assert caught.value.guardrail_result.agent_output == "for acme"
    assert caught.value.run_data.last_agent is last


def test_what_would_have_to_be_redacted_at_the_end_is_refused_with_a_decision(tmp_path):
    rule = {"id": "r", "check": {"terms": {"any": ["acme"]}}, "effect": "redact"}
    desk = desk_of(tmp_path, {"output": [rule]})
    agent = Agent(
        name="a", model=scripted(say("for acme")), output_guardrails=[output_guardrail(desk.guard)]
    )
    with pytest.raises(Denied, match="would have to be redacted") as caught:
        asyncio.run(Runner.run(agent, "hello"))
    assert caught.value.decision.effect == "deny"
    assert [reason.rule for reason in caught.value.decision.reasons] == ["guard", "p0/r"]


class Odd:
    """Has no JSON form."""

    def __str__(self):
        return "for acme"


def with_guardrails(desk, args, returned="pong"):
    """Call a tool that has guardrails of ours, placed by hand; return what the model reads."""
    ran = []

    async def invoke(context, text):
        ran.append(text)
        return returned

    before, after = tool_guardrails(desk.guard)
    tool = FunctionTool(
        "ping", "", {"type": "object", "properties": {}}, invoke, strict_json_schema=False
    )
    tool.tool_input_guardrails, tool.tool_output_guardrails = [before], [after]
    agent = Agent(name="a", model=scripted(call("ping", args), say("done")), tools=[tool])
    with desk.guard.session("s1"):
        return ran, outputs(asyncio.run(Runner.run(agent, "hello")))[0]


def test_guardrails_of_a_tool_say_why(tmp_path):
    redact = {**RULE, "tools": ["ping"], "effect": "redact"}
    del redact["message"]
    desk = desk_of(tmp_path, {**OPEN, "rules": [redact]})
    ran, told = with_guardrails(desk, '{"text": "for acme"}')
    assert (ran, told) == ([], "Parts of the arguments may not be sent to this tool.")
    ran, told = with_guardrails(desk, '{"text": "a", "text": "b"}')
    assert ran == []
    assert "twice" in told
    desk = desk_of(tmp_path, {"tools": {"ping": {"result": [RULE]}}})
    ran, told = with_guardrails(desk, "{}", Odd())
    assert (ran, told) == (["{}"], SAID)
    assert with_guardrails(desk, "{}")[1] == "pong"


def test_an_output_without_a_json_form_is_judged_as_it_is_written(tmp_path):
    desk = desk_of(tmp_path, {"output": [RULE]})
    judge = output_guardrail(desk.guard)
    agent = Agent(name="a", model=scripted())
    with pytest.raises(Denied, match=SAID):
        asyncio.run(judge.run(RunContextWrapper(context=None), agent, Odd()))


def test_an_output_that_a_tool_returned_keeps_its_decision(tmp_path):
    """The SDK blanks what its own exception says of such an output; the decision stays."""
    rule = {**RULE, "check": {"terms": {"any": ["pong"]}}}
    desk = desk_of(tmp_path, {"output": [rule]})
    agent = Agent(
        name="a",
        model=scripted(call("ping")),
        tools=[ping],
        tool_use_behavior="stop_on_first_tool",
        output_guardrails=[output_guardrail(desk.guard)],
    )
    memory = SQLiteSession("s", tmp_path / "memory.db")
    with pytest.raises(Denied) as caught:
        asyncio.run(Runner.run(agent, "hello", session=memory))
    assert caught.value.message == SAID
    assert "pong" not in str(asyncio.run(memory.get_items()))


# The exceptions themselves


def test_it_is_copied_sent_and_shown_as_any_denial_is(tmp_path):
    denied = raised(tmp_path, given, streamed=False)
    for other in (copy.copy(denied), pickle.loads(pickle.dumps(denied))):
        assert other.message == SAID
        assert other.decision.reasons == denied.decision.reasons
    shown = "".join(traceback.format_exception(denied))
    assert "p0/r: a text holds a listed term" in shown


# Sessions are not poisoned


@pytest.mark.parametrize("streamed", [False, True], ids=["at once", "streamed"])
@pytest.mark.parametrize("only_some", [False, True], ids=["all agents", "this agent alone"])
def test_a_blocked_message_does_not_block_the_next_one(tmp_path, streamed, only_some):
    policy = {**OPEN, "input": [RULE]}
    if only_some:
        policy["applies_to"] = {"agents": ["picky"]}
    desk = desk_of(tmp_path, policy, {**OPEN, "applies_to": {"agents": ["*"]}})
    model = scripted(say("one"), say("two"))
    memory = SQLiteSession("s", tmp_path / "memory.db")
    guard_agent(agent_of(scripted(), name="easy"), desk.guard)
    guarded = guard_agent(agent_of(model, name="picky"), desk.guard)

    async def ask(text):
        if not streamed:
            return await Runner.run(guarded, text, run_config=desk.config(), session=memory)
        running = Runner.run_streamed(guarded, text, run_config=desk.config(), session=memory)
        async for _ in running.stream_events():
            pass
        return running

    async def talk():
        await ask("hello")
        with pytest.raises(Denied) as caught:
            await ask("for acme")
        assert caught.value.message == SAID
        return await ask("and now?")

    assert asyncio.run(talk()).final_output == "two"
    assert "acme" not in str(model.calls[1].input)
    assert "and now?" in str(model.calls[1].input)
    kept = str(asyncio.run(memory.get_items()))
    assert "and now?" in kept
    assert only_some or "acme" not in kept
