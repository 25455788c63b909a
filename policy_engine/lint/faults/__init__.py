"""The manuals of the faults: why a policy does not load, one code a file."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from policy_engine.lint.faults import (
    pe001_unreadable,
    pe002_not_yaml,
    pe003_unused_yaml,
    pe004_duplicate_key,
    pe005_doubtful_name,
    pe006_unknown_key,
    pe007_missing_key,
    pe008_wrong_type,
    pe009_wrong_value,
    pe010_duplicate_id,
    pe011_unknown_name,
    pe012_expression_syntax,
    pe013_expression_type,
    pe014_optional_read,
    pe015_schema,
    pe016_pattern,
    pe017_effect,
    pe018_later_version,
    pe019_missing_extra,
    pe020_does_nothing,
    pe021_do_not_go_together,
)

__all__ = ["MANUALS"]

MANUALS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "PE001": pe001_unreadable.__doc__ or "",
        "PE002": pe002_not_yaml.__doc__ or "",
        "PE003": pe003_unused_yaml.__doc__ or "",
        "PE004": pe004_duplicate_key.__doc__ or "",
        "PE005": pe005_doubtful_name.__doc__ or "",
        "PE006": pe006_unknown_key.__doc__ or "",
        "PE007": pe007_missing_key.__doc__ or "",
        "PE008": pe008_wrong_type.__doc__ or "",
        "PE009": pe009_wrong_value.__doc__ or "",
        "PE010": pe010_duplicate_id.__doc__ or "",
        "PE011": pe011_unknown_name.__doc__ or "",
        "PE012": pe012_expression_syntax.__doc__ or "",
        "PE013": pe013_expression_type.__doc__ or "",
        "PE014": pe014_optional_read.__doc__ or "",
        "PE015": pe015_schema.__doc__ or "",
        "PE016": pe016_pattern.__doc__ or "",
        "PE017": pe017_effect.__doc__ or "",
        "PE018": pe018_later_version.__doc__ or "",
        "PE019": pe019_missing_extra.__doc__ or "",
        "PE020": pe020_does_nothing.__doc__ or "",
        "PE021": pe021_do_not_go_together.__doc__ or "",
    }
)
"""Code -> what it means, why, and what to do."""
