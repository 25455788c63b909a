"""Proves of a mutant that it decides like the policy: there are no requests to tell them apart.

Two ways lead there. What is changed says the same as before of every request; or whatever it says
otherwise is denied by something else, before and after. Entries grant and all else restricts, so
a call that no entry lets through is denied, whatever a rule says of it.
"""

from policy_engine.compiler import Compiled
from policy_engine.testing.mutation.alike.arguments import of_entry
from policy_engine.testing.mutation.alike.conditions import of_condition
from policy_engine.testing.mutation.alike.covering import of_constraint, of_cover, of_silent
from policy_engine.testing.mutation.alike.declared import of_declared
from policy_engine.testing.mutation.alike.limits import of_limit
from policy_engine.testing.mutation.alike.names import of_default, of_denial
from policy_engine.testing.mutation.alike.pairs import Change
from policy_engine.testing.mutation.alike.unread import of_unread
from policy_engine.testing.mutation.enumerate import compiled_rule
from policy_engine.testing.mutation.mutant import Mutant

__all__ = ["prove"]

_SECTIONS = ("tools", "handoffs", "models")


def prove(mutant: Mutant, base: Compiled, changed: Compiled) -> str | None:
    """Say why a mutant decides every request like the policy; None where that is not proved.

    Args:
        mutant: What was changed.
        base: The policy set.
        changed: The mutant of it.
    """
    if mutant.tree is not None:
        return _of_condition(mutant, base)
    section, key = _entry(mutant, base)
    if section is not None:
        return of_denial(mutant, base, section, key)
    if mutant.unit == ("default",):
        return of_default(mutant, base)
    if mutant.unit[:1] == ("limits",):
        return of_limit(mutant, base)
    if mutant.aim is None:
        return of_silent(mutant, base) or of_unread(mutant, base, changed)
    change = Change(mutant, mutant.aim, base, changed)
    rules = base.parts[mutant.index].loaded.policy.rules
    match mutant.unit:
        case ("tools", str(name), "args" | "types"):
            return of_entry(change, name)
        case ("declared",):
            return of_declared(change)
        case ("rules", int(i)) if mutant.aim.place == "tool":
            return of_cover(change, rules[i], i)
        case ("rules", int(i)) if mutant.aim.place == "args":
            return of_constraint(change, rules[i])
    return None


def _entry(mutant: Mutant, base: Compiled) -> tuple[str | None, str]:
    """Return the section and the name of an entry that is gone, or speaks of other names."""
    match mutant.unit:
        case (str(found), str(name)) if found in _SECTIONS:
            return found, name
        case ():
            policy = base.parts[mutant.index].loaded.policy
            for section in _SECTIONS:
                mine, its = getattr(policy, section) or {}, getattr(mutant.policy, section) or {}
                gone = [name for name in mine if name not in its]
                if len(gone) == 1 and all(its[name] == mine[name] for name in mine if name in its):
                    return section, gone[0]
    return None, ""


def _of_condition(mutant: Mutant, base: Compiled) -> str | None:
    parts = base.parts[mutant.index]
    assert mutant.tree is not None  # noqa: S101 - asked before
    entry = None
    match mutant.unit:
        case ("tools", str(name), "rules", int()):
            entry = (parts.loaded.policy.tools or {}).get(name)
    policy = parts.loaded.policy
    declared = [
        *((("context", name), schema) for name, schema in policy.context.items()),
        *((("principal", "attrs", name), schema) for name, schema in policy.attrs.items()),
        *((("facts", name), fact.schema_) for name, fact in policy.facts.items()),
    ]
    return of_condition(compiled_rule(parts, mutant.unit), mutant.tree, entry, declared)
