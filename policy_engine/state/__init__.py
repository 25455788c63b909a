"""What deciding remembers: sessions, labels, counters and call ids, in memory."""

from policy_engine.state.memory import Hold, MemoryState

__all__ = ["Hold", "MemoryState"]
