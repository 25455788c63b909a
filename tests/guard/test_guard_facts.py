"""Facts are looked up all at once, each in its own time; what fails cannot be told, and denies."""

import asyncio
import contextvars
import functools
import threading
import time

import pytest
from guarding import asking, guard_of

from policy_engine import Denied, Request
from policy_engine.guard import gather


def asking_for(*names, timeout="5s", when=None):
    fact = {"schema": {"type": "string"}, "timeout": timeout}
    condition = when or " || ".join(f"facts.{name} != 'good'" for name in names)
    return {
        "facts": {name: {**fact, "from": f"app:{name}", "with": ["args.a"]} for name in names},
        "tools": {
            "t": {
                "args": {"a": {"type": "string"}},
                "rules": [{"id": "r", "when": condition, "effect": "deny"}],
            }
        },
    }


def tool_of(guard, kind):
    if kind == "sync":
        return guard.tool(lambda a: a, name="t")

    @guard.tool(name="t")
    async def tool(a):
        return a

    return lambda a: asyncio.run(tool(a))


BOTH = pytest.mark.parametrize("kind", ["sync", "async"])


@BOTH
def test_facts_are_looked_up_at_the_same_time(kind):
    guard = guard_of(asking_for("x", "y", "z"))
    gate = threading.Barrier(3)

    def meet(a):
        gate.wait(5)
        return "good"

    for name in ("x", "y", "z"):
        guard.fact(name, meet)
    with asking(guard):
        assert tool_of(guard, kind)("k") == "k"


@BOTH
def test_each_fact_has_its_own_time_and_what_comes_late_is_not_heard(kind):
    guard = guard_of(asking_for("x", "y", timeout="60ms"))
    go_on = threading.Event()
    guard.fact("x", lambda a: go_on.wait(5) and "good")
    guard.fact("y", lambda a: go_on.wait(5) and "good")
    began = time.monotonic()
    with asking(guard), pytest.raises(Denied) as caught:
        tool_of(guard, kind)("k")
    assert time.monotonic() - began < 1
    assert caught.value.decision.reasons[0].code == "rule.cannot_tell"
    go_on.set()


FAILING = {
    "raises": lambda a: 1 / 0,
    "exits": lambda a: (_ for _ in ()).throw(SystemExit),
    "is of another type": lambda a: 7,
    "is no JSON": lambda a: object(),
    "is a subclass of text": lambda a: type("S", (str,), {})("good"),
    "takes no argument": lambda: "good",
}


@BOTH
@pytest.mark.parametrize("case", FAILING)
def test_a_fact_that_fails_cannot_be_told(case, kind):
    guard = guard_of(asking_for("x"))
    guard.fact("x", FAILING[case])
    with asking(guard), pytest.raises(Denied) as caught:
        tool_of(guard, kind)("k")
    assert caught.value.decision.reasons[0].code == "rule.cannot_tell"
    assert len(guard.seen) == 1


async def good_later(a):
    await asyncio.sleep(0)
    return "good"


class GoodLater:
    async def __call__(self, a):
        await asyncio.sleep(0)
        return "good"


@BOTH
@pytest.mark.parametrize("function", [good_later, GoodLater(), functools.partial(good_later)])
def test_facts_may_be_async_in_every_form(function, kind):
    guard = guard_of(asking_for("x"))
    guard.fact("x", function)
    with asking(guard):
        assert tool_of(guard, kind)("k") == "k"


def test_a_lookup_in_a_thread_does_not_block_the_loop_and_sees_the_context():
    guard = guard_of(asking_for("x"))
    who = contextvars.ContextVar("who", default="nobody")
    ticks = []
    looking = threading.Event()

    def look_up(a):
        looking.set()
        while len(ticks) < 3:
            time.sleep(0.001)
        return "good" if who.get() == "me" else "bad"

    guard.fact("x", look_up)

    @guard.tool(name="t")
    async def tool(a):
        return a

    async def tick():
        while not looking.is_set() or len(ticks) < 3:
            ticks.append(looking.is_set())
            await asyncio.sleep(0.001)

    async def work():
        who.set("me")
        return (await asyncio.gather(tool("k"), tick()))[0]

    with asking(guard):
        assert asyncio.run(work()) == "k"


@BOTH
def test_a_lookup_cannot_change_what_is_judged_or_what_arrives(kind):
    policy = asking_for("x", when="facts.x != 'good' || size(args.a) > 1")
    policy["tools"]["t"]["args"]["a"] = {"type": "array", "items": {"type": "string"}}
    guard = guard_of(policy)

    def look_up(a):
        a.extend(["more", "and more"])
        return "good"

    guard.fact("x", look_up)
    with asking(guard):
        assert tool_of(guard, kind)(["one"]) == ["one"]


def test_lookups_that_hang_are_bounded_and_deny_until_they_end(monkeypatch, caplog):
    monkeypatch.setattr(gather, "_MAX_HANGING", 3)
    guard = guard_of(asking_for("x", timeout="10ms"))
    go_on = threading.Event()
    started = []

    def look_up(a):
        started.append(a)
        go_on.wait(5)
        return "good"

    guard.fact("x", look_up)
    tool = tool_of(guard, "sync")
    with asking(guard):
        for _ in range(6):
            with pytest.raises(Denied):
                tool("k")
        assert len(started) == 3
        assert "3 lookups hang already" in caplog.text
        go_on.set()
        for _ in range(500):
            if not gather._HANGING.count:
                break
            time.sleep(0.01)
        assert tool("k") == "k"


def test_facts_are_registered_as_functions():
    guard = guard_of()
    with pytest.raises(TypeError, match="needs a function"):
        guard.fact("x", "no function")


def test_deciding_looks_facts_up_too():
    guard = guard_of(asking_for("x"))
    guard.fact("x", lambda a: "good" if a == "k" else "bad")
    request = Request(tool="t", args={"a": "k"}, agent="a", session="s1", principal={"id": "u1"})
    assert guard.decide(request).permitted
    assert asyncio.run(guard.adecide(request)).permitted
    assert not guard.seen
