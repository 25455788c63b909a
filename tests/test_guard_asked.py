"""Calls that an adapter makes, what is asked before them, and what names alone deny."""

import asyncio
import json

import pytest
from support import engine_of

from policy_engine.decision import Request
from policy_engine.guard import ApprovalRequired, CallPaused, Denied, Guard, ToolTimeout

POLICY = {
    "policy": "p",
    "language": 1,
    "tools": {
        "pay": {
            "rules": [
                {
                    "id": "ask",
                    "when": "args.n > 5",
                    "effect": "require_approval",
                    "approval": {"approvers": ["boss"], "expires": "1h"},
                },
                {"id": "hide", "check": {"terms": {"any": ["acme"]}}, "effect": "redact"},
            ],
            "args": {
                "n": {"type": "integer", "maximum": 9},
                "note": {"type": "string", "optional": True},
            },
            "result": [{"id": "out", "check": {"terms": {"any": ["secret"]}}, "effect": "deny"}],
            "timeout": "50ms",
        }
    },
    "limits": [{"id": "two", "tools": ["pay"], "max": 2, "by": ["session"]}],
}


@pytest.fixture
def guard(tmp_path):
    (tmp_path / "p.yaml").write_text(json.dumps(POLICY))
    return Guard.from_path(tmp_path / "p.yaml", records=[].append)


def pay(call_id, **args):
    return Request(tool="pay", args=args, session="s", call_id=call_id)


def made(guard, request, answer="ok"):
    seen = []

    async def function(decision):
        seen.append(decision.request.args)
        if isinstance(answer, BaseException):
            raise answer
        if answer == "late":
            await asyncio.sleep(5)
        return answer

    return asyncio.run(guard.acall(request, function)), seen


def test_a_call_runs_with_what_is_permitted(guard):
    assert made(guard, pay("c", n=1, note="for acme"))[1] == [{"n": 1, "note": "for <TERM>"}]


def test_a_call_or_its_result_may_be_denied(guard):
    with pytest.raises(Denied):
        made(guard, pay("c", n=99))
    with pytest.raises(Denied):
        made(guard, pay("d", n=1), "a secret")
    with pytest.raises(ToolTimeout):
        made(guard, pay("e", n=1), "late")


def test_a_call_that_ended_does_not_run_again_and_one_that_paused_does(guard):
    with pytest.raises(CallPaused):
        made(guard, pay("c", n=1), CallPaused())
    assert made(guard, pay("c", n=1))[0] == "ok"
    with pytest.raises(Denied):
        made(guard, pay("c", n=1))
    # Both count as one call of the two.
    assert made(guard, pay("d", n=1))[0] == "ok"
    with pytest.raises(Denied):
        made(guard, pay("e", n=1))


def test_asking_opens_an_approval_and_counts_nothing(guard):
    for _ in range(5):
        asked = asyncio.run(guard.aask(pay("c", n=7)))
        assert len(asked.approvals) == 1
    (waiting,) = guard.approvals.pending()
    guard.approvals.approve(waiting.id, by={"id": "b", "roles": ["boss"]})
    assert asyncio.run(guard.aask(pay("c", n=7))).decision.permitted
    assert made(guard, pay("c", n=7))[0] == "ok"
    with pytest.raises(ApprovalRequired):
        made(guard, pay("d", n=7))


def test_nobody_is_asked_about_what_is_denied(guard):
    assert asyncio.run(guard.aask(pay("c", n=99))).approvals == ()
    assert guard.approvals.pending() == []


def test_what_cannot_be_recorded_is_not_asked(tmp_path):
    (tmp_path / "p.yaml").write_text(json.dumps(POLICY))

    def broken(line):
        raise OSError("full")

    guard = Guard.from_path(tmp_path / "p.yaml", records=broken)
    with pytest.raises(Denied):
        asyncio.run(guard.aask(pay("c", n=7)))


@pytest.mark.parametrize(
    ("policies", "name", "agent", "wanted"),
    [
        ([{"tools": {"a": "allow"}}], "a", None, False),
        ([{"tools": {"a": "allow"}}], "b", None, True),
        ([{"tools": {"a": "allow"}}, {"tools": {"a": "deny"}}], "a", None, True),
        ([{"applies_to": {"agents": ["x"]}, "tools": {"a": "allow"}}], "a", "x", False),
        ([{"applies_to": {"agents": ["x"]}, "tools": {"a": "allow"}}], "a", "y", True),
        ([{"applies_to": {"roles": ["r"]}, "tools": {"a": "allow"}}], "a", "x", False),
        (
            [
                {"tools": {"a": "allow"}},
                {"applies_to": {"roles": ["r"]}, "tools": {"a": "deny"}},
            ],
            "a",
            "x",
            False,
        ),
        (
            [{"applies_to": {"roles": [f"r{n}"]}, "tools": {"a": "deny"}} for n in range(9)],
            "a",
            "x",
            False,
        ),
    ],
    ids=[
        "an entry permits",
        "no entry",
        "one entry denies",
        "for this agent",
        "for another agent",
        "some role may",
        "some role may not",
        "too many to try",
    ],
)
def test_what_names_alone_deny(policies, name, agent, wanted):
    engine = engine_of(*policies)
    assert engine.never_permits("tool_call", name, agent) is wanted
    assert engine.never_permits("tool_call", name, agent) is wanted
