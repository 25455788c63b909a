"""A JSON Schema is not one that this language takes.

What it does:
    Refuses a keyword without the `type` that it speaks about, a `$ref` that leads out of the
    schema, and keywords of the language where they cannot stand.

Why:
    `maximum` without `type: number` accepts every text.

Fails:
    tools:
      pay: {args: {amount: {maximum: 5}}}

Passes:
    tools:
      pay: {args: {amount: {type: number, maximum: 5}}}

Fix:
    Write the type beside the keyword.
"""
