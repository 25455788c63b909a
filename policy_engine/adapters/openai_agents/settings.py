"""Settings of a model by which a request would say something that no policy sees."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policy_engine.adapters.openai_agents.errors import Gap, UnmediatedError

__all__ = ["HIDDEN", "hidden", "refuse_hidden"]

_SAID: Final = frozenset(
    {
        "conversation",
        "functions",
        "input",
        "instructions",
        "mcp_servers",
        "messages",
        "model",
        "models",
        "plugins",
        "previous_response_id",
        "prompt",
        "system",
        "tools",
        "web_search_options",
    }
)
"""Fields of a request that say which model is called, what it reads, or what it may do."""
HIDDEN: Final = "is put into requests past the policies: say it where the SDK has a place for it"
"""Why such a setting is refused."""


def hidden(settings: Any) -> Iterator[str]:
    """Go through what settings put into requests that policies are to see."""
    for name in ("extra_body", "extra_args"):
        extra = getattr(settings, name, None)
        if isinstance(extra, Mapping):
            yield from (f"{name}.{key}" for key in extra if key in _SAID)
            inner = extra.get("extra_body")
            if isinstance(inner, Mapping):
                yield from (f"{name}.extra_body.{key}" for key in inner if key in _SAID)
        elif extra is not None:
            yield name


def refuse_hidden(agent: str, settings: Any) -> None:
    """Refuse settings that say something which no policy sees.

    Raises:
        UnmediatedError: They do.
    """
    gaps = [Gap(agent, name, HIDDEN) for name in hidden(settings)]
    if gaps:
        raise UnmediatedError(gaps)
