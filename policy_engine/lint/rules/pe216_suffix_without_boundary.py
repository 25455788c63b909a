r"""A domain suffix that is also the end of another domain.

What it does:
    Reports `endsWith`, or a pattern, with a domain that lets values through and does not begin at
    a boundary: `acme.com` is also the end of `evilacme.com`, and `[a-z.]*acme\.com` matches it.

Why:
    Anybody can register `evilacme.com`.

Fails:
    tools:
      mail:
        args: {to: {type: string, maxLength: 80}}
        rules:
          - {id: ours, when: '!args.to.endsWith("acme.com")', effect: deny}

    ---
    tools:
      fetch:
        args: {url: {type: string, maxLength: 80, pattern: '^https://[a-z.]*acme\.com/[a-z]*$'}}

Passes:
    tools:
      mail:
        args: {to: {type: string, format: email, maxLength: 80}}
        rules:
          - {id: ours, when: '!args.to.endsWith("@acme.com")', effect: deny}

Fix:
    Begin the suffix with `@`, `.` or `/`.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.lint.accepted import accepted
from policy_engine.lint.finding import Witness
from policy_engine.lint.pieces import Piece, lets_through, tested
from policy_engine.lint.places import schemas
from policy_engine.lint.proof.regexes import sample, search
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]


_HINT: Final = "let `@`, `/`, or names that end in a dot stand in front of it: `([a-z0-9-]+\\.)*`"
_IN_PATTERN: Final = re.compile(
    r"[a-z0-9-]{1,63}(?:\\\.[a-z0-9-]{1,63}){1,8}(?![a-z0-9*+?{-])", re.IGNORECASE
)
"""A domain whose dots are escaped."""
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
                f'write "@{one.operand}", or ".{one.operand}" for the names below it',
                part=(one.clause.node.start, one.clause.node.end),
                witness=witness,
            )
    yield from _of_patterns(subject)


def _of_patterns(subject: Subject) -> Iterator[Found]:
    for place in schemas(subject):
        pattern = place.schema.get("pattern")
        if place.entry is None or not isinstance(pattern, str):
            continue
        for domain in _IN_PATTERN.findall(pattern.replace("[.]", "\\.")):
            host = domain.replace("\\", "")
            values = [
                text.replace(host, f"{before}{host}")
                for text in sample(pattern)
                for before in ("evil", "evil-")
                if host in text
            ]
            tried = (
                accepted(subject, place, value, "accepted: another domain")
                for value in values
                if _is_other(value, host) and search(pattern, value) is True
            )
            witness = next((one for one in tried if one is not None), None)
            if witness is not None:
                path = (*place.path, "pattern")
                message = f'the pattern also takes "evil{host}"'
                yield Found(place.policy, path, message, _HINT, witness=witness)
                break


def _is_other(value: str, host: str) -> bool:
    """Whether a value names another domain, and not one below the host."""
    before = value[: value.find(host)]
    return before.endswith(("evil", "evil-")) and not before.endswith((".evil", ".evil-"))


def _witness(subject: Subject, one: Piece) -> Witness | None:
    for value in (f"x@evil{one.operand}", f"evil{one.operand}", f"https://evil{one.operand}"):
        witness = lets_through(subject, one, value, "not stopped: another domain")
        if witness is not None:
            return witness
    return None


RULE: Final = LintRule("PE216", "suffix-without-boundary", "warning", __doc__ or "", _find)
