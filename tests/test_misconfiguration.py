"""The mistakes that make other guardrails fall silent: each is an error of loading or a denial.

Every row is one rule that was meant to stop a call. The first table holds the rows of a probe of
four libraries, where most of the calls ran; the second holds more mistakes of that kind.
"""

import json
import math

import pytest
from support import engine_of, facts_for

from policy_engine.decision import Request
from policy_engine.decision.wire import parse_json, read_request
from policy_engine.errors import PolicyError, RequestError

TOOL = """\
policy: p
language: 1
tools:
  pay:
    args:
      amount: {type: number}
      to: {type: string}
      path: {type: string, optional: true}
    rules:
      - RULE
  other: allow
"""
TOP = """\
policy: p
language: 1
tools:
  pay: {args: {amount: {type: number}, to: {type: string}}}
  other: allow
rules:
  - RULE
"""
PLAIN = """\
policy: p
language: 1
RULE
"""
CALL = {"amount": 1000, "to": "mallory"}


def when(condition):
    return TOOL.replace("RULE", f"{{id: r, when: '{condition}', effect: deny}}")


def rule(text):
    return TOOL.replace("RULE", f"{{{text}}}")


def top(text):
    return TOP.replace("RULE", f"{{{text}}}")


def args(schemas):
    return PLAIN.replace("RULE", f"tools: {{pay: {{args: {{{schemas}}}}}}}")


DENIED = "denied"
LESS = {"to": "mallory"}
SQL = args("q: {type: string, check: {terms: {any: [drop]}}}")
PATHS = args("path: {type: string, pattern: '^/tmp/([a-z0-9_]+/)*[a-z0-9_]+[.]txt$'}")

PROBED = {
    "correct rule": (when("args.amount > 500"), CALL, DENIED),
    "(a or b) and c": (
        when('(args.amount > 500 || args.to == "bob") && args.to != "alice"'),
        CALL,
        DENIED,
    ),
    "not …": (when('!(args.to == "alice")'), CALL, DENIED),
    "not …, in Python's words": (when('not args.to == "alice"'), CALL, "PE012"),
    "unknown or misspelt operator": (when("args.amount greater_than 500"), CALL, "PE012"),
    "nonsense condition": (when("if the amount is large"), CALL, "PE012"),
    "misspelt field name": (when("args.amuont > 500"), CALL, "PE013"),
    "misspelt tool name": (top("id: r, tools: [pya], effect: deny"), CALL, "PE011"),
    "unknown keys in a rule": (rule('id: r, wehn: "true", effect: deny'), CALL, "PE006"),
    "misspelt action": (rule('id: r, when: "true", effect: denny'), CALL, "PE009"),
    "action: ask": (rule('id: r, when: "true", action: ask'), CALL, "PE006"),
    "effect: ask": (rule('id: r, when: "true", effect: ask'), CALL, "PE009"),
    "numeric == 500": (when("args.amount == 500"), {**CALL, "amount": 500}, DENIED),
    "numeric == 500, and 500.0 is asked": (
        when("args.amount == 500"),
        {**CALL, "amount": 500.0},
        DENIED,
    ),
    "argument missing": (when("args.amount > 500"), LESS, DENIED),
    "amount 1,000": (when("args.amount > 500"), {**CALL, "amount": "1,000"}, DENIED),
    "amount 1000 as a string": (when("args.amount > 500"), {**CALL, "amount": "1000"}, DENIED),
    "amount NaN": (when("args.amount > 500"), {**CALL, "amount": math.nan}, DENIED),
    "negative literal": (when("args.amount < -5"), {**CALL, "amount": -10}, DENIED),
    "' or ' inside of a string": (
        when('args.to == "this or that"'),
        {**CALL, "to": "this or that"},
        DENIED,
    ),
    "invalid regex": (rule("id: r, check: {pattern: {any: ['[']}}, effect: deny"), CALL, "PE016"),
    "invalid regex in a condition": (when('args.to.matches("[")'), CALL, "PE013"),
    "unsafe regex": (
        rule("id: r, check: {pattern: {any: ['^(a+)+$']}}, effect: deny"),
        {**CALL, "to": "a" * 40},
        DENIED,
    ),
    "undefined matcher": (rule("id: r, check: {profanity: {}}, effect: deny"), CALL, "PE006"),
    "undefined variable": (when("args.amount > vars.most"), CALL, "PE013"),
    "/tmp/../etc/passwd": (PATHS, {"path": "/tmp/../etc/passwd"}, DENIED),
    "/tmp/../etc/passwd, within": (
        args("path: {type: string, within: {roots: [/tmp]}}"),
        {"path": "/tmp/../etc/passwd"},
        "PE018",
    ),
    "other case": (SQL, {"q": "DROP table x"}, DENIED),
    "other letters": (SQL, {"q": "\uff24\uff32\uff2f\uff30 table x"}, DENIED),
    "trailing junk after a condition": (when("args.amount > 500 junk"), CALL, "PE012"),
    "arguments have names, whoever passed them how": (when('args.to == "mallory"'), CALL, DENIED),
    "tool with no rule": (PLAIN.replace("RULE", "tools: {other: allow}"), CALL, DENIED),
    "no section of tools": (PLAIN.replace("RULE", "input: []"), CALL, DENIED),
}

FURTHER = {
    "effect in capitals": (rule('id: r, when: "true", effect: Deny'), CALL, "PE009"),
    "effect as a list": (rule('id: r, when: "true", effect: [deny]'), CALL, "PE008"),
    "no effect": (rule('id: r, when: "true"'), CALL, "PE007"),
    "no id": (rule('when: "true", effect: deny'), CALL, "PE007"),
    "no condition": (rule("id: r, effect: deny"), CALL, "PE020"),
    "a condition that is a boolean": (rule("id: r, when: true, effect: deny"), CALL, "PE008"),
    "an empty condition": (rule("id: r, when: '', effect: deny"), CALL, "PE009"),
    "a rule that allows": (rule('id: r, when: "true", effect: allow'), CALL, "PE017"),
    "a rule that is switched off": (
        rule('id: r, when: "true", effect: deny, enabled: false'),
        CALL,
        "PE006",
    ),
    "a mode that is none": (rule('id: r, when: "true", effect: deny, mode: off'), CALL, "PE009"),
    "a comparison in quotes": (args('amount: "> 500", to: {type: string}'), CALL, "PE008"),
    "a number for a schema": (args("amount: 500, to: {type: string}"), CALL, "PE008"),
    "max instead of maximum": (args("amount: {type: number, max: 500}"), CALL, "PE006"),
    "a bound in quotes": (args('amount: {type: number, maximum: "500"}'), CALL, "PE008"),
    "a bound without a type": (args("amount: {maximum: 500}"), CALL, "PE015"),
    "a bound of another type": (args("amount: {type: string, maximum: 500}"), CALL, "PE015"),
    "bounds that leave nothing": (
        args("amount: {type: number, minimum: 9, maximum: 5}"),
        CALL,
        "PE020",
    ),
    "an empty list of values": (args("to: {enum: []}, amount: {type: number}"), CALL, "PE020"),
    "a pattern that cannot match": (
        args("to: {type: string, pattern: '$a'}, amount: {type: number}"),
        CALL,
        DENIED,
    ),
    "one equals sign": (when("args.amount = 1000"), CALL, "PE012"),
    "an arrow": (when("args.amount => 500"), CALL, "PE012"),
    "and": (when('args.amount > 500 and args.to != ""'), CALL, "PE012"),
    "or": (when('args.amount > 500 or args.to == "x"'), CALL, "PE012"),
    "one ampersand": (when("args.amount > 500 & true"), CALL, "PE012"),
    "a number with a comma": (when("args.amount > 1,000"), CALL, "PE012"),
    "a number in quotes": (when('args.amount > "500"'), CALL, "PE013"),
    "a text without quotes": (when("args.to == mallory"), CALL, "PE013"),
    "a text compared with a number": (when("args.to == 500"), CALL, "PE013"),
    "a text that is in a text": (when('args.to in "mallory, eve"'), CALL, "PE013"),
    "a value that is no condition": (when("args.amount"), CALL, "PE013"),
    "a method in lower case": (when('args.to.startswith("m")'), CALL, "PE013"),
    "an argument without args": (when("amount > 500"), CALL, "PE013"),
    "an argument in capitals": (when("args.Amount > 500"), CALL, "PE013"),
    "an argument in brackets": (when('args["amuont"] > 500'), CALL, "PE013"),
    "an argument that is asked for with has": (when("has(args.amuont)"), CALL, "PE013"),
    "an absent argument behind has": (when("has(args.amount) && args.amount > 5"), LESS, DENIED),
    "null for an argument": (when("args.amount > 500"), {**CALL, "amount": None}, DENIED),
    "a boolean for a number": (when("args.amount > 500"), {**CALL, "amount": True}, DENIED),
    "a list for a number": (when("args.amount > 500"), {**CALL, "amount": [1]}, DENIED),
    "an infinite amount": (when("args.amount < 0"), {**CALL, "amount": math.inf}, DENIED),
    "an amount beyond floats": (when("args.amount > 500"), {**CALL, "amount": 10**400}, DENIED),
    "one argument too many": (when("args.amount > 5000"), {**CALL, "amuont": 1}, DENIED),
    "a look-alike argument": (
        when("args.amount > 500"),
        {"\u0430mount": 1000, "to": "mallory"},
        DENIED,
    ),
    "a context that is not declared": (when('context.env == "prod"'), CALL, "PE013"),
    "a label that nothing sets": (when('"tainted" in session.labels'), CALL, "PE011"),
    "a tool in a condition": (when('tool == "pya"'), CALL, "PE011"),
    "a stage in a condition": (when('stage == "tool-call"'), CALL, "PE013"),
    "a role as a text": (when('principal.roles == "admin"'), CALL, "PE013"),
    "an unknown field of the principal": (when('principal.role == "admin"'), CALL, "PE013"),
    "a principal that is absent": (when('!("admin" in principal.roles)'), CALL, DENIED),
    "an argument in `in` that is none": (
        rule("id: r, in: [args.too], check: {terms: {any: [mallory]}}, effect: deny"),
        CALL,
        "PE011",
    ),
    "an argument in `in` without args": (
        rule("id: r, in: [to], check: {terms: {any: [mallory]}}, effect: deny"),
        CALL,
        "PE009",
    ),
    "the text of a number": (
        rule("id: r, in: [args.amount], check: {terms: {any: ['1000']}}, effect: deny"),
        CALL,
        "PE020",
    ),
    "terms as a list": (rule("id: r, check: {terms: [mallory]}, effect: deny"), CALL, "PE008"),
    "a check that is not there yet": (
        rule("id: r, check: {secrets: {}}, effect: deny"),
        CALL,
        "PE018",
    ),
    "a check with no bound": (rule("id: r, check: {size: {}}, effect: deny"), CALL, "PE020"),
    "a pattern in capitals": (
        rule("id: r, check: {pattern: {any: ['(?i)MALLORY']}}, effect: deny"),
        CALL,
        DENIED,
    ),
    "tools as a text": (top("id: r, tools: pay, effect: deny"), CALL, "PE008"),
    "tool instead of tools": (top("id: r, tool: pay, effect: deny"), CALL, "PE006"),
    "no tools": (top("id: r, effect: deny"), CALL, "PE007"),
    "an empty list of tools": (top("id: r, tools: [], effect: deny"), CALL, "PE020"),
    "a tool in capitals": (top("id: r, tools: [Pay], effect: deny"), CALL, "PE011"),
    "a tool of two names": (top("id: r, tools: ['pay, other'], effect: deny"), CALL, "PE011"),
    "an exception for all": (
        top("id: r, tools: [pay], except: ['*'], effect: deny"),
        CALL,
        "PE020",
    ),
    "an approval by nobody": (
        top(
            "id: r, tools: [pay], effect: require_approval, approval: {approvers: [], expires: 1h}"
        ),
        CALL,
        "PE020",
    ),
    "an approval without an end": (
        top("id: r, tools: [pay], effect: require_approval, approval: {approvers: [boss]}"),
        CALL,
        "PE007",
    ),
    "no approval in what asks": (
        top("id: r, tools: [pay], effect: require_approval"),
        CALL,
        "PE021",
    ),
    "a section that is none": (PLAIN.replace("RULE", "tool: {pay: deny}"), CALL, "PE006"),
    "deny as a list": (PLAIN.replace("RULE", "tools: {deny: [pay]}"), CALL, "PE008"),
    "denied tools as a list": (PLAIN.replace("RULE", "tools: [pay]"), CALL, "PE008"),
    "an entry without a value": (PLAIN.replace("RULE", "tools:\n  pay:"), CALL, "PE008"),
    "a default in capitals": (
        PLAIN.replace("RULE", "default: Deny\ntools: {other: allow}"),
        CALL,
        "PE009",
    ),
    "a policy for nobody": (
        PLAIN.replace("RULE", "applies_to: {agents: []}\ntools: {pay: allow}"),
        CALL,
        "PE020",
    ),
    "a policy for an agent as a text": (
        PLAIN.replace("RULE", "applies_to: {agents: support}\ntools: {pay: allow}"),
        CALL,
        "PE008",
    ),
    "a key that stands twice": (
        PLAIN.replace("RULE", "tools:\n  pay: deny\n  pay: allow"),
        CALL,
        "PE004",
    ),
    "a limit in quotes": (
        PLAIN.replace(
            "RULE",
            "tools: {pay: allow}\nlimits:\n  - {id: l, tools: [pay], max: '5', by: [global]}",
        ),
        CALL,
        "PE008",
    ),
    "a limit per something": (
        PLAIN.replace(
            "RULE",
            "tools: {pay: allow}\nlimits:\n"
            "  - {id: l, tools: [pay], max: 5, per: hour, by: [global]}",
        ),
        CALL,
        "PE009",
    ),
    "a limit by something": (
        PLAIN.replace(
            "RULE",
            "tools: {pay: allow}\nlimits:\n  - {id: l, tools: [pay], max: 5, by: [user]}",
        ),
        CALL,
        "PE009",
    ),
    "a limit by what the request lacks": (
        PLAIN.replace(
            "RULE",
            "tools: {pay: allow}\nlimits:\n  - {id: l, tools: [pay], max: 5, by: [session]}",
        ),
        CALL,
        DENIED,
    ),
    "a language that is not known": (
        "policy: p\nlanguage: 2\ntools: {pay: allow}\n",
        CALL,
        "PE018",
    ),
    "no language": ("policy: p\ntools: {pay: allow}\n", CALL, "PE007"),
    "an empty file": ("", CALL, "PE001"),
}
ROWS = {**PROBED, **FURTHER}


def decided(text, call):
    """Load a policy and decide a call by it, given all that it needs."""
    engine = engine_of(text)
    request = Request(tool="pay", args=call)
    return engine.decide(request, facts_for(engine, request))


@pytest.mark.parametrize(("text", "call", "wanted"), ROWS.values(), ids=ROWS)
def test_a_mistake_is_an_error_or_a_denial(text, call, wanted):
    if wanted == DENIED:
        decision = decided(text, call)
        assert decision.effect == "deny"
        assert decision.message
    else:
        with pytest.raises(PolicyError) as raised:
            engine_of(text)
        assert wanted in {fault.code for fault in raised.value.faults}, str(raised.value)
        assert all(fault.location.line for fault in raised.value.faults)


@pytest.mark.parametrize(("text", "call", "wanted"), ROWS.values(), ids=ROWS)
def test_the_same_from_a_line_of_json(text, call, wanted):
    line = json.dumps({"tool": "pay", "args": call})
    outcome = "denied"
    try:
        engine = engine_of(text)
        request = read_request(parse_json(line)).request
        if engine.decide(request, facts_for(engine, request)).permitted:
            outcome = "permitted"
    except PolicyError:
        outcome = "not loaded"
    except RequestError:
        outcome = "not read"
    assert outcome in ({"denied", "not read"} if wanted == DENIED else {"not loaded"})


FINE = {"amount": 50, "to": "alice"}


@pytest.mark.parametrize(
    ("text", "call"),
    [
        (when("args.amount > 500"), FINE),
        (when('(args.amount > 500 || args.to == "bob") && args.to != "alice"'), FINE),
        (when('!(args.to == "alice")'), FINE),
        (when("args.amount == 500"), FINE),
        (when("args.amount < -5"), FINE),
        (when('args.to == "this or that"'), FINE),
        (rule("id: r, check: {pattern: {any: ['^(a+)+$']}}, effect: deny"), FINE),
        (rule("id: r, check: {pattern: {any: ['(?i)MALLORY']}}, effect: deny"), FINE),
        (PATHS, {"path": "/tmp/a/b.txt"}),
        (SQL, {"q": "select dropped from x"}),
    ],
)
def test_the_same_rules_permit_what_they_should(text, call):
    assert decided(text, call).effect == "allow"


def test_one_mistake_stops_the_whole_set():
    good = "policy: good\nlanguage: 1\ntools: {pay: allow}\n"
    assert decided(good, CALL).effect == "allow"
    for text, _, wanted in ROWS.values():
        if wanted != DENIED:
            with pytest.raises(PolicyError):
                engine_of(good, text)
