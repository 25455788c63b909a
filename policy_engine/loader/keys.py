"""What is said of keys: unknown ones, missing ones, and those without a value."""

from collections.abc import Sequence
from typing import Final

from policy_engine.checks import LATER
from policy_engine.loader.error import Said, ShapeError, manual
from policy_engine.loader.fields import keys_of, model_at
from policy_engine.policy import Block, Check, ModelBlock
from policy_engine.policy.words import choices, did_you_mean, nearest

__all__ = ["ENTRY", "is_entry", "meant", "missing", "no_value", "unknown_key"]

ENTRY: Final = "write `allow`, `deny`, or a mapping with `effect`, `args`, `rules`…"


def is_entry(error: ShapeError) -> bool:
    """Tell whether the place is an entry, which may be a word."""
    model = model_at(error.path)
    return model is not None and issubclass(model, Block | ModelBlock)


def unknown_key(error: ShapeError) -> Said:
    """Say that a key may not stand there, and which may."""
    key = str(error.path[-1])
    model = model_at(error.path[:-1])
    if model is Check and key in LATER:
        message = f'this version does not have "{key}" yet'
        later = f"it {LATER[key]}; checks of this version: {choices(keys_of(model))}"
        return Said("PE018", message, later, on_key=True)
    known_keys = [] if model is None else list(keys_of(model))
    if model is Check:
        hint = did_you_mean(key, [*known_keys, *LATER])
        message = f'there is no check "{key}"'
        return Said("PE006", message, hint or f"checks: {choices(known_keys)}", on_key=True)
    near = meant(key, known_keys)
    hint = None if near is None else f'did you mean "{near}"?'
    if model is not None and issubclass(model, Block) and key in {"when", "check"}:
        hint = f'"{key}" stands in a rule: put it under `rules`'
    message = f'the key "{key}" is unknown here'
    return Said("PE006", message, hint or f"known here: {choices(known_keys)}", on_key=True)


def meant(key: str, known: Sequence[str]) -> str | None:
    """Return the known key that was probably meant, or None."""
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


def missing(error: ShapeError) -> Said:
    """Say that a key must be there."""
    message = f'the key "{error.path[-1]}" is missing'
    return Said("PE007", message, manual(error), on_key=len(error.path) > 1)


def no_value(error: ShapeError) -> Said:
    """Say that a key stands there for nothing."""
    if model_at(error.path[:-1]) is Check:
        hint = f"write `{error.key}: {{}}` for its defaults"
    elif is_entry(error):
        hint = ENTRY
    else:
        hint = "give it a value, or remove the line"
    item = bool(error.path) and isinstance(error.path[-1], int)
    message = f'an item of "{error.key}" has no value' if item else f'"{error.key}" has no value'
    return Said("PE008", message, hint, on_key=not item)
