"""A policy that the tests of `policy-engine test` share."""

DESK = """
policy: desk
language: 1
context: {env: {enum: [prod, staging]}}
facts:
  order:
    from: app:order
    with: [args.order_id]
    schema: {type: object, properties: {owner: {type: string}}}
tools:
  lookup: allow
  refund:
    args:
      order_id: {type: string, pattern: '^ORD-[0-9]{4}$'}
      amount: {type: number, exclusiveMinimum: 0, maximum: 500, message: At most 500.}
      note: {type: string, maxLength: 20, optional: true}
    rules:
      - id: large
        when: args.amount > 100
        effect: require_approval
        approval: {approvers: [finance], quorum: 2, expires: 15m}
      - {id: own-order, when: facts.order.owner != principal.id, effect: deny}
    timeout: 30s
  fetch: {args: {}, labels: [untrusted]}
rules:
  - id: steered
    tools: [refund]
    when: '"untrusted" in session.labels && context.env == "prod"'
    effect: deny
    message: Not after reading what others wrote.
  - {id: watched, tools: [refund], when: args.amount > 400, effect: deny, mode: observe}
input:
  - {id: words, check: {terms: {any: [boom, bang]}}, effect: redact}
  - {id: too-long, check: {size: {max_chars: 50}}, effect: deny}
models: {small: allow}
prices: {small: {input: 1, output: 1}}
limits:
  - {id: five, tools: [refund], max: 5, per: 1h, by: [session]}
  - {id: cost, of: cost_usd, max: 1, by: [session]}
"""
