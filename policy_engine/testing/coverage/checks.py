"""The single parts of a check: each term, pattern and size, and the form of JSON."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from policy_engine.checks import CHECKS, TextCheck, build_check
from policy_engine.checks.schema import SchemaPath
from policy_engine.errors import CheckError
from policy_engine.testing.coverage.item import EVERY, TOLD, Item, Kind, Note, Outcome
from policy_engine.testing.coverage.reader import MakeItem, read_schema
from policy_engine.testing.coverage.schema import Node, TextAsk
from policy_engine.text import Content, Patterns

__all__ = ["NamePart", "Part", "form_of", "parsed", "parts_of", "text_asks"]

_LISTS: Final = ("terms", "pattern")
_SIZES: Final = ("max_chars", "max_bytes", "max_lines")
_ANY_JSON: Final = CHECKS["json"].build(CHECKS["json"].options(), Patterns())

NamePart: TypeAlias = Callable[[Kind, str, SchemaPath, frozenset[Outcome]], Item]
"""Names a part of a check: its kind, its text, its place, the outcomes that it may have."""


@dataclass(frozen=True, slots=True)
class Part:
    """A check with one term, pattern or limit only."""

    kind: Kind
    text: str
    path: SchemaPath
    """Where it stands below `check`."""
    check: TextCheck


def parts_of(check: Mapping[str, Any], patterns: Patterns) -> Iterator[Part]:
    """Yield the parts of a check; one of a single limit has none of its own.

    Args:
        check: A kind of check and its options.
        patterns: Receives what is to be searched for.
    """
    for kind in _LISTS:
        options: Any = check.get(kind)
        for i, text in enumerate(() if options is None else options.any):
            alone = options.model_copy(update={"any": [text]})
            yield Part("pattern", text, (kind, "any", i), CHECKS[kind].build(alone, patterns))
    size: Any = check.get("size")
    given = [] if size is None else [key for key in _SIZES if getattr(size, key) is not None]
    for key in given if len(given) > 1 else ():
        none = {other: None for other in given if other != key}
        alone = CHECKS["size"].build(size.model_copy(update=none), patterns)
        yield Part("check", f"size.{key}", ("size", key), alone)
    form = check.get("json")
    if form is not None and form.schema_ is not None:
        bare = CHECKS["json"].build(form.model_copy(update={"schema_": None}), patterns)
        yield Part("check", "json", ("json",), bare)


def form_of(
    check: Mapping[str, Any], make: MakeItem, *, may_be_silent: bool = False
) -> Node | None:
    """Return what the schema of a check for JSON asks; None where there is none."""
    options = check.get("json")
    if options is None or options.schema_ is None:
        return None
    return read_schema(options.schema_, make, lambda *_: [], may_be_silent=may_be_silent)


def parsed(content: Content) -> tuple[Any] | None:
    """Return the value that a text holds as JSON; None where it holds none."""
    if _ANY_JSON.breaks(content) is not None:
        return None
    value = content.value
    return (json.loads(value) if isinstance(value, str) else value,)


def text_asks(
    given: Mapping[str, Any], name: NamePart, patterns: Patterns, *, may_be_silent: bool
) -> list[TextAsk]:
    """Return what asks a check on an argument, and each part of it.

    Args:
        given: The value of `check`.
        name: Names a part of it by its kind, its text and its place below `check`.
        patterns: Receives what is to be searched for.
        may_be_silent: Whether there may be no text and no fault of it.
    """
    outcomes = EVERY if may_be_silent else TOLD
    options = {kind: CHECKS[kind].options.model_validate(value) for kind, value in given.items()}
    whole = build_check(given, patterns)
    asks = [_ask(name("argument", "", (), outcomes), whole, patterns)]
    for part in parts_of(options, patterns):
        item = name(part.kind, part.text, part.path, outcomes)
        asks.append(_ask(item, part.check, patterns))

    def keyword(path: SchemaPath, possible: frozenset[Outcome]) -> Item:
        below = ("json", "schema", *path)
        return name("check", ".".join(map(str, below)), below, possible)

    form = form_of(options, keyword, may_be_silent=may_be_silent)
    return asks if form is None else [*asks, _ask_form(form, patterns)]


def _ask(item: Item, check: TextCheck, patterns: Patterns) -> TextAsk:
    def ask(text: str | None, note: Note) -> None:
        if text is None:
            note(item, Outcome.CANNOT_TELL)
            return
        try:
            broken = check.breaks(Content(text, patterns.scanner)) is not None
        except CheckError:
            broken = True  # what cannot be judged does not fit
        note(item, Outcome.MATCH if broken else Outcome.NO_MATCH)

    return ask


def _ask_form(form: Node, patterns: Patterns) -> TextAsk:
    def ask(text: str | None, note: Note) -> None:
        value = None if text is None else parsed(Content(text, patterns.scanner))
        if text is None:
            form.silent(note)
        elif value is not None:
            form.visit(value[0], note)

    return ask
