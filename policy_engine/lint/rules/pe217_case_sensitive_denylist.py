"""A forbidden word that passes in another case.

What it does:
    Reports `contains`, `startsWith`, `endsWith`, `==` or `in` with letters that a denying rule
    looks for in a text of free form, where the same value in another case is not stopped:
    `args.sql.contains("DROP")`. Names that are told apart by case are left alone, such as
    branches of git.

Why:
    `drop table` does what `DROP TABLE` does.

Fails:
    tools:
      query:
        args: {sql: {type: string, maxLength: 500}}
        rules:
          - {id: no-drop, when: 'args.sql.contains("DROP")', effect: deny}

Passes:
    tools:
      query:
        args: {sql: {type: string, maxLength: 500}}
        rules:
          - {id: no-drop, when: 'args.sql.lowerAscii().contains("drop")', effect: deny}
      delete_branch:
        args: {branch: {type: string, maxLength: 80}}
        rules:
          - {id: protected, when: 'args.branch == "main"', effect: deny}

Fix:
    Compare `lowerAscii()`, or use `matches("(?i)...")`. Better: say what is allowed.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.lint.pieces import Piece, lets_through, tested
from policy_engine.lint.proof.scene import scenes
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.words import told_by_case

__all__ = ["RULE"]


_KINDS: Final = frozenset({"contains", "prefix", "suffix", "==", "in"})


def _find(subject: Subject) -> Iterator[Found]:
    for one in tested(subject):
        if one.allows or one.kind not in _KINDS or one.found.compiled.effect != "deny":
            continue
        if one.clause.atom.term[0] in {"lowerAscii", "upperAscii"}:
            continue  # every case is made one
        if all(told_by_case(one.argument, name) for name in subject.covered(one.found)):
            continue  # another case is another name
        places = scenes(subject, one.found)[:1]
        if not places or places[0].base(one.clause.atom.term).chosen is not None:
            continue  # its values are listed
        word = _word(one)
        if word is None or lets_through(subject, one, word, "not stopped") is not None:
            continue  # the rule does not stop the word itself
        witness = None
        within = (f"x {word.swapcase()} x",) if one.kind == "contains" else ()
        for value in dict.fromkeys((word.lower(), word.upper(), word.swapcase(), *within)):
            if value != word and witness is None:
                witness = lets_through(subject, one, value, f'not stopped: "{word}" is')
        if witness is not None:
            yield Found(
                one.found.policy,
                one.found.path,
                f'"{word}" is stopped in this case only',
                "compare `lowerAscii()`, or use `matches` with (?i); better, say what is allowed",
                part=(one.clause.node.start, one.clause.node.end),
                witness=witness,
            )


def _word(one: Piece) -> str | None:
    """Return the first word of letters, unless it looks like an id."""
    operands = one.operand if one.kind == "in" else (one.operand,)
    for text in operands:
        if isinstance(text, str) and text.lower() != text.upper() and text.isascii():
            return text
    return None


RULE: Final = LintRule("PE217", "case-sensitive-denylist", "warning", __doc__ or "", _find)
