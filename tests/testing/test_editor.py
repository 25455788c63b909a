"""Editors: a real YAML language server checks files by the line that stands in them."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SERVER = os.environ.get("POLICY_ENGINE_YAML_SERVER") or shutil.which("yaml-language-server")
NODE = shutil.which("node")
FILES = sorted((ROOT / "policies").rglob("*.yaml"))

pytestmark = pytest.mark.skipif(
    not (SERVER and NODE),
    reason="no yaml-language-server: npm install yaml-language-server, and name it in "
    "POLICY_ENGINE_YAML_SERVER",
)


def said(path):
    """Return what the server says of a file as it stands: line and message."""
    client = Path(__file__).with_name("language_server.mjs")
    found = subprocess.run(
        [NODE, client, SERVER, path], capture_output=True, text=True, timeout=120, check=True
    )
    return [(one["line"], one["message"]) for one in json.loads(found.stdout)]


def run(*arguments, folder):
    done = subprocess.run(
        [sys.executable, "-m", "policy_engine", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stderr
    return done.stdout


def spoil(path, old, new):
    """Put a mistake into a file; return its line."""
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    return text[: text.index(old)].count("\n") + 1


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_an_editor_finds_nothing_wrong(path):
    assert said(path) == []


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("retail.yaml", "\ntools:", "\ntoolz:"),
        ("support-desk/billing.yaml", "\ntools:", "\ntoolz:"),
        ("tests/base.yaml", "\ntests:", "\ntestz:"),
    ],
)
def test_an_editor_underlines_a_mistake_in_a_shipped_file(tmp_path, name, old, new):
    """Its own line, as it stands, leads to the schema: the folder is copied as it is."""
    folder = tmp_path / "policies"
    shutil.copytree(ROOT / "policies", folder)
    line = spoil(folder / name, old, new)
    assert (line + 1, f"Property {new.strip(':').strip()} is not allowed.") in said(folder / name)


@pytest.mark.parametrize("template", ["support", "data", "research", "banking"])
def test_an_editor_checks_what_init_writes(tmp_path, template):
    run("init", "rules", "--template", template, folder=tmp_path)
    policy = tmp_path / "rules" / f"{template}.yaml"
    assert said(policy) == []
    line = spoil(policy, "\ntools:", "\ntoolz:")
    assert said(policy) == [(line + 1, "Property toolz is not allowed.")]


@pytest.mark.parametrize("schema", ["rules/desk", "rules", "."])
def test_an_editor_follows_the_line_that_lint_writes(tmp_path, schema):
    folder = tmp_path / "rules" / "desk"
    folder.mkdir(parents=True)
    policy = folder / "p.yaml"
    policy.write_text("policy: p\nlanguage: 1\ntools: {pay: deny}\n", "utf-8")
    written = run("schema", "policy", folder=tmp_path)
    (tmp_path / schema / "policy.schema.json").write_text(written, "utf-8")
    run("lint", "rules", "--persona", "pedantic", "--fix", folder=tmp_path)
    assert "$schema=" in policy.read_text("utf-8").splitlines()[0]
    assert said(policy) == []
    spoil(policy, "\ntools:", "\ntoolz:")
    assert said(policy) == [(4, "Property toolz is not allowed.")]


def test_an_editor_underlines_a_key_of_a_test_that_is_unknown(tmp_path):
    (tmp_path / "test.schema.json").write_text(run("schema", "test", folder=tmp_path), "utf-8")
    test = tmp_path / "test.yaml"
    test.write_text(
        "# yaml-language-server: $schema=test.schema.json\npolicies: ..\ntests:\n"
        "  - {name: a, expekt: {}, steps: [{tool: t}]}\n",
        "utf-8",
    )
    assert said(test) == [(4, "Property expekt is not allowed.")]


def test_a_line_that_leads_nowhere_is_told_apart(tmp_path):
    """Were the line never followed, none of the tests above could fail."""
    policy = tmp_path / "p.yaml"
    policy.write_text("# yaml-language-server: $schema=gone.json\npolicy: p\n", "utf-8")
    ((_, message),) = said(policy)
    assert "Unable to load schema" in message
