"""One compiled rule: its condition has three outcomes, and cannot tell counts as matched."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from policy_engine.cel import Condition
from policy_engine.checks import TextCheck
from policy_engine.checks.arguments import Arguments
from policy_engine.checks.schema import Validator
from policy_engine.compiler import message
from policy_engine.decision import Effect, Facts, Reason, Redaction, Request
from policy_engine.errors import CheckError, Location
from policy_engine.policy import Approval
from policy_engine.text import Content, Scanner

__all__ = ["CANNOT_TELL", "CompiledRule", "Constraint", "Guarded"]

CANNOT_TELL: Final = "rule.cannot_tell"
"""The code of a rule whose condition cannot be told."""

_FORMAL: Final = frozenset({"required", "type"})
"""Keywords that are broken before there is a value to speak of."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """A declared value that a condition reads, and the schema that it must fit."""

    place: str
    """`context`, `attrs` or `facts`."""
    name: str
    validator: Validator

    def holds(self, request: Request, facts: Facts) -> bool:
        """Whether the value is absent or fits its schema."""
        source: object
        if self.place == "facts":
            source = facts.answers
        elif self.place == "context":
            source = request.context
        else:
            source = request.principal
            source = source.get("attrs") if isinstance(source, Mapping) else None
        if not isinstance(source, Mapping):
            return True
        value = source.get(self.name)
        return value is None or self.validator.fits(value)


@dataclass(frozen=True, slots=True)
class Constraint:
    """Arguments against their schemas: an entry's `args`, or those of a rule."""

    rule: str
    """`<policy>/tools/<tool>`, or the rule's own name."""
    arguments: Arguments
    schemas: Mapping[str, Any]
    place: Callable[[tuple[str | int, ...]], Location]
    """From a path below `args` to its place in the file."""
    enforced: bool
    names_arguments: bool
    """Whether reasons are named by argument, as an entry's are."""
    effect: Effect = "deny"
    message: str | None = None

    def quiet(self, args: dict[str, Any]) -> bool:
        """Whether the arguments fit."""
        return self.arguments.fits(args)

    def reasons(self, args: dict[str, Any]) -> list[Reason]:
        """Say what does not fit; empty where all does."""
        if self.arguments.fits(args):
            return []
        reasons = []
        for fault in self.arguments.faults(args):
            schema = self.schemas.get(fault.argument)
            rule = self.rule
            path: tuple[str | int, ...] = ()
            if schema is not None:
                path = (fault.argument, *fault.schema_path)
                if self.names_arguments:
                    rule = f"{rule}/args/{message.escaped(fault.argument)}"
            elif self.names_arguments:
                rule = f"{rule}/args"
            text = message.argument(fault, self.schemas)
            own = fault.message or self.message
            if own:
                # The author speaks of the value: of one that is missing it says too little.
                text = f"{text} {own}" if fault.keyword in _FORMAL else own
            reasons.append(
                Reason(
                    rule=rule,
                    effect=self.effect,
                    code=f"args.{fault.keyword}",
                    message=text,
                    location=self.place(path),
                    enforced=self.enforced,
                )
            )
        return list(dict.fromkeys(reasons))


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule, ready to judge requests."""

    name: str
    effect: Effect
    enforced: bool
    location: Location
    message: str | None
    approval: Approval | None = None
    condition: Condition | None = None
    guards: tuple[Guarded, ...] = ()
    check: TextCheck | None = None
    unread_allowed: bool = False
    reads: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The arguments that the check reads, JSON Pointer -> path; all where empty."""
    declared: bool = False
    """Whether every tool that it covers declares its arguments: what is absent may be."""
    constraint: Constraint | None = None
    replacement: str = ""

    @property
    def is_about_text(self) -> bool:
        """Whether it judges the text of a request, by its check or its condition."""
        reads = self.condition.reads if self.condition is not None else frozenset()
        return self.check is not None or ("text",) in reads

    def judge(self, request: Request, facts: Facts, whole: "Whole") -> str | None:
        """Return the code of a rule that speaks, None for one that does not match."""
        if self.constraint is not None:
            args = request.args
            if args.__class__ is not dict:
                return CANNOT_TELL
            found = self.constraint.reasons(args)
            return found[0].code if found else None
        told = True
        if self.condition is not None:
            verdict: bool | None = None
            if all(guard.holds(request, facts) for guard in self.guards):
                verdict = self.condition.function(request, facts)
            if verdict is False:
                return None
            if self.check is None:
                return "rule.when" if verdict else CANNOT_TELL
            told = verdict is True
        code = self._broken(request, whole)
        return code if told or code is None else CANNOT_TELL

    def _broken(self, request: Request, whole: "Whole") -> str | None:
        """Return the code of a check that is broken, None for one that passes."""
        if self.check is None:
            return "rule.always"
        try:
            for _, content in self.contents(request, whole):
                tail = self.check.breaks(content, unread_allowed=self.unread_allowed)
                if tail is not None:
                    return f"check.{tail}"
        except CheckError:
            return CANNOT_TELL
        return None

    def redactions(self, request: Request, whole: "Whole") -> list[Redaction]:
        """Return the spans to replace, if any; raise `CheckError` where they cannot be told."""
        if self.check is None:
            raise CheckError("there are no spans without a check")
        return [
            Redaction(
                f"{pointer}{span.pointer}",
                span.start,
                span.end,
                self.replacement or f"<{span.entity}>",
                self.name,
            )
            for pointer, content in self.contents(request, whole)
            for span in self.check.spans(content)
        ]

    def contents(self, request: Request, whole: "Whole") -> Iterator[tuple[str, Content]]:
        """Yield what the check reads, each with its JSON Pointer; raises as `values`."""
        if not self.reads:
            yield "", whole()
        for pointer, value in self.values(request):
            yield pointer, whole.at(pointer, value)

    def values(self, request: Request) -> Iterator[tuple[str, object]]:
        """Yield the arguments that the check is narrowed to, each with its JSON Pointer.

        Raises:
            CheckError: An argument is not there that should be.
        """
        for pointer, path in self.reads.items():
            value: object = request.args
            for step in path:
                if value.__class__ is not dict and not isinstance(value, Mapping):
                    raise CheckError(f"there can be no {pointer}")
                value = value.get(step)
                if value is None:
                    break
            if value is not None:
                yield pointer, value
            elif not self.declared:
                raise CheckError(f"there is no {pointer}")

    def _own(self, code: str) -> str | None:
        """Return the author's words, unless they would claim what cannot be told."""
        return None if code == CANNOT_TELL and self.effect == "deny" else self.message

    def reason(self, code: str) -> Reason:
        """Say that the rule spoke."""
        return Reason(
            rule=self.name,
            effect=self.effect,
            code=code,
            message=self._own(code) or message.rule(self.name, code, self.effect, self.approval),
            location=self.location,
            enforced=self.enforced,
        )


class Whole:
    """The text that a request carries, read once and only when a check asks."""

    __slots__ = ("_content", "_narrowed", "_parts", "_scanner", "value")

    def __init__(self, value: object, scanner: Scanner, parts: bool) -> None:  # noqa: FBT001 - by position: it is made at every decision
        self.value = value
        self._parts = parts
        self._scanner = scanner
        self._content: Content | None = None
        self._narrowed: dict[str, Content] | None = None

    def __call__(self) -> Content:
        """Return all of it."""
        if self._content is None:
            self._content = Content(self.value, self._scanner, parts=self._parts)
        return self._content

    def at(self, pointer: str, value: object) -> Content:
        """Return the part of it that stands at a JSON Pointer."""
        if self._narrowed is None:
            self._narrowed = {}
        content = self._narrowed.get(pointer)
        if content is None:
            content = Content(value, self._scanner, parts=self._parts)
            self._narrowed[pointer] = content
        return content
