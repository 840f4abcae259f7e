"""Rates of optical links, against the line-by-line budget, closed forms and fine integration of passes."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from ntn_gym.core.seeding import WorldKey, process_generator
from ntn_gym.envs.data_relay import schedule
from ntn_gym.envs.data_relay.links import fade_table_db, haze_loss_db, rate_bit_s
from ntn_gym.envs.data_relay.presets import load_preset
from ntn_gym.envs.data_relay.scenario import BudgetLinks, IdealLinks
from ntn_gym.envs.data_relay.world import RelayWorld
from ntn_gym.physics.aperture_averaging import downlink_aperture_averaging
from ntn_gym.physics.optical_link import OpticalLinkBudget
from ntn_gym.physics.turbulence import downlink_rytov_variance

MODEL = BudgetLinks()
GROUND, HAGS = np.array([False]), np.array([True])


def test_ideal_links_have_one_rate() -> None:
    rate = rate_bit_s(IdealLinks(), np.array([8e5, 3e6]), np.array([1.5, 0.1]), np.array([True, False]))
    assert rate.tolist() == [8e9, 8e9]


def test_haze_by_hand() -> None:
    """Kim at 23 km: 17/23 (1550/550)^-1.3 = 0.192 dB/km; times 1.2 km; air mass at 30 deg is 1.995."""
    zenith = 17 / 23 * (1550 / 550) ** -1.3 * 1.2
    assert haze_loss_db(MODEL, np.array([math.pi / 2]))[0] == pytest.approx(zenith, rel=2e-3)
    assert haze_loss_db(MODEL, np.array([math.pi / 6]))[0] == pytest.approx(1.995 * zenith, rel=2e-3)


@pytest.mark.parametrize("elev_deg", [20.0, 45.0, 90.0])
def test_the_fade_is_the_quantile_of_a_log_normal(elev_deg: float) -> None:
    """-10 log10 exp(-s^2/2 + z s), with z the 1 % point of the normal distribution."""
    zenith = math.pi / 2 - math.radians(elev_deg)
    index = float(downlink_rytov_variance(1550e-9, zenith)) * float(downlink_aperture_averaging(0.6, 1550e-9, zenith))
    s = math.sqrt(math.log1p(index))
    expected = -10 * math.log10(math.exp(-s * s / 2 + s * NormalDist().inv_cdf(0.01)))
    assert fade_table_db(MODEL, 0.0)[round(2 * elev_deg)] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("at_hags", "aperture_m"), [(False, 0.6), (True, 0.3)])
def test_the_rate_is_that_of_the_line_by_line_budget(at_hags: bool, aperture_m: float) -> None:
    range_m, elev_deg = 2.3e6, 10.0
    air_db = float(fade_table_db(MODEL, 20e3 if at_hags else 0.0)[20])
    if not at_hags:
        air_db += float(haze_loss_db(MODEL, np.array([math.radians(elev_deg)]))[0])
    budget = OpticalLinkBudget(
        wavelength_m=1550e-9,
        range_m=range_m,
        transmit_power_w=1.0,
        divergence_half_angle_rad=60e-6,
        aperture_diameter_m=aperture_m,
        photons_per_bit=1000.0,
        max_rate_bit_s=8e9,
        transmit_optics_loss_db=5.0,
        pointing_loss_db=2.0,
        atmospheric_loss_db=air_db,
        margin_db=3.0,
    )
    rate = rate_bit_s(MODEL, np.array([range_m]), np.array([math.radians(elev_deg)]), np.array([at_hags]))
    assert rate[0] == pytest.approx(budget.rate_bit_s, rel=1e-6)
    assert 0.5e9 < rate[0] < 8e9, "at 10 deg neither the modem nor darkness decides"


def test_a_low_pass_is_slow_and_the_modem_limits_a_high_one() -> None:
    elev = np.radians([5.0, 10.0, 20.0, 40.0, 90.0])
    radius, orbit = 6371e3, 7151e3
    range_m = np.sqrt(orbit**2 - (radius * np.cos(elev)) ** 2) - radius * np.sin(elev)
    for at_hags in (False, True):
        rates = rate_bit_s(MODEL, range_m, elev, np.full(5, at_hags))
        assert (np.diff(rates) >= 0).all() and rates[0] < 3e9 and rates[-1] == 8e9


def test_the_volume_of_a_pass_is_that_of_its_rate_second_by_second() -> None:
    """A rate taken at the start of each epoch: too low while a pass rises, too high while it sets."""
    scenario = load_preset("optics")
    world = RelayWorld(scenario)
    book = world.book
    raw = world.advance(world.begin([WorldKey(5)]), world.n_slices)[1]
    n = int(np.count_nonzero(raw["duration_ms"][0]))
    offered = float((raw["rate_bit_s"][0, :n] * raw["duration_ms"][0, :n, None, None]).sum()) / 1e3
    # The same day again: satellites and window as the world drew them.
    draw = process_generator(WorldKey(5), "orbits")
    satellites = schedule.choose_satellites(book, scenario, draw)
    window_s = float(draw.integers(int(schedule.SPREAD_S)))
    passes = schedule.cut_passes(book, scenario, satellites, window_s)
    fine = 0.0
    for k in range(len(passes.station)):
        time_s = np.arange(passes.start_ms[k] / 1e3, passes.end_ms[k] / 1e3)
        rates = schedule.rates_bit_s(
            book,
            scenario,
            np.full(len(time_s), satellites[passes.satellite[k]]),
            np.full(len(time_s), passes.station[k]),
            window_s + time_s,
        )
        fine += float(rates.sum())
    assert offered == pytest.approx(fine, rel=0.02)
