"""The contract between a decision problem and everything that runs it.

The world draws an exogenous *trace*, many steps at once (`World`). The task applies an action to one slice of
it (`Task`). Neither knows about Gymnasium, PettingZoo or Stable-Baselines3.

Axes used everywhere: ``B`` worlds, ``A`` agents, ``T`` time steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Literal, Protocol

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ntn_gym.core.seeding import WorldKey

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One named array of a trace: its shape per time step, type, unit and legal range."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    unit: str
    low: float
    high: float
    description: str


@dataclass(frozen=True, slots=True)
class TermSpec:
    """One term of the reward, in an engineering unit, and its weight in the scalar reward."""

    name: str
    unit: str
    weight: float
    description: str


@dataclass(frozen=True, slots=True)
class KpiSpec:
    """One key performance indicator, reported on every step for every agent.

    ``reduction`` says how an episode is summarised over its steps and agents: the mean, the sum, the rate per
    agent and minute, the 5th or 95th percentile over all (step, agent) pairs, or the largest value.

    ``per`` names another KPI that counts things (calls offered, tasks finished). A step then reports the total
    over the things it counted: the mean is the sum of totals over the sum of counts, and percentiles and the
    largest value are over the pairs that counted something, of total over count. An episode in which nothing
    was counted has 0.
    """

    name: str
    unit: str
    reduction: Literal["mean", "sum", "per_minute", "p5", "p95", "max"]
    better: Literal["higher", "lower", "neither"]
    description: str
    per: str = ""

    def __post_init__(self) -> None:
        if self.per and self.reduction in ("sum", "per_minute"):
            raise ValueError(
                f"KPI {self.name!r}: per = {self.per!r} makes no sense with reduction = {self.reduction!r}"
            )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one step gave: reward terms [B, A, n_terms], KPIs [B, A, n_kpis], terminated [B].

    ``side_by_side`` may hold the reward terms and KPIs as one array, [B, A, n_terms + n_kpis], of which they are views:
    then one pass averages both.
    """

    reward_terms: NDArray[np.float64]
    kpis: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    side_by_side: NDArray[np.float64] | None = None


class Now:
    """The slice of the trace that is current for each world of a batch.

    ``now["name"]`` has shape [B, ...]. It may be a view of the trace: read it, never write to it.
    """

    __slots__ = ("_arrays", "_gathered", "_index", "rows")

    def __init__(self, arrays: Arrays, rows: NDArray[np.intp], steps: NDArray[np.intp]) -> None:
        """Point at one time step per world.

        Args:
            arrays: Trace arrays [rows, T, ...].
            rows: Row of each world, [B].
            steps: Time index of each world within the arrays, [B].
        """
        self._arrays = arrays
        self._gathered: Arrays = {}
        self.rows = rows
        # A slice is several times cheaper than fancy indexing, and one world is what gym.make() makes.
        if len(rows) == 1:
            row = int(rows[0])
            self._index: Any = (slice(row, row + 1), int(steps[0]))
        else:
            self._index = (rows, steps)

    def __getitem__(self, name: str) -> NDArray[Any]:
        # observe, action_mask and step of one time step share the gather.
        gathered = self._gathered.get(name)
        if gathered is None:
            gathered = self._gathered[name] = self._arrays[name][self._index]
        return gathered

    def __contains__(self, name: str) -> bool:
        return name in self._arrays

    def copy(self, name: str) -> NDArray[Any]:
        """Return ``now[name]`` as an array that the caller may change and keep."""
        gathered = self._arrays[name][self._index]
        # What was gathered by fancy indexing is a copy already.
        owned: NDArray[Any] = gathered.copy() if len(self.rows) == 1 else gathered
        return owned

    def take(self, name: str, entries: NDArray[np.intp]) -> NDArray[Any]:
        """Return some rows of ``now[name]`` without gathering the others.

        Args:
            name: An array of the trace, [rows, T, ..., columns].
            entries: Rows of each world, counted over all axes between T and the columns, [..., B, n]; -1 stands for a
                row of no meaning.

        Returns:
            The rows, [..., B, n, columns].
        """
        array = self._arrays[name]
        if len(self.rows) == 1:
            found: NDArray[Any] = array[self._index].reshape(-1, array.shape[-1]).take(entries, axis=0)
            return found
        rows, steps = self._index
        per_step = prod(array.shape[2:-1])
        begins = (rows * array.shape[1] + steps) * per_step
        found = array.reshape(-1, array.shape[-1]).take(entries + begins[:, None], axis=0)
        return found


class World(Protocol):
    """Draws exogenous traces; knows nothing about decisions."""

    fields: Mapping[str, FieldSpec]

    def begin(self, keys: Sequence[WorldKey]) -> Any:
        """Start one world per key; return the state before the first step (leading axis: world)."""

    def advance(self, state: Any, n_steps: int) -> tuple[Any, Arrays]:
        """Draw the next ``n_steps`` steps of all worlds: arrays [B, n_steps, ...] named as in ``fields``.

        Drawing 3 and then 5 steps gives the same arrays, bit for bit, as drawing 8.
        """


class Task(Protocol):
    """One decision problem, batched over B worlds and A agents. Deterministic given the trace.

    What the rest of the suite relies on:

    - All agents share one action space: ``Discrete(n)`` starting at 0, or a one-dimensional float32 ``Box``
      in [-1, 1]; and one observation space, a one-dimensional float32 ``Box`` with finite limits.
    - States are never changed in place; states, outcomes and observations own their memory (a slice of the
      trace may be overwritten as soon as the next step begins). The arithmetic of one world does not depend
      on the others.
    - ``step`` is defined for every action of the action space. An illegal one has the effect that the page of
      the environment describes and counts in a KPI whose name begins with ``illegal``. It is also defined
      after an episode has ended (a batch keeps stepping a world that is about to be replaced): anything
      finite is good there.
    - The docstring of the class is the page of the environment, see `ntn_gym.core.page`. Letters in its
      tables (the number of slots K, say) have their values in an optional mapping ``page_symbols``.
    """

    n_agents: int
    agent_name: str
    agent_action_space: spaces.Space[Any]
    agent_observation_space: spaces.Box
    episode_steps: int
    dt_s: float
    reward_terms: tuple[TermSpec, ...]
    kpis: tuple[KpiSpec, ...]

    def make_world(self) -> World:
        """Return the generator of traces for this task's scenario."""

    def compile(self, carry: Any, raw: Arrays) -> tuple[Any, Arrays]:
        """Turn the next steps of a raw trace into the packed arrays that ``step`` and ``observe`` read.

        Causal: row t of the result depends on rows <= t of the raw trace only (and on ``carry``, the memory
            of
        earlier chunks; None at the start).
        """

    def initial(self, now: Now) -> Any:
        """Return the state before the first decision."""

    def step(self, state: Any, action: NDArray[Any], now: Now) -> tuple[Any, Outcome]:
        """Apply actions [B, A] (discrete) or [B, A, n] (continuous) during the current slice."""

    def observe(self, state: Any, now: Now) -> NDArray[np.float32]:
        """Return what the agents see before they act in the current slice, a fresh array [B, A, obs]."""

    def action_mask(self, state: Any, now: Now) -> NDArray[np.bool_] | None:
        """Return which discrete actions are legal, [B, A, n], at least one per agent.

        None where all actions always are.
        """
