"""The closed table of rules, by code."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from policy_engine.lint.rule import LintRule
from policy_engine.lint.rules.pe101_impossible_condition import RULE as PE101
from policy_engine.lint.rules.pe102_constant_condition import RULE as PE102
from policy_engine.lint.rules.pe103_constant_comparison import RULE as PE103
from policy_engine.lint.rules.pe104_redundant_clause import RULE as PE104
from policy_engine.lint.rules.pe105_shadowed_entry import RULE as PE105
from policy_engine.lint.rules.pe106_shadowed_rule import RULE as PE106
from policy_engine.lint.rules.pe301_unused_suppression import RULE as PE301

__all__ = ["RULES", "UNUSED"]

RULES: Final[Mapping[str, LintRule]] = MappingProxyType(
    {
        rule.code: rule
        for rule in (
            PE101,
            PE102,
            PE103,
            PE104,
            PE105,
            PE106,
            PE301,
        )
    }
)
"""Code -> rule, in the order of the codes."""

UNUSED: Final = PE301
"""The rule about comments that silence nothing: the linter itself knows which."""
