"""Generated expressions give the same here and with Google's implementation."""

import math

import pytest
from conformance_cases import ERROR, evaluate
from expressions import TYPES, bindings, boolean, double, integer, list_of_strings, string
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy_engine.cel.types import ListType, MapType
from policy_engine.cel.values import List

cel = pytest.importorskip("cel_expr_python.cel")
ext = pytest.importorskip("cel_expr_python.ext")


def _reference_type(kind):
    if isinstance(kind, ListType):
        return cel.Type.List(_reference_type(kind.element))
    if isinstance(kind, MapType):
        return cel.Type.Map(_reference_type(kind.key), _reference_type(kind.value))
    return getattr(cel.Type, kind.name.upper())


@pytest.fixture(scope="module")
def reference():
    from cel_expr_python.ext import ext_bindings, ext_math, ext_optional, ext_strings

    return cel.NewEnv(
        variables={name: _reference_type(kind) for name, kind in TYPES.items()},
        extensions=[
            ext_strings.ExtStrings(),
            ext_math.ExtMath(),
            ext_optional.ExtOptional(),
            ext_bindings.ExtBindings(),
        ],
    )


def _plain(value):
    if isinstance(value, list | tuple | List):
        return [_plain(item) for item in value]
    return value


def _same(first, second):
    if isinstance(first, float) and isinstance(second, float):
        return first == second or (math.isnan(first) and math.isnan(second))
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(_same, first, second))
    return type(first) is type(second) and first == second


def _reference(environment, text, values):
    value = environment.compile(text).eval(data=values)
    return ERROR if value.type() == cel.Type.ERROR else _plain(value.plain_value())


SIZES = st.integers(1, 3)
TEXTS = SIZES.flatmap(
    lambda depth: st.one_of(
        boolean(depth),
        boolean(depth),
        integer(depth),
        string(depth),
        double(depth),
        list_of_strings(depth),
    )
)


@settings(
    max_examples=4000,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(text=TEXTS, values=bindings)
def test_generated_expressions_give_what_the_reference_gives(reference, text, values):
    wanted = _reference(reference, text, values)
    got = evaluate(text, TYPES, values)
    assert _same(_plain(got), wanted), (text, values, got, wanted)
