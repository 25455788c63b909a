"""Who asks, and on which road: from a run of the SDK to the guard's session.

Theory of operation. `run_config` carries the session that its caller named. A tool's context
leads to the run's configuration, so tools read it there. Other callbacks are given no
configuration, and a run that is resumed calls some of them before anything else of ours; for
them, the configuration notes in a context variable that a run reads it: the SDK does so when a
run begins, after it has asked the agent for its tools, and before it runs guardrails. What an
earlier run may have left counts for nothing: a turn's first step takes it away, and it does not
hold in another trace or under another `guard.session`. Where neither says anything, the
surrounding `guard.session` holds, and where there is none, rules that need a session cannot tell.
"""

from __future__ import annotations

import contextvars
import re
from dataclasses import dataclass, field
from functools import lru_cache
from secrets import token_hex
from typing import Any, Final, NamedTuple

from agents import (
    Agent,
    AgentOutputSchemaBase,
    ModelProvider,
    RunConfig,
    get_current_span,
    get_current_trace,
)
from agents.tool_context import ToolContext

from policy_engine.audit import Trace
from policy_engine.decision import Request, Stage
from policy_engine.guard import Guard, GuardSession
from policy_engine.guard.session import current

__all__ = [
    "GIVEN",
    "RUN",
    "SCOPE",
    "TURN",
    "PolicyRunConfig",
    "Scope",
    "Turn",
    "about",
    "here",
    "session_for",
]

_TRACE: Final = re.compile(r"trace_([0-9a-f]{32})")
_OF_CALLER: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]{1,128}")
"""A trace's id that the application made itself: one line, and no longer than a record bears."""
_SPAN: Final = re.compile(r"span_([0-9a-f]{16})[0-9a-f]*")
_INPUT: Final = "session_input_callback"
_READ: Final = (
    "input_guardrails",
    "output_guardrails",
    "tool_name_collision_policy",
    "tracing_disabled",
    _INPUT,
)
"""What a run reads of its configuration, and hardly anybody else."""


@dataclass
class PolicyRunConfig(RunConfig):
    """A run configuration that knows who asks; made by `run_config`."""

    policy_guard: Guard | None = field(default=None, kw_only=True)
    """Whose configuration it is."""
    policy_session: GuardSession | None = field(default=None, kw_only=True)
    """None where the surrounding `guard.session` says who asks."""


class _Read:
    """A field of a configuration that notes that a run reads it.

    Args:
        name: The field.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._otherwise = getattr(RunConfig, name)

    def __get__(self, config: PolicyRunConfig | None, kind: type[Any] | None = None) -> Any:
        """Return the field's value."""
        if config is None:
            return self._otherwise
        _note(config)
        if self._name == _INPUT:
            GIVEN.set(None)
            RUN.set(token_hex(8))
        return vars(config).get(self._name, self._otherwise)

    def __set__(self, config: PolicyRunConfig, value: Any) -> None:
        """Set the field."""
        vars(config)[self._name] = value


for _name in _READ:
    setattr(PolicyRunConfig, _name, _Read(_name))


class Scope(NamedTuple):
    """What the callbacks of one run share."""

    guard: Guard | None
    session: GuardSession | None
    provider: ModelProvider
    group_id: str | None
    trace: object
    """The SDK's trace in which it holds."""
    surrounding: GuardSession | None
    """The session of the guard in which it holds."""
    model: object = None
    """What the run's configuration names in place of the agents' own."""


@dataclass(slots=True)
class Turn:
    """A turn of a guarded agent."""

    agent: Agent[Any]
    was_answered: bool = False
    """Whether a guarded model answered."""
    offered: tuple[str, ...] = ()
    """What the model was told that it can call, by the SDK's names."""
    answer: tuple[Any, ...] = ()
    """The items of its response, as they were handed on."""
    schema: AgentOutputSchemaBase | None = None
    """What its answer has to fit; None where it may be any text."""
    ended: object = None
    """What a tool returned and ends the run: judged as an output."""


SCOPE: Final[contextvars.ContextVar[Scope | None]] = contextvars.ContextVar(
    "policy_engine_openai_agents_scope", default=None
)
"""Of the run that read its configuration last; ask `here` whether it holds."""

TURN: Final[contextvars.ContextVar[Turn | None]] = contextvars.ContextVar(
    "policy_engine_openai_agents_turn", default=None
)
"""The turn that is under way: begun when the SDK asks a guarded agent for its tools."""

GIVEN: Final[contextvars.ContextVar[tuple[Any, ...] | None]] = contextvars.ContextVar(
    "policy_engine_openai_agents_given", default=None
)
"""What this run was given beside the history of its SDK session.

A run under our configuration forgets what an earlier one left here before it takes input. A run
under another configuration may meet it: it counts only where the input ends with the same items,
and what is not new is withheld from the model where it is denied.
"""


RUN: Final[contextvars.ContextVar[str | None]] = contextvars.ContextVar(
    "policy_engine_openai_agents_run", default=None
)
"""Tells runs under our configurations apart; None in others, which the trace tells apart."""


def here(guard: Guard) -> Scope | None:
    """Return what the run that is under way shares; None where no run of this guard is."""
    scope = SCOPE.get()
    if scope is None or scope.guard is not guard:
        return None
    if scope.trace is not get_current_trace() or scope.surrounding is not current(guard):
        return None
    return scope


def session_for(guard: Guard, agent: str | None, context: object = None) -> GuardSession:
    """Return the session that holds here, as this agent's and in the SDK's trace.

    Args:
        guard: Whose session.
        agent: Who acts.
        context: What the SDK hands to the callback, or the configuration of the run.
    """
    config = context.run_config if isinstance(context, ToolContext) else None
    if isinstance(context, RunConfig):
        config = context
    scope = here(guard)
    found = _told(guard, config, scope)
    if found is None:
        found = guard.session(agent=agent)
    return _like(found, agent, _trace(found.trace, _group(config, scope)))


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


def _note(config: PolicyRunConfig) -> None:
    guard = config.policy_guard
    scope = Scope(
        guard,
        config.policy_session,
        config.model_provider,
        config.group_id,
        get_current_trace(),
        None if guard is None else current(guard),
        config.model,
    )
    SCOPE.set(scope)


def _like(session: GuardSession, agent: str | None, trace: Trace) -> GuardSession:
    """Return the session as another agent's and in another trace; what it holds is sound."""
    made = GuardSession.__new__(GuardSession)
    made.guard = session.guard
    made.id = session.id
    made.agent = session.agent if agent is None else str(agent)
    made.principal = session.principal
    made.context = session.context
    made.trace = trace
    return made


def _told(guard: Guard, config: RunConfig | None, scope: Scope | None) -> GuardSession | None:
    if isinstance(config, PolicyRunConfig):
        told = config.policy_session
        return told if told is not None and told.guard is guard else current(guard)
    if config is None and scope is not None and scope.session is not None:
        return scope.session
    return current(guard)


def _group(config: RunConfig | None, scope: Scope | None) -> str | None:
    if config is not None:
        return config.group_id
    return None if scope is None else scope.group_id


def _trace(otherwise: Trace, group_id: str | None) -> Trace:
    """Return the SDK's trace, span and group as records name them."""
    trace = get_current_trace()
    told = None if trace is None else trace.export()
    group = group_id if told is None else told.get("group_id")
    own = None if told is None or trace is None else _trace_id(trace.trace_id)
    if own is None:
        return _made(otherwise.trace_id, otherwise.parent_id, group)
    span = get_current_span()
    parent = None if span is None else _SPAN.fullmatch(span.span_id)
    return _made(own, None if parent is None else parent[1], group)


_made: Final = lru_cache(maxsize=256)(Trace)
"""Makes a trace: within a turn it is the same at each stage."""


def _trace_id(name: object) -> str | None:
    """Return the id of a trace of the SDK's as records name it; None where it cannot be told."""
    if not isinstance(name, str):
        return None
    made = _TRACE.fullmatch(name)
    if made is not None:
        return made[1]
    return name if _OF_CALLER.fullmatch(name) else None
