"""A rule that stops those who were meant to pass, and lets the others through.

What it does:
    Reports a rule that stops a call where the session does *not* carry a label such as
    `untrusted` or `tainted`, and no other rule about the tool stops it where it does; a rule that
    stops a call *of* a role where its message says that only this role may; and one that stops
    a call without a flag, such as `args.force == false`, where its message refuses the flag.

Why:
    A `!` too many or too few loads, and speaks of the wrong half of all calls. Its message still
    reads as it was meant.

Fails:
    tools:
      fetch: {args: {page: {enum: [a, b]}}, labels: [untrusted]}
      send:
        args: {text: {type: string, maxLength: 200}}
        rules:
          - {id: tainted, when: '!("untrusted" in session.labels)', effect: deny}
    ---
    tools:
      remove_user:
        args: {id: {type: integer, minimum: 1}}
        rules:
          - id: admins
            when: '"admin" in principal.roles'
            effect: deny
            message: Only an admin may remove users.

Passes:
    tools:
      fetch: {args: {page: {enum: [a, b]}}, labels: [untrusted]}
      send:
        args: {text: {type: string, maxLength: 200}}
        rules:
          - {id: tainted, when: '"untrusted" in session.labels', effect: deny}
    ---
    tools:
      remove_user:
        args: {id: {type: integer, minimum: 1}}
        rules:
          - id: admins
            when: '!("admin" in principal.roles)'
            effect: deny
            message: Only an admin may remove users.

Fix:
    Say when to stop: with the label, without the role, with the flag.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.lint.finding import Witness
from policy_engine.lint.pieces import RESTRICTING
from policy_engine.lint.proof.formula import Clause, Formula, clauses, formula, opposite
from policy_engine.lint.proof.scene import scenes
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import PlacedCondition, Subject
from policy_engine.lint.words import GUARDS, names_in, words_of

__all__ = ["RULE"]

_LABELS: Final = ("session", "labels")
_ROLES: Final = ("principal", "roles")
_TAINTS: Final = names_in(
    """
    untrusted tainted taint external unsafe suspicious compromised malicious infected injected
    poisoned unverified hostile
    """
)
_ONLY: Final = (
    r"\bonly\s+(?:\w+\s+){{0,2}}?{0}\b",
    r"\b{0}\s+(?:\w+\s+)?only\b",
    r"\b(?:reserved|restricted|limited)\s+(?:to|for)\s+(?:\w+\s+)?{0}\b",
    r"\b(?:needs?|requires?|must be)\s+(?:an?\s+|the\s+)?(?:role\s+)?{0}\b",
)
_REFUSED: Final = r"\b(?:no|never|not|don't|refuse|without)\s+(?:(?:use|set|the|a|any)\s+)*{0}\b"


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        condition = found.compiled.condition
        if condition is None or found.stage != "tool_call":
            continue
        if found.compiled.effect not in RESTRICTING:
            continue
        whole = formula(condition.tree)
        for clause in _needed(whole):
            said = _said(subject, found, clause)
            if said is not None:
                part = (clause.node.start, clause.node.end)
                witness = _witness(subject, found, whole)
                yield Found(found.policy, found.path, *said, part=part, witness=witness)
                break


def _needed(whole: Formula) -> Iterator[Clause]:
    """Go through tests without which a rule is silent."""
    if isinstance(whole, Clause):
        yield whole
    elif whole.all or len(whole.parts) == 1:
        for part in whole.parts:
            yield from _needed(part)


def _said(subject: Subject, found: PlacedCondition, clause: Clause) -> tuple[str, str] | None:
    atom, rule = clause.atom, found.placed.rule
    text = f"{rule.message or ''}\n{rule.description or ''}"
    if atom.kind == "member" and atom.term == _LABELS and not clause.holds:
        label = str(atom.operand)
        if not _TAINTS.isdisjoint(words_of(label)) and not _is_stopped(subject, found, label):
            return (
                f'this stops sessions without "{label}", and lets those with it through',
                f'write `"{label}" in session.labels`',
            )
    elif atom.kind == "member" and atom.term == _ROLES and clause.holds:
        role = str(atom.operand)
        if any(_says(form, role, text) for form in _ONLY):
            return (
                f'this stops "{role}" alone, and its message lets "{role}" alone through',
                f'write `!("{role}" in principal.roles)`',
            )
    elif atom.kind == "==" and atom.term[:1] == ("args",) and atom.type == "bool":
        name, refused = atom.term[-1], clause.holds is (atom.operand is False)
        is_guard = not (GUARDS | _GUARDS).isdisjoint({name, *words_of(name)})
        if refused and not is_guard and _says(_REFUSED, name, text):
            dotted = ".".join(atom.term)
            return f'this stops a call without "{name}", and lets one with it through', (
                f"write `{dotted}`"
            )
    return None


_GUARDS: Final = names_in("dry run safe check validate preview backup verify test review")


def _says(form: str, name: str, text: str) -> bool:
    spelt = r"[\s_-]?".join(map(re.escape, words_of(name))) + "s?"
    return re.search(form.format(spelt), text, re.IGNORECASE) is not None


def _is_stopped(subject: Subject, found: PlacedCondition, label: str) -> bool:
    """Whether a rule about a tool speaks of sessions with a label."""
    return any(
        clause.atom.kind == "member" and clause.atom.operand == label and clause.holds
        for name in subject.covered(found)
        for other in subject.rules_of(name)
        if other.compiled.condition is not None
        for clause in clauses(formula(other.compiled.condition.tree))
    )


def _witness(subject: Subject, found: PlacedCondition, whole: Formula) -> Witness | None:
    silent = (found.compiled.name,)
    for scene in scenes(subject, found)[:1]:
        return scene.show(opposite(whole), shows="not stopped", silent=silent)
    return None


RULE: Final = LintRule("PE162", "inverted-test", "warning", __doc__ or "", _find)
