"""What environments may call, with arguments: each case runs on float32 tensors and on NumPy arrays of both widths.

To extend it, add a line to `CASES` ("module.function": (function, float32 arrays)). A function that environments call
only while a world is built goes to `SETUP_ONLY`, under the reason why it need not run on tensors.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch

from ntn_gym.physics import (
    antenna_jitter,
    antenna_patterns,
    antennas,
    atmosphere,
    balloon_drag,
    battery,
    combining,
    computing,
    contacts,
    doppler,
    eclipse,
    estimation,
    frames,
    gases,
    gaussian_beam,
    geometry,
    ground_reflection,
    hibs,
    link,
    los_models,
    modulation,
    multiple_access,
    optical_link,
    orbit_classes,
    orbits,
    pathloss,
    payload,
    propulsion,
    queueing,
    solar_power,
    sun,
    terrestrial,
    visibility_fog,
)
from ntn_gym.physics.stochastic import association, relays

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
BATTERY = battery.Battery(3.6e6, max_charge_w=1e3, max_discharge_w=1e3)
WING = propulsion.FixedWing(75.0, 30.0, 20.0)
BELOW = (UNIT_A * np.float32([1.0, 1.0, 0.0]) - np.abs(UNIT_A) * np.float32([0.0, 0.0, 1.0])).astype(np.float32)


def with_los(function: Callable, *arguments) -> Callable:
    """The same line of sight for both libraries."""
    return lambda *arrays: function(
        *arguments, *arrays, torch.from_numpy(LOS) if isinstance(arrays[0], torch.Tensor) else LOS
    )


CASES: dict[str, tuple[Callable, tuple]] = {
    "antennas.ApertureTable.gain_db": (TABLE.gain_db, (uniform(0.0, 0.02),)),
    "antennas.ApertureTable.gain": (TABLE.gain, (uniform(0.0, 0.001),)),
    "antennas.aperture_gain": (antennas.aperture_gain, (uniform(0.0, 0.3), uniform(0.2, 2.0), uniform(1e9, 5e9))),
    "antennas.aperture_gain_db": (
        lambda angle: antennas.aperture_gain_db(angle, 0.5, 2e9, -30.0),
        (uniform(0.0, 0.4),),
    ),
    "antennas.aperture_max_gain_dbi": (antennas.aperture_max_gain_dbi, (uniform(0.2, 5.0), FREQ)),
    "antennas.aperture_angle_rad": (lambda d: antennas.aperture_angle_rad(-3.0, d, 20e9), (uniform(0.2, 2.0),)),
    "antennas.half_power_beamwidth_rad": (antennas.half_power_beamwidth_rad, (uniform(0.5, 2.0), FREQ)),
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
    "antenna_jitter.gaussian_beam_mean_gain": (
        antenna_jitter.gaussian_beam_mean_gain,
        (uniform(0.0, 0.02), uniform(0.01, 0.1)),
    ),
    "antenna_jitter.gaussian_beam_outage_jitter_loss_db": (
        antenna_jitter.gaussian_beam_outage_jitter_loss_db,
        (uniform(0.0, 0.02), uniform(0.01, 0.1), uniform(0.001, 0.1)),
    ),
    "antenna_jitter.aperture_mean_gain": (
        lambda jitter: antenna_jitter.aperture_mean_gain(jitter, 1.0, 20e9),
        (uniform(0.0, 0.02),),
    ),
    "antenna_jitter.two_level_side_gain": (
        antenna_jitter.two_level_side_gain,
        (uniform(2.0, 20.0), uniform(0.01, 0.2)),
    ),
    "antenna_jitter.two_level_gain": (
        antenna_jitter.two_level_gain,
        (uniform(0.0, 1.0), uniform(2.0, 20.0), uniform(0.01, 0.2)),
    ),
    "antenna_patterns.f1245_gain_dbi": (
        lambda angle, size, above: antenna_patterns.f1245_gain_dbi(angle, 5.0 + above + 15.0 * math.log10(80.0), size),
        (uniform(0.0, 1.5), uniform(20.0, 80.0), uniform(0.0, 9.0)),
    ),
    "antenna_patterns.f1891_gain_dbi": (antenna_patterns.f1891_gain_dbi, (uniform(0.0, 1.5), uniform(23.0, 47.0))),
    "antenna_patterns.flat_top_gain_dbi": (
        antenna_patterns.flat_top_gain_dbi,
        (uniform(0.0, 1.5), uniform(0.1, 0.5), uniform(10.0, 30.0), uniform(-20.0, 0.0)),
    ),
    "antenna_patterns.gaussian_gain_dbi": (
        antenna_patterns.gaussian_gain_dbi,
        (uniform(0.0, 0.5), uniform(0.1, 0.5), uniform(10.0, 30.0)),
    ),
    "antenna_patterns.isotropic_gain_dbi": (antenna_patterns.isotropic_gain_dbi, (uniform(0.0, 3.0),)),
    "antenna_patterns.m2101_element_gain_dbi": (
        antenna_patterns.m2101_element_gain_dbi,
        (uniform(-3.1, 3.1), uniform(0.0, 3.1)),
    ),
    # Compared as power: 1e-5 of a gain in dB near a null of the array is beyond float32 in any library.
    "antenna_patterns.m2101_array_gain_dbi": (
        lambda phi, theta, element: link.from_db(
            antenna_patterns.m2101_array_gain_dbi(phi, theta, element, 8, 4, 0.2, 0.1)
        ),
        (uniform(-1.5, 1.5), uniform(0.1, 3.0), uniform(-10.0, 8.0)),
    ),
    "atmosphere.cloud_attenuation_db": (
        atmosphere.cloud_attenuation_db,
        (uniform(1e10, 5e10), ELEV, uniform(0.0, 3.0)),
    ),
    "atmosphere.scintillation_fade_db": (
        atmosphere.scintillation_fade_db,
        (uniform(0.01, 50.0), uniform(0.05, 1.0)),
    ),
    "atmosphere.scintillation_sigma_db": (
        atmosphere.scintillation_sigma_db,
        (uniform(1e10, 5e10), ELEV, uniform(5.0, 120.0), uniform(0.1, 3.0)),
    ),
    "atmosphere.total_attenuation_db": (
        atmosphere.total_attenuation_db,
        (uniform(0.1, 2.0), uniform(0.0, 20.0), uniform(0.0, 3.0), uniform(0.0, 1.0)),
    ),
    "atmosphere.ionospheric_scintillation_db": (
        atmosphere.ionospheric_scintillation_db,
        (uniform(1e9, 5e9), uniform(-1.0, 1.0)),
    ),
    "atmosphere.tr38811_tropospheric_scintillation_db": (
        lambda elev: atmosphere.tr38811_tropospheric_scintillation_db(elev, "linear"),
        (ELEV,),
    ),
    "balloon_drag.climb_rate_m_s": (
        balloon_drag.climb_rate_m_s,
        (uniform(100.0, 140.0), uniform(0.09, 0.12), uniform(1700.0, 1900.0)),
    ),
    "balloon_drag.sphere_drag_n": (
        balloon_drag.sphere_drag_n,
        (uniform(-5.0, 5.0), uniform(0.05, 0.12), uniform(1e3, 1e4)),
    ),
    "battery.battery_step": (
        lambda energy, source, demand: tuple(battery.battery_step(BATTERY, energy, source, demand, 60.0)),
        (uniform(0.0, 3.6e6), uniform(0.0, 2e3), uniform(0.0, 2e3)),
    ),
    "combining.duplication_loss": (combining.duplication_loss, (uniform(0.0, 0.5, N, 3),)),
    "combining.mrc_sinr": (combining.mrc_sinr, (uniform(0.01, 100.0, N, 3),)),
    "combining.selection_sinr": (combining.selection_sinr, (uniform(0.01, 100.0, N, 3),)),
    "computing.best_split": (computing.best_split, (uniform(0.1, 5.0), uniform(0.1, 5.0), uniform(0.0, 0.05))),
    "computing.computing_energy_j": (computing.computing_energy_j, (uniform(1e6, 1e10), uniform(1e8, 1e10))),
    "computing.computing_time_s": (computing.computing_time_s, (uniform(1e6, 1e10), uniform(1e8, 1e10))),
    "computing.frequency_for_deadline_hz": (
        computing.frequency_for_deadline_hz,
        (uniform(1e6, 1e10), uniform(0.1, 5.0)),
    ),
    "computing.offloading_time_s": (
        computing.offloading_time_s,
        (uniform(1e4, 1e7), uniform(1e6, 1e10), uniform(1e5, 1e8), uniform(1e9, 1e11)),
    ),
    "computing.task_cycles": (computing.task_cycles, (uniform(1e4, 1e7), uniform(100.0, 2e3))),
    "computing.transmission_energy_j": (
        computing.transmission_energy_j,
        (uniform(1e4, 1e7), uniform(1e5, 1e8), uniform(0.01, 2.0)),
    ),
    "computing.transmission_time_s": (computing.transmission_time_s, (uniform(1e4, 1e7), uniform(1e5, 1e8))),
    "contacts.line_of_sight_height_m": (contacts.line_of_sight_height_m, (SAT, on_sphere(7.4e6))),
    "doppler.doppler_rate_hz_s": (doppler.doppler_rate_hz_s, (uniform(-80.0, 80.0), FREQ)),
    "doppler.range_acceleration_m_s2": (
        doppler.range_acceleration_m_s2,
        (on_sphere(2e6), SPEED, on_sphere(8.0)),
    ),
    "doppler.two_body_acceleration_m_s2": (doppler.two_body_acceleration_m_s2, (SAT, SPEED)),
    "eclipse.eclipse_share_of_orbit": (
        eclipse.eclipse_share_of_orbit,
        (uniform(0.0, 0.6), uniform(6.8e6, 8e6)),
    ),
    "estimation.ls_error_variance": (estimation.ls_error_variance, (uniform(1.0, 32.0), uniform(0.1, 100.0))),
    "estimation.mmse_error_variance": (estimation.mmse_error_variance, (uniform(1.0, 32.0), uniform(0.1, 100.0))),
    "estimation.snr_with_estimate": (estimation.snr_with_estimate, (uniform(0.1, 100.0), uniform(0.0, 0.5))),
    "estimation.trained_rate_bit_s_hz": (
        estimation.trained_rate_bit_s_hz,
        (uniform(0.1, 100.0), uniform(1.0, 20.0), uniform(50.0, 200.0)),
    ),
    "gaussian_beam.beam_radius_m": (
        gaussian_beam.beam_radius_m,
        (uniform(1e3, 2e6), uniform(0.01, 0.1), uniform(0.8e-6, 1.6e-6)),
    ),
    "gaussian_beam.collected_fraction": (gaussian_beam.collected_fraction, (uniform(1.0, 50.0), uniform(0.05, 1.0))),
    "gaussian_beam.divergence_half_angle_rad": (
        gaussian_beam.divergence_half_angle_rad,
        (uniform(0.01, 0.1), uniform(0.8e-6, 1.6e-6)),
    ),
    "gaussian_beam.geometric_loss_db": (gaussian_beam.geometric_loss_db, (uniform(1.0, 50.0), uniform(0.05, 1.0))),
    "gaussian_beam.rayleigh_range_m": (
        gaussian_beam.rayleigh_range_m,
        (uniform(0.01, 0.1), uniform(0.8e-6, 1.6e-6)),
    ),
    "gaussian_beam.waist_of_divergence_m": (
        gaussian_beam.waist_of_divergence_m,
        (uniform(1e-5, 1e-3), uniform(0.8e-6, 1.6e-6)),
    ),
    "geometry.ecef_to_geodetic": (geometry.ecef_to_geodetic, (SAT,)),
    "geometry.horizon_half_angle_rad": (geometry.horizon_half_angle_rad, (ALT,)),
    "geometry.spherical_to_ecef": (geometry.spherical_to_ecef, (LAT, LON, ALT)),
    "ground_reflection.distance_exponent_loss_db": (
        ground_reflection.distance_exponent_loss_db,
        (uniform(1.0, 1e4), uniform(2.0, 4.0), uniform(30.0, 60.0)),
    ),
    "ground_reflection.two_ray_far_loss_db": (
        ground_reflection.two_ray_far_loss_db,
        (uniform(1e3, 1e5), uniform(1.0, 30.0), uniform(1.0, 30.0)),
    ),
    "hibs.direction_to_ground_enu": (
        lambda ground, azimuth: hibs.direction_to_ground_enu(ground, azimuth, 20e3),
        (uniform(0.0, 9e4), uniform(0.0, 6.28)),
    ),
    "hibs.sector_angles_rad": (lambda d: hibs.sector_angles_rad(hibs.hibs_layout(7), d), (BELOW,)),
    "hibs.sector_gain_dbi": (  # as power, see m2101_array_gain_dbi
        lambda d: link.from_db(hibs.sector_gain_dbi(hibs.hibs_layout(19), d)),
        (BELOW,),
    ),
    "link.carrier_dbw": (link.carrier_dbw, (uniform(30, 60), uniform(140, 200), uniform(0, 40))),
    "link.gain_to_temperature_db_k": (
        link.gain_to_temperature_db_k,
        (uniform(0, 50), uniform(0.5, 9.0), uniform(30.0, 290.0)),
    ),
    "link.system_temperature_k": (link.system_temperature_k, (uniform(0.5, 9.0), uniform(30.0, 290.0))),
    "los_models.mean_excess_loss_db": (lambda elev: los_models.mean_excess_loss_db(elev, "urban"), (ELEV,)),
    "modulation.mcs_efficiency_bit_s_hz": (modulation.mcs_efficiency_bit_s_hz, (uniform(-12.0, 30.0),)),
    "multiple_access.jain_fairness": (multiple_access.jain_fairness, (uniform(0.1, 10.0, N, 4),)),
    "multiple_access.ofdma_rates_bit_s": (
        lambda received, share: multiple_access.ofdma_rates_bit_s(received, share, 20e6),
        (POWER, uniform(0.05, 0.2, N, 5)),
    ),
    "multiple_access.tdma_rates_bit_s": (
        lambda received, share: multiple_access.tdma_rates_bit_s(received, share, 20e6),
        (POWER, uniform(0.05, 0.2, N, 5)),
    ),
    "optical_link.photon_energy_j": (
        lambda wavelength: 1e19 * optical_link.photon_energy_j(wavelength),
        (uniform(0.8e-6, 1.6e-6),),
    ),
    "optical_link.photon_limited_rate_bit_s": (
        optical_link.photon_limited_rate_bit_s,
        (uniform(1e-9, 1e-6), uniform(0.8e-6, 1.6e-6), uniform(10.0, 1e3)),
    ),
    "orbit_classes.geostationary_position_m": (orbit_classes.geostationary_position_m, (LON,)),
    "orbits.mean_motion_rad_s": (orbits.mean_motion_rad_s, (uniform(6.8e6, 4.3e7),)),
    "orbits.period_s": (orbits.period_s, (uniform(6.8e6, 4.3e7),)),
    "orbits.speed_m_s": (orbits.speed_m_s, (uniform(6.8e6, 4.3e7),)),
    "orbits.node_drift_rad_s": (
        lambda radius, inclination: 1e6 * orbits.node_drift_rad_s(radius, inclination),
        (uniform(6.8e6, 8e6), uniform(0.0, 1.4)),
    ),
    "payload.class_b_power_w": (payload.class_b_power_w, (uniform(0.1, 10.0), uniform(10.0, 40.0))),
    "payload.transceiver_power_w": (
        payload.transceiver_power_w,
        (uniform(0.1, 10.0), uniform(1.0, 8.0), uniform(5.0, 20.0), uniform(2.0, 5.0)),
    ),
    "propulsion.airship_drag_n": (
        propulsion.airship_drag_n,
        (uniform(0.0, 30.0), uniform(0.05, 1.2), uniform(1e3, 1e5)),
    ),
    "propulsion.fixed_wing_power_w": (
        lambda speed, density: propulsion.fixed_wing_power_w(WING, speed, density),
        (uniform(20.0, 40.0), uniform(0.09, 1.2)),
    ),
    "propulsion.least_power_speed_m_s": (
        lambda density: propulsion.least_power_speed_m_s(WING, density),
        (uniform(0.05, 1.2),),
    ),
    "propulsion.stall_speed_m_s": (lambda density: propulsion.stall_speed_m_s(WING, density), (uniform(0.05, 1.2),)),
    "propulsion.rotary_wing_power_w": (propulsion.rotary_wing_power_w, (uniform(0.0, 30.0),)),
    "propulsion.shaft_power_w": (
        propulsion.shaft_power_w,
        (uniform(1.0, 500.0), uniform(0.1, 30.0), uniform(0.3, 0.9)),
    ),
    "queueing.md1_waiting_time_s": (queueing.md1_waiting_time_s, (uniform(0.1, 4.0), uniform(0.01, 0.2))),
    "queueing.mm1_waiting_time_s": (queueing.mm1_waiting_time_s, (uniform(0.1, 4.0), uniform(6.0, 20.0))),
    "queueing.queue_step": (
        lambda backlog, arrivals, service: tuple(queueing.queue_step(backlog, arrivals, service, 50.0)),
        (uniform(0.0, 40.0), uniform(0.0, 40.0), uniform(0.0, 40.0)),
    ),
    "solar_power.cell_temperature_k": (
        solar_power.cell_temperature_k,
        (uniform(210.0, 300.0), uniform(0.0, 1360.0)),
    ),
    "solar_power.direct_transmittance": (solar_power.direct_transmittance, (ELEV, uniform(2e3, 1e5))),
    "solar_power.incidence_cosine": (
        solar_power.incidence_cosine,
        (ELEV, uniform(0.0, 6.28), uniform(0.0, 1.5), uniform(0.0, 6.28)),
    ),
    "solar_power.irradiance_at_altitude_w_m2": (
        solar_power.irradiance_at_altitude_w_m2,
        (uniform(1320.0, 1410.0), ELEV, uniform(1.5e4, 2.5e4), uniform(2e3, 1.2e4)),
    ),
    "solar_power.panel_power_w": (
        solar_power.panel_power_w,
        (uniform(0.0, 1360.0), uniform(1.0, 100.0), uniform(0.1, 0.35), uniform(220.0, 330.0)),
    ),
    "solar_power.relative_air_mass": (solar_power.relative_air_mass, (ELEV,)),
    "stochastic.association.mean_received_power_dbw": (
        association.mean_received_power_dbw,
        (uniform(1e5, 2e6), uniform(30.0, 60.0), FREQ),
    ),
    "stochastic.relays.deflection_angle_rad": (
        relays.deflection_angle_rad,
        (SAT, on_sphere(7.2e6), on_sphere(7.2e6)),
    ),
    "sun.daily_horizontal_energy_j_m2": (
        sun.daily_horizontal_energy_j_m2,
        (uniform(-1.0, 1.0), uniform(-0.4, 0.4), uniform(1320.0, 1410.0)),
    ),
    "sun.daylight_s": (sun.daylight_s, (uniform(-1.0, 1.0), uniform(-0.4, 0.4))),
    "sun.horizon_dip_rad": (sun.horizon_dip_rad, (uniform(1e3, 3e4),)),
    "terrestrial.break_point_m": (lambda freq: terrestrial.break_point_m(UMA, freq), (uniform(7e8, 4e9),)),
    "terrestrial.shadow_sigma_db": (
        with_los(terrestrial.shadow_sigma_db, terrestrial.TerrestrialCell("RMa")),
        (uniform(10.0, 5e3), uniform(7e8, 4e9)),
    ),
    "visibility_fog.kim_attenuation_db_km": (
        visibility_fog.kim_attenuation_db_km,
        (uniform(50.0, 4e4), uniform(0.8e-6, 1.6e-6)),
    ),
    "visibility_fog.kruse_attenuation_db_km": (
        visibility_fog.kruse_attenuation_db_km,
        (uniform(50.0, 4e4), uniform(0.8e-6, 1.6e-6)),
    ),
}

SETUP_ONLY: dict[str, tuple[str, ...]] = {
    "settings, not states: scalars in float64 while an environment is built": (
        "antennas.aperture_table",
        "antennas.hexagonal_axial",
        "antennas.hexagonal_beams_uv",
        "antennas.hexagonal_colours",
        "balloon.altitude_control",
        "balloon.float_altitude_m",
        "balloon.float_density_kg_m3",
        "balloon.least_pump_power_w",
        "balloon.superpressure_pa",
        "catalogue.platform_catalogue",
        "catalogue.platform_facts",
        "climate.nearest_site_climate",
        "climate.site_climate",
        "climate.site_names",
        "climate_interpolation.interpolated_site_climate",
        "fading.shadowed_rician",
        "fading.shadowed_rician_at_elevation",
        "gases.zenith_gas_attenuation_db",
        "hibs.boresight_ground_range_m",
        "hibs.hibs_layout",
        "los_models.sigmoid_parameters",
        "modulation.mcs_table",
        "orbits.walker_elements",
        "pathloss.band_of",
        "pathloss.large_scale_table",
        "standard_atmosphere.air_density_kg_m3",
        "standard_atmosphere.altitude_of_pressure_m",
        "standard_atmosphere.air_pressure_pa",
        "standard_atmosphere.air_temperature_k",
        "tr38821.satellite_sets",
        "tr38821.terminals",
        "validity.require_range",
    ),
    "dates: a Julian date needs float64; computed once for each world": (
        "frames.gmst_rad",
        "frames.julian_date",
        "frames.utc_from_julian_date",
        "frames.utc_text",
        "sun.extraterrestrial_irradiance_w_m2",
        "sun.sun_angles_rad",
        "sun.sun_apparent",
        "sun.sun_direction_ecef",
    ),
    "plans and element sets: SGP4, root finding and tables in NumPy while a world is drawn": (
        "contacts.satellite_contacts",
        "contacts.station_contacts",
        "pass_prediction.predict_passes",
        "pass_prediction.stations",
        "pass_prediction.visible_count",
        "rain.rain_attenuation_db",
        "tle.parse_tle",
        "tle.propagate_tle",
    ),
    "special functions and quadrature of SciPy: tabulated or averaged while a world is built": (
        "aperture_averaging.downlink_aperture_averaging",
        "beam_pointing.pointing_error",
        "beam_pointing.pointing_fraction_cdf",
        "fading.nakagami_power_cdf",
        "fading.rayleigh_power_cdf",
        "fading.rician_power_cdf",
        "fading.shadowed_rician_power_cdf",
        "scintillation.gamma_gamma_cdf",
        "scintillation.gamma_gamma_shapes",
        "scintillation.lognormal_cdf",
        "scintillation.scintillation_index",
        "turbulence.downlink_rytov_variance",
        "turbulence.fried_parameter_m",
        "turbulence.horizontal_rytov_variance",
        "turbulence.uplink_rytov_variance",
    ),
    "random draws: they take a NumPy generator, so that a seed gives the same world everywhere": (
        "beam_pointing.sample_pointing_fraction",
        "fading_samples.sample_nakagami_power",
        "fading_samples.sample_rayleigh_power",
        "fading_samples.sample_rician_power",
        "fading_samples.sample_shadowed_rician_power",
        "scintillation.sample_gamma_gamma",
        "scintillation.sample_lognormal",
    ),
}
