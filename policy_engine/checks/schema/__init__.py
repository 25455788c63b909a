"""JSON Schema 2020-12 as policies take it: a closed vocabulary, closed objects."""

from policy_engine.checks.schema.closing import Closed, close
from policy_engine.checks.schema.exact import MAX_DEPTH, is_json, is_json_object
from policy_engine.checks.schema.grammar import CheckReader, read_schema
from policy_engine.checks.schema.linear import Native, NativeError, native
from policy_engine.checks.schema.shapes import suggest
from policy_engine.checks.schema.validator import Validator, compile_schema
from policy_engine.checks.schema.vocabulary import (
    FORMATS,
    KEYWORDS,
    LATER_KEYWORDS,
    OURS,
    SchemaFault,
    SchemaPath,
)

__all__ = [
    "FORMATS",
    "KEYWORDS",
    "LATER_KEYWORDS",
    "MAX_DEPTH",
    "OURS",
    "CheckReader",
    "Closed",
    "Native",
    "NativeError",
    "SchemaFault",
    "SchemaPath",
    "Validator",
    "close",
    "compile_schema",
    "is_json",
    "is_json_object",
    "native",
    "read_schema",
    "suggest",
]
