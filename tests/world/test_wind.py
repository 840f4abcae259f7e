"""Wind fields: what is shipped, how it is cut out, and the synthetic field."""

from __future__ import annotations

import numpy as np
import pytest

from ntn_gym.core.seeding import WorldKey, process_generators
from ntn_gym.world import wind

NODES_M = np.linspace(-150e3, 150e3, 5)
DAY_S = 86_400.0


def generators(n: int, name: str = "wind") -> list[np.random.Generator]:
    return process_generators([WorldKey(seed) for seed in range(n)], name)


def test_splits_share_no_field() -> None:
    parts = [wind.recorded(split)[0] for split in ("train", "validation", "report")]
    assert [len(part) for part in parts] == [32, 6, 10]
    digests = [field.tobytes() for part in parts for field in part]
    assert len(set(digests)) == 48


def test_fields_are_divergence_free() -> None:
    """u = d psi / dy, v = -d psi / dx: the divergence of the shipped fields is small beside their vorticity."""
    field = wind.recorded("train")[0][:, 0, :, :, 2]
    spacing = 100e3
    u, v = field[..., 0], field[..., 1]
    du_dx, dv_dy = np.gradient(u, spacing, axis=2), np.gradient(v, spacing, axis=1)
    vorticity = np.gradient(v, spacing, axis=2) - np.gradient(u, spacing, axis=1)
    inner = (slice(None), slice(1, -1), slice(1, -1))
    assert np.std((du_dx + dv_dy)[inner]) < 0.25 * np.std(vorticity[inner])


def test_levels_are_linear_in_pressure() -> None:
    weights = wind.level_weights([5000.0, 5500.0, 13_750.0, 14_000.0])
    assert weights.sum(axis=1).tolist() == pytest.approx([1.0] * 4)
    pressures = wind.recorded("train")[2]
    assert (weights @ pressures).tolist() == pytest.approx([5000.0, 5500.0, 13_750.0, 14_000.0])
    with pytest.raises(ValueError, match="5000 to 14000 Pa"):
        wind.level_weights([4000.0])


def test_every_cut_is_a_piece_of_a_shipped_field() -> None:
    """Speeds of a cut lie within those of the shipped field; mirroring keeps the zonal wind zonal."""
    state = wind.start_recorded(generators(40), ["train"] * 40, NODES_M, [5500.0], DAY_S)
    assert state.slots_m_s.shape == (40, 9, 25, 1, 2)
    fields = wind.recorded("train")[0]
    assert np.abs(state.slots_m_s).max() <= np.abs(fields).max() + 1e-3
    zonal, meridional = state.slots_m_s[..., 0].std(), state.slots_m_s[..., 1].std()
    assert zonal > 3 * meridional, "winds at 55 hPa blow from east or west"
    assert abs(state.slots_m_s[..., 0].mean()) < 3.0
    assert ((state.offset_s >= 0) & (state.offset_s <= 24 * 3600)).all() and np.ptp(state.offset_s) > 12 * 3600


def test_a_cut_at_the_grid_is_the_field_itself() -> None:
    """With a region as large as the fields there is no shift: the cut is one of the fields or its mirror image."""
    nodes = wind.recorded("report")[1]
    state = wind.start_recorded(generators(4), ["report"] * 4, nodes, [7000.0], DAY_S)
    fields = wind.recorded("report")[0][..., 2, :]
    for cut in state.slots_m_s[..., 0, :].reshape(4, 9, 11, 11, 2):
        images = []
        for sx in (1, -1):
            for sy in (1, -1):
                turned = fields[:, :, ::sy, ::sx] * np.array([sx, sy])
                images += [np.abs(turned[k] - cut).max() for k in range(len(fields))]
        assert min(images) < 1e-2


def test_wind_is_linear_between_slots() -> None:
    state = wind.start_recorded(generators(2), ["train"] * 2, NODES_M, [5500.0, 7000.0], DAY_S)
    time_s = wind.SLOT_S * (1 + np.arange(3)) - state.offset_s[0]
    time_s = time_s[time_s > 0]
    at = wind.wind_at(state, time_s)[0]
    slot = np.rint((state.offset_s[0] + time_s) / wind.SLOT_S).astype(int)
    np.testing.assert_allclose(at, state.slots_m_s[0, slot], atol=1e-4)
    middle = wind.wind_at(state, time_s - wind.SLOT_S / 2)[0]
    np.testing.assert_allclose(middle, (state.slots_m_s[0, slot] + state.slots_m_s[0, slot - 1]) / 2, atol=1e-3)


def test_synthetic_wind_has_the_speed_and_no_divergence() -> None:
    nodes = np.linspace(-150e3, 150e3, 13)
    state = wind.start_synthetic(generators(300), nodes, [7000.0, 5500.0], DAY_S, rms_m_s=8.0)
    speed2 = (state.slots_m_s**2).sum(axis=-1)
    assert np.sqrt(speed2.mean()) == pytest.approx(8.0, rel=0.05)
    field = state.slots_m_s[:, 0, :, 0].reshape(300, 13, 13, 2)
    spacing = nodes[1] - nodes[0]
    du_dx, dv_dy = np.gradient(field[..., 0], spacing, axis=2), np.gradient(field[..., 1], spacing, axis=1)
    inner = (slice(None), slice(1, -1), slice(1, -1))
    shear = np.gradient(field[..., 0], spacing, axis=1)
    assert np.std((du_dx + dv_dy)[inner]) < 0.02 * np.std(shear[inner])
    across = state.slots_m_s[:, 0, 0]
    correlation = np.corrcoef(across[:, 0, 0], across[:, 1, 0])[0, 1]
    assert 0.2 < correlation < 0.95, "levels differ, but belong together"


def test_still_air() -> None:
    state = wind.still(2, NODES_M, 1, DAY_S)
    assert not wind.wind_at(state, np.array([0.0, DAY_S])).any()


def test_too_large_and_too_long_are_refused() -> None:
    with pytest.raises(ValueError, match="take a smaller one"):
        wind.start_recorded(generators(1), ["train"], np.linspace(-600e3, 600e3, 3), [5500.0], DAY_S)
    with pytest.raises(ValueError, match="wind fields last"):
        wind.start_recorded(generators(1), ["train"], NODES_M, [5500.0], 3 * DAY_S)
