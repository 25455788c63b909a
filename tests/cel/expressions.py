"""Hypothesis strategies for well-typed expressions over a few variables, and for their values."""

from functools import cache

from hypothesis import strategies as st

from policy_engine.cel import BOOL, DOUBLE, DYN, INT, STRING, ListType, MapType

TYPES = {
    "i": INT,
    "j": INT,
    "x": DOUBLE,
    "y": DOUBLE,
    "p": BOOL,
    "s": STRING,
    "t": STRING,
    "li": ListType(INT),
    "ls": ListType(STRING),
    "m": MapType(STRING, INT),
    "d": DYN,
}

LETTERS = "ab é😀Z%"
words = st.text(LETTERS, max_size=5)
ints = st.sampled_from([0, 1, 2, 3, 5, -1, -7, 2**31, 2**63 - 1, -(2**63)]) | st.integers(-9, 9)
doubles = st.sampled_from([0.0, 0.5, 1.0, -2.25, 3.5, 1e18, -1e300, 2.5e-7]) | st.floats(
    -100, 100, allow_nan=False
)
json_values = st.recursive(
    st.none() | st.booleans() | ints | doubles | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
bindings = st.fixed_dictionaries(
    {
        "i": ints,
        "j": ints,
        "x": doubles,
        "y": doubles,
        "p": st.booleans(),
        "s": words,
        "t": words,
        "li": st.lists(ints, max_size=4),
        "ls": st.lists(words, max_size=4),
        "m": st.dictionaries(st.sampled_from(["a", "b", "é"]), ints, max_size=3),
        "d": json_values,
    }
)


def quoted(text):
    """Return a string literal."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _form(pattern, *parts):
    return st.tuples(*parts).map(lambda values: pattern.format(*values))


_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")


@cache
def integer(depth, names=()):
    """Return a strategy for texts of type int."""
    leaves = ints.map(str) | st.sampled_from(["i", "j", *names])
    if depth == 0:
        return leaves
    sub = integer(depth - 1, names)
    text = string(depth - 1)
    return st.one_of(
        leaves,
        _form("({} {} {})", sub, st.sampled_from("+-*/%"), sub),
        _form("(-({}))", sub),
        _form("({} ? {} : {})", boolean(depth - 1, names), sub, sub),
        _form("size({})", text),
        _form("{}.size()", list_of_ints(depth - 1)),
        _form("{}.indexOf({})", text, text),
        _form("{}.lastIndexOf({})", text, text),
        _form("{}[{}]", list_of_ints(depth - 1), sub),
        _form("m[{}]", text),
        _form("m.{}", st.sampled_from("ab")),
        _form("int({})", double(depth - 1)),
        _form("math.abs({})", sub),
        _form("math.greatest({}, {})", sub, sub),
        _form("math.bitAnd({}, {})", sub, sub),
        _form("math.bitShiftRight({}, {})", sub, sub),
        _form("optional.of({}).orValue({})", sub, sub),
        _form("{}[?{}].orValue({})", list_of_ints(depth - 1), sub, sub),
        _form("m.?{}.orValue({})", st.sampled_from("ab"), sub),
        _form("cel.bind(k{0}, {1}, {2} + k{0})", st.just(depth), sub, sub),
    )


@cache
def double(depth):
    """Return a strategy for texts of type double."""
    leaves = doubles.map(repr) | st.sampled_from(["x", "y"])
    if depth == 0:
        return leaves
    sub = double(depth - 1)
    return st.one_of(
        leaves,
        _form("({} {} {})", sub, st.sampled_from("+-*/"), sub),
        _form("double({})", integer(depth - 1)),
        _form("math.{}({})", st.sampled_from(["ceil", "floor", "trunc", "round", "abs"]), sub),
        _form("({} ? {} : {})", boolean(depth - 1), sub, sub),
    )


@cache
def string(depth):
    """Return a strategy for texts of type string."""
    leaves = words.map(quoted) | st.sampled_from(["s", "t"])
    if depth == 0:
        return leaves
    sub = string(depth - 1)
    number = integer(depth - 1)
    return st.one_of(
        leaves,
        _form("({} + {})", sub, sub),
        _form("{}.lowerAscii()", sub),
        _form("{}.upperAscii()", sub),
        _form("{}.trim()", sub),
        _form("{}.reverse()", sub),
        _form("{}.charAt({})", sub, number),
        _form("{}.substring({})", sub, number),
        # The reference takes an end right behind the last character for an error.
        _form("({0} + '!').substring(0, {0}.size())", sub),
        _form("{}.replace({}, {})", sub, sub, sub),
        _form("{}.join({})", list_of_strings(depth - 1), sub),
        _form("string({})", number),
        _form("string({})", boolean(depth - 1)),
        _form("{}[{}]", list_of_strings(depth - 1), number),
        _form("({} ? {} : {})", boolean(depth - 1), sub, sub),
    )


@cache
def list_of_ints(depth):
    """Return a strategy for texts of type list(int)."""
    if depth == 0:
        return st.just("li") | st.lists(ints.map(str), max_size=3).map(", ".join).map("[{}]".format)
    sub = list_of_ints(depth - 1)
    return st.one_of(
        st.just("li"),
        st.lists(integer(depth - 1), max_size=3).map(", ".join).map("[{}]".format),
        _form("({} + {})", sub, sub),
        _form("{}.filter(e, {})", sub, boolean(depth - 1, ("e",))),
        _form("{}.map(e, {})", sub, integer(depth - 1, ("e",))),
        _form("{}.map(e, {}, {})", sub, boolean(depth - 1, ("e",)), integer(depth - 1, ("e",))),
    )


@cache
def list_of_strings(depth):
    """Return a strategy for texts of type list(string)."""
    leaves = st.just("ls") | st.lists(words.map(quoted), max_size=3).map(", ".join).map(
        "[{}]".format
    )
    if depth == 0:
        return leaves
    sub = string(depth - 1)
    return st.one_of(
        leaves,
        _form("{}.split({})", sub, sub),
        _form("{}.split({}, {})", sub, sub, st.sampled_from(["-1", "0", "1", "2"])),
        _form("({} + {})", list_of_strings(depth - 1), list_of_strings(depth - 1)),
    )


@cache
def dynamic(depth):
    """Return a strategy for texts without a static type."""
    leaves = st.sampled_from(["d", "d.a", 'd["b"]', "d[0]", "d[1]"])
    if depth == 0:
        return leaves
    return st.one_of(
        leaves,
        _form("dyn({})", integer(depth - 1)),
        _form("dyn({})", string(depth - 1)),
        _form("[{}, {}][{}]", leaves, integer(depth - 1), st.sampled_from(["0", "1"])),
    )


@cache
def boolean(depth, names=()):
    """Return a strategy for texts of type bool."""
    leaves = st.sampled_from(["true", "false", "p"])
    if depth == 0:
        return leaves
    sub = boolean(depth - 1, names)
    number, text = integer(depth - 1, names), string(depth - 1)
    sign = st.sampled_from(_COMPARISONS)
    return st.one_of(
        leaves,
        _form("({} && {})", sub, sub),
        _form("({} || {})", sub, sub),
        _form("({} && {} && {})", sub, sub, sub),
        _form("!{}", sub),
        _form("({} ? {} : {})", sub, sub, sub),
        _form("({} {} {})", number, sign, number),
        _form("({} {} {})", text, sign, text),
        _form("({} {} {})", double(depth - 1), sign, double(depth - 1)),
        _form("({} {} {})", dynamic(depth - 1), st.sampled_from(["==", "!="]), dynamic(depth - 1)),
        _form("({} < {})", dynamic(depth - 1), number),
        _form("({} == {})", dynamic(depth - 1), text),
        _form("({} in {})", number, list_of_ints(depth - 1)),
        _form("({} in {})", text, list_of_strings(depth - 1)),
        _form("({} in m)", text),
        _form("({} in {})", dynamic(depth - 1), list_of_strings(depth - 1)),
        _form("({} == {})", list_of_ints(depth - 1), list_of_ints(depth - 1)),
        _form("{}.startsWith({})", text, text),
        _form("{}.endsWith({})", text, text),
        _form("{}.contains({})", text, text),
        _form("{}.matches({})", text, st.sampled_from(['"a+b?$"', '"^[a-z]*$"', '"é|Z"'])),
        _form("{}.all(e, {})", list_of_ints(depth - 1), boolean(depth - 1, ("e",))),
        _form("{}.exists(e, {})", list_of_ints(depth - 1), boolean(depth - 1, ("e",))),
        _form("{}.exists_one(e, {})", list_of_ints(depth - 1), boolean(depth - 1, ("e",))),
        _form("has(m.{})", st.sampled_from("ab")),
        _form("has(d.{})", st.sampled_from("ab")),
        _form("m.exists(k, m[k] > {})", number),
    )
