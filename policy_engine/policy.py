"""A policy as typed values: the shape of the language, version 1."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, create_model
from pydantic_core import PydanticCustomError

from policy_engine.checks import CHECKS
from policy_engine.source import Document

__all__ = [
    "Applies",
    "Approval",
    "Block",
    "Check",
    "Fact",
    "Limit",
    "LoadedPolicy",
    "ModelEntry",
    "NamedEntry",
    "Policy",
    "PolicySet",
    "Price",
    "Rule",
    "TextRule",
    "ToolEntry",
    "ToolRule",
    "TopRule",
]

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION: Final = re.compile(r"([1-9][0-9]{0,8})(ms|s|m|h|d)")


def _duration(value: object) -> float:
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise PydanticCustomError(
            "duration", "a duration is a whole number with a unit: 500ms, 30s, 15m, 1h or 7d"
        )
    return int(match[1]) * _UNITS[match[2]]


def _window(value: object) -> float | str:
    return "day" if value == "day" else _duration(value)


def _block(value: object) -> object:
    return {"effect": value} if isinstance(value, str) else value


Kebab: TypeAlias = Annotated[
    str, StringConstraints(strict=True, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=100)
]
Identifier: TypeAlias = Annotated[
    str, StringConstraints(strict=True, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=100)
]
Name: TypeAlias = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=200)]
"""A tool, agent, role, model…: exact, or a glob where one may stand."""
Text: TypeAlias = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=4000)]
Expression: TypeAlias = Annotated[str, StringConstraints(strict=True, min_length=1)]
Seconds: TypeAlias = Annotated[
    float,
    BeforeValidator(_duration, json_schema_input_type=Annotated[str, Field(pattern=r"^[1-9][0-9]{0,8}(ms|s|m|h|d)$")]),
]
Names: TypeAlias = Annotated[tuple[Name, ...], Field(min_length=1)]
JsonSchema: TypeAlias = Mapping[str, Any] | bool
Severity: TypeAlias = Literal["info", "low", "medium", "high", "critical"]
Mode: TypeAlias = Literal["enforce", "observe"]
Grant: TypeAlias = Literal["allow", "require_approval", "deny"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


Check = create_model(
    "Check",
    __base__=_Model,
    __doc__="One text check; it matches when the text breaks it.",
    **{
        name: (kind.options | None, Field(None, description=kind.manual.split("\n", 1)[0]))
        for name, kind in CHECKS.items()
    },
)


class Approval(_Model):
    """Who may lift a rule, and for how long."""

    approvers: Names = Field(description="Roles; `requester` is the end user's own confirmation.")
    quorum: Annotated[int, Field(strict=True, ge=1, le=100)] = Field(
        1, description="How many distinct people; never the requester."
    )
    expires: Seconds = Field(description="How long an approval holds, such as 15m.")


class Rule(_Model):
    """What every rule has: an id, a condition, an effect."""

    id: Kebab = Field(description="Unique in the policy.")
    when: Expression | None = Field(None, description="A condition in CEL; cannot tell counts as matched.")
    check: Check | None = Field(None, description="A text check.")
    effect: Literal["redact", "require_approval", "deny"] = Field(
        description="What a match does; a rule never allows."
    )
    message: Text | None = Field(None, description="What the model is told; it never quotes the request.")
    description: Text | None = Field(None, description="For the reader of the policy.")
    severity: Severity | None = Field(None, description="How serious a match is, for those who watch.")
    mode: Mode = Field("enforce", description="`observe` reports a match and does nothing else.")
    approval: Approval | None = Field(None, description="Needed with `require_approval`.")
    replacement: Text | None = Field(None, description="What stands for a redacted span; `<ENTITY>` otherwise.")
    unread: Literal["allow", "deny"] = Field(
        "deny", description="Whether images, audio and files, which a check cannot read, pass."
    )


class TextRule(Rule):
    """A rule over a text: input, output or a tool's result."""


class ToolRule(Rule):
    """A rule in an entry."""

    args: Mapping[Identifier, JsonSchema] | None = Field(
        None, description="A constraint on arguments: the rule matches when it is broken."
    )
    in_: Annotated[tuple[Name, ...], Field(min_length=1)] | None = Field(
        None, alias="in", description="The arguments that the check reads, such as args.body; all otherwise."
    )


class TopRule(ToolRule):
    """A rule across tools: it restricts and never grants."""

    tools: Names | None = Field(None, description="Names and globs of the tools that it covers.")
    except_: Names | None = Field(None, alias="except", description="Names and globs that it leaves out.")
    stage: Literal["tool_call", "handoff"] = Field("tool_call", description="What it is about.")


class Block(_Model):
    """What every entry has."""

    effect: Grant = Field("allow", description="What the entry does with a name that it matches.")
    approval: Approval | None = Field(None, description="Needed with `require_approval`.")
    message: Text | None = Field(None, description="What the model is told when the entry stops it.")
    description: Text | None = Field(None, description="For the reader of the policy.")


class ToolBlock(Block):
    """A tool that agents may call, and how."""

    args: Mapping[Identifier, JsonSchema] | None = Field(
        None, description="Argument -> JSON Schema; with it, no other argument is accepted."
    )
    rules: tuple[ToolRule, ...] = Field((), description="What restricts this tool.")
    result: tuple[TextRule, ...] = Field((), description="Rules over what the tool returned.")
    labels: tuple[Kebab, ...] = Field((), description="What the session carries once the call has returned.")
    timeout: Seconds | None = Field(None, description="How long a call may take, such as 30s.")


class NamedBlock(Block):
    """An agent that a handoff may go to."""

    rules: tuple[Rule, ...] = Field((), description="What restricts this handoff.")


class ModelBlock(_Model):
    """A model that may be called."""

    effect: Literal["allow", "deny"] = Field("allow", description="What the entry does with a model.")
    message: Text | None = Field(None, description="What the caller is told when the entry stops it.")
    description: Text | None = Field(None, description="For the reader of the policy.")


_Word: TypeAlias = Literal["allow", "deny"]
ToolEntry: TypeAlias = Annotated[ToolBlock, BeforeValidator(_block, json_schema_input_type=_Word | ToolBlock)]
NamedEntry: TypeAlias = Annotated[NamedBlock, BeforeValidator(_block, json_schema_input_type=_Word | NamedBlock)]
ModelEntry: TypeAlias = Annotated[ModelBlock, BeforeValidator(_block, json_schema_input_type=_Word | ModelBlock)]


class Applies(_Model):
    """Whom a policy is for: keys AND, values OR."""

    agents: Names | None = Field(None, description="Names and globs of agents.")
    roles: Names | None = Field(None, description="Roles of the principal.")
    tenants: Names | None = Field(None, description="Tenants of the principal.")


class Fact(_Model):
    """Data that the application looks up before a decision."""

    from_: Annotated[str, StringConstraints(strict=True, pattern=r"^app:[A-Za-z_][A-Za-z0-9_]*$")] = Field(
        alias="from", description="Where it comes from: app:NAME, registered with the guard."
    )
    with_: tuple[Expression, ...] = Field(
        (), alias="with", description="What it is looked up by, such as args.order_id."
    )
    schema_: JsonSchema = Field(alias="schema", description="The JSON Schema of the answer.")
    timeout: Seconds = Field(1.0, description="How long the lookup may take; later is cannot tell.")


class Price(_Model):
    """What a model costs, in USD per million tokens."""

    input: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    output: Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Limit(_Model):
    """Never more than `max` in any window."""

    id: Kebab = Field(description="Unique in the policy.")
    tools: Names | None = Field(None, description="Names and globs of the tools that count.")
    stage: Literal["tool_call", "handoff", "model_request"] | None = Field(
        None, description="What counts, where it is not tools."
    )
    of: Annotated[str, StringConstraints(strict=True, pattern=r"^(calls|tokens|cost_usd|args\.[A-Za-z_][A-Za-z0-9_]*)$")] = Field(
        "calls", description="What is counted: calls, tokens, cost_usd or the sum of an argument."
    )
    max: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(description="The most that is permitted.")
    per: Annotated[
        float | str,
        BeforeValidator(_window, json_schema_input_type=str),
    ] | None = Field(None, description="A window such as 1h, or `day`; for ever where omitted.")
    by: tuple[
        Annotated[str, StringConstraints(strict=True, pattern=r"^(session|principal|agent|tenant|tool|global|args\.[A-Za-z_][A-Za-z0-9_]*)$")],
        ...,
    ] = Field(min_length=1, description="What shares one counter.")
    timezone: Text = Field("UTC", description="Where `day` begins.")
    alert_at: Annotated[float, Field(gt=0, le=1)] | None = Field(None, description="The share of `max` that alerts.")
    message: Text | None = Field(None, description="What the model is told when it is used up.")
    description: Text | None = Field(None, description="For the reader of the policy.")
    severity: Severity | None = None
    mode: Mode = "enforce"


class Policy(_Model):
    """One policy: one file."""

    policy: Kebab = Field(description="The policy's id.")
    language: Literal[1] = Field(description="The version of the language.")
    description: Text | None = None
    owner: Text | None = None
    mode: Mode = "enforce"
    default: Literal["deny", "allow"] = "deny"
    applies_to: Applies | None = None
    context: Mapping[Identifier, JsonSchema] = Field(default_factory=dict)
    attrs: Mapping[Identifier, JsonSchema] = Field(default_factory=dict)
    vars: Mapping[Identifier, Any] = Field(default_factory=dict)
    facts: Mapping[Identifier, Fact] = Field(default_factory=dict)
    input: tuple[TextRule, ...] = ()
    output: tuple[TextRule, ...] = ()
    tools: Mapping[Name, ToolEntry] | None = None
    rules: tuple[TopRule, ...] = ()
    handoffs: Mapping[Name, NamedEntry] | None = None
    models: Mapping[Name, ModelEntry] | None = None
    prices: Mapping[Name, Price] = Field(default_factory=dict)
    limits: tuple[Limit, ...] = ()


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
