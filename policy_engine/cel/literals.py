"""Calls whose literal arguments say before any run that they fail."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from policy_engine.cel.conversions import to_duration_value, to_timestamp_value
from policy_engine.cel.network import cidr, ip
from policy_engine.cel.nodes import Call, Literal
from policy_engine.cel.patterns import compile_pattern
from policy_engine.cel.problems import EvaluationError
from policy_engine.cel.timestamps import find_zone

__all__ = ["LITERAL_MAKERS", "check", "literal_text"]

LITERAL_MAKERS: Mapping[str, Callable[[object], object]] = MappingProxyType(
    {"timestamp": to_timestamp_value, "duration": to_duration_value, "ip": ip, "cidr": cidr}
)
"""What makes a value from one literal string, once and for all."""

_MADE: Mapping[str, str] = MappingProxyType(
    {
        "timestamp": "a timestamp",
        "duration": "a duration",
        "ip": "an IP address",
        "cidr": "a CIDR block",
    }
)


def literal_text(call: Call, position: int) -> str | None:
    """Return the string that stands literally as an argument, or None."""
    if len(call.arguments) <= position:
        return None
    argument = call.arguments[position]
    if isinstance(argument, Literal) and type(argument.value) is str:
        return argument.value
    return None


def check(call: Call) -> str | None:
    """Return what is wrong with a pattern, a time zone or a time in a call; None if nothing."""
    if call.function == "matches":
        text = literal_text(call, 1)
        return None if text is None else _check_pattern(text)
    if call.function in LITERAL_MAKERS:
        text = literal_text(call, 0)
        return None if text is None else _check_maker(call.function, text)
    if call.function.startswith("get"):
        text = literal_text(call, 1)
        return None if text is None else _check_zone(text)
    return None


def _check_pattern(text: str) -> str | None:
    try:
        compile_pattern(text)
    except EvaluationError as error:
        return f'"{text}" is not a pattern: {error}'
    return None


def _check_maker(function: str, text: str) -> str | None:
    try:
        LITERAL_MAKERS[function](text)
    except (EvaluationError, ValueError, OverflowError):
        return f'"{text}" is not {_MADE[function]}'
    return None


def _check_zone(text: str) -> str | None:
    try:
        find_zone(text)
    except EvaluationError:
        return f'"{text}" is not a time zone'
    return None
