"""Denials of what nobody could carry out: recorded, and nothing else."""

import pytest
from guarding import Broken, asking, guard_of

from policy_engine import Denied, Request

LIMITED = {
    "tools": {
        "t": "allow",
        "ask": {
            "effect": "require_approval",
            "approval": {"approvers": ["finance"], "expires": "5m"},
        },
    },
    "limits": [{"id": "few", "tools": ["t"], "max": 1, "by": ["session"]}],
}


def test_what_is_refused_is_recorded_counted_nowhere_and_asked_of_nobody():
    guard = guard_of(LIMITED)
    with asking(guard):
        for name in ("t", "ask"):
            request = Request(stage="tool_call", tool=name, args={"x": 1}, call_id="c1")
            denied = guard.refuse(request, "guard.absent", "It is not there.")
            assert denied.message == "It is not there."
            assert denied.decision.effect == "deny"
        guard.enforce(Request(stage="tool_call", tool="t", args={"x": 1}, call_id="c1"))
    assert [(one["effect"], one["codes"]) for one in guard.seen.decisions] == [
        ("deny", ["guard.absent"]),
        ("deny", ["guard.absent"]),
        ("allow", ["entry.allow"]),
    ]
    assert list(guard.approvals.pending()) == []


def test_a_refusal_that_cannot_be_recorded_is_a_denial_all_the_same():
    guard = guard_of(LIMITED, records=Broken())
    with asking(guard):
        denied = guard.refuse(Request(stage="tool_call", tool="t", args={}), "guard.absent", "No.")
    assert denied.decision.reasons[0].code == "record.failed"


def test_a_refusal_of_what_has_no_form_is_recorded_as_that():
    guard = guard_of(LIMITED)
    with asking(guard), pytest.raises(Denied):
        guard.refuse(
            Request(stage="tool_call", tool="t", args={"x": object()}), "guard.absent", "No."
        )
    assert [one["codes"] for one in guard.seen.decisions] == [["guard.unjudgeable"]]


def test_a_code_that_nobody_knows_is_refused():
    guard = guard_of(LIMITED)
    with pytest.raises(ValueError, match='"gone" is no code of a decision: there are'):
        guard.refuse(Request(stage="tool_call", tool="t", args={}), "gone", "No.")
