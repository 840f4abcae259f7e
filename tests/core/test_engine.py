"""Clocks, worlds and memory of the batch engine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import ntn_gym.core.buffer as buffer_module
import ntn_gym.core.engine as engine_module
from ntn_gym.core.engine import Engine
from ntn_gym.core.result import weighted_sum
from ntn_gym.core.seeding import WorldKey

from .counting import CountingTask


def _labels(engine: Engine) -> list[float]:
    return engine.observe()[:, 0, 0].tolist()


def _actions(engine: Engine) -> np.ndarray:
    return np.ones((engine.n_parallel, 2), dtype=np.int64)


def test_worlds_are_named_by_seed_and_episode() -> None:
    engine = Engine(CountingTask(), 3)
    assert not engine.started
    engine.reset(seeds=[5, 6, 7])
    assert engine.started and _labels(engine) == [5000, 6000, 7000]
    engine.step(_actions(engine))
    assert _labels(engine) == [5001, 6001, 7001]
    engine.reset(worlds=[1])
    assert _labels(engine) == [5001, 106_000, 7001]
    engine.reset(worlds=[0, 2], seeds=[9, None])
    assert _labels(engine) == [9000, 106_000, 107_000]
    engine.reset()
    assert _labels(engine) == [109_000, 206_000, 207_000]


def test_reward_is_the_weighted_sum_for_each_agent() -> None:
    engine = Engine(CountingTask(), 2)
    engine.reset(seeds=[1, 2])
    result = engine.step(np.array([[0, 1], [2, 2]]))
    assert result.reward.tolist() == [[-1, 9], [19, 19]]
    assert weighted_sum(np.array([[1.0, 2.0]]), (3.0, -1.0)).tolist() == [1.0]
    terms = np.array([[0.1, 0.2, 0.3]])
    assert weighted_sum(terms, (1.0, 1.0, 1.0)).tolist() == [0.1 + 0.2 + 0.3], "one after the other, bit for bit"
    assert terms.tolist() == [[0.1, 0.2, 0.3]]


@pytest.mark.parametrize("chunk_steps", [1, 3, 10, 11, None])
def test_every_slice_is_reached(chunk_steps: int | None) -> None:
    engine = Engine(CountingTask(), 2, chunk_steps=chunk_steps)
    engine.reset(seeds=[1, 2])
    for step in range(10):
        assert _labels(engine) == [1000 + step, 2000 + step]
        result = engine.step(_actions(engine))
        assert result.truncated.tolist() == [step == 9] * 2
    assert _labels(engine) == [1010, 2010], "the observation after the last step"


def test_termination_comes_from_the_task() -> None:
    engine = Engine(CountingTask(ends_at=3), 2)
    engine.reset(seeds=[1, 2])
    flags = [engine.step(_actions(engine)).terminated.tolist() for _ in range(4)]
    assert flags == [[False] * 2, [False] * 2, [True] * 2, [False] * 2]


def test_restarted_worlds_begin_while_others_go_on() -> None:
    for chunk_steps in (None, 2):
        engine = Engine(CountingTask(), 3, chunk_steps=chunk_steps)
        engine.reset(seeds=[1, 2, 3])
        for _ in range(10):
            engine.step(_actions(engine))
        result = engine.step(_actions(engine), restart=np.arange(3))
        assert _labels(engine) == [101_000, 102_000, 103_000] and not result.truncated.any()
        engine.step(_actions(engine))
        result = engine.step(_actions(engine), restart=np.array([1]))
        assert _labels(engine) == [101_002, 202_000, 103_002]
        assert engine.observe()[:, 0, 1].tolist() == [2, 0, 2]


def test_the_first_reset_is_of_all() -> None:
    with pytest.raises(ValueError, match="reset all 3 worlds first"):
        Engine(CountingTask(), 3).reset(worlds=[0], seeds=[1])


def test_successors_are_drawn_together() -> None:
    """Worlds that end one after the other share calls of the world; each still meets its own."""
    task = CountingTask(episode_steps=20)
    engine = Engine(task, 6)
    engine.reset(seeds=range(6))
    drawn_for_start = len(task.world.begun)
    for step in range(60):
        engine.step(_actions(engine))
        ended = np.flatnonzero(engine.steps >= 3 + np.arange(6) * 2)
        if len(ended):
            engine.reset(ended)
        for i, key in enumerate(engine.keys):
            expected = 1000.0 * (i + 100 * key.episode) + engine.steps[i]
            assert _labels(engine)[i] == expected, f"step {step}, world {i}"
    episodes = sum(key.episode for key in engine.keys)
    calls = len(task.world.begun) - drawn_for_start
    assert episodes > 40 and calls < episodes / 2, f"{calls} calls for {episodes} episodes"


def test_a_large_batch_is_drawn_in_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """With 16 bytes per slice and windows of 4, 4096 bytes are 64 worlds."""
    monkeypatch.setattr(buffer_module, "DRAWN_TOGETHER_BYTES", 4096)
    task = CountingTask()
    engine = Engine(task, 150, chunk_steps=4)
    engine.reset(seeds=range(150))
    assert task.world.advanced == [(1, 1), (64, 4), (64, 4), (22, 4)], "one slice to learn the size, then groups"
    for _ in range(9):
        engine.step(np.ones((150, 2), dtype=np.int64))
    assert _labels(engine) == [1000.0 * i + 9 for i in range(150)]


def test_window_fits_the_memory_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "MEMORY_BUDGET_BYTES", 1_000_000)
    monkeypatch.setattr(engine_module, "POOL_BUDGET_BYTES", 1_000_000)
    task = CountingTask(episode_steps=1000, padding=984)
    small, large = Engine(task, 1), Engine(task, 4)
    assert small.buffer.choose_chunk() == 501, "1000 bytes a slice, one row: 1000 slices fit, 1001 take two windows"
    assert large.buffer.choose_chunk() == 112, "four worlds and four spare rows: 125 slices fit, nine windows"
    with pytest.raises(ValueError, match="they would take more than"):
        Engine(task, 1, n_worlds=2)


def test_windows_of_one_world_fit_the_cache_except_in_pools_and_for_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "WINDOW_BYTES", 100_000)
    task = CountingTask(episode_steps=299, padding=984)
    assert Engine(task, 1).buffer.choose_chunk() == 100, "1000 bytes a slice"
    assert Engine(task, 1, n_worlds=2).buffer.choose_chunk() == 300
    assert Engine(task, 1, keep_raw=True).buffer.choose_chunk() == 300
    assert Engine(task, 1, chunk_steps=7).buffer.choose_chunk() == 7


def test_pool_repeats_its_worlds_and_depends_on_the_seed() -> None:
    task = CountingTask()
    engine = Engine(task, 4, n_worlds=3)
    met: set[float] = set()
    order = []
    for episode in range(30):
        engine.reset(seeds=[1, 2, 3, 4] if episode == 0 else None)
        order.append(tuple(_labels(engine)))
        met |= set(order[-1])
    assert met == {0.0, 1000.0, 2000.0}
    assert sum(len(keys) for keys in task.world.begun) == 1 + 3, "drawn once (and one to learn the size)"
    other = Engine(CountingTask(), 1, n_worlds=3)
    alone = []
    for episode in range(30):
        other.reset(seeds=[3] if episode == 0 else None)
        alone.append(_labels(other)[0])
    assert alone == [row[2] for row in order], "the order of worlds follows from the seed alone"


def test_random_start_spreads_the_ends() -> None:
    engine = Engine(CountingTask(episode_steps=200), 50, random_start=True, chunk_steps=30)
    engine.reset(seeds=range(50))
    assert len(set(engine.steps.tolist())) > 30 and engine.steps.max() < 200
    assert _labels(engine) == [1000.0 * i + engine.steps[i] for i in range(50)]
    alone = Engine(CountingTask(episode_steps=200), 1, random_start=True)
    alone.reset(seeds=[17])
    assert alone.steps[0] == engine.steps[17]
    engine.reset()
    assert not engine.steps.any(), "only the first episode after seeding begins late"


@pytest.mark.parametrize("options", [{}, {"chunk_steps": 3}, {"n_worlds": 2}])
def test_snapshots_survive_what_happens_in_between(options: dict[str, Any]) -> None:
    engine = Engine(CountingTask(), 3, **options)
    engine.reset(seeds=[1, 2, 3])
    for _ in range(4):
        engine.step(_actions(engine))
    engine.reset([1])
    engine.step(_actions(engine))
    snapshot = engine.get_state()
    kept = engine.observe()
    for _ in range(25):
        engine.step(_actions(engine))
        ended = np.flatnonzero(engine.steps >= 7)
        if len(ended):
            engine.reset(ended)
    engine.set_state(snapshot)
    assert np.array_equal(engine.observe(), kept)
    fresh = Engine(CountingTask(), 3, **options)
    fresh.set_state(snapshot)
    assert np.array_equal(fresh.observe(), kept)
    for one in (engine, fresh):
        one.reset([0])
    assert np.array_equal(engine.observe(), fresh.observe()), "the next episodes are the same, too"
    assert engine.keys[0] == WorldKey(1, 1)


def test_wrong_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="max_episode_steps = 11: allowed are 1 to 10 steps"):
        Engine(CountingTask(), 1, episode_steps=11)
    with pytest.raises(ValueError, match="chunk_steps = 12: allowed are 1 to 11 steps"):
        Engine(CountingTask(), 1, chunk_steps=12)
