"""One record a decision and one an outcome, before anything happens, and no value in any."""

import asyncio
import json
import logging
import os
import threading
import traceback
from pathlib import Path

import pytest
from guarding import OPEN, Broken, Records, asking, guard_of, labels_of, used
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_engine import ApprovalRequired, Decision, Denied, Request
from policy_engine.audit import FileSink

FINANCE = {"id": "f1", "roles": ["finance"]}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
HEADER = f"00-{TRACE}-{PARENT}-01"


def limited():
    return {
        "tools": {"t": "allow"},
        "limits": [{"id": "few", "tools": ["t"], "max": 5, "by": ["session"]}],
    }


def test_a_call_is_recorded_before_it_runs_and_its_outcome_before_it_is_handed_back():
    guard = guard_of(limited())
    at_run = []

    @guard.tool(name="t")
    def tool():
        at_run.extend(guard.seen)
        return "page"

    with asking(guard, traceparent=HEADER):
        tool()
    decision, outcome = guard.seen
    assert at_run == [decision]
    assert decision["kind"] == "decision"
    assert decision["tool"] == "t"
    assert decision["agent"] == "a"
    assert decision["principal"] == "u1"
    assert decision["tenant"] == "acme"
    assert decision["session"] == "s1"
    assert decision["effect"] == decision["would"] == "allow"
    assert decision["permitted"] is decision["enforced"] is True
    assert decision["rules"] == ["p0/tools/t"]
    assert decision["codes"] == ["entry.allow"]
    assert decision["policy_revision"] == guard.revision
    assert decision["fingerprint"].startswith("hmac-sha256:")
    assert decision["elapsed_us"] >= 0
    assert outcome["decision"] == decision["id"]
    assert outcome["status"] == "returned"
    for record in guard.seen:
        assert (record["trace_id"], record["parent_id"]) == (TRACE, PARENT)


def test_decisions_of_one_session_share_a_trace_and_others_have_their_own():
    guard = guard_of()
    tool = guard.tool(lambda: 1, name="t")
    with asking(guard, "s1"):
        tool()
        tool()
    with asking(guard, "s2", traceparent="nonsense"):
        tool()
    tool()
    traces = [record["trace_id"] for record in guard.seen.decisions]
    assert traces[0] == traces[1]
    assert len(set(traces)) == 3
    assert all(len(trace) == 32 for trace in traces)


def test_judging_a_result_is_a_decision_of_its_own():
    rule = {"id": "no", "check": {"terms": {"any": ["poison"]}}, "effect": "deny"}
    guard = guard_of({"tools": {"t": {"result": [rule]}}})
    with asking(guard), pytest.raises(Denied):
        guard.tool(lambda: "poison", name="t")()
    kinds = [(record["kind"], record.get("stage"), record.get("effect")) for record in guard.seen]
    assert kinds == [
        ("decision", "tool_call", "allow"),
        ("decision", "tool_result", "deny"),
        ("outcome", None, None),
    ]
    assert guard.seen.statuses == ["returned"]


# Records that cannot be written


class Closed(FileSink):
    """A file that was closed."""

    def __init__(self, path):
        super().__init__(path)
        self.close()


UNWRITABLE = {
    "full disk": lambda folder: "/dev/full",
    "closed file": lambda folder: Closed(folder / "records.jsonl"),
    "raising function": lambda folder: Broken(),
    "logger without handlers": lambda folder: _mute(),
}


def _mute():
    logger = logging.getLogger("mute")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return logger


@pytest.mark.parametrize("case", UNWRITABLE)
def test_a_record_that_cannot_be_written_denies_and_gives_everything_back(case, tmp_path):
    policy = limited()
    policy["tools"]["t"] = {
        "effect": "require_approval",
        "approval": {"approvers": ["finance"], "expires": "1h"},
    }
    guard = guard_of(policy)
    ran = []
    tool = guard.tool(lambda: ran.append(1), name="t")
    with asking(guard):
        with pytest.raises(ApprovalRequired) as caught:
            tool()
        (approval,) = caught.value.approvals
        guard.approvals.approve(approval.id, by=FINANCE)
        broken = guard_of(
            policy,
            records=UNWRITABLE[case](tmp_path),
            approvals=guard.approvals,
            state=guard.state,
        )
    with asking(broken):
        told = broken.tool(name="t", on_denied="return")(lambda: ran.append(1))
        assert told() == "The decision could not be recorded."
        with pytest.raises(Denied) as denied:
            broken.tool(lambda: ran.append(1), name="t")()
        with pytest.raises(Denied):
            broken.enforce(Request(stage="output", text="x", agent="a", session="s1"))
    assert denied.value.decision.reasons[0].code == "record.failed"
    assert not ran
    assert used(broken, "p0/few") == 0
    assert broken.approvals.get(approval.id).status == "approved"
    assert labels_of(broken).calls["t"] == 0


def test_an_unjudgeable_call_is_denied_even_where_that_cannot_be_recorded():
    guard = guard_of(records=Broken())
    with asking(guard), pytest.raises(Denied) as caught:
        guard.tool(lambda x: x, name="t")(object())
    assert caught.value.decision.reasons[0].code == "record.failed"


def test_ids_of_records_differ_in_forked_processes(tmp_path):
    guard = guard_of(OPEN, records=tmp_path / "records.jsonl")
    tool = guard.tool(lambda: 1, name="t")
    tool()
    pid = os.fork()
    if not pid:
        try:
            tool()
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    tool()
    lines = Path(tmp_path / "records.jsonl").read_text("utf-8").splitlines()
    ids = [record["id"] for record in map(json.loads, lines) if "id" in record]
    assert len(ids) == len(set(ids)) == 3


# No value anywhere


CANARY = "q7zcanaryx9"
VALUES = st.recursive(
    st.just(CANARY)
    | st.text(max_size=8).map(lambda text: f"{text}{CANARY}{text}")
    | st.just(f"{CANARY}@example.com"),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.dictionaries(st.just("k") | st.just(f"key-{CANARY}"), inner, min_size=1, max_size=2)
    ),
    max_leaves=4,
)
POLICY = {
    "facts": {
        "known": {
            "from": "app:known",
            "with": ["args.a"],
            "schema": {"type": "string"},
            "timeout": "1s",
        },
    },
    "tools": {
        "any": "allow",
        "strict": {
            "args": {
                "a": {"type": "string", "pattern": "^x+$"},
                "b": {"enum": ["x"], "optional": True},
            }
        },
        "known": {
            "args": {"a": {"type": "string"}},
            "rules": [{"id": "k", "when": "facts.known == args.a", "effect": "deny"}],
        },
        "asked": {
            "effect": "require_approval",
            "approval": {"approvers": ["x"], "expires": "1h"},
            "labels": ["seen"],
        },
        "summed": {"args": {"a": {"type": "string"}}},
        "read": {
            "result": [
                {
                    "id": "mail",
                    "check": {"pattern": {"any": ["[^ ]+@example"]}},
                    "effect": "redact",
                },
                {"id": "no", "check": {"terms": {"any": [CANARY]}}, "effect": "deny"},
            ]
        },
    },
    "rules": [
        {
            "id": "hide",
            "tools": ["any"],
            "check": {"pattern": {"any": ["[^ ]+@example"]}},
            "effect": "redact",
        },
        {
            "id": "short",
            "tools": ["any"],
            "check": {"size": {"max_chars": 60}},
            "effect": "deny",
        },
    ],
    "limits": [
        {"id": "by-value", "tools": ["summed"], "max": 1, "by": ["args.a"], "alert_at": 1},
    ],
    "input": [{"id": "in", "check": {"terms": {"any": [CANARY]}}, "effect": "deny"}],
    "output": [{"id": "out", "check": {"pattern": {"any": ["canary"]}}, "effect": "deny"}],
}


class Thing:
    """Says the canary whenever it is shown."""

    def __repr__(self):
        return CANARY

    __str__ = __repr__


@pytest.fixture(scope="module")
def watched():
    """A guard, and everything that is said around it."""
    said = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(handler.format(record) + repr(vars(record)))
    logging.getLogger("policy_engine").addHandler(handler)
    lines = []
    guard = guard_of(POLICY, records=lines.append, on_alert=lambda alert: 1 / 0)
    guard.fact("known", lambda value: {"odd": Thing()} if len(value) % 2 else value)
    yield guard, said, lines
    logging.getLogger("policy_engine").removeHandler(handler)


def spoken(guard, call):
    """Return all that a call tells whoever reads decisions and denials."""
    try:
        found = call()
        if isinstance(found, Decision):
            # A redaction says where it is, and keys may be anything.
            return [repr(found), json.dumps({**found.to_wire(), "redactions": []})]
    except Denied as error:
        decision = error.decision
        return [
            str(error),
            repr(error),
            repr(decision),
            json.dumps(decision.to_wire()),
            *traceback.format_exception_only(error),
        ]
    except (ValueError, TypeError):
        return []
    return []


@settings(max_examples=150, deadline=None)
@given(value=VALUES, tool=st.sampled_from([*POLICY["tools"], "unknown", CANARY]))
def test_no_value_of_a_request_is_in_records_denials_or_logs(watched, value, tool):
    guard, said, lines = watched
    said.clear()
    lines.clear()

    def work(a, **rest):
        if value == CANARY:
            raise ValueError(CANARY)
        return value

    guarded = guard.tool(name=tool)(work)
    told = []
    with guard.session("s1", agent="a", principal={"id": "u1", "attrs": {"x": CANARY}}):
        for call in (
            lambda: guarded(value),
            lambda: guarded(value),
            lambda: guarded(value, b=value),
            lambda: guarded(Thing()),
            lambda: guarded({"a": Thing()}, **{CANARY: Thing()}),
            lambda: asyncio.run(guard.aenforce(Request(tool=tool, args={"a": value}))),
            lambda: guard.decide(Request(tool=tool, args={"a": value})),
            lambda: guard.enforce(Request(tool=tool, args={CANARY: Thing()})),
            lambda: guard.enforce(Request(stage=CANARY, tool=tool, args={})),
            lambda: guard.check_input(f"in {CANARY}"),
            lambda: guard.check_output(f"out {CANARY}"),
        ):
            told.extend(spoken(guard, call))
    assert lines
    for text in [*told, *said, *(line.decode() for line in lines)]:
        assert CANARY not in text.lower(), text


# Logs


def test_log_lines_carry_the_trace(caplog):
    fact = {"from": "app:x", "with": [], "schema": {"type": "string"}, "timeout": "20ms"}
    policy = {
        "facts": {
            "slow": fact,
            "lost": {**fact, "from": "app:lost"},
            "odd": {**fact, "from": "app:odd"},
        },
        "tools": {
            "t": {
                "rules": [
                    {
                        "id": "r",
                        "when": "facts.slow == facts.lost && facts.odd == 'x'",
                        "effect": "deny",
                    }
                ]
            }
        },
    }
    guard = guard_of(policy)
    go_on = threading.Event()
    guard.fact("x", lambda: go_on.wait(5))
    guard.fact("odd", object)
    with asking(guard, traceparent=HEADER):
        for call in (
            guard.tool(lambda: 1, name="t"),
            lambda: asyncio.run(guard.aenforce(Request(tool="t", args={}))),
        ):
            caplog.clear()
            with pytest.raises(Denied):
                call()
            odd = "its type object has no JSON form"
            told = sorted(record.getMessage() for record in caplog.records)
            assert told == [
                f'nothing is registered for the fact "lost": guard.fact("lost", …) (trace {TRACE})',
                f'the fact "odd" has no JSON form: {odd} (trace {TRACE})',
                f'the fact "slow" took longer than 0.02 s (trace {TRACE})',
            ]
            assert {record.trace_id for record in caplog.records} == {TRACE}
    go_on.set()


def test_records_may_go_to_a_logger(caplog):
    caplog.set_level(logging.INFO, logger="records")
    guard = guard_of(records=logging.getLogger("records"))
    with asking(guard):
        guard.tool(lambda: 1, name="t")()
    kinds = [json.loads(record.getMessage())["kind"] for record in caplog.records]
    assert kinds == ["decision", "outcome"]


def test_observed_policies_record_what_they_would_do():
    guard = guard_of(OPEN, {"mode": "observe", "tools": {"t": "deny"}})
    with asking(guard):
        guard.tool(lambda: 1, name="t")()
    record = guard.seen.decisions[0]
    assert (record["effect"], record["would"]) == ("allow", "deny")
    assert record["observed"] == ["p1/tools/t"]


def test_a_request_taken_apart_is_recorded_without_what_is_odd():
    seen = Records()
    guard = guard_of(records=seen)
    odd = Request(tool="t", args={}, agent=Thing(), principal={"id": Thing()})
    with pytest.raises(Denied):
        guard.enforce(odd)
    assert guard.decide(odd).effect == "deny"
    assert (seen[0]["agent"], seen[0]["principal"]) == (None, None)
