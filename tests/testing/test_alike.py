"""Mutants that are proved to decide like the policy, and near ones that are not."""

from itertools import product
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import ROOT

from policy_engine.cel import (
    BOOL,
    DOUBLE,
    DYN,
    STRING,
    Environment,
    ListType,
    Variable,
    compile_condition,
)
from policy_engine.cel.types import Field, RecordType
from policy_engine.checks.arguments import compile_arguments
from policy_engine.compiler import Variants
from policy_engine.engine import Engine
from policy_engine.errors import PolicyError
from policy_engine.lint.proof.regexes import sample
from policy_engine.loader import load, load_texts
from policy_engine.testing.mutation.alike import prove
from policy_engine.testing.mutation.alike.kinds import Known, outcomes
from policy_engine.testing.mutation.alike.values import is_never
from policy_engine.testing.mutation.enumerate import mutants_of
from policy_engine.testing.mutation.examine import Examiner
from policy_engine.testing.mutation.schemas import loosened
from policy_engine.text import Patterns

ENVIRONMENT = Environment(
    {
        "args": Variable(
            RecordType(
                "args",
                {
                    "x": Field(DYN, optional=True),
                    "s": Field(STRING),
                    "n": Field(DOUBLE),
                    "b": Field(BOOL),
                    "l": Field(ListType(STRING)),
                },
            ),
            ("request", "args"),
        )
    }
)
CONDITIONS = [
    "has(args.x) && args.x == args.s",
    "has(args.x) && args.x != args.s",
    "has(args.x) && !(args.x == 'a') || args.b",
    "has(args.x) && (args.b || args.x < args.n)",
    "has(args.x) && args.x in args.l",
    "has(args.x) && args.s in args.x",
    "has(args.x) && args.x in ['a', 'b']",
    "has(args.x) && !args.x",
    "has(args.x) && args.x && args.b",
    "has(args.x) && args.x + args.n > 3.0",
    "has(args.x) && args.x + args.s == 'ab'",
    "has(args.x) && args.x.startsWith(args.s)",
    "has(args.x) && !args.x.lowerAscii().endsWith('b')",
    "has(args.x) && args.s.contains(args.x)",
    "has(args.x) && args.x.size() > 0",
    "has(args.x) && args.x.all(e, e in args.l)",
    "has(args.x) && args.x.exists(e, e == args.s)",
    "has(args.x) && args.l.all(e, e != args.x)",
    "has(args.x) && args.l.exists(e, e.startsWith(args.x))",
    "has(args.x) && args.l.exists_one(e, e == args.x)",
    "has(args.x) && (args.b ? args.x == 'a' : args.x > 1.0)",
    "has(args.x) && args.l.filter(e, e == args.x).size() == 0",
    "has(args.x) && cel.bind(y, args.x, y != 'a')",
    "has(args.x) && [args.x, args.s].exists(e, e == 'a')",
    "has(args.x) && args.x.a == 'a'",
    "has(args.x) && has(args.x.a)",
    "!has(args.x)",
]
VALUES = {
    "string": st.sampled_from(["", "a", "ab", "b"]),
    "number": st.sampled_from([0, 1, 2, 2.5, -1]),
    "bool": st.booleans(),
    "null": st.none(),
    "list": st.lists(st.sampled_from(["a", "b", 1]), max_size=2),
    "map": st.dictionaries(st.sampled_from(["a", "s"]), st.sampled_from(["a", 1]), max_size=2),
}
ODD = st.one_of(*VALUES.values())


@settings(max_examples=1_000, deadline=None)
@given(data=st.data())
def test_a_condition_never_comes_to_anything_else(data):
    """What is told of a value by its kind holds of each value of that kind."""
    text = data.draw(st.sampled_from(CONDITIONS))
    kind = data.draw(st.sampled_from(sorted(VALUES)))
    condition = compile_condition(text, ENVIRONMENT)
    args = {
        "x": data.draw(VALUES[kind]),
        "s": data.draw(st.one_of(VALUES["string"], ODD)),
        "n": data.draw(st.one_of(VALUES["number"], ODD)),
        "b": data.draw(st.one_of(VALUES["bool"], ODD)),
        "l": data.draw(st.one_of(st.lists(VALUES["string"], max_size=2), ODD)),
    }
    came = condition.function(SimpleNamespace(args=args), None)
    assert came in outcomes(condition.tree, Known(("args", "x"), frozenset({kind})))
    if kind == "string":
        known = Known(("args", "x"), frozenset({kind}), (args["x"],))
        assert came in outcomes(condition.tree, known)


def test_kinds_tell_something_of_most_conditions():
    """Every outcome of everything would be no false proof, and no proof either."""
    known = Known(("args", "x"), frozenset({"number"}))
    found = {
        text: outcomes(compile_condition(text, ENVIRONMENT).tree, known) for text in CONDITIONS
    }
    assert found["has(args.x) && args.x == args.s"] == {False, None}
    assert found["has(args.x) && args.x != args.s"] == {True, None}
    assert found["has(args.x) && args.x.startsWith(args.s)"] == {None}
    assert found["has(args.x) && args.x.all(e, e in args.l)"] == {None}
    assert found["has(args.x) && !args.x"] == {None}
    assert found["!has(args.x)"] == {False}


PIECES = st.sampled_from(
    [
        "a",
        "ab",
        "[a-c]",
        "[^@]",
        "[0-9]",
        r"\.",
        ".",
        "a?",
        "[ab]+",
        "x*",
        "(a|b)",
        "(x|ab|y)?",
        r"\d",
    ]
)
COUNTS = st.sampled_from(["", "", "{2}", "{1,3}", "{0,2}", "{2,}"])
PATTERN_PARTS = st.lists(
    st.tuples(PIECES, COUNTS).map(lambda one: f"(?:{one[0]}){one[1]}" if one[1] else one[0]),
    min_size=1,
    max_size=4,
)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_text_never_breaks_what_is_proved_of_patterns(data):
    """Whatever a loosened schema takes, the schema takes, where that is said to be proved."""
    head, tail = data.draw(st.sampled_from([("^", "$"), ("", "$"), ("^", ""), ("", "")]))
    pattern = head + "".join(data.draw(PATTERN_PARTS)) + tail
    beside = data.draw(
        st.fixed_dictionaries(
            {},
            optional={
                "maxLength": st.integers(0, 8),
                "minLength": st.integers(1, 8),
                "pattern": st.just(pattern),
            },
        )
    )
    schema = {"type": "string", **beside}
    before = compile_arguments({"x": schema}, closed=True, patterns=Patterns())
    for one in loosened(schema, top=False):
        if one.schema.get("type") != "string" or not is_never(("args", "x"), one.schema, schema):
            continue
        after = compile_arguments({"x": one.schema}, closed=True, patterns=Patterns())
        texts = [*TEXTS, *sample(one.schema.get("pattern", "a*"))]
        texts.extend(data.draw(st.lists(st.text("abcxy01.@ ", max_size=9), max_size=20)))
        told = [text for text in texts if after.fits({"x": text}) and not before.fits({"x": text})]
        assert not told, (one.what, told)


TEXTS = ["".join(signs) for n in range(4) for signs in product("ax0.@", repeat=n)]
"""Every short text of signs that the patterns tell apart."""


def test_what_is_proved_of_patterns_is_not_nothing():
    schema = {"type": "string", "pattern": "^[ab]{1,3}$", "maxLength": 3}
    same = [
        one.what
        for one in loosened(schema, top=False)
        if is_never(("args", "x"), one.schema, schema)
    ]
    assert same == ["`{1,3}` is `{1,}` at character 6 of the pattern", "maxLength 3 is 4"]


HEAD = "policy: p\nlanguage: 1\n"
FACT = (
    HEAD + "facts: {order: {from: app:order, schema: {type: object, properties:"
    " {owner: {type: string}, state: {enum: [open, sent]}, total: {type: number}}}}}\n"
)
OWN = "{id: own, when: facts.order.owner != principal.id, effect: deny}"
OPEN = '{id: open, when: facts.order.state != "open", effect: deny}'
CEILING = (
    "rules: [{id: top, tools: ['*pay*'], args: {n: {type: number, maximum: 9}}, effect: deny}]\n"
)

PROVED = {
    "a bound that another keyword implies": (
        HEAD + "tools: {t: {args: {s: {type: string, minLength: 1, pattern: '^[a-z]+$'}}}}\n",
        "s: minLength 1 is gone",
        "it takes the same values",
    ),
    "an argument that may not be there anyway": (
        HEAD + "tools: {t: {args: {c: {type: array, optional: true, items: {type: string, "
        "pattern: '^[a-z]+@x$'}}},\n"
        "  rules: [{id: none, when: has(args.c) && args.c.size() > 0, effect: deny}]}}\n",
        "c: `+` is `*` at character 7 of the pattern",
        '"p/none" denies what else it takes',
    ),
    "a list whose elements are looked at": (
        HEAD + "tools: {t: {args: {l: {type: array, items: {type: string}}},\n"
        "  rules: [{id: all, when: '!args.l.all(e, e.startsWith(\"a\"))', effect: deny}]}}\n",
        "l: string is taken as well",
        '"p/all" denies what else it takes',
    ),
    "a fact that is compared": (
        FACT + f"tools: {{t: {{args: {{}}, rules: [{OWN}]}}}}\n",
        'facts.order: any type is taken, not only "string"',
        "each rule that reads it speaks of such a value as before",
    ),
    "a fact that another rule reads where it does not matter": (
        FACT + f"tools: {{t: {{args: {{}}, rules: [{OWN}, {OPEN}]}}}}\n",
        'facts.order: any type is taken, not only "string"',
        '"p/own" denies all that is told otherwise',
    ),
    "a state that no rule lets through": (
        FACT + f"tools: {{t: {{args: {{}}, rules: [{OPEN}]}}}}\n",
        "facts.order: the list is longer",
        "each rule that reads it speaks of such a value as before",
    ),
    "a fact that nothing reads": (
        FACT + "tools: {t: {args: {}}}\n",
        'facts.order: any type is taken, not only "number"',
        "no condition reads it",
    ),
    "a ceiling above each entry's own": (
        HEAD + "tools: {pay: {args: {n: {type: number, maximum: 5}}}}\n" + CEILING,
        "n: maximum 9 is 10",
        "each entry that grants such a call refuses what is told otherwise",
    ),
    "a ceiling on what each entry asks for": (
        HEAD + "tools: {pay: {args: {n: {type: number, maximum: 5}}}, other: allow}\n" + CEILING,
        "n: the argument may be absent",
        "each entry that grants such a call refuses what is told otherwise",
    ),
    "a glob that covers the same tools": (
        HEAD + "tools: {to_pay: {args: {n: {type: number}}}}\n" + CEILING,
        '"*pay*" is "*pay" in `tools`',
        "no entry grants a tool that it covers otherwise",
    ),
}
TEXTS = HEAD + (
    "input:\n"
    "  - {id: words, check: {terms: {any: [boom]}}, effect: redact}\n"
    "  - {id: more, check: {terms: {any: [bang]}}, effect: deny}\n"
)
PROVED["what another rule cannot read either"] = (
    TEXTS,
    "what cannot be read passes the check",
    '"p/words" denies what cannot be read',
)
UNPROVED = {
    "what another rule lets pass unread": (
        TEXTS.replace("effect: redact", "effect: redact, unread: allow"),
        "what cannot be read passes the check",
    ),
    "what another rule denies at times": (
        TEXTS.replace("effect: redact", "when: agent == 'a', effect: redact"),
        "what cannot be read passes the check",
    ),
    "a bound that does something": (
        HEAD + "tools: {t: {args: {s: {type: string, minLength: 1, pattern: '^[a-z]*$'}}}}\n",
        "s: minLength 1 is gone",
    ),
    "what a rule only asks about": (
        PROVED["a list whose elements are looked at"][0].replace(
            "effect: deny", "effect: require_approval, approval: {approvers: [a], expires: 1h}"
        ),
        "l: string is taken as well",
    ),
    "what a rule only observes": (
        PROVED["a list whose elements are looked at"][0].replace(
            "effect: deny", "effect: deny, mode: observe"
        ),
        "l: string is taken as well",
    ),
    "a list whose elements may be missing": (
        HEAD + "tools: {t: {args: {l: {type: array, items: {type: string}}},\n"
        "  rules: [{id: b, when: 'context.b && args.l.exists(e, e == \"a\")', effect: deny}]}}\n"
        "context: {b: {type: boolean}}\n",
        "l: string is taken as well",
    ),
    "a fact that must be equal to be stopped": (
        FACT + f"tools: {{t: {{args: {{}}, rules: [{OWN.replace('!=', '==')}]}}}}\n",
        'facts.order: any type is taken, not only "string"',
    ),
    "a number, which is no double where its type is not declared": (
        FACT + "tools: {t: {args: {}, rules: "
        "[{id: much, when: facts.order.total > 5.0, effect: deny}]}}\n",
        'facts.order: any type is taken, not only "number"',
    ),
    "a fact that a tool reads without the rule that stops it": (
        FACT + f"tools: {{t: {{args: {{}}, rules: [{OWN}, {OPEN}]}}, u: {{args: {{}}, rules: "
        f"[{OPEN.replace('id: open', 'id: open2')}]}}}}\n",
        'facts.order: any type is taken, not only "string"',
    ),
    "a state that one rule lets through": (
        FACT
        + f"tools: {{t: {{args: {{}}, rules: [{OPEN}]}}, u: {{args: {{}}, rules: [{OWN}]}}}}\n",
        "facts.order: the list is longer",
    ),
    "a ceiling below an entry's own": (
        HEAD + "tools: {pay: {args: {n: {type: number, maximum: 10}}}}\n" + CEILING,
        "n: maximum 9 is 10",
    ),
    "a ceiling where an entry takes anything": (
        HEAD + "tools: {pay: allow}\n" + CEILING,
        "n: maximum 9 is 10",
    ),
    "a ceiling where an entry's argument may be absent": (
        HEAD + "tools: {pay: {args: {n: {type: number, maximum: 5, optional: true}}}}\n" + CEILING,
        "n: the argument may be absent",
    ),
    "a ceiling where an entry takes nothing for a number": (
        HEAD + "tools: {pay: {args: {n: {type: [number, 'null'], maximum: 5}}}}\n" + CEILING,
        "n: the argument may be absent",
    ),
    "a ceiling where names without an entry are allowed": (
        HEAD + "default: allow\ntools: {pay: {args: {n: {type: number, maximum: 5}}}}\n" + CEILING,
        "n: maximum 9 is 10",
    ),
    "a glob that covers more": (
        HEAD + "tools: {pay_all: {args: {n: {type: number}}}}\n" + CEILING,
        '"*pay*" is "*pay" in `tools`',
    ),
    "a glob over a glob": (
        HEAD + "tools: {'to_*': {args: {n: {type: number, minimum: 10}}}}\n" + CEILING,
        '"*pay*" is "*pay" in `tools`',
    ),
}


def proved(text, what):
    compiled = load_texts({"p.yaml": text})
    variants = Variants(compiled)
    *_, mutant = (one for one in mutants_of(compiled) if one.what == what)
    changed = variants.make(mutant.index, mutant.policy, mutant.unit)
    return prove(mutant, compiled, changed)


@pytest.mark.parametrize("name", PROVED)
def test_it_is_proved_that_a_mutant_decides_alike(name):
    text, what, why = PROVED[name]
    assert proved(text, what) == why


@pytest.mark.parametrize("name", UNPROVED)
def test_it_is_not_proved_of_a_mutant_that_decides_otherwise(name):
    assert proved(*UNPROVED[name]) is None


@pytest.mark.parametrize("name", UNPROVED)
def test_a_call_tells_each_of_those_apart(name):
    text, what = UNPROVED[name]
    compiled = load_texts({"p.yaml": text})
    examiner = Examiner(compiled, [])
    *_, number = (i for i, one in enumerate(examiner.mutants) if one.what == what)
    assert examiner.examine(number).fate == "survived"


@pytest.mark.parametrize("path", ["policies", "tests/design.yaml"])
def test_no_call_is_found_for_what_is_proved(path):
    """The search for a call tries to break each proof about the project's own policies."""
    compiled = load(str(ROOT / path), warm=False)
    examiner = Examiner(compiled, [])
    found = 0
    for mutant in examiner.mutants:
        try:
            changed = examiner._variant(mutant)
        except PolicyError:
            continue
        if prove(mutant, compiled, changed) is None:
            continue
        names = examiner._names(mutant)
        hunt = examiner._search(mutant, names).hunt(mutant, Engine(changed), names or ())
        assert (hunt.made() or hunt.tried()) is None, mutant.what
        found += 1
    assert found >= 3
