"""What can go wrong, and where.

PolicyEngineError
├── PolicyError       the author of a policy must act: .faults says all that is wrong
├── RequestError      a request is not of the documented form
├── CheckError        a check could not tell; never leaves the engine, where doubt denies
├── ApprovalError     an approval cannot be asked for or answered like this
│   ├── ApprovalNotFoundError   no approval has this id
│   ├── ApprovalExpiredError    the answer comes too late
│   └── ApprovalMismatchError   the answer does not fit: who gives it, or what it is given to
├── AuditError        a record could not be written; the guard denies
└── StoreError        approvals or state could not be read or written; the guard denies
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

__all__ = [
    "FAULT_CODES",
    "ApprovalError",
    "ApprovalExpiredError",
    "ApprovalMismatchError",
    "ApprovalNotFoundError",
    "AuditError",
    "CheckError",
    "Fault",
    "Location",
    "PolicyEngineError",
    "PolicyError",
    "RequestError",
    "StoreError",
]

FAULT_CODES: Mapping[str, str] = MappingProxyType(
    {
        "PE001": "a file or folder cannot be read as policies",
        "PE002": "a file is not YAML",
        "PE003": "a file uses a part of YAML that policies do without",
        "PE004": "a key stands twice in one mapping",
        "PE005": "a name holds invisible, bidirectional or look-alike characters",
        "PE006": "a key is unknown there",
        "PE007": "a required key is missing",
        "PE008": "a value has the wrong type",
        "PE009": "a value is not one of those that may stand there",
        "PE010": "an id stands twice",
        "PE011": "a name refers to nothing",
        "PE012": "an expression cannot be parsed",
        "PE013": "an expression does not fit the types of what it reads",
        "PE014": "an optional value is read outside has()",
        "PE015": "a JSON Schema is not one that this language takes",
        "PE016": "a pattern does not compile",
        "PE017": "an effect cannot be given there",
        "PE018": "this version does not have it yet",
        "PE019": "an extra is not installed",
        "PE020": "a rule could never do anything",
        "PE021": "two parts of a rule do not go together",
    }
)
"""Why a policy does not load: code -> meaning. A code is never reused."""


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a file; line and column count from 1, columns in code points."""

    path: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that keeps a policy from loading."""

    location: Location
    code: str
    """One of `FAULT_CODES`."""
    message: str
    """Lower-case, no final period, the offending text in double quotes."""
    hint: str | None = None
    """What to do, such as `did you mean "effect"?`."""
    source_line: str = ""
    """The line of the file, for the caret; empty where there is none."""
    length: int = 1
    """How many characters the caret underlines."""

    def __str__(self) -> str:
        lines = [f"{self.location}: {self.message} [{self.code}]"]
        if self.source_line:
            number = str(self.location.line)
            text = self.source_line.expandtabs(1)
            width = max(1, min(self.length, len(text) - self.location.column + 1))
            lines.append(f"  {number} | {text}")
            lines.append(f"  {' ' * len(number)} | {' ' * (self.location.column - 1)}{'^' * width}")
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)


class PolicyEngineError(Exception):
    """The root of every error that policy-engine raises."""


class PolicyError(PolicyEngineError):
    """A policy set cannot do what it says, so none of it loads."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(faults)
        self.faults = tuple(sorted(set(faults)))
        """Every fault of every file, in the order of file, line and column."""

    def __str__(self) -> str:
        count = len(self.faults)
        closing = f"{count} {'fault' if count == 1 else 'faults'}: no policy was loaded"
        return "\n\n".join([*map(str, self.faults), closing])


class RequestError(PolicyEngineError):
    """A request is not of the documented form."""


class CheckError(PolicyEngineError):
    """A check could not tell."""


class ApprovalError(PolicyEngineError):
    """An approval cannot be asked for or answered like this."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message, hint)
        self.message = message
        """What is wrong: lower-case, no final period, the offending text in double quotes."""
        self.hint = hint
        """What to do."""

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\n  hint: {self.hint}"


class ApprovalNotFoundError(ApprovalError):
    """No approval has this id, or it is so long over that it was forgotten."""


class ApprovalExpiredError(ApprovalError):
    """The answer comes too late."""


class ApprovalMismatchError(ApprovalError):
    """The answer does not fit: who gives it, or what it is given to."""


class AuditError(PolicyEngineError):
    """A record could not be written, so what it would have told of is denied."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message, hint)
        self.message = message
        """What is wrong: lower-case, no final period, the offending text in double quotes."""
        self.hint = hint
        """What to do."""

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\n  hint: {self.hint}"


class StoreError(PolicyEngineError):
    """Approvals or state could not be read or written, so what needs them is denied."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message, hint)
        self.message = message
        """What is wrong: lower-case, no final period, the offending text in double quotes."""
        self.hint = hint
        """What to do."""

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\n  hint: {self.hint}"
