"""Play random actions through the public faces, as a user's loop does, and count what was played."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import prod
from time import process_time
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector.utils import batch_space

import ntn_gym  # noqa: F401  (registers the environments)
from ntn_gym.core.registry import find_entry, make_task

from .rows import GYM, POOL, POOL_WORLDS, VEC, Load

STEPS_PER_ROUND = 3000
"""One world is played for at least so many steps; batches for one episode of every world."""
N_ACTIONS = 32
"""Different actions, drawn before the clock starts and used over and over."""

Player = Callable[[], int]


def timed(benchmark: Any, play: Player) -> tuple[int, float | None, float]:
    """Play one round; return its env-steps, its seconds (None where benchmarks are disabled) and its CPU seconds."""
    cpu: list[float] = []

    def played() -> int:
        begun = process_time()
        steps = play()
        cpu.append(process_time() - begun)
        return steps

    steps = benchmark.pedantic(played)
    return steps, benchmark.stats.stats.total if benchmark.enabled else None, cpu[-1]


@cache
def links_per_step(environment: str, preset: str | None) -> int:
    """Return the size of the largest array of a world's trace in one step: the links of all users to all nodes."""
    return max(prod(field.shape) for field in make_task(environment, preset).make_world().fields.values())


def mode_arguments(preset: str | None, mode: str) -> dict[str, Any]:
    """Keyword arguments of a face for a mode."""
    return {"preset": preset} | ({"n_worlds": POOL_WORLDS} if mode == POOL else {})


def player(load: Load, mode: str, seed: int) -> Player:
    """Build and warm up an environment; return a function that plays one round and returns its env-steps."""
    entry = find_entry(load.environment)
    arguments = mode_arguments(load.preset, mode)
    if load.face == GYM:
        return single_player(gym.make(entry.id, **arguments), seed)
    if load.face == VEC:
        return _vector_player(gym.make_vec(entry.id, load.n_parallel, **arguments), seed)
    return _sb3_player(load, arguments, seed)


def _actions(space: gym.Space[Any], seed: int) -> list[Any]:
    space.seed(seed)
    return [space.sample() for _ in range(N_ACTIONS)]


def single_player(env: gym.Env[Any, Any], seed: int, at_least: int = STEPS_PER_ROUND) -> Player:
    """Play whole episodes of one world, resets included, until they make so many steps."""
    actions = _actions(env.action_space, seed)
    _play_episodes(env, actions, 1, seed)
    return lambda: _play_episodes(env, actions, at_least, None)


def _play_episodes(env: gym.Env[Any, Any], actions: list[Any], at_least: int, seed: int | None) -> int:
    steps = 0
    while steps < at_least:
        env.reset(seed=seed)
        over = False
        while not over:
            _, _, terminated, truncated, _ = env.step(actions[steps % N_ACTIONS])
            over = terminated or truncated
            steps += 1
    return steps


def _vector_player(env: gym.vector.VectorEnv[Any, Any, Any], seed: int) -> Player:
    """Play one episode of every world and the step that restarts them; that one is not counted."""
    actions = _actions(env.action_space, seed)
    horizon = env.unwrapped.task.episode_steps  # type: ignore[attr-defined]
    env.reset(seed=seed)
    for action in actions[:3]:
        env.step(action)
    env.reset()

    def play() -> int:
        steps, restarting = 0, np.zeros(env.num_envs, dtype=np.bool_)
        for i in range(horizon + 1):
            _, _, terminated, truncated, _ = env.step(actions[i % N_ACTIONS])
            steps += env.num_envs - np.count_nonzero(restarting)
            restarting = terminated | truncated
        return steps

    return play


def _sb3_player(load: Load, arguments: dict[str, Any], seed: int) -> Player:
    """Play one episode of every world; ended worlds restart in the same step."""
    from ntn_gym.interfaces.sb3 import NTNVecEnv

    env = NTNVecEnv(load.environment, load.n_parallel, **arguments)
    actions = _actions(batch_space(env.action_space, env.num_envs), seed)
    env.seed(seed)
    env.reset()
    for action in actions[:3]:
        env.step(action)
    env.reset()

    def play() -> int:
        for i in range(env.task.episode_steps):
            env.step(actions[i % N_ACTIONS])
        return env.task.episode_steps * env.num_envs

    return play
