"""A limit whose words name another window than its `per`.

What it does:
    Reports a limit whose id names one window, such as `daily` or `per-hour`, or whose message or
    description says so many "an hour" with the very number of its `max`, where `per` is another
    window, or is left out. What is called daily by itself, such as a report, is no window.

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

from policy_engine.lint.messages import numbers, sentences
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.words import words_of
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
    rf"\b(?P<ly>{'|'.join(_LY)})\b|\b(?:per|an?|each|every) (?P<word>{'|'.join(_WORDS)})\b"
)
_THINGS: Final = re.compile(
    r"\b(?:reports?|statements?|newsletters?|digests?|summary|summaries|forecasts?|backups?|meetings?|"
    r"stand ?ups?|briefings?|payrolls?|invoices?|updates?|jobs?|syncs?|rates?|fees?|rents?|plans?|"
    r"passe?s?|tickets?|subscriptions?|news|closings?|reviews?|budgets?|specials?|menus?)\b"
)
"""What comes once a day, a week or a month, and is called so."""
_COUNTED: Final = re.compile(
    rf"^\s?\w{{0,20}}(?: (?!of\b|within\b|in\b|half\b)\w{{1,20}}){{0,2}}? (?:per|an?|each|every) "
    rf"(?P<word>{'|'.join(_WORDS)})\b(?! ago| later| before)",
    re.IGNORECASE,
)
"""What stands behind a number that is so many in a window."""
_VAGUE: Final = re.compile(
    r"\b(?:on average|quarter|half|if|unless|except|another|other|than|instead|not)\b",
    re.IGNORECASE,
)
_ROUGHLY: Final = 1.2
"""A month has 28 to 31 days."""


def _find(subject: Subject) -> Iterator[Found]:
    for loaded in subject.policies:
        for index, limit in enumerate(loaded.policy.limits):
            named = _named(limit)
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


def _named(limit: Limit) -> dict[str, float]:
    """Return the windows that an id names, and those that its `max` is said to be for."""
    words = limit.id.replace("-", " ").lower()
    tools = {word for tool in limit.tools or () for word in words_of(tool)}
    named = {
        match[0]: float(_LY[match["ly"]] if match["ly"] else _WORDS[match["word"]])
        for match in _NAMED.finditer(words)
        if not _THINGS.search(words) and match[0] not in tools and match[0] != "a second"
    }
    for sentence in sentences(f"{limit.message or ''}\n{limit.description or ''}"):
        said = numbers(sentence)
        counted = _COUNTED.search(sentence[said[0].end :]) if len(said) == 1 else None
        if counted and limit.max in said[0].values and not _VAGUE.search(sentence):
            word = f"a {counted['word'].lower()}"
            named[word.replace("a h", "an h")] = _WORDS[counted["word"].lower()]
    return named


def _is_among(given: object, named: object) -> bool:
    return isinstance(given, int | float) and any(
        one / _ROUGHLY <= given <= one * _ROUGHLY
        for one in named  # type: ignore[attr-defined]
    )


def _is_by_session(limit: Limit) -> bool:
    """Whether a limit without a window ends with its session, whose length words may tell."""
    return limit.per is None and "session" in limit.by


RULE: Final = LintRule("PE170", "another-window", "warning", __doc__ or "", _find)
