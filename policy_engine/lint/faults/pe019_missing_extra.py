"""An extra is not installed.

What it does:
    Refuses a part that needs a package which is not there; the hint is the command that installs
    it. No part of this version needs one.

Why:
    A check that cannot run must not be taken for one that passes.

Passes:
    tools:
      pay: deny

Fix:
    Run the command of the hint.
"""
