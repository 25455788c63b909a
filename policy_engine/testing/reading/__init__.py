"""From test files to cases, with every fault at its place."""

from policy_engine.testing.reading.suite import Loaded, find_files, read_suites

__all__ = ["Loaded", "find_files", "read_suites"]
