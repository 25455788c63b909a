"""One scene of the demonstration as lines for a reader."""

from collections.abc import Iterator
from pathlib import PurePath
from typing import Final

from rich.text import Text

from policy_engine.cli.demonstration.agent import Act, Scene
from policy_engine.decision import CODES, Decision, Effect, Reason
from policy_engine.report.printable import printable
from policy_engine.report.words import COLOR, HEADLINE

__all__ = ["scene_lines"]

_INDENT: Final = "   "
_LONGEST: Final = max(len(HEADLINE[effect]) for effect in ("allow", "require_approval", "deny"))


def scene_lines(number: int, scene: Scene) -> Iterator[Text]:
    """Return what the agent tried, what was decided by which line, and what followed."""
    act, decision = scene.act, scene.decision
    if scene.approved_by is not None:
        yield Text.assemble(_INDENT, (f"{scene.approved_by} approves what waits.", "italic"))
        yield Text("")
    yield Text.assemble((f"{number}. ", "dim"), (act.title, "italic"))
    yield Text.assemble(_INDENT, (_call(act), "bold"))
    for reason in _reasons(decision):
        yield Text.assemble(
            _INDENT,
            (HEADLINE[decision.effect].ljust(_LONGEST), f"bold {COLOR[decision.effect]}"),
            f"  {reason.rule}  ",
            (f"{_place(reason)}: {CODES.get(reason.code, 'a rule spoke')}", "dim"),
        )
    if decision.permitted:
        yield Text(f"{_INDENT}→ {printable(str(scene.result))}")
    else:
        yield Text(f"{_INDENT}the agent is told: {printable(decision.message)}")
    for label in decision.labels:
        yield Text.assemble(_INDENT, (f'the session is labelled "{label}" from now on', "yellow"))
    yield Text("")


def _call(act: Act) -> str:
    return f"{act.tool}({', '.join(f'{name}={value!r}' for name, value in act.args.items())})"


def _reasons(decision: Decision) -> Iterator[Reason]:
    """Return the reasons that made the decision what it is."""
    effect: Effect = decision.effect
    yield from (r for r in decision.reasons if r.enforced and r.effect == effect)


def _place(reason: Reason) -> str:
    if reason.location is None:
        return ""
    return f"{PurePath(reason.location.path).name}:{reason.location.line}"
