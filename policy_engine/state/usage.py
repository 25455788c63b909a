"""Usage that permitted requests have not reported yet."""

from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from policy_engine.decision import Request, Reservation
from policy_engine.state.alert import Alert
from policy_engine.state.counter import Held
from policy_engine.state.counters import Counters
from policy_engine.state.hold import Hold, Key, Scope
from policy_engine.state.ordered import Ordered

__all__ = ["Unreported", "UsageLedger"]

_MAX_UNSETTLED = 1_000
"""How many requests whose usage is unknown may share a counter."""


@dataclass(frozen=True, slots=True)
class Unreported:
    """A permitted request whose usage is not known yet."""

    model: str | None
    call_id: str | None
    reservations: dict[Key, Reservation] = field(default_factory=dict)


class UsageLedger:
    """What each session owes; whoever calls holds the lock.

    Args:
        most: Of how many sessions it is kept; beyond, counters stay unsettled, which denies.
        counters: Where usage is counted.
        kept: Where it is kept; in memory unless told.
    """

    def __init__(
        self,
        most: int,
        counters: Counters,
        kept: Ordered[Scope, deque[Unreported]] | None = None,
    ) -> None:
        self._most = most
        self._counters = counters
        self._unreported: Ordered[Scope, deque[Unreported]] = (
            OrderedDict() if kept is None else kept
        )

    def is_unsettled(self, scope: Scope, key: Key, held: Mapping[Key, Held | None]) -> bool:
        """Whether usage is owed: by this session, or by too many others at once.

        Sessions that share a counter may each have one request under way.
        """
        counter = self._counters.get(key)
        if counter is None:
            return False
        mine = key in held and held[key] is None
        owed = sum(key in found.reservations for found in self._owed(scope))
        return owed > mine or counter.unsettled > _MAX_UNSETTLED

    def expect(
        self, scope: Scope, request: Request, wanted: Iterable[Reservation], *, again: bool
    ) -> None:
        """Wait for the usage of a request; `again` where one of its call id is waited for."""
        open_ones = {(item.limit, item.key): item for item in wanted if item.amount is None}
        if not open_ones:
            return
        waiting = self._unreported.setdefault(scope, deque())
        if again:
            for before in [item for item in waiting if item.call_id == request.call_id]:
                waiting.remove(before)
        waiting.append(Unreported(request.model, request.call_id, open_ones))
        self._unreported.move_to_end(scope)
        if len(self._unreported) > self._most:
            # Their counters stay unsettled, which denies.
            self._unreported.popitem(last=False)

    def forget(self, hold: Hold) -> Mapping[Key, Reservation]:
        """Forget and return what a request owes that will not run."""
        for found in self._owed(hold.scope):
            if found.model == hold.model and set(found.reservations) <= set(hold.taken):
                self._drop(hold.scope, found)
                return found.reservations
        return {}

    def waiting(self, scope: Scope, request: Request) -> Unreported | None:
        """Return the oldest request that a report may be about."""
        for found in self._owed(scope):
            if found.model == request.model and request.call_id in (None, found.call_id):
                return found
        return None

    def settle(
        self, scope: Scope, found: Unreported, amounts: Mapping[str, float | None], time: int
    ) -> tuple[Alert, ...]:
        """Count what was reported, by unit; what was not stays owed."""
        before = self._counters.alerting(found.reservations.values(), time)
        for key, item in list(found.reservations.items()):
            amount = amounts.get(item.unit)
            if amount is None:
                continue
            del found.reservations[key]
            counter = self._counters.get(key)
            if counter is not None and counter.unsettled:
                counter.unsettled -= 1
                counter.add(time, amount)
        if not found.reservations:
            self._drop(scope, found)
        return self._counters.alerts(before, time)

    def add(
        self, items: Iterable[Reservation], amounts: Mapping[str, float | None], time: int
    ) -> tuple[Alert, ...]:
        """Count usage that nothing was reserved for."""
        wanted = tuple(items)
        before = self._counters.alerting(wanted, time)
        for item in wanted:
            amount = amounts.get(item.unit)
            if amount is not None:
                self._counters.of(item, time).add(time, amount)
        return self._counters.alerts(before, time)

    def _owed(self, scope: Scope) -> Iterable[Unreported]:
        return self._unreported.get(scope) or ()

    def _drop(self, scope: Scope, found: Unreported) -> None:
        waiting = self._unreported[scope]
        waiting.remove(found)
        if not waiting:
            del self._unreported[scope]
