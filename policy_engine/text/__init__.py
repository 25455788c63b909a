"""Fold, scan, span, redact.

A text is folded once, scanned once for every pattern of every rule, and the hits are handed out
by id. Where a pattern was found is looked for only when asked.
"""

from policy_engine.text.content import Content, Text
from policy_engine.text.fold import fold, skeleton
from policy_engine.text.patterns import PatternError, Patterns
from policy_engine.text.pointer import pointer_of
from policy_engine.text.redact import Redaction, RedactionLike, redact
from policy_engine.text.scanner import Scanner
from policy_engine.text.spans import Accept, Span, confirms, spans

__all__ = [
    "Accept",
    "Content",
    "PatternError",
    "Patterns",
    "Redaction",
    "RedactionLike",
    "Scanner",
    "Span",
    "Text",
    "confirms",
    "fold",
    "pointer_of",
    "redact",
    "skeleton",
    "spans",
]
