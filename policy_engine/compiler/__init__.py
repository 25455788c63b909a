"""From policies to one chain per (stage, agent, name)."""

from policy_engine.compiler.build import Compiled, compile_set
from policy_engine.compiler.chain import TEXT_OF, Chain, ordered
from policy_engine.compiler.grant import Status
from policy_engine.compiler.limit import CompiledLimit
from policy_engine.compiler.lookup import FactLookup
from policy_engine.compiler.rule import CompiledRule, Constraint
from policy_engine.compiler.variant import Variants

__all__ = [
    "TEXT_OF",
    "Chain",
    "Compiled",
    "CompiledLimit",
    "CompiledRule",
    "Constraint",
    "FactLookup",
    "Status",
    "Variants",
    "compile_set",
    "ordered",
]
