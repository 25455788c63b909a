"""What holds in odd places: generators that stand still, ids under way, clocks and forks."""

import asyncio
import contextlib
import copy
import os
import pickle
import subprocess
import sys
import textwrap
from dataclasses import replace

import pytest
from guarding import asking, guard_of, labels_of, used

from policy_engine import ApprovalRequired, Denied, Request
from policy_engine.state import SqliteState

PAGES = {
    "tools": {
        "page": {
            "labels": ["untrusted"],
            "result": [{"id": "r", "check": {"terms": {"any": ["evil"]}}, "effect": "deny"}],
        },
        "read": {"labels": ["untrusted"]},
        "send": "allow",
    },
    "rules": [
        {"id": "x", "tools": ["send"], "when": '"untrusted" in session.labels', "effect": "deny"}
    ],
}
ADMINS = {"applies_to": {"roles": ["admin"]}, "tools": {"t": "allow"}}
ALICE = {"id": "alice", "roles": ["user"]}
BOB = {"id": "bob", "roles": ["admin"]}


# Generators that fail in cleaning up


def untidy(guard, how):
    if how == "sync":

        @guard.tool(on_denied="return")
        def page():
            try:
                yield "evil"
            finally:
                raise RuntimeError("cleanup")

        return lambda: list(page())

    @guard.tool(name="page", on_denied="return")
    async def page_later():
        try:
            yield "evil"
        finally:
            raise RuntimeError("cleanup")

    async def collected():
        return [item async for item in page_later()]

    return lambda: asyncio.run(collected())


@pytest.mark.parametrize("how", ["sync", "async"])
def test_a_denial_is_told_whatever_goes_wrong_in_cleaning_up(how):
    guard = guard_of(PAGES)
    send = guard.tool(lambda: "sent", name="send")
    with asking(guard):
        assert untidy(guard, how)() == ['The rule "p0/r" does not permit this.']
        with pytest.raises(Denied, match="p0/x"):
            send()
    assert guard.seen.statuses == ["raised"]
    assert labels_of(guard).labels == {"untrusted"}


def test_a_clock_that_fails_after_a_call_hides_nothing(caplog):
    guard = guard_of(PAGES)
    tell = guard._parts.clock

    def read():
        guard._parts.clock = fail
        return "page"

    def fail():
        raise OSError("no clock")

    tool = guard.tool(read)
    with asking(guard):
        assert tool() == "page"
        with pytest.raises(Denied) as caught:
            tool()
        assert [reason.code for reason in caught.value.decision.reasons] == ["guard.failed"]
        guard._parts.clock = tell
        with pytest.raises(Denied, match="p0/x"):
            guard.tool(lambda: "sent", name="send")()
    assert guard.seen.statuses == ["returned"]
    assert "the clock failed after a call: OSError" in caplog.text


# Sessions that generators enter


@pytest.fixture
def loop():
    with asyncio.Runner() as runner:
        yield runner.get_loop()


def streams(guard, kind, tool, loop):
    if kind == "sync":

        def stream(who):
            with asking(guard, who["id"], principal=who):
                for _ in range(3):
                    yield who["id"], tried(tool)

        def steps(*generators):
            return [next(generator) for generator in generators]

        return stream, steps

    async def stream_later(who):
        async with asking(guard, who["id"], principal=who):
            for _ in range(3):
                await asyncio.sleep(0)
                yield who["id"], await asyncio.to_thread(tried, tool)

    def steps_later(*generators):
        async def run():
            return [await anext(generator) for generator in generators]

        return loop.run_until_complete(run())

    return stream_later, steps_later


def tried(tool):
    try:
        return tool()
    except Denied:
        return "denied"


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_session_of_a_generator_holds_for_it_alone(kind, loop):
    guard = guard_of(ADMINS)
    tool = guard.tool(lambda: "ran", name="t")
    stream, steps = streams(guard, kind, tool, loop)
    alice, bob = stream(ALICE), stream(BOB)
    found = steps(alice, bob, alice, bob, alice)
    assert found == [("alice", "denied"), ("bob", "ran")] * 2 + [("alice", "denied")]
    assert tried(tool) == "denied", "nobody asks here"
    assert [record["principal"] for record in guard.seen.decisions] == [
        "alice", "bob", "alice", "bob", "alice", None,
    ]  # fmt: skip


def test_a_task_that_consumes_is_not_who_a_generator_says():
    guard = guard_of(ADMINS)
    tool = guard.tool(lambda: "ran", name="t")

    async def stream():
        async with asking(guard, principal=BOB):
            yield tried(tool)
            yield await asyncio.create_task(asyncio.to_thread(tried, tool))

    async def consume():
        generator = stream()
        found = [await anext(generator), tried(tool)]
        found.append(await anext(generator))
        async with asking(guard, principal=BOB):
            found.append(tried(tool))
        found.append(tried(tool))
        return found

    assert asyncio.run(consume()) == ["ran", "denied", "ran", "ran", "denied"]


def test_what_is_made_a_context_manager_of_holds_for_who_enters_it():
    guard = guard_of(ADMINS)
    tool = guard.tool(lambda: "ran", name="t")

    @contextlib.contextmanager
    def acting():
        with asking(guard, principal=BOB):
            yield

    @contextlib.asynccontextmanager
    async def acting_later():
        async with asking(guard, principal=BOB):
            yield

    async def later():
        async with acting_later():
            return tried(tool)

    with acting():
        assert tried(tool) == "ran"
    assert tried(tool) == "denied"
    assert asyncio.run(later()) == "ran"

    def stacked():
        with contextlib.ExitStack() as stack:
            stack.enter_context(asking(guard, principal=BOB))
            yield tried(tool)

    generator = stacked()
    assert (next(generator), tried(tool)) == ("ran", "denied")
    generator.close()


# Call ids

LIMITED = {
    "tools": {"pay": {"args": {"amount": {"type": "number"}}}},
    "limits": [
        {"id": "calls", "max": 2, "per": "1h", "by": ["session"], "tools": ["pay"]},
        {"id": "sum", "of": "args.amount", "max": 500, "by": ["session"], "tools": ["pay"]},
    ],
}


def paying(amount, call_id="c1"):
    return Request(tool="pay", args={"amount": amount}, call_id=call_id)


def test_another_request_under_an_id_that_may_run_yet_is_counted_for_itself():
    guard = guard_of(LIMITED)
    with asking(guard):
        guard.enforce(paying(300))
        guard.enforce(paying(300))
        assert used(guard, "p0/sum") == 300, "asked again"
        with pytest.raises(Denied, match="sum"):
            guard.enforce(paying(201))
        guard.enforce(paying(200))
        assert (used(guard, "p0/sum"), used(guard, "p0/calls")) == (500, 2)


def test_what_ran_twice_under_one_id_is_counted_twice():
    guard = guard_of(LIMITED)
    with asking(guard):
        first, second = guard.enforce(paying(200)), guard.enforce(paying(200))
        guard.returned(first)
        assert used(guard, "p0/sum") == 200
        guard.returned(second)
        assert (used(guard, "p0/sum"), used(guard, "p0/calls")) == (400, 2)
        with pytest.raises(Denied, match="ran already"):
            guard.enforce(paying(200))


def test_what_ran_can_be_asked_and_changes_nothing():
    guard = guard_of(LIMITED)
    with asking(guard):
        assert guard.ran(paying(200)) is False
        permitted = guard.enforce(paying(200))
        assert guard.ran(paying(200)) is False
        guard.returned(permitted)
        assert guard.ran(paying(1)) is True
        assert guard.ran(replace(paying(1), call_id="another")) is False
        assert guard.ran(replace(paying(1), call_id=None)) is False
        assert used(guard, "p0/sum") == 200
    assert guard.ran(paying(200)) is False, "in another session"
    assert len(guard.seen.decisions) == 1


def test_what_ran_cannot_be_told_where_the_store_cannot_be_read(tmp_path):
    path = tmp_path / "state.db"
    state = SqliteState(path)
    guard = guard_of(LIMITED, state=state)
    assert guard.ran(paying(200)) is False
    state.close()
    path.write_bytes(b"this is no database" * 1000)
    assert guard.ran(paying(200)) is None


def test_a_call_that_the_guard_makes_is_made_once_at_a_time():
    guard = guard_of(LIMITED)
    ran = []

    async def pay(decision):
        ran.append(decision.request.args["amount"])
        await asyncio.sleep(0.01)
        return "paid"

    async def run():
        with asking(guard):
            calls = [guard.acall(paying(amount), pay) for amount in (500, *[1] * 20)]
            found = await asyncio.gather(*calls, return_exceptions=True)
            with pytest.raises(Denied, match="ran already"):
                await guard.acall(paying(1), pay)
            return found

    first, *others = asyncio.run(run())
    assert (first, ran) == ("paid", [500])
    assert {str(other) for other in others} == {"A call with this id is under way."}
    assert len(guard.seen.decisions) == 22


# Secrets


def test_the_key_of_approvals_stands_in_nothing_that_is_printed_or_sent():
    asks = {"effect": "require_approval", "approval": {"approvers": ["f"], "expires": "1h"}}
    guard = guard_of({"tools": {"t": asks}})
    key = guard.approvals.key
    with asking(guard):
        decision = guard.decide(Request(tool="t", args={"a": 1}))
        with pytest.raises(ApprovalRequired) as caught:
            guard.enforce(Request(tool="t", args={"a": 1}))
    for value in (decision, caught.value, caught.value.decision):
        sent = pickle.dumps(value)
        assert key not in sent
        again = pickle.loads(sent)
        again = again if hasattr(again, "fingerprint") else again.decision
        assert again.fingerprint == decision.fingerprint
        assert again.to_wire() == pickle.loads(pickle.dumps(again)).to_wire()
        assert "key" not in repr(getattr(value, "context", None))
    assert copy.deepcopy(decision) is decision


# Forks


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_child_decides_whatever_threads_of_the_parent_did(tmp_path):
    (tmp_path / "p.yaml").write_text(
        "policy: p\nlanguage: 1\ntools: {t: allow}\n"
        "limits: [{id: n, tools: [t], max: 100000000, per: 1h, by: [session]}]\n",
        "utf-8",
    )
    script = """
    import os, signal, sys, threading, warnings
    from policy_engine import Guard
    warnings.simplefilter("ignore")
    guard = Guard.from_path("p.yaml", records=lambda line: None)
    tool = guard.tool(lambda: 1, name="t")
    going = True
    def hammer():
        with guard.session("s"):
            while going:
                tool()
    threads = [threading.Thread(target=hammer) for _ in range(3)]
    for thread in threads:
        thread.start()
    hung = 0
    for _ in range(60):
        child = os.fork()
        if not child:
            signal.alarm(10)
            with guard.session("s"):
                tool()
            os._exit(0)
        hung += os.waitpid(child, 0)[1] != 0
    going = False
    sys.exit(hung)
    """
    found = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
