"""What every kind of check has, and what is said of options that do not do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from policy_engine.errors import CheckError
from policy_engine.text import Content, Patterns, Span

__all__ = ["CheckKind", "OptionFault", "OptionFaults", "Options", "TextCheck", "refuse_unread"]


class Options(BaseModel):
    """The options of a kind: known keys only, frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)


@dataclass(frozen=True, slots=True, order=True)
class OptionFault:
    """One thing that keeps a check from being built."""

    path: tuple[str | int, ...]
    """Where in the options; `()` is the options themselves."""
    message: str
    hint: str = ""
    code: str = "PE020"
    """One of `errors.FAULT_CODES`."""
    on_key: bool = False
    """Whether the last key of the path is the culprit, rather than its value."""


class OptionFaults(ValueError):  # noqa: N818 - it holds faults, as `PolicyError` does
    """Options do not do; `.faults` says all that is wrong with them."""

    def __init__(self, faults: Sequence[OptionFault]) -> None:
        super().__init__(faults)
        self.faults = tuple(sorted(set(faults)))
        """Every fault, in the order of their paths."""

    def __str__(self) -> str:
        return "; ".join(fault.message for fault in self.faults)


class TextCheck(Protocol):
    """A check with its options, ready to judge."""

    @property
    def kind(self) -> str:
        """The name of its kind."""

    @property
    def entity(self) -> str:
        """What a found piece is called, such as `TERM`."""

    @property
    def ids(self) -> frozenset[int]:
        """The patterns that it listens to."""

    def breaks(self, content: Content, *, unread_allowed: bool = False) -> str | None:
        """Return the tail of the reason's code, or None for content that passes.

        Args:
            content: What is judged.
            unread_allowed: Whether what is no text (an image, a file) may pass unread.

        Raises:
            CheckError: It cannot tell.
        """

    def spans(self, content: Content) -> list[Span]:
        """Find the pieces that break it; none for a kind that finds no pieces.

        Raises:
            CheckError: It cannot tell.
        """


Chosen_contra = TypeVar("Chosen_contra", bound=BaseModel, contravariant=True)


@dataclass(frozen=True, slots=True)
class CheckKind(Generic[Chosen_contra]):
    """A kind of check: its options and how to build it."""

    name: str
    options: type[BaseModel]
    """The options that a policy may give."""
    finds_spans: bool
    """Whether it finds pieces that can be redacted."""
    manual: str
    """What it does, why, its options, what passes and what fails."""
    build: Callable[[Chosen_contra, Patterns], TextCheck]
    """Builds the check from its options, adding its patterns; raises `OptionFaults`."""


def refuse_unread(content: Content, *, allowed: bool) -> None:
    """Refuse to pass what could not be read.

    Raises:
        CheckError: Something in the content is no text, and may not pass unread.
    """
    if not allowed and content.unread:
        raise CheckError("something in it is no text")
