"""The GitHub Action and the pre-commit hooks, run for real: built, installed, called.

Both install the package as their users do, which asks the package index. Where there is none they
are skipped and say so, which in CI is a defect like any other skipped test.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import venv
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
import yaml
from support import ROOT

ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
STEPS = ACTION["runs"]["steps"]
NO_INDEX = re.compile(
    r"No matching distribution|Could not find a version|Temporary failure in name resolution"
    r"|Connection (?:refused|error|broken)|Network is unreachable|Failed to establish",
)
PASSING = """\
tests:
  - {name: reads, request: {tool: read, args: {id: 1}}, expect: {effect: allow}}
"""
FAILING = PASSING.replace("allow", "deny").replace("reads", "no")
GOOD = """\
policy: desk
language: 1
tools:
  read: {args: {id: {type: integer, minimum: 1, maximum: 9}}}
"""


def or_no_index(done):
    """Return a finished process; skip where it found no package index."""
    said = f"{done.stdout}\n{done.stderr}"
    if done.returncode and NO_INDEX.search(said):
        pytest.skip(f"no package index to install from: {NO_INDEX.search(said)[0]}")
    return done


# The action


def given(text, inputs):
    """Put the inputs, and where the action stands, into a text as GitHub does."""
    known = {f"inputs.{name}": value for name, value in inputs.items()}
    known["github.action_path"] = str(ROOT)
    return re.sub(r"\$\{\{ *([a-z_.-]+) *\}\}", lambda match: known[match[1]], text)


def runs(step, inputs):
    """Evaluate the `if` of a step, where nobody cancelled and everything was installed."""
    condition = step.get("if", "true").removeprefix("${{").removesuffix("}}")
    terms = [term.strip() for term in condition.split("&&")]
    known = {"true": True, "!cancelled()": True, "steps.install.outcome == 'success'": True}
    return all(
        known[t] if t in known else inputs[re.fullmatch(r"inputs\.(\w+) != ''", t)[1]]
        for t in terms
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """An environment in which the action's own step has installed the package."""
    folder = tmp_path_factory.mktemp("runner") / "python"
    venv.create(folder, with_pip=True)
    done = run_step(step_named("Install"), {"package": ""}, folder, folder.parent)
    assert or_no_index(done).returncode == 0, done.stderr
    return folder


def step_named(name):
    return next(step for step in STEPS if step.get("name") == name)


def run_step(step, inputs, python, folder):
    """Run a step as the runner does: its script in a file, its inputs in the environment."""
    assert step["shell"] == "bash"
    script = folder / "step.sh"
    script.write_text(step["run"], "utf-8")
    keep = ("HOME", "LANG", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_CERT")
    env = {name: os.environ[name] for name in keep if name in os.environ}
    env |= {name: given(value, inputs) for name, value in step.get("env", {}).items()}
    env["PATH"] = f"{python / 'bin'}:/usr/bin:/bin"
    env["GITHUB_STEP_SUMMARY"] = str(folder / "summary.md")
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)]
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.fixture
def action(installed, tmp_path):
    """Return what runs the action in a repository, and gives its exit codes, output and summary."""

    def run(**inputs):
        values = {name: one.get("default", "") for name, one in ACTION["inputs"].items()}
        values |= {name.replace("_", "-"): value for name, value in inputs.items()}
        codes, output = {}, ""
        for step in STEPS:
            if step.get("name") in {"Lint", "Test"} and runs(step, values):
                done = run_step(step, values, installed, tmp_path)
                codes[step["name"]] = done.returncode
                output += done.stdout + done.stderr
        summary = tmp_path / "summary.md"
        return codes, output, summary.read_text("utf-8") if summary.exists() else ""

    return run


def repository(folder, policy=GOOD, tests=PASSING, name="policies"):
    place = folder / name
    (place / "tests").mkdir(parents=True)
    (place / "desk.yaml").write_text(policy, "utf-8")
    (place / "tests" / "t.yaml").write_text(f"policies: ../desk.yaml\n{tests}", "utf-8")
    return place


def test_the_action_fits_the_schema_of_github():
    file = (
        resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / "github-actions.json"
    )
    schema = json.loads(file.read_text("utf-8"))
    jsonschema.validators.validator_for(schema)(schema).validate(ACTION)


def test_no_input_stands_in_a_script():
    """What stands in a script is code; inputs come through the environment, and are quoted."""
    for step in STEPS:
        assert "${{" not in step.get("run", "")
        for name in re.findall(r"\$\{?([A-Z_]+)", step.get("run", "")):
            assert re.search(rf'"[^"\n]*\$\{{?{name}[^"\n]*"', step["run"]), f"{name} is not quoted"


def test_a_clean_set_passes(action, tmp_path):
    repository(tmp_path)
    codes, output, summary = action()
    assert codes == {"Lint": 0, "Test": 0}
    assert "::error" not in output
    assert "1 policy, 0 rules: no findings." in summary
    assert "1 test, each passed." in summary


def test_findings_fail_and_are_annotated(action, tmp_path):
    repository(tmp_path, f"{GOOD}default: allow\n")
    codes, output, summary = action()
    assert codes == {"Lint": 1, "Test": 0}, "the tests say what they have to say as well"
    assert re.search(r"^::error file=policies/desk.yaml,line=5,.*PE201::", output, re.MULTILINE)
    assert "| PE201 | error |" in summary


def test_a_set_that_does_not_load_fails(action, tmp_path):
    repository(tmp_path, f"{GOOD}toolz: {{}}\n")
    codes, output, summary = action()
    assert codes == {"Lint": 2, "Test": 2}
    assert output.count("::error file=policies/desk.yaml,line=5,") == 2
    assert summary.count("PE006") == 2


def test_failing_tests_fail(action, tmp_path):
    repository(tmp_path, tests=FAILING)
    codes, output, summary = action()
    assert codes == {"Lint": 0, "Test": 1}
    assert "::error file=policies/tests/t.yaml,line=3," in output
    assert "| failed | no: expected deny, got allow |" in summary


def test_low_coverage_fails_and_enough_passes(action, tmp_path):
    repository(tmp_path)
    assert action(min_coverage="100")[0] == {"Lint": 0, "Test": 1}
    codes, _, summary = action(min_coverage="1")
    assert codes == {"Lint": 0, "Test": 0}
    assert "coverage " in summary


def test_mutants_that_no_test_notices_fail(action, tmp_path):
    repository(tmp_path)
    codes, output, summary = action(min_mutation="100")
    assert codes == {"Lint": 0, "Test": 1}
    assert "::warning file=policies/desk.yaml" in output
    assert "| not noticed |" in summary


def test_no_tests_are_run_where_none_are_named(action, tmp_path):
    repository(tmp_path)
    shutil.rmtree(tmp_path / "policies" / "tests")
    assert action(tests="")[0] == {"Lint": 0}
    assert action()[0] == {"Lint": 0, "Test": 2}, "tests that are not there are no tests"


def test_tools_are_held_against_the_policies(action, tmp_path):
    repository(tmp_path)
    (tmp_path / "my tools.json").write_text('[{"name": "raed", "inputSchema": {}}]', "utf-8")
    codes, output, _ = action(tools="my tools.json\n")
    assert codes == {"Lint": 1, "Test": 0}
    assert "PE110" in output


HOSTILE = [
    "my policies",
    "a'b\"c",
    "$(touch owned)",
    "`touch owned`",
    "; touch owned;",
    "&& touch owned",
    "$HOME",
    "*",
    "-x",
    "--format",
    "a\\b",
    "#a",
    "ü→",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_an_input_is_a_name_and_no_code(action, tmp_path, name):
    repository(tmp_path, name=name)
    codes, output, _ = action(policies=name, tests=f"{name}/tests")
    assert codes == {"Lint": 0, "Test": 0}, output
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("value", ["1; touch owned", "$(touch owned)", "1 --jobs 9", "lots", "-1"])
def test_a_share_that_is_no_number_does_not_run(action, tmp_path, value):
    repository(tmp_path)
    codes, output, _ = action(min_coverage=value)
    assert codes == {"Lint": 0, "Test": 2}, output
    assert not (tmp_path / "owned").exists()


# The hooks


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """This repository as others would clone it: all that is not ignored, in one commit."""
    folder = tmp_path_factory.mktemp("published")
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    found = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, found.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    commit(folder)
    return folder


def commit(folder):
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    names = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    for command in (("init", "-q"), ("add", "."), (*names, "commit", "-qm", "one")):
        subprocess.run(["git", *command], cwd=folder, env=env, check=True)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Where pre-commit keeps the environments that it installs."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture
def hook(published, store, tmp_path):
    """Return what commits a repository whose hooks are ours, and runs one of them on a file."""
    head = ["git", "rev-parse", "HEAD"]
    revision = subprocess.run(head, cwd=published, capture_output=True, text=True, check=True)
    entry = {"repo": str(published), "rev": revision.stdout.strip()}
    entry["hooks"] = [{"id": "policy-lint"}, {"id": "policy-test"}]
    config = tmp_path / ".pre-commit-config.yaml"

    def run(name, path):
        config.write_text(json.dumps({"repos": [entry]}), "utf-8")
        commit(tmp_path)
        program = Path(sys.executable).with_name("pre-commit")
        done = subprocess.run(
            [program, "run", name, "--files", path],
            cwd=tmp_path,
            env={**os.environ, "PRE_COMMIT_HOME": str(store)},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        return or_no_index(done)

    return run


def test_the_lint_hook_lets_a_clean_policy_pass(hook, tmp_path):
    repository(tmp_path)
    done = hook("policy-lint", "policies/desk.yaml")
    assert re.search(r"^lint policies\.+Passed$", done.stdout, re.MULTILINE), done.stdout
    assert done.returncode == 0


def test_the_lint_hook_stops_a_flawed_policy(hook, tmp_path):
    repository(tmp_path, f"{GOOD}default: allow\n")
    done = hook("policy-lint", "policies/desk.yaml")
    assert done.returncode == 1
    wanted = "policies/desk.yaml:5:10: error: whatever no entry names is allowed [PE201]"
    assert wanted in done.stdout


def test_the_test_hook_stops_a_failing_test(hook, tmp_path):
    repository(tmp_path, tests=FAILING)
    done = hook("policy-test", "policies/tests/t.yaml")
    assert done.returncode == 1
    assert "expected deny, got allow" in done.stdout


def test_the_hooks_leave_other_files_alone(hook, tmp_path):
    repository(tmp_path, f"{GOOD}default: allow\n")
    (tmp_path / "readme.md").write_text("x", "utf-8")
    done = hook("policy-lint", "readme.md")
    assert done.returncode == 0
    assert "(no files to check)Skipped" in done.stdout
