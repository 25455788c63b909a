"""How patterns are read, against the engine that judges by them, over all that it takes.

Classes by name, flags, quoted texts, escapes: where the reader does not know a sign, it must say
that it does not, and never something else than what the engine finds.
"""

import json
import random

import pytest
import re2

from policy_engine.decision import Facts, Request
from policy_engine.errors import PolicyError
from policy_engine.lint import lint
from policy_engine.lint.proof.language import UNKNOWN, example
from policy_engine.lint.proof.regexes import edges, sample, width
from policy_engine.loader import load_texts

SIGNS = [
    "a", "b", "A", "K", "k", "s", "ß", "\u017f", "é", "1", " ", "-", r"\n", ".", "^", "$", r"\b",
    r"\B",
    r"\A", r"\z", r"\d", r"\D", r"\w", r"\W", r"\s", r"\S", r"\pL", r"\p{Lu}", r"\PL", r"\x41",
    r"\x{e9}", r"\Qa.b\E", r"\Q[\E", r"\v", r"\a", r"\t", r"\07", r"\101", r"\C", "[[:upper:]]",
    "[[:^digit:]]", "[[:alpha:][:digit:]]", "[^[:space:]]", "[a-c]", "[^a]", r"[^\d]", r"[\w-]",
    "[a-]", "[]a]", "[^]a]", "[a&&b]", "[a--b]", "[[a]", r"[\]a]", r"[\x41-\x43]", "[é-ü]",
    r"[\pL]", r"\.", r"\-", r"\_", "{", "}", "{,2}", "a{,2}", "]",
]  # fmt: skip
REPEATS = ["*", "+", "?", "*?", "+?", "??", "{2}", "{1,}", "{1,2}", "{0,2}?"]
FLAGS = ["i", "m", "s", "U", "im", "-i", "i-s", "s-i", "ms", "-s", "-m"]
WRAPPED = ["{}", "^{}$", "^{}", "{}$", "(?i){}", "(?m){}", "(?s)^{}$", "(?:{})"]
TEXTS = [
    "", "a", "b", "A", "B", "k", "K", "\u212a", "s", "S", "\u017f", "ß", "é", "É", "1", "12", " ",
    "-",
    "\n", "a\n", "\na", "a\nb", "b\na", "ab", "aa", "ba", "a.b", "axb", "\v", "\x07", "\x00", "]",
    "[", "^", "_", "\u00a0", "٣", "a b", "{,2}", "a{,2}", "{", "&", "Σ", "\\", "a-b", "\r",
    "\u2028", "😀", "ü", "Ab", "aaa", "é1", "\t",
]  # fmt: skip


def drawn(rng, depth=0):
    """Return a pattern, as far as its grammar goes."""
    kind = rng.random()
    if depth > 3 or kind < 0.4:
        return rng.choice(SIGNS)
    if kind < 0.6:
        return drawn(rng, depth + 1) + drawn(rng, depth + 1)
    inner = drawn(rng, depth + 1)
    if kind < 0.7:
        return f"(?:{inner}|{drawn(rng, depth + 1)})"
    if kind < 0.78:
        return f"({inner})"
    if kind < 0.87:
        return rng.choice(["(?:{})", "{}"]).replace("{}", inner) + rng.choice(REPEATS)
    if kind < 0.97:
        return f"(?{rng.choice(FLAGS)}{rng.choice(['', ':', ':'])}".rstrip() + f"{inner})"
    return f"(?P<n>{inner})"


def compiled(pattern):
    """Return a pattern as the engine reads it; None where it does not take it."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error:
        return None


def judge(pattern, engine, other):
    """Hold what is read of a pattern against what the engine finds; whether much was read."""
    found = [text for text in TEXTS if engine.search(text)]
    met = example(frozenset({("matches", pattern)}), frozenset())
    unmet = example(frozenset(), frozenset({("matches", pattern)}))
    assert met is not None or not found
    assert not isinstance(met, str) or engine.search(met)
    assert unmet is not None or len(found) == len(TEXTS)
    assert not isinstance(unmet, str) or not engine.search(unmet)
    least, most = width(pattern)
    prefix, suffix, only = edges(pattern)
    for text in found:
        assert least <= len(text) <= most
        assert text.startswith(prefix)
        assert text.endswith(suffix)
        assert only in {None, text}
    assert all(engine.search(text) for text in sample(pattern))
    same = ("equals", other)
    if engine.search(other):
        assert example(frozenset({("matches", pattern), same}), frozenset()) is not None
    else:
        assert example(frozenset({same}), frozenset({("matches", pattern)})) is not None
    return met is not UNKNOWN and unmet is not UNKNOWN


def test_what_is_read_of_a_pattern_is_what_the_engine_finds():
    rng = random.Random(5)
    read = asked = 0
    while asked < 4000:
        pattern = rng.choice(WRAPPED).replace("{}", drawn(rng), 1)
        engine = compiled(pattern)
        if engine is None:
            continue
        asked += 1
        try:
            read += judge(pattern, engine, rng.choice(TEXTS))
        except AssertionError as error:
            raise AssertionError(pattern) from error
    assert read > asked / 4


@pytest.mark.parametrize(
    "pattern",
    ["[[:upper:]]", "[[:alpha:]]", "^[[:digit:]]+$", "[[:^digit:]]", "(?m)^b$", "(?m:^b)",
     "(?s)a.b", "(?U)a+$", r"^\Qa.b\E$", "(?i)^k$", "(?i)[^k]", "^(?i)A", r"a\z", "^a{,2}$"],
)  # fmt: skip
def test_a_condition_with_such_a_pattern_is_not_called_what_it_is_not(pattern):
    for text in TEXTS:
        args = {"s": {"enum": [text]}}
        when = f"args.s.matches({json.dumps(pattern)})"
        policy = {
            "policy": "p",
            "language": 1,
            "tools": {"t": {"args": args, "rules": [{"id": "r", "when": when, "effect": "deny"}]}},
        }
        try:
            loaded = load_texts({"p.yaml": json.dumps(policy)}, warm=False)
        except PolicyError:
            continue
        codes = {one.code for one in lint(loaded).findings}
        function = loaded.parts[0].entry_rules["tools", "t"][0].condition.function
        outcome = function(Request(stage="tool_call", tool="t", args={"s": text}), Facts())
        assert not (outcome is True and "PE101" in codes), text
        assert not (outcome is False and "PE102" in codes), text


@pytest.mark.parametrize("pattern", ["^[[:alpha:]]+$", "^[^[:^digit:]_]$", r"\\[:space:]"])
def test_a_class_by_name_is_none_in_a_schema(pattern):
    """There it would be its letters, while a condition reads the class."""
    said = f"tools: {{t: {{args: {{s: {{type: string, pattern: {json.dumps(pattern)}}}}}}}}}"
    with pytest.raises(PolicyError, match="names no class"):
        load_texts({"p.yaml": f"policy: p\nlanguage: 1\n{said}\n"})


@pytest.mark.parametrize("pattern", [r"^\[:alpha:]$", "^[a:]+:]$", "^[:x:]$"])
def test_a_bracket_and_a_colon_are_no_class(pattern):
    said = f"tools: {{t: {{args: {{s: {{type: string, pattern: {json.dumps(pattern)}}}}}}}}}"
    load_texts({"p.yaml": f"policy: p\nlanguage: 1\n{said}\n"})
