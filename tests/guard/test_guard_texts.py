"""Texts in and out, requests by hand, and the roads that are walked seldom."""

import asyncio

import pytest
from guarding import OPEN, WHO, asking, guard_of, used, write

from policy_engine import Denied, Guard, Request, guarded

POLICY = {
    "input": [
        {"id": "mail", "check": {"pattern": {"any": [r"[a-z]+@example\.com"]}}, "effect": "redact"},
        {"id": "bad", "check": {"terms": {"any": ["ignore your rules"]}}, "effect": "deny"},
    ],
    "output": [
        {"id": "term", "check": {"terms": {"any": ["internal only"]}}, "effect": "redact"},
        {"id": "out", "check": {"terms": {"any": ["top secret"]}}, "effect": "deny"},
    ],
}


class Text(str):
    """Answers differently each time."""

    __slots__ = ()


def in_two_ways(guard, stage):
    """Return the sync and the async form of a check of a text."""
    sync = getattr(guard, f"check_{stage}")
    later = getattr(guard, f"acheck_{stage}")
    return sync, lambda text: asyncio.run(later(text))


@pytest.mark.parametrize(
    ("stage", "redacted", "refused"),
    [
        ("input", "mail ada@example.com", "ignore your rules"),
        ("output", "this is internal only", "top secret"),
    ],
)
def test_a_text_is_handed_back_as_it_may_be_read_or_said(stage, redacted, refused):
    guard = guard_of(POLICY)
    for check in in_two_ways(guard, stage):
        with asking(guard):
            assert check("hello") == "hello"
            assert redacted not in check(redacted)
            for text in (refused, Text("hello"), ["hello", object()]):
                with pytest.raises(Denied):
                    check(text)
    codes = [record["codes"] for record in guard.seen.decisions]
    assert codes.count(["guard.unjudgeable"]) == 4
    assert {record["session"] for record in guard.seen.decisions} == {"s1"}


def test_a_request_by_hand_is_copied_before_it_is_judged():
    guard = guard_of(OPEN)
    args = {"to": ["a"]}
    decision = guard.enforce(Request(tool="t", args=args, principal=WHO))
    args["to"].append("b")
    assert decision.request.args == {"to": ["a"]}
    later = asyncio.run(guard.aenforce(Request(tool="t", args=args)))
    assert later.request.args == {"to": ["a", "b"]}
    assert later == guard.decide(Request(tool="t", args=args))


class Shifting(dict):
    """A principal whose roles depend on how often one asks."""

    def get(self, name, default=None):
        self["asked"] = super().get("asked", 0) + 1
        return super().get(name, default)


@pytest.mark.parametrize(
    "fields",
    [
        {"args": {"a": object()}},
        {"args": Shifting()},
        {"tool": Text("t")},
        {"session": 7},
        {"result": b"bytes"},
    ],
)
def test_a_request_that_could_change_is_denied_and_recorded(fields):
    guard = guard_of(OPEN)
    request = Request(**{"tool": "t", "args": {}, "principal": WHO, **fields})
    for decision in (guard.decide(request), asyncio.run(guard.adecide(request))):
        assert decision.reasons[0].code == "guard.unjudgeable"
    assert not guard.seen
    with pytest.raises(Denied):
        guard.enforce(request)
    with pytest.raises(Denied):
        asyncio.run(guard.aenforce(request))
    assert [record["effect"] for record in guard.seen] == ["deny", "deny"]


def test_a_principal_is_read_once():
    guard = guard_of({"applies_to": {"roles": ["support"]}, "tools": {"t": "allow"}})
    shifting = Shifting(id="u1", roles=["support"])
    decision = guard.enforce(Request(tool="t", args={}, principal=shifting))
    assert type(decision.request.principal) is dict
    assert "asked" not in shifting


def test_policies_that_change_at_each_attempt_deny_in_the_end():
    fact = {"from": "app:x", "with": [], "schema": {"type": "string"}, "timeout": "5s"}
    tools = {"t": {"rules": [{"id": "r", "when": "facts.x == 'bad'", "effect": "deny"}]}}
    policy = {"facts": {"x": fact}, "tools": tools}
    guard = guard_of(policy)
    looked_up = []

    def look_up():
        looked_up.append(1)
        write(guard._folder.path, 0, {**policy, "description": f"number {len(looked_up)}"})
        guard.reload()
        return "good"

    guard.fact("x", look_up)
    with asking(guard), pytest.raises(Denied) as caught:
        guard.tool(lambda: 1, name="t")()
    assert caught.value.decision.reasons[0].code == "guard.contended"
    assert guard.seen.decisions[0]["codes"] == ["guard.contended"]
    assert len(looked_up) == 16


def test_what_interrupts_a_record_gives_back_what_was_counted():
    class Interrupting:
        def write(self, line):
            raise KeyboardInterrupt

    limit = {"id": "few", "tools": ["t"], "max": 1, "by": ["session"]}
    guard = guard_of({"tools": {"t": "allow"}, "limits": [limit]}, records=Interrupting())
    ran = []
    with asking(guard), pytest.raises(KeyboardInterrupt):
        guard.tool(lambda: ran.append(1), name="t")()
    assert not ran
    assert used(guard, "p0/few") == 0


def test_guarded_needs_a_guard():
    with pytest.raises(TypeError, match="write @guarded"):
        guarded(lambda: 1)
    guard = guard_of(OPEN)
    assert isinstance(guard, Guard)
    assert guarded(guard, name="t")(lambda: 1)() == 1


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda guard: guard.halt("tool", reason="x"), "name what is halted"),
        (lambda guard: guard.halt("all", "t", reason="x"), "name what is halted"),
        (
            lambda guard: guard.halt("all", reason="x", until=__import__("datetime").datetime.max),
            "needs an offset",
        ),
        (
            lambda guard: guard.record_usage(model="m", input_tokens=-1, output_tokens=0),
            "never negative",
        ),
    ],
)
def test_what_an_operator_gets_wrong_is_said(call, said):
    with pytest.raises(ValueError, match=said):
        call(guard_of(OPEN))
