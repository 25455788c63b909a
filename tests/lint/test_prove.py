"""What only z3 rules out: comparisons of several values with each other."""

import json
import subprocess
import sys
from pathlib import Path

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


CORPUS = [
    *sorted((Path(__file__).parent.parent / "flawed").glob("*.yaml")),
    *sorted((Path(__file__).parent.parent.parent / "policies").glob("*.yaml")),
]
WHENS = [
    "args.a < args.b && args.b < args.a",
    "args.a < args.b && args.b < args.c && args.c < args.a",
    "args.a % 2 == 0 && args.a % 2 == 1",
    "args.a + args.b > 200 || args.x > args.y",
    "args.a == args.b && args.a < 10 && args.b > 20",
]
WITHOUT = """
import sys
if "without" in sys.argv[1]:
    sys.modules["z3"] = None
import json
from pathlib import Path
from policy_engine.lint import Settings, lint
from policy_engine.lint.proof.prover import is_installed
from policy_engine.loader import load_texts
from policy_engine.errors import PolicyError
said = []
for name, text in json.load(sys.stdin):
    try:
        compiled = load_texts({name: text}, warm=False)
    except PolicyError:
        continue
    for one in lint(compiled, settings=Settings(persona="pedantic")).findings:
        said.append([name, one.location.line, one.code, one.message])
print(json.dumps([is_installed(), said]))
"""


def said(how):
    """Return what lint says in a process of its own, with or without z3."""
    texts = [(path.name, path.read_text("utf-8")) for path in CORPUS]
    texts += [(f"{number}.yaml", policy_of(when)) for number, when in enumerate(WHENS)]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, how],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=True,
    )
    installed, found = json.loads(done.stdout)
    return installed, {tuple(one) for one in found}


@needs_z3
def test_z3_finds_more_and_nothing_else():
    """Of a calculation that z3 sees through, another rule says that it is constant."""
    (has_it, with_z3), (has_none, without) = said("with"), said("without")
    assert (has_it, has_none) == (True, False)
    gone = without - with_z3
    proved = {
        (name, line) for name, line, code, _ in with_z3 if code in {"PE101", "PE102", "PE103"}
    }
    assert {(name, line, code) for name, line, code, _ in gone if code != "PE148"} == set()
    assert {(name, line) for name, line, *_ in gone} <= proved
    assert len(with_z3) > 200
    assert {(f"{number}.yaml", 1, "PE101") for number in (0, 1)} <= {one[:3] for one in with_z3}
    assert ("0.yaml", 1, "PE101") in {one[:3] for one in without}
    assert ("1.yaml", 1, "PE101") not in {one[:3] for one in without}
