"""A count of calls that permits one more than its message says.

What it does:
    Reports a rule about a tool that stops it where `session.calls` of this tool is *above* a
    number, whose message says "at most" that number, "up to" it or "more than" it.

Why:
    `session.calls` has the calls that returned, and not the one that is decided. After three of
    them it is 3, and `> 3` is false: the fourth runs.

Fails:
    tools:
      guess:
        args: {code: {type: string, pattern: '^[0-9]{4}$'}}
        rules:
          - id: three
            when: has(session.calls.guess) && session.calls.guess > 3
            effect: deny
            message: At most 3 guesses.

Passes:
    tools:
      guess:
        args: {code: {type: string, pattern: '^[0-9]{4}$'}}
        rules:
          - id: three
            when: has(session.calls.guess) && session.calls.guess >= 3
            effect: deny
            message: At most 3 guesses.

Fix:
    Write `>=`, or a limit: `max: 3, by: [session]`.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.lint.messages import spoken
from policy_engine.lint.pieces import stopping_clauses
from policy_engine.lint.proof.formula import Clause
from policy_engine.lint.proof.scene import scenes
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]

_CALLS: Final = ("session", "calls")
_MOST: Final = re.compile(
    r"\b(?:at most|up to|no more than|not more than|more than|maximum(?: of)?|only)\s+"
    r"(?P<number>[0-9]{1,9}|once|one|twice|two|three|four|five|six|seven|eight|nine|ten)\b",
    re.IGNORECASE,
)
_WORDS: Final = {
    "once": 1,
    "one": 1,
    "twice": 2,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
}


def _find(subject: Subject) -> Iterator[Found]:
    for found, clause in stopping_clauses(subject):
        number = _above(clause)
        tool = clause.atom.term[-1] if number is not None else ""
        if number is None or tool not in subject.covered(found):
            continue
        if number not in _named(spoken(found.placed.rule)):
            continue
        scene = next(one for one in scenes(subject, found) if one.name == tool)
        yield Found(
            found.policy,
            found.path,
            f'this lets call {number + 1} of "{tool}" through: the one at hand is not counted',
            "write `>=`",
            part=(clause.node.start, clause.node.end),
            witness=scene.show(
                shows=f"not stopped: {number} calls returned",
                silent=(found.compiled.name,),
                fixed={clause.atom.term: number},
            ),
        )


def _above(clause: Clause) -> int | None:
    """Return the number of calls above which a rule speaks."""
    atom = clause.atom
    is_count = atom.term[:2] == _CALLS and len(atom.term) > len(_CALLS)
    if not is_count or atom.kind != "<=" or clause.holds or int(atom.operand) != atom.operand:
        return None
    return int(atom.operand)


def _named(text: str) -> set[int]:
    said = [match["number"].lower() for match in _MOST.finditer(text)]
    return {_WORDS[word] if word in _WORDS else int(word) for word in said}


RULE: Final = LintRule("PE172", "one-call-more", "warning", __doc__ or "", _find)
