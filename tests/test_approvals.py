"""Who may lift a rule: asked, answered, used once, and what never lifts it."""

import asyncio
import tempfile
import threading
import time
from collections import Counter
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from approving import F1, F2, O1, OTHER, RULE, START, U1, Clock, asked, at, gate, needing, status
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from policy_engine.approvals import (
    Approvals,
    Grant,
    MemoryApprovals,
    SqliteApprovals,
    standing,
)
from policy_engine.approvals.shelf import Room
from policy_engine.decision import ApprovalUse, Context, Decision, Outcome, Request
from policy_engine.errors import (
    ApprovalError,
    ApprovalExpiredError,
    ApprovalMismatchError,
    ApprovalNotFoundError,
)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=["memory", "sqlite"])
def make(request, tmp_path):
    """Make stores of one kind; each test runs over both."""
    numbers = count()

    def made(**options):
        if request.param == "memory":
            return MemoryApprovals(**options)
        return SqliteApprovals(tmp_path / f"{next(numbers)}.db", **options)

    return made


@pytest.fixture
def store(make, clock):
    return make(clock=clock)


# Asking


def test_a_store_is_a_store(make):
    assert isinstance(make(), Approvals)


def test_an_approval_says_all_that_an_approver_has_to_see(store):
    args = {"amount": 120, "notes": ["a", {"b": None}]}
    decision = needing(gate(quorum=2), args=args)
    (found,) = store.ask(decision, START)
    assert found.to_wire() == {
        "id": found.id,
        "rule": RULE,
        "fingerprint": decision.fingerprint,
        "stage": "tool_call",
        "tool": "refund",
        "target": None,
        "agent": "support-l1",
        "principal_id": "u1",
        "tenant": "acme",
        "session": "s1",
        "args": args,
        "message": f"Ask: {RULE}",
        "approvers": ["finance"],
        "quorum": 2,
        "requested_at": "2026-01-05T10:00:00Z",
        "expires_at": "2026-01-05T10:15:00Z",
        "policy_revision": "sha256:0",
        "status": "pending",
        "grants": [],
        "rejected_by": None,
        "rejected_at": None,
        "rejected_reason": "",
        "used_at": None,
    }


def test_an_approver_sees_the_redacted_request(store):
    decision = needing(gate(), args={"note": "call 555-0100"})
    redacted = replace(decision.asked, args={"note": "call <PHONE>"})
    settled = Decision(
        decision.asked, decision.outcome, Context("r", b"key", frozenset()), redacted
    )
    (found,) = store.ask(settled, START)
    assert found.args == {"note": "call <PHONE>"}
    assert found.fingerprint == settled.fingerprint != decision.fingerprint


def test_a_handoff_is_asked_for_like_a_call(store):
    (found,), _ = asked(store, stage="handoff", tool=None, args=None, target="billing")
    assert (found.stage, found.target, found.tool, found.args) == ("handoff", "billing", None, None)


def test_what_an_approver_is_shown_cannot_be_changed_from_outside(store):
    args = {"to": ["a@acme.com"]}
    decision = needing(gate(), args=args)
    (found,) = store.ask(decision, START)
    args["to"].append("evil@example.com")
    found.args["to"].append("evil@example.com")
    store.pending()[0].args["to"].append("evil@example.com")
    assert store.get(found.id).args == {"to": ["a@acme.com"]}
    with pytest.raises(FrozenInstanceError):
        found.status = "approved"


def test_each_rule_has_an_approval_of_its_own(store):
    found, fingerprint = asked(store, gate(), gate(OTHER, ("oncall",)))
    assert [approval.rule for approval in found] == [RULE, OTHER]
    assert status(store, fingerprint, gate(), gate(OTHER)) == {RULE: "pending", OTHER: "pending"}


def test_asking_again_with_the_same_request_resumes(store):
    (first,), _ = asked(store)
    (again,), _ = asked(store, now=at(60), call_id="c2", id="r2")
    assert again == first
    assert len(store.pending()) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"args": {"amount": 121}},
        {"args": {"amount": 120.0}},
        {"args": {"amount": True}},
        {"session": "s2"},
        {"agent": "support-l2"},
        {"tool": "refunds"},
        {"principal": {"id": "u2", "tenant": "acme"}},
        {"principal": {"id": "u1", "tenant": "beta"}},
    ],
    ids=str,
)
def test_another_request_is_asked_for_anew(store, fields):
    (first,), _ = asked(store)
    store.approve(first.id, by=F1)
    (second,), fingerprint = asked(store, **fields)
    assert second.id != first.id
    assert second.status == "pending"
    assert not store.use(fingerprint, [gate()], START)


@pytest.mark.parametrize("effect", ["allow", "redact", "deny"])
def test_nobody_is_asked_about_what_is_decided(store, effect):
    assert asked(store, effect=effect)[0] == ()
    assert store.pending() == []


def test_what_is_approved_already_is_not_asked_again(store):
    outcome = Outcome("require_approval", "require_approval", (), obligations=(ApprovalUse(RULE),))
    decision = Decision(Request(tool="t", args={}), outcome, Context("r", b"k", frozenset()))
    assert store.ask(decision, START) == ()


def test_ids_cannot_be_guessed_and_are_the_callers_to_make(make, clock):
    (found,), _ = asked(make(clock=clock))
    assert len(found.id) == 32
    numbers = iter("abcd")
    store = make(clock=clock, new_id=lambda: next(numbers))
    assert asked(store)[0][0].id == "a"


def test_an_id_that_was_given_is_not_given_again(make, clock):
    store = make(clock=clock, new_id=lambda: "same")
    asked(store)
    with pytest.raises(ApprovalError, match="the id of another one"):
        asked(store, session="s2")


def test_the_key_is_random_or_given_but_never_empty():
    assert MemoryApprovals(key=b"k").key == b"k"
    assert len(MemoryApprovals().key) == 32
    assert MemoryApprovals().key != MemoryApprovals().key
    with pytest.raises(ValueError, match="empty"):
        MemoryApprovals(key=b"")


def nested(depth):
    value = "end"
    for _ in range(depth):
        value = [value]
    return {"a": value}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"args": nested(80)}, "nested too deeply"),
        ({"args": {"a": {1, 2}}}, 'hold a "set"'),
        ({"args": {"a": type("Text", (str,), {})("a")}}, 'hold a "Text"'),
        ({"args": {"a": {b"k": 1}}}, 'hold a "bytes"'),
        ({"args": {"a": {1: 1}}}, 'hold a "int" as a key'),
        ({"args": {"a": [10**4300]}}, "number too long"),
        ({"principal": "u1"}, "principal is not a mapping"),
        ({"principal": {"id": 5}}, "principal's id is not a text"),
        ({"principal": {"id": "u1", "tenant": 5}}, "principal's tenant is not a text"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_people_cannot_judge_is_not_asked(store, fields, message):
    with pytest.raises(ApprovalError, match=message):
        asked(store, **fields)
    assert store.pending() == []


def test_arguments_that_differ_only_where_no_fingerprint_looks_are_never_approved(store):
    deep, other = nested(300), nested(300)
    other["a"] = [other["a"]]
    # That such requests look alike is why they cannot be asked for.
    assert needing(gate(), args=deep).fingerprint == needing(gate(), args=other).fingerprint
    with pytest.raises(ApprovalError):
        asked(store, args=deep)
    assert asked(store, args=nested(50))[0]


def test_a_time_without_an_offset_is_refused(store):
    with pytest.raises(TypeError, match="offset"):
        asked(store, now=datetime(2026, 1, 5))  # noqa: DTZ001


# Answering


def test_an_approval_lifts_a_rule_once(store):
    (found,), fingerprint = asked(store)
    assert not store.use(fingerprint, [gate()], at(1))
    given = store.approve(found.id, by=F1, reason="ok")
    assert given.status == "approved"
    assert [(g.by_id, g.roles, g.at, g.reason) for g in given.grants] == [
        ("f1", ("finance",), START, "ok")
    ]
    assert status(store, fingerprint, now=at(1)) == {RULE: "approved"}
    assert store.use(fingerprint, [gate()], at(1))
    assert not store.use(fingerprint, [gate()], at(1))
    assert store.get(found.id).status == "used"
    assert store.get(found.id).used_at == at(1)
    assert store.pending() == []


def test_what_was_used_is_asked_for_anew(store):
    (first,), fingerprint = asked(store)
    store.approve(first.id, by=F1)
    assert store.use(fingerprint, [gate()], START)
    assert status(store, fingerprint) == {RULE: "used"}
    (second,), _ = asked(store)
    assert second.id != first.id
    assert status(store, fingerprint) == {RULE: "pending"}


def test_a_quorum_is_that_many_people(store):
    (found,), fingerprint = asked(store, gate(quorum=2))
    assert store.approve(found.id, by=F1).status == "pending"
    assert status(store, fingerprint, gate(quorum=2)) == {RULE: "pending"}
    assert store.approve(found.id, by=F2).status == "approved"
    assert status(store, fingerprint, gate(quorum=2)) == {RULE: "approved"}


def test_a_rejection_ends_it_until_it_expires(store, clock):
    (found,), fingerprint = asked(store)
    store.approve(found.id, by=F1)
    ended = store.reject(found.id, by=F2, reason="not this one")
    assert (ended.status, ended.rejected_by, ended.rejected_reason) == (
        "rejected",
        "f2",
        "not this one",
    )
    assert status(store, fingerprint) == {RULE: "rejected"}
    assert not store.use(fingerprint, [gate()], START)
    (again,), _ = asked(store, now=at(899))
    assert (again.id, again.status) == (found.id, "rejected")
    assert store.pending() == []
    (new,), _ = asked(store, now=at(900))
    assert (new.id != found.id, new.status) == (True, "pending")
    assert store.get(found.id).status == "rejected"


def test_a_rule_that_became_shorter_does_not_end_a_rejection(store):
    (found,), fingerprint = asked(store)
    store.reject(found.id, by=F1)
    assert status(store, fingerprint, gate(expires=60), now=at(120)) == {RULE: "rejected"}


def test_the_requester_may_withdraw(store):
    (found,), fingerprint = asked(store)
    store.reject(found.id, by={"id": "u1"})
    assert status(store, fingerprint) == {RULE: "rejected"}


ROLE = '"o1" has no role that may answer "ID"'

REFUSED = [
    ({"id": "o1", "roles": ["oncall"]}, ApprovalMismatchError, ROLE),
    ({"id": "o1"}, ApprovalMismatchError, ROLE),
    ({"id": "o1", "roles": []}, ApprovalMismatchError, ROLE),
    ({"id": "o1", "roles": ["Finance"]}, ApprovalMismatchError, ROLE),
    ({"id": "o1", "roles": ["finance "]}, ApprovalMismatchError, ROLE),
    ({"id": "o1", "roles": ["requester"]}, ApprovalMismatchError, ROLE),
    (U1, ApprovalMismatchError, '"u1" made the request "ID" and cannot approve it'),
    (
        {**F1, "tenant": "beta"},
        ApprovalMismatchError,
        '"f1" belongs to the tenant "beta" and cannot answer "ID"',
    ),
    ("f1", ApprovalError, 'who answers must be a mapping, not "str"'),
    (None, ApprovalError, 'who answers must be a mapping, not "NoneType"'),
    ({}, ApprovalError, "who answers needs an id that is not empty"),
    ({"id": " "}, ApprovalError, "who answers needs an id that is not empty"),
    ({"id": 5}, ApprovalError, "who answers needs an id that is not empty"),
    ({"id": "f1", "role": "finance"}, ApprovalError, '"role" says nothing about who answers'),
    (
        {"id": "f1", "roles": "finance"},
        ApprovalError,
        'the roles of "f1" must be a list, not "str"',
    ),
    (
        {"id": "f1", "roles": [5]},
        ApprovalError,
        'the roles of "f1" must be texts that are not empty',
    ),
    (
        {"id": "f1", "roles": ["finance"], "tenant": 5},
        ApprovalError,
        'the tenant of "f1" must be a text, not "int"',
    ),
]


@pytest.mark.parametrize(("by", "kind", "message"), REFUSED, ids=lambda value: str(value)[:60])
def test_who_may_not_approve_is_told_why(store, by, kind, message):
    (found,), fingerprint = asked(store)
    with pytest.raises(kind) as caught:
        store.approve(found.id, by=by)
    assert type(caught.value) is kind
    assert caught.value.message == message.replace("ID", found.id)
    assert status(store, fingerprint) == {RULE: "pending"}
    assert store.get(found.id).grants == ()


@pytest.mark.parametrize(
    "by", [F1, {**F1, "tenant": "acme"}, {**F1, "attrs": {}}, {"id": "f1", "roles": {"finance"}}]
)
def test_a_principal_is_a_form_of_who_answers(store, by):
    (found,), _ = asked(store)
    assert store.approve(found.id, by=by).status == "approved"


def test_a_message_says_who_may(store):
    (found,), _ = asked(store, gate(approvers=("finance", "board"), quorum=2))
    with pytest.raises(ApprovalMismatchError) as caught:
        store.approve(found.id, by=O1)
    assert str(caught.value) == (
        f'"o1" has no role that may answer "{found.id}"\n'
        '  hint: the roles given are: "oncall"; '
        'it needs 2 people of the roles "finance", "board"'
    )


def test_the_same_person_counts_once(store):
    (found,), fingerprint = asked(store, gate(quorum=2))
    store.approve(found.id, by=F1)
    with pytest.raises(ApprovalMismatchError, match="already"):
        store.approve(found.id, by={"id": "f1", "roles": ["finance", "board"]})
    assert status(store, fingerprint, gate(quorum=2)) == {RULE: "pending"}


def test_an_unknown_id_is_said(store):
    for act in (store.approve, store.reject):
        with pytest.raises(ApprovalNotFoundError, match='no approval has the id "x"'):
            act("x", by=F1)
    with pytest.raises(ApprovalNotFoundError):
        store.get("x")
    with pytest.raises(ApprovalNotFoundError):
        store.wait(["x"], 0)
    with pytest.raises(ApprovalNotFoundError):
        asyncio.run(store.wait_async(["x"], 0))


def test_what_is_over_is_not_answered(store, clock):
    (used,), fingerprint = asked(store)
    store.approve(used.id, by=F1)
    assert store.use(fingerprint, [gate()], START)
    (rejected,), _ = asked(store, session="s2")
    store.reject(rejected.id, by=F1)
    (expired,), _ = asked(store, gate(expires=60), session="s3")
    clock.now = at(60)
    for act in (store.approve, store.reject):
        with pytest.raises(ApprovalMismatchError, match="was used already"):
            act(used.id, by=F2)
        with pytest.raises(ApprovalMismatchError, match='was rejected already by "f1"'):
            act(rejected.id, by=F2)
        with pytest.raises(ApprovalExpiredError, match="expired at 2026-01-05T10:01:00"):
            act(expired.id, by=F2)


def test_another_tenants_people_reject_nothing(store):
    (found,), fingerprint = asked(store)
    with pytest.raises(ApprovalMismatchError, match='belongs to the tenant "beta"'):
        store.reject(found.id, by={**F1, "tenant": "beta"})
    assert status(store, fingerprint) == {RULE: "pending"}


def test_nobody_is_never_enough(store):
    (_,), fingerprint = asked(store, gate(quorum=0))
    assert status(store, fingerprint, gate(quorum=0)) == {RULE: "pending"}


def test_two_grants_of_one_person_are_one_person(store):
    (found,), _ = asked(store)
    grants = tuple(Grant("f1", ("finance",), at(second)) for second in (1, 2))
    twice = replace(found, grants=grants)
    assert standing(twice, gate(quorum=2), at(3)) == "pending"
    assert standing(twice, gate(quorum=1), at(3)) == "approved"


def test_a_reason_is_a_text(store):
    (found,), _ = asked(store)
    with pytest.raises(ApprovalError, match="a reason must be a text"):
        store.approve(found.id, by=F1, reason=None)


# The requester's own confirmation

OWN = gate(approvers=("requester",))


def test_the_end_users_own_confirmation_is_theirs_alone(store):
    (found,), fingerprint = asked(store, OWN)
    for by in (F1, {"id": "f1", "roles": ["requester"]}, {"id": "support-l1"}):
        with pytest.raises(ApprovalMismatchError, match="only who made it may confirm it"):
            store.approve(found.id, by=by)
    store.approve(found.id, by={"id": "u1"})
    assert store.use(fingerprint, [OWN], START)


@pytest.mark.parametrize("principal", [None, {}, {"id": None, "roles": ["finance"]}])
def test_without_a_principal_nobody_can_confirm(store, principal):
    (found,), _ = asked(store, OWN, principal=principal)
    with pytest.raises(ApprovalMismatchError, match="the request has no principal"):
        store.approve(found.id, by={"id": "support-l1", "roles": ["requester"]})


def test_without_a_principal_it_is_the_agent_that_asks(store):
    (found,), fingerprint = asked(store, principal=None)
    with pytest.raises(ApprovalMismatchError, match='"support-l1" made the request'):
        store.approve(found.id, by={"id": "support-l1", "roles": ["finance"]})
    store.approve(found.id, by=F1)
    assert store.use(fingerprint, [gate()], START)


def test_beside_other_roles_the_requester_does_not_count(store):
    mixed = gate(approvers=("requester", "finance"))
    (found,), _ = asked(store, mixed)
    for by in (U1, {"id": "x", "roles": ["requester"]}):
        with pytest.raises(ApprovalMismatchError):
            store.approve(found.id, by=by)
    assert store.approve(found.id, by=F1).status == "approved"


# What the newest revision asks


@pytest.mark.parametrize(
    ("now_asked", "seconds", "wanted"),
    [
        (gate(), 0, "approved"),
        (gate(approvers=("board",)), 0, "pending"),
        (gate(approvers=("board", "finance")), 0, "approved"),
        (gate(approvers=("support",)), 0, "pending"),
        (gate(quorum=2), 0, "pending"),
        (gate(expires=60), 59, "approved"),
        (gate(expires=60), 60, "expired"),
        (gate(expires=9000), 899, "approved"),
        (gate(expires=9000), 900, "expired"),
        (OWN, 0, "pending"),
    ],
)
def test_an_approval_is_judged_by_what_the_rule_asks_now(store, now_asked, seconds, wanted):
    (found,), fingerprint = asked(store)
    store.approve(found.id, by=F1)
    assert status(store, fingerprint, now_asked, now=at(seconds)) == {RULE: wanted}
    assert store.use(fingerprint, [now_asked], at(seconds)) is (wanted == "approved")


def test_asking_again_asks_whom_the_rule_names_now(store):
    (found,), fingerprint = asked(store)
    store.approve(found.id, by=F1)
    (again,), _ = asked(store, gate(approvers=("oncall",), expires=9000), revision="sha256:1")
    assert (again.id, again.status) == (found.id, "pending")
    assert (again.approvers, again.policy_revision) == (("oncall",), "sha256:1")
    assert again.expires_at == at(900)
    store.approve(found.id, by=O1)
    assert status(store, fingerprint, gate(approvers=("oncall",))) == {RULE: "approved"}


def test_who_got_the_right_role_since_may_approve_again(store):
    (found,), fingerprint = asked(store)
    store.approve(found.id, by=F1)
    board = gate(approvers=("board",))
    asked(store, board)
    given = store.approve(found.id, by={"id": "f1", "roles": ["board"]})
    assert [grant.roles for grant in given.grants] == [("board",)]
    assert store.use(fingerprint, [board], START)


def test_a_rule_that_became_shorter_asks_anew(store):
    (first,), _ = asked(store)
    (second,), fingerprint = asked(store, gate(expires=60), now=at(120))
    assert second.id != first.id
    assert store.get(first.id).status == "expired"
    assert status(store, fingerprint, gate(expires=60), now=at(120)) == {RULE: "pending"}
    assert [found.id for found in store.pending()] == [second.id]


def test_one_rule_that_stands_twice_must_hold_twice(store):
    (found,), fingerprint = asked(store)
    store.approve(found.id, by=F1)
    twice = (gate(), gate(quorum=2))
    assert status(store, fingerprint, *twice) == {RULE: "pending"}
    assert status(store, fingerprint, *reversed(twice)) == {RULE: "pending"}
    assert not store.use(fingerprint, twice, START)


# Using


def test_several_gates_are_used_all_or_none(store):
    gates = (gate(), gate(OTHER, ("oncall",)))
    (first, second), fingerprint = asked(store, *gates)
    store.approve(first.id, by=F1)
    assert not store.use(fingerprint, gates, START)
    assert status(store, fingerprint, *gates) == {RULE: "approved", OTHER: "pending"}
    store.approve(second.id, by=O1)
    assert store.use(fingerprint, gates, START)
    assert status(store, fingerprint, *gates) == {RULE: "used", OTHER: "used"}


def test_a_call_without_gates_needs_no_approval(store):
    assert store.use("hmac-sha256:0", (), START)


def test_what_was_used_for_nothing_is_given_back(store):
    gates = (gate(), gate(OTHER, ("finance",)))
    found, fingerprint = asked(store, *gates)
    for approval in found:
        store.approve(approval.id, by=F1)
    assert store.use(fingerprint, gates, START)
    store.release(fingerprint, [RULE])
    assert status(store, fingerprint, *gates) == {RULE: "approved", OTHER: "used"}
    store.release(fingerprint, [OTHER, "no/such-rule"])
    assert store.use(fingerprint, gates, START)


def test_giving_back_revives_nothing_else(store, clock):
    (pending,), fingerprint = asked(store)
    store.release(fingerprint, [RULE])
    assert store.get(pending.id).status == "pending"
    store.reject(pending.id, by=F1)
    store.release(fingerprint, [RULE])
    assert store.get(pending.id).status == "rejected"


def test_what_is_given_back_late_has_expired(store, clock):
    (found,), fingerprint = asked(store)
    store.approve(found.id, by=F1)
    assert store.use(fingerprint, [gate()], at(10))
    asked(store, now=at(1000), session="s2")
    store.release(fingerprint, [RULE])
    assert status(store, fingerprint, now=at(1000)) == {RULE: "expired"}


def test_no_clock_revives_what_has_expired(store):
    (found,), fingerprint = asked(store)
    store.approve(found.id, by=F1)
    assert status(store, fingerprint, now=at(900)) == {RULE: "expired"}
    assert status(store, fingerprint, now=at(1)) == {RULE: "expired"}
    assert not store.use(fingerprint, [gate()], at(1))


def test_using_alone_tells_that_it_has_expired(store):
    (found,), fingerprint = asked(store)
    store.approve(found.id, by=F1)
    assert not store.use(fingerprint, [gate()], at(900))
    assert not store.use(fingerprint, [gate()], at(1))


def test_an_end_that_was_brought_forward_is_kept_to(store):
    (found,), fingerprint = asked(store)
    asked(store, gate(expires=60))
    store.approve(found.id, by=F1)
    assert not store.use(fingerprint, [gate()], at(60))
    assert not store.use(fingerprint, [gate()], at(1))


def test_an_expiry_beyond_the_calendar_is_its_end(store):
    (found,), fingerprint = asked(store, gate(expires=1e18))
    assert found.expires_at.year == 9999
    assert store.approve(found.id, by=F1).status == "approved"
    assert status(store, fingerprint, gate(expires=1e18), now=at(1e9)) == {RULE: "approved"}


def race(count, act):
    ready = threading.Barrier(count)
    found = []

    def run():
        ready.wait()
        found.append(act())

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.mark.parametrize("count", [2, 16])
def test_of_threads_that_race_one_uses_an_approval(store, count):
    gates = (gate(), gate(OTHER, ("finance",)))
    for number in range(30):
        found, fingerprint = asked(store, *gates, session=f"s{number}")
        for approval in found:
            store.approve(approval.id, by=F1)
        used = race(count, lambda fingerprint=fingerprint: store.use(fingerprint, gates, START))
        assert Counter(used) == {True: 1, False: count - 1}


def test_threads_that_ask_at_once_get_one_approval(store):
    decision = needing(gate())
    found = race(16, lambda: store.ask(decision, START)[0].id)
    assert len(set(found)) == 1
    assert len(store.pending()) == 1


def test_one_person_in_many_threads_counts_once(store):
    (found,), fingerprint = asked(store, gate(quorum=2))

    def approve():
        try:
            store.approve(found.id, by=F1)
        except ApprovalMismatchError:
            return False
        return True

    assert Counter(race(16, approve)) == {True: 1, False: 15}
    assert status(store, fingerprint, gate(quorum=2)) == {RULE: "pending"}


# Bounds


def test_a_session_has_room_for_so_many(make, clock):
    store = make(clock=clock, max_open_per_session=3)
    for number in range(3):
        asked(store, args={"n": number})
    for _ in range(2):
        with pytest.raises(ApprovalError, match="3 approvals of this session are open"):
            asked(store, args={"n": 3})
    assert len(store.pending()) == 3
    asked(store, args={"n": 0})
    asked(store, args={"n": 3}, session="s2")
    assert len(store.pending()) == 4


def test_the_store_has_room_for_so_many(make, clock):
    store = make(clock=clock, max_open=3)
    for number in range(3):
        asked(store, session=f"s{number}")
    with pytest.raises(ApprovalError, match="3 approvals are open, and no more are opened"):
        asked(store, session="s3")
    assert [approval.session for approval in store.pending()] == ["s0", "s1", "s2"]


def test_all_gates_of_a_request_are_asked_for_or_none(make, clock):
    store = make(clock=clock, max_open=3)
    asked(store, gate(), gate(OTHER))
    with pytest.raises(ApprovalError):
        asked(store, gate(), gate(OTHER), session="s2")
    assert len(store.pending()) == 2


def test_arguments_have_room_for_so_many_bytes(make, clock):
    store = make(clock=clock, max_bytes=10_000)
    (first,), fingerprint = asked(store, args={"a": "x" * 6000})
    with pytest.raises(ApprovalError, match="too much room"):
        asked(store, args={"a": "y" * 6000})
    store.approve(first.id, by=F1)
    assert store.use(fingerprint, [gate()], START)
    asked(store, args={"a": "y" * 6000})
    with pytest.raises(ApprovalNotFoundError):
        store.get(first.id)


def test_a_number_takes_room_too(make, clock):
    store = make(clock=clock, max_bytes=10_000)
    with pytest.raises(ApprovalError, match="too much room"):
        asked(store, args={"a": [1 << 14_000] * 6})


def test_what_expired_makes_room(make, clock):
    store = make(clock=clock, max_open=2)
    (first,), _ = asked(store, session="s1")
    asked(store, gate(expires=60), session="s2")
    asked(store, now=at(60), session="s3")
    assert {found.session for found in store.pending()} == {"s1", "s3"}
    asked(store, now=at(1000), session="s4")
    assert store.get(first.id).status == "expired"


def test_a_rejection_is_never_forgotten_for_room(make, clock):
    store = make(clock=clock, max_open=1)
    (found,), fingerprint = asked(store)
    store.reject(found.id, by=F1)
    with pytest.raises(ApprovalError):
        asked(store, session="s2")
    assert status(store, fingerprint) == {RULE: "rejected"}


def test_what_is_over_is_kept_for_a_while(make, clock):
    store = make(clock=clock, max_closed=3)
    ids = []
    for number in range(5):
        (found,), fingerprint = asked(store, args={"n": number})
        store.approve(found.id, by=F1)
        assert store.use(fingerprint, [gate()], START)
        ids.append(found.id)
    for forgotten in ids[:2]:
        with pytest.raises(ApprovalNotFoundError):
            store.get(forgotten)
    assert [store.get(kept).status for kept in ids[2:]] == ["used"] * 3


def test_forgetting_the_old_one_leaves_the_new_one(make, clock):
    store = make(clock=clock, max_closed=1)
    for session in ("s1", "s2"):
        (found,), fingerprint = asked(store, session=session)
        store.approve(found.id, by=F1)
        assert store.use(fingerprint, [gate()], START)
        (new,), _ = asked(store, session=session)
        store.approve(new.id, by=F1)
    first = needing(gate(), session="s1").fingerprint
    assert status(store, first) == {RULE: "approved"}
    assert store.use(first, [gate()], START)


def test_a_looping_model_fills_no_memory(clock):
    store = MemoryApprovals(clock=clock, max_closed=10)
    for number in range(5_000):
        (found,), fingerprint = asked(store, args={"n": number})
        store.approve(found.id, by=F1)
        assert store.use(fingerprint, [gate()], START)
    shelf = store._shelf
    assert len(shelf._all) == len(shelf._latest) == len(shelf._sizes) == 10
    assert shelf._taken == Room(0, 10, sum(shelf._sizes.values()))
    assert (shelf._open, shelf._sessions) == ({}, {})
    assert len(shelf._due) <= 1_001


def test_a_looping_model_fills_no_file(tmp_path, clock):
    store = SqliteApprovals(tmp_path / "a.db", clock=clock, max_closed=10)
    for number in range(300):
        (found,), fingerprint = asked(store, args={"n": number})
        store.approve(found.id, by=F1)
        assert store.use(fingerprint, [gate()], START)
    with store._database.reading as connection:
        kept = connection.execute("SELECT count(*), sum(size), sum(is_open) FROM approvals")
        rows, size, is_open = kept.fetchone()
        assert (rows, is_open) == (10, 0)
        room = connection.execute("SELECT open, closed, bytes FROM room").fetchone()
        assert room == (0, 10, size)


# Waiting


def answering(act, after=0.05):
    timer = threading.Timer(after, act)
    timer.start()
    return timer


@pytest.mark.parametrize("act", ["approve", "reject"])
def test_a_thread_that_waits_is_woken_by_an_answer(store, act):
    (found,), _ = asked(store)
    timer = answering(lambda: getattr(store, act)(found.id, by=F1))
    assert store.wait([found.id], 30)
    timer.join()


def test_waiting_ends_at_the_timeout(store):
    (found,), _ = asked(store)
    began = time.monotonic()
    assert not store.wait([found.id], 0.05)
    assert 0.04 < time.monotonic() - began < 10
    assert not store.wait([found.id], 0)
    assert not store.wait([found.id], -1)


def test_waiting_is_for_all_or_for_the_first_that_fails(store):
    (first, second), _ = asked(store, gate(), gate(OTHER))
    store.approve(first.id, by=F1)
    assert store.wait([first.id], 0)
    assert not store.wait([first.id, second.id], 0)
    store.reject(second.id, by=F2)
    assert store.wait([first.id, second.id], 0)
    assert store.wait([], 0)


def test_waiting_ends_with_the_approval(make):
    store = make()
    (found,), _ = asked(store, gate(expires=0.1), now=datetime.now(UTC))
    assert store.wait([found.id], 30)
    assert store.get(found.id).status == "expired"


def test_half_a_quorum_wakes_nobody_for_good(store):
    (found,), _ = asked(store, gate(quorum=2))
    timer = answering(lambda: store.approve(found.id, by=F1), 0.01)
    assert not store.wait([found.id], 0.1)
    timer.join()


def test_ids_are_a_list(store):
    with pytest.raises(ApprovalError, match="ids are given as a list"):
        store.wait("abc", 0)


@pytest.mark.parametrize("act", ["approve", "reject"])
def test_a_task_that_waits_is_woken_by_a_thread_and_blocks_no_other(store, act):
    (found,), _ = asked(store)

    async def run():
        waiting = [asyncio.create_task(store.wait_async([found.id], 30)) for _ in range(20)]
        for _ in range(5):
            await asyncio.sleep(0.001)
        assert not any(task.done() for task in waiting)
        answered = asyncio.to_thread(getattr(store, act), found.id, by=F1)
        await answered
        return await asyncio.gather(*waiting)

    assert asyncio.run(run()) == [True] * 20
    assert store._bell.awaiting == {}


def test_a_task_is_woken_by_a_task_of_the_same_loop(store):
    (found,), _ = asked(store)

    async def run():
        waiting = asyncio.create_task(store.wait_async([found.id]))
        await asyncio.sleep(0)
        store.approve(found.id, by=F1)
        return await asyncio.wait_for(waiting, 30)

    assert asyncio.run(run())


def test_a_tasks_wait_ends_at_the_timeout(store):
    (found,), _ = asked(store)
    assert not asyncio.run(store.wait_async([found.id], 0.05))
    assert store._bell.awaiting == {}


def test_a_cancelled_wait_leaves_nothing_behind(store):
    (found,), fingerprint = asked(store)

    async def run():
        waiting = asyncio.create_task(store.wait_async([found.id], 30))
        await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert store._bell.awaiting == {}
        store.approve(found.id, by=F1)

    asyncio.run(run())
    assert store.use(fingerprint, [gate()], START)


def test_a_loop_that_is_gone_holds_up_nobody(store):
    (found,), _ = asked(store)
    loop = asyncio.new_event_loop()
    store._bell.awaiting[loop.create_future()] = loop
    loop.close()
    assert store.approve(found.id, by=F1).status == "approved"


# Properties

REQUESTS = st.fixed_dictionaries(
    {
        "args": st.dictionaries(
            st.sampled_from("ab"), st.sampled_from([1, 1.0, True, "1", None, [1], {"a": 1}])
        ),
        "session": st.sampled_from(["s1", "s2", None]),
        "agent": st.sampled_from(["a1", "a2", None]),
        "tool": st.sampled_from(["t1", "t2"]),
        "principal": st.sampled_from([{"id": "u1"}, {"id": "u1", "tenant": "acme"}, None]),
    }
)


@pytest.fixture(scope="module", params=["memory", "sqlite"])
def fresh(request, tmp_path_factory):
    """Make a new store for each example."""
    folder, numbers = tmp_path_factory.mktemp("stores"), count()

    def made(clock):
        if request.param == "memory":
            return MemoryApprovals(clock=clock)
        return SqliteApprovals(folder / f"{next(numbers)}.db", clock=clock)

    return made


@given(first=REQUESTS, second=REQUESTS)
def test_an_approval_for_one_fingerprint_lifts_no_other(fresh, first, second):
    store = fresh(Clock())
    (found,), approved = asked(store, **first)
    (_,), other = asked(store, **second)
    store.approve(found.id, by=F1)
    wanted = "approved" if approved == other else "pending"
    assert status(store, other) == {RULE: wanted}
    assert store.use(other, [gate()], START) is (approved == other)
    assert store.use(approved, [gate()], START) is (approved != other)


PEOPLE = {
    "u1": ["finance"],
    "f1": ["finance"],
    "f2": ["finance", "oncall"],
    "o1": ["oncall"],
    "x1": [],
}
GATES = st.builds(
    gate,
    rule=st.just(RULE),
    approvers=st.sampled_from([("finance",), ("oncall",), ("finance", "oncall"), ("requester",)]),
    quorum=st.integers(1, 2),
    expires=st.sampled_from([60.0, 300.0, 900.0]),
)


class ModelApproval:
    """What one approval is, told from its events alone."""

    def __init__(self, asked_for, now):
        self.asked_for = asked_for
        self.requested = now
        self.ends = now + asked_for.expires
        self.grants = {}
        self.end = None

    def counts(self, person, roles, approvers):
        if approvers == ("requester",):
            return person == "u1"
        return person != "u1" and any(role in approvers for role in roles)

    def judge(self, asked_for, now):
        if self.end in ("used", "expired"):
            return self.end
        if now >= self.ends:
            return "expired"
        if self.end == "rejected":
            return "rejected"
        if now >= self.requested + asked_for.expires:
            return "expired"
        people = [
            person
            for person, roles in self.grants.items()
            if self.counts(person, roles, asked_for.approvers)
        ]
        return "approved" if len(people) >= asked_for.quorum else "pending"


class ApprovalMachine(RuleBasedStateMachine):
    """Drives a store and a model of it side by side: one request, rules that change, one clock."""

    def store_of(self, clock):
        return MemoryApprovals(clock=clock)

    @initialize(asked_for=GATES)
    def begin(self, asked_for):
        self.clock = Clock()
        self.store = self.store_of(self.clock)
        self.fingerprint = needing(asked_for).fingerprint
        self.now = 0
        self.model = None
        self.id = None
        self.rule_now = asked_for

    @rule(seconds=st.sampled_from([1, 30, 60, 300]))
    def pass_time(self, seconds):
        self.now += seconds
        self.clock.now = at(self.now)

    @rule(asked_for=GATES)
    def change_the_rule(self, asked_for):
        self.rule_now = asked_for

    @rule()
    def ask(self):
        (found,), _ = asked(self.store, self.rule_now, now=at(self.now))
        model = self.model
        if model is None or model.judge(self.rule_now, self.now) in ("expired", "used"):
            assert found.id != self.id
            self.model, self.id = ModelApproval(self.rule_now, self.now), found.id
        else:
            assert found.id == self.id
            if model.end is None:
                model.ends = min(model.ends, model.requested + self.rule_now.expires)
                model.asked_for = self.rule_now
        assert found.status == self.model.judge(self.rule_now, self.now)

    @rule(person=st.sampled_from(sorted(PEOPLE)))
    def approve(self, person):
        if self.id is None:
            return
        model, roles = self.model, PEOPLE[person]
        asked_for = model.asked_for
        may = model.counts(person, roles, asked_for.approvers)
        wanted = None
        if model.judge(asked_for, self.now) == "expired":
            wanted = ApprovalExpiredError
        elif model.end is not None or not may or person in model.grants:
            wanted = ApprovalMismatchError
        if wanted is None:
            self.store.approve(self.id, by={"id": person, "roles": roles})
            model.grants[person] = roles
        else:
            with pytest.raises(wanted):
                self.store.approve(self.id, by={"id": person, "roles": roles})

    @rule(person=st.sampled_from(sorted(PEOPLE)))
    def reject(self, person):
        if self.id is None:
            return
        model, roles = self.model, PEOPLE[person]
        asked_for = model.asked_for
        may = person == "u1" or model.counts(person, roles, asked_for.approvers)
        if model.judge(asked_for, self.now) in ("pending", "approved") and may:
            self.store.reject(self.id, by={"id": person, "roles": roles})
            model.end = "rejected"
        else:
            with pytest.raises((ApprovalExpiredError, ApprovalMismatchError)):
                self.store.reject(self.id, by={"id": person, "roles": roles})

    @rule()
    def use(self):
        may = self.model is not None and self.model.judge(self.rule_now, self.now) == "approved"
        assert self.store.use(self.fingerprint, [self.rule_now], at(self.now)) is may
        if may:
            self.model.end = "used"

    @rule()
    def release(self):
        self.store.release(self.fingerprint, [RULE])
        if self.model is not None and self.model.end == "used":
            self.model.end = None

    @invariant()
    def the_status_is_what_the_events_say(self):
        found = self.store.statuses(self.fingerprint, [self.rule_now], at(self.now))
        model = self.model
        wanted = {} if model is None else {RULE: model.judge(self.rule_now, self.now)}
        assert found == wanted

    @invariant()
    def what_waits_is_listed(self):
        found = [approval.id for approval in self.store.pending()]
        model = self.model
        waits = model is not None and model.judge(model.asked_for, self.now) == "pending"
        assert found == ([self.id] if waits else [])


ApprovalMachine.TestCase.settings = settings(max_examples=300, stateful_step_count=30)
TestApprovalMachine = ApprovalMachine.TestCase


class SqliteApprovalMachine(ApprovalMachine):
    """The same over a file, which is closed and opened again now and then."""

    def store_of(self, clock):
        self.folder = tempfile.TemporaryDirectory()
        return SqliteApprovals(Path(self.folder.name) / "approvals.db", clock=clock)

    @rule()
    def open_again(self):
        self.store.close()
        self.store = SqliteApprovals(self.store._database.path, clock=self.clock)

    def teardown(self):
        if hasattr(self, "folder"):
            self.store.close()
            self.folder.cleanup()


SqliteApprovalMachine.TestCase.settings = settings(max_examples=50, stateful_step_count=30)
TestSqliteApprovalMachine = SqliteApprovalMachine.TestCase
