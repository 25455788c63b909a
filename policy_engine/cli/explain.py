"""`explain`: what a code means, what a check does, what a call would meet."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Annotated, Final

import typer
from rich.console import RenderableType
from rich.text import Text

from policy_engine.checks import CHECKS, LATER
from policy_engine.cli.console import print_lines
from policy_engine.cli.ending import CannotRunError, ending
from policy_engine.cli.policies import load_engine
from policy_engine.decision import CODES
from policy_engine.errors import FAULT_CODES
from policy_engine.lint import MANUALS, RULES
from policy_engine.report.chain import chain_table
from policy_engine.report.printable import clipped

__all__ = ["run"]

_SLUGS: Final = {rule.slug: code for code, rule in RULES.items()}


def run(
    word: Annotated[
        str | None, typer.Argument(metavar="CODE|CHECK", help="A code, or the name of a check.")
    ] = None,
    *,
    policies: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="The policy set: a file or a folder."),
    ] = None,
    tool: Annotated[str | None, typer.Option(metavar="NAME", help="The tool of the call.")] = None,
    agent: Annotated[str | None, typer.Option(metavar="NAME", help="The agent that calls.")] = None,
) -> None:
    """Explain a code or a check, or what a call would meet.

    CODE is one of lint's (PE006, PE207, unanchored-pattern) or one of a decision's reasons
    (args.maximum); CHECK is a text check (terms). With --policies and --tool instead: everything
    that a call of the tool would meet, in order, with the lines of the policies.
    """
    with ending():
        if word is not None and (policies, tool, agent) == (None, None, None):
            print_lines(_word(word))
        elif word is None and policies is not None and tool is not None:
            print_lines(_chain(policies, tool, agent))
        else:
            raise CannotRunError("give a CODE or a CHECK alone, or --policies and --tool")


def _word(word: str) -> Iterator[Text]:
    if word in CHECKS:
        yield Text(CHECKS[word].manual.strip())
        return
    if word in LATER:
        raise CannotRunError(f'this version does not have the check "{word}" yet')
    if word.upper() in RULES or word in _SLUGS or word.upper() in MANUALS:
        yield from _manual(_SLUGS.get(word, word.upper()))
        return
    meaning = CODES.get(word)
    if meaning is None:
        words = [*FAULT_CODES, *RULES, *_SLUGS, *CODES, *CHECKS]
        near = get_close_matches(word, words, 1) or get_close_matches(word.upper(), words, 1)
        hint = f': did you mean "{near[0]}"?' if near else ""
        raise CannotRunError(f'"{clipped(word)}" is not a code or a check{hint}')
    yield Text.assemble((word, "bold"), f": {meaning}")
    yield Text("A reason of a decision. It names the rule and its line.", style="dim")


def _manual(code: str) -> Iterator[Text]:
    """Print the manual of a code of lint: its first line, what it is, and the rest."""
    rule = RULES.get(code)
    manual = MANUALS[code] if rule is None else rule.manual
    first, rest = manual.strip().split("\n", 1)
    kind = "a fault: the policy set does not load until it is mended"
    if rule is not None:
        kind = f"{rule.slug}: {rule.severity}"
        kind += ", for the pedantic persona" if rule.persona == "pedantic" else ""
        kind += ", not with --no-proofs" if rule.proves else ""
        kind += ", with --tools" if rule.needs_tools else ""
        kind += " and --reviewed" if rule.needs_reviewed else ""
    yield Text.assemble((code, "bold"), f": {first}")
    yield Text(kind, style="dim")
    yield Text(rest)


def _chain(policies: str, tool: str, agent: str | None) -> Iterator[RenderableType]:
    links = load_engine(policies).explain("tool_call", tool, agent)
    by = "any agent" if agent is None else f"the agent {agent}"
    yield Text.assemble("a call of ", (clipped(tool), "bold"), f" by {clipped(by)} meets:")
    yield Text("")
    yield chain_table(links)
