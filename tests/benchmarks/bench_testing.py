"""What tests of policies cost: 1,000 and 5,000 tests, and the mutants of policies of 100 rules.

`python tests/benchmarks/bench_testing.py [JOBS]`. Beside the time on the clock stands the time of
the processors, of this process and those that it started, which others on the machine change less.
"""

import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from policy_engine.testing.mutation import Verdict, hunt
from policy_engine.testing.outcome import run_tests
from policy_engine.testing.reading import read_suites

BUDGETS = {
    "1,000 tests": 1.0,
    "5,000 tests": 6.0,
    "mutants of 100 rules, 440 tests": 30.0,
    "mutants of 100 rules about facts, 30 tests": 30.0,
    "mutants of 100 rules about facts, 1,000 tests": 30.0,
}

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


FACT = """\
  record{i}:
    from: app:record{i}
    with: [args.id]
    schema:
      type: object
      properties:
        owner: {{type: string}}
        total: {{type: number}}
        state: {{enum: [open, closed, held]}}
"""
ABOUT_FACTS = """\
  tool_{i}:
    args:
      id: {{type: string, pattern: '^R{i}-[0-9]{{6}}$'}}
      amount: {{type: number, exclusiveMinimum: 0, maximum: 500}}
      kind: {{enum: [a, b]}}
      note: {{type: string, maxLength: 100, optional: true}}
    rules:
      - {{id: own{i}, when: facts.record{i}.owner != principal.id, effect: deny}}
      - {{id: over{i}, when: args.amount > facts.record{i}.total, effect: deny}}
      - id: state{i}
        when: facts.record{i}.state in ["closed", "held"] && args.amount > 10
        effect: require_approval
        approval: {{approvers: [finance], expires: 1h}}
      - id: urgent{i}
        when: context.env == "prod" && has(args.note) && args.note.startsWith("urgent")
        effect: deny
"""
COUNTED = "limits: [{id: all, tools: ['tool_*'], max: 50, per: 1h, by: [principal]}]\n"
PLAIN = """\
  - name: test {number}
    request:
      tool: tool_{i}
      args: {{id: R{i}-{number:06}, amount: {amount}, kind: a}}
      facts: {{record{i}: {{owner: {owner}, total: 100, state: {state}}}}}
    expect: {{effect: {effect}}}
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


def write_about_facts(folder: Path, tests: int) -> Path:
    """Write a policy of 25 tools with four rules each, and so many tests, in turn of each tool."""
    facts = "".join(FACT.format(i=i) for i in range(25))
    entries = "".join(ABOUT_FACTS.format(i=i) for i in range(25))
    (folder / "facts.yaml").write_text(
        "policy: facts\nlanguage: 1\ncontext: {env: {enum: [prod, staging]}}\n"
        f"facts:\n{facts}tools:\n{entries}{COUNTED}"
    )
    (folder / "tests").mkdir()
    path = folder / "tests" / "facts.yaml"
    path.write_text(
        "policies: ../facts.yaml\ndefaults: {principal: {id: u1}, context: {env: prod}}\ntests:\n"
        + "".join(_plain(number) for number in range(tests))
    )
    return path


def _plain(number: int) -> str:
    """Write a test: of what is allowed, another's, too much, or what needs an approval."""
    owner, amount, state, effect = (
        ("u1", 5, "open", "allow"),
        ("u2", 5, "open", "deny"),
        ("u1", 101, "open", "deny"),
        ("u1", 11, "held", "require_approval"),
    )[number // 25 % 4]
    return PLAIN.format(
        number=number, i=number % 25, amount=amount, owner=owner, state=state, effect=effect
    )


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


def run_both(what: str, tools: int) -> bool:
    """Read and run the tests of so many tools, and return whether that is over the budget."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(write(Path(folder), tools))
        return timed(what, lambda: run_tests(read_suites([path]), coverage=False))


def mutate(what: str, write_files: Callable[[Path], Path], jobs: int | None) -> bool:
    """Examine every mutant of a policy, and return whether that is over the budget."""
    with tempfile.TemporaryDirectory() as folder:
        loaded = read_suites([str(write_files(Path(folder)))])
        verdicts: list[Verdict] = []
        over = timed(what, lambda: verdicts.extend(hunt(loaded, jobs=jobs)))
    fates = Counter(one.fate for one in verdicts)
    told = ", ".join(f"{count:,} {fate}" for fate, count in fates.most_common())
    sys.stdout.write(f"  {len(verdicts):,} mutants: {told}\n")
    return over


def main() -> int:
    """Print the times; the exit code says whether they are within the budgets."""
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else None
    run, five, few, many, most = BUDGETS
    over = [
        run_both(run, 46),
        run_both(five, 228),
        mutate(few, lambda folder: write(folder, 20), jobs),
        mutate(many, lambda folder: write_about_facts(folder, 30), jobs),
        mutate(most, lambda folder: write_about_facts(folder, 1_000), jobs),
    ]
    return int(any(over))


if __name__ == "__main__":
    sys.exit(main())
