"""The bounds against all action sequences of small problems, and against cases solved by hand."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np
import pytest

from ntn_gym.core.engine import Engine
from ntn_gym.core.task import Now
from ntn_gym.envs.handover.bound import bound
from ntn_gym.envs.handover.dual import dual_bound
from ntn_gym.envs.handover.packing import LINK
from ntn_gym.envs.handover.presets import load_preset, with_overrides
from ntn_gym.envs.handover.rules import Sync
from ntn_gym.envs.handover.task import HandoverTask

from .synthetic import episode_return, packed_link, small_task


def random_links(rng: np.random.Generator, n_worlds: int, n_steps: int, n_users: int, n_slots: int) -> np.ndarray:
    """Links that are often blocked or empty, so that failures, waiting and lost commands all occur."""
    chances = rng.dirichlet([0.7, 1.0, 1.0, 2.0])
    sync = rng.choice(4, size=(n_worlds, n_steps, n_users, n_slots), p=chances)
    # A slot is empty for all users or for none.
    empty = rng.random((n_worlds, n_steps, 1, n_slots)) < 0.2
    sync = np.where(empty, Sync.EMPTY, np.maximum(sync, Sync.OUT))
    rate = (sync >= Sync.BETWEEN) * rng.uniform(1e5, 1.44e8, sync.shape)
    utility = np.log1p(rate / 2e6) / math.log1p(72.0)
    return packed_link(sync, utility, rng.choice([0.0, 0.1, 0.6, 1.0], sync.shape), rate)


def best_of_all(task: HandoverTask, link: np.ndarray) -> float:
    """Highest return over every joint action sequence, one by one."""
    n_steps, n_users, n_slots = task.episode_steps, task.n_agents, task.n_slots
    sequences: Iterator[tuple[int, ...]] = itertools.product(range(n_slots), repeat=n_steps * n_users)
    return max(episode_return(task, link, np.reshape(s, (n_steps, n_users))) for s in sequences)


@pytest.mark.parametrize("hard", [True, False])
@pytest.mark.parametrize(("n_slots", "n_steps"), [(2, 8), (3, 5)])
def test_viterbi_is_the_best_of_all_sequences(hard: bool, n_slots: int, n_steps: int) -> None:
    rng = np.random.default_rng(100 * n_slots + hard)
    for trial in range(30):
        prices = {"handover": rng.choice([0.0, 0.15, 1.0]), "failure": rng.choice([0.0, 0.5, 2.0])}
        task = small_task(n_steps, n_slots, reestablishment=1 + trial % 2, hard=hard, **prices)
        link = random_links(rng, 1, n_steps, 1, n_slots)
        result = bound(task, {"link": link})
        assert result.value[0] == pytest.approx(best_of_all(task, link[0]), abs=1e-9)
        assert result.actions is not None and result.actions.shape == (1, n_steps, 1)
        assert episode_return(task, link[0], result.actions[0]) == pytest.approx(result.value[0], abs=1e-9)


@pytest.mark.parametrize("t310", [2, 3, 5])
def test_long_timers_keep_the_counter(t310: int) -> None:
    """One slot only: the return is that of staying, whatever the timer."""
    rng = np.random.default_rng(t310)
    for hard in (True, False):
        task = small_task(30, 2, t310=t310, reestablishment=3, hard=hard)
        link = random_links(rng, 1, 30, 1, 2)
        link[..., 1, :] = 0.0  # the second slot is empty
        stay = episode_return(task, link[0], np.zeros((30, 1), dtype=int))
        result = bound(task, {"link": link})
        assert result.value[0] >= stay - 1e-9
        assert episode_return(task, link[0], result.actions[0]) == pytest.approx(result.value[0], abs=1e-9)


def test_waiting_needs_a_slot_that_carries_nothing() -> None:
    """Both slots alive: the user cannot avoid to connect; with an empty one it waits for the cheap connection."""
    task = small_task(2, 2, handover=5.0)
    sync = np.full((1, 2, 1, 2), Sync.IN)
    utility = np.array([[0.1, 0.1], [0.0, 1.0]]).reshape(1, 2, 1, 2)
    link = packed_link(sync, utility, 0.0)
    # Connect to slot 1 at once (0.1) and keep it (1.0).
    assert bound(task, {"link": link}).value[0] == pytest.approx(1.1, abs=1e-6)
    utility[0, 0, 0, 1], sync[0, 0, 0, 1] = 0.0, Sync.EMPTY
    link = packed_link(sync, utility, 0.0)
    result = bound(task, {"link": link})
    # Slot 0 now (0.1) would cost a handover of 5: better wait, by naming the empty slot, and connect to slot 1.
    assert result.value[0] == pytest.approx(1.0, abs=1e-6)
    assert result.actions[0, :, 0].tolist() == [1, 1]


def test_failing_on_purpose_can_be_best() -> None:
    """A handover into a dead link starts the re-establishment in time for the good pass that rises in step 4.

    Staying on slot 0 counts three steps out of sync before it fails in step 4 and connects in step 6: 1 + 0.1 + 1.
    Failing on purpose in step 1 loses 0.1 and is idle again in step 3: 1 + 3. Never connecting to slot 0 gives 3.
    """
    task = small_task(7, 3, t310=3, reestablishment=1, handover=0.0, failure=0.0)
    sync = np.full((7, 3), Sync.OUT)
    sync[:2, 0] = Sync.IN
    sync[4:, 1] = Sync.IN
    utility = (sync == Sync.IN) * 1.0
    utility[1, 0] = 0.1
    link = packed_link(sync[None, :, None], utility[None, :, None], 0.0)
    result = bound(task, {"link": link})
    assert result.value[0] == pytest.approx(4.0, abs=1e-6)
    assert best_of_all(task, link[0]) == pytest.approx(4.0, abs=1e-6)
    assert result.actions[0, 1, 0] in (1, 2)


@pytest.mark.parametrize("preset", ["tiny", "beams", "haps-swing"])
def test_maximising_actions_attain_the_value_in_the_task(preset: str) -> None:
    task = HandoverTask(with_overrides(load_preset(preset), {"steps": 120}))
    engine = Engine(task, 6)
    engine.reset(seeds=range(1_000_000, 1_000_006))
    arrays = {name: array[engine.rows] for name, array in engine.buffer.arrays.items()}
    result = bound(task, arrays)
    total = np.zeros(6)
    for t in range(task.episode_steps):
        total += engine.step(result.actions[:, t]).reward[:, 0]
    np.testing.assert_allclose(total, result.value, rtol=0, atol=1e-9)


# ---------------------------------------------------------------------------------- many users


def test_dual_is_above_every_joint_sequence_and_below_alone() -> None:
    rng = np.random.default_rng(3)
    gaps = []
    for trial in range(8):
        task = small_task(4, 2, n_users=2, hard=bool(trial % 2), reestablishment=1)
        link = random_links(rng, 1, 4, 2, 2)
        exact = best_of_all(task, link[0])
        result = dual_bound(task.scenario, task.rules, link[:, :-1], 200)
        assert exact <= result.value[0] + 1e-6
        assert result.value[0] <= result.alone[0] + 1e-12
        assert result.attained[0] <= exact + 1e-6
        assert bound(task, {"link": link}).value[0] >= exact - 1e-6
        gaps.append((result.alone[0] - result.value[0], result.alone[0] - exact))
    closed, total = np.sum(gaps, axis=0)
    assert total > 0.1, "the instances should have users in conflict"
    assert closed > 0.5 * total, "prices should close most of the gap to the bound with every user alone"


def test_two_users_in_one_cell_share_it() -> None:
    """One living slot, full rate for both: each gets half, u(R/2) = ln(1 + 72/2) / ln(1 + 72), and no more."""
    n_steps = 12
    task = small_task(n_steps, 2, n_users=2)
    sync = np.zeros((1, n_steps, 2, 2), dtype=int)
    sync[..., 0] = Sync.IN
    rate = (sync == Sync.IN) * 144e6
    link = packed_link(sync, (sync == Sync.IN) * 1.0, 0.0, rate)
    result = dual_bound(task.scenario, task.rules, link[:, :-1], 300)
    half = math.log(37.0) / math.log(73.0)
    # Utility is concave, so taking turns is no better than sharing: half of the time each gives 0.5 < u(1/2).
    assert result.alone[0] == pytest.approx(n_steps, abs=1e-5)
    assert result.attained[0] == pytest.approx(n_steps * half, abs=1e-5)
    assert n_steps * half - 1e-5 <= result.value[0] <= n_steps * half * 1.002


def test_users_apart_do_not_pay() -> None:
    """Each user sees its own slot only: the bound is tight from the first iterate."""
    task = small_task(10, 2, n_users=2)
    sync = np.zeros((1, 10, 2, 2), dtype=int)
    sync[:, :, 0, 0] = sync[:, :, 1, 1] = Sync.IN
    sync[:, :, 0, 1] = sync[:, :, 1, 0] = Sync.OUT
    rate = (sync == Sync.IN) * 144e6
    link = packed_link(sync, (sync == Sync.IN) * 1.0, 0.25, rate)
    result = dual_bound(task.scenario, task.rules, link[:, :-1], 20)
    assert result.value[0] == pytest.approx(9.75, abs=1e-5)
    assert result.attained[0] == pytest.approx(9.75, abs=1e-5)


def test_attained_return_is_that_of_the_task() -> None:
    """With prices zero the plans are those of users alone; replayed together they give what `dual` reports."""
    rng = np.random.default_rng(11)
    task = small_task(40, 3, n_users=5)
    link = random_links(rng, 3, 40, 5, 3)
    reported = dual_bound(task.scenario, task.rules, link[:, :-1], 1).attained
    alone = HandoverTask(with_overrides(task.scenario, {"users": {"count": 1}}))
    plans = [bound(alone, {"link": link[:, :, u : u + 1]}).actions[..., 0] for u in range(5)]
    actions = np.stack(plans, axis=-1)
    state = task.initial(Now({"link": link}, np.arange(3), np.zeros(3, dtype=np.intp)))
    weights = np.array([term.weight for term in task.reward_terms])
    total = np.zeros(3)
    for t in range(40):
        state, outcome = task.step(state, actions[:, t], Now({"link": link}, np.arange(3), np.full(3, t)))
        total += (outcome.reward_terms @ weights).mean(axis=1)
    np.testing.assert_allclose(reported, total, rtol=0, atol=1e-5)


def test_more_iterations_never_raise_the_bound() -> None:
    rng = np.random.default_rng(12)
    task = small_task(20, 3, n_users=6)
    link = random_links(rng, 2, 20, 6, 3)
    values = [dual_bound(task.scenario, task.rules, link[:, :-1], n).value for n in (1, 5, 20, 60)]
    assert (np.diff(values, axis=0) <= 1e-12).all()
    assert (values[-1] < values[0] - 0.1).all()


def test_wrong_arrays_are_refused() -> None:
    task = small_task(5, 2)
    link = np.zeros((2, 5, 1, 2, len(LINK)), dtype=np.float32)
    with pytest.raises(ValueError, match=r"expected \[worlds, 6, 1, 2, 5\]"):
        bound(task, {"link": link})
    many = small_task(4, 2, n_users=2)
    with pytest.raises(ValueError, match="iterations = 0"):
        bound(many, {"link": np.zeros((1, 5, 2, 2, len(LINK)), dtype=np.float32)}, iterations=0)
