"""Cases written as YAML: a sentence of the language, policies that show it, requests tried on them.

A case is `sentence`, `policies` (each without `language`; ids are p0, p1… unless written) and
either `fault` (the codes that keep the set from loading) or `tries`. A try is `request` (the
stage is `tool_call`, and its `args` are empty, unless written), `given` (the facts) and what is
expected: `effect`, and optionally `reasons` (all of them, in order, as `effect rule code`, with
`would:` in front where a reason is not enforced), `would`, `message`, `says` (parts of the
message), `redacted` (the part that a rule redacts), `labels`, `obligations` and `needs`.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import yaml
from support import NOW, engine_of

from policy_engine.decision import Count, Facts, Halt, Request, Session

CHAPTERS = Path(__file__).parent / "cases"


@dataclass(frozen=True)
class Case:
    chapter: str
    sentence: str
    policies: list
    tries: list
    fault: list

    def __str__(self):
        return f"{self.chapter}: {self.sentence}"


def read_cases():
    """Read every chapter, and refuse a case that expects nothing."""
    found = []
    for path in sorted(CHAPTERS.glob("*.yaml")):
        for case in yaml.safe_load(path.read_text("utf-8")):
            tries, fault = case.pop("tries", []), case.pop("fault", [])
            assert bool(tries) is not bool(fault), case["sentence"]
            assert all("effect" in tried for tried in tries), case["sentence"]
            found.append(Case(path.stem, case.pop("sentence"), case.pop("policies"), tries, fault))
            assert not case, (path.name, found[-1].sentence, case)
    assert len({str(case) for case in found}) == len(found)
    return found


def request_of(fields):
    fields = dict(fields)
    if fields.get("stage", "tool_call") in {"tool_call", "tool_result"}:
        fields.setdefault("args", {})
    return Request(**fields)


def facts_of(engine, request, given):
    """Gather what is given; every counter stands at `used`, or at 0."""
    given = dict(given)
    session = Session(
        labels=frozenset(given.pop("labels", ())),
        calls=given.pop("calls", {}),
        started=_time(given.pop("started", NOW)),
    )
    known = given.pop("session", "known") == "known"
    count = Count(given.pop("used", 0.0), given.pop("unsettled", False))
    counted = given.pop("counted", True)
    halts = given.pop("halts", ())
    facts = Facts(
        now=_time(given.pop("now", NOW)),
        session=session if known else None,
        counters={
            (need.limit, need.key): count for need in engine.needs(request).counters if counted
        },
        halts=None
        if halts is None
        else tuple(Halt(**{**halt, "until": _time(halt.get("until"))}) for halt in halts),
        approvals=given.pop("approvals", {}),
        answers=given.pop("answers", {}),
        ran=given.pop("ran", False),
    )
    assert not given, given
    return facts


def decide(engine, fields, given=None):
    request = request_of(fields)
    return engine.decide(request, facts_of(engine, request, given or {}))


def build(case):
    return engine_of(*case.policies)


def reasons_of(decision):
    return [
        f"{'' if r.enforced else 'would: '}{r.effect} {r.rule} {r.code}" for r in decision.reasons
    ]


def obligations_of(decision):
    """Say in words what is obliged."""
    said = []
    for item in decision.obligations:
        if item.kind == "reserve":
            amount = "usage" if item.amount is None else f"{item.amount:g}"
            whose = "" if item.enforced else "would: "
            said.append(f"{whose}reserve {amount} of {item.limit} for {' & '.join(item.key)}")
        elif item.kind == "approve":
            people = "|".join(item.approvers)
            said.append(f"ask {item.quorum} of {people} for {item.rule} within {item.expires:g} s")
        elif item.kind == "use_approval":
            said.append(f"use the approval for {item.rule}")
        else:
            said.append(f"stop after {item.seconds:g} s")
    return sorted(said)


def needs_of(needs):
    """Say in words what is needed."""
    said = [name for name in ("now", "session") if getattr(needs, name)]
    said += [
        f"fact {need.name} by {need.arguments} within {need.timeout:g} s" for need in needs.facts
    ]
    said += [f"counter {need.limit} for {' & '.join(need.key)}" for need in needs.counters]
    return said


def redacted_part(decision):
    request = decision.request
    return {"tool_call": request.args, "tool_result": request.result}.get(
        request.stage, request.text
    )


def _time(value):
    return datetime.fromisoformat(value) if isinstance(value, str) else value
