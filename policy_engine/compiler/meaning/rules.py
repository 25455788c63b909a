"""Which parts of a rule go together."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from policy_engine.checks import CHECKS
from policy_engine.compiler.meaning.places import PlacedRule, fault, rules_of
from policy_engine.compiler.names import covers_glob, globs_overlap, is_glob
from policy_engine.errors import Fault
from policy_engine.policy import Approval, LoadedPolicy, Rule
from policy_engine.policy.words import choices
from policy_engine.source import Path

__all__ = ["approval_faults", "rule_faults"]

_ARGUMENT: Final = re.compile(r"args\.[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")


_SAYS_NOTHING: Final = frozenset(
    {"optional", "message", "title", "description", "default", "examples", "deprecated"}
)
"""Keywords that no value breaks."""


def rule_faults(loaded: LoadedPolicy) -> Iterator[Fault]:
    """Find rules that could never do what they say."""
    for placed in rules_of(loaded.policy):
        yield from _condition(loaded, placed)
        yield from _check(loaded, placed)
        yield from _effect(loaded, placed)
        yield from approval_faults(
            loaded, placed.path, placed.rule.effect, placed.rule.approval, "the rule"
        )
        if placed.about == "handoff":
            yield from _handoff(loaded, placed)
        else:
            yield from _reads(loaded, placed)
            yield from _covers(loaded, placed)


def _condition(loaded: LoadedPolicy, placed: PlacedRule) -> Iterator[Fault]:
    rule, tool = placed.rule, placed.tool
    args = None if tool is None else tool.args
    if args is not None:
        if not args:
            message = '"args" is empty, so the rule would never match'
            hint = "name an argument and what it must be"
            yield _at_key(loaded, placed, "args", "PE020", message, hint)
        elif all(_takes_anything(schema) for schema in args.values()):
            message = f'the rule "{rule.id}" takes any arguments, so it would never match'
            hint = "say what an argument must be, such as {type: number, maximum: 500}"
            yield _at_key(loaded, placed, "args", "PE020", message, hint)
        for other in ("check", "when"):
            if getattr(rule, other) is not None:
                message = f'"args" and "{other}" do not go together'
                hint = "a rule has one kind of condition; make two rules of it"
                yield _at_key(loaded, placed, other, "PE021", message, hint)
    elif rule.when is None and rule.check is None and placed.top is None:
        ways = {"text": "`when` or `check`", "call": "`when`, `check` or `args`"}
        message = f'the rule "{rule.id}" has no condition'
        hint = f"say when it matches, with {ways.get(placed.about, '`when`')}"
        yield fault(loaded, placed.path, "PE020", message, hint)


def _takes_anything(schema: object) -> bool:
    """Tell whether a schema accepts every value, and that there is none."""
    if not isinstance(schema, Mapping):
        return False
    return schema.get("optional") is True and schema.keys() <= _SAYS_NOTHING


def _kinds(rule: Rule) -> list[str]:
    return [kind for kind in CHECKS if getattr(rule.check, kind, None) is not None]


def _spanning() -> str:
    return choices(kind for kind, check in CHECKS.items() if check.finds_spans)


def _check(loaded: LoadedPolicy, placed: PlacedRule) -> Iterator[Fault]:
    rule, path = placed.rule, (*placed.path, "check")
    if rule.check is None:
        for key in ("in", "unread"):
            if _is_written(rule, key):
                message = f'"{key}" does nothing without "check"'
                yield _at_key(loaded, placed, key, "PE021", message, "remove it, or add a check")
        return
    kinds = _kinds(rule)
    if not kinds:
        yield fault(loaded, path, "PE020", '"check" names no check', f"checks: {choices(CHECKS)}")
    for kind in kinds:
        options = getattr(rule.check, kind)
        for key in sorted(options.model_fields_set):
            if getattr(options, key) is None:
                message = f'"{key}" has no value'
                hint = "give it a value, or remove it"
                yield loaded.document.fault(
                    (*path, kind, key), "PE008", message, hint=hint, on_key=True
                )
    for kind in kinds[1:]:
        yield loaded.document.fault(
            (*path, kind),
            "PE021",
            f'a rule has one check, not "{kinds[0]}" and "{kind}"',
            hint="make two rules of it",
            on_key=True,
        )


def _effect(loaded: LoadedPolicy, placed: PlacedRule) -> Iterator[Fault]:
    rule, path = placed.rule, (*placed.path, "effect")
    if rule.effect == "require_approval" and placed.about == "text":
        hint = "redact or deny here, or ask at a call: in a tool's `rules` or in `rules`"
        yield fault(loaded, path, "PE017", "a rule over a text cannot require approval", hint)
    if rule.effect != "redact":
        if rule.replacement is not None:
            message = f'"replacement" does nothing with the effect "{rule.effect}"'
            hint = "it goes with `effect: redact`"
            yield _at_key(loaded, placed, "replacement", "PE021", message, hint)
    elif placed.about == "handoff":
        hint = "deny, or require approval"
        yield fault(loaded, path, "PE017", "there is no text to redact at a handoff", hint)
    elif rule.check is None:
        hint = f"checks that find spans: {_spanning()}"
        yield fault(loaded, path, "PE017", '"redact" needs a check that finds spans', hint)
    else:
        for kind in _kinds(rule):
            if not CHECKS[kind].finds_spans:
                message = f'the check "{kind}" finds no spans that could be redacted'
                hint = f"deny, or use one of: {_spanning()}"
                yield fault(loaded, path, "PE017", message, hint)


def approval_faults(
    loaded: LoadedPolicy, path: Path, effect: str, approval: Approval | None, subject: str
) -> Iterator[Fault]:
    """Find approvals that nobody could give, or that are never asked for."""
    if approval is None:
        if effect == "require_approval":
            message = f"{subject} requires approval and does not say whose"
            hint = "add `approval: {approvers: [a-role], expires: 15m}`"
            yield fault(loaded, (*path, "effect"), "PE021", message, hint)
        return
    place = (*path, "approval")
    if effect != "require_approval":
        message = f'"approval" does nothing with the effect "{effect}"'
        hint = "it goes with `effect: require_approval`"
        yield loaded.document.fault(place, "PE021", message, hint=hint, on_key=True)
    if approval.quorum > 1 and set(approval.approvers) == {"requester"}:
        message = f"the requester is one person and cannot be a quorum of {approval.quorum}"
        hint = "name a role, or remove the quorum"
        yield fault(loaded, (*place, "quorum"), "PE020", message, hint)
    for i, approver in enumerate(approval.approvers):
        if is_glob(approver):
            message = f'an approver is a role, not a glob: "{approver}"'
            hint = "write each role out"
            yield fault(loaded, (*place, "approvers", i), "PE009", message, hint)


def _handoff(loaded: LoadedPolicy, placed: PlacedRule) -> Iterator[Fault]:
    for key in ("check", "args", "in", "tools", "except"):
        if _is_written(placed.rule, key) and (key != "in" or placed.rule.check is not None):
            what = "text" if key in {"check", "in"} else "call of a tool"
            message = f'"{key}" does not go with a handoff: there is no {what}'
            hint = "a handoff has a `target`, which `when` can read"
            yield _at_key(loaded, placed, key, "PE021", message, hint)


def _reads(loaded: LoadedPolicy, placed: PlacedRule) -> Iterator[Fault]:
    tool = placed.tool
    for i, name in enumerate(() if tool is None else tool.in_ or ()):
        if _ARGUMENT.fullmatch(name) is None:
            path = (*placed.path, "in", i)
            message = f'"{name}" does not name an argument'
            yield fault(loaded, path, "PE009", message, "write it as args.NAME, such as args.body")


def _covers(loaded: LoadedPolicy, placed: PlacedRule) -> Iterator[Fault]:
    rule = placed.top
    if rule is None:
        return
    if rule.tools is None:
        message = f'the rule "{rule.id}" does not say which tools it covers'
        yield fault(loaded, placed.path, "PE007", message, 'add `tools`, such as `tools: ["*"]`')
        return
    tools, left_out = rule.tools, rule.except_ or ()
    for i, name in enumerate(left_out):
        if not any(globs_overlap(name, tool) for tool in tools):
            path = (*placed.path, "except", i)
            message = f'"except" leaves out "{name}", which "tools" does not cover'
            yield fault(loaded, path, "PE021", message, "remove it, or widen `tools`")
    if all(_is_left_out(tool, left_out) for tool in tools):
        message = f'the rule "{rule.id}" leaves out every tool that it covers'
        yield _at_key(loaded, placed, "except", "PE020", message, "narrow `except`")


def _is_left_out(tool: str, left_out: tuple[str, ...]) -> bool:
    return any(covers_glob(name, tool) for name in left_out)


def _is_written(rule: Rule, key: str) -> bool:
    name = f"{key}_" if key in {"in", "except"} else key
    return name in rule.model_fields_set


def _at_key(
    loaded: LoadedPolicy, placed: PlacedRule, key: str, code: str, message: str, hint: str
) -> Fault:
    return loaded.document.fault((*placed.path, key), code, message, hint=hint, on_key=True)
