"""The door to the validator: linear-time patterns, enforced formats, no network."""

import re
from typing import Final

import jsonschema_rs
import re2
import regex

__all__ = ["Native", "NativeError", "native", "pattern_fault"]

Native = jsonschema_rs.Draft202012Validator
"""What judges a value."""

NativeError = jsonschema_rs.ValidationError
"""What it says of a value that does not fit."""

_MAX_PATTERN: Final = 10_000
_PATTERNS: Final = jsonschema_rs.RegexOptions()
_NAMED: Final = re.compile(
    r"(?<!\\)(?:\\\\)*(\[:\^?(?:alnum|alpha|ascii|blank|cntrl|digit|graph|lower|print|punct|space"
    r"|upper|word|xdigit):\])"
)
"""A class by name, of which JSON Schema reads the letters."""
_WRITTEN: Final = "write the characters: [A-Za-z], [0-9], [A-Za-z0-9_]"
_QUIET: Final = re2.Options()
_QUIET.log_errors = False


def native(schema: dict[str, object]) -> Native:
    """Compile a schema that `check_schema` found no fault with.

    Raises:
        ValueError: It does not compile.
    """
    return Native(
        schema,
        validate_formats=True,
        ignore_unknown_formats=False,
        mask="…",
        pattern_options=_PATTERNS,
        offline=True,
    )


def pattern_fault(pattern: str) -> tuple[str, str] | None:
    """Say why a pattern cannot be searched for in linear time: a message and a hint."""
    if not pattern:
        return "an empty pattern accepts every text", ""
    if len(pattern) > _MAX_PATTERN:
        return f"a pattern of {len(pattern)} characters is too large", ""
    named = _NAMED.search(pattern)
    if named is not None:
        return f'"{named[1]}" names no class in a pattern of JSON Schema', _WRITTEN
    try:
        native({"pattern": pattern})
    except ValueError:
        message = f'the pattern "{pattern}" does not compile'
        return message, _reason(pattern)
    return None


def _reason(pattern: str) -> str:
    """Ask the two engines that explain themselves why a pattern does not compile."""
    try:
        regex.compile(pattern)
    except regex.error as error:
        return str(error)
    try:
        re2.compile(pattern, _QUIET)
    except re2.error as error:
        reason = error.args[0]
        said = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        if "invalid perl operator" in said or "invalid escape sequence" in said:
            return "patterns run in linear time: look-around and backreferences cannot stand here"
        return said
    return "patterns are those of JSON Schema (ECMA-262) without look-around and backreferences"
