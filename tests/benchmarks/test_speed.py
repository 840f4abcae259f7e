"""Env-steps per second through the public faces."""

from __future__ import annotations

from typing import Any

import pytest

from ntn_gym.core.registry import find_entry

from .drive import links_per_step, player, timed
from .ledger import Ledger
from .rows import MODES, Load, Row, loads


def row_of(load: Load, mode: str) -> Row:
    preset = load.preset or find_entry(load.environment).default_preset
    return Row(
        work=f"{load.environment} {preset}",
        face=load.face,
        n_parallel=load.n_parallel,
        mode=mode,
        target=load.target,
        links_per_step=links_per_step(load.environment, load.preset),
        links_target=load.links_target,
    )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("load", list(loads()), ids=str)
def test_steps_per_second(benchmark: Any, ledger: Ledger, sweep: int, load: Load, mode: str) -> None:
    steps, seconds, cpu_s = timed(benchmark, player(load, mode, seed=1000 * sweep))
    assert steps >= load.n_parallel
    if seconds is not None:
        ledger.add(row_of(load, mode), sweep, steps / seconds, steps / cpu_s)
