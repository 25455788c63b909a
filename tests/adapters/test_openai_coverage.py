"""`coverage` and `tools export` on a graph of the OpenAI Agents SDK."""

import asyncio
import itertools
import json
import sys
from pathlib import Path

import files_server
import pytest
from agents import Agent, RunContextWrapper
from agents.mcp import MCPServerStdio
from typer.testing import CliRunner

from policy_engine.adapters.openai_agents.survey import tools_of
from policy_engine.cli.app import app
from policy_engine.tools import read_tools

_NAMES = itertools.count()
POLICY = """\
policy: desk
language: 1
tools:
  refund: {args: {order: {type: string}, amount: {type: number}}}
  web_search: {rules: [{id: r, when: 'principal.id != "u1"', effect: deny}]}
  shop/buy: allow
  shop/steal: deny
  refudn: allow
handoffs: {billing: allow}
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))

    def run(*args, policy=POLICY):
        path = tmp_path / "policy.yaml"
        path.write_text(policy)
        filled = [str(path) if arg == "POLICY" else arg for arg in args]
        return CliRunner().invoke(app, filled)

    return run


def test_coverage_says_what_governs_what(run):
    found = run("coverage", "desk_app:triage", "--policies", "POLICY", "--format", "json")
    assert found.exit_code == 1, found.output
    value = json.loads(found.output)
    verdicts = {(row["agent"], row["name"]): row["verdict"] for row in value["rows"]}
    assert verdicts == {
        ("triage", "web_search"): "unmediated",
        ("triage", "billing"): "governed",
        ("billing", "refund"): "governed",
        ("billing", "stray"): "unnamed",
        ("billing", "shop/buy"): "governed",
        ("billing", "shop/steal"): "denied",
    }
    assert [one["rule"] for one in value["idle"]] == ["desk/tools/refudn"]
    assert value["complete"] is False


def test_coverage_reads_as_lines(run):
    found = run("coverage", "desk_app:make", "--policies", "POLICY")
    assert found.exit_code == 1
    assert "no policy names it" in found.output
    assert "cannot be mediated" in found.output
    assert "desk/tools/refudn names nothing in the graph" in found.output
    assert "6 tools and handoffs: 3 gaps" in found.output


def test_coverage_without_gaps(run):
    policy = POLICY.replace("  refudn: allow\n", "  stray: deny\n")
    policy = policy.replace(
        "{rules: [{id: r, when: 'principal.id != \"u1\"', effect: deny}]}", "deny"
    )
    found = run("coverage", "desk_app:triage", "--policies", "POLICY", policy=policy)
    assert found.exit_code == 0, found.output
    assert "no gaps" in found.output


@pytest.mark.parametrize("place", ["desk_app", "gone:triage", "desk_app:gone", "json:dumps"])
def test_what_is_no_agent_cannot_be_walked(run, place):
    assert run("coverage", place, "--policies", "POLICY").exit_code == 2


# Modules as users write them


MODULE = """
from agents import Agent, function_tool
from test_openai_native import Shop

from policy_engine.adapters.openai_agents import guard_agent
from policy_engine.guard import Guard


@function_tool
def refund(order: str, amount: float) -> str:
    return order


class Desk(Agent):
    def __init__(self, department):
        super().__init__(name=department, tools=[refund], mcp_servers=[Shop()])


billing = Desk("billing")
triage = Agent(name="triage", handoffs=[billing])
billing.handoffs.append(triage)
other = Agent(name="other", tools=[billing.as_tool("ask", "asks")])


class Gone(Shop):
    async def connect(self):
        raise ExceptionGroup("both", [FileNotFoundError("no such command")])

    async def list_tools(self, run_context=None, agent=None):
        raise RuntimeError("it is not connected")


offline = Agent(name="offline", mcp_servers=[Gone()])
both = [triage, other]


def needs(department):
    return billing


def fails():
    raise RuntimeError("no key")


async def waits():
    return triage


async def waits_and_fails():
    raise RuntimeError("no key")


def guarded():
    guard = Guard.from_path("guarding.yaml", records=lambda line: None)
    inner = guard_agent(other, guard).as_tool("ask_other", "asks")
    return Agent(name="top", tools=[inner], handoffs=[guard_agent(triage, guard)])
"""


@pytest.fixture
def app_of(tmp_path, monkeypatch):
    """Write a module of its own name, and return the name."""

    def write(text=MODULE):
        name = f"desk_app_{next(_NAMES)}"
        (tmp_path / f"{name}.py").write_text(text)
        (tmp_path / "guarding.yaml").write_text(POLICY)
        monkeypatch.chdir(tmp_path)
        monkeypatch.syspath_prepend(str(tmp_path))
        return name

    return write


def verdicts(found):
    assert found.exit_code in (0, 1), found.output
    return {(row["agent"], row["name"]): row["verdict"] for row in json.loads(found.output)["rows"]}


BILLING = {
    ("billing", "refund"): "governed",
    ("billing", "shop/buy"): "governed",
    ("billing", "shop/steal"): "denied",
    ("billing", "triage"): "unnamed",
}
TRIAGE = {("triage", "billing"): "governed", **BILLING}
OTHER = {("other", "ask"): "unnamed", **TRIAGE}
TOP = {("top", "ask_other"): "unnamed", ("top", "triage"): "unnamed", **OTHER}


@pytest.mark.parametrize(
    ("places", "wanted"),
    [
        (["triage"], TRIAGE),
        (["other"], OTHER),
        (["triage", "other"], OTHER),
        (["both"], OTHER),
        (["waits"], TRIAGE),
        (["guarded"], TOP),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else "",
)
def test_agents_are_walked_however_they_are_given(run, app_of, places, wanted):
    name = app_of()
    places = [f"{name}:{place}" for place in places]
    found = run("coverage", *places, "--policies", "POLICY", "--format", "json")
    assert verdicts(found) == wanted


@pytest.mark.parametrize("place", ["needs", "fails", "waits_and_fails", "refund", "nowhere", ""])
def test_what_cannot_be_walked_says_why(run, app_of, place):
    name = app_of()
    here = f"{name}:{place}"
    agents = ", ".join(f"{name}:{agent}" for agent in ("billing", "triage", "other", "offline"))
    wanted = {
        "needs": "does not make an agent: TypeError: needs() missing 1 required positional",
        "fails": f'"{here}" does not make an agent: RuntimeError: no key',
        "waits_and_fails": f'"{here}" does not make an agent: RuntimeError: no key',
        "refund": f'"{here}" is a FunctionTool and not an agent',
        "nowhere": f'the module "{name}" has no "nowhere"; there is {agents}',
        "": f'"{here}" is not of the form module:agent; there is {agents}',
    }[place]
    for verb in (("coverage", here, "--policies", "POLICY"), ("tools", "export", here)):
        found = run(*verb)
        assert found.exit_code == 2
        assert wanted in found.output
        assert "Traceback" not in found.output


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("def x(:\n", "{name}.py:1: invalid syntax"),
        ("raise RuntimeError('no key')\n", "RuntimeError: no key"),
        ("import nothing_of_this_name\n", "No module named 'nothing_of_this_name'"),
        ("import sys\nsys.exit(0)\n", "SystemExit: 0"),
    ],
)
def test_a_module_that_cannot_be_imported_says_why(run, app_of, text, wanted):
    name = app_of(text)
    found = run("coverage", f"{name}:agent", "--policies", "POLICY")
    assert found.exit_code == 2
    assert f'policy-engine: the module "{name}" cannot be imported: ' in found.output
    assert wanted.format(name=name) in found.output


def test_a_server_that_does_not_start_says_why_and_hides_no_entry(run, app_of):
    name = app_of()
    found = run("coverage", f"{name}:offline", "--policies", "POLICY", "--format", "json")
    assert found.exit_code == 1
    value = json.loads(found.output)
    why = "FileNotFoundError: no such command"
    assert value["unlisted"] == [{"server": "shop", "why": why}]
    assert [one["rule"] for one in value["idle"]] == [
        "desk/tools/refund",
        "desk/tools/web_search",
        "desk/tools/refudn",
        "desk/handoffs/billing",
    ]
    found = run("coverage", f"{name}:offline", "--policies", "POLICY")
    assert f'the tools of the server "shop" could not be listed: {why}' in found.output
    found = run("tools", "export", f"{name}:offline")
    assert found.exit_code == 1
    assert f'the tools of the server "shop" could not be listed: {why}' in found.output


def test_tools_of_servers_that_look_alike_are_gaps(run, app_of):
    name = app_of(
        "from agents import Agent\n"
        "from test_openai_tools import Served\n"
        'one = Agent(name="one", mcp_servers=[Served("a", "buy", "Buy", "x/y")])\n'
    )
    policy = "policy: p\nlanguage: 1\ntools: {a/*: allow}\n"
    found = run(
        "coverage", f"{name}:one", "--policies", "POLICY", "--format", "json", policy=policy
    )
    assert verdicts(found) == {
        ("one", "a/buy"): "governed",
        ("one", "a/Buy"): "unmediated",
        ("one", "a/x/y"): "unmediated",
    }
    assert found.exit_code == 1


def test_tools_are_written_as_lint_reads_them(run):
    found = run("tools", "export", "desk_app:triage")
    assert found.exit_code == 0, found.output
    tools = {tool.name: tool for tool in read_tools(json.loads(found.output))}
    assert set(tools) == {"web_search", "refund", "stray", "shop/buy", "shop/steal"}
    assert tools["refund"].properties["amount"]["type"] == "number"
    assert not tools["web_search"].typed


# MCP servers whose authors filter their tools


FILES = """
import sys

import files_server
from agents import Agent, function_tool
from agents.mcp import MCPServerStdio, create_static_tool_filter


async def admins(asked, tool):
    return asked.run_context.context.admin


def server(tool_filter, **settings):
    settings.setdefault("name", "files")
    params = {"command": sys.executable, "args": [files_server.__file__]}
    return MCPServerStdio(
        params=params, tool_filter=tool_filter, client_session_timeout_seconds=25, **settings
    )


class Hidden(MCPServerStdio):
    async def list_tools(self, run_context=None, agent=None):
        tools = await super().list_tools(run_context, agent)
        return tools if run_context.context is not None else []


class Fixed(MCPServerStdio):
    @property
    def tool_filter(self):
        return admins

    @tool_filter.setter
    def tool_filter(self, value):
        pass


def owned(kind):
    params = {"command": sys.executable, "args": [files_server.__file__]}
    return kind(params=params, name="files", client_session_timeout_seconds=25)


filtered = Agent(name="desk", mcp_servers=[server(admins)])
listed = Agent(
    name="desk",
    mcp_servers=[server(create_static_tool_filter(blocked_tool_names=["drop"]))],
)
cached = Agent(name="desk", mcp_servers=[server(admins, cache_tools_list=True)])
unnamed = Agent(name="desk", mcp_servers=[server(None, name=None)])
hidden = Agent(name="desk", mcp_servers=[owned(Hidden)])
fixed = Agent(name="desk", mcp_servers=[owned(Fixed)])


@function_tool
def pay(order: str) -> str:
    return order


class Own(Agent):
    async def get_all_tools(self, context):
        return [*await super().get_all_tools(context), pay]


class Picks(Agent):
    async def get_all_tools(self, context):
        more = [pay] if context.context is not None else []
        return [*await super().get_all_tools(context), *more]


class Breaks(Agent):
    async def get_all_tools(self, context):
        return [pay] if context.context.admin else []


own = Own(name="desk")
picks = Picks(name="desk")
breaks = Breaks(name="desk")
"""
READS = "policy: p\nlanguage: 1\ntools: {files/read: allow}\n"


@pytest.mark.parametrize(
    ("place", "wanted"),
    [
        ("filtered", {"files/read": "governed", "files/drop": "unnamed"}),
        ("cached", {"files/read": "governed", "files/drop": "unnamed"}),
        # What a list of names hides is hidden in every run.
        ("listed", {"files/read": "governed"}),
    ],
)
def test_a_filter_function_hides_no_tool_from_coverage(run, app_of, place, wanted):
    name = app_of(FILES)
    found = run(
        "coverage", f"{name}:{place}", "--policies", "POLICY", "--format", "json", policy=READS
    )
    assert verdicts(found) == {("desk", tool): verdict for tool, verdict in wanted.items()}
    assert found.exit_code == (1 if "unnamed" in wanted.values() else 0)
    found = run("tools", "export", f"{name}:{place}")
    assert found.exit_code == 0, found.output
    assert {tool.name for tool in read_tools(json.loads(found.output))} == set(wanted)


def test_a_server_keeps_its_filter_while_it_is_looked_at(tmp_path):
    async def nobody(asked, tool):
        return False

    server = MCPServerStdio(
        params={"command": sys.executable, "args": [files_server.__file__]},
        name="files",
        tool_filter=nobody,
        client_session_timeout_seconds=25,
    )
    agent = Agent(name="desk", mcp_servers=[server])

    async def go():
        async with server:
            tools, unlisted = await tools_of([agent])
            shown = await server.list_tools(RunContextWrapper(None), agent)
        return [tool.name for tool in tools], unlisted, shown

    assert asyncio.run(go()) == (["files/drop", "files/read"], (), [])
    assert server.tool_filter is nobody


@pytest.mark.parametrize(
    ("place", "what", "why"),
    [
        ("hidden", 'server "files"', "its list_tools reads the context of a run, so what it lists"),
        ("fixed", 'server "files"', "its tool_filter cannot be put aside, and what it shows"),
        ("picks", 'class "Picks"', "its get_all_tools reads the context of a run, so what it adds"),
        ("breaks", 'class "Breaks"', "AttributeError: 'NoneType' object has no attribute 'admin'"),
    ],
)
def test_what_differs_from_run_to_run_is_a_gap(run, app_of, place, what, why):
    name = app_of(FILES)
    why = f"the tools of the {what} could not be listed: {why}"
    found = run("coverage", f"{name}:{place}", "--policies", "POLICY", policy=READS)
    assert found.exit_code == 1
    assert why in found.output
    found = run("tools", "export", f"{name}:{place}")
    assert found.exit_code == 1
    assert why in found.output


def test_a_tool_that_an_agents_class_adds_is_covered(run, app_of):
    name = app_of(FILES)
    policy = "policy: p\nlanguage: 1\ntools: {pay: allow}\n"
    places = ("coverage", f"{name}:own", "--policies", "POLICY", "--format", "json")
    found = run(*places, policy=policy)
    assert (verdicts(found), found.exit_code) == ({("desk", "pay"): "governed"}, 0)
    found = run(*places, policy=READS)
    assert (verdicts(found), found.exit_code) == ({("desk", "pay"): "unnamed"}, 1)


def test_coverage_says_how_to_name_a_server(run, app_of):
    name = app_of(FILES)
    found = run("coverage", f"{name}:unnamed", "--policies", "POLICY", policy=READS)
    assert found.exit_code == 1
    assert (
        f"stdio: {sys.executable}/read  no policy names it and its server has no name of its own: "
        'name it, MCPServerStdio(name="…", …)'
    ) in found.output
