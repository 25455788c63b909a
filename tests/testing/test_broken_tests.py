"""The catalogue of broken test files: each earns exactly the message beside it.

To write the messages anew, run `UPDATE_GOLDEN=1 pytest tests/testing/test_broken_tests.py` and read
the diff.
"""

import os
from pathlib import Path

import pytest

from policy_engine.errors import FAULT_CODES
from policy_engine.testing.faults import FaultyTestsError
from policy_engine.testing.reading import read_suites

BROKEN = Path(__file__).parent.parent / "broken-tests"
CASES = sorted(BROKEN.glob("*.yaml"))
UPDATE = os.environ.get("UPDATE_GOLDEN") == "1"


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_a_broken_test_file_earns_its_message(case, monkeypatch):
    monkeypatch.chdir(BROKEN)
    with pytest.raises(FaultyTestsError) as caught:
        read_suites([case.name])
    message = f"{caught.value}\n"
    golden = BROKEN / f"{case.stem}.txt"
    if UPDATE:
        golden.write_text(message, encoding="utf-8", newline="\n")
    assert golden.read_text(encoding="utf-8") == message
    assert all(fault.code in FAULT_CODES for fault in caught.value.faults)
    assert all(fault.location.line >= 1 for fault in caught.value.faults)


def test_every_message_has_its_file():
    assert {case.stem for case in CASES} == {path.stem for path in BROKEN.glob("*.txt")}


def test_a_policy_that_does_not_load_is_not_a_fault_of_the_tests(tmp_path):
    (tmp_path / "p.yaml").write_text("policy: p\nlanguage: 1\ntoolz: {}\n")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "a.yaml").write_text(
        "policies: ../p.yaml\n"
        "tests: [{name: a, request: {tool: t, args: {}}, expect: {effect: deny}}]\n"
    )
    from policy_engine.errors import PolicyError

    with pytest.raises(PolicyError, match="toolz") as caught:
        read_suites([str(tmp_path)])
    assert not isinstance(caught.value, FaultyTestsError)
