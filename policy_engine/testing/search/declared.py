"""What policies declare of the values that a request holds."""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from policy_engine.checks.arguments import compile_arguments
from policy_engine.compiler import Chain, Compiled
from policy_engine.lint.proof.schema import ELEMENT, at, sampled, values_of
from policy_engine.lint.proof.values import Values
from policy_engine.testing.search.places import Place
from policy_engine.testing.search.sample import OTHER
from policy_engine.testing.search.values import plain
from policy_engine.text import Patterns

__all__ = ["Declared"]

_TIME: Final = "2026-01-05T10:00:00Z"
_FEW: Final = 4


class Declared:
    """The schemas of all that requests of one kind may hold.

    Args:
        met: What the requests meet.
        compiled: The policy set.
    """

    def __init__(self, met: Chain, compiled: Compiled) -> None:
        self._roots: dict[tuple[str, ...], list[Any]] = {}
        for constraint in (*met.constraints, *(r.constraint for r in met.rules if r.constraint)):
            for name, schema in constraint.schemas.items():
                self._add(("args", name), schema)
        for loaded in compiled.policies.policies:
            for name, schema in loaded.policy.context.items():
                self._add(("context", name), schema)
            for name, schema in loaded.policy.attrs.items():
                self._add(("principal", "attrs", name), schema)
            for name, fact in loaded.policy.facts.items():
                self._add(("facts", name), fact.schema_)
        applied = [one.policy.applies_to for one in compiled.policies.policies]
        self._roles = [
            role.replace("*", "x").replace("?", "x")
            for applies in applied
            for role in (applies.roles or () if applies is not None else ())
        ]
        self._values: dict[Place, Values] = {}
        self._judges: dict[Place, list[Callable[[dict[str, Any]], bool]]] = {}

    def _add(self, path: tuple[str, ...], schema: Any) -> None:
        self._roots.setdefault(path, []).append(schema)

    @property
    def arguments(self) -> list[str]:
        """The arguments that are declared."""
        return [path[1] for path in self._roots if path[0] == "args"]

    def schemas(self, place: Place) -> list[Mapping[str, Any]]:
        """Return what is declared of a value; empty where nothing is."""
        for length in (2, 3):
            found = self._roots.get(place[:length])  # type: ignore[arg-type]
            if found is not None:
                steps = [ELEMENT if isinstance(one, int) else one for one in place[length:]]
                below = (at(schema, steps) for schema in found)
                return [schema for schema in below if isinstance(schema, Mapping)]
        return []

    def values(self, place: Place) -> Values:
        """Return all that a value may be, to be narrowed."""
        known = self._values.get(place)
        if known is None:
            known = self._values[place] = values_of(*self.schemas(place))
        return known.copy()

    def admits(self, place: Place, value: Any) -> bool:
        """Whether a value may stand at a place, as far as is known."""
        schemas = self.schemas(place)
        if not schemas:
            return True
        if isinstance(value, Mapping) and place[0] != "args":
            return True  # what is only read may hold more than is declared
        return all(fits({"value": value}) for fits in self._judging(place, schemas))

    def _judging(
        self, place: Place, schemas: list[Mapping[str, Any]]
    ) -> list[Callable[[dict[str, Any]], bool]]:
        """Return what judges values of a place, compiled when it is first asked."""
        known = self._judges.get(place)
        if known is None:
            patterns = Patterns()
            known = [
                compile_arguments({"value": one}, closed=True, patterns=patterns).fits
                for one in schemas
            ]
            self._judges[place] = known
        return known

    def is_optional(self, place: Place) -> bool:
        """Whether a value may be absent."""
        return any(schema.get("optional") is True for schema in self.schemas(place))

    def plain(self, place: Place) -> Any:
        """Return a value that may stand at a place."""
        schemas = self.schemas(place)
        if schemas:
            made = (*map(plain, schemas), sampled(schemas))
            return next((one for one in made if self.admits(place, one)), made[0])
        if place[-1] in ("roles", "labels"):
            return [*self.elements(place)][:1]
        if place[:2] == ("session", "calls"):
            return 1 if len(place) > 2 else {}
        return {"now": _TIME}.get(str(place[0]), OTHER)

    def elements(self, place: Place) -> Iterator[Any]:
        """Yield what may be in a list: roles that policies are for come first."""
        yield from self._roles if place == ("principal", "roles") else ()
        yield self.plain((*place, 0))

    def others(self, place: Place, value: Any) -> Iterator[Any]:
        """Yield other values that may stand at a place."""
        values = self.values(place)
        values.test("==", value, holds=False)
        yield from islice(values.candidates(), _FEW)
