"""`lint`: load policies, report every fault, and find what they could do better."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from policy_engine.cli.console import print_lines
from policy_engine.cli.ending import CannotRunError, ending
from policy_engine.cli.github import print_github
from policy_engine.cli.json_output import print_json
from policy_engine.cli.linting.project import project_settings
from policy_engine.cli.linting.sets import Linter, baselined, read_registry
from policy_engine.cli.version import installed
from policy_engine.lint import Settings
from policy_engine.lint.outcome import Outcome
from policy_engine.report.findings import finding_lines, outcome_to_wire
from policy_engine.report.github import annotations, step_summary
from policy_engine.report.junit import outcome_to_junit
from policy_engine.report.sarif import outcome_to_sarif
from policy_engine.tools import Tool

__all__ = ["run"]


class _Format(StrEnum):
    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    JUNIT = "junit"
    GITHUB = "github"


class _Level(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class _Persona(StrEnum):
    REGULAR = "regular"
    PEDANTIC = "pedantic"


def run(  # noqa: PLR0913 - one parameter an option
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH", help="Policy sets: files or folders.")
    ],
    *,
    tools: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[SERVER=]FILE|MODULE:OBJECT",
            help="The tools that there are: JSON as SDKs and MCP servers print it, or a Python "
            "object; SERVER= says of which MCP server they are. May be given several times.",
        ),
    ] = None,
    reviewed: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="The tools as they were reviewed, as `tools export` wrote them; with --tools, "
            "what changed since is reported.",
        ),
    ] = None,
    form: Annotated[
        _Format,
        typer.Option(
            "--format",
            metavar="text|json|sarif|junit|github",
            help="How to print what was found.",
        ),
    ] = _Format.TEXT,
    persona: Annotated[
        _Persona | None,
        typer.Option(metavar="regular|pedantic", help="Whether to hear everything."),
    ] = None,
    fail_level: Annotated[
        _Level | None,
        typer.Option(
            metavar="error|warning|info", help="The least severity that ends with exit code 1."
        ),
    ] = None,
    fix: Annotated[bool, typer.Option("--fix", help="Mend what is safe to mend.")] = False,
    baseline: Annotated[
        str | None, typer.Option(metavar="FILE", help="Findings that are known already.")
    ] = None,
    update_baseline: Annotated[
        bool, typer.Option("--update-baseline", help="Write the baseline anew.")
    ] = False,
    proofs: Annotated[
        bool,
        typer.Option(
            "--proofs/--no-proofs",
            help="Whether to reason about conditions; it is quicker without, and finds less.",
        ),
    ] = True,
) -> None:
    """Load policies, report every fault, and find what they could do better.

    Each PATH is a policy set of its own. One fault anywhere in a set keeps all of it from
    loading. What holds for a project stands under [tool.policy-engine] in its pyproject.toml;
    options win. `policy-engine explain PE207` prints the manual of a code.
    """
    with ending():
        settings = _settings(project_settings(Path.cwd()), persona, fail_level)
        registry = read_registry(tools or settings.tools)
        known = _reviewed(reviewed or settings.reviewed, registry)
        linter = Linter(settings, registry, known, proofs)
        outcome = linter.run(paths, mend=fix)
        outcome = baselined(outcome, baseline or settings.baseline, update=update_baseline)
        _print(outcome, form)
    if outcome.exit_code:
        raise typer.Exit(outcome.exit_code)


def _reviewed(file: str | None, tools: tuple[Tool, ...] | None) -> tuple[Tool, ...] | None:
    if file is not None and tools is None:
        raise CannotRunError("--reviewed goes with --tools: the tools as they are now")
    return None if file is None else read_registry((file,), "--reviewed")


def _settings(settings: Settings, persona: _Persona | None, level: _Level | None) -> Settings:
    return Settings(
        persona=settings.persona if persona is None else persona.value,
        fail_level=settings.fail_level if level is None else level.value,
        ignore=settings.ignore,
        severity=settings.severity,
        roles=settings.roles,
        tools=settings.tools,
        baseline=settings.baseline,
        reviewed=settings.reviewed,
    )


def _print(outcome: Outcome, form: _Format) -> None:
    match form:
        case _Format.TEXT:
            print_lines(finding_lines(outcome))
        case _Format.JSON:
            print_json(outcome_to_wire(outcome))
        case _Format.SARIF:
            print_json(outcome_to_sarif(outcome, installed()))
        case _Format.JUNIT:
            typer.echo(outcome_to_junit(outcome), nl=False)
        case _Format.GITHUB:
            print_github(annotations(outcome), step_summary(outcome))
