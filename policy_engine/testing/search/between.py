"""Values that one of two schemas takes and the other does not.

The two are gone down together to where they differ; there values are made for the difference, and
put back into what is around it. What is made is only probably between the two.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any, Final

from policy_engine.checks.arguments import compile_arguments
from policy_engine.lint.proof.formula import TooManyError
from policy_engine.lint.proof.regexes import sample, search
from policy_engine.lint.proof.schema import sampled
from policy_engine.lint.proof.solve import cases
from policy_engine.lint.proof.values import Values
from policy_engine.testing.search.fitting import only_of
from policy_engine.testing.search.reaching import distinct, stretched
from policy_engine.testing.search.sample import OTHER
from policy_engine.text import Patterns

__all__ = ["between", "joined"]

_DEEP: Final = 8
_FEW: Final = 8
_LONG: Final = 2_000_000
"""A longer text is not made up."""
_WIDE: Final = 2_000
_OFTEN: Final = 64
"""What may be there once is repeated so often, for twice may be found by what follows."""
_SHORT: Final = 200
_BELOW: Final = 2
"""The length of the path of a property."""
_HUGE: Final = 1 << 60
"""A whole number that is not read as a double."""
_LABEL: Final = 60
"""So long are the parts of names of hosts, with their dots."""
_PARTS: Final = ("anyOf", "oneOf", "allOf")
_BRANCHES: Final = ("then", "else")
_COUNT: Final = re.compile(r"\{(\d+)(?:,(\d*))?\}")
_SIGNS: Final = ("!", " ", "A", "a", "0", "_", "-", "/", ".", "@", "\n", "é")
_KINDS: Final[tuple[Any, ...]] = (
    *(OTHER, 7, 0.5, True, None, [], [OTHER], {}, {"unlike": [1]}, "7"),
)


def between(before: Any, after: Any, value: Any, depth: int = 0) -> Iterator[Any]:
    """Yield values that the second of two schemas probably takes, and the first does not.

    Args:
        before: A schema.
        after: The same, changed in one place.
        value: One that both take.
        depth: How deep they stand.
    """
    if not isinstance(before, Mapping) or not isinstance(after, Mapping) or depth > _DEEP:
        yield from _KINDS
        return
    keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    if isinstance(value, dict):
        yield from _joint(before, after, value)
    made: Iterator[Any] = iter(())
    if len(keys) == 1 and keys[0] in before and keys[0] in after:
        made = _below(keys[0], before, after, value, depth + 1)
    for one in chain(made, _here(before, after, value)):
        yield one
        if "if" in before:
            yield from (_led(before, branch, one) for branch in _BRANCHES)


def joined(values: Iterable[Any], sought: Collection[str]) -> Iterator[Any]:
    """Yield values, and texts among them with what conditions look for at either end."""
    for value in values:
        yield value
        if isinstance(value, str) and len(value) <= _SHORT:
            for text in sought:
                yield from (value + text, text + value, value[: -len(text) or None] + text)


def _below(
    key: str, before: Mapping[str, Any], after: Mapping[str, Any], value: Any, depth: int
) -> Iterator[Any]:
    old, new = before[key], after[key]
    if key == "items":
        items = value if isinstance(value, list) and value else sampled([before]) or []
        for one in between(old, new, items[0] if items else sampled([old]), depth):
            yield from _in_list(one, list(items), before)
    elif key in ("properties", "patternProperties") and isinstance(old, Mapping):
        yield from _in_object(key, before, after, value, depth)
    elif key in ("additionalProperties", "propertyNames"):
        yield from _with_another(key, before, between(old, new, sampled([old]), depth), value)
    elif key in _BRANCHES:
        yield from _chosen(key, before, after, value, depth)
    elif key in (*_PARTS, "prefixItems") and isinstance(old, list) and len(old) == len(new):
        for i, (mine, its) in enumerate(zip(old, new, strict=True)):
            if mine != its:
                yield from _of_part(key, i, before, after, value)


def _chosen(
    key: str, before: Mapping[str, Any], after: Mapping[str, Any], value: Any, depth: int
) -> Iterator[Any]:
    """Yield values of which the one or the other branch of `if` is asked."""
    for name, listed in _led_by(before):
        is_met = [one for one in listed if (one in _named(before["if"], name)) is (key == "then")]
        for one in is_met[:_FEW]:
            held = value if isinstance(value, dict) else sampled([before]) or {}
            begun = _led(before, key, {**held, name: one})
            yield begun
            yield from between(before[key], after[key], begun, depth)


def _led_by(schema: Mapping[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    """Yield the properties that `if` asks, each with what it may be."""
    asked = schema["if"].get("properties") if isinstance(schema.get("if"), Mapping) else None
    declared = schema.get("properties") or {}
    for name in asked or ():
        listed = _named(schema["if"], name)
        rest = _named(schema, name) or sampled([declared.get(name)]) or [OTHER]
        yield name, [*listed, *(one for one in rest if one not in listed)]


def _named(schema: Mapping[str, Any], name: str) -> list[Any]:
    """Return the values that a schema lists for a property."""
    found = (schema.get("properties") or {}).get(name)
    if not isinstance(found, Mapping):
        return []
    return [found["const"]] if "const" in found else list(found.get("enum") or ())


def _led(schema: Mapping[str, Any], branch: str, value: Any) -> Any:
    """Return an object with what a branch of `if` asks of it."""
    asked = schema.get(branch)
    if not isinstance(value, dict) or not isinstance(asked, Mapping):
        return value
    declared = schema.get("properties") or {}
    made = dict(value)
    for name, below in (asked.get("properties") or {}).items():
        found = sampled([one for one in (declared.get(name), below) if one is not None])
        made.update({} if found is None else {name: found})
    return made


def _with_another(
    key: str, schema: Mapping[str, Any], found: Iterator[Any], value: Any
) -> Iterator[dict[str, Any]]:
    """Put values, or names, into an object under a name that it does not declare."""
    held = value if isinstance(value, dict) else sampled([schema]) or {}
    for one in found:
        if key == "additionalProperties":
            yield {**held, "another": one}
        elif isinstance(one, str):
            yield {**held, one: sampled([schema.get("additionalProperties")])}


def _of_part(
    key: str, number: int, before: Mapping[str, Any], after: Mapping[str, Any], value: Any
) -> Iterator[Any]:
    mine, its = before[key][number], after[key][number]
    if key == "prefixItems":
        items = value if isinstance(value, list) else sampled([before]) or []
        if number < len(items):
            for one in between(mine, its, items[number]):
                yield [*items[:number], one, *items[number + 1 :]]
        return
    mine, its = (
        {"type": before["type"], **part} if "type" in before and isinstance(part, Mapping) else part
        for part in (mine, its)
    )
    plain = value if key == "allOf" else sampled([mine])
    yield from between(mine, its, plain)


def _in_list(one: Any, items: list[Any], schema: Mapping[str, Any]) -> Iterator[list[Any]]:
    most = schema.get("maxItems", _WIDE)
    if len(items) < most:
        yield [*items, one]
    yield [one, *items[1:]]
    yield [one]


def _in_object(
    key: str, before: Mapping[str, Any], after: Mapping[str, Any], value: Any, depth: int
) -> Iterator[dict[str, Any]]:
    held = value if isinstance(value, dict) else sampled([before])
    held = held if isinstance(held, dict) else {}
    for name, mine in before[key].items():
        its = after[key].get(name)
        if mine == its:
            continue
        names = [name] if key == "properties" else list(sample(name))[:2]
        for one in between(mine, its, held.get(name, sampled([mine])), depth):
            yield from ({**held, other: one} for other in names)
        yield {other: item for other, item in held.items() if other != name}
        yield {**held, name: None}


def _here(before: Mapping[str, Any], after: Mapping[str, Any], value: Any) -> Iterator[Any]:
    """Yield values for two schemas that differ in what they say of the value itself."""
    yield from islice(_solved(before, after), 2 * _FEW)
    for key in ("enum", "const"):
        if before.get(key) != after.get(key):
            listed = after.get("enum") or [after.get("const")]
            known = before.get("enum") or [before.get("const")]
            yield from (one for one in listed if one not in known)
    if before.get("pattern") != after.get("pattern"):
        yield from _found(before, after, value)
    if before.get("check") != after.get("check"):
        yield from _checked(before.get("check"))
    yield from _sized(before, after, value)
    yield from _numbers(before, after)
    if isinstance(value, dict):
        yield {**value, "another": OTHER}
        yield {**value, "another": 7}
        yield from ({k: v for k, v in value.items() if k != name} for name in value)
    if isinstance(value, list) and value:
        yield [*value, value[0]]
    yield from _KINDS


def _solved(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the values that a proof finds."""
    term = ("value",)
    try:
        for case in islice(cases(*only_of(term, after, before), base=_any), _FEW):
            values = case.values.get(term)
            if values is not None and case.values.keys() == {term}:
                yield from islice(values.candidates(), _FEW)
    except TooManyError:
        return


def _joint(
    before: Mapping[str, Any], after: Mapping[str, Any], value: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield objects in which several properties are what a proof finds together."""
    if "if" not in before and not any(part in before for part in _PARTS):
        return
    root = ("value",)
    try:
        for case in islice(cases(*only_of(root, after, before), base=_any), 2 * _FEW):
            made: Any = value
            for term, values in case.values.items():
                if term[:1] == root and len(term) == _BELOW:
                    one = next(values.candidates(), None)
                    rest = {key: item for key, item in made.items() if key != term[1]}
                    made = rest if values.is_absent else {**made, term[1]: one}
            yield made
    except TooManyError:
        return


def _any(_: object) -> Values:
    return Values()


def _checked(check: Any) -> Iterator[str]:
    """Yield texts in which a check probably finds something, by what it names."""
    waiting, named = [check], list[str]()
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            named.append(one)
        elif isinstance(one, Mapping | list):
            waiting.extend(one.values() if isinstance(one, Mapping) else one)
    for text in named:
        for made in (text, *sample(text)):
            yield from (made, made.upper(), f"x {made}", f"{made}s", made.lower())


def _found(before: Mapping[str, Any], after: Mapping[str, Any], value: Any) -> Iterator[str]:
    """Yield texts that one of two patterns finds and the other does not."""
    old, new = before.get("pattern"), after.get("pattern")
    if not isinstance(old, str):
        return
    text = value if isinstance(value, str) else ""
    made: Iterator[str] = iter(())
    if isinstance(new, str):
        made = chain.from_iterable(map(sample, _forced(old, new)))
    held = (text, *sample(old))
    near = (f"{one}{sign}" for one in held for sign in (*_SIGNS, one[-1:]))
    front = (f"{sign}{one}" for one in held for sign in _SIGNS)
    for one in chain(made, near, front, _SIGNS, ("",)):
        if search(old, one) is not True and (new is None or search(str(new), one) is True):
            yield one


def _forced(old: str, new: str) -> Iterator[str]:
    """Yield patterns that find only what the new one of two takes, where they differ."""
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    for match in _COUNT.finditer(old):
        if match.start() <= start <= match.end():
            least, most = int(match[1]), int(match[2] or match[1])
            rest = old[match.end() :]
            for count in (most + 1, least - 1):
                if 0 <= count <= _LONG:
                    yield f"{old[: match.start()]}{{{count}}}{rest}"
    if old[start : start + 1] == "?" and new[start : start + 1] in ("*", "+"):
        yield from (f"{old[:start]}{{{count}}}{old[start + 1 :]}" for count in (2, _OFTEN))
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    for begin in range(start, max(-1, start - 2), -1):
        for sign in _SIGNS:
            yield f"{old[:begin]}{re.escape(sign)}{old[len(old) - end :]}"
        yield f"{old[:begin]}{old[len(old) - end :]}"


def _sized(before: Mapping[str, Any], after: Mapping[str, Any], value: Any) -> Iterator[Any]:
    for key in ("minLength", "maxLength", "maxBytes", "minItems", "maxItems", "uniqueItems"):
        if before.get(key) == after.get(key):
            continue
        bound = before.get(key)
        more = 1 if key.startswith("max") else -1
        count = bound + more if isinstance(bound, int) and not isinstance(bound, bool) else 2
        if key.endswith(("Length", "Bytes")) and 0 <= count <= _LONG:
            patterns = [str(before["pattern"])] if "pattern" in before else []
            yield from _formed(before.get("format"), count)
            held = [value, sampled([before]), OTHER]
            for text in held:
                if isinstance(text, str):
                    yield from islice(stretched(text, count, patterns), 2)
        elif key.endswith("Items") and 0 <= count <= _WIDE:
            yield from _lists(before, value, count)


def _formed(form: object, count: int) -> Iterator[str]:
    """Yield a text of a length and a form that does not let single signs be repeated at will."""
    match form:
        case "email" | "idn-email" if count > _LABEL:
            yield f"{'a' * (_LABEL // 2)}@{_host(count - _LABEL // 2 - 1)}"
        case "hostname" | "idn-hostname" if count > len(".example"):
            yield _host(count)
        case "uri" | "iri" | "uri-reference" | "iri-reference" if count > len("https://a.example/"):
            yield "https://a.example/".ljust(count, "a")


def _host(count: int) -> str:
    """Return the name of a host of a length."""
    whole, rest = divmod(count - len("example"), _LABEL)
    if rest == 1:
        return f"{'a' * (_LABEL - 2)}." + _host(count - _LABEL + 1)
    first = f"{'a' * (rest - 1)}." if rest else ""
    return first + f"{'a' * (_LABEL - 1)}." * whole + "example"


def _lists(schema: Mapping[str, Any], value: Any, count: int) -> Iterator[list[Any]]:
    """Yield lists of a length."""
    held = value if isinstance(value, list) else []
    items = schema.get("items")
    plain = held[-1] if held else sampled([items])
    yield [*held[:count], *[plain] * (count - len(held))]
    judge = compile_arguments({"value": items or {}}, closed=True, patterns=Patterns())

    def fits(one: Any) -> bool:
        return judge.fits({"value": one})

    fresh = islice(distinct(plain, fits, held), max(0, count - len(held)))
    yield [*held[:count], *fresh]


def _retyped(before: Mapping[str, Any]) -> Iterator[float]:
    """Yield numbers that one type takes, or an expression reads, and another does not."""
    named = before.get("type")
    if {"number", "integer"}.isdisjoint(named if isinstance(named, list) else [named]):
        return
    yield _HUGE
    for key in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
        bound = before.get(key)
        if isinstance(bound, int | float):
            yield from (bound + 0.5, bound - 0.5)


def _numbers(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[float]:
    """Yield numbers between two bounds, and between the multiples of a step."""
    if before.get("type") != after.get("type"):
        yield from _retyped(before)
    step = before.get("multipleOf")
    if step is not None and after.get("multipleOf") != step:
        bounds = [before[key] for key in before if "imum" in key]
        for bound in (*bounds, 0):
            yield from (bound + step / 2, bound - step / 2, bound + step * 1.5)
    for key in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
        bound = before.get(key)
        if isinstance(bound, int | float) and bound != after.get(key):
            yield from (bound, bound + 1, bound - 1, bound + 0.5, bound - 0.5)
            yield from () if step is None else (bound + step, bound - step)
