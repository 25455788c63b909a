"""What cannot be mediated, all of it at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from policy_engine.errors import PolicyEngineError

__all__ = ["Gap", "UnmediatedError"]


@dataclass(frozen=True, slots=True, order=True)
class Gap:
    """One road past the policies."""

    agent: str
    what: str
    """The tool, handoff or server, as policies name it."""
    why: str
    """Lower-case, with what to do about it."""

    def __str__(self) -> str:
        return f'the agent "{self.agent}": "{self.what}" {self.why}'


class UnmediatedError(PolicyEngineError):
    """An agent graph has roads that no policy would see, so none of it is guarded."""

    def __init__(self, gaps: Sequence[Gap]) -> None:
        super().__init__(gaps)
        self.gaps = tuple(sorted(set(gaps)))
        """Every such road."""

    def __str__(self) -> str:
        count = len(self.gaps)
        closing = f"{count} {'gap' if count == 1 else 'gaps'}: no agent was guarded"
        return "\n".join([*map(str, self.gaps), closing])
