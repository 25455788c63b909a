"""An entry that another entry always denies, or always asks about.

What it does:
    Reports an entry that allows (or asks) where another entry that matches the same tool denies,
    in the same policy or in one that applies wherever this one does; and an entry that allows
    where a wider one of the same policy asks for an approval, if it says `allow`, or nothing
    that the other does not say: no narrower arguments, no rules, labels or timeout.

Why:
    Every entry that matches speaks and the strictest wins, whatever their order: a narrower
    `allow` is no exception to a wider `deny`, nor to a wider `require_approval`.

Fails:
    tools:
      "delete_*": deny
      delete_draft: {args: {id: {type: string, maxLength: 40}}}
    ---
    tools:
      "k8s/*":
        effect: require_approval
        approval: {approvers: [sre], expires: 1h}
        args: {namespace: {type: string, maxLength: 40}}
      k8s/get_pods: {args: {namespace: {type: string, maxLength: 40}}}
    ---
    tools:
      "k8s/*": {effect: require_approval, approval: {approvers: [sre], expires: 1h}}
      k8s/get_pods: allow

Passes:
    tools:
      delete_account: deny
      delete_draft: {args: {id: {type: string, maxLength: 40}}}
    ---
    tools:
      "k8s/*": {effect: require_approval, approval: {approvers: [sre], expires: 1h}}
      k8s/drain_node: {args: {node: {type: string, pattern: '^node-[0-9]{1,4}$'}}}

Fix:
    Narrow the glob, or remove the entry. Names that no entry matches are denied by default, so a
    denying glob is seldom needed; what needs no approval is best named by itself, and kept out of
    the glob that asks.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from policy_engine.lint.alternatives import is_within
from policy_engine.lint.proof.scene import call_scene
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Entry, Subject, named_by
from policy_engine.lint.together import applies_with, covers_name

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    stopping = [entry for entry in subject.entries if entry.block.effect != "allow"]
    stopping.sort(key=lambda entry: entry.block.effect != "deny")
    for entry in subject.entries if stopping else ():
        if entry.block.effect == "deny":
            continue
        for other in stopping:
            if covers_name(other.name, entry.name) and _shadows(other, entry):
                yield _found(subject, entry, other)
                break


def _shadows(other: Entry, entry: Entry) -> bool:
    """Whether an entry does nothing because of another that matches whatever it does."""
    if other.block.effect == "deny":
        return applies_with(other.policy, entry.policy)
    # Of two policies, one may ask about what the other leaves to it on purpose.
    return (
        entry.block.effect == "allow"
        and other.policy is entry.policy
        and ("effect" in entry.block.model_fields_set or _adds_nothing(entry, other))
    )


def _adds_nothing(entry: Entry, other: Entry) -> bool:
    """Whether an entry accepts whatever another does, and says nothing else."""
    block = entry.block
    if block.rules or block.result or block.labels or block.timeout is not None:
        return False
    ours, theirs = block.args, other.block.args
    if ours is None or theirs is None:
        return ours is None
    return all(
        is_within(theirs[name], schema) if name in theirs else _is_optional(schema)
        for name, schema in ours.items()
    ) and set(theirs) <= set(ours)


def _is_optional(schema: object) -> bool:
    return isinstance(schema, Mapping) and schema.get("optional") is True


def _found(subject: Subject, entry: Entry, other: Entry) -> Found:
    effect = other.block.effect
    verb = "never allows" if entry.block.effect == "allow" else "never asks"
    said = "denies it"
    if effect == "require_approval":
        verb, said = "allows nothing by itself", "asks for an approval of it"
    name = named_by(entry.name)
    scene = call_scene(subject, entry.policy, name)
    place = other.policy.document.key_at(other.path)
    shows = f'denied by "{other.rule}"' if effect == "deny" else f'"{other.rule}" asks'
    return Found(
        entry.policy,
        entry.path,
        f'"{entry.name}" {verb}: "{other.name}" {said}',
        f"the other is {place}; narrow it, or remove this entry",
        on_key=True,
        witness=scene.show(shows=shows, effect=effect, speaks=(other.rule,)),
        severity=None if effect == "deny" else "warning",
    )


RULE: Final = LintRule("PE105", "shadowed-entry", "error", __doc__ or "", _find)
