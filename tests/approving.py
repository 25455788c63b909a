"""Approvals as tests ask for them: requests, gates, people and a clock to set."""

from datetime import UTC, datetime, timedelta

from policy_engine.decision import ApprovalNeeded, Context, Decision, Outcome, Reason, Request

START = datetime(2026, 1, 5, 10, tzinfo=UTC)
RULE, OTHER = "desk/finance-approves", "base/oncall-approves"
F1 = {"id": "f1", "roles": ["finance"]}
F2 = {"id": "f2", "roles": ["finance", "support"]}
O1 = {"id": "o1", "roles": ["oncall"]}
U1 = {"id": "u1", "roles": ["finance", "support"]}


def at(seconds):
    return START + timedelta(seconds=seconds)


class Clock:
    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now


def gate(rule=RULE, approvers=("finance",), quorum=1, expires=900.0):
    return ApprovalNeeded(rule, approvers, quorum, expires)


def needing(*gates, revision="sha256:0", key=b"key", effect="require_approval", **fields):
    """Decide that a request needs approvals."""
    asked = Request(
        **{
            "agent": "support-l1",
            "principal": {"id": "u1", "roles": ["support"], "tenant": "acme"},
            "session": "s1",
            "tool": "refund",
            "args": {"amount": 120},
            "call_id": "c1",
            **fields,
        }
    )
    reasons = tuple(
        Reason(g.rule, "require_approval", "rule.when", f"Ask: {g.rule}") for g in gates
    )
    outcome = Outcome(effect, effect, reasons, obligations=gates)
    return Decision(asked, outcome, Context(revision, key, frozenset()))


def asked(store, *gates, now=START, **fields):
    """Ask for approvals and return them with the fingerprint."""
    decision = needing(*(gates or (gate(),)), **fields)
    return store.ask(decision, now), decision.fingerprint


def status(store, fingerprint, *gates, now=START):
    return store.statuses(fingerprint, gates or (gate(),), now)
