"""What is asked of a request that meets a rule: the whole, its terms, the parts of its check."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeAlias

from policy_engine.checks import CHECKS
from policy_engine.checks.schema import SchemaPath
from policy_engine.compiler import TEXT_OF, CompiledRule
from policy_engine.compiler.rule import CANNOT_TELL, Whole
from policy_engine.decision import Facts, Request
from policy_engine.errors import CheckError, Location
from policy_engine.policy import LoadedPolicy, Rule
from policy_engine.source import Path
from policy_engine.testing.coverage.checks import form_of, parsed, parts_of
from policy_engine.testing.coverage.item import EVERY, Item, Kind, Note, Outcome
from policy_engine.testing.coverage.places import place_in
from policy_engine.testing.coverage.schema import Node
from policy_engine.testing.coverage.terms import Terms, text_of
from policy_engine.text import Patterns, Scanner

__all__ = ["RuleAsks"]

_Ask: TypeAlias = Callable[[Request, Facts, Note], None]
_MATCH: Final = frozenset({Outcome.MATCH})


class RuleAsks:
    """What is asked of a request that meets a rule.

    Args:
        rule: The rule.
        declared: The same as it is written.
        path: Where it stands.
        loaded: The policy that it is in.
        scanner: Finds what the whole rule searches for.
        patterns: Receives what its parts search for.
    """

    def __init__(
        self,
        rule: CompiledRule,
        declared: Rule,
        path: Path,
        loaded: LoadedPolicy,
        scanner: Scanner,
        patterns: Patterns,
    ) -> None:
        self.rule = rule
        self.items: list[Item] = []
        """All that can be covered."""
        self.check: Mapping[str, Any] = {}
        """The kind of the rule's check and its options."""
        self._document = loaded.document
        self._path = path
        self._scanner = scanner
        self._patterns = patterns
        self.parts: list[tuple[tuple[Item, ...], _Ask]] = []
        """Items that are asked together."""
        always = rule.condition is None and rule.check is None and rule.constraint is None
        item = self._item("rule", "", rule.location, _MATCH if always else EVERY)
        self.parts.append(((item,), self._whole(item, rule, scanner)))
        if rule.condition is not None:
            self._add_terms(Terms(rule, rule.condition), (*path, "when"))
        if rule.check is not None and declared.check is not None:
            self._add_check(declared.check)

    def ask(self, request: Request, facts: Facts, note: Note) -> None:
        """Note what everything says of a request."""
        for _, ask in self.parts:
            ask(request, facts, note)

    def _item(self, kind: Kind, what: str, place: Location, possible: frozenset[Outcome]) -> Item:
        item = Item(kind, self.rule.name, what, place, possible)
        self.items.append(item)
        return item

    def _whole(self, item: Item, rule: CompiledRule, scanner: Scanner | None) -> _Ask:
        def ask(request: Request, facts: Facts, note: Note) -> None:
            found = rule.judge(request, facts, self._read(request, scanner))
            note(item, _outcome(found))

        return ask

    def _read(self, request: Request, scanner: Scanner | None) -> Whole:
        value = getattr(request, TEXT_OF.get(request.stage, "text"))
        given = self._patterns.scanner if scanner is None else scanner
        return Whole(value, given, parts=request.stage != "tool_call")

    def _add_terms(self, terms: Terms, path: Path) -> None:
        condition = self.rule.condition
        if condition is None or not terms.nodes:
            return
        items = [
            self._item(
                "branch",
                text_of(condition, node),
                place_in(self._document, path, condition.text, node.start),
                EVERY,
            )
            for node in terms.nodes
        ]

        def ask(request: Request, facts: Facts, note: Note) -> None:
            for number, outcome in terms.outcomes(request, facts):
                note(items[number], outcome)

        self.parts.append((tuple(items), ask))

    def _add_check(self, check: Any) -> None:
        self.check = {
            kind: options for kind in CHECKS if (options := getattr(check, kind)) is not None
        }
        path = (*self._path, "check")
        alone = replace(self.rule, condition=None, guards=())
        if self.rule.condition is not None:
            (kind,) = self.check
            item = self._item("check", kind, self._document.key_at((*path, kind)), EVERY)
            self.parts.append(((item,), self._whole(item, alone, self._scanner)))
        for part in parts_of(self.check, self._patterns):
            place = self._document.at((*path, *part.path))
            item = self._item(part.kind, part.text, place, EVERY)
            ask = self._whole(item, replace(alone, check=part.check), None)
            self.parts.append(((item,), ask))

        items: list[Item] = []

        def make(below: SchemaPath, possible: frozenset[Outcome]) -> Item:
            place = self._document.key_at((*path, "json", "schema", *below))
            items.append(self._item("check", ".".join(map(str, ("json", *below))), place, possible))
            return items[-1]

        form = form_of(self.check, make)
        if form is not None:
            self.parts.append((tuple(items), self._form(form)))

    def _form(self, form: Node) -> _Ask:
        def ask(request: Request, _facts: Facts, note: Note) -> None:
            try:
                found = list(self.rule.contents(request, self._read(request, self._scanner)))
            except CheckError:
                return
            for _, content in found:
                value = parsed(content)
                if value is not None:
                    form.visit(value[0], note)

        return ask


def _outcome(code: str | None) -> Outcome:
    if code is None:
        return Outcome.NO_MATCH
    return Outcome.CANNOT_TELL if code == CANNOT_TELL else Outcome.MATCH
