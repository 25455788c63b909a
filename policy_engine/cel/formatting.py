"""`format`: values in a text, by clauses such as %s and %.2f."""

from collections.abc import Callable, Mapping
from typing import Any

from policy_engine.cel.conversions import double_text
from policy_engine.cel.meter import Meter
from policy_engine.cel.problems import EvaluationError
from policy_engine.cel.reading import LISTS, as_string, elements, entries, is_map
from policy_engine.cel.timestamps import duration_text, timestamp_text
from policy_engine.cel.values import BoolKey, Duration, Timestamp, TypeValue, Uint

__all__ = ["format_text"]

_MAX_PRECISION = 1_000


def format_text(meter: Meter, template: object, values: object) -> str:
    """Return a template with each clause replaced by the value of its turn."""
    text = as_string(template)
    if type(values) not in LISTS:
        raise EvaluationError("not a list")
    rest = list(elements(values))
    rest.reverse()
    parts: list[str] = []
    position = 0
    while (sign := text.find("%", position)) >= 0:
        parts.append(text[position:sign])
        position, part = _clause(meter, text, sign + 1, rest)
        parts.append(part)
    parts.append(text[position:])
    meter.grow(sum(map(len, parts)))
    return "".join(parts)


def _clause(meter: Meter, text: str, at: int, rest: list[object]) -> tuple[int, str]:
    """Return where a clause ends and what stands for it."""
    if text[at : at + 1] == "%":
        return at + 1, "%"
    precision = 6
    if text[at : at + 1] == ".":
        end = at + 1
        while text[end : end + 1].isascii() and text[end : end + 1].isdigit():
            end += 1
        digits = text[at + 1 : end]
        if not digits or len(digits) > 4 or int(digits) > _MAX_PRECISION:
            raise EvaluationError("not a precision")
        precision, at = int(digits), end
    verb = text[at : at + 1]
    if not rest:
        raise EvaluationError("more clauses than values")
    value = rest.pop()
    part = _VERBS[verb](value, precision) if verb in _VERBS else None
    if part is None:
        raise EvaluationError("not a clause of a format")
    meter.grow(len(part))
    return at + 1, part


def _text(value: Any, _precision: int = 6) -> str:
    kind = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is bool:
        return "true" if value else "false"
    if value is None:
        return "null"
    if kind is int or kind is Uint:
        return int.__repr__(value)
    if kind is float:
        return _special(value) or double_text(value)
    if kind is bytes:
        return value.decode(errors="replace")  # type: ignore[no-any-return]
    if kind is Timestamp:
        return timestamp_text(value)
    if kind is Duration:
        return duration_text(value)
    if kind is TypeValue:
        return value.name  # type: ignore[no-any-return]
    return _container_text(value)


def _container_text(value: object) -> str:
    if type(value) in LISTS:
        return f"[{', '.join(map(_text, elements(value)))}]"
    if is_map(value):
        texts = sorted(
            (_text(key.value if type(key) is BoolKey else key), _text(item))
            for key, item in entries(value)
        )
        return f"{{{', '.join(f'{key}: {item}' for key, item in texts)}}}"
    raise EvaluationError("this has no text form")


def _special(value: float) -> str:
    if value != value:  # noqa: PLR0124 - not a number differs from itself
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return ""


def _number(value: Any) -> Any:
    if type(value) not in (int, Uint, float):
        raise EvaluationError("not a number")
    return value


def _decimal(value: Any, _precision: int) -> str:
    number = _number(value)
    if type(number) is float:
        special = _special(number)
        if not special:
            raise EvaluationError("not an integer")
        return special
    return int.__repr__(number)


def _fixed(value: Any, precision: int) -> str:
    number = float(_number(value))
    return _special(number) or f"{number:.{precision}f}"


def _scientific(value: Any, precision: int) -> str:
    number = float(_number(value))
    return _special(number) or f"{number:.{precision}e}"


def _in_base(value: Any, base: str) -> str:
    if type(value) not in (int, Uint):
        raise EvaluationError("not an integer")
    return format(int(value), base)


def _binary(value: Any, _precision: int) -> str:
    if type(value) is bool:
        return "1" if value else "0"
    return _in_base(value, "b")


def _hexadecimal(value: Any, _precision: int) -> str:
    if type(value) is str:
        return value.encode().hex()
    if type(value) is bytes:
        return value.hex()
    return _in_base(value, "x")


_VERBS: Mapping[str, Callable[[Any, int], str]] = {
    "s": _text,
    "d": _decimal,
    "f": _fixed,
    "e": _scientific,
    "b": _binary,
    "o": lambda value, _precision: _in_base(value, "o"),
    "x": _hexadecimal,
    "X": lambda value, precision: _hexadecimal(value, precision).upper(),
}
