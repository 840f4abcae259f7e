"""Every preset runs: built, started, stepped, in a batch as alone."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from ntn_gym.core.registry import make_task

from .cases import Case, central_actions


def test_preset_runs(any_case: Case) -> None:
    batch, alone = any_case.vector(2, max_episode_steps=8), any_case.env(max_episode_steps=8)
    assert np.array_equal(batch.reset(seed=[7, 8])[0][1], alone.reset(seed=8)[0])
    rng = np.random.default_rng(0)
    for step in range(8):
        actions = central_actions(rng, batch.task, 2)
        observations, rewards, *_ = batch.step(actions)
        observation, reward, _, truncated, _ = alone.step(actions[1])
        assert np.array_equal(observations[1], observation) and rewards[1] == reward, f"step {step}"
        assert observation in alone.observation_space
    assert truncated


def test_names(small_case: Case) -> None:
    scenarios = importlib.import_module(small_case.entry.scenarios)
    names = scenarios.preset_names()
    assert small_case.entry.default_preset in names and "tiny" in names
    assert set(small_case.entry.trivial_presets) <= set(names)
    with pytest.raises(ValueError, match="known are"):
        scenarios.load_preset("no-such-preset")


def test_unknown_and_wrong_values_are_refused_by_name(small_case: Case) -> None:
    with pytest.raises(ValueError, match="no_such_field"):
        small_case.env(scenario={"no_such_field": 1})
    values = small_case.task().scenario.model_dump(mode="json")
    for name, value in _numbers(values):
        if name == "dt_s":
            with pytest.raises(ValueError, match=name):
                small_case.env(scenario={name: -abs(value) - 1})


def _numbers(values: Mapping[str, Any]) -> list[tuple[str, float]]:
    return [(n, v) for n, v in values.items() if isinstance(v, int | float) and not isinstance(v, bool)]


def test_a_scenario_survives_json(any_case: Case) -> None:
    task = any_case.task()
    values = task.scenario.model_dump(mode="json")
    assert make_task(any_case.name, None, values).scenario == task.scenario
    with pytest.raises(ValueError, match="not both"):
        make_task(any_case.name, any_case.preset, task.scenario)
    assert make_task(any_case.name, None, task.scenario).scenario == task.scenario
