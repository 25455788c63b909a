"""Every kind of function: what survives, what a denial does, which order decorators stand in."""

import asyncio
import inspect
import io
import pickle
import pydoc
from concurrent.futures import ThreadPoolExecutor

import pydantic
import pytest
from guarding import asking, guard_of

from policy_engine import ApprovalRequired, Denied

try:
    import agents
except ImportError:
    agents = None

GUARD = guard_of({"tools": {"*": {"args": {"n": {"type": "integer", "maximum": 3}}}}})


@GUARD.tool
def plain(n: int = 1) -> int:
    """Return a number."""
    return n


@GUARD.tool
async def awaited(n: int = 1) -> int:
    """Return a number."""
    await asyncio.sleep(0)
    return n


@GUARD.tool
def counted(n: int = 1):
    """Return a number."""
    sent = yield n
    yield sent
    return n


@GUARD.tool
async def streamed(n: int = 1):
    """Return a number."""
    sent = yield n
    yield sent


KINDS = {
    "plain": (plain, ()),
    "coroutine": (awaited, (inspect.iscoroutinefunction,)),
    "generator": (counted, (inspect.isgeneratorfunction,)),
    "async generator": (streamed, (inspect.isasyncgenfunction,)),
}


def collected(found):
    """Return what a call hands back, whatever kind of function it was."""
    if inspect.isawaitable(found):
        return asyncio.run(_await(found))
    if inspect.isasyncgen(found):
        return asyncio.run(_first(found))
    return next(found) if inspect.isgenerator(found) else found


async def _await(found):
    return await found


async def _first(found):
    item = await anext(found)
    await found.aclose()
    return item


@pytest.mark.parametrize("kind", KINDS)
def test_a_guarded_function_looks_as_before(kind):
    function, predicates = KINDS[kind]
    original = function.__wrapped__
    asked = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)
    for predicate in asked:
        assert predicate(function) == predicate(original) == (predicate in predicates)
    assert inspect.signature(function) == inspect.signature(original)
    for name in ("__name__", "__qualname__", "__module__", "__doc__", "__annotations__"):
        assert getattr(function, name) == getattr(original, name)
    text = pydoc.render_doc(function, renderer=pydoc.plaintext)
    assert f"{original.__name__}(n" in text
    assert "Return a number." in text
    assert pickle.loads(pickle.dumps(function)) is function


@pytest.mark.parametrize("kind", KINDS)
def test_a_denial_raises_or_is_what_the_model_reads(kind):
    function = KINDS[kind][0]
    told = GUARD.tool(function.__wrapped__, name="t")
    telling = GUARD.tool(name="t", on_denied="return")(function.__wrapped__)
    with asking(GUARD):
        assert collected(told(3)) == 3
        assert collected(telling(3)) == 3
        with pytest.raises(Denied) as caught:
            collected(told(4))
        assert collected(telling(4)) == caught.value.message == str(caught.value)
    assert "at most 3" in caught.value.message
    assert caught.value.decision.reasons[0].code == "args.maximum"
    assert "4" not in caught.value.message


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_session_nobody_is_known_and_it_is_denied(kind):
    guard = guard_of({"applies_to": {"roles": ["support"]}, "tools": {"*": "allow"}})
    told = guard.tool(KINDS[kind][0].__wrapped__, name="t")
    with pytest.raises(Denied):
        collected(told(1))
    with asking(guard):
        assert collected(told(1)) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_session_holds_from_the_first_step_on(kind):
    """A generator or coroutine decides when it starts, and whoever starts it is asked about."""
    guard = guard_of({"applies_to": {"roles": ["support"]}, "tools": {"*": "allow"}})
    told = guard.tool(KINDS[kind][0].__wrapped__, name="t")
    if kind == "plain":
        return
    with asking(guard):
        begun = told(1)
    with pytest.raises(Denied):
        collected(begun)


def test_what_a_generator_is_sent_and_thrown_reaches_it():
    told = []

    def talking(n=1):
        try:
            told.append((yield n))
        except KeyError:
            told.append("thrown")
        yield 2
        return "over"

    guard = guard_of()
    guarded = guard.tool(talking, name="t")
    with asking(guard):
        running = guarded()
        assert next(running) == 1
        assert running.send("hello") == 2
        with pytest.raises(StopIteration) as over:
            next(running)
        running = guarded()
        next(running)
        assert running.throw(KeyError()) == 2
    assert told == ["hello", "thrown"]
    assert over.value.value == "over"


def test_what_an_async_generator_is_sent_and_thrown_reaches_it():
    told = []

    async def talking(n=1):
        try:
            told.append((yield n))
        except KeyError:
            told.append("thrown")
        yield 2

    guard = guard_of()
    guarded = guard.tool(talking, name="t")

    async def talk():
        running = guarded()
        assert await anext(running) == 1
        assert await running.asend("hello") == 2
        assert [item async for item in running] == []
        running = guarded()
        await anext(running)
        assert await running.athrow(KeyError()) == 2
        await running.aclose()

    with asking(guard):
        asyncio.run(talk())
    assert told == ["hello", "thrown"]
    assert guard.seen.statuses == ["returned", "cancelled"]


def result_rule():
    return guard_of(
        {
            "tools": {
                "t": {
                    "result": [
                        {"id": "no", "check": {"terms": {"any": ["poison"]}}, "effect": "deny"}
                    ]
                }
            }
        }
    )


async def poison_later():
    return "poison"


def poison_items():
    yield "fine"
    yield "poison"
    yield "never"


def poison_at_the_end():
    yield "fine"
    return "poison"


async def poison_stream():
    yield "fine"
    yield "poison"
    yield "never"


FOLLOWED = {
    "coroutine": (lambda: poison_later(), poison_later),  # noqa: PLW0108 - a plain function
    "generator": (lambda: poison_items(), poison_items),  # noqa: PLW0108
    "returning generator": (lambda: poison_at_the_end(), poison_at_the_end),  # noqa: PLW0108
    "async generator": (lambda: poison_stream(), poison_stream),  # noqa: PLW0108
}


async def _everything(stream, found):
    async for item in stream:
        found.append(item)


def everything(handed, found):
    if inspect.isawaitable(handed):
        found.append(asyncio.run(_await(handed)))
    elif inspect.isasyncgen(handed):
        asyncio.run(_everything(handed, found))
    else:
        while True:
            try:
                found.append(next(handed))
            except StopIteration as end:
                if end.value is not None:
                    found.append(end.value)
                return


@pytest.mark.parametrize("disguise", ["declared", "behind a plain function"])
@pytest.mark.parametrize("kind", FOLLOWED)
def test_every_part_of_a_result_is_judged_however_it_is_handed_back(kind, disguise):
    hidden, declared = FOLLOWED[kind]
    guard = result_rule()
    guarded = guard.tool(name="t")(declared if disguise == "declared" else hidden)
    found = []
    with asking(guard), pytest.raises(Denied):
        everything(guarded(), found)
    assert found == ([] if kind == "coroutine" else ["fine"])
    telling = guard.tool(name="t", on_denied="return")(
        declared if disguise == "declared" else hidden
    )
    found = []
    with asking(guard):
        everything(telling(), found)
    assert "poison" not in found
    assert "never" not in found
    assert len(found) == (1 if kind == "coroutine" else 2)
    assert len(guard.seen.outcomes) == 2


def test_a_guarded_function_in_a_guarded_function_is_denied_inside():
    guard = guard_of({"tools": {"outer": "allow", "inner": "deny"}})
    inner = guard.tool(lambda: "inner", name="inner")

    @guard.tool
    def outer():
        return inner()

    with asking(guard):
        with pytest.raises(Denied):
            outer()
        assert isinstance(guard.tool(name="outer", on_denied="return")(outer.__wrapped__)(), str)
    assert guard.seen.statuses == ["raised", "raised"]


# Orders of decorators


@pydantic.validate_call
def validated(n: int) -> int:
    return n


class _Shaped:
    """What an SDK makes of a function, by its public attributes."""

    def __init__(self, **attributes):
        vars(self).update(attributes)

    def __call__(self): ...


FINISHED = {
    "pydantic": (validated, "@validate_call"),
    "openai-agents": (
        _Shaped(name="t", params_json_schema={}, on_invoke_tool=print),
        "@function_tool",
    ),
    "langchain": (_Shaped(name="t", args_schema=dict, invoke=print), "@tool"),
    "fastmcp": (_Shaped(name="t", to_mcp_tool=print, parameters={}), "@mcp.tool"),
    "fastmcp, registered": (_Shaped(__fastmcp__=object()), "@mcp.tool"),
    "mcp": (_Shaped(name="t", fn_metadata=object(), parameters={}), "@mcp.tool"),
    "pydantic-ai": (_Shaped(name="t", function_schema=object()), "@agent.tool"),
}


if agents is not None:
    FINISHED["openai-agents, itself"] = (
        agents.function_tool(lambda n=1: n, name_override="t"),
        "@function_tool",
    )


@pytest.mark.parametrize("sdk", FINISHED)
def test_the_wrong_order_of_decorators_refuses_with_the_right_one(sdk):
    tool, decorator = FINISHED[sdk]
    with pytest.raises(TypeError) as caught:
        GUARD.tool(tool)
    order = f"    {decorator}\n    @guarded(guard)\n    def …"
    assert str(caught.value).endswith(order)


def test_in_the_right_order_validation_comes_first_and_what_it_makes_is_judged():
    both = pydantic.validate_call(GUARD.tool(name="t")(validated.raw_function))
    with asking(GUARD):
        assert both("3") == 3
        with pytest.raises(Denied, match="at most 3"):
            both("4")
        with pytest.raises(pydantic.ValidationError):
            both("x")


# Denials travel


def test_a_denial_comes_back_from_a_worker_process():
    """Pickled, it says the same; what fingerprints are made with does not travel."""
    with asking(GUARD), pytest.raises(Denied) as caught:
        plain(4)
    sent = pickle.dumps(caught.value)
    assert GUARD.approvals.key not in sent
    back = pickle.loads(sent)
    assert type(back) is Denied
    assert str(back) == str(caught.value)
    assert back.decision.reasons == caught.value.decision.reasons
    assert back.decision.fingerprint == caught.value.decision.fingerprint


def test_a_needed_approval_comes_back_from_a_worker_process():
    guard = guard_of(
        {
            "tools": {
                "t": {
                    "effect": "require_approval",
                    "approval": {"approvers": ["x"], "expires": "1h"},
                }
            }
        }
    )
    with asking(guard), pytest.raises(ApprovalRequired) as caught:
        guard.tool(lambda: 1, name="t")()
    sent = pickle.dumps(caught.value)
    assert guard.approvals.key not in sent
    back = pickle.loads(sent)
    assert type(back) is ApprovalRequired
    assert back.approvals == caught.value.approvals
    with pytest.raises(RuntimeError, match="in the process"):
        back.wait(0)


def test_guarded_functions_run_in_executors_with_their_session():
    told = GUARD.tool(lambda n=1: n, name="t")
    with asking(GUARD) as session, ThreadPoolExecutor(2) as pool:
        assert list(pool.map(session.bind(told), [1, 2, 3])) == [1, 2, 3]
        with pytest.raises(Denied):
            pool.submit(session.bind(told), 4).result()


def test_help_reads_as_before():
    out = io.StringIO()
    pydoc.Helper(output=out).help(plain)
    assert "plain(n: int = 1) -> int" in out.getvalue()


def test_wrapping_keeps_what_other_decorators_noted():
    def noted(n=1):
        return n

    noted.topic = "numbers"
    guarded = GUARD.tool(noted, name="t")
    assert guarded.topic == "numbers"
    assert guarded.__wrapped__ is noted
