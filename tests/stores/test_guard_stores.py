"""A guard whose stores are in files: paused here, approved there, resumed elsewhere."""

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from desk_work import guard_in, tools_of, tried

from policy_engine import ApprovalRequired, Denied, Request
from policy_engine.approvals import SqliteApprovals
from policy_engine.errors import StoreError
from policy_engine.state import SqliteState

WORK = Path(__file__).with_name("desk_work.py")
WHO = {"agent": "a", "principal": {"id": "u1", "roles": ["support"]}}
F1 = {"id": "f1", "roles": ["finance"]}


def step(folder, name):
    """Do a step in a process of its own, which ends without a word."""
    found = subprocess.run(
        [sys.executable, WORK, folder, name], capture_output=True, text=True, check=False
    )
    assert found.returncode == 1, found.stderr
    return json.loads(found.stdout)


def test_a_run_is_paused_approved_and_resumed_in_three_processes(tmp_path):
    (waiting, mail), ran = step(tmp_path, "begin")
    assert (len(waiting), ran) == (1, [["read_page"]])
    assert mail == ["desk/no-exfiltration"]
    assert step(tmp_path, "again") == [[waiting, mail], []], "asked again it resumes"
    assert step(tmp_path, "approve") == [{"amount": 120.0}, []]
    (refunded, mail), ran = step(tmp_path, "resume")
    assert (refunded, ran) == ("refunded", [["refund", 120.0]])
    assert mail == ["desk/no-exfiltration"], "the label has lasted"
    (second, _), ran = step(tmp_path, "resume")
    assert (len(second), ran) == (1, [])
    assert second != waiting, "an approval lifts one call"
    halt, _ = step(tmp_path, "halt")
    (denied, _), ran = step(tmp_path, "resume")
    assert (denied, ran) == ([f"halt/{halt}"], [])


def test_a_limit_lasts_over_processes(tmp_path):
    for refunded in ("refunded", "refunded", ["desk/refunds"]):
        step(tmp_path, "begin")
        if refunded == "refunded":
            step(tmp_path, "approve")
        (found, _), _ = step(tmp_path, "resume")
        assert found == refunded


# A store that fails


def held(path):
    """Lock a file as a process does that never ends its transaction."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    return connection.close


def full(path, store):
    with store._database.reading as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count={pages}")
    filler = sqlite3.connect(path, isolation_level=None)
    (free,) = filler.execute("PRAGMA freelist_count").fetchone()
    filler.close()
    assert not free


def moved(path):
    path.rename(path.with_suffix(".old"))
    return lambda: path.with_suffix(".old").rename(path)


def damaged(path):
    kept = path.read_bytes()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(len(kept) - 4096))
    return lambda: path.write_bytes(kept)


FAILURES = [held, moved, damaged]


@pytest.fixture(params=["approvals", "state"])
def broken(request, tmp_path):
    """Make a guard of which one store will fail, with its tools; return also how to break it."""
    stores = {
        "approvals": SqliteApprovals(tmp_path / "approvals.db", timeout=0.05),
        "state": SqliteState(tmp_path / "state.db", timeout=0.05),
    }
    guard = guard_in(tmp_path, **stores)
    ran = []
    refund, read_page, _ = tools_of(guard, ran)
    path = tmp_path / f"{request.param}.db"
    store = stores[request.param]

    def break_it(failure):
        if failure is damaged:
            store.close()  # so that it is all in the file, and none of it in memory
        return failure(path)

    return guard, refund, read_page, ran, break_it


@pytest.mark.parametrize("failure", FAILURES)
def test_where_a_store_fails_nothing_runs(broken, failure):
    guard, refund, _, ran, break_it = broken
    with guard.session("s1", **WHO):
        (wanted,) = tried(refund, 120.0)
        guard.approvals.approve(wanted, by=F1)
        mend = break_it(failure)
        for _ in range(3):
            with pytest.raises(Denied) as caught:
                refund(120.0)
            assert not isinstance(caught.value, ApprovalRequired)
            assert next(reason.code for reason in caught.value.decision.reasons) in (
                "guard.failed",
                "approval.refused",
            )
            assert "StoreError" in caught.value.decision.message
            assert ".db" not in caught.value.decision.message, "no path is told to the model"
        assert ran == []
        mend()
        assert refund(120.0) == "refunded"
    assert ran == [("refund", 120.0)]


@pytest.mark.parametrize("failure", FAILURES)
def test_where_a_store_fails_nothing_is_permitted_to_tasks_either(broken, failure):
    guard, _, _, _, break_it = broken
    asked = Request(tool="refund", args={"amount": 120.0}, session="s1", **WHO)

    async def run():
        with pytest.raises(ApprovalRequired) as caught:
            await guard.aenforce(asked)
        guard.approvals.approve(caught.value.approvals[0].id, by=F1)
        mend = break_it(failure)
        with pytest.raises(Denied) as denied:
            await guard.aenforce(asked)
        assert not isinstance(denied.value, ApprovalRequired)
        mend()
        assert (await guard.aenforce(asked)).permitted

    asyncio.run(run())


def test_where_approvals_are_full_nothing_runs(tmp_path):
    approvals = SqliteApprovals(tmp_path / "approvals.db")
    guard = guard_in(tmp_path, approvals=approvals)
    ran = []
    refund, _, _ = tools_of(guard, ran)
    full(tmp_path / "approvals.db", approvals)
    denied = []
    with guard.session("s1", **WHO):
        for number in range(200):
            try:
                refund(120.0 + number)
            except ApprovalRequired:
                continue
            except Denied as error:
                denied.append(error.decision.message)
                break
    assert denied == ["An approval cannot be asked for (StoreError)."]
    assert ran == []


def test_where_state_is_full_nothing_runs(tmp_path):
    state = SqliteState(tmp_path / "state.db")
    guard = guard_in(tmp_path, state=state)
    ran = []
    refund, _, _ = tools_of(guard, ran)
    full(tmp_path / "state.db", state)
    handed, said = 0, []
    for number in range(200):
        with guard.session(f"s{number}", **WHO):
            try:
                refund(1.0)
            except Denied as error:
                said.append(error.decision.message)
            except StoreError as error:  # that it returned could not be written
                said.append(error.message)
            else:
                handed += 1
    assert said, "the store was full at last"
    assert said[-1] == "State or approvals could not be reached (StoreError)."
    late = [message for message in said if "has no room" in message]
    assert len(ran) == handed + len(late)


def test_a_result_is_not_handed_back_where_its_labels_cannot_be_kept(tmp_path):
    state = SqliteState(tmp_path / "state.db", timeout=0.05)
    guard = guard_in(tmp_path, state=state)
    mend = []

    @guard.tool
    def read_page() -> str:
        mend.append(held(tmp_path / "state.db"))
        return "page"

    with guard.session("s1", **WHO), pytest.raises(StoreError, match="is locked"):
        read_page()
    mend[0]()


def test_a_store_that_fails_is_said_to_who_only_looks(tmp_path):
    guard = guard_in(tmp_path)
    (tmp_path / "state.db").rename(tmp_path / "away.db")
    with pytest.raises(StoreError, match="was moved, removed or replaced"):
        guard.decide(Request(tool="refund", args={"amount": 1.0}, session="s1", **WHO))
