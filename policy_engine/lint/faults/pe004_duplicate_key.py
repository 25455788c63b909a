"""A key stands twice in one mapping.

What it does:
    Refuses a mapping with two equal keys.

Why:
    Other readers of YAML take the last one and say nothing: the first entry is lost.

Fails:
    tools:
      pay: deny
      pay: allow

Passes:
    tools:
      pay: deny

Fix:
    Keep one of the two.
"""
