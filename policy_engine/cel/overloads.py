"""How the types of arguments pick a function's overload."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from policy_engine.cel.types import (
    DOUBLE,
    DYN,
    INT,
    STRING,
    UINT,
    ListType,
    MapType,
    OptionalType,
    RecordType,
    Type,
    TypeParameter,
    join,
)

__all__ = ["Function", "Overload", "compatible", "resolve"]

NUMBERS = frozenset({INT, UINT, DOUBLE})


@dataclass(frozen=True, slots=True)
class Overload:
    """One signature; a method's target is the first parameter."""

    parameters: tuple[Type, ...]
    result: Type
    member: bool = False
    variadic: bool = False
    """Whether the last parameter may be given several times."""

    def __str__(self) -> str:
        return f"({', '.join(map(str, self.parameters))})"


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the language: its signatures, and what computes it."""

    name: str
    run: Callable[..., object]
    overloads: tuple[Overload, ...]
    metered: bool = False
    """Whether it is handed the meter, since it builds strings or lists."""


def compatible(first: Type, second: Type) -> bool:
    """Say whether a value could have both types; numbers of different types are comparable."""
    if first == second or DYN in (first, second):
        return True
    if first in NUMBERS and second in NUMBERS:
        return True
    if isinstance(first, ListType) and isinstance(second, ListType):
        return compatible(first.element, second.element)
    if isinstance(first, OptionalType) and isinstance(second, OptionalType):
        return compatible(first.inner, second.inner)
    if isinstance(first, MapType) and isinstance(second, MapType):
        return compatible(first.key, second.key) and compatible(first.value, second.value)
    records = isinstance(first, RecordType), isinstance(second, RecordType)
    return (
        any(records)
        and isinstance(first, RecordType | MapType)
        and isinstance(second, RecordType | MapType)
    )


def _fits(parameter: Type, argument: Type, bound: dict[str, Type]) -> bool:
    if isinstance(parameter, TypeParameter):
        known = bound.get(parameter.name)
        if known is None:
            bound[parameter.name] = argument
            return True
        bound[parameter.name] = join(known, argument)
        return compatible(known, argument)
    if argument == DYN:
        _bind_to_dyn(parameter, bound)
        return True
    if parameter in (DYN, argument):
        return True
    if isinstance(parameter, ListType) and isinstance(argument, ListType):
        return _fits(parameter.element, argument.element, bound)
    if isinstance(parameter, OptionalType) and isinstance(argument, OptionalType):
        return _fits(parameter.inner, argument.inner, bound)
    if isinstance(parameter, MapType):
        if isinstance(argument, RecordType):
            argument = MapType(STRING, DYN)
        return isinstance(argument, MapType) and (
            _fits(parameter.key, argument.key, bound)
            and _fits(parameter.value, argument.value, bound)
        )
    return False


def _bind_to_dyn(parameter: Type, bound: dict[str, Type]) -> None:
    """Note that nothing is known about what a signature leaves open."""
    if isinstance(parameter, TypeParameter):
        bound[parameter.name] = DYN
    elif isinstance(parameter, ListType):
        _bind_to_dyn(parameter.element, bound)
    elif isinstance(parameter, OptionalType):
        _bind_to_dyn(parameter.inner, bound)
    elif isinstance(parameter, MapType):
        _bind_to_dyn(parameter.key, bound)
        _bind_to_dyn(parameter.value, bound)


def _filled(kind: Type, bound: dict[str, Type]) -> Type:
    if isinstance(kind, TypeParameter):
        return bound.get(kind.name, DYN)
    if isinstance(kind, ListType):
        return ListType(_filled(kind.element, bound))
    if isinstance(kind, OptionalType):
        return OptionalType(_filled(kind.inner, bound))
    if isinstance(kind, MapType):
        return MapType(_filled(kind.key, bound), _filled(kind.value, bound))
    return kind


def _result(overload: Overload, arguments: Sequence[Type]) -> Type | None:
    parameters = overload.parameters
    if overload.variadic and len(arguments) > len(parameters):
        parameters += parameters[-1:] * (len(arguments) - len(parameters))
    if len(parameters) != len(arguments):
        return None
    bound: dict[str, Type] = {}
    for parameter, argument in zip(parameters, arguments, strict=True):
        if not _fits(parameter, argument, bound):
            return None
    return _filled(overload.result, bound)


def resolve(function: Function, arguments: Sequence[Type], *, member: bool) -> Type | None:
    """Return the type of a call, or None where no overload takes these arguments."""
    result: Type | None = None
    for overload in function.overloads:
        if overload.member is member:
            found = _result(overload, arguments)
            if found is not None:
                result = found if result is None else join(result, found)
    return result
