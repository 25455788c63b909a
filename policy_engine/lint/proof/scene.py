"""A request that shows something: built from schemas and tests, and decided to be sure."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from string import ascii_lowercase, ascii_uppercase
from typing import Any, Final

from policy_engine.cel.nodes import Node
from policy_engine.lint.finding import Witness
from policy_engine.lint.proof.caller import caller_for, known_of_caller
from policy_engine.lint.proof.choices import ABSENT, Choices, ordered
from policy_engine.lint.proof.decided import confirmed
from policy_engine.lint.proof.formula import Formula, Term, TooManyError
from policy_engine.lint.proof.language import Piece
from policy_engine.lint.proof.moment import moment_with
from policy_engine.lint.proof.schema import ELEMENT, at, is_required, sampled, values_of
from policy_engine.lint.proof.solve import ROLES, Case, cases
from policy_engine.lint.proof.spent import most_calls
from policy_engine.lint.proof.takes import narrowed, taken
from policy_engine.lint.proof.values import Values
from policy_engine.lint.subject import PlacedCondition, Subject, named_by
from policy_engine.policy import LoadedPolicy

__all__ = ["Draft", "Scene", "call_scene", "scenes"]

_NOW: Final = "2026-01-05T10:00:00Z"
_TRIES: Final = 24
_RANGES: Final[Mapping[str, tuple[int, int]]] = {
    "getHours": (0, 23),
    "getMinutes": (0, 59),
    "getSeconds": (0, 59),
    "getMilliseconds": (0, 999),
    "getMonth": (0, 11),
    "getDate": (1, 31),
    "getDayOfMonth": (0, 30),
    "getDayOfWeek": (0, 6),
    "getDayOfYear": (0, 365),
    "getFullYear": (1, 9999),
}
_LOWER: Final = str.maketrans(ascii_uppercase, ascii_lowercase)
_UPPER: Final = str.maketrans(ascii_lowercase, ascii_uppercase)
_CASES: Final[Mapping[str, tuple[Callable[[str], str], tuple[Piece, ...]]]] = {
    "lowerAscii": (lambda text: text.translate(_LOWER), (("matches", "[A-Z]"),)),
    "upperAscii": (lambda text: text.translate(_UPPER), (("matches", "[a-z]"),)),
    "trim": (str.strip, (("matches", "^[ \\t\\n\\r]"), ("matches", "[ \\t\\n\\r]$"))),
}
"""A function of texts -> what it makes of one, and what it never makes."""


@dataclass(slots=True)
class Scene:
    """A stage, a name and a policy: where a condition is looked at."""

    subject: Subject
    policy: LoadedPolicy
    stage: str
    name: str | None = None
    """The tool, or the agent that is handed to."""
    args: Mapping[str, list[Any]] = field(default_factory=dict)
    """What is declared of each argument, by the policy and by the tool itself."""
    own: Mapping[str, list[Any]] | None = None
    """What the policy alone declares of each, where the tool says more."""
    plain_request: dict[str, Any] = field(default_factory=dict, repr=False)
    """A request like any other, which drafts are copies of; empty until the first is made."""
    _known: dict[Term, Values] = field(default_factory=dict, repr=False)

    @property
    def alone(self) -> "Scene":
        """The same without what the tool itself takes."""
        if self.own is None:
            return self
        return Scene(self.subject, self.policy, self.stage, self.name, self.own)

    def schemas(self, term: Term) -> list[Any]:
        """Return what is declared of a value."""
        policy = self.policy.policy
        root, rest = term[0], term[1:]
        if not rest:
            return self._arguments() if root == "args" else []
        if root == "args":
            return [at(schema, rest[1:]) for schema in self.args.get(rest[0], ())]
        declared: Mapping[str, Any] = {
            "context": policy.context,
            "facts": {name: fact.schema_ for name, fact in policy.facts.items()},
        }.get(root, {})
        if root == "principal" and rest[0] == "attrs" and len(rest) > 1:
            declared, rest = policy.attrs, rest[1:]
        return [at(declared[rest[0]], rest[1:])] if rest[0] in declared else []

    def _arguments(self) -> list[Any]:
        """Return what is declared of all arguments, as objects."""
        most = max(map(len, self.args.values()), default=0)
        return [
            {"type": "object", "properties": {n: s[i] for n, s in self.args.items() if i < len(s)}}
            for i in range(most)
        ]

    def base(self, term: Term) -> Values:
        """Return the values that something may have before anything is tested."""
        known = self._known.get(term)
        if known is None:
            known = self._known[term] = self._base(term)
        return known.copy()

    def _base(self, term: Term) -> Values:
        known = known_of_caller(self.policy, term)
        if known is not None:
            return known
        if term[0] == "size":
            return self._size(term[1:])
        if term[0] in _CASES:
            return self._changed(term)
        if term[0] == "now" and len(term) > 1:
            values = Values("integer")
            low, high = _RANGES.get(term[1], (-math.inf, math.inf))
            values.bound(low=low, high=high, is_open=False)
            return values
        if term[:2] == ("session", "calls") and len(term) > 2 and term[2] != ELEMENT:
            values = Values("integer")
            values.bound(low=0, high=most_calls(self.subject, term[2]), is_open=False)
            return values
        if term == ("stage",) or (term == ("tool",) and self.name is not None):
            values = Values("string")
            values.choose([self.stage if term == ("stage",) else self.name])
            return values
        return self._declared(term)

    def _declared(self, term: Term) -> Values:
        """Return what the schemas say of a value."""
        values = values_of(*self.schemas(term))
        if term[0] == "args" and ELEMENT not in term and self._is_there(term):
            for box in values.boxes:
                box.test("present", None, holds=True)
        return values

    def _is_there(self, term: Term) -> bool:
        """Whether every accepted call has an argument, or a part of one."""
        if len(term) < 2:
            return bool(self.args)
        declared = self.schemas(term)
        if any(_is_optional(schema) for schema in declared):
            return False
        if len(term) == 2:
            return bool(declared)
        return self._is_there(term[:-1]) and any(
            is_required(schema, term[-1]) for schema in self.schemas(term[:-1])
        )

    def _size(self, term: Term) -> Values:
        sizes = Values("integer")
        sizes.bound(low=0, is_open=False)
        schemas = self.schemas(term)
        values = values_of(*schemas)
        if all(box.kind == "string" for box in values.boxes):
            least, most = values.lengths
            sizes.bound(low=least, high=most, is_open=False)
        for schema in schemas:
            for key in ("minItems", "maxItems"):
                bound = schema.get(key) if isinstance(schema, Mapping) else None
                if isinstance(bound, int) and schema.get("type") == "array":
                    sizes.bound(**{"low" if key == "minItems" else "high": bound}, is_open=False)
        return sizes

    def _changed(self, term: Term) -> Values:
        """Return what a text may be in one case, or without white space round it."""
        of = values_of(*self.schemas(term[1:]))
        change, never = _CASES[term[0]]
        values = Values("string")
        if of.chosen is not None:
            values.choose([change(value) for value in of.chosen if isinstance(value, str)])
        for box in values.boxes:
            box.unmet.extend(never)
            if term[0] != "trim":
                box.shortest, box.longest = of.lengths
        return values

    def requests(
        self,
        *wanted: Formula,
        fixed: Mapping[Term, Any] | None = None,
        choices: "Choices | None" = None,
    ) -> "Iterator[Draft]":
        """Go through requests in which formulas probably hold."""
        try:
            found = list(islice(cases(*wanted, base=self.base), 8))
        except TooManyError:
            return
        for case in found:
            for chosen in islice((choices or ordered)(case), _TRIES):
                draft = Draft(self, {**chosen, **(fixed or {})}, case)
                if not draft.failed:
                    yield draft

    def plain(self, fixed: Mapping[Term, Any] | None = None) -> "Draft":
        """Return a request like any other."""
        return Draft(self, dict(fixed or {}), Case())

    def show(
        self,
        *wanted: Formula,
        shows: str,
        effect: str | None = None,
        speaks: tuple[str, ...] = (),
        silent: tuple[str, ...] = (),
        fixed: Mapping[Term, Any] | None = None,
        told: tuple[tuple[Node, bool], ...] = (),
    ) -> Witness | None:
        """Return a request that shows a claim, decided and seen to do so; None if none is found."""
        for draft in self.requests(*wanted, fixed=fixed):
            witness = draft.witness(shows, effect=effect, speaks=speaks, silent=silent)
            witness = replace(witness, told=told)
            if confirmed(self.subject, witness):
                return witness
        return None


class Draft:
    """A request in the making."""

    def __init__(self, scene: Scene, chosen: dict[Term, Any], case: Case) -> None:
        self.scene = scene
        self.failed = False
        self.calls: dict[str, int] = {}
        self.labels: set[str] = set()
        if not scene.plain_request:
            scene.plain_request = self._plain()
        self.request: dict[str, Any] = _copied(scene.plain_request)
        for term, value in chosen.items():
            if term[0] != "size" or value is not ABSENT:
                self._set(term, value)
        for term in dict.fromkeys((*case.members, *case.every, *case.some)):
            members = case.members.get(term, {})
            elements = [value for value, is_in in members.items() if is_in]
            if term == ROLES and scene.base(("size", *ROLES)).lowest[0] >= 1:
                held = scene.plain_request["principal"]["roles"]
                elements += [one for one in held if one not in members]
            self._fill(term, elements + self._elements(term, case))

    def _plain(self) -> dict[str, Any]:
        scene = self.scene
        made: dict[str, Any] = {"stage": scene.stage, **caller_for(scene.policy)}
        match scene.stage:
            case "tool_call" | "tool_result":
                made["tool"] = scene.name
                made["args"] = {
                    name: sampled(schemas)
                    for name, schemas in scene.args.items()
                    if not any(isinstance(s, Mapping) and s.get("optional") for s in schemas)
                }
                if scene.stage == "tool_result":
                    made["result"] = "done"
            case "handoff":
                made["target"] = scene.name
            case _:
                made["text"] = "hello"
        made["session"] = "s1"
        made["now"] = _NOW
        context: dict[str, Any] = {}
        facts: dict[str, Any] = {}
        for loaded in scene.subject.policies:
            context.update({n: sampled([s]) for n, s in loaded.policy.context.items()})
            facts.update({n: sampled([f.schema_]) for n, f in loaded.policy.facts.items()})
            attrs = {n: sampled([s]) for n, s in loaded.policy.attrs.items()}
            made["principal"]["attrs"] = {**made["principal"].get("attrs", {}), **attrs}
        if context:
            made["context"] = context
        if facts:
            made["facts"] = facts
        return made

    def _set(self, term: Term, value: Any) -> None:
        root, *rest = term
        if root in _CASES:
            self._set(tuple(rest), value)
        elif root == "size":
            self._size(tuple(rest), value)
        elif root == "session":
            if rest[:1] == ["calls"] and len(rest) == 2:
                self.calls[rest[1]] = 0 if value is ABSENT else int(value is True or value)
            elif rest == ["id"]:
                self.request["session"] = value
            else:
                self.failed = True
        elif root == "now" and rest and isinstance(value, int):
            moment = moment_with(value, *rest)
            self.failed |= moment is None
            self.request["now"] = moment
        elif root in {"agent", "tool", "target", "text", "result"}:
            self.request[root] = value
        elif root in {"args", "context", "principal", "facts"} and rest:
            self._graft([root, *rest], value)
        elif root != "stage":
            self.failed = True

    def _graft(self, path: list[str], value: Any) -> None:
        if ELEMENT in path:
            self.failed = True
        else:
            _graft(self.request, path, value)

    def _size(self, term: Term, count: Any) -> None:
        if not isinstance(count, int) or count > 2_000:
            self.failed = True
            return
        schemas = self.scene.schemas(term)
        kinds = {s.get("type") for s in schemas if isinstance(s, Mapping)}
        if "array" in kinds:
            items = [s["items"] for s in schemas if isinstance(s, Mapping) and "items" in s]
            self._graft(list(term), [sampled(items) for _ in range(count)])
        else:
            values = values_of(*schemas)
            values.take("string")
            values.test("shortest", count, holds=True)
            values.test("longest", count, holds=True)
            self._graft(list(term), next(values.candidates(), "x" * count))

    def _elements(self, term: Term, case: Case) -> list[Any]:
        """Return elements of which one each meets a wish, and each what every one must."""
        every = case.every.get(term, [])
        found = [self._element(term, [*every, one]) for one in case.some.get(term, [])]
        if not found and every and self.scene.base(("size", *term)).lowest[0] >= 1:
            found = [self._element(term, every)]
        return found

    def _element(self, term: Term, wanted: list[Formula]) -> Any:
        inner = (*term, ELEMENT)
        made = sampled(self.scene.schemas(inner))
        try:
            case = next(cases(*wanted, base=self.scene.base), None)
        except TooManyError:
            case = None
        if case is None:
            self.failed = True
            return made
        for path, values in case.values.items():
            value = next(values.candidates(), None)
            if path == inner:
                made = value
            elif path[: len(inner)] == inner and isinstance(made, dict):
                _graft(made, list(path[len(inner) :]), value)
            else:
                self.failed = True
        return made

    def _fill(self, term: Term, elements: list[Any]) -> None:
        if term == ("session", "labels"):
            self.labels.update(map(str, elements))
        elif term == ("session", "calls"):
            self.calls.update({str(element): 1 for element in elements})
        elif term[0] in {"args", "context", "principal", "facts"} and len(term) > 1:
            self._graft(list(term), elements)
        else:
            self.failed = True

    def witness(
        self,
        shows: str,
        *,
        effect: str | None = None,
        speaks: tuple[str, ...] = (),
        silent: tuple[str, ...] = (),
    ) -> Witness:
        """Return the request as a witness of a claim."""
        labels = tuple(sorted(self.labels))
        return Witness(self.request, shows, effect, speaks, silent, labels, self.calls)


def _is_optional(schema: Any) -> bool:
    return isinstance(schema, Mapping) and schema.get("optional") is True


def _copied(value: Any) -> Any:
    """Copy what requests are made of."""
    if isinstance(value, dict):
        return {key: _copied(one) for key, one in value.items()}
    return [_copied(one) for one in value] if isinstance(value, list) else value


def _graft(holder: Any, path: list[str], value: Any) -> None:
    """Put a value where a path leads; what is not there is made."""
    for step in path[:-1]:
        below = holder.get(step)
        if not isinstance(below, dict):
            below = holder[step] = {}
        holder = below
    if value is ABSENT:
        holder.pop(path[-1], None)
    else:
        holder[path[-1]] = value


def call_scene(subject: Subject, policy: LoadedPolicy, name: str) -> Scene:
    """Return where a call of a tool is looked at."""
    return _tool_scene(subject, policy, "tool_call", name)


def _tool_scene(subject: Subject, policy: LoadedPolicy, stage: str, name: str) -> Scene:
    def made() -> Iterator[Scene]:
        own, theirs = subject.args_of(name, policy), taken(subject, name)
        args = narrowed(own, theirs)
        yield Scene(subject, policy, stage, name, args, (own or {}) if args != own else None)

    return subject.once(f"scene {stage} {policy.policy.policy} {name}", made)[0]


def scenes(subject: Subject, found: PlacedCondition) -> list[Scene]:
    """Return where a rule's condition is looked at: once for each tool that it is about."""
    if found.stage in {"tool_call", "tool_result"}:
        return [
            _tool_scene(subject, found.policy, found.stage, name) for name in subject.covered(found)
        ]
    if found.stage == "handoff":
        section = found.policy.policy.handoffs or {}
        names = [str(found.placed.path[1])] if found.placed.path[0] == "handoffs" else section
        every = names or [n for loaded in subject.policies for n in loaded.policy.handoffs or {}]
        return [Scene(subject, found.policy, "handoff", named_by(name)) for name in every]
    return [Scene(subject, found.policy, found.stage)]
