"""The pytest plugin: the same files inside a suite of one's own."""

import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest
from support import ROOT

GOOD = """
defaults: {agent: a, principal: {id: u1}, context: {env: prod}, facts: {order: {owner: u1}}}
tests:
  - name: a refund
    request: {tool: refund, args: {order_id: ORD-0001, amount: 5}}
    expect: {effect: allow}
  - {name: a wrong one, request: {tool: lookup, args: {}}, expect: {effect: deny}}
"""

OPTIONS = ["-m", "pytest", "-p", "policy_engine.pytest_plugin", "-p", "no:cacheprovider", "-q"]


def run(folder, *arguments):
    return subprocess.run(
        [sys.executable, *OPTIONS, *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_each_test_of_a_file_is_an_item(desk, tmp_path):
    path = desk(GOOD)
    (tmp_path / "pytest.ini").write_text("[pytest]\npolicy_engine_tests = tests\n")
    ended = run(tmp_path)
    assert ended.returncode == 1
    assert "1 failed, 1 passed" in ended.stdout
    assert f"expected deny, got allow\n  at {path}:8:60\n  what spoke:\n" in ended.stdout
    assert "desk/tools/lookup (allow, entry.allow)" in ended.stdout
    assert "Traceback" not in ended.stdout
    assert "1 passed" in run(tmp_path, "-k", "refund").stdout


def test_nothing_is_collected_without_the_option(desk, tmp_path):
    desk(GOOD)
    assert "no tests ran" in run(tmp_path).stdout


def test_a_file_with_faults_is_an_error_with_its_place(desk, tmp_path):
    desk("tests: []\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\npolicy_engine_tests = tests\n")
    ended = run(tmp_path)
    assert ended.returncode == 2
    assert '"tests" is an empty list [PE020]' in ended.stdout
    assert "Traceback" not in ended.stdout


def test_policies_run_beside_the_paths_that_pytest_looks_at_by_itself(desk, tmp_path):
    desk(GOOD)
    (tmp_path / "unit").mkdir()
    (tmp_path / "unit" / "test_one.py").write_text("def test_one(): pass\n")
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\ntestpaths = unit\npolicy_engine_tests = .\naddopts = -rf\n"
    )
    assert "1 failed, 2 passed" in run(tmp_path).stdout
    assert "1 passed" in run(tmp_path, "unit").stdout
    shared = run(tmp_path, "-p", "xdist", "-n", "2")
    assert "1 failed, 2 passed" in shared.stdout
    assert "FAILED tests/desk.yaml::a wrong one - expected deny, got allow" in shared.stdout


def test_each_item_has_the_name_of_its_test(desk, tmp_path):
    desk(
        """
        tests:
          - name: "of two\\nlines\\e[31m"
            request: {stage: input, text: a}
            expect: {effect: allow}
          - name: words
            texts: |
              ok: ok
              ok: ok
        """
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\npolicy_engine_tests = tests/desk.yaml\n")
    ended = run(tmp_path, "--collect-only")
    assert ended.stdout.splitlines()[:3] == [
        "tests/desk.yaml::of two\\x0alines\\x1b[31m",
        "tests/desk.yaml::words: ok",
        "tests/desk.yaml::words: ok (2)",
    ]
    assert "1 passed" in run(tmp_path, "tests/desk.yaml::words: ok (2)").stdout


@pytest.mark.parametrize("many", [(), ("-p", "xdist", "-n", "auto")], ids=["alone", "xdist"])
def test_reports_name_each_test_by_its_file(desk, tmp_path, many):
    path = desk(
        GOOD + "  - {name: 'see [a::b]', request: {tool: x, args: {}}, expect: {effect: deny}}\n"
    )
    desk(GOOD, "other.yaml")
    (tmp_path / "pytest.ini").write_text("[pytest]\npolicy_engine_tests = tests\n")
    report = tmp_path / "report.xml"
    ended = run(tmp_path, *many, f"--junitxml={report}")
    assert "2 failed, 3 passed" in ended.stdout
    cases = {
        (case.get("classname"), case.get("name")): case.find("failure")
        for case in ET.parse(report).iter("testcase")
    }
    assert {key for key, failure in cases.items() if failure is None} == {
        ("tests.desk.yaml", "a refund"),
        ("tests.desk.yaml", "see [a: :b]"),
        ("tests.other.yaml", "a refund"),
    }
    failure = cases["tests.desk.yaml", "a wrong one"]
    assert failure.get("message").startswith(f"expected deny, got allow\n  at {path}:8:60\n")
    assert cases["tests.other.yaml", "a wrong one"] is not None
    chosen = run(tmp_path, "tests/desk.yaml::see [a: :b]")
    assert "1 passed" in chosen.stdout


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("testz", "policy_engine_tests: there is no file or folder "),
        (
            "unit",
            "unit holds no tests: those are the *.yaml and *.yml files in folders named tests",
        ),
    ],
)
def test_a_path_without_tests_stops_the_run(desk, tmp_path, named, told):
    desk(GOOD)
    (tmp_path / "unit").mkdir()
    (tmp_path / "unit" / "data.yaml").write_text("a: b\n")
    (tmp_path / "pytest.ini").write_text(f"[pytest]\npolicy_engine_tests = tests {named}\n")
    ended = run(tmp_path)
    assert ended.returncode == 4
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr


def test_what_is_no_test_beside_the_policies_is_left_alone(desk, tmp_path):
    desk(GOOD)
    (tmp_path / "pytest.ini").write_text("[pytest]\npolicy_engine_tests = .\n")
    (tmp_path / "more.yaml").write_text("a: b\n")
    assert "1 failed, 1 passed" in run(tmp_path).stdout
