"""Findings about a piece of an expression point at it, however the expression is written."""
# ruff: noqa: E501 - a table of one-line policies

import pytest

from policy_engine.lint import lint
from policy_engine.loader import load_texts

HEAD = """\
policy: p
language: 1
tools:
  a:
    args: {to: {type: string, maxLength: 9}, force: {type: boolean}}
    rules:
"""
TERM = "args.force == true"


def findings(rule, line_break="\n"):
    text = (HEAD + rule).replace("\n", line_break)
    linted = lint(load_texts({"p.yaml": text}, warm=False))
    return [one for one in linted.findings if one.code == "PE309"], linted.silenced


@pytest.mark.parametrize("line_break", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize(
    ("rule", "line", "column"),
    [
        (f"      - {{id: r, when: {TERM}, effect: deny}}\n", 7, 23),
        (f"      - {{id: r, when: '{TERM}', effect: deny}}\n", 7, 24),
        (f'      - {{id: r, when: "{TERM}", effect: deny}}\n', 7, 24),
        (f"      - {{id: r, when: 'args.to == \"it''s\" || {TERM}', effect: deny}}\n", 7, 46),
        (f'      - {{id: r, when: "args.to == \\"x\\" || {TERM}", effect: deny}}\n', 7, 44),
        (f'      - {{id: r, when: "args.to == \\"\\u00e9\\" || {TERM}", effect: deny}}\n', 7, 23),
        (f'      - {{id: r, when: args.to == "é🎉" || {TERM}, effect: deny}}\n', 7, 42),
        (f'      - id: r\n        effect: deny\n        when: >-\n          args.to == "x"\n          || {TERM}\n', 11, 14),
        (f'      - id: r\n        effect: deny\n        when: |\n          args.to == "x" ||\n\n          {TERM}\n', 12, 11),
        (f'      - id: r\n        effect: deny\n        when: >2-  # why\n            args.to == "x" ||\n          {TERM}\n', 11, 11),
        (f'      - id: r\n        effect: deny\n        when: args.to == "x" ||\n          {TERM}\n', 10, 11),
        (f"      - id: r\n        effect: deny\n        when: 'args.to == \"x\" ||\n\n          {TERM}'\n", 11, 11),
    ],
)  # fmt: skip
def test_a_piece_is_found(rule, line, column, line_break):
    ((found,), _) = findings(rule, line_break)
    assert (found.location.line, found.location.column) == (line, column)
    if column != 23 or "u00e9" not in rule:
        marked = found.source_line[column - 1 :][: found.length]
        assert marked == TERM


def test_a_piece_over_two_lines_is_underlined_to_the_end_of_its_first():
    rule = "      - id: r\n        effect: deny\n        when: |\n          args.force ==   \n            true\n"
    ((found,), _) = findings(rule)
    assert (found.location.line, found.location.column, found.length) == (10, 11, 13)


def test_a_comment_at_the_key_silences_what_stands_below():
    comment = "  # lint: ignore[PE309] it reads better"
    rule = f"      - id: r\n        effect: deny\n        when: >-{comment}\n          {TERM}\n"
    assert findings(rule) == ([], 1)
    alone = f"      #{comment.lstrip(' #')}\n".replace("#lint", "# lint")
    above = f"{alone}      - id: r\n        effect: deny\n        when: >-\n          {TERM}\n"
    assert findings(above) == ([], 1)
