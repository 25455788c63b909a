"""Graphs and models of chance: before each side effect stands a decision for those arguments."""

import asyncio
import contextlib
import json
import random

import pytest
from agents import (
    Agent,
    ApplyPatchTool,
    CustomTool,
    FunctionTool,
    MaxTurnsExceeded,
    Model,
    ModelBehaviorError,
    ModelResponse,
    Runner,
    ShellTool,
    Usage,
    UserError,
)
from agents.editor import ApplyPatchResult
from agents.testing import assistant_message, function_call
from openai.types.responses import (
    ResponseApplyPatchToolCall,
    ResponseCustomToolCall,
    ResponseFunctionShellToolCall,
)
from openai_desk import WHO, desk_of
from test_openai_native import Shop

from policy_engine.adapters.openai_agents import apply_approvals, guard_agent
from policy_engine.guard import Denied

NUMBER = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
POLICY = {
    "tools": {
        "plain_*": {"args": {"n": {"type": "integer", "maximum": 5}}},
        "asked_*": {
            "args": {"n": {"type": "integer", "maximum": 8}},
            "rules": [
                {
                    "id": "ask",
                    "when": "args.n > 3",
                    "effect": "require_approval",
                    "approval": {"approvers": ["finance"], "expires": "1h"},
                }
            ],
        },
        "ask_*": "allow",
        "shop/buy": {
            "args": {"item": {"type": "string"}, "count": {"type": "integer", "maximum": 2}}
        },
        "shell": {
            "args": {"commands": {"type": "array", "items": {"type": "string", "pattern": "^ls"}}}
        },
        "apply_patch": {
            "args": {
                "type": {"type": "string"},
                "path": {"type": "string", "pattern": "^src/"},
                "diff": {"type": "string", "optional": True},
            }
        },
        "query": {"args": {"input": {"type": "string", "pattern": "^SELECT"}}},
    },
    "handoffs": {"agent_0": "allow", "agent_1": "allow", "agent_2": "deny"},
    "limits": [{"id": "few", "tools": ["plain_*"], "max": 4, "by": ["session"]}],
}

ENDS = (MaxTurnsExceeded, Denied, ModelBehaviorError, UserError)
"""How a run may end beside its end."""


class Restless(Model):
    """A model that tries whatever comes to its mind, offered or not."""

    model = "restless"

    def __init__(self, chance, count):
        self.chance = chance
        self.count = count

    async def get_response(self, *args, **kwargs):
        items = [self.act() for _ in range(self.chance.randint(1, 4))]
        if self.chance.random() < 0.2:
            items = [assistant_message("done")]
        usage = Usage(requests=1, input_tokens=1, output_tokens=1, total_tokens=2)
        return ModelResponse(output=items, usage=usage, response_id=None)

    def stream_response(self, *args, **kwargs):
        raise NotImplementedError

    def act(self):
        chance = self.chance
        identity = f"call_{chance.getrandbits(64):x}"
        n = chance.randint(0, 10)
        kind = chance.choice(
            ["plain", "asked", "ask", "hand", "mcp", "shell", "patch", "custom", "made"]
        )
        at = chance.randrange(self.count)
        if kind == "shell":
            action = {"commands": [chance.choice(["ls -l", "rm -rf x"])]}
            return ResponseFunctionShellToolCall.model_validate(
                {
                    "id": identity,
                    "type": "shell_call",
                    "call_id": identity,
                    "status": "completed",
                    "action": action,
                }
            )
        if kind == "patch":
            operation = {
                "type": "create_file",
                "path": chance.choice(["src/a", "etc/a"]),
                "diff": "+x",
            }
            return ResponseApplyPatchToolCall.model_validate(
                {
                    "type": "apply_patch_call",
                    "id": identity,
                    "call_id": identity,
                    "status": "completed",
                    "operation": operation,
                }
            )
        if kind == "custom":
            text = chance.choice(["SELECT 1", "DROP x"])
            return ResponseCustomToolCall(
                type="custom_tool_call", call_id=identity, name="query", input=text
            )
        name, args = {
            "plain": (f"plain_{at}", {"n": n}),
            "asked": (f"asked_{at}", {"n": n}),
            "ask": (f"ask_{at}", {"input": "x"}),
            "hand": (f"transfer_to_agent_{at}", {}),
            "mcp": (
                chance.choice(["buy", "steal"]),
                {"item": "tea", "count": chance.randint(1, 4)},
            ),
            "made": (f"invented_{n}", {"n": n}),
        }[kind]
        return function_call(name, json.dumps(args), call_id=identity)


class World:
    """A graph of chance whose side effects check that they were permitted."""

    def __init__(self, seed, tmp_path):
        self.chance = random.Random(seed)
        self.desk = desk_of(tmp_path, POLICY)
        self.effects = []
        self.asked = []
        self.broken = []
        self._watch()

    def _watch(self):
        """Note each permitted call as it is recorded, with the arguments that it was about."""
        state = self.desk.guard.state
        commit = state.commit

        def noted(decision, now):
            hold = commit(decision, now)
            if hold is not None and decision.permitted and decision.asked.stage == "tool_call":
                self.asked.append((decision.asked.tool, canonical(decision.request.args)))
            return hold

        state.commit = noted

    def act(self, tool, args):
        """A side effect: there must be a decision for it that nothing else has used."""
        key = (tool, canonical(args))
        # The SDK turns what some tools raise into text, so it is kept here and not raised.
        if key not in self.asked:
            self.broken.append(f"{key} ran without a decision")
            return
        self.asked.remove(key)
        self.effects.append(key)
        recorded = [r for r in self.desk.records if r["kind"] == "decision" and r["tool"] == tool]
        if not any(r["permitted"] for r in recorded):
            self.broken.append(f"{key} ran before its record was written")

    def function(self, name):
        async def invoke(context, text):
            self.act(name, json.loads(text))
            return "ok"

        return FunctionTool(
            name=name,
            description="",
            params_json_schema=NUMBER,
            on_invoke_tool=invoke,
            strict_json_schema=False,
        )

    def native(self):
        world = self

        class Editor:
            def create_file(self, operation):
                args = {"type": operation.type, "path": operation.path, "diff": operation.diff}
                world.act("apply_patch", args)
                return ApplyPatchResult(status="completed", output="ok")

            update_file = delete_file = create_file

        async def query(context, text):
            world.act("query", {"input": text})
            return "ok"

        def shell(request):
            world.act("shell", {"commands": list(request.data.action.commands)})
            return "ok"

        return [
            ShellTool(executor=shell),
            ApplyPatchTool(editor=Editor()),
            CustomTool(name="query", description="", on_invoke_tool=query),
        ]

    def shop(self):
        world = self

        class Watched(Shop):
            async def call_tool(self, tool_name, arguments, meta=None):
                world.act(f"shop/{tool_name}", arguments)
                return await super().call_tool(tool_name, arguments, meta)

        return Watched()

    def graph(self):
        """Agents whose handoffs may run in circles, and who ask each other as tools."""
        count = self.chance.randint(1, 3)
        model = Restless(self.chance, count)
        agents = []
        for number in range(count):
            tools = [self.function(f"plain_{number}"), self.function(f"asked_{number}")]
            if self.chance.random() < 0.6:
                tools.extend(self.native())
            servers = [self.shop()] if self.chance.random() < 0.5 else []
            tools.extend(
                before.as_tool(f"ask_{before.name[-1]}", "", max_turns=3)
                for before in agents
                if self.chance.random() < 0.5
            )
            agents.append(
                Agent(name=f"agent_{number}", model=model, tools=tools, mcp_servers=servers)
            )
        for agent in agents:
            agent.handoffs = [other for other in agents if self.chance.random() < 0.6]
        return guard_agent(agents[-1], self.desk.guard)

    async def go(self):
        """Run, let people answer as they like, and go on."""
        agent = self.graph()
        given = "x"
        for _ in range(3):
            result = await Runner.run(agent, given, run_config=self.desk.config(), max_turns=6)
            if not result.interruptions:
                return
            self.answer()
            given = result.to_state()
            await apply_approvals(given, self.desk.guard, session="s1", principal=WHO)
            for item in given.get_interruptions():
                if self.chance.random() < 0.5:
                    given.approve(item, always_approve=self.chance.random() < 0.5)

    def answer(self):
        for waiting in self.desk.guard.approvals.pending():
            said = self.chance.choice(["approve", "reject", "wait"])
            if said != "wait":
                answer = getattr(self.desk.guard.approvals, said)
                answer(waiting.id, by={"id": "f1", "roles": ["finance"]})


def canonical(args):
    return json.dumps(args, sort_keys=True)


@pytest.mark.parametrize("seed", range(60))
def test_nothing_acts_without_a_decision_for_its_arguments(seed, tmp_path):
    world = World(seed, tmp_path)
    with contextlib.suppress(*ENDS):
        asyncio.run(world.go())
    assert world.broken == []
    for tool, args in world.effects:
        given = json.loads(args)
        assert given.get("n", 0) <= (5 if tool.startswith("plain") else 8)
        assert "rm" not in args
        assert "DROP" not in args
        assert "etc/" not in args
        assert tool != "shop/steal"
    assert sum(tool.startswith("plain_") for tool, _ in world.effects) <= 4


def test_the_graphs_of_chance_do_act(tmp_path):
    found = set()
    for seed in range(60):
        folder = tmp_path / str(seed)
        folder.mkdir()
        world = World(seed, folder)
        with contextlib.suppress(*ENDS):
            asyncio.run(world.go())
        found |= {tool.rsplit("_", 1)[0] for tool, _ in world.effects}
    assert found >= {"plain", "asked", "shop/buy", "shell", "apply", "query"}
