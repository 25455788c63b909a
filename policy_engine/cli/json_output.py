"""JSON on the standard output."""

import json
import sys

__all__ = ["print_json"]


def print_json(value: object) -> None:
    """Print a JSON value; it is ASCII, so that any terminal and pipe takes it."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")
