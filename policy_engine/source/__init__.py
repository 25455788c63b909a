"""YAML that remembers its lines, and takes only the parts that read as they look."""

from policy_engine.source.characters import doubtful_name
from policy_engine.source.comments import Comment, comments
from policy_engine.source.document import Document, Path, fault_at_offset
from policy_engine.source.reader import MAX_BYTES, read_document

__all__ = [
    "MAX_BYTES",
    "Comment",
    "Document",
    "Path",
    "comments",
    "doubtful_name",
    "fault_at_offset",
    "read_document",
]
