"""Many users in many worlds: step and observation as array operations, the rules as look-ups."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import Now, Outcome
from ntn_gym.envs.handover.observation import SLOT, SLOT_SIZE, USER
from ntn_gym.envs.handover.packing import LINK, MEASURED_COLUMNS, Utility
from ntn_gym.envs.handover.rules import COLUMN, Carrier, Sync, table_index
from ntn_gym.envs.handover.state import State, since_entries, status_entries

if TYPE_CHECKING:
    from ntn_gym.envs.handover.task import HandoverTask

_RATE, _UTILITY, _SYNC = LINK["rate"], LINK["utility"], LINK["sync"]
_INTERRUPTION = LINK["interruption"]
_CODES = slice(LINK["sync"], LINK["pass"] + 1)
# Comparing an array with an IntEnum costs several times as much as with an int.
_EMPTY = int(Sync.EMPTY)
_MEASURED_ENTRIES = np.array([SLOT[name] for name in MEASURED_COLUMNS])
_N_TERMS = 3
# Numbers as arrays: for thirty users a Python number makes an operation take twice as long.
_ONE = np.array(1)
_PER_STATUS, _PER_SAME, _PER_SERVING = (np.array(table_index(*unit, 0)) for unit in np.eye(3, dtype=np.int64))
_ALL, _OLD, _NEW, _MEGA = np.array(1.0), np.array(0.8), np.array(0.2), np.array(1e-6)
_EVENT_KPIS = ("link_failure", "failed_handover", "lost_command", "illegal")


@lru_cache(maxsize=16)
def _starts(n: int, stride: int) -> NDArray[np.int64]:
    """Where each of n blocks of ``stride`` numbers begins."""
    starts = np.arange(0, n * stride, stride)
    starts.setflags(write=False)
    return starts


@dataclass(frozen=True)
class Effects:
    """What `rules.tabulate` says, sorted by what a step needs; rows as in `rules.table_index`.

    Attributes:
        integers: 1 if a handover happens; any link carries the data; the serving slot stays; the chosen one becomes the
            serving one; none serves afterwards; the time since the last handover goes on. Then the next protocol
            status. [7, rows].
        numbers: Reward terms service (0 here), handover, failure; KPIs as far as the rules decide them (the rates are 0
            here, and every handover is a ping-pong), [rows, ...].
        sources: 1 if the serving slot carries the data; 1 if the chosen one does: [2, rows].
    """

    integers: NDArray[np.int64]
    sources: NDArray[np.float64]
    numbers: NDArray[np.float64]


def effects_of(table: NDArray[np.float64]) -> Effects:
    """Sort the tabulated rules."""
    column = {name: table[:, index] for name, index in COLUMN.items()}
    none, carrier = np.zeros(len(table)), column["carrier"]
    keeps, takes = column["keeps_serving"], column["takes_target"]
    handover, failure = column["handover"], column["link_failure"] + column["failed_handover"]
    terms = [none, handover, failure]
    kpis = [none, none, carrier == Carrier.NONE, handover, handover, *(column[name] for name in _EVENT_KPIS)]
    sources = [carrier == Carrier.SERVING, carrier == Carrier.TARGET]
    integers = [handover, carrier != Carrier.NONE, keeps * (1 - takes), takes, (1 - keeps) * (1 - takes), 1 - takes]
    return Effects(
        integers=np.array([*integers, column["status"]]).astype(np.int64),
        sources=np.array(sources).astype(np.float64),
        numbers=np.stack([*terms, *kpis], axis=1).astype(np.float64),
    )


class ManyUsers:
    """Step and observation of any number of users in any number of worlds."""

    def __init__(self, task: HandoverTask) -> None:
        """Prepare the look-ups."""
        self._n_slots = task.n_slots
        self._n_users = np.array(task.n_agents, dtype=np.float32)
        self._several = task.n_agents > 1
        self._n_packed = task.n_slots * SLOT_SIZE
        self._ping_pong_steps = np.array(task.ping_pong_steps)
        self._effects = effects_of(task.table)
        self._status_entries = status_entries(task.rules)
        self._since_entries = since_entries(task.dt_s)
        utility = Utility(task.scenario)
        self._per_reference_rate = np.array(utility.per_reference_rate, dtype=np.float64)
        self._per_log = np.array(utility.per_log, dtype=np.float64)
        # Row s marks slot s; the last row, that of serving slot -1, marks none.
        self._is_slot = np.eye(task.n_slots + 1, task.n_slots, dtype=np.bool_)
        self._one_slot = self._is_slot.astype(np.float32)
        self._first_links = _starts(task.n_agents, task.n_slots)

    def step(self, state: State, action: NDArray[np.int64], now: Now) -> tuple[State, Outcome]:
        """Apply one choice per user, see `HandoverTask.step`."""
        serving, status, since, last_pass = state.serving, state.status, state.since, state.last_pass
        n_worlds, n_users = action.shape
        # The links to the serving and to the chosen slot, [columns, 2, B, U]: arithmetic likes columns contiguous.
        # Without a serving slot (-1) the first is the link of somebody else: then the table does not ask for it.
        rows = now.take("link", np.array((serving, action)) + self._first_links)
        pair = rows.transpose(3, 0, 1, 2).astype(np.float64, order="C")
        sync, passes = pair[_CODES].astype(np.int64)
        row = status * _PER_STATUS + (action == serving).astype(np.int64) * _PER_SAME + sync[0] * _PER_SERVING + sync[1]
        effects = self._effects
        handover, carried, keeps_serving, takes_target, no_serving, goes_on, next_status = effects.integers.take(
            row, axis=1
        )
        numbers = effects.numbers.take(row, axis=0)
        from_serving, from_target = effects.sources.take(row, axis=1)
        # Sums of products choose, because np.where takes three times as long as a product.
        new_serving = serving * keeps_serving + action * takes_target - no_serving

        attached = state.attached
        rate = pair[_RATE, 0] * from_serving + pair[_RATE, 1] * from_target
        if self._several:
            cell = new_serving if n_worlds == 1 else new_serving + _starts(n_worlds, self._n_slots)[:, None]
            count = np.bincount(cell[carried > 0], minlength=n_worlds * self._n_slots)
            attached = count.reshape(n_worlds, self._n_slots).astype(np.float32)
            rate /= np.maximum(count, _ONE).take(cell, mode="clip").astype(np.float64)
            utility = np.log1p(rate * self._per_reference_rate) * self._per_log
        else:
            utility = pair[_UTILITY, 0] * from_serving + pair[_UTILITY, 1] * from_target
        share = _ALL - pair[_INTERRUPTION, 1] * from_target
        service = utility * share
        not_back = passes[1] != last_pass
        not_back |= since > self._ping_pong_steps
        last_pass = last_pass + (passes[0] - last_pass) * handover

        users = np.array((new_serving, next_status, (since + _ONE) * goes_on, last_pass))
        terms, kpis = numbers[..., :_N_TERMS], numbers[..., _N_TERMS:]
        terms[..., 0] = service
        rate *= share
        rate *= _MEGA
        kpis[..., :2] = rate[..., None]
        np.copyto(kpis[..., 4], 0.0, where=not_back)
        if np.count_nonzero(sync[1]) <= (n_worlds - 1) * n_users:  # all users of a world may have chosen empty slots
            # Where no slot holds a pass there was nothing legal to choose.
            deserted = ~np.logical_or.reduce(now["link"][:, 0, :, _SYNC] > _EMPTY, axis=-1)
            kpis[deserted, :, -1] = 0.0
        average = state.average * _OLD + service * _NEW
        outcome = Outcome(terms, kpis, np.zeros(n_worlds, dtype=bool), numbers)
        return State(users.swapaxes(0, 1), average, attached), outcome

    def observe(self, state: State, now: Now) -> NDArray[np.float32]:
        """Complete the packed observations, see `HandoverTask.observe`."""
        result = now.copy("observation")
        slots = result[..., : self._n_packed].reshape(*state.average.shape, self._n_slots, SLOT_SIZE)
        valid = slots[..., SLOT["valid"]]
        serving = self._one_slot.take(state.serving, axis=0)
        # A slot that has just set stays all zero: the pass is gone, and only the user's own state tells of it.
        np.multiply(serving, valid, out=slots[..., SLOT["serving"]])
        if "measured" in now:
            measured = slots[..., _MEASURED_ENTRIES]
            np.copyto(measured, now["measured"], where=serving[..., None] > 0)
            slots[..., _MEASURED_ENTRIES] = measured
        if self._several:
            share = state.attached / self._n_users
            share *= valid[:, 0]  # all users of a world see the same passes
            slots[..., SLOT["attached"]] = share[:, None]

        user = result[..., self._n_packed :]
        user[:] = self._status_entries.take(state.status, axis=0)
        elapsed = self._since_entries.take(state.since, axis=0, mode="clip")
        user[..., USER["since_long"] : USER["since_short"] + 1] = elapsed
        user[..., USER["service_average"]] = state.average
        return result

    def action_mask(self, state: State, legal: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return what is legal, see `HandoverTask.action_mask`; ``legal`` is [B, 1, K] without the serving slots."""
        mask = self._is_slot.take(state.serving, axis=0)
        mask |= legal
        return mask
