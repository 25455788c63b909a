"""The promises, as properties."""

import copy
import dataclasses
import math

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from support import NOW, engine_of, facts_for, said

from policy_engine.decision import (
    EFFECTS,
    RANK,
    STAGES,
    Decision,
    Facts,
    Halt,
    Request,
    Session,
    fingerprint,
    strictest,
)
from policy_engine.errors import CheckError

TOOLS = ["read", "read_all", "pay", "pay_later", "mail"]
GLOBS = ["*", "read*", "pay*", "?ail", "*l*"]
AMOUNT = {"type": "number", "minimum": 0, "maximum": 500}
ARGS = {"amount": AMOUNT, "note": {"type": "string", "maxLength": 40, "optional": True}}
ROLES = ["support", "finance"]

SETTINGS = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

effects = st.sampled_from(["allow", "deny", "require_approval"])
approval = {"approvers": ["boss"], "expires": "15m"}


def with_approval(block):
    if block.get("effect") == "require_approval":
        block["approval"] = approval
    return block


@st.composite
def rules(draw, number, *, tools=True):
    rule = {
        "id": f"rule-{number}",
        "effect": draw(st.sampled_from(["deny", "require_approval"])),
        "mode": draw(st.sampled_from(["enforce", "enforce", "enforce", "observe"])),
    }
    kind = draw(st.sampled_from(["when", "args", "always", "label", "check"]))
    if tools:
        globs = draw(st.lists(st.sampled_from(GLOBS), min_size=1, max_size=2, unique=True))
        rule["tools"] = ["seed", *globs]
    if kind == "when":
        bound = draw(st.integers(0, 600))
        rule["when"] = f"has(args.amount) && args.amount > {bound}"
    elif kind == "args":
        rule["args"] = {
            "amount": {"type": "number", "maximum": draw(st.integers(0, 600)), "optional": True}
        }
    elif kind == "label":
        rule["when"] = '"untrusted" in session.labels'
    elif kind == "check":
        rule["check"] = {"terms": {"any": ["secret plan"]}}
        if draw(st.booleans()):
            rule["effect"] = "redact"
    return with_approval(rule)


@st.composite
def policies(draw):
    names = draw(st.lists(st.sampled_from(TOOLS + GLOBS), min_size=1, max_size=4, unique=True))
    tools = {}
    for name in names:
        block = {"effect": draw(effects)}
        if draw(st.booleans()):
            block["args"] = ARGS
        tools[name] = with_approval(block)
    tools["seed"] = {"labels": ["untrusted"], "args": ARGS}
    policy = {
        "tools": tools,
        "default": draw(st.sampled_from(["deny", "deny", "allow"])),
        "mode": draw(st.sampled_from(["enforce", "enforce", "observe"])),
        "rules": [draw(rules(number)) for number in range(draw(st.integers(0, 3)))],
    }
    if draw(st.booleans()):
        policy["applies_to"] = {"roles": [draw(st.sampled_from(ROLES))]}
    if draw(st.booleans()):
        policy["limits"] = [
            {"id": "some", "tools": ["*"], "max": draw(st.integers(1, 5)), "by": ["session"]}
        ]
    return policy


requests = st.builds(
    Request,
    agent=st.sampled_from(["a1", None]),
    tool=st.sampled_from([*TOOLS, "unheard_of"]),
    args=st.fixed_dictionaries(
        {},
        optional={
            "amount": st.one_of(st.integers(-5, 700), st.floats(-5, 700)),
            "note": st.sampled_from(["", "hello", "the SECRET  plan", "x" * 50]),
        },
    ),
    principal=st.sampled_from(
        [None, {"id": "u1"}, {"id": "u1", "roles": ["support"]}, {"id": "u1", "roles": ["finance"]}]
    ),
    session=st.just("s1"),
)


def decide(engine, request, labels=()):
    return engine.decide(request, facts_for(engine, request, labels=labels))


@given(st.lists(st.sampled_from(EFFECTS)), st.lists(st.sampled_from(EFFECTS)))
def test_combining_is_a_lattice_join(left, right):
    both = strictest([*left, *right])
    assert both == strictest([strictest(left), strictest(right)])
    assert both == strictest([*right, *left])
    assert strictest([both, both]) == both
    assert RANK[both] >= RANK[strictest(left)]
    assert strictest([]) == "allow"


@SETTINGS
@given(st.lists(policies(), min_size=1, max_size=3), requests, st.randoms(use_true_random=False))
def test_shuffling_rules_and_files_changes_nothing(chosen, request_, randomly):
    named = [{"policy": f"q{number}", **policy} for number, policy in enumerate(chosen)]
    mixed = copy.deepcopy(named)
    randomly.shuffle(mixed)
    for policy in mixed:
        randomly.shuffle(policy["rules"])
        entries = list(policy["tools"].items())
        randomly.shuffle(entries)
        policy["tools"] = dict(entries)
    first = decide(engine_of(*named), request_)
    second = decide(engine_of(*mixed), request_)
    assert first.effect == second.effect
    assert first.would == second.would
    assert said(first) == said(second)
    assert first.redactions == second.redactions


@SETTINGS
@given(st.lists(policies(), min_size=1, max_size=2), policies(), requests, st.booleans())
def test_adding_a_policy_never_loosens(chosen, extra, request_, tainted):
    labels = ["untrusted"] if tainted else []
    before = decide(engine_of(*chosen), request_, labels)
    assume(not any(r.code in FIRST_GRANT for r in before.reasons if r.enforced))
    assume(not any(r.code == "observed" for r in before.reasons) or extra["mode"] == "enforce")
    after = decide(engine_of(*chosen, extra), request_, labels)
    if any(r.code == "observed" for r in before.reasons):
        assume(after.effect != "allow")
    assert RANK[after.effect] >= RANK[before.effect]


FIRST_GRANT = {"default.deny", "no_policy", "no_section", "policy.cannot_tell"}


@SETTINGS
@given(st.lists(policies(), min_size=1, max_size=2), st.data(), requests)
def test_adding_a_rule_never_loosens(chosen, data, request_):
    before = decide(engine_of(*chosen), request_)
    stricter = copy.deepcopy(chosen)
    stricter[0]["rules"].append(data.draw(rules(99)))
    after = decide(engine_of(*stricter), request_)
    assert RANK[after.effect] >= RANK[before.effect]
    assert said(before) - {r for r in said(before) if r[1] == "redact"} <= said(after) or (
        after.effect == "deny"
    )


@SETTINGS
@given(st.lists(policies(), min_size=1, max_size=2), policies(), requests, st.booleans())
def test_an_observed_policy_never_changes_the_enforced_decision(chosen, extra, request_, tainted):
    labels = ["untrusted"] if tainted else []
    for policy in chosen:
        policy["mode"] = "enforce"
        policy.pop("applies_to", None)
    before = decide(engine_of(*chosen), request_, labels)
    after = decide(engine_of(*chosen, {**extra, "mode": "observe"}), request_, labels)
    assert after.effect == before.effect
    assert {r for r in said(after) if r[3]} == {r for r in said(before) if r[3]}
    assert after.redactions == before.redactions
    assert after.labels == before.labels
    kept = [o for o in after.obligations if getattr(o, "enforced", True)]
    assert kept == list(before.obligations) or {*map(str, kept)} >= {*map(str, before.obligations)}


@SETTINGS
@given(policies(), requests)
def test_the_same_request_gives_the_same_decision(policy, request_):
    engine = engine_of(policy)
    assert decide(engine, request_) == decide(engine, request_)
    assert decide(engine, request_).to_wire() == decide(engine_of(policy), request_).to_wire()


RESTRICTED = {
    "tools": {
        "pay": {
            "args": {"amount": AMOUNT, "to": {"type": "string", "pattern": "^[a-z]+$"}},
            "rules": [
                {"id": "small", "when": "args.amount > 100", "effect": "deny"},
                {"id": "known", "when": 'args.to == "mallory"', "effect": "deny"},
            ],
        },
        "wire": {"rules": []},
    },
    "rules": [
        {
            "id": "cap",
            "tools": ["wire"],
            "args": {"amount": {"type": "number", "maximum": 100}},
            "effect": "deny",
        }
    ],
}

ABSENT = object()
NUMBERS = [math.nan, math.inf, -math.inf, 10**400, 101, 1e308, 2**63, 2**53 + 1, 50j, True, -1]
OTHERS = ["1,000", "50", "", "\uff15\uff10", b"50", None, False, [], [50], {}, {"amount": 50}]
ODD = [ABSENT, *NUMBERS, *OTHERS, object()]


class Sly(int):
    """An integer that compares as it likes."""

    def __gt__(self, other):
        return False

    def __le__(self, other):
        return True


@pytest.mark.parametrize("tool", ["pay", "wire"])
@pytest.mark.parametrize(
    "value", [*ODD, Sly(10_000)], ids=lambda v: f"{type(v).__name__} {v}"[:30].split(" at ")[0]
)
def test_an_odd_argument_never_turns_a_restricted_call_into_a_permitted_one(tool, value):
    if tool == "wire" and value == -1:
        value = 101.5  # -1 is below the only bound of that rule
    engine = engine_of(RESTRICTED)
    args = {"amount": value, "to": "alice"} if tool == "pay" else {"amount": value}
    if value is ABSENT:
        del args["amount"]
    request_ = Request(tool=tool, args=args)
    assert engine.decide(request_, facts_for(engine, request_)).permitted is False


def test_the_restricted_call_is_permitted_with_ordinary_arguments():
    engine = engine_of(RESTRICTED)
    for tool, args in (("pay", {"amount": 50, "to": "alice"}), ("wire", {"amount": 50.5, "x": 1})):
        assert engine.decide(Request(tool=tool, args=args)).permitted is True


anything = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=20),
        st.binary(max_size=5),
        st.builds(object),
        st.just("\ud800"),
        st.just(10**400),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.text(max_size=5), st.integers()), inner, max_size=3),
    ),
    max_leaves=8,
)

EVERYTHING = {
    "context": {"env": {"enum": ["prod", "staging"]}},
    "attrs": {"region": {"enum": ["eu", "us"]}},
    "facts": {
        "order": {
            "from": "app:order",
            "with": ["args.amount"],
            "schema": {"type": "object", "properties": {"owner": {"type": "string"}}},
        }
    },
    "input": [{"id": "long", "check": {"size": {"max_chars": 10}}, "effect": "deny"}],
    "output": [{"id": "term", "check": {"terms": {"any": ["secret plan"]}}, "effect": "redact"}],
    "tools": {
        "pay": {
            "args": ARGS,
            "rules": [
                {"id": "own", "when": "facts.order.owner != principal.id", "effect": "deny"},
                {"id": "env", "when": 'context.env != "prod"', "effect": "deny"},
                {"id": "home", "when": 'principal.attrs.region == "us"', "effect": "deny"},
                {"id": "night", "when": 'now.getHours("Europe/Berlin") < 6', "effect": "deny"},
                {"id": "often", "when": 'session.calls["pay"] > 3', "effect": "deny"},
            ],
            "result": [{"id": "big", "check": {"size": {"max_chars": 99}}, "effect": "deny"}],
            "labels": ["untrusted"],
        },
        "*": "allow",
    },
    "handoffs": {"billing": "allow"},
    "models": {"m1": "allow"},
    "prices": {"m1": {"input": 1, "output": 2}},
    "limits": [
        {"id": "sum", "tools": ["pay"], "of": "args.amount", "max": 9, "by": ["principal"]},
        {"id": "tokens", "of": "tokens", "max": 9, "by": ["session"]},
        {"id": "cost", "of": "cost_usd", "max": 9, "by": ["tenant"]},
    ],
}
ENGINE = engine_of(EVERYTHING)


@settings(max_examples=400, deadline=None)
@given(
    st.builds(
        Request,
        stage=st.one_of(st.sampled_from(STAGES), anything),
        agent=st.one_of(st.none(), st.text(max_size=5), anything),
        principal=st.one_of(
            st.none(),
            st.fixed_dictionaries(
                {"id": anything, "roles": anything, "tenant": anything, "attrs": anything}
            ),
            anything,
        ),
        session=anything,
        tool=st.one_of(st.sampled_from(["pay", "x"]), anything),
        args=st.one_of(
            st.fixed_dictionaries({}, optional={"amount": anything, "note": anything}), anything
        ),
        result=anything,
        text=anything,
        target=st.one_of(st.just("billing"), anything),
        model=st.one_of(st.just("m1"), anything),
        call_id=anything,
        context=st.one_of(st.fixed_dictionaries({"env": anything}), anything),
        id=anything,
    ),
    st.one_of(
        st.just(Facts()),
        st.builds(
            Facts,
            now=anything,
            session=st.one_of(
                st.builds(Session, labels=anything, calls=anything, started=anything), anything
            ),
            counters=anything,
            halts=anything,
            approvals=anything,
            answers=anything,
            ran=anything,
        ),
    ),
)
def test_no_request_however_odd_makes_deciding_raise(request_, facts):
    decision = ENGINE.decide(request_, facts)
    assert isinstance(decision, Decision)
    assert decision.effect in EFFECTS
    ENGINE.needs(request_)


def test_a_request_nested_beyond_bounds_or_in_a_circle_is_denied():
    deep = inner = {}
    for _ in range(5000):
        inner["x"] = inner = {}
    circle = {}
    circle["x"] = circle
    text = engine_of(
        {
            "tools": {"*": "allow"},
            "rules": [
                {"id": "t", "tools": ["*"], "check": {"terms": {"any": ["q"]}}, "effect": "deny"}
            ],
        }
    )
    for args in (deep, circle):
        for engine in (ENGINE, text):
            assert engine.decide(Request(tool="pay", args=args)).permitted is False


@pytest.mark.parametrize(
    "error", [CheckError("x"), ValueError("x"), RecursionError(), MemoryError()]
)
def test_a_check_that_raises_denies(error):
    engine = engine_of(
        {"output": [{"id": "c", "check": {"terms": {"any": ["plan"]}}, "effect": "redact"}]}
    )
    request_ = Request(stage="output", text="nothing to see")
    assert engine.decide(request_).effect == "allow"

    class Raising:
        kind = "terms"
        entity = "TERM"
        ids = frozenset()

        def breaks(self, content, *, unread_allowed):
            raise error

        def spans(self, content):
            raise error

    rules_ = engine.compiled.parts[0].text_rules["output"]
    rules_[0] = dataclasses.replace(rules_[0], check=Raising())
    engine._memo.clear()
    engine._chains.clear()
    assert engine.decide(request_).effect == "deny"


@given(anything)
def test_the_fingerprint_notices_every_value(value):
    base = Request(tool="t", args={"a": 1})
    other = Request(tool="t", args={"a": value})
    same = fingerprint(base, b"k", frozenset()) == fingerprint(other, b"k", frozenset())
    assert same is (type(value) is int and value == 1)


def test_the_fingerprint_ignores_the_order_of_keys_the_call_id_and_undeclared_context():
    def of(**fields):
        return fingerprint(Request(tool="t", **fields), b"k", frozenset({"env"}))

    first = of(args={"a": 1, "b": [1, 1.0]}, call_id="c1", context={"env": "x", "noise": 1})
    assert first == of(args={"b": [1, 1.0], "a": 1}, call_id="c2", context={"env": "x"})
    assert (
        len(
            {
                first,
                of(args={"a": True, "b": [1, 1.0]}),
                of(args={"a": 1.0, "b": [1, 1.0]}),
                of(args={"a": 1, "b": [1, 1.0]}, context={"env": "y"}),
            }
        )
        == 4
    )


def test_halts_and_repeated_calls_deny():
    engine = engine_of({"tools": {"*": "allow"}})
    request_ = Request(tool="pay", args={}, agent="a", session="s", call_id="c")
    for halt in (
        Halt("h1", "all"),
        Halt("h1", "tool", "pay"),
        Halt("h1", "agent", "a"),
        Halt("h1", "session", "s"),
        Halt("h1", "tool", "pay", until=NOW.replace(hour=11)),
    ):
        decision = engine.decide(request_, Facts(halts=(halt,), now=NOW))
        assert (decision.effect, decision.reasons[0].rule) == ("deny", "halt/h1")
    for facts in (
        Facts(halts=(Halt("h", "tool", "mail"),)),
        Facts(halts=(Halt("h", "all", until=NOW.replace(hour=9)),), now=NOW),
    ):
        assert engine.decide(request_, facts).effect == "allow"
    nobody = Request(tool="pay", args={})
    for scope in ("agent", "session"):
        assert engine.decide(nobody, Facts(halts=(Halt("h", scope, "x"),))).effect == "deny"
    assert engine.decide(request_, Facts(halts=None)).effect == "deny"
    assert engine.decide(request_, Facts(ran=True)).reasons[0].code == "call.repeated"
    assert engine.decide(request_, Facts(ran=None)).effect == "deny"
