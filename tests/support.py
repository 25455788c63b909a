"""Policy sets from Python values, for tests: JSON is YAML."""

import json
from datetime import UTC, datetime
from pathlib import Path

from policy_engine.decision import Count, Facts, Session
from policy_engine.engine import Engine
from policy_engine.loader import load_texts

ROOT = Path(__file__).parent.parent
NOW = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)


class NetworkUsedError(RuntimeError):
    """A test tried to reach the network."""


def engine_of(*policies):
    """Build an engine of policies given as text or as mappings without `language`."""
    texts = {}
    for number, policy in enumerate(policies):
        if isinstance(policy, str):
            texts[f"{number}.yaml"] = policy
        else:
            texts[f"{number}.yaml"] = json.dumps(
                {"policy": f"p{number}", "language": 1, **policy}, indent=1
            )
    return Engine(load_texts(texts, warm=False))


def facts_for(engine, request, *, used=0.0, labels=(), answers=None, **others):
    """Gather what a decision needs, every counter at the same amount."""
    needs = engine.needs(request)
    return Facts(
        now=NOW,
        session=Session(labels=frozenset(labels), started=NOW),
        counters={(need.limit, need.key): Count(used) for need in needs.counters},
        answers=answers or {},
        **others,
    )


def said(decision):
    """Return what spoke, without places."""
    return {(r.rule, r.effect, r.code, r.enforced) for r in decision.reasons}
