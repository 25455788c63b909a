"""Requests that a policy set and its mutant deny alike, whatever else is different."""

from typing import Final, TypeAlias

from policy_engine.compiler import TEXT_OF, Chain, Compiled, CompiledRule
from policy_engine.compiler.rule import Whole
from policy_engine.decision import Decision
from policy_engine.testing.reach import Reach
from policy_engine.testing.search.sample import Sample

__all__ = ["Denied"]

_KEPT: Final = 4
"""So many of the rules that denied last are asked."""
_Pairs: TypeAlias = dict[str, tuple[CompiledRule, CompiledRule]]
"""Name of a rule that denies -> the rule, and what it is in the mutant."""


class Denied:
    """Asks what denied the last requests whether it denies another as well.

    That is far quicker than to decide it twice. Of a request that is decided differently it never
    says that it is denied alike.

    Args:
        base: The policy set.
        changed: The mutant of it.
    """

    def __init__(self, base: Reach, changed: Compiled) -> None:
        self._base = base
        self._changed = Reach(changed)
        self._pairs: dict[tuple[int, int], _Pairs] = {}
        self._last: list[str] = []

    def alike(self, sample: Sample) -> bool:
        """Whether both are seen to deny a request."""
        request = sample.request
        if request.stage == "model_request" and request.text is None:
            return False  # rules about text have nothing to speak of then
        old, new = self._base.of(request).chain, self._changed.of(request).chain
        if old.is_denied and new.is_denied:
            return True
        args = request.args
        if args.__class__ is dict and _refuses(old, args) and _refuses(new, args):
            return True
        pairs = self._paired(old, new)
        for at, name in enumerate(self._last):
            pair = pairs.get(name)
            if pair is not None and _both_speak(pair, sample, old, new):
                if at:
                    self._last.insert(0, self._last.pop(at))
                return True
        return False

    def note(self, decision: Decision) -> None:
        """Note what denied a request."""
        for reason in decision.reasons:
            if reason.effect == "deny" and reason.enforced:
                if reason.rule in self._last:
                    self._last.remove(reason.rule)
                self._last.insert(0, reason.rule)
        del self._last[_KEPT:]

    def _paired(self, old: Chain, new: Chain) -> _Pairs:
        key = id(old), id(new)
        known = self._pairs.get(key)
        if known is None:
            mine, its = _denying(old), _denying(new)
            known = {name: (rule, its[name]) for name, rule in mine.items() if name in its}
            self._pairs[key] = known
        return known


def _denying(chain: Chain) -> dict[str, CompiledRule]:
    return {rule.name: rule for rule in chain.rules if rule.enforced and rule.effect == "deny"}


def _refuses(chain: Chain, args: dict[str, object]) -> bool:
    return any(one.enforced and not one.quiet(args) for one in chain.constraints)


def _both_speak(
    pair: tuple[CompiledRule, CompiledRule], sample: Sample, old: Chain, new: Chain
) -> bool:
    rule, its = pair
    return _speaks(rule, sample, old) and (rule is its or _speaks(its, sample, new))


def _speaks(rule: CompiledRule, sample: Sample, chain: Chain) -> bool:
    request = sample.request
    value = getattr(request, TEXT_OF.get(request.stage, "text"))
    whole = Whole(value, chain.scanner, request.stage != "tool_call")
    return rule.judge(request, sample.facts, whole) is not None
