"""What the shape of a policy cannot say: which parts go together, and what names refer to."""

from collections.abc import Iterator, Sequence

from policy_engine.compiler.meaning.entries import entry_faults
from policy_engine.compiler.meaning.identity import identity_faults
from policy_engine.compiler.meaning.limits import limit_faults
from policy_engine.compiler.meaning.references import reference_faults
from policy_engine.compiler.meaning.rules import rule_faults
from policy_engine.compiler.meaning.schemas import schema_faults
from policy_engine.errors import Fault
from policy_engine.policy import LoadedPolicy

__all__ = ["faults"]


def faults(policies: Sequence[LoadedPolicy], *, complete: bool) -> Iterator[Fault]:
    """Find what keeps policies from doing what they say, as far as that needs no expressions.

    Args:
        policies: Those that decide together.
        complete: False where a part of the set could not be read, so that a name which
            stands nowhere is no fault.
    """
    yield from identity_faults(policies)
    for loaded in policies:
        yield from entry_faults(loaded)
        yield from rule_faults(loaded)
        yield from limit_faults(loaded)
        yield from schema_faults(loaded)
    if complete:
        yield from reference_faults(policies)
