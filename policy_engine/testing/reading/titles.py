"""Names of cases that one test makes many of."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from policy_engine.testing.case import Case

__all__ = ["short", "told_apart"]


def short(value: object) -> str:
    """Return a value as it stands in the name of a case."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:39] + "…"


def told_apart(cases: Iterable[Case]) -> Iterator[Case]:
    """Yield cases of one file, each with a name of its own."""
    known: Counter[str] = Counter()
    taken: set[str] = set()
    for case in cases:
        name = case.name
        while name in taken:
            known[case.name] += 1
            name = f"{case.name} ({known[case.name] + 1})"
        taken.add(name)
        yield case if name == case.name else replace(case, name=name)
