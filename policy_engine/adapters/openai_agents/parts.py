"""One text in several parts: judged part by part, and as what is read when they stand together.

Theory of operation. Adjacent text parts of a message are read as one text, so a rule must find
there what it would find in one part; and each part is a text of its own, so it must find what
stands at the end of one. Each part is foreseen alone, the whole is asked for, and what either
would have replaced is replaced in the parts where it stands. What is replaced is decided once
more where it is more than the whole alone asked for.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeAlias

from policy_engine.adapters.openai_agents.judge import enforce, foresee
from policy_engine.adapters.openai_agents.reread import Ask, found_in_readings
from policy_engine.adapters.openai_agents.scope import about
from policy_engine.decision import Decision, Request, Stage
from policy_engine.guard import Denied, Guard, GuardSession
from policy_engine.text.redact import Redaction, RedactionLike, redact, redact_parts

__all__ = [
    "Joined",
    "as_read",
    "decided",
    "decided_by",
    "decided_plain",
    "decided_result",
    "decided_texts",
    "is_text",
]

Made: TypeAlias = Callable[[Any], Request]
"""Makes the request about a text."""

_KINDS: Final = frozenset({"input_text", "output_text", "text"})
"""What the `type` of a content part says where its substance is the field `text`."""
_TEXT: Final = "/text"


async def decided(
    guard: Guard, session: GuardSession, stage: Stage, content: Any, ask: Ask
) -> tuple[Decision, Any]:
    """Decide about a content; return the decision, and the content as it is permitted.

    Raises:
        Denied: It is not permitted, and was not only foreseen.
    """

    def made(text: Any) -> Request:
        return about(session, stage, text=text)

    return await decided_by(guard, session, made, content, ask)


async def decided_by(
    guard: Guard, session: GuardSession, made: Made, content: Any, ask: Ask
) -> tuple[Decision, Any]:
    """Decide likewise about requests that are made of a content.

    Raises:
        Denied: It is not permitted, and was not only foreseen.
    """
    whole = Joined(content if isinstance(content, list) else [])
    if not whole.is_split:
        return await _decided_whole(guard, session, made, content, ask)
    refused = await _alone(guard, session, made, whole, ask)
    own = whole.redacted()
    found: list[Redaction] = []
    if refused is None:
        refused, found = await found_in_readings(guard, session, made, whole.value, ask)
    if refused is not None:
        return refused, content
    decision = await ask(guard, session, made(whole.value))
    if not decision.permitted:
        return decision, content
    whole.note([*decision.redactions, *found])
    permitted = whole.redacted()
    if permitted == content:
        return decision, content
    if own != content or found:
        decision = _plain(await foresee(guard, session, made(Joined(permitted).value)), decision)
    return decision, permitted


async def _alone(
    guard: Guard, session: GuardSession, made: Made, whole: Joined, ask: Ask
) -> Decision | None:
    """Note what is replaced in each part for itself; return what does not permit one."""
    for number, part in whole.alone():
        decision = await foresee(guard, session, made([part]))
        if not decision.permitted:
            decision = await ask(guard, session, made([part]))
        if not decision.permitted:
            return decision
        refused, found = await found_in_readings(guard, session, made, [part], ask)
        if refused is not None:
            return refused
        whole.note([*decision.redactions, *found], number)
    return None


async def decided_plain(guard: Guard, session: GuardSession, made: Made, text: str) -> str:
    """Judge a text that is one of many, and return it as it may be handed on.

    What no rule speaks of is not recorded, there is much of it.

    Raises:
        Denied: It may not be handed on.
    """
    decision = await foresee(guard, session, made(text))
    refused, found = await found_in_readings(guard, session, made, text, foresee)
    if not decision.reasons and refused is None and not found:
        return text
    _, permitted = await _decided_whole(guard, session, made, text, enforce)
    return str(permitted)


async def _decided_whole(
    guard: Guard, session: GuardSession, made: Made, content: Any, ask: Ask
) -> tuple[Decision, Any]:
    refused, found = await found_in_readings(guard, session, made, content, ask)
    if refused is not None:
        return refused, content
    decision = await ask(guard, session, made(content))
    if not decision.permitted or not found:
        permitted = decision.request.text
        return decision, content if permitted == content else permitted
    permitted = redact(content, [*found, *decision.redactions])
    return _plain(await foresee(guard, session, made(permitted)), decision), permitted


async def decided_texts(
    guard: Guard, session: GuardSession, model: str, texts: Sequence[str]
) -> list[str]:
    """Judge the texts of one thing that a model said; return them as they may be handed on.

    Raises:
        Denied: They may not.
    """

    def said(text: str) -> Request:
        return about(session, "model_response", model=model, text=text)

    if len(texts) == 1:
        _, permitted = await _decided_whole(guard, session, said, texts[0], enforce)
        return [permitted]
    found: list[Redaction] = []
    at = 0
    for text in texts:
        decision = await foresee(guard, session, said(text))
        if not decision.permitted:
            await enforce(guard, session, said(text))
        _, read = await found_in_readings(guard, session, said, text, enforce)
        found += _shifted([*decision.redactions, *read], at)
        at += len(text)
    together = "".join(texts)
    _, read = await found_in_readings(guard, session, said, together, enforce)
    found += read
    own = bool(found)
    decision = await enforce(guard, session, said(together))
    changed = redact_parts(texts, [*found, *_shifted(decision.redactions, 0)])
    if own:
        _plain(await foresee(guard, session, said("".join(changed))), decision)
    return changed


async def as_read(guard: Guard, session: GuardSession, request: Request, result: Any) -> Any:
    """Return what a tool returned; where its text parts say more together, they are one.

    The guard judges what is returned here, part by part. What is replaced because of how a text
    reads once it is decoded is replaced here, and what is denied because of it is handed on
    decoded, so that the guard denies it.

    Args:
        guard: Whom to ask.
        session: Whose call it was.
        request: The call.
        result: What it returned, as JSON.
    """
    if guard.engine.is_result_quiet(request):
        return result
    whole = Joined(result if isinstance(result, list) else [])
    joined = whole.value if whole.is_split else result
    refused, found = await found_in_readings(guard, session, request.returning, joined, foresee)
    if refused is not None:
        return refused.asked.result
    if found:
        await found_in_readings(guard, session, request.returning, joined, enforce)
    if not whole.is_split:
        return redact(result, found) if found else result
    if not found and (await _foreseen(guard, session, request, joined)).effect == "allow":
        return result
    for number, part in whole.alone():
        decision = await _foreseen(guard, session, request, [part])
        if not decision.permitted:
            return [part]
        whole.note(decision.redactions, number)
    whole.note(found)
    return Joined(whole.redacted()).value


async def _foreseen(guard: Guard, session: GuardSession, request: Request, result: Any) -> Decision:
    return await foresee(guard, session, request.returning(result))


async def decided_result(guard: Guard, session: GuardSession, request: Request) -> Any:
    """Judge what came back of a call that nobody here made; return it as it may be handed on.

    Args:
        guard: Whom to ask.
        session: Whose call it was.
        request: What came back, as a request about it.

    Raises:
        Denied: It may not be handed on.
    """
    result = request.result
    _, found = await found_in_readings(guard, session, request.returning, result, enforce)
    decision = await enforce(guard, session, request)
    permitted = redact(result, [*found, *decision.redactions])
    if found:
        _plain(await foresee(guard, session, request.returning(permitted)), decision)
    return permitted


def is_text(part: object) -> bool:
    """Whether a content part is text."""
    return (
        isinstance(part, dict) and part.get("type") in _KINDS and isinstance(part.get("text"), str)
    )


class Joined:
    """A content whose text parts that stand side by side are one."""

    def __init__(self, content: Sequence[Any]) -> None:
        self.content = list(content)
        self.value: list[Any] = []
        """The content, joined; what else a joined part says follows it."""
        self._origin: list[int] = []
        """Where the parts of the joined content come from."""
        self._runs: dict[int, list[str]] = {}
        """Where text parts begin that stand side by side -> their texts."""
        self._pieces: dict[int, list[Redaction]] = {}
        self._others: list[Redaction] = []
        numbered = itertools.groupby(enumerate(self.content), lambda item: is_text(item[1]))
        for texts, group in numbered:
            self._add(list(group), texts=texts)

    @property
    def is_split(self) -> bool:
        """Whether text parts stand side by side."""
        return any(len(texts) > 1 for texts in self._runs.values())

    def alone(self) -> Iterable[tuple[int, Any]]:
        """Go through the parts that are joined to others, each with its place."""
        for start, texts in self._runs.items():
            if len(texts) > 1:
                yield from enumerate(self.content[start : start + len(texts)], start)

    def note(self, redactions: Iterable[RedactionLike], number: int | None = None) -> None:
        """Note what is replaced: in the joined content, or in one part alone."""
        for found in redactions:
            step, rest = _split(found.pointer)
            origin = self._origin[step] if number is None else number
            start = max(begin for begin in (-1, *self._runs) if begin <= origin)
            if rest == _TEXT and start <= origin < start + len(self._runs.get(start, ())):
                before = sum(map(len, self._runs[start][: origin - start]))
                at = before if number is not None else 0
                self._pieces.setdefault(start, []).append(_moved(found, "", at))
            else:
                self._others.append(_moved(found, f"/{origin}{rest}", 0))

    def redacted(self) -> list[Any]:
        """Return the content with what was noted replaced; a part with nothing left is left out."""
        changed: Any = redact(list(self.content), self._others)
        empty = set()
        for start, pieces in self._pieces.items():
            texts = self._runs[start]
            for number, text in enumerate(redact_parts(texts, pieces), start):
                if text != texts[number - start]:
                    changed[number] = {**changed[number], "text": text}
                    empty |= {number} if not text else set()
        return [part for number, part in enumerate(changed) if number not in empty]

    def _add(self, group: list[tuple[int, Any]], *, texts: bool) -> None:
        if not texts:
            self.value.extend(part for _, part in group)
            self._origin.extend(number for number, _ in group)
            return
        start, first = group[0]
        self._runs[start] = [part["text"] for _, part in group]
        self.value.append({**first, "text": "".join(self._runs[start])})
        self._origin.append(start)
        for number, part in group[1:]:
            other = {name: value for name, value in part.items() if name not in ("type", "text")}
            if other:
                self.value.append(other)
                self._origin.append(number)


def _plain(again: Decision, decision: Decision) -> Decision:
    """Return the decision, where nothing is left to be replaced.

    Raises:
        Denied: What both asked for does not go together.
    """
    if again.effect != "allow":
        raise Denied(again)
    return decision


def _split(pointer: str) -> tuple[int, str]:
    step, *rest = pointer.removeprefix("/").split("/")
    return int(step), "".join(f"/{one}" for one in rest)


def _shifted(redactions: Iterable[RedactionLike], by: int) -> list[Redaction]:
    return [_moved(found, "", by) for found in redactions]


def _moved(found: RedactionLike, pointer: str, by: int) -> Redaction:
    return Redaction(pointer, found.start + by, found.end + by, found.replacement)
