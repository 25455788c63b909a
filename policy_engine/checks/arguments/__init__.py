"""The arguments of a call: which schemas are taken, and which values fit them."""

from policy_engine.checks.arguments.arguments import Arguments, compile_arguments
from policy_engine.checks.arguments.explain import ArgumentFault
from policy_engine.checks.arguments.taken import check_schema

__all__ = ["ArgumentFault", "Arguments", "check_schema", "compile_arguments"]
