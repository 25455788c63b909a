"""The catalogue of sound policies: lint has nothing to say of them, with or without the tools.

Each is as somebody careful writes it for an agent at work, in one of many trades. A finding here
is noise: either the rule learns the difference, or a flawed twin shows why it is right.
"""

import json
from datetime import date

import pytest
from support import ROOT

from policy_engine.compiler.names import is_glob
from policy_engine.lint import lint
from policy_engine.loader import load
from policy_engine.tools import read_tools

SOUND = sorted((ROOT / "tests" / "sound").iterdir())
TODAY = date(2026, 11, 21)
PLAIN = {"type", "enum", "format", "items", "properties", "description"}


def findings(path, tools=None):
    compiled = load(path, warm=False)
    linted = lint(compiled, tools=tools, today=TODAY)
    return [f"{one.location}: {one.message} [{one.code}]" for one in linted.findings]


def as_sdks_write_it(schema):
    """Return the schema of an argument as a tool's signature has it: its type, hardly a bound."""
    plain = {key: value for key, value in schema.items() if key in PLAIN}
    if "items" in plain:
        plain["items"] = as_sdks_write_it(schema["items"])
    if "properties" in plain:
        below = schema["properties"]
        plain["properties"] = {name: as_sdks_write_it(one) for name, one in below.items()}
        plain["required"] = [name for name, one in below.items() if not one.get("optional")]
    if "const" in schema:
        plain["type"] = {bool: "boolean", str: "string"}[type(schema["const"])]
    if schema.get("optional") is True:
        return {"anyOf": [plain, {"type": "null"}], "default": None}
    return plain


def as_tight(schema):
    """Return the schema of an argument with all that the policy says of it in plain words."""
    ours = {"optional", "message", "email", "url", "within", "sql", "shell", "python", "cidr"}
    tight = {key: value for key, value in schema.items() if key not in {*ours, "check", "maxBytes"}}
    if isinstance(tight.get("items"), dict):
        tight["items"] = as_tight(tight["items"])
    if "properties" in tight:
        below = tight["properties"]
        tight["properties"] = {name: as_tight(one) for name, one in below.items()}
        tight["required"] = [name for name, one in below.items() if not one.get("optional")]
    if schema.get("optional") is True:
        return {"anyOf": [tight, {"type": "null"}], "default": None}
    return tight


def tools_of(path, written=as_sdks_write_it):
    """Return the tools that the entries of a policy set were written for."""
    listed = {}
    for loaded in load(path, warm=False).policies.policies:
        for name, entry in (loaded.policy.tools or {}).items():
            if not is_glob(name):
                args = entry.args or {}
                listed[name] = {
                    "name": name,
                    "description": f"The tool {name}.",
                    "inputSchema": {
                        "type": "object",
                        "properties": {key: written(one) for key, one in args.items()},
                        "required": [k for k, one in args.items() if not one.get("optional")],
                        "additionalProperties": False,
                    },
                }
    return read_tools(json.loads(json.dumps(list(listed.values()))), "tools.json")


def test_the_catalogue_is_large():
    assert len(SOUND) >= 30


@pytest.mark.parametrize("path", SOUND, ids=lambda path: path.stem)
def test_lint_has_nothing_to_say(path):
    assert findings(path) == []


@pytest.mark.parametrize("path", SOUND, ids=lambda path: path.stem)
def test_nor_where_it_knows_the_tools(path):
    assert [one for one in findings(path, tools_of(path)) if "[PE108]" not in one] == []


@pytest.mark.parametrize("path", SOUND, ids=lambda path: path.stem)
def test_nor_where_the_tools_say_as_much_themselves(path):
    tools = tools_of(path, as_tight)
    assert [one for one in findings(path, tools) if "[PE108]" not in one] == []


def test_what_is_silenced_is_silenced_with_a_reason():
    (path,) = [path for path in SOUND if path.stem == "open-lookups"]
    assert lint(load(path, warm=False), today=TODAY).silenced == 1
