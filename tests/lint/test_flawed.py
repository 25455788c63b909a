"""The catalogue of flawed policies: each line earns the findings that its `#!` names.

The mark is taken out before the policy is read. What proves something shows it by a request,
which the real engine decides here as the finding claims.
"""

import re
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from policy_engine.lint import RULES, lint
from policy_engine.lint.manual import tools_of
from policy_engine.lint.proof.decided import confirmed, decided
from policy_engine.lint.subject import Subject
from policy_engine.loader import load_texts
from policy_engine.tools import read_tools

FLAWED = sorted((Path(__file__).parent.parent / "flawed").glob("*.yaml"))
MARK = re.compile(r" *#! *([A-Z0-9 ]+)$")
TODAY = date(2026, 11, 21)
SHOWN = {
    "PE101", "PE102", "PE103", "PE104", "PE105", "PE106", "PE107", "PE109", "PE112", "PE113",
    "PE116", "PE201", "PE203", "PE204", "PE206", "PE213", "PE214", "PE215", "PE216",
    "PE217", "PE218", "PE219", "PE221", "PE225", "PE130", "PE131", "PE132", "PE134",
    "PE146", "PE147", "PE148", "PE150", "PE155", "PE156", "PE157",
    "PE231", "PE233", "PE234", "PE235", "PE237", "PE238",
    "PE159", "PE162", "PE168", "PE169", "PE239", "PE241", "PE242", "PE243", "PE244",
    "PE172", "PE174", "PE246",
}  # fmt: skip


def read(path):
    """Return a policy without its marks, what they name, and its tools now and as reviewed."""
    lines, wanted = [], Counter()
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        match = MARK.search(line)
        for code in match[1].split() if match else ():
            wanted[number, code] += 1
        lines.append(MARK.sub("", line))
    text = "\n".join(lines) + "\n"
    return text, wanted, listed(text, "tools"), listed(text, "reviewed")


def listed(text, name):
    tools = tools_of(text, name)
    return None if tools is None else read_tools(tools, f"{name}.json")


def test_the_catalogue_is_large():
    assert len(FLAWED) >= 100


@pytest.mark.parametrize("path", FLAWED, ids=lambda path: path.stem)
def test_a_flawed_policy_earns_its_findings(path):
    text, wanted, tools, reviewed = read(path)
    compiled = load_texts({path.name: text}, warm=False)
    findings = lint(compiled, tools=tools, reviewed=reviewed, today=TODAY).findings
    assert Counter((one.location.line, one.code) for one in findings) == wanted
    subject = Subject(compiled, tools)
    for one in findings:
        marked = one.source_line[one.location.column - 1 :][: one.length]
        assert one.hint, one.message
        assert marked.strip(), (one.message, one.location)
        assert one.witness is not None or one.code not in SHOWN, one.message
        if one.witness is not None:
            decision = decided(subject, one.witness)
            assert confirmed(subject, one.witness), (one.code, one.witness, decision.reasons)


def test_the_catalogue_shows_every_rule_of_the_regular_persona():
    shown = {code for path in FLAWED for _, code in read(path)[1]}
    silent = {code for code, rule in RULES.items() if rule.persona == "pedantic"}
    assert set(RULES) - shown - silent == {"PE302"}
