"""A name refers to nothing.

What it does:
    Refuses an exact tool that no entry names, an argument that no covered entry declares, a label
    that no entry sets, a constant that is not in `vars`, a model that no entry allows.

Why:
    A rule about a misspelt tool covers nothing.

Fails:
    tools:
      pay: {args: {}}
    rules:
      - {id: never, tools: [pya], effect: deny}

Passes:
    tools:
      pay: {args: {}}
    rules:
      - {id: never, tools: [pay], effect: deny}

Fix:
    Correct the name; a glob may match what is to come.
"""
