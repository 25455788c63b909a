"""Findings before a policy ever decides."""

from policy_engine.lint.faults import MANUALS
from policy_engine.lint.finding import SEVERITIES, Edit, Finding, Persona, Severity, Witness
from policy_engine.lint.linter import Linted, lint
from policy_engine.lint.rule import LintRule
from policy_engine.lint.settings import Settings, read_settings
from policy_engine.lint.table import RULES

__all__ = [
    "MANUALS",
    "RULES",
    "SEVERITIES",
    "Edit",
    "Finding",
    "LintRule",
    "Linted",
    "Persona",
    "Settings",
    "Severity",
    "Witness",
    "lint",
    "read_settings",
]
