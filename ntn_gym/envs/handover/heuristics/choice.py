"""What all rules share: reading the observation, choosing a slot, and timers that forget when they must.

A rule sees what an agent sees, nothing else. Everything is batched over worlds B and users U; arrays over slots are
[B, U, K], arrays over users [B, U].

Common behaviour of all rules: a served user stays (names its serving slot) unless the rule finds an eligible slot; a
user without a serving slot names the legal slot with the best score. A slot is legal if it holds a pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from ntn_gym.core import coin
from ntn_gym.core.heuristic import HeuristicSpec
from ntn_gym.core.policy import Policy
from ntn_gym.core.scenario import parse
from ntn_gym.envs.handover.observation import View
from ntn_gym.envs.handover.scenario import Scenario

Floats = NDArray[Any]
Mask = NDArray[np.bool_]


class Parameters(BaseModel):
    """Parameters of a rule, validated when the rule is built."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def specify(
    name: str,
    rule: Callable[[Scenario, Any], Policy],
    parameters: type[Parameters],
    grid: Mapping[str, Sequence[Any]],
    family: Literal["single", "composite", "forecast"],
    description: str,
    source: str,
) -> dict[str, HeuristicSpec]:
    """Describe a rule for the table of heuristics; its factory validates parameters by name, range and unit."""

    def factory(task: Any, params: Mapping[str, Any]) -> Policy:
        return rule(task.scenario, parse(parameters, params, f"parameters of heuristic {name!r}"))

    return {name: HeuristicSpec(factory, grid, family, description, source)}


@dataclass(frozen=True)
class Situation:
    """One decision of B worlds and U users.

    Attributes:
        view: The observation in engineering units.
        restarted: Worlds in which an episode begins, [B].
        legal: Slots that hold a pass and may be named.
        serving: The serving slot, as a mask; none where its pass has just set.
        served: Whether there is one.
        current: The serving slot, -1 without one.
        nowhere: Slot to name where nothing is legal.
        gone: Users whose serving pass has just set and who cannot leave any more, see `choose`.
        dt_s: Length of a step.
    """

    view: View
    restarted: Mask
    legal: Mask
    serving: Mask
    served: Mask
    current: NDArray[np.intp]
    nowhere: NDArray[np.intp]
    gone: Mask
    dt_s: float

    @property
    def others(self) -> Mask:
        """Legal slots of served users that do not serve: where a handover could go."""
        return self.legal & ~self.serving & self.served[..., None]

    def of_serving(self, values: Floats) -> Floats:
        """Values [B, U, K] at the serving slot, [B, U, 1]; 0 without one."""
        return np.asarray(np.where(self.serving, values, 0).sum(axis=-1, keepdims=True))

    @property
    def last_chance(self) -> Mask:
        """The serving pass is predicted to have set in the next step, [B, U, 1]."""
        remaining = self.of_serving(self.view.remaining_s)
        return self.served[..., None] & (remaining <= 1.001 * self.dt_s)


def look(scenario: Scenario, observation: NDArray[np.float32], mask: Mask | None, restarted: Mask) -> Situation:
    """Read an observation [B, U, obs] and a mask of legal actions [B, U, K]."""
    view = View(observation, scenario.remaining_horizon_s)
    legal = view.valid if mask is None else view.valid & mask
    serving = view.serving & view.valid
    served = np.asarray(serving.any(axis=-1))
    current = np.where(served, np.argmax(serving, axis=-1), -1)
    # The mask also allows to name a serving slot whose pass has set: the only legal slot that is empty.
    left = np.zeros_like(legal) if mask is None else mask & ~view.valid
    gone = view.connected & ~served & left.any(axis=-1)
    gone &= scenario.protocol.needs_serving_link
    nowhere = np.argmax(left, axis=-1)
    return Situation(view, restarted, legal, serving, served, current, nowhere, gone, scenario.dt_s)


def choose(situation: Situation, eligible: Mask, score: Floats, idle_score: Floats | None = None) -> NDArray[np.intp]:
    """Go to the eligible slot with the best score, else stay; without a serving slot connect to the best legal one.

    A user whose serving pass has just set goes on naming it where leaving needs a living link: the failure is certain,
    and a command that nobody hears would only be counted as lost.

    Args:
        situation: What is known.
        eligible: Slots to which a handover is wanted; only those in ``situation.others`` count.
        score: Score of handover targets, [B, U, K].
        idle_score: Score for users without a serving slot; None uses ``score``.

    Returns:
        Actions [B, U].
    """
    wanted = eligible & situation.others
    target = np.argmax(np.where(wanted, score, -np.inf), axis=-1)
    served_choice = np.where(wanted.any(axis=-1), target, situation.current)
    first = np.argmax(np.where(situation.legal, score if idle_score is None else idle_score, -np.inf), axis=-1)
    idle_choice = np.where(situation.legal.any(axis=-1) & ~situation.gone, first, situation.nowhere)
    return np.where(situation.served, served_choice, idle_choice)


def best_good(situation: Situation, good: Mask, score: Floats, otherwise: Floats) -> Floats:
    """Score of an idle user: ``score`` among the good legal slots; where there is none, ``otherwise`` among all."""
    some = (good & situation.legal).any(axis=-1, keepdims=True)
    return np.where(some, np.where(good, score, -np.inf), otherwise)


def rescue(situation: Situation, eligible: Mask, score: Floats) -> tuple[Mask, Floats]:
    """In the last step before the serving pass sets, leave to the strongest longer pass if nothing is eligible.

    Ephemeris tells every node when the pass sets; staying would be a certain radio link failure.
    """
    stranded = situation.last_chance & ~(eligible & situation.others).any(axis=-1, keepdims=True)
    longer = situation.view.remaining_s > 1.001 * situation.dt_s
    return np.where(stranded, longer, eligible), np.where(stranded, situation.view.sinr_db, score)


class HoldTimer:
    """For how many steps in a row a condition has held, per slot (time-to-trigger).

    It is cleared where an episode begins, where the serving slot changes (the condition compares with it) and, because
    a condition on an empty slot is false, where a pass sets.
    """

    def __init__(self) -> None:
        self._steps: NDArray[np.int32] | None = None
        self._current: NDArray[np.intp] | None = None

    def held(self, situation: Situation, condition: Mask) -> NDArray[np.int32]:
        """Count this step and return the steps [B, U, K] for which the condition has held, this one included."""
        if self._steps is None or self._current is None:
            steps = np.zeros(condition.shape, dtype=np.int32)
        else:
            cleared = situation.restarted[:, None] | (self._current != situation.current)
            steps = np.where(cleared[..., None], np.int32(0), self._steps)
        self._steps = np.where(condition & situation.legal, steps + np.int32(1), np.int32(0))
        self._current = situation.current
        return self._steps


class NewPass:
    """Tells slots whose pass was not there in the step before, [B, U, K]: their memory must be forgotten."""

    def __init__(self) -> None:
        self._valid: Mask | None = None

    def update(self, situation: Situation) -> Mask:
        """Count this step and return the fresh slots; empty ones are not fresh."""
        valid = situation.view.valid
        if self._valid is None:
            fresh = valid.copy()
        else:
            fresh = valid & (~self._valid | situation.restarted[:, None, None])
        self._valid = valid
        return fresh


def arbitrary(situation: Situation) -> NDArray[np.float32]:
    """Coins in [0, 1) per slot, [B, U, K], see `ntn_gym.core.coin`."""
    return coin.arbitrary(situation.view.observation, situation.view.n_slots)
