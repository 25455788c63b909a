"""The closed table of checks, and the schemas of arguments."""

from policy_engine.checks.arguments import (
    ArgumentFault,
    Arguments,
    check_schema,
    compile_arguments,
)
from policy_engine.checks.kind import CheckKind, OptionFault, OptionFaults, TextCheck
from policy_engine.checks.schema import SchemaFault, Validator, compile_schema
from policy_engine.checks.table import CHECKS, LATER, build_check

__all__ = [
    "CHECKS",
    "LATER",
    "ArgumentFault",
    "Arguments",
    "CheckKind",
    "OptionFault",
    "OptionFaults",
    "SchemaFault",
    "TextCheck",
    "Validator",
    "build_check",
    "check_schema",
    "compile_arguments",
    "compile_schema",
]
