"""An argument whose values the tool and the policy do not share.

What it does:
    With `--tools`, reports an argument where no value fits both the tool's own schema and the
    policy's: another type, an `enum` of other values, bounds that do not meet.

Why:
    The model is told the tool's schema and keeps to it; the policy denies whatever it gives.

Fails:
    # tools.json: [{"name": "pay", "inputSchema": {"type": "object",
    # tools.json: "properties": {"amount": {"type": "string"}}}}]
    tools:
      pay: {args: {amount: {type: number, minimum: 0, maximum: 50}}}

Passes:
    # tools.json: [{"name": "pay", "inputSchema": {"type": "object",
    # tools.json: "properties": {"amount": {"type": "integer"}}}}]
    tools:
      pay: {args: {amount: {type: number, minimum: 0, maximum: 50}}}

Fix:
    Take over the type and the values of the tool's schema, then narrow them.
"""

from collections.abc import Iterator
from typing import Any, Final

from policy_engine.lint.finding import Witness
from policy_engine.lint.proof.formula import Term
from policy_engine.lint.proof.scene import call_scene
from policy_engine.lint.proof.schema import sampled
from policy_engine.lint.proof.takes import contradicts
from policy_engine.lint.registered import tools_for
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Entry, Subject

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for entry in subject.entries:
        for tool in tools_for(subject, entry):
            for argument, schema in (entry.block.args or {}).items():
                theirs = tool.properties.get(argument)
                if theirs is None or not contradicts(subject, schema, theirs):
                    continue
                yield Found(
                    entry.policy,
                    (*entry.path, "args", argument),
                    f'no value of "{argument}" fits both this and the schema of "{tool.name}"',
                    f"the tool says: {_said(theirs)}",
                    on_key=True,
                    witness=_witness(subject, entry, tool.name, (argument, theirs)),
                )


def _witness(subject: Subject, entry: Entry, name: str, value: tuple[str, Any]) -> Witness | None:
    """Return a call with a value of the tool that the argument's schema denies."""
    argument, theirs = value
    fixed: dict[Term, Any] = {("args", argument): sampled([theirs])}
    scene = call_scene(subject, entry.policy, name)
    rule = f"{entry.rule}/args/{argument}"
    return scene.show(
        shows=f'"{rule}" denies what the tool takes', effect="deny", speaks=(rule,), fixed=fixed
    ) or scene.show(shows="denied, though the tool would take it", effect="deny", fixed=fixed)


def _said(schema: Any) -> str:
    shown = {k: v for k, v in schema.items() if k not in {"description", "title"}}
    return ", ".join(f"{key}: {value}" for key, value in shown.items())[:120]


RULE: Final = LintRule(
    "PE113", "impossible-argument", "error", __doc__ or "", _find, needs_tools=True
)
