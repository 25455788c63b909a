"""A check of arguments that no accepted call can break.

What it does:
    Reports a check over arguments (a rule's, or a keyword of a schema) where the schemas leave
    no text that it could find: a word that the pattern of the argument excludes, a size that
    `maxLength` keeps, or no text at all, because every argument is a number or a flag.

Why:
    "No secrets in the arguments" reads well over a tool whose only argument is a number. The
    check belongs where texts go through.

Fails:
    tools:
      pay:
        args: {order: {type: string, pattern: '^[0-9]{8}$'}}
        rules:
          - {id: words, check: {terms: {any: [secret]}}, effect: deny}
    ---
    tools:
      pay:
        args: {amount: {type: number, minimum: 0, maximum: 50}}
        rules:
          - {id: words, check: {terms: {any: [secret]}}, effect: deny}
    ---
    tools:
      note: {args: {text: {type: string, maxLength: 50, check: {size: {max_chars: 500}}}}}

Passes:
    tools:
      note:
        args: {text: {type: string, maxLength: 500}}
        rules:
          - {id: words, check: {terms: {any: [secret]}}, effect: deny}

Fix:
    Move the check to where texts go through, or remove it.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from policy_engine.checks import CHECKS
from policy_engine.lint.places import schemas
from policy_engine.lint.proof.box import Box
from policy_engine.lint.proof.language import example
from policy_engine.lint.proof.scene import scenes
from policy_engine.lint.proof.schema import values_of
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import PlacedCondition, Subject

__all__ = ["RULE"]

_PLAIN: Final = ("matches", r"^[ -~]*$")
"""Texts of plain ASCII, in which no disguise can be."""
_SILENT: Final = frozenset({"number", "integer", "bool", "null"})


def _find(subject: Subject) -> Iterator[Found]:
    for place in schemas(subject):
        check = place.schema.get("check")
        if isinstance(check, Mapping):
            options = _options(check)
            boxes = values_of({k: v for k, v in place.schema.items() if k != "check"}).boxes
            if options is not None and not any(_breaks(options, box) for box in boxes):
                message = f'no value of "{place.name}" breaks this check'
                path = (*place.path, "check")
                yield Found(place.policy, path, message, _HINT, on_key=True)
    for found in subject.conditions:
        if found.placed.rule.check is not None and found.stage == "tool_call":
            yield from _of_rule(subject, found)


def _of_rule(subject: Subject, found: PlacedCondition) -> Iterator[Found]:
    places = scenes(subject, found)
    check: Any = found.placed.rule.check
    reads = [name.removeprefix("args.") for name in getattr(found.placed.rule, "in_", None) or ()]
    if not places or any("." in name for name in reads):
        return
    for place in places:
        given = {name: place.args[name] for name in reads or place.args if name in place.args}
        if not place.args or len(given) < len(reads):
            return  # any arguments are taken
        for declared in given.values():
            boxes = values_of(*declared).boxes
            if any(_breaks(check, box) for box in boxes):
                return
    name = found.compiled.name
    yield Found(
        found.policy,
        (*found.placed.path, "check"),
        f'no accepted call breaks this check, so "{found.placed.rule.id}" never speaks',
        _HINT,
        on_key=True,
        witness=places[0].show(shows="accepted, and there is nothing to find", silent=(name,)),
    )


def _options(check: Mapping[str, Any]) -> Any:
    """Return the options of a check as a rule's would be."""
    made = dict.fromkeys(CHECKS)
    for name, options in check.items():
        if name not in CHECKS:
            return None
        made[name] = CHECKS[name].options.model_validate(options)
    return type("Check", (), made)


def _breaks(check: Any, box: Box) -> bool:
    """Whether a check may find something in the values of a box."""
    if box.kind in _SILENT:
        return check.size is not None or check.json is not None
    if box.kind != "string":
        return True
    if box.chosen is not None:
        return True  # few values, which somebody has looked at
    if check.size is not None:
        return _outgrows(check.size, box)
    wanted = _wanted(check)
    if wanted is None or _admits(box, ("matches", "[^ -~]")):
        return True
    return any(_admits(box, ("matches", pattern)) for pattern in wanted)


def _outgrows(size: Any, box: Box) -> bool:
    if size.max_lines is not None:
        return True
    chars, octets = size.max_chars, size.max_bytes
    return (chars is not None and box.longest > chars) or (
        octets is not None and box.longest * 4 > octets
    )


def _wanted(check: Any) -> list[str] | None:
    """Return the patterns that a check looks for; None where it looks for something else."""
    if check.terms is not None:
        return ["(?i)" + r"\s+".join(map(re.escape, term.split())) for term in check.terms.any]
    return list(check.pattern.any) if check.pattern is not None else None


def _admits(box: Box, piece: tuple[str, str]) -> bool:
    """Whether there may be a text with a piece among the values of a box."""
    met = frozenset({*box.met, piece})
    return example(met, frozenset(box.unmet), box.shortest, box.longest) is not None


_HINT: Final = "move it to where texts go through, or remove it"

RULE: Final = LintRule("PE135", "idle-check", "warning", __doc__ or "", _find, proves=True)
