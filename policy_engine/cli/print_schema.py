"""`schema`: print a JSON Schema for editors and for other programs."""

from enum import StrEnum
from typing import Annotated

import typer

from policy_engine.cli.ending import ending
from policy_engine.cli.json_output import print_json
from policy_engine.cli.schema import (
    decision_schema,
    policy_schema,
    request_schema,
    test_schema,
)

__all__ = ["run"]


class _Kind(StrEnum):
    POLICY = "policy"
    REQUEST = "request"
    DECISION = "decision"
    TEST = "test"


_SCHEMAS = {
    _Kind.POLICY: policy_schema,
    _Kind.REQUEST: request_schema,
    _Kind.DECISION: decision_schema,
    _Kind.TEST: test_schema,
}


def run(
    kind: Annotated[
        _Kind, typer.Argument(metavar="KIND", help="policy, test, request or decision.")
    ] = _Kind.POLICY,
) -> None:
    """Print a JSON Schema: of policies, tests, requests or decisions.

    KIND is policy, test, request or decision. Editors complete and check files by the first two.
    """
    with ending():
        print_json(_SCHEMAS[kind]())
