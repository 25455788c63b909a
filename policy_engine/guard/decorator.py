"""What the decorators of a guard do to types: they stay, but for the message of a denial."""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Coroutine,
    Generator,
    Iterator,
)
from typing import Any, ParamSpec, Protocol, TypeVar, overload

__all__ = ["Guarding", "Telling"]

C = TypeVar("C")
P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")
T = TypeVar("T")


class Guarding(Protocol):
    """Guards a function; its type stays."""

    @overload
    def __call__(self, function: staticmethod[P, R], /) -> staticmethod[P, R]: ...
    @overload
    def __call__(self, function: classmethod[C, P, R], /) -> classmethod[C, P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> Callable[P, R]: ...


class Telling(Protocol):
    """Guards a function that hands back the message of a denial in the place of its result.

    A function that says it returns an iterator is taken for a generator, which yields the
    message. `Iterable` needs no word of its own: a list is one too, and so is the message.
    """

    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, function: Callable[P, Coroutine[Any, Any, R]], /
    ) -> Callable[P, Coroutine[Any, Any, R | str]]: ...
    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, function: Callable[P, AsyncGenerator[R, S]], /
    ) -> Callable[P, AsyncGenerator[R | str, S]]: ...
    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, function: Callable[P, AsyncIterator[R]], /
    ) -> Callable[P, AsyncIterator[R | str]]: ...
    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, function: Callable[P, AsyncIterable[R]], /
    ) -> Callable[P, AsyncIterable[R | str]]: ...
    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, function: Callable[P, Generator[R, S, T]], /
    ) -> Callable[P, Generator[R | str, S, T | None]]: ...
    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, function: Callable[P, Iterator[R]], /
    ) -> Callable[P, Iterator[R | str]]: ...
    @overload
    def __call__(self, function: staticmethod[P, R], /) -> staticmethod[P, R | str]: ...
    @overload
    def __call__(self, function: classmethod[C, P, R], /) -> classmethod[C, P, R | str]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> Callable[P, R | str]: ...
