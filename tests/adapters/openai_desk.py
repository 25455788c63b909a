"""A desk for the adapter's tests: a guard of given policies, its records, and scripted models."""

import asyncio
import itertools
import json
from dataclasses import dataclass, field

import agents
from agents import Agent, Runner, function_tool
from agents.testing import ModelStep, ScriptedModel, assistant_message, function_call
from openai.types.responses import Response, ResponseCompletedEvent

from policy_engine.adapters.openai_agents import guard_agent, run_config
from policy_engine.guard import Guard

agents.set_trace_processors([])

WHO = {"id": "u1", "roles": ["support"]}
_IDS = itertools.count()


@dataclass
class Desk:
    """A guard, and what it recorded."""

    guard: Guard
    records: list = field(default_factory=list)

    def decisions(self, stage=None):
        """Return (stage, tool, target or model; effect; rules) of each decision's record."""
        return [
            (
                r["stage"],
                r.get("tool") or r.get("target") or r.get("model"),
                r["effect"],
            )
            for r in self.records
            if r["kind"] == "decision" and stage in (None, r["stage"])
        ]

    def config(self, **settings):
        settings.setdefault("session", "s1")
        settings.setdefault("principal", WHO)
        return run_config(self.guard, **settings)

    def run(self, agent, text="hello", *, config=None, **settings):
        """Run an agent to its end."""
        guarded = guard_agent(agent, self.guard)
        config = self.config() if config is None else config
        return asyncio.run(Runner.run(guarded, text, run_config=config, **settings))

    def stream(self, agent, text="hello", *, config=None, **settings):
        """Run an agent streamed; return its events and the result, or raise."""
        guarded = guard_agent(agent, self.guard)
        config = self.config() if config is None else config
        events = []

        async def go():
            running = Runner.run_streamed(guarded, text, run_config=config, **settings)
            try:
                async for event in running.stream_events():
                    events.append(event)  # noqa: PERF401 - what came before an error counts
            finally:
                self.events = events
            return running

        return asyncio.run(go()), events


def desk_of(tmp_path, *policies, **settings):
    """Return a desk whose policies are given as mappings without `language`."""
    folder = tmp_path / f"policies-{next(_IDS)}"
    folder.mkdir()
    for number, policy in enumerate(policies):
        whole = {"policy": f"p{number}", "language": 1, **policy}
        (folder / f"{number}.yaml").write_text(json.dumps(whole, indent=1))
    records = []
    guard = Guard.from_path(
        folder, records=lambda line: records.append(json.loads(line)), **settings
    )
    return Desk(guard, records)


def say(text):
    """Return a model's step that says something."""
    return [assistant_message(text)]


def call(name, args="{}", call_id=None, text=None):
    """Return a model's step that calls a tool, beside a text where one is given."""
    given = args if isinstance(args, str) else json.dumps(args)
    item = function_call(name, given, call_id=call_id or f"call-{next(_IDS)}")
    return [item] if text is None else [assistant_message(text), item]


def scripted(*steps):
    """Return a model that says what it is told to."""
    return ScriptedModel(steps)


def whole(output):
    """Return a model's step that streams one event: the SDK streams no items of some kinds."""
    response = Response.model_construct(
        id="r", created_at=1, model="m", object="response", output=output, usage=None
    )

    async def events(asked):
        yield ResponseCompletedEvent.model_construct(
            type="response.completed", sequence_number=0, response=response
        )

    return ModelStep.stream(events)


def outputs(result):
    """Return what the tools' outputs were, as the model reads them."""
    return [item.output for item in result.new_items if item.type == "tool_call_output_item"]


def refund_tool(calls):
    """Return a tool with a default, and note what it is called with."""

    @function_tool
    def refund(order: str, amount: float, note: str = "none") -> str:
        calls.append((order, amount, note))
        return f"refunded {amount:g} for {order}"

    return refund


def agent_of(model, *, name="triage", **settings):
    """Return an agent."""
    return Agent(name=name, model=model, **settings)
