"""Rules that are gone, ask instead of denying, look for less or cover less."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from policy_engine.checks import CHECKS
from policy_engine.compiler import CompiledRule
from policy_engine.policy import Approval, LoadedPolicy, Rule
from policy_engine.source import Path
from policy_engine.testing.mutation.conditions import changed_conditions
from policy_engine.testing.mutation.mutant import Mutant, dropped, put
from policy_engine.testing.mutation.schemas import loosened

__all__ = ["Site", "approval_mutants", "rule_mutants"]

_ANYBODY = Approval.model_construct(approvers=("requester",), quorum=1, expires=3600.0)


@dataclass(frozen=True, slots=True)
class Site:
    """A place of a policy that mutants are made at."""

    index: int
    loaded: LoadedPolicy
    path: Path
    name: str

    def mutant(
        self, path: Path, new: Any, what: str, *, at: Path | None = None, unit: Path | None = None
    ) -> Mutant:
        """Make a mutant in which something else stands at a place below this one."""
        policy = put(self.loaded.policy, (*self.path, *path), new)
        place = self.path if at is None else (*self.path, *at)
        location = self.loaded.document.key_at(place)
        return Mutant(
            self.index, policy, self.path if unit is None else unit, what, location, self.name
        )

    def without(self, path: Path, what: str, *, at: Path | None = None) -> Mutant:
        """Make a mutant in which something is gone."""
        policy = dropped(self.loaded.policy, (*self.path, *path))
        place = (*self.path, *(path if at is None else at))
        location = self.loaded.document.key_at(place)
        return Mutant(self.index, policy, self.path, what, location, self.name)


def rule_mutants(site: Site, rule: Rule, compiled: CompiledRule, about: str) -> Iterator[Mutant]:
    """Yield what could be wrong with a rule.

    Args:
        site: Where it stands.
        rule: The rule as it is written.
        compiled: The same, compiled.
        about: `text`, `call` or `handoff`.
    """
    yield site.without((), f'the rule "{rule.id}" is gone')
    if rule.effect == "deny":
        yield from _milder(site, rule, about)
    if compiled.condition is not None:
        for found in changed_conditions(compiled.condition.tree, compiled.condition.text):
            yield Mutant(
                site.index,
                site.loaded.policy,
                site.path,
                found.what,
                site.loaded.document.at((*site.path, "when")),
                site.name,
                found.tree,
            )
    if rule.check is not None:
        yield from _looser_check(site, rule)
    if rule.approval is not None:
        yield from approval_mutants(site, rule.approval)
    for key, name in (("in_", "in"), ("tools", "tools")):
        listed = getattr(rule, key, None) or ()
        for i, item in enumerate(listed if len(listed) > 1 else ()):
            yield site.without((key, i), f'"{item}" is not in `{name}`', at=(name, i))
    for name, schema in (getattr(rule, "args", None) or {}).items():
        for found_schema in loosened(schema, top=False):
            yield site.mutant(
                ("args", name),
                found_schema.schema,
                f"{name}: {found_schema.what}",
                at=("args", name, *found_schema.path),
            )


def _milder(site: Site, rule: Rule, about: str) -> Iterator[Mutant]:
    changed: dict[str, Any] = {}
    if about != "text":
        changed = {"effect": "require_approval", "approval": _ANYBODY}
    elif rule.check is not None and any(
        getattr(rule.check, kind) is not None and check.finds_spans
        for kind, check in CHECKS.items()
    ):
        changed = {"effect": "redact"}
    if changed:
        what = f'"deny" is "{changed["effect"]}"'
        yield site.mutant((), rule.model_copy(update=changed), what, at=("effect",))


def _looser_check(site: Site, rule: Rule) -> Iterator[Mutant]:
    if rule.unread == "deny":
        yield site.mutant(("unread",), "allow", "what cannot be read passes the check")
    for kind in CHECKS:
        options = getattr(rule.check, kind)
        if options is None:
            continue
        listed = getattr(options, "any", None) or ()
        for i, item in enumerate(listed if len(listed) > 1 else ()):
            place: Path = ("check", kind, "any", i)
            what = f'"{item}" is not looked for'
            yield site.without(place, what)
        for key in ("max_chars", "max_bytes", "max_lines"):
            most = getattr(options, key, None)
            if most is not None:
                place = ("check", kind, key)
                yield site.mutant(place, most + 1, f"{key} {most} is {most + 1}", at=place)
        if getattr(options, "case_sensitive", None) is False:
            place = ("check", kind, "case_sensitive")
            yield site.mutant(place, True, "case matters", at=("check", kind))


def approval_mutants(site: Site, approval: Approval) -> Iterator[Mutant]:
    """Yield approvals that more people can give, that fewer must give, or that hold longer."""
    if "requester" not in approval.approvers:
        more = (*approval.approvers, "requester")
        place = ("approval", "approvers")
        yield site.mutant(place, more, "the requester may approve", at=place)
    if approval.quorum > 1:
        place = ("approval", "quorum")
        fewer = approval.quorum - 1
        yield site.mutant(place, fewer, f"quorum {approval.quorum} is {fewer}", at=place)
    place = ("approval", "expires")
    longer = approval.expires * 2
    yield site.mutant(place, longer, "an approval holds twice as long", at=place)
