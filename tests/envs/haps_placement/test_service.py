"""Coverage, SINR, capacity, fairness and backhaul, by hand and against geometry."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntn_gym.envs.haps_placement.presets import load_preset, with_overrides
from ntn_gym.envs.haps_placement.radio import radio_maps
from ntn_gym.envs.haps_placement.scenario import Scenario
from ntn_gym.envs.haps_placement.service import Reach, Server, jain


def scenario_with(**changes: object) -> Scenario:
    """The default scenario with platforms at 55 hPa, which is 20.0 km, and with nested values replaced."""
    at_20_km = with_overrides(load_preset("airships"), {"fleet": {"levels_pa": (5500.0,)}})
    return with_overrides(at_20_km, changes)


def serve_one(scenario: Scenario, platforms_m: list, point_m: list, demand: float = 1.0, on: list | None = None):
    """Serve one point, repeated as often as the scenario has points, from platforms."""
    server = Server(scenario)
    n = scenario.demand.groups * scenario.demand.points
    points = np.tile(np.float32(point_m), (1, n, 1))
    asked = np.zeros((1, n), np.float32)
    asked[0, 0] = demand
    switched = np.ones(len(platforms_m)) if on is None else np.array(on, float)
    return server.serve(np.float32([platforms_m]), None, switched[None].astype(np.float32), points, asked)


@pytest.mark.parametrize("elevation_deg", [10.0, 20.0, 30.0])
def test_coverage_ends_where_geometry_says(elevation_deg: float) -> None:
    """Ground radius R (acos(R cos e / (R + h)) - e); 54.2 km at 20 deg and 34.4 km at 30 deg from 20 km."""
    scenario = scenario_with(radio={"min_elevation_deg": elevation_deg, "environment": "rural"}, fleet={"count": 1})
    radius_m, height_m = 6371e3, 20e3
    e = math.radians(elevation_deg)
    edge_m = radius_m * (math.acos(radius_m * math.cos(e) / (radius_m + height_m)) - e)
    assert edge_m == pytest.approx({10.0: 107.9e3, 20.0: 54.2e3, 30.0: 34.4e3}[elevation_deg], rel=2e-3)
    assert radio_maps(scenario).edge_m[0] == pytest.approx(edge_m, rel=3e-3)  # 5500 Pa is at 20.0 km
    for bearing in np.linspace(0, 2 * math.pi, 12, endpoint=False):
        direction = np.array([math.sin(bearing), math.cos(bearing)])
        inside = serve_one(scenario, [[0.0, 0.0]], list(direction * (edge_m - 1.5e3)))
        outside = serve_one(scenario, [[0.0, 0.0]], list(direction * (edge_m + 1.5e3)))
        assert inside.carried_mbit_s[0, 0] > 0 and outside.carried_mbit_s[0, 0] == 0


def test_nadir_link_budget_by_hand() -> None:
    """43 dBm into 14 dBi, 20.0 km at 2 GHz, 7 dB noise figure in 80 MHz."""
    maps = radio_maps(scenario_with())
    path_db = 32.45 + 20 * math.log10(2.0) + 20 * math.log10(20_000)
    noise_dbm = -174 + 10 * math.log10(80e6) + 7
    snr_db = 43.0 + 14.0 - path_db - noise_dbm
    middle = maps.link.reshape(maps.width, maps.width, 4)[maps.width // 2, maps.width // 2]
    assert 10 * math.log10(middle[0]) == pytest.approx(snr_db, abs=0.2)
    assert middle[3] == pytest.approx(0.992), "probability of sight at 90 deg, urban, TR 38.811 table 6.6.1-1"
    assert maps.nadir_efficiency == pytest.approx(0.992 * 0.65 * math.log2(1 + 10 ** (snr_db / 10)), rel=0.01)


def test_quality_falls_with_the_distance() -> None:
    """No flat disc whose edge one could fly along: in the mean over bearings the quality falls all the way."""
    maps = radio_maps(scenario_with())
    quality = maps.quality.reshape(maps.width, maps.width)
    half = maps.width // 2
    y, x = np.mgrid[: maps.width, : maps.width] - half
    rings = [quality[np.abs(np.hypot(x, y) - r) < 2].mean() for r in range(0, 55, 6)]
    assert (np.diff(rings) < 0).all()


def test_an_interferer_lowers_the_sinr() -> None:
    """Two platforms, one point below the first: 1 / SINR = 1 / SNR + activity x heard / signal."""
    scenario = scenario_with(fleet={"count": 2})
    maps = radio_maps(scenario)
    link = maps.link.reshape(maps.width, maps.width, 4)
    half = maps.width // 2
    signal, heard = float(link[half, half, 0]), float(link[half, half + 30, 2])
    sinr = signal / (1 + 0.6 * heard)
    need = 1.0 / (0.65 * math.log2(1 + sinr))
    # The other one stands 30 km west of the point, which is 30 km east of it.
    both = serve_one(scenario, [[0.0, 0.0], [-30e3, 0.0]], [0.0, 0.0], demand=10.0)
    alone = serve_one(scenario, [[0.0, 0.0], [-30e3, 0.0]], [0.0, 0.0], demand=10.0, on=[1, 0])
    assert both.load[0, 0] == pytest.approx(10.0 * 0.992 * need / 80.0, rel=1e-3)
    assert alone.load[0, 0] < both.load[0, 0]
    assert both.carried_mbit_s[0].tolist() == pytest.approx([9.92, 0.0], rel=1e-5)


def test_an_overloaded_platform_gives_everybody_the_same_share() -> None:
    scenario = scenario_with(fleet={"count": 1})
    easy = serve_one(scenario, [[0.0, 0.0]], [0.0, 0.0], demand=100.0)
    heavy = serve_one(scenario, [[0.0, 0.0]], [0.0, 0.0], demand=1000.0)
    assert easy.load[0, 0] < 1 < heavy.load[0, 0] == pytest.approx(10 * easy.load[0, 0], rel=1e-6)
    assert easy.carried_mbit_s[0, 0] == pytest.approx(99.2, rel=1e-5)
    assert heavy.carried_mbit_s[0, 0] == pytest.approx(992.0 / heavy.load[0, 0], rel=1e-5)


def test_a_platform_that_is_off_neither_serves_nor_disturbs() -> None:
    scenario = scenario_with(fleet={"count": 2})
    off = serve_one(scenario, [[0.0, 0.0], [5e3, 0.0]], [0.0, 0.0], demand=10.0, on=[0, 1])
    assert off.carried_mbit_s[0, 0] == 0 and off.carried_mbit_s[0, 1] > 0


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_no_more_is_carried_than_asked_and_no_more_than_fits(seed: int) -> None:
    scenario = scenario_with()
    server, rng = Server(scenario), np.random.default_rng(seed)
    points = rng.uniform(-160e3, 160e3, (3, 50, 2)).astype(np.float32)
    asked = rng.exponential(40.0, (3, 50)).astype(np.float32)
    place = rng.uniform(-150e3, 150e3, (3, 4, 2)).astype(np.float32)
    on = (rng.random((3, 4)) < 0.8).astype(np.float32)
    service = server.serve(place, None, on, points, asked)
    assert (service.group_mbit_s <= asked.reshape(3, 10, 5).sum(-1) * (1 + 1e-5)).all()
    np.testing.assert_allclose(service.group_mbit_s.sum(1), service.carried_mbit_s.sum(1), rtol=1e-4)
    assert (service.carried_mbit_s[on == 0] == 0).all()
    assert (service.carried_mbit_s <= 80.0 * server.maps.nadir_efficiency / 0.992 * (1 + 1e-5)).all()


def test_jain_index() -> None:
    """1 for equal shares, 1/n for one of n, 0 where nobody is served; groups that ask for nothing do not count."""
    share = np.array([[0.5, 0.5, 0.5, 0.9], [1.0, 0.0, 0.0, 0.7], [0.0, 0.0, 0.0, 0.0], [0.8, 0.4, 0.0, 0.0]])
    counted = np.tile([True, True, True, False], (4, 1))
    assert jain(share, counted).tolist() == pytest.approx([1.0, 1 / 3, 0.0, 1.44 / (3 * 0.8)])


def test_reach_over_other_platforms() -> None:
    """A chain of 150 km hops to a gateway; a broken radio breaks the chain."""
    scenario = scenario_with(backhaul={"min_elevation_deg": 10.0, "link_range_m": 160e3})
    reach = Reach(scenario)
    assert reach.direct_m == pytest.approx(107.9e3, rel=3e-3)
    place = np.array([[[100e3, 0.0], [250e3, 0.0], [400e3, 0.0], [700e3, 0.0]]])
    gateway = np.zeros((1, 1, 2))
    able = np.ones((1, 4), dtype=bool)
    assert reach.reached(place, able, gateway).tolist() == [[True, True, True, False]]
    able[0, 1] = False
    assert reach.reached(place, able, gateway).tolist() == [[True, False, False, False]]
    assert reach.reached(place[:, ::-1], np.ones((1, 4), dtype=bool), gateway).tolist() == [[False, True, True, True]]
