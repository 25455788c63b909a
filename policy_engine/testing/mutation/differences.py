"""Whether a request can tell a mutant apart, asked of the changed part alone."""

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from policy_engine.compiler import TEXT_OF, Compiled, CompiledRule, Status
from policy_engine.compiler.applies import Applies
from policy_engine.compiler.names import matches_glob
from policy_engine.compiler.rule import Whole
from policy_engine.policy import TopRule
from policy_engine.testing.mutation.enumerate import compiled_rule
from policy_engine.testing.mutation.mutant import Mutant
from policy_engine.testing.search.sample import Sample

__all__ = ["Differs", "differs_in"]

Differs: TypeAlias = Callable[[Sample], bool]


def differs_in(
    mutant: Mutant, base: Compiled, changed: Compiled, names: Iterable[str]
) -> Differs | None:
    """Return what asks the changed part alone; None where a whole decision must be made.

    It is far quicker than a decision, and seldom says of a request that it cannot tell the two
    apart where it can: where a redaction brings about what is changed.

    Args:
        mutant: What was changed.
        base: The policy set.
        changed: The mutant of it.
        names: Under which names something may speak otherwise.
    """
    old, new = base.parts[mutant.index], changed.parts[mutant.index]
    match mutant.unit:
        case ("tools", str(name), "args"):
            return _arguments(old.constraints.get(name), new.constraints.get(name))
        case ("tools", str(name), "types"):
            fits = _arguments(old.constraints.get(name), new.constraints.get(name))
            # What reads an argument of another type may say something else of the same value.
            read = [
                _Judged(a, b, base, changed, told=True).differs
                for a, b in zip(old.rules(), new.rules(), strict=True)
                if a is not b and a.condition is not None
            ]
            return lambda sample: fits(sample) or any(differs(sample) for differs in read)
        case ("limits", int(i)):
            if len(new.limits) < len(old.limits) or old.limits[i] == new.limits[i]:
                return None
            mine, other = old.limits[i], new.limits[i]
            if old.loaded.policy.limits[i].tools != new.loaded.policy.limits[i].tools:
                return None  # it says the same of a call, and not of the same calls
            return lambda s: mine.judge(s.request, s.facts) != other.judge(s.request, s.facts)
        case ("applies_to",):
            whom, also = base.applies[mutant.index], changed.applies[mutant.index]
            return lambda s: _status(whom, s) is not _status(also, s)
        case ("declared",):
            wanted = frozenset(names)
            pairs = [
                _Judged(a, b, base, changed, told=True).differs
                for a, b in zip(old.rules(), new.rules(), strict=True)
                if a.name in wanted
            ]
            return lambda sample: any(differs(sample) for differs in pairs)
        case ("input" | "output" | "rules", int()) | (_, _, "rules" | "result", int()):
            return _rule(mutant, base, changed)
    return None


def _status(applies: Applies | None, sample: Sample) -> Status:
    return Status.YES if applies is None else applies.status(sample.request)


def _arguments(before: Any, after: Any) -> Differs:
    def differs(sample: Sample) -> bool:
        args = sample.request.args
        if args.__class__ is not dict:
            return False
        fits = before is None or before.quiet(args)
        return fits is not (after is None or after.quiet(args))

    return differs


def _rule(mutant: Mutant, base: Compiled, changed: Compiled) -> Differs:
    old, new = base.parts[mutant.index], changed.parts[mutant.index]
    rule = compiled_rule(old, mutant.unit)
    if sum(1 for _ in new.rules()) < sum(1 for _ in old.rules()):
        return _Judged(rule, rule, base, changed, told=False).differs
    told = mutant.tree is not None or (mutant.aim is not None and mutant.aim.place == "args")
    judged = _Judged(rule, compiled_rule(new, mutant.unit), base, changed, told=told)
    match mutant.unit:
        case ("rules", int(i)):
            mine, its = old.loaded.policy.rules[i], new.loaded.policy.rules[i]
            if (mine.tools, mine.except_) != (its.tools, its.except_):
                return lambda sample: (
                    _covers(mine, sample) is not _covers(its, sample) and judged.speaks(sample)
                )
    return judged.differs


def _covers(rule: TopRule, sample: Sample) -> bool:
    tool = sample.request.tool or ""
    return any(matches_glob(glob, tool) for glob in rule.tools or ()) and not any(
        matches_glob(glob, tool) for glob in rule.except_ or ()
    )


class _Judged:
    """A rule and what became of it.

    Args:
        old: The rule.
        new: The same in the mutant; equal where it is gone or covers other tools.
        base: The policy set.
        changed: The mutant of it.
        told: Whether all that is different is what the rule says of a request.
    """

    def __init__(
        self,
        old: CompiledRule,
        new: CompiledRule,
        base: Compiled,
        changed: Compiled,
        *,
        told: bool,
    ) -> None:
        self._old = old
        self._new = new
        self._scanners = base.scanner, changed.scanner
        self._told = told

    def speaks(self, sample: Sample) -> bool:
        """Whether the rule matches."""
        return self._judge(self._old, sample, 0) is not None

    def differs(self, sample: Sample) -> bool:
        """Whether the two may say something else of a request."""
        before = self._judge(self._old, sample, 0)
        if self._old is self._new:
            return before is not None
        if before is not None and not self._told:
            return True
        after = self._judge(self._new, sample, 1)
        return before != after if self._told else after is not None

    def _judge(self, rule: CompiledRule, sample: Sample, which: int) -> str | None:
        request = sample.request
        value = getattr(request, TEXT_OF.get(request.stage, "text"))
        whole = Whole(value, self._scanners[which], request.stage != "tool_call")
        return rule.judge(request, sample.facts, whole)
