"""The structure is checked by the same command as the behaviour."""

import ast
import re
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from support import ROOT, NetworkUsedError

import policy_engine
from policy_engine.checks import CHECKS, LATER
from policy_engine.decision import CODES
from policy_engine.errors import FAULT_CODES

PACKAGE = ROOT / "policy_engine"
MODULES = sorted(PACKAGE.rglob("*.py"))
PURE = ("cel", "checks", "compiler", "decision", "engine.py", "policy.py", "text")


def test_tests_cannot_reach_the_network():
    with pytest.raises(NetworkUsedError), socket.socket() as door:
        door.connect(("127.0.0.1", 9))


def test_import_contracts_are_kept():
    found = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_module_opens_with_a_caption(module):
    caption = (ast.get_docstring(ast.parse(module.read_text("utf-8"))) or "").split("\n")[0]
    assert 0 < len(caption) <= 100
    assert caption[-1] in ".:"


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_outgrows_its_reader(module):
    tree = ast.parse(module.read_text("utf-8"))
    lines = {
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt)
        and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    }
    assert len(lines) <= 300
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno <= 75, node.name


@pytest.mark.parametrize(
    "module",
    [m for m in MODULES if m.relative_to(PACKAGE).parts[0] in PURE],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_pure_rooms_never_ask_the_clock(module):
    called = {
        node.attr
        for node in ast.walk(ast.parse(module.read_text("utf-8")))
        if isinstance(node, ast.Attribute)
    }
    assert not called & {"utcnow", "today", "fromtimestamp", "utcfromtimestamp"}
    assert not re.search(r"datetime\.now\(", module.read_text("utf-8"))


def test_public_names_are_pinned():
    assert sorted(policy_engine.__all__) == [
        "ApprovalRequired",
        "CheckError",
        "Decision",
        "Denied",
        "Engine",
        "Facts",
        "Fault",
        "Guard",
        "Location",
        "PolicyEngineError",
        "PolicyError",
        "Reason",
        "Request",
        "RequestError",
        "Session",
        "guarded",
        "load",
        "parse_json",
    ]
    for name in policy_engine.__all__:
        assert getattr(policy_engine, name) is not None


def test_importing_the_package_is_light():
    heavy = ("pydantic", "yaml", "hyperscan", "asyncio", "rich", "typer", "jsonschema")
    script = f"import policy_engine, sys; print([m for m in {heavy!r} if m in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


def test_every_check_has_its_manual_and_its_tests():
    for name in CHECKS:
        assert "What it does" in CHECKS[name].manual
        assert (ROOT / "tests" / "checks" / f"test_{name}.py").exists()
    assert not set(CHECKS) & set(LATER)


def test_every_fault_code_is_earned_by_a_broken_policy():
    texts = [path.read_text("utf-8") for path in (ROOT / "tests" / "broken").rglob("*.txt")]
    earned = set(re.findall(r"\[(PE\d{3})\]", "\n".join(texts)))
    assert set(FAULT_CODES) - earned <= {"PE019"}, "no extra can be missing in this version"


def test_codes_are_the_closed_list_that_the_package_uses():
    used = set()
    for module in MODULES:
        if module.name == "words.py":
            continue
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                used.add(node.value)
    fixed = {code for code in CODES if not code.startswith(("args.", "check."))}
    made = {"entry.allow", "entry.deny", "entry.require_approval", "default.allow", "default.deny"}
    assert fixed - made <= used


def test_the_wheel_holds_the_package_alone():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert settings["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["policy_engine"]
