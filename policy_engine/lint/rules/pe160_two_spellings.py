"""A role, an agent, a tenant or a label in two spellings.

What it does:
    Reports two names of roles, agents, tenants or labels that differ by case, a hyphen, an
    underscore or the `s` of a plural alone, unless one list or one condition has both. Agents that
    are handed to are agents, too.

Why:
    Names are compared letter by letter. Whoever is an `admin` is no `Admin`, so the rule about
    one of them never meets the other.

Fails:
    applies_to: {roles: [admin]}
    tools:
      wipe:
        args: {disk: {enum: [a, b]}}
        rules:
          - {id: admins, when: '!("Admin" in principal.roles)', effect: deny}

Passes:
    applies_to: {roles: [admin, operator]}
    tools:
      wipe:
        args: {disk: {enum: [a, b]}}
        rules:
          - {id: admins, when: '!("admin" in principal.roles)', effect: deny}

Fix:
    Write the name one way, as it is given to people, agents and tools.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final, Literal

from policy_engine.cel.nodes import Call, Local, Loop, Node
from policy_engine.lint.approvals import approvals
from policy_engine.lint.pieces import every_clause
from policy_engine.lint.proof.formula import Clause, constant, formula, term
from policy_engine.lint.proof.schema import ELEMENT
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.words import is_slip
from policy_engine.policy import LoadedPolicy
from policy_engine.source import Path

__all__ = ["RULE"]

_Kind = Literal["role", "agent", "tenant", "label"]
_READ: Final[dict[tuple[str, ...], _Kind]] = {
    ("principal", "roles"): "role",
    ("principal", "roles", ELEMENT): "role",
    ("agent",): "agent",
    ("target",): "agent",
    ("principal", "tenant"): "tenant",
    ("session", "labels"): "label",
    ("session", "labels", ELEMENT): "label",
}
_JOINT: Final = re.compile(r"(?<![0-9])[\s_.-]{1,9}|[\s_.-]{1,9}(?![0-9\s_.-])")
"""What stands between two words, or a word and a number; 1-12 is not 11-2."""
_LONG: Final = 4
"""Shorter names are no plurals of each other."""
_ALIKE: Final = 0.85


@dataclass(frozen=True, slots=True)
class _Named:
    """A name, and where it stands."""

    kind: _Kind
    name: str
    policy: LoadedPolicy
    path: Path
    list: Path
    """What stands in one list or condition is told apart on purpose."""
    part: tuple[int, int] | None = None
    on_key: bool = False


def _find(subject: Subject) -> Iterator[Found]:
    groups: dict[tuple[_Kind, str], list[_Named]] = {}
    for one in (*_applying(subject), *_read(subject), *_given(subject)):
        groups.setdefault((one.kind, _bare(one.name)), []).append(one)
    for named in groups.values():
        used = Counter(one.name for one in named)
        if len(used) < 2 or _are_listed(named):
            continue
        usual = max(used, key=lambda name: (used[name], -list(used).index(name)))
        for one in named:
            if one.name != usual and not _is_said_elsewhere(subject, one, usual, used):
                message = f'the {one.kind} "{one.name}" is "{usual}" elsewhere'
                key, part = one.on_key, one.part
                yield Found(one.policy, one.path, message, _HINT, on_key=key, part=part)


def _bare(name: str) -> str:
    """Return a name without case and joints, in the singular."""
    bare = _JOINT.sub("", name.casefold())
    return bare[:-1] if len(bare) > _LONG and bare[-1] == "s" and bare[-2] != "s" else bare


def _are_listed(named: Iterable[_Named]) -> bool:
    """Whether one list or condition has more than one of the spellings."""
    lists: dict[tuple[object, Path], set[str]] = {}
    for one in named:
        lists.setdefault((one.policy.policy.policy, one.list), set()).add(one.name)
    return any(len(names) > 1 for names in lists.values())


def _is_said_elsewhere(subject: Subject, one: _Named, usual: str, used: Counter[str]) -> bool:
    """Whether it is a role that another rule calls unknown or misspelt."""
    if one.kind != "role":
        return False
    if subject.options.roles:
        return one.name not in subject.options.roles
    if used[one.name] > 1:
        return False
    if used[usual] == 1:
        return is_slip(one.name, usual)
    return SequenceMatcher(None, one.name, usual).ratio() >= _ALIKE


def _applying(subject: Subject) -> Iterator[_Named]:
    kinds: dict[str, _Kind] = {"roles": "role", "agents": "agent", "tenants": "tenant"}
    for loaded in subject.policies:
        for key, kind in kinds.items():
            for index, name in enumerate(getattr(loaded.policy.applies_to, key, None) or ()):
                listed: Path = ("applies_to", key)
                yield _Named(kind, name, loaded, (*listed, index), listed)
        for name in loaded.policy.handoffs or {}:
            path: Path = ("handoffs", name)
            yield _Named("agent", name, loaded, path, ("handoffs",), on_key=True)


def _read(subject: Subject) -> Iterator[_Named]:
    for found in subject.conditions:
        condition = found.compiled.condition
        if condition is None:
            continue
        for clause in every_clause(formula(condition.tree)):
            kind = _READ.get(clause.atom.term)
            for name in _names(clause) if kind is not None else _tried(clause.node):
                part = (clause.node.start, clause.node.end)
                yield _Named(kind or "role", name, found.policy, found.path, found.path, part)


def _tried(node: Node) -> Iterator[str]:
    """Go through the roles of a list of which each is asked about: `[…].exists(r, r in …)`."""
    match node:
        case Loop(range=over, condition=Call(function="in", arguments=(Local(), right))):
            listed = constant(over)
            if isinstance(listed, list) and _READ.get(term(right) or ()) == "role":
                yield from (name for name in listed if isinstance(name, str))


def _names(clause: Clause) -> Iterator[str]:
    atom = clause.atom
    if atom.kind in {"==", "member", "in"}:
        listed = atom.operand if atom.kind == "in" else (atom.operand,)
        yield from (name for name in listed if isinstance(name, str))


def _given(subject: Subject) -> Iterator[_Named]:
    for one in approvals(subject):
        listed = (*one.path, "approvers")
        for index, name in enumerate(one.approval.approvers):
            yield _Named("role", name, one.policy, (*listed, index), listed)
    for entry in subject.entries:
        listed = (*entry.path, "labels")
        for index, name in enumerate(entry.block.labels or ()):
            yield _Named("label", name, entry.policy, (*listed, index), listed)


_HINT: Final = "write one name one way: names are compared letter by letter"

RULE: Final = LintRule("PE160", "two-spellings", "warning", __doc__ or "", _find)
