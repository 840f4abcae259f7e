"""Exogenous processes: what happens in the world whatever anybody decides, drawn many steps at once.

A process has two calls, ``start(generators, shape) -> state`` and
``advance(generators, state, n_steps, ...) -> (state, samples)`` with ``samples`` of shape ``[B, n, ...]``.
Each world has its own generator. Import the subject modules; nothing is re-exported here.
"""
