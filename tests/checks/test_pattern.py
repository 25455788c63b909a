"""Regular expressions that a text may not match."""

import pytest
from judged import ready

from policy_engine.errors import CheckError

CODES = {
    "pattern": ({"pattern": {"any": ["fo+"]}}, ["foo"], "pattern"),
}


@pytest.mark.parametrize(("check", "value", "code"), CODES.values(), ids=CODES)
def test_codes(check, value, code):
    built, content = ready(check, value)
    assert built.breaks(content) == code


def test_spans_have_an_entity():
    built, content = ready({"pattern": {"any": ["A-[0-9]"], "entity": "TICKET"}}, {"t": "see A-1"})
    (span,) = built.spans(content)
    assert (span.pointer, span.start, span.end, span.entity) == ("/t", 4, 7, "TICKET")


def test_a_flag_at_the_beginning_ignores_case_in_every_form():
    built, content = ready({"pattern": {"any": ["(?i)strasse"]}}, "STRAßE")
    assert built.breaks(content) == "pattern"
    assert [(span.start, span.end) for span in built.spans(content)] == [(0, 6)]


def test_an_expression_that_takes_too_long_cannot_be_told():
    built, content = ready({"pattern": {"any": ["^(?=a)(a|aa)+$"]}}, "a" * 60 + "b")
    with pytest.raises(CheckError):
        built.breaks(content)
