"""Whatever stands in a policy, it loads or its faults are told: nothing else is raised."""

import contextlib
import copy
import json
import time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from support import ROOT

from policy_engine.errors import PolicyError
from policy_engine.loader import load_texts

DESIGN = yaml.safe_load((ROOT / "policies" / "retail.yaml").read_text(encoding="utf-8"))
CONTEXT = {
    "policy": "p",
    "language": 1,
    "context": {"env": {"enum": ["prod", "test"]}},
    "attrs": {"region": {"type": "string", "pattern": "^[a-z]+$"}},
    "vars": {"homes": ["eu"]},
    "facts": {"f": {"from": "app:f", "with": ["args.to"], "schema": {"type": "number"}}},
    "tools": {
        "pay": {
            "args": {"to": {"type": "string"}, "amount": {"type": "number", "optional": True}},
            "rules": [
                {"id": "a", "when": 'context.env != "prod" && facts.f > 5.0', "effect": "deny"},
                {"id": "b", "when": "principal.attrs.region in vars.homes", "effect": "deny"},
                {
                    "id": "c",
                    "in": ["args.to"],
                    "check": {"terms": {"any": ["x"]}},
                    "effect": "deny",
                },
                {"id": "d", "args": {"amount": {"type": "number"}}, "effect": "deny"},
            ],
        }
    },
}
SCHEMAS = [
    {"type": 5},
    {"type": ["string", 5]},
    {"type": [{}]},
    {"type": "strin"},
    {"type": "string", "pattern": "["},
    {"enum": 5},
    {"$ref": "#"},
    {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}},
    {"type": "object", "properties": {"a": 5}},
    {"type": "object", "required": 5},
    {"type": "array", "items": [1]},
    {"optional": 5},
]
VALUES = [None, True, 0, -1, 1.5, 10**18, 1e300, "", "*", "args.to", "vars.homes", "[", [], [5], {}]
OTHERS = [
    {"enum": [[], {}]},
    {"const": {"a": [1]}},
    "deny",
    "15m",
    ["x"],
    [[]],
    {"x": 1},
    {"any": ["a"]},
    "\u202e",
    "a" * 300,
]


def places(value, path=()):
    yield path
    pairs = value.items() if isinstance(value, dict) else ()
    pairs = enumerate(value) if isinstance(value, list) else pairs
    for key, below in pairs:
        yield from places(below, (*path, key))


def changed(policy, path, value):
    policy = copy.deepcopy(policy)
    holder = policy
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    return policy


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([DESIGN, CONTEXT]), st.sampled_from([*SCHEMAS, *VALUES, *OTHERS]), st.data())
def test_a_policy_with_anything_in_it_loads_or_is_refused(policy, value, data):
    path = data.draw(st.sampled_from([path for path in places(policy) if path]))
    with contextlib.suppress(PolicyError):
        load_texts({"p.yaml": json.dumps(changed(policy, path, value))}, warm=False)


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
@pytest.mark.parametrize(
    "path",
    [
        ("context", "env"),
        ("attrs", "region"),
        ("facts", "f", "schema"),
        ("tools", "pay", "args", "to"),
        ("tools", "pay", "rules", 3, "args", "amount"),
    ],
    ids=lambda path: path[0] if len(path) < 5 else "rule",
)
def test_a_schema_at_fault_is_told_wherever_it_stands(path, schema):
    with pytest.raises(PolicyError):
        load_texts({"p.yaml": json.dumps(changed(CONTEXT, path, schema))}, warm=False)


def test_ten_thousand_values_of_an_enum_are_read_at_once():
    values = [f"v{number}" for number in range(10_000)]
    policy = changed(CONTEXT, ("tools", "pay", "args", "to"), {"enum": values})
    started = time.process_time()
    load_texts({"p.yaml": json.dumps(policy)}, warm=False)
    assert time.process_time() - started < 5  # ten seconds and more when each is compared with each
