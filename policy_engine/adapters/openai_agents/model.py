"""The model as policies see it: which, how often, what it is sent, and everything it says.

Theory of operation. A guarded agent has this model in place of its own, so that whatever the
run's configuration is, each request is decided and each response is judged before the SDK acts
on any part of it. A streamed response is read to its end, judged as a whole, and then handed
on: nothing of a denied or redacted text leaves in any event.
"""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from secrets import token_hex
from typing import Any, Final

from agents import (
    AgentOutputSchemaBase,
    Model,
    ModelResponse,
    ModelRetryAdvice,
    ModelRetryAdviceRequest,
    ModelSettings,
    OpenAIChatCompletionsModel,
)
from agents.models import get_default_model
from openai.types.responses import ResponseCompletedEvent, ResponseFunctionToolCall

from policy_engine.adapters.openai_agents.absent import callable_names
from policy_engine.adapters.openai_agents.beside import made_text, read_tools, with_text
from policy_engine.adapters.openai_agents.call_ids import with_own_ids
from policy_engine.adapters.openai_agents.calls import redacted_calls
from policy_engine.adapters.openai_agents.errors import Gap, UnmediatedError
from policy_engine.adapters.openai_agents.hosted import offered
from policy_engine.adapters.openai_agents.incoming import has_unjudged, model_input
from policy_engine.adapters.openai_agents.judge import enforce
from policy_engine.adapters.openai_agents.response import judged_output
from policy_engine.adapters.openai_agents.retold import retold
from policy_engine.adapters.openai_agents.said import note_said
from policy_engine.adapters.openai_agents.scope import TURN, about, here, session_for
from policy_engine.adapters.openai_agents.settings import most_tokens, refuse_hidden
from policy_engine.adapters.openai_agents.spending import Sent, spent, usage_of
from policy_engine.adapters.openai_agents.turns import is_budgeted, turn_of
from policy_engine.adapters.openai_agents.typed import misfit
from policy_engine.adapters.openai_agents.unjudged import Unjudged
from policy_engine.adapters.openai_agents.used import note_uses
from policy_engine.guard import Denied, Guard, GuardSession

__all__ = ["GuardedModel", "model_name"]

_PROVIDER: Final = (
    "is a model given by its name, and the provider of this run's configuration cannot be seen: "
    "make the configuration with run_config(guard, …), or give the agent the model itself; for a "
    "responses_websocket_session run with Runner and run_config(guard, …, model_provider="
    "session.run_config.model_provider)"
)
_ENDED: Final = "the run ends here"
_NAMES: Final = ("model", "model_name", "name")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request as the SDK makes it."""

    instructions: str | None
    items: str | list[Any]
    settings: Any
    tools: list[Any]
    handoffs: list[Any]
    prompt: Any
    is_kept: bool
    """Whether the provider keeps the conversation."""

    def sent(self) -> Sent:
        """Return what is sent, where nothing of it is changed."""
        most = most_tokens(self.settings)
        sent = (self.instructions, self.prompt, self.items, self.tools, self.handoffs)
        return Sent(*sent, most, self.is_kept)

    def names(self) -> frozenset[str]:
        """Return what the agent's own tools and handoffs are called, and their namespaces."""
        names = [getattr(tool, "qualified_name", tool.name) for tool in self.tools]
        told = [part for name in names for part in (name, *name.rpartition(".")[::2])]
        return frozenset([*told, *(handoff.tool_name for handoff in self.handoffs)])


class GuardedModel(Model):
    """A model that asks the policies.

    Args:
        inner: The model, its name, or None for the SDK's default.
        guard: Whom to ask.
        agent: Whose model it is; None for a model of the run's configuration.
    """

    def __init__(self, inner: Model | str | None, guard: Guard, agent: str | None) -> None:
        self._inner = inner
        self._guard = guard
        self._agent = agent

    @property
    def name(self) -> str:
        """What policies call the model."""
        return model_name(self._inner)

    @property
    def guard(self) -> Guard:
        """Whom it asks."""
        return self._guard

    def asks(self, guard: Guard, agent: str) -> bool:
        """Whether it asks this guard for this agent."""
        return self._guard is guard and self._agent == agent

    async def get_response(  # noqa: PLR0913, PLR0917 - the SDK's signature
        self,
        system_instructions: str | None,
        input: str | list[Any],  # noqa: A002 - the SDK's word
        model_settings: Any,
        tools: list[Any],
        output_schema: Any,
        handoffs: list[Any],
        tracing: Any,
        *,
        previous_response_id: str | None,
        conversation_id: str | None,
        prompt: Any,
    ) -> ModelResponse:
        """Decide about a request, make it, and judge the response.

        Raises:
            Denied: The request or the response is not permitted.
        """
        model = self._model()
        name = self._name_of(model)
        is_kept = bool(previous_response_id or conversation_id)
        asked = _Asked(system_instructions, input, model_settings, tools, handoffs, prompt, is_kept)
        session = self._session()
        _note_asked(output_schema)
        async with turn_of(self._guard, session, name, asked.sent):
            sent = await self._before(session, name, asked)
            try:
                response = await model.get_response(
                    system_instructions=sent.instructions,
                    input=sent.items,
                    model_settings=model_settings,
                    tools=sent.tools,
                    output_schema=output_schema,
                    handoffs=handoffs,
                    tracing=tracing,
                    previous_response_id=previous_response_id,
                    conversation_id=conversation_id,
                    prompt=sent.prompt,
                )
            except BaseException as error:
                self._settle(session, name, *spent(sent, error, []))
                raise
            used = response.usage
            if used.total_tokens or used.input_tokens or used.output_tokens:
                self._settle(session, name, used.input_tokens, used.output_tokens)
        judged = await self._judged(session, name, response.output, sent)
        # Not `replace`, which has pydantic look through what a model made of the SDK's own types.
        told = copy.copy(response)
        told.output = judged
        return told

    async def stream_response(  # noqa: PLR0913, PLR0917 - the SDK's signature
        self,
        system_instructions: str | None,
        input: str | list[Any],  # noqa: A002 - the SDK's word
        model_settings: Any,
        tools: list[Any],
        output_schema: Any,
        handoffs: list[Any],
        tracing: Any,
        *,
        previous_response_id: str | None,
        conversation_id: str | None,
        prompt: Any,
    ) -> AsyncIterator[Any]:
        """Stream likewise: what is judged as a whole is handed on, and nothing before it.

        Raises:
            Denied: The request or the response is not permitted.
        """
        model = self._model()
        name = self._name_of(model)
        is_kept = bool(previous_response_id or conversation_id)
        asked = _Asked(system_instructions, input, model_settings, tools, handoffs, prompt, is_kept)
        session = self._session()
        _note_asked(output_schema)
        events: list[Any] = []
        async with turn_of(self._guard, session, name, asked.sent):
            sent = await self._before(session, name, asked)
            try:
                stream = model.stream_response(
                    sent.instructions,
                    sent.items,
                    self._reporting(model, session, name, model_settings),
                    sent.tools,
                    output_schema,
                    handoffs,
                    tracing,
                    previous_response_id=previous_response_id,
                    conversation_id=conversation_id,
                    prompt=sent.prompt,
                )
                async for event in stream:
                    events.append(event)  # noqa: PERF401 - what came before an error counts
            except BaseException as error:
                self._settle(session, name, *spent(sent, error, events))
                raise
            last = self._settled(session, name, events, sent)
        for event in await self._streamed(session, name, events, last, sent):
            yield event

    def get_retry_advice(self, request: ModelRetryAdviceRequest) -> ModelRetryAdvice | None:
        """Say what the model says of a failed request; a refused one is not tried again."""
        if isinstance(request.error, UnmediatedError):
            return None
        return self._model().get_retry_advice(request)

    async def close(self) -> None:
        """Close the model, where it was given as one."""
        if isinstance(self._inner, Model):
            await self._inner.close()

    async def _cleanup_on_run_end(self, owner: object) -> None:
        if isinstance(self._inner, Model):
            await self._inner._cleanup_on_run_end(owner)  # noqa: SLF001 - handed on

    def _model(self) -> Model:
        """Return the model that answers.

        Raises:
            UnmediatedError: It is given by its name, and whose name that is cannot be told.
        """
        if isinstance(self._inner, Model):
            return self._inner
        scope = here(self._guard)
        if scope is None:
            raise UnmediatedError([Gap(self._agent or "", self.name, _PROVIDER)], _ENDED)
        # A model that is named says so in requests with a stored prompt, which names one too.
        return scope.provider.get_model(self._inner or get_default_model())

    def _name_of(self, model: Model) -> str:
        """Return what policies call the model that answers: a provider may have its own default."""
        return self.name if self._inner is not None else model_name(model)

    def _session(self) -> GuardSession:
        turn = TURN.get()
        name = None if turn is None else turn.agent.name
        return session_for(self._guard, self._agent or name)

    async def _before(self, session: GuardSession, name: str, asked: _Asked) -> Sent:
        """Decide about a request; return what is sent.

        Raises:
            Denied: It is not permitted.
            UnmediatedError: It says what no policy would see.
        """
        guard, turn = self._guard, TURN.get()
        agent = None if turn is None else turn.agent
        refuse_hidden(session.agent or "", asked.settings)
        unjudged = None
        if has_unjudged(guard, session, name, asked.items):
            unjudged = Unjudged(guard, session, name, token_hex(8), asked.names())
        made = made_text(agent, asked.instructions, asked.prompt)
        call_id = None if unjudged is None else unjudged.call_id
        request = about(session, "model_request", model=name, text=made, call_id=call_id)
        permitted = (await enforce(guard, session, request)).request.text
        try:
            told = with_text(made, permitted, asked.instructions, asked.prompt)
            items = await model_input(guard, session, asked.items, unjudged)
            shown = await offered(guard, session, asked.tools)
            shown = await read_tools(guard, session, shown)
        except BaseException:
            # Nothing was sent, so nothing was used.
            self._settle(session, name, 0, 0)
            raise
        if turn is not None:
            turn.was_answered = True
            turn.offered = callable_names(shown, asked.handoffs)
        most = most_tokens(asked.settings)
        return Sent(*told, items, shown, asked.handoffs, most, asked.is_kept)

    def _reporting(self, model: Model, session: GuardSession, name: str, settings: Any) -> Any:
        """Return settings by which a stream reports its usage, where a budget waits for it.

        The SDK asks OpenAI's own servers for it, and others where the application says so.
        """
        is_asked = isinstance(model, OpenAIChatCompletionsModel)
        if not is_asked or settings.include_usage is not None:
            return settings
        if not is_budgeted(self._guard, session, name):
            return settings
        return settings.resolve(ModelSettings(include_usage=True))

    def _settle(self, session: GuardSession, name: str, read: int, written: int) -> None:
        session.run(self._guard.record_usage, model=name, input_tokens=read, output_tokens=written)

    async def _judged(
        self, session: GuardSession, model: str, output: list[Any], sent: Sent
    ) -> list[Any]:
        """Return what a model said as it may be handed on.

        Raises:
            Denied: It may not.
        """
        said = await judged_output(self._guard, session, model, output)
        turn = TURN.get()
        if turn is not None and turn.schema is not None:
            denied = await misfit(self._guard, session, model, turn.schema, (output, said))
            if denied is not None:
                raise denied
        calls = [_complete(item) for item in said]
        if not sent.is_kept:
            calls = with_own_ids(self._guard, session, calls, sent.items)
        kept = await redacted_calls(self._guard, session, calls, sent.tools, sent.handoffs)
        for item in kept:
            note_said(self._guard, session, item)
        if turn is not None:
            turn.answer = tuple(kept)
        return kept

    def _settled(self, session: GuardSession, name: str, events: list[Any], sent: Sent) -> Any:
        """Note what a streamed response used; return the event that ends it."""
        last = next((e for e in reversed(events) if hasattr(e, "response")), None)
        if not isinstance(last, ResponseCompletedEvent):
            self._settle(session, name, *(usage_of(last) or spent(sent, None, events)))
        elif last.response.usage is not None:
            used = last.response.usage
            self._settle(session, name, used.input_tokens, used.output_tokens)
        return last

    async def _streamed(
        self, session: GuardSession, name: str, events: list[Any], last: Any, sent: Sent
    ) -> list[Any]:
        if not isinstance(last, ResponseCompletedEvent):
            # It failed or broke off: the SDK raises by its last event, and needs nothing else.
            with suppress(Denied):
                await note_uses(self._guard, session, _done(events))
            ended = [e for e in events[-1:] if _is_end(e)]
            return [_emptied(event) for event in ended]
        said = list(last.response.output) or _done(events)
        judged = await self._judged(session, name, said, sent)
        return retold(events, last, said, judged)


def model_name(model: Model | str | None) -> str:
    """Return what policies call a model."""
    if model is None:
        return get_default_model()
    if isinstance(model, str):
        return model
    if isinstance(model, GuardedModel):
        return model.name
    for attribute in _NAMES:
        found = getattr(model, attribute, None)
        if isinstance(found, str) and found:
            return found
    return type(model).__name__


def _note_asked(schema: AgentOutputSchemaBase | None) -> None:
    """Note what the answer of this turn has to fit; of an earlier one nothing is left."""
    turn = TURN.get()
    if turn is not None:
        turn.answer = ()
        turn.schema = None if schema is None or schema.is_plain_text() else schema


def _complete(item: Any) -> Any:
    """Write the arguments of a call without any as JSON: the SDK asks people about blank ones."""
    if isinstance(item, ResponseFunctionToolCall) and not item.arguments.strip():
        return item.model_copy(update={"arguments": "{}"})
    return item


def _done(events: list[Any]) -> list[Any]:
    """Return the items that were streamed to their end."""
    return [e.item for e in events if getattr(e, "type", "") == "response.output_item.done"]


def _is_end(event: Any) -> bool:
    return str(getattr(event, "type", "")) in {
        "response.incomplete",
        "response.failed",
        "error",
        "response.error",
    }


def _emptied(event: Any) -> Any:
    response = getattr(event, "response", None)
    if response is None:
        return event
    return event.model_copy(update={"response": response.model_copy(update={"output": []})})
