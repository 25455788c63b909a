r"""Regular expressions that a text may not match.

What it does:
    Breaks when a text matches one of the listed regular expressions, or would without its
    disguises (look-alike letters, full-width and invisible characters). Case matters unless
    the expression begins with `(?i)`. `$` is the end of the text; `\b`, `\w` and `\d` are
    ASCII. Expressions run in linear time, but those with look-around or backreferences, which
    run with a timeout: one that takes too long counts as matched.

Why:
    Ticket numbers, customer ids and internal addresses have a form.

Options (defaults):
    any: the regular expressions.
    entity (PATTERN): what a found piece is called; it is replaced by `<PATTERN>`.

Passes:
    - {pattern: {any: ['ACME-[0-9]{4}']}, text: ACME-12}
    - {pattern: {any: ['^yes$']}, text: "yes\n"}
    - {pattern: {any: [secret]}, text: SECRET}

Fails:
    - {pattern: {any: ['ACME-[0-9]{4}']}, text: see ACME-1234}
    - {pattern: {any: ['ACME-[0-9]{4}']}, text: "see \u0410\u0421\u041c\u0415-1234"}
    - {pattern: {any: ['(?i)secret']}, text: SECRET}
    - {pattern: {any: ['token(?!s)']}, text: my token}
"""

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from policy_engine.checks.kind import CheckKind, OptionFault, OptionFaults, Options, refuse_unread
from policy_engine.text import Content, PatternError, Patterns, Span, spans

__all__ = ["PATTERN", "Pattern", "PatternOptions"]


class PatternOptions(Options):
    """Regular expressions that a text may not match."""

    any: Annotated[list[Annotated[str, Field(strict=True)]], Field(min_length=1)] = Field(
        description="The regular expressions. `(?i)` at the beginning ignores case; `$` is the "
        "end of the text."
    )
    entity: Annotated[str, Field(strict=True, pattern=r"^[A-Z][A-Z0-9_]{0,63}$")] = Field(
        "PATTERN", description="What a found piece is called; it is replaced by `<PATTERN>`."
    )


@dataclass(frozen=True, slots=True)
class Pattern:
    """Breaks when a text matches a listed expression."""

    ids: frozenset[int]
    entity: str
    kind: str = "pattern"

    def breaks(self, content: Content, *, unread_allowed: bool = False) -> str | None:
        """Tell whether a text matches."""
        if content.finds(self.ids):
            return "pattern"
        refuse_unread(content, allowed=unread_allowed)
        return None

    def spans(self, content: Content) -> list[Span]:
        """Find the pieces that match."""
        return spans(self.ids, content, entity=self.entity)


def _build(options: PatternOptions, patterns: Patterns) -> Pattern:
    faults: list[OptionFault] = []
    ids: set[int] = set()
    for index, expression in enumerate(options.any):
        # Alone at the beginning, the flag means the same as a caseless pattern, which is also
        # searched for in the folded text.
        caseless = expression.startswith("(?i)")
        bare = expression.removeprefix("(?i)")
        try:
            number = patterns.add(bare, caseless=caseless)
        except PatternError as error:
            place = "" if error.offset is None else f" at character {error.offset + 1}"
            message = f'the pattern "{expression}" does not do{place}: {error.message}'
            faults.append(OptionFault(("any", index), message, code="PE016"))
            continue
        if number in ids:
            faults.append(OptionFault(("any", index), f'"{expression}" stands twice', code="PE010"))
        ids.add(number)
    if faults:
        raise OptionFaults(faults)
    return Pattern(frozenset(ids), options.entity)


PATTERN: Final = CheckKind(
    "pattern", PatternOptions, finds_spans=True, manual=__doc__, build=_build
)
