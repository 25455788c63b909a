"""What guarding a call costs, beside the call itself and the wrappers of others; run it by hand.

python tests/benchmarks/bench_guarded.py

All candidates take turns in one run. The function takes an order, an amount and a currency; the
policy asks for their form. guardian-angel is given the arguments by its caller, because it does
not bind them; theaios-guardrails judges the first argument and the result as texts. Neither
copies, counts, labels or records. Libraries that are not installed are left out.
"""

# ruff: noqa: T201 - it prints

import asyncio
import hmac
import importlib.util
import inspect
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson
import yaml
from bench_decide import Run, interleaved

from policy_engine import Guard

ARGUMENTS = """\
    args:
      order_id: {type: string, pattern: '^ORD-[0-9]{8}$'}
      amount: {type: number, exclusiveMinimum: 0, maximum: 500}
      currency: {enum: [USD, EUR]}
"""
POLICY = f"policy: bench\nlanguage: 1\ntools:\n  refund:\n{ARGUMENTS}"
FULL = f"""{POLICY}\
    labels: [paid]
    result:
      - {{id: page, check: {{terms: {{any: [secret]}}}}, effect: deny}}
limits:
  - {{id: few, tools: [refund], max: 1000000000, by: [session]}}
"""
WHO = {"id": "u1", "roles": ["support"]}
LOOP = asyncio.new_event_loop()


def refund(order_id: str, amount: float, currency: str = "USD") -> str:
    return f"{order_id} {amount} {currency}"


async def refund_later(order_id: str, amount: float, currency: str = "USD") -> str:
    return f"{order_id} {amount} {currency}"


def guarded(text: str, folder: Path, *, to_file: bool) -> Guard:
    path = folder / f"{len(list(folder.iterdir()))}.yaml"
    path.write_text(text)
    return Guard.from_path(path, records=path.with_suffix(".jsonl") if to_file else _nowhere)


def _nowhere(line: bytes) -> None:
    """Take a record and forget it."""


def called(function: Callable[..., Any], guard: Guard | None = None) -> Run:
    if guard is None:
        return lambda: function("ORD-00000001", 120.0)
    guard.session("s1", agent="a1", principal=WHO).__enter__()
    tool = guard.tool(function, name="refund")
    return lambda: tool("ORD-00000001", 120.0)


def awaited(function: Callable[..., Coroutine[Any, Any, Any]], guard: Guard | None = None) -> Run:
    """Await a hundred in one turn of the loop, so that what the loop costs is not counted."""
    call: Callable[[], Any] = called(function, guard)

    async def hundred() -> None:
        for _ in range(100):
            await call()

    return lambda: LOOP.run_until_complete(hundred())


def by_hand() -> Run:
    """Do for one tool what `@guarded` does: bind, judge, bind to a fingerprint, count, record."""
    schema = {
        "type": "object",
        "properties": {
            "order_id": {"type": "string", "pattern": "^ORD-[0-9]{8}$"},
            "amount": {"type": "number", "exclusiveMinimum": 0, "maximum": 500},
            "currency": {"enum": ["USD", "EUR"]},
        },
        "required": ["order_id", "amount", "currency"],
        "additionalProperties": False,
    }
    validator = jsonschema_rs.Draft202012Validator(schema)
    signature, lock, calls = inspect.signature(refund), threading.Lock(), {}
    trace = os.urandom(16).hex()

    def run() -> str:
        started = time.perf_counter_ns()
        bound = signature.bind("ORD-00000001", 120.0)
        bound.apply_defaults()
        args = dict(bound.arguments)
        if not validator.is_valid(args):
            raise PermissionError
        asked = {"agent": "a1", "principal": WHO["id"], "session": "s1", "tool": "refund"}
        form = orjson.dumps({**asked, "args": args}, option=orjson.OPT_SORT_KEYS)
        record = {
            "time": datetime.now(UTC),
            "kind": "decision",
            "id": os.urandom(8).hex(),
            "trace_id": trace,
            **asked,
            "effect": "allow",
            "rules": ["bench/tools/refund"],
            "fingerprint": hmac.digest(b"key", form, "sha256").hex(),
            "elapsed_us": (time.perf_counter_ns() - started) // 1000,
        }
        _nowhere(orjson.dumps(record))
        found = refund(**args)
        with lock:
            calls["s1", "refund"] = calls.get(("s1", "refund"), 0) + 1
        outcome = {"time": datetime.now(UTC), "kind": "outcome", "decision": record["id"]}
        _nowhere(orjson.dumps({**outcome, "status": "returned", "trace_id": trace}))
        return found

    return run


def guardian_angel() -> Run:
    from guardian_angel import GuardContext, GuardianAngel

    conditions = [
        {"key": "amount", "op": "lte", "value": 500},
        {"key": "currency", "op": "in", "value": ["USD", "EUR"]},
    ]
    rule = {"name": "refund", "tool": "refund", "decision": "allow", "all": conditions}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "policy.yaml"
        path.write_text(yaml.safe_dump({"rules": [rule]}))
        guard = GuardianAngel.from_yaml(str(path))

    def run() -> object:
        attributes = {"order_id": "ORD-00000001", "amount": 120.0, "currency": "USD"}
        context = GuardContext(attributes=attributes)
        return guard.invoke(refund, "ORD-00000001", 120.0, guard_ctx=context)

    assert run() == refund("ORD-00000001", 120.0)
    return run


def theaios() -> Run:
    from theaios.guardrails.adapters.decorator import guard

    rules = [
        {"name": n, "scope": s, "when": 'content contains "secret"', "then": "deny"}
        for n, s in (("in", "input"), ("out", "output"))
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "policy.yaml"
        path.write_text(
            yaml.safe_dump({"version": "1.0", "rules": [{**r, "severity": "high"} for r in rules]})
        )
        tool = guard(str(path), agent="a1")(refund)
    assert tool("ORD-00000001", 120.0) == refund("ORD-00000001", 120.0)
    return lambda: tool("ORD-00000001", 120.0)


def candidates(folder: Path) -> dict[str, Run]:
    found = {
        "the call itself": called(refund),
        "by hand for this one tool, kept nowhere": by_hand(),
        "@guarded, records kept nowhere": called(refund, guarded(POLICY, folder, to_file=False)),
        "@guarded, records in a file": called(refund, guarded(POLICY, folder, to_file=True)),
        "@guarded, with a limit, a label and a rule over the result": called(
            refund, guarded(FULL, folder, to_file=True)
        ),
    }
    for module, name, build in (
        ("guardian_angel", "guardian-angel, invoke", guardian_angel),
        ("theaios", "theaios-guardrails, @guard", theaios),
    ):
        if importlib.util.find_spec(module) is None:
            print(f"{name} is not installed: left out", file=sys.stderr)
        else:
            found[name] = build()
    return found


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        figures = interleaved(candidates(folder))
        later = interleaved(
            {
                "the awaited call itself": awaited(refund_later),
                "@guarded, awaited, records kept nowhere": awaited(
                    refund_later, guarded(POLICY, folder, to_file=False)
                ),
                "@guarded, awaited, records in a file": awaited(
                    refund_later, guarded(POLICY, folder, to_file=True)
                ),
            }
        )
        figures.update({name: each / 100 for name, each in later.items()})
        plain = figures["the call itself"]
        print(f"| {'candidate':<60} | µs | over the plain call |\n|---|--:|--:|")
        for name, each in figures.items():
            over = each - (later["the awaited call itself"] / 100 if "await" in name else plain)
            print(f"| {name:<60} | {each:.2f} | {over:.2f} |")
        started = time.process_time()
        run = called(refund, guarded(POLICY, folder, to_file=False))
        for _ in range(20_000):
            run()
        print(f"\nprocessor time of one: {(time.process_time() - started) / 20_000 * 1e6:.1f} µs")


if __name__ == "__main__":
    main()
