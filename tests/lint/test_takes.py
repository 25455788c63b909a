"""What a tool's own schema adds to the proofs, and what it does not."""

import json

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_engine.checks.arguments import check_schema, compile_arguments
from policy_engine.lint import lint
from policy_engine.lint.proof.takes import readable
from policy_engine.lint.tool_schema import plain_tool
from policy_engine.loader import load_texts
from policy_engine.text import Patterns
from policy_engine.tools import Tool, read_tools

BY_TOOL = "(by the tool's own schema)"


def findings(policy, properties, *, required=(), name="pay", **beside):
    tool = {"properties": properties, "required": list(required), **beside}
    tools = read_tools([{"name": name, "inputSchema": {"type": "object", **tool}}], "tools.json")
    text = f"policy: p\nlanguage: 1\n{policy}"
    return lint(load_texts({"p.yaml": text}, warm=False), tools=tools).findings


def said(*args, **named):
    return [(one.code, one.severity, BY_TOOL in one.message) for one in findings(*args, **named)]


LARGE = """\
tools:
  pay:
    args: {amount: {type: number, minimum: 0, maximum: 500}}
    rules:
      - {id: large, when: args.amount > 400, effect: deny}
"""


def test_a_condition_beyond_the_tools_own_bound_is_dead_and_says_why():
    found = said(LARGE, {"amount": {"type": "number", "maximum": 400}})
    assert ("PE101", "warning", True) in found


def test_what_the_policy_proves_alone_does_not_speak_of_the_tool():
    policy = LARGE.replace("> 400", "> 600")
    assert ("PE101", "error", False) in said(policy, {"amount": {"type": "number", "maximum": 400}})


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "number"},
        {"type": "number", "maximum": 401},
        {"type": "money", "maximum": 10},
        {"maximum": 10},
        {"type": "number", "maximum": "10"},
        {"type": "number", "maximum": True},
        {"type": "number", "x-most": 10},
        {"not": {"type": "number", "minimum": 1}},
        {"if": {"minimum": 1}, "then": False},
        {"oneOf": [{"type": "number", "maximum": 10}, {"const": 450}]},
        {"anyOf": [{"type": "number", "maximum": 10}, {}]},
        {"type": "number", "$ref": "#/$defs/none", "description": "told elsewhere"},
        True,
        {},
    ],
    ids=str,
)
def test_what_does_not_say_that_or_cannot_be_read_adds_nothing(schema):
    assert "PE101" not in {code for code, _, _ in said(LARGE, {"amount": schema})}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "maximum": 400},
        {"type": ["number", "null"], "maximum": 400},
        {"anyOf": [{"type": "number", "maximum": 10}, {"type": "null"}]},
        {"enum": [1, 2, 3]},
        {"const": 400},
        {"allOf": [{"type": "number"}, {"type": "number", "exclusiveMaximum": 9}]},
        {"type": "NUMBER", "maximum": 400, "exclusiveMaximum": True},
    ],
    ids=str,
)
def test_what_is_said_in_other_words_is_read(schema):
    assert ("PE101", "warning", True) in said(LARGE, {"amount": schema})


def test_a_schema_that_contradicts_the_policy_is_said_once():
    found = said(LARGE, {"amount": {"type": "string", "maxLength": 9}})
    assert [code for code, _, _ in found] == ["PE113"]


def test_a_reference_is_followed():
    most = {"$defs": {"most": {"type": "number", "maximum": 100}}}
    found = said(LARGE, {"amount": {"$ref": "#/$defs/most"}}, **most)
    assert ("PE101", "warning", True) in found


def test_a_tool_of_another_name_says_nothing_of_this_one():
    policy = LARGE.replace("  pay:", '  "p*":')
    found = said(policy, {"amount": {"type": "number", "maximum": 400}})
    assert "PE101" not in {code for code, _, _ in found}, "p* is more than the tool that is known"


def test_an_argument_that_the_tool_does_not_ask_for_may_be_absent():
    policy = """\
tools: {pay: allow}
rules:
  - {id: some, tools: [pay], args: {amount: {type: number, maximum: 20}}, effect: deny}
"""
    amount = {"amount": {"type": "number", "maximum": 9}}
    assert "PE132" not in {code for code, _, _ in said(policy, amount)}
    assert ("PE132", "warning", True) in said(policy, amount, required=["amount"])
    null = {"amount": {"type": ["number", "null"], "maximum": 9}}
    assert "PE132" not in {code for code, _, _ in said(policy, null, required=["amount"])}


def test_every_call_that_is_shown_is_one_that_the_tool_takes():
    policy = """\
tools:
  pay:
    args:
      mode: {type: string, maxLength: 10}
      amount: {type: number, minimum: 0, maximum: 5000}
    rules:
      - {id: fast, when: 'args.mode == "fast"', effect: deny}
      - {id: large, when: args.amount > 100, effect: deny}
"""
    mode = {"type": "string", "pattern": "^(fast|slow|steady)$"}
    properties = {"mode": mode, "amount": {"type": "number", "maximum": 1000}}
    found = findings(policy, properties, required=["mode", "amount"])
    shown = [one.witness.request["args"] for one in found if one.witness is not None]
    takes = jsonschema_rs.validator_for({"type": "object", "properties": properties})
    assert all(takes.is_valid(args) for args in shown)
    assert "PE217" not in {one.code for one in found}, "the tool never takes FAST"
    open_mode = {**properties, "mode": {"type": "string"}}
    assert "PE217" in {one.code for one in findings(policy, open_mode, required=["mode"])}


def test_inner_properties_that_the_policy_does_not_admit_are_in_no_call():
    policy = """\
tools:
  pay:
    args: {to: {type: object, properties: {iban: {type: string, maxLength: 34}}}}
    rules:
      - {id: german, when: 'args.to.iban.startsWith("DE")', effect: deny}
"""
    inner = {"iban": {"type": "string", "pattern": "^FR"}, "note": {"type": "string"}}
    to = {"type": "object", "properties": inner, "required": ["iban"]}
    (found,) = [one for one in findings(policy, {"to": to}) if one.code == "PE101"]
    assert BY_TOOL in found.message
    assert found.witness is not None
    assert list(found.witness.request["args"]["to"]) == ["iban"]


NUMBERS = st.one_of(st.integers(-9, 9), st.floats(-9, 9), st.booleans(), st.text(max_size=2))
VALUES = st.recursive(
    st.one_of(st.none(), NUMBERS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
    ),
    max_leaves=4,
)
TYPE = st.sampled_from(["number", "integer", "string", "boolean", "null", "array", "object"])
BOUND = st.integers(-5, 5)
COUNT = st.integers(0, 3)
PLAIN = st.fixed_dictionaries(
    {},
    optional={
        "type": st.one_of(TYPE, st.lists(TYPE, min_size=1, max_size=3, unique=True)),
        "enum": st.lists(VALUES, min_size=1, max_size=3),
        "const": VALUES,
        "minimum": BOUND,
        "maximum": BOUND,
        "exclusiveMaximum": BOUND,
        "multipleOf": st.sampled_from([1, 2, 0.5]),
        "minLength": COUNT,
        "maxLength": COUNT,
        "pattern": st.sampled_from(["^a", "0$", "[ab]", "a|1"]),
        "minItems": COUNT,
        "maxItems": COUNT,
        "required": st.lists(st.sampled_from("ab"), max_size=2, unique=True),
        "title": st.just("a title"),
    },
)
SCHEMAS = st.recursive(
    PLAIN,
    lambda inner: st.builds(
        lambda schema, more: {**schema, **more},
        PLAIN,
        st.fixed_dictionaries(
            {},
            optional={
                "items": inner,
                "properties": st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
                "additionalProperties": st.booleans(),
                "anyOf": st.lists(inner, min_size=1, max_size=3),
                "oneOf": st.lists(inner, min_size=1, max_size=3),
                "allOf": st.lists(inner, min_size=1, max_size=2),
                "not": inner,
                "if": inner,
                "then": inner,
            },
        ),
    ),
    max_leaves=5,
)


@settings(max_examples=300, deadline=None)
@given(schema=SCHEMAS, values=st.lists(VALUES, min_size=1, max_size=12))
def test_what_is_read_takes_whatever_the_tool_takes(schema, values):
    plain = plain_tool(Tool("t", {"type": "object", "properties": {"v": schema}})).properties["v"]
    read = readable(plain)
    assert not check_schema(read, top=True, allow_ours=False)
    ours = compile_arguments({"v": read}, closed=True, patterns=Patterns())
    theirs = jsonschema_rs.validator_for(schema)
    for value in json.loads(json.dumps(values)):
        if theirs.is_valid(value):
            assert ours.fits({"v": value}), (read, value)


JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from([*"ab", "type", "enum", "items", "anyOf"]), inner),
    ),
    max_leaves=6,
)
KEYWORDS = ["type", "enum", "const", "minimum", "maxLength", "pattern", "format", "properties"]
LISTS = ["items", "required", "anyOf", "oneOf", "allOf", "multipleOf", "minItems", "optional"]


@settings(max_examples=150, deadline=None)
@given(schema=st.dictionaries(st.sampled_from(KEYWORDS + LISTS), JUNK, max_size=5))
def test_no_schema_of_a_tool_makes_lint_crash(schema):
    said(LARGE, {"amount": schema}, required=["amount"])
