"""Delays and energies of single tasks, summed by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ntn_gym.core.task import Now
from ntn_gym.envs.task_offloading.heuristics import View

from .synthetic import DELAY_S, add, always, kpi, play, quiet_world, small_task

BIT, CYCLES = 2e6, 0.8e9


def delay_of_one(option: int, bit: float = BIT, cycles: float = CYCLES, **parts: Any) -> tuple[float, float, float]:
    """Delay and energies of a single task of the only device."""
    task = small_task(**parts)
    raw = quiet_world(task)
    add(raw, 3, bit, cycles)
    _, outcomes = play(task, raw, always(option))
    assert kpi(task, outcomes, "completed").sum() == 1.0
    return tuple(kpi(task, outcomes, name).sum() for name in ("delay_s", "device_energy_j", "server_energy_j"))


def test_1e9_cycles_at_1_ghz_take_1_s_and_1_j() -> None:
    assert delay_of_one(0, cycles=1e9) == pytest.approx((1.0, 1.0, 0.0), abs=1e-9)


def test_local() -> None:
    assert delay_of_one(0) == pytest.approx((0.8, 0.8, 0.0), abs=1e-9)


def test_platform() -> None:
    # 0.1 s at 20 Mb/s, 0.1 ms, 0.8e9 / 8e9 = 0.1 s, 40 kbit at 20 Mb/s = 2 ms, 0.1 ms.
    # 0.1 s at 0.5 W; 1e-28 x (8e9)^2 x 0.8e9 = 5.12 J.
    assert delay_of_one(1) == pytest.approx((0.2022, 0.05, 5.12), abs=1e-9)


def test_satellite() -> None:
    # 0.1 s, 4 ms, 0.8 / 12 s, 2 ms, 4 ms; 1e-28 x (12e9)^2 x 0.8e9 = 11.52 J.
    assert delay_of_one(2) == pytest.approx((0.11 + 0.8 / 12, 0.05, 11.52), abs=1e-9)


def test_cloud_behind_the_satellite() -> None:
    # Upload, way up, 2 Mbit through a feeder of which 35 Mb/s are free, down and 20 ms beyond, 0.8e9 / 40e9 = 20 ms,
    # the same way back, result, way down.
    expected = 0.1 + DELAY_S["leo"] + 2 / 35 + (DELAY_S["leo"] + 0.02) + 0.02
    expected += (0.02 + DELAY_S["leo"]) + 0.002 + DELAY_S["leo"]
    assert delay_of_one(3, cloud="leo") == pytest.approx((expected, 0.05, 0.0), abs=1e-9)


def test_half_of_a_task() -> None:
    # Here 0.4 s; there 0.05 + 0.05 s and a little: the local part ends later.
    delay, device, server = delay_of_one(1, nodes=("haps",), ratios=(0.5, 1.0))
    assert (delay, device, server) == pytest.approx((0.4, 0.4 + 0.025, 2.56), abs=1e-9)
    # Few cycles, many bits: the remote part does. 8 Mbit: half of them 0.2 s, 0.1 ms, 0.01 / 8 s, 4 ms, 0.1 ms.
    delay, _, _ = delay_of_one(1, bit=8e6, cycles=0.02e9, nodes=("haps",), ratios=(0.5, 1.0))
    assert delay == pytest.approx(0.2042 + 0.01 / 8, abs=1e-9)


@pytest.mark.parametrize(
    ("server_hz", "way_s", "share", "delay_s"), [(20e9, 0.134e-3, 0.90897, 0.09103), (20e9, 13e-3, 0.89727, 0.10273)]
)
def test_the_best_split_in_closed_form(server_hz: float, way_s: float, share: float, delay_s: float) -> None:
    """1 Mbit, 1000 cycles/bit, 1 and 20 GHz, 20 Mb/s, results of no size: the kink is at a*, and it is the optimum.

    way_s is the whole delay of the way, there and back.
    """
    task = small_task(
        ("haps",),
        action="box",
        tasks={"result_share": 0.0},
        haps={
            "uplink": {"bandwidth_hz": 5e6, "gt_db_k": 0, "isolation_db": 60, "efficiency_cap_bit_s_hz": 4.0},
            "server": {"cpu_hz": server_hz, "background_low": 0, "background_high": 0},
        },
    )
    percents = np.arange(1, 101)
    raw = quiet_world(task, len(percents))
    raw["delay_s"][:] = way_s / 2
    add(raw, 0, 1e6, 1e9)
    action = np.stack([np.ones(100), percents / 50 - 1.0], axis=-1)[:, None]
    _, outcomes = play(task, raw, lambda *_: action)
    found = kpi(task, outcomes, "delay_s").sum(axis=(0, 2))
    ratio = percents / 100
    np.testing.assert_allclose(found, np.maximum(1.0 - ratio, way_s + ratio * (0.05 + 0.05)), atol=1e-9)
    assert abs(percents[found.argmin()] / 100 - share) <= 0.005 + 1e-9
    # Whole percents miss the kink by at most half a percent of a second of local computing.
    assert delay_s - 1e-5 <= found.min() <= delay_s + 0.01


def test_two_devices_share_the_band_and_queue_at_the_server() -> None:
    task = small_task(("haps",), devices={"count": 2})
    raw = quiet_world(task)
    for device in range(2):
        add(raw, 0, BIT, CYCLES, device=device)
    _, outcomes = play(task, raw, always(1))
    # 10 Mb/s each; the second waits until the first is served.
    delay = kpi(task, outcomes, "delay_s").sum(axis=0)[0]
    assert delay == pytest.approx([0.2 + 0.1 + 0.0022, 0.2 + 0.2 + 0.0022], abs=1e-9)
    # Each transmits for 0.2 s.
    assert kpi(task, outcomes, "device_energy_j").sum(axis=0)[0] == pytest.approx([0.1, 0.1], abs=1e-9)


def test_an_upload_slows_down_when_another_begins() -> None:
    task = small_task(("haps",), devices={"count": 2})
    raw = quiet_world(task)
    add(raw, 0, 13e6, CYCLES, device=0)
    add(raw, 1, 13e6, CYCLES, device=1)
    _, outcomes = play(task, raw, always(1))
    delay = kpi(task, outcomes, "delay_s").sum(axis=0)[0]
    # 10 Mbit alone, 3 Mbit at half the rate: 0.8 s.
    assert delay[0] == pytest.approx(0.8 + 0.1 + 0.0002 + 0.013, abs=1e-9)
    # Shares are those of whole slots: 5 Mbit at half the rate, 8 Mbit at 20 Mb/s.
    assert delay[1] == pytest.approx(0.5 + 0.4 + 0.1 + 0.0002 + 0.013, abs=1e-9)


def test_tasks_wait_for_their_turn_on_the_processor() -> None:
    task = small_task(("haps",))
    raw = quiet_world(task)
    add(raw, 0, BIT, 1.2e9)
    add(raw, 1, BIT, 0.6e9)
    _, outcomes = play(task, raw, always(0))
    # The second arrives at 0.5 s, begins at 1.2 s and ends at 1.8 s.
    assert kpi(task, outcomes, "delay_s").sum() == pytest.approx(1.2 + 1.3, abs=1e-9)


def test_a_task_that_expires_costs_its_price_and_leaves_the_queue() -> None:
    task = small_task(("haps",))
    raw = quiet_world(task)
    add(raw, 0, BIT, 5e9, deadline_s=1.0)
    add(raw, 2, BIT, 0.4e9)
    _, outcomes = play(task, raw, always(0))
    assert kpi(task, outcomes, "dropped")[:, 0, 0].nonzero()[0].tolist() == [1]
    assert kpi(task, outcomes, "completed").sum() == 1
    assert kpi(task, outcomes, "delay_s").sum() == pytest.approx(0.4, abs=1e-9)
    # It was computed for a second before it expired.
    assert kpi(task, outcomes, "device_energy_j").sum() == pytest.approx(1.4, abs=1e-9)


def test_a_satellite_that_sets_keeps_what_it_has_and_its_successor_begins_empty() -> None:
    task = small_task(("leo",), devices={"count": 2})
    raw = quiet_world(task)
    raw["pass_number"][:, 2:] = 1
    add(raw, 0, BIT, 24e9, device=0)  # 2 s of computing
    add(raw, 2, BIT, 12e9, device=1)  # 1 s at the next satellite
    _, outcomes = play(task, raw, always(1))
    delay = kpi(task, outcomes, "delay_s").sum(axis=0)[0]
    assert delay == pytest.approx([0.11 + 2.0, 0.11 + 1.0], abs=1e-9)


def test_an_upload_waits_while_no_satellite_is_in_reach() -> None:
    task = small_task(("leo",))
    raw = quiet_world(task)
    raw["visible"][:, 1:3] = False
    raw["pass_number"][:, 1:3] = -1
    raw["pass_number"][:, 3:] = 1
    add(raw, 0, 12e6, 1.2e9)
    _, outcomes = play(task, raw, always(1))
    # 10 Mbit in the first slot, nothing for 1 s, 2 Mbit in 0.1 s; 0.1 s of computing, 12 ms result, 8 ms way.
    assert kpi(task, outcomes, "delay_s").sum() == pytest.approx(0.5 + 1.0 + 0.1 + 0.1 + 0.012 + 0.008, abs=1e-9)


def test_the_prediction_of_an_undisturbed_task_is_its_delay() -> None:
    """What a device is told to expect comes true where nothing else happens."""
    task = small_task(cloud="leo", ratios=(0.5, 1.0))
    raw = quiet_world(task)
    add(raw, 0, BIT, CYCLES)
    arrays = task.compile(None, raw)[1]
    now = Now(arrays, np.arange(1), np.zeros(1, dtype=np.intp))
    view = View(task.observe(task.initial(now), now))
    for option in range(task.n_options):
        _, outcomes = play(task, raw, always(option))
        delay = kpi(task, outcomes, "delay_s").sum()
        assert float(view["delay"][0, 0, option]) * 4.0 == pytest.approx(delay, rel=1e-6)
        energy = kpi(task, outcomes, "device_energy_j").sum()
        assert float(view["energy"][0, 0, option]) == pytest.approx(energy, rel=1e-6)
