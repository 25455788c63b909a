"""`python -m policy_engine.adapters.openai_agents.example`: watch the desk, in four processes."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from agents import Runner, RunState

from policy_engine.adapters.openai_agents import apply_approvals
from policy_engine.adapters.openai_agents.example.desk import (
    SCRIPT,
    after_refund,
    desk,
    handing_over,
    says,
)
from policy_engine.adapters.openai_agents.example.talk import CUSTOMER, SESSION, Talk

_FINANCE = {"id": "fiona", "roles": ["finance"]}
_RUN: Final = "run.json"
"""The run that waits, in the folder beside the approvals and the state."""


async def _talk(folder: Path) -> None:
    """Hold the conversation until a call waits for people, and write the run down."""
    talk = Talk(folder)
    talk.tell("process 1: a customer talks to a scripted agent; desk.yaml makes each decision")
    history: list[Any] = []
    for text, steps in SCRIPT:
        talk.say("customer", text)
        agent = talk.guarded(desk(steps))
        given: Any = [*history, {"role": "user", "content": text}]
        result = await Runner.run(agent, given, run_config=talk.config)
        talk.show(result)
        history = result.to_input_list()
    written = result.to_state().to_string()
    (folder / _RUN).write_text(written, "utf-8")
    talk.tell(f"the run is written down, {len(written):,} characters; process 1 ends")


async def _answer(folder: Path) -> None:
    """Answer as a person of finance does, knowing nothing of the run."""
    talk = Talk(folder)
    for waiting in talk.guard.approvals.pending():
        asked = ", ".join(f"{name} {value}" for name, value in (waiting.args or {}).items())
        talk.tell(f"process 2: fiona from finance reads: {waiting.tool}, {asked}; she approves")
        talk.guard.approvals.approve(waiting.id, by=_FINANCE, reason="the parcel was late")


async def _resume(folder: Path) -> None:
    """Go on where the run was written down: the call is decided once more, and runs."""
    talk = Talk(folder)
    talk.tell("process 3: the run goes on")
    agent = talk.guarded(desk((*after_refund(), *handing_over()), (says("Billing here."),)))
    result = await _resumed(talk, agent, folder)
    talk.show(result)
    text = "And who can explain the invoice?"
    talk.say("customer", text)
    given: Any = [*result.to_input_list(), {"role": "user", "content": text}]
    talk.show(await Runner.run(agent, given, run_config=talk.config))


async def _again(folder: Path) -> None:
    """Try the same written run once more: the approval is used up, and the call has run."""
    talk = Talk(folder)
    talk.tell("process 4: somebody resumes the same run again")
    agent = talk.guarded(desk((says("You have your 180.00 already."),)))
    talk.show(await _resumed(talk, agent, folder))


async def _resumed(talk: Talk, agent: Any, folder: Path) -> Any:
    state = await RunState.from_string(agent, (folder / _RUN).read_text("utf-8"))
    await apply_approvals(state, talk.guard, session=SESSION, principal=CUSTOMER)
    return await Runner.run(agent, state, run_config=talk.config)


PARTS: Final[dict[str, Callable[[Path], Any]]] = {
    "talk": _talk,
    "answer": _answer,
    "resume": _resume,
    "again": _again,
}
"""What each process does, in their order."""


def main() -> int:
    """Play all parts, each in a process of its own; with a part and a folder, that part alone."""
    if len(sys.argv) > 1:
        asyncio.run(PARTS[sys.argv[1]](Path(sys.argv[2])))
        return 0
    with TemporaryDirectory() as folder:
        for part in PARTS:
            command = [sys.executable, "-m", str(__package__), part, folder]
            code = subprocess.run(command, check=False).returncode  # noqa: S603 - this very module
            if code:
                return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
