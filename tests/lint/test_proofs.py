"""What the prover says of conditions, against every value that they could meet.

Small conditions over schemas with few values: brute force says what is always false, always true
or implied. The prover may not know; what it says must hold, and it is seldom to be at a loss.
"""

import json
import random
from itertools import product

from policy_engine.cel import ExpressionError, compile_condition
from policy_engine.checks.arguments import compile_arguments
from policy_engine.compiler.expression import environment
from policy_engine.decision import Facts, Request, Session
from policy_engine.lint.proof.formula import formula
from policy_engine.lint.proof.scene import call_scene
from policy_engine.lint.proof.solve import is_impossible
from policy_engine.lint.subject import Subject
from policy_engine.loader import load_texts
from policy_engine.text import Patterns

ABSENT = object()
LISTS = [[], ["p"], ["q"], ["p", "p"], ["p", "q"], ["q", "p"], ["q", "q"]]
TEXTS = ["", "a", "b", "aa", "ab", "ba", "bb"]
SPACES = {
    "n": ({"type": "integer", "minimum": 0, "maximum": 3}, [0, 1, 2, 3]),
    "k": ({"type": "integer", "minimum": 1, "maximum": 2}, [1, 2]),
    "f": ({"type": "number", "minimum": 0, "maximum": 1, "multipleOf": 0.5}, [0, 0.5, 1]),
    "s": ({"enum": ["dev", "prod", "stage"]}, ["dev", "prod", "stage"]),
    "t": ({"type": "string", "pattern": "^[ab]{0,2}$"}, TEXTS),
    "b": ({"type": "boolean"}, [False, True]),
    "o": ({"enum": ["x", "y"], "optional": True}, [ABSENT, None, "x", "y"]),
    "i": (
        {"type": "integer", "minimum": 0, "maximum": 2, "optional": True},
        [ABSENT, None, 0, 1, 2],
    ),
    "u": ({"enum": ["v", None]}, ["v", None]),
    "w": (
        {
            "anyOf": [
                {"type": "string", "enum": ["c"]},
                {"type": "integer", "minimum": 0, "maximum": 1},
            ]
        },
        ["c", 0, 1, 0.0, 1.0],
    ),
    "l": ({"type": "array", "items": {"enum": ["p", "q"]}, "maxItems": 2}, LISTS),
    "m": (
        {
            "type": "object",
            "properties": {
                "j": {"type": "integer", "minimum": 0, "maximum": 1, "optional": True},
                "r": {"type": "boolean"},
            },
        },
        [{"r": r, **j} for r in (False, True) for j in ({}, {"j": None}, {"j": 0}, {"j": 1})],
    ),
}  # fmt: skip
"""Argument -> its schema, and every value that it admits."""
LABELS = [frozenset(words) for words in ([], ["seen"], ["old"], ["seen", "old"])]
POLICY = {
    "policy": "p",
    "language": 1,
    "tools": {
        "t": {"args": {name: schema for name, (schema, _) in SPACES.items()}, "labels": ["seen"]}
    },
}
COMPILED = load_texts({"p.yaml": json.dumps(POLICY)}, warm=False)
LOADED = COMPILED.policies.policies[0]
ENVIRONMENT = environment(LOADED, "tool_call", [POLICY["tools"]["t"]["args"]])
BASE = call_scene(Subject(COMPILED), LOADED, "t").base


def number_of(rng, name):
    """Go through tests of a whole number."""
    number, order = rng.randrange(-1, 5), rng.choice(ORDERS)
    yield f"args.{name} {order} {number}"
    yield f"{number} {order} args.{name}"
    yield f"args.{name} in [{number}, {rng.randrange(4)}]"
    yield f"args.{name} % 2 {rng.choice(['==', '!='])} {rng.randrange(2)}"
    yield f"args.{name} + 1 {order} {number}"
    yield f"args.n {order} args.k"
    yield f"args.n - args.k {order} {number}"
    yield f'string(args.{name}) {rng.choice(["==", "!="])} "{number}"'
    yield f"{rng.choice(['', '!'])}has(args.{name})"


def double_of(rng, _):
    """Go through tests of a number, with one calculation that may yield none."""
    order = rng.choice(ORDERS)
    yield f"args.f {order} {rng.choice([0.0, 0.25, 0.5, 1.0, 2.0])}"
    yield f"args.f {order} {rng.choice([0, 1])}"
    yield f"args.f {order} double(args.n)"
    yield f"args.f / args.f {order} {rng.choice([0.5, 1.0])}"
    yield f"args.f * 2.0 {order} 1.0"


def word_of(rng, _):
    """Go through tests of one of three words."""
    word, order = rng.choice(["dev", "prod", "stage", "d", "pro", "e", ""]), rng.choice(ORDERS)
    yield f'args.s {rng.choice(["==", "!="])} "{rng.choice(["dev", "prod", "stage"])}"'
    yield f'args.s in ["{rng.choice(["dev", "prod"])}", "{rng.choice(["stage", "prod"])}"]'
    yield f'args.s.{rng.choice(["startsWith", "endsWith", "contains"])}("{word}")'
    yield f"args.s.size() {order} {rng.choice([3, 4, 5])}"
    yield f'args.s {rng.choice(["<", ">="])} "{word}"'
    yield f"args.s {order} args.t"
    yield f'args.s.matches("{rng.choice(["^d", "e", "^[a-p]+$"])}")'


def text_of(rng, _):
    """Go through tests of a text that a pattern describes."""
    text, order = rng.choice(["", "a", "b", "ab", "aab", "c"]), rng.choice(ORDERS)
    yield f'args.t {rng.choice(["==", "!="])} "{rng.choice(TEXTS)}"'
    yield f'args.t in ["{rng.choice(TEXTS)}", "{rng.choice(TEXTS)}"]'
    yield f'args.t.{rng.choice(["startsWith", "endsWith", "contains"])}("{text}")'
    yield f'args.t.matches("{rng.choice(["^a", "b$", "^a+$", "^.?$", "ab|ba"])}")'
    yield f"args.t.size() {order} {rng.choice([0, 1, 2, 3])}"
    yield f'args.t.upperAscii() {rng.choice(["==", "!="])} "{rng.choice(["A", "AB", "b"])}"'


def flag_of(rng, _):
    """Go through tests of a flag."""
    yield rng.choice(["args.b", "!args.b", "args.b == true", "args.b != true"])


def optional_of(rng, name):
    """Go through tests of what may be absent."""
    if name == "i":
        number, order = rng.randrange(-1, 5), rng.choice(ORDERS)
        yield "has(args.i)"
        yield f"(has(args.i) && args.i {order} {number})"
        yield f"(!has(args.i) || args.i {order} {number})"
        return
    yield "has(args.o)"
    yield f'(has(args.o) && args.o {rng.choice(["==", "!="])} "{rng.choice("xy")}")'
    yield f'(!has(args.o) || args.o {rng.choice(["==", "!="])} "{rng.choice("xy")}")'
    yield f'args.?o.orValue("{rng.choice("xyz")}") == "{rng.choice("xyz")}"'
    yield f'(has(args.o) ? args.o == "{rng.choice("xy")}" : {rng.choice(["true", "false"])})'


def mixed_of(rng, name):
    """Go through tests of what has no single type."""
    if name == "u":
        yield "has(args.u)"
        yield rng.choice(["args.u == null", "args.u != null", 'args.u == "v"', 'args.u != "v"'])
        return
    yield rng.choice(["type(args.w) == int", "type(args.w) == string", "args.w == 1"])
    yield rng.choice(['args.w == "c"', 'args.w != "c"', "args.w == 0", "args.w != 1"])


def list_of(rng, _):
    """Go through tests of a list."""
    element, order = rng.choice(["p", "q", "z"]), rng.choice(ORDERS)
    yield f"args.l.size() {order} {rng.choice([0, 1, 2])}"
    yield f'"{element}" in args.l'
    yield f'args.l.{rng.choice(["exists", "all"])}(e, e == "{element}")'
    yield f'args.l.{rng.choice(["exists", "all"])}(e, e in ["p", "{element}"])'
    yield f'args.l.{rng.choice(["exists", "all"])}(e, e != "{element}")'


def object_of(rng, _):
    """Go through tests of an object."""
    yield rng.choice(
        ["has(args.m.j)", "has(args.m.r)", "args.m.r", "!args.m.r", "args.m.r == true"]
    )
    yield f"(has(args.m.j) && args.m.j {rng.choice(ORDERS)} {rng.randrange(-1, 3)})"


def labels_of(rng, _):
    """Go through tests of the session's labels."""
    yield '"seen" in session.labels'
    yield f"session.labels.size() {rng.choice(ORDERS)} {rng.choice([0, 1])}"
    yield 'session.labels.exists(e, e == "seen")'


ORDERS = ["<", "<=", ">", ">=", "==", "!="]
ASKED = {
    **dict.fromkeys(("n", "k"), number_of),
    **dict.fromkeys(("o", "i"), optional_of),
    **dict.fromkeys(("u", "w"), mixed_of),
    "f": double_of,
    "s": word_of,
    "t": text_of,
    "b": flag_of,
    "l": list_of,
    "m": object_of,
    "labels": labels_of,
}


def condition(rng, names, depth):
    """Return a condition about some values."""
    if depth == 0 or rng.random() < 0.2:
        name = rng.choice(names)
        return rng.choice(list(ASKED[name](rng, name)))
    match rng.randrange(8):
        case 0 | 1 | 2:
            parts = [condition(rng, names, depth - 1) for _ in range(rng.choice([2, 2, 3]))]
            return "(" + " && ".join(parts) + ")"
        case 3 | 4 | 5:
            parts = [condition(rng, names, depth - 1) for _ in range(rng.choice([2, 2, 3]))]
            return "(" + " || ".join(parts) + ")"
        case 6:
            return f"!({condition(rng, names, depth - 1)})"
    parts = [condition(rng, names, depth - 1) for _ in range(3)]
    return f"({parts[0]} ? {parts[1]} : {parts[2]})"


def mutual(rng, names):
    """Return a condition that says something and its opposite, dressed up."""
    one, other = (condition(rng, names, rng.choice([0, 0, 1])) for _ in range(2))
    return rng.choice(
        [
            f"({one}) && !({one})",
            f"!({one}) && ({one})",
            f"({one}) || !({one})",
            f"({one}) && ({other} || !({one})) && !({other})",
            f"({one}) || ({other}) || (!({one}) && !({other}))",
            f"!(({one}) || ({other})) && ({one})",
            f"(({one}) ? ({one}) : ({other})) || !({one})",
        ]
    )


def test_the_values_are_all_that_the_entry_takes():
    fits = compile_arguments(
        {name: schema for name, (schema, _) in SPACES.items()}, closed=True, patterns=Patterns()
    ).fits
    usual = {name: values[-1] for name, (_, values) in SPACES.items()}
    words = [*TEXTS, *"cvxyzpq", "dev", "prod", "stage"]
    numbers = [value / 4 for value in range(-8, 20)]
    others = [None, True, False, *LISTS, ["p"] * 3, {}, *range(-2, 5)]
    for name, (_, values) in SPACES.items():
        known = {json.dumps(value) for value in values if value is not ABSENT}
        objects = [*SPACES["m"][1], {"r": 1}, {"r": None}, {"j": 2, "r": True}]
        for value in (*words, *numbers, *others, *objects):
            # A whole number is the same with and without a point where a type is declared.
            plain = (
                int(value)
                if name != "w" and isinstance(value, float) and value == int(value)
                else value
            )
            assert fits({**usual, name: value}) is (json.dumps(plain) in known), (name, value)


def drawn(seed, many):
    """Go through conditions that compile, with the names of what they read."""
    rng = random.Random(seed)
    made = 0
    while made < many:
        names = rng.sample([*SPACES, "labels"], rng.choice([1, 1, 1, 2]))
        text = (
            mutual(rng, names)
            if rng.random() < 0.25
            else condition(rng, names, rng.choice([1, 2, 2]))
        )
        try:
            found = compile_condition(text, ENVIRONMENT)
        except ExpressionError:
            continue
        made += 1
        yield text, found


def told(*conditions):
    """Return what conditions say of every value that they may meet."""
    reads = {path[1] for found in conditions for path in found.reads if path[0] == "args"}
    names = sorted(reads)
    usual = {name: values[-1] for name, (_, values) in SPACES.items()}
    said = set()
    for chosen in product(*(SPACES[name][1] for name in names)):
        args = {**usual, **dict(zip(names, chosen, strict=True))}
        request = Request(
            stage="tool_call", tool="t", args={k: v for k, v in args.items() if v is not ABSENT}
        )
        for labels in LABELS:
            facts = Facts(session=Session(labels=labels))
            said.add(tuple(found.function(request, facts) for found in conditions))
    return said


class Count:
    """How often something was proved, of how often it could be."""

    def __init__(self):
        self.proved = 0
        self.missed = []

    def add(self, text, *, proved):
        if proved:
            self.proved += 1
        else:
            self.missed.append(text)

    @property
    def share(self):
        return self.proved / max(1, self.proved + len(self.missed))

    def say(self, what):
        whole = self.proved + len(self.missed)
        print(f"{what}: {self.proved} of {whole} proved, {1 - self.share:.1%} not known")  # noqa: T201


def test_what_is_proved_of_conditions_holds_and_little_is_not_known():
    false, true = Count(), Count()
    for text, found in drawn(1, 4000):
        said = {one for (one,) in told(found)}
        never = is_impossible(formula(found.tree), base=BASE)
        always = is_impossible(formula(found.tree, holds=False), base=BASE)
        assert not (never and True in said), text
        assert not (always and False in said), text
        if True not in said:
            false.add(text, proved=never)
        if False not in said:
            true.add(text, proved=always)
    false.say("always false")
    true.say("always true")
    assert false.share > 0.95
    assert true.share > 0.95


def test_what_is_proved_of_pairs_holds_and_little_is_not_known():
    implied, equal = Count(), Count()
    rng = random.Random(2)
    pairs = 0
    while pairs < 2000:
        names = rng.sample([*SPACES, "labels"], 1)
        texts = [condition(rng, names, 1), condition(rng, names, 1)]
        try:
            one, other = (compile_condition(text, ENVIRONMENT) for text in texts)
        except ExpressionError:
            continue
        pairs += 1
        said = told(one, other)
        both = [
            is_impossible(formula(a.tree), formula(b.tree, holds=False), base=BASE)
            for a, b in ((one, other), (other, one))
        ]
        open_ = [
            any(pair[i] is True for pair in said) and any(pair[i] is False for pair in said)
            for i in (0, 1)
        ]
        for proved, pair in zip(both, ((True, False), (False, True)), strict=True):
            assert not (proved and pair in said), texts
        if not all(open_):
            continue  # a constant, which the other test is about
        holds = [(True, False) not in said, (False, True) not in said]
        for proved, is_so in zip(both, holds, strict=True):
            if is_so:
                implied.add(texts, proved=proved)
        if all(holds):
            equal.add(texts, proved=all(both))
    implied.say("implied")
    equal.say("equivalent")
    assert implied.share > 0.95
    assert equal.share > 0.95
