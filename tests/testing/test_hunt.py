"""Mutants examined by several processes: the same verdicts, and an end whatever happens."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from policy_engine.testing.mutation import hunt
from policy_engine.testing.mutation.processes import safe_way
from policy_engine.testing.reading import read_suites

TOOL = """\
  tool_{i}:
    args:
      order_id: {{type: string, pattern: '^ORD-[0-9]{{4,8}}$'}}
      amount: {{type: number, exclusiveMinimum: 0, maximum: 500}}
      note: {{type: string, maxLength: 40, optional: true}}
    rules:
      - {{id: large-{i}, when: args.amount > 100, effect: deny}}
      - {{id: shouted-{i}, when: 'has(args.note) && args.note.startsWith("NOW")', effect: deny}}
"""
TEST = """\
  - name: tool {i}
    request: {{tool: tool_{i}, args: {{order_id: ORD-0001, amount: 5}}}}
    expect: {{effect: allow}}
    refuses: {{amount: [501, 0]}}
"""
TELL = """
import sys
from policy_engine.testing.mutation import hunt
from policy_engine.testing.reading import read_suites

if __name__ == "__main__":
    *paths, jobs, how = sys.argv[1:]
    steps = []
    found = hunt(
        read_suites(paths), jobs=int(jobs), how=how, advance=lambda *step: steps.append(step)
    )
    assert steps[-1] == (len(found), len(found))
    assert [done for done, _ in steps if done] == list(range(1, len(found) + 1))
    for one in found:
        print(one)
"""


def written(folder, tools, name):
    """Write a policy of some tools, and a test of each; return the file of tests."""
    entries = "".join(TOOL.format(i=i) for i in range(tools))
    (folder / f"{name}.yaml").write_text(f"policy: {name}\nlanguage: 1\ntools:\n{entries}")
    (folder / "tests").mkdir(exist_ok=True)
    path = folder / "tests" / f"{name}.yaml"
    head = f"policies: ../{name}.yaml\ndefaults: {{agent: a, principal: {{id: u}}}}\ntests:\n"
    path.write_text(head + "".join(TEST.format(i=i) for i in range(tools)))
    return path


def test_any_number_of_processes_says_the_same_in_the_same_order(tmp_path):
    paths = [str(written(tmp_path, 4, "one")), str(written(tmp_path, 3, "another"))]
    (tmp_path / "tell.py").write_text(TELL)

    def told(jobs, how):
        command = [sys.executable, str(tmp_path / "tell.py"), *paths, str(jobs), how]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (run.returncode, run.stderr) == (0, "")
        return run.stdout.splitlines()

    alone = told(1, "spawn")
    assert len(alone) > 160
    assert {line.split("'")[1] for line in alone} >= {"killed", "survived", "refused"}
    assert alone == [str(one) for one in hunt(read_suites(paths), jobs=1)]
    ways = ["spawn", "fork"] if hasattr(os, "fork") else ["spawn"]
    for how in ways:
        assert told(2, how) == alone, how
    assert told(3, ways[-1]) == alone


LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes as Linux shows them")


@LINUX
def test_where_there_is_another_thread_nothing_is_forked():
    script = (
        "import threading\n"
        "from policy_engine.testing.mutation.processes import safe_way\n"
        "print(safe_way())\n"
        "gate = threading.Event()\n"
        "threading.Thread(target=gate.wait).start()\n"
        "print(safe_way())\n"
        "gate.set()\n"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["fork", "spawn"]
    assert safe_way() in {"fork", "spawn"}


def started(tmp_path):
    """Start a hunt that lasts, in a group of its own, and return it with its processes."""
    path = written(tmp_path, 150, "long")
    hunting = subprocess.Popen(
        [sys.executable, "-m", "policy_engine", "test", str(path), "--mutate", "--jobs", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until = time.monotonic() + 60
    while time.monotonic() < until and hunting.poll() is None:
        children = children_of(hunting.pid)
        if len(children) == 2:
            return hunting, children
        time.sleep(0.02)
    raise AssertionError(hunting.communicate())


def children_of(pid):
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8")
    return [int(child) for child in found.split()]


def gone(pids):
    """Wait until processes have ended."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if not any(Path(f"/proc/{pid}").exists() for pid in pids):
            return True
        time.sleep(0.02)
    return False


@LINUX
def test_a_process_that_is_killed_ends_the_hunt_with_an_error(tmp_path):
    hunting, children = started(tmp_path)
    os.kill(children[0], signal.SIGKILL)
    out, err = hunting.communicate(timeout=60)
    assert hunting.returncode == 2
    assert err == (
        "policy-engine: a process that examined mutants ended by signal 9, as it is where the "
        "memory does not suffice; --jobs 1 does without others\n"
    )
    assert out == ""
    assert gone(children)


@LINUX
def test_an_interrupt_ends_every_process_at_once(tmp_path):
    hunting, children = started(tmp_path)
    # As from the keyboard: to the whole group.
    os.killpg(hunting.pid, signal.SIGINT)
    out, err = hunting.communicate(timeout=60)
    assert hunting.returncode == 130
    assert (out, err.strip()) == ("", "")
    assert gone(children)


@LINUX
def test_many_interrupts_are_one(tmp_path):
    for pause in (0.001, 0.005, 0.02):
        hunting, children = started(tmp_path)
        for _ in range(5):
            os.killpg(hunting.pid, signal.SIGINT)
            time.sleep(pause)
        out, err = hunting.communicate(timeout=60)
        # While the interpreter itself ends, a signal does as it does to any program.
        assert hunting.returncode in {130, -signal.SIGINT}
        assert (out, err.strip()) == ("", "")
        assert gone(children)


@LINUX
def test_an_interrupt_of_a_command_that_does_not_end_ends_it():
    code = (
        "import policy_engine.cli.app as a, time\n"
        "def app(**_):\n"
        "    try:\n"
        "        print('began', flush=True)\n"
        "        time.sleep(60)\n"
        "    finally:\n"
        "        print('ending', flush=True)\n"
        "        time.sleep(60)\n"
        "a.app = app\n"
        "a.main()\n"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as it:
        assert it.stdout.readline() == "began\n"
        it.send_signal(signal.SIGINT)
        assert it.stdout.readline() == "ending\n"
        it.send_signal(signal.SIGINT)  # of the same impatience
        time.sleep(1.2)
        assert it.poll() is None
        it.send_signal(signal.SIGINT)
        assert it.wait(timeout=10) == 130
        assert it.stderr.read() == ""


@LINUX
def test_where_no_more_files_may_be_open_fewer_jobs_are_asked_for(tmp_path):
    path = written(tmp_path, 40, "long")
    code = (
        "import resource, policy_engine.cli\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))\n"
        "policy_engine.cli.main()\n"
    )
    command = [sys.executable, "-c", code, "test", str(path), "--mutate", "--jobs", "60"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 2
    said = r"policy-engine: process \d+ of \d+ could not be started: too many open files; "
    assert re.fullmatch(f"{said}give a lower number to --jobs\n", run.stderr), run.stderr


@LINUX
def test_processes_end_where_the_one_that_asks_is_killed(tmp_path):
    hunting, children = started(tmp_path)
    hunting.kill()
    hunting.communicate(timeout=60)
    assert gone(children)
