"""Whether a policy applies: keys AND, values OR, and a third outcome where a key is unknown."""

from collections.abc import Mapping
from dataclasses import dataclass

from policy_engine.compiler.grant import Status
from policy_engine.compiler.names import matches_glob
from policy_engine.decision import Request
from policy_engine.policy import Applies as Declared

__all__ = ["Applies", "compile_applies"]


@dataclass(frozen=True, slots=True)
class Applies:
    """Whom a policy is for."""

    agents: tuple[str, ...] | None
    roles: tuple[str, ...] | None
    tenants: tuple[str, ...] | None

    @property
    def by_principal(self) -> bool:
        """Whether the principal matters."""
        return self.roles is not None or self.tenants is not None

    def status(self, request: Request) -> Status:
        """Tell whether the policy applies to a request."""
        worst = Status.YES
        principal = request.principal if isinstance(request.principal, Mapping) else {}
        for globs, values in (
            (self.agents, _one(request.agent)),
            (self.roles, _many(principal.get("roles"))),
            (self.tenants, _one(principal.get("tenant"))),
        ):
            if globs is None:
                continue
            if values is None:
                worst = Status.UNSURE if worst is Status.YES else worst
            elif not any(matches_glob(glob, value) for glob in globs for value in values):
                return Status.NO
        return worst


def compile_applies(declared: Declared | None) -> Applies | None:
    """Return whom a policy is for; None for everybody."""
    if declared is None:
        return None
    return Applies(declared.agents, declared.roles, declared.tenants)


def _one(value: object) -> tuple[str, ...] | None:
    return (value,) if isinstance(value, str) and value else None


def _many(value: object) -> tuple[str, ...] | None:
    if not isinstance(value, list | tuple | set | frozenset):
        return None
    return tuple(value) if all(isinstance(item, str) for item in value) else None
