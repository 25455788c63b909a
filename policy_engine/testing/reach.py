"""What a request meets: its chain, and the names of everything that may speak in it."""

from dataclasses import dataclass

from policy_engine.compiler import Chain, Compiled, Status
from policy_engine.compiler.build import SECTION
from policy_engine.compiler.message import escaped
from policy_engine.compiler.names import matches_glob
from policy_engine.decision import Request

__all__ = ["Met", "Reach"]


@dataclass(frozen=True, slots=True)
class Met:
    """What requests of one stage, name and applying policies meet."""

    chain: Chain
    entries: tuple[str, ...]
    """The names of the entries that match."""
    statuses: tuple[Status, ...]
    """Whether each policy applies, in the order of the set."""
    unnamed: tuple[str, ...]
    """The policies whose default speaks."""

    @property
    def names(self) -> frozenset[str]:
        """Every name under which something may speak."""
        return frozenset(
            (
                *self.entries,
                *(rule.name for rule in self.chain.rules),
                *(limit.name for limit in self.chain.limits),
                *self.unnamed,
            )
        )


class Reach:
    """Finds what requests meet in a policy set.

    Args:
        compiled: The policy set.
    """

    def __init__(self, compiled: Compiled) -> None:
        self._compiled = compiled
        self._found: dict[tuple[object, ...], Met] = {}

    def of(self, request: Request) -> Met:
        """Return what a request meets."""
        statuses = tuple(
            Status.YES if applies is None else applies.status(request)
            for applies in self._compiled.applies
        )
        name = _name(request)
        key = (request.stage, name, statuses)
        met = self._found.get(key)
        if met is None:
            met = self._found[key] = self._meet(request, name, statuses)
        return met

    def _meet(self, request: Request, name: str | None, statuses: tuple[Status, ...]) -> Met:
        section = SECTION.get(request.stage)
        chain = self._compiled.chain(request.stage, name, statuses)
        entries: list[str] = []
        listing: list[str] = []
        for parts, status in zip(self._compiled.parts, statuses, strict=True):
            policy = parts.loaded.policy
            listed = getattr(policy, section) if section is not None else None
            if status is Status.NO or listed is None or name is None:
                continue
            found = [key for key in listed if matches_glob(key, name)]
            listing.append(f"{policy.policy}/default")
            entries.extend(f"{policy.policy}/{section}/{escaped(key)}" for key in found)
        return Met(chain, tuple(entries), statuses, () if entries else tuple(listing))


def _name(request: Request) -> str | None:
    match request.stage:
        case "tool_call" | "tool_result":
            return request.tool
        case "handoff":
            return request.target
        case "model_request" | "model_response":
            return request.model
        case _:
            return None
