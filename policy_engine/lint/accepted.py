"""Whether a value of an argument gets through, shown by a call."""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from itertools import islice
from typing import Any, Final

from policy_engine.decision import Reason
from policy_engine.lint.finding import Witness
from policy_engine.lint.places import SchemaAt
from policy_engine.lint.proof.decided import decided
from policy_engine.lint.proof.formula import Formula, Term, formula
from policy_engine.lint.proof.scene import Draft, Scene, call_scene
from policy_engine.lint.proof.schema import sampled, values_of
from policy_engine.lint.subject import PlacedCondition, Subject, named_by

__all__ = ["accepted", "names_about", "refused", "speaks_of"]

_TRIES: Final = 8


def accepted(subject: Subject, place: SchemaAt, value: Any, shows: str) -> Witness | None:
    """Return a call with a value that nothing about this argument stops; None where there is none.

    Other rules may still stop the call: for what they are about, and not for this value.
    """
    entry = place.entry
    if entry is None or entry.block.effect == "deny":
        return None
    if not values_of(place.schema).admits(value):
        return None
    name = named_by(entry.name)
    scene = call_scene(subject, entry.policy, name)
    rules = subject.rules_of(name)
    names = set(names_about(subject, name, place.argument))
    fixed: dict[Term, Any] = {("args", place.argument): _whole(place, value)}
    shown: Witness | None = None
    for draft in _drafts(scene, rules, fixed):
        witness = draft.witness(shows, silent=(place.rule,))
        decision = decided(subject, witness)
        if decision is None or any(_stops(reason, names) for reason in decision.reasons):
            continue
        if decision.permitted:
            return draft.witness(shows, effect=decision.effect, silent=(place.rule,))
        shown = shown or witness
    return shown


def refused(subject: Subject, place: SchemaAt, value: Any, shows: str) -> Witness | None:
    """Return a call that is denied for a value; None where there is none."""
    entry = place.entry
    if entry is None or entry.block.effect == "deny":
        return None
    scene = call_scene(subject, entry.policy, named_by(entry.name))
    fixed: dict[Term, Any] = {("args", place.argument): _whole(place, value)}
    return scene.show(shows=shows, effect="deny", fixed=fixed)


def _drafts(
    scene: Scene, rules: Sequence[PlacedCondition], fixed: Mapping[Term, Any]
) -> Iterator[Draft]:
    """Go through calls with a value: a plain one, and with proofs some that no rule is about."""
    yield scene.plain(fixed)
    if not scene.subject.options.proofs:
        return
    quiet: list[Formula] = [
        formula(found.compiled.condition.tree, holds=False)
        for found in rules
        if found.compiled.condition is not None and found.compiled.check is None
    ]
    if quiet:
        yield from islice(scene.requests(*quiet, fixed=fixed), _TRIES)


def _stops(reason: Reason, names: set[str]) -> bool:
    if reason.code == "request.invalid":
        return True
    return reason.effect != "allow" and (reason.rule in names or reason.code.startswith("args."))


def speaks_of(found: PlacedCondition, argument: str) -> bool:
    """Whether a rule about calls reads an argument."""
    compiled = found.compiled
    if found.stage != "tool_call":
        return False
    if compiled.condition is not None:
        return any(path[:2] in {("args", argument), ("args",)} for path in compiled.condition.reads)
    if compiled.check is not None:
        return not compiled.reads or any(path[0] == argument for path in compiled.reads)
    return compiled.constraint is not None and argument in compiled.constraint.schemas


def names_about(subject: Subject, name: str, argument: str) -> tuple[str, ...]:
    """Return the names of the rules about calls of a tool that read an argument."""
    return subject.once(
        f"about {argument} of {name}",
        lambda: (
            found.compiled.name for found in subject.rules_of(name) if speaks_of(found, argument)
        ),
    )


def _whole(place: SchemaAt, value: Any) -> Any:
    """Return the argument's value in which a part has this value."""
    entry = place.entry
    args: Mapping[str, Any] = (entry.block.args if entry is not None else None) or {}
    steps = place.path[place.path.index(place.argument, 3) + 1 :]
    return _within(args.get(place.argument), steps, value)


def _within(schema: Any, steps: tuple[str | int, ...], value: Any) -> Any:
    if not steps:
        return value
    if steps[0] == "items":
        inner = _within(schema["items"], steps[1:], value)
        return [inner] * max(1, schema.get("minItems", 1))
    if steps[0] == "prefixItems":
        return sampled([schema])
    made = deepcopy(sampled([schema]))
    made = made if isinstance(made, dict) else {}
    name = str(steps[1])
    made[name] = _within(schema["properties"][name], steps[2:], value)
    return made
