"""The battery: hand-solved steps, conservation of energy for any input, and the payload's supply power."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ntn_gym.physics import battery as bt
from ntn_gym.physics import payload

PACK = bt.Battery(1000.0, 100.0, 0.9, 0.8, 0.0, max_charge_w=50.0, max_discharge_w=40.0)


@pytest.mark.parametrize(
    ("energy", "source", "demand", "expected"),
    [  # stored, delivered, unmet, spilled, lost after 10 s
        (500.0, 30.0, 10.0, (680.0, 100.0, 0.0, 0.0, 20.0)),  # 200 J surplus, 180 J stored
        (500.0, 90.0, 10.0, (950.0, 100.0, 0.0, 300.0, 50.0)),  # 800 J surplus, 500 J accepted
        (955.0, 60.0, 10.0, (1000.0, 100.0, 0.0, 450.0, 5.0)),  # room for 45 J: 50 J taken
        (500.0, 0.0, 20.0, (250.0, 200.0, 0.0, 0.0, 50.0)),  # 200 J delivered take 250 J
        (500.0, 10.0, 70.0, (100.0, 420.0, 280.0, 0.0, 80.0)),  # down to the minimum: 400 J give 320 J
        (1000.0, 10.0, 70.0, (500.0, 500.0, 200.0, 0.0, 100.0)),  # limit 40 W: 400 J of 600 J
        (50.0, 0.0, 20.0, (50.0, 0.0, 200.0, 0.0, 0.0)),  # below the minimum nothing is drawn
    ],
)
def test_steps_by_hand(energy, source, demand, expected):
    step = bt.battery_step(PACK, energy, source, demand, 10.0)
    assert tuple(float(value) for value in step) == pytest.approx(expected, abs=1e-9)


def test_self_discharge():
    pack = bt.Battery(1000.0, self_discharge_per_s=1e-6)
    step = bt.battery_step(pack, 1000.0, 0.0, 0.0, 86_400.0)
    assert float(step.energy_j) == pytest.approx(1000.0 * math.exp(-0.0864), rel=1e-12)
    assert float(step.lost_j) == pytest.approx(1000.0 * (1 - math.exp(-0.0864)), rel=1e-9)


@given(
    st.floats(0.0, 1000.0),
    st.floats(0.0, 1e4),
    st.floats(0.0, 1e4),
    st.floats(0.1, 1e4),
    st.floats(0.5, 1.0),
    st.floats(0.5, 1.0),
    st.floats(0.0, 1e-4),
)
@settings(deadline=None)
def test_energy_is_conserved(energy, source, demand, dt, charge, discharge, rate):
    pack = bt.Battery(1000.0, 50.0, charge, discharge, rate, 300.0, 400.0)
    step = bt.battery_step(pack, energy, source, demand, dt)
    before, after = energy + source * dt, step.energy_j + step.delivered_j + step.spilled_j + step.lost_j
    assert float(after) == pytest.approx(before, rel=1e-12, abs=1e-9)
    assert float(step.delivered_j + step.unmet_j) == pytest.approx(demand * dt, rel=1e-12, abs=1e-9)
    assert 0.0 <= step.energy_j <= 1000.0 and min(float(value) for value in step) >= -1e-9


def test_batches_and_torch():
    energy = np.linspace(0, 1000, 6).reshape(2, 3)
    ours = bt.battery_step(PACK, energy, 30.0, np.array([0.0, 50.0, 90.0]), 5.0)
    theirs = bt.battery_step(PACK, torch.from_numpy(energy), 30.0, torch.tensor([0.0, 50.0, 90.0]).double(), 5.0)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(b.numpy(), a, rtol=1e-12)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("capacity_j", 0.0),
        ("minimum_j", 1000.0),
        ("charge_efficiency", 1.2),
        ("self_discharge_per_s", -1.0),
        ("max_discharge_w", 0.0),
    ],
)
def test_wrong_batteries_are_refused(field, value):
    with pytest.raises(ValueError, match=rf"Battery\.{field}"):
        bt.Battery(**({"capacity_j": 1000.0} | {field: value}))


def test_payload_by_hand():
    # A macro cell of the EARTH project: 6 transceivers at 20 W: 6 (130 + 4.7 x 20) = 1344 W; asleep 450 W.
    assert float(payload.transceiver_power_w(20.0, 6, 130.0, 4.7, 75.0)) == pytest.approx(1344.0)
    asleep = payload.transceiver_power_w(np.array([20.0, 20.0]), 6, 130.0, 4.7, 75.0, np.array([True, False]))
    np.testing.assert_allclose(asleep, [1344.0, 450.0])
    # Class B: pi / 4 at saturation, half of that 6 dB below.
    assert 100.0 / float(payload.class_b_power_w(100.0, 100.0)) == pytest.approx(math.pi / 4)
    assert 25.0 / float(payload.class_b_power_w(25.0, 100.0)) == pytest.approx(math.pi / 8)
