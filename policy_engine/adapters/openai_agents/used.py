"""Uses of the provider's tools that a response tells of: counted, labelled, their results judged.

Theory of operation. Such a call was made before the response came in. So it is decided and
recorded now: what the policies do not permit ends the run, and what they permit counts and sets
its labels before anything of the response is acted on or handed on. What came back is judged by
the rules of `result`, by the same rule as everywhere: where it cannot be seen, it cannot be told.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from policy_engine.adapters.openai_agents.judge import enforce
from policy_engine.adapters.openai_agents.parts import decided_plain, decided_result
from policy_engine.adapters.openai_agents.scope import about
from policy_engine.adapters.openai_agents.texts import (
    Path,
    field_of,
    fields_of,
    texts_of,
    with_texts,
)
from policy_engine.decision import Request
from policy_engine.guard import Guard, GuardSession

__all__ = ["judged_uses", "note_uses"]

_RESULTS: Final[Mapping[str, tuple[str, Path]]] = {
    "code_interpreter_call": ("code_interpreter", ("outputs",)),
    "file_search_call": ("file_search", ("results",)),
    "image_generation_call": ("image_generation", ()),
    "shell_call_output": ("shell", ("output",)),
    "tool_search_call": ("tool_search", ()),
    "tool_search_output": ("tool_search", ("tools",)),
    "web_search_call": ("web_search", ("action", "sources")),
}
"""The type of an item -> the tool that was used, and where its result stands."""
_LISTING: Final = "mcp_list_tools"
_TELLING: Final = frozenset({*_RESULTS, _LISTING, "mcp_call"})
_SILENT: Final = frozenset({"tool_search_call"})
"""Types of items whose result another one holds."""
_REPLYING: Final = frozenset({"tool_search_output"})
"""Types of items that hold nothing but the result of another one."""
_UNSEEN: Final = {"type": "input_file"}
"""Stands for what the provider keeps: no text that a rule could read."""
_IMAGE: Final = {"type": "output_image"}
_DEEPEST: Final = 64


@dataclass(frozen=True, slots=True)
class _Use:
    """One use of a tool."""

    tool: str
    args: dict[str, Any]
    is_new: bool
    """Whether nobody was asked for it beforehand."""
    call_id: str | None = None
    results: tuple[Path, ...] = ()
    """Where what came back stands."""
    is_seen: bool = True
    """Whether that is all that came back."""


async def judged_uses(
    guard: Guard, session: GuardSession, model: str, output: Iterable[Any]
) -> list[Any]:
    """Return a response's items with what tools brought back as it may be handed on.

    Raises:
        Denied: A use is not permitted, or what it brought back.
    """
    items = list(output)
    if not any(field_of(item, "type") in _TELLING for item in items):
        return items
    uses = [_use(item) for item in items]
    await _note(guard, session, uses)
    for number, use in enumerate(uses):
        if use is not None:
            items[number] = await _judged(guard, session, items[number], use)
        elif field_of(items[number], "type") == _LISTING:
            items[number] = await _described(guard, session, items[number])
        if field_of(items[number], "type") == "image_generation_call" and field_of(
            items[number], "result"
        ):
            shown = about(session, "model_response", model=model, text=[_IMAGE])
            await enforce(guard, session, shown)
    return items


async def note_uses(guard: Guard, session: GuardSession, output: Iterable[Any]) -> None:
    """Count and label the uses in a response of which nothing else is handed on.

    Raises:
        Denied: One is not permitted.
    """
    await _note(guard, session, [_use(item) for item in output])


async def _note(guard: Guard, session: GuardSession, uses: Iterable[_Use | None]) -> None:
    never = guard.engine.never_permits
    for use in uses:
        # One that says it was asked for may not have been asked for here.
        if use is not None and (use.is_new or never("tool_call", use.tool, session.agent)):
            request = about(session, "tool_call", tool=use.tool, args=use.args)
            guard.returned(await enforce(guard, session, request))


async def _judged(guard: Guard, session: GuardSession, item: Any, use: _Use) -> Any:
    """Return an item with the result in it as it may be handed on.

    Raises:
        Denied: It may not.
    """
    held = {path: _at(item, path) for path in use.results}
    found = [_json(value, _DEEPEST) for value in held.values() if value is not None]
    if not use.is_seen or not found:
        found.append(_UNSEEN)
    result = found[0] if len(found) == 1 else found
    request = about(
        session, "tool_call", tool=use.tool, args=use.args, call_id=use.call_id
    ).returning(result)
    if field_of(item, "type") in _SILENT or guard.engine.is_quiet(request):
        return item
    permitted = await decided_result(guard, session, request)
    after = permitted if len(found) > 1 else [permitted]
    changes: dict[Path, str] = {}
    shown = [path for path, value in held.items() if value is not None]
    for path, old, new in zip(shown, found, after, strict=False):
        before = dict(_strings(old))
        changes |= {
            (*path, *below): text for below, text in _strings(new) if before.get(below) != text
        }
    return with_texts(item, changes)


async def _described(guard: Guard, session: GuardSession, item: Any) -> Any:
    """Return what a server of the provider's says of its tools as it may be read.

    The provider's model has read it already: what may not be read ends the run.

    Raises:
        Denied: It may not.
    """

    def given(text: str) -> Request:
        return about(session, "input", text=text)

    changes: dict[Path, str] = {}
    for path, text in texts_of(field_of(item, "tools")):
        permitted = await decided_plain(guard, session, given, text)
        if permitted != text:
            changes["tools", *path] = permitted
    return with_texts(item, changes)


def _use(item: Any) -> _Use | None:
    """Return what an item tells of a use; None where it tells of none."""
    kind = str(field_of(item, "type"))
    if kind == "mcp_call":
        name = f"{field_of(item, 'server_label')}/{field_of(item, 'name')}"
        asked = field_of(item, "approval_request_id")
        args = _arguments(field_of(item, "arguments"))
        results: tuple[Path, ...] = (("output",), ("error",))
        return _Use(name, args, not asked, asked or None, results)
    known = _RESULTS.get(kind)
    if known is None:
        return None
    tool, path = known
    is_seen = kind != "web_search_call"
    return _Use(tool, {}, kind not in _REPLYING, None, (path,) if path else (), is_seen)


def _at(item: Any, path: Path) -> Any:
    for step in path:
        item = field_of(item, str(step))
    return item


def _json(value: Any, depth: int) -> Any:
    """Return a part of an item as JSON."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if not depth:
        return str(value)
    if isinstance(value, list | tuple):
        return [_json(item, depth - 1) for item in value]
    fields = fields_of(value)
    return {str(name): _json(item, depth - 1) for name, item in fields.items()}


def _strings(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Go through the strings of a JSON value."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _strings(item, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, (*path, index))


def _arguments(text: object) -> dict[str, Any]:
    try:
        found = json.loads(text) if isinstance(text, str) and text else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
