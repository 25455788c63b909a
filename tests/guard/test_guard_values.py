"""Which Python values can be judged, as what, and that what was judged is what arrives."""

import collections
import dataclasses
import enum
import functools
import threading
import time
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from datetime import time as clock_time
from decimal import Decimal
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Generic, NamedTuple, TypedDict, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import pydantic
import pytest
from guarding import asking, guard_of
from hypothesis import given
from hypothesis import strategies as st

from policy_engine import Denied
from policy_engine.guard.unjudgeable import UnjudgeableError
from policy_engine.guard.values import replaced, snapshot

T = TypeVar("T")


class Color(enum.Enum):
    RED = "red"
    PAIR = (1, "x")


class Word(enum.StrEnum):
    YES = "yes"


class Level(enum.IntEnum):
    HIGH = 3


class Right(enum.Flag):
    READ = 1
    WRITE = 2


class Mutable(enum.Enum):
    LIST = [1]  # noqa: RUF012 - that is the point


class Computed(enum.Enum):
    A = 1

    @property
    def value(self):
        return time.monotonic()


class Pair(NamedTuple):
    left: int
    right: list


Point = collections.namedtuple("Point", "x y")  # noqa: PYI024 - the old form is one too


class OddTuple(NamedTuple):
    x: int

    def __iter__(self):
        return iter([time.monotonic()])


class Typed(TypedDict):
    a: int


@dataclasses.dataclass
class Address:
    street: str
    tags: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Frozen:
    name: str
    address: Address


@dataclasses.dataclass(slots=True)
class Slotted:
    a: int
    b: list


@dataclasses.dataclass(frozen=True, slots=True)
class Derived(Frozen):
    more: int = 0


@dataclasses.dataclass
class Initialised:
    given: dataclasses.InitVar[str]
    made: str = dataclasses.field(init=False)
    still: int = dataclasses.field(init=False, default=7)

    def __post_init__(self, given):
        self.made = given.upper()


@dataclasses.dataclass
class Holder(Generic[T]):
    item: T

    @functools.cached_property
    def shouted(self):
        return str(self.item).upper()


@dataclasses.dataclass
class Hiding:
    name: str

    def __post_init__(self):
        self.hidden = [self.name]


@dataclasses.dataclass
class SlotHiding:
    __slots__ = ("hidden", "name")
    name: str


@dataclasses.dataclass
class Lying:
    name: str

    def __getattribute__(self, name):
        return object.__getattribute__(self, name) if name.startswith("__") else "lie"


@dataclasses.dataclass
class Property:
    name: str

    @property
    def name(self):
        return str(time.monotonic())

    @name.setter
    def name(self, value): ...


@dataclasses.dataclass
class Mapped(dict):
    name: str = ""


@dataclasses.dataclass
class Copying:
    items: list

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __setattr__(self, name, value):
        super().__setattr__(name, value if name == "items" else None)


class Model(pydantic.BaseModel):
    name: str
    when: datetime | None = None
    inner: Address | None = None


class Open(pydantic.BaseModel, extra="allow"):
    name: str


class Aliased(pydantic.BaseModel, frozen=True):
    name: str = pydantic.Field(alias="NAME")

    @functools.cached_property
    def shouted(self):
        return self.name.upper()


class Private(pydantic.BaseModel):
    name: str
    _token: str = pydantic.PrivateAttr(default="secret")


class Root(pydantic.RootModel[list[Model]]): ...


@pydantic.dataclasses.dataclass
class Checked:
    count: int


class OddZone(tzinfo):
    def utcoffset(self, when):
        return timedelta(hours=int(time.monotonic_ns()) % 12)


SHIFTING = datetime(2026, 1, 5, 10, tzinfo=OddZone())
PARIS = ZoneInfo("Europe/Paris")
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)

MAPPED = {
    "none": (None, None),
    "boolean": (True, True),
    "integer": (10**30, 10**30),
    "float": (1.5, 1.5),
    "text": ("ä\udcff", "ä\udcff"),
    "tuple": ((1, (2,)), [1, [2]]),
    "mapping": ({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}),
    "typed dictionary": (Typed(a=1), {"a": 1}),
    "named tuple": (Pair(1, [2]), [1, [2]]),
    "old named tuple": (Point(1, "y"), [1, "y"]),
    "enum": (Color.RED, "red"),
    "enum of a tuple": (Color.PAIR, [1, "x"]),
    "text enum": (Word.YES, "yes"),
    "number enum": (Level.HIGH, 3),
    "flag": (Right.READ | Right.WRITE, 3),
    "date": (date(2026, 1, 5), "2026-01-05"),
    "naive time": (datetime(2026, 1, 5, 1), "2026-01-05T01:00:00"),  # noqa: DTZ001
    "time with a zone": (NOON.astimezone(PARIS), "2026-01-05T13:00:00+01:00"),
    "time of day": (clock_time(9, 30), "09:30:00"),
    "decimal": (Decimal("0.10"), 0.1),
    "whole decimal": (Decimal("1E+2"), 100),
    "id": (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    "path": (PurePosixPath("/a/../b"), "/a/../b"),
    "real path": (Path("/a/b"), str(Path("/a/b"))),
    "windows path": (PureWindowsPath("c:\\x"), "c:\\x"),
    "dataclass": (Address("x", [1]), {"street": "x", "tags": [1]}),
    "frozen, nested": (
        Frozen("n", Address("x")),
        {"name": "n", "address": {"street": "x", "tags": []}},
    ),
    "slotted": (Slotted(1, [2]), {"a": 1, "b": [2]}),
    "inherited": (
        Derived("n", Address("x"), 2),
        {"name": "n", "address": {"street": "x", "tags": []}, "more": 2},
    ),
    "post-init": (Initialised("x"), {"made": "X", "still": 7}),
    "generic": (Holder([1]), {"item": [1]}),
    "own copying": (Copying([1]), {"items": [1]}),
    "model": (
        Model(name="n", when="2026-01-05T12:00:00Z", inner=Address("x")),
        {
            "name": "n",
            "when": "2026-01-05T12:00:00+00:00",
            "inner": {"street": "x", "tags": []},
        },
    ),
    "open model": (Open(name="n", more=[1]), {"name": "n", "more": [1]}),
    "aliased model": (Aliased(NAME="n"), {"name": "n"}),
    "root model": (Root([Model(name="n")]), [{"name": "n", "when": None, "inner": None}]),
    "pydantic dataclass": (Checked(3), {"count": 3}),
}


@pytest.mark.parametrize("case", MAPPED)
def test_a_value_is_judged_by_the_stated_mapping_and_arrives_equal(case):
    value, wanted = MAPPED[case]
    judged, kept = snapshot(value)
    assert judged == wanted
    assert _types(judged) == _types(wanted)
    assert kept == value
    assert type(kept) is type(value)


def _types(value):
    if isinstance(value, dict):
        return {key: _types(item) for key, item in value.items()}
    return list(map(_types, value)) if isinstance(value, list) else type(value)


def test_computed_properties_are_left_out_and_computed_anew():
    for value in (Holder("x"), Aliased(NAME="x")):
        assert value.shouted == "X"
        judged, kept = snapshot(value)
        assert "shouted" not in judged
        changed = replaced(kept, judged, dict.fromkeys(judged, "y"))
        assert changed.shouted == "Y"


class LyingStr(str):
    __slots__ = ()

    def __str__(self):
        return str(time.monotonic())


class Chameleon:
    """Says that it is a text, and answers differently each time."""

    @property
    def __class__(self):
        return str

    def __getattr__(self, name):
        return lambda *a: time.monotonic()


class Member:
    """Says that it is a member of an enum."""

    @property
    def __class__(self):
        return Color


class LyingPath(PurePosixPath):
    __slots__ = ()

    def __str__(self):
        return str(time.monotonic())


def cycle(kind):
    found = kind() if kind is list else {}
    found.append(found) if kind is list else found.update(a=found)
    return found


def doubling(levels):
    found = ["x"]
    for _ in range(levels):
        found = [found, found]
    return found


def deep(levels):
    found = []
    for _ in range(levels):
        found = [found]
    return found


def loop_of_two():
    found = []
    found.extend([found, found])
    return found


REFUSED = {
    "subclass of a dictionary": (collections.OrderedDict(a=1), "OrderedDict has no JSON form"),
    "default dictionary": (collections.defaultdict(list), "defaultdict has no JSON form"),
    "subclass of a list": (type("L", (list,), {})(), "L has no JSON form"),
    "subclass of a text": (LyingStr("x"), "LyingStr has no JSON form"),
    "subclass of an integer": (type("I", (int,), {})(1), "I has no JSON form"),
    "subclass of a float": (type("F", (float,), {})(1), "F has no JSON form"),
    "subclass of a date": (type("D", (date,), {})(2026, 1, 5), "D has no JSON form"),
    "subclass of a decimal": (type("N", (Decimal,), {})(1), "N has no JSON form"),
    "subclass of a path": (LyingPath("/a"), "LyingPath has no JSON form"),
    "chameleon": (Chameleon(), "Chameleon has no JSON form"),
    "false member": (Member(), "Member has no JSON form"),
    "odd named tuple": (OddTuple(1), "OddTuple has no JSON form"),
    "subclass of a named tuple": (type("P", (Pair,), {})(1, []), "P has no JSON form"),
    "bytes": (b"x", "bytes has no JSON form"),
    "set": ({1}, "set has no JSON form"),
    "generator": ((x for x in ()), "generator has no JSON form"),
    "complex": (1j, "complex has no JSON form"),
    "function": (print, "builtin_function_or_method has no JSON form"),
    "class": (Address, "type has no JSON form"),
    "object": (object(), "object has no JSON form"),
    "keys that are no texts": ({1: 2}, "a key that is not a string"),
    "keys of a text subclass": ({LyingStr("a"): 2}, "a key that is not a string"),
    "enum that can change": (Mutable.LIST, "has members that can change"),
    "enum that computes": (Computed.A, "computes the values"),
    "infinite decimal": (Decimal("Infinity"), "not a finite number"),
    "decimal that is none": (Decimal("sNaN"), "not a finite number"),
    "huge decimal": (Decimal("1E+1000000000"), "too many digits"),
    "tiny decimal": (Decimal("1E-1000000000"), "too many digits"),
    "exact decimal": (Decimal("0.1000000000000000000000001"), "more digits"),
    "hidden attribute": (Hiding("x"), 'Hiding keeps "hidden"'),
    "lying dataclass": (Lying("x"), "overrides __getattribute__"),
    "computed field": (Property("x"), 'computes its field "name"'),
    "dataclass that is a dictionary": (Mapped(), "extends another type"),
    "private attribute": (Private(name="x"), 'Private keeps "_token"'),
    "list in itself": (cycle(list), "holds itself"),
    "dictionary in itself": (cycle(dict), "holds itself"),
    "list twice in itself": (loop_of_two(), "holds"),
    "doubled forty times": (doubling(40), "more than 500,000 values"),
    "too deep": (deep(70), "nested too deep"),
    "too large": ([0] * 500_001, "more than 500,000 values"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_anything_else_cannot_be_judged(case):
    value, said = REFUSED[case]
    with pytest.raises(UnjudgeableError, match=said):
        snapshot(value)
    with pytest.raises(UnjudgeableError, match=said):
        snapshot({"deep": [value]})


def test_slots_that_are_no_fields_and_fields_that_are_not_set_cannot_be_judged():
    hiding = SlotHiding("x")
    assert snapshot(hiding)[0] == {"name": "x"}
    hiding.hidden = 1
    with pytest.raises(UnjudgeableError, match='"hidden"'):
        snapshot(hiding)
    unset = Slotted(1, [])
    del unset.b
    with pytest.raises(UnjudgeableError, match='"b" is not set'):
        snapshot(unset)


def test_a_zone_that_changes_its_offset_is_fixed_at_the_offset_that_was_judged():
    judged, kept = snapshot(SHIFTING)
    assert type(kept.tzinfo) is timezone
    for _ in range(20):
        assert kept.isoformat() == judged


def test_a_denial_names_the_parameter_and_the_remedy():
    guard = guard_of()

    @guard.tool
    def query(sql, db): ...

    with asking(guard), pytest.raises(Denied) as caught:
        query("select 1", object())
    assert str(caught.value) == (
        'The argument "db" cannot be judged: its type object has no JSON form. '
        'If the model does not supply it, name it: inject=("db",).'
    )
    record = guard.seen.decisions[0]
    assert (record["effect"], record["codes"]) == ("deny", ["guard.unjudgeable"])
    assert (record["agent"], record["principal"], record["session"]) == ("a", "u1", "s1")


def test_a_list_that_another_thread_changes_during_a_slow_lookup_arrives_as_it_was_judged():
    guard = guard_of(
        {
            "facts": {
                "owner": {
                    "from": "app:owner",
                    "with": ["args.to"],
                    "schema": {"type": "string"},
                    "timeout": "5s",
                }
            },
            "tools": {
                "send": {
                    "args": {"to": {"type": "array", "items": {"type": "string"}}},
                    "rules": [
                        {"id": "own", "when": "facts.owner != 'me'", "effect": "deny"},
                        {"id": "few", "when": "size(args.to) > 2", "effect": "deny"},
                    ],
                }
            },
        }
    )
    asked, changed = threading.Event(), threading.Event()
    looked_up = []

    def owner(to):
        looked_up.append(list(to))
        asked.set()
        assert changed.wait(5)
        to.extend(["by the lookup"] * 5)
        return "me"

    guard.fact("owner", owner)
    to = ["a@acme.com"]
    record = {"to": to}

    def change():
        asked.wait(5)
        to.extend(["eve@evil.example"] * 5)
        record["to"] = []
        changed.set()

    thread = threading.Thread(target=change)
    thread.start()

    @guard.tool
    def send(to):
        return to

    with asking(guard):
        received = send(**record)
    thread.join()
    assert received == ["a@acme.com"]
    assert looked_up == [["a@acme.com"]]
    received.append("x")
    assert to[0] == "a@acme.com"
    assert "x" not in to


def test_an_object_that_is_changed_after_the_check_arrives_as_it_was():
    guard = guard_of()
    address = Address("x", [1])
    model = Model(name="n", inner=address)

    @guard.tool
    def keep(model, addresses):
        address.street = "changed"
        address.tags.append(2)
        model_before = model.inner
        return model_before, addresses

    with asking(guard):
        inner, addresses = keep(model, (address,))
    assert inner == Address("x", [1])
    assert addresses == (Address("x", [1]),)


SECRET = "write to ada@example.com today"


def redacting():
    check = {"pattern": {"any": [r"[a-z]+@example\.com"]}}
    rule = {"id": "hide", "check": check, "effect": "redact"}
    return guard_of(
        {
            "tools": {"t": {"result": [rule]}},
            "rules": [{**rule, "id": "hide-too", "tools": ["t"]}],
        }
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Letter:
    text: str
    lines: tuple


class Envelope(pydantic.BaseModel, frozen=True):
    letters: list[Letter]
    note: str = ""


NESTED = {
    "text": (SECRET, lambda v: v),
    "list": ([1, SECRET], lambda v: v[1]),
    "tuple": ((SECRET, 1), lambda v: v[0]),
    "dictionary": ({"a": {"b": SECRET}}, lambda v: v["a"]["b"]),
    "named tuple": (Point(SECRET, 2), lambda v: v.x),
    "dataclass": (Address(SECRET), lambda v: v.street),
    "frozen": (Letter("x", (SECRET,)), lambda v: v.lines[0]),
    "model": (
        Envelope(letters=[Letter("x", ()), Letter(SECRET, ())], note="n"),
        lambda v: v.letters[1].text,
    ),
    "open model": (Open(name="n", more=[SECRET]), lambda v: v.more[0]),
    "root model": (Root([Model(name=SECRET)]), lambda v: v.root[0].name),
}


@pytest.mark.parametrize("case", NESTED)
@pytest.mark.parametrize("where", ["argument", "result"])
def test_redaction_reaches_into_every_kind_of_value(case, where):
    value, read = NESTED[case]
    guard = redacting()
    received = []

    @guard.tool(name="t")
    def tool(item=None):
        received.append(item)
        return value if where == "result" else "done"

    with asking(guard):
        found = tool(value) if where == "argument" else tool()
    found = received[0] if where == "argument" else found
    assert type(found) is type(value)
    assert "@" not in read(found)
    assert read(found).startswith("write to ")
    assert read(value) == SECRET, "the caller's own value is left as it was"
    assert "ada@" not in repr(found)


UNCHANGEABLE = {
    "path": Path("/home/ada@example.com"),
    "enum": enum.Enum("E", {"A": "ada@example.com"}).A,
}


@pytest.mark.parametrize("case", UNCHANGEABLE)
@pytest.mark.parametrize("where", ["argument", "result"])
def test_what_cannot_be_redacted_is_denied_and_given_back(case, where):
    guard = redacting()
    ran = []

    @guard.tool(name="t")
    def tool(item=None):
        ran.append(item)
        return UNCHANGEABLE[case]

    with asking(guard), pytest.raises(Denied, match="cannot be redacted") as caught:
        tool(UNCHANGEABLE[case]) if where == "argument" else tool()
    assert caught.value.decision.reasons[0].code == "guard.unjudgeable"
    assert len(ran) == (where == "result")
    assert guard.seen.statuses == ["not_run" if where == "argument" else "returned"]
    assert "ada@" not in str(guard.seen)


def test_a_result_that_cannot_be_read_cannot_be_told():
    guard = redacting()
    quiet = guard_of()
    thing = LyingStr("x")
    with asking(guard), pytest.raises(Denied):
        guard.tool(lambda: thing, name="t")()
    with asking(quiet):
        assert quiet.tool(lambda: thing, name="t")() is thing, "no rule asks what it is"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_json_values_are_judged_as_themselves(value):
    judged, kept = snapshot(value)
    assert repr(judged) == repr(value) == repr(kept)
    if isinstance(value, list | dict):
        assert judged is not value
        assert kept is not value
        assert kept is not judged
