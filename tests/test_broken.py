"""The catalogue of broken policies: each earns exactly the message beside it.

To write the messages anew, run `UPDATE_GOLDEN=1 pytest tests/test_broken.py` and read the diff.
"""

import os
from pathlib import Path

import pytest

from policy_engine.errors import FAULT_CODES, PolicyError
from policy_engine.loader import load

BROKEN = Path(__file__).parent / "broken"
CASES = sorted(path for path in BROKEN.iterdir() if path.suffix != ".txt")
UPDATE = os.environ.get("UPDATE_GOLDEN") == "1"


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_a_broken_policy_earns_its_message(case, monkeypatch):
    monkeypatch.chdir(BROKEN)
    with pytest.raises(PolicyError) as caught:
        load(case.name, warm=False)
    message = f"{caught.value}\n"
    golden = BROKEN / f"{case.stem}.txt"
    if UPDATE:
        golden.write_text(message, encoding="utf-8", newline="\n")
    assert golden.read_text(encoding="utf-8") == message
    assert all(fault.code in FAULT_CODES for fault in caught.value.faults)


def test_every_message_has_its_policy():
    assert {case.stem for case in CASES} == {path.stem for path in BROKEN.glob("*.txt")}


def test_the_catalogue_shows_every_code_of_this_version():
    shown = "".join(path.read_text(encoding="utf-8") for path in BROKEN.glob("*.txt"))
    never = {code for code in FAULT_CODES if f"[{code}]" not in shown}
    assert never <= {"PE019"}  # no part of this version needs an extra
