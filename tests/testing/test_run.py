"""Cases: what each kind of test asks, and when it fails."""

import pytest

from policy_engine.engine import Engine
from policy_engine.testing.faults import FaultyTestsError
from policy_engine.testing.reading import read_suites
from policy_engine.testing.replay import prices_of
from policy_engine.testing.run import run_case

DEFAULTS = """
defaults:
  agent: a
  principal: {id: u1}
  context: {env: prod}
  facts: {order: {owner: u1}}
"""
REFUND = "tool: refund, args: {order_id: ORD-0001, amount: 5}"
LARGE = "tool: refund, args: {order_id: ORD-0001, amount: 200}"


def results(path):
    loaded = read_suites([str(path)])
    (suite,) = loaded.suites
    engine = Engine(loaded.policies[suite.policies])
    return [run_case(engine, prices_of(engine.compiled), case) for case in suite.cases]


def differences(path):
    return [d for r in results(path) for failure in r.failures for d in failure.differences]


def one(request, expect):
    return f"{DEFAULTS}tests:\n  - {{name: a, request: {{{request}}}, expect: {expect}}}\n"


MET = {
    "an effect": (REFUND, "{effect: allow}"),
    "the rules that decide": (LARGE, "{effect: require_approval, rules: [desk/large]}"),
    "an approval": (
        LARGE,
        "{approvals: {desk/large: {approvers: [finance], quorum: 2, expires: 15m}}}",
    ),
    "a timeout": (REFUND, "{timeout: 30s}"),
    "labels": ("tool: fetch, args: {}", "{labels: [untrusted]}"),
    "no labels": (REFUND, "{labels: []}"),
    "what is observed": (
        "tool: refund, args: {order_id: ORD-0001, amount: 450}",
        "{effect: require_approval, observed: [desk/watched], would: deny}",
    ),
    "a redacted text": (
        "stage: input, text: a boom here",
        "{effect: redact, text: a <TERM> here}",
    ),
    "a message": (
        "tool: refund, args: {order_id: ORD-0001, amount: 501}",
        "{effect: deny, message: At most 500.}",
    ),
    "a long text": ("stage: input, text: {$text: [[a, 51]]}", "{effect: deny}"),
    "a context of its own": ("tool: lookup, args: {}, context: {env: staging}", "{effect: allow}"),
    "nothing where a default was": (f"{REFUND}, facts: null", "{cannot_tell: [desk/own-order]}"),
    "a doubt that is meant": (
        f"{REFUND}, facts: {{}}",
        "{effect: deny, cannot_tell: [desk/own-order]}",
    ),
    "a doubt beside a match": (
        "tool: refund, args: {order_id: ORD-0001, amount: 501}, facts: {}",
        "{effect: deny}",
    ),
    "no doubt": (REFUND, "{effect: allow, cannot_tell: []}"),
}


@pytest.mark.parametrize("name", MET)
def test_what_is_expected_comes(desk, name):
    assert differences(desk(one(*MET[name]))) == []


DOUBTS = {
    "nothing but a doubt": (f"{REFUND}, facts: {{}}", "{effect: deny}", True),
    "a rule that doubts": (
        f"{REFUND}, facts: {{}}",
        "{effect: deny, rules: [desk/own-order]}",
        True,
    ),
    "a doubt that is meant": (f"{REFUND}, facts: {{}}", "{cannot_tell: [desk/own-order]}", False),
    "a doubt beside a match": (
        "tool: refund, args: {order_id: ORD-0001, amount: 501}, facts: {}",
        "{effect: deny}",
        False,
    ),
}


@pytest.mark.parametrize("name", DOUBTS)
def test_a_test_that_passes_only_by_doubt_is_warned_about(desk, name):
    request, expect, is_warned = DOUBTS[name]
    (result,) = results(desk(one(request, expect)))
    warning = (
        "deny only because desk/own-order cannot tell: "
        "to mean that, expect `cannot_tell: [desk/own-order]`"
    )
    assert result.passed
    assert [doubt for _, doubt in result.doubts] == ([warning] if is_warned else [])


UNMET = {
    "an effect": (REFUND, "{effect: deny}", "expected deny, got allow"),
    "a rule": (LARGE, "{rules: [desk/own-order]}", 'expected "desk/own-order" to decide'),
    "a match where a doubt is expected": (
        f"{REFUND}, facts: {{order: {{owner: u2}}}}",
        "{effect: deny, cannot_tell: [desk/own-order]}",
        'expected that "desk/own-order" cannot tell, and it matches',
    ),
    "silence where a doubt is expected": (
        REFUND,
        "{cannot_tell: [desk/own-order]}",
        'expected that "desk/own-order" cannot tell, and it does not decide',
    ),
    "a doubt where none is expected": (
        f"{REFUND}, facts: {{}}",
        "{effect: deny, cannot_tell: []}",
        "expected that each rule can tell, and desk/own-order cannot",
    ),
    "a rule that speaks and does not decide": (
        "tool: refund, args: {order_id: ORD-0001, amount: 501}",
        "{rules: [desk/large]}",
        'expected "desk/large" to decide',
    ),
    "what is observed": (
        REFUND,
        "{observed: [desk/watched]}",
        'expected "desk/watched" to be observed',
    ),
    "what it would be": (
        REFUND,
        "{would: deny}",
        "expected that it would be deny, it would be allow",
    ),
    "a message": (REFUND, "{message: No.}", 'expected the message "No.", got ""'),
    "a text": (
        "stage: input, text: a boom here",
        "{text: a boom here}",
        'expected the text "a boom here", got "a <TERM> here"',
    ),
    "arguments that differ in type": (
        "tool: lookup, args: {n: 1}",
        "{args: {n: true}}",
        "expected the args {'n': True}, got {'n': 1}",
    ),
    "labels": (REFUND, "{labels: [untrusted]}", "expected the labels: untrusted; got: none"),
    "an approval": (
        LARGE,
        "{approvals: {desk/large: {quorum: 1}}}",
        'expected "desk/large" to ask for another approval, it asks for 2 of finance within 900 s',
    ),
    "an approval where none is asked": (
        REFUND,
        "{approvals: {desk/large: {}}}",
        'expected "desk/large" to ask for an approval',
    ),
    "a timeout": (REFUND, "{timeout: 31s}", "expected a timeout of 31 s, got 30 s"),
}


@pytest.mark.parametrize("name", UNMET)
def test_what_is_not_expected_is_told(desk, name):
    request, expect, told = UNMET[name]
    assert differences(desk(one(request, expect))) == [told]


def test_steps_share_a_session_and_a_clock(desk):
    path = desk(
        f"""
        {DEFAULTS.strip().replace(chr(10), chr(10) + "        ")}
        tests:
          - name: five refunds an hour
            steps:
              - {{{REFUND}, repeat: 5, expect: {{effect: allow}}}}
              - {{{REFUND}, expect: {{effect: deny, rules: [desk/five]}}}}
              - {{{REFUND}, after: 61m, expect: {{effect: allow}}}}
              - {{tool: fetch, args: {{}}}}
              - {{{REFUND}, expect: {{effect: deny, rules: [desk/steered]}}}}
              - {{{REFUND}, session: another, expect: {{effect: allow}}}}
        """
    )
    assert differences(path) == []


def test_a_failure_says_step_turn_place_and_what_spoke(desk):
    path = desk(
        f"{DEFAULTS}tests:\n  - name: a\n    steps:\n"
        f"      - {{{REFUND}, repeat: 6, expect: {{effect: allow}}}}\n"
    )
    (result,) = results(path)
    (failure,) = result.failures
    assert (failure.step, failure.turn) == (1, 6)
    assert failure.location.line == 11
    assert any(
        reason.startswith("desk/five (deny, limit.exceeded) at ") for reason in failure.reasons
    )


def test_approvals_lift_what_they_are_given_for(desk):
    path = desk(
        f"{DEFAULTS}tests:\n"
        f"  - {{name: a, request: {{{LARGE}}}, approved: [desk/large], "
        "expect: {effect: allow}}\n"
        f"  - {{name: b, request: {{{LARGE}}}, rejected: [desk/large], "
        "expect: {effect: deny}}\n"
    )
    assert differences(path) == []


def test_an_answer_to_what_does_not_ask_fails(desk):
    path = desk(
        f"{DEFAULTS}tests:\n"
        f"  - {{name: a, request: {{{REFUND}}}, approved: [desk/large], "
        "expect: {effect: allow}}\n"
        "  - name: b\n    steps:\n"
        f"      - {{{REFUND}, rejected: [desk/large]}}\n"
        f"      - {{{REFUND}, expect: {{effect: allow}}}}\n"
    )
    assert differences(path) == [
        '"desk/large" is approved here, and does not ask',
        '"desk/large" is rejected here, and does not ask',
    ]


def test_other_values_need_not_ask_for_what_is_approved(desk):
    path = desk(
        f"{DEFAULTS}tests:\n"
        f"  - {{name: a, request: {{{LARGE}}}, approved: [desk/large], expect: {{effect: allow}}, "
        "accepts: {amount: [5, 300]}, refuses: {amount: [501]}}\n"
    )
    assert len(results(path)) == 4
    assert differences(path) == []


def test_cases_of_one_name_are_numbered(desk):
    path = desk(
        """
        tests:
          - {name: "words: ok", request: {stage: input, text: a}, expect: {effect: allow}}
          - name: words
            texts: |
              ok: ok
              ok: ok
              ok: ok (2)
        """
    )
    assert [result.case.name for result in results(path)] == [
        "words: ok",
        "words: ok (2)",
        "words: ok (3)",
        "words: ok (2) (2)",
    ]


def test_a_file_that_is_too_large_is_not_read(desk):
    path = desk("tests: []\n")
    path.write_text("x" * (1 << 20) + "y")
    with pytest.raises(FaultyTestsError, match="larger than 1024 KiB") as caught:
        read_suites([str(path)])
    assert caught.value.faults[0].hint == "split it: every file in a folder named tests is run"


def test_usage_is_settled(desk):
    ask = "stage: model_request, model: small, text: go"
    path = desk(
        f"{DEFAULTS}tests:\n  - name: a\n    steps:\n"
        f"      - {{{ask}, "
        "usage: {input_tokens: 1000000, output_tokens: 0}, expect: {effect: allow}}\n"
        f"      - {{{ask}, expect: {{effect: deny, rules: [desk/cost]}}}}\n"
    )
    assert differences(path) == []


def test_values_of_arguments_are_taken_and_refused(desk):
    path = desk(
        f"""{DEFAULTS}
tests:
  - name: a
    request: {{tool: refund, args: {{order_id: ORD-0001, amount: 5, note: ok}}}}
    expect: {{effect: allow}}
    accepts: {{amount: [0.01, 100], note: [{{$text: [[x, 20]]}}]}}
    accepts_without: [note]
    refuses: {{amount: [0, 501, "5"], note: [{{$text: [[x, 21]]}}], other: [1]}}
    refuses_without: [order_id, amount]
"""
    )
    found = results(path)
    assert len(found) == 1 + 3 + 1 + 5 + 2
    assert all(result.passed for result in found)
    assert [r.case.name for r in found][4] == "a: without note"


def test_a_value_that_is_refused_for_another_reason_is_no_refusal(desk):
    path = desk(f"{one(LARGE, '{effect: require_approval}')[:-2]}, refuses: {{amount: [300]}}}}\n")
    assert differences(path) == [
        "expected deny, got require_approval",
        'expected "desk/tools/refund/args/amount" to decide',
    ]


def test_a_corpus_expects_line_by_line(desk):
    path = desk(
        """
        tests:
          - name: words
            texts: |
              # comments and empty lines say nothing

              ok: hello
              redact[desk/words]: a boom => a <TERM>
              ok: bang
          - name: notes
            request: {tool: refund, args: {order_id: ORD-0001, amount: 5}, principal: {id: u1},
                      facts: {order: {owner: u1}}, context: {env: prod}}
            in: args.note
            texts: |
              ok: short
              deny[desk/tools/refund/args/note]: longer than twenty characters
        """
    )
    found = results(path)
    assert [r.passed for r in found] == [True, True, False, True, True]
    assert found[2].failures[0].location.line == 10


DOUBTED = """
tests:
  - name: notes
    defaults: {principal: {id: u1}, context: {env: prod}}
    request: {tool: refund, args: {order_id: ORD-0001, amount: 5}}
    in: args.note
    texts: |
      LINE
"""
UNTOLD = "deny[cannot_tell: desk/own-order]: short"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (UNTOLD, []),
        ("deny[desk/tools/refund/args/note]: longer than twenty characters", []),
        (
            "deny[desk/tools/refund/args/note, cannot_tell: desk/own-order]: longer than twenty ch",
            [],
        ),
        (
            "deny[cannot_tell: desk/tools/refund/args/note]: longer than twenty characters",
            ['expected that "desk/tools/refund/args/note" cannot tell, and it matches'],
        ),
    ],
)
def test_a_line_of_a_corpus_may_expect_doubt(desk, line, found):
    path = desk(DOUBTED.replace("LINE", line))
    assert differences(path) == found


def test_doubt_that_a_line_expects_is_not_warned_of(desk):
    (plain,) = results(desk(DOUBTED.replace("LINE", "deny: short")))
    assert "cannot_tell: [desk/own-order]" in plain.doubts[0][1]
    (meant,) = results(desk(DOUBTED.replace("LINE", UNTOLD)))
    assert meant.doubts == ()


def test_what_a_matrix_does_not_list_must_be_denied(desk):
    path = desk(
        """
        tests:
          - name: who
            matrix:
              principals: {ada: {principal: {id: u1}}, eve: {principal: {id: u2}}}
              tools: {lookup: {}, fetch: {}, shell: {command: ls}}
              allow: {ada: ["*"], eve: [lookup]}
        """
    )
    failed = {r.case.name: r.failures[0].differences for r in results(path) if not r.passed}
    assert failed == {
        "who: ada, shell": ("expected allow, got deny",),
        "who: eve, fetch": ("expected deny, got allow",),
    }


def test_what_a_matrix_calls_unknown_must_be_denied_by_default(desk):
    path = desk(
        """
        tests:
          - name: who
            matrix:
              principals: {ada: {principal: {id: u1}}, eve: {principal: {id: u2}}}
              tools: {lookup: {}}
              unknown: [refunds, Lookup, lookup_x]
              allow: {ada: [lookup], eve: [lookup]}
          - name: names
            matrix: {principals: {ada: {principal: {id: u1}}}, unknown: [fetch, refund, exec]}
        """
    )
    failed = {r.case.name: r.failures[0].differences for r in results(path) if not r.passed}
    by_default = 'expected "desk/default" or "no-policy" to decide'
    assert failed == {
        "names: ada, fetch": ("expected deny, got allow", by_default),
        "names: ada, refund": (by_default,),
    }
    assert len(results(path)) == 2 * 4 + 3


@pytest.mark.parametrize(
    "denied",
    [
        ("{tool: refunds, args: {}}", "desk/default"),
        ("{tool: refund, args: {order_id: ORD-0001, amount: 5, amuont: 5}}", "args"),
    ],
)
def test_what_the_hint_about_a_near_name_says_lets_the_test_run(desk, denied):
    request, named = denied
    test = f"{DEFAULTS}tests:\n  - {{name: a, request: {request}, expect: {{effect: deny}}}}\n"
    with pytest.raises(FaultyTestsError) as caught:
        results(desk(test))
    (fault,) = caught.value.faults
    told = fault.hint.partition("expect `")[2].rstrip("`")
    assert told.startswith("rules: [desk/")
    assert named in told
    (result,) = results(desk(test.replace("effect: deny", f"effect: deny, {told}")))
    assert result.passed
