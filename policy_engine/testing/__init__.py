"""Tests of policies: cases, coverage and mutation, read from YAML and run by the real engine."""
