"""A limit that the model can start anew.

What it does:
    Reports a limit whose counters are told apart by arguments alone: `by: [args.account]`. It is
    left alone where the values are listed in the schema, where a rule compares the argument with
    who asks, where another limit on the same tools counts by something else, and where its id
    says that it is meant for each value: `per-account`, `once-an-order`.

Why:
    The model chooses the arguments. Each new value has a counter of its own, which begins at 0.

Fails:
    tools:
      pay: {args: {to: {type: string, maxLength: 40}}}
    limits:
      - {id: payments, tools: [pay], max: 5, per: 1h, by: [args.to]}

Passes:
    tools:
      pay: {args: {to: {type: string, maxLength: 40}}}
    limits:
      - {id: payments, tools: [pay], max: 5, per: 1h, by: [principal]}
      - {id: one-each, tools: [pay], max: 1, per: 1h, by: [args.to]}

    ---
    tools:
      mute: {args: {player: {type: string, pattern: '^[0-9]{1,19}$'}}}
    limits:
      - {id: per-player, tools: [mute], max: 3, per: day, by: [args.player]}

Fix:
    Count by what the model cannot choose: session, principal, agent or tenant; or name the limit
    for what it counts.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from policy_engine.compiler.names import matches_glob
from policy_engine.lint.proof.schema import values_of
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.words import names_in, words_of
from policy_engine.policy import Limit

__all__ = ["RULE"]

_EACH: Final = names_in("each every once same")
_OTHER: Final = names_in(
    "second minute hour day week month year session principal user caller agent tenant run"
)
"""What `per` names that no argument is."""


def _find(subject: Subject) -> Iterator[Found]:
    for loaded in subject.policies:
        for index, limit in enumerate(loaded.policy.limits):
            if not all(map(_is_argument, limit.by)) or _is_meant(limit):
                continue
            if all(_is_bound(subject, name, limit) for name in _tools(subject, limit)):
                continue
            message = f'the model chooses what "{limit.id}" counts by: {", ".join(limit.by)}'
            hint = "add session, principal, agent or tenant here, or a limit that counts by it"
            yield Found(loaded, ("limits", index, "by"), message, hint, on_key=True)


def _is_argument(key: str) -> bool:
    return key.startswith("args.")


def _is_meant(limit: Limit) -> bool:
    """Whether its id says that each value has a counter of its own."""
    named = {word for key in limit.by for word in words_of(key.removeprefix("args."))}
    words = words_of(limit.id)
    follows = {after for word, after in pairwise(words) if word == "per"}
    return bool(set(words) & (_EACH | named)) or bool(follows - _OTHER)


def _tools(subject: Subject, limit: Limit) -> list[str]:
    """Return the tools that it counts, or the globs where no tool is known."""
    globs = limit.tools or ("*",)
    return [n for n in subject.names if any(matches_glob(g, n) for g in globs)] or [*globs]


def _is_bound(subject: Subject, name: str, limit: Limit) -> bool:
    """Whether the model cannot begin anew: its values are few, or its own, or counted elsewhere."""
    keys = [key.removeprefix("args.") for key in limit.by]
    return all(_is_listed(subject, name, k) or _is_own(subject, name, k) for k in keys) or any(
        other.mode != "observe"
        and not all(map(_is_argument, other.by))
        and any(matches_glob(glob, name) for glob in other.tools or ())
        for loaded in subject.policies
        for other in loaded.policy.limits
    )


def _is_listed(subject: Subject, name: str, argument: str) -> bool:
    declared = [(entry.block.args or {}).get(argument) for entry in subject.entries_of(name)]
    return any(one is not None and values_of(one).chosen is not None for one in declared)


def _is_own(subject: Subject, name: str, argument: str) -> bool:
    """Whether a rule compares it with who asks."""
    for found in subject.rules_of(name):
        condition = found.compiled.condition
        reads = condition.reads if condition is not None else ()
        if ("args", argument) in {read[:2] for read in reads} and any(
            read[0] == "principal" for read in reads
        ):
            return True
    return False


RULE: Final = LintRule("PE212", "caller-controlled-key", "warning", __doc__ or "", _find)
