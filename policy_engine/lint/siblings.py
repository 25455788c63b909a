"""Tools of a kind: granted ones whose names begin with the same deed."""

from collections.abc import Iterable, Iterator
from typing import Final

from policy_engine.lint.subject import Subject
from policy_engine.lint.words import names_in, words_of

__all__ = ["siblings"]

_DEEDS: Final = names_in(
    """
    send post publish share upload email message forward pay transfer refund wire withdraw
    delete remove drop purge wipe
    """
)


def siblings(subject: Subject, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Go through granted tools that do what a named one does, each with that one."""
    named = tuple(names)
    deeds = {deed: name for name in named for deed in _deeds(name)}
    for name in subject.names:
        entries = subject.entries_of(name)
        if name in named or not entries or any(e.block.effect != "allow" for e in entries):
            continue
        for deed in _deeds(name):
            if deed in deeds:
                yield name, deeds[deed]
                break


def _deeds(name: str) -> list[str]:
    """Return what a tool does by the first word of its name, behind its server's."""
    return [word for word in words_of(name.rpartition("/")[2])[:1] if word in _DEEDS]
