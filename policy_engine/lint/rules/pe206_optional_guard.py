"""An argument that is only checked when it is there.

What it does:
    Reports an argument of an entry that is `optional: true`, and whose values are restricted by
    its schema or by a rule under `has()`, where its name says whether, where or for whom something
    is done (`confirm`, `dry_run`, `env`, `tenant`, `role`...), or how much, to whom or by which
    address, or where the rule's message says that it is needed. Of tools that update, search,
    list, plan or test, only the former are reported: there the rest is honestly left out. Rules
    that ask whether the argument is there, such as `!has(args.price)`, show that somebody thought
    of it, and so does a description that says which of the accepted values holds where it is left
    out.

Why:
    Who leaves it out passes the check, and the tool's own default decides: `confirm` must be
    true, but need not be given.

Fails:
    tools:
      wipe: {args: {confirm: {type: boolean, const: true, optional: true}}}

    ---
    tools:
      refund:
        args: {amount: {type: number, exclusiveMinimum: 0, optional: true}}
        rules:
          - {id: large, when: has(args.amount) && args.amount > 500, effect: deny}

Passes:
    tools:
      wipe: {args: {confirm: {type: boolean, const: true}}}

    ---
    tools:
      apply:
        args: {dry_run: {type: boolean, optional: true}}
        rules:
          - {id: in-earnest, when: "!has(args.dry_run) || !args.dry_run", effect: deny}

    ---
    tools:
      order:
        args:
          kind: {enum: [market, limit]}
          price: {type: number, minimum: 1, maximum: 99, optional: true}
        rules:
          - {id: priced, when: args.kind == "limit" && !has(args.price), effect: deny}

Fix:
    Remove `optional: true`, or deny where it is left out. Where a tool has a harmless default,
    let the model state it.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.cel.nodes import Has, Node, Not, Select, VariableRead
from policy_engine.lint.accepted import speaks_of
from policy_engine.lint.messages import sentences
from policy_engine.lint.pieces import RESTRICTING
from policy_engine.lint.places import SchemaAt, arguments, nodes
from policy_engine.lint.proof.scene import call_scene
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject, named_by
from policy_engine.lint.words import AMOUNTS, GUARDS, kind_of, names_in, words_of

__all__ = ["RULE"]


_RESTRICTING: Final = ("enum", "const", "pattern", "maximum", "exclusiveMaximum", "check")
_PARTIAL: Final = names_in(
    """
    update edit modify patch change set search list find get read test tests plan preview check
    lint validate explain describe estimate quote draft
    """
)
_NUMBERED: Final = names_in("id ids number no code key ref reference name")
_NEEDED: Final = (
    r"\b(?:needs?|requires?|not without|never without|only with|must (?:have|name|carry))"
    r" (?:an? |the |its |their )?(?:\w+ ){{0,2}}(?:{})\b"
)
_LEFT_OUT: Final = re.compile(
    r"\b(?:left out|omitted|absent|missing|not given|unless given|otherwise|defaults?)\b",
    re.IGNORECASE,
)
_PERHAPS: Final = re.compile(r"\b(?:if|when|unless|no|may|might|above|over|some)\b", re.IGNORECASE)
_AIMS: Final = frozenset({"to", "recipient", "recipients", "email", "destination", "target"})


def _find(subject: Subject) -> Iterator[Found]:
    for place in arguments(subject):
        entry = place.entry
        if place.schema.get("optional") is not True or entry is None:
            continue
        if not _is_guard(place.name, entry.name) and not _is_needed(subject, place):
            continue
        if not _is_restricted(subject, place):
            continue
        if _is_absence_met(subject, place) or _is_told(subject, place):
            continue
        scene = call_scene(subject, place.policy, named_by(entry.name))
        yield Found(
            place.policy,
            (*place.path, "optional"),
            f'"{place.name}" is restricted, but may be left out',
            f"remove `optional: true`, or deny where it is left out: `!has(args.{place.argument})`",
            on_key=True,
            witness=scene.show(shows="accepted without it", silent=(place.rule,)),
        )


def _is_guard(name: str, tool: str) -> bool:
    lowered = name.lower()
    if lowered in GUARDS:
        return True
    if not _PARTIAL.isdisjoint(words_of(tool)):
        return False
    return (
        kind_of(name, tool) is not None
        or lowered in _AIMS
        or not AMOUNTS.isdisjoint(words_of(name))
    )


def _is_needed(subject: Subject, place: SchemaAt) -> bool:
    """Whether a rule about an argument says that nothing is done without it."""
    named = "|".join(sorted(set(words_of(place.name)) - _NUMBERED)) or place.name
    needed = re.compile(_NEEDED.format(named), re.IGNORECASE)
    name = named_by(place.entry.name) if place.entry is not None else ""
    return any(
        needed.search(sentence) and not _PERHAPS.search(sentence)
        for found in subject.rules_of(name)
        if found.compiled.effect in RESTRICTING and speaks_of(found, place.argument)
        for sentence in sentences(found.placed.rule.message or "")
    )


def _is_told(subject: Subject, place: SchemaAt) -> bool:
    """Whether a description says which accepted value is taken where an argument is left out.

    Not where a rule asks about the value: what is taken might be what the rule is for.
    """
    schema = place.schema
    text = schema.get("description")
    if not isinstance(text, str) or not _LEFT_OUT.search(text) or _is_read(subject, place):
        return False
    values = [schema["const"]] if "const" in schema else schema.get("enum") or ()
    return any(
        re.search(rf"(?<!\w){re.escape(str(value))}(?!\w)", text, re.IGNORECASE) for value in values
    )


def _is_restricted(subject: Subject, place: SchemaAt) -> bool:
    if any(key in place.schema for key in _RESTRICTING):
        return True
    return _is_read(subject, place)


def _is_read(subject: Subject, place: SchemaAt) -> bool:
    """Whether a rule reads an argument."""
    name = named_by(place.entry.name) if place.entry is not None else ""
    return any(
        found.compiled.condition is not None
        and ("args", place.argument) in {read[:2] for read in found.compiled.condition.reads}
        for found in subject.rules_of(name)
    )


def _is_absence_met(subject: Subject, place: SchemaAt) -> bool:
    """Whether a rule asks if the argument is there: `!has(args.x)`, or `has(args.x)` alone."""
    name = named_by(place.entry.name) if place.entry is not None else ""
    for found in subject.rules_of(name):
        compiled = found.compiled
        if compiled.condition is None or compiled.effect not in RESTRICTING:
            continue
        parts = list(nodes(compiled.condition.tree))
        asked = [part for part in parts if _asks(part, place.argument)]
        if any(isinstance(part, Not) and part.operand in asked for part in parts):
            return True
        if asked and not any(_reads(part, place.argument) for part in parts):
            return True
    return False


def _asks(node: Node, argument: str) -> bool:
    """Whether it is `has(args.x)`."""
    return isinstance(node, Has) and node.field == argument


def _reads(node: Node, argument: str) -> bool:
    """Whether it is `args.x`."""
    if isinstance(node, VariableRead):
        return node.path == ("args", argument)
    return isinstance(node, Select) and node.field == argument


RULE: Final = LintRule("PE206", "optional-guard", "warning", __doc__ or "", _find)
