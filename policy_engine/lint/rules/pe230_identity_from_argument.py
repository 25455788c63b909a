"""A rule that believes an argument about who asks.

What it does:
    Reports a rule that is silent where an argument such as `role`, `is_admin` or `approved` has
    the right value, in a tool that does not set such things.

Why:
    The model writes the arguments, and whoever writes into its context writes them too. Who asks
    stands in `principal`; what somebody approved, in an approval.

Fails:
    tools:
      wipe:
        args: {role: {type: string, maxLength: 20}}
        rules:
          - {id: admins, when: args.role != "admin", effect: deny}

Passes:
    tools:
      wipe:
        args: {disk: {type: string, maxLength: 20}}
        rules:
          - {id: admins, when: '!("admin" in principal.roles)', effect: deny}

Fix:
    Ask `principal.roles`, or require an approval.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.lint.pieces import RESTRICTING
from policy_engine.lint.proof.formula import Clause, clauses, formula
from policy_engine.lint.proof.scene import scenes
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import PlacedCondition, Subject
from policy_engine.lint.words import names_in, words_of

__all__ = ["RULE"]

_IDENTITY: Final = names_in(
    """
    role roles user_role userrole is_admin isadmin admin is_superuser approved is_approved
    approved_by approver authorized is_authorized authenticated is_authenticated access_level
    permission permissions clearance
    """
)
_SETTING: Final = names_in(
    """
    grant set assign add change create update invite revoke remove edit modify list search find
    get read
    """
)


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        condition, effect = found.compiled.condition, found.compiled.effect
        if condition is None or effect not in RESTRICTING or found.stage != "tool_call":
            continue
        for clause in clauses(formula(condition.tree)):
            name = clause.atom.term[-1] if clause.atom.term[:1] == ("args",) else ""
            if _silences(clause) and name.lower() in _IDENTITY and not _sets(subject, found):
                yield _found(subject, found, clause, name)
                break


def _silences(clause: Clause) -> bool:
    """Whether the rule is silent about a value that an argument names itself."""
    return clause.atom.kind in {"==", "in", "member"} and not clause.holds


def _sets(subject: Subject, found: PlacedCondition) -> bool:
    names = subject.covered(found)
    return any(not _SETTING.isdisjoint(words_of(name)) for name in names)


def _found(subject: Subject, found: PlacedCondition, clause: Clause, name: str) -> Found:
    claim = Clause(clause.atom, True, clause.node)
    witness = None
    for scene in scenes(subject, found)[:1]:
        shows = "not stopped: it says so itself"
        witness = scene.show(claim, shows=shows, silent=(found.compiled.name,))
    return Found(
        found.policy,
        found.path,
        f'the model writes "{name}", and this rule believes it',
        "ask `principal.roles`, or require an approval",
        part=(clause.node.start, clause.node.end),
        witness=witness,
    )


RULE: Final = LintRule("PE230", "identity-from-argument", "warning", __doc__ or "", _find)
