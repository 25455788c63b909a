"""An entry that takes any arguments.

What it does:
    Reports an entry that allows a tool, or the tools of a glob, and declares no `args`. With
    `--tools`, a tool that has no arguments is left alone.

Why:
    Whatever the model sends is let through: arguments that nobody thought of, and values that
    nobody would accept.

Fails:
    tools:
      send_email: allow

Passes:
    tools:
      send_email:
        args:
          to: {type: string, maxLength: 80, format: email}
          body: {type: string, maxLength: 5000}
      get_balance: {args: {}}

Fix:
    Declare the arguments; `args: {}` for a tool that has none.
"""

from collections.abc import Iterator
from typing import Any, Final

from policy_engine.lint.proof.formula import Term
from policy_engine.lint.proof.scene import call_scene
from policy_engine.lint.registered import tools_for
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Entry, Subject, named_by
from policy_engine.lint.together import applies_with

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for entry in subject.entries:
        if entry.block.effect != "allow" or entry.block.args is not None:
            continue
        if _is_declared(subject, entry) or _has_none(subject, entry):
            continue
        fixed: dict[Term, Any] = {("args", "anything"): "goes"}
        yield Found(
            entry.policy,
            entry.path,
            f'"{entry.name}" takes any arguments',
            "declare them under `args`; write `args: {}` where there are none",
            on_key=True,
            witness=call_scene(subject, entry.policy, named_by(entry.name)).show(
                shows="permitted with an argument that nobody knows",
                effect="allow",
                fixed=fixed,
            ),
        )


def _is_declared(subject: Subject, entry: Entry) -> bool:
    """Whether another entry that holds together with this one, or a rule, looks at arguments."""
    return any(
        other.block.args is not None and applies_with(other.policy, entry.policy)
        for other in subject.entries_of(entry.name)
    )


def _has_none(subject: Subject, entry: Entry) -> bool:
    tools = tools_for(subject, entry)
    return bool(tools) and all(tool.typed and not tool.properties for tool in tools)


RULE: Final = LintRule("PE203", "entry-without-args", "warning", __doc__ or "", _find)
