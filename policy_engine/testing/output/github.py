"""What a run of tests came to, as annotations and a step summary of GitHub Actions."""

from collections.abc import Iterator

from policy_engine.report.github import annotation, cell, table
from policy_engine.report.words import counted
from policy_engine.testing.mutation import UNNOTICED
from policy_engine.testing.outcome import Summary, share
from policy_engine.testing.output.lines import failure_lines, uncovered, unnoticed, untested

__all__ = ["failure_annotations", "markdown_summary"]


def failure_annotations(summary: Summary) -> Iterator[str]:
    """Return one workflow command for each step that failed, and for what tests leave out.

    A minimum that is missed comes first: of each kind, GitHub shows ten.
    """
    for what, how in summary.missed.items():
        yield annotation("error", None, (how,), f"policy-engine {what}")
    for _, result in summary.failed:
        for failure in result.failures:
            lines = (result.case.name, *failure_lines(result, failure))
            yield annotation("error", failure.location, lines, "policy-engine test")
    for covered in summary.covered or ():
        if covered.missing:
            lines = (f"{uncovered(covered)}: no test for {untested(covered)}",)
            yield annotation("warning", covered.item.location, lines, "policy-engine coverage")
    for one in summary.verdicts or ():
        if one.fate in UNNOTICED:
            lines = (f"{unnoticed(one)}: no test notices",)
            yield annotation("warning", one.location, lines, "policy-engine mutation")


def markdown_summary(summary: Summary) -> str:
    """Return the summary as Markdown."""
    failed = len(summary.failed)
    came = f"{failed:,} failed" if failed else "each passed"
    said = [f"{counted(len(summary.results), 'test')}, {came}"]
    if summary.covered is not None:
        seen, wanted = summary.outcomes
        said.append(f"coverage {share(summary.outcomes)}, {seen:,} of {counted(wanted, 'outcome')}")
    if summary.verdicts is not None:
        killed, counting = summary.kills
        noticed = f"{killed:,} of {counted(counting, 'mutant')} noticed"
        said.append(f"mutation {share(summary.kills)}, {noticed}")
    rows = list(_rows(summary))
    text = "## policy-engine test\n\n" + "; ".join(said) + ".\n"
    text += "".join(f"\n**Failed: {how}.**\n" for how in summary.missed.values())
    return f"{text}\n{table(('where', '', 'what'), rows)}" if rows else text


def _rows(summary: Summary) -> Iterator[tuple[str, ...]]:
    for _, result in summary.failed:
        for failure in result.failures:
            what = f"{result.case.name}: {'; '.join(failure.differences)}"
            yield _place(failure.location), "failed", cell(what)
    for one in summary.covered or ():
        if one.missing:
            what = f"{uncovered(one)}: {untested(one)}"
            yield _place(one.item.location), "not covered", cell(what)
    for verdict in summary.verdicts or ():
        if verdict.fate in UNNOTICED:
            yield _place(verdict.location), "not noticed", cell(unnoticed(verdict))


def _place(location: object) -> str:
    return f"`{cell(str(location))}`"
