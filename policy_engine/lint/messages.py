"""What rules and limits say of themselves, to the model and to the reader."""

from policy_engine.policy import Limit
from policy_engine.policy.rule import Rule

__all__ = ["spoken"]


def spoken(one: Rule | Limit) -> str:
    """Return the words of a rule's id, its message and its description, a line each."""
    return "\n".join((one.id.replace("-", " "), one.message or "", one.description or ""))
