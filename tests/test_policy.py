"""The shape of the language, and the JSON Schemas that say it to editors and programs."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError
from support import ROOT

from policy_engine.checks import CHECKS
from policy_engine.cli.schema import decision_schema, policy_schema, request_schema
from policy_engine.decision import (
    ApprovalNeeded,
    ApprovalUse,
    Context,
    Decision,
    Outcome,
    Reason,
    Redaction,
    Request,
    Reservation,
    Timeout,
)
from policy_engine.decision.wire import read_request
from policy_engine.errors import Location, PolicyError, RequestError
from policy_engine.loader import load, load_texts
from policy_engine.policy import Policy
from policy_engine.source import read_document

TESTS = Path(__file__).parent
POLICIES = sorted(
    path for path in (TESTS.parent / "policies").rglob("*.yaml") if "tests" not in path.parts[-2:-1]
)
POLICY = Draft202012Validator(policy_schema())
REQUEST = Draft202012Validator(request_schema())
DECISION = Draft202012Validator(decision_schema())


def data_of(path):
    return read_document(path.name, path.read_text(encoding="utf-8")).data


def policy(**parts):
    return {"policy": "p", "language": 1, **parts}


@pytest.mark.parametrize("schema", [policy_schema(), request_schema(), decision_schema()])
def test_a_schema_is_a_schema(schema):
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    json.dumps(schema, allow_nan=False)


def properties_of(schema, path=()):
    """Go through the properties of a schema and of those in it."""
    for name, value in schema.get("properties", {}).items():
        yield (*path, name), value
    for key in ("properties", "patternProperties", "$defs"):
        for name, inner in schema.get(key, {}).items():
            if isinstance(inner, dict):
                yield from properties_of(inner, (*path, name))
    for key in ("items", "additionalProperties", "then"):
        if isinstance(schema.get(key), dict):
            yield from properties_of(schema[key], (*path, key))
    for key in ("anyOf", "allOf"):
        for inner in schema.get(key, ()):
            yield from properties_of(inner, path)


@pytest.mark.parametrize("schema", [policy_schema(), request_schema(), decision_schema()])
def test_every_property_has_a_description(schema):
    found = list(properties_of(schema))
    assert len(found) > 10
    bare = [
        path
        for path, value in found
        if value is not False and "const" not in value and not value.get("description")
    ]
    assert bare == []


@pytest.mark.parametrize("path", [TESTS / "design.yaml", *POLICIES], ids=lambda path: path.stem)
def test_what_loads_fits_the_schema(path):
    assert list(POLICY.iter_errors(data_of(path))) == []


def test_the_example_with_every_section_loads():
    compiled = load(TESTS / "design.yaml", warm=False)
    (loaded,) = compiled.policies.policies
    unused = {"attrs"} & loaded.policy.model_fields_set
    assert set(Policy.model_fields) == loaded.policy.model_fields_set | unused


OF_SHAPE = ("PE006", "PE007", "PE008", "PE018")
BEYOND_A_SCHEMA = {
    # The shape holds; what a name or an expression refers to does not.
    "a-constant-of-a-constant",
    "a-required-key-that-is-not-declared",
    "a-keyword-of-ours-where-it-may-not-stand",
    "a-rule-that-covers-no-tools",
    # A constant may be of any type.
    "a-constant-of-the-wrong-type",
    "a-constant-without-a-value",
    "a-bound-of-a-size-without-a-value",
}


def broken_in_shape():
    for golden in sorted((TESTS / "broken").glob("*.txt")):
        source = golden.with_suffix(".yaml")
        text = golden.read_text(encoding="utf-8")
        if source.exists() and any(f"[{code}]" in text for code in OF_SHAPE):
            try:
                data_of(source)
            except PolicyError:
                continue
            if source.stem not in BEYOND_A_SCHEMA:
                yield source


@pytest.mark.parametrize("path", list(broken_in_shape()), ids=lambda path: path.stem)
def test_what_is_broken_in_shape_does_not_fit_the_schema(path):
    assert not POLICY.is_valid(data_of(path))


@pytest.mark.parametrize(
    "parts",
    [
        {
            "tools": {"a": "allow", "b*": "deny"},
            "handoffs": {"c": "allow"},
            "models": {"d": "deny"},
        },
        {"vars": {"x": 1}, "tools": "vars.x", "rules": "vars.x", "applies_to": "vars.x"},
        {"input": [{"id": "a", "check": "vars.x", "effect": "vars.x", "severity": "vars.x"}]},
        {"input": [{"id": "a", "check": {"terms": {"any": "vars.x"}}, "effect": "deny"}]},
        {"input": [{"id": "a", "check": {"size": {"max_chars": "vars.x"}}, "effect": "deny"}]},
        {"tools": {"a": {"args": {"b": "vars.x"}, "timeout": "vars.x", "labels": "vars.x"}}},
        {
            "tools": {
                "a": {"args": {"b": {"enum": "vars.x", "type": "number", "maximum": "vars.x"}}}
            }
        },
        {
            "limits": [
                {"id": "a", "tools": "vars.x", "max": "vars.x", "per": "vars.x", "by": ["tool"]}
            ]
        },
        {"limits": [{"id": "a", "stage": "handoff", "max": 1, "per": "day", "by": ["global"]}]},
        {"tools": {"a": {"args": {}}}},
    ],
)
def test_shortcuts_and_constants_fit_the_schema(parts):
    assert list(POLICY.iter_errors(policy(**parts))) == []


@pytest.mark.parametrize(
    "parts",
    [
        {"limits": [{"id": "a", "of": "vars.x", "max": 1, "by": ["session"]}]},
        {"limits": [{"id": "a", "stage": "handoff", "max": 1, "by": ["vars.x"]}]},
        {"tools": None},
        {"tools": {"a": None}},
        {"context": {"a b": {}}},
        {"context": {"a": {"typ": "string"}}},
        {"tools": {"a": {"args": {"b": {"type": "strin"}}}}},
        {"tools": {"a": {"timeout": "30"}}},
        {"rules": [{"id": "a", "effect": "allow"}]},
        {"applies_to": {"agents": []}},
    ],
)
def test_what_does_not_load_does_not_fit_the_schema(parts):
    assert not POLICY.is_valid(policy(**parts))


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("500ms", 0.5), ("30s", 30), ("15m", 900), ("1h", 3600), ("7d", 604800), ("1ms", 0.001)],
)
def test_a_duration_is_seconds(written, seconds):
    read = Policy.model_validate(policy(tools={"a": {"timeout": written}}))
    assert seconds == read.tools["a"].timeout


@pytest.mark.parametrize(
    "written", ["", "0s", "01s", "1.5s", "s", "1 s", "1S", "-1s", "1w", 5, True, None]
)
def test_what_is_no_duration_is_refused(written):
    with pytest.raises(ValidationError):
        Policy.model_validate(policy(tools={"a": {"timeout": written}}))


@pytest.mark.parametrize("language", [True, 1.0, "1", 2, None])
def test_the_language_is_exactly_one(language):
    with pytest.raises(ValidationError):
        Policy.model_validate({"policy": "p", "language": language})


def test_an_entry_may_be_a_word():
    read = Policy.model_validate(policy(tools={"a": "deny"}, models={"b": "allow"}))
    assert (read.tools["a"].effect, read.models["b"].effect) == ("deny", "allow")


def test_a_policy_cannot_be_changed():
    read = Policy.model_validate(policy())
    with pytest.raises(ValidationError):
        read.default = "allow"


def test_the_manual_of_a_check_is_under_the_cursor():
    kinds = policy_schema()["$defs"]["Check"]["properties"]
    assert set(CHECKS) == set(kinds)
    for name, kind in CHECKS.items():
        assert kinds[name]["description"] in kind.manual


@pytest.mark.parametrize(
    "request_",
    [
        {"tool": "a", "args": {}},
        {
            "stage": "tool_call",
            "tool": "a",
            "args": {"b": 1},
            "call_id": "c",
            "now": "2026-01-05T10:00:00Z",
        },
        {"stage": "tool_result", "tool": "a", "args": {}, "result": None},
        {"stage": "input", "text": "x", "principal": {"id": "u", "roles": ["r"], "tenant": None}},
        {"stage": "output", "text": ["x", {"type": "image"}]},
        {"stage": "handoff", "target": "b", "facts": {"order": {}}, "context": {"env": "prod"}},
        {"stage": "model_request", "model": "m"},
        {},
        {"tool": "a"},
        {"stage": "call", "tool": "a", "args": {}},
        {"stage": "input", "text": "x", "tool": "a"},
        {"stage": "handoff"},
        {"stage": "input", "text": 5},
        {"stage": "input", "text": "x", "principal": {"name": "u"}},
        {"tool": "a", "args": [], "agent": "x"},
        {"tool": "a", "args": {}, "agnet": "x"},
    ],
)
def test_the_schema_of_requests_agrees_with_their_reader(request_):
    try:
        read_request(request_)
    except RequestError:
        taken = False
    else:
        taken = True
    assert taken == REQUEST.is_valid(request_)


@given(
    st.sampled_from(["allow", "redact", "require_approval", "deny"]),
    st.none() | st.text(max_size=5),
    st.none() | st.floats(0, 1),
)
def test_a_decision_fits_its_schema(effect, name, amount):
    decision = Decision(
        Request(tool="a", args={}, id=name),
        Outcome(
            effect,
            effect,
            (
                Reason("p/r", effect, "rule.when", "x", Location("p", 1, 2)),
                Reason("q", effect, "halt", ""),
            ),
            (Redaction("/b", 0, 1, "<X>", "p/r"),),
            (
                Reservation("p/l", ("s",), amount, "calls", 1.0, "day"),
                ApprovalNeeded("p/r", ("x",), 1, 60.0),
                ApprovalUse("p/r"),
                Timeout(3.0),
            ),
            ("untrusted",),
        ),
        Context("sha256:" + "0" * 64, b"key", frozenset()),
    )
    wire = json.loads(json.dumps(decision.to_wire()))
    assert list(DECISION.iter_errors(wire)) == []
    assert not DECISION.is_valid({**wire, "extra": 1})


def test_the_schema_beside_the_shipped_policies_is_the_one_that_is_printed():
    written = (ROOT / "policies" / "policy.schema.json").read_text("utf-8")
    assert json.loads(written) == policy_schema()


@pytest.mark.parametrize("path", sorted((ROOT / "policies").rglob("*.yaml")), ids=lambda p: p.name)
def test_editors_find_the_schema_of_a_shipped_policy(path):
    if "tests" in path.parts:
        return
    line = path.read_text("utf-8").splitlines()[0]
    target = line.removeprefix("# yaml-language-server: $schema=")
    assert target != line
    assert (path.parent / target).resolve() == ROOT / "policies" / "policy.schema.json"


def test_the_requester_alone_is_named_without_a_list():
    text = """\
policy: a
language: 1
tools:
  pay: {effect: require_approval, approval: {approvers: %s, expires: 15m}}
"""
    alone, listed = (
        load_texts({"a.yaml": text % written}).policies.policies[0].policy.tools["pay"].approval
        for written in ("requester", "[requester]")
    )
    assert alone == listed
    assert alone.approvers == ("requester",)
