"""Every reason points at the place in the file that made it speak."""

import pytest
from cases import decide
from support import engine_of

POLICY = """\
# A comment, so that lines are not what they seem.
policy: desk
language: 1
default: deny
applies_to: {agents: ["a*"]}
context:
  env: {enum: [prod, staging]}
input:
  - id: too-long
    check: {size: {max_chars: 5}}
    effect: deny
output:
  - {id: é-free, check: {terms: {any: [plan]}}, effect: redact}
tools:
  pay:
    args:
      amount: {type: number, maximum: 500, exclusiveMinimum: 0}
      currency: {enum: [USD, EUR], message: Euro or dollar.}
      who: {type: object, properties: {name: {type: string, maxLength: 3}}}
      notes: {type: array, optional: true, items: {type: string, check: {terms: {any: [plan]}}}}
    rules:
      - id: prod-only
        when: context.env != "prod"
        effect: deny
    result:
      - {id: page, check: {terms: {any: [plan]}}, effect: deny}
  "delete_*": deny
  "srv/x": {effect: require_approval, approval: {approvers: [x], expires: 1m}}
rules:
  - {id: small, tools: ["pay"], args: {amount: {type: number, maximum: 100}}, effect: deny}
  - id: never
    tools: ["delete_*"]
    effect: deny
handoffs: {billing: allow}
models: {m1: allow, "m?": deny}
limits:
  - {id: few, tools: [pay], max: 3, by: [session]}
""".replace("é-free", "e-free")

FINE = {"amount": 50, "currency": "USD", "who": {"name": "bob"}}


def pay(**args):
    return {
        "tool": "pay",
        "agent": "a",
        "session": "s",
        "context": {"env": "prod"},
        "args": {**FINE, **args},
    }


PLACES = {
    "a bound at its keyword": (pay(amount=501), "args/amount", "maximum: 500"),
    "another bound of it": (pay(amount=0), "args/amount", "exclusiveMinimum: 0"),
    "a wrong type at `type`": (pay(amount="1"), "args/amount", "type: number, maximum: 500"),
    "a list of values at `enum`": (pay(currency="GBP"), "args/currency", "enum: [USD"),
    "a nested keyword": (pay(who={"name": "alice"}), "args/who", "maxLength: 3"),
    "an item's check": (pay(notes=["the plan"]), "args/notes", "check: {terms"),
    "an argument too many at `args`": (pay(x=1), "tools/pay/args", "args:\n"),
    "the entry that grants": (pay(), "desk/tools/pay", "pay:\n"),
    "a rule's constraint": (pay(amount=101), "desk/small", "maximum: 100"),
    "a rule at its item": (
        {**pay(), "context": {"env": "staging"}},
        "desk/prod-only",
        "id: prod-only\n        when",
    ),
    "a rule of a result": (
        {**pay(), "stage": "tool_result", "result": "plan"},
        "desk/page",
        "{id: page",
    ),
    "an entry that denies": ({"tool": "delete_x", "agent": "a"}, "tools/delete_*", '"delete_*": d'),
    "a rule without a condition": ({"tool": "delete_x", "agent": "a"}, "desk/never", "id: never"),
    "an entry that asks": ({"tool": "srv/x", "agent": "a"}, "tools/srv~1x", '"srv/x": {effect'),
    "the default": ({"tool": "zzz", "agent": "a"}, "desk/default", "default: deny"),
    "a limit": ({**pay(), "session": None}, "desk/few", "{id: few"),
    "a text rule": (
        {"stage": "input", "text": "longer", "agent": "a"},
        "desk/too-long",
        "id: too-long",
    ),
    "a redaction": ({"stage": "output", "text": "plan", "agent": "a"}, "e-free", "{id: e-free"),
    "a handoff": ({"stage": "handoff", "target": "billing", "agent": "a"}, "billing", "billing: a"),
    "a model": ({"stage": "model_request", "model": "m2", "agent": "a"}, "m?", '"m?": deny'),
    "a policy that may apply": ({"tool": "pay", "args": FINE}, "desk", "applies_to:"),
}


@pytest.mark.parametrize(("request_", "rule", "text"), PLACES.values(), ids=PLACES)
def test_a_reason_points_at(request_, rule, text):
    decision = decide(engine_of(POLICY), request_)
    (reason,) = (r for r in decision.reasons if r.rule.endswith(rule))
    place = reason.location
    assert place.path == "0.yaml"
    rest = "\n".join(POLICY.split("\n")[place.line - 1 :])[place.column - 1 :]
    assert rest[: len(text)] == text


def test_a_default_that_is_not_written_points_at_the_section():
    engine = engine_of("policy: p\nlanguage: 1\n\ntools:\n  t: allow\n")
    (reason,) = decide(engine, {"tool": "x"}).reasons
    assert (reason.location.line, reason.location.column) == (4, 1)


def test_what_no_file_says_has_no_place():
    engine = engine_of("policy: p\nlanguage: 1\napplies_to: {agents: [a]}\ntools: {t: allow}\n")
    (reason,) = decide(engine, {"tool": "t", "agent": "b"}).reasons
    assert reason.location is None
