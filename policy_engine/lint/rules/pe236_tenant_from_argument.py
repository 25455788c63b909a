"""A tenant that the model chooses.

What it does:
    Reports an argument such as `tenant_id` or `organization_id` of free form that no rule about
    the tool compares with `principal` or with a fact.

Why:
    Whoever asks on behalf of one customer reads the data of any other, by writing another id.

Fails:
    tools:
      get_orders: {args: {tenant_id: {type: string, pattern: '^[a-z0-9]{8}$'}}}

Passes:
    tools:
      get_orders:
        args: {tenant_id: {type: string, pattern: '^[a-z0-9]{8}$'}}
        rules:
          - {id: own, when: args.tenant_id != principal.tenant, effect: deny}

Fix:
    Compare it with `principal.tenant`, or let the tool take the tenant from the session.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.lint.places import SchemaAt, schemas
from policy_engine.lint.proof.schema import values_of
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject, named_by
from policy_engine.lint.words import names_in, words_of

__all__ = ["RULE"]

_TENANTS: Final = names_in(
    """
    tenant tenant_id tenant_name org_id organization_id organisation_id organization organisation
    customer_tenant workspace_tenant_id
    """
)


def _find(subject: Subject) -> Iterator[Found]:
    for place in schemas(subject):
        entry = place.entry
        if entry is None or entry.block.effect == "deny":
            continue
        if "_".join(words_of(place.name)) not in _TENANTS or _is_compared(subject, place):
            continue
        if values_of(place.schema).chosen is not None or place.schema.get("type") == "object":
            continue
        yield Found(
            place.policy,
            place.path,
            f'the model chooses "{place.name}", and no rule compares it with who asks',
            f"deny where `args.{place.argument} != principal.tenant`",
            on_key=True,
        )


def _is_compared(subject: Subject, place: SchemaAt) -> bool:
    assert place.entry is not None  # noqa: S101 - asked before
    for found in subject.rules_of(named_by(place.entry.name)):
        condition = found.compiled.condition
        reads = condition.reads if condition is not None else ()
        roots = {path[0] for path in reads}
        if any(path[:2] in {("args", place.argument), ("args",)} for path in reads) and roots & {
            "principal", "facts", "context",
        }:  # fmt: skip
            return True
        if any(path[0] == "facts" for path in reads):
            return True  # what was looked up with it may say whose it is
    return False


RULE: Final = LintRule("PE236", "tenant-from-argument", "warning", __doc__ or "", _find)
