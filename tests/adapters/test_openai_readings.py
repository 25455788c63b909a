"""Texts are judged as they read, however often they are packed into JSON."""

import asyncio
import json
import re
from pathlib import PurePosixPath

import pytest
from agents import (
    Agent,
    CustomTool,
    FunctionTool,
    MCPToolApprovalRequest,
    RunContextWrapper,
    Runner,
    ShellTool,
    ToolOutputText,
    function_tool,
    handoff,
)
from agents.testing import assistant_message
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.responses import ResponseCustomToolCall
from openai.types.responses.response_output_item import McpApprovalRequest
from openai_desk import WHO, agent_of, call, desk_of, outputs, say, scripted
from pydantic import BaseModel
from test_openai_native import hosted, shell_call

from policy_engine.adapters.openai_agents import guard_agent, tool_guardrails
from policy_engine.adapters.openai_agents.readings import reading_as_json, readings
from policy_engine.guard import Denied
from policy_engine.text.redact import Redaction, redact

DENY = {
    "id": "root",
    "check": {"terms": {"any": ["admin"]}},
    "effect": "deny",
    "message": "Nobody is that.",
}
REDACT = {"id": "names", "check": {"terms": {"any": ["admin"]}}, "effect": "redact"}
JSON = {"id": "form", "check": {"json": {}}, "effect": "deny", "message": "JSON, please."}


def packed(value, times=1):
    """Return a value as JSON in JSON, in which nothing stands as it reads."""
    text = json.dumps(value)
    for _ in range(times - 1):
        text = json.dumps(text)
    return text


def hidden(text):
    """Return JSON whose letters are escapes."""
    return re.sub("admin", r"\\u0061dmin", text)


# Readings


@given(st.text(max_size=30), st.integers(1, 4))
def test_what_was_packed_is_read(text, times):
    text = text.encode("utf-16", "ignore").decode("utf-16", "ignore")
    whole = packed(text, times)
    found = [whole, *(reading.value for reading in readings(whole))]
    assert any(text in one for one in found)


@given(
    st.lists(st.sampled_from(["a", "\\", '"', "\n", "é", "😀", "\u2028", "u0061"]), max_size=12),
    st.integers(1, 4),
    st.data(),
)
@settings(max_examples=300)
def test_what_is_replaced_in_a_reading_is_replaced_where_it_stands(letters, times, data):
    text = "".join(letters) + "b"
    whole = packed(text, times)
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    found = list(readings(whole))[:times]
    if len(found) == times:
        at = found[-1].value.index(text)
        piece = Redaction("", at + start, at + end, "X")
        changed = redact(whole, found[-1].placed([piece]))
        for _ in range(times):
            changed = json.loads(changed)
        assert changed == text[:start] + "X" + text[end:]


def test_each_text_of_a_value_is_read_for_itself():
    value = [{"a/b": r"\u0061 b", "c": ["d", r"\\n"], "n": 1}, "e"]
    first, second = readings(value)
    assert first.value == [{"a/b": "a b", "c": ["d", r"\n"], "n": 1}, "e"]
    assert second.value == [{"a/b": "a b", "c": ["d", "\n"], "n": 1}, "e"]
    assert second.placed([Redaction("/0/a~1b", 0, 1, "X"), Redaction("/1", 0, 1, "Y")]) == [
        Redaction("/0/a~1b", 0, 6, "X"),
        Redaction("/1", 0, 1, "Y"),
    ]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (r"\ud83d\ude00", "😀"),
        (r"\ud83d!", "\ufffd!"),
        (r"\U0001f600 \x41", "😀 A"),
        (r"\Uffffffff", "\ufffd"),
        (r"\q \u12 C:\dir", None),
    ],
)
def test_an_escape_is_one_character(text, read):
    assert [reading.value for reading in readings(text)] == ([] if read is None else [read])


@pytest.mark.parametrize(
    "text", ["\\" * 500_000, "[" * 500_000 + r"\n", r"\u005c" * 100_000, '"\\"' * 300_000]
)
def test_hostile_texts_are_read_a_few_times(text):
    assert len(list(readings(text))) <= 4
    assert len(reading_as_json(text).value) <= len(text)


def test_a_value_that_nests_is_read_as_deep_as_values_go():
    value = r"\u0061"
    for _ in range(200):
        value = [value]
    assert list(readings(value)) == []


def test_json_stays_json_where_it_has_to():
    value = {"a": 'say "x"\n', "b": "\\", "c": "é\u2028"}
    text = json.dumps(value)
    read = reading_as_json(text).value
    assert json.loads(read) == {"a": "say 'x' ", "b": "\\", "c": "é\u2028"}


# What models say


@pytest.mark.parametrize("streamed", [False, True], ids=["at once", "streamed"])
@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_structured_output_is_judged_as_it_reads(tmp_path, streamed, times):
    class Answer(BaseModel):
        name: str

    inner = hidden(packed("the admin", times - 1)) if times > 1 else "the admin"
    text = packed({"name": inner}) if times > 1 else hidden(packed({"name": inner}))
    assert "admin" not in text
    for rule in (DENY, REDACT):
        desk = desk_of(tmp_path, {"output": [rule]})
        agent = agent_of(scripted(say(text)), output_type=Answer)
        if rule is DENY:
            with pytest.raises(Denied, match="Nobody is that"):
                (desk.stream if streamed else desk.run)(agent)
            continue
        result = desk.stream(agent)[0] if streamed else desk.run(agent)
        assert "<TERM>" in result.final_output.name
        assert "dmin" not in repr(result.new_items)
        assert "redact" in {effect for _, _, effect in desk.decisions("model_response")}


def test_a_rule_about_the_form_of_json_is_about_the_text_as_it_stands(tmp_path):
    text = packed({"say": 'two "lines"\nof it'})
    desk = desk_of(tmp_path, {"output": [JSON]})
    assert desk.run(agent_of(scripted(say(text)))).final_output == text
    desk = desk_of(
        tmp_path, {"output": [JSON, REDACT, {**DENY, "check": {"terms": {"any": ["root"]}}}]}
    )
    text = hidden(packed({"say": 'the "admin"\nof it'}))
    assert json.loads(desk.run(agent_of(scripted(say(text)))).final_output) == {
        "say": 'the "<TERM>"\nof it'
    }
    with pytest.raises(Denied, match="Nobody is that"):
        desk.run(agent_of(scripted(say(r'{"a": "\u0072oot\n"}'))))
    with pytest.raises(Denied, match="JSON, please"):
        desk.run(agent_of(scripted(say(r"no \n JSON"))))


def test_an_escape_that_is_cut_in_two_is_read_whole(tmp_path):
    from test_openai_parts import message, user

    desk = desk_of(tmp_path, {"output": [REDACT], "input": [{**REDACT, "id": "given"}]})
    model = scripted([message(r"the \u00", "61dmin is", " here")])
    result = desk.run(agent_of(model), user(r"an \u", r"0061d\u006din"))
    parts = [part.text for part in result.new_items[0].raw_item.content]
    assert parts == ["the <TERM>", " is", " here"]
    assert [part["text"] for part in model.calls[0].input[0]["content"]] == ["an <TERM>"]


def test_a_part_that_reads_otherwise_is_a_text_of_its_own(tmp_path):
    from test_openai_parts import message, user

    rule = {**DENY, "check": {"pattern": {"any": ["^admin$"]}}}
    desk = desk_of(tmp_path, {"output": [rule], "input": [{**rule, "id": "given"}]})
    with pytest.raises(Denied):
        desk.run(agent_of(scripted()), user("x", r"\u0061dmin"))
    with pytest.raises(Denied):
        desk.run(agent_of(scripted([message("x", r"\u0061dmin")])))


def test_what_an_agent_is_given_is_judged_as_it_reads(tmp_path):
    desk = desk_of(tmp_path, {"input": [REDACT]})
    model = scripted(say("ok"))
    desk.run(agent_of(model), r'{"who": "\u0061dmin"}')
    assert model.calls[0].input[0]["content"] == '{"who": "<TERM>"}'
    assert ("input", None, "redact") in desk.decisions()
    with pytest.raises(Denied, match="Nobody is that"):
        desk_of(tmp_path, {"input": [DENY]}).run(agent_of(scripted()), r"\u0061dmin")


def test_what_both_ask_for_has_to_go_together(tmp_path):
    mark = {"id": "mark", "check": {"pattern": {"any": ["<TERM>"]}}, "effect": "deny"}
    desk = desk_of(tmp_path, {"input": [REDACT, mark]})
    with pytest.raises(Denied):
        desk.run(agent_of(scripted()), r"\u0061dmin")


def test_what_an_agent_was_given_once_is_withheld_as_it_reads(tmp_path):
    from test_openai_parts import parts_of

    desk = desk_of(tmp_path, {"input": [DENY]})
    model = scripted(say("ok"))
    old = [
        {"role": "user", "content": r"I am \u0061dmin"},
        {"role": "user", "content": parts_of(["x", r" \u0061dmin"])},
        {"role": "user", "content": parts_of([r"\u00", "61dmin"])},
    ]
    new = [{"role": "assistant", "content": "no"}, {"role": "user", "content": "and now?"}]
    desk.run(agent_of(model), [*old, *new])
    assert [item["content"] for item in model.calls[0].input] == ["no", "and now?"]


# What tools return


def read_tool(result):
    async def invoke(context, text):
        return result

    schema = {"type": "object", "properties": {}}
    return FunctionTool("read", "", schema, invoke, strict_json_schema=False)


RESULTS = {
    "text": hidden(packed({"user": "admin"})),
    "text in text": packed({"body": hidden(packed({"user": "admin"}))}),
    "a structure": {"body": hidden(packed({"user": "admin"}))},
    "parts": [ToolOutputText(text='{"user": "\\u00'), ToolOutputText(text='61dmin"}')],
    "one part": [{"type": "text", "text": hidden(packed({"user": "admin"}))}, {"type": "note"}],
    "no JSON": r"see \u0061dmin for more",
    "lines of JSON": hidden(packed({"user": "admin"})) + "\n" + packed({"b": 1}),
}


@pytest.mark.parametrize("kind", RESULTS)
def test_a_result_is_judged_as_it_reads(tmp_path, kind):
    desk = desk_of(tmp_path, {"tools": {"read": {"result": [DENY]}}})
    model = scripted(call("read"), say("done"))
    result = desk.run(agent_of(model, tools=[read_tool(RESULTS[kind])]))
    assert outputs(result) == ["Nobody is that."]
    assert ("tool_result", "read", "deny") in desk.decisions()
    desk = desk_of(tmp_path, {"tools": {"read": {"result": [REDACT]}}})
    model = scripted(call("read"), say("done"))
    desk.run(agent_of(model, tools=[read_tool(RESULTS[kind])]))
    told = json.dumps(model.calls[1].input)
    assert "dmin" not in told
    assert "<TERM>" in told
    assert ("tool_result", "read", "redact") in desk.decisions()


def test_a_redacted_result_is_still_json(tmp_path):
    desk = desk_of(tmp_path, {"tools": {"read": {"result": [REDACT]}}})
    text = hidden(packed({"user": "admin", "more": 'a "quote"\n'}))
    result = desk.run(agent_of(scripted(call("read"), say("x")), tools=[read_tool(text)]))
    assert json.loads(outputs(result)[0]) == {"user": "<TERM>", "more": 'a "quote"\n'}


def test_a_result_with_backslashes_that_hides_nothing_is_what_it_was(tmp_path):
    desk = desk_of(tmp_path, {"tools": {"read": {"result": [DENY, {**REDACT, "id": "b"}]}}})
    text = packed({"path": "C:\\new\\table", "user": "al\nice"}, 2)
    result = desk.run(agent_of(scripted(call("read"), say("x")), tools=[read_tool(text)]))
    assert outputs(result) == [text]


def test_what_a_shell_and_a_custom_tool_return_is_judged_as_it_reads(tmp_path):
    text = hidden(packed({"user": "admin"}))
    shell = ShellTool(executor=lambda request: text)

    async def invoke(context, asked):
        return text

    custom = CustomTool(name="query", description="", on_invoke_tool=invoke)
    step = [ResponseCustomToolCall(type="custom_tool_call", call_id="q", name="query", input="x")]
    for rule, told in ((DENY, "Nobody is that."), (REDACT, "<TERM>")):
        entries = {"shell": {"result": [rule]}, "query": {"result": [{**rule, "id": "other"}]}}
        desk = desk_of(tmp_path, {"tools": entries})
        model = scripted(shell_call("ls"), step, say("done"))
        found = outputs(desk.run(agent_of(model, tools=[shell, custom])))
        assert all(told in str(output) for output in found)
        assert "dmin" not in str(found)


class Page(BaseModel):
    text: str


class Told(BaseModel):
    reason: str


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        (Page(text=r"\u0061dmin x"), "text='<TERM> x'"),
        ({"at": PurePosixPath(r"/\u0061dmin")}, "{'at': '/<TERM>'}"),
    ],
    ids=["an object", "an object that takes no text"],
)
def test_an_object_that_a_tool_returns_is_judged_as_it_reads(tmp_path, returned, told):
    async def invoke(context, asked):
        return returned

    custom = CustomTool(name="query", description="", on_invoke_tool=invoke)
    step = [ResponseCustomToolCall(type="custom_tool_call", call_id="q", name="query", input="x")]
    desk = desk_of(tmp_path, {"tools": {"query": {"result": [REDACT]}}})
    found = outputs(desk.run(agent_of(scripted(step, say("x")), tools=[custom])))
    assert str(found[0]) == told


def test_a_call_that_is_refused_for_what_is_packed_into_it_is_asked_of_nobody(tmp_path):
    ran = []
    asks = {**across(DENY), "effect": "require_approval"}
    asks["approval"] = {"approvers": ["finance"], "expires": "1h"}
    desk = desk_of(tmp_path, {"tools": {"query": "allow"}, "rules": [asks]})

    async def invoke(context, asked):
        ran.append(asked)
        return "ok"

    custom = CustomTool(name="query", description="", on_invoke_tool=invoke, needs_approval=True)
    text = hidden(packed(["admin"]))
    step = [ResponseCustomToolCall(type="custom_tool_call", call_id="q", name="query", input=text)]
    result = desk.run(agent_of(scripted(step, say("x")), tools=[custom]))
    assert result.interruptions == []
    assert ran == []
    assert "write it plainly" in outputs(result)[0]


def test_guardrails_that_are_placed_by_hand_read_it_too(tmp_path):
    @function_tool
    def read(text: str) -> str:
        return hidden(packed({"user": "admin"}))

    def run(rule, written='{"text": "x"}', **entry):
        desk = desk_of(tmp_path, {"tools": {"read": {"result": [rule], **entry}}})
        read.tool_input_guardrails, read.tool_output_guardrails = (
            [one] for one in tool_guardrails(desk.guard)
        )
        agent = Agent(name="a", model=scripted(call("read", written), say("x")), tools=[read])
        with desk.guard.session("s1", principal=WHO):
            return outputs(asyncio.run(Runner.run(agent, "x")))

    assert run(DENY) == ["Nobody is that."]
    assert run(REDACT) == ['{"user": "<TERM>"}']
    arguments = {"text": {"type": "string", "check": {"terms": {"any": ["admin"]}}}}
    written = json.dumps({"text": hidden(packed(["admin"]))})
    assert "dmin" not in run(DENY, written, args=arguments)[0]


def test_an_output_that_a_tool_gives_is_judged_as_it_reads(tmp_path):
    for rule, told in ((DENY, "Nobody is that."), (REDACT, '{"user": "<TERM>"}')):
        desk = desk_of(tmp_path, {"tools": {"read": "allow"}, "output": [rule]})
        tool = read_tool(hidden(packed({"user": "admin"})))
        agent = agent_of(
            scripted(call("read")), tools=[tool], tool_use_behavior="stop_on_first_tool"
        )
        assert desk.run(agent).final_output == told


def test_a_structure_that_a_tool_gives_as_the_output_stays_one(tmp_path):
    class Odd:
        def __str__(self):
            return "the admin"

    @function_tool
    def ping() -> str:
        return "pong"

    def run(output):
        from agents import ToolsToFinalOutputResult

        def chosen(context, results):
            return ToolsToFinalOutputResult(is_final_output=True, final_output=output)

        desk = desk_of(tmp_path, {"tools": {"ping": "allow"}, "output": [REDACT]})
        agent = agent_of(scripted(call("ping")), tools=[ping], tool_use_behavior=chosen)
        return desk.run(agent).final_output

    # The SDK writes as text what is put out without a type.
    assert run(PurePosixPath("/home/admin")) == "/home/<TERM>"
    assert run({"user": "admin", "n": 1}) == str({"user": "<TERM>", "n": 1})
    assert run(Odd()) == "the <TERM>"


# What tools are given


SEND = {
    "send": {
        "args": {
            "body": {"type": "string", "pattern": r"^[\x20-\x7e]*$", "message": "Plain letters."}
        },
        "rules": [
            {"id": "long", "when": 'args.body.contains("root")', "effect": "deny", "message": "No."}
        ],
    }
}


def sent(tmp_path, body, *rules):
    ran = []

    @function_tool
    def send(body: str) -> str:
        ran.append(body)
        return "sent"

    desk = desk_of(tmp_path, {"tools": SEND, "rules": list(rules)})
    model = scripted(call("send", {"body": body}), say("done"))
    found = outputs(desk.run(agent_of(model, tools=[send])))
    return ran, found[0], desk


def across(rule):
    return {**rule, "tools": ["*"]}


def test_json_in_an_argument_is_judged_as_it_reads(tmp_path):
    body = hidden(packed({"user": "admin"}))
    ran, told, desk = sent(tmp_path, body, across(DENY))
    assert (ran, told) == ([], "Nobody is that.")
    assert desk.decisions("tool_call") == [("tool_call", "send", "deny")]
    ran, told, _ = sent(tmp_path, body, across(REDACT))
    assert ran == []
    assert "write it plainly" in told
    assert sent(tmp_path, r'{"a": "\u0072oot"}')[:2] == ([], "No.")
    asks = {**across(DENY), "effect": "require_approval"}
    asks["approval"] = {"approvers": ["finance"], "expires": "1h"}
    ran, told, desk = sent(tmp_path, body, asks)
    assert ran == []
    assert "write it plainly" in told
    assert list(desk.guard.approvals.pending()) == []


@pytest.mark.parametrize(
    "body",
    [
        packed({"user": "alice", "name": "é"}),
        packed({"text": "two\nlines"}),
        r"C:\new\table",
        r"^\u0061dmin$",
        r"[a-z]\b",
    ],
)
def test_arguments_that_hide_nothing_are_what_they_were(tmp_path, body):
    """The form that an argument must have is said of it as it stands."""
    assert sent(tmp_path, body, across(DENY))[:2] == ([body], "sent")


def test_a_rule_that_speaks_of_the_argument_as_it_stands_is_no_second_reason(tmp_path):
    observed = {**across(DENY), "mode": "observe"}
    body = hidden(packed({"user": "admin"}))
    assert sent(tmp_path, body, observed)[0] == [body]
    asked = {"id": "q", "tools": ["send"], "when": 'args.body.contains("user")', "effect": "redact"}
    plain = {**asked, "check": {"terms": {"any": ["user"]}}}
    ran, _, _ = sent(tmp_path, packed({"user": "x\n"}), plain)
    assert ran == ['{"<TERM>": "x\\n"}']


def test_what_is_told_with_a_handoff_is_judged_as_it_reads(tmp_path):
    def told(rule):
        heard = []
        billing = agent_of(scripted(say("done")), name="billing")
        made = handoff(
            billing, on_handoff=lambda context, told: heard.append(told.reason), input_type=Told
        )
        desk = desk_of(tmp_path, {"handoffs": {"billing": "allow"}, "output": [rule]})
        model = scripted(
            call("transfer_to_billing", {"reason": hidden(packed(["admin"]))}), say("done")
        )
        desk.run(agent_of(model, handoffs=[made]))
        return heard, desk.decisions("output")

    heard, decisions = told(DENY)
    assert heard == []
    assert ("output", None, "deny") in decisions
    heard, decisions = told(REDACT)
    assert heard == ['["<TERM>"]']
    assert ("output", None, "redact") in decisions


def test_a_server_of_the_provider_is_not_sent_it_either(tmp_path):
    desk = desk_of(tmp_path, {"tools": {"far/*": "allow"}, "rules": [across(DENY)]})
    guarded = guard_agent(agent_of(scripted(), tools=[hosted()["far"]]), desk.guard)
    data = McpApprovalRequest(
        id="m",
        type="mcp_approval_request",
        name="act",
        arguments=json.dumps({"body": hidden(packed(["admin"]))}),
        server_label="far",
    )
    request = MCPToolApprovalRequest(RunContextWrapper(context=None), data)
    answer = asyncio.run(guarded.tools[0].on_approval_request(request))
    assert answer == {"approve": False, "reason": "Nobody is that."}


def test_a_custom_tool_is_not_given_it_either(tmp_path):
    ran = []

    async def invoke(context, asked):
        ran.append(asked)
        return "ok"

    custom = CustomTool(name="query", description="", on_invoke_tool=invoke)
    desk = desk_of(tmp_path, {"tools": {"query": "allow"}, "rules": [across(DENY)]})
    text = hidden(packed(["admin"]))
    step = [ResponseCustomToolCall(type="custom_tool_call", call_id="q", name="query", input=text)]
    found = outputs(desk.run(agent_of(scripted(step, say("x")), tools=[custom])))
    assert ran == []
    assert found == ["Nobody is that."]


def test_a_message_that_says_nothing_hidden_streams_its_events(tmp_path):
    desk = desk_of(tmp_path, {"output": [DENY]})
    result, events = desk.stream(agent_of(scripted([assistant_message(r"a \n b C:\x")])))
    kinds = [event.data.type for event in events if event.type == "raw_response_event"]
    assert "response.output_text.delta" in kinds
    assert result.final_output == r"a \n b C:\x"
