"""The line by which editors find the schema: what `--fix` writes leads to a file that is there."""

import re

import pytest
from typer.testing import CliRunner

from policy_engine.cli.app import app

POLICY = "policy: p\nlanguage: 1\ndescription: é 🙂\nowner: o\ntools: {pay: deny}\n"
LINE = "# yaml-language-server: $schema="


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Return what writes a policy, with or without the schema in a folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules" / "desk").mkdir(parents=True)
    (tmp_path / "other").mkdir()

    def write(text, schema=None):
        file = tmp_path / "rules" / "desk" / "p.yaml"
        file.write_bytes(text.encode())
        if schema is not None:
            made = CliRunner().invoke(app, ["schema", "policy"]).stdout
            (tmp_path / schema / "policy.schema.json").write_text(made, "utf-8")
        return file

    return write


def lint(*options):
    done = CliRunner().invoke(app, ["lint", "rules", "--persona", "pedantic", *options])
    return done.stdout


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("schema", "leads"),
    [
        ("rules/desk", "policy.schema.json"),
        ("rules", "../policy.schema.json"),
        (".", "../../policy.schema.json"),
    ],
)
def test_mending_writes_a_line_that_leads_to_the_schema(project, ends, schema, leads):
    before = POLICY.replace("\n", ends)
    file = project(before, schema)
    assert f"begin with `{LINE}{leads}`" in lint()
    lint("--fix")
    assert file.read_bytes().decode() == f"{LINE}{leads}{ends}{before}"
    assert (file.parent / leads).is_file()
    assert "PE310" not in lint()


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_no_fix_mixes_the_ends_of_lines(project, ends):
    text = (
        "policy: p\nlanguage: 1\n# lint: ignore[PE207] no more\ntools:\n  pay:\n"
        "    args: {force: {type: boolean}}  # lint: ignore[PE203] nor here\n"
        "    rules:\n      - {id: b, when: args.force == true, effect: deny}\n"
    )
    file = project(text.replace("\n", ends), ".")
    lint("--fix")
    after = file.read_bytes().decode()
    assert LINE in after
    assert "lint:" not in after
    assert "== true" not in after
    assert set(re.findall(r"\r\n|\r|\n", after)) == {ends}


def test_without_a_schema_the_finding_says_how_to_write_one(project):
    file = project(POLICY)
    said = lint("--fix")
    assert "`policy-engine schema policy > policy.schema.json` writes it" in said
    assert file.read_text("utf-8") == POLICY


def test_a_line_that_leads_nowhere_is_found_and_mended(project):
    file = project(f"{LINE}policy.schema.json\n{POLICY}", ".")
    assert 'rules/desk/p.yaml:1:33: info: there is no schema "policy.schema.json"' in lint()
    lint("--fix")
    assert file.read_text("utf-8") == f"{LINE}../../policy.schema.json\n{POLICY}"


def test_a_line_that_leads_nowhere_stays_where_no_schema_is_known(project):
    text = f"{LINE}gone.json\n{POLICY}"
    file = project(text, "other")
    assert 'there is no schema "gone.json"' in lint("--fix")
    assert file.read_text("utf-8") == text


@pytest.mark.parametrize("target", ["https://example.com/s.json", "file:///nowhere/s.json"])
def test_an_address_is_not_looked_up(project, target):
    project(f"{LINE}{target}\n{POLICY}", ".")
    assert "PE310" not in lint()


def test_a_file_of_another_name_that_is_there_does(project):
    file = project(f"{LINE}mine.json\n{POLICY}", ".")
    (file.parent / "mine.json").write_text("{}", "utf-8")
    assert "PE310" not in lint()


@pytest.mark.parametrize("root", [".git", "pyproject.toml"])
def test_what_stands_above_the_project_is_not_its_own(project, root, tmp_path):
    file = project(POLICY, ".")
    (tmp_path / "rules" / root).mkdir()
    assert "writes it" in lint("--fix")
    assert file.read_text("utf-8") == POLICY
