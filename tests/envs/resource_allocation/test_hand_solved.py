"""Instances whose numbers were worked out by hand, and published closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import lambertw

from ntn_gym.envs.resource_allocation.heuristics.gradient import weighted_water_fill
from ntn_gym.envs.resource_allocation.heuristics.interference import wmmse
from ntn_gym.envs.resource_allocation.heuristics.shares import water_fill

from .helpers import Player, hand_made, one_class, small_task

MBIT_PER_STEP = 20.0  # 20 MHz, 1 s, 1 bit/s/Hz


@pytest.mark.parametrize(
    ("total", "power", "rate"),
    [(1.0, (0.875, 0.125, 0.0), 2.3399), (6.0, (3.375, 2.625, 0.0), 5.7160)],
)
def test_water_filling_of_three_channels(total: float, power: tuple[float, ...], rate: float) -> None:
    """Gains 4, 1, 1/4: levels 1.125 and 3.625, and the third channel stays dry."""
    gain = np.array([[4.0, 1.0, 0.25]])
    filled = water_fill(gain, np.array([total]))
    np.testing.assert_allclose(filled[0], power, atol=1e-12)
    assert np.log2(1 + filled * gain).sum() == pytest.approx(rate, abs=5e-5)


def test_water_filling_is_the_convex_optimum() -> None:
    """One beam, static channels: a general-purpose convex solver finds no better powers, to 1e-6."""
    rng = np.random.default_rng(0)
    for _ in range(8):
        n, total = int(rng.integers(2, 7)), float(rng.uniform(0.1, 20))
        gain, weight = np.exp(rng.normal(0, 1.5, n)), rng.uniform(0.2, 3.0, n)

        def loss(p: np.ndarray, gain: np.ndarray = gain, weight: np.ndarray = weight) -> float:
            return -float((weight * np.log1p(p * gain)).sum())

        def slope(p: np.ndarray, gain: np.ndarray = gain, weight: np.ndarray = weight) -> np.ndarray:
            return -weight * gain / (1 + p * gain)

        solved = minimize(
            loss,
            np.full(n, total / n),
            jac=slope,
            bounds=[(0, None)] * n,
            constraints={"type": "eq", "fun": lambda p, total=total: p.sum() - total, "jac": lambda p: np.ones_like(p)},
            method="SLSQP",
            options={"ftol": 1e-14, "maxiter": 500},
        )
        assert solved.success
        filled = weighted_water_fill(gain[None], weight[None], total)[0]
        assert filled.sum() == pytest.approx(total, rel=1e-12) and (filled >= 0).all()
        assert loss(filled) == pytest.approx(solved.fun, abs=1e-6)
        np.testing.assert_allclose(filled, solved.x, atol=2e-4 * total)
        np.testing.assert_allclose(
            weighted_water_fill(gain[None], np.ones((1, n)), total),
            water_fill(gain[None], np.array([total])),
            rtol=1e-9,
        )


def test_equal_gains_get_equal_powers() -> None:
    np.testing.assert_allclose(water_fill(np.full((1, 4), 0.7), np.array([3.0])), 0.75)


def test_wmmse_silences_one_of_two_strongly_coupled_beams() -> None:
    """Two links with box limits and strong cross gain: the optimum of the sum rate is on/off; nobody else helps."""
    own, cross = np.array([[10.0, 8.0]]), np.array([[[0.0, 9.0], [9.0, 0.0]]])
    power = wmmse(own, cross, np.ones((1, 2)), np.array([1.0, 1.0]), 2.0, 200)[0]

    def rate(p: np.ndarray) -> float:
        noise = 1 + cross[0] @ p
        return float(np.log2(1 + own[0] * p / noise).sum())

    grid = np.linspace(0, 1, 101)
    best = max(rate(np.array([a, b])) for a in grid for b in grid)
    assert power[0] == pytest.approx(1.0, abs=1e-3) and power[1] == pytest.approx(0.0, abs=1e-3)
    assert rate(power) == pytest.approx(best, rel=1e-3)


def test_wmmse_never_lowers_the_weighted_sum_rate() -> None:
    """The iteration is monotone (Shi et al. 2011, theorem 3), and keeps the total power."""
    rng = np.random.default_rng(1)
    n = 5
    own, cross = np.exp(rng.normal(1, 1, (1, n))), np.exp(rng.normal(-1, 1, (1, n, n)))
    cross[0, range(n), range(n)] = 0
    weight = rng.uniform(0.2, 1, (1, n))
    rates = []
    for rounds in range(1, 25):
        power = wmmse(own, cross, weight, np.full(n, 20.0), 30.0, rounds)
        assert power.sum() <= 30.0 * (1 + 1e-6)
        noise = 1 + (cross * power[:, None, :]).sum(-1)
        rates.append(float((weight * np.log2(1 + own * power / noise)).sum()))
    assert (np.diff(rates) >= -1e-6).all() and rates[-1] > rates[0]


def test_the_power_with_the_best_energy_efficiency_is_a_lambert_function() -> None:
    """One link, gain 2, amplifier efficiency 0.5, 4 W of circuits: P* = 1.98531 W, 0.290244 bit/s/Hz/W.

    The supply of the task is P0 + slope P: with slope 2 and P0 = 4 W it is that link.
    """
    task = small_task(
        platform={"amplifier": {"levels_w": (0.0, 1.0, 2.0), "idle_w": 4.0, "slope": 2.0, "sleep_w": 0.0}}
    )
    gamma, circuits, efficiency = 2.0, 4.0, 0.5
    best = float((np.exp(1 + lambertw((gamma * efficiency * circuits - 1) / math.e).real) - 1) / gamma)
    assert best == pytest.approx(1.98531, abs=1e-5)
    power = np.linspace(0.01, 10, 20_001)
    supply = task.supply_w(power[:, None].repeat(3, 1), np.ones((len(power), 3)))[:, 0]
    ratio = np.log2(1 + gamma * power) / supply
    assert power[np.argmax(ratio)] == pytest.approx(best, abs=1e-3)
    assert ratio.max() == pytest.approx(0.290244, abs=1e-6)


# ---------------------------------------------------------------------- steps of the task


def test_one_user_one_beam() -> None:
    """SNR 3 at 10 W: 0.65 log2(4) = 1.3 bit/s/Hz, 26 Mbit in a step; then sleep until the deadline of three steps."""
    task = small_task(users=1, radio={"load_sweeps": 0})
    gain = np.array([[0.3, 0.0, 0.0]])
    player = Player(task, hand_made(task, gain, [[40.0], [0.0], [8.0]]))
    first = player.step([2, 0, 0])
    offered = task.offered_mbit
    assert offered == pytest.approx(0.3 * 3 * 20 * 1.2)
    assert first["served"][0] == pytest.approx(26.0 / offered, rel=1e-6)
    # Supply: the first beam 20 + 3 x 10 W with a full band, the others 5 W asleep; price 1 per 240 W.
    assert first["power_w"][0] == pytest.approx(60.0) and first["energy"][0] == pytest.approx(60.0 / 240.0)
    assert player.queue_mbit[0, 0] == pytest.approx(14.0, rel=1e-6)
    second = player.step([0, 0, 0])
    assert second["served"][0] == 0 and second["dropped"][0] == 0 and second["power_w"][0] == 15.0
    # The 14 Mbit of the first step are due in the third one; the 8 that have just come are not.
    third = player.step([0, 0, 0])
    assert third["dropped"][0] == pytest.approx(14.0 / offered, rel=1e-6)
    assert third["dropped_data"][0] == pytest.approx(14.0 / offered, rel=1e-6)
    fourth = player.step([1, 0, 0])  # 2 W: SNR 0.6
    share = 8.0 / (0.65 * math.log2(1.6) * MBIT_PER_STEP)
    assert fourth["served"][0] == pytest.approx(8.0 / offered, rel=1e-6)
    assert fourth["power_w"][0] == pytest.approx(20.0 + 3.0 * 2.0 * share + 10.0, rel=1e-6)
    assert fourth["reward"][0] == pytest.approx(fourth["served"][0] - fourth["energy"][0])


def test_bits_alive_at_the_end_count_for_half() -> None:
    task = small_task(users=1, steps=2)
    player = Player(task, hand_made(task, [[0.3, 0.0, 0.0]], [[6.0], [8.0]]))
    assert player.step([0, 0, 0])["pending"][0] == 0
    last = player.step([0, 0, 0])
    assert last["pending"][0] == pytest.approx(14.0 / task.offered_mbit, rel=1e-6)
    assert last["reward"][0] == pytest.approx(0.5 * last["pending"][0] - last["energy"][0])


def test_interference_is_that_of_the_bands_in_use() -> None:
    """Two beams: the first has 1 Mbit to send and hardly disturbs, or, without load coupling, disturbs as if full."""
    gain = np.array([[2.0, 0.0, 0.0], [1.0, 2.0, 0.0]])  # the second user hears the first beam half as loud
    served = {}
    for sweeps in (0, 1, 20):
        task = small_task(users=2, radio={"load_sweeps": sweeps})
        player = Player(task, hand_made(task, gain, [[1.0, 500.0]]))
        player.step([2, 2, 0])
        served[sweeps] = player.state.departed_mbit[0, 1]
        assert player.state.departed_mbit[0, 0] == pytest.approx(1.0, rel=1e-6)
    full = 0.65 * math.log2(1 + 20.0 / 11.0) * MBIT_PER_STEP
    assert served[0] == pytest.approx(full, rel=1e-6)
    # Fixed point: the second beam is full, so the first serves with SINR 20/(1 + 0) (its user does not hear it).
    load = 1.0 / (0.65 * math.log2(1 + 20.0) * MBIT_PER_STEP)
    coupled = 0.65 * math.log2(1 + 20.0 / (1 + 10.0 * load)) * MBIT_PER_STEP
    assert served[20] == pytest.approx(coupled, rel=1e-6) and served[1] == pytest.approx(coupled, rel=1e-6)


def test_reuse_three_parts_the_band_and_the_interference() -> None:
    task = small_task(users=2, platform={"reuse": 3, "swing": None}, radio={"load_sweeps": 0})
    gain = np.array([[2.0, 0.0, 0.0], [1.0, 2.0, 0.0]])
    player = Player(task, hand_made(task, gain, [[1.0, 500.0]]))
    player.step([2, 2, 0])
    alone = 0.65 * math.log2(21.0) * MBIT_PER_STEP / 3
    assert player.state.departed_mbit[0, 1] == pytest.approx(alone, rel=1e-6)


def test_what_is_due_goes_first_then_value_times_efficiency() -> None:
    """Three users of one beam; 3 bit/s/Hz each would like more than the band."""
    classes = [
        one_class(1, 2.0, name="slow", share=0.5, value=3.0),
        one_class(1, 1.0, name="due", share=0.25, value=1.0),
        one_class(1, 2.0, name="cheap", share=0.25, value=1.0),
    ]
    task = small_task(traffic={"load": 0.3, "classes": classes}, radio={"load_sweeps": 0})
    player = Player(task, hand_made(task, [[0.7, 0, 0]] * 3, [[30.0, 20.0, 30.0]]))
    player.step([2, 0, 0])  # SNR 7: 1.95 bit/s/Hz, 39 Mbit in all
    np.testing.assert_allclose(player.state.departed_mbit[0], [19.0, 20.0, 0.0], rtol=1e-5, atol=1e-9)


def test_the_feeder_limits_what_all_beams_carry() -> None:
    feeder = {"radio_mbit_s": 13.0, "cloud_share": 0.5}
    task = small_task(users=1, feeder=feeder, radio={"load_sweeps": 0})
    raw = hand_made(task, [[0.3, 0.0, 0.0]], [[40.0]])
    raw["feeder_cloud"][:] = True
    player = Player(task, raw)
    result = player.step([2, 0, 0])
    assert player.state.departed_mbit[0, 0] == pytest.approx(13.0, rel=1e-6) and result["feeder_limited"][0] == 1
    assert result["power_w"][0] == pytest.approx(20.0 + 3.0 * 10.0 * 0.5 + 10.0, rel=1e-6)  # half of the band


def test_too_much_power_is_scaled_down() -> None:
    task = small_task(users=1, platform={"total_power_w": 15.0, "swing": None})
    player = Player(task, hand_made(task, [[0.3, 0.0, 0.0]], [[40.0]]))
    player.step([2, 2, 2])
    np.testing.assert_allclose(player.state.power_w[0], 5.0)
    player.step([2, 1, 0])
    np.testing.assert_allclose(player.state.power_w[0], [10.0, 2.0, 0.0])


def test_a_continuous_action_sleeps_exactly() -> None:
    task = small_task(users=1, action={"kind": "box"})
    player = Player(task, hand_made(task, [[0.3, 0.0, 0.0]], [[40.0]]))
    player.step(np.array([[1.0], [-0.5], [0.25]], dtype=np.float32))
    np.testing.assert_allclose(player.state.power_w[0], [10.0, 0.0, math.sqrt(20.0)], rtol=1e-6)
    player.step(np.array([[-0.499], [-1.0], [-0.51]], dtype=np.float32))
    assert player.state.power_w[0, 0] == pytest.approx(2.0, rel=2e-3) and (player.state.power_w[0, 1:] == 0).all()
