"""The rules of the linter, one a file; each file opens with the rule's manual."""
