# ruff: noqa: RUF001 - look-alikes are what is tested
"""Every kind of check: its manual runs, its options are closed, it never raises by surprise."""

import contextlib
import json
import math
import textwrap

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_engine.checks import CHECKS, LATER, OptionFaults, build_check
from policy_engine.errors import FAULT_CODES, CheckError
from policy_engine.text import Content, Patterns, Redaction, redact

SECTIONS = ["What it does", "Why", "Options (defaults)", "Passes", "Fails"]


def section(manual, name):
    _, _, rest = manual.partition(f"\n{name}:\n")
    lines = []
    for line in rest.splitlines():
        if line and not line.startswith(" "):
            break
        lines.append(line)
    return textwrap.dedent("\n".join(lines))


def examples():
    for kind in CHECKS.values():
        for name in ("Passes", "Fails"):
            for index, example in enumerate(yaml.safe_load(section(kind.manual, name))):
                text = example.pop("text")
                yield pytest.param(example, text, name == "Fails", id=f"{kind.name} {name} {index}")


@pytest.fixture
def ready():
    def make(check, value, *, warm=False):
        patterns = Patterns()
        built = build_check(check, patterns)
        return built, Content(value, patterns.compile(warm=warm))

    return make


@pytest.mark.parametrize(("check", "value", "breaks"), list(examples()))
def test_the_examples_of_the_manual(ready, check, value, breaks):
    for warm in (False, True):
        built, content = ready(check, value, warm=warm)
        assert (built.breaks(content) is not None) is breaks


@pytest.mark.parametrize("kind", CHECKS.values(), ids=CHECKS)
def test_a_manual_has_its_form(kind):
    caption = kind.manual.splitlines()[0]
    assert caption.endswith(".")
    assert len(caption) <= 80
    found = [
        line.rstrip(":") for line in kind.manual.splitlines() if line in {f"{s}:" for s in SECTIONS}
    ]
    assert found == SECTIONS
    for name, field in kind.options.model_fields.items():
        assert field.description
        assert f"{field.alias or name}" in section(kind.manual, "Options (defaults)")


def test_the_tables_do_not_overlap():
    assert not set(CHECKS) & set(LATER)
    assert all(name == kind.name for name, kind in CHECKS.items())


CODES = {
    "chars": ({"size": {"max_chars": 3}}, "abcd", "size.max_chars"),
    "bytes": ({"size": {"max_bytes": 3}}, "éé", "size.max_bytes"),
    "lines": ({"size": {"max_lines": 1}}, "a\nb", "size.max_lines"),
    "chars of a half pair": ({"size": {"max_bytes": 3}}, "\ud800", None),
    "exactly": ({"size": {"max_chars": 3, "max_bytes": 3, "max_lines": 1}}, "abc", None),
    "canonical": ({"size": {"max_chars": 12}}, {"b": 1, "a": 2}, "size.max_chars"),
    "canonical fits": ({"size": {"max_chars": 13}}, {"b": 1, "a": 2}, None),
    "absent": ({"size": {"max_chars": 1}}, None, None),
    "terms": ({"terms": {"any": ["foo"]}}, "a Foo.", "terms"),
    "no terms in nothing": ({"terms": {"any": ["foo"]}}, None, None),
    "pattern": ({"pattern": {"any": ["fo+"]}}, ["foo"], "pattern"),
    "parse": ({"json": {}}, "{", "json.parse"),
    "parse deep": ({"json": {}}, "[" * 100_000, "json.parse"),
    "parse a huge number": ({"json": {}}, "9" * 5000, "json.parse"),
    "parse infinity": ({"json": {}}, "1e999", "json.parse"),
    "parse a mark": ({"json": {}}, "\ufeff{}", "json.parse"),
    "no json value": ({"json": {}}, {"a": {1}}, "json.parse"),
    "nan": ({"json": {}}, {"a": math.nan}, "json.parse"),
    "schema": ({"json": {"schema": {"type": "array"}}}, "{}", "json.schema"),
    "fits": ({"json": {"schema": {"type": "array"}}}, "[1]", None),
}


@pytest.mark.parametrize(("check", "value", "code"), CODES.values(), ids=CODES)
def test_codes(ready, check, value, code):
    built, content = ready(check, value)
    assert built.breaks(content) == code
    assert built.kind in CHECKS


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
def test_whole_words(ready, term, text, found, warm):
    built, content = ready({"terms": {"any": [term]}}, text, warm=warm)
    assert built.breaks(content) == ("terms" if found else None)
    assert bool(built.spans(content)) is found


def test_case_sensitive_terms(ready):
    check = {"terms": {"any": ["IT"], "case_sensitive": True}}
    for text, code in [("it works", None), ("IT works", "terms"), ("\uff29\uff34 works", "terms")]:
        built, content = ready(check, text)
        assert built.breaks(content) == code


def test_spans_have_an_entity(ready):
    built, content = ready({"pattern": {"any": ["A-[0-9]"], "entity": "TICKET"}}, {"t": "see A-1"})
    (span,) = built.spans(content)
    assert (span.pointer, span.start, span.end, span.entity) == ("/t", 4, 7, "TICKET")
    built, content = ready({"terms": {"any": ["secret"]}}, "Secret, secrets, secret")
    assert [(s.start, s.end, s.entity) for s in built.spans(content)] == [
        (0, 6, "TERM"),
        (17, 23, "TERM"),
    ]


@pytest.mark.parametrize("check", [{"size": {"max_chars": 1}}, {"json": {}}], ids=str)
def test_kinds_without_spans_find_none(ready, check):
    built, content = ready(check, "abc")
    assert built.spans(content) == []


UNREADABLE = {"type": "image_url", "image_url": {"url": "https://x.test"}}


@pytest.mark.parametrize("kind", ["size", "terms", "pattern"])
def test_what_is_no_text_cannot_be_told(ready, kind):
    check = {"size": {"size": {"max_chars": 500}}, "terms": {"terms": {"any": ["foo"]}},
             "pattern": {"pattern": {"any": ["foo"]}}}[kind]  # fmt: skip
    built, content = ready(check, [UNREADABLE])
    with pytest.raises(CheckError):
        built.breaks(content)
    assert built.breaks(content, unread_allowed=True) is None


@pytest.mark.parametrize(
    "check", [{"terms": {"any": ["foo"]}}, {"pattern": {"any": ["foo"]}}], ids=str
)
def test_what_is_found_beside_an_image_is_certain(ready, check):
    built, content = ready(check, ["foo", UNREADABLE])
    assert built.breaks(content) is not None


REFUSED = {
    "no mapping": (5, (), "PE008"),
    "two kinds": ({"size": {}, "terms": {}}, (), "PE008"),
    "unknown": ({"term": {}}, ("term",), "PE006"),
    "later": ({"pii": {}}, ("pii",), "PE018"),
    "unknown option": ({"size": {"max_char": 5}}, ("size", "max_char"), "PE006"),
    "unknown option of json": ({"json": {"schemas": {}}}, ("json", "schemas"), "PE006"),
    "no limit": ({"size": {}}, ("size",), "PE020"),
    "a zero": ({"size": {"max_chars": 0}}, ("size", "max_chars"), "PE008"),
    "a boolean": ({"size": {"max_chars": True}}, ("size", "max_chars"), "PE008"),
    "a text for a number": ({"size": {"max_chars": "5"}}, ("size", "max_chars"), "PE008"),
    "options that are none": ({"size": 5}, ("size",), "PE008"),
    "no terms": ({"terms": {"any": []}}, ("terms", "any"), "PE008"),
    "terms missing": ({"terms": {}}, ("terms",), "PE007"),
    "an empty term": ({"terms": {"any": ["a", " "]}}, ("terms", "any", 1), "PE020"),
    "an invisible term": ({"terms": {"any": ["\u200b"]}}, ("terms", "any", 0), "PE020"),
    "a term twice": ({"terms": {"any": ["a  b", "A b"]}}, ("terms", "any", 1), "PE010"),
    "a term that is none": ({"terms": {"any": [5]}}, ("terms", "any", 0), "PE008"),
    "a half pair": ({"terms": {"any": ["\ud800"]}}, ("terms", "any", 0), "PE016"),
    "a wrong match": ({"terms": {"any": ["a"], "match": "words"}}, ("terms", "match"), "PE009"),
    "a bad pattern": ({"pattern": {"any": ["a("]}}, ("pattern", "any", 0), "PE016"),
    "a pattern for everything": ({"pattern": {"any": ["a*"]}}, ("pattern", "any", 0), "PE016"),
    "a pattern twice": ({"pattern": {"any": ["a", "a"]}}, ("pattern", "any", 1), "PE010"),
    "a bad entity": ({"pattern": {"any": ["a"], "entity": "a b"}}, ("pattern", "entity"), "PE009"),
    "a bad schema": (
        {"json": {"schema": {"type": "strin"}}},
        ("json", "schema", "type"),
        "PE009",
    ),
    "a schema of ours": (
        {"json": {"schema": {"type": "string", "maxBytes": 5}}},
        ("json", "schema", "maxBytes"),
        "PE015",
    ),
}


@pytest.mark.parametrize(("check", "path", "code"), REFUSED.values(), ids=REFUSED)
def test_refused(check, path, code):
    with pytest.raises(OptionFaults) as caught:
        build_check(check, Patterns())
    assert [(fault.path, fault.code) for fault in caught.value.faults] == [(path, code)]
    assert str(caught.value)
    assert code in FAULT_CODES


def test_every_fault_is_collected():
    with pytest.raises(OptionFaults) as caught:
        build_check({"pattern": {"any": ["a(", "b", "c*"]}}, Patterns())
    assert [fault.path[-1] for fault in caught.value.faults] == [0, 2]


def test_a_misspelt_kind_gets_a_hint():
    with pytest.raises(OptionFaults) as caught:
        build_check({"patern": {}}, Patterns())
    assert caught.value.faults[0].hint == 'did you mean "pattern"?'


ANY_CHECK = st.sampled_from(
    [
        {"size": {"max_chars": 3}},
        {"terms": {"any": ["ab", "é"]}},
        {"terms": {"any": ["ab"], "match": "anywhere"}},
        {"pattern": {"any": ["a(?!b)", "b$"]}},
        {"json": {"schema": {"type": "array", "items": {"type": "string"}}}},
    ]
)
LEAVES = (
    st.none() | st.booleans() | st.floats() | st.integers() | st.binary(max_size=2)
    | st.text("abé\u0301\u200b \ud800\x00ß", max_size=5) | st.sampled_from([object(), {1}, 1j])
)  # fmt: skip
ANY_VALUE = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abé", max_size=2) | st.integers(), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(ANY_CHECK, ANY_VALUE, st.booleans())
@settings(max_examples=500, deadline=None)
def test_a_check_raises_nothing_but_that_it_cannot_tell(check, value, unread_allowed):
    patterns = Patterns()
    built = build_check(check, patterns)
    content = Content(value, patterns.compile(warm=False))
    for ask in (
        lambda: built.breaks(content, unread_allowed=unread_allowed),
        lambda: built.spans(content),
    ):
        with contextlib.suppress(CheckError):
            ask()


@given(
    st.sampled_from(["word", "anywhere"]),
    st.text("abAé\u0301\u200bßs а_-", max_size=10),
)
@settings(max_examples=500, deadline=None)
def test_redacted_terms_are_gone(match, text):
    patterns = Patterns()
    built = build_check({"terms": {"any": ["ab", "sa", "é"], "match": match}}, patterns)
    scanner = patterns.compile(warm=False)
    found = built.spans(Content(text, scanner))
    assert bool(found) is (built.breaks(Content(text, scanner)) is not None)
    once = redact(text, [Redaction(s.pointer, s.start, s.end, "<T>") for s in found])
    assert built.breaks(Content(once, scanner)) is None


@given(ANY_VALUE)
def test_the_json_check_agrees_with_the_parser(value):
    try:
        text = json.dumps(value, allow_nan=False)
        equal = json.loads(text) == value
    except (TypeError, ValueError):
        return
    built = build_check({"json": {}}, Patterns())
    patterns = Patterns()
    if equal:
        assert built.breaks(Content(text, patterns.compile(warm=False))) is None
