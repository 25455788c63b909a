"""The conversation, with the decisions in it."""

import json
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from agents import RunResult, set_tracing_disabled

from policy_engine.adapters.openai_agents import guard_agent, run_config
from policy_engine.adapters.openai_agents.scope import PolicyRunConfig
from policy_engine.approvals import SqliteApprovals
from policy_engine.decision import CODES
from policy_engine.guard import Guard
from policy_engine.state import SqliteState

__all__ = ["CUSTOMER", "SESSION", "Talk"]

CUSTOMER: Final = {"id": "C-300400", "roles": ["customer"]}
SESSION: Final = "example-1"
_SHOWN: Final = ("tool_call", "handoff")
_MARKS: Final = {"allow": "✓", "redact": "✎", "require_approval": "?", "deny": "✗"}
_WORDS: Final = {
    "allow": "permitted",
    "redact": "permitted after redaction",
    "require_approval": "waits for people",
    "deny": "denied",
}


class Talk:
    """One process of the example: a guard, and what it decided so far.

    Args:
        folder: Where approvals and state are kept, for all processes.
    """

    def __init__(self, folder: Path) -> None:
        set_tracing_disabled(True)
        self._decided: list[dict[str, Any]] = []
        policy = files("policy_engine.adapters.openai_agents") / "example" / "desk.yaml"
        self.guard = Guard.from_path(
            str(policy),
            records=self._note,
            approvals=SqliteApprovals(folder / "approvals.db"),
            state=SqliteState(folder / "state.db"),
        )

    @property
    def config(self) -> PolicyRunConfig:
        """The configuration of every run: who asks does not change."""
        return run_config(self.guard, session=SESSION, principal=CUSTOMER)

    def guarded(self, agent: Any) -> Any:
        """Return an agent, guarded."""
        return guard_agent(agent, self.guard)

    def say(self, who: str, text: str) -> None:
        """Print a line of the conversation."""
        sys.stdout.write(f"{who + ':':<11}{text}\n")

    def tell(self, text: str) -> None:
        """Print what happens beside the conversation."""
        sys.stdout.write(f"\n-- {text}\n\n")

    def show(self, result: RunResult) -> None:
        """Print what was decided, and what became of it."""
        for line in self._lines():
            sys.stdout.write(f"           {line}\n")
        for item in result.new_items:
            if item.type == "tool_call_output_item":
                sys.stdout.write(f"           the model reads: {item.output}\n")
        if result.final_output is not None:
            self.say(str(result.last_agent.name), str(result.final_output))

    def _note(self, record: bytes) -> None:
        found = json.loads(record)
        if found["kind"] == "decision":
            self._decided.append(found)

    def _lines(self) -> Iterator[str]:
        decided, self._decided = self._decided, []
        for record in decided:
            if record["stage"] not in _SHOWN and record["effect"] == "allow":
                continue
            effect = record["effect"]
            name = record["tool"] or record["target"] or record["stage"]
            told = zip(record["rules"], record["codes"], strict=True)
            rule, code = next(iter(told), ("", ""))
            yield f"{_MARKS[effect]} {name}: {_WORDS[effect]} by {rule} ({CODES.get(code, code)})"
