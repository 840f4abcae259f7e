"""Towns, profiles, hotspots that move, surprises and real cities."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from ntn_gym.world import towns


def test_towns_keep_apart() -> None:
    rng = np.random.default_rng(0)
    place = towns.place_towns(rng.random((50, 7, towns.PLACES_TRIED, 2)), 150e3, 42e3)
    gap = place[:, :, None] - place[:, None]
    away = np.sqrt((gap * gap).sum(-1)) + 1e9 * np.eye(7)
    assert (np.abs(place) <= 150e3).all() and (away.min(axis=(1, 2)) >= 42e3).mean() > 0.98


def test_profile_has_mean_one() -> None:
    for base, sharpness in ((0.1, 2.0), (0.05, 5.0), (1.0, 3.0), (0.0, 0.0)):
        mean = quad(lambda h: float(towns.daily_profile(np.array(h), np.array(12.0), base, sharpness)), 0, 24)[0] / 24  # noqa: B023
        assert mean == pytest.approx(1.0, rel=1e-6)
    assert towns.daily_profile(np.array(12.0), np.array(12.0), 0.1, 2.0) > 2.0


def test_hotspots_bounce() -> None:
    place = towns.bouncing(np.array([[90e3, 0.0]]), np.array([[10.0, 0.0]]), 100e3, np.arange(0, 80_000, 600.0))
    assert np.abs(place).max() <= 100e3 + 1e-6
    assert place[0, 0, 0] == pytest.approx(90e3)
    steps = np.abs(np.diff(place[0, :, 0]))
    assert np.median(steps) == pytest.approx(6000.0) and (steps <= 6000.0 + 1e-6).all()


def test_surprises_come_at_the_rate_and_have_a_place_only_then() -> None:
    rng = np.random.default_rng(1)
    day_s = 86_400.0
    events = towns.draw_surprises(rng.random((400, 2, 8, 4)), 1.5 / day_s / 2, 3 * 3600, 7 * 3600, 100e3)
    quiet = events.start_s[..., 0]
    assert quiet.mean() == pytest.approx(2 * day_s / 1.5, rel=0.1)
    length = events.end_s - events.start_s
    assert length.min() >= 3 * 3600 - 1e-6 and length.max() <= 7 * 3600 + 1e-6
    time_s = np.arange(0, day_s, 600.0)
    strength, place = towns.surprise_course(events, time_s, 1800.0)
    assert ((strength >= 0) & (strength <= 1)).all() and (place[strength == 0] == 0).all()
    assert (np.abs(np.diff(strength, axis=1)) <= 600 / 1800 + 1e-9).all(), "half an hour to rise"


def test_city_regions_are_on_the_map() -> None:
    """Every region has the cities it must have; distances are those of the sphere."""
    regions = towns.city_regions(200e3, 8, 4, 55.0)
    assert len(regions) > 50
    for region in regions:
        assert region.share.sum() == pytest.approx(1.0) and (region.share > 0).sum() >= 4
        assert (np.abs(region.place_m) < 200e3).all() and abs(region.latitude_deg) <= 55
        assert -180 <= region.longitude_deg <= 180
        assert (np.diff(region.share) <= 1e-12).all(), "the largest first"
    assert any(region.anchor == "Tokyo" for region in regions)
