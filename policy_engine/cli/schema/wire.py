"""The JSON Schemas of requests and decisions, as they cross the line."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from policy_engine.decision import CODES, EFFECTS, STAGES
from policy_engine.decision.wire import STAGE_FIELDS

__all__ = ["decision_schema", "request_schema"]

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_TEXT: Final = {"type": ["string", "null"]}
_OBJECT: Final = {"type": ["object", "null"]}
_STRINGS: Final = {"type": "array", "items": {"type": "string"}}


def _told(description: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": description, **schema}


_PRINCIPAL: Final = {
    "type": ["object", "null"],
    "properties": {
        "id": _told("Who it is.", _TEXT),
        "roles": _told("The roles that it has.", {**_STRINGS, "type": ["array", "null"]}),
        "tenant": _told("The tenant that it belongs to.", _TEXT),
        "attrs": _told("What `attrs` of the policies declare.", _OBJECT),
    },
    "additionalProperties": False,
}

_REQUEST: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "id": _told("Names the request; the decision repeats it.", _TEXT),
        "stage": _told(
            "What is about to happen; `tool_call` where `tool` stands alone.",
            {"enum": [*STAGES, None]},
        ),
        "agent": _told("The agent that asks.", _TEXT),
        "principal": _told("On whose behalf.", _PRINCIPAL),
        "session": _told("The id of the session, whose state limits and labels are.", _TEXT),
        "tool": _told("The tool to call, or that was called.", _TEXT),
        "args": _told("The final arguments of the call.", _OBJECT),
        "result": _told("What the tool returned.", {}),
        "text": _told(
            "A text, or a list of content parts.",
            {
                "type": ["string", "array", "null"],
                "items": {"type": ["string", "object"]},
            },
        ),
        "target": _told("The agent that a handoff goes to.", _TEXT),
        "model": _told("The model to call, or that was called.", _TEXT),
        "call_id": _told("The id of the call; one that ran already is denied.", _TEXT),
        "context": _told("What `context` of the policies declares.", _OBJECT),
        "facts": _told("Facts by name, on the command line and in tests.", _OBJECT),
        "now": _told(
            "The time, on the command line and in tests, such as 2026-01-05T10:00:00Z.",
            {"type": ["string", "null"], "format": "date-time"},
        ),
    }
)


def request_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a request."""
    own = {name for fields in STAGE_FIELDS.values() for name in fields}
    stages = [
        {
            "if": {"properties": {"stage": {"const": stage}}, "required": ["stage"]},
            "then": {
                "properties": dict.fromkeys(sorted(own - fields.keys()), False),
                "required": sorted(name for name, needed in fields.items() if needed),
            },
        }
        for stage, fields in STAGE_FIELDS.items()
    ]
    return {
        "$schema": _DIALECT,
        "title": "A request to policy-engine",
        "description": "What an agent is about to do, read or say.",
        "type": "object",
        "properties": {name: dict(schema) for name, schema in _REQUEST.items()},
        "additionalProperties": False,
        "anyOf": [{"required": ["stage"]}, {"required": ["tool", "args"]}],
        "allOf": stages,
    }


def _closed(description: str, properties: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "description": description,
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


_STRING: Final = {"type": "string"}
_NUMBER: Final = {"type": "number"}
_RULE: Final = _told("The rule, as `<policy>/<id>`.", _STRING)

_REASON: Final = _closed(
    "One rule that spoke.",
    {
        "rule": _RULE,
        "effect": _told("What it says.", {"enum": list(EFFECTS)}),
        "code": _told("Why it spoke; the list is closed.", {"enum": sorted(CODES)}),
        "enforced": _told("False where the rule only observes.", {"type": "boolean"}),
        "message": _told("What the model is told.", _STRING),
        "location": _told("Where the rule stands, as file:line:column.", _TEXT),
    },
)
_REDACTION: Final = _closed(
    "A span to replace; offsets are code points.",
    {
        "pointer": _told("The JSON Pointer of the string in the request.", _STRING),
        "start": _told("Where the span starts.", {"type": "integer", "minimum": 0}),
        "end": _told("Where what follows the span starts.", {"type": "integer", "minimum": 0}),
        "replacement": _told("What stands instead.", _STRING),
        "rule": _RULE,
    },
)


def _obligation(
    kind: str, description: str, properties: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    return _closed(description, {"kind": {"const": kind}, **properties})


_OBLIGATIONS: Final = [
    _obligation(
        "reserve",
        "Count this if the call is permitted.",
        {
            "limit": _told("The limit, as `<policy>/<id>`.", _STRING),
            "unit": _told("`calls`, `tokens`, `cost_usd` or `args.<name>`.", _STRING),
            "max": _told("The most that is permitted.", _NUMBER),
            "per": _told(
                "A window in seconds, `day`, or null for ever.",
                {"anyOf": [_NUMBER, {"const": "day"}, {"type": "null"}]},
            ),
            "timezone": _told("Where a day begins.", _STRING),
            "alert_at": _told(
                "The share of `max` that raises an alert.", {"type": ["number", "null"]}
            ),
            "enforced": _told("False where the limit only observes.", {"type": "boolean"}),
        },
    ),
    _obligation(
        "approve",
        "Ask these people before the call may run.",
        {
            "rule": _RULE,
            "approvers": _told("Roles, any of which may approve.", _STRINGS),
            "quorum": _told("How many people.", {"type": "integer", "minimum": 1}),
            "expires": _told("How long an approval holds, in seconds.", _NUMBER),
        },
    ),
    _obligation("use_approval", "Use up the approval that lifts this rule.", {"rule": _RULE}),
    _obligation(
        "timeout",
        "Give the call no more time than this.",
        {"seconds": _told("How long it may take.", _NUMBER)},
    ),
]


def decision_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a decision."""
    properties = {
        "id": _told("The request's id.", _TEXT),
        "effect": _told("The strictest effect that is enforced.", {"enum": list(EFFECTS)}),
        "permitted": _told("Whether the request may go on.", {"type": "boolean"}),
        "would": _told("The effect if nothing only observed.", {"enum": list(EFFECTS)}),
        "reasons": _told(
            "Every rule that spoke, strictest first.", {"type": "array", "items": _REASON}
        ),
        "message": _told("What the model is told.", _STRING),
        "redactions": _told("The spans to replace.", {"type": "array", "items": _REDACTION}),
        "obligations": _told(
            "What must be done for the decision to hold.",
            {"type": "array", "items": {"anyOf": _OBLIGATIONS}},
        ),
        "labels": _told("What the session carries once the call has returned.", _STRINGS),
        "fingerprint": _told(
            "What an approval is bound to.",
            {"type": "string", "pattern": "^hmac-sha256:[0-9a-f]{64}$"},
        ),
        "policy_revision": _told(
            "The hash of the policies that decided.",
            {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"},
        ),
    }
    return {
        "$schema": _DIALECT,
        "title": "A decision of policy-engine",
        **_closed("What may happen to a request, and every reason why.", properties),
    }
