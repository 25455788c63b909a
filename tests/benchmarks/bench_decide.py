"""What a decision costs, beside others that do the same job in the same run; run it by hand.

python tests/benchmarks/bench_decide.py

All candidates take turns: in each of the rounds every one is timed once, the order rotating, and
the table gives the median of the rounds and its ratio to the function written by hand. Libraries
that are not installed are left out; the dependency group `bench` has them.
"""

# ruff: noqa: T201 - it prints

import gc
import importlib.util
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from bench_load import few_tools

from policy_engine.decision import Request
from policy_engine.engine import Engine
from policy_engine.loader import load_texts

ROUNDS = 21
TOOLS = [f"tool_{number}" for number in range(19)]
ARGS = {"amount": 120, "currency": "USD", "to": "alice@acme.com"}
CURRENCIES = ["USD", "EUR"]
DOMAIN = "@acme.com"
Run = Callable[[], object]


def timed(run: Run, number: int) -> float:
    """Return the mean time of some runs, in microseconds."""
    start = time.perf_counter()
    for _ in range(number):
        run()
    return (time.perf_counter() - start) / number * 1e6


def interleaved(candidates: dict[str, Run], rounds: int = ROUNDS) -> dict[str, float]:
    """Return the median of each candidate, all of them taking turns."""
    numbers = {}
    for name, run in candidates.items():
        timed(run, 20)
        numbers[name] = max(5, int(10_000 / max(timed(run, 20), 0.1)))
    figures: dict[str, list[float]] = {name: [] for name in candidates}
    names = list(candidates)
    gc.disable()
    for turn in range(rounds):
        for step in range(len(names)):
            name = names[(turn + step) % len(names)]
            figures[name].append(timed(candidates[name], numbers[name]))
        gc.collect()
    gc.enable()
    return {name: statistics.median(found) for name, found in figures.items()}


def engine_of(text: str) -> Engine:
    return Engine(load_texts({"bench.yaml": text}))


# The same job: an allowlist of 20 tools, and three conditions on the arguments of one of them.


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the function written by hand returns."""

    effect: str
    reasons: tuple[str, ...]


ALLOWED = frozenset([*TOOLS, "pay"])
PERMITTED = Verdict("allow", ("an entry permits the name",))


def by_hand() -> Run:
    def decide(tool: str, args: dict[str, Any]) -> Verdict:
        if tool not in ALLOWED:
            return Verdict("deny", ("no entry names it",))
        reasons = []
        if tool == "pay":
            amount, to = args.get("amount"), args.get("to")
            if type(amount) not in (int, float) or not amount <= 500:
                reasons.append("at most 500")
            if args.get("currency") not in CURRENCIES:
                reasons.append("in dollars or euros")
            if type(to) is not str or DOMAIN not in to:
                reasons.append("within the company")
        if reasons:
            return Verdict("deny", tuple(reasons))
        return Verdict("allow", PERMITTED.reasons)

    return lambda: decide("pay", ARGS)


def listed() -> str:
    return "".join(f"  {tool}: allow\n" for tool in TOOLS)


def ours_by_schema() -> Run:
    engine = engine_of(
        f"policy: bench\nlanguage: 1\ntools:\n{listed()}  pay:\n    args:\n"
        "      amount: {type: number, maximum: 500}\n"
        "      currency: {enum: [USD, EUR]}\n"
        "      to: {type: string, pattern: '@acme[.]com'}\n"
    )
    request = Request(tool="pay", args=ARGS, agent="a1")
    assert engine.decide(request).effect == "allow"
    assert engine.decide(Request(tool="pay", args={**ARGS, "amount": 501})).effect == "deny"
    return lambda: engine.decide(request)


def ours_by_rules() -> Run:
    engine = engine_of(
        f"policy: bench\nlanguage: 1\ntools:\n{listed()}  pay:\n    args:\n"
        "      amount: {type: number}\n"
        "      currency: {type: string}\n"
        "      to: {type: string}\n"
        "    rules:\n"
        "      - {id: amount, when: args.amount > 500, effect: deny}\n"
        '      - {id: currency, when: \'!(args.currency in ["USD", "EUR"])\', effect: deny}\n'
        "      - {id: company, when: '!args.to.contains(\"@acme.com\")', effect: deny}\n"
    )
    request = Request(tool="pay", args=ARGS, agent="a1")
    assert engine.decide(request).effect == "allow"
    assert engine.decide(Request(tool="pay", args={**ARGS, "to": "x@y.z"})).effect == "deny"
    return lambda: engine.decide(request)


def guardian_angel() -> Run:
    from guardian_angel import ActionRequest, DecisionStatus, GuardConfig, GuardianAngel

    rules: list[dict[str, Any]] = [
        {"name": tool, "tool": tool, "decision": "allow"} for tool in TOOLS
    ]
    conditions = [
        {"key": "amount", "op": "lte", "value": 500},
        {"key": "currency", "op": "in", "value": CURRENCIES},
        {"key": "to", "op": "contains", "value": DOMAIN},
    ]
    rules.append({"name": "pay", "tool": "pay", "decision": "allow", "all": conditions})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "policy.yaml"
        path.write_text(yaml.safe_dump({"rules": rules}))
        config = GuardConfig(
            default_decision=DecisionStatus.DENY, on_evaluation_error=DecisionStatus.DENY
        )
        guard = GuardianAngel.from_yaml(str(path), config=config)
    request = ActionRequest(tool="pay", attributes=dict(ARGS))
    other = ActionRequest(tool="pay", attributes={**ARGS, "amount": 501})
    assert guard.authorize(request).status == "allow"
    assert guard.authorize(other).status == "deny"
    return lambda: guard.authorize(request)


def theaios() -> Run:
    from theaios.guardrails import Engine as Theaios
    from theaios.guardrails import GuardEvent, load_policy

    allowed = ", ".join(f'"{tool}"' for tool in [*TOOLS, "pay"])
    conditions = {
        "allowlist": f"tool not in [{allowed}]",
        "amount": 'tool == "pay" and args.amount > 500',
        "currency": 'tool == "pay" and args.currency not in ["USD", "EUR"]',
        "company": 'tool == "pay" and not (args.to contains "@acme.com")',
    }
    rules = [
        {"name": name, "scope": "tool_call", "when": when, "then": "deny", "severity": "high"}
        for name, when in conditions.items()
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "policy.yaml"
        path.write_text(yaml.safe_dump({"version": "1.0", "rules": rules}))
        engine = Theaios(load_policy(str(path)))
    event = GuardEvent(scope="tool_call", agent="a1", data={"tool": "pay", "args": dict(ARGS)})
    for changed in ({"amount": 501}, {"currency": "GBP"}, {"to": "x@y.z"}):
        other = GuardEvent(
            scope="tool_call", agent="a1", data={"tool": "pay", "args": {**ARGS, **changed}}
        )
        assert engine.evaluate(other).outcome == "deny"
    assert engine.evaluate(event).outcome == "allow"
    return lambda: engine.evaluate(event)


def cedar() -> Run:
    import cedarpy

    text = "".join(f'permit(principal, action == Action::"{t}", resource);\n' for t in TOOLS) + (
        'permit(principal, action == Action::"pay", resource) when {\n'
        "  context.amount <= 500 &&\n"
        '  ["USD", "EUR"].contains(context.currency) &&\n'
        '  context.to like "*@acme.com*"\n};\n'
    )
    policies = cedarpy.PolicySet.from_str(text)
    entities = cedarpy.Entities.from_json_str("[]")

    def request(**changed: Any) -> dict[str, Any]:
        return {
            "principal": 'Agent::"a1"',
            "action": 'Action::"pay"',
            "resource": 'Tool::"pay"',
            "context": {**ARGS, **changed},
        }

    asked = request()
    assert cedarpy.is_authorized(asked, policies, entities).allowed is True
    assert cedarpy.is_authorized(request(amount=501), policies, entities).allowed is False
    return lambda: cedarpy.is_authorized(asked, policies, entities)


def same_job() -> dict[str, Run]:
    candidates = {
        "a function by hand": by_hand(),
        "policy-engine, as a schema": ours_by_schema(),
        "policy-engine, as rules": ours_by_rules(),
    }
    for module, name, build in (
        ("guardian_angel", "guardian-angel", guardian_angel),
        ("theaios", "theaios-guardrails", theaios),
        ("cedarpy", "cedarpy", cedar),
    ):
        if importlib.util.find_spec(module) is None:
            print(f"{name} is not installed: left out", file=sys.stderr)
        else:
            candidates[name] = build()
    return candidates


# Our own rows of the budget.

FULL_ARGS = {
    "order_id": "ORD-00000001",
    "amount": 120.5,
    "currency": "USD",
    "note": ("the quick brown fox jumps over the lazy dog while nobody looks at it " * 20)[:1024],
    "tags": ["a", "b"],
}
TERMS = ", ".join(f"secret word {number}" for number in range(60))
PATTERNS = ", ".join(rf"'\b(?:key|token){number}[=:]\s*[A-Z0-9]{{8,20}}\b'" for number in range(40))


NARROW = "in: [args.note], "
FULL = f"""\
policy: bench
language: 1
tools:
{listed()}  refund:
    args:
      order_id: {{type: string, pattern: '^ORD-[0-9]{{8}}$'}}
      amount: {{type: number, exclusiveMinimum: 0, maximum: 500}}
      currency: {{enum: [USD, EUR]}}
      note: {{type: string, maxLength: 2000, optional: true}}
      tags: {{type: array, items: {{type: string}}, maxItems: 5, optional: true}}
    rules:
      - {{id: large, when: args.amount > 400.0 && args.currency == "EUR", effect: deny}}
      - {{id: first, when: args.order_id == "ORD-00000000", effect: deny}}
      - {{id: far, when: '!(agent in ["a1", "a2"])', effect: deny}}
rules:
  - {{id: words, tools: [refund], {NARROW}check: {{terms: {{any: [{TERMS}]}}}}, effect: deny}}
  - {{id: keys, tools: [refund], {NARROW}check: {{pattern: {{any: [{PATTERNS}]}}}}, effect: deny}}
"""


def others(count: int) -> dict[str, str]:
    """Write rules for other tools, some hundreds a file."""
    texts = {}
    for first in range(0, count, 500):
        tools = range(first, min(first + 500, count))
        texts[f"{first}.yaml"] = f"policy: others-{first}\nlanguage: 1\ntools:\n" + "".join(
            [
                *(f"  other_{i}: {{args: {{n: {{type: integer}}}}}}\n" for i in tools),
                "rules:\n",
                *(
                    f"  - {{id: rule-{i}, tools: [other_{i}], when: args.n > {i}, effect: deny}}\n"
                    for i in tools
                ),
            ]
        )
    return texts


def own_rows() -> dict[str, Run]:
    rows: dict[str, Run] = {}
    listed_only = engine_of(f"policy: bench\nlanguage: 1\ntools:\n{listed()}")
    denied = Request(tool="unheard_of", args=ARGS, agent="a1")
    assert listed_only.decide(denied).effect == "deny"
    rows["denied at the allowlist"] = lambda: listed_only.decide(denied)
    request = Request(tool="refund", args=FULL_ARGS, agent="a1")
    for count in (0, 10, 10_000):
        engine = Engine(load_texts({"bench.yaml": FULL, **others(count)}))
        decision = engine.decide(request)
        assert (decision.effect, len(decision.reasons)) == ("allow", 1)
        name = f"  the same, {count:,} rules for other tools"
        rows[name if count else "5-field schema, 3 conditions, 1 KB, 100 patterns"] = (
            lambda decide=engine.decide: decide(request)
        )
    whole = engine_of(FULL.replace(NARROW, ""))
    assert whole.decide(request).effect == "allow"
    rows["  the same, over every argument and name"] = lambda: whole.decide(request)
    broken = Request(tool="refund", args={**FULL_ARGS, "amount": 501}, agent="a1")
    assert engine.decide(broken).effect == "deny"
    rows["  the same, an argument broken"] = lambda: engine.decide(broken)
    return rows


def percentiles(run: Run, number: int = 20_000) -> tuple[float, float]:
    """Return p50 and p99 of single calls, in microseconds, the clock's own time left out."""
    clock = time.perf_counter_ns
    empty = sorted(-(clock() - clock()) for _ in range(1000))[500]
    gc.disable()
    taken = []
    for _ in range(number):
        start = clock()
        run()
        taken.append(clock() - start - empty)
    gc.enable()
    taken.sort()
    return taken[number // 2] / 1000, taken[number * 99 // 100] / 1000


COLD = """
import policy_engine
engine = policy_engine.Engine(policy_engine.load({path!r}))
request = policy_engine.Request(tool="pay", args={{"amount": 1, "to": "a"}})
assert engine.decide(request).effect == "allow"
"""
SMALL = """\
policy: bench
language: 1
tools:
  pay:
    args: {amount: {type: number, maximum: 500}, to: {type: string}}
    rules:
      - {id: large, when: args.amount > 100, effect: deny}
      - {id: words, check: {terms: {any: [secret, internal only]}}, effect: deny}
"""


def cold_rows() -> dict[str, float]:
    """Return milliseconds of whole processes, an empty one's left out."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.yaml"
        path.write_text(SMALL)
        scripts = {
            "empty": "pass",
            "import policy_engine": "import policy_engine",
            "import, load, first decision": COLD.format(path=str(path)),
        }
        found = interleaved(
            {
                name: lambda script=script: subprocess.run(
                    [sys.executable, "-c", script], check=True
                )
                for name, script in scripts.items()
            },
            rounds=3,
        )
    empty = found.pop("empty")
    rows = {name: (taken - empty) / 1000 for name, taken in found.items()}
    times = [timed(lambda: load_texts(few_tools()), 1) for _ in range(7)]
    rows["load 200 rules"] = statistics.median(times) / 1000
    return rows


def main() -> None:
    print(f"CPython {sys.version.split()[0]}, {ROUNDS} rounds, medians\n")
    found = interleaved(same_job())
    hand = found["a function by hand"]
    print("An allowlist of 20 tools and three conditions on the arguments, permitted")
    for name, taken in found.items():
        print(f"  {name:52} {taken:9.2f} µs {taken / hand:8.1f} x")
    rows = own_rows()
    print("\nOur own rows")
    for name, taken in interleaved(rows).items():
        p50, p99 = percentiles(rows[name])
        print(f"  {name:52} {taken:9.2f} µs   p50 {p50:6.2f}   p99 {p99:6.2f}")
    print("\nWhole processes and loading")
    for name, milliseconds in cold_rows().items():
        print(f"  {name:52} {milliseconds:9.1f} ms")


if __name__ == "__main__":
    main()
