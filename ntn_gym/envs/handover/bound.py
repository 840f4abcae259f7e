"""What no policy can beat in a Handover world: exact for one user, a relaxation for many."""

from __future__ import annotations

import numpy as np

from ntn_gym.core.bound import BoundResult
from ntn_gym.core.task import Arrays
from ntn_gym.envs.handover.dual import dual_bound
from ntn_gym.envs.handover.packing import LINK
from ntn_gym.envs.handover.task import HandoverTask
from ntn_gym.envs.handover.viterbi import Stages, best_plan

ITERATIONS = 60
"""Price vectors tried per world with many users."""
USERS_AT_ONCE = 512
"""Users solved together; more would cost memory and gain no speed."""


def bound(task: HandoverTask, arrays: Arrays, iterations: int = ITERATIONS) -> BoundResult:
    """Return the highest return any policy could reach, with the whole future known.

    One user: the exact optimum by `viterbi`, with actions that attain it. Many users share cells, and the optimum
    over joint actions is out of reach; then the value is the Lagrangian relaxation of `dual`, never below it.

    Args:
        task: The task; gives the scenario's prices and the protocol's timers.
        arrays: Packed arrays with ``link`` [B, T + 1, U, K, columns] of whole episodes from their first step.
        iterations: Price vectors tried with many users; each gives a valid bound, more give a lower one.

    Returns:
        Bound on the sum over the episode of the reward (mean over users), [B], and for one user actions [B, T, 1].

    Raises:
        ValueError: If the arrays are not whole episodes of this task, or ``iterations`` < 1.
    """
    link = arrays["link"]
    expected = (task.episode_steps + 1, task.n_agents, task.n_slots, len(LINK))
    if link.shape[1:] != expected:
        raise ValueError(f"link has shape {list(link.shape)}, expected [worlds, {str(list(expected))[1:]}")
    if iterations < 1:
        raise ValueError(f"iterations = {iterations}: allowed is 1 or more")
    link = link[:, :-1]  # nothing is decided in the slice after the last step
    scenario = task.scenario
    blocks = range(0, len(link), max(1, USERS_AT_ONCE // task.n_agents))
    parts = [link[first : first + blocks.step] for first in blocks]
    if task.n_agents > 1:
        results = [dual_bound(scenario, task.rules, part, iterations) for part in parts]
        return BoundResult(np.concatenate([result.value for result in results]))
    plans = []
    for part in parts:
        one = part[:, :, 0]
        utility = one[..., LINK["utility"]].astype(np.float64)
        share = 1.0 - one[..., LINK["interruption"]].astype(np.float64)
        stages = Stages(
            sync=one[..., LINK["sync"]].astype(np.int8),
            keep=utility,
            take=utility * share,
        )
        prices = scenario.reward
        plans.append(
            best_plan(
                stages,
                task.rules,
                prices.handover_utility_s / scenario.dt_s,
                prices.failure_utility_s / scenario.dt_s,
            )
        )
    return BoundResult(
        value=np.concatenate([plan.value for plan in plans]),
        actions=np.concatenate([plan.actions for plan in plans])[..., None],
    )
