"""Combining rules, pilots, cyclic prefix and interference, against the formulas of `physics` and hand calculations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.constants import speed_of_light
from scipy.stats import gamma

from ntn_gym.core.engine import Engine
from ntn_gym.core.seeding import WorldKey
from ntn_gym.envs.multi_connectivity.presets import load_preset, with_overrides
from ntn_gym.envs.multi_connectivity.rates import Efficiency, Interference, copy_success, joint_power
from ntn_gym.envs.multi_connectivity.scenario import Scenario
from ntn_gym.envs.multi_connectivity.task import MultiConnectivityTask
from ntn_gym.physics.combining import duplication_loss, joint_transmission_sinr, mrc_sinr, selection_sinr
from ntn_gym.physics.estimation import mmse_error_variance, snr_with_estimate
from ntn_gym.physics.fading import nakagami_power_cdf

from .synthetic import kpi, play, set_of, slices, small_task

PERFECT = {"pilots": 9_999, "block_symbols": 100_000, "efficiency_gap": 1.0, "efficiency_cap_bit_s_hz": 12.0}


def efficiency(sinr: float, pilots: float = 9_999.0, block: float = 100_000.0) -> float:
    """Rate by the functions of `physics`, without gap and cap."""
    effective = float(snr_with_estimate(sinr, mmse_error_variance(pilots, sinr)))
    return (1 - pilots / block) * math.log2(1 + effective)


def joint_task(rule: str = "noncoherent", **parts: object) -> MultiConnectivityTask:
    return small_task(
        2,
        n_sky=2,
        n_stations=0,
        architecture={"kind": "ms", "max_links": 2},
        combining={"rule": rule, "beamforming": False, **parts.pop("combining", {})},  # type: ignore[dict-item]
        spectrum={"kind": "shared", "shared_bandwidth_hz": 10e6},
        channel=PERFECT,
        **parts,
    )


def joint_slices(task: MultiConnectivityTask, power: np.ndarray, aligned: bool = True) -> dict[str, np.ndarray]:
    """Powers over noise [U, 2] at all steps, no background traffic."""
    n_steps = 4
    arrays = slices(task, np.tile(power, (n_steps, 1, 1)))
    arrays["power"] = np.tile(power, (1, n_steps, 1, 1)).astype(np.float32)
    arrays["far"] = np.zeros((1, n_steps, len(power)), dtype=np.float32)
    arrays["background"] = np.zeros((1, n_steps, 2), dtype=np.float32)
    arrays["aligned"] = np.full((1, n_steps, len(power), task.sets.n_sets), aligned)
    return arrays


# ---------------------------------------------------------------------- rules


def test_joint_transmission_of_two_equal_nodes_gains_3_and_6_db() -> None:
    power = np.array([10.0, 10.0], dtype=np.float32)
    both = np.array([True, True])
    law = Efficiency(Scenario.model_validate({"channel": PERFECT}))
    for coherent, gain_db in ((False, 3.0103), (True, 6.0206)):
        signal = float(joint_power(power, both, law, coherent))
        assert 10 * math.log10(signal / 10.0) == pytest.approx(gain_db, abs=2e-3)
        assert signal == pytest.approx(float(joint_transmission_sinr(power, both, 1.0, coherent)), rel=2e-3)


def test_a_user_served_by_both_hears_no_interference() -> None:
    """User 0 has both satellites, user 1 one of them: joint 3 + 6 over noise against 6 / (1 + 3)."""
    task = joint_task()
    arrays = joint_slices(task, np.array([[3.0, 6.0], [3.0, 6.0]]))
    history = play(task, arrays, [[set_of(task, 0, 1), set_of(task, 1)]] * 3)
    rate = kpi(task, history[-1][1], "rate_mbit_s")
    # Satellite 1 is shared by two, satellite 0 by one; the block needs the same share at both.
    np.testing.assert_allclose(rate[0], 10 / 2 * efficiency(9.0), rtol=2e-3)
    np.testing.assert_allclose(rate[1], 10 / 2 * efficiency(6.0 / 4.0), rtol=2e-3)


def test_outside_the_cyclic_prefix_streams_split_and_disturb_each_other() -> None:
    task = joint_task()
    arrays = joint_slices(task, np.array([[3.0, 6.0], [3.0, 6.0]]), aligned=False)
    history = play(task, arrays, [[set_of(task, 0, 1), 0]] * 3)
    expected = 10 * (efficiency(3.0 / 7.0) + efficiency(6.0 / 4.0))
    np.testing.assert_allclose(kpi(task, history[-1][1], "rate_mbit_s")[0], expected, rtol=2e-3)


def test_an_idle_node_disturbs_with_its_background_only() -> None:
    task = joint_task()
    arrays = joint_slices(task, np.array([[3.0, 6.0], [3.0, 6.0]]))
    arrays["background"][..., 0] = 0.25
    history = play(task, arrays, [[set_of(task, 1), 0]] * 3)
    np.testing.assert_allclose(kpi(task, history[-1][1], "rate_mbit_s")[0], 10 * efficiency(6.0 / 1.75), rtol=2e-3)


def test_beamforming_keeps_the_others_out() -> None:
    """Main lobe 30 dBi and side lobe 10 dBi: interference falls by 20 dB."""
    narrow, wide = (
        Interference(Scenario.model_validate({"combining": {"beamforming": on}})).weight for on in (True, False)
    )
    np.testing.assert_allclose(narrow[:3], 0.01, rtol=1e-6)
    np.testing.assert_allclose(wide, 1.0)
    np.testing.assert_allclose(narrow[3:], 1.0)


def test_maximum_ratio_combining_adds_sinrs_on_the_smallest_band() -> None:
    task = small_task(1, combining={"rule": "mrc"}, channel=PERFECT)
    arrays = slices(task, np.full((3, 1, 3), 1.0))
    arrays["sinr"] = np.tile(np.array([3.0, 5.0, 1.0], dtype=np.float32), (1, 3, 1, 1))
    arrays["free"][..., 1] = 4.0
    history = play(task, arrays, [[set_of(task, 0, 1)]] * 2)
    total = float(mrc_sinr([3.0, 5.0]))
    assert total == 8.0 >= float(selection_sinr([3.0, 5.0]))
    np.testing.assert_allclose(kpi(task, history[-1][1], "rate_mbit_s")[0], 4.0 * efficiency(total), rtol=2e-3)


def test_duplication_takes_the_best_copy_and_loses_the_product() -> None:
    task = small_task(1, combining={"rule": "duplication", "copy_margin_db": 4.0, "copy_m": 2.0})
    lost = float(nakagami_power_cdf(10**-0.4, 2.0))
    assert copy_success(task.scenario) == pytest.approx(1 - lost, rel=1e-9)
    arrays = slices(task, np.tile([8.0, 6.0, 1.0], (3, 1, 1)))
    for ports, n in (((0,), 1), ((0, 1), 2)):
        history = play(task, arrays, [[set_of(task, *ports)]] * 2)
        expected = 8.0 * (1 - float(duplication_loss([lost] * n)))
        np.testing.assert_allclose(kpi(task, history[-1][1], "rate_mbit_s")[0], expected, rtol=1e-5)


# ---------------------------------------------------------------------- pilots


def test_efficiency_is_that_of_the_estimated_channel() -> None:
    scenario = Scenario.model_validate(
        {"channel": {"pilots": 6, "block_symbols": 168, "efficiency_cap_bit_s_hz": 12.0}}
    )
    sinr = np.array([0.3, 1.0, 5.0, 40.0], dtype=np.float32)
    expected = [0.65 * efficiency(float(s), 6.0, 168.0) for s in sinr]
    np.testing.assert_allclose(Efficiency(scenario).of(sinr), expected, rtol=1e-5)
    np.testing.assert_allclose(Efficiency(scenario).error(sinr), mmse_error_variance(6.0, sinr), rtol=1e-6)


def test_more_pilots_make_the_estimate_more_like_the_channel() -> None:
    """Distance between the laws of the ideal and of the estimated signal power, as in Fig. 4 of the paper.

    The LMMSE estimate of a Rayleigh channel has the variance 1 - e; with Nakagami m = 2 the power is gamma distributed.
    """
    x = np.linspace(0.01, 6, 400)
    ideal = gamma.cdf(x, 2.0, scale=0.5)
    gaps, rates = [], []
    for pilots in (1, 2, 4, 8, 16, 32):
        scenario = Scenario.model_validate({"channel": {"pilots": pilots, "block_symbols": 168}})
        error = float(Efficiency(scenario).error(np.float32(2.0)))
        gaps.append(float(np.abs(ideal - gamma.cdf(x, 2.0, scale=0.5 * (1 - error))).max()))
        rates.append(float(Efficiency(scenario).of(np.array([2.0], dtype=np.float32))[0]))
    assert (np.diff(gaps) < 0).all() and gaps[0] > 0.15 and gaps[-1] < 0.01
    best = int(np.argmax(rates))
    assert 0 < best < 5, f"there is an optimal number of pilots: {rates}"


# ---------------------------------------------------------------------- cyclic prefix


@pytest.mark.parametrize(("subcarrier_hz", "prefix_us"), [(15e3, 4.69), (30e3, 2.34), (60e3, 1.17), (120e3, 0.59)])
def test_cyclic_prefix(subcarrier_hz: float, prefix_us: float) -> None:
    scenario = Scenario.model_validate({"combining": {"subcarrier_hz": subcarrier_hz}})
    assert scenario.combining.cyclic_prefix_s * 1e6 == pytest.approx(prefix_us, abs=0.006)


@pytest.mark.parametrize(
    ("elevation_deg", "subcarrier_hz", "reach_m"),
    [(30, 15e3, 812), (45, 15e3, 995), (60, 15e3, 1407), (30, 120e3, 102), (60, 120e3, 177)],
)
def test_how_far_from_the_middle_joint_transmission_works(
    elevation_deg: float, subcarrier_hz: float, reach_m: float
) -> None:
    """Two satellites at opposite azimuths: x = c CP / (2 cos e), checked with the packer's own decision.

    A user x m from the middle towards one of them hears it x cos e / c earlier and the other one as much later.
    """
    task = joint_task(combining={"subcarrier_hz": subcarrier_hz})
    assert speed_of_light * task.scenario.combining.cyclic_prefix_s / (
        2 * math.cos(math.radians(elevation_deg))
    ) == pytest.approx(reach_m, rel=1e-2)
    for distance_m, works in ((0.97 * reach_m, True), (1.03 * reach_m, False)):
        shift_us = distance_m * math.cos(math.radians(elevation_deg)) / speed_of_light * 1e6
        delay = np.array([[[[-shift_us, shift_us], [0.0, 0.0]]]], dtype=np.float32)
        aligned = task._packer._aligned(delay, np.ones_like(delay, dtype=bool))
        assert bool(aligned[0, 0, 0, set_of(task, 0, 1)]) is works
        assert aligned[0, 0, 1].all() and aligned[0, 0, 0, set_of(task, 0)]


def test_alignment_for_each_user_reaches_everybody() -> None:
    """With positions known to 10 m all sets are aligned; with the middle of the region only, users near it."""
    preset = load_preset("joint-transmission")
    shares = []
    for compensation in ("user", "cell"):
        task = MultiConnectivityTask(with_overrides(preset, {"steps": 20, "combining": {"compensation": compensation}}))
        world = task.make_world()
        raw = world.advance(world.begin([WorldKey(s) for s in range(4)]), 21)[1]
        packed = task.compile(None, raw)[1]
        several = task.sets.size > 1
        shares.append(packed["aligned"][..., several][packed["legal"][..., several]].mean())
    assert shares[0] == 1.0
    assert 0.05 < shares[1] < 0.9


# ---------------------------------------------------------------------- multi- against single connectivity


def _coverage(preset: str, changes: dict, threshold_mbit_s: float) -> dict[str, float]:
    """Share of user-steps above a rate for the best satellite alone, the best station alone, and both."""
    task = MultiConnectivityTask(with_overrides(load_preset(preset), {"steps": 30, "users": {"count": 12}, **changes}))
    sets = task.sets
    engine = Engine(task, 8)
    result = {}
    for name, wanted in (
        ("sky", (sets.size == 1) & (sets.n_sky == 1)),
        ("station", (sets.size == 1) & (sets.n_sky == 0)),
        ("both", (sets.size == 2) & (sets.n_sky == 1)),
    ):
        engine.reset(seeds=range(8))
        covered = []
        chosen = int(np.flatnonzero(wanted)[0])
        for _ in range(30):
            mask = engine.action_mask()
            action = np.where(mask[..., chosen], chosen, 0)
            if name == "both":  # where one of the two is missing the other one serves
                first, second = (int(sets.of_bits[1 << p]) for p in np.flatnonzero(sets.members[chosen]))
                single = np.where(mask[..., first], first, np.where(mask[..., second], second, 0))
                action = np.where(mask[..., chosen], chosen, single)
            outcome = engine.step(action).outcome
            covered.append(outcome.kpis[..., 0] >= threshold_mbit_s)
        result[name] = float(np.mean(covered[1:]))
    return result


SAME_BLOCKS = {  # one user per node and no other traffic: coverage is a matter of SINR alone
    "users": {"count": 1},
    "load": {"mean_logit": -6.0, "spread_logit": 0.0},
}


def test_several_links_cover_at_least_what_one_does_on_separate_bands() -> None:
    """MRC on separate bands: MC >= max(SC) at every threshold, in every world (Fig. 6 of the paper)."""
    for threshold in (0.2, 0.5, 1.0, 2.0):
        coverage = _coverage("paper-case-study", SAME_BLOCKS, threshold)
        assert coverage["both"] >= max(coverage["sky"], coverage["station"]) - 1e-12, (threshold, coverage)
        assert 0 < coverage["both"] < 1


def test_the_ordering_fails_in_one_band() -> None:
    """Co-channel joint transmission against single links on separate bands: here MC covers less than the better SC.

    The satellites that do not serve are heard in the same band and through wide lobes.
    """
    # Same bandwidth, same share of other traffic, hence the same SINR behind a rate.
    busy = {**SAME_BLOCKS, "load": {"mean_logit": 1.0, "spread_logit": 0.0}}
    separate = _coverage("paper-case-study", busy, 0.25)
    one_band = _coverage(
        "paper-case-study",
        {
            **busy,
            "combining": {"rule": "noncoherent", "beamforming": False, "compensation": "user"},
            "spectrum": {"kind": "shared", "shared_bandwidth_hz": 2.5e6},
        },
        0.25,
    )
    assert one_band["both"] < max(separate["sky"], separate["station"]) - 0.05, (one_band, separate)
