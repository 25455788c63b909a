"""Mutation: which mutants there are, which tests notice, and which call would have."""

from collections import Counter

import pytest
import re2
from support import ROOT

from policy_engine.cel import (
    BOOL,
    DOUBLE,
    STRING,
    TIMESTAMP,
    Constant,
    Environment,
    ListType,
    Variable,
    compile_condition,
)
from policy_engine.cel.expression import compile_tree
from policy_engine.checks.arguments import check_schema, compile_arguments
from policy_engine.compiler import Compiled, Variants
from policy_engine.decision import EFFECTS, Facts, Request
from policy_engine.decision.wire import read_request
from policy_engine.engine import Engine
from policy_engine.errors import PolicyError
from policy_engine.loader import load, load_texts
from policy_engine.testing.mutation import hunt
from policy_engine.testing.mutation.conditions import changed_conditions
from policy_engine.testing.mutation.enumerate import mutants_of
from policy_engine.testing.mutation.examine import Examiner
from policy_engine.testing.mutation.globs import narrower, wider
from policy_engine.testing.mutation.patterns import loosened_pattern, tightened_pattern
from policy_engine.testing.mutation.schemas import loosened
from policy_engine.testing.mutation.untouched import says_otherwise
from policy_engine.testing.reading import read_suites
from policy_engine.testing.reading.tests import START
from policy_engine.testing.replay import Replay, prices_of
from policy_engine.testing.run import passes
from policy_engine.testing.search.values import values_of
from policy_engine.text import Patterns

ENVIRONMENT = Environment(
    {
        "n": Variable(DOUBLE, ("request", "n")),
        "s": Variable(STRING, ("request", "s")),
        "b": Variable(BOOL, ("request", "b")),
        "m": Variable(DOUBLE, ("request", "m")),
        "e": Variable(STRING, ("request", "e")),
        "l": Variable(ListType(STRING), ("request", "l")),
        "t": Variable(TIMESTAMP, ("facts", "now")),
        "k": Constant(["x", "y"]),
        "caps": Constant({"gold": 500, "basic": 100}),
        "hosts": Constant({"prod": ["a"], "test": ["b"]}),
        "unused": Variable(BOOL, ("facts", "unused")),
    }
)

CONDITIONS = {
    "n > 5": ["the bound 5 is 6"],
    "n >= 5": ["`n >= 5` compares with >"],
    "n < 5": ["the bound 5 is 4"],
    "5 < n": ["the bound 5 is 6"],
    "n > m * 2.0": ["`m * 2.0` is `m * 2.0 + 1`", "the factor 2.0 is 3.0"],
    "n < m / 2.0": ["`m / 2.0` is `m / 2.0 - 1`", "the factor 2.0 is 3.0"],
    "n > m - 3.0 * n": ["`m - 3.0 * n` is `m - 3.0 * n + 1`", "the factor 3.0 is 2.0"],
    "n > (b ? 0.45 : m)": [
        "the bound 0.45 is 1.45",
        "the test `b` always holds",
        "the test `b` never holds",
    ],
    "optional.of(n).orValue(9.0) > 5.0": [
        "the bound 5.0 is 6.0",
        "what is not there counts as 5.0, not as 9.0",
    ],
    "optional.of(n).orValue(0.0) > 5.0": ["the bound 5.0 is 6.0"],
    "optional.of(s).orValue('') != 'a'": [
        '"mallory" is let through like "a"',
        'what is not there counts as "a", not as ""',
    ],
    "!(optional.of(s).orValue('') in ['a'])": [
        "`optional.of(s).orValue('') in ['a']` is not negated",
        '"mallory" is in the list',
        'what is not there counts as "a", not as ""',
    ],
    "optional.of(s).orValue('a') == 'a'": ['what is not there counts as "mallory", not as "a"'],
    "n < m": ["`m` is `m - 1`"],
    "!(n > 5)": ["`n > 5` is not negated", "`n > 5` compares with >="],
    "!(n >= 5)": ["`n >= 5` is not negated", "the bound 5 is 4"],
    "b && n > 5": ["the clause `b` is gone", "the clause `n > 5` is gone", "the bound 5 is 6"],
    "b || s == 'x'": ["the clause `b` is gone", "the clause `s == 'x'` is gone"],
    "s == 'a'": [],
    "s != 'a'": ['"mallory" is let through like "a"'],
    "e != 'a'": ['"b" is let through like "a"'],
    "!(e == 'b')": ["`e == 'b'` is not negated", '"a" is let through like "b"'],
    "s in ['a', 'c']": ['"a" is not in the list', '"c" is not in the list'],
    "s in k": ['"x" is not in the list', '"y" is not in the list'],
    "!(s in ['a'])": ["`s in ['a']` is not negated", '"mallory" is in the list'],
    "!(e in ['a'])": ["`e in ['a']` is not negated", '"b" is in the list'],
    "!s.endsWith('@x')": [
        "`s.endsWith('@x')` is not negated",
        'endsWith("@x") is endsWith("x")',
        "`s.endsWith('@x')` is asked with contains",
    ],
    "!s.startsWith('ab')": [
        "`s.startsWith('ab')` is not negated",
        'startsWith("ab") is startsWith("a")',
        "`s.startsWith('ab')` is asked with contains",
    ],
    "!s.startsWith('a/' + s + '/')": [
        "`s.startsWith('a/' + s + '/')` is not negated",
        'startsWith("/") is startsWith("")',
        "`s.startsWith('a/' + s + '/')` is asked with contains",
    ],
    "!s.matches('^a$')": [
        "`s.matches('^a$')` is not negated",
        "the pattern is not held to the start of the text",
        "the pattern is not held to the end of the text",
        "`a` is `.` at character 2 of the pattern",
    ],
    "s.matches('(?i)a|b')": [
        "case matters in the pattern",
        "the pattern is held to the start of the text",
        "the pattern is held to the end of the text",
        "`a` at character 5 is not in the pattern",
        "`b` at character 7 is not in the pattern",
    ],
    "s.endsWith('@x')": ['endsWith("@x") is endsWith("mallory@x")'],
    "s.lowerAscii().contains('x')": [
        'contains("x") is contains("xmallory")',
        "`s.lowerAscii().contains('x')` is asked with startsWith",
        "`s.lowerAscii().contains('x')` is asked with endsWith",
        "`lowerAscii()` of `s` is gone",
    ],
    "l.exists(x, x == 'a')": ["`exists` is `all`"],
    "l.exists(x, x != 'a')": ["`exists` is `all`", '"mallory" is let through like "a"'],
    "!l.all(x, x == 'a')": [
        "`l.all(x, x == 'a')` is not negated",
        "`all` is `exists`",
        '"mallory" is let through like "a"',
    ],
    "l.all(x, x == 'a')": [],
    "l.exists_one(x, x == 'a')": [
        "`exists_one` is `all`",
        '"mallory" is let through like "a"',
    ],
    "k.exists(x, x == s)": [
        "`exists` is `all`",
        '"x" is not in the list',
        '"y" is not in the list',
    ],
    "l.filter(x, x != 'a' && b).size() > 2": [
        "the bound 2 is 3",
        "`l.filter(x, x != 'a' && b)` leaves nothing out",
        "the clause `x != 'a'` is gone",
        '"mallory" is let through like "a"',
        "the clause `b` is gone",
    ],
    "cel.bind(z, n, z > 5)": ["the bound 5 is 6"],
    "b ? n > 5 : n > 7": [
        "the test `b` always holds",
        "the test `b` never holds",
        "the bound 5 is 6",
        "the bound 7 is 8",
    ],
    "(n > 1 ? n : m) > 5": [
        "the bound 5 is 6",
        "the test `n > 1` always holds",
        "the test `n > 1` never holds",
        "the bound 1 is 2",
        "`n > 1` compares with >=",
    ],
    "t - duration('1h') > t": ['`t` is `t + duration("1s")`'],
    "t > timestamp('2026-01-01T00:00:00Z')": [
        (
            "`timestamp('2026-01-01T00:00:00Z')` is "
            "`timestamp('2026-01-01T00:00:00Z') + duration(\"1s\")`"
        )
    ],
    "s > '2026-01-01'": ['the bound "2026-01-01" is "2026-01-02"'],
    "n != 5.0": ["6.0 is let through like 5.0"],
    "n > caps[s]": ['the bound 500 of "gold" is 501', 'the bound 100 of "basic" is 101'],
    "!(s in hosts[e])": [
        "`s in hosts[e]` is not negated",
        '"mallory" is in the list of "prod"',
        '"mallory" is in the list of "test"',
    ],
    "s in k + ['z']": [
        '"x" is not in the list',
        '"y" is not in the list',
        '"z" is not in the list',
    ],
    "!('a' in l) && b": [
        "the clause `!('a' in l)` is gone",
        "`'a' in l` is not negated",
        'anything is let through like "a"',
        "the clause `b` is gone",
    ],
    "!k.exists(x, x == s)": [
        "`k.exists(x, x == s)` is not negated",
        '"mallory" is in the list',
    ],
    "!cidr('10.0.0.0/8').containsIP(s)": [
        "`cidr('10.0.0.0/8').containsIP(s)` is not negated",
        'the range "10.0.0.0/8" is "10.0.0.0/7"',
    ],
    "cidr('10.0.0.0/8').containsIP(s)": ['the range "10.0.0.0/8" is "10.0.0.0/9"'],
    "optional.of(b).orValue(true)": ["what is not there counts as false"],
    "!optional.of(b).orValue(false)": [
        "`optional.of(b).orValue(false)` is not negated",
        "what is not there counts as true",
    ],
    "t.getHours('Europe/Berlin') >= 20": [
        "`t.getHours('Europe/Berlin') >= 20` compares with >",
        "`t.getHours('Europe/Berlin')` is that of \"Etc/GMT+12\"",
    ],
    "(n > 5) == b": ["the bound 5 is 6", "`n > 5` compares with >="],
    "s.trim().lowerAscii() == 'x'": [
        "`lowerAscii()` of `s.trim()` is gone",
        "`trim()` of `s` is gone",
    ],
    "(n + m) * 2.0 > 5 || !(b || n > 7)": [
        "the clause `(n + m) * 2.0 > 5` is gone",
        "the bound 5 is 6",
        "the clause `!(b || n > 7)` is gone",
        "`b || n > 7` is not negated",
        "the clause `b` is gone",
        "the clause `n > 7` is gone",
        "`n > 7` compares with >=",
    ],
}


def listed(node):
    """What a policy lists for the variable "e"."""
    return ["a", "b"] if getattr(node, "name", None) == "e" else []


@pytest.mark.parametrize("text", CONDITIONS)
def test_a_condition_is_weakened_in_single_places(text):
    tree = compile_condition(text, ENVIRONMENT).tree
    found = list(changed_conditions(tree, text, listed))
    assert [one.what for one in found] == CONDITIONS[text]
    for one in found:
        assert one.tree != tree
        compile_tree(one.tree, ENVIRONMENT, None)


SCHEMAS = [
    ({"type": "number", "maximum": 5}, ["maximum 5 is 6", "string is taken as well"]),
    ({"type": "integer", "minimum": 5}, ["minimum 5 is 4", "number is taken as well"]),
    ({"type": "number", "exclusiveMinimum": 0},
     ["exclusiveMinimum 0 is minimum", "string is taken as well"]),
    ({"type": "string", "minLength": 1}, ["minLength 1 is gone", "number is taken as well"]),
    ({"type": "string", "minLength": 3}, ["minLength 3 is 2", "number is taken as well"]),
    ({"type": "string", "maxBytes": 3},
     ["maxBytes 3 is 4", "maxBytes is gone", "number is taken as well"]),
    ({"type": "string", "format": "date"}, ["format is gone", "number is taken as well"]),
    ({"type": "string", "pattern": "^a$"},
     [
         "the pattern is not held to the start of the text",
         "the pattern is not held to the end of the text",
         "`a` is `.` at character 2 of the pattern",
         "the pattern is gone",
         "number is taken as well",
     ]),
    ({"type": "string", "check": {"terms": {"any": ["a", "b"]}}},
     [
         "check is gone",
         '"a" is not looked for',
         '"b" is not looked for',
         "case matters",
         "number is taken as well",
     ]),
    ({"enum": ["a"]}, ["the list is longer"]),
    ({"enum": [True]}, ["the list is longer"]),
    ({"enum": [True, False]}, []),
    ({"const": "a"}, ["const is a list of two"]),
    ({"type": "string"}, ['any type is taken, not only "string"']),
    ({"type": ["string", "null"], "maxLength": 3}, ["maxLength 3 is 4", "number is taken as well"]),
    ({"type": "array", "maxItems": 2, "items": {"type": "string", "maxLength": 3}},
     [
         "maxItems 2 is 3",
         "string is taken as well",
         "maxLength 3 is 4",
         "number is taken as well",
     ]),
    ({"type": "array", "prefixItems": [{"enum": [1]}], "items": False},
     [
         "string is taken as well",
         "more items are taken",
         "the list is longer",
     ]),
    ({"type": "array", "uniqueItems": True}, ["uniqueItems is gone", "string is taken as well"]),
    ({"type": "array", "contains": {"enum": [1]}, "minContains": 1, "maxContains": 2},
     [
         "contains is gone",
         "minContains 1 is gone",
         "maxContains 2 is 3",
         "string is taken as well",
         "the list is longer",
     ]),
    ({"type": "object", "properties": {"a": {"enum": [1]}, "b": {"enum": [2], "optional": True}}},
     [
         "string is taken as well",
         "any key is taken",
         '"a" may be absent',
         "the list is longer",
         "the list is longer",
     ]),
    ({"type": "object", "properties": {"a": {"enum": [1]}}, "required": ["a"]},
     ["string is taken as well", "any key is taken", '"a" may be absent', "the list is longer"]),
    ({"type": "object", "additionalProperties": {"enum": [1]}, "minProperties": 2,
      "propertyNames": {"enum": ["a", "b"]}},
     [
         "minProperties 2 is 1",
         "propertyNames is gone",
         "string is taken as well",
         "any key is taken",
         "the list is longer",
         "the list is longer",
     ]),
    ({"anyOf": [{"const": 1}, {"const": 5}]},
     ["anyOf is gone", "const is a list of two", "const is a list of two"]),
    ({"oneOf": [{"const": 1}, {"const": 5}]},
     ["oneOf is gone", "const is a list of two", "const is a list of two"]),
    ({"allOf": [{"enum": [1, 4]}, {"enum": [4, 3]}]},
     [
         "a part of allOf is gone",
         "a part of allOf is gone",
         "the list is longer",
         "the list is longer",
     ]),
    ({"not": {"enum": ["a", "b"]}},
     ["not is gone", "'a' is not in the list", "'b' is not in the list"]),
    ({"not": {"type": "number", "minimum": 5, "maximum": 9}},
     ["not is gone", "minimum 5 is exclusiveMinimum", "maximum 9 is exclusiveMaximum"]),
    ({"not": {"not": {"enum": ["a"]}}}, ["not is gone", "the list is longer"]),
    ({"if": {"type": "number", "minimum": 5}, "then": {"const": 7}},
     ["then is gone", "const is a list of two", "minimum 5 is exclusiveMinimum"]),
    ({"if": {"enum": [1]}, "else": {"const": 5}},
     ["else is gone", "const is a list of two", "the list is longer"]),
    ({"$ref": "#/$defs/a", "$defs": {"a": {"const": 1}}},
     ["$ref is gone", "const is a list of two"]),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "expected"), SCHEMAS, ids=str)
def test_a_schema_is_loosened_in_single_places(schema, expected):
    found = list(loosened({**schema, "optional": True}))
    assert [one.what for one in found] == expected
    for one in found:
        assert not check_schema(one.schema, top=True, allow_ours=True), one


@pytest.mark.parametrize(
    "schema",
    [schema for schema, whats in SCHEMAS if whats and "allOf" not in schema],
    ids=str,
)
def test_a_loosened_schema_takes_a_value_that_the_schema_does_not(schema):
    """Values about the bounds show it; the rest of the language finds its witnesses so."""
    before = compile_arguments({"x": schema}, closed=True, patterns=Patterns())
    for one in loosened(schema):
        patterns = Patterns()
        after = compile_arguments({"x": one.schema}, closed=True, patterns=patterns)
        values = [*values_of(one.schema, None, near=True), *values_of(schema, None, near=True)]
        more = [{"x": value} for value in values] + [{}]
        # A text that a check finds is aimed at by the check.
        more.extend({"x": text} for text in ("a", "b", "A"))
        told = [args for args in more if after.fits(args) and not before.fits(args)]
        assert told, one.what
        assert not any(before.fits(args) and not after.fits(args) for args in more), one.what


def test_an_argument_that_must_be_there_may_be_absent():
    found = [one.what for one in loosened({"type": "boolean"})]
    assert found == ['any type is taken, not only "boolean"', "the argument may be absent"]


PATTERNS = {
    r"^[a-z]{2,4}\.x$": [
        (r"[a-z]{2,4}\.x$", "the pattern is not held to the start of the text"),
        (r"^[a-z]{2,4}\.x", "the pattern is not held to the end of the text"),
        (r"^.{2,4}\.x$", "`[a-z]` is `.` at character 2 of the pattern"),
        (r"^[a-z]{2,}\.x$", "`{2,4}` is `{2,}` at character 7 of the pattern"),
        (r"^[a-z]{1,4}\.x$", "`{2,4}` is `{1,4}` at character 7 of the pattern"),
        (r"^[a-z]{2,4}.x$", "`\\.` is `.` at character 12 of the pattern"),
        (r"^[a-z]{2,4}\..$", "`x` is `.` at character 14 of the pattern"),
    ],
    r"(?i)^\d+[]\]x]$": [
        (r"(?i)\d+[]\]x]$", "the pattern is not held to the start of the text"),
        (r"(?i)^\d+[]\]x]", "the pattern is not held to the end of the text"),
        (r"(?i)^.+[]\]x]$", "`\\d` is `.` at character 6 of the pattern"),
        (r"(?i)^\d*[]\]x]$", "`+` is `*` at character 8 of the pattern"),
        (r"(?i)^\d+.$", "`[]\\]x]` is `.` at character 9 of the pattern"),
    ],
    r"ab\+\$": [
        (r"..\+\$", "`ab` is `..` at character 1 of the pattern"),
        (r"ab.\$", "`\\+` is `.` at character 3 of the pattern"),
        (r"ab\+.", "`\\$` is `.` at character 5 of the pattern"),
    ],
    "x{3,}": [
        (".{3,}", "`x` is `.` at character 1 of the pattern"),
        ("x{2,}", "`{3,}` is `{2,}` at character 2 of the pattern"),
    ],
    r"https?\b.*?": [
        (r"https?.*?", r"`\b` at character 7 of the pattern is gone"),
        (r"....s?\b.*?", "`http` is `....` at character 1 of the pattern"),
        (r"http.?\b.*?", "`s` is `.` at character 5 of the pattern"),
        (r"https*\b.*?", "`?` is `*` at character 6 of the pattern"),
    ],
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_is_loosened_in_single_places(pattern):
    found = list(loosened_pattern(pattern))
    assert found == PATTERNS[pattern]
    for after, _ in found:
        re2.compile(after)


TIGHTER = {
    "(?i)a(b|c)": [
        ("a(b|c)", "case matters in the pattern"),
        ("(?i)^(?:a(b|c))", "the pattern is held to the start of the text"),
        ("(?i)(?:a(b|c))$", "the pattern is held to the end of the text"),
        ("(?i)a(c)", "`b` at character 7 is not in the pattern"),
        ("(?i)a(b)", "`c` at character 9 is not in the pattern"),
    ],
    "^x|y|[|]$": [
        ("y|[|]$", "`^x` at character 1 is not in the pattern"),
        ("^x|[|]$", "`y` at character 4 is not in the pattern"),
        ("^x|y", "`[|]$` at character 6 is not in the pattern"),
    ],
    r"^[a-z^-]{2,4}\s+x*y?z{3}(?!s)$": [
        (r"^[\^\-]{2,4}\s+x*y?z{3}(?!s)$", r"`[a-z^-]` is `[\^\-]` at character 2 of the pattern"),
        (
            r"^[a-z\-]{2,4}\s+x*y?z{3}(?!s)$",
            r"`[a-z^-]` is `[a-z\-]` at character 2 of the pattern",
        ),
        (
            r"^[a-z\^]{2,4}\s+x*y?z{3}(?!s)$",
            r"`[a-z^-]` is `[a-z\^]` at character 2 of the pattern",
        ),
        (r"^[a-z^-]{3,4}\s+x*y?z{3}(?!s)$", "`{2,4}` is `{3,4}` at character 9 of the pattern"),
        (r"^[a-z^-]{2,4} +x*y?z{3}(?!s)$", r"`\s` is ` ` at character 14 of the pattern"),
        (r"^[a-z^-]{2,4}\s{2,}x*y?z{3}(?!s)$", "`+` is `{2,}` at character 16 of the pattern"),
        (r"^[a-z^-]{2,4}\s+x+y?z{3}(?!s)$", "`*` is `+` at character 18 of the pattern"),
        (r"^[a-z^-]{2,4}\s+x*y{1}z{3}(?!s)$", "`?` is `{1}` at character 20 of the pattern"),
        (r"^[a-z^-]{2,4}\s+x*y?z{4}(?!s)$", "`{3}` is `{4}` at character 22 of the pattern"),
        (r"^[a-z^-]{2,4}\s+x*y?z{3}(?!.)$", "`(?!s)` is `(?!.)` at character 25 of the pattern"),
    ],
}


@pytest.mark.parametrize("pattern", TIGHTER)
def test_a_pattern_that_forbids_is_tightened_in_single_places(pattern):
    assert list(tightened_pattern(pattern)) == TIGHTER[pattern]


SHOWN = {
    '!("a" in l) && b': ['!("a" in l)', '"a" in l', "b"],
    "(n + m) * 2.0 > 5 && b": ["(n + m) * 2.0 > 5", "b"],
    'b && (s == ")" || s == "(")': ["b", 's == ")" || s == "("', 's == ")"', 's == "("'],
    "b && !(b || (n > 5))": ["b", "!(b || (n > 5))", "b || (n > 5)", "b", "n > 5"],
}


@pytest.mark.parametrize("text", SHOWN)
def test_a_clause_is_shown_with_its_brackets(text):
    tree = compile_condition(text, ENVIRONMENT).tree
    found = [one.what for one in changed_conditions(tree, text, listed)]
    told = [what.split("`")[1] for what in found if what.endswith(("is gone", "is not negated"))]
    assert list(dict.fromkeys(told)) == list(dict.fromkeys(SHOWN[text]))


def test_a_long_clause_is_shown_by_its_two_ends():
    text = (
        'b && s == "a long text of which nobody will want to read the whole, or the middle of it"'
    )
    tree = compile_condition(text, ENVIRONMENT).tree
    first, *_ = (one.what for one in changed_conditions(tree, text, listed) if "s ==" in one.what)
    assert (
        first == 'the clause `s == "a long text of which nob…e whole, or the middle of it"` is gone'
    )


PLACED = """
policy: p
language: 1
tools:
  t:
    args: {n: {type: number}, m: {type: number}}
    rules:
      - {id: flow, when: args.n > 3 && args.m > 4, effect: deny}
      - {id: quoted, when: 'args.n > 3 && args.m > 4', effect: deny}
      - id: plain
        when: args.n > 3
          && args.m > 4
        effect: deny
      - id: block
        when: |
          args.n > 3
          && args.m > 4
        effect: deny
      - id: folded
        when: >-

          args.n > 3 &&
          args.m > 4
        effect: deny
      - {id: escaped, when: "args.n > 3 &\\u0026 args.m > 4", effect: deny}
"""


def test_a_mutant_of_a_condition_stands_where_it_is_changed():
    compiled = load_texts({"p.yaml": PLACED}, warm=False)
    lines = PLACED.split("\n")
    found = {
        (one.name, one.what): lines[one.location.line - 1][one.location.column - 1 :]
        for one in mutants_of(compiled)
    }
    for name in ("flow", "quoted", "plain", "block", "folded"):
        assert found[f"p/{name}", "the bound 3 is 4"].startswith("3")
        assert found[f"p/{name}", "the bound 4 is 5"].startswith("4")
        assert found[f"p/{name}", "the clause `args.m > 4` is gone"].startswith("args.m")
    # Where the text is written otherwise than it is read, the condition is as near as it gets.
    assert found["p/escaped", "the bound 4 is 5"].startswith('"args.n')


@pytest.mark.parametrize("path", ["policies", "tests/design.yaml"])
def test_no_two_mutants_are_told_alike(path):
    compiled = load(str(ROOT / path), warm=False)
    told = Counter((one.location, one.name, one.what) for one in mutants_of(compiled))
    assert [one for one, times in told.items() if times > 1] == []


def test_globs_are_changed_in_single_places():
    assert list(narrower("*refund*")) == ["refund*", "*refund"]
    assert list(narrower("delete_*")) == []
    assert list(wider("get_*")) == ["get*"]
    assert list(wider("*_read")) == ["*read"]
    assert list(wider("*")) == []


HEAD = """
defaults: {agent: a, principal: {id: u1}, context: {env: prod}, facts: {order: {owner: u1}}}
tests:
"""


def verdicts(path):
    loaded = read_suites([str(path)])
    return {(one.rule, one.what): one for one in hunt(loaded, jobs=1)}


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


CAREFUL = """
policy: shop
language: 1
facts:
  order:
    from: app:order
    with: [args.id]
    schema: {type: object, properties: {owner: {type: string}}}
tools:
  find: {args: {}}
  change:
    effect: require_approval
    approval: {approvers: [requester], expires: 10m}
    args: {id: {type: string, pattern: '^#W[0-9]{7}$'}}
rules:
  - {id: found-first, tools: [change], when: '!("find" in session.calls)', effect: deny}
  - {id: own, tools: [change], when: facts.order.owner != principal.id, effect: deny}
"""


def test_a_call_is_found_where_every_test_is_denied_for_something_else(tmp_path):
    """Three things must be put right before what the entry asks for can be seen."""
    (tmp_path / "shop.yaml").write_text(CAREFUL)
    (tmp_path / "tests").mkdir()
    path = tmp_path / "tests" / "t.yaml"
    path.write_text(
        "policies: ../shop.yaml\ndefaults: {agent: a, principal: {id: u1}}\ntests:\n"
        "  - name: a\n    request: {tool: change, args: {id: W1}, facts: {order: {owner: u2}}}\n"
        "    expect: {effect: deny}\n"
    )
    found = verdicts(path)["shop/tools/change", '"require_approval" is "allow"']
    assert (found.witness.policy, found.witness.mutant) == ("require_approval", "allow")
    assert found.witness.beside == ("it called find",)
    assert found.witness.request["facts"] == {"order": {"owner": "u1"}}


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
    for mutant, verdict in zip(mutants_of(compiled), hunt(loaded, jobs=1), strict=True):
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


DECLARING = """
policy: p
language: 1
context: {env: {enum: [prod, test]}, level: {type: integer, maximum: 3}}
attrs: {site: {type: string, maxLength: 2}, grade: {type: integer, minimum: 0}}
facts:
  box:
    from: app:box
    with: [args.n, context.env]
    schema: {type: object, properties: {n: {type: number}, of: {type: string, optional: true}}}
  seen: {from: app:seen, with: [principal.attrs.site], schema: {type: boolean}}
tools:
  t:
    args: {n: {type: number}}
    rules:
      - {id: box, when: args.n > facts.box.n, effect: deny}
      - {id: of, when: 'has(facts.box.of) && facts.box.of == "x"', effect: require_approval,
         approval: {approvers: [boss], expires: 1h}}
    result: [{id: back, when: context.env == "prod" && result == "x", effect: deny}]
handoffs:
  h: {rules: [{id: hand, when: principal.attrs.grade > 2, effect: deny}]}
rules:
  - {id: seen, tools: [t], when: 'facts.seen && principal.attrs.site == "a"', effect: deny}
  - {id: top, tools: [t], when: context.level > 2, effect: deny}
input: [{id: in, when: 'context.level > 1 && text == "x"', effect: deny}]
output: [{id: out, when: 'principal.attrs.site == "b"', effect: deny}]
"""


def _made(variants, mutant, unit):
    try:
        return variants.make(mutant.index, mutant.policy, unit)
    except PolicyError as error:
        return error.faults


def test_what_is_declared_otherwise_is_compiled_anew_wherever_it_is_read():
    compiled = load_texts({"p.yaml": DECLARING})
    variants = Variants(compiled)
    asked = [
        (
            Request(
                stage=stage,
                principal={"id": "u", "attrs": {"site": site, "grade": grade}},
                context={"env": env, "level": level},
                **about,
            ),
            Facts(answers={"box": box, "seen": seen}),
        )
        for stage, about in (
            ("tool_call", {"tool": "t", "args": {"n": 2}}),
            ("tool_result", {"tool": "t", "args": {"n": 2}, "result": "x"}),
            ("handoff", {"target": "h"}),
            ("input", {"text": "x"}),
            ("output", {"text": "x"}),
        )
        for site, grade in (("a", 3), ("b", -1), ("abc", "x"), (1, 1))
        for env, level in (("prod", 3), ("mallory", 4), ("test", "x"))
        for box, seen in (({"n": 5, "of": "x"}, True), ({"n": "5"}, "true"), ({"of": "y"}, False))
    ]
    told = set()
    refused = set()
    for mutant in mutants_of(compiled):
        if mutant.unit != ("declared",):
            continue
        made = [_made(variants, mutant, unit) for unit in ((), mutant.unit)]
        if not all(isinstance(one, Compiled) for one in made):
            assert made[0] == made[1], mutant.what
            refused.add(mutant.what)
            continue
        whole, part = map(Engine, made)
        for request, facts in asked:
            expected = whole.decide(request, facts)
            assert part.decide(request, facts).reasons == expected.reasons, mutant.what
            assert part.needs(request).facts == whole.needs(request).facts, mutant.what
            if expected.reasons != Engine(compiled).decide(request, facts).reasons:
                told.add(mutant.what.partition(":")[0])
    assert told == {
        *("context.env", "context.level", "principal.attrs.site", "principal.attrs.grade"),
        *("facts.box", "facts.seen"),
    }
    assert any("facts.box" in what for what in refused)


@pytest.mark.parametrize("name", ["banking", "support-desk"])
def test_no_test_that_is_not_run_would_notice(name):
    """What a mutant leaves untouched decides as before, so a test of it need not run."""
    loaded = read_suites([str(ROOT / "policies" / "tests" / f"{name}.yaml")])
    ((path, compiled),) = loaded.policies.items()
    cases = [case for suite in loaded.suites for case in suite.cases]
    examiner = Examiner(compiled, cases)
    skipped = 0
    for mutant in examiner.mutants[::4]:
        try:
            changed = examiner._variant(mutant)
        except PolicyError:
            continue
        names = examiner._names(mutant)
        differs = says_otherwise(mutant, compiled, changed, names or ())
        for index in examiner._meeting(mutant, names):
            if not examiner._asked[index].is_touched(names, differs):
                skipped += 1
                assert passes(Engine(changed), prices_of(changed), cases[index]), mutant.what
    assert skipped > 1_000, path


@pytest.mark.parametrize("read", ["args.a", "context.a", "principal.attrs.a", "facts.a"])
def test_what_is_let_through_is_a_value_that_the_policy_lists(read):
    text = f"""\
policy: p
language: 1
context: {{a: {{enum: [x, y]}}}}
attrs: {{a: {{enum: [x, y]}}}}
facts: {{a: {{from: app:a, schema: {{enum: [x, y]}}}}}}
tools:
  t: {{args: {{a: {{enum: [x, y]}}}}, rules: [{{id: r, when: {read} != "y", effect: deny}}]}}
"""
    mutants = mutants_of(load_texts({"p.yaml": text}))
    assert '"x" is let through like "y"' in [mutant.what for mutant in mutants]


def test_large_numbers_are_written_in_full():
    text = """\
policy: p
language: 1
tools: {send: {args: {amount: {type: number, minimum: 0, maximum: 250000}}}}
limits:
  - {id: sum, tools: [send], of: args.amount, max: 1000000, per: 1h, by: [principal]}
prices: {m: {input: 0.00002, output: 3000000}}
"""
    examiner = Examiner(load_texts({"p.yaml": text}), [])
    told = [mutant.what for mutant in examiner.mutants]
    at = told.index("max 1,000,000 is 1,000,001")
    witness = examiner.examine(at).witness
    assert 'the price of the input of "m" is 0.00001, not 0.00002' in told
    assert 'the price of the output of "m" is 1,500,000, not 3,000,000' in told
    assert witness is not None
    assert (witness.policy, witness.mutant) == ("deny", "allow")
    amounts = [(one.given.request.args["amount"], one.repeat) for one in witness.standing.steps]
    # Each is permitted, and the last one is what would come to 1,000,001 at most.
    assert 1_000_000 < sum(amount * times for amount, times in amounts) <= 1_000_001


REFUSED = {
    "a rule reads an argument that no entry declares": (
        (
            "tools: {t: {args: {x: {type: string}}, rules: [{id: r, when: args.x == 'a',"
            " effect: deny}]}}\n"
        ),
        "any arguments are taken",
    ),
    "a limit sums an argument that no entry declares": (
        (
            "tools: {t: {args: {n: {type: number, minimum: 0}}}}\n"
            "limits: [{id: l, tools: [t], of: args.n, max: 9, per: day, by: [principal]}]\n"
        ),
        "any arguments are taken",
    ),
    "a fact is looked up by an argument that no entry declares": (
        (
            "facts: {f: {from: app:f, with: [args.x], schema: {type: boolean}}}\n"
            "tools: {t: {args: {x: {type: string}}, rules:"
            " [{id: r, when: facts.f, effect: deny}]}}\n"
        ),
        "any arguments are taken",
    ),
    "a condition asks for a label that no entry sets": (
        (
            "tools: {t: {args: {}, labels: [a]}}\nrules: [{id: r, tools: ['*'],"
            " when: \"'a' in session.labels\", effect: deny}]\n"
        ),
        'the session does not carry "a"',
    ),
    "an optional argument is read without asking": (
        (
            "tools: {t: {args: {x: {type: string, optional: true}}, rules:"
            " [{id: r, when: \"has(args.x) && args.x != 'a'\", effect: deny}]}}\n"
        ),
        "the clause `has(args.x)` is gone",
    ),
    "an optional argument is read where another is asked for": (
        (
            "tools: {t: {args: {x: {type: string, optional: true}, y: {type: boolean}}, rules:"
            " [{id: r, when: '!has(args.x) || !(args.x.size() < 3 || args.y)', effect: deny}]}}\n"
        ),
        "`has(args.x)` is not negated",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_mutant_that_would_not_load_is_refused(name):
    """What no text of a policy can say is not counted."""
    text, what = REFUSED[name]
    examiner = Examiner(load_texts({"p.yaml": f"policy: p\nlanguage: 1\n{text}"}), [])
    (at,) = (i for i, mutant in enumerate(examiner.mutants) if mutant.what == what)
    assert examiner.examine(at).fate == "refused"


def test_an_argument_that_is_asked_for_otherwise_is_still_read():
    text = """\
policy: p
language: 1
tools:
  t:
    args: {x: {type: string, optional: true}, y: {type: boolean}}
    rules:
      - {id: r, when: "args.y && has(args.x) && args.x != 'a'", effect: deny}
      - {id: s, when: "has(args.x) ? args.x == 'b' : args.y", effect: deny}
"""
    examiner = Examiner(load_texts({"p.yaml": text}), [])
    fates = {mutant.what: examiner.examine(i).fate for i, mutant in enumerate(examiner.mutants)}
    assert fates["the clause `args.y` is gone"] == "survived"
    assert fates["the test `has(args.x)` never holds"] == "survived"
    assert fates["the test `has(args.x)` always holds"] == "refused"


GRANTS = "policy: g\nlanguage: 1\ntools: {'*_user': allow}\n"
RESTRICTS = "rules: [{id: r, tools: ['*'], args: {x: {const: 1}}, effect: deny}]\n"
WEAKER = {
    "a deny glob over what is granted": (
        "policy: p\nlanguage: 1\ntools: {'drop_*': deny, '*_user': allow}\n",
        'the glob "drop_*" is "drop_x*"',
    ),
    "a deny glob where the rest is allowed": (
        "policy: p\nlanguage: 1\ndefault: allow\ntools: {'drop_*': deny}\n",
        'the glob "drop_*" is "drop_x*"',
    ),
    "restrictions for every agent": (
        f"policy: p\nlanguage: 1\n{RESTRICTS}",
        'the policy is for "mallory" only',
    ),
    "restrictions for some agents": (
        f"policy: p\nlanguage: 1\napplies_to: {{agents: ['help-*']}}\n{RESTRICTS}",
        'the policy is for "help-x*", not "help-*"',
    ),
}


@pytest.mark.parametrize("name", WEAKER)
def test_what_stops_less_is_a_mutant_with_a_call(name):
    text, what = WEAKER[name]
    beside = {} if "tools: {" in text else {"g.yaml": GRANTS}
    examiner = Examiner(load_texts({"p.yaml": text, **beside}), [])
    (at,) = (i for i, mutant in enumerate(examiner.mutants) if mutant.what == what)
    assert examiner.examine(at).fate == "survived"


def test_a_deny_glob_over_nothing_granted_is_not_narrowed():
    text = "policy: p\nlanguage: 1\ntools: {'drop_*': deny, read: allow}\n"
    told = [mutant.what for mutant in mutants_of(load_texts({"p.yaml": text}))]
    assert not [what for what in told if "drop_x" in what]
