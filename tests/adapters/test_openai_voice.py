"""Agents that are spoken to: guarded in the SDK's voice pipeline, and not in realtime sessions."""

import asyncio

import numpy as np
import pytest
from agents import Agent, function_tool
from agents.realtime import RealtimeAgent, RealtimeModel, RealtimeRunner
from agents.realtime.model_events import RealtimeModelToolCallEvent
from agents.realtime.model_inputs import RealtimeModelSendToolOutput
from agents.voice import (
    AudioInput,
    SingleAgentVoiceWorkflow,
    STTModel,
    TTSModel,
    VoicePipeline,
    VoicePipelineConfig,
)
from openai_desk import WHO, agent_of, call, desk_of, refund_tool, say, scripted

from policy_engine.adapters.openai_agents import UnmediatedError, guard_agent
from policy_engine.guard import Denied

OPEN = {"tools": {"*": "allow"}, "handoffs": {"*": "allow"}}
DENY = {
    "id": "secret",
    "check": {"terms": {"any": ["hunter2"]}},
    "effect": "deny",
    "message": "That is secret.",
}
REDACT = {"id": "names", "check": {"terms": {"any": ["hunter2"]}}, "effect": "redact"}


class Ear(STTModel):
    """Hears what it is told to hear."""

    model_name = "ear"

    def __init__(self, *texts):
        self.texts = list(texts)

    async def transcribe(self, *args, **kwargs):
        return self.texts.pop(0)

    async def create_session(self, *args, **kwargs):
        raise NotImplementedError


class Mouth(TTSModel):
    """Notes what it is to say."""

    model_name = "mouth"

    def __init__(self):
        self.said = []

    async def run(self, text, settings):
        self.said.append(text)
        yield b"\0\0" * 160


async def spoken(pipeline, desk):
    """Speak to an agent once; let the pipeline speak to its end."""
    with desk.guard.session("s1", principal=WHO):
        result = await pipeline.run(AudioInput(buffer=np.zeros(160, dtype=np.int16)))
    async for _ in result.stream():
        pass


def conversation(desk, agent, *heard):
    """Speak to a guarded agent; return what it said, and what was raised at each turn."""
    mouth = Mouth()
    guarded = guard_agent(agent, desk.guard)
    pipeline = VoicePipeline(
        workflow=SingleAgentVoiceWorkflow(guarded),
        stt_model=Ear(*heard),
        tts_model=mouth,
        config=VoicePipelineConfig(tracing_disabled=True),
    )

    async def talk():
        raised = []
        for _ in heard:
            try:
                await spoken(pipeline, desk)
                raised.append(None)
            except Denied as denied:
                raised.append(denied.message)
        return raised

    raised = asyncio.run(talk())
    return "".join(mouth.said), raised


def test_what_was_heard_is_judged_and_does_not_poison_the_conversation(tmp_path):
    desk = desk_of(tmp_path, {**OPEN, "input": [DENY]})
    model = scripted(say("Hello."), say("Fine."))
    said, raised = conversation(desk, agent_of(model), "hi", "say hunter2", "and now?")
    assert said == "Hello.Fine."
    assert raised == [None, "That is secret.", None]
    assert "hunter2" not in str(model.calls[1].input)
    assert "and now?" in str(model.calls[1].input)
    assert {r["session"] for r in desk.records} == {"s1"}


def test_what_would_be_spoken_is_judged_and_redacted(tmp_path):
    desk = desk_of(tmp_path, {**OPEN, "output": [DENY]})
    assert conversation(desk, agent_of(scripted(say("It is hunter2."))), "hi") == (
        "",
        ["That is secret."],
    )
    desk = desk_of(tmp_path, {**OPEN, "output": [REDACT]})
    model = scripted(say("It is hunter2, I think."))
    assert conversation(desk, agent_of(model), "hi") == ("It is <TERM>, I think.", [None])


def test_tools_and_handoffs_of_an_agent_that_is_spoken_to_are_judged(tmp_path):
    calls = []
    cap = {"amount": {"type": "number", "maximum": 500, "message": "At most 500."}}
    args = {"order": {"type": "string"}, "note": {"type": "string"}, **cap}
    desk = desk_of(tmp_path, {"tools": {"refund": {"args": args}}, "handoffs": {"*": "allow"}})
    last = agent_of(scripted(say("Bye."), say("Still here.")), name="billing")
    model = scripted(
        call("refund", {"order": "o1", "amount": 900}),
        call("refund", {"order": "o1", "amount": 90}),
        call("transfer_to_billing"),
    )
    agent = agent_of(model, tools=[refund_tool(calls)], handoffs=[last])
    said, raised = conversation(desk, agent, "refund it", "hello?")
    assert (said, raised) == ("Bye.Still here.", [None, None])
    assert calls == [("o1", 90, "none")]
    assert "At most 500." in str(model.calls[1].input)


# Realtime sessions: the model speaks before anybody could judge what it says


def test_a_realtime_agent_is_refused_with_what_to_do(tmp_path):
    desk = desk_of(tmp_path, OPEN)
    with pytest.raises(UnmediatedError) as caught:
        guard_agent(RealtimeAgent(name="voice"), desk.guard)
    assert "realtime session speaks before anything could be judged" in str(caught.value)


class Line(RealtimeModel):
    """A realtime model that says what it is told to, and notes what it is sent."""

    def __init__(self):
        self.listeners = []
        self.outputs = []

    async def connect(self, options): ...

    def add_listener(self, listener):
        self.listeners.append(listener)

    def remove_listener(self, listener):
        self.listeners.remove(listener)

    async def send_event(self, event):
        if isinstance(event, RealtimeModelSendToolOutput):
            self.outputs.append(event.output)

    async def close(self): ...

    async def calls(self, name, arguments):
        call_id = f"c{len(self.outputs)}"
        event = RealtimeModelToolCallEvent(name=name, call_id=call_id, arguments=arguments)
        for listener in list(self.listeners):
            await listener.on_event(event)


SEND = {
    "send": {
        "args": {"text": {"type": "string", "maxLength": 3, "message": "Shorter."}},
        "result": [REDACT],
    }
}


def sending(ran):
    @function_tool
    def send(text: str) -> str:
        ran.append(text)
        return f"sent {text}, hunter2"

    return send


def on_the_line(desk, agent):
    """Call a tool twice in a realtime session; return what the model is told."""

    async def talk():
        line = Line()
        settings = {"async_tool_calls": False}
        runner = RealtimeRunner(starting_agent=agent, model=line, config=settings)
        with desk.guard.session("s1", principal=WHO):
            async with await runner.run():
                await line.calls("send", '{"text": "too long"}')
                await line.calls("send", '{"text": "abc"}')
        return line.outputs

    return asyncio.run(talk())


def test_a_realtime_agent_may_have_the_tools_of_a_guarded_one(tmp_path):
    ran, desk = [], desk_of(tmp_path, {"tools": SEND})
    guarded = guard_agent(Agent(name="voice", tools=[sending(ran)]), desk.guard)
    told = on_the_line(desk, RealtimeAgent(name="voice", tools=guarded.tools))
    assert told == ["Shorter.", "sent abc, <TERM>"]
    assert ran == ["abc"]
    decided = [r for r in desk.records if r["kind"] == "decision"]
    assert {(r["session"], r["agent"]) for r in decided} == {("s1", "voice")}


def test_tools_of_a_guarded_agent_hold_even_where_the_agent_does_not_belong(tmp_path):
    ran, desk = [], desk_of(tmp_path, {"tools": SEND})
    guarded = guard_agent(Agent(name="a", model=scripted(), tools=[sending(ran)]), desk.guard)
    assert on_the_line(desk, guarded) == ["Shorter.", "sent abc, <TERM>"]
    assert ran == ["abc"]
