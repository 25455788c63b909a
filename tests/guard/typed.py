"""How types survive the guard; `test_guard_types.py` asks mypy and pyright what they see."""

from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Generator,
    Iterable,
    Iterator,
)
from typing import TypeVar, reveal_type

from policy_engine import Guard, guarded

guard = Guard.from_path("policies")
T = TypeVar("T")


@guard.tool
def plain(a: int, *, b: str = "x") -> float:
    return a + len(b)


@guard.tool(name="named")
def configured(a: int, /) -> float:
    return float(a)


@guarded(guard)
async def awaited(a: int) -> float:
    return float(a)


@guarded(guard, on_denied="return")
def told(a: int) -> float:
    return float(a)


@guard.tool(on_denied="return")
async def told_later(a: int) -> float:
    return float(a)


@guard.tool
def items(a: int) -> Generator[float, str, bytes]:
    yield float(a)
    return b""


@guard.tool(on_denied="return")
def told_items(a: int) -> Generator[float, str, bytes]:
    yield float(a)
    return b""


@guard.tool(on_denied="return")
async def told_stream(a: int) -> AsyncGenerator[float, None]:
    yield float(a)


@guard.tool(on_denied="return")
def told_iterator(a: int) -> Iterator[float]:
    yield float(a)


@guard.tool(on_denied="return")
def told_iterable(a: int) -> Iterable[float]:
    yield float(a)


@guard.tool(on_denied="return")
async def told_async_iterator(a: int) -> AsyncIterator[float]:
    yield float(a)


@guard.tool(on_denied="return")
async def told_async_iterable(a: int) -> AsyncIterable[float]:
    yield float(a)


@guard.tool(on_denied="return")
def told_list(a: int) -> list[float]:
    return [float(a)]


@guard.tool()
def generic(a: T) -> list[T]:
    return [a]


class Desk:
    @guard.tool
    def method(self, a: int) -> float:
        return float(a)

    @guard.tool(name="c")
    @classmethod
    def above(cls, a: int) -> float:
        return float(a)

    @staticmethod
    @guard.tool(name="s")
    def below(a: int) -> float:
        return float(a)


reveal_type(plain)
reveal_type(configured)
reveal_type(awaited(1))
reveal_type(told(1))
reveal_type(told_later(1))
reveal_type(items(1))
reveal_type(told_items(1))
reveal_type(told_stream(1))
reveal_type(told_iterator(1))
for item in told_iterable(1):
    reveal_type(item)
reveal_type(told_async_iterator(1))
reveal_type(told_async_iterable(1))
reveal_type(told_list(1))
reveal_type(generic("x"))
reveal_type(Desk().method(1))
reveal_type(Desk.above(1))
reveal_type(Desk.below(1))
plain("1")
told()
