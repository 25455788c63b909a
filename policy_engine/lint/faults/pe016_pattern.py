"""A pattern does not compile.

What it does:
    Refuses a regular expression that is not one.

Why:
    It could not be tried, so it would deny everything or nothing.

Fails:
    tools:
      pay: {args: {to: {type: string, pattern: '^[a-z'}}}

Passes:
    tools:
      pay: {args: {to: {type: string, pattern: '^[a-z]+$'}}}

Fix:
    Close the bracket, or put a backslash before a character that stands for itself.
"""
