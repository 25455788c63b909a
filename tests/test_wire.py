"""Requests as JSON: what is read, what is refused, and with which words."""
# ruff: noqa: E501  # a table keeps its rows whole

import json
import math
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_engine.decision import STAGES, Request
from policy_engine.decision.wire import MAX_DEPTH, STAGE_FIELDS, parse_json, read_request
from policy_engine.errors import RequestError

WHOLE = {
    "id": "r1",
    "stage": "tool_call",
    "agent": "support-l1",
    "principal": {"id": "u1", "roles": ["support"], "tenant": "acme", "attrs": {"region": "eu"}},
    "session": "s1",
    "tool": "process_refund",
    "args": {"order_id": "ORD-00000001", "amount": 120},
    "call_id": "c7",
    "context": {"env": "prod"},
    "facts": {"order": {"owner": "u1"}},
    "now": "2026-01-05T10:00:00Z",
}


def test_every_field_is_read():
    read = read_request(WHOLE)
    assert read.request == Request(
        stage="tool_call",
        agent="support-l1",
        principal=WHOLE["principal"],
        session="s1",
        tool="process_refund",
        args={"order_id": "ORD-00000001", "amount": 120},
        call_id="c7",
        context={"env": "prod"},
        id="r1",
    )
    assert read.answers == {"order": {"owner": "u1"}}
    assert read.now == datetime(2026, 1, 5, 10, tzinfo=UTC)


def test_a_tool_alone_is_a_tool_call():
    read = read_request({"tool": "t", "args": {}})
    assert read.request == Request(stage="tool_call", tool="t", args={})
    assert read.answers is None
    assert read.now is None


SMALLEST = {
    "input": {"text": "hello"},
    "tool_call": {"tool": "t", "args": {}},
    "tool_result": {"tool": "t", "args": {}, "result": None},
    "handoff": {"target": "billing"},
    "model_request": {"model": "m"},
    "model_response": {"model": "m", "text": ""},
    "output": {"text": [{"type": "text", "text": "hello"}, "more"]},
}


@pytest.mark.parametrize("stage", STAGES)
def test_the_smallest_request_of_a_stage(stage):
    read = read_request({"stage": stage, **SMALLEST[stage]})
    assert read.request == Request(stage=stage, **SMALLEST[stage])


def test_null_is_absent():
    fields = dict.fromkeys(("id", "agent", "principal", "session", "context", "facts", "now"))
    assert read_request({**fields, "tool": "t", "args": {}}) == read_request(
        {"tool": "t", "args": {}}
    )


REFUSED = [
    ([], "a request is an object, not a list"),
    (None, "a request is an object, not null"),
    ("{}", "a request is an object, not a string"),
    ({}, '"stage" is missing: only a request with "tool" does without it'),
    ({"tool": "t"}, '"args" is missing, which the stage tool_call needs: a call without arguments has "args": {}'),
    ({"tool": "t", "args": None}, '"args" is missing, which the stage tool_call needs: a call without arguments has "args": {}'),
    ({"stage": "tool_cal", "tool": "t"}, '"stage" is not a stage: did you mean "tool_call"?'),
    ({"stage": 7, "tool": "t"}, '"stage" is a string, not a number'),
    ({"stage": ["tool_call"]}, '"stage" is a string, not a list'),
    ({"tool": "t", "args": {}, "text": "x"}, '"text" does not belong to the stage tool_call: it belongs to input, model_request, model_response, output'),
    ({"tool": "t", "args": {}, "result": 1}, '"result" does not belong to the stage tool_call: it belongs to tool_result'),
    ({"tool": "t", "args": {}, "sesion": "s"}, '"sesion" is not a field of a request: did you mean "session"?'),
    ({"tool": "t", "args": {}, "zzz": 1}, '"zzz" is not a field of a request'),
    ({"tool": "t", "args": {}, "user": None}, '"user" is not a field of a request: write "principal": {"id": …}'),
    ({"tool": "t", "args": {}, "roles": []}, '"roles" is not a field of a request: write "principal": {"roles": […]}'),
    ({"tool": "t", "args": {}, "time": ""}, '"time" is not a field of a request: write "now": …'),
    ({"tool": "t", "arguments": {}}, '"arguments" is not a field of a request: write "args": {…}'),
    ({"tool": "t", "input": {}}, '"input" is not a field of a request: write "args": {…}'),
    ({"tool": "t", "args": {}, "output": 1}, '"output" is not a field of a request: write "stage": "tool_result", "result": …'),
    ({"function": "t", "args": {}}, '"stage" is missing: only a request with "tool" does without it; "function" is not a field of a request: write "tool": …'),
    ({"name": "t", "arguments": {}}, '"stage" is missing: only a request with "tool" does without it; "name" is not a field of a request: write "tool": …; "arguments" is not a field of a request: write "args": {…}'),
    ({"prompt": "hello"}, '"stage" is missing: only a request with "tool" does without it; "prompt" is not a field of a request: write "stage": "input", "text": …'),
    ({"input": "hello"}, '"stage" is missing: only a request with "tool" does without it; "input" is not a field of a request: write "stage": "input", "text": …'),
    ({"name": "hello", "stage": "input", "text": ""}, '"name" is not a field of a request'),
    ({"tool": "t", "args": {}, "expect": {}}, '"expect" is not a field of a request'),
    ({"tool": "t", "args": {}, 7: 1}, "a key that is a number is not a field of a request"),
    ({"tool": "t", "args": {}, "a\x1b[31m" + "b" * 60: 1}, '"a\\u001b[31m' + "b" * 34 + '\\u2026" is not a field of a request'),
    ({"tool": 5, "args": {}}, '"tool" is a string, not a number'),
    ({"tool": "t", "args": []}, '"args" is an object, not a list'),
    ({"tool": "t", "args": '{"a": 1}'}, '"args" is an object, not a string'),
    ({"tool": "t", "args": {}, "agent": True}, '"agent" is a string, not a boolean'),
    ({"tool": "t", "args": {}, "facts": [1]}, '"facts" is an object, not a list'),
    ({"tool": "t", "args": {}, "context": 1.5}, '"context" is an object, not a number'),
    ({"tool": "t", "args": {}, "principal": "u1"}, '"principal" is an object, not a string'),
    ({"tool": "t", "args": {}, "principal": {"name": "u1"}}, '"name" is not a field of the principal'),
    ({"tool": "t", "args": {}, "principal": {"role": []}}, '"role" is not a field of the principal: did you mean "roles"?'),
    ({"tool": "t", "args": {}, "principal": {"id": 1}}, '"principal.id" is a string, not a number'),
    ({"tool": "t", "args": {}, "principal": {"roles": "support"}}, '"principal.roles" is a list of strings, not a string'),
    ({"tool": "t", "args": {}, "principal": {"roles": ["a", None]}}, '"principal.roles[1]" is a string, not null'),
    ({"tool": "t", "args": {}, "principal": {"attrs": []}}, '"principal.attrs" is an object, not a list'),
    ({"stage": "input", "text": 5}, '"text" is a string or a list of content parts, not a number'),
    ({"stage": "input", "text": ["a", 5]}, '"text[1]" is a content part, not a number'),
    ({"stage": "input"}, '"text" is missing, which the stage input needs'),
    ({"stage": "tool_result", "tool": "t", "args": {}}, '"result" is missing, which the stage tool_result needs'),
    ({"stage": "handoff", "tool": "t"}, '"tool" does not belong to the stage handoff: it belongs to tool_call, tool_result; "target" is missing, which the stage handoff needs'),
    ({"tool": "t", "args": {}, "now": "yesterday"}, '"now" is a time such as 2026-01-05T10:00:00Z'),
    ({"tool": "t", "args": {}, "now": 1767607200}, '"now" is a time such as 2026-01-05T10:00:00Z'),
    ({"tool": "t", "args": {}, "now": "2026-01-05"}, '"now" is a time such as 2026-01-05T10:00:00Z'),
    ({"tool": "t", "args": {}, "now": "2026-01-05T10:00:00"}, '"now" lacks its offset from UTC: 2026-01-05T10:00:00Z'),
    ({"tool": "t", "args": {}, "now": "2026-02-30T10:00:00Z"}, '"now" is no time of the calendar'),
    ({"tool": "t", "args": {}, "now": "2026-01-05T10:00:00+99:00"}, '"now" is no time of the calendar'),
    ({"agent": 1, "sesion": 2, "now": "x", "tool": "t"}, '"sesion" is not a field of a request: did you mean "session"?; "args" is missing, which the stage tool_call needs: a call without arguments has "args": {}; "agent" is a string, not a number; "now" is a time such as 2026-01-05T10:00:00Z'),
]  # fmt: skip


@pytest.mark.parametrize(("value", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_what_is_not_a_request_is_refused_in_plain_words(value, message):
    with pytest.raises(RequestError) as caught:
        read_request(value)
    assert str(caught.value) == message


TIMES = [
    ("2026-01-05T10:00:00Z", datetime(2026, 1, 5, 10, tzinfo=UTC)),
    ("2026-01-05t10:00:00z", datetime(2026, 1, 5, 10, tzinfo=UTC)),
    ("2026-01-05 10:00:00.25Z", datetime(2026, 1, 5, 10, 0, 0, 250000, tzinfo=UTC)),
    ("2026-01-05T10:00:00+01:30", datetime(2026, 1, 5, 10, tzinfo=timezone(timedelta(minutes=90)))),
    ("2026-01-05T10:00:00-00:00", datetime(2026, 1, 5, 10, tzinfo=UTC)),
]


@pytest.mark.parametrize(("text", "time"), TIMES, ids=[text for text, _ in TIMES])
def test_times(text, time):
    assert read_request({"tool": "t", "args": {}, "now": text}).now == time


def test_no_message_holds_a_value():
    values = {name: "TOP-SECRET" for name in WHOLE if name not in ("tool", "args")}
    values |= {"text": "TOP-SECRET", "principal": {"id": ["TOP-SECRET"], "roles": "TOP-SECRET"}}
    with pytest.raises(RequestError) as caught:
        read_request({**values, "tool": ["TOP-SECRET"], "args": "TOP-SECRET"})
    assert "SECRET" not in str(caught.value)


def test_the_table_of_stages_is_whole():
    assert tuple(STAGE_FIELDS) == STAGES


TRAILING = (  # Python says it more to the point since 3.13.
    "line 1, column 8: illegal trailing comma before end of object"
    if sys.version_info >= (3, 13)
    else "line 1, column 9: expecting property name enclosed in double quotes"
)
UNREADABLE = [
    ("", "line 1, column 1: expecting value"),
    ('{"a": 1,}', TRAILING),
    ('{\n  "a": tru\n}', "line 2, column 8: expecting value"),
    ('{"a": 1} {"b": 2}', "line 1, column 10: extra data"),
    ('{"a": 1, "b": 2,\n "a": 3}', 'line 2, column 2: key "a" stands twice in one object'),
    ('{"x": [{"a": ":"}, {"a": 1, "\\u0061": 2}]}', 'line 1, column 29: key "a" stands twice in one object'),
    ('{"a": NaN}', "line 1, column 7: NaN is not a JSON number"),
    ("[1, -Infinity]", "line 1, column 5: -Infinity is not a JSON number"),
    ('{"a": 1e999}', "line 1, column 7: a number is too large"),
    ('{"a": -1.5E+400}', "line 1, column 7: a number is too large"),
    ('{"a": ' + "9" * 5000 + "}", "line 1, column 7: a number has too many digits"),
    ('{"a": "\t"}', "line 1, column 8: invalid control character"),
    ("{'a': 1}", "line 1, column 2: expecting property name enclosed in double quotes"),
    ('{"a": "x', "line 1, column 7: unterminated string"),
    ("[" * (MAX_DEPTH + 1), f"line 1, column {MAX_DEPTH + 1}: nested deeper than {MAX_DEPTH} levels"),
    ('{"a":' * 100_000, f"line 1, column {5 * MAX_DEPTH + 1}: nested deeper than {MAX_DEPTH} levels"),
    ('"' + "[" * 200 + '"]', "line 1, column 203: extra data"),
    ("\ufeff{}", "line 1, column 1: it begins with a byte order mark"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), UNREADABLE, ids=range(len(UNREADABLE)))
def test_what_is_not_json_is_refused_with_its_place(text, message):
    with pytest.raises(RequestError) as caught:
        parse_json(text)
    assert str(caught.value) == message


def test_numbers_are_exact():
    value = parse_json("[9007199254740993, 1.0, 1, -0.0, 123456789012345678901234567890]")
    assert value == [9007199254740993, 1.0, 1, 0.0, 123456789012345678901234567890]
    assert [type(item) for item in value] == [int, float, int, float, int]
    assert math.copysign(1, value[3]) == -1


def test_lone_surrogates_are_kept():
    assert parse_json('"\\ud800"') == "\ud800"


def test_depth_at_the_bound_is_read():
    text = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert json.dumps(parse_json(text)) == text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=30,
)  # fmt: skip


@given(JSON)
def test_what_json_writes_is_read_back(value):
    assert parse_json(json.dumps(value)) == value


@given(JSON | st.dictionaries(st.sampled_from([*WHOLE, "text", "result", "target", "model"]), JSON))
def test_no_value_raises_anything_else(value):
    with suppress(RequestError):
        read_request(value)


@given(st.text(alphabet='{}[]",:\\0123e.-NaInf \n') | st.text())
def test_no_text_raises_anything_else(text):
    with suppress(RequestError):
        parse_json(text)


def test_hostile_text_takes_linear_time():
    with pytest.raises(RequestError):
        parse_json("[" * 200 + '"\\' * 500_000)
