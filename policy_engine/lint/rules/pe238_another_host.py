r"""A pattern of addresses that another host fits too.

What it does:
    Reports a pattern of an argument that names a host and also takes an address of another one:
    behind the name (`^https://acme\.com.*$` takes `https://acme.com@evil.example/`), or with the
    name in the path (`^https://.*\.acme\.com/` takes `https://evil.example/x.acme.com/`). Where
    the name may begin earlier (`evilacme.com`), PE216 says so.

Why:
    The host ends at the first `/`, and what stands in front of an `@` is a user's name.

Fails:
    tools:
      fetch: {args: {url: {type: string, maxLength: 300, pattern: '^https://acme\.com.*$'}}}
    ---
    tools:
      fetch: {args: {url: {type: string, maxLength: 300, pattern: '^https://.*\.acme\.com/[a-z]*$'}}}

Passes:
    tools:
      fetch:
        args:
          url: {type: string, maxLength: 300, pattern: '^https://([a-z0-9-]+\.)*acme\.com/[a-z]*$'}

Fix:
    Say which characters a name in front may have, without `/`, `@`, `?` and `#`, and let a `/`
    follow the host.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.lint.accepted import accepted
from policy_engine.lint.places import schemas
from policy_engine.lint.proof.regexes import is_anchored, sample, search, top_branches
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]

_NAMED: Final = re.compile(r"[A-Za-z0-9-]{1,63}(?:(?:\\\.|\[\.\])[A-Za-z0-9-]{1,63}){1,8}")


def _find(subject: Subject) -> Iterator[Found]:
    for place in schemas(subject):
        pattern = place.schema.get("pattern")
        if place.entry is None or not isinstance(pattern, str) or "://" not in pattern:
            continue
        if not all(is_anchored(branch, start=True) for branch in top_branches(pattern)):
            continue  # it may begin earlier, which is said elsewhere
        named = [re.sub(r"\\|\[|\]", "", text) for text in _NAMED.findall(pattern)]
        for value in _others(pattern, named):
            witness = accepted(subject, place, value, "accepted: an address of another host")
            if witness is not None:
                yield Found(
                    place.policy,
                    (*place.path, "pattern"),
                    f'the pattern also takes "{value}", which is another host',
                    "let a `/` follow the host, and only characters of a name stand before it",
                    witness=witness,
                )
                break


def _others(pattern: str, named: list[str]) -> Iterator[str]:
    """Go through addresses of another host that a pattern takes."""
    ends = all(is_anchored(branch, start=False) for branch in top_branches(pattern))
    for text in sample(pattern):
        for host in named:
            if host not in text:
                continue
            scheme, _, rest = text.partition("://")
            before, _, after = rest.partition(host)
            tried = [
                f"{scheme}://evil.example/{before}{host}{after}",
                f"{scheme}://evil.example?{before}{host}{after}",
                f"{scheme}://evil.example#{before}{host}{after}",
            ]
            if ends:
                tried += [
                    f"{scheme}://{before}{host}.evil.example/{after.lstrip('/')}",
                    f"{scheme}://{before}{host}@evil.example/{after.lstrip('/')}",
                ]
            yield from (value for value in tried if search(pattern, value) is True)


RULE: Final = LintRule("PE238", "another-host", "warning", __doc__ or "", _find)
