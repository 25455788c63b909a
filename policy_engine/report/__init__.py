"""Faults, decisions and replays for a reader: lines of text, or JSON values."""
