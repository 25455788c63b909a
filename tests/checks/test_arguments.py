# ruff: noqa: RUF001 - look-alikes are what is tested
"""Which arguments fit, and what is said about those that do not."""

import decimal
import enum
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_engine.checks import check_schema, compile_arguments, compile_schema
from policy_engine.text import Patterns

REFUND = {
    "order_id": {"type": "string", "pattern": "^ORD-[0-9]{8}$"},
    "amount": {
        "type": "number",
        "exclusiveMinimum": 0,
        "maximum": 500,
        "message": "A refund is at most 500.",
    },
    "currency": {"enum": ["USD", "EUR"]},
    "note": {"type": "string", "maxLength": 5, "maxBytes": 6, "optional": True},
    "lines": {
        "type": "array",
        "items": {"type": "string", "maxBytes": 3, "message": "Short lines."},
        "optional": True,
    },
}
GOOD = {"order_id": "ORD-00000001", "amount": 120, "currency": "USD"}


def compiled(schemas, *, closed=True):
    for schema in schemas.values():
        assert check_schema(schema, top=True, allow_ours=True) == []
    patterns = Patterns()
    arguments = compile_arguments(schemas, closed=closed, patterns=patterns)
    patterns.compile()
    return arguments


def seen(arguments, args):
    return [
        (fault.argument, fault.pointer, fault.keyword, fault.message, fault.schema_path)
        for fault in arguments.faults(args)
    ]


FITS = {
    "the required ones": GOOD,
    "with an optional one": GOOD | {"note": "hello"},
    "with an optional null": GOOD | {"note": None, "lines": None},
    "a float": GOOD | {"amount": 0.5},
    "bytes counted in utf-8": GOOD | {"note": "ééé"},
}


@pytest.mark.parametrize("args", FITS.values(), ids=FITS)
def test_fits(args):
    arguments = compiled(REFUND)
    assert arguments.fits(args)
    assert arguments.faults(args) == ()


BREAKS = {
    "missing": ({"order_id": "ORD-00000001", "currency": "USD"}, ("amount", "", "required")),
    "null is not absent": (GOOD | {"currency": None}, ("currency", "", "enum")),
    "too much": (GOOD | {"amount": 501}, ("amount", "", "maximum")),
    "a newline after the end": (
        GOOD | {"order_id": "ORD-00000001\n"},
        ("order_id", "", "pattern"),
    ),
    "another argument": (GOOD | {"extra": 1}, ("extra", "", "additionalProperties")),
    "a boolean amount": (GOOD | {"amount": True}, ("amount", "", "type")),
    "a textual amount": (GOOD | {"amount": "5"}, ("amount", "", "type")),
    "too many bytes": (GOOD | {"note": "éééé"}, ("note", "", "maxBytes")),
    "a long line": (GOOD | {"lines": ["abc", "abcd"]}, ("lines", "/1", "maxBytes")),
    "a line that is none": (GOOD | {"lines": ["abc", 5]}, ("lines", "/1", "type")),
}


@pytest.mark.parametrize(("args", "wanted"), BREAKS.values(), ids=BREAKS)
def test_breaks(args, wanted):
    arguments = compiled(REFUND)
    assert not arguments.fits(args)
    assert [wanted] == [fault[:3] for fault in seen(arguments, args)]


def test_a_fault_carries_the_authors_message_and_the_place_in_the_schema():
    arguments = compiled(REFUND)
    assert seen(arguments, GOOD | {"amount": 501}) == [
        ("amount", "", "maximum", "A refund is at most 500.", ("maximum",))
    ]
    assert seen(arguments, {"order_id": "ORD-00000001", "currency": "USD"}) == [
        ("amount", "", "required", "A refund is at most 500.", ())
    ]
    assert seen(arguments, GOOD | {"lines": ["abcd"]}) == [
        ("lines", "/0", "maxBytes", "Short lines.", ("items", "maxBytes"))
    ]


def test_a_rule_across_tools_ignores_other_arguments():
    arguments = compiled({"amount": {"type": "number", "maximum": 5}}, closed=False)
    assert arguments.fits({"amount": 5, "other": {1, 2}})
    assert not arguments.fits({"other": 5})
    assert not arguments.fits({"amount": 6})


NESTED = {
    "customer": {
        "type": "object",
        "properties": {
            "name": {"type": "string", "message": "Give a name."},
            "age": {"type": "integer", "optional": True},
            "tier": {"enum": ["a", "b"], "optional": True, "message": "A tier is a or b."},
        },
        "message": "Say who.",
    }
}


@pytest.mark.parametrize(
    ("customer", "wanted"),
    [
        ({"name": "x"}, []),
        ({"name": "x", "age": None, "tier": None}, []),
        ({"age": 5}, [("/name", "required", "Give a name.", ("properties", "name"))]),
        ({"name": "x", "zip": 1}, [("", "additionalProperties", "Say who.", ())]),
        (
            {"name": "x", "tier": "c"},
            [("/tier", "enum", "A tier is a or b.", ("properties", "tier", "enum"))],
        ),
        ({"name": 5}, [("/name", "type", "Give a name.", ("properties", "name", "type"))]),
        ([], [("", "type", "Say who.", ("type",))]),
    ],
    ids=str,
)
def test_objects_are_closed_and_their_properties_required(customer, wanted):
    arguments = compiled(NESTED)
    args = {"customer": customer}
    assert (wanted == []) is arguments.fits(args)
    assert wanted == [fault[1:] for fault in seen(arguments, args)]


def test_required_as_written_leaves_the_others_optional():
    schema = {"type": "object", "properties": {"a": {}, "b": {}}, "required": ["a"]}
    validator = compile_schema(schema)
    assert validator.fits({"a": 1})
    assert not validator.fits({"b": 1})
    assert not validator.fits({"a": 1, "c": 1})


CLOSED = {
    "the parts of an allOf describe one object": (
        {
            "type": "object",
            "allOf": [
                {"properties": {"a": {"type": "integer"}}},
                {"properties": {"b": {"type": "integer"}}},
            ],
        },
        [{"a": 1, "b": 2}],
        [{"a": 1}, {"a": 1, "b": 2, "c": 3}],
    ),
    "the branches of a oneOf are closed": (
        {
            "oneOf": [
                {"type": "object", "properties": {"card": {"type": "string"}}},
                {"type": "object", "properties": {"iban": {"type": "string"}}},
            ]
        },
        [{"card": "x"}, {"iban": "x"}],
        [{}, {"card": "x", "y": 1}, {"z": 1}],
    ),
    "an open object": (
        {"type": "object", "additionalProperties": {"type": "integer"}},
        [{}, {"a": 1}],
        [{"a": "x"}],
    ),
    "an open object holds closed ones": (
        {
            "type": "object",
            "additionalProperties": {"type": "object", "properties": {"a": {}}},
        },
        [{"x": {"a": 1}}],
        [{"x": {"a": 1, "b": 2}}, {"x": {}}],
    ),
    "items are closed": (
        {"type": "array", "items": {"type": "object", "properties": {"a": {}}}},
        [[], [{"a": 1}]],
        [[{"a": 1, "b": 2}], [{}]],
    ),
    "what not describes stays open": (
        {
            "type": "object",
            "additionalProperties": True,
            "not": {"properties": {"a": {"const": 1}}, "required": ["a"]},
        },
        [{"a": 2}, {"b": 1}],
        [{"a": 1}, {"a": 1, "b": 2}],
    ),
    "definitions are closed where they are used": (
        {
            "$ref": "#/$defs/node",
            "$defs": {
                "node": {
                    "type": "object",
                    "properties": {"value": {"type": "integer"}, "child": {"$ref": "#/$defs/node"}},
                    "required": ["value"],
                }
            },
        },
        [{"value": 1}, {"value": 1, "child": {"value": 2}}],
        [{"value": 1, "x": 2}, {"value": 1, "child": {"value": 2, "x": 3}}, {}],
    ),
}


@pytest.mark.parametrize(("schema", "good", "bad"), CLOSED.values(), ids=CLOSED)
def test_closing(schema, good, bad):
    arguments = compiled({"x": schema, "also": schema | {"optional": True}})
    for value in good:
        assert arguments.fits({"x": value, "also": value}), value
    for value in bad:
        assert not arguments.fits({"x": value}), value
        assert not arguments.fits({"x": good[0], "also": value}), value
        assert all(fault.argument == "x" for fault in arguments.faults({"x": value}))


def test_a_fault_below_a_definition_knows_its_place():
    schema = CLOSED["definitions are closed where they are used"][0] | {"message": "A tree."}
    args = {"x": {"value": 1, "child": {"value": "2"}}}
    assert seen(compiled({"x": schema}), args) == [
        ("x", "/child/value", "type", "A tree.", ("$defs", "node", "properties", "value", "type"))
    ]


class Text(str):
    __slots__ = ()


class Whole(int):
    pass


class Real(float):
    pass


class Object(dict):
    pass


class List(list):
    pass


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    ONE = 1


class Word(str, enum.Enum):  # noqa: UP042
    A = "a"


LOOK_ALIKES = {
    "text subclass": Text("a"),
    "int subclass": Whole(1),
    "float subclass": Real(1.5),
    "dict subclass": Object(a=1),
    "list subclass": List([1]),
    "tuple": (1,),
    "set": {1},
    "frozenset": frozenset(),
    "bytes": b"a",
    "decimal": decimal.Decimal("1.5"),
    "enum": Colour.RED,
    "int enum": Level.ONE,
    "text enum": Word.A,
    "nan": math.nan,
    "infinity": math.inf,
    "minus infinity": -math.inf,
    "complex": 1j,
    "object": object(),
    "generator": (i for i in ()),
    "key of another type": {1: 2},
    "key of a text subclass": {Text("a"): 1},
    "key of a text enum": {Word.A: 1},
}
OPEN_TO_ALL = {
    "anything": {},
    "no text": {"not": {"type": "string"}},
    "number": {"type": "number"},
    "every type": {
        "type": ["string", "number", "boolean", "null", "array", "object"],
        "additionalProperties": True,
    },
    "several": {"anyOf": [{"type": "integer"}, {}]},
}


@pytest.mark.parametrize("schema", OPEN_TO_ALL.values(), ids=OPEN_TO_ALL)
@pytest.mark.parametrize("value", LOOK_ALIKES.values(), ids=LOOK_ALIKES)
def test_only_exact_json_fits(schema, value):
    arguments = compiled({"x": schema})
    for args in ({"x": value}, {"x": [value]}, {"x": {"y": [{"z": value}]}}):
        assert not arguments.fits(args)
        assert arguments.faults(args)
        assert not compile_schema(schema).fits(args["x"])


@pytest.mark.parametrize("value", [True, "5", None, math.nan, math.inf, -math.inf, 1.5])
def test_what_is_no_integer(value):
    assert not compile_schema({"type": "integer"}).fits(value)


@pytest.mark.parametrize(("value", "fits"), [(10**30, False), (-(10**400), True), (10**400, False)])
def test_huge_integers_are_compared_exactly(value, fits):
    assert fits is compile_schema({"type": "integer", "maximum": 500}).fits(value)


def test_the_arguments_are_a_mapping_with_names():
    arguments = compiled({"x": {"optional": True}})
    for args in ([], None, Object(x=1), {1: 2}, {Word.A: 1}, {"x": "\ud800", "y": {1}}):
        assert not arguments.fits(args)
        assert arguments.faults(args)


def test_lone_surrogates_do_not_fit_a_pattern():
    arguments = compiled(REFUND)
    assert not arguments.fits(GOOD | {"order_id": "\ud800"})
    assert arguments.faults(GOOD | {"order_id": "\ud800"})


def test_deep_and_endless_values_do_not_fit():
    recursive = {
        "$ref": "#/$defs/n",
        "$defs": {"n": {"type": "array", "items": {"$ref": "#/$defs/n"}}},
    }
    arguments = compiled({"x": recursive})
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    endless: list[object] = []
    endless.append(endless)
    for value in (deep, endless):
        assert not arguments.fits({"x": value})
        assert arguments.faults({"x": value})
    while deep:  # taken apart by hand, for the interpreter's own stack
        deep = deep.pop()


def test_patterns_are_linear():
    validator = compile_schema({"type": "string", "pattern": "^(a+)+$"})
    assert not validator.fits("a" * 50_000 + "b")


NAMES = st.sampled_from(["a", "b", "message", "$defs", "else", "properties"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats()
    | st.text("ab\ud800é", max_size=4)
    | st.sampled_from([*LOOK_ALIKES.values()])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
LEAVES = st.sampled_from(
    [
        {},
        {"type": "string", "maxLength": 2, "maxBytes": 3},
        {"type": "integer", "minimum": 0},
        {"enum": ["a", 1, None]},
        {"type": ["number", "null"]},
        {"not": {"type": "string"}},
    ]
)


def _nest(inner):
    properties = st.dictionaries(
        NAMES,
        st.builds(
            lambda schema, optional: schema | ({"optional": True} if optional else {}),
            inner,
            st.booleans(),
        ),
        min_size=1,
        max_size=3,
    )
    return (
        st.builds(lambda p: {"type": "object", "properties": p}, properties)
        | st.builds(lambda i: {"type": "array", "items": i, "message": "m"}, inner)
        | st.builds(lambda p: {"type": "object", "properties": p, "required": []}, properties)
    )


SCHEMAS = st.recursive(LEAVES, _nest, max_leaves=5)


@given(
    schemas=st.dictionaries(NAMES, SCHEMAS, max_size=3),
    args=st.dictionaries(NAMES, VALUES, max_size=3),
    closed=st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_what_does_not_fit_is_explained(schemas, args, closed):
    arguments = compiled(schemas, closed=closed)
    faults = arguments.faults(args)
    assert arguments.fits(args) is (faults == ())
    for fault in faults:
        place = schemas.get(fault.argument, {})
        for step in fault.schema_path:
            place = place[step]


def test_text_checks_on_arguments():
    schemas = {
        "note": {"type": "string", "check": {"terms": {"any": ["secret"]}}, "message": "Hush."},
        "lines": {
            "type": "array",
            "items": {"type": "string", "check": {"pattern": {"any": ["(?i)token"]}}},
            "optional": True,
        },
    }
    arguments = compiled(schemas)
    assert arguments.fits({"note": "hello", "lines": ["a", "b"]})
    assert seen(arguments, {"note": "a Ѕесret", "lines": ["a", "my TOKEN"]}) == [
        ("note", "", "check", "Hush.", ("check",)),
        ("lines", "/1", "check", None, ("items", "check")),
    ]


@pytest.mark.parametrize(
    ("check", "path", "code"),
    [
        ({"terms": {"any": [""]}}, ("check", "terms", "any", 0), "PE020"),
        ({"pii": {}}, ("check", "pii"), "PE018"),
        ({"terms": {"anny": ["x"], "any": ["x"]}}, ("check", "terms", "anny"), "PE006"),
        ("terms", ("check",), "PE008"),
    ],
    ids=str,
)
def test_faults_of_text_checks_have_their_place(check, path, code):
    (fault,) = check_schema({"type": "string", "check": check}, top=True, allow_ours=True)
    assert (fault.path, fault.code) == (path, code)


def test_a_validator_never_raises():
    validator = compile_schema({"type": "string", "maxLength": 3})
    assert not validator.fits("\ud800")
    assert validator == compile_schema({"maxLength": 3, "type": "string"})
    assert "maxLength" in repr(validator)


def test_an_interruption_is_no_verdict(monkeypatch):
    def interrupt(value):
        raise KeyboardInterrupt

    arguments = compiled(REFUND)
    monkeypatch.setattr(arguments, "_is_valid", interrupt)
    with pytest.raises(KeyboardInterrupt):
        arguments.fits(GOOD)


def test_a_validator_that_fails_is_explained(monkeypatch):
    class Panic(BaseException):
        pass

    class Failing:
        def iter_errors(self, value):
            raise Panic

    def panic(value):
        raise Panic

    arguments = compiled(REFUND)
    monkeypatch.setattr(arguments, "_is_valid", panic)
    assert not arguments.fits(GOOD)
    assert seen(arguments, GOOD) == [("", "", "failed", None, ())]
    monkeypatch.setattr(arguments, "_native", Failing())
    assert seen(arguments, GOOD) == [("", "", "failed", None, ())]


def test_a_text_check_that_cannot_tell_does_not_fit():
    arguments = compiled(
        {"note": {"type": "string", "check": {"pattern": {"any": ["^(?=a)(a|aa)+$"]}}}}
    )
    assert arguments.fits({"note": "b"})
    assert [fault[2] for fault in seen(arguments, {"note": "a" * 60 + "b"})] == ["check"]


def test_places_of_text_keywords():
    schema = {
        "type": "array",
        "prefixItems": [{"type": "string", "maxBytes": 1}],
        "items": {
            "type": "object",
            "properties": {"a/b": {"type": "string", "maxBytes": 2, "optional": True}},
        },
    }
    arguments = compiled({"x": schema})
    assert arguments.fits({"x": []})
    assert arguments.fits({"x": ["a", {"a/b": "ab"}, {}, {"a/b": None}]})
    assert [fault[:3] for fault in seen(arguments, {"x": ["ab", {"a/b": "abc"}, {}]})] == [
        ("x", "/0", "maxBytes"),
        ("x", "/1/a~1b", "maxBytes"),
    ]


def test_false_is_accepted_nowhere():
    schema = {"type": "array", "prefixItems": [{}], "items": False}
    assert [fault[:3] for fault in seen(compiled({"x": schema}), {"x": [1, 2]})] == [
        ("x", "/1", "false")
    ]
