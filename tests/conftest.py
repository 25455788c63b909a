"""What every test runs under: no network, and in CI nothing skips."""

import os
import shutil
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from desk import DESK
from support import ROOT, NetworkUsedError

# In CI a skipped test is a defect; there `.ci/run` looks for the server, and says if there is none.
_SERVER = os.environ.get("POLICY_ENGINE_YAML_SERVER") or shutil.which("yaml-language-server")
collect_ignore = ["testing/test_editor.py"] if os.environ.get("CI") and not _SERVER else []
_CONNECT = socket.socket.connect


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(self, address):
        raise NetworkUsedError(f"a test tried to reach {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def loopback(no_network, monkeypatch):
    """For a test that talks to a server of its own: 127.0.0.1 may be reached, and nothing else."""

    def connect(self, address):
        if self.family != socket.AF_INET or address[0] != "127.0.0.1":
            raise NetworkUsedError(f"a test tried to reach {address}")
        return _CONNECT(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)


@pytest.fixture
def data_folder():
    folder = os.environ.get("POLICY_ENGINE_DATA")
    if not folder:
        pytest.skip("POLICY_ENGINE_DATA does not name the folder of evaluation data")
    return Path(folder)


@pytest.fixture
def desk(tmp_path):
    """Write the policy; return a function that writes a test file and gives its path."""
    (tmp_path / "desk.yaml").write_text(DESK)
    folder = tmp_path / "tests"
    folder.mkdir()

    def write(text, name="desk.yaml"):
        path = folder / name
        path.write_text("policies: ../desk.yaml\n" + textwrap.dedent(text))
        return path

    return write


@pytest.fixture
def command():
    def run(*arguments, cwd=ROOT):
        return subprocess.run(
            [sys.executable, "-m", "policy_engine", "test", *map(str, arguments)],
            cwd=cwd,
            env={"NO_COLOR": "1", "PATH": "", "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run


def pytest_sessionfinish(session, exitstatus):
    """In CI a skipped test is a defect."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter and reporter.stats.get("skipped") and exitstatus == 0:
        reporter.write_line("a test was skipped, which fails in CI", red=True)
        session.exitstatus = 1
