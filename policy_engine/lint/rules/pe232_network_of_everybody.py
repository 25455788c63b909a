"""A network that everybody is in.

What it does:
    Reports `cidr("0.0.0.0/0")` and `cidr("::/0")`, and, where a rule lets through what is in the
    network, one that is larger than a sixteenth of all addresses, such as `64.0.0.0/2`.

Why:
    It reads like a restriction to a network and is none: every address is in it.

Fails:
    tools:
      connect:
        args: {ip: {type: string, format: ipv4}}
        rules:
          - {id: ours, when: '!cidr("0.0.0.0/0").containsIP(args.ip)', effect: deny}

Passes:
    tools:
      connect:
        args: {ip: {type: string, format: ipv4}}
        rules:
          - {id: ours, when: '!cidr("203.0.113.0/24").containsIP(args.ip)', effect: deny}

Fix:
    Write the network that is meant, or remove the test.
"""

import ipaddress
from collections.abc import Iterator
from typing import Final

from policy_engine.cel.nodes import Call, Literal, Node
from policy_engine.lint.pieces import RESTRICTING
from policy_engine.lint.places import nodes
from policy_engine.lint.proof.formula import clauses, formula
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]

_LARGE: Final = 4
"""A network with fewer bits in front is larger than any that somebody owns."""


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        condition = found.compiled.condition
        if condition is None:
            continue
        let_through = {
            id(part)
            for clause in clauses(formula(condition.tree))
            if not clause.holds and found.compiled.effect in RESTRICTING
            for part in nodes(clause.node)
        }
        for node in nodes(condition.tree):
            network = _network(node)
            if network is None:
                continue
            bits = network.prefixlen
            if bits > 0 and (bits >= _LARGE or id(node) not in let_through):
                continue
            what = "every address" if bits == 0 else f"1 in {2**bits} of all addresses"
            yield Found(
                found.policy,
                found.path,
                f'"{network}" is {what}',
                "write the network that is meant, or remove the test",
                part=(node.start, node.end),
            )


def _network(node: Node) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    if not isinstance(node, Call) or node.function != "cidr" or not node.arguments:
        return None
    written = node.arguments[0]
    if not isinstance(written, Literal) or not isinstance(written.value, str):
        return None
    try:
        return ipaddress.ip_network(written.value, strict=False)
    except ValueError:
        return None


RULE: Final = LintRule("PE232", "network-of-everybody", "warning", __doc__ or "", _find)
