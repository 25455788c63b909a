r"""A prefix that goes on into another name.

What it does:
    Reports `startsWith` with an address or a path that lets values through and does not end at a
    boundary: `https://api.example.com` is also the start of `https://api.example.com.evil.net/`,
    and `/srv/data` that of `/srv/data-secret`. A prefix that reads like a pattern, such as
    `https://api\.example`, is reported as one that is compared as it stands.

Why:
    Who owns `evil.net` can have any name in front of it.

Fails:
    tools:
      fetch:
        args: {url: {type: string, maxLength: 200}}
        rules:
          - {id: ours, when: '!args.url.startsWith("https://api.example.com")', effect: deny}

Passes:
    tools:
      fetch:
        args: {url: {type: string, maxLength: 200}}
        rules:
          - {id: ours, when: '!args.url.startsWith("https://api.example.com/")', effect: deny}

Fix:
    End the prefix in `/`.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.lint.misread import is_misread, misread
from policy_engine.lint.pieces import Piece, lets_through, tested
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]


_ADDRESS: Final = re.compile(r"https?://[^/?#]+")
_PATH: Final = re.compile(r"(?:/[^/]+)+")


def _find(subject: Subject) -> Iterator[Found]:
    for one in tested(subject):
        if one.kind != "prefix" or not one.allows:
            continue
        if is_misread(one):
            if (wrong := misread(subject, one)) is not None:
                yield wrong
            continue
        for value in _beyond(one):
            shows = "not stopped: another host, or another folder"
            witness = lets_through(subject, one, value, shows)
            if witness is None:
                continue
            yield Found(
                one.found.policy,
                one.found.path,
                f'"{one.operand}" is also the start of "{value}"',
                "end the prefix in `/`",
                part=(one.clause.node.start, one.clause.node.end),
                witness=witness,
            )
            break


def _beyond(one: Piece) -> Iterator[str]:
    """Go through values of another place that begin alike."""
    text = str(one.operand)
    if _ADDRESS.fullmatch(text):
        yield from (f"{text}.evil.example/", f"{text}@evil.example/")
    elif _PATH.fullmatch(text):
        yield from (f"{text}-secret/key", f"{text}secret/key", f"{text}_secret/key")


RULE: Final = LintRule("PE215", "prefix-without-boundary", "warning", __doc__ or "", _find)
