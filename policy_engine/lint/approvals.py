"""The approvals of a policy set, and where they stand."""

from collections.abc import Iterator
from dataclasses import dataclass

from policy_engine.lint.subject import Subject
from policy_engine.policy import Approval, Block, LoadedPolicy
from policy_engine.source import Path

__all__ = ["PlacedApproval", "approvals", "message_beside"]


@dataclass(frozen=True, slots=True)
class PlacedApproval:
    """Who may lift something, and where that is said."""

    policy: LoadedPolicy
    path: Path
    approval: Approval
    names: tuple[str, ...] = ()
    """The tools or the agents that it is about."""


def approvals(subject: Subject) -> Iterator[PlacedApproval]:
    """Go through the approvals of entries and rules."""
    for loaded in subject.policies:
        policy = loaded.policy
        blocks: dict[str, dict[str, Block]] = {
            "tools": dict(policy.tools or {}),
            "handoffs": dict(policy.handoffs or {}),
        }
        for section, entries in blocks.items():
            for name, block in entries.items():
                if block.approval is not None:
                    place: Path = (section, name, "approval")
                    yield PlacedApproval(loaded, place, block.approval, (name,))
    for found in subject.conditions:
        approval = found.placed.rule.approval
        if approval is not None:
            path = (*found.placed.path, "approval")
            yield PlacedApproval(found.policy, path, approval, subject.covered(found))


def message_beside(data: object, path: Path) -> str:
    """Return the message beside an approval; empty where there is none."""
    for step in path[:-1]:
        if isinstance(data, dict):
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int):
            data = data[step]
    message = data.get("message") if isinstance(data, dict) else None
    return message if isinstance(message, str) else ""
