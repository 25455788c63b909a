"""A request that is enforced by hand: copied on the way in, settled by its decision."""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final

from policy_engine.decision import Decision, Request
from policy_engine.decision.wire import STAGE_FIELDS
from policy_engine.guard.call import Call
from policy_engine.guard.session import GuardSession
from policy_engine.guard.unjudgeable import UnjudgeableError
from policy_engine.guard.values import ATOMS, UNREAD, snapshot

__all__ = ["Enforced", "copied", "named"]

_NAMES: Final = ("stage", "agent", "session", "tool", "target", "model", "call_id", "id")
_NAMES_OF: Final = attrgetter(*_NAMES)
_TEXT_OR_NONE: Final = frozenset({str, type(None)})
_VALUES: Final = ("args", "text", "result")
_MAPPINGS: Final = ("principal", "context")
_OWN: Final = ("tool", "args", "result", "text", "target", "model", "call_id")
_FOREIGN: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        stage: tuple(name for name in _OWN if name not in fields)
        for stage, fields in STAGE_FIELDS.items()
    }
)
"""Stage -> the fields of other stages; of what is no stage nothing is known, and it is denied."""
_FOREIGN_OF: Final = {stage: attrgetter(*names) for stage, names in _FOREIGN.items()}
_FIELDS: Final = tuple(field.name for field in fields(Request))
_FIELDS_OF: Final = attrgetter(*_FIELDS)


class Enforced(Decision):
    """A decision that a guard has counted and recorded; it knows what is owed after the call."""

    __slots__ = ("call",)

    call: Call

    def __init__(self, decision: Decision, call: Call) -> None:
        # A decision is of this engine's making; nothing of it is changed.
        super().__init__(decision.asked, decision.outcome, decision.context, decision.request)
        object.__setattr__(self, "call", call)


def copied(request: Request, session: GuardSession | None) -> Request:
    """Return a request that nobody else can change, with what the session around it says.

    Who asks is taken from the session only where the request does not say it itself.

    Raises:
        UnjudgeableError: It is not of the documented form, or a part of it is no JSON value.
    """
    try:
        changes = _copies(request, session)
    except UnjudgeableError:
        raise
    except Exception as error:  # a class may raise even where it is only compared
        raise UnjudgeableError(UNREAD) from error
    if session is not None:
        for name, value in _who(session):
            if value is not None and getattr(request, name) is None:
                changes[name] = value
    return _with(request, changes) if changes else request


def _with(request: Request, changes: Mapping[str, Any]) -> Request:
    if request.__class__ is not Request:
        return replace(request, **changes)
    # Half of what `replace` takes, and there is a copy for every decision.
    given = dict(zip(_FIELDS, _FIELDS_OF(request), strict=True))
    given.update(changes)
    return Request(**given)


def _copies(request: Request, session: GuardSession | None) -> dict[str, Any]:
    """Return copies of what could change."""
    _refuse_foreign(request)
    changes: dict[str, Any] = {}
    for name in _VALUES:
        value = getattr(request, name)
        if type(value) not in ATOMS:
            changes[name] = _copy(name, value)
    for name in _MAPPINGS:
        value = getattr(request, name)
        if value is None or (session is not None and value is getattr(session, name)):
            continue  # what is the session's is sound, and nobody can change it
        if not isinstance(value, Mapping):
            kind = type(value)
            raise UnjudgeableError(f'"{name}" is a mapping, not "{kind.__qualname__}"')
        changes[name] = _copy(name, dict(value))
    if "principal" in changes:
        _refuse_odd(changes["principal"])
    return changes


def _copy(name: str, value: Any) -> Any:
    try:
        return snapshot(value)[0]
    except UnjudgeableError as error:
        raise UnjudgeableError(f'"{name}" cannot be judged: {error}') from error.__cause__


def _refuse_foreign(request: Request) -> None:
    """Refuse names that are no text, and what the stage does not carry."""
    kinds = [*map(type, _NAMES_OF(request))]
    if not _TEXT_OR_NONE.issuperset(kinds):
        for name, kind in zip(_NAMES, kinds, strict=True):
            if kind not in _TEXT_OR_NONE:
                raise UnjudgeableError(f'"{name}" is a text, not "{kind.__qualname__}"')
    foreign_of = _FOREIGN_OF.get(request.stage)
    if foreign_of is None:
        return
    for name, value in zip(_FOREIGN[request.stage], foreign_of(request), strict=True):
        if value is not None:
            raise UnjudgeableError(f'"{name}" does not belong to the stage {request.stage}')


def _refuse_odd(principal: Mapping[str, Any]) -> None:
    """Refuse a principal that no request could carry on the wire."""
    if not principal.keys() <= _PRINCIPAL.keys():
        raise UnjudgeableError(f'"principal" has no fields but {", ".join(_PRINCIPAL)}')
    for name, value in principal.items():
        is_fit, words = _PRINCIPAL[name]
        if value is not None and not is_fit(value):
            raise UnjudgeableError(f'"principal.{name}" is {words}')


def _is_text(value: Any) -> bool:
    return type(value) is str


def _is_texts(value: Any) -> bool:
    return type(value) is list and all(type(item) is str for item in value)


def _is_object(value: Any) -> bool:
    return type(value) is dict


_PRINCIPAL: Final[Mapping[str, tuple[Callable[[Any], bool], str]]] = MappingProxyType(
    {
        "id": (_is_text, "a text"),
        "roles": (_is_texts, "a list of texts"),
        "tenant": (_is_text, "a text"),
        "attrs": (_is_object, "a mapping"),
    }
)
"""Field -> whether a value fits, and what does."""


def _who(session: GuardSession) -> tuple[tuple[str, Any], ...]:
    return (
        ("agent", session.agent),
        ("principal", session.principal),
        ("session", session.id),
        ("context", session.context),
    )


def named(request: Request, session: GuardSession | None = None) -> Request:
    """Return a request that holds no more than the names of one that cannot be judged.

    Args:
        request: What was asked.
        session: Who asked, where the request does not say it: what it holds is sound.
    """
    kept: dict[str, Any] = {
        name: value for name in _NAMES if type(value := getattr(request, name)) is str
    }
    if session is not None:
        for name, value in _who(session):
            given = getattr(request, name)
            if given is None or given is value:
                kept[name] = value
    return Request(**kept)
