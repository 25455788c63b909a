"""A rule that believes an argument about who asks.

What it does:
    Reports a rule that is silent where an argument such as `role`, `is_admin_user` or
    `approved_by_manager` has the right value, or is there at all, and an argument of that name
    that must be one value, in a tool that does not set such things.

Why:
    The model writes the arguments, and whoever writes into its context writes them too. Who asks
    stands in `principal`; what somebody approved, in an approval.

Fails:
    tools:
      wipe:
        args: {role: {type: string, maxLength: 20}}
        rules:
          - {id: admins, when: args.role != "admin", effect: deny}

    ---
    tools:
      wipe:
        args: {disk: {type: string, maxLength: 20}, approved_by_manager: {const: true}}

Passes:
    tools:
      wipe:
        args: {disk: {type: string, maxLength: 20}}
        rules:
          - {id: admins, when: '!("admin" in principal.roles)', effect: deny}

Fix:
    Ask `principal.roles`, or require an approval.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from policy_engine.lint.pieces import RESTRICTING, read_of
from policy_engine.lint.places import schemas
from policy_engine.lint.proof.formula import Clause, clauses, formula
from policy_engine.lint.proof.scene import scenes
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import PlacedCondition, Subject
from policy_engine.lint.words import names_in, words_of

__all__ = ["RULE"]

_WHO: Final = names_in(
    """
    role roles admin administrator superuser sudo root approved approver approval approvals
    authorized authorised authorization authorisation authenticated privileged privileges
    permission permissions clearance entitled entitlement
    """
)
"""Words of names that say who asks, or that somebody agreed."""
_JOINED: Final = names_in(
    "isadmin userrole isapproved isauthorized isauthenticated access_level is_owner is_staff "
    "is_manager is_employee is_internal is_verified caller_is"
)
_OTHER: Final = names_in("id ids name list file path count number code type limit amount")
"""Words of names of things: a role's id is looked up, and not believed."""
_GIVEN: Final = names_in(
    "role roles permission permissions access clearance privilege privileges entitlement userrole"
)
_ASKING: Final = names_in("requested requester caller my sender actor acting current invoked")
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
            path = read_of(clause.atom.term)
            name = path[-1] if path[:1] == ("args",) and len(path) > 1 else ""
            if not _silences(clause) or not _is_identity(name):
                continue
            if not _sets(subject.covered(found), name):
                yield _found(subject, found, clause, name)
                break
    for place in schemas(subject):
        if place.entry is None or not _is_identity(place.name) or not _is_one(place.schema):
            continue
        if place.entry.block.effect == "allow" and not _sets([place.entry.name], place.name):
            message = f'the model writes "{place.name}", and this entry believes it'
            yield Found(place.policy, place.path, message, _HINT, on_key=True)


def _is_identity(name: str) -> bool:
    words = words_of(name)
    if name.lower() in _JOINED or "_".join(words) in _JOINED:
        return True
    return not _WHO.isdisjoint(words) and _OTHER.isdisjoint(words)


def _is_one(schema: Mapping[str, Any]) -> bool:
    """Whether only one value is taken, and one that grants something."""
    listed = [schema["const"]] if "const" in schema else schema.get("enum")
    if not isinstance(listed, list) or len(listed) != 1:
        return False
    return listed[0] is True or (isinstance(listed[0], str) and listed[0] != "")


def _silences(clause: Clause) -> bool:
    """Whether the rule is silent about a value that an argument names itself."""
    return clause.atom.kind in _SILENCING and not clause.holds


_SILENCING: Final = frozenset(
    {"==", "in", "member", "prefix", "suffix", "contains", "matches", "present"}
)


def _sets(names: Iterable[str], name: str) -> bool:
    """Whether a tool gives or looks for roles, so that the argument is not about who asks."""
    words = words_of(name)
    if _GIVEN.isdisjoint(words) or not _ASKING.isdisjoint(words):
        return False
    return any(not _SETTING.isdisjoint(words_of(tool)) for tool in names)


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
        _HINT,
        part=(clause.node.start, clause.node.end),
        witness=witness,
    )


_HINT: Final = "ask `principal.roles`, or require an approval"

RULE: Final = LintRule("PE230", "identity-from-argument", "warning", __doc__ or "", _find)
