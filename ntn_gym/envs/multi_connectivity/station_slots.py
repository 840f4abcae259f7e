"""Which base stations a user may choose among: the nearest ones, changed with hysteresis and not at every step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.multi_connectivity.places import ABSENT_M

FloatArray = NDArray[Any]


@dataclass(frozen=True)
class Choice:
    """What was decided at the last comparison.

    Attributes:
        station: Stations in the slots, [B, U, S]; -1 before the first step.
        far: Power of all other stations over the noise, [B, U].
    """

    station: NDArray[np.int64]
    far: FloatArray


def nearest(distance_m: FloatArray, n_slots: int) -> NDArray[np.int64]:
    """Return the nearest stations of [B, U, M], nearest first: [B, U, n_slots]."""
    order: NDArray[np.int64] = np.argsort(distance_m, axis=-1, kind="stable")[..., :n_slots]
    return order


def renew(station: NDArray[np.int64], distance_m: FloatArray, nearer: float) -> NDArray[np.int64]:
    """Replace the farthest held station by the nearest other one if that is nearer by the given share.

    Args:
        station: Held stations, [B, U, S].
        distance_m: Distance to every station, [B, U, M].
        nearer: Share.
    """
    n_stations, n_slots = distance_m.shape[-1], station.shape[-1]
    users = np.arange(station[..., 0].size).reshape(station.shape[:-1])
    flat = distance_m.ravel()
    at = station + (users * n_stations)[..., None]
    held = flat.take(at)
    farthest = np.argmax(held, axis=-1) + users * n_slots
    others = flat.copy()
    others[at] = np.inf
    others = others.reshape(distance_m.shape)
    candidate = np.argmin(others, axis=-1)
    better = others.ravel().take(candidate + users * n_stations) < (1.0 - nearer) * held.ravel().take(farthest)
    if not better.any():
        return station
    result = station.copy()
    result.reshape(-1)[farthest[better]] = candidate[better]
    return result


def assign(
    choice: Choice,
    position_m: FloatArray,
    station_m: FloatArray,
    first_step: int,
    update_steps: int,
    nearer: float,
    strength: Callable[[FloatArray], FloatArray],
) -> tuple[Choice, NDArray[np.int64], FloatArray]:
    """Assign stations to slots over n steps.

    Args:
        choice: What holds before the first step.
        position_m: Places of the users, [B, n, U, 2].
        station_m: Stations, [B, M, 2].
        first_step: Number of the first step.
        update_steps: Stations are compared at multiples of this step.
        nearer: Hysteresis.
        strength: Power over noise at distances, [...] -> [...].

    Returns:
        The last choice; stations of each step, [B, n, U, S]; power of the stations in no slot, [B, n, U].
    """
    n_steps, n_slots = position_m.shape[1], choice.station.shape[-1]
    steps = first_step + np.arange(n_steps)
    compared = np.flatnonzero(steps % update_steps == 0)
    stations, far = [choice.station], [choice.far]
    if len(compared):
        offset = position_m[:, compared, :, None].astype(np.float32) - station_m[:, None, None].astype(np.float32)
        distance = np.sqrt(offset[..., 0] * offset[..., 0] + offset[..., 1] * offset[..., 1])
        power = strength(distance)
        for k, step in enumerate(steps[compared].tolist()):
            held = stations[-1]
            stations.append(nearest(distance[:, k], n_slots) if step == 0 else renew(held, distance[:, k], nearer))
        held = np.stack(stations[1:], axis=1)
        np.put_along_axis(power, held, 0.0, axis=-1)
        # One after the other: the order of a sum must not depend on the size of the batch.
        total = power[..., 0].copy()
        for station in range(1, power.shape[-1]):
            total += power[..., station]
        far += [total[:, k] for k in range(len(compared))]
    # A chunk that begins between two comparisons goes on with the last one.
    part = np.searchsorted(compared, np.arange(n_steps), side="right")
    last = Choice(stations[-1].copy(), far[-1].copy())
    return last, np.stack(stations, axis=1)[:, part], np.stack(far, axis=1)[:, part]


def present(distance_m: FloatArray, service_radius_m: float | None) -> NDArray[np.bool_]:
    """Return which stations exist and reach the user."""
    limit = 0.5 * ABSENT_M if service_radius_m is None else service_radius_m
    return distance_m <= limit
