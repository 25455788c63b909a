"""A key or a password in the policy itself.

What it does:
    Reports a line that holds what looks like an access key, a private key or a token.

Why:
    Policies are read by everybody who reviews them, and stay in the history for ever.

Fails:
    vars: {key: ghp_abcdefghijklmnopqrstuvwxyz0123456789}
    tools:
      pay: {args: {key: {const: vars.key}}}

Passes:
    tools:
      pay: {args: {amount: {type: number, minimum: 0, maximum: 50}}}

Fix:
    Revoke the key, then remove it.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]


_SHAPES: Final = {
    "PRIVATE KEY": re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
    "AKIA": re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
    "ASIA": re.compile(r"\bASIA[0-9A-Z]{16}\b"),
    "gh": re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36,}\b"),
    "github_pat_": re.compile(r"\bgithub_pat_[A-Za-z0-9_]{60,}\b"),
    "xox": re.compile(r"\bxox[abprs]-[0-9A-Za-z-]{20,}\b"),
    "sk-": re.compile(r"\bsk-[A-Za-z0-9_-]{32,}\b"),
    "AIza": re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b"),
    "glpat-": re.compile(r"\bglpat-[0-9A-Za-z_-]{20,}\b"),
    "eyJ": re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
}
"""What every text of a shape holds, which is sooner looked for -> the shape."""


def _find(subject: Subject) -> Iterator[Found]:
    for loaded in subject.policies:
        text = loaded.document.text
        for part, shape in _SHAPES.items():
            for match in shape.finditer(text) if part in text else ():
                line = text.count("\n", 0, match.start()) + 1
                within = (match.start() - text.rfind("\n", 0, match.start()), len(match[0]))
                message = f'this looks like a secret: "{match[0][:8]}..."'
                hint = "revoke it, then remove it"
                yield Found(loaded, ("policy",), message, hint, line=line, within=within)


RULE: Final = LintRule("PE127", "secret-in-policy", "error", __doc__ or "", _find)
