"""What a run of tests came to, as lines of text."""

from collections.abc import Iterator

from rich.text import Text

from policy_engine.report.printable import printable
from policy_engine.report.words import counted
from policy_engine.testing.coverage import Covered, Idea, Outcome
from policy_engine.testing.mutation import UNNOTICED, Verdict
from policy_engine.testing.outcome import Summary, share
from policy_engine.testing.output.pasting import Pasted, Pasting, as_expected, as_line
from policy_engine.testing.run import Failure, Result

__all__ = [
    "failure_lines",
    "idea_lines",
    "summary_lines",
    "uncovered",
    "unnoticed",
    "untested",
    "witness_lines",
]


def summary_lines(summary: Summary) -> Iterator[Text]:
    """Return the failures, then the totals, then what tests leave out."""
    for _, result in summary.failed:
        yield from _failed(result)
        yield Text("")
    doubts = [line for _, result in summary.results for line in _doubted(result)]
    yield from (*doubts, Text("")) if doubts else ()
    failed = len(summary.failed)
    yield Text.assemble(
        f"{counted(len(summary.results), 'test')}, ",
        (f"{failed:,} failed", "bold red") if failed else ("each passed", "green"),
        f"; {counted(summary.decisions, 'decision')} in {summary.seconds:.2f} s",
    )
    pasting = Pasting(summary)
    if summary.covered is not None:
        yield Text("")
        yield from _coverage(summary, summary.covered, pasting)
    if summary.verdicts is not None:
        yield Text("")
        yield from _mutation(summary, summary.verdicts, pasting)


def failure_lines(result: Result, failure: Failure) -> Iterator[str]:
    """Return what came otherwise than expected in one step."""
    many = len(result.case.steps) > 1
    place = f"step {failure.step}: " if many else ""
    turn = f"turn {failure.turn}: " if failure.turn > 1 else ""
    for difference in failure.differences:
        yield f"{place}{turn}{difference}"
    yield "  what spoke:" if failure.reasons else "  no rule spoke"
    yield from (f"    {reason}" for reason in failure.reasons)


def _failed(result: Result) -> Iterator[Text]:
    for failure in result.failures:
        yield Text.assemble(
            (printable(str(failure.location)), "bold"), ": ", (printable(result.case.name), "red")
        )
        yield from (Text(f"  {printable(line)}") for line in failure_lines(result, failure))


def _doubted(result: Result) -> Iterator[Text]:
    for place, doubt in result.doubts:
        yield Text.assemble(
            (printable(str(place)), "bold"),
            f": {printable(result.case.name)}: ",
            ("warning: ", "yellow"),
            printable(doubt),
        )


def _coverage(summary: Summary, covered: list[Covered], pasting: Pasting) -> Iterator[Text]:
    seen, wanted = summary.outcomes
    yield Text.assemble(
        ("coverage: ", "bold"),
        f"{share((seen, wanted))}, {seen:,} of {counted(wanted, 'outcome')}",
    )
    for one in covered:
        if not one.missing:
            continue
        yield Text.assemble(
            f"  {printable(str(one.item.location))}: {printable(uncovered(one))}: ",
            ("no test for ", "yellow"),
            untested(one),
        )
        yield from idea_lines(one, pasting)


def idea_lines(one: Covered, pasting: Pasting) -> Iterator[Text]:
    """Return the calls that would bring about what no test does."""
    for outcome in one.missing:
        if outcome in one.ideas:
            yield from _idea(one, outcome, one.ideas[outcome], pasting)


def uncovered(one: Covered) -> str:
    """Name what is covered or not: its kind, its rule, and which part of it."""
    item = one.item
    return f"{item.kind} {item.rule}{f' {item.what}' if item.what else ''}"


def untested(one: Covered) -> str:
    """Name the outcomes that no test brings about, and say where no request was found for one."""
    missing, doubtful = ", ".join(one.missing), one.doubtful
    if not doubtful:
        return missing
    them = ", ".join(doubtful)
    if doubtful == one.missing:
        them = "it" if len(doubtful) == 1 else "them"
    why = f"no request was found for {them}: lint tells whether it can ever happen"
    return f"{missing}, and {why}"


def _idea(one: Covered, outcome: Outcome, idea: Idea, pasting: Pasting) -> Iterator[Text]:
    yield Text(f"    {outcome}: {printable(as_line(idea.request))}", style="dim")
    pasted = pasting.of(one.item.location, idea.request, idea.standing)
    yield from _pasted(idea.beside, pasted, "      ")


def _pasted(beside: tuple[str, ...], pasted: Pasted | None, indent: str) -> Iterator[Text]:
    """Say what must have come before a call, and what to expect where its effect will not do."""
    for clause in beside:
        yield Text(f"{indent}where {printable(clause)}", style="dim")
    if pasted is None:
        return
    if pasted.steps is not None and pasted.takes_steps:
        yield Text(f"{indent}steps:", style="dim")
        for step in pasted.steps:
            yield Text(f"{indent}  - {printable(as_line(step))}", style="dim")
    elif pasted.says_more:
        yield Text(f"{indent}expect: {printable(as_expected(pasted.expect))}", style="dim")


def _mutation(summary: Summary, verdicts: list[Verdict], pasting: Pasting) -> Iterator[Text]:
    killed, counting = summary.kills
    alike = sum(one.fate == "equivalent" for one in verdicts)
    refused = sum(one.fate == "refused" for one in verdicts)
    undecided = sum(one.fate == "undecided" for one in verdicts)
    yield Text.assemble(
        ("mutation: ", "bold"),
        f"{share((killed, counting))}, {killed:,} of {counted(counting, 'mutant')} noticed",
        f"; {undecided:,} of the others undecided" if undecided else "",
    )
    yield Text(
        f"  not counted: {alike:,} proved to decide like the policy, {refused:,} that do not load",
        style="dim",
    )
    for one in verdicts:
        if one.fate not in UNNOTICED:
            continue
        yield Text.assemble(
            f"  {printable(str(one.location))}: {printable(unnoticed(one))}: ",
            ("no test notices", "yellow"),
        )
        yield from witness_lines(one, pasting)


def unnoticed(one: Verdict) -> str:
    """Name what a mutant changes, and in which rule."""
    return f"{one.rule}: {one.what}" if one.rule else one.what


def witness_lines(one: Verdict, pasting: Pasting) -> Iterator[Text]:
    """Return the call that tells a mutant apart, and what is decided of it."""
    if one.witness is None:
        yield Text("    undecided: no call was found that tells it apart, nor a proof of none")
        return
    yield Text(f"    {printable(as_line(one.witness.request))}", style="dim")
    pasted = pasting.witness(one)
    yield from _pasted(one.witness.beside, pasted, "    ")
    yield Text(f"    the policy: {printable(one.witness.policy)}")
    yield Text(f"    changed:    {printable(one.witness.mutant)}")
