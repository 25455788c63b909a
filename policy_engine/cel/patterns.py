"""Regular expressions: RE2, in linear time and bounded memory."""

from functools import lru_cache
from typing import Any, Final

import re2

from policy_engine.cel.problems import EvaluationError
from policy_engine.cel.reading import as_string

__all__ = ["MAX_DYNAMIC_PATTERN", "compile_pattern", "matches"]

MAX_MEMORY: Final = 1 << 20
MAX_PATTERN: Final = 4_096
MAX_DYNAMIC_PATTERN: Final = 256


def compile_pattern(pattern: str) -> Any:
    """Return a pattern ready to search.

    Raises:
        EvaluationError: It is not a regular expression of RE2, or too large.
    """
    if len(pattern) > MAX_PATTERN:
        raise EvaluationError(f"a pattern has at most {MAX_PATTERN} characters")
    options = re2.Options()
    options.max_mem = MAX_MEMORY
    options.log_errors = False
    options.never_capture = True
    try:
        return re2.compile(pattern.encode(), options)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        text = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise EvaluationError(text) from None
    except UnicodeEncodeError:
        raise EvaluationError("a pattern holds half a surrogate pair") from None


@lru_cache(maxsize=64)
def _dynamic(pattern: str) -> Any:
    return compile_pattern(pattern)


def search(compiled: Any, text: str) -> bool:
    """Say whether a compiled pattern occurs in a text."""
    return compiled.search(text.encode()) is not None


def matches(text: object, pattern: object) -> bool:
    """Say whether a pattern occurs in a text."""
    wanted = as_string(pattern)
    if len(wanted) > MAX_DYNAMIC_PATTERN:
        raise EvaluationError("a pattern that is computed is short")
    return search(_dynamic(wanted), as_string(text))
