"""A file or folder cannot be read as policies.

What it does:
    Refuses a path that does not exist, a folder without a policy in it, a file that is empty,
    larger than 1 MiB, or may not be read.

Why:
    A set that is silently smaller than it looks protects less than it looks.

Fails:
    # whole file: nothing but this comment

Passes:
    tools:
      pay: deny

Fix:
    Name a policy file, or a folder that holds some: `*.yaml` and `*.yml` below it, but for
    folders named `tests`.
"""
