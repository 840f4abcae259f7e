"""Handover: keep users served while satellites, beams or swinging HAPS cells move past."""
