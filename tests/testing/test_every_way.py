"""Every place that can be weakened has a mutant; what cannot be stands here, and why."""

import json

import pytest

from policy_engine.cel import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    Environment,
    ListType,
    MapType,
    Variable,
    compile_condition,
)
from policy_engine.cel.functions import FUNCTIONS
from policy_engine.cel.macros import MACRO_NAMES
from policy_engine.cel.nodes import Call, Has, Loop, OptionalMap, children
from policy_engine.cli.schema.policy import policy_schema
from policy_engine.compiler import Variants
from policy_engine.errors import PolicyError
from policy_engine.loader import load_texts
from policy_engine.testing.mutation.conditions import changed_conditions
from policy_engine.testing.mutation.enumerate import mutants_of

POLICY = """
policy: p
language: 1
mode: enforce
default: deny
applies_to: {agents: [a, "b-*"], roles: [r], tenants: [t]}
context: {env: {enum: [prod, test]}}
attrs: {region: {enum: [eu, us]}}
vars: {words: [boom]}
facts: {order: {from: app:order, schema: {type: object, properties: {total: {type: number}}}}}
input:
  - {id: i1, mode: enforce, check: {size: {max_chars: 9, max_bytes: 9, max_lines: 9}},
     when: 'agent == "a"', effect: deny, unread: deny}
  - {id: i2, check: {terms: {any: [x, y], match: anywhere, case_sensitive: false}}, effect: deny}
  - {id: i3, check: {pattern: {any: [x+]}}, effect: deny}
output:
  - {id: o1, check: {json: {schema: {type: object, properties: {n: {type: number}}}}}, effect: deny}
tools:
  "get_*": allow
  t:
    args: {n: {type: number, maximum: 5}, s: {type: string}, z: {type: string}}
    rules:
      - {id: t1, mode: enforce, when: args.n > 3, check: {terms: {any: [x]}}, effect: deny,
         unread: deny}
      - {id: t2, args: {n: {type: number, maximum: 4}}, effect: require_approval,
         approval: {approvers: [boss], quorum: 2, expires: 1h}}
      - {id: t3, check: {terms: {any: vars.words}}, in: [args.s, args.z], effect: deny}
    result:
      - {id: t4, check: {terms: {any: [x]}}, effect: deny}
    labels: [untrusted]
    timeout: 30s
  w: {args: {s: {type: string}}}
  v: {rules: [{id: v1, check: {terms: {any: [x]}}, effect: deny, unread: deny}]}
  u: {effect: require_approval, approval: {approvers: [boss], expires: 1h},
      args: {n: {type: number}}}
rules:
  - {id: r1, mode: enforce, tools: [t, "get_*_*"], except: ["get_x_*"], when: 'tool != "t"',
     check: {terms: {any: [x]}}, effect: deny, unread: deny}
  - {id: r2, tools: [t], args: {n: {type: number, maximum: 3}}, effect: require_approval,
     approval: {approvers: [boss], expires: 1h}}
  - {id: r3, tools: [t], in: [args.s, args.z], check: {terms: {any: [x]}}, effect: deny}
handoffs:
  h: {effect: require_approval, approval: {approvers: [boss], expires: 1h},
      rules: [{id: h1, mode: enforce, when: 'agent == "a"', effect: require_approval,
               approval: {approvers: [boss], expires: 1h}},
              {id: h2, when: 'agent != "a"', effect: deny}]}
models: {m: deny, gpt: allow}
prices: {gpt: {input: 1, output: 2}}
limits:
  - {id: l1, mode: enforce, tools: [t, u], of: args.n, max: 5, per: day, timezone: UTC,
     by: [principal], alert_at: 0.5}
  - {id: l2, of: tokens, max: 9, per: 1h, by: [principal]}
  - {id: l3, of: cost_usd, max: 9, by: [principal]}
"""

PLACES = {
    "Applies": {key: f"applies_to/{key}" for key in ("agents", "roles", "tenants")},
    "Approval": {
        key: f"tools/t/rules/1/approval/{key}" for key in ("approvers", "quorum", "expires")
    },
    "Check": {
        "size": "input/0/check/size",
        "terms": "input/1/check/terms",
        "pattern": "input/2/check/pattern",
        "json": "output/0/check/json",
    },
    "SizeOptions": {
        key: f"input/0/check/size/{key}" for key in ("max_chars", "max_bytes", "max_lines")
    },
    "TermsOptions": {
        key: f"input/1/check/terms/{key}" for key in ("any", "match", "case_sensitive")
    },
    "PatternOptions": {"any": "input/2/check/pattern/any"},
    "JsonOptions": {"schema": "output/0/check/json/schema"},
    "Fact": {"schema": "facts/order/schema"},
    "Limit": {
        key: f"limits/0/{key}"
        for key in ("tools", "of", "max", "per", "by", "timezone", "alert_at", "mode")
    },
    "ModelBlock": {"effect": "models/m/effect"},
    "NamedBlock": {
        "effect": "handoffs/h/effect",
        "approval": "handoffs/h/approval",
        "rules": "handoffs/h/rules",
    },
    "Price": {key: f"prices/gpt/{key}" for key in ("input", "output")},
    "Rule": {
        "when": "handoffs/h/rules/1/when",
        "effect": "handoffs/h/rules/1/effect",
        "mode": "handoffs/h/rules/0/mode",
        "approval": "handoffs/h/rules/0/approval",
    },
    "TextRule": {key: f"input/0/{key}" for key in ("check", "when", "mode", "unread")}
    | {"effect": "input/1/effect"},
    "ToolBlock": {
        "effect": "tools/u/effect",
        "approval": "tools/u/approval",
        **{key: f"tools/t/{key}" for key in ("args", "rules", "result", "labels", "timeout")},
    },
    "ToolRule": {
        **{key: f"tools/t/rules/0/{key}" for key in ("when", "check", "effect", "mode")},
        **{key: f"tools/t/rules/1/{key}" for key in ("args", "approval")},
        "in": "tools/t/rules/2/in",
        "unread": "tools/v/rules/0/unread",
    },
    "TopRule": {
        **{
            key: f"rules/0/{key}"
            for key in ("when", "check", "effect", "mode", "unread", "tools", "except")
        },
        **{key: f"rules/1/{key}" for key in ("args", "approval")},
        "in": "rules/2/in",
    },
    "": {
        key: key
        for key in (
            *("mode", "default", "applies_to", "context", "attrs", "facts", "input", "output"),
            *("tools", "rules", "handoffs", "models", "prices", "limits"),
        )
    },
}
"""Where each key of the language stands in the policy above."""

_SAID = "it is only said or read, and lets nothing through"
_NAME = "it is a name"
UNWEAKENED = {
    "policy": _NAME,
    "language": "there is one version",
    "id": _NAME,
    "owner": _SAID,
    "description": _SAID,
    "message": _SAID,
    "severity": _SAID,
    "entity": "it names what is found, and not what is looked for",
    "replacement": "whatever stands for what is redacted, it is gone",
    "vars": "a constant is weakened where it is used",
    "stage": "of another stage, it would be another rule or limit; that it is gone is a mutant",
    "Fact.from": "tests give the answer themselves, wherever it would come from",
    "Fact.with": "tests give the answer themselves, whatever it is asked with",
    "Fact.timeout": "tests give the answer at once; one that is late is denied as one not given",
    "Rule.check": "a handoff carries no text, and a check there does not load",
    "Rule.unread": "likewise",
    "TextRule.approval": "nobody is asked about a text, and it does not load",
}
"""Keys that no mutant changes."""


def touched(before, after, path=()):
    """Yield where two policies differ, as deep down as can be said."""
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in {*before, *after}:
            yield from touched(before.get(key), after.get(key), (*path, key))
    elif isinstance(before, list | tuple) and len(before) == len(after or ()):
        for i, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from touched(one, other, (*path, i))
    else:
        yield path


def is_made(variants, mutant):
    """Whether a mutant is a policy that decides, not one that would not load."""
    try:
        if mutant.tree is not None:
            variants.with_condition(mutant.index, mutant.unit, mutant.tree)
        else:
            variants.make(mutant.index, mutant.policy, mutant.unit)
    except PolicyError:
        return False
    return True


def places_of(text):
    """Return every place at which a mutant of a policy that loads differs from it."""
    compiled = load_texts({"p.yaml": text}, warm=False)
    variants = Variants(compiled)
    before = compiled.policies.policies[0].policy.model_dump(by_alias=True)
    found = set()
    for mutant in mutants_of(compiled):
        if not is_made(variants, mutant):
            continue
        paths = list(touched(before, mutant.policy.model_dump(by_alias=True)))
        if mutant.tree is not None:
            paths = [(*mutant.unit, "when")]
        for path in paths:
            found.update("/".join(map(str, path[:n])) for n in range(1, len(path) + 1))
    return found


def keys_of_the_language():
    schema = policy_schema()
    held = {"": schema, **schema["$defs"]}
    return [
        (name, key)
        for name, one in held.items()
        if name not in ("schema", "constant")
        for key in one.get("properties", {})
    ]


WEAKENED = places_of(POLICY)


@pytest.mark.parametrize(("name", "key"), keys_of_the_language())
def test_every_key_of_the_language_is_weakened_or_cannot_be(name, key):
    place = PLACES.get(name, {}).get(key)
    why = UNWEAKENED.get(f"{name}.{key}", UNWEAKENED.get(key))
    assert (place is None) is not (why is None), "either a place or a reason"
    if place is not None:
        assert place in WEAKENED


def test_no_mutant_changes_what_is_said_not_to_be_weakened():
    for key in ("policy", "language", "id", "owner", "message", "severity", "entity", "vars"):
        assert not [place for place in WEAKENED if place.rsplit("/", 1)[-1] == key]


WORDS = {
    "type": {"type": "string"},
    "enum": {"enum": ["a"]},
    "const": {"const": 1},
    "multipleOf": {"type": "number", "multipleOf": 2},
    "minimum": {"type": "number", "minimum": 2},
    "maximum": {"type": "number", "maximum": 2},
    "exclusiveMinimum": {"type": "number", "exclusiveMinimum": 2},
    "exclusiveMaximum": {"type": "number", "exclusiveMaximum": 2},
    "minLength": {"type": "string", "minLength": 2},
    "maxLength": {"type": "string", "maxLength": 2},
    "pattern": {"type": "string", "pattern": "^a$"},
    "format": {"type": "string", "format": "date"},
    "items": {"type": "array", "items": {"type": "string"}},
    "prefixItems": {"type": "array", "prefixItems": [{"type": "string"}], "items": False},
    "contains": {"type": "array", "contains": {"const": 1}},
    "minContains": {"type": "array", "contains": {"const": 1}, "minContains": 2},
    "maxContains": {"type": "array", "contains": {"const": 1}, "maxContains": 2},
    "minItems": {"type": "array", "minItems": 2},
    "maxItems": {"type": "array", "maxItems": 2},
    "uniqueItems": {"type": "array", "uniqueItems": True},
    "properties": {"type": "object", "properties": {"k": {"const": 1}}},
    "patternProperties": {"type": "object", "patternProperties": {"^k$": {"const": 1}}},
    "additionalProperties": {"type": "object", "additionalProperties": {"type": "string"}},
    "propertyNames": {
        "type": "object",
        "propertyNames": {"type": "string", "pattern": "^k$"},
        "additionalProperties": True,
    },
    "required": {"type": "object", "properties": {"k": {"const": 1}}, "required": ["k"]},
    "minProperties": {"type": "object", "minProperties": 2, "additionalProperties": True},
    "maxProperties": {"type": "object", "maxProperties": 2, "additionalProperties": True},
    "dependentRequired": {
        "type": "object",
        "properties": {"k": {"const": 1}, "j": {"const": 1}},
        "required": [],
        "dependentRequired": {"k": ["j"], "j": ["k"]},
    },
    "anyOf": {"anyOf": [{"const": 1}, {"const": 3}]},
    "oneOf": {"oneOf": [{"const": 1}, {"const": 3}]},
    "allOf": {"allOf": [{"enum": [1, 2]}, {"enum": [2, 3]}]},
    "not": {"type": "number", "not": {"const": 1}},
    "if": {"type": "number", "if": {"type": "number", "minimum": 5}, "then": {"const": 7}},
    "then": {"type": "number", "if": {"type": "number", "minimum": 5}, "then": {"const": 7}},
    "else": {"type": "number", "if": {"type": "number", "minimum": 5}, "else": {"const": 1}},
    "$ref": {"$ref": "#/$defs/one", "$defs": {"one": {"const": 1}}},
    "$defs": {"$ref": "#/$defs/one", "$defs": {"one": {"const": 1}}},
    "optional": {"const": 1},
    "maxBytes": {"type": "string", "maxBytes": 2},
    "check": {"type": "string", "check": {"terms": {"any": ["x"]}}},
}
"""A schema with each keyword."""
SAID_OF_SCHEMAS = {"title", "description", "default", "examples", "deprecated", "message"}
"""Keywords that only say something: values fit with and without them."""


@pytest.mark.parametrize("word", policy_schema()["$defs"]["schema"]["properties"])
def test_every_keyword_of_a_schema_is_weakened(word):
    if word in SAID_OF_SCHEMAS:
        assert word not in WORDS
        return
    text = json.dumps({"policy": "p", "language": 1, "tools": {"t": {"args": {"x": WORDS[word]}}}})
    assert any(f"/x/{word}" in f"/{place}" for place in places_of(text)), word


SECONDS = ("expires", "timeout", "per")


def written(policy):
    """Return a policy as a text that could have been read."""

    def plain(value, key=None):
        if isinstance(value, dict):
            return {name: plain(below, name) for name, below in value.items() if below is not None}
        if isinstance(value, list | tuple):
            return [plain(below) for below in value]
        is_time = key in SECONDS and isinstance(value, float)
        return f"{round(value * 1000)}ms" if is_time else value

    return json.dumps(plain(policy.model_dump(by_alias=True, exclude_unset=True)))


def loads(text):
    try:
        load_texts({"p.yaml": text}, warm=False)
    except PolicyError:
        return False
    return True


def with_argument(schema):
    return json.dumps({"policy": "p", "language": 1, "tools": {"t": {"args": {"x": schema}}}})


def around(schema):
    """Yield a schema where an argument has it, and where a part of one does."""
    held = {"type": "object", "properties": {"k": schema}, "additionalProperties": True}
    asks = {"type": "object", "properties": {"k": {"type": "string"}}, "additionalProperties": True}
    yield schema
    yield {"type": "object", "properties": {"k": schema}}
    yield {"type": "array", "items": schema}
    yield {"allOf": [{"type": "object", "additionalProperties": True}, held]}
    yield {"type": "object", "additionalProperties": True, "not": held}
    yield {"type": "object", "additionalProperties": True, "if": asks, "then": held, "else": held}


@pytest.mark.parametrize("word", ["", *WORDS])
def test_what_a_mutant_is_could_be_written_or_is_refused(word):
    """A mutant that no text could say would count as one that tests do not notice."""
    texts = [POLICY]
    if word:
        ours = {"maxBytes", "check", "optional", "$ref", "$defs"}  # stand in few places only
        texts = [with_argument(one) for one in around(WORDS[word])][: 3 if word in ours else None]
        texts = texts[:1] if word.startswith("$") else texts
    for text in texts:
        compiled = load_texts({"p.yaml": text}, warm=False)
        variants = Variants(compiled)
        assert loads(written(compiled.policies.policies[0].policy))
        for mutant in mutants_of(compiled):
            if mutant.tree is None:
                assert is_made(variants, mutant) == loads(written(mutant.policy)), mutant.what


def test_no_two_mutants_are_the_same():
    seen = {}
    for mutant in mutants_of(load_texts({"p.yaml": POLICY}, warm=False)):
        key = written(mutant.policy), repr(mutant.tree), mutant.unit if mutant.tree else ()
        assert key not in seen, (mutant.what, seen[key])
        seen[key] = mutant.what


def test_no_mutant_is_the_policy_itself():
    compiled = load_texts({"p.yaml": POLICY}, warm=False)
    policy = compiled.policies.policies[0].policy
    assert all(m.tree is not None or m.policy != policy for m in mutants_of(compiled))


NAMED = {
    "an approval": (
        *("quorum 2 is 1", "an approval holds twice as long", "the requester may approve"),
    ),
    "a limit": (
        *("max 5 is 6", "the window is 12 hours", 'the day begins as in "Etc/GMT+12"'),
        *("each session counts apart", "each agent counts apart", "each tool counts apart"),
        *('"t" does not count', '"args.n" is "calls"', "nobody is alerted"),
        *('the limit "l1" is gone', 'the limit "l1" only observes'),
        *('"tokens" is "calls"', "the window is half as long", "it begins anew every day"),
    ),
    "an entry": (
        *('"require_approval" is "allow"', '"deny" is "allow"', "any arguments are taken"),
        *("n: maximum 5 is 6", "n: the argument may be absent", "the timeout is twice as long"),
        *('the session does not carry "untrusted"', "the entry is gone"),
        'the glob "get_*" is "get*"',
    ),
    "a rule": (
        *('"deny" is "require_approval"', '"deny" is "redact"', 'the rule "r1" is gone'),
        *('the rule "r1" only observes', "the condition beside the check is gone"),
        *("the check beside the condition is gone", "what cannot be read passes the check"),
        *('"t" is not in `tools`', '"get_*_*" is "get_*_" in `tools`', "the bound 3 is 4"),
        *('"get_x_*" is "get_x*" in `except`', '"args.s" is not in `in`'),
    ),
    "a policy": (
        *("the policy only observes", "what no entry names is allowed"),
        *("the policy is for any agents", 'the policy is not for "a"'),
        *("the policy is for any roles", "the policy is for any tenants"),
    ),
    "a price": ('the price of the input of "gpt" is 0.5, not 1',),
}
"""Weakenings that there must be, as they are printed."""


@pytest.mark.parametrize("part", NAMED)
def test_the_weakenings_that_everybody_expects_are_made(part):
    compiled = load_texts({"p.yaml": POLICY}, warm=False)
    variants = Variants(compiled)
    made = {one.what for one in mutants_of(compiled) if is_made(variants, one)}
    assert set(NAMED[part]) <= made


MET = """
policy: p
language: 1
applies_to: {agents: [desk, billing], tenants: [acme, beta], roles: [support, finance]}
context: {env: {enum: [prod, test]}}
attrs: {region: {enum: [eu, us]}, name: {type: string}}
facts: {order: {from: app:order, schema: {type: object, properties: {is: {enum: [open, shut]}}}}}
tools:
  a: {args: {c: {enum: [USD, EUR]}, l: {type: array, items: {enum: [x, y]}}}, labels: [l1]}
  b: {args: {c: {enum: [USD, GBP]}, l: {type: array, items: {enum: [x, y]}}}, labels: [l2]}
  d: deny
handoffs: {to-a: allow, to-b: allow}
rules:
  - {id: r, WHERE, when: 'WHEN', effect: deny}
"""
ANY_OF = 'tools: ["*"]'
LET_THROUGH = {
    'tool != "a"': (ANY_OF, '"b" is let through like "a"'),
    '!(tool in ["a"])': ("tools: [a, b]", '"b" is in the list'),
    'tool != "b" ': ('tools: ["*"], except: [d]', '"a" is let through like "b"'),
    'agent != "desk"': (ANY_OF, '"billing" is let through like "desk"'),
    'principal.tenant != "acme"': (ANY_OF, '"beta" is let through like "acme"'),
    'principal.roles.exists(r, r != "support")': (
        ANY_OF,
        '"finance" is let through like "support"',
    ),
    'principal.attrs.region != "eu"': (ANY_OF, '"us" is let through like "eu"'),
    'principal.attrs.name != "ada"': (ANY_OF, '"mallory" is let through like "ada"'),
    'context.env != "prod"': (ANY_OF, '"test" is let through like "prod"'),
    'facts.order.is != "open"': (ANY_OF, '"shut" is let through like "open"'),
    'args.c != "EUR"': ("tools: [a, b]", '"USD" is let through like "EUR"'),
    'args.l.exists(e, e != "x")': ("tools: [a, b]", '"y" is let through like "x"'),
    'args.l[0] != "x"': ("tools: [a, b]", '"y" is let through like "x"'),
    'session.labels.exists(l, l != "l1")': (ANY_OF, '"l2" is let through like "l1"'),
    'session.calls.exists(k, k != "a")': (ANY_OF, '"b" is let through like "a"'),
    'target != "to-a"': ("stage: handoff", '"to-b" is let through like "to-a"'),
}
"""A condition, where it is asked, and the mutant of it: what it lets through, it can meet."""


@pytest.mark.parametrize("when", LET_THROUGH)
def test_a_weakened_condition_lets_something_through_that_can_be(when):
    where, what = LET_THROUGH[when]
    text = MET.replace("WHERE", where).replace("WHEN", when)
    found = [mutant.what for mutant in mutants_of(load_texts({"p.yaml": text}, warm=False))]
    assert what in found
    # A made-up name would be refused for itself, or not be one that the policy lists.
    through = [one for one in found if "is let through" in one or one.endswith("is in the list")]
    assert through == [what]


ENVIRONMENT = Environment(
    {
        "i": Variable(INT, ("request", "i")),
        "n": Variable(DOUBLE, ("request", "n")),
        "s": Variable(STRING, ("request", "s")),
        "b": Variable(BOOL, ("request", "b")),
        "y": Variable(BYTES, ("request", "y")),
        "d": Variable(DYN, ("request", "d")),
        "t": Variable(TIMESTAMP, ("facts", "now")),
        "w": Variable(DURATION, ("request", "w")),
        "l": Variable(ListType(STRING), ("request", "l")),
        "m": Variable(MapType(STRING, INT), ("request", "m")),
    }
)
CALLS = {
    "<": "n < 5",
    "<=": "n <= 5",
    ">": "n > 5",
    ">=": "n >= 5",
    "==": "!(s == 'a')",
    "!=": "s != 'a'",
    "in": "s in ['a', 'b']",
    "+": "n + 1.0 > 5",
    "-": "n - 1.0 > 5",
    "*": "n * 2.0 > 5",
    "/": "n / 2.0 > 5",
    "%": "i % 2 > 0",
    "neg": "-n > 5",
    "dyn": "dyn(s) != 'a'",
    "int": "int(s) > 5",
    "uint": "uint(s) > 5u",
    "double": "double(s) > 5",
    "string": "string(n) != '5'",
    "timestamp": "t > timestamp(s)",
    "duration": "w > duration('1h')",
    "base64.encode": "base64.encode(y) != 'a'",
    "size": "size(s) > 5",
    "startsWith": "s.startsWith('a')",
    "endsWith": "s.endsWith('a')",
    "contains": "s.contains('a')",
    "matches": "s.matches('a')",
    "charAt": "s.charAt(0) != 'a'",
    "indexOf": "s.indexOf('a') >= 0",
    "lastIndexOf": "s.lastIndexOf('a') >= 0",
    "join": "l.join(',') != 'a'",
    "lowerAscii": "s.lowerAscii() == 'a'",
    "upperAscii": "s.upperAscii() == 'A'",
    "replace": "s.replace(' ', '') == 'a'",
    "split": "s.split(',').exists(x, x == 'a')",
    "substring": "s.substring(1) != 'a'",
    "trim": "s.trim() == 'a'",
    "reverse": "s.reverse().startsWith('a')",
    "format": "'%s'.format([s]) != 'a'",
    "strings.quote": "strings.quote(s) != 'a'",
    **{f"math.{name}": f"math.{name}(n, 2.0) > 5" for name in ("greatest", "least")},
    **{
        f"math.{name}": f"math.{name}(n) > 5"
        for name in ("ceil", "floor", "round", "trunc", "abs", "sign", "sqrt")
    },
    **{f"math.{name}": f"math.{name}(i, 2) > 5" for name in ("bitOr", "bitAnd", "bitXor")},
    "math.bitNot": "math.bitNot(i) > 5",
    **{f"math.bitShift{name}": f"math.bitShift{name}(i, 2) > 5" for name in ("Left", "Right")},
    **{
        f"get{name}": f"t.get{name}() > 5"
        for name in (
            *("FullYear", "Month", "Date", "DayOfMonth", "DayOfWeek", "DayOfYear"),
            *("Hours", "Minutes", "Seconds", "Milliseconds"),
        )
    },
    "optional.of": "optional.of(n).value() > 5",
    "optional.none": "optional.none().orValue(s) != 'a'",
    "optional.ofNonZeroValue": "optional.ofNonZeroValue(b).orValue(true)",
    "value": "optional.of(n).value() > 5",
    "or": "optional.of(b).or(optional.of(true)).orValue(true)",
    "orValue": "optional.of(b).orValue(true)",
    "ip": "ip(s).family() != 4",
    "cidr": "!cidr('10.0.0.0/8').containsIP(s)",
    "family": "ip(s).family() != 4",
    "containsIP": "!cidr('10.0.0.0/8').containsIP(s)",
    "containsCIDR": "cidr('10.0.0.0/8').containsCIDR(s)",
    "prefixLength": "cidr(s).prefixLength() < 24",
    "has": "has(d.x) && d.x == 'a'",
    "map": "l.map(x, x + 'b').exists(x, x == 'a')",
    "filter": "l.filter(x, x == 'a').size() > 1",
    "optMap": "optional.of(n).optMap(x, x > 5).orValue(true)",
    "optFlatMap": "optional.of(n).optFlatMap(x, optional.of(x > 5)).orValue(true)",
    "all": "!l.all(x, x == 'a')",
    "exists": "l.exists(x, x == 'a')",
    "exists_one": "l.exists_one(x, x == 'a')",
    "existsOne": "l.existsOne(x, x == 'a')",
    "transformList": "l.transformList(j, x, x + 'b').exists(x, x == 'a')",
    "transformMap": "l.transformMap(j, x, x + 'b').exists(k, k > 1)",
    "transformMapEntry": "l.transformMapEntry(j, x, {x: j}).exists(k, k != 'a')",
}
"""A condition with each function and macro, in which a mutant changes what it is part of."""
_EITHER = "it holds of a value or not: with it goes its clause, its rule or its negation"
_SAME = "it is compared with one value, and less than one is none: with it goes its clause"
ATOMS = {
    "bool": ("bool(s)", _EITHER),
    "hasValue": ("optional.of(n).hasValue()", _EITHER),
    "isIP": ("isIP(s)", _EITHER),
    "isCIDR": ("isCIDR(s)", _EITHER),
    "ip.isCanonical": ("ip.isCanonical(s)", _EITHER),
    "isUnspecified": ("ip(s).isUnspecified()", _EITHER),
    "isLoopback": ("ip(s).isLoopback()", _EITHER),
    "isGlobalUnicast": ("ip(s).isGlobalUnicast()", _EITHER),
    "isLinkLocalMulticast": ("ip(s).isLinkLocalMulticast()", _EITHER),
    "isLinkLocalUnicast": ("ip(s).isLinkLocalUnicast()", _EITHER),
    "math.isNaN": ("math.isNaN(n)", _EITHER),
    "math.isInf": ("math.isInf(n)", _EITHER),
    "math.isFinite": ("math.isFinite(n)", _EITHER),
    "type": ("type(d) == string", _SAME),
    "bytes": ("bytes(s) == y", _SAME),
    "base64.decode": ("base64.decode(s) == y", _SAME),
    "masked": ("cidr(s).masked() == cidr('10.0.0.0/8')", _SAME),
}
"""Functions that no mutant changes: a condition, and why."""
MADE_OF = {"has": Has, "optMap": OptionalMap, "optFlatMap": OptionalMap}


def uses(node, name):
    """Whether a part of a condition uses a function or a macro."""
    kind = MADE_OF.get(name, Loop if name in MACRO_NAMES else Call)
    if isinstance(node, kind) and (
        kind in (Has, OptionalMap)
        or getattr(node, "function", getattr(node, "kind", None))
        == {"existsOne": "exists_one"}.get(name, name)
    ):
        return True
    return any(uses(below, name) for below in children(node))


def innermost(before, after):
    """Return the smallest part that is true or false and holds all that is changed."""
    mine, its = children(before), children(after)
    if type(before) is type(after) and len(mine) == len(its):
        changed = [(a, b) for a, b in zip(mine, its, strict=True) if a != b]
        if len(changed) == 1:
            below = innermost(*changed[0])
            return before if below is None and before.type == BOOL else below
    return before if mine and getattr(before, "type", None) == BOOL else None


def changes(text, name):
    """Return what mutants change in a condition, of those that change what a function is in."""
    tree = compile_condition(text, ENVIRONMENT).tree
    assert uses(tree, name), "the condition does not use it"
    found = changed_conditions(tree, text, lambda _: [])
    return [one.what for one in found if uses(innermost(tree, one.tree), name)]


@pytest.mark.parametrize("name", sorted({*FUNCTIONS, *MACRO_NAMES}))
def test_every_function_is_part_of_what_is_weakened_or_cannot_be(name):
    assert (name in CALLS) is not (name in ATOMS), "either a condition or a reason"
    if name in CALLS:
        assert changes(CALLS[name], name)
    else:
        assert changes(ATOMS[name][0], name) == []


@pytest.mark.parametrize("name", sorted(ATOMS))
def test_what_cannot_be_weakened_can_be_gone_with_its_clause(name):
    text = f"b || {ATOMS[name][0]}"
    assert [what for what in changes(text, name) if what.endswith("is gone")]
