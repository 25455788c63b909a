"""Whether the arguments of a call fit the schemas of an entry or a rule."""

from collections.abc import Mapping

from policy_engine.checks.arguments.explain import ArgumentFault, message_on, mistyped, unfit
from policy_engine.checks.arguments.probes import Probe, TextTest, find_probes, reach
from policy_engine.checks.schema import Closed, close, is_json_object, native
from policy_engine.checks.table import build_check
from policy_engine.text import Content, Patterns
from policy_engine.text.pointer import pointer_of

__all__ = ["Arguments", "compile_arguments"]

Schemas = Mapping[str, Mapping[str, object]]


class Arguments:
    """Compiled schemas of named arguments."""

    __slots__ = ("_closed", "_enforced", "_is_valid", "_native", "_others", "_probes", "schemas")

    def __init__(
        self,
        schemas: Schemas,
        enforced: Mapping[str, Closed],
        probes: tuple[Probe, ...],
        *,
        closed: bool,
    ) -> None:
        self.schemas = schemas
        """The schemas as written, by argument."""
        self._enforced = enforced
        self._probes = probes
        self._closed = closed
        self._native = native(_whole(schemas, enforced, closed=closed))
        self._is_valid = self._native.is_valid

    def __repr__(self) -> str:
        return f"Arguments({sorted(self.schemas)!r}, closed={self._closed})"

    def fits(self, args: Mapping[str, object]) -> bool:
        """Tell whether a call's arguments fit; what cannot be judged does not."""
        try:
            values = args if self._closed else self._named(args)
            return (
                type(values) is dict
                and is_json_object(values)
                and self._is_valid(values)
                and (not self._probes or not self._broken(values))
            )
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException:  # noqa: BLE001 - a panic of native code is no Exception
            return False

    def faults(self, args: Mapping[str, object]) -> tuple[ArgumentFault, ...]:
        """Explain why arguments do not fit; empty exactly where they do."""
        if self.fits(args):
            return ()
        try:
            found = dict.fromkeys(self._explain(args))
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException:  # noqa: BLE001 - likewise
            found = {}
        return tuple(found) or (ArgumentFault("", "", "failed", None, ()),)

    def _named(self, args: Mapping[str, object]) -> dict[str, object] | None:
        if type(args) is not dict:
            return None
        return {name: args[name] for name in self.schemas if name in args}

    def _explain(self, args: Mapping[str, object]) -> list[ArgumentFault]:
        values = args if self._closed else self._named(args)
        if type(values) is not dict:
            return []
        found = list(mistyped(values, self.schemas))
        if found:
            return found
        for error in self._native.iter_errors(values):
            found.extend(unfit(error, self.schemas, self._enforced))
        return found + self._broken(values)

    def _broken(self, values: Mapping[str, object]) -> list[ArgumentFault]:
        """Ask of the strings what JSON Schema cannot."""
        broken = []
        for probe in self._probes:
            argument = probe.argument
            for way, value in reach(values.get(argument), probe.steps):
                if isinstance(value, str) and not _passes(probe, value):
                    message = message_on(self.schemas[argument], probe.schema_path)
                    broken.append(
                        ArgumentFault(
                            argument, pointer_of(way), probe.keyword, message, probe.schema_path
                        )
                    )
        return broken


def compile_arguments(schemas: Schemas, *, closed: bool, patterns: Patterns) -> Arguments:
    """Compile the schemas of the arguments of a tool.

    Args:
        schemas: Argument -> schema, each without fault for `check_schema`.
        closed: Whether any other argument is refused (an entry) or ignored (a rule across
            tools).
        patterns: Receives the patterns of the text checks; its scanner is compiled before the
            first call is judged.

    Raises:
        ValueError: A schema does not compile.
    """
    enforced = {name: close(schema) for name, schema in schemas.items()}

    def make_test(keyword: str, value: object) -> TextTest:
        return _max_bytes(value) if keyword == "maxBytes" else _check(value, patterns)

    probes = [
        probe for name, schema in schemas.items() for probe in find_probes(name, schema, make_test)
    ]
    return Arguments(schemas, enforced, tuple(probes), closed=closed)


def _whole(schemas: Schemas, enforced: Mapping[str, Closed], *, closed: bool) -> dict[str, object]:
    """Write one schema for all arguments."""
    properties: dict[str, object] = {}
    for index, (name, schema) in enumerate(enforced.items()):
        # A reference is resolved against the argument's own schema, not against the whole.
        root = {"$id": f"urn:argument:{index}"} if "$defs" in schema.schema else {}
        properties[name] = {**root, **schema.schema}
    required = [name for name, schema in schemas.items() if schema.get("optional") is not True]
    whole: dict[str, object] = {"type": "object", "properties": properties}
    if required:
        whole["required"] = required
    if closed:
        whole["additionalProperties"] = False
    return whole


def _max_bytes(most: object) -> TextTest:
    if not isinstance(most, int):
        raise ValueError("maxBytes")  # noqa: TRY004 - `check_schema` has told the author
    return lambda text: len(text.encode("utf-8", "surrogatepass")) <= most


def _check(value: object, patterns: Patterns) -> TextTest:
    check = build_check(value, patterns)
    return lambda text: check.breaks(Content(text, patterns.scanner)) is None


def _passes(probe: Probe, text: str) -> bool:
    try:
        return probe.passes(text)
    except Exception:  # noqa: BLE001 - what cannot be judged does not fit
        return False
