"""Steering: continuous actions of several agents. Exists for the tests of the agents."""
