"""A worker process in the manner of Celery: jobs come in by a queue, answers go out by another."""

from policy_engine import Denied, Guard

_TOOLS = {}


def start(policy, records):
    """Do what a worker does once: load the policies, guard the tools."""
    guard = Guard.from_path(policy, records=records)

    @guard.tool
    def send_report(month: str) -> str:
        return f"sent {month}"

    @guard.tool
    def read_report(month: str) -> str:
        return f"read {month}"

    _TOOLS.update(send_report=send_report, read_report=read_report)
    return guard


def run(guard, job):
    """Run one job for whom it names; what it does not name is not known here."""
    who = {key: job[key] for key in ("agent", "principal", "traceparent") if key in job}
    with guard.session(job.get("session"), **who):
        try:
            return _TOOLS[job["task"]](**job["kwargs"])
        except Denied as denied:
            return f"denied: {denied}"


def work(policy, records, jobs, answers):
    """Take jobs until there are none."""
    guard = start(policy, records)
    while (job := jobs.get()) is not None:
        answers.put(run(guard, job))
