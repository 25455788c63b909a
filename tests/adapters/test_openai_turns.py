"""What comes more than once: agents side by side, words said again, texts written in two ways."""

import asyncio
import contextlib

import pytest
from agents import (
    InputGuardrailTripwireTriggered,
    Model,
    ModelResponse,
    Runner,
    SQLiteSession,
    Usage,
    function_tool,
    trace,
)
from agents.testing import assistant_message, function_call
from openai.types.responses import ResponseTextDeltaEvent
from openai_desk import agent_of, call, desk_of, outputs, say, scripted
from pydantic import BaseModel

from policy_engine import Denied
from policy_engine.adapters.openai_agents import guard_agent

OPEN = {"tools": {"*": "allow"}, "handoffs": {"*": "allow"}}
HUNTER = {"terms": {"any": ["hunter2"]}}


class Counting(Model):
    """A model that says its name after a while, and uses 60 tokens."""

    def __init__(self, name, *first):
        self.model = name
        self.first = list(first)
        self.most = self.now = 0

    async def get_response(self, *args, **kwargs):
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.02)
        self.now -= 1
        output = self.first.pop(0) if self.first else [assistant_message(self.model)]
        usage = Usage(requests=1, input_tokens=60, output_tokens=0, total_tokens=60)
        return ModelResponse(output=output, usage=usage, response_id=None)

    async def stream_response(self, *args, **kwargs):
        yield None


def side_by_side(desk, nested):
    calls = [function_call(f"ask_{n}", '{"input":"x"}', call_id=f"c{n}") for n in range(4)]
    tools = [agent_of(nested, name=f"a{n}").as_tool(f"ask_{n}", "ask") for n in range(4)]
    agent = guard_agent(agent_of(Counting("top", calls), tools=tools), desk.guard)
    return asyncio.run(Runner.run(agent, "x", run_config=desk.config()))


def test_agents_side_by_side_share_a_budget_by_turns(tmp_path):
    limit = {"id": "tok", "of": "tokens", "max": 1000, "by": ["session"]}
    desk = desk_of(tmp_path, {**OPEN, "limits": [limit]})
    nested = Counting("m")
    assert outputs(side_by_side(desk, nested)) == ["m"] * 4
    assert nested.most == 1
    assert desk.guard.state.used("p0/tok", ("~/u1/s1",), desk.guard._parts.now()) == 360


def test_without_a_budget_they_do_not_wait(tmp_path):
    nested = Counting("m")
    assert outputs(side_by_side(desk_of(tmp_path, OPEN), nested)) == ["m"] * 4
    assert nested.most == 4


def test_a_budget_that_is_used_up_ends_the_run(tmp_path):
    limit = {"id": "tok", "of": "tokens", "max": 150, "by": ["session"]}
    desk = desk_of(tmp_path, {**OPEN, "limits": [limit]})
    with pytest.raises(Denied, match="would be exceeded"):
        side_by_side(desk, Counting("m"))


@pytest.mark.parametrize("how", ["one trace", "one configuration"])
def test_words_that_were_let_through_once_are_judged_when_they_are_said_again(tmp_path, how):
    rule = {
        "id": "late",
        "check": {"terms": {"any": ["approve"]}},
        "when": '"untrusted" in session.labels',
        "effect": "deny",
    }
    desk = desk_of(tmp_path, {"tools": {"read": {"labels": ["untrusted"]}}, "input": [rule]})
    read = function_tool(lambda: "a page", name_override="read", description_override="Read.")
    model = scripted(say("hi"), call("read"), say("read it"), say("approved"))
    agent = guard_agent(agent_of(model, tools=[read]), desk.guard)
    config = desk.config() if how == "one trace" else desk.config(tracing_disabled=True)

    async def talk():
        await Runner.run(agent, "approve", run_config=config)
        await Runner.run(agent, "read the page", run_config=config)
        await Runner.run(agent, "approve", run_config=config)

    with trace("conversation"), pytest.raises(InputGuardrailTripwireTriggered):
        asyncio.run(talk())
    effects = [effect for stage, _, effect in desk.decisions("input")]
    assert effects == ["allow", "allow", "deny"]


class Named(BaseModel):
    name: str


@pytest.mark.parametrize("text", ['{"name":"hunter2"}', '{"name":"hunter\\u0032"}'])
@pytest.mark.parametrize("effect", ["deny", "redact"])
def test_no_event_holds_what_a_structured_output_writes_with_escapes(tmp_path, text, effect):
    desk = desk_of(tmp_path, {**OPEN, "output": [{"id": "o", "check": HUNTER, "effect": effect}]})
    agent = agent_of(scripted(say(text)), output_type=Named)
    memory = SQLiteSession("s")
    with contextlib.suppress(Denied):
        desk.stream(agent, session=memory)
    told = "".join(map(repr, desk.events)) + repr(asyncio.run(memory.get_items()))
    assert "hunter2" not in told
    assert "hunter\\\\u0032" not in told
    memory.close()


class Whispering(Model):
    """Streams a text that it does not repeat at the end."""

    model = "whispering"

    def __init__(self, inner, said):
        self.inner = inner
        self.said = said

    async def get_response(self, *args, **kwargs):
        return await self.inner.get_response(*args, **kwargs)

    async def stream_response(self, *args, **kwargs):
        yield ResponseTextDeltaEvent(
            content_index=0, delta=self.said, item_id="i", logprobs=[], output_index=0,
            sequence_number=0, type="response.output_text.delta",
        )  # fmt: skip
        async for event in self.inner.stream_response(*args, **kwargs):
            yield event


@pytest.mark.parametrize(("said", "leaves"), [("hunter2", False), ("fine", True)])
def test_what_a_stream_says_and_does_not_repeat_stays_here(tmp_path, said, leaves):
    desk = desk_of(tmp_path, {**OPEN, "output": [{"id": "o", "check": HUNTER, "effect": "deny"}]})
    result, _ = desk.stream(agent_of(Whispering(scripted(say("all is fine")), said)))
    assert result.final_output == "all is fine"
    assert (said in "".join(map(repr, desk.events))) is leaves


def test_a_message_without_a_type_is_a_message(tmp_path):
    desk = desk_of(tmp_path, {**OPEN, "input": [{"id": "i", "check": HUNTER, "effect": "deny"}]})
    agent = guard_agent(agent_of(scripted(say("hi"))), desk.guard)
    given = [{"role": "user", "content": "hunter2", "type": None}]
    with pytest.raises(InputGuardrailTripwireTriggered):
        asyncio.run(Runner.run(agent, given, run_config=desk.config()))
