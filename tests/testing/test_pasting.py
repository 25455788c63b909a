"""What is printed of a call can be pasted into a test file, as it stands, from text and JSON."""

import json

import pytest
import yaml

from policy_engine.report.printable import printable
from policy_engine.testing.output.pasting import as_expected, as_line
from policy_engine.testing.reading import read_suites

POLICY = """\
policy: desk
language: 1
applies_to: {agents: [desk]}
tools:
  read: {args: {}, labels: [untrusted]}
  send:
    args: {to: {type: string, maxLength: 300}}
    rules:
      - {id: after-reading, when: '"untrusted" in session.labels', effect: require_approval,
         approval: {approvers: [boss], quorum: 2, expires: 90m}}
      - {id: once, when: has(session.calls.send), effect: deny}
    timeout: 30s
  wipe: {effect: require_approval, approval: {approvers: [boss], expires: 1h}}
models: {small: allow}
prices: {small: {input: 1, output: 2}}
limits:
  - {id: reads, tools: [read], max: 3, by: [session]}
  - {id: cost, of: cost_usd, max: 2, by: [session]}
input:
  - {id: long, check: {size: {max_chars: 900}}, effect: deny}
"""
TESTS = """\
policies: ../p.yaml
tests:
  - {name: a, request: {agent: desk, principal: {id: u}, tool: read, args: {}},
     expect: {effect: allow}}
"""


@pytest.fixture
def told(tmp_path, command):
    (tmp_path / "p.yaml").write_text(POLICY)
    path = tmp_path / "tests" / "a.yaml"
    path.parent.mkdir()
    path.write_text(TESTS)

    def run(*options):
        ended = command(tmp_path, "--coverage", "--mutate", *options)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    return run


def as_test(number, call):
    name = f"pasted {number}"
    if len(call["steps"]) > 1 or "usage" in call["steps"][-1]:
        return {"name": name, "steps": call["steps"]}
    return {"name": name, "request": call["request"], "expect": call["expect"]}


def missing_ideas(coverage):
    for item in coverage["items"]:
        for outcome in item["missing"]:
            yield item["ideas"][outcome]


def witnesses(mutation):
    for one in mutation["mutants"]:
        if one["witness"] is not None:
            yield one["witness"]


def paste(tmp_path, tests):
    text = json.dumps({"policies": "../p.yaml", "tests": tests}, ensure_ascii=False)
    (tmp_path / "tests" / "pasted.yaml").write_text(text)


def test_what_json_says_is_pasted_and_covers_all(tmp_path, told):
    first = json.loads(told("--format", "json"))
    calls = [*missing_ideas(first["coverage"]), *witnesses(first["mutation"])]
    assert any(len(call["steps"]) > 1 for call in calls)
    paste(tmp_path, [as_test(i, call) for i, call in enumerate(calls)])
    second = json.loads(told("--format", "json"))
    assert [test["name"] for test in second["tests"] if not test["passed"]] == []
    assert first["coverage"]["percent"] < 50
    assert second["coverage"]["percent"] == 100
    left = [one["what"] for one in second["mutation"]["mutants"] if one["fate"] == "survived"]
    assert left == []


USED_UP = {
    "calls of a session within an hour, apart from those of other tools": """\
tools: {read: {args: {}}, send: {args: {to: {enum: [a, b]}}}}
limits:
  - {id: all, tools: ["*"], max: 7, per: 1h, by: [session], alert_at: 0.8}
  - {id: sent, tools: [send], max: 3, by: [agent, args.to]}
""",
    "sums of a day that an hour's calls keep small": """\
tools:
  pay:
    args: {amount: {type: number, exclusiveMinimum: 0, maximum: 500}, to: {type: string}}
    rules:
      - {id: much, when: args.amount > 100, effect: require_approval,
         approval: {approvers: [boss], expires: 1h}}
limits:
  - {id: day, tools: [pay], of: args.amount, max: 4000, per: day, by: [tenant],
     timezone: America/New_York, alert_at: 0.5}
  - {id: hour, tools: [pay], max: 5, per: 1h, by: [principal]}
""",
    "whole amounts from a list, and more than one person may ask for": """\
tools:
  book: {args: {minutes: {enum: [15, 30, 45]}, day: {type: string, maxLength: 9}}}
limits:
  - {id: minutes, tools: [book], of: args.minutes, max: 120, per: 30m, by: [principal]}
  - {id: everyone, tools: [book], max: 30, by: [global]}
""",
    "more calls than are allowed of one kind": """\
tools:
  order: {args: {symbol: {enum: [A, B, C, D]}, size: {type: integer, minimum: 1, maximum: 90}}}
limits:
  - {id: orders, tools: [order], max: 20, per: 1h, by: [principal]}
  - {id: symbol, tools: [order], max: 6, per: 1h, by: [args.symbol]}
""",
    "tokens and what they cost": """\
models: {small: allow, large: allow}
prices: {small: {input: 1, output: 2}, large: {input: 10, output: 30}}
limits:
  - {id: turns, stage: model_request, max: 5, by: [session]}
  - {id: tokens, of: tokens, max: 20000, by: [session]}
  - {id: cost, of: cost_usd, max: 5, per: day, by: [tenant], alert_at: 0.8}
""",
    "calls that take others before them, at some hours": """\
tools:
  look: {args: {}, labels: [seen]}
  wait: {args: {}, labels: [idle]}
  turn:
    args: {pump: {enum: [north, south]}}
    rules:
      - {id: seen-first, when: '!("seen" in session.labels)', effect: deny}
      - {id: hours, when: now.getHours("UTC") < 5 || now.getHours("UTC") > 20, effect: deny}
limits:
  - {id: turns, tools: [turn], max: 3, per: 15m, by: [global]}
""",
    "calls by several agents that one hands over to": """\
applies_to: {agents: ["desk-*", night]}
tools: {"mail/*": {args: {}}, chat: {args: {}}}
handoffs: {night: allow}
limits:
  - {id: handoffs, stage: handoff, max: 4, by: [session]}
  - {id: sent, tools: ["mail/*", chat], max: 4, per: day, by: [principal]}
""",
}
DEFAULTS = {
    "now": "2026-03-01T23:30:00Z",
    "agent": "somebody-else",
    "principal": {"id": "another", "roles": ["guest"], "tenant": "elsewhere"},
}
"""What a file that calls are pasted into may have: a printed call says all that it needs."""


@pytest.mark.parametrize("name", USED_UP)
def test_calls_that_use_limits_up_are_pasted(tmp_path, command, name):
    (tmp_path / "tests").mkdir()
    (tmp_path / "p.yaml").write_text(f"policy: p\nlanguage: 1\n{USED_UP[name]}")

    def told(tests):
        path = tmp_path / "tests" / "pasted.yaml"
        path.write_text(json.dumps({"policies": "../p.yaml", "defaults": DEFAULTS, "tests": tests}))
        ended = command(tmp_path, "--coverage", "--mutate", "--format", "json")
        found = json.loads(ended.stdout)
        failed = [(one["name"], one["failures"]) for one in found["tests"] if not one["passed"]]
        assert (failed, ended.stderr) == ([], "")
        return found

    nothing = {"tool": "nobody-lists-this", "args": {}}
    begun = [{"name": "nothing", "request": nothing, "expect": {"effect": "deny"}}]
    first = told(begun)
    calls = [*missing_ideas(first["coverage"]), *witnesses(first["mutation"])]
    second = told([*begun, *(as_test(i, call) for i, call in enumerate(calls))])
    assert second["coverage"]["percent"] == 100
    left = [one["what"] for one in second["mutation"]["mutants"] if one["fate"] == "survived"]
    unknown = [one["what"] for one in second["mutation"]["mutants"] if one["fate"] == "undecided"]
    assert (left, unknown) == ([], [])


def pasted_lines(text):
    """Yield the tests that the lines of a run say, read as YAML."""
    request, steps, effect = None, [], None
    for line in [*text.splitlines(), ""]:
        bare = line.strip()
        head, _, rest = bare.partition(": ")
        if head in ("match", "no match", "cannot tell") or bare.startswith('{"'):
            request, steps = yaml.safe_load(rest if head and not bare.startswith("{") else bare), []
        elif bare.startswith('- {"'):
            steps.append(yaml.safe_load(bare)[0])
        elif head == "expect":
            effect = yaml.safe_load(rest)
        elif head == "the policy" and request is not None and not (steps or effect):
            effect = {"effect": rest}
        if request is not None and (steps or effect) and not bare.startswith("-"):
            yield {"steps": steps} if steps else {"request": request, "expect": effect}
            request, steps, effect = None, [], None


def test_what_text_says_is_pasted(tmp_path, told):
    found = list(pasted_lines(told()))
    assert sum("steps" in one for one in found) >= 3
    assert sum("request" in one for one in found) >= 10
    paste(tmp_path, [{"name": f"pasted {i}", **one} for i, one in enumerate(found)])
    assert f"{len(found) + 1} tests, each passed" in told()


LONG = {
    "a text of one sign": "x" * 901,
    "a text with many equal signs": "ab" + "\u00e9" * 300 + "c",
    "a text of different signs": "".join(chr(97 + i % 26) for i in range(300)),
    "a list of equal things": [{"a": 1}] * 51,
    "a list of different things": list(range(60)),
    "one and true": [1, True] * 30,
    "control characters": "\x07\n\t\u2028\u202e",
}


@pytest.mark.parametrize("name", LONG)
def test_long_values_are_written_so_that_they_are_read_again(tmp_path, name):
    value = LONG[name]
    line = printable(as_line({"tool": "t", "args": {"x": value}}))
    (tmp_path / "p.yaml").write_text("policy: p\nlanguage: 1\ntools: {t: allow}\n")
    path = tmp_path / "t.yaml"
    path.write_text(
        "policies: p.yaml\ntests:\n  - name: a\n"
        f"    request: {line}\n    expect: {{effect: allow}}\n"
    )
    (suite,) = read_suites([str(path)]).suites
    assert suite.cases[0].steps[0].given.request.args == {"x": value}


def test_repeated_signs_are_written_short():
    assert as_line({"text": "x" * 901}) == '{"text": {"$text": [["x", 901]]}}'


@pytest.mark.parametrize(
    "value",
    [
        {
            "effect": "deny",
            "rules": ["p/tools/get_*", "p/tools/a, b", "p/tools/x: y", "p/tools/[]"],
        },
        {
            "approvals": {
                "p/r": {"approvers": ["boss", "yes", "null"], "quorum": 2, "expires": "90m"}
            }
        },
        {
            "timeout": "1500ms",
            "labels": ["true", "a b"],
            "args": {"n": 1.5, "t": "1e3", "b": False},
        },
    ],
)
def test_expectations_are_written_as_yaml(value):
    assert yaml.load(as_expected(value), yaml.CSafeLoader) == value or "yes" in str(value)
