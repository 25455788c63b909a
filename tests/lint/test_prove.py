"""What only z3 rules out: comparisons of several values with each other."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_engine.decision import Facts, Request
from policy_engine.errors import PolicyError
from policy_engine.lint import lint
from policy_engine.lint.proof.prover import is_installed
from policy_engine.loader import load_texts

needs_z3 = pytest.mark.skipif(not is_installed(), reason="the extra prove is not installed")


def policy_of(when):
    number = {"type": "integer", "minimum": 0, "maximum": 100}
    args = {"a": number, "b": number, "c": number, "x": {"type": "number"}, "y": {"type": "number"}}
    rules = [{"id": "r", "when": when, "effect": "deny"}]
    return json.dumps(
        {"policy": "p", "language": 1, "tools": {"t": {"args": args, "rules": rules}}}
    )


def codes(when):
    compiled = load_texts({"p.yaml": policy_of(when)}, warm=False)
    return {finding.code for finding in lint(compiled).findings} & {"PE101", "PE102"}


@needs_z3
@pytest.mark.parametrize(
    ("when", "wanted"),
    [
        ("args.a < args.b && args.b < args.a", {"PE101"}),
        ("args.a < args.b && args.b < args.c && args.c < args.a", {"PE101"}),
        ("args.a < args.b && args.b < args.c", set()),
        ("args.x < args.y && args.y < args.x", {"PE101"}),
        ("args.a + args.b > 200", {"PE101"}),
        ("args.a + args.b > 199", set()),
        ("args.a + args.b >= 0", {"PE102"}),
        ("args.a - args.b > 0 && args.b > args.a", {"PE101"}),
        ("args.a * 2 == 7", {"PE101"}),
        ("args.a * 2 == 8", set()),
        ("args.a > args.b || args.a <= args.b", {"PE102"}),
        ("50 < args.a && args.a < args.b && args.b <= 51", {"PE101"}),
        ("50 < args.a && args.a < args.b && args.b <= 52", set()),
        ("args.x + 1.0 < args.x", set()),
    ],
)
def test_what_comparisons_of_several_values_rule_out(when, wanted):
    assert codes(when) == wanted


TERMS = st.sampled_from(["args.a", "args.b", "args.c", "1", "2", "50", "100"])
SUMS = st.one_of(TERMS, st.builds("({} {} {})".format, TERMS, st.sampled_from("+-*"), TERMS))
TESTS = st.builds(
    "{} {} {}".format, SUMS, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), SUMS
)
CONDITIONS = st.one_of(
    TESTS,
    st.builds("{} && {}".format, TESTS, TESTS),
    st.builds("{} || {}".format, TESTS, TESTS),
    st.builds("!({} && {})".format, TESTS, TESTS),
)
VALUES = (0, 1, 2, 3, 49, 50, 51, 99, 100)


@needs_z3
@settings(max_examples=150, deadline=None)
@given(CONDITIONS)
def test_what_is_proved_holds_of_every_value(condition):
    try:
        compiled = load_texts({"p.yaml": policy_of(condition)}, warm=False)
    except PolicyError:
        return
    found = {finding.code for finding in lint(compiled).findings}
    tell = compiled.parts[0].entry_rules["tools", "t"][0].condition.function
    told = {
        tell(Request(stage="tool_call", tool="t", args={"a": a, "b": b, "c": c}), Facts())
        for a in VALUES
        for b in VALUES
        for c in (0, 50, 100)
    }
    assert "PE101" not in found or True not in told
    assert "PE102" not in found or False not in told
