"""The decision engine: task protocol, traces, seeding, batch engine and registry."""
