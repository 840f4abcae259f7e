"""MCS tables of TS 38.214: internal consistency, Shannon's limit, and another team's link simulations."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ntn_gym.physics import modulation as mod

SIMULATED = json.loads((Path(__file__).parent / "mcs_bler.json").read_text())
NAMES = {"64qam": ("table1", 29, 6), "256qam": ("table2", 28, 8)}


@pytest.mark.parametrize("name", NAMES)
def test_tables_are_consistent(name):
    table = mod.mcs_table(name)
    _, count, largest = NAMES[name]
    assert len(table.code_rate) == count and table.modulation_order.max() == largest
    # The printed efficiency is Q_m R rounded to four decimals.
    np.testing.assert_allclose(table.efficiency_bit_s_hz, table.modulation_order * table.code_rate, atol=5.01e-5)
    assert np.all(np.diff(table.modulation_order) >= 0)
    with pytest.raises(ValueError, match="read-only"):
        table.threshold_db[0] = 0.0


def test_lines_that_everybody_knows():
    low, high = mod.mcs_table("64qam"), mod.mcs_table("256qam")
    assert (low.modulation_order[0], low.code_rate[0] * 1024, low.efficiency_bit_s_hz[0]) == (2, 120, 0.2344)
    assert (low.modulation_order[28], low.code_rate[28] * 1024, low.efficiency_bit_s_hz[28]) == (6, 948, 5.5547)
    assert (high.modulation_order[20], high.code_rate[20] * 1024, high.efficiency_bit_s_hz[20]) == (8, 682.5, 5.332)
    assert (high.modulation_order[27], high.code_rate[27] * 1024, high.efficiency_bit_s_hz[27]) == (8, 948, 7.4063)
    # Both tables have the same 16QAM 490/1024.
    assert low.threshold_db[13] == high.threshold_db[7]


@pytest.mark.parametrize("name", NAMES)
def test_thresholds_lie_above_shannon_and_near_it(name):
    table = mod.mcs_table(name)
    shannon_db = 10 * np.log10(2.0**table.efficiency_bit_s_hz - 1)
    gap_db = table.threshold_db - shannon_db
    assert gap_db.min() > 0.6 and gap_db.max() < 3.0


@pytest.mark.parametrize("name", NAMES)
def test_thresholds_against_link_simulations(name):
    table = mod.mcs_table(name)
    rows = SIMULATED[NAMES[name][0]]
    assert len(rows) >= 24
    difference = []
    for index, low_db, bler_low, high_db, bler_high in rows:
        # The simulated points are 1.6 to 1.8 dB apart: interpolate the logarithm, floor 1e-4.
        a, b = math.log10(bler_low), math.log10(max(bler_high, 1e-4))
        simulated_db = low_db + (high_db - low_db) * (a + 1) / (a - b)
        difference.append(simulated_db - table.threshold_db[index])
        assert low_db - 0.6 < table.threshold_db[index] < high_db + 0.6
    assert np.abs(difference).max() < 0.6
    assert abs(np.mean(difference)) < 0.15


def test_link_adaptation_by_hand():
    table = mod.mcs_table("64qam")
    sinr_db = np.array(
        [-10.0, table.threshold_db[0], table.threshold_db[0] - 1e-9, table.threshold_db[13] + 1e-6, 40.0]
    )
    np.testing.assert_array_equal(mod.best_mcs(sinr_db), [-1, 0, -1, 13, 28])
    np.testing.assert_allclose(mod.mcs_efficiency_bit_s_hz(sinr_db), [0, 0.2344, 0, 1.9141, 5.5547])
    assert int(mod.best_mcs(table.threshold_db[13] + 1.0, margin_db=1.01)) < 13
    # 17 (64QAM, 2.5664) carries less than 16 (16QAM, 2.5703): never chosen.
    assert 17 not in mod.best_mcs(np.linspace(-10, 30, 4001))


@given(st.floats(-30.0, 50.0), st.floats(0.0, 20.0))
@settings(deadline=None)
def test_more_sinr_never_carries_less(sinr_db, more_db):
    for name in NAMES:
        low = float(mod.mcs_efficiency_bit_s_hz(sinr_db, name))
        high = float(mod.mcs_efficiency_bit_s_hz(sinr_db + more_db, name))
        assert 0 <= low <= high <= 7.4063
        assert low <= math.log2(1 + 10 ** (sinr_db / 10))


def test_torch_and_types():
    sinr_db = np.linspace(-10, 30, 101).astype(np.float32)
    ours = mod.mcs_efficiency_bit_s_hz(sinr_db, "256qam")
    theirs = mod.mcs_efficiency_bit_s_hz(torch.from_numpy(sinr_db), "256qam")
    assert ours.dtype == np.float32
    np.testing.assert_array_equal(theirs.numpy(), ours)
    np.testing.assert_array_equal(mod.best_mcs(torch.from_numpy(sinr_db)).numpy(), mod.best_mcs(sinr_db))


def test_unknown_tables_are_refused():
    with pytest.raises(ValueError, match="64qam, 256qam"):
        mod.mcs_table("1024qam")
