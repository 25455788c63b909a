"""A message with another bound than the rule's.

What it does:
    Reports a message or description of an argument, a rule or a limit that names a bound, such as
    "at most 50", "above 1,000", "up to 3", "more than two weeks" or "between 1 and 50", where
    nothing that it stands beside has that number, nor a multiple of it by a unit; one that names
    hours, such as "between 9 and 17", where its rule stops calls at others.

Why:
    One of the two is old. The model is told what does not hold, and who reviews the policy reads
    the sentence and not the number.

Fails:
    tools:
      refund:
        args:
          amount:
            {type: number, exclusiveMinimum: 0, maximum: 500, message: A refund is at most 50.}
    ---
    tools:
      refund:
        args: {amount: {type: number, exclusiveMinimum: 0, maximum: 5000}}
        rules:
          - id: large
            when: args.amount > 1000
            effect: require_approval
            approval: {approvers: [finance], expires: 1h}
            message: Refunds above 100 need an approval.
    ---
    tools:
      deploy:
        args: {service: {enum: [api, web]}}
        rules:
          - id: closed
            when: now.getHours("Europe/Berlin") < 8 || now.getHours("Europe/Berlin") >= 18
            effect: deny
            message: Deploy between 9 and 17.

Passes:
    tools:
      refund:
        args:
          amount:
            {type: number, exclusiveMinimum: 0, maximum: 500, message: A refund is at most 500.}

Fix:
    Write the number that holds into both.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from policy_engine.cel.nodes import Literal
from policy_engine.compiler.names import matches_glob
from policy_engine.lint.clock import asked_of, hours_said, zone_of
from policy_engine.lint.finding import Witness
from policy_engine.lint.messages import CURRENCIES, Number, numbers, sentences
from policy_engine.lint.pieces import RESTRICTING
from policy_engine.lint.places import nodes, schemas
from policy_engine.lint.proof.formula import Clause, clauses, formula
from policy_engine.lint.proof.scene import scenes
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import PlacedCondition, Subject
from policy_engine.lint.words import names_in, words_of
from policy_engine.policy import Limit, LoadedPolicy
from policy_engine.source import Path

__all__ = ["RULE"]

_BOUND: Final = re.compile(
    r"\b(?:at most|at least|up to|no more than|no less than|not more than|more than|less than|"
    r"fewer than|above|over|below|under|exceeds?|maximum(?: of| is)?|minimum(?: of| is)?|"
    r"limit(?:ed)?(?: of| is| to))\s{0,3}$",
    re.IGNORECASE,
)
_HOURS: Final = ("now", "getHours")
_LATER: Final = re.compile(
    r"\b(?:after|before|later|earlier|then|else|otherwise|until|since|instead|except|unless|if)\b",
    re.IGNORECASE,
)
"""Words of a text that goes on about other hours."""
_BETWEEN: Final = re.compile(r"\bbetween\s{1,3}$", re.IGNORECASE)
_BEFORE: Final = 30
_UNITS: Final = (
    1, 7, 12, 24, 30, 60, 90, 100, 365, 1000, 1024, 3600, 86400, 604800, 10**6, 2**20, 10**9, 2**30
)  # fmt: skip
_KEYWORDS: Final = (
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength",
    "maxBytes", "minItems", "maxItems", "minProperties", "maxProperties", "multipleOf", "const",
)  # fmt: skip
_BEHIND: Final = names_in(
    """
    a an and are approval ask asks at be by can cannot for from go goes has have in is may must need
    needs no not on or please require requires should than the to wait waits will with
    """
)
"""What stands behind a number that has no unit."""
_COINS: Final = names_in("sat sats btc eth wei gwei points credits miles jpy inr krw huf cents")
"""Words of arguments of which one is not about a euro."""
_OTHER: Final = _COINS | {one.rstrip("s") for one in _COINS} | {"character"}
_CALENDAR: Final = names_in("year born birth built vintage founded since")
_FIRST_YEAR, _LAST_YEAR = 1800, 2200
_WINDOWS: Final = {
    "second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800, "month": 2592000,
    "year": 31536000, "daily": 86400, "today": 86400, "hourly": 3600, "night": 0, "session": 0,
}  # fmt: skip
_WINDOW: Final = re.compile(rf"\b({'|'.join(_WINDOWS)})s?\b", re.IGNORECASE)
_TIME: Final = re.compile(r"^[ -]?(?P<unit>second|minute|hour|day|week)s?\b", re.IGNORECASE)
_TIMES: Final[Mapping[str, Mapping[str, tuple[int, ...]]]] = {
    "seconds": {"second": (1,), "minute": (60,)},
    "minutes": {"minute": (1,), "hour": (60,)},
    "hours": {"hour": (1,), "day": (24, 8)},
    "days": {"day": (1,), "week": (7, 5, 6)},
    "weeks": {"week": (1,)},
}
"""Of how many of its unit an argument has one that is said; a week is one of work, too."""
_PARTED: Final = re.compile(
    r"\b(?:each|of which|quarter|half|on average|others?|usual\w*|about|instead|net|gross|plus|"
    r"vat|tax|excl\w{0,10}|incl\w{0,10}|before|from)\b",
    re.IGNORECASE,
)
"""What makes a sentence one about more than one bound."""


@dataclass(frozen=True, slots=True)
class _Said:
    """A text, and what the numbers in it may be about."""

    policy: LoadedPolicy
    path: Path
    text: str
    names: frozenset[str]
    """Words of what is bounded, in the singular."""
    window: float | None = None
    """The seconds that a limit is about."""
    is_timed: bool = False
    """Whether two numbers may be hours."""


def _find(subject: Subject) -> Iterator[Found]:
    yield from _in_schemas(subject)
    yield from _in_rules(subject)
    yield from _in_limits(subject)
    yield from _in_hours(subject)
    for found in subject.conditions:
        yield from _other_duration(subject, found)


def _in_schemas(subject: Subject) -> Iterator[Found]:
    for place in schemas(subject):
        text = place.schema.get("message")
        if isinstance(text, str):
            tool = place.entry.name if place.entry is not None else ""
            signs = "character letter char sign" if place.schema.get("type") == "string" else ""
            names = _singular(place.name, place.argument, tool, signs)
            said = _Said(place.policy, (*place.path, "message"), text, names)
            yield from _wrong(said, partial(_of_schema, place.schema))


def _in_rules(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        for key in ("message", "description"):
            text = getattr(found.placed.rule, key)
            if isinstance(text, str) and not _asks_elsewhere(found):
                named = [found.placed.rule.id, *map(str, subject.covered(found)), *_read(found)]
                path = (*found.placed.path, key)
                timed = _reads_hours(found)
                said = _Said(found.policy, path, text, _singular(*named), is_timed=timed)
                yield from _wrong(said, partial(_of_rule, subject, found))


def _in_limits(subject: Subject) -> Iterator[Found]:
    for loaded in subject.policies:
        for index, limit in enumerate(loaded.policy.limits):
            window = _WINDOWS["day"] if limit.per == "day" else limit.per or 0
            names = _singular(limit.id, limit.of, *(limit.tools or ()))
            for key in ("message", "description"):
                text = getattr(limit, key)
                if isinstance(text, str):
                    path = ("limits", index, key)
                    said = _Said(loaded, path, text, names, float(window))
                    yield from _wrong(said, partial(_of_limit, limit))


def _other_duration(subject: Subject, found: PlacedCondition) -> Iterator[Found]:
    """Find a time that a message names, where its rule compares days, hours... with another."""
    condition, message = found.compiled.condition, found.placed.rule.message
    if condition is None or message is None or found.compiled.effect not in RESTRICTING:
        return
    whole = formula(condition.tree)
    if not isinstance(whole, Clause) or whole.atom.kind not in {"<", "<="}:
        return
    term = whole.atom.term
    units = _TIMES.keys() & set(words_of(term[-1])) if term[:1] == ("args",) else set()
    named = [(one, number) for one in sentences(message) for number in numbers(one)]
    if len(units) != 1 or len(named) != 1:
        return
    ((sentence, number),) = named
    (unit,) = units
    said = _TIME.match(sentence[number.end :])
    opening = _BOUND.search(sentence[: number.start][-_BEFORE:])
    is_plain = len(_WINDOW.findall(sentence)) == 1 and not _PARTED.search(sentence)
    if said is None or opening is None or not is_plain or _LATER.search(sentence):
        return
    ways = _TIMES[unit].get(said["unit"].lower(), ())
    meant = [value * way for value in number.values for way in ways]
    bounds = set(_of_rule(subject, found))
    if meant and not any(abs(one - bound) <= 1 for one in meant for bound in bounds):
        words = f"{opening[0]}{sentence[number.start : number.end]}{said[0]}"
        text = f'"{words}" stands here, and the bound is {whole.atom.operand:,.10g} {unit}'
        hint = "write the time that holds into both"
        yield Found(found.policy, (*found.placed.path, "message"), text, hint)


def _in_hours(subject: Subject) -> Iterator[Found]:
    asking = [found for found in subject.conditions if _reads_hours(found)]
    for found in asking:
        is_alone = not any(one is not found and subject.meet(one, found) for one in asking)
        for key in ("message", "description"):
            text = getattr(found.placed.rule, key)
            if isinstance(text, str):
                yield from _other_hours(subject, found, key, text, is_alone=is_alone)


def _reads_hours(found: PlacedCondition) -> bool:
    condition = found.compiled.condition
    return (
        condition is not None
        and found.compiled.effect in RESTRICTING
        and any(one.atom.term[:2] == _HOURS for one in clauses(formula(condition.tree)))
    )


def _other_hours(
    subject: Subject, found: PlacedCondition, key: str, text: str, *, is_alone: bool
) -> Iterator[Found]:
    """Find hours that a text names, where its rule begins or ends to speak at others."""
    condition = found.compiled.condition
    if condition is None:
        return
    whole = formula(condition.tree)
    hours, zone = asked_of(whole, _HOURS[1]), zone_of(whole, _HOURS[1])
    said = hours_said(text, zone) if hours else None
    if hours is None or said is None:
        return
    asked = [clause.atom for clause in clauses(whole) if clause.atom.term[:2] == _HOURS]
    closed = {atom.operand for atom in asked if atom.kind == "<="}
    other, missing = said.unlike(hours, closed), said.missing(hours, closed)
    if other is not None:
        message = f'its hours are "{said.written}", and this rule turns at {other}:00'
    elif is_alone and missing is not None and not _LATER.search(text):
        message = f'its hours are "{said.written}", and nothing asks about {missing}:00'
    else:
        return
    yield Found(
        found.policy,
        (*found.placed.path, key),
        message,
        "write the hours that hold into both",
        witness=_at(subject, found, asked[0].term, said.wrong_hour(hours)),
    )


def _at(
    subject: Subject, found: PlacedCondition, term: tuple[str, ...], hour: int | None
) -> Witness | None:
    """Return a request of an hour that a rule judges in another way than its words."""
    condition, name = found.compiled.condition, found.compiled.name
    when = f"at {hour}:00, {term[2] if len(term) > 2 else 'UTC'}"
    if condition is None or hour is None:
        return None
    for scene in scenes(subject, found)[:1]:
        return scene.show(
            formula(condition.tree), shows=f"stopped {when}", speaks=(name,), fixed={term: hour}
        ) or scene.show(shows=f"not stopped {when}", silent=(name,), fixed={term: hour})
    return None


def _of_limit(limit: Limit) -> Iterator[float]:
    yield from _numbers([limit.max, limit.per])


def _singular(*names: str) -> frozenset[str]:
    return frozenset(word.rstrip("s") for name in names for word in words_of(name))


def _wrong(said: _Said, bounds: Callable[[], Iterable[float]]) -> Iterator[Found]:
    """Find the only bound that a text names, or the only two, where nothing has one of them."""
    named = [(one, numbers(one)) for one in sentences(said.text)]
    named = [(sentence, found) for sentence, found in named if found]
    if len(named) != 1:
        return
    ((sentence, found),) = named
    opening = (_BETWEEN if len(found) == 2 else _BOUND).search(
        sentence[: found[0].start][-_BEFORE:]
    )
    if (
        opening is None
        or len(found) > 1 + (not said.is_timed)
        or not _is_told(said, sentence, found[-1])
    ):
        return
    if len(found) == 2 and sentence[found[0].end : found[1].start].strip() != "and":
        return
    given = set(bounds())
    meant = {*given, *map(abs, given)}  # an overdraft of 500 is a balance of -500
    if not any(given) or all(_is_one_meant(number, meant) for number in found):
        return
    if not said.names.isdisjoint(_CALENDAR) and _is_age(found, given):
        return
    words = f"{opening[0]}{sentence[found[0].start : found[-1].end]}"
    message = f'"{words}" stands here, and the bound is {_listed(sorted(given))}'
    yield Found(said.policy, said.path, message, "write the number that holds into both")


def _is_age(found: list[Number], bounds: set[float]) -> bool:
    """Whether a text counts years where every bound is a year."""
    years = [one for one in bounds if one]
    return all(_FIRST_YEAR <= one <= _LAST_YEAR for one in years) and all(
        value < _FIRST_YEAR for number in found for value in number.values
    )


def _is_one_meant(number: Number, bounds: set[float]) -> bool:
    return any(_is_meant(value, bounds) for value in number.values)


def _is_told(said: _Said, sentence: str, number: Number) -> bool:
    """Whether a bound is one of what is bounded, and in no other unit."""
    rest = sentence[number.end :]
    if _PARTED.search(sentence):
        return False
    windows = {_WINDOWS[match[1].lower()] for match in _WINDOW.finditer(sentence)}
    if windows - {said.window}:
        return False
    unit = {"%": "percent", "percentage": "percent"}.get(number.unit, number.unit)
    if unit in CURRENCIES:
        return said.names.isdisjoint(_OTHER)
    if unit in _COINS:
        return False
    if not unit:
        return not rest.strip(" )\"'")
    return unit in _BEHIND or unit.rstrip("s") in said.names


def _listed(shown: list[float]) -> str:
    return " or ".join(f"{number:,.10g}" for number in [one for one in shown if one][-2:])


def _is_meant(number: float, bounds: set[float]) -> bool:
    """Whether a bound has a number, its neighbour, or it in another unit."""
    return any(
        abs(number * unit - bound) <= 1 or abs(bound * unit - number) <= 1
        for unit in _UNITS
        for bound in bounds
    )


def _of_schema(schema: Any) -> Iterator[float]:
    """Go through the numbers that a schema bounds something by, itself or in its parts."""
    if isinstance(schema, Mapping):
        yield from _numbers(schema.get(key) for key in _KEYWORDS)
        pattern = schema.get("pattern")
        if isinstance(pattern, str):
            yield from map(float, re.findall(r"[0-9]+", pattern))
        yield from _numbers(schema.get("enum") or ())
        for value in schema.values():
            yield from _of_schema(value)
    elif isinstance(schema, list | tuple):
        for one in schema:
            yield from _of_schema(one)


def _asks_elsewhere(found: PlacedCondition) -> bool:
    """Whether a bound may come from what the application or the caller says."""
    condition = found.compiled.condition
    return condition is not None and any(
        path[0] in {"facts", "context"} or path[:2] == ("principal", "attrs")
        for path in condition.reads
    )


def _read(found: PlacedCondition) -> frozenset[str]:
    """Return the arguments that a rule reads."""
    condition = found.compiled.condition
    reads = condition.reads if condition is not None else ()
    return frozenset(path[1] for path in reads if path[0] == "args" and len(path) > 1)


def _of_rule(subject: Subject, found: PlacedCondition) -> Iterator[float]:
    """Go through the numbers of a rule, of its tools' other rules and limits, and of arguments."""
    yield from _written(found)
    for name in subject.covered(found) if found.stage == "tool_call" else ():
        yield from subject.once(f"numbers of {name}", partial(_of_tool, subject, str(name)))
    tool = found.placed.tool
    if tool is not None and tool.args:
        yield from _of_schema(list(tool.args.values()))
    for name in _read(found):
        yield from subject.once(f"bounds of {name}", partial(_of_argument, subject, name))


def _written(found: PlacedCondition) -> Iterator[float]:
    """Go through the numbers that a rule compares with."""
    rule, condition = found.placed.rule, found.compiled.condition
    if condition is not None:
        for node in nodes(condition.tree):
            if isinstance(node, Literal):
                yield from _values(node.value)
    if rule.check is not None:
        yield from _values(rule.check.model_dump(exclude_defaults=True))


def _of_tool(subject: Subject, name: str) -> Iterator[float]:
    for found in subject.rules_of(name):
        yield from _written(found)
    for loaded in subject.policies:
        for limit in loaded.policy.limits:
            if any(matches_glob(glob, name) for glob in limit.tools or ()):
                yield from _of_limit(limit)


def _of_argument(subject: Subject, name: str) -> Iterator[float]:
    for place in schemas(subject):
        if place.argument == name and place.entry is not None and place.is_top:
            yield from _of_schema(place.schema)


def _values(value: object) -> Iterator[float]:
    if isinstance(value, Mapping):
        for one in value.values():
            yield from _values(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _values(one)
    elif isinstance(value, str):
        yield from (float(digits) for digits in re.findall(r"[0-9]+", value))
    else:
        yield from _numbers([value])


def _numbers(values: Iterable[object]) -> Iterator[float]:
    for value in values:
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield float(value)


RULE: Final = LintRule("PE163", "message-of-another-number", "warning", __doc__ or "", _find)
