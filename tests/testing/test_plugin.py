"""The pytest plugin: the same files inside a suite of one's own."""

import subprocess
import sys

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
    assert f"{path}:8:60: a wrong one" in ended.stdout
    assert "expected deny, got allow" in ended.stdout
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
