"""`python -m policy_engine.adapters.openai_agents.example`: watch the desk, in two processes."""

import asyncio
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from agents import Runner, RunState

from policy_engine.adapters.openai_agents import apply_approvals
from policy_engine.adapters.openai_agents.example.desk import (
    SCRIPT,
    desk,
    handing_over,
    resumed_steps,
    says,
)
from policy_engine.adapters.openai_agents.example.talk import CUSTOMER, Talk

_FINANCE = {"id": "fiona", "roles": ["finance"]}


async def _talk() -> str:
    """Hold the conversation until a call waits for people; return the run, written down."""
    talk = Talk()
    talk.tell("a customer talks to a scripted agent; each decision is made by desk.yaml")
    history: list[Any] = []
    for text, steps in SCRIPT:
        talk.say("customer", text)
        agent = talk.guarded(desk(steps))
        given: Any = [*history, {"role": "user", "content": text}]
        result = await Runner.run(agent, given, run_config=talk.config)
        talk.show(result)
        history = result.to_input_list()
    written = result.to_state().to_string()
    talk.tell(f"the run is written down, {len(written):,} characters; this process ends")
    return written


async def _resume(written: str) -> None:
    """Go on in another process: people answer there, and the call is decided once more."""
    talk = Talk()
    agent = talk.guarded(desk((*resumed_steps(), *handing_over()), (says("Billing here."),)))
    state = await RunState.from_string(agent, written)
    session, principal = "example-1", CUSTOMER
    await apply_approvals(state, talk.guard, session=session, principal=principal)
    for waiting in talk.guard.approvals.pending():
        talk.tell(f"another process resumes it; fiona from finance approves {waiting.tool}")
        talk.guard.approvals.approve(waiting.id, by=_FINANCE, reason="the parcel was late")
    await apply_approvals(state, talk.guard, session=session, principal=principal)
    result = await Runner.run(agent, state, run_config=talk.config)
    talk.show(result)
    text = "And who can explain the invoice?"
    talk.say("customer", text)
    given: Any = [*result.to_input_list(), {"role": "user", "content": text}]
    talk.show(await Runner.run(agent, given, run_config=talk.config))


def main() -> int:
    """Play both halves; with a file as the argument, the second half alone."""
    if len(sys.argv) > 1:
        asyncio.run(_resume(Path(sys.argv[1]).read_text("utf-8")))
        return 0
    with TemporaryDirectory() as folder:
        state_file = Path(folder) / "run.json"
        state_file.write_text(asyncio.run(_talk()), "utf-8")
        sys.stdout.flush()
        command = [sys.executable, "-m", str(__package__), str(state_file)]
        return subprocess.run(command, check=False).returncode  # noqa: S603 - this very module


if __name__ == "__main__":
    sys.exit(main())
