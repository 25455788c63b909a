"""What comes more than once: agents side by side, words said again, texts written in two ways."""

import asyncio
import contextlib

import pytest
from agents import (
    InputGuardrailTripwireTriggered,
    Model,
    ModelResponse,
    ModelSettings,
    Runner,
    SQLiteSession,
    Usage,
    function_tool,
    trace,
)
from agents.testing import assistant_message, function_call
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseTextDeltaEvent,
    ResponseUsage,
)
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


class Busy(Model):
    """A model that is asked by many at once, and uses what it is told to."""

    model = "m"

    def __init__(self, used, error=None):
        self.used = used
        self.error = error
        self.now = self.most = self.calls = 0

    async def get_response(self, *args, **kwargs):
        self.calls += 1
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(0.02)
            if self.error is not None:
                raise self.error
        finally:
            self.now -= 1
        usage = Usage(requests=1, input_tokens=10, output_tokens=self.used - 10)
        usage.total_tokens = self.used
        return ModelResponse(output=[assistant_message("hi")], usage=usage, response_id=None)

    async def stream_response(self, *args, **kwargs):
        response = await self.get_response()
        yield ResponseCompletedEvent.model_construct(
            type="response.completed",
            sequence_number=0,
            response=Response.model_construct(
                id="r",
                output=response.output,
                usage=ResponseUsage.model_construct(
                    input_tokens=10,
                    output_tokens=self.used - 10,
                    total_tokens=self.used,
                ),
            ),
        )


def at_once(desk, model, count, *, streamed=False, **settings):
    """Let sessions of one tenant ask at once; return what came of each."""
    agent = guard_agent(agent_of(model, **settings), desk.guard)

    async def one(number):
        who = {"id": f"u{number}", "roles": [], "tenant": "acme"}
        config = desk.config(session=f"s{number}", principal=who)
        if not streamed:
            return (await Runner.run(agent, "hello", run_config=config)).final_output
        running = Runner.run_streamed(agent, "hello", run_config=config)
        async for _ in running.stream_events():
            pass
        return running.final_output

    async def go():
        return await asyncio.gather(*map(one, range(count)), return_exceptions=True)

    return asyncio.run(go())


def spent_by_the_tenant(desk, unit="tok"):
    return desk.guard.state.used(f"p0/{unit}", ("acme",), desk.guard._parts.now())


SHARED = {"id": "tok", "of": "tokens", "max": 300, "by": ["tenant"]}
BOTH = pytest.mark.parametrize("streamed", [False, True], ids=["at once", "streamed"])


@BOTH
def test_a_shared_budget_holds_where_many_ask_at_once(tmp_path, streamed):
    desk, model = desk_of(tmp_path, {**OPEN, "limits": [SHARED]}), Busy(100)
    settings = ModelSettings(max_tokens=90)
    found = at_once(desk, model, 10, streamed=streamed, model_settings=settings)
    assert found.count("hi") == 3
    assert sum(isinstance(one, Denied) for one in found) == 7
    assert spent_by_the_tenant(desk) == 300
    assert model.most == 3


def test_where_there_is_room_nobody_waits(tmp_path):
    roomy = {**SHARED, "max": 100_000}
    desk, model = desk_of(tmp_path, {**OPEN, "limits": [roomy]}), Busy(100)
    assert at_once(desk, model, 10, model_settings=ModelSettings(max_tokens=90)) == ["hi"] * 10
    assert model.most == 10


def test_one_may_go_whose_request_is_larger_than_the_budget(tmp_path):
    desk, model = desk_of(tmp_path, {**OPEN, "limits": [SHARED]}), Busy(100)
    found = at_once(desk, model, 5, model_settings=ModelSettings(max_tokens=5000))
    # It uses less than it might; by turns they use up what there is.
    assert found.count("hi") == 3
    assert model.most == 1
    assert spent_by_the_tenant(desk) == 300


def test_a_budget_of_money_is_shared_likewise(tmp_path):
    cost = {"id": "usd", "of": "cost_usd", "max": 0.0003, "by": ["tenant"]}
    policy = {**OPEN, "models": {"m": "allow"}, "prices": {"m": {"input": 1, "output": 1}}}
    desk, model = desk_of(tmp_path, {**policy, "limits": [cost]}), Busy(100)
    found = at_once(desk, model, 10, model_settings=ModelSettings(max_tokens=90))
    assert found.count("hi") == 3
    assert spent_by_the_tenant(desk, "usd") == pytest.approx(0.0003)


def test_without_max_tokens_a_shared_budget_is_exceeded_by_those_under_way(tmp_path):
    # What a model may say is not known, so nothing is kept free for it: ROADS.md says so.
    desk, model = desk_of(tmp_path, {**OPEN, "limits": [SHARED]}), Busy(100)
    found = at_once(desk, model, 10)
    assert found == ["hi"] * 10
    assert spent_by_the_tenant(desk) == 1000
    assert isinstance(at_once(desk, model, 1)[0], Denied)


def test_a_request_that_fails_makes_room_for_those_that_wait(tmp_path):
    desk, model = desk_of(tmp_path, {**OPEN, "limits": [SHARED]}), Busy(100, OSError("down"))
    found = at_once(desk, model, 10, model_settings=ModelSettings(max_tokens=90))
    # Each failure counts for all that it may have used, so that the fourth is the last.
    assert {type(one) for one in found} == {OSError, Denied}
    assert model.calls == 4
    assert model.now == 0


def test_one_that_is_cancelled_while_it_waits_holds_up_nobody(tmp_path):
    class Held(Busy):
        async def get_response(self, *args, **kwargs):
            await going.wait()
            return await super().get_response(*args, **kwargs)

    desk, model = desk_of(tmp_path, {**OPEN, "limits": [SHARED]}), Held(10)
    agent = agent_of(model, model_settings=ModelSettings(max_tokens=290))
    agent = guard_agent(agent, desk.guard)
    going = asyncio.Event()

    async def one(number):
        who = {"id": f"u{number}", "roles": [], "tenant": "acme"}
        config = desk.config(session=f"s{number}", principal=who)
        return (await Runner.run(agent, "hello", run_config=config)).final_output

    async def go():
        tasks = [asyncio.create_task(one(number)) for number in range(5)]
        await asyncio.sleep(0.5)
        tasks[2].cancel()
        going.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    found = asyncio.run(go())
    assert found.count("hi") == 4
    assert isinstance(found[2], asyncio.CancelledError)
    assert model.most == 1


def test_budgets_that_overlap_stop_nobody_for_ever(tmp_path):
    limits = [
        {"id": "z", "of": "tokens", "max": 400, "by": ["principal"]},
        {"id": "a", "of": "tokens", "max": 1000, "by": ["tenant"]},
        {"id": "k", "of": "tokens", "max": 3000, "by": ["global"]},
        {"id": "o", "of": "tokens", "max": 10, "by": ["tenant"], "mode": "observe"},
    ]
    desk, model = desk_of(tmp_path, {**OPEN, "limits": limits}), Busy(100)
    agent = agent_of(model, model_settings=ModelSettings(max_tokens=90))
    agent = guard_agent(agent, desk.guard)

    async def one(number):
        who = {"id": f"u{number % 3}", "roles": [], "tenant": f"t{number % 2}"}
        config = desk.config(session=f"s{number}", principal=who)
        return (await Runner.run(agent, "hello", run_config=config)).final_output

    async def go():
        running = asyncio.gather(*map(one, range(40)), return_exceptions=True)
        return await asyncio.wait_for(running, 30)

    found = asyncio.run(go())
    assert found.count("hi") == 20
    used = {
        tenant: desk.guard.state.used("p0/a", (tenant,), desk.guard._parts.now())
        for tenant in ("t0", "t1")
    }
    assert used == {"t0": 1000, "t1": 1000}


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
