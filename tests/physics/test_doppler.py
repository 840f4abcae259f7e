"""Doppler shift and delay against TR 38.811, TR 38.821 Table 4.2-2 and a satellite moved by small steps."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from ntn_gym.physics import doppler

REFERENCE = Path(__file__).parents[1] / "reference"
TR38811 = json.loads((REFERENCE / "3gpp_38811.json").read_text())
TR38821 = json.loads((REFERENCE / "38821_link_budget.json").read_text())


def test_largest_doppler_of_the_reference():
    for row in TR38811["doppler_max"]["rows"]:
        ours = doppler.max_doppler_ppm(row["h_km"] * 1e3, math.radians(row["el_deg"]))
        assert float(ours) == pytest.approx(row["ppm"], rel=1e-4)


def test_delays_of_the_reference_slant_paths():
    for row in TR38811["slant_range_fspl_points"]["rows"]:
        ours_ms = 1e3 * float(doppler.propagation_delay_s(row["slant_km"] * 1e3))
        assert ours_ms == pytest.approx(row["one_way_delay_ms"], abs=1e-5)


def test_round_trips_of_the_reference_scenarios():
    # Slant ranges at 10 deg: 40581, 1932 and 3131 km; service and feeder link alike.
    slant_m = {35786: 40581.1788e3, 600: 1931.6354e3, 1200: 3130.9422e3}
    for row in TR38821["reference_scenarios"]["rtd"]:
        ours_ms = 2e3 * row["hops"] * float(doppler.propagation_delay_s(slant_m[row["h"]]))
        assert ours_ms == pytest.approx(row["max_RTD_ms_document"], abs=0.02)


def test_doppler_of_a_satellite_moved_by_hand():
    radius, altitude, mu = 6371e3, 600e3, 3.986004418e14
    rate = math.sqrt(mu / (radius + altitude) ** 3)

    def distance(angle):
        return math.dist((0, radius), ((radius + altitude) * math.sin(angle), (radius + altitude) * math.cos(angle)))

    angle = -0.2
    range_rate = (distance(angle + rate * 1e-3) - distance(angle - rate * 1e-3)) / 2e-3
    up = (radius + altitude) * math.cos(angle) - radius
    elevation = math.asin(up / distance(angle))
    shift = float(doppler.doppler_hz(range_rate, 2e9))
    assert shift > 0  # it approaches
    assert shift == pytest.approx(2e9 * 1e-6 * float(doppler.max_doppler_ppm(altitude, elevation)), rel=1e-5)
    # The exact relativistic shift of a receding source, at the same range rate.
    beta = range_rate / 299792458.0
    assert shift == pytest.approx(2e9 * (math.sqrt((1 - beta) / (1 + beta)) - 1), rel=5e-5)


def test_shapes_and_types():
    shift = doppler.doppler_hz(np.array([[-7e3], [7e3]], np.float32), np.array([2e9, 20e9], np.float32))
    assert shift.shape == (2, 2)
    assert shift.dtype == np.float32
    assert (shift[0] > 0).all()
    assert (shift[1] < 0).all()
