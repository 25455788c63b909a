"""The command line, one verb a file."""

from policy_engine.cli.app import main

__all__ = ["main"]
