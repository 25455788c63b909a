"""A rule that stops those who were meant to pass, and lets the others through.

What it does:
    Reports a rule that stops a call where the session does *not* carry a label such as
    `untrusted`, and no other rule about the tool stops it where it does; one that stops a call
    *of* a role, or with a value, where its message begins with "Only" and this role or value; one
    that stops a call without a flag such as `force`, where its message says "No force"; one that
    stops who *has* called a tool, where its message says to call it first; one that stops where
    there *is* consent, where its message says "not without consent"; and one that asks about a
    dry run. Messages that can be read otherwise are left alone.

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
from policy_engine.lint.messages import sentences, spoken
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
    "untrusted tainted taint unsafe suspicious compromised malicious infected injected poisoned"
)
_TAINTED: Final = _TAINTS | names_in(
    "content contents text data input source session web page pages mail mails email external"
)
"""Words of a label that says nothing else."""
_EXPLAINED: Final = re.compile(
    r"\b(?:only|first|nothing|before|until|after|clean)\b", re.IGNORECASE
)
_ONLY: Final = (
    r"^only\s+(?:an?\s+|the\s+)?{0}\s+(?:may|can|(?:is|are) allowed to)\s+(?!not\b|be\b|only\b)",
    r"\b(?:is|are)\s+(?:reserved (?:for|to)|restricted to)\s+(?:an?\s+|the\s+)?{0}$",
)
_ONLY_VALUE: Final = (
    r"^(?:currently |today )?only {0} (?:is|are|may be|can be) (?:served|supported|accepted|"
    r"allowed|permitted|available|possible|offered|covered)\b"
)
_ASKED: Final = re.compile(
    r"\b(?:approv|confirm|ask|sign|not|never|without|unless|if|when)", re.IGNORECASE
)
_REFUSED: Final = (
    r"^no {0}(?: \w{{1,20}})?$",
    r"^(?:please )?(?:do not|don't|never) (?:use |set |pass )?{0}\b",
)
_HARMS: Final = names_in(
    """
    force overwrite recursive permanent permanently hard bypass override unsafe insecure skip
    ignore public debug cascade no_verify all
    """
)
"""Words of flags with which a call does more harm."""


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
        if _is_taint(label, text) and not _is_stopped(subject, found, label):
            return (
                f'this stops sessions without "{label}", and lets those with it through',
                f'write `"{label}" in session.labels`',
            )
    if atom.kind == "member" and atom.term == _ROLES and clause.holds:
        role = str(atom.operand)
        if any(_says(form, role, text, but=_ASKED) for form in _ONLY):
            return (
                f'this stops "{role}" alone, and its message lets "{role}" alone through',
                f'write `!("{role}" in principal.roles)`',
            )
    if _is_denied_value(found, clause) and _says(_ONLY_VALUE, atom.operand, text, but=_ASKED):
        return (
            f'this stops "{atom.operand}" alone, and its message lets nothing else through',
            "write `!=`",
        )
    if _is_harmless(found, clause) and not _asks_too(subject, found, clause):
        dotted = ".".join(clause.atom.term)
        return f'this stops where "{dotted}" is on, and lets the real thing through', (
            f"write `!{dotted}`"
        )
    tool = _called(clause)
    if tool is not None and tool not in subject.covered(found) and _comes_first(tool, text):
        return (
            f'this stops who has called "{tool}", and lets through who has not',
            f'write `!("{tool}" in session.calls)`',
        )
    return _of_flag(clause, text)


def _is_taint(label: str, text: str) -> bool:
    """Whether a label says of a session that it is tainted, and nothing else."""
    words = set(words_of(label))
    return bool(words & _TAINTS) and words <= _TAINTED and not _EXPLAINED.search(text)


def _is_denied_value(found: PlacedCondition, clause: Clause) -> bool:
    """Whether a rule does nothing but deny one text of an argument."""
    atom, condition = clause.atom, found.compiled.condition
    return (
        found.compiled.effect == "deny"
        and clause.holds
        and (atom.kind, atom.term[:1]) == ("==", ("args",))
        and isinstance(atom.operand, str)
        and bool(words_of(atom.operand))
        and condition is not None
        and len(list(clauses(formula(condition.tree)))) == 1
    )


def _comes_first(tool: str, text: str) -> bool:
    """Whether a sentence tells the model to call a tool first."""
    return _says(_FIRST, tool, text) or _says(_FIRST, words_of(tool)[0], text)


def _is_harmless(found: PlacedCondition, clause: Clause) -> bool:
    """Whether a rule asks about a flag that takes the harm out, and says nothing of it."""
    atom, text = clause.atom, spoken(found.placed.rule)
    if found.compiled.effect != "require_approval":
        return False
    if any(word in text.lower() for word in ("dry", "preview", "simulat")):
        return False
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
        is_harm = not words.isdisjoint(_HARMS) and words.isdisjoint(GUARDS | _GUARDS)
        if is_refused and is_harm and any(_says(form, name, text) for form in _REFUSED):
            message = f'this stops a call without "{name}", and lets one with it through'
            return message, f"write `{dotted}`"
    elif not is_refused and any(
        _says(form, word, text) for word in words & _CONSENTS for form in _WITHOUT
    ):
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
_FIRST: Final = (
    r"^(?:please )?(?:call |run |use )?{0}\b(?! (?:was|is|has|had|been|not)\b)[\w ]{{0,40}} first$"
)
_CONSENTS: Final = names_in("consent consented consents opted_in authorized authorised entitled")
_WITHOUT: Final = (
    r"\b(?:not|never|nobody|nothing|no \w+)\b[\w ]{{0,60}} without (?:\w+ ){{0,2}}{0}$",
    r"^not without (?:\w+ ){{0,2}}{0}$",
    r"\b{0} is (?:missing|needed|required|not given)$",
)
_GUARDS: Final = names_in("dry run safe check validate preview backup verify test review")


def _says(form: str, name: str, text: str, but: re.Pattern[str] | None = None) -> bool:
    """Whether a sentence of a text says something of a name, and not what `but` finds."""
    spelt = r"[\s_-]?".join(map(re.escape, words_of(name))) + "s?"
    said = re.compile(form.format(spelt), re.IGNORECASE)
    return any(
        said.search(one) is not None and (but is None or but.search(one) is None)
        for one in sentences(text)
    )


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
