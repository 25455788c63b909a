"""What lint costs: 200 rules, without and with proofs. `python tests/benchmarks/bench_lint.py`."""

import statistics
import sys
import time
from pathlib import Path

from policy_engine.lint import RULES, lint
from policy_engine.lint.subject import Subject
from policy_engine.loader import load, load_texts

BUDGETS = {
    "without proofs": 150,
    "on 50 tools without proofs": 150,
    "with proofs": 2000,
    "on 50 tools": 2000,
    "on one tool": 2000,
    "about lists": 1000,
}
ROUNDS = 7


TOOL = """\
  tool_{i}:
    args:
      amount: {{type: number, minimum: 0, maximum: 1000}}
      note: {{type: string, maxLength: 200}}
      order: {{type: string, pattern: '^ORD-{i}-[0-9]{{8}}$'}}
      env: {{enum: [prod, staging, dev]}}
    labels: [untrusted]
    rules:
      - id: t{i}-a
        when: args.amount > {bound}
        effect: require_approval
        approval: {{approvers: [finance], expires: 1h}}
      - {{id: t{i}-b, when: 'args.env == "prod" && "untrusted" in session.labels', effect: deny}}
      - id: t{i}-c
        when: args.note.lowerAscii().contains("x{i}") && args.amount > 5
        effect: deny
      - {{id: t{i}-d, check: {{terms: {{any: [alpha{i}, beta{i}]}}}}, effect: deny}}
"""
RULE = """\
  - {{id: r{i}, tools: [tool_{i}], when: 'args.amount > 5{i} && principal.id != "u"', effect: deny}}
"""

CROWDED = """\
policy: crowded
language: 1
description: For the benchmark.
tools:
  pay:
    args:
      amount: {type: number, minimum: 0, maximum: 100000}
      note: {type: string, maxLength: 200}
      currency: {enum: [USD, EUR, GBP, CHF]}
      country: {type: string, maxLength: 2}
      to: {type: array, items: {type: string}}
    labels: [untrusted]
    rules:
"""
KINDS = (
    'args.amount > 1{i} && args.country == "c{i}"',
    'args.note.lowerAscii().contains("word{i}x")',
    'args.to.exists(t, t.endsWith("@h{i}.example"))',
    'args.currency == "USD" && principal.id != "u{i}"',
    'args.country in ["a{i}", "b{i}"] || args.amount < {i}.5',
    'args.note.matches("^w{i}[0-9]+x")',
    '"untrusted" in session.labels && args.amount > {i}',
)


LISTS = (
    'args.to.exists(t, t.endsWith("@h{i}.example"))',
    'args.files.exists(f, f.contains("secret{i}"))',
    'args.lines.exists(l, l.n > {i} && l.sku.startsWith("X{i}"))',
    'args.lines.all(l, l.n < 3) && args.to.exists(t, t.startsWith("root{i}@"))',
    'args.files.exists(f, f == "a{i}" || f.startsWith("b{i}")) && args.to.all(t, t != "c{i}@x.io")',
)
OF_LISTS = """\
policy: lists
language: 1
description: For the benchmark.
tools:
  send:
    args:
      to: {type: array, minItems: 1, maxItems: 20, items: {type: string, format: email}}
      files: {type: array, maxItems: 9, items: {type: string, maxLength: 200}}
      lines:
        type: array
        maxItems: 50
        items:
          type: object
          properties:
            sku: {type: string, maxLength: 20}
            n: {type: integer, minimum: 1, maximum: 99}
          required: [sku, n]
    rules:
"""


MAILING = """\
  tool_{i}:
    args:
      amount: {{type: number, minimum: 0, maximum: 1000}}
      id: {{type: string, pattern: '^[A-Z]{{2}}-[0-9]{{{n}}}$'}}
      cc: {copies}
      qty: {{type: integer, minimum: 1, maximum: 50}}
      to: {{type: array, maxItems: 5, items: {{type: string, format: email, maxLength: 90}}}}
    rules:
      - {{id: a{i}, when: 'args.amount > {m} && principal.attrs.level < {k}', effect: deny}}
      - id: b{i}
        when: args.id.startsWith("XX") || args.to.exists(t, t.endsWith("@evil{i}.example"))
        effect: deny
      - id: c{i}
        when: args.amount * double(args.qty) > {m}00.0 && context.env == "prod"
        effect: deny
      - id: d{i}
        when: (now.getHours("UTC") < 4 || now.getHours("UTC") > 21) && args.qty > 2{k}
        effect: deny
"""
COPIES = ("{enum: [EUR, USD, GBP]}", "{type: string, format: email, maxLength: 90}")


def mailing(tools: int) -> str:
    """Write a policy with four rules a tool, each about recipients, hours and a product."""
    head = (
        "policy: mailing\nlanguage: 1\ncontext: {env: {enum: [prod, dev]}}\n"
        "attrs: {level: {type: integer, minimum: 0, maximum: 9}}\ntools:\n"
    )
    return head + "".join(
        MAILING.format(i=i, n=4 + i % 5, m=400 + i, k=1 + i % 9, copies=COPIES[i % 2])
        for i in range(tools)
    )


def of_lists(rules: int) -> str:
    """Write a policy whose rules go through the elements of lists."""
    return OF_LISTS + "".join(
        f"      - {{id: r{i}, when: '{LISTS[i % len(LISTS)].format(i=i)}', effect: deny}}\n"
        for i in range(rules)
    )


def crowded(rules: int) -> str:
    """Write a policy whose rules are all about one tool."""
    return CROWDED + "".join(
        f"      - {{id: r{i}, when: '{KINDS[i % len(KINDS)].format(i=i)}', effect: deny}}\n"
        for i in range(rules)
    )


def policy_of(tools: int) -> str:
    """Write a policy with five rules a tool, of the kinds that real ones have."""
    head = "policy: large\nlanguage: 1\ndescription: For the benchmark.\ntools:\n"
    entries = "".join(TOOL.format(i=i, bound=100 + i) for i in range(tools))
    return head + entries + "rules:\n" + "".join(RULE.format(i=i) for i in range(tools))


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(text + "\n")


def milliseconds(function) -> float:
    """Return the median time of the processor that a call takes."""
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        function()
        times.append((time.process_time() - start) * 1000)
    return statistics.median(times)


def main() -> int:
    """Print the times; the exit code says whether they are within the budgets."""
    compiled = load_texts({"large.yaml": policy_of(40)}, warm=False)
    one_tool = load_texts({"crowded.yaml": crowded(200)}, warm=False)
    mails = load_texts({"mailing.yaml": mailing(50)}, warm=False)
    lists = load_texts({"lists.yaml": of_lists(60)}, warm=False)
    found = {
        "without proofs": milliseconds(lambda: lint(compiled, proofs=False)),
        "on 50 tools without proofs": milliseconds(lambda: lint(mails, proofs=False)),
        "with proofs": milliseconds(lambda: lint(compiled)),
        "on 50 tools": milliseconds(lambda: lint(mails)),
        "on one tool": milliseconds(lambda: lint(one_tool)),
        "about lists": milliseconds(lambda: lint(lists)),
    }
    over = False
    for name, time_ in found.items():
        over |= time_ > BUDGETS[name]
        rules = 60 if name == "about lists" else 200
        say(f"lint {rules} rules {name}: {time_:.0f} ms (budget {BUDGETS[name]} ms)")
    say(f"findings: {len(lint(compiled).findings)}")
    own = load(Path(__file__).parent.parent.parent / "policies", warm=False)
    say(f"lint the project's own policies: {milliseconds(lambda: lint(own)):.0f} ms")
    subject = Subject(compiled)
    slowest = []
    for rule in RULES.values():
        if not rule.needs_tools:
            start = time.process_time()
            list(rule.find(subject))
            slowest.append(((time.process_time() - start) * 1000, rule.code))
    for time_, code in sorted(slowest, reverse=True)[:6]:
        say(f"  {code}: {time_:.1f} ms")
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
