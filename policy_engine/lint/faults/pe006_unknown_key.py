"""A key is unknown there.

What it does:
    Refuses a key that the language does not have at that place, and says which one was probably
    meant.

Why:
    A key that is ignored is a rule that does nothing.

Fails:
    tools:
      pay: {efect: deny}

Passes:
    tools:
      pay: {effect: deny}

Fix:
    Take the key that is proposed; `policy-engine schema policy` prints all of them.
"""
