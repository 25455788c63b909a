"""Expectations that no decision meets, and those that a misspelt name would meet."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import SequenceMatcher
from typing import Any, Final

from policy_engine.compiler import TEXT_OF
from policy_engine.compiler.build import SECTION
from policy_engine.compiler.names import matches_glob
from policy_engine.decision import EFFECTS, Effect, Request, Stage
from policy_engine.policy.words import nearest
from policy_engine.source import Path
from policy_engine.testing.case import Expected, Step
from policy_engine.testing.reading.fields import Fields
from policy_engine.testing.reading.names import Names

__all__ = ["impossible", "misspelt", "never", "unnamed"]

_NEVER: Final[Mapping[Stage, tuple[str, ...]]] = {
    "tool_call": (),
    "handoff": ("redact",),
}
"""Stage -> the effects that no rule gives there."""
_OF_TEXT: Final = ("require_approval",)
_OF_STAGES: Final[Mapping[str, tuple[Stage, ...]]] = {
    "labels": ("tool_call", "tool_result"),
    "timeout": ("tool_call",),
    "approvals": ("tool_call", "handoff"),
    "alerts": ("tool_call", "handoff", "model_request"),
}
_ALIKE: Final = 0.8
_LONG: Final = 200
_NAMED: Final = {"tools": "tool", "handoffs": "target", "models": "model"}


def impossible(fields: Fields, path: Path, expected: Expected, stage: Stage) -> None:
    """Note a fault for each part of an expectation that no decision of a stage has."""
    for key, effect in (("effect", expected.effect), ("would", expected.would)):
        said = None if effect is None else never(effect, stage)
        if said is not None:
            fields.fault((*path, key), "PE017", *said)
    for key, message, hint in _against(expected, stage):
        fields.fault((*path, key), "PE021", message, hint, on_key=True)
    part = TEXT_OF.get(stage)
    for key in expected.values:
        if key != part:
            message = f'a decision about {_a(stage)} has no "{key}"'
            hint = "remove it" if part is None else f'what is redacted there is "{part}"'
            fields.fault((*path, key), "PE021", message, hint, on_key=True)
    for key, stages in _OF_STAGES.items():
        if stage not in stages and getattr(expected, key):
            message = f'a decision about {_a(stage)} has no "{key}"'
            hint = f"it belongs to the stage {' or '.join(stages)}"
            fields.fault((*path, key), "PE021", message, hint, on_key=True)


def _against(expected: Expected, stage: Stage) -> Iterator[tuple[str, str, str]]:
    """Yield what does not go with the effect that is expected: key, message and hint."""
    effect = expected.effect
    if effect is None:
        return
    if expected.approvals and effect != "require_approval":
        message = f'"approvals" do not go with the effect "{effect}"'
        yield "approvals", message, "expect `effect: require_approval`, or remove one of the two"
    for key in ("labels", "timeout") if effect == "deny" and stage == "tool_call" else ():
        if getattr(expected, key):
            message = f'"{key}" does not go with the effect "deny"'
            yield key, message, "what is denied does not run: remove one of the two"
    if expected.cannot_tell and effect == "allow":
        message = '"cannot_tell" does not go with the effect "allow"'
        yield "cannot_tell", message, "a rule that cannot tell restricts; remove one of the two"


def misspelt(name: str, known: Iterable[str]) -> str | None:
    """Return a hint where a name is so much like a known one that it must be meant."""
    near = nearest(name, known)
    if near is None or SequenceMatcher(None, name[:_LONG], near[:_LONG]).ratio() < _ALIKE:
        return None
    return f'did you mean "{near}"?'


def never(effect: Effect, stage: Stage) -> tuple[str, str] | None:
    """Return a message and a hint where no decision of a stage has an effect."""
    missing = _NEVER.get(stage, _OF_TEXT)
    if effect not in missing:
        return None
    possible = ", ".join(one for one in EFFECTS if one not in missing)
    return f'no rule gives "{effect}" at the stage {stage}', f"one of: {possible}"


def unnamed(fields: Fields, path: Path, step: Step, names: Names) -> None:
    """Note a fault where a request is denied only for a misspelt name, whatever policies say.

    A test that means it says which rule denies: `<policy>/default`.
    """
    request, expected = step.given.request, step.expected
    section = SECTION.get(request.stage)
    known = None if section is None else names.entries.get(section)
    name = None if section is None else _name(section, request)
    if section is None or known is None or name is None:
        return
    if any(matches_glob(key, name) for key in known) or section in names.unguarded:
        return
    if expected is not None and (
        expected.effect not in (None, "deny")
        or expected.rules
        or expected.any_of
        or expected.observed
        or expected.message is not None
    ):
        return
    noun = _NAMED[section]
    hint = misspelt(name, known)
    if hint is None:
        return  # that what no policy knows is denied is worth a test
    message = f'no entry of the policies names the {noun} "{name}"'
    place = (*path, noun) if isinstance(_at(fields, (*path, noun)), str) else path
    in_matrix = path[-1] == name
    if in_matrix:
        hint = f'{hint} one that no entry shall name stands under "unknown" of the matrix'
    elif denying := _denying(request, names):
        hint = f"{hint} to mean it, expect `rules: [{', '.join(denying)}]`"
    fields.fault(place, "PE011", message, hint, on_key=in_matrix)


def _denying(request: Request, names: Names) -> list[str]:
    """Return what denies a request by default."""
    reasons = names.engine.decide(request).reasons
    return [one.rule for one in reasons if one.enforced and one.code == "default.deny"]


def _name(section: str, request: Request) -> str | None:
    value = getattr(request, _NAMED[section])
    return value if isinstance(value, str) else None


def _at(fields: Fields, path: Path) -> object:
    """Return what stands at a place of the file; None where nothing does."""
    value: Any = fields.document.data
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _a(stage: str) -> str:
    return f"an {stage}" if stage[0] in "aeiou" else f"a {stage}"
