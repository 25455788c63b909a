"""Reading YAML: what it means, where it stands, and what is refused."""

import json
import math
import unicodedata
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_engine.errors import FAULT_CODES, Location, PolicyError
from policy_engine.source import MAX_BYTES, doubtful_name, read_document
from policy_engine.source.reader import MAX_DEPTH


def read(text):
    return read_document("p.yaml", text)


def faults_of(text):
    try:
        read(text)
    except PolicyError as error:
        return error.faults
    return ()


def fault_of(text):
    (fault,) = faults_of(text)
    return fault


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("Off", "Off"),
        ("22:30", "22:30"),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("2026-01-05", "2026-01-05"),
        ("=", "="),
        ("012", 12),
        ("0o14", 12),
        ("0x1F", 31),
        ("+7", 7),
        ("-0", 0),
        ("-7", -7),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("1.", 1.0),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("-1.5E-2", -0.015),
        ("true", True),
        ("False", False),
        ("tRUE", "tRUE"),
        ("null", None),
        ("~", None),
        ("", None),
        ("'5'", "5"),
        ('"true"', "true"),
        (".", "."),
        ("-", "-"),
        ("+", "+"),
        ("1.2.3", "1.2.3"),
        ("0o8", "0o8"),
        ('"\\u202e"', "\u202e"),
    ],
)
def test_scalars_follow_the_core_schema_of_yaml_1_2(written, meant):
    if written == "-":
        written = "'-'"
    value = read(f"a: {written}").data["a"]
    assert meant == value
    assert type(meant) is type(value)


def test_block_scalars_are_text():
    assert read("a: |\n  12\nb: >-\n  no\n  more\n").data == {"a": "12\n", "b": "no more"}


DOCUMENT = dedent(
    """\
    policy: desk
    "täg😀": {größe: 3, b: [x, {c: d}]}
    rules:
      - id: first
        when: >
          a
          b
      - {id: second, tools: ["*", y]}
    empty:
    """
)


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        ((), (1, 1), (1, 1)),
        (("policy",), (1, 1), (1, 9)),
        (("täg😀",), (2, 1), (2, 9)),
        (("täg😀", "größe"), (2, 10), (2, 17)),
        (("täg😀", "b", 1, "c"), (2, 28), (2, 31)),
        (("rules",), (3, 1), (4, 3)),
        (("rules", 0), (4, 5), (4, 5)),
        (("rules", 0, "when"), (5, 5), (5, 11)),
        (("rules", 1, "tools", 1), (8, 31), (8, 31)),
        (("empty",), (9, 1), (9, 7)),
        (("policy", "nothing", "below"), (1, 9), (1, 9)),
        (("rules", 7), (4, 3), (4, 3)),
        (("absent",), (1, 1), (1, 1)),
    ],
)
def test_every_key_and_value_has_a_place(path, key, value):
    document = read(DOCUMENT)
    assert Location("p.yaml", *key) == document.key_at(path)
    assert Location("p.yaml", *value) == document.at(path)


def test_places_count_carriage_returns_as_one_break():
    document = read("a: 1\r\nb: 2\rc: 3\nd: 4\n")
    assert [document.at((key,)).line for key in "abcd"] == [1, 2, 3, 4]
    assert [document.line(number) for number in range(1, 5)] == ["a: 1", "b: 2", "c: 3", "d: 4"]
    assert document.line(0) == document.line(99) == ""


@pytest.mark.parametrize(
    ("path", "on_key", "shown"),
    [
        (("policy",), False, "desk"),
        (("policy",), True, "policy"),
        (("täg😀",), True, '"täg😀"'),
        (("täg😀",), False, "{größe: 3, b: [x, {c: d}]}"),
        (("täg😀", "b", 1), True, "{c: d}"),
        (("rules", 0), False, "i"),
        (("rules", 0, "when"), False, ">"),
        (("empty",), False, ""),
    ],
)
def test_a_fault_underlines_what_it_is_about(path, on_key, shown):
    fault = read(DOCUMENT).fault(path, "PE009", "is odd", on_key=on_key)
    start = fault.location.column - 1
    assert shown == fault.source_line[start : start + fault.length]


def test_a_document_without_a_part_keeps_the_places_of_the_rest():
    document = read(DOCUMENT)
    rest = document.without([("rules", 0), ("täg😀", "b", 0), ("empty",), ("no", "such")])
    assert rest.data == {
        "policy": "desk",
        "täg😀": {"größe": 3, "b": [{"c": "d"}]},
        "rules": [{"id": "second", "tools": ["*", "y"]}],
    }
    assert rest.at(("rules", 0, "id")) == document.at(("rules", 1, "id"))
    assert rest.at(("täg😀", "b", 0, "c")) == document.at(("täg😀", "b", 1, "c"))
    assert read(DOCUMENT) == document


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("a: 1\nb: 2\na: 3\n", "PE004", 3, 1),
        ('a: 1\n"a": 3\n', "PE004", 2, 1),
        ("a: &x 1\n", "PE003", 1, 4),
        ("a: [1, *x]\n", "PE003", 1, 8),
        ("a: {<<: {b: 1}}\n", "PE003", 1, 5),
        ("a: !!str 1\n", "PE003", 1, 4),
        ("a: ! 1\n", "PE003", 1, 4),
        ("a: !x [1]\n", "PE003", 1, 4),
        ("a: 1\n---\nb: 1\n", "PE003", 2, 1),
        ("%YAML 1.1\n---\na: 1\n", "PE003", 1, 1),
        ("%TAG ! tag:x,2026:\n---\na: 1\n", "PE003", 1, 1),
        ("1: a\n", "PE003", 1, 1),
        ("a:\n  true: b\n", "PE003", 2, 3),
        ("null: b\n", "PE003", 1, 1),
        ("? [a]\n: b\n", "PE003", 1, 3),
        ("a: .nan\n", "PE009", 1, 4),
        ("a: [-.inf]\n", "PE009", 1, 5),
        ("a: 1e999\n", "PE009", 1, 4),
        ("a: 9223372036854775808\n", "PE009", 1, 4),
        ("a: 0xFFFFFFFFFFFFFFFFF\n", "PE009", 1, 4),
        ("a: " + "9" * 5000, "PE009", 1, 4),
        ("\ufeffa: 1\n", "PE003", 1, 1),
        ("a: b\x00\n", "PE002", 1, 5),
        ("a: b\n# \x1b[31m\n", "PE002", 2, 3),
        ("a: b\x85c: d\n", "PE002", 1, 5),
        ("a: b\u2028\n", "PE002", 1, 5),
        ("a: \ud800\n", "PE002", 1, 4),
        ("a: x # \u202e\n", "PE005", 1, 8),
        ("a: 'x\u2066y'\n", "PE005", 1, 6),
        ("a\u200b: x\n", "PE005", 1, 1),
        ('"a\\u202e": x\n', "PE005", 1, 1),
        ("x: {\u0430dmin: 1}\n", "PE005", 1, 5),  # the first letter is Cyrillic
        ("send_\u03b5mail: 1\n", "PE005", 1, 1),
        ("\u3164: x\n", "PE005", 1, 1),
        ("[a]\n", "PE008", 1, 1),
        ("just text\n", "PE008", 1, 1),
        ("", "PE001", 1, 1),
        ("# only a comment\n", "PE001", 1, 1),
        ("---\n...\n", "PE001", 1, 1),
        ("a: b: c\n", "PE002", 1, 5),
        ("a: [1, 2\nb: 3\n", "PE002", 2, 2),
        ("a: 'x\n", "PE002", 1, 4),
        ("a:\n\t- b\n", "PE002", 2, 1),
        ("a: @b\n", "PE002", 1, 4),
        ("tools: [*]\n", "PE002", 1, 9),
        ("- a\nb: 1\n", "PE002", 2, 1),
        ('a: "\\d"\n', "PE002", 1, 5),
        ("[" * 100_000, "PE003", 1, MAX_DEPTH + 1),
        ("- " * 100_000, "PE003", 1, 2 * MAX_DEPTH + 1),
        ("a: " + "x" * MAX_BYTES, "PE001", 1, 1),
        ("a: " + "é" * (MAX_BYTES // 2), "PE001", 1, 1),
    ],
)
def test_what_could_be_misread_is_refused_at_its_place(text, code, line, column):
    fault = fault_of(text)
    assert (code, Location("p.yaml", line, column)) == (fault.code, fault.location)
    assert fault.hint


def test_the_second_of_two_keys_names_the_first():
    assert "line 1" in fault_of("a: 1\nb: 2\na: 3\n").hint


def test_all_faults_of_a_file_come_together():
    text = "a: 1\na: 2\nb: &x 1\nc: !t 1\nd: .inf\n? [x]\n: 1\n"
    with pytest.raises(PolicyError) as caught:
        read(text)
    assert [fault.location.line for fault in caught.value.faults] == [2, 3, 4, 5, 6]


def test_a_file_full_of_faults_is_not_read_to_its_end():
    with pytest.raises(PolicyError) as caught:
        read("{" + "a: 1, " * 100_000 + "}")
    assert len(str(caught.value)) < 20_000


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("send_email", None),
        ("überweisung", None),
        ("отправить", None),
        ("отправить_email", None),
        ("café/read", None),
        ("s\u0435nd", "mixes Latin and Cyrillic letters in one word"),
        ("\u03b1dmin", "mixes Latin and Greek letters in one word"),
        ("a\u200bb", "holds U+200B ZERO WIDTH SPACE"),
        ("a\nb", "holds U+000A a control character"),
        ("a\ufe0fb", "holds U+FE0F VARIATION SELECTOR-16"),
    ],
)
def test_a_name_is_what_it_looks_like(name, why):
    assert why == doubtful_name(name)


PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"]))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | PLAIN,
    lambda inner: st.lists(inner) | st.dictionaries(PLAIN, inner),
    max_leaves=12,
)


@given(st.dictionaries(PLAIN, VALUES, min_size=1), st.sampled_from([None, 2]))
def test_json_is_read_as_what_it_says(data, indent):
    text = json.dumps(data, ensure_ascii=False, indent=indent)
    if any(doubtful_name(key) for key in _keys(data)):
        with pytest.raises(PolicyError):
            read(text)
    else:
        assert _comparable(data) == _comparable(read(text).data)


def _keys(value):
    if isinstance(value, dict):
        yield from value
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, dict | list):
            yield from _keys(item)


def _comparable(value):
    if isinstance(value, dict):
        return {key: _comparable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_comparable(item) for item in value]
    if isinstance(value, float):
        return ("float", math.copysign(1, value), value)
    return (type(value), value)


FRAGMENTS = st.sampled_from(
    [
        *"\n\t :-?[]{},#&*!|>'\"%@`~\\",
        "  ",
        "- ",
        ": ",
        "a",
        "é",
        "\r\n",
        "---",
        "...",
        "<<",
        "0x",
        "1e9",
    ]
)


@settings(max_examples=400)
@given(st.text() | st.lists(FRAGMENTS | st.text(max_size=3)).map("".join))
def test_no_text_raises_anything_but_a_policy_error(text):
    faults = faults_of(text)
    lines = text.count("\n") + text.count("\r") + 1
    for fault in faults:
        assert fault.code in FAULT_CODES
        assert 1 <= fault.location.line <= lines
        assert fault.location.column >= 1
        assert str(fault)


@given(st.characters(codec=None))
def test_an_invisible_key_is_never_taken(character):
    if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}:
        with pytest.raises(PolicyError):
            read(f"'a{character}b': 1")
