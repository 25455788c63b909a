"""A policy's rules, constraints and limits, compiled; faults are collected, not raised."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from policy_engine.cel import (
    DOUBLE,
    DYN,
    INT,
    STRING,
    Condition,
    Environment,
    Expression,
    Type,
    outcomes,
)
from policy_engine.checks import CHECKS, OptionFaults, TextCheck
from policy_engine.checks.arguments import compile_arguments
from policy_engine.checks.schema import Validator, compile_schema
from policy_engine.compiler.covered import Covered, Entries
from policy_engine.compiler.expression import environment, read_condition, read_value
from policy_engine.compiler.limit import CompiledLimit
from policy_engine.compiler.literals import Literals
from policy_engine.compiler.lookup import FactLookup
from policy_engine.compiler.message import escaped
from policy_engine.compiler.names import NameTable, is_glob, matches_glob
from policy_engine.compiler.reference import unknown_references
from policy_engine.compiler.rule import CompiledRule, Constraint, Guarded
from policy_engine.decision import Stage
from policy_engine.errors import Fault, Location
from policy_engine.policy import LoadedPolicy, PolicySet
from policy_engine.policy.words import quoted
from policy_engine.text import Patterns

__all__ = ["Parts", "PolicyCompiler", "compile_parts"]

Path = tuple[str | int, ...]


_TEXT_STAGES: Final[tuple[tuple[str, Stage], ...]] = (
    ("input", "input"),
    ("input", "model_request"),
    ("output", "output"),
    ("output", "model_response"),
)


_NO_TEXT: Final = frozenset({"number", "integer", "boolean", "null"})
"""Types that hold no text."""


@dataclass(slots=True)
class Parts:
    """What one policy brings to chains, by where it stands."""

    loaded: LoadedPolicy
    constraints: dict[str, Constraint] = field(default_factory=dict)
    """Entry -> its arguments."""
    entry_rules: dict[tuple[str, str], list[CompiledRule]] = field(default_factory=dict)
    """(section, entry) -> rules; the section `result` holds those over results."""
    text_rules: dict[str, list[CompiledRule]] = field(default_factory=dict)
    """`input` or `output`, by stage -> rules."""
    top_rules: list[CompiledRule] = field(default_factory=list)
    """In the order of `policy.rules`."""
    limits: list[CompiledLimit] = field(default_factory=list)
    """In the order of `policy.limits`."""
    lookups: dict[Stage, list[FactLookup]] = field(default_factory=dict)
    _tables: dict[str, NameTable] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def entries(self, section: str, name: str | None) -> list[tuple[str, Any]]:
        """Return the entries of a section that match a name."""
        entries = getattr(self.loaded.policy, section, None)
        if not entries or not name:
            return []
        if section not in self._tables:
            self._tables[section] = NameTable((key,) for key in entries)
        listed = list(entries.items())
        return [listed[position] for position in self._tables[section].of(name)]

    def covering(self, name: str) -> list[int]:
        """Return the positions of the top-level rules that cover a tool."""
        rules = self.loaded.policy.rules
        if "rules" not in self._tables:
            self._tables["rules"] = NameTable(rule.tools or () for rule in rules)
        return [
            position
            for position in self._tables["rules"].of(name)
            if not any(matches_glob(glob, name) for glob in rules[position].except_ or ())
        ]

    def counting(self, name: str) -> list[int]:
        """Return the positions of the limits that count calls of a tool."""
        if "limits" not in self._tables:
            limits = self.loaded.policy.limits
            self._tables["limits"] = NameTable(limit.tools or () for limit in limits)
        return self._tables["limits"].of(name)

    def readable(self) -> dict[str, set[Stage]]:
        """Return the stages that can look up each fact."""
        found: dict[str, set[Stage]] = {}
        for stage, lookups in self.lookups.items():
            for lookup in lookups:
                found.setdefault(lookup.name, set()).add(stage)
        return found

    def rules(self) -> Iterator[CompiledRule]:
        """Go through every rule; one over texts stands there for each of its stages."""
        yield from self.top_rules
        for rules in (*self.entry_rules.values(), *self.text_rules.values()):
            yield from rules


@dataclass(slots=True)
class PolicyCompiler:
    """Compiles the parts of one policy of a set."""

    everything: PolicySet
    entries: Entries
    loaded: LoadedPolicy
    patterns: Patterns
    faults: list[Fault]
    literals: Literals
    labels: frozenset[str]
    complete: bool
    validators: dict[tuple[str, str], Validator] = field(default_factory=dict)
    readable: dict[str, set[Stage]] = field(default_factory=dict)
    """Fact -> the stages that can look it up."""
    checks: dict[Path, TextCheck | None] = field(default_factory=dict)
    """The checks that are built: a rule over texts has two stages."""
    environments: dict[tuple[Stage, int], tuple[Sequence[Covered], Environment]] = field(
        default_factory=dict
    )
    """What expressions may read, by stage and identity of what is covered, which is kept."""

    @property
    def policy(self) -> Any:
        """The policy itself."""
        return self.loaded.policy

    def compile(self) -> Parts:
        """Compile the whole policy."""
        parts = Parts(self.loaded)
        self.lookups(parts)
        for section, stage in _TEXT_STAGES:
            parts.text_rules[stage] = self._texts(section, stage)
        for name, entry in (self.policy.tools or {}).items():
            path: Path = ("tools", name)
            covered = [entry.args]
            if entry.args is not None:
                constraint = self.entry_arguments(name, entry)
                if constraint is not None:
                    parts.constraints[name] = constraint
            parts.entry_rules["tools", name] = [
                self.rule(rule, (*path, "rules", i), "tool_call", covered)
                for i, rule in enumerate(entry.rules)
            ]
            parts.entry_rules["result", name] = [
                self.rule(rule, (*path, "result", i), "tool_result", covered)
                for i, rule in enumerate(entry.result)
            ]
        for name, entry in (self.policy.handoffs or {}).items():
            parts.entry_rules["handoffs", name] = [
                self.rule(rule, ("handoffs", name, "rules", i), "handoff", ())
                for i, rule in enumerate(entry.rules)
            ]
        parts.top_rules = [
            self.rule(rule, ("rules", i), rule.stage, self._covered(rule.tools, rule.except_))
            for i, rule in enumerate(self.policy.rules)
        ]
        parts.limits = [self.limit(limit, i) for i, limit in enumerate(self.policy.limits)]
        return parts

    def _covered(
        self, globs: Sequence[str] | None, excluded: Sequence[str] | None
    ) -> list[Covered]:
        return self.entries.covered(globs or (), excluded or ())

    def _texts(self, section: str, stage: Stage) -> list[CompiledRule]:
        return [
            self.rule(rule, (section, i), stage, ())
            for i, rule in enumerate(getattr(self.policy, section))
        ]

    def rule(self, rule: Any, path: Path, stage: Stage, covered: Sequence[Covered]) -> CompiledRule:
        """Compile one rule."""
        name = f"{self.policy.policy}/{rule.id}"
        enforced = rule.mode == "enforce" and self.policy.mode == "enforce"
        document = self.loaded.document
        condition = None
        if rule.when is not None:
            condition = self._condition(rule.when, (*path, "when"), stage, covered)
        check = None
        if rule.check is not None:
            if path not in self.checks:
                self.checks[path] = self._check(rule.check, (*path, "check"))
            check = self.checks[path]
        schemas = getattr(rule, "args", None)
        constraint = None
        if schemas is not None:
            constraint = self._constraint(
                name, schemas, (*path, "args"), closed=False, enforced=enforced, rule=rule
            )
        reads = tuple(
            tuple(item.removeprefix("args.").split("."))
            for item in getattr(rule, "in_", None) or ()
        )
        self._refuse_silent(reads, covered, (*path, "in"))
        return CompiledRule(
            name=name,
            effect=rule.effect,
            enforced=enforced,
            location=document.at(path),
            message=rule.message,
            approval=rule.approval,
            condition=condition,
            guards=() if condition is None else self._guards(condition.reads),
            check=check,
            unread_allowed=rule.unread == "allow",
            reads={f"/{'/'.join(map(escaped, path))}": path for path in reads},
            declared=bool(covered) and None not in covered,
            constraint=constraint,
            replacement=rule.replacement or "",
        )

    def _condition(
        self, text: str, path: Path, stage: Stage, covered: Sequence[Covered]
    ) -> Condition | None:
        """Compile a condition, and refuse one that cannot do what it says."""
        before = len(self.faults)
        document = self.loaded.document
        env = self._environment(stage, covered)
        condition = read_condition(document, path, text, env, self.faults)
        if condition is None:
            return None
        self._refuse_facts(condition, stage, path)
        self.refuse(condition, path, stage, covered, before)
        return condition

    def refuse(
        self,
        condition: Condition,
        path: Path,
        stage: Stage,
        covered: Sequence[Covered],
        before: int,
    ) -> None:
        """Refuse a condition that looks for what is never there, or that is never true.

        Args:
            condition: The condition.
            path: Its place in the policy.
            stage: When its rule is asked.
            covered: What the tools that its rule covers declare.
            before: How many faults there were before it was read.
        """
        if self.complete:
            document = self.loaded.document
            self.faults.extend(
                unknown_references(document, path, condition, self.everything, self.labels)
            )
            self.faults.extend(self.literals.faults(self.loaded, path, condition, covered))
        if len(self.faults) == before:
            self._refuse_never(condition, stage, path)

    def _environment(self, stage: Stage, covered: Sequence[Covered]) -> Environment:
        """Return what an expression may read; rules about the same share one."""
        key = (stage, id(covered))
        if key not in self.environments:
            self.environments[key] = covered, environment(self.loaded, stage, covered)
        return self.environments[key][1]

    def _refuse_silent(
        self, reads: Sequence[tuple[str, ...]], covered: Sequence[Covered], path: Path
    ) -> None:
        """Refuse to check the text of arguments that never hold any."""
        for i, (name, *below) in enumerate(reads):
            schemas = [args[name] for args in covered if args is not None and name in args]
            if not below and None not in covered and schemas and all(map(_is_silent, schemas)):
                message = f'the argument "{name}" never holds text, so the check finds nothing'
                hint = "use `args` or `when` for numbers and booleans"
                self.faults.append(
                    self.loaded.document.fault((*path, i), "PE020", message, hint=hint)
                )

    def _check(self, check: Any, path: Path) -> TextCheck | None:
        for kind in CHECKS:
            options = getattr(check, kind)
            if options is None:
                continue
            try:
                return CHECKS[kind].build(options, self.patterns)
            except OptionFaults as error:
                self.faults.extend(
                    self.loaded.document.fault(
                        (*path, kind, *fault.path), fault.code, fault.message, hint=fault.hint
                    )
                    for fault in error.faults
                )
        return None

    def entry_arguments(self, name: str, entry: Any) -> Constraint | None:
        """Compile the arguments of an entry."""
        rule = f"{self.policy.policy}/tools/{escaped(name)}"
        return self._constraint(
            rule,
            entry.args,
            ("tools", name, "args"),
            closed=True,
            enforced=self.policy.mode == "enforce",
        )

    def _constraint(
        self,
        name: str,
        schemas: Mapping[str, Any],
        path: Path,
        *,
        closed: bool,
        enforced: bool,
        rule: Any = None,
    ) -> Constraint | None:
        document = self.loaded.document
        try:
            arguments = compile_arguments(schemas, closed=closed, patterns=self.patterns)
        except Exception as error:  # noqa: BLE001 - likewise
            self._unusable(path, error)
            return None

        def place(below: Path) -> Location:
            return document.key_at((*path, *below))

        return Constraint(
            rule=name,
            arguments=arguments,
            schemas=schemas,
            place=place,
            enforced=enforced,
            names_arguments=closed,
            effect="deny" if rule is None else rule.effect,
            message=None if rule is None else rule.message,
        )

    def _guards(self, reads: frozenset[tuple[str, ...]]) -> tuple[Guarded, ...]:
        found: dict[tuple[str, str], Guarded] = {}
        for read in sorted(reads):
            place, name = _declared(read)
            schemas: Mapping[str, Any] = {
                "context": self.policy.context,
                "attrs": self.policy.attrs,
                "facts": {key: fact.schema_ for key, fact in self.policy.facts.items()},
            }.get(place, {})
            names = [name] if name else list(schemas)
            for key in names:
                if key in schemas and (place, key) not in found:
                    validator = self._validator(place, key, schemas[key])
                    if validator is not None:
                        found[place, key] = Guarded(place, key, validator)
        return tuple(found.values())

    def _unusable(self, path: Path, error: Exception) -> None:
        """Refuse a schema that does not compile, unless what is wrong is told already."""
        if not self.faults:
            message = f"not a usable schema: {error}"
            self.faults.append(self.loaded.document.fault(path, "PE015", message))

    def _validator(self, place: str, key: str, schema: Any) -> Validator | None:
        """Compile what a declared value must fit; None where a fault of it is told already."""
        validator = self.validators.get((place, key))
        if validator is None:
            try:
                validator = compile_schema(schema, closed=False)
            except Exception as error:  # noqa: BLE001 - one at fault may fail in any way
                self._unusable((place, key, "schema") if place == "facts" else (place, key), error)
                return None
            self.validators[place, key] = validator
        return validator

    def limit(self, limit: Any, index: int) -> CompiledLimit:
        """Compile one limit."""
        path: Path = ("limits", index)
        env = self._environment("tool_call", self._covered(limit.tools, ()))
        numbers: tuple[Type, ...] = (INT, DOUBLE)
        amount = None
        document = self.loaded.document
        if limit.of.startswith("args.") and limit.tools is not None:
            amount = read_value(document, (*path, "of"), limit.of, env, self.faults, numbers)
        keys = {}
        scalars: tuple[Type, ...] = (STRING, INT, DOUBLE, DYN)
        for position, part in enumerate(limit.by):
            if part.startswith("args.") and limit.tools is not None:
                read = read_value(
                    document, (*path, "by", position), part, env, self.faults, scalars
                )
                if read is not None:
                    keys[part] = read
        return CompiledLimit(
            name=f"{self.policy.policy}/{limit.id}",
            unit=limit.of,
            max=limit.max,
            per=limit.per,
            by=limit.by,
            enforced=limit.mode == "enforce" and self.policy.mode == "enforce",
            location=document.at(path),
            message=limit.message,
            timezone=limit.timezone,
            alert_at=limit.alert_at,
            amount=amount,
            keys=keys,
            priced=frozenset(
                name for loaded in self.everything.policies for name in loaded.policy.prices
            ),
        )

    def lookups(self, parts: Parts) -> None:
        """Compile what facts are looked up by, once for each stage that can read it."""
        if not self.policy.facts:
            return
        covered = [self.entries.all_declared()]
        stages: tuple[Stage, ...] = (
            "tool_call",
            "tool_result",
            "handoff",
            "input",
            "output",
            "model_request",
            "model_response",
        )
        for name, fact in self.policy.facts.items():
            tried: list[Fault] = []
            usable = False
            for stage in stages:
                faults: list[Fault] = []
                env = self._environment(stage, covered)
                read = [
                    read_value(self.loaded.document, ("facts", name, "with", i), text, env, faults)
                    for i, text in enumerate(fact.with_)
                ]
                arguments = tuple(value for value in read if value is not None)
                faults.extend(self._unknown_yet(name, arguments))
                if faults:
                    tried.append(faults[0])
                    continue
                usable = True
                self.readable.setdefault(name, set()).add(stage)
                parts.lookups.setdefault(stage, []).append(
                    FactLookup(name, fact.from_.removeprefix("app:"), arguments, fact.timeout)
                )
            if not usable and tried:
                self.faults.append(tried[0])

    def _unknown_yet(self, name: str, arguments: Sequence[Expression]) -> Iterator[Fault]:
        """Find what is not known when a fact is looked up, so that it never could be."""
        for i, value in enumerate(arguments):
            for read in sorted(value.reads):
                if read[0] in ("facts", "now") or (read[0] == "session" and read[1:2] != ("id",)):
                    yield self.loaded.document.fault(
                        ("facts", name, "with", i),
                        "PE013",
                        f'"{".".join(read)}" is not known yet when a fact is looked up',
                        hint="look it up by what the request carries, such as args.NAME",
                    )

    def _refuse_never(self, condition: Condition, stage: Stage, path: Path) -> None:
        """Refuse a condition that is false whatever is asked, or never to be told."""
        known: dict[str, str] = {}
        if stage in ("tool_call", "tool_result", "handoff"):  # rules over texts have two stages
            known["stage"] = stage
        if path[0] in ("tools", "handoffs") and not is_glob(str(path[1])):
            known["tool" if path[0] == "tools" else "target"] = str(path[1])
        if True not in outcomes(condition.tree, known):
            message = f"the condition {quoted(condition.text)} can never be true"
            hint = "say when the rule matches, or remove the rule"
            self.faults.append(self.loaded.document.fault(path, "PE020", message, hint=hint))

    def _refuse_facts(self, condition: Condition, stage: Stage, path: Path) -> None:
        """Refuse to read a fact that is looked up by what this stage does not have."""
        read = {path[1] for path in condition.reads if path[0] == "facts" and len(path) > 1}
        for name in sorted(read):
            stages = self.readable.get(name)
            if stages is not None and stage not in stages:
                by = ", ".join(self.policy.facts[name].with_)
                message = f'the fact "{name}" cannot be looked up for this rule'
                hint = f"it is looked up by {by}, which is there at {', '.join(sorted(stages))}"
                self.faults.append(self.loaded.document.fault(path, "PE013", message, hint=hint))


def _is_silent(schema: Any) -> bool:
    kinds = schema.get("type", "string") if isinstance(schema, Mapping) else "string"
    named = kinds if isinstance(kinds, list | tuple) else [kinds]
    return all(isinstance(kind, str) and kind in _NO_TEXT for kind in named)


def _declared(read: tuple[str, ...]) -> tuple[str, str | None]:
    if read[0] in ("context", "facts"):
        return read[0], read[1] if len(read) > 1 else None
    if read[0] == "principal" and (len(read) == 1 or read[1] == "attrs"):
        return "attrs", read[2] if len(read) > 2 else None
    return "", None


def compile_parts(
    policies: PolicySet, patterns: Patterns, faults: list[Fault], *, complete: bool
) -> list[Parts]:
    """Compile every policy of a set, adding what is wrong to `faults`."""
    labels = frozenset(
        label
        for loaded in policies.policies
        for entry in (loaded.policy.tools or {}).values()
        for label in entry.labels
    )
    entries = Entries(policies.policies)
    literals = Literals(policies.policies)
    return [
        PolicyCompiler(
            policies, entries, loaded, patterns, faults, literals, labels, complete
        ).compile()
        for loaded in policies.policies
    ]
