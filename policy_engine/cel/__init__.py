"""CEL, the Common Expression Language: typed expressions compiled to Python functions."""

from policy_engine.cel.environment import Constant, Environment, Variable
from policy_engine.cel.expression import Condition, Expression, compile_condition, compile_value
from policy_engine.cel.outcomes import outcomes
from policy_engine.cel.problems import ExpressionError, Problem
from policy_engine.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    NULL,
    STRING,
    TIMESTAMP,
    UINT,
    Field,
    ListType,
    MapType,
    OptionalType,
    RecordType,
    Type,
    schema_type,
)
from policy_engine.cel.values import CANNOT_TELL

__all__ = [
    "BOOL",
    "BYTES",
    "CANNOT_TELL",
    "DOUBLE",
    "DURATION",
    "DYN",
    "INT",
    "NULL",
    "STRING",
    "TIMESTAMP",
    "UINT",
    "Condition",
    "Constant",
    "Environment",
    "Expression",
    "ExpressionError",
    "Field",
    "ListType",
    "MapType",
    "OptionalType",
    "Problem",
    "RecordType",
    "Type",
    "Variable",
    "compile_condition",
    "compile_value",
    "outcomes",
    "schema_type",
]
