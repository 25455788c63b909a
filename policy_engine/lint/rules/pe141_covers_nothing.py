"""A rule whose exceptions leave no tool that anybody may call.

What it does:
    Reports a rule across tools that covers none of the tools which entries grant, once `except`
    is taken away.

Why:
    One exception at a time was added, each for a reason. Together they are the rule.

Fails:
    tools:
      refund_card: {args: {id: {type: integer, minimum: 1}}}
      refund_cash: {args: {id: {type: integer, minimum: 1}}}
    rules:
      - id: ask
        tools: ["refund_*"]
        except: [refund_card, refund_cash]
        effect: deny

Passes:
    tools:
      refund_card: {args: {id: {type: integer, minimum: 1}}}
      refund_cash: {args: {id: {type: integer, minimum: 1}}}
    rules:
      - {id: ask, tools: ["refund_*"], except: [refund_card], effect: deny}

Fix:
    Remove an exception, or the rule.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.compiler.names import matches_glob
from policy_engine.lint.proof.scene import call_scene
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        top = found.placed.top
        if top is None or not top.except_ or not top.tools or subject.covered(found):
            continue
        granted = [
            name
            for name in subject.names
            if any(matches_glob(glob, name) for glob in top.tools)
            and any(entry.block.effect != "deny" for entry in subject.entries_of(name))
        ]
        if not granted:
            continue  # nobody may call them anyway, which has a rule of its own
        rule = found.compiled.name
        yield Found(
            found.policy,
            (*found.placed.path, "except"),
            f'"{found.placed.rule.id}" covers no tool: "except" leaves out all that are granted',
            "remove an exception, or the rule",
            on_key=True,
            witness=call_scene(subject, found.policy, granted[0]).show(
                shows="the rule has nothing to say", silent=(rule,)
            ),
        )


RULE: Final = LintRule("PE141", "covers-nothing", "warning", __doc__ or "", _find)
