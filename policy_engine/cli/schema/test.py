"""The JSON Schema of test files: what editors complete and check."""

from collections.abc import Mapping
from typing import Any, Final

from policy_engine.cli.schema.wire import request_schema
from policy_engine.decision import EFFECTS
from policy_engine.testing.reading.fields import MAX_REPEAT

__all__ = ["test_schema"]

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_TEXT: Final = {"type": "string", "minLength": 1}
_NAMES: Final = {"type": "array", "items": _TEXT, "minItems": 1}
_DURATION: Final = {"type": "string", "pattern": "^[1-9][0-9]{0,8}(ms|s|m|h|d)$"}
_SHARED: Final = ("agent", "principal", "session", "context", "facts", "now")


def _told(description: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": description, **schema}


def _closed(description: str, properties: Mapping[str, Any], *required: str) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "properties": dict(properties),
        **({"required": list(required)} if required else {}),
        "additionalProperties": False,
    }


_APPROVAL: Final = _closed(
    "What the approval must be; a key that is not there is not looked at.",
    {
        "approvers": _told("The roles, any of which may approve.", _NAMES),
        "quorum": _told("How many people.", {"type": "integer", "minimum": 1, "maximum": 100}),
        "expires": _told("How long it holds, such as 15m.", _DURATION),
    },
)
_EXPECT: Final = _closed(
    "What must come of the request; a key that is not there is not looked at.",
    {
        "effect": _told("The effect of the decision.", {"enum": list(EFFECTS)}),
        "rules": _told("Rules that must decide: speak with this effect.", _NAMES),
        "cannot_tell": _told(
            "Rules that must decide because they cannot tell.", {**_NAMES, "minItems": 0}
        ),
        "message": _told("The message of the decision, exactly.", {"type": "string"}),
        "text": _told("The text as redacted.", {}),
        "args": _told("The arguments as redacted.", {"type": "object"}),
        "result": _told("The result as redacted.", {}),
        "approvals": _told(
            "Rule -> the approval that it asks for.",
            {"type": "object", "additionalProperties": _APPROVAL, "minProperties": 1},
        ),
        "labels": _told("The labels that the session will carry.", {**_NAMES, "minItems": 0}),
        "timeout": _told("How long the call may take, such as 30s.", _DURATION),
        "observed": _told("Rules that must speak without being enforced.", _NAMES),
        "alerts": _told("Limits that reach the share that alerts.", {**_NAMES, "minItems": 0}),
        "would": _told("The effect if nothing only observed.", {"enum": list(EFFECTS)}),
    },
)
_USAGE: Final = _closed(
    "What the model reported, for a model request.",
    {
        "model": _told("The model that was used, if it is another.", _TEXT),
        "input_tokens": _told("What it read.", {"type": "integer", "minimum": 0}),
        "output_tokens": _told("What it wrote.", {"type": "integer", "minimum": 0}),
    },
    "input_tokens",
    "output_tokens",
)
_BESIDE: Final[Mapping[str, Any]] = {
    "expect": {"$ref": "#/$defs/expect"},
    "repeat": _told(
        "How often it is asked, one after the other.",
        {"type": "integer", "minimum": 1, "maximum": MAX_REPEAT},
    ),
    "usage": {"$ref": "#/$defs/usage"},
    "approved": _told("Rules whose approval was given.", _NAMES),
    "rejected": _told("Rules whose approval was refused.", _NAMES),
    "after": _told("How much later than the step before, such as 61m.", _DURATION),
}
_VALUES: Final = {
    "type": "object",
    "additionalProperties": {"type": "array", "minItems": 1},
    "minProperties": 1,
}


def test_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a test file."""
    request: dict[str, Any] = {**request_schema()["properties"]}
    # A long text is written short, as {$text: [[a, 20001]]}.
    request["text"] = {**request["text"], "type": [*request["text"]["type"], "object"]}
    shared = {name: request[name] for name in _SHARED}
    return {
        "$schema": _DIALECT,
        "title": "Tests of policies for policy-engine",
        **_closed(
            "Requests, and what the policies must decide.",
            {
                "policies": _told("The policy set: a file or folder, from this file.", _TEXT),
                "description": _told("For the reader of the tests.", _TEXT),
                "defaults": _closed("What the requests share, unless they say otherwise.", shared),
                "tests": _told(
                    "The tests.",
                    {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/test"}},
                ),
            },
            "policies",
            "tests",
        ),
        "$defs": {
            "test": _test(shared),
            "request": _closed("One request.", request),
            "step": _closed("A request, and what is expected of it.", {**request, **_BESIDE}),
            "expect": _EXPECT,
            "usage": _USAGE,
            "matrix": _matrix(shared),
        },
    }


def _test(shared: Mapping[str, Any]) -> dict[str, Any]:
    beside = {key: value for key, value in _BESIDE.items() if key != "after"}
    properties = {
        "name": _told("Names the test; unique in the file.", _TEXT),
        "description": _told("For the reader of the tests.", _TEXT),
        "defaults": _closed("What the requests of this test share.", shared),
        "request": {"$ref": "#/$defs/request"},
        **beside,
        "accepts": _told("Argument -> values that are taken as well.", _VALUES),
        "accepts_without": _told("Arguments that may be left out.", _NAMES),
        "refuses": _told("Argument -> values that its constraint refuses.", _VALUES),
        "refuses_without": _told("Arguments that may not be left out.", _NAMES),
        "steps": _told(
            "Requests of one session, one after the other.",
            {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/step"}},
        ),
        "texts": _told(
            "A text a line: `ok: …`, `deny: …`, `deny[rule]: …`, `deny[cannot_tell: rule]: …`, "
            "`ask: …` or `redact: … => …`.",
            _TEXT,
        ),
        "in": _told("The argument that holds the text, such as args.body.", _TEXT),
        "matrix": {"$ref": "#/$defs/matrix"},
    }
    kinds = [{"required": [kind]} for kind in ("request", "steps", "texts", "matrix")]
    return {**_closed("One test.", properties, "name"), "anyOf": kinds}


def _matrix(shared: Mapping[str, Any]) -> dict[str, Any]:
    listed = {"type": "object", "additionalProperties": _NAMES}
    matrix = _closed(
        "Principals by tools; what is not listed must be denied.",
        {
            "principals": _told(
                "Name -> who asks.",
                {
                    "type": "object",
                    "minProperties": 1,
                    "additionalProperties": _closed("Who asks.", shared),
                },
            ),
            "tools": _told(
                "Tool -> the arguments of its call.",
                {
                    "type": "object",
                    "minProperties": 1,
                    "additionalProperties": {"type": "object"},
                },
            ),
            "unknown": _told("Tools that no entry names: denied to all, by default.", _NAMES),
            "allow": _told("Principal -> the tools that it may call.", listed),
            "redact": _told("Principal -> the tools whose arguments are redacted.", listed),
            "require_approval": _told("Principal -> the tools that need an approval.", listed),
        },
        "principals",
    )
    return {**matrix, "anyOf": [{"required": [key]} for key in ("tools", "unknown")]}
