"""What does not fit the shape of a policy, said in the words of the language."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails, core_schema

from policy_engine.checks import LATER
from policy_engine.decision import EFFECTS
from policy_engine.errors import Fault
from policy_engine.loader.fields import field_at, keys_of, model_at
from policy_engine.policy import Block, Check, ModelBlock, Policy, Rule
from policy_engine.policy.words import choices, did_you_mean, kind_of, nearest, quoted
from policy_engine.source import Document, Path

__all__ = ["Misfit", "misfits"]


_MAX_FAULTS: Final = 100


@dataclass(frozen=True, slots=True)
class Misfit:
    """A fault of shape, and the place that a policy has to do without."""

    path: Path
    fault: Fault | None
    """None after so many faults that nobody reads on."""
    unknown_key: bool = False
    """Whether the place is a key that nothing asked for."""


@dataclass(frozen=True, slots=True)
class _Error:
    """What a model says against a place."""

    kind: str
    path: Path
    on_key: bool
    value: Any
    context: Mapping[str, Any]
    message: str

    @property
    def key(self) -> str:
        """The key in question."""
        return next((str(step) for step in reversed(self.path) if isinstance(step, str)), "policy")

    @property
    def subject(self) -> str:
        """What to call the place in a sentence."""
        item = bool(self.path) and isinstance(self.path[-1], int)
        return f'each item of "{self.key}"' if item else f'"{self.key}"'


@dataclass(frozen=True, slots=True)
class _Said:
    code: str
    message: str
    hint: str | None = None
    on_key: bool = False


def misfits(document: Document, errors: ValidationError) -> Iterator[Misfit]:
    """Turn what the models say into faults with places."""
    said = errors.errors(include_url=False)
    renamed = set(_renamed(said))
    for number, found in enumerate(said):
        loc: Path = found["loc"]
        if (found["type"] == "missing" and loc in renamed) or _is_echo(found):
            yield Misfit(loc, None)
            continue
        on_key = bool(loc) and loc[-1] == "[key]"
        error = _Error(
            kind=found["type"],
            path=loc[:-1] if on_key else loc,
            on_key=on_key,
            value=found.get("input"),
            context=found.get("ctx", {}),
            message=found["msg"],
        )
        fault = _fault(error, document) if number < _MAX_FAULTS else None
        yield Misfit(error.path, fault, unknown_key=error.kind == "extra_forbidden")


def _renamed(said: Sequence[ErrorDetails]) -> Iterator[Path]:
    """Go through the keys that are there under a name which is nearly theirs."""
    for found in said[:_MAX_FAULTS]:
        loc: Path = found["loc"]
        if found["type"] == "extra_forbidden" and (model := model_at(loc[:-1])) is not None:
            meant = _meant(str(loc[-1]), list(keys_of(model)))
            if meant is not None:
                yield (*loc[:-1], meant)


def _is_echo(found: ErrorDetails) -> bool:
    """Tell whether a list is called too short only because its items are faulty."""
    return found["type"] == "too_short" and bool(found.get("input"))


def _fault(error: _Error, document: Document) -> Fault:
    said = _say(error, document)
    place = error.path[:-1] if error.kind == "missing" else error.path
    on_key = error.on_key or said.on_key
    return document.fault(place, said.code, said.message, hint=said.hint, on_key=on_key)


def _say(error: _Error, document: Document) -> _Said:
    if error.value is None and error.kind not in {"missing", "extra_forbidden"}:
        return _no_value(error)
    if error.kind == "literal_error":
        return _literal(error, document)
    if (say := _SENTENCES.get(error.kind)) is not None:
        return say(error)
    if error.kind == "value_error" and "error" in error.context:
        return _Said("PE009", str(error.context["error"]), _manual(error))
    if error.kind not in _PYDANTIC:
        return _Said("PE009", error.message, _manual(error))
    return _Said("PE009", f"{error.subject} cannot be {quoted(error.value)}", _manual(error))


def _manual(error: _Error) -> str | None:
    """Quote what the manual says of the field."""
    field = field_at(error.path)
    return None if field is None or not field.description else f"{error.key}: {field.description}"


def _unknown_key(error: _Error) -> _Said:
    key = str(error.path[-1])
    model = model_at(error.path[:-1])
    if model is Check and key in LATER:
        known = choices(keys_of(model))
        message = f'this version does not have "{key}" yet'
        return _Said("PE018", message, f"checks of this version: {known}", on_key=True)
    known_keys = [] if model is None else list(keys_of(model))
    if model is Check:
        hint = did_you_mean(key, [*known_keys, *LATER])
        message = f'there is no check "{key}"'
        return _Said("PE006", message, hint or f"checks: {choices(known_keys)}", on_key=True)
    meant = _meant(key, known_keys)
    hint = None if meant is None else f'did you mean "{meant}"?'
    if model is not None and issubclass(model, Block) and key in {"when", "check"}:
        hint = f'"{key}" stands in a rule: put it under `rules`'
    message = f'the key "{key}" is unknown here'
    return _Said("PE006", message, hint or f"known here: {choices(known_keys)}", on_key=True)


def _meant(key: str, known: Sequence[str]) -> str | None:
    elsewhere = _ELSEWHERE.get(key)
    return elsewhere if elsewhere in known else nearest(key, known)


_ELSEWHERE: Final = {
    "action": "effect",
    "actions": "effect",
    "arguments": "args",
    "condition": "when",
    "decision": "effect",
    "if": "when",
    "name": "id",
    "parameters": "args",
    "reason": "message",
    "then": "effect",
    "version": "language",
    "window": "per",
}
"""What other policy languages call it."""


def _missing(error: _Error) -> _Said:
    message = f'the key "{error.path[-1]}" is missing'
    return _Said("PE007", message, _manual(error), on_key=len(error.path) > 1)


def _no_value(error: _Error) -> _Said:
    if model_at(error.path[:-1]) is Check:
        hint = f"write `{error.key}: {{}}` for its defaults"
    elif _is_entry(error):
        hint = _ENTRY
    else:
        hint = "give it a value, or remove the line"
    item = bool(error.path) and isinstance(error.path[-1], int)
    message = f'an item of "{error.key}" has no value' if item else f'"{error.key}" has no value'
    return _Said("PE008", message, hint, on_key=not item)


def _type(expected: str) -> Callable[[_Error], _Said]:
    def say(error: _Error) -> _Said:
        entry = _is_entry(error)
        word = "an effect or a mapping" if entry else expected
        message = f"{error.subject} must be {word}, not {_given(error.value)}"
        hint = _ENTRY if entry else _cure(expected, error) or _manual(error)
        return _Said("PE008", message, hint)

    return say


_ENTRY: Final = "write `allow`, `deny`, or a mapping with `effect`, `args`, `rules`…"


def _is_entry(error: _Error) -> bool:
    model = model_at(error.path)
    return model is not None and issubclass(model, Block | ModelBlock)


def _given(value: object) -> str:
    if isinstance(value, bool):
        return quoted(value)
    if isinstance(value, str):
        return f"the text {quoted(value)}"
    if isinstance(value, int | float):
        return f"the number {quoted(value)}"
    return kind_of(value)


def _cure(expected: str, error: _Error) -> str | None:
    value = error.value
    if expected == "a list" and isinstance(value, str | int | float):
        return f"write `{error.key}: [{str(value).lower() if value is True else value}]`"
    if expected == "a list":
        return 'start each item with "- "'
    if expected == "a text" and isinstance(value, bool):
        return f"quote it: {quoted(value)}"
    if expected == "a text" and isinstance(value, int | float):
        return f"quote it: {quoted(value)}"
    if expected.endswith("number") and isinstance(value, str):
        return "write it without quotes" if _is_number(value) else None
    return None


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?[0-9]{1,20}(\.[0-9]{1,20})?", text) is not None


def _literal(error: _Error, document: Document) -> _Said:
    expected = re.findall(r"'([^']*)'", str(error.context.get("expected", "")))
    value = error.value
    if error.path == ("language",):
        return _language(error)
    if not isinstance(value, str):
        message = f"{error.subject} must be a text, not {_given(value)}"
        return _Said("PE008", message, f"one of: {choices(expected)}")
    if error.key == "effect" and value in EFFECTS:
        return _effect(error, value, expected)
    shortcut = isinstance(_value_at(document.data, error.path[:-1]), str)
    subject = f'"{error.path[-2]}"' if shortcut else f'"{error.key}"'
    hint = did_you_mean(value, expected) or f"one of: {choices(expected)}"
    return _Said("PE009", f"{subject} cannot be {quoted(value)}", hint)


def _value_at(data: Any, path: Path) -> Any:
    for step in path:
        if isinstance(data, dict):
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int):
            data = data[step]
        else:
            return None
    return data


def _effect(error: _Error, value: str, expected: list[str]) -> _Said:
    model = model_at(error.path[:-1]) or Policy
    if value == "allow" and issubclass(model, Rule):
        hint = "rules restrict and never grant; what is allowed stands under `tools`"
        return _Said("PE017", "a rule cannot allow", hint)
    if value == "redact":
        hint = "rules with a check redact; an entry is one of: " + choices(expected)
        return _Said("PE017", "an entry cannot redact", hint)
    message = f'"effect" cannot be "{value}" here'
    return _Said("PE017", message, f"one of: {choices(expected)}")


def _language(error: _Error) -> _Said:
    value = error.value
    if type(value) is int:
        message = f'this version does not have language "{value}" yet'
        return _Said("PE018", message, "write `language: 1`")
    message = f'"language" must be a whole number, not {_given(value)}'
    return _Said("PE008", message, "write `language: 1`")


def _pattern(error: _Error) -> _Said:
    value = str(error.value)
    pattern = str(error.context.get("pattern", ""))
    if pattern.startswith("^[a-z0-9]+"):
        fixed = re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")
        hint = f'did you mean "{fixed}"?' if fixed and fixed.isascii() else None
        manual = "an id is lower-case words joined by hyphens, such as large-refund"
        return _Said("PE009", f"{quoted(value)} is not an id", hint or manual)
    if pattern.startswith("^[A-Za-z_]"):
        hint = "a name is letters, digits and underscores, and starts with a letter"
        message = f"{quoted(value)} is not a name that expressions can read"
        return _Said("PE009", message, hint)
    if pattern.startswith("^app:"):
        return _source(value)
    words = [word for word in re.findall(r"[a-z_]{4,}", pattern) if word != "args"]
    hint = did_you_mean(value, words) or f"one of: {choices(words)}, or an argument as args.NAME"
    verb = "be counted" if error.key == "of" else "share a counter"
    return _Said("PE009", f"{quoted(value)} cannot {verb}", hint)


def _source(value: str) -> _Said:
    kind = value.split(":", 1)[0]
    if kind in {"classifier", "judge", "custom", "http"}:
        message = f'this version does not have facts from "{kind}" yet'
        return _Said("PE018", message, "let the application look it up: `from: app:NAME`")
    return _Said(
        "PE009",
        f"{quoted(value)} is not a source of facts",
        "a source is app:NAME, where NAME is registered with the guard",
    )


def _duration(error: _Error) -> _Said:
    hint = "a duration is a whole number with a unit: 500ms, 30s, 15m, 1h or 7d"
    if error.key == "per":
        hint += "; or write `day`"
    if not isinstance(error.value, str):
        message = f"{error.subject} must be a duration, not {_given(error.value)}"
        return _Said("PE008", message, hint)
    return _Said("PE009", f"{quoted(error.value)} is not a duration", hint)


def _json_schema(error: _Error) -> _Said:
    hint = _manual(error)
    if isinstance(error.value, str):
        hint = "write a JSON Schema, such as {type: string}"
    message = f'"{error.path[-1]}" must be a JSON Schema, not {_given(error.value)}'
    return _Said("PE008", message, hint)


def _bound(words: str, name: str) -> Callable[[_Error], _Said]:
    def say(error: _Error) -> _Said:
        limit = error.context[name]
        shown = int(limit) if float(limit).is_integer() else limit
        message = f"{error.subject} must be {words} {shown}, not {quoted(error.value)}"
        return _Said("PE009", message, _manual(error))

    return say


def _too_short(error: _Error) -> _Said:
    message = f'"{error.key}" is an empty list, which covers nothing'
    return _Said("PE020", message, "name at least one, or remove the key")


def _empty_text(error: _Error) -> _Said:
    if error.on_key:
        return _Said("PE009", f'a name under "{error.path[-2]}" is empty', "give it a name")
    return _Said("PE009", f"{error.subject} is an empty text", "give it a value, or remove it")


def _too_long(error: _Error) -> _Said:
    most = error.context["max_length"]
    return _Said("PE009", f"{error.subject} is longer than {most} characters", "shorten it")


def _doubtful(error: _Error) -> _Said:
    return _Said("PE005", f"the name {quoted(error.value)} {error.message}", "type it anew")


_SENTENCES: Final[Mapping[str, Callable[[_Error], _Said]]] = {
    "extra_forbidden": _unknown_key,
    "missing": _missing,
    "no_value": _no_value,
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

_PYDANTIC: Final = frozenset(get_args(core_schema.ErrorType))
