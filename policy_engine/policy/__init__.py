"""A policy as typed values: the shape of the language, version 1."""

from policy_engine.policy.entry import (
    Block,
    ModelBlock,
    ModelEntry,
    NamedBlock,
    NamedEntry,
    ToolBlock,
    ToolEntry,
)
from policy_engine.policy.limit import Limit, Price
from policy_engine.policy.policy import Applies, Fact, LoadedPolicy, Policy, PolicySet
from policy_engine.policy.rule import Approval, Check, Rule, TextRule, ToolRule, TopRule
from policy_engine.policy.values import SCHEMA_MARK, JsonSchema

__all__ = [
    "SCHEMA_MARK",
    "Applies",
    "Approval",
    "Block",
    "Check",
    "Fact",
    "JsonSchema",
    "Limit",
    "LoadedPolicy",
    "ModelBlock",
    "ModelEntry",
    "NamedBlock",
    "NamedEntry",
    "Policy",
    "PolicySet",
    "Price",
    "Rule",
    "TextRule",
    "ToolBlock",
    "ToolEntry",
    "ToolRule",
    "TopRule",
]
