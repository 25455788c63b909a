"""Which files a policy set is made of, and what is in them."""

import os
import stat
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path as FilePath
from typing import Final

from policy_engine.errors import Fault, Location, PolicyError
from policy_engine.source import MAX_BYTES, fault_at_offset

__all__ = ["read_texts"]

_ENDINGS: Final = (".yaml", ".yml")
_TESTS: Final = "tests"
"""Folders of this name hold tests of policies, not policies."""


def read_texts(path: str | FilePath) -> tuple[dict[str, str], list[Fault]]:
    """Read a file, or every policy file below a folder.

    Returns:
        Path -> text of what could be read, in sorted order, and a fault for what could not.
    """
    root = os.fspath(path)
    faults: list[Fault] = []
    try:
        folder = stat.S_ISDIR(os.stat(root).st_mode)  # noqa: PTH116
    except (OSError, ValueError) as error:
        return {}, [_unreadable(root, error, _nearest(root))]
    if not folder:
        found = [root]
    else:
        found = sorted(_once(_policy_files(root, faults)))
        if not found and not faults:
            message = "the folder holds no policy"
            hint = "policies are the *.yaml and *.yml files below it, except in folders named tests"
            faults.append(Fault(Location(_shown(root), 1, 1), "PE001", message, hint))
    texts = {}
    for file in found:
        try:
            texts[_shown(file)] = _read(file)
        except PolicyError as error:
            faults.extend(error.faults)
    return texts, faults


def _nearest(path: str) -> str:
    """Say what stands beside a path that cannot be read, and is spelt nearly the same."""
    folder, name = os.path.split(path)
    try:
        beside = os.listdir(folder or os.curdir)  # noqa: PTH208
    except (OSError, ValueError):
        beside = []
    near = get_close_matches(name, beside, 1, 0.75)
    if near:
        return f'did you mean "{_shown(os.path.join(folder, near[0]))}"?'  # noqa: PTH118
    return "give a policy file, or a folder that holds some"


def _policy_files(root: str, faults: list[Fault]) -> Iterator[str]:
    """Walk a folder, each real folder once, so that a link back up ends."""
    seen: set[tuple[int, int]] = set()
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        try:
            status = os.stat(folder)  # noqa: PTH116
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as entries:
                inside = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            faults.append(_unreadable(folder, error, "let the process read it, or move it away"))
            continue
        for entry in inside:
            if _is_folder(entry):
                if entry.name != _TESTS:
                    waiting.append(entry.path)
            elif entry.name.lower().endswith(_ENDINGS):
                yield entry.path


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _once(files: Iterator[str]) -> list[str]:
    """Keep one path of each real file, the shortest: mounted volumes link to themselves."""
    kept: dict[object, str] = {}
    for file in sorted(files, key=lambda file: (file.count(os.sep), file)):
        try:
            status = os.stat(file)  # noqa: PTH116
        except OSError:
            kept[file] = file
        else:
            kept.setdefault((status.st_dev, status.st_ino), file)
    return list(kept.values())


def _read(file: str) -> str:
    shown = _shown(file)
    try:
        if not stat.S_ISREG(os.stat(file).st_mode):  # noqa: PTH116
            message = "is not a file"
            raise PolicyError([Fault(Location(shown, 1, 1), "PE001", message)])
        with open(file, "rb") as stream:  # noqa: PTH123
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        hint = "let the process read it, or move it away"
        raise PolicyError([_unreadable(file, error, hint)]) from error
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(content) > MAX_BYTES:
            return content.decode("latin-1")  # refused for its size
        before = content[: error.start].decode("utf-8")
        line = before + "\ufffd"
        message = f"the file is not UTF-8: it holds the byte 0x{content[error.start]:02X}"
        fault = fault_at_offset(shown, line, len(before), "PE002", message, "save it as UTF-8")
        raise PolicyError([fault]) from error


def _unreadable(path: str, error: Exception, hint: str) -> Fault:
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    message = f"cannot be read: {why[:1].lower()}{why[1:]}"
    return Fault(Location(_shown(path), 1, 1), "PE001", message, hint)


def _shown(path: str) -> str:
    text = path.encode("utf-8", "backslashreplace").decode()
    return text.replace("\\", "/") if os.sep == "\\" else text
