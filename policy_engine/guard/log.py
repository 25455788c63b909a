"""What a guard logs: each line carries the trace that it belongs to."""

import logging
from typing import Final

from policy_engine.audit import Trace

__all__ = ["LOG", "warn"]

LOG: Final = logging.getLogger("policy_engine")


def warn(trace: Trace, message: str, *values: object) -> None:
    """Log a warning about one request; its trace is in the text and in `record.trace_id`."""
    LOG.warning(
        f"{message} (trace %s)",  # noqa: G004 - the message is one of this room's, not a value
        *values,
        trace.trace_id,
        extra={"trace_id": trace.trace_id},
    )
