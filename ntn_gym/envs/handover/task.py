"""The decision problem: which slot serves each user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ntn_gym.core.slots import SlotLayout
from ntn_gym.core.task import Arrays, KpiSpec, Now, Outcome, TermSpec
from ntn_gym.envs.handover.observation import (
    SINCE_LONG_S,
    SINCE_SHORT_S,
    SLOT,
    SLOT_SIZE,
    USER,
    USER_SIZE,
    bounds,
    observation_size,
)
from ntn_gym.envs.handover.packing import LINK, Memory, Packer, Utility
from ntn_gym.envs.handover.rules import EVENTS, Carrier, Rules, Sync, table_index, tabulate
from ntn_gym.envs.handover.scenario import Scenario
from ntn_gym.envs.handover.world import HandoverWorld

PING_PONG_S = 5.0
"""A handover back to the previous pass within this time is a ping-pong (3GPP TR 36.839 clause 5.1.3)."""


@dataclass(frozen=True)
class State:
    """State of B worlds with U users; arrays [B, U] unless said otherwise.

    Attributes:
        serving: Serving slot, -1 without one.
        status: Protocol status, see `rules`.
        since: Steps since the last handover or connection.
        last_pass: Pass that served before the present one, -1 without one.
        average: Running average of the service utility.
        attached: Users that each slot carried in the last step, [B, K].
    """

    serving: NDArray[np.int64]
    status: NDArray[np.int64]
    since: NDArray[np.int64]
    last_pass: NDArray[np.float32]
    average: NDArray[np.float32]
    attached: NDArray[np.float32]


class HandoverTask:
    """PAGE"""

    agent_name = "user"

    def __init__(self, scenario: Scenario) -> None:
        """Prepare a scenario; worlds are drawn by `make_world`."""
        self.scenario = scenario
        self.n_agents = scenario.users.count
        self.n_slots = scenario.slots.count
        self.episode_steps = scenario.steps
        self.dt_s = scenario.dt_s
        low, high = bounds(self.n_slots)
        self.agent_action_space = spaces.Discrete(self.n_slots)
        self.agent_observation_space = spaces.Box(low, high, dtype=np.float32)
        self.slot_layout = SlotLayout(self.n_slots, SLOT_SIZE, USER_SIZE, SLOT["valid"], SLOT["serving"])
        self.rules = Rules(
            scenario.t310_steps, scenario.reestablishment_steps, scenario.protocol.needs_serving_link
        )
        self.table = tabulate(self.rules)
        prices = scenario.reward
        self.reward_terms = (
            TermSpec("service", "utility", 1.0, "utility of the rate, less the interruption"),
            TermSpec("handover", "count", -prices.handover_utility_s / scenario.dt_s, "handovers"),
            TermSpec(
                "failure",
                "count",
                -prices.failure_utility_s / scenario.dt_s,
                "radio link and handover failures",
            ),
        )
        self.kpis = (
            KpiSpec("rate_mbit_s", "Mbit/s", "mean", "higher", "rate of a user"),
            KpiSpec(
                "rate_p5_mbit_s", "Mbit/s", "p5", "higher", "5th percentile of the rate over users and steps"
            ),
            KpiSpec("outage", "share", "mean", "lower", "share of time without service"),
            KpiSpec("handovers", "1/min", "per_minute", "lower", "handovers"),
            KpiSpec("ping_pongs", "1/min", "per_minute", "lower", "handovers back within 5 s"),
            KpiSpec("link_failures", "1/min", "per_minute", "lower", "radio link failures"),
            KpiSpec("failed_handovers", "1/min", "per_minute", "lower", "handovers into a dead link"),
            KpiSpec("lost_commands", "1/min", "per_minute", "lower", "handover commands lost on a dead link"),
            KpiSpec("illegal_actions", "1/min", "per_minute", "lower", "choices of an empty slot"),
        )
        self._packer = Packer(scenario)
        self._utility = Utility(scenario)

    # ------------------------------------------------------------------ world

    def make_world(self) -> HandoverWorld:
        """Return the generator of traces for this scenario."""
        return HandoverWorld(self.scenario)

    def compile(self, carry: Memory | None, raw: Arrays) -> tuple[Memory, Arrays]:
        """Pack a raw trace, see `packing`."""
        return self._packer.compile(carry, raw)

    # ------------------------------------------------------------------ decisions

    def initial(self, now: Now) -> State:
        """Every user is idle."""
        shape = (len(now.rows), self.n_agents)
        return State(
            serving=np.full(shape, -1, dtype=np.int64),
            status=np.full(shape, self.rules.idle, dtype=np.int64),
            since=np.full(shape, 10**6, dtype=np.int64),
            last_pass=np.full(shape, -1, dtype=np.float32),
            average=np.zeros(shape, dtype=np.float32),
            attached=np.zeros((shape[0], self.n_slots), dtype=np.float32),
        )

    def step(self, state: State, action: NDArray[Any], now: Now) -> tuple[State, Outcome]:
        """Apply one choice per user; see `rules.transition` for what it does."""
        links = now["link"]
        shape = action.shape
        flat = links.reshape(-1, links.shape[-1])
        first = np.arange(0, action.size * self.n_slots, self.n_slots).reshape(shape)
        serving_link = flat.take(first + np.maximum(state.serving, 0), axis=0)
        target_link = flat.take(first + action, axis=0)
        row = table_index(
            state.status,
            action == state.serving,
            serving_link[..., LINK["sync"]].astype(np.int64),
            target_link[..., LINK["sync"]].astype(np.int64),
        )
        carrier = self.table.carrier.take(row)
        takes_target = self.table.takes_target.take(row)
        events = self.table.events.take(row, axis=0)
        serving = np.where(
            takes_target, action, np.where(self.table.keeps_serving.take(row), state.serving, -1)
        )

        on_target = carrier == Carrier.TARGET
        carried = carrier != Carrier.NONE
        data_link = np.where(on_target[..., None], target_link, serving_link)
        attached = state.attached
        if self.n_agents == 1:
            rate = data_link[..., LINK["rate"]] * carried
            utility = data_link[..., LINK["utility"]] * carried
        else:
            slot = np.where(carried, serving, -1)
            one_hot = slot[..., None] == np.arange(self.n_slots)
            attached = one_hot.sum(axis=1, dtype=np.float32)
            shared_by = np.take_along_axis(attached, np.maximum(slot, 0), axis=1)
            rate = data_link[..., LINK["rate"]] * carried / np.maximum(shared_by, 1)
            utility = self._utility.of_rate(rate)
        share = 1.0 - target_link[..., LINK["interruption"]] * on_target
        service = utility * share

        new_pass = target_link[..., LINK["pass"]]
        old_pass = serving_link[..., LINK["pass"]]
        handover = events[..., 0] > 0
        ping_pong = handover & (new_pass == state.last_pass) & (state.since * self.dt_s <= PING_PONG_S)
        new_state = State(
            serving=serving,
            status=self.table.status.take(row),
            since=np.where(takes_target, 0, state.since + 1),
            last_pass=np.where(handover, old_pass, state.last_pass),
            average=state.average * np.float32(0.8) + service * np.float32(0.2),
            attached=attached,
        )
        failure = events[..., _LINK_FAILURE] + events[..., _FAILED_HANDOVER]
        terms = np.empty((*shape, 3))
        terms[..., 0] = service
        terms[..., 1] = events[..., 0]
        terms[..., 2] = failure
        rate_mbit_s = rate * share * 1e-6
        kpis = np.empty((*shape, len(self.kpis)))
        kpis[..., 0] = rate_mbit_s
        kpis[..., 1] = rate_mbit_s
        kpis[..., 2] = ~carried
        kpis[..., 3] = events[..., 0]
        kpis[..., 4] = ping_pong
        kpis[..., 5:] = events[..., 2:]
        return new_state, Outcome(terms, kpis, np.zeros(shape[0], dtype=bool))

    def observe(self, state: State, now: Now) -> NDArray[np.float32]:
        """Complete the packed features by what depends on decisions."""
        features = now["features"]
        shape = state.serving.shape
        size = observation_size(self.n_slots)
        n_packed = self.n_slots * SLOT_SIZE
        result = np.empty((*shape, size), dtype=np.float32)
        result[..., :n_packed] = features.reshape(*shape, n_packed)
        connected = state.serving >= 0
        links = now["link"]
        number = np.flatnonzero(connected)
        slot = state.serving.ravel()[number]
        link = links.reshape(-1, links.shape[-1]).take(number * self.n_slots + slot, axis=0)
        start = number * size + slot * SLOT_SIZE
        flat = result.reshape(-1)
        # A slot that has just set stays all zero: the pass is gone, and only the user's own state tells of it.
        alive = link[:, LINK["sync"]] > Sync.EMPTY
        flat[start + SLOT["serving"]] = alive
        flat[start + SLOT["sinr"]] = link[:, LINK["sinr"]] * alive
        flat[start + SLOT["age"]] = link[:, LINK["age"]] * alive
        flat[start + SLOT["utility"]] = link[:, LINK["utility_measured"]] * alive
        if self.n_agents > 1:
            slots = result[..., :n_packed].reshape(*shape, self.n_slots, SLOT_SIZE)
            slots[..., SLOT["attached"]] = (state.attached / self.n_agents)[:, None] * slots[
                ..., SLOT["valid"]
            ]
        user = result[..., n_packed:]
        rules = self.rules
        waiting = state.status - rules.idle
        user[..., USER["connected"]] = connected
        user[..., USER["reestablishing"]] = np.maximum(waiting, 0) / rules.reestablishment_steps
        user[..., USER["t310"]] = np.where(waiting < 0, state.status, 0) / rules.t310_steps
        elapsed_s = state.since * self.dt_s
        user[..., USER["since_long"]] = np.minimum(elapsed_s / SINCE_LONG_S, 1.0)
        user[..., USER["since_short"]] = np.minimum(elapsed_s / SINCE_SHORT_S, 1.0)
        user[..., USER["service_average"]] = state.average
        user[..., USER["idle"]] = waiting == 0
        return result

    def action_mask(self, state: State, now: Now) -> NDArray[np.bool_]:
        """Slots that hold a pass are legal, and so is naming the serving slot; if there is none, all are.

        Whether a command will be heard or a target is blocked is not known at the time of the decision, so it is not
        in the mask.
        """
        mask = now["link"][..., LINK["sync"]] > Sync.EMPTY
        slots = np.arange(self.n_slots)
        mask = mask | (state.serving[..., None] == slots)
        return mask | ~mask.any(axis=-1, keepdims=True)


_LINK_FAILURE = EVENTS.index("link_failure")
_FAILED_HANDOVER = EVENTS.index("failed_handover")
