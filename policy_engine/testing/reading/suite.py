"""From paths to suites: which files hold tests, and all that is wrong with them."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Final

from policy_engine.compiler import Compiled
from policy_engine.errors import Fault, Location, PolicyError
from policy_engine.loader import load
from policy_engine.source import MAX_BYTES, read_document
from policy_engine.testing.case import Case, Suite
from policy_engine.testing.faults import FaultyTestsError
from policy_engine.testing.reading.fields import Fields
from policy_engine.testing.reading.long_values import expanded
from policy_engine.testing.reading.misnomers import OF_PEOPLE
from policy_engine.testing.reading.names import Names, names_of
from policy_engine.testing.reading.requests import DEFAULTS, check_defaults, check_given
from policy_engine.testing.reading.tests import read_test
from policy_engine.testing.reading.titles import told_apart

__all__ = ["KEYS", "Loaded", "find_files", "read_suites"]

KEYS: Final = ("policies", "description", "defaults", "tests")
_ENDINGS: Final = (".yaml", ".yml")
_FOLDER: Final = "tests"
_BEGINNING: Final = "a test file has `policies`, the set that it tests, and `tests`"


@dataclass(slots=True)
class Loaded:
    """Suites, and the policy sets that they test."""

    suites: list[Suite] = field(default_factory=list)
    policies: dict[str, Compiled] = field(default_factory=dict)
    """Path of the set -> the set."""
    names: dict[str, Names] = field(default_factory=dict)


def find_files(path: str) -> list[str]:
    """Return the test files that a path means, in sorted order.

    A file is one; of a folder, every `*.yaml` and `*.yml` below it that stands in a folder named
    `tests`, or in the folder itself if that is one.

    Raises:
        FaultyTestsError: There are none.
    """
    root = FilePath(path)
    if root.is_file():
        return [path]
    if not root.is_dir():
        fault = Fault(Location(path, 1, 1), "PE001", "there is no such file or folder")
        raise FaultyTestsError([fault])
    found = sorted(
        os.fspath(file)
        for file in root.rglob("*")
        if file.suffix in _ENDINGS
        and file.is_file()
        and (root.resolve().name == _FOLDER or _FOLDER in file.relative_to(root).parts[:-1])
    )
    if not found:
        hint = "tests are the *.yaml and *.yml files in folders named tests"
        raise FaultyTestsError(
            [Fault(Location(path, 1, 1), "PE001", "the folder holds no tests", hint)]
        )
    return found


def read_suites(paths: list[str]) -> Loaded:
    """Read test files and load the policy sets that they test.

    Args:
        paths: Files and folders.

    Raises:
        FaultyTestsError: With every fault of every test file.
        PolicyError: A policy set does not load.
    """
    loaded = Loaded()
    faults: list[Fault] = []
    files = [file for path in paths for file in find_files(path)]
    for file in dict.fromkeys(files):
        suite = _read(file, loaded, faults)
        if suite is not None:
            loaded.suites.append(suite)
    if faults:
        raise FaultyTestsError(faults)
    return loaded


def _read(file: str, loaded: Loaded, faults: list[Fault]) -> Suite | None:
    try:
        if FilePath(file).stat().st_size > MAX_BYTES:
            message = f"the file is larger than {MAX_BYTES // 1024} KiB"
            hint = "split it: every file in a folder named tests is run"
            faults.append(Fault(Location(file, 1, 1), "PE001", message, hint))
            return None
        text = FilePath(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        is_there = isinstance(error, UnicodeDecodeError)
        reason = "it is not UTF-8" if is_there else getattr(error, "strerror", None) or str(error)
        advice = "save it as UTF-8, if it is a text" if is_there else None
        message = f"the file cannot be read: {reason}"
        faults.append(Fault(Location(file, 1, 1), "PE001", message, advice))
        return None
    try:
        document = read_document(file, text, _BEGINNING, "test file")
    except PolicyError as error:
        faults.extend(error.faults)
        return None
    fields = Fields(document)
    if "policy" in document.data and not document.data.keys() & {"policies", "tests"}:
        faults.append(
            document.fault(("policy",), "PE006", "this is a policy", hint=_BEGINNING, on_key=True)
        )
        return None
    given = fields.mapping((), document.data, KEYS, ["policies", "tests"])
    policies = _policies(fields, given.get("policies"), file) if "policies" in given else None
    defaults: Mapping[str, object] = {}
    if "defaults" in given:
        defaults = fields.mapping(("defaults",), given["defaults"], DEFAULTS, elsewhere=OF_PEOPLE)
        check_given(fields, ("defaults",), defaults, DEFAULTS)
    cases: tuple[Case, ...] = ()
    if policies is not None:
        if policies not in loaded.policies:
            loaded.policies[policies] = load(policies, warm=False)
            loaded.names[policies] = names_of(loaded.policies[policies])
        names = loaded.names[policies]
        check_defaults(fields, ("defaults",), defaults, names)
        cases = tuple(told_apart(_cases(fields, given.get("tests"), names, defaults)))
    faults.extend(fields.faults)
    return None if policies is None or fields.faults else Suite(file, policies, cases)


def _policies(fields: Fields, value: object, file: str) -> str | None:
    text = fields.text(("policies",), value, "name the policy file or folder, such as `..`")
    if text is None:
        return None
    path = os.path.normpath(FilePath(file).parent / text)
    if not FilePath(path).exists():
        message = f'there is no file or folder "{text}"'
        fields.fault(("policies",), "PE001", message, f"it is looked for at {path}")
        return None
    if _would_load(FilePath(path), FilePath(file)):
        message = f'this file itself would be a policy of the set "{text}"'
        hint = "name the folder of the policies, such as `..`; tests stand in a folder named tests"
        fields.fault(("policies",), "PE009", message, hint)
        return None
    return path


def _would_load(policies: FilePath, file: FilePath) -> bool:
    """Whether a test file is one of the policies of the set that it names."""
    root, mine = policies.resolve(), file.resolve()
    if root == mine:
        return True
    return root in mine.parents and _FOLDER not in mine.relative_to(root).parts[:-1]


def _cases(
    fields: Fields, value: object, names: Names, defaults: Mapping[str, object]
) -> Iterator[Case]:
    if value is None and "tests" not in fields.document.data:
        return
    first: dict[str, int] = {}
    for i, test in enumerate(fields.items(("tests",), value, "a test")):
        path = ("tests", i)
        name = test.get("name") if isinstance(test, dict) else None
        if isinstance(name, str):
            known = first.setdefault(name, i)
            if known != i:
                line = fields.document.at(("tests", known, "name")).line
                message = f'two tests have the name "{name}"'
                fields.fault((*path, "name"), "PE010", message, f"the other is in line {line}")
        yield from read_test(fields, path, expanded(fields, path, test), names, defaults)
