"""An optional value is read outside has().

What it does:
    Refuses an expression that reads an argument which may be absent without asking whether it is
    there.

Why:
    Absent, it could not be told, so the call would be denied: mostly not what is meant.

Fails:
    tools:
      pay:
        args: {note: {type: string, maxLength: 80, optional: true}}
        rules:
          - {id: urgent, when: args.note == "urgent", effect: deny}

Passes:
    tools:
      pay:
        args: {note: {type: string, maxLength: 80, optional: true}}
        rules:
          - {id: urgent, when: has(args.note) && args.note == "urgent", effect: deny}

Fix:
    Write `has(args.note) && ...`, or remove `optional: true`.
"""
