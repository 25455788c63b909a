"""`policy-engine lint` in a project: formats, settings, tools, baseline, mending."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from policy_engine.cli.app import app

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
FLAWED = HERE.parent / "flawed"

FLAWS = """\
policy: bad
language: 1
default: allow
tools:
  pay:
    args:
      amount: {type: number, maximum: 500}
      force: {type: boolean}
    rules:
      - {id: a, when: 'args.amount > 1000', effect: deny}
      - {id: b, when: args.force == true, effect: deny}
      - {id: c, when: '!(args.amount == 3) && args.amount > 5 && args.amount > 9', effect: deny}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.yaml").write_text(FLAWS, "utf-8")
    return tmp_path


def lint(*arguments):
    return CliRunner().invoke(app, ["lint", *arguments])


def codes(*arguments):
    return [
        one["code"] for one in json.loads(lint(*arguments, "--format", "json").stdout)["findings"]
    ]


def test_no_finding_on_the_policies_of_this_project():
    done = lint(str(ROOT / "policies"), "--format", "json")
    said = json.loads(done.stdout)
    assert said["findings"] == []
    assert said["policies"] == len(list((ROOT / "policies").glob("*.yaml"))) + 4
    assert done.exit_code == 0


@pytest.mark.parametrize("path", sorted((ROOT / "policy_engine/cli/templates").glob("*.yaml")))
def test_no_finding_on_a_template(path):
    assert lint(str(path)).exit_code == 0


def test_exit_codes(project):
    assert lint("bad.yaml").exit_code == 1
    assert lint("bad.yaml", "--fail-level", "error").exit_code == 1
    (project / "broken.yaml").write_text("policy: x\n", "utf-8")
    assert lint("bad.yaml", "broken.yaml").exit_code == 2
    assert lint("nowhere.yaml").exit_code == 2
    (project / "odd.yaml").write_text(
        FLAWS.replace("default: allow", "default: deny")
        .replace("maximum: 500", "minimum: 0, maximum: 500")
        .split("    rules:")[0],
        "utf-8",
    )
    assert lint("odd.yaml").exit_code == 0


def test_mending_keeps_everything_else(project):
    before = FLAWS.replace("\n", "\r\n").replace("description", "d") + "# é end"
    (project / "bad.yaml").write_bytes(before.encode())
    (project / "bad.yaml").chmod(0o640)
    lint("bad.yaml", "--fix")
    after = (project / "bad.yaml").read_bytes().decode()
    expected = before.replace("args.force == true", "args.force").replace(
        "!(args.amount == 3) && args.amount > 5 && args.amount > 9", "args.amount > 9"
    )
    assert after == expected
    assert (project / "bad.yaml").stat().st_mode & 0o777 == 0o640
    assert not list(project.glob(".lint-*"))
    assert not {"PE104", "PE307", "PE309"} & set(codes("bad.yaml"))


def test_mending_a_silent_comment_takes_it_out(project):
    text = "policy: p\nlanguage: 1\n# lint: ignore[PE203] no more\n"
    text += "tools:\n  pay: deny  # lint: ignore[PE201] nor here\n"
    (project / "p.yaml").write_text(text, "utf-8")
    assert codes("p.yaml") == ["PE301", "PE301"]
    lint("p.yaml", "--fix")
    assert (project / "p.yaml").read_text(
        "utf-8"
    ) == "policy: p\nlanguage: 1\ntools:\n  pay: deny\n"


@pytest.mark.parametrize(
    "comment", ["ignore this one", "ignore[] this one", "ignore", "ignore-file"]
)
def test_a_comment_that_names_no_rule_silences_nothing_and_stays(project, comment):
    text = f"policy: p\nlanguage: 1\ntools:\n  pay: allow  # lint: {comment}\n"
    (project / "p.yaml").write_text(text, "utf-8")
    assert {"PE203", "PE301"} <= set(codes("p.yaml"))
    assert "it names no rule" in lint("p.yaml").stdout
    lint("p.yaml", "--fix")
    assert (project / "p.yaml").read_text("utf-8") == text


def test_a_baseline_leaves_what_is_new(project):
    assert lint("bad.yaml", "--baseline", "known.json", "--update-baseline").exit_code == 0
    assert codes("bad.yaml", "--baseline", "known.json") == []
    moved = FLAWS.replace("tools:\n", "tools:\n  wipe: allow\n")
    (project / "bad.yaml").write_text(moved, "utf-8")
    assert codes("bad.yaml", "--baseline", "known.json") == ["PE203"]


def test_a_baseline_holds_from_wherever_lint_is_run(project, monkeypatch):
    (project / "sub").mkdir()
    assert lint("bad.yaml", "--baseline", "sub/known.json", "--update-baseline").exit_code == 0
    said = json.loads((project / "sub" / "known.json").read_text("utf-8"))["findings"]
    assert {one["file"] for one in said} == {"../bad.yaml"}
    assert codes(str(project / "bad.yaml"), "--baseline", "sub/known.json") == []
    monkeypatch.chdir(project / "sub")
    assert codes("../bad.yaml", "--baseline", "known.json") == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "it has no list of findings"),
        ('{"version": 1, "findings": 3}', "it has no list of findings"),
        ('{"version": 2, "findings": []}', "version 2 of baselines is not known"),
        ("{", "it is not a baseline"),
    ],
)
def test_a_file_that_is_no_baseline(project, text, said):
    (project / "known.json").write_text(text, "utf-8")
    done = lint("bad.yaml", "--baseline", "known.json")
    assert (done.exit_code, said in done.output) == (2, True), done.output


def test_one_set_that_does_not_load_beside_one_that_does(project):
    (project / "good.yaml").write_text(FLAWS.replace("policy: bad", "policy: good"), "utf-8")
    said = lint("good.yaml", "missing.yaml").stdout
    assert "1 fault: no policy of its set was loaded" in said
    assert "1 policy, 3 rules" in said
    assert "1 fault: no policy was loaded" in lint("missing.yaml").stdout


def test_the_project_says_how_to_judge(project):
    settings = project / "pyproject.toml"
    settings.write_text(
        '[tool.policy-engine]\nignore = ["PE201"]\nroles = ["finance"]\nbaseline = "b.json"\n'
        'fail-level = "error"\n[tool.policy-engine.severity]\nPE214 = "info"\n',
        "utf-8",
    )
    assert lint("bad.yaml").exit_code == 2, "the baseline is missing"
    lint("bad.yaml", "--update-baseline")
    (project / "b.json").write_text('{"version": 1, "findings": []}', "utf-8")
    found = json.loads(lint("bad.yaml", "--format", "json").stdout)["findings"]
    by_code = {one["code"]: one["severity"] for one in found}
    assert "PE201" not in by_code
    assert by_code["PE214"] == "info"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("ignor = []", 'the key "ignor" is unknown: did you mean "ignore"?'),
        ('ignore = ["PE999"]', 'there is no rule "PE999"'),
        ('fail-level = "high"', '"fail-level" must be one of'),
        ('ignore = "PE201"', '"ignore" must be a list'),
        ("baseline = 3", '"baseline" must be the name of a file'),
        ('severity = {PE201 = "bad"}', '"severity" maps codes'),
        ("= 3", "pyproject.toml"),
    ],
)
def test_settings_that_do_not_do(project, table, said):
    (project / "pyproject.toml").write_text(f"[tool.policy-engine]\n{table}\n", "utf-8")
    done = lint("bad.yaml")
    assert done.exit_code == 2
    assert said in done.output


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool.policy_engine]\nfail-level = 'info'\n", "did you mean [tool.policy-engine]?"),
        ("[tool.PolicyEngine]\n", "did you mean [tool.policy-engine]?"),
        ("[tool]\npolicy-engine = 3\n", "[tool.policy-engine] must be a table"),
    ],
)
def test_a_table_that_is_none(project, text, said):
    (project / "pyproject.toml").write_text(text, "utf-8")
    done = lint("bad.yaml")
    assert (done.exit_code, said in done.output) == (2, True), done.output


def test_another_tool_is_none_of_ours(project):
    (project / "pyproject.toml").write_text("tool = 3\n", "utf-8")
    assert lint("bad.yaml").exit_code == 1
    (project / "pyproject.toml").write_text("[tool.other]\n", "utf-8")
    assert lint("bad.yaml").exit_code == 1


def test_an_exit_code_that_severities_decide(project):
    (project / "p.yaml").write_text(
        "policy: p\nlanguage: 1\ntools:\n"
        "  pay: {args: {amount: {type: number, minimum: 0, maximum: 50}}}  # TODO ask finance\n"
        "  # lint: ignore[PE203] the tool checks them\n"
        "  lookup: {args: {}}\n",
        "utf-8",
    )
    assert codes("p.yaml") == ["PE306", "PE301"]
    assert lint("p.yaml").exit_code == 0, "neither makes a policy worse"
    assert lint("p.yaml", "--fail-level", "info").exit_code == 1


TOOLS = '''
from typing import Literal

def pay(amount: float, force: bool = False, currency: Literal["USD", "EUR"] = "USD") -> str:
    """Pay."""

def wipe(path: str) -> str: ...

class Tool:
    name = "search"
    params_json_schema = {"type": "object", "properties": {"query": {"type": "string"}}}

class Agent:
    name = "agent"
    tools = [Tool(), pay]

agent, both, named = Agent(), [pay, wipe], {"a": pay, "b": Tool()}
nothing = 3
'''


def test_tools_of_a_module(project, monkeypatch):
    (project / "shop_tools.py").write_text(TOOLS, "utf-8")
    monkeypatch.syspath_prepend(str(project))
    assert codes("bad.yaml", "--tools", "shop_tools:pay", "--no-proofs").count("PE116") == 0
    assert codes("bad.yaml", "--tools", "shop_tools:both").count("PE116") == 1
    assert codes("bad.yaml", "--tools", "shop_tools:agent").count("PE116") == 1
    assert codes("bad.yaml", "--tools", "shop_tools:named").count("PE116") == 1
    for source in ("shop_tools:nothing", "shop_tools:missing", "no_such_module:x", "nowhere.json"):
        assert lint("bad.yaml", "--tools", source).exit_code == 2


SHAPES = {
    "mcp": {"tools": [{"name": "pay", "inputSchema": {"type": "object"}}]},
    "openai-chat": [{"type": "function", "function": {"name": "pay", "parameters": {}}}],
    "openai-responses": [{"type": "function", "name": "pay", "parameters": {}}],
    "anthropic": [{"name": "pay", "input_schema": {"type": "object"}}],
    "gemini": [{"functionDeclarations": [{"name": "pay", "parameters": {}}]}],
    "bedrock": {"tools": [{"toolSpec": {"name": "pay", "inputSchema": {"json": {}}}}]},
    "names": ["pay"],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_tools_as_others_print_them(project, shape):
    (project / "tools.json").write_text(json.dumps(SHAPES[shape]), "utf-8")
    found = codes("bad.yaml", "--tools", "tools.json")
    assert "PE110" not in found
    assert "PE116" not in found


def test_tools_of_a_server_carry_its_name(project):
    tools = {"bank": {"tools": [{"name": "pay", "inputSchema": {}}]}}
    (project / "tools.json").write_text(json.dumps(tools), "utf-8")
    found = json.loads(lint("bad.yaml", "--tools", "tools.json", "--format", "json").stdout)
    unknown = next(one for one in found["findings"] if one["code"] == "PE110")
    assert unknown["hint"] == 'did you mean "bank/pay"?'


def test_the_pedantic_hear_more(project):
    assert "PE304" not in codes("bad.yaml")
    assert "PE304" in codes("bad.yaml", "--persona", "pedantic")


def test_without_proofs_nothing_is_reasoned(project):
    assert "PE101" in codes("bad.yaml")
    assert "PE101" not in codes("bad.yaml", "--no-proofs")


OF_CASE = """\
policy: p
language: 1
tools:
  query:
    args: {sql: {type: string, maxLength: 500}}
    rules: [{id: a, when: 'args.sql.contains("DROP")', effect: deny}]
"""
COPIED = """\
policy: p
language: 1
tools:
  send_email:
    args: {to: {enum: [support@acme.com]}, bcc: {type: string, maxLength: 100}}
    rules:
      - {id: night, when: 'now.getHours("UTC") < 4', effect: deny}
"""


@pytest.mark.parametrize(
    ("text", "code", "stays"), [(OF_CASE, "PE217", False), (COPIED, "PE237", True)]
)
def test_what_is_found_without_proofs(project, text, code, stays):
    """A rule that looks for words asks for many calls; one about a copy needs a plain one."""
    (project / "p.yaml").write_text(text, "utf-8")
    assert code in codes("p.yaml")
    assert (code in codes("p.yaml", "--no-proofs")) is stays
    said = CliRunner().invoke(app, ["explain", code]).stdout
    assert ("not with --no-proofs" in said) is not stays


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("tools:\n  # lint: ignore[PE203] the tool checks\n  pay: allow\n", []),
        ("tools:\n  pay: allow  # lint: ignore[PE203] the tool checks\n", []),
        ("# lint: ignore-file[PE203] all of them check\ntools:\n  a: allow\n  b: allow\n", []),
        ("tools:\n  # lint: ignore[PE203] the tool checks\n  a: allow\n  b: allow\n", ["PE203"]),
        ("tools:\n  pay: allow  # lint: ignore[PE203]\n", ["PE302"]),
        ("tools:\n  pay: allow  # lint: ignore[PE203, PE214] both are right\n", ["PE301"]),
        ("# lint: ignore[PE203] all below\ntools:\n  a: allow\n  b: allow\n", []),
    ],
)
def test_what_a_comment_silences(project, text, left):
    (project / "p.yaml").write_text(f"policy: p\nlanguage: 1\n{text}", "utf-8")
    assert codes("p.yaml") == left


def test_a_comment_for_a_rule_that_is_not_asked_stays(project):
    text = "policy: p\nlanguage: 1\ntools:\n  pay: deny  # lint: ignore[PE110] a tool to come\n"
    (project / "p.yaml").write_text(text, "utf-8")
    assert codes("p.yaml") == []
