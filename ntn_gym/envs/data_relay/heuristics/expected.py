"""Rules that compare expected arrivals: contact-graph routing, and expected value by belief.

Wait and gain in the observation are expectations from ephemeris, climatology, the sky now and the forecast; see
`outlook`.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.optimize import linear_sum_assignment

from ntn_gym.envs.data_relay.heuristics.choice import (
    Floats,
    Mask,
    NoParameters,
    Parameters,
    Situation,
    look,
    name_best,
    specify,
)
from ntn_gym.envs.data_relay.heuristics.contact import residual_bits
from ntn_gym.envs.data_relay.observation import WAIT_S
from ntn_gym.envs.data_relay.scenario import Scenario

_FAR_S = np.float32(10 * WAIT_S)


def transfer_s(s: Situation) -> Floats:
    """Return acquisition and transfer time of what is on board, [B, S, K]."""
    rate = np.maximum(s.rate_bit_s, np.float32(1.0))
    return s.acquisition_s + s.view.queue_bits[..., None] / rate


class ContactGraph:
    """Earliest arrival over the contact plan, without weather: HAGS and ground always talk.

    For every receiver that takes bits now: arrival = acquisition + transfer time, and the whole queue must fit into the
    contact; if it fits nowhere the largest volume is taken, and the rest goes another way (contact splitting).
    """

    def __init__(self, scenario: Scenario, parameters: NoParameters) -> None:
        """Keep the scenario."""
        self._scenario = scenario

    def reset(self, n_worlds: int) -> None:
        """Nothing is remembered."""

    def act(self, observation: NDArray[np.float32], mask: Mask | None, restarted: Mask) -> NDArray[np.intp]:
        """Name the receiver over which the data arrives first."""
        s = look(self._scenario, observation)
        duration_s = transfer_s(s)
        fits = duration_s <= s.view.remaining_s
        volume_s = s.view.volume_bits / np.maximum(s.rate_bit_s, np.float32(1.0))
        score = np.where(fits, np.float32(1e6) - duration_s, np.minimum(volume_s, np.float32(1e5)))
        return name_best(np.where(s.usable & s.has_data, np.maximum(score, np.float32(1e-3)), 0))


class PlanParameters(Parameters):
    """Parameters of `WeatherPlan`."""

    margin_s: float = Field(0.0, ge=0, le=36_000, description="Waiting must arrive earlier by this time.")


class WeatherPlan:
    """Earliest arrival over the contact plan with the forecast as weather plan.

    Contacts are cut by the clouds that the forecast shows. Over a HAGS data arrives when the forecast calls its station
    clear, by waiting at the first instant in a coming pass (or at a HAGS after one) that it calls clear.
    """

    def __init__(self, scenario: Scenario, parameters: PlanParameters) -> None:
        """Keep the parameters."""
        self._scenario, self._margin_s = scenario, np.float32(parameters.margin_s)

    def reset(self, n_worlds: int) -> None:
        """Nothing is remembered."""

    def act(self, observation: NDArray[np.float32], mask: Mask | None, restarted: Mask) -> NDArray[np.intp]:
        """Name the receiver over which the data arrives first, or wait."""
        s = look(self._scenario, observation)
        arrival_s = transfer_s(s) + s.view.slot("plan") * np.float32(WAIT_S)
        decline_s = s.view.user("decline_plan")[..., None] * np.float32(WAIT_S)
        good = s.usable & s.has_data & (arrival_s <= decline_s + transfer_s(s) + self._margin_s)
        return name_best(np.where(good, _FAR_S - arrival_s, 0))


class BeliefParameters(Parameters):
    """Parameters of `Belief`."""

    wait_weight: float = Field(1.0, ge=0, le=5, description="ks: weight of the expected wait in a buffer.")
    decline_weight: float = Field(1.0, ge=0, le=10, description="kw: weight of the expected wait on board.")
    queue_h: float = Field(2.0, ge=0, le=20, description="b: worth of a slot for each 4 Tbit on board, in hours.")
    horizon_min: float = Field(3.0, ge=0.5, le=60, description="hz: contacts count up to this length.")
    turn_min: float = Field(1.0, ge=0, le=10, description="Length that a turned terminal must win.")
    order: Literal["urgent_first", "store_routine"] = Field(
        "urgent_first", description="What goes into a buffer above clouds first, where there are urgent files."
    )


class Belief:
    """Highest expected value (kw decline + b queue/4 Tbit - ks wait) min(volume/rate, hz); wait if none is positive.

    Contact-graph routing in expectation: ``decline`` is the expected delay if the present passes are left, ``wait``
    that in the buffer (0 on the ground); both know the forecast as far as its skill goes. A neighbour counts by its
    own expected wait, without the bonus for the queue, because the bits stay in orbit.
    """

    def __init__(self, scenario: Scenario, parameters: BeliefParameters) -> None:
        """Keep the parameters."""
        self._scenario, self._p = scenario, parameters

    def reset(self, n_worlds: int) -> None:
        """Nothing is remembered."""

    def values(self, s: Situation) -> Floats:
        """Score of every slot, [B, S, K]."""
        p = self._p
        queue_h = np.float32(p.queue_h) * s.view.queue_bits[..., None] * np.float32(1 / 4e12)
        gain_h = np.float32(p.decline_weight / 3600) * s.view.decline_s[..., None]
        gain_h = gain_h - np.float32(p.wait_weight / 3600) * s.view.wait_s + queue_h * s.ground
        # What can still be sent, as time at the full rate.
        useful_s = residual_bits(s) * np.float32(1 / self._scenario.links.model.rate_bit_s)
        lasting = np.minimum(useful_s, np.float32(60 * p.horizon_min))
        lasting = lasting + np.float32(60 * p.turn_min) * s.pointed
        neighbour = s.valid & s.view.flag("neighbour") & (~s.view.flag("taken") | s.pointed)
        open_slot = s.usable | (neighbour & ~s.view.flag("routine_first"))
        return np.where(open_slot & s.has_data, gain_h * lasting, 0)

    def routine_first(self, s: Situation) -> Mask | None:
        """Where routine data goes first: into buffers above clouds, if the parameter says so."""
        if self._scenario.n_classes == 1 or self._p.order == "urgent_first":
            return None
        return s.stores

    def act(self, observation: NDArray[np.float32], mask: Mask | None, restarted: Mask) -> NDArray[np.intp]:
        """Name the slot of the highest expected value, or wait."""
        s = look(self._scenario, observation)
        return name_best(self.values(s), self.routine_first(s))


class BeliefAssign(Belief):
    """As `Belief`, but satellites that want one receiver are assigned together.

    Score times queue is the weight of an assignment of satellites to receivers (Hungarian algorithm).
    """

    def act(self, observation: NDArray[np.float32], mask: Mask | None, restarted: Mask) -> NDArray[np.intp]:
        """Assign receivers where several satellites want one."""
        s = look(self._scenario, observation)
        score = self.values(s)
        action = name_best(score, self.routine_first(s))
        if observation.shape[1] == 1:
            return action
        count = self._scenario.n_stations + self._scenario.satellites.count
        receiver = np.rint(s.view.receiver * np.float32(count)).astype(np.intp) - 1
        n_slots = score.shape[-1]
        chosen = np.take_along_axis(receiver, np.minimum(action, n_slots - 1)[..., None], 2)
        wanted = np.where(action < n_slots, chosen[..., 0], -1)
        same = (wanted[:, :, None] == wanted[:, None, :]) & (wanted >= 0)[:, :, None]
        clash = same.sum(axis=(1, 2)) > (wanted >= 0).sum(axis=1)
        shift = self.routine_first(s)
        for world in np.flatnonzero(clash).tolist():
            action[world] = self._assigned(
                score[world], receiver[world], s.view.queue_bits[world], count, None if shift is None else shift[world]
            )
        return action

    def _assigned(
        self, score: Floats, receiver: NDArray[np.intp], queue: Floats, count: int, shift: Mask | None
    ) -> NDArray[np.intp]:
        """Actions of one world, [S]."""
        n_satellites, n_slots = score.shape
        weight = np.zeros((n_satellites, count))
        slot_of = np.full((n_satellites, count), n_slots, dtype=np.intp)
        rows, slots = np.nonzero(score > 0)
        weight[rows, receiver[rows, slots]] = score[rows, slots] * queue[rows]
        slot_of[rows, receiver[rows, slots]] = slots
        row, column = linear_sum_assignment(weight, maximize=True)
        result = np.full(n_satellites, n_slots, dtype=np.intp)
        slot = slot_of[row, column]
        if shift is not None:
            moved = shift[row, np.minimum(slot, n_slots - 1)] & (slot < n_slots)
            slot = slot + moved * (n_slots // 2)
        result[row] = slot
        return result


_BELIEF_GRID = {
    "wait_weight": (0.2, 0.5, 1.0, 1.5, 2.0, 3.0),
    "decline_weight": (0.5, 1.0, 2.0, 4.0),
    "queue_h": (0.0, 0.5, 1.0, 2.0, 5.0, 10.0),
    "horizon_min": (1.0, 3.0, 8.0, 15.0),
    "turn_min": (0.5, 1.0, 2.0, 5.0),
    "order": ("urgent_first", "store_routine"),
}

SPECS = {
    **specify(
        "cgr",
        ContactGraph,
        NoParameters,
        {},
        "single",
        "Contact-graph routing, earliest arrival, without weather.",
        "Fraire, De Jonckere, Burleigh, J. Network and Computer Applications 174, 2021",
    ),
    **specify(
        "cgr_forecast",
        WeatherPlan,
        PlanParameters,
        {"margin_s": (0.0, 600.0, 1800.0, 3600.0, 7200.0, 14_400.0, 28_800.0)},
        "forecast",
        "Contact-graph routing with the forecast as weather plan.",
        "Madoery et al., arXiv:2403.15659, section III (weather plan)",
    ),
    **specify(
        "belief",
        Belief,
        BeliefParameters,
        _BELIEF_GRID,
        "forecast",
        "Highest expected value of a slot by belief about the sky, or wait.",
        "Defined here: contact-graph routing in expectation",
    ),
    **specify(
        "belief_assign",
        BeliefAssign,
        BeliefParameters,
        _BELIEF_GRID,
        "forecast",
        "The same, with receivers assigned to satellites together.",
        "H. W. Kuhn, Naval Research Logistics Quarterly 2, 1955, on the values of belief",
    ),
}
