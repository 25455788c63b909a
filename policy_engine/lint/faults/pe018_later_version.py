"""This version does not have it yet.

What it does:
    Refuses a part of the language that a later version knows.

Why:
    Ignoring it would leave out a protection.

Fails:
    tools:
      fetch: {args: {url: {type: string, url: {schemes: [https]}}}}

Passes:
    tools:
      fetch: {args: {url: {type: string, pattern: '^https://acme[.]com/[a-z]*$'}}}

Fix:
    Say it with what there is, or use a version that has it.
"""
