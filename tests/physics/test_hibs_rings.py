"""The 19 sectors in two hexagonal rings: their centres, their power, and who serves which ground."""

import math

import numpy as np
import pytest

from ntn_gym.physics import hibs
from ntn_gym.physics.antennas import hexagonal_beams_uv

ALT_M = 20e3
LAYOUT = hibs.hibs_layout(19)


def ground_m() -> np.ndarray:
    """Points on a grid within the service radius of 90 km, [N, 2]: east, north."""
    line = np.linspace(-90e3, 90e3, 61)
    points = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    return points[np.hypot(*points.T) < 90e3]


def gains_dbi(points_m: np.ndarray) -> np.ndarray:
    direction = hibs.direction_to_ground_enu(np.hypot(*points_m.T), np.arctan2(*points_m.T), ALT_M)
    return hibs.sector_gain_dbi(LAYOUT, direction)


def centres_m() -> np.ndarray:
    ranges = hibs.boresight_ground_range_m(LAYOUT, ALT_M)
    return np.stack((ranges * np.sin(LAYOUT.azimuth_rad), ranges * np.cos(LAYOUT.azimuth_rad)), axis=-1)


def test_centres_are_the_hexagonal_layout_with_19_beams():
    turned = hexagonal_beams_uv(2, 30e3)[:, ::-1]  # its first ring starts on the east axis, ours in the north
    gaps = np.hypot(*(centres_m()[:, None] - turned).transpose(2, 0, 1))
    np.testing.assert_allclose(gaps.min(axis=1), 0.0, atol=1.0)
    assert sorted(gaps.argmin(axis=1)) == list(range(19))
    # Nearest neighbours of every centre are 30 km away: 6 of the centre, 3 or 4 of the outer ring.
    apart = np.hypot(*(centres_m()[:, None] - centres_m()).transpose(2, 0, 1))
    neighbours = (np.abs(apart - 30e3) < 2.0).sum(axis=1)
    assert sorted(neighbours) == [3] * 6 + [4] * 6 + [6] * 7


def test_power_is_that_of_the_seven_sectors():
    watts = [float((10 ** (hibs.hibs_layout(n).power_dbm / 10 - 3)).sum()) for n in (7, 19)]
    assert watts[1] == pytest.approx(watts[0], rel=2e-3)


def test_each_centre_is_served_by_its_own_sector():
    gain = gains_dbi(centres_m())
    assert np.array_equal(gain.argmax(axis=1), np.arange(19))
    # 8 dBi of an element and 10 log10 of 4, 16 and 32 elements.
    np.testing.assert_allclose(gain[range(19), range(19)], [14.0206] + [20.0412] * 6 + [23.0515] * 12, atol=2e-3)


def test_nine_tenths_of_the_ground_are_served_by_the_nearest_centre():
    points = ground_m()
    nearest = np.hypot(*(points[:, None] - centres_m()).transpose(2, 0, 1)).argmin(axis=1)
    best = (gains_dbi(points) + LAYOUT.power_dbm).argmax(axis=1)
    assert 0.88 < (best == nearest).mean() < 0.93
    assert (np.bincount(best, minlength=19) > 0.02 * len(points)).all()  # nobody is idle


def test_layout_is_symmetric_under_sixth_turns():
    turned = math.radians(60.0)
    turn = np.array([[math.cos(turned), -math.sin(turned)], [math.sin(turned), math.cos(turned)]])
    points = ground_m()[::17]
    # The square array at the nadir is the one sector without this symmetry.
    there, here = gains_dbi(points @ turn)[:, 1:], gains_dbi(points)[:, 1:]
    np.testing.assert_allclose(np.sort(there, axis=1), np.sort(here, axis=1), atol=1e-3)
