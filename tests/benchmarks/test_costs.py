"""What is paid once: a reset, the import, memory."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from statistics import median
from time import process_time
from typing import Any

import gymnasium as gym
import pytest

from ntn_gym.core.registry import entries, find_entry

from .drive import mode_arguments
from .ledger import Ledger
from .rows import FRESH, MODES, Row, Start, starts

IMPORT_TARGET_MS = 400.0
RESETS = 10
MEMORY_WORLDS = 256


@pytest.mark.parametrize("start", list(starts()), ids=str)
def test_reset(benchmark: Any, ledger: Ledger, sweep: int, start: Start) -> None:
    entry = find_entry(start.environment)
    env = gym.make(entry.id, preset=start.preset)
    env.reset(seed=1000 * sweep)  # reads and caches the ephemeris
    cpu_s: list[float] = []

    def reset() -> Any:
        begun = process_time()
        observation, _ = env.reset()
        cpu_s.append(process_time() - begun)
        return observation

    assert benchmark.pedantic(reset, rounds=RESETS) in env.observation_space
    if benchmark.enabled:
        work = f"{start.environment} {start.preset or entry.default_preset}: reset"
        row = Row(work, "gym.make", 1, FRESH, "ms", start.target_ms)
        ledger.add(row, sweep, 1e3 * median(benchmark.stats.stats.data), 1e3 * median(cpu_s))


@pytest.mark.parametrize("modules", ["ntn_gym", "numpy, gymnasium, pettingzoo"])
def test_import(benchmark: Any, ledger: Ledger, sweep: int, modules: str) -> None:
    code = f"import time as t; a, b = t.perf_counter(), t.process_time(); import {modules}; "
    code += "print(t.perf_counter() - a, t.process_time() - b)"

    def seconds() -> list[float]:
        shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
        return [float(number) for number in shown.split()]

    seconds()  # compiles, and brings the files into memory
    inside: list[list[float]] = []
    benchmark.pedantic(lambda: inside.append(seconds()), rounds=3)
    assert min(map(min, inside)) > 0
    if benchmark.enabled:
        target = IMPORT_TARGET_MS if modules == "ntn_gym" else None
        row = Row(f"import {modules}", "python", 1, "", "ms", target)
        ledger.add(row, sweep, *(1e3 * median(column) for column in zip(*inside, strict=True)))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("environment", "preset"),
    [*((name, None) for name in entries()), ("Handover", "benchmark-30x13")],
)
def test_memory(ledger: Ledger, environment: str, preset: str | None, mode: str) -> None:
    entry = find_entry(environment)
    arguments = mode_arguments(preset, mode)
    gym.make(entry.id, **arguments).reset(seed=0)  # what is shared by all worlds is not counted
    tracemalloc.start()
    try:
        env = gym.make_vec(entry.id, MEMORY_WORLDS, **arguments)
        env.reset(seed=0)
        env.step(env.action_space.sample())
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept > 0
    row = Row(
        f"{environment} {preset or entry.default_preset}: memory", "gym.make_vec", MEMORY_WORLDS, mode, "KB/world"
    )
    ledger.add(row, 0, kept / 1e3 / MEMORY_WORLDS)
