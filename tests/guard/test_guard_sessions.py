"""Who asks is carried by tasks and executors; what does not carry over is denied."""

import asyncio
import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from guarding import WHO, asking, guard_of, labels_of

from policy_engine import Denied, RequestError
from policy_engine.guard import GuardSession
from policy_engine.state import MemoryState

KNOWN = {"applies_to": {"roles": ["support"]}, "tools": {"t": "allow"}}


def who_of(guard):
    """Return a guarded function, and the sessions and agents that it was called for."""
    return guard.tool(lambda: "ran", name="t")


def seen(guard):
    return [(record["session"], record["agent"]) for record in guard.seen.decisions]


def test_the_innermost_session_holds_and_the_outer_one_again_after_it():
    guard = guard_of(KNOWN)
    tool = who_of(guard)
    with asking(guard, "s1"):
        tool()
        with asking(guard, "s2", agent="b") as inner, inner.as_agent("c"):
            tool()
        tool()
    with pytest.raises(Denied):
        tool()
    assert seen(guard) == [("s1", "a"), ("s2", "c"), ("s1", "a"), (None, None)]


def test_two_guards_hold_their_sessions_side_by_side():
    one, two = guard_of(KNOWN), guard_of(KNOWN)
    first, second = who_of(one), who_of(two)
    with asking(one, "s1"):
        with asking(two, "s2"):
            first()
            second()
        with pytest.raises(Denied):
            second()
        first()
    assert seen(one) == [("s1", "a"), ("s1", "a")]
    assert seen(two) == [("s2", "a"), (None, None)]


def test_a_session_may_be_entered_again_and_left_in_any_order():
    guard = guard_of(KNOWN)
    tool = who_of(guard)
    one, two = asking(guard, "s1"), asking(guard, "s2")
    one.__enter__()
    two.__enter__()
    one.__enter__()
    one.__exit__(None, None, None)
    tool()
    one.__exit__(None, None, None)
    tool()
    two.__exit__(None, None, None)
    with pytest.raises(Denied):
        tool()
    one.__exit__(None, None, None)
    assert [found for found, _ in seen(guard)] == ["s2", "s2", None]


def test_leaving_in_another_context_changes_nothing_there():
    guard = guard_of(KNOWN)
    tool = who_of(guard)
    session = asking(guard, "s1")
    contextvars.copy_context().run(session.__enter__)
    session.__exit__(None, None, None)
    with pytest.raises(Denied):
        tool()

    async def opened():
        async with asking(guard, "s1"):
            yield tool()

    async def left_elsewhere():
        running = opened()
        await asyncio.create_task(anext(running))
        await asyncio.create_task(running.aclose())
        return 1

    assert asyncio.run(left_elsewhere()) == 1


def test_one_session_object_serves_many_threads_at_once():
    guard = guard_of(KNOWN)
    tool = who_of(guard)
    session = asking(guard, "s1")
    gate = threading.Barrier(8)

    def work():
        gate.wait()
        for _ in range(50):
            with session:
                assert tool() == "ran"
        with pytest.raises(Denied):
            tool()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen(guard).count(("s1", "a")) == 400
    assert seen(guard).count((None, None)) == 8


def test_a_new_thread_or_executor_starts_without_a_session():
    guard = guard_of(KNOWN)
    tool = who_of(guard)
    with asking(guard) as session, ThreadPoolExecutor(1) as pool:
        with pytest.raises(Denied):
            pool.submit(tool).result()
        assert pool.submit(session.run, tool).result() == "ran"
        assert pool.submit(session.bind(tool)).result() == "ran"
        with pytest.raises(Denied):
            pool.submit(tool).result()


def test_tasks_and_to_thread_carry_the_session_of_where_they_began():
    guard = guard_of(KNOWN)
    tool = who_of(guard)

    async def work():
        async with asking(guard, "s1"):
            carried = asyncio.create_task(asyncio.to_thread(tool))
            async with asking(guard, "s2"):
                inner = asyncio.create_task(asyncio.to_thread(tool))
            assert [await carried, await inner] == ["ran", "ran"]
        with pytest.raises(Denied):
            tool()
        with pytest.raises(Denied):
            await asyncio.get_running_loop().run_in_executor(None, tool)

    asyncio.run(work())
    assert sorted(str(found) for found, _ in seen(guard)) == ["None", "None", "s1", "s2"]


def test_tasks_side_by_side_do_not_see_each_others_sessions():
    guard = guard_of(KNOWN)
    tool = guard.tool(name="t")(_asleep)

    async def of(name):
        async with asking(guard, name):
            for _ in range(5):
                await tool(name)

    async def everyone():
        await asyncio.gather(*(of(f"s{n}") for n in range(20)))

    asyncio.run(everyone())
    assert {f"s{n}" for n in range(20)} == {found for found, _ in seen(guard)}
    assert len(seen(guard)) == 100


async def _asleep(name):
    await asyncio.sleep(0)
    return name


def test_bound_coroutines_run_in_the_session_wherever_they_are_awaited():
    guard = guard_of(KNOWN)

    @guard.tool(name="t")
    async def tool():
        return "ran"

    async def call():
        return await tool()

    session = asking(guard)
    assert asyncio.run(session.bind(call)()) == "ran"
    assert asyncio.run(session.run(call)) == "ran"
    assert asyncio.run(session.bind(tool)()) == "ran"
    with pytest.raises(Denied):
        asyncio.run(call())


def test_what_a_session_was_made_with_can_change_and_the_session_does_not():
    guard = guard_of(KNOWN)
    principal = {"id": "u1", "roles": ["nobody"]}
    with guard.session("s1", agent="a", principal=principal) as session:
        principal["roles"].append("support")
        with pytest.raises(Denied):
            who_of(guard)()
        with pytest.raises(TypeError):
            session.principal["roles"] = ["support"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"principal": {"id": "u1", "role": ["x"]}}, '"role" is not a field of the principal'),
        ({"principal": {"id": 7}}, '"principal.id" is a string'),
        ({"principal": {"roles": "support"}}, '"principal.roles" is a list'),
        ({"principal": {"id": object()}}, '"principal" cannot be judged'),
        ({"principal": ["u1"]}, '"principal" is a mapping'),
        ({"context": {"when": object()}}, '"context" cannot be judged'),
        ({"agent": 7}, '"agent" is a string'),
        ({"session": 7}, '"session" is a string'),
    ],
)
def test_a_session_that_no_request_could_carry_is_refused_when_it_is_made(fields, said):
    with pytest.raises(RequestError, match=said):
        asking(guard_of(), **fields)


def test_evicted_sessions_cannot_be_told_which_denies():
    policy = {
        "tools": {"t": {"labels": ["seen"]}, "u": "allow"},
        "rules": [
            {"id": "clean", "tools": ["u"], "when": "'seen' in session.labels", "effect": "deny"}
        ],
    }
    guard = guard_of(policy, state=MemoryState(max_sessions=2))
    for name in ("s1", "s2"):
        with asking(guard, name):
            who_of(guard)()
    with asking(guard, "s3"):
        assert guard.tool(lambda: 1, name="u")() == 1
    with asking(guard, "s1"), pytest.raises(Denied) as caught:
        guard.tool(lambda: 1, name="u")()
    assert caught.value.decision.reasons[0].code == "rule.cannot_tell"
    assert labels_of(guard) is None


def test_sessions_are_kept_apart_by_tenant_and_principal():
    guard = guard_of({"tools": {"t": {"labels": ["seen"]}}})
    with asking(guard):
        who_of(guard)()
    assert labels_of(guard).labels == {"seen"}
    for other in ({**WHO, "tenant": "b"}, {**WHO, "id": "u2"}, {"roles": ["support"]}):
        assert labels_of(guard, principal=other).labels == set()


def test_a_session_is_what_the_package_names():
    assert isinstance(asking(guard_of()), GuardSession)
