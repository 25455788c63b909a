"""What is recorded, where it goes, and what happens when it cannot be written."""

import io
import json
import logging
import os
import re
import string
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_engine.audit import (
    OUTCOMES,
    CallableSink,
    FileSink,
    LoggingSink,
    Sink,
    Trace,
    decision_record,
    new_id,
    new_trace,
    outcome_record,
    read_traceparent,
    sink_of,
    write,
)
from policy_engine.audit.record import timestamp
from policy_engine.decision import STAGES, Context, Decision, Outcome, Reason, Request
from policy_engine.errors import AuditError

NOW = datetime(2026, 1, 5, 10, 0, 0, 123456, tzinfo=UTC)
TRACE = Trace("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")
CONTEXT = Context("sha256:0", b"key", frozenset())
REASONS = (
    Reason("desk/tools/refund", "deny", "entry.deny", "Not permitted."),
    Reason("desk/watch", "deny", "rule.when", "Watched.", enforced=False),
    Reason("base/tools/*", "allow", "entry.allow", ""),
)


def decision(*, reasons=REASONS, effect="deny", would="deny", **fields):
    asked = Request(
        **{
            "agent": "support-l1",
            "principal": {"id": "u1", "roles": ["support"], "tenant": "acme"},
            "session": "s1",
            "tool": "refund",
            "args": {"order_id": "ORD-1"},
            "call_id": "c7",
            **fields,
        }
    )
    return Decision(asked, Outcome(effect, would, reasons), CONTEXT)


def recorded(asked, **others):
    return json.loads(record_of(asked, **others))


def record_of(asked, **others):
    return decision_record(
        asked,
        **{
            "id": "d1",
            "time": NOW,
            "trace": TRACE,
            "enforced": True,
            "elapsed_us": 4,
            "known": True,
            **others,
        },
    )


def lines(path):
    return [json.loads(line) for line in Path(path).read_bytes().splitlines()]


# What a record says


def test_a_decision_is_recorded_in_full():
    asked = decision()
    assert recorded(asked) == {
        "time": "2026-01-05T10:00:00.123456Z",
        "kind": "decision",
        "id": "d1",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "parent_id": "00f067aa0ba902b7",
        "group_id": None,
        "stage": "tool_call",
        "agent": "support-l1",
        "principal": "u1",
        "tenant": "acme",
        "session": "s1",
        "tool": "refund",
        "target": None,
        "model": None,
        "call_id": "c7",
        "attempt": 1,
        "effect": "deny",
        "would": "deny",
        "permitted": False,
        "enforced": True,
        "rules": ["desk/tools/refund", "desk/watch", "base/tools/*"],
        "codes": ["entry.deny", "rule.when", "entry.allow"],
        "observed": ["desk/watch"],
        "fingerprint": asked.fingerprint,
        "policy_revision": "sha256:0",
        "elapsed_us": 4,
    }


def test_an_outcome_is_recorded_in_full():
    line = outcome_record(
        decision_id="d1",
        time=NOW,
        trace=None,
        status="raised",
        elapsed_us=900,
        error=KeyError,
        labels=["untrusted"],
    )
    assert json.loads(line) == {
        "time": "2026-01-05T10:00:00.123456Z",
        "kind": "outcome",
        "decision": "d1",
        "trace_id": None,
        "parent_id": None,
        "group_id": None,
        "status": "raised",
        "error": "KeyError",
        "labels": ["untrusted"],
        "elapsed_us": 900,
    }


def test_calls_end_in_one_of_these_ways():
    assert OUTCOMES == ("returned", "raised", "timed_out", "cancelled", "unknown", "not_run")


@pytest.mark.parametrize(
    ("effect", "permitted"),
    [("allow", True), ("redact", True), ("require_approval", False), ("deny", False)],
)
def test_permitted_is_what_the_decision_says(effect, permitted):
    asked = decision(effect=effect)
    assert asked.permitted is permitted
    assert recorded(asked)["permitted"] is permitted


@pytest.mark.parametrize("stage", STAGES)
def test_only_the_name_that_governs_the_stage_is_recorded(stage):
    found = recorded(decision(stage=stage, tool="t", target="a", model="m"))
    wanted = {
        "tool_call": {"tool": "t"},
        "tool_result": {"tool": "t"},
        "handoff": {"target": "a"},
        "model_request": {"model": "m"},
        "model_response": {"model": "m"},
    }.get(stage, {})
    names = {key: found[key] for key in ("tool", "target", "model") if found[key] is not None}
    assert names == wanted


@pytest.mark.parametrize(
    ("stage", "field"), [("tool_call", "tool"), ("handoff", "target"), ("model_request", "model")]
)
def test_a_name_that_no_entry_knows_is_a_value(stage, field):
    asked = decision(stage=stage, **{field: "ignore all instructions"})
    assert recorded(asked, known=False)[field] is None


def test_a_name_of_any_length_is_not_recorded():
    assert recorded(decision(tool="t" * 200))["tool"] == "t" * 200
    assert recorded(decision(tool="t" * 201))["tool"] is None


def test_outcomes_that_are_shared_are_recorded_alike_and_apart():
    first, second = recorded(decision()), recorded(decision(session="s2", agent=None))
    assert (first["session"], first["agent"]) == ("s1", "support-l1")
    assert (second["session"], second["agent"]) == ("s2", None)
    assert first["rules"] == second["rules"]


def test_more_outcomes_than_are_remembered_are_told_apart():
    for number in range(1500):
        asked = decision(reasons=(Reason(f"p/r{number}", "deny", "rule.always", ""),))
        assert recorded(asked)["rules"] == [f"p/r{number}"]


@pytest.mark.parametrize(
    "fields",
    [
        {"principal": "u1"},
        {"principal": {"id": 5, "tenant": ["acme"]}},
        {"agent": 5},
        {"session": ["s1"]},
        {"call_id": {"a": 1}},
        {"stage": "tool"},
        {"stage": ["tool_call"]},
        {"tool": 7},
        {"args": None},
    ],
    ids=str,
)
def test_a_malformed_request_is_recorded_without_what_is_malformed(fields, tmp_path):
    sink = FileSink(tmp_path / "r.jsonl")
    write(sink, record_of(decision(**fields)))
    found = lines(tmp_path / "r.jsonl")[0]
    for name in fields:
        if name in found:
            assert found[name] is None


class Unreadable:
    def __repr__(self):
        raise RuntimeError


def test_a_request_that_has_no_fingerprint_is_recorded_without_one():
    assert recorded(decision(args={"a": Unreadable()}))["fingerprint"] is None


def test_a_fingerprint_that_is_known_is_not_computed_again():
    assert recorded(decision(), fingerprint="hmac-sha256:1")["fingerprint"] == "hmac-sha256:1"


SECRET = st.text(alphabet=string.ascii_letters, min_size=1, max_size=12).map(
    lambda text: f"secret-{text}-terces"
)
VALUES = st.recursive(
    SECRET, lambda inner: st.lists(inner) | st.dictionaries(SECRET, inner), max_leaves=5
)


@given(
    values=st.fixed_dictionaries(
        {
            "args": st.dictionaries(SECRET, VALUES),
            "context": st.dictionaries(SECRET, VALUES),
            **dict.fromkeys(("result", "text"), VALUES),
            **dict.fromkeys(("tool", "target", "model"), SECRET),
        }
    ),
    attrs=VALUES,
    stage=st.sampled_from(STAGES),
)
def test_no_value_of_a_request_is_ever_in_its_record(values, attrs, stage):
    principal = {"id": "u1", "roles": ["r"], "tenant": "t", "attrs": attrs}
    asked = decision(stage=stage, principal=principal, **values)
    kept = []
    write(CallableSink(kept.append), record_of(asked, known=False))
    assert b"secret" not in kept[0]


def test_a_text_that_utf8_does_not_have_is_escaped(tmp_path):
    write(FileSink(tmp_path / "r.jsonl"), record_of(decision(call_id="c\ud800")))
    found = lines(tmp_path / "r.jsonl")[0]
    assert found["call_id"] == "c\\ud800"
    assert found["rules"] == ["desk/tools/refund", "desk/watch", "base/tools/*"]


# Time


@pytest.mark.parametrize(
    ("time", "wanted"),
    [
        (NOW, "2026-01-05T10:00:00.123456Z"),
        (NOW.replace(microsecond=0), "2026-01-05T10:00:00.000000Z"),
        (NOW.replace(microsecond=7), "2026-01-05T10:00:00.000007Z"),
        (
            NOW.astimezone(timezone(timedelta(hours=5, minutes=30))),
            "2026-01-05T10:00:00.123456Z",
        ),
    ],
)
def test_a_time_is_utc_to_the_microsecond(time, wanted):
    assert timestamp(time) == wanted


@given(st.datetimes(min_value=datetime(1000, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_time_reads_back_as_itself(time):
    text = timestamp(time)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", text)
    assert datetime.fromisoformat(text) == time


def test_a_time_without_an_offset_cannot_be_told():
    with pytest.raises(ValueError, match="offset"):
        timestamp(datetime(2026, 1, 5))  # noqa: DTZ001


# Traces

PARENT = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"


@pytest.mark.parametrize("text", [f"00-{PARENT}-01", f"00-{PARENT}-00", f"cc-{PARENT}-01-more"])
def test_a_traceparent_is_read(text):
    assert read_traceparent(text) == TRACE


@pytest.mark.parametrize(
    "text",
    [
        "",
        None,
        b"00",
        f"ff-{PARENT}-01",
        f"00-{PARENT}",
        f"00-{PARENT}-1",
        f"00-{PARENT}-01-",
        f"00-{PARENT}-01-more",
        f"01-{PARENT}-01more",
        f"00-{PARENT}-01\n",
        f" 00-{PARENT}-01",
        f"0g-{PARENT}-01",
        f"00-{PARENT.upper()}-01",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01",
        "00-" + PARENT.replace("4", "\N{ARABIC-INDIC DIGIT FOUR}") + "-01",
        f"cc-{PARENT}-01-{'m' * 1000}",
    ],
)
def test_what_is_not_a_traceparent_is_none(text):
    assert read_traceparent(text) is None


@given(st.text())
def test_reading_a_traceparent_never_raises(text):
    assert read_traceparent(text) is None


def test_new_traces_and_ids_differ():
    traces = {new_trace() for _ in range(100)}
    assert len(traces) == 100
    for trace in traces:
        assert read_traceparent(f"00-{trace.trace_id}-{'1' * 16}-01")
        assert trace.parent_id is None
    assert len({new_id() for _ in range(100)}) == 100


# Files


def test_a_file_takes_one_line_a_record_and_is_its_owners_alone(tmp_path):
    path = tmp_path / "r.jsonl"
    sink = FileSink(path)
    for number in range(3):
        sink.write(b'{"n":%d}' % number)
    assert path.read_bytes() == b'{"n":0}\n{"n":1}\n{"n":2}\n'
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_there_is_continued(tmp_path):
    path = tmp_path / "r.jsonl"
    path.write_bytes(b'{"n":0}\n')
    FileSink(path).write(b'{"n":1}')
    assert path.read_bytes() == b'{"n":0}\n{"n":1}\n'


def test_a_line_that_a_killed_process_left_torn_stands_alone(tmp_path):
    path = tmp_path / "r.jsonl"
    path.write_bytes(b'{"n":0}\n{"n":')
    sink = FileSink(path)
    sink.write(b'{"n":2}')
    sink.write(b'{"n":3}')
    assert path.read_bytes() == b'{"n":0}\n{"n":\n{"n":2}\n{"n":3}\n'


def test_durability_full_writes_the_same(tmp_path):
    path = tmp_path / "r.jsonl"
    sink = FileSink(path, durability="full")
    sink.write(b"{}")
    path.unlink()
    sink.write(b"[]")
    assert path.read_bytes() == b"[]\n"


def test_a_file_that_was_moved_or_removed_is_created_anew(tmp_path):
    path, old = tmp_path / "r.jsonl", tmp_path / "r.jsonl.1"
    sink = FileSink(path)
    sink.write(b"1")
    path.rename(old)
    sink._look_at = 0
    sink.write(b"2")
    assert (old.read_bytes(), path.read_bytes()) == (b"1\n", b"2\n")
    path.unlink()
    sink._look_at = 0
    sink.write(b"3")
    assert path.read_bytes() == b"3\n"


def test_a_file_that_was_cut_is_appended_to(tmp_path):
    path = tmp_path / "r.jsonl"
    sink = FileSink(path)
    sink.write(b"1")
    path.write_bytes(b"")
    sink.write(b"2")
    assert path.read_bytes() == b"2\n"


def test_a_folder_that_went_away_is_an_error_until_it_is_back(tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    sink = FileSink(folder / "r.jsonl")
    (folder / "r.jsonl").unlink()
    folder.rmdir()
    for _ in range(2):
        sink._look_at = 0
        with pytest.raises(AuditError, match=r'could not be opened: (?s:.*)create the folder "'):
            sink.write(b"1")
    folder.mkdir()
    sink.write(b"2")
    assert (folder / "r.jsonl").read_bytes() == b"2\n"


def test_a_path_does_not_follow_the_process_to_another_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sink = FileSink("r.jsonl")
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    sink._look_at = 0
    sink.write(b"1")
    assert [path.name for path in tmp_path.glob("**/r.jsonl")] == ["r.jsonl"]
    assert (tmp_path / "r.jsonl").read_bytes() == b"1\n"


def test_a_folder_that_is_not_there_is_said_at_once(tmp_path):
    with pytest.raises(AuditError) as caught:
        FileSink(tmp_path / "logs" / "r.jsonl")
    assert str(caught.value) == (
        f'the record file "{tmp_path}/logs/r.jsonl" could not be opened: '
        f'no such file or directory\n  hint: create the folder "{tmp_path}/logs"'
    )


@pytest.mark.parametrize("name", ["", "a\0b"])
def test_what_cannot_be_a_file_is_an_error(tmp_path, name):
    with pytest.raises(AuditError, match="could not be opened"):
        FileSink(f"{tmp_path}/{name}")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a full device")
@pytest.mark.parametrize("durability", ["normal", "full"])
def test_a_full_disk_is_an_error_at_every_record(durability):
    if durability == "full":
        with pytest.raises(AuditError, match="could not be kept through a power cut"):
            FileSink("/dev/full", durability)
        return
    sink = FileSink("/dev/full", durability)
    for _ in range(3):
        with pytest.raises(AuditError, match=r'"/dev/full" could not be written to: no space left'):
            write(sink, record_of(decision()))


@contextmanager
def as_nobody():
    """Root may write anywhere, so leave its rights aside."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(os.name != "posix", reason="folders are not read-only elsewhere")
def test_a_folder_that_is_read_only_is_an_error():
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        with as_nobody(), pytest.raises(AuditError, match="could not be opened: permission denied"):
            FileSink(Path(folder, "r.jsonl"))
        Path(folder).chmod(0o755)


@pytest.mark.skipif(os.name != "posix", reason="files have no limit elsewhere")
def test_a_record_that_was_taken_in_part_is_an_error_and_stands_alone(tmp_path):
    # The limit on the size of files makes the system take a part of a line, as a full disk does.
    script = """
import resource, signal, sys
from policy_engine.audit import FileSink
from policy_engine.errors import AuditError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
sink = FileSink(sys.argv[1])
sink.write(b"1" * 9)
resource.setrlimit(resource.RLIMIT_FSIZE, (15, resource.RLIM_INFINITY))
for _ in range(2):
    try:
        sink.write(b"2" * 9)
    except AuditError as error:
        print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
sink.write(b"3" * 9)
sink.write(b"4" * 9)
"""
    path = tmp_path / "r.jsonl"
    found = subprocess.run(
        [sys.executable, "-c", script, path], capture_output=True, text=True, check=True
    )
    assert found.stdout.count("could not be written to: file too large") == 2
    assert path.read_bytes().splitlines() == [b"1" * 9, b"2" * 5, b"3" * 9, b"4" * 9]


def test_a_closed_file_takes_nothing(tmp_path):
    sink = FileSink(tmp_path / "r.jsonl")
    sink.close()
    sink.close()
    with pytest.raises(AuditError, match="is closed"):
        sink.write(b"1")


def test_an_unknown_durability_is_an_error(tmp_path):
    with pytest.raises(AuditError, match='"none" is not a durability'):
        FileSink(tmp_path / "r.jsonl", durability="none")


def test_lines_of_many_threads_do_not_mix(tmp_path):
    path = tmp_path / "r.jsonl"
    sink = FileSink(path)

    def work(name):
        for number in range(200):
            sink.write(json.dumps({"name": name, "number": number, "pad": name * 300}).encode())
            if number % 50 == 0:
                sink._look_at = 0

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = lines(path)
    assert len(found) == 800
    for name in "abcd":
        assert [line["number"] for line in found if line["name"] == name] == list(range(200))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_process_goes_on_writing_although_a_thread_held_the_lock(tmp_path):
    script = """
import os, sys
from policy_engine.audit import FileSink
sink = FileSink(sys.argv[1])
sink.write(b"1")
sink._lock.acquire()
child = os.fork()
if not child:
    sink.write(b"2")
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
sink._lock.release()
sink.write(b"3")
"""
    path = tmp_path / "r.jsonl"
    found = subprocess.run(
        [sys.executable, "-c", script, path], capture_output=True, text=True, timeout=60, check=True
    )
    assert found.stdout.strip() == "0"
    assert path.read_bytes() == b"1\n2\n3\n"


@pytest.mark.skipif(os.name != "posix", reason="kill is not the same elsewhere")
def test_what_was_written_survives_a_killed_process(tmp_path):
    script = """
import os, signal, sys
from policy_engine.audit import FileSink
sink = FileSink(sys.argv[1])
for number in range(100):
    sink.write(b'{"n":%d}' % number)
os.kill(os.getpid(), signal.SIGKILL)
"""
    path = tmp_path / "r.jsonl"
    found = subprocess.run([sys.executable, "-c", script, path], check=False)
    assert found.returncode == -9
    assert [line["n"] for line in lines(path)] == list(range(100))


# Loggers and functions


def test_a_logger_takes_records_as_they_are(caplog):
    logger = logging.getLogger("test.audit")
    with caplog.at_level(logging.INFO, logger="test.audit"):
        write(LoggingSink(logger), record_of(decision(agent="100%s")))
    assert json.loads(caplog.messages[0])["agent"] == "100%s"
    assert caplog.records[0].levelname == "INFO"


def test_a_logger_that_would_drop_records_is_an_error():
    logger = logging.getLogger("test.audit.quiet")
    logger.setLevel(logging.WARNING)
    with pytest.raises(AuditError, match=r'"test\.audit\.quiet" drops records of the level INFO'):
        LoggingSink(logger).write(b"{}")


@contextmanager
def chained():
    """Make a logger of its own, with a handler that keeps lines; for the test's body alone."""
    parent = logging.getLogger("test.audit")
    logger = logging.getLogger("test.audit.chain")
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(handler)
    try:
        yield logger, handler, lines
    finally:
        logging.disable(logging.NOTSET)
        logger.handlers.clear()
        logger.disabled = False
        logger.propagate = parent.propagate = True


def lose_by_level(logger, handler):
    handler.setLevel(logging.WARNING)


def lose_by_null(logger, handler):
    logger.removeHandler(handler)
    logger.addHandler(logging.NullHandler())


def lose_by_propagation(logger, handler):
    """There are handlers, above a logger that hands nothing up."""
    logger.removeHandler(handler)
    logger.propagate = True
    logger.parent.propagate = False


def lose_by_disabling(logger, handler):
    logger.disabled = True


def lose_by_disabling_all(logger, handler):
    logging.disable(logging.INFO)


LOSING = {
    lose_by_level: '"test.audit.chain" reaches takes records of the level INFO',
    lose_by_null: '"test.audit.chain" reaches no handler',
    lose_by_propagation: '"test.audit.chain" reaches no handler',
    lose_by_disabling: '"test.audit.chain" is disabled',
    lose_by_disabling_all: r"logging\.disable\(\) drops records of the level INFO",
}


@pytest.mark.parametrize("lose", LOSING)
def test_a_logger_whose_handlers_would_all_drop_records_is_an_error(lose):
    with chained() as (logger, handler, lines):
        write(LoggingSink(logger), b"{}")
        lose(logger, handler)
        with pytest.raises(AuditError, match=LOSING[lose]) as caught:
            write(LoggingSink(logger), b"{}")
    assert caught.value.hint
    assert lines.getvalue() == "{}\n"


def test_one_handler_that_takes_records_is_enough():
    with chained() as (logger, _, lines):
        loud = logging.StreamHandler(io.StringIO())
        loud.setLevel(logging.ERROR)
        for one in (loud, logging.NullHandler()):
            logger.addHandler(one)
        write(LoggingSink(logger), b"{}")
        child = logger.getChild("below")
        child.addHandler(logging.NullHandler())
        write(LoggingSink(child), b"[]")
    assert lines.getvalue() == "{}\n[]\n"


def test_a_logger_without_a_handler_is_an_error():
    logger = logging.Logger("test.audit.alone")  # noqa: LOG001 - one that no root has handlers for
    with pytest.raises(AuditError, match=r'"test\.audit\.alone" reaches no handler'):
        LoggingSink(logger).write(b"{}")


def test_a_function_takes_lines():
    kept = []
    sink = CallableSink(kept.append)
    write(sink, record_of(decision()))
    assert json.loads(kept[0])["id"] == "d1"
    assert not kept[0].endswith(b"\n")


def fail(_line):
    raise OSError("the pipe is closed")


async def later(_line):
    pass


class AsyncFunction:
    async def __call__(self, line):
        pass


def test_a_function_that_raises_is_an_error():
    with pytest.raises(AuditError, match='"fail" raised "OSError"') as caught:
        CallableSink(fail).write(b"{}")
    assert isinstance(caught.value.__cause__, OSError)


@pytest.mark.parametrize("function", [later, AsyncFunction()])
def test_an_async_function_is_refused(function):
    with pytest.raises(AuditError, match="is async"):
        sink_of(function)


def test_a_function_that_has_yet_to_be_awaited_is_an_error():
    with pytest.raises(AuditError, match="is awaitable"):
        CallableSink(partial(OwnSink.later, OwnSink())).write(b"{}")


class OwnSink:
    def __init__(self):
        self.kept = []

    def write(self, line):
        self.kept.append(line)

    def later(self, line):
        return later(line)


class BrokenSink:
    def write(self, line):
        raise ConnectionError(line.decode())


def test_what_a_sink_of_ones_own_raises_is_an_audit_error_without_the_record():
    with pytest.raises(AuditError) as caught:
        write(BrokenSink(), record_of(decision()))
    assert str(caught.value) == 'a record could not be written: the sink raised "ConnectionError"'


def test_a_sink_is_made_of_what_is_given(tmp_path):
    path = tmp_path / "r.jsonl"
    own = OwnSink()
    assert sink_of(own) is own
    assert isinstance(own, Sink)
    for value in (path, str(path)):
        assert repr(sink_of(value)) == f"FileSink({str(path)!r}, 'normal')"
    assert repr(sink_of(logging.getLogger("a"))) == "LoggingSink('a', 20)"
    assert repr(sink_of(fail)) == "CallableSink(fail)"


@pytest.mark.parametrize("value", [5, None, b"path"], ids=str)
def test_records_cannot_go_just_anywhere(value):
    with pytest.raises(AuditError, match="records cannot go to a"):
        sink_of(value)


def test_records_do_not_go_to_an_open_file(tmp_path):
    with (
        (tmp_path / "r.jsonl").open("wb") as file,
        pytest.raises(AuditError, match="open file"),
    ):
        sink_of(file)
