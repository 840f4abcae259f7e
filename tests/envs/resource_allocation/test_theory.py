"""Results of queueing and scheduling theory that the task must reproduce, and the books of the energy."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntn_gym.core.registry import make_task
from ntn_gym.core.seeding import WorldKey
from ntn_gym.envs.resource_allocation.accounts import JOULE_PER_KWH
from ntn_gym.envs.resource_allocation.feeder import cloud_times
from ntn_gym.envs.resource_allocation.service import feeder_mbit
from ntn_gym.envs.resource_allocation.storage import store
from ntn_gym.physics.battery import Battery, battery_step

from .helpers import Player, hand_made, one_class, small_task


def test_proportional_fair_shares_time_equally_so_rates_are_as_the_channels() -> None:
    """Static channels, queues that never empty: every user gets the same share of the band, rates are as efficiencies.

    F. P. Kelly et al. 1998: maximising sum log of the average rates with a shared resource gives equal shares.
    """
    snr = np.array([30.0, 6.0, 1.0, 0.3])
    classes = [one_class(4, 400.0)]
    task = small_task(
        traffic={"load": 0.3, "classes": classes},
        steps=600,
        scheduler={"rule": "proportional-fair", "average_s": 100.0},
        radio={"load_sweeps": 0, "minimum_sinr_db": -30.0},
    )
    gain = np.zeros((4, 3))
    gain[:, 0] = snr / 10.0
    player = Player(task, hand_made(task, gain, [[1e6] * 4]))
    for _ in range(200):
        player.step([2, 0, 0])
    before = player.state.departed_mbit[0].copy()
    for _ in range(150):
        player.step([2, 0, 0])
    rate = (player.state.departed_mbit[0] - before) / 150
    efficiency = np.minimum(0.65 * np.log2(1 + snr), 4.8)
    np.testing.assert_allclose(rate, efficiency * 20.0 / 4, rtol=0.06)


def test_max_weight_equalises_queues_times_rates() -> None:
    """Overloaded static users: max-weight keeps Q R alike (throughput optimality's drift argument)."""
    snr = np.array([30.0, 3.0])
    task = small_task(
        traffic={"load": 0.3, "classes": [one_class(2, 400.0)]},
        steps=300,
        scheduler={"rule": "max-weight"},
        radio={"load_sweeps": 0},
    )
    gain = np.zeros((2, 3))
    gain[:, 0] = snr / 10.0
    player = Player(task, hand_made(task, gain, [[40.0, 40.0]] * 250))
    for _ in range(240):
        player.step([2, 0, 0])
    efficiency = np.minimum(0.65 * np.log2(1 + snr), 4.8)
    weight = player.queue_mbit[0] * efficiency
    assert weight[0] == pytest.approx(weight[1], rel=0.05)


@pytest.mark.parametrize("rule", ["value", "proportional-fair", "max-weight", "m-lwdf", "exp"])
def test_schedulers_conserve_work(rule: str) -> None:
    """No rule leaves band unused while a user who can be served has bits, none serves more than there is."""
    task = make_task("ResourceAllocation", "beams", {"scheduler": {"rule": rule}})
    rng = np.random.default_rng(2)
    n_worlds, n_users, radios = 3, task.scenario.n_users, task.n_radios
    for _ in range(5):
        beam = rng.integers(0, radios, (n_worlds, n_users))
        queue = rng.exponential(8.0, (n_worlds, n_users)) * (rng.random((n_worlds, n_users)) < 0.7)
        due = queue * rng.random((n_worlds, n_users))
        efficiency = rng.uniform(0, 4.8, (n_worlds, n_users)) * (rng.random((n_worlds, n_users)) < 0.9)
        capacity = efficiency * task.mbit_per_bit_s_hz
        rate = rng.uniform(0.1, 3, (n_worlds, n_users))
        served, share = task.scheduler.serve(beam, due, queue, capacity, efficiency, rate)
        assert (served <= queue + 1e-12).all() and (served >= 0).all()
        np.testing.assert_allclose(served, np.minimum(share * capacity, queue), rtol=1e-9, atol=1e-12)
        for world in range(n_worlds):
            for radio in range(radios):
                mine = beam[world] == radio
                used = share[world, mine].sum()
                left = (queue - served)[world, mine] * (efficiency[world, mine] > 0)
                assert used <= 1 + 1e-9
                assert used > 1 - 1e-9 or left.sum() < 1e-6, "bits wait beside an empty band"


def test_littles_law() -> None:
    """Mean backlog = arrival rate x mean age at departure, within the interval of independent worlds.

    Ages come from first-in first-out matching of the cumulative curves of each user, not from the backlog.
    """
    task = make_task("ResourceAllocation", "beams", {"steps": 400, "traffic": {"load": 0.3}})
    n_worlds, n_steps = 16, 400
    world = task.make_world()
    raw = world.advance(world.begin([WorldKey(seed) for seed in range(300, 300 + n_worlds)]), n_steps + 1)[1]
    player = Player(task, raw)
    departed, backlog = [], np.zeros(n_worlds)
    for _ in range(n_steps):
        player.step([2] * 7)
        departed.append(player.state.departed_mbit)
        # After the departures of the step: what arrived in it and is gone has an age of 0.
        cumulative = player.packed["cumulative"][:, player.step_index - 1, 0]
        backlog += (cumulative - player.state.departed_mbit).sum(axis=1)
    arrived = player.packed["cumulative"][:, :n_steps, 0]
    gone = np.stack(departed, axis=1)
    age = np.zeros(n_worlds)
    for w in range(n_worlds):
        for u in range(arrived.shape[2]):
            # A bit number x arrives in the first step with A >= x and leaves in the first step with D >= x.
            marks = np.unique(np.concatenate([arrived[w, :, u], gone[w, :, u]]))
            marks = marks[(marks > 0) & (marks <= gone[w, -1, u] + 1e-9)]
            size = np.diff(np.concatenate([[0.0], marks]))
            middle = marks - 0.5 * size
            enters = np.searchsorted(arrived[w, :, u], middle, side="left")
            leaves = np.searchsorted(gone[w, :, u], middle, side="left")
            age[w] += (size * (leaves - enters)).sum()
    mean_backlog, bits = backlog / n_steps, gone[:, -1].sum(axis=1)

    def law(worlds: np.ndarray) -> float:
        # The rate is that of the scenario, not what happened to arrive; the mean age is over all bits of all worlds.
        return float(mean_backlog[worlds].mean() - task.offered_mbit * age[worlds].sum() / bits[worlds].sum())

    everybody = np.arange(n_worlds)
    without_one = np.array([law(np.delete(everybody, w)) for w in everybody])
    error = 1.96 * math.sqrt((n_worlds - 1) / n_worlds * np.square(without_one - without_one.mean()).sum())
    assert abs(law(everybody)) <= error
    assert error < 0.1 * mean_backlog.mean() and mean_backlog.mean() > task.offered_mbit * 0.3, "a test of something"


def test_a_deterministic_queue_waits_as_it_must() -> None:
    """Batches of 60 Mbit every third step, 26 Mbit served a step: backlog 34, 8, 0, each for a third of the time."""
    task = small_task(users=1, steps=30, traffic={"load": 0.3, "classes": [one_class(1, 5.0)]})
    arrivals = [[60.0 if step % 3 == 0 else 0.0] for step in range(30)]
    player = Player(task, hand_made(task, [[0.3, 0, 0]], arrivals))
    queue = [player.step([2, 0, 0])["queue_s"][0] * task.offered_mbit for _ in range(30)]
    np.testing.assert_allclose(queue, [34.0, 8.0, 0.0] * 10, rtol=1e-5, atol=1e-4)


# ---------------------------------------------------------------------- energy


@cache
def _day(preset: str) -> tuple[Any, dict[str, np.ndarray]]:
    task = make_task("ResourceAllocation", preset)
    world = task.make_world()
    raw = world.advance(world.begin([WorldKey(5), WorldKey(6)]), task.episode_steps + 1)[1]
    return task, raw


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), loud=st.floats(0, 1), preset=st.sampled_from(["day", "feeder-under-cloud"]))
def test_energy_books_balance_over_a_day_under_any_action(seed: int, loud: float, preset: str) -> None:
    """Stored at the start + sun = stored at the end + hotel + engines + payload - unmet + spilled + lost, to 1e-9."""
    task, raw = _day(preset)
    rng = np.random.default_rng(seed)
    player = Player(task, raw)
    storage = task.scenario.energy.battery
    start = player.state.energy_j.copy()
    flows = np.zeros((5, 2))  # sun, demand, unmet, spilled, lost
    for step in range(task.episode_steps):
        before = player.state.energy_j
        levels = rng.integers(0, task.constants.n_levels, (2, task.n_agents))
        action = np.where(rng.random((2, task.n_agents)) < loud, task.constants.n_levels - 1, levels)
        result = player.step(action)
        sun = raw["solar_w"][:, step].astype(np.float64) * task.dt_s
        demand = (storage.hotel_w + raw["propulsion_w"][:, step].astype(np.float64) + result["power_w"]) * task.dt_s
        unmet, spilled = result["unmet"] * JOULE_PER_KWH, result["spilled_kw"] * 1e3 * task.dt_s
        # Charging loses 5 % of what goes in; what goes in is the surplus that is not spilled.
        lost = (1 - storage.charge_efficiency) * (np.maximum(sun - demand, 0) - spilled)
        flows += [sun, demand, unmet, spilled, lost]
        after = player.state.energy_j
        assert (after >= 0).all() and (after <= task.battery.capacity_j).all()
        np.testing.assert_allclose(after, before + sun - demand + unmet - spilled - lost, rtol=1e-9, atol=1e-3)
    sun, demand, unmet, spilled, lost = flows
    end = player.state.energy_j
    scale = start + sun
    assert (np.abs(start + sun - (end + demand - unmet + spilled + lost)) <= 1e-9 * scale).all()


@settings(max_examples=50, deadline=None)
@given(
    energy=st.floats(0, 1),
    net=st.floats(-3, 3),
    charge=st.floats(0.5, 1),
    discharge=st.floats(0.5, 1),
    minimum=st.floats(0, 0.3),
)
def test_the_battery_is_that_of_the_physics(
    energy: float, net: float, charge: float, discharge: float, minimum: float
) -> None:
    battery = Battery(3.6e6, minimum * 3.6e6, charge, discharge)
    stored = np.array([max(energy, minimum) * 3.6e6])
    flow = store(battery, stored, np.array([net * 3.6e6]))
    done = battery_step(battery, stored, max(net, 0.0) * 3.6e6, max(-net, 0.0) * 3.6e6, 1.0)
    for ours, theirs in zip(flow, (done.energy_j, done.unmet_j, done.spilled_j), strict=True):
        np.testing.assert_allclose(ours, np.asarray(theirs), rtol=1e-12, atol=1e-3)


def test_a_low_battery_switches_the_payload_off_until_it_has_recovered() -> None:
    task, raw = _day("day")
    dark = {**raw, "solar_w": np.zeros_like(raw["solar_w"])}
    player = Player(task, dark)
    storage = task.scenario.energy.battery
    for _ in range(200):
        player.step([3] * 7)
        if player.state.dead[0]:
            break
    assert player.state.energy_j[0] < storage.low_share * task.battery.capacity_j
    off = player.step([3] * 7)
    assert off["throughput_mbit_s"][0] == 0 and off["power_w"][0] == pytest.approx(7 * 8.0)
    assert off["dead"][0] == 1 and off["depleted"][0] == 1
    bright = {**raw, "solar_w": np.full_like(raw["solar_w"], 4000.0)}
    player.packed = task.compile(None, bright)[1]
    while player.state.dead[0]:
        share = player.state.energy_j[0] / task.battery.capacity_j
        assert share < storage.back_share and player.step([3] * 7)["active"][0] == 0
    assert player.state.energy_j[0] >= storage.back_share * task.battery.capacity_j
    assert player.step([3] * 7)["active"][0] == 1


# ---------------------------------------------------------------------- feeder


def test_feeder_outage_is_the_stationary_probability_of_cloud() -> None:
    """Share of steps in which only the radio feeder is left = TCS/(TCC + TCS), within the interval over worlds."""
    task = make_task("ResourceAllocation", "feeder-under-cloud")
    feeder = task.scenario.feeder
    world = task.make_world()
    raw = world.advance(world.begin([WorldKey(seed) for seed in range(400, 480)]), task.episode_steps + 1)[1]
    player = Player(task, raw)
    outage = []
    for step in range(0, task.episode_steps, 4):
        player.step_index = step
        capacity = feeder_mbit(task, float(feeder.laser.levels_w[-1]), player.now)
        outage.append(capacity <= feeder.radio_mbit_s * task.dt_s * (1 + 1e-9))
    share = np.mean(outage, axis=0)
    expected = float(1.0 - cloud_times(feeder).clear_probability)
    assert expected == pytest.approx(0.2)
    error = 1.96 * share.std(ddof=1) / math.sqrt(len(share))
    assert abs(share.mean() - expected) <= 1.3 * error and error < 0.05
