"""However arguments are passed, the same request is judged and the same values arrive."""

import asyncio
import functools
import inspect

import pytest
from guarding import asking, guard_of
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_engine import Denied

GUARD = guard_of({"tools": {"*": "allow"}})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
LETTERS = tuple("abcdef")


def judged(guarded, *args, **kwargs):
    """Return the arguments that are judged, and what the function received."""
    requests = []
    engine = GUARD._parts.revision.engine
    decide = type(engine).decide

    def watch(self, request, facts):
        requests.append(request)
        return decide(self, request, facts)

    patch = pytest.MonkeyPatch()
    with patch.context() as within:
        within.setattr(type(engine), "decide", watch)
        received = guarded(*args, **kwargs)
    return requests[0].args, received


@st.composite
def functions(draw):
    """Make a function that returns what it receives, and ways to call it with one meaning."""
    names = draw(st.lists(st.sampled_from(LETTERS), min_size=0, max_size=4, unique=True))
    kinds = sorted(
        draw(st.lists(st.sampled_from(["/", "", "*"]), min_size=len(names), max_size=len(names))),
        key=["/", "", "*"].index,
    )
    star = draw(st.booleans())
    rest = draw(st.booleans())
    first_default = draw(st.integers(0, 5))
    defaults = {n: draw(JSON) for n in names[first_default:]}
    defaults.update({n: draw(JSON) for n, k in zip(names, kinds, strict=True) if k == "*"})
    parts = []
    for name, kind in zip(names, kinds, strict=True):
        if kind == "*" and not any(p.startswith("*") for p in parts):
            parts.append("*more" if star else "*")
        parts.append(f"{name}=DEFAULTS[{name!r}]" if name in defaults else name)
        if kind == "/" and "/" not in kinds[names.index(name) + 1 :]:
            parts.append("/")
    if star and not any(p.startswith("*") for p in parts):
        parts.append("*more")
    if rest:
        parts.append("**rest")
    scope = {"DEFAULTS": defaults}
    exec(f"def f({', '.join(parts)}):\n    return dict(locals())", scope)
    return scope["f"], names, kinds, defaults, star, rest


@settings(max_examples=300, deadline=None)
@given(functions(), st.data())
def test_what_is_judged_is_what_arrives(made, data):
    function, names, kinds, defaults, star, rest = made
    guarded = GUARD.tool(function, name="f")
    values = {n: data.draw(JSON) for n in names if n not in defaults or data.draw(st.booleans())}
    given_positionally = [n for n, k in zip(names, kinds, strict=True) if k != "*"]
    others = {}
    if rest:
        others = data.draw(st.dictionaries(st.sampled_from(["x", "y", "rest"]), JSON, max_size=2))
    # Whatever can be passed by name or by position is passed in every mixture of both.
    wanted = None
    for split in range(len(given_positionally) + 1):
        front = given_positionally[:split]
        back = [n for n in values if n not in front]
        if any(n not in values for n in front):
            continue
        if any(k == "/" for n, k in zip(names, kinds, strict=True) if n in back):
            continue
        extra = [1, ["two"]] if star and split == len(given_positionally) else []
        args = [values[n] for n in front] + extra
        kwargs = {n: values[n] for n in back} | others
        plain = function(*args, **kwargs)
        with asking(GUARD):
            seen, received = judged(guarded, *args, **kwargs)
        assert received == plain
        flat = {k: v for k, v in plain.items() if k not in ("more", "rest")}
        if star:
            flat["more"] = list(plain["more"])
        flat.update(plain.get("rest", {}))
        assert seen == flat
        if not extra:
            assert wanted in (None, seen), "the same request, however it is passed"
            wanted = seen


@pytest.mark.parametrize(
    ("source", "args", "kwargs"),
    [
        ("def f(a): ...", (), {}),
        ("def f(a): ...", (1, 2), {}),
        ("def f(a): ...", (1,), {"a": 2}),
        ("def f(a): ...", (1,), {"b": 2}),
        ("def f(a, /): ...", (), {"a": 1}),
        ("def f(*, a): ...", (1,), {}),
        ("def f(*, a): ...", (), {}),
        ("def f(*a): ...", (), {"b": 1}),
        ("def f(a, *, b=1, **c): ...", (), {"b": 1}),
    ],
)
def test_a_call_that_does_not_fit_raises_what_python_raises_and_decides_nothing(
    source, args, kwargs
):
    scope = {}
    exec(source, scope)
    guard = guard_of()
    with pytest.raises(TypeError):
        scope["f"](*args, **kwargs)
    with asking(guard), pytest.raises(TypeError):
        guard.tool(scope["f"])(*args, **kwargs)
    assert not guard.seen


@pytest.mark.parametrize(
    ("source", "args", "kwargs"),
    [
        ("def f(a, /, **rest): ...", (1,), {"a": 2}),
        ("def f(*more, **rest): ...", (1,), {"more": 2}),
        ("def f(db, /, **rest): ...", (1,), {"db": 2}),
    ],
)
def test_two_arguments_of_one_name_cannot_both_be_judged(source, args, kwargs):
    scope = {}
    exec(source, scope)
    guard = guard_of()
    inject = ("db",) if "db" in source else ()
    with asking(guard), pytest.raises(Denied, match="is given twice"):
        guard.tool(scope["f"], inject=inject)(*args, **kwargs)
    assert guard.seen[0]["codes"] == ["guard.unjudgeable"]


def test_what_is_injected_is_handed_on_as_it_is_and_not_judged():
    database = object()

    @GUARD.tool(inject=("db", "log"))
    def look(db, key, *, log=print, limit=3):
        return db, key, log, limit

    with asking(GUARD):
        for call in (
            lambda: look(database, "k"),
            lambda: look(key="k", db=database),
            lambda: look(database, key="k", limit=3),
        ):
            seen, received = judged(call)
            assert seen == {"key": "k", "limit": 3}
            assert received == (database, "k", print, 3)


class Desk:
    """Every kind of method, with the guard above and below."""

    def __init__(self):
        self.secret = object()

    @GUARD.tool(name="m")
    def method(self, a, b=2):
        return self, a, b

    @GUARD.tool(name="m")
    @classmethod
    def above_class(cls, a, b=2):
        return cls, a, b

    @classmethod
    @GUARD.tool(name="m")
    def below_class(cls, a, b=2):
        return cls, a, b

    @GUARD.tool(name="m")
    @staticmethod
    def above_static(a, b=2):
        return None, a, b

    @staticmethod
    @GUARD.tool(name="m")
    def below_static(a, b=2):
        return None, a, b

    def __call__(self, a, b=2):
        return self, a, b

    async def later(self, a, b=2):
        return self, a, b


class Later:
    async def __call__(self, a, b=2):
        return self, a, b


DESK = Desk()
LATER = Later()


@pytest.mark.parametrize(
    ("call", "owner"),
    [
        (DESK.method, DESK),
        (functools.partial(Desk.method, DESK), DESK),
        (DESK.above_class, Desk),
        (Desk.above_class, Desk),
        (DESK.below_class, Desk),
        (Desk.below_class, Desk),
        (DESK.above_static, None),
        (Desk.below_static, None),
        (GUARD.tool(DESK, name="m"), DESK),
        (GUARD.tool(Desk.__call__, name="m").__get__(DESK), DESK),
        (GUARD.tool(functools.partial(Desk.below_static.__wrapped__), name="m"), None),
    ],
)
def test_methods_of_every_kind_judge_their_arguments_alone(call, owner):
    with asking(GUARD):
        seen, received = judged(call, 1)
    assert seen == {"a": 1, "b": 2}
    assert received == (owner, 1, 2)


def test_objects_and_partials_of_coroutines_are_awaited():
    for function, owner in ((LATER, LATER), (DESK.later, DESK), (functools.partial(LATER), LATER)):
        guarded = GUARD.tool(function, name="m")
        assert inspect.iscoroutinefunction(guarded)
        with asking(GUARD):
            seen, received = judged(lambda g=guarded: asyncio.run(g(1)))
        assert seen == {"a": 1, "b": 2}
        assert received == (owner, 1, 2)


def test_what_a_partial_has_bound_by_name_is_judged_and_may_be_passed():
    guarded = GUARD.tool(functools.partial(lambda a, b: (a, b), b=5), name="m")
    with asking(GUARD):
        assert judged(guarded, 1) == ({"a": 1, "b": 5}, (1, 5))
        assert judged(guarded, 1, b=6) == ({"a": 1, "b": 6}, (1, 6))


def test_only_a_method_has_a_self_that_is_not_judged():
    @GUARD.tool(name="m")
    def classify(cls, self="x"):
        return cls, self

    with asking(GUARD):
        assert judged(classify, "spam") == ({"cls": "spam", "self": "x"}, ("spam", "x"))


def test_defaults_that_change_are_copied():
    @GUARD.tool(name="m")
    def collect(item, into=[]):  # noqa: B006
        into.append(item)
        return into

    with asking(GUARD):
        assert judged(collect, 1) == ({"item": 1, "into": []}, [1])
        assert judged(collect, 2) == ({"item": 2, "into": []}, [2])


@pytest.mark.parametrize("name", ["args", "kwargs", "missing"])
def test_inject_names_single_parameters(name):
    guard = guard_of()
    with pytest.raises(TypeError, match=f'inject names "{name}"'):
        guard.tool(inject=(name,))(lambda a, *args, **kwargs: None)
    with pytest.raises(TypeError, match="inject lists names"):
        guard.tool(inject=name)


def test_on_denied_is_one_of_two_words():
    with pytest.raises(ValueError, match='"raise" or "return"'):
        guard_of().tool(on_denied="retrun")


def test_a_callable_without_a_name_or_a_signature_is_refused():
    guard = guard_of()
    with pytest.raises(TypeError, match="give it one"):
        guard.tool(functools.partial(print))
    with pytest.raises(TypeError, match="does not tell its parameters"):
        guard.tool(dict.update, name="u")
    with pytest.raises(TypeError, match="cannot be called"):
        guard.tool(property(lambda self: 1))
