"""Checks, ready to judge."""

import pytest

from policy_engine.checks import build_check
from policy_engine.text import Content, Patterns


@pytest.fixture
def ready():
    def make(check, value, *, warm=False):
        patterns = Patterns()
        built = build_check(check, patterns)
        return built, Content(value, patterns.compile(warm=warm))

    return make
