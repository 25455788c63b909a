"""Requests that aim at what a mutant changes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Any, Final

from policy_engine.compiler import TEXT_OF
from policy_engine.compiler.names import matches_glob
from policy_engine.lint.proof.language import example
from policy_engine.lint.proof.regexes import sample, search
from policy_engine.testing.mutation.mutant import Aim
from policy_engine.testing.mutation.patterns import single_branches, spaced
from policy_engine.testing.search.pairs import with_each
from policy_engine.testing.search.places import put, texts_at
from policy_engine.testing.search.sample import OTHER, Sample, in_turn, with_argument, with_fact
from policy_engine.testing.search.values import edited, plain, values_of

__all__ = ["aimed"]

_NAMED: Final = {
    "tool_call": "tool",
    "tool_result": "tool",
    "handoff": "target",
    "model_request": "model",
    "model_response": "model",
}
_FILLED: Final = ("", "x", OTHER)
_WITH_TEXTS: Final = frozenset({"text", "edited", "mixed"})
_SAID: Final = 100
"""So many texts that tests hold are tried elsewhere."""
_FEW: Final = 4
_TOGETHER: Final = 6
"""From so many requests samples are taken in turn."""
_HUGE: Final = (1 << 60) + 1
_SHORT: Final = 3
"""A shorter text is not looked for in others."""


def aimed(aim: Aim, seeds: Sequence[Sample]) -> Iterator[Sample]:
    """Yield requests with what only one of two schemas takes, or only one of two globs matches.

    Args:
        aim: What was changed.
        seeds: Requests to begin with.
    """
    around = _WAYS[aim.place]
    if aim.place in _WITH_TEXTS:
        aim = replace(aim, texts=tuple(_said(seeds)))
    for first in range(0, len(seeds), _TOGETHER):
        yield from in_turn([around(aim, seed) for seed in seeds[first : first + _TOGETHER]])


def _said(seeds: Sequence[Sample]) -> list[str]:
    """Return the texts that requests hold."""
    found: dict[str, None] = {}
    for seed in seeds:
        request = seed.request
        values = [request.text, request.result, *(request.args or {}).values()]
        for value in values:
            found.update(dict.fromkeys(_texts(value)))
    return list(found)[:_SAID]


def _arguments(aim: Aim, seed: Sample) -> Iterator[Sample]:
    args = seed.request.args
    if not isinstance(args, dict):
        return
    rest = {key: item for key, item in args.items() if key != aim.name}
    yield replace(seed, request=replace(seed.request, args=rest))
    before = args.get(aim.name)
    for value in chain(_huge(before), _values(aim, before)):
        changed = with_argument(seed, aim.name, value)
        yield changed
        # What else speaks of the old value may stop the new one for that alone.
        facts = _renamed(seed.facts.answers, before, value)
        if facts != seed.facts.answers:
            yield replace(changed, facts=replace(seed.facts, answers=facts))


def _facts(aim: Aim, seed: Sample) -> Iterator[Sample]:
    before = seed.facts.answers.get(aim.name)
    for value in chain(_huge(before), _values(aim, before)):
        yield with_fact(seed, aim.name, value)


def _huge(value: Any) -> Iterator[Any]:
    """Put numbers that are no doubles in the place of numbers."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield from (_HUGE, -_HUGE)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from ({**value, key: other} for other in _huge(item))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from ([*value[:i], other, *value[i + 1 :]] for other in _huge(item))


def _context(aim: Aim, seed: Sample) -> Iterator[Sample]:
    context = seed.request.context or {}
    before = context.get(aim.name)
    for value in chain(_huge(before), _values(aim, before)):
        changed = {**context, aim.name: value}
        yield replace(seed, request=replace(seed.request, context=changed))


def _attrs(aim: Aim, seed: Sample) -> Iterator[Sample]:
    principal = seed.request.principal or {}
    attrs = principal.get("attrs") or {}
    before = attrs.get(aim.name)
    for value in chain(_huge(before), _values(aim, before)):
        changed = {**principal, "attrs": {**attrs, aim.name: value}}
        found = replace(seed, request=replace(seed.request, principal=changed))
        yield found
        args = _renamed(seed.request.args, before, value)
        if args != seed.request.args:
            yield replace(found, request=replace(found.request, args=args))


def _agent(aim: Aim, seed: Sample) -> Iterator[Sample]:
    for name in _names(aim):
        yield replace(seed, request=replace(seed.request, agent=name))


def _people(aim: Aim, seed: Sample) -> Iterator[Sample]:
    """Let somebody ask who has one role, or belongs to one tenant."""
    changed = {"roles": [aim.after]} if aim.name == "roles" else {"tenant": aim.after}
    principal = {**(seed.request.principal or {}), **changed}
    yield replace(seed, request=replace(seed.request, principal=principal))


def _tool(aim: Aim, seed: Sample) -> Iterator[Sample]:
    field = _NAMED.get(seed.request.stage)
    if field is None:
        return
    made, held = _names(aim), getattr(seed.request, field) or ""
    longer = (name for one in made for name in (f"{held}{one}", f"{one}{held}"))
    for name in (*made, *(one for one in longer if _is_between(aim, one))):
        yield replace(seed, request=replace(seed.request, **{field: name}))  # type: ignore[arg-type]


def _text(aim: Aim, seed: Sample) -> Iterator[Sample]:
    """Put texts that only one of two patterns finds where the check reads."""
    request = seed.request
    part = TEXT_OF.get(request.stage, "text")
    held = (one for one in aim.texts if _tells(aim.before, aim.after, one))
    for text in chain(held, _found(aim.before, aim.after)):
        for one in (text, f"x {text}"):
            if part != "args":
                yield replace(seed, request=replace(request, **{part: one}))  # type: ignore[arg-type]
                continue
            for name in _read(aim):
                yield with_argument(seed, name, one)
            for place in texts_at(("args",), request.args):
                yield put(seed, place, one) or seed


def _read(aim: Aim) -> list[str]:
    """Return the arguments that a condition reads."""
    return sorted({path[1] for path in aim.paths if path[0] == "args" and len(path) > 1})


def _mixed(aim: Aim, seed: Sample) -> Iterator[Sample]:
    """Put one thing more into lists, so that some of it is as before and some is not."""
    for name in _read(aim):
        held = (seed.request.args or {}).get(name)
        schema = (aim.before or {}).get(name)
        if isinstance(held, list):
            below = schema.get("items") if isinstance(schema, Mapping) else None
            texts = islice(_fitting(aim.texts, schema), _FEW)
            for item in chain(texts, [plain(below), OTHER]):
                yield with_argument(seed, name, [*held, item])
                yield with_argument(seed, name, [item, *held])


def _fitting(texts: Sequence[str], schema: Any) -> Iterator[str]:
    """Yield the texts that the pattern of an argument, or of its items, finds."""
    while isinstance(schema, Mapping) and isinstance(schema.get("items"), Mapping):
        schema = schema["items"]
    pattern = schema.get("pattern") if isinstance(schema, Mapping) else None
    for text in texts:
        if not isinstance(pattern, str) or search(pattern, text) is True:
            yield text


def _edited(aim: Aim, seed: Sample) -> Iterator[Sample]:
    """Change single signs of the texts in arguments."""
    for name in _read(aim):
        # An argument that this request does without may hold what others hold.
        if name not in (seed.request.args or {}):
            for one in islice(_fitting(aim.texts, (aim.before or {}).get(name)), _FEW):
                for text in (one, *edited(one)):
                    yield with_argument(seed, name, [text])
                    yield with_argument(seed, name, text)
    for name, value in (seed.request.args or {}).items():
        if isinstance(value, str):
            for text in edited(value):
                yield with_argument(seed, name, text)
        elif isinstance(value, list) and value and isinstance(value[-1], str):
            for text in edited(value[-1]):
                yield with_argument(seed, name, [*value[:-1], text])


_WAYS: Final[Mapping[str, Callable[[Aim, Sample], Iterator[Sample]]]] = {
    "args": _arguments,
    "facts": _facts,
    "context": _context,
    "attrs": _attrs,
    "agent": _agent,
    "people": _people,
    "tool": _tool,
    "text": _text,
    "edited": _edited,
    "mixed": _mixed,
    "named": lambda aim, seed: with_each(seed, aim.paths, aim.after),
    "only": lambda _, seed: iter([seed]),
}


def _values(aim: Aim, value: Any) -> Iterator[Any]:
    return chain(
        values_of(aim.after, value, near=True),
        values_of(aim.before, value, near=True),
    )


def _names(aim: Aim) -> list[str]:
    """Return names that the wider glob matches and the narrower does not."""
    made = (aim.after.replace("*", text).replace("?", "x") for text in _FILLED)
    return [name for name in made if _is_between(aim, name)]


def _is_between(aim: Aim, name: str) -> bool:
    return matches_glob(aim.after, name) and not matches_glob(aim.before, name)


def _found(before: str, after: str) -> Iterator[str]:
    """Yield texts that the first pattern finds and the second does not."""
    solved = example(frozenset({("matches", before)}), frozenset({("matches", after)}))
    if isinstance(solved, str):
        yield from (solved, f" {solved} ")
    for pattern in (before, *single_branches(before)):
        # What may be any sign is a space, for a letter would join the words about it.
        for text in (*sample(pattern), *sample(spaced(pattern))):
            for one in (text, f"x {text}", f"x{text}x", text.upper(), text.lower()):
                if _tells(before, after, one):
                    yield one


def _tells(before: str, after: str, text: str) -> bool:
    return search(before, text) is True and search(after, text) is False


def _renamed(value: Any, before: Any, after: Any) -> Any:
    """Put what became of a value wherever else it stands."""
    old, new = _texts(before), _texts(after)
    pairs = [(a, b) for a, b in zip(old, new, strict=False) if a != b and len(a) >= _SHORT]
    added = [text for text in new if text not in old]
    return _replaced(value, pairs, old, added) if pairs or added else value


def _replaced(value: Any, pairs: list[tuple[str, str]], old: list[str], added: list[str]) -> Any:
    if isinstance(value, str):
        for text, other in pairs:
            value = value.replace(text, other)
        return value
    if isinstance(value, Mapping):
        return {key: _replaced(item, pairs, old, added) for key, item in value.items()}
    if isinstance(value, list):
        made = [_replaced(item, pairs, old, added) for item in value]
        return [*made, *added] if any(text in value for text in old) else made
    return value


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
