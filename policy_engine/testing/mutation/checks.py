"""Text checks that find less than they should."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from policy_engine.source import Path
from policy_engine.testing.mutation.patterns import tightened_pattern

__all__ = ["loosened_check"]

_BOUNDS: Final = ("max_chars", "max_bytes", "max_lines")
_Changed: TypeAlias = Iterator[tuple[dict[str, Any], Path, str]]


def loosened_check(check: Mapping[str, Any]) -> _Changed:
    """Yield a check that lets one thing more pass: the check, what was changed, and how.

    Args:
        check: Kind -> options, as written.
    """
    for kind, options in check.items():
        for changed, path, what in _options(kind, options):
            yield {**check, kind: changed}, (kind, *path), what


def _options(kind: str, options: Mapping[str, Any]) -> _Changed:
    listed = options.get("any") or ()
    for i, item in enumerate(listed):
        if len(listed) > 1:
            fewer = [*listed[:i], *listed[i + 1 :]]
            yield {**options, "any": fewer}, ("any", i), f'"{item}" is not looked for'
        for after, what in tightened_pattern(item) if kind == "pattern" else ():
            changed = [*listed[:i], after, *listed[i + 1 :]]
            # A constant stands elsewhere, and its patterns have no places of their own here.
            which = f" (pattern {i + 1} of {len(listed)})" if len(listed) > 1 else ""
            yield {**options, "any": changed}, ("any", i), what + which
    for key in _BOUNDS:
        most = options.get(key)
        if most is not None:
            yield {**options, key: most + 1}, (key,), f"{key} {most} is {most + 1}"
    if kind == "terms":
        if not options.get("case_sensitive"):
            yield {**options, "case_sensitive": True}, (), "case matters"
        if options.get("match") == "anywhere":
            yield {**options, "match": "word"}, ("match",), "only whole words are found"
    if kind == "json" and options.get("schema") is not None:
        yield {**options, "schema": None}, ("schema",), "any JSON will do"
