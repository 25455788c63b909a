"""How long loading takes, beside what YAML alone takes: python tests/benchmarks/bench_load.py."""

import sys
import time
from collections.abc import Callable

import yaml

from policy_engine.loader import load_texts
from policy_engine.loader.loader import _read_policy
from policy_engine.source import read_document

RULE = """\
  - id: rule-{i}
    tools: [tool_{i}, "pay_*"]
    when: args.amount > {i} && principal.id != "u{i}"
    effect: require_approval
    approval: {{approvers: [finance], quorum: 1, expires: 15m}}
    message: Payments above {i} need an approval from finance.
    severity: high
    description: One of many rules of its kind.
"""
ENTRIES = "".join(f"  tool_{i}: {{args: {{amount: {{type: number}}}}}}\n" for i in range(200))
TEXT = (
    "policy: bench\nlanguage: 1\ntools:\n"
    + ENTRIES
    + "  pay_bill: {args: {amount: {type: number}}}\nrules:\n"
    + "".join(RULE.format(i=i) for i in range(200))
)


def best(run: Callable[[], object], rounds: int = 15) -> float:
    """Return the shortest time of several runs, in milliseconds."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return min(times) * 1000


def main() -> None:
    """Print a table."""
    document = read_document("bench.yaml", TEXT)
    plain = best(lambda: yaml.load(TEXT, Loader=yaml.CSafeLoader))
    rows = {
        "yaml.load(CSafeLoader)": plain,
        "read_document": best(lambda: read_document("bench.yaml", TEXT)),
        "the models": best(lambda: _read_policy(document, 0, [])),
        "load_texts, cold scanner": best(lambda: load_texts({"bench.yaml": TEXT}, warm=False), 5),
    }
    lines = [f"200 rules, 201 entries, {len(TEXT) / 1000:.0f} KB"]
    lines += [f"{name:26} {ms:8.1f} ms {ms / plain:6.2f} x" for name, ms in rows.items()]
    sys.stdout.write("\n".join([*lines, ""]))


if __name__ == "__main__":
    main()
