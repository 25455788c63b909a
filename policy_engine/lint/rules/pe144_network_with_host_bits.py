"""A network that is written as one of its hosts.

What it does:
    Reports `cidr("10.0.0.1/8")`: an address with bits behind the prefix.

Why:
    It is read as `10.0.0.0/8`, sixteen million hosts. Mostly one host was meant, or a longer
    prefix.

Fails:
    tools:
      ping:
        args: {ip: {type: string, format: ipv4}}
        rules:
          - {id: ours, when: '!cidr("10.0.0.1/8").containsIP(args.ip)', effect: deny}

Passes:
    tools:
      ping:
        args: {ip: {type: string, format: ipv4}}
        rules:
          - {id: ours, when: '!cidr("10.0.0.0/8").containsIP(args.ip)', effect: deny}

Fix:
    Write the network, or `/32` for one host.
"""

import ipaddress
from collections.abc import Iterator
from typing import Final

from policy_engine.cel.nodes import Call, Literal
from policy_engine.lint.places import nodes
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        condition = found.compiled.condition
        for node in nodes(condition.tree) if condition is not None else ():
            if not isinstance(node, Call) or node.function != "cidr" or not node.arguments:
                continue
            written = node.arguments[0]
            text = written.value if isinstance(written, Literal) else None
            network = _network(text) if isinstance(text, str) else None
            if network is not None:
                yield Found(
                    found.policy,
                    found.path,
                    f'"{text}" is read as "{network}"',
                    "write the network, or /32 (of IPv6 /128) for one host",
                    part=(written.start, written.end),
                )


def _network(text: str) -> str | None:
    """Return the network that an address with bits behind the prefix stands for."""
    try:
        network = ipaddress.ip_network(text, strict=False)
        return str(network) if ipaddress.ip_interface(text).ip != network[0] else None
    except ValueError:
        return None


RULE: Final = LintRule("PE144", "network-with-host-bits", "warning", __doc__ or "", _find)
