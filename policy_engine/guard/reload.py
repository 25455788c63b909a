"""Policies that change on disk: whole revisions, swapped at once, or not at all."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self, TypeAlias

from policy_engine.compiler import Compiled
from policy_engine.errors import Fault, Location, PolicyError
from policy_engine.guard.log import LOG
from policy_engine.loader import load_texts, read_texts

__all__ = ["Folder", "Watch"]

_SCANS: Final = 10
_Scan: TypeAlias = tuple[dict[str, str], tuple[Fault, ...]]
"""The texts of a folder, and what of it could not be read."""


class Folder:
    """A policy set on disk, and the revision of it that is in force.

    Args:
        path: A policy file, or a folder of them.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = path
        self._taken = self._seen = self._scan()
        self._refused: _Scan | None = None
        self.compiled = _compiled(self._taken)

    def poll(self) -> Compiled | None:
        """Return a new revision once two scans in a row found the same change.

        A set that is broken, or that a policy vanished from, is reported once; the old
        revision stays.
        """
        scan = self._scan()
        seen, self._seen = self._seen, scan
        if scan == self._taken:
            self._refused = None
        if scan != seen or scan in (self._taken, self._refused):
            return None
        try:
            return self._take(scan, allow_vanished=False)
        except PolicyError as error:
            self._refused = scan
            LOG.error("the changed policies were not taken; those before stay:\n%s", error)
            return None

    def read(self, *, allow_vanished: bool) -> Compiled:
        """Read the set again, now.

        Raises:
            PolicyError: It is broken, or a policy vanished from it; the old revision stays.
        """
        scan = self._scan()
        for _ in range(_SCANS):
            before, scan = scan, self._scan()
            if scan == before:
                break
        return self._take(scan, allow_vanished=allow_vanished)

    def _scan(self) -> _Scan:
        texts, faults = read_texts(self.path)
        return texts, tuple(faults)

    def _take(self, scan: _Scan, *, allow_vanished: bool) -> Compiled:
        """Compile what was scanned, and make it the revision in force."""
        compiled = _compiled(scan)
        kept = {loaded.policy.policy for loaded in compiled.policies.policies}
        vanished = [
            loaded.policy.policy
            for loaded in self.compiled.policies.policies
            if loaded.policy.policy not in kept
        ]
        if vanished and not allow_vanished:
            raise PolicyError(
                [
                    Fault(
                        Location(str(self.path), 1, 1),
                        "PE001",
                        f'the policy "{name}" vanished',
                        "if that is meant, reload with allow_vanished=True",
                    )
                    for name in vanished
                ]
            )
        self.compiled = compiled
        self._taken = scan
        self._refused = None
        return compiled


def _compiled(scan: _Scan) -> Compiled:
    texts, faults = scan
    if faults:
        raise PolicyError(faults)
    return load_texts(texts)


class Watch:
    """Looks at a folder in a thread, now and then; `stop` it, or leave its `with`."""

    def __init__(self, poll: Callable[[], bool], every: float) -> None:
        self._poll = poll
        self._every = every
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="policy-engine watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._over.set()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def _run(self) -> None:
        while not self._over.wait(self._every):
            try:
                self._poll()
            except Exception:  # noqa: BLE001 - the thread goes on looking
                LOG.exception("the policies could not be looked at; those before stay")
