"""A limit whose words name another window than its `per`.

What it does:
    Reports a limit whose id, message or description names one window, such as "daily" or "an
    hour", where `per` is another one, or is left out.

Why:
    A daily limit with `per: 1h` permits twenty-four times as much, and one without `per` is used
    up for ever.

Fails:
    tools:
      refund: {args: {amount: {type: number, exclusiveMinimum: 0, maximum: 50}}}
    limits:
      - {id: daily-refunds, tools: [refund], max: 5, per: 1h, by: [principal]}

Passes:
    tools:
      refund: {args: {amount: {type: number, exclusiveMinimum: 0, maximum: 50}}}
    limits:
      - {id: daily-refunds, tools: [refund], max: 5, per: day, by: [principal]}

Fix:
    Write the window that is meant: `per: day`, `per: 1h`.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.lint.messages import spoken
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.policy import Limit

__all__ = ["RULE"]

_DAY: Final = 86_400
_WORDS: Final = {
    "second": 1,
    "minute": 60,
    "hour": 3_600,
    "day": _DAY,
    "week": 7 * _DAY,
    "month": 30 * _DAY,
}
_LY: Final = {"hourly": 3_600, "daily": _DAY, "weekly": 7 * _DAY, "monthly": 30 * _DAY}
_NAMED: Final = re.compile(
    rf"\b(?:(?P<ly>{'|'.join(_LY)})|(?:per|an?|each|every|in an?|within an?)\s+"
    rf"(?P<word>{'|'.join(_WORDS)}))\b",
    re.IGNORECASE,
)
_ROUGHLY: Final = 1.2
"""A month has 28 to 31 days."""


def _find(subject: Subject) -> Iterator[Found]:
    for loaded in subject.policies:
        for index, limit in enumerate(loaded.policy.limits):
            named = {match[0].lower(): _seconds(match) for match in _NAMED.finditer(spoken(limit))}
            given = _DAY if limit.per == "day" else limit.per
            if not named or _is_among(given, named.values()) or _is_by_session(limit):
                continue
            word = next(iter(named))
            if given is None:
                yield Found(
                    loaded,
                    ("limits", index, "id"),
                    f'this says "{word}", and counts for ever: there is no `per`',
                    "write the window that is meant, such as `per: day`",
                )
            else:
                yield Found(
                    loaded,
                    ("limits", index, "per"),
                    f'this is another window than "{word}"',
                    "write the window that is meant, such as `per: day`",
                )


def _seconds(match: re.Match[str]) -> float:
    return _LY[match["ly"].lower()] if match["ly"] else _WORDS[match["word"].lower()]


def _is_among(given: object, named: object) -> bool:
    return isinstance(given, int | float) and any(
        one / _ROUGHLY <= given <= one * _ROUGHLY
        for one in named  # type: ignore[attr-defined]
    )


def _is_by_session(limit: Limit) -> bool:
    """Whether a limit without a window ends with its session, whose length words may tell."""
    return limit.per is None and "session" in limit.by


RULE: Final = LintRule("PE170", "another-window", "warning", __doc__ or "", _find)
