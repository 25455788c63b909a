"""An effect cannot be given there.

What it does:
    Refuses a rule that allows, an entry that redacts, a text rule that asks for an approval, and
    a redaction by a check that finds no pieces.

Why:
    Rules restrict and never grant; what cannot be done must not be promised.

Fails:
    tools:
      pay:
        args: {amount: {type: number}}
        rules:
          - {id: small, when: args.amount < 5, effect: allow}

Passes:
    tools:
      pay:
        args: {amount: {type: number}}
        rules:
          - {id: large, when: args.amount >= 5, effect: deny}

Fix:
    Turn the condition round and deny.
"""
