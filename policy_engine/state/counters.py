"""All counters: bounded, and what was dropped is remembered as dropped."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping

from policy_engine.decision import CounterNeed, Reservation
from policy_engine.state.alert import Alert, passed
from policy_engine.state.counter import Counter, Held
from policy_engine.state.forgotten import Forgotten
from policy_engine.state.hold import Key
from policy_engine.state.ordered import Ordered

__all__ = ["Counters"]


class Counters:
    """Counters by limit and key; whoever calls holds the lock.

    Args:
        most: How many are kept; the longest unused go first.
        forgotten: Where what is dropped is remembered.
        kept: Where they are kept; in memory unless told.
    """

    def __init__(
        self, most: int, forgotten: Forgotten, kept: Ordered[Key, Counter] | None = None
    ) -> None:
        self._most = most
        self._counters: Ordered[Key, Counter] = OrderedDict() if kept is None else kept
        self._forgotten = forgotten

    def get(self, key: Key) -> Counter | None:
        """Return a counter that holds something."""
        return self._counters.get(key)

    def find(self, item: CounterNeed | Reservation, time: int) -> Counter | None:
        """Return the counter of a limit, over the window that its policy says now.

        Where that became another one, what was counted goes on counting, as of the last time.
        """
        key = (item.limit, item.key)
        counter = self._counters.get(key)
        if counter is not None and not counter.is_of(item.per, item.timezone):
            counter = self._counters[key] = counter.carried(item.per, item.timezone, time)
        return counter

    def is_forgotten(self, key: Key) -> bool:
        """Whether what a counter held was dropped, so that it cannot be told."""
        return key in self._forgotten

    def used(self, key: Key, time: int) -> float:
        """Return what a counter holds."""
        counter = self._counters.get(key)
        return 0.0 if counter is None else counter.used(time)

    def give_back(self, taken: Mapping[Key, Held | None], owed: Iterable[Key] | None) -> None:
        """Take amounts back; and, of usage that is not reported, what is still owed."""
        for key, held in taken.items():
            counter = self._counters.get(key)
            if counter is None:
                continue
            if held is not None:
                counter.remove(held)
            elif owed is None or key in owed:
                counter.unsettled -= 1

    def of(self, item: Reservation, time: int) -> Counter:
        """Return the counter of a reservation, made where there is none."""
        key = (item.limit, item.key)
        counter = self.find(item, time)
        if counter is None:
            counter = self._counters[key] = Counter(item.per, item.timezone)
            if len(self._counters) > self._most:
                oldest, dropped = self._counters.popitem(last=False)
                if not dropped.is_empty(time):
                    self._forgotten.add(oldest)
        else:
            self._counters.move_to_end(key)
        return counter

    def alerting(self, items: Iterable[Reservation], time: int) -> list[tuple[Reservation, float]]:
        """Return the limits that can alert, and what is used of them."""
        return [
            (item, self.used((item.limit, item.key), time))
            for item in items
            if item.alert_at is not None
        ]

    def alerts(self, before: list[tuple[Reservation, float]], time: int) -> tuple[Alert, ...]:
        """Return what has reached the share that alerts since then."""
        if not before:
            return ()
        after = [(item, was, self.used((item.limit, item.key), time)) for item, was in before]
        return tuple(
            Alert(item.limit, item.key, used, item.max)
            for item, was, used in after
            if passed(item, was, used)
        )
