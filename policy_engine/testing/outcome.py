"""All that a run of tests came to."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from policy_engine.compiler import Compiled
from policy_engine.engine import Engine
from policy_engine.testing.case import Suite
from policy_engine.testing.coverage import Coverage, Covered
from policy_engine.testing.mutation import UNNOTICED, Verdict
from policy_engine.testing.reading import Loaded
from policy_engine.testing.replay import prices_of
from policy_engine.testing.run import Result, run_case

__all__ = ["UNTRIED", "Summary", "percent", "run_tests", "share"]

UNTRIED: Final = "the tests fail, so no mutant was tried"


@dataclass(slots=True)
class Summary:
    """Results, coverage and mutation of all test files."""

    results: list[tuple[Suite, Result]] = field(default_factory=list)
    covered: list[Covered] | None = None
    """None where nobody asked."""
    verdicts: list[Verdict] | None = None
    """None where nobody asked, or where a test fails."""
    min_coverage: float | None = None
    """The least coverage in percent; None for any."""
    min_mutation: float | None = None
    """The least share of mutants noticed, in percent; None for any."""
    seconds: float = 0.0
    policies: Mapping[str, Compiled] = field(default_factory=dict)
    """Path of a policy set -> the set."""

    @property
    def failed(self) -> list[tuple[Suite, Result]]:
        """The cases that did not come as expected."""
        return [pair for pair in self.results if not pair[1].passed]

    @property
    def decisions(self) -> int:
        """How many requests were decided."""
        return sum(result.decisions for _, result in self.results)

    @property
    def outcomes(self) -> tuple[int, int]:
        """How many outcomes the tests brought about, of how many."""
        covered = self.covered or []
        return (
            sum(len(one.seen) for one in covered),
            sum(len(one.wanted) for one in covered),
        )

    @property
    def kills(self) -> tuple[int, int]:
        """How many mutants the tests noticed, of how many.

        Those that are proved to decide like the policy are left out, and those that do not load.
        What no call was found to tell apart counts, for nobody knows that there is none.
        """
        verdicts = self.verdicts or []
        killed = sum(one.fate == "killed" for one in verdicts)
        return killed, killed + sum(one.fate in UNNOTICED for one in verdicts)

    @property
    def missed(self) -> dict[str, str]:
        """The minimums that are missed, `coverage` or `mutation` -> how."""
        found: dict[str, str] = {}
        least = self.min_coverage
        if least is not None and percent(self.outcomes) < least:
            found["coverage"] = f"coverage is {share(self.outcomes)}, below {least:g} %"
        least = self.min_mutation
        if least is not None and self.verdicts is None:
            found["mutation"] = UNTRIED
        elif least is not None and percent(self.kills) < least:
            noticed = share(self.kills)
            found["mutation"] = f"{noticed} of the mutants are noticed, below {least:g} %"
        return found


def percent(part: tuple[int, int]) -> float:
    """Return a share in percent; of nothing, all."""
    return 100.0 if part[1] == 0 else 100.0 * part[0] / part[1]


def share(part: tuple[int, int]) -> str:
    """Return a share in percent as it is printed: 100.0 % only where it is all."""
    return f"{math.floor(10 * percent(part)) / 10:.1f} %"


def run_tests(loaded: Loaded, *, coverage: bool) -> Summary:
    """Run every case of every suite.

    Args:
        loaded: The suites and their policy sets.
        coverage: Whether to watch what the tests bring about.
    """
    summary = Summary(policies=loaded.policies)
    engines = {path: Engine(compiled) for path, compiled in loaded.policies.items()}
    prices = {path: prices_of(compiled) for path, compiled in loaded.policies.items()}
    watching = {path: Coverage(compiled) for path, compiled in loaded.policies.items() if coverage}
    for suite in loaded.suites:
        watched = watching.get(suite.policies)
        watch = None if watched is None else watched.watch
        for case in suite.cases:
            result = run_case(engines[suite.policies], prices[suite.policies], case, watch)
            summary.results.append((suite, result))
    if coverage:
        summary.covered = [one for watched in watching.values() for one in watched.items()]
    return summary
