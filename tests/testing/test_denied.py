"""What is said to be denied alike is denied by both: else a call would be passed over."""

from itertools import islice

import pytest
from support import ROOT

from policy_engine.decision import Facts, Request
from policy_engine.engine import Engine
from policy_engine.errors import PolicyError
from policy_engine.loader import load_texts
from policy_engine.testing.mutation.denied import Denied
from policy_engine.testing.mutation.enumerate import mutants_of
from policy_engine.testing.mutation.examine import Examiner
from policy_engine.testing.reach import Reach
from policy_engine.testing.reading import read_suites
from policy_engine.testing.search.counted import with_counters
from policy_engine.testing.search.sample import Reads, Sample
from policy_engine.testing.search.samples import around


@pytest.mark.parametrize("name", ["banking", "support-desk"])
def test_what_is_denied_alike_is_denied_by_both(name):
    loaded = read_suites([str(ROOT / "policies" / "tests" / f"{name}.yaml")])
    ((path, compiled),) = loaded.policies.items()
    examiner = Examiner(compiled, [case for suite in loaded.suites for case in suite.cases])
    seeds = [one for kept in examiner._every.values() for one in kept.values()][::9]
    reach, engine = Reach(compiled), Engine(compiled)
    samples = [
        one
        for seed in seeds
        for one in islice(around(seed, reach.of(seed.request).chain, compiled, Reads()), 0, 200, 9)
    ]
    alike = unlike = 0
    for mutant in examiner.mutants[::151]:
        try:
            other = Engine(examiner._variant(mutant))
        except PolicyError:
            continue
        denied = Denied(reach, other.compiled)
        for sample in samples:
            found = with_counters(sample, engine, other)
            both = (
                engine.decide(found.request, found.facts),
                other.decide(found.request, found.facts),
            )
            if denied.alike(sample):
                alike += 1
                assert [one.effect for one in both] == ["deny", "deny"], (mutant.what, sample)
            elif both[0].effect == both[1].effect == "deny":
                unlike += 1
                denied.note(both[0])
    assert alike > 500, path
    # What denied once is looked at first, so that seldom all is asked again.
    assert unlike < alike, path


POLICY = """
policy: p
language: 1
tools:
  t:
    args: {n: {type: number, maximum: 5}, s: {type: string, optional: true}}
    rules:
      - {id: big, when: args.n > 3, effect: deny}
      - {id: odd, when: args.n == 1, effect: require_approval,
         approval: {approvers: [boss], expires: 1h}}
      - {id: seen, when: args.n > 2, effect: deny, mode: observe}
  u: deny
models: {m: allow}
input: [{id: words, check: {terms: {any: [boom]}}, effect: deny}]
"""


def variant(compiled, what):
    (mutant,) = [one for one in mutants_of(compiled) if one.what == what]
    return Examiner(compiled, [])._variant(mutant)


def asked(**about):
    return Sample(Request(**about), Facts())


def test_only_what_both_ask_denies_alike():
    compiled = load_texts({"p.yaml": POLICY})
    engine = Engine(compiled)
    denied = Denied(Reach(compiled), variant(compiled, 'the rule "big" is gone'))
    refused = asked(tool="t", args={"n": 4})
    denied.note(engine.decide(refused.request))
    # The rule that denied is gone from the mutant, and others speak without denying.
    assert not denied.alike(refused)
    assert not denied.alike(asked(tool="t", args={"n": 1}))
    assert not denied.alike(asked(tool="t", args={"n": 3}))
    # The arguments fit neither, and the entry denies by its name alone.
    assert denied.alike(asked(tool="t", args={"n": 6}))
    assert denied.alike(asked(tool="u", args={}))
    denied = Denied(Reach(compiled), variant(compiled, "n: maximum 5 is 6"))
    assert not denied.alike(asked(tool="t", args={"n": 6}))
    denied.note(engine.decide(refused.request))
    assert denied.alike(asked(tool="t", args={"n": 6}))
    assert not denied.alike(asked(tool="t", args={"n": 2}))


def test_a_rule_about_text_says_nothing_of_a_model_request_without_any():
    compiled = load_texts({"p.yaml": POLICY})
    engine = Engine(compiled)
    denied = Denied(Reach(compiled), variant(compiled, "n: maximum 5 is 6"))
    boom = asked(stage="model_request", model="m", text="boom")
    denied.note(engine.decide(boom.request))
    assert denied.alike(boom)
    assert not denied.alike(asked(stage="model_request", model="m"))
