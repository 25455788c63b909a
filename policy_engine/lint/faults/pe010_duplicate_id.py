"""An id stands twice.

What it does:
    Refuses two policies with one id, and two rules or limits of one policy with one id.

Why:
    Decisions and records name rules by their ids, and counters are kept by them.

Fails:
    limits:
      - {id: calls, stage: model_request, max: 5, by: [session]}
      - {id: calls, stage: handoff, max: 5, by: [session]}

Passes:
    limits:
      - {id: calls, stage: model_request, max: 5, by: [session]}
      - {id: handoffs, stage: handoff, max: 5, by: [session]}

Fix:
    Rename one of them.
"""
