"""An agent's work in processes of its own, for tests; run as a script: desk_work.py FOLDER STEP."""

import json
import os
import sys
from pathlib import Path

from policy_engine import ApprovalRequired, Denied, Guard
from policy_engine.approvals import SqliteApprovals
from policy_engine.state import SqliteState

POLICY = """
policy: desk
language: 1
tools:
  read_page: {labels: [untrusted]}
  refund:
    args: {amount: {type: number}}
    rules:
      - id: finance
        when: args.amount > 100
        effect: require_approval
        approval: {approvers: [finance], expires: 1h}
  send_email: allow
rules:
  - id: no-exfiltration
    tools: [send_email]
    when: '"untrusted" in session.labels'
    effect: deny
limits:
  - {id: refunds, tools: [refund], max: 2, by: [session]}
"""


def guard_in(folder, **options):
    """Return a guard over the policy, with its stores in the folder."""
    policy = Path(folder) / "desk.yaml"
    if not policy.exists():
        policy.write_text(POLICY)
    stores = {
        "approvals": SqliteApprovals(Path(folder) / "approvals.db"),
        "state": SqliteState(Path(folder) / "state.db"),
    }
    return Guard.from_path(policy, records=len, **{**stores, **options})


def tools_of(guard, ran):
    """Return the tools, each of which notes that it ran."""

    @guard.tool
    def refund(amount: float) -> str:
        ran.append(("refund", amount))
        return "refunded"

    @guard.tool
    def read_page() -> str:
        ran.append(("read_page",))
        return "page"

    @guard.tool
    def send_email() -> str:
        ran.append(("send_email",))
        return "sent"

    return refund, read_page, send_email


def tried(function, *args):
    """Call a tool; return what came of it."""
    try:
        return function(*args)
    except ApprovalRequired as asked:
        return [approval.id for approval in asked.approvals]
    except Denied as denied:
        return [reason.rule for reason in denied.decision.reasons if reason.effect == "deny"]


def main(folder, step):
    """Do one step of the work, and end as a killed process does."""
    ran = []
    guard = guard_in(folder)
    refund, read_page, send_email = tools_of(guard, ran)
    found = None
    if step == "approve":
        (waiting,) = guard.approvals.pending()
        guard.approvals.approve(waiting.id, by={"id": "f1", "roles": ["finance"]}, reason="ok")
        found = waiting.args
    elif step == "halt":
        found = guard.halt("tool", "refund", reason="stop")
    else:
        with guard.session("s1", agent="a", principal={"id": "u1", "roles": ["support"]}):
            if step == "begin":
                read_page()
            found = [tried(refund, 120.0), tried(send_email)]
    print(json.dumps([found, ran]), flush=True)  # noqa: T201 - its answer
    os._exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
