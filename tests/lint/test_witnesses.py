"""Every call that a finding shows, decided by the engine as anybody would: it is what is said.

The catalogue of flawed policies, the examples of all manuals, and the sets that do not load but
for one mistake: what lint shows of them is read back from its JSON and decided.
"""

import json
import re
from pathlib import Path

import pytest

from policy_engine.cel import ExpressionError, compile_condition
from policy_engine.compiler.expression import environment
from policy_engine.decision import Count, Facts, Session
from policy_engine.decision.wire import read_request
from policy_engine.engine import Engine
from policy_engine.errors import PolicyError
from policy_engine.lint import RULES, Settings, lint
from policy_engine.lint.manual import examples, tools_of
from policy_engine.lint.subject import Subject
from policy_engine.loader import load_texts
from policy_engine.report.findings import witness_to_wire
from policy_engine.tools import read_tools

TESTS = Path(__file__).parent.parent
MARK = re.compile(r" *#! *([A-Z0-9 ]+)$", re.MULTILINE)
FILES = [*(TESTS / "flawed").glob("*.yaml"), *(TESTS / "broken").glob("*.yaml")]
TEXTS = {
    **{
        f"{path.parent.name}/{path.stem}": path.read_text("utf-8", "replace")
        for path in sorted(FILES)
    },
    **{
        f"{code} {title} {index}": text
        for code, rule in sorted(RULES.items())
        for title in ("Fails", "Passes")
        for index, text in enumerate(examples(rule.manual, title))
    },
}
DENIED = {"no_policy", "no_section", "default.deny", "entry.deny", "policy.cannot_tell"}
COMES_OUT = re.compile(r'"(.+)" is (true|false) here, as always', re.DOTALL)


def loaded(text):
    """Return a set and its tools, or None where it does not load."""
    try:
        return load_texts({"p.yaml": MARK.sub("", text)}, warm=False), tools_of(text)
    except PolicyError:
        return None


def asked(engine, told):
    """Return a witness as the engine is asked it, from its JSON."""
    given = read_request(told["request"])
    labels, calls = frozenset(told["labels"]), told["calls"]
    counters = {(need.limit, need.key): Count(0) for need in engine.needs(given.request).counters}
    facts = Facts(
        now=given.now,
        session=Session(labels=labels, calls=calls, started=given.now),
        counters=counters,
        answers=given.answers or {},
    )
    return given.request, facts


def lies(engine, told):
    """Return what is wrong about a witness; empty where it is as it says."""
    request, facts = asked(engine, told)
    decision = engine.decide(request, facts)
    codes = {reason.rule: reason.code for reason in decision.reasons}
    others = {code for rule, code in codes.items() if rule not in told["speaks"]}
    wrong = [f"{name} does not speak" for name in told["speaks"] if name not in codes]
    wrong += [
        f"{name} cannot tell" for name in told["speaks"] if codes.get(name) == "rule.cannot_tell"
    ]
    wrong += [f"{name} speaks" for name in told["silent"] if name in codes]
    if told["effect"] not in (None, decision.effect):
        wrong.append(f"it is {decision.effect}, not {told['effect']}")
    if others & {"request.invalid", "engine.failed"}:
        wrong.append("it is no request")
    if (told["effect"] != "deny" or told["speaks"]) and any(c.startswith("args.") for c in others):
        wrong.append(f"its arguments do not fit: {sorted(others)}")
    if told["effect"] != "deny" and others & DENIED:
        wrong.append(f"no entry takes it: {sorted(others)}")
    return wrong


@pytest.mark.parametrize("name", TEXTS)
def test_what_lint_shows_is_so(name):
    found = loaded(TEXTS[name])
    if found is None:
        assert not name.endswith(("Fails 0", "Passes 0")), "an example that does not load"
        return
    compiled, listed = found
    tools = None if listed is None else read_tools(listed, "tools.json")
    engine = Engine(compiled)
    for finding in lint(compiled, tools=tools, settings=Settings(persona="pedantic")).findings:
        if finding.witness is not None:
            told = json.loads(json.dumps(witness_to_wire(finding.witness)))
            assert lies(engine, told) == [], (finding.code, finding.message, told)
            said = COMES_OUT.fullmatch(told["shows"])
            if said is not None:
                assert comes_out(compiled, engine, told, said[1]) is (said[2] == "true"), told


def comes_out(compiled, engine, told, text):
    """Return how a part of a condition comes out for a witness."""
    subject = Subject(compiled)
    name = told["request"]["tool"]
    for loaded_ in compiled.policies.policies:
        args = [entry.block.args for entry in subject.entries_of(name)]
        try:
            part = compile_condition(text, environment(loaded_, "tool_call", args))
        except ExpressionError:  # another policy declares what it reads
            continue
        return part.function(*asked(engine, told))
    pytest.fail(f'"{text}" is no condition of any policy')


def test_there_are_many_of_them():
    shown = [
        finding.code
        for text in TEXTS.values()
        if (found := loaded(text)) is not None
        for finding in lint(found[0]).findings
        if finding.witness is not None
    ]
    assert len(shown) > 250
    assert {"PE101", "PE102", "PE103", "PE104", "PE105", "PE106", "PE133", "PE148"} <= set(shown)


OBJECTS = """\
policy: shapes
language: 1
tools:
  pay:
    args:
      target:
        anyOf:
          - {type: object, properties: {iban: {type: string, pattern: '^[A-Z]{2}[0-9]{4}$'}}}
          - {type: object, properties: {card: {type: string, pattern: '^[0-9]{4}$'}}}
      when: {type: string, format: date}
      code: {type: string, pattern: '^[A-Z]{3}-[0-9]{2}$', not: {const: AAA-00}}
      level: {oneOf: [{type: integer, minimum: 3, maximum: 5}, {enum: [low, high]}]}
      tags: {type: array, minItems: 2, uniqueItems: true, items: {type: string, maxLength: 9}}
      amount: {type: number, minimum: 0, maximum: 500}
      force: {type: boolean}
    rules:
      - {id: large, when: args.amount > 1000, effect: deny}
      - {id: careful, when: args.amount > 600 || args.force, effect: deny}
"""


def test_a_call_is_found_that_schemas_of_every_kind_admit():
    compiled, _ = loaded(OBJECTS)
    engine = Engine(compiled)
    findings = {one.code: one for one in lint(compiled).findings if one.code in {"PE101", "PE103"}}
    assert set(findings) == {"PE101", "PE103"}
    for finding in findings.values():
        assert finding.witness is not None, finding
        assert lies(engine, witness_to_wire(finding.witness)) == []
