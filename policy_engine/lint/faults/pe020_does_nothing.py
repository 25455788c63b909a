"""A rule could never do anything.

What it does:
    Refuses an empty list, bounds that leave no value, a rule without a condition or one that
    leaves out every tool that it covers, a limit of 0.

Why:
    What does nothing reads like a protection.

Fails:
    tools:
      pay: {args: {amount: {type: number, minimum: 9, maximum: 5}}}

Passes:
    tools:
      pay: {args: {amount: {type: number, minimum: 5, maximum: 9}}}

Fix:
    Correct it, or remove it.
"""
