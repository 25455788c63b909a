"""State in a file: many processes, killed processes, and the same as in memory."""

import random
import sqlite3
import threading
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import chain, count

import pytest
from crowd_state import EVER, FEW
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from processes import begin, crowd, go, killed, said
from remembering import at, denied, needs, permitted, request, reservation, used

from policy_engine.decision import Count, CounterNeed, Halt, Needs, Session
from policy_engine.errors import StoreError
from policy_engine.state import MemoryState, SqliteState
from policy_engine.state.counter import microseconds

SCRIPT = "crowd_state.py"
SETTINGS = {
    "suppress_health_check": [HealthCheck.function_scoped_fixture],
    "deadline": None,
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.db"


# Several processes


def test_what_one_process_remembers_the_next_one_knows(path):
    asked = request(tool="web", call_id="c1")
    item = reservation(max=5)
    decision = permitted(asked, item, labels=("untrusted",))
    assert SqliteState(path).commit(decision, at(0))
    SqliteState(path).returned(decision, at(1))
    halt = Halt("h1", "tool", "web", "stop", at(60))
    SqliteState(path).halt(halt)
    state = SqliteState(path)
    facts = state.facts(asked, needs(item), at(2))
    assert facts.session == Session(frozenset({"untrusted"}), {"web": 1}, at(0))
    assert facts.ran is True
    assert facts.counters == {(item.limit, item.key): Count(1.0)}
    assert facts.halts == state.halts() == (halt,)
    assert state.resume("h1")
    assert not state.resume("h1")
    assert SqliteState(path).halts() == ()


@pytest.mark.parametrize("count", [2, 8])
def test_of_processes_that_race_for_a_limit_no_more_are_permitted_than_it_says(path, count):
    found = crowd("take", path, count, 40, script=SCRIPT)
    assert sum(lines[0][0] for lines in found) == 25
    state = SqliteState(path)
    assert state.used(FEW.limit, FEW.key, at(0)) == 25.0
    assert state.used(EVER.limit, EVER.key, at(0)) == 2.5
    assert _wrong(path) == []


def test_what_processes_give_back_at_once_is_given_back(path):
    crowd("hold_and_release", path, 6, 60, script=SCRIPT)
    state = SqliteState(path)
    assert state.used(FEW.limit, FEW.key, at(0)) == 0.0
    assert _wrong(path) == []


def test_a_halt_stops_other_processes_at_once(path):
    state = SqliteState(path)
    other = begin("halt", path, "h1", script=SCRIPT)
    go(other)
    assert said(other) == [["halted"]]
    assert [halt.id for halt in state.halts()] == ["h1"]
    assert state.facts(request(), Needs(), at(0)).halts == state.halts()


def test_one_call_of_two_processes_counts_once_and_runs_once(path):
    item = reservation(max=1)
    decision = permitted(request(call_id="c1"), item)
    first, second = SqliteState(path), SqliteState(path)
    assert first.commit(decision, at(0))
    assert second.commit(decision, at(1)), "it may be that the first process died"
    assert used(first, item, at(2)) == Count(1.0)
    first.returned(decision, at(3))
    assert second.commit(decision, at(4)) is None
    assert second.facts(request(call_id="c1"), needs(), at(4)).ran is True


def test_usage_that_one_process_owes_another_reports(path):
    tokens = reservation(limit="p/tokens", amount=None, unit="tokens", max=100, per=None)
    asked = request(stage="model_request", tool=None, args=None, model="m", call_id="c1")
    first, second = SqliteState(path), SqliteState(path)
    hold = first.commit(permitted(asked, tokens), at(0))
    assert second.commit(permitted(request(session="s1", call_id="c2"), tokens), at(1)) is None
    usage = second.record_usage(asked, input_tokens=60, output_tokens=0, cost_usd=None, now=at(1))
    assert usage.was_awaited
    first.release(hold)
    assert used(first, tokens, at(1)) == Count(60.0)
    with first._database.reading as connection:
        assert connection.execute("SELECT count(*) FROM debts").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM pending").fetchone() == (0,)


# A process that is killed


@pytest.mark.parametrize("seed", range(5))
def test_a_process_killed_at_any_instant_loses_nothing_and_halves_nothing(path, seed):
    names = ("a", "b")
    processes = [begin("call", path, name, script=SCRIPT) for name in names]
    told = list(chain(*killed(processes, random.Random(seed).uniform(0.1, 0.4))))
    assert len(told) > 20
    state = SqliteState(path)
    mine = CounterNeed("p/mine", ("a",), 86_400.0)
    committed = {}
    for name in names:
        last = dict.fromkeys(("committed", "returned"), -1)
        last.update({event: number for event, of, number in told if of == name})
        facts = state.facts(request(session=name), Needs(session=True), at(10**6))
        calls = facts.session.calls["t"]
        # What was under way when it was killed may be there, or not.
        assert calls in (last["returned"] + 1, last["returned"] + 2)
        assert facts.session.labels == {f"l{number}" for number in range(min(calls, 50))}
        for number in range(0, calls, 7):
            asked = request(session=name, call_id=f"c{number}")
            assert state.facts(asked, Needs(), at(10**6)).ran is True
        key = ("p/mine", (name,))
        need = CounterNeed(mine.limit, (name,), mine.per)
        found = state.facts(request(session=name), Needs(counters=(need,)), at(0)).counters[key]
        assert found.used in (last["committed"] + 1, last["committed"] + 2)
        assert found.used in (calls, calls + 1)
        committed[name] = found.used
    assert state.used("p/calls", ("all",), at(0)) == sum(committed.values())
    assert _wrong(path) == []


def _wrong(path):
    """Return all that does not fit together in a file."""
    found = []
    connection = sqlite3.connect(path)
    read = connection.execute
    found += [line for (line,) in read("PRAGMA integrity_check") if line != "ok"]
    sheet = read("SELECT sessions, counters, debts, dropped, halts FROM sheet").fetchone()
    tables = ("sessions", "counters", "debts", "dropped", "halts")
    rows = tuple(read(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables)
    if sheet != rows:
        found.append(f"{sheet} are counted, and there are {rows}")
    for row_id, per, total, entries in read("SELECT id, per, total, entries FROM counters"):
        amounts = read("SELECT amount FROM entries WHERE counter=?", (row_id,)).fetchall()
        if len(amounts) != entries:
            found.append(f"{entries} entries are counted, and there are {len(amounts)}")
        if isinstance(per, float) and sum(Fraction(text) for (text,) in amounts) != Fraction(total):
            found.append(f"{amounts} do not add up to {total}")
    for table, owner, column in (
        ("entries", "counters", "counter"),
        ("pending", "sessions", "session"),
        ("ran", "sessions", "session"),
    ):
        orphans = f"SELECT count(*) FROM {table} WHERE {column} NOT IN (SELECT id FROM {owner})"
        if read(orphans).fetchone() != (0,):
            found.append(f"{table} of nobody")
    connection.close()
    return found


# The same as in memory

LIMITS = [
    {"limit": "p/window", "per": 60.0, "max": 4},
    {"limit": "p/window", "per": 60.0, "max": 4, "alert_at": 0.5},
    {"limit": "p/tenths", "per": 30.0, "max": 1.0, "amount": 0.1, "alert_at": 0.8},
    {"limit": "p/tenths", "per": 30.0, "max": 1.0, "amount": 1e-9},
    {"limit": "p/huge", "per": 30.0, "max": 1e308, "amount": 9e307},
    {"limit": "p/day", "per": "day", "max": 3, "timezone": "Europe/Berlin"},
    {"limit": "p/ever", "per": None, "max": 5, "amount": 2},
    {"limit": "p/watched", "per": None, "max": 2, "enforced": False},
    {"limit": "p/tokens", "per": "day", "max": 100, "amount": None, "unit": "tokens"},
    {"limit": "p/cost", "per": None, "max": 1.5, "amount": None, "unit": "cost_usd"},
    {"limit": "p/none", "per": 5.0, "max": 1, "amount": -1},
]
KEYS = st.sampled_from([("a",), ("b",), ("\ud800", "\0")])
RESERVED = st.lists(
    st.builds(
        lambda limit, key: reservation(**{**limit, "key": key}), st.sampled_from(LIMITS), KEYS
    ),
    max_size=3,
)
REQUESTS = st.builds(
    request,
    session=st.sampled_from(["s1", "s2", "s3", None, "\udc80"]),
    principal=st.sampled_from([None, {"id": "u1"}, {"id": "u1", "tenant": "acme"}]),
    call_id=st.sampled_from([None, None, "c1", "c2", "c3", "\ud800"]),
    tool=st.sampled_from(["t", "web", "é"]),
)
TURNS = st.builds(
    lambda **fields: request(stage="model_request", tool=None, args=None, **fields),
    session=st.sampled_from(["s1", "s2"]),
    model=st.sampled_from(["m1", "m2"]),
    call_id=st.sampled_from([None, "c1", "c2"]),
)
ASKED = REQUESTS | TURNS
LABELS = st.lists(st.sampled_from(["x", "y"]), max_size=2).map(tuple)
STEPS = st.one_of(
    st.tuples(st.just("commit"), ASKED, RESERVED, LABELS),
    st.tuples(st.just("commit"), ASKED, RESERVED, LABELS),
    st.tuples(st.just("commit"), ASKED, RESERVED, LABELS),
    st.tuples(st.just("refuse"), ASKED),
    st.tuples(st.just("returned"), ASKED, LABELS),
    st.tuples(st.just("release"), st.integers(0, 9)),
    st.tuples(
        st.just("usage"),
        ASKED,
        st.integers(0, 60),
        st.sampled_from([None, 0.1, 1.0]),
        RESERVED,
    ),
    st.tuples(st.just("halt"), st.sampled_from("abc")),
    st.tuples(st.just("resume"), st.sampled_from("abc")),
    st.tuples(st.just("look"), ASKED, RESERVED),
)
STEP_AND_TIME = st.tuples(STEPS, st.sampled_from([0, 0.5, 1, 10, 29, 60, 61, 86_400]))
WILD = st.tuples(STEPS, st.sampled_from([0, 1, 61, -1, -61, 86_400, -86_400, -(10**6)]))
BOUNDS = st.fixed_dictionaries(
    {
        "max_sessions": st.sampled_from([1, 2, 100]),
        "max_counters": st.sampled_from([1, 2, 3, 100]),
        "idle": st.sampled_from([None, 30.0]),
    }
)
LOOKED = tuple(
    CounterNeed(limit["limit"], key, limit["per"], limit.get("timezone", "UTC"))
    for limit in LIMITS
    for key in (("a",), ("b",), ("\ud800", "\0"))
)


class Side:
    """One of two stores that are told the same."""

    def __init__(self, state):
        self.state = state
        self.holds = []
        self.now = at(0)

    def act(self, step, *given):
        return getattr(self, step)(*given)

    def commit(self, asked, items, labels):
        hold = self.state.commit(permitted(asked, *items, labels=labels), self.now)
        self.holds.append(hold)
        return hold

    def refuse(self, asked):
        return self.state.commit(denied(asked), self.now)

    def returned(self, asked, labels):
        return self.state.returned(permitted(asked, labels=labels), self.now)

    def release(self, number):
        if number < len(self.holds) and self.holds[number] is not None:
            self.state.release(self.holds[number])

    def usage(self, asked, tokens, cost, unasked):
        return self.state.record_usage(
            asked,
            input_tokens=tokens,
            output_tokens=0,
            cost_usd=cost,
            now=self.now,
            unasked=unasked,
        )

    def halt(self, name):
        self.state.halt(Halt(name, "all", None, f"{self.now}", self.now + timedelta(days=1)))

    def resume(self, name):
        return self.state.resume(name)

    def look(self, asked, items):
        return self.state.facts(asked, needs(*items), self.now), self.state.halts()

    def all(self, now):
        """Return all that can be seen."""
        found = []
        for session in ("s1", "s2", "s3", None, "\udc80"):
            for principal in (None, {"id": "u1"}, {"id": "u1", "tenant": "acme"}):
                for call in ("c1", "c2", None):
                    asked = request(session=session, principal=principal, call_id=call)
                    facts = self.state.facts(asked, Needs(True, True, (), LOOKED), now)
                    found.append((session, principal, call, facts))
        return found


_NUMBERS = count()


def _swift(folder, **bounds):
    """Return a store that leaves to the operating system when the disk has what it wrote."""
    state = SqliteState(folder / f"{next(_NUMBERS)}.db", **bounds)
    state._database._connection.execute("PRAGMA synchronous=OFF")
    return state


@given(steps=st.lists(STEP_AND_TIME, max_size=40), bounds=BOUNDS)
@settings(max_examples=150, **SETTINGS)
def test_a_file_says_what_memory_says(tmp_path, steps, bounds):
    file = _swift(tmp_path, **bounds)
    sides = Side(MemoryState(**bounds)), Side(file)
    for step, seconds in steps:
        for side in sides:
            side.now += timedelta(seconds=seconds)
        first, second = (side.act(*step) for side in sides)
        assert second == first
    first, second = (side.all(side.now) for side in sides)
    assert second == first
    assert _wrong(file._database.path) == []
    file.close()


@given(steps=st.lists(WILD.filter(lambda step: step[0][0] != "look"), max_size=40), bounds=BOUNDS)
@settings(max_examples=100, **SETTINGS)
def test_a_file_says_what_memory_says_wherever_the_clock_goes(tmp_path, steps, bounds):
    file = _swift(tmp_path, **bounds)
    sides = Side(MemoryState(**bounds)), Side(file)
    latest = at(0)
    for step, seconds in steps:
        for side in sides:
            side.now += timedelta(seconds=seconds)
            latest = max(latest, side.now)
        first, second = (side.act(*step) for side in sides)
        assert second == first
    first, second = (side.all(latest) for side in sides)
    assert second == first
    file.close()


@given(
    steps=st.lists(st.tuples(st.integers(-90, 90), st.sampled_from(["look", "commit"]))),
    bound=st.integers(1, 4),
)
@settings(max_examples=100, **SETTINGS)
def test_no_window_ever_holds_more_than_the_bound_wherever_the_clock_goes(tmp_path, steps, bound):
    state = _swift(tmp_path)
    item = reservation(max=bound, per=60.0)
    now, latest, counted = 0, -(10**6), []
    for seconds, act in steps:
        now += seconds
        if act == "look":
            used(state, item, at(now))
            continue
        latest = max(latest, now)
        if state.commit(permitted(request(), item), at(now)):
            counted.append(latest)
    for end in counted:
        assert sum(end - 60 < time <= end for time in counted) <= bound
    state.close()


# Bounds


def test_a_file_that_can_remember_no_more_drops_nothing(path):
    state = SqliteState(path, max_sessions=1, max_dropped=2)
    for name in ("s1", "s2", "s3"):
        state.commit(denied(request(session=name)), at(0))
    with pytest.raises(StoreError) as caught:
        state.commit(denied(request(session="s4")), at(0))
    assert caught.value.message == f'"{path}" cannot remember more than 2 dropped names'
    facts = state.facts(request(session="s3"), needs(), at(1))
    assert facts.session == Session(started=at(0))
    assert state.facts(request(session="s2"), needs(), at(1)).session is None
    assert state.facts(request(session="s4"), needs(), at(1)).session == Session(started=at(1))
    assert _wrong(path) == []


def test_a_window_of_very_many_amounts_is_bounded_and_never_looser(path, monkeypatch):
    monkeypatch.setattr("policy_engine.state.counter_rows.MAX_ENTRIES", 10)
    state = SqliteState(path)
    item = reservation(max=1000, per=1000.0)
    for number in range(25):
        assert state.commit(permitted(request(), item), at(number))
    with state._database.reading as connection:
        assert connection.execute("SELECT count(*) FROM entries").fetchone() == (10,)
    assert used(state, item, at(25)) == Count(25.0)
    assert used(state, item, at(1014)) == Count(25.0), "the oldest count as long as the 16th"
    assert used(state, item, at(1015)) == Count(9.0)
    assert _wrong(path) == []


def test_reading_writes_down_what_is_long_over(path):
    state = SqliteState(path)
    item = reservation(max=1000, per=60.0)
    for number in range(100):
        assert state.commit(permitted(request(), item), at(number / 10))
    assert used(state, item, at(100)) == Count(0.0)
    with state._database.reading as connection:
        assert connection.execute("SELECT count(*) FROM entries").fetchone() == (0,)
    assert _wrong(path) == []


def test_reading_writes_nothing_else(path):
    state = SqliteState(path)
    assert state.commit(permitted(request(call_id="c1"), reservation()), at(0))
    with state._database.reading as connection:
        (before,) = connection.execute("PRAGMA data_version").fetchone()
    other = SqliteState(path)
    used(other, reservation(), at(10), request(call_id="c1"))
    other.used("p/calls", ("s1",), at(5000))
    other.halts()
    with state._database.reading as connection:
        assert connection.execute("PRAGMA data_version").fetchone() == (before,)


def test_only_the_oldest_is_ever_taken_out(path):
    state = SqliteState(path)
    with state._writing(None) as work, pytest.raises(KeyError):
        work._session_rows.popitem()


# A limit whose window was changed

CHANGES = [
    (3600.0, 60.0, 10, 70),
    (60.0, 3600.0, 10, 3610),
    (3600.0, "day", 10, 86_400),
    ("day", 3600.0, 10, 3610),
    (None, 60.0, 10, 70),
]


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize(("before", "after", "changed", "over"), CHANGES)
def test_a_limit_whose_window_was_changed_goes_on_with_what_it_counted(
    path, kind, before, after, changed, over
):
    state = MemoryState() if kind == "memory" else SqliteState(path)
    old, new = reservation(per=before), reservation(per=after)
    for second in (0, changed):
        assert state.commit(permitted(request(), old), at(second))
    assert used(state, new, at(changed)) == Count(2.0)
    assert not state.commit(permitted(request(), new), at(changed))
    assert used(state, new, at(over - 1 if isinstance(after, float) else changed)) == Count(2.0)
    assert used(state, new, at(over)) == Count(0.0)
    assert state.commit(permitted(request(), new), at(over))
    assert used(state, new, at(over)) == Count(1.0)
    if kind == "sqlite":
        assert _wrong(path) == []


def test_a_day_in_another_zone_goes_on_with_what_was_counted(path):
    state = SqliteState(path)
    late = datetime(2026, 1, 5, 23, 30, tzinfo=UTC)
    here, there = (reservation(per="day", timezone=zone) for zone in ("UTC", "Asia/Tokyo"))
    assert state.commit(permitted(request(), here), late)
    assert used(state, there, late) == Count(1.0)
    assert state.commit(permitted(request(), there), late)
    assert not state.commit(permitted(request(), there), late + timedelta(hours=15))
    assert used(state, there, late + timedelta(hours=16)) == Count(0.0)


# Names and numbers


def test_amounts_are_exact(path):
    state = SqliteState(path)
    item = reservation(amount=0.1, max=0.3, per=None)
    for _ in range(3):
        assert state.commit(permitted(request(), item), at(0))
    assert not state.commit(permitted(request(), item), at(0))
    assert state.used(item.limit, item.key, at(0)) == 0.3
    huge = reservation(limit="p/huge", amount=1e308, max=1.7e308, per=60.0)
    assert state.commit(permitted(request(), huge), at(0))
    assert not state.commit(permitted(request(), huge), at(0))
    assert _wrong(path) == []


def test_a_time_is_kept_to_the_microsecond(path):
    state = SqliteState(path)
    start = datetime(2026, 1, 5, 10, 0, 0, 123_457, tzinfo=UTC)
    state.commit(denied(request()), start)
    facts = SqliteState(path).facts(request(), needs(), at(60))
    assert facts.session.started == start
    assert microseconds(facts.session.started) == microseconds(start)


def test_a_file_is_open_to_its_owner_alone(path):
    SqliteState(path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_approvals_and_state_need_a_file_each(path):
    from policy_engine.approvals import SqliteApprovals

    SqliteState(path)
    with pytest.raises(StoreError, match="does not hold approvals"):
        SqliteApprovals(path)
    SqliteApprovals(path.with_name("approvals.db"))
    with pytest.raises(StoreError, match="does not hold state"):
        SqliteState(path.with_name("approvals.db"))


@pytest.mark.parametrize(
    ("table", "change"),
    [("counters", "total='much'"), ("sessions", "labels='{'"), ("debts", "body='[[1]]'")],
)
def test_what_no_policy_engine_wrote_is_said(path, table, change):
    state = SqliteState(path)
    tokens = reservation(limit="p/tokens", amount=None, unit="tokens", max=100, per=None)
    assert state.commit(permitted(request(), tokens), at(0))
    with state._database.writing as connection:
        connection.execute(f"UPDATE {table} SET {change}")
    with pytest.raises(StoreError) as caught:
        state.facts(request(), needs(tokens), at(1))
    wanted = f'"{path}" holds what this policy-engine does not write: {table}'
    assert caught.value.message == wanted


def test_threads_take_turns(path):
    state = SqliteState(path)
    item = reservation(max=100, per=None, key=("all",))
    found = []

    def take(name):
        for number in range(40):
            asked = request(session=name, call_id=f"c{number}")
            found.append(state.commit(permitted(asked, item), at(number)) is not None)

    threads = [threading.Thread(target=take, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(found) == 100
    assert _wrong(path) == []
