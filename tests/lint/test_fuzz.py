"""No text makes lint crash: either the set does not load, or there are findings."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy_engine.cli.linting.sets import Linter
from policy_engine.decision import Facts, Request, Session
from policy_engine.errors import PolicyError
from policy_engine.lint import Settings, lint
from policy_engine.lint.edits import apply_edits
from policy_engine.lint.manual import tools_of
from policy_engine.lint.proof.decided import confirmed
from policy_engine.lint.subject import Subject
from policy_engine.loader import load_texts
from policy_engine.report.findings import finding_lines, outcome_to_wire
from policy_engine.report.github import annotations, step_summary
from policy_engine.report.junit import outcome_to_junit
from policy_engine.report.sarif import outcome_to_sarif
from policy_engine.tools import read_tools

ROOT = Path(__file__).parent.parent.parent
FLAWED = [path.read_text("utf-8") for path in sorted((ROOT / "tests" / "flawed").glob("*.yaml"))]
OWN = [
    (ROOT / "policies" / "support-desk" / f"{name}.yaml").read_text("utf-8")
    for name in ("billing", "triage")
]
TEXTS = [*FLAWED, *OWN]
WORDS = sorted(
    {word for text in TEXTS for word in re.findall(r"[\w.*'\"\[\]{}()&|!<>=^$\\@:-]+", text)}
)
EVERYTHING = Settings(persona="pedantic")


def judge(text):
    """Lint a text; what it may do about it leaves a policy that loads, or is not done."""
    try:
        compiled = load_texts({"p.yaml": text}, warm=False)
    except PolicyError:
        return None
    linted = lint(compiled, settings=EVERYTHING)
    subject = Subject(compiled)
    for finding in linted.findings:
        assert finding.location.line >= 1
        if finding.witness is not None:
            assert confirmed(subject, finding.witness), finding
            json.dumps(dict(finding.witness.request))
    edits = [edit for finding in linted.findings for edit in finding.edits]
    if edits:
        load_texts(apply_edits({"p.yaml": text}, edits), warm=False)
    return linted


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_no_text_makes_lint_crash(text):
    judge(text)
    judge(f"policy: p\nlanguage: 1\n{text}")


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_spoilt_policy_makes_lint_crash(data):
    """Words of real policies in the places of others: much of it still loads."""
    text = TEXTS[data.draw(st.integers(0, len(TEXTS) - 1))]
    places = [match.span() for match in re.finditer(r"[\w.*'\"^$\\@-]+", text)]
    for _ in range(data.draw(st.integers(1, 3))):
        start, end = data.draw(st.sampled_from(places))
        word = data.draw(st.sampled_from([*WORDS, "0", "-1", "1e309", "true", "null", '""', "é"]))
        text = text[:start] + word + text[end:]
        places = [match.span() for match in re.finditer(r"[\w.*'\"^$\\@-]+", text)]
    judge(text)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_file_makes_the_command_crash(tmp_path_factory, data):
    """Bytes of any kind, and real policies with some of theirs changed."""
    raw = data.draw(st.one_of(st.binary(max_size=200), st.sampled_from(TEXTS).map(str.encode)))
    raw = bytearray(raw)
    for _ in range(data.draw(st.integers(0, 4)) if raw else 0):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("bytes") / "p.yaml"
    path.write_bytes(raw)
    outcome = Linter(EVERYTHING, None).run([str(path)], mend=False)
    assert outcome.exit_code in {0, 1, 2}
    for render in (outcome_to_wire, outcome_to_junit, step_summary):
        assert render(outcome)
    assert [str(line) for line in finding_lines(outcome)]
    assert json.dumps(outcome_to_sarif(outcome, "1.0.0"))
    assert all(len(line.splitlines()) == 1 for line in annotations(outcome))


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [
                    *("name", "type", "tools", "function", "inputSchema", "parameters", "result"),
                    *("description", "properties", "required", "toolSpec", "x", "enum", "minimum"),
                ]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(JSON, JSON)
def test_no_list_of_tools_makes_lint_crash(now, then):
    """What is no list of tools is refused; what is one may say anything in its schemas."""
    listed = []
    for value in ([{"name": "pay", "inputSchema": now}], [{"name": "pay", "inputSchema": then}]):
        try:
            listed.append(read_tools(value))
        except ValueError:
            return
    compiled = load_texts({"p.yaml": FLAWS}, warm=False)
    lint(compiled, tools=listed[0], reviewed=listed[1], settings=EVERYTHING)
    try:
        read_tools(now)
    except ValueError:
        return


FLAWS = """\
policy: p
language: 1
tools:
  pay: {args: {amount: {type: number, enum: [1, 2]}, to: {type: string, maxLength: 9}}}
  "p*": allow
"""


NUMBERS = st.sampled_from(["args.n", "size(args.s)", "size(args.l)", "now.getHours()"])
BOUNDS = st.sampled_from(["0", "1", "2", "2.5", "10", "23", "24", "50", "51", "-1"])
TEXTS_READ = st.sampled_from(["args.s", "context.env", "principal.id", "args.s.lowerAscii()"])
WRITTEN = st.sampled_from(['""', '"a"', '"ab"', '"A"', '"prod"', '"production"', '"acme.com"'])
COMPARED = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
CONDITIONS = st.recursive(
    st.one_of(
        st.builds("{} {} {}".format, NUMBERS, COMPARED, BOUNDS),
        st.builds("{} {} {}".format, BOUNDS, COMPARED, NUMBERS),
        st.builds("{} {} {}".format, TEXTS_READ, st.sampled_from(["==", "!="]), WRITTEN),
        st.builds("{} in [{}, {}]".format, TEXTS_READ, WRITTEN, WRITTEN),
        st.builds(
            "{}.{}({})".format,
            TEXTS_READ,
            st.sampled_from(["startsWith", "endsWith", "contains", "matches"]),
            st.sampled_from(
                ['"a"', '"ab"', '"^a"', '"b$"', '"^ab$"', '"^[ab]+$"', '""', '"acme.com"']
            ),
        ),
        st.sampled_from(
            [
                "has(args.o)",
                "has(args.o) && args.o > 3",
                "args.b",
                "args.b == true",
                "args.b != false",
                "true",
                '"x" in session.labels',
                'args.l.exists(e, e == "a")',
                'args.l.all(e, e.startsWith("a"))',
                "args.s in vars.names",
                "args.n == args.n",
                "args.s == principal.id",
            ]
        ),
    ),
    lambda inner: st.one_of(
        st.builds("({} && {})".format, inner, inner),
        st.builds("{} && {} && {}".format, inner, inner, inner),
        st.builds("({} || {})".format, inner, inner),
        st.builds("!({})".format, inner),
        st.builds("({} ? {} : {})".format, inner, inner, inner),
    ),
    max_leaves=6,
)


def policy_of(conditions):
    rules = [{"id": f"r{i}", "when": text, "effect": "deny"} for i, text in enumerate(conditions)]
    return {
        "policy": "p",
        "language": 1,
        "vars": {"names": ["a", "b"]},
        "context": {"env": {"enum": ["prod", "dev"]}},
        "tools": {
            "t": {
                "args": {
                    "n": {"type": "number", "minimum": 0, "maximum": 50},
                    "s": {"type": "string", "maxLength": 10},
                    "o": {"type": "integer", "optional": True},
                    "b": {"type": "boolean"},
                    "l": {"type": "array", "items": {"type": "string"}, "maxItems": 3},
                },
                "labels": ["x"],
                "rules": rules,
            }
        },
    }


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(CONDITIONS, min_size=1, max_size=3))
def test_what_is_said_of_conditions_is_shown(conditions):
    judge(json.dumps(policy_of(conditions), indent=1))


REQUESTS = [
    (
        Request(
            stage="tool_call",
            tool="t",
            agent="a",
            session="s",
            principal={"id": who},
            context={"env": env},
            args={"n": n, "s": s, "b": flag, "l": items, **more},
        ),
        Facts(
            now=datetime(2026, 1, 5, hour, tzinfo=UTC),
            session=Session(labels=frozenset(labels), started=datetime(2026, 1, 5, tzinfo=UTC)),
        ),
    )
    for who, env in (("a", "prod"), ("u1", "dev"))
    for n in (0, 1, 2.5, 50)
    for s in ("", "a", "ab", "acme.com", "prod")
    for flag, items, labels, hour in ((True, [], (), 0), (False, ["a", "ab"], ("x",), 23))
    for more in ({}, {"o": 1})
]


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CONDITIONS)
def test_what_is_proved_holds_of_every_request(condition):
    """What is called impossible is never true, and what is called constant never false."""
    try:
        compiled = load_texts({"p.yaml": json.dumps(policy_of([condition]))}, warm=False)
    except PolicyError:
        return
    codes = {finding.code for finding in lint(compiled).findings}
    tell = compiled.parts[0].entry_rules["tools", "t"][0].condition.function
    told = {tell(request, facts) for request, facts in REQUESTS}
    if "PE101" in codes:
        assert True not in told
    if "PE102" in codes:
        assert False not in told


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CONDITIONS)
def test_mending_a_condition_changes_no_decision(condition):
    text = json.dumps(policy_of([condition]), indent=1)
    try:
        compiled = load_texts({"p.yaml": text}, warm=False)
    except PolicyError:
        return
    edits = [e for finding in lint(compiled, settings=EVERYTHING).findings for e in finding.edits]
    if not any(edit.start for edit in edits):
        return
    mended = load_texts(apply_edits({"p.yaml": text}, edits), warm=False)
    before = compiled.parts[0].entry_rules["tools", "t"][0].condition.function
    after = mended.parts[0].entry_rules["tools", "t"][0].condition.function
    for request, facts in REQUESTS:
        assert before(request, facts) is after(request, facts)


@pytest.mark.parametrize("text", FLAWED)
def test_mending_never_breaks_a_policy(text):
    judge(text)
    tools = tools_of(text)
    if tools is not None:
        plain = re.sub(r" *#! *[A-Z0-9 ]+$", "", text, flags=re.MULTILINE)
        lint(load_texts({"p.yaml": plain}, warm=False), tools=read_tools(tools))
