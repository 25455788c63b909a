"""Who asks, and on which road: from a run of the SDK to the guard's session.

Theory of operation. `run_config` carries the session that its caller named. A tool's context
leads to the run's configuration, so tools read it there. Other callbacks are given no
configuration; for them, the model input filter of that same configuration, which runs in every
turn before the model, leaves the scope in a context variable, and the turn's first step takes
away what an earlier run may have left. Where neither says anything, the surrounding
`guard.session` holds, and where there is none, rules that need a session cannot tell.
"""

from __future__ import annotations

import contextvars
import re
from dataclasses import dataclass, field
from typing import Any, Final

from agents import ModelProvider, RunConfig, get_current_span, get_current_trace
from agents.tool_context import ToolContext

from policy_engine.audit import Trace
from policy_engine.decision import Request, Stage
from policy_engine.guard import Guard, GuardSession
from policy_engine.guard.session import current

__all__ = ["SCOPE", "PolicyRunConfig", "Scope", "about", "session_for"]

_TRACE: Final = re.compile(r"trace_([0-9a-f]{32})")
_SPAN: Final = re.compile(r"span_([0-9a-f]{16})[0-9a-f]*")


@dataclass
class PolicyRunConfig(RunConfig):
    """A run configuration that knows who asks; made by `run_config`."""

    policy_session: GuardSession | None = field(default=None, kw_only=True)
    """None where the surrounding `guard.session` says who asks."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What the callbacks of one turn share."""

    guard: Guard
    session: GuardSession | None
    agent: str
    provider: ModelProvider


SCOPE: Final[contextvars.ContextVar[Scope | None]] = contextvars.ContextVar(
    "policy_engine_openai_agents_scope", default=None
)


def session_for(guard: Guard, agent: str | None, context: object = None) -> GuardSession:
    """Return the session that holds here, as this agent's and in the SDK's trace.

    Args:
        guard: Whose session.
        agent: Who acts.
        context: What the SDK hands to the callback.
    """
    found = _told(guard, context)
    if found is None:
        found = guard.session(agent=agent)
    return GuardSession(
        guard,
        found.id,
        agent=found.agent if agent is None else agent,
        principal=found.principal,
        context=found.context,
        trace=_trace(found.trace),
    )


def about(session: GuardSession, stage: Stage, **fields: Any) -> Request:
    """Return a request of a session."""
    return Request(
        stage=stage,
        agent=session.agent,
        principal=session.principal,
        session=session.id,
        context=session.context,
        **fields,
    )


def _told(guard: Guard, context: object) -> GuardSession | None:
    config = context.run_config if isinstance(context, ToolContext) else None
    if isinstance(config, PolicyRunConfig):
        told = config.policy_session
        if told is not None and told.guard is guard:
            return told
    scope = SCOPE.get()
    if scope is not None and scope.guard is guard and scope.session is not None:
        return scope.session
    return current(guard)


def _trace(otherwise: Trace) -> Trace:
    """Return the SDK's trace and span as records name them."""
    trace = get_current_trace()
    found = None if trace is None else _TRACE.fullmatch(trace.trace_id)
    if found is None:
        return otherwise
    span = get_current_span()
    parent = None if span is None else _SPAN.fullmatch(span.span_id)
    return Trace(found[1], None if parent is None else parent[1])
