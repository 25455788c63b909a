"""Little policies with one flaw of reasoning each, and their neighbours without it.

A neighbour differs by one value, so that what finds the flaw cannot be a guess.
"""
# ruff: noqa: E501 - a table of one-line policies

import pytest

from policy_engine.lint import lint
from policy_engine.lint.proof.decided import confirmed
from policy_engine.lint.subject import Subject
from policy_engine.loader import load_texts

PROVED = {
    *("PE101", "PE102", "PE103", "PE104", "PE105", "PE106", "PE107"),
    *("PE122", "PE132", "PE133", "PE134", "PE135"),
}
NUMBER = "n: {type: number, minimum: 0, maximum: 100}"
ASKED = "effect: require_approval, approval: {approvers: [boss], expires: 1h}"


def tool(args, *rules, more=""):
    """Write a policy of one tool."""
    lines = ["policy: p", "language: 1", *more.splitlines(), "tools:", "  t:", "    args:"]
    lines += [f"      {line}" for line in args.splitlines()]
    if rules:
        lines.append("    rules:")
    for index, rule in enumerate(rules):
        effect = "" if "effect:" in rule else ", effect: deny"
        lines.append(f"      - {{id: r{index}, {rule}{effect}}}")
    return "\n".join(lines) + "\n"


def across(args, rule):
    """Write a policy of one tool, with a rule across tools."""
    return f"{tool(args)}rules:\n  - {{id: r, tools: [t], {rule}, effect: deny}}\n"


def texts(*rules):
    """Write a policy over what the agent says."""
    return "policy: p\nlanguage: 1\noutput:\n" + "".join(
        f"  - {{id: r{index}, {rule}}}\n" for index, rule in enumerate(rules)
    )


def when(text):
    return f"when: '{text}'"


TWO = "n: {anyOf: [{type: integer, minimum: 0, maximum: 10}, {type: integer, minimum: 50, maximum: 60}]}"
ONE = "n: {oneOf: [{type: integer, minimum: 0, maximum: 5}, {type: integer, minimum: 10, maximum: 15}]}"
IF = "n: {type: number, if: {minimum: 50}, then: {maximum: 60}, else: {minimum: 0}}"
NESTED = "o: {type: object, properties: {n: {type: integer, minimum: 0, maximum: 5}}}"
LIST = "l: {type: array, maxItems: 5, items: {type: integer, minimum: 0, maximum: 9}}"
ROWS = "l: {type: array, maxItems: 5, items: {type: object, properties: {q: {type: integer, minimum: 1, maximum: 9}}}}"
FILLED = (
    "l: {type: array, minItems: 1, maxItems: 5, items: {type: integer, minimum: 0, maximum: 9}}"
)
PAIR = "a: {type: integer, minimum: 0, maximum: 10}\nb: {type: integer, minimum: 0, maximum: 10}"
REAL = "a: {type: number, minimum: 0, maximum: 10}\nb: {type: number, minimum: 0, maximum: 10}"
ENUM = "e: {enum: [a, b, c]}"
TEXT = "s: {type: string, maxLength: 50}"
DEFS = "n: {$defs: {small: {type: integer, minimum: 0, maximum: 9}}, $ref: '#/$defs/small'}"

# title -> (the flawed policy, what it earns, the neighbour without the flaw)
CASES = {
    "above every alternative": (
        tool(TWO, when("args.n > 60")), {"PE101"}, tool(TWO, when("args.n > 59")),
    ),
    "between two alternatives": (
        tool(TWO, when("args.n > 10 && args.n < 50")), {"PE101"},
        tool(TWO, when("args.n > 9 && args.n < 50")),
    ),
    "above both of exactly one": (
        tool(ONE, when("args.n > 15")), {"PE101"}, tool(ONE, when("args.n > 14")),
    ),
    "beyond all parts together": (
        tool("n: {type: number, allOf: [{minimum: 0}, {maximum: 10}]}", when("args.n > 10")),
        {"PE101"},
        tool("n: {type: number, allOf: [{minimum: 0}, {maximum: 10}]}", when("args.n >= 10")),
    ),
    "above what follows from a condition": (
        tool(IF, when("args.n > 60")), {"PE101"}, tool(IF, when("args.n >= 60")),
    ),
    "what is taken out": (
        tool("n: {type: integer, minimum: 0, maximum: 9, not: {const: 5}}", when("args.n == 5")),
        {"PE101"},
        tool("n: {type: integer, minimum: 0, maximum: 9, not: {const: 5}}", when("args.n == 6")),
    ),
    "no multiple": (
        tool("n: {type: integer, multipleOf: 10, minimum: 0}", when("args.n == 15")), {"PE101"},
        tool("n: {type: integer, multipleOf: 5, minimum: 0}", when("args.n == 15")),
    ),
    "between two whole numbers": (
        tool("n: {type: integer}", when("args.n > 3 && args.n < 4")), {"PE101"},
        tool("n: {type: number}", when("args.n > 3 && args.n < 4")),
    ),
    "below a reference": (
        tool(DEFS, when("args.n > 9")), {"PE101"}, tool(DEFS, when("args.n > 8")),
    ),
    "a property above its bound": (
        tool(NESTED, when("args.o.n > 5")), {"PE101"}, tool(NESTED, when("args.o.n > 4")),
    ),
    "an element above its bound": (
        tool(LIST, when("args.l.exists(x, x > 9)")), {"PE101"},
        tool(LIST, when("args.l.exists(x, x > 8)")),
    ),
    "every element below its bound": (
        tool(LIST, when("args.l.all(x, x < 10)")), {"PE102"},
        tool(LIST, when("args.l.all(x, x < 9)")),
    ),
    "an element that is and is not": (
        tool(LIST, when("args.l.exists(x, x > 5) && args.l.all(x, x < 5)")), {"PE101"},
        tool(LIST, when("args.l.exists(x, x > 3) && args.l.all(x, x < 5)")),
    ),
    "no element of a list that has some": (
        tool(FILLED, when("args.l.all(x, x > 9)")), {"PE101"}, tool(LIST, when("args.l.all(x, x > 9)")),
    ),
    "a property of an element": (
        tool(ROWS, when("args.l.exists(x, x.q == 0)")), {"PE101"},
        tool(ROWS, when("args.l.exists(x, x.q == 1)")),
    ),
    "a member that no element is": (
        tool(LIST, when("10 in args.l")), {"PE101"}, tool(LIST, when("9 in args.l")),
    ),
    "more elements than there may be": (
        tool(LIST, when("args.l.size() > 5")), {"PE101"}, tool(LIST, when("args.l.size() > 4")),
    ),
    "a sum above both bounds": (
        tool(PAIR, when("args.a + args.b > 20")), {"PE101"}, tool(PAIR, when("args.a + args.b > 19")),
    ),
    "a product of doubles": (
        tool(REAL, when("args.a * 2.0 > 20.0")), {"PE101"}, tool(REAL, when("args.a * 2.0 > 19.0")),
    ),
    "a difference of doubles": (
        tool(REAL, when("args.a - args.b <= 10.0")), {"PE102"},
        tool(REAL, when("args.a - args.b < 10.0")),
    ),
    "a value that no alternative lists": (
        tool("e: {type: string, anyOf: [{enum: [a, b]}, {const: c}]}", when('args.e.startsWith("d")')),
        {"PE101"},
        tool("e: {type: string, anyOf: [{enum: [a, b]}, {const: c}]}", when('args.e.startsWith("c")')),
    ),
    "a value that two of exactly one list": (
        tool("e: {oneOf: [{enum: [a, b]}, {enum: [b, c]}]}", when('args.e == "b"')), {"PE101"},
        tool("e: {oneOf: [{enum: [a, b]}, {enum: [b, c]}]}", when('args.e == "a"')),
    ),
    "none of a list that is whole": (
        tool(ENUM, when('!(args.e in ["a", "b", "c"])')), {"PE101"},
        tool(ENUM, when('!(args.e in ["a", "b"])')),
    ),
    "a pattern that no listed value has": (
        tool(ENUM, when('args.e.matches("^d")')), {"PE101"}, tool(ENUM, when('args.e.matches("^c")')),
    ),
    "two beginnings": (
        tool(TEXT, when('args.s.startsWith("/a/") && args.s.startsWith("/b/")')), {"PE101"},
        tool(TEXT, when('args.s.startsWith("/a/") && args.s.contains("/b/")')),
    ),
    "two ends": (
        tool(TEXT, when('args.s.endsWith("-eu") && args.s.endsWith("-us")')), {"PE101"},
        tool(TEXT, when('args.s.endsWith("-eu") && args.s.contains("-us")')),
    ),
    "a letter in a number": (
        tool("s: {type: string, pattern: '^[0-9]{1,9}$'}", when('args.s.contains("a")')), {"PE101"},
        tool("s: {type: string, pattern: '^[0-9a]{1,9}$'}", when('args.s.contains("a")')),
    ),
    "a dot in a word": (
        tool("s: {type: string, pattern: '^[a-z/]{1,9}$'}", when('args.s.contains("..")')), {"PE101"},
        tool("s: {type: string, pattern: '^[a-z./]{1,9}$'}", when('args.s.contains("..")')),
    ),
    "beyond the alternatives of a pattern": (
        tool("s: {type: string, pattern: '^(prod|dev)$'}", when('args.s == "test"')), {"PE101"},
        tool("s: {type: string, pattern: '^(prod|dev|test)$'}", when('args.s == "test"')),
    ),
    "longer than a pattern": (
        tool("s: {type: string, pattern: '^[a-z]{5}$'}", when("size(args.s) > 5")), {"PE101"},
        tool("s: {type: string, pattern: '^[a-z]{5,6}$'}", when("size(args.s) > 5")),
    ),
    "capitals in small letters": (
        tool(TEXT, when('args.s.lowerAscii().contains("DROP")')), {"PE101"},
        tool(TEXT, when('args.s.lowerAscii().contains("drop")')),
    ),
    "small letters in capitals": (
        tool(TEXT, when('args.s.upperAscii() == "drop"')), {"PE101"},
        tool(TEXT, when('args.s.upperAscii() == "DROP"')),
    ),
    "a pattern of capitals in small letters": (
        tool(TEXT, when('args.s.lowerAscii().matches("[A-Z]{2}")')), {"PE101"},
        tool(TEXT, when('args.s.lowerAscii().matches("(?i)[A-Z]{2}")')),
    ),
    "white space at an end that has none": (
        tool(TEXT, when('args.s.trim() == "x "')), {"PE101"}, tool(TEXT, when('args.s.trim() == "x"')),
    ),
    "an end that a pattern promises": (
        tool("s: {type: string, pattern: '@acme[.]com$'}", when('!args.s.endsWith("@acme.com")')),
        {"PE101"},
        tool("s: {type: string, pattern: '@acme[.]com'}", when('!args.s.endsWith("@acme.com")')),
    ),
    "a fact above its bound": (
        tool(NUMBER, when("facts.f.n > 5"), more="facts: {f: {from: app:f, schema: {type: object, properties: {n: {type: number, maximum: 5}}}}}"),
        {"PE101"},
        tool(NUMBER, when("facts.f.n > 4"), more="facts: {f: {from: app:f, schema: {type: object, properties: {n: {type: number, maximum: 5}}}}}"),
    ),
    "one part of two never": (
        tool(f"{TEXT}\n{NUMBER}", when('args.n > 100 || args.s == "x1"')), {"PE103"},
        tool(f"{TEXT}\n{NUMBER}", when('args.n > 99 || args.s == "x1"')),
    ),
    "a pattern that a pattern says": (
        tool(TEXT, when('args.s.matches("^a") && args.s.matches("^ab")')), {"PE104"},
        tool(TEXT, when('args.s.matches("a$") && args.s.matches("^ab")')),
    ),
    "a beginning that a pattern says": (
        tool(TEXT, when('args.s.startsWith("1") && args.s.matches("^1[0-9]")')), {"PE104"},
        tool(TEXT, when('args.s.startsWith("1") && args.s.matches("1[0-9]")')),
    ),
    "a rule within a rule": (
        tool(NUMBER, when("args.n > 50"), when("args.n > 60")), {"PE106"},
        tool(NUMBER, when("args.n > 50"), when("args.n < 40")),
    ),
    "a rule within a pattern": (
        tool(TEXT, when('args.s.matches("^[0-9]+$")'), when('args.s.matches("^[0-4]{2}$")')), {"PE106"},
        tool(TEXT, when('args.s.matches("^[0-9]+$")'), when('args.s.matches("^[0-4]{2}")')),
    ),
    "a rule within two others": (
        tool(NUMBER, when("args.n > 50"), when("args.n < 30"), when("args.n > 60 || args.n < 20") + f", {ASKED}"),
        {"PE106"},
        tool(NUMBER, when("args.n > 50"), when("args.n < 30"), when("args.n > 60 || args.n < 40") + f", {ASKED}"),
    ),
    "an element within another": (
        tool(LIST, when("args.l.exists(x, x > 3)"), when("args.l.exists(x, x > 5)")), {"PE106"},
        tool(LIST, when("args.l.exists(x, x > 3)"), when("args.l.exists(x, x < 3)")),
    ),
    "a constraint within a constraint": (
        tool(NUMBER, "args: {n: {type: number, maximum: 50}}", "args: {n: {type: number, maximum: 70}}"),
        {"PE106"},
        tool(NUMBER, "args: {n: {type: number, maximum: 50}}", "args: {n: {type: number, minimum: 70}}, " + ASKED),
    ),
    "a condition within a constraint": (
        tool(NUMBER, "args: {n: {type: number, maximum: 50}}", when("args.n > 70") + f", {ASKED}"),
        {"PE106"},
        tool(NUMBER, "args: {n: {type: number, maximum: 50}}", when("args.n > 40") + f", {ASKED}"),
    ),
    "words within words": (
        texts("check: {terms: {any: [alpha, beta]}}, effect: deny", "check: {terms: {any: [ALPHA]}}, effect: redact"),
        {"PE106"},
        texts("check: {terms: {any: [alpha, beta]}}, effect: deny", "check: {terms: {any: [gamma]}}, effect: redact"),
    ),
    "a size within a size": (
        texts("check: {size: {max_chars: 100}}, effect: deny", "check: {size: {max_chars: 500}}, effect: deny"),
        {"PE106"},
        texts("check: {size: {max_chars: 100}}, effect: deny", "check: {size: {max_lines: 5}}, effect: deny"),
    ),
    "a pattern within a pattern": (
        texts("check: {pattern: {any: ['[A-Z]{3}-[0-9]+']}}, effect: deny", "check: {pattern: {any: ['ABC-[0-9]{4}']}}, effect: redact"),
        {"PE106"},
        texts("check: {pattern: {any: ['[A-Z]{3}-[0-9]+']}}, effect: deny", "check: {pattern: {any: ['ABCD[0-9]{4}']}}, effect: redact"),
    ),
    "patterns of one list": (
        texts("check: {pattern: {any: ['[A-Z]{3}-[0-9]+', 'ABC-[0-9]{4}']}}, effect: deny"), {"PE122"},
        texts("check: {pattern: {any: ['[A-Z]{3}-[0-9]+', 'ab-[0-9]{4}']}}, effect: deny"),
    ),
    "terms of one list": (
        texts("check: {terms: {any: [plan, secret plan]}}, effect: deny"), {"PE122"},
        texts("check: {terms: {any: [plan, secret plan]}}, effect: redact"),
    ),
    "a constraint that all fit": (
        across(NUMBER, "args: {n: {type: number, maximum: 100}}"), {"PE132"},
        across(NUMBER, "args: {n: {type: number, maximum: 99}}"),
    ),
    "a constraint that none fits": (
        across(NUMBER, "args: {n: {type: number, minimum: 101}}"), {"PE132"},
        across(NUMBER, "args: {n: {type: number, minimum: 100}}"),
    ),
    "a constraint of listed values": (
        across(ENUM, "args: {e: {enum: [a, b, c, d]}}"), {"PE132"},
        across(ENUM, "args: {e: {enum: [a, b, d]}}"),
    ),
    "a constraint of a wider pattern": (
        across("s: {type: string, pattern: '^[a-f]+$'}", "args: {s: {type: string, pattern: '^[a-z]*$'}}"),
        {"PE132"},
        across("s: {type: string, pattern: '^[a-f]+$'}", "args: {s: {type: string, pattern: '^[a-e]*$'}}"),
    ),
    "a constraint by a key that must be there": (
        across("o: {type: object, properties: {case: {type: string, maxLength: 3}}}",
               "args: {o: {type: object, properties: {case: {type: string, maxLength: 5}}}}"),
        {"PE132"},
        across("o: {type: object, additionalProperties: {type: string}}",
               "args: {o: {type: object, additionalProperties: {type: string}, required: [case]}}"),
    ),
    "a constraint of another type": (
        across(TEXT, "args: {s: {type: integer}}"), {"PE132"},
        across(TEXT, "args: {s: {type: string, maxLength: 9}}"),
    ),
    "a constraint of a property": (
        across(NESTED, "args: {o: {type: object, properties: {n: {type: integer, maximum: 5}}}}"),
        {"PE132"},
        across(NESTED, "args: {o: {type: object, properties: {n: {type: integer, maximum: 4}}}}"),
    ),
    "a constraint of elements": (
        across(LIST, "args: {l: {type: array, items: {type: integer, maximum: 9}}}"), {"PE132"},
        across(LIST, "args: {l: {type: array, items: {type: integer, maximum: 8}}}"),
    ),
    "a constraint with alternatives": (
        across(NUMBER, "args: {n: {type: number, anyOf: [{minimum: 50}, {maximum: 50}]}}"), {"PE132"},
        across(NUMBER, "args: {n: {type: number, anyOf: [{minimum: 51}, {maximum: 50}]}}"),
    ),
    "a constraint of what may be left out": (
        across("n: {type: number, minimum: 0, maximum: 9, optional: true}", "args: {n: {type: number, maximum: 9, optional: true}}"),
        {"PE132"},
        across("n: {type: number, minimum: 0, maximum: 9, optional: true}", "args: {n: {type: number, maximum: 9}}"),
    ),
    "parts that exclude each other": (
        tool("n: {type: integer, allOf: [{minimum: 10}, {maximum: 9}]}"), {"PE133"},
        tool("n: {type: integer, allOf: [{minimum: 10}, {maximum: 10}]}"),
    ),
    "an alternative beyond the bound": (
        tool("n: {type: integer, maximum: 10, anyOf: [{minimum: 11}, {minimum: 0}]}"), {"PE133"},
        tool("n: {type: integer, maximum: 10, anyOf: [{minimum: 10}, {minimum: 0}]}"),
    ),
    "no alternative at all": (
        tool("n: {type: integer, maximum: 10, anyOf: [{minimum: 50}, {minimum: 20}]}"), {"PE133"},
        tool("n: {type: integer, maximum: 30, anyOf: [{minimum: 25}, {minimum: 20}]}"),
    ),
    "exactly one of two alike": (
        tool("n: {oneOf: [{type: integer, minimum: 0}, {type: integer, minimum: 1}]}"), {"PE133"},
        tool("n: {oneOf: [{type: integer, maximum: 5}, {type: integer, minimum: 1}]}"),
    ),
    "a condition that never holds": (
        tool("n: {type: integer, maximum: 10, if: {minimum: 50}, then: {multipleOf: 2}}"), {"PE133"},
        tool("n: {type: integer, maximum: 10, if: {minimum: 5}, then: {multipleOf: 2}}"),
    ),
    "a property that cannot be": (
        tool("o: {type: object, properties: {n: {type: integer, allOf: [{minimum: 10}, {maximum: 5}]}}}"),
        {"PE133"},
        tool("o: {type: object, properties: {n: {type: integer, allOf: [{minimum: 1}, {maximum: 5}]}}}"),
    ),
    "a listed value against the pattern": (
        tool("s: {type: string, enum: [ab, xy], pattern: '^a'}"), {"PE133"},
        tool("s: {type: string, enum: [ab, ay], pattern: '^a'}"),
    ),
    "a pattern against the length": (
        tool("s: {type: string, pattern: '^.{10,}$', maxLength: 9}"), {"PE133"},
        tool("s: {type: string, pattern: '^.{10,}$', maxLength: 10}"),
    ),
    "no multiple between the bounds": (
        tool("n: {type: integer, multipleOf: 100, minimum: 1, maximum: 99}"), {"PE133"},
        tool("n: {type: integer, multipleOf: 100, minimum: 1, maximum: 100}"),
    ),
    "rules that leave nothing": (
        tool(NUMBER, when("args.n > 50"), when("args.n <= 50")), {"PE134"},
        tool(NUMBER, when("args.n > 50"), when("args.n < 50")),
    ),
    "rules for every listed value": (
        tool(ENUM, when('args.e == "a"'), when('args.e in ["b", "c"]')), {"PE134"},
        tool(ENUM, when('args.e == "a"'), when('args.e in ["b"]')),
    ),
    "a constraint and a condition that leave nothing": (
        tool(NUMBER, "args: {n: {type: number, maximum: 50}}", when("args.n <= 50")), {"PE134"},
        tool(NUMBER, "args: {n: {type: number, maximum: 50}}", when("args.n < 50")),
    ),
    "entries that share no property": (
        ("policy: p\nlanguage: 1\ntools:\n"
        "  't*': {args: {o: {type: object, properties: {n: {type: integer, minimum: 6}}}}}\n"
        "  t: {args: {o: {type: object, properties: {n: {type: integer, maximum: 5}}}}}\n"),
        {"PE107"},
        ("policy: p\nlanguage: 1\ntools:\n"
        "  't*': {args: {o: {type: object, properties: {n: {type: integer, minimum: 5}}}}}\n"
        "  t: {args: {o: {type: object, properties: {n: {type: integer, maximum: 5}}}}}\n"),
    ),
    "entries whose patterns share no text": (
        ("policy: p\nlanguage: 1\ntools:\n"
        "  't*': {args: {s: {type: string, pattern: '^[a-z]+$'}}}\n"
        "  t: {args: {s: {type: string, pattern: '^[0-9]+$'}}}\n"),
        {"PE107"},
        ("policy: p\nlanguage: 1\ntools:\n"
        "  't*': {args: {s: {type: string, pattern: '^[a-z]+$'}}}\n"
        "  t: {args: {s: {type: string, pattern: '^[a-f0-9]+$'}}}\n"),
    ),
    "a word that a number never has": (
        tool("s: {type: string, pattern: '^[0-9]{1,9}$', check: {terms: {any: [secret]}}}"), {"PE135"},
        tool("s: {type: string, pattern: '^[a-z]{1,9}$', check: {terms: {any: [secret]}}}"),
    ),
    "a check of nothing but numbers": (
        tool(NUMBER, "check: {terms: {any: [secret]}}"), {"PE135"},
        tool(TEXT, "check: {terms: {any: [secret]}}"),
    ),
    "a check of an argument that is too short": (
        tool(TEXT, "check: {size: {max_chars: 50}}, in: [args.s]"), {"PE135"},
        tool(TEXT, "check: {size: {max_chars: 49}}, in: [args.s]"),
    ),
}  # fmt: skip


def proved(text):
    """Return the codes of what is reasoned about; what is claimed is seen to be so."""
    compiled = load_texts({"p.yaml": text}, warm=False)
    subject = Subject(compiled)
    found = [one for one in lint(compiled).findings if one.code in PROVED]
    for one in found:
        if one.witness is not None:
            assert confirmed(subject, one.witness), one
    return {one.code for one in found}, [one for one in found if one.witness is None]


def test_there_are_enough():
    assert len(CASES) >= 60


@pytest.mark.parametrize("title", CASES)
def test_a_flaw_is_found(title):
    found, unshown = proved(CASES[title][0])
    assert found == CASES[title][1]
    assert {one.code for one in unshown} <= {"PE122", "PE133", "PE135", "PE106", "PE104"}, unshown


@pytest.mark.parametrize("title", CASES)
def test_its_neighbour_is_sound(title):
    assert proved(CASES[title][2])[0] == set()
