"""Tests that cannot notice a mutant: what is changed says the same of each of their requests."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from policy_engine.compiler import Compiled
from policy_engine.decision import Decision, Facts
from policy_engine.testing.mutation.differences import Differs, differs_in
from policy_engine.testing.mutation.enumerate import compiled_rule
from policy_engine.testing.mutation.mutant import Mutant
from policy_engine.testing.search.sample import Sample

__all__ = ["Asked", "says_otherwise"]

_MOST: Final = 64
"""A test that asks more often is run rather than looked at."""


@dataclass(slots=True)
class Asked:
    """What a test asks, as it came in a run by the policy set."""

    requests: list[tuple[frozenset[str], Sample]] = field(default_factory=list)
    """Each with the names that may speak of it."""
    is_plain: bool = True
    """Whether its decisions are what the parts of a policy say, and nothing is decided again."""

    def note(self, decision: Decision, facts: Facts, names: frozenset[str]) -> None:
        """Note a request and what became of it."""
        self.is_plain = (
            self.is_plain
            and len(self.requests) < _MOST
            and decision.request is decision.asked
            and not any(reason.code == "redaction.cannot_tell" for reason in decision.reasons)
        )
        if self.is_plain:
            self.requests.append((names, Sample(decision.asked, facts)))
        else:
            self.requests.clear()

    def is_touched(self, names: Sequence[str] | None, differs: Differs | None) -> bool:
        """Whether a mutant may decide one of the requests otherwise.

        As long as all is decided alike, sessions and counters stay alike as well.

        Args:
            names: Under which names something may speak otherwise; None for any.
            differs: Asks the changed part; None where there is no such part.
        """
        if not self.is_plain or differs is None:
            return True
        return any(
            (names is None or not met.isdisjoint(names)) and differs(sample)
            for met, sample in self.requests
        )


def says_otherwise(
    mutant: Mutant, base: Compiled, changed: Compiled, names: Iterable[str]
) -> Differs | None:
    """Return whether the changed part says anything else of a request, be it by other words.

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
        case ("tools", _, "types"):
            return None
        case ("input" | "output" | "rules", int()) | (_, _, "rules" | "result", int()):
            if compiled_rule(old, mutant.unit).constraint is not None:
                return None
    return differs_in(mutant, base, changed, names)


def _arguments(before: Any, after: Any) -> Differs:
    def said(constraint: Any, args: dict[str, Any]) -> object:
        return None if constraint is None else constraint.reasons(args)

    def differs(sample: Sample) -> bool:
        args = sample.request.args
        return args.__class__ is not dict or said(before, args) != said(after, args)

    return differs
