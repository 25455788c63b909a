"""Where guarding meets what Python permits: odd facts, odd functions, odd values, odd requests."""

import asyncio
import collections
import contextlib
import contextvars
import decimal
import functools
import inspect
import math
import signal
import threading
import time
from types import MappingProxyType

import pytest
from guarding import asking, guard_of

import policy_engine
from policy_engine import ApprovalRequired, Denied, Request
from policy_engine.decision.wire import read_request
from policy_engine.errors import RequestError
from policy_engine.guard import gather

# Facts that are async


def asking_for(*names, timeout="5s"):
    fact = {"schema": {"type": "string"}, "with": ["args.x"], "timeout": timeout}
    condition = " || ".join(f'facts.{name} != "good"' for name in names)
    return {
        "facts": {name: {**fact, "from": f"app:{name}"} for name in names},
        "tools": {
            "t": {
                "args": {"x": {"type": "string"}},
                "rules": [{"id": "r", "when": condition, "effect": "deny"}],
            }
        },
    }


def calling(guard):
    """Return a coroutine function that calls a guarded tool on the running event loop."""

    @guard.tool(name="t")
    async def tool(x):
        return f"ran {x}"

    async def call():
        with asking(guard):
            return await tool("k")

    return call


def heard(work):
    """Run a coroutine; return what it raises, and what its event loop complains of."""
    complaints = []

    async def run():
        asyncio.get_running_loop().set_exception_handler(lambda _, what: complaints.append(what))
        with pytest.raises(BaseException) as caught:  # noqa: PT011 - it is looked at
            await work()
        return caught.value

    error = asyncio.run(run())
    return error, complaints


async def cancels_itself(x):
    raise asyncio.CancelledError


async def cancels_its_task(x):
    asyncio.current_task().cancel()
    await asyncio.sleep(5)
    return "good"


async def exits(x):
    raise SystemExit(3)


async def breaks(x):
    await asyncio.sleep(0)
    raise ZeroDivisionError


@pytest.mark.parametrize("fact", [cancels_itself, cancels_its_task, exits, breaks])
def test_whatever_an_async_fact_raises_it_cannot_be_told(fact, caplog):
    guard = guard_of(asking_for("x", "y"))
    guard.fact("x", fact)
    guard.fact("y", cancels_itself)
    error, complaints = heard(calling(guard))
    assert type(error) is Denied
    assert error.decision.reasons[0].code == "rule.cannot_tell"
    assert len(guard.seen.decisions) == 1
    assert complaints == []
    assert 'the fact "x" failed' in caplog.text


def test_an_async_fact_that_swallows_its_cancellation_is_not_waited_for(caplog):
    guard = guard_of(asking_for("x", timeout="50ms"))
    cancelled = []
    taken = []

    async def stubborn(x):
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            try:
                await asyncio.sleep(end - time.monotonic())
            except asyncio.CancelledError:
                cancelled.append(gather._HANGING.count)
        return "good"

    guard.fact("x", stubborn)
    call = calling(guard)

    async def timed():
        began = time.monotonic()
        try:
            await call()
        finally:
            taken.append(time.monotonic() - began)
            await asyncio.sleep(0.6)

    error, complaints = heard(timed)
    assert error.decision.reasons[0].code == "rule.cannot_tell"
    assert taken[0] < 0.4
    assert cancelled == [1]
    assert complaints == []
    assert gather._HANGING.count == 0
    assert caplog.text.count('the fact "x" took longer than 0.05 s') == 1


@pytest.mark.parametrize("is_async", [True, False])
def test_an_answer_that_comes_late_is_not_believed_though_nobody_looked(is_async):
    """The loop was blocked, or a slower fact was waited for, when the time was over."""
    guard = guard_of(asking_for("x", timeout="50ms"))

    async def blocking(x):
        time.sleep(0.2)  # noqa: ASYNC251 - that is the point
        return "good"

    def slow(x):
        time.sleep(0.2)
        return "good"

    guard.fact("x", blocking if is_async else slow)

    async def blocked():
        asyncio.get_running_loop().call_later(0.01, time.sleep, 0.4)
        return await calling(guard)()

    error, _ = heard(blocked)
    assert error.decision.reasons[0].code == "rule.cannot_tell"


def test_a_slow_fact_does_not_win_time_for_a_quick_one():
    policy = asking_for("x", "y")
    policy["facts"]["y"]["timeout"] = "30ms"
    guard = guard_of(policy)
    guard.fact("x", lambda x: time.sleep(0.3) or "good")
    guard.fact("y", lambda x: time.sleep(0.1) or "good")
    with asking(guard), pytest.raises(Denied) as caught:
        guard.tool(lambda x: x, name="t")("k")
    assert caught.value.decision.reasons[0].code == "rule.cannot_tell"


def test_a_caller_that_is_cancelled_cancels_its_lookups_and_is_cancelled():
    guard = guard_of(asking_for("x", "y"))
    ended = []

    async def slow(x):
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    guard.fact("x", slow)
    guard.fact("y", slow)
    call = calling(guard)

    async def work():
        task = asyncio.create_task(call())
        await asyncio.sleep(0.05)
        task.cancel()
        await task

    error, complaints = heard(work)
    assert type(error) is asyncio.CancelledError
    assert ended == ["cancelled", "cancelled"]
    assert complaints == []
    assert len(guard.seen.outcomes) == 0
    assert gather._HANGING.count == 0


def test_a_late_fact_is_cancelled_once_so_that_it_can_clean_up():
    guard = guard_of(asking_for("x", timeout="30ms"))
    cleaned = []

    async def tidy(x):
        try:
            await asyncio.sleep(5)
        finally:
            await asyncio.sleep(0.02)
            cleaned.append(x)

    guard.fact("x", tidy)
    call = calling(guard)

    async def work():
        try:
            await call()
        finally:
            await asyncio.sleep(0.1)

    heard(work)
    assert cleaned == ["k"]


def test_async_facts_run_at_once_on_the_loop_and_in_the_context_of_the_caller():
    guard = guard_of(asking_for("x", "y"))
    who = contextvars.ContextVar("who", default="nobody")
    seen = []

    class Lookup:
        """An object whose call is async belongs to the caller's loop as a function does."""

        async def __call__(self, x):
            seen.append((who.get(), threading.current_thread(), asyncio.get_running_loop()))
            await asyncio.wait_for(meeting.wait(), 5)
            return "good"

    meeting = asyncio.Barrier(2)
    guard.fact("x", Lookup())
    guard.fact("y", Lookup().__call__)
    call = calling(guard)

    async def work():
        who.set("me")
        return await call(), asyncio.get_running_loop()

    told, loop = asyncio.run(work())
    assert told == "ran k"
    assert seen == [("me", threading.main_thread(), loop)] * 2


# What is an argument


def short(*names):
    """Return a guard whose tool takes these arguments, none longer than three characters."""
    args = {name: {"type": "string", "maxLength": 3} for name in names}
    return guard_of({"tools": {"t": {"args": args}}})


class Owner:
    """A class that holds functions with parameters of every name."""

    def method(self, cls, x):
        return self, cls, x

    @staticmethod
    def static(cls, x):  # noqa: PLW0211 - the name is what matters
        return cls, x

    @classmethod
    def of_class(klass, cls, x):  # noqa: N804 - the name is what matters
        return klass, cls, x

    def unbound(cls, x):  # noqa: N805 - a staticmethod stands above the guard
        return cls, x

    def cached(self, cls, x):
        return self, cls, x

    class Inner:
        def __call__(self, cls, x):
            return self, cls, x


OWNER, INNER = Owner(), Owner.Inner()


def _wrapping(function):
    @functools.wraps(function)
    def wrapped(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapped


def _in_class(**members):
    return type("Made", (Owner,), members)()


FIRST = {
    "a staticmethod": (
        lambda tool: _in_class(static=tool(vars(Owner)["static"])).static,
        (),
    ),
    "a staticmethod above the guard": (
        lambda tool: _in_class(static=staticmethod(tool(vars(Owner)["unbound"]))).static,
        (),
    ),
    "a bound method": (lambda tool: tool(OWNER.method), (OWNER,)),
    "a bound classmethod": (lambda tool: tool(Owner.of_class), (Owner,)),
    "what wraps a bound method": (lambda tool: tool(_wrapping(OWNER.method)), (OWNER,)),
    "an object of a class in a class": (lambda tool: tool(INNER), (INNER,)),
    "a classmethod whose class has an odd name": (
        lambda tool: type("Made", (), {"m": tool(vars(Owner)["of_class"])}).m,
        "class",
    ),
    "a method": (lambda tool: functools.partial(tool(Owner.method), OWNER), (OWNER,)),
    "a method with a cache": (
        lambda tool: functools.partial(tool(functools.cache(Owner.cached)), OWNER),
        (OWNER,),
    ),
}


@pytest.mark.parametrize("case", FIRST)
def test_self_and_cls_are_arguments_where_no_method_takes_its_owner(case):
    make, owner = FIRST[case]
    guard = short("cls", "x")
    function = make(guard.tool(name="t"))
    with asking(guard):
        found = function("abc", x="abc")
        assert found[-2:] == ("abc", "abc")
        if owner == "class":
            assert found[0].__name__ == "Made"
        else:
            assert found[:-2] == owner
        with pytest.raises(Denied, match='"cls" must have at most 3 characters'):
            function("abcd", "abc")
        with pytest.raises(Denied, match='"cls" must have at most 3 characters'):
            function(x="abc", cls="abcd")


def test_a_self_that_only_goes_by_name_is_an_argument():
    guard = short("self")

    class Odd:
        def named(*, self):
            return self

    with asking(guard):
        assert guard.tool(Odd.named, name="t")(self="abc") == "abc"
        with pytest.raises(Denied):
            guard.tool(Odd.named, name="t")(self="abcd")


def ordered(order, x, *more, note="", **rest):
    return order, x, more, note, rest


@pytest.mark.parametrize(
    ("bound", "said"),
    [
        (functools.partial(ordered, "long order"), "order"),
        (functools.partial(ordered, order="long order"), "order"),
        (functools.partial(functools.partial(ordered, "abc"), "long x"), "x"),
        (functools.partial(ordered, "abc", note="long note"), "note"),
        (functools.partial(OWNER.method, "long cls"), "cls"),
        (staticmethod(functools.partial(Owner.static, "long cls")), "cls"),
    ],
)
def test_what_a_partial_has_bound_is_judged(bound, said):
    guard = short("order", "x", "note", "cls")
    function = guard.tool(name="t")(bound)
    with asking(guard), pytest.raises(Denied) as caught:
        function(**({} if said == "x" else {"x": "abc"}))
    spoke = [reason.rule for reason in caught.value.decision.reasons]
    assert f"p0/tools/t/args/{said}" in spoke


def test_what_a_partial_of_a_classmethod_has_bound_stands_before_the_class():
    guard = short("cls", "x")

    def second(cls, owner, x):
        return cls, owner, x

    for bound, is_permitted in (("abc", True), ("long cls", False)):
        policy = classmethod(functools.partial(second, bound))
        tool = guard.tool(name="t", inject=("owner",))(policy)
        call = functools.partial(tool.__get__(None, Owner), x="abc")
        with asking(guard):
            if is_permitted:
                assert call() == ("abc", Owner, "abc")
                continue
            with pytest.raises(Denied, match='"cls" must have at most'):
                call()


def test_a_partial_goes_on_binding_what_it_bound():
    guard = guard_of()
    made = functools.partial(ordered, "o", note="n")
    made.topic = "orders"
    guarded = guard.tool(made, name="t")
    assert inspect.signature(guarded) == inspect.signature(made)
    assert (guarded.__name__, guarded.topic) == ("t", "orders")
    with asking(guard):
        assert guarded("x", 1, extra=2) == ("o", "x", (1,), "n", {"extra": 2})
        assert guarded(x="y", note="other") == ("o", "y", (), "other", {})
    with pytest.raises(TypeError):
        guarded(order="o", x="x")


def test_what_a_partial_has_bound_may_be_injected():
    guard = short("x")
    connection = object()

    def look(db, x):
        return db, x

    for bound in (functools.partial(look, connection), functools.partial(look, db=connection)):
        with asking(guard):
            assert guard.tool(bound, name="t", inject=("db",))(x="abc") == (connection, "abc")
            with pytest.raises(Denied, match=r'name it: inject=\("db",\)'):
                guard.tool(bound, name="t")(x="abc")


def test_a_partial_of_another_class_is_refused():
    class Reversing(functools.partial):
        def __call__(self, *args, **kwargs):
            return self.func(*reversed(args), **kwargs)

    with pytest.raises(TypeError, match="guard the function inside"):
        guard_of().tool(Reversing(ordered, 1), name="t")


# Time limits of tools


class JobTimeoutError(Exception):
    """What a signal's handler raises, as task queues do where a job takes too long."""


@contextlib.contextmanager
def interrupting(after):
    """Let a signal's handler raise in this thread."""

    def interrupt(number, frame):
        raise JobTimeoutError

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, after)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="the system has no such signal")
@pytest.mark.parametrize("is_stream", [False, True])
def test_a_call_that_is_left_while_its_function_runs_on_has_an_unknown_outcome(is_stream):
    guard = guard_of({"tools": {"t": {"timeout": "10s"}}})
    ended = threading.Event()

    def work():
        time.sleep(0.3)
        ended.set()
        return "done"

    def stream():
        yield work()

    tool = guard.tool(stream if is_stream else work, name="t")
    with asking(guard), pytest.raises(JobTimeoutError), interrupting(0.1):
        list(tool())
    assert not ended.is_set()
    assert guard.seen.statuses == ["unknown"]
    assert ended.wait(5)


def test_a_function_that_raises_in_time_has_raised():
    guard = guard_of({"tools": {"t": {"timeout": "10s"}}})
    with asking(guard), pytest.raises(ZeroDivisionError):
        guard.tool(lambda: 1 / 0, name="t")()
    assert guard.seen.statuses == ["raised"]


# Values whose class raises

SECRET = "4111 1111 1111 1111"


def raising(*arguments):
    raise ValueError(SECRET)


class Unhashable(type):
    __hash__ = raising
    __eq__ = raising


class Undirected(type):
    __dir__ = raising


class Deep(type):
    def __dir__(cls):
        return cls.__dir__()


class Uncompared(metaclass=Unhashable):
    pass


class Unlisted(metaclass=Undirected):
    pass


class Endless(metaclass=Deep):
    pass


class Unclassed:
    __class__ = property(raising)


class Unnamed(type):
    def __getattribute__(cls, name):
        return raising() if name == "__qualname__" else super().__getattribute__(name)


class Nameless(metaclass=Unnamed):
    pass


ODD = [Uncompared, Unlisted, Endless, Unclassed, Nameless]


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("where", ["x", "more", "rest", "inside", "default"])
def test_an_argument_whose_class_raises_is_denied_and_recorded(kind, where):
    guard = guard_of()
    default = kind() if where == "default" else None

    @guard.tool(name="t")
    def tool(x=default, *more, **rest):
        raise AssertionError("it ran")

    calls = {
        "x": lambda: tool(kind()),
        "more": lambda: tool(1, kind()),
        "rest": lambda: tool(1, k=kind()),
        "inside": lambda: tool({"k": [kind()]}),
        "default": tool,
    }
    with asking(guard), pytest.raises(Denied, match="cannot be judged") as caught:
        calls[where]()
    assert guard.seen.decisions[0]["codes"] == ["guard.unjudgeable"]
    assert SECRET not in str(caught.value) + str(guard.seen)


@pytest.mark.parametrize("kind", ODD)
def test_a_result_whose_class_raises_cannot_be_told_and_its_call_ends(kind):
    made = []

    def make():
        made.append(kind())
        return made[-1]

    rule = {"id": "r", "check": {"terms": {"any": ["evil"]}}, "effect": "deny"}
    for result, statuses in (([], ["returned"]), ([rule], ["returned"])):
        guard = guard_of({"tools": {"t": {"result": result}}})
        tool = guard.tool(make, name="t")
        with asking(guard):
            if not result:
                assert tool() is made[-1]
            else:
                with pytest.raises(Denied) as caught:
                    tool()
                assert caught.value.decision.reasons[0].code == "rule.cannot_tell"
                assert SECRET not in str(caught.value) + str(guard.seen)
        assert guard.seen.statuses == statuses


def test_a_method_of_a_class_that_raises_is_called():
    guard = guard_of()

    class Uncompared(metaclass=Unhashable):
        @guard.tool(name="t")
        def method(self, x):
            return x

    with asking(guard):
        assert Uncompared().method("k") == "k"


# Requests by hand


def test_a_request_with_a_part_whose_class_raises_is_denied_and_recorded():
    guard = guard_of()
    for fields in ({"args": {"x": Uncompared()}}, {"args": Uncompared()}, {"tool": Uncompared()}):
        with pytest.raises(Denied, match="cannot be judged"):
            guard.enforce(Request(**{"tool": "t", "args": {}, **fields}))
    assert [record["codes"] for record in guard.seen] == [["guard.unjudgeable"]] * 3


def test_the_record_of_a_call_that_cannot_be_judged_says_whose_it_was_and_of_which_tool():
    guard = guard_of()
    with asking(guard), pytest.raises(Denied, match="cannot be judged"):
        guard.enforce(Request(tool="t", args=Uncompared(), call_id="c1"))
    (record,) = guard.seen
    names = ("agent", "principal", "session", "tool", "call_id")
    assert [record[name] for name in names] == ["a", "u1", "s1", "t", "c1"]
    other = {"id": "u2", "roles": ["support"]}
    with asking(guard), pytest.raises(Denied, match="cannot be judged"):
        guard.enforce(Request(tool="t", args=Uncompared(), principal=other))
    assert guard.seen[-1]["principal"] is None


CALL = {"stage": "tool_call", "tool": "t", "args": {}}
STAGES = {
    "input": {"stage": "input", "text": "hello"},
    "tool_call": CALL,
    "tool_result": {"stage": "tool_result", "tool": "t", "args": {}, "result": "r"},
    "handoff": {"stage": "handoff", "target": "billing"},
    "model_request": {"stage": "model_request", "model": "m", "text": "hello"},
    "model_response": {"stage": "model_response", "model": "m", "text": "hello"},
    "output": {"stage": "output", "text": "hello"},
}
FIELDS = {
    "tool": "t",
    "args": {},
    "result": "r",
    "text": "hello",
    "target": "billing",
    "model": "m",
    "call_id": "c",
}
EVERYTHING = {
    "tools": {"*": "allow"},
    "handoffs": {"*": "allow"},
    "models": {"*": "allow"},
}
OF_ANOTHER_FORM = {
    "no mapping": ({"principal": 5}, '"principal" is a mapping, not "int"'),
    "a text": ({"principal": "u1"}, '"principal" is a mapping, not "str"'),
    "an unknown field": (
        {"principal": {"id": "u1", "secret": SECRET}},
        '"principal" has no fields but id, roles, tenant, attrs',
    ),
    "an id that is a number": ({"principal": {"id": 5}}, '"principal.id" is a text'),
    "a tenant that is a number": ({"principal": {"tenant": 7}}, '"principal.tenant" is a text'),
    "roles in one text": (
        {"principal": {"roles": "admin"}},
        '"principal.roles" is a list of texts',
    ),
    "roles as keys": (
        {"principal": {"roles": {"admin": 1}}},
        '"principal.roles" is a list of texts',
    ),
    "a role that is a number": (
        {"principal": {"roles": ["admin", 5]}},
        '"principal.roles" is a list of texts',
    ),
    "attrs in a list": ({"principal": {"attrs": ["eu"]}}, '"principal.attrs" is a mapping'),
    "a context that is a number": ({"context": 5}, '"context" is a mapping, not "int"'),
    "a context that is a list": ({"context": []}, '"context" is a mapping, not "list"'),
}


def refused(guard, request):
    """Return what a guard says of a request, in each way that it can be asked."""
    said = [guard.decide(request), asyncio.run(guard.adecide(request))]
    with pytest.raises(Denied) as caught:
        guard.enforce(request)
    said.append(caught.value.decision)
    for ask in (guard.aenforce, guard.aask, lambda request: guard.acall(request, None)):
        with pytest.raises(Denied) as caught:
            asyncio.run(ask(request))
        said.append(caught.value.decision)
    assert {decision.reasons[0].code for decision in said} == {"guard.unjudgeable"}
    assert [record["codes"] for record in guard.seen] == [["guard.unjudgeable"]] * 4
    assert len({decision.message for decision in said}) == 1
    return said[0].message


@pytest.mark.parametrize("case", OF_ANOTHER_FORM)
def test_who_asks_is_of_the_documented_form(case):
    fields, said = OF_ANOTHER_FORM[case]
    guard = guard_of(EVERYTHING)
    with asking(guard):
        message = refused(guard, Request(**CALL, **fields))
    assert message == f"The request cannot be judged: {said}."
    with pytest.raises(RequestError):
        read_request(CALL | fields)


@pytest.mark.parametrize("stage", STAGES)
def test_a_request_carries_what_its_stage_carries_and_nothing_else(stage):
    for name, value in FIELDS.items():
        guard = guard_of(EVERYTHING)
        given = {**STAGES[stage], name: value}
        try:
            read_request(given)
        except RequestError:
            message = refused(guard, Request(**given))
            assert message == (
                f'The request cannot be judged: "{name}" does not belong to the stage {stage}.'
            )
        else:
            assert guard.enforce(Request(**given)).permitted


def test_a_request_of_the_documented_form_is_let_through():
    guard = guard_of({**EVERYTHING, "applies_to": {"roles": ["admin"]}})
    person = {"id": "u1", "roles": ("admin",), "tenant": None, "attrs": {"region": "eu"}}
    for principal in (person, MappingProxyType(person), collections.UserDict(person)):
        assert guard.enforce(Request(**CALL, principal=principal, context={})).permitted
    with asking(guard, principal=person) as session:
        assert guard.enforce(Request(**CALL)).request.principal is session.principal
        given = Request(**CALL, principal=session.principal)
        assert guard.enforce(given).request.principal is session.principal
    with asking(guard, principal={"id": "u2"}), pytest.raises(Denied):
        guard.enforce(Request(**CALL))


# What a guard is told about a function


@pytest.mark.parametrize("wait", ["5", None, True, False, [1], decimal.Decimal(1)])
def test_how_long_to_wait_is_a_number(wait):
    for decorator in (guard_of().tool, functools.partial(policy_engine.guarded, guard_of())):
        with pytest.raises(TypeError, match="wait is a number of seconds, not"):
            decorator(wait=wait)


@pytest.mark.parametrize("wait", [-1, -0.5, -math.inf, math.nan])
def test_how_long_to_wait_is_not_negative(wait):
    with pytest.raises(ValueError, match=f"wait is a number of seconds from 0 on, not {wait}"):
        guard_of().tool(wait=wait)


@pytest.mark.parametrize("wait", [0, 0.0, 5, 5.5, math.inf])
@pytest.mark.parametrize("is_async", [False, True])
def test_an_approval_is_waited_for_as_long_as_told(wait, is_async):
    approval = {"approvers": ["x"], "expires": "1h"}
    guard = guard_of({"tools": {"t": {"effect": "require_approval", "approval": approval}}})

    def approve(needed):
        guard.approvals.approve(needed.id, by={"id": "f1", "roles": ["x"]}, reason="ok")

    def approve_soon():
        while not (needed := guard.approvals.pending()):
            time.sleep(0.005)
        approve(needed[0])

    async def later():
        return "ran"

    tool = guard.tool(name="t", wait=wait)(later if is_async else lambda: "ran")
    with asking(guard):
        if not wait:
            with pytest.raises(ApprovalRequired):
                asyncio.run(tool()) if is_async else tool()
            return
        desk = threading.Thread(target=approve_soon)
        desk.start()
        assert (asyncio.run(tool()) if is_async else tool()) == "ran"
        desk.join()


@contextlib.contextmanager
def opened(x):
    yield x


@contextlib.asynccontextmanager
async def opened_later(x):
    yield x


class Store:
    @contextlib.contextmanager
    def opened(self, x):
        yield x


MANAGERS = {
    "contextmanager": opened,
    "asynccontextmanager": opened_later,
    "a method": Store.opened,
    "a bound method": Store().opened,
    "a staticmethod": staticmethod(opened),
    "a partial": functools.partial(opened, 1),
    "what wraps one": _wrapping(opened),
}


@pytest.mark.parametrize("case", MANAGERS)
def test_what_makes_a_context_manager_is_refused_with_the_remedy(case):
    with pytest.raises(TypeError, match="guard the functions that are called inside `with`"):
        guard_of().tool(MANAGERS[case], name="t")


def test_a_function_that_uses_a_context_manager_is_guarded():
    guard = guard_of()

    @guard.tool(name="t")
    def read(x):
        with opened(x) as found:
            return found

    with asking(guard):
        assert read("k") == "k"


def test_decorators_that_wrap_in_a_circle_are_refused():
    def circular(x):
        return x

    circular.__wrapped__ = circular
    with pytest.raises(TypeError, match="does not tell its parameters"):
        guard_of().tool(circular, name="t")


GUARD = guard_of()


class Guarded:
    @GUARD.tool(name="t")
    def method(self, x):
        return x

    @GUARD.tool(name="t")
    @staticmethod
    def static(x):
        return x

    @GUARD.tool(name="t")
    def __call__(self, x):
        return x


@GUARD.tool(name="t")
def once(x):
    return x


@GUARD.tool(name="t")
async def once_later(x):
    return x


TWICE = {
    "a function": once,
    "a coroutine function": once_later,
    "a method": Guarded.method,
    "a bound method": Guarded().method,
    "a staticmethod": vars(Guarded)["static"],
    "an object": Guarded(),
    "a partial": functools.partial(once, 1),
    "a guarded partial": GUARD.tool(functools.partial(once.__wrapped__, 1), name="t"),
    "what wraps it": _wrapping(once),
    "what another guard guards too": guard_of().tool(once),
}


@pytest.mark.parametrize("case", TWICE)
def test_one_guard_guards_a_function_once(case):
    with pytest.raises(TypeError, match='already, as the tool "'):
        GUARD.tool(TWICE[case], name="u")


def test_two_guards_guard_one_function():
    outer = guard_of({"tools": {"t": {"args": {"x": {"maximum": 3, "type": "integer"}}}}})
    both = outer.tool(once, name="t")
    GUARD.seen.clear()
    with asking(GUARD), asking(outer):
        assert both(3) == 3
        with pytest.raises(Denied):
            both(4)
    assert [len(outer.seen.decisions), len(GUARD.seen.decisions)] == [2, 1]


def test_a_function_may_be_two_tools():
    guard = guard_of()
    one = guard.tool(once.__wrapped__, name="one")
    two = guard.tool(one.__wrapped__, name="two")
    with asking(guard):
        assert (one(1), two(2)) == (1, 2)
    assert [record["tool"] for record in guard.seen.decisions] == ["one", "two"]


# What the model reads

NAN, INFINITY = math.nan, math.inf
OF_NUMBERS = {"type": "object", "properties": {"a": {"type": "number"}}}
TOLD = [
    ({"type": "number"}, NAN, "must be of type number."),
    ({"type": "number"}, "x", "must be of type number."),
    ({"type": ["number", "null"]}, INFINITY, "must be of type number or null."),
    ({"type": ["number", "null"]}, "x", "must be of type number or null."),
    ({"type": "null"}, NAN, "must be of type null."),
    (OF_NUMBERS, {"a": NAN}, "must hold JSON values alone."),
    ({"type": "array", "items": {"type": "number"}}, [NAN], "must hold JSON values alone."),
    ({"enum": [1]}, NAN, "must hold JSON values alone."),
    ({"anyOf": [{"type": "number"}]}, NAN, "must hold JSON values alone."),
    ({"enum": ["USD", "EUR"]}, "GBP", "must be one of: USD, EUR."),
    (
        {"enum": [1, None, True, {"b": [None]}, [1, "é"], "", " x", "1", "null", 0.5]},
        "zz",
        'must be one of: 1, null, true, {"b": [null]}, [1, "é"], "", " x", "1", "null", 0.5.',
    ),
    ({"const": {"a": None}}, 1, 'must be {"a": null}.'),
    ({"const": [1, [2, "x"]]}, 1, 'must be [1, [2, "x"]].'),
    ({"const": None}, 1, "must be null."),
    ({"const": False}, True, "must be false."),
    ({"const": ""}, "x", 'must be "".'),
    ({"const": "2"}, 2, 'must be "2".'),
    ({"type": "number", "minimum": 1.5}, 1, "must be at least 1.5."),
    ({"type": "number", "maximum": 1.5}, 2, "must be at most 1.5."),
    ({"type": "number", "exclusiveMinimum": 0}, 0, "must be more than 0."),
    ({"type": "number", "exclusiveMaximum": 0}, 0, "must be less than 0."),
    ({"type": "number", "multipleOf": 0.5}, 0.3, "must be a multiple of 0.5."),
    ({"type": "string", "minLength": 2}, "a", "must have at least 2 characters."),
    ({"type": "string", "maxLength": 2}, "abc", "must have at most 2 characters."),
    ({"type": "string", "maxBytes": 2}, "abc", "must have at most 2 bytes."),
    ({"type": "string", "pattern": "^a{2}$"}, "abc", "must match the pattern ^a{2}$."),
    ({"type": "string", "pattern": "12"}, "abc", "must match the pattern 12."),
    ({"type": "string", "format": "date"}, "abc", "must have the format date."),
    ({"type": "string", "check": {"terms": {"any": ["abc"]}}}, "abc", "breaks a text check."),
    ({"type": "array", "minItems": 2}, [1], "must have at least 2 items."),
    ({"type": "array", "maxItems": 2}, [1, 2, 3], "must have at most 2 items."),
    ({"type": "array", "uniqueItems": True}, [1, 1], "must not repeat an item."),
    ({"type": "array", "contains": {"const": {"a": 1}}}, [1], "does not fit its schema."),
    ({"type": "array", "contains": {}, "minContains": 2}, [1], "does not fit its schema."),
    ({"type": "array", "contains": {}, "maxContains": 1}, [1, 1], "does not fit its schema."),
    ({"type": "object", "additionalProperties": True, "minProperties": 2}, {}, "at least 2 keys."),
    (
        {"type": "object", "additionalProperties": True, "maxProperties": 2},
        {"a": 1, "b": 1, "c": 1},
        "must have at most 2 keys.",
    ),
    (
        {"type": "object", "additionalProperties": True, "propertyNames": {"enum": ["a"]}},
        {"b": 1},
        "does not fit its schema.",
    ),
    (
        {**OF_NUMBERS, "dependentRequired": {"a": ["b"]}, "additionalProperties": True},
        {"a": 1},
        "lacks a required key.",
    ),
    (OF_NUMBERS, {"a": 1, "b": 1}, "has a key that is not accepted."),
    ({"anyOf": [{"type": "null"}, {"type": "number"}]}, "x", "does not fit its schema."),
    ({"oneOf": [{"type": "integer"}, {"type": "number"}]}, 1, "does not fit its schema."),
    ({"allOf": [{"type": "number", "minimum": 2}]}, 1, "must be at least 2."),
    ({"not": {"type": "number"}}, 1, "does not fit its schema."),
    ({"if": {"type": "number"}, "then": {"enum": [{"a": 1}]}}, 1, 'must be one of: {"a": 1}.'),
    ({"$ref": "#/$defs/n", "$defs": {"n": {"enum": [{"a": 1}]}}}, 1, 'must be one of: {"a": 1}.'),
]


@pytest.mark.parametrize(("schema", "value", "said"), TOLD)
def test_the_model_reads_what_an_argument_should_be_as_json_has_it(schema, value, said):
    guard = guard_of({"tools": {"t": {"args": {"x": schema}}}})
    with asking(guard), pytest.raises(Denied) as caught:
        guard.tool(lambda x: x, name="t")(value)
    assert caught.value.message.startswith('The argument "x" ')
    assert caught.value.message.endswith(said)


def test_values_that_stand_elsewhere_in_the_policy_are_spelled_alike():
    args = {"x": {"enum": "vars.sizes"}}
    guard = guard_of({"vars": {"sizes": [{"w": 1}, None]}, "tools": {"t": {"args": args}}})
    with asking(guard), pytest.raises(Denied) as caught:
        guard.tool(lambda x: x, name="t")(1)
    assert caught.value.message == 'The argument "x" must be one of: {"w": 1}, null.'
