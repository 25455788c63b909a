"""SARIF and annotations name files from the root of the repository, wherever lint is run."""

import json
import os
import re

import pytest
from typer.testing import CliRunner

from policy_engine.cli.app import app
from policy_engine.report.rooted import rooted

POLICY = "policy: p\nlanguage: 1\ndefault: allow\ntools: {pay: deny}\n"
TESTS = """\
policies: ../a.yaml
tests:
  - {name: no, request: {tool: pay}, expect: {effect: allow}}
"""


@pytest.fixture(autouse=True)
def outside_of_actions(monkeypatch):
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


@pytest.fixture
def repository(tmp_path):
    """A repository with a policy and its tests, below a folder that is in none."""
    root = tmp_path / "desk"
    (root / "policies" / "tests").mkdir(parents=True)
    (root / "sub" / "deep").mkdir(parents=True)
    (root / ".git").mkdir()
    (root / "policies" / "a.yaml").write_text(POLICY, "utf-8")
    (root / "policies" / "tests" / "t.yaml").write_text(TESTS, "utf-8")
    return root


def run(*arguments):
    return CliRunner().invoke(app, [str(one) for one in arguments]).stdout


def sarif(path):
    results = json.loads(run("lint", path, "--format", "sarif"))["runs"][0]["results"]
    (one,) = [one for one in results if one["ruleId"] == "PE201"]
    place = one["locations"][0]["physicalLocation"]["artifactLocation"]
    return place, one["partialFingerprints"]["policyEngine/v1"]


def annotated(verb, path):
    lines = run(verb, path, "--format", "github").splitlines()
    return {found[1] for line in lines if (found := re.search(r"^::error file=([^,]*),", line))}


INSIDE = {"uri": "policies/a.yaml", "uriBaseId": "%SRCROOT%"}
FROM = [
    (".", "policies"),
    (".", "./policies/a.yaml"),
    ("policies", "a.yaml"),
    ("sub/deep", "../../policies"),
    ("sub/deep", "../../sub/../policies/a.yaml"),
    ("..", "desk/policies"),
    ("sub", None),
]


@pytest.mark.parametrize(("folder", "path"), FROM)
def test_a_file_is_named_from_the_root(repository, monkeypatch, folder, path):
    """None is the absolute path."""
    monkeypatch.chdir(repository)
    usual = sarif("policies/a.yaml")
    monkeypatch.chdir(repository / folder)
    where = path or repository / "policies"
    assert sarif(where) == usual == (INSIDE, usual[1]), "and its fingerprint stays"
    assert annotated("lint", where) == {"policies/a.yaml"}


def test_tests_are_named_so_too(repository, monkeypatch):
    monkeypatch.chdir(repository / "sub")
    assert annotated("test", "../policies/tests") == {"policies/tests/t.yaml"}


def test_a_worktree_has_a_file_in_the_place_of_the_folder(repository, monkeypatch):
    (repository / ".git").rmdir()
    (repository / ".git").write_text("gitdir: /elsewhere\n", "utf-8")
    monkeypatch.chdir(repository / "sub")
    assert sarif("../policies")[0] == INSIDE


def test_the_workspace_of_github_is_the_root(repository, monkeypatch):
    """In a repository that was checked out below it, or without its `.git`."""
    monkeypatch.setenv("GITHUB_WORKSPACE", str(repository.parent))
    monkeypatch.chdir(repository / "sub")
    assert annotated("lint", "../policies") == {"desk/policies/a.yaml"}
    (repository / ".git").rmdir()
    assert sarif("../policies")[0]["uri"] == "desk/policies/a.yaml"


@pytest.mark.parametrize("workspace", ["", "/nowhere", "sub"])
def test_a_workspace_that_is_elsewhere_counts_for_nothing(repository, monkeypatch, workspace):
    monkeypatch.setenv("GITHUB_WORKSPACE", workspace and str(repository / workspace))
    monkeypatch.chdir(repository / "sub")
    assert sarif("../policies")[0] == INSIDE


def test_outside_of_a_repository_paths_stay_as_given(repository, monkeypatch):
    (repository / ".git").rmdir()
    monkeypatch.chdir(repository)
    assert sarif("policies")[0] == INSIDE
    monkeypatch.chdir(repository / "sub")
    assert annotated("lint", "../policies") == {"../policies/a.yaml"}
    absolute = repository / "policies"
    assert sarif(absolute)[0] == {"uri": f"file://{absolute}/a.yaml"}


def test_a_link_is_a_file_of_the_repository_that_it_stands_in(repository, monkeypatch, tmp_path):
    (tmp_path / "shared.yaml").write_text(POLICY.replace("p\n", "q\n", 1), "utf-8")
    (repository / "policies" / "b.yaml").symlink_to(tmp_path / "shared.yaml")
    (tmp_path / "link").symlink_to(repository, target_is_directory=True)
    monkeypatch.chdir(tmp_path / "link")
    assert annotated("lint", "policies") == {"policies/a.yaml", "policies/b.yaml"}


@pytest.mark.parametrize("path", ["a\0b", "\ud800", "x" * 5000, ""])
def test_what_is_no_path_is_none_of_a_repository(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    assert rooted(path) is None


def test_a_circle_of_links_is_no_repository(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.symlink("round", "round")  # noqa: PTH211 - the shortest circle
    assert rooted("round/a.yaml") is None
