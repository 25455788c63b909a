"""The manual of a code: its caption, its sections, and the examples that tests run."""

import json
import re
import textwrap
from typing import Any, Final

__all__ = ["EXAMPLE_HEAD", "caption", "examples", "sections", "tools_of"]

EXAMPLE_HEAD: Final = "policy: example\nlanguage: 1\n"
"""What stands above an example that does not name its policy."""

_SECTION: Final = re.compile(r"^([A-Z][A-Za-z ]+):$", re.MULTILINE)
_WHOLE: Final = re.compile(r"^(?:policy:|# whole file)", re.MULTILINE)
_TOOLS: Final = "# {}.json: "


def caption(manual: str) -> str:
    """Return the first line, without its period."""
    return manual.strip().split("\n", 1)[0].removesuffix(".")


def sections(manual: str) -> dict[str, str]:
    """Return title -> text of each section, without its indentation."""
    parts = _SECTION.split(manual)
    pairs = zip(parts[1::2], parts[2::2], strict=True)
    return {title: textwrap.dedent(text).strip("\n") for title, text in pairs}


def examples(manual: str, title: str) -> list[str]:
    """Return the policies of a section, each whole; a line `---` separates them."""
    text = sections(manual).get(title, "")
    return [
        part if _WHOLE.search(part) else EXAMPLE_HEAD + part
        for part in (
            piece.strip("\n") + "\n" for piece in re.split(r"^---$", text, flags=re.MULTILINE)
        )
        if part.strip()
    ]


def tools_of(example: str, name: str = "tools") -> Any:
    """Return the tools that an example is judged with, or those `reviewed`; None for none."""
    head = _TOOLS.format(name)
    found = [line for line in example.splitlines() if line.startswith(head)]
    text = " ".join(line.removeprefix(head) for line in found)
    return json.loads(text) if found else None
