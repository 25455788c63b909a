"""Replays: what a line may be, what a session remembers, bounded memory, whole files."""
# ruff: noqa: E501  # a table keeps its rows whole

import io
import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_engine.cli.replaying import LineError, read_line, read_lines
from policy_engine.decision.wire import parse_json
from policy_engine.engine import Engine
from policy_engine.errors import RequestError
from policy_engine.loader import load
from policy_engine.testing.replay import Replay

HERE = Path(__file__).parent
POLICIES = HERE / "golden" / "policies"
START = datetime(2026, 1, 5, 10, tzinfo=UTC)
CALL = {"tool": "lookup", "args": {}, "agent": "desk-1", "now": "2026-01-05T10:00:00Z"}


@pytest.fixture(scope="module")
def engine():
    return Engine(load(POLICIES, warm=False))


def effects(engine, *lines, prices=None):
    replay = Replay(engine, prices or {}, START)
    return [
        replay.decide(step.given, usage=step.usage).effect
        for value in lines
        for line in [read_line(value)]
        for step in line.steps
        for _ in range(step.repeat)
    ]


MALFORMED = [
    ([], "a line is an object: a request, or a session with steps"),
    ({"steps": []}, 'a line with "steps" has a "session", which is a string'),
    ({"session": None, "steps": []}, 'a line with "steps" has a "session", which is a string'),
    ({"session": "s", "steps": {}}, '"steps" is a list of requests'),
    ({"session": "s", "steps": [7]}, "step 1: a step is an object: a request"),
    ({"session": "s", "steps": [], "agnt": "a"}, '"agnt" is not a field of a session: did you mean "agent"?'),
    ({"session": "s", "steps": [], "tool": "t"}, '"tool" is not a field of a session'),
    ({"session": "s", "steps": [], "call_id": "t"}, '"call_id" is not a field of a session'),
    ({"session": "s", "steps": [CALL, {**CALL, "session": "t"}]}, 'step 2: "session" is not that of its line'),
    ({"session": "s", "agent": 5, "steps": [{"tool": "t", "args": {}}]}, 'step 1: "agent" is a string, not a number'),
    ({"session": "s", "steps": [{**CALL, "steps": []}]}, 'step 1: "steps" is not a field of a request'),
    ({**CALL, "expects": {}}, '"expects" is not a field of a request'),
    ({**CALL, "expect": "deny"}, '"expect" is an object with "effect", "rules" or both'),
    ({**CALL, "expect": {}}, '"expect" is an object with "effect", "rules" or both'),
    ({**CALL, "expect": {"efect": "deny"}}, '"efect" is not "effect" or "rules", which "expect" has'),
    ({**CALL, "expect": {"effect": "alow"}}, '"expect.effect" is one of allow, redact, require_approval, deny: did you mean "allow"?'),
    ({**CALL, "expect": {"effect": ["deny"]}}, '"expect.effect" is one of allow, redact, require_approval, deny'),
    ({**CALL, "expect": {"effect": None}}, '"expect" says nothing: give it "effect", "rules" or both'),
    ({**CALL, "expect": {"rules": []}}, '"expect" says nothing: give it "effect", "rules" or both'),
    ({**CALL, "expect": {"rules": "a"}}, '"expect.rules" is a list of the names of rules'),
    ({**CALL, "expect": {"rules": [1]}}, '"expect.rules" is a list of the names of rules'),
    ({**CALL, "repeat": 0}, '"repeat" is a whole number from 1 to 1,000,000'),
    ({**CALL, "repeat": True}, '"repeat" is a whole number from 1 to 1,000,000'),
    ({**CALL, "repeat": 2.0}, '"repeat" is a whole number from 1 to 1,000,000'),
    ({**CALL, "repeat": 10**7}, '"repeat" is a whole number from 1 to 1,000,000'),
    ({**CALL, "usage": {"input_tokens": 1, "output_tokens": 1}}, '"usage" belongs to the stage model_request'),
    ({"stage": "model_request", "model": "m", "usage": 5}, '"usage" is an object with "input_tokens" and "output_tokens"'),
    ({"stage": "model_request", "model": "m", "usage": {"input_tokens": 1}}, '"usage.output_tokens" is a whole number, 0 or more'),
    ({"stage": "model_request", "model": "m", "usage": {"input_tokens": -1, "output_tokens": 1}}, '"usage.input_tokens" is a whole number, 0 or more'),
    ({"stage": "model_request", "model": "m", "usage": {"input_token": 1}}, '"input_token" is not a field of usage: did you mean "input_tokens"?'),
    ({"stage": "model_request", "model": "m", "usage": {"model": 1, "input_tokens": 1, "output_tokens": 1}}, '"usage.model" is a string'),
]  # fmt: skip


@pytest.mark.parametrize(("value", "message"), MALFORMED, ids=range(len(MALFORMED)))
def test_what_is_not_a_line_is_refused_in_plain_words(value, message):
    with pytest.raises(RequestError) as caught:
        read_line(value)
    assert str(caught.value) == message


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda children: (
            st.lists(children, max_size=3)
            | st.dictionaries(
                st.sampled_from(["steps", "session", "tool", "args", "expect", "repeat", "usage"]),
                children,
                max_size=5,
            )
        ),
        max_leaves=15,
    )
)
def test_no_line_raises_anything_else(value):
    try:
        read_line(value)
    except RequestError as error:
        said = str(error)
    else:
        said = "fine"
    assert said


def test_steps_take_what_their_line_says_and_may_say_otherwise():
    line = read_line(
        {
            "session": "s",
            "agent": "a",
            "principal": {"id": "u"},
            "context": {"env": "prod"},
            "now": "2026-01-05T10:00:00Z",
            "facts": {"order": {}},
            "steps": [
                {"tool": "t", "args": {}},
                {"tool": "t", "args": {}, "agent": "b", "facts": {}, "session": "s"},
            ],
        }
    )
    first, second = (step.given for step in line.steps)
    assert (first.request.agent, first.request.session, first.now) == ("a", "s", START)
    assert (first.request.principal, first.answers) == ({"id": "u"}, {"order": {}})
    assert (second.request.agent, second.answers) == ("b", {})


READ = [
    (b'{"a": 1\n', (1, 8, "expecting ',' delimiter")),
    (b"\n", (1, 1, "the line is empty")),
    (b"   \r\n", (1, 1, "the line is empty")),
    ('"é'.encode() + b'\xff"', (1, 3, "the line is not UTF-8")),
    (b'{"tool": "t", "args": {"a": 1, "a": 1}}', (1, 32, 'key "a" stands twice in one object')),
    (b'{"tool": "t"}', (1, None, '"args" is missing, which the stage tool_call needs: a call without arguments has "args": {}')),
    (b"[" * 5000, (1, 101, "nested deeper than 100 levels")),
]  # fmt: skip


@pytest.mark.parametrize(("data", "wanted"), READ, ids=range(len(READ)))
def test_a_malformed_line_is_named_with_its_place(data, wanted):
    [(_, _, error)] = read_lines(io.BytesIO(data))
    assert isinstance(error, LineError)
    assert (error.number, error.column, error.message) == wanted


def test_lines_end_at_line_feeds_only():
    text = '\ufeff{"tool": "t\u2028", "args": {}}\r\n{"tool": "u", "args": {}}'
    read = list(read_lines(io.BytesIO(text.encode())))
    assert [line.steps[0].given.request.tool for _, _, line in read] == ["t\u2028", "u"]


def test_a_line_that_never_ends_is_refused(monkeypatch):
    monkeypatch.setattr("policy_engine.cli.replaying.lines.MAX_BYTES", 10)
    [(_, _, error)] = read_lines(io.BytesIO(b"x" * 100))
    assert error.message == "the line is larger than 64 MB"


# What a session remembers

PAGE = {"tool": "read_page", "args": {}, "agent": "desk-1", "session": "s"}
RESULT = {**PAGE, "stage": "tool_result", "result": "text"}
MAIL = {"tool": "send_email", "args": {}, "agent": "desk-1", "session": "s"}


def test_a_call_has_returned_when_the_next_step_begins(engine):
    assert effects(engine, MAIL, PAGE, MAIL) == ["allow", "allow", "deny"]


def test_a_session_spans_lines_and_kinds_of_lines(engine):
    steps = {"session": "s", "agent": "desk-1", "steps": [{"tool": "send_email", "args": {}}]}
    assert effects(engine, PAGE, steps) == ["allow", "deny"]


def test_sessions_are_apart(engine):
    assert effects(engine, PAGE, {**MAIL, "session": "t"}) == ["allow", "allow"]
    assert effects(engine, PAGE, {**MAIL, "principal": {"id": "u"}}) == ["allow", "allow"]


def test_a_result_does_not_see_the_labels_that_it_sets(engine):
    policy = {
        "policy": "p",
        "language": 1,
        "tools": {
            "read_page": {
                "labels": ["untrusted"],
                "result": [{"id": "r", "when": '"untrusted" in session.labels', "effect": "deny"}],
            },
            "send_email": "allow",
        },
    }
    path = POLICIES.parent / "unused.yaml"
    from policy_engine.loader import load_texts

    own = Engine(load_texts({str(path): json.dumps(policy)}, warm=False))
    assert effects(own, PAGE, RESULT, RESULT) == ["allow", "allow", "deny"]
    assert effects(own, PAGE, MAIL, RESULT) == ["allow", "allow", "deny"]
    assert effects(own, {**PAGE, "call_id": "a"}, {**RESULT, "call_id": "b"}) == ["allow", "deny"]


def test_a_denied_call_never_ran(engine):
    other = {**PAGE, "call_id": "c", "agent": "stranger"}
    mine = {**PAGE, "call_id": "c"}
    assert effects(engine, other, other, mine, mine) == ["deny", "deny", "allow", "deny"]


def test_a_limit_over_a_rolling_hour(engine):
    call = {"tool": "refund", "args": {"order_id": "ORD-0001", "amount": 1}, "agent": "desk-1", "session": "s", "principal": {"id": "u1"}, "facts": {"order": {"owner": "u1"}}}  # fmt: skip
    times = ["10:00:00", "10:10:00", "10:20:00", "10:30:00", "10:40:00", "10:59:59", "11:00:00", "11:09:59", "11:10:00", "10:00:00"]  # fmt: skip
    lines = [{**call, "now": f"2026-01-05T{time}Z"} for time in times]
    assert effects(engine, *lines) == ["allow"] * 5 + ["deny", "allow", "deny", "allow", "deny"]


def test_the_time_of_a_line_holds_until_the_next_one_gives_another(engine):
    call = {"tool": "refund", "args": {"order_id": "ORD-0001", "amount": 1}, "agent": "desk-1", "session": "s", "principal": {"id": "u1"}, "facts": {"order": {"owner": "u1"}}}  # fmt: skip
    lines = [{**call, "repeat": 5}, call, {**call, "now": "2026-01-05T12:00:00Z"}, call]
    assert effects(engine, *lines) == ["allow"] * 5 + ["deny", "allow", "allow"]


def test_usage_settles_tokens_and_cost(engine):
    def turn(read, written, **fields):
        usage = {"input_tokens": read, "output_tokens": written}
        return {"stage": "model_request", "model": "small", "agent": "desk-1", "session": "s", "usage": usage, **fields}  # fmt: skip

    prices = {"small": (1.0, 2.0)}
    assert effects(engine, turn(900, 100), turn(900, 100), turn(1, 1), prices=prices) == ["allow", "allow", "deny"]  # fmt: skip
    assert effects(engine, turn(1, 1, usage=None), turn(1, 1), prices=prices) == ["allow", "deny"]
    assert effects(engine, turn(1, 1), turn(1, 1)) == ["allow", "deny"], "the cost was not told"
    dear = {"small": (100.0, 0.0)}
    assert effects(engine, turn(100, 0), turn(1, 0), prices=dear) == ["allow", "deny"]


def test_a_replay_is_the_same_twice(engine):
    lines = [
        parse_json(text) for text in (HERE / "golden" / "replay.jsonl").read_text().splitlines()
    ]
    assert effects(engine, *lines) == effects(engine, *lines)


# The verb


def replay(*arguments, limit=None, policies=POLICIES, **settings):
    return subprocess.run(
        [sys.executable, "-m", "policy_engine", "replay", "--policies", str(policies), *map(str, arguments)],
        cwd=HERE, capture_output=True, text=True, timeout=300, check=False, **settings,
    )  # fmt: skip


def written(path, *lines):
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def test_decisions_are_written_in_order(tmp_path):
    requests = written(
        tmp_path / "requests.jsonl",
        {**CALL, "id": "one"},
        {"session": "s", "agent": "x", "steps": [{**CALL, "id": "two"}, {**CALL, "id": "three", "repeat": 2}]},
    )  # fmt: skip
    out = tmp_path / "decisions.jsonl"
    out.write_text("what was there before")
    done = replay(requests, "--out", out)
    assert (done.returncode, done.stderr) == (0, "")
    decisions = [json.loads(line) for line in out.read_text().splitlines()]
    assert [decision["id"] for decision in decisions] == ["one", "two", "three", "three"]
    assert {"effect", "reasons", "fingerprint"} <= decisions[0].keys()
    assert not Path(f"{out}.partial").exists()


def test_a_malformed_line_leaves_no_whole_file(tmp_path):
    requests = written(tmp_path / "requests.jsonl", CALL, {"tool": "t"}, CALL)
    out = tmp_path / "decisions.jsonl"
    done = replay(requests, "--out", out)
    assert done.returncode == 2
    assert done.stdout == ""
    assert f'{requests}:2: "args" is missing' in done.stderr
    assert not out.exists()
    assert len(Path(f"{out}.partial").read_text().splitlines()) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_said(tmp_path):
    requests = written(tmp_path / "requests.jsonl", {**CALL, "repeat": 1000})
    done = replay(requests, "--out", "/dev/full")
    assert done.returncode == 2
    assert done.stderr == "policy-engine: /dev/full: No space left on device: it is not whole\n"


def test_the_file_that_is_read_is_not_written_over(tmp_path):
    requests = written(tmp_path / "requests.jsonl", CALL)
    done = replay(requests, "--out", requests)
    assert (done.returncode, done.stderr) == (2, "policy-engine: --out is the file that is read\n")
    assert requests.read_text() == json.dumps(CALL) + "\n"


def test_an_output_that_cannot_be_written_is_said(tmp_path):
    requests = written(tmp_path / "requests.jsonl", CALL)
    done = replay(requests, "--out", tmp_path / "nowhere" / "decisions.jsonl")
    assert done.returncode == 2
    assert "No such file or directory" in done.stderr
    assert "Traceback" not in done.stderr


def test_requests_come_from_the_standard_input():
    done = replay("-", "--format", "json", input=json.dumps(CALL))
    assert json.loads(done.stdout)["effects"]["allow"] == 1


def test_an_empty_file_is_no_request_at_all(tmp_path):
    done = replay(written(tmp_path / "requests.jsonl"), "--format", "json")
    assert (done.returncode, json.loads(done.stdout)["decisions"]) == (0, 0)


@pytest.mark.skipif(sys.platform == "win32", reason="signals differ there")
def test_a_killed_replay_leaves_a_partial_file_that_says_so(tmp_path):
    requests = written(tmp_path / "requests.jsonl", {**CALL, "repeat": 1_000_000})
    out = tmp_path / "decisions.jsonl"
    process = subprocess.Popen(
        [sys.executable, "-m", "policy_engine", "replay", "--policies", str(POLICIES), str(requests), "--out", str(out)],
        cwd=HERE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    partial = Path(f"{out}.partial")
    until = time.monotonic() + 60
    while not (partial.exists() and partial.stat().st_size) and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=30)
    assert partial.stat().st_size > 0
    assert not out.exists()


MEASURE = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=False)
print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def peak(tmp_path, lines):
    """Replay so many lines, each of a session and a tool of its own, and return the peak in MB."""
    requests = tmp_path / f"{lines}.jsonl"
    with requests.open("w") as file:
        for i in range(lines):
            call = {"tool": f"read_{i % 5000}", "args": {"x": i}, "call_id": f"c{i}", "agent": f"desk-{i % 3}", "session": f"s{i % 1000}"}  # fmt: skip
            file.write(json.dumps(call) + "\n")
    command = [sys.executable, "-m", "policy_engine", "replay", "--policies", str(POLICIES), str(requests), "--out", os.devnull]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *command],
        cwd=HERE, capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    code, size = done.stdout.split()
    assert code == "0", done.stderr
    return int(size) / 1024


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in other units elsewhere")
def test_memory_does_not_grow_with_the_file(tmp_path):
    assert peak(tmp_path, 100_000) - peak(tmp_path, 5_000) < 25
