"""`coverage` and `tools export` on a graph of the OpenAI Agents SDK."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from policy_engine.cli.app import app
from policy_engine.tools import read_tools

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


def test_tools_are_written_as_lint_reads_them(run):
    found = run("tools", "export", "desk_app:triage")
    assert found.exit_code == 0, found.output
    tools = {tool.name: tool for tool in read_tools(json.loads(found.output))}
    assert set(tools) == {"web_search", "refund", "stray", "shop/buy", "shop/steal"}
    assert tools["refund"].properties["amount"]["type"] == "number"
    assert not tools["web_search"].typed
