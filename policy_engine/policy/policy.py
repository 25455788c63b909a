"""One policy, and the set of those that decide together."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from policy_engine.policy.entry import ModelEntry, NamedEntry, ToolEntry
from policy_engine.policy.limit import Limit, Price
from policy_engine.policy.rule import TextRule, TopRule
from policy_engine.policy.values import (
    Expression,
    Given,
    Identifier,
    JsonSchema,
    Kebab,
    Language,
    Mode,
    Model,
    Name,
    Names,
    Seconds,
    Text,
)
from policy_engine.source import Document

__all__ = ["Applies", "Fact", "LoadedPolicy", "Policy", "PolicySet"]


class Applies(Model):
    """Whom a policy is for: every key must hold, one value of each is enough."""

    agents: Given[Names] = Field(None, description="Names and globs of agents.")
    roles: Given[Names] = Field(None, description="Roles of the principal.")
    tenants: Given[Names] = Field(None, description="Tenants of the principal.")


class Fact(Model):
    """Data that the application looks up before a decision."""

    from_: Annotated[
        str, StringConstraints(strict=True, pattern=r"^app:[A-Za-z_][A-Za-z0-9_]*$")
    ] = Field(
        alias="from", description="Where it comes from: `app:NAME`, as registered with the guard."
    )
    with_: tuple[Expression, ...] = Field(
        (), alias="with", description="What it is looked up by, such as `args.order_id`."
    )
    schema_: JsonSchema = Field(alias="schema", description="The JSON Schema of the answer.")
    timeout: Seconds = Field(
        1.0, description="How long the lookup may take; what comes later cannot be told."
    )


class Policy(Model):
    """What agents may read, say and do."""

    policy: Kebab = Field(
        description="The policy's id: lower-case words joined by hyphens; unique in the set."
    )
    language: Language = Field(description="The version of the policy language: 1.")
    description: Given[Text] = Field(None, description="What the policy is for, in a sentence.")
    owner: Given[Text] = Field(None, description="Who answers for the policy.")
    mode: Mode = Field(
        "enforce", description="`observe` reports what the policy would do and does nothing."
    )
    default: Literal["deny", "allow"] = Field(
        "deny",
        description="What becomes of a name that no entry matches, where this policy has a "
        "section for it.",
    )
    applies_to: Given[Applies] = Field(
        None, description="Whom the policy is for; every request where omitted."
    )
    context: Mapping[Identifier, JsonSchema] = Field(
        default_factory=dict,
        description="What the caller passes: name -> JSON Schema. Expressions read `context.NAME`.",
    )
    attrs: Mapping[Identifier, JsonSchema] = Field(
        default_factory=dict,
        description="Attributes of the principal: name -> JSON Schema. Expressions read "
        "`principal.attrs.NAME`.",
    )
    vars: Mapping[Identifier, Any] = Field(
        default_factory=dict,
        description="Constants: `vars.NAME` may stand wherever a list, a number, a text or a "
        "mapping is expected, and in expressions.",
    )
    facts: Mapping[Identifier, Fact] = Field(
        default_factory=dict,
        description="Data that the application looks up before a decision. Expressions read "
        "`facts.NAME`.",
    )
    input: tuple[TextRule, ...] = Field(
        (), description="Rules over the text that the agent is given."
    )
    output: tuple[TextRule, ...] = Field((), description="Rules over the text that the agent says.")
    tools: Given[Mapping[Name, ToolEntry]] = Field(
        None,
        description="Tool name or glob -> `allow`, `deny` or a block. Every entry that matches "
        "speaks, and the strictest wins.",
    )
    rules: tuple[TopRule, ...] = Field(
        (), description="Rules across tools: they restrict and never grant."
    )
    handoffs: Given[Mapping[Name, NamedEntry]] = Field(
        None, description="Agent name or glob -> whether a handoff may go there."
    )
    models: Given[Mapping[Name, ModelEntry]] = Field(
        None,
        description="Model name or glob -> whether it may be called. Without this section "
        "in any policy, any may.",
    )
    prices: Mapping[Name, Price] = Field(
        default_factory=dict,
        description="Model name -> USD per million tokens. A cost limit denies a model "
        "without a price.",
    )
    limits: tuple[Limit, ...] = Field((), description="How much and how often.")


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """A policy and the document that it was read from."""

    policy: Policy
    document: Document


@dataclass(frozen=True, slots=True)
class PolicySet:
    """Policies that decide together."""

    policies: tuple[LoadedPolicy, ...]
    revision: str
    """`sha256:` and the hash of every document; the order of files does not matter."""
