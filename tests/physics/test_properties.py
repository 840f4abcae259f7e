"""Laws that hold for any input: reciprocity, monotonicity, energy, probabilities, finiteness, clear refusals."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntn_gym.physics import (
    antenna_patterns,
    antennas,
    atmosphere,
    battery,
    climate_interpolation,
    contacts,
    doppler,
    eclipse,
    fading,
    fading_correlation,
    fading_rates,
    gases,
    gaussian_beam,
    geometry,
    link,
    loo,
    los_models,
    optical_link,
    orbit_classes,
    pass_prediction,
    pathloss,
    rain,
    shadowing_mixture,
    sun,
    terrestrial,
    turbulence,
    visibility_fog,
)
from ntn_gym.physics.climate import site_climate, site_names

elevations = st.floats(0.0, math.pi / 2)
slant_elevations = st.floats(math.radians(5.0), math.pi / 2)
altitudes = st.floats(1e3, 4e7)
ranges = st.floats(1.0, 5e7)
frequencies = st.floats(0.5e9, 1e11)
itu_frequencies = st.floats(1e9, 55e9)
latitudes, longitudes = st.floats(-1.57, 1.57), st.floats(-math.pi, math.pi)
environments = st.sampled_from(["dense_urban", "urban", "suburban", "rural"])
bands = st.sampled_from(["S", "Ka"])
sites = st.sampled_from(site_names())
cells = st.builds(terrestrial.TerrestrialCell, st.sampled_from(["RMa", "UMa", "UMi"]))
distances = st.floats(10.0, 5e3)
shares = st.floats(0.0, 1.0)
powers_dbw = st.floats(-180.0, 60.0)


# Free space ---------------------------------------------------------------------------------------------


def test_a_street_is_not_two_hundred_decibels_long() -> None:
    # 83 m at 2.5 GHz: 32.45 + 20 log10(2.5) + 20 log10(83).
    assert float(pathloss.free_space_path_loss_db(83.0, 2.5e9)) == pytest.approx(78.8, abs=0.05)
    for scenario in ("UMa", "UMi", "RMa"):
        loss_db = float(terrestrial.path_loss_db(terrestrial.TerrestrialCell(scenario), 83.0, 2.5e9, True))
        assert 75.0 < loss_db < 90.0


@given(ranges, frequencies)
def test_free_space_conserves_energy(range_m: float, freq_hz: float) -> None:
    # Isotropic antennas of area lambda^2 / 4 pi, side by side on the whole sphere, collect all that was sent.
    antennas_on_sphere = 4 * math.pi * range_m**2 / ((299_792_458.0 / freq_hz) ** 2 / (4 * math.pi))
    received = float(link.from_db(-pathloss.free_space_path_loss_db(range_m, freq_hz)))
    # The document rounds 32.4478 to 32.45 dB: 0.05 %.
    assert antennas_on_sphere * received == pytest.approx(1.0, rel=1e-3)


@given(ranges, st.floats(1.001, 100.0), frequencies)
def test_free_space_grows_with_distance_and_frequency(range_m: float, factor: float, freq_hz: float) -> None:
    loss_db = float(pathloss.free_space_path_loss_db(range_m, freq_hz))
    growth_db = 20 * math.log10(factor)
    assert float(pathloss.free_space_path_loss_db(range_m * factor, freq_hz)) - loss_db == pytest.approx(growth_db)
    assert float(pathloss.free_space_path_loss_db(range_m, freq_hz * factor)) - loss_db == pytest.approx(growth_db)


# Geometry -----------------------------------------------------------------------------------------------


@given(latitudes, longitudes, latitudes, longitudes)
def test_distances_are_reciprocal(lat0: float, lon0: float, lat1: float, lon1: float) -> None:
    there = float(geometry.great_circle_distance_m(lat0, lon0, lat1, lon1))
    assert there == pytest.approx(float(geometry.great_circle_distance_m(lat1, lon1, lat0, lon0)), abs=1e-6)
    assert 0.0 <= there <= math.pi * 6371e3 + 1e-6


@given(latitudes, longitudes, latitudes, longitudes, altitudes)
def test_look_angles_are_consistent_from_both_ends(
    lat0: float, lon0: float, lat1: float, lon1: float, alt_m: float
) -> None:
    site, other = geometry.spherical_to_ecef(lat0, lon0, 0.0), geometry.spherical_to_ecef(lat1, lon1, alt_m)
    _, elevation, there = geometry.look_angles(site, lat0, lon0, other)
    _, depression, back = geometry.look_angles(other, lat1, lon1, site)
    assert float(there) == pytest.approx(float(back), rel=1e-9)
    # The triangle with the Earth's centre: elevation + depression (negative) = - angle at the centre.
    cosine = float(site @ other) / (np.linalg.norm(site) * np.linalg.norm(other))
    assert float(elevation + depression) == pytest.approx(-math.acos(max(-1.0, min(1.0, cosine))), abs=1e-6)


@given(elevations, elevations, altitudes)
def test_a_lower_platform_in_the_sky_is_farther_away(one: float, other: float, alt_m: float) -> None:
    low, high = sorted((one, other))
    assert float(geometry.slant_range_m(low, alt_m)) >= float(geometry.slant_range_m(high, alt_m)) * (1 - 1e-12)
    assert float(geometry.central_angle_rad(low, alt_m)) >= float(geometry.central_angle_rad(high, alt_m)) - 1e-12


@given(elevations, altitudes, st.floats(1.0, 10.0))
def test_higher_platforms_cover_more(elevation: float, alt_m: float, factor: float) -> None:
    near, far = (float(geometry.footprint_area_m2(elevation, a)) for a in (alt_m, factor * alt_m))
    assert near <= far * (1 + 1e-9) + 1e-3
    assert 0.0 <= far <= 2 * math.pi * 6371e3**2 * (1 + 1e-12)


@given(latitudes, longitudes, altitudes)
def test_a_satellite_is_above_its_sub_point(lat: float, lon: float, alt_m: float) -> None:
    position_m = geometry.geodetic_to_ecef(lat, lon, alt_m)
    got_lat, got_lon, got_alt_m, _ = orbit_classes.sub_point(position_m)
    assert float(got_lat) == pytest.approx(lat, abs=1e-9)
    assert math.remainder(float(got_lon) - lon, 2 * math.pi) == pytest.approx(0.0, abs=1e-6)
    assert float(got_alt_m) == pytest.approx(alt_m, abs=1e-3)


vectors = st.tuples(*(st.floats(-4e7, 4e7) for _ in range(3))).map(np.array)


@given(vectors, st.floats(0.0, 2 * math.pi))
def test_the_sun_lights_what_is_not_behind_the_earth(position_m: np.ndarray, season: float) -> None:
    distance_m = np.linalg.norm(position_m)
    if distance_m < 6.5e6:
        return
    sun = np.array([math.cos(season), math.sin(season) * 0.917, math.sin(season) * 0.398])
    sun = sun / np.linalg.norm(sun)
    share = float(eclipse.sunlit_share(position_m, sun))
    assert 0.0 <= share <= 1.0
    if position_m @ sun > 0:
        assert share == 1.0 and not eclipse.in_cylindrical_shadow(position_m, sun)


@given(vectors, vectors)
def test_sight_is_reciprocal(first: np.ndarray, second: np.ndarray) -> None:
    there, back = (float(contacts.line_of_sight_height_m(*pair)) for pair in ((first, second), (second, first)))
    assert there == pytest.approx(back, abs=1e-5)
    assert there <= min(np.linalg.norm(first), np.linalg.norm(second)) - 6_378_137.0 + 1e-5


# Losses -------------------------------------------------------------------------------------------------


@given(cells, distances, distances, st.floats(0.5e9, 3e10), st.booleans())
def test_terrestrial_loss_grows_with_distance(
    cell: terrestrial.TerrestrialCell, one: float, other: float, freq_hz: float, los: bool
) -> None:
    near, far = sorted((one, other))
    near_db, far_db = (float(terrestrial.path_loss_db(cell, d, freq_hz, los)) for d in (near, far))
    # RMa: its two slopes do not meet exactly at the break point.
    assert near_db <= far_db + (0.5 if cell.scenario == "RMa" else 1e-6)
    assert float(terrestrial.path_loss_db(cell, far, freq_hz, False)) >= far_db - 1e-9
    # Never less than free space by more than the fit's 1 dB.
    assert far_db >= float(pathloss.free_space_path_loss_db(far, freq_hz)) - 1.5


@given(environments, bands, elevations, st.booleans())
def test_large_scale_tables_are_finite_and_positive(environment: str, band: str, elevation: float, los: bool) -> None:
    for mode in ("linear", "nearest"):
        sigma_db = float(pathloss.shadow_sigma_db(elevation, environment, band, los, mode))
        clutter_db = float(pathloss.clutter_loss_db(elevation, environment, band, los, mode))
        assert 0.0 < sigma_db < 20.0
        assert clutter_db == 0.0 if los else 15.0 < clutter_db < 50.0


@given(itu_frequencies, slant_elevations, slant_elevations)
def test_the_atmosphere_is_longer_at_low_elevation(freq_hz: float, one: float, other: float) -> None:
    low, high = sorted((one, other))
    zenith_db = float(gases.zenith_gas_attenuation_db(freq_hz))
    assert zenith_db > 0.0
    low_db, high_db = (float(gases.slant_gas_attenuation_db(zenith_db, e)) for e in (low, high))
    assert low_db >= high_db >= zenith_db * (1 - 1e-12)
    assert float(atmosphere.cloud_attenuation_db(freq_hz, low, 1.0)) >= float(
        atmosphere.cloud_attenuation_db(freq_hz, high, 1.0)
    )


@given(sites, st.floats(0.001, 5.0), st.floats(0.001, 5.0), slant_elevations, itu_frequencies)
def test_rain_fades_that_are_rarer_are_deeper(
    site: str, one: float, other: float, elevation: float, freq_hz: float
) -> None:
    climate = site_climate(site)
    rare, common = sorted((one, other))
    rare_db, common_db = (float(rain.rain_attenuation_db(p, elevation, freq_hz, climate)) for p in (rare, common))
    assert math.isfinite(rare_db) and math.isfinite(common_db) and common_db >= 0.0
    # P.618 is a fit, with a kink at 1 % between 36 deg north and south.
    assert rare_db >= common_db * 0.9 - 0.05


@given(sites, st.floats(0.01, 1.0), slant_elevations, itu_frequencies)
def test_the_whole_atmosphere_is_at_least_its_gas_and_at_most_the_sum(
    site: str, p_percent: float, elevation: float, freq_hz: float
) -> None:
    parts = rain.slant_path_attenuation(p_percent, elevation, freq_hz, site_climate(site), 0.6)
    values = [float(v) for v in (parts.gas_db, parts.cloud_db, parts.rain_db, parts.scintillation_db)]
    assert all(math.isfinite(v) and v >= 0.0 for v in values)
    assert values[0] - 1e-12 <= float(parts.total_db) <= sum(values) + 1e-9


# Probabilities ------------------------------------------------------------------------------------------


@given(environments, elevations, cells, st.floats(0.0, 2e4))
def test_line_of_sight_is_a_probability(
    environment: str, elevation: float, cell: terrestrial.TerrestrialCell, distance_m: float
) -> None:
    for mode in ("linear", "nearest"):
        assert 0.0 <= float(pathloss.los_probability(elevation, environment, mode)) <= 1.0
    assert 0.0 <= float(terrestrial.los_probability(cell, distance_m)) <= 1.0


@given(st.sampled_from(["suburban", "urban", "dense_urban", "highrise"]), elevations, elevations)
def test_line_of_sight_grows_with_elevation(environment: str, one: float, other: float) -> None:
    low, high = (float(los_models.sigmoid_los_probability(e, environment)) for e in sorted((one, other)))
    assert 0.0 <= low <= high <= 1.0


@given(st.floats(0.0, 50.0), st.floats(0.0, 50.0), st.floats(0.0, 30.0), st.floats(0.5, 30.0))
def test_fading_laws_are_distributions(one: float, other: float, k_factor: float, m: float) -> None:
    low, high = sorted((one, other))
    for law in (
        fading.rayleigh_power_cdf,
        lambda p: fading.rician_power_cdf(p, k_factor),
        lambda p: fading.nakagami_power_cdf(p, m),
        lambda p: fading.shadowed_rician_power_cdf(p, fading.shadowed_rician("average")),
    ):
        at_low, at_high = float(law(low)), float(law(high))
        assert 0.0 <= at_low <= at_high + 1e-9
        assert at_high <= 1.0 + 1e-9
        assert float(law(0.0)) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    "law",
    [
        fading.rayleigh_power_pdf,
        lambda p: fading.rician_power_pdf(p, 5.0),
        lambda p: fading.nakagami_power_pdf(p, 2.5),
        lambda p: fading.shadowed_rician_power_pdf(p, fading.ShadowedRician(0.126, 10.1, 0.748)),
    ],
    ids=["Rayleigh", "Rice", "Nakagami", "shadowed Rice"],
)
def test_fading_neither_makes_nor_takes_power(law) -> None:
    # Mean powers are 1, 1, 1 and 2 b + Omega = 1: the integral of p pdf(p).
    power = np.linspace(1e-9, 60.0, 60_001)
    assert np.trapezoid(law(power), power) == pytest.approx(1.0, abs=1e-4)
    assert np.trapezoid(power * law(power), power) == pytest.approx(1.0, abs=1e-3)


@given(st.floats(1e-3, 2.0), st.floats(0.0, 3.0), st.floats(0.05, 20.0), st.floats(0.0, 20.0), st.floats(0.0, 20.0))
def test_loo_and_shadowed_rice_are_distributions(b: float, mean: float, m: float, one: float, other: float) -> None:
    low, high = sorted((one, other))
    for law in (
        lambda p: fading.shadowed_rician_power_cdf(p, fading.ShadowedRician(b, m, mean)),
        lambda p: loo.loo_power_cdf(p, loo.Loo(b, math.log(mean + 0.05), min(m, 1.5) / 2)),
    ):
        at_low, at_high = float(law(low)), float(law(high))
        assert -1e-12 <= at_low <= at_high + 1e-9
        assert at_high <= 1.0 + 1e-9


@given(st.floats(0.0, 1.0), st.floats(0.1, 15.0), st.floats(0.0, 60.0), st.floats(0.1, 20.0), st.floats(-80.0, 150.0))
def test_shadowing_mixtures_are_distributions(
    p_los: float, sigma_db: float, clutter_db: float, blocked_sigma_db: float, loss_db: float
) -> None:
    mixture = shadowing_mixture.ShadowingMixture(p_los, 0.0, sigma_db, clutter_db, blocked_sigma_db)
    below, above = (float(shadowing_mixture.excess_loss_cdf(x, mixture)) for x in (loss_db, loss_db + 1.0))
    assert 0.0 <= below <= above <= 1.0
    assert float(shadowing_mixture.excess_loss_pdf(loss_db, mixture)) >= 0.0
    assert shadowing_mixture.mean_excess_gain(mixture) > 0.0


@given(st.floats(0.3, 20.0), st.floats(-20.0, 40.0), st.floats(0.1, 10.0))
def test_fading_costs_rate_and_more_power_never_does(m: float, snr_db: float, threshold: float) -> None:
    snr = 10 ** (snr_db / 10)

    def law(power):
        return fading.nakagami_power_cdf(power, m)

    rate, louder = fading_rates.ergodic_rate_bit_s_hz(law, np.array([snr, 2.0 * snr]), 1e-8)
    assert 0.0 < rate <= math.log2(1.0 + snr) * (1 + 1e-7)  # Jensen
    assert rate < louder < rate + 1.0  # twice the power is at most one bit more
    outage, less = (float(fading_rates.outage_probability(law, threshold, s)) for s in (snr, 2.0 * snr))
    assert 0.0 <= less <= outage <= 1.0


@given(st.floats(0.001, 0.49), st.integers(1, 60))
def test_autoregressions_are_stationary(doppler_per_step: float, order: int) -> None:
    model = fading_correlation.jakes_autoregression(doppler_per_step, order)
    assert 0.0 < model.innovation_std <= 1.0
    correlation = fading_correlation.autoregression_correlation(model, 3 * order + 1)
    assert np.abs(correlation).max() <= 1.0 + 1e-9


# Climates -----------------------------------------------------------------------------------------------


@given(latitudes, longitudes, st.floats(0.0, 4e3))
def test_interpolated_climates_stay_within_those_of_the_sites(lat: float, lon: float, alt_m: float) -> None:
    place = climate_interpolation.interpolated_site_climate(lat, lon, alt_m, max_distance_m=math.inf)
    for field in ("rain_rate_001_mm_h", "rain_height_m", "temperature_k", "cloud_liquid_1pct_kg_m2"):
        every = [getattr(site_climate(name), field) for name in site_names()]
        assert min(every) * (1 - 1e-9) <= getattr(place, field) <= max(every) * (1 + 1e-9)
    assert math.isfinite(float(rain.rain_attenuation_db(0.01, 0.5, 20e9, place)))


# Optics and energy --------------------------------------------------------------------------------------


@given(st.floats(0.01, 30.0), st.floats(0.01, 30.0))
def test_clearer_air_attenuates_less(one_km: float, other_km: float) -> None:
    low, high = sorted((one_km, other_km))
    for law in (visibility_fog.kim_attenuation_db_km, visibility_fog.kruse_attenuation_db_km):
        dense, clear = (float(law(1e3 * v, 0.85e-6)) for v in (low, high))
        assert math.isfinite(dense) and 0.0 < clear <= dense * (1 + 1e-9)


@given(st.floats(1.0, 1e7), st.floats(0.005, 0.2), st.floats(0.5e-6, 2e-6), st.floats(0.01, 1.0))
def test_no_telescope_collects_more_than_was_sent(range_m: float, waist_m: float, wavelength_m: float, a_m: float):
    radius = float(gaussian_beam.beam_radius_m(range_m, waist_m, wavelength_m))
    assert radius >= waist_m * (1 - 1e-12)
    assert 0.0 < float(gaussian_beam.collected_fraction(radius, a_m)) <= 1.0
    assert float(gaussian_beam.geometric_loss_db(radius, a_m)) >= 0.0


@given(st.floats(0.0, 3.6e7), st.floats(0.0, 5e3), st.floats(0.0, 5e3), st.floats(1.0, 3600.0))
def test_batteries_conserve_energy(energy_j: float, source_w: float, demand_w: float, dt_s: float) -> None:
    store = battery.Battery(3.6e7, max_charge_w=2e3, max_discharge_w=3e3, self_discharge_per_s=1e-7)
    step = battery.battery_step(store, energy_j, source_w, demand_w, dt_s)
    before = energy_j + source_w * dt_s
    after = sum(float(v) for v in (step.energy_j, step.delivered_j, step.spilled_j, step.lost_j))
    assert after == pytest.approx(before, rel=1e-9, abs=1e-6)
    assert float(step.delivered_j + step.unmet_j) == pytest.approx(demand_w * dt_s, rel=1e-9, abs=1e-6)
    assert 0.0 <= float(step.energy_j) <= store.capacity_j * (1 + 1e-12)


# Antennas and links -------------------------------------------------------------------------------------


@given(st.floats(0.1, 3.0), st.floats(2e9, 4e10))
def test_an_aperture_does_not_radiate_more_than_it_is_fed(diameter_m: float, freq_hz: float) -> None:
    # Mean gain over the front hemisphere, with the directivity (k a)^2 of the aperture, is at most 2 of a whole sphere.
    ka = float(antennas.aperture_ka(diameter_m, freq_hz))
    if ka < 10.0:
        return
    off_axis = np.linspace(0.0, math.pi / 2, 40_001)
    gain = np.asarray(antennas.aperture_gain(off_axis, diameter_m, freq_hz)) * ka**2
    assert gain.min() >= 0.0
    share = np.trapezoid(gain * np.sin(off_axis), off_axis) / 2.0
    assert 0.9 < share < 1.02


@given(st.floats(0.0, math.pi), st.floats(10.0, 50.0))
def test_patterns_never_exceed_their_largest_gain(off_axis: float, max_gain_dbi: float) -> None:
    for gain_dbi in (
        antenna_patterns.f1891_gain_dbi(off_axis, max_gain_dbi),
        antenna_patterns.gaussian_gain_dbi(off_axis, math.radians(3.0), max_gain_dbi),
    ):
        assert math.isfinite(float(gain_dbi))
        assert float(gain_dbi) <= max_gain_dbi + 1e-9


@given(st.lists(st.floats(1e-16, 1e-6), min_size=2, max_size=8), st.floats(1e-15, 1e-9))
def test_interference_only_hurts(received: list[float], noise_w: float) -> None:
    powers = np.array(received)
    ratio = link.sinr_of_each_node(powers, noise_w)
    assert np.isfinite(ratio).all() and (ratio >= 0.0).all()
    assert (ratio <= powers / noise_w * (1 + 1e-9)).all()
    for node in range(len(powers)):
        alone = float(link.sinr(powers[node], np.delete(powers, node), noise_w))
        # The difference of a sum and its own term loses digits where one node dominates.
        assert float(ratio[node]) == pytest.approx(alone, rel=1e-6 + 1e-15 * powers.sum() / noise_w)


@given(st.floats(0.0, 1e8), st.floats(0.0, 1e8))
def test_a_better_channel_carries_no_less(one: float, other: float) -> None:
    low, high = (float(link.spectral_efficiency_bit_s_hz(r)) for r in sorted((one, other)))
    assert 0.0 <= low <= high <= 4.8
    assert low <= math.log2(1.0 + min(one, other)) + 1e-12  # Shannon


@given(powers_dbw, st.floats(-40.0, 40.0), st.floats(0.0, 300.0), st.floats(1e3, 1e9))
def test_budgets_add(eirp_dbw: float, gt_db_k: float, loss_db: float, bandwidth_hz: float) -> None:
    cnr_db = float(link.cnr_db(eirp_dbw, gt_db_k, loss_db, bandwidth_hz))
    assert math.isfinite(cnr_db)
    assert float(link.cnr_db(eirp_dbw + 3.0, gt_db_k, loss_db + 3.0, bandwidth_hz)) == pytest.approx(cnr_db)
    assert float(link.cnr_db(eirp_dbw, gt_db_k, loss_db, 10 * bandwidth_hz)) == pytest.approx(cnr_db - 10.0)


@given(st.floats(-200.0, 200.0))
def test_decibels_round_trip(value_db: float) -> None:
    assert float(link.to_db(link.from_db(value_db))) == pytest.approx(value_db, abs=1e-9)


# Refusals -----------------------------------------------------------------------------------------------

CLIMATE = site_climate("city:Tokyo")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: rain.rain_attenuation_db(0.01, 0.5, 60e9, CLIMATE),
            r"freq_hz: got 6e\+10 .* must be 1e\+09 to 5.5e\+10",
        ),
        (lambda: rain.rain_attenuation_db(50.0, 0.5, 20e9, CLIMATE), "p_percent: got 50 .* must be 0.001 to 5 %"),
        (lambda: rain.rain_attenuation_db(0.01, 0.0, 20e9, CLIMATE), "elev_rad: got 0 .* rad"),
        (lambda: rain.rain_attenuation_db(0.01, math.nan, 20e9, CLIMATE), "elev_rad: got nan"),
        (lambda: rain.slant_path_attenuation(0.1, 0.01, 20e9, CLIMATE, 0.6), "elev_rad: got 0.01"),
        (lambda: pathloss.band_of(2.0), "freq_hz: got 2 Hz; TR 38.811 covers 0.5e9 to 100e9 Hz"),
        (lambda: pathloss.los_probability(0.5, "village"), "environment: got 'village'; must be one of dense_urban"),
        (lambda: terrestrial.TerrestrialCell("UMa", user_height_m=50.0), "user_height_m: got 50"),
        (lambda: antennas.half_power_beamwidth_rad(0.001, 2e9), "(?i)aperture"),
        (lambda: orbit_classes.orbit_class(-5.0), "alt_m: got -5.0"),
        (lambda: pathloss.free_space_path_loss_db(np.array([1.0, 0.0]), 2e9), "range_m: got 0 m; must be above 0 m"),
        (lambda: pathloss.free_space_path_loss_db(1.0, -2e9), r"freq_hz: got -2e\+09 Hz; must be above 0 Hz"),
        (lambda: link.thermal_noise_dbw(0.0), "bandwidth_hz: got 0 Hz; must be above 0 Hz"),
        (lambda: link.thermal_noise_dbw(1e6, -3.0), "temperature_k: got -3 K; must be above 0 K"),
        (lambda: geometry.slant_range_m(0.5, -1.0), "alt_m: got -1 m; must be above 0 m"),
        (lambda: geometry.slant_range_m(-0.1, 5e5), "elev_rad: got -0.1 rad; must be at least 0 rad"),
        (lambda: doppler.propagation_delay_s(-3.0), "range_m: got -3 m; must be at least 0 m"),
        (lambda: geometry.elevation_from_central_angle_rad(0.1, 0.0), "alt_m: got 0 m"),
        (lambda: antennas.aperture_gain(0.1, -1.0, 2e9), "diameter_m: got -1 m"),
        (lambda: antenna_patterns.f1245_gain_dbi(0.1, 20.0, 150.0), "max_gain_dbi: got .* dB above the shelf"),
        (lambda: gases.zenith_gas_attenuation_db(0.5e9), r"freq_hz: got 5e\+08 Hz; must be 1e\+09 to 1e\+12 Hz"),
        (lambda: gases.specific_attenuation_db_km(2e12), "ITU-R P.676 Annex 1"),
        (lambda: gases.slant_gas_attenuation_db(0.2, 0.0), "elev_rad: got 0 rad; must be above 0 rad"),
        (lambda: atmosphere.cloud_attenuation_db(300e9, 0.5, 1.0), "freq_hz: got .* Hz .*P.840"),
        (lambda: atmosphere.ionospheric_scintillation_db(0.0, 0.1), "freq_hz: got 0 Hz"),
        (lambda: rain.specific_attenuation_coefficients(0.5e9, 0.5), "freq_hz: .* P.838"),
        (lambda: turbulence.fried_parameter_m(1.5), "wavelength_m: got 1.5 m"),
        (lambda: sun.horizon_dip_rad(-5.0), "alt_m: got -5 m"),
        (lambda: optical_link.photon_energy_j(0.0), "wavelength_m: got 0 m"),
        (lambda: doppler.max_doppler_rate_ppm_s(0.0), "alt_m: got 0 m"),
        (lambda: pass_prediction.stations(91.0, 0.0), "lat_rad: got 91 rad; must be -1.5708 to 1.5708 rad"),
        (
            lambda: link.LinkBudget(2e9, 1e6, 0.0, 30.0, -31.6),
            "LinkBudget.bandwidth_hz: got 0.0; must be a positive number of Hz",
        ),
    ],
)
def test_values_outside_the_range_are_refused_with_the_range(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
