"""Entries: what grants a tool, a handoff or a model, or denies it."""

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Field

from policy_engine.policy.rule import Approval, Rule, TextRule, ToolRule
from policy_engine.policy.values import (
    Given,
    Grant,
    Identifier,
    JsonSchema,
    Kebab,
    Model,
    Seconds,
    Text,
)

__all__ = [
    "Block",
    "ModelBlock",
    "ModelEntry",
    "NamedBlock",
    "NamedEntry",
    "ToolBlock",
    "ToolEntry",
]


class Block(Model):
    """What the entries of tools and handoffs have."""

    effect: Grant = Field("allow", description="What the entry does with a name that it matches.")
    approval: Given[Approval] = Field(
        None, description="Who may let it through; goes with `effect: require_approval`."
    )
    message: Given[Text] = Field(
        None, description="What the model is told when the entry stops it."
    )
    description: Given[Text] = Field(None, description="For the reader of the policy.")


class ToolBlock(Block):
    """A tool that agents may call, and how."""

    args: Given[Mapping[Identifier, JsonSchema]] = Field(
        None,
        description="Argument -> JSON Schema. With it, every argument named here must be there "
        "unless `optional: true`, and no other is accepted; without it, any are.",
    )
    rules: tuple[ToolRule, ...] = Field((), description="What restricts the calls of this tool.")
    result: tuple[TextRule, ...] = Field((), description="Rules over what the tool returned.")
    labels: tuple[Kebab, ...] = Field(
        (), description="What the session carries once a call has returned, such as `untrusted`."
    )
    timeout: Given[Seconds] = Field(
        None,
        description="How long a call may take, such as 30s. Then a tool that is async is "
        "cancelled, and its cleanup is waited for, however long that takes; one that is not "
        "cannot be stopped, and runs on unheard.",
    )


class NamedBlock(Block):
    """An agent that a handoff may go to."""

    rules: tuple[Rule, ...] = Field((), description="What restricts this handoff.")


class ModelBlock(Model):
    """A model that may be called."""

    effect: Literal["allow", "deny"] = Field(
        "allow", description="What the entry does with a model that it matches."
    )
    message: Given[Text] = Field(
        None, description="What the caller is told when the entry stops it."
    )
    description: Given[Text] = Field(None, description="For the reader of the policy.")


def _block(value: object) -> object:
    return {"effect": value} if isinstance(value, str) else value


_Word: TypeAlias = Literal["allow", "deny"]
ToolEntry: TypeAlias = Annotated[
    ToolBlock, BeforeValidator(_block, json_schema_input_type=_Word | ToolBlock)
]
"""`allow`, `deny`, or a block."""
NamedEntry: TypeAlias = Annotated[
    NamedBlock, BeforeValidator(_block, json_schema_input_type=_Word | NamedBlock)
]
ModelEntry: TypeAlias = Annotated[
    ModelBlock, BeforeValidator(_block, json_schema_input_type=_Word | ModelBlock)
]
