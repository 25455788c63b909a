"""The values that a policy is written with: ids, names, durations, schemas."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeAlias, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from policy_engine.source import doubtful_name

__all__ = [
    "SCHEMA_MARK",
    "Amount",
    "Approvers",
    "Expression",
    "Given",
    "Grant",
    "Identifier",
    "JsonSchema",
    "Kebab",
    "Language",
    "Mode",
    "Model",
    "Name",
    "Names",
    "Seconds",
    "Severity",
    "Share",
    "Text",
    "Window",
]

T = TypeVar("T")

SCHEMA_MARK: Final = "x-schema"
"""Stands in the models' JSON Schema for a value that is itself a JSON Schema."""


class Model(BaseModel):
    """A mapping with known keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION: Final = re.compile(r"([1-9][0-9]{0,8})(ms|s|m|h|d)")
_DURATION_SCHEMA: Final = {
    "type": "string",
    "pattern": rf"^{_DURATION.pattern}$",
    "examples": ["500ms", "30s", "15m", "1h", "7d"],
}


def _given(value: object) -> object:
    if value is None:
        raise PydanticCustomError("no_value", "has no value")
    return value


def _name(value: str) -> str:
    if (why := doubtful_name(value)) is not None:
        raise PydanticCustomError("doubtful_name", "{why}", {"why": why})
    if value != value.strip():
        raise PydanticCustomError("padded_name", "starts or ends with a space")
    return value


def _duration(value: object) -> float:
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise PydanticCustomError("duration", "is not a duration")
    return int(match[1]) * _UNITS[match[2]]


def _window(value: object) -> float | str:
    return "day" if value == "day" else _duration(value)


def _json_schema(value: object) -> object:
    if not isinstance(value, dict):
        raise PydanticCustomError("schema_type", "is not a JSON Schema")
    return value


def _approvers(value: object) -> object:
    return ["requester"] if value == "requester" else value


def _language(value: object) -> object:
    if type(value) is not int:  # True and 1.0 equal 1
        raise PydanticCustomError("language", "is not a version")
    return value


Given: TypeAlias = Annotated[T | None, BeforeValidator(_given)]
"""A key that may be absent, but has a value where it stands: `key:` alone is a mistake."""

Kebab: TypeAlias = Annotated[
    str, StringConstraints(strict=True, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=100)
]
"""An id: lower-case words joined by hyphens."""
Identifier: TypeAlias = Annotated[
    str, StringConstraints(strict=True, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=100)
]
"""A name that expressions can read."""
Name: TypeAlias = Annotated[
    str, StringConstraints(strict=True, min_length=1, max_length=200), AfterValidator(_name)
]
"""A tool, agent, role, model…: exact, or a glob where one may stand."""
Names: TypeAlias = Annotated[tuple[Name, ...], Field(min_length=1)]
Approvers: TypeAlias = Annotated[
    Names,
    BeforeValidator(_approvers, json_schema_input_type=Literal["requester"] | Names),
]
"""Roles, or `requester` alone for the end user's own confirmation."""
Text: TypeAlias = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=4000)]
Expression: TypeAlias = Annotated[str, StringConstraints(strict=True, min_length=1)]
Seconds: TypeAlias = Annotated[float, PlainValidator(_duration), WithJsonSchema(_DURATION_SCHEMA)]
"""A duration, written such as 15m."""
Window: TypeAlias = Annotated[
    float | str,
    PlainValidator(_window),
    WithJsonSchema({"anyOf": [{"const": "day"}, _DURATION_SCHEMA]}),
]
"""A duration, or `day`."""
Amount: TypeAlias = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
Share: TypeAlias = Annotated[float, Field(strict=True, gt=0, le=1)]
JsonSchema: TypeAlias = Annotated[
    Mapping[str, Any] | bool,
    PlainValidator(_json_schema),
    WithJsonSchema({SCHEMA_MARK: True}),
]
Language: TypeAlias = Annotated[Literal[1], BeforeValidator(_language)]
Severity: TypeAlias = Literal["info", "low", "medium", "high", "critical"]
Mode: TypeAlias = Literal["enforce", "observe"]
Grant: TypeAlias = Literal["allow", "require_approval", "deny"]
