"""`policy-engine test`: output, exit codes, thresholds; and its time."""

import itertools
import json
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

import pytest

from policy_engine.loader import load_texts
from policy_engine.testing.outcome import run_tests
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
