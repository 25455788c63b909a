"""What processes of their own do to a store, for tests; run as a script: crowd.py WORK PATH [N]."""

import json
import os
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from approving import F1, OTHER, START, asked, gate, needing

from policy_engine.approvals import SqliteApprovals

GATES = (gate(expires=86_400.0), gate(OTHER, expires=86_400.0))


def say(*values):
    """Write a line in one piece, so that what was said has happened before."""
    os.write(1, (json.dumps(values) + "\n").encode())


def started():
    """Tell that this process is ready, and wait until all may go."""
    say("ready")
    sys.stdin.readline()


def use(path, count):
    """Use what is approved, as one of many."""
    store = SqliteApprovals(path)
    started()
    for number in range(int(count)):
        fingerprint = needing(*GATES, session=f"s{number}").fingerprint
        say(number, store.use(fingerprint, GATES, START))


def open_it(path, count):
    """Make files, close and open them again, as one of many."""
    started()
    for number in range(int(count)):
        SqliteApprovals(f"{path}{number}").close()
        say(SqliteApprovals(f"{path}{number}").key.hex())


def approve(path, wanted):
    store = SqliteApprovals(path)
    started()
    time.sleep(0.2)
    store.approve(wanted, by=F1)
    say("approved")


def ask_approve_use(path, name):
    """Go on for ever, telling what has happened."""
    store = SqliteApprovals(path, max_closed=10**6, max_bytes=10**12)
    started()
    for number in range(10**9):
        session = f"{name}-{number}"
        found, fingerprint = asked(store, *GATES, now=datetime.now(UTC), session=session)
        ids = [approval.id for approval in found]
        say("asked", session, *ids)
        for wanted in ids:
            store.approve(wanted, by=F1)
            say("approved", session, wanted)
        if number % 2:
            assert store.use(fingerprint, GATES, datetime.now(UTC))
            say("used", session, *ids)


def fork(path, _):
    """Fork while threads write; both processes go on."""
    store = SqliteApprovals(path)
    started()
    done = threading.Event()

    def write(name):
        number = 0
        while not done.is_set():
            asked(store, session=f"{name}-{number}")
            number += 1
        return number

    threads = [threading.Thread(target=write, args=(f"t{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    for number in range(10):
        time.sleep(0.01)
        child = os.fork()
        if not child:
            asked(store, session=f"child-{number}")
            store.pending()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        asked(store, session=f"parent-{number}")
    done.set()
    for thread in threads:
        thread.join()
    say(True)


def read_only(path, _):
    """Try to use a file that this process may not write."""
    from policy_engine.errors import StoreError

    if not os.getuid():
        os.setgid(65534)
        os.setuid(65534)
    try:
        SqliteApprovals(path).ask(needing(gate()), START)
    except StoreError as error:
        say(error.message, error.hint)


def no_room(path, _):
    """Fill a disk that ends after so many bytes."""
    import resource

    from policy_engine.errors import StoreError

    store = SqliteApprovals(path)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
    kept = []
    try:
        for number in range(10**6):
            (found,), _ = asked(store, session=f"s{number}", args={"a": "x" * 1000})
            kept.append(found.id)
    except StoreError as error:
        say(len(kept), error.message)
    for wanted in kept:
        store.get(wanted)
    say("all kept")


WORK = {
    "approve": approve,
    "ask_approve_use": ask_approve_use,
    "fork": fork,
    "no_room": no_room,
    "open": open_it,
    "read_only": read_only,
    "use": use,
}

if __name__ == "__main__":
    work, path, *more = sys.argv[1:]
    WORK[work](path, *(more or [None]))
