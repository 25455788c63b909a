"""Plain requests of every kind that a policy set speaks about, for what no test asks."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from policy_engine.compiler import Compiled
from policy_engine.compiler.names import is_glob, matches_glob
from policy_engine.decision import Facts, Request, Session
from policy_engine.policy import LoadedPolicy, Policy
from policy_engine.testing.search.sample import Sample
from policy_engine.testing.search.values import plain

__all__ = ["completed", "made_of"]

_NOW: Final = datetime(2026, 1, 5, 10, tzinfo=UTC)
_TEXT: Final = "Hello"


def made_of(compiled: Compiled) -> Iterator[Sample]:
    """Yield a request for every entry and every stage of text, by somebody whom a policy is for."""
    everything = compiled.policies.policies
    answers = {
        name: plain(fact.schema_)
        for loaded in everything
        for name, fact in loaded.policy.facts.items()
    }
    facts = Facts(now=_NOW, session=Session(started=_NOW), answers=answers)
    for loaded in everything:
        asker = _asker(loaded.policy, everything)
        for request in _requests(loaded.policy, everything):
            yield Sample(replace(request, **asker), facts)


def completed(sample: Sample, by: Sample) -> Sample:
    """Return a request with whatever another one carries beside the call and this one lacks.

    Args:
        sample: The request, of which nothing that it gives is changed.
        by: The other, by somebody whom a policy is for.
    """
    request, other = sample.request, by.request
    principal, full = dict(request.principal or {}), dict(other.principal or {})
    attrs = {**(full.get("attrs") or {}), **(principal.get("attrs") or {})}
    given = {name: value for name, value in principal.items() if value not in (None, [])}
    answers = {**by.facts.answers, **sample.facts.answers}
    return Sample(
        replace(
            request,
            agent=request.agent or other.agent,
            session=request.session or other.session,
            principal={**full, **given, "attrs": attrs},
            context={**(other.context or {}), **(request.context or {})},
        ),
        replace(
            sample.facts,
            now=sample.facts.now or by.facts.now,
            session=sample.facts.session or by.facts.session,
            answers=answers,
        ),
    )


def _requests(policy: Policy, everything: tuple[LoadedPolicy, ...]) -> Iterator[Request]:
    for name in dict.fromkeys(_tools(policy, everything)):
        args: dict[str, Any] = {}
        for loaded in everything:
            for key, entry in (loaded.policy.tools or {}).items():
                if matches_glob(key, name):
                    args.update(_required(entry.args or {}))
        yield Request(tool=name, args=args)
        yield Request(stage="tool_result", tool=name, args=args, result=_TEXT)
    if policy.default == "allow":
        for rule in policy.rules:
            for glob in rule.tools or ():
                yield Request(tool=_name(glob), args=_required(rule.args or {}))
    for key in policy.handoffs or {}:
        yield Request(stage="handoff", target=_name(key))
    for name in _models(everything):
        yield Request(stage="model_request", model=name, text=_TEXT)
        yield Request(stage="model_response", model=name, text=_TEXT)
    yield Request(stage="input", text=_TEXT)
    yield Request(stage="output", text=_TEXT)


def _tools(policy: Policy, everything: tuple[LoadedPolicy, ...]) -> Iterator[str]:
    """Yield the tools that a policy names; one without entries may restrict those of others."""
    yield from map(_name, policy.tools or {})
    for key, entry in (policy.tools or {}).items():
        if entry.effect == "deny" and is_glob(key):
            yield from _granted(key, everything)
    if policy.rules or policy.limits:
        for loaded in everything:
            yield from map(_name, loaded.policy.tools or {})


def _models(everything: tuple[LoadedPolicy, ...]) -> Iterator[str]:
    """Yield a model for each entry: one with a price if there is one, for limits may ask for it."""
    priced = sorted({model for loaded in everything for model in loaded.policy.prices})
    entries = [key for loaded in everything for key in loaded.policy.models or {}]
    for key in entries or ["model"]:
        yield from [one for one in priced if matches_glob(key, one)] or [_name(key)]


def _granted(key: str, everything: tuple[LoadedPolicy, ...]) -> Iterator[str]:
    """Yield names that a glob matches and an entry grants."""
    for loaded in everything:
        for other, entry in (loaded.policy.tools or {}).items():
            if entry.effect != "deny":
                for one, two in ((key, other), (other, key)):
                    for inner in (two.strip("*"), two.replace("*", "x")):
                        name = _name(one.replace("*", inner))
                        if matches_glob(key, name) and matches_glob(other, name):
                            yield name


def _required(schemas: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: plain(schema)
        for name, schema in schemas.items()
        if schema.get("optional") is not True
    }


def _name(glob: str) -> str:
    return glob.replace("*", "x").replace("?", "x")


def _asker(policy: Policy, everything: tuple[LoadedPolicy, ...]) -> dict[str, Any]:
    """Return whom a policy is for: the agent, the principal and what the caller passes."""
    applies = policy.applies_to
    agents = None if applies is None else applies.agents
    roles = None if applies is None else applies.roles
    tenants = None if applies is None else applies.tenants
    attrs = {
        name: plain(schema) for loaded in everything for name, schema in loaded.policy.attrs.items()
    }
    context = {
        name: plain(schema)
        for loaded in everything
        for name, schema in loaded.policy.context.items()
    }
    return {
        "agent": _name(agents[0]) if agents else "agent",
        "session": "s1",
        "principal": {
            "id": "u1",
            "roles": [_name(roles[0]) if roles else "role"],
            "tenant": _name(tenants[0]) if tenants else "tenant",
            "attrs": attrs,
        },
        "context": context,
    }
