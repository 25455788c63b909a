"""An entry that another entry always denies.

What it does:
    Reports an entry that allows (or asks) where another entry that matches the same tool denies,
    in the same policy or in one that applies wherever this one does.

Why:
    Every entry that matches speaks and the strictest wins, whatever their order: a narrower
    `allow` is no exception to a wider `deny`.

Fails:
    tools:
      "delete_*": deny
      delete_draft: {args: {id: {type: string, maxLength: 40}}}

Passes:
    tools:
      delete_account: deny
      delete_draft: {args: {id: {type: string, maxLength: 40}}}

Fix:
    Narrow the glob, or remove the entry. Names that no entry matches are denied by default, so a
    denying glob is seldom needed.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.lint.proof.scene import call_scene
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Entry, Subject, named_by
from policy_engine.lint.together import applies_with, covers_name

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    denying = [entry for entry in subject.entries if entry.block.effect == "deny"]
    for entry in subject.entries if denying else ():
        if entry.block.effect == "deny":
            continue
        for other in denying:
            if covers_name(other.name, entry.name) and applies_with(other.policy, entry.policy):
                yield _found(subject, entry, other)
                break


def _found(subject: Subject, entry: Entry, other: Entry) -> Found:
    verb = "never allows" if entry.block.effect == "allow" else "never asks"
    name = named_by(entry.name)
    scene = call_scene(subject, entry.policy, name)
    place = other.policy.document.key_at(other.path)
    return Found(
        entry.policy,
        entry.path,
        f'"{entry.name}" {verb}: "{other.name}" denies it',
        f"the other is {place}; narrow it, or remove this entry",
        on_key=True,
        witness=scene.show(shows=f'denied by "{other.rule}"', effect="deny", speaks=(other.rule,)),
    )


RULE: Final = LintRule("PE105", "shadowed-entry", "error", __doc__ or "", _find)
