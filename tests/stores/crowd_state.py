"""What processes of their own do to state, for tests; run as a script: crowd_state.py WORK PATH."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from crowd import say, started
from remembering import at, permitted, request, reservation

from policy_engine.decision import Halt
from policy_engine.state import SqliteState

FEW = reservation(max=25, key=("all",))
EVER = reservation(limit="p/ever", max=25.0, amount=0.1, per=None, key=("all",))


def take(path, count):
    """Try to be permitted, as one of many; tell how often it was."""
    state = SqliteState(path, timeout=60)
    started()
    found = 0
    for number in range(int(count)):
        found += state.commit(permitted(request(), FEW, EVER), at(number)) is not None
    say(found)


def hold_and_release(path, count):
    state = SqliteState(path, timeout=60)
    started()
    for number in range(int(count)):
        hold = state.commit(permitted(request(), FEW), at(number))
        if hold is not None:
            state.release(hold)
    say("done")


def halt(path, name):
    state = SqliteState(path)
    started()
    state.halt(Halt(name, "all", None, "stop"))
    say("halted")


def call(path, name):
    """Go on for ever, telling what has happened."""
    state = SqliteState(path, timeout=60)
    item = reservation(max=10**9, per=None, key=("all",))
    mine = reservation(limit="p/mine", max=10**9, per=86_400.0, key=(name,))
    started()
    for number in range(10**9):
        asked = request(session=name, call_id=f"c{number}")
        decision = permitted(asked, item, mine, labels=(f"l{number % 50}",))
        assert state.commit(decision, at(number))
        say("committed", name, number)
        state.returned(decision, at(number))
        say("returned", name, number)


WORK = {"call": call, "halt": halt, "hold_and_release": hold_and_release, "take": take}

if __name__ == "__main__":
    work, path, *more = sys.argv[1:]
    WORK[work](path, *(more or [None]))
