"""`init`: what it writes loads, decides as its examples say, and overwrites nothing."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from policy_engine.cli.init import TEMPLATES

POSIX = pytest.mark.skipif(os.name == "nt", reason="the shell of Windows quotes otherwise")


def run(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "policy_engine", *arguments],
        cwd=cwd,
        env={**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def begin(folder, *arguments):
    done = run("init", *arguments, cwd=folder)
    assert (done.stderr, done.returncode) == ("", 0)
    return done.stdout


@pytest.fixture(scope="module", params=TEMPLATES)
def template(request):
    return request.param


@pytest.fixture(scope="module")
def begun(template, tmp_path_factory):
    """A folder in which `init` was run with a template."""
    folder = tmp_path_factory.mktemp(template)
    begin(folder, "--template", template)
    return folder


def test_a_template_lints_clean_and_decides_as_its_examples_say(template, begun):
    lint = run("lint", "policies", cwd=begun)
    assert lint.returncode == 0
    assert "no findings" in lint.stdout
    examples = Path("policies", "examples", f"{template}.jsonl")
    replay = run("replay", "--policies", "policies", str(examples), "--format", "json", cwd=begun)
    assert replay.returncode == 0
    assert json.loads(replay.stdout)["expectations"]["unmet"] == 0


def test_every_rule_and_limit_of_a_template_speaks_in_an_example(template, begun):
    text = (begun / "policies" / f"{template}.yaml").read_text("utf-8")
    named = {f"{template}/{found}" for found in re.findall(r"\bid: ([a-z0-9-]+)", text)}
    out = begun / "decisions.jsonl"
    examples = f"policies/examples/{template}.jsonl"
    run("replay", "--policies", "policies", examples, "--out", str(out), cwd=begun)
    decisions = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    spoke = {reason["rule"] for decision in decisions for reason in decision["reasons"]}
    assert named - spoke == set()


def test_every_line_of_the_examples_says_what_is_expected(template, begun):
    lines = (begun / f"policies/examples/{template}.jsonl").read_text("utf-8").splitlines()
    steps = [step for line in lines for step in json.loads(line).get("steps", [json.loads(line)])]
    assert all(step["expect"]["effect"] for step in steps)
    assert {"allow", "deny"} <= {step["expect"]["effect"] for step in steps}


def test_an_editor_finds_the_schema_beside_the_policy(template, begun):
    file = begun / "policies" / f"{template}.yaml"
    first = file.read_text("utf-8").splitlines()[0]
    found = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    schema = json.loads((file.parent / found[1]).read_text("utf-8"))
    assert schema == json.loads(run("schema", "policy", cwd=begun).stdout)
    jsonschema.validate(yaml.safe_load(file.read_text("utf-8")), schema)


def test_a_template_speaks_to_a_reader_from_compliance(template, begun):
    text = (begun / "policies" / f"{template}.yaml").read_text("utf-8")
    assert "# How to read this file" in text
    rules = len(re.findall(r"\bid: [a-z0-9-]+", text))
    told = len(re.findall(r"\bmessage: ", text))
    redactions = len(re.findall(r"effect: redact", text))
    assert told >= rules - redactions


NEXT = {
    "support": (1, "A refund is above 0 and at most 500."),
    "data": (1, "Exports above 1000 rows need an approval from the owner of the data."),
    "research": (1, "Mails go to one plain address at example.com."),
    "banking": (1, "Ask the owner to confirm a payment of this size."),
}


@POSIX
def test_the_next_three_commands_can_be_pasted(template, tmp_path):
    folder = "my policies"
    said = begin(tmp_path, folder, "--template", template)
    commands = [line.strip() for line in said.split("Now:\n")[1].splitlines()]
    done = [run(*shlex.split(command)[1:], cwd=tmp_path) for command in commands]
    assert [command.split()[1] for command in commands] == ["lint", "replay", "decide"]
    code, message = NEXT[template]
    assert [one.returncode for one in done] == [0, 0, code]
    assert [one.stderr for one in done] == ["", "", ""]
    assert message in done[2].stdout


def test_it_says_what_it_wrote(tmp_path):
    said = begin(tmp_path)
    wrote = re.findall(r"^wrote (\S+)", said, re.MULTILINE)
    assert sorted(wrote) == sorted(
        path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()
    )
    assert wrote[0] == "policies/support.yaml"


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("there", ["support.yaml", "examples/support.jsonl"])
def test_nothing_that_exists_is_overwritten(there, tmp_path):
    file = tmp_path / "policies" / there
    file.parent.mkdir(parents=True)
    file.write_text("mine", "utf-8")
    done = run("init", cwd=tmp_path)
    assert done.returncode == 2
    assert f"{Path('policies') / there} exists, so nothing was written" in done.stderr
    assert contents(tmp_path) == {file: b"mine"}


def test_a_second_time_names_all_that_is_there(tmp_path):
    begin(tmp_path)
    before = contents(tmp_path)
    done = run("init", cwd=tmp_path)
    assert done.returncode == 2
    assert "support.yaml and" in done.stderr
    assert "support.jsonl exist," in done.stderr
    assert contents(tmp_path) == before


@POSIX
def test_a_link_that_leads_nowhere_is_there_too(tmp_path):
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "support.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    done = run("init", cwd=tmp_path)
    assert done.returncode == 2
    assert not (tmp_path / "elsewhere.yaml").exists()


def test_templates_stand_side_by_side(tmp_path):
    for template in TEMPLATES:
        begin(tmp_path, "--template", template)
    done = run("lint", "policies", cwd=tmp_path)
    assert done.returncode == 0
    assert f"{len(TEMPLATES)} policies" in done.stdout


def test_a_schema_that_is_there_is_kept(tmp_path):
    schema = tmp_path / "policies" / "policy.schema.json"
    schema.parent.mkdir()
    schema.write_text("{}", "utf-8")
    said = begin(tmp_path)
    assert "schema.json" not in said
    assert schema.read_text("utf-8") == "{}"


REFUSED = [
    (("--template", "suport"), '"suport" is not a template: did you mean "support"?'),
    (("--template", "Banking"), '"Banking" is not a template: did you mean "banking"?'),
    (("--template", "x\x1b[2J"), '"x\\x1b[2J" is not a template: there are support, data'),
    (("policy.yaml",), '"policy.yaml" names a file; name the folder'),
    (("taken",), '"taken" is a file; name a folder'),
]


@pytest.mark.parametrize(("arguments", "said"), REFUSED, ids=[repr(a) for a, _ in REFUSED])
def test_what_cannot_be_done_is_said(arguments, said, tmp_path):
    (tmp_path / "taken").write_text("", "utf-8")
    done = run("init", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.rglob("*")] == ["taken"]


def test_a_folder_below_a_file_is_said(tmp_path):
    (tmp_path / "taken").write_text("", "utf-8")
    done = run("init", "taken/policies", cwd=tmp_path)
    assert done.returncode == 2
    assert "Not a directory" in done.stderr or "taken" in done.stderr
    assert "Traceback" not in done.stderr


def test_every_template_has_its_files_and_every_file_its_template():
    folder = Path(__file__).parent.parent / "policy_engine" / "cli" / "templates"
    there = {path.name for path in folder.iterdir() if path.is_file()}
    assert there == {f"{name}.{end}" for name in TEMPLATES for end in ("yaml", "jsonl")}
