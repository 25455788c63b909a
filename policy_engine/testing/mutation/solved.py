"""Requests made to tell a mutant apart: what is changed is solved for, what else denies cleared."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Any, Final

from policy_engine.cel.nodes import Bind, Call, Loop, children, walk
from policy_engine.checks.json import JsonOptions
from policy_engine.compiler import TEXT_OF, Chain, Compiled, CompiledRule
from policy_engine.decision import Decision
from policy_engine.engine import Engine
from policy_engine.lint.proof.regexes import sample
from policy_engine.policy import Policy
from policy_engine.testing.mutation.enumerate import compiled_rule
from policy_engine.testing.mutation.mutant import Aim, Mutant
from policy_engine.testing.reach import Reach
from policy_engine.testing.search.between import between, joined
from policy_engine.testing.search.clearing import Clearing
from policy_engine.testing.search.counted import with_counters
from policy_engine.testing.search.declared import Declared
from policy_engine.testing.search.documents import documents
from policy_engine.testing.search.evaluated import Evaluated
from policy_engine.testing.search.people import asked_by_everybody
from policy_engine.testing.search.places import Place, at_place, place_of, put, texts_at
from policy_engine.testing.search.sample import ABSENT, OTHER, Sample, in_turn
from policy_engine.testing.search.telling import Telling
from policy_engine.testing.search.turning import Turning

__all__ = ["Solved"]

_ROOTS: Final = {
    "args": ("args",),
    "facts": ("facts",),
    "context": ("context",),
    "attrs": ("principal", "attrs"),
}
_VALUES: Final = 120
"""So many values of an argument, or of what else a schema declares, are tried."""
_TURNED: Final = 12
_FEW: Final = 3
_MINUTE: Final = 60
_PICTURE: Final = {"type": "image", "source": {"type": "base64", "data": "AAAA"}}
_MOST: Final = 600
"""So many requests are made up for a condition."""


class Solved:
    """Makes requests that tell mutants apart.

    Args:
        compiled: The policy set.
        engine: Decides by it.
    """

    def __init__(self, compiled: Compiled, engine: Engine) -> None:
        self.compiled = compiled
        self.engine = engine
        self._reach = Reach(compiled)
        self._asked = Evaluated()
        self._declared: dict[int, tuple[Chain, Declared]] = {}

    def opened(self, seed: Sample, meant: frozenset[str] = frozenset()) -> Sample | None:
        """Return a request that nothing else denies, made of another; None if none is found.

        Args:
            seed: The request to begin with.
            meant: The names under which one may be denied all the same.
        """
        return self._cleared(seed, meant, frozenset())

    def spoken(self, names: Iterable[str], index: int, seed: Sample) -> Iterator[Sample]:
        """Yield requests of which the conditions hold that stand beside a check.

        Args:
            names: The names of the rules.
            index: Which policy of the set they are of.
            seed: The request to begin with.
        """
        _, declared = self._met(seed)
        for rule in self._rules(index, frozenset(names)):
            if rule.condition is not None and rule.check is not None:
                turning = Turning(declared, self._asked, most=_MOST)
                yield from islice(turning.turned(rule.condition.tree, seed, to=True), 1)

    def samples(
        self, mutant: Mutant, names: Iterable[str], seeds: Sequence[Sample]
    ) -> Iterator[Sample]:
        """Yield requests that probably tell a mutant apart, unless something else hides it.

        Args:
            mutant: What was changed.
            names: Under which names something may speak otherwise.
            seeds: Requests to begin with.
        """
        return in_turn([self._of(mutant, frozenset(names), seed) for seed in seeds])

    def cleared(self, sample: Sample, mutant: Mutant, names: Iterable[str]) -> Sample | None:
        """Return a request that nothing but what is meant denies; None where none is found."""
        meant = frozenset(names)
        return self._cleared(sample, meant, self._fixed(mutant, meant))

    def _cleared(
        self, sample: Sample, meant: frozenset[str], fixed: frozenset[Place]
    ) -> Sample | None:
        chain, declared = self._met(sample)
        clearing = Clearing(
            chain,
            declared,
            self._asked,
            self._decided,
        )
        return clearing.cleared(sample, meant, fixed)

    def _decided(self, sample: Sample) -> Decision:
        found = with_counters(sample, self.engine)
        return self.engine.decide(found.request, found.facts)

    def _met(self, sample: Sample) -> tuple[Chain, Declared]:
        chain = self._reach.of(sample.request).chain
        known = self._declared.get(id(chain))
        if known is None:
            known = self._declared[id(chain)] = chain, Declared(chain, self.compiled)
        return known

    def _rules(self, index: int, names: frozenset[str]) -> Iterator[CompiledRule]:
        """Go through the rules that may speak otherwise."""
        for rule in self.compiled.parts[index].rules():
            if rule.name in names:
                yield rule

    def _fixed(self, mutant: Mutant, names: frozenset[str]) -> frozenset[Place]:
        """Return the places that decide whether what is changed speaks."""
        aim = mutant.aim
        if mutant.unit[2:] == ("args",) and aim is None:
            return frozenset({("args", "another")})
        if aim is not None and aim.place in _ROOTS:
            return frozenset({(*_ROOTS[aim.place], aim.name)})
        if mutant.unit[:1] == ("limits",):
            limit = self.compiled.parts[mutant.index].loaded.policy.limits[int(mutant.unit[1])]
            return frozenset(tuple(name.split(".")) for name in (limit.of, *limit.by))
        return frozenset(path for rule in self._rules(mutant.index, names) for path in _read(rule))

    def _of(self, mutant: Mutant, names: frozenset[str], seed: Sample) -> Iterator[Sample]:
        _, declared = self._met(seed)
        if mutant.tree is not None:
            rule = compiled_rule(self.compiled.parts[mutant.index], mutant.unit)
            assert rule.condition is not None  # noqa: S101 - only conditions have trees
            telling = Telling(declared, self._asked, _MOST)
            yield from telling.apart(rule.condition.tree, mutant.tree, seed)
        elif mutant.aim is not None and mutant.aim.place in _ROOTS:
            yield from self._valued(mutant, mutant.aim, names, seed, declared)
        else:
            yield from self._spoken(mutant, names, seed, declared)

    def _valued(
        self,
        mutant: Mutant,
        aim: Aim,
        names: frozenset[str],
        seed: Sample,
        declared: Declared,
    ) -> Iterator[Sample]:
        """Put values where only one of two schemas takes them."""
        place: Place = (*_ROOTS[aim.place], aim.name)
        held = at_place(seed, place)
        if held is ABSENT:
            held = declared.plain(place)
        met, _ = self._met(seed)
        rules = list(self._rules(mutant.index, names)) if mutant.unit == ("declared",) else []
        if mutant.unit[2:] == ("types",):
            yield from self._read_otherwise(met, place, seed, declared)
        others = self._unspoken(rules, place, seed, declared)
        values = in_turn([between(aim.before, aim.after, one) for one in (held, *others)])
        sought = set(self._sought(met, place, seed))
        every = chain(self._moments(met, place, seed), joined(values, sought))
        for value in islice(every, _VALUES):
            changed = put(seed, place, value)
            if changed is None:
                continue
            yield changed
            # Told at last, a rule must not match, for where it cannot tell it speaks as well.
            for rule in rules:
                if rule.condition is not None:
                    turning = Turning(declared, self._asked, frozenset({place}), most=60)
                    found = turning.turned(rule.condition.tree, changed, to=False)
                    yield from islice(found, 2)
                if rule.check is not None:
                    yield from islice(_found(rule, met, changed), 1)
        lacking = put(seed, place, ABSENT)
        yield from [] if lacking is None else [lacking]

    def _unspoken(
        self, rules: Iterable[CompiledRule], place: Place, seed: Sample, declared: Declared
    ) -> Iterator[Any]:
        """Yield what stands at a place where a rule that reads it does not match."""
        for rule in rules:
            if rule.condition is not None:
                turning = Turning(declared, self._asked, most=60)
                for one in islice(turning.turned(rule.condition.tree, seed, to=False), _FEW):
                    yield at_place(one, place)

    def _read_otherwise(
        self, met: Chain, place: Place, seed: Sample, declared: Declared
    ) -> Iterator[Sample]:
        """Let each rule match, and not match, that reads what may be read otherwise."""
        for rule in met.rules:
            if rule.condition is not None and place in rule.condition.reads:
                for to in (False, True):
                    turning = Turning(declared, self._asked, most=_MOST)
                    yield from islice(turning.turned(rule.condition.tree, seed, to=to), _FEW)

    def _moments(self, met: Chain, place: Place, seed: Sample) -> Iterator[int]:
        """Yield points in time as numbers, where conditions take a value for one."""
        reads = (
            isinstance(node, Call)
            and node.function == "timestamp"
            and place_of(node.arguments[0]) == place
            for rule in met.rules
            if rule.condition is not None
            for node in walk(rule.condition.tree)
        )
        if seed.facts.now is not None and any(reads):
            now = int(seed.facts.now.timestamp())
            yield from (now + _MINUTE, now - _MINUTE)

    def _sought(self, met: Chain, place: Place, seed: Sample) -> Iterator[str]:
        """Yield the texts that conditions look for at a place."""
        for rule in met.rules:
            waiting = [] if rule.condition is None else [rule.condition.tree]
            while waiting:
                node = waiting.pop()
                waiting.extend(() if isinstance(node, Loop | Bind) else children(node))
                match node:
                    case Call(
                        function="startsWith" | "endsWith" | "contains", arguments=(left, right)
                    ):
                        text = self._asked.value(right, seed) if place_of(left) == place else None
                        if isinstance(text, str):
                            yield text

    def _spoken(
        self, mutant: Mutant, names: frozenset[str], seed: Sample, declared: Declared
    ) -> Iterator[Sample]:
        """Let a rule speak that is gone, or speaks otherwise."""
        yield seed
        met, _ = self._met(seed)
        if mutant.unit[2:] == ("args",):
            for name in (*(seed.request.args or {}), "another"):
                value = OTHER if name == "another" else ABSENT
                yield put(seed, ("args", name), value) or seed
        if mutant.unit == ("applies_to",):
            yield from asked_by_everybody(seed, self.compiled.parts[mutant.index].loaded.policy)
        for limit in met.limits if mutant.unit[:1] == ("limits",) else ():
            for name in (limit.unit, *limit.by):
                place: Place = tuple(name.split("."))
                for value in declared.others(place, at_place(seed, place)):
                    yield put(seed, place, value) or seed
        for rule in self._rules(mutant.index, names):
            yield from self._matched(rule, seed, declared)
            yield from _breaking(rule, seed)
        yield from _read_as_json(self.compiled.parts[mutant.index].loaded.policy, mutant, seed)

    def _matched(self, rule: CompiledRule, seed: Sample, declared: Declared) -> Iterator[Sample]:
        """Let a check find something, and a condition hold."""
        met, _ = self._met(seed)
        tree = None if rule.condition is None else rule.condition.tree
        for one in _found(rule, met, seed):
            yield one
            if tree is not None:
                # Of a check beside a condition either may be gone, so that each is told alone.
                turning = Turning(declared, self._asked, most=_MOST)
                yield from islice(turning.turned(tree, one, to=False), 1)
        if tree is not None:
            turning = Turning(declared, self._asked, most=_MOST)
            yield from islice(turning.turned(tree, seed, to=True), _TURNED)


def _read_as_json(policy: Policy, mutant: Mutant, seed: Sample) -> Iterator[Sample]:
    """Yield requests with JSON of a form that only one of two checks lets pass."""
    part = TEXT_OF.get(seed.request.stage, "text")
    form, other = (_form_of(one, mutant.unit) for one in (policy, mutant.policy))
    if form is None or part == "args":
        return
    for text in documents(form.schema_, None if other is None else other.schema_):
        yield replace(seed, request=replace(seed.request, **{part: text}))  # type: ignore[arg-type]


def _form_of(policy: Policy, unit: tuple[str | int, ...]) -> JsonOptions | None:
    """Return what a rule demands of JSON, if it does."""
    found: Any = policy
    for step in unit:
        if isinstance(found, list | tuple):
            found = found[step] if isinstance(step, int) and step < len(found) else None
        else:
            is_map = isinstance(found, Mapping)
            found = found.get(step) if is_map else getattr(found, str(step), None)
    form = getattr(getattr(found, "check", None), "json", None)
    return form if isinstance(form, JsonOptions) else None


def _found(rule: CompiledRule, met: Chain, seed: Sample) -> Iterator[Sample]:
    """Yield requests with texts that a check finds, and with what it cannot read."""
    part = TEXT_OF.get(seed.request.stage, "text")
    numbers = () if rule.check is None else sorted(rule.check.ids)
    texts = [sample(met.scanner.patterns[number].expression)[:1] for number in numbers[:_FEW]]
    if part != "args":
        picture: list[Any] = [] if rule.check is None else [[_PICTURE]]
        for text in (*chain.from_iterable(texts), *picture):
            yield replace(seed, request=replace(seed.request, **{part: text}))
        return
    for text in chain.from_iterable(texts):
        for place in texts_at(("args",), seed.request.args):
            yield put(seed, place, text) or seed


def _breaking(rule: CompiledRule, seed: Sample) -> Iterator[Sample]:
    """Yield requests with arguments that a rule takes none of."""
    for name, schema in rule.constraint.schemas.items() if rule.constraint is not None else ():
        place: Place = ("args", name)
        for value in islice(between(schema, {}, at_place(seed, place)), _TURNED):
            changed = put(seed, place, value)
            yield from [] if changed is None else [changed]


def _read(rule: CompiledRule) -> Iterator[Place]:
    if rule.condition is not None:
        yield from (path for path in rule.condition.reads if path[0] != "now")
    if rule.constraint is not None:
        yield from (("args", name) for name in rule.constraint.schemas)
    if rule.check is not None:
        yield from (("args", path[0]) for path in rule.reads.values())
