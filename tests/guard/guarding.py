"""A guard over policies given as Python values, with its records in a list and a clock to set."""

import atexit
import json
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from policy_engine import Guard

WHO = {"id": "u1", "roles": ["support"], "tenant": "acme"}
OPEN = {"tools": {"*": "allow"}}


class Clock:
    """Tells the time that a test says."""

    def __init__(self):
        self.now = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)

    def __call__(self):
        return self.now

    def go(self, **by):
        self.now += timedelta(**by)


class Records(list):
    """Takes records as a sink does, and reads them."""

    def __call__(self, line):
        self.append(json.loads(line))

    @property
    def decisions(self):
        return [record for record in self if record["kind"] == "decision"]

    @property
    def outcomes(self):
        return [record for record in self if record["kind"] == "outcome"]

    @property
    def statuses(self):
        return [record["status"] for record in self.outcomes]


class Broken:
    """A sink that takes some records and then none."""

    def __init__(self, taken=0):
        self.left = taken

    def __call__(self, line):
        if not self.left:
            raise OSError("no space left on device")
        self.left -= 1


def folder_of(*policies):
    folder = Path(tempfile.mkdtemp(prefix="policies-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for number, policy in enumerate(policies):
        write(folder, number, policy)
    return folder


def write(folder, number, policy):
    text = policy
    if not isinstance(policy, str):
        text = json.dumps({"policy": f"p{number}", "language": 1, **policy}, indent=1)
    (folder / f"{number}.yaml").write_text(text, "utf-8")


def guard_of(*policies, **options):
    """Build a guard; its records are `guard.seen`."""
    seen = options.pop("records", None)
    seen = Records() if seen is None else seen
    guard = Guard.from_path(folder_of(*(policies or (OPEN,))), records=seen, **options)
    guard.seen = seen
    return guard


def asking(guard, session="s1", **fields):
    """Enter the session of a usual principal."""
    return guard.session(session, **{"agent": "a", "principal": WHO, **fields})


def labels_of(guard, tool="t", **fields):
    """Return the labels of a session as the state knows them."""
    from policy_engine.decision import Needs, Request

    request = Request(
        **{"tool": tool, "args": {}, "agent": "a", "principal": WHO, "session": "s1", **fields}
    )
    facts = guard.state.facts(request, Needs(session=True), datetime(2026, 1, 5, tzinfo=UTC))
    return facts.session


def used(guard, limit, key="acme/u1/s1"):
    """Return what a limit of a session holds."""
    return guard.state.used(limit, (key,), guard._parts.now())
