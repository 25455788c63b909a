"""`coverage` and `tools export` on a graph of the OpenAI Agents SDK."""

import itertools
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

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
