"""One process of a desk whose approvals and state are files: `python desk_process.py WHAT FOLDER`.

What it did it prints as a line of JSON; what it paid stands in `paid.txt`.
"""

import asyncio
import json
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agents import Agent, Runner, RunState, function_tool, set_tracing_disabled
from agents.testing import ScriptedModel, assistant_message, function_call

from policy_engine.adapters.openai_agents import apply_approvals, guard_agent, run_config
from policy_engine.approvals import SqliteApprovals
from policy_engine.guard import Guard
from policy_engine.state import SqliteState

WHO = {"id": "u1", "roles": ["support"]}
RUNS = 4
POLICY = {
    "policy": "desk",
    "language": 1,
    "tools": {
        "read": {"labels": ["untrusted"]},
        "send": "allow",
        "refund": {
            "args": {"order": {"type": "string"}, "amount": {"type": "number"}},
            "rules": [
                {
                    "id": "finance-approves",
                    "when": "args.amount > 100",
                    "effect": "require_approval",
                    "approval": {"approvers": ["finance"], "expires": "1h"},
                    "message": "Finance has to approve.",
                }
            ],
        },
    },
    "rules": [
        {
            "id": "no-exfiltration",
            "tools": ["send"],
            "when": '"untrusted" in session.labels',
            "effect": "deny",
            "message": "Not after reading a page.",
        }
    ],
    "limits": [{"id": "once", "tools": ["refund"], "max": 1, "by": ["session"]}],
}


class Process:
    """What one process has."""

    def __init__(self, folder):
        self.folder = folder
        shift = timedelta(seconds=float(os.environ.get("SHIFT", "0")))

        def clock():
            return datetime.now(UTC) + shift

        policy = folder / "policy.yaml"
        if not policy.exists():
            policy.write_text(json.dumps(POLICY, indent=1))
        self.guard = Guard.from_path(
            policy,
            records=folder / "records.jsonl",
            approvals=SqliteApprovals(folder / "approvals.db", clock=clock),
            state=SqliteState(folder / "state.db"),
            clock=clock,
        )

    def agent(self, *steps):
        @function_tool
        def refund(order: str, amount: float) -> str:
            with (self.folder / "paid.txt").open("a") as file:
                file.write(f"{order} {amount:g}\n")
            return "paid"

        @function_tool
        def read(url: str) -> str:
            return "a page"

        @function_tool
        def send(text: str) -> str:
            return "sent"

        made = Agent(name="desk", model=ScriptedModel(steps), tools=[refund, read, send])
        return guard_agent(made, self.guard)

    async def pause(self):
        """Leave runs that wait, each in a session of its own."""
        for number in range(RUNS):
            asked = {"order": f"O-{number}", "amount": 200}
            agent = self.agent(
                [function_call("read", '{"url": "x"}', call_id=f"r{number}")],
                [function_call("refund", json.dumps(asked), call_id=f"c{number}")],
            )
            result = await Runner.run(agent, "refund!", run_config=self.config(number))
            text = result.to_state().to_string()
            (self.folder / f"run-{number}.json").write_text(text)
        return len(self.guard.approvals.pending())

    def config(self, number):
        return run_config(self.guard, session=f"s{number}", principal=WHO)

    async def answer(self, how):
        for waiting in self.guard.approvals.pending():
            getattr(self.guard.approvals, how)(waiting.id, by={"id": "f1", "roles": ["finance"]})
        return len(self.guard.approvals.pending())

    async def resume(self, number=0, *, bare=False):
        """Go on with a run; afterwards its model wants another refund, and to send something."""
        more = json.dumps({"order": "MORE", "amount": 5})
        agent = self.agent(
            [
                function_call("refund", more, call_id=f"d{number}"),
                function_call("send", '{"text": "x"}', call_id=f"e{number}"),
            ],
            [assistant_message("done")],
        )
        text = (self.folder / f"run-{number}.json").read_text()
        try:
            state = await RunState.from_string(agent, text)
            if bare:
                state.approve(state.get_interruptions()[0], always_approve=True)
            else:
                who = {"session": f"s{number}", "principal": WHO}
                await apply_approvals(state, self.guard, **who)
            result = await Runner.run(agent, state, run_config=self.config(number))
        except Exception as error:  # noqa: BLE001 - the SDK may refuse a state by itself
            return {"error": type(error).__name__}
        outputs = [i.output for i in result.new_items if i.type == "tool_call_output_item"]
        return {"outputs": outputs, "waiting": len(result.interruptions)}

    async def race(self, other):
        """Resume each run at the same time as another process."""
        found = []
        for number in range(RUNS):
            mine = self.folder / f"ready-{number}-{os.getpid()}"
            mine.touch()
            until = time.monotonic() + 60
            while len(list(self.folder.glob(f"ready-{number}-*"))) < int(other) + 1:
                if time.monotonic() > until:
                    raise TimeoutError
                await asyncio.sleep(0.001)
            found.append(await self.resume(number))
        return found


def main():
    set_tracing_disabled(True)
    what, folder, *rest = sys.argv[1:]
    process = Process(Path(folder))
    called = {
        "pause": process.pause,
        "approve": lambda: process.answer("approve"),
        "reject": lambda: process.answer("reject"),
        "resume": process.resume,
        "bare": lambda: process.resume(bare=True),
        "race": lambda: process.race(*rest),
    }[what]
    sys.stdout.write(json.dumps(asyncio.run(called())) + "\n")


if __name__ == "__main__":
    main()
