"""The decision problems: one folder, one environment, found by its ``entry.py``."""
