"""What environments call runs on float32 tensors and agrees with NumPy in float64 within 1e-5 relative."""

import ast
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

import ntn_gym
from ntn_gym.physics import antennas, doppler, frames, gases, geometry, link, los_models, orbits, pathloss, terrestrial

PACKAGE = Path(ntn_gym.__file__).parent
RNG = np.random.default_rng(7)
N = 400


def uniform(low: float, high: float, *shape: int) -> np.ndarray:
    return RNG.uniform(low, high, shape or (N,)).astype(np.float32)


def on_sphere(radius_m: float) -> np.ndarray:
    vectors = RNG.normal(size=(N, 3))
    return (radius_m * vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


LAT, LON, ELEV = uniform(-1.5, 1.5), uniform(-3.1, 3.1), uniform(0.09, 1.57)
ALT, FREQ, RANGE = uniform(3e5, 2e6), uniform(1e9, 4e10), uniform(10.0, 4e7)
SAT, SPEED = on_sphere(6.95e6), on_sphere(7.5e3)
USER = (SAT * np.float32(6371.0 / 6950.0) + on_sphere(3e5)).astype(np.float32)
UNIT_A = on_sphere(1.0)
UNIT_B = UNIT_A + np.float32(0.1) * on_sphere(1.0)
UNIT_B = (UNIT_B / np.linalg.norm(UNIT_B, axis=-1, keepdims=True)).astype(np.float32)
LOS = RNG.random(N) < 0.5
POWER = uniform(1e-14, 1e-11, N, 5)
UMA = terrestrial.TerrestrialCell("UMa")
TABLE = antennas.aperture_table(0.5, 20e9)


def with_los(function: Callable, *arguments) -> Callable:
    """The same line of sight for both libraries."""
    return lambda *arrays: function(
        *arguments, *arrays, torch.from_numpy(LOS) if isinstance(arrays[0], torch.Tensor) else LOS
    )


CASES: dict[str, tuple[Callable, tuple]] = {
    "antennas.ApertureTable.gain_db": (TABLE.gain_db, (uniform(0.0, 0.02),)),
    "antennas.ApertureTable.gain": (TABLE.gain, (uniform(0.0, 0.001),)),
    "antennas.beam_spacing_uv": (antennas.beam_spacing_uv, (uniform(0.01, 0.2),)),
    "antennas.sin2_between": (antennas.sin2_between, (UNIT_A, UNIT_B)),
    "antennas.uv_of_user": (antennas.uv_of_user, (SAT, SPEED, USER)),
    "antennas.aperture_ka": (antennas.aperture_ka, (uniform(0.1, 5.0), FREQ)),
    "doppler.doppler_hz": (doppler.doppler_hz, (uniform(-7e3, 7e3), FREQ)),
    "doppler.max_doppler_ppm": (doppler.max_doppler_ppm, (ALT, uniform(0.0, 1.4))),
    "doppler.propagation_delay_s": (doppler.propagation_delay_s, (RANGE,)),
    "frames.teme_to_ecef": (frames.teme_to_ecef, (SAT, SPEED, uniform(0.0, 6.28))),
    "frames.ecef_to_teme": (frames.ecef_to_teme, (SAT, SPEED, uniform(0.0, 6.28))),
    "gases.slant_gas_attenuation_db": (gases.slant_gas_attenuation_db, (uniform(0.01, 2.0), ELEV)),
    "gases.tr38811_gas_attenuation_db": (lambda elev: gases.tr38811_gas_attenuation_db(20e9, elev), (ELEV,)),
    "geometry.central_angle_rad": (geometry.central_angle_rad, (ELEV, ALT)),
    "geometry.coverage_half_angle_rad": (geometry.coverage_half_angle_rad, (ELEV, ALT)),
    "geometry.elevation_from_central_angle_rad": (
        geometry.elevation_from_central_angle_rad,
        (uniform(0.01, 0.25), uniform(5e5, 2e6)),
    ),
    "geometry.enu_basis": (geometry.enu_basis, (LAT, LON)),
    "geometry.footprint_area_m2": (geometry.footprint_area_m2, (ELEV, ALT)),
    "geometry.geodetic_to_ecef": (geometry.geodetic_to_ecef, (LAT, LON, ALT)),
    "geometry.great_circle_destination": (
        geometry.great_circle_destination,
        (LAT, LON, uniform(0.0, 6.28), uniform(1e3, 5e6)),
    ),
    "geometry.great_circle_distance_m": (geometry.great_circle_distance_m, (LAT, LON, LAT + np.float32(0.3), LON)),
    "geometry.look_angles": (geometry.look_angles, (on_sphere(1.0) * np.float32(6.371e6), LAT, LON, SAT)),
    "geometry.nadir_angle_rad": (geometry.nadir_angle_rad, (uniform(0.09, 1.4), ALT)),
    "geometry.range_rate_m_s": (geometry.range_rate_m_s, (SAT, SPEED)),
    "geometry.slant_range_m": (geometry.slant_range_m, (ELEV, ALT)),
    "link.cnr_db": (link.cnr_db, (uniform(30, 60), uniform(-30, 20), uniform(140, 160), uniform(1e5, 4e8))),
    "link.from_db": (link.from_db, (uniform(-30, 30),)),
    "link.sinr": (lambda received: link.sinr(received[..., 0], received[..., 1:], 1e-13), (POWER,)),
    "link.sinr_of_each_node": (lambda received: link.sinr_of_each_node(received, 1e-12), (POWER,)),
    "link.spectral_efficiency_bit_s_hz": (link.spectral_efficiency_bit_s_hz, (uniform(0.01, 1e4),)),
    "link.thermal_noise_dbw": (link.thermal_noise_dbw, (uniform(1e5, 4e8), uniform(50.0, 900.0))),
    "link.to_db": (link.to_db, (uniform(10.0, 1e9),)),
    "los_models.sigmoid_los_probability": (lambda elev: los_models.sigmoid_los_probability(elev, "urban"), (ELEV,)),
    "orbits.hermite": (
        lambda p, v, q, w, s: orbits.hermite(p, v, q, w, 60.0, s),
        (SAT, SPEED, SAT + 60 * SPEED, SPEED, uniform(0.0, 1.0)),
    ),
    "orbits.propagate_circular": (
        lambda raan, u, time_s: orbits.propagate_circular(raan, u, 0.925, 6.928e6, time_s),
        (uniform(0.0, 6.28, 30), uniform(0.0, 6.28, 30), uniform(0.0, 600.0, 20)),
    ),
    "pathloss.free_space_path_loss_db": (pathloss.free_space_path_loss_db, (RANGE, FREQ)),
    "pathloss.los_probability": (lambda elev: pathloss.los_probability(elev, "urban"), (ELEV,)),
    "pathloss.shadow_sigma_db": (
        with_los(lambda elev, los: pathloss.shadow_sigma_db(elev, "rural", "S", los, "linear")),
        (ELEV,),
    ),
    "pathloss.clutter_loss_db": (
        with_los(lambda elev, los: pathloss.clutter_loss_db(elev, "urban", "Ka", los, "linear")),
        (ELEV,),
    ),
    "terrestrial.path_loss_db": (with_los(terrestrial.path_loss_db, UMA), (uniform(10.0, 5e3), uniform(7e8, 4e9))),
    "terrestrial.los_probability": (lambda d: terrestrial.los_probability(UMA, d), (uniform(10.0, 5e3),)),
}
# Called once while an environment is built, in float64 and with settings rather than states.
AT_CONSTRUCTION = {
    "antennas.aperture_angle_rad", "antennas.aperture_table", "antennas.half_power_beamwidth_rad",
    "antennas.hexagonal_beams_uv", "antennas.hexagonal_colours", "climate.nearest_site_climate", "climate.site_climate",
    "climate.site_names", "frames.gmst_rad", "frames.julian_date", "frames.utc_from_julian_date", "frames.utc_text",
    "gases.zenith_gas_attenuation_db", "orbits.walker_elements", "pathloss.band_of", "pathloss.large_scale_table",
    "rain.rain_attenuation_db", "tle.parse_tle", "tle.propagate_tle",
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_float32_tensors_agree_with_numpy(name: str) -> None:
    function, arrays = CASES[name]
    expected = function(*(array.astype(np.float64) for array in arrays))
    got = function(*(torch.from_numpy(array) for array in arrays))
    if not isinstance(expected, tuple):
        expected, got = (expected,), (got,)
    for mine, theirs in zip(got, expected, strict=True):
        assert mine.dtype == torch.float32
        values = mine.numpy().astype(np.float64)
        assert values.shape == theirs.shape
        # Relative to the length of a vector, and to the size of a typical value where values pass through zero.
        size = np.linalg.norm(theirs, axis=-1, keepdims=True) if theirs.shape[-1:] in ((3,), (2,)) else np.abs(theirs)
        size = np.maximum(size, np.abs(theirs).mean())
        assert float((np.abs(values - theirs) / size).max()) < 1e-5


@pytest.mark.parametrize("name", CASES)
def test_float32_arrays_agree_with_float64(name: str) -> None:
    function, arrays = CASES[name]
    single, double = function(*arrays), function(*(array.astype(np.float64) for array in arrays))
    if not isinstance(single, tuple):
        single, double = (single,), (double,)
    for mine, theirs in zip(single, double, strict=True):
        assert mine.dtype == np.float32
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-5 * float(np.abs(theirs).mean()))


def physics_functions_of_environments() -> set[str]:
    """Functions of the physics that environments, worlds and the core import, as "module.function"."""
    used = set()
    for path in [p for folder in ("envs", "world", "core") for p in (PACKAGE / folder).rglob("*.py")]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        modules = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ntn_gym.physics"):
                for alias in node.names:
                    if node.module == "ntn_gym.physics":
                        modules[alias.asname or alias.name] = alias.name
                    else:
                        used.add(f"{node.module.removeprefix('ntn_gym.physics.')}.{alias.name}")
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
                used.add(f"{modules[node.value.id]}.{node.attr}")
    # Functions only: neither classes nor constants nor types.
    return {name for name in used if name.split(".")[-1].islower()}


def test_every_function_that_environments_call_is_compared() -> None:
    used = physics_functions_of_environments()
    assert {"geometry.geodetic_to_ecef", "pathloss.free_space_path_loss_db", "orbits.hermite"} <= used
    missing = used - set(CASES) - AT_CONSTRUCTION
    assert not missing, f"add to CASES or AT_CONSTRUCTION: {sorted(missing)}"
    assert not set(CASES) & AT_CONSTRUCTION
