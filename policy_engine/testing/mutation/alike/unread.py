"""Proves of a check that lets pass what cannot be read that nothing passes it for that."""

from collections.abc import Mapping
from typing import Any, Final

from policy_engine.compiler import Compiled
from policy_engine.compiler.meaning.places import rules_of
from policy_engine.compiler.names import globs_overlap, is_glob
from policy_engine.policy import Policy, Rule
from policy_engine.testing.mutation.alike.pairs import covers, granted
from policy_engine.testing.mutation.mutant import Mutant

__all__ = ["of_unread"]

_PLAIN: Final = frozenset({"string", "number", "integer", "boolean", "null"})
_TYPES: Final = _PLAIN | {"array", "object"}


def of_unread(mutant: Mutant, base: Compiled, changed: Compiled) -> str | None:
    """Say why nothing passes that is not read; None where that is not proved."""
    mine = _rule(base.parts[mutant.index].loaded.policy, mutant)
    its = _rule(changed.parts[mutant.index].loaded.policy, mutant)
    if mine is None or its != mine.model_copy(update={"unread": "allow"}):
        return None
    if mine.check is not None and mine.check.json is not None:
        return "what is no text is judged as JSON"
    policy = base.parts[mutant.index].loaded.policy
    match mutant.unit:
        case ("input" | "output" as section, int(number)):
            rules = getattr(policy, str(section))
            for other in (*rules[:number], *rules[number + 1 :]):
                if _stops_unread(other):
                    return f'"{policy.policy}/{other.id}" denies what cannot be read'
        case ("rules", int()) if mine.stage == "tool_call":
            return _of_arguments(mine, base, None)
        case ("tools", str(tool), "rules", int()):
            return _of_arguments(mine, base, tool)
    return None


def _rule(policy: Policy, mutant: Mutant) -> Any:
    """Return the rule that a mutant changes, if it changes one."""
    found = (one.rule for one in rules_of(policy) if one.path == mutant.unit)
    return next(found, None)


def _stops_unread(rule: Rule) -> bool:
    """Whether a rule over texts denies everything that it cannot read.

    One that redacts does so too: what it has redacted is decided once more.
    """
    check = rule.check
    return (
        rule.effect in {"deny", "redact"}
        and rule.mode != "observe"
        and rule.when is None
        and rule.unread == "deny"
        and check is not None
        and any(getattr(check, kind) is not None for kind in ("pattern", "terms", "size"))
    )


def _of_arguments(rule: Any, base: Compiled, tool: str | None) -> str | None:
    """Prove it where all that a check reads is declared to be JSON."""
    known = granted(base)
    if known is None:
        return None
    named = [item.removeprefix("args.").split(".")[0] for item in rule.in_ or ()]
    for name, entry in known:
        globs = rule.tools or () if tool is None else (tool,)
        if not any(globs_overlap(glob, name) for glob in globs):
            continue
        if tool is None and not is_glob(name) and not covers(rule, name):
            continue
        if entry.args is None:
            return None
        read = [schema for key, schema in entry.args.items() if not named or key in named]
        if not all(map(_is_json, read)):
            return None
    return "each argument that it reads holds what can be read"


def _is_json(schema: Any) -> bool:
    """Whether all that fits a schema is certainly JSON."""
    if not isinstance(schema, Mapping):
        return schema is False
    if "enum" in schema or "const" in schema:
        return True
    named = schema.get("type")
    types = set(named if isinstance(named, list) else [named])
    if not types <= _TYPES:
        return False
    if "array" in types and not (
        _is_json(schema.get("items")) and all(map(_is_json, schema.get("prefixItems") or ()))
    ):
        return False
    if "object" not in types:
        return True
    below = [
        *(schema.get("properties") or {}).values(),
        *(schema.get("patternProperties") or {}).values(),
        schema.get("additionalProperties", False),
    ]
    # What else speaks of keys may let them be anything.
    is_plain = not {"allOf", "anyOf", "oneOf", "then", "else", "$ref"} & schema.keys()
    return is_plain and all(map(_is_json, below))
