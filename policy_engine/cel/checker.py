"""The tree of an expression -> the same tree with types, or all that does not fit.

Types are gradual: what has no declared type is DYN and fits everywhere, and is checked at run
time. A problem is noted and its node becomes a `Failure`, so that the rest is checked too.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from policy_engine.cel import calls, literals
from policy_engine.cel.environment import Environment
from policy_engine.cel.functions import FUNCTIONS
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
    Loop,
    MapEntries,
    Node,
    Not,
    OptionalMap,
    Or,
    Select,
)
from policy_engine.cel.overloads import NUMBERS, Function, compatible, resolve
from policy_engine.cel.presence import Present, access_path, join_present, known_when
from policy_engine.cel.problems import did_you_mean
from policy_engine.cel.scope import Scope
from policy_engine.cel.types import (
    BOOL,
    DYN,
    INT,
    NULL,
    STRING,
    Field,
    ListType,
    MapType,
    OptionalType,
    RecordType,
    Type,
    constant_type,
    described,
    join,
    join_all,
    named,
)
from policy_engine.cel.values import Map

__all__ = ["Checker", "type_of"]

_LIST_KEYS = NUMBERS | {DYN}


def type_of(node: Node) -> Type:
    """Return the type of a checked node."""
    return node.type  # type: ignore[attr-defined, no-any-return]


class Checker(Scope):
    """Checks one expression against one environment."""

    _checks: Mapping[type[Node], Callable[[Any], Node]]

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._checks = {
            Literal: lambda node: node,
            Identifier: self.identifier,
            Select: self._select,
            Has: self._has,
            Index: self._index,
            Call: self._call,
            And: self._conjunction,
            Or: self._disjunction,
            Not: self._negation,
            Conditional: self._conditional,
            ListItems: self._list_items,
            MapEntries: self._map_entries,
            Loop: self._loop,
            Bind: self._bind,
            OptionalMap: self._optional_map,
        }

    def check(self, node: Node) -> Node:
        """Return a node with types."""
        return self._checks[type(node)](node)

    def _select(self, node: Select) -> Node:
        name = self.dotted(node)
        found = self.global_name(node, name) if name is not None else None
        return found or self._select_from(node, self.check(node.operand))

    def _select_from(self, node: Select, operand: Node) -> Node:
        if isinstance(operand, Failure):
            return operand
        if isinstance(operand, Literal) and isinstance(operand.value, Map):
            return self._select_constant(node, operand.value)
        kind = type_of(operand)
        inner = kind.inner if isinstance(kind, OptionalType) else kind
        result: Type = DYN
        checked = replace(node, operand=operand)
        if isinstance(inner, RecordType):
            field = self._declared_field(node, inner)
            if field is None:
                return Failure(node.start, node.end, "not a field")
            self._require_present(checked, field, chained=inner is not kind)
            result = field.type
        elif isinstance(inner, MapType):
            result = inner.value
        elif inner != DYN:
            return self.fail_at(
                node, f'"{node.field}" is read from {described(inner)}, without fields'
            )
        if node.optional or inner is not kind:
            result = OptionalType(result)
        return replace(checked, type=result)

    def _select_constant(self, node: Select, value: Map) -> Node:
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

    def _declared_field(self, node: Select | Has, record: RecordType) -> Field | None:
        field = record.fields.get(node.field)
        if field is not None:
            return field
        if record.open:
            return Field(DYN)
        names = list(record.fields)
        hint = did_you_mean(node.field, names)
        if hint is None and 0 < len(names) <= 12:
            hint = f"it has {', '.join(sorted(names))}"
        self.fail_at(node, f'"{node.field}" is not a field of {named(record)}', hint)
        return None

    def _require_present(self, node: Select, field: Field, *, chained: bool) -> None:
        if not field.optional or node.optional or chained or self.present is None:
            return
        path = access_path(node)
        if path is None or path not in self.present:
            written = ".".join([*(p.partition("#")[0] for p in path or ()), ""])[:-1]
            hint = f"guard it: has({written}) && …" if written else 'write ".?" instead of "."'
            message = f'"{node.field}" is optional and read outside has()'
            self.fail_at(node, message, hint, "optional")

    def _has(self, node: Has) -> Node:
        operand = self.check(node.operand)
        if isinstance(operand, Failure):
            return operand
        if isinstance(operand, Literal) and isinstance(operand.value, Map):
            return Literal(node.start, node.end, node.field in operand.value, BOOL)
        kind = type_of(operand)
        inner = kind.inner if isinstance(kind, OptionalType) else kind
        if isinstance(inner, RecordType):
            if self._declared_field(node, inner) is None:
                return Failure(node.start, node.end, "not a field")
        elif not isinstance(inner, MapType) and inner != DYN:
            return self.fail_at(
                node, f'"{node.field}" is read from {described(inner)}, without fields'
            )
        return replace(node, operand=operand, type=BOOL)

    def _index(self, node: Index) -> Node:
        operand, key = self.check(node.operand), self.check(node.key)
        if isinstance(operand, Failure) or isinstance(key, Failure):
            return operand if isinstance(operand, Failure) else key
        kind = type_of(operand)
        inner = kind.inner if isinstance(kind, OptionalType) else kind
        if isinstance(inner, RecordType) and isinstance(key, Literal) and type(key.value) is str:
            select = Select(node.start, node.end, operand, key.value, key.start, node.optional)
            return self._select_from(select, operand)
        key_type = type_of(key)
        result = self._index_type(node, inner, key_type)
        if result is None:
            return Failure(node.start, node.end, "not an index")
        if node.optional or inner is not kind:
            result = OptionalType(result)
        return replace(node, operand=operand, key=key, type=result)

    def _index_type(self, node: Index, container: Type, key: Type) -> Type | None:
        if isinstance(container, ListType):
            if key in _LIST_KEYS:
                return container.element
            self.fail(node.key, f"a list is indexed by an int, not by {described(key)}")
            return None
        if isinstance(container, MapType):
            if compatible(container.key, key):
                return container.value
            self.fail(node.key, f"the keys of a {container} are not {described(key)}")
            return None
        if isinstance(container, RecordType):
            if any(field.path is not None for field in container.fields.values()):
                self.fail(node.key, f"the fields of {named(container)} are read by name")
                return None
            if key in (STRING, DYN):
                return DYN
            self.fail(node.key, f"the keys of {named(container)} are strings, not {described(key)}")
            return None
        if container == DYN:
            return DYN
        self.fail(node, f"{described(container)} has no elements")
        return None

    def _call(self, node: Call) -> Node:
        function, arguments, member = self.callee(node)
        if function is None:
            message, hint = calls.unknown(node)
            return self.fail(node, message, hint)
        checked = tuple(self.check(argument) for argument in arguments)
        for argument in checked:
            if isinstance(argument, Failure):
                return argument
        types = [type_of(argument) for argument in checked]
        result = resolve(function, types, member=member)
        call = Call(node.start, node.end, function.name, checked, type=result or DYN)
        if result is None:
            message, hint = calls.no_overload(function, types, member=member)
            self.fail(node, message, hint)
            return call
        problem = literals.check(call)
        return self.fail(call, problem) if problem is not None else call

    def callee(self, node: Call) -> tuple[Function | None, tuple[Node, ...], bool]:
        """Return a call's function, its arguments with the target first, and if it is a method."""
        if node.target is None:
            return calls.find(node.function, member=False), node.arguments, False
        space = self.dotted(node.target)
        if space is not None and f"{space}.{node.function}" in FUNCTIONS:
            return FUNCTIONS[f"{space}.{node.function}"], node.arguments, False
        function = calls.find(node.function, member=True)
        return function, (node.target, *node.arguments), True

    def _boolean(self, node: Node, what: str) -> Node:
        checked = self.check(node)
        kind = type_of(checked)
        if kind not in (BOOL, DYN):
            return self.fail(node, f"{what} is a bool, not {described(kind)}")
        return checked

    def _conjunction(self, node: And) -> Node:
        return replace(node, terms=self._terms(node.terms, "&&", outcome=True), type=BOOL)

    def _disjunction(self, node: Or) -> Node:
        return replace(node, terms=self._terms(node.terms, "||", outcome=False), type=BOOL)

    def _terms(self, terms: tuple[Node, ...], sign: str, *, outcome: bool) -> tuple[Node, ...]:
        checked: list[Node] = []
        known: Present | None = frozenset()
        for term in terms:
            with self.knowing(known):
                checked.append(self._boolean(term, f'what "{sign}" takes'))
            known = join_present(known, known_when(checked[-1], outcome=outcome))
        return tuple(checked)

    def _negation(self, node: Not) -> Node:
        return replace(node, operand=self._boolean(node.operand, 'what "!" takes'), type=BOOL)

    def _conditional(self, node: Conditional) -> Node:
        test = self._boolean(node.test, 'what stands before "?"')
        with self.knowing(known_when(test, outcome=True)):
            then = self.check(node.then)
        with self.knowing(known_when(test, outcome=False)):
            otherwise = self.check(node.otherwise)
        first, second = type_of(then), type_of(otherwise)
        if not compatible(first, second) and NULL not in (first, second):
            self.fail(node, f'"?:" gives {described(first)} or {described(second)}')
        return replace(node, test=test, then=then, otherwise=otherwise, type=join(first, second))

    def _list_items(self, node: ListItems) -> Node:
        items = tuple(self.check(item) for item in node.items)
        types = [
            self._inner_type(item) if position in node.optionals else type_of(item)
            for position, item in enumerate(items)
        ]
        return replace(node, items=items, type=ListType(join_all(types)))

    def _inner_type(self, node: Node) -> Type:
        kind = type_of(node)
        if isinstance(kind, OptionalType):
            return kind.inner
        if kind != DYN:
            self.fail(node, f'"?" takes an optional, not {described(kind)}')
        return DYN

    def _map_entries(self, node: MapEntries) -> Node:
        entries = tuple(
            Entry(self.check(e.key), self.check(e.value), e.optional) for e in node.entries
        )
        keys = join_all([type_of(entry.key) for entry in entries])
        values = join_all(
            [self._inner_type(e.value) if e.optional else type_of(e.value) for e in entries]
        )
        return replace(node, entries=entries, type=MapType(keys, values))

    def _loop(self, node: Loop) -> Node:
        over = self.check(node.range)
        if isinstance(over, Failure):
            return over
        types = self._loop_types(node, type_of(over))
        if types is None:
            return Failure(node.start, node.end, "not a list or a map")
        variables = tuple(
            self.new_local(name, kind) for name, kind in zip(node.variables, types, strict=True)
        )
        with self.binding(*variables):
            condition = node.condition
            if condition is not None:
                condition = self._boolean(condition, f'the condition of "{node.kind}"')
            known = known_when(condition, outcome=True) if condition is not None else frozenset()
            with self.knowing(known):
                result = self.check(node.result) if node.result is not None else None
        checked = replace(node, range=over, variables=variables, condition=condition, result=result)
        return self._loop_result(checked, types)

    def _loop_types(self, node: Loop, over: Type) -> tuple[Type, ...] | None:
        two = len(node.variables) == 2
        if isinstance(over, ListType):
            return (INT, over.element) if two else (over.element,)
        if isinstance(over, MapType):
            return (over.key, over.value) if two else (over.key,)
        if isinstance(over, RecordType) and all(f.path is None for f in over.fields.values()):
            return (STRING, DYN) if two else (STRING,)
        if over == DYN:
            return (DYN, DYN) if two else (DYN,)
        self.fail(
            node.range, f'"{node.kind}" goes over a list or a map, not over {described(over)}'
        )
        return None

    def _loop_result(self, node: Loop, types: tuple[Type, ...]) -> Node:
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
            return self.fail(node, f'"transformMapEntry" makes a map, not {described(given)}')
        return replace(node, type=given if isinstance(given, MapType) else MapType(DYN, DYN))

    def _bind(self, node: Bind) -> Node:
        value = self.check(node.value)
        variable = self.new_local(node.variable, type_of(value))
        with self.binding(variable):
            body = self.check(node.body)
        return replace(node, variable=variable, value=value, body=body, type=type_of(body))

    def _optional_map(self, node: OptionalMap) -> Node:
        operand = self.check(node.operand)
        if isinstance(operand, Failure):
            return operand
        name = "optFlatMap" if node.flat else "optMap"
        kind = type_of(operand)
        if kind != DYN and not isinstance(kind, OptionalType):
            return self.fail(
                node.operand, f'"{name}" is called on an optional, not on {described(kind)}'
            )
        variable = self.new_local(
            node.variable, kind.inner if isinstance(kind, OptionalType) else DYN
        )
        with self.binding(variable):
            body = self.check(node.body)
        result = type_of(body)
        if node.flat and result != DYN and not isinstance(result, OptionalType):
            return self.fail(node.body, f'"{name}" makes an optional, not {described(result)}')
        if not node.flat:
            result = OptionalType(result)
        return replace(node, operand=operand, variable=variable, body=body, type=result)
