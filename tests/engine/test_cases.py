"""Every sentence about what speaks and how it combines, tried on policies that show it."""

import pytest
from cases import (
    build,
    decide,
    needs_of,
    obligations_of,
    read_cases,
    reasons_of,
    redacted_part,
    request_of,
)

from policy_engine.decision import CODES
from policy_engine.errors import PolicyError

CASES = read_cases()
SHOWN = {
    "would": lambda decision: decision.would,
    "reasons": reasons_of,
    "message": lambda decision: decision.message,
    "redacted": redacted_part,
    "labels": lambda decision: list(decision.labels),
    "obligations": obligations_of,
}


@pytest.mark.parametrize("case", [case for case in CASES if case.tries], ids=str)
def test_the_sentence_holds(case):
    engine = build(case)
    for number, tried in enumerate(case.tries):
        expected = dict(tried)
        request, given = expected.pop("request"), expected.pop("given", {})
        if "needs" in expected:
            wanted = expected.pop("needs")
            assert (number, wanted) == (number, needs_of(engine.needs(request_of(request))))
        decision = decide(engine, request, given)
        for fragment in expected.pop("says", ()):
            assert fragment in decision.message
        effect = expected.pop("effect")
        assert (number, effect) == (number, decision.effect), reasons_of(decision)
        assert decision.permitted is (effect in {"allow", "redact"})
        for name, value in expected.items():
            assert (number, name, value) == (number, name, SHOWN[name](decision))


@pytest.mark.parametrize("case", [case for case in CASES if case.tries], ids=str)
def test_asking_again_says_the_same(case):
    """Chains are kept: neither what was asked before nor the order of asking may matter."""
    forth, back = build(case), build(case)
    asked = [(tried["request"], tried.get("given", {})) for tried in case.tries]
    first = [decide(forth, *one) for one in asked]
    assert first == [decide(back, *one) for one in reversed(asked)][::-1]
    assert first == [decide(forth, *one) for one in asked]


@pytest.mark.parametrize("case", [case for case in CASES if case.tries], ids=str)
def test_the_order_of_policies_does_not_matter(case):
    named = [{"policy": f"p{i}", **policy} for i, policy in enumerate(case.policies)]
    there = build(case)
    back = type(there)(build(type(case)(case.chapter, case.sentence, named[::-1], [], [])).compiled)
    for tried in case.tries:
        one = (tried["request"], tried.get("given", {}))
        assert reasons_of(decide(there, *one)) == reasons_of(decide(back, *one))
        assert obligations_of(decide(there, *one)) == obligations_of(decide(back, *one))


@pytest.mark.parametrize("case", [case for case in CASES if case.fault], ids=str)
def test_the_policy_does_not_load(case):
    with pytest.raises(PolicyError) as raised:
        build(case)
    assert case.fault == sorted({fault.code for fault in raised.value.faults}), str(raised.value)


def test_every_code_that_the_engine_gives_is_shown():
    shown = {
        reason.split()[-1]
        for case in CASES
        for tried in case.tries
        for reason in tried.get("reasons", ())
    }
    others = ("args.", "guard.", "record.", "request.invalid", "engine.failed", "approval.refused")
    assert {code for code in CODES if not code.startswith(others)} - shown == set()
    assert shown <= set(CODES)
