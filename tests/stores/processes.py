"""Processes of their own that do what `crowd.py` or `crowd_state.py` says, begun at once."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).parent


def begin(work, path, *more, script="crowd.py"):
    """Start a process; it waits for `go` where its work says so."""
    return subprocess.Popen(
        [sys.executable, HERE / script, work, path, *map(str, more)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def go(*processes):
    """Let all go at once."""
    for process in processes:
        assert json.loads(process.stdout.readline()) == ["ready"]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()


def said(process):
    """Return what a process said until it ended."""
    with process:
        lines = process.stdout.read().splitlines()
        process.wait(60)
    return [json.loads(line) for line in lines]


def crowd(work, path, count, *more, script="crowd.py"):
    """Return what so many processes said that did the same at once."""
    processes = [begin(work, path, *more, script=script) for _ in range(count)]
    go(*processes)
    found = [said(process) for process in processes]
    assert [process.returncode for process in processes] == [0] * count
    return found


def killed(processes, seconds):
    """Let all go, kill them all while they work, and return what each has said by then."""
    go(*processes)
    heard = [[] for _ in processes]
    listening = [
        threading.Thread(target=lines.extend, args=(process.stdout,))
        for lines, process in zip(heard, processes, strict=True)
    ]
    for thread in listening:
        thread.start()
    time.sleep(seconds)
    for process in processes:
        process.kill()
    for thread in listening:
        thread.join()
    for process in processes:
        with process:
            assert process.wait(60) < 0, "it was at work when it was killed"
    # The last line may have been cut off.
    return [[json.loads(line) for line in lines if line.endswith("\n")] for lines in heard]
