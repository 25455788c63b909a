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
    if len(call["steps"]) > 1:
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
    # What tells these apart comes later than the call that is printed.
    assert set(left) <= {"it begins anew every day"}


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
