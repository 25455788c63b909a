"""Limits are exact, whoever races; alerts come once; call ids count once."""

import asyncio
import threading

import pytest
from guarding import WHO, Clock, asking, guard_of, used

from policy_engine import Denied, Request
from policy_engine.guard import Alert

N = 7


def limited(**fields):
    limit = {"id": "few", "tools": ["t"], "max": N, "by": ["session"], **fields}
    return {"tools": {"t": "allow"}, "limits": [limit]}


def call(guard, call_id=None, tool="t", **fields):
    return Request(
        **{
            "tool": tool,
            "args": {},
            "agent": "a",
            "principal": WHO,
            "session": "s1",
            "call_id": call_id,
            **fields,
        }
    )


def turn(**fields):
    return {
        "stage": "model_request",
        "model": "m",
        "agent": "a",
        "principal": WHO,
        "session": "s1",
        **fields,
    }


@pytest.mark.parametrize("per", [None, "1h", "day"])
def test_thirty_two_threads_on_one_limit_permit_exactly_as_many_as_it_says(per):
    guard = guard_of(limited(**({} if per is None else {"per": per})))
    ran = []
    tool = guard.tool(lambda n: ran.append(n), name="t")  # noqa: PLW0108 - by name
    gate = threading.Barrier(32)
    denied = []

    def work(number):
        gate.wait()
        for _ in range(3):
            with asking(guard):
                try:
                    tool(number)
                except Denied as error:
                    denied.append(error.decision.reasons[0].code)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ran) == N
    assert denied == ["limit.exceeded"] * (96 - N)
    assert used(guard, "p0/few") == N
    assert guard.seen.statuses == ["returned"] * N


def test_a_thousand_tasks_on_one_limit_permit_exactly_as_many_as_it_says():
    guard = guard_of(limited())
    ran = []

    @guard.tool(name="t")
    async def tool(number):
        ran.append(number)
        await asyncio.sleep(0)

    async def everyone():
        with asking(guard):
            return await asyncio.gather(*map(tool, range(1000)), return_exceptions=True)

    found = asyncio.run(everyone())
    assert len(ran) == found.count(None) == N
    assert sum(isinstance(error, Denied) for error in found) == 1000 - N


def test_all_limits_of_a_call_are_counted_or_none():
    guard = guard_of(
        {
            "tools": {"t": {"args": {"n": {"type": "integer"}}}},
            "limits": [
                {"id": "calls", "tools": ["t"], "max": 10, "by": ["session"]},
                {"id": "sum", "tools": ["t"], "of": "args.n", "max": 10, "by": ["session"]},
            ],
        }
    )
    tool = guard.tool(lambda n: n, name="t")
    with asking(guard):
        assert tool(6) == 6
        for _ in range(3):
            with pytest.raises(Denied):
                tool(5)
        assert tool(4) == 4
    assert (used(guard, "p0/calls"), used(guard, "p0/sum")) == (2, 10)


def test_asking_again_about_a_call_id_counts_once_and_one_that_ran_is_denied():
    guard = guard_of(limited(max=2))
    first = guard.enforce(call(guard, "c1"))
    again = guard.enforce(call(guard, "c1"))
    assert used(guard, "p0/few") == 1
    guard.returned(again)
    for _ in range(2):
        with pytest.raises(Denied) as caught:
            guard.enforce(call(guard, "c1"))
        assert caught.value.decision.reasons[0].code == "call.repeated"
    assert guard.decide(call(guard, "c1")).effect == "deny"
    assert used(guard, "p0/few") == 1
    guard.enforce(call(guard, "c2"))
    with pytest.raises(Denied):
        guard.enforce(call(guard, "c3"))
    assert first.permitted


def test_a_call_id_belongs_to_its_session():
    guard = guard_of(limited())
    guard.returned(guard.enforce(call(guard, "c1")))
    assert guard.enforce(call(guard, "c1", session="s2")).permitted


def test_what_is_released_counts_no_more_and_its_id_may_be_asked_again():
    guard = guard_of(limited(max=1))
    decision = guard.enforce(call(guard, "c1"))
    guard.release(decision)
    guard.release(decision)
    assert used(guard, "p0/few") == 0
    guard.returned(decision)
    assert used(guard, "p0/few") == 0
    assert guard.seen.statuses == ["not_run"], "what was released is over"
    guard.returned(guard.enforce(call(guard, "c1")))
    assert guard.seen.statuses == ["not_run", "returned"]
    with pytest.raises(Denied):
        guard.enforce(call(guard, "c2"))


def test_only_what_was_enforced_is_noted_and_only_once():
    guard = guard_of({"tools": {"t": {"labels": ["seen"]}}})
    decision = guard.enforce(call(guard))
    guard.returned(decision, error=ValueError("secret"))
    guard.returned(decision)
    assert guard.seen.statuses == ["raised"]
    assert guard.seen.outcomes[0]["decision"] == guard.seen.decisions[0]["id"]
    assert guard.seen.outcomes[0]["trace_id"] == guard.seen.decisions[0]["trace_id"]
    with pytest.raises(TypeError, match="was not enforced"):
        guard.returned(guard.decide(call(guard)))


def test_deciding_changes_nothing():
    guard = guard_of(limited(max=1))
    for _ in range(5):
        assert guard.decide(call(guard)).permitted
    assert used(guard, "p0/few") == 0
    assert not guard.seen
    assert asyncio.run(guard.adecide(call(guard))).permitted


def test_a_window_never_holds_more_wherever_the_clock_goes():
    clock = Clock()
    guard = guard_of(limited(max=2, per="1h"), clock=clock)
    tool = guard.tool(lambda: 1, name="t")
    with asking(guard):
        tool()
        clock.go(hours=-30)
        tool()
        with pytest.raises(Denied):
            tool()
        clock.go(hours=30, minutes=59)
        with pytest.raises(Denied):
            tool()
        clock.go(minutes=1, seconds=1)
        tool()
        tool()
        clock.go(days=400)
        tool()


def test_a_naive_clock_is_refused_at_once_or_when_it_turns_naive():
    clock = Clock()
    guard = guard_of(clock=clock)
    clock.now = clock.now.replace(tzinfo=None)
    ran = []
    with asking(guard), pytest.raises(Denied) as caught:
        guard.tool(lambda: ran.append(1), name="t")()
    assert [reason.code for reason in caught.value.decision.reasons] == ["guard.failed"]
    assert not ran
    assert [record["effect"] for record in guard.seen] == ["deny"]
    with pytest.raises(ValueError, match=r"datetime\.now\(UTC\)"):
        guard_of(clock=clock)


# Alerts


def test_the_alert_hook_is_called_once_as_the_share_is_reached():
    alerts = []
    guard = guard_of(limited(max=10, alert_at=0.8), on_alert=alerts.append)
    tool = guard.tool(lambda: 1, name="t")
    with asking(guard):
        for number in range(1, 10):
            tool()
            assert len(alerts) == (number >= 8)
    assert alerts == [Alert("p0/few", ("acme/u1/s1",), 8.0, 10)]


def test_racing_threads_alert_once():
    alerts = []
    guard = guard_of(limited(max=1000, alert_at=0.5), on_alert=alerts.append)
    tool = guard.tool(lambda: 1, name="t")

    def work():
        with asking(guard):
            for _ in range(100):
                tool()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [alert.used for alert in alerts] == [500.0]


def test_each_window_alerts_anew():
    clock, alerts = Clock(), []
    guard = guard_of(limited(max=1, per="day", alert_at=1), on_alert=alerts.append, clock=clock)
    tool = guard.tool(lambda: 1, name="t")
    with asking(guard):
        for _ in range(3):
            tool()
            with pytest.raises(Denied):
                tool()
            clock.go(days=1)
    assert len(alerts) == 3


def test_tokens_and_cost_alert_by_what_is_reported():
    alerts = []
    guard = guard_of(
        {
            "models": {"m": "allow"},
            "prices": {"m": {"input": 1.0, "output": 1.0}},
            "limits": [
                {"id": "tokens", "of": "tokens", "max": 1000, "by": ["session"], "alert_at": 0.8},
                {"id": "cost", "of": "cost_usd", "max": 1, "by": ["session"], "alert_at": 0.5},
            ],
        },
        on_alert=alerts.append,
    )
    with asking(guard):
        for said in (700, 99, 1, 100):
            guard.enforce(Request(**turn()))
            cost = guard.record_usage(model="m", input_tokens=said, output_tokens=0)
            assert cost == said / 1_000_000
        assert [(alert.limit, alert.used) for alert in alerts] == [("p0/tokens", 800.0)]
        guard.enforce(Request(**turn()))
        with pytest.raises(Denied, match="waits for the usage"):
            guard.enforce(Request(**turn()))
        guard.record_usage(model="m", input_tokens=600_000, output_tokens=0)
        assert [alert.limit for alert in alerts] == ["p0/tokens", "p0/cost"]
        with pytest.raises(Denied, match="p0/tokens"):
            guard.enforce(Request(**turn()))


def test_usage_that_nobody_waited_for_counts_and_is_logged(caplog):
    guard = guard_of(
        {
            "models": {"m": "allow"},
            "limits": [{"id": "tokens", "of": "tokens", "max": 100, "by": ["session"]}],
        }
    )
    with asking(guard):
        guard.record_usage(model="m", input_tokens=60, output_tokens=40)
        assert "no permitted model request waited for" in caplog.text
        with pytest.raises(Denied, match="p0/tokens"):
            guard.enforce(Request(**turn()))


def test_of_two_prices_the_dearer_part_of_each_counts():
    price = {"models": {"m": "allow"}}
    guard = guard_of(
        {**price, "prices": {"m": {"input": 1, "output": 4}}},
        {**price, "prices": {"m": {"input": 2, "output": 2}}},
    )
    with asking(guard):
        assert guard.record_usage(model="m", input_tokens=10**6, output_tokens=10**6) == 6.0
        assert guard.record_usage(model="x", input_tokens=1, output_tokens=1) is None


def test_an_alert_hook_that_fails_or_is_async_changes_nothing(caplog):
    def fail(alert):
        raise RuntimeError("secret pager number")

    guard = guard_of(limited(max=5, alert_at=0.2), on_alert=fail)
    with asking(guard):
        assert guard.tool(lambda: 1, name="t")() == 1
    assert "RuntimeError" in caplog.text
    assert "secret pager number" not in caplog.text

    async def later(alert): ...

    with pytest.raises(TypeError, match="plain function"):
        guard_of(on_alert=later)


# Halts


@pytest.mark.parametrize(
    ("scope", "name"), [("tool", "t"), ("agent", "a"), ("session", "s1"), ("all", None)]
)
def test_a_halt_stops_at_once_until_it_ends(scope, name):
    clock = Clock()
    guard = guard_of(clock=clock)
    tool = guard.tool(lambda: 1, name="t")
    with asking(guard):
        halt = guard.halt(scope, name, reason="incident 7")
        with pytest.raises(Denied) as caught:
            tool()
        assert caught.value.decision.reasons[0].rule == f"halt/{halt}"
        assert "incident" not in str(caught.value)
        assert guard.resume(halt)
        assert not guard.resume(halt)
        assert tool() == 1
        clock.go(seconds=1)
        guard.halt(scope, name, reason="soon over", until=clock.now.replace(second=30))
        with pytest.raises(Denied):
            tool()
        clock.go(minutes=1)
        assert tool() == 1


def test_what_a_tool_returns_after_everything_was_halted_is_not_handed_back():
    guard = guard_of()

    @guard.tool(name="t")
    def tool():
        guard.halt("all", reason="now")
        return "page"

    with asking(guard), pytest.raises(Denied):
        tool()
    assert guard.seen.statuses == ["returned"]
