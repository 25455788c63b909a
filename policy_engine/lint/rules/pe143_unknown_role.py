"""A role that nobody has.

What it does:
    Reports a role under `applies_to`, or one that a condition asks `principal.roles` for, that is
    not among the `roles` which `[tool.policy-engine]` lists; without the list, one that stands
    only once and is probably a misspelt role of the set.

Why:
    A policy for a role that nobody has applies to no one; a rule that is silent for it is silent
    for no one, or for everyone.

Fails:
    applies_to: {roles: [suport]}
    tools:
      pay:
        args: {amount: {type: number, minimum: 0, maximum: 50}}
        rules:
          - {id: other, when: '!("support" in principal.roles)', effect: deny}
          - id: large
            when: '"support" in principal.roles && args.amount > 5'
            effect: require_approval
            approval: {approvers: [finance], expires: 1h}

Passes:
    applies_to: {roles: [support, finance]}
    tools:
      pay:
        args: {amount: {type: number, minimum: 0, maximum: 50}}
        rules:
          - {id: other, when: '!("support" in principal.roles)', effect: deny}

Fix:
    Write the role as it is given to people.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from typing import Final

from policy_engine.compiler.names import is_glob, matches_glob
from policy_engine.lint.approvals import approvals
from policy_engine.lint.proof.formula import clauses, formula
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.words import is_slip
from policy_engine.policy import LoadedPolicy
from policy_engine.policy.words import did_you_mean
from policy_engine.source import Path

__all__ = ["RULE"]

_ALIKE: Final = 0.85
_Asked = tuple[LoadedPolicy, Path, str, tuple[int, int] | None]


def _find(subject: Subject) -> Iterator[Found]:
    asked = [*_applying(subject), *_read(subject)]
    used = Counter(role for _, _, role, _ in asked)
    used.update(role for one in approvals(subject) for role in set(one.approval.approvers))
    for policy, path, role, part in asked:
        said = _said(subject.options.roles, role, used)
        if said is not None:
            yield Found(policy, path, *said, part=part)


def _applying(subject: Subject) -> Iterator[_Asked]:
    for loaded in subject.policies:
        applies = loaded.policy.applies_to
        for index, role in enumerate(() if applies is None else applies.roles or ()):
            yield loaded, ("applies_to", "roles", index), role, None


def _read(subject: Subject) -> Iterator[_Asked]:
    for found in subject.conditions:
        condition = found.compiled.condition
        for clause in clauses(formula(condition.tree)) if condition is not None else ():
            atom = clause.atom
            if atom.kind == "member" and atom.term == ("principal", "roles"):
                part = (clause.node.start, clause.node.end)
                yield found.policy, found.path, str(atom.operand), part


def _said(roles: frozenset[str], role: str, used: Mapping[str, int]) -> tuple[str, str] | None:
    if roles:
        if any(matches_glob(role, known) for known in roles):
            return None
        hint = did_you_mean(role, roles) or f"roles: {', '.join(sorted(roles))}"
        return f'there is no role "{role}"', hint
    if is_glob(role) or used[role] > 1:
        return None
    for other, count in used.items():
        if other == role:
            break  # of two that stand once, the second is reported
        if count == 1 and is_slip(role, other):
            return f'the role "{role}" stands only here, and "{other}" elsewhere', _ONE
    for other, count in used.items():
        if count > 1 and SequenceMatcher(None, role, other).ratio() >= _ALIKE:
            return f'the role "{role}" stands only here', f'did you mean "{other}"?'
    return None


_ONE: Final = "write one role one way"

RULE: Final = LintRule("PE143", "unknown-role", "error", __doc__ or "", _find)
