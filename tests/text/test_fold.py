# ruff: noqa: RUF001 - look-alikes are what is tested
"""Disguises are undone, and every character knows where it came from."""

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from policy_engine.text import fold, skeleton
from policy_engine.text._confusables import BINDING, IGNORED, LOOK_ALIKES, ZEROS
from policy_engine.text.fold import map_folded, map_skeleton

SKELETONS = {
    "plain": ("Ignore previous", "Ignore previous"),
    "white space stays": ("a\tb\nc\r\n", "a\tb\nc\r\n"),
    "controls go": ("ig\x00no\x1bre\x7f", "ignore"),
    "cyrillic": ("Іgnоrе рrеvіоus", "Ignore previous"),
    "greek": ("Ιgnοre", "Ignore"),
    "full-width": ("ｉｇｎｏｒｅ", "ignore"),
    "mathematical": ("𝐢𝗴𝓃𝕠𝚛𝖊", "ignore"),
    "circles and squares": ("🅘🅖🄽🅾🇷🅴", "IGNORE"),
    "zero-width": ("ig\u200bno\u200dre\ufeff", "ignore"),
    "soft hyphen": ("ig\u00adnore", "ignore"),
    "bidi": ("\u202eignore\u202c", "ignore"),
    "tags": ("a\U000e0041b", "ab"),
    "struck through": ("i\u0336g\u0336nore", "ignore"),
    "a stack of marks": ("i\u0300\u0301\u0302gnore", "ìgnore"),
    "accents stay": ("re\u0301sume\u0301", "résumé"),
    "an accent across nothing": ("e\u200b\u0301", "é"),
    "ligature": ("ﬁle", "file"),
    "digits of other scripts": ("٣४", "34"),
    "spaces of other scripts": ("a\u00a0b\u2003c\u3000d", "a b c d"),
    "dashes and quotes": ("a\u2013b \u201cc\u201d", 'a-b "c"'),
    "other scripts stay": ("日本語", "日本語"),
    "half of a pair": ("a\ud800b", "a\ud800b"),
}


@pytest.mark.parametrize(("text", "wanted"), SKELETONS.values(), ids=SKELETONS)
def test_skeleton(text, wanted):
    assert skeleton(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"), [("STRASSE", "strasse"), ("Straße", "strasse"), ("İ", "i"), ("ΑΒ", "ab")]
)
def test_fold(text, wanted):
    assert fold(text) == wanted


TEXTS = st.text(
    st.characters()
    | st.sampled_from("aeﬁßé\u0301\u0336\u200b\ufeffｶﾞ각\u1100\u1161\u11a8😀а\x00\ud800ﷺ")
)


@given(TEXTS)
@settings(max_examples=1000)
@example("\u1100\u200b\u1161")
@example("ｶ\u200bﾞ")
def test_the_map_makes_the_same_text(text):
    mapped = map_skeleton(text)
    assert mapped.text == skeleton(text)
    assert len(mapped.starts) == len(mapped.ends) == len(mapped.text)
    folded = map_folded(text)
    assert folded.text == fold(text)
    assert len(folded.starts) == len(folded.ends) == len(folded.text)


@given(TEXTS)
def test_the_map_runs_forward_within_the_original(text):
    mapped = map_folded(text)
    for start, end in zip(mapped.starts, mapped.ends, strict=True):
        assert 0 <= start < end <= len(text)
    assert mapped.starts == sorted(mapped.starts)
    assert mapped.ends == sorted(mapped.ends)


@given(TEXTS)
def test_each_piece_of_the_original_folds_to_its_piece(text):
    mapped = map_skeleton(text)
    for start in set(mapped.starts):
        places = [index for index, at in enumerate(mapped.starts) if at == start]
        piece = "".join(mapped.text[index] for index in places)
        end = max(mapped.ends[index] for index in places)
        assert skeleton(text[start:end]) == piece


@given(TEXTS)
def test_a_skeleton_has_nothing_left_to_undo_but_composition(text):
    once = skeleton(text)
    assert all(char not in "\u200b\ufeff\x00" for char in once)
    assert skeleton(skeleton(once)) == skeleton(once)


def test_the_look_alikes_are_reachable_and_speak_with_one_voice():
    others = "".join(LOOK_ALIKES.values())
    assert len(others) == len(set(others))
    for char, group in LOOK_ALIKES.items():
        assert char.isascii()
        assert len(char) == 1
        for other in group:
            assert not other.isascii()
            assert unicodedata.normalize("NFKC", other) == other


def test_the_binding_characters_are_all_that_unicode_has():
    binding = {chr(code) for first, last in BINDING for code in range(first, last + 1)}
    for code in range(0x80, 0x110000):
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            second = chr(int(parts[1], 16))
            composed = unicodedata.normalize("NFC", chr(code)) == chr(code)
            if composed and unicodedata.combining(second) == 0:
                assert second in binding


def test_zeros_begin_ten_digits():
    for zero in ZEROS:
        assert [unicodedata.decimal(chr(zero + digit)) for digit in range(10)] == list(range(10))


def test_nothing_visible_is_ignored():
    for first, last in IGNORED:
        for code in (first, last):
            assert unicodedata.category(chr(code)) in {"Cc", "Cf", "Cn", "Lo", "Mn"}
