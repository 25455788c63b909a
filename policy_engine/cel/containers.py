"""Reading lists, maps and optionals whose type shows only at run time."""

from collections.abc import Callable, Sequence
from typing import Any

from policy_engine.cel.meter import Meter
from policy_engine.cel.problems import EvaluationError
from policy_engine.cel.reading import LISTS, cook, elements, entries, is_map, keys, stored_key
from policy_engine.cel.values import NONE, BoolKey, List, Map, OptionalValue, Uint

__all__ = ["has", "has_field", "index", "optional_index", "optional_select", "select", "size"]

_MISSING = object()


def size(value: Any) -> int:
    """Return the number of code points, bytes, elements or entries."""
    kind = type(value)
    if kind is str or kind is bytes or kind in LISTS or is_map(value):
        return len(value)
    raise EvaluationError("this has no size")


def _find(container: Any, key: object) -> object:
    """Return what stands under a key, or `_MISSING`."""
    kind = type(container)
    if kind in LISTS:
        return _find_element(container, key)
    if kind is Map:
        return container.get(key if type(key) is float else stored_key(key), _MISSING)
    if is_map(container):
        if type(key) is str:
            found = container.get(key, _MISSING)
            return found if found is _MISSING else cook(found)
        stored_key(key if type(key) is not float else 0)
        return _MISSING
    raise EvaluationError("this has no elements")


def _find_element(container: Any, key: object) -> object:
    if type(key) is float and key.is_integer():
        key = int(key)
    if type(key) is not int and type(key) is not Uint:
        raise EvaluationError("not an index")
    if not 0 <= key < len(container):
        return _MISSING
    if type(container) is List:
        return container[key]
    if type(container) in (list, tuple):
        return cook(container[key])
    return elements(container)[key]


def _present(container: Any, key: object) -> object:
    """Return what stands under a key; a mapping may say what an absent key stands for."""
    found = _find(container, key)
    if found is not _MISSING:
        return found
    if type(key) is str and hasattr(type(container), "__missing__"):
        return cook(container[key])
    raise EvaluationError("no such key")


def index(container: object, key: object) -> object:
    """Return container[key]."""
    if type(container) is OptionalValue:
        return optional_index(container, key)
    return _present(container, key)


def optional_index(container: object, key: object) -> OptionalValue:
    """Return container[?key]."""
    if type(container) is OptionalValue:
        if container is NONE:
            return NONE
        container = container.value
    found = _find(container, key)
    return NONE if found is _MISSING else OptionalValue(found)


def select(container: object, name: str) -> object:
    """Return container.name."""
    if type(container) is OptionalValue:
        return optional_select(container, name)
    if not is_map(container):
        raise EvaluationError("this has no fields")
    return _present(container, name)


def optional_select(container: object, name: str) -> OptionalValue:
    """Return container.?name."""
    if type(container) is OptionalValue:
        if container is NONE:
            return NONE
        container = container.value
    if not is_map(container):
        raise EvaluationError("this has no fields")
    found = _find(container, name)
    return NONE if found is _MISSING else OptionalValue(found)


def has(container: object, name: str) -> bool:
    """Say whether a map has a key."""
    if type(container) is OptionalValue:
        return container is not NONE and has(container.value, name)
    if not is_map(container):
        raise EvaluationError("this has no fields")
    return _find(container, name) is not _MISSING


def has_field(container: Any, name: str) -> bool:
    """Say whether a map has a declared field, for which null is absent."""
    if not is_map(container):
        raise EvaluationError("this has no fields")
    return container.get(name) is not None


def read_optional(value: object, check: Callable[[object], object]) -> OptionalValue:
    """Return a declared field that may be absent as an optional."""
    return NONE if value is None else OptionalValue(check(value))


def rows(meter: Meter, container: object) -> Sequence[object]:
    """Return what a macro with one variable goes over."""
    found = elements(container) if type(container) in LISTS else keys(container)
    meter.step(len(found))
    return found


def typed_rows(
    meter: Meter, container: object, check: Callable[[object], object]
) -> Sequence[object]:
    """Return the elements of a declared list for a macro, each checked."""
    if type(container) in LISTS:
        meter.step(len(container))  # type: ignore[arg-type]
        if type(container) is List:
            return container
        return [check(item) for item in elements(container)]
    raise EvaluationError("not a list")


def pairs(meter: Meter, container: object) -> Sequence[tuple[object, object]]:
    """Return what a macro with two variables goes over: index and element, or key and value."""
    if type(container) in LISTS:
        found = list(enumerate(elements(container)))
    else:
        found = [(k.value if type(k) is BoolKey else k, v) for k, v in entries(container)]  # type: ignore[misc]
    meter.step(len(found))
    return found


def make_map(*parts: object) -> Map:
    """Build a map from keys and values in turn; a key stands once."""
    result = Map()
    for position in range(0, len(parts), 2):
        put(result, parts[position], parts[position + 1])
    return result


def put(target: Map, key: object, value: object) -> None:
    """Add an entry to a map that is being built."""
    stored = stored_key(key)
    if stored in target:
        raise EvaluationError("a key stands twice in a map")
    target[stored] = value


def make_map_with_optionals(optionals: frozenset[int], *parts: object) -> Map:
    """Build a map whose entries with the given positions are left out when empty."""
    result = Map()
    for position in range(0, len(parts), 2):
        value = parts[position + 1]
        if position // 2 in optionals:
            if type(value) is not OptionalValue:
                raise EvaluationError("not an optional")
            if value is NONE:
                continue
            value = value.value
        put(result, parts[position], value)
    return result


def make_list_with_optionals(optionals: frozenset[int], *items: object) -> List:
    """Build a list whose items with the given positions are left out when empty."""
    result: list[object] = []
    for position, item in enumerate(items):
        if position not in optionals:
            result.append(item)
        elif type(item) is not OptionalValue:
            raise EvaluationError("not an optional")
        elif item is not NONE:
            result.append(item.value)
    return List(result)


def is_zero(value: object) -> bool:
    """Say whether a value is the zero of its type: empty, 0, false or null."""
    if value is None or value is NONE:
        return True
    kind = type(value)
    if kind in (str, bytes) or kind in LISTS or is_map(value):
        return size(value) == 0
    return isinstance(value, int | float) and value == 0
