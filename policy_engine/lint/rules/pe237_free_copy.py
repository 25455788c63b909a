"""A copy that goes to anybody.

What it does:
    Reports `cc`, `bcc` or `reply_to` that takes a stranger's address where the tool's other
    recipients are restricted. With `--no-proofs`, those that only a rule restricts count as open.

Why:
    Whom a mail goes to is all its recipients. The model puts the stranger into the copy.

Fails:
    tools:
      send_email:
        args:
          to: {enum: [support@acme.com]}
          bcc: {type: string, maxLength: 100}

Passes:
    tools:
      send_email:
        args:
          to: {enum: [support@acme.com]}
          bcc: {enum: [archive@acme.com]}

Fix:
    Restrict every recipient alike, or do not take copies.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.lint.accepted import accepted
from policy_engine.lint.finding import Witness
from policy_engine.lint.places import SchemaAt, schemas
from policy_engine.lint.proof.schema import values_of
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.words import names_in, words_of

__all__ = ["RULE"]

_TO: Final = names_in("to recipient recipients to_address to_addresses to_email")
_COPIES: Final = names_in(
    "cc bcc reply_to cc_recipients bcc_recipients cc_emails bcc_emails cc_addresses bcc_addresses"
)
_STRANGER: Final = "x@evil.example"
_SHOWS: Final = "accepted: a stranger's address"


def _find(subject: Subject) -> Iterator[Found]:
    of_entry: dict[tuple[str, str], list[SchemaAt]] = {}
    for place in schemas(subject):
        if place.entry is not None and _name(place) in _TO | _COPIES and _is_text(place):
            of_entry.setdefault((place.policy.policy.policy, place.entry.name), []).append(place)
    for places in of_entry.values():
        copies = [place for place in places if _name(place) in _COPIES and _admits(place)]
        others = [place for place in places if _name(place) in _TO]
        if not copies or not others or any(_is_open(subject, place) for place in others):
            continue
        for place in copies:
            witness = _taken(subject, place)
            if witness is not None:
                message = f'"{place.name}" goes to anybody, and "{others[0].name}" does not'
                hint = "restrict every recipient alike"
                path = place.path[:-1] if place.path[-1] == "items" else place.path
                yield Found(place.policy, path, message, hint, on_key=True, witness=witness)


def _name(place: SchemaAt) -> str:
    return "_".join(words_of(place.name))


def _is_text(place: SchemaAt) -> bool:
    return place.schema.get("type") not in ("array", "object")


def _admits(place: SchemaAt) -> bool:
    """Whether its schema alone takes a stranger's address, which is soon told."""
    return values_of(place.schema).admits(_STRANGER)


def _is_open(subject: Subject, place: SchemaAt) -> bool:
    """Whether a recipient may be a stranger; without proofs, whether its schema takes one."""
    if not subject.options.proofs:
        return _admits(place)
    return _taken(subject, place) is not None


def _taken(subject: Subject, place: SchemaAt) -> Witness | None:
    return accepted(subject, place, _STRANGER, _SHOWS)


RULE: Final = LintRule("PE237", "free-copy", "warning", __doc__ or "", _find)
