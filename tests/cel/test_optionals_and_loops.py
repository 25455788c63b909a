"""Optionals, macros with two variables, and what is wrong with them."""

import pytest
from test_problems import problems
from test_three_values import ask

ARGS = {
    "note": "n",
    "any": {"x": [1, {"y": 2}]},
    "order": {"total": 3, "extra": "e"},
    "items": [{"price": 2, "memo": "m"}, {"price": "bad"}],
    "tags": ["a", 5],
    "sizes": {"a": 1, "b": "2"},
    "sums": [1, 2.5],
    "amount": 2,
    "name": "a",
}

OUTCOMES = [
    ("args.?note.hasValue()", True),
    ("args.?maybe.hasValue()", False),
    ("args.?note.value() == 'n'", True),
    ("args.?maybe.value() == 'n'", None),
    ("args.?maybe.orValue('z') == 'z'", True),
    ("args.?order.?total.orValue(0.0) == 3.0", True),
    ("args.?order.total.orValue(0.0) == 3.0", True),
    ("args.?order.?extra.orValue('') == 'e'", True),
    ("args.?order.?other.hasValue()", False),
    ("has(args.?order.total)", True),
    ("args.items[?0].?price.orValue(0.0) == 2.0", True),
    ("args.items[?1].?price.orValue(0.0) == 2.0", None),
    ("args.items[?2].?price.orValue(0.0) == 0.0", True),
    ("args.items[?2].price.hasValue()", False),
    ("args.tags[?0].orValue('z') == 'a'", True),
    ("args.tags[?1].orValue('z') == 'z'", None),
    ("args.tags[?2].orValue('z') == 'z'", True),
    ("args.sizes[?'a'].orValue(0) == 1", True),
    ("args.sizes.?b.orValue(0) == 1", None),
    ("args.sizes.?c.orValue(0) == 0", True),
    ("args.?sizes.hasValue()", None),
    ("args.any.?x[?0].orValue(0) == 1", True),
    ("args.any.?x[1].?y.orValue(0) == 2", True),
    ("args.any[?'z'].hasValue()", False),
    ("optional.of(1).optMap(x, x + 1).value() == 2", True),
    ("optional.of(1).optFlatMap(x, optional.none()).hasValue()", False),
    ("optional.of(1) == optional.of(1.0)", True),
    ("optional.of(1) == dyn(1)", False),
    ("optional.ofNonZeroValue('').or(optional.of('x')).value() == 'x'", True),
    ("optional.ofNonZeroValue([]).hasValue() || optional.ofNonZeroValue(0u).hasValue()", False),
    ("[1, ?optional.none(), ?optional.of(2)] == [1, 2]", True),
    ("{?'a': optional.none(), 'b': 1} == {'b': 1}", True),
    ("[?dyn(1)] == [1]", None),
    ("{?'a': dyn(1)} == {'a': 1}", None),
    ("dyn(1).hasValue()", None),
    ("vars.?limit.orValue(0) == 5 && !vars.?other.hasValue()", True),
    ("has(vars.limit) && !has(vars.other)", True),
    ("args.sizes.transformMap(k, v, k == 'a', v + 1) == {'a': 2}", None),
    ("{'a': 1}.transformMap(k, v, v + 1) == {'a': 2}", True),
    ("{'a': 1}.transformMap(k, v, v > 1, v + 1) == {}", True),
    ("{'a': 1, true: 2}.transformMapEntry(k, v, {v: k}) == {1: 'a', 2: true}", True),
    ("['x', 'x'].transformMapEntry(i, v, {v: i}) == {'x': 0}", None),
    ("['x'].transformMapEntry(i, v, dyn(i)) == {}", None),
    ("args.sums.transformList(i, v, v * 2 > i, v) == [1.0, 2.5]", True),
    ("args.sums.exists(i, v, i == 1 && v == 2.5)", True),
    ("args.tags.all(i, t, t == 'a')", None),
    ("args.tags.exists_one(t, t == 'a')", None),
    ("args.order.exists(k, k == 'total')", True),
    ("args.order.exists(k, v, v == 'e')", True),
    ("args.any.all(k, k == 'x')", True),
    ("args.any.all(k, v, v.size() == 2)", True),
    ("args.sizes.map(k, k).size() == 2", True),
    ("{1: 'a', true: 'b'}.exists(k, k == true)", True),
    ("{1: 'a', 1: 'b'}.size() == 1", None),
    ("{1: 'a', 1u: 'b'}.size() == 1", None),
    ("{1.5: 'a'}.size() == 1", None),
    ("ip('10.1.2.3') == cidr('10.1.2.3/8').ip()", True),
    ("cidr('10.0.0.0/8').containsIP(args.name)", None),
    ("cidr('10.0.0.0/8').containsIP('::ffff:a01:203')", True),
    ("isCIDR('10.0.0.0/8') && !isCIDR('10.0.0.0') && !isIP('x')", True),
    ("cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8')", True),
    ("base64.decode(base64.encode(b'ab')) == b'ab'", True),
    ("base64.decode('*') == b''", None),
    ("strings.quote('a\"b') == '\"a\\\\\"b\"'", True),
    ("args.any.x[args.amount] == 1", None),
    ("args.any.x[0.0] == 1", True),
    ("args.order[args.name] == 1", None),
    ("args.order['extra'] == 'e'", True),
    ("type(args.amount) == double && type(args.any) == map && type([]) == list", True),
    ("-args.amount < 0 && -duration('1s') < duration('0')", True),
    ("b'a' + b'b' == b'ab' && bytes('é').size() == 2 && string(b'a') == 'a'", True),
    ("args.name.substring(0, 1) == 'a' && 'abc'.substring(1, 3) == 'bc'", True),
    ("'abc'.substring(2, 1) == ''", None),
    ("'tacocat'.indexOf('c', 9) == 0", None),
]


@pytest.mark.parametrize(("text", "outcome"), OUTCOMES)
def test_outcomes(text, outcome):
    assert ask(text, **ARGS) is outcome


MESSAGES = [
    ("args.count.x == 1", '"x" is read from an int, without fields'),
    ("has(args.count.x)", '"x" is read from an int, without fields'),
    ("args.count[0] == 1", "an int has no elements"),
    ("args.sizes[1] == 1", "the keys of a map(string, int) are not an int"),
    ("args.order[1] == 1", 'the keys of "order" are strings, not an int'),
    ("session[args.name] == 1", 'the fields of "session" are read by name'),
    ("[?1] == [1]", '"?" takes an optional, not an int'),
    ("args.name.optMap(x, x) == 1", '"optMap" is called on an optional, not on a string'),
    ("optional.of(1).optFlatMap(x, x) == 1", '"optFlatMap" makes an optional, not an int'),
    ("[1].transformMapEntry(i, v, i) == {}", '"transformMapEntry" makes a map, not an int'),
    ("args.flag ? 1 : 'x'", '"?:" gives an int or a string'),
    ("session.all(k, true)", '"all" goes over a list or a map, not over a session'),
    ("size('a', 'b') > 1", '"size" does not take (string, string)'),
    ("matches('a') || true", '"matches" does not take (string)'),
    ("trim('a') == 'a'", '"trim" is not a function'),
    ("args.name.int() == 1", '"int" is not a function'),
    ("args.tags.map(x) == []", '"map" is not a function'),
    ("args.tags.all(x, x, true)", "a macro's two variables have different names"),
    ("cel.bind(x, 1) == 1", '"cel.bind" takes a name, a value and an expression'),
    ("args.nope.all(x, true)", '"nope" is not a field of "args"'),
    ("has(args.nope)", '"nope" is not a field of "args"'),
    ("args.name.matches('a' + ')')", None),
    ("has(args.order.nope)", None),
]


@pytest.mark.parametrize(("text", "message"), MESSAGES)
def test_messages(text, message):
    if message is None:
        assert ask(text, **ARGS) in (None, False)
    else:
        assert message in {problem.message for problem in problems(text)}
