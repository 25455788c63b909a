"""A value is not one of those that may stand there.

What it does:
    Refuses a word that is no choice, an id that is not lower-case with hyphens, a duration
    without a unit, a number out of range.

Why:
    A misspelt effect must not become another one.

Fails:
    tools:
      pay: {effect: denied}

Passes:
    tools:
      pay: {effect: deny}

Fix:
    Take one of the listed values.
"""
