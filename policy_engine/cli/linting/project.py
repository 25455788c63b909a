"""The project's settings: `[tool.policy-engine]` in the nearest pyproject.toml."""

import tomllib
from dataclasses import replace
from pathlib import Path

from policy_engine.cli.ending import CannotRunError
from policy_engine.lint import RULES, Settings, read_settings

__all__ = ["project_settings"]

_FILE = "pyproject.toml"


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
        table = tomllib.loads(file.read_text("utf-8")).get("tool", {}).get("policy-engine", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CannotRunError(f"{file}: {error}") from None
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


def _beside(file: Path, source: str) -> str:
    path = file.parent / source
    return str(path) if path.exists() else source
