"""Decisions from facts: pure, no input or output."""
