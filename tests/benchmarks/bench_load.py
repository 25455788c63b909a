"""How long 200 rules take to load and to lint: python tests/benchmarks/bench_load.py.

The sets differ as large sets of policies do: many rules over few tools, over texts, over
one tool, and over many tools in many files. Times are of the processor, the shortest of several.
"""

import sys
import time
from collections.abc import Callable, Mapping

import yaml
from bench_lint import crowded

from policy_engine.lint import lint
from policy_engine.loader import load_texts
from policy_engine.source import read_document

BUDGET_MS = 150
"""For loading 200 rules and linting them, without proofs."""

ENTRY = """\
  tool_{t}:
    args:
      order_id: {{type: string, pattern: '^ORD-[0-9]{{8}}$'}}
      amount: {{type: number, exclusiveMinimum: 0, maximum: 500, message: At most 500.}}
      currency: {{enum: [USD, EUR]}}
      note: {{type: string, maxLength: 500, optional: true}}
      to: {{type: array, maxItems: 10, items: {{type: string, maxLength: 100}}}}
    rules:
"""
CONDITIONS = (
    'args.amount > {n}.5 && context.env == "prod"',
    'args.currency == "EUR" && args.amount > {n}',
    'has(args.note) && args.note.contains("word{n}")',
    'args.to.exists(a, a.endsWith("@h{n}.example"))',
    '!("agent{n}" in principal.roles) && args.amount > {n}',
)
CHECKS = (
    "{{terms: {{any: [alpha{n}, beta{n} gamma, delta{n}]}}}}",
    "{{pattern: {{any: ['\\bword{n}-[0-9]{{{{4}}}}\\b', 'code{n}x[a-f]+']}}}}",
    "{{terms: {{any: [secret{n}, project {n}]}}}}",
)
ALONE = """\
policy: p{n}
language: 1
description: One of many.
owner: team{n}
tools:
  tool_{n}:
    args:
      amount: {{type: number, exclusiveMinimum: 0, maximum: 500}}
      order_id: {{type: string, pattern: '^ORD-[0-9]{{8}}$'}}
    rules:
      - {{id: big, when: args.amount > {n}, effect: deny, message: Ask finance.}}
"""


def few_tools() -> dict[str, str]:
    """Write 20 tools with ten rules each."""
    text = "policy: shop\nlanguage: 1\ncontext:\n  env: {enum: [prod, staging]}\ntools:\n"
    for t in range(20):
        text += ENTRY.format(t=t)
        for r in range(10):
            when = CONDITIONS[r % 5].format(n=10 * t + r)
            text += f"      - {{id: t{t}-r{r}, when: '{when}', effect: deny, message: No.}}\n"
    return {"shop.yaml": text}


def texts() -> dict[str, str]:
    """Write 100 rules over what goes in and 100 over what comes out."""
    text = "policy: texts\nlanguage: 1\n"
    for section, effect in (("input", "deny"), ("output", "redact")):
        text += f"{section}:\n"
        for n in range(100):
            check = CHECKS[n % 3].format(n=n)
            text += f"  - {{id: {section}-{n}, check: {check}, effect: {effect}, message: No.}}\n"
    return {"texts.yaml": text}


def many_files() -> dict[str, str]:
    """Write 200 policies, each with a tool and a rule."""
    return {f"p{n}.yaml": ALONE.format(n=n) for n in range(200)}


SETS: Mapping[str, dict[str, str]] = {
    "20 tools": few_tools(),
    "texts": texts(),
    "one tool": {"crowded.yaml": crowded(200)},
    "200 files": many_files(),
}


def best(run: Callable[[], object], rounds: int = 7) -> float:
    """Return the shortest processor time of several runs, in milliseconds."""
    times = []
    for _ in range(rounds):
        began = time.process_time()
        run()
        times.append(time.process_time() - began)
    return min(times) * 1000


def linting(files: dict[str, str], rounds: int = 5) -> float:
    """Return the shortest time to lint a set that was just loaded."""
    times = []
    for _ in range(rounds):
        compiled = load_texts(files, warm=False)
        times.append(best(lambda: lint(compiled, proofs=False), 1))  # noqa: B023 - called at once
    return min(times)


def main() -> int:
    """Print a table; the exit code says whether all is within the budget."""
    head = f"{'200 rules':10} {'KB':>4} {'yaml':>6} {'read':>6} {'load':>6} {'lint':>6} {'both':>6}"
    lines = [head]
    within = True
    for name, files in SETS.items():
        plain = best(lambda: [yaml.load(t, Loader=yaml.CSafeLoader) for t in files.values()], 3)  # noqa: B023
        read = best(lambda: [read_document(path, text) for path, text in files.items()])  # noqa: B023
        loading = best(lambda: load_texts(files, warm=False))  # noqa: B023
        found = linting(files)
        size = sum(map(len, files.values())) / 1000
        times = " ".join(f"{ms:6.1f}" for ms in (plain, read, loading, found, loading + found))
        lines.append(f"{name:10} {size:4.0f} {times}")
        within = within and loading + found <= BUDGET_MS
    sys.stdout.write("\n".join([*lines, f"milliseconds; the budget for both is {BUDGET_MS}", ""]))
    return int(not within)


if __name__ == "__main__":
    sys.exit(main())
