"""What lint and test write for others: held against the schemas of those who read it."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st
from support import ROOT
from typer.testing import CliRunner

from policy_engine.cli.app import app
from policy_engine.errors import Location
from policy_engine.lint import Finding
from policy_engine.lint.outcome import Outcome
from policy_engine.report.github import annotation, annotations, cell, step_summary, table
from policy_engine.report.junit import outcome_to_junit
from policy_engine.report.rooted import rooted
from policy_engine.report.sarif import outcome_to_sarif

SCHEMAS = Path(__file__).with_name("schemas")
SARIF = json.loads((SCHEMAS / "sarif-schema-2.1.0.json").read_text("utf-8"))
JUNIT = xmlschema.XMLSchema(SCHEMAS / "junit-10.xsd")

FLAWS = """\
policy: bad
language: 1
default: allow
tools:
  pay:
    args:
      amount: {type: number, maximum: 500}
      force: {type: boolean}
    rules:
      - {id: a, when: 'args.amount > 1000', effect: deny}
      - {id: b, when: args.force == true, effect: deny}
      - {id: c, when: '!(args.amount == 3) && args.amount > 5 && args.amount > 9', effect: deny}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.yaml").write_text(FLAWS, "utf-8")
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


def every_flawed(folder):
    """Write each flawed policy where its id is its own, so that all of them load together."""
    for path in sorted((ROOT / "tests" / "flawed").glob("*.yaml")):
        text = re.sub(r" *#! *[A-Z0-9 ]+$", "", path.read_text("utf-8"), flags=re.MULTILINE)
        (folder / path.name).write_text(text, "utf-8")
        yield path.name


def finding(text, path="a.yaml"):
    return Finding(Location(path, 3, 5), "PE201", "error", text, text, text, 4)


def outcome(*findings):
    return Outcome(("a.yaml", "b.yaml"), 2, 1, (), findings)


# SARIF


def check_sarif(log):
    kind = jsonschema.validators.validator_for(SARIF)
    kind.check_schema(SARIF)
    kind(SARIF, format_checker=kind.FORMAT_CHECKER).validate(log)
    rules = log["runs"][0]["tool"]["driver"]["rules"]
    for result in log["runs"][0]["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        region = result["locations"][0]["physicalLocation"]["region"]
        assert region["endColumn"] > region["startColumn"]
        assert re.fullmatch(r"[0-9a-f]{64}", result["partialFingerprints"]["policyEngine/v1"])
    return log["runs"][0]


def test_the_schema_of_sarif_is_whole():
    assert len(SARIF["definitions"]) > 50
    broken = {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x", "colour": "red"}}}]}
    with pytest.raises(jsonschema.ValidationError, match="colour"):
        jsonschema.validators.validator_for(SARIF)(SARIF).validate(broken)


def test_sarif_of_every_flawed_policy_fits_the_schema_of_oasis(project):
    codes = set()
    for name in every_flawed(project):
        done = run("lint", name, "--format", "sarif", "--persona", "pedantic")
        codes |= {one["ruleId"] for one in check_sarif(json.loads(done.stdout))["results"]}
    assert len(codes) > 50


def test_sarif_of_every_broken_policy_fits_the_schema_of_oasis():
    done = run("lint", ROOT / "tests" / "broken", "--format", "sarif")
    assert done.exit_code == 2
    found = check_sarif(json.loads(done.stdout))
    assert found["invocations"][0]["executionSuccessful"] is False
    assert len(found["results"]) > 100


def test_sarif_fixes_are_the_edits(project):
    results = json.loads(run("lint", "bad.yaml", "--format", "sarif").stdout)["runs"][0]["results"]
    fixes = {one["ruleId"]: one["fixes"][0] for one in results if "fixes" in one}
    replacement = fixes["PE309"]["artifactChanges"][0]["replacements"][0]
    start = replacement["deletedRegion"]["charOffset"]
    end = start + replacement["deletedRegion"]["charLength"]
    assert FLAWS[start:end] == "args.force == true"
    assert replacement["insertedContent"]["text"] == "args.force"


@pytest.mark.parametrize("path", ["a b.yaml", "ü/%20.yaml", "/tmp/a#b?.yaml", "a:b.yaml", "ä\\b"])
def test_sarif_names_any_file_as_a_uri(path):
    check_sarif(outcome_to_sarif(outcome(finding("x", path)), "1.0.0"))


# JUnit


def test_junit_of_every_flawed_policy_fits_the_schema_of_jenkins(project):
    for name in every_flawed(project):
        JUNIT.validate(run("lint", name, "--format", "junit").stdout)


def test_junit_of_faults_fits_it_too():
    JUNIT.validate(run("lint", ROOT / "tests" / "broken", "--format", "junit").stdout)


def test_junit_of_tests_fits_it_too(desk):
    path = desk(
        """
        tests:
          - {name: "wrong <&\\"'>", request: {tool: lookup, args: {}}, expect: {effect: deny}}
          - name: right
            request: {tool: nothing, args: {}}
            expect: {effect: deny, rules: [desk/default]}
        """
    )
    done = run("test", path, "--format", "junit")
    JUNIT.validate(done.stdout)
    assert done.stdout.count("<failure") == 1
    path.write_text(path.read_text().replace("effect: deny}}", "effect: allow}}"))
    done = run("test", path, "--coverage", "--mutate", "--min-mutation", "99", "--format", "junit")
    JUNIT.validate(done.stdout)
    assert "<skipped" in done.stdout
    assert done.stdout.count("<failure") == 1
    path.write_text("tests: [")
    done = run("test", path, "--format", "junit")
    JUNIT.validate(done.stdout)
    assert done.stdout.count("<error") == 1


def test_junit_counts_what_it_holds(project):
    done = run("lint", "bad.yaml", ROOT / "policies", "--format", "junit")
    suite = ET.fromstring(done.stdout).find("testsuite")
    cases = suite.findall("testcase")
    assert int(suite.get("tests")) == len(cases)
    assert int(suite.get("failures")) == len(suite.findall("testcase/failure")) > 0
    assert any(not list(case) for case in cases), "a file without findings passes"


@given(st.text())
def test_junit_takes_any_text(text):
    JUNIT.validate(outcome_to_junit(outcome(finding(text, f"{text}.yaml"))))


# GitHub


def parsed(line):
    """Read a workflow command as the runner does (ActionCommand.TryParseV2)."""
    assert line.startswith("::")
    head, _, data = line[2:].partition("::")
    command, _, given = head.partition(" ")
    pairs = [pair.split("=", 1) for pair in given.split(",")]
    return (
        command,
        {key: unescaped(value, ",:\n\r") for key, value in pairs},
        unescaped(data, "\n\r"),
    )


def commands(output):
    """Return the lines that the runner obeys: none between `stop-commands` and its token."""
    found, token = [], None
    for line in output.splitlines():
        if token is not None:
            token = None if line == f"::{token}::" else token
        elif line.startswith("::stop-commands::"):
            token = line.removeprefix("::stop-commands::")
        elif line.lstrip().startswith("::"):
            found.append(line)
    assert token is None
    return found


def unescaped(text, signs):
    for sign in signs:
        text = text.replace(f"%{ord(sign):02X}", sign)
    return text.replace("%25", "%")


@given(st.text(), st.text())
def test_an_annotation_says_what_it_was_given_and_nothing_else(path, text):
    line = annotation("error", Location(path, 3, 5), [text], f"policy-engine {text}", 4)
    assert len(line.splitlines()) == 1
    command, properties, data = parsed(line)
    assert command == "error"
    assert list(properties) == ["file", "line", "col", "endColumn", "title"]
    assert (properties["line"], properties["col"], properties["endColumn"]) == ("3", "5", "9")
    if text.isprintable() and path.isprintable():
        assert properties["file"] == (rooted(path) or path)
        assert data == text


@pytest.mark.parametrize(
    "text",
    [
        "a\n::error file=x::forged",
        "a\r\n::set-output name=x::forged",
        "::add-mask::x",
        "100%0A::warning::forged",
        "a,line=9,title=b::c",
        "\u2028::error::x",
        "\x85::error::x",
    ],
)
def test_no_text_of_a_policy_becomes_a_command_of_its_own(text):
    (line,) = annotations(outcome(finding(text, text)))
    assert len(line.splitlines()) == 1
    command, properties, _ = parsed(line)
    assert command == "error"
    assert list(properties) == ["file", "line", "col", "endColumn", "title"]
    assert properties["title"] == "policy-engine PE201"


def test_github_annotates_and_sums_up(project, monkeypatch):
    summary = project / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    lines = run("lint", "bad.yaml", "--format", "github").stdout.splitlines()
    assert {parsed(line)[0] for line in lines} == {"error", "warning", "notice"}
    assert all(parsed(line)[1]["file"] == "bad.yaml" for line in lines)
    assert "| `bad.yaml:3:10` | PE201 | error |" in summary.read_text("utf-8")
    run("lint", str(ROOT / "policies"), "--format", "github")
    assert summary.read_text("utf-8").count("## policy-engine lint") == 2, "it appends"
    assert summary.read_text("utf-8").endswith("rules: no findings.\n\n")


def test_tests_annotate_and_sum_up(desk, tmp_path, monkeypatch):
    path = desk(
        """
        tests:
          - {name: wrong, request: {tool: lookup, args: {}}, expect: {effect: deny}}
          - name: right
            request: {tool: nothing, args: {}}
            expect: {effect: deny, rules: [desk/default]}
        """
    )
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    done = run("test", path, "--format", "github", "--coverage")
    assert done.exit_code == 1
    (command, properties, data), *others = map(parsed, commands(done.stdout))
    assert (command, properties["title"]) == ("error", "policy-engine test")
    assert data.splitlines()[:2] == ["wrong", "expected deny, got allow"]
    assert others
    assert all("no test for" in said and kind == "warning" for kind, _, said in others)
    text = summary.read_text("utf-8")
    assert "2 tests, 1 failed; coverage " in text
    assert "| failed | wrong: expected deny, got allow |" in text
    assert "| not covered |" in text


def test_mutants_that_no_test_notices_are_warnings(desk, tmp_path, monkeypatch):
    path = desk(
        """
        tests:
          - name: one
            request:
              tool: refund
              args: {order_id: ORD-0001, amount: 50}
              principal: {id: u1}
              session: s1
              context: {env: staging}
              facts: {order: {owner: u1}}
            expect: {effect: allow}
        """
    )
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    done = run("test", path, "--format", "github", "--mutate", "--jobs", "1")
    said = [parsed(line) for line in commands(done.stdout)]
    assert said
    assert {(one[0], one[1]["title"]) for one in said} == {("warning", "policy-engine mutation")}
    assert re.search(r"; mutation [0-9.]+ %, [0-9]+ of [0-9]+ mutants", summary.read_text("utf-8"))


def test_no_name_of_a_test_becomes_a_command(desk):
    path = desk(
        """
        tests:
          - {name: "::error::forged", request: {tool: lookup, args: {}}, expect: {effect: deny}}
        """
    )
    done = run("test", path, "--format", "github")
    assert [parsed(line)[1]["title"] for line in commands(done.stdout)] == ["policy-engine test"]


def test_tests_that_do_not_load_are_annotated(tmp_path, monkeypatch):
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    broken = ROOT / "tests" / "broken-tests" / "not-yaml.yaml"
    done = run("test", broken, "--format", "github")
    assert done.exit_code == 2
    assert [parsed(line)[1]["line"] for line in done.stdout.splitlines() if line[:2] == "::"] == [
        "2"
    ]
    assert "PE002" in summary.read_text("utf-8")


def test_a_summary_has_no_mark_up_of_its_own():
    text = step_summary(outcome(finding("a|b `c` <img src=x> \\ d\ne", "x|y`.yaml")))
    row = text.splitlines()[-1]
    assert row.count("|") - row.count(r"\|") == 5
    assert "<img" not in row


def test_a_summary_that_github_would_refuse_is_cut():
    rows = (("a", cell("x" * 1000)) for _ in range(3000))
    text = table(("where", "what"), rows)
    assert len(text.encode()) < 1024 * 1024
    assert re.search(r"\nand [0-9,]+ rows more\n$", text)
