"""The run's part: who asks, what is given to the agent, and what is said of unknown tools."""

import inspect
import os
import sys
from collections.abc import Mapping
from typing import Any, Final

from agents import Model, OutputGuardrail, ToolErrorFormatterArgs
from agents.run import CallModelData, ModelInputData

from policy_engine.adapters.openai_agents.absent import refuse_absent
from policy_engine.adapters.openai_agents.errors import ManagedError
from policy_engine.adapters.openai_agents.guardrails import (
    input_guardrail,
    output_guardrail,
    tripped,
)
from policy_engine.adapters.openai_agents.handoffs import unless_denied
from policy_engine.adapters.openai_agents.history import old_items
from policy_engine.adapters.openai_agents.incoming import FORMER, judged_input
from policy_engine.adapters.openai_agents.judge import foresee
from policy_engine.adapters.openai_agents.mark import guarded_names, is_guarded_agent
from policy_engine.adapters.openai_agents.model import GuardedModel
from policy_engine.adapters.openai_agents.nested import nested_history, with_history
from policy_engine.adapters.openai_agents.parts import decided
from policy_engine.adapters.openai_agents.said import OLD, is_asked, keys_of
from policy_engine.adapters.openai_agents.scope import (
    GIVEN,
    RUN,
    SCOPE,
    TURN,
    PolicyRunConfig,
    session_for,
)
from policy_engine.adapters.openai_agents.texts import said_by_user, with_content
from policy_engine.adapters.openai_agents.unjudged import Unjudged
from policy_engine.guard import Denied, Guard, GuardSession

__all__ = ["run_config"]

_MOST_AGENTS: Final = 32
_TRACES_DATA: Final = "OPENAI_AGENTS_TRACE_INCLUDE_SENSITIVE_DATA"
"""Where an application says for all runs whether traces hold what was said."""
_CHAINED: Final = (
    "call_model_input_filter",
    "handoff_input_filter",
    "input_guardrails",
    "output_guardrails",
    "session_input_callback",
    "tool_error_formatter",
)
_SERVER: Final = ("auto_previous_response_id", "conversation_id", "previous_response_id")
"""What a run is told where the provider keeps the conversation."""
_REFUSES: Final = "validate_output_guardrails_with_server_managed_conversation"
"""The function of the SDK that refuses output guardrails there."""


def run_config(
    guard: Guard,
    *,
    session: str | None = None,
    principal: Mapping[str, Any] | None = None,
    context: Mapping[str, Any] | None = None,
    traceparent: str | None = None,
    server_managed: bool = False,
    **settings: Any,
) -> PolicyRunConfig:
    """Return the configuration of a run under the policies.

    Args:
        guard: Whom to ask.
        session: The session that labels, calls and limits are kept by; also the trace's group.
            Name it where a conversation goes on in another run: without it, what was said is
            known in the same run alone.
        principal: `id`, `roles`, `tenant`, `attrs` of whom the agents act for.
        context: What the policies declare under `context`.
        traceparent: The W3C header of the caller's trace, where the SDK traces nothing.
        server_managed: The conversation is kept by the provider. It has to be said for a run with
            `conversation_id`, `previous_response_id` or `auto_previous_response_id`, which ends
            with a `UserError` otherwise: the SDK refuses output guardrails there. Everything that
            a model says is judged all the same, and what error handlers of the run say.
        settings: Whatever else `agents.RunConfig` takes. Filters, callbacks, guardrails and
            formatters of the application go on working: they run before the policies' own.
            `trace_include_sensitive_data` is off unless it is told here or in the environment,
            because the SDK's own spans hold what a model said before it is judged.
    """
    who = None
    if not (session is None and principal is None and context is None):
        who = guard.session(session, principal=principal, context=context, traceparent=traceparent)
    own = {name: settings.pop(name, None) for name in _CHAINED}
    model = settings.pop("model", None)
    settings.setdefault("group_id", session)
    if _TRACES_DATA not in os.environ:
        # What a model said is in the SDK's own spans before any policy has judged it.
        settings.setdefault("trace_include_sensitive_data", False)
    settings.setdefault("tool_not_found_behavior", "return_error_to_model")
    settings.setdefault("tool_name_collision_policy", "error")
    config = PolicyRunConfig(policy_guard=guard, policy_session=who, **settings)
    config.model = None if model is None else _guarded(guard, model)
    config.call_model_input_filter = _Filter(guard, own["call_model_input_filter"])
    config.session_input_callback = _SessionInput(guard, config, own["session_input_callback"])
    config.input_guardrails = [
        input_guardrail(guard, config=config),
        *(own["input_guardrails"] or ()),
    ]
    ends = [] if server_managed else [output_guardrail(guard, config=config)]
    config.output_guardrails = _Ends([*ends, *(own["output_guardrails"] or ())]) or None
    config.tool_error_formatter = _Formatter(guard, config, own["tool_error_formatter"])
    if own["handoff_input_filter"] is not None:
        config.handoff_input_filter = unless_denied(own["handoff_input_filter"])
    return config


def _guarded(guard: Guard, model: Model | str) -> GuardedModel:
    return model if isinstance(model, GuardedModel) else GuardedModel(model, guard, None)


class _Ends(list[OutputGuardrail[Any]]):
    """Output guardrails; where the SDK refuses them, they say which setting is missing."""

    def __bool__(self) -> bool:
        """Return whether there are any.

        Raises:
            ManagedError: The provider keeps the conversation, and the configuration was not told.
        """
        reader = sys._getframe(1)  # noqa: SLF001 - the SDK's own words do not name our setting
        if reader.f_code.co_name == _REFUSES and any(map(reader.f_locals.get, _SERVER)):
            raise ManagedError
        return len(self) > 0


class _Filter:
    """The model input filter: the application's own, for guarded agents alone."""

    def __init__(self, guard: Guard, own: Any) -> None:
        self._guard = guard
        self._own = own

    async def __call__(self, data: CallModelData[Any]) -> ModelInputData:
        if not is_guarded_agent(data.agent, self._guard):
            raise TypeError(
                f'the agent "{data.agent.name}" is not guarded: guard it with guard_agent() '
                "before it runs under this configuration, and before as_tool()"
            )
        found = data.model_data
        if self._own is not None:
            # It may run agents of its own here, which leave what they share.
            scope, turn, given, run = SCOPE.get(), TURN.get(), GIVEN.get(), RUN.get()
            old = OLD.get()
            changed = self._own(data)
            found = await changed if inspect.isawaitable(changed) else changed
            SCOPE.set(scope)
            TURN.set(turn)
            GIVEN.set(given)
            RUN.set(run)
            OLD.set(old)
        return found


class _SessionInput:
    """What joins history and new input: the new input is judged before it is kept anywhere."""

    def __init__(self, guard: Guard, config: PolicyRunConfig, own: Any) -> None:
        self._guard = guard
        self._config = config
        self._own = own

    async def __call__(self, history: list[Any], new: list[Any]) -> list[Any]:
        session = session_for(self._guard, None, self._config)
        old = keys_of(self._guard, session, old_items(self._guard, session, history))
        FORMER.set(())
        given = [await self._kept(item) for item in new]
        if self._own is None:
            joined = [*history, *given]
        else:
            run = RUN.get()
            found = self._own(history, given)
            joined = await found if inspect.isawaitable(found) else found
            RUN.set(run)
        OLD.set(old)
        GIVEN.set(tuple(item for item in given if item in joined))
        return joined

    async def _kept(self, item: Any) -> Any:
        """Return what may be stored of an item; raise where no agent may be given it.

        Which agent starts is not told here. What only some of them may be given is judged by the
        guardrail, which knows.
        """
        content = said_by_user(item)
        if content in ("", []):
            return item
        names = guarded_names(self._guard)[:_MOST_AGENTS]
        sessions = [session_for(self._guard, name, self._config) for name in names]
        if content is None:
            return await self._as_read(item, sessions)
        found = [await decided(self._guard, one, "input", content, foresee) for one in sessions]
        if found and not any(decision.permitted for decision, _ in found):
            try:
                await judged_input(self._guard, sessions[0], [item])
            except Denied as denied:
                raise tripped(self._guard, denied) from denied
        texts = [permitted for _, permitted in found]
        if texts and all(text == texts[0] for text in texts) and texts[0] != content:
            FORMER.set((*FORMER.get(), (texts[0], content)))
            return with_content(item, texts[0])
        return item

    async def _as_read(self, item: Any, sessions: list[GuardSession]) -> Any:
        """Return what was given by hand as every agent may read it: kept, it is history."""
        if not isinstance(item, dict) or not is_asked(self._guard):
            return item
        for session in sessions:
            unjudged = Unjudged(self._guard, session, "", "", frozenset(), is_given=True)
            if nested_history(item) is not None:
                item = await with_history(item, unjudged.item)
            else:
                item = await unjudged.item(item)
        return item


class _Formatter:
    """What the model reads where a tool is not there, which is on record."""

    def __init__(self, guard: Guard, config: PolicyRunConfig, own: Any) -> None:
        self._guard = guard
        self._config = config
        self._own = own

    async def __call__(self, args: ToolErrorFormatterArgs[Any]) -> str | None:
        if args.kind == "tool_not_found":
            turn = TURN.get()
            agent = None if turn is None else turn.agent.name
            session = session_for(self._guard, agent, self._config)
            told, is_denied = await refuse_absent(
                self._guard, session, args.tool_name, args.call_id
            )
            if is_denied or self._own is None:
                return told
            return await self._said(args) or told
        return None if self._own is None else await self._said(args)

    async def _said(self, args: ToolErrorFormatterArgs[Any]) -> str | None:
        said = self._own(args)
        text: str | None = await said if inspect.isawaitable(said) else said
        return text
