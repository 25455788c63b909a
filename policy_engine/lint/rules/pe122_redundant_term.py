"""A term or pattern that another one of the list finds already.

What it does:
    Reports a term of a `terms` check in which another term of the list stands as a whole word,
    and a pattern that matches only where another pattern of the list matches too:
    `ABC-[0-9]{4}` beside `[A-Z]{3}-[0-9]+`. Where the check redacts, only what is found as a
    whole counts, because the longer one replaces more.

Why:
    It does nothing. Who removes the wider one believes that the narrower one still stands alone.

Fails:
    output:
      - {id: words, check: {terms: {any: [secret, secret plan]}}, effect: deny}
    ---
    output:
      - id: tickets
        check: {pattern: {any: ['[A-Z]{3}-[0-9]+', 'ABC-[0-9]{4}']}}
        effect: redact

Passes:
    output:
      - {id: words, check: {terms: {any: [secret, hidden plan]}}, effect: deny}
      - {id: replaced, check: {terms: {any: [internal, internal only]}}, effect: redact}

Fix:
    Remove the narrower one, or the wider one if it finds too much.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeAlias

from policy_engine.lint.containment import term_finder
from policy_engine.lint.proof.language import covers
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import PlacedCondition, Subject

__all__ = ["RULE"]

_Holds: TypeAlias = Callable[[int, int], bool]

_MOST: Final = 60
"""Of longer lists of patterns each is not held against each."""


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        check: Any = found.placed.rule.check
        redacts = found.compiled.effect == "redact"
        terms = getattr(check, "terms", None)
        if terms is not None and not redacts:
            yield from _terms(found, terms)
        pattern = getattr(check, "pattern", None)
        if pattern is not None and len(pattern.any) <= _MOST:
            yield from _patterns(found, pattern.any, _whole if redacts else _anywhere)


def _terms(found: PlacedCondition, terms: Any) -> Iterator[Found]:
    find = term_finder(terms)
    wider = [find(term) for term in terms.any]
    return _held(found, "terms", wider.__getitem__, lambda wide, index: wide in wider[index])


def _patterns(
    found: PlacedCondition, listed: list[str], holds: Callable[[str, str], bool]
) -> Iterator[Found]:
    everywhere = range(len(listed))
    return _held(
        found,
        "pattern",
        lambda _: everywhere,
        lambda wide, index: holds(listed[wide], listed[index]),
    )


def _anywhere(wide: str, narrow: str) -> bool:
    return covers(("matches", wide), ("matches", narrow))


def _whole(wide: str, narrow: str) -> bool:
    """Whether what one pattern finds, as a whole, is what another finds."""
    if any(sign in text for text in (wide, narrow) for sign in ("^", "$", r"\b", r"\B")):
        return False
    flags = "(?i)" if narrow.startswith("(?i)") else ""
    if flags and not wide.startswith("(?i)"):
        return False
    one, other = (text.removeprefix("(?i)") for text in (wide, narrow))
    wider = "(?i)" if wide.startswith("(?i)") else ""
    return covers(("matches", f"{wider}^(?:{one})$"), ("matches", f"{flags}^(?:{other})$"))


def _held(
    found: PlacedCondition, kind: str, nearby: Callable[[int], Iterable[int]], holds: _Holds
) -> Iterator[Found]:
    """Report what finds nothing by itself; only what is `nearby` is asked whether it holds it."""
    listed = getattr(found.placed.rule.check, kind).any
    idle: set[int] = set()
    for index, text in enumerate(listed):
        for position in nearby(index):
            if position == index or position in idle or not holds(position, index):
                continue
            if position > index and holds(index, position):
                continue  # they find the same; the later one is reported
            idle.add(index)
            path = (*found.placed.path, "check", kind, "any", index)
            message = f'"{text[:60]}" is found by "{listed[position][:60]}" already'
            yield Found(found.policy, path, message, "remove one of the two")
            break


RULE: Final = LintRule("PE122", "redundant-term", "info", __doc__ or "", _find, proves=True)
