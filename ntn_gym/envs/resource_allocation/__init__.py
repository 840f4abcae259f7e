"""ResourceAllocation: beams, powers, feeder and battery of a near-space platform."""
