"""Which function a call means, and what to say where there is none."""

from collections.abc import Sequence

from policy_engine.cel.functions import FUNCTIONS
from policy_engine.cel.macros import MACRO_NAMES
from policy_engine.cel.nodes import Call
from policy_engine.cel.overloads import Function
from policy_engine.cel.problems import did_you_mean
from policy_engine.cel.types import NULL, Type, described

__all__ = ["find", "no_overload", "unknown"]

_OPERATORS = frozenset({"+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "in", "neg"})


def find(name: str, *, member: bool) -> Function | None:
    """Return the function of a name that is called so: on a value, or by its name alone."""
    function = FUNCTIONS.get(name)
    if function is None or "." in name or (name in _OPERATORS):
        return FUNCTIONS.get(name) if name in _OPERATORS and not member else None
    return function if any(o.member is member for o in function.overloads) else None


def unknown(node: Call) -> tuple[str, str | None]:
    """Return the message and the hint for a call of no function."""
    member = node.target is not None
    message = f'"{node.function}" is not a function'
    if find(node.function, member=not member) is not None:
        written = f'"{node.function}(…)"' if member else f'"….{node.function}(…)"'
        return message, f"write {written}"
    names = [name for name in FUNCTIONS if name not in _OPERATORS and find(name, member=member)]
    return message, did_you_mean(node.function, [*names, *(MACRO_NAMES if member else ("has",))])


def no_overload(
    function: Function, types: Sequence[Type], *, member: bool
) -> tuple[str, str | None]:
    """Return the message and the hint for arguments that a function does not take."""
    if function.name in ("==", "!=") and NULL in types:
        message = f'"{function.name}" compares {described(types[0])} with {described(types[1])}'
        return message, "ask has() whether it is present"
    if function.name in _OPERATORS:
        sign = "-" if function.name == "neg" else function.name
        return f'"{sign}" does not go with {" and ".join(map(described, types))}', None
    given = ", ".join(map(str, types))
    takes = [str(o) for o in function.overloads if o.member is member][:4]
    hint = f"it takes {' or '.join(takes)}" if takes else None
    return f'"{function.name}" does not take ({given})', hint
