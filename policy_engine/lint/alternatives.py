"""The alternatives of a schema: what each admits, and whether one admits all that another does."""

from collections.abc import Mapping
from typing import Any

from policy_engine.lint.proof.apart import base_of
from policy_engine.lint.proof.demand import demanded
from policy_engine.lint.proof.formula import opposite
from policy_engine.lint.proof.solve import is_impossible

__all__ = ["is_within", "part_of", "without"]


def without(schema: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """Return a schema without some of its keywords."""
    return {key: value for key, value in schema.items() if key not in keys}


def part_of(rest: Mapping[str, Any], part: Any, root: Mapping[str, Any]) -> Any:
    """Return an alternative with the type of the schema round it, and what references lead to."""
    if not isinstance(part, Mapping):
        return part
    typed = {"type": rest["type"]} if "type" in rest else _listed_type(part)
    return {**typed, **part, **({"$defs": root["$defs"]} if "$defs" in root else {})}


def _listed_type(part: Mapping[str, Any]) -> dict[str, Any]:
    """Say the type of the values that an alternative lists, where it is one."""
    listed = [part["const"]] if "const" in part else part.get("enum")
    if isinstance(listed, list) and listed and all(isinstance(one, str) for one in listed):
        return {"type": "string"}
    return {}


def is_within(part: Any, other: Any) -> bool:
    """Whether what fits an alternative certainly fits another one too."""
    term = ("value",)
    fits, fails = demanded(term, part, _nothing), opposite(demanded(term, other, _nothing))
    return is_impossible(fits, fails, base=base_of(part))


def _nothing(term: object) -> list[Any]:  # noqa: ARG001 - nothing is known of any value
    return []
