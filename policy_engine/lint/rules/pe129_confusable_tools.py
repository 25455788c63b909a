"""Two tools whose names look alike.

What it does:
    With `--tools`, reports two tools whose names become equal once look-alike letters, case and
    separators are taken away: `send_email` and `sendEmail`, or one with a Cyrillic letter.

Why:
    A server can offer a tool that a reader of the policy takes for another one.

Fails:
    # tools.json: [{"name": "send_email", "inputSchema": {"type": "object"}},
    # tools.json: {"name": "sendEmail", "inputSchema": {"type": "object"}}]
    tools:
      send_email: deny
      sendEmail: deny

Passes:
    # tools.json: [{"name": "send_email", "inputSchema": {"type": "object"}},
    # tools.json: {"name": "send_fax", "inputSchema": {"type": "object"}}]
    tools:
      send_email: deny
      send_fax: deny

Fix:
    Rename one of them, or do not offer it.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.text import skeleton

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    seen: dict[str, str] = {}
    home = next((p for p in subject.policies if p.policy.tools is not None), subject.policies[0])
    for name in subject.tools or {}:
        folded = re.sub(r"[-_ .]", "", str(skeleton(name)).casefold())
        known = seen.setdefault(folded, name)
        if known != name:
            entries = [e for e in subject.entries if e.name in {name, known}]
            policy, path = (entries[-1].policy, entries[-1].path) if entries else (home, ("tools",))
            message = f'the tools "{known}" and "{name}" look alike'
            yield Found(policy, path, message, "rename one of them", on_key=True)


RULE: Final = LintRule("PE129", "confusable-tools", "error", __doc__ or "", _find, needs_tools=True)
