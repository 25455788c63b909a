"""Long lists are judged in one pass, which tells what asking for each pair tells."""

import re
import time

from hypothesis import example, given
from hypothesis import strategies as st

from policy_engine.checks.terms import TermsOptions
from policy_engine.lint import lint
from policy_engine.lint.containment import term_finder
from policy_engine.lint.proof.box import Box, Listed, is_among
from policy_engine.loader import load_texts

PHRASES = st.lists(st.text("aAbß_ -.#\u0301\u4e2d", max_size=6), min_size=1, max_size=12)
SCALARS = st.sampled_from([True, False, 0, 1, 1.0, -0.0, 2, 2.5, "", "1", "v", None, float("nan")])
VALUES = st.lists(SCALARS | st.lists(SCALARS, max_size=2) | st.just({"a": 1}), max_size=8)
MOST_SECONDS = 10.0
"""Asking for each pair takes minutes, a pass one second; a busy machine has time enough."""


def stands_in(options, term, phrase):
    """Tell by a search of its own whether a term is found in a phrase."""
    if not options.case_sensitive:
        term, phrase = term.casefold(), phrase.casefold()
    word = options.match == "word"
    written = rf"(?<!\w){re.escape(term)}(?!\w)" if word else re.escape(term)
    return re.search(written, phrase) is not None


@given(PHRASES, PHRASES, st.sampled_from(["word", "anywhere"]), st.booleans())
@example(
    ["", "a", "A", "a-b", "#a", "ß", "ss"], ["", "A-b a", "##a", "ba", "STRASSE ß"], "word", False
)
def test_one_pass_over_terms_finds_what_searching_for_each_finds(listed, phrases, match, case):
    options = TermsOptions(any=listed, match=match, case_sensitive=case)
    find = term_finder(options)
    for phrase in (*phrases, *listed):
        slow = [n for n, term in enumerate(listed) if stands_in(options, term, phrase)]
        assert find(phrase) == slow


@given(VALUES, VALUES)
@example([1, "v", None], [True, 1.0, False, 0, None])
def test_listed_values_are_those_that_are_equal_as_expressions_compare(values, asked):
    listed = Listed(values)
    for value in (*asked, *values):
        assert (value in listed) is is_among(value, values)


@given(st.none() | VALUES, VALUES, VALUES, st.sampled_from(["any", "string", "number", "bool"]))
def test_many_values_are_admitted_as_each_is(chosen, excluded, asked, kind):
    box = Box(kind=kind, chosen=chosen, excluded=excluded, longest=1)
    tried = [*asked, *(chosen or ()), *excluded]
    assert [id(v) for v in box.admitted(tried)] == [id(v) for v in tried if box.admits(v)]


def findings(text):
    started = time.process_time()
    found = lint(load_texts({"p.yaml": text}, warm=False)).findings
    assert time.process_time() - started < MOST_SECONDS
    return found


def test_a_list_of_4000_phrases_is_judged_in_seconds():
    terms = [f"word{n} plan" for n in range(3999)] + ["the word7 plan"]
    rule = f"{{id: w, check: {{terms: {{any: {terms}}}}}, effect: deny}}"
    text = f"policy: p\nlanguage: 1\noutput:\n  - {rule}\n"
    idle = [one.message for one in findings(text) if one.code == "PE122"]
    assert idle == ['"the word7 plan" is found by "word7 plan" already']


def test_an_enum_of_20000_values_is_judged_in_seconds():
    values = ", ".join(f"v{n}" for n in range(20_000))
    text = (
        f"policy: p\nlanguage: 1\ntools: {{t: {{args: {{a: {{enum: [{values}]}}}}, rules: [\n"
        '  {id: r, effect: deny, when: \'args.a == "v1" || args.a.startsWith("zz")\'}]}}\n'
    )
    assert "PE103" in {one.code for one in findings(text)}
