"""The form of structured output.

What it does:
    Breaks when a text is not JSON (duplicate keys, NaN and infinity are not), or does not fit
    the schema. A value that is structured already is held against the schema as it is.

Why:
    What reads the agent's output relies on its form.

Options (defaults):
    schema (any JSON): a JSON Schema in the vocabulary of `args`, without the language's own
      keywords but `optional`. Objects are closed unless `additionalProperties` is written.

Passes:
    - {json: {}, text: "[1, 2]"}
    - json: {schema: {type: object, properties: {total: {type: number}}}}
      text: '{"total": 5}'
    - json: {schema: {type: object, properties: {total: {type: number}}}}
      text: {total: 5}

Fails:
    - {json: {}, text: "[1, 2"}
    - {json: {}, text: '{"a": 1, "a": 2}'}
    - {json: {}, text: "[NaN]"}
    - json: {schema: {type: object, properties: {total: {type: number}}}}
      text: '{"total": "5"}'
    - json: {schema: {type: object, properties: {total: {type: number}}}}
      text: {total: 5, more: 6}
"""

import json
from dataclasses import dataclass
from typing import Final, NoReturn

from pydantic import Field

from policy_engine.checks.kind import CheckKind, OptionFault, OptionFaults, Options
from policy_engine.checks.schema import Validator, compile_schema, is_json, read_schema
from policy_engine.text import Content, Patterns, Span

__all__ = ["JSON", "Json", "JsonOptions"]


class JsonOptions(Options):
    """The form of structured output."""

    schema_: dict[str, object] | None = Field(
        None,
        alias="schema",
        description="A JSON Schema that the text must fit; omitted: any JSON will do.",
    )


@dataclass(frozen=True, slots=True)
class Json:
    """Breaks when a text is not JSON of a form."""

    validator: Validator | None
    kind: str = "json"
    entity: str = "JSON"
    ids: frozenset[int] = frozenset()

    def breaks(self, content: Content, *, unread_allowed: bool = False) -> str | None:  # noqa: ARG002
        """Name what is wrong: the parsing or the schema. What is no text does not fit."""
        value = content.value
        if isinstance(value, str):
            try:
                value = json.loads(value, object_pairs_hook=_object, parse_constant=_refuse)
            except (ValueError, RecursionError):
                return "json.parse"
        if not is_json(value):
            return "json.parse"
        if self.validator is not None and not self.validator.fits(value):
            return "json.schema"
        return None

    def spans(self, content: Content) -> list[Span]:  # noqa: ARG002 - it finds none
        """Find no pieces."""
        return []


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key stands twice")
    return made


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _build(options: JsonOptions, patterns: Patterns) -> Json:  # noqa: ARG001 - it needs none
    schema = options.schema_
    if schema is None:
        return Json(None)
    found = read_schema(schema, top=False, allow_ours=False, read_check=lambda _: ())
    if found:
        raise OptionFaults(
            [OptionFault(("schema", *f.path), f.message, f.hint, f.code, f.on_key) for f in found]
        )
    try:
        return Json(compile_schema(schema))
    except ValueError as error:
        message = "the schema does not compile"
        raise OptionFaults([OptionFault(("schema",), message, code="PE015")]) from error


JSON: Final = CheckKind("json", JsonOptions, finds_spans=False, manual=__doc__, build=_build)
