"""What is remembered between requests: exact limits, sessions, call ids, bounds."""

import math
from datetime import UTC, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from remembering import at, denied, needs, permitted, request, reservation, used

from policy_engine.decision import Count, Session
from policy_engine.state import MemoryState, SqliteState, State
from policy_engine.state.counter import Counter, microseconds
from policy_engine.state.forgotten import Forgotten


@pytest.fixture(params=["memory", "sqlite"])
def make(request, tmp_path):
    """Make stores of one kind; each test runs over both."""
    numbers = count()

    def made(**options):
        if request.param == "memory":
            return MemoryState(**options)
        return SqliteState(tmp_path / f"{next(numbers)}.db", **options)

    return made


def test_a_store_is_a_store(make):
    assert isinstance(make(), State)


# Windows

AMOUNTS = st.integers(1, 5) | st.floats(0.1, 5)


@settings(max_examples=300)
@given(
    st.lists(st.tuples(st.integers(-20, 60), AMOUNTS), max_size=60),
    st.integers(1, 12),
    st.integers(1, 60),
)
def test_no_window_ever_holds_more_than_the_bound(steps, bound, per):
    counter = Counter(float(per), "UTC")
    now, latest = 0, -(10**6)
    counted = []
    for step, amount in steps:
        now += step
        latest = max(latest, now)
        if counter.fits(now * 1_000_000, amount, bound):
            counter.add(now * 1_000_000, amount)
            counted.append((latest, amount))
    for end, _ in counted:
        window = [amount for time, amount in counted if end - per < time <= end]
        assert math.fsum(window) <= bound


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 5)), max_size=60), st.integers(1, 12))
def test_with_a_clock_that_runs_nothing_that_fits_is_refused(steps, bound):
    counter = Counter(30.0, "UTC")
    now = 0
    counted = []
    for step, amount in steps:
        now += step
        free = sum(a for time, a in counted if now - 30 < time) + amount <= bound
        assert free == counter.fits(now * 1_000_000, amount, bound)
        if free:
            counter.add(now * 1_000_000, amount)
            counted.append((now, amount))


def test_a_window_ends_exactly(make):
    state = make()
    item = reservation(max=1)
    assert state.commit(permitted(request(), item), at(0))
    assert used(state, item, at(3599.999999)) == Count(1.0)
    assert used(state, item, at(3600)) == Count(0.0)


def test_sums_do_not_drift():
    counter = Counter(None, "UTC")
    held = [counter.add(0, 0.1) for _ in range(1000)]
    for one in held:
        counter.remove(one)
    assert counter.used(0) == 0.0
    assert counter.is_empty(0)


def test_a_clock_that_jumps_back_frees_nothing(make):
    state = make()
    item = reservation()
    assert state.commit(permitted(request(), item), at(0))
    assert state.commit(permitted(request(), item), at(-86_400))
    assert not state.commit(permitted(request(), item), at(-86_400))
    assert not state.commit(permitted(request(), item), at(3599))
    assert state.commit(permitted(request(), item), at(3600))


def test_a_counter_with_very_many_amounts_is_bounded_and_never_looser():
    counter = Counter(1000.0, "UTC")
    for i in range(100_500):
        counter.add(i * 1000, 1)
    assert len(counter._entries) == 100_000
    assert counter.used(100_500_000) == 100_500


DAYS = [
    ("UTC", datetime(2026, 1, 5, 23, 59, 59, tzinfo=UTC), datetime(2026, 1, 6, tzinfo=UTC)),
    (
        "Europe/Berlin",
        datetime(2026, 3, 28, 22, 59, 59, tzinfo=UTC),
        datetime(2026, 3, 28, 23, tzinfo=UTC),
    ),
    (
        "America/New_York",
        datetime(2026, 11, 1, 23, 59, 59, tzinfo=ZoneInfo("America/New_York")),
        datetime(2026, 11, 2, tzinfo=ZoneInfo("America/New_York")),
    ),
]


@pytest.mark.parametrize(("zone", "last", "first"), DAYS, ids=[zone for zone, _, _ in DAYS])
def test_a_day_begins_where_the_limit_says(make, zone, last, first):
    state = make()
    item = reservation(per="day", timezone=zone)
    assert state.commit(permitted(request(), item), last - timedelta(hours=23))
    assert state.commit(permitted(request(), item), last)
    assert used(state, item, last) == Count(2.0)
    assert used(state, item, first) == Count(0.0)
    assert used(state, item, last) == Count(0.0), "the day is over, whatever the clock says"


def test_for_ever_is_for_ever(make):
    state = make()
    item = reservation(per=None)
    assert state.commit(permitted(request(), item), at(0))
    assert used(state, item, at(10**9)) == Count(1.0)


# All or none


def test_all_reservations_or_none(make):
    state = make()
    small = reservation(limit="p/small", max=1)
    large = reservation(limit="p/large", max=5)
    assert state.commit(permitted(request(), large, small), at(0))
    assert not state.commit(permitted(request(), large, small), at(1))
    assert used(state, large, at(1)) == Count(1.0)


def test_a_denied_request_counts_nothing(make):
    state = make()
    assert state.commit(denied(request()), at(0))
    assert used(state, reservation(), at(0)) == Count(0.0)


def test_an_observed_limit_never_refuses_and_counts_as_if_enforced(make):
    state = make()
    watched = reservation(limit="p/watched", max=1, enforced=False)
    enforced = reservation(max=5)
    for second in range(3):
        assert state.commit(permitted(request(), watched, enforced), at(second))
    assert used(state, watched, at(3)) == Count(1.0)
    assert used(state, enforced, at(3)) == Count(3.0)


@pytest.mark.parametrize("amount", [-1, math.nan])
def test_an_amount_that_is_none_never_fits(make, amount):
    state = make()
    assert not state.commit(permitted(request(), reservation(amount=amount)), at(0))
    assert state.commit(permitted(request(), reservation()), at(0))
    assert not state.commit(permitted(request(), reservation(amount=amount)), at(0))


# Call ids


def test_asking_again_about_a_call_that_has_not_run_counts_once(make):
    state = make()
    item = reservation(max=1)
    asked = request(call_id="c1")
    for second in range(3):
        assert used(state, item, at(second), asked) == Count(0.0)
        assert state.commit(permitted(asked, item), at(second))
    assert used(state, item, at(3)) == Count(1.0)
    assert not state.commit(permitted(request(call_id="c2"), item), at(3))


def test_a_call_that_ran_is_said_to_have_run(make):
    state = make()
    asked = request(call_id="c1")
    decision = permitted(asked, reservation())
    assert state.facts(asked, needs(), at(0)).ran is False
    state.commit(decision, at(0))
    assert state.facts(asked, needs(), at(1)).ran is False
    state.returned(decision, at(2))
    assert state.facts(asked, needs(), at(3)).ran is True
    assert state.facts(request(call_id="c2"), needs(), at(3)).ran is False
    other = request(call_id="c1", session="s2")
    assert state.facts(other, needs(), at(3)).ran is False
    assert used(state, reservation(), at(3), asked) == Count(1.0)


def test_call_ids_are_bounded_and_never_forgotten_silently(make, monkeypatch):
    monkeypatch.setattr("policy_engine.state.sessions.MAX_CALL_IDS", 2)
    state = make()
    for name in ("c1", "c2", "c3"):
        state.returned(permitted(request(call_id=name)), at(0))
    rans = [
        state.facts(request(call_id=name), needs(), at(1)).ran for name in ("c1", "c2", "c3", "c4")
    ]
    assert rans == [None, True, True, False]


def test_calls_that_have_not_run_are_bounded_and_what_was_dropped_stays_counted(make, monkeypatch):
    monkeypatch.setattr("policy_engine.state.sessions.MAX_CALL_IDS", 2)
    state = make()
    item = reservation(max=5)
    for name in ("c1", "c2", "c3"):
        assert state.commit(permitted(request(call_id=name), item), at(0))
    for name, left in (("c1", 3.0), ("c2", 2.0), ("c3", 2.0)):
        assert used(state, item, at(1), request(call_id=name)) == Count(left)
    assert state.commit(permitted(request(call_id="c1"), item), at(1))
    assert used(state, item, at(1)) == Count(4.0), "asked again, it counts twice"
    assert used(state, item, at(1), request(call_id="c2")) == Count(4.0)
    assert used(state, item, at(1), request(call_id="c3")) == Count(3.0)


# Sessions


def test_a_session_begins_empty_and_remembers(make):
    state = make()
    assert state.facts(request(), needs(), at(0)).session == Session(started=at(0))
    first = permitted(request(tool="web"), labels=("untrusted",))
    state.commit(first, at(1))
    assert state.facts(request(), needs(), at(2)).session == Session(started=at(1))
    state.returned(first, at(2))
    state.returned(permitted(request(tool="web")), at(3))
    state.returned(denied(request(tool="mail")), at(3))
    assert state.facts(request(), needs(), at(4)).session == Session(
        frozenset({"untrusted"}), {"web": 2}, at(1)
    )


@pytest.mark.parametrize(
    "other",
    [
        {"session": "s2"},
        {"principal": {"id": "u2"}},
        {"principal": {"id": "u1", "tenant": "acme"}},
        {"principal": None},
    ],
    ids=["session", "principal", "tenant", "nobody"],
)
def test_sessions_are_kept_apart_by(make, other):
    state = make()
    mine = {"principal": {"id": "u1"}}
    state.returned(permitted(request(**mine), labels=("untrusted",)), at(0))
    apart = request(**{**mine, **other})
    assert state.facts(apart, needs(), at(1)).session == Session(started=at(1))


def test_without_a_session_nothing_can_be_told_of_it(make):
    state = make()
    state.returned(permitted(request(session=None), labels=("untrusted",)), at(0))
    assert state.facts(request(session=None), needs(), at(1)).session is None


def test_a_dropped_session_cannot_be_told(make):
    state = make(max_sessions=2)
    for name in ("s1", "s2", "s3"):
        state.commit(denied(request(session=name)), at(0))
    dropped = request(session="s1", call_id="c1")
    facts = state.facts(dropped, needs(), at(1))
    assert (facts.session, facts.ran) == (None, None)
    state.returned(permitted(dropped), at(1))
    assert state.facts(dropped, needs(), at(1)).session is None
    assert state.facts(request(session="s2"), needs(), at(1)).session == Session(started=at(0))
    assert state.facts(request(session="s4"), needs(), at(1)).session == Session(started=at(1))


def test_an_idle_session_cannot_be_told(make):
    state = make(idle=60)
    state.commit(denied(request()), at(0))
    assert state.facts(request(), needs(), at(60)).session == Session(started=at(0))
    assert state.facts(request(), needs(), at(61)).session is None
    state.commit(denied(request()), at(61))
    assert state.facts(request(), needs(), at(0)).session is None


def test_a_dropped_counter_cannot_be_told_unless_it_is_empty(make):
    state = make(max_counters=1)
    ever, hourly = reservation(limit="p/ever", per=None), reservation(limit="p/hourly")
    for item in (ever, hourly, reservation(limit="p/other")):
        assert state.commit(permitted(request(), item), at(0))
    assert used(state, ever, at(0)) is None
    assert used(state, hourly, at(0)) is None
    assert not state.commit(permitted(request(), ever), at(0))
    state = make(max_counters=1)
    assert state.commit(permitted(request(), hourly), at(0))
    assert state.commit(permitted(request(), ever), at(3600))
    assert used(state, hourly, at(3600)) == Count(0.0)


def test_giving_back_a_request_that_was_asked_again_leaves_what_the_first_holds(make):
    state = make()
    item = reservation(max=1)
    asked = request(call_id="c1")
    first = state.commit(permitted(asked, item), at(0))
    again = state.commit(permitted(asked, item), at(1))
    state.release(again)
    assert used(state, item, at(1)) == Count(1.0), "the first one may still run"
    assert not state.commit(permitted(request(call_id="c2"), item), at(1))
    assert first is not None


def test_what_is_held_is_given_back_when_the_last_one_does_not_run(make):
    state = make()
    item = reservation(max=1)
    asked = permitted(request(call_id="c1"), item)
    first, again = state.commit(asked, at(0)), state.commit(asked, at(0))
    state.release(first)
    assert used(state, item, at(1)) == Count(1.0), "the second one may run"
    state.release(again)
    assert used(state, item, at(1)) == Count(0.0)


def test_what_ran_is_not_given_back_by_another_that_did_not(make):
    state = make()
    item = reservation(max=1)
    asked = permitted(request(call_id="c1"), item)
    first, _ = state.commit(asked, at(0)), state.commit(asked, at(0))
    state.returned(asked, at(1))
    state.release(first)
    assert used(state, item, at(1)) == Count(1.0)


def test_a_call_that_ran_meanwhile_is_not_counted_but_decided_again(make):
    state = make()
    item = reservation()
    asked = permitted(request(call_id="c1"), item)
    assert state.commit(asked, at(0))
    state.returned(asked, at(1))
    assert state.commit(asked, at(2)) is None


def test_a_limit_alerts_once_as_it_passes_its_share(make):
    state = make()
    item = reservation(max=5, alert_at=0.8)
    alerts = [state.commit(permitted(request(), item), at(0)).alerts for _ in range(5)]
    assert [len(found) for found in alerts] == [0, 0, 0, 1, 0]
    assert (alerts[3][0].used, alerts[3][0].max) == (4.0, 5)


# Usage

TOKENS = {"limit": "p/tokens", "amount": None, "unit": "tokens", "max": 100, "per": None}
COST = {"limit": "p/cost", "amount": None, "unit": "cost_usd", "max": 1.0, "per": None}


def turn(**fields):
    return request(**{"stage": "model_request", "tool": None, "args": None, "model": "m", **fields})


def report(state, asked, tokens, cost=None, now=0):
    return state.record_usage(
        asked, input_tokens=tokens, output_tokens=0, cost_usd=cost, now=at(now)
    ).was_awaited


def test_unreported_usage_is_unsettled_until_it_is_reported(make):
    state = make()
    tokens, cost = reservation(**TOKENS), reservation(**COST)
    assert state.commit(permitted(turn(), tokens, cost), at(0))
    assert used(state, tokens, at(1)) == Count(0.0, unsettled=True)
    assert not state.commit(permitted(turn(), tokens, cost), at(1))
    assert report(state, turn(), 60)
    assert used(state, tokens, at(1)) == Count(60.0)
    assert used(state, cost, at(1)) == Count(0.0, unsettled=True), "there was no price"
    assert report(state, turn(), 60, 0.25)
    assert used(state, tokens, at(1)) == Count(60.0)
    assert used(state, cost, at(1)) == Count(0.25)
    assert not report(state, turn(), 60, 0.25)


def test_usage_may_go_over_the_bound_which_stops_the_next_request(make):
    state = make()
    tokens = reservation(**TOKENS)
    assert state.commit(permitted(turn(), tokens), at(0))
    assert report(state, turn(), 150)
    assert used(state, tokens, at(1)) == Count(150.0)
    assert not state.commit(permitted(turn(), tokens), at(1))


def test_a_model_request_with_a_call_id_is_settled_once(make):
    state = make()
    tokens = reservation(**TOKENS)
    asked = turn(call_id="c1")
    for _ in range(2):
        assert used(state, tokens, at(0), asked) == Count(0.0)
        assert state.commit(permitted(asked, tokens), at(0))
    assert report(state, asked, 60)
    assert not report(state, asked, 60)
    assert used(state, tokens, at(0), asked) == Count(60.0)
    assert state.commit(permitted(asked, tokens), at(0))
    assert used(state, tokens, at(0)) == Count(60.0, unsettled=True)


def test_giving_back_a_request_whose_usage_was_reported_frees_nothing(make):
    state = make()
    tokens = reservation(**TOKENS)
    hold = state.commit(permitted(turn(), tokens), at(0))
    assert report(state, turn(), 60)
    state.release(hold)
    assert used(state, tokens, at(1)) == Count(60.0)
    assert state.commit(permitted(turn(), tokens), at(1))
    assert used(state, tokens, at(1)) == Count(60.0, unsettled=True)


def test_usage_that_no_request_waits_for_is_counted_all_the_same(make):
    state = make()
    tokens, cost = reservation(**TOKENS, alert_at=0.8), reservation(**COST)
    for said, alerts in ((79, 0), (1, 1), (100, 0)):
        usage = state.record_usage(
            turn(),
            input_tokens=said,
            output_tokens=0,
            cost_usd=None,
            now=at(0),
            unasked=[tokens, cost],
        )
        assert not usage.was_awaited
        assert len(usage.alerts) == alerts
    assert used(state, tokens, at(1)) == Count(180.0)
    assert used(state, cost, at(1)) == Count(0.0)


def test_owed_usage_is_bounded_and_what_was_dropped_of_it_stays_owed(make):
    state = make(max_sessions=2)
    items = {name: reservation(**{**TOKENS, "key": (name,)}) for name in ("s1", "s2", "s3")}
    for name, item in items.items():
        assert state.commit(permitted(turn(session=name), item), at(0))
    assert not report(state, turn(session="s1"), 60), "nobody waits for it any more"
    assert report(state, turn(session="s2"), 60)
    assert report(state, turn(session="s3"), 60)
    assert used(state, items["s2"], at(1), turn(session="s2")) == Count(60.0)
    assert used(state, items["s3"], at(1), turn(session="s3")) == Count(60.0)


def test_usage_of_another_session_or_model_settles_nothing(make):
    state = make()
    tokens = reservation(**TOKENS)
    assert state.commit(permitted(turn(), tokens), at(0))
    assert not report(state, turn(session="s2"), 1)
    assert not report(state, turn(model="other"), 1)
    assert used(state, tokens, at(1)) == Count(0.0, unsettled=True)


@pytest.mark.parametrize(("tokens", "cost"), [(-1, 0.1), (1, -0.1), (1, math.inf), (1, math.nan)])
def test_usage_is_never_negative(make, tokens, cost):
    with pytest.raises(ValueError, match="usage is never negative"):
        report(make(), turn(), tokens, cost)


# Forgetting


def test_what_was_dropped_is_always_found_and_little_else():
    forgotten = Forgotten()
    assert ("p", "0") not in forgotten
    for i in range(5000):
        forgotten.add(("p", str(i)))
    assert all(("p", str(i)) in forgotten for i in range(5000))
    assert not any(("q", str(i)) in forgotten for i in range(5000))
    assert ("\ud800",) not in forgotten


def test_a_time_without_an_offset_is_refused():
    with pytest.raises(TypeError):
        microseconds(datetime(2026, 1, 5))  # noqa: DTZ001 - that is the point


def test_tenths_add_up_as_they_are_written():
    counter = Counter(None, "UTC")
    for _ in range(3):
        assert counter.fits(0, 0.1, 0.3)
        counter.add(0, 0.1)
    assert counter.used(0) == 0.3
    assert not counter.fits(0, 0.1, 0.3)
