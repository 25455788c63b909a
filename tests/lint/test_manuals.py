"""Every rule has its manual, and the manual's examples are true."""

import pytest

from policy_engine.errors import FAULT_CODES, PolicyError
from policy_engine.lint import MANUALS, RULES, Settings, lint
from policy_engine.lint.manual import caption, examples, sections, tools_of
from policy_engine.loader import load_texts
from policy_engine.tools import read_tools

EVERYTHING = Settings(persona="pedantic")


def found_in(text):
    tools, reviewed = tools_of(text), tools_of(text, "reviewed")
    linted = lint(
        load_texts({"policy.yaml": text}, warm=False),
        tools=None if tools is None else read_tools(tools, "tools.json"),
        reviewed=None if reviewed is None else read_tools(reviewed, "reviewed.json"),
        settings=EVERYTHING,
    )
    return linted.findings


CASES = [
    pytest.param(code, title, text, id=f"{code}-{title}-{number}")
    for code, rule in RULES.items()
    for title in ("Fails", "Passes")
    for number, text in enumerate(examples(rule.manual, title))
]


@pytest.mark.parametrize(("code", "title", "text"), CASES)
def test_an_example_of_a_manual_is_true(code, title, text):
    codes = {finding.code for finding in found_in(text)}
    assert (code in codes) is (title == "Fails"), codes


@pytest.mark.parametrize("code", RULES)
def test_a_manual_is_whole(code):
    manual = RULES[code].manual
    assert set(sections(manual)) == {"What it does", "Why", "Fails", "Passes", "Fix"}
    assert 0 < len(caption(manual)) <= 90
    assert manual.splitlines()[0].endswith(".")
    assert all(examples(manual, title) for title in ("Fails", "Passes"))


FAULTS = [
    pytest.param(code, title, text, id=f"{code}-{title}-{number}")
    for code, manual in MANUALS.items()
    for title in ("Fails", "Passes")
    for number, text in enumerate(examples(manual, title))
]


@pytest.mark.parametrize(("code", "title", "text"), FAULTS)
def test_an_example_of_a_fault_is_true(code, title, text):
    if title == "Passes":
        load_texts({"policy.yaml": text}, warm=False)
        return
    with pytest.raises(PolicyError) as caught:
        load_texts({"policy.yaml": text}, warm=False)
    assert code in {fault.code for fault in caught.value.faults}


def test_every_fault_has_its_manual():
    assert set(MANUALS) == set(FAULT_CODES)
    for code, manual in MANUALS.items():
        assert caption(manual).lower() == FAULT_CODES[code].lower()
        assert {"What it does", "Why", "Passes", "Fix"} <= set(sections(manual))
        assert examples(manual, "Fails") or code == "PE019", "no extra is missing in this version"
