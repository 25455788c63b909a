"""What deciding remembers: sessions, labels, counters, call ids and halts, in memory."""

from policy_engine.state.alert import Alert
from policy_engine.state.hold import Hold, Usage
from policy_engine.state.memory import MemoryState
from policy_engine.state.protocol import State

__all__ = ["Alert", "Hold", "MemoryState", "State", "Usage"]
