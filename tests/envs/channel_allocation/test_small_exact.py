"""Rows of cells that are small enough to be solved exactly, and maximum packing, which is no bound."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pytest

from ntn_gym.core.engine import Engine
from ntn_gym.envs.channel_allocation.bound import bound
from ntn_gym.envs.channel_allocation.clique_packing import clique_packing

from .helpers import draw, line_task, play, rule

# Cells, channels, erlang per cell; blocking with the best policy without moves, a random free channel, packing.
CASES = [
    (3, 2, 0.5, 0.21965, 0.22259, 0.21821),
    (3, 2, 2.0, 0.59817, 0.60485, 0.60741),
    (5, 2, 0.4, 0.18614, 0.19222, 0.18363),
    (4, 3, 1.0, 0.24197, 0.24906, 0.23736),
]


@dataclass(frozen=True)
class Line:
    """All configurations of a row of cells: for each channel a set of cells without neighbours.

    Attributes:
        sets: The sets that one channel may be used in, as bits.
        used: Set of cells per channel in each configuration, [S, C].
        place: Number of a configuration from the places of its sets in ``sets`` read as digits.
        take: Configuration after a call in cell i took channel c, -1 where it may not, [S, N, C].
        leave: Configuration after the call on channel c in cell i ended, -1 where there is none, [S, N, C].
    """

    sets: list[int]
    used: np.ndarray
    take: np.ndarray
    leave: np.ndarray


@lru_cache(maxsize=8)
def line(cells: int, channels: int) -> Line:
    sets = [bits for bits in range(1 << cells) if not bits & bits << 1]
    states = list(itertools.product(range(len(sets)), repeat=channels))
    number = {state: index for index, state in enumerate(states)}
    place = {bits: index for index, bits in enumerate(sets)}
    take = np.full((len(states), cells, channels), -1)
    leave = take.copy()
    for index, state in enumerate(states):
        for i, c in itertools.product(range(cells), range(channels)):
            other = place.get(sets[state[c]] ^ 1 << i)
            if other is not None:
                after = number[(*state[:c], other, *state[c + 1 :])]
                (leave if sets[state[c]] >> i & 1 else take)[index, i, c] = after
    return Line(sets, np.array([[sets[k] for k in state] for state in states]), take, leave)


def stationary(rates: np.ndarray) -> np.ndarray:
    """Stationary distribution of a generator without its diagonal, [S, S]."""
    generator = rates - np.diag(rates.sum(axis=1))
    system = np.vstack([generator.T, np.ones(len(rates))])
    return np.linalg.lstsq(system, np.append(np.zeros(len(rates)), 1.0), rcond=None)[0]


def departures(grid: Line) -> np.ndarray:
    rates = np.zeros((len(grid.used), len(grid.used)))
    state, i, c = np.nonzero(grid.leave >= 0)
    np.add.at(rates, (state, grid.leave[state, i, c]), 1.0)
    return rates


def best_policy(grid: Line, erlang: float) -> tuple[np.ndarray, float]:
    """Howard's policy iteration for the average reward per call offered: action [S, N] (C: refuse), blocking."""
    n_states, n_cells, n_channels = grid.take.shape
    states = np.arange(n_states)
    after = np.concatenate([grid.take, np.broadcast_to(states[:, None, None], (n_states, n_cells, 1))], axis=2)
    cost = np.where(np.arange(n_channels + 1) == n_channels, 1.0, 0.0)
    action = np.full((n_states, n_cells), n_channels)
    leaves = departures(grid)
    for _ in range(50):
        rates = leaves.copy()
        for i in range(n_cells):
            rates[states, after[states, i, action[:, i]]] += erlang
        refused = (action == n_channels).sum(axis=1) / n_cells
        # h and g solve refused - g + Q h = 0 with h[0] = 0.
        generator = rates - np.diag(rates.sum(axis=1))
        generator[:, 0] = -1.0
        solution = np.linalg.solve(generator, -refused)
        gain, bias = solution[0], np.append(0.0, solution[1:])
        value = np.where(after >= 0, cost / n_cells / erlang + bias[after], np.inf)
        best = value.min(axis=2)
        kept = np.take_along_axis(value, action[..., None], axis=2)[..., 0]
        if (kept <= best + 1e-11).all():
            return action, gain
        action = np.where(kept <= best + 1e-11, action, value.argmin(axis=2))
    raise AssertionError("policy iteration did not end")


def random_blocking(grid: Line, erlang: float) -> float:
    free = grid.take >= 0
    rates = departures(grid)
    state, i, c = np.nonzero(free)
    np.add.at(rates, (state, grid.take[state, i, c]), erlang / free.sum(axis=2)[state, i])
    return float(stationary(rates) @ (~free.any(axis=2)).mean(axis=1))


def packing_blocking(cells: int, channels: int, erlang: float) -> float:
    """Calls per cell alone: a row of cells is an interval graph, so that they fit if no two neighbours exceed C."""
    states = [n for n in itertools.product(range(channels + 1), repeat=cells) if _fits(n, channels)]
    number = {state: index for index, state in enumerate(states)}
    rates = np.zeros((len(states), len(states)))
    full = np.zeros(len(states))
    for index, state in enumerate(states):
        for i in range(cells):
            more = (*state[:i], state[i] + 1, *state[i + 1 :])
            if more in number:
                rates[index, number[more]] += erlang
            else:
                full[index] += 1 / cells
            if state[i]:
                rates[index, number[(*state[:i], state[i] - 1, *state[i + 1 :])]] += state[i]
    return float(stationary(rates) @ full)


def _fits(calls: tuple[int, ...], channels: int) -> bool:
    return all(a + b <= channels for a, b in itertools.pairwise(calls))


@pytest.mark.parametrize(("cells", "channels", "erlang", "best", "at_random", "packing"), CASES)
def test_exact_blocking(
    cells: int, channels: int, erlang: float, best: float, at_random: float, packing: float
) -> None:
    grid = line(cells, channels)
    assert best_policy(grid, erlang)[1] == pytest.approx(best, abs=6e-6)
    assert random_blocking(grid, erlang) == pytest.approx(at_random, abs=6e-6)
    assert packing_blocking(cells, channels, erlang) == pytest.approx(packing, abs=6e-6)


def test_numbers_of_configurations() -> None:
    assert len(line(3, 2).used) == 25
    assert sum(_fits(n, 2) for n in itertools.product(range(3), repeat=3)) == 14


class BestPolicy:
    """Plays the exact optimum; it looks at the configuration."""

    def __init__(self, engine: Engine, cells: int, channels: int, erlang: float) -> None:
        grid = line(cells, channels)
        self._engine, self._action = engine, best_policy(grid, erlang)[0]
        self._place = np.zeros(1 << cells, dtype=np.int64)
        self._place[grid.sets] = np.arange(len(grid.sets))
        self._digits = len(grid.sets) ** np.arange(channels)[::-1]

    def reset(self, n_worlds: int) -> None:
        """Nothing is remembered."""

    def act(self, observation: np.ndarray, mask: np.ndarray, restarted: np.ndarray) -> np.ndarray:
        state = self._place[self._engine.state.used] @ self._digits
        cell = self._engine.now["event"][:, 1]
        return self._action[state, cell][:, None]


@pytest.mark.parametrize(("cells", "channels", "erlang", "best", "at_random", "packing"), CASES[:2])
def test_simulation_meets_the_exact_values(
    cells: int, channels: int, erlang: float, best: float, at_random: float, packing: float
) -> None:
    task, seeds, warm = line_task(cells, channels, erlang, steps=300), range(1000), 60
    engine = Engine(task, len(seeds))
    random = play(task, rule(task, "random-channel"), seeds, warm, engine)
    optimum = play(task, BestPolicy(engine, cells, channels, erlang), seeds, warm, engine)
    packed = clique_packing(task, draw(task, seeds))
    new, blocked = packed.new[:, warm:].sum(axis=1), packed.blocked[:, warm:].sum(axis=1)
    for counts, expected in ((random, at_random), (optimum, best)):
        assert abs(counts.whole().z_of(expected)[0]) < 1.96
        assert counts.blocking == pytest.approx(expected, abs=0.006)
    left = blocked - packing * new
    assert abs(left.sum() / np.sqrt((left**2).sum())) < 1.96
    # The same calls for everybody: at two erlang the best policy refuses fewer than packing with unlimited moves.
    gain = blocked - optimum.blocked.sum(axis=1)
    z = gain.mean() / gain.std() * np.sqrt(len(gain))
    assert (z > 4) == (erlang == 2.0)


def test_packing_is_beaten_and_the_bound_is_not() -> None:
    task, seeds = line_task(3, 2, 2.0, steps=300, reward={"form": "lump"}), range(16)
    packed = draw(task, seeds)
    engine = Engine(task, len(seeds))
    optimum = play(task, BestPolicy(engine, 3, 2, 2.0), seeds, 0, engine)
    value = -optimum.blocked.sum(axis=1)
    packing, limit = clique_packing(task, packed).value, bound(task, packed).value
    assert value.mean() > packing.mean()
    assert (limit >= value - 1e-9).all()
    assert (limit >= packing - 1e-9).all()
