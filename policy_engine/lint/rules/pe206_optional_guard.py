"""An argument that is only checked when it is there.

What it does:
    Reports an argument of an entry that is `optional: true`, and whose values are restricted by
    its schema or by a rule under `has()`, where its name says whether, where or for whom
    something is done (`confirm`, `dry_run`, `env`, `tenant`, `role`...), or how much, to whom or
    by which address. Of tools that update, search or list, only the former are reported: there
    the rest is honestly left out.

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

Fix:
    Remove `optional: true`; where a tool has a harmless default, let the model state it.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.cel.nodes import Has, Not, Or
from policy_engine.lint.places import SchemaAt, arguments
from policy_engine.lint.proof.scene import call_scene
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject, named_by
from policy_engine.lint.words import AMOUNTS, GUARDS, kind_of, words_of

__all__ = ["RULE"]


_RESTRICTING: Final = ("enum", "const", "pattern", "maximum", "exclusiveMaximum", "check")
_PARTIAL: Final = frozenset(
    {"update", "edit", "modify", "patch", "change", "set", "search", "list", "find", "get", "read"}
)
_AIMS: Final = frozenset({"to", "recipient", "recipients", "email", "destination", "target"})


def _find(subject: Subject) -> Iterator[Found]:
    for place in arguments(subject):
        entry = place.entry
        if place.schema.get("optional") is not True or entry is None:
            continue
        if not _is_guard(place.name, entry.name) or not _is_restricted(subject, place):
            continue
        if _is_absence_met(subject, place):
            continue
        scene = call_scene(subject, place.policy, named_by(entry.name))
        yield Found(
            place.policy,
            (*place.path, "optional"),
            f'"{place.name}" is restricted, but may be left out',
            "remove `optional: true`",
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


def _is_restricted(subject: Subject, place: SchemaAt) -> bool:
    if any(key in place.schema for key in _RESTRICTING):
        return True
    name = named_by(place.entry.name) if place.entry is not None else ""
    return any(
        found.compiled.condition is not None
        and ("args", place.argument) in {read[:2] for read in found.compiled.condition.reads}
        for found in subject.rules_of(name)
    )


def _is_absence_met(subject: Subject, place: SchemaAt) -> bool:
    """Whether a rule speaks where the argument is left out: `!has(args.x) || …`."""
    name = named_by(place.entry.name) if place.entry is not None else ""
    trees = (
        found.compiled.condition.tree
        for found in subject.rules_of(name)
        if found.compiled.condition is not None
    )
    terms = (term for tree in trees for term in (tree.terms if isinstance(tree, Or) else (tree,)))
    absences = (term.operand for term in terms if isinstance(term, Not))
    return any(isinstance(one, Has) and one.field == place.argument for one in absences)


RULE: Final = LintRule("PE206", "optional-guard", "warning", __doc__ or "", _find)
