"""Honest comparison: seeded rollouts, statistics, records that survive a crash, tuning and the report."""
