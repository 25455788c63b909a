"""Requests that show something about policies: what mutation and coverage look for alike."""
