"""Users in hotspots, real cities, and Gauss-Markov ways."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ntn_gym.world.hotspots import place_users, real_cities, roam, within


def _generators(n: int) -> list[np.random.Generator]:
    return [np.random.default_rng(seed) for seed in range(n)]


def test_shares_spread_and_area() -> None:
    spots = place_users(_generators(200), 60, 0.6, 90e3, np.array([3e3, 6e3]))
    inside = spots.hotspot >= 0
    assert inside.mean() == pytest.approx(0.6, abs=0.02)
    apart = spots.home_m - np.take_along_axis(spots.centre_m, np.maximum(spots.hotspot, 0)[..., None], axis=1)
    for index, sigma in enumerate((3e3, 6e3)):
        # Users of hotspots that reach over the edge are pulled back; the inner ones are normal.
        inner = np.hypot(*spots.centre_m[:, index].T) < 60e3
        mine = (spots.hotspot == index) & inner[:, None]
        assert apart[mine].std() == pytest.approx(sigma, rel=0.05)
    assert np.hypot(spots.home_m[..., 0], spots.home_m[..., 1]).max() <= 90e3 * (1 + 1e-12)
    between = np.hypot(*spots.home_m[~inside].T)
    assert (between < 90e3 / math.sqrt(2)).mean() == pytest.approx(0.5, abs=0.03), "uniform over the area"


def test_weights_decide_how_many_belong_to_a_hotspot() -> None:
    fixed = np.array([[0.0, 0.0], [20e3, 0.0]])
    spots = place_users(_generators(100), 50, 1.0, 60e3, np.array([1e3, 1e3]), fixed, np.array([3.0, 1.0]))
    assert (spots.hotspot == 0).mean() == pytest.approx(0.75, abs=0.03)
    assert np.array_equal(spots.centre_m[7], fixed)


def test_real_cities() -> None:
    offsets, population, (latitude, longitude), names = real_cities("Shenzhen", 75e3)
    assert names[0] == "Shenzhen" and (offsets[0] == 0).all()
    assert (latitude, longitude) == pytest.approx((22.54554, 114.0683))
    hong_kong = names.index("Hong Kong")
    # Great-circle distance by the haversine of the published coordinates: 31.8 km.
    assert np.hypot(*offsets[hong_kong]) == pytest.approx(31.8e3, abs=400)
    assert population[hong_kong] == 7_396_076
    assert np.hypot(offsets[:, 0], offsets[:, 1]).max() <= 75e3
    with pytest.raises(ValueError, match="not in cities_top600"):
        real_cities("Atlantis", 75e3)


def test_roaming_goes_on_from_chunk_to_chunk() -> None:
    rng = np.random.default_rng(0)
    velocity = rng.standard_normal((2, 20, 3, 2)).astype(np.float32)
    start, step = rng.normal(0, 10, (2, 3, 2)), rng.normal(0, 1, (2, 3, 2))
    whole = roam(velocity, start, step)
    np.testing.assert_allclose(whole[:, -1], start + 20 * step + velocity.sum(axis=1), rtol=1e-6, atol=1e-5)
    first = roam(velocity[:, :7], start, step)
    assert np.array_equal(np.concatenate([first, roam(velocity[:, 7:], first[:, -1], step)], axis=1), whole)


def test_within() -> None:
    np.testing.assert_allclose(within(np.array([[3.0, 4.0], [0.3, 0.4]]), 1.0), [[0.6, 0.8], [0.3, 0.4]])
