"""The peer: mobile-env, a widely used environment of user association, on scenarios of like size.

It takes its pictures from a package that shares its import name with one of ours, so that it is installed without
dependencies, and only for this. Its physics are others: this compares the cost of a step, not of like work.
"""

from __future__ import annotations

import importlib
from typing import Any

import gymnasium as gym
import pytest

from .drive import single_player, timed
from .ledger import Ledger
from .rows import PEER, SMALL_PEER, Row


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("row", [PEER, SMALL_PEER], ids=["large", "small"])
def test_mobile_env(benchmark: Any, ledger: Ledger, sweep: int, row: Row) -> None:
    try:
        importlib.import_module("mobile_env")
    except ImportError as error:
        ledger.note(row, f"mobile-env cannot be imported ({error})")
        pytest.skip(f"mobile-env cannot be imported: {error}")
    # A step of the large scenario takes some 20 ms: one episode of 100 steps is enough.
    play = single_player(gym.make(row.work.split()[1].rstrip(",")), seed=sweep, at_least=1)
    steps, seconds, cpu_s = timed(benchmark, play)
    assert steps >= 100
    if seconds is not None:
        ledger.add(row, sweep, steps / seconds, steps / cpu_s)
