"""Fold, scan, span, redact."""

from policy_engine.text.patterns import Patterns

__all__ = ["Patterns"]
