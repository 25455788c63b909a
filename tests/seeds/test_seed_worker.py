"""A worker process: who asks travels in the job, and what does not travel is denied."""

import multiprocessing

import pytest
import seed_worker

from policy_engine import Denied

POLICY = """
tools:
  read_report: {args: {month: {type: string}}}
  send_report:
    args: {month: {type: string}}
    rules:
      - {id: analysts, when: '!("analyst" in principal.roles)', effect: deny, message: Only analysts send reports.}
limits:
  - {id: sent, tools: [send_report], max: 2, by: [principal], message: Two reports are the most.}
  - {id: read, tools: [read_report], max: 2, by: [session], message: Two reports are the most.}
"""  # noqa: E501 - a policy keeps its lines
ADA = {"id": "ada", "roles": ["analyst"]}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
WHOLE = {
    "task": "send_report",
    "kwargs": {"month": "2026-01"},
    "agent": "reporter",
    "principal": ADA,
    "session": "s1",
    "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01",
}


def without(*keys, **changes):
    return {key: value for key, value in {**WHOLE, **changes}.items() if key not in keys}


JOBS = [
    (WHOLE, "sent 2026-01"),
    (without("principal"), "denied"),
    (without(principal={"id": "eve", "roles": ["intern"]}), "denied: Only analysts"),
    (without(principal={"id": "eve"}), "denied"),
    (without(principal={"roles": ["analyst"]}), "denied"),
    (without("session"), "sent 2026-01"),
    (WHOLE, "denied: Two reports are the most."),
    (without("session", task="read_report"), "denied"),
    (without("principal", "session", "agent", task="read_report"), "denied"),
    (without(task="read_report"), "read 2026-01"),
    (without("principal", task="read_report"), "read 2026-01"),
]


@pytest.fixture
def worker(guard_by, tmp_path):
    """A process that shares nothing with this one but a folder and two queues."""
    guard_by(POLICY)
    context = multiprocessing.get_context("spawn")
    jobs, answers = context.Queue(), context.Queue()
    records = str(tmp_path / "records.jsonl")
    process = context.Process(
        target=seed_worker.work, args=(str(tmp_path / "policies"), records, jobs, answers)
    )
    process.start()

    def send(job):
        jobs.put(job)
        return answers.get(timeout=60)

    yield send
    jobs.put(None)
    process.join(60)
    assert process.exitcode == 0
    for queue in (jobs, answers):
        queue.close()
        queue.join_thread()


def test_a_job_runs_for_whom_it_names_and_for_nobody_else(worker, recorded):
    for job, wanted in JOBS:
        assert worker(job).startswith(wanted), job
    decisions = recorded()
    assert [r["principal"] for r in decisions] == [
        (job.get("principal") or {}).get("id") for job, _ in JOBS
    ]
    assert {r["trace_id"] for r in decisions} == {TRACE}


def test_a_session_that_holds_here_does_not_hold_in_the_worker(worker, guard_by):
    guard = guard_by(POLICY)
    with guard.session("s1", agent="reporter", principal=ADA):
        assert worker(without("principal", "session", "agent")).startswith("denied")


def test_the_same_function_without_a_session_is_denied_here_too(guard_by):
    guard = guard_by(POLICY)

    @guard.tool
    def send_report(month: str) -> str:
        return f"sent {month}"

    with pytest.raises(Denied):
        send_report("2026-01")
