"""Load a policy set, or say everything that is wrong with it."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any, Final

from pydantic import ValidationError

from policy_engine.compiler import Compiled, compile_set
from policy_engine.errors import Fault, Location, PolicyError
from policy_engine.loader.constants import fill_constants
from policy_engine.loader.files import read_texts
from policy_engine.loader.partial import prune, renamed, sourced, unit
from policy_engine.loader.shape import Misfit, misfits
from policy_engine.policy import LoadedPolicy, Policy, PolicySet
from policy_engine.policy.words import nearest
from policy_engine.source import Document, Path, read_document

__all__ = ["load", "load_texts"]

_ROUNDS: Final = 4
"""How often a faulty policy is cut down before its rest is given up."""


def load(path: str | FilePath, *, warm: bool = True) -> Compiled:
    """Load a policy file, or every policy below a folder.

    Args:
        path: A file, or a folder: every `*.yaml` and `*.yml` below it, except below folders
            named `tests`.
        warm: Build the fast scanner now rather than when it is first told to.

    Raises:
        PolicyError: With every fault of every file.
    """
    texts, faults = read_texts(path)
    return _load(texts, faults, warm=warm)


def load_texts(texts: Mapping[str, str], *, warm: bool = True) -> Compiled:
    """Load policies that are at hand.

    Args:
        texts: The name of each policy file in messages -> what is in it.
        warm: Build the fast scanner now rather than when it is first told to.

    Raises:
        PolicyError: With every fault of every text.
    """
    faults = []
    if not texts:
        faults.append(Fault(Location("policies", 1, 1), "PE001", "there is no policy to load"))
    return _load(texts, faults, warm=warm)


def _load(texts: Mapping[str, str], faults: list[Fault], *, warm: bool) -> Compiled:
    loaded = []
    for index, (path, text) in enumerate(texts.items()):
        try:
            document = read_document(path, text)
        except PolicyError as error:
            faults.extend(error.faults)
            continue
        policy = _read_policy(document, index, faults)
        if policy is not None:
            loaded.append(policy)
    policies = PolicySet(tuple(loaded), _revision(texts.values()))
    if not faults:
        return compile_set(policies, complete=True, warm=warm)
    try:
        compile_set(policies, complete=False, warm=False)
    except PolicyError as error:
        faults.extend(error.faults)
    raise PolicyError(faults)


def _revision(texts: Iterable[str]) -> str:
    """Hash what the files say; their names and order do not matter."""
    digests = sorted(hashlib.sha256(text.encode("utf-8", "replace")).digest() for text in texts)
    return f"sha256:{hashlib.sha256(b''.join(digests)).hexdigest()}"


def _read_policy(document: Document, index: int, faults: list[Fault]) -> LoadedPolicy | None:
    """Read one policy; where it has faults, what remains of it without them."""
    filled = fill_constants(document)
    found: list[Fault] = list(filled.faults)
    data: dict[str, Any] = filled.data
    cuts: set[Path] = {unit(path) for path in filled.unknown}
    policy, errors = _validated(data)
    if errors is not None:
        said = [
            misfit
            for misfit in misfits(document, errors)
            if not _below(misfit.path, filled.unknown)
        ]
        found.extend(misfit.fault for misfit in said if misfit.fault is not None)
        names = _renames(said)
        sources = {one.path for one in said if _is_source(one.path)}
        document, data = document.renamed(names), sourced(renamed(data, names), sources)
        cuts |= _cuts(one for one in said if one.path not in sources)
    faults.extend(found)
    if policy is not None and not cuts and not found:
        return LoadedPolicy(policy, document)
    return _rest(_Remains(document, data, index), cuts)


@dataclass(frozen=True, slots=True)
class _Remains:
    document: Document
    data: dict[str, Any]
    index: int


def _rest(remains: _Remains, cuts: set[Path]) -> LoadedPolicy | None:
    """Cut until what remains is a policy, whose meaning can be judged too."""
    for _ in range(_ROUNDS):
        document = remains.document.without(cuts)
        data = {"policy": f"nameless-{remains.index}", **prune(remains.data, cuts), "language": 1}
        policy, errors = _validated(data)
        if policy is not None:
            return LoadedPolicy(policy, document)
        if errors is None:
            return None
        remains = _Remains(document, data, remains.index)
        cuts = _cuts(misfits(document, errors))
    return None


def _validated(data: dict[str, Any]) -> tuple[Policy | None, ValidationError | None]:
    try:
        return Policy.model_validate(data), None
    except ValidationError as errors:
        return None, errors


def _cuts(said: Iterable[Misfit]) -> set[Path]:
    return {
        misfit.path if _is_spare(misfit) else unit(misfit.path)
        for misfit in said
        if misfit.meant is None and not misfit.answered
    }


def _renames(said: Iterable[Misfit]) -> dict[Path, str]:
    """Take a misspelt key for the one that was meant, so that the rest is judged with it."""
    return {misfit.path: misfit.meant for misfit in said if misfit.meant is not None}


def _is_source(path: Path) -> bool:
    """Tell whether a place is where a fact comes from, without which it can still be read."""
    return len(path) == 3 and (path[0], path[2]) == ("facts", "from")


def _is_spare(misfit: Misfit) -> bool:
    """Tell whether an entry means the same without a key that nobody knows.

    In a rule or limit the key was probably meant to be one that the rest needs.
    """
    return (
        misfit.unknown_key
        and len(misfit.path) == 3
        and misfit.path[0] in {"tools", "handoffs", "models"}
        and nearest(str(misfit.path[2]), ("approval", "effect")) is None
    )


def _below(path: Path, places: set[Path]) -> bool:
    return any(path[:length] in places for length in range(1, len(path) + 1))
