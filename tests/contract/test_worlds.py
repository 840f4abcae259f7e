"""The world does not depend on decisions, and nobody looks into its future."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ntn_gym.core.engine import Engine
from ntn_gym.core.seeding import WorldKey
from ntn_gym.core.task import Arrays
from ntn_gym.core.trace import Trace, draw_trace, validate_arrays

from .cases import Case, assert_differs, assert_same, central_actions, in_space, play


def test_fields_are_what_is_drawn(any_case: Case) -> None:
    """Names, shapes, types and ranges of the raw arrays are those that the world declares."""
    task = any_case.task()
    fields = task.make_world().fields
    raw = any_case.draw(task, [3, 4])
    checked = validate_arrays(raw, fields, task.episode_steps + 1)
    for name, array in raw.items():
        assert array.dtype == np.dtype(fields[name].dtype), name
        assert checked[name] is not None and fields[name].unit and fields[name].description, name
        assert fields[name].name == name


def test_worlds_do_not_depend_on_the_batch(any_case: Case) -> None:
    task = any_case.task()
    together = any_case.draw(task, [10, 11, 12])
    alone = any_case.draw(task, [11])
    assert_same({name: array[1:2] for name, array in together.items()}, alone)
    assert_differs({name: array[:1] for name, array in together.items()}, alone)


def test_chunks_join_to_the_whole(any_case: Case) -> None:
    """Raw and packed arrays, however an episode is cut: 1, then 7, then the rest, and every slice alone at first."""
    task = any_case.task()
    n_slices = task.episode_steps + 1
    world = task.make_world()
    keys = [WorldKey(1), WorldKey(2)]
    _, whole = world.advance(world.begin(keys), n_slices)
    packed_whole = task.compile(None, whole)[1]
    for lengths in ([1, 7, n_slices - 8], [1] * 9 + [n_slices - 9]):
        state, carry, raws, packs = world.begin(keys), None, [], []
        for n_steps in lengths:
            state, raw = world.advance(state, n_steps)
            carry, packed = task.compile(carry, raw)
            raws.append(raw)
            packs.append(packed)
        assert_same(_joined(raws), whole)
        assert_same(_joined(packs), packed_whole)


def _joined(parts: list[Arrays]) -> Arrays:
    return {name: np.concatenate([part[name] for part in parts], axis=1) for name in parts[0]}


def test_decisions_do_not_touch_the_world(case: Case) -> None:
    """Two runs with different actions leave the same raw trace, and different results."""
    runs = []
    for seed in (0, 1):
        task = case.task()
        engine = Engine(task, 2, keep_raw=True)
        engine.reset(seeds=[7, 8])
        before = copy.deepcopy(engine.buffer.raw)
        rng = np.random.default_rng(seed)
        shape = (2, task.n_agents)
        rewards = [
            engine.step(in_space(rng, task.agent_action_space, shape)).reward
            for _ in range(min(40, task.episode_steps))
        ]
        assert_same(engine.buffer.raw, before)
        runs.append((engine.buffer.raw, rewards))
    assert_same(runs[0][0], runs[1][0])
    assert_differs(runs[0][1], runs[1][1])


# ---------------------------------------------------------------------- no look into the future


def _instants(n_steps: int) -> list[int]:
    return sorted({0, 1, n_steps // 3, n_steps - 2})


def _play_to(task: Any, packed: Arrays, actions: np.ndarray, last: int) -> list[Any]:
    """Observations and masks up to slice ``last``, outcomes up to the step taken in it."""
    history = play(task, packed, actions[:, : last + 1])
    return [history.observations, history.masks, history.outcomes]


def _assert_past_unchanged(task: Any, raw: Arrays, other: Arrays, last: int, actions: np.ndarray) -> None:
    packed, changed = task.compile(None, raw)[1], task.compile(None, other)[1]
    for name in packed:
        assert_same(packed[name][:, : last + 1], changed[name][:, : last + 1], f"packed {name} up to {last}")
    assert_same(_play_to(task, packed, actions, last), _play_to(task, changed, actions, last), f"t = {last}")


def _random_actions(task: Any, n_worlds: int) -> np.ndarray:
    rng = np.random.default_rng(6)
    return in_space(rng, task.agent_action_space, (n_worlds, task.episode_steps, task.n_agents))


def test_another_future_in_the_trace_changes_nothing_before_it(case: Case) -> None:
    """Slices after t are replaced by those of another world."""
    task = case.task()
    raw, stranger = case.draw(task, [50]), case.draw(task, [51])
    actions = _random_actions(task, 1)
    for last in _instants(task.episode_steps):
        spliced = {
            name: np.concatenate([raw[name][:, : last + 1], stranger[name][:, last + 1 :]], axis=1) for name in raw
        }
        _assert_past_unchanged(task, raw, spliced, last, actions)


def test_another_luck_changes_nothing_before_it(case: Case) -> None:
    """The world's own generators are seeded anew after t: a different, consistent future with the same past."""
    task = case.task()
    n_slices = task.episode_steps + 1
    raw = case.draw(task, [60])
    actions = _random_actions(task, 1)
    for last in _instants(task.episode_steps):
        world = task.make_world()
        state, past = world.advance(world.begin([WorldKey(60)]), last + 1)
        assert _reseeded(state), "the world keeps no generator per process in its state"
        _, future = world.advance(state, n_slices - last - 1)
        other = _joined([past, future])
        assert_same({name: array[:, : last + 1] for name, array in raw.items()}, past)
        assert_differs(raw, other)
        _assert_past_unchanged(task, raw, other, last, actions)


def _reseeded(state: Any) -> int:
    """Replace the stream of every generator within a world's state; return their number."""
    if isinstance(state, np.random.Generator):
        state.bit_generator.state = np.random.SFC64(987654321).state
        return 1
    if dataclasses.is_dataclass(state):
        return sum(_reseeded(getattr(state, field.name)) for field in dataclasses.fields(state))
    if isinstance(state, dict):
        return sum(_reseeded(value) for value in state.values())
    if isinstance(state, list | tuple):
        return sum(_reseeded(value) for value in state)
    return 0


def test_states_and_outcomes_own_their_memory(case: Case) -> None:
    """A trace window is overwritten as time goes on; nothing that outlives a step may be a view of it."""
    task = case.task()
    engine = Engine(task, 1)
    engine.reset(seeds=[3])
    rng = np.random.default_rng(0)
    held = [*_arrays(engine.state), engine.observe()]
    for _ in range(5):
        state_before = copy.deepcopy(engine.state)
        given = engine.state
        result = engine.step(in_space(rng, task.agent_action_space, (1, task.n_agents)))
        assert_same(state_before, given, "the state was changed in place")
        held += [*_arrays(engine.state), *_arrays(result.outcome), engine.observe()]
        for array in held:
            for name, source in engine.buffer.arrays.items():
                assert not np.shares_memory(array, source), f"an array of the state or outcome is a view of {name}"


def _arrays(data: Any) -> list[np.ndarray]:
    if isinstance(data, np.ndarray):
        return [data]
    if dataclasses.is_dataclass(data):
        return [a for field in dataclasses.fields(data) for a in _arrays(getattr(data, field.name))]
    if isinstance(data, dict):
        return [a for value in data.values() for a in _arrays(value)]
    return []


# ---------------------------------------------------------------------- saved worlds


def test_a_saved_world_replays_exactly(small_case: Case, tmp_path: Path) -> None:
    task = small_case.task()
    world = task.make_world()
    keys = [WorldKey(2_000_000), WorldKey(2_000_001)]
    scenario = task.scenario.model_dump(mode="json")
    drawn = draw_trace(world, keys, task.episode_steps + 1, small_case.name, scenario)
    path = drawn.save(tmp_path / "trace.npz")
    assert_same(Trace.load(path), drawn)
    live = small_case.vector(2)
    replay = type(live)(small_case.name, 2, trace=path)
    assert replay.task.scenario == task.scenario, "the trace brings its scenario"
    assert np.array_equal(live.reset(seed=2_000_000)[0], replay.reset(seed=0)[0])
    rng = np.random.default_rng(7)
    for _ in range(min(30, task.episode_steps)):
        actions = central_actions(rng, task, 2)
        assert_same(list(live.step(actions)), list(replay.step(actions)))


def test_a_trace_that_does_not_fit_is_refused(small_case: Case) -> None:
    task = small_case.task()
    raw = small_case.draw(task, [1])
    name = next(name for name, array in raw.items() if array.dtype.kind == "f")
    broken = {**raw, name: np.full_like(raw[name], np.nan)}
    scenario = task.scenario.model_dump(mode="json")
    with pytest.raises(ValueError, match=f"{name}: not finite"):
        small_case.env(trace=Trace(broken, small_case.name, scenario))
    short = {key: array[:, :-1] for key, array in raw.items()}
    with pytest.raises(ValueError, match="shape"):
        small_case.env(trace=Trace(short, small_case.name, scenario))
    with pytest.raises(ValueError, match="the trace is for Elsewhere"):
        small_case.env(trace=Trace(raw, "Elsewhere", scenario))
