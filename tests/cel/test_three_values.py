"""A condition is true, false, or cannot tell, and doubt is never true or false."""

import datetime as dt
import math
from types import MappingProxyType, SimpleNamespace

import pytest

from policy_engine.cel import (
    BOOL,
    CANNOT_TELL,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    NULL,
    STRING,
    TIMESTAMP,
    Constant,
    Environment,
    Field,
    ListType,
    MapType,
    RecordType,
    Variable,
    compile_condition,
    compile_value,
)

ITEM = RecordType("item", {"price": Field(DOUBLE), "memo": Field(STRING, optional=True)})
ARGS = RecordType(
    "args",
    {
        "amount": Field(DOUBLE),
        "count": Field(INT),
        "name": Field(STRING),
        "flag": Field(BOOL),
        "note": Field(STRING, optional=True),
        "any": Field(DYN),
        "maybe": Field(DYN, optional=True),
        "nothing": Field(NULL),
        "tags": Field(ListType(STRING)),
        "sums": Field(ListType(DOUBLE)),
        "items": Field(ListType(ITEM)),
        "sizes": Field(MapType(STRING, INT)),
        "order": Field(RecordType("order", {"total": Field(DOUBLE)}, open=True)),
    },
)
SESSION = RecordType(
    "session",
    {
        "id": Field(STRING, optional=True, path=("request", "session")),
        "labels": Field(ListType(STRING), path=("facts", "session", "labels")),
        "calls": Field(MapType(STRING, INT), path=("facts", "session", "calls")),
    },
)
ENVIRONMENT = Environment(
    {
        "args": Variable(ARGS, ("request", "args")),
        "session": Variable(SESSION),
        "now": Variable(TIMESTAMP, ("request", "now")),
        "age": Variable(DURATION, ("request", "age")),
        "vars": Constant({"words": ["a", "b"], "limit": 5, "nested": {"x": 1}}),
    }
)
FACTS = SimpleNamespace(
    session=SimpleNamespace(labels=frozenset({"untrusted", "pii"}), calls={"refund": 2})
)
NOW = dt.datetime(2026, 1, 5, 10, 30, tzinfo=dt.UTC)


def ask(text, facts=FACTS, session="s1", now=NOW, **args):
    request = SimpleNamespace(args=args, session=session, now=now, age=dt.timedelta(minutes=90))
    return compile_condition(text, ENVIRONMENT).function(request, facts)


HUGE = 10**400

READS = [
    # expression, argument, value, outcome
    ("args.amount > 100", "amount", 120.5, True),
    ("args.amount > 100", "amount", 120, True),
    ("args.amount > 100", "amount", 99, False),
    ("args.amount > 100", "amount", 2**53, True),
    ("args.amount > 100", "amount", 2**53 + 1, None),
    ("args.amount > 100", "amount", HUGE, None),
    ("args.amount > 100", "amount", math.nan, None),
    ("args.amount > 100", "amount", math.inf, None),
    ("args.amount > 100", "amount", -math.inf, None),
    ("args.amount > 100", "amount", True, None),
    ("args.amount > 100", "amount", "120", None),
    ("args.amount > 100", "amount", None, None),
    ("args.amount != 100", "amount", math.nan, None),
    ("args.amount == 1", "amount", True, None),
    ("args.amount in [1, 2.5]", "amount", 2.5, True),
    ("args.amount in [1, 2.5]", "amount", 1, True),
    ("args.amount in [1, 2.5]", "amount", True, None),
    ("args.amount * 2 > 100.0", "amount", 60, True),
    ("args.amount + 1 == 2", "amount", 1, True),
    ("args.count == 3", "count", 3, True),
    ("args.count == 3", "count", 3.0, True),
    ("args.count == 3", "count", 3.5, None),
    ("args.count == 3", "count", True, None),
    ("args.count == 1", "count", True, None),
    ("args.count > 3", "count", 2**63, None),
    ("args.count + 1 > 3", "count", 2**63 - 1, None),
    ("args.count > 3", "count", math.nan, None),
    ("args.count > 3", "count", math.inf, None),
    ('args.name == "x"', "name", "x", True),
    ('args.name == "x"', "name", 1, None),
    ('args.name != "x"', "name", None, None),
    ('args.name == "x"', "name", b"x", None),
    ('args.name.matches("^x+$")', "name", "xxx", True),
    ('args.name.matches("x")', "name", "\ud800", None),
    ('args.name.startsWith("x")', "name", "x\ud800", True),
    ("size(args.name) == 1", "name", "\U0001f600", True),
    ("args.flag", "flag", True, True),
    ("args.flag", "flag", 1, None),
    ("!args.flag", "flag", "", None),
    ('has(args.note) && args.note == "x"', "note", None, False),
    ('has(args.note) && args.note == "x"', "note", 5, None),
    ("has(args.note)", "note", 5, True),
    ("args.any == null", "any", None, True),
    ("args.any == 1", "any", 1.0, True),
    ("args.any == 1", "any", True, False),
    ("args.any == 1", "any", math.nan, None),
    ("args.any == 1", "any", HUGE, None),
    ("args.any == 1", "any", object(), None),
    ("args.any > 1", "any", "a", None),
    ("args.any", "any", True, True),
    ("args.any", "any", 1, None),
    ("args.any", "any", "true", None),
    ("args.any && false", "any", "true", False),
    ("args.any.x == 1", "any", {"x": 1}, True),
    ("args.any.x == 1", "any", {}, None),
    ("args.any.x == 1", "any", [1], None),
    ("args.any[0] == 1", "any", [1], True),
    ("args.any[0] == 1", "any", [math.nan], None),
    ("args.any == [1, 2]", "any", [1, 2.0], True),
    ("args.any == [1, 2]", "any", [1, math.inf], None),
    ("has(args.maybe) && args.maybe == 1", "maybe", None, False),
    ("has(args.nothing)", "nothing", None, True),
    ("has(args.any)", "any", None, True),
    ('"a" in args.tags', "tags", ["a"], True),
    ('"a" in args.tags', "tags", ("b",), False),
    ('"a" in args.tags', "tags", ["a", 5], None),
    ('"a" in args.tags', "tags", "a", None),
    ('"a" in args.tags', "tags", {"a": 1}, None),
    ('args.tags == ["a"]', "tags", ["a"], True),
    ('args.tags == ["a"]', "tags", ["b", 5], None),
    ('args.tags[0] == "a"', "tags", ["a", 5], True),
    ('args.tags[1] == "a"', "tags", ["a", 5], None),
    ('args.tags[1] == "a"', "tags", ["a"], None),
    ("args.tags.all(t, t == 'a')", "tags", ["a", "a"], True),
    ("args.tags.all(t, t == 'a')", "tags", ["a", 5], None),
    ("size(args.tags) == 2", "tags", ["a", 5], True),
    ("args.sums.exists(x, x > 2)", "sums", [1, 3], True),
    ("args.sums == [1.0, 3.0]", "sums", [1, 3], True),
    ("args.sums == [1.0, 3.0]", "sums", [1, math.nan], None),
    ("math.greatest(args.sums) == 3.0", "sums", [1, 3], True),
    ("args.items.all(i, i.price > 1)", "items", [{"price": 2}, {"price": 3, "memo": 7}], True),
    ("args.items.all(i, i.price > 1)", "items", [{"price": 2}, {}], None),
    ("args.items.all(i, i.price > 1)", "items", [{"price": 1}, {}], False),
    ("args.items.all(i, !has(i.memo))", "items", [{"price": 2}, 5], None),
    ('args.items[0] == {"price": 2.0}', "items", [{"price": 2}], True),
    ('args.items[0] == {"price": 2.0}', "items", [{"price": 2, "memo": None}], True),
    ('args.items[0] == {"price": 2.0}', "items", [{"price": "2"}], None),
    ('args.sizes["a"] == 1', "sizes", {"a": 1}, True),
    ('args.sizes["a"] == 1', "sizes", {"a": "1"}, None),
    ('args.sizes["b"] == 1', "sizes", {"a": 1}, None),
    ('"b" in args.sizes', "sizes", {"a": 1}, False),
    ("has(args.sizes.a)", "sizes", {"a": 1}, True),
    ("has(args.sizes.a)", "sizes", ["a"], None),
    ("args.sizes.all(k, args.sizes[k] < 2)", "sizes", {"a": 1, "b": 1}, True),
    ("args.sizes.all(k, v, v < 2)", "sizes", {"a": 1, "b": "1"}, None),
    ("args.sizes.all(k, true)", "sizes", {1: 1}, None),
    ("args.order.total > 1", "order", {"total": 2}, True),
    ("args.order.total > 1", "order", "total", None),
    ("args.order.other == 1", "order", {"total": 2, "other": 1}, True),
    ("args.order.other == 1", "order", {"total": 2}, None),
    ("has(args.order.total)", "order", None, None),
]


@pytest.mark.parametrize(("text", "name", "value", "outcome"), READS)
def test_a_value_of_another_type_cannot_tell(text, name, value, outcome):
    assert ask(text, **{name: value}) is outcome


@pytest.mark.parametrize("name", list(ARGS.fields))
def test_a_missing_argument_cannot_tell(name):
    field = ARGS.fields[name]
    guard = f"has(args.{name}) ? dyn(args.{name}) == 1 : true"
    assert ask(guard) is True
    if not field.optional:
        assert ask(f"dyn(args.{name}) == 1") is None


ABSORPTION = [
    ("args.flag || args.count / 0 > 1", True),
    ("args.count / 0 > 1 || args.flag", True),
    ("!args.flag && args.count / 0 > 1", False),
    ("args.count / 0 > 1 && !args.flag", False),
    ("args.flag && args.count / 0 > 1", None),
    ("args.count / 0 > 1 && args.flag", None),
    ("!args.flag || args.count / 0 > 1", None),
    ("args.count / 0 > 1 || !args.flag", None),
    ("args.name == 'x' || args.flag", True),
    ("args.flag || args.name == 'x'", True),
    ("args.name == 'x' && args.name == 'y' && !args.flag", False),
    ("(args.name == 'x' || args.flag) && (args.flag || args.name == 'x')", True),
    ("!(args.name == 'x' && !args.flag)", True),
    ("[1, 0].all(x, 1 / x > 1)", False),
    ("[0, 1].all(x, 1 / x > 1)", False),
    ("[0, 1].all(x, 1 / x > 0)", None),
    ("[0, 1].exists(x, 1 / x > 0)", True),
    ("[1, 0].exists(x, 1 / x > 0)", True),
    ("[0, 1].exists(x, 1 / x > 1)", None),
    ("[0, 1].exists_one(x, 1 / x > 0)", None),
    ("args.flag ? true : args.name == 'x'", True),
    ("args.name == 'x' ? true : true", None),
]


@pytest.mark.parametrize(("text", "outcome"), ABSORPTION)
def test_errors_are_absorbed_in_both_orders(text, outcome):
    assert ask(text, flag=True, count=3) is outcome


SESSIONS = [
    ('"untrusted" in session.labels', True),
    ('"other" in session.labels', False),
    ("session.labels.size() == 2", True),
    ('session.labels.exists(l, l.startsWith("pi"))', True),
    ('session.labels == ["pii", "untrusted"]', True),
    ("session.calls.refund < 3", True),
    ('session.calls["refund"] < 3', True),
    ('session.calls["other"] < 3', None),
    ('"other" in session.calls', False),
    ('has(session.id) && session.id == "s1"', True),
    ("now.getHours('Europe/Berlin') == 11", True),
    ("now.getHours('+02:00') == 12", True),
    ("now.getHours() == 10", True),
    ("now > timestamp('2026-01-05T00:00:00Z') + duration('10h')", True),
    ("age == duration('90m')", True),
    ("age.getHours() == 1", True),
    ("'a' in vars.words && vars.limit == 5 && vars.nested.x == 1", True),
    ("'c' in vars.words", False),
    ("vars.nested == {'x': 1}", True),
]


@pytest.mark.parametrize(("text", "outcome"), SESSIONS)
def test_session_time_and_constants(text, outcome):
    assert ask(text) is outcome


def test_a_mapping_that_is_no_dict_is_read_where_a_path_says_so():
    facts = SimpleNamespace(
        session=SimpleNamespace(labels=set(), calls=MappingProxyType({"refund": 2}))
    )
    assert ask("session.calls.refund < 3", facts) is True
    assert ask('"other" in session.calls', facts) is False
    assert ask("session.calls.exists(k, session.calls[k] == 2)", facts) is True


def test_an_absent_session_is_absent():
    assert ask("has(session.id)", session=None) is False
    assert ask("has(session.id) || true", session=None) is True


def test_a_time_without_a_zone_cannot_tell():
    assert ask("now.getHours() >= 0", now=dt.datetime(2026, 1, 1)) is None  # noqa: DTZ001
    assert ask("now.getHours() >= 0", now="2026-01-01T00:00:00Z") is None


VALUES = [
    ("args.amount", (DOUBLE,), {"amount": 3}, 3.0),
    ("args.amount", (DOUBLE, INT), {"amount": "3"}, CANNOT_TELL),
    ("args.count", (DOUBLE,), {"count": 3}, 3.0),
    ("args.any", (STRING, INT), {"any": "x"}, "x"),
    ("args.any", (STRING, INT), {"any": 5}, 5),
    ("args.any", (STRING, INT), {"any": True}, CANNOT_TELL),
    ("args.any", (STRING, INT), {"any": None}, CANNOT_TELL),
    ("args.tags", (ListType(STRING),), {"tags": ("a", "b")}, ["a", "b"]),
    ("args.tags", (ListType(STRING),), {"tags": ("a", 5)}, CANNOT_TELL),
    ("args.any", (DYN,), {"any": {"a": [1]}}, {"a": [1]}),
    ("now", (TIMESTAMP,), {}, NOW),
    ("age", (DURATION,), {}, dt.timedelta(minutes=90)),
    ("args.amount / 0.0", (DOUBLE,), {"amount": 0}, CANNOT_TELL),
    ("args.order", (DYN,), {"order": {"total": 2, "x": "y"}}, {"total": 2.0, "x": "y"}),
]


@pytest.mark.parametrize(("text", "want", "args", "value"), VALUES)
def test_values(text, want, args, value):
    request = SimpleNamespace(args=args, session=None, now=NOW, age=dt.timedelta(minutes=90))
    assert compile_value(text, ENVIRONMENT, want).function(request, FACTS) == value
