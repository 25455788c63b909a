r"""A value that passes because a word is somewhere in it.

What it does:
    Reports `contains` with a host name, an address or a path that lets values through:
    `args.url.contains("example.com")` is true of `https://evil.net/?example.com`. A
    text that reads like a pattern, such as `example\.com`, is reported as one that is compared as
    it stands.

Why:
    Who writes the value can put the word anywhere.

Fails:
    tools:
      fetch:
        args: {url: {type: string, maxLength: 200}}
        rules:
          - {id: ours, when: '!args.url.contains("example.com")', effect: deny}

Passes:
    tools:
      fetch:
        args: {url: {type: string, maxLength: 200}}
        rules:
          - {id: ours, when: '!args.url.startsWith("https://example.com/")', effect: deny}

Fix:
    Say how the value begins, or give a pattern for all of it.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.lint.misread import is_misread, misread
from policy_engine.lint.pieces import lets_through, tested
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for one in tested(subject):
        if one.kind != "contains" or not one.allows or len(str(one.operand)) < 2:
            continue
        if is_misread(one):
            if (wrong := misread(subject, one)) is not None:
                yield wrong
            continue
        value = f"https://evil.example/?{one.operand}"
        witness = lets_through(subject, one, value, "not stopped: the word is somewhere in it")
        if witness is not None:
            yield Found(
                one.found.policy,
                one.found.path,
                f'"{one.operand}" may stand anywhere: "{value}" passes',
                "say how the value begins, or give a pattern for all of it",
                part=(one.clause.node.start, one.clause.node.end),
                witness=witness,
            )


RULE: Final = LintRule("PE219", "contains-as-allowlist", "warning", __doc__ or "", _find)
