"""`policy-engine test`: output, exit codes, thresholds; and its time."""

import itertools
import json
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

import pytest

from policy_engine.loader import load_texts
from policy_engine.testing.outcome import run_tests, share
from policy_engine.testing.reading import read_suites

GOOD = """
defaults: {agent: a, principal: {id: u1}, context: {env: prod}, facts: {order: {owner: u1}}}
tests:
  - name: a refund
    request: {tool: refund, args: {order_id: ORD-0001, amount: 5}}
    expect: {effect: allow}
"""
BAD = (
    GOOD + "  - {name: a <wrong> one, request: {tool: lookup, args: {}}, expect: {effect: deny}}\n"
)


def test_each_passed(desk, command):
    ended = command(desk(GOOD))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("1 test, each passed; 1 decision in ")


def test_a_failure_is_told_with_its_place(desk, command):
    path = desk(BAD)
    ended = command(path)
    assert ended.returncode == 1
    head, *rest = ended.stdout.splitlines()
    assert head == f"{path}:8:62: a <wrong> one"
    assert rest[0] == "  expected deny, got allow"
    assert (
        rest[2].startswith("    desk/tools/lookup (allow, entry.allow) at ".rjust(4))
        or "desk/tools/lookup" in rest[2]
    )


def test_a_file_with_faults_cannot_run(desk, command):
    ended = command(desk("tests: []\n"))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "[PE020]" in ended.stderr
    assert ended.stderr.endswith("policy-engine: 1 fault: no test was run\n")


def test_a_folder_without_tests_cannot_run(tmp_path, command):
    ended = command(tmp_path)
    assert ended.returncode == 2
    assert "the folder holds no tests" in ended.stderr


def test_a_policy_that_does_not_load_cannot_run(desk, command, tmp_path):
    path = desk(GOOD)
    (tmp_path / "desk.yaml").write_text("policy: desk\n")
    ended = command(path)
    assert ended.returncode == 2
    assert "no policy was loaded" in ended.stderr


def test_json_is_versioned(desk, command):
    ended = command(desk(BAD), "--coverage", "--format", "json")
    told = json.loads(ended.stdout)
    assert (told["version"], told["passed"], told["failed"]) == (1, 1, 1)
    assert told["tests"][1]["failures"][0]["differences"] == ["expected deny, got allow"]
    assert 0 < told["coverage"]["percent"] < 100
    assert {"file", "line", "kind", "rule", "missing"} <= told["coverage"]["items"][0].keys()


def test_junit_is_xml(desk, command):
    ended = command(desk(BAD), "--format", "junit")
    suites = ET.fromstring(ended.stdout)
    assert (suites.get("tests"), suites.get("failures")) == ("2", "1")
    (suite,) = suites
    assert [case.get("name") for case in suite] == ["a refund", "a <wrong> one"]
    assert suite[1][0].get("message") == "expected deny, got allow"


def junit(ended):
    """Read a JUnit document, whose counts must be those of its cases."""
    suites = ET.fromstring(ended.stdout)
    for one in (suites, *suites):
        cases = list(one.iter("testcase"))
        assert one.get("tests") == str(len(cases))
        for key, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            if one is not suites or kind != "skipped":  # which a whole document does not count
                assert one.get(key) == str(sum(case.find(kind) is not None for case in cases))
    return suites


def test_junit_shows_a_missed_minimum_of_mutation_and_each_mutant(desk, command):
    given = ("--mutate", "--min-mutation", 99)
    path = desk(GOOD)
    suites = junit(command(path, *given, "--format", "junit"))
    assert suites.get("failures") == "1"
    gate, *others = suites.find("testsuite[@name='mutation']")
    assert gate.get("name") == "at least 99 %"
    failure = gate.find("failure")
    assert failure.get("message").endswith("of the mutants are noticed, below 99 %")
    mutants = json.loads(command(path, *given, "--format", "json").stdout)["mutation"]["mutants"]
    left = [one for one in mutants if one["fate"] in ("survived", "undecided")]
    assert 0 < len(left) == len(others)
    for one, case in zip(left, others, strict=True):
        rule = f"{one['rule']}: " if one["rule"] else ""
        name = f"{one['file']}:{one['line']}:{one['column']}: {rule}{one['what']}"
        assert case.get("name") == name
        assert case.find("skipped").get("message") == "no test notices"
        assert f"{name}: no test notices" in failure.text.splitlines()
    (bound,) = (case for case in others if case.get("name").endswith("the bound 100 is 101"))
    assert '"amount": 101' in bound.find("skipped").text
    assert "changed:    allow" in bound.find("skipped").text


def test_junit_shows_a_missed_minimum_of_coverage_and_each_part(desk, command):
    path = desk(GOOD)
    suites = junit(command(path, "--min-coverage", 99, "--format", "junit"))
    assert suites.get("failures") == "1"
    gate, *others = suites.find("testsuite[@name='coverage']")
    assert gate.find("failure").get("message").endswith(" %, below 99 %")
    items = json.loads(command(path, "--coverage", "--format", "json").stdout)["coverage"]["items"]
    assert 0 < len([one for one in items if one["missing"]]) == len(others)
    assert all(case.find("skipped").get("message").startswith("no test for ") for case in others)


def test_junit_of_a_minimum_that_is_met_fails_nothing(desk, command):
    given = ("--min-coverage", 1, "--min-mutation", 1, "--format", "junit")
    suites = junit(command(desk(GOOD), *given))
    assert suites.get("failures") == "0"
    for name in ("coverage", "mutation"):
        gate = suites.find(f"testsuite[@name='{name}']")[0]
        assert gate.get("name") == "at least 1 %"
        assert " %, " in gate.find("system-out").text


def test_junit_says_that_no_mutant_was_tried(desk, command):
    suites = junit(command(desk(BAD), "--min-mutation", 1, "--format", "junit"))
    assert suites.get("failures") == "2"
    (gate,) = suites.find("testsuite[@name='mutation']")
    assert gate.find("failure").get("message") == "the tests fail, so no mutant was tried"


@pytest.mark.parametrize("policy", ["policy: desk\n", None])
def test_what_does_not_load_is_told_in_each_format(desk, command, tmp_path, policy):
    path = desk(GOOD if policy else "tests: []\n")
    if policy:
        (tmp_path / "desk.yaml").write_text(policy)
    suites = junit(command(path, "--format", "junit"))
    faults = json.loads(command(path, "--format", "json").stdout)["faults"]
    assert 0 < int(suites.get("errors")) == len(faults)
    told = [case.find("error").get("message") for case in suites.iter("testcase")]
    assert told == [one["message"] for one in faults]


def test_github_is_told_what_minimum_is_missed(desk, tmp_path):
    summary = tmp_path / "summary.md"
    given = ["--min-coverage", "99", "--min-mutation", "98.5", "--format", "github"]
    ended = subprocess.run(
        [sys.executable, "-m", "policy_engine", "test", str(desk(GOOD)), *given],
        env={**os.environ, "GITHUB_STEP_SUMMARY": str(summary)},
        capture_output=True,
        text=True,
        check=False,
    )
    told = [line for line in ended.stdout.splitlines() if line.startswith("::error")]
    assert [line.split("::")[1] for line in told] == [
        "error title=policy-engine coverage",
        "error title=policy-engine mutation",
    ]
    assert told[0].endswith(" %25, below 99 %25")
    written = summary.read_text()
    for what in ("below 99 %", "of the mutants are noticed, below 98.5 %"):
        assert f"{what}.**" in written
        assert what in ended.stderr


def test_json_says_what_minimum_is_missed(desk, command):
    given = ("--min-coverage", 1, "--min-mutation", 99, "--format", "json")
    told = json.loads(command(desk(GOOD), *given).stdout)
    assert (told["coverage"]["minimum"], told["mutation"]["minimum"]) == (1, 99)
    assert list(told["missed"]) == ["mutation"]


def test_all_but_one_is_not_printed_as_all():
    assert share((9_999, 10_000)) == "99.9 %"
    assert share((0, 0)) == "100.0 %"


def test_too_little_coverage_fails(desk, command):
    path = desk(GOOD)
    assert command(path, "--min-coverage", 1).returncode == 0
    ended = command(path, "--min-coverage", 99)
    assert ended.returncode == 1
    assert "below 99 %" in ended.stderr


def test_too_few_mutants_noticed_fail(desk, command):
    ended = command(desk(GOOD), "--mutate", "--min-mutation", 99, "--format", "json")
    assert ended.returncode == 1
    assert "of the mutants are noticed, below 99 %" in ended.stderr
    told = json.loads(ended.stdout)["mutation"]
    survived = [one for one in told["mutants"] if one["fate"] == "survived"]
    assert told["killed"] + len(survived) + told["undecided"] == told["counted"]
    assert all(one["witness"] and one["line"] for one in survived)


def test_mutants_are_printed_with_the_call(desk, command):
    ended = command(desk(GOOD), "--mutate")
    assert ended.returncode == 0
    lines = ended.stdout.splitlines()
    at = next(i for i, line in enumerate(lines) if "the bound 100 is 101: no test notices" in line)
    assert '"amount": 101' in lines[at + 1]
    assert lines[at + 2 : at + 4] == ["    the policy: require_approval", "    changed:    allow"]


SQUARES = """\
policy: p
language: 1
tools:
  t:
    args: {a: {type: integer}, b: {type: integer}, s: {type: string, minLength: 1, pattern: '^x+$'}}
    rules: [{id: r, when: args.a * args.a == 7 * args.b * args.b + 11, effect: deny}]
"""


def test_what_is_neither_told_apart_nor_proved_counts_against_the_tests(command, tmp_path):
    (tmp_path / "p.yaml").write_text(SQUARES)
    (tmp_path / "tests").mkdir()
    path = tmp_path / "tests" / "t.yaml"
    path.write_text(
        "policies: ../p.yaml\ntests:\n"
        "  - {name: a, request: {tool: t, args: {a: 1, b: 1, s: x}}, expect: {effect: allow}}\n"
    )
    told = json.loads(command(path, "--mutate", "--format", "json").stdout)["mutation"]
    fates = [one["fate"] for one in told["mutants"]]
    assert told["undecided"] == fates.count("undecided") > 0
    assert told["equivalent"] == fates.count("equivalent") > 0
    assert told["counted"] == len(fates) - told["equivalent"] - fates.count("refused")
    assert all((one["why"] is not None) is (one["fate"] == "equivalent") for one in told["mutants"])
    lines = command(path, "--mutate").stdout.splitlines()
    (score,) = [line for line in lines if line.startswith("mutation: ")]
    assert score.endswith(f" mutants noticed; {told['undecided']} of the others undecided")
    assert (
        f"  not counted: {told['equivalent']} proved to decide like the policy, "
        in lines[lines.index(score) + 1]
    )
    at = lines.index("    undecided: no call was found that tells it apart, nor a proof of none")
    assert lines[at - 1].endswith("no test notices")
    annotated = command(path, "--mutate", "--format", "github").stdout
    assert annotated.count("title=policy-engine mutation::") == len(
        [one for one in fates if one in ("survived", "undecided")]
    )


def test_no_mutant_is_tried_while_tests_fail(desk, command):
    ended = command(desk(BAD), "--mutate")
    assert ended.returncode == 1
    assert "the tests fail, so no mutant was tried" in ended.stderr


def test_a_thousand_tests_take_about_a_second(desk):
    lines = "".join(
        f"  - {{name: t{i}, request: {{tool: refund, "
        f"args: {{order_id: ORD-0001, amount: {1 + i % 99}}}}}, "
        "expect: {effect: allow}}\n"
        for i in range(1000)
    )
    path = desk(GOOD + lines)
    started = time.process_time()
    summary = run_tests(read_suites([str(path)]), coverage=False)
    assert len(summary.results) == 1001
    assert not summary.failed
    assert time.process_time() - started < 3


@pytest.mark.parametrize("name", ["tests", "deep/tests"])
def test_tests_are_found_below_a_folder(tmp_path, name):
    (tmp_path / "p.yaml").write_text("policy: p\nlanguage: 1\ntools: {t: allow}\n")
    folder = tmp_path / name
    folder.mkdir(parents=True)
    up = "/".join([".."] * len(name.split("/")))
    (folder / "a.yml").write_text(
        f"policies: {up}/p.yaml\n"
        "tests: [{name: a, request: {tool: t, args: {}}, expect: {effect: allow}}]\n"
    )
    assert [s.cases[0].name for s in read_suites([str(tmp_path)]).suites] == ["a"]
    assert load_texts({"p.yaml": (tmp_path / "p.yaml").read_text()})


def test_a_reader_that_leaves_early_is_no_fault(desk):
    listed = "".join(
        f"  - {{name: b{i}, request: {{tool: lookup, args: {{}}}}, expect: {{effect: deny}}}}\n"
        for i in range(3)
    )
    given = [sys.executable, "-m", "policy_engine", "test", str(desk(GOOD + listed)), "--coverage"]
    with subprocess.Popen(given, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as started:
        started.stdout.close()
        said = started.stderr.read()
        assert (started.wait(), said) == (141, b"")


def test_what_is_printed_can_be_pasted(desk, command):
    path = desk(GOOD)
    shown = command(path, "--coverage").stdout.splitlines()
    pasted = [
        f"  - {{name: p{i}, request: {line.partition(': ')[2]}, {after.strip()}}}\n"
        for i, (line, after) in enumerate(itertools.pairwise(shown))
        if after.startswith("      expect: ") and not line.startswith("      where ")
    ]
    assert any("rules: [desk/default]" in test for test in pasted)
    assert any("cannot_tell: [" in test for test in pasted)
    assert any("rules: [desk/tools/refund/args" in test for test in pasted)
    bare = "tests:\n" + "".join(pasted)
    ended = command(desk(bare))
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
