"""Every kind of check: its manual runs, its options are closed, it never raises by surprise."""

import contextlib
import textwrap

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from judged import ready

from policy_engine.checks import CHECKS, LATER, OptionFaults, build_check
from policy_engine.errors import FAULT_CODES, CheckError
from policy_engine.text import Content, Patterns

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


@pytest.mark.parametrize(("check", "value", "breaks"), list(examples()))
def test_the_examples_of_the_manual(check, value, breaks):
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


@pytest.mark.parametrize("check", [{"size": {"max_chars": 1}}, {"json": {}}], ids=str)
def test_kinds_without_spans_find_none(check):
    built, content = ready(check, "abc")
    assert built.spans(content) == []


UNREADABLE = {"type": "image_url", "image_url": {"url": "https://x.test"}}


@pytest.mark.parametrize("kind", ["size", "terms", "pattern"])
def test_what_is_no_text_cannot_be_told(kind):
    check = {"size": {"size": {"max_chars": 500}}, "terms": {"terms": {"any": ["foo"]}},
             "pattern": {"pattern": {"any": ["foo"]}}}[kind]  # fmt: skip
    built, content = ready(check, [UNREADABLE])
    with pytest.raises(CheckError):
        built.breaks(content)
    assert built.breaks(content, unread_allowed=True) is None


@pytest.mark.parametrize(
    "check", [{"terms": {"any": ["foo"]}}, {"pattern": {"any": ["foo"]}}], ids=str
)
def test_what_is_found_beside_an_image_is_certain(check):
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
