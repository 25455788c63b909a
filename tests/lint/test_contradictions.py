"""Two claims about one place that exclude each other, and what is true whatever comes."""

import json
from itertools import permutations

import pytest

from policy_engine.lint import lint
from policy_engine.loader import load_texts

ARGS = {
    "n": {"type": "integer", "minimum": 0, "maximum": 100000},
    "o": {"type": "string", "maxLength": 40, "optional": True},
    "s": {"type": "string", "maxLength": 40},
    "l": {"type": "array", "items": {"type": "string", "maxLength": 9}, "maxItems": 9},
    "w": {"anyOf": [{"type": "string", "maxLength": 9}, {"type": "integer"}]},
    "u": {"type": ["string", "null"], "maxLength": 9},
    "b": {"type": "boolean"},
}
PAIRS = {
    "presence": ("has(args.o)", "!has(args.o)"),
    "presence and a value": ("!has(args.o)", '(has(args.o) && args.o == "x")'),
    "type": ("type(args.w) == int", "type(args.w) == string"),
    "null": ("args.u == null", "args.u != null"),
    "null and a value": ("args.u == null", 'args.u == "x"'),
    "size": ("args.s.size() < 3", "args.s.size() > 3"),
    "size and a prefix": ("args.s.size() < 3", 'args.s.startsWith("prod")'),
    "size and a value": ("args.s.size() == 3", 'args.s == "prod"'),
    "size of a list and an element": ("args.l.size() == 0", '"x" in args.l'),
    "size of a list and a test": ("args.l.size() < 1", 'args.l.exists(e, e == "x")'),
    "membership": ('"x" in args.l', '!("x" in args.l)'),
    "membership and every": ('"x" in args.l', 'args.l.all(e, e.startsWith("y"))'),
    "no member and some": ('!("x" in args.l)', 'args.l.exists(e, e == "x")'),
    "equality": ('args.s == "a"', 'args.s == "b"'),
    "equality and membership": ('args.s == "a"', 'args.s in ["b", "c"]'),
    "prefix": ('args.s.startsWith("ab")', 'args.s.startsWith("ac")'),
    "prefix and no shorter one": ('args.s.startsWith("ab")', '!args.s.startsWith("a")'),
    "suffix": ('args.s.endsWith("ab")', 'args.s.endsWith("cb")'),
    "suffix and none of it": ('args.s.endsWith("ab")', '!args.s.contains("b")'),
    "pattern": ('args.s.matches("^[0-9]+$")', 'args.s.contains("x")'),
    "two patterns": ('args.s.matches("^[0-9]+$")', 'args.s.matches("^[a-z]+$")'),
    "case": ('args.s.lowerAscii() == "abc"', 'args.s == "abd"'),
    "case and a prefix": ('args.s.lowerAscii().startsWith("ab")', 'args.s.startsWith("X")'),
    "remainder": ("args.n % 2 == 0", "args.n % 2 == 1"),
    "sum": ("args.n + 1 > 10", "args.n + 1 < 5"),
    "order": ("args.n < args.l.size()", "args.n > args.l.size()"),
    "order and equality": ("args.n < args.l.size()", "args.n == args.l.size()"),
    "flag": ("args.b", "!args.b"),
    "default": ('args.?o.orValue("x") == "x"', 'args.?o.orValue("x") == "y"'),
}
FORMS = {
    "{0} && {1}": "PE101",
    "({0} && {1}) && args.n > 5": "PE101",
    "({0} || {0}) && {1}": "PE101",
    "!(!({0}) || !({1}))": "PE101",
    "({0} && args.n > 5) ? {1} : false": "PE101",
}


def codes(when):
    rules = [{"id": "r", "when": when, "effect": "deny"}]
    tools = {"t": {"args": ARGS, "rules": rules}}
    policy = {"policy": "p", "language": 1, "tools": tools}
    compiled = load_texts({"p.yaml": json.dumps(policy)}, warm=False)
    return {finding.code for finding in lint(compiled).findings}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", PAIRS)
def test_two_claims_that_exclude_each_other(name, form):
    for pair in permutations(PAIRS[name]):
        assert FORMS[form] in codes(form.format(*pair)), form.format(*pair)


@pytest.mark.parametrize("name", PAIRS)
def test_one_of_two_claims_that_exclude_each_other_may_hold(name):
    for one in PAIRS[name]:
        assert not {"PE101", "PE102"} & codes(one), one
    assert "PE101" not in codes("{} || {}".format(*PAIRS[name]))


EVERY = [name for name in PAIRS if name in {"presence", "null", "membership", "flag"}]


@pytest.mark.parametrize("name", EVERY)
def test_one_claim_or_its_opposite_is_always_true(name):
    for one, other in permutations(PAIRS[name]):
        assert "PE102" in codes(f"{one} || {other}")
        assert "PE102" in codes(f"!({one} && {other})")
        assert "PE102" in codes(f"{one} || args.n > 5 || {other}")


@pytest.mark.parametrize("name", [name for name in PAIRS if name != "presence and a value"])
def test_not_both_of_two_claims_that_exclude_each_other(name):
    one, other = PAIRS[name]
    assert "PE102" in codes(f"!({one}) || !({other})")


NUMBERS = [f"args.n / {n} > 0" for n in (1, 2)]


@pytest.mark.parametrize("when", [*NUMBERS, "args.n % 7 == 3 && args.n % 5 == 2"])
def test_what_may_hold_is_not_called_impossible(when):
    assert not {"PE101", "PE102"} & codes(when)


def test_a_quotient_that_is_no_number_is_neither_above_nor_below():
    tools = {
        "t": {
            "args": {"x": {"type": "number"}, "y": {"type": "number"}},
            "rules": [
                {
                    "id": "r",
                    "when": "!(args.x / args.y >= 1.0) && !(args.x / args.y < 1.0)",
                    "effect": "deny",
                }
            ],
        }
    }
    policy = json.dumps({"policy": "p", "language": 1, "tools": tools})
    findings = lint(load_texts({"p.yaml": policy}, warm=False)).findings
    assert "PE101" not in {finding.code for finding in findings}
