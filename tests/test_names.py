"""Globs: the fast ways agree with the plain meaning of a star."""

import time
from fnmatch import fnmatchcase
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_engine.compiler.names import (
    NameIndex,
    NameTable,
    covers_glob,
    globs_overlap,
    is_glob,
    matches_glob,
)

GLOBS = st.text("ab*?", max_size=7)
NAMES = st.text("ab", max_size=7)


@pytest.mark.parametrize(
    ("glob", "name", "expected"),
    [
        ("send_email", "send_email", True),
        ("send_email", "send_emails", False),
        ("send_*", "send_email", True),
        ("send_*", "send_", True),
        ("*refund*", "process_refund", True),
        ("Send_*", "send_email", False),
        ("tool?", "tool1", True),
        ("tool?", "tool", False),
        ("*", "", True),
        ("*", "server/name\nwith a break", True),
        ("a.c", "abc", False),
        ("[ab]", "a", False),
        ("[ab]", "[ab]", True),
        ("server/*", "server/delete", True),
    ],
)
def test_a_glob_matches_the_whole_name(glob, name, expected):
    assert expected == matches_glob(glob, name)


@given(GLOBS, NAMES)
def test_matching_agrees_with_the_standard_library(glob, name):
    assert fnmatchcase(name, glob) == matches_glob(glob, name)


EVERY_NAME = ["".join(letters) for size in range(7) for letters in product("abc", repeat=size)]


@given(st.text("ab*?", max_size=4), st.text("ab*?", max_size=4))
def test_two_globs_overlap_exactly_where_a_name_matches_both(a, b):
    # Two globs of up to four characters that overlap do so on a name of up to six.
    common = any(matches_glob(a, name) and matches_glob(b, name) for name in EVERY_NAME)
    assert common == globs_overlap(a, b)
    assert globs_overlap(b, a) == globs_overlap(a, b)


@given(st.lists(GLOBS), GLOBS)
def test_an_index_finds_what_comparing_with_each_finds(names, glob):
    index = NameIndex(names)
    assert set(names) == set(index)
    assert {name for name in names if globs_overlap(name, glob)} == set(index.overlapping(glob))
    if not is_glob(glob):
        assert any(matches_glob(name, glob) for name in names) == index.matches(glob)


@given(st.lists(st.lists(GLOBS, max_size=3), max_size=6), NAMES)
def test_a_table_finds_the_lists_that_comparing_with_each_finds(lists, name):
    expected = [i for i, globs in enumerate(lists) if any(matches_glob(g, name) for g in globs)]
    assert NameTable(lists).of(name) == expected


@pytest.mark.parametrize(("name", "expected"), [("a", False), ("a*", True), ("?", True)])
def test_a_glob_is_told_from_a_name(name, expected):
    assert expected == is_glob(name)


def test_many_stars_do_not_hang():
    glob = "*a" * 90 + "*b"
    began = time.perf_counter()
    assert not matches_glob(glob, "a" * 20_000)
    assert globs_overlap(glob, "*a" * 90 + "*")
    assert time.perf_counter() - began < 1


@given(GLOBS, GLOBS)
def test_a_glob_that_covers_another_matches_all_that_it_matches(wide, narrow):
    names = ["".join(letters) for size in range(5) for letters in product("ab", repeat=size)]
    inside = all(matches_glob(wide, name) for name in names if matches_glob(narrow, name))
    assert inside or not covers_glob(wide, narrow)


@pytest.mark.parametrize(
    ("wide", "narrow", "expected"),
    [
        ("*", "read_*", True),
        ("read*", "read_*", True),
        ("read_*", "read*", False),
        ("*a*", "*bab*", True),
        ("?", "*", False),
        ("?*", "a*", True),
        ("a", "a", True),
        ("**", "", True),
    ],
)
def test_which_globs_cover_which(wide, narrow, expected):
    assert covers_glob(wide, narrow) is expected
