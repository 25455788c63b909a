# ruff: noqa: RUF001 - look-alikes are what is tested
"""What a check judges: every string of a value, and what is no text."""

import math
from decimal import Decimal

import pytest

from policy_engine.errors import CheckError
from policy_engine.text import Content, Patterns


@pytest.fixture
def scanner():
    patterns = Patterns()
    patterns.add("secret")
    patterns.add("token", caseless=True)
    return patterns.compile()


def test_every_key_and_string_is_a_text(scanner):
    value = {"a": ["x", {"b/c": "secret"}], "d~": 5, "e": None}
    assert [
        (pointer, text.raw, is_key) for pointer, text, is_key in Content(value, scanner).texts
    ] == [
        ("/a", "a", True),
        ("/a/0", "x", False),
        ("/a/1/b~1c", "b/c", True),
        ("/a/1/b~1c", "secret", False),
        ("/d~0", "d~", True),
        ("/e", "e", True),
    ]


@pytest.mark.parametrize(
    ("value", "hits"),
    [
        ("a secret", {0}),
        ("nothing", set()),
        ({"a": "secret", "b": ["TOKEN"]}, {0, 1}),
        ({"secret": 1}, {0}),
        (["x", 5, None, True], set()),
        (None, set()),
        ("", set()),
        ("ѕecret", {0}),
        ("TOKEN", {1}),
        ({"a": "sec", "b": "ret"}, set()),
    ],
    ids=str,
)
def test_hits(scanner, value, hits):
    content = Content(value, scanner)
    assert content.hits == hits
    assert content.finds(frozenset({0, 1})) == hits
    assert content.finds(frozenset()) == set()


def test_a_text_has_three_forms(scanner):
    ((_, text, _),) = Content("Ѕtraße", scanner).texts
    assert (text.raw, text.skeleton, text.folded) == ("Ѕtraße", "Straße", "strasse")
    assert text.forms(caseless=False) == ["Ѕtraße", "Straße"]
    assert text.forms(caseless=True) == ["Ѕtraße", "Straße", "strasse"]


UNREAD = {
    "bytes": b"x",
    "bytes below": {"a": [b"x"]},
    "a set": {"x"},
    "a decimal": [Decimal(1)],
    "a strange key": {b"x": 1},
    "an image": {"type": "image", "data": "aGk=", "mimeType": "image/png"},
    "an image address": [{"type": "image_url", "image_url": {"url": "https://x.test/y.png"}}],
    "an image input": {"type": "input_image", "image_url": "data:image/png;base64,aGk="},
    "audio": {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}},
    "a file": {"type": "file", "file": {"file_id": "f1"}},
    "a file input": {"type": "input_file", "file_id": "f1"},
    "a document": {"type": "document", "source": {"type": "base64", "data": "aGk="}},
    "a blob": {"type": "resource", "resource": {"uri": "x:y", "blob": "aGk="}},
    "inline data": {"inlineData": {"mimeType": "image/png", "data": "aGk="}},
}
READ = {
    "a text": "x",
    "nothing": None,
    "a text part": {"type": "text", "text": "x"},
    "a text resource": {"type": "resource", "resource": {"uri": "x:y", "text": "hello"}},
    "a listed file": {"type": "file", "name": "a.txt", "size": 5},
    "json": {"a": [1, 1.5, True, None, "x"]},
    "a type that is no text": {"type": 5},
}


@pytest.mark.parametrize("value", UNREAD.values(), ids=UNREAD)
def test_unread(scanner, value):
    assert Content(value, scanner).unread


@pytest.mark.parametrize("value", READ.values(), ids=READ)
def test_read(scanner, value):
    assert not Content(value, scanner).unread


@pytest.mark.parametrize(
    ("value", "canonical"),
    [
        ("x y", "x y"),
        ({"b": 1, "a": [True, None, "é"]}, '{"a":[true,null,"é"],"b":1}'),
        ({"n": 2**70}, '{"n":1180591620717411303424}'),
        ({"a": "\ud800"}, '{"a":"\ud800"}'),
        (None, "null"),
    ],
    ids=str,
)
def test_canonical(scanner, value, canonical):
    assert Content(value, scanner).canonical == canonical


@pytest.mark.parametrize("value", [{"a": {1, 2}}, {"a": b"x"}, {1: 2**70, "a": 1}], ids=str)
def test_what_has_no_canonical_form(scanner, value):
    with pytest.raises(CheckError):
        _ = Content(value, scanner).canonical


def test_a_number_that_is_none_has_no_exact_canonical_form(scanner):
    assert Content({"a": math.nan}, scanner).canonical == '{"a":null}'


@pytest.mark.parametrize("make", ["list", "dict", "endless"])
def test_deep_values_cannot_be_told(scanner, make):
    value = deepest = []
    for _ in range(50_000):
        value = {"a": value} if make == "dict" else [value]
    if make == "endless":
        deepest.append(deepest)
        value = deepest
    content = Content(value, scanner)
    for ask in ("texts", "hits", "unread", "canonical"):
        with pytest.raises(CheckError):
            getattr(content, ask)
    while make != "endless" and value:  # taken apart by hand, for the interpreter's own stack
        value = value["a"] if isinstance(value, dict) else value[0]
