"""How runs end: by error handlers, by tools, and with outputs of a type."""

import asyncio
import json
from enum import Enum

import pytest
from agents import (
    Agent,
    AgentHooks,
    ItemHelpers,
    SQLiteSession,
    ToolsToFinalOutputResult,
    function_tool,
)
from agents.testing import assistant_message
from openai.types.responses import ResponseOutputRefusal
from openai_desk import agent_of, call, desk_of, outputs, say, scripted
from pydantic import BaseModel, field_validator

from policy_engine.adapters.openai_agents import guard_agent
from policy_engine.guard import Denied

DENY = {
    "id": "bad",
    "check": {"terms": {"any": ["FORBIDDEN"]}},
    "effect": "deny",
    "message": "Not that word.",
}
REDACT = {"id": "hide", "check": {"terms": {"any": ["Rome"]}}, "effect": "redact"}

streamed = pytest.mark.parametrize("is_streamed", [False, True], ids=["at once", "streamed"])


class Weather(BaseModel):
    city: str


class Short(BaseModel):
    city: str

    @field_validator("city")
    @classmethod
    def is_a_name(cls, value):
        if not value.isalpha():
            raise ValueError("no name")
        return value


def policy(*rules, **more):
    return {"tools": {"*": "allow"}, "output": list(rules), **more}


def go(desk, agent, *, is_streamed, **settings):
    if is_streamed:
        return desk.stream(agent, **settings)[0]
    return desk.run(agent, **settings)


def refusal(text):
    """Return a model's step that refuses."""
    message = assistant_message("")
    message.content = [ResponseOutputRefusal(type="refusal", refusal=text)]
    return [message]


def told(desk):
    """Return what messages the events of a stream held."""
    return [
        ItemHelpers.text_message_output(event.item)
        for event in desk.events
        if event.type == "run_item_stream_event" and event.item.type == "message_output_item"
    ]


ENDS = {
    "no text of the type": (
        {"output_type": Weather},
        say("no json"),
        {"invalid_final_output": lambda data: {"city": "FORBIDDEN"}},
    ),
    "a refusal": ({}, refusal("I will not."), {"model_refusal": lambda data: "FORBIDDEN"}),
    "a refusal of a type": (
        {"output_type": Weather},
        refusal("I will not."),
        {"model_refusal": lambda data: Weather(city="FORBIDDEN")},
    ),
}


@pytest.mark.parametrize("effect", ["deny", "redact"])
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("managed", [False, True], ids=["here", "kept by the provider"])
@streamed
def test_what_an_error_handler_says_is_judged_before_it_leaves(
    tmp_path, is_streamed, managed, end, effect
):
    settings, step, handlers = ENDS[end]
    rule = DENY if effect == "deny" else {**REDACT, "check": DENY["check"]}
    desk = desk_of(tmp_path, policy(rule))
    more = {"previous_response_id": "r"} if managed else {}
    config = desk.config(server_managed=managed)
    agent = agent_of(scripted(step), **settings)
    with pytest.raises(Denied):
        go(
            desk,
            agent,
            is_streamed=is_streamed,
            config=config,
            error_handlers=handlers,
            **more,
        )
    if is_streamed:
        assert "FORBIDDEN" not in str(told(desk))
    assert ("output", None, effect) in desk.decisions()


@streamed
def test_too_many_turns_of_a_kept_conversation_are_handled_under_the_policies(
    tmp_path, is_streamed
):
    @function_tool
    def ping() -> str:
        return "pong"

    desk = desk_of(tmp_path, policy(DENY))
    with pytest.raises(Denied, match=r"Not that word\."):
        go(
            desk,
            agent_of(scripted(call("ping"), call("ping")), tools=[ping]),
            is_streamed=is_streamed,
            config=desk.config(server_managed=True),
            previous_response_id="r",
            max_turns=1,
            error_handlers={"max_turns": lambda data: "FORBIDDEN"},
        )


@pytest.mark.parametrize("end", ENDS)
@streamed
def test_what_an_error_handler_may_say_ends_the_run(tmp_path, is_streamed, end):
    settings, step, _ = ENDS[end]
    said = Weather(city="Oslo") if settings else "Sorry."

    async def handler(data):
        return said

    kind = "invalid_final_output" if end == "no text of the type" else "model_refusal"
    desk = desk_of(tmp_path, policy(DENY))
    agent = agent_of(scripted(step), **settings)
    result = go(desk, agent, is_streamed=is_streamed, error_handlers={kind: handler})
    assert result.final_output == said


@pytest.mark.parametrize("kind", [None, Weather], ids=["text", "of a type"])
@streamed
def test_what_a_model_said_is_judged_as_an_output_once(tmp_path, is_streamed, kind):
    desk = desk_of(tmp_path, policy(DENY))
    text = "fine" if kind is None else '{"city": "Oslo"}'
    go(desk, agent_of(scripted(say(text)), output_type=kind), is_streamed=is_streamed)
    assert [one[0] for one in desk.decisions()] == [
        "input",
        "model_request",
        "model_response",
        "output",
    ]


def test_a_denied_handler_leaves_nothing_in_a_session(tmp_path):
    desk, memory = desk_of(tmp_path, policy(DENY)), SQLiteSession("s", tmp_path / "memory.db")
    _, step, handlers = ENDS["a refusal"]
    with pytest.raises(Denied):
        desk.run(agent_of(scripted(step)), session=memory, error_handlers=handlers)
    assert "FORBIDDEN" not in json.dumps(asyncio.run(memory.get_items()))


# Outputs of a type


def first(context, results):
    return ToolsToFinalOutputResult(is_final_output=True, final_output=results[0].output)


BEHAVIOURS = ["stop_on_first_tool", {"stop_at_tool_names": ["look"]}, first]
behaviours = pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=["first", "named", "function"])


def looking(city="FORBIDDEN", kind=Weather, **settings):
    @function_tool
    def look(x: int) -> kind:
        return kind.model_construct(city=city)

    return {"tools": [look], "output_type": kind, **settings}


@behaviours
@streamed
def test_a_denied_output_of_a_type_is_raised(tmp_path, is_streamed, behaviour):
    desk = desk_of(tmp_path, policy(DENY))
    model = scripted(call("look", {"x": 1}))
    with pytest.raises(Denied, match=r"Not that word\."):
        go(desk, agent_of(model, **looking(tool_use_behavior=behaviour)), is_streamed=is_streamed)


@behaviours
@streamed
def test_after_a_denied_call_the_model_may_still_answer_with_the_type(
    tmp_path, is_streamed, behaviour
):
    limited = {"look": {"args": {"x": {"type": "integer", "maximum": 3}}}}
    desk = desk_of(tmp_path, policy(tools=limited))
    model = scripted(call("look", {"x": 9}), say('{"city": "Oslo"}'))
    agent = agent_of(model, **looking(tool_use_behavior=behaviour))
    result = go(desk, agent, is_streamed=is_streamed)
    assert result.final_output == Weather(city="Oslo")
    assert "3" in outputs(result)[0]


def test_after_arguments_that_cannot_be_read_it_may_answer_too(tmp_path):
    desk = desk_of(tmp_path, policy())
    model = scripted(call("look", "[1]"), say('{"city": "Oslo"}'))
    agent = agent_of(model, **looking(tool_use_behavior="stop_on_first_tool"))
    assert desk.run(agent).final_output == Weather(city="Oslo")


def test_after_a_denial_behind_a_tool_it_may_answer_too(tmp_path):
    desk = desk_of(tmp_path, policy(DENY))
    inner = Agent(name="inner", model=scripted(say("FORBIDDEN")))
    agent = agent_of(
        scripted(call("ask", {"input": "x"}), say('{"city": "Oslo"}')),
        tools=[inner.as_tool("ask", "asks")],
        output_type=Weather,
        tool_use_behavior="stop_on_first_tool",
    )
    assert desk.run(agent).final_output == Weather(city="Oslo")


def test_a_permitted_output_of_a_type_ends_the_run_as_it_is(tmp_path):
    desk = desk_of(tmp_path, policy(DENY, REDACT))
    model = scripted(call("look", {"x": 1}), call("look", {"x": 1}))
    agent = agent_of(model, **looking("Oslo", tool_use_behavior="stop_on_first_tool"))
    assert desk.run(agent).final_output == Weather(city="Oslo")
    agent = agent_of(model, **looking("Rome", tool_use_behavior="stop_on_first_tool"))
    assert desk.run(agent).final_output == Weather(city="<TERM>")


def test_a_text_that_is_denied_is_told_where_a_text_was_promised(tmp_path):
    desk = desk_of(tmp_path, policy(DENY))
    settings = {**looking(tool_use_behavior="stop_on_first_tool"), "output_type": str}
    result = desk.run(agent_of(scripted(call("look", {"x": 1})), **settings))
    assert result.final_output == "Not that word."


def test_an_output_of_a_type_that_cannot_be_judged_is_refused(tmp_path):
    @function_tool
    def look() -> object:
        return object()

    desk = desk_of(tmp_path, policy(DENY))

    def odd(context, results):
        return ToolsToFinalOutputResult(is_final_output=True, final_output=object())

    agent = agent_of(
        scripted(call("look")), tools=[look], output_type=Weather, tool_use_behavior=odd
    )
    with pytest.raises(Denied, match="no JSON form"):
        desk.run(agent)


def notes(error):
    return "\n".join(error.__notes__)


@streamed
def test_a_redaction_that_breaks_a_type_says_which_rule_and_what_to_do(tmp_path, is_streamed):
    desk = desk_of(tmp_path, policy(REDACT))
    agent = agent_of(scripted(say('{"city": "Rome"}')), output_type=Short)
    with pytest.raises(Denied, match="would not fit its output type") as caught:
        go(desk, agent, is_streamed=is_streamed)
    assert (
        'p0/hide: what it puts in place does not fit the output type "Short": give it a '
        "replacement that fits, or let it deny"
    ) in notes(caught.value)
    assert ("model_response", None, "deny") in desk.decisions()
    if is_streamed:
        assert told(desk) == []


@streamed
def test_a_redaction_that_fits_the_type_is_made(tmp_path, is_streamed):
    desk = desk_of(tmp_path, policy({**REDACT, "replacement": "Town"}))
    agent = agent_of(scripted(say('{"city": "Rome"}')), output_type=Short)
    assert go(desk, agent, is_streamed=is_streamed).final_output == Short(city="Town")


def test_what_was_of_no_type_before_it_was_redacted_is_the_handlers(tmp_path):
    desk = desk_of(tmp_path, policy(REDACT))
    agent = agent_of(scripted(say("Rome")), output_type=Short)
    handlers = {"invalid_final_output": lambda data: {"city": "Oslo"}}
    assert desk.run(agent, error_handlers=handlers).final_output == Short(city="Oslo")


def test_what_is_said_beside_a_call_need_not_fit(tmp_path):
    desk = desk_of(tmp_path, policy(REDACT))
    model = scripted(call("look", {"x": 1}, text='{"city": "Rome"}'), say('{"city": "Oslo"}'))
    agent = agent_of(model, **looking("Oslo", Short))
    assert desk.run(agent).final_output == Short(city="Oslo")


def test_a_tools_output_that_cannot_be_redacted_and_fit_is_refused(tmp_path):
    class Town(Enum):
        ROME = "Rome"

    class Trip(BaseModel):
        town: Town

    @function_tool
    def plan() -> Trip:
        return Trip(town=Town.ROME)

    desk = desk_of(tmp_path, policy(REDACT))
    behaviour = "stop_on_first_tool"
    agent = agent_of(
        scripted(call("plan")), tools=[plan], output_type=Trip, tool_use_behavior=behaviour
    )
    with pytest.raises(Denied, match="would not fit its output type") as caught:
        desk.run(agent)
    assert 'p0/hide: what it puts in place does not fit the output type "Trip"' in notes(
        caught.value
    )
    assert ("output", None, "deny") in desk.decisions()


# Hooks


class Counting(AgentHooks):
    def __init__(self):
        self.count = 0
        self.ends = []

    async def on_end(self, context, agent, output):
        self.count += 1
        self.ends.append(output)


def test_hooks_of_an_agent_keep_what_they_have(tmp_path):
    desk, hooks = desk_of(tmp_path, policy()), Counting()
    agent = agent_of(scripted(say("one"), say("two")), hooks=hooks)
    guarded = guard_agent(agent, desk.guard)
    desk.run(agent)
    assert guarded.hooks.count == hooks.count == 1
    guarded.hooks.count = 5
    assert hooks.count == 5
    assert guarded.hooks.ends == ["one"]
    with pytest.raises(AttributeError, match="other"):
        _ = guarded.hooks.other


def test_an_agent_without_hooks_of_its_own_has_nothing_besides(tmp_path):
    guarded = guard_agent(agent_of(scripted()), desk_of(tmp_path, policy()).guard)
    with pytest.raises(AttributeError, match="count"):
        _ = guarded.hooks.count
