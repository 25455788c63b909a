"""An expression does not fit the types of what it reads.

What it does:
    Refuses a name that is not declared, a comparison of a text with a number, a function that
    does not exist, and a fact that cannot be looked up where it is read.

Why:
    At run time it could never be told, and what cannot be told denies every call.

Fails:
    tools:
      pay:
        args: {amount: {type: number}}
        rules:
          - {id: large, when: args.amount > "5", effect: deny}

Passes:
    tools:
      pay:
        args: {amount: {type: number}}
        rules:
          - {id: large, when: args.amount > 5, effect: deny}

Fix:
    Declare the name, or compare with a value of its type.
"""
