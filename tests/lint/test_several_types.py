"""Every rule looks at arguments of several types without stumbling."""

import json

import pytest

from policy_engine.lint import RULES
from policy_engine.lint.subject import Options, Subject
from policy_engine.loader import load_texts
from policy_engine.tools import read_tools

NAMES = (
    *("amount", "cc", "command", "context", "count", "currency", "limit", "n", "path", "percent"),
    *("query", "quantity", "role", "sql", "text", "to", "token", "url", "user_id"),
)
ARGS = {
    **{name: {"type": ["string", "null"], "maxLength": 9} for name in NAMES},
    "total": {"type": ["number", "null"]},
    "tags": {"type": ["array", "null"], "items": {"type": ["string", "integer"]}},
    "order": {"type": ["object", "null"], "properties": {"price": {"type": ["integer", "null"]}}},
}
TOOL = {"name": "t", "inputSchema": {"type": "object", "properties": ARGS}}
POLICY = {
    "policy": "p",
    "language": 1,
    "tools": {
        "t": {
            "args": ARGS,
            "rules": [
                {"id": "none", "when": "args.n == null || args.total == null", "effect": "deny"},
                {"id": "words", "check": {"terms": {"any": ["x"]}}, "effect": "deny"},
                {"id": "own", "args": {"n": {"type": ["string", "null"]}}, "effect": "deny"},
            ],
        }
    },
    "rules": [
        {"id": "wide", "tools": ["*"], "args": {"total": {"type": ["null"]}}, "effect": "deny"}
    ],
    "limits": [{"id": "few", "tools": ["t"], "max": 5, "per": "1h", "by": ["session"]}],
}  # fmt: skip


@pytest.mark.parametrize("code", RULES)
def test_a_list_of_types_is_looked_at(code):
    tools = read_tools([TOOL], "tools.json")
    compiled = load_texts({"p.yaml": json.dumps(POLICY)}, warm=False)
    reviewed = Options(reviewed={tool.name: tool for tool in tools})
    for found in RULES[code].find(Subject(compiled, tools, reviewed)):
        assert found.message
