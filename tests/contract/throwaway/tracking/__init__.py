"""Tracking: follow wandering targets on a line. Exists to prove that a new environment edits nothing."""
