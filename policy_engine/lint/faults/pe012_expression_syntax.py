"""An expression cannot be parsed.

What it does:
    Refuses a `when` that is not CEL: `and` for `&&`, `=` for `==`, a bracket that is not closed.

Why:
    There is no half of a condition.

Fails:
    tools:
      pay:
        args: {amount: {type: number}}
        rules:
          - {id: large, when: args.amount > 5 and args.amount < 9, effect: deny}

Passes:
    tools:
      pay:
        args: {amount: {type: number}}
        rules:
          - {id: large, when: args.amount > 5 && args.amount < 9, effect: deny}

Fix:
    Look at the place that the caret shows.
"""
