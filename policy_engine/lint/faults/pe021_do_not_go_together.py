"""Two parts of a rule do not go together.

What it does:
    Refuses an approval without `effect: require_approval` and the reverse, two kinds of
    condition in one rule, a limit that names tools and a stage, names that differ only by case.

Why:
    One of the two would be ignored.

Fails:
    tools:
      pay: {effect: require_approval, args: {}}

Passes:
    tools:
      pay: {effect: require_approval, approval: {approvers: [finance], expires: 1h}, args: {}}

Fix:
    Remove one of them, or make two rules.
"""
