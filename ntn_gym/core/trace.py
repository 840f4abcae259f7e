"""Saved worlds: write a trace to a file, read it back, check a user's own arrays, and run a task on them."""

from __future__ import annotations

import io
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.seeding import WorldKey
from ntn_gym.core.task import Arrays, FieldSpec, World

FORMAT = "ntn_gym-trace-1"


@dataclass(frozen=True)
class Trace:
    """Exogenous arrays [B, T, ...] of B worlds, with what is needed to run a task on them.

    Attributes:
        arrays: One array per field, [B, T, ...]; T is the number of steps of an episode plus one, because the
            observation after the last step belongs to slice T.
        environment: Name of the environment that the trace is for.
        scenario: The scenario as plain JSON values.
        keys: Name of each world, or None for arrays that were brought from outside.
    """

    arrays: Arrays
    environment: str
    scenario: dict[str, Any]
    keys: tuple[WorldKey, ...] | None = None
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def n_worlds(self) -> int:
        """Number of worlds B."""
        return int(next(iter(self.arrays.values())).shape[0])

    @property
    def n_slices(self) -> int:
        """Number of time slices T."""
        return int(next(iter(self.arrays.values())).shape[1])

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the trace as a compressed ``.npz`` file, atomically."""
        target = Path(path)
        header = {
            "format": FORMAT,
            "environment": self.environment,
            "scenario": self.scenario,
            "keys": None if self.keys is None else [[key.seed, key.episode] for key in self.keys],
            "notes": self.notes,
        }
        payload = io.BytesIO()
        arrays: dict[str, Any] = dict(self.arrays)
        np.savez_compressed(payload, __header__=np.array(json.dumps(header)), **arrays)
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=target.name, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(payload.getvalue())
            os.replace(temporary, target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        return target

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Trace:
        """Read a trace file; nothing is unpickled.

        Raises:
            ValueError: If the file is no trace or is damaged.
        """
        try:
            with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
                header = json.loads(str(archive["__header__"]))
                arrays = {name: archive[name] for name in archive.files if name != "__header__"}
        except FileNotFoundError:
            raise
        except Exception as error:
            raise ValueError(
                f"{path}: not a readable trace file ({error}); write one with `ntn-gym trace save`"
            ) from error
        if header.get("format") != FORMAT:
            raise ValueError(f"{path}: format {header.get('format')!r}, expected {FORMAT!r}")
        keys = header["keys"]
        return cls(
            arrays=arrays,
            environment=header["environment"],
            scenario=header["scenario"],
            keys=None if keys is None else tuple(WorldKey(*key) for key in keys),
            notes=header["notes"],
        )


def validate_arrays(arrays: Mapping[str, NDArray[Any]], fields: Mapping[str, FieldSpec], n_slices: int) -> Arrays:
    """Check arrays [B, T, ...] against the fields of a world and return them in the declared types.

    Args:
        arrays: Arrays to check, by name.
        fields: What the world draws.
        n_slices: Number of time slices that the task needs (steps of an episode plus one).

    Returns:
        The arrays, converted to the declared types where that loses nothing.

    Raises:
        ValueError: Listing every missing or unknown name, wrong shape, non-finite or out-of-range value.
    """
    problems: list[str] = []
    missing = sorted(set(fields) - set(arrays))
    unknown = sorted(set(arrays) - set(fields))
    if missing:
        problems.append(f"missing arrays: {', '.join(missing)}")
    if unknown:
        problems.append(f"unknown arrays: {', '.join(unknown)}; known are {', '.join(sorted(fields))}")
    counts = {np.asarray(arrays[name]).shape[0] for name in fields if name in arrays and np.ndim(arrays[name]) > 0}
    if len(counts) > 1:
        problems.append(f"arrays disagree on the number of worlds (first axis): {sorted(counts)}")
    result: Arrays = {}
    for name, spec in fields.items():
        if name not in arrays:
            continue
        array = np.asarray(arrays[name])
        expected = f"[worlds, {n_slices}{''.join(f', {n}' for n in spec.shape)}]"
        if array.ndim < 2 or array.shape[1] != n_slices or array.shape[2:] != spec.shape:
            problems.append(f"{name}: shape {list(array.shape)}, expected {expected}")
            continue
        if not np.can_cast(array.dtype, np.dtype(spec.dtype), casting="same_kind"):
            problems.append(f"{name}: type {array.dtype}, expected {spec.dtype}")
            continue
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            where = np.argwhere(~np.isfinite(array))[0].tolist()
            problems.append(f"{name}: not finite at index {where}; every value must be a number in {spec.unit}")
            continue
        if array.dtype.kind != "b" and array.size and (array.min() < spec.low or array.max() > spec.high):
            problems.append(
                f"{name}: values from {array.min():g} to {array.max():g} {spec.unit}, "
                f"allowed {spec.low:g} to {spec.high:g} {spec.unit}"
            )
            continue
        result[name] = array.astype(spec.dtype, copy=False)
    if problems:
        raise ValueError("the trace does not fit the scenario:\n  - " + "\n  - ".join(problems))
    return result


@dataclass
class _ReplayState:
    """Which world of the trace each row replays, and how far it is."""

    world: NDArray[np.intp]
    step: NDArray[np.intp]


class ReplayWorld:
    """A world that replays the worlds of a trace: seed ``s`` means world ``s`` modulo their number."""

    def __init__(self, trace: Trace, fields: Mapping[str, FieldSpec], n_slices: int) -> None:
        """Check the trace and keep it.

        Raises:
            ValueError: If the trace does not fit the fields.
        """
        self.fields = fields
        self._arrays = validate_arrays(trace.arrays, fields, n_slices)
        self._n_worlds = trace.n_worlds

    def begin(self, keys: Sequence[WorldKey]) -> _ReplayState:
        """Choose a world of the trace for each key."""
        chosen = np.array([(key.seed + key.episode) % self._n_worlds for key in keys], dtype=np.intp)
        return _ReplayState(chosen, np.zeros(len(keys), dtype=np.intp))

    def advance(self, state: _ReplayState, n_steps: int) -> tuple[_ReplayState, Arrays]:
        """Return the next ``n_steps`` slices of the chosen worlds."""
        steps = state.step[:, None] + np.arange(n_steps)
        arrays = {name: array[state.world[:, None], steps] for name, array in self._arrays.items()}
        return _ReplayState(state.world, state.step + n_steps), arrays


def draw_trace(
    world: World, keys: Sequence[WorldKey], n_slices: int, environment: str, scenario: dict[str, Any]
) -> Trace:
    """Draw whole episodes of the given worlds as a trace."""
    _, arrays = world.advance(world.begin(keys), n_slices)
    return Trace(arrays=arrays, environment=environment, scenario=scenario, keys=tuple(keys))
