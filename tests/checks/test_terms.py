# ruff: noqa: RUF001 - look-alikes are what is tested
"""Words and phrases that may not be said."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from judged import ready

from policy_engine.checks import build_check
from policy_engine.text import Content, Patterns, Redaction, redact

CODES = {
    "terms": ({"terms": {"any": ["foo"]}}, "a Foo.", "terms"),
    "no terms in nothing": ({"terms": {"any": ["foo"]}}, None, None),
}


@pytest.mark.parametrize(("check", "value", "code"), CODES.values(), ids=CODES)
def test_codes(check, value, code):
    built, content = ready(check, value)
    assert built.breaks(content) == code


WORDS = {
    "inside a word": ("cat", "concatenate", False),
    "after an accented letter": ("foo", "éfoo", False),
    "before an accented letter": ("foo", "fooé", False),
    "before a combining mark": ("cafe", "cafe\u0301", False),
    "an accented word": ("café", "un café noir", True),
    "an accented word, decomposed": ("café", "un cafe\u0301 noir", True),
    "within a longer accented word": ("café", "cafés", False),
    "a cyrillic word": ("пароль", "мой Пароль!", True),
    "within a longer cyrillic word": ("пароль", "паролью", False),
    "a cyrillic word with an invisible letter": ("пароль", "па\u200bроль", True),
    "a cyrillic word in latin letters": ("рот", "pot", False),
    "punctuation at the end": ("C++", "I like C++!", True),
    "punctuation at the end, then a word": ("C++", "C++11", True),
    "a word before the punctuation": ("C++", "ABC++", False),
    "punctuation at the beginning": (".env", "config.env", True),
    "punctuation at the beginning, longer": (".env", ".environment", False),
    "an underscore": ("foo", "foo_bar", False),
    "a hyphen": ("foo", "foo-bar", True),
    "at both ends of the text": ("foo", "foo", True),
    "chinese": ("机密", "这是机密文件", True),
    "korean with a particle": ("비밀", "비밀을", True),
    "a phrase": ("internal only", "INTERNAL\t\n only", True),
    "a phrase in other spaces": ("internal only", "internal\u00a0\u2003only", True),
    "a phrase as one word": ("internal only", "internalonly", False),
    "special characters": ("a.b[c]", "a.b[c]", True),
    "special characters mean themselves": ("a.b", "axb", False),
    "a sharp s": ("Straße", "STRASSE", True),
    "the other way": ("strasse", "Straße", True),
    "a ligature": ("file", "the ﬁle", True),
    "a digit of another script": ("agent 47", "agent ٤٧", True),
}  # fmt: skip


@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
@pytest.mark.parametrize(("term", "text", "found"), WORDS.values(), ids=WORDS)
def test_whole_words(term, text, found, warm):
    built, content = ready({"terms": {"any": [term]}}, text, warm=warm)
    assert built.breaks(content) == ("terms" if found else None)
    assert bool(built.spans(content)) is found


def test_case_sensitive_terms():
    check = {"terms": {"any": ["IT"], "case_sensitive": True}}
    for text, code in [("it works", None), ("IT works", "terms"), ("\uff29\uff34 works", "terms")]:
        built, content = ready(check, text)
        assert built.breaks(content) == code


def test_spans_of_terms():
    built, content = ready({"terms": {"any": ["secret"]}}, "Secret, secrets, secret")
    assert [(s.start, s.end, s.entity) for s in built.spans(content)] == [
        (0, 6, "TERM"),
        (17, 23, "TERM"),
    ]


@given(
    st.sampled_from(["word", "anywhere"]),
    st.text("abAé\u0301\u200bßs а_-\uff41", max_size=10),
)
@example("word", "sA\u200bé\u0301")
@example("word", "sA\u200b\u0301é")
@example("word", "sa\u200b\uff41b")
@settings(max_examples=500, deadline=None)
def test_redacted_terms_are_gone(match, text):
    patterns = Patterns()
    built = build_check({"terms": {"any": ["ab", "sa", "é"], "match": match}}, patterns)
    scanner = patterns.compile(warm=False)
    found = built.spans(Content(text, scanner))
    assert bool(found) is (built.breaks(Content(text, scanner)) is not None)
    once = redact(text, [Redaction(s.pointer, s.start, s.end, "<T>") for s in found])
    assert built.breaks(Content(once, scanner)) is None
