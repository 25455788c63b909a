"""Tokens -> the tree of an expression, with macros expanded."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from policy_engine.cel import macros
from policy_engine.cel.lexer import Token, syntax_error, tokenize
from policy_engine.cel.nodes import (
    And,
    Call,
    Conditional,
    Entry,
    Identifier,
    Index,
    ListItems,
    Literal,
    MapEntries,
    Node,
    Not,
    Or,
    Select,
    children,
)
from policy_engine.cel.problems import ExpressionError
from policy_engine.cel.types import BOOL, BYTES, DOUBLE, INT, NULL, STRING, UINT
from policy_engine.cel.values import INT_MAX, INT_MIN, UINT_MAX, Uint

__all__ = ["MAX_DEPTH", "MAX_NESTING", "MAX_NODES", "MAX_TEXT", "parse"]

MAX_TEXT = 16_384
MAX_NODES = 2_000
MAX_NESTING = 32
MAX_DEPTH = 100

_LEVELS: Mapping[str, int] = MappingProxyType(
    {
        "==": 1, "!=": 1, "<": 1, "<=": 1, ">": 1, ">=": 1, "in": 1,
        "+": 2, "-": 2,
        "*": 3, "/": 3, "%": 3,
    }
)  # fmt: skip
_RESERVED = frozenset(
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "in",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ]
)
_CONSTANTS: Mapping[str, bool | None] = MappingProxyType(
    {"true": True, "false": False, "null": None}
)


def parse(text: str) -> Node:
    """Return the tree of an expression.

    Raises:
        ExpressionError: It cannot be parsed, or is larger than this language takes.
    """
    if len(text) > MAX_TEXT:
        raise syntax_error(
            text, f"an expression has at most {MAX_TEXT} characters", MAX_TEXT, len(text)
        )
    parser = _Parser(text, tokenize(text))
    if parser.token.kind == "end":
        raise syntax_error(text, "an expression is empty", 0, len(text))
    node = parser.expression()
    parser.expect("end")
    _check_size(text, node)
    return node


def _check_size(text: str, root: Node) -> None:
    level, count, depth = [root], 0, 0
    while level:
        count += len(level)
        depth += 1
        if depth > MAX_DEPTH:
            at = level[0]
            raise syntax_error(
                text, f"an expression is at most {MAX_DEPTH} levels deep", at.start, at.end
            )
        level = [child for node in level for child in children(node)]
    if count > MAX_NODES:
        raise syntax_error(text, f"an expression has at most {MAX_NODES} parts", 0, len(text))


class _Parser:
    """A recursive descent over the tokens; brackets bound its depth."""

    def __init__(self, text: str, tokens: list[Token]) -> None:
        self.text = text
        self.tokens = tokens
        self.at = 0
        self.token = tokens[0]
        self.last_end = 0
        self.nesting = 0
        self.primaries: Mapping[str, Callable[[Token], Node]] = {
            "name": self.name,
            "int": self.integer,
            "uint": self.unsigned,
            "double": lambda t: Literal(t.start, t.end, t.value, DOUBLE),
            "string": lambda t: Literal(t.start, t.end, t.value, STRING),
            "bytes": lambda t: Literal(t.start, t.end, t.value, BYTES),
            "(": self.group,
            "[": self.list_items,
            "{": self.map_entries,
            ".": self.absolute_name,
        }

    def advance(self) -> Token:
        token = self.token
        self.last_end = token.end
        self.at += 1
        if self.at < len(self.tokens):
            self.token = self.tokens[self.at]
        return token

    def accept(self, kind: str) -> bool:
        if self.token.kind == kind:
            self.advance()
            return True
        return False

    def expect(self, kind: str) -> Token:
        if self.token.kind != kind:
            raise self.unexpected(None if kind == "end" else kind)
        return self.advance()

    def unexpected(self, wanted: str | None = None) -> ExpressionError:
        token = self.token
        hint = f'"{wanted}" is missing' if wanted and len(wanted) == 1 else None
        if token.kind == "end":
            message = "the expression ends too early"
            return syntax_error(self.text, message, max(0, token.start - 1), token.end, hint)
        word = self.text[token.start : token.end]
        hint = _WORD_HINTS.get(word.lower(), hint)
        message = f'"{word}" cannot stand here'
        return syntax_error(self.text, message, token.start, token.end, hint)

    def enter(self) -> None:
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            token = self.token
            message = f"an expression nests at most {MAX_NESTING} levels"
            raise syntax_error(self.text, message, token.start, token.end)

    def expression(self) -> Node:
        """Read `a ? b : c`; a chain of them is read in a loop, not by recursion."""
        tests: list[tuple[Node, Node]] = []
        node = self.disjunction()
        while self.accept("?"):
            self.enter()
            then = self.expression()
            self.nesting -= 1
            self.expect(":")
            tests.append((node, then))
            node = self.disjunction()
        for test, then in reversed(tests):
            node = Conditional(test.start, node.end, test, then, node)
        return node

    def disjunction(self) -> Node:
        terms = [self.conjunction()]
        while self.accept("||"):
            terms.append(self.conjunction())
        return terms[0] if len(terms) == 1 else Or(terms[0].start, terms[-1].end, tuple(terms))

    def conjunction(self) -> Node:
        terms = [self.binary(1)]
        while self.accept("&&"):
            terms.append(self.binary(1))
        return terms[0] if len(terms) == 1 else And(terms[0].start, terms[-1].end, tuple(terms))

    def binary(self, level: int) -> Node:
        left = self.unary()
        while True:
            operator = str(self.token.value)
            found = _LEVELS.get(operator, 0) if self.token.kind in ("name", operator) else 0
            if found < level:
                return left
            self.advance()
            right = self.binary(found + 1)
            left = Call(left.start, right.end, operator, (left, right))

    def unary(self) -> Node:
        """Read signs; a minus right before a number belongs to it."""
        signs: list[Token] = []
        while self.token.kind in ("-", "!"):
            if signs and self.token.kind != signs[0].kind:
                raise self.unexpected()
            signs.append(self.advance())
        if signs and signs[-1].kind == "-" and self.token.kind in ("int", "double"):
            node = self.suffixes(self.negative(signs.pop()))
        else:
            node = self.member()
        for sign in reversed(signs):
            if sign.kind == "!":
                node = Not(sign.start, node.end, node)
            else:
                node = Call(sign.start, node.end, "neg", (node,))
        return node

    def negative(self, sign: Token) -> Node:
        token = self.advance()
        if isinstance(token.value, float):
            return Literal(sign.start, token.end, -token.value, DOUBLE)
        return self.in_range(sign.start, token, -int(token.value))

    def member(self) -> Node:
        token = self.token
        read = self.primaries.get(token.kind)
        if read is None:
            raise self.unexpected()
        self.advance()
        return self.suffixes(read(token))

    def suffixes(self, node: Node) -> Node:
        while True:
            if self.accept("."):
                node = self.select(node)
            elif self.token.kind == "[":
                self.advance()
                self.enter()
                optional = self.accept("?")
                key = self.expression()
                self.expect("]")
                self.nesting -= 1
                node = Index(node.start, self.last_end, node, key, optional)
            else:
                return node

    def select(self, node: Node) -> Node:
        optional = self.accept("?")
        token = self.token
        if token.kind not in ("name", "quoted") or token.value == "in":
            raise self.unexpected()
        self.advance()
        if token.kind == "name" and not optional and self.token.kind == "(":
            arguments = self.arguments()
            call = Call(node.start, self.last_end, str(token.value), arguments, node)
            return macros.expand(self.text, call)
        return Select(node.start, token.end, node, str(token.value), token.start, optional)

    def arguments(self) -> tuple[Node, ...]:
        self.expect("(")
        self.enter()
        arguments: list[Node] = []
        while self.token.kind != ")":
            arguments.append(self.expression())
            if not self.accept(","):
                break
        self.expect(")")
        self.nesting -= 1
        return tuple(arguments)

    def name(self, token: Token) -> Node:
        word = str(token.value)
        if word in _CONSTANTS:
            value = _CONSTANTS[word]
            return Literal(token.start, token.end, value, NULL if value is None else BOOL)
        if word in _RESERVED:
            message = f'"{word}" is a reserved word'
            raise syntax_error(self.text, message, token.start, token.end)
        if self.token.kind == "(":
            arguments = self.arguments()
            return macros.expand(self.text, Call(token.start, self.last_end, word, arguments))
        return Identifier(token.start, token.end, word)

    def absolute_name(self, token: Token) -> Node:
        name = self.expect("name")
        return Identifier(token.start, name.end, "." + str(name.value))

    def integer(self, token: Token) -> Node:
        return self.in_range(token.start, token, int(token.value))

    def in_range(self, start: int, token: Token, value: int) -> Node:
        if not INT_MIN <= value <= INT_MAX:
            message = f'"{self.text[start : token.end]}" is too large an integer'
            raise syntax_error(self.text, message, start, token.end)
        return Literal(start, token.end, value, INT)

    def unsigned(self, token: Token) -> Node:
        value = int(token.value)
        if value > UINT_MAX:
            message = f'"{self.text[token.start : token.end]}" is too large an integer'
            raise syntax_error(self.text, message, token.start, token.end)
        return Literal(token.start, token.end, Uint(value), UINT)

    def group(self, _token: Token) -> Node:
        self.enter()
        node = self.expression()
        self.expect(")")
        self.nesting -= 1
        return node

    def list_items(self, token: Token) -> Node:
        self.enter()
        items: list[Node] = []
        optionals: set[int] = set()
        while self.token.kind != "]":
            if self.accept("?"):
                optionals.add(len(items))
            items.append(self.expression())
            if not self.accept(","):
                break
        self.expect("]")
        self.nesting -= 1
        return ListItems(token.start, self.last_end, tuple(items), frozenset(optionals))

    def map_entries(self, token: Token) -> Node:
        self.enter()
        entries: list[Entry] = []
        while self.token.kind != "}":
            optional = self.accept("?")
            key = self.expression()
            self.expect(":")
            entries.append(Entry(key, self.expression(), optional))
            if not self.accept(","):
                break
        self.expect("}")
        self.nesting -= 1
        return MapEntries(token.start, self.last_end, tuple(entries))


_WORD_HINTS: Mapping[str, str] = MappingProxyType(
    {"and": 'write "&&"', "or": 'write "||"', "not": 'write "!"', "is": 'write "=="'}
)
