"""A file uses a part of YAML that policies do without.

What it does:
    Refuses anchors and aliases, tags, merge keys, directives, several documents in one file,
    keys that are not texts, a byte order mark, and deep nesting.

Why:
    They let a file say something else than it seems to, and a reviewer reads what it seems to.

Fails:
    tools:
      pay: &entry deny
      wire: *entry

Passes:
    tools:
      pay: deny
      wire: deny

Fix:
    Write the value out; a glob such as `"*_read"` needs quotes.
"""
