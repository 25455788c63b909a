"""Tools of the provider's, and all else that a response holds: judged before anything leaves."""

import asyncio
import json
from dataclasses import dataclass

import pytest
from agents import (
    CodeInterpreterTool,
    FileSearchTool,
    HostedMCPTool,
    ImageGenerationTool,
    ModelSettings,
    Runner,
    ShellTool,
    WebSearchTool,
)
from agents.testing import ModelStep, assistant_message
from openai.types.responses import (
    Response,
    ResponseAudioTranscriptDeltaEvent,
    ResponseCodeInterpreterToolCall,
    ResponseCompletedEvent,
    ResponseCreatedEvent,
    ResponseFileSearchToolCall,
    ResponseFunctionShellToolCall,
    ResponseFunctionShellToolCallOutput,
    ResponseFunctionWebSearch,
    ResponseIncompleteEvent,
    ResponseOutputItemAddedEvent,
    ResponseOutputItemDoneEvent,
    ResponseOutputMessage,
    ResponseReasoningItem,
    ResponseToolSearchCall,
    ResponseToolSearchOutputItem,
)
from openai.types.responses.response_output_item import (
    ImageGenerationCall,
    McpApprovalRequest,
    McpCall,
    McpListTools,
)
from openai_desk import agent_of, call, desk_of, say, scripted

from policy_engine.adapters.openai_agents import UnmediatedError, guard_agent
from policy_engine.adapters.openai_agents.streamed import unrepeated
from policy_engine.adapters.openai_agents.texts import parts_of_output, with_parts
from policy_engine.guard import Denied

DENY = {
    "id": "secret",
    "check": {"terms": {"any": ["hunter2"]}},
    "effect": "deny",
    "message": "That is secret.",
}
REDACT = {"id": "names", "check": {"terms": {"any": ["hunter2"]}}, "effect": "redact"}
NAMES = ["web_search", "file_search", "code_interpreter", "image_generation", "shell"]
OPEN = {"tools": {**dict.fromkeys(NAMES, "allow"), "far/*": "allow"}}
SHOWN = ModelSettings(response_include=["code_interpreter_call.outputs"])


def tools():
    config = {"type": "mcp", "server_label": "far", "server_url": "https://far.example/mcp"}
    return [
        WebSearchTool(),
        FileSearchTool(vector_store_ids=["v"], include_search_results=True),
        CodeInterpreterTool(
            tool_config={"type": "code_interpreter", "container": {"type": "auto"}}
        ),
        ImageGenerationTool(tool_config={"type": "image_generation"}),
        ShellTool(environment={"type": "container_auto"}),
        HostedMCPTool(tool_config={**config, "require_approval": "never"}),
    ]


# What stands in a response


def coded(code="1 + 1", logs=None):
    outputs = None if logs is None else [{"type": "logs", "logs": logs}]
    item = {"id": "ci", "type": "code_interpreter_call", "status": "completed"}
    told = {"code": code, "container_id": "c", "outputs": outputs}
    return ResponseCodeInterpreterToolCall.model_validate({**item, **told})


def filed(query="x", **found):
    item = {"id": "fs", "type": "file_search_call", "status": "completed", "queries": [query]}
    results = [{"file_id": "f", "score": 0.5, **found}] if found else None
    return ResponseFileSearchToolCall.model_validate({**item, "results": results})


def searched(**action):
    item = {"id": "ws", "type": "web_search_call", "status": "completed"}
    return ResponseFunctionWebSearch.model_validate({**item, "action": action})


def drawn(prompt, result=None):
    item = {"id": "ig", "type": "image_generation_call", "status": "completed"}
    told = {"revised_prompt": prompt, "result": result}
    return ImageGenerationCall.model_validate({**item, **told})


def called(output=None, *, asked=None, error=None, name="read"):
    told = {"arguments": "{}", "output": output, "approval_request_id": asked}
    item = McpCall.model_validate(
        {"id": "mc", "type": "mcp_call", "name": name, "server_label": "far", **told}
    )
    return item if error is None else item.model_copy(update={"error": error})


def ran(command="ls", **output):
    call_id = {"id": "sh", "call_id": "s1", "status": "completed"}
    told = [{"outcome": {"type": "exit", "exit_code": 0}, "stdout": "", "stderr": "", **output}]
    return [
        ResponseFunctionShellToolCall.model_validate(
            {**call_id, "type": "shell_call", "action": {"commands": [command]}}
        ),
        ResponseFunctionShellToolCallOutput.model_validate(
            {**call_id, "type": "shell_call_output", "output": told}
        ),
    ]


def listed(description, schema=None):
    tool = {"name": "read", "description": description, "input_schema": schema or {}}
    item = {"id": "ml", "type": "mcp_list_tools", "server_label": "far", "tools": [tool]}
    return McpListTools.model_validate(item)


def cited(text="ok", **annotation):
    content = [{"type": "output_text", "text": text, "annotations": [annotation]}]
    item = {"id": "m", "type": "message", "role": "assistant", "status": "completed"}
    return ResponseOutputMessage.model_validate({**item, "content": content})


def refused(text):
    content = [{"type": "refusal", "refusal": text}]
    item = {"id": "m", "type": "message", "role": "assistant", "status": "completed"}
    return ResponseOutputMessage.model_validate({**item, "content": content})


def thought(text):
    summary = [{"type": "summary_text", "text": text}]
    return ResponseReasoningItem.model_validate(
        {"id": "r", "type": "reasoning", "summary": summary}
    )


LINK = {"type": "url_citation", "start_index": 0, "end_index": 1}
FILE = {"type": "file_citation", "file_id": "f", "index": 0}
INNER = {"type": "container_file_citation", "container_id": "c", "file_id": "f"}

SAID = {
    "code": [coded("print('hunter2')")],
    "the query of a search of files": [filed("where is hunter2")],
    "the query of a search of the web": [searched(type="search", query="hunter2")],
    "the queries of a search of the web": [searched(type="search", queries=["a", "hunter2"])],
    "the address of a page": [searched(type="open_page", url="https://x.example/hunter2")],
    "what is looked for in a page": [
        searched(type="find_in_page", url="https://x.example", pattern="hunter2")
    ],
    "the prompt of an image": [drawn("a hunter2")],
    "a command of a hosted shell": ran("echo hunter2"),
    "the title of a cited page": [cited(**LINK, title="on hunter2", url="https://x.example")],
    "the address of a cited page": [cited(**LINK, title="x", url="https://x.example/hunter2")],
    "the name of a cited file": [cited(**FILE, filename="hunter2.txt")],
    "the name of a file of code": [
        cited(**INNER, start_index=0, end_index=1, filename="hunter2.txt")
    ],
    "a refusal": [refused("I do not say hunter2")],
    "a thought": [thought("so hunter2 it is")],
    "a tool of a hosted server": [listed("reads hunter2")],
    "the schema of such a tool": [listed("x", {"properties": {"a": {"title": "hunter2"}}})],
}
"""What the model says, in all the places where it can be read."""

RETURNED = {
    "logs": ("code_interpreter", [coded(logs="is hunter2")]),
    "the text of a file": ("file_search", [filed(text="is hunter2", filename="a.txt")]),
    "the name of a file": ("file_search", [filed(text="x", filename="hunter2.txt")]),
    "an attribute of a file": ("file_search", [filed(attributes={"by": "hunter2"})]),
    "what a hosted server returned": ("far/read", [called("is hunter2")]),
    "what an approved call returned": ("far/read", [called("is hunter2", asked="mcpr_1")]),
    "an error of a hosted server": ("far/read", [called(error="no hunter2")]),
    "what a hosted shell printed": ("shell", ran(stdout="is hunter2")),
    "the errors of a hosted shell": ("shell", ran(stderr="is hunter2")),
}
"""What tools of the provider's brought back."""

EVENTS = {
    "code_interpreter_call": ("response.code_interpreter_call_code.delta", "code"),
    "mcp_call": ("response.mcp_call_arguments.delta", "arguments"),
}


def streaming(items):
    """Return a model's step that streams items as the provider does, and ends with all of them."""

    async def events(asked):
        number = iter(range(1000))
        empty = Response.model_construct(
            id="r", created_at=1, model="m", object="response", output=[], usage=None
        )
        yield ResponseCreatedEvent.model_construct(
            type="response.created", sequence_number=next(number), response=empty
        )
        for index, item in enumerate(items):
            fields = {"output_index": index, "item_id": item.id}
            yield ResponseOutputItemAddedEvent.model_construct(
                type="response.output_item.added",
                sequence_number=next(number),
                output_index=index,
                item=type(item).model_construct(id=item.id, type=item.type, status="in_progress"),
            )
            if item.type in EVENTS:
                kind, name = EVENTS[item.type]
                for piece in getattr(item, name).partition("ter"):
                    yield ResponseAudioTranscriptDeltaEvent.model_construct(
                        type=kind, sequence_number=next(number), delta=piece, **fields
                    )
            yield ResponseOutputItemDoneEvent.model_construct(
                type="response.output_item.done",
                sequence_number=next(number),
                output_index=index,
                item=item,
            )
        whole = empty.model_copy(update={"output": list(items)})
        yield ResponseCompletedEvent.model_construct(
            type="response.completed", sequence_number=next(number), response=whole
        )

    return ModelStep.stream(events)


STREAMED = pytest.mark.parametrize("streamed", [False, True], ids=["at once", "streamed"])


def ran_with(desk, items, *, streamed):
    """Run an agent whose model says these items; return what the caller gets to see."""
    items = [*items, assistant_message("done")]
    step = streaming(items) if streamed else items
    agent = agent_of(scripted(step), tools=tools(), model_settings=SHOWN)
    desk.events = []
    if streamed:
        result, events = desk.stream(agent)
        return repr((result.new_items, result.final_output, result.raw_responses, events))
    result = desk.run(agent)
    return repr((result.new_items, result.final_output, result.raw_responses))


@STREAMED
@pytest.mark.parametrize("place", SAID)
def test_nothing_that_a_model_says_leaves_where_a_rule_denies_it(tmp_path, place, streamed):
    desk = desk_of(tmp_path, OPEN, {"output": [DENY]})
    with pytest.raises(Denied) as caught:
        ran_with(desk, SAID[place], streamed=streamed)
    assert caught.value.message == "That is secret."
    assert caught.value.decision.asked.stage == "model_response"
    assert "hunter2" not in repr(desk.events)


@STREAMED
@pytest.mark.parametrize("place", SAID)
def test_what_a_model_says_is_redacted_wherever_it_stands(tmp_path, place, streamed):
    desk = desk_of(tmp_path, OPEN, {"output": [REDACT]})
    seen = ran_with(desk, SAID[place], streamed=streamed)
    assert "hunter2" not in seen
    assert "<TERM>" in seen
    assert "redact" in {effect for _, _, effect in desk.decisions("model_response")}


@STREAMED
@pytest.mark.parametrize("place", RETURNED)
@pytest.mark.parametrize("by", ["the rules of the result", "the rules of the output"])
def test_what_a_tool_of_the_provider_returned_is_judged(tmp_path, place, by, streamed):
    name, items = RETURNED[place]
    for rule in (DENY, REDACT):
        judged = (
            {"tools": {name: {"result": [rule]}}} if by.endswith("result") else {"output": [rule]}
        )
        desk = desk_of(tmp_path, OPEN, judged)
        if rule is DENY:
            with pytest.raises(Denied, match="That is secret"):
                ran_with(desk, items, streamed=streamed)
            assert "hunter2" not in repr(desk.events)
        else:
            seen = ran_with(desk, items, streamed=streamed)
            assert "hunter2" not in seen
            assert "<TERM>" in seen
        if by.endswith("result"):
            assert ("tool_result", name, rule["effect"]) in desk.decisions()


@STREAMED
def test_what_no_rule_speaks_of_is_handed_on_as_it_came(tmp_path, streamed):
    desk = desk_of(tmp_path, OPEN, {"output": [DENY]})
    items = [
        coded("print('plain text')", logs="plain text"),
        filed("plain", text="plain text"),
        searched(type="search", query="plain"),
        called("plain text"),
        cited(**LINK, title="plain", url="https://x.example"),
        thought("plain"),
    ]
    seen = ran_with(desk, items, streamed=streamed)
    assert "plain text" in seen
    if streamed:
        kinds = [e.data.type for e in desk.events if e.type == "raw_response_event"]
        assert "response.code_interpreter_call_code.delta" in kinds
        assert kinds.count("response.output_item.done") == len(items) + 1


def test_results_that_escape_what_they_say_are_judged_as_they_read(tmp_path):
    told = json.dumps({"page": "is hunter2"}).replace("hunter2", r"\u0068unter2")
    judged = {"tools": {"far/read": {"result": [REDACT]}}}
    desk = desk_of(tmp_path, OPEN, judged)
    seen = ran_with(desk, [called(told)], streamed=False)
    assert "unter2" not in seen
    assert '{"page": "is <TERM>"}' in seen
    desk = desk_of(tmp_path, OPEN, {"tools": {"far/read": {"result": [DENY]}}})
    with pytest.raises(Denied, match="That is secret"):
        ran_with(desk, [called(told)], streamed=False)


@STREAMED
def test_a_rule_about_the_answer_alone_says_so(tmp_path, streamed):
    long = {"id": "long", "check": {"size": {"max_chars": 10}}, "effect": "deny"}
    form = {"id": "form", "check": {"json": {}}, "effect": "deny"}
    items = [coded("print('x' * 1000)", logs="x" * 1000), called("y" * 1000)]
    with pytest.raises(Denied):
        ran_with(desk_of(tmp_path, OPEN, {"output": [long]}), items, streamed=streamed)
    answer = {"when": 'stage == "output"'}
    desk = desk_of(tmp_path, OPEN, {"output": [{**long, **answer}]})
    assert "done" in ran_with(desk, items, streamed=streamed)
    desk = desk_of(tmp_path, OPEN, {"output": [{**form, **answer}]})
    with pytest.raises(Denied) as caught:
        ran_with(desk, items, streamed=streamed)
    assert caught.value.decision.asked.stage == "output"


# Images


@STREAMED
def test_an_image_is_told_by_no_rule_that_does_not_say_so(tmp_path, streamed):
    items = [drawn("a cat", result="aGk=")]
    for policy in ({"output": [DENY]}, {"tools": {"image_generation": {"result": [DENY]}}}):
        with pytest.raises(Denied):
            ran_with(desk_of(tmp_path, OPEN, policy), items, streamed=streamed)
    unread = {**DENY, "unread": "allow"}
    result = {"image_generation": {"result": [{**unread, "id": "image"}]}}
    policies = {"output": [unread], "tools": result}
    assert "aGk=" in ran_with(desk_of(tmp_path, OPEN, policies), items, streamed=streamed)
    assert "aGk=" in ran_with(desk_of(tmp_path, OPEN), items, streamed=streamed)


def test_pieces_of_an_image_are_streamed_where_the_image_is():
    class Piece(ResponseAudioTranscriptDeltaEvent):
        partial_image_b64: str

    piece = Piece.model_construct(
        type="response.image_generation_call.partial_image", partial_image_b64="aGk="
    )
    assert unrepeated([piece], [None], {None: [drawn("a cat", result="bye=")]}) == set()
    assert unrepeated([piece], [None], {None: [assistant_message("no image")]}) == {0}


# Labels, counts and limits


@STREAMED
@pytest.mark.parametrize(
    "items",
    [
        [searched(type="search", query="x")],
        [filed("x", text="y")],
        [coded(logs="y")],
        [drawn("x")],
        ran(stdout="y"),
        [called("y")],
    ],
    ids=["web", "files", "code", "images", "shell", "server"],
)
def test_a_use_sets_its_labels_before_anything_of_the_response_is_done(tmp_path, items, streamed):
    """The call beside the search is one of the turn in which its result came in."""
    sent = []
    from agents import function_tool

    @function_tool
    def send(text: str) -> str:
        sent.append(text)
        return "sent"

    names = ["web_search", "file_search", "code_interpreter", "image_generation", "shell", "far/*"]
    policy = {
        "tools": {**{name: {"labels": ["untrusted"]} for name in names}, "send": "allow"},
        "rules": [
            {
                "id": "exfiltration",
                "tools": ["send"],
                "when": '"untrusted" in session.labels',
                "effect": "deny",
                "message": "Not after such pages.",
            }
        ],
    }
    desk = desk_of(tmp_path, policy)
    turn = [*items, *call("send", {"text": "x"})]
    model = scripted(streaming(turn) if streamed else turn, say("done"))
    agent = agent_of(model, tools=[*tools(), send])
    result = desk.stream(agent)[0] if streamed else desk.run(agent)
    assert sent == []
    assert "Not after such pages." in repr(result.new_items)


def test_a_denied_result_sets_its_labels_all_the_same(tmp_path):
    entry = {"labels": ["untrusted"], "result": [DENY]}
    later = {"id": "later", "when": '"untrusted" in session.labels', "effect": "deny"}
    desk = desk_of(tmp_path, {"tools": {"far/*": entry}, "input": [{**later, "message": "Done."}]})
    with pytest.raises(Denied, match="That is secret"):
        ran_with(desk, [called("is hunter2")], streamed=False)
    with pytest.raises(Denied, match=r"Done\."):
        desk.run(agent_of(scripted()))


def test_a_response_that_broke_off_has_used_what_it_has_used(tmp_path):
    later = {"id": "later", "when": '"untrusted" in session.labels', "effect": "deny"}
    policy = {"tools": {"web_search": {"labels": ["untrusted"]}}, "input": [later]}
    desk = desk_of(tmp_path, policy)
    item = searched(type="search", query="x")
    empty = Response.model_construct(
        id="r", created_at=1, model="m", object="response", output=[item], usage=None
    )

    async def events(asked):
        yield ResponseOutputItemDoneEvent.model_construct(
            type="response.output_item.done", sequence_number=0, output_index=0, item=item
        )
        yield ResponseIncompleteEvent.model_construct(
            type="response.incomplete", sequence_number=1, response=empty
        )

    model = scripted(ModelStep.stream(events))
    with pytest.raises(Exception):  # noqa: B017, PT011 - whichever the SDK raises
        desk.stream(agent_of(model, tools=[WebSearchTool()]))
    with pytest.raises(Denied):
        desk.run(agent_of(scripted()))


def test_uses_are_counted_as_calls_of_the_session(tmp_path):
    rule = {"id": "often", "effect": "deny", "message": "Enough."}
    when = "has(session.calls.web_search) && session.calls.web_search > 1"
    desk = desk_of(tmp_path, OPEN, {"input": [{**rule, "when": when}]})
    for _ in range(2):
        ran_with(desk, [searched(type="search", query="x")], streamed=False)
    with pytest.raises(Denied, match=r"Enough\."):
        desk.run(agent_of(scripted()))


# Attachment


CONDITIONS = {
    "arguments": {"web_search": {"args": {"query": {"type": "string"}}}},
    "a rule": {
        "web_search": {"rules": [{"id": "r", "when": 'principal.id == "x"', "effect": "deny"}]}
    },
    "an approval": {
        "web_search": {
            "effect": "require_approval",
            "approval": {"approvers": ["oncall"], "expires": "1h"},
        }
    },
}


@pytest.mark.parametrize("condition", CONDITIONS)
def test_what_cannot_be_asked_beforehand_is_refused_at_attachment(tmp_path, condition):
    desk = desk_of(tmp_path, {"tools": CONDITIONS[condition]})
    with pytest.raises(UnmediatedError, match="permit every call of it by its name alone"):
        guard_agent(agent_of(scripted(), tools=[WebSearchTool()]), desk.guard)


def test_a_limit_of_calls_of_the_provider_is_refused_at_attachment(tmp_path):
    limit = {"id": "few", "tools": ["web_search"], "max": 5, "by": ["session"]}
    desk = desk_of(tmp_path, {"tools": {"web_search": "allow"}, "limits": [limit]})
    with pytest.raises(UnmediatedError, match="permit every call of it by its name alone"):
        guard_agent(agent_of(scripted(), tools=[WebSearchTool()]), desk.guard)


HIDDEN = {
    "web_search": (WebSearchTool(), "search with a function tool"),
    "file_search": (FileSearchTool(vector_store_ids=["v"]), "include_search_results=True"),
    "code_interpreter": (
        CodeInterpreterTool(
            tool_config={"type": "code_interpreter", "container": {"type": "auto"}}
        ),
        "code_interpreter_call.outputs",
    ),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_rules_about_results_that_nobody_sees_are_refused_at_attachment(tmp_path, name):
    tool, hint = HIDDEN[name]
    desk = desk_of(tmp_path, {"tools": {name: {"result": [DENY]}}})
    with pytest.raises(UnmediatedError) as caught:
        guard_agent(agent_of(scripted(), tools=[tool]), desk.guard)
    assert hint in str(caught.value)
    assert [gap.what for gap in caught.value.gaps] == [name]


def test_rules_about_results_that_can_be_seen_are_taken(tmp_path):
    seen = [*NAMES[1:], "far/*"]
    judged = {name: {"result": [{**DENY, "id": f"r{n}"}]} for n, name in enumerate(seen)}
    desk = desk_of(tmp_path, {"tools": judged})
    found = guard_agent(agent_of(scripted(), tools=tools()[1:], model_settings=SHOWN), desk.guard)
    assert len(found.tools) == 5
    results = ModelSettings(response_include=["file_search_call.results"])
    plain = FileSearchTool(vector_store_ids=["v"])
    guard_agent(agent_of(scripted(), tools=[plain], model_settings=results), desk.guard)


@STREAMED
@pytest.mark.parametrize(
    ("name", "item"),
    [
        ("web_search", searched(type="search", query="x", sources=[{"type": "url", "url": "u"}])),
        ("file_search", filed("x")),
        ("code_interpreter", coded("1")),
    ],
    ids=["web", "files", "code"],
)
def test_a_rule_about_a_result_that_was_kept_back_cannot_tell(tmp_path, name, item, streamed):
    """Policies may change while an agent runs, and so may the settings of a run."""
    desk = desk_of(tmp_path, OPEN)
    items = [item, assistant_message("done")]
    model = scripted(streaming(items) if streamed else items)
    guarded = guard_agent(agent_of(model, tools=tools()), desk.guard)
    folder = next(tmp_path.glob("policies-*"))
    (folder / "more.yaml").write_text(
        json.dumps({"policy": "more", "language": 1, "tools": {name: {"result": [DENY]}}})
    )
    desk.guard.reload()

    async def go():
        if streamed:
            running = Runner.run_streamed(guarded, "x", run_config=desk.config())
            async for _ in running.stream_events():
                pass
        else:
            await Runner.run(guarded, "x", run_config=desk.config())

    with pytest.raises(Denied) as caught:
        asyncio.run(go())
    assert caught.value.decision.reasons[0].code == "rule.cannot_tell"


# The server that the provider asks


def asks(name, arguments="{}"):
    return McpApprovalRequest(
        id=f"mcpr_{name}",
        type="mcp_approval_request",
        name=name,
        arguments=arguments,
        server_label="far",
    )


def test_a_call_that_was_asked_for_runs_and_its_result_is_judged(tmp_path):
    policy = {"tools": {"far/read": {"result": [REDACT], "labels": ["untrusted"]}}}
    desk = desk_of(tmp_path, policy)
    answered = called("is hunter2", asked="mcpr_read")
    model = scripted([asks("read")], [answered, assistant_message("done")])
    result = desk.run(agent_of(model, tools=tools()[5:]))
    assert result.final_output == "done"
    assert "hunter2" not in repr(result.new_items)
    # Once when it was asked for, and not again when its result came in.
    assert desk.decisions("tool_call") == [("tool_call", "far/read", "allow")]
    assert desk.decisions("tool_result") == [("tool_result", "far/read", "redact")]


def test_a_call_that_nobody_was_asked_for_ends_the_run(tmp_path):
    desk = desk_of(tmp_path, {"tools": {"far/read": "allow"}})
    with pytest.raises(Denied):
        ran_with(
            desk_of(tmp_path, {"tools": {"web_search": "deny"}}), [called("x")], streamed=False
        )
    with pytest.raises(Denied):
        desk.run(agent_of(scripted([called("x", name="burn")])))
    with pytest.raises(Denied):
        desk.run(agent_of(scripted([called("x", name="burn", asked="mcpr_elsewhere")])))


# What a stream says that its end does not repeat


def test_a_transcript_of_audio_that_is_not_repeated_is_withheld(tmp_path):
    desk = desk_of(tmp_path, {"output": [DENY]})
    message = assistant_message("fine")

    async def events(asked):
        yield ResponseAudioTranscriptDeltaEvent.model_construct(
            type="response.audio.transcript.delta", sequence_number=0, delta="hunter2"
        )
        whole = Response.model_construct(
            id="r", created_at=1, model="m", object="response", output=[message], usage=None
        )
        yield ResponseCompletedEvent.model_construct(
            type="response.completed", sequence_number=1, response=whole
        )

    result, seen = desk.stream(agent_of(scripted(ModelStep.stream(events))))
    assert result.final_output == "fine"
    assert "hunter2" not in repr(seen)


@pytest.mark.parametrize("name", ["item", "part", "text", "code", "annotation", "something_new"])
def test_whatever_field_of_an_event_says_more_is_withheld(tmp_path, name):
    desk = desk_of(tmp_path, {"output": [DENY]})
    message = assistant_message("fine")
    told = {"item": coded("hunter2"), "part": {"type": "output_text", "text": "hunter2"}}

    async def events(asked):
        fields = {name: told.get(name, "hunter2"), "type": "response.some.done"}
        yield ResponseAudioTranscriptDeltaEvent.model_construct(sequence_number=0, **fields)
        whole = Response.model_construct(
            id="r", created_at=1, model="m", object="response", output=[message], usage=None
        )
        yield ResponseCompletedEvent.model_construct(
            type="response.completed", sequence_number=1, response=whole
        )

    result, seen = desk.stream(agent_of(scripted(ModelStep.stream(events))))
    assert result.final_output == "fine"
    assert "hunter2" not in repr(seen)


# What items are made of


def test_items_may_be_mappings_and_hold_what_the_sdk_does_not_know():
    @dataclass
    class Note:
        text: str

    items = [
        {"type": "message", "content": [{"type": "output_text", "text": "a"}, {"type": "other"}]},
        {"type": "news", "told": {"by": ["b", 7, None, ""], "id": "x"}, "note": Note("c")},
        coded("d").model_copy(update={"outputs": None}),
        ResponseCodeInterpreterToolCall.model_validate({**coded("e").model_dump(), "more": "f"}),
    ]
    assert [part.text for part in parts_of_output(items)] == ["a", "b", "c", "d", "e", "f"]
    changes = {part: part.text.upper() for part in parts_of_output(items[:2])}
    first, second = with_parts(items[:2], changes)
    assert first["content"] == [{"type": "output_text", "text": "A"}, {"type": "other"}]
    assert second["told"]["by"] == ["B", 7, None, ""]
    assert second["note"] == Note("C")


def test_what_nests_too_deep_is_one_text():
    value = "hunter2"
    for _ in range(100):
        value = [value]
    found = list(parts_of_output([{"type": "news", "told": value}]))
    assert len(found) == 1
    assert "hunter2" in found[0].text


def test_an_event_that_cannot_be_read_is_not_handed_on():
    assert unrepeated([object()], [None], {None: [assistant_message("fine")]}) == {0}


@STREAMED
def test_a_result_that_nests_too_deep_is_judged_as_text(tmp_path, streamed):
    value = "hunter2"
    for _ in range(100):
        value = {"of": value}
    item = filed("x", text="y").model_copy(update={"results": [value]})
    for section in ({"tools": {"file_search": {"result": [DENY]}}}, {"output": [DENY]}):
        with pytest.raises(Denied, match="That is secret"):
            ran_with(desk_of(tmp_path, OPEN, section), [item], streamed=streamed)


def test_arguments_of_a_server_that_cannot_be_read_are_none(tmp_path):
    for text in ("{", "[1]", "[" * 100_000):
        item = called("x").model_copy(update={"arguments": text})
        desk = desk_of(tmp_path, {"tools": {"far/read": {"args": {"page": {"type": "string"}}}}})
        with pytest.raises(Denied):
            ran_with(desk, [item], streamed=False)
        assert desk.decisions("tool_call") == [("tool_call", "far/read", "deny")]


def test_tools_that_were_searched_for_are_the_result_of_the_search(tmp_path):
    found = ResponseToolSearchOutputItem.model_validate(
        {
            "id": "t",
            "type": "tool_search_output",
            "execution": "server",
            "status": "completed",
            "tools": [
                {"type": "function", "name": "act", "description": "is hunter2", "parameters": {}}
            ],
        }
    )
    asked = ResponseToolSearchCall.model_validate(
        {
            "id": "a",
            "type": "tool_search_call",
            "execution": "server",
            "status": "completed",
            "arguments": {"paths": ["act"]},
        }
    )
    policy = {"tools": {"tool_search": {"result": [DENY]}}}
    desk = desk_of(tmp_path, policy)
    with pytest.raises(Denied, match="That is secret"):
        ran_with(desk, [asked, found], streamed=False)
    assert desk.decisions("tool_call") == [("tool_call", "tool_search", "allow")]
