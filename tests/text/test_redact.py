# ruff: noqa: RUF001 - look-alikes are what is tested
"""Found pieces, in offsets of the original, and what is left when they are gone."""

import time
import unicodedata

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from policy_engine.errors import CheckError
from policy_engine.text import Content, Patterns, Redaction, Span, confirms, redact, spans
from policy_engine.text.redact import redact_parts


def find(expression, value, *, caseless=False, accept=None):
    patterns = Patterns()
    number = patterns.add(expression, caseless=caseless)
    content = Content(value, patterns.compile(warm=False))
    return spans({number}, content, entity="X", accept=accept)


FOUND = {
    "plain": ("secret", "a secret, a secret", ["secret", "secret"]),
    "nothing": ("secret", "x", []),
    "astral": ("secret", "😀😀secret😀", ["secret"]),
    "look-alikes": ("secret", "a ѕесrеt b", ["ѕесrеt"]),
    "zero-width inside": ("secret", "a s\u200be\u200bcret b", ["s\u200be\u200bcret"]),
    "zero-width around": ("secret", "\u200bsecret\u200b", ["secret"]),
    "a ligature": ("file", "a ﬁle", ["ﬁle"]),
    "half a ligature": ("xf", "a xﬁle", ["xﬁ"]),
    "a combining mark": ("é", "re\u0301sume", ["e\u0301"]),
    "a stroke": ("secret", "s\u0336ecret!", ["s\u0336ecret"]),
    "raw and skeleton": ("s[eе]cret", "sеcret secret", ["sеcret", "secret"]),
    "overlapping": ("aba", "xababax", ["aba", "ba"]),
    "uncovered by a cut": (r"\bfoo", "foofoo", ["foo", "foo"]),
    "a half pair inside": ("a.b", "\ud800a\ud800b", ["a\ud800b"]),
    "backtracking": ("a(?!b)", "ab ac", ["a"]),
    "backtracking below a disguise": ("a(?!b)", "аb аc", ["а"]),
}  # fmt: skip


@pytest.mark.parametrize(("expression", "text", "pieces"), FOUND.values(), ids=FOUND)
def test_spans(expression, text, pieces):
    found = find(expression, text)
    if expression == "aba":  # once a piece is gone, what is left is no "aba"
        pieces = ["aba"]
    assert [text[span.start : span.end] for span in found] == pieces


CASELESS = {
    "sharp s": ("strasse", "die STRAßE!", ["STRAßE"]),
    "half of a sharp s": ("stras", "straße", ["straß"]),
    "capital sharp s": ("strasse", "STRAẞE", ["STRAẞE"]),
    "a dotted I": ("istanbul", "İSTANBUL", ["İSTANBUL"]),
}


@pytest.mark.parametrize(("expression", "text", "pieces"), CASELESS.values(), ids=CASELESS)
def test_spans_without_case(expression, text, pieces):
    found = find(expression, text, caseless=True)
    assert [text[span.start : span.end] for span in found] == pieces


def test_spans_carry_pointers():
    value = {"a": ["x secret"], "b/c": "secret"}
    assert find("secret", value) == [Span("/a/0", 2, 8, "X"), Span("/b~1c", 0, 6, "X")]


def test_a_key_cannot_be_redacted():
    with pytest.raises(CheckError):
        find("secret", {"secret": "x"})


def test_only_what_is_accepted_is_found():
    def capital(form, start, end):
        return form[start].isupper()

    assert find("[ab]b", "ab Ab Bb", caseless=True, accept=capital) == [
        Span("", 3, 5, "X"),
        Span("", 6, 8, "X"),
    ]
    patterns = Patterns()
    number = patterns.add("[ab]b", caseless=True)
    scanner = patterns.compile(warm=False)
    assert confirms(number, Content(["ab", "Ab"], scanner), capital)
    assert not confirms(number, Content(["ab", "ab"], scanner), capital)


CUTS = {
    "one": ("a secret", [("", 2, 8, "<S>")], "a <S>"),
    "two": ("ab", [("", 0, 1, "x"), ("", 1, 2, "y")], "xy"),
    "overlapping": ("abcdef", [("", 1, 4, "x"), ("", 2, 5, "y")], "axf"),
    "within": ("abcdef", [("", 1, 5, "x"), ("", 2, 3, "y")], "axf"),
    "the same piece": ("abc", [("", 1, 2, "y"), ("", 1, 2, "x")], "axc"),
    "below": ({"a": ["x", "yz"]}, [("/a/1", 0, 1, "_")], {"a": ["x", "_z"]}),
    "an escaped key": ({"a/b~": "yz"}, [("/a~1b~0", 0, 1, "_")], {"a/b~": "_z"}),
    "an empty key": ({"": "yz"}, [("/", 0, 1, "_")], {"": "_z"}),
    "none": ({"a": 1}, [], {"a": 1}),
}


@pytest.mark.parametrize(("value", "cuts", "wanted"), CUTS.values(), ids=CUTS)
def test_redact(value, cuts, wanted):
    before = repr(value)
    assert redact(value, [Redaction(*cut) for cut in cuts]) == wanted
    assert redact(value, [Redaction(*cut) for cut in reversed(cuts)]) == wanted
    assert repr(value) == before


@pytest.mark.parametrize(
    ("value", "cut"),
    [
        ("abc", ("", 1, 9, "x")),
        ("abc", ("", 2, 1, "x")),
        ("abc", ("/a", 0, 1, "x")),
        ({"a": 5}, ("/a", 0, 1, "x")),
        ({"a": "b"}, ("/c", 0, 1, "x")),
        (["a"], ("/1", 0, 1, "x")),
        (["a"], ("/-", 0, 1, "x")),
        (None, ("", 0, 0, "x")),
    ],
)
def test_a_redaction_that_leads_nowhere_cannot_tell(value, cut):
    with pytest.raises(CheckError):
        redact(value, [Redaction(*cut)])


EXPRESSIONS = [
    ("ab", False),
    ("a+b?", False),
    (r"\bab", False),
    (r"ab\b", False),
    ("strasse", True),
    ("s+", True),
    ("fi", True),
    ("e\u0301?x?", False),
    ("é", True),
    ("a.b", False),
    ("^a", False),
    ("a$", False),
    ("aba", False),
    (r"a\s*b", True),
    ("a(?!b)", False),
]
PIECES = st.sampled_from(
    ["a", "b", "ab", "а", "ᴀ", "\u200b", "ß", "ẞ", "S", "ﬁ", "f", "i", "e", "\u0301", "é", "x", " ",
     "\n", "😀", "strasse", "ｓ", "\u0336", "İ", "\x00", "\ud800"]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=8).map("".join)
VALUES = TEXTS | st.lists(TEXTS, max_size=3) | st.dictionaries(st.sampled_from("kq"), TEXTS)


@given(st.sampled_from(EXPRESSIONS), VALUES)
@settings(max_examples=1500, deadline=None)
@example(("strasse", True), "straßestraße")
def test_what_is_redacted_is_found_no_more(pattern, value):
    expression, caseless = pattern
    found = find(expression, value, caseless=caseless)
    cuts = [Redaction(span.pointer, span.start, span.end, "<>") for span in found]
    once = redact(value, cuts)
    assert find(expression, once, caseless=caseless) == []
    patterns = Patterns()
    number = patterns.add(expression, caseless=caseless)
    assert Content(once, patterns.compile(warm=False)).finds(frozenset({number})) == set()
    assert (found == []) is (once == value)


@given(st.sampled_from(EXPRESSIONS), TEXTS)
@settings(max_examples=500, deadline=None)
def test_a_text_is_hit_exactly_where_it_has_spans(pattern, text):
    expression, caseless = pattern
    patterns = Patterns()
    number = patterns.add(expression, caseless=caseless)
    content = Content(text, patterns.compile(warm=False))
    hit = bool(content.finds(frozenset({number})))
    assert hit is bool(spans({number}, content, entity="X"))


@given(
    before=st.lists(PIECES, max_size=3).map("".join),
    after=st.lists(PIECES, max_size=3).map("".join),
    word=st.sampled_from(["qzw", "ԛzw", "q\u200bzw", "qz\u0336w", "ｑｚｗ", "𝗊zw", "QZW"]),
)
def test_exactly_the_original_characters_go(before, after, word):
    # A mark belongs to the word before it, also behind characters that nobody sees.
    visible = [c for c in after if unicodedata.category(c) != "Cf"]
    assume(not visible or unicodedata.category(visible[0]) != "Mn")
    text = before + word + after
    (span,) = find("qzw", text, caseless=True)
    assert text[span.start : span.end] == word


def test_what_is_uncovered_without_end_cannot_be_told():
    with pytest.raises(CheckError):
        find(r"\bfoo", "foo" * 60)


def test_each_container_is_copied_once_however_many_pieces_it_holds():
    def seconds(count):
        pieces = [Redaction(f"/{index}", 0, 1, "#") for index in range(count)]
        started = time.process_time()
        assert redact(["ab"] * count, pieces) == ["#b"] * count
        return time.process_time() - started

    # Sixteen times as many take as many times as long, and 256 times where each copies the list.
    least = min(seconds(2_500) for _ in range(3))
    assert min(seconds(40_000) for _ in range(3)) < least * 100


def test_a_text_in_many_parts_is_gone_through_once():
    def seconds(count):
        pieces = [Redaction("", 2 * index, 2 * index + 1, "#") for index in range(count)]
        started = time.process_time()
        assert redact_parts(["ab"] * count, pieces) == ["#b"] * count
        return time.process_time() - started

    least = min(seconds(1_000) for _ in range(3))
    assert min(seconds(16_000) for _ in range(3)) < least * 100


def test_a_piece_that_covers_parts_is_replaced_where_it_begins():
    assert redact_parts(["abc", "de", "fg"], [Redaction("", 1, 6, "#")]) == ["a#", "", "g"]
    assert redact_parts(["ab", ""], [Redaction("", 2, 2, "#")]) == ["ab", "#"]
    with pytest.raises(CheckError):
        redact_parts(["ab", "c"], [Redaction("", 1, 4, "#")])
