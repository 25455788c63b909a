"""Policies that are for more, or for fewer, and that believe more of what they are told."""

from collections.abc import Iterator
from typing import Any

from policy_engine.policy import Applies, LoadedPolicy, Policy
from policy_engine.testing.mutation.globs import longer, wider
from policy_engine.testing.mutation.keywords import OTHER
from policy_engine.testing.mutation.known import Known
from policy_engine.testing.mutation.mutant import Aim, Mutant, Site
from policy_engine.testing.mutation.schemas import loosened

__all__ = ["policy_mutants"]

_APPLIES = ("applies_to",)


def policy_mutants(index: int, loaded: LoadedPolicy, known: Known) -> Iterator[Mutant]:
    """Yield what could be wrong with a policy as a whole."""
    policy = loaded.policy
    # What is changed may change what any request meets.
    site = Site(index, loaded, (), None)
    sections = [section for section in ("tools", "handoffs", "models") if getattr(policy, section)]
    if policy.mode == "enforce":
        # Where nothing but what observes applies, a call runs that no entry names.
        aim = Aim("tool", "", "", OTHER) if sections else None
        what = "the policy only observes"
        yield site.mutant(("mode",), "observe", what, at=("policy",), unit=(), aim=aim)
    if policy.default == "deny" and sections:
        at = "default" if "default" in policy.model_fields_set else sections[0]
        what = "what no entry names is allowed"
        aim = Aim("tool", "", "", OTHER)
        yield site.mutant(("default",), "allow", what, at=(at,), unit=("default",), aim=aim)
    if policy.applies_to is not None:
        yield from _applies(site, policy.applies_to)
        if sections:
            yield from _more(site, policy, known)
    if not sections:
        yield from _fewer(site, policy)
    yield from _declared(site)


def _applies(site: Site, applies: Any) -> Iterator[Mutant]:
    given = [key for key in ("agents", "roles", "tenants") if getattr(applies, key) is not None]
    for key in given:
        place = (*_APPLIES, key)
        new = None if len(given) == 1 else applies.model_copy(update={key: None})
        what = f"the policy is for any {key}"
        yield site.mutant(_APPLIES, new, what, at=place, unit=_APPLIES)
        listed = getattr(applies, key)
        for i, item in enumerate(listed):
            if len(listed) > 1:
                rest = (*listed[:i], *listed[i + 1 :])
                what = f'the policy is not for "{item}"'
                yield site.mutant(place, rest, what, at=(*place, i), unit=_APPLIES)
            for glob in wider(item):
                aim = Aim("agent", item, item, glob) if key == "agents" else None
                what = f'the policy is for "{glob}", not "{item}"'
                yield site.mutant((*place, i), glob, what, at=(*place, i), unit=_APPLIES, aim=aim)


def _more(site: Site, policy: Policy, known: Known) -> Iterator[Mutant]:
    """Let a policy that grants something be for those whom other policies are for."""
    for key in ("agents", "roles", "tenants"):
        place = (*_APPLIES, key)
        listed = getattr(policy.applies_to, key)
        for name in known.others(key, policy) if listed is not None else ():
            what = f'the policy is for "{name}" as well'
            aim = Aim("agent", name, "", name) if key == "agents" else Aim("people", key, "", name)
            yield site.mutant(place, (*listed, name), what, at=place, unit=_APPLIES, aim=aim)


def _fewer(site: Site, policy: Policy) -> Iterator[Mutant]:
    """Let a policy that grants nothing, and so restricts only, be for fewer agents."""
    if policy.applies_to is None:
        only = Applies.model_construct(agents=(OTHER,), roles=None, tenants=None)
        what = f'the policy is for "{OTHER}" only'
        yield site.mutant(_APPLIES, only, what, at=("policy",), unit=_APPLIES)
        return
    for key in ("agents", "roles", "tenants"):
        for i, item in enumerate(getattr(policy.applies_to, key) or ()):
            for glob in longer(item):
                place = (*_APPLIES, key, i)
                aim = Aim("agent", item, glob, item) if key == "agents" else None
                what = f'the policy is for "{glob}", not "{item}"'
                yield site.mutant(place, glob, what, at=place, unit=_APPLIES, aim=aim)


def _declared(site: Site) -> Iterator[Mutant]:
    """Loosen the schemas that values must fit before conditions read them."""
    policy = site.loaded.policy
    unit = ("declared",)
    for name, schema in policy.context.items():
        for found in loosened(schema, top=False, closed=False):
            yield site.mutant(
                ("context", name),
                found.schema,
                f"context.{name}: {found.what}",
                at=("context", name, *found.path),
                unit=unit,
                aim=Aim("context", name, schema, found.schema),
            )
    for name, schema in policy.attrs.items():
        for found in loosened(schema, top=False, closed=False):
            yield site.mutant(
                ("attrs", name),
                found.schema,
                f"principal.attrs.{name}: {found.what}",
                at=("attrs", name, *found.path),
                unit=unit,
                aim=Aim("attrs", name, schema, found.schema),
            )
    for name, fact in policy.facts.items():
        for found in loosened(fact.schema_, top=False, closed=False):
            yield site.mutant(
                ("facts", name, "schema_"),
                found.schema,
                f"facts.{name}: {found.what}",
                at=("facts", name, "schema", *found.path),
                unit=unit,
                aim=Aim("facts", name, fact.schema_, found.schema),
            )
