"""A fact as one stage looks it up."""

from dataclasses import dataclass

from policy_engine.cel import CANNOT_TELL, Expression
from policy_engine.decision import NO_FACTS, FactNeed, Request

__all__ = ["FactLookup"]


@dataclass(frozen=True, slots=True)
class FactLookup:
    """A fact as one stage looks it up."""

    name: str
    source: str
    """What the application registered it as."""
    arguments: tuple[Expression, ...]
    timeout: float
    """Seconds."""

    def need(self, request: Request) -> FactNeed:
        """Read from a request what the fact is looked up by."""
        values = tuple(value.function(request, NO_FACTS) for value in self.arguments)
        told = not any(value is CANNOT_TELL for value in values)
        return FactNeed(self.name, self.source, values if told else None, self.timeout)
