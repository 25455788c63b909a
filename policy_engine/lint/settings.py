"""What a project says to lint: `[tool.policy-engine]` in its pyproject.toml."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Final, get_args

from policy_engine.lint.finding import SEVERITIES, Persona, Severity

__all__ = ["KEYS", "Settings", "read_settings"]

_LISTS: Final = ("ignore", "roles", "tools")
_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "fail-level": (*SEVERITIES,),
    "persona": get_args(Persona),
}
KEYS: Final = (
    *("baseline", "fail-level", "ignore", "persona", "reviewed", "roles", "severity", "tools"),
)
_FILES: Final = ("baseline", "reviewed")


@dataclass(frozen=True, slots=True)
class Settings:
    """How lint judges."""

    persona: Persona = "regular"
    fail_level: Severity = "warning"
    ignore: frozenset[str] = frozenset()
    """Codes that are never reported."""
    severity: Mapping[str, Severity] = field(default_factory=lambda: MappingProxyType({}))
    """Code -> its severity here."""
    roles: frozenset[str] = frozenset()
    """The roles that there are; empty where that is not known."""
    tools: tuple[str, ...] = ()
    """Where the tools are listed: files, or `module:object`."""
    baseline: str | None = None
    """The file of findings that are known already."""
    reviewed: str | None = None
    """The file that lists the tools as they were reviewed."""


def read_settings(table: Mapping[str, Any], codes: frozenset[str]) -> Settings:
    """Read the table `tool.policy-engine`.

    Args:
        table: What TOML says.
        codes: The codes that there are.

    Raises:
        ValueError: Something in it does not do; the text says what.
    """
    for key in table:
        if key not in KEYS:
            near = get_close_matches(key, KEYS, 1)
            hint = f'did you mean "{near[0]}"?' if near else f"known: {', '.join(KEYS)}"
            raise ValueError(f'the key "{key}" is unknown: {hint}')
    _refuse_values(table, codes)
    severity = table.get("severity", {})
    return replace(
        Settings(),
        persona=table.get("persona", "regular"),
        fail_level=table.get("fail-level", "warning"),
        ignore=frozenset(table.get("ignore", ())),
        severity=MappingProxyType(dict(severity)),
        roles=frozenset(table.get("roles", ())),
        tools=tuple(table.get("tools", ())),
        baseline=table.get("baseline"),
        reviewed=table.get("reviewed"),
    )


def _refuse_values(table: Mapping[str, Any], codes: frozenset[str]) -> None:
    for key in _LISTS:
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ValueError(f'"{key}" must be a list of texts')
    for key, choices in _CHOICES.items():
        if key in table and table[key] not in choices:
            raise ValueError(f'"{key}" must be one of: {", ".join(choices)}')
    severity = table.get("severity", {})
    if not isinstance(severity, Mapping) or not set(severity.values()) <= set(SEVERITIES):
        raise ValueError(f'"severity" maps codes to one of: {", ".join(SEVERITIES)}')
    for code in (*table.get("ignore", ()), *severity):
        if code not in codes:
            raise ValueError(f'there is no rule "{code}"')
    for key in _FILES:
        if not isinstance(table.get(key, ""), str):
            raise ValueError(f'"{key}" must be the name of a file')  # noqa: TRY004 - as the others
