"""What guarded calls leave in memory: many calls over many sessions; run it by hand.

python tests/benchmarks/bench_memory.py [CALLS] [SESSIONS]

Prints the resident set as it goes. It should grow with the sessions that are kept, and then stop:
calls leave nothing behind. The last part lets 1,000 sessions be kept at most.
"""

# ruff: noqa: T201 - it prints

import gc
import logging
import os
import sys
import tempfile
import time
from pathlib import Path

from policy_engine import Denied, Guard
from policy_engine.state import MemoryState

POLICY = """\
policy: bench
language: 1
tools:
  look:
    args: {key: {type: string}}
    labels: [seen]
  "*": allow
limits:
  - {id: few, tools: [look], max: 50, per: 1h, by: [session], alert_at: 0.8}
  - {id: ever, tools: [look], max: 1000000000, by: [principal]}
"""


def resident() -> float:
    """Return the resident set in megabytes."""
    pages = int(Path("/proc/self/statm").read_text("utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def run(calls: int, sessions: int, state: MemoryState, title: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "policy.yaml"
        path.write_text(POLICY)
        guard = Guard.from_path(path, records=len, state=state)

    @guard.tool
    def look(key: str) -> str:
        return key

    gc.collect()
    start = resident()
    print(f"\n{title}\n| calls | resident MB | more than at the start | µs a call |")
    print("|--:|--:|--:|--:|")
    denied = 0
    began = time.process_time()
    for number in range(1, calls + 1):
        with guard.session(f"s{number % sessions}", agent="a", principal={"id": "u1"}):
            try:
                look(f"key {number}")
            except Denied:
                denied += 1
        if number % max(1, calls // 10) == 0:
            now = resident()
            each = (time.process_time() - began) / number * 1e6
            print(f"| {number:,} | {now:.1f} | {now - start:.1f} | {each:.1f} |")
    print(f"denied: {denied:,}")


def main() -> None:
    logging.disable()
    given = [int(text) for text in sys.argv[1:]]
    calls, sessions = [*given, 1_000_000, 10_000][:2] if len(given) < 2 else given[:2]
    if len(given) == 1:
        sessions = 10_000
    run(calls, sessions, MemoryState(), f"{sessions:,} sessions, all kept")
    state = MemoryState(max_sessions=1_000, max_counters=2_000)
    run(calls, sessions, state, f"{sessions:,} sessions, 1,000 kept")


if __name__ == "__main__":
    main()
