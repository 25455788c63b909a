"""The path of a file as a code host knows it: from the root of the repository."""

import os
from pathlib import Path
from typing import Final

from policy_engine.lint.repository import repository_of

__all__ = ["rooted"]

_WORKSPACE: Final = "GITHUB_WORKSPACE"
"""The environment variable that names the folder of the repository in GitHub Actions."""


def rooted(path: str) -> str | None:
    """Return a path from the root of its repository, with slashes; None where it is in none.

    The root is GitHub's workspace where the file is below it, and otherwise the nearest folder
    above that holds a `.git`.
    """
    try:
        given = Path(path)
        file = given.parent.resolve() / given.name  # a link is a file of the folder it stands in
        named = os.environ.get(_WORKSPACE)
        workspace = Path(named).resolve() if named else None
        if workspace is None or workspace not in file.parents:
            workspace = repository_of(file.parent)
        return None if workspace is None else file.relative_to(workspace).as_posix()
    except (OSError, RuntimeError, ValueError):  # it is no path, or leads in a circle
        return None
