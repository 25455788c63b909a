"""A required key is missing.

What it does:
    Refuses a part that cannot say what it must: a rule without an effect, a limit without `by`.

Why:
    There is no default that would be right.

Fails:
    limits:
      - {id: calls, stage: model_request, max: 5}

Passes:
    limits:
      - {id: calls, stage: model_request, max: 5, by: [session]}

Fix:
    Add the key; the hint says what it means.
"""
