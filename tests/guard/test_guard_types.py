"""Type checkers see a guarded function as the function that it was."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TYPED = Path(__file__).with_name("typed.py")

SEEN = [
    "(a: int, *, b: str) -> float",
    "(int) -> float",
    "Coroutine[Any, Any, float]",
    "float | str",
    "Coroutine[Any, Any, float | str]",
    "Generator[float, str, bytes]",
    "Generator[float | str, str, bytes | None]",
    "AsyncGenerator[float | str, None]",
    "Iterator[float | str]",
    "float | str",
    "AsyncIterator[float | str]",
    "AsyncIterable[float | str]",
    "list[float] | str",
    "list[str]",
    "float",
    "float",
    "float",
]
"""What is revealed, in order."""


def run(*command):
    found = subprocess.run(
        [Path(sys.executable).with_name(command[0]), *command[1:], TYPED],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout


def plainly(text):
    """Spell a type without what the checkers spell differently."""
    for pattern, plain in (
        (r"^def ", ""),
        (r"\btyping\.", ""),
        (r"CoroutineType", "Coroutine"),
        (r' ?= ?("x")?(?=[,)])', ""),
        (r"\(a: int, /\)", "(int)"),
    ):
        text = re.sub(pattern, plain, text)
    return text


def test_mypy_sees_the_types_of_guarded_functions():
    told = run("mypy", "--strict", "--disable-error-code=unused-coroutine")
    assert [plainly(t) for t in re.findall(r'Revealed type is "(.*)"', told)] == SEEN
    assert re.findall(r"error: .*\[(.*)\]", told) == ["arg-type", "call-arg"], told


@pytest.mark.skipif(
    not Path(sys.executable).with_name("pyright").exists() or not shutil.which("node"),
    reason="pyright is not installed",
)
def test_pyright_sees_the_types_of_guarded_functions():
    told = run("pyright", "--pythonpath", sys.executable)
    assert [plainly(t) for t in re.findall(r'Type of ".*" is "(.*)"', told)] == SEEN
    assert re.findall(r"\((report\w+)\)", told) == ["reportArgumentType", "reportCallIssue"], told
