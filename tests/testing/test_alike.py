"""Mutants that are proved to decide like the policy, and near ones that are not."""

from itertools import product
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import ROOT

from policy_engine.cel import (
    BOOL,
    DOUBLE,
    DYN,
    INT,
    STRING,
    Constant,
    Environment,
    ListType,
    Variable,
    compile_condition,
)
from policy_engine.cel.types import Field, RecordType
from policy_engine.checks.arguments import compile_arguments
from policy_engine.compiler import Variants
from policy_engine.decision import Session
from policy_engine.engine import Engine
from policy_engine.errors import PolicyError
from policy_engine.lint.proof.regexes import sample
from policy_engine.lint.proof.schema import values_of
from policy_engine.loader import load, load_texts
from policy_engine.testing.mutation.alike import prove
from policy_engine.testing.mutation.alike.kinds import Known, outcomes
from policy_engine.testing.mutation.alike.ranges import Range
from policy_engine.testing.mutation.alike.readers import reads_alike
from policy_engine.testing.mutation.alike.values import is_never
from policy_engine.testing.mutation.enumerate import mutants_of
from policy_engine.testing.mutation.examine import Examiner
from policy_engine.testing.mutation.schemas import loosened
from policy_engine.text import Patterns

ENVIRONMENT = Environment(
    {
        "args": Variable(
            RecordType(
                "args",
                {
                    "x": Field(DYN, optional=True),
                    "s": Field(STRING),
                    "n": Field(DOUBLE),
                    "b": Field(BOOL),
                    "l": Field(ListType(STRING)),
                },
            ),
            ("request", "args"),
        ),
        "held": Constant({"a": 1.5, "ab": 3}),
    }
)
CONDITIONS = [
    "has(args.x) && args.x == args.s",
    "has(args.x) && args.x != args.s",
    "has(args.x) && !(args.x == 'a') || args.b",
    "has(args.x) && (args.b || args.x < args.n)",
    "has(args.x) && args.x in args.l",
    "has(args.x) && args.s in args.x",
    "has(args.x) && args.x in ['a', 'b']",
    "has(args.x) && !args.x",
    "has(args.x) && args.x && args.b",
    "has(args.x) && args.x + args.n > 3.0",
    "has(args.x) && args.x + args.s == 'ab'",
    "has(args.x) && args.x.startsWith(args.s)",
    "has(args.x) && !args.x.lowerAscii().endsWith('b')",
    "has(args.x) && args.s.contains(args.x)",
    "has(args.x) && args.x.size() > 0",
    "has(args.x) && args.x.all(e, e in args.l)",
    "has(args.x) && args.x.exists(e, e == args.s)",
    "has(args.x) && args.l.all(e, e != args.x)",
    "has(args.x) && args.l.exists(e, e.startsWith(args.x))",
    "has(args.x) && args.l.exists_one(e, e == args.x)",
    "has(args.x) && (args.b ? args.x == 'a' : args.x > 1.0)",
    "has(args.x) && args.l.filter(e, e == args.x).size() == 0",
    "has(args.x) && cel.bind(y, args.x, y != 'a')",
    "has(args.x) && [args.x, args.s].exists(e, e == 'a')",
    "has(args.x) && args.x.a == 'a'",
    "has(args.x) && has(args.x.a)",
    "!has(args.x)",
    "has(args.x) && args.n > 1.0 && args.x != 2.0",
    "has(args.x) && args.x > args.n * 2.0 + 1.0",
    "has(args.x) && (args.x * args.n < 5.0 || args.b)",
    "has(args.x) && args.x >= held[args.s]",
    "has(args.x) && held[args.x] > args.n",
    "has(args.x) && args.x - 1.0 <= args.n - 3.0",
    "has(args.x) && args.x == args.n",
    "has(args.x) && args.x != held['a']",
    "has(args.x) && timestamp(args.x) < timestamp('2026-01-05T10:00:00Z')",
    "has(args.x) && args.b && timestamp(args.x) != timestamp(args.s)",
    "has(args.x) && cidr('10.0.0.0/8').containsIP(args.x)",
]
ELEMENTS = [
    "args.y.all(e, e == args.s)",
    "!args.y.all(e, e in args.l)",
    "args.y.exists(e, e.startsWith('a'))",
    "args.y.exists_one(e, e == 'a')",
    "args.y.filter(e, e > 1.0).size() > 1",
    "args.y.filter(e, e == 'a').size() > 0",
    "args.y.map(e, e + 'a').size() > 0",
    "args.y.exists(e, args.y.all(o, o >= e))",
    "args.l.all(o, args.y.exists(e, e == o))",
    "args.y.size() > 1 && args.y[0] == 'a'",
    "args.s in args.y",
    "cel.bind(z, args.y, z.exists(e, e == args.s))",
]
"""Conditions about the elements of a list."""
VALUES = {
    "string": st.sampled_from(["", "a", "ab", "b"]),
    "number": st.sampled_from([0, 1, 2, 2.5, -1]),
    "bool": st.booleans(),
    "null": st.none(),
    "list": st.lists(st.sampled_from(["a", "b", 1]), max_size=2),
    "map": st.dictionaries(st.sampled_from(["a", "s"]), st.sampled_from(["a", 1]), max_size=2),
}
ODD = st.one_of(*VALUES.values())


@settings(max_examples=1_000, deadline=None)
@given(data=st.data())
def test_a_condition_never_comes_to_anything_else(data):
    """What is told of a value by its kind holds of each value of that kind."""
    text = data.draw(st.sampled_from(CONDITIONS))
    kind = data.draw(st.sampled_from(sorted(VALUES)))
    condition = compile_condition(text, ENVIRONMENT)
    args = {
        "x": data.draw(VALUES[kind]),
        "s": data.draw(st.one_of(VALUES["string"], ODD)),
        "n": data.draw(st.one_of(VALUES["number"], ODD)),
        "b": data.draw(st.one_of(VALUES["bool"], ODD)),
        "l": data.draw(st.one_of(st.lists(VALUES["string"], max_size=2), ODD)),
    }
    came = condition.function(SimpleNamespace(args=args), None)
    assert came in outcomes(condition.tree, Known(("args", "x"), frozenset({kind})))
    if kind == "string":
        known = Known(("args", "x"), frozenset({kind}), (args["x"],))
        assert came in outcomes(condition.tree, known)


@settings(max_examples=600, deadline=None)
@given(data=st.data())
def test_a_condition_never_comes_to_anything_else_of_numbers(data):
    """What is told of a number by its bounds, and those of others, holds of each within them."""
    text = data.draw(st.sampled_from(CONDITIONS))
    condition = compile_condition(text, ENVIRONMENT)
    numbers = st.sampled_from([-3, -1, 0, 0.5, 1, 1.5, 2, 3, 4.5, 7])
    low, high, least, most = (data.draw(numbers) for _ in range(4))
    opened = data.draw(st.booleans())
    args = {
        "x": data.draw(numbers),
        "n": data.draw(numbers),
        "s": data.draw(st.sampled_from(["a", "ab", "b"])),
        "b": data.draw(st.booleans()),
        "l": [],
    }
    is_within = low < args["x"] < high or (not opened and low <= args["x"] <= high)
    if not is_within or not least <= args["n"] <= most:
        return
    declared = {
        ("args", "n"): values_of({"type": "number", "minimum": least, "maximum": most}),
        ("args", "s"): values_of({"enum": [args["s"], "c"]}),
    }
    known = Known(
        ("args", "x"),
        frozenset({"number"}),
        range=Range(low, high, low_open=opened, high_open=opened),
    )
    came = condition.function(SimpleNamespace(args=args), None)
    assert came in outcomes(condition.tree, known, declared.get)


WHOLE = [
    "args.x in args.i",
    "!(args.x in args.i) || args.x < 2.0",
    "args.i.exists(e, e == args.x)",
    "args.i.all(e, args.x != e) == false",
    "args.x == args.n || args.x >= 1",
    "(args.x in args.i) == true",
    "2 != args.x",
]


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_a_condition_never_comes_to_anything_else_of_a_broken_number(data):
    """Nor of one that is out of the range of the elements of a list."""
    kind = data.draw(st.sampled_from([DYN, DOUBLE]))
    fields = {"x": Field(kind), "i": Field(ListType(INT)), "n": Field(DOUBLE)}
    args = Variable(RecordType("args", fields), ("request", "args"))
    condition = compile_condition(data.draw(st.sampled_from(WHOLE)), Environment({"args": args}))
    items = data.draw(st.lists(st.sampled_from([1, 2, 3, 2.0]), max_size=3))
    if data.draw(st.booleans()):
        x = data.draw(st.sampled_from([0.5, 1.5, 2.5]))
        known = Known(("args", "x"), frozenset({"number"}), is_broken=True)
    else:
        x = data.draw(st.sampled_from([-1, 0, 0.5]))
        known = Known(("args", "x"), frozenset({"number"}), range=Range(-1, 1, high_open=True))
    declared = {("args", "i", "[]"): values_of({"type": "integer", "minimum": 1})}
    request = SimpleNamespace(args={"x": x, "i": items, "n": data.draw(st.sampled_from([0.5, 2]))})
    came = condition.function(request, None)
    assert came in outcomes(condition.tree, known, declared.get)


@settings(max_examples=600, deadline=None)
@given(data=st.data())
def test_a_condition_never_comes_to_anything_else_of_an_element(data):
    """What is told of one element by its kind holds wherever in the list it stands."""
    text = data.draw(st.sampled_from(ELEMENTS))
    kind = data.draw(st.sampled_from(sorted(VALUES)))
    condition = compile_condition(text, WITH_LIST)
    items = data.draw(st.lists(st.one_of(VALUES["string"], ODD), max_size=3))
    items.insert(data.draw(st.integers(0, len(items))), data.draw(VALUES[kind]))
    args = {"y": items, "s": data.draw(VALUES["string"]), "l": data.draw(st.just(["a", "b"]))}
    came = condition.function(SimpleNamespace(args=args), None)
    known = Known(("args", "y", "[]"), frozenset({kind}))
    assert came in outcomes(condition.tree, known)


def of_lists(element):
    fields = {"y": Field(ListType(element)), "s": Field(STRING), "l": Field(ListType(STRING))}
    return Environment({"args": Variable(RecordType("args", fields), ("request", "args"))})


WITH_LIST = of_lists(DYN)
READERS = [
    "args.x > 2",
    "args.x <= args.n",
    "5 != args.x",
    "args.x in [1, 2.5]",
    "double(args.x) / 2.0 >= 1.0",
    "args.x * args.n > 3.0 && has(args.x)",
    "args.n / args.x < 2.0",
    "args.x / 2 == 1",
    "args.x + 1 > 2",
    "string(args.x) == '2.0'",
    "[args.x] == [2]",
    "cel.bind(z, args.x, z / 2 == 1)",
    "{1: true}[args.x]",
    "args.y.all(e, e > 1)",
    "args.y.filter(e, e >= 2).size() > 0",
    "args.y.filter(e, e >= 2)[0] / 2 == 1",
    "args.y.exists(e, e / 2 == 1)",
    "args.y[0] / 2 == 1",
    "2.0 in args.y",
]
"""Conditions that read a number, or elements of a list of them."""
READ_ALIKE = {
    *READERS[:7],
    "args.y.all(e, e > 1)",
    "args.y.filter(e, e >= 2).size() > 0",
}


def with_numbers(kind):
    fields = {"x": Field(kind), "y": Field(ListType(kind)), "n": Field(DOUBLE)}
    return Environment({"args": Variable(RecordType("args", fields), ("request", "args"))})


@pytest.mark.parametrize("text", READERS)
def test_a_number_is_read_alike_where_that_is_said(text):
    """Declared as a number, as a whole one, or not at all, it makes no difference."""
    path = ("args", "y", "[]") if "args.y" in text else ("args", "x")
    conditions = {kind: compile_condition(text, with_numbers(kind)) for kind in (DOUBLE, INT, DYN)}
    told = {reads_alike(one.tree, path) for kind, one in conditions.items() if kind != INT}
    assert told == {text in READ_ALIKE}
    came = []
    for x, n in product([-4, 0, 1, 2, 3, 5, 2**53, -(2**53), 2.0, 2.5, -0.5], repeat=2):
        request = SimpleNamespace(args={"x": x, "y": [x, 4], "n": n})
        kinds = (DOUBLE, INT, DYN) if isinstance(x, int) or x.is_integer() else (DOUBLE, DYN)
        came.append({conditions[kind].function(request, None) for kind in kinds})
    if text in READ_ALIKE:
        assert all(len(one) == 1 for one in came)


@settings(max_examples=2_000, deadline=None)
@given(data=st.data())
def test_only_points_in_time_of_the_format_can_be_read_as_such(data):
    """A rule that reads a time cannot tell of any other text, which some proofs rest upon."""
    written = "2026-01-05T10:00:00.5+01:00"
    text = list(
        data.draw(st.sampled_from([written, "2026-01-05T10:00:00Z", "2016-12-31t23:59:60z"]))
    )
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at : at + data.draw(st.integers(0, 2))] = data.draw(
            st.text("0269TtZz:-+., ", max_size=2)
        )
        text = text or ["Z"]
    said = "".join(text)
    condition = compile_condition("timestamp(args.s) == timestamp(args.s)", WITH_LIST)
    came = condition.function(SimpleNamespace(args={"s": said}), None)
    fits = compile_arguments(
        {"s": {"type": "string", "format": "date-time"}}, closed=True, patterns=Patterns()
    ).fits({"s": said})
    assert came is None or fits


def test_kinds_tell_something_of_most_conditions():
    """Every outcome of everything would be no false proof, and no proof either."""
    known = Known(("args", "x"), frozenset({"number"}))
    found = {
        text: outcomes(compile_condition(text, ENVIRONMENT).tree, known) for text in CONDITIONS
    }
    assert found["has(args.x) && args.x == args.s"] == {False, None}
    assert found["has(args.x) && args.x != args.s"] == {True, None}
    assert found["has(args.x) && args.x.startsWith(args.s)"] == {None}
    assert found["has(args.x) && args.x.all(e, e in args.l)"] == {None}
    assert found["has(args.x) && !args.x"] == {None}
    assert found["!has(args.x)"] == {False}


PIECES = st.sampled_from(
    [
        "a",
        "ab",
        "[a-c]",
        "[^@]",
        "[0-9]",
        r"\.",
        ".",
        "a?",
        "[ab]+",
        "x*",
        "(a|b)",
        "(x|ab|y)?",
        r"\d",
    ]
)
COUNTS = st.sampled_from(["", "", "{2}", "{1,3}", "{0,2}", "{2,}"])
PATTERN_PARTS = st.lists(
    st.tuples(PIECES, COUNTS).map(lambda one: f"(?:{one[0]}){one[1]}" if one[1] else one[0]),
    min_size=1,
    max_size=4,
)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_text_never_breaks_what_is_proved_of_patterns(data):
    """Whatever a loosened schema takes, the schema takes, where that is said to be proved."""
    head, tail = data.draw(st.sampled_from([("^", "$"), ("", "$"), ("^", ""), ("", "")]))
    pattern = head + "".join(data.draw(PATTERN_PARTS)) + tail
    beside = data.draw(
        st.fixed_dictionaries(
            {},
            optional={
                "maxLength": st.integers(0, 8),
                "minLength": st.integers(1, 8),
                "pattern": st.just(pattern),
            },
        )
    )
    schema = {"type": "string", **beside}
    before = compile_arguments({"x": schema}, closed=True, patterns=Patterns())
    for one in loosened(schema, top=False):
        if one.schema.get("type") != "string" or not is_never(("args", "x"), one.schema, schema):
            continue
        after = compile_arguments({"x": one.schema}, closed=True, patterns=Patterns())
        texts = [*TEXTS, *sample(one.schema.get("pattern", "a*"))]
        texts.extend(data.draw(st.lists(st.text("abcxy01.@ ", max_size=9), max_size=20)))
        told = [text for text in texts if after.fits({"x": text}) and not before.fits({"x": text})]
        assert not told, (one.what, told)


TEXTS = ["".join(signs) for n in range(4) for signs in product("ax0.@", repeat=n)]
"""Every short text of signs that the patterns tell apart."""


def test_what_is_proved_of_patterns_is_not_nothing():
    schema = {"type": "string", "pattern": "^[ab]{1,3}$", "maxLength": 3}
    same = [
        one.what
        for one in loosened(schema, top=False)
        if is_never(("args", "x"), one.schema, schema)
    ]
    assert same == ["`{1,3}` is `{1,}` at character 6 of the pattern", "maxLength 3 is 4"]


OBJECT = {"type": "object"}
TEXT, WHOLE_NUMBER = {"type": "string"}, {"type": "integer"}
BOTH = {"type": ["string", "number"]}
UNLIKE = {
    "a key that only one of two closed objects names": (
        {**OBJECT, "properties": {"a": {"enum": [1]}, "b": TEXT}},
        {**OBJECT, "properties": {"a": {"enum": [1]}}, "required": ["a"]},
        {"a": 1, "b": "x"},
    ),
    "a key beside one with a bound": (
        {**OBJECT, "properties": {"a": {**WHOLE_NUMBER, "maximum": 0}, "b": TEXT}},
        {**OBJECT, "properties": {"a": WHOLE_NUMBER}},
        {"a": 0, "b": "x"},
    ),
    "a key that must be there and is not described": (
        {**OBJECT, "additionalProperties": TEXT},
        {**OBJECT, "additionalProperties": TEXT, "required": ["case"]},
        {},
    ),
    "other keys of another type": (
        {**OBJECT, "additionalProperties": {"type": "number"}},
        {**OBJECT, "additionalProperties": TEXT},
        {"a": 1},
    ),
    "a pattern of texts where numbers are taken": (
        {**BOTH, "pattern": "^a$"},
        {"enum": [1, "a"]},
        2,
    ),
    "a bound of numbers where texts are taken": ({**BOTH, "minimum": 3}, {"type": "number"}, "x"),
    "half of a surrogate pair": (
        {**TEXT, "maxLength": 1},
        {**TEXT, "pattern": r"^[\s\S]{0,2}$"},
        "\ud800",
    ),
    "no element of those that a list must have": (
        {"type": "array", "contains": {"const": 1}, "minContains": 0},
        {"type": "array", "contains": {"const": 1}},
        [],
    ),
}
"""Two schemas, and a value that fits the first and not the second."""


@pytest.mark.parametrize("name", UNLIKE)
def test_it_is_not_proved_of_schemas_that_a_value_tells_apart(name):
    wide, narrow, value = UNLIKE[name]
    taking, refusing = (
        compile_arguments({"x": one}, closed=True, patterns=Patterns()) for one in (wide, narrow)
    )
    assert taking.fits({"x": value})
    assert not refusing.fits({"x": value})
    assert not is_never(("args", "x"), wide, narrow)


FORMS = [
    {
        "type": "object",
        "properties": {
            "k": {"enum": ["a", "b"]},
            "n": {"type": "string", "minLength": 1, "maxLength": 3},
            "o": {"type": "string", "optional": True},
        },
        "if": {"properties": {"k": {"const": "a"}}, "required": ["k"]},
        "then": {"properties": {"n": {"type": "string", "pattern": "^[xy]"}}},
        "else": {"properties": {"n": {"type": "string", "pattern": "^[0-9]+$"}}},
    },
    {
        "type": "object",
        "properties": {"k": {"enum": ["a", "b"]}, "n": {"type": ["string", "integer"]}},
        "anyOf": [{"properties": {"k": {"const": "a"}}}, {"required": ["n"]}],
    },
    {
        "type": "object",
        "properties": {
            "n": {"type": "integer", "minimum": 0, "maximum": 12, "multipleOf": 5},
            "l": {"type": "array", "maxItems": 2, "uniqueItems": True, "items": {"enum": [1, 2]}},
        },
        "additionalProperties": {"type": "number", "multipleOf": 2},
    },
    {
        "type": "object",
        "properties": {"p": {"type": "object", "properties": {"k": {"enum": ["a"]}}}},
        "allOf": [{"properties": {"p": {"required": ["k"], "additionalProperties": False}}}],
        "oneOf": [{"properties": {"q": {"type": "string"}}}, {"maxProperties": 1}],
    },
]
HELD = {
    "k": st.sampled_from(["a", "b", "c", None]),
    "n": st.sampled_from(
        ["", "x", "xy", "x9", "9", "99", "9999", "xyyy", 0, 5, -5, 15, 2.5, 7, None]
    ),
    "o": st.sampled_from(["", "o", 1, None]),
    "l": st.lists(st.sampled_from([1, 2, 3]), max_size=3),
    "p": st.fixed_dictionaries({}, optional={"k": st.just("a"), "z": st.just(1)}),
    "q": st.sampled_from(["q", 1]),
}


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_an_object_never_breaks_what_is_proved_of_forms(data):
    schema = data.draw(st.sampled_from(FORMS))
    before = compile_arguments({"x": schema}, closed=True, patterns=Patterns())
    names = [*schema["properties"], data.draw(st.sampled_from(sorted(HELD)))]
    held = {name: HELD[name] for name in names}
    drawn = data.draw(st.lists(st.fixed_dictionaries({}, optional=held), min_size=30, max_size=60))
    for one in loosened(schema, top=False):
        for wide, narrow in ((one.schema, schema), (schema, one.schema)):
            if not is_never(("args", "x"), wide, narrow):
                continue
            after = compile_arguments({"x": one.schema}, closed=True, patterns=Patterns())
            taking, refusing = (after, before) if wide is one.schema else (before, after)
            told = [x for x in drawn if taking.fits({"x": x}) and not refusing.fits({"x": x})]
            assert not told, (one.what, told)


def test_what_is_proved_of_forms_is_not_nothing():
    same = {
        one.what
        for schema in FORMS
        for one in loosened(schema, top=False)
        if is_never(("args", "x"), one.schema, schema)
    }
    assert {
        '"n" may be absent',
        '"k" may be absent',
        "number is taken as well",
        "const is a list of two",
        "minimum 0 is -1",
        "maximum 12 is 13",
        "maxItems 2 is 3",
    } <= same
    assert "any key is taken" not in same


HEAD = "policy: p\nlanguage: 1\n"
FACT = (
    HEAD + "facts: {order: {from: app:order, schema: {type: object, properties:"
    " {owner: {type: string}, state: {enum: [open, sent]}, total: {type: number}}}}}\n"
)
OWN = "{id: own, when: facts.order.owner != principal.id, effect: deny}"
OPEN = '{id: open, when: facts.order.state != "open", effect: deny}'
CEILING = (
    "rules: [{id: top, tools: ['*pay*'], args: {n: {type: number, maximum: 9}}, effect: deny}]\n"
)

PROVED = {
    "a bound that another keyword implies": (
        HEAD + "tools: {t: {args: {s: {type: string, minLength: 1, pattern: '^[a-z]+$'}}}}\n",
        "s: minLength 1 is gone",
        "it takes the same values",
    ),
    "an argument that may not be there anyway": (
        HEAD + "tools: {t: {args: {c: {type: array, optional: true, items: {type: string, "
        "pattern: '^[a-z]+@x$'}}},\n"
        "  rules: [{id: none, when: has(args.c) && args.c.size() > 0, effect: deny}]}}\n",
        "c: `+` is `*` at character 7 of the pattern",
        '"p/none" denies what else it takes',
    ),
    "a list whose elements are looked at": (
        HEAD + "tools: {t: {args: {l: {type: array, items: {type: string}}},\n"
        "  rules: [{id: all, when: '!args.l.all(e, e.startsWith(\"a\"))', effect: deny}]}}\n",
        "l: string is taken as well",
        '"p/all" denies what else it takes',
    ),
    "a fact that is compared": (
        FACT + f"tools: {{t: {{args: {{}}, rules: [{OWN}]}}}}\n",
        'facts.order: any type is taken, not only "string"',
        "each rule that reads it speaks of such a value as before",
    ),
    "a fact that another rule reads where it does not matter": (
        FACT + f"tools: {{t: {{args: {{}}, rules: [{OWN}, {OPEN}]}}}}\n",
        'facts.order: any type is taken, not only "string"',
        '"p/own" denies all that is told otherwise',
    ),
    "a state that no rule lets through": (
        FACT + f"tools: {{t: {{args: {{}}, rules: [{OPEN}]}}}}\n",
        "facts.order: the list is longer",
        "each rule that reads it speaks of such a value as before",
    ),
    "a fact that nothing reads": (
        FACT + "tools: {t: {args: {}}}\n",
        'facts.order: any type is taken, not only "number"',
        "no condition reads it",
    ),
    "a ceiling above each entry's own": (
        HEAD + "tools: {pay: {args: {n: {type: number, maximum: 5}}}}\n" + CEILING,
        "n: maximum 9 is 10",
        "each entry that grants such a call refuses what is told otherwise",
    ),
    "a ceiling on what each entry asks for": (
        HEAD + "tools: {pay: {args: {n: {type: number, maximum: 5}}}, other: allow}\n" + CEILING,
        "n: the argument may be absent",
        "each entry that grants such a call refuses what is told otherwise",
    ),
    "a glob that covers the same tools": (
        HEAD + "tools: {to_pay: {args: {n: {type: number}}}}\n" + CEILING,
        '"*pay*" is "*pay" in `tools`',
        "no entry grants a tool that it covers otherwise",
    ),
}
AMOUNT = "{type: number, minimum: 1, maximum: 900}"
PAID = "limits: [{id: paid, tools: [pay], of: args.n, max: 900, by: [global]}]\n"
BILLED = "{id: billed, when: args.n != facts.order.total, effect: deny}"
CAPS = "vars: {caps: {A: 10, B: 900}}\n"
CAP = "{id: cap, when: 'args.n > vars.caps[args.k]', effect: deny}"
CAPPED = f"tools: {{pay: {{args: {{n: {AMOUNT}, k: {{enum: [A, B]}}}}, rules: [{CAP}]}}}}\n"
GOODS = (
    HEAD + "facts: {s: {from: app:s, schema: {type: object, properties: {goods: {type: array, "
    "items: {type: object, properties: {code: {type: string}, kg: {type: number, minimum: 0, "
    "maximum: 99}}}}}}}}\n"
)
HEAVY = "{id: heavy, when: 'facts.s.goods.filter(g, g.kg > 9.5).size() > 2', effect: deny}"
KNOWN = (
    "{id: known, when: '!args.codes.all(c, facts.s.goods.exists(g, g.code == c))', effect: deny}"
)
CODES = (
    "tools: {t: {args: {codes: {type: array, items: {type: string}}},\n"
    f"  rules: [{KNOWN}]}}}}\n"
)
LIMITED = (
    HEAD + "attrs: {most: {type: number, minimum: 0, maximum: 5000}}\n"
    f"tools: {{pay: {{args: {{n: {AMOUNT}}},\n"
    "  rules: [{id: above, when: args.n > principal.attrs.most, effect: deny}]}}\n"
)
CHILDREN = (
    HEAD + "attrs: {children: {type: array, items: {type: integer, minimum: 1}}}\n"
    "tools: {t: {args: {pupil: {type: integer, minimum: 1}}, rules: [{id: own, when:\n"
    "  '!principal.attrs.children.exists(c, c == args.pupil)', effect: deny}]}}\n"
)
MARKET = (
    HEAD + "attrs: {market: {enum: [north, south]}}\n"
    "tools: {t: {args: {market: {enum: [north, south]}},\n"
    "  rules: [{id: own, when: args.market != principal.attrs.market, effect: deny}]}}\n"
)
PRICED = (
    HEAD + "models: {small: allow, 'big-*': deny}\n"
    "prices: {small: {input: 1, output: 2}}\n"
    "limits: [{id: cost, of: cost_usd, max: 5, by: [session]}]\n"
)
OPEN_TOOLS = HEAD + "tools: {read: allow, 'drop_*': deny}\n"
CALLED = (
    HEAD + "tools: {t: {args: {}, rules: [{id: once, when: 'has(session.calls.t) && "
    "session.calls.t >= 1', effect: deny}]}}\n"
)
START = (
    HEAD + "tools: {t: {args: {start: {type: string, format: date-time}},\n"
    "  rules: [{id: past, when: timestamp(args.start) < now, effect: deny}]}}\n"
)
SECRETS = "rules: [{id: words, tools: ['*'], check: {terms: {any: [boom]}}, effect: deny}]\n"
PROVED |= {
    "an amount that a limit sums": (
        HEAD + f"tools: {{pay: {{args: {{n: {AMOUNT}}}}}}}\n" + PAID,
        "n: string is taken as well",
        '"p/paid" denies what else it takes',
    ),
    "an amount that no limit lets through": (
        HEAD + f"tools: {{pay: {{args: {{n: {AMOUNT}}}}}}}\n" + PAID,
        "n: maximum 900 is 901",
        '"p/paid" denies what else it takes',
    ),
    "an amount that is compared": (
        FACT + f"tools: {{pay: {{args: {{n: {AMOUNT}}}, rules: [{BILLED}]}}}}\n",
        "n: string is taken as well",
        '"p/billed" denies what else it takes',
    ),
    "a number that a known amount is compared with": (
        FACT.replace("total: {type: number}", "total: {type: number, maximum: 1000, minimum: 0}")
        + f"tools: {{pay: {{args: {{n: {AMOUNT}}}, rules: [{BILLED}]}}}}\n",
        "facts.order: string is taken as well",
        "each rule that reads it speaks of such a value as before",
    ),
    "an amount above every cap": (
        HEAD + CAPS + CAPPED,
        "n: maximum 900 is 901",
        '"p/cap" denies what else it takes',
    ),
    "a class without a cap": (
        HEAD + CAPS + CAPPED,
        "k: the list is longer",
        '"p/cap" denies what else it takes',
    ),
    "a cap above what may be asked for": (
        HEAD + CAPS + CAPPED,
        'the bound 900 of "B" is 901',
        "nothing that fits what is declared of it is compared otherwise",
    ),
    "a product that is too large": (
        HEAD + f"tools: {{pay: {{args: {{n: {AMOUNT}, q: {{type: integer, minimum: 2, "
        "maximum: 9}},\n"
        "  rules: [{id: sum, when: double(args.q) * args.n > 1000.0, effect: deny}]}}\n",
        "n: maximum 900 is 901",
        '"p/sum" denies what else it takes',
    ),
    "elements of which each must be known": (
        GOODS + CODES,
        'codes: any type is taken, not only "string"',
        '"p/known" denies what else it takes',
    ),
    "elements that are counted": (
        GOODS + f"tools: {{t: {{args: {{}}, rules: [{HEAVY}]}}}}\n",
        "facts.s: string is taken as well",
        "each rule that reads it speaks of such a value as before",
    ),
    "a pupil that is nobody's child": (
        CHILDREN,
        "pupil: minimum 1 is 0",
        '"p/own" denies what else it takes',
    ),
    "a part of a pupil": (
        CHILDREN,
        "pupil: number is taken as well",
        '"p/own" denies what else it takes',
    ),
    "a constraint that no call breaks": (
        HEAD + "tools: {pay: {args: {n: {type: number, maximum: 5}}}}\n" + CEILING,
        'the rule "top" is gone',
        "each entry that grants such a call refuses what breaks it",
    ),
    "a limit of one's own below nothing": (
        LIMITED,
        "principal.attrs.most: minimum 0 is -1",
        "each rule that reads it speaks of such a value as before",
    ),
    "a market that no call is about": (
        MARKET,
        "principal.attrs.market: the list is longer",
        "each rule that reads it speaks of such a value as before",
    ),
    "a market that nobody is of": (
        MARKET,
        "market: the list is longer",
        '"p/own" denies what else it takes',
    ),
    "a model without a price": (
        PRICED,
        '"deny" is "allow"',
        '"p/cost" denies models without a price',
    ),
    "models that nothing names": (
        PRICED,
        "what no entry names is allowed",
        '"p/cost" denies models without a price',
    ),
    "tools that nothing else names": (
        OPEN_TOOLS,
        "the entry is gone",
        "what no entry names is denied as well",
    ),
    "a tool that was not called": (
        CALLED,
        "the clause `has(session.calls.t)` is gone",
        "a tool that was not called was called no times",
    ),
    "a text that is no point in time": (
        START,
        "start: format is gone",
        '"p/past" denies what else it takes',
    ),
    "arguments that are all JSON": (
        HEAD
        + "tools: {t: {args: {s: {type: string}, l: {type: array, items: {enum: [a]}}}}}\n"
        + SECRETS,
        "what cannot be read passes the check",
        "each argument that it reads holds what can be read",
    ),
    "what is read as JSON": (
        HEAD + "output: [{id: form, check: {json: {schema: {type: array}}}, effect: deny}]\n",
        "what cannot be read passes the check",
        "what is no text is judged as JSON",
    ),
}
TEXTS = HEAD + (
    "input:\n"
    "  - {id: words, check: {terms: {any: [boom]}}, effect: redact}\n"
    "  - {id: more, check: {terms: {any: [bang]}}, effect: deny}\n"
)
PROVED["what another rule cannot read either"] = (
    TEXTS,
    "what cannot be read passes the check",
    '"p/words" denies what cannot be read',
)
UNPROVED = {
    "what another rule lets pass unread": (
        TEXTS.replace("effect: redact", "effect: redact, unread: allow"),
        "what cannot be read passes the check",
    ),
    "what another rule denies at times": (
        TEXTS.replace("effect: redact", "when: agent == 'a', effect: redact"),
        "what cannot be read passes the check",
    ),
    "an amount that a limit of another tool sums": (
        HEAD
        + f"tools: {{pay: {{args: {{n: {AMOUNT}}}}}, buy: {{args: {{n: {AMOUNT}}}}}}}\n"
        + PAID,
        "n: maximum 900 is 901",
    ),
    "an amount that a limit only observes": (
        HEAD
        + f"tools: {{pay: {{args: {{n: {AMOUNT}}}}}}}\n"
        + PAID.replace("max: 900", "max: 900, mode: observe"),
        "n: maximum 900 is 901",
    ),
    "a number that is no double": (
        FACT + "tools: {pay: {args: {n: {type: number}}, rules: "
        "[{id: least, when: args.n < 5.0, effect: deny}]}}\n",
        'n: any type is taken, not only "number"',
    ),
    "a number that is divided": (
        HEAD + f"tools: {{pay: {{args: {{n: {AMOUNT}}},\n"
        "  rules: [{id: odd, when: args.n / 2 != 3.5, effect: deny}]}}\n",
        "n: string is taken as well",
    ),
    "a cap that a key may have": (
        HEAD + CAPS.replace("B: 900", "B: 800") + CAPPED,
        'the bound 800 of "B" is 801',
    ),
    "an amount above one cap alone": (
        HEAD + CAPS.replace("B: 900", "B: 950") + CAPPED,
        "n: maximum 900 is 901",
    ),
    "elements of which one must be known": (
        GOODS + CODES.replace("!args.codes.all(", "!args.codes.exists("),
        'codes: any type is taken, not only "string"',
    ),
    "a limit of one's own that is asked to be above": (
        LIMITED.replace("args.n > principal", "args.n < principal"),
        "principal.attrs.most: minimum 0 is -1",
    ),
    "a market that calls may be about": (
        MARKET.replace("args: {market: {enum: [north, south]}}", "args: {market: {type: string}}"),
        "principal.attrs.market: the list is longer",
    ),
    "a model with a price": (
        PRICED.replace("prices: {", "prices: {big-1: {input: 1, output: 2}, "),
        '"deny" is "allow"',
    ),
    "models that are counted and cost nothing": (
        PRICED.replace("cost_usd", "tokens"),
        "what no entry names is allowed",
    ),
    "tools that a glob grants": (
        OPEN_TOOLS.replace("read:", "'*_all':"),
        "the entry is gone",
    ),
    "tools where the rest is allowed": (
        OPEN_TOOLS.replace("tools:", "default: allow\ntools:"),
        "the entry is gone",
    ),
    "a tool that need not have been called": (
        CALLED.replace(">= 1", "< 1"),
        "the clause `has(session.calls.t)` is gone",
    ),
    "a number that is a point in time": (START, "start: number is taken as well"),
    "a text of another form": (
        START.replace("timestamp(args.start) < now", "args.start.startsWith('2025')"),
        "start: format is gone",
    ),
    "a constraint that one call breaks": (
        HEAD + "tools: {pay: {args: {n: {type: number, maximum: 10}}}}\n" + CEILING,
        'the rule "top" is gone',
    ),
    "a bound that does something": (
        HEAD + "tools: {t: {args: {s: {type: string, minLength: 1, pattern: '^[a-z]*$'}}}}\n",
        "s: minLength 1 is gone",
    ),
    "what a rule only asks about": (
        PROVED["a list whose elements are looked at"][0].replace(
            "effect: deny", "effect: require_approval, approval: {approvers: [a], expires: 1h}"
        ),
        "l: string is taken as well",
    ),
    "what a rule only observes": (
        PROVED["a list whose elements are looked at"][0].replace(
            "effect: deny", "effect: deny, mode: observe"
        ),
        "l: string is taken as well",
    ),
    "a list whose elements may be missing": (
        HEAD + "tools: {t: {args: {l: {type: array, items: {type: string}}},\n"
        "  rules: [{id: b, when: 'context.b && args.l.exists(e, e == \"a\")', effect: deny}]}}\n"
        "context: {b: {type: boolean}}\n",
        "l: string is taken as well",
    ),
    "a fact that must be equal to be stopped": (
        FACT + f"tools: {{t: {{args: {{}}, rules: [{OWN.replace('!=', '==')}]}}}}\n",
        'facts.order: any type is taken, not only "string"',
    ),
    "a number, which is no double where its type is not declared": (
        FACT + "tools: {t: {args: {}, rules: "
        "[{id: much, when: facts.order.total > 5.0, effect: deny}]}}\n",
        'facts.order: any type is taken, not only "number"',
    ),
    "a fact that a tool reads without the rule that stops it": (
        FACT + f"tools: {{t: {{args: {{}}, rules: [{OWN}, {OPEN}]}}, u: {{args: {{}}, rules: "
        f"[{OPEN.replace('id: open', 'id: open2')}]}}}}\n",
        'facts.order: any type is taken, not only "string"',
    ),
    "a state that one rule lets through": (
        FACT
        + f"tools: {{t: {{args: {{}}, rules: [{OPEN}]}}, u: {{args: {{}}, rules: [{OWN}]}}}}\n",
        "facts.order: the list is longer",
    ),
    "a ceiling below an entry's own": (
        HEAD + "tools: {pay: {args: {n: {type: number, maximum: 10}}}}\n" + CEILING,
        "n: maximum 9 is 10",
    ),
    "a ceiling where an entry takes anything": (
        HEAD + "tools: {pay: allow}\n" + CEILING,
        "n: maximum 9 is 10",
    ),
    "a ceiling where an entry's argument may be absent": (
        HEAD + "tools: {pay: {args: {n: {type: number, maximum: 5, optional: true}}}}\n" + CEILING,
        "n: the argument may be absent",
    ),
    "a ceiling where an entry takes nothing for a number": (
        HEAD + "tools: {pay: {args: {n: {type: [number, 'null'], maximum: 5}}}}\n" + CEILING,
        "n: the argument may be absent",
    ),
    "a ceiling where names without an entry are allowed": (
        HEAD + "default: allow\ntools: {pay: {args: {n: {type: number, maximum: 5}}}}\n" + CEILING,
        "n: maximum 9 is 10",
    ),
    "a glob that covers more": (
        HEAD + "tools: {pay_all: {args: {n: {type: number}}}}\n" + CEILING,
        '"*pay*" is "*pay" in `tools`',
    ),
    "a glob over a glob": (
        HEAD + "tools: {'to_*': {args: {n: {type: number, minimum: 10}}}}\n" + CEILING,
        '"*pay*" is "*pay" in `tools`',
    ),
}


def proved(text, what):
    compiled = load_texts({"p.yaml": text})
    variants = Variants(compiled)
    *_, mutant = (one for one in mutants_of(compiled) if one.what == what)
    changed = variants.make(mutant.index, mutant.policy, mutant.unit)
    return prove(mutant, compiled, changed)


@pytest.mark.parametrize("name", PROVED)
def test_it_is_proved_that_a_mutant_decides_alike(name):
    text, what, why = PROVED[name]
    assert proved(text, what) == why


@pytest.mark.parametrize("name", UNPROVED)
def test_it_is_not_proved_of_a_mutant_that_decides_otherwise(name):
    assert proved(*UNPROVED[name]) is None


@pytest.mark.parametrize("name", UNPROVED)
def test_a_call_tells_each_of_those_apart(name):
    text, what = UNPROVED[name]
    compiled = load_texts({"p.yaml": text})
    examiner = Examiner(compiled, [])
    *_, number = (i for i, one in enumerate(examiner.mutants) if one.what == what)
    assert examiner.examine(number).fate == "survived"


def test_a_tool_that_was_not_called_was_called_no_times():
    """A plain mapping counts like any other, so that the proof about calls holds of it."""
    assert Session(calls={"a": 1}).calls["b"] == 0
    assert Session(calls={"a": 1}).calls["a"] == 1


@pytest.mark.parametrize("path", ["policies", "tests/design.yaml"])
def test_no_call_is_found_for_what_is_proved(path):
    """The search for a call tries to break each proof about the project's own policies."""
    compiled = load(str(ROOT / path), warm=False)
    examiner = Examiner(compiled, [])
    found = 0
    for mutant in examiner.mutants:
        try:
            changed = examiner._variant(mutant)
        except PolicyError:
            continue
        if prove(mutant, compiled, changed) is None:
            continue
        names = examiner._names(mutant)
        hunt = examiner._search(mutant, names).hunt(mutant, Engine(changed), names or ())
        assert (hunt.made() or hunt.tried()) is None, mutant.what
        found += 1
    assert found >= 3
