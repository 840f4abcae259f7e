"""Stochastic geometry on the sphere: random positions of platforms, and what can be said about them in closed form.

The main source, cited below as WKA with section and equation, is R. Wang, M. A. Kishk and M.-S. Alouini, "Modeling and
Analysis of Non-Terrestrial Networks by Spherical Stochastic Geometry", 2024. Misprints of its equations are named where
they matter.

Samplers (they take a `numpy.random.Generator` and return `points.Points`): `homogeneous` (sphere, cap), `latitude`
(densities that depend on latitude), `orbital` (satellites on orbits, GEO belt, routes), `clusters`, `planar`.
Probabilities: `count_laws` (how many points have a property), `caps` (how probable a point is within an angle of a
user), `contact` (the nearest point), `visibility` (availability, mean and variance of the visible number,
localizability), `orbit_statistics` (random orbits), `planar_error`, `coverage`. Rules: `association`, `relays`.
Import the subject modules; nothing is re-exported here.
"""
