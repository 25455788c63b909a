"""State as tests ask for it: requests, reservations, decisions and what they need."""

from datetime import UTC, datetime, timedelta

from policy_engine.decision import (
    Context,
    CounterNeed,
    Decision,
    Needs,
    Outcome,
    Request,
    Reservation,
)

START = datetime(2026, 1, 5, 10, tzinfo=UTC)
CONTEXT = Context("sha256:0", b"key", frozenset())
KEY = ("s1",)


def at(seconds):
    return START + timedelta(seconds=seconds)


def request(**fields):
    return Request(**{"tool": "t", "args": {}, "session": "s1", **fields})


def reservation(**fields):
    return Reservation(
        **{
            "limit": "p/calls",
            "key": KEY,
            "amount": 1,
            "unit": "calls",
            "max": 2,
            "per": 3600.0,
            **fields,
        }
    )


def permitted(asked, *obligations, labels=()):
    outcome = Outcome("allow", "allow", obligations=obligations, labels=labels)
    return Decision(asked, outcome, CONTEXT)


def denied(asked):
    return Decision(asked, Outcome("deny", "deny"), CONTEXT)


def needs(*items, session=True):
    return Needs(
        now=True,
        session=session,
        counters=tuple(CounterNeed(i.limit, i.key, i.per, i.timezone) for i in items),
    )


def used(state, item, now, asked=None):
    facts = state.facts(asked or request(), needs(item), now)
    return facts.counters.get((item.limit, item.key))
