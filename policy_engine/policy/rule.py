"""Rules: a condition and what a match does. They restrict and never grant."""

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, create_model

from policy_engine.checks import CHECKS
from policy_engine.policy.values import (
    Approvers,
    Expression,
    Given,
    Identifier,
    JsonSchema,
    Kebab,
    Mode,
    Model,
    Names,
    Seconds,
    Severity,
    Text,
)

__all__ = ["Approval", "Check", "Rule", "TextRule", "ToolRule", "TopRule"]

if TYPE_CHECKING:

    class Check(Model):
        """One text check by its kind; it matches when the text breaks it."""

else:
    _KINDS: dict[str, Any] = {
        name: (Given[kind.options], Field(None, description=kind.manual.split("\n", 1)[0]))
        for name, kind in CHECKS.items()
    }
    with warnings.catch_warnings():
        # The kind `json` hides pydantic's deprecated method of that name, which nobody calls.
        warnings.filterwarnings("ignore", 'Field name "json"', UserWarning)
        Check = create_model(
            "Check",
            __base__=Model,
            __doc__="One text check by its kind; it matches when the text breaks it.",
            **_KINDS,
        )


class Approval(Model):
    """Who may lift a rule, and for how long."""

    approvers: Approvers = Field(
        description="Roles, any of which may approve. `requester` is the end user's own "
        "confirmation."
    )
    quorum: Annotated[int, Field(strict=True, ge=1, le=100)] = Field(
        1, description="How many distinct people must approve; the requester never counts."
    )
    expires: Seconds = Field(
        description="How long an approval holds, such as 15m; it is used up by one call."
    )


class Rule(Model):
    """What every rule has: an id, a condition, an effect."""

    id: Kebab = Field(
        description="Names the rule in decisions, as `<policy>/<id>`; unique in the policy."
    )
    when: Given[Expression] = Field(
        None,
        description="A condition in CEL, such as `args.amount > 100`. Where it cannot be told "
        "the rule matches.",
    )
    check: Given[Check] = Field(None, description="A text check. With `when`, both must hold.")
    effect: Literal["redact", "require_approval", "deny"] = Field(
        description="What a match does. The strictest effect of all rules wins; a rule never "
        "allows."
    )
    message: Given[Text] = Field(
        None, description="What the model is told: what to do instead. It never quotes the request."
    )
    description: Given[Text] = Field(None, description="For the reader of the policy.")
    severity: Given[Severity] = Field(
        None, description="How serious a match is, for those who watch."
    )
    mode: Mode = Field("enforce", description="`observe` reports a match and does nothing else.")
    approval: Given[Approval] = Field(
        None, description="Who may lift the rule; goes with `effect: require_approval`."
    )
    replacement: Given[Text] = Field(
        None, description="What stands for a redacted span; `<ENTITY>` where omitted."
    )
    unread: Literal["allow", "deny"] = Field(
        "deny",
        description="Whether images, audio and files, which a check cannot read, pass the check.",
    )


class TextRule(Rule):
    """A rule over a text: input, output or what a tool returned."""


class ToolRule(Rule):
    """A rule over the calls of one tool."""

    args: Given[Mapping[Identifier, JsonSchema]] = Field(
        None,
        description="Argument -> JSON Schema; the rule matches when one is broken. Other "
        "arguments are left alone.",
    )
    in_: Given[Names] = Field(
        None,
        alias="in",
        description="The arguments that the check reads, such as `args.body`; every string in "
        "the arguments where omitted.",
    )


class TopRule(ToolRule):
    """A rule across tools: it restricts and never grants."""

    tools: Given[Names] = Field(
        None, description="Names and globs of the tools that it covers, such as `*refund*`."
    )
    except_: Given[Names] = Field(
        None, alias="except", description="Names and globs of tools that it leaves out."
    )
    stage: Literal["tool_call", "handoff"] = Field(
        "tool_call", description="Whether it is about calls of tools or about handoffs."
    )
