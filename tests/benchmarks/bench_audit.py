"""What one record costs: made, encoded, handed to the operating system; run it by hand.

python tests/benchmarks/bench_audit.py
"""

# ruff: noqa: T201 - it prints

import os
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from policy_engine.audit import (
    CallableSink,
    FileSink,
    decision_record,
    new_id,
    new_trace,
    outcome_record,
    write,
)
from policy_engine.decision import Context, Decision, Outcome, Reason, Request

ROUNDS, CALLS = 15, 4_000
NOW = datetime(2026, 1, 5, 10, 0, 0, 123456, tzinfo=UTC)
OUTCOME = Outcome(
    "allow",
    "allow",
    (
        Reason("support-desk/tools/process_refund", "allow", "entry.allow", ""),
        Reason("base/tools/process_*", "allow", "entry.allow", ""),
    ),
)
DECISION = Decision(
    Request(
        agent="support-l1",
        principal={"id": "u1", "roles": ["support"], "tenant": "acme"},
        session="s1",
        tool="process_refund",
        args={"order_id": "ORD-00000001", "amount": 120, "currency": "USD"},
        call_id="c7",
    ),
    OUTCOME,
    Context("sha256:" + "0" * 64, b"k" * 32, frozenset()),
)
FINGERPRINT = DECISION.fingerprint
TRACE = new_trace()


def decided(fingerprint=FINGERPRINT):
    return decision_record(
        DECISION,
        id="0123456789abcdef0123456789abcdef",
        time=NOW,
        trace=TRACE,
        enforced=True,
        elapsed_us=4,
        known=True,
        fingerprint=fingerprint,
    )


def ended():
    return outcome_record(
        decision_id="0123456789abcdef0123456789abcdef",
        time=NOW,
        trace=TRACE,
        status="returned",
        elapsed_us=900,
        labels=("untrusted",),
    )


def main():
    with tempfile.TemporaryDirectory() as folder:
        sink = FileSink(Path(folder, "records.jsonl"))
        full = FileSink(Path(folder, "full.jsonl"), durability="full")
        nowhere = CallableSink(lambda _line: None)
        bare = os.open(Path(folder, "bare"), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        line = decided() + b"\n"
        table = {
            "os.write of a line as long (floor)": lambda: os.write(bare, line),
            "a decision: made": decided,
            "a decision: made, handed over": lambda: write(nowhere, decided()),
            "a decision: made, in the file": lambda: write(sink, decided()),
            "an outcome: made, in the file": lambda: write(sink, ended()),
            "the fingerprint of the decision": lambda: DECISION.fingerprint,
            "an id and a trace": lambda: (new_id(), new_trace()),
        }
        times = {name: [] for name in table}
        for _ in range(ROUNDS):
            for name, act in table.items():
                began = time.perf_counter()
                for _ in range(CALLS):
                    act()
                times[name].append((time.perf_counter() - began) / CALLS)
        for name, found in times.items():
            median, least = statistics.median(found) * 1e6, min(found) * 1e6
            print(f"{name:42} median {median:7.2f} us   min {least:7.2f} us")
        began = time.perf_counter()
        for _ in range(200):
            write(full, decided())
        print(
            f"{'a decision, durability full':42} mean {(time.perf_counter() - began) * 5e3:9.0f} us"
        )
        print(f"{len(line)} bytes a line")


if __name__ == "__main__":
    main()
