"""A rule that stops those who were meant to pass, and lets the others through.

What it does:
    Reports a rule that stops a call where the session does *not* carry a label such as
    `untrusted` or `tainted`, and no other rule about the tool stops it where it does; a rule that
    stops a call *of* a role where its message says that only this role may; one that stops
    a call without a flag, such as `args.force == false`, where its message refuses the flag; one
    that stops who *has* called a tool, where its message says "first"; one that stops where there
    *is* consent or the like; and one that stops a dry run or a preview.

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

_CALLS: Final = ("session", "calls")
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
    """Say what is turned round, and what to write."""
    atom, rule = clause.atom, found.placed.rule
    text = f"{rule.message or ''}\n{rule.description or ''}"
    if atom.kind == "member" and atom.term == _LABELS and not clause.holds:
        label = str(atom.operand)
        if not _TAINTS.isdisjoint(words_of(label)) and not _is_stopped(subject, found, label):
            return (
                f'this stops sessions without "{label}", and lets those with it through',
                f'write `"{label}" in session.labels`',
            )
    if atom.kind == "member" and atom.term == _ROLES and clause.holds:
        role = str(atom.operand)
        if any(_says(form, role, text) for form in _ONLY):
            return (
                f'this stops "{role}" alone, and its message lets "{role}" alone through',
                f'write `!("{role}" in principal.roles)`',
            )
    if _is_harmless(clause) and not _asks_too(subject, found, clause):
        dotted = ".".join(clause.atom.term)
        return f'this stops where "{dotted}" is on, and lets the real thing through', (
            f"write `!{dotted}`"
        )
    tool = _called(clause)
    if tool is not None and (_says(_FIRST, tool, text) or _says(_FIRST, words_of(tool)[0], text)):
        return (
            f'this stops who has called "{tool}", and lets through who has not',
            f'write `!("{tool}" in session.calls)`',
        )
    return _of_flag(clause, text)


def _is_harmless(clause: Clause) -> bool:
    """Whether a rule needs a flag that takes the harm out of a call."""
    atom = clause.atom
    is_on = atom.kind == "==" and atom.type == "bool" and clause.holds is (atom.operand is True)
    return is_on and atom.term[:1] == ("args",) and "_".join(words_of(atom.term[-1])) in _HARMLESS


_HARMLESS: Final = names_in("dry_run dryrun is_dry_run preview preview_only simulate simulation")


def _asks_too(subject: Subject, found: PlacedCondition, clause: Clause) -> bool:
    """Whether another rule about a tool reads the same, and so tells the two apart."""
    return any(
        other.compiled.name != found.compiled.name
        and other.compiled.condition is not None
        and any(read == clause.atom.term for read in other.compiled.condition.reads)
        for name in subject.covered(found)
        for other in subject.rules_of(name)
    )


def _of_flag(clause: Clause, text: str) -> tuple[str, str] | None:
    atom = clause.atom
    if atom.kind != "==" or atom.type != "bool" or len(atom.term) == 1:
        return None
    name, dotted = atom.term[-1], ".".join(atom.term)
    words, is_refused = {name, *words_of(name)}, clause.holds is (atom.operand is False)
    if atom.term[0] == "args":
        is_guard = not (GUARDS | _GUARDS).isdisjoint(words)
        if is_refused and not is_guard and _says(_REFUSED, name, text):
            message = f'this stops a call without "{name}", and lets one with it through'
            return message, f"write `{dotted}`"
    elif not is_refused and not _CONSENTS.isdisjoint(words) and not _says(_ALREADY, name, text):
        message = f'this stops where there is "{name}", and lets through where there is none'
        return message, f"write `!{dotted}`"
    return None


def _called(clause: Clause) -> str | None:
    """Return the tool that must have been called for a rule to speak."""
    atom = clause.atom
    if clause.holds and atom.kind == "member" and atom.term == _CALLS:
        return str(atom.operand)
    if clause.holds and atom.kind == "present" and atom.term[:2] == _CALLS:
        return atom.term[2]
    if not clause.holds and atom.term[:2] == _CALLS and (atom.kind, atom.operand) in _SOME:
        return atom.term[2]
    return None


_SOME: Final = {("<=", 0), ("<", 1)}
_FIRST: Final = r"\b{0}\b[^.;]*\bfirst\b|\bfirst\b[^.;]*\b{0}\b|\b(?:not|never) before\b[^.;]*{0}"
_CONSENTS: Final = names_in("consent consented consents opted_in authorized authorised entitled")
_ALREADY: Final = r"\b(?:already|no longer|withdraw\w*|has)\b"
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
