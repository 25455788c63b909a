"""Comments that silence findings: only comments, all of them, and nothing about themselves."""

import re

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from policy_engine.errors import PolicyError
from policy_engine.lint import lint
from policy_engine.lint.edits import apply_edits
from policy_engine.lint.suppression import suppressions
from policy_engine.loader import load_texts
from policy_engine.source import comments, read_document

HEAD = "policy: p\nlanguage: 1\n"
WORDS = "# lint: ignore[PE202, PE203] as they say"


def linted(text):
    return lint(load_texts({"p.yaml": text}, warm=False))


def codes(text):
    return [(one.location.line, one.code) for one in linted(text).findings]


def mended(text):
    """Return the text after one round of `--fix`."""
    edits = [edit for one in linted(text).findings for edit in one.edits]
    return apply_edits({"p.yaml": text}, edits)["p.yaml"]


def read(text):
    """Read a text; what was put together and is no YAML is not tried."""
    try:
        return read_document("p.yaml", text)
    except PolicyError:
        assume(False)


# Texts that read like comments

PIECES = st.sampled_from(
    [
        *(WORDS, f" {WORDS}", "# lint: ignore-file[PE203] all", "#", " # ", "'", '"', "\\"),
        *(": ", "- ", "|", ">", "\n", "\n\n", "\r\n", "\t", "  ", "[", "}", ","),
        *("x", "word", "é", "🙂"),
    ]
)
TEXTS = st.lists(PIECES, min_size=1, max_size=9).map("".join)
STYLES = st.sampled_from(["'", '"', "|", ">", "|+", ">-", "|2", None])
KEYS = st.sampled_from(["description", "message"])


def written(text, style, indent):
    """Write a text as YAML does in a style."""
    if style is not None and style[0] in "|>":
        lines = re.split(r"\r\n|\r|\n", text)
        assume(lines[0].strip())  # it says how far the block is indented
        assume(style == "|2" or lines[0][0] != " ")
        body = "\n".join(f"{' ' * (indent + 2)}{line}" for line in lines)
        return f"{style}\n{body}"
    dumped = yaml.dump(text, default_style=style, allow_unicode=True, width=20)
    dumped = dumped.removesuffix("\n").removesuffix("\n...")
    return dumped.replace("\n", f"\n{' ' * (indent + 2)}")


@settings(max_examples=400, deadline=None)
@given(text=TEXTS, style=STYLES, key=KEYS, flow=st.booleans(), crlf=st.booleans())
def test_no_text_is_a_comment(text, style, key, flow, crlf):
    """Whatever a value says, in whatever style: nothing is silenced and nothing is edited."""
    value = written(text, style, 6)
    assume(not (flow and value[0] in "|>"))
    rule = (
        f"  - {{id: a, tools: [pay], effect: deny, {key}: {value}}}\n"
        if flow
        else f"  - id: a\n    tools: [pay]\n    effect: deny\n    {key}: {value}\n"
    )
    whole = f"{HEAD}tools:\n  pay: allow\nrules:\n{rule}"
    whole = whole.replace("\n", "\r\n" if crlf else "\n")
    document = read(whole)
    assert comments(whole) == ()
    assert suppressions(document) == []
    assume(document.data["rules"][0][key])  # an empty one does not load
    found = lint(load_texts({"p.yaml": whole}, warm=False))
    assert found.silenced == 0
    assert "PE203" in {one.code for one in found.findings}
    assert not any(one.code in {"PE301", "PE302"} for one in found.findings)


@settings(max_examples=300, deadline=None)
@given(
    text=TEXTS,
    style=st.sampled_from(["'", '"', "|", ">", "|+", ">-", "|2"]),
    blank=st.sampled_from(["", "\n", "\n\n"]),
    others=st.sampled_from([(), ("# more",), ("        # more", "# and more")]),
    crlf=st.booleans(),
)
def test_every_comment_is_one_and_goes_without_a_trace(text, style, blank, others, crlf):
    """A comment below a text silences; taken out, it leaves every value as it was."""
    value = written(text, style, 4)
    below = "".join(f"{line}\n" for line in others)
    whole = (
        f"{HEAD}description: {value}\n{blank}# lint: ignore[PE203] it checks\n{blank}{below}"
        "tools:\n  pay: allow  # lint: ignore[PE203] it checks\n"
    ).replace("\n", "\r\n" if crlf else "\n")
    document = read(whole)
    found = suppressions(document)
    assert [one.codes for one in found] == [("PE203",), ("PE203",)]
    for edits in ([found[0]], [found[1]], found):
        left = apply_edits({"p.yaml": whole}, [one.edit for one in edits])["p.yaml"]
        again = read_document("p.yaml", left)
        assert again.data == document.data
        assert len(suppressions(again)) == 2 - len(edits)


@pytest.mark.parametrize(
    "text",
    [
        f"tools:\n  'db_*': {{effect: allow, description: 'see {WORDS}'}}\n",
        f'tools:\n  "db_*": {{effect: allow, description: "see {WORDS}"}}\n',
        f"tools:\n  'db_*':\n    effect: allow\n    description: |\n      a\n      {WORDS}\n",
        f"tools:\n  'db_*':\n    effect: allow\n    description: >\n      {WORDS}\n      a\n",
        f"tools:\n  'db_*':\n    effect: allow\n    description: 'a\n      {WORDS}\n      b'\n",
    ],
)
def test_a_value_silences_nothing(text):
    found = linted(HEAD + text)
    assert {"PE202", "PE203"} <= {one.code for one in found.findings}
    assert found.silenced == 0


def test_mending_leaves_a_message_alone():
    text = (
        f"{HEAD}tools:\n  pay:\n    args: {{n: {{type: integer, minimum: 0, maximum: 3}}}}\n"
        "    rules:\n      - id: a\n        when: args.n > 2\n        effect: deny\n"
        "        message: |\n          Write this above the line:\n"
        "          # lint: ignore[PE207] the reason stands here\n          and ask security.\n"
    )
    assert mended(text) == text


@pytest.mark.parametrize(
    ("line", "begins", "ends"),
    [
        ("  pay: allow  # lint: ignore[PE203] it checks", "  pay: allow  ", ""),
        ("  pay: {effect: allow}# lint: ignore[PE203] it checks", "  pay: {effect: allow}", ""),
        ("  'pay': 'allow' # note # lint: ignore[PE203] it checks", "  'pay': 'allow' ", ""),
    ],
)
def test_where_a_comment_stands(line, begins, ends):
    text = f"{HEAD}tools:\n{line}\n"
    (comment,) = comments(text)
    assert text[: comment.start].rpartition("\n")[2] == begins
    assert text[comment.end :] == f"{ends}\n"
    assert codes(text) == []


def test_a_comment_behind_the_header_of_a_block_is_one():
    text = (
        f"{HEAD}tools:\n  pay:\n    effect: allow\n"
        "    description: |  # lint: ignore[PE203] it checks\n      # lint: ignore[PE202] x\n"
    )
    (comment,) = comments(text)
    assert comment.text == "# lint: ignore[PE203] it checks"


# What no comment silences


@pytest.mark.parametrize(
    ("comment", "wanted"),
    [
        ("# lint: ignore[PE301, PE302]", [(4, "PE203"), (4, "PE301"), (4, "PE302")]),
        ("# lint: ignore[PE203, PE302]", [(4, "PE301"), (4, "PE302")]),
        ("# lint: ignore[PE203, PE301] it checks", [(4, "PE301")]),
        ("# lint: ignore[PE203, PE313] it checks until 2020-01-01", [(4, "PE301"), (4, "PE313")]),
        ("# lint: ignore[PE203, PE999] it checks", [(4, "PE301")]),
        ("# lint: ignore[PE203, PE214] it checks", [(4, "PE301")]),
        ("# lint: ignore[PE203, PE203] it checks", []),
    ],
)
def test_a_comment_says_nothing_of_itself(comment, wanted):
    assert codes(f"{HEAD}tools:\n  pay: allow  {comment}\n") == wanted


def test_a_file_that_ignores_what_is_found_about_comments():
    text = f"{HEAD}# lint: ignore-file[PE302, PE301]\ntools:\n  pay: deny\n"
    assert codes(text) == [(3, "PE301"), (3, "PE302")]


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("# lint: ignore[PE203, PE214] it checks", "# lint: ignore[PE203] it checks"),
        ("# lint: ignore[ PE228,PE203 ] it checks", "# lint: ignore[PE203] it checks"),
        ("# lint: ignore[PE214, pe203] it checks", "# lint: ignore[pe203] it checks"),
        ("# lint: ignore[PE214] it checks", None),
        ("# why # lint: ignore[PE214] it checks", "# why"),
    ],
)
def test_mending_takes_out_what_silences_nothing(line, left):
    text = f"{HEAD}tools:\n  pay: allow  {line}\n"
    assert mended(text) == f"{HEAD}tools:\n  pay: allow{'' if left is None else '  ' + left}\n"


@pytest.mark.parametrize(
    ("named", "hint"),
    [
        ("pe203", 'did you mean "PE203"?'),
        ("entry-without-args", 'did you mean "PE203"?'),
        ("Entry_Without_Args", 'did you mean "PE203"?'),
        ("entry-without-arg", 'did you mean "PE203"?'),
        ("PE999", "name codes, such as `# lint: ignore[PE202] and why`, or take it out"),
        ("PE2*", "name codes, such as `# lint: ignore[PE202] and why`, or take it out"),
    ],
)
def test_what_no_rule_is_called_is_left_to_be_mended(named, hint):
    """Nobody knows what it was to silence, so it is no flaw that was mended."""
    text = f"{HEAD}tools:\n  pay: allow  # lint: ignore[{named}] it checks\n"
    (said,) = [one for one in linted(text).findings if one.code == "PE301"]
    assert said.message == f'this comment silences nothing: there is no rule "{named}"'
    assert (said.hint, said.severity) == (hint, "warning")
    assert mended(text) == text


@pytest.mark.parametrize(
    ("comment", "meant"),
    [
        ("# LINT: IGNORE[PE203] it checks", "# lint: ignore[PE203]"),
        ("# Lint: Ignore[pe203] it checks", "# lint: ignore[PE203]"),
        ("# lint: disable[PE203] it checks", "# lint: ignore[PE203]"),
        ("# lint: disable=PE203,PE205 it checks", "# lint: ignore[PE203, PE205]"),
        ("# lint: disable[entry-without-args] it checks", "# lint: ignore[entry-without-args]"),
        ("# lint: ignore-next-line[PE203] it checks", "# lint: ignore[PE203]"),
        ("# lint: disable-file[PE203] it checks", "# lint: ignore-file[PE203]"),
        ("# lint-ignore: PE203 it checks", "# lint: ignore[PE203]"),
        ("# noqa: PE203", "# lint: ignore[PE203]"),
    ],
)
def test_a_comment_in_other_words_is_found(comment, meant):
    text = f"{HEAD}tools:\n  pay: allow  {comment}\n"
    found = {one.code: one for one in linted(text).findings}
    assert "PE203" in found  # it silences nothing
    said = found["PE301"]
    assert said.message == "this comment silences nothing: it is not written so"
    assert said.hint == f"write `{meant} and why`"
    assert (said.location.line, said.location.column, said.length) == (4, 15, len(comment))
    assert said.severity == "warning"
    assert mended(text) == text


@pytest.mark.parametrize(
    "comment",
    [
        "# the lint ignores what stands in a text",
        "# noqa: E501",
        "# noqa",
        "# yamllint disable-line rule:line-length",
        "# pylint: disable=PE203",
        "# see PE203: lint allows it",
        "# lint: skipped for now",
    ],
)
def test_a_comment_that_is_about_something_else(comment):
    assert "PE301" not in {code for _, code in codes(f"{HEAD}tools:\n  pay: deny  {comment}\n")}


def test_which_codes_silence_nothing_is_said():
    (found,) = linted(
        f"{HEAD}tools:\n  pay: allow  # lint: ignore[PE203, PE214, PE228] it checks\n"
    ).findings
    assert found.message == (
        "this comment silences nothing for PE214, PE228: there is no such finding here"
    )
    assert found.severity == "info"


@pytest.mark.parametrize("reason", ["intended", "so geprüft", "意図的", "ok", "see SEC-12"])
def test_a_word_is_a_reason(reason):
    assert codes(f"{HEAD}tools:\n  pay: allow  # lint: ignore[PE203] {reason}\n") == []


@pytest.mark.parametrize("reason", ["", "-", "...", "TODO", "tbd.", "42", "x"])
def test_what_is_no_reason(reason):
    found = codes(f"{HEAD}tools:\n  pay: allow  # lint: ignore[PE203] {reason}\n")
    assert (4, "PE302") in found


def test_what_is_still_to_be_done_stands_in_a_comment_or_a_text_for_people():
    rule = "output:\n  - {id: drafts, check: {terms: {any: ['see # TODO']}}, effect: deny}"
    assert "PE306" not in {code for _, code in codes(f"{HEAD}{rule}\n")}
    assert (4, "PE306") in codes(f"{HEAD}{rule}  # TODO ask\n")
