"""The form of structured output."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judged import ready

from policy_engine.checks import build_check
from policy_engine.text import Content, Patterns

CODES = {
    "parse": ({"json": {}}, "{", "json.parse"),
    "parse deep": ({"json": {}}, "[" * 100_000, "json.parse"),
    "parse a huge number": ({"json": {}}, "9" * 5000, "json.parse"),
    "parse infinity": ({"json": {}}, "1e999", "json.parse"),
    "parse a mark": ({"json": {}}, "\ufeff{}", "json.parse"),
    "no json value": ({"json": {}}, {"a": {1}}, "json.parse"),
    "nan": ({"json": {}}, {"a": math.nan}, "json.parse"),
    "schema": ({"json": {"schema": {"type": "array"}}}, "{}", "json.schema"),
    "fits": ({"json": {"schema": {"type": "array"}}}, "[1]", None),
}


@pytest.mark.parametrize(("check", "value", "code"), CODES.values(), ids=CODES)
def test_codes(check, value, code):
    built, content = ready(check, value)
    assert built.breaks(content) == code


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text("abé\ud800", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abé", max_size=2), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(VALUES)
def test_the_json_check_agrees_with_the_parser(value):
    try:
        text = json.dumps(value, allow_nan=False)
        equal = json.loads(text) == value
    except (TypeError, ValueError):
        return
    built = build_check({"json": {}}, Patterns())
    patterns = Patterns()
    if equal:
        assert built.breaks(Content(text, patterns.compile(warm=False))) is None
