"""Coverage: match, no match and cannot tell of rules, branches, arguments, patterns, limits."""

from policy_engine.testing.outcome import run_tests
from policy_engine.testing.reading import read_suites

HEAD = """
defaults: {agent: a, principal: {id: u1}, context: {env: prod}, facts: {order: {owner: u1}}}
tests:
"""


def seen(path):
    summary = run_tests(read_suites([str(path)]), coverage=True)
    return {
        (one.item.kind, one.item.rule.removeprefix("desk/"), one.item.what): (
            sorted(map(str, one.seen)),
            sorted(map(str, one.item.wanted)),
        )
        for one in summary.covered
    }


def test_a_rule_is_seen_with_each_outcome(desk):
    refund = "tool: refund, args: {order_id: ORD-0001, amount: %s}"
    steps = [refund % 5, refund % 200, refund % "x"]
    tests = "".join(
        f"  - {{name: {i}s, request: {{{s}}}, expect: {{}}}}\n".replace("{}", "{would: deny}")
        for i, s in enumerate(steps)
    )
    found = seen(desk(HEAD + tests))
    everything = ["cannot tell", "match", "no match"]
    assert found["rule", "large", ""] == (everything, everything)
    assert found["rule", "own-order", ""] == (["no match"], everything)
    assert found["argument", "tools/refund", "amount.type"] == (
        ["match", "no match"],
        ["match", "no match"],
    )
    assert found["argument", "tools/refund", "amount.maximum"][0] == ["no match"]
    assert found["argument", "tools/refund", "note.optional"][0] == ["match"]


def test_each_term_of_a_condition_is_a_branch(desk):
    found = seen(
        desk(
            HEAD
            + "  - name: a\n    steps:\n      - {tool: fetch, args: {}}\n"
            + "      - {tool: refund, args: {order_id: ORD-0001, amount: 5}, "
            + "context: {env: staging}, expect: {effect: allow}}\n"
        )
    )
    assert found["branch", "steered", '"untrusted" in session.labels'][0] == ["match"]
    assert found["branch", "steered", 'context.env == "prod"'][0] == ["no match"]


def test_each_term_of_a_list_is_looked_for_alone(desk):
    found = seen(desk(HEAD + "  - {name: a, texts: 'redact: boom => <TERM>'}\n"))
    assert found["pattern", "words", "boom"][0] == ["match"]
    assert found["pattern", "words", "bang"][0] == ["no match"]


def test_a_picture_cannot_be_told(desk):
    picture = "text: [{type: image_url, image_url: {url: x}}]"
    test = f"{{name: a, request: {{stage: input, {picture}}}, expect: {{effect: deny}}}}"
    found = seen(desk(HEAD + f"  - {test}\n"))
    assert found["rule", "words", ""][0] == ["cannot tell"]


def test_limits_entries_and_defaults_are_covered(desk):
    found = seen(
        desk(
            HEAD
            + "  - {name: a, request: {tool: lookup, args: {}}, expect: {effect: allow}}\n"
            + "  - {name: b, request: {tool: shell, args: {}}, expect: {rules: [desk/default]}}\n"
            + "  - {name: c, request: {tool: refund, session: null, "
            + "args: {order_id: x, amount: 1}}, expect: {effect: deny, rules: [desk/five]}}\n"
        )
    )
    assert found["entry", "tools/lookup", ""][0] == ["match"]
    assert found["entry", "tools/fetch", ""][0] == []
    assert found["default", "default", ""][0] == ["match"]
    assert found["limit", "five", ""][0] == ["cannot tell"]
    assert found["limit", "cost", ""][0] == []


def test_nothing_that_no_request_can_bring_about_is_wanted(desk):
    found = seen(
        desk(HEAD + "  - {name: a, request: {tool: lookup, args: {}}, expect: {effect: allow}}\n")
    )
    assert found["rule", "too-long", ""][1] == ["cannot tell", "match", "no match"]
    assert found["entry", "tools/lookup", ""][1] == ["match"]
    assert found["argument", "tools/refund", "note.maxLength"][1] == ["match", "no match"]
