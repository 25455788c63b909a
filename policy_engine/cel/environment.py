"""What an expression may read: typed variables and constants."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from policy_engine.cel.types import RecordType, Type
from policy_engine.cel.values import INT_MAX, INT_MIN, List, Map

__all__ = ["Constant", "Environment", "Variable"]


@dataclass(frozen=True, slots=True)
class Variable:
    """A name that is read from a parameter of the compiled function."""

    type: Type
    path: tuple[str, ...] | None = None
    """A parameter and the attributes to read from it; None for a record whose fields have one."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A name that stands for a JSON value."""

    value: object


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables of an expression, and the parameters of the function that it becomes."""

    variables: Mapping[str, Variable | Constant] = field(hash=False)
    parameters: tuple[str, ...] = ("request", "facts")

    def __post_init__(self) -> None:
        object.__setattr__(self, "variables", MappingProxyType(dict(self.variables)))
        for name in self.parameters:
            _check_name(name)
        for variable in self.variables.values():
            if isinstance(variable, Variable):
                self._check_paths(variable)

    def _check_paths(self, variable: Variable) -> None:
        for path in _paths(variable):
            if path[0] not in self.parameters:
                raise ValueError(f'a path starts with a parameter, not "{path[0]}"')
            for name in path[1:]:
                _check_name(name)


def _paths(variable: Variable) -> Iterator[tuple[str, ...]]:
    if variable.path is not None:
        yield variable.path
        return
    if not isinstance(variable.type, RecordType):
        raise ValueError("a variable without a path is a record")  # noqa: TRY004 - its value is wrong
    for declared in variable.type.fields.values():
        if declared.path is None:
            raise ValueError("the fields of a record without a path have one each")
        yield declared.path


def _check_name(name: str) -> None:
    if not name.isidentifier() or name.startswith("_"):
        raise ValueError(f'"{name}" is not the name of a parameter or an attribute')


def freeze_constant(value: object) -> object:
    """Return a JSON constant as a value of expressions.

    Raises:
        ValueError: It is not a JSON value.
    """
    if value is None or isinstance(value, bool | str):
        return value
    if type(value) is int and INT_MIN <= value <= INT_MAX:
        return value
    if type(value) is float and value - value == 0.0:
        return value
    if isinstance(value, list | tuple):
        return List([freeze_constant(item) for item in value])
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return Map({key: freeze_constant(item) for key, item in value.items()})
    raise ValueError("it is not a JSON value of 64-bit integers and finite numbers")
