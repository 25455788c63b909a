"""What a check judges: a text, or every string of a JSON value."""

import json
from collections.abc import Iterator, Mapping
from types import NoneType
from typing import Final

import orjson

from policy_engine.errors import CheckError
from policy_engine.text.fold import skeleton
from policy_engine.text.pointer import escape
from policy_engine.text.scanner import CONTROLS, Scanner

__all__ = ["MAX_DEPTH", "Content", "Text"]

MAX_DEPTH: Final = 100
"""How deep a value may nest."""

_NONE: Final[frozenset[int]] = frozenset()
_SILENT: Final = (int, float, bool, NoneType)
"""Types of JSON that hold no text."""

_MEDIA: Final = frozenset(
    {
        "audio",
        "file_url",
        "image",
        "image_file",
        "image_url",
        "input_audio",
        "input_file",
        "input_image",
        "media",
        "output_audio",
        "output_image",
        "video",
        "video_url",
    }
)
"""What the `type` of a content part says where its substance is no text."""

_ENCLOSING: Final = frozenset({"document", "file", "resource"})
"""Types whose part is no text where it encloses bytes or leads to a file."""

_ENCLOSED: Final = frozenset(
    {"base64", "blob", "data", "file", "file_data", "file_id", "file_url", "resource", "source"}
)


class Text:
    """One string with its disguises undone, and the patterns found in it."""

    __slots__ = ("_folded", "_hits", "_skeleton", "raw", "scanner")

    def __init__(self, raw: str, scanner: Scanner) -> None:
        self.raw = raw
        self.scanner = scanner
        self._skeleton: str | None = None
        self._folded: str | None = None
        self._hits: frozenset[int] | None = None

    @property
    def skeleton(self) -> str:
        """The text without disguises, case kept."""
        if self._skeleton is None:
            self._skeleton = skeleton(self.raw)
        return self._skeleton

    @property
    def folded(self) -> str:
        """The text without disguises and case."""
        if self._folded is None:
            self._folded = self.skeleton.casefold()
        return self._folded

    @property
    def hits(self) -> frozenset[int]:
        """The ids of the linear patterns found in any of its forms.

        Raises:
            CheckError: The engine could not tell.
        """
        if self._hits is None:
            self._hits = self._scan()
        return self._hits

    def forms(self, *, caseless: bool) -> list[str]:
        """Return the distinct forms in which a pattern is searched for."""
        forms = [self.raw, self.skeleton]
        if caseless and not self.skeleton.isascii():
            forms.append(self.folded)
        return list(dict.fromkeys(forms))

    def _scan(self) -> frozenset[int]:
        found = self.scanner.scan(self.raw)
        if self.raw.isascii() and CONTROLS not in found:
            return frozenset(found)
        return _undisguised(self, found)


def _undisguised(text: Text, found: list[int]) -> frozenset[int]:
    """Add to what was found in the raw text what is found below its disguises."""
    scanner = text.scanner
    hits = set(found)
    if text.skeleton != text.raw:
        hits.update(scanner.scan(text.skeleton))
    # Case does not matter to a caseless pattern in ASCII; beyond, `ß` is `ss`.
    if not text.skeleton.isascii() and scanner.caseless and text.folded != text.skeleton:
        hits.update(scanner.caseless.intersection(scanner.scan(text.folded)))
    hits.discard(CONTROLS)
    return frozenset(hits)


class Content:
    """What a check judges: a text, any JSON value, or nothing.

    Args:
        value: The text or value.
        scanner: Holds the patterns.
        parts: Whether a mapping may be a content part of a message, such as an image; the
            arguments of a call are none.
    """

    __slots__ = (
        "_canonical",
        "_hits",
        "_parts",
        "_strings",
        "_texts",
        "_unread",
        "scanner",
        "value",
    )

    def __init__(self, value: object, scanner: Scanner, *, parts: bool = True) -> None:
        self.value = value
        self._parts = parts
        self.scanner = scanner
        self._strings: list[str] | None = None
        self._texts: tuple[tuple[str, Text, bool], ...] | None = None
        self._hits: frozenset[int] | None = None
        self._unread = False
        self._canonical: str | None = None

    @property
    def texts(self) -> tuple[tuple[str, Text, bool], ...]:
        """Every string: its JSON Pointer (of a key: of what it names), itself, is it a key.

        Raises:
            CheckError: The value is nested too deeply.
        """
        if self._texts is None:
            strings = self._read()
            places = _places(self.value, "")
            self._texts = tuple(
                (pointer, Text(raw, self.scanner), is_key)
                for raw, (pointer, is_key) in zip(strings, places, strict=True)
            )
        return self._texts

    @property
    def hits(self) -> frozenset[int]:
        """The ids of the linear patterns found in any string.

        Raises:
            CheckError: The value is nested too deeply, or the engine could not tell.
        """
        if self._hits is None:
            self._hits = self._scan()
        return self._hits

    @property
    def unread(self) -> bool:
        """Whether something in it is no text: bytes, an image, a file, a strange object."""
        self._read()
        return self._unread

    @property
    def canonical(self) -> str:
        """The text itself, or the value as canonical JSON: sorted keys, no spaces.

        Raises:
            CheckError: The value is not JSON.
        """
        if self._canonical is None:
            self._canonical = self.value if type(self.value) is str else self._dump()
        return self._canonical

    def finds(self, ids: frozenset[int]) -> frozenset[int]:
        """Return which of some patterns are found, backtracking ones included.

        Raises:
            CheckError: It could not be told, or a backtracking search took too long.
        """
        found = self.hits & ids
        slow = ids & self.scanner.backtracking
        if slow:
            found |= {number for number in slow if self._backtrack(number)}
        return found

    def _scan(self) -> frozenset[int]:
        scan = self.scanner.scan
        hits = _NONE
        for raw in self._read():
            found = scan(raw)
            if raw.isascii() and CONTROLS not in found:
                if found:  # most texts are clean and plain, and cost no more than the scan
                    hits = hits.union(found)
            else:
                hits = hits.union(_undisguised(Text(raw, self.scanner), found))
        return hits

    def _backtrack(self, number: int) -> bool:
        caseless = number in self.scanner.caseless
        return any(
            True
            for _, part, _ in self.texts
            for form in part.forms(caseless=caseless)
            for _ in self.scanner.find(number, form)
        )

    def _read(self) -> list[str]:
        if self._strings is None:
            strings: list[str] = []
            if type(self.value) is str:
                strings.append(self.value)
            else:
                self._unread = _collect(self.value, strings, MAX_DEPTH, parts=self._parts)
            self._strings = strings
        return self._strings

    def _dump(self) -> str:
        self._read()  # bounds the depth
        try:
            return orjson.dumps(self.value, default=_plain, option=orjson.OPT_SORT_KEYS).decode()
        except orjson.JSONEncodeError:
            pass  # integers beyond 64 bits, halves of surrogate pairs
        try:
            return json.dumps(
                self.value,
                ensure_ascii=False,
                allow_nan=False,
                separators=(",", ":"),
                sort_keys=True,
                default=_plain,
            )
        except (TypeError, ValueError) as error:
            raise CheckError("the value is not JSON") from error


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(type(value).__name__)


def _collect(value: object, strings: list[str], depth: int, *, parts: bool) -> bool:
    """Collect the strings of a value in order; tell whether something in it is no text."""
    if isinstance(value, str):
        strings.append(value)
        return False
    if isinstance(value, Mapping):
        if depth == 0:
            raise CheckError("the value is nested too deeply")
        unread = parts and _is_media(value)
        for key, item in value.items():
            if type(key) is str:
                strings.append(key)
            else:
                unread |= _collect(key, strings, depth - 1, parts=parts)
            if type(item) is str:
                strings.append(item)
            else:
                unread |= _collect(item, strings, depth - 1, parts=parts)
        return unread
    if isinstance(value, list | tuple):
        if depth == 0:
            raise CheckError("the value is nested too deeply")
        unread = False
        for item in value:
            unread |= _collect(item, strings, depth - 1, parts=parts)
        return unread
    return not isinstance(value, _SILENT)


def _places(value: object, pointer: str) -> Iterator[tuple[str, bool]]:
    """Yield where the strings stand that `_collect` collects, in its order."""
    if isinstance(value, str):
        yield pointer, False
    elif isinstance(value, Mapping):
        for key, item in value.items():
            below = f"{pointer}/{escape(str(key))}"
            for _ in _places(key, ""):
                yield below, True
            yield from _places(item, below)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _places(item, f"{pointer}/{index}")


def _is_media(part: Mapping[object, object]) -> bool:
    """Tell whether a mapping is a content part whose substance is no text."""
    kind = part.get("type")
    if isinstance(kind, str):
        if kind in _MEDIA:
            return True
        if kind in _ENCLOSING and not _ENCLOSED.isdisjoint(part):
            inner = part.get("resource")
            return kind != "resource" or not isinstance(inner, Mapping) or "blob" in inner
    return "inlineData" in part or "inline_data" in part or "fileData" in part
