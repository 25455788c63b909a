"""Texts that patterns match: what is found is one, and what is not found is nowhere."""

import re

import jsonschema_rs
import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_engine.lint.proof.language import UNKNOWN, covers, example
from policy_engine.lint.proof.regexes import width

ITEMS = st.sampled_from(
    [
        "a", "b", "ab", ".", "[ab]", "[^a]", "[a-c]", r"\d", r"\w", r"\W", r"\s", r"\.", "é",
        "(?:)", "[^\\d]", "K", "7", "_", " ",
    ]
)  # fmt: skip
PATTERNS = st.recursive(
    ITEMS,
    lambda inner: st.one_of(
        st.builds("{}{}".format, inner, inner),
        st.builds("(?:{}|{})".format, inner, inner),
        st.builds("(?:{})*".format, inner),
        st.builds("(?:{})+?".format, inner),
        st.builds("(?:{})?".format, inner),
        st.builds("(?:{}){{1,2}}".format, inner),
        st.builds("(?i:{})".format, inner),
        st.builds("^{}".format, inner),
        st.builds("{}$".format, inner),
        st.builds(r"\b{}".format, inner),
        st.builds(r"{}\B".format, inner),
    ),
    max_leaves=5,
)
TEXTS = [
    "", "a", "b", "ab", "ba", "aa", "aab", "abab", "c", "A", "AB", "k", "7", "77", "a7", "_", ".",
    " ", "a b", "é", "éa", "aé", "\n", "a\n", "\na", "K", "\u212a", "a.b", "ab ba", "x", "-",
]  # fmt: skip


def re2_finds(pattern, text):
    return re2.search(pattern, text) is not None


def schema_finds(pattern, text):
    schema = {"pattern": pattern}
    options = jsonschema_rs.RegexOptions()
    return jsonschema_rs.Draft202012Validator(schema, pattern_options=options).is_valid(text)


PIECES = st.one_of(
    st.tuples(st.just("matches"), PATTERNS),
    st.tuples(
        st.sampled_from(["prefix", "suffix", "contains"]), st.sampled_from(["a", "ab", "b.", ""])
    ),
)
SETS = st.frozensets(PIECES, max_size=2)


def holds(piece, text, finds=re2_finds):
    kind, what = piece
    match kind:
        case "prefix":
            return text.startswith(what)
        case "suffix":
            return text.endswith(what)
        case "contains":
            return what in text
    return finds(what, text)


@settings(max_examples=600, deadline=None)
@given(
    st.frozensets(PIECES, max_size=2), st.frozensets(PIECES, max_size=2), st.sampled_from([0, 1, 3])
)
def test_what_is_found_is_one_and_what_is_not_found_is_nowhere(met, unmet, shortest):
    found = example(met, unmet, shortest, 4)

    def fits(text):
        return (
            shortest <= len(text) <= 4
            and all(holds(one, text) for one in met)
            and not any(holds(one, text) for one in unmet)
        )

    if found is None:
        assert not [text for text in TEXTS if fits(text)]
    elif found is not UNKNOWN:
        assert fits(found), found
        assert not [text for text in TEXTS if fits(text) and len(text) < len(found)], "the shortest"


@settings(max_examples=300, deadline=None)
@given(PATTERNS.filter(lambda text: r"\b" not in text and r"\B" not in text))
def test_patterns_of_schemas_are_read_as_the_validator_reads_them(pattern):
    texts = [*TEXTS, "\xa0", "\x0b", "\u2028"]
    found = example(frozenset({("fits", pattern)}), frozenset())
    if found is None:
        assert not [text for text in texts if schema_finds(pattern, text)]
    elif found is not UNKNOWN:
        assert schema_finds(pattern, found)
    for text in texts:
        alone = example(
            frozenset({("fits", pattern), ("fits", f"^{re.escape(text)}$")}), frozenset()
        )
        if alone is not UNKNOWN:
            assert (alone is not None) is schema_finds(pattern, text), text


@pytest.mark.parametrize(
    ("wide", "narrow", "wanted"),
    [
        ("[A-Z]{3}-[0-9]+", "ABC-[0-9]{4}", True),
        ("ABC-[0-9]{4}", "[A-Z]{3}-[0-9]+", False),
        ("foo", r"\bfoo\b", True),
        (r"\bfoo\b", "foo", False),
        ("(?i)secret", "secret", True),
        ("secret", "(?i)secret", False),
        ("^a", "^ab", True),
        ("a$", "(a|aa)+$", True),
        ("^[a-z]+$", "^[a-f]{2}$", True),
        (".", "[^\n]", True),
        ("a", "a|b", False),
        ("a|b", "a", True),
        (r"^\d+$", "^[0-9]{3}$", True),
        ("(?=a)b", "ab", False),
        ("a", "(?=a)a", False),
        (r"\p{L}", "a", False),
    ],
)
def test_one_pattern_within_another(wide, narrow, wanted):
    assert covers(("matches", wide), ("matches", narrow)) is wanted


@pytest.mark.parametrize(
    "pattern",
    [
        "(a)\\1",
        "(?=a)b",
        "[[:alpha:]]",
        "x{,2}",
        r"\p{L}",
        "(?m)^a",
        "a*+",
        "(?>a)",
        "((a{60}){60}){60}",
    ],
)
def test_what_cannot_be_said_is_unknown(pattern):
    assert example(frozenset({("matches", pattern)}), frozenset()) in (UNKNOWN, "")
    assert example(frozenset(), frozenset({("matches", pattern)})) is UNKNOWN


def test_what_takes_too_long_is_unknown():
    hard = frozenset({("matches", ".*x.*y.*z.{5,9}q"), ("matches", "(.*a){12}b")})
    assert example(hard, frozenset()) is UNKNOWN


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("^[a-z]{5}$", (5, 5)),
        ("^a{2,4}b?$", (2, 5)),
        ("[a-z]{5}", (5, float("inf"))),
        ("^a+$", (1, float("inf"))),
        ("^a|b$", (1, float("inf"))),
        ("^$", (0, 0)),
        ("(", (0, float("inf"))),
    ],
)
def test_how_long_a_match_is(pattern, wanted):
    assert width(pattern) == wanted
