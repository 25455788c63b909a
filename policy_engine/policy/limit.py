"""Limits and prices: how much, how often, at what cost."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from policy_engine.policy.values import (
    Amount,
    Given,
    Kebab,
    Mode,
    Model,
    Names,
    Severity,
    Share,
    Text,
    Window,
)

__all__ = ["Limit", "Price"]


class Price(Model):
    """What a model costs, in USD per million tokens."""

    input: Amount = Field(description="USD per million tokens that the model reads.")
    output: Amount = Field(description="USD per million tokens that the model writes.")


class Limit(Model):
    """Never more than `max` in any window."""

    id: Kebab = Field(
        description="Names the limit in decisions, as `<policy>/<id>`; unique in the policy."
    )
    tools: Given[Names] = Field(
        None, description="Names and globs of the tools whose calls count together."
    )
    stage: Given[Literal["tool_call", "handoff", "model_request"]] = Field(
        None, description="What counts, where it is not named tools."
    )
    of: Annotated[
        str,
        StringConstraints(
            strict=True, pattern=r"^(calls|tokens|cost_usd|args\.[A-Za-z_][A-Za-z0-9_]*)$"
        ),
    ] = Field(
        "calls",
        description="What is added up: `calls`, `tokens`, `cost_usd`, or an argument such as "
        "`args.amount`.",
    )
    max: Amount = Field(description="The most that is permitted.")
    per: Given[Window] = Field(
        None,
        description="A window such as 1h (never more than `max` in any window of that length), "
        "or `day`; for ever where omitted.",
    )
    by: tuple[
        Annotated[
            str,
            StringConstraints(
                strict=True,
                pattern=r"^(session|principal|agent|tenant|tool|global|args\.[A-Za-z_][A-Za-z0-9_]*)$",
            ),
        ],
        ...,
    ] = Field(
        min_length=1,
        description="What shares one counter: `session`, `principal`, `agent`, `tenant`, "
        "`tool`, `global`, or an argument such as `args.account`. A request without it is denied.",
    )
    timezone: Text = Field("UTC", description="Where `per: day` begins, such as Europe/Berlin.")
    alert_at: Given[Share] = Field(
        None, description="The share of `max` that raises an alert, such as 0.8."
    )
    message: Given[Text] = Field(
        None, description="What the model is told when it would be exceeded."
    )
    description: Given[Text] = Field(None, description="For the reader of the policy.")
    severity: Given[Severity] = Field(
        None, description="How serious it is when it would be exceeded, for those who watch."
    )
    mode: Mode = Field("enforce", description="`observe` counts apart and stops nothing.")
