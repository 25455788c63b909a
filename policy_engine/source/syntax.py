"""What is wrong with a text that is not YAML, in words that help."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from yaml import MarkedYAMLError

from policy_engine.errors import Fault
from policy_engine.source.document import Mark, fault_at

__all__ = ["syntax_fault"]

_INDENT = "check the indentation and the quotes of this line and the one above"

_PROBLEMS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "mapping values are not allowed in this context": (
            'a ":" cannot stand here',
            "quote the text if the colon belongs to it; otherwise check the indentation",
        ),
        "could not find expected ':'": (
            'a ":" is missing after a key',
            "a key and its value are written as `key: value`",
        ),
        "did not find expected key": ("a key was expected here", _INDENT),
        "did not find expected '-' indicator": ('a list item "- " was expected here', _INDENT),
        "block sequence entries are not allowed in this context": (
            'a list item "- " cannot stand here',
            "start the list on a line of its own",
        ),
        "block mapping entries are not allowed in this context": (
            "a key cannot stand here",
            _INDENT,
        ),
        "did not find expected ',' or ']'": (
            'a "," or "]" was expected here',
            "the list that starts with `[` in line {line} is not closed",
        ),
        "did not find expected ',' or '}'": (
            'a "," or "}" was expected here',
            "the mapping that starts with `{{` in line {line} is not closed",
        ),
        "did not find expected node content": ("a value was expected here", _INDENT),
        "did not find expected <document start>": (
            "something stands outside of the mapping",
            "a policy is one mapping; check the indentation and the quotes",
        ),
        "found unknown escape character": (
            "there is no such escape in a text in double quotes",
            "write a pattern in single quotes, where a backslash is a backslash",
        ),
        "did not find expected alphabetic or numeric character": (
            'a text that starts with "*" or "&" needs quotes',
            'write a glob in quotes, such as "*" or "*.example.com"',
        ),
        "found a tab character that violates indentation": (
            "a tab cannot indent",
            "indent with spaces",
        ),
        "found unexpected document indicator": (
            "a quoted text is not closed before the end of the document",
            "close the quote",
        ),
        "found incompatible YAML document": (
            "the file asks for another version of YAML",
            "remove the line that starts with %YAML",
        ),
    }
)

_BEGIN_THERE: Final = frozenset({"while scanning an alias", "while scanning a simple key"})
"""What the culprit is the start of, not the place where the parser gave up."""

_UNSTARTABLE: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "\t": ("a tab cannot indent", "indent with spaces"),
        "@": ('a text that starts with "@" needs quotes', "put it in quotes"),
        "`": ('a text that starts with "`" needs quotes', "put it in quotes"),
        "%": ('a text that starts with "%" needs quotes', "put it in quotes"),
    }
)


@dataclass(frozen=True, slots=True)
class _Mark:
    line: int
    column: int


_START: Final = _Mark(0, 0)


class _Character:
    __slots__ = ("end_mark", "start_mark")

    def __init__(self, mark: Mark) -> None:
        self.start_mark = mark
        self.end_mark = mark


def syntax_fault(path: str, text: str, error: MarkedYAMLError) -> Fault:
    """Say what a parser stumbled over, where it began."""
    problem = error.problem or "it cannot be parsed"
    mark = error.problem_mark or error.context_mark or _START
    message, hint = _PROBLEMS.get(problem, (f"not YAML: {problem}", "check quotes and indentation"))
    if problem == "found unexpected end of stream":
        mark = error.context_mark or mark
        message, hint = "a quote is opened and never closed", "close the quote, or remove it"
    elif error.context in _BEGIN_THERE:
        mark = error.context_mark or mark
    elif problem == "found character that cannot start any token":
        line = text.splitlines()[mark.line]
        culprit = line[mark.column : mark.column + 1]
        message, hint = _UNSTARTABLE.get(culprit, (message, hint))
    if "{line}" in hint:
        hint = hint.format(line=(error.context_mark or mark).line + 1)
    return fault_at(path, text, _Character(_inside(text, mark)), "PE002", message, hint)


def _inside(text: str, mark: Mark) -> Mark:
    """Move a mark behind the end of a text back to its last character."""
    lines = text.rstrip().splitlines()
    if mark.line < len(lines) or not lines:
        return mark
    return _Mark(len(lines) - 1, max(0, len(lines[-1]) - 1))
