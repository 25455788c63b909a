"""`lint --tools`: the tools that there are, however an application keeps or prints them."""

import asyncio
import functools
import importlib
import json
import os
import re
import subprocess
import sys
import textwrap
from typing import Literal, Optional

import pytest
from support import ROOT
from typer.testing import CliRunner

from policy_engine import Guard, guarded
from policy_engine.cli.app import app
from policy_engine.lint.registry import RegistryError, tools_from, tools_in
from policy_engine.loader import load_texts
from policy_engine.tools import read_tools

POLICY = "policy: p\nlanguage: 1\ntools: {'*': allow}\n"


@pytest.fixture
def guard(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where the guard's records go
    (tmp_path / "p.yaml").write_text(POLICY, "utf-8")
    return Guard.from_path(tmp_path / "p.yaml")


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Return what writes a module and gives its name; it is forgotten afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))
    known = set(sys.modules)

    def write(text, name="desk_tools"):
        sys.modules.pop(name, None)
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(text), "utf-8")
        importlib.invalidate_caches()
        return name

    yield write
    for name in set(sys.modules) - known:
        if getattr(sys.modules[name], "__file__", "") and "desk_" in name:
            del sys.modules[name]


def one(value):
    (tool,) = tools_in(value)
    return tool


def names(value):
    return sorted(tool.name for tool in tools_in(value))


# Functions


def refund(order: str, amount: float = 0.0, kind: Literal["full", "part"] = "full") -> str:
    """Refund an order."""


async def fetch(url: str, *, tries: Optional[int] = None) -> str:  # noqa: UP045 - as people write it
    """Fetch a page."""


def test_a_function_is_a_tool_of_its_name():
    tool = one(refund)
    assert (tool.name, tool.description) == ("refund", "Refund an order.")
    assert tool.schema == {
        "type": "object",
        "properties": {
            "order": {"type": "string"},
            "amount": {"type": "number"},
            "kind": {"enum": ["full", "part"]},
        },
        "required": ["order"],
        "additionalProperties": False,
    }


def test_an_async_function_is_one_too():
    tool = one(fetch)
    assert tool.name == "fetch"
    assert tool.required == {"url"}
    assert tool.properties["tries"] == {"type": ["integer", "null"]}


def test_a_guarded_function_goes_by_the_name_that_policies_know(guard):
    tool = one(guard.tool(name="pay_back")(refund))
    assert tool.name == "pay_back"
    assert tool.required == {"order"}
    assert one(guarded(guard)(refund)).name == "refund"
    assert one(guard.tool(name="get")(fetch)).name == "get"


def test_what_the_model_does_not_supply_is_no_argument(guard):
    @guard.tool(name="store", inject=("db",))
    def save(db: object, key: str) -> None: ...

    tool = one(save)
    assert (tool.name, set(tool.properties), tool.required) == ("store", {"key"}, {"key"})


def test_generators_are_tools(guard):
    @guard.tool(name="lines")
    def read(path: str):
        yield path

    @guard.tool(name="pages")
    async def turn(path: str):
        yield path

    assert names([read, turn]) == ["lines", "pages"]


class Desk:
    def __init__(self, guard):
        self.find = guard.tool(name="find_order")(self.find)

    def find(self, order: str): ...


def test_methods_are_tools_without_self(guard):
    class Office:
        @guard.tool(name="file_case")
        def file(self, title: str): ...

        @guard.tool(name="count_cases")
        @staticmethod
        def count(of: str): ...

        @guard.tool(name="close_case")
        @classmethod
        def close(cls, number: int): ...

        @guard.tool(name="open_case")
        async def open(self, number: int): ...

    found = {tool.name: set(tool.properties) for tool in tools_in(Office())}
    assert found == {
        "file_case": {"title"},
        "count_cases": {"of"},
        "close_case": {"number"},
        "open_case": {"number"},
    }
    assert {tool.name for tool in tools_in(Office)} == set(found), "the class alone will do"
    assert one(Office().file).required == {"title"}
    assert one(Desk(guard)).name == "find_order"


def test_a_bound_plain_method_is_a_tool():
    class Shop:
        def buy(self, item: str): ...

    assert set(one(Shop().buy).properties) == {"item"}


def test_a_partial_and_what_wraps_a_guarded_function(guard):
    assert one(functools.partial(refund, "ORD-1")).required == frozenset()

    held = one(guard.tool(functools.partial(refund, "ORD-1"), name="t"))
    assert set(held.properties) == {"order", "amount", "kind"}, "what it has bound is judged too"
    assert held.required == frozenset()

    @functools.wraps(inner := guard.tool(name="pay_back")(refund))
    def logged(*args, **kwargs):
        return inner(*args, **kwargs)

    tool = one(logged)
    assert (tool.name, set(tool.properties)) == ("pay_back", {"order", "amount", "kind"})


def test_any_number_of_arguments():
    def collect(*ids: int, **more: str): ...

    tool = one(collect)
    assert tool.properties == {"ids": {"type": "array", "items": {"type": "integer"}}}
    assert tool.is_open


def test_annotations_that_name_what_is_not_there():
    def odd(x: "Missing"): ...  # noqa: F821 - as in a module that imports types lazily

    assert not one(odd).typed


# Lists, mappings, modules, agents


def test_lists_and_mappings_of_anything(guard):
    pay = guard.tool(name="pay")(refund)
    wanted = ["fetch", "pay"]
    for value in ([pay, fetch], (pay, fetch), {"a": pay, "b": fetch}, {"a": [pay], "b": [fetch]}):
        assert names(value) == wanted


def test_a_module_of_functions(module):
    name = module(
        """
        import json
        from os.path import join
        def pay(amount: float): ...
        def _hidden(): ...
        class Helper: ...
        """
    )
    assert names(importlib.import_module(name)) == ["pay"]


def test_a_module_of_guarded_functions_has_no_other_tools(module, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.yaml").write_text(POLICY, "utf-8")
    name = module(
        f"""
        from policy_engine import Guard
        guard = Guard.from_path({str(tmp_path / "p.yaml")!r})
        def helper(x: int): ...
        @guard.tool(name="pay_out")
        def pay(amount: float): ...
        """
    )
    assert names(importlib.import_module(name)) == ["pay_out"]


def test_a_module_that_lists_its_own(module):
    name = module("__all__ = ['a']\ndef a(x: int): ...\ndef b(): ...\n")
    assert names(importlib.import_module(name)) == ["a"]


def test_a_module_inside_of_a_package(module, tmp_path):
    module("import desk_tools\n", "desk_app")
    module("def pay(amount: float): ...\n")
    assert [tool.name for tool in tools_from("desk_app:desk_tools")] == ["pay"]


def test_a_graph_of_agents_is_followed(module, tmp_path):
    name = module(
        """
        from agents import Agent, function_tool, handoff
        @function_tool(name_override="look_up")
        def look(order: str) -> str:
            "Look it up."
        @function_tool
        async def pay(amount: float) -> str: ...
        billing = Agent(name="billing", tools=[pay])
        triage = Agent(name="triage", tools=[look], handoffs=[handoff(billing)])
        billing.handoffs = [triage]
        tools = [look, pay]
        """
    )
    assert lint_with(tmp_path, f"{name}:triage", "look_up", "pay") == []
    assert [tool.name for tool in tools_from(f"{name}:tools")] == ["look_up", "pay"]
    assert lint_with(tmp_path, f"{name}:tools", "look_up", "pay") == []
    assert lint_with(tmp_path, f"{name}:billing.tools", "pay") == []


def lint_with(folder, source, *tools):
    """Lint a policy for some tools, with the command; return what it says of tools."""
    path = folder / "named.yaml"
    entries = "".join(f"  {tool}: deny\n" for tool in tools)
    path.write_text(f"policy: p\nlanguage: 1\ntools:\n{entries}", "utf-8")
    done = CliRunner().invoke(app, ["lint", str(path), "--tools", source, "--format", "json"])
    assert done.exit_code in {0, 1}, done.output
    found = json.loads(done.stdout)["findings"]
    return [one["message"] for one in found if one["code"] in {"PE110", "PE116"}]


def test_a_server_of_an_agent_lists_its_tools(module, tmp_path):
    pytest.importorskip("mcp")
    server = module(
        """
        from mcp.server import MCPServer
        server = MCPServer("desk")
        @server.tool()
        def find(order: str) -> str:
            "Find it."
            return order
        if __name__ == "__main__":
            server.run("stdio")
        """,
        "desk_server",
    )
    name = module(
        f"""
        import sys
        from agents import Agent
        from agents.mcp import MCPServerStdio
        def server_of(name, *args):
            return MCPServerStdio({{"command": sys.executable, "args": args}}, name=name)
        server = server_of("desk", {str(tmp_path / f"{server}.py")!r})
        lost = server_of("lost", "-c", "exit(3)")
        desk, broken = Agent(name="a", mcp_servers=[server]), Agent(name="b", mcp_servers=[lost])
        """
    )
    (tmp_path / "desk.yaml").write_text("policy: p\nlanguage: 1\ntools: {fnid: deny}\n", "utf-8")

    def lint(agent):
        command = ["lint", "desk.yaml", "--tools", f"{name}:{agent}"]
        return subprocess.run(
            [sys.executable, "-m", "policy_engine", *command],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    done = lint("desk")
    assert 'no entry is for the tool "desk/find", so nobody may call it' in done.stdout, done.stderr
    assert 'there is no tool "fnid"' in done.stdout
    done = lint("broken")
    assert done.returncode == 2
    said = f'--tools {name}:broken: the tools of the server "lost" could not be listed: '
    assert f"policy-engine: {said}" in done.stderr


def test_sources_that_list_nothing(module):
    module("nothing = 3\nempty = []\nclass Plain: ...\ndef boom():\n    raise ValueError\n")
    for source in (
        "desk_tools:nothing",
        "desk_tools:empty",
        "desk_tools:Plain",
        "desk_tools:missing",
        "no_such_module:x",
        "nowhere.json",
    ):
        with pytest.raises(RegistryError):
            tools_from(source)


# What others print

PAY = {"type": "object", "properties": {"amount": {"type": "number"}}, "required": ["amount"]}
CHAT = {"type": "function", "function": {"name": "pay", "description": "Pay.", "parameters": PAY}}
RESPONSES = {"type": "function", "name": "pay", "description": "Pay.", "parameters": PAY}
MCP = {"name": "pay", "description": "Pay.", "inputSchema": PAY}
ANTHROPIC = {"name": "pay", "description": "Pay.", "input_schema": PAY}
SHAPES = {
    "mcp tools/list": {"jsonrpc": "2.0", "id": 1, "result": {"tools": [MCP], "nextCursor": None}},
    "mcp result": {"tools": [MCP]},
    "mcp list": [MCP],
    "openai chat": [CHAT],
    "openai chat request": {"model": "m", "messages": [], "tools": [CHAT], "tool_choice": "auto"},
    "openai functions": {"model": "m", "functions": [CHAT["function"]]},
    "openai responses": [{**RESPONSES, "strict": True}],
    "openai responses request": {"model": "m", "input": "x", "tools": [RESPONSES]},
    "anthropic": [ANTHROPIC],
    "anthropic request": {"model": "m", "max_tokens": 9, "tools": [ANTHROPIC]},
    "gemini": [
        {"functionDeclarations": [{"name": "pay", "description": "Pay.", "parameters": PAY}]}
    ],
    "gemini python": {"function_declarations": [{**RESPONSES}]},
    "bedrock": {
        "tools": [
            {"toolSpec": {"name": "pay", "description": "Pay.", "inputSchema": {"json": PAY}}}
        ]
    },
    "langchain": [{"name": "pay", "description": "Pay.", "args_schema": PAY}],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_tools_as_others_print_them(shape):
    (tool,) = read_tools(SHAPES[shape])
    assert (tool.name, tool.description, tool.schema, tool.typed) == ("pay", "Pay.", PAY, True)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (["pay", "wipe"], ["pay", "wipe"]),
        ([{"type": "web_search"}], ["web_search"]),
        ([{"type": "web_search_20250305", "name": "web_search"}], ["web_search"]),
        ({"bank": [MCP], "crm": {"tools": [{**MCP, "name": "find"}]}}, ["bank/pay", "crm/find"]),
        ([CHAT, {**MCP, "name": "a"}, {**ANTHROPIC, "name": "b"}], ["pay", "a", "b"]),
    ],
)
def test_names_of_tools(value, wanted):
    assert [tool.name for tool in read_tools(value)] == wanted


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([], "it lists no tool"),
        (3, "the tools is not a tool"),
        ([{"inputSchema": {}}], "it lists no tool"),
        ([{"name": ""}], "the tools[0] has no name"),
        ([{"name": "a", "parameters": 3}], "the schema of the tools[0] is not a mapping"),
        ({"bank": 3}, "the tools.bank is not a list of tools"),
        ([None], "the tools[0] is not a tool"),
    ],
)
def test_what_is_no_list_of_tools(value, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        read_tools(value)


def test_the_real_sdk_prints_what_is_read():
    """What the OpenAI SDK sends for a function tool, in both of its forms."""
    from agents import function_tool
    from agents.models.chatcmpl_converter import Converter

    tool = function_tool(refund)
    chat = Converter.tool_to_openai(tool)
    (read,) = read_tools([json.loads(json.dumps(chat))])
    assert (read.name, set(read.properties)) == ("refund", {"order", "amount", "kind"})


def test_a_real_server_prints_what_is_read():
    server = pytest.importorskip("mcp.server").MCPServer("desk")
    server.add_tool(refund)
    listed = asyncio.run(server.list_tools())
    printed = [json.loads(tool.model_dump_json(by_alias=True)) for tool in listed]
    (read,) = read_tools({"tools": printed})
    assert (read.name, set(read.properties)) == ("refund", {"order", "amount", "kind"})
    assert names(listed) == ["refund"], "as objects, too"


def test_an_open_policy_loads():
    load_texts({"p.yaml": POLICY}, warm=False)
