"""Every sampler has a Kolmogorov-Smirnov test at n = 200,000: those of the physics by a list, those of worlds here."""

import ast
import inspect
import math
import pkgutil
import re
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import ntn_gym.physics
from ntn_gym.physics import rain
from ntn_gym.physics.climate import site_climate
from ntn_gym.physics.pathloss import large_scale_table
from ntn_gym.world import clouds, processes, shadowing, skyline, users, weather

HERE = Path(__file__).parent
N = 200_000
KS_LIMIT = 1.63 / math.sqrt(N)  # 1 % critical value; the seeds are fixed

# Where samplers of ntn_gym.physics are tested: by file, the sampler and its test. Add new samplers and their tests.
TESTED = {
    "test_beam_pointing.py": {"beam_pointing.sample_pointing_fraction": "test_sampler"},
    "test_scintillation.py": dict.fromkeys(
        (
            "exponentiated_weibull.sample_exponentiated_weibull",
            "scintillation.sample_gamma_gamma",
            "scintillation.sample_lognormal",
        ),
        "test_samplers_follow_the_distribution",
    ),
    "test_fading.py": dict.fromkeys(
        (
            "fading_samples.sample_nakagami_power",
            "fading_samples.sample_rayleigh_power",
            "fading_samples.sample_rician_power",
            "fading_samples.sample_shadowed_rician_power",
        ),
        "test_samplers_follow_the_distribution",
    ),
    "test_fading_correlation.py": {"fading_correlation.sample_autoregression": "test_samples_of_the_autoregression"},
    "test_fading_laws.py": {
        "loo.sample_loo_power": "test_loo_sampler",
        "shadowing_mixture.sample_excess_loss_db": "test_mixture_sampler",
    },
    "stochastic/test_clusters.py": {
        "stochastic.clusters.sample_circular_clusters": "test_followers_of_isotropic_leaders_are_isotropic",
        "stochastic.clusters.sample_uniform_clusters": "test_uniform_followers_fill_their_caps_evenly",
    },
    "stochastic/test_homogeneous.py": {
        "stochastic.homogeneous.sample_cap": "test_points_of_a_cap_are_uniform_in_area",
        "stochastic.homogeneous.sample_sphere": "test_directions_are_isotropic",
    },
    "stochastic/test_latitude.py": {
        "stochastic.latitude.sample_profile": "test_profile_samples_follow_the_density",
        "stochastic.latitude.sample_shell": "test_latitudes_of_a_shell_follow_the_arcsine_law",
    },
    "stochastic/test_orbital.py": {
        "stochastic.orbital.sample_cox": "test_cox_satellites_are_uniform_on_the_sphere",
        "stochastic.orbital.sample_dual_stochastic": (
            "test_one_satellite_of_a_dual_stochastic_process_is_uniform_on_the_sphere"
        ),
        "stochastic.orbital.sample_orbit": "test_geostationary_belt",
        "stochastic.orbital.sample_orbit_geometry": "test_latitudes_of_the_orbit_geometry_follow_the_arcsine_law",
        "stochastic.orbital.sample_route": "test_route_is_the_shorter_arc_and_evenly_filled",
    },
    "stochastic/test_planar.py": {
        "stochastic.planar.sample_disc": "test_points_of_a_disc_are_uniform_in_area",
        "stochastic.planar.sample_disc_clusters": "test_clusters_are_uniform_and_their_number_is_compound_poisson",
    },
}
# A number of points is not continuous: chi-square on the counts (stochastic/test_homogeneous.py) instead.
COUNTS = {"stochastic.points.draw_present"}
ENOUGH = re.compile(r"200_000|\(200, 1000\)|\(1000, 200\)")


def samplers_of_the_physics() -> set[str]:
    """Public functions of ntn_gym.physics with a parameter that is a random generator."""
    found = set()
    for info in pkgutil.walk_packages(ntn_gym.physics.__path__, "ntn_gym.physics."):
        for name, value in vars(import_module(info.name)).items():
            if name.startswith("_") or not inspect.isfunction(value) or value.__module__ != info.name:
                continue
            if any("Generator" in str(p.annotation) for p in inspect.signature(value).parameters.values()):
                found.add(f"{info.name.removeprefix('ntn_gym.physics.')}.{name}")
    return found


def test_every_sampler_of_the_physics_is_listed() -> None:
    listed = {sampler for samplers in TESTED.values() for sampler in samplers}
    assert samplers_of_the_physics() == listed | COUNTS, "name the sampler and its test in TESTED"


@pytest.mark.parametrize("file", TESTED)
def test_the_named_tests_compare_distributions_at_200_000_samples(file: str) -> None:
    text = (HERE / file).read_text(encoding="utf-8")
    assert ENOUGH.search(text)
    tests = {node.name: node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}
    for sampler, name in TESTED[file].items():
        assert name in tests, f"{sampler}: no test {name} in {file}"
        source = ast.get_source_segment(text, tests[name]) or ""
        assert re.search(r"kstest\(|assert_uniform\(|\bks\(", source), f"{sampler}: {name} compares no distribution"


# Worlds ---------------------------------------------------------------------------------------------------


def generator(seed: int) -> list[np.random.Generator]:
    return [np.random.default_rng(seed)]


def assert_law(sample: np.ndarray, cdf) -> None:
    assert sample.size == N
    assert stats.kstest(np.asarray(sample, dtype=np.float64).ravel(), cdf).statistic < KS_LIMIT


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_draws(dtype) -> None:
    assert_law(processes.draw_normal(generator(1), 200, (1000,), dtype), "norm")
    assert_law(processes.draw_uniform(generator(2), 200, (1000,), dtype), "uniform")


@pytest.mark.parametrize("rho", [0.999, 0.5, -0.3])
def test_gauss_markov_is_stationary(rho) -> None:
    state = processes.start_gauss_markov(generator(3), (N,))
    assert_law(state, "norm")
    _, samples = processes.advance_gauss_markov(generator(4), state, 5, rho)
    assert_law(samples[:, -1], "norm")


def test_rain_scores_and_attenuation() -> None:
    state = weather.start(generator(5), N)
    assert_law(state, "norm")
    _, scores = weather.advance(generator(6), state, 3, 600.0)
    assert_law(scores[:, -1], "norm")
    # Where it rains for sure (rarer than 80 % of the rain probability and 5 %) the attenuation has the law of P.618.
    site, elev, freq_hz = site_climate("city:Singapore"), math.radians(30.0), 20e9
    wet_pct = 0.99 * min(5.0, 0.8 * site.rain_probability_pct)
    score = np.random.default_rng(7).standard_normal(10_000_000).astype(np.float32)
    wet = score[score > stats.norm.isf(wet_pct / 100)][:N]
    assert wet.size == N
    table = weather.rain_table(site, freq_hz)
    drawn_db = weather.attenuation_db(wet, np.float32(elev), table).astype(np.float64)
    percent = np.geomspace(0.001, wet_pct, 3000)
    curve_db = rain.rain_attenuation_db(percent, elev, freq_hz, site)
    below = 1.0 - np.interp(drawn_db, curve_db[::-1], percent[::-1]) / wet_pct
    assert stats.kstest(below, "uniform").statistic < KS_LIMIT


def test_cloud_holding_times() -> None:
    times = clouds.CloudTimes(7200.0, 1800.0)
    plan = clouds.cloud_plan(generator(8), 50, times, 5e7)
    clear, cloudy = [], []
    for station in range(50):
        changes = plan.change_s[0, station]
        lengths = np.diff(changes[np.isfinite(changes)])
        parity = int(plan.cloudy_at_start[0, station])
        cloudy.append(lengths[parity::2])
        clear.append(lengths[1 - parity :: 2])
    assert_law(np.concatenate(clear)[:N], stats.expon(scale=7200.0).cdf)
    assert_law(np.concatenate(cloudy)[:N], stats.expon(scale=1800.0).cdf)


def test_cloudy_or_not_has_the_long_run_share() -> None:
    # Two states: a binomial test takes the place of Kolmogorov and Smirnov.
    times = clouds.CloudTimes(7200.0, 1800.0)
    state = clouds.start(generator(9), N, times)
    _, samples = clouds.advance(generator(10), state, 3, 900.0, times)
    for sky in (state, samples[:, -1]):
        assert stats.binomtest(int(sky.sum()), N, 0.2).pvalue > 0.01


@pytest.mark.parametrize(
    "field", [skyline.FIELD, shadowing.azimuth_field(math.radians(10.0))], ids=["skyline", "shadow"]
)
def test_fields_over_azimuth_are_normal_in_every_direction(field) -> None:
    coefficients = processes.draw_normal(generator(11), 1, (N, field.n_coefficients))
    for azimuth in (0.0, 2.2):
        assert_law(field.evaluate(coefficients, np.full((1, 1, 1), azimuth)), "norm")


def test_skylines_stay_normal_while_users_move() -> None:
    state = skyline.start(generator(12), N // 10)
    _, coefficients = skyline.advance(generator(13), state, 2, 0.1, 5.0)
    towards = skyline.FIELD.evaluate(coefficients[:, -1:], np.full((1, 1, 1), 1.0))
    limit = 1.63 / math.sqrt(N // 10)
    assert stats.kstest(towards.ravel(), "norm").statistic < limit
    # Independent coefficients: each is a sample of its own, N together.
    assert_law(coefficients[:, -1, :, 1:11], "norm")


def test_shadowing_is_log_normal_with_the_clutter_as_its_mean() -> None:
    table = shadowing.shadow_table(large_scale_table("urban", "S"))
    field = processes.draw_normal(generator(14), 1, (N,))[0]
    elev = np.full(N, math.radians(40.05), dtype=np.float32)  # the middle of a cell; urban: 4 and 6 dB, printed
    for los, mean_db, sigma_db in ((True, 0.0, 4.0), (False, 27.7 - 0.09 * 0.05, 6.0)):
        loss_db = shadowing.excess_loss_db(field, np.full(N, los), elev, table)
        assert_law(loss_db, stats.norm(mean_db, sigma_db).cdf)


def test_users_are_uniform_in_their_disc_and_regions_in_their_band() -> None:
    region, _ = users.place_region(generator(15), N, "pedestrian", 1.0, 5e3, (0.2, 0.9))
    east, north = region.offset_m[0].T
    assert_law((east**2 + north**2) / 5e3**2, "uniform")
    assert_law(np.arctan2(east, north) / (2 * math.pi) + 0.5, "uniform")
    assert_law(region.course_rad[0] / (2 * math.pi), "uniform")
    worlds = [np.random.default_rng([16, i]) for i in range(20_000)]
    region, _ = users.place_region(worlds, 1, "static", 0.0, 5e3, (0.2, 0.9))
    limit = 1.63 / math.sqrt(len(worlds))
    assert stats.kstest((region.lat_rad - 0.2) / 0.7, "uniform").statistic < limit
    assert stats.kstest(region.lon_rad / (2 * math.pi) + 0.5, "uniform").statistic < limit
