"""What no entry names is allowed.

What it does:
    Reports `default: allow`.

Why:
    A new tool, a renamed one, or one that the model made up is open until somebody notices. A
    list of what is forbidden is never complete.

Fails:
    default: allow
    tools:
      delete_account: deny

Passes:
    tools:
      read_account: {args: {id: {type: integer, minimum: 1}}}

Fix:
    Remove the line and name what is allowed; `policy-engine replay` over a day's requests shows
    which names are missing.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.lint.proof.scene import Scene
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]

_UNNAMED: Final = "anything_else"


def _find(subject: Subject) -> Iterator[Found]:
    for loaded in subject.policies:
        if loaded.policy.default != "allow":
            continue
        scene = Scene(subject, loaded, "tool_call", _UNNAMED)
        yield Found(
            loaded,
            ("default",),
            "whatever no entry names is allowed",
            "remove the line, and name what is allowed",
            witness=scene.show(shows="permitted, though no entry names it", effect="allow"),
        )


RULE: Final = LintRule("PE201", "default-allow", "error", __doc__ or "", _find)
