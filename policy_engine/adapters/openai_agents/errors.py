"""What cannot be mediated, all of it at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from agents import UserError

from policy_engine.errors import PolicyEngineError

__all__ = ["Gap", "ManagedError", "UnmediatedError"]

_MANAGED: Final = (
    "the provider keeps this conversation (conversation_id, previous_response_id), and the SDK "
    "takes no output guardrails there: make the configuration with "
    "run_config(guard, …, server_managed=True), which an agent behind a tool is given by "
    "as_tool(…, run_config=run_config(…)); what models say is judged all the same"
)


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


class ManagedError(UserError):
    """A conversation is kept by the provider, and the run's configuration does not say so."""

    def __init__(self) -> None:
        super().__init__(_MANAGED)


class UnmediatedError(PolicyEngineError):
    """An agent graph has roads that no policy would see, so none of it is guarded.

    Args:
        gaps: The roads.
        outcome: What comes of it.
    """

    def __init__(self, gaps: Iterable[Gap], outcome: str = "no agent was guarded") -> None:
        found = tuple(sorted(set(gaps)))
        super().__init__(found, outcome)
        self.gaps = found
        """Every such road."""
        self._outcome = outcome

    def __str__(self) -> str:
        count = len(self.gaps)
        closing = f"{count} {'gap' if count == 1 else 'gaps'}: {self._outcome}"
        return "\n".join([*map(str, self.gaps), closing])
