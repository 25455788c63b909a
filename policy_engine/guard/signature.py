"""From a Python call to the request's arguments, and back to the call that runs."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from inspect import Parameter
from types import MethodType
from typing import Any, Final

from policy_engine.guard.fitting import fitting
from policy_engine.guard.unjudgeable import UnjudgeableError
from policy_engine.guard.values import ATOMS, UNREAD, replaced, snapshot

__all__ = ["Bound", "Signature", "unwrapped"]

_OWNERS: Final = ("self", "cls")
_UNBOUND: Final = (MethodType, staticmethod, classmethod, partial)
"""Callables that take no owner of their own: they have one already, or none."""
_JSON: Final = ATOMS | {list, tuple, dict}
"""Types of arguments that no method belongs to."""
_BY_POSITION: Final = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
_ANY_NUMBER: Final = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)


def unwrapped(function: Any) -> Iterator[Any]:
    """Yield a function and what decorators made it of, down to the one that was written."""
    seen: set[int] = set()
    while function is not None and id(function) not in seen:
        seen.add(id(function))
        yield function
        function = getattr(function, "__wrapped__", None)


class Bound:
    """One call: what is judged, and the copies that the function will receive."""

    __slots__ = ("injected", "judged", "kept")

    judged: dict[str, Any]
    """Argument -> its JSON form."""
    kept: dict[str, Any]
    """Argument -> the copy of its value."""
    injected: dict[str, Any]
    """What the model does not supply; handed on as it is."""

    def __init__(
        self, judged: dict[str, Any], kept: dict[str, Any], injected: dict[str, Any]
    ) -> None:
        self.judged = judged
        self.kept = kept
        self.injected = injected


class Signature:
    """A function's parameters as arguments of a tool.

    What `**kwargs` takes stands beside the other arguments, by its own names; what `*args` takes
    is one argument, a list.

    Args:
        function: The function.
        inject: Parameters that the model does not supply.
        has_owner: Whether the first parameter takes the object or class that a method belongs
            to; None where its name and place tell: `self` or `cls` of a function in a class.

    Raises:
        TypeError: The function has no signature, or `inject` names no parameter of it, or one
            that takes any number.
    """

    __slots__ = (
        "_fit",
        "_injected",
        "_is_plain",
        "_keywords",
        "_own",
        "_owner",
        "_positional",
        "_rest",
        "_star",
    )

    def __init__(
        self,
        function: Callable[..., Any],
        inject: tuple[str, ...],
        *,
        has_owner: bool | None = None,
    ) -> None:
        name = getattr(function, "__qualname__", type(function).__qualname__)
        try:
            signature = inspect.signature(function)
        except ValueError as error:
            raise TypeError(f"{name}() does not tell its parameters: {error}") from error
        parameters = signature.parameters
        kinds = {name: parameter.kind for name, parameter in parameters.items()}
        for wanted in inject:
            if wanted not in kinds or kinds[wanted] in _ANY_NUMBER:
                raise TypeError(
                    f'inject names "{wanted}", which is no single parameter of {name}()'
                )
        first = next((name for name, kind in kinds.items() if kind in _BY_POSITION), None)
        if has_owner is None:
            has_owner = first in _OWNERS and _is_in_class(name) and _takes_owner(function)
        known = {first} if has_owner and first is not None else set()
        self._injected = frozenset({*inject, *known})
        self._owner = first if known and first not in inject else None
        order = tuple(name for name, kind in kinds.items() if kind not in _ANY_NUMBER)
        self._positional = tuple(name for name in order if kinds[name] in _BY_POSITION)
        self._keywords = order[len(self._positional) :]
        self._star = next((n for n, k in kinds.items() if k is Parameter.VAR_POSITIONAL), None)
        self._rest = next((n for n, k in kinds.items() if k is Parameter.VAR_KEYWORD), None)
        self._own = frozenset({*order, self._star})
        self._is_plain = set(kinds.values()) <= {*_BY_POSITION} and not self._injected
        self._fit = fitting(signature, name)

    @property
    def injected(self) -> frozenset[str]:
        """The parameters that the model does not supply."""
        return self._injected

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Bound:
        """Bind a call; defaults are filled in, and every value is copied.

        Raises:
            TypeError: The call does not fit the function, as Python says it.
            UnjudgeableError: An argument has no JSON form.
        """
        values, star, rest = self._fit(*args, **kwargs)
        injected: dict[str, Any] = self._taken(values) if self._injected else {}
        judged: dict[str, Any] = values
        kept: dict[str, Any] = values.copy()
        name = ""
        try:
            for name, value in values.items():
                if type(value) not in ATOMS:
                    judged[name], kept[name] = _copied(f'argument "{name}"', value, name)
        except UnjudgeableError:
            raise
        except Exception as error:  # a class may raise even where it is only compared
            raise _unjudged(f'argument "{name}"', UNREAD, name) from error
        if self._star is not None:
            judged[self._star], kept[self._star] = _copied(f'argument "{self._star}"', star)
        for name, value in rest.items():
            if name in self._own:
                raise UnjudgeableError(f'The argument "{name}" is given twice.')
            judged[name], kept[name] = _copied("further arguments", value)
        return Bound(judged, kept, injected)

    def _taken(self, values: dict[str, Any]) -> dict[str, Any]:
        """Take out what the model does not supply."""
        owner = self._owner
        # Below a staticmethod only its value tells that the owner is an argument.
        names = [name for name in self._injected if name != owner or not _is_json(values[name])]
        return {name: values.pop(name) for name in names}

    def call(
        self, bound: Bound, args: Mapping[str, Any] | None
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the positional and keyword arguments of the call that runs.

        Args:
            bound: The call.
            args: The arguments as they were permitted; redacted where a rule says so.

        Raises:
            UnjudgeableError: A redacted argument cannot take its Python type again.
        """
        kept = bound.kept
        if args is not None and args is not bound.judged:
            kept = _redacted(bound, args)
        if self._is_plain:
            return tuple(kept.values()), {}
        given = {**kept, **bound.injected} if bound.injected else kept
        positional = [given[name] for name in self._positional]
        if self._star is not None:
            positional.extend(kept[self._star])
        keywords = {name: given[name] for name in self._keywords} if self._keywords else {}
        if self._rest is not None:
            own = self._own
            keywords.update({name: value for name, value in kept.items() if name not in own})
        return tuple(positional), keywords


def _is_json(value: Any) -> bool:
    kind = type(value)
    return any(kind is known for known in _JSON)


def _is_in_class(qualname: str) -> bool:
    """Whether a function was written in a class, so that its first parameter is not an argument."""
    owner = qualname.rpartition(".")[0]
    return bool(owner) and not owner.endswith("<locals>")


def _takes_owner(function: Callable[..., Any]) -> bool:
    """Whether a class would hand its object over, as it does to functions."""
    return all(
        hasattr(type(each), "__get__") and not isinstance(each, _UNBOUND)
        for each in unwrapped(function)
    )


def _redacted(bound: Bound, args: Mapping[str, Any]) -> dict[str, Any]:
    kept = {}
    for name, value in bound.kept.items():
        try:
            kept[name] = replaced(value, bound.judged[name], args[name])
        except UnjudgeableError as error:
            raise UnjudgeableError(f"An argument cannot be redacted: {error}.") from None
    return kept


def _copied(what: str, value: Any, injectable: str | None = None) -> tuple[Any, Any]:
    try:
        return snapshot(value)
    except UnjudgeableError as error:
        raise _unjudged(what, error, injectable) from error.__cause__


def _unjudged(what: str, why: object, injectable: str | None) -> UnjudgeableError:
    hint = ""
    if injectable is not None:
        hint = f' If the model does not supply it, name it: inject=("{injectable}",).'
    return UnjudgeableError(f"The {what} cannot be judged: {why}.{hint}")
