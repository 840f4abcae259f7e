"""Hand-made worlds and observations, and a simulator of one step at a time that applies `rules.transition` itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ntn_gym.core.policy import Policy
from ntn_gym.envs.handover.observation import (
    PREDICTED_HIGH,
    REMAINING_SHORT_S,
    SINR_CENTRE_DB,
    SINR_HIGH,
    SINR_LOW,
    SINR_SCALE_DB,
    SLOT,
    SLOT_SIZE,
    USER,
    USER_SIZE,
)
from ntn_gym.envs.handover.packing import LINK
from ntn_gym.envs.handover.rules import Carrier, Rules, Sync, transition
from ntn_gym.envs.handover.scenario import Scenario
from ntn_gym.envs.handover.task import HandoverTask


def small_task(
    n_steps: int,
    n_slots: int,
    *,
    n_users: int = 1,
    t310: int = 2,
    reestablishment: int = 2,
    hard: bool = True,
    handover: float = 0.15,
    failure: float = 0.5,
    **parts: Any,
) -> HandoverTask:
    """A task with steps of one second; only its rules and prices matter here, its own world is never drawn."""
    return HandoverTask(
        Scenario(
            steps=n_steps,
            slots={"count": n_slots, "kind": "satellite"},
            users={"count": n_users, **parts.pop("users", {})},
            protocol={
                "t310_s": t310,
                "reestablishment_s": reestablishment,
                "needs_serving_link": hard,
                **parts.pop("protocol", {}),
            },
            reward={"handover_utility_s": handover, "failure_utility_s": failure},
            **parts,
        )
    )


def packed_link(
    sync: np.ndarray, utility: np.ndarray, interruption: np.ndarray | float, rate: np.ndarray | float = 0.0
) -> np.ndarray:
    """Link arrays [B, T + 1, U, K, columns] from arrays [B, T, U, K]; the last slice is a copy."""
    shape = (sync.shape[0], sync.shape[1] + 1, *sync.shape[2:], len(LINK))
    link = np.zeros(shape, dtype=np.float32)
    link[:, :-1, ..., LINK["sync"]] = sync
    link[:, :-1, ..., LINK["utility"]] = utility
    link[:, :-1, ..., LINK["interruption"]] = interruption
    link[:, :-1, ..., LINK["rate"]] = rate
    link[:, -1] = link[:, -2]
    return link


@dataclass(frozen=True)
class User:
    """Protocol state of one user."""

    status: int
    serving: int


def idle_user(rules: Rules) -> User:
    return User(rules.idle, -1)


def step_user(rules: Rules, user: User, action: int, sync: Sequence[int]) -> tuple[User, int, bool, int, int]:
    """One step: new user, slot that carries (-1: none), whether it was just taken, handovers, failures."""
    serving = Sync(int(sync[user.serving])) if user.serving >= 0 else Sync.EMPTY
    result = transition(rules, user.status, action == user.serving, serving, Sync(int(sync[action])))
    slot = action if result.takes_target else (user.serving if result.keeps_serving else -1)
    carrying = -1 if result.carrier == Carrier.NONE else slot
    failures = int(result.link_failure) + int(result.failed_handover)
    return User(result.status, slot), carrying, result.takes_target, int(result.handover), failures


def episode_return(task: HandoverTask, link: np.ndarray, actions: np.ndarray) -> float:
    """Mean over users of the reward of one world, link [T + 1, U, K, columns], actions [T, U]; plain Python."""
    scenario, rules = task.scenario, task.rules
    reference = scenario.reward.reference_rate_bit_s
    whole = math.log1p(scenario.max_rate_bit_s / reference)
    users = [idle_user(rules) for _ in range(task.n_agents)]
    total = 0.0
    for t, row in enumerate(actions):
        steps = [
            step_user(rules, user, int(action), link[t, u, :, LINK["sync"]])
            for u, (user, action) in enumerate(zip(users, row, strict=True))
        ]
        users = [step[0] for step in steps]
        carriers = [step[1] for step in steps]
        for u, (_, slot, taken, handovers, failures) in enumerate(steps):
            if slot >= 0:
                utility = float(link[t, u, slot, LINK["utility"]])
                if task.n_agents > 1:
                    share = float(link[t, u, slot, LINK["rate"]]) / carriers.count(slot)
                    utility = math.log1p(share / reference) / whole
                total += utility * (1.0 - (float(link[t, u, slot, LINK["interruption"]]) if taken else 0.0))
            total -= handovers * scenario.reward.handover_utility_s / scenario.dt_s
            total -= failures * scenario.reward.failure_utility_s / scenario.dt_s
    return total / task.n_agents


def make_observation(
    scenario: Scenario,
    *,
    valid: Any,
    serving: int | Any = -1,
    connected: bool | None = None,
    **slots: Any,
) -> np.ndarray:
    """An observation [1, 1, obs] (or [1, U, obs]) from engineering units; everything not given is 0.

    Args:
        scenario: The scenario (remaining horizon).
        valid: [K] or [U, K].
        serving: Serving slot, -1 for none (an int, or one per user).
        connected: None: whether there is a serving slot.
        slots: ``sinr_db``, ``slow_db``, ``predicted_db``, ``elevation_deg``, ``remaining_s``, or entries by name.
    """
    valid = np.atleast_2d(np.asarray(valid, dtype=bool))
    n_users, n_slots = valid.shape
    array = np.zeros((n_users, n_slots, SLOT_SIZE), dtype=np.float32)

    def scaled(value: Any, high: float) -> np.ndarray:
        return np.clip((np.asarray(value, dtype=np.float64) - SINR_CENTRE_DB) / SINR_SCALE_DB, SINR_LOW, high)

    array[..., SLOT["valid"]] = 1.0
    array[..., SLOT["remaining"]] = array[..., SLOT["remaining_short"]] = 1.0
    for name, value in slots.items():
        if name in ("sinr_db", "slow_db"):
            array[..., SLOT["sinr" if name == "sinr_db" else "sinr_slow"]] = scaled(value, SINR_HIGH)
        elif name == "predicted_db":
            array[..., SLOT["predicted_snr"]] = scaled(value, PREDICTED_HIGH)
        elif name == "elevation_deg":
            array[..., SLOT["elevation"]] = np.asarray(value) / 90.0
        elif name == "remaining_s":
            array[..., SLOT["remaining"]] = np.minimum(np.asarray(value) / scenario.remaining_horizon_s, 1)
            array[..., SLOT["remaining_short"]] = np.minimum(np.asarray(value) / REMAINING_SHORT_S, 1)
        else:
            array[..., SLOT[name]] = value
    server = np.broadcast_to(serving, (n_users,))
    array[..., SLOT["serving"]] = np.arange(n_slots) == server[:, None]
    array *= valid[..., None]
    user = np.zeros((n_users, USER_SIZE), dtype=np.float32)
    user[:, USER["connected"]] = (server >= 0) if connected is None else connected
    user[:, USER["idle"]] = 1.0 - user[:, USER["connected"]]
    return np.concatenate([array.reshape(n_users, -1), user], axis=1)[None]


def mask_of(valid: Any, serving: int = -1) -> np.ndarray:
    """Legal actions [1, 1, K] as the task gives them."""
    mask = np.asarray(valid, dtype=bool) | (np.arange(len(valid)) == serving)
    return (mask if mask.any() else ~mask)[None, None]


def drive(
    policy: Policy, scenario: Scenario, rules: Rules, sync: np.ndarray, **slots: np.ndarray
) -> tuple[list[int], list[int], int]:
    """Run a rule for one user on links [T, K] and slot arrays [T, K].

    Returns:
        Actions, carrying slots (-1: none), and the number of handovers.
    """
    policy.reset(1)
    user, actions, carriers, handovers = idle_user(rules), [], [], 0
    for t, codes in enumerate(sync):
        valid = codes > Sync.EMPTY
        observation = make_observation(
            scenario,
            valid=valid,
            serving=user.serving,
            **{name: value[t] for name, value in slots.items()},
        )
        action = policy.act(observation, mask_of(valid, user.serving), np.array([t == 0]))
        assert action.shape == (1, 1)
        user, carrier, _, changed, _ = step_user(rules, user, int(action[0, 0]), codes)
        actions.append(int(action[0, 0]))
        carriers.append(carrier)
        handovers += changed
    return actions, carriers, handovers


def remaining_steps(valid: np.ndarray) -> np.ndarray:
    """Steps until each pass sets, [T, K]; a pass that lasts to the end sets right after it."""
    left = np.zeros(valid.shape, dtype=np.int64)
    ahead = np.zeros(valid.shape[1], dtype=np.int64)
    for t in range(len(valid) - 1, -1, -1):
        ahead = np.where(valid[t], ahead + 1, 0)
        left[t] = ahead
    return left
