"""The conformance cases of CEL that are not about protobuf messages."""

import tomllib
from pathlib import Path

import pytest
from conformance_cases import needs_protobuf, passes, read_cases

CASES = read_cases()
PROTO_FREE = [case for case in CASES if not needs_protobuf(case)]
GROUPS = tomllib.loads(Path(__file__).with_name("exclusions.toml").read_text())["group"]
EXCLUDED = {name: group["reason"] for group in GROUPS for name in group["cases"]}

needs_data = pytest.mark.skipif(not CASES, reason="POLICY_ENGINE_DATA is not set")


@needs_data
@pytest.mark.parametrize(
    "section", sorted({f"{case['file']}/{case['section']}" for case in PROTO_FREE})
)
def test_every_case_gives_what_the_specification_says(section):
    cases = [c for c in PROTO_FREE if c["id"].startswith(section + "/")]
    failed = [case["id"] for case in cases if case["id"] not in EXCLUDED and not passes(case)]
    assert failed == []


@needs_data
def test_no_excluded_case_would_pass():
    stale = [case["id"] for case in CASES if case["id"] in EXCLUDED and passes(case)]
    assert stale == []


@needs_data
def test_every_exclusion_names_a_case_that_needs_no_protobuf():
    assert set(EXCLUDED) <= {case["id"] for case in PROTO_FREE}


@needs_data
def test_more_cases_pass_than_with_any_known_implementation():
    passed = sum(passes(case) for case in PROTO_FREE)
    assert passed == len(PROTO_FREE) - len(EXCLUDED)
    assert passed >= 1700
