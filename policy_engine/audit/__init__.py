"""One record a decision and one an outcome, written before anything is acted on."""

from policy_engine.audit.file import FileSink
from policy_engine.audit.record import (
    OUTCOMES,
    OutcomeStatus,
    decision_record,
    new_id,
    outcome_record,
)
from policy_engine.audit.sink import CallableSink, LoggingSink, Sink, SinkLike, sink_of, write
from policy_engine.audit.trace import Trace, new_trace, read_traceparent

__all__ = [
    "OUTCOMES",
    "CallableSink",
    "FileSink",
    "LoggingSink",
    "OutcomeStatus",
    "Sink",
    "SinkLike",
    "Trace",
    "decision_record",
    "new_id",
    "new_trace",
    "outcome_record",
    "read_traceparent",
    "sink_of",
    "write",
]
