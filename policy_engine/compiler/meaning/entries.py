"""What goes together in entries, and sections that say nothing."""

from collections.abc import Iterator

from policy_engine.compiler.meaning.places import fault
from policy_engine.compiler.meaning.rules import approval_faults
from policy_engine.compiler.names import is_glob
from policy_engine.errors import Fault
from policy_engine.policy import Block, LoadedPolicy

__all__ = ["entry_faults"]


def entry_faults(loaded: LoadedPolicy) -> Iterator[Fault]:
    """Find entries that could never do what they say."""
    policy = loaded.policy
    for section in ("tools", "handoffs", "models"):
        if getattr(policy, section) == {}:
            message = f'"{section}" names nothing'
            hint = f'name what is allowed; to deny all of them, write `{section}: {{"*": deny}}`'
            yield loaded.document.fault((section,), "PE020", message, hint=hint, on_key=True)
    blocks: dict[str, dict[str, Block]] = {
        "tools": dict(policy.tools or {}),
        "handoffs": dict(policy.handoffs or {}),
    }
    for section, entries in blocks.items():
        for name, entry in entries.items():
            path = (section, name)
            yield from approval_faults(loaded, path, entry.effect, entry.approval, "the entry")
            if entry.effect == "deny":
                yield from _denied(loaded, section, name, entry)
    for name in policy.prices:
        if is_glob(name):
            message = f'a price is for one model, not for a glob: "{name}"'
            yield loaded.document.fault(
                ("prices", name), "PE009", message, hint="write each model out", on_key=True
            )
    if policy.applies_to is not None and not policy.applies_to.model_fields_set:
        message = '"applies_to" names nobody'
        hint = "name agents, roles or tenants; omit it if the policy is for every request"
        yield fault(loaded, ("applies_to",), "PE020", message, hint)


def _denied(loaded: LoadedPolicy, section: str, name: str, entry: Block) -> Iterator[Fault]:
    for key in ("rules", "result", "labels", "timeout"):
        if getattr(entry, key, None):
            message = f'"{key}" does nothing in an entry that denies'
            hint = "remove it, or let the entry allow"
            yield loaded.document.fault(
                (section, name, key), "PE020", message, hint=hint, on_key=True
            )
