"""An approval lifts exactly the call that people saw, once, by the rules of that moment."""

import asyncio
import threading

import pytest
from guarding import Broken, Clock, Records, asking, guard_of, used, write

from policy_engine import ApprovalRequired, Denied

FINANCE = {"id": "f1", "roles": ["finance"]}
SECURITY = {"id": "x1", "roles": ["security"]}


def gated(**approval):
    return {
        "tools": {
            "t": {
                "args": {"n": {"type": "integer"}, "note": {"type": "string", "optional": True}},
                "rules": [
                    {
                        "id": "finance",
                        "when": "args.n > 10",
                        "effect": "require_approval",
                        "approval": {"approvers": ["finance"], "expires": "15m", **approval},
                    },
                    {"id": "never", "when": "args.n > 1000", "effect": "deny"},
                ],
            }
        },
        "limits": [{"id": "few", "tools": ["t"], "max": 5, "by": ["session"]}],
    }


def tool_of(guard, ran, **options):
    @guard.tool(name="t", **options)
    def tool(n, note=""):
        ran.append((n, note))
        return n

    return tool


def asked(guard, tool, *args, **kwargs):
    """Call, and return what is asked of people."""
    with pytest.raises(ApprovalRequired) as caught:
        tool(*args, **kwargs)
    return [approval.id for approval in caught.value.approvals]


def test_an_approval_lifts_one_call_once():
    ran = []
    guard = guard_of(gated())
    tool = tool_of(guard, ran)
    with asking(guard):
        (first,) = asked(guard, tool, 20)
        assert asked(guard, tool, 20) == [first], "asking again resumes"
        assert used(guard, "p0/few") == 0
        guard.approvals.approve(first, by=FINANCE)
        assert tool(20) == 20
        assert guard.approvals.get(first).status == "used"
        assert asked(guard, tool, 20) != [first]
    assert ran == [(20, "")]
    assert used(guard, "p0/few") == 1
    effects = [record["effect"] for record in guard.seen.decisions]
    assert effects == ["require_approval", "require_approval", "allow", "require_approval"]
    assert len({record["fingerprint"] for record in guard.seen.decisions}) == 1


def test_of_two_threads_that_race_one_is_let_through():
    for _ in range(20):
        ran = []
        guard = guard_of(gated())
        tool = tool_of(guard, ran)
        session = asking(guard)
        with session:
            (first,) = asked(guard, tool, 20)
        guard.approvals.approve(first, by=FINANCE)
        gate = threading.Barrier(4)
        found = []

        def work(tool=tool, session=session, gate=gate, found=found):
            gate.wait()
            try:
                found.append(session.run(tool, 20))
            except ApprovalRequired:
                found.append("asked")

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(map(str, found)) == ["20", "asked", "asked", "asked"]
        assert ran == [(20, "")]
        assert used(guard, "p0/few") == 1


@pytest.mark.parametrize(
    ("args", "fields"),
    [
        ((21,), {}),
        ((20, "x"), {}),
        ((20,), {"session": "s2"}),
        ((20,), {"agent": "b"}),
        ((20,), {"principal": {"id": "u2", "roles": ["support"], "tenant": "acme"}}),
        ((20,), {"principal": {"id": "u1", "roles": ["support"], "tenant": "other"}}),
    ],
)
def test_an_approval_lifts_no_other_call(args, fields):
    ran = []
    guard = guard_of(gated())
    tool = tool_of(guard, ran)
    with asking(guard):
        (first,) = asked(guard, tool, 20)
    guard.approvals.approve(first, by=FINANCE)
    with asking(guard, **fields):
        assert asked(guard, tool, *args) != [first]
    assert not ran
    with asking(guard):
        assert tool(20) == 20


def test_every_gate_needs_its_own_approval():
    policy = gated()
    policy["rules"] = [
        {
            "id": "security",
            "tools": ["t"],
            "effect": "require_approval",
            "approval": {"approvers": ["security"], "expires": "1h"},
        }
    ]
    ran = []
    guard = guard_of(policy)
    tool = tool_of(guard, ran)
    with asking(guard):
        ids = asked(guard, tool, 20)
        by_rule = {guard.approvals.get(found).rule: found for found in ids}
        guard.approvals.approve(by_rule["p0/finance"], by=FINANCE)
        assert asked(guard, tool, 20) == [by_rule["p0/security"]]
        guard.approvals.approve(by_rule["p0/security"], by=SECURITY)
        assert tool(20) == 20
        assert {guard.approvals.get(found).status for found in ids} == {"used"}


def test_a_rejection_denies_and_nobody_is_asked_again():
    guard = guard_of(gated())
    tool = tool_of(guard, [])
    with asking(guard):
        (first,) = asked(guard, tool, 20)
        guard.approvals.reject(first, by=FINANCE, reason="no")
        with pytest.raises(Denied) as caught:
            tool(20)
    assert not isinstance(caught.value, ApprovalRequired)
    assert caught.value.decision.reasons[0].code == "approval.rejected"
    assert not guard.approvals.pending()


def test_an_approval_expires_and_is_asked_for_anew():
    clock = Clock()
    guard = guard_of(gated(), clock=clock)
    tool = tool_of(guard, [])
    with asking(guard):
        (first,) = asked(guard, tool, 20)
        guard.approvals.approve(first, by=FINANCE)
        clock.go(minutes=15)
        (second,) = asked(guard, tool, 20)
        assert second != first
        clock.go(minutes=-10)
        assert asked(guard, tool, 20) == [second], "a clock that goes back revives nothing"
        guard.approvals.approve(second, by=FINANCE)
        clock.go(minutes=12)
        assert tool(20) == 20


def test_the_newest_revision_decides_what_an_approval_is_worth():
    ran = []
    guard = guard_of(gated())
    tool = tool_of(guard, ran)
    with asking(guard):
        (first,) = asked(guard, tool, 20)
        guard.approvals.approve(first, by=FINANCE)
        write(guard._folder.path, 0, gated(quorum=2))
        guard.reload()
        assert asked(guard, tool, 20) == [first]
        guard.approvals.approve(first, by={"id": "f2", "roles": ["finance"]})
        stricter = gated()
        stricter["tools"]["t"]["args"]["n"]["maximum"] = 15
        write(guard._folder.path, 0, stricter)
        guard.reload()
        with pytest.raises(Denied) as caught:
            tool(20)
        assert not isinstance(caught.value, ApprovalRequired)
        write(guard._folder.path, 0, gated())
        guard.reload()
        assert tool(20) == 20
    assert len(ran) == 1


def test_what_denies_beats_what_asks_and_nobody_is_asked():
    guard = guard_of(gated())
    tool = tool_of(guard, [])
    with asking(guard):
        with pytest.raises(Denied) as caught:
            tool(2000)
        assert not isinstance(caught.value, ApprovalRequired)
        for _ in range(5):
            tool(1)
        with pytest.raises(Denied) as caught:
            tool(20)
        assert not isinstance(caught.value, ApprovalRequired), "the limit is used up"
    assert not guard.approvals.pending()


def redacting():
    policy = gated()
    policy["rules"] = [
        {
            "id": "hide",
            "tools": ["t"],
            "check": {"pattern": {"any": [r"[a-z]+@example\.com"]}},
            "effect": "redact",
        }
    ]
    return policy


def test_what_the_approver_sees_is_what_runs_redacted():
    ran = []
    guard = guard_of(redacting())
    tool = tool_of(guard, ran)
    with asking(guard):
        (first,) = asked(guard, tool, 20, "mail ada@example.com")
        shown = guard.approvals.get(first).args
        assert "@" not in shown["note"]
        guard.approvals.get(first).args["note"] = "edited by the approver's program"
        guard.approvals.approve(first, by=FINANCE)
        # Another address is the same request once it is redacted.
        tool(20, "mail bob@example.com")
    assert ran == [(shown["n"], shown["note"])]


def test_an_approval_is_given_back_where_the_record_fails():
    ran = []
    guard = guard_of(gated(), records=Broken(taken=1))
    tool = tool_of(guard, ran)
    with asking(guard):
        (first,) = asked(guard, tool, 20)
        guard.approvals.approve(first, by=FINANCE)
        with pytest.raises(Denied, match="could not be recorded"):
            tool(20)
        assert guard.approvals.get(first).status == "approved"
        assert used(guard, "p0/few") == 0
        guard._parts.sink._function = Records()
        assert tool(20) == 20
    assert ran == [(20, "")]


def test_an_approval_is_used_where_the_tool_raises():
    guard = guard_of(gated())

    @guard.tool(name="t")
    def tool(n):
        raise ValueError

    with asking(guard):
        (first,) = asked(guard, tool, 20)
        guard.approvals.approve(first, by=FINANCE)
        with pytest.raises(ValueError, match=r"^$"):
            tool(20)
        assert asked(guard, tool, 20) != [first]


# Waiting


def approve_soon(guard, by=FINANCE):
    """Approve whatever waits, from another thread."""

    def work():
        while not guard.approvals.pending():
            threading.Event().wait(0.005)
        for approval in guard.approvals.pending():
            guard.approvals.approve(approval.id, by=by)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_a_call_may_wait_for_people():
    ran = []
    guard = guard_of(gated())
    tool = tool_of(guard, ran, wait=5)
    note = ["as it was asked"]
    with asking(guard):
        thread = approve_soon(guard)
        assert tool(20) == 20
        thread.join()
        assert len(ran) == 1
        with pytest.raises(ApprovalRequired):
            tool_of(guard, ran, wait=0.02)(30)
    assert note == ["as it was asked"]


def test_what_changes_while_people_are_asked_does_not_arrive():
    policy = {
        "tools": {
            "t": {
                "effect": "require_approval",
                "approval": {"approvers": ["finance"], "expires": "1h"},
            }
        }
    }
    guard = guard_of(policy)
    items = ["one"]
    shown = []

    def work():
        while not guard.approvals.pending():
            threading.Event().wait(0.005)
        shown.append(guard.approvals.pending()[0].args)
        items.append("two")
        guard.approvals.approve(guard.approvals.pending()[0].id, by=FINANCE)

    thread = threading.Thread(target=work)
    thread.start()
    with asking(guard):
        received = guard.tool(name="t", wait=5)(lambda items: items)(items)
    thread.join()
    assert [{"items": received}] == shown == [{"items": ["one"]}]


def test_a_coroutine_waits_without_blocking_the_loop():
    guard = guard_of(gated())

    @guard.tool(name="t", wait=5)
    async def tool(n):
        return n

    async def work():
        ticks = 0
        task = asyncio.create_task(tool(20))
        while not guard.approvals.pending():
            ticks += 1
            await asyncio.sleep(0.001)
        guard.approvals.approve(guard.approvals.pending()[0].id, by=FINANCE)
        return await task, ticks

    with asking(guard):
        result, ticks = asyncio.run(work())
    assert result == 20
    assert ticks


def test_who_is_told_may_wait_and_call_again():
    guard = guard_of(gated())
    tool = tool_of(guard, [])
    with asking(guard):
        with pytest.raises(ApprovalRequired) as caught:
            tool(20)
        assert not caught.value.wait(0.01)
        thread = approve_soon(guard)
        assert caught.value.wait(5)
        thread.join()
        assert asyncio.run(caught.value.wait_async(5))
        assert tool(20) == 20
        assert not caught.value.wait(0.01)


def test_a_rejection_ends_the_waiting():
    guard = guard_of(gated())
    tool = tool_of(guard, [], wait=30)

    def reject():
        while not guard.approvals.pending():
            threading.Event().wait(0.005)
        guard.approvals.reject(guard.approvals.pending()[0].id, by=FINANCE)

    thread = threading.Thread(target=reject)
    thread.start()
    with asking(guard), pytest.raises(ApprovalRequired):
        tool(20)
    thread.join()


def test_approvals_that_cannot_be_opened_deny():
    from policy_engine.approvals import MemoryApprovals

    guard = guard_of(gated(), approvals=MemoryApprovals(max_open=1))
    tool = tool_of(guard, [])
    with asking(guard):
        asked(guard, tool, 20)
        with pytest.raises(Denied, match="An approval cannot be asked for") as caught:
            tool(30)
    assert caught.value.decision.reasons[0].code == "approval.refused"
    assert guard.seen.decisions[-1]["codes"][0] == "approval.refused"
    assert used(guard, "p0/few") == 0


def test_the_message_of_a_needed_approval_is_returned_where_that_is_asked():
    guard = guard_of(gated())
    tool = tool_of(guard, [], on_denied="return")
    with asking(guard):
        assert "approval" in tool(20)
    assert len(guard.approvals.pending()) == 1


class Failing:
    """A store of approvals whose disk fails at one of its steps."""

    def __init__(self, store, step):
        self._store = store
        self._step = step

    def __getattr__(self, name):
        if name == self._step:
            raise OSError("the disk is gone")
        return getattr(self._store, name)


@pytest.mark.parametrize("step", ["statuses", "ask", "use"])
def test_a_store_that_fails_lets_nothing_through_and_holds_nothing(step):
    ran = []
    guard = guard_of(gated())
    tool = tool_of(guard, ran)
    with asking(guard):
        (first,) = asked(guard, tool, 20)
        guard.approvals.approve(first, by=FINANCE)
        guard._parts.approvals = Failing(guard.approvals, step)
        for number in (20, 30):
            if (step, number) in (("ask", 20), ("use", 30)):
                continue
            with pytest.raises(Denied) as caught:
                tool(number)
            assert not isinstance(caught.value, ApprovalRequired)
            code = caught.value.decision.reasons[0].code
            assert code == ("approval.refused" if step == "ask" else "guard.failed")
            assert guard.seen.decisions[-1]["codes"][0] == code
        assert used(guard, "p0/few") == 0
        guard._parts.approvals = guard.approvals
        assert tool(20) == 20
    assert ran == [(20, "")]
