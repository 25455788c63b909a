"""What an agent is about to do, and the fingerprint that an approval is bound to."""

import hashlib
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import orjson

from policy_engine.decision.words import Stage

__all__ = ["Request", "fingerprint"]


@dataclass(frozen=True, slots=True, kw_only=True, init=False)
class Request:
    """What an agent is about to do, read or say.

    Nothing is checked here: a guard denies a request that is not of the documented form, and an
    engine that is asked without one looks at the form of what it reads alone.
    """

    stage: Stage = "tool_call"
    agent: str | None = None
    principal: Mapping[str, Any] | None = None
    """`id`, `roles`, `tenant`, `attrs`."""
    session: str | None = None
    tool: str | None = None
    args: dict[str, Any] | None = None
    result: Any = None
    text: Any = None
    """A string, or a list of content parts as the SDKs write them."""
    target: str | None = None
    """The agent that a handoff goes to."""
    model: str | None = None
    call_id: str | None = None
    context: Mapping[str, Any] | None = None
    id: str | None = None

    def __init__(  # noqa: PLR0913 - as many as there are fields
        self,
        *,
        stage: Stage = "tool_call",
        agent: str | None = None,
        principal: Mapping[str, Any] | None = None,
        session: str | None = None,
        tool: str | None = None,
        args: dict[str, Any] | None = None,
        result: Any = None,
        text: Any = None,
        target: str | None = None,
        model: str | None = None,
        call_id: str | None = None,
        context: Mapping[str, Any] | None = None,
        id: str | None = None,  # noqa: A002 - the word of the wire
    ) -> None:
        # A third of what the generated one takes, and there is a request for every decision.
        _set_stage(self, stage)
        _set_agent(self, agent)
        _set_principal(self, principal)
        _set_session(self, session)
        _set_tool(self, tool)
        _set_args(self, args)
        _set_result(self, result)
        _set_text(self, text)
        _set_target(self, target)
        _set_model(self, model)
        _set_call_id(self, call_id)
        _set_context(self, context)
        _set_id(self, id)

    def returning(self, result: Any) -> "Request":
        """Return the request about what this tool call hands back."""
        return Request(
            stage="tool_result",
            agent=self.agent,
            principal=self.principal,
            session=self.session,
            tool=self.tool,
            args=self.args,
            result=result,
            call_id=self.call_id,
            context=self.context,
            id=self.id,
        )


_Setter: TypeAlias = Callable[[Request, Any], None]

_SLOTS: Final = vars(Request)
_set_stage: _Setter = _SLOTS["stage"].__set__
_set_agent: _Setter = _SLOTS["agent"].__set__
_set_principal: _Setter = _SLOTS["principal"].__set__
_set_session: _Setter = _SLOTS["session"].__set__
_set_tool: _Setter = _SLOTS["tool"].__set__
_set_args: _Setter = _SLOTS["args"].__set__
_set_result: _Setter = _SLOTS["result"].__set__
_set_text: _Setter = _SLOTS["text"].__set__
_set_target: _Setter = _SLOTS["target"].__set__
_set_model: _Setter = _SLOTS["model"].__set__
_set_call_id: _Setter = _SLOTS["call_id"].__set__
_set_context: _Setter = _SLOTS["context"].__set__
_set_id: _Setter = _SLOTS["id"].__set__


_Begun: TypeAlias = tuple[Any, Any]
"""Two hashes of `hashlib`, whose type has no public name."""
_VERSION: Final = "policy-engine/fingerprint/1"


def fingerprint(request: Request, key: bytes, declared: frozenset[str]) -> str:
    """Bind an approval to exactly one request.

    HMAC-SHA-256 (RFC 2104) over a form that keeps types apart: 1, 1.0 and true differ, integers
    are exact, the order of keys does not matter; call id and time are left out.
    """
    principal: Any = request.principal
    if principal.__class__ not in _MAPPINGS:
        principal = _mapping(principal)
    person, tenant = principal.get("id"), principal.get("tenant")
    stage, agent, session = request.stage, request.agent, request.session
    tool, target = request.tool, request.target
    names = (key, stage, agent, person, tenant, session, tool, target)
    if (
        agent.__class__ in _PLAIN
        and person.__class__ in _PLAIN
        and tenant.__class__ in _PLAIN
        and session.__class__ in _PLAIN
        and tool.__class__ in _PLAIN
        and target.__class__ in _PLAIN
        and stage.__class__ is str
    ):
        inner, outer = _begun.get(names) or _begin(names)
    else:
        inner, outer = _hashes(names)
    inner, outer = inner.copy(), outer.copy()
    if declared:
        inner.update(_tagged(_declared(request.context, declared), 1).encode("latin-1"))
    inner.update(_exact(request.args))
    outer.update(inner.digest())
    return f"hmac-sha256:{outer.hexdigest()}"


def _begin(names: tuple[Any, ...]) -> _Begun:
    """Return hashes to go on from, and remember them: who asks is much the same at each call."""
    found = _hashes(names)
    # A model can invent names, so long ones are not remembered.
    if all(name is None or len(name) <= _LONGEST_NAME for name in names):
        if len(_begun) >= _MOST_BEGUN:
            _begun.clear()
        _begun[names] = found
    return found


def _hashes(names: tuple[Any, ...]) -> _Begun:
    """Return the two hashes of RFC 2104, the inner one fed with who asks for what."""
    key = names[0]
    block = hashlib.sha256(key).digest() if len(key) > _BLOCK else key
    block = block.ljust(_BLOCK, b"\0")
    inner, outer = (hashlib.sha256(bytes(byte ^ pad for byte in block)) for pad in (0x36, 0x5C))
    form = "".join([_tagged(name, 1) for name in (_VERSION, *names[1:])])
    inner.update(f"{len(form)}:{form}".encode("latin-1"))
    return inner, outer


def _exact(args: Any) -> bytes:
    """Return the form of arguments: as canonical JSON, or tagged where JSON would not be exact."""
    try:
        form = orjson.dumps(args, option=_EXACT)
    except TypeError:  # integers beyond 64 bits, halves of surrogate pairs, no JSON at all
        form = b"null"
    if b"null" in form:  # so that not a number is not nothing
        return _tagged(args, 1).encode("latin-1")
    return form


def _declared(context: object, declared: frozenset[str]) -> Mapping[str, Any]:
    return {name: value for name, value in _mapping(context).items() if name in declared}


def _mapping(value: object) -> Mapping[str, Any]:
    if type(value) in _MAPPINGS or isinstance(value, Mapping):
        return value  # type: ignore[return-value]
    return _NOTHING


_EXACT: Final = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)
_BLOCK: Final = 64
_MAX_DEPTH: Final = 64
_LONGEST_NAME: Final = 100
_MOST_BEGUN: Final = 1_024
_PLAIN: Final = frozenset({str, type(None)})
"""Types of names that are remembered: 1 and true would be remembered as one."""
_begun: Final[dict[tuple[Any, ...], _Begun]] = {}
_MAPPINGS: Final = (dict, MappingProxyType)
_NOTHING: Final[dict[str, Any]] = {}
_PACK: Final = struct.Struct(">d").pack


def _tagged(value: Any, depth: int) -> str:
    """Return the form of a value: a text in which each character is one byte."""
    kind = type(value)
    if depth > _MAX_DEPTH:
        return "d;"
    if kind is str:
        if not value.isascii():
            value = value.encode("utf-8", "surrogatepass").decode("latin-1")
        return f"s{len(value)}:{value};"
    if value is None:
        return "n;"
    if value is True or value is False:
        return "t;" if value else "f;"
    if kind is int:
        return _framed("i", f"{value:x}")
    if kind is float:
        return _framed("r", _PACK(value).decode("latin-1"))
    if kind is dict or isinstance(value, Mapping):
        depth += 1
        pairs = [(_tagged(name, depth), _tagged(held, depth)) for name, held in value.items()]
        pairs.sort()
        return _framed("m", "".join([part for pair in pairs for part in pair]))
    if kind is list or (isinstance(value, Sequence) and not isinstance(value, str | bytes)):
        return _framed("l", "".join([_tagged(item, depth + 1) for item in value]))
    shown = f"{kind.__qualname__}\0{value!r}".encode("utf-8", "replace")
    return _framed("o", shown.decode("latin-1"))


def _framed(tag: str, body: str) -> str:
    return f"{tag}{len(body)}:{body};"
