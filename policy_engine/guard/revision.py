"""A policy set as it decides: swapped whole."""

from collections.abc import Mapping
from dataclasses import dataclass

from policy_engine.compiler import Compiled
from policy_engine.decision import Request, Reservation
from policy_engine.engine import Engine
from policy_engine.policy import PolicySet, Price

__all__ = ["Revision", "revision_of"]


@dataclass(frozen=True, slots=True)
class Revision:
    """A policy set as it decides: swapped whole."""

    engine: Engine
    prices: Mapping[str, Price]

    @property
    def policies(self) -> PolicySet:
        """The policies."""
        return self.engine.compiled.policies

    def cost(self, model: str, input_tokens: int, output_tokens: int) -> float | None:
        """Return what tokens cost in USD; None where no policy names a price of the model."""
        price = self.prices.get(model)
        if price is None:
            return None
        return (input_tokens * price.input + output_tokens * price.output) / 1_000_000

    def owed(self, request: Request) -> tuple[Reservation, ...]:
        """Return what the usage of a model request counts towards, reserved or not."""
        found = (limit.owed(request) for limit in self.engine.limits(request))
        return tuple(item for item in found if item is not None)


def revision_of(compiled: Compiled, key: bytes) -> Revision:
    """Make a revision; of several prices of one model the dearest counts.

    Args:
        compiled: The policies.
        key: The secret that fingerprints are made with: the approval store's.
    """
    prices: dict[str, Price] = {}
    for loaded in compiled.policies.policies:
        for model, price in loaded.policy.prices.items():
            known = prices.get(model, price)
            dearest = {
                "input": max(price.input, known.input),
                "output": max(price.output, known.output),
            }
            prices[model] = price.model_copy(update=dearest)
    return Revision(Engine(compiled, key=key), prices)
