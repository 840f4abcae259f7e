"""Classical results that must come out: Erlang B in every cell, and known blocking of the 7 x 7 benchmark."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from ntn_gym.core.engine import Engine
from ntn_gym.envs.channel_allocation.clique_packing import clique_packing

from .helpers import draw, play, rule, task_of


def erlang_b(erlang: float, channels: int) -> float:
    """Erlang's loss formula by its recursion."""
    blocking = 1.0
    for n in range(1, channels + 1):
        blocking = erlang * blocking / (n + erlang * blocking)
    return blocking


def test_erlang_b_itself() -> None:
    # From the formula with factorials: a^n/n! over the sum.
    assert erlang_b(2.0, 2) == pytest.approx(2.0 / (1 + 2 + 2), abs=1e-15)
    assert erlang_b(7.5, 10) == pytest.approx(0.0995, abs=5e-5)


def test_fixed_assignment_is_erlang_b_in_every_cell() -> None:
    task = task_of(steps=3200)
    counts = play(task, rule(task, "fixed"), range(64), warm_steps=2000)
    expected = erlang_b(7.5, 10)
    z = counts.z_of(expected)
    # 49 cells at once: the 95 per cent interval of all of them together, and of each by itself for about 95 per cent.
    assert np.abs(z).max() < norm.ppf(1 - 0.025 / 49)
    assert np.count_nonzero(np.abs(z) < norm.ppf(0.975)) >= 43
    assert abs(counts.whole().z_of(expected)[0]) < norm.ppf(0.975)


def test_one_cell_is_a_loss_system() -> None:
    """M/M/C/C, whichever rule chooses among its channels."""
    task = task_of(
        "tiny", steps=500, cells={"rows": 1, "columns": 1, "channels": 4}, load={"offered_erlang": 3.0}, moves="none"
    )
    for name in ("fixed", "random-channel", "scarcity"):
        counts = play(task, rule(task, name), range(100), warm_steps=60)
        assert abs(counts.z_of(erlang_b(3.0, 4))[0]) < norm.ppf(0.975), name


def test_reuse_in_every_cell_makes_independent_loss_systems() -> None:
    task = task_of("tiny", steps=2000, cells={"reuse_distance": 1, "channels": 4}, load={"offered_erlang": 2.0})
    counts = play(task, rule(task, "maxavail-r"), range(48), warm_steps=300)
    assert np.abs(counts.z_of(erlang_b(2.0, 4))).max() < norm.ppf(1 - 0.025 / 12)


def test_guard_channels_are_a_birth_death_chain() -> None:
    """One cell, new calls admitted below C - g calls only; calls that enter may take all channels.

    Entering calls come with drift alone, so the chain is checked on new calls: they see C - g channels.
    """
    task = task_of("tiny", steps=500, cells={"rows": 1, "columns": 1, "channels": 5}, load={"offered_erlang": 3.0})
    counts = play(task, rule(task, "guard", channels=2), range(100), warm_steps=60)
    assert abs(counts.z_of(erlang_b(3.0, 3))[0]) < norm.ppf(0.975)


def test_time_blocking_equals_call_blocking() -> None:
    """Poisson arrivals see time averages: the share of time without a free channel is the share of refused calls."""
    task = task_of("tiny", steps=600, cells={"rows": 1, "columns": 1, "channels": 3}, load={"offered_erlang": 2.0})
    policy = rule(task, "fixed")
    engine = Engine(task, 100)
    engine.reset(seeds=range(100))
    column = {kpi.name: index for index, kpi in enumerate(task.kpis)}
    full_s, time_s, blocked, new = np.zeros((4, 100))
    for step in range(task.episode_steps):
        full = engine.state.carried == 3
        kpis = engine.step(policy.act(engine.observe(), None, np.zeros(100, bool))).outcome.kpis[:, 0]
        if step >= 60:
            full_s += full * kpis[:, column["interval_s"]]
            time_s += kpis[:, column["interval_s"]]
            blocked += kpis[:, column["blocking"]]
            new += kpis[:, column["new_calls"]]
    share = full_s.sum() / time_s.sum()
    left = blocked / new.mean() - full_s / time_s.mean()
    assert share == pytest.approx(erlang_b(2.0, 3), abs=0.01)
    assert abs(left.mean()) < 2.6 * left.std() / 10


# Blocking found by an independent simulation of 300,000 to 600,000 calls each, standard error about 0.001.
RULES = ("fixed", "random-channel", "most-reused", "nominal-first", "maxavail", "bdcl", "maxavail-r")
UNIFORM: dict[str, Any] = {}
TABLE: dict[str, tuple[dict[str, Any], tuple[float, ...], float]] = {
    "7.5 erlang": ({"offered_erlang": 7.5}, (0.099, 0.084, 0.049, 0.042, 0.043, 0.021, 0.014), 0.008),
    "10 erlang": ({"offered_erlang": 10.0}, (0.215, 0.209, 0.182, 0.177, 0.172, 0.146, 0.128), 0.105),
    "17.5 erlang": ({"offered_erlang": 17.5}, (0.480, 0.465, 0.459, 0.459, 0.456, 0.464, 0.435), 0.418),
    "gradient": (
        {"offered_erlang": 7.5, "gradient": 0.5},
        (0.147, 0.126, 0.101, 0.095, 0.095, 0.083, 0.065),
        0.056,
    ),
    "hand-off": (
        {"offered_erlang": 7.5, "handover_share": 0.15},
        (0.150, 0.148, 0.113, 0.107, 0.106, 0.077, 0.066),
        0.051,
    ),
}
DROPPING = ((0.153, 0.109, 0.092, 0.093, 0.090, 0.050, 0.040), 0.022)
TOLERANCE = 0.006


@pytest.mark.slow
@pytest.mark.parametrize("row", TABLE)
def test_blocking_of_the_benchmark(row: str) -> None:
    load, blocking, packed_blocking = TABLE[row]
    task = task_of(steps=3800, load=load)
    seeds, warm = range(100), 2000
    engine = Engine(task, len(seeds))
    found = {}
    for name in RULES:
        counts = play(task, rule(task, name), seeds, warm, engine)
        found[name] = (counts.blocking, counts.dropping if counts.asks.any() else 0.0)
    packing = clique_packing(task, draw(task, seeds))
    kept = slice(warm, None)
    found["packing"] = (
        packing.blocked[:, kept].sum() / packing.new[:, kept].sum(),
        packing.dropped[:, kept].sum() / max(1, packing.asks[:, kept].sum()),
    )
    expected = dict(zip((*RULES, "packing"), (*blocking, packed_blocking), strict=True))
    wrong = {name: (found[name][0], p) for name, p in expected.items() if abs(found[name][0] - p) > TOLERANCE}
    if row == "hand-off":
        dropping = dict(zip((*RULES, "packing"), (*DROPPING[0], DROPPING[1]), strict=True))
        wrong |= {
            f"{name}, hand-overs": (found[name][1], p)
            for name, p in dropping.items()
            if abs(found[name][1] - p) > TOLERANCE
        }
    print({name: (round(b, 4), round(d, 4)) for name, (b, d) in found.items()})
    assert not wrong
