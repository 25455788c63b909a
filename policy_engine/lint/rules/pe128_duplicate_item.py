"""An item that stands twice in a list.

What it does:
    Reports an equal item in a list of names, terms, values or roles.

Why:
    One of the two was meant to be something else.

Fails:
    tools:
      deploy: {args: {env: {enum: [prod, staging]}}}
    rules:
      - {id: slow, tools: [deploy, deploy], when: 'args.env == "prod"', effect: deny}

Passes:
    tools:
      deploy: {args: {env: {enum: [prod, staging]}}}
    rules:
      - {id: slow, tools: [deploy], when: 'args.env == "prod"', effect: deny}

Fix:
    Correct it, or remove it.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.policy.words import quoted
from policy_engine.source import Path

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for loaded in subject.policies:
        for path, value in _twice((), loaded.document.data):
            message = f"{quoted(value)} stands twice in the list"
            yield Found(loaded, path, message, "correct it, or remove it")


def _twice(path: Path, value: object) -> Iterator[tuple[Path, object]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in _VALUES:
                yield from _twice((*path, key), inner)
    elif isinstance(value, list):
        seen: set[tuple[type, object]] = set()
        for index, item in enumerate(value):
            if isinstance(item, str | int | float) and path:
                if (type(item), item) in seen:
                    yield (*path, index), item
                seen.add((type(item), item))
            else:
                yield from _twice((*path, index), item)


_VALUES: Final = frozenset({"const", "default", "examples", "vars"})


RULE: Final = LintRule("PE128", "duplicate-item", "warning", __doc__ or "", _find)
