"""Streams of responses that were changed: what may be handed on is, and nothing else."""

import asyncio
import itertools
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from agents import (
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
)
from agents.testing import ModelStep, assistant_message, function_call
from hypothesis import given, settings
from hypothesis import strategies as st
from openai import AsyncOpenAI
from openai.types.responses import (
    Response,
    ResponseAudioTranscriptDeltaEvent,
    ResponseCompletedEvent,
    ResponseCreatedEvent,
    ResponseCustomToolCall,
    ResponseOutputRefusal,
    ResponseReasoningItem,
)
from openai_desk import agent_of, desk_of, scripted

from policy_engine.adapters.openai_agents import guard_agent
from policy_engine.adapters.openai_agents.retold import retold
from policy_engine.adapters.openai_agents.telling import telling
from policy_engine.guard import Denied

WORD = "hunter2"
CHECK = {"check": {"terms": {"any": [WORD]}}, "effect": "redact"}
POLICY = {
    "tools": {"*": "allow"},
    "output": [{"id": "said", **CHECK}],
    "rules": [{"id": "asked", "tools": ["*"], **CHECK}],
}
BUDGET = {"limits": [{"id": "tok", "of": "tokens", "max": 100000, "by": ["session"]}]}


@function_tool
def note(text: str = "") -> str:
    """Note a text."""
    return "noted"


def raw(events):
    """Return what a model streamed, as the caller got it."""
    return [event.data for event in events if event.type == "raw_response_event"]


def kinds(events):
    return [event.type.removeprefix("response.") for event in events]


def said(events, kind):
    """Return the text of each item, put together from its pieces."""
    found = {}
    for event in events:
        if event.type == f"response.{kind}.delta":
            found[event.output_index] = found.get(event.output_index, "") + event.delta
    return found


# Any response


def thought(text, number):
    told = {"id": f"rs_{number}", "type": "reasoning", "summary": [{"type": "summary_text"}]}
    told["summary"][0]["text"] = text
    return ResponseReasoningItem.model_validate(told)


def refused(text, number):
    part = ResponseOutputRefusal(type="refusal", refusal=text)
    return assistant_message("").model_copy(update={"id": f"m_{number}", "content": [part]})


def told(text, number):
    return assistant_message(text).model_copy(update={"id": f"m_{number}"})


def asked(text, number):
    args = json.dumps({"text": text}) if text else ""
    call = function_call("note", args, call_id="call_0")
    return call.model_copy(update={"id": f"fc_{number}"})


WORDS = st.lists(st.sampled_from([WORD, "my", "hun", "ter2", "is"]), max_size=6).map(" ".join)
ITEMS = st.lists(st.tuples(st.sampled_from([thought, told, asked]), WORDS), min_size=1, max_size=5)


def stream_of(items, sizes):
    """Return the events of a response: items side by side, their texts in pieces of these sizes."""
    whole = Response.model_construct(
        id="r", created_at=1, model="m", object="response", output=[], usage=None
    )
    rows = [list(chunked(telling(index, item), sizes)) for index, item in enumerate(items)]
    events = [ResponseCreatedEvent(type="response.created", sequence_number=0, response=whole)]
    events += [event for row in itertools.zip_longest(*rows) for event in row if event is not None]
    ended = whole.model_copy(update={"output": list(items)})
    events.append(
        ResponseCompletedEvent.model_construct(
            type="response.completed", sequence_number=0, response=ended
        )
    )
    return [
        event.model_copy(update={"sequence_number": number}) for number, event in enumerate(events)
    ]


def chunked(events, sizes):
    sizes = itertools.cycle(sizes)
    for event in events:
        if not event.type.endswith(".delta"):
            yield event
            continue
        text = event.delta
        while text:
            size = next(sizes)
            yield event.model_copy(update={"delta": text[:size]})
            text = text[size:]


def streamed(desk, agent, config):
    """Run an agent; return what was streamed of its first response."""
    _, events = desk.stream(agent, config=config)
    found = raw(events)
    return found[: 1 + kinds(found).index("completed")]


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    return desk_of(tmp_path_factory.mktemp("streams"), POLICY)


SESSIONS = itertools.count()


@settings(max_examples=60, deadline=None)
@given(made=ITEMS, sizes=st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_pieces_add_up_to_what_may_be_said_and_nothing_else_leaves(desk, made, sizes):
    items = [kind(text, number) for number, (kind, text) in enumerate(made)]
    events = stream_of(items, sizes)

    async def stream(_):
        for event in events:
            yield event

    agent = agent_of(scripted(ModelStep.stream(stream), [assistant_message("end")]), tools=[note])
    found = streamed(desk, agent, desk.config(session=f"s{next(SESSIONS)}"))
    assert not [event for event in found if WORD in repr(event)]
    numbers = [event.sequence_number for event in found]
    assert numbers == sorted(set(numbers))
    output = found[-1].response.output
    assert len({item.call_id for item in output if item.type == "function_call"}) == sum(
        kind is asked for kind, _ in made
    )
    told_at = {
        told: said(found, "output_text"),
        thought: said(found, "reasoning_summary_text"),
        asked: said(found, "function_call_arguments"),
    }
    for index, (kind, text) in enumerate(made):
        left = text.replace(WORD, "<TERM>")
        got = told_at[kind].get(index, "")
        assert (json.loads(got).get("text", "") if kind is asked else got) == left
        mine = [event for event in found if getattr(event, "output_index", None) == index]
        assert kinds(mine)[0] == "output_item.added"
        assert kinds(mine)[-1] == "output_item.done"
        assert mine[-1].item == output[index]
        came = [event for event in events if getattr(event, "output_index", None) == index]
        if kind is not asked and text == left:
            same = {"sequence_number": 0}
            assert [event.model_copy(update=same) for event in mine] == [
                event.model_copy(update=same) for event in came
            ]
    calls = [text for kind, text in made if kind is asked]
    if WORD not in repr(events) and len(calls) < 2 and "" not in calls:
        assert all(one is other for one, other in zip(found, events, strict=True))


# What may stand in events beside


def events_of(items, *more):
    first, *rest = stream_of(items, [4])
    return [first, *more, *rest]


def changed(items, judged, *more):
    events = events_of(items, *more)
    return retold(events, events[-1], items, judged)


def odd(**fields):
    return ResponseAudioTranscriptDeltaEvent.model_construct(
        type="response.brand_new.delta", sequence_number=0, **fields
    )


@pytest.mark.parametrize(
    "more",
    [
        odd(delta=WORD),
        odd(text=WORD, output_index=0),
        odd(text=WORD, output_index=1),
        odd(text=WORD, output_index=9),
        {"type": "odd", "text": WORD},
        ResponseCreatedEvent.model_construct(
            type="response.queued",
            note=WORD,
            sequence_number=0,
            response=Response.model_construct(
                id="r", output=[told(WORD, 0)], output_text=f"it is {WORD}", usage=None
            ),
        ),
    ],
    ids=["no index", "changed item", "unchanged item", "no such item", "a mapping", "a response"],
)
def test_no_other_event_says_what_was_redacted(more):
    # The second item holds the word within another one, which no rule is about.
    items = [told(f"my {WORD}", 0), thought("fine", 1), told(f"{WORD}x", 2)]
    judged = [told("my <TERM>", 0), *items[1:]]
    found = changed(items, judged, more)
    assert said(found, "output_text") == {0: "my <TERM>", 2: f"{WORD}x"}
    assert said(found, "reasoning_summary_text") == {1: "fine"}
    assert WORD not in repr(found).replace(f"{WORD}x", "")


def test_an_event_that_says_more_takes_no_other_with_it():
    items = [told("hello world", 0)]
    events = events_of(items, odd(delta=WORD))
    found = retold(events, events[-1], items, items)
    assert found == [event for event in events if "brand_new" not in event.type]
    assert kinds(found).count("output_text.delta") == 3


def test_a_response_that_says_its_text_once_more_says_it_redacted():
    items = [told(WORD, 0)]
    events = events_of(items)
    last = events[-1].response
    last = Response.model_construct(**{**vars(last), "output_text": WORD})
    events[-1] = events[-1].model_copy(update={"response": last})
    found = retold(events, events[-1], items, [told("<TERM>", 0)])
    assert WORD not in repr(found)
    events = events_of([told("fine", 0)])
    last = Response.model_construct(**{**vars(events[-1].response), "output_text": WORD})
    events[-1] = events[-1].model_copy(update={"response": last})
    items = [told("fine", 0)]
    found = retold(events, events[-1], items, items)
    assert WORD not in repr(found)
    assert said(found, "output_text") == {0: "fine"}


def test_pieces_that_the_end_does_not_repeat_are_told_as_it_does():
    items = [told("fine", 0), told("other", 1)]
    events = events_of(items)
    events = [
        event.model_copy(update={"delta": WORD}) if getattr(event, "delta", "") == "fine" else event
        for event in events
    ]
    found = retold(events, events[-1], items, items)
    assert WORD not in repr(found)
    assert said(found, "output_text") == {0: "fine", 1: "other"}


def test_a_refusal_is_told_anew_too():
    found = changed([refused(f"No {WORD}", 0)], [refused("No <TERM>", 0)])
    assert said(found, "refusal") == {0: "No <TERM>"}
    assert WORD not in repr(found)


def test_a_thought_in_full_and_parts_of_new_kinds_are_told_as_they_are():
    old = thought("fine", 0)
    content = [{"type": "reasoning_text", "text": WORD}, {"type": "reasoning_text", "text": ""}]
    old = ResponseReasoningItem.model_validate({**old.model_dump(), "content": content})
    new = old.model_dump()
    new["content"][0]["text"] = "<TERM>"
    found = changed([old], [ResponseReasoningItem.model_validate(new)])
    assert said(found, "reasoning_text") == {0: "<TERM>"}
    assert said(found, "reasoning_summary_text") == {0: "fine"}
    assert kinds(found).count("reasoning_text.done") == 2
    part = old.content[0].model_copy(update={"type": "brand_new"})
    item = told("", 0).model_copy(update={"content": [part]})
    assert kinds(telling(0, item)) == ["output_item.added", "output_item.done"]


def test_what_a_client_parsed_of_a_redacted_text_is_not_handed_on():
    items = [told(WORD, 0)]
    events = events_of(items)
    last = events[-1].response
    parsed = Response.model_construct(**{**vars(last), "output_parsed": {"text": WORD}})
    events[-1] = events[-1].model_copy(update={"response": parsed})
    found = retold(events, events[-1], items, [told("<TERM>", 0)])
    assert WORD not in repr(found)
    assert found[-1].response.output_parsed is None


def test_items_that_no_event_told_are_told_before_the_end():
    items, judged = [told(WORD, 0), told("b", 1)], [told("<TERM>", 0), told("b", 1)]
    last = stream_of(items, [4])[-1]
    found = retold([last], last, items, judged)
    assert said(found, "output_text") == {0: "<TERM>"}
    assert kinds(found)[-1] == "completed"


def test_items_of_other_kinds_begin_and_are_done():
    call = ResponseCustomToolCall(
        type="custom_tool_call", id="ct", call_id="c", name="q", input=WORD
    )
    found = changed([call], [call.model_copy(update={"input": "<TERM>"})])
    assert said(found, "custom_tool_call_input") == {0: "<TERM>"}
    assert WORD not in repr(found)
    item = {"type": "brand_new", "text": "x"}
    assert kinds(telling(0, item)) == ["output_item.added", "output_item.done"]


@pytest.mark.parametrize("item_id", ["fc_0", "call_0"])
def test_a_new_id_of_a_call_stands_wherever_the_old_one_stood(item_id):
    old = asked("x", 0)
    new = old.model_copy(update={"call_id": "call_new"})
    events = events_of([old], odd(call_id="call_0", output_index=0))
    events = [
        event.model_copy(update={"item_id": item_id}) if hasattr(event, "item_id") else event
        for event in events
    ]
    found = retold(events, events[-1], [old], [new])
    assert len(found) == len(events)
    assert "call_0" not in repr(found)
    assert said(found, "function_call_arguments") == said(events, "function_call_arguments")
    assert all(event.item.id == "fc_0" for event in found if hasattr(event, "item"))


def test_events_at_wrong_positions_are_told_by_what_they_name():
    items = [told("one", 0), asked("x", 1)]
    new = [items[0], items[1].model_copy(update={"call_id": "call_new"})]
    events = [
        event.model_copy(update={"output_index": 7}) if hasattr(event, "output_index") else event
        for event in events_of(items)
    ]
    found = retold(events, events[-1], items, new)
    assert len(found) == len(events)
    assert "call_0" not in repr(found)


def test_a_call_that_cannot_be_told_from_another_is_told_anew():
    items = [asked("x", 0), asked("x", 0)]
    new = [items[0], items[1].model_copy(update={"call_id": "call_new"})]
    events = [
        event.model_copy(update={"output_index": 7}) if hasattr(event, "output_index") else event
        for event in events_of(items)
    ]
    found = retold(events, events[-1], items, new)
    done = [event.item.call_id for event in found if event.type == "response.output_item.done"]
    assert done == ["call_new"]
    assert found[-1].response.output == new


# Over HTTP, with the SDK's own models


class _Streaming(BaseHTTPRequestHandler):
    """Answers with one stream after the other."""

    def log_message(self, *args): ...

    def do_POST(self):
        asked = self.rfile.read(int(self.headers["content-length"]))
        self.server.asked.append(json.loads(asked))
        lines = [f"data: {json.dumps(event)}\n\n" for event in self.server.streams.pop(0)]
        body = "".join([*lines, "data: [DONE]\n\n"]).encode()
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def api(loopback):
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Streaming)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def chunk(delta, finish=None, **more):
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    head = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "small"}
    return {**head, "choices": [choice], **more}


def chat(*deltas, usage=None):
    """Return the chunks of a chat completion."""
    calls = any("tool_calls" in delta for delta in deltas)
    start = chunk({"role": "assistant", "content": ""})
    end = chunk({}, "tool_calls" if calls else "stop")
    if usage is None:
        return [start, *map(chunk, deltas), end]
    told = {"prompt_tokens": usage, "completion_tokens": 1, "total_tokens": usage + 1}
    return [start, *map(chunk, deltas), end, {**chunk({}), "choices": [], "usage": told}]


def chat_call(args, call_id="call_0"):
    function = {"name": "note", "arguments": args}
    return {"tool_calls": [{"index": 0, "id": call_id, "type": "function", "function": function}]}


def over(api, desk, kind, *streams, runs=1, model_settings=None):
    """Run an agent over HTTP; return what its model streamed, as the caller got it."""
    api.streams = list(streams)
    found = []

    async def go():
        client = AsyncOpenAI(
            api_key="none", base_url=f"http://127.0.0.1:{api.server_port}/v1", max_retries=0
        )
        made = OpenAIChatCompletionsModel if kind == "chat" else OpenAIResponsesModel
        agent = agent_of(
            made("small", client),
            tools=[note],
            model_settings=model_settings or ModelSettings(),
        )
        guarded = guard_agent(agent, desk.guard)
        try:
            for number in range(runs):
                running = Runner.run_streamed(
                    guarded, f"hello {number}", run_config=desk.config(session="over")
                )
                async for event in running.stream_events():
                    found.append(event)  # noqa: PERF401 - what came before an error counts
        finally:
            await client.close()

    asyncio.run(go())
    return raw(found)


CALLED = [
    "created",
    "output_item.added",
    "function_call_arguments.delta",
    "output_item.done",
    "completed",
]


def test_a_server_that_counts_its_calls_from_0_keeps_its_events(tmp_path, api):
    streams = [chat(chat_call(json.dumps({"text": text}))) for text in ("a", "b")]
    found = over(api, desk_of(tmp_path, POLICY), "chat", *streams, chat({"content": "end"}))
    assert kinds(found)[: 2 * len(CALLED)] == CALLED * 2
    first, second = found[: len(CALLED)], found[len(CALLED) : 2 * len(CALLED)]
    ids = [
        {event.item.call_id for event in events if hasattr(event, "item")}
        | {item.call_id for item in events[-1].response.output}
        for events in (first, second)
    ]
    assert ids[0] == {"call_0"}
    assert len(ids[1]) == 1
    assert ids[1] != ids[0]
    assert said(second, "function_call_arguments") == {0: '{"text": "b"}'}
    told = [one["tool_call_id"] for one in api.asked[-1]["messages"] if one["role"] == "tool"]
    assert told == [*ids[0], *ids[1]]


def test_a_call_without_arguments_keeps_its_events_and_the_text_beside_it(tmp_path, api):
    text = [{"content": "let "}, {"content": "me"}]
    stream = chat(*text, chat_call(""))
    found = over(api, desk_of(tmp_path, POLICY), "chat", stream, chat({"content": "end"}))
    first = found[: 1 + kinds(found).index("completed")]
    assert [event.delta for event in first if event.type == "response.output_text.delta"] == [
        "let ",
        "me",
    ]
    assert said(first, "function_call_arguments") == {1: "{}"}
    done = [event.item.type for event in first if event.type == "response.output_item.done"]
    assert sorted(done) == ["function_call", "message"]
    assert kinds(first)[0] == "created"


def test_a_redacted_call_leaves_the_text_beside_it_as_it_streamed(tmp_path, api):
    text = [{"content": "let "}, {"content": "me"}]
    stream = chat(*text, chat_call(json.dumps({"text": WORD})))
    found = over(api, desk_of(tmp_path, POLICY), "chat", stream, chat({"content": "end"}))
    assert kinds(found)[: kinds(found).index("completed")].count("output_text.delta") == 2
    assert WORD not in repr(found)
    assert json.loads(said(found, "function_call_arguments")[1]) == {"text": "<TERM>"}


def wire(items):
    """Return the events of a stream of the Responses API."""
    extra = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "status": "completed"}
    found = [event.model_dump(mode="json", warnings=False) for event in stream_of(items, [3])]
    for event in found:
        if "response" in event:
            event["response"] |= extra
    return found


def test_the_responses_api_keeps_its_events_too(tmp_path, api):
    first = wire([told("let me see", 0), asked("a", 1)])
    odd = {"type": "response.brand_new.delta", "delta": WORD, "sequence_number": 1}
    second = wire([told("and again", 2), asked("b", 3)])
    second.insert(1, odd)
    end = wire([told(f"It is {WORD}.", 4)])
    found = over(api, desk_of(tmp_path, POLICY), "responses", first, second, end)
    names = [event["type"] for event in (*first, *second)]
    names.remove(odd["type"])
    assert [event.type for event in found[: len(names)]] == names
    assert WORD not in repr(found)
    rest = found[len(names) :]
    assert said(rest, "output_text") == {0: "It is <TERM>."}
    ids = [
        event.item.call_id
        for event in found
        if getattr(event, "item", told("", 0)).type != "message"
    ]
    assert len(set(ids)) == 2
    assert ids[0] == ids[1]
    assert ids[2] == ids[3]


# Usage that a stream reports where it is asked to


def reporting(tmp_path, api, *policies, usage=7, **settings):
    streams = [chat({"content": "one"}, usage=usage), chat({"content": "two"}, usage=usage)]
    model_settings = ModelSettings(**settings)
    over(api, desk_of(tmp_path, *policies), "chat", *streams, runs=2, model_settings=model_settings)
    return [asked.get("stream_options") for asked in api.asked]


def test_a_stream_is_asked_for_its_usage_where_a_budget_waits_for_it(tmp_path, api):
    assert reporting(tmp_path, api, POLICY, BUDGET) == [{"include_usage": True}] * 2


def test_a_stream_is_asked_for_nothing_where_no_budget_waits_for_it(tmp_path, api):
    limit = {"id": "turns", "stage": "model_request", "max": 9, "by": ["session"]}
    assert reporting(tmp_path, api, POLICY, {"limits": [limit]}) == [None] * 2


def test_an_application_that_wants_no_usage_is_not_asked_for_it(tmp_path, api):
    asked = reporting(tmp_path, api, POLICY, BUDGET, include_usage=False)
    assert asked == [{"include_usage": False}] * 2


def test_usage_that_nobody_reported_is_said_to_be_missing(tmp_path, api):
    desk = desk_of(tmp_path, POLICY, BUDGET)
    streams = [chat({"content": "one"}), chat({"content": "two"})]
    with pytest.raises(Denied) as caught:
        over(api, desk, "chat", *streams, runs=2)
    message = 'The limit "p1/tok" waits for the usage of an earlier call: '
    message += "have the provider report it, or tell it with guard.record_usage(…)."
    assert str(caught.value) == message
    assert "include_usage=True" in "".join(caught.value.__notes__)
    with desk.guard.session("over", agent="triage", principal={"id": "u1", "roles": ["support"]}):
        desk.guard.record_usage(model="small", input_tokens=5, output_tokens=1)
    assert over(api, desk, "chat", chat({"content": "two"}, usage=3))
