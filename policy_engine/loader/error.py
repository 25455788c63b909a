"""What a model says against a place, and what is said of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policy_engine.loader.fields import field_at
from policy_engine.source import Path

__all__ = ["Said", "ShapeError", "manual"]


@dataclass(frozen=True, slots=True)
class ShapeError:
    """What a model says against a place."""

    kind: str
    path: Path
    on_key: bool
    value: Any
    context: Mapping[str, Any]
    message: str

    @property
    def key(self) -> str:
        """The key in question."""
        return next((str(step) for step in reversed(self.path) if isinstance(step, str)), "policy")

    @property
    def subject(self) -> str:
        """What to call the place in a sentence."""
        item = bool(self.path) and isinstance(self.path[-1], int)
        return f'each item of "{self.key}"' if item else f'"{self.key}"'


@dataclass(frozen=True, slots=True)
class Said:
    """A fault without its place."""

    code: str
    message: str
    hint: str | None = None
    on_key: bool = False
    """Whether the key is the culprit, rather than its value."""


def manual(error: ShapeError) -> str | None:
    """Quote what the manual says of the field."""
    field = field_at(error.path)
    return None if field is None or not field.description else f"{error.key}: {field.description}"
