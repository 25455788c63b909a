"""The engine beside a slow, obvious reading of the design, over random policies and requests."""

import copy
from fnmatch import fnmatchcase

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import NOW, engine_of

from policy_engine.decision import RANK, Count, Facts, Request, Session, strictest

AMOUNT = {"type": "number", "maximum": 100}
ARGS = {"amount": AMOUNT, "note": {"type": "string", "optional": True}}
BOSS = {"approvers": ["boss"], "expires": "15m"}
NAMES = {
    "tools": ["pay", "pay_all", "read", "mail"],
    "handoffs": ["billing", "bills"],
    "models": ["m1", "m2"],
}
GLOBS = {"tools": ["*", "pay*", "?ay", "*a*"], "handoffs": ["*", "bill*"], "models": ["m?", "*"]}
SECTION = {"tool_call": "tools", "tool_result": "tools"} | {
    "handoff": "handoffs",
    "model_request": "models",
}
FIELD = {"tools": "tool", "handoffs": "target", "models": "model"}


# The oracle. None stands for "cannot tell".


def both(left, right):
    if False in (left, right):
        return False
    return None if None in (left, right) else True


def negated(value):
    return None if value is None else not value


def is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


def has(request, name):
    return None if request.args is None else request.args.get(name) is not None


def large(request, _):
    value = (request.args or {}).get("amount")
    large_ = value > 50 if is_number(value) else None
    return both(has(request, "amount"), large_)


def odd_note(request, _):
    value = (request.args or {}).get("note")
    return both(has(request, "note"), "x" in value if isinstance(value, str) else None)


def principal(request, name):
    value = (request.principal or {}).get(name)
    return None if value is None else value


def is_boss(request, _):
    roles = principal(request, "roles")
    return None if roles is None else "boss" in roles


def not_prod(request, _):
    env = (request.context or {}).get("env")
    return None if env not in ("prod", "test") else env != "prod"


CALLS = {
    "has(args.amount) && args.amount > 50": large,
    'has(args.note) && args.note.contains("x")': odd_note,
}
EVERYWHERE = {
    'agent == "a1"': lambda r, f: None if r.agent is None else r.agent == "a1",
    '"boss" in principal.roles': is_boss,
    'context.env != "prod"': not_prod,
    '"dirty" in session.labels': lambda r, f: f.session and "dirty" in f.session.labels,
    'session.calls["pay"] >= 2': lambda r, f: f.session and f.session.calls.get("pay", 0) >= 2,
}
ATOMS = {**CALLS, **EVERYWHERE}


def holds(when, request, facts):
    kind, *parts = when
    if kind == "atom":
        return ATOMS[parts[0]](request, facts)
    values = [holds(part, request, facts) for part in parts]
    if kind == "not":
        return negated(values[0])
    if kind == "and":
        return both(*values)
    return negated(both(negated(values[0]), negated(values[1])))


def written(when):
    kind, *parts = when
    if kind == "atom":
        return parts[0]
    texts = [f"({written(part)})" for part in parts]
    return f"!{texts[0]}" if kind == "not" else {"and": " && ", "or": " || "}[kind].join(texts)


def text_of(request):
    if request.stage == "tool_call":
        return str(request.args.get("note", ""))
    return str(request.result if request.stage == "tool_result" else request.text or "")


def of_rule(own, rule, request, facts):
    """What a rule says: what cannot be told counts as matched, and is no redaction."""
    said = True
    if "when" in rule:
        said = holds(rule["when"], request, facts)
        if "context.env" in written(rule["when"]) and (request.context or {}).get("env") == "?":
            said = None  # what does not fit its schema taints the whole condition
    if "args" in rule:
        amount = request.args.get("amount")
        bound = rule["args"]["amount"]["maximum"]
        said = amount is not None and not (is_number(amount) and amount <= bound)
    if "check" in rule:
        said = both(said, "secret" in text_of(request))
    untold = said is None and rule["effect"] == "redact"
    return [] if said is False else [one(own, rule, "deny" if untold else None)]


def applies(policy, request):
    outcome = True
    roles = principal(request, "roles")
    tenant = principal(request, "tenant")
    for key, values in (
        ("agents", None if request.agent is None else [request.agent]),
        ("roles", roles),
        ("tenants", None if tenant is None else [tenant]),
    ):
        globs = policy.get("applies_to", {}).get(key)
        if globs is not None:
            fits = values and any(fnmatchcase(v, g) for v in values for g in globs)
            outcome = both(outcome, None if values is None else bool(fits))
    return outcome


def covers(globs, name):
    return any(fnmatchcase(name, glob) for glob in globs)


def spoken(policy, section, name, request, facts):
    """Every restriction of one policy as (rule, effect), beside grants and defaults."""
    found = []
    own = policy["policy"]
    for key, entry in policy.get(section, {}).items() if section else ():
        if not fnmatchcase(name, key):
            continue
        effect = entry.get("effect", "allow")
        asks = request.stage in ("tool_call", "handoff")
        if effect == "deny" or (effect == "require_approval" and asks):
            found.append((f"{own}/{section}/{key}", effect, True))
        if request.stage == "tool_call" and "args" in entry and not fits(request.args):
            found.append((f"{own}/{section}/{key}/args", "deny", True))
        inner = {"tool_result": "result", "tool_call": "rules"}.get(request.stage)
        found += [s for r in entry.get(inner, []) for s in of_rule(own, r, request, facts)]
    texts = {"input": "input", "model_request": "input", "output": "output"}.get(request.stage)
    texts = "output" if request.stage == "model_response" else texts
    rules = list(policy.get(texts, []))
    if request.stage == "tool_call":
        rules += [
            rule
            for rule in policy["rules"]
            if "tools" in rule and covers(rule["tools"], name) and not covers(rule["except"], name)
        ]
    if request.stage == "handoff":
        rules += [rule for rule in policy["rules"] if rule.get("stage") == "handoff"]
    found += [s for rule in rules for s in of_rule(own, rule, request, facts)]
    for limit in policy["limits"]:
        counts = covers(limit.get("tools", []), name or "") and request.stage == "tool_call"
        if counts or limit.get("stage") == request.stage:
            found += [one(own, limit, "deny")] if exceeded(limit, request, facts) else []
    return found


def one(own, rule, effect=None):
    return f"{own}/{rule['id']}", effect or rule["effect"], rule.get("mode") != "observe"


def fits(args):
    amount, note = args.get("amount"), args.get("note")
    return (
        set(args) <= {"amount", "note"}
        and is_number(amount)
        and amount <= 100
        and (note is None or isinstance(note, str))
    )


def exceeded(limit, request, facts):
    keys = {
        "session": request.session,
        "principal": principal(request, "id"),
        "tenant": principal(request, "tenant"),
        "agent": request.agent,
        "tool": request.tool,
        "global": "",
    }
    if any(keys[key] is None for key in limit["by"]):
        return True
    amount = 1
    if limit.get("of") == "args.amount":
        amount = request.args.get("amount")
        if not is_number(amount) or amount < 0:
            return True
    return facts.used + amount > limit["max"]


def verdict(policies, request, facts):
    """The effect of policies that are all enforced, and what spoke."""
    section = SECTION.get(request.stage)
    name = getattr(request, FIELD[section]) if section else None
    status = {p["policy"]: applies(p, request) for p in policies}
    sure = [p for p in policies if status[p["policy"]] is True]
    unsure = [p for p in policies if status[p["policy"]] is None]
    said = [s for p in [*sure, *unsure] for s in spoken(p, section, name, request, facts)]
    effects = [] if sure else ["deny"]
    named = [p["policy"] for p in [*sure, *unsure] if covers(p.get(section, {}), name or "")]
    if section and sure and not any(p["policy"] in named for p in sure):
        having = [p["default"] for p in sure if section in p]
        missing = "allow" if section == "models" else "deny"
        effects.append(strictest(having) if having else missing)
        effects += [p["default"] for p in unsure if section in p and p["policy"] not in named]
    return effects, said


def lifted(said, approvals):
    becomes = {"approved": "allow", "rejected": "deny"}
    return [
        (rule, becomes.get(approvals.get(rule), effect) if effect == "require_approval" else effect)
        for rule, effect in said
    ]


def once(policies, request, facts):
    """The enforced effect, the effect as if all were enforced, and what speaks for real."""
    enforced = [p for p in policies if p.get("mode") != "observe"]
    effects, said = verdict(enforced, request, facts)
    real = lifted([(rule, effect) for rule, effect, counts in said if counts], facts.approvals)
    if not [p for p in enforced if applies(p, request) is not False] and any(
        applies(p, request) for p in policies
    ):
        effects = []
    would_effects, all_said = verdict(policies, request, facts)
    would = lifted([(r, e) for r, e, _ in all_said if r in dict(real)], facts.approvals)
    would += [(r, e) for r, e, _ in all_said if r not in dict(real)]
    return (
        strictest([*effects, *(effect for _, effect in real)]),
        strictest([*would_effects, *(effect for _, effect in would)]),
        real,
    )


def redacted(request):
    args, result, text = copy.deepcopy(request.args), request.result, request.text
    if args and isinstance(args.get("note"), str):
        args["note"] = args["note"].replace("secret", "<TERM>")
    return Request(
        stage=request.stage,
        agent=request.agent,
        principal=request.principal,
        session=request.session,
        tool=request.tool,
        target=request.target,
        model=request.model,
        context=request.context,
        args=args,
        result=result.replace("secret", "<TERM>") if result else result,
        text=text.replace("secret", "<TERM>") if text else text,
    )


def expected(policies, request, facts):
    effect, would, said = once(policies, request, facts)
    redacts = {rule for rule, found in said if found == "redact"}
    if effect == "deny" or not redacts:
        return effect, would
    _, _, again = once(policies, redacted(request), facts)
    before = dict(said)
    worse = any(RANK[found] > RANK[before.get(rule, "allow")] for rule, found in again)
    return ("deny", "deny") if worse else (effect, would)


# Random policies, requests and facts.

atoms = st.sampled_from(sorted(ATOMS)).map(lambda text: ("atom", text))
elsewhere = st.sampled_from(sorted(EVERYWHERE)).map(lambda text: ("atom", text))


def conditions(leaves):
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.tuples(st.just("not"), inner),
            st.tuples(st.sampled_from(["and", "or"]), inner, inner),
        ),
        max_leaves=3,
    )


@st.composite
def rules(draw, kind):
    rule = {"effect": draw(st.sampled_from(["deny", "require_approval", "redact"]))}
    if kind == "text" and rule["effect"] == "require_approval":
        rule["effect"] = "deny"
    if kind == "handoff" and rule["effect"] == "redact":
        rule["effect"] = "require_approval"
    if rule["effect"] == "redact" or (kind != "handoff" and draw(st.integers(0, 3)) == 0):
        rule["check"] = {"terms": {"any": ["secret"], "match": "anywhere"}}
    if "check" not in rule or draw(st.booleans()):
        rule["when"] = draw(conditions(atoms if kind == "call" else elsewhere))
    if "check" not in rule and kind == "call" and draw(st.integers(0, 3)) == 0:
        rule.pop("when")
        bound = draw(st.sampled_from([10, 60]))
        rule["args"] = {"amount": {"type": "number", "maximum": bound, "optional": True}}
    if rule["effect"] == "require_approval":
        rule["approval"] = BOSS
    rule["mode"] = draw(st.sampled_from(["enforce", "enforce", "observe"]))
    return rule


@st.composite
def entries(draw, section):
    effects = ["allow", "allow", "deny", "require_approval"]
    entry = {"effect": draw(st.sampled_from(effects[: 3 if section == "models" else 4]))}
    if entry["effect"] == "require_approval":
        entry["approval"] = BOSS
    if section == "tools" and draw(st.booleans()):
        entry["args"] = ARGS
    if section == "tools" and entry["effect"] != "deny" and draw(st.booleans()):
        if "args" in entry:
            entry["rules"] = draw(st.lists(rules("call"), max_size=2))
        entry["result"] = draw(st.lists(rules("text"), max_size=1))
    return entry


@st.composite
def limits(draw):
    limit = {"max": draw(st.sampled_from([1, 20, 70])), "mode": draw(st.sampled_from(MODES))}
    keys = ["session", "principal", "agent", "tenant"]
    limit["by"] = draw(st.lists(st.sampled_from(keys), min_size=1, max_size=2, unique=True))
    where = draw(st.sampled_from(["tools", "sum", "handoff", "model_request"]))
    if where in ("tools", "sum"):
        limit["tools"] = ["pay"] if where == "sum" else [draw(st.sampled_from(GLOBS["tools"]))]
        limit.update({"of": "args.amount"} if where == "sum" else {})
    else:
        limit["stage"] = where
    return limit


MODES = ["enforce", "enforce", "observe"]


@st.composite
def policies(draw, number):
    policy = {
        "policy": f"p{number}",
        "context": {"env": {"enum": ["prod", "test"]}},
        "mode": draw(st.sampled_from(MODES)),
        "default": draw(st.sampled_from(["deny", "deny", "allow"])),
    }
    for section, exact in NAMES.items():
        if draw(st.integers(0, 3)):
            names = st.sampled_from([*exact, *GLOBS[section]])
            policy[section] = draw(st.dictionaries(names, entries(section), min_size=1, max_size=3))
    who = {}
    for key, values in (("agents", ["a*", "a1"]), ("roles", ["boss"]), ("tenants", ["acme"])):
        if draw(st.integers(0, 3)) == 0:
            who[key] = [draw(st.sampled_from(values))]
    policy.update({"applies_to": who} if who else {})
    for section in ("input", "output"):
        policy[section] = draw(st.lists(rules("text"), max_size=1))
    top = []
    for kind in draw(st.lists(st.sampled_from(["call", "handoff"]), max_size=3)):
        rule = draw(rules(kind))
        if kind == "call":
            rule["tools"] = [draw(st.sampled_from(["pay", *GLOBS["tools"]]))]
            leave_out = rule["tools"] == ["*"] and draw(st.booleans())
            rule["except"] = [draw(st.sampled_from(["pay*", "mail"]))] if leave_out else []
        else:
            rule["stage"] = "handoff"
        top.append(rule)
    policy["rules"] = top
    policy["limits"] = draw(st.lists(limits(), max_size=2))
    for place, rule in enumerate(all_rules(policy)):
        rule["id"] = f"r{place}"
    return policy


def all_rules(policy):
    yield from [*policy["input"], *policy["output"], *policy["rules"], *policy["limits"]]
    for entry in policy.get("tools", {}).values():
        yield from [*entry.get("rules", []), *entry.get("result", [])]


REGISTER = {
    "policy": "register",
    "mode": "observe",
    "default": "deny",
    **{section: [] for section in ("input", "output", "rules", "limits")},
    "applies_to": {"agents": ["nobody"]},
    "tools": {name: {"args": ARGS, "labels": ["dirty"]} for name in NAMES["tools"]},
}
"""A policy that applies to no request, so that every name and label exists."""


def as_written(policy):
    policy = copy.deepcopy(policy)
    for rule in all_rules(policy):
        if "when" in rule:
            rule["when"] = written(rule["when"])
        if rule.get("except") == []:
            del rule["except"]
    return {key: value for key, value in policy.items() if value != []}


amounts = st.sampled_from([0, 5, 55, 55.5, 100, 101, -1, "55", None, True])
arguments = st.fixed_dictionaries(
    {},
    optional={
        "amount": amounts,
        "note": st.sampled_from(["", "x", "a secret", "secret x", None]),
        "more": st.just(1),
    },
)


@st.composite
def requests(draw):
    stages = ["tool_call"] * 4 + ["tool_result", "handoff", "model_request"]
    stage = draw(st.sampled_from([*stages, "input", "output", "model_response"]))
    fields = {}
    section = SECTION.get(stage, "models" if stage == "model_response" else None)
    if section:
        fields[FIELD[section]] = draw(st.sampled_from([*NAMES[section], "unheard"]))
    if section == "tools":
        fields["args"] = draw(arguments)
    fields["result" if stage == "tool_result" else "text"] = draw(
        st.sampled_from(["", "fine", "a secret"])
    )
    who = st.fixed_dictionaries(
        {},
        optional={
            "id": st.just("u1"),
            "roles": st.sampled_from([[], ["boss"], ["boss", "x"]]),
            "tenant": st.sampled_from(["acme", "other"]),
        },
    )
    return Request(
        stage=stage,
        agent=draw(st.sampled_from(["a1", "a2", "b1", None])),
        principal=draw(st.one_of(st.none(), who, who)),
        session=draw(st.sampled_from(["s1", "s1", None])),
        context=draw(st.sampled_from([None, {}, {"env": "prod"}, {"env": "test"}, {"env": "?"}])),
        **fields,
    )


class Known:
    """The facts of the oracle: what the engine is told, before it is put together."""

    def __init__(self, session, used, approvals):
        self.session = session
        self.used = used
        self.approvals = approvals


sessions = st.one_of(
    st.none(),
    st.builds(
        Session,
        labels=st.sampled_from([frozenset(), frozenset({"dirty"})]),
        calls=st.sampled_from([{"pay": 0}, {"pay": 3}]),
        started=st.just(NOW),
    ),
)


def asking(policy):
    """Every rule and entry of a policy that may ask for an approval."""
    for section in NAMES:
        for key, entry in policy.get(section, {}).items():
            if entry["effect"] == "require_approval":
                yield f"{policy['policy']}/{section}/{key}"
    for rule in all_rules(policy):
        if rule.get("effect") == "require_approval":
            yield f"{policy['policy']}/{rule['id']}"


@st.composite
def cases(draw):
    chosen = [draw(policies(number)) for number in range(draw(st.integers(1, 3)))]
    names = [name for policy in chosen for name in asking(policy)]
    answers = st.sampled_from(["approved", "approved", "rejected", "pending", "expired"])
    told = st.dictionaries(st.sampled_from(names), answers) if names else st.just({})
    known = st.builds(Known, sessions, st.sampled_from([0, 1, 19, 69]), told)
    return chosen, draw(st.lists(st.tuples(requests(), known), min_size=1, max_size=12))


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(cases())
def test_the_engine_decides_as_the_design_reads(case):
    chosen, asked = case
    engine = engine_of(REGISTER, *map(as_written, chosen))
    for request, known in asked:
        counters = {
            (need.limit, need.key): Count(known.used) for need in engine.needs(request).counters
        }
        decision = engine.decide(
            request,
            Facts(now=NOW, session=known.session, counters=counters, approvals=known.approvals),
        )
        wanted = expected([REGISTER, *chosen], request, known)
        assert (decision.effect, decision.would) == wanted, (request, vars(known), decision.reasons)
