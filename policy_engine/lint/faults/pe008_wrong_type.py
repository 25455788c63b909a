"""A value has the wrong type.

What it does:
    Refuses a text where a number is meant, a list where a mapping is meant, and a key without a
    value.

Why:
    Nothing is converted: `"5"` is not 5, and `yes` is a text.

Fails:
    limits:
      - {id: calls, stage: model_request, max: "5", by: [session]}

Passes:
    limits:
      - {id: calls, stage: model_request, max: 5, by: [session]}

Fix:
    Write the value as the hint says.
"""
