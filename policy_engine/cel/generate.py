"""The checked tree of an expression -> a Python function.

Theory of operation. Each node becomes one Python expression that yields a value of the node's type
or raises. Two functions are made from one tree by this one generator. In the first, `&&`, `||`,
all() and exists() are Python's own and every error ends it; where it raises, the second one is
called, in which they absorb errors as CEL wants. So what usually happens costs nothing extra. Where
nothing can absorb an error there is no second function.

A list or map that is read from a request is raw until it is used as a whole: `lazy` yields code for
those who look at single elements and check those, `value` yields code for everyone else.
"""

import ast
from collections.abc import Callable, Mapping
from typing import Any

from policy_engine.cel import inline
from policy_engine.cel.code import attribute, call, choose, constant, item, name, thunk
from policy_engine.cel.functions import FUNCTIONS
from policy_engine.cel.nodes import (
    And,
    Bind,
    Call,
    Conditional,
    Failure,
    Has,
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
from policy_engine.cel.reading import check_of, solid_of
from policy_engine.cel.reads import inline_check
from policy_engine.cel.runtime import symbol
from policy_engine.cel.types import (
    BOOL,
    DYN,
    STRING,
    Field,
    ListType,
    MapType,
    OptionalType,
    RecordType,
    Type,
)

__all__ = ["Generator"]

METER = "meter"
_CONTAINERS = (ListType, MapType, RecordType)
_READS = (VariableRead, Local, Select, Index)
_PLAIN = (bool, int, float, str, bytes, type(None))


class Generator:
    """Makes the code of one function."""

    builders: Mapping[type[Node], Callable[[Any], ast.expr]]
    constants: dict[str, object]

    def __init__(self, *, absorbing: bool) -> None:
        self.absorbing = absorbing
        self.constants = {}
        self.metered = False
        self.absorbs = False
        self.builders = {
            Literal: self._literal,
            VariableRead: self._variable,
            Local: lambda node: name(_local(node)),
            Select: lambda node: self._select(node, comparing=False),
            Has: self._has,
            Index: self._index,
            Call: self._call,
            And: self._conjunction,
            Or: self._disjunction,
            Not: lambda node: ast.UnaryOp(ast.Not(), self.boolean(node.operand)),
            Conditional: self._conditional,
            ListItems: self._list_items,
            MapEntries: self._map_entries,
            Loop: self._loop,
            Bind: self._bind,
            OptionalMap: self._optional_map,
            Failure: lambda node: call("_fail", constant(node.message)),
        }

    def lazy(self, node: Node) -> ast.expr:
        """Return code for a value whose elements, if it has some, are not checked yet."""
        return self.builders[type(node)](node)

    def value(self, node: Node) -> ast.expr:
        """Return code for a value."""
        code = self.lazy(node)
        kind = node.type  # type: ignore[attr-defined]
        if isinstance(node, _READS) and isinstance(kind, _CONTAINERS):
            return call("_solid", code, self.hold(kind))
        return code

    def boolean(self, node: Node) -> ast.expr:
        """Return code for a bool; what has no static type is checked to be one."""
        code = self.value(node)
        return code if node.type == BOOL else call("_as_bool", code)  # type: ignore[attr-defined]

    def number(self, node: Node) -> ast.expr:
        """Return code for a value that is only compared."""
        if isinstance(node, Select):
            return self._select(node, comparing=True)
        if isinstance(node, VariableRead):
            return self.checked(self._path(node), Field(node.type), comparing=True)
        return self.value(node)

    def hold(self, value: object) -> ast.expr:
        """Return code for a constant that Python cannot store in code."""
        for text, known in self.constants.items():
            if known is value:
                return name(text)
        text = f"_c{len(self.constants)}"
        self.constants[text] = value
        return name(text)

    def meter(self) -> ast.expr:
        """Return code for the meter of this evaluation."""
        self.metered = True
        return name(METER)

    def _literal(self, node: Literal) -> ast.expr:
        if type(node.value) in _PLAIN:
            return constant(node.value)
        return self.hold(node.value)

    def _path(self, node: VariableRead) -> ast.expr:
        assert node.path is not None  # noqa: S101 - the environment's promise
        return _attributes(node.path)

    def _variable(self, node: VariableRead) -> ast.expr:
        if node.path is None:
            return call("_fail", constant("a group of variables is not a value"))
        return self.checked(self._path(node), Field(node.type), comparing=False)

    def checked(self, raw: ast.expr, field: Field, *, comparing: bool) -> ast.expr:
        """Return code that reads a value from a request and checks its type."""
        kind = field.type
        if isinstance(kind, MapType) and kind.key not in (STRING, DYN):
            return call(self.hold(check_of(kind)), raw)
        if isinstance(kind, _CONTAINERS):
            return raw
        if field.optional and field.type == DYN:
            return call("_cook_present", raw)
        code = inline_check(raw, field.type, comparing=comparing)
        return call(self.hold(check_of(field.type)), raw) if code is None else code

    def _select(self, node: Select, *, comparing: bool) -> ast.expr:
        kind = node.operand.type  # type: ignore[attr-defined]
        if isinstance(kind, RecordType) and node.field in kind.fields:
            field = kind.fields[node.field]
            if node.optional:
                raw = self.field(node.operand, node.field, field, present=False)
                return call("_read_optional", raw, self.hold(solid_of(field.type)))
            raw = self.field(node.operand, node.field, field, present=True)
            return self.checked(raw, field, comparing=comparing)
        if isinstance(kind, OptionalType):
            return self._chain(node, kind.inner)
        return self.element(node, self.lazy(node.operand), constant(node.field))

    def field(self, operand: Node, text: str, field: Field, *, present: bool) -> ast.expr:
        """Return code that reads a declared field without checking it."""
        if field.path is not None:
            return _attributes(field.path)
        base = self.lazy(operand)
        return item(base, constant(text)) if present else call("_get_field", base, constant(text))

    def _chain(self, node: Select, inner: Type) -> ast.expr:
        base = self.value(node.operand)
        if isinstance(inner, RecordType) and node.field in inner.fields:
            check = self.hold(solid_of(inner.fields[node.field].type))
            return call("_chain_field", base, constant(node.field), check)
        return call("_optional_select", base, constant(node.field))

    def element(self, node: Select | Index, base: ast.expr, key: ast.expr) -> ast.expr:
        """Return code that reads an element of a list or map."""
        kind = node.operand.type  # type: ignore[attr-defined]
        inner: Type = DYN
        if isinstance(kind, ListType):
            inner = kind.element
        elif isinstance(kind, MapType):
            inner = kind.value
        selects = isinstance(node, Select)
        if inner == DYN or isinstance(kind, OptionalType):
            if node.optional:
                return call("_optional_select" if selects else "_optional_index", base, key)
            return call("_select" if selects else "_index", base, key)
        if node.optional:
            return call("_checked_optional", base, key, self.hold(solid_of(inner)))
        return call("_checked_index", base, key, self.hold(check_of(inner)))

    def _index(self, node: Index) -> ast.expr:
        kind = node.operand.type  # type: ignore[attr-defined]
        base = (
            self.value(node.operand) if isinstance(kind, OptionalType) else self.lazy(node.operand)
        )
        return self.element(node, base, self.value(node.key))

    def _has(self, node: Has) -> ast.expr:
        kind = node.operand.type  # type: ignore[attr-defined]
        if isinstance(kind, RecordType) and node.field in kind.fields:
            field = kind.fields[node.field]
            if field.path is not None:
                path = _attributes(field.path)
                if not field.optional and field.type == DYN:
                    return call("_present", path)
                return ast.Compare(path, [ast.IsNot()], [constant(None)])
            if field.optional or str(field.type) not in ("null", "dyn"):
                return call("_has_field", self.lazy(node.operand), constant(node.field))
        return call("_has", self.lazy(node.operand), constant(node.field))

    def _call(self, node: Call) -> ast.expr:
        code = inline.build(self, node)
        if code is not None:
            return code
        arguments = [self.value(argument) for argument in node.arguments]
        if FUNCTIONS[node.function].metered:
            arguments.insert(0, self.meter())
        return call(symbol(node.function), *arguments)

    def _conjunction(self, node: And) -> ast.expr:
        self.absorbs = True
        terms = [self.boolean(term) for term in node.terms]
        if self.absorbing:
            return call("_absorb_and", *map(thunk, terms))
        return ast.BoolOp(ast.And(), terms)

    def _disjunction(self, node: Or) -> ast.expr:
        self.absorbs = True
        terms = [self.boolean(term) for term in node.terms]
        if self.absorbing:
            return call("_absorb_or", *map(thunk, terms))
        return ast.BoolOp(ast.Or(), terms)

    def _conditional(self, node: Conditional) -> ast.expr:
        return choose(self.boolean(node.test), self.value(node.then), self.value(node.otherwise))

    def _list_items(self, node: ListItems) -> ast.expr:
        items = [self.value(part) for part in node.items]
        if node.optionals:
            return call("_make_list_with_optionals", self.hold(node.optionals), *items)
        return call("_make_list", *items)

    def _map_entries(self, node: MapEntries) -> ast.expr:
        parts: list[ast.expr] = []
        for entry in node.entries:
            parts += [self.value(entry.key), self.value(entry.value)]
        optionals = frozenset(i for i, entry in enumerate(node.entries) if entry.optional)
        if optionals:
            return call("_make_map_with_optionals", self.hold(optionals), *parts)
        return call("_make_map", *parts)

    def _loop(self, node: Loop) -> ast.expr:
        rows = self._rows(node)
        if node.kind in ("all", "exists"):
            self.absorbs = True
            prefix = "_absorb_" if self.absorbing else "_loop_"
            return call(prefix + node.kind, rows, self._row_test(node))
        if node.kind == "exists_one":
            return call("_loop_exists_one", rows, self._row_test(node))
        if node.condition is not None:
            rows = call("_loop_filter", rows, self._row_test(node))
        makers = {"transformMap": "_loop_map", "transformMapEntry": "_loop_map_entries"}
        maker = makers.get(node.kind, "_loop_list")
        result = node.result if node.result is not None else node.variables[0]
        return call(maker, self.meter(), rows, self._row_function(node, self.value(result)))

    def _rows(self, node: Loop) -> ast.expr:
        kind = node.range.type  # type: ignore[attr-defined]
        base = self.lazy(node.range)
        if len(node.variables) == 2:
            inner = _inner(kind)
            if inner == DYN:
                return call("_pairs", self.meter(), base)
            return call("_typed_pairs", self.meter(), base, self.hold(check_of(inner)))
        if isinstance(kind, ListType) and kind.element != DYN:
            check = self.hold(check_of(kind.element))
            return call("_typed_rows", self.meter(), base, check)
        return call("_rows", self.meter(), base)

    def _row_test(self, node: Loop) -> ast.expr:
        assert node.condition is not None  # noqa: S101 - the parser's promise
        return self._row_function(node, self.boolean(node.condition))

    def _row_function(self, node: Loop, body: ast.expr) -> ast.expr:
        parameters = [_local(variable) for variable in node.variables]
        function = thunk(body, *parameters)
        return function if len(parameters) == 1 else call("_spread", function)

    def _bind(self, node: Bind) -> ast.expr:
        value = self.lazy(node.value)
        return call(thunk(self.value(node.body), _local(node.variable)), value)

    def _optional_map(self, node: OptionalMap) -> ast.expr:
        change = thunk(self.value(node.body), _local(node.variable))
        maker = "_flat_map_optional" if node.flat else "_map_optional"
        return call(maker, self.value(node.operand), change)


def _inner(kind: Type) -> Type:
    if isinstance(kind, ListType):
        return kind.element
    return kind.value if isinstance(kind, MapType) else DYN


def _local(node: Node) -> str:
    assert isinstance(node, Local)  # noqa: S101 - the checker's promise
    return f"l{node.slot}"


def _attributes(path: tuple[str, ...]) -> ast.expr:
    code = name(path[0])
    for text in path[1:]:
        code = attribute(code, text)
    return code
