"""What does not fit the shape of a policy, said in the words of the language."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails, core_schema

from policy_engine.errors import Fault
from policy_engine.loader.error import Said, ShapeError, manual
from policy_engine.loader.fields import keys_of, model_at
from policy_engine.loader.keys import meant, no_value
from policy_engine.loader.values import QUOTE, SENTENCES, literal
from policy_engine.policy.words import quoted
from policy_engine.source import Document, Path

__all__ = ["Misfit", "misfits"]


_MAX_FAULTS: Final = 100


@dataclass(frozen=True, slots=True)
class Misfit:
    """A fault of shape, and the place that a policy has to do without."""

    path: Path
    fault: Fault | None
    """None after so many faults that nobody reads on."""
    unknown_key: bool = False
    """Whether the place is a key that nothing asked for."""
    meant: str | None = None
    """The key that was meant by it, if that one is not there."""
    answered: bool = False
    """Whether the place is a key that is there under a name which is nearly its own."""


def misfits(document: Document, errors: ValidationError) -> Iterator[Misfit]:
    """Turn what the models say into faults with places."""
    said = errors.errors(include_url=False)
    renamed = set(_renamed(said))
    for number, found in enumerate(said):
        loc: Path = found["loc"]
        if (found["type"] == "missing" and loc in renamed) or _is_echo(found):
            yield Misfit(loc, None, answered=loc in renamed)
            continue
        on_key = bool(loc) and loc[-1] == "[key]"
        error = ShapeError(
            kind=found["type"],
            path=loc[:-1] if on_key else loc,
            on_key=on_key,
            value=found.get("input"),
            context=found.get("ctx", {}),
            message=found["msg"],
        )
        fault = _fault(error, document) if number < _MAX_FAULTS else None
        unknown = error.kind == "extra_forbidden"
        key = _meant(loc) if unknown else None
        absent = key is not None and key not in _holder(document, loc)
        yield Misfit(error.path, fault, unknown_key=unknown, meant=key if absent else None)


def _renamed(said: Sequence[ErrorDetails]) -> Iterator[Path]:
    """Go through the keys that are there under a name which is nearly theirs."""
    for found in said[:_MAX_FAULTS]:
        loc: Path = found["loc"]
        if found["type"] == "extra_forbidden":
            key = _meant(loc)
            if key is not None:
                yield (*loc[:-1], key)


def _holder(document: Document, loc: Path) -> Any:
    """Return the mapping that holds a key."""
    value: Any = document.data
    for step in loc[:-1]:
        value = value[step]
    return value


def _meant(loc: Path) -> str | None:
    """Return the key that was meant by an unknown one."""
    model = model_at(loc[:-1])
    return None if model is None else meant(str(loc[-1]), list(keys_of(model)))


def _is_echo(found: ErrorDetails) -> bool:
    """Tell whether a list is called too short only because its items are faulty."""
    return found["type"] == "too_short" and bool(found.get("input"))


def _fault(error: ShapeError, document: Document) -> Fault:
    said = _say(error, document)
    place = error.path[:-1] if error.kind == "missing" else error.path
    on_key = error.on_key or said.on_key
    fault = document.fault(place, said.code, said.message, hint=said.hint, on_key=on_key)
    if said.hint == QUOTE:
        start = fault.location.column - 1
        written = fault.source_line[start : start + fault.length] or str(error.value)
        return replace(fault, hint=f'quote it: "{written}"')
    return fault


def _say(error: ShapeError, document: Document) -> Said:
    if error.value is None and error.kind not in {"missing", "extra_forbidden"}:
        return no_value(error)
    if error.kind == "literal_error":
        return literal(error, document)
    if (say := SENTENCES.get(error.kind)) is not None:
        return say(error)
    if error.kind == "value_error" and "error" in error.context:
        return Said("PE009", str(error.context["error"]), manual(error))
    if error.kind not in _PYDANTIC:
        return Said("PE009", error.message, manual(error))
    return Said("PE009", f"{error.subject} cannot be {quoted(error.value)}", manual(error))


_PYDANTIC: Final = frozenset(get_args(core_schema.ErrorType))
