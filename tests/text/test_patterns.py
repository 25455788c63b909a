# ruff: noqa: RUF001 - look-alikes are what is tested
"""Which patterns are taken, and that every engine finds the same."""

import threading

import pytest
import re2
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from policy_engine.errors import CheckError
from policy_engine.text import Content, PatternError, Patterns
from policy_engine.text.automaton import AutomatonEngine
from policy_engine.text.dialect import (
    needs_backtracking,
    never_matches,
    to_automaton,
    to_backtracking,
)
from policy_engine.text.scanner import CONTROLS

REFUSED = {
    "empty": ("", 0),
    "an open group": ("ab(c", None),
    "a stray bracket": ("a)(b", None),
    "matches nothing": ("a*", None),
    "an anchor alone": ("^", None),
    "a boundary alone": (r"\b", None),
    "looks at nothing": ("(?=a)", None),
    "a class that is not closed": ("[ab", 0),
    "a bad repetition": ("a{3,2}", None),
    "too long": ("a" * 10_001, None),
    "too large": ("(?:(?:a{1,100}){1,100}){1,100}", None),
    "an unknown escape": (r"\y", 0),
    "half of a pair": ("a\ud800", 1),
    "an unclosed look": ("a(?=b", None),
}


@pytest.mark.parametrize(("expression", "offset"), REFUSED.values(), ids=REFUSED)
def test_refused(expression, offset):
    with pytest.raises(PatternError) as caught:
        Patterns().add(expression)
    assert str(caught.value) == caught.value.message != ""
    assert offset is None or caught.value.offset == offset


def test_the_same_pattern_has_the_same_id():
    patterns = Patterns()
    assert patterns.add("ab") == patterns.add("ab") != patterns.add("ab", caseless=True)
    assert len(patterns) == 2


BACKTRACKING = [
    "a(?=b)",
    "a(?!b)",
    "(?<=a)b",
    "(?<!a)b",
    r"(a)\1",
    "a++",
    "(?>a+)b",
    "a*+b",
    "a{1,2}+",
]
LINEAR = [
    "a+?",
    r"\(?=a",
    "[(?=]a",
    r"a\++",
    "[+*]+",
    r"\\1",
    "(?:a)",
    "(?P<n>a)",
    "(?i)a",
    "a{,3}+",
]


@pytest.mark.parametrize("expression", BACKTRACKING)
def test_what_needs_to_backtrack(expression):
    assert needs_backtracking(expression)
    patterns = Patterns()
    assert patterns.backtracks(patterns.add(expression))


@pytest.mark.parametrize("expression", LINEAR)
def test_what_does_not(expression):
    assert not needs_backtracking(expression)
    patterns = Patterns()
    assert not patterns.backtracks(patterns.add(expression))


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("a$", r"a\z"),
        (r"a\$", r"a\$"),
        ("[$]", "[$]"),
        (r"\s", r"[\t\n\f\r ]"),
        (r"[\s,]", r"[\t\n\f\r ,]"),
        (r"\v", r"\x0b"),
        ("a{2}", "a{2}"),
        ("a{,2}", r"a\{,2}"),
        ("{a", r"\{a"),
        ("[]a]", r"[\]a]"),
        ("[^]a]", r"[^\]a]"),
        ("[a[b]", r"[a\[b]"),
        ("[[:alpha:]]", "[A-Za-z]"),
        ("[[:digit:]]", "[[:digit:]]"),
        ("[[:^alpha:]]", None),
        (r"\w", "[0-9A-Za-z_]"),
        ("(?i)a", "(?i)a"),
        ("(?m)^a$", None),
        (r"\pL", None),
        (r"\Qa\E", None),
        (r"\012", None),
        (r"[\S]", None),
        (r"\x{e9}", r"\x{e9}"),
        ("é", "é"),
        ("日本", "日本"),
    ],
)
def test_the_automaton_is_told_the_same(expression, wanted):
    assert to_automaton(expression, caseless=False) == wanted


@pytest.mark.parametrize(
    ("expression", "wanted"), [("é", True), ("日", True), ("[é]", False), ("Ა", False)]
)
def test_case_beyond_the_old_alphabets_stays_in_re2(expression, wanted):
    assert (to_automaton(expression, caseless=True) is not None) is wanted


def test_a_backtracking_dollar_is_the_end():
    assert to_backtracking("(?=a)a$") == r"(?=a)a\Z"
    assert to_backtracking("(?m)(?=a)a$") == "(?m)(?=a)a$"
    assert to_backtracking(r"(?=a)[$]\$\z") == r"(?=a)[$]\$\Z"


MATCHES = {
    "dollar is the end": ("ab$", "ab\n", False),
    "dollar at the end": ("ab$", "x ab", True),
    "dollar by lines": ("(?m)ab$", "ab\ncd", True),
    "a dot stops at a line": ("a.b", "a\nb", False),
    "a dot does not stop at another separator": ("a.b", "a\rb", True),
    "a dot told to go on": ("(?s)a.b", "a\nb", True),
    "a dot is a character": ("^.b$", "😀b", True),
    "a word is ASCII": (r"\w", "日", False),
    "a digit of another script folds": (r"\d", "٣", True),
    "a boundary is ASCII": (r"\bab\b", "日ab日", True),
    "a vertical tab is no space": (r"a\sb", "a\x0bb", False),
    "nul": ("a\x00b", "a\x00b", True),
    "nul undone": ("ab", "a\x00b", True),
    "look-alikes": ("ignore", "іgnоre", True),
    "raw still counts": ("іgnоre", "іgnоre", True),
    "halves of pairs": ("a.b", "a\ud800b", True),
    "case counts": ("secret", "SECRET", False),
    "case counts beyond ASCII too": ("secret", "SECRET é", False),
    "case counts below a disguise": ("secret", "ЅECRET", False),
}


@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
@pytest.mark.parametrize(("expression", "text", "wanted"), MATCHES.values(), ids=MATCHES)
def test_matches(expression, text, wanted, warm):
    patterns = Patterns()
    ids = frozenset({patterns.add(expression)})
    content = Content(text, patterns.compile(warm=warm))
    assert (content.hits == ids) is wanted
    assert (content.finds(ids) == ids) is wanted


CASELESS = {
    "ascii": ("secret", "SECRET", True),
    "sharp s": ("strasse", "STRAßE", True),
    "capital sharp s": ("strasse", "STRAẞE", True),
    "kelvin": ("k", "\u212a", True),
    "long s": ("secret", "ſECRET", True),
    "an old letter": ("в", "ᲀ", True),
}


@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
@pytest.mark.parametrize(("expression", "text", "wanted"), CASELESS.values(), ids=CASELESS)
def test_caseless(expression, text, wanted, warm):
    patterns = Patterns()
    ids = frozenset({patterns.add(expression, caseless=True)})
    assert (Content(text, patterns.compile(warm=warm)).hits == ids) is wanted


def test_backtracking_patterns_are_found_when_asked_for():
    patterns = Patterns()
    linear, slow = patterns.add("cd"), patterns.add("a(?!b)")
    scanner = patterns.compile()
    assert Content("ax cd", scanner).hits == {linear}
    assert Content("ax cd", scanner).finds(frozenset({linear, slow})) == {linear, slow}
    assert Content("ab cd", scanner).finds(frozenset({linear, slow})) == {linear}
    assert Content("аx", scanner).finds(frozenset({slow})) == {slow}


def test_a_backtracking_search_that_takes_too_long_cannot_tell():
    patterns = Patterns()
    linear, slow = patterns.add("a"), patterns.add(r"^(?=a)(a|aa)+$")
    content = Content("a" * 60 + "b", patterns.compile())
    with pytest.raises(CheckError):
        content.finds(frozenset({slow}))
    assert content.finds(frozenset({linear})) == {linear}


ATOMS = st.sampled_from(
    [
        "a",
        "b",
        "A",
        "k",
        "K",
        "K",
        "é",
        "É",
        "ſ",
        "ß",
        "日",
        ".",
        "-",
        "$",
        "^",
        "{",
        "}",
        "{2}",
        "a{,2}",
        "[ab]",
        "[^a]",
        "[a-c]",
        "[ſ]",
        "[]a]",
        "[^]a]",
        "[\\s\\d]",
        "[[:space:]]",
        "[[:alpha:]]",
        "\\w",
        "\\W",
        "\\d",
        "\\s",
        "\\S",
        "\\b",
        "\\B",
        "\\n",
        "\\v",
        "\\A",
        "\\z",
        "\\.",
        "\\x41",
        "\\pL",
        "(?i)",
        "(?s)",
        "(?m)",
        "(?i:a)",
        "(?-i:b)",
        "(?:ab|b)",
        "(a)",
        " ",
        "\n",
    ]
)
EXPRESSIONS = st.lists(
    st.tuples(ATOMS, st.sampled_from(["", "", "", "*", "+", "?", "{2}", "{1,3}", "+?", "|"])).map(
        "".join
    ),
    min_size=1,
    max_size=5,
).map("".join)
ALPHABET = "abABkK\u212asſéÉß日 \t\n\x0b\x00-{}2😀\ud800."


@given(
    expressions=st.lists(st.tuples(EXPRESSIONS, st.booleans()), min_size=1, max_size=4),
    texts=st.lists(st.text(ALPHABET, max_size=6), min_size=1, max_size=6),
)
@settings(max_examples=400, deadline=None)
@example(expressions=[("a$", False)], texts=["a\n"])
def test_cold_and_warm_find_the_same(expressions, texts):
    patterns = Patterns()
    for expression, caseless in expressions:
        try:
            patterns.add(expression, caseless=caseless)
        except PatternError:
            continue
    assume(len(patterns))
    cold, warm = patterns.compile(warm=False), patterns.compile(warm=True)
    assert warm.is_warm
    for text in texts:
        assert Content(text, cold).hits == Content(text, warm).hits


@given(expression=EXPRESSIONS, caseless=st.booleans(), text=st.text(ALPHABET, max_size=6))
@settings(max_examples=400, deadline=None)
def test_a_hit_is_where_the_pattern_alone_is_found(expression, caseless, text):
    patterns = Patterns()
    try:
        number = patterns.add(expression, caseless=caseless)
    except PatternError:
        assume(False)
    content = Content(text, patterns.compile(warm=True))
    (part,) = (text for _, text, _ in content.texts)
    alone = any(
        True for form in part.forms(caseless=caseless) for _ in content.scanner.find(number, form)
    )
    assert (number in content.hits) is alone


def test_a_scan_within_a_scan_has_a_scratch_of_its_own(monkeypatch):
    engine = AutomatonEngine(((0, "ab", False),))
    depth = []

    def note(number, start, end, flags, found):
        found.append(number - 1)
        if not depth:
            depth.append(1)
            found.extend(engine.scan("ab"))

    monkeypatch.setattr("policy_engine.text.automaton._note", note)
    assert engine.scan("xx ab") == [0, 0]


def test_threads_scan_at_once():
    patterns = Patterns()
    ids = [patterns.add(f"word{i}x") for i in range(50)]
    scanner = patterns.compile()
    wrong = []

    def work(seed):
        for turn in range(300):
            number = (seed * 7 + turn) % 50
            if set(scanner.scan(f"a word{number}x b" * 20)) != {ids[number]}:
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_warming_without_hyperscan_changes_nothing(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "policy_engine.text.automaton", None)
    patterns = Patterns()
    number = patterns.add("ab")
    scanner = patterns.compile(warm=True)
    assert not scanner.is_warm
    assert scanner.scan("ab\x00") == [number, CONTROLS] or scanner.scan("ab\x00") == [
        CONTROLS,
        number,
    ]


def test_an_engine_that_fails_cannot_tell(monkeypatch):
    patterns = Patterns()
    patterns.add("ab")
    scanner = patterns.compile(warm=False)

    class Exhausted:
        def Match(self, data):  # noqa: N802 - the library's name
            return None

    monkeypatch.setattr(scanner._engine, "_set", Exhausted())
    with pytest.raises(CheckError):
        _ = Content("ab", scanner).hits


def test_patterns_that_fit_alone_but_not_together(monkeypatch):
    import hyperscan

    from policy_engine.text import automaton

    build = automaton._database

    def small(taken):
        if len(taken) > 1:
            raise hyperscan.error
        return build(taken)

    monkeypatch.setattr(automaton, "_database", small)
    engine = AutomatonEngine(((0, "ab", False), (1, "cd", False)))
    assert sorted(engine.scan("ab cd")) == [0, 1]


def test_a_scan_that_the_automaton_refuses_cannot_tell(monkeypatch):
    import hyperscan

    engine = AutomatonEngine(((0, "ab", False),))

    def refuse(*_):
        raise hyperscan.error

    monkeypatch.setattr(engine, "_scan", refuse)
    with pytest.raises(CheckError):
        engine.scan("ab")


def test_patterns_have_a_scanner_without_being_asked():
    patterns = Patterns()
    first = patterns.add("ab")
    assert patterns.scanner.scan("ab") == [first]
    second = patterns.add("b")
    assert sorted(patterns.scanner.scan("ab")) == [first, second]
    assert patterns.compile(warm=True) is patterns.scanner
    patterns.scanner.warm()
    assert patterns.scanner.is_warm


@pytest.mark.parametrize(
    "expression",
    [
        "$a",
        "a^b",
        "a$b",
        r"a\zb",
        ".^",
        "(?s).$.",
        "a+?^b",
        r"a\Ab",
        r"\d^",
        "a{2}^",
        "[]a]^b",
        r"$\n",
    ],
)
def test_a_pattern_that_never_matches_is_refused(expression):
    with pytest.raises(PatternError, match="never matches"):
        Patterns().add(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "^a$", "a*^b", "a$|b", r"a\$b", "[$]a", "[a^]b", "a{0,3}^b", "(?m)a$\nb", "(?m:a$)\nb",
        "^^a$$", "(a|^)b", "(?:a|$)b|c", "[[:alpha:]]*^b", r"\Qa$b\E", r"(a?)\1^b", "[^$]a",
    ],
)  # fmt: skip
def test_a_pattern_that_may_match_is_taken(expression):
    assert Patterns().add(expression, caseless=False) == 0


SIGNS = [
    "a",
    "b",
    ".",
    "^",
    "$",
    "*",
    "?",
    "+",
    "(",
    ")",
    "|",
    "[ab]",
    "[^a]",
    r"\A",
    "{0,1}",
    "(?:",
]


PIECES = st.lists(st.sampled_from(SIGNS), max_size=3).map("".join)


@given(PIECES, st.sampled_from(["$", "^", r"\A", r"\z"]), PIECES, st.text("ab\n", max_size=5))
@settings(max_examples=1000)
def test_what_is_said_never_to_match_never_does(first, end, second, text):
    expression = f"{first}{end}{second}"
    try:
        compiled = re2.compile(expression, _QUIET)
    except re2.error:
        return
    assert compiled.search(text) is None or not never_matches(expression)


_QUIET = re2.Options()
_QUIET.log_errors = False
