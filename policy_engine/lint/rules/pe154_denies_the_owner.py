"""A rule that stops the owner and lets everybody else through.

What it does:
    Reports a rule that denies where an owner, a customer, an account holder or a tenant, of a fact
    or an argument, is the one who asks: `facts.order.owner == principal.id`.

Why:
    A rule says what is stopped, and this one reads like what is allowed. It is the check of
    ownership, turned round.

Fails:
    facts:
      order:
        from: app:order
        with: [args.id]
        schema: {type: object, properties: {owner: {type: string}}}
    tools:
      read_order:
        args: {id: {type: integer, minimum: 1}}
        rules:
          - {id: own, when: facts.order.owner == principal.id, effect: deny}

Passes:
    facts:
      order:
        from: app:order
        with: [args.id]
        schema: {type: object, properties: {owner: {type: string}}}
    tools:
      read_order:
        args: {id: {type: integer, minimum: 1}}
        rules:
          - {id: own, when: facts.order.owner != principal.id, effect: deny}

Fix:
    Write `!=`.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.cel.nodes import Call, Node
from policy_engine.lint.proof.formula import Formula, Group, formula, term
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.words import names_in

__all__ = ["RULE"]

_OWNERS: Final = names_in(
    """
    owner owner_id owned_by customer customer_id account_holder holder tenant tenant_id org_id
    organization_id organisation_id user_id belongs_to
    """
)
_SELVES: Final = frozenset({("principal", "id"), ("principal", "tenant")})


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        condition = found.compiled.condition
        if condition is None or found.compiled.effect != "deny" or found.stage != "tool_call":
            continue
        for node in _held(formula(condition.tree)):
            pair = node.arguments if isinstance(node, Call) and len(node.arguments) == 2 else ()
            paths = [term(part) or ("",) for part in pair]
            for one, other in (paths, paths[::-1]) if paths else ():
                if one in _SELVES and other[0] in {"facts", "args"} and other[-1] in _OWNERS:
                    yield Found(
                        found.policy,
                        found.path,
                        f'this stops who is "{".".join(other)}", and lets everybody else through',
                        "write `!=`",
                        part=(node.start, node.end),
                    )


def _held(found: Formula) -> Iterator[Node]:
    """Go through comparisons that a condition says alone, without another part beside them."""
    if isinstance(found, Group):
        parts = found.parts if not found.all or len(found.parts) == 1 else ()
        for part in parts:
            yield from _held(part)
        return
    node = found.node
    if isinstance(node, Call) and node.function in {"==", "!="} and found.holds:
        yield node  # the two sides are equal, however that is written


RULE: Final = LintRule("PE154", "denies-the-owner", "warning", __doc__ or "", _find)
