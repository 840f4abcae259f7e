"""The channel against hand-computed budgets, published link budgets, P.618 and the documents' statistics."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from ntn_gym.core.seeding import WorldKey
from ntn_gym.envs.handover.channel import Channel, from_db
from ntn_gym.envs.handover.presets import load_preset, with_overrides
from ntn_gym.envs.handover.scenario import Scenario
from ntn_gym.envs.handover.view import UserGeometry
from ntn_gym.envs.handover.world import HandoverWorld, sinr_db
from ntn_gym.physics.rain import rain_attenuation_db
from ntn_gym.world import skyline
from ntn_gym.world.joint import JointProcesses

REFERENCE = Path(__file__).parents[2] / "reference"
BUDGETS = json.loads((REFERENCE / "38821_link_budget.json").read_text())["link_budget"]
TR38811 = json.loads((REFERENCE / "3gpp_38811.json").read_text())


def view_of(elevation_deg, range_m, sin2=None, planned=None) -> UserGeometry:
    """Links of one world, step and user."""

    def links(values):
        return None if values is None else np.atleast_1d(np.asarray(values, np.float32))[None, None, None]

    elevation, distance = np.broadcast_arrays(np.radians(elevation_deg), range_m)
    return UserGeometry(links(elevation), links(distance), links(sin2), links(sin2 if planned is None else planned))


def quiet(channel) -> dict:
    """Samples of one world and step at their mean: the skyline is at its median, shadowing is zero."""
    return {name: np.zeros((1, 1, *member.shape), np.float32) for name, member in channel.processes.items()}


def links_at(scenario, view, rain_scores=None):
    channel = Channel(scenario, 0.0)
    state = channel.begin([WorldKey(0)], np.zeros(1, np.intp), np.zeros((1, 1, 2)))
    samples = quiet(channel)
    if rain_scores is not None:
        samples["rain"][:] = rain_scores
    azimuth = np.zeros((1, 1, view.range_m.shape[-1]), np.float32)
    return channel.links(state, samples, azimuth, view, None)


def scenario_of(**link) -> Scenario:
    return Scenario(slots={"kind": "satellite", "count": 8}, link=link)


def test_snr_by_hand():
    """2 GHz, 34 dBW/MHz, G/T -31.6 dB/K, 1000 km: 34 - 60 - 31.6 + 228.6 - (32.45 + 6.02 + 120) dB."""
    scenario = scenario_of(eirp_density_dbw_mhz=34.0, terminal_gt_db_k=-31.6, freq_hz=2e9)
    links = links_at(scenario, view_of([30.0, 60.0], [1e6, 1e6]))
    expected = 34.0 - 60.0 - 31.6 + 228.599 - (32.45 + 20 * math.log10(2.0) + 120.0)
    np.testing.assert_allclose(links.predicted_snr_db[0, 0, 0], expected, atol=0.002)
    assert (links.rain_db == 0).all()


@pytest.mark.parametrize(
    "case", [b for b in BUDGETS if b["direction"] == "DL"], ids=lambda b: f"{b['case']}-{b['frf_option']}"
)
def test_downlink_budgets_of_tr38821(case):
    """CNR of Table 6.1.3.3-1 plus the margins that are no part of a clear sky. The losses are printed to 0.1 dB."""
    height = {"GEO": 35786e3, "LEO600": 600e3, "LEO1200": 1200e3}[case["orbit"]]
    radius, elevation = 6371e3, math.radians(case["elevation_deg"])
    distance = math.sqrt((radius * math.sin(elevation)) ** 2 + height**2 + 2 * height * radius) - radius * math.sin(
        elevation
    )
    density = case["eirp_dBW"] - 10 * math.log10(case["bandwidth_MHz"])
    scenario = Scenario(
        slots={"kind": "satellite"},
        link={
            "band": case["band"],
            "freq_hz": case["freq_GHz"] * 1e9,
            "bandwidth_hz": case["bandwidth_MHz"] * 1e6,
            "eirp_density_dbw_mhz": density,
            "terminal_gt_db_k": case["gt_dB_K"],
        },
    )
    links = links_at(scenario, view_of([case["elevation_deg"]], [distance]))
    margins = sum(case[f"{name}_dB"] for name in ("shadow_margin", "scintillation", "polarization", "additional"))
    # TR 38.811, which rules here, has no gas at 2 GHz; the link budgets print 0.1 or 0.2 dB of it.
    gas = case["atmospheric_dB"] if case["band"] == "S" else 0.0
    expected = case["cnr_dB_computed"] + margins + gas
    assert links.predicted_snr_db.item() == pytest.approx(expected, abs=0.2)


def test_vsat_preset_has_the_budget_of_the_document():
    """Parameter set 1, LEO 600, Ka band: CNR 8.5 dB with 0.3 dB of scintillation at 30 deg and 600 km (1075 km)."""
    links = links_at(load_preset("vsat-ka"), view_of([30.0], [1075.1e3]))
    assert links.predicted_snr_db.item() == pytest.approx(8.5 + 0.3, abs=0.15)


def test_gas_follows_the_cosecant_and_only_where_the_document_has_it():
    high = links_at(load_preset("vsat-ka"), view_of([90.0, 30.0, 10.0], [1e6] * 3)).predicted_snr_db[0, 0, 0]
    zenith = (high[0] - high[1]).item()  # A / sin 30 deg - A = A
    assert zenith == pytest.approx(0.25, abs=0.025)  # TR 38.821 prints 0.5 dB at 30 deg
    assert high[0] - high[2] == pytest.approx(zenith * (1 / math.sin(math.radians(10.0)) - 1), rel=1e-3)
    low = scenario_of(freq_hz=2e9)
    s_band = links_at(low, view_of([90.0, 40.0], [1e6] * 2)).predicted_snr_db[0, 0, 0]
    assert s_band[0] == s_band[1]
    below = low.model_copy(update={"slots": low.slots.model_copy(update={"min_elevation_deg": 5.0})})
    s_band = links_at(below, view_of([90.0, 10.5, 6.0], [1e6] * 3)).predicted_snr_db[0, 0, 0]
    assert s_band[0] == s_band[1]
    assert 0.2 < s_band[1] - s_band[2] < 0.5


def test_beam_gain_true_and_planned():
    scenario = Scenario(link={"aperture_m": 1.0, "freq_hz": 2e9})
    half_power = 1.61633995 / (math.pi * 2e9 / 299792458.0)  # sine of the half-power angle, TR 38.811 clause 6.4.1
    sin2 = np.array([0.0, half_power**2])
    steered = links_at(scenario, view_of([60.0, 60.0], [1e6] * 2)).predicted_snr_db[0, 0, 0]
    beam = links_at(scenario, view_of([60.0, 60.0], [1e6] * 2, sin2)).predicted_snr_db[0, 0, 0]
    np.testing.assert_allclose(beam - steered, [0.0, 10 * math.log10(0.5)], atol=0.01)
    swung = links_at(scenario, view_of([60.0, 60.0], [1e6] * 2, sin2, sin2[::-1].copy()))
    np.testing.assert_allclose(swung.predicted_snr_db[0, 0, 0], beam[::-1], atol=1e-5)
    excess = swung.snr_db - swung.predicted_snr_db
    assert (excess[..., 0] - excess[..., 1]).item() == pytest.approx(2 * 10 * math.log10(2.0), abs=0.02)


def test_blocked_links_lose_the_clutter_loss():
    """Median skyline (g = 0): clear exactly where P_LoS is above one half; urban, S band."""
    scenario = scenario_of().model_copy(
        update={"blockage": Scenario().blockage.model_copy(update={"environment": "urban"})}
    )
    degrees = np.arange(10.0, 91.0, 10.0)
    links = links_at(scenario, view_of(degrees, [1e6] * 9))
    probability = np.array(TR38811["los_probability"]["urban"])
    np.testing.assert_array_equal(links.los[0, 0, 0], probability > 0.5)
    clutter = np.array(TR38811["shadow_fading_clutter_loss"]["urban"]["S_band_NLOS_CL"])
    lost = (links.predicted_snr_db - links.snr_db)[0, 0, 0]
    np.testing.assert_allclose(lost, np.where(links.los[0, 0, 0], 0.0, clutter), atol=0.05)


@pytest.mark.parametrize("canyon", [0.0, 0.9])
def test_line_of_sight_has_the_probability_of_the_document(canyon):
    """Over many worlds and street directions, within four standard errors."""
    n = 4000
    scenario = with_overrides(load_preset("street"), {"blockage": {"street_canyon": canyon}})
    channel = Channel(scenario, 10.0)
    keys = [WorldKey(seed) for seed in range(n)]
    state = channel.begin(keys, np.zeros(n, np.intp), np.zeros((n, 1, 2)))
    generators = {
        name: [np.random.Generator(np.random.SFC64([len(name), s])) for s in range(n)] for name in channel.processes
    }
    joint = JointProcesses(channel.processes, 1.0)
    _, samples = joint.advance(joint.start(generators), 1)
    degrees = np.array([10.0, 30.0, 50.0, 80.0], np.float32)
    elevation = np.broadcast_to(np.radians(degrees), (n, 1, 1, 4))
    view = UserGeometry(elevation, np.full((n, 1, 1, 4), 1e6, np.float32), None, None)
    azimuth = np.broadcast_to(np.array([0.1, 1.5, 3.0, -2.0], np.float32), (n, 1, 4))
    state, turns = channel.streets(state, 1)
    assert (turns is None) == (canyon == 0)
    links = channel.links(state, samples, azimuth, view, turns)
    expected = np.interp(degrees, range(10, 91, 10), TR38811["los_probability"]["urban"])
    error = 4 * np.sqrt(expected * (1 - expected) / n)
    assert (np.abs(links.los[:, 0, 0].mean(axis=0) - expected) < error).all()


def test_streets_turn_at_right_angles_every_200_m():
    scenario = load_preset("street")
    channel = Channel(scenario, 10.0)
    n = 3000
    state = channel.begin([WorldKey(s) for s in range(n)], np.zeros(n, np.intp), np.zeros((n, 1, 2)))
    state, first = channel.streets(state, 5)
    state, second = channel.streets(state, 5)
    quarter_turns = np.concatenate([first, second], axis=1)[..., 0]
    turned = np.abs(np.diff(quarter_turns, axis=1))
    assert set(np.unique(np.round(turned, 9))) == {0.0, 1.0}
    probability = 1 - math.exp(-10.0 / 200.0)
    assert turned.mean() == pytest.approx(probability, abs=4.5 * math.sqrt(probability / turned.size))
    assert quarter_turns.min() >= 0 and quarter_turns.max() < 3
    street = np.exp(2j * math.pi / 2 * quarter_turns[:, 0])  # the axis of a street: twice the angle
    assert abs(street.mean()) < 4.5 / math.sqrt(n)


def load_channel(n, **load):
    scenario = Scenario(load=load)
    channel = Channel(scenario, 1.0)
    joint = JointProcesses({name: channel.processes[name] for name in ("load", "regional load")}, scenario.dt_s)
    generators = {
        name: [np.random.Generator(np.random.SFC64([len(name), s])) for s in range(n)] for name in joint.members
    }
    return channel, joint, joint.start(generators)


def test_loads_are_squashed_gauss_markov_with_a_regional_part():
    n = 4000
    channel, joint, state = load_channel(n, mean_logit=-0.5, spread_logit=1.3, memory_s=40.0, regional_share=0.3)
    _, samples = joint.advance(state, 21)
    load = channel.loads(samples).astype(float)
    logit = np.log(load / (1 - load))
    error = 4.5 * math.sqrt(2 / n)
    z = (logit + 0.5) / 1.3
    assert np.abs(z.mean(axis=(0, 2))).max() < error
    assert np.abs((z**2).mean(axis=0) - 1).max() < error * 1.2
    assert (z[:, 0] * z[:, 20]).mean() == pytest.approx(math.exp(-20 / 40), abs=error)
    assert (z[:, 0, 0] * z[:, 0, 1]).mean() == pytest.approx(0.3, abs=error)


def test_a_new_pass_brings_a_cell_of_its_own():
    n = 4000
    channel, joint, state = load_channel(n, regional_share=0.0)
    fresh = np.zeros((n, 3, 8), bool)
    fresh[:, 1, 0] = True
    _, samples = joint.advance(state, 3, {"load": fresh})
    z = samples["load"].astype(float)
    assert abs((z[:, 0, 0] * z[:, 1, 0]).mean()) < 4.5 / math.sqrt(n)
    assert (z[:, 0, 1] * z[:, 1, 1]).mean() == pytest.approx(math.exp(-1 / 60), abs=4.5 * math.sqrt(2 / n))
    assert channel.loads(samples).shape == (n, 3, 8)


def test_sinr_by_hand():
    """SNR 10 and 4 dB, loads 0.5 and 0.25, isolations 15 dB within and 18 dB between."""
    scenario = Scenario(link={"intra_satellite_isolation_db": 15.0, "inter_slot_isolation_db": 18.0})
    snr = np.array([[[[10.0, 4.0]]]], np.float32)
    ours = sinr_db(snr, np.array([[[0.5, 0.25]]], np.float32), scenario)[0, 0, 0]
    first, second = 10.0, 10**0.4
    expected = [
        10 * math.log10(first / (1 + first * 10**-1.5 + 0.25 * second * 10**-1.8)),
        10 * math.log10(second / (1 + second * 10**-1.5 + 0.5 * first * 10**-1.8)),
    ]
    np.testing.assert_allclose(ours, expected, atol=1e-4)


def test_sinr_of_extreme_signals_is_finite():
    scenario = Scenario(link={"inter_slot_isolation_db": 0.0})
    snr = np.array([[[[-700.0, 150.0, -60.0, 40.0]]]], np.float32)
    ours = sinr_db(snr, np.ones((1, 1, 4), np.float32), scenario)
    assert np.isfinite(ours).all()
    assert (ours <= snr).all()


def test_from_db():
    values = np.array([-60.0, 0.0, 3.0, 30.0], np.float32)
    np.testing.assert_allclose(from_db(values), 10 ** (values.astype(float) / 10), rtol=3e-6)
    assert from_db(values).dtype == np.float32


@pytest.mark.parametrize("elevation_deg", [25.0, 45.0, 80.0])
def test_rain_has_the_statistics_of_p618(elevation_deg):
    """Attenuation exceeded 0.1, 0.3 and 1 % of the time at fixed elevations, within 10 % (a million draws)."""
    scenario = load_preset("vsat-ka")
    channel = Channel(scenario, 0.0)
    names = [site.name for site in channel.rain_sites]
    wanted = [names.index(name) for name in ("city:Tokyo", "gs:ksat:Athens")]
    n, k = 500, 1000  # worlds and links: the links of one world get scores of their own by hand
    scores = np.random.default_rng(4).standard_normal((n, k, 1)).astype(np.float32)
    for site in wanted:
        state = channel.begin([WorldKey(0)] * n, np.full(n, site), np.zeros((n, 1, 2)))
        samples = {
            name: np.zeros((n, k, *m.shape), np.float32) for name, m in channel.processes.items() if name == "rain"
        }
        samples["rain"][:] = scores
        elevation = np.full((n, k, 1, 1), math.radians(elevation_deg), np.float32)
        rain_db = channel.rain_db(state, samples, elevation)
        for percent in (0.1, 0.3, 1.0):
            expected = rain_attenuation_db(percent, math.radians(elevation_deg), 20e9, channel.rain_sites[site])
            assert np.quantile(rain_db, 1 - percent / 100) == pytest.approx(float(expected), rel=0.1)


def test_rain_takes_from_the_signal_but_not_from_the_prediction():
    view = view_of([25.0, 60.0], [1e6, 6e5])
    dry, wet = (links_at(load_preset("vsat-ka"), view, rain_scores=score) for score in (-3.0, 3.0))
    assert (dry.rain_db == 0).all()
    assert (wet.rain_db > 1).all()
    assert wet.rain_db[..., 0] > wet.rain_db[..., 1]
    np.testing.assert_array_equal(wet.predicted_snr_db, dry.predicted_snr_db)
    np.testing.assert_allclose(dry.snr_db - wet.snr_db, wet.rain_db, rtol=1e-4)


def test_users_of_a_rainy_scenario_stand_at_known_sites():
    scenario = with_overrides(load_preset("vsat-ka"), {"users": {"latitude_min_deg": 30.0, "latitude_max_deg": 45.0}})
    world = HandoverWorld(scenario)
    sites = world._channel.rain_sites
    assert len(sites) > 20
    keys = [WorldKey(seed) for seed in range(40)]
    state = world.begin(keys)
    _, raw = world.advance(state, 2)
    for number in range(40):
        site = sites[state.channel.rain_site[number]]
        assert 30.0 <= math.degrees(site.lat_rad) <= 45.0
        assert state.region.lat_rad[number] == site.lat_rad
        assert abs(raw["user_lat_deg"][number, 0, 0] - math.degrees(site.lat_rad)) < 0.1
    assert len(set(state.channel.rain_site.tolist())) > 15


def test_users_near_each_other_meet_the_same_rain():
    scenario = with_overrides(load_preset("vsat-ka"), {"users": {"count": 2}})
    channel = Channel(scenario, 0.0)
    n = 20_000
    offset = np.zeros((n, 2, 2))
    offset[:, 1, 0] = 3e3
    state = channel.begin([WorldKey(0)] * n, np.zeros(n, np.intp), offset)
    rng = np.random.default_rng(0)
    scores = (state.rain_mixing @ rng.standard_normal((n, 2, 1)))[..., 0]
    # 3 km apart: 0.94 exp(-0.1) + 0.06 exp(-(3/500)^2) = 0.9105.
    assert np.corrcoef(scores.T)[0, 1] == pytest.approx(0.9105, abs=0.01)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"users": {"latitude_min_deg": -84.0, "latitude_max_deg": -80.0}}, "latitude_min_deg"),
        ({"users": {"motion": "aircraft"}}, "aircraft"),
        ({"link": {"band": "S"}}, "Ka"),
    ],
)
def test_rain_where_there_is_none_is_refused(overrides, message):
    with pytest.raises(ValueError, match=message):
        HandoverWorld(with_overrides(load_preset("vsat-ka"), overrides))


def test_a_skyline_is_not_shared_between_users():
    assert Channel(load_preset("benchmark-30x13"), 1.0).processes["skyline"].shape == (30, skyline.FIELD.n_coefficients)
