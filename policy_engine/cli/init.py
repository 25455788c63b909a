"""`init`: write a policy folder to begin with."""

import contextlib
import json
import os
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from policy_engine.cli.console import print_lines
from policy_engine.cli.ending import CannotRunError, ending
from policy_engine.cli.schema import policy_schema
from policy_engine.report.printable import clipped, printable

__all__ = ["TEMPLATES", "Template", "run"]

_SCHEMA: Final = "policy.schema.json"
"""Beside the policies, so that editors check them without a network."""


@dataclass(frozen=True, slots=True)
class Template:
    """A policy to begin with, and a call of it that is worth a look."""

    caption: str
    tool: str
    args: Mapping[str, Any]


TEMPLATES: Final[Mapping[str, Template]] = MappingProxyType(
    {
        "support": Template(
            "orders, refunds and e-mail",
            "process_refund",
            {"order_id": "ORD-00000001", "amount": 600, "currency": "USD"},
        ),
        "data": Template(
            "reading a warehouse, exports",
            "export_rows",
            {"table": "orders", "rows": 20000, "format": "csv", "destination": "team-finance"},
        ),
        "research": Template(
            "web pages, notes and mail",
            "send_mail",
            {"to": "eve@elsewhere.example", "subject": "Notes", "body": "See below."},
        ),
        "banking": Template(
            "payments with approvals and limits",
            "pay",
            {"payee": "Corner Bakery", "amount": 400, "currency": "EUR"},
        ),
    }
)
"""Name -> what `--template` writes; the files are in the folder `templates`."""


def run(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder; it may hold policies already.")
    ] = Path("policies"),
    *,
    template: Annotated[
        str, typer.Option(metavar="|".join(TEMPLATES), help="What the agent is for.")
    ] = "support",
) -> None:
    """Write a policy folder to begin with.

    It gets a policy to read and change, examples with the decision that each is to get, and the
    schema by which editors check policies. Nothing that exists is overwritten.

    """
    with ending():
        chosen = _chosen(template)
        _check_folder(folder)
        contents = _contents(template)
        written = _write(folder, contents)
        print_lines(_report(folder, template, chosen, written))


def _chosen(name: str) -> Template:
    found = TEMPLATES.get(name)
    if found is not None:
        return found
    near = get_close_matches(name.lower(), TEMPLATES, 1)
    hint = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(TEMPLATES)}"
    raise CannotRunError(f'"{clipped(name)}" is not a template: {hint}')


def _check_folder(folder: Path) -> None:
    shown = printable(str(folder))
    if folder.suffix.lower() in (".yaml", ".yml", ".jsonl"):
        raise CannotRunError(f'"{shown}" names a file; name the folder that it is to be written to')
    if folder.exists() and not folder.is_dir():
        raise CannotRunError(f'"{shown}" is a file; name a folder')


def _contents(name: str) -> dict[Path, str]:
    """Return each file of a template, below its folder."""
    source = files("policy_engine.cli") / "templates"
    return {
        Path(f"{name}.yaml"): (source / f"{name}.yaml").read_text("utf-8"),
        Path("examples", f"{name}.jsonl"): (source / f"{name}.jsonl").read_text("utf-8"),
        Path(_SCHEMA): json.dumps(policy_schema(), indent=1) + "\n",
    }


def _write(folder: Path, contents: Mapping[Path, str]) -> list[Path]:
    """Write all files or none; return those that were written."""
    kept = {Path(_SCHEMA)}
    there = [folder / file for file in contents if os.path.lexists(folder / file)]
    in_the_way = [path for path in there if path.relative_to(folder) not in kept]
    if in_the_way:
        raise CannotRunError(_refusal(in_the_way))
    written: list[Path] = []
    try:
        for file, text in contents.items():
            path = folder / file
            if path in there:
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8", newline="\n") as opened:
                written.append(path)
                opened.write(text)
    except BaseException as error:
        for path in written:
            with contextlib.suppress(OSError):
                path.unlink()
        if isinstance(error, FileExistsError):
            raise CannotRunError(_refusal([Path(error.filename or folder)])) from None
        raise
    return written


def _refusal(paths: Sequence[Path]) -> str:
    names = " and ".join(printable(str(path)) for path in paths)
    exist = "exists" if len(paths) == 1 else "exist"
    return (
        f"{names} {exist}, so nothing was written: name another folder"
        " (policy-engine init DIR), or move what is there"
    )


def _report(folder: Path, name: str, template: Template, written: Sequence[Path]) -> Iterator[Text]:
    what = {
        ".yaml": f"the policy ({template.caption}): read it from top to bottom",
        ".jsonl": "calls, and what is to be decided about each",
        ".json": "what editors complete and check policies by",
    }
    width = max(len(printable(str(path))) for path in written)
    for path in written:
        shown = printable(str(path)).ljust(width)
        yield Text.assemble("wrote ", (shown, "bold"), f"  {what[path.suffix]}")
    yield Text("")
    yield Text("Now:")
    for command in _next(folder, name, template):
        yield Text.assemble("  ", (printable(_pasteable(command)), "bold"))


def _next(folder: Path, name: str, template: Template) -> Iterator[Sequence[str]]:
    """Return what to run next: check it, try it on the examples, ask about one call."""
    policies = os.fspath(folder)
    examples = os.fspath(folder / "examples" / f"{name}.jsonl")
    yield "policy-engine", "lint", policies
    yield "policy-engine", "replay", "--policies", policies, examples
    call = ("--tool", template.tool, "--args", json.dumps(template.args))
    who = ("--agent", name, "--session", "s1", "--principal", '{"id": "u1"}')
    yield ("policy-engine", "decide", "--policies", policies, *call, *who)


def _pasteable(command: Sequence[str]) -> str:
    if os.name == "nt":
        return subprocess.list2cmdline(command)
    return shlex.join(command)
