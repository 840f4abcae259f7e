"""The best that one user could have done, knowing the whole future: an exact Viterbi recursion.

The recursion states the protocol once more, as values instead of transitions, and shares no code with the rules that
the task runs on; the tests compare the two. With N = T310 in steps and M = re-establishment in steps, the value of a
user before step t is

    V_t(k, c)  served by slot k with c < N out-of-sync steps counted
    I_t        idle, allowed to connect
    F_t        failing in step t: -failure + I_{t+1+M}, because M steps without service follow

and, with s_k, g_k the service utility in step t of a link that is kept or newly taken (g has lost the interruption):

    G_k = g_k + V_{t+1}(k, 0) where k carries data, else -inf
    I_t = max(I_{t+1} if there is a slot that carries nothing to be named, max_k G_k)
    V_t(k, c) = max(stay, leave)
    stay  = F_t if k is empty; V_{t+1}(k, c+1) if k is out of sync (F_t for c+1 = N);
            s_k + V_{t+1}(k, c) between Qout and Qin; s_k + V_{t+1}(k, 0) in sync
    leave = max(max_{j != k} G_j - handover, F_t if some j != k is out of sync), only where the command is heard

Time since the last handover, ping-pong and filters never enter the reward, so this state is complete. A pass never
follows another one in a slot without an empty step between, so "stay" cannot ride onto a new pass.

Source: shortest path in a time-expanded graph, Hozayen et al., arXiv:2211.07872; dynamic programming, Bellman 1957.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.handover.rules import Rules, Sync

Floats = NDArray[np.float64]
_NEVER = -np.inf


@dataclass(frozen=True)
class Stages:
    """What every step would give to each of N users; arrays [N, T, K].

    Attributes:
        sync: State of the link, codes of `rules.Sync`.
        keep: Service utility in the step if the slot already serves (used where the link carries data).
        take: The same if the user connects to the slot in this step, less the interruption.
    """

    sync: NDArray[np.int8]
    keep: Floats
    take: Floats


@dataclass(frozen=True)
class Plan:
    """Best value and one way to reach it.

    Attributes:
        value: Sum of rewards of the best path, [N].
        actions: Slot to name in each step, [N, T].
        carrier: Slot that carries data in each step, -1 where none does, [N, T].
        taken: Whether that slot was connected to in this very step, [N, T].
        handovers: Number of handovers, [N].
        failures: Number of radio link failures and failed handovers, [N].
    """

    value: Floats
    actions: NDArray[np.int64]
    carrier: NDArray[np.int64]
    taken: NDArray[np.bool_]
    handovers: NDArray[np.int64]
    failures: NDArray[np.int64]


def best_plan(stages: Stages, rules: Rules, handover_price: float, failure_price: float) -> Plan:
    """Solve the recursion for N users at once; every user starts idle.

    Args:
        stages: Links and their utilities.
        rules: Timers in steps, and whether leaving needs a living link.
        handover_price: Reward lost by a handover.
        failure_price: Reward lost by a radio link failure or a failed handover.

    Returns:
        The best value and actions that attain it. Ties are decided for staying, then for the lowest slot.
    """
    value, connected, idle = _backward(stages, rules, handover_price, failure_price)
    return _forward(stages.sync, rules, value, connected, idle)


def _backward(
    stages: Stages, rules: Rules, handover_price: float, failure_price: float
) -> tuple[Floats, NDArray[np.int16], NDArray[np.int16]]:
    """Return V(start) [N] and the best actions when connected [T, N, K, C] and when idle [T, N]."""
    n_users, n_steps, n_slots = stages.sync.shape
    n_counts, pause = rules.t310_steps, rules.reestablishment_steps
    sync = np.ascontiguousarray(stages.sync.transpose(1, 0, 2))
    keep = np.ascontiguousarray(stages.keep.transpose(1, 0, 2))
    take = np.ascontiguousarray(stages.take.transpose(1, 0, 2))
    alive = sync >= Sync.BETWEEN
    out = sync == Sync.OUT
    hears = alive | (not rules.needs_serving_link)
    failing_target = (out.sum(axis=-1, keepdims=True) - out) > 0
    can_wait = ~alive.all(axis=-1)
    # To wait is to name a slot that carries nothing: a blocked one rather than an empty one, which is illegal.
    wait_slot = np.where(out.any(axis=-1), np.argmax(out, axis=-1), np.argmax(~alive, axis=-1))
    first_out = np.argmax(out, axis=-1)
    last_out = n_slots - 1 - np.argmax(out[..., ::-1], axis=-1)

    slots = np.arange(n_slots)
    users = np.arange(n_users)
    connected = np.empty((n_steps, n_users, n_slots, n_counts), dtype=np.int16)
    idle = np.empty((n_steps, n_users), dtype=np.int16)
    value = np.zeros((n_users, n_slots, n_counts))
    # I_t is also needed 1 + M steps later; beyond the end every value is zero.
    idle_value = np.zeros((n_steps + 1 + pause, n_users))
    for t in range(n_steps - 1, -1, -1):
        gain = np.where(alive[t], take[t] + value[..., 0], _NEVER)
        first = np.argmax(gain, axis=-1)
        first_gain = gain[users, first]
        gain[users, first] = _NEVER
        second = np.argmax(gain, axis=-1)
        second_gain = gain[users, second]

        waiting = np.where(can_wait[t], idle_value[t + 1], _NEVER)
        idle[t] = np.where(waiting >= first_gain, wait_slot[t], first)
        idle_value[t] = np.maximum(waiting, first_gain)

        failing = (idle_value[t + 1 + pause] - failure_price)[:, None]
        own = slots == first[:, None]
        leave = np.where(own, second_gain[:, None], first_gain[:, None]) - handover_price
        target = np.where(own, second[:, None], first[:, None])
        crash = failing_target[t] & (failing > leave)
        leave = np.where(crash, failing, leave)
        dead = np.where(first_out[t][:, None] == slots, last_out[t][:, None], first_out[t][:, None])
        target = np.where(crash, dead, target)
        leave = np.where(hears[t], leave, _NEVER)

        counted = np.concatenate([value[..., 1:], np.broadcast_to(failing[..., None], (n_users, n_slots, 1))], axis=-1)
        carrying = np.where(sync[t][..., None] == Sync.IN, value[..., :1], value) + keep[t][..., None]
        stay = np.where(alive[t][..., None], carrying, np.where(out[t][..., None], counted, failing[..., None]))
        goes = leave[..., None] > stay
        connected[t] = np.where(goes, target[..., None], slots[:, None])
        value = np.where(goes, leave[..., None], stay)
    return idle_value[0].copy(), connected, idle


def _forward(
    sync: NDArray[np.int8],
    rules: Rules,
    value: Floats,
    connected: NDArray[np.int16],
    idle: NDArray[np.int16],
) -> Plan:
    """Follow the best actions from the start."""
    n_users, n_steps, _ = sync.shape
    users = np.arange(n_users)
    actions = np.zeros((n_users, n_steps), dtype=np.int64)
    carrier = np.full((n_users, n_steps), -1, dtype=np.int64)
    taken = np.zeros((n_users, n_steps), dtype=bool)
    handovers = np.zeros(n_users, dtype=np.int64)
    failures = np.zeros(n_users, dtype=np.int64)
    slot = np.full(n_users, -1, dtype=np.int64)
    count = np.zeros(n_users, dtype=np.int64)
    pause = np.zeros(n_users, dtype=np.int64)
    for t in range(n_steps):
        served = slot >= 0
        action = np.where(served, connected[t, users, np.maximum(slot, 0), count], idle[t]).astype(np.int64)
        actions[:, t] = action
        paused = pause > 0
        link = sync[users, t, action]
        carries = (link >= Sync.BETWEEN) & ~paused
        moves = served & (action != slot)
        takes = carries & (moves | ~served)
        kept = served & ~moves
        count = np.where(kept & (link == Sync.OUT), count + 1, count)
        count = np.where(takes | (link == Sync.IN), 0, count)
        fails = (moves & ~carries) | (kept & ((link == Sync.EMPTY) | (count >= rules.t310_steps)))
        handovers += moves & carries
        failures += fails
        carrier[:, t] = np.where(carries, action, -1)
        taken[:, t] = takes
        slot = np.where(fails, -1, np.where(takes, action, slot))
        count = np.where(slot < 0, 0, count)
        pause = np.where(fails, rules.reestablishment_steps, np.maximum(pause - 1, 0))
    return Plan(value, actions, carrier, taken, handovers, failures)
