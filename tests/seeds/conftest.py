"""What the seeds share: a guard by a policy that stands in the test, and its records."""

import json

import pytest

from policy_engine import Guard


@pytest.fixture
def guard_by(tmp_path):
    """Return a guard by policies, each without its `policy` and `language`: seed0, seed1, …"""
    folder = tmp_path / "policies"
    folder.mkdir()

    def made(*policies, **settings):
        for i, text in enumerate(policies):
            file = folder / f"seed{i}.yaml"
            file.write_text(f"policy: seed{i}\nlanguage: 1\n{text}", "utf-8")
        return Guard.from_path(folder, records=tmp_path / "records.jsonl", **settings)

    return made


@pytest.fixture
def recorded(tmp_path):
    """Return the records of a kind, as they stand in the file by now."""

    def found(kind="decision"):
        lines = (tmp_path / "records.jsonl").read_text("utf-8").splitlines()
        return [record for record in map(json.loads, lines) if record["kind"] == kind]

    return found
