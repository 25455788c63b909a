"""What the rules about bounds, spellings, messages and whole texts leave alone.

Each flaw stands in the catalogue; here are the honest policies next to it.
"""
# ruff: noqa: E501 - a table of one-line policies

from datetime import date
from time import process_time

import pytest

from policy_engine.decision import Facts
from policy_engine.decision.wire import read_request
from policy_engine.engine import Engine
from policy_engine.lint import Settings, lint
from policy_engine.loader import load_texts

PAY = "tools:\n  pay: {args: {amount: {type: number, exclusiveMinimum: 0, maximum: 1000}}}\n"
COUNT = "tools:\n  pay: {args: {n: {type: integer, minimum: 0, maximum: 50}}}\n"
CENTS = "tools:\n  pay: {args: {amount_cents: {type: integer, minimum: 1, maximum: 90000}}}\n"
PERCENT = "tools:\n  pay: {args: {percent: {type: number, minimum: 0, maximum: 50}}}\n"
USERS = (
    "tools:\n  delete_user: {args: {id: {type: integer, minimum: 1}}}\n"
    "  purge_user: {args: {id: {type: integer, minimum: 1}}}\n"
)
SEND = (
    "tools:\n  fetch: {args: {p: {enum: [a, b]}}, labels: [untrusted]}\n"
    "  send: {args: {text: {type: string, maxLength: 80}, force: {type: boolean}, dry_run: {type: boolean}}}\n"
)
ASK = "effect: require_approval, approval: {approvers: [finance], expires: 1h}"
DENY = "effect: deny"


def rules(*lines, tools=PAY, name="pay", named=False):
    written = (
        f"  - {{{'' if named else f'id: r{i}, '}tools: [{name}], {line}}}\n"
        for i, line in enumerate(lines)
    )
    return f"{tools}rules:\n{''.join(written)}"


def sends(*lines):
    return rules(*lines, tools=SEND, name="send")


def limits(*lines, tools=PAY):
    return f"{tools}limits:\n" + "".join(f"  - {{{line}}}\n" for line in lines)


def takes(written):
    return f"tools:\n  t: {{args: {{{written}}}}}\n"


def finds(pattern, stage="output", effect="redact"):
    return (
        f"{stage}:\n  - {{id: r, check: {{pattern: {{any: ['{pattern}']}}}}, effect: {effect}}}\n"
    )


def said(schema, message):
    return f"tools:\n  t:\n    args: {{n: {{{schema}, message: {message}}}}}\n"


CLOCK = 'now.getHours("UTC")'
DAY = 'now.getDayOfWeek("UTC")'
STAFF = ('("doctor" in principal.roles)', '("nurse" in principal.roles)')
QDAY = "now.getDayOfWeek()"
SOUND = {
    "PE159": [
        rules(f"when: args.amount > 100 && args.amount < 500, {ASK}", f"when: args.amount >= 500, {DENY}"),
        rules(f"when: args.amount > 100 && args.amount <= 500, {ASK}", f"when: args.amount > 500, {DENY}"),
        rules(f"when: args.n > 5 && args.n <= 10, {ASK}", f"when: args.n >= 11, {DENY}", tools=COUNT),
        rules(f"when: args.amount < 500, {ASK}", f"when: args.amount > 500, {DENY}", f"when: args.amount == 500, {DENY}"),
        rules(f"when: args.amount < 500, {ASK}", f"when: args.amount > 502, {DENY}"),
        rules(f"when: args.n < 5, {DENY}", f"when: args.n > 5, {DENY}", tools=COUNT),
        rules(f"when: args.n < 5 || args.n > 5, {DENY}", tools=COUNT),
        rules(f"when: '{CLOCK} < 9', {DENY}", f"when: '{CLOCK} >= 17', {ASK}"),
        rules(f"when: '{CLOCK} < 12', {ASK}", f"when: 'now.getHours(\"Europe/Berlin\") > 12', {DENY}"),
        rules(f"when: args.amount < 500, {ASK}", f"when: 'principal.id == \"a\" && args.amount > 500', {DENY}", f"when: args.amount <= 500, {DENY}"),
        (f"tools:\n  a:\n    args: {{n: {{type: integer, minimum: 0, maximum: 9}}}}\n    rules: [{{id: a, when: args.n < 5, {ASK}}}]\n"
        f"  b:\n    args: {{n: {{type: integer, minimum: 0, maximum: 9}}}}\n    rules: [{{id: b, when: args.n > 5, {DENY}}}]\n"),
    ],
    "PE160": [
        f"applies_to: {{roles: [admin, Admin]}}\n{PAY}",
        rules(f"when: '!(\"admin\" in principal.roles || \"Admin\" in principal.roles)', {DENY}"),
        f"applies_to: {{roles: [admin], agents: [Admin]}}\n{PAY}",
        rules(f"when: '!(\"hr\" in principal.roles)', {DENY}", f"when: '!(\"hrs\" in principal.roles)', {DENY}"),
        rules(f"when: '!(\"boss\" in principal.roles)', {DENY}", f"when: '!(\"bos\" in principal.roles)', {DENY}"),
        rules(f"when: '!(\"tier-1\" in principal.roles)', {DENY}", f"when: '!(\"tier-2\" in principal.roles)', {DENY}"),
    ],
    "PE161": [
        finds(r"\d{4}-\d{2,4}-\d{2,}"), finds(r"\d\{4 \}"), finds(r"a{x}"), finds(r"[{4 }]b"), finds(r"\p{L}{3}-\d"),
        takes("code: {type: string, pattern: '^[A-Z]{2, 4}$'}"), finds(r"a(?=b{,4})"),
    ],
    "PE162": [
        sends(f"when: '\"untrusted\" in session.labels', {DENY}"),
        sends(f"when: '!(\"untrusted\" in session.labels)', {ASK}", f"when: '\"untrusted\" in session.labels', {DENY}"),
        sends(f"when: '!(\"untrusted\" in session.labels) || args.force', {ASK}"),
        SEND.replace("untrusted", "screened") + f"rules:\n  - {{id: r, tools: [send], when: '!(\"screened\" in session.labels)', {DENY}}}\n",
        sends(f"when: '!(\"admin\" in principal.roles)', {DENY}, message: Only an admin may send."),
        sends(f"when: '\"intern\" in principal.roles', {DENY}, message: Interns may not send."),
        sends(f"when: '\"intern\" in principal.roles', {DENY}, message: 'Only seniors may send, and no intern.'"),
        sends(f"when: args.force, {DENY}, message: No force."),
        sends(f"when: '!args.dry_run', {DENY}, message: Not without a dry run first."),
        sends(f"when: '!args.force', {DENY}, message: Set force."),
        sends(f"when: '!(\"fetch\" in session.calls)', {DENY}, message: Fetch the page first."),
        sends(f"when: '\"fetch\" in session.calls', {DENY}, message: Not after reading a page."),
        "facts: {user: {from: app:user, with: [principal.id], schema: {type: object, properties: {consent: {type: boolean}}}}}\n"
        + sends(f"when: '!facts.user.consent', {DENY}, message: Not without consent."),
        "facts: {user: {from: app:user, with: [principal.id], schema: {type: object, properties: {consent: {type: boolean}}}}}\n"
        + sends(f"when: facts.user.consent, {DENY}, message: Consent was already given."),
        sends(f"when: '!args.dry_run', {ASK}"),
        sends(f"when: args.dry_run, {DENY}", f"when: '!args.dry_run', {ASK}"),
        sends(f"when: 'args.dry_run || args.force', {ASK}"),
    ],
    "PE163": [
        said("type: integer, minimum: 1, maximum: 500", "At most 500."),
        said("type: integer, minimum: 1, exclusiveMaximum: 501", "Up to 500."),
        said("type: integer, minimum: 1, maximum: 86400", "At most 24 hours."),
        said("type: integer, minimum: 1, maximum: 5000000", "At most 5 MB."),
        said("type: integer, minimum: 1, maximum: 10000", "'At most 10,000 of them.'"),
        said("type: integer, minimum: 1, maximum: 10000", "At most 10k."),
        said("type: integer, minimum: 1, maximum: 50000", "The amount is above 0 and at most 500 EUR."),
        said("type: string, maxLength: 80", "At most 80 characters."),
        said("type: string, pattern: '^[A-Z]{3}-[0-9]{8}$'", "'Up to 8 digits, such as ABC-1234'"),
        said("type: string, maxLength: 80", "Write as section 12 of version 3 says."),
        rules(f"when: args.amount >= 100, {ASK}, message: Refunds of 100 and above 99 need an approval."),
        rules(f"when: args.amount > 500, {ASK}, message: 'Refunds over 500 need an approval, up to 2 people give it.'"),
        "vars: {cap: 250}\n" + rules(f"when: args.amount > vars.cap, {ASK}, message: Above 250 finance is asked."),
        "context: {cap: {type: number}}\n" + rules(f"when: args.amount > context.cap, {ASK}, message: Above 250 finance is asked."),
        limits("id: a, tools: [pay], max: 5, per: 1h, by: [principal], message: At most 5 an hour."),
        limits("id: a, tools: [pay], max: 3, per: 10m, by: [principal], message: Not more than 600 seconds."),
    ],
    "PE164": [
        rules(f"when: '{DAY} in [0, 6]', {DENY}"),
        rules(f"when: '{DAY} == 0 || {DAY} > 5', {DENY}"),
        rules(f"when: '{DAY} < 1 || {DAY} >= 6', {DENY}"),
        rules(f"when: '!({DAY} >= 1 && {DAY} <= 5)', {DENY}"),
        rules(f"when: '{DAY} > 3', {ASK}"),
        rules(f"when: '{DAY} == 6', {ASK}"),
    ],
    "PE165": [
        rules(f"id: no-fridays, when: {QDAY} == 5, {DENY}", named=True),
        rules(f"id: no-fridays, when: '{QDAY} in [0, 5, 6]', {DENY}", named=True),
        rules(f"id: friday-to-sunday, when: '{QDAY} in [0, 5, 6]', {DENY}", named=True),
        rules(f"id: from-friday, when: {QDAY} >= 5 || {QDAY} == 0, {DENY}", named=True),
        rules(f"id: r, when: {QDAY} == 4, {DENY}, message: Only from Monday to Friday.", named=True),
        rules(f"id: r, when: {QDAY} == 4, {DENY}", named=True),
    ],
    "PE166": [
        rules(f"when: args.amount > 100, {ASK}, message: Payments above 100 need an approval."),
        rules(f"when: args.amount < 10, {DENY}, message: At least 10."),
        rules(f"when: args.amount > 500, {DENY}, message: At most 500."),
        rules(f"when: args.amount < 10, {DENY}, message: Payments must stay above 10."),
        rules(f"when: args.amount <= 10, {ASK}, message: Payments up to 10 need an approval."),
        rules(f"when: args.amount < 10 || args.amount > 500, {DENY}, message: 'At least 10, at most 500.'"),
        rules(f"when: args.amount < 100, {ASK}, message: Above 900 nothing needs an approval here."),
        rules(f"when: args.amount > 500 || args.amount < 4, {ASK}, message: Above 500 or more than 4 needs an approval."),
        rules(f'when: args.amount > 500 && principal.id == "a", {ASK}, message: Above 500 or for 4 people needs an approval.'),
    ],
    "PE167": [
        rules(f"when: args.amount_cents > 10000, {DENY}, message: At most 100 EUR.", tools=CENTS),
        rules(f"when: args.amount_cents > 100, {DENY}, message: At most 100 cents.", tools=CENTS),
        rules(f"when: args.amount_cents > 100, {DENY}, message: At most 100.", tools=CENTS),
        rules(f"when: args.amount > 100, {DENY}, message: At most 100 EUR."),
        rules(f"when: args.percent > 10, {DENY}", tools=PERCENT),
        rules(f"when: args.percent > 0.1, {DENY}", tools=PERCENT.replace("maximum: 50", "maximum: 1")),
        said("type: integer, minimum: 1, maximum: 30", "At most 30 minutes.").replace("n:", "minutes:"),
        limits("id: a, tools: [pay], of: args.amount_cents, max: 20000, per: day, by: [principal], message: At most 200 EUR.", tools=CENTS),
    ],
    "PE168": [
        rules(f"id: night, when: '{CLOCK} >= 22 || {CLOCK} < 6', {DENY}", named=True),
        rules(f"id: evening, when: '{CLOCK} >= 22', {DENY}", named=True),
        rules(f"id: nights, when: '!({CLOCK} >= 6 && {CLOCK} < 22)', {DENY}", named=True),
        rules(f"id: late-night, when: '{CLOCK} >= 22', {ASK}", f"id: early, when: '{CLOCK} < 6', {DENY}", named=True),
        rules(f"id: night, when: '{CLOCK} >= 12', {DENY}", named=True),
    ],
    "PE169": [
        rules(f"when: args.id > 5, {DENY}", tools=USERS, name='"delete_*", "purge_*"'),
        rules(f"when: args.id > 5, {DENY}", f"when: args.id > 9, {ASK}", tools=USERS, name='"*_user"'),
        rules(f"when: args.id > 5, {DENY}", tools=USERS.replace("purge_user:", "purge_cache:"), name="delete_user"),
        rules(f"when: args.id > 5, {DENY}", tools=USERS.replace("purge_user: {", "purge_user: {effect: deny, "), name="delete_user"),
        rules(f"when: args.id > 5, {DENY}", tools=USERS.replace("purge_user: {", "purge_user: {rules: [{id: own, when: args.id > 1, effect: deny}], "), name="delete_user"),
        rules(f"when: args.id > 5, {DENY}", tools=USERS, name="delete_user") + "limits: [{id: l, tools: [purge_user], max: 5, per: 1h, by: [principal]}]\n",
        rules(f"when: args.id > 5, {DENY}", tools=USERS.replace("purge_user:", "read_user:"), name="delete_user"),
    ],
    "PE170": [
        limits("id: daily, tools: [pay], max: 5, per: day, by: [principal]"),
        limits("id: daily, tools: [pay], max: 5, per: 24h, by: [principal]"),
        limits("id: monthly, tools: [pay], max: 5, per: 31d, by: [principal]"),
        limits("id: a, tools: [pay], max: 5, per: 1h, by: [principal], message: 'Five an hour, not five a day.'"),
        limits("id: a, tools: [pay], max: 5, by: [session], message: You pay once a day."),
        limits("id: a, tools: [pay], max: 5, per: 1h, by: [principal], message: Try again later."),
    ],
    "PE171": [
        rules(f"when: args.amount > 5, {ASK}, message: This needs an approval from finance."),
        rules(f"when: args.amount > 5, {ASK}, message: This needs an approval from the owner."),
        rules(f"when: args.amount > 5, {ASK.replace('finance', 'hr')}, message: Tell finance first.", f"when: args.amount > 7, {ASK}"),
        rules(f"when: args.amount > 5, {ASK.replace('finance', 'finance, hr')}, message: Ask hr.", f"when: args.amount > 7, {ASK.replace('finance', 'hr')}"),
    ],
    "PE172": [
        rules(f"when: session.calls.pay >= 3, {DENY}, message: At most 3 payments."),
        rules(f"when: session.calls.pay > 2, {DENY}, message: At most 3 payments."),
        rules(f"when: session.calls.pay > 3, {DENY}, message: No more payments."),
        rules(f"when: session.calls.fetch > 3, {DENY}, message: At most 3 pages.", tools=SEND, name="send"),
        rules(f"when: session.calls.pay < 3, {ASK}, message: More than 3 payments need no approval."),
    ],
    "PE173": [
        rules(f"when: '!({STAFF[0]} || {STAFF[1]})', {DENY}, message: Only doctors and nurses."),
        rules(f"when: '!({STAFF[0]} && {STAFF[1]})', {DENY}, message: Only who is both doctor and nurse."),
        rules(f"when: '!({STAFF[0]} && {STAFF[1]})', {DENY}, message: Only senior staff."),
        rules(f"when: '!{STAFF[0]} && !{STAFF[1]}', {DENY}, message: Only doctors and nurses."),
        rules(f"when: '!{STAFF[0]}', {DENY}, message: Only doctors and nurses."),
    ],
    "PE174": [
        rules(f"when: '{CLOCK} < 9 || {CLOCK} >= 17', {DENY}, message: Between 9 and 17."),
        rules(f"when: '{CLOCK} < 9 || {CLOCK} > 16', {DENY}, message: Between 9 and 17."),
        rules(f"when: '{CLOCK} < 9 || {CLOCK} > 17', {DENY}, message: Between 9 and 17:59."),
        rules(f"when: '{CLOCK} < 9 || {CLOCK} > 17', {DENY}, message: Only in office hours."),
        rules(f"when: '{CLOCK} > 17', {DENY}, message: Ask 2 of us and 170 others."),
    ],
    "PE233": [
        "tools:\n  fetch: {args: {url: {type: string, format: uri}}}\nrules:\n"
        f"  - {{id: r, tools: [fetch], check: {{pattern: {{any: ['{pattern}']}}}}, effect: deny}}\n"
        for pattern in (r"(?i)\.onion", r"https?://", r"evil[.]example", r"[0-9]+[.][0-9]+")
    ],
    "PE239": [
        finds(r"\b[A-Z]{2}[0-9]{7}\b"), finds(r"(?m)^[A-Z]{2}[0-9]{7}$"), finds(r"(?s)^.*internal use.*$", effect="deny"),
        finds(r"^[A-Z !]+$", effect="deny"), finds(r"^/(?:admin|debug)\b", stage="input", effect="deny"),
        "output:\n  - {id: r, check: {pattern: {any: ['^[A-Z]{2}[0-9]{7}$', '[A-Z]{2}[0-9]{7}']}}, effect: redact}\n",
        "tools:\n  t: {args: {}, result: [{id: r, check: {pattern: {any: ['^[0-9]{12}$']}}, effect: redact}]}\n",
        finds(r"(?i)^ignore\b", stage="input", effect="deny"),
        finds(r"(?i)ignore (?:all )?previous instructions", stage="input", effect="deny"),
        finds(r"(?im)^ignore previous instructions", stage="input", effect="deny"),
    ],
    "PE240": [
        limits("id: daily, tools: [pay], max: 20, per: day, by: [principal]"),
        limits("id: daily-amount, tools: [pay], of: args.amount, max: 9000, per: day, by: [principal]"),
        limits("id: often, tools: [pay], max: 5000, per: day, by: [principal]", "id: sum, tools: [pay], of: args.amount, max: 9000, per: day, by: [principal]"),
        limits("id: number-of-amounts, tools: [pay], max: 60, per: day, by: [principal]"),
        limits("id: everybody, tools: [pay], max: 100000, per: day, by: [global]"),
        limits("id: many, tools: [t], max: 100000, per: day, by: [principal]", tools=takes("n: {type: integer, minimum: 0, maximum: 9}")),
    ],
    "PE241": [
        "context: {env: {enum: [prod, staging]}}\n" + rules(f'when: context.env == "prod", {DENY}'),
        "context: {env: {type: string, pattern: '^[a-z]+$'}}\n" + rules(f'when: context.env == "prod", {DENY}'),
        "context: {env: {type: string}}\n" + rules(f'when: context.env != "staging", {DENY}'),
        "context: {env: {type: string}}\n" + rules(f"when: '!(context.env in [\"dev\", \"staging\"])', {DENY}"),
        "context: {env: {type: string}}\n" + rules(f'when: context.env.lowerAscii() == "prod", {DENY}'),
        "context: {customer_id: {type: string}}\n" + rules(f'when: context.customer_id == "acme", {DENY}'),
        "context: {version: {type: string}}\n" + rules(f'when: context.version == "1.2", {DENY}'),
        "context: {mode: {type: string}}\n" + rules(f"when: 'context.mode.lowerAscii().startsWith(\"maint\")', {DENY}"),
        "context: {mode: {enum: [maint, normal]}}\n" + rules(f"when: 'context.mode.startsWith(\"maint\")', {DENY}"),
    ],
    "PE242": [
        takes("limit: {type: integer, minimum: 1, maximum: 100}"), takes("celsius: {type: number, maximum: 30}"),
        takes("utc_offset_hours: {type: integer, maximum: 14}"), takes("delta_days: {type: integer, maximum: 14}"),
        takes("days: {type: integer}"), takes("days: {type: integer, exclusiveMinimum: 0, maximum: 9}"),
        takes("days: {type: integer, maximum: 9, not: {maximum: -1}}"),
        rules(f"when: args.days < 0, {DENY}", tools="tools:\n  pay: {args: {days: {type: integer, maximum: 9}}}\n"),
    ],
    "PE243": [
        takes("amount: {type: number, exclusiveMinimum: 0, maximum: 50}, currency: {enum: [EUR, USD]}"),
        takes("amount: {type: number, exclusiveMinimum: 0, maximum: 50}, currency: {const: EUR}"),
        takes("amount: {type: number, exclusiveMinimum: 0, maximum: 50}, currency: {type: string, pattern: '^(EUR|USD)$'}"),
        takes("n: {type: number, minimum: 0, maximum: 50}, currency: {type: string, maxLength: 3}"),
        rules(f"when: 'args.currency != \"EUR\"', {DENY}", tools="tools:\n  pay: {args: {amount: {type: number, minimum: 0, maximum: 50}, currency: {type: string, maxLength: 3}}}\n"),
        rules(f"when: 'args.currency == \"KWD\" && args.amount > 5', {DENY}", tools="tools:\n  pay: {args: {amount: {type: number, minimum: 0, maximum: 50}, currency: {type: string, maxLength: 3}}}\n"),
    ],
    "PE244": [
        takes("limit: {type: integer, minimum: 1, maximum: 100}"), takes("page: {type: integer, minimum: 1}"),
        takes("offset: {type: integer, minimum: 0}"), takes("limit: {type: integer}"), takes("row_id: {type: integer, minimum: 1}"),
        takes("limit: {enum: [10, 100]}"),
        rules(f"when: args.limit > 50, {DENY}", tools="tools:\n  pay: {args: {limit: {type: integer, minimum: 1}}}\n"),
    ],
    "PE245": [
        rules(f"when: args.amount > 5, {ASK}") + "limits: [{id: l, tools: [pay], max: 5, per: 1h, by: [principal]}]\n",
        rules(f"when: args.amount > 5, {DENY}"),
        rules(f"when: args.amount > 5, {ASK}", tools=PAY.replace("pay:", "quote:"), name="quote"),
        rules(f"when: args.amount < 5, {ASK}"),
    ],
    "PE246": [
        takes("discount_percent: {type: number, minimum: 0, maximum: 100}"),
        takes("growth_percent: {type: number, minimum: 0, maximum: 900}"),
        takes("discount: {type: number, minimum: 0, maximum: 900}"),
        rules(f"when: args.discount_percent > 30, {DENY}", tools="tools:\n  pay: {args: {discount_percent: {type: number, minimum: 0}}}\n"),
    ],
}  # fmt: skip


READ_OTHERWISE = {
    "PE162": [
        rules(f"when: '\"guest\" in principal.roles', {DENY}, message: Guests can only look."),
        rules(f"when: '\"guest\" in principal.roles', {DENY}, message: Only guests may not pay."),
        rules(f"when: '\"guest\" in principal.roles', {DENY}, message: Only guests may be refused here."),
        rules(f"when: '\"guest\" in principal.roles', {ASK}, message: Only guests need an approval."),
        rules(f"when: '\"guest\" in principal.roles', {DENY}, message: 'Guests are restricted to looking, members are not.'"),
        rules(f"when: '\"guest\" in principal.roles', {ASK}, message: Only guests can be asked for a confirmation."),
        sends(f"when: '!args.force', {DENY}, message: 'No mail without force, as the first one was lost.'"),
        sends(f"when: '!args.force', {DENY}, message: Not allowed without force."),
        sends(f"when: '\"fetch\" in session.calls', {ASK}, message: Fetch was called before this. Check the first page."),
        sends(f"when: '\"fetch\" in session.calls', {DENY}, message: Only the first fetch may be sent on."),
        sends(f"when: args.dry_run, {ASK}, message: Dry runs hold a lock for an hour."),
        sends(f"when: '!(\"untrusted\" in session.labels)', {DENY}, message: There is nothing untrusted to report."),
    ],
    "PE163": [
        said("type: integer, minimum: 1, maximum: 60", "'At most 3 dozen, or call us.'"),
        said("type: integer, minimum: 1, maximum: 60", "Up to 4 crates."),
        said("type: number, minimum: 1, maximum: 60", "At most 50 EUR net."),
        said("type: integer, minimum: 1, maximum: 60", "'Between 9 and 17 there are more, up to 80.'"),
        said("type: integer, minimum: 1, maximum: 20", "At most 100 a week."),
        said("type: string, maxLength: 200", "At most 30 words."),
        said("type: string, maxLength: 200", "'Write to us above 1.000.000 EUR.'"),
        rules(f"when: args.amount > 500, {DENY}, message: Payments over 500 are not possible; more than 900 never were."),
        rules(f"when: args.amount > 500, {DENY}, message: Use the counter for more than 500 EUR; it closes after 18:00."),
        rules(f"when: args.amount > 500, {ASK}, message: Two people sign above 500.", f"when: args.amount > 100, {ASK}, message: Up to 500 one is enough."),
        limits("id: a, tools: [pay], max: 4, per: 6h, by: [principal], message: At most 16 a day."),
        limits("id: a, tools: [pay], max: 4, per: 6h, by: [principal], message: Up to 90 days later you can try again."),
        limits("id: a, tools: [pay], max: 5, per: 1h, by: [principal], message: A handful of payments of at most 200 EUR each."),
    ],
    "PE164": [
        rules(f"id: saturdays, when: '{DAY} >= 6', {DENY}", named=True),
        rules(f"id: a, when: '{DAY} > 5', {DENY}", f"id: b, when: '{DAY} == 0', {ASK}", named=True),
    ],
    "PE165": [
        rules(f"id: r, when: '{QDAY} == 4', {DENY}, message: Nothing runs on the day before Friday.", named=True),
        rules(f"id: r, when: '{QDAY} == 4', {DENY}, message: Friday's menu is fixed by then.", named=True),
        rules(f"id: r, when: '!({QDAY} in [1, 2, 3, 4])', {DENY}, message: No deployments on Fridays.", named=True),
        rules(f"id: r, when: '{QDAY} == 1', {DENY}, message: 'Closed, try again on Tuesday.'", named=True),
        rules(f"id: r, when: '{QDAY} == 1', {DENY}, message: Come back on Tuesday.", named=True),
    ],
    "PE166": [
        rules(f"when: args.amount >= 100, {ASK}, message: Payments below 100 need no approval."),
        rules(f"when: args.amount > 100, {DENY}, message: 'Only payments up to 100.'"),
        rules(f"when: args.amount < 10, {DENY}, message: 'Use another tool for at most 10.'"),
        rules(f"when: args.amount >= 10, {DENY}, message: At least 10 are paid by phone."),
        rules(f"when: args.amount <= 100, {ASK}, message: 'Who pays more than 100 needs an approval of the bank, all others that of a clerk.'"),
        rules(f"when: args.amount < 100, {ASK}, message: 'Payments below 100 need an approval, as fees are high.'"),
        rules(f"when: args.amount < 100, {ASK}, message: 'More than 100 requires the approval of nobody.'"),
    ],
    "PE167": [
        rules(f"when: args.amount_cents > 1000, {DENY}, message: Above 1000 cents (10 EUR) it is denied.", tools=CENTS),
        rules(f"when: args.amount_cents > 1000, {DENY}, message: 'At most 1000, that is 10 EUR.'", tools=CENTS),
        said("type: integer, minimum: 1, maximum: 30", "'30, 20 hours a day.'").replace("n:", "minutes:"),
        said("type: integer, minimum: 1, maximum: 24", "'24 minutes, 24 hours a day.'").replace("n:", "minutes:"),
        said("type: number, minimum: 0, maximum: 5", "At most 5 percent.").replace("n:", "percent:"),
        rules(f"when: args.percent > 0.5, {ASK}, message: Above half a percent somebody looks.", tools=PERCENT),
        rules(f"when: args.percent > 0.1, {ASK}", tools=PERCENT),
    ],
    "PE168": [
        rules(f"id: r, when: '{CLOCK} >= 22', {DENY}, message: Closed from 22 to midnight. At night ask security.", named=True),
        rules(f"id: r, when: '{CLOCK} >= 20', {DENY}, message: The last room of the night is gone.", named=True),
        rules(f"id: book-nights, when: '{CLOCK} >= 20', {DENY}, message: Book until 8 pm.", named=True),
    ],
    "PE169": [
        rules(f"when: args.id > 5, {DENY}", tools=USERS.replace("purge_user:", "remove_user:"), name="delete_user"),
        rules(f"when: args.id > 5, {DENY}", tools=USERS.replace("purge_user: {args: {id:", "purge_user: {args: {n:"), name="delete_user"),
    ],
    "PE170": [
        limits("id: a, tools: [pay], max: 5, per: 1h, by: [principal], message: You have a minute to answer."),
        limits("id: a, tools: [pay], max: 5, per: 1h, by: [principal], message: 'Another 5 a day are possible by phone.'"),
        limits("id: a, tools: [pay], max: 5, per: 1h, by: [principal], message: 5 payments of an hour ago count as well."),
        limits("id: a, tools: [pay], max: 60, per: 1h, by: [principal], message: One a minute."),
        limits("id: monthly-statements, tools: [pay], max: 5, per: 1h, by: [principal]"),
        limits("id: a, tools: [pay], max: 5, per: 1h, by: [principal], message: Wait for a second."),
    ],
    "PE171": [
        rules(f"when: args.amount > 5, {ASK}, message: Ask hr for the form.", f"when: args.amount > 7, {ASK.replace('finance', 'hr')}"),
        rules(f"when: args.amount > 5, {ASK}, message: An approval of hr is not enough here.", f"when: args.amount > 7, {ASK.replace('finance', 'hr')}"),
        rules(f"when: args.amount > 5, {ASK}, message: 'Payments approved by hr come here, too.'", f"when: args.amount > 7, {ASK.replace('finance', 'hr')}"),
        rules(f"when: args.amount > 5, {ASK}, message: It needs an approval of hr and one of finance.", f"when: args.amount > 7, {ASK.replace('finance', 'hr')}"),
    ],
    "PE172": [
        rules(f"when: session.calls.pay > 1, {DENY}, message: 'Once you have paid, stop.'"),
        rules(f"when: session.calls.pay > 2, {DENY}, message: 'You paid twice. Once more is possible by phone.'"),
    ],
    "PE173": [
        rules(f"when: '!({STAFF[0]} && {STAFF[1]})', {DENY}, message: Needs the roles doctor and nurse."),
        rules(f"when: '!({STAFF[0]} && {STAFF[1]})', {DENY}, message: Only a doctor and nurse in one person."),
        rules(f"when: '!({STAFF[0]} && {STAFF[1]})', {DENY}, message: Doctors and nurses have other tools."),
    ],
    "PE174": [
        rules(f"when: '{CLOCK} > 17', {DENY}, message: The last order is taken at 17:30. We are open until 18.") ,
        rules(f"when: '{CLOCK} > 17', {DENY}, message: 'Until and including 17.'"),
        rules(f"when: '{CLOCK} > 17', {DENY}, message: It is limited to 17 people and 17 cars."),
    ],
    "PE209": [
        "mode: observe\ndescription: "+d+"\n"+PAY for d in ("A trial until the 30th of June.","Until June 30.","It ends in March 2027.","On trial till 31 January 2027.","Ends on 31.12.2026.","Until the end of May.")
    ],
    "PE210": [
        "tools:\n  grant_leave: {effect: require_approval, approval: {approvers: [hr], expires: 3d}, args: {}}\n",
        "tools:\n  apply_discount: {effect: require_approval, approval: {approvers: [hr], expires: 3d}, args: {}}\n",
    ],
    "PE239": [
        finds("^[0-9]{4,8}$",stage="input",effect="deny"), finds("(?i)^(good morning|good evening)[.!]?$",stage="input",effect="deny"),
        finds("^As an AI language model",effect="deny"), finds("^Dear (Mr|Ms) [A-Z][a-z]+"),finds("(?i)^thank you",effect="deny"),
    ],
    "PE240": [
        limits("id: a, tools: [pay], max: 10, per: day, by: [principal], description: Ten payments of at most 20 EUR each."),
        limits("id: budget-changes, tools: [set_budget], max: 60, per: day, by: [principal]", tools="tools:\n  set_budget: {args: {amount: {type: number, exclusiveMinimum: 0, maximum: 50}}}\n"),
        limits("id: a, tools: [pay], max: 2000, per: day, by: [agent], description: Two thousand a day."),
        limits("id: a, tools: [pay], max: 100, per: day, by: [principal], description: '100 a day, whatever their amount.'"),
    ],
    "PE242": [takes("max_celsius: {type: number, maximum: 8}"),takes("rate: {type: number, maximum: 4}"),takes("days: {type: integer, maximum: 4, description: Negative for the past.}"), takes("hours_before: {type: integer, maximum: 4}")],
    "PE243": ["tools:\n  convert: {args: {amount: {type: number, minimum: 0, maximum: 50}, currency: {type: string, pattern: '^[A-Z]{3}$'}}}\n", takes("amount: {type: number, minimum: 0, maximum: 50}, from_currency: {type: string, maxLength: 3}, to_currency: {type: string, maxLength: 3}")],
    "PE244": ["tools:\n  log_import: {args: {rows: {type: integer, minimum: 0}}}\n", takes("records: {type: integer, minimum: 0}")],
    "PE246": [takes("brightness_percent: {type: number, minimum: 0, maximum: 200}"), takes("zoom_percent: {type: number, minimum: 0, maximum: 800}"), "tools:\n  share_image: {args: {percent: {type: number, minimum: 0, maximum: 200}}}\n"],
    "PE159": [rules(f"when: args.d < 0, {DENY}", f"when: args.d > 0, {ASK}", tools="tools:\n  pay: {args: {d: {type: integer, minimum: -9, maximum: 9}}}\n")],
    "PE160": ["applies_to: {tenants: [store-1-12, store-11-2]}\n"+PAY, rules(f"when: 'agent == \"p-1.10\"', {DENY}", f"when: 'agent == \"p-11.0\"', {DENY}")],
    "PE165-months": [
        rules(f"id: r, when: now.getMonth() == 11, {DENY}, message: Not in December.", named=True),
        rules(f"id: r, when: now.getMonth() == 10, {DENY}, message: No bookings before December.", named=True),
        rules(f"id: r, when: now.getMonth() == 6, {DENY}, message: The report comes in December.", named=True),
        rules(f"id: r, when: now.getMonth() == 3, {DENY}, message: You can in May.", named=True),
        rules(f"id: r, when: now.getDayOfMonth() != 0, {DENY}, message: On the first of the month.", named=True),
        rules(f"id: r, when: now.getDate() != 1, {DENY}, message: On the 1st of the month.", named=True),
        rules(f"id: r, when: '!({QDAY} in [1, 2, 3, 4, 5])', {DENY}, message: Monday to Friday.", named=True),
        rules(f"id: r, when: '!({QDAY} in [0, 1, 2, 3, 4])', {DENY}, message: Sunday to Thursday.", named=True),
    ],
    "PE167-expires": [
        rules(f"when: args.amount > 1, {ASK}, message: Finance has 60 minutes to approve."),
        rules(f"when: args.amount > 1, {ASK}, message: Finance needs 1 day to pay it out."),
        rules(f"when: args.amount > 1, {ASK}, message: Payments of the last day are asked about."),
    ],
}  # fmt: skip
"""What messages and names may also mean: each was read as a flaw once."""


AGE = "tools:\n  pay: {args: {age: {type: integer, minimum: 0, maximum: 120}}}\n"
TIMES = (
    "tools:\n  pay: {args: {days: {type: integer, minimum: 1, maximum: 365}, "
    "hours: {type: integer, minimum: 1, maximum: 900}}}\n"
)
CITY = "tools:\n  pay: {args: {city: {enum: [Berlin, Hamburg]}}}\n"
HOURS = f"{CLOCK} < 9 || {CLOCK} >= 17"
TWO = "effect: require_approval, approval: {approvers: [finance], quorum: 2, expires: 1h}"
SEND_SECRET = (
    "tools:\n  send: {{args: {{body: {{type: string, maxLength: 200}}}}}}\nrules:\n"
    "  - {{id: mask, tools: [send], check: {{terms: {{any: [secret]}}}}, effect: {}}}\n"
)
SEND_SECRET_ASKED = f"  - {{id: ask, tools: [send], check: {{terms: {{any: [secret]}}}}, {ASK}}}\n"
SPANS = {
    "PE106-redacted-and-asked": [
        SEND_SECRET.format("redact") + SEND_SECRET_ASKED,
    ],
    "PE159-wide": [
        rules(
            f"when: args.amount > 100 && args.amount <= 500, {ASK}",
            f"when: args.amount > 500, {DENY}",
        ),
        rules(
            f"when: args.amount > 100 && args.amount <= 500, {ASK}",
            f"when: args.amount > 300, {DENY}",
        ),
        rules(f"when: args.amount > 100 && args.amount <= 1000, {ASK}"),
        rules(
            f"when: args.amount > 100 && args.amount <= 500, {ASK}",
            tools=PAY
            + "limits: [{id: l, tools: [pay], of: args.amount, max: 500, per: day, by: [principal]}]\n",
        ),
        rules(
            f"when: args.port > 100 && args.port <= 500, {ASK}",
            tools="tools:\n  pay: {args: {port: {type: integer, minimum: 1, maximum: 9000}}}\n",
        ),
    ],
    "PE163-hours": [
        rules(f"when: '{HOURS}', {DENY}, message: '{said}'")
        for said in (
            "Pay between 9 and 17.",
            "Pay from 9 a.m. to 5 p.m., please.",
            "Pay 9 to 5.",
            "Open 9:00-17:00 UTC.",
            "Pay between 10 and 18 CET.",
            "From 8 to 20 euros.",
            "Between 9:30 and 17:30.",
            "Pay from 9 to 17, or from 19 to 20.",
        )
    ]
    + [
        rules(
            f"when: '{CLOCK} < 9', {DENY}, message: Between 9 and 17.",
            f"when: {CLOCK} >= 17, {DENY}, message: Between 9 and 17.",
        ),
        rules(
            f"when: {CLOCK} >= 17, {DENY}, message: 'From 9 to 17 clerks pay, afterwards and before machines.'"
        ),
        rules(f"when: '{CLOCK} >= 9 && {CLOCK} < 17', {DENY}, message: Not between 9 and 17."),
        rules(
            f"when: '({DAY} == 5 && {CLOCK} >= 12) || {HOURS}', {DENY}, message: Between 9 and 17.",
        ),
        rules(
            f"when: '{CLOCK} >= 22 || {CLOCK} < 6', {DENY}, message: Nothing between 10 pm and 6 am."
        ),
    ],
    "PE163-spans": [
        takes("n: {type: integer, minimum: 1, maximum: 50, message: Between 1 and 50.}"),
        takes("n: {type: integer, minimum: 1, maximum: 3000, message: Between 1 and 50 minutes.}"),
        takes(
            "n: {type: integer, minimum: 0, maximum: 90, message: The others take between 5 and 20.}"
        ),
    ],
    "PE165-spans": [
        rules(f"when: '{DAY} in [0, 6]', {DENY}, message: {said}")
        for said in (
            "Monday to Friday.",
            "Not at weekends.",
            "Mon-Fri only.",
            "Not on Saturday and Sunday.",
            "Only on working days.",
            "Monday to Thursday and on Friday.",
            "Sunday to Thursday except holidays.",
        )
    ]
    + [
        rules(
            f"when: {DAY} == 6, {DENY}, message: Not at weekends.",
            f"when: {DAY} == 0, {DENY}, message: Not at weekends.",
        ),
        rules(f"when: '{DAY} in [5, 6]', {DENY}, message: Not at weekends.").replace(
            "UTC", "Asia/Riyadh"
        ),
        rules(f"when: {DAY} == 5, {DENY}, message: Within two business days."),
    ],
    "PE171-people": [
        rules(f"when: args.amount > 9, {TWO}, message: '{said}'")
        for said in (
            "Two people must approve.",
            "This needs two approvals.",
            "At least two approvers.",
            "One of two approvers asked.",
            "Above 5 finance must approve.",
        )
    ]
    + [
        rules(f"when: args.amount > 9, {ASK}, message: '{said}'")
        for said in (
            "This needs one approval.",
            "No two approvals are alike.",
            "It takes up to two approvals.",
            "For 2 nights finance must approve.",
            "Four eyes see this.",
        )
    ]
    + [
        rules(
            f"when: args.amount > 9, {ASK}, message: Two approvals are needed.",
            f"when: args.amount > 9, {ASK}, message: Two approvals are needed.",
        ),
    ],
    "PE166-stopped": [
        rules(f"when: args.amount > 500, {DENY}, message: Payments above 500 are not allowed."),
        rules(f"when: args.amount > 500, {DENY}, message: No payments above 500."),
        rules(f"when: args.amount < 10, {DENY}, message: Payments below 10 are refused."),
        rules(f"when: args.amount < 10, {DENY}, message: No payments under 10 EUR."),
        rules(f"when: args.amount > 500, {DENY}, message: You may pay up to 500."),
        rules(f"when: args.amount < 500, {DENY}, message: You may pay up to 500 elsewhere."),
        rules(
            f"when: args.amount < 500, {DENY}, message: Payments above 500 are not allowed to wait."
        ),
        rules(
            f"when: args.amount < 500, {DENY}, message: Only payments above 500 are refused elsewhere."
        ),
        rules(
            f"when: args.amount < 500, {DENY}, message: Not only payments above 500 are refused."
        ),
        rules(f"when: args.amount < 500, {DENY}, message: No payments but those above 500."),
        rules(f"when: args.amount < 500, {ASK}, message: No payments above 500."),
    ],
    "PE173-only": [
        rules(
            f"when: '!(\"a\" in principal.roles && \"b\" in principal.roles)', {DENY}, message: '{said}'"
        )
        for said in ("As and Bs only together.", "Not for As and Bs only.", "As and Cs only.")
    ],
    "PE166-imperative": [
        rules(f"when: args.amount < 20, {DENY}, message: Keep at least 20 euros to spare."),
        rules(f"when: args.amount > 20, {DENY}, message: Take at most 20 from the till."),
    ],
    "PE163-times": [
        rules(f"when: '{when}', {ASK}, message: '{said}'", tools=TIMES)
        for when, said in (
            ("args.days > 14", "More than two weeks off: ask finance."),
            ("args.days >= 15", "More than two weeks off: ask finance."),
            ("args.days > 10", "More than two weeks off: ask finance."),
            ("args.days > 21", "More than two weeks off, of which five days are at once."),
            ("args.days > 21", "Up to two weeks later finance may ask why."),
            ("args.days > 21", "More than 3 people away: ask finance."),
            ("args.days > 21", "More than two weeks a year: ask finance."),
            ("args.days > 90", "At most a month."),
            ("args.hours > 48", "Up to 2 days."),
            ("args.hours > 16", "Up to 2 days."),
            ("args.hours > 3 && args.days > 21", "More than two weeks: ask finance."),
        )
    ],
    "PE163-overdrafts": [
        rules(
            f"when: args.balance < -500, {ASK}, message: Overdrafts of more than 500 need an approval.",
            tools="tools:\n  pay: {args: {balance: {type: number, minimum: -5000, maximum: 5000}}}\n",
        ),
    ],
    "PE163-years": [
        rules(
            f"when: args.birth_year > 2008, {DENY}, message: Customers must be at least 18.",
            tools="tools:\n  pay: {args: {birth_year: {type: integer, minimum: 1900, maximum: 2026}}}\n",
        ),
    ],
    "PE163-places": [
        rules(f"when: '{HOURS}', {DENY}, message: '{said}'")
        for said in (
            "Open from 10:00 to 18:00 Berlin time.",
            "Desk hours are 10 to 18 in Berlin.",
            "Open 10 to 18 (Paris).",
            "From 8 to 16 in winter.",
        )
    ],
    "PE171-elsewhere": [
        rules(f"when: args.amount > 9, {ASK}, message: '{said}'")
        for said in (
            "Two approvals are needed: the written consent of the customer and that of finance.",
            "Needs two signatures on paper; finance confirms here that they are there.",
            "Two confirmations are needed: the consent of the owner and that of finance.",
        )
    ],
    "PE206-told": [
        takes(f'currency: {{enum: [EUR, CHF], optional: true, description: "{said}"}}')
        for said in ("EUR where it is left out", "Default: eur", "If omitted, CHF is taken.")
    ],
    "PE210-said": [
        "tools:\n  delete_account: {args: {}, effect: require_approval, "
        f"approval: {{approvers: [privacy], expires: {expires}}}, message: {said}}}\n"
        for expires, said in (
            ("3d", "Privacy confirms within 72 hours."),
            ("7d", "The owner has 1 week to confirm."),
        )
    ],
    "PE162-values": [
        rules(f"when: 'args.city == \"Berlin\"', {effect}, message: '{said}'", tools=CITY)
        for effect, said in (
            (DENY, "Only Hamburg is served."),
            (DENY, "Only Berlin is closed."),
            (DENY, "Only Berlin is not served."),
            (ASK, "Only Berlin is served."),
            (DENY, "Only Berlin is available without an appointment."),
        )
    ]
    + [
        rules(
            f"when: 'args.city != \"Berlin\"', {DENY}, message: Only Berlin is served.", tools=CITY
        ),
        rules(
            f"when: '{DAY} == 6 && args.city == \"Berlin\"', {DENY}, message: Only Berlin is served.",
            tools=CITY,
        ),
    ],
    "PE166-bounds": [
        rules(f"when: '{when}', {effect}, message: '{said}'", tools=AGE)
        for when, effect, said in (
            ("args.age < 18", DENY, "Only people of 18 and over may pay."),
            ("args.age >= 70", DENY, "Only people of 70 and over are refused."),
            ("args.age >= 18", DENY, "Only people of 18 and over need another form."),
            ("args.age <= 18", DENY, "Only people over 18 may pay."),
            ("args.age <= 17", DENY, "Only people of 18 and over may pay."),
            ("args.age <= 18", ASK, "Only people of 18 and over pay without asking."),
            ("args.age >= 18", DENY, "Only children of 17 and under may pay."),
            ("args.age <= 18", DENY, "Only people of 18 and over are stopped."),
        )
    ],
    "PE166-night": [
        rules(f"when: '{when}', {effect}, message: '{said}'")
        for when, effect, said in (
            (f"{CLOCK} >= 22 || {CLOCK} < 6", ASK, "At night (22:00-06:00) finance approves."),
            (f"{CLOCK} < 22 && {CLOCK} >= 6", ASK, "At night (22-6) nobody approves."),
            (f"{CLOCK} < 22 && {CLOCK} >= 6", ASK, "Only at night (22-6) nobody has to approve."),
            (f"{CLOCK} < 22 && {CLOCK} >= 6", ASK, "At night (22-6) payments wait."),
            (f"{CLOCK} < 22 && {CLOCK} >= 6", ASK, "Between 22 and 6 no approval is needed."),
        )
    ],
    "PE171-agree": [
        rules(f"when: args.amount > 9, {ASK}, message: '{said}'")
        for said in (
            "Both parties must agree.",
            "Two people from sales must agree.",
            "One person from finance must agree.",
            "Above 9 one of finance must agree.",
        )
    ]
    + [
        rules(f"when: args.amount > 9, {TWO}, message: Above 9 two people from finance must agree.")
    ],
    "PE206-needed": [
        rules(
            f"when: has(args.note) && args.note == \"x\", {DENY}, message: '{said}'",
            tools="tools:\n  pay: {args: {note: {type: string, maxLength: 20, optional: true}}}\n",
        )
        for said in (
            "A large payment needs a note.",
            "This needs no note.",
            "Payments above 100 need a note.",
            "The note is x.",
        )
    ][1:],
}


def codes(body):
    compiled = load_texts({"p.yaml": f"policy: p\nlanguage: 1\n{body}"}, warm=False)
    settings = Settings(persona="pedantic")
    return [
        one.code for one in lint(compiled, today=date(2026, 11, 21), settings=settings).findings
    ]


CASES = [
    pytest.param(code, body, id=f"{code}-{named}-{index}")
    for named, table in (("sound", SOUND), ("read-otherwise", READ_OTHERWISE), ("span", SPANS))
    for code, bodies in table.items()
    for index, body in enumerate(bodies)
]


@pytest.mark.parametrize(("code", "body"), CASES)
def test_an_honest_policy_is_left_alone(code, body):
    assert code.partition("-")[0] not in codes(body)


FLAWED = {
    "PE163": [
        rules(f"when: {when}, {ASK}, message: '{said}'", tools=TIMES)
        for when, said in (
            ("args.days > 21", "More than two weeks off: ask finance."),
            ("args.days > 21", "More than 14 days off need an approval."),
            ("args.hours > 36", "Up to 2 days nobody is asked."),
        )
    ]
    + [
        rules(
            f"when: args.balance < -500, {ASK}, message: Overdrafts of more than 70 need an approval.",
            tools="tools:\n  pay: {args: {balance: {type: number, minimum: -5000, maximum: 5000}}}\n",
        ),
        rules(
            f"when: args.birth_year > 2008, {DENY}, message: Cars must be at most 1999.",
            tools="tools:\n  pay: {args: {birth_year: {type: integer, minimum: 1900, maximum: 2026}}}\n",
        ),
        rules(f"when: '{HOURS}', {DENY}, message: Opening time is 10 to 18."),
        rules(f"when: '{HOURS}', {DENY}, message: Open from 10 to 18 (Monday to Friday)."),
        rules(f"when: '{HOURS}', {DENY}, message: Open from 10 to 18 in Berlin.").replace(
            "UTC", "Europe/Berlin"
        ),
    ],
    "PE166": [
        rules(f"when: '{when}', {effect}, message: '{said}'", tools=AGE)
        for when, effect, said in (
            ("args.age <= 18", DENY, "Only people of 18 and over may order."),
            ("args.age >= 17", DENY, "Only children of 17 or younger may ride."),
            (f"{CLOCK} < 22 && {CLOCK} >= 6", ASK, "At night (22:00-06:00) finance approves."),
        )
    ],
    "PE162": [
        rules(f"when: 'args.city == \"Berlin\"', {DENY}, message: '{said}'", tools=CITY)
        for said in ("Only Berlin is served by this depot.", "Currently only Berlin is supported.")
    ],
    "PE171": [
        rules(
            f"when: args.amount > 9, {ASK}, message: Above 9 two people from finance must agree."
        ),
        rules(
            f"when: args.amount > 9, {ASK}, message: 'Over 9 EUR, two managers have to approve.'"
        ),
        rules(f"when: args.amount > 9, {ASK}, message: Two signatures are needed; customers wait."),
    ],
    "PE206": [
        takes(
            'confirm: {type: boolean, const: true, optional: true, description: "Default: false"}'
        ),
        takes('currency: {enum: [EUR, CHF], optional: true, description: "CHF is rare"}'),
        rules(
            f"when: has(args.currency) && args.currency == 'CHF', {DENY}",
            tools="tools:\n  pay: {args: {currency: {enum: [EUR, CHF], optional: true, "
            "description: CHF where it is left out}}}\n",
        ),
    ],
    "PE210": [
        "tools:\n  delete_account: {args: {}, effect: require_approval, "
        f"approval: {{approvers: [privacy], expires: {expires}}}, message: {said}}}\n"
        for expires, said in (
            ("3d", "Privacy confirms within 24 hours."),
            ("30d", "Privacy confirms within 30 days."),
            ("3d", "Accounts unused since 3 days go."),
        )
    ],
}
"""What is next to the honest ones, and is a flaw."""


@pytest.mark.parametrize(
    ("code", "body"), [(code, body) for code, bodies in FLAWED.items() for body in bodies]
)
def test_the_flaw_beside_an_honest_policy_is_found(code, body):
    assert code in codes(body)


@pytest.mark.parametrize(
    "piece", ["9", "9 ", "9,", "above 1 ", "at most 1 or ", "on friday ", "at most 1. "]
)
def test_a_message_of_any_length_is_read_at_once(piece):
    message = (piece * 4_000)[:4_000]
    lines = [f"when: args.amount > {n}, {ASK}, message: '{message}'" for n in range(1, 21)]
    before = process_time()
    codes(rules(*lines))
    assert process_time() - before < 5


def test_what_is_approved_is_redacted_and_so_a_redaction_decides_beside_an_approval():
    both = SEND_SECRET.format("redact") + SEND_SECRET_ASKED
    asked = {"tool": "send", "args": {"body": "a secret"}, "agent": "a", "principal": {"id": "u"}}
    decided = []
    for body in (both, both.replace("effect: redact", "effect: redact, mode: observe")):
        engine = Engine(load_texts({"p.yaml": f"policy: p\nlanguage: 1\n{body}"}, warm=False))
        decided.append(engine.decide(read_request({"id": "r", **asked}).request, Facts()))
    assert [one.effect for one in decided] == ["require_approval", "require_approval"]
    assert [len(one.redactions) for one in decided] == [1, 0]
    assert "PE106" in codes(SEND_SECRET.format("redact") + SEND_SECRET_ASKED.replace(ASK, DENY))
