r"""A text that is meant to hold one mail address, and may hold several.

What it does:
    Reports a pattern, `endsWith` or `matches` that lets a text through because of how it ends,
    where another address may stand in front: `^.*@acme\.com$` and `endsWith("@acme.com")` are
    true of `x@evil.example, someone@acme.com`.

Why:
    Mail servers and their libraries take several addresses in one text, apart by a comma, a
    semicolon, a space or a line break. The first of them is nobody's colleague.

Fails:
    tools:
      mail: {args: {to: {type: string, maxLength: 80, pattern: '^.*@acme\.com$'}}}
    ---
    tools:
      mail:
        args: {to: {type: string, maxLength: 80}}
        rules:
          - {id: ours, when: '!args.to.endsWith("@acme.com")', effect: deny}

Passes:
    tools:
      mail: {args: {to: {type: string, maxLength: 80, pattern: '^[a-z0-9._-]+@acme\.com$'}}}
    ---
    tools:
      mail:
        args: {to: {type: string, format: email, maxLength: 80}}
        rules:
          - {id: ours, when: '!args.to.endsWith("@acme.com")', effect: deny}

Fix:
    Add `format: email`, or list the characters that may stand in front of the `@`.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.lint.accepted import accepted
from policy_engine.lint.pieces import lets_through, tested
from policy_engine.lint.places import patterns
from policy_engine.lint.proof.regexes import is_anchored, sample, search, top_branches
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]

_STRANGER: Final = "x@evil.example"
_APART: Final = (", ", ",", "; ", ";", " ", "\n")
_ADDRESS: Final = re.compile(r"[^@\s,;]*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_SHOWS: Final = "accepted: two addresses, and one is a stranger's"


def _find(subject: Subject) -> Iterator[Found]:
    for place in patterns(subject):
        if place.use != "argument" or place.place is None or place.place.entry is None:
            continue
        for value in _values(place.pattern):
            witness = accepted(subject, place.place, value, _SHOWS)
            if witness is not None:
                yield Found(place.policy, place.path, _said(value), _HINT, witness=witness)
                break
    for one in tested(subject):
        if not one.allows or one.kind not in {"suffix", "matches"}:
            continue
        text = str(one.operand)
        if one.kind == "suffix":
            tail = text if _ADDRESS.fullmatch(text) else ""
            tried = [f"{_STRANGER}{apart}someone{tail}" for apart in _APART if tail]
        else:
            tried = list(_values(text))
        for value in tried:
            witness = lets_through(subject, one, value, _SHOWS)
            if witness is not None:
                part = (one.clause.node.start, one.clause.node.end)
                message = _said(value)
                yield Found(
                    one.found.policy, one.found.path, message, _HINT, part=part, witness=witness
                )
                break


def _values(pattern: str) -> Iterator[str]:
    """Go through texts with two addresses that match a pattern of one, which ends where they do."""
    branches = top_branches(pattern)
    if not branches or not all(is_anchored(branch, start=False) for branch in branches):
        return  # it may go on behind its match, which is said elsewhere
    if not pattern.startswith("@") and not all(is_anchored(one, start=True) for one in branches):
        return
    for text in sample(pattern):
        if not _ADDRESS.fullmatch(text):
            continue
        for apart in _APART:
            for value in (
                f"{_STRANGER}{apart}someone{text[text.index('@') :]}",
                f"{_STRANGER}{apart}{text}",
                f"{text}{apart}{_STRANGER}",
            ):
                if search(pattern, value) is True:
                    yield value


def _said(value: str) -> str:
    shown = value.replace("\n", "\\n")
    return f'several addresses pass as one: "{shown}"'


_HINT: Final = "add `format: email`, or list the characters that may stand in front of the `@`"

RULE: Final = LintRule("PE231", "several-addresses", "warning", __doc__ or "", _find)
