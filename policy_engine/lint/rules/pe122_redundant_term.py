"""A term or pattern that another one of the list finds already.

What it does:
    Reports a term of a `terms` check in which another term of the list stands as a whole word,
    and a literal pattern that holds another literal pattern.

Why:
    It does nothing. Who removes the shorter one believes that the longer one still stands alone.

Fails:
    output:
      - {id: words, check: {terms: {any: [secret, secret plan]}}, effect: deny}

Passes:
    output:
      - {id: words, check: {terms: {any: [secret, hidden plan]}}, effect: deny}

Fix:
    Remove the longer one, or the shorter one if it finds too much.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.policy import LoadedPolicy
from policy_engine.source import Path

__all__ = ["RULE"]


_LITERAL: Final = re.compile(r"[A-Za-z0-9 _-]+")


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        path = (*found.placed.path, "check")
        terms = getattr(found.placed.rule.check, "terms", None)
        if terms is not None:
            listed = terms.any if terms.case_sensitive else [t.casefold() for t in terms.any]
            inside = terms.match == "anywhere"
            yield from _held(found.policy, (*path, "terms", "any"), listed, inside=inside)
        pattern = getattr(found.placed.rule.check, "pattern", None)
        if pattern is not None and all(_LITERAL.fullmatch(text) for text in pattern.any):
            yield from _held(found.policy, (*path, "pattern", "any"), pattern.any, inside=True)


def _held(policy: LoadedPolicy, path: Path, listed: list[str], *, inside: bool) -> Iterator[Found]:
    for index, text in enumerate(listed):
        for other in listed:
            if other == text or other not in text:
                continue
            if inside or re.search(rf"(?<!\w){re.escape(other)}(?!\w)", text):
                message = f'"{text}" is found by "{other}" already'
                yield Found(policy, (*path, index), message, "remove one of the two")
                break


RULE: Final = LintRule("PE122", "redundant-term", "info", __doc__ or "", _find)
