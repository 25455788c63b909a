"""JSON Schemas of what is written and read: policies, requests, decisions."""

from policy_engine.cli.schema.policy import policy_schema
from policy_engine.cli.schema.test import test_schema
from policy_engine.cli.schema.wire import decision_schema, request_schema

__all__ = ["decision_schema", "policy_schema", "request_schema", "test_schema"]
