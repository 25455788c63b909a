r"""An address that is not safe to let through: plain http, or inside of the network.

What it does:
    Reports values of `enum` and `const`, and the beginnings of patterns and of `startsWith`, that
    let a plain `http://` address through, or an IP address of a private network, of the machine
    itself or of the cloud's metadata service.

Why:
    What goes over plain http is read and changed on the way. What answers on a private address
    trusts everybody who can reach it, and now that is the model.

Fails:
    tools:
      fetch: {args: {url: {enum: ['http://10.0.0.5/api', 'https://api.example.com/']}}}
    ---
    tools:
      fetch: {args: {url: {type: string, pattern: '^https?://api\.example\.com/[a-z]*$'}}}

Passes:
    tools:
      fetch: {args: {url: {enum: ['https://api.example.com/']}}}

Fix:
    Use https, and a name outside; a service inside gets a tool of its own.
"""

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from policy_engine.lint.pieces import tested
from policy_engine.lint.places import SchemaAt, schemas
from policy_engine.lint.proof.regexes import edges, sample, search
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.source import Path

__all__ = ["RULE"]

_HOST: Final = re.compile(r"(https?)://(?:[^/@?#]*@)?(\[[0-9A-Fa-f:.]+\]|[^/:?#\s]*)")
_LOCAL: Final = frozenset({"localhost", "metadata.google.internal"})


def _find(subject: Subject) -> Iterator[Found]:
    for place in schemas(subject):
        if place.entry is not None and place.entry.block.effect != "deny":
            for steps, value in _let_through(place):
                if (why := _why(value)) is not None:
                    yield Found(place.policy, (*place.path, *steps), *why)
    for one in tested(subject):
        values = one.operand if one.kind == "in" else (one.operand,)
        whys = [why for why in map(_why, values) if why is not None]
        if one.allows and one.kind in {"prefix", "==", "in"} and whys:
            part = (one.clause.node.start, one.clause.node.end)
            yield Found(one.found.policy, one.found.path, *whys[0], part=part)


def _let_through(place: SchemaAt) -> Iterator[tuple[Path, object]]:
    """Go through the values that a schema lists, and the beginning that its pattern asks for."""
    listed = place.schema.get("enum")
    for index, value in enumerate(listed if isinstance(listed, list) else ()):
        yield ("enum", index), value
    yield ("const",), place.schema.get("const")
    pattern = place.schema.get("pattern")
    if isinstance(pattern, str):
        plain = (one.replace("https://", "http://", 1) for one in sample(pattern))
        taken = (one for one in plain if one.startswith("http://") and search(pattern, one) is True)
        yield ("pattern",), next(taken, edges(pattern)[0])


def _why(value: object) -> tuple[str, str] | None:
    """Say what is wrong with an address, and what to do; None where nothing is."""
    match = _HOST.match(value) if isinstance(value, str) else None
    if match is None:
        return None
    host = match[2].strip("[]").lower().rstrip(".")
    if host in _LOCAL or _is_inside(host):
        return f'"{host}" is inside of the network', _INSIDE
    return (f'"{value}" is plain http', "use https") if match[1] == "http" else None


def _is_inside(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False


_INSIDE: Final = "leave it out; a service inside gets a tool of its own, which knows the address"

RULE: Final = LintRule("PE227", "insecure-address", "warning", __doc__ or "", _find)
