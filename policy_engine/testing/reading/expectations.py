"""What a test expects of a decision; names that do not exist are faults."""

from typing import Any, Final

from policy_engine.decision import EFFECTS, Effect
from policy_engine.policy.words import quoted
from policy_engine.source import Path
from policy_engine.testing.case import Asked, Expected
from policy_engine.testing.reading.fields import Fields
from policy_engine.testing.reading.misnomers import EFFECT_MEANT, OF_EXPECTATIONS
from policy_engine.testing.reading.names import Names

__all__ = ["KEYS", "read_expected"]

KEYS: Final = (
    "effect",
    "rules",
    "cannot_tell",
    "message",
    "text",
    "args",
    "result",
    "approvals",
    "labels",
    "timeout",
    "observed",
    "would",
    "alerts",
)


def read_expected(fields: Fields, path: Path, value: object, names: Names) -> Expected | None:
    """Read what is expected; None where it has faults."""
    count = len(fields.faults)
    if isinstance(value, str):
        effect = EFFECT_MEANT.get(value.lower(), value)
        hint = f"write `expect: {{effect: {effect if effect in EFFECTS else 'deny'}}}`"
        fields.mistyped(path, value, "a mapping", hint)
        return None
    given = fields.mapping(path, value, KEYS, elsewhere=OF_EXPECTATIONS)
    if value == {}:
        fields.fault(path, "PE020", '"expect" expects nothing', "add `effect: deny`, or remove it")
    expected = Expected(
        location=fields.document.key_at(path),
        effect=_effect(fields, path, given, "effect"),
        would=_effect(fields, path, given, "would"),
        rules=_names(fields, path, given, "rules", names.rules, "rule"),
        cannot_tell=_cannot_tell(fields, path, given, names),
        observed=_names(fields, path, given, "observed", names.rules, "rule"),
        message=_message(fields, path, given),
        values={key: given[key] for key in ("text", "args", "result") if key in given},
        labels=_listed(fields, path, given, "labels", names.labels, "label"),
        alerts=_listed(fields, path, given, "alerts", names.alerts, "limit that alerts"),
        approvals=_approvals(fields, path, given, names),
        timeout=(
            fields.duration((*path, "timeout"), given["timeout"]) if "timeout" in given else None
        ),
    )
    return expected if len(fields.faults) == count else None


def _effect(fields: Fields, path: Path, given: dict[str, Any], key: str) -> Effect | None:
    if key not in given:
        return None
    chosen = fields.choice((*path, key), given[key], EFFECTS, EFFECT_MEANT)
    return next((effect for effect in EFFECTS if effect == chosen), None)


def _names(
    fields: Fields, path: Path, given: dict[str, Any], key: str, known: frozenset[str], noun: str
) -> tuple[str, ...]:
    if key not in given:
        return ()
    listed = fields.texts((*path, key), given[key], f"a {noun}")
    for i, name in enumerate(listed):
        fields.name((*path, key, i), name, known, noun)
        if name in listed[:i]:
            fields.fault((*path, key, i), "PE010", f"{quoted(name)} is listed twice", "keep one")
    return listed


def _cannot_tell(
    fields: Fields, path: Path, given: dict[str, Any], names: Names
) -> tuple[str, ...] | None:
    """Read the rules that cannot tell; an empty list says that none decides, although one might."""
    if "cannot_tell" not in given:
        return None
    if given["cannot_tell"] == []:
        return ()
    return _names(fields, path, given, "cannot_tell", names.rules, "rule")


def _message(fields: Fields, path: Path, given: dict[str, Any]) -> str | None:
    if "message" not in given:
        return None
    if given["message"] == "":
        return ""
    return fields.text((*path, "message"), given["message"])


def _listed(
    fields: Fields, path: Path, given: dict[str, Any], key: str, known: frozenset[str], noun: str
) -> frozenset[str] | None:
    """Read names that must be all there are; an empty list says that there is none."""
    if key not in given:
        return None
    if given[key] == []:
        return frozenset()
    return frozenset(_names(fields, path, given, key, known, noun))


def _approvals(fields: Fields, path: Path, given: dict[str, Any], names: Names) -> dict[str, Asked]:
    if "approvals" not in given:
        return {}
    place = (*path, "approvals")
    found: dict[str, Asked] = {}
    for rule, value in fields.named(place, given["approvals"], "a rule").items():
        fields.name((*place, rule), rule, names.approvals, "rule that asks", on_key=True)
        found[rule] = _asked(fields, (*place, rule), value)
    return found


def _asked(fields: Fields, place: Path, value: object) -> Asked:
    asked = fields.mapping(place, value, ("approvers", "quorum", "expires"))
    approvers = None
    if "approvers" in asked:
        listed = fields.texts((*place, "approvers"), asked["approvers"], "a role")
        approvers = frozenset(listed)
    quorum = None
    if "quorum" in asked:
        quorum = fields.whole((*place, "quorum"), asked["quorum"], 1, 100)
    expires = None
    if "expires" in asked:
        expires = fields.duration((*place, "expires"), asked["expires"])
    return Asked(approvers, quorum, expires)
