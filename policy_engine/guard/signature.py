"""From a Python call to the request's arguments, and back to the call that runs."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import Parameter
from typing import Any, Final

from policy_engine.guard.values import UnjudgeableError, replaced, snapshot

__all__ = ["Bound", "Signature"]

_KNOWN_INJECTED: Final = ("self", "cls")


@dataclass(frozen=True, slots=True)
class Bound:
    """One call: what is judged, and the copies that the function will receive."""

    judged: dict[str, Any]
    """Argument -> its JSON form."""
    kept: dict[str, Any]
    """Argument -> the copy of its value."""
    injected: Mapping[str, Any]
    """What the model does not supply; handed on as it is."""


class Signature:
    """A function's parameters as arguments of a tool.

    Args:
        function: The function.
        inject: Parameters that the model does not supply; `self` and `cls` are known.

    Raises:
        TypeError: `inject` names no parameter, or a parameter that takes any number.
    """

    __slots__ = ("_injected", "_order", "_rest", "_signature", "_star")

    def __init__(self, function: Callable[..., Any], inject: tuple[str, ...]) -> None:
        self._signature = inspect.signature(function)
        parameters = self._signature.parameters
        kinds = {name: parameter.kind for name, parameter in parameters.items()}
        for name in inject:
            if kinds.get(name) in (None, Parameter.VAR_KEYWORD, Parameter.VAR_POSITIONAL):
                raise TypeError(
                    f'inject names "{name}", which is no parameter of {function.__qualname__}()'
                )
        first = next(iter(parameters), None)
        known = {first} if first in _KNOWN_INJECTED else set()
        self._injected = frozenset({*inject, *known})
        self._order = tuple(parameters)
        self._star = next((n for n, k in kinds.items() if k is Parameter.VAR_POSITIONAL), None)
        self._rest = next((n for n, k in kinds.items() if k is Parameter.VAR_KEYWORD), None)

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Bound:
        """Bind a call; defaults are filled in, and every value is copied.

        Raises:
            TypeError: The call does not fit the function, as Python says it.
            UnjudgeableError: An argument has no JSON form.
        """
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        judged: dict[str, Any] = {}
        kept: dict[str, Any] = {}
        injected: dict[str, Any] = {}
        for name, value in bound.arguments.items():
            if name in self._injected:
                injected[name] = value
            elif name == self._rest:
                for key, item in value.items():
                    if key in self._order:
                        raise UnjudgeableError(f'the argument "{key}" is given twice')
                    judged[key], kept[key] = _snapshot(key, item)
            else:
                judged[name], kept[name] = _snapshot(name, value)
        return Bound(judged, kept, injected)

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
            kept = {
                name: value if args[name] is bound.judged[name] else replaced(value, args[name])
                for name, value in kept.items()
            }
        positional: list[Any] = []
        keywords: dict[str, Any] = {}
        parameters = self._signature.parameters
        for name in self._order:
            kind = parameters[name].kind
            if kind is Parameter.VAR_POSITIONAL:
                positional.extend(kept[name])
            elif kind is Parameter.VAR_KEYWORD:
                others = (key for key in kept if key not in parameters)
                keywords.update((key, kept[key]) for key in others)
            else:
                value = bound.injected[name] if name in self._injected else kept[name]
                if kind is Parameter.KEYWORD_ONLY:
                    keywords[name] = value
                else:
                    positional.append(value)
        return tuple(positional), keywords


def _snapshot(name: str, value: Any) -> tuple[Any, Any]:
    try:
        return snapshot(value)
    except UnjudgeableError as error:
        raise UnjudgeableError(
            f'the argument "{name}" cannot be judged: {error}; if the model does not supply it, '
            f'name it in inject=("{name}",)'
        ) from None
