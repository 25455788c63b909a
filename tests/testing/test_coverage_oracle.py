"""What coverage says, against an evaluation of its own: policies and requests made at random.

Two things must hold. An outcome that is reported came about, and one that came about is reported;
and an outcome that no request was found for never comes about.
"""

import json
import random
import re

import jsonschema
import pytest

from policy_engine.decision import Facts, Request
from policy_engine.engine import Engine
from policy_engine.loader import load_texts
from policy_engine.testing.coverage import Coverage

MATCH, NO_MATCH, CANNOT_TELL = "match", "no match", "cannot tell"


def coverage_of(policy):
    compiled = load_texts({"p.yaml": json.dumps(policy)})
    return Engine(compiled), compiled


def watched(engine, compiled, calls):
    coverage = Coverage(compiled)
    for request, facts in calls:
        coverage.watch(engine.decide(request, facts), facts)
    return list(coverage.items())


# --- arguments: the keywords of a schema -------------------------------------------------------


def make_schema(pick, depth=0):
    kind = pick.choice(["string", "number", "integer", "boolean", "array", "object", "mixed"])
    if depth > 2 and kind in ("array", "object"):
        kind = "string"
    schema = {"type": kind}
    if kind == "string":
        schema |= some(pick, STRINGS)
    elif kind in ("number", "integer"):
        schema |= some(pick, NUMBERS)
    elif kind == "array":
        schema["items"] = make_schema(pick, depth + 1)
        schema |= some(pick, {"minItems": 1, "maxItems": 2, "uniqueItems": True})
    elif kind == "object":
        schema["properties"] = make_properties(pick, depth)
    elif kind == "mixed":
        schema = {"type": ["string", "integer"], "maxLength": 3, "maximum": 10}
    if kind in ("string", "integer") and pick.random() < 0.25:
        schema |= pick.choice(IN_PLACE[kind])
    return schema


def make_properties(pick, depth):
    names = pick.sample(["a", "b", "c"], pick.randint(1, 3))
    properties = {name: make_schema(pick, depth + 1) for name in names}
    for below in properties.values():
        if pick.random() < 0.3:
            below["optional"] = True
    return properties


STRINGS = {"minLength": 2, "maxLength": 4, "pattern": "^[a-c]+$", "enum": ["ab", "abcd", "zz"]}
NUMBERS = {"minimum": 1, "exclusiveMaximum": 10, "multipleOf": 2, "const": 4}
IN_PLACE = {
    "string": [
        {"anyOf": [{"minLength": 3}, {"pattern": "^z"}]},
        {"oneOf": [{"maxLength": 2}, {"pattern": "b"}]},
        {"not": {"pattern": "c"}},
        {"if": {"pattern": "^a"}, "then": {"maxLength": 3}, "else": {"minLength": 2}},
        {"if": {"const": "ab"}, "then": {"minLength": 2}},
    ],
    "integer": [
        {"allOf": [{"minimum": 2}, {"maximum": 5}]},
        {"if": {"minimum": 5}, "then": {"multipleOf": 5}, "else": False},
        {"not": {"enum": [3, 4]}},
    ],
}


def some(pick, keywords):
    return {key: value for key, value in keywords.items() if pick.random() < 0.4}


def make_value(pick, schema, depth=0):
    """Make a value that a schema may take, or may not."""
    if pick.random() < 0.15:
        return pick.choice(["x", 7, True, None, [], {}, 2.5])
    kinds = schema.get("type")
    match kinds if isinstance(kinds, str) else pick.choice(kinds):
        case "string":
            return "".join(pick.choice("abcz") for _ in range(pick.randint(0, 5)))
        case "integer":
            return pick.randint(-1, 12)
        case "number":
            return pick.choice([0, 1, 2, 2.5, 4, 9.5, 10, 11])
        case "boolean":
            return pick.random() < 0.5
        case "array":
            return [make_value(pick, schema["items"], depth + 1) for _ in range(pick.randint(0, 3))]
        case "object":
            value = {
                name: make_value(pick, below, depth + 1)
                for name, below in schema["properties"].items()
                if pick.random() < 0.85
            }
            return value | ({"more": 1} if pick.random() < 0.15 else {})


ABOUT = {
    **dict.fromkeys(("minLength", "maxLength", "pattern"), str),
    **dict.fromkeys(("minimum", "exclusiveMaximum", "maximum", "multipleOf"), (int, float)),
    **dict.fromkeys(("minItems", "maxItems", "uniqueItems"), list),
}
OWN = (*ABOUT, "enum", "const", "anyOf", "oneOf", "not")


def fits(schema, value):
    return jsonschema.Draft202012Validator(schema).is_valid(value)


def say(schema, value, path, note):
    """Evaluate every keyword of a schema that the grammar makes; the oracle of this file."""
    if schema is False:
        note(path, MATCH)
        return
    if "type" in schema:
        note((*path, "type"), NO_MATCH if fits({"type": schema["type"]}, value) else MATCH)
        if not fits({"type": schema["type"]}, value):
            return
    for key in OWN:
        if key in schema:
            is_about = key not in ABOUT or (
                isinstance(value, ABOUT[key]) and not isinstance(value, bool)
            )
            kept = NO_MATCH if fits({key: schema[key]}, value) else MATCH
            note((*path, key), kept if is_about else CANNOT_TELL)
    say_parts(schema, value, path, note)
    say_below(schema, value, path, note)


def say_below(schema, value, path, note):
    """Evaluate what judges the parts of a value."""
    if isinstance(value, list):
        for item in value:
            say(schema["items"], item, (*path, "items"), note)
        if not value:
            hush(schema["items"], (*path, "items"), note)
    if isinstance(value, dict):
        more = set(value) - set(schema["properties"])
        note((*path, "additionalProperties"), MATCH if more else NO_MATCH)
        for name, below in schema["properties"].items():
            attend(below, value, name, (*path, "properties", name), note)


def say_parts(schema, value, path, note):
    """Evaluate what judges the same value."""
    for key in ("anyOf", "oneOf", "allOf"):
        for i, below in enumerate(schema.get(key, ())):
            say(below, value, (*path, key, i), note)
    if "not" in schema:
        say(schema["not"], value, (*path, "not"), note)
    if "if" in schema:
        holds = fits(schema["if"], value)
        note((*path, "if"), MATCH if holds else NO_MATCH)
        say(schema["if"], value, (*path, "if"), note)
        chosen, other = ("then", "else") if holds else ("else", "then")
        if chosen in schema:
            say(schema[chosen], value, (*path, chosen), note)
        if schema.get(other) is False:
            note((*path, other), NO_MATCH)
        elif other in schema:
            hush(schema[other], (*path, other), note)


def attend(below, holder, name, path, note):
    if below.get("optional"):
        given = holder.get(name) is not None
        note((*path, "optional"), NO_MATCH if given else MATCH)
        if not given:
            hush(below, path, note)
            return
    else:
        given = name in holder
        note((*path, "required"), NO_MATCH if given else MATCH)
    if given:
        say(below, holder[name], path, note)


def hush(schema, path, note):
    """Nothing is asked of this schema, and nothing is refused."""
    if schema is False:
        note(path, CANNOT_TELL)
        return
    for key in ("type", *OWN, "if"):
        if key in schema:
            note((*path, key), CANNOT_TELL)
    for key in ("anyOf", "oneOf", "allOf"):
        for i, below in enumerate(schema.get(key, ())):
            hush(below, (*path, key, i), note)
    for key in ("not", "if", "then", "else", "items"):
        if key in schema:
            hush(schema[key], (*path, key), note)
    for name, below in schema.get("properties", {}).items():
        word = "optional" if below.get("optional") else "required"
        note((*path, "properties", name, word), CANNOT_TELL)
        hush(below, (*path, "properties", name), note)
    if "properties" in schema:
        note((*path, "additionalProperties"), CANNOT_TELL)


@pytest.mark.parametrize("seed", range(50))
def test_the_keywords_of_arguments(seed):
    pick = random.Random(seed)
    schemas = {"x": make_schema(pick), "y": make_schema(pick)}
    if pick.random() < 0.5:
        schemas["y"]["optional"] = True
    policy = {"policy": "p", "language": 1, "tools": {"t": {"args": schemas}}}
    engine, compiled = coverage_of(policy)
    calls, said = [], {}

    def note(path, outcome):
        said.setdefault(".".join(map(str, path)), set()).add(outcome)

    for _ in range(300):
        args = {
            name: make_value(pick, schema)
            for name, schema in schemas.items()
            if pick.random() < 0.9
        }
        calls.append((Request(tool="t", args=args), Facts()))
        for name, schema in schemas.items():
            if schema.get("optional"):
                given = args.get(name) is not None
                note((name, "optional"), NO_MATCH if given else MATCH)
            else:
                given = name in args
                note((name, "required"), NO_MATCH if given else MATCH)
            if given:
                say(schema, args[name], (name,), note)
            elif schema.get("optional"):
                hush(schema, (name,), note)
    found = watched(engine, compiled, calls)
    reported = {
        one.item.what: set(map(str, one.seen))
        for one in found
        if one.item.kind == "argument" and one.item.what != "no other argument"
    }
    assert {what: said.get(what, set()) for what in reported} == reported
    assert said.keys() <= reported.keys()
    assert_nothing_more_came_about(compiled, found)


def assert_nothing_more_came_about(compiled, found):
    """What is found before any test runs holds all that came about."""
    found_before = {one.item: one.wanted - set(one.doubtful) for one in Coverage(compiled).items()}
    more = {
        (one.item.kind, one.item.what): sorted(one.seen - found_before[one.item])
        for one in found
        if not one.seen <= found_before[one.item]
    }
    assert not more


# --- conditions: the terms of an expression ----------------------------------------------------

ARGS = {
    "n": {"type": "number"},
    "s": {"type": "string"},
    "flag": {"type": "boolean"},
    "o": {"type": "string", "optional": True},
    "list": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"price": {"type": "number"}, "name": {"type": "string"}},
        },
    },
}


class FailedError(Exception):
    """A value is absent or of another type."""


def number(value):
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FailedError
    return value


def text(value):
    if not isinstance(value, str):
        raise FailedError
    return value


def boolean(value):
    if not isinstance(value, bool):
        raise FailedError
    return value


def field(row, name):
    if name not in row:
        raise FailedError
    return row[name]


OUTSIDE = [
    ("args.n > 3.0", lambda a, _: number(a["n"]) > 3),
    ("args.n * 2.0 == 8.0", lambda a, _: number(a["n"]) * 2 == 8),
    ('args.s == "ab"', lambda a, _: text(a["s"]) == "ab"),
    ('args.s.startsWith("a")', lambda a, _: text(a["s"]).startswith("a")),
    ("args.flag", lambda a, _: boolean(a["flag"])),
    ("has(args.o)", lambda a, _: a.get("o") is not None),
    ("size(args.s) > 1", lambda a, _: len(text(a["s"])) > 1),
]
INSIDE = [
    ("x.price > 3.0", lambda _, x: number(field(x, "price")) > 3),
    ('x.name == "ab"', lambda _, x: text(field(x, "name")) == "ab"),
    ("x.price < args.n", lambda a, x: number(field(x, "price")) < number(a["n"])),
    ("has(x.name)", lambda _, x: x.get("name") is not None),
]


def make_tree(pick, depth=0, *, row=False):
    kind = pick.choice(["term", "and", "or", "not", "if", "loop"] if depth < 3 else ["term"])
    if kind == "loop" and row:
        kind = "term"
    match kind:
        case "and" | "or":
            return (kind, [make_tree(pick, depth + 1, row=row) for _ in range(pick.randint(2, 3))])
        case "not":
            return ("not", make_tree(pick, depth + 1, row=row))
        case "if":
            return ("if", [make_tree(pick, depth + 1, row=row) for _ in range(3)])
        case "loop":
            macro = pick.choice(["all", "exists", "exists_one", "filter"])
            return (macro, make_tree(pick, depth + 1, row=True))
    return ("term", pick.choice(INSIDE if row and pick.random() < 0.8 else OUTSIDE))


def render(tree):
    match tree:
        case ("term", (said, _)):
            return said
        case ("and", terms):
            return "(" + " && ".join(map(render, terms)) + ")"
        case ("or", terms):
            return "(" + " || ".join(map(render, terms)) + ")"
        case ("not", term):
            return f"!({render(term)})"
        case ("if", (test, then, otherwise)):
            return f"({render(test)} ? {render(then)} : {render(otherwise)})"
        case ("filter", term):
            return f"size(args.list.filter(x, {render(term)})) > 1"
        case (macro, term):
            return f"args.list.{macro}(x, {render(term)})"


def rows_of(args):
    """Return the elements that macros go over: they are checked before any is asked."""
    rows = args.get("list")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise FailedError
    return rows


def evaluate(tree, args, row, note):
    """Evaluate a condition with three outcomes, and note those of each term in it."""
    kind = tree[0]
    if kind in ("and", "or"):
        said = [asked(term, args, row, note) for term in tree[1]]
        decides = kind == "or"
        if decides in said:
            return decides
        return None if None in said else not decides
    if kind == "not":
        said = asked(tree[1], args, row, note)
        return None if said is None else not said
    if kind == "if":
        test, then, otherwise = tree[1]
        said = asked(test, args, row, note)
        return None if said is None else asked(then if said else otherwise, args, row, note)
    if kind == "term":
        try:
            return tree[1][1](args, row)
        except (FailedError, KeyError):
            return None
    return evaluate_loop(tree, args, note)


def evaluate_loop(tree, args, note):
    """Evaluate a macro over the rows of the arguments."""
    try:
        rows = rows_of(args)
    except FailedError:
        return None
    said = [asked(tree[1], args, one, note) for one in rows]
    match tree[0]:
        case "all":
            return False if False in said else None if None in said else True
        case "exists":
            return True if True in said else None if None in said else False
        case "exists_one":
            return None if None in said else said.count(True) == 1
    kept = [one for one, passes in zip(rows, said, strict=True) if passes]
    # What is kept becomes a list, whose elements must be what the schema says.
    if None in said or not all(map(is_whole, kept)):
        return None
    return len(kept) > 1


def is_whole(row):
    try:
        number(field(row, "price"))
        text(field(row, "name"))
    except FailedError:
        return False
    return True


def asked(tree, args, row, note):
    said = evaluate(tree, args, row, note)
    if tree[0] not in ("and", "or", "not", "if"):
        note(render(tree), {True: MATCH, False: NO_MATCH, None: CANNOT_TELL}[said])
    return said


def make_args(pick):
    def one(*values):
        return pick.choice([*values, *values, "wrong", None, 7])

    rows = [
        {
            key: value
            for key, value in (("price", one(1, 3, 5.5)), ("name", one("ab", "b")))
            if pick.random() < 0.9
        }
        for _ in range(pick.randint(0, 3))
    ]
    args = {
        "n": one(1, 3, 4, 5.5),
        "s": one("ab", "a", ""),
        "flag": one(True, False),
        "o": one("x"),
        "list": pick.choice([rows, rows, rows, rows, "wrong", [7]]),
    }
    return {name: value for name, value in args.items() if pick.random() < 0.92}


@pytest.mark.parametrize("seed", range(60))
def test_the_terms_of_conditions(seed):
    pick = random.Random(seed)
    tree = make_tree(pick)
    policy = {
        "policy": "p",
        "language": 1,
        "tools": {
            "t": {
                "args": ARGS,
                "rules": [{"id": "r", "when": render(tree), "effect": "deny"}],
            }
        },
    }
    engine, compiled = coverage_of(policy)
    (rule,) = [one for parts in compiled.parts for one in parts.rules()]
    calls, said, whole = [], {}, set()

    def note(term, outcome):
        said.setdefault(re.sub(r"\s+", " ", term), set()).add(outcome)

    for _ in range(300):
        args = make_args(pick)
        request = Request(tool="t", args=args)
        calls.append((request, Facts()))
        outcome = asked(tree, args, None, note)
        assert rule.condition.function(request, Facts()) is outcome, args
        whole.add({True: MATCH, False: NO_MATCH, None: CANNOT_TELL}[outcome])
    found = watched(engine, compiled, calls)
    reported = {}
    for one in found:
        if one.item.kind == "branch":
            reported.setdefault(one.item.what, set()).update(map(str, one.seen))
    (about,) = [one for one in found if one.item.kind == "rule"]
    assert set(map(str, about.seen)) == whole
    assert {term: said.get(term, set()) for term in reported} == reported
    assert_nothing_more_came_about(compiled, found)
