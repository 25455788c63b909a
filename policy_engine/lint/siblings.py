"""Tools of a kind: granted ones whose names begin with the same deed."""

from collections.abc import Iterable, Iterator
from typing import Final

from policy_engine.lint.proof.scene import call_scene
from policy_engine.lint.rule import Found
from policy_engine.lint.subject import PlacedCondition, Subject
from policy_engine.lint.words import names_in, words_of

__all__ = ["missed", "siblings"]

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


def missed(subject: Subject, found: PlacedCondition, name: str, like: str, add: str) -> Found:
    """Say that a rule is about one of two tools of a kind, shown by a call of the other."""
    scene = call_scene(subject, found.policy, name)
    return Found(
        found.policy,
        (*found.placed.path, "tools"),
        f'"{found.placed.rule.id}" is about "{like}", and not about "{name}"',
        f'add "{name}", or {add}',
        on_key=True,
        witness=scene.show(shows="the rule has nothing to say", silent=(found.compiled.name,)),
    )


def _deeds(name: str) -> list[str]:
    """Return what a tool does by the first word of its name, behind its server's."""
    return [word for word in words_of(name.rpartition("/")[2])[:1] if word in _DEEDS]
