"""Lint policy sets, mend what can be mended, and sum up."""

import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from policy_engine.cli.agent_graph import tools_of_graph
from policy_engine.cli.ending import CannotRunError
from policy_engine.cli.linting.servers import tools_of_server
from policy_engine.compiler import Compiled
from policy_engine.errors import Fault, PolicyError
from policy_engine.lint import Finding, Linted, Settings, lint
from policy_engine.lint.baseline import BaselineError, known_in, left_of, write_baseline
from policy_engine.lint.edits import apply_edits
from policy_engine.lint.outcome import Outcome
from policy_engine.lint.registry import RegistryError, tools_from
from policy_engine.loader import load, load_texts
from policy_engine.policy import LoadedPolicy, Policy
from policy_engine.tools import Tool

__all__ = ["Linter", "baselined", "read_registry"]

_PASSES = 8
"""So often a set is mended anew: one edit may uncover another."""


def read_registry(sources: Sequence[str], option: str = "--tools") -> tuple[Tool, ...] | None:
    """Return the tools of every source; None where none is named."""
    if not sources:
        return None
    try:
        return tuple(tool for source in sources for tool in tools_from(source, _listing))
    except RegistryError as error:
        raise CannotRunError(f"{option} {error}") from None


def _listing(found: Any) -> tuple[Tool, ...] | None:
    try:
        listed = tools_of_graph(found)
        return tools_of_server(found) if listed is None else listed
    except CannotRunError as error:
        raise RegistryError(str(error)) from None


@dataclass(slots=True)
class Linter:
    """Lints one set after the other and sums up."""

    settings: Settings
    tools: tuple[Tool, ...] | None
    reviewed: tuple[Tool, ...] | None = None
    """The tools as they were reviewed."""
    proofs: bool = True

    def run(self, paths: Iterable[str], *, mend: bool) -> Outcome:
        """Lint every set; with `mend`, write what `--fix` may change."""
        outcome = Outcome((), 0, 0, (), (), self.settings.fail_level)
        for path in paths:
            outcome = _joined(outcome, self._one(path, mend=mend))
        findings = sorted(set_of(outcome.findings), key=lambda one: one.order)
        return replace(outcome, faults=tuple(sorted(set(outcome.faults))), findings=tuple(findings))

    def _one(self, path: str, *, mend: bool) -> Outcome:
        try:
            compiled = load(path, warm=False)
        except PolicyError as error:
            return _faulty(error.faults)
        fixed = 0
        linted = self._lint(compiled)
        for _ in range(_PASSES if mend else 0):
            policies = compiled.policies.policies
            mended = _mend(policies, linted)
            if mended is None:
                break
            fixed += mended
            compiled = load(path, warm=False)
            linted = self._lint(compiled)
        policies = compiled.policies.policies
        return Outcome(
            tuple(loaded.document.path for loaded in policies),
            len(policies),
            sum(_rules(loaded.policy) for loaded in policies),
            (),
            linted.findings,
            silenced=linted.silenced,
            fixed=fixed,
        )

    def _lint(self, compiled: Compiled) -> Linted:
        return lint(
            compiled,
            tools=self.tools,
            reviewed=self.reviewed,
            settings=self.settings,
            proofs=self.proofs,
        )


def set_of(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings without those that two overlapping sets both have."""
    return list({(one.order, one.length): one for one in findings}.values())


def _faulty(faults: Sequence[Fault]) -> Outcome:
    files = tuple(dict.fromkeys(fault.location.path for fault in faults))
    return Outcome(files, 0, 0, tuple(faults), ())


def _joined(a: Outcome, b: Outcome) -> Outcome:
    return replace(
        a,
        files=tuple(dict.fromkeys((*a.files, *b.files))),
        policies=a.policies + b.policies,
        rules=a.rules + b.rules,
        faults=(*a.faults, *b.faults),
        findings=(*a.findings, *b.findings),
        silenced=a.silenced + b.silenced,
        fixed=a.fixed + b.fixed,
    )


def _mend(policies: Sequence[LoadedPolicy], linted: Linted) -> int | None:
    """Make the edits of findings and write the files; None where there is nothing to write."""
    fixable = [one for one in linted.findings if one.edits]
    texts = {loaded.document.path: loaded.document.text for loaded in policies}
    made = apply_edits(texts, (edit for one in fixable for edit in one.edits))
    changed = {path: text for path, text in made.items() if text != texts[path]}
    if not changed:
        return None
    try:
        load_texts(made, warm=False)
    except PolicyError:
        return None  # a fix that breaks the set is none
    for path, text in changed.items():
        _write(path, text)
    return len(fixable)


def _write(path: str, text: str) -> None:
    """Replace a file in one step, its permissions kept."""
    target = Path(path).resolve()
    handle, name = tempfile.mkstemp(prefix=".lint-", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(text.encode("utf-8"))
        Path(name).chmod(target.stat().st_mode & 0o7777)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def baselined(outcome: Outcome, file: str | None, *, update: bool) -> Outcome:
    """Leave out the findings that a baseline knows; with `update`, write it first."""
    if file is None:
        if update:
            raise CannotRunError("--update-baseline goes with --baseline FILE")
        return outcome
    folder = str(Path(file).parent)
    if update:
        text = write_baseline(outcome.findings, folder)
        Path(file).write_text(text, encoding="utf-8", newline="\n")
    if not Path(file).exists():
        raise CannotRunError(f"{file}: there is no such baseline; --update-baseline writes it")
    try:
        known = known_in(Path(file).read_text("utf-8"))
    except (BaselineError, UnicodeDecodeError) as error:
        raise CannotRunError(f"{file}: {error}") from None
    left, gone = left_of(outcome.findings, known, folder)
    return replace(outcome, findings=left, known=len(outcome.findings) - len(left), gone=gone)


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
