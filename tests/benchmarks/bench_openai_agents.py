"""A guarded run beside the plain run: what a turn costs more, with 50 rules.

Run it: python tests/benchmarks/bench_openai_agents.py
"""

# ruff: noqa: T201 - it prints

import asyncio
import json
import statistics
import tempfile
from pathlib import Path
from time import process_time

from agents import Agent, RunConfig, Runner, function_tool, set_tracing_disabled
from agents.testing import ScriptedModel, assistant_message, function_call

from policy_engine.adapters.openai_agents import guard_agent, run_config
from policy_engine.guard import Guard

TURNS = 20
RUNS = 15
BUDGET_MS = 1.0


@function_tool
def refund(order: str, amount: float) -> str:
    """Pay money back."""
    return f"refunded {amount} for {order}"


def steps(run):
    """Return a model's script: a call in each turn, and an end."""
    args = json.dumps({"order": "A", "amount": 5.0})
    calls = [
        [assistant_message("one moment"), function_call("refund", args, call_id=f"c{run}-{turn}")]
        for turn in range(TURNS - 1)
    ]
    return [*calls, [assistant_message("done")]]


def policies(folder, *, around=False):
    """Write 50 rules that concern every call; some of them about what the agent is given."""
    rules = [
        {"id": f"r{n}", "tools": ["refund"], "when": f"args.amount > {1000 + n}", "effect": "deny"}
        for n in range(40)
    ]
    texts = [
        {"id": f"o{n}", "check": {"terms": {"any": [f"secret word {n}"]}}, "effect": "deny"}
        for n in range(10)
    ]
    refund_entry = {"args": {"order": {"type": "string"}, "amount": {"type": "number"}}}
    policy = {"policy": "bench", "language": 1, "tools": {"refund": refund_entry}, "rules": rules}
    if around:
        policy["input"], refund_entry["result"] = texts[:4], texts[4:6]
    (folder / "bench.yaml").write_text(json.dumps({**policy, "output": texts[6 * around :]}))
    return folder


async def timed(agent, config, run):
    """Return the processor time that a run takes; the machine may be busy with others."""
    started = process_time()
    await Runner.run(agent, "hello", run_config=config, max_turns=TURNS + 1)
    return process_time() - started


def more(*, around):
    """Measure both, turn about; return what a turn costs plain and what more guarded, in ms."""
    folder = Path(tempfile.mkdtemp())
    guard = Guard.from_path(policies(folder, around=around), records=folder / "records.jsonl")
    plain, guarded = [], []
    for run in range(RUNS + 2):
        one = Agent(name="a", model=ScriptedModel(steps(f"p{run}")), tools=[refund])
        plain.append(asyncio.run(timed(one, RunConfig(), run)))
        two = Agent(name="a", model=ScriptedModel(steps(f"g{run}")), tools=[refund])
        config = run_config(guard, session=f"s{run}", principal={"id": "u1"})
        guarded.append(asyncio.run(timed(guard_agent(two, guard), config, run)))
    before = statistics.median(plain[2:]) / TURNS * 1000
    return before, statistics.median(guarded[2:]) / TURNS * 1000 - before


def main():
    """Print what a turn costs more, for policies about calls and answers, and about all."""
    set_tracing_disabled(True)
    plain, calls = more(around=False)
    print(f"plain {plain:.2f} ms a turn; rules about calls and answers: {calls:.2f} ms more")
    plain, every = more(around=True)
    print(f"plain {plain:.2f} ms a turn; about input and results too: {every:.2f} ms more")
    assert calls < BUDGET_MS


if __name__ == "__main__":
    main()
