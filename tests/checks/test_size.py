"""How long a text may be."""

import pytest
from judged import ready

from policy_engine.errors import CheckError

CODES = {
    "chars": ({"size": {"max_chars": 3}}, "abcd", "size.max_chars"),
    "bytes": ({"size": {"max_bytes": 3}}, "éé", "size.max_bytes"),
    "lines": ({"size": {"max_lines": 1}}, "a\nb", "size.max_lines"),
    "chars of a half pair": ({"size": {"max_bytes": 3}}, "\ud800", None),
    "exactly": ({"size": {"max_chars": 3, "max_bytes": 3, "max_lines": 1}}, "abc", None),
    "canonical": ({"size": {"max_chars": 12}}, {"b": 1, "a": 2}, "size.max_chars"),
    "canonical fits": ({"size": {"max_chars": 13}}, {"b": 1, "a": 2}, None),
    "absent": ({"size": {"max_chars": 1}}, None, None),
}


@pytest.mark.parametrize(("check", "value", "code"), CODES.values(), ids=CODES)
def test_codes(check, value, code):
    built, content = ready(check, value)
    assert built.breaks(content) == code


def test_what_cannot_be_measured_cannot_be_told():
    built, content = ready({"size": {"max_chars": 5}}, {"a": b"x"})
    with pytest.raises(CheckError):
        built.breaks(content, unread_allowed=True)
