"""Several Gauss-Markov processes of one world, advanced in one recursion.

The recursion over time is a Python loop. Its cost for a few worlds is the number of array calls, not their size, so
processes that share the clock share the loop. Each still draws from its own generator: adding one changes no number of
another, and the bits are the same for any batch and any chunk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.world import processes, tabulated

FloatArray = NDArray[Any]


@dataclass(frozen=True)
class Process:
    """One unit-variance Gauss-Markov process.

    Attributes:
        shape: Shape of one step of one world.
        rate_per_s: Rate of decorrelation in 1/s.
        quick: Draw the innovations from a table (see `tabulated`). For a process of many numbers that changes slowly:
            then each value is a sum of many innovations, and Gaussian.
    """

    shape: tuple[int, ...]
    rate_per_s: float
    quick: bool = False


@dataclass(frozen=True)
class JointState:
    """Generators of each process, one per world, and the last values of all processes, float32 [B, columns]."""

    generators: dict[str, list[np.random.Generator]]
    value: FloatArray


class JointProcesses:
    """Independent processes y_t = rho y_(t-1) + sqrt(1 - rho^2) w_t, rho = exp(-rate dt), each stationary.

    Source: Gudmundson, Electronics Letters 27(23), 1991 (first-order autoregression).
    """

    def __init__(self, members: Mapping[str, Process], dt_s: float) -> None:
        """Lay the processes out in columns.

        Args:
            members: The processes by name.
            dt_s: Step in s.
        """
        self.members = dict(members)
        self._columns: dict[str, slice] = {}
        decay = []
        first = 0
        for name, member in self.members.items():
            size = int(np.prod(member.shape, dtype=np.int64))
            self._columns[name] = slice(first, first + size)
            decay += [float(processes.correlation(member.rate_per_s, dt_s))] * size
            first += size
        self._decay = np.array(decay, dtype=np.float32)
        # (1 - r)(1 + r) keeps its precision for r near 1, where 1 - r^2 in float32 would not.
        self._scale = np.sqrt((1 - self._decay) * (1 + self._decay))

    def start(self, generators: Mapping[str, Sequence[np.random.Generator]]) -> JointState:
        """Draw stationary values; one generator per world for each process."""
        parts = [
            processes.start_gauss_markov(generators[name], member.shape).reshape(len(generators[name]), -1)
            for name, member in self.members.items()
        ]
        return JointState({name: list(generators[name]) for name in self.members}, np.concatenate(parts, axis=1))

    def advance(
        self, state: JointState, n_steps: int, fresh: Mapping[str, NDArray[np.bool_]] | None = None
    ) -> tuple[JointState, dict[str, FloatArray]]:
        """Draw the next steps.

        Args:
            state: Values before the first step.
            n_steps: Number of steps n, at least 1.
            fresh: For some processes, where the memory is lost and y_t = w_t (another link took the place), each
                [B, n, *shape].

        Returns:
            The new state, and the samples of each process, [B, n, *shape] (views of one array).
        """
        n_worlds, n_columns = state.value.shape
        samples = np.empty((n_worlds, n_steps, n_columns), dtype=np.float32)
        resets = []
        seldom = np.zeros(n_steps, dtype=bool)  # steps in which anything is lost
        for name, member in self.members.items():
            columns = self._columns[name]
            draw = tabulated.draw_normal if member.quick else processes.draw_normal
            drawn = draw(state.generators[name], n_steps, member.shape)
            drawn = drawn.reshape(n_worlds, n_steps, columns.stop - columns.start)
            np.multiply(drawn, self._scale[columns], out=samples[..., columns])
            if fresh is not None and name in fresh:
                lost = fresh[name].reshape(drawn.shape)
                np.copyto(samples[..., columns], drawn, where=lost)
                resets.append((columns, np.subtract(1, lost, dtype=np.float32).swapaxes(0, 1)))
                seldom |= lost.any(axis=(0, 2))
        kept = np.empty_like(state.value)
        last = state.value
        for t, (row, any_lost) in enumerate(zip(samples.swapaxes(0, 1), seldom.tolist(), strict=True)):
            np.multiply(last, self._decay, out=kept)
            if any_lost:
                for columns, keep in resets:
                    kept[:, columns] *= keep[t]
            np.add(row, kept, out=row)
            last = row
        shaped = {
            name: samples[..., self._columns[name]].reshape(n_worlds, n_steps, *member.shape)
            for name, member in self.members.items()
        }
        return JointState(state.generators, last.copy()), shaped
