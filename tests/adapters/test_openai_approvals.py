"""Approvals: paused, written down, answered elsewhere, resumed, and decided once more."""

import asyncio
import contextlib
import json
import sys
from datetime import UTC, datetime, timedelta

import files_server
import pytest
from agents import (
    Agent,
    ApplyPatchTool,
    CustomTool,
    ModelBehaviorError,
    RunConfig,
    Runner,
    RunState,
    ToolSearchTool,
    UserError,
    function_tool,
    tool_namespace,
)
from agents.editor import ApplyPatchResult
from agents.mcp import MCPServerStdio
from openai.types.responses import ResponseApplyPatchToolCall, ResponseCustomToolCall
from openai_desk import WHO, agent_of, call, desk_of, outputs, refund_tool, say, scripted, whole
from test_openai_native import shell_call, shell_of

from policy_engine.adapters.openai_agents import UnmediatedError, apply_approvals, guard_agent
from policy_engine.approvals import MemoryApprovals

FINANCE = {"id": "f1", "roles": ["finance"]}
REFUND = {
    "tools": {
        "refund": {
            "args": {
                "order": {"type": "string"},
                "amount": {"type": "number", "maximum": 500, "message": "At most 500."},
                "note": {"type": "string", "optional": True},
            },
            "rules": [
                {
                    "id": "finance-approves",
                    "when": "args.amount > 100",
                    "effect": "require_approval",
                    "approval": {"approvers": ["finance"], "expires": "15m"},
                    "message": "Finance has to approve.",
                }
            ],
        },
        "ask": "allow",
    }
}
ASKED = {"order": "A", "amount": 200, "note": "x"}


class Clock:
    def __init__(self):
        self.now = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)

    def __call__(self):
        return self.now


def paused(desk, calls, *after, args=ASKED, config=None):
    """Run until people are asked; return the guarded agent and the run's state."""
    model = scripted(call("refund", args, "c1"), *after)
    guarded = guard_agent(agent_of(model, tools=[refund_tool(calls)]), desk.guard)
    result = asyncio.run(Runner.run(guarded, "refund!", run_config=config or desk.config()))
    return guarded, result


def answered(desk, state, **who):
    who = who or {"session": "s1", "principal": WHO}
    return asyncio.run(apply_approvals(state, desk.guard, **who))


def resumed(desk, guarded, state, config=None):
    return asyncio.run(Runner.run(guarded, state, run_config=config or desk.config()))


def approve(desk):
    for waiting in desk.guard.approvals.pending():
        desk.guard.approvals.approve(waiting.id, by=FINANCE)


def test_a_run_pauses_is_approved_and_resumed(tmp_path):
    calls, desk = [], desk_of(tmp_path, REFUND)
    guarded, result = paused(desk, calls, say("done"))
    assert len(result.interruptions) == 1
    assert len(desk.guard.approvals.pending()) == 1
    assert desk.guard.approvals.pending()[0].args == ASKED
    approve(desk)
    state = result.to_state()
    assert answered(desk, state).approved == ("c1",)
    assert resumed(desk, guarded, state).final_output == "done"
    assert calls == [("A", 200.0, "x")]


def test_a_state_is_written_down_and_resumed_with_a_graph_made_anew(tmp_path):
    calls, desk = [], desk_of(tmp_path, REFUND)
    _, result = paused(desk, calls)
    text = result.to_state().to_string()
    approve(desk)
    again = guard_agent(agent_of(scripted(say("done")), tools=[refund_tool(calls)]), desk.guard)

    async def resume():
        state = await RunState.from_string(again, text)
        await apply_approvals(state, desk.guard, session="s1", principal=WHO)
        return await Runner.run(again, state, run_config=desk.config())

    assert asyncio.run(resume()).final_output == "done"
    assert calls == [("A", 200.0, "x")]


def test_a_bare_approval_of_the_state_lets_nothing_through(tmp_path):
    calls, desk = [], desk_of(tmp_path, REFUND)
    guarded, result = paused(desk, calls, say("done"))
    state = result.to_state()
    state.approve(result.interruptions[0], always_approve=True)
    found = resumed(desk, guarded, state)
    assert calls == []
    assert outputs(found) == ["Finance has to approve."]


def test_an_unanswered_call_waits_on(tmp_path):
    calls, desk = [], desk_of(tmp_path, REFUND)
    guarded, result = paused(desk, calls, say("done"))
    state = result.to_state()
    assert answered(desk, state).waiting == ("c1",)
    assert len(resumed(desk, guarded, state).interruptions) == 1
    assert len(desk.guard.approvals.pending()) == 1


def test_a_rejected_call_is_told_so(tmp_path):
    calls, desk = [], desk_of(tmp_path, REFUND)
    guarded, result = paused(desk, calls, say("done"))
    for waiting in desk.guard.approvals.pending():
        desk.guard.approvals.reject(waiting.id, by=FINANCE, reason="no")
    state = result.to_state()
    assert answered(desk, state).rejected == ("c1",)
    found = resumed(desk, guarded, state)
    assert calls == []
    assert "reject" in outputs(found)[0].lower() or "Finance" in outputs(found)[0]


def test_an_approval_that_expired_lets_nothing_through(tmp_path):
    clock = Clock()
    calls, desk = [], desk_of(tmp_path, REFUND, clock=clock)
    guarded, result = paused(desk, calls, say("done"))
    approve(desk)
    state = result.to_state()
    assert answered(desk, state).approved == ("c1",)
    clock.now += timedelta(minutes=16)
    assert calls == []
    found = resumed(desk, guarded, state)
    assert calls == []
    assert outputs(found) == ["Finance has to approve."]


def test_an_argument_that_was_edited_lets_nothing_through(tmp_path):
    calls, desk = [], desk_of(tmp_path, REFUND)
    guarded, result = paused(desk, calls, say("done"))
    approve(desk)
    state = result.to_state()
    answered(desk, state)
    text = state.to_string().replace('\\"amount\\": 200', '\\"amount\\": 499')
    assert "499" in text

    async def resume():
        edited = await RunState.from_string(guarded, text)
        return await Runner.run(guarded, edited, run_config=desk.config())

    # The SDK may notice by itself that its own state was edited; the call does not run anyhow.
    with contextlib.suppress(UserError, ModelBehaviorError):
        asyncio.run(resume())
    assert calls == []


def test_another_session_or_principal_lets_nothing_through(tmp_path):
    calls, desk = [], desk_of(tmp_path, REFUND)
    guarded, result = paused(desk, calls, say("done"))
    approve(desk)
    state = result.to_state()
    state.approve(result.interruptions[0])
    resumed(desk, guarded, state, desk.config(principal={"id": "u2", "roles": ["support"]}))
    assert calls == []


def test_an_approval_is_used_once(tmp_path):
    calls, desk = [], desk_of(tmp_path, REFUND)
    guarded, result = paused(desk, calls, say("done"))
    approve(desk)
    text = result.to_state().to_string()

    async def resume():
        state = await RunState.from_string(guarded, text)
        state.approve(state.get_interruptions()[0])
        return await Runner.run(guarded, state, run_config=desk.config())

    asyncio.run(resume())
    guarded.model._inner.enqueue(say("again"))
    found = asyncio.run(resume())
    assert calls == [("A", 200.0, "x")]
    assert "200" not in str(outputs(found)[-1])


def test_nobody_is_asked_about_a_call_that_is_denied_anyway(tmp_path):
    calls, desk = [], desk_of(tmp_path, REFUND)
    _, result = paused(desk, calls, say("sorry"), args={"order": "A", "amount": 900, "note": ""})
    assert result.interruptions == []
    assert desk.guard.approvals.pending() == []
    assert outputs(result) == ["At most 500."]


def test_a_default_does_not_take_the_policy_out_of_the_loop(tmp_path):
    # The SDK demands a manual approval where a callable meets an argument that was left out.
    calls, desk = [], desk_of(tmp_path, REFUND)
    _, result = paused(desk, calls, say("done"), args={"order": "A", "amount": 5})
    assert result.interruptions == []
    assert calls == [("A", 5.0, "none")]


def test_arguments_that_cannot_be_read_are_rejected(tmp_path):
    calls, desk = [], desk_of(tmp_path, REFUND)
    guarded, result = paused(desk, calls, say("sorry"), args="{broken")
    if result.interruptions:
        state = result.to_state()
        assert answered(desk, state).rejected == ("c1",)
        result = resumed(desk, guarded, state)
    assert calls == []


def test_the_run_does_not_depend_on_the_state_for_who_asks(tmp_path):
    # A text as the run's context comes back empty from a written state; the principal does not.
    calls, desk = [], desk_of(tmp_path, REFUND)
    model = scripted(call("refund", ASKED, "c1"))
    guarded = guard_agent(agent_of(model, tools=[refund_tool(calls)]), desk.guard)
    result = asyncio.run(
        Runner.run(guarded, "x", run_config=desk.config(), context={"principal": "root"})
    )
    text = result.to_state().to_string()
    approve(desk)
    model.enqueue(say("done"))

    async def resume():
        state = await RunState.from_string(guarded, text)
        with desk.guard.session("s1", principal=WHO):
            await apply_approvals(state, desk.guard)
            return await Runner.run(guarded, state, run_config=RunConfig())

    assert asyncio.run(resume()).final_output == "done"
    assert calls == [("A", 200.0, "x")]


def test_an_approval_of_an_agent_behind_a_tool_surfaces(tmp_path):
    calls, desk = [], desk_of(tmp_path, REFUND)
    inner_model = scripted(call("refund", ASKED, "c1"), say("inner done"))
    inner = agent_of(inner_model, name="inner", tools=[refund_tool(calls)])
    model = scripted(call("ask", {"input": "x"}, "o1"), say("done"))
    guarded = guard_agent(agent_of(model, tools=[inner.as_tool("ask", "asks")]), desk.guard)
    result = asyncio.run(Runner.run(guarded, "x", run_config=desk.config()))
    assert [item.call_id for item in result.interruptions] == ["c1"]
    approve(desk)
    state = result.to_state()
    assert answered(desk, state).approved == ("c1",)
    found = resumed(desk, guarded, state)
    assert calls == [("A", 200.0, "x")]
    assert found.final_output == "done"
    assert "inner done" in outputs(found)


def test_an_approval_of_an_agent_behind_a_tool_survives_being_written_down(tmp_path):
    calls, desk = [], desk_of(tmp_path, REFUND)
    inner_model = scripted(call("refund", ASKED, "c1"), say("inner done"))
    inner = agent_of(inner_model, name="inner", tools=[refund_tool(calls)])
    model = scripted(call("ask", {"input": "x"}, "o1"), say("done"))
    guarded = guard_agent(agent_of(model, tools=[inner.as_tool("ask", "asks")]), desk.guard)
    result = asyncio.run(Runner.run(guarded, "x", run_config=desk.config()))
    text = result.to_state().to_string()
    approve(desk)

    async def resume():
        state = await RunState.from_string(guarded, text)
        await apply_approvals(state, desk.guard, session="s1", principal=WHO)
        return await Runner.run(guarded, state, run_config=desk.config())

    assert asyncio.run(resume()).final_output == "done"
    assert calls == [("A", 200.0, "x")]


def test_what_the_author_wants_asked_is_asked_too(tmp_path):
    called = []

    @function_tool(needs_approval=True)
    def ask() -> str:
        called.append(1)
        return "ok"

    desk = desk_of(tmp_path, REFUND)
    guarded = guard_agent(
        agent_of(scripted(call("ask", "{}", "c1"), say("done")), tools=[ask]), desk.guard
    )
    result = asyncio.run(Runner.run(guarded, "x", run_config=desk.config()))
    assert len(result.interruptions) == 1
    state = result.to_state()
    assert answered(desk, state).waiting == ("c1",)
    state.approve(result.interruptions[0])
    assert resumed(desk, guarded, state).final_output == "done"
    assert called == [1]


def test_a_streamed_run_pauses_likewise(tmp_path):
    calls, desk = [], desk_of(tmp_path, REFUND)
    model = scripted(call("refund", ASKED, "c1"), say("done"))
    guarded = guard_agent(agent_of(model, tools=[refund_tool(calls)]), desk.guard)

    async def go():
        running = Runner.run_streamed(guarded, "x", run_config=desk.config())
        async for _ in running.stream_events():
            pass
        approve(desk)
        state = running.to_state()
        await apply_approvals(state, desk.guard, session="s1", principal=WHO)
        running = Runner.run_streamed(guarded, state, run_config=desk.config())
        async for _ in running.stream_events():
            pass
        return running

    assert asyncio.run(go()).final_output == "done"
    assert calls == [("A", 200.0, "x")]


def test_records_hold_no_argument(tmp_path):
    calls, desk = [], desk_of(tmp_path, REFUND, approvals=MemoryApprovals())
    paused(desk, calls, args={"order": "SECRET-7", "amount": 200, "note": "x"})
    assert "SECRET-7" not in json.dumps(desk.records)


def test_a_handoff_that_needs_an_approval_waits_in_our_store(tmp_path):
    rule = {
        "handoffs": {
            "billing": {
                "effect": "require_approval",
                "approval": {"approvers": ["finance"], "expires": "1h"},
                "message": "Finance has to approve.",
            }
        }
    }
    desk = desk_of(tmp_path, rule)
    billing = agent_of(scripted(say("billing here")), name="billing")
    model = scripted(call("transfer_to_billing"), say("asked"), call("transfer_to_billing"))
    agent = agent_of(model, handoffs=[billing])
    assert desk.run(agent).final_output == "asked"
    approve(desk)
    assert desk.run(agent).final_output == "billing here"


def test_who_ran_before_in_this_task_does_not_answer_for_a_resumed_run(tmp_path):
    calls, desk = [], desk_of(tmp_path, REFUND)
    model = scripted(call("refund", ASKED, "c1"))
    guarded = guard_agent(agent_of(model, tools=[refund_tool(calls)]), desk.guard)

    async def go():
        result = await Runner.run(guarded, "x", run_config=desk.config())
        approve(desk)
        state = result.to_state()
        state.approve(result.interruptions[0])
        model.enqueue(say("done"))
        return await Runner.run(guarded, state, run_config=RunConfig())

    found = asyncio.run(go())
    assert calls == []
    assert outputs(found) == ["Finance has to approve."]


def test_a_state_of_agents_that_nobody_guarded_goes_no_further_than_its_calls(tmp_path):
    calls, desk = [], desk_of(tmp_path, REFUND)
    _, result = paused(desk, calls)
    text = result.to_state().to_string()
    model = scripted(say("never"))
    plain = agent_of(model, tools=[refund_tool(calls)])

    async def resume():
        state = await RunState.from_string(plain, text)
        with pytest.raises(UnmediatedError, match="nothing was approved"):
            await apply_approvals(state, desk.guard, session="s1", principal=WHO)
        state.approve(state.get_interruptions()[0])
        with pytest.raises(TypeError, match="is not guarded"):
            await Runner.run(plain, state, run_config=desk.config())

    asyncio.run(resume())
    assert model.calls == ()
    # ROADS.md says so: the SDK makes the call before it asks anybody.
    assert calls == [("A", 200.0, "x")]


# Tools that are found by the context of the run, by their namespace, or by the agent's class


ASKS = {"effect": "require_approval", "approval": {"approvers": ["finance"], "expires": "15m"}}
STREAMED = pytest.mark.parametrize("is_streamed", [False, True], ids=["at once", "streamed"])


async def ran(desk, agent, given, *, is_streamed, **settings):
    """Run to the end or to a pause."""
    if not is_streamed:
        return await Runner.run(agent, given, run_config=desk.config(), **settings)
    running = Runner.run_streamed(agent, given, run_config=desk.config(), **settings)
    async for _ in running.stream_events():
        pass
    return running


def files_server_for_admins():
    async def admins(asked, tool):
        return asked.run_context.context["admin"]

    return MCPServerStdio(
        params={"command": sys.executable, "args": [files_server.__file__]},
        name="files",
        tool_filter=admins,
        client_session_timeout_seconds=25,
    )


@STREAMED
@pytest.mark.parametrize("is_written", [False, True], ids=["kept", "written"])
def test_a_tool_of_a_server_that_filters_by_the_context_is_approved(
    tmp_path, is_streamed, is_written
):
    desk = desk_of(tmp_path, {"tools": {"files/drop": ASKS}})
    model = scripted(call("drop", {"path": "a"}, "c1"), say("done"))

    async def go():
        async with files_server_for_admins() as server:
            agent = guard_agent(agent_of(model, mcp_servers=[server]), desk.guard)
            admin = {"context": {"admin": True}}
            result = await ran(desk, agent, "drop it", is_streamed=is_streamed, **admin)
            assert [one.args for one in desk.guard.approvals.pending()] == [
                {"path": "a", "sure": True}
            ]
            approve(desk)
            state = result.to_state()
            if is_written:
                state = await RunState.from_string(agent, state.to_string())
            applied = await apply_approvals(state, desk.guard, session="s1", principal=WHO)
            return applied, await ran(desk, agent, state, is_streamed=is_streamed)

    applied, result = asyncio.run(go())
    assert applied.approved == ("c1",)
    assert [part["text"] for part in outputs(result)] == ["dropped a, True"]
    assert desk.guard.approvals.pending() == []


def test_a_call_whose_tool_cannot_be_told_waits_and_says_why(tmp_path, caplog):
    desk = desk_of(tmp_path, {"tools": {"files/drop": ASKS}})
    model = scripted(call("drop", {"path": "a"}, "c1"))

    async def go():
        async with files_server_for_admins() as server:
            agent = guard_agent(agent_of(model, mcp_servers=[server]), desk.guard)
            result = await ran(desk, agent, "x", is_streamed=False, context={"admin": True})
            approve(desk)
            text = result.to_state().to_string()
            other = {"context_override": {"admin": False}}
            state = await RunState.from_string(agent, text, **other)
            before = await apply_approvals(state, desk.guard, session="s1", principal=WHO)
            state = await RunState.from_string(agent, text)
            after = await apply_approvals(state, desk.guard, session="s1", principal=WHO)
            return before, after

    before, after = asyncio.run(go())
    assert (before.approved, before.rejected, before.waiting) == ((), (), ("c1",))
    assert 'the agent "triage" has no such tool in the context of this state' in caplog.text
    assert after.approved == ("c1",)


@STREAMED
@pytest.mark.parametrize("asked", ["crm.look", "look"])
def test_a_tool_of_a_namespace_is_told_from_one_without(tmp_path, is_streamed, asked):
    called = []

    @function_tool
    def look(x: str) -> str:
        called.append(("look", x))
        return x

    @function_tool(name_override="look", defer_loading=True)
    def look_up(x: str, deep: bool = False) -> str:  # noqa: FBT001, FBT002 - as models call it
        called.append(("crm.look", x))
        return x

    policy = {"look": "allow", "crm.look": "allow", "tool_search": "allow", asked: ASKS}
    desk = desk_of(tmp_path, {"tools": policy})
    spaced = tool_namespace(name="crm", description="Customers.", tools=[look_up])
    (wanted,) = call("look", {"x": "1"}, "c1")
    wanted.namespace = "crm" if asked == "crm.look" else None
    agent = agent_of(
        scripted([wanted], say("done")),
        tools=[look, *spaced, ToolSearchTool()],
    )
    agent = guard_agent(agent, desk.guard)

    async def go():
        result = await ran(desk, agent, "look", is_streamed=is_streamed)
        assert [one.tool for one in desk.guard.approvals.pending()] == [asked]
        assert called == []
        approve(desk)
        state = result.to_state()
        applied = await apply_approvals(state, desk.guard, session="s1", principal=WHO)
        return applied, await ran(desk, agent, state, is_streamed=is_streamed)

    applied, result = asyncio.run(go())
    assert applied.approved == ("c1",)
    assert result.final_output == "done"
    assert called == [(asked, "1")]


def test_a_call_in_a_namespace_is_kept_as_its_own_tools_rules_redact_it(tmp_path):
    @function_tool
    def look(x: str) -> str:
        return "plain"

    @function_tool(name_override="look", defer_loading=True)
    def look_up(x: str) -> str:
        return "found"

    terms = {"check": {"terms": {"any": ["SECRET"]}}, "effect": "redact"}
    rules = [{"id": "r", "tools": ["crm.look"], **terms}]
    tools = {"look": "allow", "crm.look": "allow", "tool_search": "allow"}
    desk = desk_of(tmp_path, {"tools": tools, "rules": rules})
    (wanted,) = call("look", {"x": "SECRET"}, "c1")
    wanted.namespace = "crm"
    model = scripted([wanted], say("done"))
    spaced = tool_namespace(name="crm", description="Customers.", tools=[look_up])
    result = desk.run(agent_of(model, tools=[look, *spaced, ToolSearchTool()]))
    assert outputs(result) == ["found"]
    assert "SECRET" not in json.dumps(result.to_input_list())


@STREAMED
def test_people_are_asked_once_about_a_tool_that_the_agents_class_adds(tmp_path, is_streamed):
    called = []

    @function_tool
    def pay(order: str, currency: str = "USD") -> str:
        called.append((order, currency))
        return "paid"

    class Own(Agent):
        async def get_all_tools(self, run_context):
            return [*await super().get_all_tools(run_context), pay]

    desk = desk_of(tmp_path, {"tools": {"pay": ASKS}})
    model = scripted(call("pay", {"order": "A"}, "c1"), say("done"))
    agent = guard_agent(Own(name="desk", model=model), desk.guard)

    async def go():
        result = await ran(desk, agent, "pay", is_streamed=is_streamed)
        assert [one.args for one in desk.guard.approvals.pending()] == [
            {"order": "A", "currency": "USD"}
        ]
        approve(desk)
        state = result.to_state()
        applied = await apply_approvals(state, desk.guard, session="s1", principal=WHO)
        assert desk.guard.approvals.pending() == []
        return applied, await ran(desk, agent, state, is_streamed=is_streamed)

    applied, result = asyncio.run(go())
    assert applied.approved == ("c1",)
    assert result.final_output == "done"
    assert called == [("A", "USD")]


# Calls that are alike


@STREAMED
@pytest.mark.parametrize("is_written", [False, True], ids=["kept", "written"])
def test_an_approval_lifts_one_of_the_calls_that_are_alike(tmp_path, is_streamed, is_written):
    calls, desk = [], desk_of(tmp_path, REFUND)
    twins = [
        *call("refund", ASKED, "c1"),
        *call("refund", ASKED, "c2"),
        *call("refund", ASKED, "c3"),
    ]
    other = call("refund", {**ASKED, "order": "B"}, "c4")
    model = scripted([*twins, *other], say("done"))
    agent = guard_agent(agent_of(model, tools=[refund_tool(calls)]), desk.guard)

    async def go():
        result = await ran(desk, agent, "refund", is_streamed=is_streamed)
        told = []
        while result.interruptions:
            assert len(told) < 4
            waiting = [one.args["order"] for one in desk.guard.approvals.pending()]
            approve(desk)
            state = result.to_state()
            if is_written:
                state = await RunState.from_string(agent, state.to_string())
            applied = await apply_approvals(state, desk.guard, session="s1", principal=WHO)
            result = await ran(desk, agent, state, is_streamed=is_streamed)
            told.append((waiting, applied.approved, applied.waiting, len(calls)))
        return told, result

    told, result = asyncio.run(go())
    # Whoever is shown a question is waited for, and each answer is one call's.
    assert told == [
        (["A", "B"], ("c1", "c4"), ("c2", "c3"), 2),
        (["A"], ("c2",), ("c3",), 3),
        (["A"], ("c3",), (), 4),
    ]
    assert result.final_output == "done"
    assert sorted(order for order, *_ in calls) == ["A", "A", "A", "B"]
    assert desk.guard.approvals.pending() == []


def shells(ran):
    twins = [*shell_call("ls", call_id="c1"), *shell_call("ls", call_id="c2")]
    return "shell", shell_of(ran), twins


def customs(ran):
    async def invoke(context, text):
        await asyncio.sleep(0)
        ran.append(text)
        return "ok"

    tool = CustomTool(name="act", description="", on_invoke_tool=invoke)
    kind = {"type": "custom_tool_call", "name": "act", "input": "a"}
    return "act", tool, [ResponseCustomToolCall(**kind, call_id=name) for name in ("c1", "c2")]


def patches(ran):
    class Editor:
        def create_file(self, operation):
            ran.append(operation.path)
            return ApplyPatchResult(status="completed", output="ok")

        update_file = delete_file = create_file

    kind = {"type": "apply_patch_call", "status": "completed"}
    kind["operation"] = {"type": "create_file", "path": "a", "diff": "+x"}
    twins = [{**kind, "id": name, "call_id": name} for name in ("c1", "c2")]
    made = [ResponseApplyPatchToolCall.model_validate(one) for one in twins]
    return "apply_patch", ApplyPatchTool(editor=Editor()), made


@STREAMED
@pytest.mark.parametrize("kind", [shells, customs, patches])
def test_an_approval_lifts_one_of_the_calls_of_native_tools_that_are_alike(
    tmp_path, kind, is_streamed
):
    acted = []
    name, tool, twins = kind(acted)
    desk = desk_of(tmp_path, {"tools": {name: ASKS}})
    model = scripted(whole(twins) if is_streamed else twins, say("done"))
    agent = guard_agent(agent_of(model, tools=[tool]), desk.guard)

    async def go():
        result = await ran(desk, agent, "x", is_streamed=is_streamed)
        told = []
        while result.interruptions:
            assert len(told) < 3
            count = len(desk.guard.approvals.pending())
            approve(desk)
            state = result.to_state()
            applied = await apply_approvals(state, desk.guard, session="s1", principal=WHO)
            result = await ran(desk, agent, state, is_streamed=is_streamed)
            told.append((count, applied.approved, applied.waiting, len(acted)))
        return told

    assert asyncio.run(go()) == [(1, ("c1",), ("c2",), 1), (1, ("c2",), (), 2)]
    assert desk.guard.approvals.pending() == []


def test_a_call_that_waits_for_another_approval_is_not_let_through_by_hand(tmp_path):
    calls, desk = [], desk_of(tmp_path, REFUND)
    model = scripted([*call("refund", ASKED, "c1"), *call("refund", ASKED, "c2")], say("done"))
    agent = guard_agent(agent_of(model, tools=[refund_tool(calls)]), desk.guard)
    result = asyncio.run(Runner.run(agent, "x", run_config=desk.config()))
    approve(desk)
    state = result.to_state()
    assert answered(desk, state).approved == ("c1",)
    for item in state.get_interruptions():
        state.approve(item)
    found = resumed(desk, agent, state)
    assert len(calls) == 1
    assert "Finance has to approve." in outputs(found)
