"""The JSON Schemas of a policy, each found without fault before anything is compiled."""

from collections.abc import Iterator, Mapping

from policy_engine.checks import check_schema
from policy_engine.compiler.meaning.places import rules_of
from policy_engine.errors import Fault
from policy_engine.policy import LoadedPolicy
from policy_engine.source import Path

__all__ = ["schema_faults"]


def schema_faults(loaded: LoadedPolicy) -> Iterator[Fault]:
    """Find the faults of every schema of a policy."""
    policy = loaded.policy
    yield from _named(loaded, ("context",), policy.context, ours=False)
    yield from _named(loaded, ("attrs",), policy.attrs, ours=False)
    for name, fact in policy.facts.items():
        yield from _faults(loaded, ("facts", name, "schema"), fact.schema_, top=False, ours=False)
    for name, entry in (policy.tools or {}).items():
        yield from _named(loaded, ("tools", name, "args"), entry.args or {}, ours=True)
    for placed in rules_of(policy):
        if placed.tool is not None and placed.tool.args is not None:
            yield from _named(loaded, (*placed.path, "args"), placed.tool.args, ours=True)


def _named(
    loaded: LoadedPolicy, path: Path, schemas: Mapping[str, object], *, ours: bool
) -> Iterator[Fault]:
    for name, schema in schemas.items():
        yield from _faults(loaded, (*path, name), schema, top=True, ours=ours)


def _faults(
    loaded: LoadedPolicy, path: Path, schema: object, *, top: bool, ours: bool
) -> Iterator[Fault]:
    for found in check_schema(schema, top=top, allow_ours=ours):
        yield loaded.document.fault(
            (*path, *found.path),
            found.code,
            found.message,
            hint=found.hint or None,
            on_key=found.on_key,
        )
