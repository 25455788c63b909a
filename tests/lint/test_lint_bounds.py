"""What would take for ever is not looked at: lint stays quick whatever a policy says."""

import json
import time

import pytest

from policy_engine.errors import PolicyError
from policy_engine.lint import Settings, lint
from policy_engine.loader import load_texts

ALTERNATIVES = " && ".join(f'(args.s == "{i}" || args.n > {i})' for i in range(24))
HEAVY = {
    "alternatives that multiply": (ALTERNATIVES, {}),
    "alternatives that multiply, and false": (f"{ALTERNATIVES} && args.n < args.n", {}),
    "a negation of alternatives": (f"!({ALTERNATIVES})", {}),
    "many terms": (" && ".join(f"args.n > {i}" for i in range(120)), {}),
    "many others": (" || ".join(f"args.s.size() + {i} > 5" for i in range(60)), {}),
    "a long text": ('args.s == "a"', {"minLength": 100_000_000}),
    "a long pattern": ('args.s == "a"', {"pattern": "^((a{60}){60}){60}$"}),
    "many items": ("args.l.size() > 3", {}),
}


@pytest.mark.parametrize("name", HEAVY)
def test_lint_stays_quick(name):
    when, more = HEAVY[name]
    args = {
        "s": {"type": "string", **more},
        "n": {"type": "number"},
        "l": {"type": "array", "items": {"type": "string"}, "minItems": 1_000_000},
    }
    rules = [
        {"id": "a", "when": when, "effect": "deny"},
        {"id": "b", "when": when, "effect": "deny"},
    ]
    policy = {"policy": "p", "language": 1, "tools": {"t": {"args": args, "rules": rules}}}
    try:
        compiled = load_texts({"p.yaml": json.dumps(policy)}, warm=False)
    except PolicyError:
        pytest.fail("the case is to load")
    began = time.process_time()
    lint(compiled, settings=Settings(persona="pedantic"))
    assert time.process_time() - began < 3


TOOL = """\
  tool_{i}:
    args:
      amount: {{type: number, minimum: 0, maximum: 1000}}
      note: {{type: string, maxLength: 200}}
      order: {{type: string, pattern: '^ORD-{i}-[0-9]{{8}}$'}}
      env: {{enum: [prod, staging, dev]}}
    rules:
      - id: t{i}-a
        when: args.amount > {bound}
        effect: require_approval
        approval: {{approvers: [finance], expires: 1h}}
      - {{id: t{i}-b, when: 'args.env == "prod" && args.amount > 7', effect: deny}}
      - {{id: t{i}-c, when: args.note.lowerAscii().contains("x{i}"), effect: deny}}
      - {{id: t{i}-d, check: {{terms: {{any: [alpha{i}, beta{i}]}}}}, effect: deny}}
      - {{id: t{i}-e, when: 'args.order.matches("^ORD-{i}-[0-4]{{8}}$")', effect: deny}}
"""


@pytest.mark.parametrize(("proofs", "seconds"), [(False, 0.15), (True, 2.0)])
def test_two_hundred_rules_are_linted_in_time(proofs, seconds):
    """The budgets, three times over: a machine that runs tests does other things too."""
    head = "policy: large\nlanguage: 1\ntools:\n"
    text = head + "".join(TOOL.format(i=i, bound=100 + i) for i in range(40))
    compiled = load_texts({"p.yaml": text}, warm=False)
    began = time.process_time()
    lint(compiled, proofs=proofs)
    assert time.process_time() - began < seconds * 3


@pytest.mark.parametrize("closed", [False, True])
def test_many_rules_up_to_one_number_are_linted_in_time(closed):
    """Each of sixty rules may leave a gap with each of sixty others, for fifty tools."""
    tools = "".join(
        f"  t{i}: {{args: {{amount: {{type: number, minimum: 0, maximum: 900}}}}}}\n"
        for i in range(50)
    )
    rules = "".join(
        f"  - {{id: {name}{i}, tools: ['t*'], effect: deny,"
        f" when: 'args.amount {sign} 500 && principal.id == \"u{i}\"'}}\n"
        for i in range(60)
        for name, sign in (("a", "> 100 && args.amount <"), ("b", ">"))
    )
    last = "  - {id: z, tools: ['t*'], when: args.amount == 500, effect: deny}\n"
    text = f"policy: p\nlanguage: 1\ntools:\n{tools}rules:\n{rules}{last if closed else ''}"
    compiled = load_texts({"p.yaml": text}, warm=False)
    began = time.process_time()
    found = lint(compiled, proofs=False).findings
    assert time.process_time() - began < 5
    assert sum(one.code == "PE159" for one in found) == (0 if closed else 60)
