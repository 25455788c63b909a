"""What tests of policies cost: 1,000 tests, and the mutants of a policy of 100 rules.

`python tests/benchmarks/bench_testing.py [JOBS]`. Beside the time on the clock stands the time of
the processors, of this process and those that it started, which others on the machine change less.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from policy_engine.testing.mutation import hunt
from policy_engine.testing.outcome import run_tests
from policy_engine.testing.reading import read_suites

BUDGETS = {"1,000 tests": 1.0, "mutants of 100 rules": 30.0}

TOOL = """\
  tool_{i}:
    args:
      amount: {{type: number, minimum: 0, maximum: 1000}}
      note: {{type: string, maxLength: 200, optional: true}}
      order: {{type: string, pattern: '^ORD-{i}-[0-9]{{8}}$'}}
      env: {{enum: [prod, staging, dev]}}
      lines: {{type: array, maxItems: 20, items: {{type: string, maxLength: 40}}, optional: true}}
    labels: [untrusted]
    rules:
      - id: t{i}-a
        when: args.amount > {bound}
        effect: require_approval
        approval: {{approvers: [finance], expires: 1h}}
      - {{id: t{i}-b, when: 'args.env == "prod" && "untrusted" in session.labels', effect: deny}}
      - id: t{i}-c
        when: has(args.note) && args.note.lowerAscii().contains("x{i}") && args.amount > 5
        effect: deny
      - {{id: t{i}-d, check: {{terms: {{any: [alpha{i}, beta{i}]}}}}, effect: deny}}
"""
RULE = """\
  - {{id: r{i}, tools: [tool_{i}], when: 'args.amount > 9{i} && principal.id != "u"', effect: deny}}
"""
LIMIT = "  - {{id: l{i}, tools: [tool_{i}], max: 5, per: 1h, by: [session]}}\n"

HEAD = """\
policies: ../large.yaml
defaults: {agent: a, principal: {id: u}, now: 2026-01-05T10:00:00Z}
tests:
"""
TESTS = """\
  - name: the arguments of tool {i}
    request: {{tool: tool_{i}, args: {{amount: 5, order: ORD-{i}-00000001, env: dev, note: fine}}}}
    expect: {{effect: allow}}
    accepts: {{amount: [0, 60], env: [staging, prod]}}
    accepts_without: [note]
    refuses:
      amount: [-1, 1001, text]
      note: [{{$text: [[a, 201]]}}]
      order: [xORD-{i}-00000001, ORD-{i}-00000001x]
      env: [test]
      lines: [[[7]], {{$list: [a, 21]}}]
      another: [1]
    refuses_without: [amount, order, env]
  - name: rules of tool {i}
    request: {{tool: tool_{i}, args: {{amount: {above}, order: ORD-{i}-00000001, env: dev}}}}
    expect: {{effect: require_approval, rules: [large/t{i}-a]}}
  - name: words of tool {i}
    request:
      tool: tool_{i}
      args: {{amount: 6, order: ORD-{i}-00000001, env: dev, note: an alpha{i}}}
    expect: {{effect: deny, rules: [large/t{i}-d]}}
  - name: steered tool {i}
    steps:
      - {{tool: tool_{i}, args: {{amount: 5, order: ORD-{i}-00000001, env: dev}}}}
      - tool: tool_{i}
        args: {{amount: 5, order: ORD-{i}-00000001, env: dev}}
        repeat: 4
        expect: {{effect: allow}}
      - tool: tool_{i}
        args: {{amount: 5, order: ORD-{i}-00000001, env: dev}}
        expect: {{effect: deny}}
      - tool: tool_{i}
        args: {{amount: 5, order: ORD-{i}-00000001, env: prod}}
        expect: {{effect: deny}}
"""


def write(folder: Path, tools: int) -> Path:
    """Write a policy with five rules a tool, and 22 tests of each."""
    entries = "".join(TOOL.format(i=i, bound=100 + i) for i in range(tools))
    rules = "".join(RULE.format(i=i) for i in range(tools))
    limits = "".join(LIMIT.format(i=i) for i in range(tools))
    text = f"policy: large\nlanguage: 1\ntools:\n{entries}rules:\n{rules}limits:\n{limits}"
    (folder / "large.yaml").write_text(text)
    tests = folder / "tests"
    tests.mkdir()
    path = tests / "large.yaml"
    path.write_text(HEAD + "".join(TESTS.format(i=i, above=101 + i) for i in range(tools)))
    return path


def timed(what: str, work: Callable[[], object]) -> bool:
    """Print what some work costs, and return whether that is more than the budget."""
    before, start = os.times(), time.perf_counter()
    work()
    wall, after = time.perf_counter() - start, os.times()
    cpu = sum(after[:4]) - sum(before[:4])
    sys.stdout.write(
        f"{what}: {wall:.2f} s, {cpu:.2f} s of processors (budget {BUDGETS[what]:g} s)\n"
    )
    return wall > BUDGETS[what]


def main() -> int:
    """Print the times; the exit code says whether they are within the budgets."""
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else None
    over = False
    with tempfile.TemporaryDirectory() as folder:
        path = str(write(Path(folder), 48))
        loaded = read_suites([path])
        sys.stdout.write(f"{len(loaded.suites[0].cases):,} tests\n")
        over |= timed("1,000 tests", lambda: run_tests(read_suites([path]), coverage=False))
    with tempfile.TemporaryDirectory() as folder:
        path = str(write(Path(folder), 20))
        loaded = read_suites([path])
        verdicts = []
        over |= timed("mutants of 100 rules", lambda: verdicts.extend(hunt(loaded, jobs=jobs)))
        for fate in ("killed", "survived", "undecided", "equivalent", "refused"):
            sys.stdout.write(f"  {fate}: {sum(one.fate == fate for one in verdicts):,}\n")
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
