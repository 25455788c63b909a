"""Every block of the README runs, and prints what the README says."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import ROOT

README = (ROOT / "README.md").read_text("utf-8")
BLOCK = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [(m[1], m[2], m[3]) for m in BLOCK.finditer(README)]
BIN = Path(sys.executable).parent


def matches(expected: str, found: str) -> bool:
    """Compare line by line; `…` stands for anything in a line, alone for any number of lines."""
    lines = re.split(r"^…$", expected, flags=re.MULTILINE)
    parts = [re.escape(part.strip("\n")).replace("…", ".*") for part in lines]
    pattern = r"(?:\n|.)*".join(parts)
    return re.fullmatch(pattern + r"\n*", found.strip("\n") + "\n") is not None


def run(command: str, folder: Path):
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("readme")
    for _, name, text in BLOCKS:
        if name:
            (made / name).parent.mkdir(exist_ok=True)
            (made / name).write_text(text, "utf-8")
    return made


def sessions():
    for language, _, text in BLOCKS:
        if language == "console":
            for step in re.split(r"^(?=\$ )", text, flags=re.MULTILINE):
                if step:
                    command, _, output = step[2:].partition("\n")
                    yield pytest.param(command, output, id=command[:60])


@pytest.mark.parametrize(("command", "output"), list(sessions()))
def test_a_console_block_prints_what_it_says(command, output, folder):
    found = run(command, folder)
    assert "Traceback" not in found.stderr
    assert matches(output, found.stdout + found.stderr), found.stdout + found.stderr


def test_the_two_set_up_commands_do_what_they_say():
    first, second = [text.strip() for language, _, text in BLOCKS if language == "sh"]
    assert "\n" not in first
    assert "\n" not in second
    main_job = first.rsplit(" && ", 1)[1].replace(".venv/bin/", "")
    found = run(main_job, ROOT)
    assert found.returncode == 0, found.stderr
    shown = next(text for language, _, text in BLOCKS if language == "text")
    assert matches(shown, found.stdout), found.stdout
    assert second in (ROOT / ".ci" / "run").read_text("utf-8").splitlines()


def test_the_fragment_on_top_is_part_of_a_policy_that_loads(folder, tmp_path):
    fragment = next(text for language, name, text in BLOCKS if language == "yaml" and not name)
    (tmp_path / "top.yaml").write_text(f"policy: top\nlanguage: 1\n{fragment}", "utf-8")
    assert run("policy-engine lint top.yaml", tmp_path).returncode == 0


def test_every_block_is_of_a_kind_that_is_run():
    kinds = {language for language, _, _ in BLOCKS}
    assert kinds <= {"yaml", "toml", "python", "console", "sh", "text"}
    assert all(name for language, name, _ in BLOCKS if language == "python")
    assert shutil.which("bash")


def test_links_in_the_readme_lead_somewhere():
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", README):
        if target.startswith("#"):
            heading = target[1:].replace("-", " ")
            assert re.search(rf"^## {heading}$", README, re.MULTILINE | re.IGNORECASE)
        else:
            assert (ROOT / target).exists()
