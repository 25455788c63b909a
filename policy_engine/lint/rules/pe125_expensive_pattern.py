"""A pattern that is large once it is compiled.

What it does:
    Reports a pattern with counted repetitions of classes, such as `.{0,200}`, that come to more
    than 1,000 states together or are nested.

Why:
    Each count is written out. Three times `.{0,200}` compiles for seconds, at every start.

Fails:
    output:
      - {id: words, check: {pattern: {any: ['a.{0,900}b.{0,900}c']}}, effect: deny}

Passes:
    output:
      - {id: words, check: {pattern: {any: ['a.{0,90}b.{0,90}c']}}, effect: deny}

Fix:
    Use smaller counts, or two patterns.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.lint.places import patterns
from policy_engine.lint.proof.regexes import parsed
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]


_MOST: Final = 1_000


def _find(subject: Subject) -> Iterator[Found]:
    for place in patterns(subject):
        if place.use != "check" or "{" not in place.pattern:
            continue
        size = _states(parsed(place.pattern) or (), 1)
        if size > _MOST:
            message = f"the pattern comes to {size:,} states once its counts are written out"
            yield Found(place.policy, place.path, message, "use smaller counts")


def _states(tree: object, times: int) -> int:
    if not isinstance(tree, tuple | list) and not hasattr(tree, "data"):
        return 0
    total = 0
    for item in list(tree):  # type: ignore[call-overload]
        if isinstance(item, tuple) and len(item) == 2 and str(item[0]) in _REPEATS:
            low, high, inner = item[1]
            count = max(low, 1) if str(high) == "MAXREPEAT" else max(int(high), 1)
            total += _states(inner, times * count) + times * count
        else:
            total += _states(item, times)
    return total


_REPEATS: Final = ("MAX_REPEAT", "MIN_REPEAT")


RULE: Final = LintRule("PE125", "expensive-pattern", "warning", __doc__ or "", _find)
