r"""A forbidden word that passes in another case.

What it does:
    Reports `contains`, `startsWith`, `endsWith`, `==` or `in` with letters that a denying rule
    looks for in a text of free form, where the same value in another case is not stopped:
    `args.sql.contains("DROP")`. Names that are told apart by case are left alone, such as
    branches of git. A text that reads like a pattern, such as `evil\.example`, is reported as one
    that is compared as it stands. Left out with `--no-proofs`.

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

from policy_engine.lint.misread import is_misread, misread
from policy_engine.lint.pieces import Piece, lets_through, tested
from policy_engine.lint.proof.scene import scenes
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.words import told_by_case
from policy_engine.policy.words import quoted

__all__ = ["RULE"]


_KINDS: Final = frozenset({"contains", "prefix", "suffix", "==", "in"})


def _find(subject: Subject) -> Iterator[Found]:
    for one in tested(subject):
        if one.allows or one.kind not in _KINDS or one.found.compiled.effect != "deny":
            continue
        wrong = misread(subject, one) if is_misread(one) else _in_one_case(subject, one)
        if wrong is not None:
            yield wrong


def _in_one_case(subject: Subject, one: Piece) -> Found | None:
    if one.clause.atom.term[0] in {"lowerAscii", "upperAscii"}:
        return None  # every case is made one
    if all(told_by_case(one.argument, name) for name in subject.covered(one.found)):
        return None  # another case is another name
    places = scenes(subject, one.found)[:1]
    if not places or places[0].base(one.clause.atom.term).chosen is not None:
        return None  # its values are listed
    word = _word(one)
    if word is None or lets_through(subject, one, word, "not stopped") is not None:
        return None  # the rule does not stop the word itself
    within = (f"x {word.swapcase()} x",) if one.kind == "contains" else ()
    for value in (word.lower(), word.upper(), word.swapcase(), *within):
        shows = f"not stopped: {quoted(word)} is"
        witness = lets_through(subject, one, value, shows) if value != word else None
        if witness is not None:
            return Found(
                one.found.policy,
                one.found.path,
                f"{quoted(word)} is stopped in this case only",
                "compare `lowerAscii()`, or use `matches` with (?i); better, say what is allowed",
                part=(one.clause.node.start, one.clause.node.end),
                witness=witness,
            )
    return None


def _word(one: Piece) -> str | None:
    """Return the first word of letters, unless it looks like an id."""
    operands = one.operand if one.kind == "in" else (one.operand,)
    for text in operands:
        if isinstance(text, str) and text.lower() != text.upper() and text.isascii():
            return text
    return None


RULE: Final = LintRule(
    "PE217", "case-sensitive-denylist", "warning", __doc__ or "", _find, proves=True
)
