"""Values next to those that a request holds and that conditions name."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from policy_engine.cel.nodes import ListItems, Literal, Node, children
from policy_engine.compiler import Chain
from policy_engine.lint.proof.regexes import sample
from policy_engine.testing.search.sample import OTHER, Sample, held_in

__all__ = ["Near", "literals_of"]

_POOL: Final = 12
_FEW: Final = 4


class Near:
    """Finds values next to those that a request holds and that conditions name.

    Args:
        seed: The request and what is known.
        chain: What it meets.
    """

    def __init__(self, seed: Sample, chain: Chain) -> None:
        self._literals = list(dict.fromkeys(_literals(chain)))
        self._said = list(dict.fromkeys(islice(_looked_for(chain), _POOL)))
        self._declared = _declared(chain)
        held = list(dict.fromkeys(islice(filter(_is_plain, held_in(seed, _POOL)), 4 * _POOL)))
        self._texts = [one for one in held if isinstance(one, str)][:_POOL]
        numbers = [one for one in held if not isinstance(one, str)][:_POOL]
        self._numbers = numbers
        self._sums = [
            *(a + b for a in numbers for b in numbers),
            *(a - b for a in numbers for b in numbers),
            *(a * b for a in numbers for b in self._literals if isinstance(b, float)),
        ]

    @property
    def texts(self) -> list[str]:
        """The texts that conditions name."""
        return [one for one in self._literals if isinstance(one, str)]

    @property
    def said(self) -> list[str]:
        """Texts in which checks find something."""
        return self._said

    def at(self, path: tuple[str, ...], value: Any) -> Iterator[Any]:
        """Yield what conditions name, and what a schema lists, for a place that they read."""
        yield from self._declared.get(path, ())
        yield from self.named(value)

    def named(self, value: Any) -> Iterator[Any]:
        """Yield what conditions name, and what is next to it, of the kind of a value."""
        if isinstance(value, bool):
            yield from (True, False)
        for one in self._literals:
            if isinstance(one, str):
                if value is None or isinstance(value, str):
                    yield one
            elif value is None or isinstance(value, int | float):
                yield from (one, one + 1)
        yield from self._said if value is None or isinstance(value, str) else ()
        yield from self._texts[:3] if isinstance(value, str) else ()
        yield OTHER

    def to(self, value: Any) -> Iterator[Any]:
        """Yield what could stand in the place of a value."""
        match value:
            case bool():
                yield not value
            case int() | float():
                found = [one for one in self._literals if isinstance(one, int | float)]
                for one in (*found, *self._numbers, *self._sums):
                    yield from (one, one - 1, one + 1, one + 0.5, one - 0.5)
            case str():
                yield from self._texts_for(value)
            case list():
                yield from self._lists_for(value)
            case Mapping():
                for key, item in value.items():
                    for other in self.to(item):
                        yield {**value, key: other}

    def _texts_for(self, value: str) -> Iterator[str]:
        yield from (OTHER, value.upper(), *self._texts, *self._said)
        for one in self.texts:
            yield from (one, value + one, one + value, one + "/x", one.upper())
            yield from ("https://" + one, "https://" + one + "/x")
            yield from (value + one[1:], one[:-1] + value)

    def _lists_for(self, value: list[Any]) -> Iterator[list[Any]]:
        yield from ([], [*value, OTHER], [*value, *self._texts])
        yield [one for one in value if one not in self._texts]
        for i, item in enumerate(value[:3]):
            for other in self.to(item):
                yield [*value[:i], other, *value[i + 1 :]]
        yield from ([*value, one] for one in self._literals)


def _is_plain(value: object) -> bool:
    return isinstance(value, int | float | str) and not isinstance(value, bool)


def _literals(chain: Chain) -> Iterator[Any]:
    for rule in chain.rules:
        if rule.condition is not None:
            yield from literals_of(rule.condition.tree)


def _looked_for(chain: Chain) -> Iterator[str]:
    """Yield a text for each pattern that a check looks for."""
    for rule in chain.rules:
        for number in sorted(rule.check.ids) if rule.check is not None else ():
            yield from sample(chain.scanner.patterns[number].expression)[:1]


def _declared(chain: Chain) -> dict[tuple[str, ...], list[Any]]:
    """Return what the schemas of arguments list, and a text for each of their patterns."""
    found: dict[tuple[str, ...], list[Any]] = {}
    for constraint in chain.constraints:
        for name, schema in constraint.schemas.items():
            if not isinstance(schema, Mapping):
                continue
            values = found.setdefault(("args", name), [])
            values.extend(list(schema.get("enum") or ())[:_FEW])
            pattern = schema.get("pattern")
            values.extend(sample(pattern)[:_FEW] if isinstance(pattern, str) else ())
    return found


def literals_of(node: Node) -> Iterator[Any]:
    """Yield the texts and numbers that a condition names."""
    if isinstance(node, Literal) and isinstance(node.value, str | int | float):
        yield node.value
    elif isinstance(node, Literal) and isinstance(node.value, tuple):
        yield from (one for one in node.value if isinstance(one, str | int | float))
    elif isinstance(node, ListItems):
        for item in node.items:
            yield from literals_of(item)
    for child in children(node):
        yield from literals_of(child)
