"""What is said of values that do not fit."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from policy_engine.decision import EFFECTS
from policy_engine.loader.error import Said, ShapeError, manual
from policy_engine.loader.fields import model_at
from policy_engine.loader.keys import ENTRY, is_entry, missing, no_value, unknown_key
from policy_engine.policy import Policy, Rule
from policy_engine.policy.words import choices, did_you_mean, kind_of, quoted
from policy_engine.source import Document, Path

__all__ = ["QUOTE", "SENTENCES", "literal"]


def _type(expected: str) -> Callable[[ShapeError], Said]:
    def say(error: ShapeError) -> Said:
        entry = is_entry(error)
        word = "an effect or a mapping" if entry else expected
        message = f"{error.subject} must be {word}, not {_given(error.value)}"
        hint = ENTRY if entry else _cure(expected, error) or manual(error)
        return Said("PE008", message, hint)

    return say


def _given(value: object) -> str:
    if isinstance(value, bool):
        return quoted(value)
    if isinstance(value, str):
        return f"the text {quoted(value)}"
    if isinstance(value, int | float):
        return f"the number {quoted(value)}"
    return kind_of(value)


QUOTE: Final = "quote it"
"""A hint that ends in the value as it is written."""


def _cure(expected: str, error: ShapeError) -> str | None:
    value = error.value
    if expected == "a list" and isinstance(value, str | int | float):
        return f"write `{error.key}: [{str(value).lower() if value is True else value}]`"
    if expected == "a list":
        return 'start each item with "- "'
    if expected == "a text" and isinstance(value, bool | int | float):
        return QUOTE
    if expected.endswith("number") and isinstance(value, str):
        return "write it without quotes" if _is_number(value) else None
    return None


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?[0-9]{1,20}(\.[0-9]{1,20})?", text) is not None


def literal(error: ShapeError, document: Document) -> Said:
    """Say that a value is not one of those that may stand there."""
    expected = re.findall(r"'([^']*)'", str(error.context.get("expected", "")))
    value = error.value
    if error.path == ("language",):
        return _language(error)
    if not isinstance(value, str):
        message = f"{error.subject} must be a text, not {_given(value)}"
        return Said("PE008", message, f"one of: {choices(expected)}")
    if error.key == "effect" and value in EFFECTS:
        return _effect(error, value, expected)
    shortcut = isinstance(_value_at(document.data, error.path[:-1]), str)
    subject = f'"{error.path[-2]}"' if shortcut else f'"{error.key}"'
    hint = did_you_mean(value, expected) or f"one of: {choices(expected)}"
    return Said("PE009", f"{subject} cannot be {quoted(value)}", hint)


def _value_at(data: Any, path: Path) -> Any:
    for step in path:
        if isinstance(data, dict):
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int):
            data = data[step]
        else:
            return None
    return data


def _effect(error: ShapeError, value: str, expected: list[str]) -> Said:
    model = model_at(error.path[:-1]) or Policy
    if value == "allow" and issubclass(model, Rule):
        hint = "rules restrict and never grant; what is allowed stands under `tools`"
        return Said("PE017", "a rule cannot allow", hint)
    if value == "redact":
        hint = "rules with a check redact; an entry is one of: " + choices(expected)
        return Said("PE017", "an entry cannot redact", hint)
    message = f'"effect" cannot be "{value}" here'
    return Said("PE017", message, f"one of: {choices(expected)}")


def _language(error: ShapeError) -> Said:
    value = error.value
    if type(value) is int:
        message = f'this version does not have language "{value}" yet'
        return Said("PE018", message, "write `language: 1`")
    message = f'"language" must be a whole number, not {_given(value)}'
    return Said("PE008", message, "write `language: 1`")


def _pattern(error: ShapeError) -> Said:
    value = str(error.value)
    pattern = str(error.context.get("pattern", ""))
    if pattern.startswith("^[a-z0-9]+"):
        fixed = re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")
        hint = f'did you mean "{fixed}"?' if fixed and fixed.isascii() else None
        manual = "an id is lower-case words joined by hyphens, such as large-refund"
        return Said("PE009", f"{quoted(value)} is not an id", hint or manual)
    if pattern.startswith("^[A-Za-z_]"):
        hint = "a name is letters, digits and underscores, and starts with a letter"
        message = f"{quoted(value)} is not a name that expressions can read"
        return Said("PE009", message, hint)
    if pattern.startswith("^app:"):
        return _source(value)
    words = [word for word in re.findall(r"[a-z_]{4,}", pattern) if word != "args"]
    hint = did_you_mean(value, words) or f"one of: {choices(words)}, or an argument as args.NAME"
    verb = "be counted" if error.key == "of" else "share a counter"
    return Said("PE009", f"{quoted(value)} cannot {verb}", hint)


def _source(value: str) -> Said:
    kind = value.split(":", 1)[0]
    if kind in {"classifier", "judge", "custom", "http"}:
        message = f'this version does not have facts from "{kind}" yet'
        return Said("PE018", message, "let the application look it up: `from: app:NAME`")
    return Said(
        "PE009",
        f"{quoted(value)} is not a source of facts",
        "a source is app:NAME, where NAME is registered with the guard",
    )


def _duration(error: ShapeError) -> Said:
    hint = "a duration is a whole number with a unit: 500ms, 30s, 15m, 1h or 7d"
    if error.key == "per":
        hint += "; or write `day`"
    if not isinstance(error.value, str):
        message = f"{error.subject} must be a duration, not {_given(error.value)}"
        return Said("PE008", message, hint)
    return Said("PE009", f"{quoted(error.value)} is not a duration", hint)


def _json_schema(error: ShapeError) -> Said:
    hint = manual(error)
    if isinstance(error.value, str):
        hint = "write a JSON Schema, such as {type: string}"
    message = f'"{error.path[-1]}" must be a JSON Schema, not {_given(error.value)}'
    return Said("PE008", message, hint)


def _bound(words: str, name: str) -> Callable[[ShapeError], Said]:
    def say(error: ShapeError) -> Said:
        limit = error.context[name]
        shown = int(limit) if float(limit).is_integer() else limit
        message = f"{error.subject} must be {words} {shown}, not {quoted(error.value)}"
        return Said("PE009", message, manual(error))

    return say


def _too_short(error: ShapeError) -> Said:
    message = f'"{error.key}" is an empty list, which covers nothing'
    return Said("PE020", message, "name at least one, or remove the key")


def _empty_text(error: ShapeError) -> Said:
    if error.on_key:
        return Said("PE009", f'a name under "{error.path[-2]}" is empty', "give it a name")
    return Said("PE009", f"{error.subject} is an empty text", "give it a value, or remove it")


def _too_long(error: ShapeError) -> Said:
    most = error.context["max_length"]
    return Said("PE009", f"{error.subject} is longer than {most} characters", "shorten it")


def _doubtful(error: ShapeError) -> Said:
    return Said("PE005", f"the name {quoted(error.value)} {error.message}", "type it anew")


SENTENCES: Final[Mapping[str, Callable[[ShapeError], Said]]] = {
    "extra_forbidden": unknown_key,
    "missing": missing,
    "no_value": no_value,
    "model_type": _type("a mapping"),
    "dict_type": _type("a mapping"),
    "mapping_type": _type("a mapping"),
    "tuple_type": _type("a list"),
    "list_type": _type("a list"),
    "string_type": _type("a text"),
    "float_type": _type("a number"),
    "int_type": _type("a whole number"),
    "int_from_float": _type("a whole number"),
    "int_parsing": _type("a whole number"),
    "float_parsing": _type("a number"),
    "bool_type": _type("true or false"),
    "bool_parsing": _type("true or false"),
    "language": _language,
    "string_pattern_mismatch": _pattern,
    "string_too_short": _empty_text,
    "string_too_long": _too_long,
    "too_short": _too_short,
    "duration": _duration,
    "schema_type": _json_schema,
    "greater_than_equal": _bound("at least", "ge"),
    "greater_than": _bound("more than", "gt"),
    "less_than_equal": _bound("at most", "le"),
    "less_than": _bound("less than", "lt"),
    "doubtful_name": _doubtful,
    "padded_name": _doubtful,
}
"""What is said of each kind of error of the models."""
