"""What is attached is what runs: agents of any class, one guard each, and what is changed later."""

import asyncio
import copy
import dataclasses
from abc import ABC, abstractmethod
from typing import Generic, TypeVar

import pytest
from agents import (
    Agent,
    AgentHooks,
    ApplyPatchTool,
    AsyncComputer,
    ComputerTool,
    CustomTool,
    Handoff,
    HostedMCPTool,
    LocalShellTool,
    ModelSettings,
    RunConfig,
    Runner,
    RunState,
    ShellTool,
    WebSearchTool,
    function_tool,
    handoff,
)
from openai_desk import agent_of, call, desk_of, outputs, refund_tool, say, scripted
from test_openai_native import Shop, shell_call

from policy_engine.adapters.openai_agents import UnmediatedError, guard_agent
from policy_engine.guard import Denied

OPEN = {"tools": {"*": "allow"}, "handoffs": {"*": "allow"}}
CHANGED = "was changed after guard_agent(): change it before"
ADDED = "was added after guard_agent(): add it before"


@function_tool
def ping() -> str:
    return "pong"


def run(desk, agent, config=None):
    return asyncio.run(Runner.run(agent, "hello", run_config=config or desk.config()))


# Agents of any class


class Desk(Agent):
    """Makes itself of other arguments than an agent."""

    def __init__(self, department, *tools):
        model = scripted(call("ping"), say(f"from {department}"))
        super().__init__(name=f"{department}-desk", model=model, tools=list(tools))
        self.department = department

    def told(self):
        return self.department


class Slotted(Desk):
    __slots__ = ("floor", "never_set")

    def __init__(self, department, *tools):
        super().__init__(department, *tools)
        self.floor = 3


class Fixed(Desk):
    """Lets nothing be set twice, once it is made."""

    made = False

    def __init__(self, department, *tools):
        super().__init__(department, *tools)
        self.made = True

    def __setattr__(self, name, value):
        if self.made:
            raise AttributeError(f"{name} is fixed")
        super().__setattr__(name, value)


@dataclasses.dataclass
class Fielded(Agent):
    department: str = ""
    seen: list = dataclasses.field(default_factory=list, init=False)
    floor: dataclasses.InitVar[int] = 0

    def __post_init__(self, floor):
        super().__post_init__()
        self.seen.append(floor)


class Registered(Desk, ABC):
    """Wants its subclasses to say something, and to do something."""

    known = []  # noqa: RUF012 - the test looks into it

    def __init_subclass__(cls, *, floor, **rest):
        super().__init_subclass__(**rest)
        cls.known.append(floor)

    @abstractmethod
    def act(self): ...


class First(Registered, floor=1):
    def act(self):
        return "acted"


T = TypeVar("T")


class Typed(Agent[T], Generic[T]):
    department = "typed"


class Subtyped(Typed[dict]):
    pass


@pytest.mark.parametrize("kind", [Desk, Slotted, Fixed, First])
def test_an_agent_that_makes_itself_is_guarded_with_all_that_it_has(tmp_path, kind):
    desk = desk_of(tmp_path, {"tools": {"other": "allow"}})
    agent = kind("sales", ping)
    if kind is not Fixed:
        agent.later = ["later"]
    guarded = guard_agent(agent, desk.guard)
    assert isinstance(guarded, kind)
    assert guarded.told() == "sales"
    assert vars(agent).get("later") is vars(guarded).get("later")
    result = run(desk, guarded)
    assert (result.final_output, outputs(result)) == (
        "from sales",
        ["This tool is not permitted."],
    )
    assert Registered.known == [1]


def test_what_stands_in_slots_is_copied(tmp_path):
    guarded = guard_agent(Slotted("sales"), desk_of(tmp_path, OPEN).guard)
    assert guarded.floor == 3
    assert not hasattr(guarded, "never_set")


def test_a_dataclass_of_an_agent_is_guarded(tmp_path):
    desk = desk_of(tmp_path, OPEN)
    agent = Fielded(name="f", department="sales", floor=2, model=scripted(say("x"), say("y")))
    agent.seen.append("later")
    guarded = guard_agent(agent, desk.guard)
    assert (guarded.department, guarded.seen) == ("sales", [2, "later"])
    assert run(desk, guarded).final_output == "x"
    clone = guarded.clone(department="billing", floor=4)
    assert (clone.department, run(desk, clone).final_output) == ("billing", "y")


@pytest.mark.parametrize("kind", [Agent[dict], Typed[dict], Subtyped, Typed])
def test_an_agent_of_a_generic_class_is_guarded(tmp_path, kind):
    desk = desk_of(tmp_path, OPEN)
    guarded = guard_agent(kind(name="g", model=scripted(say("x"))), desk.guard)
    assert run(desk, guarded).final_output == "x"


def test_a_property_that_can_be_set_stays_one(tmp_path):
    class Told(Agent):
        @property
        def instructions(self):
            return f"Be {self.manner}."

        @instructions.setter
        def instructions(self, value):
            self.manner = value

    desk, model = desk_of(tmp_path, OPEN), scripted(say("x"))
    run(desk, guard_agent(Told(name="p", instructions="kind", model=model), desk.guard))
    assert model.calls[0].system_instructions == "Be kind."


COMPUTED = {
    "tools": [],
    "handoffs": [],
    "hooks": None,
    "model": "gpt-5",
    "model_settings": ModelSettings(),
    "tool_use_behavior": "stop_on_first_tool",
}


@pytest.mark.parametrize("name", COMPUTED)
def test_what_a_class_computes_cannot_be_guarded_and_is_said(tmp_path, name):
    computed = property(lambda self: COMPUTED[name], lambda self, value: None)
    agent = type("Odd", (Agent,), {name: computed})(name="odd")
    with pytest.raises(UnmediatedError) as caught:
        guard_agent(agent, desk_of(tmp_path, OPEN).guard)
    assert str(caught.value).splitlines() == [
        f'the agent "odd": "{name}" is computed by the agent\'s class: make it a field that is set',
        "1 gap: no agent was guarded",
    ]


@pytest.mark.parametrize("name", ["get_all_tools", "get_mcp_tools", "as_tool", "policy_guard"])
def test_what_stands_before_the_roads_of_an_agent_is_refused(tmp_path, name):
    ran = []

    @function_tool
    def act() -> str:
        ran.append("ran")
        return "ran"

    async def every_tool(run_context):
        return [act]

    desk, model = desk_of(tmp_path, {"tools": {"ping": "allow"}}), scripted(call("act"), say("x"))
    agent = agent_of(model)
    setattr(agent, name, every_tool)
    with pytest.raises(UnmediatedError) as caught:
        desk.run(agent)
    assert str(caught.value).splitlines()[0] == (
        f'the agent "triage": "{name}" is replaced on the agent itself, past its class: override '
        "it in a class"
    )
    assert ran == []


class Asked(Agent):
    """Makes its tool in its own way."""

    def as_tool(self, name):
        return super().as_tool(name, f"asks {self.name}")


@pytest.mark.parametrize("first", ["the tool", "the agent"])
def test_a_class_that_makes_its_tool_in_its_own_way_is_guarded(tmp_path, first):
    policy = {**OPEN, "output": [{"id": "o", "check": {"terms": {"any": ["secret"]}}}]}
    policy["output"][0] |= {"effect": "deny", "message": "That is secret."}
    desk = desk_of(tmp_path, policy)
    inner = Asked(name="inner", model=scripted(say("plain"), say("a secret")))
    if first == "the agent":
        inner = guard_agent(inner, desk.guard)
    top = agent_of(
        scripted(call("ask", {"input": "1"}), call("ask", {"input": "2"}), say("done")),
        tools=[inner.as_tool("ask")],
    )
    assert outputs(desk.run(top)) == ["plain", "That is secret."]


def test_a_class_that_makes_no_tool_of_the_sdk_is_refused(tmp_path):
    class Odd(Agent):
        def as_tool(self, name):
            return ping

    guarded = guard_agent(Odd(name="odd"), desk_of(tmp_path, OPEN).guard)
    with pytest.raises(UnmediatedError, match="is made by its class in a way that cannot be told"):
        guarded.as_tool("ask")


@pytest.mark.parametrize("more", [ping, ShellTool(executor=lambda request: "ran")])
def test_what_a_class_adds_when_it_runs_is_judged_or_refused(tmp_path, more):
    class More(Agent):
        async def get_all_tools(self, run_context):
            return [*await super().get_all_tools(run_context), more]

    desk = desk_of(tmp_path, {"tools": {"shell": "allow"}})
    guarded = guard_agent(More(name="m", model=scripted(call("ping"), say("x"))), desk.guard)
    if more is ping:
        assert outputs(run(desk, guarded)) == ["This tool is not permitted."]
        return
    with pytest.raises(UnmediatedError, match='"shell" was added after'):
        run(desk, guarded)


def test_agents_with_several_parents_are_guarded_once(tmp_path):
    desk = desk_of(tmp_path, OPEN)
    first, second, third = (agent_of(scripted(say(name)), name=name) for name in "abc")
    first.handoffs, second.handoffs, third.handoffs = [second, third], [first, third], [first]
    second.tools = [third.as_tool("ask", "asks")]
    guarded = guard_agent(first, desk.guard)
    targets = {item.agent_name: item.agent for item in guarded.handoffs}
    again = {item.agent_name: item.agent for item in targets["b"].handoffs}
    assert again["a"] is guarded
    assert again["c"] is targets["c"]
    assert targets["c"].handoffs[0].agent is guarded
    assert (first.handoffs, second.handoffs, third.handoffs) == (
        [second, third],
        [first, third],
        [first],
    )


# One guard


def test_the_same_guard_twice_is_once(tmp_path):
    calls, desk = [], desk_of(tmp_path, OPEN)
    step = call("refund", {"order": "A", "amount": 5, "note": ""})
    guarded = guard_agent(
        agent_of(scripted(step, say("done")), tools=[refund_tool(calls)]), desk.guard
    )
    assert guard_agent(guarded, desk.guard) is guarded
    run(desk, guarded)
    assert desk.decisions("tool_call") == [("tool_call", "refund", "allow")]


@pytest.mark.parametrize("place", ["start", "handoff", "tool"])
def test_a_second_guard_is_refused_with_what_to_do(tmp_path, place):
    one, other = desk_of(tmp_path, OPEN), desk_of(tmp_path, OPEN)
    inner = guard_agent(agent_of(scripted(), name="inner"), one.guard)
    top = {
        "start": lambda: inner,
        "handoff": lambda: agent_of(scripted(), handoffs=[inner]),
        "tool": lambda: agent_of(scripted(), tools=[inner.as_tool("ask", "asks")]),
    }[place]()
    with pytest.raises(UnmediatedError) as caught:
        guard_agent(top, other.guard)
    assert str(caught.value) == (
        'the agent "inner": "inner" is guarded by another guard already: guard the agent that it '
        "was made of, with one guard whose folder holds the policies of both\n"
        "1 gap: no agent was guarded"
    )


def test_a_tool_of_another_guarded_agent_is_judged_for_the_one_that_has_it(tmp_path):
    policies = [
        {"applies_to": {"agents": ["first"]}, "tools": {"ping": "allow"}},
        {"applies_to": {"agents": ["second"]}, "tools": {"other": "allow"}},
    ]
    desk = desk_of(tmp_path, *policies)
    first = guard_agent(agent_of(scripted(), name="first", tools=[ping]), desk.guard)
    second = agent_of(scripted(call("ping"), say("x")), name="second", tools=[*first.tools])
    assert outputs(desk.run(second)) == ["This tool is not permitted."]
    third = guard_agent(agent_of(scripted(call("ping"), say("x")), name="second"), desk.guard)
    third.tools.append(first.tools[0])
    assert outputs(run(desk, third)) == ["This tool is not permitted."]


# What is changed later


class Screen(AsyncComputer):
    environment = "browser"
    dimensions = (1, 1)


def _nothing(*args, **kwargs): ...


for _name in Screen.__abstractmethods__:
    setattr(Screen, _name, _nothing)
Screen.__abstractmethods__ = frozenset()

SHELL = {"type": "container_auto"}
HOSTED = {"type": "mcp", "server_label": "files", "server_url": "http://127.0.0.1:9/"}
NATIVE = {
    "shell": (lambda: ShellTool(executor=_nothing), "executor"),
    "shell, its approvals": (lambda: ShellTool(executor=_nothing), "needs_approval"),
    "shell, hosted": (lambda: ShellTool(environment=SHELL), "executor"),
    "local_shell": (lambda: LocalShellTool(executor=_nothing), "executor"),
    "apply_patch": (lambda: ApplyPatchTool(editor=Shop()), "editor"),
    "custom": (
        lambda: CustomTool(
            name="custom", description="", on_invoke_tool=_nothing, format={"type": "text"}
        ),
        "on_invoke_tool",
    ),
    "computer": (lambda: ComputerTool(computer=Screen()), "computer"),
    "hosted MCP server": (lambda: HostedMCPTool(tool_config=dict(HOSTED)), "tool_config"),
    "hosted MCP server, answered": (
        lambda: HostedMCPTool(tool_config=dict(HOSTED)),
        "on_approval_request",
    ),
    "web search": (WebSearchTool, "filters"),
}


@pytest.mark.parametrize("kind", NATIVE)
def test_what_acts_for_a_tool_is_not_exchanged_later(tmp_path, kind):
    desk, model = desk_of(tmp_path, OPEN), scripted(shell_call("ls"), say("never"))
    make, field = NATIVE[kind]
    guarded = guard_agent(agent_of(model, tools=[make()]), desk.guard)
    setattr(guarded.tools[0], field, object())
    with pytest.raises(UnmediatedError, match=CHANGED.replace("()", r"\(\)")):
        run(desk, guarded)
    assert model.calls == ()


def test_a_configuration_that_is_changed_in_place_is_noticed(tmp_path):
    desk = desk_of(tmp_path, OPEN)
    tools = [HostedMCPTool(tool_config=dict(HOSTED))]
    guarded = guard_agent(agent_of(scripted(say("never")), tools=tools), desk.guard)
    guarded.tools[0].tool_config["require_approval"] = "never"
    with pytest.raises(UnmediatedError, match=r'"files/\*" was changed'):
        run(desk, guarded)


def test_what_is_changed_in_the_original_changes_nothing(tmp_path):
    desk = desk_of(tmp_path, OPEN)
    search = WebSearchTool()
    guarded = guard_agent(agent_of(scripted(say("x")), tools=[search]), desk.guard)
    search.search_context_size = "high"
    assert run(desk, guarded).final_output == "x"


def replaced_handoff(agent):
    agent.handoffs[0].on_invoke_handoff = agent.handoffs[1].on_invoke_handoff


def filtered_handoff(agent):
    agent.handoffs[0].input_filter = lambda data: data


def shown_handoff(agent):
    agent.handoffs[0].is_enabled = True


def handoff_to_a_stranger(agent):
    agent.handoffs[0].agent = Agent(name="b")


def another_handoff(agent):
    agent.handoffs[0] = dataclasses.replace(agent.handoffs[0], on_invoke_handoff=_nothing)


def anothers_handoff(agent):
    agent.handoffs.append(agent.handoffs[0].agent.handoffs[0])


HANDOFFS = {
    replaced_handoff: f'"transfer_to_b" {CHANGED}',
    filtered_handoff: f'"transfer_to_b" {CHANGED}',
    shown_handoff: f'"transfer_to_b" {CHANGED}',
    handoff_to_a_stranger: f'"transfer_to_b" {CHANGED}',
    another_handoff: f'"transfer_to_b" {CHANGED}',
    anothers_handoff: f'"transfer_to_c" {ADDED}',
}


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("change", HANDOFFS, ids=lambda change: change.__name__)
def test_a_handoff_is_not_exchanged_later(tmp_path, change, streamed):
    desk, model = desk_of(tmp_path, OPEN), scripted(call("transfer_to_b"))
    last = agent_of(scripted(say("c")), name="c")
    middle = agent_of(scripted(say("b")), name="b", handoffs=[last])
    guarded = guard_agent(agent_of(model, handoffs=[middle, last]), desk.guard)
    change(guarded)
    with pytest.raises(UnmediatedError) as caught:
        (desk.stream if streamed else desk.run)(guarded)
    assert str(caught.value).splitlines()[0] == f'the agent "triage": {HANDOFFS[change]}'
    assert model.calls == ()


def test_what_only_describes_a_handoff_may_be_changed(tmp_path):
    desk = desk_of(tmp_path, OPEN)
    target = agent_of(scripted(say("b")), name="b")
    guarded = guard_agent(agent_of(scripted(call("go")), handoffs=[target]), desk.guard)
    guarded.handoffs = [
        dataclasses.replace(guarded.handoffs[0], tool_name="go", tool_description="Go.")
    ]
    assert run(desk, guarded).final_output == "b"
    assert desk.decisions("handoff") == [("handoff", "b", "allow")]


@pytest.mark.parametrize("made", ["assigned", "cloned", "replaced"])
def test_a_stored_prompt_that_comes_later_is_refused(tmp_path, made):
    desk = desk_of(tmp_path, {"tools": {"ping": "allow"}})
    model = scripted(say("never"))
    guarded = guard_agent(agent_of(model), desk.guard)
    if made == "assigned":
        guarded.prompt = {"id": "pmpt_1"}
    elif made == "cloned":
        guarded = guarded.clone(prompt={"id": "pmpt_1"})
    else:
        guarded = dataclasses.replace(guarded, prompt={"id": "pmpt_1"})
    with pytest.raises(UnmediatedError, match=r"may bring tools of the provider's") as caught:
        run(desk, guarded, RunConfig())
    assert str(caught.value).endswith("1 gap: the agent does not run")
    assert model.calls == ()


DENY = {"id": "attack", "check": {"terms": {"any": ["attack"]}}, "effect": "deny"}


@pytest.mark.parametrize("made", ["assigned", "cloned", "replaced"])
def test_instructions_that_come_later_are_judged(tmp_path, made):
    desk, model = desk_of(tmp_path, {**OPEN, "input": [DENY]}), scripted(say("x"), say("never"))
    guarded = guard_agent(agent_of(model, instructions="No attack."), desk.guard)
    assert run(desk, guarded).final_output == "x"
    told = "A user called attack writes."
    if made == "assigned":
        guarded.instructions = told
    elif made == "cloned":
        guarded = guarded.clone(instructions=told)
    else:
        guarded = dataclasses.replace(guarded, instructions=told)
    with pytest.raises(Denied, match="p0/attack"):
        run(desk, guarded)
    assert len(model.calls) == 1


def test_variables_of_a_prompt_that_are_changed_in_place_are_judged(tmp_path):
    desk, model = desk_of(tmp_path, {**OPEN, "input": [DENY]}), scripted(say("never"))
    prompt = {"id": "pmpt_1", "variables": {"name": "attack"}}
    guarded = guard_agent(agent_of(model, prompt=prompt), desk.guard)
    guarded.prompt["variables"]["name"] = "another attack"
    with pytest.raises(Denied, match="p0/attack"):
        run(desk, guarded)
    assert model.calls == ()


def appended(agent):
    agent.tools.append(ping)


def assigned(agent):
    agent.tools = [ping]


def served(agent):
    agent.mcp_servers.append(Shop())


def renamed(agent):
    agent.tools.append(function_tool(ping.__wrapped__, name_override="other"))
    agent.tools[-1].name = "ping"


def shown(agent):
    agent.tools.append(ping)
    agent.tools[0].is_enabled = True


LATER = {appended: "ping", assigned: "ping", served: "buy", renamed: "ping", shown: "ping"}


@pytest.mark.parametrize("change", LATER, ids=lambda change: change.__name__)
def test_tools_that_come_later_are_judged(tmp_path, change):
    desk = desk_of(tmp_path, {"tools": {"other": "allow"}})
    args = {"item": "x"} if change is served else {}
    guarded = guard_agent(agent_of(scripted(call(LATER[change], args), say("x"))), desk.guard)
    change(guarded)
    assert outputs(run(desk, guarded)) == ["This tool is not permitted."]


@pytest.mark.parametrize("field", ["on_invoke_tool", "needs_approval", "is_enabled", "name"])
def test_what_is_changed_of_a_function_tool_is_judged(tmp_path, field):
    ran = []

    @function_tool
    def other() -> str:
        ran.append("ran")
        return "ran"

    asking = {"effect": "require_approval", "approval": {"approvers": ["a"], "expires": "1h"}}
    desk = desk_of(tmp_path, {"tools": {"ping": asking, "free": "allow"}})
    name = "free" if field == "name" else "ping"
    model = scripted(call("ping"), say("x"))
    first = function_tool(ping.__wrapped__, name_override=name)
    guarded = guard_agent(agent_of(model, tools=[first]), desk.guard)
    value = {
        "on_invoke_tool": other.on_invoke_tool,
        "needs_approval": False,
        "is_enabled": True,
        "name": "ping",
    }[field]
    setattr(guarded.tools[0], field, value)
    result = run(desk, guarded)
    assert [item.tool_name for item in result.interruptions] == ["ping"]
    assert ran == []


def test_a_tool_that_came_later_waits_for_its_approval_and_is_judged_again(tmp_path):
    ran = []

    @function_tool
    def pay() -> str:
        ran.append("paid")
        return "paid"

    asking = {"effect": "require_approval", "approval": {"approvers": ["a"], "expires": "1h"}}
    desk = desk_of(tmp_path, {"tools": {"pay": asking}})

    def made():
        guarded = guard_agent(agent_of(scripted(call("pay", call_id="p1"), say("x"))), desk.guard)
        guarded.tools.append(pay)
        return guarded

    async def go():
        paused = await Runner.run(made(), "hello", run_config=desk.config())
        state = await RunState.from_string(made(), paused.to_state().to_string())
        for item in state.get_interruptions():
            state.approve(item, always_approve=True)
        guarded = made()
        guarded.model = guard_agent(agent_of(scripted(say("x"))), desk.guard).model
        return await Runner.run(guarded, state, run_config=desk.config())

    result = asyncio.run(go())
    assert ran == []
    assert "approval" in outputs(result)[0]


def test_a_paused_run_of_an_agent_that_was_changed_does_not_go_on(tmp_path):
    calls = []
    asking = {"effect": "require_approval", "approval": {"approvers": ["a"], "expires": "1h"}}
    desk = desk_of(tmp_path, {"tools": {"refund": asking, "shell": "allow"}})
    step = call("refund", {"order": "A", "amount": 5, "note": ""})
    guarded = guard_agent(
        agent_of(
            scripted(step, say("x")),
            tools=[refund_tool(calls), ShellTool(executor=_nothing)],
        ),
        desk.guard,
    )
    paused = run(desk, guarded)
    guarded.tools[1].executor = _nothing
    state = paused.to_state()
    for item in state.get_interruptions():
        state.approve(item)
    with pytest.raises(UnmediatedError, match='"shell" was changed'):
        asyncio.run(Runner.run(guarded, state, run_config=desk.config()))
    assert calls == []


def test_hooks_and_guardrails_may_be_set_later(tmp_path):
    class Noting(AgentHooks):
        def __init__(self):
            self.noted = []

        async def on_llm_start(self, context, agent, prompt, items):
            self.noted.append(len(items))

    desk = desk_of(tmp_path, OPEN)
    guarded = guard_agent(agent_of(scripted(say("x"))), desk.guard)
    guarded.hooks, guarded.output_guardrails, hooks = Noting(), [], guarded.hooks
    noting = guarded.hooks
    assert run(desk, guarded).final_output == "x"
    assert noting.noted == [1]
    assert hooks is not noting


# What is given instead of an agent, and copies


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("x",), "guard_agent() takes an Agent, not a value of the type str"),
        ((None,), "guard_agent() takes an Agent, not None"),
        ((Agent,), "guard_agent() takes an Agent, not the class Agent"),
        (([Agent("a")],), "guard_agent() takes an Agent, not a value of the type list"),
        (
            (Agent("a"), "policies"),
            "guard_agent() takes a Guard, not a value of the type str: Guard.from_path(…)",
        ),
        ((Agent("a"), None), "guard_agent() takes a Guard, not None: Guard.from_path(…)"),
    ],
)
def test_what_is_no_agent_or_no_guard_is_named(tmp_path, given, message):
    guard = desk_of(tmp_path, OPEN).guard
    with pytest.raises(TypeError) as caught:
        guard_agent(*given, *[guard][len(given) - 1 :])
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("agents", "message"),
    [
        (Agent("a"), "takes several agents, not a value of the type Agent: agents=[…]"),
        ("a", "takes several agents, not a value of the type str: agents=[…]"),
        (None, "takes several agents, not None: agents=[…]"),
        ([Agent("a"), "b"], "takes agents, and a value of the type str is among them"),
    ],
)
def test_what_are_no_agents_is_named(tmp_path, agents, message):
    with pytest.raises(TypeError) as caught:
        guard_agent(Agent("a"), desk_of(tmp_path, OPEN).guard, agents=agents)
    assert str(caught.value) == f"guard_agent() {message}"


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_of_a_guarded_agent_is_guarded(tmp_path, copied):
    ran, desk = [], desk_of(tmp_path, {"tools": {"run": "allow", "refund": "deny", "ping": "deny"}})
    shell = ShellTool(executor=lambda request: ran.append(request.data.call_id) or "ok", name="run")
    model = scripted(shell_call("ls"), call("refund"), say("done"))
    billing = agent_of(scripted(say("never")), name="billing")
    guarded = guard_agent(
        agent_of(model, tools=[shell, refund_tool(ran)], handoffs=[billing]), desk.guard
    )
    made = copied(guarded)
    assert made is not guarded
    assert type(made) is type(guarded)
    assert guard_agent(made, desk.guard) is made
    made.tools = [*made.tools, ping]
    assert ping not in guarded.tools
    changed = copied(guarded)
    changed.tool_use_behavior = "stop_on_first_tool"
    with pytest.raises(UnmediatedError, match="tool_use_behavior"):
        run(desk, changed)
    result = run(desk, made)
    assert result.final_output == "done"
    assert len(ran) == 1
    assert ("tool_call", "refund", "deny") in desk.decisions()


def test_a_deep_copy_has_lists_and_settings_of_its_own(tmp_path):
    desk = desk_of(tmp_path, OPEN)
    agent = agent_of(scripted(say("done")), model_settings=ModelSettings(metadata={"a": "b"}))
    guarded = guard_agent(agent, desk.guard)
    both = copy.deepcopy([guarded, guarded])
    made = both[0]
    assert both[1] is made
    made.tools.append(ping)
    made.model_settings.metadata["a"] = "c"
    made.instructions = "Be kind."
    assert (guarded.tools, guarded.instructions) == ([], None)
    assert guarded.model_settings.metadata == {"a": "b"}
    assert run(desk, made).final_output == "done"
    assert [tool.name for tool in made.model._inner.calls[0].tools] == ["ping"]


def router(targets):
    """Return a handoff whose function picks where it leads."""

    async def pick(context, text):
        return targets[len(text) % len(targets)]

    return Handoff(
        tool_name="transfer",
        tool_description="",
        input_json_schema={},
        on_invoke_handoff=pick,
        agent_name="router",
    )


def test_a_handoff_that_picks_its_target_is_refused_with_what_to_do(tmp_path):
    desk = desk_of(tmp_path, OPEN)
    targets = [agent_of(scripted(), name="billing"), agent_of(scripted(), name="refunds")]
    agent = agent_of(scripted(), handoffs=[router(targets)])
    begins = 'the agent "triage": "transfer" leads to an agent that cannot be found: '
    with pytest.raises(UnmediatedError) as caught:
        guard_agent(agent, desk.guard)
    assert str(caught.value).splitlines()[0] == begins + (
        'it is called "router", as its agent_name says, so give that one in '
        "guard_agent(…, agents=[…])"
    )
    with pytest.raises(UnmediatedError) as caught:
        guard_agent(agent, desk.guard, agents=targets)
    assert str(caught.value).splitlines()[0] == begins + (
        'its agent_name says "router", and none in agents=[…] is called so; where its function '
        "picks one of several, make a handoff(…) for each, because policies decide about one target"
    )
    agent = agent_of(scripted(), handoffs=[handoff(target) for target in targets])
    assert [item.agent_name for item in guard_agent(agent, desk.guard).handoffs] == [
        "billing",
        "refunds",
    ]
