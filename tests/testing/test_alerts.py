"""Which limits alert at a step: tests expect it, and so mutants that alert nobody are noticed."""

import pytest

from policy_engine.engine import Engine
from policy_engine.testing.mutation.examine import Examiner
from policy_engine.testing.reading import read_suites
from policy_engine.testing.replay import prices_of
from policy_engine.testing.run import run_case

POLICY = """\
policy: p
language: 1
tools: {t: allow}
models: {m: allow}
prices: {m: {input: 1, output: 1}}
limits:
  - {id: calls, tools: [t], max: 5, by: [session], alert_at: 0.8}
  - {id: cost, of: cost_usd, max: 2, by: [session], alert_at: 0.5}
"""
CALL = "{tool: t, args: {}, repeat: %d, expect: {effect: allow, alerts: [%s]}}"
ASK = (
    "{stage: model_request, model: m, text: Hi, usage: {input_tokens: %d, output_tokens: 0},"
    " expect: {effect: allow, alerts: [%s]}}"
)


def read(tmp_path, *steps):
    (tmp_path / "p.yaml").write_text(POLICY)
    path = tmp_path / "t.yaml"
    lines = "".join(f"      - {step}\n" for step in steps)
    path.write_text(
        "policies: p.yaml\ndefaults: {agent: a, principal: {id: u}}\n"
        f"tests:\n  - name: a\n    steps:\n{lines}"
    )
    loaded = read_suites([str(path)])
    (suite,) = loaded.suites
    return loaded.policies[suite.policies], suite.cases


def differences(tmp_path, *steps):
    compiled, cases = read(tmp_path, *steps)
    (case,) = cases
    result = run_case(Engine(compiled), prices_of(compiled), case)
    return [difference for failure in result.failures for difference in failure.differences]


MET = {
    "the fourth of five calls": (CALL % (3, ""), CALL % (1, "p/calls"), CALL % (1, "")),
    "usage that costs half": (ASK % (999_999, ""), ASK % (1, "p/cost"), ASK % (1, "")),
}


@pytest.mark.parametrize("name", MET)
def test_a_limit_alerts_once_at_its_share(tmp_path, name):
    assert differences(tmp_path, *MET[name]) == []


def test_an_alert_that_is_not_raised_or_not_expected_is_told(tmp_path):
    assert differences(tmp_path, CALL % (3, ""), CALL % (1, "")) == [
        "expected the alerts: none; got: p/calls"
    ]
    assert differences(tmp_path, CALL % (1, "p/calls, p/cost")) == [
        "expected the alerts: p/calls, p/cost; got: none"
    ]


def test_a_mutant_that_alerts_nobody_is_noticed(tmp_path):
    compiled, cases = read(
        tmp_path, CALL % (3, ""), CALL % (1, "p/calls"), ASK % (1_000_000, "p/cost")
    )
    examiner = Examiner(compiled, cases)
    numbers = [i for i, one in enumerate(examiner.mutants) if one.what == "nobody is alerted"]
    assert [examiner.examine(i).fate for i in numbers] == ["killed", "killed"]
