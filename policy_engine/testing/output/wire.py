"""What a run of tests came to, as JSON values."""

from typing import Any, Final

from policy_engine.errors import Location
from policy_engine.testing.mutation import Verdict
from policy_engine.testing.outcome import Summary, percent
from policy_engine.testing.output.pasting import Pasted, Pasting
from policy_engine.testing.run import Failure, Result

__all__ = ["VERSION", "to_wire"]

VERSION: Final = 1


def to_wire(summary: Summary) -> dict[str, Any]:
    """Return what a run of tests came to as JSON values."""
    value: dict[str, Any] = {
        "version": VERSION,
        "passed": len(summary.results) - len(summary.failed),
        "failed": len(summary.failed),
        "decisions": summary.decisions,
        "seconds": round(summary.seconds, 3),
        "missed": summary.missed,
        "tests": [_test(result) for _, result in summary.results],
    }
    pasting = Pasting(summary)
    if summary.covered is not None:
        seen, wanted = summary.outcomes
        value["coverage"] = {
            "percent": round(percent((seen, wanted)), 2),
            "minimum": summary.min_coverage,
            "seen": seen,
            "wanted": wanted,
            "items": [
                {
                    **_place(one.item.location),
                    "kind": one.item.kind,
                    "rule": one.item.rule,
                    "what": one.item.what,
                    "seen": sorted(one.seen),
                    "missing": list(one.missing),
                    "ideas": {
                        outcome: {
                            "request": idea.request,
                            "where": list(idea.beside),
                            **_pasted(pasting.of(one.item.location, idea.request, idea.standing)),
                        }
                        for outcome, idea in one.ideas.items()
                    },
                    "not_found": list(one.doubtful),
                }
                for one in summary.covered
            ],
        }
    if summary.verdicts is not None:
        killed, counting = summary.kills
        value["mutation"] = {
            "percent": round(percent((killed, counting)), 2),
            "minimum": summary.min_mutation,
            "killed": killed,
            "counted": counting,
            "undecided": sum(one.fate == "undecided" for one in summary.verdicts),
            "equivalent": sum(one.fate == "equivalent" for one in summary.verdicts),
            "mutants": [_mutant(one, pasting) for one in summary.verdicts],
        }
    return value


def _test(result: Result) -> dict[str, Any]:
    return {
        **_place(result.case.location),
        "name": result.case.name,
        "passed": result.passed,
        "failures": [_failure(failure) for failure in result.failures],
    }


def _failure(failure: Failure) -> dict[str, Any]:
    return {
        **_place(failure.location),
        "step": failure.step,
        "turn": failure.turn,
        "differences": list(failure.differences),
        "reasons": list(failure.reasons),
    }


def _pasted(found: Pasted | None) -> dict[str, Any]:
    """Return what to expect of a call in a test, and the steps of one where it takes several."""
    if found is None:
        return {"expect": None, "steps": None}
    steps = None if found.steps is None else [dict(step) for step in found.steps]
    return {"expect": dict(found.expect), "steps": steps}


def _mutant(one: Verdict, pasting: Pasting) -> dict[str, Any]:
    witness = None
    if one.witness is not None:
        witness = {
            "request": one.witness.request,
            "where": list(one.witness.beside),
            **_pasted(pasting.witness(one)),
            "policy": one.witness.policy,
            "mutant": one.witness.mutant,
        }
    return {
        **_place(one.location),
        "fate": one.fate,
        "rule": one.rule,
        "what": one.what,
        "killer": one.killer,
        "witness": witness,
        "why": one.why,
    }


def _place(location: Location) -> dict[str, Any]:
    return {"file": location.path, "line": location.line, "column": location.column}
