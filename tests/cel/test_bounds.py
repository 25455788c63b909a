"""Expressions are bounded when they are compiled and when they run, and never raise."""

import ast
import math
import sys
from types import FunctionType, SimpleNamespace

import pytest
from expressions import TYPES, boolean, doubles, ints, words
from hypothesis import given, settings
from hypothesis import strategies as st
from test_three_values import ENVIRONMENT, FACTS, NOW, ask

from policy_engine.cel import (
    CANNOT_TELL,
    DYN,
    INT,
    STRING,
    Environment,
    ExpressionError,
    Variable,
    compile_condition,
    compile_value,
)
from policy_engine.cel import code as code_module

TOO_LARGE = [
    ("(" * 33 + "true" + ")" * 33, "nests at most 32 levels"),
    ("[" * 5000 + "]" * 5000, "nests at most 32 levels"),
    ("!" * 5000 + "true", "at most 100 levels deep"),
    ("1" + "+1" * 200 + " == 1", "at most 100 levels deep"),
    ("args.flag" + " && args.flag" * 1200, "has at most 2000 parts"),
    ("true" + " " * 16_384, "has at most 16384 characters"),
    ("args" + ".x" * 200, "at most 100 levels deep"),
    ("true ? " * 200 + "true" + " : true" * 200, "nests at most 32 levels"),
    ("true ? true : " * 200 + "true", "at most 100 levels deep"),
    ("-" * 5000 + "1 == 1", "at most 100 levels deep"),
]


@pytest.mark.parametrize(("text", "message"), TOO_LARGE)
def test_a_large_expression_is_a_problem(text, message):
    with pytest.raises(ExpressionError) as raised:
        compile_condition(text, ENVIRONMENT)
    assert message in raised.value.problems[0].message


def test_the_deepest_expressions_compile_and_run():
    assert ask("(" * 31 + "true" + ")" * 31) is True
    assert ask("true" + " && true" * 900) is True
    assert ask("false" + " || false" * 900 + " || true") is True
    assert ask("1" + "+1" * 90 + " == 91") is True
    assert ask("!" * 90 + "true") is True
    nested = "[1]" + ".map(a, a)" * 40 + " == [1]"
    assert ask(nested) is True
    inside = "args.flag"
    for number in range(25):
        inside = f"[1].all(v{number}, {inside})"
    assert ask(inside, flag=True) is True
    assert ask(inside, flag=1) is None


GROWTH = [
    ("args.tags.all(t, true)", {"tags": ["x"] * 10_000}, True),
    ("args.tags.all(t, true)", {"tags": ["x"] * 10_001}, None),
    ("args.tags.all(t, args.tags.all(u, true))", {"tags": ["x"] * 99}, True),
    ("args.tags.all(t, args.tags.all(u, true))", {"tags": ["x"] * 100}, None),
    ("(args.name + args.name).size() > 1", {"name": "x" * 500_000}, True),
    ("(args.name + args.name).size() > 1", {"name": "x" * 600_000}, None),
    ("args.name.replace('x', args.name) != ''", {"name": "x" * 2_000}, None),
    ("args.tags.map(t, args.name + t).size() > 1", {"name": "x" * 600, "tags": ["x"] * 2_000},
     None),
    ("'%.1000f'.format([1.5]).size() > 1", {}, True),
    ("'%.1001f'.format([1.5]).size() > 1", {}, None),
    ("args.name.matches(args.name)", {"name": "x" * 256}, True),
    ("args.name.matches(args.name)", {"name": "x" * 257}, None),
    ("'x'.matches(args.name)", {"name": "("}, None),
    ("'x'.matches(args.name)", {"name": "(((x{99}){99}){99}){99}"}, None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "args", "outcome"), GROWTH)
def test_what_costs_too_much_cannot_tell(text, args, outcome):
    assert ask(text, **args) is outcome


def test_doubling_ends():
    text = "args.name"
    for number in range(14):
        text = f"cel.bind(b{number}, {text}, b{number} + b{number})"
    assert ask(f"{text}.size() == 16384", name="x") is True
    for number in range(14, 25):
        text = f"cel.bind(b{number}, {text}, b{number} + b{number})"
    assert ask(f"{text}.size() > 0", name="x") is None
    nested = "[1]"
    for number in range(25):
        nested = f"cel.bind(b{number}, {nested}, [b{number}, b{number}])"
    assert ask(f"{nested} == {nested.replace('b', 'c').replace('cel.cind', 'cel.bind')}") is None


class Hostile:
    """An object whose every use fails."""

    def __getattribute__(self, name):
        raise RuntimeError(name)

    def __eq__(self, other):
        raise MemoryError

    __hash__ = None


class Liar(str):
    """A string that says it equals everything."""

    __slots__ = ()

    def __eq__(self, other):
        return True

    __hash__ = str.__hash__


REQUESTS = {
    "none": None,
    "hostile": Hostile(),
    "object": object(),
    "int": 5,
    "hostile arguments": SimpleNamespace(args=Hostile()),
}


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize(
    "text",
    ["args.flag", "args.name == 'x' || args.flag", "has(args.note)", "args.any == args.any",
     "args.tags.exists(t, t == 'x')", "'x' in args.tags", "now.getHours() > 1"],
)  # fmt: skip
def test_strange_requests_cannot_tell(name, text):
    assert compile_condition(text, ENVIRONMENT).function(REQUESTS[name], FACTS) is None


def test_strange_values_cannot_tell():
    assert ask("args.name == 'x'", name=Liar("y")) is None
    assert ask("'x' in args.tags", tags=[Liar("y")]) is None
    assert ask("args.any == 'x'", any=Liar("y")) is None
    assert ask("args.any == args.any", any=Hostile()) is None
    loop = []
    loop.append(loop)
    assert ask("args.any == args.any", any=loop) is None


def test_a_nearly_exhausted_stack_cannot_tell():
    condition = compile_condition("args.any == args.any || args.flag", ENVIRONMENT).function
    deep = []
    for _ in range(sys.getrecursionlimit() * 2):
        deep = [deep]
    request = SimpleNamespace(args={"any": deep, "flag": 1})
    assert condition(request, FACTS) is None

    def descend(level):
        try:
            return descend(level + 1)
        except RecursionError:
            return condition(request, FACTS)

    assert descend(0) is None


def problems_of(compile_it, *arguments):
    try:
        compile_it(*arguments)
    except ExpressionError as error:
        return error.problems
    return ()


@given(st.text() | st.text("()[]{}?:.,+-*/%!<>=&|\"'`\\ abcr0123456789ux\n", max_size=60))
def test_junk_raises_nothing_but_an_expression_error(text):
    found = problems_of(compile_condition, text, ENVIRONMENT)
    found += problems_of(compile_value, text, ENVIRONMENT, (DYN,))
    for problem in found:
        assert 0 <= problem.offset <= len(text)
        assert problem.length >= 1
        assert problem.message


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.complex_numbers()
    | st.datetimes()
    | st.timedeltas()
    | st.just(Hostile),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text("ab", max_size=1) | st.integers() | st.booleans(), inner, max_size=3
        )
        | st.tuples(inner)
        | st.frozensets(st.text(max_size=2), max_size=3)
    ),
    max_leaves=5,
)


@settings(deadline=None)
@given(text=boolean(3), values=st.fixed_dictionaries(dict.fromkeys(TYPES, JUNK)))
def test_junk_values_give_one_of_three_outcomes(text, values):
    variables = {name: Variable(kind, ("request", name)) for name, kind in TYPES.items()}
    condition = compile_condition(text, Environment(variables))
    assert condition.function(SimpleNamespace(**values), None) in (True, False, None)


@settings(deadline=None)
@given(text=boolean(3), values=st.fixed_dictionaries(dict.fromkeys(TYPES, JUNK)))
def test_the_same_request_gives_the_same_outcome(text, values):
    variables = {name: Variable(kind, ("request", name)) for name, kind in TYPES.items()}
    first = compile_condition(text, Environment(variables))
    second = compile_condition(text, Environment(variables))
    request = SimpleNamespace(**values)
    assert first == second
    assert first.function(request, None) is second.function(request, None)


def functions_of(condition):
    slow = condition.function.__globals__.get("_slow")
    return [condition.function] if slow is None else [condition.function, slow.make()]


@given(text=boolean(3))
def test_generated_functions_see_only_what_they_use(text):
    variables = {name: Variable(kind, ("request", name)) for name, kind in TYPES.items()}
    condition = compile_condition(text, Environment(variables))
    for function in functions_of(condition):
        assert isinstance(function, FunctionType)
        assert function.__globals__["__builtins__"] == {}
        assert function.__closure__ is None
        known = set(function.__globals__) - {"__builtins__"}
        assert all(name.startswith("_") for name in known)
        for name in function.__code__.co_names:
            assert name in known or name in TYPES or name in ("startswith", "endswith")


OPEN_CODE = [
    "(lambda: [x for x in y])",
    "x.__class__",
    "x.append",
    "open",
    "f'{x}'",
    "{**x}",
    "lambda: (yield)",
]


@pytest.mark.parametrize("source", OPEN_CODE)
def test_code_outside_the_closed_set_is_refused(source):
    tree = ast.parse(source)
    with pytest.raises(AssertionError, match="in generated code"):
        code_module.check_closed(tree, frozenset({"x", "y"}), frozenset())


def test_literal_text_never_becomes_code():
    text = "\"__import__('os')\" == args.name"
    assert ask(text, name="__import__('os')") is True


def test_a_value_that_cannot_tell_is_not_a_bool():
    expression = compile_value("args.count", ENVIRONMENT, (INT, STRING))
    value = expression.function(SimpleNamespace(args={}, now=NOW), FACTS)
    assert value is CANNOT_TELL
    with pytest.raises(TypeError):
        bool(value)


GOOD = {
    name: strategy | JUNK
    for name, strategy in {"i": ints, "x": doubles, "p": st.booleans(), "s": words}.items()
}
VARIABLES = {name: Variable(kind, ("request", name)) for name, kind in TYPES.items()}


@settings(deadline=None, max_examples=300)
@given(text=boolean(3), values=st.fixed_dictionaries(dict.fromkeys(TYPES, JUNK) | GOOD))
def test_the_quick_form_gives_what_the_absorbing_form_gives(text, values):
    condition = compile_condition(text, Environment(VARIABLES))
    request = SimpleNamespace(**values)
    outcomes = [function(request, None) for function in functions_of(condition)]
    assert len(set(outcomes)) == 1


def is_of_type(name, value):
    if name in ("i", "j"):
        whole = type(value) is int or (type(value) is float and value.is_integer())
        return whole and -(2**63) <= value < 2**63
    if name in ("x", "y"):
        if type(value) is int:
            return abs(value) <= 2**53
        return type(value) is float and math.isfinite(value)
    return type(value) is (bool if name == "p" else str)


@settings(deadline=None, max_examples=300)
@given(text=boolean(3), values=st.fixed_dictionaries(dict.fromkeys(TYPES, JUNK) | GOOD))
def test_a_scalar_of_another_type_is_as_good_as_absent(text, values):
    condition = compile_condition(text, Environment(VARIABLES))
    wrong = {n for n in ("i", "j", "x", "y", "p", "s", "t") if not is_of_type(n, values[n])}
    present = {name: value for name, value in values.items() if name not in wrong}
    with_wrong = condition.function(SimpleNamespace(**values), None)
    assert with_wrong is condition.function(SimpleNamespace(**present), None)
