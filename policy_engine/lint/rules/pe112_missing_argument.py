"""An argument that the tool requires and the entry does not take.

What it does:
    With `--tools`, reports an entry whose `args` leave out an argument without which the tool
    cannot be called.

Why:
    With `args`, no other argument is accepted: every real call is denied.

Fails:
    # tools.json: [{"name": "pay", "inputSchema": {"type": "object",
    # tools.json: "properties": {"to": {"type": "string"}, "amount": {"type": "number"}},
    # tools.json: "required": ["to", "amount"]}}]
    tools:
      pay: {args: {amount: {type: number, minimum: 0, maximum: 50}}}

Passes:
    # tools.json: [{"name": "pay", "inputSchema": {"type": "object",
    # tools.json: "properties": {"to": {"type": "string"}, "amount": {"type": "number"}},
    # tools.json: "required": ["to", "amount"]}}]
    tools:
      pay:
        args:
          to: {type: string, maxLength: 40}
          amount: {type: number, minimum: 0, maximum: 50}

Fix:
    Declare the argument.
"""

from collections.abc import Iterator
from typing import Any, Final

from policy_engine.lint.finding import Witness
from policy_engine.lint.proof.formula import Term
from policy_engine.lint.proof.scene import call_scene
from policy_engine.lint.proof.schema import sampled
from policy_engine.lint.registered import tools_for
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Entry, Subject
from policy_engine.tools import Tool

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for entry in subject.entries:
        if entry.block.args is None or entry.block.effect == "deny":
            continue
        for tool in tools_for(subject, entry):
            for argument in sorted(tool.required - set(entry.block.args)):
                yield Found(
                    entry.policy,
                    (*entry.path, "args"),
                    f'no call of "{tool.name}" can pass: it requires the argument "{argument}", '
                    "which is not declared",
                    f"declare `{argument}` under `args`",
                    on_key=True,
                    witness=_witness(subject, entry, tool, argument),
                )


def _witness(subject: Subject, entry: Entry, tool: Tool, argument: str) -> Witness | None:
    """Return a call with an argument that its entry denies, for that if nothing else is wrong."""
    fixed: dict[Term, Any] = {("args", argument): sampled([tool.properties.get(argument)])}
    scene = call_scene(subject, entry.policy, tool.name)
    rule = f"{entry.rule}/args"
    return scene.show(
        shows=f'"{rule}" denies "{argument}"', effect="deny", speaks=(rule,), fixed=fixed
    ) or scene.show(shows=f'a call with "{argument}" is denied', effect="deny", fixed=fixed)


RULE: Final = LintRule("PE112", "missing-argument", "error", __doc__ or "", _find, needs_tools=True)
