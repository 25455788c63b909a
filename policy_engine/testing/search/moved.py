"""Requests that count apart: of another session, person, tenant or agent, or of another tool."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from policy_engine.compiler import CompiledLimit
from policy_engine.decision import NO_FACTS, Request
from policy_engine.policy import LoadedPolicy
from policy_engine.testing.search.sample import Sample, with_argument

__all__ = ["PARTS", "as_asked_by", "key_of", "moved", "names_of"]

PARTS: Final = ("session", "principal", "tenant", "agent")
"""What a limit may count by, beside the call itself."""
_MOST: Final = 6


def key_of(limit: CompiledLimit, request: Request) -> tuple[str, ...] | None:
    """Return what a request shares a counter with; None where that cannot be told."""
    need = limit.need(request, NO_FACTS)
    return None if need is None else need.key


def moved(sample: Sample, part: str, name: Any) -> Sample:
    """Return a request with another session, person, tenant, agent or argument.

    Args:
        sample: The request.
        part: What is another: a part of what limits count by.
        name: What it is instead.
    """
    request = sample.request
    if part.startswith("args."):
        return with_argument(sample, part.removeprefix("args."), name)
    if part in ("session", "agent"):
        changed: dict[str, Any] = {part: name}
    else:
        key = "id" if part == "principal" else part
        changed = {"principal": {**(request.principal or {}), key: name}}
    return replace(sample, request=replace(request, **changed))


def as_asked_by(sample: Sample, by: Sample, kept: Sequence[str] = ()) -> Sample:
    """Return a request as the asker of another one would make it, at the same time.

    Args:
        sample: The request.
        by: The other.
        kept: What of the first one's asker is left.
    """
    request, asker = sample.request, by.request
    asked = replace(
        request,
        agent=request.agent if "agent" in kept else asker.agent,
        principal=asker.principal,
        session=asker.session,
        context={**(request.context or {}), **(asker.context or {})} or None,
    )
    answers = {**by.facts.answers, **sample.facts.answers}
    return replace(sample, request=asked, facts=replace(by.facts, answers=answers))


def names_of(policies: Iterable[LoadedPolicy]) -> dict[str, list[str]]:
    """Return the names of agents and of tenants that policies are for, two for each glob.

    Args:
        policies: The policies of a set.
    """
    found: dict[str, dict[str, None]] = {"agent": {}, "tenant": {}}
    for loaded in policies:
        applies = loaded.policy.applies_to
        if applies is not None:
            for part, globs in (("agent", applies.agents), ("tenant", applies.tenants)):
                for glob in globs or ():
                    found[part].update(dict.fromkeys(_filled(glob)))
    return {part: list(names)[:_MOST] for part, names in found.items()}


def _filled(glob: str) -> Iterator[str]:
    for text in ("x", "y"):
        yield glob.replace("*", text).replace("?", text)
