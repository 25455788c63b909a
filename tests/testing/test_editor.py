"""Editors: a real YAML language server checks policies and tests by the published schemas."""

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
FILES = [
    *(("policy", path) for path in sorted((ROOT / "policies").glob("*.yaml"))),
    *(("policy", path) for path in sorted((ROOT / "policies" / "support-desk").glob("*.yaml"))),
    *(("test", path) for path in sorted((ROOT / "policies" / "tests").glob("*.yaml"))),
]

pytestmark = pytest.mark.skipif(
    not (SERVER and NODE),
    reason="no yaml-language-server: npm install yaml-language-server, and name it in "
    "POLICY_ENGINE_YAML_SERVER",
)


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    folder = tmp_path_factory.mktemp("schemas")
    for kind in ("policy", "test"):
        made = subprocess.run(
            [sys.executable, "-m", "policy_engine", "schema", kind],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
        (folder / f"{kind}.json").write_bytes(made.stdout)

    def ask(kind, path):
        client = Path(__file__).with_name("language_server.mjs")
        found = subprocess.run(
            [NODE, client, SERVER, folder / f"{kind}.json", path],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        return json.loads(found.stdout)

    return ask


@pytest.mark.parametrize(("kind", "path"), FILES, ids=lambda value: getattr(value, "name", value))
def test_an_editor_finds_nothing_wrong(said, kind, path):
    assert said(kind, path) == []


def test_an_editor_underlines_a_key_that_is_unknown(said, tmp_path):
    line = "# yaml-language-server: $schema=https://example.com/schema.json\n"
    test = tmp_path / "test.yaml"
    test.write_text(
        f"{line}policies: ..\ntests:\n  - {{name: a, expekt: {{}}, steps: [{{tool: t}}]}}\n"
    )
    assert [(one["line"], one["message"]) for one in said("test", test)] == [
        (4, "Property expekt is not allowed.")
    ]
    policy = tmp_path / "policy.yaml"
    policy.write_text(f"{line}policy: a\nlanguage: 1\ntoolz: {{}}\n")
    assert [(one["line"], one["message"]) for one in said("policy", policy)] == [
        (4, "Property toolz is not allowed.")
    ]
