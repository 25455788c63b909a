"""Schemas as libraries print them: rules about tools read what they say, and invent nothing."""
# ruff: noqa: E501 - a table of one-line schemas

import json

import pytest
from typer.testing import CliRunner

from policy_engine.cli.app import app
from policy_engine.lint import lint
from policy_engine.lint.registry import RegistryError, tools_from
from policy_engine.lint.tool_schema import broken_references
from policy_engine.loader import load_texts
from policy_engine.tools import read_tools

POLICY = """\
policy: p
language: 1
tools:
  pay:
    args:
      order: {type: string, pattern: '^ORD-[0-9]{8}$'}
      amount: {type: number, exclusiveMinimum: 0, maximum: 50}
      env: {enum: [prod, staging]}
      who: {type: object, properties: {name: {type: string, maxLength: 40}}}
      note: {type: string, maxLength: 40, optional: true}
      tags: {type: array, maxItems: 3, items: {enum: [a, b]}}
"""
ENV = {"type": "string", "enum": ["prod", "staging"]}
WHO = {"type": "object", "properties": {"name": {"type": "string"}, "phone": {"type": "string"}}}
PLAIN = {
    "order": {"type": "string"},
    "amount": {"type": "number"},
    "env": ENV,
    "who": WHO,
    "note": {"type": "string"},
    "tags": {"type": "array", "items": {"type": "string", "enum": ["a", "b", "c"]}},
}


def schema(more=None, **changed):
    properties = {**PLAIN, **changed}
    required = [name for name in properties if name != "note"]
    return {"type": "object", "properties": properties, "required": required, **(more or {})}


def optional(of):
    return {"anyOf": [of, {"type": "null"}], "default": None}


PERSON = {**WHO, "properties": {**WHO["properties"], "boss": optional({"$ref": "#/$defs/Who"})}}
HONEST = {
    "plain": schema(),
    "$defs, as pydantic 2": schema(
        {"$defs": {"Who": WHO, "Env": ENV}},
        who={"$ref": "#/$defs/Who"},
        env={"$ref": "#/$defs/Env", "description": "Where.", "default": "prod"},
    ),
    "definitions, as pydantic 1": schema(
        {"definitions": {"Env": ENV}}, env={"allOf": [{"$ref": "#/definitions/Env"}], "title": "E"}
    ),
    "a pointer to a property": schema(note={"$ref": "#/properties/order"}),
    "an anchor": schema({"$defs": {"E": {**ENV, "$anchor": "env"}}}, env={"$ref": "#env"}),
    "its own id": schema(
        {"$id": "https://x.example/s", "$defs": {"E": ENV}},
        env={"$ref": "https://x.example/s#/$defs/E"},
    ),
    "recursion": schema({"$defs": {"Who": PERSON}}, who={"$ref": "#/$defs/Who"}),
    "recursion to the root": schema(tags={**PLAIN["tags"], "not": {"$ref": "#"}}),
    "a reference to itself": schema({"$defs": {"E": {"$ref": "#/$defs/E"}}}, env={"$ref": "#/$defs/E"}),
    "or null": schema(note=optional(PLAIN["note"]), amount=optional(PLAIN["amount"])),
    "nullable": schema(env={**ENV, "nullable": True}, note={"type": "string", "nullable": True}),
    "several types": schema(note={"type": ["string", "null"]}, amount={"type": ["number", "string"]}),
    "types in capitals": schema(
        order={"type": "STRING"}, amount={"type": "NUMBER"}, who={"type": "OBJECT", "properties": {}}
    ),
    "an open bound of draft 4": schema(
        amount={"type": "number", "minimum": 0, "exclusiveMinimum": True}
    ),
    "constants": schema(env={"oneOf": [{"const": "prod"}, {"const": "staging"}]}),
    "all of it by reference": {"$ref": "#/$defs/In", "$defs": {"In": schema()}},
    "all of it in parts": {"type": "object", "allOf": [schema(), {"required": ["order"]}]},
    "alternatives of all of it": {"type": "object", "anyOf": [schema(), schema(env=True)]},
    "nothing said": schema(note=True, env={}),
}  # fmt: skip


def listed(schema):
    return {
        "mcp": {"tools": [{"name": "pay", "inputSchema": schema}]},
        "openai": [{"type": "function", "function": {"name": "pay", "parameters": schema}}],
        "anthropic": [{"name": "pay", "input_schema": schema}],
    }


def found(schema, shape="mcp"):
    tools = read_tools(listed(schema)[shape])
    return [
        (one.code, one.location.line)
        for one in lint(load_texts({"p.yaml": POLICY}, warm=False), tools=tools).findings
    ]


@pytest.mark.parametrize("shape", ["mcp", "openai", "anthropic"])
@pytest.mark.parametrize("name", HONEST)
def test_what_fits_the_policy_is_left_alone(name, shape):
    assert found(HONEST[name], shape) == []


NUMBER = {"Env": {"type": "integer"}}


@pytest.mark.parametrize(
    ("theirs", "wanted"),
    [
        (schema({"$defs": NUMBER}, env={"$ref": "#/$defs/Env"}), [("PE113", 8)]),
        (schema({"definitions": NUMBER}, env={"$ref": "#/definitions/Env"}), [("PE113", 8)]),
        (schema({"$defs": NUMBER}, env=optional({"$ref": "#/$defs/Env"})), [("PE113", 8)]),
        (schema(env={"type": "INTEGER", "nullable": True}), [("PE113", 8)]),
        (schema(env={"enum": ["prod"], "nullable": True}), [("PE114", 8)]),
        ({"$ref": "#/$defs/In", "$defs": {"In": schema(more={}, to={})}}, [("PE112", 5)]),
        ({"allOf": [schema(), {"required": ["to"], "properties": {"to": {}}}]}, [("PE112", 5)]),
        (
            schema({"$defs": {"W": {"type": "object", "properties": {"name": {"type": "integer"}}, "required": ["name"]}}}, who={"$ref": "#/$defs/W"}),
            [("PE113", 9)],
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_seen_through_references(theirs, wanted):
    assert found(theirs) == wanted


def test_references_that_multiply_come_to_an_end():
    defs = {f"N{i}": {"anyOf": [{"$ref": f"#/$defs/N{i + 1}"}] * 9} for i in range(9)}
    theirs = schema({"$defs": {**defs, "N9": {"type": "string"}}}, order={"$ref": "#/$defs/N0"})
    assert found(theirs) == []


BROKEN = {
    "#/$defs/Nope": ("/properties/env/$ref", schema(env={"$ref": "#/$defs/Nope"})),
    "#/definitions/A": (
        "/properties/tags/items/anyOf/1/$ref",
        schema(tags={"type": "array", "items": {"anyOf": [{}, {"$ref": "#/definitions/A"}]}}),
    ),
    "https://x.example/env.json": (
        "/$defs/a~1b/$ref",
        schema({"$defs": {"a/b": {"$ref": "https://x.example/env.json"}}}),
    ),
    "#nowhere": ("/allOf/0/$ref", schema({"allOf": [{"$ref": "#nowhere"}]})),
    "3": ("/properties/env/$ref", schema(env={"$ref": 3})),
}


@pytest.mark.parametrize("reference", BROKEN)
def test_a_reference_that_leads_nowhere_is_an_error(tmp_path, reference):
    pointer, theirs = BROKEN[reference]
    path = tmp_path / "tools.json"
    path.write_text(json.dumps(listed(theirs)["openai"]))
    with pytest.raises(RegistryError) as caught:
        tools_from(str(path))
    said = (
        f'{path}: the schema of "pay" is broken: "{reference}" at {pointer} leads nowhere within it'
    )
    assert str(caught.value) == said


def test_the_command_cannot_run_with_a_broken_schema(tmp_path):
    (tmp_path / "p.yaml").write_text(POLICY)
    path = tmp_path / "tools.json"
    path.write_text(json.dumps(listed(BROKEN["#nowhere"][1])["mcp"]))
    ended = CliRunner().invoke(app, ["lint", str(tmp_path / "p.yaml"), "--tools", str(path)])
    assert ended.exit_code == 2
    assert '"pay" is broken: "#nowhere" at /allOf/0/$ref' in ended.stderr


def test_a_property_that_is_called_ref_is_none():
    theirs = schema(note={"type": "object", "properties": {"$ref": {"type": "string"}}})
    assert list(broken_references(theirs)) == []
