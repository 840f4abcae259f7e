"""Pictures without a display, in every mode, of every environment that draws."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from ntn_gym.core.frame import Frame
from ntn_gym.core.registry import resolve

from .cases import Case, assert_same


def _made(case: Case, mode: str, **arguments: Any) -> gym.Env:
    if case.entry.renderer is None:
        pytest.skip("draws no pictures")
    return gym.make(case.entry.id, preset=case.preset, render_mode=mode, **arguments)


def test_rgb_array(case: Case) -> None:
    env = _made(case, "rgb_array")
    env.reset(seed=1)
    pictures = [env.render()]
    for _ in range(3):
        env.step(env.action_space.sample())
        pictures.append(env.render())
    for picture in pictures:
        assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3
        assert picture.shape == pictures[0].shape
        assert picture.std() > 0, "an empty picture"
    assert any((picture != pictures[0]).any() for picture in pictures), "nothing moves"
    again = _made(case, "rgb_array")
    again.reset(seed=1)
    assert np.array_equal(again.render(), pictures[0]), "the same moment gives another picture"


def test_ansi(case: Case) -> None:
    env = _made(case, "ansi")
    env.reset(seed=1)
    first = env.render()
    env.step(env.action_space.sample())
    assert isinstance(first, str) and first.strip() and env.render() != first


def test_human_needs_no_display(small_case: Case) -> None:
    env = _made(small_case, "human")
    env.reset(seed=1)
    env.step(env.action_space.sample())
    assert env.render() is None
    env.close()
    env.close()


def test_collections_and_batches(small_case: Case) -> None:
    env = _made(small_case, "rgb_array_list")
    env.reset(seed=1)
    env.step(env.action_space.sample())
    assert len(env.render()) == 2
    batch = small_case.vector(2, render_mode="rgb_array", max_episode_steps=2)
    batch.reset(seed=1)
    single = _made(small_case, "rgb_array")
    single.reset(seed=2)
    assert np.array_equal(batch.render()[1], single.render())
    for _ in range(3):
        batch.step(batch.action_space.sample())
    assert len(batch.render()) == 2
    parallel = small_case.parallel(render_mode="rgb_array")
    parallel.reset(seed=2)
    assert np.array_equal(parallel.render(), single.render())


def test_unknown_modes_are_refused(small_case: Case) -> None:
    _made(small_case, "ansi")
    with pytest.raises(ValueError, match="render_mode = 'paper': allowed are human, rgb_array, ansi and None"):
        small_case.env(render_mode="paper")
    with pytest.raises(ValueError, match="a batch has no window"):
        small_case.vector(2, render_mode="human")


@pytest.mark.parametrize("chunk_steps", [None, 4])
def test_a_renderer_sees_the_past_and_nothing_else(small_case: Case, chunk_steps: int | None) -> None:
    """Everything in a frame belongs together, ends now, and is what happened."""
    env = _made(small_case, "ansi", chunk_steps=chunk_steps)
    recorder = env.unwrapped._built.recorder
    env.reset(seed=4)
    total, states = 0.0, [recorder.frame(0).state]
    for step in range(6):
        frame: Frame = recorder.frame(0)
        assert frame.step == step and frame.first_step == (0 if chunk_steps is None else step - step % 4)
        n = frame.step - frame.first_step + 1
        raw = small_case.draw(env.unwrapped.task, [4], step + 1)
        assert_same(frame.raw, {name: array[0, frame.first_step :] for name, array in raw.items()})
        assert len(frame.states) == n and len(frame.actions) == len(frame.outcomes) == n - 1
        assert_same(frame.states[-1], env.unwrapped._built.engine.state)
        assert_same(list(frame.states), states[frame.first_step :])
        if chunk_steps is None:
            assert frame.episode_return == pytest.approx(total)
        assert isinstance(resolve(small_case.entry.renderer)(env.unwrapped.task, frame, "ansi"), str)
        total += env.step(env.action_space.sample())[1]
        states.append(env.unwrapped._built.engine.state)
