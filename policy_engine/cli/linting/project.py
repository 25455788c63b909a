"""The project's settings: `[tool.policy-engine]` in the nearest pyproject.toml."""

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from policy_engine.cli.ending import CannotRunError
from policy_engine.lint import RULES, Settings, read_settings
from policy_engine.lint.registry import server_and_source

__all__ = ["project_settings"]

_FILE = "pyproject.toml"
_NAME = "policy-engine"


def project_settings(folder: Path) -> Settings:
    """Return what the pyproject.toml of a folder or of one above it says.

    Files that it names are taken from where it stands.
    """
    for place in (folder, *folder.parents):
        file = place / _FILE
        if file.is_file():
            return _read(file)
    return Settings()


def _read(file: Path) -> Settings:
    try:
        tools = tomllib.loads(file.read_text("utf-8")).get("tool", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CannotRunError(f"{file}: {error}") from None
    table = _table(file, tools)
    try:
        settings = read_settings(table, frozenset(RULES))
    except ValueError as error:
        raise CannotRunError(f"{file}: [tool.policy-engine]: {error}") from None
    return replace(
        settings,
        tools=tuple(_beside(file, source) for source in settings.tools),
        baseline=None if settings.baseline is None else str(file.parent / settings.baseline),
        reviewed=None if settings.reviewed is None else str(file.parent / settings.reviewed),
    )


def _table(file: Path, tools: object) -> Mapping[str, Any]:
    """Return the table of this tool; empty where there is none."""
    names = tools if isinstance(tools, dict) else {}
    for name in names:
        if name != _NAME and name.replace("_", "").replace("-", "").lower() == "policyengine":
            raise CannotRunError(f"{file}: [tool.{name}]: did you mean [tool.{_NAME}]?")
    table = names.get(_NAME, {})
    if not isinstance(table, dict):
        raise CannotRunError(f"{file}: [tool.{_NAME}] must be a table")
    return table


def _beside(file: Path, source: str) -> str:
    server, named = ("", source) if (file.parent / source).exists() else server_and_source(source)
    path = file.parent / named
    before = f"{server}=" if server else ""
    return f"{before}{path if path.exists() else named}"
