"""Witnesses: a call that tells a mutant apart is found where there is one, and does as printed."""

import json
from datetime import datetime

import pytest
from support import ROOT

from policy_engine.compiler import Variants
from policy_engine.decision import EFFECTS, Facts, Request, Session
from policy_engine.engine import Engine
from policy_engine.errors import PolicyError
from policy_engine.loader import load, load_texts
from policy_engine.testing.coverage import Coverage
from policy_engine.testing.mutation.examine import Examiner
from policy_engine.testing.reading import read_suites
from policy_engine.testing.replay import prices_of
from policy_engine.testing.run import passes
from policy_engine.testing.search.counted import with_counters
from policy_engine.testing.search.sample import Sample

NOW = "2026-01-05T10:00:00Z"
ASKS = "effect: require_approval, approval: {approvers: [lead], expires: 1h}"
ASKED = ASKS.replace(", ", "\n        ", 1)
CASES = {
    "a size beside a bound": (
        f"""
tools:
  query:
    args:
      select:
        type: array
        minItems: 1
        maxItems: 30
        items: {{type: string, pattern: '^[a-z_][a-z0-9_]{{0,62}}$'}}
      limit: {{type: integer, minimum: 1, maximum: 10000}}
    rules:
      - {{id: wide, when: size(args.select) > 20 && args.limit > 1000, {ASKS}}}
""",
        {"tool": "query", "args": {"select": ["a"], "limit": 1}},
        {},
    ),
    "the size of a text of one form, and of a list without twins": (
        f"""
tools:
  invite:
    args:
      code: {{type: string, pattern: '^x-[a-z]+$', maxLength: 60}}
      guests:
        type: array
        maxItems: 30
        uniqueItems: true
        items: {{type: string, format: email}}
    rules:
      - id: many
        when: size(args.guests) > 15 || (size(args.code) > 50 && size(args.guests) > 1)
        {ASKED}
""",
        {"tool": "invite", "args": {"code": "x-a", "guests": []}},
        {},
    ),
    "a point in time beside now": (
        """
tools:
  book:
    args:
      start: {type: string, format: date-time}
      end: {type: string, format: date-time}
    rules:
      - {id: order, when: timestamp(args.end) <= timestamp(args.start), effect: deny}
      - {id: past, when: timestamp(args.start) < now, effect: deny}
""",
        {"tool": "book", "args": {"start": "2026-01-06T10:00:00Z", "end": "2026-01-06T11:00:00Z"}},
        {},
    ),
    "the age of a fact": (
        f"""
facts:
  order:
    from: app:order
    with: [args.order]
    schema: {{type: object, properties: {{placed: {{type: string, format: date-time}}}}}}
tools:
  cancel:
    args: {{order: {{type: string, pattern: '^[0-9]{{10}}$'}}}}
    rules:
      - {{id: late, when: 'now - timestamp(facts.order.placed) > duration("48h")', {ASKS}}}
""",
        {"tool": "cancel", "args": {"order": "0123456789"}},
        {"order": {"placed": NOW}},
    ),
    "days as texts": (
        """
tools:
  report:
    args: {start: {type: string, format: date}, until: {type: string, format: date}}
    rules:
      - {id: order, when: args.until < args.start, effect: deny}
""",
        {"tool": "report", "args": {"start": "2026-01-05", "until": "2026-01-06"}},
        {},
    ),
    "hours of a zone": (
        """
tools:
  unlock:
    args: {}
    rules:
      - id: night
        when: 'now.getHours("Europe/Paris") >= 23 || now.getHours("Europe/Paris") < 6'
        effect: deny
""",
        {"tool": "unlock", "args": {}},
        {},
    ),
    "cents": (
        """
facts:
  account:
    from: app:account
    with: [args.account]
    schema: {type: object, properties: {balance: {type: number}}}
tools:
  transfer:
    args:
      account: {type: string, pattern: '^[A-Z]{2}[0-9]{2}$'}
      amount: {type: integer, minimum: 1, maximum: 5000, multipleOf: 5}
      fee: {type: number, minimum: 0, maximum: 10, multipleOf: 0.01}
    rules:
      - {id: funds, when: double(args.amount) + args.fee > facts.account.balance, effect: deny}
""",
        {"tool": "transfer", "args": {"account": "DE12", "amount": 10, "fee": 0}},
        {"account": {"balance": 100}},
    ),
    "a bound beside another": (
        """
attrs: {level: {type: integer, minimum: 0, maximum: 3}}
tools:
  pay:
    args: {amount: {type: number, exclusiveMinimum: 0, maximum: 5000}}
    rules:
      - {id: known, when: principal.attrs.level < 2 && args.amount > 1000, effect: deny}
      - {id: dear, when: args.amount > 4000, effect: deny}
""",
        {"tool": "pay", "args": {"amount": 1}, "principal": {"id": "u1", "attrs": {"level": 3}}},
        {},
    ),
    "a decimal bound": (
        f"""
tools:
  record:
    args: {{test: {{enum: [ph, purity]}}, value: {{type: number, minimum: 0, maximum: 100}}}}
    rules:
      - {{id: low, when: args.test == "purity" && args.value < 98.5, {ASKS}}}
""",
        {"tool": "record", "args": {"test": "ph", "value": 7}},
        {},
    ),
    "a product": (
        f"""
tools:
  train:
    args:
      count: {{type: integer, minimum: 1, maximum: 64}}
      hours: {{type: number, exclusiveMinimum: 0, maximum: 72}}
    rules:
      - {{id: big, when: double(args.count) * args.hours > 100.0, {ASKS}}}
""",
        {"tool": "train", "args": {"count": 1, "hours": 1}},
        {},
    ),
    "an element of a list": (
        f"""
vars: {{ours: '^[a-z0-9._-]+@acme[.]com$'}}
tools:
  share:
    args:
      with: {{type: array, minItems: 1, maxItems: 20, items: {{type: string, maxLength: 100}}}}
    rules:
      - {{id: outside, when: '!args.with.all(one, one.matches(vars.ours))', {ASKS}}}
      - id: nobody
        when: 'args.with.exists(one, one in ["root@acme.com", "all@acme.com"])'
        effect: deny
""",
        {"tool": "share", "args": {"with": ["a@acme.com"]}},
        {},
    ),
    "what a session called, and its labels": (
        f"""
tools:
  read: {{args: {{}}, labels: [untrusted]}}
  send:
    args: {{to: {{type: string, maxLength: 40}}, text: {{type: string, maxLength: 4000}}}}
    rules:
      - {{id: after, when: '"untrusted" in session.labels && size(args.text) > 500', {ASKS}}}
      - {{id: twice, when: session.calls.send >= 3, effect: deny}}
""",
        {"tool": "send", "args": {"to": "x", "text": "x"}},
        {},
    ),
    "one of two things, and an alternative": (
        f"""
tools:
  ban:
    args:
      player:
        anyOf:
          - {{type: string, pattern: '^[0-9]{{1,19}}$'}}
          - type: object
            properties: {{name: {{type: string, minLength: 2, maxLength: 30}}}}
      days: {{type: integer, minimum: 1, maximum: 365, optional: true}}
      permanent: {{type: boolean, optional: true}}
    rules:
      - {{id: one-of, when: has(args.days) == has(args.permanent), effect: deny}}
      - {{id: long, when: has(args.days) && args.days > 30, {ASKS}}}
""",
        {"tool": "ban", "args": {"player": "7", "days": 3}},
        {},
    ),
    "who may": (
        """
applies_to: {roles: [nurse, doctor]}
facts:
  patient:
    from: app:patient
    with: [args.patient]
    schema: {type: object, properties: {ward: {type: string}}}
attrs: {ward: {type: string}}
tools:
  read:
    args: {patient: {type: string, pattern: '^P[0-9]{7}$'}, part: {enum: [labs, psychiatry]}}
    rules:
      - {id: ward, when: facts.patient.ward != principal.attrs.ward, effect: deny}
      - {id: psych, when: args.part == "psychiatry" && !("doctor" in principal.roles), effect: deny}
""",
        {
            "tool": "read",
            "args": {"patient": "P0000001", "part": "labs"},
            "principal": {"id": "u1", "roles": ["nurse"], "attrs": {"ward": "w"}},
        },
        {"patient": {"ward": "w"}},
    ),
    "how many elements are asked for": (
        """
facts:
  s:
    from: app:s
    with: [args.id]
    schema:
      type: object
      properties:
        goods: {type: array, items: {type: object, properties: {weight: {type: integer}}}}
tools:
  ship:
    args: {id: {type: string, pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'}}
    rules:
      - {id: heavy, when: 'facts.s.goods.filter(g, g.weight > 500).size() > 2', effect: deny}
""",
        {"tool": "ship", "args": {"id": "x"}},
        {"s": {"goods": [{"weight": 3}]}},
    ),
    "a rule of a tool beside one of many": (
        """
context: {deed: {type: object, properties: {sum: {type: integer}}}}
tools:
  release:
    args: {sum: {type: integer, minimum: 1}}
    rules: [{id: sum, when: args.sum > context.deed.sum, effect: deny}]
rules:
  - {id: any-sum, tools: ["rel*"], args: {sum: {type: integer, maximum: 1000000}}, effect: deny}
""",
        {"tool": "release", "args": {"sum": 5}, "context": {"deed": {"sum": 10}}},
        {},
    ),
    "the month, and what something is measured by": (
        """
facts:
  f:
    from: app:f
    with: [args.id]
    schema: {type: object, properties: {crop: {enum: [maize, rape]}, m: {type: number}}}
tools:
  reap:
    args: {id: {type: string}}
    rules:
      - {id: rape, when: 'facts.f.crop == "rape" && now.getMonth() < 3', effect: deny}
      - {id: wet, when: 'facts.f.m > (facts.f.crop == "maize" ? 0.45 : 0.35)', effect: deny}
""",
        {"tool": "reap", "args": {"id": "x"}},
        {"f": {"crop": "maize", "m": 0.1}},
    ),
    "a check of a text that may be absent": (
        """
tools:
  note:
    args: {note: {type: string, optional: true, check: {terms: {any: [off-label]}}}}
""",
        {"tool": "note", "args": {}},
        {},
    ),
    "an account of one of two forms": (
        """
tools:
  pay:
    args:
      dest:
        type: object
        properties: {kind: {enum: [iban, card]}, number: {type: string, minLength: 4}}
        if: {properties: {kind: {const: iban}}, required: [kind]}
        then: {properties: {number: {type: string, pattern: '^[A-Z]{2}'}}}
        else: {properties: {number: {type: string, pattern: '^[0-9]+$'}}}
""",
        {"tool": "pay", "args": {"dest": {"kind": "iban", "number": "AA00"}}},
        {},
    ),
    "the form of a text beside who says it": (
        """
output:
  - id: shape
    when: agent == "json"
    check: {json: {schema: {type: object, properties: {year: {type: integer, minimum: 1000}}}}}
    effect: deny
  - {id: long, check: {size: {max_lines: 80}}, effect: deny}
""",
        {"stage": "output", "agent": "other", "text": "hi"},
        {},
    ),
    "whether a tool was called, compared": (
        """
tools:
  read_sensor: {args: {}}
  set_pump:
    args: {to: {enum: [low, high]}}
    rules:
      - {id: rounds, when: has(session.calls.read_sensor) == false, effect: deny}
      - {id: high, when: 'args.to == "high"', effect: deny}
""",
        {"tool": "read_sensor", "args": {}},
        {},
    ),
    "an address within a network": (
        """
tools:
  set:
    args: {name: {type: string, pattern: '^[a-z]{1,63}$'}, address: {type: string, format: ipv4}}
    rules:
      - {id: inside, when: '!cidr("10.40.0.0/16").containsIP(args.address)', effect: deny}
""",
        {"tool": "set", "args": {"name": "a", "address": "10.40.1.1"}},
        {},
    ),
}
ALIKE = {
    ("a point in time beside now", "start: number is taken as well"),
    ("a point in time beside now", "end: number is taken as well"),
    ("the age of a fact", "facts.order: number is taken as well"),
    ("an address within a network", "address: format is gone"),
}
"""Mutants of which neither a call is found nor a proof that there is none."""


def written(tmp_path, text, tests=()):
    policy = tmp_path / "desk.yaml"
    policy.write_text(f"policy: desk\nlanguage: 1\n{text}")
    if not tests:
        return load(policy, warm=False), ()
    suite = tmp_path / "tests.yaml"
    suite.write_text(json.dumps({"policies": str(policy), "tests": list(tests)}))
    loaded = read_suites([str(suite)])
    (compiled,) = loaded.policies.values()
    return compiled, [case for one in loaded.suites for case in one.cases]


@pytest.mark.parametrize("happy", [False, True], ids=["no test", "one happy test"])
@pytest.mark.parametrize("name", CASES)
def test_a_call_is_found_for_every_mutant_that_has_one(tmp_path, name, happy):
    text, request, facts = CASES[name]
    given = {**request, "now": NOW} | ({"facts": facts} if facts else {})
    test = {"name": "fine", "request": given, "expect": {"effect": "allow"}}
    compiled, cases = written(tmp_path, text, [test] if happy else [])
    assert all(passes(Engine(compiled), prices_of(compiled), case) for case in cases)
    examiner = Examiner(compiled, cases)
    verdicts = [examiner.examine(number) for number in range(len(examiner.mutants))]
    lost = {(name, one.what) for one in verdicts if one.fate == "undecided"}
    assert lost <= ALIKE
    assert sum(one.fate == "survived" for one in verdicts) >= 6


GOODS = """
facts:
  shipment:
    from: app:shipment
    schema:
      type: object
      properties:
        goods:
          type: array
          items: {type: object, properties: {code: {type: string}, kg: {type: number}}}
tools:
  declare:
    args:
      codes:
        {type: array, minItems: 1, maxItems: 20, uniqueItems: true,
         items: {type: string, pattern: '^[0-9]{8}$'}}
    rules:
      - id: known
        when: '!args.codes.all(c, facts.shipment.goods.exists(g, g.code == c))'
        effect: deny
      - id: heavy
        when: 'facts.shipment.goods.filter(g, g.kg > 500.0).size() > 2'
        effect: require_approval
        approval: {approvers: [lead], expires: 1h}
"""
WORDS = """
input:
  - {id: long, check: {size: {max_chars: 100}}, effect: deny}
  - id: priced
    check: {terms: {any: [appraisal]}}
    when: '!("curator" in principal.roles)'
    effect: deny
tools:
  lend: {args: {to: {type: object, properties: {name: {type: string}, land: {enum: [DE, FR]}}}}}
rules:
  - {id: sold, tools: ["*"], check: {terms: {any: [auction], match: anywhere}}, effect: deny}
"""
FORM = """
tools:
  pay:
    args:
      dest:
        type: object
        properties: {kind: {enum: [iban, card]}, number: {type: string, minLength: 4}}
        if: {properties: {kind: {const: iban}}, required: [kind]}
        then: {properties: {number: {type: string, pattern: '^[A-Z]{2}[0-9]{2}'}}}
        else: {properties: {number: {type: string, pattern: '^[0-9]+$'}}}
"""
MAIL = """
tools:
  send: {args: {to: {type: array, items: {type: string, format: email, maxLength: 254}}}}
  meet:
    args: {start: {type: string, format: date-time}}
    rules: [{id: past, when: timestamp(args.start) < now, effect: deny}]
"""
OWNERS = """
attrs: {most: {type: number, minimum: 0}}
tools:
  pay:
    args: {n: {type: number, minimum: 1, maximum: 900}}
    rules: [{id: above, when: args.n > principal.attrs.most, effect: deny}]
"""
CALLS = [
    (GOODS, 'the rule "heavy" is gone'),
    (GOODS, "the bound 2 is 3"),
    (GOODS, "`all` is `exists`"),
    (GOODS, "codes: maxItems 20 is 21"),
    (WORDS, "case matters"),
    (WORDS, "only whole words are found"),
    (WORDS, "the condition beside the check is gone"),
    (WORDS, "what cannot be read passes the check"),
    (FORM, "dest: minLength 4 is 3"),
    (FORM, "dest: any key is taken"),
    (MAIL, "to: maxLength 254 is 255"),
    (MAIL, "start: number is taken as well"),
    (OWNERS, "principal.attrs.most: string is taken as well"),
]


@pytest.mark.parametrize(("text", "what"), CALLS, ids=[what for _, what in CALLS])
def test_a_call_is_found_that_takes_several_things_at_once(tmp_path, text, what):
    compiled, _ = written(tmp_path, text)
    examiner = Examiner(compiled, ())
    verdicts = [examiner.examine(i) for i, one in enumerate(examiner.mutants) if one.what == what]
    assert "survived" in {one.fate for one in verdicts}
    assert all(one.fate in {"survived", "equivalent"} for one in verdicts)


BLIND = """
applies_to: {agents: ["ward-*"], roles: [nurse], tenants: [north]}
context: {part: {enum: [labs, notes]}}
attrs: {grade: {type: integer}}
tools:
  read:
    args: {patient: {type: string, pattern: '^P[0-9]{7}$'}, days: {type: integer, maximum: 30}}
    rules:
      - {id: notes, when: 'context.part == "notes" && principal.attrs.grade < 3', effect: deny}
      - {id: long, when: 'args.days > 14', effect: deny}
limits:
  - {id: reads, tools: [read], max: 20, per: day, by: [principal], timezone: UTC}
"""


@pytest.mark.parametrize("asked", [{"agent": "ward-1"}, {}], ids=["an agent", "nobody"])
def test_a_test_by_nobody_does_not_hide_the_calls(tmp_path, asked):
    """Whom a policy is for is written in it: one honest denial is no reason to look elsewhere."""
    call = {"tool": "read", "args": {"patient": "P0000001", "days": 3}, "now": NOW, **asked}
    test = {
        "name": "nobody",
        "request": call,
        "expect": {"effect": "deny", "cannot_tell": ["desk"]},
    }
    compiled, cases = written(tmp_path, BLIND, [test])
    assert all(passes(Engine(compiled), prices_of(compiled), case) for case in cases)
    examiner = Examiner(compiled, cases)
    verdicts = [examiner.examine(number) for number in range(len(examiner.mutants))]
    assert [one.what for one in verdicts if one.fate == "undecided"] == []
    assert sum(one.fate == "survived" for one in verdicts) >= 20


@pytest.mark.parametrize("name", CASES)
def test_coverage_shows_a_call_for_every_outcome_of_the_same(tmp_path, name):
    compiled, _ = written(tmp_path, CASES[name][0])
    found = {
        (one.item.rule, one.item.what, outcome)
        for one in Coverage(compiled).items()
        for outcome in one.doubtful
    }
    assert not found


def changed(compiled, mutant):
    variants = Variants(compiled)
    if mutant.tree is None:
        return variants.make(mutant.index, mutant.policy, mutant.unit)
    return variants.with_condition(mutant.index, mutant.unit, mutant.tree)


def pasted(tmp_path, policy, compiled, witness):
    """Return a witness as a test of a file."""
    expected = {"effect": witness.policy}
    if witness.policy == "deny":
        # Who denies is said as well, for otherwise a test that denies for a slip would pass.
        told, untold = denying(Engine(compiled), witness.request)
        expected |= {"rules": told} if told else {"cannot_tell": untold}
    return read_one(tmp_path, policy, {"request": witness.request, "expect": expected})


def denying(engine, given):
    """Return the rules that deny because they match, and those that cannot tell."""
    values = {name: value for name, value in given.items() if name not in ("facts", "now")}
    request, now = Request(**values), datetime.fromisoformat(given.get("now", NOW))
    session = None if "session" in given and given["session"] is None else Session(started=now)
    facts = Facts(now=now, session=session, answers=given.get("facts", {}))
    found = with_counters(Sample(request, facts), engine)
    made = engine.decide(found.request, found.facts)
    reasons = [one for one in made.reasons if one.enforced and one.effect == "deny"]
    untold = {one.rule for one in reasons if one.code.endswith("cannot_tell")}
    return sorted({one.rule for one in reasons} - untold), sorted(untold)


def read_one(tmp_path, policy, test):
    path = tmp_path / "pasted.yaml"
    path.write_text(
        json.dumps({"policies": str(policy), "tests": [{"name": "pasted", **test}]}),
        encoding="utf-8",
    )
    try:
        loaded = read_suites([str(path)])
    except PolicyError:
        return None
    return loaded.suites[0].cases[0]


CORPUS = sorted(
    [*(ROOT / "tests/sound").glob("*.yaml"), *list((ROOT / "tests/flawed").glob("*.yaml"))[::6]]
)
EVERY = 6
"""One of so many mutants of the corpus is looked at."""


@pytest.mark.parametrize("part", range(4))
def test_a_printed_call_does_as_printed(tmp_path, part):
    """What is printed, pasted into a test, passes by the policy and fails by its mutant."""
    told = 0
    for policy in CORPUS[part::4]:
        compiled = load(policy, warm=False)
        examiner = Examiner(compiled, ())
        for number in range(part, len(examiner.mutants), EVERY):
            mutant, verdict = examiner.mutants[number], examiner.examine(number)
            witness = verdict.witness
            if witness is None or witness.beside or witness.policy not in EFFECTS:
                continue
            if mutant.unit == ("declared",):
                continue  # what a schema does not take, no test may give
            case = pasted(tmp_path, policy, compiled, witness)
            assert case is not None, (policy.name, verdict.what, witness)
            other = changed(compiled, mutant)
            assert passes(Engine(compiled), prices_of(compiled), case), (policy.name, verdict.what)
            assert not passes(Engine(other), prices_of(other), case), (policy.name, verdict.what)
            told += 1
    assert told >= 40


def test_that_there_is_no_session_is_part_of_the_call(tmp_path):
    """A rule that only speaks where nothing is known of the session; tests are given one."""
    text = """
tools:
  lookup: {args: {}}
  send: {args: {}, rules: [{id: known, when: session.calls.lookup < 0, effect: deny}]}
"""
    compiled, _ = written(tmp_path, text)
    examiner = Examiner(compiled, ())
    number = [one.what for one in examiner.mutants].index('the rule "known" is gone')
    witness = examiner.examine(number).witness
    assert witness is not None
    assert witness.beside == ()
    assert (witness.policy, witness.mutant) == ("deny", "allow")
    assert "session" in witness.request
    assert witness.request["session"] is None
    case = pasted(tmp_path, tmp_path / "desk.yaml", compiled, witness)
    other = changed(compiled, examiner.mutants[number])
    assert passes(Engine(compiled), prices_of(compiled), case)
    assert not passes(Engine(other), prices_of(other), case)


BOOKED = "tools: {{book: {{args: {{n: {schema}}}}}{others}}}\nlimits: [{limit}]\n"
LIMITED = {
    "amounts from a list, of which no sum comes between": (
        ("{enum: [15, 30, 45]}", "", "{id: l, tools: [book], of: args.n, max: 120, by: [session]}"),
        "max 120 is 121",
        "equivalent",
    ),
    "amounts from a list, of which one sum does": (
        ("{enum: [15, 30, 45]}", "", "{id: l, tools: [book], of: args.n, max: 119, by: [session]}"),
        "max 119 is 120",
        "survived",
    ),
    "an alert that comes one step later": (
        (
            "{type: integer, minimum: 10, maximum: 90, multipleOf: 10}",
            "",
            "{id: l, tools: [book], of: args.n, max: 100, by: [session], alert_at: 0.9}",
        ),
        "max 100 is 101",
        "survived",
    ),
    "another tool whose amounts are any": (
        (
            "{enum: [15, 30, 45]}",
            ", look: {args: {n: {type: integer, minimum: 1, maximum: 9}}}",
            '{id: l, tools: ["*"], of: args.n, max: 120, by: [session]}',
        ),
        "max 120 is 121",
        "survived",
    ),
    "one tool alone is permitted": (
        ("{enum: [1]}", ", look: deny", '{id: l, tools: ["*"], max: 2, by: [session]}'),
        "each tool counts apart",
        "equivalent",
    ),
    "two tools are": (
        ("{enum: [1]}", ", look: allow", '{id: l, tools: ["*"], max: 2, by: [session]}'),
        "each tool counts apart",
        "survived",
    ),
    "all names of a glob are": (
        ("{enum: [1]}", ', "look_*": allow', '{id: l, tools: ["look_*"], max: 2, by: [session]}'),
        "each tool counts apart",
        "survived",
    ),
}


@pytest.mark.parametrize("name", LIMITED)
def test_limits_that_stop_the_same_calls_are_proved(name):
    (schema, others, limit), what, fate = LIMITED[name]
    body = BOOKED.format(schema=schema, others=others, limit=limit)
    examiner = Examiner(load_texts({"p.yaml": f"policy: p\nlanguage: 1\n{body}"}), [])
    at = [mutant.what for mutant in examiner.mutants].index(what)
    assert examiner.examine(at).fate == fate
