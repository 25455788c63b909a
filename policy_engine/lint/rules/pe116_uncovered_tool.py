"""A tool that no entry is about.

What it does:
    With `--tools`, reports a tool that no entry of the set matches. Where a policy has
    `default: allow` the tool is open to everyone; otherwise it is denied.

Why:
    The tool came after the policy. Denied, the agent fails at work it was given; allowed by
    default, nobody has looked at it.

Fails:
    # tools.json: [{"name": "read", "inputSchema": {"type": "object"}}, {"name": "wipe",
    # tools.json: "inputSchema": {"type": "object"}}]
    tools:
      read: {args: {id: {type: integer, minimum: 1}}}

Passes:
    # tools.json: [{"name": "read", "inputSchema": {"type": "object"}}, {"name": "wipe",
    # tools.json: "inputSchema": {"type": "object"}}]
    tools:
      read: {args: {id: {type: integer, minimum: 1}}}
      wipe: deny

Fix:
    Write an entry for it: what it may do, or `deny`, which says that somebody thought about it.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.lint.proof.scene import Scene
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    having = [loaded for loaded in subject.policies if loaded.policy.tools is not None]
    if not having:
        return
    open_ = [loaded for loaded in having if loaded.policy.default == "allow"]
    home = (open_ or having)[0]
    for name in subject.tools or {}:
        if subject.entries_of(name):
            continue
        is_open = bool(open_)
        scene = Scene(subject, home, "tool_call", name)
        yield Found(
            home,
            ("tools",),
            f'no entry is for the tool "{name}", so '
            + ("everybody may call it" if is_open else "nobody may call it"),
            "write an entry: what it may do, or `deny`",
            on_key=True,
            severity="error" if is_open else None,
            witness=scene.show(
                shows="decided by the default", effect="allow" if is_open else "deny"
            ),
        )


RULE: Final = LintRule("PE116", "uncovered-tool", "warning", __doc__ or "", _find, needs_tools=True)
