"""Requests to begin with: some of the tests, and plain ones for what no test asks."""

from collections.abc import Iterator
from dataclasses import replace

from policy_engine.compiler import Compiled, Status
from policy_engine.decision import Facts, Request
from policy_engine.testing.reach import Met, Reach
from policy_engine.testing.search.made import made_of
from policy_engine.testing.search.sample import Sample, begun, told

__all__ = ["Seeds", "keys_of", "plain_requests"]

_FEW = 4
"""So many requests of tests are kept for each part of a policy, and so many are made up."""
_FILLED = ("x", "", "y-1")
"""What stands for the stars of a glob."""
_UNLISTED = "nobody-lists-this"


class Seeds:
    """Keeps a few requests for each rule, constraint and limit.

    Args:
        compiled: The policy set.
        reach: Finds what requests meet.
    """

    def __init__(self, compiled: Compiled, reach: Reach) -> None:
        self._compiled = compiled
        self._reach = reach
        self._told: dict[object, list[Sample]] = {}
        self._made: dict[object, list[Sample]] | None = None

    @property
    def plain(self) -> Sample:
        """A request of somebody whom a policy is for."""
        return next(made_of(self._compiled))

    def keep(self, met: Met, request: Request, facts: Facts) -> None:
        """Keep a request of a test for what it meets."""
        for key in keys_of(met):
            kept = self._told.setdefault(key, [])
            if len(kept) < _FEW:
                kept.append(begun(request, facts))

    def few(self, key: object) -> list[Sample]:
        """Return one request of a test and one made up, of those that meet something."""
        told = self._told.get(key, ())
        made = [one for one in self.of(key) if one not in told]
        return [*told[:1], *made[:1]]

    def of(self, key: object) -> list[Sample]:
        """Return requests that meet a rule (by its `id()`), a constraint or a limit (by name)."""
        if self._made is None:
            self._made = {}
            for sample in plain_requests(self._compiled):
                for found in keys_of(self._reach.of(sample.request)):
                    made = self._made.setdefault(found, [])
                    if len(made) < _FEW:
                        made.append(sample)
        return [*self._told.get(key, ()), *self._made.get(key, ())]


def keys_of(met: Met) -> Iterator[object]:
    """Go through what a request meets: entries, defaults, rules, constraints and limits."""
    yield from met.entries
    yield from met.unnamed
    for rule in met.chain.rules:
        yield id(rule)
        if rule.constraint is not None:
            yield "args", rule.constraint.rule
    for constraint in met.chain.constraints:
        yield "args", constraint.rule
    for limit in met.chain.limits:
        yield "limit", limit.name


def plain_requests(compiled: Compiled) -> Iterator[Sample]:
    """Yield requests of every kind that a policy set speaks about, and of names it does not list.

    Args:
        compiled: The policy set.
    """
    made = [told(sample) for sample in made_of(compiled)]
    yield from made
    for loaded, applies in zip(compiled.policies.policies, compiled.applies, strict=True):
        asker = next(
            (one for one in made if applies is None or applies.status(one.request) is Status.YES),
            None,
        )
        if asker is None:
            continue
        policy = loaded.policy
        globs = [glob for rule in policy.rules for glob in rule.tools or ()]
        globs.extend(glob for limit in policy.limits for glob in limit.tools or ())
        for glob in (*globs, _UNLISTED):
            for filled in _FILLED:
                name = glob.replace("*", filled).replace("?", "x")
                yield _renamed(asker, Request(tool=name, args={}))
        for target in (*(policy.handoffs or {}), _UNLISTED):
            yield _renamed(asker, Request(stage="handoff", target=target.replace("*", "x")))
        yield _renamed(asker, Request(stage="model_request", model=_UNLISTED, text="Hello"))
        yield _renamed(asker, Request(stage="model_response", model=_UNLISTED, text="Hello"))


def _renamed(asker: Sample, request: Request) -> Sample:
    """Return what somebody else's request would be if this one's sender had sent it."""
    by = asker.request
    sent = replace(
        request,
        agent=by.agent,
        session=by.session,
        principal=by.principal,
        context=by.context,
    )
    return Sample(sent, asker.facts)
