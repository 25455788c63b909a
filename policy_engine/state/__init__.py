"""What deciding remembers: sessions, labels, counters, call ids and halts."""

from importlib import import_module
from typing import TYPE_CHECKING

from policy_engine.state.alert import Alert
from policy_engine.state.hold import Hold, Usage
from policy_engine.state.memory import MemoryState
from policy_engine.state.protocol import State

if TYPE_CHECKING:
    from policy_engine.state.sqlite import SqliteState

__all__ = ["Alert", "Hold", "MemoryState", "SqliteState", "State", "Usage"]


def __getattr__(name: str) -> object:
    # SQLite is imported by who asks for it.
    if name == "SqliteState":
        return import_module("policy_engine.state.sqlite").SqliteState
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
