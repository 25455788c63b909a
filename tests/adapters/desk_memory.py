"""One process of a desk that keeps its talks in SDK sessions: `python desk_memory.py WHAT FOLDER`.

What its model was sent last it prints as a line of JSON.
"""

import asyncio
import json
import sys
from pathlib import Path

from agents import Agent, Runner, RunState, SQLiteSession, function_tool, set_tracing_disabled
from agents.testing import ScriptedModel, assistant_message, function_call

from policy_engine.adapters.openai_agents import apply_approvals, guard_agent, run_config
from policy_engine.approvals import SqliteApprovals
from policy_engine.guard import Guard
from policy_engine.state import SqliteState

WHO = {"id": "u1", "roles": ["support"]}
PAGE = "A page about acme. " * 20
POLICY = {
    "policy": "desk",
    "language": 1,
    "input": [
        {"id": "too-long", "check": {"size": {"max_chars": 200}}, "effect": "deny"},
        {"id": "names", "check": {"terms": {"any": ["acme"]}}, "effect": "redact"},
    ],
    "tools": {
        "read": "allow",
        "pay": {"effect": "require_approval", "approval": {"approvers": ["f"], "expires": "1h"}},
    },
}


@function_tool
def read() -> str:
    return PAGE


@function_tool
def pay() -> str:
    return "paid to acme"


async def go(what, folder):
    policy = folder / "policy.yaml"
    policy.write_text(json.dumps(POLICY, indent=1))
    guard = Guard.from_path(
        policy,
        records=folder / "records.jsonl",
        approvals=SqliteApprovals(folder / "approvals.db"),
        state=SqliteState(folder / "state.db"),
    )
    steps = {
        "ask": [[function_call("read", "{}", call_id="r")], [assistant_message("acme it is")]],
        "go on": [[assistant_message("as I said")]],
        "pause": [
            [function_call("read", "{}", call_id="q")],
            [function_call("pay", "{}", call_id="p")],
        ],
        "resume": [[assistant_message("done")]],
    }[what]
    model = ScriptedModel(steps)
    agent = guard_agent(Agent(name="desk", model=model, tools=[read, pay]), guard)
    config = run_config(guard, session="s1", principal=WHO)
    memory = SQLiteSession("s1", folder / "memory.db")
    given, file = f"{what}, for acme", folder / "run.json"
    if what == "resume":
        for waiting in guard.approvals.pending():
            guard.approvals.approve(waiting.id, by={"id": "f1", "roles": ["f"]})
        given = await RunState.from_string(agent, file.read_text())
        await apply_approvals(given, guard, session="s1", principal=WHO)
    result = await Runner.run(agent, given, run_config=config, session=memory)
    if what == "pause":
        file.write_text(result.to_state().to_string())
    return model.calls[-1].input


if __name__ == "__main__":
    set_tracing_disabled(True)
    sys.stdout.write(json.dumps(asyncio.run(go(sys.argv[1], Path(sys.argv[2])))) + "\n")
