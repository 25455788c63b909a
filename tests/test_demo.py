"""`demo`: the real guard decides, and what is shown is what was recorded."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from policy_engine import Guard
from policy_engine.cli.demonstration import SCRIPT, play, tools_of

POLICY = Path(__file__).parent.parent / "policy_engine" / "cli" / "demonstration" / "desk.yaml"


@pytest.fixture
def demo(tmp_path):
    def run(**env):
        return subprocess.run(
            [sys.executable, "-m", "policy_engine", "demo"],
            cwd=tmp_path,
            env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONIOENCODING": "utf-8", **env},
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    return run


DECIDED = [
    ("lookup_order", "Permitted", ["demo/tools/lookup_order"]),
    ("send_mail", "Permitted", ["demo/tools/send_mail"]),
    ("process_refund", "Denied", ["demo/tools/process_refund/args/amount"]),
    ("process_refund", "Needs an approval", ["demo/finance-approves"]),
    ("process_refund", "Permitted", ["demo/finance-approves", "demo/tools/process_refund"]),
    ("process_refund", "Permitted", ["demo/tools/process_refund"]),
    ("process_refund", "Denied", ["demo/refunds"]),
    ("read_page", "Permitted", ["demo/tools/read_page"]),
    ("send_mail", "Denied", ["demo/mail-after-untrusted"]),
]

_SHOWN = re.compile(
    r"^   (Permitted|Denied|Needs an approval) +(\S+)  desk\.yaml:(\d+): ", re.MULTILINE
)


def scenes(text):
    """Read what the demonstration shows: the tool, the effect, the rules with their lines."""
    for scene in re.split(r"^\d+\. ", text, flags=re.MULTILINE)[1:]:
        call = re.search(r"^   (\w+)\(", scene, re.MULTILINE)
        found = _SHOWN.findall(scene)
        yield call[1], {effect for effect, _, _ in found}, [(rule, int(n)) for _, rule, n in found]


def test_the_story_is_told(demo):
    done = demo()
    assert (done.returncode, done.stderr) == (0, "")
    told = [(tool, effects, [r for r, _ in rules]) for tool, effects, rules in scenes(done.stdout)]
    assert told == [(tool, {effect}, rules) for tool, effect, rules in DECIDED]
    assert "fiona from finance approves what waits." in done.stdout
    assert 'the session is labelled "untrusted" from now on' in done.stdout
    assert "the agent is told: A refund is at most 500." in done.stdout


def test_each_rule_stands_in_the_line_that_is_named(demo):
    shown = demo().stdout
    named = re.search(r"^(\S+desk\.yaml)$", shown, re.MULTILINE)
    lines = Path(named[1]).read_text("utf-8").splitlines()
    for _, _, rules in scenes(shown):
        for rule, line in rules:
            assert rule.rpartition("/")[2] in lines[line - 1]


def test_the_records_say_the_same(demo):
    shown = demo().stdout
    where = re.search(
        r"^(\d+) decisions and (\d+) outcomes were recorded: (\d+) lines in (\S+)$",
        shown,
        re.MULTILINE,
    )
    lines = Path(where[4]).read_text("utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    decisions = [record for record in records if record["kind"] == "decision"]
    assert [int(where[i]) for i in (1, 2, 3)] == [
        len(decisions),
        len(records) - len(decisions),
        len(records),
    ]
    effects = {"Permitted": "allow", "Denied": "deny", "Needs an approval": "require_approval"}
    assert [(d["tool"], d["effect"]) for d in decisions] == [
        (tool, effects[effect]) for tool, effect, _ in DECIDED
    ]
    for decision, (_, _, rules) in zip(decisions, DECIDED, strict=True):
        assert set(rules) <= set(decision["rules"])
    outcomes = [record for record in records if record["kind"] == "outcome"]
    assert {outcome["status"] for outcome in outcomes} == {"returned"}
    example = shown.split("The first that was denied:\n")[1].splitlines()[0]
    assert example in lines
    assert json.loads(example)["effect"] == "deny"


def test_what_is_foreseen_is_what_is_enforced(tmp_path):
    records = tmp_path / "records.jsonl"
    guard = Guard.from_path(POLICY, records=records)
    played = list(play(guard, tools_of(guard)))
    written = [json.loads(line) for line in records.read_text("utf-8").splitlines()]
    decided = [record for record in written if record["kind"] == "decision"]
    assert [scene.decision.fingerprint for scene in played] == [d["fingerprint"] for d in decided]
    assert [scene.decision.effect for scene in played] == [d["effect"] for d in decided]
    assert [scene.result is not None for scene in played] == [d["permitted"] for d in decided]
    assert len(played) == len(SCRIPT)


def test_it_is_plain_in_a_pipe_and_coloured_on_a_terminal(demo):
    assert "\x1b" not in demo().stdout
    assert "\x1b[" in demo(FORCE_COLOR="1", TERM="xterm-256color", NO_COLOR="").stdout


def test_it_leaves_nothing_in_the_working_folder_but_names_its_file(demo, tmp_path):
    shown = demo().stdout
    left = [path for path in tmp_path.iterdir() if path.is_file()]
    assert len(left) == 1
    assert str(left[0]) in shown


def test_it_takes_less_than_two_seconds(demo):
    took = []
    for _ in range(3):
        start = time.perf_counter()
        demo()
        took.append(time.perf_counter() - start)
    assert min(took) < 2


def test_its_policy_lints_clean():
    done = subprocess.run(
        [sys.executable, "-m", "policy_engine", "lint", str(POLICY)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0
