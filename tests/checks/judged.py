"""Checks, ready to judge."""

from policy_engine.checks import build_check
from policy_engine.text import Content, Patterns


def ready(check, value, *, warm=False):
    patterns = Patterns()
    built = build_check(check, patterns)
    return built, Content(value, patterns.compile(warm=warm))
