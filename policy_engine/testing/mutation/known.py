"""The values that a condition can meet: those that schemas list, and those that policies name."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from policy_engine.cel import MapType
from policy_engine.cel.nodes import Index, Local, Loop, Node, Select, VariableRead, walk
from policy_engine.compiler.meaning.places import PlacedRule
from policy_engine.compiler.names import matches_glob
from policy_engine.policy import Policy, PolicySet
from policy_engine.testing.mutation.lists import Listed
from policy_engine.testing.search.sample import OTHER

__all__ = ["Known"]

_SECTIONS: Final = {"tool": "tools", "target": "handoffs", "model": "models"}
_TEXT_STAGES: Final = {
    "input": ("input", "model_request"),
    "output": ("output", "model_response"),
}


class Known:
    """What the policies of a set name and declare.

    Args:
        everything: The policy set.
    """

    def __init__(self, everything: PolicySet) -> None:
        self._policies = [loaded.policy for loaded in everything.policies]
        self._granted = {
            name: list(dict.fromkeys(self._granted_in(section)))
            for name, section in _SECTIONS.items()
        }

    def listed(self, policy: Policy, placed: PlacedRule, tree: Node) -> Listed:
        """Return what lists the values that a part of a rule's condition can meet.

        It lists none for what may be anything; a list that ends with a made-up name is open.

        Args:
            policy: The policy of the rule.
            placed: The rule.
            tree: Its condition.
        """
        ranges: dict[int, tuple[Node, int]] = {}
        for node in walk(tree):
            if isinstance(node, Loop):
                first = len(node.variables) == 1
                for i, variable in enumerate(node.variables):
                    if isinstance(variable, Local):
                        ranges[variable.slot] = (node.range, 0 if first else i + 1)
        return _Reader(self, policy, placed, ranges).listed

    def named(self, name: str, policy: Policy, placed: PlacedRule) -> Sequence[str]:
        """Return what a variable can stand for: the names that a rule is asked about."""
        match name, placed.path:
            case "stage", (str(section), int()) if section in _TEXT_STAGES:
                return _TEXT_STAGES[section]
            case "agent", _:
                return self.people("agents", policy)
            case ("tool", ("tools", str(key), *_)) | ("target", ("handoffs", str(key), *_)):
                return [one for one in self._granted[name] if matches_glob(key, one)]
            case "tool", ("rules", _):
                top = placed.top
                return [
                    one
                    for one in self._granted[name]
                    if top is None or _matches(top.tools or ("*",), one)
                    if top is None or not _matches(top.except_ or (), one)
                ]
            case (("target" | "model"), _):
                return self._granted[name]
        return ()

    def people(self, key: str, policy: Policy) -> Sequence[str]:
        """Return the agents, roles or tenants that a rule of a policy may meet."""
        own = None if policy.applies_to is None else getattr(policy.applies_to, key)
        if own is not None and key != "roles":
            return [_name(item) for item in own]
        return [*self._people(key), OTHER]

    def others(self, key: str, policy: Policy) -> Sequence[str]:
        """Return the agents, roles or tenants that other policies are for, and this one is not."""
        own = () if policy.applies_to is None else getattr(policy.applies_to, key) or ()
        return [one for one in self._people(key) if not _matches(own, one)]

    def labels(self) -> Sequence[str]:
        """Return the labels that sessions may carry."""
        entries = (entry for one in self._policies for entry in (one.tools or {}).values())
        return list(dict.fromkeys(label for entry in entries for label in entry.labels))

    def called(self) -> Sequence[str]:
        """Return the tools that a session may have called."""
        return self._granted["tool"]

    def covered(self, placed: PlacedRule) -> Iterator[Mapping[str, Any]]:
        """Yield the arguments that are declared of each tool that a rule speaks of."""
        if placed.top is None:
            yield placed.entry_args or {}
            return
        for one in self._policies:
            for name, entry in (one.tools or {}).items():
                is_covered = _matches(placed.top.tools or ("*",), _name(name))
                if is_covered and not _matches(placed.top.except_ or (), _name(name)):
                    yield entry.args or {}

    def _people(self, key: str) -> list[str]:
        named = (
            _name(item)
            for one in self._policies
            if one.applies_to is not None
            for item in getattr(one.applies_to, key) or ()
        )
        return list(dict.fromkeys(named))

    def _granted_in(self, section: str) -> Iterator[str]:
        """Yield the names that are granted, and one for each glob that is."""
        held = [getattr(one, section) or {} for one in self._policies]
        denied = [key for entries in held for key, entry in entries.items() if _denies(entry)]
        keys = [key for entries in held for key, entry in entries.items() if not _denies(entry)]
        for key in sorted(keys, key=lambda key: key != _name(key)):
            if not _matches(denied, _name(key)):
                yield _name(key)
        if any(one.default == "allow" and getattr(one, section) for one in self._policies):
            yield OTHER


class _Reader:
    """Lists values for the parts of one condition."""

    def __init__(
        self,
        known: Known,
        policy: Policy,
        placed: PlacedRule,
        ranges: Mapping[int, tuple[Node, int]],
    ) -> None:
        self._known = known
        self._policy = policy
        self._placed = placed
        self._ranges = ranges

    def listed(self, node: Node) -> Sequence[Any]:
        match node:
            case VariableRead(name=name) if "." not in name:
                return self._known.named(name, self._policy, self._placed)
            case Select(operand=VariableRead(name="principal"), field="tenant"):
                return self._known.people("tenants", self._policy)
            case Local(slot=slot) if slot in self._ranges:
                over, which = self._ranges[slot]
                return self._elements(over, which)
        return _enumerated(self._schemas(node))

    def _elements(self, over: Node, which: int) -> Sequence[Any]:
        """Return what a loop goes over: elements or keys for 0, the first or second name else."""
        match over:
            case Select(operand=VariableRead(name="principal"), field="roles") if which != 1:
                return self._known.people("roles", self._policy)
            case Select(operand=VariableRead(name="session"), field="labels") if which != 1:
                return self._known.labels()
            case Select(operand=VariableRead(name="session"), field="calls") if which != 2:
                return self._known.called()
        if isinstance(getattr(over, "type", None), MapType) or which == 1:
            return ()
        return _enumerated([_inside(one, "items") for one in self._schemas(over)])

    def _schemas(self, node: Node) -> list[Any]:
        """Return the schemas of what a node reads, one of each tool; none where none is known."""
        match node:
            case VariableRead(name=name):
                first, _, rest = name.partition(".")
                return self._declared(first, rest) if rest and "." not in rest else []
            case Select(operand=Select(operand=VariableRead(name="principal"), field="attrs")):
                return [self._policy.attrs.get(node.field)]
            case Select(operand=VariableRead(name=name), field=field):
                return self._declared(name, field)
            case Select(operand=operand, field=field):
                below = [_inside(one, "properties") for one in self._schemas(operand)]
                return [_inside(one, field) for one in below]
            case Index(operand=operand):
                return [_inside(one, "items") for one in self._schemas(operand)]
            case Local(slot=slot) if slot in self._ranges and self._ranges[slot][1] != 1:
                over = self._ranges[slot][0]
                return [_inside(one, "items") for one in self._schemas(over)]
        return []

    def _declared(self, first: str, name: str) -> list[Any]:
        match first:
            case "args":
                return [args.get(name) for args in self._known.covered(self._placed)]
            case "context":
                return [self._policy.context.get(name)]
            case "facts":
                fact = self._policy.facts.get(name)
                return [None if fact is None else fact.schema_]
        return []


def _enumerated(schemas: list[Any]) -> Sequence[Any]:
    """Return the values that schemas list; none where one of them lists none."""
    listed = [_inside(schema, "enum") for schema in schemas]
    if not all(isinstance(values, list) for values in listed):
        return ()
    kept: list[Any] = []
    for value in (value for values in listed for value in values):
        if not any(type(value) is type(one) and value == one for one in kept):
            kept.append(value)
    return kept


def _inside(schema: Any, key: str) -> Any:
    return schema.get(key) if isinstance(schema, Mapping) else None


def _matches(globs: Iterable[str], name: str) -> bool:
    return any(matches_glob(glob, name) for glob in globs)


def _denies(entry: Any) -> bool:
    return bool(entry.effect == "deny")


def _name(glob: str) -> str:
    """Return a name that a glob matches."""
    return glob.replace("*", "x").replace("?", "x")
