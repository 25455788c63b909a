"""The schema of test files that stands in the repository: the one that is printed."""

import json

import pytest
from support import ROOT

from policy_engine.cli.schema import test_schema as schema_of_tests

FILE = ROOT / "policies" / "test.schema.json"


def test_the_schema_beside_the_shipped_tests_is_the_one_that_is_printed():
    written = json.loads(FILE.read_text("utf-8"))
    assert written == schema_of_tests(), (
        "write it anew: policy-engine schema test > policies/test.schema.json"
    )


@pytest.mark.parametrize(
    "path", sorted((ROOT / "policies" / "tests").rglob("*.yaml")), ids=lambda path: path.name
)
def test_editors_find_the_schema_of_a_shipped_test(path):
    line = path.read_text("utf-8").splitlines()[0]
    target = line.removeprefix("# yaml-language-server: $schema=")
    assert target != line
    assert (path.parent / target).resolve() == FILE
