"""Approvals in a file: many processes, killed processes, and the same as in memory."""

import asyncio
import json
import os
import random
import sqlite3
import time
from collections import Counter
from dataclasses import replace
from itertools import chain, count

import pytest
from approving import F1, F2, O1, OTHER, RULE, START, U1, Clock, asked, at, gate, needing
from crowd import GATES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from processes import begin, crowd, go, killed, said

from policy_engine.approvals import MemoryApprovals, SqliteApprovals
from policy_engine.decision import fingerprint
from policy_engine.errors import ApprovalError, ApprovalNotFoundError, StoreError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "approvals.db"


# Several processes


def test_what_one_store_asks_another_answers_and_a_third_uses(path):
    (found,), fingerprint = asked(SqliteApprovals(path))
    assert SqliteApprovals(path, clock=Clock()).pending() == [found]
    SqliteApprovals(path, clock=Clock()).approve(found.id, by=F1)
    assert SqliteApprovals(path).use(fingerprint, [gate()], START)
    assert not SqliteApprovals(path).use(fingerprint, [gate()], START)
    assert SqliteApprovals(path).get(found.id).status == "used"


def test_processes_that_open_a_file_at_once_share_its_key(path):
    told = crowd("open", path, 6, 10)
    keys = [{key for (key,) in of_one_file} for of_one_file in zip(*told, strict=True)]
    assert [len(found) for found in keys] == [1] * 10
    assert len(set.union(*keys)) == 10
    assert keys[3] == {SqliteApprovals(f"{path}3").key.hex()}
    assert len(bytes.fromhex(keys[3].pop())) == 32


def test_of_processes_that_race_one_uses_an_approval(path):
    store = SqliteApprovals(path, clock=Clock())
    for number in range(40):
        for approval in asked(store, *GATES, session=f"s{number}")[0]:
            store.approve(approval.id, by=F1)
    used = Counter(
        number for lines in crowd("use", path, 8, 40) for number, is_used in lines if is_used
    )
    assert used == dict.fromkeys(range(40), 1)


def test_who_waits_notices_the_answer_of_another_process(path):
    store = SqliteApprovals(path)
    (found,), _ = asked(store, gate(expires=86_400.0 * 36_500))
    other = begin("approve", path, found.id)
    go(other)
    assert store.wait([found.id], 30)
    assert store.get(found.id).status == "approved"
    assert said(other) == [["approved"]]


def test_a_task_that_waits_for_another_process_lets_the_loop_go_on(path):
    store = SqliteApprovals(path)
    (found,), _ = asked(store, gate(expires=86_400.0 * 36_500))

    async def run():
        waiting = asyncio.create_task(store.wait_async([found.id], 30))
        turns = 0
        while not waiting.done():
            await asyncio.sleep(0.001)
            turns += 1
        return await waiting, turns

    other = begin("approve", path, found.id)
    go(other)
    answered, turns = asyncio.run(run())
    assert answered
    assert turns > 20, "the loop went round while it waited"
    assert said(other) == [["approved"]]


def test_the_loop_goes_on_while_another_process_holds_the_file(path):
    store = SqliteApprovals(path)
    (found,), _ = asked(store, gate(expires=86_400.0 * 36_500))
    store.close()
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("PRAGMA locking_mode=EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")

    async def run():
        waiting = asyncio.create_task(store.wait_async([found.id], 0.2))
        began, turns = time.monotonic(), 0
        while time.monotonic() - began < 0.2:
            await asyncio.sleep(0.001)
            turns += 1
        holder.execute("ROLLBACK")
        holder.close()
        assert not await waiting
        return turns

    assert asyncio.run(run()) > 20


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_fork_leaves_both_processes_with_the_store(path):
    other = begin("fork", path)
    go(other)
    assert said(other) == [[True]]
    sessions = {approval.session for approval in SqliteApprovals(path, clock=Clock()).pending()}
    for number in range(10):
        assert {f"child-{number}", f"parent-{number}"} <= sessions
    assert _damage(path) == []


# A process that is killed


@pytest.mark.parametrize("seed", range(5))
def test_a_process_killed_at_any_instant_loses_nothing_and_halves_nothing(path, seed):
    processes = [begin("ask_approve_use", path, name) for name in "ab"]
    told = list(chain(*killed(processes, random.Random(seed).uniform(0.1, 0.4))))
    assert len(told) > 20
    store = SqliteApprovals(path)
    for event, session, *ids in told:
        standing = [store.get(wanted) for wanted in ids]
        assert {approval.session for approval in standing} == {session}
        if event == "approved":
            assert standing[0].status in ("approved", "used")
        elif event == "used":
            assert {approval.status for approval in standing} == {"used"}
    assert _halves(path) == []


def _damage(path):
    connection = sqlite3.connect(path)
    found = [line for (line,) in connection.execute("PRAGMA integrity_check") if line != "ok"]
    connection.close()
    return found


def _halves(path):
    """Return all that is half done in a file."""
    found = _damage(path)
    with sqlite3.connect(path) as connection:
        bodies = [json.loads(b) for (b,) in connection.execute("SELECT body FROM approvals")]
        rows = connection.execute(
            "SELECT sum(is_open), sum(NOT is_open), sum(size), max(place) FROM approvals"
        ).fetchone()
        if connection.execute("SELECT * FROM room").fetchone() != rows:
            found.append("the room is counted wrongly")
    connection.close()
    by_session = {}
    for body in bodies:
        by_session.setdefault(body["session"], []).append(body["status"])
    for session, statuses in by_session.items():
        if len(statuses) != 2 or ("used" in statuses and set(statuses) != {"used"}):
            found.append((session, statuses))
    return found


# What is kept is exact

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([1, 1.0, True, 0, -0.0, 2**63, 2**64 + 1, -(10**4000), 1e308, 5e-324])
    | st.floats(allow_nan=False)
    | st.just(float("nan"))
    | st.text(st.characters())
    | st.sampled_from(["\ud800", "\0", "é", "\U0001f600", ""])
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    store = SqliteApprovals(tmp_path_factory.mktemp("kept") / "a.db", clock=Clock())
    yield store
    store.close()


_NUMBERS = count()


@given(args=st.dictionaries(st.text(), VALUES, max_size=4))
@settings(max_examples=200)
def test_arguments_are_kept_exactly(kept, args):
    decision = needing(gate(), args=args, session=f"s{next(_NUMBERS)}")
    (found,) = kept.ask(decision, START)
    assert repr(kept.get(found.id)) == repr(found)
    assert repr(found.args) == repr(args)
    if "nan" not in repr(args):  # of what is no number, no two need be alike
        again = replace(decision.asked, args=kept.get(found.id).args)
        assert fingerprint(again, b"key", frozenset()) == decision.fingerprint


@pytest.mark.parametrize(
    "fields",
    [
        {"session": "\ud800"},
        {"tool": "t\0\ud83d"},
        {"agent": None, "principal": None, "session": None},
        {"principal": {"id": "\udfff", "tenant": "\udc00"}},
    ],
    ids=repr,
)
def test_names_of_any_form_are_kept(path, fields):
    (found,), fingerprint = asked(SqliteApprovals(path), **fields)
    store = SqliteApprovals(path, clock=Clock())
    assert store.get(found.id) == found
    store.approve(found.id, by=F1)
    assert store.use(fingerprint, [gate()], START)


def test_an_id_that_no_file_can_hold_is_unknown(path):
    with pytest.raises(ApprovalNotFoundError):
        SqliteApprovals(path).get("\ud800")


def test_an_approval_of_another_form_is_said(path):
    store = SqliteApprovals(path)
    (found,), _ = asked(store)
    with store._database.writing as connection:
        connection.execute("UPDATE approvals SET body='{}'")
    with pytest.raises(StoreError, match="an approval cannot be read"):
        store.get(found.id)


# The same as in memory

BOUNDS = {"max_open": 5, "max_open_per_session": 3, "max_bytes": 1_500, "max_closed": 3}
PEOPLE = [F1, F2, O1, U1, {"id": "x"}, {"id": "f1", "roles": ["finance"], "tenant": "beta"}]
NEEDED = st.lists(
    st.builds(
        gate,
        rule=st.sampled_from([RULE, OTHER]),
        approvers=st.sampled_from([("finance",), ("oncall", "finance"), ("requester",)]),
        quorum=st.integers(0, 2),
        expires=st.sampled_from([60.0, 300.0, 1e18]),
    ),
    min_size=1,
    max_size=2,
)
WHICH = st.fixed_dictionaries(
    {
        "session": st.sampled_from(["s1", "s2"]),
        "args": st.sampled_from([{"a": 1}, {"a": 1.0}, {"a": "x" * 600}]),
    }
)
TIMES = st.integers(-100, 400)
STEPS = st.one_of(
    st.tuples(st.just("ask"), NEEDED, WHICH),
    st.tuples(st.just("ask"), NEEDED, WHICH),
    st.tuples(st.just("statuses"), NEEDED, WHICH),
    st.tuples(st.just("use"), NEEDED, WHICH),
    st.tuples(st.just("release"), NEEDED, WHICH),
    st.tuples(st.just("approve"), st.integers(0, 9), st.sampled_from(PEOPLE)),
    st.tuples(st.just("approve"), st.integers(0, 9), st.just(F1)),
    st.tuples(st.just("reject"), st.integers(0, 9), st.sampled_from(PEOPLE)),
    st.tuples(st.just("time"), TIMES, st.none()),
    st.tuples(st.just("look"), st.integers(0, 9), st.none()),
)


class Side:
    """One of two stores that are told the same."""

    def __init__(self, make):
        self.clock = Clock()
        numbers = count()
        self.store = make(clock=self.clock, new_id=lambda: f"{next(numbers):03}", **BOUNDS)

    def act(self, step, *given):
        try:
            return getattr(self, step)(*given)
        except ApprovalError as error:
            return type(error), str(error)

    def ask(self, gates, which):
        return self.store.ask(needing(*gates, **which), self.clock.now)

    def statuses(self, gates, which):
        return self.store.statuses(needing(**which).fingerprint, gates, self.clock.now)

    def use(self, gates, which):
        return self.store.use(needing(**which).fingerprint, gates, self.clock.now)

    def release(self, gates, which):
        rules = [gate.rule for gate in gates]
        return self.store.release(needing(**which).fingerprint, rules)

    def approve(self, number, by):
        return self.store.approve(f"{number:03}", by=by, reason="so")

    def reject(self, number, by):
        return self.store.reject(f"{number:03}", by=by)

    def time(self, seconds, _):
        self.clock.now = at((self.clock.now - START).total_seconds() + seconds)

    def look(self, number, _):
        return self.store.get(f"{number:03}"), self.store.wait([f"{number:03}"], 0)


@given(steps=st.lists(STEPS, max_size=40))
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None
)
def test_a_file_says_what_memory_says(tmp_path, steps):
    path = tmp_path / f"{next(_NUMBERS)}.db"
    memory, file = Side(MemoryApprovals), Side(lambda **given: SqliteApprovals(path, **given))
    for step in steps:
        assert file.act(*step) == memory.act(*step)
        assert file.store.pending() == memory.store.pending()
    with file.store._database.reading as connection:
        kept = connection.execute("SELECT id FROM approvals ORDER BY id").fetchall()
        room = connection.execute("SELECT open, closed, bytes FROM room").fetchone()
    shelf = memory.store._shelf
    assert [name for (name,) in kept] == sorted(shelf._all)
    assert room == (shelf._taken.open, shelf._taken.closed, shelf._taken.bytes)
    file.store.close()
    path.unlink()
