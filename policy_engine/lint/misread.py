"""Texts that read like patterns, and are compared as they stand."""

import re
from typing import Final

from policy_engine.lint.pieces import Piece, lets_through
from policy_engine.lint.proof.regexes import sample
from policy_engine.lint.proof.scene import scenes
from policy_engine.lint.proof.schema import ELEMENT
from policy_engine.lint.rule import Found
from policy_engine.lint.subject import Subject
from policy_engine.lint.words import kind_of, shown

__all__ = ["is_misread", "misread"]

_PATTERN: Final = re.compile(
    r"[A-Za-z0-9]\\\.|\.[*+]|\\[dwsb][+*{?]|\[[^\]\s]{1,99}\][+*]|\(\?[:i]"
)
_BARE_DOT: Final = re.compile(r"(?<!\\)\.(?![*+?{])")
_DRIVE: Final = re.compile(r"[A-Za-z]:\\|\\\\")


def is_misread(piece: Piece) -> bool:
    """Whether what a text is tested against reads like a pattern, such as `.*`."""
    operands = piece.operand if piece.kind == "in" else (piece.operand,)
    return kind_of(piece.argument) != "path" and any(map(_reads_like_one, operands))


def _reads_like_one(text: object) -> bool:
    return isinstance(text, str) and bool(_PATTERN.search(text)) and not _DRIVE.match(text)


def misread(subject: Subject, piece: Piece) -> Found | None:
    """Return what is wrong with such a test, shown by a text that was meant; None where none is."""
    operands = piece.operand if piece.kind == "in" else (piece.operand,)
    for text in filter(_reads_like_one, operands):
        for value in sample(_BARE_DOT.sub(r"\\.", text)):
            if piece.allows:
                claim = "stopped, though it is what the pattern means"
                speaks = (piece.found.compiled.name,)
                fixed = {piece.clause.atom.term: value}
                places = scenes(subject, piece.found)[:1] if ELEMENT not in piece.term else ()
                tried = [one.show(shows=claim, speaks=speaks, fixed=fixed) for one in places]
                witness = next((one for one in tried if one is not None), None)
            else:
                claim = "not stopped, though it is what the pattern means"
                witness = lets_through(subject, piece, value, claim)
            if witness is not None:
                return Found(
                    piece.found.policy,
                    piece.found.path,
                    f"{shown(text)} reads like a pattern, and is compared as it stands",
                    "write the text itself, or use `matches`",
                    part=(piece.clause.node.start, piece.clause.node.end),
                    witness=witness,
                )
    return None
