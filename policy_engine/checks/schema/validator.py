"""Whether a value fits a schema."""

from collections.abc import Mapping

from policy_engine.checks.schema.closing import close
from policy_engine.checks.schema.exact import is_json
from policy_engine.checks.schema.linear import native

__all__ = ["Validator", "compile_schema"]


class Validator:
    """A compiled schema for one value."""

    __slots__ = ("_is_valid", "schema")

    def __init__(self, schema: dict[str, object]) -> None:
        self.schema = schema
        """The schema as it is enforced."""
        self._is_valid = native(schema).is_valid

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Validator) and self.schema == other.schema

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Validator({self.schema!r})"

    def fits(self, value: object) -> bool:
        """Tell whether a value fits; one that cannot be judged does not."""
        try:
            return is_json(value) and self._is_valid(value)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException:  # noqa: BLE001 - a panic of native code is no Exception
            return False


def compile_schema(schema: Mapping[str, object], *, closed: bool = True) -> Validator:
    """Compile a schema of a context name, an attribute, a fact or a structured text.

    Args:
        schema: A schema that `check_schema` found no fault with.
        closed: Whether objects are closed where `additionalProperties` is not written.

    Raises:
        ValueError: The schema does not compile.
    """
    return Validator(close(schema, closed=closed).schema)
