"""Where a file stands: its repository, and the folders up to it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

__all__ = ["folders_of", "repository_of"]

_GIT: Final = ".git"
_PROJECT: Final = (_GIT, "pyproject.toml")


def repository_of(path: Path) -> Path | None:
    """Return the root of the git repository of a file or folder; None where it is in none.

    A `.git` may be a folder, or a file as in a worktree or a submodule.
    """
    place = path.resolve()
    return next((one for one in (place, *place.parents) if (one / _GIT).exists()), None)


def folders_of(file: Path) -> Iterator[Path]:
    """Go up from the folder of a file to that of its project.

    A project is a git repository or has a pyproject.toml. Where there is none, it is the current
    folder, or the file's own folder where that stands elsewhere.
    """
    folder = file.resolve().parent
    places = (folder, *folder.parents)
    roots = [one for one in places if any((one / name).exists() for name in _PROJECT)]
    here = Path.cwd()
    last = roots[0] if roots else here if here in places else folder
    yield from places[: places.index(last) + 1]
