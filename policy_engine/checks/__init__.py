"""The closed table of checks, and the schemas of arguments."""

from policy_engine.checks.arguments import (
    ArgumentFault,
    Arguments,
    check_schema,
    compile_arguments,
)
from policy_engine.checks.schema import SchemaFault, Validator, compile_schema

__all__ = [
    "ArgumentFault",
    "Arguments",
    "SchemaFault",
    "Validator",
    "check_schema",
    "compile_arguments",
    "compile_schema",
]
