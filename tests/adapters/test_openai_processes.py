"""A run that pauses in one process, is answered in a second, and goes on in a third."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from desk_memory import PAGE
from desk_process import RUNS

SCRIPT = Path(__file__).parent / "desk_process.py"
MEMORY = SCRIPT.with_name("desk_memory.py")
HOUR = 3600
REFUSED = "Finance has to approve."


def start(what, folder, *rest, shift=0, script=SCRIPT):
    return subprocess.Popen(
        [sys.executable, str(script), what, str(folder), *rest],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "SHIFT": str(shift)},
    )


def ended(process):
    """Return what a process said in the end."""
    out, error = process.communicate(timeout=120)
    assert process.returncode == 0, error
    return json.loads(out)


def run(what, folder, *rest, shift=0):
    return ended(start(what, folder, *rest, shift=shift))


def paid(folder, *, more=False):
    """Return what was paid: what people were asked about, or also what nobody has to be."""
    file = folder / "paid.txt"
    lines = file.read_text().splitlines() if file.exists() else []
    return [line for line in lines if more or not line.startswith("MORE")]


def decisions(folder):
    lines = (folder / "records.jsonl").read_text().splitlines()
    return [r for r in map(json.loads, lines) if r["kind"] == "decision"]


@pytest.fixture(scope="module")
def paused(tmp_path_factory):
    """Return a folder with runs that wait; the process that left them has ended."""
    folder = tmp_path_factory.mktemp("paused")
    assert run("pause", folder) == RUNS
    assert paid(folder) == []
    return folder


@pytest.fixture(scope="module")
def approved(paused, tmp_path_factory):
    """Return the folder after a person approved in a second process."""
    folder = copy(paused, tmp_path_factory.mktemp("approved"))
    assert run("approve", folder) == 0
    return folder


def copy(folder, to):
    shutil.copytree(folder, to, dirs_exist_ok=True)
    return to


def test_a_third_process_goes_on_once(approved, tmp_path):
    folder = copy(approved, tmp_path)
    found = run("resume", folder)
    assert found["outputs"][1] == "paid"
    # The session's count and its label are those of the first process.
    assert "limit" in found["outputs"][2]
    assert found["outputs"][3] == "Not after reading a page."
    assert paid(folder, more=True) == ["O-0 200"]
    # A fourth process tries the same state again.
    found = run("resume", folder)
    assert paid(folder) == ["O-0 200"]
    assert "ran already" in found["outputs"][1]
    # A fifth one approves it by itself, past our store.
    found = run("bare", folder)
    assert paid(folder) == ["O-0 200"]
    refused = [r["effect"] for r in decisions(folder) if r["call_id"] == "c0"]
    assert refused[-2:] == ["deny", "deny"]


def test_of_two_processes_that_race_with_one_state_one_runs_it(approved, tmp_path):
    folder = copy(approved, tmp_path)
    found = [ended(one) for one in (start("race", folder, "1"), start("race", folder, "1"))]
    assert sorted(paid(folder, more=True)) == [f"O-{number} 200" for number in range(RUNS)]
    for one, two in zip(*found, strict=True):
        # The slower one may be stopped before it comes to the call.
        told = [(each.get("outputs") or [])[1:2] for each in (one, two)]
        assert told.count(["paid"]) == 1


def test_a_bare_approval_of_the_state_lets_nothing_through(paused, tmp_path):
    folder = copy(paused, tmp_path)
    found = run("bare", folder)
    assert found["outputs"][1] == REFUSED
    assert paid(folder) == []


def test_an_unanswered_run_waits_on(paused, tmp_path):
    folder = copy(paused, tmp_path)
    assert run("resume", folder) == {"outputs": ["a page"], "waiting": 1}
    assert paid(folder) == []


def test_a_rejected_call_is_not_made(paused, tmp_path):
    folder = copy(paused, tmp_path)
    run("reject", folder)
    found = run("resume", folder)
    assert paid(folder) == []
    assert found["waiting"] == 0
    assert found["outputs"][1] == "An approver rejected this."
    run("bare", folder)
    assert paid(folder) == []


def test_an_approval_that_expired_lets_nothing_through(approved, tmp_path):
    folder = copy(approved, tmp_path)
    assert run("resume", folder, shift=2 * HOUR)["waiting"] == 1
    assert run("bare", folder, shift=2 * HOUR)["outputs"][1] == REFUSED
    assert paid(folder) == []


EDITS = {
    "an amount": ('\\"amount\\": 200', '\\"amount\\": 201'),
    "an order": ('\\"order\\": \\"O-0\\"', '\\"order\\": \\"O-9\\"'),
}


@pytest.mark.parametrize("what", ["resume", "bare"])
@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_argument_is_not_what_was_approved(approved, tmp_path, edit, what):
    folder = copy(approved, tmp_path)
    file = folder / "run-0.json"
    text = file.read_text()
    before, after = EDITS[edit]
    assert before in text
    file.write_text(text.replace(before, after))
    found = run(what, folder)
    assert paid(folder) == []
    assert "paid" not in found.get("outputs", [])[:2]


def test_another_call_is_not_what_was_approved(approved, tmp_path):
    # The state of one run, resumed in the session of another: the call is another one.
    folder = copy(approved, tmp_path)
    (folder / "run-0.json").write_text((folder / "run-1.json").read_text())
    found = run("bare", folder)
    assert paid(folder) == []
    assert found["outputs"][1] == REFUSED


def test_an_answer_to_one_call_does_not_answer_its_twin(approved, tmp_path):
    # The same call once more under another id: what was approved is one use.
    folder = copy(approved, tmp_path)
    run("resume", folder)
    text = (folder / "run-0.json").read_text()
    (folder / "run-0.json").write_text(text.replace('"c0"', '"c9"'))
    found = run("bare", folder)
    assert paid(folder) == ["O-0 200"]
    assert "paid" not in found.get("outputs", [])[:2]


def read(what, folder):
    """Return what the model of a process was sent last: texts, calls and results."""
    sent = ended(start(what, folder, script=MEMORY))
    texts = []
    for item in sent:
        content = item.get("content") or item.get("output") or item["name"]
        texts.append(content if isinstance(content, str) else content[0]["text"])
    return texts


def test_processes_that_share_a_session_and_a_state_withhold_nothing_old(tmp_path):
    asked = ["ask, for <TERM>", "read", PAGE]
    assert read("ask", tmp_path) == asked
    # A second worker reads what the first one said, and what users say is redacted as ever.
    told = [*asked, "acme it is", "go on, for <TERM>"]
    assert read("go on", tmp_path) == told
    waits = [*told, "as I said", "pause, for <TERM>", "read", PAGE]
    assert read("pause", tmp_path) == waits
    # A fourth one goes on with what the third one left.
    assert read("resume", tmp_path) == [*waits, "pay", "paid to acme"]
    told = [r for r in decisions(tmp_path) if r["stage"] == "input"]
    assert [r["effect"] for r in told] == ["redact"] * 3, "what each process was told"
    effects = {r["effect"] for r in decisions(tmp_path)}
    assert effects == {"allow", "redact", "require_approval"}
