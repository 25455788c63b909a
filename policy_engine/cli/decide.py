"""`decide`: decide one request and explain the decision."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from policy_engine.cli.console import print_lines
from policy_engine.cli.ending import CLEAN, NOT_PERMITTED, CannotRunError, ending
from policy_engine.cli.json_output import print_json
from policy_engine.cli.json_value import json_object, read_text
from policy_engine.cli.policies import PoliciesOption, load_engine
from policy_engine.decision import Decision, Needs, Request
from policy_engine.decision.wire import Given, read_request
from policy_engine.engine import Engine
from policy_engine.errors import RequestError
from policy_engine.report.decision import decision_lines
from policy_engine.report.source_lines import SourceLines
from policy_engine.state import MemoryState

__all__ = ["run"]


class _Format(StrEnum):
    TEXT = "text"
    JSON = "json"


def run(  # noqa: PLR0913 - one parameter an option
    *,
    policies: PoliciesOption = None,
    request: Annotated[
        str | None,
        typer.Option(metavar="JSON|@FILE|-", help="The whole request."),
    ] = None,
    tool: Annotated[
        str | None, typer.Option(metavar="NAME", help="The tool that the agent calls.")
    ] = None,
    args: Annotated[
        str | None, typer.Option(metavar="JSON", help="The arguments of the call, {} by default.")
    ] = None,
    input_: Annotated[
        str | None, typer.Option("--input", metavar="TEXT", help="A text that the agent is given.")
    ] = None,
    output: Annotated[
        str | None, typer.Option(metavar="TEXT", help="A text that the agent says.")
    ] = None,
    agent: Annotated[str | None, typer.Option(metavar="NAME", help="The agent.")] = None,
    session: Annotated[
        str | None, typer.Option(metavar="ID", help="A session, which begins with this request.")
    ] = None,
    principal: Annotated[
        str | None, typer.Option(metavar="JSON", help="For whom: id, roles, tenant, attrs.")
    ] = None,
    context: Annotated[
        str | None, typer.Option(metavar="JSON", help="The context that the policies declare.")
    ] = None,
    facts: Annotated[
        str | None, typer.Option(metavar="JSON", help="The facts that the policies look up.")
    ] = None,
    now: Annotated[
        str | None, typer.Option(metavar="TIME", help="When, such as 2026-01-05T10:00:00Z.")
    ] = None,
    form: Annotated[
        _Format, typer.Option("--format", metavar="text|json", help="How to print the decision.")
    ] = _Format.TEXT,
) -> None:
    """Decide one request and explain the decision.

    The request is given whole (--request), or as a call (--tool, --args), an --input or an
    --output. Wherever JSON is expected, @FILE reads it from a file.
    """
    with ending():
        value = _request(request, {"tool": tool, "input": input_, "output": output}, args)
        _add(value, "agent", agent)
        _add(value, "session", session)
        _add(value, "now", now)
        for name, text in (("principal", principal), ("context", context), ("facts", facts)):
            _add(value, name, None if text is None else json_object(text, f"--{name}"))
        try:
            given = read_request(value)
        except RequestError as error:
            raise CannotRunError(f"the request: {error}") from None
        engine = load_engine(policies)
        needs = engine.needs(given.request)
        time = given.now or datetime.now(UTC)
        known = MemoryState().facts(given.request, needs, time, given.answers)
        decision = engine.decide(given.request, known)
        if form is _Format.JSON:
            print_json(decision.to_wire())
        else:
            conditions = _conditions(engine, given.request)
            missing = _missing(decision, needs, given, conditions)
            print_lines(
                decision_lines(decision, SourceLines(), known.counters, conditions, missing)
            )
    raise typer.Exit(CLEAN if decision.permitted else NOT_PERMITTED)


def _request(whole: str | None, parts: dict[str, str | None], args: str | None) -> dict[str, Any]:
    given = [name for name, text in parts.items() if text is not None]
    if whole is not None:
        given.insert(0, "request")
    if len(given) != 1:
        what = " and ".join(f"--{name}" for name in given) or "none of them"
        raise CannotRunError(f"give one of --request, --tool, --input and --output, not {what}")
    if args is not None and parts["tool"] is None:
        raise CannotRunError("--args goes with --tool")
    match given[0]:
        case "request":
            return json_object(whole or "", "--request")
        case "tool":
            values = {} if args is None else json_object(args, "--args")
            return {"stage": "tool_call", "tool": parts["tool"], "args": values}
        case stage:
            return {"stage": stage, "text": read_text(parts[stage] or "", f"--{stage}")}


def _add(value: dict[str, Any], name: str, given: object) -> None:
    if given is None:
        return
    if value.get(name) is not None:
        raise CannotRunError(f'"{name}" is given twice: in --request and as --{name}')
    value[name] = given


def _conditions(engine: Engine, request: Request) -> dict[str, str]:
    """Return what each rule asks, by its name."""
    name = request.tool or request.target or request.model
    links = engine.explain(request.stage, name, request.agent)
    return {link.rule: link.what for link in links if link.what.startswith("when ")}


def _missing(
    decision: Decision, needs: Needs, given: Given, conditions: dict[str, str]
) -> list[str]:
    """Say what was not given, where something could not be told."""
    codes = {reason.code for reason in decision.reasons}
    if not any(code.endswith(".cannot_tell") for code in codes):
        return []
    request = given.request
    principal = request.principal or {}
    answers = given.answers or {}
    said = [
        f'the fact "{need.name}": --facts \'{{"{need.name}": …}}\''
        for need in needs.facts
        if need.name not in answers
    ]
    if "policy.cannot_tell" in codes and request.agent is None:
        said.append("the agent: --agent NAME")
    elif "policy.cannot_tell" in codes and not {"roles", "tenant"} <= principal.keys():
        said.append('roles or tenant: --principal \'{"roles": […], "tenant": …}\'')
    if request.session is None and (needs.session or "limit.cannot_tell" in codes):
        said.append("the session: --session ID")
    if principal.get("id") is None and "limit.cannot_tell" in codes:
        said.append("the principal, if a limit counts by it: --principal '{\"id\": …}'")
    untold = (r.rule for r in decision.reasons if r.code == "rule.cannot_tell")
    if request.context is None and any("context." in conditions.get(r, "") for r in untold):
        said.append("the context, which a condition reads: --context JSON")
    return said
