"""One compiled limit: what it counts, under which key, and whether there is room."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from policy_engine.cel import CANNOT_TELL, Expression
from policy_engine.compiler.message import escaped, per
from policy_engine.decision import (
    NO_FACTS,
    CounterNeed,
    Facts,
    Reason,
    Request,
    Reservation,
    exceeds,
)
from policy_engine.errors import Location

__all__ = ["CompiledLimit", "counter_key"]

_NOBODY: Final[Mapping[str, Any]] = MappingProxyType({})
_EXACT: Final[frozenset[type]] = frozenset({dict, MappingProxyType})
"""Mappings that are known without asking, which takes long."""


@dataclass(frozen=True, slots=True)
class CompiledLimit:
    """A limit, ready to judge requests."""

    name: str
    unit: str
    """`calls`, `tokens`, `cost_usd` or `args.<name>`."""
    max: float
    per: float | str | None
    by: tuple[str, ...]
    enforced: bool
    location: Location
    message: str | None = None
    timezone: str = "UTC"
    alert_at: float | None = None
    amount: Expression | None = None
    """Reads the argument that is summed."""
    keys: Mapping[str, Expression] = None  # type: ignore[assignment]
    """Reads the arguments that are part of the key."""
    priced: frozenset[str] = frozenset()
    """Models with a price, for a cost limit."""

    def need(self, request: Request, facts: Facts) -> CounterNeed | None:
        """Return the counter to read; None where the key cannot be told."""
        key = counter_key(self.by, self.keys, request, facts)
        return None if key is None else CounterNeed(self.name, key, self.per, self.timezone)

    def judge(self, request: Request, facts: Facts) -> Reason | Reservation:
        """Return a denial, or what to reserve if the call is permitted."""
        if self.unit == "cost_usd" and request.model not in self.priced:
            return self._deny(
                "limit.unpriced", f'The limit "{self.name}" needs a price for this model.'
            )
        amount = self._amount(request, facts)
        key = counter_key(self.by, self.keys, request, facts)
        count = None if key is None else facts.counters.get((self.name, key))
        if key is None or count is None or (amount is None and self.settled_now):
            return self._deny(
                "limit.cannot_tell",
                f'It cannot be told whether the limit "{self.name}" would be exceeded.',
            )
        if count.unsettled:
            return self._deny(
                "limit.unsettled",
                f'The limit "{self.name}" waits for the usage of an earlier call: '
                "have the provider report it, or tell it with guard.record_usage(…).",
            )
        full = count.used >= self.max if amount is None else exceeds(count.used, amount, self.max)
        if full or math.isnan(count.used):
            return self._deny("limit.exceeded", self._used_up())
        return self._reserved(key, amount)

    def owed(self, request: Request) -> Reservation | None:
        """Return what reported usage counts towards; None for a limit that usage says nothing to.

        Also None where the key cannot be told.
        """
        need = None if self.settled_now else self.need(request, NO_FACTS)
        return None if need is None else self._reserved(need.key, None)

    def _reserved(self, key: tuple[str, ...], amount: float | None) -> Reservation:
        return Reservation(
            limit=self.name,
            key=key,
            amount=amount,
            unit=self.unit,
            max=self.max,
            per=self.per,
            timezone=self.timezone,
            alert_at=self.alert_at,
            enforced=self.enforced,
        )

    @property
    def settled_now(self) -> bool:
        """Whether the amount is known before the call."""
        return self.unit not in ("tokens", "cost_usd")

    def _amount(self, request: Request, facts: Facts) -> float | None:
        if self.unit == "calls":
            return 1
        if self.amount is None:
            return None
        value = self.amount.function(request, facts)
        if value is CANNOT_TELL or isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return value if 0 <= value < math.inf else None

    def _used_up(self) -> str:
        what = {"calls": "calls", "tokens": "tokens", "cost_usd": "USD"}.get(self.unit, self.unit)
        return f'The limit "{self.name}" of {self.max:g} {what}{per(self.per)} would be exceeded.'

    def _deny(self, code: str, text: str) -> Reason:
        told = self.message if code == "limit.exceeded" else None
        return Reason(
            rule=self.name,
            effect="deny",
            code=code,
            message=told or text,
            location=self.location,
            enforced=self.enforced,
        )


def counter_key(
    by: tuple[str, ...],
    keys: Mapping[str, Expression] | None,
    request: Request,
    facts: Facts,
) -> tuple[str, ...] | None:
    """Return what shares one counter; None where a part of it is missing."""
    parts = []
    for part in by:
        if part.startswith("args."):
            value = CANNOT_TELL if keys is None else keys[part].function(request, facts)
            text = _scalar(value)
        else:
            text = _known(part, request)
        if text is None:
            return None
        parts.append(text)
    return tuple(parts)


def _known(part: str, request: Request) -> str | None:
    """Return a part of the key that who asks or the tool's name tells."""
    if part == "global":
        return ""
    if part == "tool":
        return _text(request.tool)
    if part == "agent":
        return _text(request.agent)
    principal: Any = request.principal
    if principal.__class__ not in _EXACT and not isinstance(principal, Mapping):
        principal = _NOBODY
    tenant, person = _text(principal.get("tenant")), _text(principal.get("id"))
    if part == "tenant":
        return tenant
    if part == "principal":
        return None if person is None else _owner(tenant, person)
    session = _text(request.session)
    return None if session is None else f"{_owner(tenant, person)}/{escaped(session)}"


def _owner(tenant: str | None, person: str | None) -> str:
    named = "~" if tenant is None else escaped(tenant)
    return f"{named}/~" if person is None else f"{named}/{escaped(person)}"


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _scalar(value: object) -> str | None:
    if isinstance(value, bool):
        return f"bool:{value}"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int | float | str):
        return f"{type(value).__name__}:{value}"
    return None
