"""A pattern that runs with a timeout.

What it does:
    Reports a pattern of a check with look-around or a backreference. With nested repetition
    (`(a+)+`) it is an error.

Why:
    All other patterns run in linear time. These may take long on a hostile text, and one that is
    stopped counts as matched.

Fails:
    output:
      - {id: words, check: {pattern: {any: ['token(?!s)']}}, effect: deny}

Passes:
    output:
      - {id: words, check: {pattern: {any: ['token([^s]|$)']}}, effect: deny}

Fix:
    Say it without look-around: list what may follow.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.lint.places import patterns
from policy_engine.lint.proof.regexes import parsed
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.text.dialect import needs_backtracking

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for place in patterns(subject):
        if place.use != "check" or not needs_backtracking(place.pattern):
            continue
        nested = _is_nested(parsed(place.pattern) or (), repeated=False)
        message = (
            f'the pattern "{place.pattern[:60]}" needs backtracking, so it runs with a timeout'
        )
        if nested:
            message += ", and repeats a repetition"
        yield Found(
            place.policy,
            place.path,
            message,
            "say it without look-around and backreferences",
            severity="error" if nested else None,
        )


def _is_nested(tree: object, *, repeated: bool) -> bool:
    """Whether an unbounded repetition stands inside of another."""
    if not isinstance(tree, tuple | list) and not hasattr(tree, "data"):
        return False
    for item in list(tree):  # type: ignore[call-overload]
        if isinstance(item, tuple) and len(item) == 2 and str(item[0]) in _REPEATS:
            _, high, inner = item[1]
            unbounded = str(high) == "MAXREPEAT"
            if (unbounded and repeated) or _is_nested(inner, repeated=repeated or unbounded):
                return True
        elif _is_nested(item, repeated=repeated):
            return True
    return False


_REPEATS: Final = ("MAX_REPEAT", "MIN_REPEAT")


RULE: Final = LintRule("PE124", "backtracking-pattern", "warning", __doc__ or "", _find)
