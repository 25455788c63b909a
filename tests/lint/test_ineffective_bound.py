"""PE115 looks into alternatives, properties and elements, of the tool and of the policy."""

import json

import pytest

from policy_engine.lint import lint
from policy_engine.loader import load_texts
from policy_engine.tools import read_tools

UP_TO_100 = {"type": "integer", "maximum": 100}
OPTIONAL = {"anyOf": [UP_TO_100, {"type": "null"}]}
WIDE = {"type": "integer", "minimum": 0, "maximum": 500}
CASES = {
    "of a number or null": (OPTIONAL, WIDE, ["maximum"]),
    "the widest of two": ({"anyOf": [UP_TO_100, {"type": "integer", "maximum": 900}]}, WIDE, []),
    "no bound in one of two": ({"anyOf": [UP_TO_100, {"type": "number"}]}, WIDE, []),
    "exactly the tool's": (OPTIONAL, {**WIDE, "maximum": 100}, []),
    "narrower": (OPTIONAL, {**WIDE, "maximum": 99}, []),
    "one of two, and not both": ({"oneOf": [UP_TO_100, {"type": "null"}]}, WIDE, ["maximum"]),
    "on a condition": (
        {"type": "integer", "if": {"minimum": 10}, "then": {"maximum": 50}, "else": {"maximum": 9}},
        WIDE,
        ["maximum"],
    ),
    "on a condition that leaves it open": (
        {"type": "integer", "if": {"minimum": 10}, "then": {"multipleOf": 5}},
        WIDE,
        [],
    ),
    "in all of some": ({"allOf": [{"type": "integer"}, {"maximum": 100}]}, WIDE, ["maximum"]),
    "in an alternative of the policy": (
        UP_TO_100,
        {"type": "integer", "anyOf": [{"maximum": 50}, {"minimum": 60, "maximum": 500}]},
        ["maximum"],
    ),
    "in a branch of the policy": (
        UP_TO_100,
        {"type": "integer", "if": {"minimum": 10}, "then": {"maximum": 500}},
        ["maximum"],
    ),
    "of a text or null": (
        {"anyOf": [{"type": "string", "minLength": 2, "maxLength": 9}, {"type": "null"}]},
        {"type": "string", "minLength": 1, "maxLength": 40},
        ["minLength", "maxLength"],
    ),
    "of a property of an object or null": (
        {"anyOf": [{"type": "object", "properties": {"n": OPTIONAL}}, {"type": "null"}]},
        {"type": "object", "properties": {"n": WIDE}},
        ["maximum"],
    ),
    "of a property that one of two objects does not bound": (
        {
            "anyOf": [
                {"type": "object", "properties": {"n": UP_TO_100}},
                {"type": "object", "properties": {"other": {"type": "string"}}},
            ]
        },
        {"type": "object", "properties": {"n": WIDE}},
        [],
    ),
    "of the elements of a list or null": (
        {"anyOf": [{"type": "array", "items": UP_TO_100}, {"type": "null"}]},
        {"type": "array", "items": WIDE, "maxItems": 3},
        ["maximum"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_bound_that_the_tool_itself_keeps(name):
    theirs, mine, wanted = CASES[name]
    policy = {"policy": "p", "language": 1, "tools": {"pay": {"args": {"v": mine}}}}
    tool = {"name": "pay", "inputSchema": {"type": "object", "properties": {"v": theirs}}}
    compiled = load_texts({"p.yaml": json.dumps(policy)}, warm=False)
    findings = lint(compiled, tools=read_tools([tool], "tools.json")).findings
    said = [one.message.split('"')[1] for one in findings if one.code == "PE115"]
    assert sorted(said) == sorted(wanted)
