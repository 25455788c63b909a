"""Stages, effects and codes: the closed lists that decisions are made of."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

__all__ = ["CODES", "EFFECTS", "RANK", "STAGES", "Effect", "Stage", "strictest"]

Stage: TypeAlias = Literal[
    "input", "tool_call", "tool_result", "handoff", "model_request", "model_response", "output"
]
Effect: TypeAlias = Literal["allow", "redact", "require_approval", "deny"]

STAGES: Final[tuple[Stage, ...]] = (
    "input",
    "tool_call",
    "tool_result",
    "handoff",
    "model_request",
    "model_response",
    "output",
)
EFFECTS: Final[tuple[Effect, ...]] = ("allow", "redact", "require_approval", "deny")
RANK: Final[Mapping[str, int]] = MappingProxyType({name: i for i, name in enumerate(EFFECTS)})
"""How strict an effect is; combining is the maximum."""

_ARGUMENT_KEYWORDS: Final = {
    "type": "has the wrong type",
    "required": "is missing",
    "additionalProperties": "is not an argument of this tool",
    "enum": "is not one of the listed values",
    "const": "is not the one permitted value",
    "minimum": "is below the minimum",
    "maximum": "is above the maximum",
    "exclusiveMinimum": "is not above the bound",
    "exclusiveMaximum": "is not below the bound",
    "multipleOf": "is not a multiple",
    "minLength": "is too short",
    "maxLength": "is too long",
    "maxBytes": "has too many bytes",
    "pattern": "does not match the pattern",
    "format": "does not have the format",
    "minItems": "has too few items",
    "maxItems": "has too many items",
    "uniqueItems": "repeats an item",
    "items": "has items beyond those listed",
    "prefixItems": "has items beyond those listed",
    "contains": "lacks an item that it needs",
    "minContains": "lacks an item that it needs",
    "maxContains": "has an item too often",
    "minProperties": "has too few keys",
    "maxProperties": "has too many keys",
    "propertyNames": "has a key that may not be there",
    "patternProperties": "has a key that may not be there",
    "dependentRequired": "lacks a key that another key needs",
    "anyOf": "fits none of the alternatives",
    "oneOf": "does not fit exactly one alternative",
    "allOf": "does not fit every part",
    "not": "is excluded",
    "if": "does not fit its condition",
    "then": "does not fit its condition",
    "else": "does not fit its condition",
    "$ref": "does not fit the referenced schema",
    "false": "is not accepted",
    "check": "breaks a text check",
    "failed": "could not be judged",
}

CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "entry.allow": "an entry permits the name",
        "entry.deny": "an entry denies the name",
        "entry.require_approval": "an entry asks for an approval",
        "default.allow": "no entry names it, and the default is allow",
        "default.deny": "no entry names it, and the default is deny",
        "no_policy": "no policy applies to the request",
        "no_section": "no policy that applies lists names of this kind",
        "observed": "every policy that applies only observes",
        "policy.cannot_tell": "it cannot be told whether a policy applies",
        "rule.always": "a rule without a condition",
        "rule.when": "the condition of a rule holds",
        "rule.cannot_tell": "it cannot be told whether a rule matches",
        "redaction.cannot_tell": "what to redact cannot be told",
        "redaction.stricter": "the redacted request would be treated more strictly",
        "limit.exceeded": "a limit would be exceeded",
        "limit.cannot_tell": "it cannot be told whether a limit would be exceeded",
        "limit.unsettled": "usage of an earlier call was not reported",
        "limit.unpriced": "a cost limit covers a model without a price",
        "approval.approved": "an approval lifts a rule",
        "approval.refused": "an approval cannot be asked for",
        "approval.rejected": "an approver rejected the request",
        "halt": "an operator halted it",
        "halt.cannot_tell": "it cannot be told whether an operator halted it",
        "call.repeated": "a call with this id ran already",
        "call.cannot_tell": "it cannot be told whether a call with this id ran",
        "record.failed": "the decision could not be recorded, which denies",
        "guard.failed": "state or approvals could not be reached, which denies",
        "guard.contended": "limits or approvals changed at each attempt to decide",
        "guard.absent": "the agent does not have the tool that is called",
        "guard.unjudgeable": "an argument or a result has no JSON form that could be judged",
        "request.invalid": "the request is not of the documented form",
        "engine.failed": "the engine failed, which denies",
        "check.size.max_chars": "a text has too many characters",
        "check.size.max_bytes": "a text has too many bytes",
        "check.size.max_lines": "a text has too many lines",
        "check.terms": "a text holds a listed term",
        "check.pattern": "a text matches a listed pattern",
        "check.json.parse": "a text is not JSON",
        "check.json.schema": "a JSON text does not fit its schema",
        **{
            f"args.{keyword}": f"an argument {what}" for keyword, what in _ARGUMENT_KEYWORDS.items()
        },
    }
)
"""Why a rule spoke: code -> meaning. The list is closed."""


def strictest(effects: Iterable[Effect]) -> Effect:
    """Combine effects: the strictest one, `allow` where there is none."""
    return max(effects, key=RANK.__getitem__, default="allow")
