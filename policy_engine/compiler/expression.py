"""What an expression may read: names and types by stage, policy and covered entries."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from policy_engine.cel import (
    BOOL,
    DOUBLE,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    Condition,
    Constant,
    Environment,
    Expression,
    ExpressionError,
    Field,
    ListType,
    MapType,
    RecordType,
    Type,
    Variable,
    compile_condition,
    compile_value,
    schema_type,
)
from policy_engine.compiler.covered import Covered
from policy_engine.decision import Stage
from policy_engine.errors import Fault, Location
from policy_engine.policy import LoadedPolicy
from policy_engine.source import Document

__all__ = ["environment", "read_condition", "read_value"]

_CODES: Final = {"syntax": "PE012", "type": "PE013", "optional": "PE014"}
_OF_STAGE: Final[Mapping[Stage, tuple[str, ...]]] = {
    "input": ("text",),
    "tool_call": ("tool", "args"),
    "tool_result": ("tool", "args", "result"),
    "handoff": ("target",),
    "model_request": ("model", "text"),
    "model_response": ("model", "text"),
    "output": ("text",),
}
_ALWAYS: Final[Mapping[str, Variable]] = {
    "agent": Variable(STRING, ("request", "agent")),
    "stage": Variable(STRING, ("request", "stage")),
    "now": Variable(TIMESTAMP, ("facts", "now")),
    "session": Variable(
        RecordType(
            "session",
            {
                "id": Field(STRING, path=("request", "session")),
                "labels": Field(ListType(STRING), path=("facts", "session", "labels")),
                "calls": Field(MapType(STRING, INT), path=("facts", "session", "calls")),
                "started": Field(TIMESTAMP, path=("facts", "session", "started")),
            },
        ),
        None,
    ),
}
"""What every expression may read, whatever its policy declares."""


def environment(loaded: LoadedPolicy, stage: Stage, covered: Sequence[Covered]) -> Environment:
    """Return the names that an expression of this policy may read at this stage."""
    policy = loaded.policy
    variables: dict[str, Variable | Constant] = {
        **_ALWAYS,
        "principal": Variable(
            RecordType(
                "principal",
                {
                    "id": Field(STRING),
                    "roles": Field(ListType(STRING)),
                    "tenant": Field(STRING),
                    "attrs": Field(_record("principal.attrs", policy.attrs)),
                },
            ),
            ("request", "principal"),
        ),
        "context": Variable(_record("context", policy.context), ("request", "context")),
        "vars": Constant(dict(policy.vars)),
        "facts": Variable(
            _record("facts", {name: fact.schema_ for name, fact in policy.facts.items()}),
            ("facts", "answers"),
        ),
    }
    for name in _OF_STAGE[stage]:
        kind: Type = STRING
        if name == "args":
            kind = _arguments(covered)
        elif name == "result":
            kind = DYN
        variables[name] = Variable(kind, ("request", name))
    return Environment(variables)


def _record(name: str, schemas: Mapping[str, Any]) -> RecordType:
    return RecordType(name, {field: Field(_type(schema)) for field, schema in schemas.items()})


def _type(schema: Any) -> Type:
    return schema_type(schema) if isinstance(schema, Mapping | bool) else DYN


def _arguments(covered: Sequence[Covered]) -> RecordType:
    fields: dict[str, Field] = {}
    names = dict.fromkeys(name for args in covered for name in args or ())
    for name in names:
        schemas = [args[name] for args in covered if args is not None and name in args]
        optional = len(schemas) < len(covered) or any(
            isinstance(schema, Mapping) and schema.get("optional") is True for schema in schemas
        )
        fields[name] = Field(_merged(map(_type, schemas)), optional=optional)
    return RecordType("args", fields)


def _merged(kinds: Iterable[Type]) -> Type:
    found = set(kinds)
    if len(found) == 1:
        return found.pop()
    return DOUBLE if found == {INT, DOUBLE} else DYN


@dataclass(frozen=True, slots=True)
class _Place:
    document: Document
    path: tuple[str | int, ...]

    def faults(self, text: str, error: ExpressionError) -> Iterator[Fault]:
        start = self.document.at(self.path)
        line = self.document.line(start.line)
        inside = line.find(text, start.column - 1)
        for problem in error.problems:
            if inside < 0:
                shown = text[problem.offset : problem.offset + problem.length].split("\n", 1)[0]
                yield Fault(
                    location=start,
                    code=_CODES[problem.kind],
                    message=problem.message if not shown else f"{problem.message} (at {shown!r})",
                    hint=problem.hint,
                    source_line=line,
                )
            else:
                yield Fault(
                    location=Location(start.path, start.line, inside + problem.offset + 1),
                    code=_CODES[problem.kind],
                    message=problem.message,
                    hint=problem.hint,
                    source_line=line,
                    length=max(1, problem.length),
                )


def read_condition(
    document: Document,
    path: tuple[str | int, ...],
    text: str,
    env: Environment,
    faults: list[Fault],
) -> Condition | None:
    """Compile a condition; where it cannot be, add the faults and return None."""
    try:
        return compile_condition(text, env)
    except ExpressionError as error:
        faults.extend(_Place(document, path).faults(text, error))
        return None


def read_value(
    document: Document,
    path: tuple[str | int, ...],
    text: str,
    env: Environment,
    faults: list[Fault],
    want: tuple[Type, ...] = (BOOL, INT, DOUBLE, STRING, DYN),
) -> Expression | None:
    """Compile an expression that gives a value, likewise."""
    try:
        return compile_value(text, env, want)
    except ExpressionError as error:
        faults.extend(_Place(document, path).faults(text, error))
        return None
