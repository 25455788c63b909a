r"""A name holds invisible, bidirectional or look-alike characters.

What it does:
    Refuses characters that reorder or hide text, and names that mix Latin with Greek or Cyrillic
    letters in one word.

Why:
    What a reviewer approves is not what is matched.

Fails:
    tools:
      "p\u0430y": deny

Passes:
    tools:
      pay: deny

Fix:
    Type the name anew.
"""
