"""The README's `[tool.policy-engine]`: every key that there is, and what each says is so."""

import json
import re
import tomllib

import pytest
from support import ROOT
from typer.testing import CliRunner

from policy_engine.cli.app import app
from policy_engine.lint import RULES, Settings, read_settings
from policy_engine.lint.settings import KEYS

README = (ROOT / "README.md").read_text("utf-8")
(BLOCK,) = re.findall(r"^```toml\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
TABLE = tomllib.loads(BLOCK)["tool"]["policy-engine"]
POLICY = """\
policy: p
language: 1
applies_to: {roles: [support]}
tools:
  pay: allow
  files/read: {args: {note: {type: string}}}
  wipe: {effect: require_approval, approval: {approvers: [legal], expires: 1h}}
"""


def test_every_key_is_told():
    assert set(TABLE) == set(KEYS)


def test_what_is_told_is_read():
    settings = read_settings(TABLE, frozenset(RULES))
    assert settings.tools == ("tools.json", "files=mcp.json")
    assert (settings.fail_level, settings.persona) == (Settings().fail_level, Settings().persona)


@pytest.mark.parametrize("option", ["tools", "reviewed", "baseline"])
def test_what_is_told_of_an_option_is_one(option):
    assert f"as --{option}: " in BLOCK
    assert f"--{option} " in CliRunner().invoke(app, ["lint", "--help"]).stdout


def test_what_is_told_is_done(tmp_path, monkeypatch):
    """The block as it stands, in a project with the files that it names."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.yaml").write_text(POLICY, "utf-8")
    schema = {"type": "object", "properties": {"id": {"type": "integer"}}}
    tools = [{"name": name, "inputSchema": schema} for name in ("pay", "wipe", "spare")]
    (tmp_path / "tools.json").write_text(json.dumps(tools), "utf-8")
    (tmp_path / "reviewed.json").write_text(json.dumps([*tools[:1], {"name": "old"}]), "utf-8")
    read = [{"name": "read", "inputSchema": schema}]
    (tmp_path / "mcp.json").write_text(json.dumps({"tools": read}), "utf-8")

    def codes(*options):
        done = CliRunner().invoke(app, ["lint", "p.yaml", "--format", "json", *options])
        assert done.stdout, done.stderr
        found = json.loads(done.stdout)["findings"]
        return {one["code"]: one["severity"] for one in found}, done.exit_code

    plain, _ = codes()
    assert plain["PE203"] == "warning"
    assert "PE116" in codes("--tools", "tools.json", "--tools", "files=mcp.json")[0]
    assert not {"PE119", "PE110", "PE111", "PE137"} & set(plain)
    (tmp_path / "pyproject.toml").write_text(BLOCK, "utf-8")
    (tmp_path / "known.json").write_text('{"version": 1, "findings": []}', "utf-8")
    told, code = codes()
    assert code == 1
    assert "PE116" not in told, "it is ignored"
    assert told["PE203"] == "error"
    assert "PE119" in told, "nobody has the role legal"
    assert "PE111" in told, "files/read is known, and has no argument of that name"
    assert "PE110" not in told
    assert "PE137" in told, "it is not as it was reviewed"
    assert codes("--update-baseline") == ({}, 0), "and then all of it is known"
