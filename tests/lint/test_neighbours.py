"""What the rules about limits, addresses, commands, roles and exceptions leave alone.

Each flaw stands in the catalogue; here are the honest policies next to it.
"""
# ruff: noqa: E501 - a table of one-line policies

from datetime import date

import pytest

from policy_engine.lint import Settings, lint
from policy_engine.loader import load_texts

REFUND = "tools:\n  refund: {args: {amount: {type: number, exclusiveMinimum: 0, maximum: 500}}}\n"
BOTH = f"{REFUND}  pay: {{args: {{amount: {{type: number, exclusiveMinimum: 0, maximum: 500}}}}}}\n"
TODAY = date(2026, 11, 21)


def limits(*lines, tools=REFUND):
    return f"{tools}limits:\n" + "".join(f"  - {{{line}}}\n" for line in lines)


def rule(when, tools=REFUND, more="", effect="deny"):
    return (
        f"{more}{tools}rules:\n  - {{id: r, tools: [refund], when: '{when}', effect: {effect}}}\n"
    )


def text(name, schema, when=None):
    written = f"tools:\n  t:\n    args: {{{name}: {{type: string, maxLength: 80{schema}}}}}\n"
    return written + (f"    rules: [{{id: r, when: '{when}', effect: deny}}]\n" if when else "")


def listed(when, more="", most=9, name="to", items="format: email"):
    written = f"{{type: array, minItems: 1, maxItems: {most}, items: {{type: string, {items}}}}}"
    return (
        f"tools:\n  t:\n    args: {{{name}: {written}}}\n"
        f"    rules: [{{id: r, when: '{when}', effect: deny}}{more}]\n"
    )


def alternatives(written):
    return f"tools:\n  t: {{args: {{v: {{{written}}}}}}}\n"


def found(patterns):
    return f"output:\n  - {{id: r, check: {{pattern: {{any: [{patterns}]}}}}, effect: redact}}\n"


def senders(tools):
    return (
        "tools:\n  page: {args: {}, labels: [untrusted]}\n  send_mail: {args: {b: {enum: [x, z]}}}\n"
        "  send_slack: {args: {b: {enum: [x, z]}}}\n"
        f"rules:\n  - {{id: r, {tools}, when: '\"untrusted\" in session.labels', effect: deny}}\n"
    )


SOUND = {
    "PE103": [
        f"tools:\n  v: {{args: {{}}}}\n  {REFUND[9:]}rules:\n  - {{id: r, tools: [refund], when: '\"v\" in session.calls && session.calls.v > 1', effect: deny}}\n",
        f"tools:\n  v: {{args: {{}}}}\n  {REFUND[9:]}rules:\n  - {{id: r, tools: [refund], when: '!(\"v\" in session.calls) || session.calls.v < 1', effect: deny}}\n",
        f"tools:\n  v: {{args: {{}}}}\n  {REFUND[9:]}rules:\n  - {{id: r, tools: [refund], when: 'has(session.calls.v) && session.calls.v >= 1', effect: deny}}\n",
    ],
    "PE119": [
        "tools:\n  a: {args: {}, effect: require_approval, approval: {approvers: [tier1-ops], expires: 1h}}\n  b: {args: {}, effect: require_approval, approval: {approvers: [tier2-ops], expires: 1h}}\n",
        "tools:\n  a: {args: {}, effect: require_approval, approval: {approvers: [editor], expires: 1h}}\n  b: {args: {}, effect: require_approval, approval: {approvers: [auditor], expires: 1h}}\n",
    ],
    "PE138": [
        limits("id: a, tools: [refund], max: 5, per: 1h, by: [session]", "id: b, tools: [refund], max: 10, per: day, by: [session]"),
        limits("id: a, tools: [refund], max: 5, per: 1h, by: [session]", "id: b, tools: [refund], max: 10, per: 1h, by: [principal]"),
        limits("id: a, tools: [refund], max: 5, per: 1m, by: [session]", "id: b, tools: [refund], max: 10, per: 1h, by: [session]"),
        limits("id: a, tools: [refund], max: 5, per: 1h, by: [session]", "id: b, tools: [refund, pay], max: 10, per: 1h, by: [session]", tools=BOTH),
        limits("id: a, tools: [refund], max: 5, per: 1h, by: [session], mode: observe", "id: b, tools: [refund], max: 10, per: 1h, by: [session]"),
        limits("id: a, tools: [refund], max: 5, per: day, by: [principal]", "id: b, tools: [refund], of: args.amount, max: 2000, per: day, by: [principal]"),
        limits("id: a, tools: [refund], max: 5, per: day, by: [principal]", "id: b, tools: [refund], max: 10, per: day, by: [principal], timezone: Europe/Berlin"),
        limits("id: a, tools: [refund], max: 5, by: [args.amount]", "id: b, tools: [refund], max: 10, by: [session]"),
        limits("id: a, of: tokens, max: 5000, by: [session]", "id: b, of: cost_usd, max: 10000, by: [session]"),
        limits("id: a, stage: handoff, max: 5, by: [session]", "id: b, stage: model_request, max: 10, by: [session]"),
    ],
    "PE139": [
        rule('now < timestamp("2999-01-01T00:00:00Z")'),
        rule('now < timestamp("2026-11-21T00:00:00Z")'),
        rule('now.getHours("UTC") < 5'),
        rule('now - timestamp("2024-01-01T00:00:00Z") < duration("1h")'),
    ],
    "PE140": [
        rule('now.getHours("Europe/Berlin") > 5 && now.getDayOfWeek("Europe/Berlin") == 0'),
        rule("now.getHours() > 5 && now.getDayOfWeek() == 0"),
        rule('now.getHours() > 5 && now.getDayOfWeek("UTC") == 0'),
    ],
    "PE141": [
        f"{BOTH}rules:\n  - {{id: r, tools: [refund, pay], except: [pay], effect: deny}}\n",
        "tools:\n  'r*': {args: {a: {type: integer, minimum: 1}}}\nrules:\n  - {id: r, tools: ['r*'], except: ['ra*'], effect: deny}\n",
    ],
    "PE142": ["models: {'gpt-*': allow, gpt-4: deny}\nprices: {gpt-4o: {input: 1, output: 1}}\nlimits: [{id: a, of: cost_usd, max: 1, by: [principal]}]\n"],
    "PE143": [
        "applies_to: {roles: [support]}\n" + rule('!("supporter" in principal.roles)'),
        "applies_to: {roles: ['support-*']}\n" + REFUND,
    ],
    "PE144": [
        text("ip", ", format: ipv4", '!cidr("10.0.0.1/32").containsIP(args.ip)'),
        text("ip", ", format: ipv6", '!cidr("2001:db8::/32").containsIP(args.ip)'),
    ],
    "PE146": [
        listed('!args.to.all(t, t.endsWith("@acme.com"))'),
        listed('args.to.exists(t, t.endsWith("@rival.example"))'),
        listed('!args.to.exists(t, t.endsWith("@acme.com"))', more=", {id: s, when: '!args.to.all(t, t.endsWith(\"@acme.com\"))', effect: deny}"),
        listed('!args.to.exists(t, t.endsWith("@acme.com"))', most=1),
        listed('!("staff" in principal.roles) && !principal.roles.exists(r, r.startsWith("lead-"))'),
        listed('args.argv[0] != "git"', name="argv", items="pattern: '^[a-z]+$'"),
        listed('size(args.to) == 0 || args.to[0].endsWith("@x")', most=1),
        listed('size(args.to.filter(t, t.endsWith("@rival.example"))) > 0'),
    ],
    "PE147": [
        text("name", f", pattern: '{pattern}'")
        for pattern in (
            "^[A-Za-z0-9_-]+$", "^[ -~]+$", "^[!-/]+$", "^[a-z0-9+_.-]+$", r"^[\x20-\x7e]+$", r"^[a-z\-_]+$",
            r"^[\w.-]+$", "^[0-9a-fA-F]+$", r"^[^\]-]+$", "^a[A]-z$", r"^\[A-z\]$", "^[a-z]-[0-9]$", "^[,-.]+$",
        )
    ],
    "PE148": [
        rule("args.n / 1000 > 0", tools="tools:\n  refund: {args: {n: {type: integer, minimum: 0, maximum: 5000}}}\n"),
        rule("args.n / 1000 > 0", tools="tools:\n  refund: {args: {n: {type: integer, minimum: 0}}}\n"),
        rule("args.n % 2 == 1", tools="tools:\n  refund: {args: {n: {type: integer, minimum: 0, maximum: 9}}}\n"),
        rule("args.n % 2 == -1", tools="tools:\n  refund: {args: {n: {type: integer, minimum: -9, maximum: 9}}}\n"),
        rule("args.amount / 1000.0 > 0.1"),
        rule("args.n - args.m > 8", tools="tools:\n  refund: {args: {n: {type: integer, minimum: 0, maximum: 9}, m: {type: integer, minimum: 0, maximum: 9}}}\n"),
        rule('now - timestamp("2024-01-01T00:00:00Z") < duration("1h")'),
    ],
    "PE149": [
        text("to", ", format: email", 'args.to in ["alice@acme.com", "bob@acme.com"]'),
        text("day", ", format: date", 'args.day < "2026-01-05"'),
        text("day", ", format: date-time", 'args.day < "2026-01-05"'),
        text("to", ", format: email", 'args.to.startsWith("alice")'),
        text("to", "", 'args.to == "alice"'),
        text("id", ", format: uuid, enum: ['00000000-0000-4000-8000-000000000000']"),
    ],
    "PE150": [
        alternatives("anyOf: [{type: string, pattern: '^DE[0-9]{20}$'}, {type: string, pattern: '^FR[0-9]{20}$'}]"),
        alternatives("anyOf: [{type: string, format: email}, {type: 'null'}]"),
        alternatives("anyOf: [{enum: [cash]}, {type: integer, minimum: 1}]"),
        alternatives("type: string, maxLength: 9, if: {pattern: ^D}, then: {pattern: '^D[0-9]$'}, else: {pattern: '^F[0-9]$'}"),
        alternatives("type: string, maxLength: 9, pattern: '^[DF][0-9]+$', if: {pattern: ^D}, then: {pattern: '^D[0-9]$'}"),
        alternatives("type: integer, minimum: 0, maximum: 500, if: {minimum: 100}, then: {multipleOf: 10}"),
    ],
    "PE151": [
        text("size", ", enum: [m, M, Mb, MB]"),
        text("sep", ", enum: [' ', ',', ' - x']").replace("' - x'", "'-'"),
        text("cmd", "", 'args.cmd.startsWith("git ")'),
        text("env", ", enum: [prod, Prod]", 'args.env in ["prod", "Prod"]'),
    ],
    "PE152": [
        "models: {a: allow}\nprices: {a: {input: 0.1, output: 0}}\nlimits: [{id: a, of: cost_usd, max: 1, by: [principal]}]\n",
        "models: {a: allow}\nprices: {a: {input: 0, output: 0}}\nlimits: [{id: a, of: tokens, max: 1, by: [principal]}]\n",
        "models: {a: deny, b: allow}\nprices: {a: {input: 0, output: 0}, b: {input: 1, output: 1}}\nlimits: [{id: a, of: cost_usd, max: 1, by: [principal]}]\n",
    ],
    "PE153": [
        text("version", ", format: date", 'args.version < "2026-01-05"'),
        text("version", "", 'args.version == "10"'),
        text("version", "", "int(args.version) < 10"),
        text("name", "", 'args.name < "m"'),
        rule("args.amount < 10"),
    ],
    "PE154": [
        rule("args.owner != principal.id", tools="tools:\n  refund: {args: {owner: {type: string, maxLength: 9}}}\n"),
        rule("!(args.owner == principal.id)", tools="tools:\n  refund: {args: {owner: {type: string, maxLength: 9}}}\n"),
        rule("args.payee == principal.id", tools="tools:\n  refund: {args: {payee: {type: string, maxLength: 9}}}\n"),
        rule("args.owner == principal.id && args.n > 5", tools="tools:\n  refund: {args: {owner: {type: string, maxLength: 9}, n: {type: integer, minimum: 0}}}\n"),
        rule("args.owner == principal.id", tools="tools:\n  refund: {args: {owner: {type: string, maxLength: 9}}}\n", effect="require_approval, approval: {approvers: [a], expires: 1h}"),
    ],
    "PE155": [
        text("env", ", pattern: '^(dev|staging)$'"),
        text("version", ", pattern: '^[0-9]+([.][0-9]+|)$'"),
        text("env", r", pattern: '^(dev|\|)$'"),
        text("env", ", minLength: 1, pattern: '^(dev|staging|)$'"),
    ],
    "PE156": [
        found("'[0-9]{15}'"), found(r"'\b(?:[0-9][ -]?){12,18}[0-9]\b'"), found("'ORD-[0-9]{16}'"),
        found("'[0-9]{16}', '[0-9]{4}[ -][0-9]{4}[ -][0-9]{4}[ -][0-9]{4}'"), found("'[0-9]+'"),
        found(r"'\b[0-9]{3}[ -]?[0-9]{2}[ -]?[0-9]{4}\b'"),
    ],
    "PE157": [
        senders("tools: [send_mail, send_slack]"),
        senders("tools: ['*']"),
        senders("tools: ['send_*'], except: [send_slack]"),
        senders("tools: [send_mail]") + "  - {id: t, tools: [send_slack], when: 'size(session.labels) > 0', effect: deny}\n",
        senders("tools: [page]"),
        senders("tools: [send_mail]").replace("send_slack: {args", "send_slack: {effect: require_approval, approval: {approvers: [a], expires: 1h}, args"),
    ],
    "PE158": [
        limits("id: a, tools: [refund], of: args.amount, max: 50, per: day, by: [principal]", tools=BOTH),
        limits("id: a, tools: [pay, pay_late], of: args.amount, max: 50, per: day, by: [principal]", tools=f"{BOTH}  pay_late: {{args: {{amount: {{type: number, minimum: 0, maximum: 5}}}}}}\n"),
        limits("id: a, tools: [pay], of: args.amount, max: 50, per: day, by: [principal]", "id: b, tools: ['pay_*'], of: args.amount, max: 50, per: day, by: [principal]", tools=f"{BOTH}  pay_late: {{args: {{amount: {{type: number, minimum: 0, maximum: 5}}}}}}\n"),
        limits("id: a, tools: [pay], of: args.amount, max: 50, per: day, by: [principal]", tools=f"{BOTH}  pay_page: {{args: {{n: {{type: integer, minimum: 0}}}}}}\n"),
        limits("id: a, tools: [pay], max: 50, per: day, by: [principal]", tools=f"{BOTH}  pay_late: {{args: {{amount: {{type: number, minimum: 0, maximum: 5}}}}}}\n"),
    ],
    "PE202": [
        "tools:\n  'read_*': {args: {a: {enum: [x, z]}}}\n",
        "tools:\n  'github/get_*': {args: {a: {enum: [x, z]}}}\n",
        "tools:\n  'db_*': {effect: require_approval, approval: {approvers: [a], expires: 1h}, args: {}}\n",
        "tools:\n  'db_*': {args: {}}\n  '*delete*': deny\n",
    ],
    "PE204": [
        text("query", ""),
        text("url", r", pattern: '^https://([a-z0-9-]+\.)+[a-z]{2,24}(/\S*)?$'"),
        text("url", r", pattern: '^https://docs[.]acme[.]com/[a-z]*$'"),
        text("filter", ", enum: [open, closed]"),
        text("expression", ", pattern: '^[0-9+*/(). -]+$'"),
        text("order_by", ", pattern: '^(id|total)( desc)?$'"),
        "tools:\n  search_files: {args: {filename: {type: string, maxLength: 80}}}\n",
        "tools:\n  t: {args: {code: {type: integer, minimum: 1}, host: {const: a.example}}}\n",
    ],
    "PE206": [rule("has(args.amount) && args.amount > 5")],
    "PE207": [
        text("a", ", pattern: '(?i)^a[0-9]+$'"),
        text("a", r", pattern: '^\(\?m\)$'"),
    ],
    "PE215": [
        text("path", ", pattern: '^/srv/data/[a-z]+$'", '!args.path.startsWith("/srv/data")'),
        text("path", "", '!args.path.startsWith("/srv/data/")'),
    ],
    "PE214": [
        limits("id: a, tools: [t], of: args.points, max: 5, by: [principal]", tools="tools:\n  t: {args: {points: {type: integer, minimum: 0, maximum: 9}}}\n"),
        limits("id: a, tools: [t], of: args.a, max: 5, by: [principal]", tools="tools:\n  t: {args: {a: {type: integer, minimum: 0, maximum: 9}, degrees: {type: integer, maximum: 9}}}\n"),
    ],
    "PE216": [
        text("url", r", pattern: '^https://([a-z]+\.)?acme\.com/[a-z]*$'"),
        text("url", r", pattern: '^https://acme\.com/[a-z]*$'"),
        text("to", r", pattern: '^[a-z.]+@acme\.com$'"),
        text("to", r", pattern: '^[a-z]+@([a-z-]+\.)*acme\.com$'"),
    ],
    "PE218": [
        text("path", r", pattern: '^[a-z0-9_-]+\.txt$'"),
        text("path", r", pattern: '^([a-z0-9_-]+/)*[a-z0-9_-]+$'"),
        text("version", r", pattern: '^[a-z0-9./]+$'"),
    ],
    "PE221": [
        "tools:\n  pay: {args: {amount: {type: string, pattern: '^[0-9]{1,4}([.][0-9]{2})?$'}}}\n",
        "tools:\n  pay: {args: {fee_note: {type: string, maxLength: 80}}}\n",
    ],
    "PE226": [
        text("to", ", format: email", '!args.to.endsWith("@acme.co.uk")'),
        text("to", "", '!args.to.endsWith(".acme.com")'),
        text("to", "", 'args.to.endsWith(".com")'),
        text("file", ", pattern: '^[a-z]{1,9}[.]md$'"),
        text("url", r", pattern: '^https://(app|api)\.acme\.com$'"),
    ],
    "PE227": [
        text("url", ", enum: ['https://api.example.com/', 'https://8.8.8.8/']"),
        text("url", "", '!args.url.startsWith("https://api.example.com/")'),
        text("url", "", 'args.url.startsWith("http://")'),
        text("note", ", enum: ['http is meant here']"),
    ],
    "PE228": [
        text("command", ", pattern: '^git (status|log|diff)$'"),
        text("command", ", pattern: '^ls [a-z0-9_ -]*$'"),
        text("command", ", enum: [ls, bash]"),
        text("sql", ", pattern: '^SELECT [a-z_, ]+ FROM [a-z_]+$'"),
        text("title", ", pattern: '^Re: .*$'"),
        "tools:\n  t: {args: {command: {enum: [ls, cat]}, file: {enum: [a, b]}}}\n",
    ],
    "PE229": [
        limits("id: a, tools: [refund], of: args.amount, max: 5, by: [session]", "id: b, tools: ['*'], of: args.amount, max: 50, per: day, by: [tenant]"),
        limits("id: a, tools: [refund], max: 5, by: [session]"),
        limits("id: a, tools: [refund], of: args.amount, max: 5, by: [principal, session]"),
    ],
    "PE230": [
        "tools:\n  grant_role:\n    args: {role: {enum: [reader, admin]}}\n    rules: [{id: r, when: 'args.role != \"reader\"', effect: deny}]\n",
        "tools:\n  wipe:\n    args: {role: {enum: [reader, admin]}}\n    rules: [{id: r, when: 'args.role == \"admin\"', effect: deny}]\n",
        "tools:\n  wipe:\n    args: {role_id: {enum: [r1, r2]}}\n    rules: [{id: r, when: 'args.role_id != \"r1\"', effect: deny}]\n",
        "tools:\n  invite_member:\n    args: {role: {const: reader}, user_role: {enum: [a, b]}}\n    rules: [{id: r, when: 'args.user_role != \"a\"', effect: deny}]\n",
        "tools:\n  wipe: {args: {confirm: {const: true}, approved: {const: false}}}\n",
        "tools:\n  wipe:\n    args: {env: {enum: [prod, dev]}}\n    rules: [{id: r, when: 'args.env != \"dev\"', effect: deny}]\n",
    ],
    "PE231": [
        text("to", ", format: email, pattern: '@acme[.]com$'"),
        text("to", r", pattern: '^[^@\s,;]+@acme\.com$'"),
        text("to", ", format: email", '!args.to.endsWith("@acme.com")'),
        text("to", "", 'args.to.endsWith("@rival.example")'),
        text("url", r", pattern: '^https://[a-z]+@acme\.com$'"),
    ],
    "PE232": [
        text("ip", ", format: ipv4", '!cidr("10.0.0.0/8").containsIP(args.ip)'),
        text("ip", ", format: ipv4", 'cidr("224.0.0.0/3").containsIP(args.ip)'),
        text("ip", ", format: ipv6", '!cidr("fc00::/7").containsIP(args.ip)'),
    ],
    "PE233": [
        text("url", r", pattern: '^https://docs[.]acme[.]com/[a-z]*$'", 'args.url.contains("169.254.169.254")'),
        text("note", ", check: {terms: {any: [localhost-ish]}}"),
        text("url", "", '!args.url.startsWith("http://localhost/")'),
    ],
    "PE234": [
        "tools:\n  delete_users: {args: {ids: {type: array, maxItems: 5, items: {type: integer}}}}\n",
        "tools:\n  read_users: {args: {ids: {type: array, items: {type: integer}}}}\n",
        "tools:\n  delete_users: {args: {ids: {type: array, items: {type: integer}}}, rules: [{id: r, when: size(args.ids) > 9, effect: deny}]}\n",
    ],
    "PE235": [
        rule("args.amount >= 300"),
        rule("args.amount == 0.5 || args.amount > 0.5"),
        rule("args.amount == 500"),
        rule("args.points == 5", tools="tools:\n  refund: {args: {points: {type: integer, minimum: 0, maximum: 9}}}\n"),
    ],
    "PE236": [
        text("tenant_id", "", "args.tenant_id != principal.tenant"),
        text("tenant_id", ", enum: [acme]"),
        text("tenant_name_of_the_flat", ""),
    ],
    "PE237": [
        "tools:\n  t: {args: {to: {enum: [a@acme.com]}, cc: {enum: [b@acme.com]}}}\n",
        "tools:\n  t: {args: {to: {type: string, format: email}, cc: {type: string, format: email}}}\n",
        "tools:\n  t:\n    args: {to: {enum: [a@acme.com]}, cc: {type: string, format: email}}\n    rules: [{id: r, when: '!args.cc.endsWith(\"@acme.com\")', effect: deny}]\n",
        "tools:\n  t: {args: {cc: {type: string, format: email}}}\n",
    ],
    "PE238": [
        text("url", f", pattern: '{pattern}'")
        for pattern in (
            r"^https://acme\.com/.*$", r"^https://([a-z0-9-]+\.)*acme\.com/[a-z]*$", r"^https://acme\.com$",
            r"^https://([a-z0-9-]+\.)+[a-z]{2,24}(/[^\s]*)?$", r"^https://acme\.com(/[a-z]*)?(\?[a-z=&]*)?$",
        )
    ],
    "PE316": [
        rule('args.amount > 5 && (principal.id == "a" || principal.id == "b")'),
        rule('(args.amount > 5 && principal.id == "a") || principal.id == "b"'),
        rule('((args.amount > 5) && (principal.id == "a")) || (principal.id == "b")'),
        rule('args.amount > 5 || principal.id in ["a || b && c"]'),
    ],
    "PE313": ["tools:\n  t: allow  # lint: ignore[PE203] until finance has decided on 2024-01-01\n"],
    "PE314": ["tools:\n  t: allow  # lint: ignore[PE203] the tool checks; @payments/core until 2999-01-01\n"],
    "PE315": ["description: x\nowner: me\ntools: {t: deny}\nlimits: [{id: a, stage: handoff, max: 5, by: [session]}]\n"],
}  # fmt: skip


def codes(body, **options):
    compiled = load_texts({"p.yaml": f"policy: p\nlanguage: 1\n{body}"}, warm=False)
    settings = Settings(persona="pedantic", **options)
    return [one.code for one in lint(compiled, today=TODAY, settings=settings).findings]


CASES = [
    pytest.param(code, body, id=f"{code}-{index}")
    for code, bodies in SOUND.items()
    for index, body in enumerate(bodies)
]


@pytest.mark.parametrize(("code", "body"), CASES)
def test_an_honest_policy_is_left_alone(code, body):
    assert code not in codes(body)


ROLES = frozenset({"support", "finance"})


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("applies_to: {roles: [suport]}\n" + REFUND, True),
        ("applies_to: {roles: [support]}\n" + REFUND, False),
        ("applies_to: {roles: ['sup*']}\n" + REFUND, False),
        ("applies_to: {roles: ['hr-*']}\n" + REFUND, True),
        (rule('!("admin" in principal.roles)'), True),
        (rule('!("finance" in principal.roles)'), False),
    ],
)
def test_roles_that_a_project_lists(body, wanted):
    assert ("PE143" in codes(body, roles=ROLES)) is wanted


@pytest.mark.parametrize(
    ("reason", "wanted"),
    [
        ("the tool checks them", ["PE314"]),
        ("the tool checks them, @payments", ["PE314"]),
        ("the tool checks them until 2999-01-01", ["PE314"]),
        ("the tool checks them until 2025-01-01, @payments", ["PE313"]),
        ("the tool checks them until 2025-13-01, @payments", ["PE313"]),
        ("mail me@acme.com until 2999-01-01", ["PE314"]),
    ],
)
def test_what_an_exception_must_say(reason, wanted):
    found = codes(f"tools:\n  t: allow  # lint: ignore[PE203] {reason}\n")
    assert [code for code in found if code in {"PE313", "PE314"}] == wanted


def test_an_exception_of_a_rule_says_why():
    body = f"{BOTH}rules:\n  - {{id: r, tools: ['*'], except: [pay], effect: deny}}\n"
    assert "PE314" in codes(body)
    assert "PE314" not in codes(body.replace("id: r,", "id: r, description: Paying is asked,"))


@pytest.mark.parametrize(
    "body",
    [
        "tools: {t: deny}\nowner: me\n",
        "description: x\nrules:\n  - {tools: ['*'], id: r, effect: deny}\ntools: {t: deny}\n",
        "tools: {t: deny}\nrules:\n  - {effect: deny, tools: ['*'], id: r}\n",
    ],
)
def test_sections_and_rules_out_of_order(body):
    assert "PE315" in codes(body)
