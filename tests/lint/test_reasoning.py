"""What is proved of schemas holds of every value that the validator takes."""

import json

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy_engine.checks import check_schema
from policy_engine.checks.arguments import compile_arguments
from policy_engine.decision import Facts, Request
from policy_engine.errors import PolicyError
from policy_engine.lint import lint
from policy_engine.lint.alternatives import is_within
from policy_engine.lint.proof.schema import values_of
from policy_engine.loader import load_texts
from policy_engine.text import Patterns

NUMBERS = (-1, 0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 20, 50, 0.5, 2.5)
STRINGS = (
    "",
    "a",
    "b",
    "ab",
    "abc",
    "A",
    "AB",
    "a1",
    "1",
    "12",
    "x",
    "prod",
    "dev",
    "a b",
    "é",
    "aaaa",
)
OTHERS = (None, True, False)
VALUES = (*NUMBERS, *STRINGS, *OTHERS)
PATTERNS = st.sampled_from(["^a", "b$", "^[a-z]+$", "^[0-9]+$", "a|b", "^ab?$", "^.{2}$", r"^\S+$"])
BOUNDS = st.sampled_from([0, 1, 2, 3, 5, 7, 10])
KEYWORDS = {
    "integer": st.fixed_dictionaries(
        {},
        optional={
            "minimum": BOUNDS,
            "maximum": BOUNDS,
            "exclusiveMinimum": BOUNDS,
            "exclusiveMaximum": BOUNDS,
            "multipleOf": st.sampled_from([1, 2, 3, 5]),
            "enum": st.lists(
                st.sampled_from([0, 1, 2, 5, 10]), min_size=1, max_size=3, unique=True
            ),
        },
    ),
    "string": st.fixed_dictionaries(
        {},
        optional={
            "minLength": st.sampled_from([0, 1, 2, 3]),
            "maxLength": st.sampled_from([0, 1, 2, 3]),
            "pattern": PATTERNS,
            "const": st.sampled_from(["a", "ab", "prod"]),
            "enum": st.lists(st.sampled_from(STRINGS), min_size=1, max_size=3, unique=True),
        },
    ),
}
KEYWORDS["number"] = KEYWORDS["integer"]


def schemas(kind):
    """Schemas of one type, with alternatives inside."""
    plain = KEYWORDS[kind]
    parts = st.lists(plain.filter(bool), min_size=1, max_size=3)
    return st.builds(
        lambda own, more: {"type": kind, **own, **more},
        plain,
        st.one_of(
            st.just({}),
            st.fixed_dictionaries({"allOf": parts}),
            st.fixed_dictionaries({"anyOf": parts}),
            st.fixed_dictionaries({"oneOf": parts}),
            st.fixed_dictionaries({"not": plain.filter(bool)}),
            st.fixed_dictionaries({"if": plain.filter(bool), "then": plain, "else": plain}),
            st.fixed_dictionaries(
                {"anyOf": st.lists(st.fixed_dictionaries({"not": plain}), min_size=1, max_size=2)}
            ),
        ),
    )


ANY = st.one_of(
    *(schemas(kind) for kind in KEYWORDS),
    st.fixed_dictionaries({"type": st.sampled_from([["string", "integer"], ["string", "null"]])}),
    st.builds(lambda a, b: {"anyOf": [a, b]}, schemas("string"), schemas("integer")),
    st.builds(lambda a: {"$defs": {"x": a}, "$ref": "#/$defs/x"}, schemas("integer")),
)


def takes(schema, value):
    return jsonschema_rs.Draft202012Validator(schema).is_valid(value)


@settings(max_examples=700, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ANY)
def test_what_the_validator_takes_is_among_the_values(schema):
    values = values_of(schema)
    taken = [value for value in VALUES if takes(schema, value)]
    for value in taken:
        assert values.admits(value), value
    assert not (values.is_empty and taken)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ANY, ANY)
def test_two_schemas_together(one, other):
    values = values_of(one, other)
    taken = [value for value in VALUES if takes(one, value) and takes(other, value)]
    assert all(values.admits(value) for value in taken)
    assert not (values.is_empty and taken)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ANY)
def test_a_candidate_is_seldom_refused(schema):
    """What is offered is meant for witnesses: of plain schemas it is always right."""
    if any(f'"{key}"' in json.dumps(schema) for key in ("not", "oneOf", "if", "anyOf")):
        return
    for value in values_of(schema).candidates():
        assert takes(schema, value), value


CONDITIONS = {
    "integer": st.builds(
        "{} {} {}".format, st.just("args.v"), st.sampled_from(["<", "<=", ">", "==", "!="]), BOUNDS
    ),
    "string": st.one_of(
        st.builds('args.v == "{}"'.format, st.sampled_from(["a", "ab", "12", "prod"])),
        st.builds('args.v.startsWith("{}")'.format, st.sampled_from(["a", "1", "é"])),
        st.builds('args.v.contains("{}")'.format, st.sampled_from(["b", "1", " "])),
        st.builds('args.v.matches("{}")'.format, PATTERNS.map(lambda p: p.replace("\\", "\\\\"))),
        st.builds("args.v.size() > {}".format, st.sampled_from([0, 1, 2, 3])),
        st.builds('args.v.lowerAscii() == "{}"'.format, st.sampled_from(["a", "A", "AB", "ab"])),
        st.builds('args.v.upperAscii().contains("{}")'.format, st.sampled_from(["a", "A"])),
    ),
}
CASES = st.one_of(
    *(
        st.tuples(schemas(kind), st.lists(CONDITIONS[kind], min_size=1, max_size=2).map(join.join))
        for kind in CONDITIONS
        for join in (" && ", " || ")
    )
)


def loaded(schema, rule):
    tools = {"t": {"args": {"v": schema}, "rules": [{"id": "r", "effect": "deny", **rule}]}}
    policy = {"policy": "p", "language": 1, "tools": tools}
    try:
        return load_texts({"p.yaml": json.dumps(policy)}, warm=False)
    except PolicyError:
        return None


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CASES)
def test_what_is_proved_of_a_condition_holds_of_every_accepted_value(case):
    schema, when = case
    compiled = loaded(schema, {"when": when})
    if compiled is None:
        return
    codes = {finding.code for finding in lint(compiled).findings}
    tell = compiled.parts[0].entry_rules["tools", "t"][0].condition.function
    told = {
        tell(Request(stage="tool_call", tool="t", args={"v": value}), Facts())
        for value in VALUES
        if takes(schema, value)
    }
    assert "PE101" not in codes or True not in told
    assert "PE102" not in codes or False not in told


LISTS = st.sampled_from(
    [
        "args.v.exists(x, x > {})",
        "args.v.all(x, x > {})",
        "!args.v.exists(x, x > {})",
        "!args.v.all(x, x < {})",
        "{} in args.v",
        "!({} in args.v) && args.v.size() > 0",
        "args.v.exists(x, x > {}) && args.v.all(x, x < 3)",
        "args.v.exists(x, x > {}) && args.v.size() < 1",
    ]
)
LENGTHS = st.fixed_dictionaries(
    {}, optional={"minItems": st.sampled_from([0, 1, 2]), "maxItems": st.sampled_from([0, 1, 2])}
)
SOME_LISTS = ([], [0], [1], [2], [5], [10], [0, 1], [1, 5], [2, 10], [5, 5])


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(schemas("integer"), LENGTHS, LISTS, BOUNDS)
def test_what_is_proved_of_elements_holds_of_every_list(items, lengths, when, bound):
    schema = {"type": "array", "items": items, **lengths}
    compiled = loaded(schema, {"when": when.format(bound)})
    if compiled is None:
        return
    codes = {finding.code for finding in lint(compiled).findings}
    tell = compiled.parts[0].entry_rules["tools", "t"][0].condition.function
    told = {
        tell(Request(stage="tool_call", tool="t", args={"v": value}), Facts())
        for value in SOME_LISTS
        if takes(schema, value)
    }
    assert "PE101" not in codes or True not in told
    assert "PE102" not in codes or False not in told


def test_the_schemas_of_these_tests_are_those_of_policies():
    schema = {"type": "integer", "anyOf": [{"minimum": 5}, {"not": {"const": 3}}]}
    assert check_schema(schema, top=True, allow_ours=True) == []
    fits = compile_arguments({"v": schema}, closed=True, patterns=Patterns()).fits
    assert [value for value in NUMBERS if fits({"v": value})] == [
        value for value in NUMBERS if takes(schema, value)
    ]


@pytest.mark.parametrize("value", [True, None, "a"])
def test_values_of_other_types_are_kept_apart(value):
    assert not values_of({"type": "integer", "minimum": 0}).admits(value)


def test_alternatives_with_a_mark_are_not_within_each_other():
    kinds = {
        name: {
            "type": "object",
            "properties": {
                "kind": {"const": name},
                "value": {"type": "string", "format": form},
            },
        }
        for name, form in (("A", "ipv4"), ("B", "ipv6"))
    }
    assert not is_within(kinds["A"], kinds["B"])
    assert not is_within(kinds["B"], kinds["A"])
    assert is_within({"type": "integer", "minimum": 2}, {"type": "number", "minimum": 1})
