"""Whatever is asked for, and however often, the same request gives the same decision."""

import enum
import sys
import time

import pytest
from cases import decide, request_of
from hypothesis import given
from hypothesis import strategies as st
from support import engine_of

from policy_engine.decision import Facts, Request

EVERYTHING = {
    "tools": {"*": "allow"},
    "handoffs": {"*": "allow"},
    "models": {"*": "allow"},
    "input": [],
}
WELL_FORMED = {
    "input": {"text": "hi"},
    "tool_call": {"tool": "t", "args": {}},
    "tool_result": {"tool": "t", "args": {}, "result": None},
    "handoff": {"target": "t"},
    "model_request": {"model": "t"},
    "model_response": {"model": "t", "text": "hi"},
    "output": {"text": "hi"},
}


def named(value):
    """Name a value alike in every process."""
    return f"{type(value).__name__} {value!r}".split(" <")[0]


ODD = [5, 0, b"s", ["s"], {"s": 1}, object(), True, 0.5]


class Tool(enum.StrEnum):
    T = "t"


@pytest.mark.parametrize("stage", WELL_FORMED)
def test_a_request_of_the_documented_form_is_judged(stage):
    request = Request(stage=stage, **WELL_FORMED[stage])
    assert engine_of(EVERYTHING).decide(request).effect == "allow"


@pytest.mark.parametrize("stage", WELL_FORMED)
@pytest.mark.parametrize("field", ["id", "session", "call_id", "agent"])
@pytest.mark.parametrize("value", ODD, ids=named)
def test_a_field_of_another_form_denies_at_the_first_asking_and_later(stage, field, value):
    engine = engine_of(EVERYTHING)
    good = Request(stage=stage, **WELL_FORMED[stage])
    odd = Request(stage=stage, **WELL_FORMED[stage], **{field: value})
    first = engine.decide(odd)
    assert engine.decide(good).effect == "allow"
    assert first.effect == engine.decide(odd).effect == "deny"
    assert {r.code for r in first.reasons} <= {"request.invalid", "engine.failed"}


@pytest.mark.parametrize(
    ("stage", "field"),
    [
        ("tool_call", "tool"),
        ("tool_call", "args"),
        ("tool_result", "tool"),
        ("tool_result", "args"),
        ("handoff", "target"),
        ("model_request", "model"),
        ("input", "text"),
        ("output", "text"),
        ("model_response", "text"),
    ],
)
def test_what_a_stage_is_about_must_be_there(stage, field):
    engine = engine_of(EVERYTHING)
    assert engine.decide(Request(stage=stage, **WELL_FORMED[stage])).effect == "allow"
    lacking = Request(stage=stage, **{**WELL_FORMED[stage], field: None})
    assert [r.code for r in engine.decide(lacking).reasons] == ["request.invalid"]


def test_a_text_that_is_named_by_an_enumeration_is_that_text():
    engine = engine_of({"tools": {"t": "allow"}})
    asked = Request(tool=Tool.T, args={})
    assert [engine.decide(asked).effect for _ in range(2)] == ["allow", "allow"]
    fresh = engine_of({"tools": {"t": "allow"}})
    fresh.decide(Request(tool="t", args={}))
    assert fresh.decide(asked).effect == "allow"


@pytest.mark.parametrize(
    "stage", ["", "tool", "TOOL_CALL", None, 5, ["tool_call"], object()], ids=named
)
def test_an_unknown_stage_denies(stage):
    assert engine_of(EVERYTHING).decide(Request(stage=stage, tool="t", args={})).effect == "deny"


def test_arguments_that_are_no_plain_mapping_deny():
    class Sly(dict):
        def __getitem__(self, key):
            return "fine"

    engine = engine_of(EVERYTHING)
    for args in (Sly(a=1), [("a", 1)], "a", None):
        assert engine.decide(Request(tool="t", args=args)).effect == "deny"


@pytest.mark.parametrize("field", ["counters", "halts", "approvals", "answers", "ran", "session"])
@pytest.mark.parametrize("value", [5, "x", [None], object()], ids=named)
def test_facts_of_another_form_permit_nothing_that_reads_them(field, value):
    engine = engine_of(
        {
            "facts": {"f": {"from": "app:f", "with": [], "schema": {"type": "string"}}},
            "tools": {
                "t": {
                    "effect": "require_approval",
                    "approval": {"approvers": ["x"], "expires": "1m"},
                    "labels": ["seen"],
                    "rules": [
                        {"id": "a", "when": 'facts.f == "x"', "effect": "deny"},
                        {"id": "b", "when": '"seen" in session.labels', "effect": "deny"},
                    ],
                }
            },
            "limits": [{"id": "few", "tools": ["t"], "max": 1, "by": ["global"]}],
        }
    )
    request = Request(tool="t", args={}, call_id="c")
    facts = Facts(**{field: value})
    assert engine.decide(request, facts).permitted is False
    engine.needs(request)


@given(st.lists(st.text(min_size=1, max_size=8), max_size=30))
def test_invented_names_share_chains(names):
    engine = engine_of({"tools": {"a*": "allow", "*b": "deny"}})
    for name in names:
        decide(engine, {"tool": name})
    assert len(engine._chains) <= 4


def test_names_without_end_fill_no_memory(monkeypatch):
    monkeypatch.setattr("policy_engine.engine._MEMO", 100)
    globs = {f"*{letter}*": "allow" for letter in "abcdefghij"}
    engine = engine_of({"tools": globs})
    for number in range(1000):
        name = "".join(letter for i, letter in enumerate("abcdefghij") if number >> i & 1)
        decide(engine, {"tool": name or "z"})
    assert len(engine._memo) <= 100
    assert len(engine._chains) <= 100


def test_a_decision_cannot_be_changed():
    decision = decide(engine_of(EVERYTHING), {"tool": "t"})
    for name in ("effect", "permitted", "reasons", "request", "outcome", "anything"):
        with pytest.raises(AttributeError):
            setattr(decision, name, "allow")
    assert decision.effect == "allow"


def test_deciding_changes_nothing_that_it_was_given():
    engine = engine_of(
        {
            "tools": {"*": "allow"},
            "rules": [
                {"id": "r", "tools": ["*"], "check": {"terms": {"any": ["b"]}}, "effect": "redact"}
            ],
        }
    )
    args = {"a": ["b", {"c": "b"}]}
    decision = decide(engine, {"tool": "t", "args": args})
    assert args == {"a": ["b", {"c": "b"}]}
    assert decision.asked.args is args
    assert decision.request.args == {"a": ["<TERM>", {"c": "<TERM>"}]}


def test_deep_and_huge_requests_are_decided():
    engine = engine_of({"tools": {"t": {"args": {"a": {"type": "string"}}}, "u": "allow"}})
    deep: object = "x"
    for _ in range(sys.getrecursionlimit() * 2):
        deep = [deep]
    assert decide(engine, {"tool": "t", "args": {"a": deep}}).effect == "deny"
    assert decide(engine, {"tool": "t", "args": {"a": "x" * 10**6}}).effect == "allow"
    many = {f"k{i}": i for i in range(10_000)}
    assert decide(engine, {"tool": "t", "args": many}).effect == "deny"
    assert engine.decide(request_of({"tool": "u", "args": many})).effect == "allow"


def test_a_denial_searches_no_hint_among_thousands_of_names():
    few = engine_of({"tools": {f"lookup_{i}": "allow" for i in range(100)}})
    many = engine_of({"tools": {f"lookup_{i}": "allow" for i in range(2000)}})
    assert "Did you mean" in decide(few, {"tool": "lookup_x"}).message
    assert "Did you mean" not in decide(many, {"tool": "lookup_x"}).message


def test_a_text_that_is_denied_is_not_searched_for_pieces():
    rules = [
        {"id": "hide", "check": {"terms": {"any": ["secret"]}}, "effect": "redact"},
        {"id": "long", "check": {"size": {"max_chars": 500_000}}, "effect": "deny"},
    ]
    engine = engine_of({"input": rules})

    def seconds(text):
        started = time.process_time()
        decision = engine.decide(Request(stage="input", text=text))
        return decision, time.process_time() - started

    redacted, long = seconds("secret " * 50_000)
    denied, short = seconds("secret " * 100_000)
    assert len(redacted.redactions) == 50_000
    assert [(r.rule, r.effect) for r in denied.reasons] == [
        ("p0/long", "deny"),
        ("p0/hide", "redact"),
    ]
    assert not denied.redactions
    assert short < long / 4
