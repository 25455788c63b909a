"""A trial that has no end, or whose end is past.

What it does:
    Reports a policy or a rule with `mode: observe` whose `description` names no date,
    such as 2027-03-31 or "until the 30th of June", or one that lies before today.

Why:
    What only observes protects nothing. Trials are started with good intentions and forgotten.

Fails:
    tools:
      pay: {args: {amount: {type: number, minimum: 0, maximum: 50}}}
    rules:
      - {id: night, tools: [pay], when: now.getHours("UTC") < 5, effect: deny, mode: observe}

Passes:
    tools:
      pay: {args: {amount: {type: number, minimum: 0, maximum: 50}}}
    rules:
      - id: night
        description: On trial until 2999-12-31.
        tools: [pay]
        when: now.getHours("UTC") < 5
        effect: deny
        mode: observe

Fix:
    Say in the description until when it is observed; then enforce it or remove it.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.policy import LoadedPolicy
from policy_engine.source import Path

__all__ = ["RULE"]


_DATE: Final = re.compile(r"\b([0-9]{4})-([0-9]{2})-([0-9]{2})\b")
_MONTHS: Final = (
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
)
_MONTH: Final = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sep(?:tember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_YEAR: Final = r"(?:,? (?P<year>[0-9]{4}))?\b"
_WRITTEN: Final = (
    rf"\b(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?\.?(?: of)? {_MONTH}\b{_YEAR}",
    rf"\b{_MONTH} (?:the )?(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?\b{_YEAR}",
    rf"\b(?:until|till|through|by|ends?(?: in| on)?|end of) (?P<day>){_MONTH}\b{_YEAR}",
    r"\b(?P<day>[0-9]{1,2})\.(?P<month>[0-9]{1,2})\.(?P<year>[0-9]{4})\b",
)
"""Dates as people write them, in English and with dots."""


def _find(subject: Subject) -> Iterator[Found]:
    for loaded, path, what, description in _observed(subject):
        ends = list(_dates(description or "", subject.options.today))
        if not ends:
            message = f"{what} is only observed, and nothing says until when"
            hint = 'say it in its description, such as "on trial until 2027-03-31"'
            yield Found(loaded, (*path, "mode"), message, hint)
        elif max(ends) < subject.options.today:
            message = f"{what} was to be observed until {max(ends)}"
            yield Found(loaded, (*path, "mode"), message, "enforce it, or remove it")


def _observed(subject: Subject) -> Iterator[tuple[LoadedPolicy, Path, str, str | None]]:
    for loaded in subject.policies:
        if loaded.policy.mode == "observe":
            name = f'the policy "{loaded.policy.policy}"'
            yield loaded, (), name, loaded.policy.description
        for index, limit in enumerate(loaded.policy.limits):
            if limit.mode == "observe":
                path = ("limits", index)
                yield loaded, path, f'the limit "{limit.id}"', limit.description
    for found in subject.conditions:
        rule = found.placed.rule
        if rule.mode == "observe":
            yield found.policy, found.placed.path, f'the rule "{rule.id}"', rule.description


def _dates(text: str, today: date) -> Iterator[date]:
    """Go through the days that a text names; one without a year is the next one."""
    for form in _WRITTEN:
        for match in re.finditer(form, text, re.IGNORECASE):
            month = match["month"].lower()
            number = int(month) if month.isdigit() else _MONTHS.index(month[:3]) + 1
            year = int(match["year"] or today.year)
            day = int(match["day"] or 28)
            try:
                said = date(year, number, day)
            except ValueError:
                continue
            yield said if match["year"] or said >= today else said.replace(year=year + 1, day=28)
    for match in _DATE.finditer(text):
        try:
            yield date(int(match[1]), int(match[2]), int(match[3]))
        except ValueError:
            continue


RULE: Final = LintRule("PE209", "observe-without-end", "warning", __doc__ or "", _find)
