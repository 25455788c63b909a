"""The command line as users see it: whole outputs, exit codes, and no traceback."""
# ruff: noqa: E501  # a table keeps its rows whole

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from policy_engine.cli.app import app

HERE = Path(__file__).parent
GOLDEN = HERE / "golden"
POLICIES = "golden/policies"
NOW = "2026-01-05T10:00:00Z"
REFUND = '{"order_id": "ORD-0001", "amount": 120}'
OWNER = '{"order": {"owner": "u1"}}'
ME = '{"id": "u1"}'


def run(*arguments, cwd=HERE, stdin=None, env=None, **settings):
    """Run the command line as a process of its own, in a pipe, without colours."""
    plain = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [sys.executable, "-m", "policy_engine", *arguments],
        cwd=cwd,
        input=stdin,
        env={**plain, **(env or {})},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
        **settings,
    )


def decide(*arguments, now=NOW, **settings):
    return run("decide", "--policies", POLICIES, "--now", now, *arguments, **settings)


CALL = ("--tool", "refund", "--args", REFUND, "--agent", "desk-1", "--session", "s1")

OUTPUTS = {
    "help": ("--help",),
    "help-lint": ("lint", "--help"),
    "help-decide": ("decide", "--help"),
    "help-replay": ("replay", "--help"),
    "help-explain": ("explain", "--help"),
    "help-schema": ("schema", "--help"),
    "help-test": ("test", "--help"),
    "lint-clean": ("lint", "golden/clean.yaml"),
    "lint-findings": ("lint", POLICIES),
    "lint-findings-json": ("lint", POLICIES, "--format", "json"),
    "lint-findings-github": ("lint", POLICIES, "--format", "github"),
    "lint-findings-junit": ("lint", POLICIES, "--format", "junit"),
    "lint-faults": ("lint", "golden/broken", POLICIES),
    "lint-faults-json": ("lint", "golden/broken", "--format", "json"),
    "decide-broken": ("decide", "--policies", "golden/broken", "--tool", "refund"),
    "decide-approval": ("decide", "--policies", POLICIES, *CALL, "--principal", ME, "--facts", OWNER, "--now", NOW),
    "decide-approval-json": ("decide", "--policies", POLICIES, *CALL, "--principal", ME, "--facts", OWNER, "--now", NOW, "--format", "json"),
    "decide-cannot-tell": ("decide", "--policies", POLICIES, "--tool", "refund", "--args", REFUND, "--agent", "desk-1", "--now", NOW),
    "decide-no-agent": ("decide", "--policies", POLICIES, "--tool", "lookup", "--now", NOW),
    "decide-too-much": ("decide", "--policies", POLICIES, "--tool", "refund", "--args", '{"order_id": "ORD-0001", "amount": 900, "note": "x"}', "--agent", "desk-1", "--principal", ME, "--session", "s1", "--facts", OWNER, "--now", NOW),
    "decide-permitted": ("decide", "--policies", POLICIES, "--tool", "refund", "--args", '{"order_id": "ORD-0001", "amount": 5.5}', "--agent", "desk-1", "--principal", ME, "--session", "s1", "--facts", OWNER, "--now", NOW),
    "decide-label": ("decide", "--policies", POLICIES, "--tool", "read_page", "--agent", "desk-1", "--now", NOW),
    "decide-quorum": ("decide", "--policies", POLICIES, "--tool", "deploy", "--agent", "desk-1", "--now", NOW),
    "decide-unknown-tool": ("decide", "--policies", POLICIES, "--tool", "rm", "--agent", "desk-1", "--now", NOW),
    "decide-output": ("decide", "--policies", POLICIES, "--output", "this is Internal Only, you see", "--agent", "desk-1", "--now", NOW),
    "decide-model": ("decide", "--policies", POLICIES, "--request", '{"stage": "model_request", "model": "small", "agent": "desk-1", "session": "s1", "principal": {"id": "u1"}, "now": "2026-01-05T10:00:00Z"}'),
    "decide-handoff": ("decide", "--policies", POLICIES, "--request", '{"stage": "handoff", "target": "desk-billing", "agent": "desk-1", "now": "2026-01-05T10:00:00Z"}'),
    "replay": ("replay", "--policies", POLICIES, "golden/replay.jsonl"),
    "replay-json": ("replay", "--policies", POLICIES, "golden/replay.jsonl", "--format", "json"),
    "replay-malformed": ("replay", "--policies", POLICIES, "golden/malformed.jsonl"),
    "explain-fault": ("explain", "PE006"),
    "explain-rule": ("explain", "PE207"),
    "explain-code": ("explain", "args.maximum"),
    "explain-check": ("explain", "terms"),
    "explain-later": ("explain", "pii"),
    "explain-unknown": ("explain", "args.maximun"),
    "explain-tool": ("explain", "--policies", POLICIES, "--tool", "refund", "--agent", "desk-1"),
}  # fmt: skip


@pytest.mark.parametrize("name", OUTPUTS)
def test_the_whole_output(name):
    done = run(*OUTPUTS[name])
    shown = f"$ policy-engine {' '.join(OUTPUTS[name])}\n{done.stdout}"
    if done.stderr:
        shown += f"--- standard error\n{done.stderr}"
    shown += f"--- exit {done.returncode}\n"
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(shown, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == shown


ENDINGS = [
    (("--help",), 0),
    (("--version",), 0),
    (("lint", "golden/clean.yaml"), 0),
    (("lint", POLICIES), 1),
    (("lint", POLICIES, "--fail-level", "error"), 0),
    (("lint", POLICIES, "--update-baseline"), 2),
    (("lint", POLICIES, "--baseline", "golden/nowhere"), 2),
    (("lint", POLICIES, "--tools", "golden/nowhere"), 2),
    (("lint", "golden/broken"), 2),
    (("lint", "golden/nowhere"), 2),
    (("lint", "golden/empty\x1b[31m"), 2),
    (("lint", POLICIES, "--format", "sarif"), 1),
    (("lint", POLICIES, "--format", "yaml"), 2),
    (("lint",), 2),
    (("lnt",), 2),
    (("decide", "--policies", POLICIES, "--tool", "lookup", "--agent", "desk-1"), 0),
    (("decide", "--policies", POLICIES, "--tool", "lookup"), 1),
    (("decide", "--policies", POLICIES, "--tool", "deploy", "--agent", "desk-1"), 1),
    (("decide", "--policies", POLICIES, "--input", "hello", "--agent", "desk-1"), 0),
    (("decide", "--tool", "lookup"), 2),
    (("decide", "--policies", "golden/broken", "--tool", "lookup"), 2),
    (("decide", "--policies", "golden/nowhere", "--tool", "lookup"), 2),
    (("decide", "--policies", POLICIES), 2),
    (("decide", "--policies", POLICIES, "--tool", "a", "--input", "b"), 2),
    (("decide", "--policies", POLICIES, "--input", "b", "--args", "{}"), 2),
    (("decide", "--policies", POLICIES, "--tool", "lookup", "--args", "{"), 2),
    (("decide", "--policies", POLICIES, "--tool", "lookup", "--args", "[]"), 2),
    (("decide", "--policies", POLICIES, "--tool", "lookup", "--args", '{"a": 1, "a": 2}'), 2),
    (("decide", "--policies", POLICIES, "--tool", "lookup", "--args", '{"a": NaN}'), 2),
    (("decide", "--policies", POLICIES, "--tool", "lookup", "--args", "@nowhere.json"), 2),
    (("decide", "--policies", POLICIES, "--tool", "lookup", "--args", "@golden"), 2),
    (("decide", "--policies", POLICIES, "--tool", "lookup", "--now", "today"), 2),
    (("decide", "--policies", POLICIES, "--tool", "lookup", "--principal", '{"role": "x"}'), 2),
    (("decide", "--policies", POLICIES, "--request", '{"tool": "lookup", "args": {}, "sesion": "s"}'), 2),
    (("decide", "--policies", POLICIES, "--request", '{"tool": "lookup", "args": {}, "agent": "a"}', "--agent", "b"), 2),
    (("replay", "--policies", POLICIES, "golden/nowhere.jsonl"), 2),
    (("replay", "--policies", POLICIES, "golden"), 2),
    (("replay", "--policies", POLICIES, "golden/malformed.jsonl"), 2),
    (("replay", "--policies", "golden/broken", "golden/replay.jsonl"), 2),
    (("replay", "--policies", POLICIES, "golden/replay.jsonl"), 1),
    (("explain", "PE006"), 0),
    (("explain", "pe006"), 0),
    (("explain", "PE999"), 2),
    (("explain",), 2),
    (("explain", "--tool", "refund"), 2),
    (("explain", "PE006", "--policies", POLICIES, "--tool", "refund"), 2),
    (("explain", "--policies", POLICIES, "--tool", "refund"), 0),
    (("schema",), 0),
    (("schema", "request"), 0),
    (("schema", "decision"), 0),
    (("schema", "test"), 0),
    (("schema", "tests"), 2),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "code"), ENDINGS, ids=[" ".join(a) for a, _ in ENDINGS])
def test_exit_codes(arguments, code, monkeypatch):
    monkeypatch.chdir(HERE)
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == code
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert "\x1b" not in done.output
    if code == 2:
        assert done.output


@pytest.mark.parametrize("kind", ["policy", "request", "decision"])
def test_schemas_are_json_schemas(kind):
    schema = json.loads(run("schema", kind).stdout)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_a_decision_fits_its_schema_and_a_request_too():
    jsonschema = pytest.importorskip("jsonschema")
    decision = json.loads(decide(*CALL, "--format", "json").stdout)
    jsonschema.validate(decision, json.loads(run("schema", "decision").stdout))
    request = json.loads(run("schema", "request").stdout)
    jsonschema.validate({"tool": "t", "args": {}, "now": NOW}, request)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"tool": "t", "args": {}, "sesion": "s"}, request)


def test_options_are_read_from_files_and_from_the_standard_input(tmp_path):
    file = tmp_path / "args.json"
    file.write_text('{"order_id": "ORD-0001", "amount": 5}', encoding="utf-8-sig")
    by_file = decide(
        "--tool", "refund", "--args", f"@{file}", "--agent", "desk-1", "--format", "json"
    )
    whole = json.dumps(
        {"tool": "refund", "args": {"order_id": "ORD-0001", "amount": 5}, "agent": "desk-1"}
    )
    by_stdin = decide("--request", "-", "--format", "json", stdin=whole)
    assert by_file.stdout == by_stdin.stdout != ""
    text = tmp_path / "text"
    text.write_bytes(b"\xff\xfe")
    bad = decide("--input", f"@{text}")
    assert (bad.returncode, bad.stderr) == (2, "policy-engine: --input is not UTF-8 at byte 1\n")


def test_no_value_of_the_request_is_printed():
    secret = "TOP-SECRET-VALUE"
    done = decide("--tool", "refund", "--args", json.dumps({"order_id": secret, "amount": 1, "note": secret}), "--agent", "desk-1", "--session", secret, "--principal", json.dumps({"id": secret, "roles": [secret], "attrs": {"x": secret}}), "--context", json.dumps({"env": secret}))  # fmt: skip
    assert done.returncode == 1
    assert secret not in done.stdout + done.stderr


def test_what_a_terminal_would_obey_is_escaped():
    done = decide("--tool", "x\x1b[2J\u202e\ud7ff", "--agent", "desk-1")
    assert "\x1b" not in done.stdout
    assert "the call of x\\x1b[2J\\u202e" in done.stdout


def test_colours_are_for_terminals_and_not_for_no_color():
    forced = {"FORCE_COLOR": "1", "TERM": "xterm-256color", "NO_COLOR": ""}
    assert "\x1b[" in decide(*CALL, env=forced).stdout
    assert "\x1b[3" not in decide(*CALL, env={**forced, "NO_COLOR": "1"}).stdout


@pytest.mark.skipif(sys.platform == "win32", reason="pipes break otherwise there")
def test_a_reader_that_leaves_is_no_trouble():
    command = (
        f"{sys.executable} -m policy_engine schema policy | head -c 1; exit ${{PIPESTATUS[0]}}"
    )
    done = subprocess.run(
        ["bash", "-c", command], cwd=HERE, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout == "{"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize(
    "arguments",
    [("decide", "--policies", POLICIES, *CALL), ("schema",), ("--version",), ("lint", POLICIES)],
    ids=["decide", "schema", "version", "lint"],
)
def test_an_output_that_is_full_is_said(arguments):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "policy_engine", *arguments],
            cwd=HERE, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals differ there")
def test_an_interrupt_ends_it_quietly(tmp_path):
    pipe = tmp_path / "requests"
    os.mkfifo(pipe)
    process = subprocess.Popen(
        [sys.executable, "-m", "policy_engine", "replay", "--policies", POLICIES, str(pipe)],
        cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with pipe.open("w") as writer:
        writer.write('{"tool": "lookup", "args": {}}\n')
        writer.flush()
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in out + error


def test_a_fault_of_our_own_is_not_a_denial():
    code = "import policy_engine.cli.app as a; a.app = lambda **_: 1 / 0; a.main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "ZeroDivisionError" in done.stderr
    assert "this is a fault of policy-engine itself" in done.stderr


def test_help_is_fast_because_it_imports_little():
    done = run("--help", env={"PYTHONPROFILEIMPORTTIME": "1"})
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "typer" in imported
    heavy = {"pydantic", "yaml", "rich", "jsonschema", "hyperscan", "re2", "asyncio"}
    assert not heavy & imported
