"""What deciding remembers: sessions, labels, counters, call ids and halts, in memory."""

from policy_engine.state.alert import Alert
from policy_engine.state.memory import Hold, MemoryState, Usage

__all__ = ["Alert", "Hold", "MemoryState", "Usage"]
