"""Entries that hold together and that no call can satisfy.

What it does:
    Reports a tool that several entries match (a name and a glob, or entries of two policies that
    apply together) where one entry requires an argument that another does not take, or both
    declare one argument and share no value.

Why:
    All entries that match speak. Each alone accepts some calls; together they refuse every one,
    and the refusal names only one of them.

Fails:
    tools:
      "send_*": {args: {to: {type: string, maxLength: 80}}}
      send_email:
        args:
          to: {type: string, maxLength: 80}
          body: {type: string, maxLength: 500}

Passes:
    tools:
      "send_*": allow
      send_email:
        args:
          to: {type: string, maxLength: 80}
          body: {type: string, maxLength: 500}

Fix:
    Declare the arguments in one entry, or put what holds for several tools into a rule with
    `args`, which leaves other arguments alone.
"""

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any, Final

from policy_engine.lint.finding import Witness
from policy_engine.lint.proof.apart import share_no_value
from policy_engine.lint.proof.scene import call_scene
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Entry, Subject
from policy_engine.lint.together import applies_with

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for name in subject.names:
        entries = [e for e in subject.entries_of(name) if e.block.args is not None]
        for pair in combinations(entries, 2):
            for one, other in (pair, pair[::-1]):
                if applies_with(other.policy, one.policy) and one.block.effect != "deny":
                    yield from _against(subject, name, one, other, first=one is pair[0])


def _against(
    subject: Subject, name: str, one: Entry, other: Entry, *, first: bool
) -> Iterator[Found]:
    theirs = other.block.args or {}
    for argument, schema in (one.block.args or {}).items():
        if argument not in theirs:
            if _is_required(schema):
                why = f'"{other.name}" does not take "{argument}", which "{one.name}" requires'
                yield _found(subject, name, one, other, argument, why)
        elif first and _is_required(schema) and share_no_value(schema, theirs[argument]):
            why = f'"{other.name}" and "{one.name}" share no value of "{argument}"'
            yield _found(subject, name, one, other, argument, why)


def _is_required(schema: Any) -> bool:
    return not (isinstance(schema, Mapping) and schema.get("optional") is True)


def _found(subject: Subject, name: str, one: Entry, other: Entry, argument: str, why: str) -> Found:
    return Found(
        one.policy,
        (*one.path, "args", argument),
        f'no call of "{name}" can pass: {why}',
        f"the other is {other.policy.document.key_at(other.path)}; declare the arguments once",
        on_key=True,
        witness=_witness(subject, name, one, other, argument),
    )


def _witness(
    subject: Subject, name: str, one: Entry, other: Entry, argument: str
) -> Witness | None:
    """Return a call that fits one entry as far as it can, and that the other denies."""
    scene = call_scene(subject, one.policy, name)
    denying = (f"{other.rule}/args", *(f"{e.rule}/args/{argument}" for e in (other, one)))
    for rule in denying:
        shown = scene.show(shows=f'"{rule}" denies it', effect="deny", speaks=(rule,))
        if shown is not None:
            return shown
    return scene.show(shows=f'a call with all that "{name}" needs is denied', effect="deny")


RULE: Final = LintRule("PE107", "contradictory-arguments", "error", __doc__ or "", _find)
