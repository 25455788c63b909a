"""Approvals: paused, written down, answered elsewhere, resumed, and decided once more."""

import asyncio
import contextlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from agents import ModelBehaviorError, RunConfig, Runner, RunState, UserError, function_tool
from openai_desk import WHO, agent_of, call, desk_of, outputs, refund_tool, say, scripted

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
