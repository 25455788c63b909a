"""The tree of an expression -> the same tree with types, or all that does not fit.

Types are gradual: what has no declared type is DYN and fits everywhere, and is checked at run
time. A problem is noted and its node becomes a `Failure`, so that the rest is checked too.
"""

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from policy_engine.cel import literals
from policy_engine.cel.environment import Constant, Environment, Variable, freeze_constant
from policy_engine.cel.functions import FUNCTIONS
from policy_engine.cel.macros import MACRO_NAMES
from policy_engine.cel.nodes import (
    And,
    Bind,
    Call,
    Conditional,
    Entry,
    Failure,
    Has,
    Identifier,
    Index,
    ListItems,
    Literal,
    Local,
    Loop,
    MapEntries,
    Node,
    Not,
    OptionalMap,
    Or,
    Select,
    VariableRead,
)
from policy_engine.cel.overloads import NUMBERS, Function, compatible, resolve
from policy_engine.cel.presence import Present, access_path, join_present, known_when
from policy_engine.cel.problems import Kind, Problem, did_you_mean
from policy_engine.cel.types import (
    BOOL,
    DYN,
    INT,
    NULL,
    STRING,
    TYPE,
    Field,
    ListType,
    MapType,
    OptionalType,
    RecordType,
    Type,
    constant_type,
    join,
    join_all,
)
from policy_engine.cel.values import TYPE_VALUES, Map

__all__ = ["Checker", "type_of"]

_LIST_KEYS = NUMBERS | {DYN}
_OPERATORS = frozenset({"+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "in", "neg"})


def type_of(node: Node) -> Type:
    """Return the type of a checked node."""
    return node.type  # type: ignore[attr-defined, no-any-return]


class Checker:
    """Checks one expression against one environment."""

    def __init__(self, environment: Environment) -> None:
        self.variables = environment.variables
        self.problems: list[Problem] = []
        self.scope: Mapping[str, Local] = {}
        self.present: Present | None = frozenset()
        self.slots = 0
        self.checks: Mapping[type[Node], Callable[[Any], Node]] = {
            Literal: lambda node: node,
            Identifier: self.identifier,
            Select: self.select,
            Has: self.has,
            Index: self.index,
            Call: self.call,
            And: self.conjunction,
            Or: self.disjunction,
            Not: self.negation,
            Conditional: self.conditional,
            ListItems: self.list_items,
            MapEntries: self.map_entries,
            Loop: self.loop,
            Bind: self.bind,
            OptionalMap: self.optional_map,
        }

    def check(self, node: Node) -> Node:
        """Return a node with types."""
        return self.checks[type(node)](node)

    def fail(
        self, node: Node, message: str, hint: str | None = None, kind: Kind = "type"
    ) -> Failure:
        """Note a problem with a node."""
        self.problems.append(Problem(node.start, node.end - node.start, kind, message, hint))
        return Failure(node.start, node.end, message)

    def fail_at(
        self, node: Select | Has, message: str, hint: str | None = None, kind: Kind = "type"
    ) -> Failure:
        """Note a problem with the field that a node reads."""
        end = node.end - 1 if isinstance(node, Has) else node.end
        self.problems.append(Problem(node.at, max(1, end - node.at), kind, message, hint))
        return Failure(node.start, node.end, message)

    @contextmanager
    def knowing(self, present: Present | None) -> Iterator[None]:
        """Check something where more fields are known to be present."""
        before = self.present
        self.present = join_present(before, present)
        yield
        self.present = before

    @contextmanager
    def binding(self, *locals_: Local) -> Iterator[None]:
        """Check something where macro variables stand for something."""
        before = self.scope
        self.scope = {**before, **{local.name: local for local in locals_}}
        yield
        self.scope = before

    def new_local(self, node: Node, kind: Type) -> Local:
        """Return a variable of a macro."""
        assert isinstance(node, Identifier)  # noqa: S101 - the parser's promise
        self.slots += 1
        return Local(node.start, node.end, node.name, self.slots, kind)

    def identifier(self, node: Identifier) -> Node:
        local = self.scope.get(node.name)
        if local is not None:
            return replace(local, start=node.start, end=node.end)
        found = self.global_name(node, node.name.removeprefix("."))
        if found is not None:
            return found
        names = [*self.scope, *self.variables]
        hint = did_you_mean(node.name, names)
        if hint is None and names:
            hint = f"there are {', '.join(sorted(names))}" if len(names) <= 12 else None
        return self.fail(node, f'"{node.name}" is not declared', hint)

    def global_name(self, node: Node, name: str) -> Node | None:
        variable = self.variables.get(name)
        if isinstance(variable, Variable):
            return VariableRead(node.start, node.end, name, variable.path, variable.type)
        if isinstance(variable, Constant):
            value = freeze_constant(variable.value)
            return Literal(node.start, node.end, value, constant_type(variable.value))
        if name in TYPE_VALUES:
            return Literal(node.start, node.end, TYPE_VALUES[name], TYPE)
        return None

    def dotted(self, node: Node) -> str | None:
        """Return the name that a chain of plain fields spells, unless it starts at a local."""
        if isinstance(node, Identifier):
            return None if node.name in self.scope else node.name.removeprefix(".")
        if isinstance(node, Select) and not node.optional:
            before = self.dotted(node.operand)
            return None if before is None else f"{before}.{node.field}"
        return None

    def select(self, node: Select) -> Node:
        name = self.dotted(node)
        found = self.global_name(node, name) if name is not None else None
        return found or self.select_from(node, self.check(node.operand))

    def select_from(self, node: Select, operand: Node) -> Node:
        if isinstance(operand, Failure):
            return operand
        if isinstance(operand, Literal) and isinstance(operand.value, Map):
            return self.select_constant(node, operand.value)
        kind = type_of(operand)
        inner = kind.inner if isinstance(kind, OptionalType) else kind
        result: Type = DYN
        checked = replace(node, operand=operand)
        if isinstance(inner, RecordType):
            field = self.declared_field(node, inner)
            if field is None:
                return Failure(node.start, node.end, "not a field")
            self.require_present(checked, field, chained=inner is not kind)
            result = field.type
        elif isinstance(inner, MapType):
            result = inner.value
        elif inner != DYN:
            return self.fail_at(node, f'"{node.field}" is read from {_a(inner)}, without fields')
        if node.optional or inner is not kind:
            result = OptionalType(result)
        return replace(checked, type=result)

    def select_constant(self, node: Select, value: Map) -> Node:
        if node.field in value:
            found = value[node.field]
            kind = constant_type(found)
            if node.optional:
                return Call(
                    node.start,
                    node.end,
                    "optional.of",
                    (Literal(node.start, node.end, found, kind),),
                    type=OptionalType(kind),
                )
            return Literal(node.start, node.end, found, kind)
        if node.optional:
            return Call(node.start, node.end, "optional.none", (), type=OptionalType(DYN))
        hint = did_you_mean(node.field, [str(key) for key in value])
        return self.fail_at(node, f'"{node.field}" is not one of the constants', hint)

    def declared_field(self, node: Select | Has, record: RecordType) -> Field | None:
        field = record.fields.get(node.field)
        if field is not None:
            return field
        if record.open:
            return Field(DYN)
        names = list(record.fields)
        hint = did_you_mean(node.field, names)
        if hint is None and 0 < len(names) <= 12:
            hint = f"it has {', '.join(sorted(names))}"
        self.fail_at(node, f'"{node.field}" is not a field of {_named(record)}', hint)
        return None

    def require_present(self, node: Select, field: Field, *, chained: bool) -> None:
        if not field.optional or node.optional or chained or self.present is None:
            return
        path = access_path(node)
        if path is None or path not in self.present:
            written = ".".join([*(p.partition("#")[0] for p in path or ()), ""])[:-1]
            hint = f"guard it: has({written}) && …" if written else 'write ".?" instead of "."'
            message = f'"{node.field}" is optional and read outside has()'
            self.fail_at(node, message, hint, "optional")

    def has(self, node: Has) -> Node:
        operand = self.check(node.operand)
        if isinstance(operand, Failure):
            return operand
        if isinstance(operand, Literal) and isinstance(operand.value, Map):
            return Literal(node.start, node.end, node.field in operand.value, BOOL)
        kind = type_of(operand)
        inner = kind.inner if isinstance(kind, OptionalType) else kind
        if isinstance(inner, RecordType):
            if self.declared_field(node, inner) is None:
                return Failure(node.start, node.end, "not a field")
        elif not isinstance(inner, MapType) and inner != DYN:
            return self.fail_at(node, f'"{node.field}" is read from {_a(inner)}, without fields')
        return replace(node, operand=operand, type=BOOL)

    def index(self, node: Index) -> Node:
        operand, key = self.check(node.operand), self.check(node.key)
        if isinstance(operand, Failure) or isinstance(key, Failure):
            return operand if isinstance(operand, Failure) else key
        kind = type_of(operand)
        inner = kind.inner if isinstance(kind, OptionalType) else kind
        if isinstance(inner, RecordType) and isinstance(key, Literal) and type(key.value) is str:
            select = Select(
                node.start, node.end, operand, key.value, key.start, node.optional
            )
            return self.select_from(select, operand)
        key_type = type_of(key)
        result = self.index_type(node, inner, key_type)
        if result is None:
            return Failure(node.start, node.end, "not an index")
        if node.optional or inner is not kind:
            result = OptionalType(result)
        return replace(node, operand=operand, key=key, type=result)

    def index_type(self, node: Index, container: Type, key: Type) -> Type | None:
        if isinstance(container, ListType):
            if key in _LIST_KEYS:
                return container.element
            self.fail(node.key, f"a list is indexed by an int, not by {_a(key)}")
            return None
        if isinstance(container, MapType):
            if compatible(container.key, key):
                return container.value
            self.fail(node.key, f"the keys of a {container} are not {_a(key)}")
            return None
        if isinstance(container, RecordType):
            if any(field.path is not None for field in container.fields.values()):
                self.fail(node.key, f"the fields of {_named(container)} are read by name")
                return None
            if key in (STRING, DYN):
                return DYN
            self.fail(node.key, f"the keys of {_named(container)} are strings, not {_a(key)}")
            return None
        if container == DYN:
            return DYN
        self.fail(node, f"{_a(container)} has no elements")
        return None

    def call(self, node: Call) -> Node:
        function, arguments, member = self.callee(node)
        if function is None:
            return self.unknown_function(node)
        checked = tuple(self.check(argument) for argument in arguments)
        for argument in checked:
            if isinstance(argument, Failure):
                return argument
        types = [type_of(argument) for argument in checked]
        result = resolve(function, types, member=member)
        if result is None:
            return self.no_overload(node, function, types, member=member)
        call = Call(node.start, node.end, function.name, checked, type=result)
        problem = literals.check(call)
        return self.fail(call, problem) if problem is not None else call

    def callee(self, node: Call) -> tuple[Function | None, tuple[Node, ...], bool]:
        """Return a call's function, its arguments with the target first, and if it is a method."""
        if node.target is None:
            return self.function(node.function, member=False), node.arguments, False
        space = self.dotted(node.target)
        if space is not None and f"{space}.{node.function}" in FUNCTIONS:
            return FUNCTIONS[f"{space}.{node.function}"], node.arguments, False
        function = self.function(node.function, member=True)
        return function, (node.target, *node.arguments), True

    def function(self, name: str, *, member: bool) -> Function | None:
        function = FUNCTIONS.get(name)
        if function is None or "." in name:
            return None
        return function if any(o.member is member for o in function.overloads) else None

    def unknown_function(self, node: Call) -> Node:
        member = node.target is not None
        names = [n for n in FUNCTIONS if self.function(n, member=member)]
        names += MACRO_NAMES if member else ("has",)
        hint = did_you_mean(node.function, [n for n in names if n not in _OPERATORS])
        other = self.function(node.function, member=not member)
        if other is not None:
            hint = (
                f'write "{node.function}(…)"' if member else f'write "….{node.function}(…)"'
            )
        return self.fail(node, f'"{node.function}" is not a function', hint)

    def no_overload(
        self, node: Call, function: Function, types: list[Type], *, member: bool
    ) -> Node:
        given = ", ".join(map(str, types))
        if function.name in ("==", "!=") and NULL in types:
            message = f'"{function.name}" compares {_a(types[0])} with {_a(types[1])}'
            return self.fail(node, message, "ask has() whether it is present")
        if function.name in _OPERATORS:
            sign = "-" if function.name == "neg" else function.name
            between = " and ".join(map(_a, types))
            return self.fail(node, f'"{sign}" does not go with {between}')
        takes = [str(o) for o in function.overloads if o.member is member][:4]
        hint = f"it takes {' or '.join(takes)}" if takes else None
        return self.fail(node, f'"{function.name}" does not take ({given})', hint)

    def boolean(self, node: Node, what: str) -> Node:
        checked = self.check(node)
        kind = type_of(checked)
        if kind not in (BOOL, DYN):
            return self.fail(node, f"{what} is a bool, not {_a(kind)}")
        return checked

    def conjunction(self, node: And) -> Node:
        return replace(node, terms=self.terms(node.terms, "&&", outcome=True), type=BOOL)

    def disjunction(self, node: Or) -> Node:
        return replace(node, terms=self.terms(node.terms, "||", outcome=False), type=BOOL)

    def terms(self, terms: tuple[Node, ...], sign: str, *, outcome: bool) -> tuple[Node, ...]:
        checked: list[Node] = []
        known: Present | None = frozenset()
        for term in terms:
            with self.knowing(known):
                checked.append(self.boolean(term, f'what "{sign}" takes'))
            known = join_present(known, known_when(checked[-1], outcome=outcome))
        return tuple(checked)

    def negation(self, node: Not) -> Node:
        return replace(node, operand=self.boolean(node.operand, 'what "!" takes'), type=BOOL)

    def conditional(self, node: Conditional) -> Node:
        test = self.boolean(node.test, 'what stands before "?"')
        with self.knowing(known_when(test, outcome=True)):
            then = self.check(node.then)
        with self.knowing(known_when(test, outcome=False)):
            otherwise = self.check(node.otherwise)
        first, second = type_of(then), type_of(otherwise)
        if not compatible(first, second) and NULL not in (first, second):
            return self.fail(node, f'"?:" gives {_a(first)} or {_a(second)}')
        return replace(
            node, test=test, then=then, otherwise=otherwise, type=join(first, second)
        )

    def list_items(self, node: ListItems) -> Node:
        items = tuple(self.check(item) for item in node.items)
        types = [
            self.inner_type(item) if position in node.optionals else type_of(item)
            for position, item in enumerate(items)
        ]
        return replace(node, items=items, type=ListType(join_all(types)))

    def inner_type(self, node: Node) -> Type:
        kind = type_of(node)
        if isinstance(kind, OptionalType):
            return kind.inner
        if kind != DYN:
            self.fail(node, f'"?" takes an optional, not {_a(kind)}')
        return DYN

    def map_entries(self, node: MapEntries) -> Node:
        entries = tuple(
            Entry(self.check(e.key), self.check(e.value), e.optional) for e in node.entries
        )
        keys = join_all([type_of(entry.key) for entry in entries])
        values = join_all(
            [self.inner_type(e.value) if e.optional else type_of(e.value) for e in entries]
        )
        return replace(node, entries=entries, type=MapType(keys, values))

    def loop(self, node: Loop) -> Node:
        over = self.check(node.range)
        if isinstance(over, Failure):
            return over
        types = self.loop_types(node, type_of(over))
        if types is None:
            return Failure(node.start, node.end, "not a list or a map")
        variables = tuple(
            self.new_local(name, kind) for name, kind in zip(node.variables, types, strict=True)
        )
        with self.binding(*variables):
            condition = node.condition
            if condition is not None:
                condition = self.boolean(condition, f'the condition of "{node.kind}"')
            known = known_when(condition, outcome=True) if condition is not None else frozenset()
            with self.knowing(known):
                result = self.check(node.result) if node.result is not None else None
        checked = replace(
            node, range=over, variables=variables, condition=condition, result=result
        )
        return self.loop_result(checked, types)

    def loop_types(self, node: Loop, over: Type) -> tuple[Type, ...] | None:
        two = len(node.variables) == 2
        if isinstance(over, ListType):
            return (INT, over.element) if two else (over.element,)
        if isinstance(over, MapType):
            return (over.key, over.value) if two else (over.key,)
        if isinstance(over, RecordType) and all(f.path is None for f in over.fields.values()):
            return (STRING, DYN) if two else (STRING,)
        if over == DYN:
            return (DYN, DYN) if two else (DYN,)
        self.fail(node.range, f'"{node.kind}" goes over a list or a map, not over {_a(over)}')
        return None

    def loop_result(self, node: Loop, types: tuple[Type, ...]) -> Node:
        given = type_of(node.result) if node.result is not None else DYN
        if node.kind in ("all", "exists", "exists_one"):
            return replace(node, type=BOOL)
        if node.kind == "filter":
            return replace(node, type=ListType(types[0]))
        if node.kind in ("map", "transformList"):
            return replace(node, type=ListType(given))
        if node.kind == "transformMap":
            return replace(node, type=MapType(types[0] if len(types) == 2 else DYN, given))
        if not isinstance(given, MapType) and given != DYN:
            return self.fail(node, f'"transformMapEntry" makes a map, not {_a(given)}')
        return replace(node, type=given if isinstance(given, MapType) else MapType(DYN, DYN))

    def bind(self, node: Bind) -> Node:
        value = self.check(node.value)
        variable = self.new_local(node.variable, type_of(value))
        with self.binding(variable):
            body = self.check(node.body)
        return replace(node, variable=variable, value=value, body=body, type=type_of(body))

    def optional_map(self, node: OptionalMap) -> Node:
        operand = self.check(node.operand)
        if isinstance(operand, Failure):
            return operand
        name = "optFlatMap" if node.flat else "optMap"
        kind = type_of(operand)
        if kind != DYN and not isinstance(kind, OptionalType):
            return self.fail(node.operand, f'"{name}" is called on an optional, not on {_a(kind)}')
        variable = self.new_local(
            node.variable, kind.inner if isinstance(kind, OptionalType) else DYN
        )
        with self.binding(variable):
            body = self.check(node.body)
        result = type_of(body)
        if node.flat and result != DYN and not isinstance(result, OptionalType):
            return self.fail(node.body, f'"{name}" makes an optional, not {_a(result)}')
        if not node.flat:
            result = OptionalType(result)
        return replace(node, operand=operand, variable=variable, body=body, type=result)


def _a(kind: Type) -> str:
    """Return a type's name with its article, for a message."""
    name = str(kind)
    if kind == NULL:
        return name
    return f"{'an' if name[0] in 'aeio' else 'a'} {name}"


def _named(record: RecordType) -> str:
    return f'"{record.name}"' if record.name else "the object"
