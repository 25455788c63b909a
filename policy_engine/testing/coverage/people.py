"""Requests by everybody whom policies tell apart: agents, roles and tenants, known or not."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from policy_engine.compiler import Compiled
from policy_engine.decision import Facts, Request
from policy_engine.testing.search.people import asked_by_everybody
from policy_engine.testing.search.sample import Sample

__all__ = ["people"]

_HELLO: Final = Sample(
    Request(stage="input", text="Hello"), Facts(now=datetime(2026, 1, 5, 10, tzinfo=UTC))
)


def people(compiled: Compiled) -> Iterator[Sample]:
    """Yield requests by everybody whom the policies of a set tell apart.

    Args:
        compiled: The policy set.
    """
    for loaded in compiled.policies.policies:
        yield from asked_by_everybody(_HELLO, loaded.policy)
