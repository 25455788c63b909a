"""However a call ends, counts, labels and records are right, and nothing is held for ever."""

import asyncio
import gc
import threading
import time

import pytest
from guarding import Broken, Records, asking, guard_of, labels_of, used

from policy_engine import Denied
from policy_engine.guard import ToolTimeout


def labelled(timeout=None, facts=None, **limit):
    tool = {"labels": ["untrusted"]}
    if timeout is not None:
        tool["timeout"] = timeout
    if facts is not None:
        tool["rules"] = [{"id": "known", "when": "facts.known != 'yes'", "effect": "deny"}]
    policy = {
        "tools": {"t": tool},
        "limits": [{"id": "few", "tools": ["t"], "max": 3, "by": ["session"], **limit}],
    }
    if facts is not None:
        policy["facts"] = {
            "known": {
                "from": "app:known",
                "with": [],
                "schema": {"type": "string"},
                "timeout": facts,
            }
        }
    return policy


def after(guard):
    """Return what is known once a call is over: counted, labels, returned calls, statuses."""
    session = labels_of(guard)
    return (
        used(guard, "p0/few"),
        sorted(session.labels),
        session.calls["t"],
        guard.seen.statuses,
    )


NOTHING = (0, [], 0, [])


def test_a_tool_that_raises_has_run():
    guard = guard_of(labelled())

    @guard.tool(name="t")
    def tool():
        raise ValueError("secret")

    with asking(guard), pytest.raises(ValueError, match="secret"):
        tool()
    assert after(guard) == (1, ["untrusted"], 1, ["raised"])
    assert guard.seen.outcomes[0]["error"] == "ValueError"
    assert guard.seen.outcomes[0]["labels"] == ["untrusted"]
    assert "secret" not in str(guard.seen)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_interrupted_tool_has_run_even_where_that_cannot_be_recorded(error, caplog):
    for sink in (Records(), Broken(taken=1)):
        guard = guard_of(labelled(), records=sink)

        @guard.tool(name="t")
        def tool():
            raise error

        with asking(guard), pytest.raises(error):
            tool()
        assert labels_of(guard).labels == {"untrusted"}
    assert "an outcome could not be recorded" in caplog.text


def test_a_coroutine_that_is_never_started_leaves_nothing():
    guard = guard_of(labelled())

    @guard.tool(name="t")
    async def tool(): ...

    with asking(guard):
        tool().close()
    assert not guard.seen
    assert after(guard) == NOTHING


async def _cancelled(task, *, once=None):
    if once is not None:
        await once
    else:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_task_cancelled_before_it_starts_leaves_nothing():
    guard = guard_of(labelled())

    @guard.tool(name="t")
    async def tool(): ...

    async def work():
        task = asyncio.create_task(tool())
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with asking(guard):
        asyncio.run(work())
    assert after(guard) == NOTHING


@pytest.mark.parametrize("kind", ["async", "sync"])
def test_a_task_cancelled_while_facts_are_looked_up_leaves_nothing(kind):
    guard = guard_of(labelled(facts="5s"))
    looking = threading.Event()
    go_on = threading.Event()

    def known():
        looking.set()
        go_on.wait(5)
        return "yes"

    async def known_later():
        looking.set()
        await asyncio.sleep(5)

    guard.fact("known", known if kind == "sync" else known_later)

    @guard.tool(name="t")
    async def tool(): ...

    async def work():
        task = asyncio.create_task(tool())
        while not looking.is_set():  # noqa: ASYNC110 - it is set in a thread
            await asyncio.sleep(0.001)
        await _cancelled(task)

    with asking(guard):
        asyncio.run(work())
    go_on.set()
    assert after(guard) == NOTHING
    assert not guard.seen


def test_a_task_cancelled_in_the_tool_has_run():
    guard = guard_of(labelled())

    @guard.tool(name="t")
    async def tool(running):
        running.set()
        await asyncio.sleep(60)

    guarded = guard.tool(name="t", inject=("running",))(tool.__wrapped__)

    async def work():
        running = asyncio.Event()
        task = asyncio.create_task(guarded(running))
        await _cancelled(task, once=running.wait())

    with asking(guard):
        asyncio.run(work())
    assert after(guard) == (1, ["untrusted"], 1, ["cancelled"])


def test_a_cancelled_task_stays_cancelled_where_that_cannot_be_recorded(caplog):
    guard = guard_of(labelled(), records=Broken(taken=1))

    @guard.tool(name="t", inject=("running",), on_denied="return")
    async def tool(running):
        running.set()
        await asyncio.sleep(60)

    async def work():
        running = asyncio.Event()
        task = asyncio.create_task(tool(running))
        await _cancelled(task, once=running.wait())

    with asking(guard):
        asyncio.run(work())
    assert labels_of(guard).labels == {"untrusted"}
    assert "an outcome could not be recorded" in caplog.text


def test_a_task_cancelled_while_its_result_is_judged_has_returned():
    policy = labelled()
    policy["facts"] = {
        "known": {"from": "app:known", "with": [], "schema": {"type": "string"}, "timeout": "5s"}
    }
    policy["tools"]["t"]["result"] = [
        {"id": "known", "when": "facts.known != 'yes'", "effect": "deny"}
    ]
    guard = guard_of(policy)
    looking = []

    async def known():
        looking.append(1)
        await asyncio.sleep(60)

    guard.fact("known", known)

    @guard.tool(name="t")
    async def tool():
        return "page"

    async def work():
        task = asyncio.create_task(tool())
        while not looking:  # noqa: ASYNC110 - a lookup belongs to no loop
            await asyncio.sleep(0.001)
        await _cancelled(task)
        assert after(guard) == (1, ["untrusted"], 1, ["returned"])

    with asking(guard):
        asyncio.run(work())


# Time limits


def test_a_function_past_its_time_limit_is_left_running_and_its_outcome_is_unknown():
    guard = guard_of(labelled(timeout="50ms"))
    go_on = threading.Event()
    ended = threading.Event()

    @guard.tool(name="t")
    def tool():
        go_on.wait(5)
        ended.set()
        return "late"

    with asking(guard), pytest.raises(ToolTimeout, match="had an effect is unknown"):
        tool()
    assert after(guard) == (1, ["untrusted"], 1, ["unknown"])
    go_on.set()
    assert ended.wait(5)
    assert guard.seen.statuses == ["unknown"]


def test_a_coroutine_past_its_time_limit_is_cancelled():
    guard = guard_of(labelled(timeout="50ms"))
    ended = []

    @guard.tool(name="t")
    async def tool():
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    with asking(guard), pytest.raises(ToolTimeout, match=r"took longer than 0\.05 s"):
        asyncio.run(tool())
    assert ended == ["cancelled"]
    assert after(guard) == (1, ["untrusted"], 1, ["timed_out"])


def test_within_its_time_limit_a_tool_runs_in_its_session_and_raises_what_it_raises():
    guard = guard_of({"applies_to": {"roles": ["support"]}, **labelled(timeout="5s")})
    inner = guard.tool(lambda: "inner", name="t")

    @guard.tool(name="t")
    def tool(fails):
        if fails:
            raise KeyError(fails)
        return inner()

    with asking(guard):
        assert tool(fails=False) == "inner"
        with pytest.raises(KeyError):
            tool(fails=True)


def test_a_timeout_of_the_tools_own_is_its_own():
    guard = guard_of(labelled(timeout="5s"))

    @guard.tool(name="t")
    async def tool():
        raise TimeoutError

    with asking(guard), pytest.raises(TimeoutError) as caught:
        asyncio.run(tool())
    assert type(caught.value) is TimeoutError
    assert guard.seen.statuses == ["raised"]


def test_a_generator_uses_its_time_limit_up_step_by_step():
    guard = guard_of(labelled(timeout="200ms"))
    go_on = threading.Event()

    @guard.tool(name="t")
    def tool():
        yield 1
        time.sleep(0.05)
        yield 2
        go_on.wait(5)
        yield 3

    found = []

    def read():
        for item in tool():
            found.append(item)
            time.sleep(0.15)  # the caller's own time is not the tool's

    with asking(guard), pytest.raises(ToolTimeout):
        read()
    go_on.set()
    assert found == [1, 2]
    assert after(guard)[3] == ["unknown"]


def test_an_async_generator_past_its_time_limit_is_cancelled():
    guard = guard_of(labelled(timeout="100ms"))

    @guard.tool(name="t")
    async def tool():
        yield 1
        await asyncio.sleep(60)
        yield 2

    found = []

    async def read():
        async for item in tool():
            found.append(item)  # noqa: PERF401 - what came before it raised

    with asking(guard), pytest.raises(ToolTimeout):
        asyncio.run(read())
    assert found == [1]
    assert after(guard) == (1, ["untrusted"], 1, ["timed_out"])


# Generators


def streaming(guard, *, later):
    if later:

        @guard.tool(name="t")
        async def stream(ended):
            try:
                yield 1
                yield 2
            finally:
                ended.append(1)
    else:

        @guard.tool(name="t")
        def stream(ended):
            try:
                yield 1
                yield 2
            finally:
                ended.append(1)

    return guard.tool(name="t", inject=("ended",))(stream.__wrapped__)


@pytest.mark.parametrize("later", [False, True])
def test_a_generator_that_is_never_started_leaves_nothing(later):
    guard = guard_of(labelled())
    with asking(guard):
        running = streaming(guard, later=later)([])
    if later:
        asyncio.run(running.aclose())
    else:
        running.close()
    assert after(guard) == NOTHING
    assert not guard.seen


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("sink", ["kept", "lost"])
def test_a_generator_closed_early_has_run_and_is_closed_inside(later, sink, caplog):
    records = Records() if sink == "kept" else Broken(taken=1)
    guard = guard_of(labelled(), records=records)
    ended = []
    with asking(guard):
        running = streaming(guard, later=later)(ended)
        if later:

            async def read():
                assert await anext(running) == 1
                await running.aclose()

            asyncio.run(read())
        else:
            assert next(running) == 1
            running.close()
    assert ended == [1]
    assert used(guard, "p0/few") == 1
    assert labels_of(guard).labels == {"untrusted"}
    if sink == "kept":
        assert records.statuses == ["cancelled"]
    else:
        assert "an outcome could not be recorded" in caplog.text


def test_a_generator_that_is_dropped_is_closed_by_the_collector():
    guard = guard_of(labelled())
    ended = []
    with asking(guard):
        running = streaming(guard, later=False)(ended)
        next(running)
    del running
    gc.collect()
    assert ended == [1]
    assert guard.seen.statuses == ["cancelled"]


@pytest.mark.parametrize("later", [False, True])
def test_the_session_carries_the_label_before_the_first_item_is_handed_back(later):
    guard = guard_of(labelled())
    seen = []

    async def read():
        async for _ in streaming(guard, later=True)([]):
            seen.append(sorted(labels_of(guard).labels))  # noqa: PERF401 - as it goes

    with asking(guard):
        if later:
            asyncio.run(read())
        else:
            for _ in streaming(guard, later=False)([]):
                seen.append(sorted(labels_of(guard).labels))  # noqa: PERF401 - as it goes
    assert seen == [["untrusted"]] * 2
    assert after(guard) == (1, ["untrusted"], 1, ["returned"])


@pytest.mark.parametrize("later", [False, True])
def test_a_generator_that_raises_has_run(later):
    guard = guard_of(labelled())

    def fail():
        yield 1
        raise KeyError("secret")

    async def fail_later():
        yield 1
        raise KeyError("secret")

    async def read():
        async for _ in guard.tool(name="t")(fail_later)():
            pass

    run = asyncio.run if later else list
    with asking(guard), pytest.raises(KeyError):
        run(read() if later else guard.tool(name="t")(fail)())
    assert after(guard) == (1, ["untrusted"], 1, ["raised"])


def test_an_outcome_that_cannot_be_recorded_denies_the_result_and_keeps_the_label():
    guard = guard_of(labelled(), records=Broken(taken=1))
    ran = []

    @guard.tool(name="t")
    def tool():
        ran.append(1)
        return "page"

    with asking(guard), pytest.raises(Denied, match="outcome could not be recorded"):
        tool()
    assert ran
    assert labels_of(guard).labels == {"untrusted"}
    assert used(guard, "p0/few") == 1


def test_a_coroutine_of_a_plain_function_counts_as_run_once_it_is_awaited():
    guard = guard_of(labelled())

    async def page():
        raise ValueError("x")

    tool = guard.tool(lambda: page(), name="t")  # noqa: PLW0108 - a plain function
    with asking(guard):
        begun = tool()
        assert guard.seen.statuses == []
        with pytest.raises(ValueError, match="x"):
            asyncio.run(_await(begun))
    assert after(guard) == (1, ["untrusted"], 1, ["raised"])


async def _await(found):
    return await found


def test_many_calls_that_end_in_every_way_leave_exact_counts():
    guard = guard_of(labelled(max=10_000))

    @guard.tool(name="t")
    async def tool(n):
        if n % 3 == 0:
            raise ValueError(n)
        await asyncio.sleep(0 if n % 3 == 1 else 60)
        return n

    async def work():
        tasks = [asyncio.create_task(tool(n)) for n in range(300)]
        await asyncio.sleep(0.05)
        while any(not task.done() for task in tasks):
            for task in tasks:
                task.cancel()
            await asyncio.sleep(0)
        return await asyncio.gather(*tasks, return_exceptions=True)

    with asking(guard):
        asyncio.run(work())
    counted, labels, calls, statuses = after(guard)
    assert (counted, labels, calls) == (300, ["untrusted"], 300)
    assert sorted(set(statuses)) == ["cancelled", "raised", "returned"]
    assert len(statuses) == 300
    assert len(guard.seen.decisions) == 300
