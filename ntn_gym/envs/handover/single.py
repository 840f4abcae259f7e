"""One world, one user: the same step as the batched task, in Python numbers.

A single environment is bound by the overhead of array calls, not by arithmetic. The rules are the same table; what is
repeated here is the bookkeeping around it, and the contract tests compare both bit for bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import Outcome
from ntn_gym.envs.handover.observation import SLOT, SLOT_SIZE
from ntn_gym.envs.handover.packing import LINK
from ntn_gym.envs.handover.rules import COLUMN, FIRST_EVENT, Carrier, Sync, table_index
from ntn_gym.envs.handover.state import State, since_entries, status_entries

if TYPE_CHECKING:
    from ntn_gym.envs.handover.task import HandoverTask

_RATE, _UTILITY, _SYNC = LINK["rate"], LINK["utility"], LINK["sync"]
_INTERRUPTION, _PASS = LINK["interruption"], LINK["pass"]
_TARGET, _EMPTY = float(Carrier.TARGET), float(Sync.EMPTY)


class SingleUser:
    """Step and observation of one user in one world."""

    def __init__(self, task: HandoverTask) -> None:
        """Turn the task's tables into lists, whose elements are Python numbers."""
        self._rows: list[list[float]] = task.table.tolist()
        self._status_entries: list[list[float]] = status_entries(task.rules).tolist()
        self._since_entries: list[list[float]] = since_entries(task.dt_s).tolist()
        self._ping_pong_steps = task.ping_pong_steps
        self._n_packed = task.n_slots * SLOT_SIZE

    def step(self, state: State, action: int, link: NDArray[np.float32]) -> tuple[State, Outcome]:
        """Apply one choice, see `HandoverTask.step`; ``link`` is [K, columns]."""
        serving, status, since, last_pass = state.users[0, :, 0].tolist()
        serving_link = link[max(serving, 0)].tolist()
        target_link = link[action].tolist()
        row = self._rows[table_index(status, action == serving, int(serving_link[_SYNC]), int(target_link[_SYNC]))]
        carrier = row[COLUMN["carrier"]]
        on_target = carrier == _TARGET
        data_link = target_link if on_target else serving_link
        carried = carrier > 0
        share = 1.0 - target_link[_INTERRUPTION] if on_target else 1.0
        service = data_link[_UTILITY] * share if carried else 0.0
        rate_mbit_s = data_link[_RATE] * share * 1e-6 if carried else 0.0
        handover = row[FIRST_EVENT]
        ping_pong = handover > 0 and target_link[_PASS] == last_pass and since <= self._ping_pong_steps
        if row[COLUMN["takes_target"]]:
            new_serving, new_since = action, 0
        else:
            new_serving, new_since = (serving if row[COLUMN["keeps_serving"]] else -1), since + 1
        if handover:
            last_pass = int(serving_link[_PASS])
        users = np.array([[[new_serving], [int(row[0])], [new_since], [last_pass]]])
        failure = row[COLUMN["link_failure"]] + row[COLUMN["failed_handover"]]
        terms = np.array([[[service, handover, failure]]])
        *failures, illegal = row[FIRST_EVENT + 2 :]
        if illegal and max(link[:, _SYNC].tolist()) == _EMPTY:
            illegal = 0.0  # where no slot holds a pass there was nothing legal to choose
        kpis = np.array([[[rate_mbit_s, rate_mbit_s, not carried, handover, ping_pong, *failures, illegal]]])
        average = np.array([[state.average.item() * 0.8 + service * 0.2]])
        return State(users, average, state.attached), Outcome(terms, kpis, np.zeros(1, dtype=bool))

    def observe(
        self, state: State, observation: NDArray[np.float32], link: NDArray[Any], measured: NDArray[Any] | None
    ) -> NDArray[np.float32]:
        """Complete a packed observation [1, 1, obs] in place, see `HandoverTask.observe`."""
        serving, status, since, _ = state.users[0, :, 0].tolist()
        flat = observation[0, 0]
        if serving >= 0 and link[serving, _SYNC] > _EMPTY:
            start = serving * SLOT_SIZE
            flat[start + SLOT["serving"]] = 1.0
            if measured is not None:
                flat[start + SLOT["sinr"]], flat[start + SLOT["age"]], flat[start + SLOT["utility"]] = measured[serving]
        connected, reestablishing, t310, _, _, _, idle = self._status_entries[status]
        since_long, since_short = self._since_entries[min(since, len(self._since_entries) - 1)]
        average = state.average[0, 0]
        flat[self._n_packed :] = (connected, reestablishing, t310, since_long, since_short, average, idle)
        return observation

    def action_mask(self, state: State, legal: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return what is legal, see `HandoverTask.action_mask`; ``legal`` is [1, 1, K] without the serving slot."""
        mask = legal.copy()
        serving = state.users[0, 0].item()
        if serving >= 0:
            mask[0, 0, serving] = True
        return mask
