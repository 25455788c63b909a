"""Rules that are gone, ask instead of denying, look for less or cover less."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from ipaddress import ip_network
from typing import Any, Final

from policy_engine.checks import CHECKS
from policy_engine.compiler import CompiledRule
from policy_engine.compiler.meaning.places import PlacedRule
from policy_engine.compiler.names import covers_glob, globs_overlap, is_glob, matches_glob
from policy_engine.policy import Approval, Policy, Rule, TopRule
from policy_engine.source import Path
from policy_engine.testing.mutation.checks import loosened_check
from policy_engine.testing.mutation.conditions import changed_conditions
from policy_engine.testing.mutation.globs import narrower, wider
from policy_engine.testing.mutation.keywords import OTHER
from policy_engine.testing.mutation.known import Known
from policy_engine.testing.mutation.mutant import Aim, Mutant, Site
from policy_engine.testing.mutation.patterns import lost, tightened_pattern
from policy_engine.testing.mutation.schemas import loosened
from policy_engine.testing.search.near import literals_of

__all__ = ["approval_mutants", "is_free_text", "rule_mutants"]

_NOTHING: Final = r"[^\s\S]"
"""A pattern that no text matches."""
_LOOPED: Final = ("`exists` is `all`", "`all` is `exists`")
_OF_CHECKS: Final = frozenset({"in_", "unread"})
_PLAIN: Final = ("string", "number", "integer", "boolean")
_ANYBODY: Final = Approval.model_construct(approvers=("requester",), quorum=1, expires=3600.0)


def rule_mutants(
    site: Site, placed: PlacedRule, compiled: CompiledRule, tools: Sequence[str], known: Known
) -> Iterator[Mutant]:
    """Yield what could be wrong with a rule.

    Args:
        site: Where it stands.
        placed: The rule as it is written.
        compiled: The same, compiled.
        tools: The names of the tools that the set grants.
        known: What the policies of the set name and declare.
    """
    rule = placed.rule
    yield site.without((), f'the rule "{rule.id}" is gone')
    yield site.mutant(("mode",), "observe", f'the rule "{rule.id}" only observes')
    if rule.effect != "redact":
        yield from _milder(site, rule, placed.about)
    if rule.when is not None and rule.check is not None:
        yield site.mutant(("when",), None, "the condition beside the check is gone", at=("when",))
        if rule.effect != "redact":
            what = "the check beside the condition is gone"
            yield site.mutant((), _unchecked(rule), what, at=("check",))
    if compiled.condition is not None:
        yield from _conditions(site, placed, compiled, known)
    if rule.check is not None:
        yield from _checks(site, placed)
    if rule.approval is not None:
        yield from approval_mutants(site, rule.approval)
    if placed.tool is not None and placed.tool.args:
        yield from _arguments(site, placed.tool.args)
    if placed.top is not None:
        yield from _covered(site, placed, tools)


def _unchecked(rule: Rule) -> Rule:
    """Return a rule without its check, and without what says how that checks."""
    changed = rule.model_copy(update={"check": None})
    for key in _OF_CHECKS & changed.model_fields_set:
        default = type(rule).model_fields[key].default
        changed = changed.model_copy(update={key: default})
        changed.model_fields_set.discard(key)
    return changed


def _milder(site: Site, rule: Rule, about: str) -> Iterator[Mutant]:
    """Let a rule do less: ask instead of denying, or redact instead of either."""
    milder: list[dict[str, Any]] = []
    if rule.effect == "deny" and about != "text":
        milder.append({"effect": "require_approval", "approval": _ANYBODY})
    if (
        about != "handoff"
        and rule.check is not None
        and any(
            getattr(rule.check, kind) is not None and check.finds_spans
            for kind, check in CHECKS.items()
        )
    ):
        milder.append({"effect": "redact", "approval": None})
    for changed in milder:
        what = f'"{rule.effect}" is "{changed["effect"]}"'
        yield site.mutant((), rule.model_copy(update=changed), what, at=("effect",))


def _conditions(
    site: Site, placed: PlacedRule, compiled: CompiledRule, known: Known
) -> Iterator[Mutant]:
    condition = compiled.condition
    assert condition is not None  # noqa: S101 - asked before
    listed = known.listed(site.loaded.policy, placed, condition.tree)
    before = list(literals_of(condition.tree))
    for found in changed_conditions(condition.tree, condition.text, listed):
        if found.texts is not None:
            aim = Aim("text", "", *_told_apart(*found.texts), condition.reads)
        elif "With(" in found.what:
            aim = Aim("edited", "", placed.entry_args, paths=condition.reads)
        elif found.what.startswith(_LOOPED):
            aim = Aim("mixed", "", placed.entry_args, paths=condition.reads)
        else:
            new = [one for one in literals_of(found.tree) if one not in before]
            aim = Aim("named", "", None, [*_addresses(new), *(new or [OTHER])], condition.reads)
        yield site.with_condition(found, condition.text, aim)


def _addresses(values: Iterable[Any]) -> Iterator[str]:
    """Yield addresses of each end of the ranges that stand among values, and next to them."""
    for value in values:
        with suppress(ValueError):
            if isinstance(value, str) and "/" in value:
                found = ip_network(value, strict=False)
                wider = found.supernet() if found.prefixlen else found
                ends = (found[0], found[-1], wider[0], wider[-1])
                yield from dict.fromkeys(str(address) for address in ends)


def _told_apart(before: str, after: str) -> tuple[str, str]:
    """Return the pattern that finds more, and the one that finds less."""
    if any(one == after for one, _ in tightened_pattern(before)):
        return lost(before, after), after
    return after, before


def _checks(site: Site, placed: PlacedRule) -> Iterator[Mutant]:
    rule = placed.rule
    if rule.unread == "deny" and not _is_read(placed):
        yield site.mutant(("unread",), "allow", "what cannot be read passes the check")
    for kind in CHECKS:
        options = getattr(rule.check, kind)
        if options is None:
            continue
        written = options.model_dump(by_alias=True)
        for changed, path, what in loosened_check({kind: written}):
            made = type(options).model_validate(changed[kind])
            aim = _text_aim(kind, written, changed[kind], path)
            yield site.mutant(("check", kind), made, what, at=("check", *path), aim=aim)
        schema = written.get("schema")
        for found in loosened(schema, top=False) if isinstance(schema, dict) else ():
            made = type(options).model_validate({**written, "schema": found.schema})
            place = ("check", kind, "schema", *found.path)
            yield site.mutant(("check", kind), made, found.what, at=place)
    listed = getattr(rule, "in_", None) or ()
    for i, item in enumerate(listed if len(listed) > 1 else ()):
        dropped = site.without(("in_", i), f'"{item}" is not in `in`', at=("in", i))
        yield replace(dropped, aim=_any_text(rule))
    texts = _free_texts(site.loaded.policy, placed)
    if placed.tool is not None and not listed and len(texts) > 1:
        what = f'only "{texts[0]}" is checked'
        only, aim = (f"args.{texts[0]}",), _any_text(rule)
        yield site.mutant(("in_",), only, what, at=("check",), aim=aim)


def _free_texts(policy: Policy, placed: PlacedRule) -> list[str]:
    """Return the arguments that take any text in every tool that a rule covers by its name."""
    held = [placed.entry_args or {}]
    if placed.top is not None:
        entries = [(policy.tools or {}).get(name) for name in placed.top.tools or ()]
        held = [(entry.args if entry else None) or {} for entry in entries]
    first, *rest = held or [{}]
    return [
        name
        for name, schema in first.items()
        if is_free_text(schema) and all(is_free_text(args.get(name)) for args in rest)
    ]


def _any_text(rule: Rule) -> Aim | None:
    """Aim at a text that a check finds, wherever it stands."""
    for kind in ("pattern", "terms"):
        options = getattr(rule.check, kind)
        if options is not None:
            first = options.any[0]
            return Aim("text", "", first if kind == "pattern" else re.escape(first), _NOTHING)
    return None


def _text_aim(
    kind: str, before: Mapping[str, Any], after: Mapping[str, Any], path: Path
) -> Aim | None:
    """Say which text only one of two checks finds."""
    if kind not in ("pattern", "terms"):
        return None
    items, left = before["any"], after["any"]
    if kind == "terms":
        items, left = [_term(item) for item in items], [_term(item) for item in left]
    if path[1:2] != ("any",):
        return Aim("text", "", items[0], items[0].removeprefix("(?i)"))
    at = int(path[-1])
    if len(left) == len(items):
        return Aim("text", "", lost(items[at], left[at]), left[at])
    # What nothing but the item that is gone finds, the list without it does not.
    return Aim("text", "", items[at], "|".join(f"(?:{item})" for item in left))


def _term(item: str) -> str:
    return f"(?i){re.escape(item)}"


def _is_read(placed: PlacedRule) -> bool:
    """Whether no argument that a check reads can hold what it cannot read."""
    read = getattr(placed.rule, "in_", None)
    names = {item.removeprefix("args.") for item in read or ()}
    args = placed.entry_args
    return args is not None and all(
        _is_plain(schema) for name, schema in args.items() if read is None or name in names
    )


def _is_plain(schema: object) -> bool:
    """Whether a schema takes no mappings, which could be a picture."""
    if not isinstance(schema, Mapping):
        return False
    return (
        "enum" in schema
        or schema.get("type") in _PLAIN
        or (schema.get("type") == "array" and _is_plain(schema.get("items")))
    )


def is_free_text(schema: object) -> bool:
    """Whether a schema takes any text."""
    return (
        isinstance(schema, Mapping)
        and schema.get("type") == "string"
        and not schema.keys() & {"enum", "const", "pattern", "format"}
    )


def _arguments(site: Site, args: Mapping[str, Any]) -> Iterator[Mutant]:
    for name, schema in args.items():
        if len(args) > 1:
            rest = {other: item for other, item in args.items() if other != name}
            what = f'"{name}" is not looked at'
            aim = Aim("args", name, schema, {})
            yield site.mutant(("args",), rest, what, at=("args", name), aim=aim)
        for found in loosened(schema):
            yield site.mutant(
                ("args", name),
                found.schema,
                f"{name}: {found.what}",
                at=("args", name, *found.path),
                aim=Aim("args", name, schema, found.schema),
            )


def _covered(site: Site, placed: PlacedRule, tools: Sequence[str]) -> Iterator[Mutant]:
    """Let a rule cover fewer tools."""
    rule = placed.top
    assert rule is not None  # noqa: S101 - asked before
    named, left_out = rule.tools or (), rule.except_ or ()
    for i, item in enumerate(named):
        changed = [
            ((*named[:i], *named[i + 1 :]), f'"{item}" is not in `tools`', Aim("only", item))
        ]
        changed.extend(
            (
                (*named[:i], glob, *named[i + 1 :]),
                f'"{item}" is "{glob}" in `tools`',
                Aim("tool", item, glob, item),
            )
            for glob in narrower(item)
        )
        for fewer, what, aim in changed:
            covering = _covering(rule, fewer)
            if covering is not None:
                yield site.mutant((), covering, what, at=("tools", i), aim=aim)
    for i, item in enumerate(left_out):
        for glob in wider(item):
            what = f'"{item}" is "{glob}" in `except`'
            aim = Aim("tool", item, item, glob)
            yield site.mutant(("except_", i), glob, what, at=("except", i), aim=aim)
    globs = [item for item in named if is_glob(item)]
    for tool in tools:
        if any(matches_glob(glob, tool) for glob in globs) and not any(
            matches_glob(glob, tool) for glob in (*left_out, *(n for n in named if n == tool))
        ):
            what = f'"{tool}" is left out'
            aim = Aim("only", tool)
            yield site.mutant(("except_",), (*left_out, tool), what, at=("tools",), aim=aim)
            return


def _covering(rule: TopRule, tools: tuple[str, ...]) -> TopRule | None:
    """Return a rule over other tools; None where it would cover none."""
    left_out = tuple(
        name for name in rule.except_ or () if any(globs_overlap(name, tool) for tool in tools)
    )
    if all(any(covers_glob(name, tool) for name in left_out) for tool in tools):
        return None
    changed = rule.model_copy(update={"tools": tools, "except_": left_out or None})
    if not left_out:
        changed.model_fields_set.discard("except_")
    return changed


def approval_mutants(site: Site, approval: Approval) -> Iterator[Mutant]:
    """Yield approvals that more people can give, that fewer must give, or that hold longer."""
    other = OTHER if "requester" in approval.approvers else "requester"
    more = (*approval.approvers, other)
    place = ("approval", "approvers")
    what = "the requester may approve" if other == "requester" else f'"{other}" may approve as well'
    yield site.mutant(place, more, what, at=place)
    if approval.quorum > 1:
        place = ("approval", "quorum")
        fewer = approval.quorum - 1
        yield site.mutant(place, fewer, f"quorum {approval.quorum} is {fewer}", at=place)
    place = ("approval", "expires")
    longer = approval.expires * 2
    yield site.mutant(place, longer, "an approval holds twice as long", at=place)
