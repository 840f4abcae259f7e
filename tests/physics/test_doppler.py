"""Doppler shift and delay against TR 38.811, TR 38.821 Table 4.2-2 and a satellite moved by small steps."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from ntn_gym.physics import doppler, frames, geometry
from ntn_gym.physics.tle import propagate_tle
from ntn_gym.world.constellation import named_tle

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


@pytest.fixture(scope="module")
def seen_from_bremen():
    """A Starlink satellite every second of a pass over Bremen, from SGP4 rotated to Earth-fixed axes."""
    satellite = named_tle("starlink-53")[4]
    jd, fraction = frames.julian_date(satellite.epoch_utc)
    fractions = fraction + np.arange(6000.0) / 86_400.0
    position, velocity = frames.teme_to_ecef(
        *(states[0] for states in propagate_tle([satellite], jd, fractions)), frames.gmst_rad(jd, fractions)
    )
    site = geometry.geodetic_to_ecef(math.radians(53.08), math.radians(8.80), 0.0)
    return position - site, velocity, position


def test_doppler_and_its_rate_are_the_derivatives_of_the_range(seen_from_bremen):
    line, velocity, position = seen_from_bremen
    freq_hz = 11.7e9
    range_m = np.linalg.norm(line, axis=-1)
    # Central differences over 1 s; the third derivative of the range is below 1 m/s^3 (error below 0.2 m/s^2 and m/s).
    rate = geometry.range_rate_m_s(line, velocity)
    assert np.abs(rate[1:-1] - (range_m[2:] - range_m[:-2]) / 2.0).max() < 0.2
    shift = doppler.doppler_hz(rate, freq_hz)
    acceleration = doppler.range_acceleration_m_s2(
        line, velocity, doppler.two_body_acceleration_m_s2(position, velocity)
    )
    drift = doppler.doppler_rate_hz_s(acceleration, freq_hz)
    # The oblateness, which the two-body acceleration neglects, is up to 0.02 m/s^2, 0.8 Hz/s here.
    np.testing.assert_allclose(drift[1:-1], (shift[2:] - shift[:-2]) / 2.0, atol=2.0)
    assert np.abs(drift).max() > 100.0


def test_range_acceleration_of_a_polynomial_motion():
    start, speed, thrust = np.array([1e6, 2e5, -3e5]), np.array([100.0, -7e3, 50.0]), np.array([1.0, 2.0, -8.0])

    def distance(t):
        return float(np.linalg.norm(start + speed * t + 0.5 * thrust * t * t))

    t, h = 3.0, 0.5
    numeric = (distance(t + h) - 2 * distance(t) + distance(t - h)) / h**2
    ours = doppler.range_acceleration_m_s2(start + speed * t + 0.5 * thrust * t * t, speed + thrust * t, thrust)
    assert float(ours) == pytest.approx(numeric, rel=1e-5)


def test_largest_doppler_rate():
    for altitude_m, of_document in ((600e3, 0.27), (1200e3, 0.13)):
        ours = float(doppler.max_doppler_rate_ppm_s(altitude_m))
        # The second difference of the range of a satellite moved by hand through the zenith.
        radius = 6371e3
        rate = math.sqrt(3.986004418e14 / (radius + altitude_m) ** 3)
        away = math.dist((0, radius), ((radius + altitude_m) * math.sin(rate), (radius + altitude_m) * math.cos(rate)))
        assert ours == pytest.approx(2.0 * (away - altitude_m) / 299792458.0 * 1e6, rel=1e-3)
        # TR 38.821 Table 4.2-2, whose assumptions are not stated.
        assert ours == pytest.approx(of_document, rel=0.1)


def test_geostationary_satellites_are_in_equilibrium():
    position = np.array([(3.986004418e14 / 7.292115e-5**2) ** (1 / 3), 0.0, 0.0])
    np.testing.assert_allclose(doppler.two_body_acceleration_m_s2(position, np.zeros(3)), 0.0, atol=1e-12)


def test_shapes_and_types():
    shift = doppler.doppler_hz(np.array([[-7e3], [7e3]], np.float32), np.array([2e9, 20e9], np.float32))
    assert shift.shape == (2, 2)
    assert shift.dtype == np.float32
    assert (shift[0] > 0).all()
    assert (shift[1] < 0).all()
