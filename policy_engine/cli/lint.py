"""`lint`: load policies and report every fault."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

import typer
from rich.text import Text

from policy_engine.cli.console import print_lines
from policy_engine.cli.ending import CANNOT_RUN, CannotRunError, ending
from policy_engine.cli.json_output import print_json
from policy_engine.errors import Fault, PolicyError
from policy_engine.loader import load
from policy_engine.policy import Policy
from policy_engine.report.faults import fault_lines, faults_to_wire
from policy_engine.report.words import counted

__all__ = ["run"]

VERSION = 1


class _Format(StrEnum):
    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    JUNIT = "junit"
    GITHUB = "github"


def run(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH", help="Policy sets: files or folders.")
    ],
    form: Annotated[
        _Format,
        typer.Option("--format", metavar="text|json", help="How to print what was found."),
    ] = _Format.TEXT,
) -> None:
    """Load policies and report every fault.

    Each PATH is a policy set of its own. One fault anywhere in a set keeps all of it from
    loading.
    """
    with ending():
        if form not in (_Format.TEXT, _Format.JSON):
            raise CannotRunError(f'this version does not have --format "{form}" yet')
        policies: list[Policy] = []
        faults: list[Fault] = []
        for path in paths:
            try:
                loaded = load(path, warm=False).policies.policies
            except PolicyError as error:
                faults.extend(error.faults)
            else:
                policies.extend(one.policy for one in loaded)
        faults = sorted(set(faults))
        rules = sum(map(_rules, policies))
        if form is _Format.JSON:
            print_json(
                {
                    "version": VERSION,
                    "policies": len(policies),
                    "rules": rules,
                    "faults": faults_to_wire(faults),
                }
            )
        else:
            print_lines(fault_lines(faults) if faults else _clean(len(policies), rules))
    if faults:
        raise typer.Exit(CANNOT_RUN)


def _clean(policies: int, rules: int) -> Iterator[Text]:
    yield Text.assemble(
        f"{counted(policies, 'policy', 'policies')}, {counted(rules, 'rule')}: ",
        ("no faults", "green"),
    )


def _rules(policy: Policy) -> int:
    tools = (policy.tools or {}).values()
    return sum(
        (
            len(policy.input),
            len(policy.output),
            len(policy.rules),
            sum(len(entry.rules) + len(entry.result) for entry in tools),
            sum(len(entry.rules) for entry in (policy.handoffs or {}).values()),
        )
    )
