"""Stratospheric wind over a region: shipped recorded fields, cut, mirrored and shifted, and a synthetic field.

Both give the wind on a square lattice of nodes, at some pressure levels, every few hours (*slots*); between slots it is
linear in time. A field is chosen at the start of a world and then runs by itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ntn_gym.data import read_npz
from ntn_gym.world.processes import Generators

FloatArray = NDArray[Any]
Split = Literal["train", "validation", "report"]

SLOT_S = 6 * 3600.0
"""Time between two slots, that of the shipped fields."""
_FILE = "stratospheric_wind_fields_48.npz"


@dataclass(frozen=True)
class WindState:
    """Wind fields of B worlds.

    Attributes:
        slots_m_s: Eastward and northward wind at the slots, float32 [B, K, N, L, 2] for N = n x n nodes (row by row
            from south to north, west to east within a row) and L levels.
        offset_s: Time of step 0 after the first slot, [B].
    """

    slots_m_s: FloatArray
    offset_s: NDArray[np.float64]


@cache
def recorded(split: Split) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the shipped fields of a split.

    Source: samples of the decoder of the Balloon Learning Environment (trained on ERA5, tropical mid-Pacific), see
    `data/PROVENANCE.md`; 48 h on 1000 x 1000 km at 50 to 140 hPa. The splits share no field.

    Returns:
        Wind in m/s, float32 [fields, slots, y, x, level, 2]; places of the nodes in m, [n]; pressures in Pa, [levels].
    """
    data = read_npz(_FILE)
    chosen = data["uv_cm_s"][data["split"] == split]
    wind = np.ascontiguousarray(np.moveaxis(chosen, 4, 1), dtype=np.float32) / np.float32(100)
    wind.setflags(write=False)
    return wind, 1e3 * data["x_km"], data["pressure_Pa"]


def level_weights(levels_pa: Sequence[float]) -> FloatArray:
    """Return the weights that interpolate the shipped levels linearly in pressure, [L, shipped levels].

    Raises:
        ValueError: If a level is outside the shipped ones.
    """
    known = recorded("train")[2]
    wanted = np.asarray(levels_pa, dtype=np.float64)
    if wanted.min() < known[0] or wanted.max() > known[-1]:
        raise ValueError(
            f"levels_pa = {list(levels_pa)}: the wind fields reach from {known[0]:g} to {known[-1]:g} Pa; "
            "choose levels in this range"
        )
    lower = np.clip(np.searchsorted(known, wanted, side="right") - 1, 0, len(known) - 2)
    share = (wanted - known[lower]) / (known[lower + 1] - known[lower])
    weights = np.zeros((len(wanted), len(known)))
    weights[np.arange(len(wanted)), lower] = 1.0 - share
    weights[np.arange(len(wanted)), lower + 1] += share
    return weights


def start_recorded(
    generators: Generators,
    splits: Sequence[Split],
    nodes_m: FloatArray,
    levels_pa: Sequence[float],
    duration_s: float,
    scale: float = 1.0,
) -> WindState:
    """Draw a shipped field for each world and cut the region out of it.

    A field is shifted and started at random and mirrored east-west or north-south with even chances. Mirroring keeps
    the winds zonal: north-south is the other hemisphere, east-west the other phase of the quasi-biennial oscillation.

    Args:
        generators: One generator per world.
        splits: Which shipped fields each world draws from.
        nodes_m: Places of the lattice's nodes about the centre of the region, the same east and north, [n].
        levels_pa: Pressure levels.
        duration_s: Time that the field must last.
        scale: Factor on the wind speed.

    Raises:
        ValueError: If the region or the duration is larger than the fields.
    """
    _, places_m, _ = recorded("train")
    half_m = float(np.max(np.abs(nodes_m)))
    slack_m = places_m[-1] - half_m
    n_slots = recorded("train")[0].shape[1]
    slack_s = (n_slots - 1) * SLOT_S - duration_s
    if slack_m < 0:
        raise ValueError(f"region of +-{half_m:g} m: the wind fields cover +-{places_m[-1]:g} m; take a smaller one")
    if slack_s < 0:
        raise ValueError(f"duration_s = {duration_s:g} s: the wind fields last {(n_slots - 1) * SLOT_S:g} s")
    weights = level_weights(levels_pa)
    spacing_m = places_m[1] - places_m[0]
    cut = []
    offset_s = np.empty(len(generators))
    for world, (generator, split) in enumerate(zip(generators, splits, strict=True)):
        pick, east, north, when, flip_x, flip_y = generator.random(6)
        fields = recorded(split)[0]
        field = fields[int(pick * len(fields))]
        signs = np.array([-1.0 if flip_x < 0.5 else 1.0, -1.0 if flip_y < 0.5 else 1.0])
        offset_s[world] = when * slack_s
        # Where the nodes lie in the shipped field, and the four shipped nodes around each of them.
        x = signs[0] * nodes_m + (2 * east - 1) * slack_m
        y = signs[1] * nodes_m + (2 * north - 1) * slack_m
        across, along = (np.clip((p - places_m[0]) / spacing_m, 0, len(places_m) - 1.000001) for p in (x, y))
        j, i = across.astype(np.intp), along.astype(np.intp)
        fx, fy = (across - j)[None, None, :, None, None], (along - i)[None, :, None, None, None]
        rows = field[:, i] * (1 - fy) + field[:, i + 1] * fy
        wind = rows[:, :, j] * (1 - fx) + rows[:, :, j + 1] * fx
        wind = np.einsum("kyxpc,lp->kyxlc", wind, weights) * (scale * signs)
        cut.append(wind.reshape(len(wind), -1, len(levels_pa), 2).astype(np.float32))
    return WindState(np.stack(cut), offset_s)


def start_synthetic(
    generators: Generators,
    nodes_m: FloatArray,
    levels_pa: Sequence[float],
    duration_s: float,
    rms_m_s: float,
    wavelength_m: float = 800e3,
    memory_s: float = 2 * 86_400.0,
    depth_pa: float = 1500.0,
    n_modes: int = 24,
) -> WindState:
    """Draw a random divergence-free field: a sum of plane waves of random direction, phase and slow drift.

    u = sum over modes of a_k cos(k.x + w t + m p + phase), a_k perpendicular to k; each horizontal component has the
    given root-mean-square value divided by sqrt(2). Half of the variance is that of a mean wind of the level, a wave
    of infinite length.

    Source: R. H. Kraichnan, "Diffusion by a random velocity field", Physics of Fluids 13, 22 (1970); spectrum, memory
    and the change with pressure are chosen.

    Args:
        generators: One generator per world.
        nodes_m: Places of the lattice's nodes, [n].
        levels_pa: Pressure levels.
        duration_s: Time that the field must last.
        rms_m_s: Root-mean-square wind speed.
        wavelength_m: Typical length of a wave.
        memory_s: Time in which a wave's phase turns by about one radian.
        depth_pa: Pressure difference in which it turns by about one radian.
        n_modes: Number of waves; half of them are infinitely long.
    """
    n_slots = math.ceil(duration_s / SLOT_S) + 2
    time_s = SLOT_S * np.arange(n_slots)
    level = np.asarray(levels_pa, dtype=np.float64)
    draws = np.stack([generator.standard_normal((3, n_modes)) for generator in generators])
    heading, phase = 2 * math.pi * np.stack([generator.random((2, n_modes)) for generator in generators]).swapaxes(0, 1)
    long = np.arange(n_modes) % 2 == 0
    number = np.where(long, 0.0, 2 * math.pi / wavelength_m * np.exp(0.3 * draws[:, 0]))
    kx, ky = number * np.cos(heading), number * np.sin(heading)
    east, north = np.tile(nodes_m, len(nodes_m)), np.repeat(nodes_m, len(nodes_m))
    angle = (
        phase[:, None, None, None]
        + (draws[:, 1] / memory_s)[:, None, None, None] * time_s[:, None, None, None]
        + (kx[:, None] * east[:, None] + ky[:, None] * north[:, None])[:, None, :, None]
        + (draws[:, 2] / depth_pa)[:, None, None, None] * (level - level[0])[:, None]
    )
    wave = np.cos(angle) * (rms_m_s * math.sqrt(2.0 / n_modes))
    slots = np.stack(
        [(wave * part[:, None, None, None]).sum(axis=-1) for part in (-np.sin(heading), np.cos(heading))], axis=-1
    )
    return WindState(slots.astype(np.float32), np.zeros(len(generators)))


def still(n_worlds: int, nodes_m: FloatArray, n_levels: int, duration_s: float) -> WindState:
    """Return no wind at all."""
    n_slots = math.ceil(duration_s / SLOT_S) + 2
    return WindState(np.zeros((n_worlds, n_slots, len(nodes_m) ** 2, n_levels, 2), np.float32), np.zeros(n_worlds))


def wind_at(state: WindState, time_s: FloatArray) -> FloatArray:
    """Return the wind on the nodes at times since step 0, float32 [B, T, N, L, 2], linear between slots.

    Args:
        state: Fields.
        time_s: Times, [T].
    """
    position = (state.offset_s[:, None] + time_s) / SLOT_S
    slot = np.clip(position.astype(np.intp), 0, state.slots_m_s.shape[1] - 2)
    share = (position - slot).astype(np.float32)[:, :, None, None, None]
    world = np.arange(len(slot))[:, None]
    before = state.slots_m_s[world, slot]
    after = state.slots_m_s[world, slot + 1]
    result: FloatArray = before + share * (after - before)
    return result
