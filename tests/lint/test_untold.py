"""What is said of rules, against requests of which something cannot be told.

Random rules over integers that overflow, numbers that are none, facts that failed, arguments that
are left out: what the compiled conditions say of each request is what the findings must agree
with. Two rules each, so that one may overrule the other.
"""

import json
import random
import re
from datetime import UTC, datetime

import pytest

from policy_engine.decision import Facts, Request, Session
from policy_engine.errors import PolicyError
from policy_engine.lint import lint
from policy_engine.lint.edits import apply_edits
from policy_engine.loader import load_texts

NUMBERS = [
    "args.i", "args.n", "args.a", "args.b", "args.i * args.i", "args.n + 1", "args.i - args.n",
    "args.a / args.b", "args.a - args.b", "facts.f.x", "facts.f.y", "context.c", "size(args.l)",
    "(has(args.o) ? args.o : 0)", "double(args.s)", "-args.i", "args.n % 3",
]  # fmt: skip
BOUNDS = ["0", "1", "2", "5", "100", "2.5", "-1", "args.n", "args.a", "facts.f.x", "args.i"]
ORDERS = ["<", "<=", ">", ">=", "==", "!="]
WORDS = ['"a"', '"A"', '"ab"', '""', '"b\\nb"', '"12"']
PATTERNS = [
    "^a", "b$", "(?m)^b$", "[[:upper:]]", "^[[:alpha:]]+$", "(?i)^A$", "^[^a]$", "^.$", "\\\\d",
    "[[:^digit:]]", "(?s)^.{3}$", "\\\\pL", "^(a|ab)$",
]  # fmt: skip
OTHERS = [
    "args.f", "has(args.o)", "(has(args.o) && args.o > 1)", "has(facts.f.x)",
    '"a" in args.l', "args.l.all(x, x == args.s)", 'args.l.exists(x, x.startsWith("a"))',
    "args.d.all(x, x / 0.0 == x / 0.0)", "args.a / args.b == args.a / args.b", "args.i == args.i",
    'args.u == "a"', "args.u == 1", "facts.f.x > 5 && facts.f.x < 3", "args.i * args.i < 0",
]  # fmt: skip


def test_of(rng):
    """Return one test of one value."""
    match rng.randrange(4):
        case 0 | 1:
            return f"{rng.choice(NUMBERS)} {rng.choice(ORDERS)} {rng.choice(BOUNDS)}"
        case 2:
            return rng.choice(OTHERS)
    asked = rng.choice(
        [
            f"args.s {rng.choice(ORDERS)} {rng.choice(WORDS)}",
            f"args.s.startsWith({rng.choice(WORDS)})",
            f'args.s.matches("{rng.choice(PATTERNS)}")',
            f"args.s in [{rng.choice(WORDS)}, {rng.choice(WORDS)}]",
        ]
    )
    return asked.replace("args.s", rng.choice(["args.s", "args.e"]))


test_of.__test__ = False


def condition(rng, depth=2):
    """Return a condition about some values."""
    drawn = rng.random()
    if depth == 0 or drawn < 0.3:
        return test_of(rng)
    if drawn < 0.9:
        sign = " && " if drawn < 0.6 else " || "
        parts = [condition(rng, depth - 1) for _ in range(2)]
        if drawn < 0.45:
            return f"!({sign.join(parts)})"
        return f"({sign.join(parts)})"
    first, then, other = (condition(rng, depth - 1) for _ in range(3))
    return f"({first} ? {then} : {other})"


def pair(rng):
    """Return two conditions that have something to do with each other."""
    one, other, third = (condition(rng, 1) for _ in range(3))
    return rng.choice(
        [
            (f"{one} && {other}", one),
            (one, f"{one} || {other}"),
            (f"{one} || {other}", one),
            (f"({one}) && ({other})", f"({one}) || ({third})"),
            (f"!({one} && {other})", f"({one}) ? ({other}) : ({third})"),
            (condition(rng), condition(rng)),
        ]
    )


ARGS = {
    "i": {"type": "integer"},
    "n": {"type": "integer", "minimum": 0, "maximum": 9},
    "a": {"type": "number", "minimum": 0, "maximum": 100},
    "b": {"type": "number"},
    "s": {"type": "string", "maxLength": 9},
    "e": {"enum": ["a", "A", "b\nb"]},
    "l": {"type": "array", "items": {"type": "string", "maxLength": 3}, "maxItems": 3},
    "d": {"type": "array", "items": {"type": "number"}, "maxItems": 2},
    "o": {"type": "integer", "optional": True},
    "u": {"type": ["string", "integer"]},
    "f": {"type": "boolean"},
}
FACT = {"type": "object", "properties": {"x": {"type": "number"}, "y": {"type": "integer"}}}


def policy_of(conditions):
    """Return a policy with a rule that asks and one that denies."""
    asks = {"effect": "require_approval", "approval": {"approvers": ["x"], "expires": "1h"}}
    rules = [
        {"id": f"r{index}", "when": when, **(asks if index == 0 else {"effect": "deny"})}
        for index, when in enumerate(conditions)
    ]
    return json.dumps(
        {
            "policy": "p",
            "language": 1,
            "context": {"c": {"type": "number"}},
            "facts": {"f": {"from": "app:f", "with": ["args.i"], "schema": FACT}},
            "tools": {"t": {"args": ARGS, "rules": rules}},
        }
    )


VALUES = {
    "i": [0, 1, 5, 101, -1, 2**40, -(2**40), 2**63 - 1, -(2**63), 2**70],
    "n": [0, 1, 2, 5, 9],
    "a": [0, 0.0, 1, 2.5, 5, 100],
    "b": [0, 0.0, 1.0, -1, 2.5, 1e308, 2**60],
    "s": ["", "a", "A", "ab", "b\nb", "12", "nan", "é", "\ud800"],
    "e": ["a", "A", "b\nb"],
    "l": [[], ["a"], ["A", "ab"], ["a", "a"]],
    "d": [[], [0.0], [1.0, 2]],
    "o": [None, 0, 1, 2, 2**70],
    "u": ["a", "b", 1, 1.0],
    "f": [True, False],
}
ANSWERS = [{}, {"f": {}}, *({"f": {"x": x, "y": y}} for x in (0, 2.5, 4, 6) for y in (0, 5))]


def requests(rng, many):
    """Go through requests, with some of which something is wrong."""
    for _ in range(many):
        args = {name: rng.choice(values) for name, values in VALUES.items()}
        if args["o"] is None and rng.random() < 0.7:
            del args["o"]
        context = rng.choice([{}, {"c": 0}, {"c": 3}, {"c": 1000.5}])
        yield (
            Request(stage="tool_call", tool="t", agent="a", args=args, context=context),
            Facts(
                now=datetime(2026, 1, 5, tzinfo=UTC),
                session=Session(),
                answers=rng.choice(ANSWERS),
            ),
        )


REQUESTS = list(requests(random.Random(7), 300))


def functions_of(text):
    """Return what tells of each rule of a policy whether it matches."""
    compiled = load_texts({"p.yaml": text}, warm=False)
    return compiled, [r.condition.function for r in compiled.parts[0].entry_rules["tools", "t"]]


def told(function):
    """Return what a condition says of every request."""
    return [function(*request) for request in REQUESTS]


def without(text, part):
    """Return the conditions that are left of one where a part is taken out, as far as known."""
    for joined in (f"{part} && ", f" && {part}", f"{part} || ", f" || {part}"):
        if text.count(part) == 1 and joined in text:
            yield text.replace(joined, "")


def judge(conditions):
    """Hold everything that is said of two rules against what they say; what was said."""
    try:
        compiled, functions = functions_of(policy_of(conditions))
    except PolicyError:
        return []
    said = [one for one in lint(compiled).findings if one.code in JUDGES]
    outcomes = [told(function) for function in functions] if said else []
    for finding in said:
        index = 0 if '"r0"' in finding.message else 1
        JUDGES[finding.code](finding, conditions, outcomes, index)
    return [finding.code for finding in said]


def impossible(finding, _, outcomes, index):
    assert True not in outcomes[index], finding.message
    if "never speaks" in finding.message:
        assert None not in outcomes[index], finding.message


def constant(finding, _, outcomes, index):
    assert False not in outcomes[index], finding.message


def comparison(finding, *_):
    said = re.fullmatch(
        r'"(.*)" is (never|always) true (?:in "r."|where "(.*)" is (true|false))', finding.message
    )
    part, word, asked, given = said.groups()
    if asked is None:
        _, (function,) = functions_of(policy_of([part]))
        assert (word == "never") not in told(function), finding.message
        return
    _, both = functions_of(policy_of([part, asked]))
    for came, test in zip(*map(told, both), strict=True):
        assert test is not (given == "true") or came is not (word == "never"), finding.message


def redundant(finding, conditions, *_):
    part = re.match(r'"(.*)" changes nothing', finding.message)[1]
    for text in conditions:
        for rest in without(text, part):
            _, (whole, less) = functions_of(policy_of([text, rest]))
            for before, after in zip(told(whole), told(less), strict=True):
                if "!" not in text and "?" not in text:
                    assert before is False or after is not False, (finding.message, text)


def shadowed(finding, conditions, outcomes, index):
    for ours, theirs in zip(outcomes[index], outcomes[1 - index], strict=True):
        assert ours is False or theirs is not False, (finding.message, conditions)


JUDGES = {
    "PE101": impossible,
    "PE102": constant,
    "PE103": comparison,
    "PE104": redundant,
    "PE106": shadowed,
}


def test_what_is_said_of_rules_holds_where_something_cannot_be_told():
    rng = random.Random(11)
    said = []
    for _ in range(500):
        said.extend(judge(pair(rng)))
    for code in JUDGES:
        assert said.count(code) >= 2, (code, said.count(code))


NEVER, UNTOLD = "never speaks", "speaks only where it cannot be told"


@pytest.mark.parametrize(
    ("when", "wanted"),
    [
        ("args.n > 5 && args.n < 3", NEVER),
        ("args.n + 1 > 20", NEVER),
        ("args.i > 5 && args.i < 3", UNTOLD),
        ("args.i * args.i < 0", UNTOLD),
        ("facts.f.x > 5 && facts.f.x < 3", UNTOLD),
        ("context.c > 5 && context.c < 3", UNTOLD),
        ('args.s == "a" && args.s == "b"', NEVER),
        ("has(args.o) && args.n > 9", NEVER),
        ("has(args.o) && args.o > 3 && args.o < 2", UNTOLD),
        ("args.f && (args.n > 9 || args.n < 0)", NEVER),
        ('args.l.exists(x, x == "a") && args.l.all(x, x == "b")', NEVER),
        ("(args.f ? args.n : 3) > 50 && args.f", NEVER),
    ],
)
def test_a_rule_that_never_matches_may_speak_where_it_cannot_be_told(when, wanted):
    compiled, (function,) = functions_of(policy_of([when]))
    (said,) = [one.message for one in lint(compiled).findings if one.code == "PE101"]
    assert said.endswith(f'so "r0" {wanted}')
    if wanted is NEVER:
        assert set(told(function)) == {False}


@pytest.mark.parametrize(
    ("conditions", "is_idle"),
    [
        (("args.n > 5", "args.n > 3"), True),
        (("args.i > 5", "args.i > 3"), True),
        (("facts.f.x > 5", "facts.f.x > 3"), True),
        (("facts.f.x > 5 && args.n > 2", "facts.f.x > 3 || args.n > 8"), True),
        (("facts.f.x > 5 && args.i > 3", "facts.f.x > 3 && args.i > -1"), True),
        (("args.i > 100 || args.i * args.i < 0", "args.i > 100"), False),
        (("args.n > 5 || facts.f.x > 5 && facts.f.x < 3", "args.n > 5"), False),
        (('args.s.matches("^ab")', 'args.s.startsWith("a")'), False),
        (('args.s.matches("^ab")', 'args.s.matches("^a")'), True),
        (('args.s.startsWith("ab")', 'args.s.matches("^a")'), True),
    ],
)
def test_a_rule_that_decides_where_it_cannot_be_told_is_not_idle(conditions, is_idle):
    compiled, functions = functions_of(policy_of(conditions))
    said = [one for one in lint(compiled).findings if one.code == "PE106"]
    assert bool(said) is is_idle
    outcomes = list(zip(*map(told, functions), strict=True))
    assert any(ours is not False and theirs is False for ours, theirs in outcomes) is not is_idle


@pytest.mark.parametrize(
    ("when", "part", "word"),
    [
        ("!(args.n <= 50 && args.f)", "args.n <= 50", "always"),
        ("!(args.n > 50) && args.f", "args.n > 50", "never"),
        ("(args.n <= 50 || args.b > 1) ? args.f : false", "args.n <= 50", "always"),
        ("(args.n > 50 && args.f) ? args.b > 1 : args.b < 0", "args.n > 50", "never"),
        ("!(!(50 >= args.n) || args.f)", "50 >= args.n", "always"),
        ("!(args.n != 50 && args.f)", "args.n != 50", "always"),
        ("!(args.s.size() <= 9 && args.f)", "args.s.size() <= 9", "always"),
        ("!(args.i * args.i >= 0 && args.f)", "args.i * args.i >= 0", "always"),
    ],
)
def test_a_part_under_a_negation_is_said_to_be_what_it_is(when, part, word):
    compiled, _ = functions_of(policy_of([when]))
    said = [one.message for one in lint(compiled).findings if one.code == "PE103"]
    assert said == [f'"{part}" is {word} true in "r0"']


@pytest.mark.parametrize(
    "when",
    [
        "args.a / args.b != args.a / args.b",
        "double(args.s) != double(args.s)",
        "args.d.exists(x, x / 0.0 != x / 0.0)",
        "!(args.d.all(x, x / 0.0 == x / 0.0))",
    ],
)
def test_what_is_no_number_does_not_equal_itself(when):
    compiled, (function,) = functions_of(policy_of([when]))
    codes = {one.code for one in lint(compiled).findings}
    assert not codes & set(JUDGES)
    assert True in told(function)


@pytest.mark.parametrize(
    "when",
    [
        "has(args.o) && args.o > 3 && (has(args.o) && args.n < 1)",
        "has(args.o) && args.o > 3 && (has(args.o) && args.o > 3 && args.n < 1)",
        "!has(args.o) || args.o > 3 || (!has(args.o) || args.n < 1)",
    ],
)
def test_the_question_without_which_a_read_would_not_load_is_not_taken_out(when):
    compiled, _ = functions_of(policy_of([when]))
    text = policy_of([when])
    for finding in lint(compiled).findings:
        if finding.code == "PE104":
            load_texts(apply_edits({"p.yaml": text}, finding.edits), warm=False)
            assert not finding.message.startswith(('"has(args.o)"', '"!has(args.o)"'))
