"""`lint --tools`: the tools of an MCP server, which policies call `server/name`."""

import asyncio
import json
import sys

import pytest
from mcp.server import MCPServer
from typer.testing import CliRunner

from policy_engine.cli.app import app
from policy_engine.lint.registry import RegistryError, tools_from

POLICY = """\
policy: files
language: 1
tools:
  files/read_file: {args: {path: {type: string, pattern: '^/data/[a-z]+$'}}}
"""
SERVER = """\
import sys
from agents import Agent
from agents.mcp import MCPServerStdio
from mcp.server import MCPServer

files = MCPServer("files")

@files.tool()
def read_file(path: str) -> str:
    "Read."
    return ""

if __name__ == "__main__":
    files.run()
client = MCPServerStdio({"command": sys.executable, "args": [__file__]}, name="files")
lost = MCPServerStdio({"command": sys.executable, "args": ["-c", "exit(3)"]}, name="lost")
both = [files, Agent(name="a", handoffs=[Agent(name="b", tools=[])])]

class Broken:
    name = "odd"
    @property
    def other(self):
        raise RuntimeError("not yet")
    async def list_tools(self):
        raise OSError("the disk is gone")

class Foreign(Broken):
    async def connect(self):
        raise AssertionError("nobody asked for it")

class Lazy:
    @property
    def manager(self):
        raise RuntimeError("not yet")

broken, foreign, lazy = Broken(), Foreign(), Lazy()
"""


def read_file(path: str) -> str:
    """Read."""
    return path


@pytest.fixture(scope="module")
def listed():
    """What a real server answers to `tools/list`."""
    server = MCPServer("files")
    server.add_tool(read_file)
    tools = asyncio.run(server.list_tools())
    return [json.loads(one.model_dump_json(by_alias=True)) for one in tools]


@pytest.fixture
def project(listed, tmp_path, monkeypatch):
    """A policy, a module with servers, and what one answers, in four forms."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "files.yaml").write_text(POLICY, "utf-8")
    (tmp_path / "served.py").write_text(SERVER, "utf-8")
    monkeypatch.delitem(sys.modules, "served", raising=False)
    forms = {
        "list": listed,
        "answer": {"tools": listed},
        "message": {"jsonrpc": "2.0", "id": 1, "result": {"tools": listed}},
        "named": {"files": listed},
    }
    for name, value in forms.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(value), "utf-8")
    yield tmp_path
    sys.modules.pop("served", None)


def lint(*options):
    done = CliRunner().invoke(app, ["lint", "files.yaml", *options])
    return done.exit_code, done.stdout, done.stderr


def found(*options):
    done = CliRunner().invoke(app, ["lint", "files.yaml", "--format", "json", *options])
    return {one["code"]: one["hint"] for one in json.loads(done.stdout)["findings"]}


@pytest.mark.parametrize("form", ["list", "answer", "message", "named"])
def test_a_server_is_named_before_what_it_lists(project, form):
    assert found("--tools", f"files={form}.json") == {}


def test_a_file_that_names_the_server_needs_no_more(project):
    assert found("--tools", "named.json") == {}


@pytest.mark.parametrize("form", ["list", "answer", "message"])
def test_what_is_listed_without_a_server_is_said(project, form):
    hint = found("--tools", f"{form}.json")["PE110"]
    assert hint == (
        f'"read_file" is listed without a server: if it is of "files", '
        f"write `--tools files={form}.json`"
    )
    assert found(*hint.partition("`")[2].removesuffix("`").split()) == {}


def test_a_server_of_another_name_is_a_misspelling(project):
    (project / "files.yaml").write_text(POLICY.replace("files/", "flies/"), "utf-8")
    assert found("--tools", "named.json")["PE110"] == 'did you mean "files/read_file"?'


def test_a_server_named_twice_is_refused(project):
    with pytest.raises(RegistryError) as caught:
        tools_from("docs=named.json")
    assert str(caught.value) == (
        'named.json: "files/read_file" names its MCP server already: leave out "docs="'
    )


def test_a_file_whose_name_holds_the_sign_is_a_file(project):
    (project / "a=b.json").write_text('[{"name": "pay"}]', "utf-8")
    assert [one.name for one in tools_from("a=b.json")] == ["pay"]
    assert [one.name for one in tools_from("s=a=b.json")] == ["s/pay"]


def test_the_project_names_servers_too(project, monkeypatch):
    settings = '[tool.policy-engine]\ntools = ["files=answer.json"]\n'
    (project / "pyproject.toml").write_text(settings, "utf-8")
    (project / "deep").mkdir()
    monkeypatch.chdir(project / "deep")
    done = CliRunner().invoke(app, ["lint", "../files.yaml"])
    assert (done.exit_code, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "source", ["served:files", "files=served:files", "served:both", "served:client"]
)
def test_a_server_of_the_application_lists_its_tools(project, source):
    assert lint("--tools", source) == (0, "1 policy, 0 rules: no findings\n", "")


def test_an_application_may_name_a_server_anew(project):
    code, said, _ = lint("--tools", "docs=served:files")
    assert code == 1
    assert 'did you mean "docs/read_file"?' in said


SAVE = "save what it answers to `tools/list`, and give that: --tools NAME=FILE"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("foreign", f'the MCP server "odd" lists nothing until it is connected; {SAVE}'),
        (
            "broken",
            f'the MCP server "odd" did not list its tools: OSError: the disk is gone; {SAVE}',
        ),
        ("lost", 'the tools of the server "lost" could not be listed: MCPError: Connection closed'),
    ],
)
def test_a_server_that_does_not_list_its_tools(project, name, why):
    assert lint("--tools", f"served:{name}") == (
        *(2, ""),
        f"policy-engine: --tools served:{name}: {why}\n",
    )


def test_an_attribute_that_raises_is_no_tool(project):
    code, _, said = lint("--tools", "served:lazy")
    assert (code, said) == (2, "policy-engine: --tools served:lazy lists no tool\n")
