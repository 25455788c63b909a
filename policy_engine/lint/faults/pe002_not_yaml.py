"""A file is not YAML.

What it does:
    Refuses a text that YAML 1.2 cannot read: quotes and brackets that are not closed, lines out
    of line, tabs for indentation, control characters, bytes that are not UTF-8.

Why:
    Half a policy is not a policy.

Fails:
    tools:
      pay: {args: {amount: {type: number}

Passes:
    tools:
      pay: {args: {amount: {type: number}}}

Fix:
    Look at the line, and at the one above: a quote or a bracket is missing.
"""
