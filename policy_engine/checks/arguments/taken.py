"""Which schemas are taken, text checks included."""

from policy_engine.checks.kind import OptionFaults
from policy_engine.checks.schema import SchemaFault, read_schema
from policy_engine.checks.table import build_check
from policy_engine.text import Patterns

__all__ = ["check_schema"]


def check_schema(schema: object, *, top: bool, allow_ours: bool) -> list[SchemaFault]:
    """Find every fault of a schema; none: it can be compiled.

    Args:
        schema: The schema as written.
        top: Whether it is the whole schema of an argument (or of a context name, an attribute),
            where `optional` may stand.
        allow_ours: Whether the language's own keywords may stand; otherwise only `optional`.
    """
    return read_schema(schema, top=top, allow_ours=allow_ours, read_check=_check_faults)


def _check_faults(value: object) -> list[SchemaFault]:
    try:
        build_check(value, Patterns())
    except OptionFaults as error:
        return [
            SchemaFault(fault.path, fault.code, fault.message, fault.hint, fault.on_key)
            for fault in error.faults
        ]
    return []
