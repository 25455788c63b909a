"""Coverage: match, no match and cannot tell of rules, branches, arguments, patterns, limits."""

import json
import xml.etree.ElementTree as ET
from datetime import UTC, datetime

import pytest
from support import ROOT

from policy_engine.decision import Facts, Request
from policy_engine.decision.wire import Given
from policy_engine.engine import Engine
from policy_engine.errors import PolicyError
from policy_engine.loader import load_texts
from policy_engine.testing.coverage import Coverage
from policy_engine.testing.outcome import run_tests
from policy_engine.testing.reading import read_suites
from policy_engine.testing.replay import Replay

BESIDE = ("now", "facts")
NOW = datetime(2026, 1, 5, 10, tzinfo=UTC)
HOLDS = "no match"
BOTH = ["match", HOLDS]
SILENT = ["cannot tell", HOLDS]
EVERY = ["cannot tell", *BOTH]
HEAD = """
defaults: {agent: a, principal: {id: u1}, context: {env: prod}, facts: {order: {owner: u1}}}
tests:
"""


def seen(path):
    summary = run_tests(read_suites([str(path)]), coverage=True)
    return {
        (one.item.kind, one.item.rule.removeprefix("desk/"), one.item.what): (
            sorted(map(str, one.seen)),
            sorted(map(str, one.wanted)),
        )
        for one in summary.covered
    }


def test_a_rule_is_seen_with_each_outcome(desk):
    refund = "tool: refund, args: {order_id: ORD-0001, amount: %s}"
    steps = [refund % 5, refund % 200, refund % "x"]
    tests = "".join(
        f"  - {{name: {i}s, request: {{{s}}}, expect: {{}}}}\n".replace("{}", "{would: deny}")
        for i, s in enumerate(steps)
    )
    found = seen(desk(HEAD + tests))
    assert found["rule", "large", ""] == (EVERY, EVERY)
    assert found["rule", "own-order", ""] == (["no match"], EVERY)
    assert found["argument", "tools/refund", "amount.type"] == (
        ["match", "no match"],
        ["match", "no match"],
    )
    assert found["argument", "tools/refund", "amount.maximum"][0] == ["no match"]
    assert found["argument", "tools/refund", "note.optional"][0] == ["match"]


def test_each_term_of_a_condition_is_a_branch(desk):
    found = seen(
        desk(
            HEAD
            + "  - name: a\n    steps:\n      - {tool: fetch, args: {}}\n"
            + "      - {tool: refund, args: {order_id: ORD-0001, amount: 5}, "
            + "context: {env: staging}, expect: {effect: allow}}\n"
        )
    )
    assert found["branch", "steered", '"untrusted" in session.labels'][0] == ["match"]
    assert found["branch", "steered", 'context.env == "prod"'][0] == ["no match"]


def test_each_term_of_a_list_is_looked_for_alone(desk):
    found = seen(desk(HEAD + "  - {name: a, texts: 'redact: boom => <TERM>'}\n"))
    assert found["pattern", "words", "boom"][0] == ["match"]
    assert found["pattern", "words", "bang"][0] == ["no match"]


def test_a_picture_cannot_be_told(desk):
    picture = "text: [{type: image_url, image_url: {url: x}}]"
    test = f"{{name: a, request: {{stage: input, {picture}}}, expect: {{effect: deny}}}}"
    found = seen(desk(HEAD + f"  - {test}\n"))
    assert found["rule", "words", ""][0] == ["cannot tell"]


def test_limits_entries_and_defaults_are_covered(desk):
    found = seen(
        desk(
            HEAD
            + "  - {name: a, request: {tool: lookup, args: {}}, expect: {effect: allow}}\n"
            + "  - {name: b, request: {tool: shell, args: {}}, expect: {rules: [desk/default]}}\n"
            + "  - {name: c, request: {tool: refund, session: null, "
            + "args: {order_id: x, amount: 1}}, expect: {effect: deny, rules: [desk/five]}}\n"
        )
    )
    assert found["entry", "tools/lookup", ""][0] == ["match"]
    assert found["entry", "tools/fetch", ""][0] == []
    assert found["default", "default", ""][0] == ["match"]
    assert found["limit", "five", ""][0] == ["cannot tell"]
    assert found["limit", "cost", ""][0] == []


def test_nothing_that_no_request_can_bring_about_is_wanted(desk):
    found = seen(
        desk(HEAD + "  - {name: a, request: {tool: lookup, args: {}}, expect: {effect: allow}}\n")
    )
    assert found["rule", "too-long", ""][1] == ["cannot tell", "match", "no match"]
    assert found["entry", "tools/lookup", ""][1] == ["match"]
    assert found["argument", "tools/refund", "amount.maximum"][1] == ["match", "no match"]
    assert found["argument", "tools/refund", "note.maxLength"][1] == EVERY


def covered(policy, *requests):
    """Decide requests; return what came about and what is wanted, by kind and part."""
    compiled = load_texts({"p.yaml": "policy: p\nlanguage: 1\n" + policy})
    engine, coverage = Engine(compiled), Coverage(compiled)
    for given in requests:
        request = given if isinstance(given, Request) else Request(tool="t", args=given)
        coverage.watch(engine.decide(request, Facts()), Facts())
    return {(one.item.kind, one.item.what or one.item.rule): one for one in coverage.items()}


def outcomes(one):
    return sorted(map(str, one.seen)), sorted(map(str, one.wanted))


CHOICE = """
tools:
  t:
    args:
      way:
        type: object
        properties: {kind: {enum: [card, iban]}, number: {type: string}}
        if: {properties: {kind: {const: card}}}
        then: {properties: {number: {type: string, maxLength: 4}}}
        else: {properties: {number: {type: string, pattern: '^[A-Z]{2}'}}}
"""


def test_a_keyword_under_then_is_asked_only_where_the_condition_holds():
    found = covered(CHOICE, {"way": {"kind": "iban", "number": "DE890"}})
    pattern = found["argument", "way.else.properties.number.pattern"]
    longest = found["argument", "way.then.properties.number.maxLength"]
    assert outcomes(pattern) == (["no match"], EVERY)
    assert outcomes(longest) == (["cannot tell"], EVERY)
    assert outcomes(found["argument", "way.if"]) == (["no match"], ["match", "no match"])
    request = longest.ideas["match"].request
    assert request["args"]["way"]["kind"] == "card"
    assert len(request["args"]["way"]["number"]) > 4


def test_what_a_type_refuses_is_asked_nothing_more():
    found = covered("tools: {t: {args: {n: {type: number, maximum: 5}}}}", {"n": "x"})
    assert outcomes(found["argument", "n.type"]) == (["match"], ["match", "no match"])
    assert outcomes(found["argument", "n.maximum"]) == ([], ["match", "no match"])


def test_a_value_of_another_type_that_is_taken_cannot_be_told():
    policy = "tools: {t: {args: {n: {type: [number, string], maximum: 5}}}}"
    found = covered(policy, {"n": "x"})
    assert outcomes(found["argument", "n.maximum"]) == (["cannot tell"], EVERY)


def test_an_empty_list_leaves_the_keywords_of_its_items_unasked():
    policy = "tools: {t: {args: {to: {type: array, items: {type: string, pattern: '@'}}}}}"
    found = covered(policy, {"to": []})
    assert outcomes(found["argument", "to.items.pattern"]) == (["cannot tell"], EVERY)


@pytest.mark.parametrize(
    ("schema", "what", "findable"),
    [
        ("{type: string, minLength: 0}", "minLength", [HOLDS]),
        ("{type: boolean, enum: [true, false]}", "enum", [HOLDS]),
        ("{type: string, pattern: '.*'}", "pattern", [HOLDS]),
        ("{type: integer, multipleOf: 1}", "multipleOf", [HOLDS]),
        ("{type: string, if: {const: a}, then: {const: a}}", "then.const", SILENT),
        ("{type: string, if: {const: a}, then: {maxLength: 3}}", "then.maxLength", SILENT),
        ("{type: array, contains: {type: string}, minContains: 0}", "minContains", [HOLDS]),
        ("{type: array, items: {type: integer}, maxItems: 0}", "maxItems", BOTH),
        ("{type: string, maxBytes: 100000}", "maxBytes", BOTH),
        ("{type: array, items: {type: integer}, maxItems: 5000}", "maxItems", BOTH),
        ("{type: array, items: {type: string}}", "items.type", EVERY),
    ],
)  # fmt: skip
def test_what_no_value_can_bring_about_is_not_found(schema, what, findable):
    found = covered(f"tools: {{t: {{args: {{x: {schema}}}}}}}")
    one = found["argument", f"x.{what}"]
    assert sorted(map(str, one.wanted - set(one.doubtful))) == findable
    told = {"match", "no match"} & set(map(str, one.item.possible))
    assert set(map(str, one.doubtful)) == told - set(findable)
    assert set(one.doubtful) <= set(one.missing)


@pytest.mark.parametrize(
    ("below", "wanted"),
    [
        ("{type: string, maxLength: 3}", SILENT),
        ("{type: [string, integer], maxLength: 3}", SILENT),
        ("{type: integer, maximum: 3}", EVERY),
    ],
)  # fmt: skip
def test_a_type_that_the_schema_around_it_leaves_cannot_be_broken(below, wanted):
    found = covered(
        f"tools: {{t: {{args: {{x: {{type: string, if: {{const: a}}, then: {below}}}}}}}}}"
    )
    assert sorted(map(str, found["argument", "x.then.type"].wanted)) == wanted


def test_the_parts_of_a_check_on_an_argument_are_asked_alone():
    policy = """
tools:
  t:
    args:
      body: {type: string, check: {terms: {any: [apollo, zeus]}}}
      note: {type: string, optional: true, check: {pattern: {any: ['[0-9]{4}', 'x+y']}}}
      data:
        type: string
        check: {json: {schema: {type: object, properties: {n: {type: integer}}}}}
"""
    found = covered(policy, {"body": "Apollo flies", "data": '{"n": "one"}'})
    assert outcomes(found["pattern", "apollo"]) == (["match"], ["match", "no match"])
    assert outcomes(found["pattern", "zeus"]) == (["no match"], ["match", "no match"])
    assert outcomes(found["argument", "body.check"])[0] == ["match"]
    assert outcomes(found["pattern", "x+y"]) == (["cannot tell"], EVERY)
    form = found["check", "data.check.json.schema.properties.n.type"]
    assert outcomes(form) == (["match"], ["match", "no match"])
    assert outcomes(found["check", "data.check.json"])[0] == ["no match"]


def test_each_size_of_a_check_is_asked_alone():
    policy = "input: [{id: long, check: {size: {max_chars: 5, max_lines: 1}}, effect: deny}]"
    found = covered(policy, Request(stage="input", text="a\nb"))
    assert outcomes(found["check", "size.max_lines"])[0] == ["match"]
    assert outcomes(found["check", "size.max_chars"])[0] == ["no match"]
    one = covered("input: [{id: long, check: {size: {max_chars: 5}}, effect: deny}]")
    assert ("check", "size.max_chars") not in one


def test_a_condition_and_a_check_of_one_rule_are_asked_apart():
    policy = """
tools: {t: {args: {body: {type: string}, loud: {type: boolean}}}}
rules:
  - {id: r, tools: [t], when: args.loud, check: {terms: {any: [apollo]}}, effect: deny}
"""
    found = covered(policy, {"body": "apollo", "loud": False})
    assert outcomes(found["rule", "p/r"])[0] == ["no match"]
    assert outcomes(found["branch", "args.loud"])[0] == ["no match"]
    assert outcomes(found["check", "terms"])[0] == ["match"]


ITEMS = """
context: {env: {type: string, pattern: '^eu-'}}
tools:
  t:
    args:
      items:
        type: array
        items: {type: object, properties: {price: {type: number}, kind: {type: string}}}
    rules:
      - id: cheap
        when: >-
          args.items.exists(i,
            i.price > 100.0 && i.kind != "free") || context.env == "us-1"
        effect: deny
"""


def test_the_terms_in_a_macro_are_asked_of_each_element():
    rows = [{"price": 200, "kind": "free"}, {"kind": "paid"}]
    found = covered(ITEMS, {"items": rows})
    price, kind = found["branch", "i.price > 100.0"], found["branch", 'i.kind != "free"']
    assert outcomes(price) == (["cannot tell", "match"], EVERY)
    assert outcomes(kind) == (["match", "no match"], EVERY)
    assert (price.item.location.line, price.item.location.column) == (15, 13)
    assert (kind.item.location.line, kind.item.location.column) == (15, 32)


def test_an_empty_list_asks_no_term_in_a_macro():
    found = covered(ITEMS, {"items": []})
    assert outcomes(found["branch", "i.price > 100.0"])[0] == []


def test_a_term_that_nothing_was_found_for_is_missing():
    """A request with another `env` cannot be told, so nothing makes the comparison true."""
    request = Request(tool="t", args={"items": []}, context={"env": "us-1"})
    found = covered(ITEMS, request)
    term = found["branch", 'context.env == "us-1"']
    assert outcomes(term) == (["cannot tell"], EVERY)
    assert term.missing == ("match", "no match")
    assert term.doubtful == ("match",)
    assert term.ideas.keys() == {"no match"}


def test_only_the_chosen_side_of_a_conditional_is_asked():
    policy = """
tools:
  t:
    args: {vip: {type: boolean}, amount: {type: number}}
    rules: [{id: r, when: 'args.vip ? args.amount > 900.0 : args.amount > 90.0', effect: deny}]
"""
    found = covered(policy, {"vip": True, "amount": 100})
    assert outcomes(found["branch", "args.vip"])[0] == ["match"]
    assert outcomes(found["branch", "args.amount > 900.0"])[0] == ["no match"]
    assert outcomes(found["branch", "args.amount > 90.0"]) == ([], EVERY)
    assert outcomes(covered(policy, {"amount": 5})["branch", "args.amount > 90.0"])[0] == []


def test_a_default_that_can_never_speak_is_not_wanted():
    found = covered("tools: {t: allow, '*': deny}")
    assert outcomes(found["default", "p/default"]) == ([], [])
    found = covered("tools: {t: allow, '*': deny}\nhandoffs: {desk: allow}")
    assert outcomes(found["default", "p/default"]) == ([], ["match"])
    found = covered("tools: {t: allow, 't-*': deny}")
    assert outcomes(found["default", "p/default"]) == ([], ["match"])


def test_a_policy_for_every_agent_has_nobody_whom_it_is_not_for():
    found = covered("applies_to: {agents: ['*']}\ntools: {t: allow}")
    assert outcomes(found["policy", "applies_to"])[1] == ["cannot tell", "match"]
    found = covered("applies_to: {agents: ['*'], roles: ['*']}\ntools: {t: allow}")
    assert outcomes(found["policy", "applies_to"])[1] == EVERY
    assert found["policy", "applies_to"].doubtful == ()


def test_a_limit_that_nothing_counts_towards_cannot_be_exceeded():
    policy = "tools: {t: %s}\nlimits: [{id: five, tools: [t], max: 5, by: [session]}]"
    dead, live = (covered(policy % effect)["limit", "p/five"] for effect in ("deny", "allow"))
    assert dead.doubtful == ("match",)
    assert outcomes(dead)[1] == outcomes(live)[1] == EVERY
    assert live.doubtful == ()


@pytest.mark.parametrize(
    "policy",
    [
        "tools: {t: {args: {x: {type: string, pattern: '^a'}, y: {type: number, optional: true}}}}",
        CHOICE,
        "input: [{id: words, check: {terms: {any: [boom, bang]}}, effect: redact}]",
        ITEMS.replace(' || context.env == "us-1"', ""),
    ],
)  # fmt: skip
def test_the_ideas_cover_everything(policy):
    """What is shown for each missing outcome is sent, and nothing is missing any more."""
    compiled = load_texts({"p.yaml": "policy: p\nlanguage: 1\n" + policy})
    coverage = Coverage(compiled)
    ideas = [idea for one in coverage.items() for idea in one.ideas.values()]
    for idea in ideas:
        given = {key: value for key, value in idea.request.items() if key not in ("now", "facts")}
        facts = Facts(answers=idea.request.get("facts", {}))
        coverage.watch(Engine(compiled).decide(Request(**given), facts), facts)
    assert ideas
    assert [one.item.what for one in coverage.items() if one.missing] == []


def test_what_is_shown_for_flawed_policies_comes_about():
    """Whatever loads, each outcome that is asked for has a request that brings it about."""
    shown = 0
    for path in sorted((ROOT / "tests" / "flawed").glob("*.yaml"))[::4]:
        try:
            compiled = load_texts({path.name: path.read_text()})
        except PolicyError:
            continue
        engine, watching = Engine(compiled), Coverage(compiled)
        for one in list(Coverage(compiled).items()):
            for outcome, idea in one.ideas.items():
                if idea.beside:
                    continue
                given = {k: v for k, v in idea.request.items() if k not in BESIDE}
                now = idea.request.get("now")
                start = NOW if now is None else datetime.fromisoformat(now)
                replay = Replay(engine, {}, start)
                answers = idea.request.get("facts", {})
                decision = replay.decide(Given(Request(**given), answers, None))
                watching.watch(decision, replay.facts)
                seen = {again.item: again.seen for again in watching.seen()}
                assert outcome in seen[one.item], (path.name, one.item, outcome, idea.request)
                shown += 1
    assert shown > 100


def test_what_is_missing_is_told_with_its_place_and_a_request(desk, command):
    path = desk(
        HEAD + "  - {name: a, request: {tool: lookup, args: {}}, expect: {effect: allow}}\n"
    )
    policy = path.parent.parent / "desk.yaml"
    lines = command(path, "--coverage").stdout.splitlines()
    at = next(i for i, line in enumerate(lines) if "amount.maximum" in line)
    text = policy.read_text().splitlines()
    number = next(i for i, line in enumerate(text, 1) if "maximum: 500" in line)
    column = text[number - 1].index("maximum") + 1
    what = "argument desk/tools/refund amount.maximum: no test for match, no match"
    assert lines[at] == f"  {policy}:{number}:{column}: {what}"
    told = json.loads(lines[at + 1].removeprefix("    match: "))
    assert told["tool"] == "refund"
    assert told["args"]["amount"] > 500


def skipped(suite):
    """Return what a suite of JUnit says of the cases that it skips."""
    cases = [case for case in suite if case.find("skipped") is not None]
    return [f"{case.get('name')}: {case.find('skipped').get('message')}" for case in cases]


def test_coverage_is_in_every_format(desk, command):
    path = desk(
        HEAD + "  - {name: a, request: {tool: lookup, args: {}}, expect: {effect: allow}}\n"
    )
    told = json.loads(command(path, "--coverage", "--format", "json").stdout)["coverage"]
    item = next(one for one in told["items"] if one["what"] == "amount.maximum")
    assert item["missing"] == ["match", "no match"]
    assert item["ideas"]["match"]["request"]["tool"] == "refund"
    assert item["not_found"] == []
    suites = ET.fromstring(command(path, "--coverage", "--format", "junit").stdout)
    assert [suite.get("name") for suite in suites] == [str(path), "coverage"]
    assert any(
        one.endswith("amount.maximum: no test for match, no match") for one in skipped(suites[1])
    )
    said = command(path, "--coverage", "--format", "github").stdout
    assert "::warning" in said
    assert "amount.maximum: no test for match, no match" in said


UNSPOKEN = """
policy: p
language: 1
description: d
owner: o
tools:
  t:
    args: {n: {type: integer}}
    rules:
      - {id: never, when: args.n > 1 && args.n < 1, effect: deny, message: m}
"""
SENT = """
policies: ../p.yaml
tests:
  - name: a
    steps:
      - {tool: t, args: {n: 1}, expect: {effect: allow}}
      - {tool: t, args: {n: 2}, expect: {effect: allow}}
      - {tool: t, args: {n: 0}, expect: {effect: allow}}
      - {tool: t, args: {n: x}, expect: {effect: deny}}
      - {tool: t, args: {}, expect: {effect: deny}}
      - {tool: t, args: {n: 1, another: 1}, expect: {effect: deny}}
      - {tool: u, args: {}, expect: {rules: [p/default]}}
"""


def test_what_nothing_was_found_for_keeps_coverage_below_all(tmp_path, command):
    (tmp_path / "tests").mkdir()
    (tmp_path / "p.yaml").write_text(UNSPOKEN.lstrip())
    path = tmp_path / "tests" / "p.yaml"
    path.write_text(SENT.lstrip())
    asked = (path, "--coverage", "--min-coverage", "100")
    ran = command(*asked)
    assert ran.returncode == 1
    why = "no request was found for it: lint tells whether it can ever happen"
    said = f"rule p/never: no test for match, and {why}"
    left = [line for line in ran.stdout.splitlines() if "no test for" in line]
    assert left == [f"  {tmp_path / 'p.yaml'}:9:9: {said}"]
    told = json.loads(command(*asked, "--format", "json").stdout)["coverage"]
    assert (told["percent"] < 100, told["wanted"] - told["seen"]) == (True, 1)
    (item,) = [one for one in told["items"] if one["missing"]]
    assert (item["missing"], item["not_found"], item["ideas"]) == (["match"], ["match"], {})
    suites = ET.fromstring(command(*asked, "--format", "junit").stdout)
    assert skipped(suites[-1]) == [f"{tmp_path / 'p.yaml'}:9:9: {said}"]
    assert said in command(*asked, "--format", "github").stdout


SESSIONS = """
policy: p
language: 1
tools:
  read: {labels: [data]}
  send:
    args: {n: {type: integer, minimum: 1}}
    rules:
      - {id: after-data, when: '"data" in session.labels', effect: deny, message: m}
limits:
  - {id: five, tools: [send], max: 5, per: day, by: [session]}
  - {id: six, tools: [send], max: 6, per: day, by: [principal]}
"""


def test_a_request_without_a_session_says_so_where_that_is_the_point(tmp_path):
    """What is shown is written into a file of tests as it is; there it brings the outcome about."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "p.yaml").write_text(SESSIONS.lstrip())
    compiled = load_texts({"p.yaml": SESSIONS.lstrip()})
    lacking = set()
    for one in Coverage(compiled).items():
        for outcome, idea in one.ideas.items():
            if idea.beside:
                continue
            test = {"name": "a", "request": idea.request, "expect": {"effect": "allow"}}
            path = tmp_path / "tests" / "p.yaml"
            path.write_text(json.dumps({"policies": "../p.yaml", "tests": [test]}))
            seen = run_tests(read_suites([str(path)]), coverage=True).covered
            (again,) = [
                two
                for two in seen
                if (two.item.kind, two.item.rule, two.item.what)
                == (one.item.kind, one.item.rule, one.item.what)
            ]
            assert outcome in again.seen, (one.item, outcome, idea.request)
            if "session" in idea.request and idea.request["session"] is None:
                lacking.add((one.item.rule, str(outcome)))
    assert lacking == {("p/after-data", "cannot tell"), ("p/five", "cannot tell")}
