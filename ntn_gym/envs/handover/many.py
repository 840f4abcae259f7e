"""Many users in many worlds: step and observation as array operations, the rules as look-ups."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import Now, Outcome
from ntn_gym.envs.handover.observation import SLOT, SLOT_SIZE, USER, USER_SIZE
from ntn_gym.envs.handover.packing import LINK, Utility
from ntn_gym.envs.handover.rules import COLUMN, Carrier, Sync, table_index
from ntn_gym.envs.handover.state import State, since_entries, status_entries

if TYPE_CHECKING:
    from ntn_gym.envs.handover.task import HandoverTask

_RATE, _UTILITY, _SYNC = LINK["rate"], LINK["utility"], LINK["sync"]
_INTERRUPTION, _PASS = LINK["interruption"], LINK["pass"]
# Comparing an array with an IntEnum costs several times as much as with an int.
_EMPTY = int(Sync.EMPTY)
# What a serving link tells of itself, as columns of the links and as entries of a slot in the same order.
_MEASURED = slice(LINK["sinr"], LINK["utility_measured"] + 1)
_MEASURED_ENTRIES = np.array([SLOT["sinr"], SLOT["age"], SLOT["utility"]])
_EVENT_KPIS = ("link_failure", "failed_handover", "lost_command", "illegal")


def occupied(now: Now) -> NDArray[np.bool_]:
    """Slots that hold a pass, [B, 1, K]: all users of a world share them, so that the first one tells."""
    return now["link"][:, :1, :, _SYNC] > _EMPTY


def deserted(held: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Worlds in which no slot holds a pass, seldom any; ``held`` is what `occupied` returns."""
    return (~np.logical_or.reduce(held[:, 0], axis=-1)).nonzero()[0]


@lru_cache(maxsize=16)
def _starts(n_worlds: int, n_users: int, stride: int) -> NDArray[np.int64]:
    """Where each user's block of ``stride`` numbers begins, [B, U]."""
    starts = np.arange(0, n_worlds * n_users * stride, stride).reshape(n_worlds, n_users)
    starts.setflags(write=False)
    return starts


@dataclass(frozen=True)
class Effects:
    """What `rules.tabulate` says, sorted by what a step needs; rows as in `rules.table_index`.

    Attributes:
        status: Next protocol status, [rows].
        flags: The serving slot stays; the chosen one becomes the serving one; the chosen one carries the data; any one
            does; a handover happens: [5, rows].
        terms: Reward terms service (0 here), handover, failure, [rows, 3].
        kpis: KPIs as far as the rules decide them, [rows, KPIs]: the rates and ping-pong are 0 here.
    """

    status: NDArray[np.int64]
    flags: NDArray[np.bool_]
    terms: NDArray[np.float64]
    kpis: NDArray[np.float64]


def effects_of(table: NDArray[np.float64]) -> Effects:
    """Sort the tabulated rules."""
    column = {name: table[:, index] for name, index in COLUMN.items()}
    none = np.zeros(len(table))
    on_target, outage = column["carrier"] == Carrier.TARGET, column["carrier"] == Carrier.NONE
    handover, failure = column["handover"], column["link_failure"] + column["failed_handover"]
    flags = [column["keeps_serving"], column["takes_target"], on_target, ~outage, handover]
    kpis = [none, none, outage, handover, none, *(column[name] for name in _EVENT_KPIS)]
    return Effects(
        status=column["status"].astype(np.int64),
        flags=np.array(flags) > 0,
        terms=np.stack([none, handover, failure], axis=1),
        kpis=np.stack(kpis, axis=1),
    )


class ManyUsers:
    """Step and observation of any number of users in any number of worlds."""

    def __init__(self, task: HandoverTask) -> None:
        """Prepare the look-ups."""
        self._n_slots = task.n_slots
        self._several = task.n_agents > 1
        self._n_packed = task.n_slots * SLOT_SIZE
        self._ping_pong_steps = task.ping_pong_steps
        self._effects = effects_of(task.table)
        self._status_entries = status_entries(task.rules)
        self._since_entries = since_entries(task.dt_s)
        self._utility = Utility(task.scenario)

    def step(self, state: State, action: NDArray[np.int64], now: Now) -> tuple[State, Outcome]:
        """Apply one choice per user, see `HandoverTask.step`."""
        serving, since, last_pass = state.serving, state.since, state.last_pass
        n_worlds, n_users = action.shape
        # The links to the serving and to the chosen slot, [columns, 2, B, U]: arithmetic likes columns contiguous.
        # Without a serving slot (-1) the first is the link of somebody else: then the table does not ask for it.
        index = np.array((serving, action))
        index += _starts(n_worlds, n_users, self._n_slots)
        links = now["link"]
        pair = links.reshape(-1, links.shape[-1]).take(index, axis=0).transpose(3, 0, 1, 2).copy()
        sync, passes = pair[_SYNC].astype(np.int64), pair[_PASS].astype(np.int64)
        effects, row = self._effects, table_index(state.status, action == serving, sync[0], sync[1])
        keeps_serving, takes_target, on_target, carried, handover = effects.flags.take(row, axis=1)
        new_serving = np.where(takes_target, action, np.where(keeps_serving, serving, -1))

        attached = state.attached
        rate = np.where(on_target, pair[_RATE, 1], pair[_RATE, 0]) * carried
        if self._several:
            cell = _starts(n_worlds, 1, self._n_slots) + new_serving
            count = np.bincount(cell[carried], minlength=n_worlds * self._n_slots).astype(np.float32)
            attached = count.reshape(n_worlds, self._n_slots)
            rate /= np.maximum(count.take(cell, mode="clip"), np.float32(1))
            utility = self._utility.of_rate(rate)
        else:
            utility = np.where(on_target, pair[_UTILITY, 1], pair[_UTILITY, 0]) * carried
        share = 1.0 - (pair[_INTERRUPTION, 1] * on_target).astype(np.float64)
        service = utility.astype(np.float64) * share

        users = np.empty_like(state.users)
        users[:, 0] = new_serving
        users[:, 1] = effects.status.take(row)
        np.multiply(since + 1, ~takes_target, out=users[:, 2])
        users[:, 3] = np.where(handover, passes[0], last_pass)
        terms = effects.terms.take(row, axis=0)
        terms[..., 0] = service
        kpis = effects.kpis.take(row, axis=0)
        rate_mbit_s = rate.astype(np.float64) * share * 1e-6
        kpis[..., 0] = rate_mbit_s
        kpis[..., 1] = rate_mbit_s
        kpis[..., 4] = handover & (passes[1] == last_pass) & (since <= self._ping_pong_steps)
        if np.count_nonzero(np.logical_or.reduce(sync[1], axis=1)) < n_worlds:  # all users of a world chose empty slots
            # Where no slot holds a pass there was nothing legal to choose.
            kpis[deserted(occupied(now)), :, -1] = 0.0
        new_state = State(users, state.average * 0.8 + service * 0.2, attached)
        return new_state, Outcome(terms, kpis, np.zeros(n_worlds, dtype=bool))

    def observe(self, state: State, now: Now) -> NDArray[np.float32]:
        """Complete the packed features, see `HandoverTask.observe`."""
        serving, n_packed = state.serving, self._n_packed
        shape = serving.shape
        size = n_packed + USER_SIZE
        result = np.empty((*shape, size), dtype=np.float32)
        result[..., :n_packed] = now["features"].reshape(*shape, n_packed)

        links = now["link"]
        link = links.reshape(-1, links.shape[-1]).take(_starts(*shape, self._n_slots) + serving, axis=0)
        # A slot that has just set stays all zero: the pass is gone, and only the user's own state tells of it.
        alive = (serving >= 0) & (link[..., _SYNC] > _EMPTY)
        number = alive.ravel().nonzero()[0]
        slot = (_starts(*shape, size) + serving * SLOT_SIZE).take(number)
        flat = result.reshape(-1)
        flat[slot + SLOT["serving"]] = 1.0
        flat[slot[:, None] + _MEASURED_ENTRIES] = link.reshape(-1, link.shape[-1]).take(number, axis=0)[:, _MEASURED]
        if self._several:
            slots = result[..., :n_packed].reshape(*shape, self._n_slots, SLOT_SIZE)
            share = state.attached / np.float32(shape[1]) * slots[:, 0, :, SLOT["valid"]]
            slots[..., SLOT["attached"]] = share[:, None]

        user = result[..., n_packed:]
        user[:] = self._status_entries.take(state.status, axis=0)
        elapsed = self._since_entries.take(state.since, axis=0, mode="clip")
        user[..., USER["since_long"] : USER["since_short"] + 1] = elapsed
        user[..., USER["service_average"]] = state.average
        return result
