"""What is redacted of a call is redacted wherever the SDK keeps the call."""

import asyncio
import json

import agents
import pytest
from agents import (
    ApplyPatchTool,
    CustomTool,
    Runner,
    RunState,
    ShellTool,
    SQLiteSession,
    function_tool,
)
from agents.editor import ApplyPatchResult
from agents.testing import function_call
from openai.types.responses import ResponseApplyPatchToolCall, ResponseCustomToolCall
from openai_desk import WHO, agent_of, call, desk_of, outputs, refund_tool, say, scripted, whole
from test_openai_native import Shop, shell_call
from test_openai_runs import Traces

from policy_engine.adapters.openai_agents import apply_approvals, guard_agent
from policy_engine.adapters.openai_agents.arguments import as_readable
from policy_engine.state import MemoryState, SqliteState

FINANCE = {"id": "f1", "roles": ["finance"]}


def function(ran):
    @function_tool
    def act(what: str, count: int) -> str:
        ran.append((what, count))
        return "ok"

    return {"tools": [act]}, call("act", {"what": "for acme", "count": 2}, "c1")


def server(ran):
    class Watched(Shop):
        async def call_tool(self, tool_name, arguments, meta=None):
            ran.append(arguments)
            return await super().call_tool(tool_name, arguments, meta)

    return {"mcp_servers": [Watched()]}, call("buy", {"item": "for acme"}, "c1")


def behind(ran):
    inner_model = scripted(say("ok"))

    async def note(result):
        ran.append(str(inner_model.calls[0].input))
        return "ok"

    inner = agent_of(inner_model, name="inner")
    tool = inner.as_tool("act", "", custom_output_extractor=note)
    return {"tools": [tool]}, call("act", {"input": "for acme"}, "c1")


def shell(ran):
    def execute(request):
        ran.append(list(request.data.action.commands))
        return "ok"

    return {"tools": [ShellTool(executor=execute)]}, shell_call("ls acme", call_id="c1")


def patch(ran):
    class Editor:
        def create_file(self, operation):
            ran.append(operation.diff)
            return ApplyPatchResult(status="completed", output="ok")

        update_file = delete_file = create_file

    item = {"type": "apply_patch_call", "id": "p", "call_id": "c1", "status": "completed"}
    operation = {"type": "create_file", "path": "a", "diff": "+acme"}
    step = [ResponseApplyPatchToolCall.model_validate({**item, "operation": operation})]
    return {"tools": [ApplyPatchTool(editor=Editor())]}, step


def custom(ran):
    async def invoke(context, text):
        ran.append(text)
        return "ok"

    tool = CustomTool(name="query", description="", on_invoke_tool=invoke)
    step = [
        ResponseCustomToolCall(type="custom_tool_call", call_id="c1", name="query", input="of acme")
    ]
    return {"tools": [tool]}, step


KINDS = {
    "function": ("act", function),
    "server": ("shop/buy", server),
    "agent": ("act", behind),
    "shell": ("shell", shell),
    "patch": ("apply_patch", patch),
    "custom": ("query", custom),
}
RULE = {"id": "names", "tools": ["*"], "check": {"terms": {"any": ["acme"]}}, "effect": "redact"}


@pytest.fixture
def traces():
    found = Traces()
    agents.set_trace_processors([found])
    agents.set_tracing_disabled(False)
    yield found
    agents.set_trace_processors([])


@pytest.mark.parametrize("streamed", [False, True], ids=["at once", "streamed"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_redacted_is_redacted_wherever_it_is_kept(tmp_path, traces, kind, streamed):
    name, build = KINDS[kind]
    ran = []
    parts, step = build(ran)
    desk = desk_of(tmp_path, {"tools": {name: "allow"}, "rules": [RULE]})
    model = scripted(whole(step) if streamed else step, say("done"))
    memory = SQLiteSession("s", tmp_path / "memory.db")
    config = desk.config(trace_include_sensitive_data=True)
    agent = agent_of(model, **parts)
    if streamed:
        result, events = desk.stream(agent, config=config, session=memory)
    else:
        result, events = desk.run(agent, config=config, session=memory), []
    assert result.final_output == "done"
    assert len(ran) == 1
    for kept in (
        repr(ran),
        repr(events),
        json.dumps(result.to_input_list()),
        json.dumps(asyncio.run(memory.get_items())),
        json.dumps(model.calls[1].input),
        json.dumps(traces.spans, default=repr),
        result.to_state().to_string(),
    ):
        assert "acme" not in kept
        assert kept == "[]" or "<TERM>" in kept
    effects = [r["effect"] for r in desk.records if r.get("tool") == name and "effect" in r]
    assert effects[0] == "redact"


def test_the_arguments_that_were_not_redacted_stay(tmp_path):
    ran = []
    parts, step = function(ran)
    desk = desk_of(tmp_path, {"tools": {"act": "allow"}, "rules": [RULE]})
    desk.run(agent_of(scripted(step, say("done")), **parts))
    assert ran == [("for <TERM>", 2)]


def test_a_call_that_no_rule_redacts_is_kept_as_it_was_written(tmp_path):
    ran = []
    parts, _ = function(ran)
    written = '{ "count":2,"what" : "x" }'
    desk = desk_of(tmp_path, {"tools": {"act": "allow"}, "rules": [RULE]})
    result = desk.run(agent_of(scripted(call("act", written, "c1"), say("done")), **parts))
    assert result.to_input_list()[1]["arguments"] == written


WATCHED = {
    "tools": {
        "act": {
            "args": {"what": {"type": "string"}, "count": {"type": "integer"}},
            "rules": [
                {
                    "id": "ask",
                    "when": 'args.what.contains("acme")',
                    "effect": "require_approval",
                    "approval": {"approvers": ["finance"], "expires": "1h"},
                }
            ],
        }
    },
    "rules": [RULE],
}


def test_what_people_are_asked_about_is_not_hidden_from_the_rule_that_asks(tmp_path):
    ran = []
    parts, step = function(ran)
    desk = desk_of(tmp_path, WATCHED)
    guarded = guard_agent(agent_of(scripted(step), **parts), desk.guard)

    async def go():
        result = await Runner.run(guarded, "x", run_config=desk.config())
        assert [item.call_id for item in result.interruptions] == ["c1"]
        assert ran == []
        (waiting,) = desk.guard.approvals.pending()
        assert waiting.args["what"] == "for <TERM>"
        state = await RunState.from_string(guarded, result.to_state().to_string())
        state.approve(state.get_interruptions()[0])
        guarded.model._inner.enqueue(say("no"))
        await Runner.run(guarded, state, run_config=desk.config())
        assert ran == []
        desk.guard.approvals.approve(waiting.id, by=FINANCE)
        state = await RunState.from_string(guarded, result.to_state().to_string())
        await apply_approvals(state, desk.guard, session="s1", principal=WHO)
        guarded.model._inner.enqueue(say("yes"))
        return await Runner.run(guarded, state, run_config=desk.config())

    assert asyncio.run(go()).final_output == "yes"
    assert ran == [("for <TERM>", 2)]


def test_a_condition_on_what_was_written_denies_it(tmp_path):
    ran = []
    parts, step = function(ran)
    rule = {"id": "never", "when": 'args.what.contains("acme")', "effect": "deny"}
    tools = {"act": {**WATCHED["tools"]["act"], "rules": [rule]}}
    desk = desk_of(tmp_path, {"tools": tools, "rules": [RULE]})
    desk.run(agent_of(scripted(step, say("done")), **parts))
    assert ran == []


def test_a_limit_counts_a_redacted_call_once(tmp_path):
    ran = []
    parts, _ = function(ran)
    limit = {"id": "few", "tools": ["act"], "max": 2, "by": ["session"]}
    desk = desk_of(tmp_path, {"tools": {"act": "allow"}, "rules": [RULE], "limits": [limit]})
    steps = [call("act", {"what": "acme", "count": n}) for n in range(3)]
    desk.run(agent_of(scripted(*steps, say("done")), **parts))
    assert ran == [("<TERM>", 0), ("<TERM>", 1)]


def test_what_models_say_is_in_no_span_unless_it_is_told(tmp_path, monkeypatch):
    desk = desk_of(tmp_path, {"tools": {"*": "allow"}})
    assert desk.config().trace_include_sensitive_data is False
    assert desk.config(trace_include_sensitive_data=True).trace_include_sensitive_data is True
    monkeypatch.setenv("OPENAI_AGENTS_TRACE_INCLUDE_SENSITIVE_DATA", "1")
    assert desk.config().trace_include_sensitive_data is True


# Ids that a model gives again


ONE_REFUND = {"tools": {"refund": "allow"}}
ASKED = {
    "tools": {
        "refund": {
            "rules": [
                {
                    "id": "finance",
                    "effect": "require_approval",
                    "when": "args.amount > 100",
                    "approval": {"approvers": ["finance"], "expires": "1h"},
                }
            ],
            "args": {"order": {"type": "string"}, "amount": {"type": "number"}, "note": {}},
        }
    }
}


def refund(order, amount=5, call_id="call_0"):
    return call("refund", {"order": order, "amount": amount, "note": ""}, call_id)


def ids(result):
    items = [item for item in result.new_items if item.type == "tool_call_output_item"]
    return [item.raw_item["call_id"] for item in items]


@pytest.mark.parametrize("kept", ["a session of the SDK", "nothing"])
@pytest.mark.parametrize("streamed", [False, True])
def test_an_id_that_a_model_gives_again_is_a_call_of_its_own(tmp_path, kept, streamed):
    calls, desk = [], desk_of(tmp_path, ONE_REFUND)
    again = [*refund("C"), *refund("D")]
    model = scripted(refund("A"), say("1"), refund("B"), again, say("2"))
    guarded = guard_agent(agent_of(model, tools=[refund_tool(calls)]), desk.guard)
    session = SQLiteSession("s") if kept != "nothing" else None
    results = []
    for _ in range(2):
        if streamed:
            results.append(desk.stream(guarded, session=session)[0])
        else:
            results.append(desk.run(guarded, session=session))
    assert [order for order, *_ in calls] == ["A", "B", "C", "D"]
    assert ids(results[0]) == ["call_0"]
    given = [*ids(results[0]), *ids(results[1])]
    assert len(set(given)) == 4
    assert all(one.startswith("call_0") and len(one) <= 64 for one in given)
    recorded = [r["call_id"] for r in desk.records if r["kind"] == "decision" and r.get("tool")]
    assert recorded == given
    sent = [item for item in model.calls[-1].input if item.get("call_id")]
    assert len(sent) == (8 if session else 6)
    for item in sent:
        assert sum(other["call_id"] == item["call_id"] for other in sent) == 2


@pytest.mark.parametrize("call_id", ["", "c" * 64])
def test_an_id_that_nothing_can_be_told_by_is_made(tmp_path, call_id):
    calls, desk = [], desk_of(tmp_path, ONE_REFUND)
    steps = [
        [
            function_call(
                "refund", json.dumps({"order": "A", "amount": 5, "note": ""}), call_id=call_id
            )
        ]
        for _ in range(2)
    ]
    result = desk.run(agent_of(scripted(*steps, say("x")), tools=[refund_tool(calls)]))
    assert len(calls) == 2
    assert len(set(ids(result))) == 2
    assert all(0 < len(one) <= 64 for one in ids(result))


def test_an_id_that_ran_in_another_process_is_a_call_of_its_own(tmp_path):
    calls = []
    for _ in range(2):
        state = SqliteState(tmp_path / "state.db")
        desk = desk_of(tmp_path, ONE_REFUND, state=state)
        desk.run(agent_of(scripted(refund("A"), say("x")), tools=[refund_tool(calls)]))
        state.close()
    assert len(calls) == 2


def test_an_agent_behind_a_tool_may_give_the_id_of_the_call_that_asks_it(tmp_path):
    calls, desk = [], desk_of(tmp_path, {"tools": {"*": "allow"}})
    inner = agent_of(scripted(refund("A"), say("done")), name="inner", tools=[refund_tool(calls)])
    top = agent_of(
        scripted(call("ask", {"input": "x"}, "call_0"), say("x")), tools=[inner.as_tool("ask", "")]
    )
    assert outputs(desk.run(top)) == ["done"]
    assert len(calls) == 1


def test_a_run_that_waits_is_not_overtaken_by_its_own_id(tmp_path):
    calls, desk = [], desk_of(tmp_path, ASKED)
    model = scripted(refund("A", 200), refund("B", 5), say("quick"), say("slow"))
    guarded = guard_agent(agent_of(model, tools=[refund_tool(calls)]), desk.guard)

    async def go():
        paused = await Runner.run(guarded, "A please", run_config=desk.config())
        await Runner.run(guarded, "B please", run_config=desk.config())
        state = paused.to_state()
        for waiting in desk.guard.approvals.pending():
            desk.guard.approvals.approve(waiting.id, by={"id": "f", "roles": ["finance"]})
        await apply_approvals(state, desk.guard, session="s1", principal=WHO)
        return await Runner.run(guarded, state, run_config=desk.config())

    assert asyncio.run(go()).final_output == "slow"
    assert [order for order, *_ in calls] == ["B", "A"]


def test_a_second_call_under_an_approved_id_asks_anew(tmp_path):
    calls, desk = [], desk_of(tmp_path, ASKED)
    model = scripted(refund("A", 200), refund("B", 300), say("never"))
    guarded = guard_agent(agent_of(model, tools=[refund_tool(calls)]), desk.guard)

    async def go():
        paused = await Runner.run(guarded, "please", run_config=desk.config())
        state = paused.to_state()
        for waiting in desk.guard.approvals.pending():
            desk.guard.approvals.approve(waiting.id, by={"id": "f", "roles": ["finance"]})
        await apply_approvals(state, desk.guard, session="s1", principal=WHO)
        return await Runner.run(guarded, state, run_config=desk.config())

    result = asyncio.run(go())
    assert [json.loads(item.arguments)["order"] for item in result.interruptions] == ["B"]
    assert [order for order, *_ in calls] == ["A"]


@pytest.mark.parametrize("store", ["memory", "a file"])
def test_a_state_that_is_resumed_twice_runs_its_call_once(tmp_path, store):
    calls = []
    state = SqliteState(tmp_path / "state.db") if store == "a file" else MemoryState()
    desk = desk_of(tmp_path, ONE_REFUND, state=state)

    def made(*steps):
        tool = refund_tool(calls)
        tool.needs_approval = True  # its author wants people asked, and no policy does
        return guard_agent(agent_of(scripted(*steps), tools=[tool]), desk.guard)

    async def go():
        paused = await Runner.run(made(refund("A")), "please", run_config=desk.config())
        written = paused.to_state().to_string()
        for _ in range(2):
            guarded = made(say("done"))
            again = await RunState.from_string(guarded, written)
            for item in again.get_interruptions():
                again.approve(item)
            result = await Runner.run(guarded, again, run_config=desk.config())
        return result

    assert outputs(asyncio.run(go())) == ["A call with this id ran already."]
    assert len(calls) == 1


def test_the_ids_of_a_conversation_that_the_provider_keeps_stay(tmp_path):
    calls, desk = [], desk_of(tmp_path, ONE_REFUND)
    model = scripted(refund("A"), say("x"), refund("B"), say("y"))
    agent = agent_of(model, tools=[refund_tool(calls)])
    config = desk.config(server_managed=True)
    found = [desk.run(agent, config=config, conversation_id="conv_1") for _ in range(2)]
    assert [ids(result) for result in found] == [["call_0"], ["call_0"]]
    assert outputs(found[1]) == ["A call with this id ran already."]
    assert [order for order, *_ in calls] == ["A"]


def test_the_ids_of_every_kind_of_call_are_its_own(tmp_path):
    ran, desk = [], desk_of(tmp_path, {"tools": {"*": "allow"}})
    shell = ShellTool(executor=lambda request: ran.append(request.data.call_id) or "ran")
    result = desk.run(
        agent_of(scripted(shell_call("ls"), shell_call("ls"), say("x")), tools=[shell])
    )
    assert len(set(ran)) == 2
    assert len(outputs(result)) == 2


# Arguments that cannot be read

HELD = "(arguments that could not be read)"
UNREAD = {
    "broken off": '{"a": 1',
    "no JSON": "not json",
    "a list": "[1]",
    "null": "null",
    "a text": '"a"',
    "a comma too many": '{"a": 1,}',
    "single quotes": "{'a': 1}",
    "not a number": '{"a":NaN}',
    "more behind it": '{"a":1}garbage',
    "a key twice": '{"a":1,"a":2}',
    "a byte order mark": '\ufeff{"a":1}',
    "too deep": '{"a":' + "[" * 2000 + "]" * 2000 + "}",
}


def unread(road, text, ran):
    """Return an agent whose model calls a tool on a road with these arguments."""
    if road == "nested":

        @function_tool
        def act(what: str) -> str:
            ran.append(what)
            return "ok"

        inner = agent_of(scripted(call("act", text, "c1"), say("ok")), name="inner", tools=[act])
        model = scripted(call("outer", {"input": "go"}, "o1"), say("done"))
        return agent_of(model, tools=[inner.as_tool("outer", "")]), inner.model, "act"
    name, build = KINDS[road]
    parts, _ = build(ran)
    model = scripted(call(name.rpartition("/")[2], text, "c1"), say("done"))
    return agent_of(model, **parts), model, name


APPROVED = {"effect": "require_approval", "approval": {"approvers": ["finance"], "expires": "1h"}}


@pytest.mark.parametrize("text", UNREAD.values(), ids=UNREAD)
@pytest.mark.parametrize("road", ["function", "server", "agent", "nested"])
def test_arguments_that_cannot_be_read_are_refused_and_nobody_is_asked(tmp_path, road, text):
    for streamed in (False, True):
        for entry in ("allow", APPROVED):
            ran = []
            agent, model, name = unread(road, text, ran)
            desk = desk_of(tmp_path, {"tools": {name: entry, "outer": "allow"}})
            result = desk.stream(agent)[0] if streamed else desk.run(agent)
            assert result.interruptions == []
            assert result.final_output == "done"
            assert ran == []
            assert desk.guard.approvals.pending() == []
            # The model reads its own words, and what is wrong with them.
            asked, told = model.calls[1].input[-2:]
            assert json.loads(asked["arguments"]) == {HELD: text}
            assert told["call_id"] == "c1"
            assert told["output"].startswith("The arguments could not be read: ")
            assert told["output"].endswith(". Send one JSON object.")
            (record,) = [r for r in desk.records if r.get("call_id") == "c1"]
            assert (record["stage"], record["effect"]) == ("tool_call", "deny")
            assert (record["tool"], record["principal"]) == (name, "u1")
            assert record["codes"] == ["guard.unjudgeable"]


def test_what_can_be_read_stays_as_the_model_wrote_it():
    for text in ("", " ", "{}", '{"a" : 1.0}', '{"(arguments that could not be read)": 1}'):
        assert as_readable(text) == text


@pytest.mark.parametrize("held", ["{}", '{"what": "a", "count": 1}', 3, None, {"what": "a"}])
def test_a_model_that_writes_the_mark_itself_is_refused(tmp_path, held):
    for more in ({}, {"what": "a", "count": 1}):
        ran = []
        parts, _ = function(ran)
        text = json.dumps({HELD: held, **more})
        model = scripted(call("act", text, "c1"), say("done"))
        desk = desk_of(tmp_path, {"tools": {"act": APPROVED}})
        result = desk.run(agent_of(model, **parts))
        assert (result.final_output, result.interruptions, ran) == ("done", [], [])
        assert outputs(result)[0].startswith("The arguments could not be read: ")
        assert desk.guard.approvals.pending() == []
        # It is not held once more.
        assert model.calls[1].input[-2]["arguments"] == text


def test_a_refused_call_beside_one_that_waits_stays_refused_when_the_run_is_resumed(tmp_path):
    ran = []
    parts, _ = function(ran)
    steps = [*call("act", {"what": "a", "count": 1}, "c1"), *call("act", '{"what": "b"', "c2")]
    model = scripted(steps, say("done"))
    desk = desk_of(tmp_path, {"tools": {"act": APPROVED}})
    guarded = guard_agent(agent_of(model, **parts), desk.guard)
    first = asyncio.run(Runner.run(guarded, "hello", run_config=desk.config()))
    (item,) = first.interruptions
    assert item.call_id == "c1"
    (pending,) = desk.guard.approvals.pending()
    desk.guard.approvals.approve(pending.id, by=FINANCE)

    async def resume():
        state = await RunState.from_json(guarded, first.to_state().to_json())
        found = await apply_approvals(state, desk.guard, session="s1", principal=WHO)
        assert (found.approved, found.rejected, found.waiting) == (("c1",), (), ())
        return await Runner.run(guarded, state, run_config=desk.config())

    result = asyncio.run(resume())
    assert result.final_output == "done"
    assert ran == [("a", 1)]
    assert sum("could not be read" in str(told) for told in outputs(result)) == 1


@pytest.mark.parametrize("by_hand", [True, False])
def test_a_state_that_waits_for_a_call_that_cannot_be_read_lets_nothing_through(tmp_path, by_hand):
    """A state of agents that nobody guarded holds the arguments as the model wrote them."""
    ran = []
    parts, _ = function(ran)
    parts["tools"][0].needs_approval = True
    model = scripted(call("act", '{"what": "b"', "c1"), say("done"))
    agent = agent_of(model, **parts)
    waiting = asyncio.run(Runner.run(agent, "hello")).to_state().to_json()
    desk = desk_of(tmp_path, {"tools": {"act": "allow"}})
    guarded = guard_agent(agent, desk.guard)

    async def resume():
        state = await RunState.from_json(guarded, waiting)
        if by_hand:
            state.approve(state.get_interruptions()[0])
        else:
            found = await apply_approvals(state, desk.guard, session="s1", principal=WHO)
            assert found.rejected == ("c1",)
        return await Runner.run(guarded, state, run_config=desk.config())

    result = asyncio.run(resume())
    assert (result.final_output, ran) == ("done", [])
    assert "could not be read" in outputs(result)[0]
