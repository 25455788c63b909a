"""A domain suffix that is also the end of another domain.

What it does:
    Reports `endsWith` with a domain that lets values through and does not begin at a boundary:
    `acme.com` is also the end of `evilacme.com`.

Why:
    Anybody can register `evilacme.com`.

Fails:
    tools:
      mail:
        args: {to: {type: string, maxLength: 80}}
        rules:
          - {id: ours, when: '!args.to.endsWith("acme.com")', effect: deny}

Passes:
    tools:
      mail:
        args: {to: {type: string, maxLength: 80}}
        rules:
          - {id: ours, when: '!args.to.endsWith("@acme.com")', effect: deny}

Fix:
    Begin the suffix with `@`, `.` or `/`.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.lint.finding import Witness
from policy_engine.lint.pieces import Piece, lets_through, tested
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]


_DOMAIN: Final = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+", re.IGNORECASE)


def _find(subject: Subject) -> Iterator[Found]:
    for one in tested(subject):
        if one.kind != "suffix" or not one.allows or not _DOMAIN.fullmatch(str(one.operand)):
            continue
        witness = _witness(subject, one)
        if witness is not None:
            yield Found(
                one.found.policy,
                one.found.path,
                f'"{one.operand}" is also the end of "evil{one.operand}"',
                "begin it with `@`, `.` or `/`",
                part=(one.clause.node.start, one.clause.node.end),
                witness=witness,
            )


def _witness(subject: Subject, one: Piece) -> Witness | None:
    for value in (f"x@evil{one.operand}", f"evil{one.operand}", f"https://evil{one.operand}"):
        witness = lets_through(subject, one, value, "not stopped: another domain")
        if witness is not None:
            return witness
    return None


RULE: Final = LintRule("PE216", "suffix-without-boundary", "warning", __doc__ or "", _find)
