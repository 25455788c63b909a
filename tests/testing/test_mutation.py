"""Mutation: which mutants there are, which tests notice, and which call would have."""

import pytest

from policy_engine.cel import (
    BOOL,
    DOUBLE,
    STRING,
    Environment,
    ListType,
    Variable,
    compile_condition,
)
from policy_engine.compiler import Variants
from policy_engine.decision import EFFECTS, Request
from policy_engine.decision.wire import read_request
from policy_engine.engine import Engine
from policy_engine.errors import PolicyError
from policy_engine.loader import load_texts
from policy_engine.testing.mutation import hunt
from policy_engine.testing.mutation.conditions import changed_conditions
from policy_engine.testing.mutation.enumerate import mutants_of
from policy_engine.testing.mutation.schemas import loosened
from policy_engine.testing.reading import read_suites
from policy_engine.testing.reading.tests import START
from policy_engine.testing.replay import Replay, prices_of

ENVIRONMENT = Environment(
    {
        "n": Variable(DOUBLE, ("request", "n")),
        "s": Variable(STRING, ("request", "s")),
        "b": Variable(BOOL, ("request", "b")),
        "l": Variable(ListType(STRING), ("request", "l")),
        "unused": Variable(BOOL, ("facts", "unused")),
    }
)

CONDITIONS = {
    "n > 5": ["the bound 5 is 6"],
    "n >= 5": ["`n >= 5` compares with >"],
    "n < 5": ["the bound 5 is 4"],
    "5 < n": ["the bound 5 is 6"],
    "!(n > 5)": ["`n > 5` compares with >="],
    "!(n >= 5)": ["the bound 5 is 4"],
    "b && n > 5": ["the clause `b` is gone", "the clause `n > 5` is gone", "the bound 5 is 6"],
    "b || s == 'x'": ["the clause `b` is gone", "the clause `s == 'x'` is gone"],
    "s in ['a', 'c']": ['"a" is not in the list', '"c" is not in the list'],
    "!(s in ['a'])": ['"mallory" is in the list'],
    "!s.endsWith('@x')": ['endsWith("@x") is endsWith("x")'],
    "!s.startsWith('ab')": ['startsWith("ab") is startsWith("a")'],
    "!s.matches('^a$')": ['matches("^a$") is matches("a$")', 'matches("^a$") is matches("^a")'],
    "s.endsWith('@x')": [],
    "l.exists(x, x == 'a')": ["`exists` is `all`"],
    "!l.all(x, x == 'a')": ["`all` is `exists`"],
    "l.all(x, x == 'a')": [],
    "b ? n > 5 : n > 7": [
        "the test `b` always holds",
        "the test `b` never holds",
        "the bound 5 is 6",
        "the bound 7 is 8",
    ],
    "s == 'a'": [],
}


@pytest.mark.parametrize("text", CONDITIONS)
def test_a_condition_is_weakened_in_single_places(text):
    tree = compile_condition(text, ENVIRONMENT).tree
    assert [found.what for found in changed_conditions(tree, text)] == CONDITIONS[text]


SCHEMAS = [
    ({"type": "number", "maximum": 5}, ["maximum 5 is 6"]),
    ({"type": "number", "minimum": 5}, ["minimum 5 is 4"]),
    ({"type": "number", "exclusiveMinimum": 0}, ["exclusiveMinimum 0 is minimum"]),
    ({"type": "string", "minLength": 1}, ["minLength 1 is gone"]),
    ({"type": "string", "minLength": 3}, ["minLength 3 is 2"]),
    ({"type": "string", "maxBytes": 3}, ["maxBytes 3 is 4"]),
    ({"type": "string", "format": "date"}, ["format is gone"]),
    (
        {"type": "string", "pattern": "^a$"},
        [
            "the pattern is gone",
            "the pattern is not held to the start of the text",
            "the pattern is not held to the end of the text",
        ],
    ),
    ({"enum": ["a"]}, ["the list is longer"]),
    ({"type": "string"}, ['any type is taken, not only "string"']),
    ({"type": "array", "maxItems": 2, "items": {"type": "string", "maxLength": 3}},
     ["maxItems 2 is 3", "maxLength 3 is 4"]),
    ({"type": "object", "properties": {"a": {"type": "string", "maxLength": 3}}},
     ["any key is taken", "maxLength 3 is 4"]),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "expected"), SCHEMAS, ids=str)
def test_a_schema_is_loosened_in_single_places(schema, expected):
    found = [one.what for one in loosened({**schema, "optional": True})]
    assert found == expected


def test_an_argument_that_must_be_there_may_be_absent():
    found = [one.what for one in loosened({"type": "boolean"})]
    assert found[0] == "the argument may be absent"


HEAD = """
defaults: {agent: a, principal: {id: u1}, context: {env: prod}, facts: {order: {owner: u1}}}
tests:
"""


def verdicts(path):
    loaded = read_suites([str(path)])
    return {(one.rule, one.what): one for one in hunt([str(path)], loaded, jobs=1)}


def test_a_mutant_that_no_test_notices_is_shown_with_a_call(desk):
    found = verdicts(
        desk(
            HEAD
            + "  - name: a\n    request: {tool: refund, args: {order_id: ORD-0001, amount: 5}}\n"
            + "    expect: {effect: allow}\n    refuses: {amount: [501]}\n"
        )
    )
    killed = found["desk/tools/refund", "amount: maximum 500 is 501"]
    assert (killed.fate, killed.killer) == ("killed", "a: amount = 501")
    bound = found["desk/large", "the bound 100 is 101"]
    assert bound.fate == "survived"
    assert bound.location.line == 19
    assert bound.witness.request["args"]["amount"] == 101
    assert (bound.witness.policy, bound.witness.mutant) == ("require_approval", "allow")
    gone = found["desk/own-order", 'the rule "own-order" is gone']
    assert gone.witness.policy == "deny"
    assert gone.witness.mutant == "allow"


def test_every_witness_tells_the_mutant_apart(desk):
    path = desk(
        HEAD
        + "  - name: a\n    request: {tool: refund, args: {order_id: ORD-0001, amount: 5}}\n"
        + "    expect: {effect: allow}\n"
    )
    loaded = read_suites([str(path)])
    (compiled,) = loaded.policies.values()
    variants = Variants(compiled)
    told = 0
    for mutant, verdict in zip(
        mutants_of(compiled), hunt([str(path)], loaded, jobs=1), strict=True
    ):
        witness = verdict.witness
        if witness is None or witness.beside or witness.policy not in EFFECTS:
            continue
        changed = (
            variants.make(mutant.index, mutant.policy, mutant.unit)
            if mutant.tree is None
            else variants.with_condition(mutant.index, mutant.unit, mutant.tree)
        )
        for which, effect in ((compiled, witness.policy), (changed, witness.mutant)):
            replay = Replay(Engine(which), prices_of(which), START)
            assert replay.decide(read_request(witness.request)).effect == effect, verdict.what
        told += 1
    assert told >= 10


def test_mutants_that_do_not_load_are_not_counted(desk):
    found = verdicts(
        desk(HEAD + "  - {name: a, request: {tool: lookup, args: {}}, expect: {effect: allow}}\n")
    )
    assert found["desk/tools/refund", "amount: the argument may be absent"].fate == "refused"


def test_many_processes_say_the_same(desk):
    path = desk(
        HEAD
        + "  - name: a\n    request: {tool: refund, args: {order_id: ORD-0001, amount: 5}}\n"
        + "    expect: {effect: allow}\n    refuses: {amount: [501]}\n"
    )
    loaded = read_suites([str(path)])
    steps = []
    both = hunt([str(path)], loaded, jobs=2, advance=lambda: steps.append(1))
    assert both == hunt([str(path)], loaded, jobs=1)
    assert len(steps) == len(both)


POLICY = """
policy: p
language: 1
tools:
  t:
    args: {n: {type: number, maximum: 5}, s: {type: string}}
    rules: [{id: r, when: args.n > 3, effect: deny}]
input: [{id: i, check: {terms: {any: [boom, bang]}}, effect: deny}]
output: [{id: o, check: {size: {max_chars: 5}}, effect: deny}]
limits: [{id: l, tools: [t], max: 2, by: [session]}]
"""


def test_a_variant_decides_as_the_set_compiled_anew():
    """What is compiled in one place only decides like a set that is compiled as a whole."""
    compiled = load_texts({"p.yaml": POLICY})
    variants = Variants(compiled)
    asked = [
        *(Request(tool="t", args={"n": n, "s": s}) for n in (2, 4, 5, 6, "x") for s in ("a", 1)),
        *(
            Request(stage=stage, text=text)
            for stage in ("input", "output")
            for text in ("boom", "bang bang", "x")
        ),
    ]
    for mutant in mutants_of(compiled):
        if mutant.tree is not None:
            continue
        try:
            whole = Engine(variants.make(mutant.index, mutant.policy, ()))
        except PolicyError:
            continue
        part = Engine(variants.make(mutant.index, mutant.policy, mutant.unit))
        for request in asked:
            assert part.decide(request).effect == whole.decide(request).effect, mutant.what
