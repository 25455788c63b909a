"""An inner address that is refused in one spelling.

What it does:
    Reports a test, a term or a pattern that refuses the cloud's metadata service, the machine
    itself or a private network by how it is spelt, in an address that is free otherwise.

Why:
    `http://2852039166/`, `http://[::ffff:a9fe:a9fe]/` and any name that somebody points there
    lead to 169.254.169.254 as well. A list of what is refused never ends.

Fails:
    tools:
      fetch:
        args: {url: {type: string, format: uri, maxLength: 300}}
        rules:
          - {id: inner, when: 'args.url.contains("169.254.169.254")', effect: deny}
    ---
    tools:
      fetch:
        args:
          url: {type: string, maxLength: 300, check: {terms: {any: [localhost, 127.0.0.1]}}}
    ---
    tools:
      fetch: {args: {url: {type: string, format: uri, maxLength: 300}}}
    rules:
      - id: inner
        tools: [fetch]
        check: {pattern: {any: ['https?://(10|127|169[.]254)[.]']}}
        effect: deny

Passes:
    tools:
      fetch:
        args:
          url: {type: string, maxLength: 300, pattern: '^https://docs[.]acme[.]com/[a-z0-9/-]*$'}

Fix:
    Say which hosts are allowed, in a pattern from `^https://` to `$`.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from policy_engine.lint.accepted import accepted
from policy_engine.lint.pieces import lets_through, tested
from policy_engine.lint.places import SchemaAt, schemas
from policy_engine.lint.proof.regexes import search
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.words import kind_of
from policy_engine.source import Path

__all__ = ["RULE"]

_SPELT: Final = (
    (
        re.compile(r"169\.254(?:\.169\.254)?|metadata\.google(?:\.internal)?", re.IGNORECASE),
        ("2852039166", "0xa9fea9fe", "[::ffff:a9fe:a9fe]", "metadata.evil.example"),
    ),
    (
        re.compile(r"localhost|127\.(?:0\.0\.)?1?|0\.0\.0\.0|\[?::1\]?", re.IGNORECASE),
        ("2130706433", "0x7f000001", "[::ffff:7f00:1]", "local.evil.example"),
    ),
    (
        re.compile(r"10\.(?:0\.0\.)?|192\.168\.?|172\.16\.?"),
        ("167772161", "0x0a000001", "[::ffff:a00:1]", "inner.evil.example"),
    ),
)
"""How an inner address is spelt in a list -> where else it can be reached."""
_TRIED: Final = {
    "169.254.169.254": "169.254.169.254",
    "metadata.google.internal": "metadata.google.internal",
    "127.0.0.1": "127.0.0.1",
    "localhost": "localhost",
    "10.0.0.1": "10.",
    "192.168.0.1": "192.168.",
}
"""An inner address -> how it is spelt above."""
_OUTER: Final = ("93.184.215.14", "docs.example.com")
"""Addresses that a pattern of inner ones does not match."""
_FRAME: Final = re.compile(r"^(?:https?://)?(.*?)/?$", re.DOTALL)


def _find(subject: Subject) -> Iterator[Found]:
    for one in tested(subject):
        if one.allows:
            continue
        operands = one.operand if one.kind == "in" else (one.operand,)
        for text in operands:
            for value in _others(text, one.kind == "matches"):
                witness = lets_through(subject, one, value, _SHOWS)
                if witness is not None:
                    part = (one.clause.node.start, one.clause.node.end)
                    message = _said(text, value)
                    yield Found(
                        one.found.policy, one.found.path, message, _HINT, part=part, witness=witness
                    )
                    break
            else:
                continue
            break
    for place in schemas(subject):
        for path, text, is_pattern in _refused(place):
            tried = ((v, accepted(subject, place, v, _SHOWS)) for v in _others(text, is_pattern))
            shown = next((pair for pair in tried if pair[1] is not None), None)
            if shown is not None:
                yield Found(place.policy, path, _said(text, shown[0]), _HINT, witness=shown[1])
                break
    yield from _of_rules(subject)


def _refused(place: SchemaAt) -> Iterator[tuple[Path, str, bool]]:
    """Go through the texts that a check or `not` of an argument refuses."""
    check = place.schema.get("check")
    for kind in ("terms", "pattern"):
        listed = check.get(kind) if isinstance(check, dict) else None
        any_of = listed.get("any") if isinstance(listed, dict) else None
        for index, text in enumerate(any_of if isinstance(any_of, list) else ()):
            if isinstance(text, str):
                yield (*place.path, "check", kind, "any", index), text, kind == "pattern"
    outside = place.schema.get("not")
    pattern = outside.get("pattern") if isinstance(outside, dict) else None
    if isinstance(pattern, str):
        yield (*place.path, "not", "pattern"), pattern, True


def _of_rules(subject: Subject) -> Iterator[Found]:
    """Go through rules that look for an inner address in all that a call says."""
    for found in subject.conditions:
        names = set(subject.covered(found)) if found.stage == "tool_call" else set()
        places: list[SchemaAt] | None = None
        for steps, text, is_pattern in _listed(found.placed.rule.check):
            if not names or next(_others(text, is_pattern), None) is None:
                continue
            if places is None:
                places = [
                    place
                    for place in schemas(subject)
                    if place.entry is not None
                    and place.entry.name in names
                    and kind_of(place.name) == "url"
                ]
            tried = (
                (value, accepted(subject, place, value, _SHOWS))
                for value in _others(text, is_pattern)
                for place in places
            )
            shown = next((pair for pair in tried if pair[1] is not None), None)
            if shown is not None:
                path = (*found.placed.path, "check", *steps)
                yield Found(found.policy, path, _said(text, shown[0]), _HINT, witness=shown[1])
                break


def _listed(check: Any) -> Iterator[tuple[Path, str, bool]]:
    """Go through the terms and the patterns of a rule's check."""
    for kind in ("terms", "pattern"):
        options = getattr(check, kind, None)
        for index, text in enumerate(() if options is None else options.any):
            yield (kind, "any", index), text, kind == "pattern"


def _others(text: object, is_pattern: bool) -> Iterator[str]:  # noqa: FBT001 - said of the text
    """Go through other addresses of what a text spells."""
    if not isinstance(text, str):
        return
    for spelt in _spelt(text) if is_pattern else [_FRAME.sub(r"\1", text, count=1).strip()]:
        for known, hosts in _SPELT:
            if known.fullmatch(spelt):
                yield from (f"http://{host}/" for host in hosts)
                yield from hosts
                return


def _spelt(pattern: str) -> Iterator[str]:
    """Go through inner addresses that a pattern finds, if it finds no others."""
    for frame in ("http://{}/", "https://{}/", "http://{}", "{}"):
        if any(search(pattern, frame.format(host)) is not False for host in _OUTER):
            return
    for host, spelt in _TRIED.items():
        if any(search(pattern, frame.format(host)) for frame in ("http://{}/", "{}")):
            yield spelt


def _said(text: object, value: str) -> str:
    return f'"{text}" is refused as it is spelt: "{value}" can lead there too, and passes'


_SHOWS: Final = "not stopped: another name of the same place"
_HINT: Final = "say which hosts are allowed, in a pattern from `^https://` to `$`"

RULE: Final = LintRule("PE233", "address-denylist", "warning", __doc__ or "", _find)
