"""What every test runs under: no network, and in CI nothing skips."""

import os
import socket
from pathlib import Path

import pytest
from support import NetworkUsedError

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


def pytest_sessionfinish(session, exitstatus):
    """In CI a skipped test is a defect."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter and reporter.stats.get("skipped") and exitstatus == 0:
        reporter.write_line("a test was skipped, which fails in CI", red=True)
        session.exitstatus = 1
