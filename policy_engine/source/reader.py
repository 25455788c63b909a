"""From the text of a file to its data, refusing what could be misread."""

from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeAlias

from yaml import (
    AliasEvent,
    CSafeLoader,
    MappingEndEvent,
    MappingStartEvent,
    MarkedYAMLError,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
    YAMLError,
)

from policy_engine.errors import Fault, Location, PolicyError
from policy_engine.source.characters import BIDI, UNREADABLE, describe, doubtful_name
from policy_engine.source.document import (
    Document,
    Listed,
    Mapped,
    Marked,
    fault_at,
    fault_at_offset,
)
from policy_engine.source.scalars import resolve
from policy_engine.source.syntax import syntax_fault

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MAX_BYTES", "MAX_DEPTH", "read_document"]

MAX_BYTES: Final = 1 << 20
"""How large a policy file may be."""
MAX_DEPTH: Final = 64
"""How deep mappings and lists may nest."""
_Event: TypeAlias = Any
"""What the parser reports: a start, a scalar, an alias or an end, with its marks."""
_BEGINNING: Final = "a policy starts with `policy: its-id` and `language: 1`"
_MAX_FAULTS: Final = 50
"""After so many faults the rest of a file is not worth reading."""


def read_document(
    path: str, text: str, beginning: str = _BEGINNING, noun: str = "policy"
) -> Document:
    """Read a policy file as YAML 1.2.

    Args:
        path: The name of the file in messages.
        text: What is in it.
        beginning: How such a file starts, as a hint.
        noun: What such a file is.

    Raises:
        PolicyError: The text is not YAML, or uses a part of it that policies do without.
    """
    if (fault := _unreadable(path, text)) is not None:
        raise PolicyError([fault])
    reader = _Reader(path, text, beginning, noun)
    try:
        data, root = reader.read()
    except _TooMuchError:
        raise PolicyError(reader.faults) from None
    except MarkedYAMLError as error:
        raise PolicyError([*reader.faults, syntax_fault(path, text, error)]) from error
    except YAMLError as error:
        fault = Fault(Location(path, 1, 1), "PE002", f"not YAML: {error}")
        raise PolicyError([*reader.faults, fault]) from error
    if reader.faults:
        raise PolicyError(reader.faults)
    return Document(path, text, data, root)


def _unreadable(path: str, text: str) -> Fault | None:
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        size = f"larger than {MAX_BYTES // 1024} KiB"
        hint = "split it: every file of a folder is part of the set"
        return Fault(Location(path, 1, 1), "PE001", f"the file is {size}", hint)
    if text.startswith("\ufeff"):
        message = "the file starts with a byte order mark"
        return fault_at_offset(path, text, 0, "PE003", message, "save it as UTF-8 without BOM")
    if (match := UNREADABLE.search(text)) is not None:
        message = f"the file holds {describe(match[0])}"
        hint = "remove it, or write it as an escape in double quotes"
        return fault_at_offset(path, text, match.start(), "PE002", message, hint)
    if not text.isascii() and (match := BIDI.search(text)) is not None:
        message = f"the file holds {describe(match[0])}, which reorders what a reader sees"
        hint = "remove it, or write it as an escape in double quotes"
        return fault_at_offset(path, text, match.start(), "PE005", message, hint)
    return None


class _TooMuchError(Exception):
    """There is no point in reading on."""


class _Reader:
    """Builds data and marks from the parser's events, in one pass."""

    __slots__ = ("_beginning", "_next", "_noun", "_path", "_text", "faults")

    def __init__(self, path: str, text: str, beginning: str, noun: str) -> None:
        self._beginning = beginning
        self._noun = noun
        self._path = path
        self._text = text
        self._next: Callable[[], _Event] = CSafeLoader(text).get_event
        self.faults: list[Fault] = []

    def read(self) -> tuple[dict[str, Any], Marked]:
        """Read the one mapping that a policy file is."""
        self._next()
        start = self._next()
        if type(start) is StreamEndEvent:
            self._empty()
        self._directives(start)
        event = self._next()
        data, root = self._value(event, 0)
        self._next()
        if type(after := self._next()) is not StreamEndEvent:
            self._fault(
                after, "PE003", "a second document starts here", f"one {self._noun} is one file"
            )
        if data is None and not self.faults:
            self._empty()
        if not isinstance(data, dict):
            message = f"a {self._noun} is a mapping of keys and values"
            self._fault(event, "PE008", message, self._beginning)
            data = {}
        return data, root

    def _empty(self) -> NoReturn:
        place = Location(self._path, 1, 1)
        self.faults.append(Fault(place, "PE001", "the file is empty", self._beginning))
        raise _TooMuchError

    def _directives(self, start: _Event) -> None:
        if start.tags or start.version not in {None, (1, 2)}:
            hint = "policies are YAML 1.2 without tags; remove the line"
            self._fault(start, "PE003", "a policy has no % directives", hint)

    def _value(self, event: _Event, depth: int) -> tuple[Any, Marked]:
        kind = type(event)
        if kind is ScalarEvent:
            return self._scalar(event), event
        if kind is AliasEvent:
            message = f'an alias "*{event.anchor}" is not taken'
            self._fault(event, "PE003", message, "write the value out, or quote it if it is a glob")
            return None, event
        if event.anchor is not None or event.tag is not None or not event.implicit:
            self._decorated(event)
        if depth == MAX_DEPTH:
            self._fault(event, "PE003", f"nested deeper than {MAX_DEPTH}", "flatten it")
            raise _TooMuchError
        if kind is MappingStartEvent:
            return self._mapping(event, depth + 1)
        return self._sequence(event, depth + 1)

    def _mapping(self, start: _Event, depth: int) -> tuple[dict[str, Any], Marked]:
        data: dict[str, Any] = {}
        entries: dict[str, tuple[Marked, Marked]] = {}
        following = self._next
        while (kind := type(key := following())) is not MappingEndEvent:
            name = self._scalar(key) if kind is ScalarEvent else self._complex(key, depth)
            if type(name) is not str:
                if kind is ScalarEvent:
                    self._unnamed(key)
            elif name in data:
                self._twice(key, name, entries[name][0])
            elif (not name.isascii() or not name.isprintable()) and (why := doubtful_name(name)):
                self._fault(key, "PE005", f'the key "{_shown(name)}" {why}', "type it anew")
            elif name == "<<" and key.implicit[0]:
                hint = "write the keys out"
                self._fault(key, "PE003", 'a merge key "<<" is not taken', hint)
                name = None
            value, marked = self._value(following(), depth)
            if type(name) is str and name not in data:
                data[name] = value
                entries[name] = (key, marked)
        return data, Mapped(start.start_mark, key.end_mark, entries)

    def _sequence(self, start: _Event, depth: int) -> tuple[list[Any], Marked]:
        data: list[Any] = []
        items: list[Marked] = []
        following = self._next
        while type(event := following()) is not SequenceEndEvent:
            value, marked = self._value(event, depth)
            data.append(value)
            items.append(marked)
        closing: _Event = event
        return data, Listed(start.start_mark, closing.end_mark, items)

    def _scalar(self, event: _Event) -> Any:
        if event.anchor is not None or event.tag is not None:
            self._decorated(event)
        if not event.implicit[0]:
            return event.value
        text = event.value
        try:
            return resolve(text)
        except ValueError as reason:
            self._fault(event, "PE009", f'"{text[:40]}" {reason}', "quote it if it is a text")
            return None

    def _complex(self, event: _Event, depth: int) -> Any:
        """Read over a key that is not a scalar."""
        self._value(event, depth)
        if type(event) is not AliasEvent:
            self._fault(event, "PE003", "a key is a list or a mapping", "a key is a text")
        return None

    def _unnamed(self, key: _Event) -> None:
        message = f'the key "{key.value}" is not a text'
        self._fault(key, "PE003", message, f'quote it: "{key.value}"')

    def _twice(self, key: _Event, name: str, first: Marked) -> None:
        line = first.start_mark.line + 1
        message = f'the key "{_shown(name)}" stands twice'
        self._fault(key, "PE004", message, f"it stands first in line {line}; keep one of the two")

    def _decorated(self, event: _Event) -> None:
        if event.anchor is not None:
            message = f'an anchor "&{event.anchor}" is not taken'
            self._fault(event, "PE003", message, "write the value out where it is used")
        else:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            message = f'a tag "{tag}" is not taken'
            hint = "remove it; quote the value if it is a text"
            self._fault(event, "PE003", message, hint)

    def _fault(self, marked: Marked, code: str, message: str, hint: str) -> None:
        self.faults.append(fault_at(self._path, self._text, marked, code, message, hint))
        if len(self.faults) >= _MAX_FAULTS:
            raise _TooMuchError


def _shown(name: str) -> str:
    return name if name.isprintable() else ascii(name)[1:-1]
