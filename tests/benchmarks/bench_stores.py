"""What approvals and state cost in a file, beside in memory; run it by hand.

python tests/benchmarks/bench_stores.py [FOLDER]

All candidates take turns in one run. A row of state is what the guard asks of it for one call:
facts, commit and returned, with one limit by session over a hundred sessions. FOLDER says on
which disk the files are.
"""

# ruff: noqa: T201 - it prints

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from policy_engine.approvals import MemoryApprovals, SqliteApprovals
from policy_engine.decision import (
    ApprovalNeeded,
    Context,
    CounterNeed,
    Decision,
    Needs,
    Outcome,
    Request,
    Reservation,
)
from policy_engine.state import MemoryState, SqliteState

START = datetime.now(UTC)
CONTEXT = Context("sha256:0", b"key", frozenset())
GATE = ApprovalNeeded("desk/finance", ("finance",), 1, 3600.0)
F1 = {"id": "f1", "roles": ["finance"]}
ROUNDS, CALLS = 15, 40

Run = Callable[[int], None]


def state_run(state: Any, per: float | None, *, has_id: bool) -> Run:
    def run(number: int) -> None:
        session = f"s{number % 100}"
        now = START + timedelta(milliseconds=number)
        item = Reservation("p/calls", (session,), 1, "calls", 10**9, per)
        asked = Request(
            tool="t", args={}, session=session, call_id=f"c{number}" if has_id else None
        )
        needs = Needs(now=True, session=True, counters=(CounterNeed(item.limit, item.key, per),))
        state.facts(asked, needs, now)
        decision = Decision(asked, Outcome("allow", "allow", obligations=(item,)), CONTEXT)
        assert state.commit(decision, now) is not None
        state.returned(decision, now)

    return run


def part_run(state: Any, part: str) -> Run:
    item = Reservation("p/calls", ("s1",), 1, "calls", 10**9, 3600.0)
    asked = Request(tool="t", args={}, session="s1")
    needs = Needs(now=True, session=True, counters=(CounterNeed(item.limit, item.key, 3600.0),))
    decision = Decision(asked, Outcome("allow", "allow", obligations=(item,)), CONTEXT)
    acts: dict[str, Callable[[datetime], object]] = {
        "facts": lambda now: state.facts(asked, needs, now),
        "commit": lambda now: state.commit(decision, now),
        "returned": lambda now: state.returned(decision, now),
        "halts": lambda _: state.halts(),
    }
    act = acts[part]
    return lambda number: act(START + timedelta(milliseconds=number)) and None


def approvals_run(store: Any) -> Run:
    def run(number: int) -> None:
        asked = Request(
            agent="a", tool="refund", args={"amount": number}, session=f"s{number % 100}"
        )
        outcome = Outcome("require_approval", "require_approval", obligations=(GATE,))
        decision = Decision(asked, outcome, CONTEXT)
        (found,) = store.ask(decision, START)
        store.approve(found.id, by=F1)
        assert store.use(decision.fingerprint, (GATE,), START)

    return run


def timed(runs: dict[str, Run]) -> dict[str, float]:
    """Return the median of rounds in which the candidates took turns, in microseconds."""
    found: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(ROUNDS):
        for name, run in runs.items():
            began = time.perf_counter()
            for number in range(turn * CALLS, (turn + 1) * CALLS):
                run(number)
            found[name].append((time.perf_counter() - began) / CALLS * 1e6)
    return {name: statistics.median(times) for name, times in found.items()}


CROWD = """
import sys, time
sys.path.insert(0, sys.argv[2])
from bench_stores import CALLS, SqliteState, state_run
run = state_run(SqliteState(sys.argv[1], timeout=60), 3600.0, has_id=False)
sys.stdin.readline()
began = time.perf_counter()
for number in range(1000):
    run(number)
print(time.perf_counter() - began)
"""


def crowd(path: Path, count: int) -> float:
    """Return the calls a second of so many processes over one file."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CROWD, path, Path(__file__).parent],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(count)
    ]
    time.sleep(1 + count / 4)
    for process in processes:
        process.stdin.write("go\n")  # type: ignore[union-attr]
        process.stdin.flush()  # type: ignore[union-attr]
    took = [float(process.communicate()[0]) for process in processes]
    return 1000 * count / max(took)


def main(folder: Path) -> None:
    """Print the tables."""
    numbers = iter(range(1000))

    def path() -> Path:
        return folder / f"{next(numbers)}.db"

    kinds: dict[str, Callable[[], Any]] = {
        "memory": MemoryState,
        "normal": lambda: SqliteState(path()),
        "full": lambda: SqliteState(path(), durability="full"),
    }
    print("| state, µs a call | memory | normal | full |\n|---|--:|--:|--:|")
    rows: dict[str, Callable[[Any], Run]] = {
        "facts, commit, returned: a limit an hour": lambda s: state_run(s, 3600.0, has_id=False),
        "the same, with call ids": lambda s: state_run(s, 3600.0, has_id=True),
        "a limit for ever": lambda s: state_run(s, None, has_id=False),
        "facts alone": lambda s: part_run(s, "facts"),
        "commit alone": lambda s: part_run(s, "commit"),
        "returned alone": lambda s: part_run(s, "returned"),
        "halts alone": lambda s: part_run(s, "halts"),
    }
    for title, run_of in rows.items():
        found = timed({kind: run_of(made()) for kind, made in kinds.items()})
        print(f"| {title} | {' | '.join(f'{took:.1f}' for took in found.values())} |")
    stores: dict[str, Any] = {
        "memory": MemoryApprovals(),
        "normal": SqliteApprovals(path()),
        "full": SqliteApprovals(path(), durability="full"),
    }
    found = timed({kind: approvals_run(store) for kind, store in stores.items()})
    print("\n| approvals, ask + approve + use | memory | normal | full |\n|---|--:|--:|--:|")
    print(f"| µs | {' | '.join(f'{took:.0f}' for took in found.values())} |")
    print(f"| a second | {' | '.join(f'{1e6 / took:,.0f}' for took in found.values())} |")
    print("\n| processes over one file of state | calls a second |\n|--:|--:|")
    for count in (1, 2, 8):
        print(f"| {count} | {crowd(path(), count):,.0f} |")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as made:
            main(Path(made))
