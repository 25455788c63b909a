"""Settings of a model by which a request would say, or go, what and where no policy sees.

Theory of operation. The SDK puts extra fields, headers and parameters into requests as they are.
Some of them name another model or host, bring tools, or hold text that the model reads; nobody
can list those of every provider and gateway. So what is known to do nothing of that is let
through, by its name, and everything else is refused. An application that needs more gives it to
the client that the model is made with, which is its own.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policy_engine.adapters.openai_agents.errors import Gap, UnmediatedError

__all__ = ["hidden", "most_tokens", "refuse_hidden"]

_MOST: Final = ("max_completion_tokens", "max_output_tokens", "max_tokens")
"""Fields that say how much a model may say at most."""
_SWITCHES: Final = "chat_template_kwargs"
"""A field that a template puts into the text: it may hold switches and numbers alone."""
_FIELDS: Final = frozenset(
    {
        *_MOST,
        _SWITCHES,
        "drop_params",
        "enable_thinking",
        "frequency_penalty",
        "include",
        "length_penalty",
        "logit_bias",
        "logprobs",
        "max_tool_calls",
        "metadata",
        "min_p",
        "min_tokens",
        "parallel_tool_calls",
        "presence_penalty",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning",
        "reasoning_effort",
        "repetition_penalty",
        "safety_identifier",
        "seed",
        "service_tier",
        "stop",
        "store",
        "temperature",
        "thinking",
        "thinking_budget",
        "timeout",
        "top_a",
        "top_k",
        "top_logprobs",
        "top_p",
        "truncation",
        "usage",
        "user",
        "verbosity",
    }
)
_HEADERS: Final = frozenset(
    {
        "baggage",
        "http-referer",
        "idempotency-key",
        "traceparent",
        "tracestate",
        "user-agent",
        "x-client-request-id",
        "x-request-id",
        "x-title",
    }
)
_LET: Final[Mapping[str, frozenset[str]]] = {
    "extra_args": _FIELDS,
    "extra_body": _FIELDS,
    "extra_headers": _HEADERS,
    "extra_query": frozenset({"api-version"}),
}
"""A place for extras -> what may stand there."""
_WHY: Final = (
    "is put into requests past the policies: say it where the SDK has a place for it, or give it "
    "to the client that the model is made with; {} may hold "
)


def hidden(agent: str, settings: Any) -> Iterator[Gap]:
    """Go through what settings put into requests that policies are to see.

    Args:
        agent: Whose settings.
        settings: The SDK's `ModelSettings`.
    """
    for place in _LET:
        yield from _hidden(agent, place, place, getattr(settings, place, None))


def refuse_hidden(agent: str, settings: Any) -> None:
    """Refuse settings that say something which no policy sees.

    Raises:
        UnmediatedError: They do.
    """
    gaps = list(hidden(agent, settings))
    if gaps:
        raise UnmediatedError(gaps, "the run ends here")


def most_tokens(settings: Any) -> int | None:
    """Return the most that a model may say; None where nobody says how much that is."""
    args = settings.extra_args if isinstance(settings.extra_args, Mapping) else {}
    extras = (args, args.get("extra_body"), settings.extra_body)
    told = [settings.max_tokens]
    for extra in extras:
        told += [extra.get(name) for name in _MOST] if isinstance(extra, Mapping) else []
    return max((number for number in told if type(number) is int), default=None)


def _hidden(agent: str, place: str, path: str, extra: object) -> Iterator[Gap]:
    """Go through what stands in one place for extras that may not stand there."""
    if not extra and not isinstance(extra, bytes):
        return
    let = _LET[place]
    why = _WHY.format(place) + ", ".join(sorted(let))
    if not isinstance(extra, Mapping):
        yield Gap(agent, path, why)
        return
    for key, value in extra.items():
        name = key.lower() if place == "extra_headers" and isinstance(key, str) else key
        if place == "extra_args" and name in _LET and name != "extra_args":
            yield from _hidden(agent, str(name), f"{path}.{name}", value)
        elif name not in let or (name == _SWITCHES and not _is_plain(value)):
            yield Gap(agent, f"{path}.{key}", why)


def _is_plain(value: object) -> bool:
    """Whether a mapping holds switches and numbers alone."""
    return isinstance(value, Mapping) and all(
        isinstance(one, bool | int | float) or one is None for one in value.values()
    )
